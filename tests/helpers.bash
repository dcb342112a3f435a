# What the tests share. A test file says:
#
#   load helpers
#   DAY=day04
#   setup()    { start_server "$DAY"; }
#   teardown() { stop_server; }
#
# A reader's own server is tested with SERVER=path/to/mine bats tests/day04.bats

bats_require_minimum_version 1.8.0

ROOT=$(cd "$BATS_TEST_DIRNAME" && while [ ! -e common ]; do cd ..; done && pwd)

exec {NEVER}<> <(:) # nothing ever comes from here

# start_server DAY [OPTION...]: starts the server of that day on a free port, waits for its ready
# line, and sets PORT and SERVER_PID. Its further output is in $OUT, its errors are in $ERR.
start_server() {
    local line binary=${SERVER:-$ROOT/$1/server}
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

# stop_server [STATUS [SIGNAL]]: ends the server and requires that it ends with that status (day04:
# 0, else 143, as killed by SIGTERM) within 5 seconds, and that it said nothing on stderr.
stop_server() {
    local wanted=${1-} status=0
    [ -n "${SERVER_PID-}" ] || return 0
    [ -n "$wanted" ] || case $BATS_TEST_FILENAME in *day0[123].bats) wanted=143 ;; *) wanted=0 ;; esac
    kill -s "${2:-TERM}" "$SERVER_PID"
    await_exit || status=$?
    if [ "$status" -ne "$wanted" ]; then
        echo "the server ended with status $status, not $wanted"
        cat "$ERR"
        return 1
    fi
    require_silence
}

# await_exit: the exit status of the server; it is killed if it has not ended in 5 seconds. What it
# had still to say goes to $OUT.
await_exit() {
    local pid=$SERVER_PID status=0
    unset SERVER_PID
    timeout 5 cat <&"$SERVER_OUT" >"$OUT" || kill -KILL "$pid"
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
    while [[ $1 == -* ]]; do
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
    timeout -k 1 5 "${SERVER:-$ROOT/$DAY/server}" --help 2>&1 3>&- | grep -q -e "$1" || skip "no option $1"
}

# used_slots: how many slots of the ring's file table are in use, by /proc/PID/fdinfo. The kernel
# leaves the table out while the ring is busy: read until it says what it should (eventually).
used_slots() {
    local ring
    ring=$(find "/proc/$SERVER_PID/fd" -lname '*io_uring*' -print -quit)
    # "UserFiles: N", then a line for each slot; some kernels show the free ones as <none>
    awk '/^UserFiles:/ { on = 1; next } /^[A-Z]/ { on = 0 }
         on && /[0-9]: / && !/<none>/ { n++ } END { print n + 0 }' \
        "/proc/$SERVER_PID/fdinfo/${ring##*/}"
}

slots_used_are() { [ "$(used_slots)" = "$1" ]; }

# All slots are free again: when one idle client is connected, its slot is the only one in use.
require_free_slots() {
    [ -n "${SERVER_PID-}" ] || return 0
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
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || { echo "not so in time: $*"; return 1; }
        read -r -t 0.05 <&"$NEVER" || true # a pause, without a process
    done
}

# stop_server_with_trace: like stop_server, but of a server that runs with --trace. Its trace is then
# in $TRACE.
stop_server_with_trace() {
    TRACE=$BATS_TEST_TMPDIR/trace
    kill "$SERVER_PID"
    await_exit || [ "$?" -eq 143 ]
    mv "$ERR" "$TRACE"
}
