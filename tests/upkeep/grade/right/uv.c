/* A right server, for the tests of the grader: libuv, with a backlog of 128 as in its
 * documentation. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "../listen.h"

struct client {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    int answered;
};

static char nowhere[65536];

static void on_close(uv_handle_t *handle)
{
    free(handle);
}
static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request, (void)status;
}
static void on_written(uv_write_t *request, int status)
{
    (void)request, (void)status;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)handle, (void)size;
    *buf = uv_buf_init(nowhere, sizeof nowhere);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    struct client *client = (struct client *)stream;
    if (n < 0)
        uv_close((uv_handle_t *)stream, on_close);
    if (n <= 0 || client->answered)
        return;
    client->answered = 1;
    uv_buf_t answer = uv_buf_init("ack\n", 4);
    uv_write(&client->write, stream, &answer, 1, on_written);
    uv_shutdown(&client->shutdown, stream, on_shutdown);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0)
        return;
    struct client *client = calloc(1, sizeof *client);
    uv_tcp_init(listener->loop, &client->tcp);
    if (uv_accept(listener, (uv_stream_t *)client) == 0)
        uv_read_start((uv_stream_t *)client, on_alloc, on_read);
    else
        uv_close((uv_handle_t *)client, on_close);
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int length = sizeof address;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sigterm);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", argc == 3 ? atoi(argv[2]) : 4242, &address);
    int ret = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (ret == 0)
        ret = uv_listen((uv_stream_t *)&listener, 128, on_connection);
    if (ret < 0) {
        fprintf(stderr, "listen: %s\n", uv_strerror(ret));
        return 1;
    }
    uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
