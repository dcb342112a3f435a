#!/bin/bash
# The tests on arm64, in QEMU: built here, and run by Debian 13's programs under a kernel that boot.sh knows.
#   tests/upkeep/arm64/test.sh [KERNEL [TESTS...]]     (6.12, tests/day04.bats tests/echo.bats)
# An emulator keeps the order of loads and stores better than such a processor must: what is wrong with
# that, it does not show. Needs aarch64-linux-gnu-gcc, qemu-system-arm, busybox-static and apt.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
kernel=${1:-6.12}
shift || true
[ $# -gt 0 ] || set -- tests/day04.bats tests/echo.bats

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM

# A system for the guest, and for the compiler to build for. base-files has the links of a merged /usr.
export ARCHITECTURE=arm64
"$root/tests/upkeep/kernels/debian.sh" trixie "$folder/root" '.*' base-files bash bsdutils busybox-static \
    bats coreutils diffutils findutils grep libc6-dev liburing-dev mawk netcat-openbsd procps sed strace util-linux
ln -s mawk "$folder/root/usr/bin/awk" # as their scripts would have done
ln -s nc.openbsd "$folder/root/usr/bin/nc"
printf 'root:x:0:0:root:/root:/bin/bash\n' >"$folder/root/etc/passwd"

export PKG_CONFIG_LIBDIR=$folder/root/usr/lib/aarch64-linux-gnu/pkgconfig PKG_CONFIG_SYSROOT_DIR=$folder/root
"$root/tests/upkeep/copy.sh" "$folder/root/copy" CC="aarch64-linux-gnu-gcc --sysroot=$folder/root" \
    CFLAGS='-O2 -g -Werror' all tests/upkeep/kernels/refuse tests/upkeep/faults/says

cd "$folder/root/copy"
ROOT=$folder/root "$root/tests/upkeep/kernels/boot.sh" "$kernel" \
    "ulimit -n 65536; SLOWER=5 NO_BUILD=1 BATS_TEST_TIMEOUT=600 bats -T --filter-tags !usage $*"
