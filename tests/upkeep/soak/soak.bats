#!/usr/bin/env bats
# Many connections of good and hostile clients, mixed at random, on a sanitizer build.
#   make soak [CONNECTIONS=200000] [SEED=1]     the same seed is the same mix

load ../../helpers

setup() {
    "$ROOT/tests/upkeep/copy.sh" "$BATS_TEST_TMPDIR/copy" day04 tests/client \
        CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' 3>&-
    SERVER=$BATS_TEST_TMPDIR/copy/day04/server start_server day04 --slots 300 --idle-timeout 1
}
teardown() { stop_server 0; }

@test "fuzz: a twentieth as many, seed ${SEED:-1}" {
    make -s -C "$ROOT" tests/upkeep/fuzz/fuzz 3>&-
    "$ROOT/tests/upkeep/fuzz/fuzz.sh" "${SEED:-1}" $((${CONNECTIONS:-20000} / 20)) "$BATS_TEST_TMPDIR/copy/day04/server"
}

descriptors() { find "/proc/$SERVER_PID/fd" -type l | wc -l; }

mix() { # CONNECTIONS SEED
    clients -n "$1" -s "$2" -c 500 -t 3500 \
        send=5,ack,eof send=1024,ack,eof send=3000,half,ack,eof drip=5,ack,eof send=200000,ack,eof \
        half,eof reset send=5,reset send=100000,reset send=5,ack,reset half,reset \
        send=1,ack,send=9,eof send=5,ack,eof send=1023,ack,eof send=1025,half,ack,eof
}

@test "soak: ${CONNECTIONS:-20000} connections, seed ${SEED:-1}" {
    mix 3000 "${SEED:-1}" # every buffer has been touched now
    require_free_slots
    local fds rss
    fds=$(descriptors) rss=$(server_kib VmRSS)

    start_clients -n $((${CONNECTIONS:-20000} / 100)) -c 20 -t 3500 gone # silent ones, all the time
    start_clients -n $((${CONNECTIONS:-20000} / 100)) -c 20 -t 3500 send=5,ack,all,flood
    mix "${CONNECTIONS:-20000}" "${SEED:-1}"
    await_clients

    require_free_slots
    echo "descriptors $fds, now $(descriptors); RSS $rss KiB, now $(server_kib VmRSS) KiB"
    [ "$(descriptors)" -eq "$fds" ]
    [ "$(server_kib VmRSS)" -le $((rss + 1024)) ]
}
