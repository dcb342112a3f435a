# What every day must do, whatever it is made of. Each function is the body of one test.
#
# The contract, which "make grade" holds any program to: it relies on --port, the ready line and the
# protocol only. Payloads are random, by $SEED; $PATIENCE is what a program may take for a step.

PATIENCE=${PATIENCE:-10}
SEED=${SEED:-$RANDOM}

# differs SENT CAME-BACK EXPECTED: fails, and says why, as tests/client.c does.
differs() {
    echo "(sent $1; came back $2; expected $3), seed $SEED"
    return 1
}

# some_clients [OPTION...] SCRIPT...: clients that send random bytes.
some_clients() {
    clients -s "$SEED" "$@" || {
        echo "seed $SEED"
        return 1
    }
}

answers_on_its_port() {
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT" ||
        differs "a connection to port $PORT, as the ready line says" "an error" "a connection"
    exec {tcp}>&-
}

answers_four_bytes() {
    some_clients send=5,ack,eof
}

answers_nc() {
    local half_close=() got status=0
    if nc -h 2>&1 | grep -q -e '-N'; then half_close=(-N); fi
    got=$(
        set -o pipefail
        echo hello | timeout -k 1 "$PATIENCE" nc "${half_close[@]}" 127.0.0.1 "$PORT" 3>&- | od -An -c | tr -s ' '
    ) || status=$?
    if [ "$status" -eq 124 ]; then got+=", but no end"; fi
    [ "$got" = ' a c k \n' ] || differs '"hello\n", by nc' "${got:-no byte}" '"ack\n", then the end'
}

answers_every_size() {
    for size in 1 1023 1024 1025 100000; do
        some_clients "send=$size,ack,eof"
        some_clients "send=$size,half,ack,eof"
    done
}

# Every single one that is likely to be special, so that none is left to chance.
answers_all_small_sizes() {
    some_clients -n 4100 -c 16 send=1-4100,ack,eof
}

answers_sizes_around_powers_of_two() {
    for power in {13..21}; do
        some_clients -n 3 "send=$((2 ** power - 1))-$((2 ** power + 1)),ack,eof"
    done
}

answers_random_sizes() {
    RANDOM=$SEED
    for _ in {1..8}; do
        some_clients -n 2 "send=$((1 + (RANDOM << 15 | RANDOM) % 500000)),ack,eof"
        some_clients -n 2 "send=$((1 + (RANDOM << 15 | RANDOM) % 500000)),half,ack,eof"
    done
}

answers_large_requests() {
    for size in 2000 65536 1000000 3000000; do
        some_clients -n 8 "send=$size,ack,eof"
        some_clients -n 8 "send=$size,half,ack,eof"
    done
}

answers_binary_data() {
    local got
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    printf '\0\1\377\0' >&"$tcp"
    got=$(timeout -k 1 "$PATIENCE" od -An -c <&"$tcp" | tr -s ' ') || true
    exec {tcp}>&-
    [ "$got" = ' a c k \n' ] ||
        differs '4 bytes "\x00\x01\xff\x00"' "${got:-no byte, or no end}" '"ack\n", then the end'
}

answers_byte_by_byte() {
    some_clients drip=50,ack,eof
}

gives_an_empty_client_no_answer() {
    some_clients half,eof
}

reads_what_follows() {
    some_clients -n 10 send=5,ack,eof,send=100000,half
}

answers_60_in_a_row() {
    some_clients -n 60 -c 1 send=5,ack,eof
}

answers_200_at_once() {
    some_clients -n 200 send=5,ack,eof
}

answers_3000() {
    some_clients -n 3000 -c 50 send=5,ack,eof send=2000,half,ack,eof half,eof
}

survives_resets() {
    some_clients -n 60 reset
    some_clients -n 60 send=5,reset
    some_clients -n 60 send=5,ack,reset
    some_clients -n 60 send=100000,reset
    some_clients -n 20 -c 1 send=5,ack,eof
}

survives_1500_resets() {
    some_clients -n 300 reset
    some_clients -n 300 send=5,reset
    some_clients -n 300 send=100000,reset
    some_clients -n 300 send=5,ack,reset
    some_clients -n 300 reset send=5,reset send=5,ack,reset drip=9,reset half,reset
    some_clients -n 20 -c 1 send=5,ack,eof
}

# await_stop N: what await_waiting 1 N does, but with the patience of the others here, and if they do
# not come to their "stdin" it says why.
await_stop() {
    eventually "$PATIENCE" has_lines 1 waiting "$BATS_TEST_TMPDIR/clients.$1" || {
        await_clients
        return 1
    }
}

