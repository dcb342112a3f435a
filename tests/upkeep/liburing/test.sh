#!/bin/bash
# The quick tests with other versions of liburing than this machine's, with gcc and clang, and with what
# others build with: the newest C, link-time optimisation, a distribution's hardening.
#   tests/upkeep/liburing/test.sh [SUITE...]     Debian's suites; "here" is what is installed (here trixie sid)
# The libraries are downloaded and unpacked into a folder of their own, with the kernel's headers that
# theirs include; nothing is installed.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
[ $# -gt 0 ] || set -- here trixie sid

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM

for suite; do
    [ "$suite" != here ] || continue
    "$root/tests/upkeep/kernels/debian.sh" "$suite" "$folder/$suite" 'liburing.*|linux-libc-dev' \
        liburing-dev linux-libc-dev
    find "$folder/$suite" -name 'liburing*.pc' -exec sed -i "s|/usr|$folder/$suite/usr|" {} +
done

# with SUITE COMPILER [FLAGS...]: builds a copy without a warning, and tests it.
with() {
    local copy flags=() cflags="-O2 -g -Werror ${*:3}"
    copy=$(mktemp -d "$folder/XXXXXX")/copy
    if [ "$1" != here ]; then
        PKG_CONFIG_PATH=$(dirname "$(find "$folder/$1" -name liburing.pc)")
        export PKG_CONFIG_PATH
        flags=("LDFLAGS=-Wl,-rpath,${PKG_CONFIG_PATH%/pkgconfig}")
    fi
    "$root/tests/upkeep/copy.sh" "$copy" all CC="$2" CFLAGS="$cflags" "${flags[@]}"
    "$copy/tests/doctor.sh" --quick | tee "$copy/machine"
    if [ "$1" != here ]; then # its own, not this machine's, and one of the header's age
        grep -q "^liburing .* ($folder/$1/" "$copy/machine"
        if grep 'older than the header' "$copy/machine"; then return 1; fi
    fi
    NO_BUILD=1 timeout 900 bats --filter-tags '!usage' "$copy/tests"
}
export -f with
export root folder

for suite; do
    printf '%s\n' "$suite gcc" "$suite clang"
    [ "$suite" != here ] || cat <<'BUILDS'
here gcc -std=gnu2x
here gcc -O3 -flto=auto
here gcc -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE -pie -Wl,-z,relro,-z,now
BUILDS
done | xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; with {} 2>&1 | sed -u "s/^/{}  /"' ||
    { echo "test.sh: not all versions passed" >&2; exit 1; }
