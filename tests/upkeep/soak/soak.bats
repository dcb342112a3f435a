#!/usr/bin/env bats
# Many connections of good and hostile clients, mixed at random, on a sanitizer build.
#   make soak [CONNECTIONS=200000] [SEED=1]     the same seed is the same mix

load ../../helpers

setup_file() {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_FILE_TMPDIR/copy" day04 tests/client \
        CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' 3>&-
    make -s -C "$ROOT" tests/upkeep/fuzz/fuzz 3>&-
}
setup() { :; }
teardown() { [ -z "${SERVER_PID-}" ] || stop_server 0; }

descriptors() { find "/proc/$SERVER_PID/fd" -type l | wc -l; }

# soak PROGRAM FLOOD SCRIPT...: so many connections that go through these scripts, and a hundredth as
# many beside them that are silent, and that do not stop sending, by the script FLOOD. Afterwards the
# server is as it was.
soak() {
    local flood=$2 n=${CONNECTIONS:-20000} options=(-s "${SEED:-1}" -c 500 -t 3500) fds rss
    SERVER=$BATS_FILE_TMPDIR/copy/day04/$1 start_server day04 --slots 300 --idle-timeout 1
    shift 2
    clients -n 3000 "${options[@]}" "$@" # every buffer has been touched now
    require_free_slots
    fds=$(descriptors) rss=$(server_kib VmRSS)

    start_clients -n $((n / 100)) -c 20 -t 3500 gone
    start_clients -n $((n / 100)) -c 20 -t 3500 "$flood"
    clients -n "$n" "${options[@]}" "$@"
    await_clients

    require_free_slots
    echo "descriptors $fds, now $(descriptors); RSS $rss KiB, now $(server_kib VmRSS) KiB"
    [ "$(descriptors)" -eq "$fds" ]
    [ "$(server_kib VmRSS)" -le $((rss + 1024)) ]
}

@test "fuzz: a twentieth as many, seed ${SEED:-1}" {
    "$ROOT/tests/upkeep/fuzz/fuzz.sh" "${SEED:-1}" $((${CONNECTIONS:-20000} / 20)) "$BATS_FILE_TMPDIR/copy/day04/server"
}

@test "soak: ${CONNECTIONS:-20000} connections, seed ${SEED:-1}" {
    soak server send=5,ack,all,flood \
        send=5,ack,eof send=1024,ack,eof send=3000,half,ack,eof drip=5,ack,eof send=200000,ack,eof \
        half,eof reset send=5,reset send=100000,reset send=5,ack,reset half,reset \
        send=1,ack,send=9,eof send=5,ack,eof send=1023,ack,eof send=1025,half,ack,eof
}

@test "soak of the echo: ${CONNECTIONS:-20000} connections, seed ${SEED:-1}" {
    soak echo flood \
        echo=5,half,eof echo=1-300,half,eof echo=5,echo=5,echo=5,half,eof drip=5,back,half,eof oob=3,back,half,eof \
        echo=20000,half,eof slow=100000,half,eof send=200000,half,back,eof send=5,half,back,eof echo=9,back \
        half,eof reset send=5,reset send=100000,reset echo=5,reset half,reset echo=16384,half,eof
}
