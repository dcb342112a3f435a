#!/bin/bash
# make bench: the days, and what a reader would use instead, measured side by side on this machine.
#
#   tests/bench/bench.sh                 the table; in out/, beside it: a plot, the figures of each run
#   FORMAT=csv tests/bench/bench.sh      the figures of each run instead of the table
#
# Other sizes:  ROUNDS=24  RUN=0.25 (seconds)  CLIENTS="1 64 512 512s 4096"; 512s: the server saturated;
#               2+100: two clients, and 100 more that are connected and silent
# Others:       SERVERS="epoll uv day04"; day04-wait is day 4 with tricks/wait.patch; SERVERS=tricks is
#               day 4 and each of these
# Ratios to:    BASE=epoll
#
# In every round each server meets the same load (load.c); the ratios are taken within a round, so
# that what else the machine does meets all of them alike, and each round begins with another server,
# because to be the first after another number of clients costs something.
set -euo pipefail
cd "$(dirname "$0")"

ROUNDS=${ROUNDS:-24}
RUN=${RUN:-0.25}
read -ra CLIENTS <<<"${CLIENTS:-1 64 512 512s 4096}"
SERVERS=${SERVERS:-epoll uv article day02 day03 day04}
if [ "$SERVERS" = tricks ]; then
    SERVERS="day04 $(printf 'day04-%s ' tricks/*.patch | sed 's#tricks/##g; s#\.patch##g')"
    BASE=${BASE:-day04}
fi
read -ra SERVERS <<<"$SERVERS"
BASE=${BASE:-epoll}
OUT=${OUT:-out}
HEADER=server,clients,round,conn_per_s,p50_us,p99_us,p999_us,errors,connections,user_us,system_us,calls,peak_kib

fail() { echo "bench: $*" >&2; exit 1; }

build() {
    local flags=(-std=gnu17 -O2 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion -D_GNU_SOURCE)
    local common=(../../common/say.o ../../common/options.o ../../common/listen.o) uv ring server
    uv=$(pkg-config --cflags --libs libuv) ||
        fail "libuv is missing: install its headers (Debian, Ubuntu: libuv1-dev)"
    make -s -C ../..
    ring=$(pkg-config --cflags --libs liburing)
    mkdir -p out
    "${CC:-cc}" "${flags[@]}" -o out/load load.c
    "${CC:-cc}" "${flags[@]}" -o out/epoll epoll.c "${common[@]}"
    # shellcheck disable=SC2086 # these are lists of options
    "${CC:-cc}" "${flags[@]}" -o out/uv uv.c "${common[@]}" $uv
    # shellcheck disable=SC2086
    "${CC:-cc}" "${flags[@]}" -o out/article article.c ../../common/trace.o "${common[@]}" $ring
    for server in "${SERVERS[@]}"; do
        [[ $server == day04-* ]] || continue
        patch -s -F 0 -o "out/$server.c" ../../day04/server.c "tricks/${server#day04-}.patch"
        # shellcheck disable=SC2086
        "${CC:-cc}" "${flags[@]}" -iquote ../../day04 -o "out/$server" "out/$server.c" \
            ../../common/trace.o "${common[@]}" $ring
    done
}

# command_of SERVER: sets COMMAND to how it is started.
command_of() {
    case $1 in
    day04) COMMAND=(../../day04/server --port 0 --slots 8192) ;;
    day04-*) COMMAND=("out/$1" --port 0 --slots 8192) ;;
    day0[1-3]) COMMAND=(../../"$1"/server --port 0) ;;
    *) COMMAND=("out/$1" --port 0) ;;
    esac
}

# load CLIENTS SECONDS COMMAND...
load() {
    local options=(-t "$2") clients=${1%s}
    [[ $1 != *s ]] || options+=(-s)
    [[ $1 != *+* ]] || options+=(-i "${clients#*+}")
    options+=(-c "${clients%+*}")
    shift 2
    out/load "${options[@]}" "$@"
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
        case $server in uv | day02 | day03) ;; *) continue ;; esac
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
                "$(awk -F, 'NR == FNR { calls = $1; next } { printf "%.2f", calls / $6 }' \
                    "$OUT/calls" "$OUT/traced")"
        done
    done
    rm -f "$pipe" "$OUT/traced" "$OUT/calls"
}

table() { awk -F, -v base="$BASE" -v rounds="$ROUNDS" -v run="$RUN" -f table.awk "$OUT/traced.csv" "$OUT/bench.csv"; }

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
{ echo "$HEADER"; measure; } >"$OUT/bench.csv"
trace >"$OUT/traced.csv"
progress ""
if [ "${FORMAT:-table}" = csv ]; then
    cat "$OUT/bench.csv"
else
    table | tee "$OUT/bench.txt"
fi
plot
