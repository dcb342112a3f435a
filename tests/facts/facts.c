/*
 * What kernels do, and not all the same: the facts of the section "Kernels" of NOTES.md, on the
 * kernel that runs. One line each.
 *
 *   make facts                                          or, on another kernel,
 *   make tests/facts/facts && tests/upkeep/kernels/boot.sh 6.1 tests/facts/facts
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>

enum { HOLDERS = 20, TABLE_SIZE = 64, TRIES = 50, CANCEL = 1000 };

struct pair {
    int ours, client;
};

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

/* The two ends of a TCP connection on loopback. */
static struct pair connection(void)
{
    static int listener = -1;
    static struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    struct pair pair;

    if (listener < 0) {
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM, 0);
        must(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
                 listen(listener, 64) == 0 &&
                 getsockname(listener, (struct sockaddr *)&address, &length) == 0,
             "listen");
    }
    pair.client = socket(AF_INET, SOCK_STREAM, 0);
    must(pair.client >= 0 && connect(pair.client, (struct sockaddr *)&address, sizeof address) == 0,
         "connect");
    pair.ours = accept(listener, NULL, NULL);
    must(pair.ours >= 0, "accept");
    return pair;
}

static void disconnect(struct pair pair)
{
    close(pair.ours);
    close(pair.client);
}

static void init(struct io_uring *ring)
{
    must(io_uring_queue_init(TABLE_SIZE, ring,
                             IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                                 IORING_SETUP_DEFER_TASKRUN) == 0,
         "io_uring_queue_init");
}

/* Submits, and collects completions for so long; their results go to res, by user_data. */
static void turn(struct io_uring *ring, int ms, int *res)
{
    struct __kernel_timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000LL};
    struct io_uring_cqe *cqe;

    io_uring_submit(ring);
    while (io_uring_wait_cqe_timeout(ring, &cqe, &limit) == 0) {
        if (res)
            res[cqe->user_data] = cqe->res;
        io_uring_cqe_seen(ring, cqe);
    }
}

static bool readable(int fd, int ms)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, ms) == 1;
}

/* Threads of this process that are io_uring's workers. */
static int workers(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    must(tasks != NULL, "/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks));) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        if (fgets(name, sizeof name, file) && strncmp(name, "iou-wrk", 7) == 0)
            count++;
        fclose(file);
    }
    closedir(tasks);
    return count;
}

/* (a) The clients neither send nor close, so the receives wait. The shutdowns themselves are over
 * when the workers are counted. */
