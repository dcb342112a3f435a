/*
 * The echo: day 4's event loop for connections that stay. Every byte comes back, in order. One
 * receive for each client completes as often as bytes come, into buffers that all clients share;
 * a client holds those whose bytes it is owed, and one send at a time empties them.
 *
 * Try:  make day04/echo && ./day04/echo --trace      then, in a second terminal,
 *       nc 127.0.0.1 4242
 *
 * Needs Linux 6.1 and liburing 2.3: make doctor says what this machine has.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/listen.h"
#include "../common/options.h"
#include "../common/ring.h"
#include "../common/say.h"
#include "../common/trace.h"

/* Small ones are for the tests: the rarest turns of the loop become the usual ones. */
#ifndef SQ_ENTRIES
#define SQ_ENTRIES 512
#endif
#ifndef CQ_ENTRIES
#define CQ_ENTRIES (2 * SQ_ENTRIES)
#endif
#ifndef BUFFERS
#define BUFFERS 128
#endif

enum {
    NOBODY = -1,      /* the client of what is armed for no client */
    SQES_PER_CQE = 2, /* the most that one completion makes us arm */
    GROUP = 0,        /* the ring can have several groups of buffers; ours has this number */
    BUFFER_SIZE = 16384,
    OWN_SIZE = 128,      /* of the buffer that each client has to itself */
    HELD_MAX = 4,        /* a client that holds so many buffers is read no further */
    TICK_MS = 1000,      /* how often waiting clients are looked after */
    STOP_GRACE_MS = 500, /* after SIGTERM, what clients get to read, and again to close */
    IMPATIENT_MS = 100,  /* a second signal counts after so long: timeout(1) sends it twice */

    /* A pause comes too late for those that the kernel has accepted by then: as many as the
     * completion queue holds, one more, and on Linux 6.2 to 6.9 the 16 completions that it holds
     * back. They need slots too, or they would be dropped. */
    HELD_BACK = 16,
    SPARE_SLOTS = CQ_ENTRIES + 1 + HELD_BACK
};
_Static_assert(SQ_ENTRIES >= SQES_PER_CQE + 1, "one completion, and one change to the accept");
_Static_assert((SQ_ENTRIES & (SQ_ENTRIES - 1)) == 0 && (CQ_ENTRIES & (CQ_ENTRIES - 1)) == 0,
               "the kernel rounds up to powers of two: SPARE_SLOTS would be too few");
_Static_assert((BUFFERS & (BUFFERS - 1)) == 0 && BUFFERS <= 32768, "the kernel takes no others");

/* A client. Its number is its slot in the ring's file table, and its index in server.clients. At
 * most one receive and one send are in flight for it, and its slot is closed when none is. */
struct client {
    enum state {
        FREE,    /* none; the slot is closed, or its close is armed */
        ECHOING, /* it is read, and gets back what it sends */
        ENDING,  /* it is read no further: it gets what it is owed, then a shutdown */
        DRAINING /* what it still sends is thrown away, until it closes */
    } state;
    bool receiving;   /* until a completion says that it was the receive's last */
    bool alone;       /* the next receive is into its own buffer: there was no other */
    int sending;      /* how many of its buffers are in flight */
    int held;         /* buffers whose bytes it is owed, */
    int first, last;  /* in the order in which they came */
    int64_t deadline; /* ms; it must send or read something before */
    char own[OWN_SIZE];
};

/* Numbers below BUFFERS are the shared ones; BUFFERS + n is client n's own. */
struct buffer {
    int next; /* of those that its client holds */
    int bytes;
};

/* What one SENDMSG sends; the kernel reads it when that is submitted. */
struct message {
    struct msghdr header;
    struct iovec pieces[HELD_MAX];
};

struct pool {
    struct io_uring_buf ring[BUFFERS]; /* those that the kernel may fill; begins with a page */
    char bytes[BUFFERS][BUFFER_SIZE];
};

