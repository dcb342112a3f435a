#!/bin/bash
# Draws the life of one connection from a real trace, as a Mermaid sequence diagram on stdout:
#   tests/lessons/sequence.bash [path/to/day04/server]
# The client takes its next step when the server waits again, so each run takes the same way, unless
# a second passes: then the sweep comes in between, and the run is repeated.
set -eu
server=${1-$(dirname "$0")/../../day04/server}
folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "${pid-}" ] || kill -KILL "$pid" 2>/dev/null || true' EXIT
mkfifo "$folder/never"

# Until the server has printed a line like that, after the lines that were there before: the number
# of lines is then in $seen.
seen=0
await() {
    local deadline=$((SECONDS + 20))
    until tail -n "+$((seen + 1))" "$folder/trace" | grep -q "$1"; do
        ((SECONDS < deadline)) || { echo "sequence.bash: no line '$1' in:" >&2; cat "$folder/trace" >&2; exit 1; }
        read -r -t 0.02 <>"$folder/never" || true
    done
    seen=$(wc -l <"$folder/trace")
}

step() { echo "client $1" >>"$folder/trace"; }

run() {
    local port tcp
    : >"$folder/trace"
    seen=0
    "$server" --port 0 --trace >>"$folder/trace" 2>&1 3>&- &
    pid=$!
    await '^sqe ACCEPT'
    port=$(sed -n 's/^listening on .*://p' "$folder/trace")
    step connect
    exec {tcp}<>"/dev/tcp/127.0.0.1/$port"
    await '^sqe RECV'
    step hello
    echo hello >&"$tcp"
    read -r -t 20 <&"$tcp"
    await '^sqe RECV'
    step close
    exec {tcp}>&-
    await '^cqe CLOSE'
    kill "$pid"
    wait "$pid"
    pid=
}

for try in 1 2 3 4 5; do
    run
    if ! grep -q ASYNC_CANCEL "$folder/trace"; then break; fi
    [ "$try" -lt 5 ] || { echo "sequence.bash: this machine is too busy" >&2; exit 1; }
done

# Of the trace what belongs to the connection: not the signal's read, and not the tick. An arrow from
# the loop to the kernel is a call of io_uring_enter, with all that was armed since the last
# completion. The call returns, and is traced, later than the client's next step: it is moved before it.
awk '
function say(line) { lines[++n] = line }
function submit(   i, line) {
    if (!armed) return
    for (i = n; i > 0 && lines[i] ~ /C->>K/; i--) lines[i + 1] = lines[i]
    lines[i + 1] = "    L->>K: SQE " armed
    n++
    armed = ""
}
/^(sqe|cqe) (READ|TIMEOUT)\// { next }
/^client / { say("    C->>K: " $2) }
/^sqe / { armed = armed (armed ? ", " : "") $2 (/MULTISHOT/ ? " multishot" : "") (/IO_LINK/ ? " linked" : "") }
/^cqe / {
    submit()
    if ($2 ~ /^SHUTDOWN/) say("    K->>C: ack, end of file")
    say("    K-->>L: CQE " $2 " res " $4 (/F_MORE/ ? " F_MORE" : ""))
}
/^cqe CLOSE/ { exit }
END {
    print "sequenceDiagram"
    print "    participant C as client"
    print "    participant K as kernel"
    print "    participant L as event_loop"
    for (i = 1; i <= n; i++) print lines[i]
}' "$folder/trace"
