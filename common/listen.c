#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "say.h"

int listen_on(const struct sockaddr_in *address)
{
    struct sockaddr_in bound = *address;
    socklen_t length = sizeof bound;
    char ip[INET_ADDRSTRLEN], what[64];
    inet_ntop(AF_INET, &address->sin_addr, ip, sizeof ip);
    snprintf(what, sizeof what, "bind %s:%u", ip, ntohs(address->sin_port));

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket", errno,
            errno == EMFILE || errno == ENFILE ? "too few descriptors: raise ulimit -n"
                                               : "see socket(2)");
    /* Without it, bind() is refused for a minute after a server with clients has ended: socket(7)
     */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0)
        die("setsockopt SO_REUSEADDR", errno, "see socket(7)");
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        die(what, errno,
            errno == EADDRINUSE      ? "try --port"
            : errno == EADDRNOTAVAIL ? "not an address of this machine: try --address 127.0.0.1"
            : errno == EACCES        ? "ports below 1024 need root: try --port"
                                     : "see bind(2)");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen", errno, errno == EADDRINUSE ? "try --port" : "see listen(2)");

    if (getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
        die("getsockname", errno, "see getsockname(2)");
    say(STDOUT_FILENO, "listening on %s:%u", ip, ntohs(bound.sin_port));
    return fd;
}