struct server {
    struct io_uring ring;
    int listen_fd, signal_fd;
    struct signalfd_siginfo signals[2];         /* both at once, if both have come */
    enum { PAUSED, ACCEPTING, PAUSING } accept; /* a multishot accept is armed unless PAUSED */
    bool accept_failed;                         /* the next tick arms it again */
    bool listening;                             /* until the last call, after SIGINT or SIGTERM */
    bool stopping;                              /* one of these has come */
    bool ticking;                               /* a tick is armed */
    int64_t clock, now, stopped_at, patience;   /* ms: real; the clients' time */
    int slots, table_size;                      /* --slots; and the spare ones */
    int open;                                   /* slots in use */
    int next_to_sweep;                          /* a client; table_size: the sweep is over */
    unsigned long served, enters;
    int lent, most_lent;    /* shared buffers that clients hold */
    struct client *clients; /* table_size of them */
    struct buffer *buffers; /* BUFFERS and table_size of them */
    struct pool *pool;
    struct message messages[SQ_ENTRIES]; /* one for each SQE */
};

/* Makes the ring. Linux 6.1 knows all these flags; an older one refuses with -EINVAL.
 * io_uring_queue_init_params(3), io_uring_setup(2). */
static void setup_ring(struct server *s)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = CQ_ENTRIES};
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
    ret = io_uring_register_files_sparse(&s->ring, (unsigned)s->table_size);
    if (ret < 0)
        die("io_uring_register_files_sparse", -ret, refusal_hint(ret));
}

/* Memory for every client there can ever be; the loop allocates nothing. */
static void make_clients(struct server *s, const struct options *options)
{
    s->slots = options->slots;
    s->table_size = s->slots + SPARE_SLOTS;
    s->next_to_sweep = s->table_size;
    s->patience = options->idle_timeout * INT64_C(1000);
    s->clients = calloc((size_t)s->table_size, sizeof *s->clients);
    s->buffers = calloc((size_t)s->table_size + BUFFERS, sizeof *s->buffers);
    if (!s->clients || !s->buffers)
        die("calloc", errno, "try fewer --slots");
}

static char *memory_of(struct server *s, int buffer)
{
    return buffer < BUFFERS ? s->pool->bytes[buffer] : s->clients[buffer - BUFFERS].own;
}

