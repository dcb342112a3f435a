/*
 * What this machine's kernel and liburing support, and which of the four days can run on it.
 * Version numbers only hint at that: kernels are patched, and containers forbid calls. So it asks
 * the kernel, and for the verdict it does once what each day's server does.
 *
 * Try:  make doctor
 *
 * Exits 0 if all four days can run here, 1 if not.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/options.h"
#include "../common/trace.h"

enum {
    DEADLINE = 2, /* seconds, for each wait */
    COLUMNS = 4,
    COLUMN_WIDTH = 19
};

/* By number, not by IORING_...: an old liburing.h lacks the newest. */
static const char *const features[] = {
    "SINGLE_MMAP", "NODROP",      "SUBMIT_STABLE",   "RW_CUR_POS",   "CUR_PERSONALITY",
    "FAST_POLL",   "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG",      "NATIVE_WORKERS",
    "RSRC_TAGS",   "CQE_SKIP",    "LINKED_FILE",     "REG_REG_RING", "RECVSEND_BUNDLE",
    "MIN_TIMEOUT", "RW_ATTR",     "NO_IOWAIT"};

/* Some with another one that they are refused without. 14 and 15, NO_MMAP and REGISTERED_FD_ONLY,
 * are not here: they want memory of ours. */
static const struct {
    unsigned bits;
    const char *name;
} setup_flags[] = {
    {1U << 0, "IOPOLL"},
    {1U << 1, "SQPOLL"},
    {1U << 2 | 1U << 1, "SQ_AFF"},
    {1U << 3, "CQSIZE"},
    {1U << 4, "CLAMP"},
    {1U << 5, "ATTACH_WQ"},
    {1U << 6, "R_DISABLED"},
    {1U << 7, "SUBMIT_ALL"},
    {1U << 8, "COOP_TASKRUN"},
    {1U << 9 | 1U << 8, "TASKRUN_FLAG"},
    {1U << 10, "SQE128"},
    {1U << 11, "CQE32"},
    {1U << 12, "SINGLE_ISSUER"},
    {1U << 13 | 1U << 12, "DEFER_TASKRUN"},
    {1U << 16, "NO_SQARRAY"},
    {1U << 17 | 1U << 0, "HYBRID_IOPOLL"},
    {1U << 18, "CQE_MIXED"},
    {1U << 19, "SQE_MIXED"},
    {1U << 20 | 1U << 16, "SQ_REWIND"},
};

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

/* What a day is tried with: a server, as the day has it, and two clients. */
struct check {
    struct io_uring ring;
    bool has_ring, has_table; /* with a file table, clients live in its slots */
    int listener, signal_fd;
    int clients[2];         /* the clients' ends */
    int served[2];          /* the server's ends: descriptors, or slots */
    unsigned opcode, flags; /* of the completion that next() took */
    int res;                /* the same */
    char buffer[64];
    struct signalfd_siginfo signal;
};

static char header_version[40] = "unknown (before 2.4)";
static char library_version[40] = "unknown (before 2.4)", library_path[PATH_MAX];
static char why[800]; /* what failed last: "REASON (REMEDY)" */

/* Says why. Returns false, for the caller to return. */
__attribute__((format(printf, 1, 2))) static bool fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return false;
}

/* An io_uring call has returned ret. */
static bool refused(const char *what, int ret)
{
    return fail("%s: %s (%s)", what, strerror(-ret), refusal_hint(ret));
}

/* What to try: against a lack, if that is what err says, or otherwise. */
static const char *remedy(int err, const char *otherwise)
{
    bool lack = err == EMFILE || err == ENFILE || err == ENOMEM;
    return lack ? refusal_hint(-err) : otherwise;
}

/* A plain socket call has set errno. */
static bool socket_failed(const char *call)
{
    int err = errno;
    return fail("%s on 127.0.0.1: %s (%s)", call, strerror(err),
                remedy(err, "is the loopback interface up? try ip link set lo up as root"));
}

/* Calls int function(void) of the library that runs; -1 if it has none of that name. */
static int call_library(const char *function)
{
    int (*call)(void);
    void *symbol = dlsym(RTLD_DEFAULT, function);
    memcpy(&call, &symbol, sizeof call); /* ISO C has no cast for it: dlsym(3) */
    return symbol ? call() : -1;
}

/* liburing.h and the library tell their versions since 2.4. Before, the Makefile can tell that of
 * liburing.h, and the file's name that of the library. */
