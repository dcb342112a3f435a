#!/usr/bin/env bats
# Day 4 against the network: the cases that are too slow for day04.bats.

load ../../helpers
DAY=day04

@test "10,000 clients held open at once, then asked: at most 1.5 KiB of memory for each" {
    # They close all at once, and the kernel would reset those that are too many and forget them, so
    # that the server never learns of it where the reset gets lost.
    [ "$(cat /proc/sys/net/ipv4/tcp_max_orphans)" -ge 10000 ] || skip "net.ipv4.tcp_max_orphans is too small"
    restart_server --slots 10000 --idle-timeout 600
    local before after
    before=$(server_kib VmRSS)
    clients -n 10000 -t 100 all,send=1000,ack,eof
    after=$(server_kib VmRSS)
    echo "RSS before $before KiB, after $after KiB"
    [ $((after - before)) -le 15000 ]
}

# bats test_tags=long
@test "rings of 4 and 8 entries: the suite of day 4 passes" {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_TEST_TMPDIR/copy" CPPFLAGS=-DSQ_ENTRIES=4 day04 3>&-
    NO_BUILD=1 SERVER=$BATS_TEST_TMPDIR/copy/day04/server bats --filter-tags !usage "$ROOT/tests/day04.bats" 3>&-
}

@test "rings of 4 and 8 entries: no chain is split over two submits" {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_TEST_TMPDIR/copy" CPPFLAGS=-DSQ_ENTRIES=4 day04 3>&-
    stop_server
    SERVER=$BATS_TEST_TMPDIR/copy/day04/server start_server day04 --trace
    clients -n 500 send=5,ack,eof
    require_free_slots
    stop_server_with_trace
    [ "$(grep -c '^sqe SEND' "$TRACE")" -eq 500 ]
    # Each send is followed by the shutdown that it is linked to, and not by "enter".
    [ "$(grep -A 1 '^sqe SEND' "$TRACE" | grep -c '^sqe SHUTDOWN')" -eq 500 ]
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
    stop_server
    # Each call into the kernel starts late: the requests come before the one that has the cancels.
    under_strace "$BATS_TEST_TMPDIR/strace" -e trace=io_uring_enter \
        -e inject=io_uring_enter:delay_enter=1500000
    start_server "$DAY" --trace
    start_clients -n 20 stdin,send=5,ack,eof
    await_waiting 1 0
    eventually 10 slots_used_are 20
    kill "$SERVER_PID"
    eventually 10 has_lines 1 '^cqe SIGNAL' "$ERR"
    resume_clients 0
    timeout 50 cat <&"$SERVER_OUT" >/dev/null # until it has ended: each call takes its time
    await_exit
    await_clients
}

# an_echo CPPFLAGS: built so, and in place of the server.
an_echo() {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_TEST_TMPDIR/copy" CPPFLAGS="$1" day04/echo 3>&-
    stop_server
    SERVER=$BATS_TEST_TMPDIR/copy/day04/echo start_server day04 "${@:2}"
}

@test "the echo with small rings and one or two buffers: every byte comes back" {
    local flags
    for flags in '-DSQ_ENTRIES=4 -DBUFFERS=1' '-DSQ_ENTRIES=4 -DCQ_ENTRIES=4 -DBUFFERS=2'; do
        echo "$flags"
        an_echo "$flags"
        clients -n 300 -c 50 echo=1-300,half,eof drip=20,send=5000,back,half,eof
        clients -n 20 echo=300000,half,eof slow=300000,half,eof reset echo=5,reset
        clients slow=5000000,half,eof
        stop_server # that all buffers are back is asserted
        rm -r "$BATS_TEST_TMPDIR/copy"
    done
}

@test "the echo, 10,000 silent clients: at most 256 bytes of memory for each" {
    [ "$(cat /proc/sys/net/ipv4/tcp_max_orphans)" -ge 10000 ] || skip "net.ipv4.tcp_max_orphans is too small"
    local before after
    stop_server
    PROGRAM='echo' start_server day04 --slots 10000 --idle-timeout 600
    before=$(server_kib VmRSS)
    start_clients -n 10000 -t 50 stdin,half,eof
    await_waiting 1 0
    eventually 30 slots_used_are 10000
    after=$(server_kib VmRSS)
    resume_clients 0
    await_clients
    echo "RSS before $before KiB, after $after KiB"
    [ $((after - before)) -le 2500 ]
}

@test "the echo: one idle client does not keep the sockets of 3000 others allocated" {
    stop_server
    PROGRAM='echo' start_server day04 --idle-timeout 3600
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT"
    eventually 10 slots_used_are 1
    local before
    before=$(sockets)
    clients -n 3000 -c 50 -t 50 echo=5,half,eof half,eof
    eventually 3 few_sockets $((before + 50))
    exec {idle}>&-
}
