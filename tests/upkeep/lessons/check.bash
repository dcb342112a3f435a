#!/bin/bash
# shellcheck disable=SC2317,SC2016 # the checks are called by name; backticks are meant
#
# Checks one page against the code:  check.bash WHAT PAGE [DAY]
# WHAT is listings, diffs, sessions, links, names, commands or pages; DAY (day03) is that of the page,
# and is taken from its folder where it is not given. Prints what is wrong; exits 1 if anything is.
# It runs in the root of a built copy. Names that are in the page BEFORE, too, are taken for right.
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

# Every relative link leads somewhere: to a file, and to a heading in it. "[07](#07-...)" says what it leads to.
check_links() {
    local text link file
    while IFS=$'\t' read -r text link; do
        file=$(dirname "$day/x")/${link%%#*}
        [ -n "${link%%#*}" ] || file=$page
        [ -e "$file" ] || { complain "no such file: $link"; continue; }
        [[ $link != *'#'* ]] || slugs "$file" | grep -qxF -e "${link#*#}" || complain "no such section: $link"
        [[ ! $text =~ ^[0-9a-z]{1,2}$ ]] || [[ ${link##*[#/]} =~ ^0*$text(-|$) ]] || [ "$file" -ef "day0$text/README.md" ] ||
            complain "$text is not the name of $link"
    done < <(links | sed -E 's/^\[(.*)\]\((.*)\)$/\1\t\2/' | grep -vE $'\thttps?:')
    [ "$(links | wc -l)" -eq "$(prose | grep -oF '](' | wc -l)" ] || complain "a link that is none"
}

links() { prose | tr '\n' ' ' | grep -oE '\[[^][]*\]\([^() ]+\)'; }

# As GitHub makes them of the headings.
slugs() {
    awk '/^```/ { inside = !inside } /^#/ && !inside { sub(/^#+ */, ""); print tolower($0) }' "$1" |
        sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# The man pages that liburing 2.3 lacks, and which release brought them. A text says so where it first
# names one ("liburing 2.14", or "newer liburing"), and shows how a function without a page is called.
declare -A since=(
    ['io_uring_cancelation(7)']=2.14 ['io_uring_linked_requests(7)']=2.14 ['io_uring_multishot(7)']=2.14
    ['io_uring_provided_buffers(7)']=2.14 ['io_uring_registered_files(7)']=2.14
    ['io_uring_get_probe_ring(3)']=2.14 ['io_uring_submit_and_wait_min_timeout(3)']=2.8
    ['io_uring_prep_link_timeout(3)']=2.4 ['io_uring_register_files_update(3)']=2.4
)

# Every other man page exists.
check_pages() {
    local name paragraph before
    before=$(<"${BEFORE-/dev/null}")
    local -A told found
    man -w man >/dev/null 2>&1 || { echo "no man pages here"; exit 77; }
    while IFS= read -r paragraph; do
        [[ $paragraph =~ \([1-8]\) ]] || continue
        while read -r name; do
            if [ -n "${since[$name]-}" ]; then
                [ -n "${told[$name]-}" ] || [[ $paragraph == *"liburing ${since[$name]}"* || $paragraph == *"newer liburing"* ]] ||
                    complain "no such page before liburing ${since[$name]}, say so: $name"
                told[$name]=1
            elif [[ -z ${found[$name]-} && $before != *"$name"* ]]; then
                man -w "${name: -2:1}" "${name%(*}" >/dev/null 2>&1 || complain "no man page: $name"
                found[$name]=1
            fi
        done < <(grep -oE '\b[a-z0-9_.]+\([1-8]\)' <<<"$paragraph")
    done < <(prose | awk 'BEGIN { RS = "" } { gsub(/\n/, " "); print }')
    for name in "${!since[@]}"; do
        [[ $name != *'(3)' ]] || ! grep -qw "${name%(*}" "$page" || grep -q "${name%(*}(struct " "$page" ||
            complain "a reader with liburing 2.3 has no page of ${name%(*}: show how it is called"
    done
}

# The page without its fenced blocks.
prose() { awk '/^```/ { inside = !inside; next } !inside' "${1-$page}"; }

# What stands in backticks exists: a file, a command line, a test, a name in the sources or in the
# headers. So do the commands of the indented blocks.
check_names() {
    local span
    while IFS= read -r span; do
        known "$span" || complain "what is this? $span"
    done < <(comm -23 <(spans "$page") <(spans "${BEFORE-/dev/null}"))
}

spans() { prose "$1" | tr '\n' ' ' | grep -oE '`[^`]+`' | sed 's/^`//; s/`$//; s/  */ /g' | sort -u; }

check_commands() {
    local line
    while IFS= read -r line; do
        command_line "$line" || complain "what is this? $line"
    done < <(prose | awk '/^    / && blank { $0 = substr($0, 5); sub(/ +(#|  ).*/, ""); print; next } { blank = /^ *$/ }' |
        grep -vE '^ *(int|void) ')
}

# What only the article has, or Windows.
quoted='perror(strerror(-waitErr))|close(cEvent->clientSocket)|erEventData->buffer|buffer[recvLen] = 0|buffer[res] = 0|int main()|listen(sockfd, 5)|listen(fd, SOMAXCONN)|wsl --update'

known() {
    local span=$1
    case "|$quoted|" in *"|$span|"*) return 0 ;; esac
    case $span in
    *' '*)
        grep -qF -e "@test \"$span\"" tests/*.bats || in_sources "$span" || command_line "$span"
        ;;
    -[a-z] | '&' | %% | %- | 0) return 0 ;;
    --*) grep -qF "\"${span#--}\"" common/options.c ;;
    *...'()') grep -qw "${span%...()}[a-z_]*" day04/server.c ;;
    *.patch) [ -e "tests/bugs/$span" ] ;;
    */*) path "$span" ;;
    *) [ -e "$span" ] || [ -e "$day/$span" ] || in_sources "$span" || in_headers "$span" || command -v -- "$span" >/dev/null ;;
    esac
}

# Commands joined by && or |, each with its settings in front: known commands, paths that exist, options
# that the command knows.
command_line() {
    local part word words
    while IFS= read -r part; do
        read -ra words <<<"$part"
        [ "${#words[@]}" -gt 0 ] || continue
        while [[ ${words[0]-} =~ ^([A-Z_]+)= ]]; do
            grep -rqwF -e "${BASH_REMATCH[1]}" tests Makefile && setting "${words[0]}" || return 1
            words=("${words[@]:1}")
        done
        case ${words[0]} in
        -*) in_sources "$part" || return 1; continue ;;
        */*) path "${words[0]}" || return 1 ;;
        *) command -v -- "${words[0]}" >/dev/null || return 1 ;;
        esac
        case ${words[0]##*/} in
        make) make_knows "${words[@]:1}" || return 1 ;;
        cp) [[ ${words[2]} == "${words[1]%/server.c}/mine.c" ]] || return 1 ;;
        sysctl) grep -qwF -e "$part" tests/doctor.sh || return 1 ;;
        check.sh) [[ -e tests/exercises/${words[1]}.bats && ${words[2]} == "day${words[1]%-*}/mine.c" ]] || return 1 ;;
        esac
        for word in "${words[@]:1}"; do
            case $word in
            --*) [[ $word == --[a-z]* ]] && { in_sources "\"${word#--}\"" || "${words[0]}" --help 2>&1 | grep -qF -e "$word"; } || return 1 ;;
            */*) path "$word" || return 1 ;;
            esac
        done
    done < <(sed -E ":a; s/(='[^' ]*) ([^']*')/\1,\2/; ta; s/ && | [|] |; /\n/g; s/'//g" <<<"$1")
}

# A file of the repository, of the reader, or of the machine.
path() {
    case $1 in
    day0[1-4]/mine | day0[1-4]/mine.c | day0[2-4]/replay.html | path/to/mine | /proc/PID/fd | /proc/PID/fdinfo/3) ;;
    */*=* | *=*/*) path "${1#*=}" ;;
    tests/bench/out/*) [ -e "tests/bench/${1##*/}.c" ] ;; # make bench builds it
    *) [ -e "$1" ] || [ -e "$1.c" ] ;;
    esac
}

