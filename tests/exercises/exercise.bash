# What the checks of the exercises share:  load exercise
#
#   setup()    { start_server "$DAY" --trace; }     # from day 2 on
#   teardown() { end_server 143; }
#
# "# Read: ..." at the top of a check is shown when it has failed, by check.sh.

load ../helpers
load ../protocol

# end_server STATUS: ends the server, and requires that status, and no word on stderr but its trace.
# If the test has failed, the end of the trace is shown.
end_server() {
    local status=$1 said
    if [ -n "${SERVER_PID-}" ]; then
        kill "$SERVER_PID" 2>/dev/null || true
        status=0
        await_exit || status=$?
    fi
    resume_clients "${!CLIENTS[@]}" # those that still wait, because the test has failed
    said=$(grep -avE '^(ring: |sqe |cqe |---- |     |client/)' "${TRACE-$ERR}" || true)
    [ -z "$said" ] || echo "On stderr: $said"
    [ "$status" -eq "$1" ] || echo "The server ended with status $status, expected $1."
    if [ -z "${BATS_TEST_COMPLETED-}" ] || [ -n "$said" ] || [ "$status" -ne "$1" ]; then
        if grep -q '^cqe ' "${TRACE-$ERR}"; then
            echo "The last lines of the trace:"
            tail -n 12 "${TRACE-$ERR}"
        fi
        return 1
    fi
}

# counts PATTERN TEST N WHAT: so many lines of the trace match. counts '^sqe ACCEPT' -eq 1 "accepts armed"
counts() {
    local n
    n=$(grep -cE -e "$1" "${TRACE-$ERR}" || true)
    test "$n" "$2" "$3" || {
        echo "$4: $n, expected $(sed 's/-eq //; s/-ge/at least/; s/-le/at most/' <<<"$2 $3")"
        return 1
    }
}

# A silent client is sent away: the one behind three of them is answered.
outlasts_silent_clients() {
    start_clients -n 3 -t 15 gone
    start_clients -t 15 send=5,ack,eof
    await_clients
}
