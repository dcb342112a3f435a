/*
 * A right server, for the tests of the grader: blocking calls, a thread for each client.
 *
 *   threads --port PORT
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

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
        perror("threads");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

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

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    int listener = listen_on(port);
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
}
