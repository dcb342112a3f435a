#!/usr/bin/env bats
# A kernel that refuses: servers, probe and doctor say what is wrong and what to do.

load ../../helpers
load ../../protocol

teardown() {
    [ -z "${FILE_MAX-}" ] || echo "$FILE_MAX" >/proc/sys/fs/file-max
    [ -z "${SERVER_PID-}" ] || stop_as_usual
}

# serves COMMAND...: when started by that command, the server of $DAY answers.
serves() {
    STRACE=("$@")
    start_server "$DAY"
    clients -n 20 send=5,ack,eof
    stop_as_usual
}

stop_as_usual() {
    case $DAY in day04) stop_server 0 ;; *) stop_server 143 ;; esac
}

# serves_or_says PATTERN COMMAND...: it answers, or it ends with status 1 and one line that matches.
serves_or_says() {
    local status=0
    STRACE=("${@:2}")
    if start_server "$DAY" && clients -n 20 send=5,ack,eof; then
        stop_as_usual
    else
        await_exit || status=$?
        [ "$status" -eq 1 ]
        [ "$(wc -l <"$ERR")" -eq 1 ]
        grep -qE "$1" "$ERR"
    fi
}

# refuses PATTERN COMMAND...: each day that needs a ring ends with such a line when started by that
# command; day 1 serves. So say probe and doctor.
refuses() {
    local pattern=$1
    shift
    for DAY in day02 day03 day04; do
        start_error "$pattern" "$@" "$ROOT/$DAY/server" --port 0
    done
    start_error "$pattern" "$@" "$ROOT/day02/probe"
    run -1 "$@" "$ROOT/tests/doctor.sh"
    grep -qE '^day01 +ok$' <<<"$output"
    [ "$(grep -cE "^day0[234] +no: .*$pattern" <<<"$output")" -eq 3 ]
    DAY=day01
    serves "$@"
}

# For what changes the machine for all: only where nothing is left of it.
in_a_guest() {
    grep -qw tests_may_change_sysctls /proc/cmdline || skip "only in boot.sh's guest"
}

io_uring_disabled() { # VALUE
    [ -e /proc/sys/kernel/io_uring_disabled ] || skip "this kernel has no such sysctl"
    echo "$1" >/proc/sys/kernel/io_uring_disabled
}

# Commands that go before another: as somebody who is not root, and with less of something.
as_user() {
    AS_USER=(env)
    [ "$(id -u)" -ne 0 ] || AS_USER=(setpriv --reuid=65534 --regid=65534 --clear-groups)
}
limited() { # OPTION VALUE: as ulimit takes them
    # shellcheck disable=SC2016 # for the other shell
    LIMITED=(bash -c 'ulimit "$1" "$2" && exec "${@:3}"' limited "$1" "$2")
}

@test "a seccomp filter that forbids io_uring" {
    refuses 'Operation not permitted .*kernel.io_uring_disabled.*seccomp' "$ROOT/tests/upkeep/kernels/refuse" EPERM
}

@test "a seccomp filter that hides io_uring" {
    refuses 'Function not implemented .*kernel.*container.*try' "$ROOT/tests/upkeep/kernels/refuse" ENOSYS
}

@test "kernel.io_uring_disabled 2: for nobody" {
    in_a_guest
    io_uring_disabled 2
    refuses 'Operation not permitted .*kernel.io_uring_disabled' env
    [[ $("$ROOT/tests/doctor.sh") == *"it is io_uring_disabled: sysctl"* ]]
    io_uring_disabled 0
}

@test "kernel.io_uring_disabled 1: for root only" {
    in_a_guest
    as_user
    DAY=day04
    io_uring_disabled 1
    serves env
    refuses 'Operation not permitted .*kernel.io_uring_disabled' "${AS_USER[@]}"
    [[ $("${AS_USER[@]}" "$ROOT/tests/doctor.sh") == *"it is io_uring_disabled: sysctl"* ]]
    io_uring_disabled 0
    DAY=day04
    serves "${AS_USER[@]}"
}

@test "few descriptors" {
    for DAY in day01 day02 day03 day04; do
        for n in 4 5 6 7 8 12; do # with fewer, the program itself cannot be loaded
            limited -n "$n"
            serves_or_says '(Too many open files|No file descriptors available) .*ulimit -n' "${LIMITED[@]}"
        done
    done
}

# No more files for the whole system; root is let through.
@test "fs.file-max: days 1 to 3 end and say so, day 4 serves on when there are files again" {
    in_a_guest
    as_user
    STRACE=("${AS_USER[@]}")
    local client
    FILE_MAX=$(cat /proc/sys/fs/file-max)
    for DAY in day01 day02 day03 day04; do
        start_server "$DAY"
        clients -n 20 send=5,ack,eof
        echo 0 >/proc/sys/fs/file-max
        if [ "$DAY" = day04 ]; then
            exec {client}<>"/dev/tcp/127.0.0.1/$PORT"
            uses_no_cpu_time 'a client that it cannot accept'
            clients -t 1 send=5,ack,eof && return 1
            echo "$FILE_MAX" >/proc/sys/fs/file-max
            clients -n 20 send=5,ack,eof
            exec {client}>&-
            stop_as_usual
        else
            eventually 10 ends_when_asked || uses_no_cpu_time 'clients that it cannot accept'
            echo "$FILE_MAX" >/proc/sys/fs/file-max
            ended_with_one_line 'Too many open files in system .*fs.file-max'
        fi
    done
}
ends_when_asked() { # more than once: an accept of day 1 that waits has its file already
    (: <>"/dev/tcp/127.0.0.1/$PORT") 2>"$BATS_TEST_TMPDIR/refused" || true
    has_ended "$SERVER_PID"
}
ended_with_one_line() { # PATTERN
    local status=0
    await_exit || status=$?
    [ "$status" -eq 1 ] && [ "$(wc -l <"$ERR")" -eq 1 ] && grep -qE "$1" "$ERR"
}

@test "fewer descriptors than slots: with --slots it serves" {
    DAY=day04
    limited -n 1500
    start_error '(Too many open files|No file descriptors available) .*ulimit -n.*--slots' "${LIMITED[@]}" "$ROOT/day04/server" --port 0
    # shellcheck disable=SC2034 # start_server uses it
    STRACE=("${LIMITED[@]}")
    start_server day04 --slots 100
    clients -n 200 send=5,ack,eof
    stop_server 0
}

@test "no locked memory, which some kernels want for a ring if one is not root" {
    as_user
    limited -l 0
    for DAY in day02 day03 day04; do
        serves_or_says '(Cannot allocate|Out of) memory .*ulimit -l' "${AS_USER[@]}" "${LIMITED[@]}"
    done
}

@test "a kernel that refuses a setup flag" {
    for DAY in day02 day03 day04; do
        ASAN_OPTIONS=detect_leaks=0 start_error 'io_uring_queue_init_params: Invalid argument .*try Linux 6.1' \
            strace -qq -o "$BATS_TEST_TMPDIR/strace" -e inject=io_uring_setup:error=EINVAL "$ROOT/$DAY/server" --port 0
    done
}

@test "a kernel that cannot register what days 3 and 4 need" {
    for DAY in day03 day04; do
        for n in 1 2; do
            ASAN_OPTIONS=detect_leaks=0 start_error 'io_uring_register_.*Invalid argument .*try Linux 6.1' \
                strace -qq -o "$BATS_TEST_TMPDIR/strace" -e "inject=io_uring_register:error=EINVAL:when=$n" \
                "$ROOT/$DAY/server" --port 0
        done
    done
}
