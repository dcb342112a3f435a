/*
 * Day 2: ring init. The server of day 1, each of its calls an operation on a ring: prepare it,
 * submit it, wait for its completion. Still one client at a time, and one operation at a time.
 *
 * Try:  make day02 && ./day02/server --trace      then, in a second terminal,
 *       echo hello | nc 127.0.0.1 4242
 *
 * Needs Linux 6.1 and liburing 2.3: make doctor says what this machine has.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/listen.h"
#include "../common/options.h"
#include "../common/ring.h"
#include "../common/say.h"
#include "../common/trace.h"

enum {
    SQ_ENTRIES = 8, /* submission queue entries; the kernel makes twice as many for completions */
    NOBODY = -1,    /* the client of what is armed for no client */
    BUFFER_SIZE = 1024
};

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

struct server {
    struct io_uring ring;
    int listen_fd;
    char buffer[BUFFER_SIZE];
};

/* Makes the ring. Linux 6.1 knows all these flags; an older one refuses with -EINVAL.
 * io_uring_queue_init_params(3), io_uring_setup(2). */
static void setup_ring(struct server *s)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN};
    int ret = io_uring_queue_init_params(SQ_ENTRIES, &s->ring, &params);
    if (ret < 0)
        die("io_uring_queue_init_params", -ret, refusal_hint(ret));
    trace_ring(&params);
    require_worker(&s->ring);
}

/* A free submission queue entry. One operation at a time, so here there always is one.
 * io_uring_get_sqe(3). */
static struct io_uring_sqe *get_sqe(struct server *s)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);
    if (!sqe)
        die("io_uring_get_sqe", EBUSY, "the submission queue is full: submit, or arm less, first");
    return sqe;
}

/* What was asked, and for whom, in one number. */
static uint64_t user_data_of(unsigned opcode, int client)
{
    return (uint64_t)client << 8 | opcode;
}

/* The last touch on every SQE, after its prep and its flags: its user_data, which the kernel
 * copies to the completion. */
static void tag(struct io_uring_sqe *sqe, int client)
{
    io_uring_sqe_set_data64(sqe, user_data_of(sqe->opcode, client));
    trace_sqe(sqe);
}

static void arm_accept(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_accept(sqe, s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    tag(sqe, NOBODY);
}

static void arm_recv(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_recv(sqe, client, s->buffer, sizeof s->buffer, 0);
    tag(sqe, client);
}

static void arm_send(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, 0);
    tag(sqe, client);
}

static void arm_shutdown(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    tag(sqe, client);
}

static void arm_close(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_close(sqe, client);
    tag(sqe, client);
}

/* Submits what is armed and waits until so many completions are there. A call that was interrupted
 * or refused for the moment loses nothing: what is not submitted yet goes with the next one.
 * io_uring_enter(2). */
static void enter(struct server *s, unsigned min_complete)
{
    trace_enter(io_uring_sq_ready(&s->ring), min_complete);
    int ret = io_uring_submit_and_wait(&s->ring, min_complete);
    trace_return(ret);
    if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
        die("io_uring_submit_and_wait", -ret, refusal_hint(ret));
}

/* Waits until the one operation that is armed has completed. Returns what its system call would
 * have: a descriptor, a count, 0, or -errno. */
static int wait_for(struct server *s, unsigned opcode, int client)
{
    struct io_uring_cqe *cqe;
    do
        enter(s, 1);
    while (io_uring_peek_cqe(&s->ring, &cqe) < 0);
    trace_cqe(cqe);
    assert(cqe->user_data == user_data_of(opcode, client));
    int res = cqe->res;
    io_uring_cqe_seen(&s->ring, cqe); /* the kernel may use the entry again */
    return res;
}

/* One client, from its request to its close. An error on its connection is its own affair: every
 * operation below then fails as well, and the next client is served. */
static void serve_client(struct server *s, int client)
{
    arm_recv(s, client);
    if (wait_for(s, IORING_OP_RECV, client) > 0) {
        arm_send(s, client);
        wait_for(s, IORING_OP_SEND, client);
    }

    /* To close with unread bytes would reset the connection, and the answer could be lost. */
    arm_shutdown(s, client);
    wait_for(s, IORING_OP_SHUTDOWN, client);
    do
        arm_recv(s, client);
    while (wait_for(s, IORING_OP_RECV, client) > 0);
    arm_close(s, client);
    wait_for(s, IORING_OP_CLOSE, client);
}

static _Noreturn void event_loop(struct server *s)
{
    for (;;) {
        arm_accept(s);
        int client = wait_for(s, IORING_OP_ACCEPT, NOBODY);
        if (client >= 0)
            serve_client(s, client);
        else if (client == -EMFILE || client == -ENFILE) /* it would fail again, for ever */
            die("io_uring_prep_accept", -client, refusal_hint(client));
    }
}

int main(int argc, char **argv)
{
    static struct server server;
    prepare_output();
    struct options options = parse_options(argc, argv, "apt");
    if (options.trace)
        trace_on();

    setup_ring(&server);
    server.listen_fd = listen_on(&options.address);
    event_loop(&server);
}
