#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "say.h"

/* Connections that may wait for accept. The kernel takes net.core.somaxconn if that is less. Not
 * SOMAXCONN, which is the C library's: 128 in musl. */
enum { BACKLOG = 4096 };

static void set(int fd, int option, const char *name)
{
    if (setsockopt(fd, SOL_SOCKET, option, &(int){1}, sizeof(int)) < 0)
        die(name, errno, "see socket(7)");
}

int listen_on(const struct sockaddr_in *address)
{
    char ip[INET_ADDRSTRLEN], what[64];
    struct sockaddr_in bound = {0};
    socklen_t length = sizeof bound;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket", errno, errno == EMFILE ? "raise ulimit -n" : "see socket(2)");
    inet_ntop(AF_INET, &address->sin_addr, ip, sizeof ip);
    snprintf(what, sizeof what, "bind %s:%u", ip, ntohs(address->sin_port));

    set(fd, SO_REUSEADDR, "SO_REUSEADDR"); /* else bind fails for a minute after a restart */
    set(fd, SO_OOBINLINE, "SO_OOBINLINE"); /* urgent bytes are bytes; accepted sockets inherit it */
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        die(what, errno,
            errno == EADDRINUSE      ? "try again in a moment, or --port"
            : errno == EADDRNOTAVAIL ? "not an address of this machine: try --address 127.0.0.1"
            : errno == EACCES        ? "ports below 1024 need root: try --port"
                                     : "see bind(2)");
    if (listen(fd, BACKLOG) < 0)
        die("listen", errno, errno == EADDRINUSE ? "try --port" : "see listen(2)");
    if (getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
        die("getsockname", errno, "see getsockname(2)");
    say(STDOUT_FILENO, "listening on %s:%u", ip, ntohs(bound.sin_port));
    return fd;
}
