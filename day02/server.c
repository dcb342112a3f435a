/*
 * Day 2: ring init. The server of day 1, each of its calls an operation on a ring: prepare it,
 * submit it, wait for its completion. Still one client at a time, and one operation at a time.
 *
 * Try:  make day02 && ./day02/server --trace      then, in a second terminal,
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
    BUFFER_SIZE = 1024
};

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

struct server {
    struct io_uring ring;
    int listen_fd;
    bool trace;
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

static void arm_accept(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_accept(sqe, s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    tag(s, sqe, 0);
}

static void arm_recv(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_recv(sqe, client, s->buffer, sizeof s->buffer, 0);
    tag(s, sqe, client);
}

static void arm_send(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, 0);
    tag(s, sqe, client);
}

static void arm_shutdown(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    tag(s, sqe, client);
}

static void arm_close(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_close(sqe, client);
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

/* Waits until the one operation that is armed has completed. Returns what its system call would
 * have: a descriptor, a count, 0, or -errno. */
static int complete(struct server *s)
{
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&s->ring, &cqe) < 0)
        enter(s, 1);
    if (s->trace)
        trace_cqe(cqe);
    int res = cqe->res;
    io_uring_cqe_seen(&s->ring, cqe); /* the kernel may use the entry again */
    return res;
}

/* One client, from its request to its close. An error on its connection is its own affair: every
 * operation below then fails as well, and the next client is served. */
static void serve_client(struct server *s, int client)
{
    arm_recv(s, client);
    if (complete(s) > 0) {
        arm_send(s, client);
        complete(s);
    }

    /* To close with unread bytes would reset the connection, and the answer could be lost. */
    arm_shutdown(s, client);
    complete(s);
    do
        arm_recv(s, client);
    while (complete(s) > 0);
    arm_close(s, client);
    complete(s);
}

static _Noreturn void event_loop(struct server *s)
{
    for (;;) {
        arm_accept(s);
        int client = complete(s);
        if (client >= 0)
            serve_client(s, client);
        else if (client == -EMFILE ||
                 client == -ENFILE) /* to try again would fail again, for ever */
            die("io_uring_prep_accept", -client, refusal_hint(client));
        /* else that client gave up before its turn: accept(2) */
    }
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv, "apt");
    static struct server server;

    server.trace = options.trace;
    setup_ring(&server);
    server.listen_fd = listen_on(&options.address);
    event_loop(&server);
}
