/*
 * The client of the tests: many TCP clients at once on loopback, each going through a script.
 *
 *   client [-n clients] [-c at-once] [-t seconds] [-p patience] [-s seed] PORT SCRIPT...
 *
 * A script is a list of steps, such as "send=5,ack,eof". Without -n there is one client for each
 * script, in this order; with -n each takes one at random, by the seed. Steps:
 *
 *   send=N   send N bytes (random ones)       ack    receive exactly "ack\n"
 *   drip=N   send N bytes, one per packet     eof    receive the end of the server's direction
 *   oob=N    the same, each of them urgent    gone   receive whatever comes until the server has
 *   half     end our direction                       ended the connection, by FIN or reset
 *   flood    send until the server is gone    closed both directions have ended, without a reset
 *   reset    close with a reset               all    wait until every client is at this step
 *   stdin    the same, then say "waiting" and wait for a line on stdin
 *
 * and for a server that gives back what it gets:
 *
 *   echo=N   send N bytes, and receive      back   receive what was sent and has not come back
 *            all that was sent, in order    slow=N the same as echo=N, but receive only when
 *                                                  no more can be sent
 *
 * send=A-B (drip, oob): the first client sends A bytes, the next A + 1, and so on; after B, A
 * again. Before its first step a client connects. A script that ends in half, or in half and what
 * is received then, goes on with closed: a server that does not read what was sent resets the
 * connection sooner or later. (This shows if it was more than the server's kernel takes in unread:
 * send a million bytes.)
 *
 * After its last step a client closes. Prints one line, "N ok" or "N ok, M failed: ...", and there,
 * in brackets, what the first of these clients sent, what came back and what was expected; exits 0
 * if all went through, 1 if not, 2 for wrong usage. It never runs longer than -t (300), nor
 * than -p seconds (30; with -t, as many) in which nobody comes further, but where it waits for
 * stdin.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Those that send come first, and SEND of them. */
enum kind {
    SEND,
    DRIP,
    OOB,
    ECHO,
    SLOW,
    HALF,
    FLOOD,
    RESET,
    ACK,
    BACK,
    EOF_,
    GONE,
    CLOSED,
    ALL,
    STDIN,
    DONE,
    KINDS
};
enum { STEPS = 16, SCRIPTS = 128, EVENTS = 256, REASONS = 8, SHOWN = 16, DETAIL = 400 };

static const char *const names[KINDS] = {"send",   "drip",  "oob",   "echo", "slow", "half",
                                         "flood",  "reset", "ack",   "back", "eof",  "gone",
                                         "closed", "all",   "stdin", "done"};

/* How far one step of one client has come. */
enum outcome {
    THROUGH,
    WAITS,       /* more can be done when something happens */
    ERROR,       /* a call failed: client.error is its errno */
    ENDED,       /* too early */
    WRONG_BYTES, /* other ones than "ack\n", or than were sent */
    MORE_BYTES
};

struct step {
    enum kind kind;
    size_t bytes, most; /* A and B */
};

struct client {
    int fd;
    unsigned number; /* the first to be started is 0 */
    const struct step *script, *step;
    size_t progress;   /* bytes of this step that are through */
    size_t sent, got;  /* bytes in all */
    char shown[SHOWN]; /* the first that it got */
    size_t wrong;      /* so many that are not those that it sent came then; the first of them: */
    char instead[SHOWN];
    int error; /* see ERROR */
    bool connected;
    bool parked; /* at ALL or STDIN */
};

static struct {
    struct step scripts[SCRIPTS][STEPS];
    unsigned script_count;
    struct sockaddr_in server;
    unsigned total, at_once, started, finished, failed, parked; /* clients */
    int epoll;
    struct client *clients;
    struct {
        char text[80], detail[DETAIL];
        unsigned count;
    } reasons[REASONS];
    unsigned seconds, patience;
    time_t started_at;
    bool mixed; /* -n */
} run;

static char bytes[65536]; /* what we send: client 1 begins at the second of them, and so on */

static _Noreturn void usage(const char *what)
{
    fprintf(stderr,
            "client: %s\nusage: client [-n clients] [-c at-once] [-t seconds] [-p patience] "
            "[-s seed] PORT SCRIPT...\n(the steps of a script: see the head of tests/client.c)\n",
            what);
    exit(2);
}

