#!/bin/bash
# The tests as Alpine would run them: built with musl, and busybox's tools in front of this machine's.
#   tests/upkeep/musl/test.sh [TESTS...]
# liburing is built here, too, from Debian's source. Needs musl-gcc, busybox-static and apt.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
[ $# -gt 0 ] || set -- tests/day0[1-4].bats tests/echo.bats tests/upkeep/faults tests/upkeep/kernels

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
chmod 755 "$folder" # some tests run the servers as another user

# The kernel's headers know no libc.
mkdir "$folder/kernel"
ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -print-multiarch)/asm" "$folder/kernel"
export CC="musl-gcc -idirafter $folder/kernel"

"$root/tests/upkeep/kernels/debian.sh" bookworm "$folder/source" source liburing
cd "$folder/source"
./configure --prefix="$folder/liburing" --cc="$CC" >/dev/null
make -s install >/dev/null
export PKG_CONFIG_PATH=$folder/liburing/lib/pkgconfig LDFLAGS=-Wl,-rpath,$folder/liburing/lib

mkdir "$folder/tools"
ln -s /lib/ld-musl-*.so.1 "$folder/tools/ldd"
for tool in $(busybox --list); do
    case $tool in
    diff | nc | patch | pkill | ps | setpriv) ;; # deps.sh installs the real one on Alpine
    ash | env | sh | timeout | xargs) ;;         # Debian's, unlike Alpine's, would start busybox's nc
    *) ln -s "$(type -P busybox)" "$folder/tools/$tool" ;;
    esac
done
PATH=$folder/tools:$PATH

"$root/tests/upkeep/copy.sh" "$folder/copy" CFLAGS='-O2 -g -Werror' all tests/upkeep/kernels/refuse tests/upkeep/faults/says
cd "$folder/copy"
tests/doctor.sh --quick | grep "^liburing .* ($folder/liburing/"
NO_BUILD=1 BATS_TEST_TIMEOUT=300 bats "$@"
