# What a page says and no program can compare with a source:  awk -f figures.awk PAGE...
# For each section the numbers of its text and of the rows of its tables, in their order, and the blocks
# that are neither code nor a session, as they stand. (Numbers in names, links, code and paths are left to
# check.bash.) figures.txt is what all pages say.
function flush() {
    if (numbers != "") print place numbers
    if (numbers != "") place = ""
    numbers = ""
}
function block(line) {
    flush()
    print place "    " line
    place = ""
}
function take(text,   i, n, word) {
    gsub(/`[^`]*`|\]\([^)]*\)|\([1-8]\)|<[^>]*>/, " ", text)
    gsub(/^ *[0-9]+\. /, "", text)
    gsub(/[^A-Za-z0-9_.,]/, " ", text)
    n = split(text, word, " ")
    for (i = 1; i <= n; i++) {
        gsub(/^[.,]+|[.,]+$/, "", word[i])
        if (word[i] ~ /^[0-9.,]+(th|st|nd|rd|s)?$/) numbers = numbers " " word[i]
    }
}
FNR == 1 { flush(); fenced = 0 }
/^```/ { fenced = !fenced; kept = $0 !~ /^```(c|diff|console)$/; next }
fenced { if (kept) block($0); next }
/^    / && blank { block($0); next }
{ blank = /^ *$/ }
/^#/ { flush(); place = FILENAME " " $0 "\n" }
/^\|/ { flush() }
{ take($0) }
/^\|/ { flush() }
END { flush() }
