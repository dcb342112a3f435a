#!/bin/sh
# Puts one bug of NOTES.md back into a copy of the sources, builds that, and says what to try:
#   tests/errata/bug.sh NN            the same as: make bug N=NN
#   tests/errata/bug.sh NN FOLDER     only makes the copy, in FOLDER, which must not exist
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${2-}
case ${1-} in [1-9]) number=0$1 ;; *) number=${1-} ;; esac
patch=$(echo "$root/tests/errata/$number"-*.patch)
if [ ! -e "$patch" ]; then
    echo "usage: make bug N=NN, with the NN of a bug that has a patch:" >&2
    for patch in "$root"/tests/errata/*.patch; do sed -n '1s/^Bug /  /p' "$patch" >&2; done
    exit 2
fi

copy=${folder:-$(mktemp -d)/copy}
mkdir "$copy" "$copy/tests"
cp -Rp "$root/Makefile" "$root/common" "$root"/day0[1-4] "$copy"
cp -p "$root"/tests/*.c "$root"/tests/*.bats "$root"/tests/*.bash "$copy/tests"
cp -Rp "$root/tests/errata" "$copy/tests"
if [ -e "$root/tests/client" ]; then cp -p "$root/tests/client" "$copy/tests"; fi
patch -d "$copy" -p1 -s -F 0 <"$patch"
if [ -n "$folder" ]; then exit; fi

# The head of the patch is what there is to say. Its "Build:" is what make is to be told.
sed '/^--- /,$d' "$patch"
echo "It is in $copy"
if grep -q '^Compiler:' "$patch"; then
    make -s -C "$copy" CFLAGS='-O2 -Werror' day02/probe day04/server || true
    exit
fi
eval "make -s -C '$copy' $(sed -n '/^--- /q; s/^Build: *//p' "$patch") day02/probe day04/server tests/client"
echo "Now: cd $copy"
