#!/usr/bin/env bats
# Day 4: the event loop

load helpers
load protocol
DAY=day04

# bats test_tags=contract
@test "it says where it listens, and that is true" { answers_on_its_port; }
# bats test_tags=contract,bug:5,bug:17
@test "a request is answered with four bytes, then the end" { answers_four_bytes; }
# bats test_tags=contract,bug:5,bug:17
@test "a real nc is answered" { answers_nc; }
# bats test_tags=contract,bug:15,bug:20
@test "requests of 1 to 100,000 bytes are answered" { answers_every_size; }
# bats test_tags=contract,bug:15
@test "requests of every size from 1 to 4100 bytes are answered" { answers_all_small_sizes; }
# bats test_tags=contract,bug:15,bug:20
@test "requests of sizes around the powers of two are answered, up to 2 MB" { answers_sizes_around_powers_of_two; }
# bats test_tags=contract,bug:15,bug:20
@test "requests of random sizes are answered" { answers_random_sizes; }
# bats test_tags=contract,bug:20
@test "requests of up to 3 MB are answered without a reset" { answers_large_requests; }
# bats test_tags=contract,bug:17,bug:29
@test "binary data is answered" { answers_binary_data; }
# bats test_tags=contract,bug:14,bug:20
@test "a request that comes byte by byte is answered once" { answers_byte_by_byte; }
# bats test_tags=contract,bug:14
@test "a client that closes without a byte gets no answer" { gives_an_empty_client_no_answer; }
# bats test_tags=contract,bug:20
@test "what a client sends after its request is read, not reset" { reads_what_follows; }
# bats test_tags=contract,bug:5,bug:6
@test "60 clients in a row are answered" { answers_60_in_a_row; }
# bats test_tags=contract,bug:6,bug:22
@test "200 clients at once are answered" { answers_200_at_once; }
# bats test_tags=contract,bug:6,bug:11
@test "3000 clients are answered" { answers_3000; }
# bats test_tags=contract,bug:7
@test "clients that reset the connection do not stop the server" { survives_resets; }
# bats test_tags=contract,bug:7,bug:19
@test "1500 clients that reset, before, during and after the request" { survives_1500_resets; }
# bats test_tags=contract,bug:21,step:4
@test "200 clients that say nothing keep nobody waiting" { serves_beside stdin,send=5,ack,eof; }
# bats test_tags=contract,bug:21,step:3
@test "200 clients that do not close after the answer keep nobody waiting" { serves_beside send=5,ack,eof,stdin; }
# bats test_tags=contract,bug:5
@test "no descriptor and no slot stays in use" { leaves_nothing_open; }
# bats test_tags=contract
@test "without clients it uses no CPU time" { is_idle_without_clients; }
# bats test_tags=contract
@test "waiting for clients uses no CPU time" { is_idle_with_clients 'a client that says nothing, and one that does not close' stdin,half,eof send=5,ack,eof,stdin; }
# bats test_tags=contract,bug:9,bug:23,step:14
@test "SIGTERM ends it with status 0" { ends_on_sigterm 0; }

# bats test_tags=usage
@test "wrong usage is refused before anything is opened" { refuses_wrong_usage; }
# bats test_tags=usage
@test "an address that cannot be had is explained" { says_why_it_cannot_bind; }
# bats test_tags=usage
@test "--help lists the options" { lists_its_options --address --port --trace --slots --idle-timeout --help; }
# bats test_tags=usage
@test "descriptors 0 to 2 that are missing are opened" { opens_missing_descriptors; }

# bats test_tags=step:10
@test "no client is lost when thousands come at once, however few slots there are" {
    takes --slots
    for slots in 1 8 64; do
        restart_server --slots "$slots"
        clients -n 2000 send=5,ack,eof
        require_free_slots
    done
    restart_server --slots 1024
    clients -n 3000 send=5,ack,eof
}

