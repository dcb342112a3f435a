#!/usr/bin/env bats
# Exercise 01-1: answer with the number of bytes that came
# Read: day01/README.md, "Why it ends as it does"; recv(2), what it returns

load exercise
DAY=day01

setup() { start_server "$DAY"; }
teardown() { end_server 143; }

# says BYTES ANSWER: what the server says to so many bytes of zero and the end of the client's
# direction is exactly this, in octets of od(1)
says() {
    local nc=(nc) got
    if nc -h 2>&1 | grep -q -e '-N'; then nc=(nc -N); fi
    got=$(head -c "$1" /dev/zero | timeout 10 "${nc[@]}" 127.0.0.1 "$PORT" 3>&- | od -An -c | tr -d ' ') || true
    [ "$got" = "$1\\n" ] || { printf '%s\n' "sent $1 bytes, came back \"$got\", expected \"$1\\n\""; return 1; }
}

@test "the answer is the number of bytes, in decimal, and a newline" {
    for bytes in 1 6 1024; do says "$bytes"; done
}

@test "the request may be longer than the buffer" {
    for bytes in 1025 100000 3000000; do says "$bytes"; done
}

@test "the request may come in pieces" {
    local got
    exec {tcp}<>"/dev/tcp/127.0.0.1/$PORT"
    for piece in one four three; do
        printf '%s' "$piece" >&"$tcp"
        eventually 10 unread 1 0 # it has read that
    done
    # /dev/tcp cannot end its direction; this can, and it is the same connection
    perl -e 'open my $tcp, "+<&=", $ARGV[0] or die; shutdown $tcp, 1' "$tcp"
    IFS= read -r -t 10 got <&"$tcp" || true
    exec {tcp}>&-
    [ "$got" = 12 ] || { echo "sent 3, 4 and 5 bytes, came back \"$got\", expected \"12\""; return 1; }
}

@test "a client that sends nothing gets no answer" { clients half,eof; }
