#!/usr/bin/env bats
# Day 2: ring init

load helpers
load protocol
DAY=day02

setup() { start_server "$DAY"; }
teardown() { stop_server; }

@test "a real nc is answered" { answers_nc; }
@test "requests of 1 to 100,000 bytes are answered" { answers_every_size; }
@test "binary data is answered" { answers_binary_data; }
@test "a request that comes byte by byte is answered once" { answers_byte_by_byte; }
@test "a client that closes without a byte gets no answer" { gives_an_empty_client_no_answer; }
@test "60 clients in a row are answered" { answers_60_in_a_row; }
@test "200 clients at once are answered" { answers_200_at_once; }
@test "clients that reset the connection do not stop the server" { survives_resets; }

@test "wrong usage is refused before anything is opened" { refuses_wrong_usage; }
@test "an address that cannot be had is explained" { says_why_it_cannot_bind; }
@test "--help lists the options" { lists_its_options --address --port --trace --help; }
@test "descriptors 0 to 2 that are missing are opened" { opens_missing_descriptors; }

@test "--trace shows each operation and its completion" {
    takes --trace
    stop_server
    start_server "$DAY" --trace
    clients send=5,ack,eof
    stop_server_with_trace
    for operation in ACCEPT RECV SEND SHUTDOWN CLOSE; do
        grep -q "^sqe $operation/[0-9]* *fd" "$TRACE"
        grep -q "^cqe $operation/[0-9]* *res" "$TRACE"
    done
    grep -q '^cqe RECV/[0-9]* *res 5' "$TRACE"
    grep -q '^cqe SEND/[0-9]* *res 4' "$TRACE"
}

@test "a ring that is refused is explained" { explains_refusals; }

@test "probe finds that all four days can run, and says so" {
    run -0 "$ROOT/day02/probe"
    for day in day01 day02 day03 day04; do
        grep -qE "^$day +ok$" <<<"$output"
    done
    grep -q "$(uname -r)" <<<"$output"
}

@test "probe says which days cannot run, and why" {
    run -1 strace -f -qq -o "$BATS_TEST_TMPDIR/strace" -e inject=io_uring_setup:error=EPERM "$ROOT/day02/probe"
    grep -qE '^day01 +ok$' <<<"$output"
    for day in day02 day03 day04; do
        grep -qE "^$day +no: .*seccomp" <<<"$output"
    done
}
