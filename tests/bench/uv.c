/*
 * For comparison: the protocol of the four days with libuv, as its guide would have it, but with
 * one buffer for all reads and the memory of a client used again for the next.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "../../common/listen.h"
#include "../../common/options.h"
#include "../../common/say.h"

enum { BUFFER_SIZE = 1024 };

static char ANSWER[] = {'a', 'c', 'k', '\n'};

struct client {
    uv_tcp_t tcp; /* its data: the client */
    uv_shutdown_t shutdown;
    bool answered;
    struct client *next; /* while it is free */
};

static uv_loop_t *loop;
static struct client *free_clients;
static unsigned long served;
static char buffer[BUFFER_SIZE];

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
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request;
    if (status == 0)
        served++;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(buffer, sizeof buffer); /* it is read and looked at before the next alloc */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    (void)buf;
    if (n < 0) { /* UV_EOF too */
        uv_close((uv_handle_t *)stream, on_close);
    } else if (n > 0 && !c->answered) {
        uv_buf_t answer = uv_buf_init(ANSWER, sizeof ANSWER);
        c->answered = true;
        if (uv_try_write(stream, &answer, 1) != sizeof ANSWER ||
            uv_shutdown(&c->shutdown, stream, on_shutdown) < 0)
            uv_close((uv_handle_t *)stream, on_close);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *c = free_clients;
    if (status < 0)
        return;
    if (c)
        free_clients = c->next;
    else if (!(c = malloc(sizeof *c)))
        die("malloc", errno, "too many clients");
    c->answered = false;
    check("uv_tcp_init", uv_tcp_init(loop, &c->tcp));
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        uv_close((uv_handle_t *)&c->tcp, on_close);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
    prepare_output();
    struct options options = parse_options(argc, argv, "ap");
    static uv_tcp_t listener;
    static uv_signal_t terminate;

    loop = uv_default_loop();
    check("uv_signal_init", uv_signal_init(loop, &terminate));
    check("uv_signal_start", uv_signal_start(&terminate, on_signal, SIGTERM));
    check("uv_tcp_init", uv_tcp_init(loop, &listener));
    check("uv_tcp_open", uv_tcp_open(&listener, listen_on(&options.address)));
    check("uv_listen", uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection));
    uv_run(loop, UV_RUN_DEFAULT);

    say(STDOUT_FILENO, "served %lu clients", served);
    return 0;
}
