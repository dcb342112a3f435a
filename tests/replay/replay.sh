#!/bin/bash
# Makes a page that replays a trace:
#
#   replay.sh DAY                      runs that day's server for a few clients; writes dayNN/replay.trace
#                                      and dayNN/replay.html; DAY is echo: day04/echo.trace and .html
#   replay.sh DAY|'' TRACE [SOURCE]    of a trace of your own: writes TRACE.html. Beside it stands SOURCE;
#                                      if you give none, that of DAY, or of the server it looks like
set -eu
cd "$(dirname "$0")/../.."

fail() {
    echo "replay: $1" >&2
    exit 2
}

# The page is HTML, and what is put into it must not be.
escape() { LC_ALL=C tr -d '\000' | sed 's/&/\&amp;/g; s/</\&lt;/g'; }

write_page() { # TRACE SOURCE PAGE
    {
        sed '/^@TRACE@$/,$d' tests/replay/page.html
        escape <"$1"
        sed '1,/^@TRACE@$/d; /^@SOURCE@$/,$d' tests/replay/page.html
        { echo "$2" && cat "$2"; } | escape
        sed '1,/^@SOURCE@$/d' tests/replay/page.html
    } >"$3"
    echo "$3: open it in a browser"
}

day_of() { # TRACE: these states are the echo's alone, day 4 traces states too, and has slots, as day 3
    if grep -aqE '^client/[0-9]+ +(ECHOING|ENDING)' "$1"; then
        echo echo
    elif grep -aq '^client/' "$1"; then
        echo 04
    elif grep -aq ' slot' "$1"; then
        echo 03
    else
        echo 02
    fi
}

# Until the server has traced something new and waits again. Not for long: one that serves one client
# at a time may have nothing to do for this one yet.
settle() {
    local from=$seen waits _
    for _ in {1..15}; do
        sleep 0.02
        read -r seen waits < <(awk 'END { print NR, /^----/ }' "$trace")
        if [ "$seen" -gt "$from" ] && [ "$waits" -eq 1 ]; then return; fi
    done
}

# connect NAME SCRIPT: a client goes through its script until "stdin"; go_on NAME: and from there on.
connect() {
    mkfifo "$scratch/$1"
    tests/client -t 20 "$port" "$2" <"$scratch/$1" >"$scratch/said" &
    clients+=("$!")
    exec {line}>"$scratch/$1"
    lines[$1]=$line
    settle
}
go_on() {
    echo >&"${lines[$1]}" || true
    settle
}

# One asks at once, one waits and then ends its direction, one waits and then resets; a second of
# silence, if the server counts it; and when they are gone, one more. Of the echo, one asks and stays,
# to ask again; one waits, then sends and ends its direction; one sends much, reads nothing and resets.
run_clients() {
    local -A lines
    local seen=0 line clients=()
    set -- send=6,ack,eof,stdin stdin,half,eof stdin,reset stdin,send=6,ack,eof
    [ "$day" != echo ] ||
        set -- echo=6,stdin,echo=6,half,eof stdin,send=9,half,back,eof send=65536,stdin,reset stdin,echo=6,half,eof
    connect asks "$1"
    connect waits "$2"
    connect resets "$3"
    while grep -q '^sqe TICK' "$trace" && ! grep -q '^cqe TICK' "$trace" && ((SECONDS < 10)); do settle; done
    go_on asks
    go_on resets
    go_on waits
    connect more "$4"
    go_on more
    wait "${clients[@]}" || true # one that fails shows in the trace
}

run_server() { # SERVER
    local ready
    scratch=$(mktemp -d)
    exec {out}< <(exec "$1" --port 0 --trace 2>"$trace")
    pid=$!
    trap 'kill -KILL "$pid" 2>/dev/null || true; rm -rf "$scratch"' EXIT
    trap '' PIPE
    read -r -t 20 ready <&"$out" || fail "$1 does not say that it listens: $(head -n 1 "$trace")"
    port=${ready##*:}
    run_clients
    kill "$pid"
    timeout 5 cat <&"$out" || fail "$1 does not end"
}

day=${1-} trace=${2-}
if [ -n "$trace" ]; then
    [ -f "$trace" ] || fail "there is no file $trace"
    page=$trace.html
    [ -n "$day" ] || day=$(day_of "$trace")
fi
case $day in
02 | 03 | 04) server=day$day/server made=day$day/replay ;;
echo) server=day04/echo made=day04/echo ;;
*) fail 'usage: make replay DAY=02, 03 or 04, or ECHO=1, or make replay TRACE=file [SOURCE=day04/mine.c]' ;;
esac
source=${3:-$server.c}
[ -f "$source" ] || fail "there is no file $source"
if [ -z "$trace" ]; then
    trace=$made.trace page=$made.html
    run_server "$server"
fi
write_page "$trace" "$source" "$page"
