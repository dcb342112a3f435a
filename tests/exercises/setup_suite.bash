: "${BATS_TEST_TIMEOUT:=60}"
source "$BATS_TEST_DIRNAME/../setup_suite.bash"
