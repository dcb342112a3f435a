#!/bin/bash
# Puts one bug of NOTES.md back and requires that it is caught in the way that the head of its patch
# says:
#   tests/upkeep/bugs/check.sh NN
#
#   Compiler: REGEX      it does not compile without a warning, and this is what the compiler says
#   Fails: FILE: NAME    that test fails
#   Runs: COMMAND        in place of a test: what is run for the two below
#   Shows: REGEX         the output has this
#   Report: REGEX        and this, of a sanitizer
#   Passes: FILE: NAME   nothing can catch it (NOTES.md says why): it builds, and that test passes
#   Build: ARGUMENTS     what make is told
#   Env: NAME=VALUE      what the test is told
#   Limit: SECONDS       what the test may take (20)
#
# Exits 0 if it is caught, 1 if not. Ends within three minutes and leaves no process behind.
set -euo pipefail

here=$(cd "$(dirname "$0")/../../bugs" && pwd)
patch=$(echo "$here/$1"-*.patch)
folder=$(mktemp -d) session=
chmod 755 "$folder" # some tests run the servers as another user
end_session() {
    [ -z "$session" ] || pkill -KILL -s "$session" || true # a broken server ends in no other way
}
trap 'end_session; rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM

field() { sed -n "/^--- /q; s/^$1: *//p" "$patch"; }

# in_copy SECONDS COMMAND...: runs it there, in a session of its own, for so long at most.
in_copy() {
    local status=0
    (cd "$folder/copy" && exec setsid timeout -k 5 "$@") >"$folder/said" 2>&1 &
    session=$!
    wait "$session" || status=$?
    end_session
    session=
    cat "$folder/said"
    return "$status"
}

run_test() { # "FILE: NAME": its status is that of the test
    local status=0 limit settings=(NO_BUILD=1 ASAN_OPTIONS=detect_stack_use_after_return=1)
    [ -z "$(field Env)" ] || settings+=("$(field Env)")
    limit=$(field Limit)
    settings+=(BATS_TEST_TIMEOUT="${limit:-20}")
    in_copy 90 env -u SERVER "${settings[@]}" bats -f "^${1#*: }\$" "${1%%: *}" || status=$?
    grep -qE '^(not )?ok 1 ' "$folder/said" || { echo "check.sh: there is no test $1"; exit 1; }
    return "$status"
}

requires() { # FIELD: what it says is in the output
    local wanted
    wanted=$(field "$1")
    grep -qE -e "$wanted" "$folder/said" || { echo "check.sh: nothing like this was said: $wanted"; exit 1; }
}

status=0
"$here/bug.sh" "$1" "$folder/copy"
if [ -n "$(field Compiler)" ]; then
    in_copy 60 make -s CFLAGS='-O2 -Werror' day02/probe day04/server || status=$?
    requires Compiler
else
    eval "build=($(field Build))"
    grep -q '^+++ b/day04/echo.c' "$patch" && program=day04/echo || program=day04/server
    # shellcheck disable=SC2154 # build: by eval
    in_copy 60 make -s "${build[@]}" day02/probe "$program"
    if [ -n "$(field Passes)" ]; then
        run_test "$(field Passes)"
        exit
    elif [ -n "$(field Runs)" ]; then
        in_copy 20 bash -c "$(field Runs)" || status=$?
    else
        run_test "$(field Fails)" || status=$?
    fi
    requires Shows
    requires Report
fi
if [ "$status" -eq 0 ]; then
    echo "check.sh: bug $1 is not caught"
    exit 1
fi
