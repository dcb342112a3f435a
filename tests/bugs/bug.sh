#!/bin/sh
# Puts one bug of NOTES.md back into a copy of the sources, builds that, and says what to try:
#   tests/bugs/bug.sh NN            the same as: make bug N=NN
#   tests/bugs/bug.sh NN FOLDER     only makes the copy, in FOLDER, which must not exist
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${2-}
case ${1-} in [1-9]) number=0$1 ;; *) number=${1-} ;; esac
patch=$(echo "$root/tests/bugs/$number"-*.patch)
if [ ! -e "$patch" ]; then
    echo "usage: make bug N=NN, with the NN of a bug that has a patch:" >&2
    for patch in "$root"/tests/bugs/*.patch; do sed -n '1s/^Bug /  /p' "$patch" >&2; done
    exit 2
fi

copy=${folder:-$(mktemp -d)/copy}
mkdir "$copy"
cp -Rp "$root/Makefile" "$root/common" "$root"/day0[1-4] "$copy"
cp -Rp "$root/tests" "$copy"
patch -d "$copy" -p1 -s -F 0 <"$patch"
if [ -n "$folder" ]; then exit; fi

# The head of the patch is what there is to say, but for what its check wants to know; its "Build:" is what
# make is to be told. The patch itself has one line around each change, to fit as long as it can; a reader
# wants three.
printf 'The sources with the bug are in a folder of their own. Go there first:\n    cd %s\n\n' "$copy"
sed -E '/^--- /,$d; /^(Build|Shows|Limit|Report|Runs|Passes|Env): /d' "$patch"
sed -n 's,^+++ b/,,p' "$patch" | while read -r file; do
    diff -u --label "a/$file" --label "b/$file" "$root/$file" "$copy/$file" || true
done
if grep -q '^Compiler:' "$patch"; then
    make -s -C "$copy" CFLAGS='-O2 -Werror' day02/probe day04/server || true
    exit
fi
program=$(sed -n 's,^+++ b/\(day04/echo\)\.c$,\1,p' "$patch") # or none
eval "make -s -C '$copy' $(sed -n '/^--- /q; s/^Build: *//p' "$patch") day02/probe day04/server $program tests/client"
