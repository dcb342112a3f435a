: "${BATS_TEST_TIMEOUT:=7200}"
# shellcheck source=tests/setup_suite.bash
source "$BATS_TEST_DIRNAME/../../setup_suite.bash"
