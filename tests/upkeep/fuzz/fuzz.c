/*
 * A fuzzer for day 4's server, and for its echo: starts it, and lets many clients at once walk at
 * random through what a client can do, with signals to the server in between. Which walk a client
 * takes is told by the seed and its number alone; how the walks meet is not.
 *
 *   fuzz [-e] [-s seed] [-n clients] [-c at-once] [-l slots] [-i seconds] [-t seconds] SERVER
 *
 *   -l N  the server is given --slots N          -t N  what a client may take in all (20)
 *   -i N  the server is given --idle-timeout N; without it, no client is silent
 *   -e    the server is an echo
 *
 * What must hold: a client that sent a byte, and did not reset, gets exactly the answer and the
 * end, and no reset; one that sent nothing gets just the end. From an echo it gets what it has
 * sent, and the end when it has ended its direction. When all are gone the server has as many
 * descriptors and used slots as before, hardly more memory, and at no time more threads than the
 * kernel makes by itself. SIGTERM ends it with status 0, after it has answered who has asked. It
 * says nothing on stderr.
 *
 * Exits 0 if all of this held, 1 if not, and says what did not; 2 for wrong usage. A client that
 * was itself late, by half of the idle timeout, is counted apart: it may have been dropped.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STEPS = 16,
    AT_ONCE_MAX = 500,
    LARGEST = 200000, /* bytes that are sent at once */
    SLACK_KIB = 4096  /* twice what day 4 has for 1024 slots and the spare ones */
};

enum kind { CONNECT, SEND, OOB, WAIT, BACK, HALF, END, CLOSED, RESET, CLOSE, KINDS };
static const char *const names[KINDS] = {"connect", "send", "oob",    "wait",  "back",
                                         "half",    "end",  "closed", "reset", "close"};

struct client {
    int fd; /* -1: none */
    unsigned number;
    struct step {
        enum kind kind;
        unsigned value; /* bytes or ms */
    } walk[STEPS], *step;
    unsigned length;
    size_t progress, sent, got;
    bool ended;                              /* the server's direction */
    bool late;                               /* it has let an echo wait */
    int64_t started, connected, asked, wake; /* ms; asked: its first byte; 0: not yet */
    int64_t tried;                           /* ms; it did last what it could */
};

static struct {
    uint64_t random; /* that of what no client decides */
    unsigned seed, total, at_once, slots, idle, limit, started, finished, failures, late, signals;
    unsigned answered, empty, most_threads, threads_allowed;
    pid_t server;
    int said; /* its stderr */
    int64_t stopped_until;
    bool echo;
    bool ending; /* those who start now are there when SIGTERM comes */
    struct sockaddr_in address;
    struct client clients[AT_ONCE_MAX];
} fuzz = {.seed = 1, .total = 3000, .at_once = 64, .limit = 20};

struct usage {
    long threads, descriptors, slots, kib;
};

static char bytes[LARGEST];

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* splitmix64; below n */
static unsigned draw(uint64_t *state, unsigned n)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

static void add(struct client *c, enum kind kind, unsigned value)
{
    c->walk[c->length++] = (struct step){kind, value};
}

static unsigned size(uint64_t *random)
{
    static const unsigned most[] = {1, 10, 1030, 3000, LARGEST};
    return 1 + draw(random, most[draw(random, fuzz.ending ? 4 : 5)]); /* at the end nobody reads */
}

/* A few steps of those that leave the connection as it is. */
static void wander(struct client *c, uint64_t *random)
{
    for (unsigned n = draw(random, 5); n > 0; n--) {
        unsigned what = draw(random, 8);
        if (what < 4)
            add(c, SEND, size(random));
        else if (what < 6)
            add(c, OOB, draw(random, 16) == 0 ? 200 : 1 + draw(random, 3));
        else
            add(c, WAIT, 1 + draw(random, 30));
    }
}

