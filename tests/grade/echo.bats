#!/usr/bin/env bats
# What the grader asks of an echo beyond the tests of tests/echo.bats that any can pass, and beyond
# more.bats. Run by grade.sh.

load ../helpers
load ../protocol

# More than the kernel holds for a client that does not read, in all four buffers of a connection, and
# 20 MB that the program may hold. tcp(7)
more_than_enough() {
    cat /proc/sys/net/ipv4/tcp_rmem /proc/sys/net/ipv4/tcp_wmem | awk '{ n += 2 * $3 } END { print n + 20000000 }'
}

# Clients that send so much and do not read, and are there until the test ends.
start_clients_that_do_not_read() {
    start_clients -p $((4 * PATIENCE)) -n 4 "send=$(more_than_enough),stdin"
    eventually "$PATIENCE" unread_are_at_least 2 >/dev/null || true
}

is_not_read_without_end() {
    local bytes
    bytes=$(more_than_enough)
    ! clients -p $((2 * BUSY)) "send=$bytes" >/dev/null ||
        differs "$bytes bytes, by a client that does not read" "no end of it: all was taken" \
            "that it must wait when so much has not come back"
}

serves_beside_clients_that_do_not_read() {
    start_clients_that_do_not_read
    some_clients -n 20 -c 2 echo=200,echo=30000,half,eof || {
        echo "after: 4 clients that send, and do not read what comes back"
        return 1
    }
}

ends_beside_clients_that_do_not_read() {
    start_clients_that_do_not_read
    ends 0 "SIGTERM, while 4 clients are connected that do not read what comes back"
}

is_idle_with_clients_that_do_not_read() {
    start_clients_that_do_not_read
    uses_no_cpu_time "with 4 clients connected that do not read what comes back"
}

# bats test_tags=contract
@test "200 clients at once get their bytes" { answers_200_at_once; }
# bats test_tags=contract
@test "200 clients that say nothing keep nobody waiting" { serves_beside stdin,echo=5; }
# bats test_tags=contract
@test "a client that does not read is not read without end" { is_not_read_without_end; }
# bats test_tags=contract
@test "clients that do not read keep nobody waiting" { serves_beside_clients_that_do_not_read; }
# bats test_tags=contract
@test "clients that reset the connection do not stop the server" {
    survives 120 reset send=5,reset echo=5,reset send=100000,reset drip=9,reset half,reset
}
# bats test_tags=contract
@test "no descriptor and no slot stays in use" { leaves_nothing_open; }
# bats test_tags=contract
@test "without clients it uses no CPU time" {
    some_clients -n 20 "$ANSWERED"
    uses_no_cpu_time
}
# bats test_tags=contract
@test "waiting for clients uses no CPU time" { is_idle_with_clients; }
# bats test_tags=contract
@test "waiting for clients that do not read uses no CPU time" { is_idle_with_clients_that_do_not_read; }
# bats test_tags=contract
@test "SIGTERM ends it with status 0" { ends_on_sigterm 0; }
# bats test_tags=contract
@test "SIGTERM ends it beside clients that do not read" { ends_beside_clients_that_do_not_read; }
