#!/usr/bin/env bats
# make doctor says what is in the way, each thing in its own words.

load ../../helpers

doctor() { "$@" "$ROOT/tests/doctor.sh" 3>&-; }

# says REGEX...: each is the begin of a line.
says() {
    local line
    for line; do
        grep -qE "^$line" <<<"$output" || { echo "no line '$line' in:"; echo "$output"; return 1; }
    done
}

as_root() { [ "$(id -u)" -eq 0 ] || skip "only root can"; }

@test "all is well: what the machine has, and each day runs" {
    run -0 doctor env
    says "kernel +Linux $(uname -r)" 'io_uring_disabled +(0: every process|does not exist)' \
        "liburing +header $(pkg-config --modversion liburing), library [0-9.]+ \(/" "bats +$BATS_VERSION" \
        'threads +ulimit -u [0-9u]' 'loopback +ok' 'ring +ok' 'full table +' 'day01 +ok' 'day02 +ok' 'day03 +ok' 'day04 +ok'
}

@test "a ring that is refused: days 2 to 4 say why, day 1 runs" {
    run -1 doctor strace -f -qq -o "$BATS_TEST_TMPDIR/strace" -e inject=io_uring_setup:error=EPERM
    says 'ring +no: .*seccomp' ' +it is a seccomp profile' 'day01 +ok' 'day02 +no: server: .*seccomp' 'day03 +no: .*seccomp' 'day04 +no: .*seccomp'
}

# A library before 2.3 does not write what io_uring_get_sqe() of a newer header reads.
@test "a library that is older than the header" {
    local libraries=$BATS_TEST_TMPDIR found
    found=$(LD_TRACE_LOADED_OBJECTS=1 "$ROOT/day02/probe" | sed -n 's/.*liburing.* => \(.*\) (.*/\1/p')
    [ -n "$found" ] || skip "no such library, or a loader that does not tell"
    cp "$found" "$libraries/liburing.so.2.1"
    ln -s liburing.so.2.1 "$libraries/liburing.so.2"
    cc -D_GNU_SOURCE -shared -fPIC -o "$libraries/older.so" -x c - <<'SOURCE'
#include <dlfcn.h>
#include <liburing.h>
int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
    int (*init)(unsigned, struct io_uring *, struct io_uring_params *);
    *(void **)&init = dlsym(RTLD_NEXT, "io_uring_queue_init_params");
    int ret = init(entries, ring, p);
    ring->sq.ring_entries = 0;
    return ret;
}
SOURCE
    run -1 doctor env LD_LIBRARY_PATH="$libraries" LD_PRELOAD="$libraries/older.so"
    says "liburing +header [0-9.]+, library 2.1 \($libraries/liburing.so.2.1\)" ' +the library is older than the header' \
        'full table +not measured' 'day01 +ok' 'day02 +no: server: .*do not match' 'day03 +no: ' 'day04 +no: '
}

@test "a machine whose loopback interface is down" {
    as_root
    run -1 doctor unshare -n
    says 'loopback +no: .*ip link set lo up' 'day01 +no: .*127.0.0.1' 'day04 +no: .*127.0.0.1'
}

# One process beside the doctor, and that may make no thread.
@test "no thread may be made" {
    as_root
    # shellcheck disable=SC2016 # for the other shell
    run -1 doctor setpriv --reuid=61234 --regid=61234 --clear-groups bash -c 'ulimit -u 2 && exec "$0"'
    says 'threads +ulimit -u 2,' 'day01 +ok' 'day02 +no: .*thread' 'day03 +no: .*thread' 'day04 +no: .*thread'
}

# As if fewer spare slots were kept than any kernel needs; and a day that is not there.
@test "a kernel that loses clients when the table is full is a warning, a day that is not built an error" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p tests/facts day02
    cp "$ROOT/tests/doctor.sh" tests
    ln -s "$ROOT"/day0[13] .
    ln -s "$ROOT/day02/probe" day02
    sed 's/SPARE = .*,/SPARE = 1,/' "$ROOT/tests/facts/bound.c" >bound.c
    cc -D_GNU_SOURCE -o tests/facts/bound bound.c -luring
    run -1 tests/doctor.sh 3>&-
    says 'full table +.* this kernel can lose' ' +accept waiting:.* taken at once' ' +mended in .*: update' \
        'day01 +ok' 'day02 +no: it is not built \(run make\)' 'day03 +ok' 'day04 +no: it is not built'
}

@test "--quick: the machine alone, as the suites ask" {
    run -0 "$ROOT/tests/doctor.sh" --quick
    says 'ring +ok'
    [[ $output != *day0* && $output != *'full table'* ]]
    run -1 strace -f -qq -o "$BATS_TEST_TMPDIR/strace" -e inject=io_uring_setup:error=ENOSYS "$ROOT/tests/doctor.sh" --quick
    says 'ring +no: .*kernel'
}
