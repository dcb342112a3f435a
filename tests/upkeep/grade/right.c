/*
 * Right servers, for the tests of the grader: one for each way to wait for many clients, chosen
 * when it is compiled:  cc -DHOW=POLL ...
 *
 *   right --port PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listen.h"

enum { THREADS, FORK, PREFORK, SELECT, POLL, EPOLL, EPOLL_EDGE };
#ifndef HOW
#define HOW THREADS
#endif

/* BACKLOG: right servers have small ones, too. */
enum { DESCRIPTORS = 1024, CHILDREN = 512, BACKLOG = 50 };

static char is_open[DESCRIPTORS], answered[DESCRIPTORS]; /* by descriptor */

/* Those that block: all of one client. */
static void *serve_client(void *argument)
{
    int client = (int)(intptr_t)argument;
    char buffer[8192];
    if (recv(client, buffer, sizeof buffer, 0) > 0)
        send(client, "ack\n", 4, MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    while (recv(client, buffer, sizeof buffer, 0) > 0)
        ;
    close(client);
    return NULL;
}

static void by_threads(int listener)
{
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            usleep(10000); /* no descriptor, perhaps */
        else if (pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
}

/* A child ends with its parent, also with one that has ended already. */
static void end_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
}

static void by_fork(int listener)
{
    pid_t self = getpid();
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            end_with(self);
            serve_client((void *)(intptr_t)client);
            _exit(0);
        }
        close(client);
        while (waitpid(-1, NULL, WNOHANG) > 0) /* the last ones stay zombies */
            ;
    }
}

static void by_prefork(int listener)
{
    pid_t self = getpid();
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            end_with(self);
            for (;;) {
                int client = accept(listener, NULL, NULL);
                if (client >= 0)
                    serve_client((void *)(intptr_t)client);
            }
        }
    }
    for (;;)
        pause();
}

/* Those that do not: what one client has for us. Returns 0 when it is closed. */
static int serve_some(int client, int flags)
{
    static char buffer[65536];
    ssize_t n = recv(client, buffer, sizeof buffer, flags);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (n <= 0) {
        is_open[client] = 0;
        close(client);
        return 0;
    }
    if (!answered[client]) {
        answered[client] = 1;
        send(client, "ack\n", 4, MSG_NOSIGNAL);
        shutdown(client, SHUT_WR);
    }
    return 1;
}

/* Returns -1 when there is none. */
static int accept_one(int listener)
{
    int client = accept(listener, NULL, NULL);
    if (client >= DESCRIPTORS) {
        close(client);
        client = -1;
    }
    if (client >= 0) {
        is_open[client] = 1;
        answered[client] = 0;
    } else if (errno == EMFILE) {
        usleep(10000);
    }
    return client;
}

static void by_select(int listener)
{
    for (;;) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(listener, &set);
        for (int fd = 0; fd < DESCRIPTORS; fd++)
            if (is_open[fd])
                FD_SET(fd, &set);
        if (select(DESCRIPTORS, &set, NULL, NULL, NULL) < 0)
            continue;
        for (int fd = 0; fd < DESCRIPTORS; fd++)
            if (is_open[fd] && FD_ISSET(fd, &set))
                serve_some(fd, 0);
        if (FD_ISSET(listener, &set))
            accept_one(listener);
    }
}

static void by_poll(int listener)
{
    for (;;) {
        struct pollfd fds[DESCRIPTORS] = {{.fd = listener, .events = POLLIN}};
        nfds_t count = 1;
        for (int fd = 0; fd < DESCRIPTORS; fd++)
            if (is_open[fd])
                fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (poll(fds, count, -1) < 0)
            continue;
        for (nfds_t i = 1; i < count; i++)
            if (fds[i].revents)
                serve_some(fds[i].fd, 0);
        if (fds[0].revents)
            accept_one(listener);
    }
}

static void by_epoll(int listener, uint32_t edge)
{
    int epoll = epoll_create1(0), client;
    struct epoll_event event = {.events = EPOLLIN | edge, .data.fd = listener};
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        /* The listening socket is not looked at for long when there was no descriptor. */
        int n = epoll_wait(epoll, &event, 1, -1);
        if (n == 1 && event.data.fd == listener) {
            while ((client = accept_one(listener)) >= 0 || errno == EMFILE) {
                if (client < 0)
                    break;
                event = (struct epoll_event){.events = EPOLLIN | edge, .data.fd = client};
                epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
            }
            if (client < 0 && errno == EMFILE) { /* ask for it again */
                event = (struct epoll_event){.events = EPOLLIN | edge, .data.fd = listener};
                epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &event);
            }
        } else if (n == 1 && edge) {
            int fd = event.data.fd;
            do
                errno = 0;
            while (serve_some(fd, MSG_DONTWAIT) && errno != EAGAIN);
        } else if (n == 1) {
            serve_some(event.data.fd, 0);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    int listener = listen_on(port, BACKLOG);
    switch (HOW) {
    case THREADS:
        by_threads(listener);
        break;
    case FORK:
        by_fork(listener);
        break;
    case PREFORK:
        by_prefork(listener);
        break;
    case SELECT:
        by_select(listener);
        break;
    case POLL:
        by_poll(listener);
        break;
    default:
        by_epoll(listener, HOW == EPOLL_EDGE ? EPOLLET : 0);
        break;
    }
}
