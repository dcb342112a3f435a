#!/usr/bin/env bats
# Exercise 01-2: a silent client keeps the others waiting for a second, not for ever
# Read: day01/README.md, "What it cannot do"; socket(7), SO_RCVTIMEO

load exercise
DAY=day01

setup() { start_server "$DAY"; }
teardown() { end_server 143; }

@test "a client behind three silent ones is answered" {
    outlasts_silent_clients
}

@test "a client that was answered and does not close is not waited for" {
    start_clients -n 2 send=5,ack,eof,stdin
    await_waiting 1 0
    clients -t 15 send=5,ack,eof
    resume_clients 0
    await_clients
}

# waits TENTHS TENTHS: a client waits so long before it asks, and again before it sends on. On a
# machine so busy that it was nearly a second this says nothing, and is tried again.
waits() {
    local from said=$BATS_TEST_TMPDIR/clients.0
    for _ in {1..20}; do
        from=${EPOCHREALTIME/./}
        start_clients stdin,send=5,ack,eof,stdin,send=1000000,half
        await_waiting 1 0
        read -r -t "0.$1" <&"$NEVER" || true
        resume_clients 0
        eventually 10 has_lines 2 '' "$said" >/dev/null || true
        if was_busy "$from"; then forget_it; continue; fi
        from=${EPOCHREALTIME/./}
        read -r -t "0.$2" <&"$NEVER" || true
        resume_clients 0
        if was_busy "$from"; then forget_it; continue; fi
        await_clients
        return
    done
}
was_busy() { [ $((${EPOCHREALTIME/./} - $1)) -gt 900000 ]; }
forget_it() {
    resume_clients 0 0
    await_clients || true
}

@test "half a second is not yet too long, before the answer and after it" { waits 3 3; }

@test "all others are served as before" {
    answers_every_size
    answers_60_in_a_row
}
