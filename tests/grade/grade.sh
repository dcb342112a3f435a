#!/bin/bash
# Grades a program by the contract of a day (make grade), which is those tests of tests/dayNN.bats
# that have the tag contract, and those of more.bats beside this script: a score, and for each that
# failed what happened and what to read. An echo in the same way, by tests/echo.bats, more.bats and
# echo.bats beside this script.
#
#   tests/grade/grade.sh DAY SERVER
#   tests/grade/grade.sh echo SERVER
#
# Exit status: 0 at full marks, 1 below, 2 when there is nothing to grade. Environment: SEED, to
# repeat the same random requests; ONLY, a regular expression, to try only the checks whose names
# match (that never gives full marks); TIME, in seconds (50), for a machine that is too slow for that.
# What the program takes to start does not count, and on a busy machine everything may take longer.
set -u

usage() {
    echo "$1" >&2
    echo 'usage: make grade DAY=04 SERVER=path/to/mine      (DAY: 01, 02, 03 or 04; an echo: ECHO=1)' >&2
    exit 2
}

[ $# -eq 2 ] || usage 'a day and a program are needed'
case ${1#0} in [1234]) day=day0${1#0} ;; echo) day='echo' ;; *) usage "no such day: '$1'" ;; esac
[ -n "$2" ] || usage 'which program?'
[ -e "$2" ] || usage "no such file: $2"
[ ! -d "$2" ] || usage "a directory, not a program: $2"
[ -x "$2" ] || usage "it cannot be executed: $2 (chmod +x; a script begins with a line like #!/usr/bin/python3)"
for tool in bats nc ps; do
    command -v $tool >/dev/null || { echo "$tool is missing: make deps" >&2; exit 2; }
done

unset STDERR_TO
SERVER=$(realpath -- "$2")
here=$(cd "$(dirname "$0")" && pwd)
tests=("$(dirname "$here")/$day.bats" "$here/more.bats")
without='' lesson=$day ECHO=''
rare='a single size of a request over 4100 bytes, away from the powers of two, answered wrongly'
case $day in
day04) ;;
echo)
    tests+=("$here/echo.bats") without=answer lesson=day04 ECHO=1
    rare='a byte that goes wrong once in 50,000,000; what goes wrong only when more than 4 do not read, or when
one of these resets, or ends its direction'
    ;;
*) without=many ;;
esac
notes=$(dirname "$here")/../NOTES.md
export SERVER GRADE=1 ECHO DAY=$lesson SEED=${SEED:-$RANDOM} GRADE_CHECKS GRADE_TIME=${TIME:=50} GRADE_PROCESSORS
export GRADE_PATIENCE=$((TIME / 5 - 3)) BATS_TEST_TIMEOUT=$((TIME * 6)) GRADE_STARTED=$EPOCHSECONDS

names=()
declare -A result=()
tags=contract${without:+,!$without}
while IFS=$'\t' read -r name their; do
    if [[ ,$their, == *,contract,* && ,$their, != *,"${without:-none}",* ]]; then names+=("$name"); fi
