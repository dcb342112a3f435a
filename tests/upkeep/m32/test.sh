#!/bin/bash
# The tests on a 32-bit build (i386), on this machine's kernel, or in QEMU where it runs 64-bit programs only:
#   tests/upkeep/m32/test.sh [TESTS...]
# Needs i686-linux-gnu-gcc, and apt for its libraries; nothing is installed.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
[ $# -gt 0 ] || set -- tests/day0[1-4].bats tests/echo.bats

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
chmod 755 "$folder" # some tests run the servers as another user

ARCHITECTURE=i386 "$root/tests/upkeep/kernels/debian.sh" bookworm "$folder/i386" '.*' libc6-dev liburing-dev
libraries=$folder/i386/usr/lib/i386-linux-gnu
loader=$(find "$folder/i386/" -name ld-linux.so.2 -print -quit)
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$folder/i386
export CC="i686-linux-gnu-gcc --sysroot=$folder/i386"
export LDFLAGS="-Wl,-rpath,$libraries:${loader%/*}/i386-linux-gnu -Wl,--dynamic-linker=$loader"

"$root/tests/upkeep/copy.sh" "$folder/copy" CFLAGS='-O2 -g -Werror' all tests/upkeep/kernels/refuse tests/upkeep/faults/says
cd "$folder/copy"
tests="tests/doctor.sh --quick; NO_BUILD=1 BATS_TEST_TIMEOUT=600 bats -T $*"
if tests/client 2>/dev/null || [ $? -eq 2 ]; then # its usage
    bash -c "$tests"
else
    tests/upkeep/deps.sh kernels
    tests/upkeep/kernels/boot.sh 6.12 "ulimit -n 65536; export SLOWER=5; $tests"
fi
