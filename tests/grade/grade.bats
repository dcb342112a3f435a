#!/usr/bin/env bats
# The grader: full marks to right servers, less to each wrong one, and an end with all of them.

bats_require_minimum_version 1.8.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# All grades are given at the beginning, two at a time; the tests look at what was said.
#
# grades: a line for each: its name, the day, how long it may take, the checks to try, the program.
grades() {
    echo "own 04 200 . $ROOT/day04/server"
    echo "own-day01 01 200 . $ROOT/day01/server"
    for right in epoll threads; do
        compile "$right" "$right"
        echo "$right 04 200 . $PROGRAMS/$right"
    done

    wrong NUL 'four bytes'
    wrong THREE_BYTES 'four bytes'
    wrong NEVER_CLOSES 'four bytes'
    wrong EXITS '3000 clients'
    wrong DIES_AT_RESET 'clients that reset'
    wrong ANSWERS_EMPTY 'without a byte'
    wrong RESETS_LARGE '3 MB'
    wrong BLOCKED 'say nothing'
    wrong LEAKS 'no descriptor'
    wrong SPINS 'without clients'
    wrong STATUS 'SIGTERM'
    wrong ONE_SIZE '1 to 100,000'
    compile wrong ANY_SIZE -DFAULT=ONE_SIZE -DSIZE=$((RANDOM % 4100 + 1))
    echo "ANY_SIZE 04 100 every.size $PROGRAMS/ANY_SIZE"

    echo "slow 04 50 . $PROGRAMS/NEVER_CLOSES"
    program hangs <<<'trap "" TERM INT HUP; setsid sleep 1000 & while :; do :; done'
    program floods <<<'trap "" TERM PIPE; yes >&2 & yes | tr -d "\n" & yes'
    program ends <<<'echo "no such luck" >&2; exit 1'
    program forks <<<'for i in 1 2 3; do (trap "" TERM; setsid sleep 1000 &) done; echo listening on 127.0.0.1:1; sleep 1000'
}

compile() { # SOURCE NAME OPTION...
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -pthread "${@:3}" -o "$PROGRAMS/$2" "$ROOT/tests/grade/$1.c"
}

wrong() { # FAULT CHECK
    compile wrong "$1" -DFAULT="$1"
    echo "$1 04 100 says.where|${2// /.} $PROGRAMS/$1"
}

program() { # NAME
    { echo '#!/bin/bash'; cat; } >"$PROGRAMS/$1"
    chmod +x "$PROGRAMS/$1"
    echo "$1 04 50 . $PROGRAMS/$1"
}

grade() { # NAME DAY TIME CHECKS SERVER
    local status=0
    SECONDS=0
    # without what bats has put into the environment: grade.sh starts another one
    env -i PATH="$PATH_OUTSIDE" HOME="$HOME" MARK="$PROGRAMS" TIME="$3" ONLY="$4" \
        make -s -C "$ROOT" grade DAY="$2" SERVER="$5" >"$PROGRAMS/$1.said" 2>&1 || status=$?
    echo "status $status after $SECONDS s" >>"$PROGRAMS/$1.said"
}

setup_file() {
    export PROGRAMS=$BATS_FILE_TMPDIR ROOT
    export -f grade
    PATH_OUTSIDE=$(tr : '\n' <<<"$PATH" | grep -v '/libexec/bats-core$' | paste -sd :)
    export PATH_OUTSIDE
    make -s -C "$ROOT" tests/client tests/grade/guard 3>&-
    grades >"$PROGRAMS/grades"
    xargs -P 2 -L 1 bash -c 'grade "$@"' grade <"$PROGRAMS/grades" 3>&-
}

