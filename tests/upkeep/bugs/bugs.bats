#!/usr/bin/env bats
# Each bug of NOTES.md, put back, is caught as its patch says: check.sh does it. One alone:
# tests/upkeep/bugs/check.sh 05

bats_require_minimum_version 1.8.0

NOTES=$BATS_TEST_DIRNAME/../../../NOTES.md
BUGS=$BATS_TEST_DIRNAME/../../bugs

# They wait more than they compute, for what a broken server does not do: several at a time.
setup_file() {
    export CHECKED=$BATS_FILE_TMPDIR
    cd "$BUGS" || return
    # shellcheck disable=SC2016 # for the shells that xargs starts
    printf '%s\n' [0-9]*.patch | cut -d- -f1 | xargs -P 4 -I{} \
        bash -c '../upkeep/bugs/check.sh {} >"$CHECKED/{}" 2>&1; echo "status $?" >>"$CHECKED/{}"' 3>&-
}

caught() { # the test's name begins with the bug's number
    local checked=$CHECKED/${BATS_TEST_DESCRIPTION%% *}
    cat "$checked"
    [ "$(tail -n 1 "$checked")" = 'status 0' ]
}

# section NN: that of NOTES.md
section() { sed -n "/^#### $1 /,/^##/p" "$NOTES"; }

@test "each bug of NOTES.md has a patch, or says why not, and each patch has its section" {
    local n patch
    for n in $(grep -oE '^#### [0-9]{2} ' "$NOTES" | tr -d '# '); do
        [ -e "$(echo "$BUGS/$n"-*.patch)" ] || section "$n" | grep -q '^No patch' ||
            { echo "bug $n: no patch"; return 1; }
    done
    for patch in "$BUGS"/*.patch; do
        n=${patch##*/}
        section "${n%%-*}" | grep -qF "${patch##*/}" || { echo "NOTES.md does not name ${patch##*/}"; return 1; }
        grep -q "^@test \"${n%%-*} " "$BATS_TEST_FILENAME" || { echo "no test here for ${patch##*/}"; return 1; }
    done
}

@test "each section of NOTES.md names the test that its patch names" {
    local n patch test
    for patch in "$BUGS"/*.patch; do
        n=${patch##*/}
        test=$(sed -n '/^--- /q; s/^Fails: //p; s/^Passes: //p' "$patch")
        [ -n "$test" ] || continue
        grep -qF "@test \"${test#*: }\"" "$BATS_TEST_DIRNAME/../../../${test%%: *}" || { echo "no test $test"; return 1; }
        section "${n%%-*}" | tr '\n' ' ' | grep -qF "\`${test%%: *}\`, \"${test#*: }\"" ||
            { echo "NOTES.md, bug ${n%%-*}, does not name: $test"; return 1; }
    done
}

@test "make bug N=.. prints what it changed, with three lines around" {
    TMPDIR=$BATS_TEST_TMPDIR run -0 "$BUGS/bug.sh" 35
    [[ $output == *"Go there first:"*"    cd /"*"Bug 35: "*"Try:"*"--- a/day02/probe.c"*"-    return opcode < "*"+    return operations[opcode];"* ]]
    # the hunk of one line that is another
    [[ $output == *"@@ -"[0-9]*",7 +"[0-9]*",7 @@"* ]]
}

@test "01 one operation is handled twice, another one never" { caught; }
@test "02 a variable has another name where it is used" { caught; }
@test "03 a declaration straight after a case label" { caught; }
@test "04 a case jumps past the initialisation of a variable that it uses" { caught; }
@test "05 close() is given a slot, as if it were a descriptor" { caught; }
@test "06 8 slots, none of them ever freed, and the ninth client ends the server without a word" { caught; }
@test "07 any negative result ends the server" { caught; }
@test "08 perror(strerror(-ret)): liburing does not set errno" { caught; }
@test "09 an interrupted wait ends the server" { caught; }
@test "10 user_data points to a variable of a function that has returned" { caught; }
@test "11 a multishot accept that ended with a client is taken for one that goes on" { caught; }
@test "12 io_uring_get_sqe() is expected to succeed always" { caught; }
@test "13 one completion for each call into the kernel" { caught; }
@test "14 the end of the request is answered as if it were a request" { caught; }
@test "15 a NUL is put behind what was received, also behind a full buffer" { caught; }
@test "16 memory is allocated and freed for each operation, and malloc() is not checked" { caught; }
@test "17 the answer's fourth byte is the string's NUL" { caught; }
@test "18 a part of the answer is taken for the whole" { caught; }
@test "19 the answer is written, not sent, and nobody ignores SIGPIPE" { caught; }
@test "20 a client is closed although a part of its request is still unread" { caught; }
@test "21 a client may be silent for ever" { caught; }
@test "22 the table has as many slots as there may be clients, and no more" { caught; }
@test "23 the server exits with its accept armed" { caught; }
@test "24 sq_thread_idle is set, and IORING_SETUP_SQPOLL is not" { caught; }
@test "25 an operation is submitted without its user_data" { caught; }
@test "27 the server listens on every address of the machine" { caught; }
@test "28 what the submission returned is ignored" { caught; }
@test "29 bool, true and false without <stdbool.h>" { caught; }
@test "30 a backlog of 5" { caught; }
@test "31 what a client sent is printed, as a string" { caught; }
@test "32 the ready line stays in the buffer of stdio" { caught; }
@test "33 output that nobody takes stops the loop" { caught; }
@test "34 a function without a parameter list" { caught; }
@test "35 a kernel that knows more operations than the program is not expected" { caught; }
@test "36 a signal ends the server in the middle of its answers" { caught; }
@test "38 whatever completes the read of the signals is taken for a signal" { caught; }
@test "39 urgent bytes stay out of the stream, and -EINTR from a receive is taken for an error" { caught; }
@test "40 a terminal that has some room is expected to have room for a line" { caught; }
@test "41 nobody asks whether a worker thread can be made" { caught; }
@test "42 no spare slots for the completions that Linux 6.2 to 6.9 hold back" { caught; }
@test "43 sizes of the queues that are no powers of two" { caught; }
@test "44 a second signal counts at once" { caught; }
@test "45 a file that may not grow any more" { caught; }
@test "46 a client whose time is up is closed with bytes unread that had arrived" { caught; }
@test "47 after SIGTERM nobody is accepted any more" { caught; }
@test "48 the end of the grace waits for the next tick" { caught; }
@test "49 the backlog is the C library's SOMAXCONN, which is 128 in musl" { caught; }
@test "50 nobody looks whether the shutdown that ends the accept succeeded" { caught; }
@test "52 two sends of one client are in flight" { caught; }
@test "53 buffers are given back when their send is armed" { caught; }
@test "54 a client that finds no buffer waits for one, and is never told" { caught; }
@test "55 a client that does not read is read all the same" { caught; }
@test "56 a completion that brings bytes is not taken for the last one of its receive" { caught; }
