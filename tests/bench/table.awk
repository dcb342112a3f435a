# The table of make bench:  awk -F, -v base=epoll -f table.awk traced.csv bench.csv
# Medians over the rounds; ratios to base are taken within each round, then their median, and the
# least and the greatest in brackets.

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

function mean(server, clients, column,    sum, n, round)
{
    for (round = 1; round <= last_round; round++)
        if ((server, clients, round, column) in value) {
            sum += value[server, clients, round, column]
            n++
        }
    return n ? sum / n : "-"
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

FNR == NR && FILENAME ~ /traced/ {
    traced[$1, $2] = $3
    next
}

FNR > 1 {
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
        value[$1, $2, $3, i] = $i
    value[$1, $2, $3, "cpu"] = $10 + $11
}

END {
    width = 11
    for (s = 1; s <= server_count; s++)
        if (length(server_at[s]) > width)
            width = length(server_at[s])
    printf "Medians of %d rounds of %s s. CPU: of the whole server, microseconds per connection;\n",
        rounds, run
    print "user and system: means, because the kernel tells them apart by its ticks only."
    print "calls: into the kernel, per connection; counted by the server, or s: by strace in a run apart,"
    print "which slows a server and so makes its batches larger. 512s: the server saturated, on one core"
    print "with the load and after it; else they have a core each, where there are two."
    for (c = 1; c <= clients_count; c++) {
        clients = clients_at[c]
        printf "\n%-*s %8s %8s %8s %8s %7s %7s %7s %8s %9s %6s\n", width,
            clients " client" (clients == "1" ? "" : "s"), "conn/s", "p50 us", "p99 us", "p99.9", "CPU us",
            "user", "system", "calls", "peak KiB", "errors"
        for (s = 1; s <= server_count; s++) {
            server = server_at[s]
            calls = number(median(server, clients, 12), 2)
            if (calls == "-" && (server, clients) in traced)
                calls = traced[server, clients] " s"
            printf "%-*s %8s %8s %8s %8s %7s %7s %7s %8s %9s %6s\n", width, server,
                number(median(server, clients, 4), 0), number(median(server, clients, 5), 0),
                number(median(server, clients, 6), 0), number(median(server, clients, 7), 0),
                number(median(server, clients, "cpu"), 1), number(mean(server, clients, 10), 1),
                number(mean(server, clients, 11), 1), calls,
                number(median(server, clients, 13), 0), number(median(server, clients, 8), 0)
        }
        printf "%-*s %-18s %-18s %-18s %-18s\n", width, "  to " base, "conn/s", "p99", "CPU",
            "peak memory"
        for (s = 1; s <= server_count; s++) {
            server = server_at[s]
            if (server == base || !(base in servers))
                continue
            printf "  %-*s %-18s %-18s %-18s %-18s\n", width - 2, server, ratio(server, clients, 4),
                ratio(server, clients, 6), ratio(server, clients, "cpu"), ratio(server, clients, 13)
        }
    }
}
