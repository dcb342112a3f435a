#!/usr/bin/env bats
# Day 2: ring init

load helpers
load protocol
DAY=day02

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
# bats test_tags=contract,bug:5
@test "no descriptor and no slot stays in use" { leaves_nothing_open; }
# bats test_tags=contract
@test "without clients it uses no CPU time" { is_idle_without_clients; }
# bats test_tags=contract
@test "waiting for clients uses no CPU time" { is_idle_with_clients 'a client that says nothing' stdin,half,eof; }
# bats test_tags=contract
@test "SIGTERM ends it" { ends_on_sigterm 143 0; }

@test "signals that ask for nothing change nothing" { ignores_signals_that_ask_for_nothing; }

# bats test_tags=usage
@test "wrong usage is refused before anything is opened" { refuses_wrong_usage; }
# bats test_tags=usage
@test "an address that cannot be had is explained" { says_why_it_cannot_bind; }
# bats test_tags=usage
@test "--help lists the options" { lists_its_options --address --port --trace --help; }
# bats test_tags=usage
@test "descriptors 0 to 2 that are missing are opened" { opens_missing_descriptors; }

@test "--trace names an operation when it is asked for, and when it has completed" {
    takes --trace
    stop_server
    start_server "$DAY" --trace
    clients send=5,ack,eof
    stop_server_with_trace
    grep -qE '^sqe ACCEPT +fd [0-9]' "$TRACE"
    grep -qE '^cqe ACCEPT +res [0-9]' "$TRACE"
}

@test "--trace shows each operation and its completion" {
    takes --trace
    stop_server
    start_server "$DAY" --trace
    clients send=5,ack,eof
    eventually 10 has_lines 1 '^cqe CLOSE' "$ERR" # the client has gone by then
    stop_server_with_trace
    for operation in ACCEPT RECV SEND SHUTDOWN CLOSE; do
        grep -qE "^sqe $operation(/[0-9]+)? +fd [0-9]" "$TRACE"
        grep -qE "^cqe $operation(/[0-9]+)? +res [0-9]" "$TRACE"
    done
    grep -q '^cqe RECV/[0-9]* *res 5' "$TRACE"
    grep -q '^cqe SEND/[0-9]* *res 4' "$TRACE"
}

# bats test_tags=usage
@test "a ring that is refused is explained" { explains_refusals; }

@test "probe: what the rings of this kernel can do" {
    run -0 "$ROOT/day02/probe"
    for name in SUBMIT_ALL SINGLE_ISSUER DEFER_TASKRUN CQSIZE NODROP ACCEPT RECV SEND SHUTDOWN CLOSE ASYNC_CANCEL; do
        grep -qE "\\+ $name( |$)" <<<"$output"
    done
}

# bats test_tags=usage
@test "probe: a ring that is refused is explained" {
    ASAN_OPTIONS=detect_leaks=0 start_error '^probe: io_uring_queue_init_params: Operation not permitted .*seccomp' \
        strace -qq -o "$BATS_TEST_TMPDIR/strace" -e inject=io_uring_setup:error=EPERM "$ROOT/day02/probe"
}

# bats test_tags=usage
@test "probe: an operation that it has no name for is shown by its number" {
    cd "$BATS_TEST_TMPDIR"
    mkdir day02
    cp -R "$ROOT/common" .
    sed '/"WRITE_FIXED",/,/"URING_CMD128",/d' "$ROOT/day02/probe.c" >day02/probe.c # all but five
    cc -D_GNU_SOURCE -o probe day02/probe.c common/say.c common/ring.c -luring
    ./probe >shown
    grep -qE '^  \+ READ_FIXED +\+ number 5 +\+ number 6 +\+ number 7$' shown
}