static void receives(const char *what, unsigned link)
{
    struct io_uring ring;
    struct pair pairs[HOLDERS];
    static char buffers[HOLDERS][16];
    int res[CANCEL + 1] = {0};

    init(&ring);
    for (unsigned i = 0; i < HOLDERS; i++) {
        pairs[i] = connection();
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        io_uring_prep_shutdown(sqe, pairs[i].ours, SHUT_WR);
        sqe->flags = (__u8)link;
        io_uring_sqe_set_data64(sqe, HOLDERS + i);
        if (!link)
            turn(&ring, 20, res);
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_recv(sqe, pairs[i].ours, buffers[i], sizeof buffers[i], 0);
        io_uring_sqe_set_data64(sqe, i);
    }
    turn(&ring, 300, res);
    int running = 0;
    for (int i = 0; i < 100 && (running = workers()) > 8; i++)
        turn(&ring, 100, res);
    int ends = 0;
    for (int i = 0; i < HOLDERS; i++)
        ends += readable(pairs[i].client, 0);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_cancel64(sqe, 0, 0);
    io_uring_sqe_set_data64(sqe, CANCEL);
    turn(&ring, 300, res);
    printf("a  %-28s %2d workers, %2d clients see the end; a cancel says %d, its receive %d\n",
           what, running, ends, res[CANCEL], res[0]);
    for (unsigned i = 0; i < HOLDERS; i++)
        disconnect(pairs[i]);
    io_uring_queue_exit(&ring);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* (c) Slot 0 has a receive in flight, slot 1 is closed: when does its client see the end? */
static void close_of_a_slot(const char *what, bool neighbour, bool shut_down)
{
    struct io_uring ring;
    struct pair idle = connection(), closed = connection();
    char buffer[16];

    init(&ring);
    must(io_uring_register_files(&ring, (int[]){idle.ours, closed.ours}, 2) == 0, "register");
    close(idle.ours);
    close(closed.ours);
    if (neighbour) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        io_uring_prep_recv(sqe, 0, buffer, sizeof buffer, 0);
        sqe->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data64(sqe, 0);
    }
    if (shut_down) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        io_uring_prep_shutdown(sqe, 1, SHUT_WR);
        sqe->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data64(sqe, 0);
    }
    turn(&ring, 100, NULL);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_close_direct(sqe, 1);
    io_uring_sqe_set_data64(sqe, 0);
    double start = seconds();
    turn(&ring, 10, NULL);
    bool seen = readable(closed.client, 4000);
    printf("c  %-28s its client sees the end %s", what, seen ? "after" : "not in 4 s");
    if (seen)
        printf(" %.2f s", seconds() - start);
    if (!seen) {
        must(write(idle.client, "x", 1) == 1, "write");
        turn(&ring, 10, NULL);
        start = seconds();
        seen = readable(closed.client, 4000);
        printf(", but %.2f s after the other receive has ended%s", seconds() - start,
               seen ? "" : ": not even then");
    }
    putchar('\n');
    close(idle.client);
    close(closed.client);
    io_uring_queue_exit(&ring);
}

/* (d) */
static void signal_read(void)
{
    struct io_uring ring;
    static struct signalfd_siginfo info;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    must(fd >= 0, "signalfd");
    init(&ring);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fd, &info, sizeof info, 0);
    io_uring_sqe_set_data64(sqe, 0);
    turn(&ring, 300, NULL);
    int before = workers();
    raise(SIGUSR1);
    turn(&ring, 300, NULL);
    printf("d  %-28s %2d workers, %d after the signal\n", "a read of a signalfd", before,
           workers());
    io_uring_queue_exit(&ring);
    close(fd);
}

/* (e) A ring is made and left; then a plain receive, which is to time out after 100 ms. No signal
 * is sent to anybody. */
static void after_exit(const char *what, bool ring_before)
{
    int interrupted = 0;

    for (int i = 0; i < TRIES; i++) {
        struct io_uring ring;
        struct pair pair = connection();
        if (ring_before) {
            init(&ring);
            io_uring_queue_exit(&ring);
        }
        must(setsockopt(pair.ours, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 100000},
                        sizeof(struct timeval)) == 0,
             "setsockopt");
        char byte;
        if (recv(pair.ours, &byte, 1, 0) < 0 && errno == EINTR)
            interrupted++;
        disconnect(pair);
    }
    printf("e  %-28s EINTR %d of %d times\n", what, interrupted, TRIES);
}

/* (f) */
static void descriptor_limit(rlim_t soft, rlim_t hard)
{
    struct rlimit limit = {soft, hard};
    struct io_uring ring;

    init(&ring);
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    int ret = io_uring_register_files_sparse(&ring, 512);
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("f  %-28s %d; RLIMIT_NOFILE was %llu of %llu, and is %llu\n", "a table of 512 files",
           ret, (unsigned long long)soft, (unsigned long long)hard,
           (unsigned long long)limit.rlim_cur);
    io_uring_queue_exit(&ring);
}

static void do_nothing(int signal)
{
    (void)signal;
}