/* A shared buffer goes to the kernel, which may fill it at once. io_uring_buf_ring_add(3) */
static void give_back(struct server *s, int buffer)
{
    struct io_uring_buf_ring *ring = (void *)s->pool->ring;
    if (buffer >= BUFFERS)
        return;
    io_uring_buf_ring_add(ring, s->pool->bytes[buffer], BUFFER_SIZE, (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(ring, 1);
    s->lent--;
}

/* The shared buffers: in memory from the start, not page by page as they are filled, and all in
 * the kernel's hands. io_uring_register_buf_ring(3) */
static void register_buffers(struct server *s)
{
    s->pool = mmap(NULL, sizeof *s->pool, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (s->pool == MAP_FAILED)
        die("mmap", errno, "see mmap(2)");
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)s->pool->ring, .ring_entries = BUFFERS, .bgid = GROUP};
    int ret = io_uring_register_buf_ring(&s->ring, &reg, 0);
    if (ret < 0)
        die("io_uring_register_buf_ring", -ret, refusal_hint(ret));
    s->lent = BUFFERS;
    for (int i = 0; i < BUFFERS; i++)
        give_back(s, i);
}

/* The clients' time: a turn counts as one tick at most, so that nobody's time runs out while the
 * server itself is stopped. */
static void read_clock(struct server *s)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t clock = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
    s->now += clock - s->clock < TICK_MS ? clock - s->clock : TICK_MS;
    s->clock = clock;
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
 * they arm, so here there always is one. io_uring_get_sqe(3). */
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
 * copies to the completion, where dispatch() reads it. */
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

/* What is cancelled completes with -ECANCELED, or as if nothing had happened. The cancel itself
 * completes only when it has found nothing to cancel. io_uring_prep_cancel(3) */
static void arm_cancel(struct server *s, unsigned opcode, int client)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_cancel64(sqe, user_data_of(opcode, client), 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    tag(sqe, client);
}

static bool expired(const struct server *s, int client)
{
    return s->now >= s->clients[client].deadline;
}

/* A client whose time is up gets a last look at what has arrived, without waiting. */
static bool last_look(const struct server *s, int client)
{
    return s->clients[client].state == ECHOING && (s->stopping || expired(s, client));
}

/* Armed once, completes whenever bytes come, each time with a shared buffer of the kernel's choice;
 * or once, into the client's own. io_uring_prep_recv_multishot(3) */
static void arm_recv(struct server *s, int client)
{
    struct client *c = &s->clients[client];
    struct io_uring_sqe *sqe = get_sqe(s);
    int flags = last_look(s, client) ? MSG_DONTWAIT : 0;
    if (c->alone) {
        io_uring_prep_recv(sqe, client, c->own, OWN_SIZE, flags);
    } else {
        io_uring_prep_recv_multishot(sqe, client, NULL, 0, flags);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
    }
    sqe->flags |= IOSQE_FIXED_FILE; /* client is a slot, not a descriptor */
    tag(sqe, client);
    c->receiving = true;
}

/* What the client holds, in one piece as far as it goes. */
static void arm_send(struct server *s, int client)
{
    struct client *c = &s->clients[client];
    struct io_uring_sqe *sqe = get_sqe(s);
    struct message *m = &s->messages[sqe - s->ring.sq.sqes];
    int buffer = c->first;
    c->sending = c->held < HELD_MAX ? c->held : HELD_MAX;
    for (int i = 0; i < c->sending; i++, buffer = s->buffers[buffer].next)
        m->pieces[i] = (struct iovec){memory_of(s, buffer), (size_t)s->buffers[buffer].bytes};
    m->header = (struct msghdr){.msg_iov = m->pieces, .msg_iovlen = (size_t)c->sending};
    io_uring_prep_sendmsg(sqe, client, &m->header, MSG_WAITALL);
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

static void arm_tick(struct server *s)
{
    static struct __kernel_timespec tick; /* the kernel reads it when this is submitted */
    int ms = s->stopping ? STOP_GRACE_MS : TICK_MS;
    tick = (struct __kernel_timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000LL};
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_timeout(sqe, &tick, 0, 0);
    tag(sqe, NOBODY);
    s->ticking = true;
}

static void arm_signal(struct server *s)
{
    struct io_uring_sqe *sqe = get_sqe(s);
    io_uring_prep_read(sqe, s->signal_fd, s->signals, sizeof s->signals, 0);
    tag(sqe, NOBODY);
}

/* Submits what is armed and waits until so many completions are there. A call that was interrupted
 * or refused for the moment loses nothing: what is not submitted yet goes with the next one.
 * io_uring_enter(2). */
static void enter(struct server *s, unsigned min_complete)
{
    trace_enter(io_uring_sq_ready(&s->ring), min_complete);
    int ret = io_uring_submit_and_wait(&s->ring, min_complete);
    s->enters++;
    trace_return(ret);
    if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
        die("io_uring_submit_and_wait", -ret, refusal_hint(ret));
}

static void become(struct server *s, int client, enum state state)
{
    static const char *const names[] = {"FREE", "ECHOING", "ENDING", "DRAINING"};
    s->clients[client].state = state;
    trace_client(client, names[state]);
}

/* The client is owed these bytes now. */
static void hold(struct server *s, int client, int buffer, int bytes)
{
    struct client *c = &s->clients[client];
    s->buffers[buffer].bytes = bytes;
    if (c->held++ > 0)
        s->buffers[c->last].next = buffer;
    else
        c->first = buffer;
    c->last = buffer;
    if (!s->stopping)
        c->deadline = s->now + s->patience;
}

/* Its first buffers go back; so many bytes were in them. */
static int release(struct server *s, int client, int count)
{
    struct client *c = &s->clients[client];
    int bytes = 0;
    for (c->held -= count; count > 0; count--) {
        int buffer = c->first;
        c->first = s->buffers[buffer].next;
        bytes += s->buffers[buffer].bytes;
        give_back(s, buffer);
    }
    return bytes;
}

/* FREE at once, not when the close has completed: by then the slot may have its next client, and
 * the completions of one enter come in any order. (6.1 shows that accept before the close.) */
static void close_client(struct server *s, int client)
{
    become(s, client, FREE);
    arm_close(s, client);
}

/* What a client needs next. It is read anew only when it holds nothing: by then its own buffer is
 * free, and from then on it is read until it holds too much. */
static void go_on(struct server *s, int client)
{
    struct client *c = &s->clients[client];
    if (c->held > 0 && c->sending == 0)
        arm_send(s, client);
    else if (c->held == 0 && !c->receiving && c->state == ENDING)
        arm_shutdown(s, client);
    else if (c->held == 0 && !c->receiving)
        arm_recv(s, client);
}

/* Without IORING_CQE_F_MORE the accept has ended, whatever res says: it also ends with a client
 * when the completion queue is full. */
static void on_accept(struct server *s, int res, unsigned flags)
{
    if (!(flags & IORING_CQE_F_MORE))
        s->accept = PAUSED;
    if (res >= 0) {
        s->open++;
        become(s, res, ECHOING);
        s->clients[res].deadline = s->now + s->patience;
        go_on(s, res);
    } else if (res != -ECANCELED) {
        s->accept_failed = true; /* to try again at once could fail at once, for ever */
    }
    if (!s->ticking)
        arm_tick(s);
}

/* The receive has ended, which does not mean that the client has. One that was cancelled says
 * -EINTR when a worker thread had it. */
static void on_recv_end(struct server *s, int client, int res)
{
    struct client *c = &s->clients[client];
    bool late = expired(s, client);
    bool more = res > 0 || res == -ENOBUFS || res == -ECANCELED || res == -EINTR ||
                (res == -EAGAIN && !last_look(s, client));
    c->receiving = false;
    c->alone = res == -ENOBUFS;

    if (c->state == DRAINING && (late || !more)) {
        close_client(s, client);
        return;
    }
    if (c->state == ECHOING && (!more || (late && s->stopping)))
        become(s, client, ENDING);
    go_on(s, client);
}

/* Brings bytes, or the end of the receive, or both. */
static void on_recv(struct server *s, int client, int res, unsigned flags)
{
    struct client *c = &s->clients[client];
    bool shared = flags & IORING_CQE_F_BUFFER;
    int buffer = shared ? (int)(flags >> IORING_CQE_BUFFER_SHIFT) : BUFFERS + client;
    assert(c->state != FREE && c->receiving);

    if (shared && ++s->lent > s->most_lent)
        s->most_lent = s->lent;
    if (res > 0 && c->state == ECHOING)
        hold(s, client, buffer, res);
    else if (shared)
        give_back(s, buffer);

    if (!(flags & IORING_CQE_F_MORE)) {
        on_recv_end(s, client, res);
        return;
    }
    if (c->held > 0 && c->held % HELD_MAX == 0) /* again, should the first have missed it */
        arm_cancel(s, IORING_OP_RECV, client);
    go_on(s, client);
}

/* One that failed or fell short was the last: the connection is broken, or its time is up. */
static void on_send(struct server *s, int client, int res)
{
    struct client *c = &s->clients[client];
    assert(c->sending > 0 && (c->state == ECHOING || c->state == ENDING));

    bool sent = res == release(s, client, c->sending);
    c->sending = 0;
    if (sent && !s->stopping)
        c->deadline = s->now + s->patience;
    if (!sent) {
        release(s, client, c->held);
        become(s, client, ENDING);
        if (c->receiving)
            arm_cancel(s, IORING_OP_RECV, client);
    }
    go_on(s, client);
}

static void on_shutdown(struct server *s, int client, int res)
{
    assert(s->clients[client].state == ENDING);
    if (res < 0 || expired(s, client)) {
        close_client(s, client);
        return;
    }
    s->served++;
    become(s, client, DRAINING);
    s->clients[client].deadline = s->now + s->patience;
    arm_recv(s, client);
}

static void on_close(struct server *s, int res)
{
    assert(res == 0);
    s->open--;
}

static void on_tick(struct server *s, int res)
{
    assert(res == -ETIME);
    s->ticking = s->accept_failed = false;
    s->next_to_sweep = 0;
    if (s->open > 0)
        arm_tick(s);
}

/* No new clients after a last call, a last look at what the others have sent, a moment for them to
 * read what they are owed, and one to close. */
static void stop(struct server *s)
{
    s->stopping = true;
    s->stopped_at = s->now;
    s->patience = STOP_GRACE_MS;
    for (int i = 0; i < s->table_size; i++)
        if (s->clients[i].deadline > s->now + s->patience)
            s->clients[i].deadline = s->now + s->patience;
    s->next_to_sweep = 0;
    arm_tick(s);
}

/* The first signal stops the server; another one, later, ends it at once. Anything else was no
 * signal: SIGSTOP and SIGCONT can end the read with -EINTR. */
static void on_signal(struct server *s, int res)
{
    bool signalled = res >= (int)sizeof *s->signals;
    if (signalled && s->stopping && s->now >= s->stopped_at + IMPATIENT_MS) {
        say(STDERR_FILENO, "server: second signal: %d clients dropped (one signal waits for them)",
            s->open);
        exit(1);
    }
    if (signalled && !s->stopping)
        stop(s);
    arm_signal(s);
}

/* The one place that reads user_data. */
static void dispatch(struct server *s, const struct io_uring_cqe *cqe)
{
    int client = (int)(cqe->user_data >> 8);
    trace_cqe(cqe);
    switch (cqe->user_data & 0xff) {
    case IORING_OP_ACCEPT:
        on_accept(s, cqe->res, cqe->flags);
        break;
    case IORING_OP_RECV:
        on_recv(s, client, cqe->res, cqe->flags);
        break;
    case IORING_OP_SENDMSG:
        on_send(s, client, cqe->res);
        break;
    case IORING_OP_SHUTDOWN:
        on_shutdown(s, client, cqe->res);
        break;
    case IORING_OP_CLOSE:
        on_close(s, cqe->res);
        break;
    case IORING_OP_TIMEOUT:
        on_tick(s, cqe->res);
        break;
    case IORING_OP_READ:
        on_signal(s, cqe->res);
        break;
    default: /* a cancel that found nothing: what it was to cancel had just completed */
        assert(cqe->res < 0);
        break;
    }
}

/* Cancels the sends of those that have not read in time, and the receives of all others, which are
 * armed again or find their time up. Besides the timeouts this bounds the kernel's memory: before
 * 6.13 it keeps every socket that was closed in a slot until all receives that were in flight at
 * the time have ended. A sweep takes as many turns of the loop as the submission queue asks for. */
static void sweep(struct server *s)
{
    while (s->next_to_sweep < s->table_size && io_uring_sq_space_left(&s->ring) > 1) {
        int client = s->next_to_sweep++;
        const struct client *c = &s->clients[client];
        if (c->sending > 0 && expired(s, client))
            arm_cancel(s, IORING_OP_SENDMSG, client);
        else if (c->receiving)
            arm_cancel(s, IORING_OP_RECV, client);
    }
}

static void submit_all(struct server *s)
{
    while (io_uring_sq_ready(&s->ring) > 0)
        enter(s, 0);
}

/* Pauses accepting when all slots are taken, and takes it up again below. When the server stops it
 * is paused, and taken up once more: a new accept takes whoever has connected by then, at once. */
static void adjust_accept(struct server *s)
{
    bool last_call = s->stopping && s->listening;
    if (s->accept == ACCEPTING && (s->open >= s->slots || last_call)) {
        s->accept = PAUSING;
        arm_cancel(s, IORING_OP_ACCEPT, NOBODY);
        submit_all(s);
    } else if (s->accept == PAUSED && s->listening && s->open < s->slots && !s->accept_failed) {
        arm_accept(s);
        if (!last_call)
            return;
        submit_all(s);
        if (io_uring_cq_ready(&s->ring) >= CQ_ENTRIES) /* it was full: there may be more */
            return;
        s->listening = false;
        if (shutdown(s->listen_fd, SHUT_RDWR) < 0) /* ends the accept: -EINVAL */
            die("shutdown", errno, "see shutdown(2)");
    }
}

/* One turn: submits what the last one armed, waits, and hands out what has completed. The entries
 * go back to the kernel last, when the accept is paused if it must be: until then it can accept no
 * more than the completion queue has room for. */
static void turn(struct server *s)
{
    struct io_uring_cqe *cqe;
    unsigned head, handled = 0;

    enter(s, s->next_to_sweep < s->table_size ? 0 : 1);
    read_clock(s);
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

/* What is sent in pieces must not wait for the acknowledgement of the piece before; accepted
 * sockets inherit it. tcp(7) */
static void send_at_once(struct server *s)
{
    if (setsockopt(s->listen_fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0)
        die("setsockopt TCP_NODELAY", errno, "see tcp(7)");
}

static void event_loop(struct server *s)
{
    arm_signal(s);
    arm_accept(s);
    while (s->listening || s->accept != PAUSED || s->open > 0)
        turn(s);
}

int main(int argc, char **argv)
{
    static struct server server;
    prepare_output();
    struct options options = parse_options(argc, argv, "aptsi");
    if (options.trace)
        trace_on();

    make_clients(&server, &options);
    catch_signals(&server);
    setup_ring(&server);
    register_files(&server);
    register_buffers(&server);
    server.listen_fd = listen_on(&options.address);
    send_at_once(&server);
    server.listening = true;
    event_loop(&server);

    assert(server.lent == 0);
    say(STDOUT_FILENO, "served %lu clients in %lu io_uring_enter calls, holding %d buffers at most",
        server.served, server.enters, server.most_lent);
    io_uring_queue_exit(&server.ring);
    free(server.clients);
    free(server.buffers);
    return 0;
}
