#!/bin/bash
# Changes one character at a time in the texts, at random, where a reader would type or see something
# else: in blocks, in code, in where a link leads, in numbers. Each change must be noticed: one in a
# session when that session is run, all others by the checks that run nothing.
#   SEED=1 CASES=100 tests/upkeep/lessons/mutate.sh
# Prints what was not noticed, and how much was; exits 1 below 95 of 100.
set -eu
here=$(realpath "$(dirname "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cases=${CASES-100} seed=${SEED-1}

"$here/../copy.sh" "$folder/copy" all
cp "$here"/../../../{README.md,NOTES.md,LICENSE} "$folder/copy"
cd "$folder/copy"
pages=(README.md NOTES.md day0[1-4]/README.md)
"$here/static.bash"

# PAGE LINE COLUMN BLOCK-OF-SESSION KIND: of each character that counts.
awk '
    function put(kind) { if (substr($0, i, 1) ~ /[!-~]/) print FILENAME, FNR, i, block, kind }
    FNR == 1 { fenced = block = 0 }
    /^```/ {
        fenced = !fenced
        kind = substr($0, 4)
        if (fenced && kind == "console") block++
        next
    }
    fenced { for (i = 1; i <= length($0); i++) put(kind == "" ? "output" : kind); next }
    /^ *<!--/ { next }
    /^ *$/ { blank = 1; code = 0; next }
    /^    / && blank { for (i = 1; i <= length($0); i++) put("indented"); next }
    {
        blank = 0
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            if (c == "`") code = !code
            else if (substr($0, i - 1, 2) == "](") link = 1
            else if (link && c == ")") link = 0
            else if (code) put("code")
            else if (link) put("link")
            else if (c ~ /[0-9]/) put("number")
        }
    }' "${pages[@]}" >"$folder/all"

# One of them, and what it becomes: of the same sort, another one.
awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 " " rand() }' "$folder/all" |
    sort -n | cut -f 2 | sed -n "1,${cases}p" >"$folder/some"

# change LINE COLUMN RANDOM: of stdin
change() {
    awk -v line="$1" -v column="$2" -v random="$3" '
        NR == line {
            c = substr($0, column, 1)
            sort = c ~ /[0-9]/ ? "0123456789" : c ~ /[a-z]/ ? "abcdefghijklmnopqrstuvwxyz" : \
                c ~ /[A-Z]/ ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ" : ".,:;-_+=/|&<>()[]{}"
            sub(/^\\?/, "", c)
            at = index(sort, c)
            if (at) sort = substr(sort, 1, at - 1) substr(sort, at + 1)
            $0 = substr($0, 1, column - 1) substr(sort, 1 + int(random * length(sort)), 1) substr($0, column + 1)
        }
        { print }'
}

runs() { # PAGE N: the Nth session of it
    awk -v language=console -f "$here/blocks.awk" "$1" |
        awk -v n="$2" 'BEGIN { RS = "\0" } NR == n { printf "%s", $0 }' >"$folder/session"
    PATIENCE=5 LIMIT=30 "$here/session.bash" "$folder/session" </dev/null
}

# notices KIND PAGE BLOCK: what is about this kind first, as all checks take longer.
notices() {
    case $1 in
    c) ! "$here/check.bash" listings "$2" ;;
    diff) ! "$here/check.bash" diffs "$2" ;;
    link) ! "$here/check.bash" links "$2" ;;
    code) ! "$here/check.bash" names "$2" ;;
    console) # some need the sessions above them in the page
        if runs "$BEFORE" "$3"; then ! runs "$2" "$3"; else ! TRIES=1 "$here/check.bash" sessions "$2"; fi
        ;;
    *) ! "$here/static.bash" figures ;;
    esac || ! "$here/static.bash" "$2"
}

done=0 noticed=0
while read -r page line column block kind random; do
    [ "$done" -lt "$cases" ] || break
    cp "$page" "$folder/page"
    change "$line" "$column" "$random" <"$folder/page" >"$page"
    if BEFORE=$folder/page notices "$kind" "$page" "$block" >"$folder/said" 2>&1; then
        noticed=$((noticed + 1))
    else
        echo "not noticed, in $page ($kind): $(diff "$folder/page" "$page" | grep '^[<>]' | tr '\n' ' ')"
    fi
    done=$((done + 1))
    cp "$folder/page" "$page"
done <"$folder/some"
echo "$noticed of $done changes were noticed"
[ "$((noticed * 100))" -ge "$((done * 95))" ]