/* Appends to the text in buffer, and drops what has no room. */
__attribute__((format(printf, 2, 3))) static void add(char *buffer, const char *format, ...)
{
    size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, DETAIL - used, format, arguments);
    va_end(arguments);
}

/* The first of so many bytes, as one writes them in C. */
static void add_bytes(char *buffer, const char *what, size_t count)
{
    add(buffer, "\"");
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        unsigned char byte = (unsigned char)what[i];
        if (byte == '\n')
            add(buffer, "\\n");
        else if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            add(buffer, "\\x%02x", byte);
        else
            add(buffer, "%c", byte);
    }
    add(buffer, count > SHOWN ? "\"..." : "\"");
}

/* Where in bytes its first one is. */
static size_t first_byte(const struct client *c)
{
    return c->number % (sizeof bytes - SHOWN);
}

static size_t size_of(const struct client *c, const struct step *step)
{
    return step->bytes + c->number % (step->most - step->bytes + 1);
}

static void take(struct client *c, const char *what, size_t count)
{
    for (size_t i = 0; i < count && c->got + i < SHOWN; i++)
        c->shown[c->got + i] = what[i];
    c->got += count;
}

static bool is_echo(enum kind kind)
{
    return kind == ECHO || kind == SLOW || kind == BACK;
}

static void add_expected(char *detail, enum kind kind, bool answered, bool echoed)
{
    if (kind == ACK)
        add(detail, "\"ack\\n\"");
    else if (is_echo(kind))
        add(detail, "what was sent, in its order");
    else if (kind == EOF_ && echoed)
        add(detail, "what was sent, then the end");
    else if (kind == EOF_)
        add(detail, answered ? "\"ack\\n\", then the end" : "the end, and no byte");
    else if (kind == GONE || kind == FLOOD)
        add(detail, "the connection to end");
    else if (kind == CLOSED)
        add(detail, "all of it to be read, and no reset");
    else
        add(detail, "a connection that takes what is sent");
}

/* then: what came after the bytes that came back, or NULL. */
static void describe(struct client *c, char *detail, const char *then)
{
    size_t size = 0;
    bool answered = false, echoed = is_echo(c->step->kind);
    char rest[SHOWN];
    ssize_t n = c->wrong ? 0 : recv(c->fd, rest, sizeof rest, MSG_DONTWAIT);
    if (n > 0)
        take(c, rest, (size_t)n);

    for (const struct step *step = c->script; step->kind <= SLOW; step++)
        size += size_of(c, step);
    strcpy(detail, "(sent ");
    if (c->sent > 0) {
        add(detail, "%zu ", c->sent);
        if (c->sent < size)
            add(detail, "of %zu ", size);
        add(detail, size == 1 ? "byte " : "bytes ");
        add_bytes(detail, &bytes[first_byte(c)], c->sent);
    } else {
        add(detail, "no byte");
    }
    for (const struct step *step = c->script; step < c->step; step++) {
        if (step->kind == HALF)
            add(detail, ", then the end");
        answered = answered || step->kind == ACK;
        echoed = echoed || is_echo(step->kind);
    }
    add(detail, "; came back ");
    if (c->got > 0 && echoed)
        add(detail, "%zu byte%s ", c->got, c->got == 1 ? "" : "s");
    if (c->got > 0)
        add_bytes(detail, c->shown, c->got);
    else
        add(detail, "no byte");
    if (c->wrong > 0) {
        add(detail, ", then ");
        add_bytes(detail, c->instead, c->wrong);
        add(detail, " in place of ");
        add_bytes(detail, &bytes[(first_byte(c) + c->got) % sizeof bytes], c->wrong);
    }
    if (then)
        add(detail, ", then %s", then);
    add(detail, "; expected ");
    add_expected(detail, c->step->kind, answered, echoed);
    add(detail, ")");
}

static unsigned seconds_left(void)
{
    time_t used = time(NULL) - run.started_at;
    return used < (time_t)run.seconds ? run.seconds - (unsigned)used : 0;
}

