#!/bin/bash
# Grades a program by the contract of a day (make grade), which is those tests of tests/dayNN.bats
# that have the tag contract: a score, and for each that failed what happened and what to read.
#
#   tests/grade/grade.sh DAY SERVER
#
# Exit status: 0 at full marks, 1 below, 2 when there is nothing to grade. Environment: SEED, to
# repeat the same random requests; ONLY, a regular expression, to try only the checks whose names
# match (that never gives full marks); TIME, in seconds (50), for a machine that is too busy for that.
# With these 50 it ends within a minute.
set -u

usage() {
    echo "$1" >&2
    echo 'usage: make grade DAY=04 SERVER=path/to/mine      (DAY: 01, 02, 03 or 04)' >&2
    exit 2
}

[ $# -eq 2 ] || usage 'a day and a program are needed'
case ${1#0} in [1234]) day=day0${1#0} ;; *) usage "no such day: '$1'" ;; esac
[ -n "$2" ] || usage 'which program?'
[ -f "$2" ] || usage "no such file: $2"
[ -x "$2" ] || usage "it cannot be executed: $2 (chmod +x; a script begins with a line like #!/usr/bin/python3)"
for tool in bats nc ps; do
    command -v $tool >/dev/null || { echo "$tool is missing: make deps" >&2; exit 2; }
done

unset DAY STDERR_TO
SERVER=$(realpath -- "$2")
here=$(cd "$(dirname "$0")" && pwd)
tests=$(dirname "$here")/$day.bats
export SERVER GRADE=1 SEED=${SEED:-$RANDOM} GRADE_CHECKS
export BATS_TEST_TIMEOUT=$((${TIME:=50} / 5)) GRADE_ENDS=$((EPOCHSECONDS + TIME))

# Each check's name, and the bugs of NOTES.md that it is about.
names=()
declare -A bugs=() result=()
while IFS=$'\t' read -r name tags; do
    [[ ,$tags, == *,contract,* ]] || continue
    names+=("$name")
    bugs[$name]=$(grep -oE 'bug:[0-9]+' <<<"$tags" | cut -d: -f2 | tr '\n' ' ')
done < <(awk '/^# bats test_tags=/ { tags = substr($0, 18) }
              /^@test / { split($0, part, "\""); print part[2] "\t" tags; tags = "" }' "$tests")
others=$(($(grep -c '^@test' "$tests") - ${#names[@]}))
GRADE_CHECKS=${#names[@]}

show() {
    local text=${2:0:300}
    printf '        %-11s%s\n' "$1" "${text//[^[:print:]]/?}"
}

where_to_read() { # BUG...
    case $# in
    0) echo "$day/README.md" ;;
    1) echo "NOTES.md, bug $1" ;;
    *) echo "NOTES.md, bugs ${*:1:$#-1} and ${!#}" ;;
    esac
}

# failed NAME LINE...: these lines were printed by the check.
failed() {
    local name=$1 line sent='' outcome='' said='' untried=''
    echo "  FAIL  $name"
    shift
    for line; do
        if [[ -z $sent && $line == *"(sent "*"; came back "*"; expected "*")"* ]]; then
            outcome=${line%%(sent *} outcome=${outcome% }
            line=${line#*(sent }
            sent=${line%%; came back *}
            line=${line#*; came back }
            show sent "$sent"
            show 'came back' "${line%%; expected *}"
            line=${line#*; expected }
            show expected "${line%%)*}"
        elif [[ $line == "not tried: "* ]]; then
            untried=${line#*: }
        elif [[ $line == "stderr: "* ]]; then
            said=${line#*: }
        fi
    done
    if [ -n "$untried" ]; then
        show 'not tried' "$untried"
        return
    elif [ -z "$sent" ]; then
        show sent "what this test of tests/$day.bats sends"
        show 'came back' "no end of it in $BATS_TEST_TIMEOUT s"
        show expected "all answers sooner"
    fi
    [ -z "$outcome" ] || show clients "$outcome"
    [ -z "$said" ] || show stderr "$said"
    # shellcheck disable=SC2086 # a list of numbers
    show read "$(where_to_read ${bugs[$name]})"
}

# report: prints what is known of the check that was read last.
report() {
    [ -n "$current" ] || return 0
    if [ "${result[$current]}" = ok ]; then
        echo "  ok    $current"
    else
        failed "$current" "${lines[@]}"
    fi
}

echo "$SERVER, by the contract of $day (SEED=$SEED):"
echo
current='' lines=() passed=0
while read -r line; do
    if [[ $line == "ok "* || $line == "not ok "* ]]; then
        report
        current=${line#*ok * } lines=()
        current=${current%% # timeout after *}
        result[$current]=${line%% [0-9]*}
        [ "${result[$current]}" != ok ] || passed=$((passed + 1))
    else
        lines+=("${line#\# }")
    fi
done < <(exec "$here/guard" $((TIME + 4)) bats --tap --filter-tags contract --filter "${ONLY:-.}" \
    --setup-suite-file "$here/nothing.bash" "$tests" 2>&1 3>&- </dev/null)
report
if [ ${#result[@]} -eq 0 ]; then
    printf '%s\n' 'no check could be tried:' "${lines[@]}" >&2
    exit 2
fi
for name in "${names[@]}"; do
    if [[ -z ${result[$name]-} && $name =~ ${ONLY-} ]]; then
        failed "$name" 'not tried: the time is up'
    fi
done

cat <<END

$passed of ${#names[@]}

Not in the contract, and skipped: the other $others tests of tests/$day.bats. They are about options,
messages and what else is more than the protocol, such as the drain at shutdown. Those of options that
your --help lists, and those that need none, run with
    SERVER=$2 bats tests/$day.bats
Of the sizes of a request every one to 4100 bytes is tried, and those around the powers of two to 2 MB.
The others are random: a single one of them that is answered wrongly is hardly ever found. Nor is a
server that fails only after more than about 4000 clients, or only with more than 200 at once.
END
[ "$passed" -eq "${#names[@]}" ]