static void find_versions(void)
{
    int major = call_library("io_uring_major_version");
    int minor = call_library("io_uring_minor_version");
    void *symbol = dlsym(RTLD_DEFAULT, "io_uring_queue_exit");
    Dl_info info;
    if (symbol && dladdr(symbol, &info) && realpath(info.dli_fname, library_path) && major < 0) {
        const char *suffix = strstr(library_path, ".so.");
        if (suffix)
            sscanf(suffix, ".so.%d.%d", &major, &minor);
    }
    if (major >= 0 && minor >= 0)
        snprintf(library_version, sizeof library_version, "%d.%d", major, minor);
#ifdef IO_URING_VERSION_MAJOR
    snprintf(header_version, sizeof header_version, "%d.%d", IO_URING_VERSION_MAJOR,
             IO_URING_VERSION_MINOR);
#elif defined LIBURING_VERSION
    snprintf(header_version, sizeof header_version, "%s", LIBURING_VERSION);
#endif
}

static void show_versions(void)
{
    struct utsname kernel;
    uname(&kernel);
    find_versions();
    printf("kernel             %s %s %s\n", kernel.sysname, kernel.release, kernel.machine);
    printf("liburing.h         %s\n", header_version);
    printf("liburing library   %s  %s\n", library_version, library_path);
    if (*header_version != 'u' && *library_version != 'u' &&
        strcmp(header_version, library_version) != 0)
        printf("                   they differ: fine only if the library is the newer one\n");
}

/* Documentation/admin-guide/sysctl/kernel.rst of the kernel. */
static void show_sysctl(void)
{
    static const char *const meanings[] = {
        "every process may make a ring",
        "only root and the group kernel.io_uring_group may make a ring",
        "no process may make a ring",
    };
    unsigned value;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (!file)
        printf("io_uring_disabled  %s\n",
               errno == ENOENT ? "does not exist (before Linux 6.6)" : strerror(errno));
    else if (fscanf(file, "%u", &value) == 1 && value < sizeof meanings / sizeof *meanings)
        printf("io_uring_disabled  %u: %s\n", value, meanings[value]);
    else
        printf("io_uring_disabled  a value not known here\n");
    if (file)
        fclose(file);
}

/* One entry of a list in columns, the nth from 0. */
static void show(unsigned n, bool yes, const char *name)
{
    static int gap; /* what the one before left of its column */
    if (n % COLUMNS == 0)
        printf("\n  ");
    else
        printf("%*s", gap, "");
    gap = COLUMN_WIDTH - printf("%c %s", yes ? '+' : '-', name);
}

/* Makes a ring with each, by the system call: liburing would have to know the flag too, to use the
 * ring. Parameters of flags that are not set mean nothing to the kernel. io_uring_setup(2). */
static void show_setup_flags(const struct io_uring *ring)
{
    printf("\nsetup flags (+ accepted, - refused)");
    for (unsigned i = 0; i < sizeof setup_flags / sizeof *setup_flags; i++) {
        struct io_uring_params params = {.flags = setup_flags[i].bits,
                                         .cq_entries = 16,
                                         .sq_thread_cpu = (unsigned)sched_getcpu(),
                                         .wq_fd = (unsigned)ring->ring_fd};
        int fd = (int)syscall(__NR_io_uring_setup, 8, &params);
        show(i, fd >= 0, setup_flags[i].name);
        if (fd >= 0)
            close(fd);
    }
    printf("\n");
}

/* The kernel writes them into the parameters of every ring. io_uring_setup(2). */
static void show_features(unsigned bits)
{
    const unsigned known = sizeof features / sizeof *features;
    printf("\nfeatures (+ yes, - no)");
    for (unsigned i = 0; i < 32; i++) {
        char number[16];
        snprintf(number, sizeof number, "bit %u", i);
        if (i < known || bits >> i & 1)
            show(i, bits >> i & 1, i < known ? features[i] : number);
    }
    printf("\n");
}

/* io_uring_get_probe_ring(3), io_uring_opcode_supported(3). */
static void show_opcodes(struct io_uring *ring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    printf("\nopcodes (+ yes, - no)");
    if (!probe)
        printf("\n  not known: io_uring_get_probe_ring failed");
    for (unsigned op = 0; probe && (op <= probe->last_op || opcode_name(op)); op++) {
        char number[16];
        snprintf(number, sizeof number, "opcode %u", op);
        show(op, io_uring_opcode_supported(probe, (int)op),
             opcode_name(op) ? opcode_name(op) : number);
    }
    printf("\n");
    io_uring_free_probe(probe);
}