static _Noreturn void report(void)
{
    printf("%u ok", run.finished - run.failed);
    for (unsigned i = 0; i < REASONS && run.reasons[i].count; i++)
        printf(", %u failed: %s %s", run.reasons[i].count, run.reasons[i].text,
               run.reasons[i].detail);
    if (run.finished < run.total) {
        char detail[DETAIL] = "", why[60];
        if (seconds_left() > 0)
            snprintf(why, sizeof why, "nothing more in %u s", run.patience);
        else
            snprintf(why, sizeof why, "nothing more in %u s in all", run.seconds);
        printf(", %u not finished in time", run.total - run.finished);
        for (unsigned i = 0; i < run.at_once && !*detail; i++)
            if (run.clients[i].fd >= 0 && !run.clients[i].parked) {
                describe(&run.clients[i], detail, why);
                printf(": %s %s", names[run.clients[i].step->kind], detail);
            }
    }
    putchar('\n');
    exit(run.finished < run.total || run.failed > 0);
}

static void on_alarm(int sig)
{
    (void)sig;
    report(); /* nothing in the main loop holds a lock of stdio: it does not print */
}

/* Somebody has come further: we are patient again. */
static void progress(void)
{
    unsigned left = seconds_left();
    alarm(left == 0 ? 1 : run.patience < left ? run.patience : left);
}

static const char *reason(const struct client *c, enum outcome outcome)
{
    switch (outcome) {
    case ENDED:
        return "end of file";
    case WRONG_BYTES:
        return "wrong bytes";
    case MORE_BYTES:
        return "more bytes than the answer";
    default: /* ERROR */
        return strerror(c->error);
    }
}

/* With another outcome than THROUGH the client has failed. */
static void finish(struct client *c, enum outcome outcome)
{
    if (outcome != THROUGH) {
        const char *why = reason(c, outcome);
        char text[80];
        unsigned i = 0;
        snprintf(text, sizeof text, "%s: %s", c->connected ? names[c->step->kind] : "connect", why);
        while (i < REASONS - 1 && run.reasons[i].count && strcmp(run.reasons[i].text, text) != 0)
            i++;
        strcpy(run.reasons[i].text, text);
        if (run.reasons[i].count++ == 0)
            describe(c, run.reasons[i].detail,
                     outcome == WRONG_BYTES || outcome == MORE_BYTES ? NULL : why);
        run.failed++;
    }
    close(c->fd);
    c->fd = -1;
    run.finished++;
}

/* What a call that failed means for its step. */
static enum outcome failed(struct client *c, int error)
{
    c->error = error;
    return error == EAGAIN ? WAITS : ERROR;
}

/* The same where the server may end the connection as it likes. */
static enum outcome failed_or_gone(struct client *c, int error)
{
    return error == ECONNRESET || error == EPIPE ? THROUGH : failed(c, error);
}

static int pending_error(const struct client *c)
{
    int error = 0;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    return error;
}

/* Before the first step, when epoll has told of the connection. It may have come and gone. */
static enum outcome connected(struct client *c)
{
    enum kind first = c->step->kind;
    int error = pending_error(c);
    c->connected = error == 0 || error == ECONNRESET || error == EPIPE;
    if (error == 0)
        return THROUGH;
    return first == GONE || first == FLOOD ? failed_or_gone(c, error) : failed(c, error);
}

/* Each of these does as much of the step as it can. */
static enum outcome transmit(struct client *c, size_t most, int flags)
{
    size_t size = size_of(c, c->step);
    while (c->progress < size) {
        size_t from = (first_byte(c) + c->sent) % sizeof bytes, there = sizeof bytes - from;
        size_t left = size - c->progress, count = left < most ? left : most;
        ssize_t n = send(c->fd, &bytes[from], count < there ? count : there, MSG_NOSIGNAL | flags);
        if (n < 0)
            return failed(c, errno);
        c->progress += (size_t)n;
        c->sent += (size_t)n;
        progress();
    }
    return THROUGH;
}

static enum outcome receive_ack(struct client *c)
{
    while (c->progress < 4) {
        char got[4];
        ssize_t n = recv(c->fd, got, 4 - c->progress, 0);
        if (n < 0)
            return failed(c, errno);
        if (n == 0)
            return ENDED;
        take(c, got, (size_t)n);
        if (memcmp(got, &"ack\n"[c->progress], (size_t)n) != 0)
            return WRONG_BYTES;
        c->progress += (size_t)n;
    }
    return THROUGH;
}

