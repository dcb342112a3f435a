#!/usr/bin/env bats
# Exercise 03-3: a silent client is not waited for: a timeout, and a cancel
# Read: day03/README.md, steps 3 and 5; io_uring_prep_timeout(3), io_uring_prep_cancel(3)

load exercise
DAY=day03

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "a client behind a silent one is answered" {
    start_clients gone
    start_clients -t 15 send=5,ack,eof
    await_clients
    counts '^sqe CANCEL/[0-9]* *RECV/' -ge 1 "receives that are cancelled"
}

@test "one that was answered and does not close is not waited for" {
    start_clients send=5,ack,eof,stdin
    await_waiting 1 0
    clients -t 15 send=5,ack,eof
    resume_clients 0
    await_clients
}

@test "all others are served as before" {
    answers_every_size
    answers_60_in_a_row
    answers_200_at_once
    survives_resets
}