static void show_ring(void)
{
    struct io_uring ring;
    struct io_uring_params params = {0};
    int ret = io_uring_queue_init_params(8, &ring, &params);
    if (ret < 0) {
        printf("ring               no: %s (%s)\n", strerror(-ret), refusal_hint(ret));
        return;
    }
    printf("ring               yes\n");
    show_setup_flags(&ring);
    show_features(params.features);
    show_opcodes(&ring);
    io_uring_queue_exit(&ring);
}

/* Sockets wait here, not in calls of theirs with a time limit (SO_RCVTIMEO): these fail with EINTR,
 * though no signal came, when the kernel takes down a ring that was closed a moment ago, and stops
 * its task for that. poll(2) goes on waiting. */
static bool ready(int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};
    int n = poll(&entry, 1, DEADLINE * 1000);
    if (n == 0)
        errno = ETIMEDOUT;
    return n == 1;
}

/* listen_on() would say where it listens, and end the program if it cannot. */
static bool make_listener(struct check *c)
{
    const struct sockaddr_in any_port = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->listener < 0)
        return socket_failed("socket");
    if (bind(c->listener, (const struct sockaddr *)&any_port, sizeof any_port) < 0)
        return socket_failed("bind");
    return listen(c->listener, 2) == 0 || socket_failed("listen");
}

/* Client 0 sends a byte, and its end; client 1 says nothing. */
static bool connect_client(struct check *c, int i)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = c->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return socket_failed("socket");
    if (getsockname(c->listener, (struct sockaddr *)&address, &length) < 0)
        return socket_failed("getsockname");
    if ((connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS) ||
        !ready(fd, POLLOUT))
        return socket_failed("connect");
    if (i == 0 && (send(fd, "?", 1, 0) != 1 || shutdown(fd, SHUT_WR) < 0))
        return socket_failed("send");
    return true;
}

/* Client 0 gets the answer and no more. When the server's end is there, so is all before it. */
static bool is_answered(struct check *c)
{
    char text[2 * sizeof ANSWER];
    ssize_t n = ready(c->clients[0], POLLRDHUP) ? recv(c->clients[0], text, sizeof text, 0) : -1;
    if (n < 0)
        return socket_failed("recv");
    return n == sizeof ANSWER ||
           fail("%zd bytes came of %zu sent (try Linux 6.1 or newer)", n, sizeof ANSWER);
}

/* A ring as the days' setup_ring() makes it; cq_entries 0: as many as the kernel makes. */
static bool make_ring(struct check *c, unsigned entries, unsigned cq_entries)
{
    static const unsigned flag_sets[] = {
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SUBMIT_ALL,
        0,
    };
    int ret = -EINVAL;
    for (size_t i = 0; ret == -EINVAL && i < sizeof flag_sets / sizeof *flag_sets; i++) {
        struct io_uring_params params = {.flags =
                                             flag_sets[i] | (cq_entries ? IORING_SETUP_CQSIZE : 0),
                                         .cq_entries = cq_entries};
        ret = io_uring_queue_init_params(entries, &c->ring, &params);
    }
    c->has_ring = ret >= 0;
    return c->has_ring || refused("io_uring_queue_init_params", ret);
}

static bool make_table(struct check *c, unsigned slots)
{
    int ret = io_uring_register_ring_fd(&c->ring);
    if (ret != 1) /* how many were registered */
        return refused("io_uring_register_ring_fd", ret);
    ret = io_uring_register_files_sparse(&c->ring, slots);
    c->has_table = ret >= 0;
    return c->has_table || refused("io_uring_register_files_sparse", ret);
}

/* on: the client, as in c->served; for a cancel, the opcode of what it cancels. */
static void prepare(struct check *c, struct io_uring_sqe *sqe, unsigned opcode, int on)
{
    static struct __kernel_timespec soon = {.tv_nsec = 1000000};
    switch (opcode) {
    case IORING_OP_ACCEPT:
        if (c->has_table)
            io_uring_prep_multishot_accept_direct(sqe, c->listener, NULL, NULL, 0);
        else
            io_uring_prep_accept(sqe, c->listener, NULL, NULL, SOCK_CLOEXEC);
        return;
    case IORING_OP_CLOSE:
        if (c->has_table)
            io_uring_prep_close_direct(sqe, (unsigned)on);
        else
            io_uring_prep_close(sqe, on);
        return;
    case IORING_OP_ASYNC_CANCEL:
        io_uring_prep_cancel64(sqe, (unsigned)on, 0);
        return;
    case IORING_OP_TIMEOUT:
        io_uring_prep_timeout(sqe, &soon, 0, 0);
        return;
    case IORING_OP_READ:
        io_uring_prep_read(sqe, c->signal_fd, &c->signal, sizeof c->signal, 0);
        return;
    case IORING_OP_RECV:
        io_uring_prep_recv(sqe, on, c->buffer, sizeof c->buffer, 0);
        break;
    case IORING_OP_SEND:
        io_uring_prep_send(sqe, on, ANSWER, sizeof ANSWER, MSG_WAITALL);
        break;
    case IORING_OP_SHUTDOWN:
        io_uring_prep_shutdown(sqe, on, SHUT_WR);
        break;
    }
    if (c->has_table) /* on is a slot */
        sqe->flags |= IOSQE_FIXED_FILE;
}

