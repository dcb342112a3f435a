#!/usr/bin/env bats
# What the lessons print is what the code says and does. Everything runs in a copy.
#
# shellcheck disable=SC2016,SC2030,SC2031 # backticks are meant; each test has its own $output

bats_require_minimum_version 1.8.0

HERE=$BATS_TEST_DIRNAME
ROOT=$(cd "$HERE" && while [ ! -e common ]; do cd ..; done && pwd)

setup_file() {
    "$ROOT/tests/copy.sh" "$BATS_FILE_TMPDIR/copy" all 3>&-
    cp "$ROOT"/*.md "$ROOT/LICENSE" "$BATS_FILE_TMPDIR/copy"
}

setup() { cd "$BATS_FILE_TMPDIR/copy" || return; }

check() { "$HERE/check.bash" "$@" 3>&-; }

# every WHAT PAGE...: all pages are checked, also when one is wrong.
every() {
    local page status=0 what=$1
    shift
    for page; do
        check "$what" "$page" || status=$?
    done
    [ "$status" -ne 77 ] || skip "no man pages here"
    return "$status"
}

LESSONS=(day01/README.md day02/README.md day03/README.md day04/README.md)

@test "every listing stands in the source" { every listings "${LESSONS[@]}"; }
@test "every diff stands in that of the two days" { every diffs "${LESSONS[@]}"; }
@test "every link leads somewhere" { every links README.md "${LESSONS[@]}"; }
@test "every name in backticks exists" { every names README.md "${LESSONS[@]}"; }
@test "every man page exists" { every pages README.md "${LESSONS[@]}"; }
@test "day 1: every session prints what it says" { check sessions day01/README.md; }
@test "day 2: every session prints what it says" { check sessions day02/README.md; }
@test "day 3: every session prints what it says" { check sessions day03/README.md; }
@test "day 4: every session prints what it says" { check sessions day04/README.md; }

@test "sessions that this test does not run" {
    for page in README.md "${LESSONS[@]}"; do
        check left_out "$page" | sed "s,^,# $page: ," >&3
    done
}

@test "every function of day 4 is named in a lesson" {
    local name missing=()
    while read -r name; do
        grep -qE "\`$name(\(\))?\`" "${LESSONS[@]}" || missing+=("$name")
    done < <(sed -nE 's/^(static [a-z].*[ *]|int )([a-z_]+)\(.*/\2/p' day04/server.c)
    [ "${#missing[@]}" -eq 0 ] || { echo "not named: ${missing[*]}"; return 1; }
}

@test "day 4's picture is that of a real connection" {
    awk -v language=mermaid -f "$HERE/blocks.awk" day04/README.md | tr '\0' '\f' |
        awk 'BEGIN { RS = "\f" } /^sequenceDiagram/ { printf "%s", $0 }' >"$BATS_TEST_TMPDIR/printed"
    "$HERE/sequence.bash" day04/server 3>&- >"$BATS_TEST_TMPDIR/drawn"
    diff -u "$BATS_TEST_TMPDIR/printed" "$BATS_TEST_TMPDIR/drawn"
}

@test "the budget: changed lines, and words of each lesson" {
    local day
    for day in 01 02 03 04; do
        printf '# day%s: %4d words' "$day" "$(wc -w <"day$day/README.md")"
        [ "$day" = 01 ] || printf ', %3d lines added and %3d removed' \
            "$(make -s diff DAY="$day" | grep -c '^+[^+]')" "$(make -s diff DAY="$day" | grep -c '^-[^-]')"
        echo
        [ "$(wc -w <"day$day/README.md")" -lt 2600 ] # 25 minutes
    done >&3
}

# check_exercise NAME FILE: with an environment of its own, or bats in it would take itself for this one
check_exercise() {
    env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" HOME="${HOME-/}" TMPDIR="$BATS_TEST_TMPDIR" \
        tests/exercises/check.sh "$@" 3>&-
}

