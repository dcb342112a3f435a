/*
 * What the kernel and liburing of this machine support, and which of the four days can run on it.
 * A version number would only hint at that: kernels are patched, and containers forbid calls. So
 * it asks the kernel, and for the verdict does once what each day's server does.
 *
 * Try:  make doctor
 *
 * Exits 0 if all four days can run here, 1 if not. No wait is longer than DEADLINE.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
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
#include "../common/say.h"
#include "../common/trace.h"

enum {
    DEADLINE = 2, /* seconds */
    COLUMNS = 4,
    COLUMN_WIDTH = 19,
    ANY = INT_MIN /* for expect(): whatever is no error */
};

static const char ANSWER[] = {'a', 'c', 'k', '\n'};

/* By number, not by IORING_...: an old liburing.h lacks the newest. */
static const struct {
    unsigned bit;
    const char *name;
    unsigned with; /* it is refused without these */
} setup_flags[] = {
    {1U << 0, "IOPOLL", 0},
    {1U << 1, "SQPOLL", 0},
    {1U << 2, "SQ_AFF", IORING_SETUP_SQPOLL},
    {1U << 3, "CQSIZE", 0},
    {1U << 4, "CLAMP", 0},
    {1U << 5, "ATTACH_WQ", 0},
    {1U << 6, "R_DISABLED", 0},
    {1U << 7, "SUBMIT_ALL", 0},
    {1U << 8, "COOP_TASKRUN", 0},
    {1U << 9, "TASKRUN_FLAG", IORING_SETUP_COOP_TASKRUN},
    {1U << 10, "SQE128", 0},
    {1U << 11, "CQE32", 0},
    {1U << 12, "SINGLE_ISSUER", 0},
    {1U << 13, "DEFER_TASKRUN", IORING_SETUP_SINGLE_ISSUER},
    /* 14 and 15, NO_MMAP and REGISTERED_FD_ONLY, want memory of ours */
    {1U << 16, "NO_SQARRAY", 0},
    {1U << 17, "HYBRID_IOPOLL", IORING_SETUP_IOPOLL},
    {1U << 18, "CQE_MIXED", 0},
    {1U << 19, "SQE_MIXED", 0},
    {1U << 20, "SQ_REWIND", 1U << 16},
};

static const char *const features[] = {
    "SINGLE_MMAP", "NODROP",      "SUBMIT_STABLE",   "RW_CUR_POS",   "CUR_PERSONALITY",
    "FAST_POLL",   "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG",      "NATIVE_WORKERS",
    "RSRC_TAGS",   "CQE_SKIP",    "LINKED_FILE",     "REG_REG_RING", "RECVSEND_BUNDLE",
    "MIN_TIMEOUT", "RW_ATTR",     "NO_IOWAIT",
};

/* What one day is tried with. */
struct check {
    struct io_uring ring;
    bool has_ring;
    int listener, clients[2], signal_fd; /* descriptors; -1: none */
    int slots[2];                        /* the clients' slots in the ring's file table */
    unsigned opcode, flags;              /* of the completion that next() took */
    int res;
    char buffer[64];
    struct signalfd_siginfo signal;
};

static char header_version[40], library_version[40], library_path[PATH_MAX];
static char why_not[800]; /* why the check that failed last did */

/* Says why a check fails: "REASON (REMEDY)". Returns false, for the caller to return. */
__attribute__((format(printf, 1, 2))) static bool no(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why_not, sizeof why_not, format, args);
    va_end(args);
    return false;
}

/* An io_uring call has returned ret, or an operation has completed with it. */
static bool refused(const char *what, int ret)
{
    return no("%s: %s (%s)", what, strerror(-ret), refusal_hint(ret));
}

/* A plain socket call has set errno. */
static bool failed(const char *call)
{
    int err = errno;
    return no("%s on 127.0.0.1: %s (%s)", call, strerror(err),
              err == EMFILE || err == ENFILE || err == ENOMEM
                  ? refusal_hint(-err)
                  : "is the loopback interface up? try ip link set lo up");
}

/* The version that was compiled against. liburing.h tells since 2.4; before, the Makefile may. */
static void find_header_version(void)
{
#ifdef IO_URING_VERSION_MAJOR
    snprintf(header_version, sizeof header_version, "%d.%d", IO_URING_VERSION_MAJOR,
             IO_URING_VERSION_MINOR);
#elif defined LIBURING_VERSION
    snprintf(header_version, sizeof header_version, "%s", LIBURING_VERSION);
#else
    snprintf(header_version, sizeof header_version, "unknown (before 2.4)");
#endif
}

