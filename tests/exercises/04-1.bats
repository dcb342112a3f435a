#!/usr/bin/env bats
# Exercise 04-1: an echo server

load ../helpers
DAY=day04

setup() { start_server "$DAY" --idle-timeout 5; }
teardown() { stop_server 0; }

# echoes BYTES: that many random bytes come back as they were sent, then the end of file
echoes() {
    local nc=(nc) got=$BATS_TEST_TMPDIR/got sent=$BATS_TEST_TMPDIR/sent
    if nc -h 2>&1 | grep -q -e '-N'; then nc=(nc -N); fi
    head -c "$1" /dev/urandom >"$sent"
    timeout 20 "${nc[@]}" 127.0.0.1 "$PORT" <"$sent" >"$got" 3>&-
    cmp "$sent" "$got"
}

@test "what is sent comes back" {
    for bytes in 1 1023 1024 1025 100000 3000000; do
        echoes "$bytes"
    done
}

@test "line by line, as long as the client likes" {
    local line i
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    for i in {1..100}; do
        echo "line $i" >&"$tcp"
        read -r -t 10 line <&"$tcp"
        [ "$line" = "line $i" ]
    done
    exec {tcp}>&-
}

@test "many clients at once, each gets its own" {
    local i pids=()
    for i in {1..20}; do
        (BATS_TEST_TMPDIR=$(mktemp -d "$BATS_TEST_TMPDIR/$i.XXXX") && echoes 50000) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
}

@test "a client that resets, or is silent, is only its own affair" {
    clients -n 60 send=5,reset
    clients -n 60 send=100000,reset
    clients -n 10 -t 20 eof
    echoes 5000
}
