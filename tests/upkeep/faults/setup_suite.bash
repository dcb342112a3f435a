: "${BATS_TEST_TIMEOUT:=600}"
source "$BATS_TEST_DIRNAME/../../setup_suite.bash"
