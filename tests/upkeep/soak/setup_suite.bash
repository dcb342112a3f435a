: "${BATS_TEST_TIMEOUT:=3600}"
source "$BATS_TEST_DIRNAME/../../setup_suite.bash"
