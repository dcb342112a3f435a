#!/usr/bin/env bats
# Exercise 04-2: a signal that asks: SIGUSR1
# Read: day04/README.md, step 14; signalfd(2)

load exercise
DAY=day04

setup() { start_server "$DAY" --trace; }
teardown() { end_server 0; }

# the server's next line on stdout
says() {
    local line
    read -r -t 10 line <&"$SERVER_OUT"
    [ "$line" = "$1" ] || { echo "it says \"$line\", expected \"$1\""; return 1; }
}

@test "SIGUSR1 makes it say how many clients it has" {
    kill -USR1 "$SERVER_PID"
    says "0 clients"
    start_clients -n 7 gone
    eventually 10 slots_used_are 7
    kill -USR1 "$SERVER_PID"
    says "7 clients"
    kill -USR1 "$SERVER_PID"
    says "7 clients"
    kill "$SERVER_PID"
    await_clients
}

@test "those that have left do not count" {
    start_clients -n 3 stdin
    start_clients -n 4 stdin
    eventually 10 slots_used_are 7
    kill -USR1 "$SERVER_PID"
    says "7 clients"
    resume_clients 0
    eventually 10 slots_used_are 4
    kill -USR1 "$SERVER_PID"
    says "4 clients"
    resume_clients 1
    await_clients
}

# Stops end the read with -EINTR, at last: see the same test of day 4.
@test "a read that a thousand stops have ended is no signal" {
    kill -USR1 "$SERVER_PID"
    says "0 clients"
    for _ in {1..1000}; do
        kill -STOP "$SERVER_PID"
        kill -CONT "$SERVER_PID"
    done
    start_clients gone
    eventually 10 slots_used_are 1
    kill -USR1 "$SERVER_PID"
    says "1 clients"
    kill "$SERVER_PID"
    await_clients
}

@test "no handler: the signal is one more of the descriptor's" {
    local caught
    caught=$(awk '/^SigCgt:/ { print $2 }' "/proc/$SERVER_PID/status")
    [ $((0x$caught >> ($(kill -l USR1) - 1) & 1)) -eq 0 ] || { echo "a handler for SIGUSR1; signals caught: $caught"; return 1; }
}

@test "and goes on serving" {
    clients -n 20 send=5,ack,eof
    eventually 10 slots_used_are 0
    kill -USR1 "$SERVER_PID"
    says "0 clients"
    clients -n 20 send=5,ack,eof
}
