#!/usr/bin/env bats
# Exercise 02-2: a receive with a time limit, by IORING_OP_LINK_TIMEOUT

load ../helpers
load ../protocol
DAY=day02

setup() { start_server "$DAY" --trace; }
teardown() { [ -z "${SERVER_PID-}" ] || stop_server_with_trace; }

@test "a client behind three silent ones is answered" {
    start_clients -n 3 gone
    start_clients -t 15 send=5,ack,eof
    await_clients
}

@test "the timeout is linked to the receive" {
    clients send=5,ack,eof
    stop_server_with_trace
    grep -qE '^sqe RECV/.* IO_LINK' "$TRACE"
    grep -q '^sqe LINK_TIMEOUT/' "$TRACE"
}

@test "all others are served as before" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
}
