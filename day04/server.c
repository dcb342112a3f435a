/*
 * Day 4: the event loop. All clients at once: each completion moves one client one step further,
 * dispatch() tells by user_data which step and which client, and one call into the kernel submits
 * and collects for all of them.
 *
 * Try:  make day04 && ./day04/server --trace      then, in a second terminal,
 *       echo hello | nc 127.0.0.1 4242
 *
 * Needs Linux 6.1 and liburing 2.3: day02/probe says what this machine has.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/listen.h"
#include "../common/options.h"
#include "../common/say.h"
#include "../common/trace.h"

/* Small ones are for the tests: the rarest turns of the loop become the usual ones. */
#ifndef SQ_ENTRIES
#define SQ_ENTRIES 512
#endif
#ifndef CQ_ENTRIES
#define CQ_ENTRIES (2 * SQ_ENTRIES)
#endif

enum {
    SQES_PER_CQE = 2, /* the most that one completion makes us arm */
    BUFFER_SIZE = 1024,
    TICK_MS = 1000,      /* how often waiting clients are looked after */
    STOP_GRACE_MS = 500, /* after SIGTERM, what clients get to read their answer and close */

    /* A pause is too late for those that the kernel has accepted already: at most the completion
     * queue full of them and one. They need slots too, or they would be dropped. */
    SPARE_SLOTS = CQ_ENTRIES + 1
};
_Static_assert(SQ_ENTRIES >= SQES_PER_CQE + 1, "one completion, and one change to the accept");

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

/* A client. Its number is its slot in the ring's file table, and its index in server.clients.
 * Exactly one thing is in flight for it in every state but FREE, so its slot can be closed when
 * that has completed, and only then. */
struct client {
    enum {
        FREE,      /* nothing; the slot is closed, or its close is armed */
        READING,   /* a receive: the request */
        ANSWERING, /* a send and a shutdown, linked */
        DRAINING,  /* a receive: what else it sends, until it closes */
        LEAVING    /* a shutdown: it is not answered */
    } state;
    int64_t deadline;         /* ms; READING and DRAINING end then, whatever the client sends */
    char buffer[BUFFER_SIZE]; /* the kernel's while a receive is in flight */
};

struct server {
    struct io_uring ring;
    int listen_fd, signal_fd;
    struct signalfd_siginfo signal;
    bool trace;
    enum { PAUSED, ACCEPTING, PAUSING } accept; /* a multishot accept is armed unless PAUSED */
    bool accept_failed;                         /* the next tick arms it again */
    bool ticking;                               /* a tick is armed */
    bool stopping;                              /* SIGINT or SIGTERM has come */
    int64_t now, stop_by, idle_timeout;         /* ms; now is that of this turn of the loop */
    int slots, table_size;                      /* --slots; and the spare ones */
    int open;                                   /* slots in use */
    int sweep; /* the client that sweep() looks at next; table_size: none */
    unsigned long served, enters;
    struct client *clients; /* table_size of them */
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
        params = (struct io_uring_params){.flags = flag_sets[i] | IORING_SETUP_CQSIZE,
                                          .cq_entries = CQ_ENTRIES};
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
    ret = io_uring_register_files_sparse(&s->ring, (unsigned)s->table_size);
    if (ret < 0)
        die("io_uring_register_files_sparse", -ret, refusal_hint(ret));
}

/* Memory for every client there can ever be; the loop allocates nothing. */
static void make_clients(struct server *s, const struct options *options)
{
    s->slots = (int)options->slots;
    s->table_size = s->slots + SPARE_SLOTS;
    s->sweep = s->table_size;
    s->idle_timeout = options->idle_timeout * INT64_C(1000);
    s->clients = calloc((size_t)s->table_size, sizeof *s->clients);
    if (!s->clients)
        die("calloc", errno, "try fewer --slots");
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* SIGINT and SIGTERM no longer interrupt; they make a descriptor readable. signalfd(2) */
static void catch_signals(struct server *s)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (s->signal_fd < 0)
        die("signalfd", errno, "see signalfd(2)");
}

/* A free submission queue entry. The loop hands out completions only while there is room for what
 * they arm, so there is always one, unless the liburing that was compiled against is not the one
 * that runs. io_uring_get_sqe(3). */
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
 * kernel copies to the completion, where dispatch() reads it. */
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
    s->accept = ACCEPTING;
}

/* Completes by itself only when there was nothing to cancel; what is cancelled completes with
 * -ECANCELED, or as if nothing had happened. io_uring_prep_cancel(3) */
