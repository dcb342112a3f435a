: "${BATS_TEST_TIMEOUT:=600}"
# shellcheck source=tests/setup_suite.bash
source "$BATS_TEST_DIRNAME/../../setup_suite.bash"
