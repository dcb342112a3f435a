#!/bin/sh
# The suite on an address and undefined behaviour sanitizer build, in a folder of its own. A report
# ends the server with another status and writes to stderr: both fail the test.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(dirname "$0")/copy.sh" "$folder/copy" \
    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
NO_BUILD=1 bats "$folder/copy/tests/"
