/*
 * For comparison: the way of the source article, made to survive. Its way is kept: no setup flag, a
 * ring of 8, an allocation for each event and one for its buffer, reads and writes, and each
 * operation submitted alone and waited for alone. Changed is what it dies of, or what the protocol
 * of the four days asks for: the file table has room for all, the slot is closed and not a
 * descriptor of that number, the accept is armed again when it has ended, a failed operation ends
 * its connection and not the server, the answer is followed by a shutdown, the rest of the request
 * is read. It does not print what it reads.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

#include "../../common/listen.h"
#include "../../common/options.h"
#include "../../common/ring.h" /* refusal_hint */
#include "../../common/say.h"

enum { ENTRIES = 8, TABLE_SIZE = 8192, BUFFER_SIZE = 1024 };

enum type { ACCEPT, READ, WRITE, SHUTDOWN, DRAIN, CLOSE, SIGNAL };

struct event {
    enum type type;
    int client; /* a slot of the file table */
    char *buffer;
};

static struct io_uring ring;
static int listen_fd;
static unsigned long served, calls;

static struct event *new_event(enum type type, int client)
{
    struct event *event = malloc(sizeof *event);
    char *buffer = malloc(BUFFER_SIZE);
    if (event && buffer) {
        *event = (struct event){.type = type, .client = client, .buffer = buffer};
        return event;
    }
    die("malloc", errno, "too many clients");
}

static void delete_event(struct event *event)
{
    free(event->buffer);
    free(event);
}

static struct io_uring_sqe *get_sqe(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (!sqe)
        die("io_uring_get_sqe", EBUSY, "try make doctor");
    return sqe;
}

static void submit(struct io_uring_sqe *sqe, struct event *event)
{
    io_uring_sqe_set_data(sqe, event);
    calls++;
    int ret = io_uring_submit(&ring);
    if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
        die("io_uring_submit", -ret, refusal_hint(ret));
}

static void submit_accept(struct event *event)
{
    struct io_uring_sqe *sqe = get_sqe();
    io_uring_prep_multishot_accept_direct(sqe, listen_fd, NULL, NULL, 0);
    submit(sqe, event);
}

static void submit_read(enum type type, int client)
{
    struct event *event = new_event(type, client);
    struct io_uring_sqe *sqe = get_sqe();
    io_uring_prep_read(sqe, client, event->buffer, BUFFER_SIZE, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    submit(sqe, event);
}

static void submit_answer(int client)
{
    struct event *event = new_event(WRITE, client);
    struct io_uring_sqe *sqe = get_sqe();
    memcpy(event->buffer, "ack\n", 4);
    io_uring_prep_write(sqe, client, event->buffer, 4, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    submit(sqe, event);
}

static void submit_shutdown(int client)
{
    struct event *event = new_event(SHUTDOWN, client);
    struct io_uring_sqe *sqe = get_sqe();
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    sqe->flags |= IOSQE_FIXED_FILE;
    submit(sqe, event);
}

static void submit_close(int client)
{
    struct event *event = new_event(CLOSE, client);
    struct io_uring_sqe *sqe = get_sqe();
    io_uring_prep_close_direct(sqe, (unsigned)client);
    submit(sqe, event);
}

/* Returns false when it is time to end. */
static bool handle(struct event *event, int res, unsigned flags)
{
    int client = event->client;
    switch (event->type) {
    case ACCEPT:
        if (res >= 0)
            submit_read(READ, res);
        if (!(flags & IORING_CQE_F_MORE))
            submit_accept(event);
        return true; /* the event is that of the next client, too */
    case READ:
        if (res > 0)
            submit_answer(client);
        else
            submit_close(client);
        break;
    case WRITE:
        if (res > 0)
            submit_shutdown(client);
        else
            submit_close(client);
        break;
    case SHUTDOWN:
        served += res == 0;
        submit_read(DRAIN, client);
        break;
    case DRAIN:
        if (res > 0)
            submit_read(DRAIN, client);
        else
            submit_close(client);
        break;
    case CLOSE:
        break;
    case SIGNAL:
        delete_event(event);
        return false;
    }
    delete_event(event);
    return true;
}

static void event_loop(int signal_fd)
{
    struct event *accept = new_event(ACCEPT, 0), *end = new_event(SIGNAL, 0);
    struct io_uring_sqe *sqe = get_sqe();
    io_uring_prep_read(sqe, signal_fd, end->buffer, BUFFER_SIZE, 0);
    submit(sqe, end);
    submit_accept(accept);

    for (bool more = true; more;) {
        struct io_uring_cqe *cqe;
        if (io_uring_peek_cqe(&ring, &cqe) < 0) { /* as io_uring_wait_cqe does; here to count */
            calls++;
            int ret = io_uring_wait_cqe(&ring, &cqe);
            if (ret == -EINTR)
                continue;
            if (ret < 0)
                die("io_uring_wait_cqe", -ret, refusal_hint(ret));
        }
        more = handle(io_uring_cqe_get_data(cqe), cqe->res, cqe->flags);
        io_uring_cqe_seen(&ring, cqe);
    }
    delete_event(accept);
}

int main(int argc, char **argv)
{
    prepare_output();
    struct options options = parse_options(argc, argv, "ap");
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);

    int ret = io_uring_queue_init(ENTRIES, &ring, 0);
    if (ret < 0)
        die("io_uring_queue_init", -ret, refusal_hint(ret));
    ret = io_uring_register_ring_fd(&ring);
    if (ret != 1)
        die("io_uring_register_ring_fd", -ret, refusal_hint(ret));
    ret = io_uring_register_files_sparse(&ring, TABLE_SIZE);
    if (ret < 0)
        die("io_uring_register_files_sparse", -ret, refusal_hint(ret));
    listen_fd = listen_on(&options.address);
    event_loop(signal_fd);
    say(STDOUT_FILENO, "served %lu clients in %lu system calls", served, calls);
    return 0;
}
