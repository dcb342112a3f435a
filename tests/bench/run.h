/* A server under load, for load.c and stay.c: its start and its end, connections to it, the
 * latencies that were measured. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    MAX_SECONDS = 600,
    PATIENCE_S = 60 /* what the last clients may take, and the server's end */
};

extern struct server {
    pid_t pid;
    FILE *out;
    in_port_t port;
    bool saturate;               /* see load.c, -s */
    unsigned long served, calls; /* its last line */
    bool counted;                /* it has one */
} server;

/* Ends this program and the server: the run counts for nothing. */
_Noreturn void void_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

int64_t now_ns(void);

/* Starts the server, on its core, and returns when it is ready. To be called before we allocate
 * anything: until its exec, what we have counts as the server's peak memory. */
void start_server(char **command);

/* Ends the server, and returns its peak memory, KiB. */
long stop_server(void);

/* The CPU time that the server has used, with all its threads, ns. */
int64_t server_cpu(void);

/* A socket that is connected to the server, or about to be. */
int connect_to_server(void);

void add_latency(int64_t ns);
size_t count_latencies(void);
/* Prints "p50,p99,p99.9," in microseconds. */
void print_percentiles(void);

/* What server.calls is for each of so many, then a comma: "-" if the server does not say it. */
void print_calls(double per);

#endif
