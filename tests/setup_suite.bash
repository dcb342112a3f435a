# Builds what the tests need, once for all files, and says at once when this machine cannot run them.
setup_suite() {
    export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
    local root
    root=$(cd "$BATS_TEST_DIRNAME" && while [ ! -e common ]; do cd ..; done && pwd)
    if [ -z "${NO_BUILD-}" ]; then
        make -s -C "$root" 3>&- || return 1
    fi
    if ! "$root/day02/probe" >/dev/null 2>&1 3>&-; then
        "$root/day02/probe" 3>&- | tail -n 4 >&2 || true
        echo "This machine cannot run all four days: 'make doctor' says more." >&2
        return 1
    fi
}
