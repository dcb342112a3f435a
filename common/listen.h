/* The listening socket, the same on all four days. */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include <netinet/in.h>

/* Binds address and listens on it, then says "listening on ADDRESS:PORT" on stdout; port 0 takes
 * any free one, and the line names it. Returns the descriptor; the caller owns it. Exits 1 on
 * failure. ip(7), listen(2), socket(7). */
int listen_on(const struct sockaddr_in *address);

#endif
