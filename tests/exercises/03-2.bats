#!/usr/bin/env bats
# Exercise 03-2: no spare slots: one accept for one client
# Read: day03/README.md, steps 2, 4 and 5; io_uring_prep_accept(3)

load exercise
DAY=day03

setup() { start_server "$DAY" --trace; }
teardown() { end_server 143; }

@test "the table has no more slots than there may be clients" {
    local size
    size=$(sed -n 's/^UserFiles:[[:space:]]*//p' /proc/"$SERVER_PID"/fdinfo/*)
    [ "$size" = 1024 ] || { echo "slots in the table: $size, expected 1024 (SLOTS)"; return 1; }
}

@test "each accept is for one client, and goes into a free slot" {
    clients -n 20 send=5,ack,eof
    counts '^sqe ACCEPT .*into a free slot' -ge 20 "20 clients; accepts into a free slot"
    counts 'MULTISHOT|F_MORE' -eq 0 "lines with MULTISHOT or F_MORE"
}

@test "so many clients are accepted as there are slots, and no more" {
    start_clients stdin
    eventually 10 slots_used_are 1 # it is served, and the others wait
    start_clients -n 1100 send=5,ack,eof
    eventually 10 slots_used_are 1024 || { echo "slots in use: $(used_slots), expected 1024 (SLOTS)"; return 1; }
    resume_clients 0
    await_clients
}

@test "no client is lost when more come at once than there are slots" {
    clients -n 1500 all,send=5,ack,eof
    survives_resets
}
