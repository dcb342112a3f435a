/*
 * A right server, for the tests of the grader: epoll, all clients at once, one thread.
 *
 *   epoll --port PORT
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536 };

static char answered[DESCRIPTORS]; /* by descriptor */

static void on_sigterm(int sig)
{
    (void)sig;
    _exit(0);
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0) {
        perror("epoll");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void on_readable(int client)
{
    static char buffer[65536];
    ssize_t n = recv(client, buffer, sizeof buffer, 0);
    if (n <= 0) {
        close(client);
    } else if (!answered[client]) {
        answered[client] = 1;
        send(client, "ack\n", 4, MSG_NOSIGNAL);
        shutdown(client, SHUT_WR);
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
    int listener = listen_on(port), epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while (epoll_wait(epoll, &event, 1, -1) == 1) {
        if (event.data.fd != listener) {
            on_readable(event.data.fd);
            continue;
        }
        int client = accept(listener, NULL, NULL);
        if (client < 0 || client >= DESCRIPTORS)
            continue;
        answered[client] = 0;
        event = (struct epoll_event){.events = EPOLLIN, .data.fd = client};
        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
    }
    return 1;
}
