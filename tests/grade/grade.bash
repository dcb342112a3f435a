# Loaded by protocol.bash when a program is graded (grade.sh): what is other than in the tests of
# our own servers. What the program prints is let through and thrown away, but for the beginning of
# its stderr; how it ends is judged by one check only.
#
# A check has some time (BATS_TEST_TIMEOUT), and a bit less for all that it waits for ($PATIENCE), so
# that it can still say what did not come. When the program has used that up in one check, what is
# left of the time for all is shared out evenly among the others.

start_server() { # DAY
    local line='' left=$((GRADE_ENDS - EPOCHSECONDS)) notes=$BATS_RUN_TMPDIR
    if [ -e "$notes/does-not-start" ]; then
        echo "not tried: it does not start"
        return 1
    elif ((left < 2)); then
        echo "not tried: the time is up"
        return 1
    fi
    PATIENCE=$((BATS_TEST_TIMEOUT - 3))
    if [ -e "$notes/slow" ] && ((left / (GRADE_CHECKS - BATS_SUITE_TEST_NUMBER + 1) < PATIENCE)); then
        PATIENCE=$((left / (GRADE_CHECKS - BATS_SUITE_TEST_NUMBER + 1)))
        ((PATIENCE > 1)) || PATIENCE=1
    fi
    ((PATIENCE < left)) || PATIENCE=$((left - 1))
    STARTED=$EPOCHSECONDS

    ERR=$BATS_TEST_TMPDIR/server.err
    exec {SERVER_ERR}> >(exec 3>&-; head -c 4096 >"$ERR"; exec cat >/dev/null)
    exec {SERVER_OUT}< <(exec "$SERVER" --port 0 2>&"$SERVER_ERR" {SERVER_ERR}>&- </dev/null 3>&-)
    SERVER_PID=$!
    exec {SERVER_ERR}>&-
    # -n: it may print without end
    read -r -n 100 -t "$PATIENCE" line <&"$SERVER_OUT" || true
    if [[ ! $line =~ ^listening\ on\ 127\.0\.0\.1:[0-9]+$ ]]; then
        [ -e "$notes/starts" ] || touch "$notes/does-not-start"
        differs "--port 0" "'$line' on stdout" "'listening on 127.0.0.1:PORT' within $PATIENCE s"
    fi
    touch "$notes/starts"
    # shellcheck disable=SC2034 # the tests use it
    PORT=${line##*:}
    cat <&"$SERVER_OUT" >/dev/null 3>&- &
    exec {SERVER_OUT}<&-
}

await_exit() {
    local pid=$SERVER_PID
    unset SERVER_PID
    wait "$pid"
}

stop_server() {
    if [ -z "${BATS_TEST_COMPLETED-}" ] && [ -n "${STARTED-}" ]; then
        ((EPOCHSECONDS - STARTED < PATIENCE)) || touch "$BATS_RUN_TMPDIR/slow"
        [ ! -s "$ERR" ] || echo "stderr: $(tail -n 1 "$ERR")"
    fi
    if [ -n "${SERVER_PID-}" ]; then
        kill -KILL "$SERVER_PID" || true
        wait "$SERVER_PID" || true
    fi
    kill -USR1 "$GUARD" # and what it started
}

require_free_slots() { :; }

# seconds_left MOST: of those for this check.
seconds_left() {
    local left=$((STARTED + PATIENCE - EPOCHSECONDS))
    ((left < $1)) || left=$1
    echo "$((left > 1 ? left : 1))"
}

eval "helpers_$(declare -f clients)"
clients() { helpers_clients -t "$(seconds_left "$PATIENCE")" "$@"; }

eval "helpers_$(declare -f eventually)"
eventually() { helpers_eventually "$(seconds_left "$1")" "${@:2}"; }
