#!/bin/bash
# shellcheck disable=SC2317,SC2016 # the checks are called by name; backticks are meant
#
# Checks one page against the code:  check.bash WHAT PAGE [DAY]
# WHAT is listings, diffs, sessions, links, names or pages; DAY (day03) is that of the page, and is
# taken from its folder where it is not given. Prints what is wrong; exits 1 if anything is.
# It runs in the root of a built copy.
set -u
here=$(realpath "$(dirname "$0")")
what=$1
page=$(realpath "$2")
day=${3-$(basename "$(dirname "$page")")}
wrong=0

complain() {
    wrong=1
    printf '%s: %s\n' "${page#"$PWD/"}" "$1"
}

# A block below <!-- needs: COMMAND --> counts as not run where that command is missing.
resolved() {
    local line
    while IFS= read -r line; do
        if [[ $line =~ ^'<!-- needs: '(.*)' -->'$ ]]; then
            line=
            command -v -- "${BASH_REMATCH[1]}" >/dev/null || line="<!-- not run: ${BASH_REMATCH[1]} is not here -->"
        fi
        printf '%s\n' "$line"
    done <"$page"
}

blocks() { # LANGUAGE: sets blocks
    mapfile -d '' -t blocks < <(resolved | awk -v language="$1" -f "$here/blocks.awk")
}

# The sessions that are not run, and why. Nothing is wrong with that.
check_left_out() { resolved | awk -v language=console -v left_out=1 -f "$here/blocks.awk"; }

# Every listing stands in the day's server, or in a file that the page links.
check_listings() {
    local source text linked
    mapfile -t linked < <(grep -oE '\]\([^)#]+\.[ch]\)' "$page" | sed 's/^](\(.*\))$/\1/' | sort -u)
    text=$(<"$day/server.c")
    for source in "${linked[@]}"; do
        text+=$'\n'$(<"$day/$source")
    done
    blocks c
    for block in "${blocks[@]}"; do
        [[ $text == *"${block%$'\n'}"* ]] || complain "not in the source:"$'\n'"$block"
    done
}

# Every diff stands in that of yesterday and today.
check_diffs() {
    local n=$((10#${day#day})) difference
    blocks diff
    [ "${#blocks[@]}" -gt 0 ] || return 0
    difference=$(diff -u "$(printf day%02d $((n - 1)))/server.c" "$day/server.c")
    for block in "${blocks[@]}"; do
        [[ $difference == *"${block%$'\n'}"* ]] || complain "not in the difference:"$'\n'"$block"
    done
}

# Every session prints what it says. It may go another way when the machine is busy: three tries.
check_sessions() {
    local file try output
    file=$(mktemp)
    blocks console
    for block in "${blocks[@]}"; do
        printf '%s' "$block" >"$file"
        for try in 1 2 3; do
            if output=$(timeout -k 5 90 "$here/session.bash" "$file" </dev/null); then break; fi
            [ "${TRIES-3}" -gt "$try" ] || { complain "$output"; break; }
        done
    done
    rm "$file"
}

# Every relative link leads somewhere.
check_links() {
    local link
    while read -r link; do
        [ -e "$(dirname "$day/x")/${link%%#*}" ] || complain "no such file: $link"
    done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](\(.*\))$/\1/' | grep -vE '^(https?:|#)')
}

# Every man page exists. liburing 2.3 has no overview pages yet: they are named with the words "newer
# liburing" in the same paragraph.
check_pages() {
    local name section paragraph
    man -w man >/dev/null 2>&1 || { echo "no man pages here"; exit 77; }
    while IFS= read -r paragraph; do
        while IFS='()' read -r name section; do
            man -w "$section" "$name" >/dev/null 2>&1 ||
                [[ $name == io_uring_* && $paragraph == *"newer liburing"* ]] ||
                complain "no man page: $name($section)"
        done < <(grep -oE '\b[a-z0-9_.]+\([1-8]\)' <<<"$paragraph" | sed 's/)$//')
    done < <(prose | awk 'BEGIN { RS = "" } { gsub(/\n/, " "); print }')
}

# The page without its fenced blocks.
prose() { awk '/^```/ { inside = !inside; next } !inside' "$page"; }

# What stands in backticks exists: a file, a make target, a command, a test, a name in the sources
# or in liburing's headers.
check_names() {
    local span
    while IFS= read -r span; do
        known "$span" || complain "what is this? $span"
    done < <(prose | tr '\n' ' ' | grep -oE '`[^`]+`' | sed 's/^`//; s/`$//; s/  */ /g' | sort -u)
}

known() {
    local span=$1 word
    case $span in
    'make '*)
        for word in ${span#make }; do
            case $word in
            *=* | -s | '&&') ;;
            *) grep -qE "^([a-z0-9/ \$()%.:-]* )?${word//./\\.}( [^=]*)?:" Makefile ||
                [[ ' day01 day02 day03 day04 ' == *" $word "* ]] || return 1 ;;
            esac
        done
        return 0
        ;;
    *' '*) # a command line, a line that is printed, a test, or a piece of code
        grep -qF -e "@test \"$span\"" tests/*.bats && return
        for word in ${span%%|*}; do
            case $word in
            *=*) ;;
            ./*/server | *.bats | tests/*) [ -e "$word" ] || return 1 ;;
            [a-z]*) break ;;
            esac
        done
        word=$(sed -E 's/^([A-Z_]+=[^ ]* )*//; s/ .*//' <<<"$span")
        command -v -- "$word" >/dev/null && { [[ $span != *tests/* ]] || paths_exist "$span"; } && return
        [ -e "$word" ] && return
        in_sources "$span"
        ;;
    -[a-z]) return 0 ;;
    --*) [ "$span" = --help ] || grep -qF "\"${span#--}\"" common/options.c ;;
    /proc/*) return 0 ;;
    */*) [ -e "${span#./}" ] || in_sources "$span" ;;
    *)
        [ -e "$span" ] || [ -e "$day/$span" ] || command -v -- "$span" >/dev/null || in_sources "$span" ||
            in_headers "$span"
        ;;
    esac
}

paths_exist() {
    local word
    for word in $1; do
        [[ $word != tests/* ]] || [ -e "$word" ] || return 1
    done
}

in_sources() { grep -qwF -e "${1%()}" day0*/*.c common/*.[ch] tests/client.c; }

in_headers() {
    local name=${1#-}
    headers=${headers-$(printf '#include <%s>\n' liburing.h errno.h sys/socket.h signal.h netinet/in.h sys/signalfd.h fcntl.h |
        cc -D_GNU_SOURCE -E -dD -x c -)}
    grep -qwF -e "${name%()}" <<<"$headers"
}

[ -d "$day" ] || day=. # README.md of the root
"check_$what"
exit "$wrong"
