#!/usr/bin/env bats
# Exercise 01-2: a silent client keeps the others waiting for a second, not for ever

load ../helpers
load ../protocol
DAY=day01

setup() { start_server "$DAY"; }
teardown() { stop_server 143; }

@test "a client behind three silent ones is answered" {
    start_clients -n 3 gone
    start_clients -t 15 send=5,ack,eof
    await_clients
}

@test "a client that was answered and does not close is not waited for" {
    start_clients -n 2 send=5,ack,eof,stdin
    await_waiting 1 0
    clients -t 15 send=5,ack,eof
    resume_clients 0
    await_clients
}

@test "all others are served as before" {
    answers_every_size
    answers_60_in_a_row
}
