#!/bin/bash
# The lines of code that each step of a day touches, without comments and blank lines:
#   tests/steps/lines.sh DAY
# Prints "STEP ADDED REMOVED" for each. Exits 1 if one is over the budget of 45.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
budget=45
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$here/unpack.sh" "$1" "$folder"

status=0 before=
for server in "$folder"/*.c; do
    gcc -fpreprocessed -dD -E -P "$server" >"$server.code"
    if [ -n "$before" ]; then
        number=$(basename "$server" .c)
        read -r added removed < <(diff "$before" "$server.code" |
            awk '/^>/ { added++ } /^</ { removed++ } END { print added + 0, removed + 0 }')
        echo "$number $added $removed"
        ((added + removed <= budget)) || { echo "step $number touches more than $budget lines" >&2; status=1; }
    fi
    before=$server.code
done
exit "$status"
