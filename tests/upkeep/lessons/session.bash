#!/bin/bash
# Runs a console session and compares it with what is printed:  session.bash FILE
#
# Lines of FILE that begin with "$ " are commands; the lines below a command are what it prints, or
# what jobs that are in the background print while it runs. They may be mixed in another way than
# printed; each job's own lines must come in their order. Nothing else may be printed. Every
# command must go on when a line is there, so there is no sleep and no guess.
#
# Run it in the root of a built copy; it may write there. Session and output are normalised: what
# differs from machine to machine and from run to run is no difference. Where user namespaces are
# allowed each session has a network of its own, in which port 4242 is free; else it gets a free
# port, and the servers --port.
#
# Exits 0 if all is as printed; 1, with the difference, if not. Nothing that it has started outlives it,
# also when a command never ends.
set -u
patience=${PATIENCE-20} # seconds for one line
limit=${LIMIT-80}       # and for the whole session

normalise() {
    sed -E -e 's/\r$//' -e 's/[[:space:]]+$//' \
        -e 's/back after [0-9]+\.[0-9]{3} ms/back after N ms/' `# of a trace` \
        -e 's/socket:\[[0-9]+\]/socket:[N]/' \
        -e 's/pid=[0-9]+/pid=N/; s/(127\.0\.0\.1:)([1-35-9][0-9]{4}|4[013-9][0-9]{3})/\1N/' \
        -e 's/[0-9]+ io_uring_enter calls/N io_uring_enter calls/' \
        -e 's/holding [0-9]+ buffers/holding N buffers/' \
        -e 's/ in [0-9.]+ *s(ec(onds)?)?\b/ in N s/' \
        -e 's/[[:space:]]+/ /g'
}

if [ -z "${SESSION_STAGE-}" ]; then
    file=$(realpath "$1")
    folder=$(mktemp -d)
    trap '[ -z "${session-}" ] || pkill -KILL -s "$session"; rm -rf "$folder"' EXIT
    trap 'exit 143' TERM
    export SESSION_STAGE=$folder
    enclosed=()
    if [ -z "${NO_NAMESPACE-}" ] && unshare -rn ip link set lo up 2>/dev/null; then
        cp "$file" "$folder/session"
        enclosed=(unshare -rn sh -c 'ip link set lo up && exec "$@"' -)
    else
        while port=$((20000 + RANDOM % 12000)) && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
        sed -E -e "s/4242/$port/g" \
            -e "/^\\$ /s,(\\./day0[1-4]/server),\\1 --port $port,g" "$file" >"$folder/session"
    fi
    setsid timeout -k 1 "$limit" "${enclosed[@]}" "$BASH" "$0" "$folder/session" &
    session=$!
    status=0
    wait "$session" 2>/dev/null || status=$?
    [ "$status" -le 1 ] || echo "ended with $status after $limit seconds at most, at: $(cat "$folder/command")"
    exit "$((status > 0))"
fi

mapfile -t lines <"$1"
streams=() taken=() jobs=()
set -m # as at a prompt: each job is a process group, and kill %1 works

finish() {
    local job
    for job in "${jobs[@]}"; do
        kill -KILL -- "-$job" 2>/dev/null
    done
    wait 2>/dev/null
}
trap finish EXIT
trap 'exit 1' TERM
for fd in "/proc/$$/fd"/*; do # what was inherited would change the numbers in the traces
    fd=${fd##*/}
    case $fd in
    [012] | 255) ;;
    *) exec {fd}>&- ;;
    esac
done
exec 2>"$SESSION_STAGE/shell" # what the shell itself says about jobs

fail() {
    echo "$1"
    if [ -s "$SESSION_STAGE/shell" ]; then cat "$SESSION_STAGE/shell"; fi
    exit 1
}

# next STREAM: the next line of it that nobody has taken, in $next. Whole lines count; what strace
# writes of a call that the end of the session cuts short may be there or not, and what the shell
# says of its jobs too.
next() {
    next=$(head -n "$(wc -l <"${streams[$1]}")" "${streams[$1]}" |
        grep -avE '^\[[0-9]+\][-+]? |= \? ERESTARTSYS|<detached \.\.\.>|<unfinished \.\.\.>' | sed -n "$((taken[$1] + 1))p; \$a.")
    next=${next%.}
    [ -n "$next" ] || return 1
    next=${next%$'\n'}
    normal=$(normalise <<<"$next")
}

# Some stream has printed this line next. Stream 0 is what the command in front has printed.
take() {
    local wanted i stuck deadline=$((SECONDS + patience)) seen
    wanted=$(normalise <<<"$1")
    while :; do
        stuck=1 seen=
        for i in "${!streams[@]}"; do
            if next "$i"; then
                if [ "$normal" = "$wanted" ]; then
                    taken[i]=$((taken[i] + 1))
                    return
                fi
                seen+="there is: $next"$'\n'
            elif [ "$i" -gt 0 ] && kill -0 "${jobs[i - 1]}" 2>/dev/null; then
                stuck=0 # it may still come
            fi
        done
        if [ "$stuck" = 1 ] || ((SECONDS >= deadline)); then
            fail "after: $command"$'\n'"printed in the text: $1"$'\n'"$seen"
        fi
        pause
    done
}

pause() { read -r -t 0.02 <>"$SESSION_STAGE/never"; } # without a process

nothing_left() { # STREAM
    ! next "$1" || fail "after: $command"$'\n'"not in the text: $next"
}

mkfifo "$SESSION_STAGE/never"
streams[0]=$SESSION_STAGE/0
: >"${streams[0]}"
taken[0]=0
command=
for line in "${lines[@]}"; do
    if [[ $line != '$ '* ]]; then
        take "$line"
        continue
    fi
    nothing_left 0
    command=${line#'$ '}
    echo "$command" >"$SESSION_STAGE/command"
    if [[ $command == *' &' ]]; then
        n=${#streams[@]}
        streams[n]=$SESSION_STAGE/$n taken[n]=0
        : >"${streams[n]}"
        # its own redirections come last, and count
        case $command in
        *' | '*) eval "{ ${command% &}; } >>'${streams[n]}' 2>&1 &" ;;
        *) eval ">>'${streams[n]}' 2>&1 ${command% &} &" ;;
        esac
        jobs+=($!)
    else
        taken[0]=0
        eval "$command" >"${streams[0]}" 2>&1 </dev/null
    fi
done
nothing_left 0

# A session stops what it started; that may have something to say on its way out.
deadline=$((SECONDS + patience))
for i in "${!jobs[@]}"; do
    while kill -0 "${jobs[i]}" 2>/dev/null; do
        ((SECONDS < deadline)) || fail "still running: job $((i + 1))"
        pause
    done
    nothing_left $((i + 1))
done
