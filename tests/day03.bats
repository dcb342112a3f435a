#!/usr/bin/env bats
# Day 3: file registration

load helpers
load protocol
DAY=day03

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

@test "--trace shows one accept submission and many accept completions" {
    takes --trace
    stop_server
    start_server "$DAY" --trace
    clients -n 30 -c 4 send=5,ack,eof # few at once: a completion queue that fills ends the accept
    stop_server_with_trace
    [ "$(grep -c '^sqe ACCEPT' "$TRACE")" -eq 1 ]
    [ "$(grep -c '^cqe ACCEPT.* F_MORE' "$TRACE")" -eq 30 ]
    [ "$(grep -c '^sqe CLOSE/[0-9]* *slot' "$TRACE")" -eq 30 ]
}

@test "more clients at once than the table has slots are all answered" {
    clients -n 1000 send=5,ack,eof
}

@test "a ring that is refused is explained" { explains_refusals; }
