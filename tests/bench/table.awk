# The table of make bench:  awk -F, -v base=epoll -v of=connection -f table.awk traced.csv bench.csv
# Medians over the rounds; ratios to base are taken within each round, then their median, and the
# least and the greatest in brackets. The columns are found by the names in the first line.

function sort(a, n,    i, j, t)
{
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
            t = a[j]
            a[j] = a[j - 1]
            a[j - 1] = t
        }
}

# Of column over the rounds; sets least, greatest. With ratio: of its ratios to base.
function median(server, clients, column, ratio,    a, n, round, own, other)
{
    for (round = 1; round <= last_round; round++) {
        own = value[server, clients, round, column]
        other = value[base, clients, round, column]
        if (own == "-" || own == "" || (ratio && other + 0 == 0))
            continue
        a[++n] = ratio ? own / other : own + 0
    }
    if (n == 0)
        return "-"
    sort(a, n)
    least = a[1]
    greatest = a[n]
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

function number(x, digits)
{
    return x == "-" ? x : sprintf("%.*f", x >= 100 ? 0 : digits, x)
}

function ratio(server, clients, column,    m)
{
    m = median(server, clients, column, 1)
    return m == "-" ? m : sprintf("%.2f (%.2f..%.2f)", m, least, greatest)
}

function figure(server, clients, column,    x)
{
    x = median(server, clients, column)
    if (column == "calls" && x == "-" && (server, clients) in traced)
        return traced[server, clients] " s"
    return number(x, column == "calls" ? 2 : column == "cpu_us" ? (of == "message" ? 2 : 1) : 0)
}

function row(first, server, clients,    i)
{
    printf "%-*s", width, first
    for (i = 1; i <= columns; i++)
        printf " %9s", server == "" ? title[i] : figure(server, clients, column[i])
    printf "\n"
}

# "64x8:16384": 64 clients, 8 messages outstanding, of 16384 bytes
function clients_in_words(load,    words)
{
    words = load
    sub(/[x:].*/, "", words)
    words = words (load ~ /s$/ && words !~ /s$/ ? "s" : "") " client" (words == "1" ? "" : "s")
    if (of == "message")
        words = words ", " (match(load, /x[0-9]+/) ? substr(load, RSTART + 1, RLENGTH - 1) : 1) " of " \
            (match(load, /:[0-9]+/) ? substr(load, RSTART + 1, RLENGTH - 1) : 64) " bytes"
    return words
}

BEGIN {
    if (of == "message") {
        columns = split("msg_per_s p50_us p99_us p999_us cpu_us calls conn_bytes", column, " ")
        split("msg/s,p50 us,p99 us,p99.9,CPU us,calls,B/client", title, ",")
        ratios = split("msg_per_s p99_us cpu_us calls conn_bytes", ratio_of, " ")
        split("msg/s,p99,CPU,calls,memory", ratio_title, ",")
    } else {
        columns = split("conn_per_s p50_us p99_us p999_us cpu_us calls peak_kib errors", column, " ")
        split("conn/s,p50 us,p99 us,p99.9,CPU us,calls,peak KiB,errors", title, ",")
        ratios = split("conn_per_s p99_us cpu_us peak_kib", ratio_of, " ")
        split("conn/s,p99,CPU,peak memory", ratio_title, ",")
    }
}

FNR == NR && FILENAME ~ /traced/ {
    traced[$1, $2] = $3
    next
}

FNR == 1 {
    for (i = 1; i <= NF; i++)
        name[i] = $i
    next
}

{
    if (!($1 in servers)) {
        servers[$1]
        server_at[++server_count] = $1
    }
    if (!($2 in seen)) {
        seen[$2]
        clients_at[++clients_count] = $2
    }
    last_round = $3 > last_round ? $3 : last_round
    for (i = 4; i <= NF; i++)
        value[$1, $2, $3, name[i]] = $i
}

END {
    width = 11
    for (s = 1; s <= server_count; s++)
        if (length(server_at[s]) > width)
            width = length(server_at[s])
    if (of == "message")
        width = 27 # "4096 clients, 8 of 16384 by"
    printf "Medians of %d rounds of %s s. CPU: of the whole server, microseconds per %s.\n", rounds,
        run, of
    if (of == "message")
        print "B/client: resident memory of the server for each client, when all are silent."
    print "calls: into the kernel, per " of "; counted by the server, or s: by strace in a run apart,"
    print "which slows a server and so makes its batches larger. 512s: the server saturated, on one core"
    print "with the load and after it; else they have a core each, where there are two."
    for (c = 1; c <= clients_count; c++) {
        clients = clients_at[c]
        printf "\n"
        row(clients_in_words(clients))
        for (s = 1; s <= server_count; s++)
            row(server_at[s], server_at[s], clients)
        printf "%-*s", width, "  to " base
        for (i = 1; i <= ratios; i++)
            printf " %-18s", ratio_title[i]
        printf "\n"
        for (s = 1; s <= server_count; s++) {
            if (server_at[s] == base || !(base in servers))
                continue
            printf "  %-*s", width - 2, server_at[s]
            for (i = 1; i <= ratios; i++)
                printf " %-18s", ratio(server_at[s], clients, ratio_of[i])
            printf "\n"
        }
    }
}
