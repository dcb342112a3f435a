/*
 * Day 3: file registration. Clients live in slots of the ring's own file table and never become
 * descriptors of the process; one accept is armed once and completes for every client. Still one
 * client at a time: the others that are accepted meanwhile wait in line.
 *
 * Try:  make day03 && ./day03/server --trace      then, in a second terminal,
 *       echo hello | nc 127.0.0.1 4242
 *
 * Needs Linux 6.1 and liburing 2.3: day02/probe says what this machine has.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/listen.h"
#include "../common/options.h"
#include "../common/say.h"
#include "../common/trace.h"

enum {
    SQ_ENTRIES = 8, /* submission queue entries; the kernel makes twice as many for completions */
    CQ_ENTRIES = 2 * SQ_ENTRIES,
    SLOTS = 64, /* accepting pauses at so many clients */

    /* A pause is too late for those that the kernel has accepted already: at most the completion
     * queue full of them and one. They need slots too, or they would be dropped. */
    TABLE_SIZE = SLOTS + CQ_ENTRIES + 1,
    BUFFER_SIZE = 1024
};

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

struct server {
    struct io_uring ring;
    int listen_fd;
    bool trace;
    bool accepting; /* the multishot accept is armed */
    int clients;    /* slots in use: the client that is served, and the line */
    struct {
        int client[TABLE_SIZE];
        int first, length;
    } line; /* clients that are accepted and not served yet */
    char buffer[BUFFER_SIZE];
};

/* Makes the ring, with the newest setup flags that this kernel takes: it refuses one that it does
 * not know with -EINVAL. io_uring_queue_init_params(3), io_uring_setup(2). */
static void setup_ring(struct server *s)
{
    static const unsigned flag_sets[] = {
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SUBMIT_ALL,
        0,
    };
    struct io_uring_params params;
    int ret = -EINVAL;

    for (size_t i = 0; ret == -EINVAL && i < sizeof flag_sets / sizeof *flag_sets; i++) {
        params = (struct io_uring_params){.flags = flag_sets[i]};
        ret = io_uring_queue_init_params(SQ_ENTRIES, &s->ring, &params);
    }
    if (ret < 0)
        die("io_uring_queue_init_params", -ret, refusal_hint(ret));
    if (s->trace)
        say(STDERR_FILENO, "ring: %u SQ entries, %u CQ entries, flags %#x, features %#x",
            params.sq_entries, params.cq_entries, params.flags, params.features);
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

/* A free submission queue entry. One at a time, so there is always one, unless the liburing that
 * was compiled against is not the one that runs. io_uring_get_sqe(3). */
static struct io_uring_sqe *get_sqe(struct server *s)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);
    if (!sqe)
        die("io_uring_get_sqe", EBUSY, "do liburing.h and the library match? try make doctor");
    return sqe;
}

/* What an operation is called: what was asked, and for whom. */
static uint64_t name_of(unsigned opcode, int client)
{
    return (uint64_t)client << 8 | opcode;
}

/* The last touch on every SQE, after its prep and its flags: its name, as user_data, which the
 * kernel copies to the completion. */
static void tag(struct server *s, struct io_uring_sqe *sqe, int client)
{
    io_uring_sqe_set_data64(sqe, name_of(sqe->opcode, client));
    if (s->trace)
        trace_sqe(sqe);
}

/* Armed once, completes for every client, each in a free slot of the table. */
static void arm_accept(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_multishot_accept_direct(sqe, s->listen_fd, NULL, NULL, 0);
    tag(s, sqe, 0);
    s->accepting = true;
}

/* The accept then completes once more, with -ECANCELED. */
static void arm_cancel_accept(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_cancel64(sqe, name_of(IORING_OP_ACCEPT, 0), 0);
    tag(s, sqe, 0);
}

static void arm_recv(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_recv(sqe, client, s->buffer, sizeof s->buffer, 0);
    sqe->flags |= IOSQE_FIXED_FILE; /* client is a slot, not a descriptor */
    tag(s, sqe, client);
}

static void arm_send(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    tag(s, sqe, client);
}

static void arm_shutdown(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    sqe->flags |= IOSQE_FIXED_FILE;
    tag(s, sqe, client);
}

static void arm_close(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_close_direct(sqe, (unsigned)client); /* names the slot itself: no FIXED_FILE */
    tag(s, sqe, client);
}

/* Submits what is armed and waits for so many completions. A wait that was interrupted or refused
 * for the moment loses nothing: what is not submitted yet goes with the next one.
 * io_uring_enter(2). */
static void enter(struct server *s, unsigned wait)
{
    int ret = io_uring_submit_and_wait(&s->ring, wait);
    if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
        die("io_uring_submit_and_wait", -ret, refusal_hint(ret));
    if (s->trace)
        say(STDERR_FILENO, "enter: submitted %d", ret < 0 ? 0 : ret);
}

/* A client joins the line, or the accept has ended: without IORING_CQE_F_MORE there is no more to
 * come from it, whatever res says. */
static void on_accept(struct server *s, int res, unsigned flags)
{
    if (!(flags & IORING_CQE_F_MORE))
        s->accepting = false;
    if (res < 0)
        return;
    s->line.client[(s->line.first + s->line.length++) % TABLE_SIZE] = res;
    if (++s->clients == SLOTS && s->accepting) {
        arm_cancel_accept(s);
        while (io_uring_sq_ready(&s->ring) > 0)
            enter(s, 0); /* before this entry is given back, or the kernel may accept one more */
    }
}

/* Waits until an operation of this opcode has completed. Returns what its system call would have:
 * a slot, a count, 0, or -errno. Clients that are accepted meanwhile join the line. */
static int complete(struct server *s, unsigned opcode)
{
    for (;;) {
        struct io_uring_cqe *cqe;
        while (io_uring_peek_cqe(&s->ring, &cqe) < 0)
            enter(s, 1);
        if (s->trace)
            trace_cqe(cqe);
        int res = cqe->res;
        unsigned completed = cqe->user_data & 0xff;
        if (completed == IORING_OP_ACCEPT)
            on_accept(s, res, cqe->flags);
        io_uring_cqe_seen(&s->ring, cqe); /* the kernel may use the entry again */
        if (completed == opcode)
            return res;
    }
}

/* One client, from its request to its close. An error on its connection is its own affair: every
 * operation below then fails as well, and the next client is served. */
static void serve_client(struct server *s, int client)
{
    arm_recv(s, client);
    if (complete(s, IORING_OP_RECV) > 0) {
        arm_send(s, client);
        complete(s, IORING_OP_SEND);
    }

    /* To close with unread bytes would reset the connection, and the answer could be lost. */
    arm_shutdown(s, client);
    complete(s, IORING_OP_SHUTDOWN);
    do
        arm_recv(s, client);
    while (complete(s, IORING_OP_RECV) > 0);
    arm_close(s, client);
    complete(s, IORING_OP_CLOSE);
    s->clients--;
}

static int next_in_line(struct server *s)
{
    int client = s->line.client[s->line.first];
    s->line.first = (s->line.first + 1) % TABLE_SIZE;
    s->line.length--;
    return client;
}

static _Noreturn void event_loop(struct server *s)
{
    for (;;) {
        if (!s->accepting && s->clients < SLOTS)
            arm_accept(s);
        if (s->line.length == 0)
            complete(s, IORING_OP_ACCEPT);
        else
            serve_client(s, next_in_line(s));
    }
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv, "apt");
    static struct server server;

    server.trace = options.trace;
    setup_ring(&server);
    register_files(&server);
    server.listen_fd = listen_on(&options.address);
    event_loop(&server);
}