/* What a client of an echo does: it may wait for its bytes in between. */
static void plan_echo(struct client *c, uint64_t *random)
{
    wander(c, random);
    unsigned end = draw(random, fuzz.ending ? 2 : 6);
    if (end == 2 || end == 3) {
        add(c, BACK, 0);
        wander(c, random);
    }
    if (end < 4) {
        add(c, HALF, 0);
        add(c, END, 0);
        add(c, CLOSED, 0);
    } else {
        add(c, end == 4 ? RESET : CLOSE, 0);
    }
}

/* Draws the walk of a client. Silent clients keep a slot for seconds: few slots, few of them. */
static void plan(struct client *c)
{
    uint64_t random = fuzz.seed * UINT64_C(1000003) + c->number;
    unsigned one_in = fuzz.slots >= 16 ? 16 : 256 / (fuzz.slots + 1);
    add(c, CONNECT, 0);
    if (fuzz.idle > 0 && draw(&random, one_in) == 0) {
        add(c, END, 0);
        add(c, CLOSE, 0);
        return;
    }
    if (fuzz.echo) {
        plan_echo(c, &random);
        return;
    }
    wander(c, &random);
    unsigned end = draw(&random, fuzz.ending ? 2 : 6);
    bool asks = false;
    for (unsigned i = 0; i < c->length; i++)
        asks = asks || c->walk[i].kind == SEND || c->walk[i].kind == OOB;
    if (end < 2 || !asks) { /* the end of the request first */
        if (end == 0 && !asks)
            add(c, WAIT, 1 + draw(&random, 30));
        add(c, HALF, 0);
        add(c, END, 0);
        add(c, CLOSED, 0);
    } else if (end < 4) { /* the end of the answer first */
        add(c, END, 0);
        wander(c, &random);
        if (end == 2)
            add(c, HALF, 0);
        add(c, end == 2 ? CLOSED : CLOSE, 0);
    } else {
        add(c, end == 4 ? RESET : CLOSE, 0);
    }
}

static bool has_ended(int *status)
{
    if (fuzz.server > 0 && waitpid(fuzz.server, status, WNOHANG) == fuzz.server)
        fuzz.server = 0;
    return fuzz.server == 0;
}

static _Noreturn void report(void)
{
    int status = 0;
    char said[2000];
    ssize_t n = pread(fuzz.said, said, sizeof said, 0);
    if (n > 0) {
        fuzz.failures++;
        printf("seed %u: stderr: %.*s", fuzz.seed, (int)n, said);
    }
    printf("seed %u: %u clients, %u answered, %u got the end alone, %u were late; %u signals, "
           "at most %u threads: %s\n",
           fuzz.seed, fuzz.started, fuzz.answered, fuzz.empty, fuzz.late, fuzz.signals,
           fuzz.most_threads, fuzz.failures > 0 ? "FAILED" : "ok");
    for (unsigned i = 0; i < fuzz.at_once; i++)
        if (fuzz.clients[i].fd >= 0)
            close(fuzz.clients[i].fd);
    if (fuzz.server > 0)
        kill(fuzz.server, SIGCONT);
    for (int ms = 0; fuzz.failures > 0 && ms < 1000 && !has_ended(&status); ms++)
        poll(NULL, 0, 1); /* it may be about to */
    if (fuzz.failures > 0 && fuzz.server == 0)
        printf("seed %u: the server has ended, with status %#x\n", fuzz.seed, (unsigned)status);
    if (fuzz.server > 0)
        kill(fuzz.server, SIGKILL);
    exit(fuzz.failures > 0);
}

/* Says what does not hold. A few such lines are enough. */
__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("seed %u: ", fuzz.seed);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    if (++fuzz.failures == 5 || fuzz.server == 0)
        report();
}

