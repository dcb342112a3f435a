#!/usr/bin/env bats
# The benchmark itself: that its servers do the same work, and that its load notices when one does
# not. The figures are for  make bench.

load ../helpers
BENCH=$ROOT/tests/bench

setup_file() {
    pkg-config --exists libuv || skip "no libuv"
    export FIGURES=$BATS_FILE_TMPDIR
    OUT=$FIGURES CLIENTS="1 8 64s" ROUNDS=1 RUN=0.1 "$BENCH/bench.sh" >"$FIGURES/table" 3>&-
    OUT=$FIGURES SERVERS=echo CLIENTS="1 8x3:5000 4+10" ROUNDS=1 RUN=0.1 "$BENCH/bench.sh" \
        >"$FIGURES/echo-table" 3>&-
}

teardown() { stop_server; }

# answers_all SERVER: each kind of client that the days are tested with.
answers_all() {
    SERVER=$BENCH/out/$1 start_server "$1"
    clients -n 60 -c 1 send=5,ack,eof
    clients -n 60 -c 20 send=1,ack,eof send=1024,ack,eof send=100000,ack,eof send=5,half,ack,eof \
        drip=2000,ack,eof half,eof reset send=5,reset
    stop_server 0
    grep -q '^served [0-9]* clients' "$OUT"
}

# load_on_wrong SCRIPT: the load on a server made of epoll.c, changed by this script of sed. Sets
# status and output. stay_on_wrong SCRIPT: the same with the echo, and three messages outstanding.
load_on_wrong() {
    make_wrong epoll.c "$1"
    run out/load -c 8 -t 0.2 "$BATS_TEST_TMPDIR/wrong" --port 0 3>&-
    echo "$output"
}
stay_on_wrong() {
    make_wrong epoll-echo.c "$1"
    run out/stay -c 8 -o 3 -m 5000 -t 0.2 "$BATS_TEST_TMPDIR/wrong" --port 0 3>&-
    echo "$output"
}
make_wrong() {
    local wrong=$BATS_TEST_TMPDIR/wrong
    cd "$BENCH" || return 1
    sed "$2" "$1" >"$wrong.c"
    run cmp -s "$1" "$wrong.c"
    [ "$status" -eq 1 ]
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -o "$wrong" -x c - ../../common/{say,options,listen}.c <"$wrong.c"
}

# is_void WHY: the run, and it printed no figures.
is_void() { [ "$status" -eq 1 ] && [ "${#lines[@]}" -eq 1 ] && [[ $output == "load: void: $1"* ]]; }

@test "epoll speaks the protocol" { answers_all epoll; }
@test "libuv speaks the protocol" { answers_all uv; }
@test "the article's loop speaks the protocol" { answers_all article; }

@test "load: one wrong byte voids the run" {
    load_on_wrong "s/'c', 'k'/'c', 'x'/"
    is_void "wrong bytes, 0x61 and 3 more, after 0"
}

@test "load: one byte too many voids the run" {
    load_on_wrong "s/{'a', 'c', 'k', '.n'}/{'a', 'c', 'k', '\\\\n', '!'}/"
    is_void "wrong bytes, 0x61 and 4 more, after 0"
}

@test "load: a missing byte voids the run" {
    load_on_wrong "s/'k', '.n'}/'k'}/"
    is_void "end of file after 3 bytes"
}

@test "load: one wrong answer in a hundred voids the run" {
    load_on_wrong 's/^static const char ANSWER/static char ANSWER/
        s/^    server.answered\[fd\] = true;/&\n    ANSWER[0] = server.served % 100 == 99 ? 0x62 : 0x61;/'
    is_void "wrong bytes, 0x62 and 3 more, after 0"
}

@test "load: a server that counts its clients wrongly voids the run" {
    load_on_wrong 's/server.served, server.calls/server.served + 1, server.calls/'
    is_void "the server counted"
}

# keeps_guarantees SERVER: those of the echo, by its own tests.
keeps_guarantees() {
    SERVER=$BENCH/out/$1 bats -f '20 MB|everything first|keep nobody|lost|dropped' \
        "$ROOT/tests/echo.bats" 3>&-
}

@test "the echo with epoll keeps the guarantees" { keeps_guarantees epoll-echo; }
@test "the echo with libuv keeps the guarantees" { keeps_guarantees uv-echo; }

