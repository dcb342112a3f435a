# Builds what the tests need, once for all files, and says at once when this machine cannot run them.
setup_suite() {
    export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
    local root found
    root=$(cd "$BATS_TEST_DIRNAME" && while [ ! -e common ]; do cd ..; done && pwd)
    if [ -z "${NO_BUILD-}" ]; then
        make -s -C "$root" 3>&- || return 1
    fi
    if ! found=$("$root/tests/doctor.sh" --quick 3>&-); then
        echo "$found" >&2
        echo "This machine cannot run the tests: 'make doctor' says the same and more." >&2
        return 1
    fi
}
