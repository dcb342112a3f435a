/*
 * Day 1: socket setup. A TCP server from the calls you know, one client at a time.
 *
 * Try:  make day01 && ./day01/server      then, in a second terminal,
 *       echo hello | nc 127.0.0.1 4242
 *
 * The protocol of all four days: the client sends any bytes; the server answers "ack\n", closes
 * its own direction, reads until the client has closed too, and closes.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/listen.h"
#include "../common/options.h"
#include "../common/say.h"

enum { BUFFER_SIZE = 1024 };

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

struct server {
    int listen_fd;
    char buffer[BUFFER_SIZE];
};

/* One client, from its request to its close. An error on its connection is its own affair: every
 * call below then fails as well, and the next client is served. */
static void serve_client(struct server *s, int client)
{
    if (recv(client, s->buffer, sizeof s->buffer, 0) > 0)
        send(client, ANSWER, sizeof ANSWER, MSG_NOSIGNAL);

    /* To close with unread bytes would reset the connection, and the answer could be lost. */
    shutdown(client, SHUT_WR);
    while (recv(client, s->buffer, sizeof s->buffer, 0) > 0)
        ;
    close(client);
}

static _Noreturn void event_loop(struct server *s)
{
    for (;;) {
        int client = accept(s->listen_fd, NULL, NULL);
        if (client >= 0)
            serve_client(s, client);
        else if (errno == EMFILE || errno == ENFILE) /* to try again would fail again, for ever */
            die("accept", errno, "too few descriptors: raise ulimit -n, or sysctl fs.file-max");
    }
}

int main(int argc, char **argv)
{
    static struct server server;
    prepare_output();
    struct options options = parse_options(argc, argv, "ap");

    server.listen_fd = listen_on(&options.address);
    event_loop(&server);
}