@test "stay: one wrong byte in a thousand messages voids the run" {
    stay_on_wrong 's/^    ssize_t sent = give(fd, server.buffer/    server.buffer[n - 1] ^= server.calls % 300 < 3;\n&/'
    is_void "wrong bytes"
}

@test "stay: a missing byte voids the run" {
    stay_on_wrong 's/give(fd, server.buffer, (size_t)n)/give(fd, server.buffer, (size_t)n - (server.calls > 300))/
        s/sent < n \&\&/0 \&\&/'
    is_void "wrong bytes"
}

@test "stay: a client that is dropped voids the run" {
    stay_on_wrong 's/^    prolong(fd);/    if (server.calls > 300)\n        drop(fd);\n&/'
    [[ $output == *"load: void: "* ]]
    [ "$status" -eq 1 ]
}

@test "stay: a server that counts its clients wrongly voids the run" {
    stay_on_wrong 's/server.served, server.calls/server.served + 1, server.calls/'
    is_void "the server counted"
}

@test "load: a server that does not start is said" {
    run "$BENCH/out/load" false 3>&-
    is_void "false: no ready line"
}

@test "the table has a row for each server at each number of clients, and no errors" {
    local server clients
    for clients in "1 client" "8 clients" "64s clients"; do
        grep -q "^$clients " "$FIGURES/table"
    done
    for server in epoll uv article day02 day03 day04; do
        [ "$(grep -c "^$server .* 0$" "$FIGURES/table")" -eq 3 ]
        [ "$server" = epoll ] || [ "$(grep -c "^  $server  *[0-9]" "$FIGURES/table")" -eq 3 ]
    done
}

@test "the table of the echo has a row for each server at each load" {
    local server
    grep -q "^8 clients, 3 of 5000 bytes " "$FIGURES/echo-table"
    for server in epoll-echo uv-echo echo; do
        [ "$(grep -c "^$server  *[1-9].* [0-9]*$" "$FIGURES/echo-table")" -eq 3 ]
        [ "$server" = epoll-echo ] || [ "$(grep -c "^  $server  *[0-9]" "$FIGURES/echo-table")" -eq 3 ]
    done
}

# do_the_same_work SERVERS SERVER...: with each trick of these.
do_the_same_work() {
    local table=$BATS_TEST_TMPDIR/table trick
    OUT=$BATS_TEST_TMPDIR SERVERS=$1 CLIENTS=8 ROUNDS=1 RUN=0.1 "$BENCH/bench.sh" >"$table" 2>&1 3>&- ||
        { cat "$table"; return 1; }
    ! grep warning "$table"
    shift
    while read -r trick; do
        grep -q "^$trick .* [0-9]*$" "$table"
    done < <(cd "$BENCH/tricks" && find "$@" -name '*.patch' | sed 's/\//-/; s/.patch$//')
}

@test "day 4 and epoll with each trick do the same work" { do_the_same_work tricks day04 epoll; }
@test "the echo with each trick does the same work" { do_the_same_work echo-tricks echo; }

@test "load: silent clients are connected beside the busy ones" {
    local trace=$BATS_TEST_TMPDIR/trace figures
    figures=$("$BENCH/out/load" -c 2 -i 20 -t 0.1 "$ROOT/day04/server" --port 0 --trace 2>"$trace" 3>&-)
    echo "$figures"
    [ "$(grep -c '^cqe ACCEPT.* res [0-9]' "$trace")" -eq $(($(cut -d, -f6 <<<"$figures") + 20)) ]
}

@test "the figures of each run are kept, and FORMAT=csv prints them" {
    OUT=$BATS_TEST_TMPDIR FORMAT=csv SERVERS="epoll day04" CLIENTS=4 ROUNDS=2 RUN=0.1 run \
        "$BENCH/bench.sh" 3>&-
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 5 ]
    [ "${lines[0]}" = "$(head -n 1 "$FIGURES/bench.csv")" ]
    [ "$(awk -F, '{ print NF }' <<<"$output" | sort -u)" = 12 ]
    [ "$(wc -l <"$FIGURES/bench.csv")" -eq 19 ]
}

@test "the plot is SVG" {
    command -v gnuplot || skip "no gnuplot"
    grep -q '</svg>' "$FIGURES/bench.svg"
}
