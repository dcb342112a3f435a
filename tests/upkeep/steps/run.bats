#!/usr/bin/env bats
# The steps of days 2 to 4, built and run: each compiles without a warning, the tests that it names fail
# on the server of the step before and pass from it on, and so do some of the contract on all of them.
# One day alone: DAYS=03 bats tests/upkeep/steps/run.bats

load helpers
DAYS=${DAYS:-02 03 04}

# kept DAY STEP: what every step does, whatever else it cannot yet.
kept() {
    if [ "$(program_of "$1" "$2")" = server ]; then
        echo "tests/day$1.bats: requests of 1 to 100,000 bytes are answered"
        echo "tests/day$1.bats: clients that reset the connection do not stop the server"
    else
        echo "tests/echo.bats: a client that ends its direction at once gets everything first"
        echo "tests/echo.bats: clients that reset the connection, with bytes on their way in and out"
    fi
}

SANITIZED='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -Werror'

# build FOLDER TARGET CC CFLAGS: each step as day*/TARGET, in FOLDER/DAY/NN. What the compiler says is in
# FOLDER/said.
build() {
    local day number
    "$ROOT/tests/upkeep/copy.sh" "$1" common/say.o common/options.o common/listen.o common/trace.o common/ring.o \
        CC="$3" CFLAGS="$4"
    for day in $DAYS; do
        mkdir "$1/$day"
        for number in 00 $(numbers "$day"); do
            cp "$MADE/$day/$number.c" "$1/day$day/mine.c"
            make -s -C "$1" "day$day/$2" CC="$3" CFLAGS="$4" && mv "$1/day$day/$2" "$1/$day/$number" ||
                echo "not built: day $day, step $number"
        done
    done >"$1/said" 2>&1 3>&-
}

# runs_of DAY STEP: what is to be run on it, a file of tests and a regular expression for each: the tests
# of all steps up to the next one, where they are to fail, and what is kept. The echo does not answer as a
# server does: for its steps those of the server are left out.
runs_of() {
    local number test name program
    program=$(program_of "$1" "$2")
    declare -A regex=()
    while IFS= read -r test; do
        name=$(printf '%s' "${test#*: }" | sed "s/[][\\.*^\$(){}?+|]/\\\\&/g")
        regex[${test%%: *}]+="${regex[${test%%: *}]:+|}$name"
    done < <(
        kept "$1" "$2"
        for number in $(numbers "$1"); do
            [ "$program" = server ] || [ "$(program_of "$1" "$number")" = "$program" ] || continue
            ((10#$number > 10#$2 + 1)) || field "$1" "$number" Test
        done
    )
    for name in "${!regex[@]}"; do
        printf '%s\0' "$1" "$2" "$name" "^(${regex[$name]})\$"
    done
}

# result DAY STEP FILE NAME: ok, "not ok", or skip.
result() {
    local tap line
    tap=$MADE/$1/$2.$(basename "$3").tap
    line=$(grep -E '^(not )?ok [0-9]+ ' "$tap" | sed -E 's/^((not )?ok) [0-9]+ /\1 /' |
        awk -v name="$4" 'index($0, "ok " name) == 1 || index($0, "not ok " name) == 1' | head -n 1)
    case $line in *" # skip"*) echo skip ;; "ok "*) echo ok ;; "not ok "*) echo not ok ;; *) echo none ;; esac
}

# calls SERVER CLIENTS [AT-ONCE]: tenths of a call of io_uring_enter for a client.
calls() {
    local line pid trace=$BATS_TEST_TMPDIR/trace
    exec {out}< <(exec "$1" --port 0 --trace 2>"$trace" 3>&-)
    pid=$!
    read -r -t 20 line <&"$out"
    "$ROOT/tests/client" -n "$2" -c "${3:-1}" "${line##*:}" send=5,ack,eof 3>&- >&2
    kill "$pid"
    wait "$pid" || true
    exec {out}<&-
    echo $(($(grep -c '^---- enter' "$trace") * 10 / $2))
}

