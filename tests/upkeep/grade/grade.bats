#!/usr/bin/env bats
# The grader: full marks to each right server of README.md's table, less to each wrong one and with
# the words that stand there, and an end with all of them.
#
# TIMES: how often the right ones are graded (1), JOBS: how many of them side by side (1). PROGRAMS: only
# these, a regular expression.

bats_require_minimum_version 1.8.0

HERE=$BATS_TEST_DIRNAME
ROOT=$(cd "$HERE/../../.." && pwd)

# table HEADING: its rows; the cells are separated by tabs, and a "|" in a cell is written "\|".
table() {
    sed -n "/^## $1/,/^## [^$1]/p" "$HERE/README.md" | grep '^| [^-]' | sed '1d
        s/^| *//; s/ *|$//; s/\\|/\x01/g; s/ *| */\t/g; s/\x01/|/g' | grep -E "^(${PROGRAMS:-.*})"$'\t'
}

# program NAME: prints the path of that program, built where it must be; nothing if its language is
# not there.
program() {
    local built=$BATS_FILE_TMPDIR/$1 options=()
    case $1 in
    day0?) echo "$ROOT/$1/server" ;;
    echo) echo "$ROOT/day04/echo" ;;
    uv-echo | epoll-echo)
        if [ "$1" = uv-echo ]; then options=(-luv); fi
        [ "$1" = epoll-echo ] || [ -e /usr/include/uv.h ] || return 0
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$built" "$ROOT/tests/bench/$1.c" "$ROOT"/common/{say,options,listen}.c "${options[@]}"
        echo "$built"
        ;;
    echo:*)
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -DFAULT="${1#echo:}" -o "$built" "$HERE/wrong-echo.c"
        echo "$built"
        ;;
    *.py | *.js | *.pl)
        built=$(find "$HERE" -name "$1")
        if command -v "$(sed -n '1s/.*[/ ]//p' "$built")" >/dev/null; then echo "$built"; fi
        ;;
    *.java)
        command -v javac >/dev/null || return 0
        javac -d "$built.classes" "$HERE/right/$1"
        printf '#!/bin/sh\nexec java -cp %q Server "$@"\n' "$built.classes" >"$built"
        chmod +x "$built"
        echo "$built"
        ;;
    *.rs) if command -v rustc >/dev/null; then rustc -O -o "$built" "$HERE/right/$1" && echo "$built"; fi ;;
    *.go) if command -v go >/dev/null; then GOCACHE=$BATS_FILE_TMPDIR/go go build -o "$built" "$HERE/right/$1" && echo "$built"; fi ;;
    event.c | uv.c)
        pkg-config --exists "lib${1%.c}" || return 0
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$built" "$HERE/right/$1" "-l${1%.c}"
        echo "$built"
        ;;
    RECV | SQPOLL | BUFFERS)
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -DHOW="$1" -o "$built" "$HERE/uring.c" -luring
        echo "$built"
        ;;
    *)
        options=(-DFAULT="$1" "$HERE/wrong.c")
        if [ "$1" = ANY_SIZE ]; then options=(-DFAULT=ONE_SIZE -DSIZE=$((RANDOM % 4100 + 1)) "$HERE/wrong.c"); fi
        if [ "$2" = Right ]; then options=(-DHOW="$1" "$HERE/right.c"); fi
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -pthread -o "$built" "${options[@]}"
        echo "$built"
        ;;
    esac
}

# grade NAME PROGRAM [CHECKS [TIME]]: what the grader says is in $BATS_FILE_TMPDIR/NAME.said
grade() {
    local day=04 status=0 started=$EPOCHSECONDS
    case $1 in day0?.*) day=${1:3:2} ;; *echo*) day='echo' ;; esac
    # without what bats has put into the environment: grade.sh starts another one
    env -i PATH="$PATH_OUTSIDE" HOME="$HOME" MARK="$BATS_FILE_TMPDIR" ONLY="${3-}" TIME="${4-50}" \
        "$ROOT/tests/grade/grade.sh" "$day" "$2" >"$BATS_FILE_TMPDIR/$1.said" 2>&1 3>&- </dev/null || status=$?
    echo "status $status after $((EPOCHSECONDS - started)) s" >>"$BATS_FILE_TMPDIR/$1.said"
}

setup_file() {
    PATH_OUTSIDE=$(tr : '\n' <<<"$PATH" | grep -v '/libexec/bats-core$' | paste -sd :)
    export PATH_OUTSIDE
    make -s -C "$ROOT" tests/client tests/grade/guard 3>&-
}

