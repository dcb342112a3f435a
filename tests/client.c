/*
 * The client of the tests: many TCP clients at once on loopback, each going through a script.
 *
 *   client [-n clients] [-c at-once] [-t seconds] [-s seed] PORT SCRIPT...
 *
 * A script is a list of steps, such as "send=5,ack,eof"; each client takes one of the scripts, at
 * random by the seed where there are several. Steps:
 *
 *   send=N   send N bytes (random ones)       ack    receive exactly "ack\n"
 *   drip=N   send N bytes, one per packet     eof    receive the end of the server's direction
 *   half     end our direction                gone   receive whatever comes until the server has
 *   flood    send until the server is gone           ended the connection, by FIN or reset
 *   reset    close with a reset               all    wait until every client is at this step
 *   stdin    the same, then say "waiting" and wait for a line on stdin
 *
 * send=A-B, drip=A-B: the first client sends A bytes, the next A + 1, and so on; after B, A again.
 *
 * After its last step a client closes. Prints one line, "N ok" or "N ok, M failed: ...", and there,
 * in brackets, what the first of these clients sent, what came back and what was expected; exits 0
 * if all went through, 1 if not, 2 for wrong usage. It never runs longer than -t (30).
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
#include <unistd.h>

enum kind { SEND, DRIP, HALF, FLOOD, RESET, ACK, END, GONE, ALL, STDIN, DONE, KINDS };
enum { STEPS = 16, SCRIPTS = 16, EVENTS = 256, REASONS = 8, SHOWN = 16, DETAIL = 400 };

static const char *const names[KINDS] = {"send", "drip", "half", "flood", "reset", "ack",
                                         "eof",  "gone", "all",  "stdin", "done"};

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
    bool parked;       /* at ALL or STDIN */
};

static struct {
    struct step scripts[SCRIPTS][STEPS];
    unsigned script_count;
    struct sockaddr_in server;
    unsigned total, at_once, started, ended, failed, parked;
    int epoll;
    struct client *clients;
    struct {
        char text[80], detail[DETAIL];
        unsigned count;
    } reasons[REASONS];
    unsigned seconds;
} all;

static char bytes[65536]; /* what we send: client 1 begins at the second of them, and so on */

static const char wrong_bytes[] = "wrong bytes", more_bytes[] = "more bytes than the answer";

