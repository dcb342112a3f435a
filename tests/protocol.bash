# What every day must do, whatever it is made of. Each function is the body of one test; it relies
# on --port, the ready line and the protocol only.

answers_nc() {
    local half_close=()
    if nc -h 2>&1 | grep -q -e '-N'; then half_close=(-N); fi
    [ "$(echo hello | timeout 10 nc "${half_close[@]}" 127.0.0.1 "$PORT" 3>&-)" = ack ]
}

answers_every_size() {
    for size in 1 1023 1024 1025 100000; do
        clients "send=$size,ack,eof"
        clients "send=$size,half,ack,eof"
    done
}

answers_binary_data() {
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    printf '\0\1\377\0' >&"$tcp"
    [ "$(timeout 10 od -An -c <&"$tcp")" = '   a   c   k  \n' ]
    exec {tcp}>&-
}

answers_byte_by_byte() {
    clients drip=50,ack,eof
}

gives_an_empty_client_no_answer() {
    clients half,eof
}

answers_60_in_a_row() {
    clients -n 60 -c 1 send=5,ack,eof
}

answers_200_at_once() {
    clients -n 200 send=5,ack,eof
}

survives_resets() {
    clients -n 60 reset
    clients -n 60 send=5,reset
    clients -n 60 send=5,ack,reset
    clients -n 60 send=100000,reset
    clients -n 20 -c 1 send=5,ack,eof
}

# The command line and the start; no server is running.

usage_error() { # ARGUMENT...: refused with status 2 and one line
    local status=0
    "${SERVER:-$ROOT/$DAY/server}" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
    if [ "$status" -ne 2 ] || [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -ne 1 ] || [ -s "$BATS_TEST_TMPDIR/out" ]; then
        echo "status $status for: $*"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
}

start_error() { # PATTERN COMMAND...: exits 1 with one line that matches
    local status=0 pattern=$1
    shift
    timeout 10 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
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
    takes --help
    listed=$("${SERVER:-$ROOT/$DAY/server}" --help 3>&- | grep -oE -e '--[a-z-]+' | tr '\n' ' ')
    [ "$listed" = "$wanted " ] || { echo "listed: $listed"; return 1; }
}

opens_missing_descriptors() {
    # The listening socket must not become descriptor 0, 1 or 2.
    "${SERVER:-$ROOT/$DAY/server}" --port 0 3>&- 0<&- 1>&- 2>&- &
    local pid=$! status=0
    eventually 10 listens_with_three_null_descriptors "$pid"
    kill "$pid"
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
