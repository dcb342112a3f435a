#!/bin/bash
# Fuzzes a server with few slots and with many, a third of the connections each (make fuzz):
#   tests/upkeep/fuzz/fuzz.sh SEED CONNECTIONS [SERVER]
# Environment: LIMIT, in seconds, for each client (20); ECHO, not empty: the server is an echo.
# Exits 0 if all held, 1 if not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${ECHO:+echo}
server=${3:-$here/../../../day04/${program:-server}}
help=$(timeout 5 "$server" --help)
for slots in 1024 8 1; do
    options=(-s "$1" -n $(($2 / 3)) -t "${LIMIT:-20}" ${ECHO:+-e})
    [[ $help != *--idle-timeout* ]] || options+=(-i 1)
    [[ $help != *--slots* ]] || options+=(-l "$slots")
    echo "fuzz ${options[*]} $server"
    "$here/fuzz" "${options[@]}" "$server"
done
