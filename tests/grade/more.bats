#!/usr/bin/env bats
# What the grader asks of a program beyond the tests of its day; those with the tag "many" of day 4
# and of the echo only, which serve many clients at once, and those with "answer" not of the echo. Run
# by grade.sh; the tests are in grade.bash.

load ../helpers
load ../protocol

STATUSES=(0)
[ "$DAY" = day04 ] || STATUSES=(143 0)

# bats test_tags=contract
@test "it listens on 127.0.0.1 only" { listens_on_loopback_only; }
# bats test_tags=contract
@test "40 clients can connect while it is busy" { clients_can_connect_while_it_is_busy; }
# bats test_tags=contract
@test "stopped and continued, it goes on" { goes_on_after_stops "${STATUSES[@]}"; }
# bats test_tags=contract
@test "it keeps no memory of clients that are gone" { keeps_no_memory; }
# bats test_tags=contract
@test "it keeps no memory of what a client has sent" { keeps_no_bytes; }
# bats test_tags=contract,many
@test "300 clients are connected at once, and each is answered" { serves_beside stdin, 300; }
# bats test_tags=contract,many
@test "clients may take their time" { lets_clients_take_their_time; }
# bats test_tags=contract,answer
@test "a client that keeps sending is answered" { answers_who_keeps_sending; }
# bats test_tags=contract,many
@test "when its descriptors had run out, it goes on" { goes_on_when_it_had_no_descriptors; }
# bats test_tags=contract
@test "SIGTERM ends it beside a silent client, and nothing listens any more" { ends_beside_a_client "${STATUSES[@]}"; }
# bats test_tags=contract
@test "it starts on the port that it is told, again and again" { starts_again_on_its_port "${STATUSES[@]}"; }
