#!/bin/bash
# The README's first two commands, as printed, on machines with nothing on them:
#   tests/upkeep/fresh/test.sh [SUITE...]     (bookworm trixie sid)
# Debian with only git and make added, in a folder: bookworm for root, the others for an ordinary user with
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

# visit SUITE: makes a machine, with the sources and nothing built, and follows the README on it.
visit() {
    local machine=$folder/$1 user=reader home
    for _ in 1 2 3; do # the mirror may be in the middle of an update
        mmdebstrap --quiet --variant=minbase --include=git,make,sudo --aptopt="$folder/apt.conf" \
            "$1" "$machine" "$mirror" && break
        rm -rf --one-file-system "${machine:?}"
        sleep 60
    done
    cp /etc/hosts "$machine/etc/"
    if [ "$1" = bookworm ]; then
        user=root
        chroot "$machine" env SUDO_FORCE_REMOVE=yes dpkg --purge sudo >/dev/null
    else
        chroot "$machine" useradd --create-home --shell /bin/bash "$user"
        echo "$user ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/$user"
    fi
    home=$(chroot "$machine" sh -c "echo ~$user")
    mkdir "$machine$home/repository"
    tar -C "$root" --exclude=./.git -c . | tar -C "$machine$home/repository" -x
    make -s -C "$machine$home/repository" clean
    cp "$folder/visit" "$machine/visit"
    chroot "$machine" chown -R "$user:" "$home"
    # With processes of its own: none outlives it.
    # shellcheck disable=SC2016 # for the other shell
    timeout 1500 unshare --mount --pid --fork --kill-child --root="$machine" --wd="$home/repository" \
        --mount-proc=/proc sh -c 'mount -t devpts devpts /dev/pts && exec "$@"' sh \
        setpriv --reuid="$user" --regid="$user" --init-groups env -i HOME="$home" USER="$user" LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash /visit
}

export -f visit
export root folder mirror
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c '
    set -o pipefail
    bash -euo pipefail -c "visit {}" 2>&1 </dev/null | sed -u "s/^/{}  /" && exit
    [ {} = sid ] || exit 1
    echo "test.sh: sid did not pass; this is a warning only" >&2' || fail "not all machines passed"
