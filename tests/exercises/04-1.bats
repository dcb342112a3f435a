#!/usr/bin/env bats
# Exercise 04-1: an echo server
# Read: day04/README.md, steps 2, 7, 8 and 13

load exercise
DAY=day04

setup() { start_server "$DAY" --trace --idle-timeout 5; }
teardown() { end_server 0; }

# echoes BYTES: that many random bytes come back as they were sent, then the end of file
echoes() {
    local nc=(nc) got=$BATS_TEST_TMPDIR/got sent=$BATS_TEST_TMPDIR/sent
    if nc -h 2>&1 | grep -q -e '-N'; then nc=(nc -N); fi
    head -c "$1" /dev/urandom >"$sent"
    timeout 20 "${nc[@]}" 127.0.0.1 "$PORT" <"$sent" >"$got" 3>&- || true
    cmp "$sent" "$got" || { echo "sent $1 bytes, came back $(wc -c <"$got")"; return 1; }
}

# late BYTES: sends them all at once, and begins to read a second later
late() {
    # shellcheck disable=SC2016 # variables of perl
    timeout 40 perl -MSocket -e '
        my ($port, $bytes) = @ARGV;
        my ($sent, $got) = (join("", map { pack("N", $_) x 1024 } 1 .. $bytes / 4096), "");
        socket my $tcp, AF_INET, SOCK_STREAM, 0 or die;
        setsockopt $tcp, SOL_SOCKET, SO_RCVBUF, pack "i", 4096;
        connect $tcp, pack_sockaddr_in $port, INADDR_LOOPBACK or die;
        unless (fork) { syswrite $tcp, $sent, 65536, $_ * 65536 for 0 .. length($sent) / 65536; shutdown $tcp, 1; exit }
        sleep 1;
        while (sysread $tcp, $got, 65536, length $got) { }
        exit if $got eq $sent;
        die "sent ", length $sent, " bytes, came back ", length $got, ", of which the first ", length(($got ^ $sent) =~ /^(\0*)/ && $1), " are right\n";
    ' "$PORT" "$1" 2>&1 3>&-
}

@test "what is sent comes back" {
    for bytes in 1 1023 1024 1025 100000 3000000; do
        echoes "$bytes"
    done
}

@test "all of it comes back to a client that reads late" { late 20000000; }

@test "a client that never reads does not keep its slot" { clients -n 3 -t 40 flood; }

@test "line by line, as long as the client likes" {
    local line i
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    for i in {1..100}; do
        echo "line $i" >&"$tcp"
        read -r -t 10 line <&"$tcp"
        [ "$line" = "line $i" ] || { echo "sent \"line $i\", came back \"$line\""; return 1; }
    done
    exec {tcp}>&-
}

@test "many clients at once, each gets its own" {
    local i pids=()
    for i in {1..20}; do
        (BATS_TEST_TMPDIR=$(mktemp -d "$BATS_TEST_TMPDIR/$i.XXXX") && echoes 50000) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
}

@test "a client that resets, or is silent, is only its own affair" {
    clients -n 60 send=5,reset
    clients -n 60 send=100000,reset
    clients -n 10 -t 20 eof
    echoes 5000
}
