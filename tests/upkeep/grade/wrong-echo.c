/*
 * Wrong echo servers, for the tests of the grader: an echo with epoll, and one fault, chosen when
 * it is compiled:  cc -DFAULT=REORDERS ...  README.md beside this file says what is to be said of
 * each. With NO_FAULT it is a right one.
 *
 *   wrong-echo --port PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum fault {
    NO_FAULT,
    LOSES_BYTE,     /* one of 100,000 */
    REORDERS,       /* now and then the second half of a piece comes before the first */
    SHORT_SEND,     /* what the socket does not take is forgotten */
    STALLS,         /* who finds no buffer waits for ever */
    NO_BOUND,       /* everybody is read, whether he reads or not */
    BLOCKS,         /* a send waits until all is taken */
    EATS_HALF,      /* who has ended his direction is taken for gone */
    WAITS_FOR_OWED, /* SIGTERM waits until all has gone back */
    ACK             /* day 4's answer, to every piece */
};

#ifndef FAULT
#define FAULT NO_FAULT
#endif

enum { BUFFER_SIZE = 16384, BUFFERS = 2, LOST_IN = 100000, REORDERED_IN = 50, CLIENTS_MAX = 4096 };

static const enum fault fault = FAULT;
static int epoll;

static struct client {
    char *rest; /* what its socket did not take; NULL: nothing */
    size_t length, sent, size;
} clients[CLIENTS_MAX];               /* by descriptor */
static unsigned pieces;               /* received in all */
static volatile sig_atomic_t holding; /* clients with a rest */
static size_t received;               /* since a byte was lost */

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void on_sigterm(int sig)
{
    (void)sig;
    while (fault == WAITS_FOR_OWED && holding > 0)
        usleep(10000);
    _exit(0);
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

/* What it is waited for next. */
static void watch_client(int fd)
{
    uint32_t reading = fault == EATS_HALF ? EPOLLIN | EPOLLRDHUP : EPOLLIN;
    if (!clients[fd].rest)
        watch(EPOLL_CTL_MOD, fd, reading);
    else
        watch(EPOLL_CTL_MOD, fd, fault == NO_BOUND ? reading | EPOLLOUT : EPOLLOUT);
}

static void drop(int fd)
{
    holding -= clients[fd].rest != NULL;
    free(clients[fd].rest);
    clients[fd] = (struct client){0};
    close(fd);
}

static void keep(struct client *c, const char *bytes, size_t count)
{
    holding += c->rest == NULL;
    if (!c->rest || c->length + count > c->size) {
        c->size = 2 * (c->length + count);
        c->rest = realloc(c->rest, c->size);
        if (!c->rest)
            fail("realloc");
    }
    memcpy(c->rest + c->length, bytes, count);
    c->length += count;
}

/* Returns how much was taken, or -1. */
static ssize_t give(int fd, const char *bytes, size_t count)
{
    ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL | (fault == BLOCKS ? 0 : MSG_DONTWAIT));
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static void on_writable(int fd)
{
    struct client *c = &clients[fd];
    ssize_t n = give(fd, c->rest + c->sent, c->length - c->sent);
    if (n < 0) {
        drop(fd);
        return;
    }
    c->sent += (size_t)n;
    if (c->sent == c->length) {
        free(c->rest);
        *c = (struct client){0};
        holding--;
        watch_client(fd);
    }
}

static void exchange_halves(char *bytes, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        char *other = &bytes[count - count / 2 + i], byte = bytes[i];
        bytes[i] = *other;
        *other = byte;
    }
}

/* Does to the bytes that were received what the fault does. Returns how many there are then. */
static size_t spoil(char *bytes, size_t count)
{
    if (fault == ACK) {
        memcpy(bytes, "ack\n", 4);
        return 4;
    }
    if (fault == REORDERS && ++pieces % REORDERED_IN == 0)
        exchange_halves(bytes, count);
    received += count;
    if (fault == LOSES_BYTE && received >= LOST_IN) {
        received = 0;
        memmove(&bytes[count / 2], &bytes[count / 2 + 1], count - count / 2 - 1);
        return count - 1;
    }
    return count;
}

static void on_readable(int fd)
{
    static char buffer[BUFFER_SIZE];
    struct client *c = &clients[fd];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n == 0 && c->rest) { /* NO_BOUND: the rest is owed first */
        watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
        return;
    }
    if (n <= 0) {
        drop(fd);
        return;
    }
    size_t count = spoil(buffer, (size_t)n);
    ssize_t taken = c->rest ? 0 : give(fd, buffer, count);
    if (taken < 0) {
        drop(fd);
        return;
    }
    if ((size_t)taken < count && fault != SHORT_SEND) {
        keep(c, buffer + taken, count - (size_t)taken);
        watch_client(fd);
    }
}

static void on_event(int fd, uint32_t events)
{
    if (events & EPOLLRDHUP) /* asked for by EATS_HALF only */
        drop(fd);
    else if (events & EPOLLOUT && clients[fd].rest)
        on_writable(fd);
    else if (events & EPOLLIN && fault == STALLS && holding >= BUFFERS)
        watch(EPOLL_CTL_MOD, fd, 0); /* and nobody looks again */
    else if (events & EPOLLIN)
        on_readable(fd);
    else
        drop(fd);
}

static void on_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd >= CLIENTS_MAX)
        close(fd);
    else if (fd < 0)
        usleep(10000);
    else {
        watch(EPOLL_CTL_ADD, fd, 0);
        watch_client(fd);
    }
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof address}) < 0)
        fail("listen");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    epoll = epoll_create1(0);
    int listener = listen_on(port);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) < 1)
            continue;
        if (event.data.fd == listener)
            on_accept(listener);
        else
            on_event(event.data.fd, event.events);
    }
}
