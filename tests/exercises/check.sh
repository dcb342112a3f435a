#!/bin/sh
# Checks an exercise of the lessons:  tests/exercises/check.sh 03-1 [FILE]
# FILE is your server.c, day03/server.c where it is not given. It is built as that day's server and
# tested; the tests are in 03-1.bats beside this script.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
exercise=${1-}
if [ ! -e "$root/tests/exercises/$exercise.bats" ]; then
    echo "usage: tests/exercises/check.sh EXERCISE [FILE]    exercises:" \
        "$(cd "$root/tests/exercises" && echo *.bats | sed 's/\.bats//g')" >&2
    exit 2
fi
day=day${exercise%-*}
file=${2-$root/$day/server.c}
[ -r "$file" ] || { echo "check.sh: cannot read $file" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
make -s -C "$root" tests/client
cp -R "$root/Makefile" "$root/common" "$folder"
mkdir "$folder/$day"
cp "$file" "$folder/$day/server.c"
make -s -C "$folder" "$day/server"
SERVER=$folder/$day/server NO_BUILD=1 "${BATS:-bats}" "$root/tests/exercises/$exercise.bats"