/* Arms an operation, under its opcode as its name: there is never a second one of it. */
static bool arm(struct check *c, unsigned opcode, int on, unsigned flags)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    if (!sqe) /* a liburing.h from 2.3 on reads what a library before 2.3 does not write */
        return fail("io_uring_get_sqe: no entry in an empty ring; liburing.h is %s, the library is "
                    "%s (remove the older liburing or run ldconfig, then make clean all)",
                    header_version, library_version);
    prepare(c, sqe, opcode, on);
    sqe->flags |= (uint8_t)flags;
    io_uring_sqe_set_data64(sqe, opcode);
    return true;
}

/* Submits what is armed, and takes the next completion. wanted: whose it should be. */
static bool next(struct check *c, unsigned wanted)
{
    struct __kernel_timespec limit = {.tv_sec = DEADLINE};
    struct io_uring_cqe *cqe;
    int ret = io_uring_submit(&c->ring);
    if (ret >= 0)
        ret = io_uring_wait_cqe_timeout(&c->ring, &cqe, &limit);
    if (ret == -ETIME) /* a TIMEOUT can end the wait, and complete after that: once more */
        ret = io_uring_wait_cqe_timeout(&c->ring, &cqe, &limit);
    if (ret == -ETIME)
        return fail("%s: no completion in %d seconds (try Linux 6.1 or newer)", opcode_name(wanted),
                    2 * DEADLINE);
    if (ret < 0)
        return refused("io_uring_enter", ret);
    c->opcode = (unsigned)cqe->user_data;
    c->flags = cqe->flags;
    c->res = cqe->res;
    io_uring_cqe_seen(&c->ring, cqe);
    return true;
}

/* What next() took is not what should have come. */
static bool unexpected(const struct check *c)
{
    return fail("%s: %s (%s)", opcode_name(c->opcode),
                c->res < 0 ? strerror(-c->res) : "an unexpected completion",
                remedy(-c->res, "try Linux 6.1 or newer"));
}

static bool expect(struct check *c, unsigned opcode, int res)
{
    return next(c, opcode) && ((c->opcode == opcode && c->res == res) || unexpected(c));
}

/* Client i connects, and the accept, which is armed, has it. */
static bool accept_client(struct check *c, int i)
{
    if (!connect_client(c, i) || !next(c, IORING_OP_ACCEPT))
        return false;
    if (c->opcode != IORING_OP_ACCEPT || c->res < 0)
        return unexpected(c);
    if (c->has_table && !(c->flags & IORING_CQE_F_MORE))
        return fail("multishot ACCEPT: over after a client (try Linux 6.1 or newer)");
    c->served[i] = c->res;
    return true;
}

/* One operation, and nothing else in flight that completes. */
static bool run(struct check *c, unsigned opcode, int on, int res)
{
    return arm(c, opcode, on, 0) && expect(c, opcode, res);
}

static bool serve(struct check *c)
{
    int client = c->served[0];
    return run(c, IORING_OP_RECV, client, 1) && run(c, IORING_OP_SEND, client, sizeof ANSWER) &&
           run(c, IORING_OP_SHUTDOWN, client, 0) && run(c, IORING_OP_RECV, client, 0) &&
           run(c, IORING_OP_CLOSE, client, 0) && is_answered(c);
}

/* The cancel and the accept complete, in whichever order. */
static bool cancel_accept(struct check *c)
{
    if (!arm(c, IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT, 0))
        return false;
    for (int i = 0; i < 2; i++) {
        if (!next(c, IORING_OP_ASYNC_CANCEL))
            return false;
        if (c->res != (c->opcode == IORING_OP_ACCEPT ? -ECANCELED : 0))
            return unexpected(c);
    }
    return true;
}

