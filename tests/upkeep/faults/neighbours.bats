#!/usr/bin/env bats
# What others do to a server, on the machine or by the network, that must neither end nor block it,
# nor cost a client. (A thousand stops, and two signals at once, are in day04.bats.)
#
# Two things no test here can bring about. Linux 6.2 to 6.9 accept 16 more clients than the completion
# queue has room for: "make facts" (tests/facts/bound) measures that where it runs, and here it is only
# seen that there are slots for them. Some of these kernels lose a client whose accept fills the queue
# while it is being armed; nothing in a server helps, and bound tells.

load ../../helpers
load ../../protocol

setup() { DAY=day04; }
teardown() {
    local status=0
    end_test || status=1
    release_terminal
    return "$status"
}

# Commands that go before another: as somebody who is not root and has no other process, and with
# less of something, as ulimit takes it.
as_user() {
    AS_USER=(env)
    [ "$(id -u)" -ne 0 ] || AS_USER=(setpriv --reuid=$((100000 + BASHPID)) --regid=65534 --clear-groups)
}
limited() { # OPTION VALUE
    # shellcheck disable=SC2016 # for the other shell
    LIMITED=(bash -c 'ulimit "$1" "$2" && exec "${@:3}"' limited "$1" "$2")
}

# hold_terminal: TERMINAL is one that nobody reads, as that of a stalled ssh.
hold_terminal() {
    exec {SCRIPT_OUT}< <(exec script -qc 'tty; exec sleep 600' /dev/null </dev/null 3>&-)
    SCRIPT=$!
    read -r -t 20 TERMINAL <&"$SCRIPT_OUT"
    TERMINAL=${TERMINAL%$'\r'}
    kill -STOP "$SCRIPT"
}
release_terminal() { # and "sleep" gets SIGHUP
    [ -n "${SCRIPT-}" ] || return 0
    kill -KILL "$SCRIPT"
    wait "$SCRIPT" || true
    exec {SCRIPT_OUT}<&-
    unset SCRIPT
}
terminal_is_full() { "$ROOT/tests/upkeep/faults/says" full "$TERMINAL" 3>&-; }

