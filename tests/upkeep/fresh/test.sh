#!/bin/bash
# The README's first two commands, as printed, on machines with nothing on them:
#   tests/upkeep/fresh/test.sh [SUITE...]     (bookworm trixie sid)
# Debian with only git and make added, in a folder, once for root and once for an ordinary user with
# sudo. The first command's server must answer an nc, the second must succeed, and all must build without
# a warning. What fails on sid is told, but fails nothing: it may be broken for a day. Port 4242 must become
# free here within a while. Needs root and mmdebstrap.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
[ $# -gt 0 ] || set -- bookworm trixie sid
fail() { printf 'test.sh: %s\n' "$1" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || fail "only root can make such machines"
[ -n "$(type -P mmdebstrap)" ] || fail "no mmdebstrap: install it"

# The first block of code, indented or fenced, without its comments.
mapfile -t commands < <(awk '/^```/ { fenced = !fenced; next }
    fenced || /^    / { print; found = 1; next } found { exit }' "$root/README.md" | sed 's/^ *//; s/ *#.*//; /^$/d')
[ "${#commands[@]}" -ge 2 ] || fail "no two commands in the first block of README.md"

folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT
trap 'exit 143' HUP INT TERM
chmod 755 "$folder"

# What a person would do there, as a script.
{
    printf 'first=%q second=%q\n' "${commands[0]}" "${commands[1]}"
    cat <<'VISIT'
set -euo pipefail
log=$(mktemp)
echo "\$ $first"
for _ in {1..100}; do # others may have the port
    bash -c "$first" >"$log" 2>&1 &
    until grep -q '^listening on ' "$log" || ! kill -0 $! 2>/dev/null; do sleep 0.5; done
    grep -q 'Address already in use' "$log" || break
    sleep 3
done
cat "$log"
grep -qx 'listening on 127.0.0.1:4242' "$log"
answer=$(echo hello | timeout 20 nc 127.0.0.1 4242)
echo "nc: $answer"
[ "$answer" = ack ]
pkill -TERM -x server
wait $!
tail -n 1 "$log"
echo "\$ $second"
bash -c "$second"
make -s clean all CFLAGS='-O2 -g -Werror'
VISIT
} >"$folder/visit"

apt-config dump Acquire >"$folder/apt.conf" # the way to the mirror; it stays on the machine
mirror=$("$root/tests/upkeep/kernels/debian.sh" mirror)

# machine SUITE: makes one, for the visits to copy.
machine() {
    for _ in 1 2 3; do # the mirror may be in the middle of an update
        mmdebstrap --quiet --variant=minbase --include=git,make,sudo --aptopt="$folder/apt.conf" \
            "$1" "$folder/$1" "$mirror" && break
        rm -rf --one-file-system "${folder:?}/$1"
        sleep 60
    done
    cp /etc/hosts "$folder/$1/etc/"
}

# visit SUITE USER: makes it that user's, with the sources and nothing built, and follows the README.
visit() {
    local machine=$folder/$1-$2 home
    cp -a "$folder/$1" "$machine"
    if [ "$2" = root ]; then
        chroot "$machine" env SUDO_FORCE_REMOVE=yes dpkg --purge sudo >/dev/null
    else
        chroot "$machine" useradd --create-home --shell /bin/bash "$2"
        echo "$2 ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/$2"
    fi
    home=$(chroot "$machine" sh -c "echo ~$2")
    mkdir "$machine$home/repository"
    tar -C "$root" --exclude=./.git -c . | tar -C "$machine$home/repository" -x
    make -s -C "$machine$home/repository" clean
    cp "$folder/visit" "$machine/visit"
    chroot "$machine" chown -R "$2:" "$home"
    # With processes of its own: none outlives it.
    # shellcheck disable=SC2016 # for the other shell
    timeout 1500 unshare --mount --pid --fork --kill-child --root="$machine" --wd="$home/repository" \
        --mount-proc=/proc sh -c 'mount -t devpts devpts /dev/pts && exec "$@"' sh \
        setpriv --reuid="$2" --regid="$2" --init-groups env -i HOME="$home" USER="$2" LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash /visit
}

export -f machine visit
export root folder mirror
each() { # runs the commands on stdin side by side, their output marked with the last words of them
    xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; {} 2>&1 </dev/null | sed -u "s/^/{}  /;s/^[a-z]* //"'
}
test_on() { # SUITE...
    [ $# -gt 0 ] || return 0
    printf 'machine %s\n' "$@" | each &&
        for suite; do printf 'visit %s\n' "$suite reader" "$suite root"; done | each
}

stable=() moving=()
for suite; do
    if [ "$suite" = sid ]; then moving+=(sid); else stable+=("$suite"); fi
done
test_on "${stable[@]}" || fail "not all machines passed"
test_on "${moving[@]}" || echo "test.sh: sid did not pass; this is a warning only" >&2
