# The fenced blocks of one language, each ended by a NUL:  awk -v language=c -f blocks.awk FILE
# A block that stands below a comment <!-- not run: WHY --> is left out; with -v left_out=1 only those
# are printed, as WHY and the first line.
/^```/ {
    if (inside) {
        if (wanted && !left_out) printf "%c", 0
        inside = wanted = 0
        why = ""
    } else {
        inside = first = 1
        wanted = $0 == "```" language && (left_out ? why != "" : why == "")
    }
    next
}
inside {
    if (wanted && !left_out) print
    if (wanted && left_out && first) print why ": " $0
    first = 0
    next
}
/^<!-- not run: .* -->$/ { why = substr($0, 15, length($0) - 18); next }
/./ { why = "" }
