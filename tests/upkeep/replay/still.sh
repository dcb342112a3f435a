#!/bin/bash
# Draws the picture that a lesson shows, from its recorded trace:  still.sh DAY >dayNN/replay.svg
set -eu
here=$(realpath "$(dirname "$0")")
cd "$here/../../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/upkeep/replay/browser.bash
source "$here/browser.bash"

case $1 in # turns, and the step
02) what='0-6#9' ;;
03) what='0-8#24' ;;
04) what='1-9#39' ;;
*) echo 'usage: still.sh 02, 03 or 04' >&2 && exit 2 ;;
esac
cp "$here/day$1.trace" "$scratch/trace"
tests/replay/replay.sh "$1" "$scratch/trace" >&2
"${CHROMIUM[@]}" --user-data-dir="$scratch/profile" --dump-dom "file://$scratch/trace.html?still=$what" 2>/dev/null |
    sed -n '/<svg/,$p' | sed 's/.*<body[^>]*>//; s,</body>.*,,; s/></>\n</g'