static void client_failed(const struct client *c, const char *why)
{
    char walk[STEPS * 20] = "";
    for (unsigned i = 0; i < c->length; i++) {
        const struct step *step = &c->walk[i];
        size_t used = strlen(walk);
        snprintf(walk + used, sizeof walk - used, step->value ? "%s%s=%u" : "%s%s", i ? "," : "",
                 names[step->kind], step->value);
    }
    fail("client %u: %s: %s (%s; %zu bytes sent, %zu came back%s)", c->number, names[c->step->kind],
         why, walk, c->sent, c->got, c->ended ? ", and the end" : "");
}

static void finish(struct client *c, const char *why)
{
    if (why)
        client_failed(c, why);
    close(c->fd);
    c->fd = -1;
    fuzz.finished++;
}

static bool too_late(int64_t from, int64_t to)
{
    return fuzz.idle > 0 && to - from > fuzz.idle * INT64_C(500);
}

/* Where in bytes that one is which a client sends after so many. */
static size_t place(const struct client *c, size_t offset)
{
    return (c->number * UINT64_C(7919) + offset) % LARGEST;
}

/* The protocol. Takes the next bytes that came back, none at the end, and returns what is wrong
 * with them, or NULL. */
static const char *check(struct client *c, const char *got, size_t count)
{
    static const char answer[] = {'a', 'c', 'k', '\n'};
    size_t owed = fuzz.echo ? c->sent : c->sent > 0 ? sizeof answer : 0;
    const char *expected = fuzz.echo ? &bytes[place(c, c->got)] : &answer[c->got];
    if (count > 0) {
        if (c->got + count > owed)
            return c->sent > 0 ? "more than the answer" : "an answer to nothing";
        return memcmp(got, expected, count) != 0 ? "wrong bytes" : NULL;
    }
    if (c->got == owed && c->step->kind == END) {
        *(owed ? &fuzz.answered : &fuzz.empty) += 1;
        return NULL;
    }
    if (fuzz.echo ? c->late : c->got == 0 && too_late(c->connected, c->asked)) {
        fuzz.late++;
        return NULL;
    }
    return "no answer, or a part of it";
}

/* A call of the client's failed: its step is not done. Returns false. */
static bool failed(struct client *c, int error)
{
    bool broken = error == ECONNRESET || error == EPIPE || error == ENOTCONN;
    if (error == EAGAIN)
        return false;
    bool late = c->connected > 0 && too_late(c->sent > 0 ? c->asked : c->connected, now_ms());
    if (broken && (fuzz.echo ? c->late : late)) {
        fuzz.late++;
        finish(c, NULL);
    } else {
        finish(c, strerror(error));
    }
    return false;
}

static bool has_error(struct client *c)
{
    int error = 0;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    if (error != 0)
        failed(c, error);
    return error != 0;
}

/* Returns whether bytes came; if not, the client waits or has finished, or this was the end. */
static bool receive(struct client *c)
{
    static char got[LARGEST];
    ssize_t n = recv(c->fd, got, fuzz.echo ? LARGEST - place(c, c->got) : sizeof got, 0);
    if (n < 0)
        return failed(c, errno);
    c->ended = n == 0;
    const char *why = check(c, got, (size_t)n);
    c->got += (size_t)n;
    if (why || (n == 0 && c->step->kind != END))
        finish(c, why);
    return !why && n > 0;
}

/* Who sends to an echo reads when he must: when no more can be sent. */
static bool transmit(struct client *c, int flags)
{
    while (c->progress < c->step->value) {
        size_t from = place(c, c->sent), left = c->step->value - c->progress;
        size_t count = left < LARGEST - from ? left : LARGEST - from;
        ssize_t n = send(c->fd, &bytes[from], flags & MSG_OOB ? 1 : count, MSG_NOSIGNAL | flags);
        if (n < 0 && errno == EAGAIN && fuzz.echo && receive(c))
            continue;
        if (n < 0)
            return c->fd >= 0 && failed(c, errno);
        if (c->sent == 0)
            c->asked = now_ms();
        c->progress += (size_t)n;
        c->sent += (size_t)n;
    }
    return true;
}