/* Calls int function(void) in the library that runs; -1 if it has none of that name. */
static int call_library(const char *function)
{
    int (*call)(void);
    void *symbol = dlsym(RTLD_DEFAULT, function);
    memcpy(&call, &symbol, sizeof call); /* ISO C has no cast for it: dlsym(3) */
    return symbol ? call() : -1;
}

/* The version that runs. The library tells since 2.4; before, the name of its file does. */
static void find_library_version(void)
{
    int major = call_library("io_uring_major_version");
    int minor = call_library("io_uring_minor_version");
    void *symbol = dlsym(RTLD_DEFAULT, "io_uring_queue_exit");
    Dl_info info;

    if (symbol && dladdr(symbol, &info) && realpath(info.dli_fname, library_path) && major < 0) {
        const char *suffix = strstr(library_path, ".so.");
        if (!suffix || sscanf(suffix, ".so.%d.%d", &major, &minor) != 2)
            major = -1;
    }
    if (major >= 0)
        snprintf(library_version, sizeof library_version, "%d.%d", major, minor);
    else
        snprintf(library_version, sizeof library_version, "unknown (before 2.4)");
}

static void show_versions(void)
{
    struct utsname kernel;
    uname(&kernel);
    find_header_version();
    find_library_version();
    printf("kernel             %s %s %s\n", kernel.sysname, kernel.release, kernel.machine);
    printf("liburing.h         %s\n", header_version);
    printf("liburing library   %s %s\n", library_version, library_path);
    if (*header_version != 'u' && *library_version != 'u' &&
        strcmp(header_version, library_version) != 0)
        printf("                   not the same: fine if the library is the newer one\n");
}

/* See kernel.io_uring_disabled in the kernel's Documentation/admin-guide/sysctl/kernel.rst. */
static void show_sysctl(void)
{
    static const char *const meanings[] = {
        "every process may use io_uring",
        "only root, and the group in kernel.io_uring_group, may make a ring",
        "nobody may make a ring",
    };
    unsigned value;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    printf("io_uring_disabled  ");
    if (!file)
        printf("%s\n",
               errno == ENOENT ? "does not exist (before Linux 6.6)" : "not readable for us");
    else if (fscanf(file, "%u", &value) == 1 && value < sizeof meanings / sizeof *meanings)
        printf("%u: %s\n", value, meanings[value]);
    else
        printf("a value we do not know\n");
    if (file)
        fclose(file);
}

/* One of a list in columns; n counts them from 0. */
static void show(unsigned n, bool yes, const char *name)
{
    static int gap; /* what the last one left of its column */
    if (n % COLUMNS == 0)
        printf("\n  ");
    else
        printf("%*s", gap, "");
    gap = COLUMN_WIDTH - printf("%c %s", yes ? '+' : '-', name);
}

/* A ring for each, made by the system call itself: liburing would have to know the flag as well, to
 * use the ring. The kernel ignores the parameters that go with other flags. io_uring_setup(2). */
