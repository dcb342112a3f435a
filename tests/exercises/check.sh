#!/bin/sh
# Checks an exercise of the lessons:  tests/exercises/check.sh 03-1 [FILE]
# FILE is your server.c, day03/server.c where it is not given. It is built as that day's server and
# tested; the tests are in 03-1.bats beside this script. When they fail, it says what to read; when they
# pass, it shows another solution beside yours, and why it is so: solutions/03-1.patch.
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
if ! SERVER=$folder/$day/server NO_BUILD=1 "${BATS:-bats}" "$root/tests/exercises/$exercise.bats"; then
    printf '\nWhere it is told: '
    sed -n 's/^# Read: //p' "$root/tests/exercises/$exercise.bats"
    exit 1
fi

solution=$root/tests/exercises/solutions/$exercise.patch
cp "$root/$day/server.c" "$folder/solution.c"
patch -s -F 0 "$folder/solution.c" "$solution"
printf '\nDone. Another solution; the lines with - are yours:\n\n'
diff -u --label "$file" --label "$exercise" "$file" "$folder/solution.c" && echo "It is the same as yours."
printf '\n'
sed '/^--- /,$d; /^$/d' "$solution"
