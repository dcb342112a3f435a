#!/usr/bin/env bats
# Exercise 01-1: answer with the number of bytes that came

load ../helpers
DAY=day01

setup() { start_server "$DAY"; }
teardown() { stop_server 143; }

# reply BYTES: what the server says to so many bytes and the end of the client's direction
reply() {
    local nc=(nc)
    if nc -h 2>&1 | grep -q -e '-N'; then nc=(nc -N); fi
    head -c "$1" /dev/zero | timeout 10 "${nc[@]}" 127.0.0.1 "$PORT" 3>&-
}

@test "the answer is the number of bytes, in decimal, and a newline" {
    for bytes in 1 6 1024; do
        [ "$(reply "$bytes")" = "$bytes" ]
    done
}

@test "the request may be longer than the buffer, and come in pieces" {
    for bytes in 1025 100000 3000000; do
        [ "$(reply "$bytes")" = "$bytes" ]
    done
}

@test "a client that sends nothing gets no answer" { clients half,eof; }