static bool receive_end(struct client *c)
{
    while (receive(c))
        ;
    return c->fd >= 0 && c->ended;
}

static bool receive_back(struct client *c)
{
    while (c->got < c->sent && receive(c))
        ;
    return c->fd >= 0 && c->got == c->sent;
}

static bool is_connected(struct client *c)
{
    struct pollfd ready = {.fd = c->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || has_error(c))
        return false;
    c->connected = now_ms();
    return true;
}

/* See until_closed() in tests/client.c. */
static bool is_closed(struct client *c)
{
    struct tcp_info info = {0};
    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info});
    return info.tcpi_state == TCP_CLOSE && !has_error(c);
}

static bool has_waited(struct client *c)
{
    if (c->wake == 0)
        c->wake = now_ms() + c->step->value;
    if (now_ms() < c->wake)
        return false;
    c->wake = 0;
    return true;
}

/* Returns whether the step is done; if not, the client waits or has finished. */
static bool take_step(struct client *c)
{
    if (c->step->kind != WAIT) {
        int64_t now = now_ms();
        c->late = c->late || (c->tried > 0 && too_late(c->tried, now));
        c->tried = now;
    }
    switch (c->step->kind) {
    case CONNECT:
        return is_connected(c);
    case SEND:
        return transmit(c, 0);
    case OOB:
        return transmit(c, MSG_OOB);
    case WAIT:
        return has_waited(c);
    case BACK:
        return receive_back(c);
    case HALF:
        return shutdown(c->fd, SHUT_WR) == 0 ? true : failed(c, errno);
    case END:
        return receive_end(c);
    case CLOSED:
        return is_closed(c);
    case RESET:
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        break;
    default:
        break;
    }
    finish(c, NULL);
    return false;
}

static void advance(struct client *c)
{
    while (c->fd >= 0 && take_step(c)) {
        c->progress = 0;
        if (++c->step == &c->walk[c->length])
            finish(c, NULL);
    }
    if (c->fd >= 0 && now_ms() - c->started > fuzz.limit * INT64_C(1000))
        finish(c, "not done in time");
}

static void advance_all(void)
{
    for (unsigned i = 0; i < fuzz.at_once; i++)
        if (fuzz.clients[i].fd >= 0)
            advance(&fuzz.clients[i]);
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0 ||
        (connect(fd, (struct sockaddr *)&fuzz.address, sizeof fuzz.address) < 0 &&
         errno != EINPROGRESS)) {
        fail("connect: %s", strerror(errno));
        exit(1);
    }
    return fd;
}

static void start(struct client *c)
{
    *c = (struct client){.fd = dial(), .number = fuzz.started++, .started = now_ms()};
    plan(c);
    c->step = c->walk;
    if (draw(&fuzz.random, 2) == 0) /* else later, when others have started too */
        advance(c);
}

/* What a neighbour may do. A stop lasts for 10 ms at most. */
static void send_signal(void)
{
    static const int signals[] = {SIGCHLD, SIGWINCH, SIGCONT, SIGSTOP, SIGSTOP, SIGSTOP};
    int sig = signals[draw(&fuzz.random, 6)];
    fuzz.signals++;
    kill(fuzz.server, sig);
    if (sig == SIGSTOP && draw(&fuzz.random, 8) == 0)
        fuzz.stopped_until = now_ms() + 1 + draw(&fuzz.random, 10);
    else if (sig == SIGSTOP)
        kill(fuzz.server, SIGCONT);
}

static void go_on(bool at_once)
{
    if (fuzz.stopped_until > 0 && (at_once || now_ms() >= fuzz.stopped_until)) {
        fuzz.stopped_until = 0;
        kill(fuzz.server, SIGCONT);
    }
}

static long field_of_status(const char *name)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)fuzz.server);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

static void watch_threads(void)
{
    long threads = field_of_status("Threads:");
    if (threads > (long)fuzz.most_threads)
        fuzz.most_threads = (unsigned)threads;
}

