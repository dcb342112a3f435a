#!/usr/bin/env bats
# Exercise 02-3: the close of one client and the accept of the next with one call
# Read: day02/README.md, steps 2 and 3

load exercise
DAY=day02

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "both go with one call, without a link" {
    clients -n 20 -c 1 send=5,ack,eof
    eventually 10 has_lines 20 '^cqe CLOSE' "$ERR" # the last client has gone before the server knows
    counts '^     submitted 2,' -ge 19 "20 clients; calls that submit two"
    counts 'IO_LINK' -eq 0 "operations with a link"
}

@test "each client has five calls, where there were six" {
    clients -n 20 -c 1 send=5,ack,eof
    eventually 10 has_lines 20 '^cqe CLOSE' "$ERR"
    local before
    before=$(grep -n '^cqe CLOSE' "$ERR" | tail -n 1 | cut -d : -f 1)
    TRACE=$BATS_TEST_TMPDIR/trace
    head -n "$before" "$ERR" >"$TRACE"
    counts '^     submitted [1-9]' -le 102 "20 clients; calls that submit"
}

@test "the server still answers everybody, and closes at once" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
    leaves_nothing_open
}
