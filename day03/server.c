/*
 * Day 3: file registration. Clients live in slots of the ring's own file table and never become
 * descriptors of the process; one accept is armed once and completes for every client. Still one
 * client at a time: the others that are accepted meanwhile wait in a queue.
 *
 * Try:  make day03 && ./day03/server --trace      then, in a second terminal,
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
    CQ_ENTRIES = 2 * SQ_ENTRIES,
    NOBODY = -1,  /* the client of what is armed for no client */
    SLOTS = 1024, /* accepting pauses at so many clients */

    /* A pause comes too late for those that the kernel has accepted by then: as many as the
     * completion queue holds, one more, and on Linux 6.2 to 6.9 the 16 completions that it holds
     * back. They need slots too, or they would be dropped. */
    HELD_BACK = 16,
    TABLE_SIZE = SLOTS + CQ_ENTRIES + 1 + HELD_BACK,
    BUFFER_SIZE = 1024
};
_Static_assert((SQ_ENTRIES & (SQ_ENTRIES - 1)) == 0, "the kernel rounds up to a power of two");

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

struct server {
    struct io_uring ring;
    int listen_fd;
    enum { PAUSED, ACCEPTING, PAUSING } accept; /* a multishot accept is armed unless PAUSED */
    int open; /* slots in use: the client that is served, and those that wait */
    struct {
        int client[TABLE_SIZE];
        uint64_t first, end;
    } queue;            /* clients that are accepted and not served yet */
    uint64_t completed; /* what the last turn took: its user_data, its res */
    int res;
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

/* Registers the ring's own descriptor, which saves looking it up at every enter, and an empty
 * file table, which the accept fills. io_uring_register_ring_fd(3), _files_sparse(3). */
static void register_files(struct server *s)
{
    int ret = io_uring_register_ring_fd(&s->ring);
    if (ret != 1) /* how many were registered */
        die("io_uring_register_ring_fd", -ret, refusal_hint(ret));
    ret = io_uring_register_files_sparse(&s->ring, TABLE_SIZE);
    if (ret < 0)
        die("io_uring_register_files_sparse", -ret, refusal_hint(ret));
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
 * copies to the completion, where dispatch() and wait_for() read it. */
static void tag(struct io_uring_sqe *sqe, int client)
{
    io_uring_sqe_set_data64(sqe, user_data_of(sqe->opcode, client));
    trace_sqe(sqe);
}

/* Armed once, completes for every client, each in a free slot of the table. */
static void arm_accept(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_multishot_accept_direct(sqe, s->listen_fd, NULL, NULL, 0);
    tag(sqe, NOBODY);
    s->accept = ACCEPTING;
}

/* What is cancelled completes with -ECANCELED, or as if nothing had happened.
 * io_uring_prep_cancel(3) */
static void arm_cancel(struct server *s, unsigned opcode, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_cancel64(sqe, user_data_of(opcode, client), 0);
    tag(sqe, client);
}

static void arm_recv(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_recv(sqe, client, s->buffer, sizeof s->buffer, 0);
    sqe->flags |= IOSQE_FIXED_FILE; /* client is a slot, not a descriptor */
    tag(sqe, client);
}

static void arm_send(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    tag(sqe, client);
}

static void arm_shutdown(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    sqe->flags |= IOSQE_FIXED_FILE;
    tag(sqe, client);
}

static void arm_close(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_close_direct(sqe, (unsigned)client); /* names the slot itself: no FIXED_FILE */
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

/* The client waits in the queue. Without IORING_CQE_F_MORE the accept has ended, whatever res
 * says: it also ends with a client when the completion queue is full. */
static void on_accept(struct server *s, int res, unsigned flags)
{
    if (!(flags & IORING_CQE_F_MORE))
        s->accept = PAUSED;
    if (res >= 0) {
        s->open++;
        s->queue.client[s->queue.end++ % TABLE_SIZE] = res;
    } else if (res == -EMFILE || res == -ENFILE) { /* it would fail again, for ever */
        die("io_uring_prep_multishot_accept_direct", -res, refusal_hint(res));
    }
}

static void on_close(struct server *s, int res)
{
    assert(res == 0);
    s->open--;
}

/* What can complete at any time. The rest is what wait_for() waits for. */
static void dispatch(struct server *s, const struct io_uring_cqe *cqe)
{
    trace_cqe(cqe);
    switch (cqe->user_data & 0xff) {
    case IORING_OP_ACCEPT:
        on_accept(s, cqe->res, cqe->flags);
        break;
    case IORING_OP_CLOSE:
        on_close(s, cqe->res);
        break;
    default:
        break;
    }
}

static void submit_all(struct server *s)
{
    while (io_uring_sq_ready(&s->ring) > 0)
        enter(s, 0);
}

/* Pauses accepting when all slots are taken, and takes it up again below. */
static void adjust_accept(struct server *s)
{
    if (s->accept == ACCEPTING && s->open >= SLOTS) {
        s->accept = PAUSING;
        arm_cancel(s, IORING_OP_ACCEPT, NOBODY);
        submit_all(s);
    } else if (s->accept == PAUSED && s->open < SLOTS) {
        arm_accept(s);
    }
}

/* One turn: submits what is armed, waits for a completion and takes it. Its entry goes back to the
 * kernel last, when the accept is paused if it must be: until then it can accept no more than the
 * completion queue has room for. */
static void turn(struct server *s)
{
    struct io_uring_cqe *cqe;
    do
        enter(s, 1);
    while (io_uring_peek_cqe(&s->ring, &cqe) < 0);
    s->completed = cqe->user_data;
    s->res = cqe->res;
    dispatch(s, cqe);
    adjust_accept(s);
    io_uring_cqe_seen(&s->ring, cqe);
}

/* Waits until this operation has completed. Returns what its system call would have: a slot, a
 * count, 0, or -errno. */
static int wait_for(struct server *s, unsigned opcode, int client)
{
    do
        turn(s);
    while (s->completed != user_data_of(opcode, client));
    return s->res;
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
    arm_accept(s);
    for (;;) {
        while (s->queue.first == s->queue.end)
            turn(s);
        serve_client(s, s->queue.client[s->queue.first++ % TABLE_SIZE]);
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
    register_files(&server);
    server.listen_fd = listen_on(&options.address);
    event_loop(&server);
}
