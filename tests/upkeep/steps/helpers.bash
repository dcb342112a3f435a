# What steps.bats and run.bats share.
# shellcheck shell=bash

bats_require_minimum_version 1.8.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
STEPS=$ROOT/tests/steps
export ROOT STEPS

# numbers DAY [server|echo]: of its steps; of those to that program.
numbers() {
    local patch
    for patch in "$ROOT/day$1"/steps/[0-9]*.patch; do
        grep -q "^--- a/day$1/${2-}" "$patch" || continue
        patch=${patch##*/}
        echo "${patch%%-*}"
    done
}

# program_of DAY STEP: server, or echo.
program_of() {
    [ "$2" != 00 ] || { echo server; return; }
    sed -n 's,^--- a/.*/\(.*\)\.c$,\1,p' "$ROOT/day$1/steps/$2"-*.patch
}

# field DAY STEP NAME: what stands behind NAME: in the head of the step, a line for each.
field() { sed -n "/^--- a/q; s/^$3: *//p" "$ROOT/day$1/steps/$2"-*.patch; }
