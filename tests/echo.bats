#!/usr/bin/env bats
# The echo, the end of day 4: every byte comes back, in its order. A program of your own:
# SERVER=path/to/mine bats tests/echo.bats
#
# In every test that ends its server with 0, all shared buffers have come back: echo.c asserts it.
#
# shellcheck disable=SC2034,SC2153 # helpers.bash uses and sets them

load helpers
load protocol
DAY=day04
PROGRAM='echo'

# bats test_tags=contract
@test "it says where it listens, and that is true" { answers_on_its_port; }

# bats test_tags=contract
@test "messages of 1 byte to 100,000 come back, and of all sizes around those of the buffers" {
    some_clients -n 300 -c 16 echo=1-300,half,eof
    some_clients -n 200 -c 16 echo=4000-4200,back,echo=1,half,eof
    some_clients -c 4 send=1,half,back,eof send=65536,back,half,eof send=100000,half,back,eof
}

# bats test_tags=contract
@test "20 MB come back, to a client that reads at once and to one that reads only when it must" {
    some_clients echo=20000000,half,eof
    for _ in {1..5}; do some_clients slow=20000000,half,eof; done # two sends in flight spoil every other one
    some_clients -n 8 slow=2000000,half,eof echo=3000000,half,eof
}

# bats test_tags=contract
@test "bytes that come one by one come back, and messages that do not wait for each other" {
    some_clients drip=3000,back,drip=10,half,back,eof
    some_clients -n 50 drip=200,send=10,send=5000,back,send=20,drip=7,half,back,eof
}

@test "urgent bytes come back too" { some_clients -n 20 oob=30,back,send=100,oob=2,back,half,eof; }

# bats test_tags=contract
@test "a client that ends its direction at once gets everything first" {
    some_clients -n 100 -c 20 half,eof send=1,half,back,eof send=5000,half,back,eof send=1000000,half,back,eof
}

# bats test_tags=contract
@test "3000 clients" { some_clients -n 3000 -c 50 echo=5,half,eof echo=9000,half,eof half,eof drip=3,back; }

@test "clients that do not read keep nobody waiting, and hold no more buffers than there are" {
    start_clients -n 60 flood # until the server ends
    some_clients -n 20 -c 2 echo=200,echo=30000,half,eof
    eventually 10 most_do_not_move 60
    some_clients -n 20 -c 2 echo=200,echo=30000,half,eof
    some_clients slow=1000000,half,eof
    kill "$SERVER_PID"
    await_exit || [ "${SERVER:+$?}" = 143 ]
    await_clients
    require_silence
    [ -n "${SERVER-}" ] || holds_at_most 128
}
# So many clients have bytes waiting in the server's kernel: it does not read them.
most_do_not_move() { [ "$(with_unread '.*[1-9A-F].*')" -ge $(($1 / 2)) ]; }
holds_at_most() { [[ $(tail -n 1 "$OUT") =~ holding\ ([0-9]+)\ buffers ]] && [ "${BASH_REMATCH[1]}" -le "$1" ]; }

@test "a client that does not read holds a part of the buffers, not all" {
    [ -z "${SERVER-}" ] || skip "the last line is ours"
    [ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ] || skip "6.1 receives until nothing is left"
    in_three_tries takes_a_part
}
takes_a_part() { # or all, where the cancel comes too late
    start_clients flood
    eventually 10 most_do_not_move 1
    eventually 10 uses_no_cpu_time >/dev/null
    kill "$SERVER_PID"
    await_exit
    await_clients
    cat "$OUT"
    holds_at_most 120 || LATE=1
}

@test "200 silent clients keep nobody waiting" {
    start_clients -n 200 stdin,echo=5,half,eof
    await_stop 0
    some_clients -n 20 -c 1 echo=5000,half,eof
    resume_clients 0
    await_clients
}

@test "clients that reset the connection, with bytes on their way in and out" {
    some_clients -n 300 reset send=5,reset send=100000,reset echo=5,reset drip=9,reset half,reset echo=300000,reset
    some_clients -n 20 -c 1 echo=5000,half,eof
}

@test "no client is lost when thousands come at once, however few slots there are" {
    takes --slots
    for slots in 1 8 64; do
        restart_server --slots "$slots"
        some_clients -n 1000 -c 500 echo=5,half,eof
    done
}

