/*
 * The load of the benchmark: starts a server, keeps N clients busy with it, ends it, and reports.
 *
 *   load [-c clients] [-i idle] [-t seconds] [-s] SERVER [OPTION...]
 *
 * Each client connects, sends "hello", must receive exactly "ack\n" and then a clean end of file,
 * and closes; the next takes its place at once. The clients have 250 addresses in 127.0.0.0/8, so
 * that ports last. The server runs on one core and the load on another, where
 * there are two. With -s the server is saturated: both run on one core, and the server only gets
 * what the load leaves over, so that always all clients wait for it.
 *
 * Every server runs as SCHED_BATCH, sched(7): to be woken then does not throw out at once what else
 * runs on its core, so that other programs disturb the run little, and all servers alike. With -o
 * it runs as it starts itself, by default SCHED_OTHER.
 *
 * Prints one line:  connections per second, p50, p99 and p99.9 of the latency (us, from connect to
 * end of file), errors (resets and the like), connections, user and system CPU of the server (us
 * per connection, its whole life and all its threads), its calls into the kernel per connection
 * ("-" if it does not say "served N clients in M ..." at its end), its peak memory (KiB).
 *
 * Exits 1, and prints nothing on stdout, when the run is void: one wrong or missing byte, a client
 * that does not come to its end, a server that ends badly or has counted its clients differently.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char REQUEST[] = {'h', 'e', 'l', 'l', 'o'}, ANSWER[] = {'a', 'c', 'k', '\n'};

enum {
    EVENTS = 256,
    SOURCES = 250, /* addresses, from 127.1.0.1 */
    MAX_SAMPLES = 4000000,
    MAX_SECONDS = 600,
    PATIENCE_S = 60 /* what the last clients may take, and the server's end */
};

struct client {
    int fd; /* -1: none */
    bool sent;
    size_t received;
    int64_t started;
};

static struct {
    pid_t pid;
    FILE *out;
    in_port_t port;
    unsigned long served, calls; /* its last line */
    bool counted;                /* it has one */
} server;

static struct {
    int epoll;
    unsigned clients, idle, busy;
    bool saturate;
    int64_t warm, end; /* ns; what is over in between is measured */
    uint32_t source, errors;
    unsigned long connections;
    struct client *client;
    uint32_t *latency; /* ns, of those that are measured */
    size_t samples;
} load;

static _Noreturn void void_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void void_run(const char *format, ...)
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

static int64_t now_ns(void)
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

/* To be called before we allocate anything: until its exec, what we have counts as the server's
 * peak memory. */
static void start_server(char **command)
{
    int ends[2];
    if (pipe(ends) < 0 || (server.pid = fork()) < 0)
        void_run("pipe, fork: %s", strerror(errno));
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        take_core(0);
        if (load.saturate)
            setpriority(PRIO_PROCESS, 0, 19);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(command[0], command);
        fprintf(stderr, "load: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    take_core(load.saturate ? 0 : 1);
    server.out = fdopen(ends[0], "r");

    char line[100];
    if (!server.out || !fgets(line, sizeof line, server.out) ||
        sscanf(line, "listening on 127.0.0.1:%hu", &server.port) != 1)
        void_run("%s: no ready line", command[0]);
}

/* Returns what the server's whole process has used. */
static struct rusage stop_server(void)
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
    return usage;
}

static void connect_client(struct client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f010001 + load.source++ % SOURCES)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) < 0 ||
        bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
        void_run("socket, bind, connect: %s", strerror(errno));
}

static void start_client(struct client *c)
{
    static const struct epoll_event NONE;
    struct epoll_event event = NONE;

    c->started = now_ns();
    c->received = 0;
    connect_client(c);
    /* On loopback the handshake is mostly over by now. */
    c->sent = send(c->fd, REQUEST, sizeof REQUEST, MSG_NOSIGNAL) == sizeof REQUEST;
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (c->sent ? 0U : EPOLLOUT);
    event.data.ptr = c;
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        void_run("epoll_ctl: %s", strerror(errno));
}

static void end_client(struct client *c, bool well)
{
    int64_t now = now_ns();
    close(c->fd);
    c->fd = -1;
    load.connections += well;
    load.errors += !well;
    if (load.connections < load.clients && now >= load.end)
        load.end = now + 1; /* a crowd so large for so short a run: until all of it is through */
    if (well && now >= load.warm && now < load.end && load.samples < MAX_SAMPLES)
        load.latency[load.samples++] =
            (uint32_t)(now - c->started < UINT32_MAX ? now - c->started : UINT32_MAX);
    if (now < load.end)
        start_client(c);
    else
        load.busy--;
}

