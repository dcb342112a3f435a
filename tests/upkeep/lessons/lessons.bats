#!/usr/bin/env bats
# What the lessons print is what the code says and does. Everything runs in a copy.
#
# shellcheck disable=SC2016,SC2030,SC2031 # backticks are meant; each test has its own $output

bats_require_minimum_version 1.8.0

HERE=$BATS_TEST_DIRNAME
ROOT=$(cd "$HERE" && while [ ! -e common ]; do cd ..; done && pwd)

setup_file() {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_FILE_TMPDIR/copy" all 3>&-
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
@test "every link leads somewhere, to a section too" { every links README.md NOTES.md "${LESSONS[@]}"; }
@test "every name in backticks exists" { every names README.md NOTES.md "${LESSONS[@]}"; }
@test "every indented command exists" { every commands README.md NOTES.md "${LESSONS[@]}"; }
@test "every man page exists" { every pages README.md NOTES.md "${LESSONS[@]}"; }

# What was measured, or printed by other programs, has no source. figures.txt is its second place.
@test "every figure is the one in figures.txt" {
    awk -f "$HERE/figures.awk" README.md NOTES.md "${LESSONS[@]}" | diff "$HERE/figures.txt" - || {
        echo 'Is it so by a new measurement? Then write them anew, and look at git diff:'
        echo 'awk -f tests/upkeep/lessons/figures.awk README.md NOTES.md day0?/README.md >tests/upkeep/lessons/figures.txt'
        return 1
    }
}

@test "day 4's diagram has the ways that clients go, and no other" {
    local port line server
    exec {out}< <(exec timeout 60 ./day04/server --port 0 --trace --idle-timeout 1 2>"$BATS_TEST_TMPDIR/trace" 3>&-)
    server=$!
    read -r -t 20 line <&"$out"
    port=${line##*:}
    tests/client -n 20 "$port" send=5,ack,eof
    tests/client -n 20 "$port" half,eof
    tests/client -n 20 "$port" send=100000,ack,eof
    tests/client -n 100 "$port" all,send=5,reset
    kill "$server"
    wait "$server"
    awk -f "$HERE/edges.awk" "$BATS_TEST_TMPDIR/trace" | sort -u >"$BATS_TEST_TMPDIR/gone"
    awk -f "$HERE/edges.awk" day04/README.md | sort -u | diff - "$BATS_TEST_TMPDIR/gone"
    # and one that is wrong is seen
    awk -f "$HERE/edges.awk" <(sed 's/LEAVING --> FREE/LEAVING --> READING/' day04/README.md) | sort -u |
        { ! cmp -s - "$BATS_TEST_TMPDIR/gone"; }
}

@test "day 1: every session prints what it says" { check sessions day01/README.md; }
@test "day 2: every session prints what it says" { check sessions day02/README.md; }
@test "day 3: every session prints what it says" { check sessions day03/README.md; }
@test "day 4: every session prints what it says" { check sessions day04/README.md; }

@test "no word of the glossary is used before it is told" {
    awk -f "$HERE/words.awk" day02/README.md "${LESSONS[@]}"
}

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

@test "the budget: words of each page, its reading time, and changed lines" {
    local page words day limit
    for page in README.md "${LESSONS[@]}"; do
        words=$(wc -w <"$page")
        printf '# %-16s %4d words, %2d minutes' "$page" "$words" $(((words + 199) / 200)) # 200 words a minute
        day=${page//[!0-9]/}
        case $day in
        '') limit=1600 ;;
        01) limit=1300 ;;
        02 | 03) limit=2900 ;;
        04) limit=6000 ;;
        esac
        if [ "${day:-01}" != 01 ]; then
            printf ', %3d lines added and %3d removed' "$(make -s diff DAY="$day" | grep -c '^+[^+]')" \
                "$(make -s diff DAY="$day" | grep -c '^-[^-]')"
        fi
        echo
        [ "$words" -le "$limit" ]
    done >&3
}

# check_exercise NAME FILE: with an environment of its own, or bats in it would take itself for this one
check_exercise() {
    env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" HOME="${HOME-/}" TMPDIR="$BATS_TEST_TMPDIR" \
        tests/exercises/check.sh "$@" 3>&-
}

# exercise NAME FOLDER: it is in the day's lesson; where it starts its check fails, the solution passes it.
exercise() {
    local day=day${1%-*} mine=$2/mine.c patch=tests/exercises/solutions/$1.patch
    mkdir "$2"
    grep -q "tests/exercises/check.sh $1 " "$day/README.md"
    cp "$day/server.c" "$mine"
    if check_exercise "$1" "$mine" >"$2/start" 2>&1; then
        echo "its check does not fail at the start"
        return 1
    fi
    grep -q '^not ok' "$2/start" || { cat "$2/start"; return 1; }
    grep -q "^Where it is told: $day/README.md, " "$2/start"
    [ "$day" = day01 ] || grep -q '^# The last lines of the trace:' "$2/start"
    patch -s -F 0 "$mine" "$patch"
    echo "/* mine */" >>"$mine"
    check_exercise "$1" "$mine" >"$2/end" 2>&1 || { cat "$2/end"; return 1; }
    grep -qF -- '-/* mine */' "$2/end"
    grep -q '^Why: ' "$2/end"
}

