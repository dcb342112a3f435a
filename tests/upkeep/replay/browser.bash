# A real browser, without a window. It is spoken to by its remote protocol: a JSON object and a zero byte
# for each message, on its descriptors 3 and 4.
#
# shellcheck disable=SC2016 # what is JavaScript is not for the shell

CHROMIUM=(chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync)

# open_browser: for all tests of a file. It ends when the last that holds TO open has ended.
open_browser() {
    mkfifo "$BATS_FILE_TMPDIR/to" "$BATS_FILE_TMPDIR/from"
    "${CHROMIUM[@]}" --user-data-dir="$BATS_FILE_TMPDIR/profile" --remote-debugging-pipe about:blank \
        3<"$BATS_FILE_TMPDIR/to" 4>"$BATS_FILE_TMPDIR/from" >"$BATS_FILE_TMPDIR/said" 2>&1 &
    BROWSER=$!
    exec {TO}>"$BATS_FILE_TMPDIR/to" {FROM}<"$BATS_FILE_TMPDIR/from"
    export BROWSER TO FROM SESSION
    local target
    target=$(call Target.createTarget '"url":"about:blank"' | field targetId)
    SESSION=$(call Target.attachToTarget '"targetId":"'"$target"'","flatten":true' | field sessionId)
    [ -n "$SESSION" ]
}

close_browser() {
    call Browser.close '' >/dev/null || kill "$BROWSER"
    wait "$BROWSER" || true
}

# call METHOD PARAMETERS: prints the reply; what else the browser says meanwhile is passed over.
call() {
    local id=$RANDOM reply
    printf '{"id":%d%s,"method":"%s","params":{%s}}\0' \
        "$id" "${SESSION:+,\"sessionId\":\"$SESSION\"}" "$1" "$2" >&"$TO"
    while read -r -d '' -t 60 reply <&"$FROM"; do
        [[ $reply != "{\"id\":$id,"* ]] || { printf '%s\n' "$reply"; return; }
    done
    echo "the browser does not answer to $1"
    return 1
}

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# js EXPRESSION: prints its value, a string. It travels encoded, so that it needs no quoting in JSON.
js() {
    local text=${1//\\/\\\\} reply value
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    reply=$(call Runtime.evaluate '"expression":"encodeURIComponent('"$text"')"')
    [[ $reply == *'"type":"string","value":"'* ]] || { printf '%s\n' "$reply"; return 1; }
    value=${reply##*'"value":"'}
    value=${value%%\"*}
    printf '%b\n' "${value//%/\\x}"
}

# open_page FILE[?QUERY][#STEP]
open_page() {
    call Page.navigate '"url":"about:blank"' >/dev/null
    call Page.navigate '"url":"file://'"$1"'"' >/dev/null
    for _ in {1..600}; do
        if [ "$(js 'document.readyState + location.protocol')" = completefile: ]; then return; fi
        read -r -t 0.05 <&"$NEVER" || true
    done
    echo "not loaded: $1"
    return 1
}

# press KEY [MODIFIERS]: a real key; 8 is Shift
press() {
    call Input.dispatchKeyEvent '"type":"keyDown","key":"'"$1"'","modifiers":'"${2-0}" >/dev/null
    call Input.dispatchKeyEvent '"type":"keyUp","key":"'"$1"'","modifiers":'"${2-0}" >/dev/null
}

# click SELECTOR: a real click in the middle of what it finds
click() {
    local where at
    where=$(js "(() => { const e = document.querySelector('$1'); e.scrollIntoView({ block: 'center' });
                         const r = e.getBoundingClientRect();
                         return '\"x\":' + (r.x + r.width / 2) + ',\"y\":' + (r.y + r.height / 2); })()")
    for at in mousePressed mouseReleased; do
        call Input.dispatchMouseEvent '"type":"'"$at"'","button":"left","clickCount":1,'"$where" >/dev/null
    done
}

# At the step that is shown: its number, what is said of it, and what stands in sq, flight, cq, slots.
step() { js 'location.hash'; }
words() { js '$("words").textContent'; }
list() { js "[...\$('$1').querySelectorAll('li')].map((li) => li.firstChild.textContent).join(', ')"; }
