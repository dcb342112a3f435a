/*
 * Wrong servers, for the tests of the grader: threads.c with one fault each, chosen when it is
 * compiled: cc -DFAULT=NUL ...
 *
 *   wrong --port PORT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum fault {
    NUL,           /* answers with the NUL of the C string too */
    THREE_BYTES,   /* answers "ack" without the newline */
    NEVER_CLOSES,  /* waits for the client to end first */
    EXITS,         /* after COUNT clients */
    DIES_AT_RESET, /* takes an error of one client for its own */
    ANSWERS_EMPTY, /* answers a client that sends nothing */
    RESETS_LARGE,  /* closes with unread input */
    BLOCKED,       /* one client at a time */
    LEAKS,         /* does not close every eighth client */
    SPINS,         /* accepts without waiting */
    STATUS,        /* ends with 3 on SIGTERM */
    ONE_SIZE,      /* answers "ack?" to a request of SIZE bytes */
};

#ifndef FAULT
#define FAULT NUL
#endif
#ifndef COUNT
#define COUNT 1000
#endif
#ifndef SIZE
#define SIZE 1024
#endif

static const enum fault fault = FAULT;
static _Atomic unsigned ended;

static void on_sigterm(int sig)
{
    (void)sig;
    _exit(fault == STATUS ? 3 : 0);
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
        perror("wrong");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void answer(int client, ssize_t request)
{
    if (fault == ONE_SIZE && request == SIZE)
        send(client, "ack?", 4, MSG_NOSIGNAL);
    else
        send(client, "ack\n", fault == NUL ? 5 : fault == THREE_BYTES ? 3 : 4, MSG_NOSIGNAL);
}

static void *serve_client(void *argument)
{
    int client = (int)(intptr_t)argument;
    char buffer[8192];
    ssize_t n = recv(client, buffer, sizeof buffer, 0);
    if (n > 0 || (n == 0 && fault == ANSWERS_EMPTY))
        answer(client, n);
    if (n < 0 && fault == DIES_AT_RESET)
        exit(1);
    if (fault != NEVER_CLOSES)
        shutdown(client, SHUT_WR);
    while (fault != RESETS_LARGE && recv(client, buffer, sizeof buffer, 0) > 0)
        ;
    if (fault != LEAKS || ended++ % 8 != 0)
        close(client);
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242, clients = 0;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    int listener = listen_on(port);
    if (fault == SPINS)
        fcntl(listener, F_SETFL, O_NONBLOCK);
    while (fault != EXITS || clients < COUNT) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        clients++;
        if (fault == BLOCKED)
            serve_client((void *)(intptr_t)client);
        else if (pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
    return 0;
}