static void show_setup_flags(const struct io_uring *ring)
{
    printf("\nsetup flags (+ accepted, - refused)");
    for (unsigned i = 0; i < sizeof setup_flags / sizeof *setup_flags; i++) {
        struct io_uring_params params = {.flags = setup_flags[i].bit | setup_flags[i].with,
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

/* The kernel tells them whenever a ring is made. io_uring_setup(2). */
static void show_features(unsigned bits)
{
    const unsigned known = sizeof features / sizeof *features;
    printf("\nfeatures (+ here, - not here)");
    for (unsigned i = 0; i < 32; i++) {
        char number[16];
        snprintf(number, sizeof number, "bit %u", i);
        if (i < known || bits & 1U << i)
            show(i, bits & 1U << i, i < known ? features[i] : number);
    }
    printf("\n");
}

/* io_uring_get_probe_ring(3), io_uring_opcode_supported(3). */
static void show_opcodes(struct io_uring *ring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    printf("\nopcodes (+ here, - not here)");
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
        refused("io_uring_queue_init_params", ret);
        printf("ring               no: %s\n", why_not);
        return;
    }
    printf("ring               yes\n");
    show_setup_flags(&ring);
    show_features(params.features);
    show_opcodes(&ring);
    io_uring_queue_exit(&ring);
}

/* A TCP socket none of whose calls blocks for longer than DEADLINE; a socket that it accepts takes
 * that from it. socket(7) */
static int make_socket(void)
{
    const struct timeval limit = {.tv_sec = DEADLINE};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

static bool make_listener(struct check *c)
{
    struct sockaddr_in any_port = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->listener = make_socket();
    if (c->listener < 0)
        return failed("socket");
    if (bind(c->listener, (struct sockaddr *)&any_port, sizeof any_port) < 0)
        return failed("bind");
    return listen(c->listener, 2) == 0 || failed("listen");
}

/* A client connects. One that asks sends a byte, and then its end; the other keeps silent. */
static bool connect_client(struct check *c, int i, bool asks)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    c->clients[i] = make_socket();
    if (c->clients[i] < 0)
        return failed("socket");
    if (getsockname(c->listener, (struct sockaddr *)&address, &length) < 0)
        return failed("getsockname");
    if (connect(c->clients[i], (struct sockaddr *)&address, length) < 0)
        return failed("connect");
    if (asks && (send(c->clients[i], "?", 1, 0) != 1 || shutdown(c->clients[i], SHUT_WR) < 0))
        return failed("send");
    return true;
}

/* The client that asked has the answer, and then the end. */
static bool is_answered(struct check *c)
{
    char text[2 * sizeof ANSWER];
    ssize_t n = recv(c->clients[0], text, sizeof text, MSG_WAITALL);
    if (n < 0)
        return failed("recv");
    return n == sizeof ANSWER ||
           no("%zd bytes arrived of %zu sent (try Linux 6.1 or newer)", n, sizeof ANSWER);
}

/* A free submission queue entry: make_ring() has seen that there is one. */
static struct io_uring_sqe *get_sqe(struct check *c)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    if (!sqe)
        die("io_uring_get_sqe", EBUSY, "do liburing.h and the library match?");
    return sqe;
}

/* The last touch on every SQE: its opcode is its name. */
static void tag(struct io_uring_sqe *sqe, unsigned flags)
{
    sqe->flags |= (uint8_t)flags;
    io_uring_sqe_set_data64(sqe, sqe->opcode);
}

/* Submits what is armed and takes the next completion. */
static bool next(struct check *c, const char *what)
{
    struct __kernel_timespec limit = {.tv_sec = DEADLINE};
    struct io_uring_cqe *cqe;
    int ret = io_uring_submit(&c->ring);
    if (ret >= 0)
        ret = io_uring_wait_cqe_timeout(&c->ring, &cqe, &limit);
    if (ret == -ETIME)
        return no("%s: nothing in %d seconds (try Linux 6.1 or newer)", what, DEADLINE);
    if (ret < 0)
        return refused(what, ret);
    c->opcode = (unsigned)cqe->user_data;
    c->flags = cqe->flags;
    c->res = cqe->res;
    io_uring_cqe_seen(&c->ring, cqe);
    return true;
}

/* The completion that next() took is none that should be there. */
static bool unexpected(struct check *c, const char *what)
{
    const char *name = opcode_name(c->opcode);
    if (c->res < 0)
        return refused(what, c->res);
    return no("%s: %s completed with %d (try Linux 6.1 or newer)", what, name ? name : "?", c->res);
}

/* The next completion must be that of opcode, with res as wanted. */
static bool expect(struct check *c, const char *what, unsigned opcode, int wanted)
{
    if (!next(c, what))
        return false;
    return (c->opcode == opcode && (wanted == ANY ? c->res >= 0 : c->res == wanted)) ||
           unexpected(c, what);
}

/* A ring as setup_ring() of the days makes it. cq_entries 0: as many as the kernel likes. */
static bool make_ring(struct check *c, unsigned entries, unsigned cq_entries)
{
    static const unsigned flag_sets[] = {
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SUBMIT_ALL,
        0,
    };
    struct io_uring_params params;
    int ret = -EINVAL;
    for (size_t i = 0; ret == -EINVAL && i < sizeof flag_sets / sizeof *flag_sets; i++) {
        params =
            (struct io_uring_params){.flags = flag_sets[i] | (cq_entries ? IORING_SETUP_CQSIZE : 0),
                                     .cq_entries = cq_entries};
        ret = io_uring_queue_init_params(entries, &c->ring, &params);
    }
    if (ret < 0)
        return refused("io_uring_queue_init_params", ret);
    c->has_ring = true;

    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    if (!sqe) /* a liburing.h from 2.3 on reads what a library up to 2.2 does not write */
        return no("io_uring_get_sqe: none in a new ring, as liburing.h is %s and the library %s "
                  "(remove the older liburing, then make clean all)",
                  header_version, library_version);
    io_uring_prep_nop(sqe);
    tag(sqe, 0);
    return expect(c, "nop", IORING_OP_NOP, 0);
}

/* What a client that asked gets, from its request to its end. flags: what client is. */
static bool serve(struct check *c, int client, unsigned flags)
{
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_recv(sqe, client, c->buffer, sizeof c->buffer, 0);
    tag(sqe, flags);
    if (!expect(c, "recv", IORING_OP_RECV, 1))
        return false;
    sqe = get_sqe(c);
    io_uring_prep_send(sqe, client, ANSWER, sizeof ANSWER, 0);
    tag(sqe, flags);
    if (!expect(c, "send", IORING_OP_SEND, sizeof ANSWER))
        return false;
    sqe = get_sqe(c);
    io_uring_prep_shutdown(sqe, client, SHUT_WR);
    tag(sqe, flags);
    if (!expect(c, "shutdown", IORING_OP_SHUTDOWN, 0))
        return false;
    sqe = get_sqe(c);
    io_uring_prep_recv(sqe, client, c->buffer, sizeof c->buffer, 0);
    tag(sqe, flags);
    return expect(c, "recv", IORING_OP_RECV, 0) && is_answered(c);
}

static bool register_files(struct check *c, unsigned slots)
{
    int ret = io_uring_register_ring_fd(&c->ring);
    if (ret != 1)
        return refused("io_uring_register_ring_fd", ret);
    ret = io_uring_register_files_sparse(&c->ring, slots);
    return ret >= 0 || refused("io_uring_register_files_sparse", ret);
}

/* One accept, armed when the first client is there and the second is not. */
static bool accept_clients(struct check *c)
{
    static const char what[] = "multishot accept into a free slot";
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_multishot_accept_direct(sqe, c->listener, NULL, NULL, 0);
    tag(sqe, 0);
    for (int i = 0; i < 2; i++) {
        if (!connect_client(c, i, i == 0) || !expect(c, what, IORING_OP_ACCEPT, ANY))
            return false;
        if (!(c->flags & IORING_CQE_F_MORE))
            return no("%s: it ended with a client (try Linux 6.1 or newer)", what);
        c->slots[i] = c->res;
    }
    return true;
}

static bool close_slot(struct check *c, int slot)
{
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_close_direct(sqe, (unsigned)slot);
    tag(sqe, 0);
    return expect(c, "close of a slot", IORING_OP_CLOSE, 0);
}

/* Two completions, in whichever order. */
static bool cancel_accept(struct check *c)
{
    static const char what[] = "cancel of the accept";
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_cancel64(sqe, IORING_OP_ACCEPT, 0);
    tag(sqe, 0);
    for (int i = 0; i < 2; i++) {
        if (!next(c, what))
            return false;
        if (c->res != (c->opcode == IORING_OP_ACCEPT ? -ECANCELED : 0))
            return unexpected(c, what);
    }
    return true;
}

/* A timeout. A completion that an earlier operation was to skip would come before its. */
static bool tick(struct check *c)
{
    struct __kernel_timespec soon = {.tv_nsec = 1000000};
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_timeout(sqe, &soon, 0, 0);
    tag(sqe, 0);
    return expect(c, "timeout", IORING_OP_TIMEOUT, -ETIME);
}

/* A request, and then a chain of three for which only the last one completes. */
static bool answer(struct check *c)
{
    const unsigned linked = IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_recv(sqe, c->slots[0], c->buffer, sizeof c->buffer, 0);
    tag(sqe, IOSQE_FIXED_FILE);
    if (!expect(c, "recv", IORING_OP_RECV, 1))
        return false;
    sqe = get_sqe(c);
    io_uring_prep_send(sqe, c->slots[0], ANSWER, sizeof ANSWER, MSG_WAITALL);
    tag(sqe, linked);
    sqe = get_sqe(c);
    io_uring_prep_shutdown(sqe, c->slots[0], SHUT_WR);
    tag(sqe, linked);
    sqe = get_sqe(c);
    io_uring_prep_recv(sqe, c->slots[0], c->buffer, sizeof c->buffer, 0);
    tag(sqe, IOSQE_FIXED_FILE);
    return expect(c, "linked send, shutdown, recv", IORING_OP_RECV, 0) && tick(c) && is_answered(c);
}

/* The other client's receive, cancelled by an operation that says nothing itself. */
static bool cancel_recv(struct check *c)
{
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_recv(sqe, c->slots[1], c->buffer, sizeof c->buffer, 0);
    tag(sqe, IOSQE_FIXED_FILE);
    io_uring_submit(&c->ring);
    sqe = get_sqe(c);
    io_uring_prep_cancel64(sqe, IORING_OP_RECV, 0);
    tag(sqe, IOSQE_CQE_SKIP_SUCCESS);
    return expect(c, "cancel of a recv", IORING_OP_RECV, -ECANCELED) && tick(c);
}

/* A signal that nobody minds, and that stays blocked. signalfd(2) */
static bool catch_signal(struct check *c)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    c->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (c->signal_fd < 0)
        return no("signalfd: %s (see signalfd(2))", strerror(errno));
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_read(sqe, c->signal_fd, &c->signal, sizeof c->signal, 0);
    tag(sqe, 0);
    if (!tick(c)) /* the read is armed, and waits */
        return false;
    kill(getpid(), SIGUSR1);
    return expect(c, "read of a signalfd", IORING_OP_READ, sizeof c->signal);
}

