#!/bin/bash
# The table of a day's steps, from the heads of their patches, as dayNN/README.md has it:
#   tests/steps/table.sh DAY
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
echo '| step | teaches | code +/- | what begins to hold |'
echo '| --- | --- | --- | --- |'
"$here/lines.sh" "$1" | while read -r number added removed; do
    patch=$(echo "day$1/steps/$number"-*.patch)
    sed '/^--- a/,$d' "$patch" | awk -v code="$added/$removed" -v link="steps/${patch##*/}" '
        function holds(text) { all = all (all == "" ? "" : "; ") text }
        NR == 1 { sub(/^Step 0*/, ""); split($0, title, ": "); name = substr($0, length(title[1]) + 3) }
        /^Test: /   { sub(/^[^:]*: [^:]*: /, ""); holds("\"" $0 "\"") }
        /^Figure: / { holds("calls for a client" ($5 == "" ? "" : ", " $6 " at once") ": " $3 " to " $4) }
        /^Nothing to see: / { holds("(no test)") }
        END { print "| [" title[1] "](" link ") | " name " | " code " | " all " |" }'
done
