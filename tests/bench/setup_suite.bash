: "${BATS_TEST_TIMEOUT:=120}"
source "$BATS_TEST_DIRNAME/../setup_suite.bash"
