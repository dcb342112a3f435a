#!/bin/bash
# Runs a command under another Linux kernel, in QEMU, on this machine's file system.
#   tests/upkeep/kernels/boot.sh 6.1|6.12|unstable 'COMMAND'
# The kernel is the one that Debian packages. The command runs as root under bash, in the folder that
# is the current one here; it sees every file that we can read, may write anywhere and leaves nothing
# behind. Its network is loopback. Its output comes out on stdout, its exit status is ours; 124: it
# took more than LIMIT seconds (1500), 125: the guest failed.
#
# With ROOT=FOLDER it sees that folder as its /, and not more; the current one must be in it. With
# ARCHITECTURE=arm64 the processor is such a one: ROOT must have programs for it, and a static busybox.
# There, 6.12-16k and unstable-16k have pages of that size.
#
# Needs qemu-system-x86 (or -arm), busybox-static, apt and dpkg, no KVM. Kernels are downloaded once and
# kept in KERNELS (~/.cache/debian-kernels); delete them to get newer ones.
set -euo pipefail

fail() { printf 'boot.sh: %s\n' "$1" >&2; exit "${2:-125}"; }

kernel=${1-} command=${2-} architecture=${ARCHITECTURE:-amd64} share=${ROOT-}
case ${kernel%-16k} in
6.1) suite=bookworm ;;
6.12) suite=trixie ;;
unstable) suite=sid ;;
*) fail "usage: boot.sh 6.1|6.12|unstable 'COMMAND'" 2 ;;
esac
case $architecture in
amd64) machine=(qemu-system-x86_64 -M q35) console=ttyS0 ;;
arm64) machine=(qemu-system-aarch64 -M virt -cpu cortex-a76) console=ttyAMA0 ;;
*) fail "no such architecture: $architecture" 2 ;;
esac
for tool in "${machine[0]}" busybox; do
    [ -n "$(type -P "$tool")" ] || fail "no $tool: install qemu-system-x86 or qemu-system-arm, and busybox-static"
done

tmp=$(mktemp -d) qemu=
trap '[ -z "$qemu" ] || { kill "$qemu"; wait "$qemu"; }; rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM

# The kernel, and the modules it needs to mount our file system, in loading order; some kernels have
# some of them built in.
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console
    netfs fscache 9pnet 9pnet_virtio 9p overlay)
kept=${KERNELS:-$HOME/.cache/debian-kernels}/$kernel-$architecture
if [ ! -e "$kept/vmlinuz" ]; then
    echo "boot.sh: downloading kernel $kernel of Debian $suite, $architecture" >&2
    ARCHITECTURE=$architecture "$(dirname "$0")/debian.sh" "$suite" "$tmp/x" \
        'linux-(image|binary|modules)-[0-9].*' "linux-image-$architecture${kernel#"${kernel%-16k}"}" ||
        fail "kernel $kernel cannot be had"
    mkdir -p "$tmp/kernel" "$kept"
    for m in "${modules[@]}"; do
        find "$tmp/x" -name "$m.ko*" -exec cp {} "$tmp/kernel" \;
    done
    cp "$tmp"/kernel/* "$kept"
    find "$tmp/x" -type f -name 'vmlinuz*' -exec cp {} "$tmp/vmlinuz" \;
    mv "$tmp/vmlinuz" "$kept/vmlinuz" # last: it tells that all is there
    rm -rf "$tmp/x"
fi

# The initramfs: busybox, the modules, and /init. A tmpfs lies over our file system, so that it can
# be written to. The command's stdout is a pipe, as it is here.
root=$tmp/root
mkdir -p "$root"/{bin,proc,sys,dev,host,cow,new}
if [ -n "$share" ]; then cp "$share/bin/busybox" "$root/bin"; else cp "$(type -P busybox)" "$root/bin"; fi
for m in "${modules[@]}"; do
    for file in "$kept/$m".ko*; do
        if [ -e "$file" ]; then cp "$file" "$root"; echo "/${file##*/}"; fi
    done
done >"$root/modules"
printf %s "${PWD#"$share"}" >"$root/folder"
printf %s "$command" >"$root/command"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
for module in $(cat /modules); do insmod "$module"; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 host /host &&
    mount -t tmpfs cow /cow && mkdir /cow/upper /cow/work &&
    mount -t overlay -o lowerdir=/host,upperdir=/cow/upper,workdir=/cow/work root /new || poweroff -f
for folder in proc sys dev; do mount --rbind /$folder /new/$folder; done
ip link set lo up
# So small a machine would reset and forget connections when 10,000 clients close at once.
echo 65536 >/proc/sys/net/ipv4/tcp_max_orphans
until out=$(ls /dev/vport*p1); do :; done # it is made when QEMU has answered
{
    chroot /new /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /bin/bash -c "cd '$(cat /folder)' && $(cat /command)"
    echo $? >/status
} </dev/null 2>&1 | cat >"$out"
echo "<exit status $(cat /status)>" >/dev/console
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc) >"$tmp/initrd" 2>"$tmp/cpio"

# One processor each: tests wait more than they compute, and two kernels can run side by side.
# norandmaps: translated code is kept by address, and fork and exec are what the tests do most.
# no_timer_check: where this machine is busy, the guest would not see its timer tick, and panic.
timeout -k 5 "${LIMIT:-1500}" "${machine[@]}" -accel tcg -m 1G -nodefaults -display none -no-reboot \
    -kernel "$kept/vmlinuz" -initrd "$tmp/initrd" \
    -append "console=$console loglevel=5 panic=-1 mitigations=off norandmaps no_timer_check tests_may_change_sysctls" \
    -virtfs local,path="$share/",mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -device virtio-serial-pci -chardev stdio,id=out -device virtserialport,chardev=out \
    -serial "file:$tmp/console" <> <(:) & # an end of file would close the port
qemu=$! rc=0
wait "$qemu" || rc=$?
qemu=

touch "$tmp/console" # QEMU may not have got so far
grep -aE 'BUG:|WARNING:|Oops|Kernel panic|Out of memory' "$tmp/console" >&2 || true
[ "$rc" -ne 124 ] || { tail -n 5 "$tmp/console" >&2; fail "past the limit of ${LIMIT:-1500} seconds" 124; }
status=$(tr -d '\r' <"$tmp/console" | sed -n 's/.*<exit status \([0-9]*\)>.*/\1/p') # a message of the kernel may share its line
[ -n "$status" ] || { tail -n 40 "$tmp/console" >&2; fail 'the guest failed'; }
exit "$status"