# serves_beside SCRIPT: 20 clients in a row, while 200 are connected that have come to their "stdin".
serves_beside() {
    start_clients -n 200 "$1"
    await_stop 0
    some_clients -n 20 -c 1 send=5,ack,eof || {
        echo "with 200 clients connected: $1"
        return 1
    }
    resume_clients 0
    await_clients
}

# The program's processes: it may have started others.
server_processes() {
    ps -e -o pid= -o ppid= | awk -v top="$SERVER_PID" '
        { parent[$1] = $2 }
        END { for (pid in parent) {
                  for (p = pid; p != top && p in parent; p = parent[p]) { }
                  if (p == top) print pid } }'
}

open_descriptors() {
    local pid fd n=0
    for pid in $(server_processes); do
        for fd in /proc/"$pid"/fd/*; do
            # There may be no such process any more.
            [ ! -L "$fd" ] || n=$((n + 1))
        done
    done
    echo "$n"
}

# lowest COMMAND: the lowest number, but for 0, that it prints within half a second.
lowest() {
    local n least=0
    for _ in {1..5}; do
        n=$("$@")
        ((n == 0 || (least > 0 && least <= n))) || least=$n
        read -r -t 0.1 <&"$NEVER" || true
    done
    echo "$least"
}

has_ring() { [ -n "$(used_slots)" ]; }

# A program of the reader need not have one; ours must.
may_have_ring() { [ -z "${SERVER-}" ] || [ -z "${SERVER_PID-}" ] || has_ring; }

# needs_ring: skips the test when the reader's program has none.
needs_ring() { may_have_ring || skip "no ring"; }

descriptors_are_at_most() { [ "$(open_descriptors)" -le "$1" ]; }

mixed_clients() {
    some_clients -n 400 -c 40 send=5,ack,eof half,eof reset send=5,reset send=5,ack,reset send=100000,reset
}

# The first clients may make it open things for good.
leaves_nothing_open() {
    local before slots=0 idle
    mixed_clients
    before=$(lowest open_descriptors)
    if has_ring; then
        slots=$(slots_with_one_idle_client)
    fi
    mixed_clients
    eventually "$PATIENCE" descriptors_are_at_most "$before" ||
        differs "400 clients, all of them gone" "$(open_descriptors) open descriptors" "$before, as before"
    [ "$slots" -gt 0 ] || return 0
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT"
    eventually "$PATIENCE" slots_used_are "$slots" ||
        differs "400 clients that are gone, and one that is there" "$(used_slots) used slots of the ring" "$slots, as before"
    exec {idle}>&-
}

slots_with_one_idle_client() {
    local idle
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT"
    lowest used_slots
    exec {idle}>&-
}

# In ticks, of which there are 100 in a second; of its processes and those that they have waited for.
cpu_time() {
    local pid
    for pid in $(server_processes); do
        cat "/proc/$pid/stat" 2>/dev/null || true
    done | sed 's/.*) //' | awk '{ n += $12 + $13 + $14 + $15 } END { print n + 0 }'
}

# The lowest of four times half a second: it may have had something to put in order.
uses_no_cpu_time() { # WITH
    local before used least=1000
    for _ in {1..4}; do
        before=$(cpu_time)
        read -r -t 0.5 <&"$NEVER" || true
        used=$(($(cpu_time) - before))
        [ "$used" -ge "$least" ] || least=$used
        [ "$least" -gt 3 ] || return 0
    done
    differs "nothing for half a second${1:+, with $1}" "${least}0 ms of CPU time used" "30 ms at most"
}

is_idle_without_clients() {
    some_clients -n 20 send=5,ack,eof
    uses_no_cpu_time
}

is_idle_with_clients() { # WHAT SCRIPT...
    local script
    for script in "${@:2}"; do
        start_clients "$script"
        await_stop "$((${#CLIENTS[@]} - 1))"
    done
    uses_no_cpu_time "$1"
    resume_clients "${!CLIENTS[@]}"
    await_clients
}

has_ended() { [[ ! -e /proc/$1 || $(<"/proc/$1/stat") == *") Z "* ]]; }

# ends_on_sigterm STATUS...
ends_on_sigterm() {
    local pid=$SERVER_PID status=0
    some_clients -n 20 send=5,ack,eof
    kill -TERM "$pid"
    eventually "$PATIENCE" has_ended "$pid" || differs "SIGTERM, without clients" "no end in $PATIENCE s" "status $*"
    await_exit || status=$?
    [[ " $* " == *" $status "* ]] ||
        differs "SIGTERM, without clients" "status $status" "status ${*/143/143, that of a program that SIGTERM killed, or}"
}