static _Noreturn void usage(const char *what)
{
    fprintf(stderr,
            "client: %s\nusage: client [-n clients] [-c at-once] [-t seconds] [-s seed] "
            "PORT SCRIPT...\n",
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

static void describe(struct client *c, char *detail, const char *why)
{
    size_t size = 0;
    bool answered = false;
    char rest[SHOWN];
    ssize_t n = recv(c->fd, rest, sizeof rest, MSG_DONTWAIT);
    if (n > 0)
        take(c, rest, (size_t)n);

    for (const struct step *step = c->script; step->kind <= DRIP; step++)
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
    }
    add(detail, "; came back ");
    if (c->got > 0)
        add_bytes(detail, c->shown, c->got);
    else
        add(detail, "no byte");
    if (why != wrong_bytes && why != more_bytes)
        add(detail, ", then %s", why);
    add(detail, "; expected ");
    if (c->step->kind == ACK)
        add(detail, "\"ack\\n\"");
    else if (c->step->kind == END && answered)
        add(detail, "\"ack\\n\", then the end");
    else if (c->step->kind == END)
        add(detail, "the end, and no byte");
    else if (c->step->kind == GONE || c->step->kind == FLOOD)
        add(detail, "the connection to end");
    else
        add(detail, "a connection that takes what is sent");
    add(detail, ")");
}

static _Noreturn void report(void)
{
    printf("%u ok", all.ended - all.failed);
    for (unsigned i = 0; i < REASONS && all.reasons[i].count; i++)
        printf(", %u failed: %s %s", all.reasons[i].count, all.reasons[i].text,
               all.reasons[i].detail);
    if (all.ended < all.total) {
        char detail[DETAIL] = "", why[60];
        snprintf(why, sizeof why, "nothing more in %u s", all.seconds);
        printf(", %u not finished in time", all.total - all.ended);
        for (unsigned i = 0; i < all.at_once && !*detail; i++)
            if (all.clients[i].fd >= 0 && !all.clients[i].parked) {
                describe(&all.clients[i], detail, why);
                printf(": %s %s", names[all.clients[i].step->kind], detail);
            }
    }
    putchar('\n');
    exit(all.ended < all.total || all.failed > 0);
}

static void on_alarm(int sig)
{
    (void)sig;
    report(); /* nothing in the main loop holds a lock of stdio: it does not print */
}

static void end(struct client *c, const char *why)
{
    if (why) {
        char text[80];
        unsigned i = 0;
        snprintf(text, sizeof text, "%s: %s", names[c->step->kind], why);
        while (i < REASONS - 1 && all.reasons[i].count && strcmp(all.reasons[i].text, text) != 0)
            i++;
        strcpy(all.reasons[i].text, text);
        if (all.reasons[i].count++ == 0)
            describe(c, all.reasons[i].detail, why);
        all.failed++;
    }
    close(c->fd);
    c->fd = -1;
    all.ended++;
}

/* Each of these does as much of the step as it can. Returns NULL when the step is done, "" when it
 * must wait, else why it failed. */
static const char *transmit(struct client *c, size_t most)
{
    size_t size = size_of(c, c->step);
    while (c->progress < size) {
        size_t from = (first_byte(c) + c->sent) % sizeof bytes, there = sizeof bytes - from;
        size_t left = size - c->progress, count = left < most ? left : most;
        ssize_t n = send(c->fd, &bytes[from], count < there ? count : there, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? "" : strerror(errno);
        c->progress += (size_t)n;
        c->sent += (size_t)n;
    }
    return NULL;
}

static const char *receive_ack(struct client *c)
{
    while (c->progress < 4) {
        char got[4];
        ssize_t n = recv(c->fd, got, 4 - c->progress, 0);
        if (n < 0)
            return errno == EAGAIN ? "" : strerror(errno);
        if (n == 0)
            return "end of file";
        take(c, got, (size_t)n);
        if (memcmp(got, &"ack\n"[c->progress], (size_t)n) != 0)
            return wrong_bytes;
        c->progress += (size_t)n;
    }
    return NULL;
}

static const char *receive_eof(struct client *c)
{
    char more[SHOWN];
    ssize_t n = recv(c->fd, more, sizeof more, 0);
    if (n < 0)
        return errno == EAGAIN ? "" : strerror(errno);
    take(c, more, (size_t)n);
    return n == 0 ? NULL : more_bytes;
}

static const char *flood(struct client *c)
{
    while (send(c->fd, bytes, 4096, MSG_NOSIGNAL) > 0)
        ;
    return errno == EAGAIN ? "" : NULL;
}

static const char *until_gone(struct client *c)
{
    char buffer[4096];
    ssize_t n;
    while ((n = recv(c->fd, buffer, sizeof buffer, 0)) > 0)
        ;
    return n < 0 && errno == EAGAIN ? "" : NULL;
}

static const char *park(struct client *c)
{
    if (!c->parked)
        all.parked++;
    c->parked = true;
    return "";
}

static const char *take_step(struct client *c)
{
    switch (c->step->kind) {
    case SEND:
        return transmit(c, sizeof bytes);
    case DRIP:
        return transmit(c, 1);
    case HALF:
        return shutdown(c->fd, SHUT_WR) == 0 ? NULL : strerror(errno);
    case FLOOD:
        return flood(c);
    case GONE:
        return until_gone(c);
    case RESET:
        return setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                          sizeof(struct linger)) == 0
                   ? NULL
                   : strerror(errno);
    case ACK:
        return receive_ack(c);
    case END:
        return receive_eof(c);
    default: /* ALL and STDIN */
        return park(c);
    }
}

/* As many steps as go without waiting. */
static void advance(struct client *c)
{
    while (c->step->kind != DONE) {
        const char *why = take_step(c);
        if (why) {
            if (*why)
                end(c, why);
            return;
        }
        c->step++;
        c->progress = 0;
    }
    end(c, NULL);
}

static void start(struct client *c)
{
    *c = (struct client){.number = all.started};
    c->script = all.scripts[all.script_count > 1 ? (unsigned)random() % all.script_count : 0];
    c->step = c->script;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (c->fd < 0 || epoll_ctl(all.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) {
        perror("client");
        exit(2);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    all.started++;
    if (connect(c->fd, (struct sockaddr *)&all.server, sizeof all.server) < 0 &&
        errno != EINPROGRESS)
        end(c, strerror(errno));
}

/* Every client that has not ended is parked: let them go on. */
static void unpark(void)
{
    for (unsigned i = 0; i < all.at_once; i++) {
        if (all.clients[i].fd >= 0 && all.clients[i].step->kind == STDIN) {
            puts("waiting");
            fflush(stdout);
            while (getchar() != '\n' && !feof(stdin))
                ;
            break;
        }
    }
    all.parked = 0;
    for (unsigned i = 0; i < all.at_once; i++) {
        struct client *c = &all.clients[i];
        if (c->fd >= 0) {
            c->parked = false;
            c->step++;
            advance(c);
        }
    }
}

static void run(void)
{
    for (;;) {
        for (unsigned i = 0; i < all.at_once && all.started < all.total; i++)
            if (all.clients[i].fd < 0)
                start(&all.clients[i]);
        if (all.ended == all.total)
            report();
        if (all.parked > 0 && all.parked == all.started - all.ended) {
            unpark();
            continue;
        }
        struct epoll_event events[EVENTS];
        int n = epoll_wait(all.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c->fd >= 0 && !(c->parked && events[i].events & EPOLLERR))
                advance(c);
        }
    }
}

static void parse_script(const char *text)
{
    if (all.script_count == SCRIPTS)
        usage("too many scripts");
    struct step *step = all.scripts[all.script_count++];
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
        if (step->kind == DONE || ++step == &all.scripts[all.script_count - 1][STEPS - 1])
            usage(word);
    }
    step->kind = DONE;
}

int main(int argc, char **argv)
{
    unsigned seed = 1;
    all.seconds = 30;
    all.total = 1;
    for (int option; (option = getopt(argc, argv, "n:c:t:s:")) != -1;) {
        unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        if (option == 'n')
            all.total = value;
        else if (option == 'c')
            all.at_once = value;
        else if (option == 't')
            all.seconds = value;
        else if (option == 's')
            seed = value;
        else
            usage("unknown option");
    }
    if (argc - optind < 2 || all.total == 0)
        usage("a port and a script are needed");
    all.server = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((in_port_t)atoi(argv[optind++])),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while (optind < argc)
        parse_script(argv[optind++]);
    if (all.at_once == 0 || all.at_once > all.total)
        all.at_once = all.total;

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < all.at_once + 64) {
        limit.rlim_cur = all.at_once + 64;
        if (limit.rlim_max < limit.rlim_cur)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            perror("client: setrlimit");
    }
    srandom(seed);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)random();
    all.epoll = epoll_create1(EPOLL_CLOEXEC);
    all.clients = calloc(all.at_once, sizeof *all.clients);
    if (all.epoll < 0 || !all.clients) {
        perror("client");
        return 2;
    }
    for (unsigned i = 0; i < all.at_once; i++)
        all.clients[i].fd = -1;
    signal(SIGALRM, on_alarm);
    alarm(all.seconds);
    run();
}
