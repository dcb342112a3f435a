#!/usr/bin/env bats
# Exercise 02-2: a receive with a time limit, by IORING_OP_LINK_TIMEOUT
# Read: day02/README.md, steps 3 and 5, and the exercise; io_uring_enter(2), IORING_OP_LINK_TIMEOUT
#
# Not seen here: whoever takes the first completion for the receive's. When the receive succeeds it does come
# first, on the kernels that were tried; and when it does not, both have failed.

load exercise
DAY=day02

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "a client behind three silent ones is answered" {
    outlasts_silent_clients
}

@test "a client behind three that do not close after their answer is answered" {
    start_clients -n 3 send=5,ack,eof,stdin
    await_waiting 1 0 # all three have been answered
    clients -t 15 send=5,ack,eof
    resume_clients 0
    await_clients
}

@test "the timeout is linked to the receive" {
    clients send=5,ack,eof
    counts '^sqe RECV/.* IO_LINK' -ge 1 "receives with IO_LINK"
    counts '^sqe OP15' -ge 1 "OP15, which is IORING_OP_LINK_TIMEOUT"
}

@test "all others are served as before" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
}