# The command line and the start; no server is running.

usage_error() { # ARGUMENT...: refused with status 2 and one line
    local status=0
    timeout -k 1 10 "${SERVER:-$ROOT/$DAY/server}" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
    if [ "$status" -ne 2 ] || [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -ne 1 ] || [ -s "$BATS_TEST_TMPDIR/out" ]; then
        echo "status $status for: $*"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
}

start_error() { # PATTERN COMMAND...: exits 1 with one line that matches
    local status=0 pattern=$1
    shift
    timeout -k 1 10 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
    if [ "$status" -ne 1 ] || [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -ne 1 ] || ! grep -qE "$pattern" "$BATS_TEST_TMPDIR/err"; then
        echo "status $status for: $*; no '$pattern' in:"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
}

refuses_wrong_usage() {
    takes --address
    for value in 65536 99999 4242x x -1 +1 '' ' 1' 0x10 1.5 99999999999999999999; do
        usage_error --port "$value"
        usage_error -p "$value"
    done
    for value in '' localhost 1.2.3 1.2.3.4.5 ::1; do usage_error --address "$value"; done
    usage_error --port
    usage_error --no-such-option
    usage_error -z
    usage_error argument
}

says_why_it_cannot_bind() {
    takes --address
    start_error "^[^:]+: bind 127\.0\.0\.1:$PORT: Address already in use \(try --port\)$" \
        "${SERVER:-$ROOT/$DAY/server}" --port "$PORT"
    start_error '^[^:]+: bind 192\.0\.2\.1:0: Cannot assign requested address \(.*--address' \
        "${SERVER:-$ROOT/$DAY/server}" --address 192.0.2.1 --port 0
}

lists_its_options() { # OPTION...: --help names these long options and no others
    local wanted="$*" listed
    takes --address
    listed=$(timeout -k 1 5 "${SERVER:-$ROOT/$DAY/server}" --help 3>&- | grep -oE -e '--[a-z-]+' | tr '\n' ' ')
    [ "$listed" = "$wanted " ] || { echo "listed: $listed"; return 1; }
}

opens_missing_descriptors() {
    # The listening socket must not become descriptor 0, 1 or 2.
    "${SERVER:-$ROOT/$DAY/server}" --port 0 3>&- 0<&- 1>&- 2>&- &
    local pid=$! status=0
    eventually 10 listens_with_three_null_descriptors "$pid" || {
        kill -KILL "$pid"
        return 1
    }
    kill "$pid"
    eventually 10 has_ended "$pid" || kill -KILL "$pid"
    wait "$pid" || status=$?
    [ "$status" -eq 143 ] || [ "$status" -eq 0 ]
}

listens_with_three_null_descriptors() {
    [ "$(readlink "/proc/$1/fd/0" "/proc/$1/fd/1" "/proc/$1/fd/2" | grep -c '^/dev/null$')" -eq 3 ] &&
        readlink "/proc/$1"/fd/* | grep -q '^socket:'
}

# What the ring refuses at start: one line that says what, why and what to try. strace answers in
# place of the kernel, with the kernel's own error numbers.
refused() { # CALL ERROR PATTERN
    # Where the sanitizers are in: LeakSanitizer cannot work under strace.
    ASAN_OPTIONS=detect_leaks=0 start_error "$3" strace -f -qq -o "$BATS_TEST_TMPDIR/strace" \
        -e "inject=$1:error=$2" "${SERVER:-$ROOT/$DAY/server}" --port 0
}

explains_refusals() {
    takes --trace
    local sysctl='does not exist here'
    [ ! -e /proc/sys/kernel/io_uring_disabled ] || sysctl="is $(</proc/sys/kernel/io_uring_disabled)"
    refused io_uring_setup EPERM "Operation not permitted .*kernel.io_uring_disabled $sysctl.*seccomp"
    refused io_uring_setup ENOSYS 'Function not implemented .*kernel'
    refused io_uring_setup ENOMEM 'Cannot allocate memory .*memlock.*ulimit -l'
    refused io_uring_setup EMFILE 'Too many open files .*ulimit -n'
    [ "$DAY" != day02 ] || return 0
    refused io_uring_register EPERM 'register.*Operation not permitted'
    refused io_uring_register EMFILE 'register.*ulimit -n'
}

if [ -n "${GRADE-}" ]; then load grade/grade; fi