# make_knows ARGUMENT...: the targets are in a Makefile, the variables in what the target runs, and N and
# DAY are there.
make_knows() {
    local word rule rules='$(CPPFLAGS) $(CFLAGS) $(CC)' target="" day="" # these, whatever is built
    for word; do
        case $word in
        -s) ;;
        [A-Z]*=*) ;;
        *)
            target=$word
            rule=$(awk -v target="$word" 'function is(line) { sub(/:.*/, "", line); return index(" " line " ", " " target " ") }
                is($0) && !/^\t/ && /:/ { on = 1 } /^$/ { on = 0 } on' Makefile tests/upkeep/upkeep.mk)
            [ -n "$rule" ] || return 1
            rules+=$rule
            ;;
        esac
    done
    [[ $target != bench ]] || rules+=$(cat tests/bench/bench.sh)
    for word; do
        [[ $word =~ ^[A-Z]+= ]] || continue
        [[ $rules =~ \$[\(\{\$]${word%%=*}[\)\}:\"-] ]] || return 1
        setting "$word" || return 1
        [[ $word != DAY=* ]] || day=${word#DAY=}
    done
    for word; do
        case $target:$word in
        bug:N=*) compgen -G "tests/bugs/${word#N=}-*" >/dev/null || return 1 ;;
        step:N=0) ;; # the server of the day before
        step:N=* | diff:N=*) compgen -G "$(printf 'day%s/steps/%02d-*' "$day" "$((10#${word#N=}))")" >/dev/null || return 1 ;;
        esac
    done
}

# Of the variables, those whose values are few.
setting() {
    case $1 in
    DAY=*) [[ $1 =~ ^DAY=0[1-4]$ ]] ;;
    CPPFLAGS=* | CFLAGS=*) [[ $1 != *-D* ]] || in_sources "$(sed 's/.*-D//; s/=.*//' <<<"$1")" ;;
    SERVER=* | *=*/*) path "${1#*=}" ;;
    esac
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
