/*
 * For comparison: the protocol of the four days with epoll, one thread, as lean as it goes.
 *
 * Level-triggered: one receive for each event that says there is something to receive, and none
 * that finds nothing. A client is added to the set once, and close() takes it out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../common/listen.h"
#include "../../common/options.h"
#include "../../common/say.h"

enum { EVENTS = 512, BUFFER_SIZE = 1024, CLIENTS_MAX = 65536 };

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

static struct {
    int epoll, listen_fd, signal_fd;
    unsigned long served, calls; /* calls: of the loop, each counted where it is made */
    bool answered[CLIENTS_MAX];  /* by descriptor */
    char buffer[BUFFER_SIZE];
} server;

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    server.calls++;
    if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl", errno, "see epoll_ctl(2)");
}

static void on_accept(void)
{
    for (;;) {
        server.calls++;
        int fd = accept4(server.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == ECONNABORTED)
            continue;
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd >= 0 && fd < CLIENTS_MAX) {
            server.answered[fd] = false;
            watch(fd);
        } else {
            die("accept4", errno, "the benchmark has too many clients for it");
        }
    }
}

static void drop(int fd)
{
    server.calls++;
    close(fd);
}

static void on_client(int fd)
{
    server.calls++;
    ssize_t n = recv(fd, server.buffer, sizeof server.buffer, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        drop(fd);
        return;
    }
    if (server.answered[fd])
        return;
    server.answered[fd] = true;
    server.calls++;
    if (send(fd, ANSWER, sizeof ANSWER, MSG_NOSIGNAL) != sizeof ANSWER) {
        drop(fd);
        return;
    }
    server.calls++;
    if (shutdown(fd, SHUT_WR) == 0)
        server.served++;
}

static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
    prepare_output();
    struct options options = parse_options(argc, argv, "ap");

    server.signal_fd = open_signals();
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server.signal_fd < 0 || server.epoll < 0)
        die("signalfd, epoll_create1", errno, "see epoll_create(2)");
    server.listen_fd = listen_on(&options.address);
    if (fcntl(server.listen_fd, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl", errno, "see fcntl(2)");
    watch(server.signal_fd);
    watch(server.listen_fd);

    for (bool stop = false; !stop;) {
        struct epoll_event events[EVENTS];
        server.calls++;
        int n = epoll_wait(server.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == server.listen_fd)
                on_accept();
            else if (events[i].data.fd == server.signal_fd)
                stop = true;
            else
                on_client(events[i].data.fd);
        }
    }
    say(STDOUT_FILENO, "served %lu clients in %lu system calls", server.served, server.calls);
    return 0;
}
