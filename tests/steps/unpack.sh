#!/bin/bash
# The server of each step of a day, from the patches in dayNN/steps:
#   tests/steps/unpack.sh DAY FOLDER
# FOLDER/00.c is the server of the day before, FOLDER/01.c that of step 1, and so on.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
before=00
mkdir -p "$2"
cp "$root/day0$((${1#0} - 1))/server.c" "$2/00.c"
for patch in "$root/day$1"/steps/[0-9]*.patch; do
    number=${patch##*/} number=${number%%-*}
    if ! said=$(patch --force -F 0 -r - -o "$2/$number.c" "$2/$before.c" "$patch") || [[ $said == *offset* ]]; then
        echo "$patch does not fit: $said" >&2
        exit 1
    fi
    before=$number
done