@test "no descriptor and no slot stays in use" {
    some_clients -n 200 -c 40 echo=5,half,eof half,eof reset send=100000,reset
    local before
    before=$(lowest open_descriptors)
    some_clients -n 400 -c 40 echo=5,half,eof half,eof reset send=100000,reset
    eventually "$PATIENCE" descriptors_are_at_most "$before"
}

@test "silent clients, and those that do not read, are dropped after the idle timeout" {
    takes --idle-timeout
    restart_server --idle-timeout "$SLOWER"
    some_clients -n 30 -t 15 eof flood echo=5,eof echo=5,half,eof,gone
    [ -n "${SERVER-}" ] || eventually 10 only_idle_slot_is_used
}

@test "who says something now and then is not silent" {
    takes --idle-timeout
    restart_server --idle-timeout "$SLOWER"
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    for n in {1..6}; do
        echo "$n" >&"$tcp"
        read -r -t 5 line <&"$tcp"
        [ "$line" = "$n" ]
        read -r -t 0.5 <&"$NEVER" || true
    done
    exec {tcp}>&-
}

@test "SIGTERM: what has arrived comes back, silent clients get EOF, no new ones" {
    needs_ring
    start_clients -n 100 stdin,send=5,back,eof
    start_clients -n 20 stdin,send=5,back,eof
    start_clients -n 50 eof
    start_clients -n 10 echo=5,stdin,send=50000,back,eof
    eventually 10 slots_used_are 180
    await_waiting 1 0 1 3
    pause_server
    resume_clients 0 3
    eventually 10 unread 100 5
    eventually 10 unread 10 50000
    kill -TERM "$SERVER_PID"
    resume_clients 1 # it reads these after the signal
    eventually 10 unread 120 5
    kill -CONT "$SERVER_PID"
    await_exit
    await_clients
    require_silence
}

@test "SIGINT ends it within two seconds whatever its clients do, and the last line tells" {
    needs_ring
    in_three_tries interrupted
}
interrupted() {
    start_clients -n 30 flood
    start_clients -n 30 echo=5,stdin,flood
    start_clients -n 30 gone
    start_clients -n 30 stdin,echo=50000000,half,eof
    eventually 10 slots_used_are 120
    await_waiting 1 1 3
    resume_clients 1
    kill -INT "$SERVER_PID"
    timeout 2 cat <&"$SERVER_OUT" >"$BATS_TEST_TMPDIR/last" || LATE=1
    await_exit
    resume_clients 3
    await_clients || true # who had nothing to say has been ended
    require_silence
    [ -n "$LATE" ] || grep -qE '^served [0-9]+ clients in [0-9]+ io_uring_enter calls' "$BATS_TEST_TMPDIR/last"
}

@test "the last line counts clients" {
    takes --trace
    some_clients -n 60 -c 5 echo=5,half,eof
    stop_server
    [[ $(<"$OUT") == "served 60 clients in "* ]]
    holds_at_most 6
}

@test "a second signal ends it at once, with status 1" {
    needs_ring
    start_clients -n 20 echo=5,stdin,flood # these do not close
    await_waiting 1 0
    kill -INT "$SERVER_PID"
    read -r -t 0.2 <&"$NEVER" || true # the second counts after 100 ms
    kill -TERM "$SERVER_PID"
    local status=0
    await_exit || status=$?
    [ "$status" -eq 1 ]
    resume_clients 0
    await_clients
}

@test "a thousand stops do not end it" {
    start_clients -n 10 slow=3000000,half,eof
    for _ in {1..1000}; do
        kill -STOP "$SERVER_PID"
        kill -CONT "$SERVER_PID"
    done
    await_clients
    some_clients -n 20 echo=5,half,eof
}

@test "waiting for clients uses no CPU time, also for one that does not read" {
    start_clients -n 40 flood
    start_clients -n 5 echo=5,stdin
    await_stop 1
    eventually 10 most_do_not_move 40
    eventually 20 uses_no_cpu_time "clients that are silent or do not read"
    resume_clients 1
    kill "$SERVER_PID"
    await_exit || [ "${SERVER:+$?}" = 143 ]
    await_clients
}

# bats test_tags=usage
@test "wrong usage is refused before anything is opened" { refuses_wrong_usage; }
# bats test_tags=usage
@test "--help lists the options" { lists_its_options --address --port --trace --slots --idle-timeout --help; }
# bats test_tags=usage
@test "a ring that is refused is explained" { explains_refusals; }
