#!/bin/bash
# make bench: the days, and what a reader would use instead, measured side by side on this machine.
#
#   tests/bench/bench.sh                 the table; in out/, beside it: a plot, the figures of each run
#   SERVERS=echo tests/bench/bench.sh    the table of the echo servers, whose connections stay
#   FORMAT=csv tests/bench/bench.sh      the figures of each run instead of the table
#
# Other sizes:  ROUNDS=24  RUN=0.25 (seconds)  CLIENTS="1 64 512 512s 4096"; 512s: the server saturated;
#               2+100: two clients, and 100 more that are connected and silent; of an echo also
#               64x8:16384: each with 8 messages outstanding (1), of 16384 bytes (64)
# Others:       SERVERS="epoll uv day04"; day04-wait is day 4 with tricks/day04/wait.patch;
#               SERVERS=tricks is day 4 and each of these, SERVERS=echo-tricks the same of the echo
# Ratios to:    BASE=epoll
#
# In every round each server meets the same load (load.c); the ratios are taken within a round, so
# that what else the machine does meets all of them alike, and each round begins with another server,
# because to be the first after another number of clients costs something.
set -euo pipefail
cd "$(dirname "$0")"

# with_tricks SERVER: it, and it with each of its patches.
with_tricks() {
    local patch
    printf %s "$1"
    for patch in "tricks/$1"/*.patch; do
        printf ' %s' "$1-$(basename "$patch" .patch)"
    done
}

SERVERS=${SERVERS:-epoll uv article day02 day03 day04}
case $SERVERS in
echo) SERVERS="epoll-echo uv-echo echo" ;;
tricks) SERVERS="$(with_tricks epoll) $(with_tricks day04)" BASE=${BASE:-day04} ;;
echo-tricks) SERVERS="epoll-echo $(with_tricks echo)" BASE=${BASE:-echo} ;;
esac
case $SERVERS in
*echo*)
    LOAD=stay NAME=echo OF=message DONE=5 BASE=${BASE:-epoll-echo} ROUNDS=${ROUNDS:-9}
    CLIENTS=${CLIENTS:-1 64 512 512s 4096 64x8 512x8 4096x8 1:16384 64:16384 512:16384 4096:16384 64x8:16384 512x8:16384 1+10000}
    HEADER=server,clients,round,msg_per_s,p50_us,p99_us,p999_us,messages,cpu_us,calls,conn_bytes
    ;;
*)
    LOAD=load NAME=bench OF=connection DONE=6 BASE=${BASE:-epoll} ROUNDS=${ROUNDS:-24}
    CLIENTS=${CLIENTS:-1 64 512 512s 4096}
    HEADER=server,clients,round,conn_per_s,p50_us,p99_us,p999_us,errors,connections,cpu_us,calls,peak_kib
    ;;
esac
read -ra CLIENTS <<<"$CLIENTS"
read -ra SERVERS <<<"$SERVERS"
RUN=${RUN:-0.25}
OUT=${OUT:-out}

fail() { echo "bench: $*" >&2; exit 1; }

build() {
    local flags=(-std=gnu17 -O2 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion -D_GNU_SOURCE)
    local common=(../../common/say.o ../../common/options.o ../../common/listen.o) uv ring server
    uv=$(pkg-config --cflags --libs libuv) ||
        fail "libuv is missing: install its headers (Debian, Ubuntu: libuv1-dev)"
    make -s -C ../..
    ring=$(pkg-config --cflags --libs liburing)
    mkdir -p out
    "${CC:-cc}" "${flags[@]}" -o out/load load.c run.c
    "${CC:-cc}" "${flags[@]}" -o out/stay stay.c run.c
    for server in epoll epoll-echo; do
        "${CC:-cc}" "${flags[@]}" -o "out/$server" "$server.c" "${common[@]}"
    done
    for server in uv uv-echo; do
        # shellcheck disable=SC2086 # these are lists of options
        "${CC:-cc}" "${flags[@]}" -o "out/$server" "$server.c" "${common[@]}" $uv
    done
    # shellcheck disable=SC2086
    "${CC:-cc}" "${flags[@]}" -o out/article article.c ../../common/ring.o "${common[@]}" $ring
    for server in "${SERVERS[@]}"; do
        # shellcheck disable=SC2086
        case $server in
        epoll-echo | uv-echo) ;;
        epoll-*) patched epoll.c "${common[@]}" ;;
        day04-*) patched ../../day04/server.c ../../common/trace.o ../../common/ring.o "${common[@]}" $ring ;;
        echo-*) patched ../../day04/echo.c ../../common/trace.o ../../common/ring.o "${common[@]}" $ring ;;
        esac
    done
}

# patched SOURCE LIBRARY...: builds $server, which is this source with one of its patches.
patched() {
    patch -s -F 0 -o "out/$server.c" "$1" "tricks/${server/-//}.patch"
    "${CC:-cc}" "${flags[@]}" -iquote "$(dirname "$1")" -o "out/$server" "out/$server.c" "${@:2}"
}

# command_of SERVER: sets COMMAND to how it is started.
command_of() {
    case $1 in
    day04) COMMAND=(../../day04/server --port 0 --slots 8192) ;;
    day04-*) COMMAND=("out/$1" --port 0 --slots 8192) ;;
    day0[1-3]) COMMAND=(../../"$1"/server --port 0) ;;
    echo) COMMAND=(../../day04/echo --port 0 --slots 12000) ;;
    echo-* | *-echo) COMMAND=("out/$1" --port 0 --slots 12000) ;;
    *) COMMAND=("out/$1" --port 0) ;;
    esac
}

# load CLIENTS SECONDS COMMAND...
load() {
    local options=(-t "$2")
    [[ $1 =~ ^([0-9]+)(\+([0-9]+))?(x([0-9]+))?(:([0-9]+))?(s?)$ ]] || fail "CLIENTS: what is '$1'?"
    options+=(-c "${BASH_REMATCH[1]}")
    [ -z "${BASH_REMATCH[3]}" ] || options+=(-i "${BASH_REMATCH[3]}")
    [ -z "${BASH_REMATCH[5]}" ] || options+=(-o "${BASH_REMATCH[5]}")
    [ -z "${BASH_REMATCH[7]}" ] || options+=(-m "${BASH_REMATCH[7]}")
    [ -z "${BASH_REMATCH[8]}" ] || options+=(-s)
    shift 2
    "out/$LOAD" "${options[@]}" "$@"
}

# On a terminal, and nowhere else.
progress() { if [ -t 2 ]; then printf '\r\033[K%s' "$*" >&2; fi; }

measure() {
    local round clients server done=0 total=$((ROUNDS * ${#CLIENTS[@]} * ${#SERVERS[@]}))
    local order=("${SERVERS[@]}")
    for ((round = 1; round <= ROUNDS; round++)); do
        for clients in "${CLIENTS[@]}"; do
            for server in "${order[@]}"; do
                progress "run $((++done)) of $total: $server, $clients clients"
                command_of "$server"
                printf '%s,%s,%s,' "$server" "$clients" "$round"
                load "$clients" "$RUN" "${COMMAND[@]}"
            done
        done
        order=("${order[@]:1}" "${order[0]}")
    done
}

# Those that do not count their calls themselves are counted once by strace, in a run apart.
trace() {
    local clients server pipe=$OUT/strace
    command -v strace >/dev/null || return 0
    for server in "${SERVERS[@]}"; do
        case $server in uv | uv-echo | day02 | day03) ;; *) continue ;; esac
        for clients in "${CLIENTS[@]}"; do
            progress "counting the calls of $server, $clients clients"
            command_of "$server"
            rm -f "$pipe"
            mkfifo "$pipe"
            # -D: the server stays a child of the load, and not of strace
            load "$clients" 0.5 strace -D -f -q -c -U calls,name -o "$pipe" "${COMMAND[@]}" \
                >"$OUT/traced" &
            # shellcheck disable=SC2016 # awk's own $
            timeout 90 awk '$NF == "total" { print $1 }' "$pipe" >"$OUT/calls" # until strace has ended
            wait $! || {
                echo "bench: strace cannot count the calls of $server" >&2
                continue
            }
            printf '%s,%s,%s\n' "$server" "$clients" \
                "$(awk -F, -v done="$DONE" 'NR == FNR { calls = $1; next } { printf "%.2f", calls / $done }' \
                    "$OUT/calls" "$OUT/traced")"
        done
    done
    rm -f "$pipe" "$OUT/traced" "$OUT/calls"
}

table() {
    awk -F, -v base="$BASE" -v of="$OF" -v rounds="$ROUNDS" -v run="$RUN" -f table.awk \
        "$OUT/traced.csv" "$OUT/$NAME.csv"
}

plot() {
    command -v gnuplot >/dev/null || {
        echo "bench: no plot, because gnuplot is missing" >&2
        return 0
    }
    table | awk -v out="$OUT" '
        /^[0-9+]+s? client/ { clients = $1; next }
        /^[a-z]/ && clients { print clients, $2, $6 >(out "/" $1 ".dat") }'
    gnuplot -e "out='$OUT'; servers='${SERVERS[*]}'" plot.gp
    rm -f "$OUT"/*.dat
}

build
mkdir -p "$OUT"
{ echo "$HEADER"; measure; } >"$OUT/$NAME.csv"
trace >"$OUT/traced.csv"
progress ""
if [ "${FORMAT:-table}" = csv ]; then
    cat "$OUT/$NAME.csv"
else
    table | tee "$OUT/$NAME.txt"
fi
[ "$OF" = message ] || plot