static void arm_cancel(struct server *s, unsigned opcode, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_cancel64(sqe, name_of(opcode, client), 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    tag(s, sqe, client);
}

static bool expired(const struct server *s, int client)
{
    const struct client *c = &s->clients[client];
    if (s->stopping && (c->state == READING || s->now >= s->stop_by))
        return true;
    return s->now >= c->deadline;
}

/* A client whose time is up gets one last look at what has arrived, without waiting. */
static void arm_recv(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_recv(sqe, client, s->clients[client].buffer, BUFFER_SIZE,
                       expired(s, client) ? MSG_DONTWAIT : 0);
    sqe->flags |= IOSQE_FIXED_FILE; /* client is a slot, not a descriptor */
    tag(s, sqe, client);
}

/* Linked to what is armed next; says nothing when all is well. */
static void arm_send(struct server *s, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, MSG_WAITALL);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
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

static void arm_tick(struct server *s)
{
    static struct __kernel_timespec tick = {.tv_sec = TICK_MS / 1000,
                                            .tv_nsec = TICK_MS % 1000 * 1000000LL};
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_timeout(sqe, &tick, 0, 0);
    tag(s, sqe, 0);
    s->ticking = true;
}

static void arm_signal(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_read(sqe, s->signal_fd, &s->signal, sizeof s->signal, 0);
    tag(s, sqe, 0);
}

/* Submits what is armed and waits for so many completions. A wait that was interrupted or refused
 * for the moment loses nothing: what is not submitted yet goes with the next one.
 * io_uring_enter(2). */
static void enter(struct server *s, unsigned wait)
{
    int ret = io_uring_submit_and_wait(&s->ring, wait);
    s->enters++;
    if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
        die("io_uring_submit_and_wait", -ret, refusal_hint(ret));
    if (s->trace)
        say(STDERR_FILENO, "enter: submitted %d", ret < 0 ? 0 : ret);
}

/* The answer and the end of our direction, as one chain. One completion comes of it: that of the
 * shutdown, or of the send if that failed, and then no shutdown. io_uring_enter(2) */
static void answer(struct server *s, int client)
{
    s->clients[client].state = ANSWERING;
    s->clients[client].deadline = s->now + s->idle_timeout;
    arm_send(s, client);
    arm_shutdown(s, client);
}

/* To close a client that was not answered. Without the shutdown, kernels before 6.13 let it wait
 * for its EOF as long as other clients have receives in flight. */
static void hang_up(struct server *s, int client)
{
    s->clients[client].state = LEAVING;
    arm_shutdown(s, client);
}

/* FREE at once, not when the close has completed: by then the slot may have its next client, and
 * the completions of one enter come in any order. (6.1 shows that accept before the close.) */
static void close_client(struct server *s, int client)
{
    s->clients[client].state = FREE;
    arm_close(s, client);
}

/* Without IORING_CQE_F_MORE the accept has ended, whatever res says: it also ends with a client
 * when the completion queue is full. */
static void on_accept(struct server *s, int res, unsigned flags)
{
    if (!(flags & IORING_CQE_F_MORE))
        s->accept = PAUSED;
    if (res >= 0) {
        s->open++;
        s->clients[res].state = READING;
        s->clients[res].deadline = s->now + s->idle_timeout;
        arm_recv(s, res);
    } else if (res != -ECANCELED) {
        s->accept_failed = true; /* to try again at once could fail at once, for ever */
    }
    if (!s->ticking)
        arm_tick(s);
}

static void on_recv(struct server *s, int client, int res)
{
    struct client *c = &s->clients[client];
    assert(c->state == READING || c->state == DRAINING);

    if (c->state == READING) {
        if (res > 0)
            answer(s, client);
        else if (res == -ECANCELED)
            arm_recv(s, client);
        else /* it closed without a word, or broke, or its time is up: -EAGAIN */
            hang_up(s, client);
    } else if ((res > 0 || res == -ECANCELED) && !expired(s, client)) {
        arm_recv(s, client);
    } else {
        close_client(s, client);
    }
}

/* The send completes only when it has failed. */
static void on_send(struct server *s, int client)
{
    assert(s->clients[client].state == ANSWERING);
    close_client(s, client);
}

static void on_shutdown(struct server *s, int client, int res)
{
    struct client *c = &s->clients[client];
    assert(c->state == ANSWERING || c->state == LEAVING);

    if (c->state == ANSWERING && res == 0) {
        s->served++;
        c->state = DRAINING;
        arm_recv(s, client);
    } else {
        close_client(s, client);
    }
}

static void on_close(struct server *s)
{
    s->open--;
}

static void on_tick(struct server *s)
{
    s->ticking = s->accept_failed = false;
    s->sweep = 0;
    if (s->open > 0)
        arm_tick(s);
}

/* The first signal: no new client, the last look at those that have not asked, a moment for the
 * others. The second: no more of that. */
static void on_signal(struct server *s)
{
    if (s->stopping) {
        say(STDERR_FILENO, "server: second signal: %d clients dropped (one signal waits for them)",
            s->open);
        exit(1);
    }
    s->stopping = true;
    s->stop_by = s->now + STOP_GRACE_MS;
    s->sweep = 0;
    shutdown(s->listen_fd, SHUT_RDWR); /* ends the accept: it completes with -EINVAL */
    arm_signal(s);
}

/* The one place that reads user_data. */
static void dispatch(struct server *s, const struct io_uring_cqe *cqe)
{
    int client = (int)(cqe->user_data >> 8);
    if (s->trace)
        trace_cqe(cqe);
    switch (cqe->user_data & 0xff) {
    case IORING_OP_ACCEPT:
        on_accept(s, cqe->res, cqe->flags);
        break;
    case IORING_OP_RECV:
        on_recv(s, client, cqe->res);
        break;
    case IORING_OP_SEND:
        on_send(s, client);
        break;
    case IORING_OP_SHUTDOWN:
        on_shutdown(s, client, cqe->res);
        break;
    case IORING_OP_CLOSE:
        on_close(s);
        break;
    case IORING_OP_TIMEOUT:
        on_tick(s);
        break;
    case IORING_OP_READ:
        on_signal(s);
        break;
    default: /* IORING_OP_ASYNC_CANCEL found nothing to cancel: it had just completed */
        break;
    }
}

/* Cancels the receives of all waiting clients; on_recv() arms them again, or finds their time up.
 * Besides the timeouts this bounds the kernel's memory: before 6.13 it keeps every socket that was
 * closed in a slot until all receives that were in flight at the time have ended. A sweep takes as
 * many turns of the loop as the submission queue asks for. */
static void sweep(struct server *s)
{
    for (; s->sweep < s->table_size && io_uring_sq_space_left(&s->ring) > 1; s->sweep++) {
        if (s->clients[s->sweep].state == READING || s->clients[s->sweep].state == DRAINING)
            arm_cancel(s, IORING_OP_RECV, s->sweep);
    }
}

/* Pauses accepting when all slots are taken, and takes it up again below. */
static void adjust_accept(struct server *s)
{
    if (s->accept == ACCEPTING && s->open >= s->slots) {
        s->accept = PAUSING;
        arm_cancel(s, IORING_OP_ACCEPT, 0);
        while (io_uring_sq_ready(&s->ring) > 0)
            enter(s, 0);
    } else if (s->accept == PAUSED && s->open < s->slots && !s->accept_failed && !s->stopping) {
        arm_accept(s);
    }
}

/* One turn: submit what the last one armed, wait, and hand out what has completed. The entries go
 * back to the kernel last, when the accept is paused if it must be: until then it can accept no
 * more than the completion queue has room for. */
static void event_loop(struct server *s)
{
    arm_signal(s);
    arm_accept(s);
    while (!s->stopping || s->accept != PAUSED || s->open > 0) {
        struct io_uring_cqe *cqe;
        unsigned head, handled = 0;

        enter(s, s->sweep < s->table_size ? 0 : 1);
        s->now = now_ms();
        io_uring_for_each_cqe(&s->ring, head, cqe)
        {
            if (io_uring_sq_space_left(&s->ring) < SQES_PER_CQE + 1)
                break;
            dispatch(s, cqe);
            handled++;
        }
        sweep(s);
        adjust_accept(s);
        io_uring_cq_advance(&s->ring, handled);
    }
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv, "aptsi");
    static struct server server;

    server.trace = options.trace;
    make_clients(&server, &options);
    catch_signals(&server);
    setup_ring(&server);
    register_files(&server);
    server.listen_fd = listen_on(&options.address);
    event_loop(&server);

    say(STDOUT_FILENO, "served %lu clients in %lu io_uring_enter calls", server.served,
        server.enters);
    io_uring_queue_exit(&server.ring);
    free(server.clients);
    return 0;
}
