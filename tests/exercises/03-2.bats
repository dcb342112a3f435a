#!/usr/bin/env bats
# Exercise 03-2: no spare slots: one accept for one client

load ../helpers
load ../protocol
DAY=day03

setup() { start_server "$DAY" --trace; }
teardown() { [ -z "${SERVER_PID-}" ] || stop_server_with_trace; }

@test "the table has no more slots than there may be clients" {
    grep -qE '^UserFiles:[[:space:]]*64$' /proc/"$SERVER_PID"/fdinfo/*
}

@test "each accept is for one client, and goes into a free slot" {
    clients -n 20 send=5,ack,eof
    stop_server_with_trace
    [ "$(grep -cE '^sqe ACCEPT/.*into a free slot' "$TRACE")" -ge 20 ]
    run ! grep -qE 'MULTISHOT|F_MORE' "$TRACE"
}

@test "no client is lost when hundreds come at once" {
    clients -n 500 send=5,ack,eof
    survives_resets
}
