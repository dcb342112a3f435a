# Loaded by protocol.bash when a program is graded (grade.sh): what is other than in the tests of
# our own servers.
#
# A program is started with descriptors 0 to 2 and no others. The last 4 KiB of what it prints are
# kept for the report of a check that fails. How it ends is judged by the checks that end it; in all
# others it must live to the end.
#
# Each step of a check may take $GRADE_PATIENCE seconds, or more on a busy machine; what the program
# takes to start does not count. When one has waited so long in vain, the time for all begins to count,
# and what is left of it is shared out among the checks that are to come: a right program on a busy
# machine has all the time that it needs.
#
# No check has more than 50 connections waiting to be accepted: that is the backlog that some
# libraries have. Checks that a sequential server cannot pass are not in the contract of days 1 to 3.

# Much here is asked often, and a process costs more than the answer: so bash alone reads /proc.

# busy: BUSY is the load of the machine for each processor, 1 to 8: everything may take so many times as long.
busy() {
    local load
    read -r load _ </proc/loadavg
    BUSY=$((${load%.*} / GRADE_PROCESSORS + 1))
    ((BUSY <= 8)) || BUSY=8
}

PATIENCE=$GRADE_PATIENCE
ECHO=${ECHO-} # not empty: it is an echo that is graded
ANSWERED=send=5,ack,eof
[ -z "$ECHO" ] || ANSWERED=echo=5,half,eof
WITH='' # what else there is while the request goes on that is reported

