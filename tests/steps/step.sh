#!/bin/bash
# Goes through a day step by step, in dayNN/mine.c:
#   tests/steps/step.sh DAY         where mine.c stands, and what comes next: make step DAY=04
#   tests/steps/step.sh DAY N       makes it the server of step N: make step DAY=04 N=07 (0: the day before)
#   tests/steps/step.sh DAY N diff  shows step N and what it changes: make diff DAY=04 N=07
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

fail() { # STATUS LINE...
    printf '%s\n' "${@:2}" >&2
    exit "$1"
}
usage='usage: make step DAY=04, or make step DAY=04 N=07, or make diff DAY=04 N=07   (DAY: 02, 03 or 04)'

case ${1-} in 2 | 3 | 4 | 02 | 03 | 04) day=0${1#0} ;; *) fail 2 "$usage" ;; esac
steps=("day$day"/steps/[0-9]*.patch)
mine=day$day/mine.c
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$here/unpack.sh" "$day" "$folder"

title() { sed -n '1s/^Step 0*//p' "${steps[$1 - 1]}"; }

# The step that mine.c is, 0 being the server of the day before; empty if it is none.
standing=
for ((n = 0; n <= ${#steps[@]}; n++)); do
    ! cmp -s "$folder/$(printf %02d "$n").c" "$mine" || standing=$n
done

if [ -z "${2-}" ]; then
    if [ ! -e "$mine" ]; then
        echo "There is no $mine yet."
        standing=0
    elif [ -z "$standing" ]; then
        echo "$mine is the server of no step: there is work of yours in it. How far it is, its tests say:"
        echo "    make day$day/mine && tests/steps/score.sh day$day/mine"
        exit
    elif [ "$standing" -eq 0 ]; then
        echo "$mine is the server of the day before."
    else
        echo "$mine is the server of step $(title "$standing")"
    fi
    [ "$standing" -lt ${#steps[@]} ] || { echo "That is the last step of this day."; exit; }
    echo "Next of ${#steps[@]}: $(title $((standing + 1)))"
    echo "    make step DAY=$day N=$(printf %02d $((standing + 1)))"
    exit
fi

if [[ ! $2 =~ ^[0-9]{1,3}$ ]] || ((10#$2 > ${#steps[@]})); then
    fail 2 "day $day has steps 1 to ${#steps[@]}" "$usage"
fi
n=$((10#$2))

if [ "${3-}" = diff ]; then
    ((n > 0)) || fail 2 "day $day has steps 1 to ${#steps[@]}" "$usage"
    cat "${steps[n - 1]}"
    exit
fi

if [ -e "$mine" ] && [ -z "$standing" ]; then
    fail 1 "$mine is the server of no step: there is work of yours in it. To keep it, give it another place:" \
        "    mv $mine /tmp/" "or else throw it away:" "    rm $mine"
fi
cp "$folder/$(printf %02d "$n").c" "$mine"
if ((n > 0)); then
    sed '/^--- a/,$d; /^Figure: /d' "${steps[n - 1]}"
    echo "$mine is now the server of this step ($n of ${#steps[@]}). What has changed: make diff DAY=$day N=$2"
else
    echo "$mine is now the server of the day before."
fi
echo "Build it: make day$day/mine"
