#!/usr/bin/env bats
# Exercise 03-1: the listening socket in the ring's table, too

load ../helpers
load ../protocol
DAY=day03

setup() { start_server "$DAY"; }
teardown() { stop_server 143; }

@test "the process has no socket among its descriptors" {
    clients send=5,ack,eof
    run ! grep -q socket: <(readlink /proc/"$SERVER_PID"/fd/*)
}

@test "and serves as before" {
    answers_every_size
    answers_60_in_a_row
    answers_200_at_once
    survives_resets
}
