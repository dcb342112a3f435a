#!/usr/bin/env bats
# Day 1: socket setup

load helpers
load protocol
# shellcheck disable=SC2034 # helpers.bash uses it
DAY=day01

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

# bats test_tags=usage
@test "wrong usage is refused before anything is opened" { refuses_wrong_usage; }
# bats test_tags=usage
@test "an address that cannot be had is explained" { says_why_it_cannot_bind; }
# bats test_tags=usage
@test "--help lists the options" { lists_its_options --address --port --help; }
# bats test_tags=usage
@test "descriptors 0 to 2 that are missing are opened" { opens_missing_descriptors; }
