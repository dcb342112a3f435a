/*
 * A right server, for the tests of the grader: io_uring with ordinary descriptors, one operation
 * for each client, no file table.
 *
 *   uring --port PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"

enum { DESCRIPTORS = 4096 };

static struct io_uring ring;
static char answered[DESCRIPTORS];

static void arm(int fd, int listener)
{
    static char nowhere[4096];
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (fd == listener)
        io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
    else
        io_uring_prep_recv(sqe, fd, nowhere, sizeof nowhere, 0);
    io_uring_sqe_set_data64(sqe, (unsigned)fd);
    io_uring_submit(&ring);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    if (io_uring_queue_init(64, &ring, 0) < 0)
        return 1;
    int listener = listen_on(port, SOMAXCONN);
    arm(listener, listener);
    for (;;) {
        struct io_uring_cqe *cqe;
        if (io_uring_wait_cqe(&ring, &cqe) < 0)
            continue;
        int fd = (int)cqe->user_data, res = cqe->res;
        io_uring_cqe_seen(&ring, cqe);
        if (fd == listener) {
            if (res >= DESCRIPTORS) {
                close(res);
            } else if (res >= 0) {
                answered[res] = 0;
                arm(res, listener);
            } else if (res == -EMFILE) {
                usleep(10000);
            }
            arm(listener, listener);
        } else if (res > 0 || res == -EINTR) {
            if (res > 0 && !answered[fd]) {
                answered[fd] = 1;
                send(fd, "ack\n", 4, MSG_NOSIGNAL);
                shutdown(fd, SHUT_WR);
            }
            arm(fd, listener);
        } else {
            close(fd);
        }
    }
}