setup() { SAID=$PROGRAMS/${BATS_TEST_DESCRIPTION##*: }.said; }

teardown() { [ -n "$BATS_TEST_COMPLETED" ] || cat "$SAID"; }

full_marks() {
    grep -qE '^([0-9]+) of \1$' "$SAID"
    grep -q '^status 0 ' "$SAID"
    [ "$(grep -c '^  FAIL ' "$SAID")" -eq 0 ]
}

# fails CHECK: less than full marks for this check, with the reason, though another one was passed.
fails() {
    grep -q '^status 2 ' "$SAID" # of make
    grep -q '^  ok    it says where it listens' "$SAID"
    grep -A 6 "^  FAIL  $1" "$SAID" >"$BATS_TEST_TMPDIR/why"
    for word in sent 'came back' expected read; do
        grep -qE "^        $word +[^ ]" "$BATS_TEST_TMPDIR/why"
    done
    [ -z "${2-}" ] || grep -qE "$2" "$BATS_TEST_TMPDIR/why"
}

# in_time: less than full marks within a minute.
in_time() {
    grep -qE '^[0-9] of [0-9]+$' "$SAID"
    [ "$(sed -n 's/^status 2 after \([0-9]*\) s$/\1/p' "$SAID")" -lt 60 ]
}

@test "full marks: own" { full_marks; }
@test "full marks on day 1: own-day01" { full_marks; }
@test "full marks: epoll" { full_marks; }
@test "full marks: threads" { full_marks; }

@test "answers a NUL: NUL" { fails 'a request is answered with four bytes' 'came back .*"ack\\n\\x00"'; }
@test "answers three bytes: THREE_BYTES" { fails 'a request is answered with four bytes' 'came back .*"ack", then end of file'; }
@test "never closes: NEVER_CLOSES" { fails 'a request is answered with four bytes' 'came back .*"ack\\n", then nothing more'; }
@test "exits after 1000 clients: EXITS" { fails '3000 clients are answered'; }
@test "dies at a reset: DIES_AT_RESET" { fails 'clients that reset the connection' 'NOTES.md, bug 7'; }
@test "answers an empty client: ANSWERS_EMPTY" { fails 'a client that closes without a byte' 'came back .*"ack\\n"'; }
@test "resets on a large request: RESETS_LARGE" { fails 'requests of up to 3 MB' 'NOTES.md, bug 20'; }
@test "is blocked by a silent client: BLOCKED" { fails '200 clients that say nothing' 'NOTES.md, bug 21'; }
@test "leaks descriptors: LEAKS" { fails 'no descriptor and no slot' 'came back .*open descriptors'; }
@test "spins at idle: SPINS" { fails 'without clients it uses no CPU time' 'came back .*ms of CPU time'; }
@test "exits non-zero on SIGTERM: STATUS" { fails 'SIGTERM ends it with status 0' 'came back .*status 3'; }
@test "answers wrongly to 1024 bytes only: ONE_SIZE" { fails 'requests of 1 to 100,000 bytes' 'sent .*1024 bytes'; }
@test "answers wrongly to one size only, any to 4100: ANY_SIZE" {
    grep -q '^  FAIL  requests of every size from 1 to 4100 bytes are answered' "$SAID"
    grep -q '"ack?"' "$SAID"
}

@test "every check takes all its time: slow" { in_time; }
@test "hangs before the ready line, with SIGTERM ignored: hangs" { in_time; }
@test "floods stdout and stderr: floods" { in_time; }
@test "ends at once: ends" {
    in_time
    grep -q 'stderr .*no such luck' "$SAID"
}
@test "starts others and leaves them: forks" { in_time; }

@test "no process is left" {
    SAID=$BATS_TEST_TMPDIR/left
    [ "$(grep -lsz "^MARK=$PROGRAMS$" /proc/[0-9]*/environ | tee "$SAID" | wc -l)" -eq 0 ]
}

@test "wrong usage is said" {
    SAID=$BATS_TEST_TMPDIR/usage
    touch "$SAID"
    for arguments in '' '04' '05 /bin/true' '04 /no/such/file' "04 $ROOT/Makefile" '04 /'; do
        # shellcheck disable=SC2086 # words
        run -2 "$ROOT/tests/grade/grade.sh" $arguments
        [[ $output == *"usage: make grade"* ]]
    done
}
