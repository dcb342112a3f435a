#!/usr/bin/env bats
# The fuzzer: day 4's server and its echo hold, on small rings too, and one that lacks a fix does not.

load ../../helpers

FUZZ=$BATS_TEST_DIRNAME/fuzz.sh

# All copies are built at the beginning: of the server as it is, and of each that lacks something.
setup_file() {
    export COPIES=$BATS_FILE_TMPDIR ROOT
    export -f build
    make -s -C "$ROOT" tests/upkeep/fuzz/fuzz 3>&-
    # shellcheck disable=SC2016 # for the shells that xargs starts
    printf '%s\n' sanitized small no-inline any-result 07 11 14 20 21 22 small-echo 53 56 |
        xargs -P 2 -I{} bash -c 'build {} >"$COPIES/{}.said" 2>&1' 3>&-
}

build() { # NAME: the program is $COPIES/NAME/server
    set -e
    local copy=$COPIES/$1 sanitizers=() program=day04/server flags=-DSQ_ENTRIES=4
    if [[ $1 == [0-9]* ]]; then
        "$ROOT/tests/bugs/bug.sh" "$1" "$copy"
    else
        mkdir "$copy"
        cp -R "$ROOT/Makefile" "$ROOT/common" "$ROOT/day04" "$copy"
    fi
    case $1 in
    sanitized) sanitizers=(CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all') ;;
    no-inline) sed -i '/SO_OOBINLINE/d' "$copy/common/listen.c" ;;
    any-result) sed -i 's/res == sizeof s->signal;/res != 0;/' "$copy/day04/server.c" ;;
    small-echo | 5?) program=day04/echo flags+=' -DBUFFERS=8' ;;
    esac
    make -s -C "$copy" CPPFLAGS="$flags" "${sanitizers[@]}" $program
    mv "$copy/$program" "$copy/server"
}

# holds NAME CONNECTIONS
holds() { "$FUZZ" "${SEED:-1}" "$2" "$COPIES/$1/server"; }

# finds NAME REGEX: a server like that does not get through, and this is said.
finds() {
    cat "$COPIES/$1.said"
    cmp -s "$COPIES/$1/server" "$COPIES/${ECHO:-small}/server" && { echo "the server is as it was"; return 1; }
    LIMIT=5 run -1 "$FUZZ" "${SEED:-1}" 3000 "$COPIES/$1/server"
    echo "$output"
    [[ $output =~ $2 ]]
}

@test "the server holds" { "$FUZZ" "${SEED:-1}" "${CONNECTIONS:-900}"; }
@test "the server holds with rings of 4 and 8 entries" { holds small 900; }
@test "the server holds with such rings, on a sanitizer build" { holds sanitized 600; }

@test "the echo holds" { ECHO=1 "$FUZZ" "${SEED:-1}" "${CONNECTIONS:-900}"; }
@test "the echo holds with rings of 4 and 8 entries, and 8 buffers" { ECHO=small-echo holds small-echo 900; }

@test "finds that urgent bytes are not answered" { finds no-inline 'no answer.*oob='; }
@test "finds that any completion of its read counts as a signal" { finds any-result 'the server has ended, with status 0$'; }
@test "finds bug 07: any negative result ends the server" { finds 07 'the server has ended, with status'; }
@test "finds bug 11: an accept that has ended is taken for one that goes on" { finds 11 'not done in time'; }
@test "finds bug 14: an empty client is answered" { finds 14 'an answer to nothing'; }
@test "finds bug 20: a client is closed although its request is unread" { finds 20 'reset by peer|Broken pipe'; }
@test "finds bug 21: a client may be silent for ever" { finds 21 'end: not done in time'; }
@test "finds bug 22: no spare slots" { finds 22 'no answer|reset by peer'; }
@test "finds bug 53: a buffer is given back before its send is over" { ECHO=small-echo finds 53 'wrong bytes'; }
@test "finds bug 56: bytes hide the end of the receive" { ECHO=small-echo finds 56 'not done in time'; }
