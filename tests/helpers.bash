# What the tests share. A test file says:
#
#   load helpers
#   DAY=day04
#
# and each of its tests has a server of that day. It may have its own setup() and teardown().
# A reader's own server is tested with SERVER=path/to/mine bats tests/day04.bats
#
# shellcheck disable=SC2119,SC2120 # stop_server: the tests give it arguments

bats_require_minimum_version 1.8.0

# What a wait may take is so many times longer; in an emulator, 5.
SLOWER=${SLOWER:-1}

setup() { [ -z "${DAY-}" ] || start_server "$DAY"; }

# Of day 4, all slots must be free again after a test that passed. Clients that a test has left waiting
# go on, and end as the server has.
teardown() { end_test; }
end_test() {
    local status=0
    [ "${DAY-}" != day04 ] || [ -z "${BATS_TEST_COMPLETED-}" ] || require_free_slots || status=1
    stop_server || status=1
    resume_clients "${!CLIENTS[@]}"
    return "$status"
}

# restart_server [OPTION...]: another one in place of the one that setup() started.
restart_server() {
    stop_server
    start_server "$DAY" "$@"
}

ROOT=$(cd "$BATS_TEST_DIRNAME" && while [ ! -e common ]; do cd ..; done && pwd)

exec {NEVER}<> <(:) # nothing ever comes from here

# server_path [DAY]: the program that is tested: that of the reader, or of the day; PROGRAM is another of a day.
server_path() { echo "${SERVER:-$ROOT/${1:-$DAY}/${PROGRAM:-server}}"; }

# start_server DAY [OPTION...]: starts the server of that day on a free port, waits for its ready
# line, and sets PORT and SERVER_PID. Its further output is in $OUT, its errors are in $ERR.
start_server() {
    local line binary
    binary=$(server_path "$1")
    shift
    OUT=$BATS_TEST_TMPDIR/server.out ERR=$BATS_TEST_TMPDIR/server.err
    # fd 3 is bats' own: a server that kept it would make bats wait for ever.
    exec {SERVER_OUT}< <(exec "${STRACE[@]}" "$binary" --port 0 "$@" 2>"${STDERR_TO:-$ERR}" 3>&-)
    SERVER_PID=$!
    if ! read -r -t 20 line <&"$SERVER_OUT" || [[ ! $line =~ ^listening\ on\ 127\.0\.0\.1:[0-9]+$ ]]; then
        echo "no ready line, but '$line' and on stderr: $(<"$ERR")"
        return 1
    fi
    PORT=${line##*:}
}

# under_strace FILE OPTION...: servers that are started from now on run under strace, which writes
# to FILE. LeakSanitizer, where it is compiled in, cannot work there.
STRACE=()
under_strace() {
    STRACE=(strace -D -qq -o "$@")
    export ASAN_OPTIONS=detect_leaks=0
}

# stop_server [STATUS [SIGNAL]]: ends the server and requires that it ends with that status (day 4: 0,
# else 143, as killed by SIGTERM) within 5 seconds, and that it said nothing on stderr. A reader's
# server may also end with 143 on day 4: one test there is about that, and it says so itself.
stop_server() {
    local wanted=${1-} status=0
    [ -n "${SERVER_PID-}" ] || return 0
    [ -n "$wanted" ] || case $DAY in day0[123]) wanted=143 ;; *) wanted="0${SERVER:+ 143}" ;; esac
    kill -s "${2:-TERM}" "$SERVER_PID"
    await_exit || status=$?
    if [[ " $wanted " != *" $status "* ]]; then
        echo "the server ended with status $status, not ${wanted/ / or }"
        cat "$ERR"
        return 1
    fi
    require_silence
}

# await_exit: the exit status of the server; it is killed if it has not ended in 5 seconds. What it
# had still to say goes to $OUT.
await_exit() {
    local pid=$SERVER_PID status=0 rest=''
    unset SERVER_PID
    IFS= read -r -d '' -t 5 rest <&"$SERVER_OUT" || [ $? -le 128 ] || kill -KILL "$pid" # 1: its end
    printf %s "$rest" >"$OUT"
    exec {SERVER_OUT}<&-
    wait "$pid" || status=$?
    return "$status"
}

# Nothing on stderr: a sanitizer's report fails the test by this.
require_silence() {
    [ ! -s "$ERR" ] || { cat "$ERR"; return 1; }
}

# clients [OPTION...] SCRIPT...: real clients against the server, see tests/client.c. All must
# go through their script.
clients() {
    local options=()
    [ "$SLOWER" -eq 1 ] || options=(-p $((30 * SLOWER)))
    while [[ $1 == -* ]]; do
        [ "$1" != -t ] || set -- -t $(($2 * SLOWER)) "${@:3}"
        options+=("$1" "$2")
        shift 2
    done
    "$ROOT/tests/client" "${options[@]}" "$PORT" "$@" 3>&-
}