/* Takes what is as it was sent, and notes what is not. */
static bool compare(struct client *c, const char *got, const char *sent, size_t count)
{
    size_t same = 0;
    while (same < count && got[same] == sent[same])
        same++;
    take(c, got, same);
    c->wrong = count - same;
    memcpy(c->instead, &got[same], c->wrong < SHOWN ? c->wrong : SHOWN);
    return c->wrong == 0;
}

static enum outcome receive_back(struct client *c)
{
    static char got[65536];
    while (c->got < c->sent) {
        size_t from = (first_byte(c) + c->got) % sizeof bytes, there = sizeof bytes - from;
        size_t left = c->sent - c->got;
        ssize_t n = recv(c->fd, got, left < there ? left : there, 0);
        if (n < 0)
            return failed(c, errno);
        if (n == 0)
            return ENDED;
        if (!compare(c, got, &bytes[from], (size_t)n))
            return WRONG_BYTES;
        if (c->step->kind == SLOW && c->progress < size_of(c, c->step))
            return THROUGH;
    }
    return THROUGH;
}

/* Until both would wait. */
static enum outcome send_and_receive(struct client *c)
{
    enum outcome sent, back;
    do {
        sent = transmit(c, sizeof bytes, 0);
        if (sent != THROUGH && sent != WAITS)
            return sent;
        back = receive_back(c);
    } while (sent == WAITS && back == THROUGH && c->got < c->sent);
    return back == THROUGH ? sent : back;
}

static enum outcome receive_eof(struct client *c)
{
    char more[SHOWN];
    ssize_t n = recv(c->fd, more, sizeof more, 0);
    if (n < 0)
        return failed(c, errno);
    take(c, more, (size_t)n);
    return n == 0 ? THROUGH : MORE_BYTES;
}

static enum outcome end_direction(struct client *c)
{
    if (shutdown(c->fd, SHUT_WR) == 0)
        return THROUGH;
    return failed(c, errno == ENOTCONN ? ECONNRESET : errno); /* it was connected, but no more */
}

static enum outcome flood(struct client *c)
{
    while (send(c->fd, bytes, 4096, MSG_NOSIGNAL) > 0)
        ;
    return failed_or_gone(c, errno);
}

static enum outcome until_gone(struct client *c)
{
    char buffer[4096];
    ssize_t n;
    while ((n = recv(c->fd, buffer, sizeof buffer, 0)) > 0)
        ;
    return n == 0 ? THROUGH : failed_or_gone(c, errno);
}

/* The kernel closes a connection when each end has the other's FIN, and with it all bytes before
 * it, or at a reset, which leaves an error. tcp(7), TCP_INFO */
static enum outcome until_closed(struct client *c)
{
    struct tcp_info info = {0};
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info}) < 0)
        return failed(c, errno);
    if (info.tcpi_state != TCP_CLOSE)
        return WAITS;
    int error = pending_error(c);
    return error == 0 ? THROUGH : failed(c, error);
}

static enum outcome reset(struct client *c)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
        return failed(c, errno);
    return THROUGH;
}

static enum outcome park(struct client *c)
{
    if (!c->parked)
        run.parked++;
    c->parked = true;
    return WAITS;
}

static enum outcome take_step(struct client *c)
{
    switch (c->step->kind) {
    case SEND:
        return transmit(c, sizeof bytes, 0);
    case DRIP:
        return transmit(c, 1, 0);
    case OOB:
        return transmit(c, 1, MSG_OOB);
    case ECHO:
    case SLOW:
        return send_and_receive(c);
    case BACK:
        return receive_back(c);
    case HALF:
        return end_direction(c);
    case FLOOD:
        return flood(c);
    case GONE:
        return until_gone(c);
    case CLOSED:
        return until_closed(c);
    case RESET:
        return reset(c);
    case ACK:
        return receive_ack(c);
    case EOF_:
        return receive_eof(c);
    default: /* ALL and STDIN */
        return park(c);
    }
}

/* As many steps as go without waiting. */
static void advance(struct client *c)
{
    enum outcome outcome = c->connected ? THROUGH : connected(c);
    while (outcome == THROUGH && c->step->kind != DONE) {
        outcome = take_step(c);
        if (outcome == THROUGH) {
            c->step++;
            c->progress = 0;
            progress();
        }
    }
    if (outcome != WAITS)
        finish(c, outcome);
}