/* Receives what there is: the answer, part of it, the end of file. Each event is for one of them,
 * unless it says that the end is there too. */
static void receive(struct client *c, uint32_t events)
{
    do {
        unsigned char bytes[sizeof ANSWER + 1];
        ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            end_client(c, false);
            return;
        }
        if (n == 0) {
            if (c->received < sizeof ANSWER)
                void_run("end of file after %zu bytes of the answer", c->received);
            end_client(c, true);
            return;
        }
        if ((size_t)n > sizeof ANSWER - c->received ||
            memcmp(bytes, ANSWER + c->received, (size_t)n) != 0)
            void_run("wrong bytes, %#04x and %zd more, after %zu of the answer", bytes[0], n - 1,
                     c->received);
        c->received += (size_t)n;
    } while (events & EPOLLRDHUP);
}

static void on_event(struct client *c, uint32_t events)
{
    if (c->sent) {
        receive(c, events);
        return;
    }
    ssize_t n = send(c->fd, REQUEST, sizeof REQUEST, MSG_NOSIGNAL);
    if (n == sizeof REQUEST)
        c->sent = true;
    else if (n >= 0 || errno != EAGAIN)
        end_client(c, false);
}

static void run(double seconds)
{
    for (unsigned i = 0; i < load.idle; i++)
        connect_client(&(struct client){.fd = -1}); /* until we exit */

    int64_t begin = now_ns();
    load.end = begin + (int64_t)(seconds * 1e9);
    load.warm = begin + (load.end - begin) / 10;
    load.busy = load.clients;
    for (unsigned i = 0; i < load.clients; i++)
        start_client(&load.client[i]);

    while (load.busy > 0) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(load.epoll, events, EVENTS, 1000);
        if (now_ns() > load.end + PATIENCE_S * INT64_C(1000000000))
            void_run("%u clients do not come to their end", load.busy);
        for (int i = 0; i < n; i++)
            on_event(events[i].data.ptr, events[i].events);
    }
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile_us(double p)
{
    size_t i = (size_t)(p * (double)load.samples);
    return load.latency[i < load.samples ? i : load.samples - 1] / 1e3;
}

static double us(struct timeval t)
{
    return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static void report(const struct rusage *usage)
{
    double measured_s = (double)(load.end - load.warm) / 1e9;
    double connections = (double)load.connections;
    if (load.samples == 0)
        void_run("no connection was measured");
    if (server.counted && server.served != load.connections)
        void_run("the server counted %lu clients, not %lu", server.served, load.connections);
    qsort(load.latency, load.samples, sizeof *load.latency, ascending);
    printf("%.0f,%.1f,%.1f,%.1f,%u,%lu,%.3f,%.3f,", (double)load.samples / measured_s,
           percentile_us(0.5), percentile_us(0.99), percentile_us(0.999), load.errors,
           load.connections, us(usage->ru_utime) / connections, us(usage->ru_stime) / connections);
    if (server.counted)
        printf("%.3f", (double)server.calls / connections);
    else
        putchar('-');
    printf(",%ld\n", usage->ru_maxrss);
}

static _Noreturn void usage_error(void)
{
    fputs("usage: load [-c clients] [-i idle] [-t seconds] [-s] SERVER [OPTION...]\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    double seconds = 1;
    load.clients = 1;
    for (int option; (option = getopt(argc, argv, "+c:i:t:s")) != -1;) {
        if (option == 'c')
            load.clients = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'i')
            load.idle = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 't')
            seconds = strtod(optarg, NULL);
        else if (option == 's')
            load.saturate = true;
        else
            usage_error();
    }
    if (optind == argc || load.clients == 0 || !(seconds >= 0.1 && seconds <= MAX_SECONDS))
        usage_error();

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    start_server(argv + optind);

    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.client = calloc(load.clients, sizeof *load.client);
    load.latency = malloc(MAX_SAMPLES * sizeof *load.latency);
    if (load.epoll < 0 || !load.client || !load.latency)
        void_run("no memory");
    run(seconds);
    struct rusage usage = stop_server();
    report(&usage);
}