# ring_info FIELD: of the server's ring, by /proc/PID/fdinfo, which leaves fields out while the ring is busy.
ring_info() {
    awk -v "field=$1:" '$1 == field { print $2 }' "/proc/$SERVER_PID"/fdinfo/*
}

@test "urgent bytes are bytes" {
    for DAY in day01 day02 day03 day04; do
        start_server "$DAY"
        clients -n 20 oob=1,ack,eof
        clients -n 20 send=5,oob=1,send=100,half,ack,eof
        clients -n 20 send=5,ack,eof,oob=10,half,closed
        stop_server
    done
}

# Where an urgent byte wakes a receive that then finds nothing, some 128 of them make the kernel give
# that receive to a thread of its own. They must come one by one: each waits 2 ms.
@test "20 clients that send urgent bytes for ever do not make 20 threads" {
    local pids=() most=0 now
    start_server day04
    for _ in {1..20}; do
        strace -qq -o /dev/null -e trace=sendto -e inject=sendto:delay_exit=2000 \
            "$ROOT/tests/client" "$PORT" oob=300,half,gone >/dev/null 3>&- &
        pids+=($!)
    done
    while kill -0 "${pids[@]}" 2>/dev/null; do
        now=$(server_kib Threads)
        ((now <= most)) || most=$now
        read -r -t 0.1 <&"$NEVER" || true
    done
    wait "${pids[@]}"
    echo "$most threads"
    [ "$most" -le 5 ]
    clients -n 20 send=5,ack,eof
}

@test "--trace to a terminal that nobody reads: it serves, and ends" {
    for DAY in day02 day03 day04; do
        hold_terminal
        STDERR_TO=$TERMINAL start_server "$DAY" --trace
        until terminal_is_full; do clients -n 100 send=5,ack,eof; done
        clients -n 100 send=5,ack,eof
        stop_server
        release_terminal
    done
}

@test "a terminal that nobody reads blocks no line on stdout or stderr" {
    for fd in 1 2; do
        hold_terminal
        until terminal_is_full; do
            eval 'timeout 10 "$ROOT/tests/upkeep/faults/says" '"$fd $fd"'>"$TERMINAL" 3>&-'
        done
        release_terminal
    done
}

@test "where no thread may be made, they say so at their start" {
    as_user
    limited -u 1
    for DAY in day02 day03 day04; do
        start_error 'no thread may be made: .*ulimit -u.*pids.max' "${AS_USER[@]}" "${LIMITED[@]}" "$ROOT/$DAY/server" --port 0
    done
}

# As many as the completion queue holds, one more, and what Linux 6.2 to 6.9 hold back.
@test "there are slots for all that can be accepted when the last of --slots is taken" {
    for DAY in day03 day04; do
        start_server "$DAY"
        eventually 10 has_slots 1024
        stop_server
    done
    start_server day04 --slots 8
    eventually 10 has_slots 8
}
has_slots() { # FOR-CLIENTS: and the spare ones
    local table mask
    table=$(ring_info UserFiles)
    mask=$(ring_info CqMask)
    [ -n "$table" ] && [ -n "$mask" ] && [ "$table" -ge $(($1 + mask + 1 + 1 + 16)) ]
}

# bats test_tags=usage
@test "rings whose sizes are no powers of two are refused when compiled" {
    local n=0
    for wrong in '-DSQ_ENTRIES=5' '-DSQ_ENTRIES=100 -DCQ_ENTRIES=1024' '-DCQ_ENTRIES=1000'; do
        n=$((n + 1))
        run -2 "$ROOT/tests/upkeep/copy.sh" "$BATS_TEST_TMPDIR/copy.$n" "CPPFLAGS=$wrong" day04/server.o 3>&-
        [[ $output == *"the kernel rounds up to powers of two"* ]]
    done
}

@test "--trace to a file that may not grow any more: it serves" {
    limited -f 16 # KiB
    # shellcheck disable=SC2034 # start_server uses it
    STRACE=("${LIMITED[@]}")
    for DAY in day02 day03 day04; do
        STDERR_TO=$BATS_TEST_TMPDIR/$DAY.trace start_server "$DAY" --trace
        clients -n 100 send=5,ack,eof
        stop_server
        [ "$(stat -c %s "$BATS_TEST_TMPDIR/$DAY.trace")" -eq 16384 ]
    done
}

# A client has a second to close, and stops count as a second at most, so here its time is up when the
# server goes on: then it is read to the end of what has arrived, for a second and a quarter. That is
# tight where the machine is busy: a right server does it in one of six tries, a wrong one in none.
@test "stopped for longer than the idle timeout: bytes that have arrived are read" {
    for _ in {1..6}; do
        ! reads_what_came_while_stopped || return 0
    done
    false
}
# The bytes fill more than one buffer. The clients go on only when nothing of them is unread: by then a
# server that closed too early has reset them.
reads_what_came_while_stopped() {
    start_server day04 --idle-timeout 1 || return
    start_clients -n 5 send=5,ack,stdin,send=20000,stdin,half,closed
    await_waiting 1 0
    pause_server
    resume_clients 0
    await_waiting 2 0
    eventually 10 all_has_arrived
    read -r -t 2.5 <&"$NEVER" || true
    kill -CONT "$SERVER_PID"
    eventually 10 all_is_read
    resume_clients 0
    stop_server && await_clients
}
# By /proc/net/tcp, proc(5): nothing is in the send queue of a client; nothing in a receive queue of
# the server.
all_has_arrived() {
    awk -v "port=$(printf ':%04X' "$PORT")" '$3 ~ port "$" && $5 !~ /^00000000:/ { n++ } END { exit n > 0 }' /proc/net/tcp
}
all_is_read() {
    awk -v "port=$(printf ':%04X' "$PORT")" '$2 ~ port "$" && $5 !~ /:00000000$/ { n++ } END { exit n > 0 }' /proc/net/tcp
}

@test "SIGTERM: clients that have connected and asked, and wait for a slot, are answered" {
    start_server day04 --slots 1
    start_clients gone
    eventually 10 slots_used_are 1
    start_clients -n 20 send=5,stdin,ack,eof
    await_waiting 1 1
    kill -TERM "$SERVER_PID"
    resume_clients 1
    timeout 2 cat <&"$SERVER_OUT" >"$BATS_TEST_TMPDIR/last"
    await_exit
    await_clients
    require_silence
    grep -q '^served 20 clients' "$BATS_TEST_TMPDIR/last"
}

# The ticks come once a second, and the grace must not depend on when: tried at four times between
# two of them. A busy machine can make it longer, never shorter: of several tries one must do.
@test "SIGTERM: a client that does not close has half a second" {
    for delay in 0.05 0.3 0.6 0.9; do
        for _ in {1..5}; do
            grace_after "$delay"
            echo "SIGTERM $delay s after the answer: $GRACE ms"
            [ "$GRACE" -ge 400 ]
            [ "$GRACE" -gt 850 ] || break
        done
        [ "$GRACE" -le 850 ]
    done
}
grace_after() { # SECONDS: sets GRACE, how many milliseconds the server lives after SIGTERM
    local from
    start_server day04
    start_clients send=5,ack,eof,stdin
    await_waiting 1 "$((${#CLIENTS[@]} - 1))"
    read -r -t "$1" <&"$NEVER" || true
    from=${EPOCHREALTIME/./}
    kill -TERM "$SERVER_PID"
    await_exit
    GRACE=$(((${EPOCHREALTIME/./} - from) / 1000))
    resume_clients 0
    await_clients
}

# bats test_tags=usage
@test "wrong usage is named: the letter that is wrong, the value that is too much" {
    usage_error_says '^server: -z: unknown option' day04 -zt
    usage_error_says '^server: -z: unknown option' day04 -tz
    usage_error_says '^server: -t: unknown option' day01 -t
    usage_error_says '^server: --no-such-option: unknown option' day04 --no-such-option
    usage_error_says '^server: -t: takes no value' day04 --trace=1
}
usage_error_says() { # PATTERN DAY ARGUMENT...
    DAY=$2
    usage_error "${@:3}"
    grep -qE "$1" "$BATS_TEST_TMPDIR/err"
}

# bats test_tags=usage
@test "--help that cannot be written is an error" {
    local status=0
    for DAY in day01 day04; do
        status=0
        "$ROOT/$DAY/server" --help >/dev/full 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
        [ "$status" -eq 1 ]
        grep -q '^server: --help: No space left on device' "$BATS_TEST_TMPDIR/err"
    done
}

# bats test_tags=usage
@test "refusals are explained: a hidden io_uring, a lost completion, too few files in the whole system" {
    for DAY in day02 day03 day04; do
        refused io_uring_setup ENOSYS 'Function not implemented .*podman.*--security-opt seccomp=unconfined'
        refused io_uring_setup ENFILE 'Too many open files in system .*fs.file-max'
        refused io_uring_enter:when=2 EBADR '(Invalid request descriptor|No error information) \(.*no memory for a completion'
    done
    DAY=day01
    refused accept ENFILE 'Too many open files in system .*fs.file-max'
}

@test "SIGTERM when the listening socket cannot be shut down: it ends, and says so" {
    under_strace "$BATS_TEST_TMPDIR/strace" -e trace=shutdown -e inject=shutdown:error=ENOTCONN
    start_server day04
    clients -n 20 send=5,ack,eof
    kill -TERM "$SERVER_PID"
    local status=0
    await_exit || status=$?
    grep -q INJECTED "$BATS_TEST_TMPDIR/strace"
    [ "$status" -eq 1 ]
    grep -qE '^server: shutdown: (Transport endpoint is|Socket) not connected' "$ERR"
}

@test "2000 clients can connect while the server is stopped, whatever the C library's SOMAXCONN is" {
    [ "$(cat /proc/sys/net/core/somaxconn)" -ge 2000 ] || skip "net.core.somaxconn is too small"
    DAY=day01
    start_server "$DAY"
    pause_server
    start_clients -n 2000 send=5,stdin,ack,eof
    await_waiting 1 0
    kill -CONT "$SERVER_PID"
    resume_clients 0
    await_clients
}