/* A timeout. If an operation before it completes that should not, that one is seen first. */
static bool tick(struct check *c)
{
    return run(c, IORING_OP_TIMEOUT, 0, -ETIME);
}

/* As serve(), but send and shutdown are a chain, and only the shutdown completes. */
static bool serve_linked(struct check *c)
{
    int client = c->served[0];
    return run(c, IORING_OP_RECV, client, 1) &&
           arm(c, IORING_OP_SEND, client, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS) &&
           run(c, IORING_OP_SHUTDOWN, client, 0) && tick(c) && run(c, IORING_OP_RECV, client, 0) &&
           run(c, IORING_OP_CLOSE, client, 0) && is_answered(c);
}

/* A receive that waits, as client 1 is silent, and a cancel that does not complete itself. */
static bool cancel_recv(struct check *c)
{
    return arm(c, IORING_OP_RECV, c->served[1], 0) && tick(c) &&
           arm(c, IORING_OP_ASYNC_CANCEL, IORING_OP_RECV, IOSQE_CQE_SKIP_SUCCESS) &&
           expect(c, IORING_OP_RECV, -ECANCELED) && tick(c);
}

/* Not SIGINT or SIGTERM, as in the server: Ctrl-C should end us. It stays blocked. signalfd(2) */
static bool read_signal(struct check *c)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    c->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (c->signal_fd < 0)
        return fail("signalfd: %s (see signalfd(2))", strerror(errno));
    if (!arm(c, IORING_OP_READ, 0, 0) || !tick(c))
        return false;
    kill(getpid(), SIGUSR1);
    return expect(c, IORING_OP_READ, sizeof c->signal);
}

/* As day 4 does to stop. */
static bool end_accept(struct check *c)
{
    shutdown(c->listener, SHUT_RDWR);
    return expect(c, IORING_OP_ACCEPT, -EINVAL);
}

static bool day01(struct check *c)
{
    if (!make_listener(c) || !connect_client(c, 0))
        return false;
    int client = ready(c->listener, POLLIN) ? accept4(c->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (client < 0)
        return socket_failed("accept");
    bool served = ready(client, POLLRDHUP) && recv(client, c->buffer, sizeof c->buffer, 0) == 1 &&
                  send(client, ANSWER, sizeof ANSWER, 0) == sizeof ANSWER &&
                  shutdown(client, SHUT_WR) == 0 &&
                  recv(client, c->buffer, sizeof c->buffer, 0) == 0;
    if (!served)
        socket_failed("a connection");
    close(client);
    return served && is_answered(c);
}

static bool day02(struct check *c)
{
    return make_ring(c, 8, 0) && make_listener(c) && arm(c, IORING_OP_ACCEPT, 0, 0) &&
           accept_client(c, 0) && serve(c);
}

/* The sizes are those of the servers, so that the limits of this machine count as well. */
static bool day03(struct check *c)
{
    return make_ring(c, 8, 0) && make_table(c, 81) && make_listener(c) &&
           arm(c, IORING_OP_ACCEPT, 0, 0) && accept_client(c, 0) && accept_client(c, 1) &&
           serve(c) && cancel_accept(c);
}

static bool day04(struct check *c)
{
    return make_ring(c, 512, 1024) && make_table(c, 2049) && make_listener(c) &&
           arm(c, IORING_OP_ACCEPT, 0, 0) && accept_client(c, 0) && accept_client(c, 1) &&
           serve_linked(c) && cancel_recv(c) && read_signal(c) && end_accept(c);
}

static bool verdict(int number, bool (*day)(struct check *))
{
    static struct check c; /* a ring may still write to its buffers after io_uring_queue_exit() */
    c = (struct check){.listener = -1, .clients = {-1, -1}, .signal_fd = -1};
    bool ok = day(&c);
    printf("day%02d  %s%s\n", number, ok ? "ok" : "no: ", ok ? "" : why);

    const int fds[] = {c.listener, c.clients[0], c.clients[1], c.signal_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    if (c.has_ring)
        io_uring_queue_exit(&c.ring);
    return ok;
}

int main(int argc, char **argv)
{
    static bool (*const days[])(struct check *) = {day01, day02, day03, day04};
    int ok = 0;

    parse_options(argc, argv, ""); /* none but --help */
    show_versions();
    show_sysctl();
    show_ring();
    printf("\n");
    for (int i = 0; i < 4; i++)
        ok += verdict(i + 1, days[i]);
    return ok == 4 ? 0 : 1;
}
