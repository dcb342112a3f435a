#!/bin/bash
# The tests under other kernels than the one that runs here, several side by side:
#   tests/upkeep/kernels/test.sh ['KERNEL...' [TESTS...]]    kernels as in boot.sh (6.1 6.12)
# Built here, in a copy, and run there: a compiler is slow in an emulator.
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
read -ra kernels <<<"${1:-6.1 6.12}"
shift || true
[ $# -gt 0 ] || set -- tests/day0[1-4].bats tests/echo.bats tests/upkeep/faults tests/upkeep/kernels

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
"$root/tests/upkeep/copy.sh" "$folder/copy" all tests/upkeep/kernels/refuse tests/upkeep/faults/says
chmod 755 "$folder" # some tests run the servers as another user

cd "$folder/copy"
export LIMIT=${LIMIT:-2700}
export TESTS="$*" TAGS=${TAGS:-!usage}
# shellcheck disable=SC2016 # for the shells that xargs starts
printf '%s\n' "${kernels[@]}" | xargs -P "$(nproc)" -I{} bash -c '
    set -o pipefail
    tests/upkeep/kernels/boot.sh {} "ulimit -n 65536; SLOWER=5 NO_BUILD=1 BATS_TEST_TIMEOUT=600 bats -T --filter-tags $TAGS $TESTS" 2>&1 |
        sed -u "s/^/{}  /"' || { echo "test.sh: not all kernels passed" >&2; exit 1; }
