#!/usr/bin/env bats
# Exercise 03-1: the listening socket in the ring's table, too
# Read: day03/README.md, step 2

load exercise
DAY=day03

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "the process has no socket among its descriptors" {
    clients send=5,ack,eof
    local sockets
    sockets=$(descriptors_of "$SERVER_PID" | grep -c socket: || true)
    [ "$sockets" -eq 0 ] || { echo "sockets among the descriptors: $sockets, expected 0"; return 1; }
}

@test "the table has a slot more, for the listening socket" {
    local size
    size=$(sed -n 's/^UserFiles:[[:space:]]*//p' /proc/"$SERVER_PID"/fdinfo/*)
    [ "$size" -ge 1058 ] || { echo "slots in the table: $size, expected 1058: the 1057 that clients need, and one"; return 1; }
}

@test "and serves as before" {
    answers_every_size
    answers_60_in_a_row
    answers_200_at_once
    survives_resets
}