done < <(awk '/^# bats test_tags=/ { tags = substr($0, 18) }
              /^@test / { split($0, part, "\""); print part[2] "\t" tags; tags = "" }' "${tests[@]}")
others=$(($(grep -c '^@test' "${tests[0]}") - $(grep -c '^# .*=contract' "${tests[0]}")))
GRADE_CHECKS=${#names[@]} GRADE_PROCESSORS=$(nproc)

show() {
    local text=${2:0:300}
    printf '        %-11s%s\n' "$1" "${text//[^[:print:]]/?}"
}

# The bugs of NOTES.md that what came back speaks of, and a hint. Never by the name of the check.
advise() {
    local what="$sent; $after"
    hint='' bugs=()
    case $died in
    SIGPIPE) bugs=(19) ;;
    SIG*) hint="build it with -fsanitize=address,undefined and look at its stderr" ;;
    esac
    if [[ $said == *"Address already in use"* ]]; then
        case $sent in
        *"--port 0"*) hint="--port 0 means any free port: bind to 0, and ask getsockname() which it is" ;;
        *) bugs=(23) hint="set SO_REUSEADDR before bind()" ;;
        esac
    elif [ -n "$died" ]; then
        if [[ $said == *[Aa]ssertion* ]]; then hint="it says itself what is wrong, on stderr"
        elif [[ $said == *get_sqe* || $said == *[Ss]ubmission\ queue* ]]; then bugs=(12)
        elif [[ $died == SIG[SA]* && $sent =~ ^[0-9]{4} ]]; then bugs=(15)
        elif [[ $what == *stopped\ and\ continued* ]]; then bugs=(9)
        elif [[ $died != SIGPIPE && $what == *reset* ]]; then bugs=(7)
        elif [[ $what == *descriptors* && $died != SIG* ]]; then hint="accept() fails with EMFILE: wait, and try again"
        fi
    elif [[ $came == "'' on stdout" && $passed -gt 0 ]]; then
        hint="it has started before, so it may only be slow: is the machine busy?"
    elif [[ $came == "'' on stdout" ]]; then bugs=(32) hint="print it when it listens, and flush"
    elif [[ $came == *\\r* ]]; then hint="end the line with a newline alone"
    elif [[ $came == *"no newline"* ]]; then hint="end the line with a newline"
    elif [[ $came == *'"ack\n\x00'* ]]; then bugs=(17)
    elif [[ -n $ECHO && $expected == *"no byte" && $came == \"* ]]; then
        hint="bytes of an earlier client: what is left of one must be cleared for the next"
    elif [[ $expected == *"no byte"* && $came == *"reset by peer"* ]]; then bugs=(20)
    elif [[ $came == '"ack\nack'* || ($expected == *"no byte" && $came == \"*) ]]; then bugs=(14)
    elif [[ $came == *"open descriptors"* || $came == *"used slots"* ]]; then bugs=(5)
    elif [[ $came == *"more memory"* ]]; then bugs=(16)
    elif [[ $came == *threads* ]]; then hint="a thread that has ended is kept until it is joined, or detached"
    elif [[ $came == *processes* ]]; then hint="a child that has ended is kept until wait(2) has collected it"
    elif [[ $expected == *backlog* ]]; then bugs=(30)
    elif [[ $sent == *127.0.0.2* || $came == *"every address"* ]]; then bugs=(27)
    elif [[ $came == "the answer, but after"* ]]; then
        hint="it waits for something that it does not need: a sleep, a poll with a time, more bytes?"
    elif [[ $came == *" s" && $came == "${expected%%, then*}, then nothing more in"* && $expected == '"ack\n"' ]]; then
        hint="it came, but too late: patience is ${came##*in }"
    elif [[ $came == *"Connection refused"* ]]; then hint="nothing listens on its port any more"
    elif [[ $what == *"stopped and continued"* ]]; then bugs=(9)
    elif [[ $what == *"not read"* ]]; then
        bugs=(55)
        if [[ $came != *"was taken" ]]; then
            bugs=(54 55) hint="send without waiting, and keep what the socket does not take"
        fi
    elif [[ $came == "no byte, then"*"in place of"* ]]; then hint="an echo sends what it has got, and nothing else"
    elif [[ $came == *"in place of"* ]]; then bugs=(52 53)
    elif [[ $sent == *"other clients are connected"* ]]; then
        case $sent in *"while "[0-9]" "*) bugs=(21) ;; *) bugs=(6 22) ;; esac
    elif [[ $came == '"ack\n", then nothing'* && $expected == *"to be read" ]]; then
        hint="read on after the answer, until the client has ended its direction"
    elif [[ $came == '"ack\n", then nothing'* ]]; then bugs=(5) hint="end your direction after the answer: shutdown()"
    elif [[ $sent == "5 bytes"* && $came != *"nothing more"* && $outcome =~ ^([0-9]+)\ ok,\ ([0-9]+)\ failed &&
        ${BASH_REMATCH[1]} -gt $((10 * BASH_REMATCH[2])) ]]; then
        hint="now and then: is a descriptor closed twice, or by two threads? That may hit another client's"
    elif [[ $came == *"reset by peer"* || $came == *"Broken pipe"* ]]; then
        if [[ $came == *ack* || $sent =~ ^[0-9]{4} || $sent == *of\ [0-9]* || $after == *second* ]]; then bugs=(20); else bugs=(7 22); fi
    elif [[ $what == *descriptors* ]]; then hint="accept() fails with EMFILE: wait, and try again"
    elif [[ $came == *" in all" ]]; then hint="it goes on, but too slowly"
    elif [[ -n $ECHO && $came == *"nothing more"* ]]; then bugs=(54 56)
    elif [[ -n $ECHO && $came == *"then end of file" && $sent != *", then the end"* ]]; then
        bugs=(54) hint="the client had not ended: is EAGAIN, ENOBUFS or a short send taken for the end?"
    elif [[ -n $ECHO && $came == *"then end of file" ]]; then
        hint="who has ended his direction is still owed what has not come back"
    elif [[ $sent == *", then the end" && $came == "no byte, then end of file" ]]; then
        hint="who has ended his direction is still owed the answer"
    elif [[ $came == "no byte"* && $outcome =~ ^[1-9][0-9]*\ ok ]]; then
        if [[ $came == *"nothing more"* ]]; then bugs=(6 11); else bugs=(22); fi
    fi
}

where_to_read() { # BUG...
    local bug title
    if [ $# -eq 0 ]; then show read "$lesson/README.md"; fi
    for bug; do
        title=$(sed -n "s/^####* 0*$bug //p" "$notes")
        show read "NOTES.md, bug $bug${title:+: $title}"
    done
}

# failed NAME LINE...: these lines were printed by the check.
failed() {
    local name=$1 line last='' sent='' came='' expected='' outcome='' after='' died='' said='' prints=() hint bugs
    echo "  FAIL  $name"
    shift
    for line; do
        if [[ -z $sent && $line == *"(sent "*"; came back "*"; expected "*")"* ]]; then
            outcome=${line%%(sent *} outcome=${outcome% }
            line=${line#*(sent }
            sent=${line%%; came back *}
            line=${line#*; came back }
            came=${line%%; expected *}
            expected=${line#*; expected }
            expected=${expected%%), [0-9]*}
            expected=${expected%)*}
        elif [[ $line == "not tried: "* ]]; then
            show 'not tried' "${line#*: }"
            return
        elif [[ $line == "died: "* ]]; then
            died=${line#*: }
        elif [[ $line == "after: "* ]]; then
            after=${line#*: }
        elif [[ $line == "err: "* ]]; then
            prints+=(stderr "${line#*: }")
            said+=$line
        elif [[ $line == "out: "* ]]; then
            prints+=(stdout "${line#*: }")
        elif [[ $line != "("* && $line != " "* ]]; then
            last=$line
        fi
    done
    if [ -z "$sent" ] && [ -z "$timed_out" ]; then
        sent="what this test sends"
        came="the check broke off: ${last:-for no reason that is known}"
        expected="an end of it"
    elif [ -z "$sent" ]; then # the end of its time, with which everything was killed
        died=''
        sent="what this test sends"
        came="no end of it in $BATS_TEST_TIMEOUT s"
        expected="all answers sooner"
    fi
    advise
    [ -z "$died" ] || show died "it ended by itself: $died"
    [ ${#prints[@]} -eq 0 ] || show_pairs "${prints[@]}"
    show sent "$sent"
    show 'came back' "$came"
    show expected "$expected"
    [ -z "$outcome" ] || show clients "$outcome"
    [ -z "$after" ] || show after "$after"
    [ -z "$hint" ] || show hint "$hint"
    where_to_read "${bugs[@]}"
}

show_pairs() {
    while [ $# -gt 0 ]; do
        show "$1" "$2"
        shift 2
    done
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

printf '%q' "$SERVER"
echo ", by the contract of ${ECHO:+the }$day (SEED=$SEED):"
echo
current='' lines=() passed=0 timed_out=''
while read -r line; do
    if [[ $line == "ok "* || $line == "not ok "* ]]; then
        report
        current=${line#*ok * } lines=() timed_out=''
        [[ $current != *" # timeout after "* ]] || timed_out=1
        current=${current%% # timeout after *}
        result[$current]=${line%% [0-9]*}
        [ "${result[$current]}" != ok ] || passed=$((passed + 1))
    else
        lines+=("${line#\# }")
    fi
done < <(exec "$here/guard" $((TIME * 20)) bats --tap --filter-tags "$tags" --filter "${ONLY:-.}" \
    --setup-suite-file "$here/nothing.bash" "${tests[@]}" 2>&1 3>&- </dev/null)
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
END
# How much of the day beyond the contract is there, and what is next: its tests take the contract for granted.
if [ "$day" = day04 ]; then
    if [ "$passed" -eq "${#names[@]}" ]; then
        env -u DAY -u GRADE -u BATS_TEST_TIMEOUT "$here/../steps/score.sh" "$SERVER" graded
    else
        echo "day 4: its steps are counted when all of these are there"
    fi
fi
cat <<END

Not in the contract, and skipped: the other $others tests of tests/$day.bats. They are about options,
messages and what else is more than the protocol, such as the drain at shutdown. Those of options that
your --help lists, and those that need none, run with
    SERVER=$(printf '%q' "$2") bats tests/$day.bats
What no check here finds:
$rare;
what happens only after more than about 4,000 clients, or 1,000 resets, or with more than 300 at once, or after
more than 4 seconds; memory of less than about 200 bytes kept for each client, or in a heap of Java, .NET or
Node.js; processor time that is used while descriptors are out; a client that a process of its own still
serves after the end; a port that is busy for less than a second after the end, or shared by SO_REUSEPORT.
END
[ "$passed" -eq "${#names[@]}" ]