static void start(struct client *c)
{
    *c = (struct client){.number = run.started};
    c->script = run.scripts[run.mixed ? (unsigned)random() % run.script_count : c->number];
    c->step = c->script;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        perror("client: socket");
        exit(2);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    run.started++;
    if (connect(c->fd, (struct sockaddr *)&run.server, sizeof run.server) < 0 &&
        errno != EINPROGRESS) {
        finish(c, failed(c, errno));
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) {
        perror("client: epoll_ctl");
        exit(2);
    }
}

/* Every client that has not finished is parked: let them go on. */
static void unpark(void)
{
    for (unsigned i = 0; i < run.at_once; i++) {
        if (run.clients[i].fd >= 0 && run.clients[i].step->kind == STDIN) {
            puts("waiting");
            fflush(stdout);
            alarm(seconds_left() + 1);
            while (getchar() != '\n' && !feof(stdin))
                ;
            break;
        }
    }
    progress();
    run.parked = 0;
    for (unsigned i = 0; i < run.at_once; i++) {
        struct client *c = &run.clients[i];
        if (c->fd >= 0) {
            c->parked = false;
            c->step++;
            advance(c);
        }
    }
}

static _Noreturn void loop(void)
{
    for (;;) {
        for (unsigned i = 0; i < run.at_once && run.started < run.total; i++)
            if (run.clients[i].fd < 0)
                start(&run.clients[i]);
        if (run.finished == run.total)
            report();
        if (run.parked > 0 && run.parked == run.started - run.finished) {
            unpark();
            continue;
        }
        struct epoll_event events[EVENTS];
        int n = epoll_wait(run.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c->fd >= 0 && !(c->parked && events[i].events & EPOLLERR))
                advance(c);
        }
    }
}

/* Its last step is half, or eof or ack and eof after it. */
static bool ends_with_half(const struct step *script, const struct step *end)
{
    while (end > script && (end[-1].kind == EOF_ || end[-1].kind == ACK))
        end--;
    return end > script && end[-1].kind == HALF;
}

static void parse_script(const char *text)
{
    if (run.script_count == SCRIPTS)
        usage("too many scripts");
    struct step *step = run.scripts[run.script_count++];
    char copy[256], *save = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        char *most = value ? strchr(value, '-') : NULL;
        step->bytes = value ? strtoul(value, NULL, 10) : 0;
        step->most = most ? strtoul(most + 1, NULL, 10) : step->bytes;
        if (step->most < step->bytes)
            usage(word);
        step->kind = SEND;
        while (step->kind < DONE && strcmp(names[step->kind], word) != 0)
            step->kind++;
        if (step->kind == DONE || ++step == &run.scripts[run.script_count - 1][STEPS - 2])
            usage(word);
    }
    if (ends_with_half(run.scripts[run.script_count - 1], step))
        (step++)->kind = CLOSED;
    step->kind = DONE;
}

int main(int argc, char **argv)
{
    unsigned seed = 1;
    for (int option; (option = getopt(argc, argv, "n:c:t:p:s:")) != -1;) {
        unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        if (option == 'n') {
            run.mixed = true;
            run.total = value;
        } else if (option == 'c')
            run.at_once = value;
        else if (option == 't')
            run.seconds = value;
        else if (option == 'p')
            run.patience = value;
        else if (option == 's')
            seed = value;
        else
            usage("unknown option");
    }
    if (argc - optind < 2 || (run.mixed && run.total == 0))
        usage("a port and a script are needed");
    run.server = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((in_port_t)atoi(argv[optind++])),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while (optind < argc)
        parse_script(argv[optind++]);
    if (!run.mixed)
        run.total = run.script_count;
    if (run.at_once == 0 || run.at_once > run.total)
        run.at_once = run.total;

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < run.at_once + 64) {
        limit.rlim_cur = run.at_once + 64;
        if (limit.rlim_max < limit.rlim_cur)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            perror("client: setrlimit");
    }
    srandom(seed);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)random();
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.clients = calloc(run.at_once, sizeof *run.clients);
    if (run.epoll < 0 || !run.clients) {
        perror("client");
        return 2;
    }
    for (unsigned i = 0; i < run.at_once; i++)
        run.clients[i].fd = -1;
    signal(SIGALRM, on_alarm);
    if (run.patience == 0)
        run.patience = run.seconds > 0 ? run.seconds : 30;
    if (run.seconds == 0)
        run.seconds = 300;
    run.started_at = time(NULL);
    progress();
    loop();
}
