/*
 * For comparison: the echo with epoll, one thread, as lean as it goes with the guarantees of
 * day04/echo.c: every byte comes back in order, a client that does not read is not read from and
 * costs one block of memory, and one that gets no further for --idle-timeout is closed.
 *
 * Level-triggered: one receive for each event, into a buffer that all share, and what came is sent
 * at once. Only what the socket does not take is kept, and then that client is watched for EPOLLOUT
 * alone until it is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../common/listen.h"
#include "../../common/options.h"
#include "../../common/say.h"

enum {
    EVENTS = 512,
    BUFFER_SIZE = 65536,
    CLIENTS_MAX = 131072,
    TICK_MS = 1000,
    STOP_GRACE_MS = 500 /* after SIGTERM */
};

struct client {
    char *rest; /* what its socket did not take; NULL: nothing */
    size_t length, done;
    int64_t deadline; /* ms; 0: no client */
};

static struct {
    int epoll, listen_fd, signal_fd;
    int slots, open, highest;
    bool accepting, stopping;
    int64_t now, patience, next_tick;
    unsigned long served, calls;        /* calls: of the loop, each counted where it is made */
    struct client clients[CLIENTS_MAX]; /* by descriptor */
    char buffer[BUFFER_SIZE];
} server;

static void read_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    server.now = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    server.calls++;
    if (epoll_ctl(server.epoll, operation, fd, &event) < 0)
        die("epoll_ctl", errno, "see epoll_ctl(2)");
}

static void accept_if(bool wanted)
{
    if (wanted == server.accepting)
        return;
    server.accepting = wanted;
    watch(wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, server.listen_fd, EPOLLIN);
}

static void on_accept(void)
{
    while (server.open < server.slots) {
        server.calls++;
        int fd = accept4(server.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == ECONNABORTED)
            continue;
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0) /* no descriptor, no memory: the next tick tries again */
            break;
        server.clients[fd] = (struct client){.deadline = server.now + server.patience};
        server.highest = fd > server.highest ? fd : server.highest;
        server.open++;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
    accept_if(false);
}

static void drop(int fd)
{
    free(server.clients[fd].rest);
    server.clients[fd] = (struct client){0};
    server.open--;
    server.calls++;
    close(fd);
    if (!server.stopping)
        accept_if(true);
}

/* It got further, which gives it time again; not when the server stops. */
static void prolong(int fd)
{
    if (!server.stopping)
        server.clients[fd].deadline = server.now + server.patience;
}

/* Returns how much the socket took, or -1. */
static ssize_t give(int fd, const char *bytes, size_t length)
{
    server.calls++;
    ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static bool keep(int fd, const char *bytes, size_t length)
{
    struct client *c = &server.clients[fd];
    c->rest = malloc(length);
    if (!c->rest)
        return false;
    memcpy(c->rest, bytes, length);
    c->length = length;
    c->done = 0;
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
    return true;
}

static void on_writable(int fd)
{
    struct client *c = &server.clients[fd];
    ssize_t n = give(fd, c->rest + c->done, c->length - c->done);
    if (n < 0) {
        drop(fd);
        return;
    }
    if (n > 0)
        prolong(fd);
    c->done += (size_t)n;
    if (c->done == c->length) {
        free(c->rest);
        c->rest = NULL;
        watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
}

static void on_readable(int fd)
{
    server.calls++;
    ssize_t n = recv(fd, server.buffer, sizeof server.buffer, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* all that it has sent is sent back: the close ends our direction well */
        server.served += n == 0;
        drop(fd);
        return;
    }
    ssize_t sent = give(fd, server.buffer, (size_t)n);
    if (sent < 0 || (sent < n && !keep(fd, server.buffer + sent, (size_t)(n - sent)))) {
        drop(fd);
        return;
    }
    prolong(fd);
}

/* Those that have connected are taken, and what they have sent by then comes back; then all have a
 * moment to take it. */
static void stop(void)
{
    on_accept();
    accept_if(false);
    close(server.listen_fd);
    server.stopping = true;
    for (int fd = 0; fd <= server.highest; fd++)
        if (server.clients[fd].deadline > server.now + STOP_GRACE_MS)
            server.clients[fd].deadline = server.now + STOP_GRACE_MS;
}

static void tick(void)
{
    server.next_tick = server.now + (server.stopping ? STOP_GRACE_MS / 5 : TICK_MS);
    for (int fd = 0; fd <= server.highest; fd++)
        if (server.clients[fd].deadline && server.now >= server.clients[fd].deadline)
            drop(fd);
    if (!server.stopping && server.open < server.slots)
        accept_if(true);
}

static void open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
}

static void on_event(const struct epoll_event *event)
{
    int fd = event->data.fd;
    if (fd == server.listen_fd)
        on_accept();
    else if (fd == server.signal_fd)
        stop();
    else if (server.clients[fd].rest)
        on_writable(fd);
    else
        on_readable(fd);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    bool ticking = server.open > 0 || !server.accepting;
    int64_t timeout = server.next_tick - server.now;
    server.calls++;
    int n = epoll_wait(server.epoll, events, EVENTS,
                       !ticking      ? -1
                       : timeout > 0 ? (int)timeout
                                     : 0);
    read_clock();
    for (int i = 0; i < n; i++)
        on_event(&events[i]);
    if (server.now >= server.next_tick)
        tick();
}

int main(int argc, char **argv)
{
    prepare_output();
    struct options options = parse_options(argc, argv, "apsi");

    open_signals();
    server.slots = options.slots;
    server.patience = options.idle_timeout * INT64_C(1000);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server.signal_fd < 0 || server.epoll < 0)
        die("signalfd, epoll_create1", errno, "see epoll_create(2)");
    server.listen_fd = listen_on(&options.address);
    if (fcntl(server.listen_fd, F_SETFL, O_NONBLOCK) < 0 ||
        setsockopt(server.listen_fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0)
        die("fcntl, TCP_NODELAY", errno, "see tcp(7)"); /* accepted sockets inherit it */
    read_clock();
    watch(EPOLL_CTL_ADD, server.signal_fd, EPOLLIN);
    accept_if(true);
    while (!server.stopping || server.open > 0)
        turn();

    say(STDOUT_FILENO, "served %lu clients in %lu system calls", server.served, server.calls);
    return 0;
}
