/* A right server, for the tests of the grader: libevent, its buffers. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../listen.h"

static struct event *again; /* no descriptor: the listener is off until this timer has ended */

static void on_end(struct bufferevent *client, short what, void *argument)
{
    (void)what, (void)argument;
    bufferevent_free(client);
}

/* Its direction ends when the answer has gone. */
static void on_written(struct bufferevent *client, void *argument)
{
    (void)argument;
    shutdown(bufferevent_getfd(client), SHUT_WR);
}

static void on_more(struct bufferevent *client, void *argument)
{
    (void)argument;
    struct evbuffer *input = bufferevent_get_input(client);
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_request(struct bufferevent *client, void *argument)
{
    on_more(client, argument);
    bufferevent_setcb(client, on_more, on_written, on_end, NULL);
    bufferevent_write(client, "ack\n", 4);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int length, void *base)
{
    (void)listener, (void)address, (void)length;
    struct bufferevent *client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(client, on_request, NULL, on_end, NULL);
    bufferevent_enable(client, EV_READ | EV_WRITE);
}

static void on_error(struct evconnlistener *listener, void *argument)
{
    (void)argument;
    evconnlistener_disable(listener);
    event_add(again, &(struct timeval){.tv_usec = 10000});
}

static void on_time(evutil_socket_t fd, short what, void *listener)
{
    (void)fd, (void)what;
    evconnlistener_enable(listener);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sigterm);
    struct event_base *base = event_base_new();
    int fd = listen_on(argc == 3 ? atoi(argv[2]) : 4242, 128);
    evutil_make_socket_nonblocking(fd);
    struct evconnlistener *listener =
        evconnlistener_new(base, on_client, base, LEV_OPT_CLOSE_ON_FREE, 0, fd);
    evconnlistener_set_error_cb(listener, on_error);
    again = evtimer_new(base, on_time, listener);
    return event_base_dispatch(base) < 0;
}
