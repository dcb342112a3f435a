#!/usr/bin/env bats
# The benchmark itself: that its servers do the same work, and that its load notices when one does
# not. The figures are for  make bench.

load ../helpers
BENCH=$ROOT/tests/bench

setup_file() {
    pkg-config --exists libuv || skip "no libuv"
    export FIGURES=$BATS_FILE_TMPDIR
    OUT=$FIGURES CLIENTS="1 8 64s" ROUNDS=1 RUN=0.1 "$BENCH/bench.sh" >"$FIGURES/table" 3>&-
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
# status and output.
load_on_wrong() {
    local wrong=$BATS_TEST_TMPDIR/wrong
    cd "$BENCH" || return 1
    sed "$1" epoll.c >"$wrong.c"
    run cmp -s epoll.c "$wrong.c"
    [ "$status" -eq 1 ]
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -o "$wrong" -x c - ../../common/{say,options,listen}.c <"$wrong.c"
    run out/load -c 8 -t 0.2 "$wrong" --port 0 3>&-
    echo "$output"
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

@test "day 4 with each trick does the same work" {
    local patch
    cd "$BENCH" || return 1
    OUT=$BATS_TEST_TMPDIR SERVERS=tricks CLIENTS=8 ROUNDS=1 RUN=0.1 run ./bench.sh 3>&-
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output != *warning* ]]
    for patch in tricks/*.patch; do
        patch=${patch##*/}
        grep -q "^day04-${patch%.patch} .* 0$" <<<"$output"
    done
}

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
    [ "$(awk -F, '{ print NF }' <<<"$output" | sort -u)" = 13 ]
    [ "$(wc -l <"$FIGURES/bench.csv")" -eq 19 ]
}

@test "the plot is SVG" {
    command -v gnuplot || skip "no gnuplot"
    grep -q '</svg>' "$FIGURES/bench.svg"
}
