#!/usr/bin/env bats
# The client of the tests: what it must not take for right. The wrong servers are the grader's.

load ../../helpers

teardown() { [ -z "${SERVER_PID-}" ] || { kill -KILL "$SERVER_PID"; wait "$SERVER_PID" || true; }; }

# against FAULT [SOURCE]: from now on the server is that one.
against() {
    SERVER=$BATS_TEST_TMPDIR/$1
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -pthread -DFAULT="$1" -o "$SERVER" "$ROOT/tests/upkeep/grade/${2-wrong.c}"
    start_server "$1"
}

# fails REGEX [OPTION...] SCRIPT: the client says so and exits 1.
fails() {
    run -1 clients "${@:2}"
    [[ $output =~ $1 ]] || { echo "${*:2}: no '$1' in: $output"; return 1; }
}

@test "where nobody listens every script fails" {
    start_server day01
    stop_server 143 # its port is free now
    for first in send=5 drip=5 oob=5 half flood reset ack eof gone closed all stdin; do
        fails '^0 ok, 3 failed: connect: Connection refused' -n 3 "$first" </dev/null
    done
}

@test "a server that does not read on is seen, however late it resets" {
    against DEAF
    fails 'closed: Connection reset by peer .*sent 1000005 bytes.*no reset' send=5,ack,eof,send=1000000,half
    fails 'closed: Connection reset by peer' send=1000000,half,ack,eof
}

@test "a server that does not read on and resets at once is seen" {
    against RESETS_LARGE
    fails 'Connection reset by peer|Broken pipe' send=1000000,half,ack,eof
    clients send=5,ack,eof,gone send=5,ack,flood # these want it
}

@test "wrong answers are told apart" {
    against NUL
    fails 'eof: more bytes than the answer .*"ack\\n\\x00"; expected "ack\\n", then the end' send=5,ack,eof
    against THREE_BYTES
    fails 'ack: end of file .*came back "ack", then end of file' send=5,ack,eof
    against ANSWERS_EMPTY
    fails 'eof: more bytes .*sent no byte, then the end; came back "ack' half,eof
    against NEVER_CLOSES
    fails 'not finished in time: eof .*nothing more in 1 s' -t 1 send=5,ack,eof
}

@test "what does not come back as it was sent is seen, and where" {
    against LOSES_BYTE wrong-echo.c
    fails 'echo: wrong bytes .*sent 3[0-9]* .*; came back [1-9][0-9]* bytes .*, then ".* in place of ".*; expected what was sent, in its order' \
        echo=5,echo=300000,half,eof
    against ACK wrong-echo.c
    fails 'slow: wrong bytes .*came back no byte, then "a' slow=9,half,eof
    fails 'back: wrong bytes' send=9,back,half,eof
}

@test "oob sends urgent bytes" {
    against NEVER_CLOSES # takes them as most programs do: not
    fails 'not finished in time: ack .*sent 2 bytes' -t 1 oob=2,ack
    clients drip=2,ack
}
