#!/usr/bin/env bats
# Exercise 04-3: an answer that differs from client to client
# Read: day04/README.md, steps 2 and 8

load exercise
DAY=day04

setup() { start_server "$DAY" --trace; }
teardown() { end_server 0; }

# ask REQUEST: sets answer to what comes back for it, until the end of file
ask() {
    local tcp
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    printf '%s' "$1" >&"$tcp"
    answer=$(timeout 10 cat <&"$tcp") || true
    exec {tcp}>&-
}

@test "time is answered with the seconds that it has run" {
    local from=$SECONDS # the server has started before, by less than two seconds
    ask time
    [[ $answer =~ ^[0-9]+$ ]] || { echo "sent \"time\", came back \"$answer\", expected a number"; return 1; }
    [ "$answer" -le 2 ] || { echo "it has just started, and says $answer"; return 1; }
    local first=$answer
    until ((SECONDS >= from + 3)); do read -r -t 0.2 <&"$NEVER" || true; done
    ask time
    [ "$answer" -ge $((first + 2)) ] || { echo "two seconds and more after $first it says $answer"; return 1; }
}

@test "everybody else gets ack, also beside those who ask for the time" {
    local i status=0 pids=()
    for i in {1..20}; do
        (ask time && [[ $answer =~ ^[0-9]+$ ]]) &
        pids+=($!)
    done
    clients -n 500 -c 50 send=5,ack,eof
    for i in "${pids[@]}"; do wait "$i" || status=1; done
    [ "$status" -eq 0 ] || { echo "somebody who asked for the time got no number"; return 1; }
    ask tim
    [ "$answer" = ack ] || { echo "sent \"tim\", came back \"$answer\", expected \"ack\""; return 1; }
}