static bool end_accept(struct check *c)
{
    shutdown(c->listener, SHUT_RDWR);
    return expect(c, "end of the accept", IORING_OP_ACCEPT, -EINVAL);
}

static bool day01(struct check *c)
{
    if (!make_listener(c) || !connect_client(c, 0, true))
        return false;
    int client = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return failed("accept");
    bool served = recv(client, c->buffer, sizeof c->buffer, 0) == 1 &&
                  send(client, ANSWER, sizeof ANSWER, 0) == sizeof ANSWER &&
                  shutdown(client, SHUT_WR) == 0 &&
                  recv(client, c->buffer, sizeof c->buffer, 0) == 0;
    close(client);
    return served ? is_answered(c) : failed("a connection");
}

static bool day02(struct check *c)
{
    if (!make_ring(c, 8, 0) || !make_listener(c) || !connect_client(c, 0, true))
        return false;
    struct io_uring_sqe *sqe = get_sqe(c);
    io_uring_prep_accept(sqe, c->listener, NULL, NULL, SOCK_CLOEXEC);
    tag(sqe, 0);
    if (!expect(c, "accept", IORING_OP_ACCEPT, ANY))
        return false;
    int client = c->res;
    if (!serve(c, client, 0))
        return false;
    sqe = get_sqe(c);
    io_uring_prep_close(sqe, client);
    tag(sqe, 0);
    return expect(c, "close", IORING_OP_CLOSE, 0);
}

