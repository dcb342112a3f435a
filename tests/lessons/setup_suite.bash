: "${BATS_TEST_TIMEOUT:=400}"
source "$BATS_TEST_DIRNAME/../setup_suite.bash"