start_server() { # DAY [OPTION...]: without options on any free port
    local notes=$BATS_RUN_TMPDIR arguments=("${@:2}") line='' status=0 from
    busy
    PATIENCE=$((GRADE_PATIENCE * BUSY))
    trap - DEBUG # bats' own, before each command: it knows the line then, and takes most of the time
    [ $# -gt 1 ] || arguments=(--port 0)
    if [ -e "$notes/does-not-start" ]; then
        echo "not tried: it does not start"
        return 1
    fi
    share_the_time || return
    ERR=$BATS_TEST_TMPDIR/server.err OUT=$BATS_TEST_TMPDIR/server.out
    exec {SERVER_ERR}> >(exec tail -c 4096 >"$ERR" 3>&-)
    ERR_READER=$!
    from=${EPOCHREALTIME/./}
    exec {SERVER_OUT}< <(run_server "${arguments[@]}")
    SERVER_PID=$!
    exec {SERVER_ERR}>&-
    # -n: it may print without end
    IFS= read -r -n 100 -t "$PATIENCE" line <&"$SERVER_OUT" || status=$?
    spent_on_starts
    echo $((SPENT + ${EPOCHREALTIME/./} - from)) >"$notes/spent-on-starts"
    STARTED=$EPOCHSECONDS
    tail -c 4096 <&"$SERVER_OUT" >"$OUT" 3>&- &
    OUT_READER=$!
    exec {SERVER_OUT}<&-
    if [ "$status" -ne 0 ] && [ -n "$line" ]; then line+=' (and no newline)'; fi
    if [[ ! $line =~ ^listening\ on\ 127\.0\.0\.1:[0-9]+$ ]]; then
        [ -e "$notes/starts" ] || touch "$notes/does-not-start"
        differs "${arguments[*]} (its stdin is /dev/null)" "'${line//$'\r'/\\r}' on stdout" \
            "'listening on 127.0.0.1:PORT' and a newline within $PATIENCE s (TIME=$((GRADE_TIME * 2)) makes that twice as long)"
        return 1
    fi
    : >"$notes/starts"
    PORT=${line##*:}
    [[ ${arguments[1]} == 0 || $PORT == "${arguments[1]}" ]] ||
        differs "${arguments[*]}" "'$line' on stdout" "'listening on 127.0.0.1:${arguments[1]}'"
}

run_server() { # OPTION...: becomes the server
    local fd
    exec </dev/null 2>&"$SERVER_ERR"
    for fd in "/proc/$BASHPID/fd"/*; do
        fd=${fd##*/}
        ((fd < 3)) || eval "exec $fd>&-"
    done
    trap - PIPE
    exec -- "$SERVER" "$@"
}

spent_on_starts() { # SPENT, in microseconds
    SPENT=0
    [ ! -e "$BATS_RUN_TMPDIR/spent-on-starts" ] || read -r SPENT <"$BATS_RUN_TMPDIR/spent-on-starts"
}

share_the_time() {
    local left others=$((GRADE_CHECKS - BATS_SUITE_TEST_NUMBER + 1))
    [ -e "$BATS_RUN_TMPDIR/slow" ] || return 0
    spent_on_starts
    left=$(((GRADE_TIME * BUSY) - EPOCHSECONDS + GRADE_STARTED + SPENT / 1000000))
    if ((left < 2)); then
        echo "not tried: the time is up (TIME=$((GRADE_TIME * 2)) makes it twice as long)"
        return 1
    fi
    ((left / others >= PATIENCE)) || PATIENCE=$((left / others))
    ((PATIENCE > 0)) || PATIENCE=1
}

await_exit() {
    local pid=$SERVER_PID
    unset SERVER_PID
    wait "$pid"
}

# After a check that was passed the server must live, unless the check has ended it.
stop_server() {
    local status=0
    if [ -n "${SERVER_PID-}" ] && [ -n "${BATS_TEST_COMPLETED-}" ]; then
        still_serves || status=1
    fi
    if [ -z "${BATS_TEST_COMPLETED-}" ] || [ "$status" -ne 0 ]; then
        say_what_it_said
    elif [ -n "${SERVER_PID-}" ]; then
        kill -KILL "$SERVER_PID" || true
        wait "$SERVER_PID" || true
    fi
    [ ${#CLIENTS[@]} -eq 0 ] || kill "${CLIENTS[@]}" 2>/dev/null || true
    kill -USR1 "$GUARD" # and what they started
    return "$status"
}

still_serves() {
    # A ring is taken down a moment after its program has ended: until then it listens.
    if nobody_listens 127.0.0.1 ||
        { has_ended "$SERVER_PID" && eventually 1 nobody_listens 127.0.0.1 >/dev/null; }; then
        differs "one more connection, after this check" "a refusal" "a connection"
    elif has_ended "$SERVER_PID"; then
        differs "(nothing)" "the program that was started has ended, though something listens" \
            "that it stays in the foreground"
    fi
}

# Why a check that failed may have failed: how the server has ended, and its last words.
say_what_it_said() {
    local file
    [ -n "${STARTED-}" ] || return 0
    ((EPOCHSECONDS - STARTED < PATIENCE)) || touch "$BATS_RUN_TMPDIR/slow"
    [ -z "${SERVER_PID-}" ] || say_how_it_ended
    kill -USR1 "$GUARD"
    await_output
    for file in "$ERR" "$OUT"; do
        sed "s/^/${file##*.}: /" < <(tr -d '\0' <"$file" | grep -v '^$' | tail -n 3)
    done
}

say_how_it_ended() {
    local status=0
    if has_ended "$SERVER_PID" || { pause 0.2; has_ended "$SERVER_PID"; }; then
        wait "$SERVER_PID" || status=$?
        echo "died: $(ending "$status")"
    else
        kill -KILL "$SERVER_PID"
        wait "$SERVER_PID" || true
    fi
}

# The readers write when nobody is left who could print.
await_output() {
    helpers_eventually 2 has_ended "$ERR_READER" >/dev/null || true
    helpers_eventually 2 has_ended "$OUT_READER" >/dev/null || true
}

ending() { # STATUS
    local name
    if [ "$1" -gt 128 ] && name=$(kill -l "$1" 2>/dev/null); then
        echo "SIG$name"
    else
        echo "status $1"
    fi
}

pause() { read -r -t "$1" <&"$NEVER" || true; } # without a process

eval "helpers_$(declare -f clients)"
clients() { helpers_clients -p "$PATIENCE" -t $((PATIENCE * 4)) "$@"; }

eval "helpers_$(declare -f eventually)"
eventually() { helpers_eventually $(($1 < PATIENCE ? $1 : PATIENCE)) "${@:2}"; }

require_free_slots() { :; } # one check sees it

# Clients of this shell: no process for each.

connect() { # NAME: its descriptor is in the variable of that name
    trap '' PIPE
    exec {connection}<>"/dev/tcp/127.0.0.1/$PORT" || {
        differs "a connection${WITH:+, $WITH}" "an error" "a connection"
        return
    }
    printf -v "$1" %s "$connection"
}

disconnect() { # DESCRIPTOR...
    local fd
    for fd; do exec {fd}>&-; done
}

# ask DESCRIPTOR: five bytes; requires the answer and the end, or that these come back.
ask() {
    local came='' status=0 expected='"ack\n", then the end'
    printf hello >&"$1" || true
    IFS= read -r -N 5 -t "$PATIENCE" came <&"$1" || status=$?
    if [ -n "$ECHO" ]; then
        [ "$came" != hello ] || return 0
        expected='"hello"'
    elif [ "$came" = $'ack\n' ] && [ "$status" -eq 1 ]; then
        return 0
    fi
    came=${came//$'\n'/\\n}
    if [ "$status" -gt 128 ]; then status="nothing more in $PATIENCE s"; else status='the end'; fi
    differs "5 bytes \"hello\"${WITH:+, $WITH}" "${came:+\"$came\"}${came:-no byte}, then $status" "$expected"
}

# Instead of those in protocol.bash: by what these do not find, or not say.

answers_four_bytes() {
    some_clients "$ANSWERED"
    answers_at_once || {
        touch "$BATS_RUN_TMPDIR/slow" # or all that comes takes so long
        return 1
    }
}

# The quickest of 20 answers is looked at: a busy machine makes some of them late.
answers_at_once() {
    local fd from took least=1000000
    for _ in {1..20}; do
        connect fd
        from=${EPOCHREALTIME/./}
        ask "$fd"
        took=$((${EPOCHREALTIME/./} - from))
        disconnect "$fd"
        ((took >= least)) || least=$took
        ((least >= 20000 * BUSY)) || return 0
    done
    differs '5 bytes "hello", 20 times' "the answer, but after $((least / 1000)) ms at the best" \
        "the answer at once ($((20 * BUSY)) ms at most)"
}

# 200 that are connected first, and then ask all at once, while the program is stopped: it finds them in one
# turn. On days 1 to 3, one after the other.
answers_200_at_once() {
    local n
    if [ "$DAY" != day04 ]; then
        some_clients -n 200 -c 50 send=5,ack,eof
        return
    fi
    for n in {0..4}; do
        start_clients -n 40 "stdin,$ANSWERED"
        await_stop "$n"
        some_clients "$ANSWERED" # by then the 40 are accepted
    done
    eventually "$PATIENCE" all_are_stopped >/dev/null || true
    resume_clients {0..4}
    eventually $((3 * BUSY)) unread_are_at_least 200 >/dev/null || true
    signal_all CONT
    await_clients
}

unread_are_at_least() { [ "$(with_unread '.*[1-9A-F].*')" -ge "$1" ]; } # N clients have bytes waiting

answers_3000() {
    local n
    for n in 470 480 490 510 520 530; do
        some_clients -n "$n" -c 50 send=5,ack,eof send=2000,half,ack,eof half,eof
    done
}

survives_resets() { survives 40 reset send=5,reset send=5,ack,reset send=100000,reset; }
survives_1500_resets() {
    survives 240 reset send=5,reset send=100000,reset send=5,ack,reset drip=9,reset half,reset
}

survives() { # N SCRIPT...: N of each, 40 at a time, and one that asks after these
    local script n fd
    for script in "${@:2}"; do
        for ((n = 0; n < $1; n += 40)); do
            WITH="after $((n + 40)) clients, each: $script"
            some_clients -n 40 "$script" || {
                echo "after: $n clients, each: $script"
                return 1
            }
            connect fd
            ask "$fd" # by then the 40 are accepted
            disconnect "$fd"
        done
    done
}

# serves_beside SCRIPT [N]: more and more clients are connected, and after each one more asks. SCRIPT
# says what these do: nothing, or they ask and do not close.
serves_beside() {
    local fd other held=() n
    for ((n = 0; n < ${2-200}; n++)); do
        connect fd
        if [[ $1 == stdin,* ]]; then
            connect other
            WITH="while $((n + 1)) other clients are connected and say nothing"
            ask "$other"
            disconnect "$other"
        else
            WITH="while $n other clients are connected that were answered and do not close"
            ask "$fd"
        fi
        held+=("$fd")
    done
    WITH="of one that said nothing before, like the $((n - 1)) other clients"
    [[ $1 != stdin,* ]] || for fd in "${held[@]}"; do ask "$fd"; done
    disconnect "${held[@]}"
    WITH=''
}

# What the program's processes have: THREADS, COUNT of them (zombies, too), KIB of memory; and DESCRIPTORS, if
# that is asked for, because it takes longest. proc_pid_status(5)
holdings() { # [DESCRIPTORS]
    local pid fd status lives
    lives='State:.[A-Y].*RssAnon:[[:space:]]*([0-9]+).*RssShmem:[[:space:]]*([0-9]+).*Threads:.([0-9]+)'
    find_processes
    DESCRIPTORS=0 THREADS=0 COUNT=0 KIB=0
    for pid in "${PROCESSES[@]}"; do
        if [ "${1-}" = DESCRIPTORS ]; then
            for fd in /proc/"$pid"/fd/*; do [ ! -L "$fd" ] || DESCRIPTORS=$((DESCRIPTORS + 1)); done
        fi
        status=''
        IFS= read -r -d '' status <"/proc/$pid/status" || true
        [ -z "$status" ] || COUNT=$((COUNT + 1))
        if [[ $status =~ $lives ]]; then
            KIB=$((KIB + BASH_REMATCH[1] + BASH_REMATCH[2])) THREADS=$((THREADS + BASH_REMATCH[3]))
        fi
    done 2>/dev/null
}

# at_rest NAME: its holdings, when that one has not changed for a while: threads that end give their memory
# back, and it may still be starting processes that wait for clients.
at_rest() {
    local last same=0
    holdings "$1"
    for _ in {1..50}; do
        last=${!1}
        pause "0.$BUSY"
        holdings "$1"
        same=$((${!1} == last ? same + 1 : 0))
        ((same < 3)) || break
    done
}

# least NAME: LEAST is the lowest of that one of its holdings within 0.2 seconds.
least() {
    LEAST=''
    for _ in {1..3}; do
        [ -z "$LEAST" ] || pause 0.1
        holdings "$1"
        if [ -z "$LEAST" ] || ((${!1} < LEAST)); then LEAST=${!1}; fi
    done
}

KINDS=(
    "that were answered:$ANSWERED"
    "that sent 2000 bytes and were answered:${ANSWERED/5/2000}"
    'that closed without a byte:half,eof'
    'that reset before they asked:reset'
    'that asked and reset:send=5,reset'
    "that reset after the answer:${ANSWERED%,*},reset"
    'that sent 100000 bytes and reset:send=100000,reset'
)

# The first clients may make it open things for good: as many at once as there are later in a row.
leaves_nothing_open() {
    local kind descriptors before_threads before_count slots=0
    if [ "$DAY" = day04 ]; then serves_beside send=5,ack,eof,stdin 120; fi
    for kind in "${KINDS[@]}"; do some_clients -n 40 -c 20 "${kind#*:}"; done
    if has_ring; then slots=$(slots_with_one_idle_client); fi
    at_rest DESCRIPTORS
    descriptors=$((DESCRIPTORS + 3)) before_threads=$THREADS before_count=$COUNT
    for kind in "${KINDS[@]}"; do
        some_clients -n 120 -c 20 "${kind#*:}"
        eventually "$PATIENCE" descriptors_are_at_most "$descriptors" >/dev/null ||
            differs "120 clients ${kind%:*}" "$(open_descriptors) open descriptors when they had gone" \
                "$((descriptors - 3)), as before"
        if [ "$slots" -gt 0 ]; then leaves_slots_free "$slots" "${kind%:*}"; fi
        holdings
        ((THREADS < before_threads + 10)) || does_not_grow THREADS threads "$kind"
        ((COUNT < before_count + 10)) || does_not_grow COUNT processes "$kind"
    done
}

leaves_slots_free() { # N KIND
    local idle
    connect idle
    eventually "$PATIENCE" slots_used_are "$1" >/dev/null ||
        differs "120 clients $2, and one that is there" "$(used_slots 2>/dev/null || echo unknown:) used slots of the ring" \
            "$1, as before"
    disconnect "$idle"
}

# A pool of threads may grow once, and zombies may be left to be collected with the next client.
does_not_grow() { # NAME WHAT KIND
    local before
    least "$1"
    for _ in {1..3}; do
        before=$LEAST
        some_clients -n 60 -c 20 "${3#*:}"
        least "$1"
        ((LEAST >= before + 6)) || return 0
    done
    differs "180 clients ${3%:*}" "$LEAST $2 when they had gone" "as many as before them, or a few more"
}

memory_clients() {
    for _ in 1 2; do some_clients -n 500 -c 40 "$ANSWERED" half,eof send=5,reset "${ANSWERED/5/2000}"; done
}

# Those of Java, .NET and Node.js grow for longer than there is time to look.
has_a_large_heap() { grep -qE 'libjvm|libcoreclr|/mono(-sgen)?$|/node$' "/proc/$SERVER_PID/maps"; }

# A heap that is collected now and then grows, too, but not all the time: Go's first has to reach 4 MB.
keeps_no_memory() {
    local before kind kinds=''
    ! has_a_large_heap || return 0
    memory_clients
    at_rest KIB
    for _ in {1..16}; do
        before=$KIB
        memory_clients
        at_rest KIB
        ((KIB >= before + 150)) || return 0
    done
    for kind in "${KINDS[@]:0:5}"; do
        before=$KIB
        some_clients -n 500 -c 40 "${kind#*:}"
        at_rest KIB
        ((KIB < before + 60)) || kinds+="${kinds:+, }500 ${kind%:*}: $((KIB - before)) KiB"
    done
    [ -z "$kinds" ] || differs "sixteen times 1000 clients ($kinds)" \
        "more memory in use each time when they had gone" "no more than before them"
}

# While the client is there.
keeps_no_bytes() {
    local before script=$ANSWERED,send=30000000,stdin
    [ -z "$ECHO" ] || script=echo=5,echo=10000000,echo=10000000,echo=10000000,stdin
    some_clients -n 20 -c 2 "$ANSWERED"
    at_rest KIB
    before=$KIB
    start_clients "$script"
    await_stop 0
    least KIB
    has_a_large_heap || ((LEAST < before + 15000)) ||
        differs "30,000,000 bytes, by one client that is still connected" "$((LEAST - before)) KiB more memory in use" \
            "not much more than before: what it has read it needs no more"
    resume_clients 0
    await_clients
}

# Of its processes and threads: CPU time in TICKS of 10 ms, and how often they went to sleep, WAKES.
use_of_cpu() {
    local pid file status
    cpu_time
    WAKES=0
    for pid in "${PROCESSES[@]}"; do
        for file in /proc/"$pid"/task/*/status; do
            status=''
            IFS= read -r -d '' status <"$file" || true
            if [[ $status =~ [^n]voluntary_ctxt_switches:.([0-9]+) ]]; then WAKES=$((WAKES + BASH_REMATCH[1])); fi
        done
    done 2>/dev/null
}

# The lowest of several times half a second, or more on a busy machine, where everybody gets less of the
# processor: it may have had something to put in order.
uses_no_cpu_time() { # WITH
    local before slept least_ticks=1000 least_wakes=1000000 most_ticks=3 most_wakes=125
    for _ in {1..6}; do
        use_of_cpu
        before=$TICKS slept=$WAKES
        pause $((BUSY / 2)).$((BUSY % 2 * 5))
        use_of_cpu
        ((least_ticks <= TICKS - before)) || least_ticks=$((TICKS - before))
        ((least_wakes <= WAKES - slept)) || least_wakes=$((WAKES - slept))
        ((least_ticks > most_ticks || least_wakes > most_wakes)) || return 0
    done
    differs "nothing for $((BUSY * 500)) ms${1:+, $1}" "${least_ticks}0 ms of CPU time, $least_wakes wake-ups" \
        "${most_ticks}0 ms at most, and $most_wakes wake-ups: it sleeps until something comes"
}

is_idle_with_clients() {
    local fd held=() n count=20
    [ "$DAY" = day04 ] || count=1
    some_clients -n 1000 -c 40 "$ANSWERED" # of each a timer may be left that wakes it
    for ((n = 0; n < count; n++)); do
        connect fd
        held+=("$fd")
    done
    uses_no_cpu_time "with $count clients connected that say nothing"
    if [ "$DAY" = day04 ]; then
        connect fd
        ask "$fd"
        uses_no_cpu_time "with $count clients connected that say nothing, and one that was answered and does not close"
        echo again >&"$fd"
        uses_no_cpu_time "with $count clients connected that say nothing, and one that has sent on after its answer"
        disconnect "$fd"
    fi
    disconnect "${held[@]}"
}

# Without a client before it; after some; and three times while they come, because a program may look only
# when a wait was interrupted, and so miss the one that comes between two waits.
ends_on_sigterm() { # STATUS...
    ends "$*" "SIGTERM, before any client has come"
    start_server "$DAY"
    some_clients -n 20 "$ANSWERED"
    ends "$*" "SIGTERM, without clients"
    for _ in 1 2 3; do
        start_server "$DAY"
        "$ROOT/tests/client" -t $((4 * PATIENCE)) -n 5000 -c 20 "$PORT" "$ANSWERED" >/dev/null 3>&- &
        pause 0.1
        ends "$*" "SIGTERM, while clients come"
        wait $! || true # these have found nobody any more
    done
}

ends() { # STATUSES SENT: it was sent a SIGTERM, and ends with one of these
    local pid=$SERVER_PID status=0 wanted="status ${1/143 0/0, or killed by SIGTERM}"
    kill -TERM "$pid" || true
    eventually "$PATIENCE" has_ended "$pid" >/dev/null || differs "$2" "no end in $PATIENCE s" "$wanted"
    await_exit || status=$?
    [[ " $1 " == *" $status "* ]] || differs "$2" "its end with $(ending "$status")" "$wanted"
}

# Those of more.bats.

listens_on_loopback_only() {
    nobody_listens 127.0.0.2 ||
        differs "a connection to 127.0.0.2, another address of this machine" "a connection" \
            "a refusal: it listens on 127.0.0.1 only"
    ! grep -qsE ": 0{32}:$(printf %04X "$PORT") [0-9A-F:]* 0A " /proc/net/tcp6 ||
        differs "nothing, but /proc/net/tcp6 was read" "it listens on ::, every address of IPv6" "127.0.0.1 only"
}

nobody_listens() { # ADDRESS
    { exec {connection}<>"/dev/tcp/$1/$PORT"; } 2>/dev/null || return 0
    exec {connection}>&-
    return 1
}

connected() { with_unread '.*'; } # how many, accepted or not
connected_are() { [ "$(connected)" -ge "$1" ]; }

signal_all() { # SIGNAL: those that were found last
    local pid
    for pid in "${PROCESSES[@]}"; do kill -s "$1" "$pid" 2>/dev/null || true; done
}

# Stops all of them; it may be starting others meanwhile.
all_are_stopped() {
    local pid
    signal_all STOP
    find_processes
    for pid in "${PROCESSES[@]}"; do has_ended "$pid" || has_stopped "$pid" || return; done
}

clients_can_connect_while_it_is_busy() {
    local n
    eventually "$PATIENCE" all_are_stopped >/dev/null || true
    start_clients -p $((4 * PATIENCE)) -n 40 "$ANSWERED"
    eventually $((3 * BUSY)) connected_are 40 >/dev/null || {
        n=$(connected)
        signal_all CONT
        differs "40 clients that connect while it is stopped" "$n connections" \
            "40: its backlog, the second argument of listen(), is too small"
    }
    signal_all CONT
    await_clients
}

# Each stop interrupts what it waits in. A read on a ring ends so, too, but only after some hundred of them.
goes_on_after_stops() { # STATUS...
    local fd
    connect fd
    stop_and_continue 5
    WITH='of one that was connected while it was stopped and continued (Ctrl-Z, fg) five times'
    ask "$fd"
    disconnect "$fd"
    stop_and_continue 5
    WITH='after it was stopped and continued (Ctrl-Z, fg)'
    connect fd
    ask "$fd"
    disconnect "$fd"
    for _ in {1..1000}; do
        kill -STOP "$SERVER_PID"
        kill -CONT "$SERVER_PID"
    done
    ends "$*" "SIGTERM, $WITH"
}

stop_and_continue() { # TIMES
    local n
    for ((n = 0; n < $1; n++)); do
        eventually "$PATIENCE" all_are_stopped >/dev/null || true
        signal_all CONT
        pause 0.02
    done
}

lets_clients_take_their_time() {
    local fd silent=() script
    some_clients -n 10 -c 5 "$ANSWERED" # a timer that is left of them may hit who comes next
    for _ in {1..5}; do
        connect fd
        silent+=("$fd")
    done
    script=$ANSWERED,stdin,send=1000000,half
    [ -z "$ECHO" ] || script=echo=5,stdin,echo=1000000,half,eof
    start_clients -n 5 "$script"
    await_stop 0
    hears_nothing "${silent[0]}" 3
    resume_clients 0
    await_clients || {
        echo "after: three seconds between the answer and what the client sends then"
        return 1
    }
    hears_nothing "${silent[0]}" 1.2
    WITH='after 4 s without a byte'
    for fd in "${silent[@]}"; do
        hears_nothing "$fd" 0.01
        ask "$fd"
        disconnect "$fd"
    done
}

hears_nothing() { # DESCRIPTOR SECONDS
    local came='' status=0
    IFS= read -r -N 4 -t "$2" came <&"$1" || status=$?
    if [ -z "$came" ] && [ "$status" -gt 128 ]; then return 0; fi
    if [ -n "$came" ]; then came="\"${came//$'\n'/\\n}\""; else came='no byte, then the end'; fi
    differs "no byte for some seconds" "$came" "nothing before it asks"
}

answers_who_keeps_sending() {
    local fd n came='' deadline=$((SECONDS + PATIENCE))
    connect fd
    for ((n = 1; SECONDS < deadline; n++)); do
        printf x >&"$fd" || break
        IFS= read -r -N 1 -t 0.01 came <&"$fd" || true
        [ -z "$came" ] || break
    done
    disconnect "$fd"
    [ -n "$came" ] || # what the answer is, others see; and bash loses a byte that comes when the time is up
        differs "$n bytes, one each 10 ms, and no end" "no byte" '"ack\n" while it still sends'
}

goes_on_when_it_had_no_descriptors() {
    local pid limit
    some_clients -n 20 "$ANSWERED"
    holdings DESCRIPTORS
    limit=$((DESCRIPTORS + 20))
    for pid in "${PROCESSES[@]}"; do prlimit --pid "$pid" --nofile="$limit:" 2>/dev/null || true; done # one may have ended
    start_clients -n 40 stdin
    await_stop 0
    eventually 1 descriptors_are_at_least "$limit" >/dev/null || true
    resume_clients 0
    await_clients >/dev/null || true
    some_clients -n 5 -c 1 "$ANSWERED" || {
        echo "after: 40 clients at once when it could open 20 descriptors (ulimit -n); they have gone"
        return 1
    }
}

descriptors_are_at_least() { [ "$(open_descriptors)" -ge "$1" ]; }

ends_beside_a_client() { # STATUS...
    local fd other held with=''
    connect fd
    held=("$fd")
    if [ "$DAY" = day04 ]; then
        connect other
        ask "$other" # so the one before it is accepted
        held+=("$other")
        with=', and one that was answered and does not close'
    fi
    ends "$*" "SIGTERM, while a client is connected that says nothing$with"
    disconnect "${held[@]}"
    eventually "$PATIENCE" nobody_listens 127.0.0.1 >/dev/null ||
        differs "a connection when it had ended on SIGTERM" "a connection" \
            "a refusal: a process that it started still listens"
}

# On a port that the kernel gives to nobody by itself. ip(7), ip_local_port_range
starts_again_on_its_port() { # STATUS...
    local port tries
    port=$((10000 + RANDOM % 20000))
    kill -KILL "$SERVER_PID"
    await_exit || true
    PORT=$port
    until nobody_listens 127.0.0.1; do PORT=$((++port)); done
    start_server "$DAY" --port "$port"
    some_clients -n 20 -c 1 "$ANSWERED"
    ends "$*" "SIGTERM, without clients"
    for ((tries = 1; ; tries++)); do # a process that it started may end a moment later
        ! start_server "$DAY" --port "$port" >"$BATS_TEST_TMPDIR/again" || break
        kill -KILL "$SERVER_PID" 2>/dev/null || true
        if [ "$tries" -eq 20 ]; then
            cat "$BATS_TEST_TMPDIR/again"
            echo "after: it had served 20 clients on that port and had ended"
            return 1
        fi
        await_exit || true
        pause 0.1
    done
    some_clients "$ANSWERED"
}
