#!/bin/bash
# The quick tests with other versions of liburing than this machine's, and with gcc and clang:
#   tests/liburing/test.sh [SUITE...]     Debian's suites; "here" is what is installed (here trixie sid)
# The libraries are downloaded and unpacked into a folder of their own, with the kernel's headers that
# theirs include; nothing is installed.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || set -- here trixie sid

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM

for suite; do
    [ "$suite" != here ] || continue
    "$root/tests/kernels/debian.sh" "$suite" "$folder/$suite" 'liburing.*|linux-libc-dev' \
        liburing-dev linux-libc-dev
    find "$folder/$suite" -name 'liburing*.pc' -exec sed -i "s|/usr|$folder/$suite/usr|" {} +
done

# with SUITE COMPILER: builds a copy without a warning, and tests it.
with() {
    local copy=$folder/$1-$2 flags=()
    if [ "$1" != here ]; then
        PKG_CONFIG_PATH=$(dirname "$(find "$folder/$1" -name liburing.pc)")
        export PKG_CONFIG_PATH
        flags=("LDFLAGS=-Wl,-rpath,${PKG_CONFIG_PATH%/pkgconfig}")
    fi
    "$root/tests/copy.sh" "$copy" all CC="$2" CFLAGS='-O2 -g -Werror' "${flags[@]}"
    "$copy/day02/probe" | grep '^liburing' # the header and the library that it was built with
    if [ "$1" != here ]; then
        "$copy/day02/probe" | grep -q "^liburing library.* $folder/$1/" # not this machine's
        if "$copy/day02/probe" | grep 'they differ'; then return 1; fi
    fi
    NO_BUILD=1 timeout 900 bats --filter-tags '!usage' "$copy/tests"
}
export -f with
export root folder

for suite; do printf '%s\n' "$suite gcc" "$suite clang"; done |
    xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; with {} 2>&1 | sed -u "s/^/{}  /"' ||
    { echo "test.sh: not all versions passed" >&2; exit 1; }
