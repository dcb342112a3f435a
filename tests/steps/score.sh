#!/bin/bash
# How far a program is on the way through day 4, by the tests that its steps name:
#   tests/steps/score.sh SERVER [graded]
# Prints "day 4: n of m steps", and the next one, which is the first whose tests do not all pass; or, when all
# do, which steps have no test there. It ends when that is known, so that it takes seconds for a program that
# is not far. "graded": it has full marks of the contract, whose tests are not run again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2-graded}" != graded ] || [ ! -x "$1" ]; then
    echo "usage: tests/steps/score.sh SERVER [graded]" >&2
    exit 2
fi
SERVER=$(realpath -- "$1")
export SERVER NO_BUILD=1
unset GRADE
make -s tests/client tests/grade/guard

mapfile -t steps < <(grep -l '^--- a/day04/server.c' day04/steps/[0-9]*.patch) # without those to the echo
step='s/^# bats test_tags=.*step:\([0-9]*\)$/\1/p'
mapfile -t named < <(sed -n "$step" tests/day04.bats)
mapfile -t tested < <(sed -n "${2:+/contract/d; }$step" tests/day04.bats) # a step for each test
filters=()
for step in $(printf '%s\n' "${tested[@]}" | sort -u); do filters+=(--filter-tags "step:$step${2:+,!contract}"); done
exec {results}< <(exec tests/grade/guard $((${GRADE_TIME:-50} * 20)) bats --tap "${filters[@]}" tests/day04.bats 3>&- </dev/null)
guard=$!

# The results come in the order of the file, which is not quite that of the steps.
n=0 next=$((${#steps[@]} + 1)) why=''
while read -r line <&"$results"; do
    [[ $line == "ok "* || $line == "not ok "* ]] || continue
    step=${tested[n]} n=$((n + 1))
    # One that is skipped, for want of an option, has not passed.
    if [[ $line == "not ok "* || $line == *" # skip"* ]] && ((step < next)); then
        next=$step why=${line#*" # skip"}
        [ "$why" != "$line" ] || why=''
    fi
    for step in "${tested[@]:n}"; do ((step >= next)) || continue 2; done
    break
done
kill "$guard" 2>/dev/null || true
wait "$guard" || true
for step in "${tested[@]:n}"; do ((step >= next)) || next=$step; done # no result: bats could not run them

done=0
for step in "${named[@]}"; do ((step >= next || step <= done)) || done=$step; done
((next <= ${#steps[@]})) || done=${#steps[@]}
if [ "$done" -eq ${#steps[@]} ]; then
    echo "day 4: $done of ${#steps[@]} steps"
    untested=''
    for ((n = 1; n <= ${#steps[@]}; n++)); do
        [[ " ${named[*]} " == *" $n "* ]] || untested+=" $n"
    done
    echo "    (not looked at, for want of a test there:$untested)"
else
    if [ "$next" -eq $((done + 1)) ]; then
        echo "day 4: $done of ${#steps[@]} steps"
    else
        echo "day 4: $done to $((next - 1)) of ${#steps[@]} steps (no test here tells these apart)"
    fi
    echo "    next: step $(sed -n '1s/^Step 0*//p' "${steps[next - 1]}")      make diff DAY=04 N=$(printf %02d "$next")"
    [ -z "$why" ] || echo "    a test of it is skipped:$why"
fi
