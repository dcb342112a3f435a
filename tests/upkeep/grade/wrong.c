/*
 * Wrong servers, for the tests of the grader: a thread for each client, and one fault, chosen when
 * it is compiled:  cc -DFAULT=NUL ...  README.md beside this file says what is to be said of each.
 *
 *   wrong --port PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum fault {
    /* the answer */
    NUL,
    THREE_BYTES,
    CAPITALS,
    CRLF,
    ECHO,
    NO_ANSWER,
    GREETS,
    TWICE,
    ANSWERS_EMPTY,
    ONE_SIZE,
    /* when it comes */
    WAITS_FOR_END,
    WAITS_FOR_NEWLINE,
    WAITS_FOR_PAUSE,
    WAITS_FOR_5,
    LATE,
    TEXT_ONLY,
    ANSWERS_SILENT,
    DROPS_SILENT,
    DROPS_HALF,
    /* the end of the connection */
    NEVER_CLOSES,
    RESETS_LARGE,
    DEAF,
    RESETS_AFTER,
    SHORT_DRAIN,
    DRAIN_OF_2_S,
    DRAIN_OF_4_MB,
    DRAINS_ONCE,
    LEFT_TIMER,
    /* its own end */
    EXITS,
    DIES_AT_RESET,
    DIES_AT_EMPTY,
    DIES_AT_SIZE,
    OVERFLOWS,
    RAISES_SIGPIPE,
    EINTR_ENDS,
    DIES_WITHOUT_DESCRIPTORS,
    STOPS_WITHOUT_DESCRIPTORS,
    /* many clients */
    BLOCKED,
    LOSES_500TH,
    LOSES_AT_ONCE,
    LOSES_OF_64,
    SHARED_STATE,
    HANGS_AT_64,
    HANGS_AT_150,
    HANGS_AT_250,
    HANGS_AFTER_150,
    HANGS_AFTER_RESETS,
    BACKLOG_5,
    /* what is kept */
    LEAKS,
    LEAKS_RESET,
    LEAKS_EMPTY,
    KEEPS_1K,
    KEEPS_64K,
    KEEPS_REQUESTS,
    KEEPS_1K_OF_RESET,
    KEEPS_SHARED,
    KEEPS_WHILE_THERE,
    KEEPS_THREADS,
    KEEPS_ZOMBIES,
    /* what it does meanwhile */
    SPINS,
    SPINS_BESIDE_20,
    SPINS_AFTER_ANSWER,
    WAKES,
    TICKS,
    /* the start */
    NOT_FLUSHED,
    READY_CR,
    READY_NO_NEWLINE,
    READY_TEXT,
    READY_PORT_0,
    READY_EARLY,
    BACKGROUND,
    EXITS_AT_START,
    PORT_IN_USE,
    READS_STDIN,
    EVERY_ADDRESS,
    EVERY_IPV6,
    IGNORES_PORT,
    NO_REUSE,
    /* SIGTERM */
    STATUS,
    IGNORES_SIGTERM,
    WAITS_FOR_CLIENTS,
    WAITS_FOR_ANSWERED,
    NO_HANDLER_YET,
    FORGETS_SIGTERM,
    DEAF_AFTER_STOP,
    CHILD_LISTENS,
};

#ifndef FAULT
#define FAULT NUL
#endif
#ifndef SIZE
#define SIZE 1024
#endif

static const enum fault fault = FAULT;
static _Atomic unsigned accepted, connected, asking, draining, ended, resets;
static _Atomic bool answered[256], terminated;

static void on_sigterm(int sig)
{
    (void)sig;
    terminated = true;
    if (fault == FORGETS_SIGTERM) /* looked at when the accept was interrupted */
        return;
    while ((fault == WAITS_FOR_CLIENTS && connected > 0) ||
           (fault == WAITS_FOR_ANSWERED && draining > 0))
        usleep(10000);
    _exit(fault == STATUS ? 3 : 0);
}

