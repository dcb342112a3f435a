/*
 * The client of the tests: many TCP clients at once on loopback, each going through a script.
 *
 *   client [-n clients] [-c at-once] [-t seconds] [-s seed] PORT SCRIPT...
 *
 * A script is a list of steps, such as "send=5,ack,eof"; each client takes one of the scripts, at
 * random by the seed where there are several. Steps:
 *
 *   send=N   send N bytes (any values)        ack    receive exactly "ack\n"
 *   drip=N   send N bytes, one per packet     eof    receive the end of the server's direction
 *   half     end our direction                gone   receive whatever comes until the server has
 *   flood    send until the server is gone           ended the connection, by FIN or reset
 *   reset    close with a reset               all    wait until every client is at this step
 *   stdin    the same, then say "waiting" and wait for a line on stdin
 *
 * After its last step a client closes. Prints one line, "N ok" or "N ok, M failed: ..."; exits 0 if
 * all went through, 1 if not, 2 for wrong usage. It never runs longer than -t (30).
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
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
enum { STEPS = 16, SCRIPTS = 16, EVENTS = 256, REASONS = 8 };

static const char *const names[KINDS] = {"send", "drip", "half", "flood", "reset", "ack",
                                         "eof",  "gone", "all",  "stdin", "done"};

struct step {
    enum kind kind;
    size_t bytes;
};

struct client {
    int fd;
    const struct step *step;
    size_t progress; /* bytes of this step that are through */
    bool parked;     /* at ALL or STDIN */
};

static struct {
    struct step scripts[SCRIPTS][STEPS];
    unsigned script_count;
    struct sockaddr_in server;
    unsigned total, at_once, started, ended, failed, parked;
    int epoll;
    struct client *clients;
    struct {
        char text[80];
        unsigned count;
    } reasons[REASONS];
} all;

static char bytes[65536]; /* what we send */

static _Noreturn void usage(const char *what)
{
    fprintf(stderr,
            "client: %s\nusage: client [-n clients] [-c at-once] [-t seconds] [-s seed] "
            "PORT SCRIPT...\n",
            what);
    exit(2);
}

static _Noreturn void report(void)
{
    printf("%u ok", all.ended - all.failed);
    for (unsigned i = 0; i < REASONS && all.reasons[i].count; i++)
        printf(", %u failed: %s", all.reasons[i].count, all.reasons[i].text);
    if (all.ended < all.total)
        printf(", %u not finished in time", all.total - all.ended);
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
        all.reasons[i].count++;
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
    while (c->progress < c->step->bytes) {
        size_t left = c->step->bytes - c->progress;
        ssize_t n = send(c->fd, bytes, left < most ? left : most, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? "" : strerror(errno);
        c->progress += (size_t)n;
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
        if (memcmp(got, &"ack\n"[c->progress], (size_t)n) != 0)
            return "wrong bytes";
        c->progress += (size_t)n;
    }
    return NULL;
}

static const char *receive_eof(struct client *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, 0);
    if (n < 0)
        return errno == EAGAIN ? "" : strerror(errno);
    return n == 0 ? NULL : "more bytes than the answer";
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
    c->step = all.scripts[all.script_count > 1 ? (unsigned)random() % all.script_count : 0];
    c->progress = 0;
    c->parked = false;
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
        step->bytes = value ? strtoul(value, NULL, 10) : 0;
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
    unsigned seed = 1, seconds = 30;
    all.total = 1;
    for (int option; (option = getopt(argc, argv, "n:c:t:s:")) != -1;) {
        unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        if (option == 'n')
            all.total = value;
        else if (option == 'c')
            all.at_once = value;
        else if (option == 't')
            seconds = value;
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
    alarm(seconds);
    run();
}
