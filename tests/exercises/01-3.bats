#!/usr/bin/env bats
# Exercise 01-3: a process for each client
# Read: day01/README.md, "The server"; fork(2); wait(2), on SIGCHLD

load exercise
DAY=day01

setup() { start_server "$DAY"; }
teardown() { end_server 143; }

children() { ps -o pid= --ppid "$SERVER_PID" | wc -l; } # those that have ended too, if nobody asked how
no_children() { [ "$(children)" -eq 0 ]; }

@test "a client is answered while others are silent" {
    start_clients -n 20 stdin,send=5,ack,eof
    await_waiting 1 0
    clients -t 10 send=5,ack,eof
    resume_clients 0
    await_clients
}

@test "no process and no descriptor is left over" {
    clients -n 60 -c 10 send=5,ack,eof
    eventually 10 no_children || { echo "children: $(children), expected 0"; return 1; }
    local open
    open=$(descriptors_of "$SERVER_PID" | grep -c socket: || true)
    [ "$open" -eq 1 ] || { echo "sockets among the descriptors of the parent: $open, expected 1"; return 1; }
}

@test "all others are served as before" {
    answers_every_size
    survives_resets
    answers_60_in_a_row
}