static void say(int port)
{
    printf(fault == READY_CR           ? "listening on 127.0.0.1:%d\r\n"
           : fault == READY_NO_NEWLINE ? "listening on 127.0.0.1:%d"
           : fault == READY_TEXT       ? "Server listens on port %d\n"
                                       : "listening on 127.0.0.1:%d\n",
           port);
    if (fault != NOT_FLUSHED)
        fflush(stdout);
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)(fault == IGNORES_PORT ? 0 : port)),
                                  .sin_addr.s_addr =
                                      htonl(fault == EVERY_ADDRESS ? INADDR_ANY : INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && fault != NO_REUSE)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fault == PORT_IN_USE) { /* as if another one had it */
        int other = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_port = 0;
        if (other < 0 || bind(other, (struct sockaddr *)&address, sizeof address) < 0 ||
            listen(other, 1) < 0)
            exit(1);
        getsockname(other, (struct sockaddr *)&address, &length);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("wrong: bind");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&address, &length);
    if (fault == READY_EARLY)
        say(ntohs(address.sin_port));
    if (fault == READY_EARLY)
        sleep(1);
    if (listen(fd, fault == BACKLOG_5 ? 5 : SOMAXCONN) < 0) {
        perror("wrong: listen");
        exit(1);
    }
    if (fault == EVERY_IPV6) {
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = address.sin_port};
        int other = socket(AF_INET6, SOCK_STREAM, 0);
        setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
        if (bind(other, (struct sockaddr *)&any, sizeof any) < 0 || listen(other, SOMAXCONN) < 0)
            exit(1);
    }
    if (fault != READY_EARLY)
        say(fault == READY_PORT_0 ? 0 : ntohs(address.sin_port));
    return fd;
}

