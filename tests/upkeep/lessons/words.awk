# No word of the glossary stands in a lesson before the section that tells it:
#   awk -f words.awk GLOSSARY LESSON...
# GLOSSARY is the page with the table, rows of "| [word, other form](page#section) | meaning |"; LESSON...
# are the pages in the order of reading. Prints what is wrong, and exits 1 if anything is. No use of a
# word are: headings, fenced blocks, where links lead to, the glossary itself, and what stands in
# brackets with the step that will tell more: "(The sweep comes in step 12.)". Nor is the title of a
# step in the table of steps.
function fold(path,   n) { # day02/../day03/README.md is day03/README.md
    while (sub(/[^\/]+\/\.\.\//, "", path)) n++
    return path
}

# As GitHub makes it of a heading.
function anchor(heading) {
    heading = tolower(heading)
    gsub(/[^a-z0-9 _-]/, "", heading)
    gsub(/ /, "-", heading)
    return heading
}

FNR == 1 { pass++; fenced = in_table = 0; section[++n] = FILENAME "#" }
/^```/ { fenced = !fenced; next }
fenced { next }

pass == 1 {
    if (/^## Words/) in_table = 1
    else if (/^#/) in_table = 0
    if (in_table && split($0, cell, "|") == 4 && match(cell[2], /\]\([^)]*\)/)) {
        path = FILENAME
        sub(/[^\/]*$/, "", path)
        target = substr(cell[2], RSTART + 2, RLENGTH - 3)
        count++
        told[count] = fold(target ~ /^#/ ? FILENAME target : path target)
        word[count] = substr(cell[2], 1, RSTART - 1)
        gsub(/^ *\[|`/, "", word[count])
    }
    next
}

/^\| \[[0-9]+\]\(steps/ { next }
/^#/ {
    in_table = /^## Words/
    sub(/^#+ */, "")
    section[++n] = FILENAME "#" anchor($0)
    place[section[n]] = n
    next
}
!in_table {
    gsub(/\]\([^)]*\)/, "]")
    gsub(/<!--[^>]*-->/, "")
    text[n] = text[n] " " tolower($0)
}

END {
    if (count == 0) { print "no glossary"; exit 1 }
    for (i = 1; i <= count; i++) {
        if (!(told[i] in place)) { print word[i] ": no such section: " told[i]; wrong = 1; continue }
        forms = tolower(word[i])
        gsub(/, */, "|", forms)
        # "armed", "slots", "reaping", but neither "array" nor "in_flight"
        pattern = "(^|[^a-z0-9_])(" forms ")(s|es|d|ed|ing)?([^a-z0-9_]|$)"
        for (k = 1; k <= place[told[i]]; k++) {
            gsub(/\([^()]*step [0-9]+[^()]*\)/, "", text[k])
            used = match(text[k], pattern)
            if (used && k < place[told[i]]) {
                printf "%s is told in %s and used before, in %s: ...%s...\n", word[i], told[i], section[k],
                    substr(text[k], RSTART > 30 ? RSTART - 30 : 1, 70)
                wrong = 1
            } else if (!used && k == place[told[i]]) {
                printf "%s is not told in %s\n", word[i], told[i]
                wrong = 1
            }
        }
    }
    exit wrong
}
