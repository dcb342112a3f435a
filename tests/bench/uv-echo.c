/*
 * For comparison: the echo with libuv, with the guarantees of epoll-echo.c, and the same way: one
 * buffer for all reads, what came is written at once, and only what the socket does not take is
 * kept; until it is gone that client is not read from.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "../../common/listen.h"
#include "../../common/options.h"
#include "../../common/say.h"

enum { BUFFER_SIZE = 65536, TICK_MS = 1000, STOP_GRACE_MS = 500 };

/* What a socket did not take. */
struct rest {
    uv_write_t write; /* its data: the client */
    char bytes[];
};

struct client {
    uv_tcp_t tcp; /* its data: the client */
    uint64_t deadline;
    size_t unwritten;           /* of its rest, when it was looked at last */
    struct client *next, *prev; /* of those that are open; next: while it is free */
};

static uv_loop_t *loop;
static uv_tcp_t listener;
static uv_timer_t ticker;
static uv_signal_t terminate;
static struct client open_clients = {.next = &open_clients, .prev = &open_clients};
static struct client *free_clients;
static unsigned long served;
static int slots, open_count;
static uint64_t patience;
static bool waiting, stopping; /* waiting: somebody has connected, and there was no slot */
static char buffer[BUFFER_SIZE];

static void on_connection(uv_stream_t *stream, int status);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void check(const char *what, int ret)
{
    if (ret < 0)
        die(what, -ret, "see docs.libuv.org");
}

static void on_close(uv_handle_t *handle)
{
    struct client *c = handle->data;
    c->next = free_clients;
    free_clients = c;
    open_count--;
    if (waiting && !stopping)
        on_connection((uv_stream_t *)&listener, 0);
    else if (stopping && open_count == 0)
        uv_stop(loop);
}

static void drop(struct client *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    c->next->prev = c->prev;
    c->prev->next = c->next;
    uv_close((uv_handle_t *)&c->tcp, on_close);
}

/* It got further, which gives it time again; not when the server stops. */
static void prolong(struct client *c)
{
    if (!stopping)
        c->deadline = uv_now(loop) + patience;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(buffer, sizeof buffer); /* it is read and looked at before the next alloc */
}

static void on_written(uv_write_t *write, int status)
{
    struct client *c = write->data;
    free(write);
    c->unwritten = 0;
    prolong(c);
    if (status < 0 || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        drop(c);
}

static bool keep(struct client *c, const char *bytes, size_t length)
{
    struct rest *rest = malloc(sizeof *rest + length);
    if (!rest)
        return false;
    memcpy(rest->bytes, bytes, length);
    rest->write.data = c;
    c->unwritten = length;
    uv_read_stop((uv_stream_t *)&c->tcp);
    uv_buf_t buf = uv_buf_init(rest->bytes, (unsigned)length);
    return uv_write(&rest->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) == 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    if (n == 0) /* nothing there, after all */
        return;
    if (n <
        0) { /* at the end all that it has sent is sent back: the close ends our direction well */
        served += n == UV_EOF;
        drop(c);
        return;
    }
    uv_buf_t echo = uv_buf_init(buf->base, (unsigned)n);
    int sent = uv_try_write(stream, &echo, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0 || (sent < n && !keep(c, buf->base + sent, (size_t)(n - sent))))
        drop(c);
    else
        prolong(c);
}

static struct client *new_client(void)
{
    struct client *c = free_clients;
    if (c)
        free_clients = c->next;
    else if (!(c = malloc(sizeof *c)))
        die("malloc", errno, "too many clients");
    c->unwritten = 0;
    c->deadline = uv_now(loop) + patience;
    c->next = open_clients.next;
    c->prev = &open_clients;
    c->next->prev = c->prev->next = c;
    open_count++;
    return c;
}

/* libuv itself waits with the next until this one is accepted. */
static void on_connection(uv_stream_t *stream, int status)
{
    waiting = status == 0 && open_count >= slots;
    if (status < 0 || waiting)
        return;
    struct client *c = new_client();
    check("uv_tcp_init", uv_tcp_init(loop, &c->tcp));
    c->tcp.data = c;
    if (uv_accept(stream, (uv_stream_t *)&c->tcp) < 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        drop(c);
}

static void on_tick(uv_timer_t *timer)
{
    struct client *next;
    (void)timer;
    for (struct client *c = open_clients.next; c != &open_clients; c = next) {
        size_t unwritten = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
        next = c->next;
        if (unwritten < c->unwritten) /* part of the rest is gone */
            prolong(c);
        c->unwritten = unwritten;
        if (uv_now(loop) >= c->deadline)
            drop(c);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    if (stopping)
        return;
    stopping = true;
    uv_close((uv_handle_t *)&listener, NULL);
    check("uv_timer_start", uv_timer_start(&ticker, on_tick, STOP_GRACE_MS, STOP_GRACE_MS));
    for (struct client *c = open_clients.next; c != &open_clients; c = c->next)
        c->deadline = uv_now(loop) + STOP_GRACE_MS;
    if (open_count == 0)
        uv_stop(loop);
}

int main(int argc, char **argv)
{
    prepare_output();
    struct options options = parse_options(argc, argv, "apsi");
    slots = options.slots;
    patience = (uint64_t)options.idle_timeout * 1000;

    loop = uv_default_loop();
    check("uv_signal_init", uv_signal_init(loop, &terminate));
    check("uv_signal_start", uv_signal_start(&terminate, on_signal, SIGTERM));
    check("uv_timer_init", uv_timer_init(loop, &ticker));
    check("uv_timer_start", uv_timer_start(&ticker, on_tick, TICK_MS, TICK_MS));
    check("uv_tcp_init", uv_tcp_init(loop, &listener));
    check("uv_tcp_open", uv_tcp_open(&listener, listen_on(&options.address)));
    check("uv_listen", uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection));
    check("uv_tcp_nodelay", uv_tcp_nodelay(&listener, 1)); /* accepted sockets inherit it */
    uv_run(loop, UV_RUN_DEFAULT);

    say(STDOUT_FILENO, "served %lu clients", served);
    return 0;
}
