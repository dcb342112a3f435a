/*
 * Right servers, for the tests of the grader: io_uring with ordinary descriptors, no file table.
 * How is chosen when it is compiled:  cc -DHOW=SQPOLL ...
 *
 *   RECV     one receive at a time for each client
 *   SQPOLL   the same, and a thread of the kernel takes the submissions
 *   BUFFERS  a multishot receive for each client, into a ring of provided buffers
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

enum { RECV, SQPOLL, BUFFERS };
#ifndef HOW
#define HOW RECV
#endif

enum { DESCRIPTORS = 4096, BUFFER_COUNT = 16, BUFFER_SIZE = 4096 };

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char answered[DESCRIPTORS];
static char nowhere[BUFFER_COUNT][BUFFER_SIZE];

static void arm(int fd, int listener)
{
    struct io_uring_sqe *sqe;
    while (
        !(sqe = io_uring_get_sqe(&ring))) /* SQPOLL: its thread has not taken the last ones yet */
        io_uring_sqring_wait(&ring);
    if (fd == listener) {
        io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
    } else if (HOW == BUFFERS) {
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
    } else {
        io_uring_prep_recv(sqe, fd, nowhere, sizeof nowhere, 0);
    }
    io_uring_sqe_set_data64(sqe, (unsigned)fd);
    io_uring_submit(&ring);
}

static void provide(int id)
{
    io_uring_buf_ring_add(buffers, nowhere[id], BUFFER_SIZE, (unsigned short)id,
                          io_uring_buf_ring_mask(BUFFER_COUNT), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static int provide_all(void)
{
    struct io_uring_buf_reg reg = {.ring_entries = BUFFER_COUNT};
    if (posix_memalign((void **)&buffers, 4096, BUFFER_COUNT * sizeof(struct io_uring_buf)) != 0)
        return -1;
    reg.ring_addr = (unsigned long)buffers;
    io_uring_buf_ring_init(buffers);
    for (int id = 0; id < BUFFER_COUNT; id++)
        provide(id);
    return io_uring_register_buf_ring(&ring, &reg, 0);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    signal(SIGTERM, on_sigterm);
    if (io_uring_queue_init(64, &ring, HOW == SQPOLL ? IORING_SETUP_SQPOLL : 0) < 0 ||
        (HOW == BUFFERS && provide_all() < 0))
        return 1;
    int listener = listen_on(port, SOMAXCONN);
    arm(listener, listener);
    for (;;) {
        struct io_uring_cqe *cqe;
        if (io_uring_wait_cqe(&ring, &cqe) < 0)
            continue;
        int fd = (int)cqe->user_data, res = cqe->res, armed = cqe->flags & IORING_CQE_F_MORE;
        if (cqe->flags & IORING_CQE_F_BUFFER)
            provide((int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT));
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
        } else if (res > 0 || res == -EINTR || res == -ENOBUFS) {
            if (res > 0 && !answered[fd]) {
                answered[fd] = 1;
                send(fd, "ack\n", 4, MSG_NOSIGNAL);
                shutdown(fd, SHUT_WR);
            }
            if (!armed)
                arm(fd, listener);
        } else {
            close(fd);
        }
    }
}
