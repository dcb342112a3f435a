/*
 * The load of the benchmark for connections that stay, which get back every byte that they send:
 * starts an echo server, keeps N clients busy with it, ends it, and reports.
 *
 *   stay [-c clients] [-i idle] [-m bytes] [-o outstanding] [-t seconds] [-s] SERVER [OPTION...]
 *
 * First all connect, and each gets one message back. Then each keeps so many messages of so many
 * bytes outstanding, each sent by a call of its own; when one has come back the next follows at
 * once. In the end all fall silent, then end their direction, and must receive a clean end of file.
 * With -i so many more are connected all the time, and silent after their first message. -s and
 * the cores: as in load.c.
 *
 * Prints one line:  messages per second, p50, p99 and p99.9 of the latency (us, from the call that
 * sends until the last byte is back), messages, CPU of the server (us per message, all its threads,
 * from the first message after all are connected until all are silent), its calls into the kernel
 * per message ("-" if it does not say "served N clients in M ..." at its end; of its whole life,
 * so those that connect and end are in it), and its memory per connection: bytes that are resident
 * when all are silent, above those when it began to listen.
 *
 * Exits 1, and prints nothing on stdout, when the run is void: one byte wrong, missing or out of
 * its order, a client that gets no further, a server that ends badly or has counted its clients
 * differently.
 */
#include "run.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    JOINING_MAX = 256, /* on their way in at once: less than any backlog */
    OUTSTANDING_MAX = 64,
    MESSAGE_MAX = 1 << 20,
    CHUNK = 1 << 17, /* received at most at once */
    PERIOD = 65521,  /* of the bytes; a prime, so no two messages are alike */
    STRIDE = 7919    /* between the first bytes of two clients */
};

struct client {
    int fd;         /* -1: it has ended */
    uint64_t start; /* its first byte is that of the pattern there */
    uint64_t sent, received, wanted;
    int64_t began[OUTSTANDING_MAX]; /* ns, of each message that is outstanding */
    uint64_t completed;             /* messages */
};

static struct {
    int epoll;
    unsigned clients, idle, message, outstanding;
    unsigned begun, joined, busy, open;
    enum { JOINING, MEASURING, LEAVING } phase;
    int64_t warm, end; /* ns; what is back in between is measured */
    unsigned long messages;
    struct client *client;
} load;

static unsigned char pattern[PERIOD + MESSAGE_MAX];

static void make_pattern(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof pattern; i++) {
        x = x * 1664525 + 1013904223;
        pattern[i] = i < PERIOD ? (unsigned char)(x >> 24) : pattern[i - PERIOD];
    }
}

static const unsigned char *bytes_at(const struct client *c, uint64_t position)
{
    return pattern + (c->start + position) % PERIOD;
}

/* Bytes of the server's memory that are resident: the second number of statm. proc(5) */
static double server_resident(void)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)server.pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        void_run("%s: %s", path, strerror(errno));
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Sends what is wanted, a message at a time, until the socket takes no more. */
static void send_wanted(struct client *c)
{
    while (c->sent < c->wanted) {
        size_t rest = load.message - c->sent % load.message;
        ssize_t n = send(c->fd, bytes_at(c, c->sent), rest, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) /* it is not connected yet */
            return;
        if (n < 0)
            void_run("send, after %lu bytes: %s", (unsigned long)c->sent, strerror(errno));
        c->sent += (uint64_t)n;
    }
}

static void want_message(struct client *c)
{
    uint64_t number = c->wanted / load.message;
    c->began[number % load.outstanding] = now_ns();
    c->wanted += load.message;
}

static void join(void)
{
    static const struct epoll_event NONE;
    struct epoll_event event = NONE;
    struct client *c = &load.client[load.begun];

    c->start = load.begun++ * (uint64_t)STRIDE;
    c->fd = connect_to_server();
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = c;
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        void_run("epoll_ctl: %s", strerror(errno));
    want_message(c);
    send_wanted(c);
}

static void on_message(struct client *c)
{
    int64_t now = now_ns();
    uint64_t number = c->completed++;
    if (load.phase == JOINING) {
        load.joined++;
        return;
    }
    load.messages++;
    if (now >= load.end && (load.messages < load.clients || count_latencies() == 0))
        load.end = now + 1; /* a crowd so large for so short a run: until all of it was there */
    if (now >= load.warm && now < load.end)
        add_latency(now - c->began[number % load.outstanding]);
    if (now < load.end) {
        want_message(c);
    } else if (c->completed * load.message == c->wanted) {
        load.busy--;
    }
}

static void on_end(struct client *c)
{
    if (load.phase != LEAVING || c->received != c->wanted)
        void_run("end of file after %lu bytes of %lu", (unsigned long)c->received,
                 (unsigned long)c->wanted);
    close(c->fd);
    c->fd = -1;
    load.open--;
}

