#!/usr/bin/env bats
# The steps of days 2 to 4 as they are written: patches, heads, tables, "make step". What their
# servers do is in run.bats.

load helpers
DAYS='02 03 04'

@test "the patches of each day apply one after the other, and lead to server.c, and on to echo.c" {
    local day last program
    for day in $DAYS; do
        "$STEPS/unpack.sh" "$day" "$BATS_TEST_TMPDIR/$day"
        for program in server echo; do
            last=$(numbers "$day" "$program" | tail -n 1)
            [ -z "$last" ] || cmp "$BATS_TEST_TMPDIR/$day/$last.c" "$ROOT/day$day/$program.c"
        done
    done
    [ "$(numbers 04 server | tail -n 1)" = 20 ]
    [ "$last" = "$(numbers 04 | tail -n 1)" ]
}

@test "each step has its head, and the steps are counted from 1" {
    local day number n name
    for day in $DAYS; do
        n=0
        for number in $(numbers "$day"); do
            n=$((n + 1))
            echo "day $day, step $number"
            [ "$((10#$number))" -eq "$n" ]
            head -n 1 "$ROOT/day$day/steps/$number"-*.patch | grep -q "^Step $number: ."
            for name in Missing Try Then; do
                [ "$(sed '/^--- a/,$d' "$ROOT/day$day/steps/$number"-*.patch | grep -c "^$name:")" -eq 1 ]
            done
            [ -n "$(field "$day" "$number" '\(Test\|Figure\|Nothing to see\)')" ]
        done
    done
}

@test "no step touches more than 45 lines of code, most of them fewer than 30" {
    local day
    for day in $DAYS; do
        "$STEPS/lines.sh" "$day" >"$BATS_TEST_TMPDIR/lines" || { cat "$BATS_TEST_TMPDIR/lines"; return 1; }
        sed "s/^/day $day, step /" "$BATS_TEST_TMPDIR/lines"
        cat "$BATS_TEST_TMPDIR/lines" >>"$BATS_TEST_TMPDIR/all"
    done
    awk '$2 + $3 < 30 { small++ } END { exit small * 2 <= NR }' "$BATS_TEST_TMPDIR/all"
}

@test "the lessons carry the table of their steps" {
    local day
    for day in $DAYS; do
        grep -q '^| step |' "$ROOT/day$day/README.md" || [ "$day" != 04 ] || return
        grep -q '^| step |' "$ROOT/day$day/README.md" || continue
        "$STEPS/table.sh" "$day" >"$BATS_TEST_TMPDIR/table"
        sed -n '/^| step |/,/^$/p' "$ROOT/day$day/README.md" | grep '^|' | diff - "$BATS_TEST_TMPDIR/table"
    done
}

@test "the tests of day 4 have the tags of the steps that name them, and only these" {
    local number
    for number in $(numbers 04); do
        field 04 "$number" Test | sed -n "s|^tests/day04.bats: |$((10#$number)) |p"
    done | sort >"$BATS_TEST_TMPDIR/named"
    sed -n '/^# bats test_tags=/ { s/^.*step:\([0-9]*\).*/\1/; t next; d; :next; N; s/\n@test "\(.*\)" {.*/ \1/p }' \
        "$ROOT/tests/day04.bats" | sort >"$BATS_TEST_TMPDIR/tagged"
    diff "$BATS_TEST_TMPDIR/named" "$BATS_TEST_TMPDIR/tagged"
}

# a_copy: of what "make step" and this suite need, in $COPY.
a_copy() {
    COPY=$BATS_TEST_TMPDIR/copy
    mkdir "$COPY"
    cp -R "$ROOT/Makefile" "$ROOT/common" "$ROOT"/day0[1-4] "$ROOT/tests" "$COPY"
    rm -f "$COPY"/day0?/mine.c
}

@test "make step says where mine.c stands, goes anywhere, and overwrites no work" {
    a_copy
    cd "$COPY"
    [[ $(make -s step DAY=03) == *"no day03/mine.c yet"*"N=01"* ]]
    [[ $(make -s step DAY=03 N=02) == "Step 02: "* ]]
    [[ $(make -s step DAY=3) == *"of step 2: "*"N=03"* ]]
    "$STEPS/unpack.sh" 03 unpacked
    cmp unpacked/02.c day03/mine.c
    make -s step DAY=03 N=6
    cmp day03/server.c day03/mine.c
    [[ $(make -s step DAY=03) == *"the last step"* ]]
    make -s step DAY=03 N=0
    cmp day02/server.c day03/mine.c

    echo '/* mine */' >>day03/mine.c
    cp day03/mine.c before
    run -2 make -s step DAY=03 N=01
    [[ $output == *"rm day03/mine.c"* ]]
    cmp before day03/mine.c
    [[ $(make -s step DAY=03) == *"no step"* ]]
    run -2 make -s step DAY=03 N=99
    run -2 make -s step DAY=01
    run -2 make -s step
}

@test "make diff shows the whole day, or one step" {
    cd "$ROOT"
    [[ $(make -s diff DAY=03) == "--- day02/server.c"* ]]
    make -s diff DAY=03 N=2 | cmp - day03/steps/02-*.patch
    run -2 make -s diff DAY=03 N=0
}

# this_fails WHERE: of this suite's tests those that need no server, in the copy.
this_fails() {
    run -1 bats -f 'the patches of each day|has its head|more than 45|carry the table|have the tags' \
        "$COPY/tests/upkeep/steps/steps.bats" 3>&-
}

@test "a line of a patch that is changed is seen by this suite" {
    export NO_BUILD=1
    a_copy
    bats -f 'the patches of each day|has its head|more than 45|have the tags' "$COPY/tests/upkeep/steps/steps.bats" 3>&-
    local change
    for change in '/^+    s->open--;/s/--/++/' '/^ static void on_accept/s/on_accept/on_Accept/' \
        's/^Missing:/Wanting:/' '1s/05/06/'; do
        sed -i "$change" "$COPY"/day03/steps/05-*.patch
        run ! cmp -s "$ROOT"/day03/steps/05-*.patch "$COPY"/day03/steps/05-*.patch
        echo "$change"
        this_fails
        cp "$ROOT"/day03/steps/05-*.patch "$COPY/day03/steps"
    done
    sed -i '/^Test: tests\/day04.bats/d' "$COPY"/day04/steps/03-*.patch
    this_fails
}
