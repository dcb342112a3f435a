#!/usr/bin/env bats
# Exercise 04-2: a signal that asks: SIGUSR1

load ../helpers
DAY=day04

setup() { start_server "$DAY"; }
teardown() { stop_server 0; }

# the server's next line on stdout
says() {
    local line
    read -r -t 10 line <&"$SERVER_OUT"
    [ "$line" = "$1" ] || { echo "it says: $line"; return 1; }
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
    stop_server 0
    await_clients
}

@test "and goes on serving" {
    clients -n 20 send=5,ack,eof
    eventually 10 slots_used_are 0
    kill -USR1 "$SERVER_PID"
    says "0 clients"
    clients -n 20 send=5,ack,eof
}
