#!/usr/bin/env bats
# Exercise 02-1: send and shutdown, linked and submitted together
# Read: day02/README.md, steps 3 and 6, and the exercise; io_uring_enter(2), IOSQE_IO_LINK

load exercise
DAY=day02

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "both go with one call, and the send is linked" {
    clients -n 20 -c 1 send=5,ack,eof
    eventually 10 has_lines 20 '^cqe CLOSE' "$ERR" # the last client has gone before the server knows
    counts '^sqe SEND/.* IO_LINK' -eq 20 "20 clients; sends with IO_LINK"
    counts '^     submitted 2,' -eq 20 "20 clients; calls that submit two"
}

@test "the server still answers everybody" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
}

@test "a client that sends nothing gets no answer" { clients half,eof; }
