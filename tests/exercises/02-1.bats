#!/usr/bin/env bats
# Exercise 02-1: send and shutdown, linked and submitted together

load ../helpers
load ../protocol
DAY=day02

setup() { start_server "$DAY" --trace; }
teardown() { [ -z "${SERVER_PID-}" ] || stop_server_with_trace; }

@test "both go with one call, and the send is linked" {
    clients -n 20 -c 1 send=5,ack,eof
    stop_server_with_trace
    [ "$(grep -cE '^sqe SEND/.* IO_LINK' "$TRACE")" -eq 20 ]
    [ "$(grep -c '^enter: submitted 2$' "$TRACE")" -eq 20 ]
}

@test "the server still answers everybody" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
}

@test "a client that sends nothing gets no answer" { clients half,eof; }