static void time_limit(int client, int ms)
{
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* The request: what one receive brings, but for those faults. Returns its size. */
static ssize_t receive(int client, char *buffer, size_t size)
{
    ssize_t n = recv(client, buffer, size, 0), more = 1, all = n;
    if (fault == WAITS_FOR_PAUSE)
        time_limit(client, 300);
    while (n > 0 && more > 0 &&
           (fault == WAITS_FOR_END || fault == WAITS_FOR_PAUSE ||
            (fault == WAITS_FOR_5 && all < 5) ||
            (fault == WAITS_FOR_NEWLINE && !memchr(buffer, '\n', (size_t)n)))) {
        more = recv(client, buffer, size, 0);
        if (more > 0)
            all += n = more;
    }
    return all;
}

/* Returns an errno, or 0. */
static int answer(int client, const char *request, ssize_t size)
{
    const char *text = fault == CAPITALS ? "ACK\n" : fault == CRLF ? "ack\r\n" : "ack\n";
    size_t length = fault == THREE_BYTES ? 3 : fault == NUL || fault == CRLF ? 5 : 4;
    if (fault == ONE_SIZE && size == SIZE)
        text = "ack?";
    if (fault == LATE)
        usleep(40000);
    if (fault == ECHO)
        text = request, length = (size_t)size;
    if (fault == RAISES_SIGPIPE) {
        usleep(20000);
        write(client, text, 2);
        usleep(20000);
        write(client, text + 2, 2);
    } else if (fault != NO_ANSWER && fault != GREETS) {
        if (send(client, text, length, MSG_NOSIGNAL) < 0)
            return errno;
    }
    if (fault == TWICE)
        send(client, text, length, MSG_NOSIGNAL);
    return 0;
}

/* After the answer: to the end of the client's direction. Returns an errno, or 0. */
static int drain(int client)
{
    char buffer[65536], *kept = NULL;
    ssize_t n;
    size_t all = 0;
    if (fault == DEAF)
        usleep(500000);
    if (fault == RESETS_LARGE || fault == DEAF)
        return 0;
    if (fault == SHORT_DRAIN)
        time_limit(client, 100);
    if (fault == DRAIN_OF_2_S)
        time_limit(client, 2000);
    while ((n = recv(client, buffer, sizeof buffer, fault == SPINS_AFTER_ANSWER ? MSG_PEEK : 0)) >
           0) {
        all += (size_t)n;
        if (fault == DRAINS_ONCE || (fault == DRAIN_OF_4_MB && all > 4000000))
            return 0;
        char *more = fault == KEEPS_WHILE_THERE ? realloc(kept, all) : NULL;
        if (more) {
            kept = more;
            memcpy(kept + all - n, buffer, (size_t)n);
        }
        if (fault == SPINS_AFTER_ANSWER && n > 100)
            recv(client, buffer, sizeof buffer, 0);
        if (fault == SPINS_AFTER_ANSWER &&
            poll(&(struct pollfd){.fd = client, .events = POLLRDHUP}, 1, 0) > 0 && n <= 100)
            return 0;
    }
    int error = n < 0 ? errno : 0;
    free(kept);
    return error;
}

static void *sleep_for_ever(void *argument)
{
    for (;;)
        pause();
    return argument;
}

static void keep(const char *request, ssize_t size, bool was_reset)
{
    pthread_t thread;
    size_t bytes = fault == KEEPS_64K ? 65536 : fault == KEEPS_REQUESTS ? (size_t)size : 1024;
    if (fault == KEEPS_1K || fault == KEEPS_64K || (fault == KEEPS_1K_OF_RESET && was_reset) ||
        (fault == KEEPS_REQUESTS && size > 0)) {
        static char *volatile kept;
        kept = malloc(bytes);
        memcpy(kept, request, bytes < 1024 ? bytes : 1024);
    }
    if (fault == KEEPS_SHARED)
        memset(mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 1,
               16384);
    if (fault == KEEPS_THREADS)
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
    if (fault == KEEPS_ZOMBIES && fork() == 0)
        _exit(0);
}

/* Two seconds later, whoever has that descriptor then. */
static void *end_later(void *client)
{
    sleep(2);
    shutdown((int)(intptr_t)client, SHUT_RDWR);
    return NULL;
}

/* Where many ask at the same moment, and where two have one place for what is known of them. */
static bool is_lost_asking(int client)
{
    bool lost = fault == LOSES_OF_64 && ++asking > 64;
    if (fault == LOSES_OF_64) {
        usleep(5000);
        asking--;
    }
    return lost || (fault == SHARED_STATE && atomic_exchange(&answered[client % 256], true));
}

static void *serve_client(void *argument)
{
    int client = (int)(intptr_t)argument, error = 0;
    char buffer[8192];
    if (fault == ANSWERS_SILENT || fault == DROPS_SILENT)
        time_limit(client, 2000);
    if (fault == GREETS)
        send(client, "ack\n", 4, MSG_NOSIGNAL);
    ssize_t n = receive(client, buffer, sizeof buffer);
    if (n < 0)
        error = errno;
    if (n == 0 && fault == DIES_AT_EMPTY)
        exit(4);
    if (n == SIZE && fault == DIES_AT_SIZE)
        raise(SIGFPE);
    if (n >= 4096 && fault == OVERFLOWS)
        abort();
    if (fault == DROPS_HALF && poll(&(struct pollfd){.fd = client, .events = POLLRDHUP}, 1, 0) > 0)
        n = 0;
    if (fault == TEXT_ONLY && n > 0 && strnlen(buffer, (size_t)n) == 0)
        n = 0;
    if (n > 0 && is_lost_asking(client))
        n = 0;
    if (n > 0 || (n == 0 && fault == ANSWERS_EMPTY) ||
        (n < 0 && error == EAGAIN && fault == ANSWERS_SILENT))
        error = answer(client, buffer, n);
    if (fault == RESETS_AFTER)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    else if (fault != NEVER_CLOSES)
        shutdown(client, SHUT_WR);
    draining++;
    if (!error && fault != RESETS_AFTER && fault != TEXT_ONLY)
        error = drain(client);
    draining--;
    if (error == ECONNRESET && fault == DIES_AT_RESET)
        exit(1);
    if (error == ECONNRESET)
        resets++;
    keep(buffer, n, error == ECONNRESET);
    if (!(fault == LEAKS && ended++ % 8 == 0) && !(fault == LEAKS_EMPTY && n == 0) &&
        !(fault == LEAKS_RESET && error == ECONNRESET))
        close(client);
    pthread_t thread;
    if (fault == LEFT_TIMER && n > 0 && pthread_create(&thread, NULL, end_later, argument) == 0)
        pthread_detach(thread);
    connected--;
    return NULL;
}

/* An interrupted wait is taken for the end. */
static void *wait_for_sigterm(void *argument)
{
    if (sigwaitinfo(argument, NULL) == SIGTERM)
        _exit(0);
    return NULL;
}

static void *disturb(void *argument)
{
    for (;;) {
        if (fault == WAKES)
            usleep(1000);
        else if (fault == TICKS) /* one for each client that there was */
            usleep(1000000 / (accepted + 1));
        else if (connected < 20)
            usleep(50000);
    }
    return argument;
}

/* What may be wrong with this client, by its number. */
static bool is_lost(unsigned number)
{
    if ((fault == HANGS_AT_64 && connected > 64) || (fault == HANGS_AT_150 && connected > 150) ||
        (fault == HANGS_AT_250 && connected > 250) || (fault == HANGS_AFTER_150 && number > 150) ||
        (fault == HANGS_AFTER_RESETS && resets > 200))
        for (;;)
            pause();
    if (fault == EXITS && number > 1000)
        exit(0);
    return (fault == LOSES_500TH && number % 500 == 0) ||
           (fault == LOSES_AT_ONCE && connected > 100);
}

static int next_client(int listener, int epoll)
{
    struct epoll_event event;
    if (fault == EINTR_ENDS && epoll_wait(epoll, &event, 1, -1) < 0) {
        perror("wrong: epoll_wait");
        exit(1);
    }
    int client = accept(listener, NULL, NULL);
    if (client < 0 && errno == EINTR && terminated)
        exit(0);
    if (client >= 0 && fault == NO_HANDLER_YET)
        signal(SIGTERM, on_sigterm);
    if (client >= 0)
        answered[client % 256] = false;
    if (client < 0 && errno == EMFILE && fault == DIES_WITHOUT_DESCRIPTORS) {
        perror("wrong: accept");
        exit(1);
    }
    while (client < 0 && errno == EMFILE && fault == STOPS_WITHOUT_DESCRIPTORS)
        pause();
    if (client < 0 && errno == EMFILE)
        usleep(10000);
    return client;
}

static void before_the_start(void)
{
    if (fault == BACKGROUND && fork() != 0)
        exit(0);
    if (fault == EXITS_AT_START) {
        fputs("wrong: no configuration file\n", stderr);
        exit(7);
    }
    if (fault == READS_STDIN && getchar() == EOF)
        exit(5);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
    int port = 4242;
    for (int option; (option = getopt_long(argc, argv, "p:", options, NULL)) != -1;)
        if (option == 'p')
            port = atoi(optarg);

    before_the_start();
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    if (fault == DEAF_AFTER_STOP) {
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        pthread_create(&thread, NULL, wait_for_sigterm, &set);
    } else if (fault != NO_HANDLER_YET) {
        struct sigaction action = {.sa_handler = fault == IGNORES_SIGTERM ? SIG_IGN : on_sigterm,
                                   .sa_flags = fault == FORGETS_SIGTERM ? 0 : SA_RESTART};
        sigaction(SIGTERM, &action, NULL);
    }
    if (fault == KEEPS_ZOMBIES)
        signal(SIGCHLD, SIG_DFL);
    int listener = listen_on(port), epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    if (fault == WAKES || fault == SPINS_BESIDE_20 || fault == TICKS)
        pthread_create(&thread, NULL, disturb, NULL);
    if (fault == CHILD_LISTENS)
        fork();
    if (fault == SPINS)
        fcntl(listener, F_SETFL, O_NONBLOCK);
    for (;;) {
        int client = next_client(listener, epoll);
        if (client < 0)
            continue;
        connected++;
        if (is_lost(++accepted)) {
            close(client);
            connected--;
        } else if (fault == BLOCKED) {
            serve_client((void *)(intptr_t)client);
        } else if (pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)client) == 0) {
            pthread_detach(thread);
        } else {
            close(client);
        }
    }
}
