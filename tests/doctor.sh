#!/bin/bash
# Can this machine run the four days?  make doctor, or
#   tests/doctor.sh [--quick]
# Says what the machine has, then starts each day's server and asks it as a client does. --quick, for
# the suites: the machine only. Exits 0 if all of it works, 1 if not; each line that says "no" says why
# and what to try. It uses what was built, builds nothing, and takes about a second.
#
# One process at a time, as where few may be made it has to say that.
set -u
export LC_ALL=C
root=$(realpath "${BASH_SOURCE[0]%/*}/..")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

line() { printf '%-18s %s\n' "$1" "$2"; }
advice() { printf '%-18s %s\n' '' "$1"; }
no() { line "$1" "no: $2"; status=1; }

# Documentation/admin-guide/sysctl/kernel.rst of the kernel
sysctl() {
    disabled='does not exist: the kernel is older than 6.6, or was built without io_uring'
    if [ -e /proc/sys/kernel/io_uring_disabled ]; then read -r disabled </proc/sys/kernel/io_uring_disabled; fi
    case $disabled in
    0) disabled+=': every process may make a ring' ;;
    1) disabled+=': only root and the group kernel.io_uring_group may make a ring' ;;
    2) disabled+=': no process may make a ring' ;;
    esac
    line io_uring_disabled "$disabled"
}

# The header that "make" finds, and the library that the dynamic loader finds: musl's does not know
# the variable, but has a quick ldd. A header of 2.3 or newer reads what older libraries do not write.
liburing() {
    local header library loaded
    header=$(exec "${PKG_CONFIG:-pkg-config}" --modversion liburing 2>/dev/null) || header=unknown
    loaded=$(LD_TRACE_LOADED_OBJECTS=1 exec "$root/day02/probe" 2>/dev/null)
    [[ $loaded == *liburing* ]] || loaded=$(exec ldd "$root/day02/probe" 2>/dev/null)
    if [[ ! $loaded =~ liburing[^\ ]*' => '([^\ ]+) ]]; then
        line liburing "header $header, no library is loaded"
        return
    fi
    library=$(exec realpath "${BASH_REMATCH[1]}")
    line liburing "header $header, library ${library##*.so.} ($library)"
    if [ "$header" != unknown ] && older "${library##*.so.}" "$header"; then
        advice "the library is older than the header: remove it, or run ldconfig; then make clean all"
    fi
}
older() { [ "$1" != "$2" ] && [ "$(exec sort -V <<<"$1"$'\n'"$2")" = "$1"$'\n'"$2" ]; }

bats_version() {
    local version
    if [ -n "${BATS_VERSION-}" ]; then
        version="Bats $BATS_VERSION" # it runs us
    else
        version=$(exec bats --version 2>/dev/null) || version=none
    fi
    line bats "${version#Bats }"
    if [ "$version" = none ] || older "${version#Bats }" 1.8; then
        advice "the tests need bats 1.8 or newer: make deps"
    fi
}

# The numbers; whether they suffice, the days tell.
threads() {
    local path pids=unlimited
    IFS=: read -r _ _ path </proc/self/cgroup # of the unified hierarchy, or of some controller
    if [ -r "/sys/fs/cgroup$path/pids.max" ]; then read -r pids <"/sys/fs/cgroup$path/pids.max"; fi
    line threads "ulimit -u $(ulimit -u), pids.max ${pids/#max/unlimited}"
}

# Nobody listens on port 1.
loopback() {
    local tcp error
    if { exec {tcp}<>/dev/tcp/127.0.0.1/1; } 2>"$tmp/error"; then
        exec {tcp}>&-
    elif error=$(<"$tmp/error") && [[ $error != *'Connection refused'* ]]; then
        no loopback "127.0.0.1: ${error##*: } (ip link set lo up, as root)"
        return
    fi
    line loopback ok
}

ring() {
    if "$root/day02/probe" >/dev/null 2>"$tmp/error"; then
        line ring ok
        return
    fi
    no ring "$(<"$tmp/error")"
    [[ $(<"$tmp/error") == *'not permitted'* ]] || return
    case $disabled in
    1* | 2*) advice 'it is io_uring_disabled: sysctl kernel.io_uring_disabled=0, as root' ;;
    *) advice 'it is a seccomp profile, such as a container has, not io_uring_disabled' ;;
    esac
}

# Measured, since kernels are patched. The days run all the same.
full_table() {
    local found text
    if found=$(exec "$root/tests/facts/bound" 2>&1); then
        line 'full table' 'ok: no client is lost'
    elif [[ $found != *' lost'* ]]; then
        line 'full table' "not measured: $found"
    else
        line 'full table' 'when more clients come at once than there are slots, this kernel can lose some:'
        while read -r text; do advice "$text"; done <<<"$found"
        advice 'mended in 6.1.135, in 6.6 and 6.12 since April 2025, and in 6.15: update it'
    fi
}

# day DAY: its server, its ready line, a request, the answer and the end of it, in 5 seconds each.
day() {
    local out tcp pid port answer what='no ready line in 5 seconds'
    [ -x "$root/$1/server" ] || { no "$1" 'it is not built (run make)'; return; }
    exec {out}< <(exec "$root/$1/server" --port 0 2>"$tmp/error")
    pid=$!
    if [ -z "${out-}" ]; then # the shell has no descriptor for it
        kill "$pid"
        no "$1" 'too few descriptors to try it (raise ulimit -n)'
        return
    fi
    if read -r -t 5 port <&"$out"; then
        if { exec {tcp}<>"/dev/tcp/127.0.0.1/${port##*:}"; } 2>"$tmp/connect"; then
            ask
            exec {tcp}>&-
        else
            what=$(<"$tmp/connect")
            what="no connection to 127.0.0.1:${port##*:}: ${what##*: }"
        fi
    fi
    kill "$pid" 2>/dev/null
    while read -r -t 5 _ <&"$out"; do :; done # until it has ended
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    exec {out}<&-
    if [ -s "$tmp/error" ]; then
        read -r what <"$tmp/error" # its own words
    fi
    if [ -n "$what" ]; then no "$1" "$what"; else line "$1" ok; fi
}

ask() { # sets what
    trap '' PIPE # it may be gone already
    echo hello >&"$tcp"
    trap - PIPE
    what='no answer in 5 seconds (see it with --trace)'
    read -r -t 5 answer <&"$tcp" || return
    what="the answer '$answer' is not 'ack'"
    [ "$answer" = ack ] || return
    # What ends the connection runs in a thread that the kernel makes.
    what='an answer, but no end of it in 5 seconds (may no thread be made? see ulimit -u and pids.max)'
    read -r -t 5 answer <&"$tcp" 2>"$tmp/read"
    case $? in
    0) what='more than the answer' ;;
    1) what=$(<"$tmp/read") ;; # the end, or a reset
    esac
}

line kernel "$(exec uname -srm)"
sysctl
liburing
bats_version
threads
loopback
ring
if [ "${1-}" != --quick ]; then
    full_table
    for name in day01 day02 day03 day04; do day "$name"; done
fi
exit "$status"
