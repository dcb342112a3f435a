#!/usr/bin/env bats
# Day 4: what some bugs of NOTES.md break and the suite of day 4 does not look at.

load ../../helpers
DAY=day04

# stopped COMMAND...: runs it while the server does nothing.
stopped() {
    local status=0
    pause_server
    "$@" || status=$?
    kill -CONT "$SERVER_PID"
    return "$status"
}

# The completions of 500 receives are there before its next call. A kernel hands out 20 for one call at least.
@test "calls into the kernel are shared by the clients" {
    local requests calls
    stop_server
    start_server "$DAY" --trace
    start_clients -n 500 stdin,send=5,ack,eof
    eventually 10 slots_used_are 500
    await_waiting 1 0
    pause_server
    resume_clients 0
    eventually 10 unread 500 5
    kill -CONT "$SERVER_PID"
    await_clients
    require_free_slots
    stop_server_with_trace
    read -r requests calls < <(awk '/^---- enter/ { call = $3 } /^cqe RECV.* res 5$/ { n++; calls[call] }
                                    END { print n, length(calls) }' "$TRACE")
    echo "$calls calls for $requests requests"
    [ "$requests" -eq 500 ]
    [ $((5 * calls)) -lt "$requests" ]
}

@test "nothing is allocated once it listens" {
    stop_server
    under_strace "$BATS_TEST_TMPDIR/calls" -e trace=brk,mmap
    start_server "$DAY"
    local before
    before=$(wc -l <"$BATS_TEST_TMPDIR/calls")
    clients -n 1000 all,send=5,ack,eof
    require_free_slots
    [ "$(wc -l <"$BATS_TEST_TMPDIR/calls")" -eq "$before" ]
}

@test "the answer arrives whole, however late it is read" {
    local bytes=${ANSWER_BYTES:-4} received
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    echo hello >&"$tcp"
    read -r -t 0.5 <&"$NEVER" || true # it can send no more than fits, until this ends
    received=$(timeout 10 wc -c <&"$tcp")
    exec {tcp}>&-
    echo "$received of $bytes bytes"
    [ "$received" -eq "$bytes" ]
}

@test "a client that is gone before its answer does not end the server" {
    stopped clients -n 50 send=5,half,reset
    clients -n 20 send=5,ack,eof
}

@test "a ring that stops working ends the server, with a line" {
    stop_server
    run -1 timeout -s KILL 10 strace -D -qq -o "$BATS_TEST_TMPDIR/calls" \
        -e trace=io_uring_enter -e inject=io_uring_enter:error=EPERM:when=2+ \
        env ASAN_OPTIONS=detect_leaks=0 "${SERVER:-$ROOT/$DAY/server}" --port 0
    [[ $output == *"io_uring_submit_and_wait: Operation not permitted ("*")" ]]
}

@test "a hundred clients can connect while the server is busy" {
    stopped clients -n 100 -t 5 send=5,reset
    clients -n 20 send=5,ack,eof
}

# Whether the port is still busy is a matter of milliseconds (the next test); that this comes first is not.
@test "the accept has ended when the server exits" {
    stop_server
    start_server "$DAY" --trace
    clients send=5,ack,eof
    stop_server_with_trace
    grep '^cqe ACCEPT' "$TRACE" | tail -n 1 | grep -v F_MORE
}

@test "its port is free when it has ended, a hundred times" {
    for _ in {1..100}; do
        kill "$SERVER_PID"
        wait "$SERVER_PID"
        # At once, so without a process; refused, if all is well.
        if { exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null; then
            echo "still listening"
            return 1
        fi
        exec {SERVER_OUT}<&-
        start_server "$DAY" --port "$PORT"
    done
}