@test "right servers get full marks" {
    local name path n less='' going=() graded=()
    while IFS=$'\t' read -r name _; do
        path=$(program "$name" Right)
        [ -n "$path" ] || { echo "# left out, for want of its language: $name" >&3; continue; }
        for ((n = 1; n <= ${TIMES:-1}; n++)); do
            grade "$name.$n" "$path" &
            going+=($!) graded+=("$name.$n")
            if [ ${#going[@]} -ge "${JOBS:-1}" ]; then
                wait "${going[0]}"
                going=("${going[@]:1}")
            fi
        done
    done < <(table Right)
    for n in "${going[@]}"; do wait "$n"; done
    for name in "${graded[@]}"; do
        grep -qE '^([0-9]+) of \1$' "$BATS_FILE_TMPDIR/$name.said" && continue
        less+=" $name"
        grep -v '^  ok ' "$BATS_FILE_TMPDIR/$name.said"
    done
    [ ${#graded[@]} -eq 0 ] || times_taken >&3
    [ -z "$less" ] || { echo "less than full marks:$less"; return 1; }
}

# times_taken: how long these grades took.
times_taken() {
    sed -n 's/^status [0-9]* after \([0-9]*\) s$/\1/p' "$BATS_FILE_TMPDIR"/*.said | sort -n |
        awk '{ t[NR] = $1; sum += $1 } END {
            printf "# %d grades, %d to %d s, %d on average\n", NR, t[1], t[NR], sum / NR }'
}

# says NAME CHECK WORDS: the report of that check has all these words, each in backquotes.
says() {
    local said=$BATS_FILE_TMPDIR/$1.said word
    awk -v check="^  FAIL  ($2)" '/^  [^ ]/ { on = $0 ~ check } /^$/ { on = 0 } on' "$said" >"$said.why"
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    while read -r word; do
        grep -qE -e "$word" "$said.why" || { echo "$1: no '$word' for '$2'"; return 1; }
    done < <(grep -o '`[^`]*`' <<<"$3" | tr -d '`')
    grep -q '^        read  *[^ ]' "$said.why"
}

@test "wrong servers do not, and are told why" {
    local name check words path failures=''
    while IFS=$'\t' read -r name _ check words; do
        path=$(program "$name" Wrong)
        [ -n "$path" ] || { echo "# left out, for want of its language: $name" >&3; continue; }
        grade "$name" "$path" "says.where|${check// /.}" 25
        says "$name" "$check" "$words" && continue
        failures+=" $name"
        grep -v '^  ok ' "$BATS_FILE_TMPDIR/$name.said"
    done < <(table Wrong)
    [ -z "$failures" ] || { echo "not as it stands in README.md:$failures"; return 1; }
}

script() { # NAME: a program from stdin
    { echo '#!/bin/bash'; cat; } >"$BATS_FILE_TMPDIR/$1"
    chmod +x "$BATS_FILE_TMPDIR/$1"
    grade "$1" "$BATS_FILE_TMPDIR/$1"
}

# in_time NAME: less than full marks within a minute, or more on a busy machine, as grade.bash has it.
in_time() {
    local busy
    busy=$(awk -v n="$(nproc)" '{ b = int($1 / n) + 1; print b < 8 ? b : 8 }' /proc/loadavg)
    cat "$BATS_FILE_TMPDIR/$1.said"
    grep -qE '^[0-9]+ of [0-9]+$' "$BATS_FILE_TMPDIR/$1.said"
    [ "$(sed -n 's/^status 1 after \([0-9]*\) s$/\1/p' "$BATS_FILE_TMPDIR/$1.said")" -lt $((70 * busy)) ]
}

@test "every check takes all its time: an end" {
    grade NEVER_CLOSES "$(program NEVER_CLOSES Wrong)"
    in_time NEVER_CLOSES
}

@test "it hangs before the ready line and ignores SIGTERM: an end" {
    script hangs <<<'trap "" TERM INT HUP; setsid sleep 1000 & while :; do :; done'
    in_time hangs
}

@test "it floods stdout and stderr: an end" {
    script floods <<<'trap "" TERM PIPE; yes >&2 & yes | tr -d "\n" & yes'
    in_time floods
}

@test "it starts others and leaves them: an end, and no process is left" {
    script forks <<<'for i in 1 2 3; do (trap "" TERM; setsid sleep 1000 &) done; echo listening on 127.0.0.1:1; sleep 1000'
    in_time forks
    [ "$(grep -lsz "^MARK=$BATS_FILE_TMPDIR$" /proc/[0-9]*/environ | wc -l)" -eq 0 ]
}

@test "a path may have spaces and apostrophes, and takes no harm" {
    mkdir -p "$BATS_FILE_TMPDIR/it's here"
    cp "$(program EPOLL Right)" "$BATS_FILE_TMPDIR/it's here/it's mine"
    grade "spaces" "$BATS_FILE_TMPDIR/it's here/it's mine" 'four bytes'
    cat "$BATS_FILE_TMPDIR/spaces.said"
    grep -q "^  ok    a request is answered with four bytes" "$BATS_FILE_TMPDIR/spaces.said"
    grep -qF "it\\'s\\ here/it\\'s\\ mine, by the contract" "$BATS_FILE_TMPDIR/spaces.said"
}

@test "it inherits descriptors 0 to 2 and no others" {
    script descriptors <<<'ls -l /proc/$$/fd >&2; exit 1'
    cat "$BATS_FILE_TMPDIR/descriptors.said"
    grep -q 'stderr .* 2 -> pipe' "$BATS_FILE_TMPDIR/descriptors.said"
    # 255 is the script itself: bash opens it
    run ! grep -qE 'stderr .* ([3-9]|[1-9][0-9]) -> ' "$BATS_FILE_TMPDIR/descriptors.said"
}

@test "wrong usage is said" {
    for arguments in '' '04' '05 /bin/true' '04 /no/such/file' "04 $ROOT/Makefile" '04 /'; do
        # shellcheck disable=SC2086 # words
        run -2 "$ROOT/tests/grade/grade.sh" $arguments
        [[ $output == *"usage: make grade"* ]]
    done
    [[ $output == *"a directory"* ]]
}