/* In the file table of a ring, by its file in /proc/PID/fdinfo. */
static long used_slots(const char *path)
{
    char line[256];
    long used = 0;
    bool on = false;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] >= 'A' && line[0] <= 'Z')
            on = strncmp(line, "UserFiles:", 10) == 0;
        else if (on && strchr(line, ':') && !strstr(line, "<none>"))
            used++;
    }
    if (file)
        fclose(file);
    return used;
}

static struct usage usage(bool *ring)
{
    struct usage u = {.threads = field_of_status("Threads:"), .kib = field_of_status("VmRSS:")};
    char path[320], target[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)fuzz.server);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)fuzz.server, e->d_name);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n < 0)
            continue; /* "." */
        u.descriptors++;
        target[n] = '\0';
        if (strstr(target, "io_uring")) {
            *ring = true;
            snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", (int)fuzz.server, e->d_name);
            u.slots += used_slots(path);
        }
    }
    if (folder)
        closedir(folder);
    return u;
}

/* What it uses with one idle client: the kernel shows the table now and then only, so an empty one
 * says nothing. The idle timeout may be short: another client at each try. */
static struct usage settled(void)
{
    struct usage u;
    bool ring = false;
    int64_t end = now_ms() + 10000;
    do {
        int idle = dial();
        for (int tries = 0; tries < 30; tries++) {
            poll(NULL, 0, 10);
            u = usage(&ring);
            if (u.slots == 1 || !ring)
                break;
        }
        close(idle);
    } while (ring && u.slots != 1 && now_ms() < end);
    return u;
}

/* Starts clients until so many have been started, and goes on until all have finished; with stay,
 * until each of them waits for the server's end. */
static void walk(unsigned until, bool stay)
{
    for (;;) {
        struct pollfd wanted[AT_ONCE_MAX];
        unsigned at_end = 0, open = 0, finished = fuzz.finished;
        int wait = 50, status;
        for (unsigned i = 0; i < fuzz.at_once; i++) {
            struct client *c = &fuzz.clients[i];
            if (c->fd < 0 && fuzz.started < until)
                start(c);
            else if (c->fd >= 0)
                advance(c);
            wanted[i] = (struct pollfd){.fd = c->fd, .events = POLLIN};
            if (c->fd < 0)
                continue;
            enum kind kind = c->step->kind;
            open++;
            at_end += kind == END;
            if (fuzz.echo && (kind == SEND || kind == OOB))
                wanted[i].events = POLLIN | POLLOUT;
            else if (kind == CONNECT || kind == SEND || kind == OOB)
                wanted[i].events = POLLOUT;
            else if (kind != END && kind != BACK) { /* poll(2) would have nothing new to say */
                wanted[i].fd = -1;
                wait = 1;
            }
        }
        if (fuzz.started == until && (open == 0 || (stay && at_end == open))) {
            go_on(true);
            return;
        }
        if (has_ended(&status))
            fail("nobody has asked the server to end");
        go_on(false);
        if (fuzz.stopped_until > 0 || fuzz.started < until)
            wait = 1;
        poll(wanted, fuzz.at_once, wait);
        for (; finished < fuzz.finished && !stay; finished++) {
            for (unsigned n = draw(&fuzz.random, 4); n > 0 && fuzz.stopped_until == 0; n--)
                send_signal();
            if (finished % 16 == 0)
                watch_threads();
        }
    }
}

