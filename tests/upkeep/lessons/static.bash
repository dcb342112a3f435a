#!/bin/bash
# All checks of the texts that run nothing, in the root of a built copy:  static.bash [PAGE...]
# Of the pages that are named, or of all; figures is none, so only what is about all pages together is
# looked at. Prints what is wrong, and exits 1 if anything is.
set -u
here=$(realpath "$(dirname "$0")")
lessons=(day0[1-4]/README.md)
pages=("$@")
[ $# -gt 0 ] || pages=(README.md NOTES.md "${lessons[@]}")
status=0

for page in "${pages[@]}"; do
    [ "$page" != figures ] || continue
    what=(links names commands pages)
    [[ $page != day* ]] || what+=(listings diffs)
    for check in "${what[@]}"; do
        "$here/check.bash" "$check" "$page" || [ $? -eq 77 ] || status=1
    done
done
awk -f "$here/words.awk" day02/README.md "${lessons[@]}" || status=1
figures=$(awk -f "$here/figures.awk" README.md NOTES.md "${lessons[@]}" | diff "$here/figures.txt" -) ||
    { printf '%s\n' 'figures.txt, which has what the pages say, and the pages:' "$figures"; status=1; }
exit "$status"
