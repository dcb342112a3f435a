#include "run.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SOURCES = 250, /* addresses, from 127.1.0.1, so that ports last */
    MAX_SAMPLES = 4000000
};

struct server server;

static uint32_t *latency; /* ns; MAX_SAMPLES, allocated with the first */
static size_t samples;

void void_run(const char *format, ...)
{
    va_list args;
    fputs("load: void: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (server.pid > 0)
        kill(server.pid, SIGKILL);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The first core we may use is the server's, the second ours. */
static void take_core(unsigned wanted)
{
    cpu_set_t ours, one;
    if (sched_getaffinity(0, sizeof ours, &ours) < 0 || CPU_COUNT(&ours) < 2)
        return;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &ours) || wanted-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

static void raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void start_server(char **command)
{
    int ends[2];
    raise_limit();
    if (pipe(ends) < 0 || (server.pid = fork()) < 0)
        void_run("pipe, fork: %s", strerror(errno));
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        take_core(0);
        if (server.saturate)
            setpriority(PRIO_PROCESS, 0, 19);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(command[0], command);
        fprintf(stderr, "load: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    take_core(server.saturate ? 0 : 1);
    server.out = fdopen(ends[0], "r");

    char line[100];
    if (!server.out || !fgets(line, sizeof line, server.out) ||
        sscanf(line, "listening on 127.0.0.1:%hu", &server.port) != 1)
        void_run("%s: no ready line", command[0]);
}

long stop_server(void)
{
    struct rusage usage;
    int status;
    char line[100];
    alarm(PATIENCE_S);
    kill(server.pid, SIGTERM);
    while (fgets(line, sizeof line, server.out))
        server.counted =
            sscanf(line, "served %lu clients in %lu", &server.served, &server.calls) == 2;
    if (wait4(server.pid, &status, 0, &usage) != server.pid)
        void_run("wait4: %s", strerror(errno));
    server.pid = 0;
    if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM : WEXITSTATUS(status) != 0)
        void_run("the server ended with wait status %#x", (unsigned)status);
    return usage.ru_maxrss;
}

int64_t server_cpu(void)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(server.pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        void_run("no clock of the server's: it has ended");
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int connect_to_server(void)
{
    static uint32_t source;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f010001 + source++ % SOURCES)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
        void_run("socket, bind, connect: %s", strerror(errno));
    return fd;
}

void add_latency(int64_t ns)
{
    if (!latency && !(latency = malloc(MAX_SAMPLES * sizeof *latency)))
        void_run("no memory");
    if (samples < MAX_SAMPLES)
        latency[samples++] = (uint32_t)(ns < UINT32_MAX ? ns : UINT32_MAX);
}

size_t count_latencies(void)
{
    return samples;
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile_us(double p)
{
    size_t i = (size_t)(p * (double)samples);
    return latency[i < samples ? i : samples - 1] / 1e3;
}

void print_percentiles(void)
{
    qsort(latency, samples, sizeof *latency, ascending);
    printf("%.1f,%.1f,%.1f,", percentile_us(0.5), percentile_us(0.99), percentile_us(0.999));
}

void print_calls(double per)
{
    if (server.counted)
        printf("%.3f,", (double)server.calls / per);
    else
        fputs("-,", stdout);
}
