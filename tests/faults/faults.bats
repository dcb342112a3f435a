#!/usr/bin/env bats
# Day 4 against the network: the cases that are too slow for day04.bats.

load ../helpers
DAY=day04

setup() { start_server "$DAY"; }
teardown() {
    local status=0
    require_free_slots || status=1
    stop_server 0 || status=1
    return "$status"
}

restart_server() {
    stop_server 0
    start_server "$DAY" "$@"
}

@test "10,000 clients held open at once, then asked: at most 1.5 KiB of memory for each" {
    # They close all at once, and the kernel would reset those that are too many and forget them, so
    # that the server never learns of it where the reset gets lost.
    [ "$(cat /proc/sys/net/ipv4/tcp_max_orphans)" -ge 10000 ] || skip "net.ipv4.tcp_max_orphans is too small"
    restart_server --slots 10000 --idle-timeout 600
    local before after
    before=$(server_kib VmRSS)
    clients -n 10000 -t 500 all,send=1000,ack,eof
    after=$(server_kib VmRSS)
    echo "RSS before $before KiB, after $after KiB"
    [ $((after - before)) -le 15000 ]
}

@test "rings of 4 and 8 entries: the suite of day 4 passes" {
    "$ROOT/tests/copy.sh" "$BATS_TEST_TMPDIR/copy" CPPFLAGS=-DSQ_ENTRIES=4 day04 3>&-
    NO_BUILD=1 SERVER=$BATS_TEST_TMPDIR/copy/day04/server bats --filter-tags !usage "$ROOT/tests/day04.bats" 3>&-
}

@test "rings of 4 and 8 entries: no chain is split over two submits" {
    "$ROOT/tests/copy.sh" "$BATS_TEST_TMPDIR/copy" CPPFLAGS=-DSQ_ENTRIES=4 day04 3>&-
    stop_server 0
    SERVER=$BATS_TEST_TMPDIR/copy/day04/server start_server day04 --trace
    clients -n 500 send=5,ack,eof
    require_free_slots
    stop_server_with_trace
    [ "$(grep -c '^sqe SEND' "$TRACE")" -eq 500 ]
    # Each send is followed by the shutdown that it is linked to, and not by "enter".
    [ "$(grep -A 1 '^sqe SEND' "$TRACE" | grep -c '^sqe SHUTDOWN')" -eq 500 ]
}

@test "kernels without the newer setup flags: the server does with fewer, and loses no client" {
    for refusals in 1 1..2; do # the first set of flags, then the second too
        stop_server 0
        under_strace "$BATS_TEST_TMPDIR/strace" -e trace=io_uring_setup \
            -e "inject=io_uring_setup:error=EINVAL:when=$refusals"
        for slots in 1 64; do
            start_server "$DAY" --slots "$slots"
            clients -n 2000 send=5,ack,eof
            require_free_slots
            stop_server 0
        done
        grep -q 'EINVAL .*INJECTED' "$BATS_TEST_TMPDIR/strace"
        start_server "$DAY"
    done
}

# sockets: how many TCP sockets the kernel has allocated, in the whole network namespace.
sockets() { awk '$1 == "TCP:" { for (i = 2; i < NF; i += 2) if ($i == "alloc") print $(i + 1) }' /proc/net/sockstat; }
few_sockets() { [ "$(sockets)" -le "$1" ]; }

@test "one idle client does not keep the sockets of 3000 others allocated" {
    restart_server --idle-timeout 3600
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT"
    eventually 10 slots_used_are 1
    local before
    before=$(sockets)
    clients -n 2000 -c 50 -t 50 send=5,ack,eof
    clients -n 1000 -c 50 -t 50 half,eof
    # Nothing is to be seen of them 3 seconds later.
    eventually 3 few_sockets $((before + 50))
    exec {idle}>&-
}

@test "clients that ask for nothing see EOF at once, also beside an idle one" {
    restart_server --idle-timeout 3600
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT"
    eventually 10 slots_used_are 1
    clients -n 100 -c 1 -t 10 half,eof # one sweep for each would take 100 seconds
    exec {idle}>&-
}

@test "a request that comes between the signal and the cancel of its receive is answered" {
    stop_server 0
    # Each call into the kernel starts late: the requests come before the one that has the cancels.
    under_strace "$BATS_TEST_TMPDIR/strace" -e trace=io_uring_enter \
        -e inject=io_uring_enter:delay_enter=400000
    start_server "$DAY"
    start_clients -n 20 stdin,send=5,ack,eof
    await_waiting 1 0
    eventually 10 slots_used_are 20
    kill "$SERVER_PID"
    eventually 10 refuses_clients
    resume_clients 0
    await_exit
    await_clients
    require_silence
}
refuses_clients() { ! (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
