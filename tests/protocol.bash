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
    local scripts=()
    for size in 1 1023 1024 1025 100000; do
        scripts+=("send=$size,ack,eof" "send=$size,half,ack,eof")
    done
    some_clients -c 1 "${scripts[@]}"
}

# Every single one that is likely to be special, so that none is left to chance.
answers_all_small_sizes() {
    some_clients -n 4100 -c 16 send=1-4100,ack,eof
}

answers_sizes_around_powers_of_two() {
    local scripts=()
    for power in {13..21}; do
        scripts+=("send=$((2 ** power - 1)),ack,eof" "send=$((2 ** power)),ack,eof" "send=$((2 ** power + 1)),ack,eof")
    done
    some_clients -c 3 "${scripts[@]}"
}

answers_random_sizes() {
    local scripts=()
    RANDOM=$SEED
    for _ in {1..16}; do
        scripts+=("send=$((1 + (RANDOM << 15 | RANDOM) % 500000)),ack,eof")
        scripts+=("send=$((1 + (RANDOM << 15 | RANDOM) % 500000)),half,ack,eof")
    done
    some_clients -c 2 "${scripts[@]}"
}

answers_large_requests() {
    local scripts=()
    for size in 2000 65536 1000000 3000000; do
        for _ in {1..8}; do scripts+=("send=$size,ack,eof" "send=$size,half,ack,eof"); done
    done
    some_clients -c 8 "${scripts[@]}"
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

# More than the kernel takes in for a server that does not read (131072 bytes by default, tcp(7)).
reads_what_follows() {
    some_clients -n 10 send=5,ack,eof,send=1000000,half
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

# 40 at once: some libraries have a backlog of 50.
survives_resets() {
    some_clients -n 60 -c 40 reset
    some_clients -n 60 -c 40 send=5,reset
    some_clients -n 60 -c 40 send=5,ack,reset
    some_clients -n 60 -c 40 send=100000,reset
    some_clients -n 20 -c 1 send=5,ack,eof
}

survives_1500_resets() {
    some_clients -n 300 -c 40 reset
    some_clients -n 300 -c 40 send=5,reset
    some_clients -n 300 -c 40 send=100000,reset
    some_clients -n 300 -c 40 send=5,ack,reset
    some_clients -n 300 -c 40 reset send=5,reset send=5,ack,reset drip=9,reset half,reset
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

# A wait that a signal cuts short is no error.
ignores_signals_that_ask_for_nothing() {
    start_clients -n 50 -c 1 drip=20,ack,eof
    for _ in {1..20}; do
        kill -STOP "$SERVER_PID"
        kill -CHLD "$SERVER_PID"
        kill -WINCH "$SERVER_PID"
        kill -CONT "$SERVER_PID"
    done
    await_clients
    clients -n 20 send=5,ack,eof
}

# serves_one_beside SCRIPT: while one client is connected that has come to its "stdin", another one is
# answered. What came of it is noted, so that a program that serves one client at a time is held once.
serves_one_beside() {
    local note=$BATS_FILE_TMPDIR/beside.$1
    if [ ! -e "$note" ]; then
        start_clients "$1"
        await_stop 0
        clients -t 5 send=5,ack,eof >"$note" || echo "with a client connected: $1" >>"$note"
        resume_clients 0
        await_clients
    fi
    if grep -q connected: "$note"; then
        cat "$note"
        return 1
    fi
}

# needs_many: skips the test when a reader's program serves one client at a time.
needs_many() {
    [ -z "${SERVER-}" ] || serves_one_beside stdin,send=5,ack,eof || skip "one client at a time"
}

# serves_beside SCRIPT: 20 clients in a row, while 200 are connected that have come to their "stdin".
serves_beside() {
    serves_one_beside "$1"
    start_clients -n 200 "$1"
    await_stop 0
    some_clients -n 20 -c 1 send=5,ack,eof || {
        echo "with 200 clients connected: $1"
        return 1
    }
    resume_clients 0
    await_clients
}

# find_processes: PROCESSES are the program's: it may have started others. It is asked often, and ps costs more
# than all else here: the kernel knows the children, where CONFIG_PROC_CHILDREN is on. proc_tid_children(5)
find_processes() {
    local n file children
    PROCESSES=("$SERVER_PID")
    if [ ! -e "/proc/$$/task/$$/children" ]; then
        mapfile -t PROCESSES < <(ps -e -o pid= -o ppid= | awk -v top="$SERVER_PID" '
            { parent[$1] = $2 }
            END { for (pid in parent) {
                      for (p = pid; p != top && p in parent; p = parent[p]) { }
                      if (p == top) print pid } }')
        return
    fi
    for ((n = 0; n < ${#PROCESSES[@]}; n++)); do
        for file in /proc/"${PROCESSES[n]}"/task/*/children; do
            children=''
            read -r children <"$file" || true # no newline; or there is no such process any more
            # shellcheck disable=SC2206 # words
            PROCESSES+=($children)
        done
    done 2>/dev/null
}

open_descriptors() {
    local pid fd n=0
    find_processes
    for pid in "${PROCESSES[@]}"; do
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

# needs_ring: skips the test when the reader's program has none; ours has one.
needs_ring() { has_ring || [ -z "${SERVER-}" ] || skip "no ring"; }

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

# cpu_time: TICKS, of which there are 100 in a second, of its processes and those that they have waited for.
cpu_time() {
    local pid stat fields
    find_processes
    TICKS=0
    for pid in "${PROCESSES[@]}"; do
        stat=''
        IFS= read -r -d '' stat <"/proc/$pid/stat" || true
        # shellcheck disable=SC2206 # words
        fields=(${stat##*) }) # from the third on
        TICKS=$((TICKS + ${fields[11]-0} + ${fields[12]-0} + ${fields[13]-0} + ${fields[14]-0}))
    done 2>/dev/null
}

# The lowest of four times half a second: it may have had something to put in order.
uses_no_cpu_time() { # WITH
    local before used least=1000
    for _ in {1..4}; do
        cpu_time
        before=$TICKS
        read -r -t 0.5 <&"$NEVER" || true
        cpu_time
        used=$((TICKS - before))
        [ "$used" -ge "$least" ] || least=$used
        [ "$least" -gt $((3 * SLOWER)) ] || return 0
    done
    differs "nothing for half a second${1:+, with $1}" "${least}0 ms of CPU time used" "$((3 * SLOWER))0 ms at most"
}

is_idle_without_clients() {
    some_clients -n 20 send=5,ack,eof
    uses_no_cpu_time
}

is_idle_with_clients() { # WHAT SCRIPT...
    local script
    [ $# -lt 3 ] || [ -n "${GRADE-}" ] || needs_many
    for script in "${@:2}"; do
        start_clients "$script"
        await_stop "$((${#CLIENTS[@]} - 1))"
    done
    uses_no_cpu_time "$1"
    resume_clients "${!CLIENTS[@]}"
    await_clients
}

has_ended() { # PID
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0 # no such process any more
    [[ $stat == *") Z "* ]]
}

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
    timeout -k 1 10 "$(server_path)" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
    mapfile -t lines <"$BATS_TEST_TMPDIR/err"
    if [ "$status" -ne 2 ] || [ "${#lines[@]}" -ne 1 ] || [ -s "$BATS_TEST_TMPDIR/out" ]; then
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
    start_error "^[^:]+: bind 127\.0\.0\.1:$PORT: Address (already )?in use \(try again in a moment, or --port\)$" \
        "$(server_path)" --port "$PORT"
    start_error '^[^:]+: bind 192\.0\.2\.1:0: (Cannot assign requested address|Address not available) \(.*--address' \
        "$(server_path)" --address 192.0.2.1 --port 0
}

lists_its_options() { # OPTION...: --help names these long options and no others
    local wanted="$*" listed
    takes --address
    listed=$(timeout -k 1 5 "$(server_path)" --help 3>&- | grep -oE -e '--[a-z-]+' | tr '\n' ' ')
    [ "$listed" = "$wanted " ] || { echo "listed: $listed"; return 1; }
}

opens_missing_descriptors() {
    takes --address
    # The listening socket must not become descriptor 0, 1 or 2.
    "$(server_path)" --port 0 3>&- 0<&- 1>&- 2>&- &
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
    [ "$(descriptors_of "$1" | grep -c "/fd/[012]' -> '/dev/null'")" -eq 3 ] && descriptors_of "$1" | grep -q socket:
}

# What the ring refuses at start: one line that says what, why and what to try. strace answers in
# place of the kernel, with the kernel's own error numbers.
refused() { # CALL ERROR PATTERN
    # Where the sanitizers are in: LeakSanitizer cannot work under strace.
    ASAN_OPTIONS=detect_leaks=0 start_error "$3" strace -f -qq -o "$BATS_TEST_TMPDIR/strace" \
        -e "inject=$1:error=$2" "$(server_path)" --port 0
}

explains_refusals() {
    takes --trace
    refused io_uring_setup EPERM 'Operation not permitted .*io_uring_disabled.*seccomp'
    refused io_uring_setup ENOSYS 'Function not implemented .*kernel'
    refused io_uring_setup ENOMEM '(Cannot allocate|Out of) memory .*memlock.*ulimit -l'
    refused io_uring_setup EMFILE '(Too many open files|No file descriptors available) .*ulimit -n'
    refused io_uring_setup ENFILE 'Too many open files in system .*fs.file-max'
    [ "$DAY" != day02 ] || return 0
    refused io_uring_register EPERM 'register.*Operation not permitted'
    refused io_uring_register EMFILE 'register.*ulimit -n'
}

if [ -n "${GRADE-}" ]; then load "$ROOT/tests/grade/grade"; fi