static bool day03(struct check *c)
{
    return make_ring(c, 8, 0) && register_files(c, 81) && make_listener(c) && accept_clients(c) &&
           serve(c, c->slots[0], IOSQE_FIXED_FILE) && close_slot(c, c->slots[0]) &&
           cancel_accept(c);
}

static bool day04(struct check *c)
{
    return make_ring(c, 512, 1024) && register_files(c, 2049) && make_listener(c) &&
           accept_clients(c) && answer(c) && close_slot(c, c->slots[0]) && cancel_recv(c) &&
           catch_signal(c) && end_accept(c);
}

static bool verdict(const char *name, bool (*day)(struct check *))
{
    static struct check c; /* static: a ring may touch its buffers for a moment after its exit */
    c = (struct check){.listener = -1, .clients = {-1, -1}, .signal_fd = -1};
    bool ok = day(&c);
    printf("%s  %s%s\n", name, ok ? "ok" : "no: ", ok ? "" : why_not);
    if (c.has_ring)
        io_uring_queue_exit(&c.ring);
    const int fds[] = {c.listener, c.clients[0], c.clients[1], c.signal_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return ok;
}

int main(int argc, char **argv)
{
    parse_options(argc, argv, ""); /* --help alone */
    show_versions();
    show_sysctl();
    show_ring();
    printf("\n");
    bool ok = verdict("day01", day01);
    ok &= verdict("day02", day02);
    ok &= verdict("day03", day03);
    ok &= verdict("day04", day04);
    return ok ? 0 : 1;
}