static _Noreturn void exec_server(const char *path, int out)
{
    char slots[40], idle[40];
    const char *arguments[8] = {path, "--port", "0"};
    unsigned n = 3;
    snprintf(slots, sizeof slots, "--slots=%u", fuzz.slots);
    snprintf(idle, sizeof idle, "--idle-timeout=%u", fuzz.idle);
    if (fuzz.slots > 0)
        arguments[n++] = slots;
    if (fuzz.idle > 0)
        arguments[n++] = idle;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(fuzz.said, STDERR_FILENO);
    execv(path, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static void start_server(const char *path)
{
    int out[2];
    unsigned port = 0;
    char line[100] = "";
    fuzz.said = memfd_create("stderr", MFD_CLOEXEC);
    if (fuzz.said < 0 || pipe2(out, 0) < 0 || (fuzz.server = fork()) < 0) {
        perror("fuzz");
        exit(2);
    }
    if (fuzz.server == 0)
        exec_server(path, out[1]);
    close(out[1]);
    static FILE *file; /* stays open: the server may go on to write */
    file = fdopen(out[0], "r");
    if (!file || !fgets(line, sizeof line, file) ||
        sscanf(line, "listening on 127.0.0.1:%u", &port) != 1) {
        fail("no ready line");
        exit(1);
    }
    fuzz.address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons((in_port_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* The last clients, no more than there are slots, have asked or are silent when SIGTERM comes. With
 * some seeds the server has not yet seen any of them: no more than the completion queue of a small
 * ring (4 and 8 entries) holds, as one accept takes them all. */
static void end_server(void)
{
    int status = 0;
    unsigned last = fuzz.slots > 0 && fuzz.slots < fuzz.at_once ? fuzz.slots : fuzz.at_once;
    fuzz.ending = true;
    if (draw(&fuzz.random, 2) == 0) {
        kill(fuzz.server, SIGSTOP);
        last = last < 8 ? last : 8;
    }
    walk(fuzz.started + last, true);
    kill(fuzz.server, SIGTERM);
    kill(fuzz.server, SIGCONT);
    for (int64_t end = now_ms() + 5000; !has_ended(&status);) {
        advance_all();
        poll(NULL, 0, 1);
        if (now_ms() > end) {
            fail("SIGTERM does not end the server");
            return;
        }
    }
    advance_all();
    if (status != 0)
        fail("SIGTERM ends the server with status %#x", (unsigned)status);
}

static void compare(struct usage before, struct usage after)
{
    if (after.descriptors != before.descriptors)
        fail("%ld descriptors, %ld before", after.descriptors, before.descriptors);
    if (after.slots != before.slots)
        fail("%ld slots with one idle client, %ld before", after.slots, before.slots);
    if (after.kib > before.kib + SLACK_KIB)
        fail("%ld KiB of memory, %ld before", after.kib, before.kib);
    if (fuzz.most_threads > fuzz.threads_allowed)
        fail("%u threads", fuzz.most_threads);
}

static _Noreturn void usage_error(void)
{
    fprintf(stderr, "usage: fuzz [-e] [-s seed] [-n clients] [-c at-once] [-l slots] [-i seconds] "
                    "[-t seconds] SERVER\n");
    exit(2);
}

int main(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "es:n:c:l:i:t:")) != -1;) {
        unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        unsigned *number = option == 'n'   ? &fuzz.total
                           : option == 'c' ? &fuzz.at_once
                           : option == 'l' ? &fuzz.slots
                           : option == 'i' ? &fuzz.idle
                           : option == 't' ? &fuzz.limit
                           : option == 's' ? &fuzz.seed
                                           : NULL;
        if (option == 'e')
            fuzz.echo = true;
        else if (number)
            *number = value;
        else
            usage_error();
    }
    if (optind != argc - 1 || fuzz.at_once == 0 || fuzz.at_once > AT_ONCE_MAX)
        usage_error();
    setvbuf(stdout, NULL, _IOLBF, 0);
    fuzz.random = fuzz.seed;
    /* as many bounded workers as io_uring makes, and a few */
    fuzz.threads_allowed = 4 + 4 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)draw(&fuzz.random, 256);
    for (unsigned i = 0; i < AT_ONCE_MAX; i++)
        fuzz.clients[i].fd = -1;

    start_server(argv[optind]);
    walk(fuzz.total / 10, false); /* what it keeps from its first clients it keeps for good */
    struct usage before = settled();
    walk(fuzz.total, false);
    compare(before, settled());
    end_server();
    report();
}