# start_clients: the same in the background; the first are number 0. Those with a step "stdin" wait
# there for resume_clients.
start_clients() {
    local n=${#CLIENTS[@]} fd
    mkfifo "$BATS_TEST_TMPDIR/stdin.$n"
    exec {fd}<>"$BATS_TEST_TMPDIR/stdin.$n"
    CLIENTS_STDIN+=("$fd")
    clients "$@" <&"$fd" >"$BATS_TEST_TMPDIR/clients.$n" &
    CLIENTS+=($!)
}

# await_waiting STEP N...: until the clients of these numbers have come to their STEPth "stdin".
await_waiting() {
    local step=$1 n
    shift
    for n; do
        eventually 20 has_lines "$step" waiting "$BATS_TEST_TMPDIR/clients.$n"
    done
}
has_lines() { [ "$(grep -c "$2" "$3")" -ge "$1" ]; }

# resume_clients N...
resume_clients() {
    local n
    for n; do echo >&"${CLIENTS_STDIN[n]}"; done
}

# await_clients: all clients in the background have ended, and went through their scripts.
await_clients() {
    local n fd status=0
    for n in "${!CLIENTS[@]}"; do
        wait "${CLIENTS[n]}" || { status=1; cat "$BATS_TEST_TMPDIR/clients.$n"; }
        rm "$BATS_TEST_TMPDIR/stdin.$n"
        fd=${CLIENTS_STDIN[n]}
        exec {fd}>&-
    done
    CLIENTS=() CLIENTS_STDIN=()
    return "$status"
}

# takes OPTION: skips the test when the program's --help does not list that option.
takes() {
    timeout -k 1 5 "$(server_path)" --help 2>&1 3>&- | grep -q -e "$1" || skip "its --help has no option $1"
}

# used_slots: how many slots of the ring's file table are in use, by /proc/PID/fdinfo. The kernel
# leaves the table out while the ring is busy: read until it says what it should (eventually).
used_slots() {
    # "UserFiles: N", then a line for each slot; some kernels show the free ones as <none>
    awk '/^UserFiles:/ { on = 1; next } /^[A-Z]/ { on = 0 }
         on && /[0-9]: / && !/<none>/ { n++ } END { print n + 0 }' "/proc/$SERVER_PID"/fdinfo/*
}

# descriptors_of PID: a line for each, '/proc/PID/fd/N' -> 'WHAT'. Busybox's find and readlink cannot.
descriptors_of() { stat -c %N "/proc/$1"/fd/*; }

has_ring() { # one with a table of files; the kernel leaves it out, too, while the ring is busy
    descriptors_of "$SERVER_PID" | grep -q io_uring &&
        eventually 1 grep -qsE '^UserFiles:[[:space:]]*[1-9]' "/proc/$SERVER_PID"/fdinfo/* >/dev/null
}

slots_used_are() { [ "$(used_slots)" = "$1" ]; }

# with_unread PATTERN: how many clients of the server, accepted or not, have so many bytes waiting there, in
# eight hexadecimal digits. proc_net(5)
with_unread() {
    # tcp6, because a reader's program may have such sockets; it is not there where IPv6 is off
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "$PORT")" -v bytes=":$1" '
        $2 ~ port "$" && $4 == "01" && $5 ~ bytes "$" { n++ } END { print n + 0 }'
}

# unread N BYTES: so many clients have so many bytes waiting.
unread() { [ "$(with_unread "$(printf %08X "$2")")" -eq "$1" ]; }

# All slots are free again: when one idle client is connected, its slot is the only one in use. (A
# program of the reader need not have a ring.)
require_free_slots() {
    [ -n "${SERVER_PID-}" ] || return 0
    has_ring || [ -z "${SERVER-}" ] || return 0
    (: <>"/dev/tcp/127.0.0.1/$PORT") || return # it is gone
    eventually 30 only_idle_slot_is_used
}
only_idle_slot_is_used() { # with a new idle client at each try: the idle timeout may be short
    local idle status=0
    exec {idle}<>"/dev/tcp/127.0.0.1/$PORT" || return
    eventually 5 slots_used_are 1 >/dev/null || status=1
    exec {idle}>&-
    return "$status"
}

# server_kib FIELD: VmRSS, VmHWM and the like of the server, in KiB. proc(5)
server_kib() { awk -v "field=$1:" '$1 == field { print $2 }' "/proc/$SERVER_PID/status"; }

# eventually SECONDS COMMAND...: until the command succeeds, or the time is up.
eventually() {
    local deadline=$((SECONDS + $1 * SLOWER))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || { echo "not so in time: $*"; return 1; }
        read -r -t 0.02 <&"$NEVER" || true # a pause, without a process
    done
}

# pause_server: stops it with SIGSTOP, and waits until it has stopped: before that it may still read what
# comes. kill -CONT lets it go on.
pause_server() {
    kill -STOP "$SERVER_PID"
    eventually 10 has_stopped "$SERVER_PID"
}
has_stopped() { # PID; proc(5)
    local stat
    read -r stat <"/proc/$1/stat"
    [[ $stat == *") "[Tt]" "* ]]
}

# in_three_tries COMMAND...: the command sets LATE when the server was too slow, and is then tried again with
# another server. A busy machine makes a right one late now and then; a wrong one is late each time.
in_three_tries() {
    for _ in 1 2 3; do
        LATE=
        "$@"
        [ -n "$LATE" ] || return 0
        start_server "$DAY"
    done
    echo "late, three times"
    return 1
}

# stop_server_with_trace: like stop_server, but of a server that runs with --trace. Its trace is then
# in $TRACE.
stop_server_with_trace() {
    TRACE=$BATS_TEST_TMPDIR/trace
    kill "$SERVER_PID"
    await_exit || [ "$?" -eq 143 ]
    mv "$ERR" "$TRACE"
}
