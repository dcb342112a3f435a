/*
 * The load of the benchmark: starts a server, keeps N clients busy with it, ends it, and reports.
 *
 *   load [-c clients] [-i idle] [-t seconds] [-s] SERVER [OPTION...]
 *
 * Each client connects, sends "hello", must receive exactly "ack\n" and then a clean end of file,
 * and closes; the next takes its place at once. The clients have 250 addresses in 127.0.0.0/8, so
 * that ports last. The server runs on one core and the load on another, where there are two. With
 * -s the server is saturated: both run on one core, and the server only gets what the load leaves
 * over, so that always all clients wait for it. With -i so many more are connected all the time and
 * silent.
 *
 * Prints one line:  connections per second, p50, p99 and p99.9 of the latency (us, from connect to
 * end of file), errors (resets and the like), connections, CPU of the server (us per connection,
 * all its threads, from the first connection until the last has ended: not its start and its end),
 * its calls into the kernel per connection ("-" if it does not say "served N clients in M ..." at
 * its end), its peak memory (KiB).
 *
 * Exits 1, and prints nothing on stdout, when the run is void: one wrong or missing byte, a client
 * that does not come to its end, a server that ends badly or has counted its clients differently.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char REQUEST[] = {'h', 'e', 'l', 'l', 'o'}, ANSWER[] = {'a', 'c', 'k', '\n'};

enum { EVENTS = 256 };

struct client {
    int fd; /* -1: none */
    bool sent;
    size_t received;
    int64_t started;
};

static struct {
    int epoll;
    unsigned clients, idle, busy;
    int64_t warm, end; /* ns; what is over in between is measured */
    uint32_t errors;
    unsigned long connections;
    struct client *client;
} load;

static void start_client(struct client *c)
{
    static const struct epoll_event NONE;
    struct epoll_event event = NONE;

    c->started = now_ns();
    c->received = 0;
    c->fd = connect_to_server();
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
    if (well && now >= load.warm && now < load.end)
        add_latency(now - c->started);
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
        connect_to_server(); /* until we exit */

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

static void report(double cpu_us, long peak_kib)
{
    double measured_s = (double)(load.end - load.warm) / 1e9;
    double connections = (double)load.connections;
    if (count_latencies() == 0)
        void_run("no connection was measured");
    if (server.counted && server.served != load.connections)
        void_run("the server counted %lu clients, not %lu", server.served, load.connections);
    printf("%.0f,", (double)count_latencies() / measured_s);
    print_percentiles();
    printf("%u,%lu,%.3f,", load.errors, load.connections, cpu_us / connections);
    print_calls(connections);
    printf("%ld\n", peak_kib);
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
            server.saturate = true;
        else
            usage_error();
    }
    if (optind == argc || load.clients == 0 || !(seconds >= 0.1 && seconds <= (int)MAX_SECONDS))
        usage_error();

    start_server(argv + optind);

    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.client = calloc(load.clients, sizeof *load.client);
    if (load.epoll < 0 || !load.client)
        void_run("no memory");
    int64_t cpu = server_cpu();
    run(seconds);
    cpu = server_cpu() - cpu;
    report((double)cpu / 1e3, stop_server());
}
