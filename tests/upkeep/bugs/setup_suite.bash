: "${BATS_TEST_TIMEOUT:=180}"
source "$BATS_TEST_DIRNAME/../../setup_suite.bash"
