#!/usr/bin/env bats
# The exercises' checks refuse wrong attempts: each patch here, put on top of the solution.

bats_require_minimum_version 1.8.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)

# refuses EXERCISE: every wrong attempt at it, by a test that fails and not by the compiler
refuses() {
    local patch n=0
    for patch in "$BATS_TEST_DIRNAME/$1"-*.patch; do
        cp "$ROOT/day${1%-*}/server.c" "$BATS_TEST_TMPDIR/mine.c"
        patch -s "$BATS_TEST_TMPDIR/mine.c" "$ROOT/tests/exercises/solutions/$1.patch"
        patch -s "$BATS_TEST_TMPDIR/mine.c" "$patch"
        # without what bats has put into the environment: check.sh starts another one
        env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" HOME="${HOME-/}" TMPDIR="$BATS_TEST_TMPDIR" \
            "$ROOT/tests/exercises/check.sh" "$1" "$BATS_TEST_TMPDIR/mine.c" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- || true
        grep -q '^not ok ' "$BATS_TEST_TMPDIR/said" || { echo "not refused: $patch"; cat "$BATS_TEST_TMPDIR/said"; return 1; }
        n=$((n + 1))
    done
    [ "$n" -gt 0 ]
}

@test "01-1: wrong attempts are refused" { refuses 01-1; }
@test "01-2: wrong attempts are refused" { refuses 01-2; }
@test "02-2: wrong attempts are refused" { refuses 02-2; }
@test "03-1: wrong attempts are refused" { refuses 03-1; }
@test "03-2: wrong attempts are refused" { refuses 03-2; }
@test "04-1: wrong attempts are refused" { refuses 04-1; }
@test "04-2: wrong attempts are refused" { refuses 04-2; }