@test "200 silent clients do not keep another one waiting" {
    needs_ring
    needs_many
    start_clients -n 200 gone
    eventually 10 slots_used_are 200
    clients -n 20 -c 1 send=5,ack,eof
    stop_server
    await_clients
}

# bats test_tags=step:12
@test "silent clients on every slot are dropped after the idle timeout" {
    takes --idle-timeout
    restart_server --slots 8 --idle-timeout "$SLOWER"
    clients -n $((100 / SLOWER)) eof
    clients -n 8 send=5,ack,eof
}

# bats test_tags=step:12
@test "clients that never close, or never stop sending, are dropped after the idle timeout" {
    takes --idle-timeout
    restart_server --slots 8 --idle-timeout "$SLOWER"
    start_clients -n 8 send=5,ack,eof,stdin
    await_waiting 1 0
    clients -n 8 send=5,ack,eof
    resume_clients 0
    await_clients
    clients -n 8 send=5,ack,all,flood # all: one that floods keeps this process from the others
    clients -n 8 flood
    clients -n 8 send=5,ack,eof
}

# bats test_tags=step:12
@test "what a client sends after its request does not extend its time" {
    takes --idle-timeout
    restart_server --idle-timeout "$SLOWER"
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    local sent=0 from=${EPOCHREALTIME/./}
    trap '' PIPE
    while echo again >&"$tcp" && ((sent < 200)); do
        sent=$((sent + 1))
        read -r -t 0.1 <&"$NEVER" || true
    done 2>/dev/null
    exec {tcp}>&-
    [ $((${EPOCHREALTIME/./} - from)) -gt 900000 ] # it had its time
    [ "$sent" -lt 60 ]
}

# bats test_tags=step:16
@test "SIGTERM: requests that have arrived are answered, silent clients get EOF, no new ones" {
    needs_ring
    needs_many
    start_clients -n 100 stdin,send=5,ack,eof
    start_clients -n 20 stdin,send=5,ack,eof
    start_clients -n 50 eof
    eventually 10 slots_used_are 170
    await_waiting 1 0 1
    pause_server
    resume_clients 0
    eventually 10 unread 100 5
    kill -TERM "$SERVER_PID"
    resume_clients 1 # it reads these after the signal
    eventually 10 unread 120 5
    kill -CONT "$SERVER_PID"
    await_exit
    await_clients
    require_silence
    run -1 clients send=5,ack,eof
    [[ $output == *"Connection refused"* ]]
}

# bats test_tags=step:15
@test "SIGINT ends it within two seconds whatever its clients do, and the last line tells" {
    needs_ring
    needs_many
    in_three_tries interrupted
}
interrupted() {
    start_clients -n 30 stdin,flood
    start_clients -n 30 send=5,ack,stdin,flood
    start_clients -n 30 gone
    start_clients -n 30 send=5,ack,eof,stdin # these do not close
    eventually 10 slots_used_are 120
    await_waiting 1 0 1 3
    resume_clients 0 1
    kill -INT "$SERVER_PID"
    timeout 2 cat <&"$SERVER_OUT" >"$BATS_TEST_TMPDIR/last" || LATE=1
    await_exit
    resume_clients 3
    await_clients
    require_silence
    [ -n "$LATE" ] || grep -qE '^served [0-9]+ clients in [0-9]+ io_uring_enter calls$' "$BATS_TEST_TMPDIR/last"
}

# bats test_tags=step:15
@test "the last line counts clients and calls rightly" {
    needs_ring
    stop_server
    under_strace "$BATS_TEST_TMPDIR/calls" -e trace=io_uring_enter
    start_server "$DAY"
    clients -n 60 -c 5 send=5,ack,eof
    clients -n 5 half,eof
    stop_server
    local calls counted
    calls=$(grep -c '^io_uring_enter' "$BATS_TEST_TMPDIR/calls")
    counted=$((calls - 1)) # without the first, which asks for a worker; a reader's program need not do that
    [[ $(<"$OUT") =~ ^served\ 60\ clients\ in\ ($counted${SERVER:+|$calls})\ io_uring_enter\ calls$ ]]
}