# exercises DAY: all of them, side by side: what they do most is wait.
exercises() {
    local name names=() n status=0
    for name in "tests/exercises/solutions/$1"-*.patch; do
        name=$(basename "$name" .patch)
        (set -eu; exercise "$name" "$BATS_TEST_TMPDIR/$name") >"$BATS_TEST_TMPDIR/$name.log" 2>&1 &
        names+=("$name:$!")
    done
    for n in "${names[@]}"; do
        wait "${n#*:}" || { echo "exercise ${n%:*}:"; cat "$BATS_TEST_TMPDIR/${n%:*}.log"; status=1; }
    done
    [ "$status" -eq 0 ]
    [ "${#names[@]}" -ge 3 ]
    [ "${#names[@]}" -eq "$(find tests/exercises -name "$1-*.bats" | wc -l)" ]
    [ "${#names[@]}" -eq "$(grep -c 'tests/exercises/check.sh [0-9]' "day$1/README.md")" ]
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
    finds sessions day02 'printed in the text: sqe RECV/5         fd 6'
    changed day02/README.md '/^\$/,/^```/s/back after ([0-9.]+) ms/back before \1 ms/'
    finds sessions day02 'printed in the text:      submitted 1, back before'
}

@test "a word that is used before it is told is found" {
    changed day01/README.md 's/^It is small enough/Its one slot is small enough/; s/Today.s server is/Today, by a ring, is/'
    run -1 awk -f "$HERE/words.awk" day02/README.md "$PAGE" day02/README.md day03/README.md day04/README.md
    [[ $output == *"ring is told in day02/README.md#two-queues and used before, in $PAGE"* ]]
    changed day02/README.md 's/^## Two queues/## Queues/'
    run -1 awk -f "$HERE/words.awk" "$PAGE" "${LESSONS[@]}"
    [[ $output == *"no such section: $BATS_TEST_TMPDIR/page.md#two-queues"* ]]
}

@test "a wrong link, name, make target, test and man page are found" {
    changed day02/README.md 's,\]\(probe\.c\),](prob.c),'
    finds links day02 prob.c
    changed day02/README.md 's/`serve_client`/`serve_clients`/'
    finds names day02 serve_clients
    changed README.md 's/`make help`/`make helpp`/'
    finds names . helpp
    changed README.md 's,mine bats tests/day04.bats`,mine bats tests/day05.bats`,'
    finds names . day05
    changed day01/README.md 's/accept\(2\)/acept(2)/'
    man -w man >/dev/null 2>&1 || return 0
    finds pages day01 'acept(2)'
    changed NOTES.md 's/came with liburing 2.14/are there/; s/newer liburing/better one/'
    finds pages . 'no such page before liburing 2.14, say so: io_uring_multishot(7)'
    changed day01/README.md 's/accept\(2\)/`io_uring_prep_link_timeout`/'
    finds pages day01 'show how it is called'
}

@test "wrong commands, variables, paths, sections and figures are found" {
    changed README.md 's/make deps day04 && /make dep day04 \&\& /'
    finds commands . 'make dep day04'
    changed README.md 's,&& \./day04/server  ,\&\& ./day05/server  ,'
    finds commands . day05
    changed README.md 's/`make bug N=05`/`make bug Q=05`/'
    finds names . 'make bug Q=05'
    changed README.md 's/`make bug N=05`/`make bug N=75`/'
    finds names . 'make bug N=75'
    changed README.md 's/check.sh 03-1 /check.sh 03-7 /'
    finds names . 03-7
    changed day02/README.md 's/make step DAY=02 N=1 /make step DAY=02 N=9 /'
    finds commands day02 N=9
    changed NOTES.md 's,`tests/day04.bats`,`tests/day40.bats`,'
    finds names . tests/day40.bats
    changed README.md 's/#j-a-full-completion-queue/#j-a-full-queue/'
    finds links . '#j-a-full-queue'
    changed NOTES.md 's/\[07\]\(#07/[08](#07/'
    finds links . '08 is not the name of #07'
    changed NOTES.md 's/^\| no-skip \| 0.99 /| no-skip | 0.89 /'
    run -1 diff <(awk -f "$HERE/figures.awk" NOTES.md | tail -n +2) <(awk -f "$HERE/figures.awk" "$PAGE" | tail -n +2)
    [[ $output == *0.89* ]]
}

@test "a command that never ends fails its session, and is ended" {
    printf '%s\n' '$ echo a' a '$ trap "" TERM' '$ sleep 98765' >"$BATS_TEST_TMPDIR/session"
    for NO_NAMESPACE in '' 1; do
        export NO_NAMESPACE
        LIMIT=2 run -1 "$HERE/session.bash" "$BATS_TEST_TMPDIR/session" 3>&-
        [[ $output == *"at: sleep 98765" ]]
        run -1 pgrep -f 'sleep 9876[5]'
    done
}

@test "a session is run also where it cannot have a network of its own" {
    NO_NAMESPACE=1 check sessions day01/README.md
}