/* False: there is no more for now. */
static bool receive(struct client *c)
{
    static unsigned char bytes[CHUNK];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
        return false;
    if (n < 0)
        void_run("recv, after %lu bytes: %s", (unsigned long)c->received, strerror(errno));
    if (n == 0) {
        on_end(c);
        return false;
    }
    if ((uint64_t)n > c->sent - c->received ||
        memcmp(bytes, bytes_at(c, c->received), (size_t)n) != 0)
        void_run("wrong bytes, %#04x and %zd more, after %lu", bytes[0], n - 1,
                 (unsigned long)c->received);
    c->received += (uint64_t)n;
    while (c->completed < c->received / load.message)
        on_message(c);
    return n == sizeof bytes;
}

/* Edge-triggered: a receive that brought less than it could have has taken all there was, but not
 * an end of file that had come with it. */
static void on_event(struct client *c, uint32_t events)
{
    while (receive(c) || (c->fd >= 0 && events & EPOLLRDHUP))
        ;
    if (c->fd >= 0)
        send_wanted(c);
}

/* Hands out what has happened; void when nothing does. */
static void wait_for_events(void)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load.epoll, events, EVENTS, PATIENCE_S * 1000);
    if (n <= 0)
        void_run("%u clients, and nothing comes back", load.open);
    for (int i = 0; i < n; i++)
        on_event(events[i].data.ptr, events[i].events);
}

static void connect_all(void)
{
    while (load.joined < load.open) {
        while (load.begun < load.open && load.begun < load.joined + JOINING_MAX)
            join();
        wait_for_events();
    }
}

static void measure(double seconds)
{
    int64_t begin = now_ns();
    load.end = begin + (int64_t)(seconds * 1e9);
    load.warm = begin + (load.end - begin) / 10;
    load.phase = MEASURING;
    load.busy = load.clients;
    for (unsigned i = 0; i < load.clients; i++) {
        for (unsigned j = 0; j < load.outstanding; j++)
            want_message(&load.client[i]);
        send_wanted(&load.client[i]);
    }
    while (load.busy > 0)
        wait_for_events();
}

static void leave(void)
{
    load.phase = LEAVING;
    for (unsigned i = 0; i < load.clients + load.idle; i++)
        if (shutdown(load.client[i].fd, SHUT_WR) < 0)
            void_run("shutdown: %s", strerror(errno));
    while (load.open > 0)
        wait_for_events();
}

static void run(double seconds)
{
    double memory = server_resident();
    load.open = load.clients + load.idle;
    connect_all();
    int64_t cpu = server_cpu();
    measure(seconds);
    cpu = server_cpu() - cpu;
    memory = server_resident() - memory;
    leave();
    stop_server();

    if (count_latencies() == 0)
        void_run("no message was measured");
    if (server.counted && server.served != load.clients + load.idle)
        void_run("the server counted %lu clients, not %u", server.served, load.clients + load.idle);
    printf("%.0f,", (double)count_latencies() / ((double)(load.end - load.warm) / 1e9));
    print_percentiles();
    printf("%lu,%.3f,", load.messages, (double)cpu / 1e3 / (double)load.messages);
    print_calls((double)(load.messages + load.clients + load.idle)); /* with the first ones */
    printf("%.0f\n", memory / (load.clients + load.idle));
}

static _Noreturn void usage_error(void)
{
    fputs("usage: stay [-c clients] [-i idle] [-m bytes] [-o outstanding] [-t seconds] [-s] SERVER"
          " [OPTION...]\n",
          stderr);
    exit(2);
}

static double parse(int argc, char **argv)
{
    double seconds = 1;
    load.clients = load.outstanding = 1;
    load.message = 64;
    for (int option; (option = getopt(argc, argv, "+c:i:m:o:t:s")) != -1;) {
        const char *value = optarg ? optarg : "";
        unsigned number = (unsigned)strtoul(value, NULL, 10);
        if (option == 'c')
            load.clients = number;
        else if (option == 'i')
            load.idle = number;
        else if (option == 'm')
            load.message = number;
        else if (option == 'o')
            load.outstanding = number;
        else if (option == 't')
            seconds = strtod(value, NULL);
        else if (option == 's')
            server.saturate = true;
        else
            usage_error();
    }
    if (optind == argc || load.clients == 0 || load.message == 0 || load.message > MESSAGE_MAX ||
        load.outstanding == 0 || load.outstanding > OUTSTANDING_MAX ||
        !(seconds >= 0.1 && seconds <= (int)MAX_SECONDS))
        usage_error();
    return seconds;
}

int main(int argc, char **argv)
{
    double seconds = parse(argc, argv);
    start_server(argv + optind);

    make_pattern();
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.client = calloc(load.clients + load.idle, sizeof *load.client);
    if (load.epoll < 0 || !load.client)
        void_run("no memory");
    run(seconds);
}
