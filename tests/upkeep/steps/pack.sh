#!/bin/bash
# Writes the patches of a day's steps anew, each with the head that it has:
#   tests/upkeep/steps/pack.sh DAY FOLDER
# FOLDER has the servers, as tests/steps/unpack.sh makes them. When a server.c has changed: unpack,
# change the steps that have what has changed, pack.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
before=00
for patch in "$root/day$1"/steps/[0-9]*.patch; do
    number=${patch##*/} number=${number%%-*}
    program=$(sed -n 's,^--- a/.*/\(.*\)\.c$,\1,p' "$patch") # server, or echo
    head=$(sed '/^--- a/,$d' "$patch")
    {
        printf '%s\n\n' "$head"
        diff -u --label "a/day$1/$program.c" --label "b/day$1/$program.c" "$2/$before.c" "$2/$number.c" || [ $? -eq 1 ]
    } >"$patch.new"
    mv "$patch.new" "$patch"
    before=$number
done