# bats test_tags=step:18
@test "a second signal ends it at once, with status 1" {
    needs_ring
    needs_many
    start_clients -n 20 send=5,ack,eof,stdin
    await_waiting 1 0
    kill -INT "$SERVER_PID"
    read -r -t 0.2 <&"$NEVER" || true # the second counts after 100 ms
    kill -TERM "$SERVER_PID"
    local status=0
    await_exit || status=$?
    [ "$status" -eq 1 ]
    grep -q '20 clients dropped' "$ERR"
    [ -n "${SERVER-}" ] || grep -q '^server: second signal: 20 clients dropped' "$ERR"
    resume_clients 0
    await_clients
}

@test "two signals at once are one" {
    needs_ring
    needs_many
    start_clients -n 20 send=5,ack,eof,stdin
    await_waiting 1 0
    pause_server # so that both signals are there together
    kill -INT "$SERVER_PID"
    kill -TERM "$SERVER_PID"
    kill -CONT "$SERVER_PID"
    resume_clients 0
    await_clients
    await_exit
    require_silence
}

@test "30 restarts on the same port, with clients connected" {
    needs_ring
    for _ in {1..30}; do
        start_clients -n 4 gone
        eventually 10 slots_used_are 4
        stop_server
        await_clients
        start_server "$DAY" --port "$PORT"
    done
}

@test "signals that ask for nothing change nothing" { ignores_signals_that_ask_for_nothing; }

# Each stop wakes the read of the signals for nothing; after some 128 the kernel gives it to a worker
# thread, where the next stop ends it.
@test "a thousand stops do not end it" {
    for _ in {1..1000}; do
        kill -STOP "$SERVER_PID"
        kill -CONT "$SERVER_PID"
    done
    clients -n 20 send=5,ack,eof
}

@test "an idle server makes no calls and uses no time" {
    clients -n 20 send=5,ack,eof
    # A tick may still be armed: it is the last.
    eventually 10 idle_for_a_second
}

# Its CPU time and its context switches stay as they are.
idle_for_a_second() {
    local before
    before=$(usage)
    read -r -t 1.5 <&"$NEVER" || true
    [ "$before" = "$(usage)" ]
}
usage() { cut -d' ' -f14,15 "/proc/$SERVER_PID/stat" && grep ctxt "/proc/$SERVER_PID/status"; }

@test "no client is lost when calls into the kernel are interrupted or refused for the moment" {
    needs_ring
    for error in EINTR EAGAIN EBUSY; do
        stop_server
        under_strace "$BATS_TEST_TMPDIR/strace" \
            -e trace=io_uring_enter -e "inject=io_uring_enter:error=$error:when=1+3"
        start_server "$DAY"
        clients -n 200 send=5,ack,eof
        grep -q "$error .*INJECTED" "$BATS_TEST_TMPDIR/strace"
    done
}

@test "nobody reads its output any more: it keeps serving" {
    takes --trace
    stop_server
    mkfifo "$BATS_TEST_TMPDIR/pipe"

    # stderr is closed, and stdout too
    exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
    STDERR_TO=$BATS_TEST_TMPDIR/pipe start_server "$DAY" --trace
    exec {reader}<&- {SERVER_OUT}<&-
    clients -n 50 send=5,ack,eof
    exec {SERVER_OUT}</dev/null
    stop_server

    # stderr takes no more: a device, then a pipe that nobody empties
    STDERR_TO=/dev/full start_server "$DAY" --trace
    clients -n 50 send=5,ack,eof
    stop_server
    exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
    STDERR_TO=$BATS_TEST_TMPDIR/pipe start_server "$DAY" --trace
    clients -n 1000 send=5,ack,eof
    stop_server
    exec {reader}<&-
}

# bats test_tags=usage
@test "a ring that is refused is explained" { explains_refusals; }