/* (g) Another process sends the signal while a wait is under way. */
static void interrupted_wait(const char *what, int signal)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec limit = {.tv_nsec = 300000000};
    pid_t waiter = getpid();

    init(&ring);
    if (signal == SIGUSR1)
        sigaction(signal, &(struct sigaction){.sa_handler = do_nothing, .sa_flags = SA_RESTART},
                  NULL);
    pid_t sender = fork();
    must(sender >= 0, "fork");
    if (sender == 0) {
        poll(NULL, 0, 100);
        kill(waiter, signal);
        _exit(0);
    }
    int ret = io_uring_wait_cqe_timeout(&ring, &cqe, &limit);
    printf("g  %-28s %s\n", what, strerror(-ret));
    waitpid(sender, NULL, 0);
    io_uring_queue_exit(&ring);
}

/* (h) We close with a part of the request unread, which resets the connection. */
static void reset_after_answer(void)
{
    struct pair pair = connection();
    char bytes[2000] = "";
    must(send(pair.client, bytes, sizeof bytes, 0) == sizeof bytes &&
             recv(pair.ours, bytes, 1000, MSG_WAITALL) == 1000 && send(pair.ours, "ack", 4, 0) == 4,
         "a request and its answer");
    close(pair.ours);
    poll(NULL, 0, 100);
    bool sent = send(pair.client, bytes, 1, MSG_NOSIGNAL) == 1;
    ssize_t n = recv(pair.client, bytes, sizeof bytes, 0);
    printf("h  %-28s send %s; %zd bytes of the answer can be read\n", "a client that was reset",
           sent ? "works" : "fails", n);
    close(pair.client);
}

/* (i) One slot, two clients one after the other, a receive for each. */
static void slot_with_another_client(void)
{
    struct io_uring ring;
    struct pair pairs[2] = {connection(), connection()};
    static char buffers[2][16];

    init(&ring);
    must(io_uring_register_files_sparse(&ring, 1) == 0, "register");
    for (unsigned i = 0; i < 2; i++) { /* puts a file into the slot, in place of the one there */
        must(io_uring_register_files_update(&ring, 0, &pairs[i].ours, 1) == 1, "update");
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        io_uring_prep_recv(sqe, 0, buffers[i], sizeof buffers[i], 0);
        sqe->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data64(sqe, i);
        turn(&ring, 50, NULL);
    }
    must(write(pairs[1].client, "second", 6) == 6, "write");
    turn(&ring, 50, NULL);
    must(write(pairs[0].client, "first", 5) == 5, "write");
    turn(&ring, 50, NULL);
    printf("i  %-28s gets the %s client's bytes\n", "the first receive of a slot", buffers[0]);
    for (unsigned i = 0; i < 2; i++)
        disconnect(pairs[i]);
    io_uring_queue_exit(&ring);
}

static void show(int fact)
{
    switch (fact) {
    case 0:
        receives("receives after shutdowns", 0);
        break;
    case 1:
        receives("receives linked to shutdowns", IOSQE_IO_LINK);
        break;
    case 2:
        close_of_a_slot("a slot, alone", false, false);
        break;
    case 3:
        close_of_a_slot("a slot beside a receive", true, false);
        break;
    case 4:
        close_of_a_slot("the same, shut down first", true, true);
        break;
    case 5:
        signal_read();
        break;
    case 6:
        after_exit("without a ring before", false);
        break;
    case 7:
        after_exit("with a ring before", true);
        break;
    case 8:
        descriptor_limit(256, 4096);
        break;
    case 9:
        descriptor_limit(256, 700);
        break;
    case 10:
        interrupted_wait("SIGUSR1, with SA_RESTART", SIGUSR1);
        break;
    case 11:
        interrupted_wait("SIGWINCH, which is ignored", SIGWINCH);
        break;
    case 12:
        reset_after_answer();
        break;
    default:
        slot_with_another_client();
        break;
    }
}

int main(void)
{
    struct utsname system;
    uname(&system);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("kernel %s\n", system.release);
    for (int fact = 0; fact < 14; fact++) { /* each in a process of its own, for its workers */
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            show(fact);
            return 0;
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