setup_file() {
    export MADE=$BATS_FILE_TMPDIR NO_BUILD=1
    local day number
    for day in $DAYS; do
        "$STEPS/unpack.sh" "$day" "$MADE/$day"
    done
    build "$MADE/gcc" mine.o gcc '-O2 -g -Werror' &
    build "$MADE/sanitized" mine gcc "$SANITIZED"
    wait
    ! command -v clang >/dev/null || build "$MADE/clang" mine.o clang '-O2 -g -Werror'

    for day in $DAYS; do
        for number in 00 $(numbers "$day"); do
            runs_of "$day" "$number"
        done
    done >"$MADE/runs"
    # They wait more than they compute: two at a time, and bats runs four tests of each.
    # shellcheck disable=SC2016 # for the shells that xargs starts
    xargs -0 -n 4 -P 2 bash -c 'SERVER=$MADE/sanitized/$1/$2 BATS_TEST_TIMEOUT=60 timeout -k 5 200 \
        bats --tap --setup-suite-file "$ROOT/tests/grade/nothing.bash" -f "$4" "$ROOT/$3" >"$MADE/$1/$2.$(basename "$3").tap" 2>&1 || true' run <"$MADE/runs" 3>&-
}

@test "each step builds without a warning, with gcc and, where there is one, clang" {
    local folder
    for folder in gcc sanitized clang; do
        [ -d "$MADE/$folder" ] || continue
        echo "$folder:"
        cat "$MADE/$folder/said"
        [ ! -s "$MADE/$folder/said" ]
    done
}

@test "every step serves clients: a part of the contract" {
    local day number name
    for day in $DAYS; do
        for number in $(numbers "$day"); do
            while read -r name; do
                [ "$(result "$day" "$number" "${name%%: *}" "${name#*: }")" = ok ] ||
                    { echo "day $day, step $number: $name"; cat "$MADE/$day/$number".*.tap; return 1; }
            done < <(kept "$day" "$number")
        done
    done
}

# A test that is skipped even on the last step can run on some machines only.
@test "the tests that a step names fail on the step before, and pass from it on" {
    local day number last later test file name before program status=0
    for day in $DAYS; do
        before=00
        for number in $(numbers "$day"); do
            program=$(program_of "$day" "$number")
            last=$(numbers "$day" "$program" | tail -n 1)
            while IFS= read -r test; do
                [ -n "$test" ] || continue
                file=${test%%: *} name=${test#*: }
                [ "$(result "$day" "$last" "$file" "$name")" != skip ] || { echo "not tried here: $test"; continue; }
                [[ $(result "$day" "$before" "$file" "$name") =~ ^(not ok|skip)$ ]] ||
                    { echo "day $day: passes before step $number: $name"; status=1; }
                for later in $(numbers "$day" "$program"); do
                    ((10#$later >= 10#$number)) || continue
                    [ "$(result "$day" "$later" "$file" "$name")" = ok ] ||
                        { echo "day $day, step $later: does not pass: $name"; cat "$MADE/$day/$later.${file##*/}.tap"; status=1; }
                done
            done < <(field "$day" "$number" Test)
            before=$number
        done
    done
    [ "$status" -eq 0 ]
}

@test "the figures that a step names are what is measured" {
    local day number before was is at n figure status=0
    for day in $DAYS; do
        before=00
        for number in $(numbers "$day"); do
            figure=$(field "$day" "$number" Figure)
            if [ -n "$figure" ]; then
                # enters WAS IS [at CLIENTS-AT-ONCE]
                read -r _ was is _ at <<<"$figure"
                n=$((at > 0 ? 2000 : 10))
                set -- "$(calls "$MADE/sanitized/$day/$before" "$n" "${at:-1}")" "$(calls "$MADE/sanitized/$day/$number" "$n" "${at:-1}")"
                echo "day $day, step $number: $figure; measured, in tenths: $1, then $2"
                # As said, to half a call; where it falls, it may fall further.
                (($1 >= was * 10 - 5 && $1 <= was * 10 + 5 && $2 <= is * 10 + 5)) || status=1
                ((is < was || $2 >= is * 10 - 5)) || status=1
            fi
            before=$number
        done
    done
    [ "$status" -eq 0 ]
}

@test "score.sh finds the step that a server is" {
    [[ $DAYS == *04* ]] || skip "without day 4"
    run -0 "$STEPS/score.sh" "$MADE/sanitized/04/03"
    [[ $output == "day 4: 3 of "*"next: step 4: "* ]]
    run -0 "$STEPS/score.sh" "$MADE/sanitized/04/04"
    [[ $output == "day 4: 4 to 9 of "*"next: step 10: "*"skipped: its --help has no option --slots" ]]
}