# exercises DAY: each is in the day's lesson; where it starts its check fails, the solution passes it.
exercises() {
    local patch name n=0
    for patch in "$ROOT/tests/exercises/solutions/$1"-*.patch; do
        name=$(basename "$patch" .patch)
        echo "exercise $name"
        grep -q "tests/exercises/check.sh $name " "day$1/README.md"
        cp "day$1/server.c" "$BATS_TEST_TMPDIR/mine.c"
        if check_exercise "$name" "$BATS_TEST_TMPDIR/mine.c" >"$BATS_TEST_TMPDIR/start" 2>&1; then
            echo "its check does not fail at the start"
            return 1
        fi
        grep -q '^not ok' "$BATS_TEST_TMPDIR/start" || { cat "$BATS_TEST_TMPDIR/start"; return 1; }
        patch -s "$BATS_TEST_TMPDIR/mine.c" "$patch"
        check_exercise "$name" "$BATS_TEST_TMPDIR/mine.c"
        n=$((n + 1))
    done
    [ "$n" -ge 2 ]
    [ "$n" -eq "$(find tests/exercises -name "$1-*.bats" | wc -l)" ]
    [ "$n" -eq "$(grep -c 'tests/exercises/check.sh [0-9]' "day$1/README.md")" ]
}

@test "day 1's exercises: the start fails, the solution passes" { exercises 01; }
@test "day 2's exercises: the start fails, the solution passes" { exercises 02; }
@test "day 3's exercises: the start fails, the solution passes" { exercises 03; }
@test "day 4's exercises: the start fails, the solution passes" { exercises 04; }

# The test of the tests: what is changed is found.

# changed LESSON SED-SCRIPT: a changed copy of it, in $PAGE
changed() {
    PAGE=$BATS_TEST_TMPDIR/page.md
    sed -E "$2" "$1" >"$PAGE"
    run ! cmp -s "$1" "$PAGE"
}

# finds WHAT DAY TEXT: that check fails, and says that text
finds() {
    run -1 check "$1" "$PAGE" "$2"
    [[ $output == *"$3"* ]]
}

@test "a word that is changed in a listing or a diff is found, wherever it is" {
    local page day kind line
    for page in "${LESSONS[@]}"; do
        day=${page%/*}
        for kind in c diff; do
            # for each block the last line with a word in it
            while read -r line; do
                changed "$page" "${line}s/[A-Za-z_]+/changed/"
                finds "$([ "$kind" = c ] && echo listings || echo diffs)" "$day" changed
            done < <(awk -v fence="\`\`\`$kind" '$0 == fence { on = 1; next }
                         /^```/ && on { print line; on = 0 } on && /[a-z]/ { line = NR }' "$page")
        done
    done
}

@test "a word that is changed in a session, a line too many and one too few are found" {
    export TRIES=1
    changed day01/README.md '0,/^ack$/s//ach/'
    finds sessions day01 'printed in the text: ach'
    changed day01/README.md '0,/^ack$/s//ack\nack/'
    finds sessions day01 'printed in the text: ack'
    changed day01/README.md '0,/^ack$/{/^ack$/d}'
    finds sessions day01 'not in the text: ack'
    changed day02/README.md '/^\$/,/^```/s/^sqe RECV\/5         fd 5/sqe RECV\/5         fd 6/'
    finds sessions day02 'there is: sqe RECV/5         fd 5'
}

@test "a wrong link, name, make target, test and man page are found" {
    changed day02/README.md 's,\]\(probe\.c\),](prob.c),'
    finds links day02 prob.c
    changed day02/README.md 's/`serve_client`/`serve_clients`/'
    finds names day02 serve_clients
    changed README.md 's/`make help`/`make helpp`/'
    finds names . helpp
    changed README.md 's,`bats tests/day03.bats`,`bats tests/day05.bats`,'
    finds names . day05
    changed day01/README.md 's/accept\(2\)/acept(2)/'
    if man -w man >/dev/null 2>&1; then finds pages day01 'acept(2)'; fi
}

@test "a session is run also where it cannot have a network of its own" {
    NO_NAMESPACE=1 check sessions day01/README.md
}
