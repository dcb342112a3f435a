#include "trace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

static const char *const operations[] = {
    [IORING_OP_ACCEPT] = "ACCEPT",     [IORING_OP_RECV] = "RECV",
    [IORING_OP_SEND] = "SEND",         [IORING_OP_SENDMSG] = "SEND",
    [IORING_OP_SHUTDOWN] = "SHUTDOWN", [IORING_OP_CLOSE] = "CLOSE",
    [IORING_OP_TIMEOUT] = "TICK",      [IORING_OP_ASYNC_CANCEL] = "CANCEL",
    [IORING_OP_READ] = "SIGNAL"};

static const struct flag {
    unsigned bit;
    const char *name;
} setup_flags[] = {{IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL"},
                   {IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER"},
                   {IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN"},
                   {IORING_SETUP_CQSIZE, "CQSIZE"},
                   {0, NULL}},
  sqe_flags[] = {{IOSQE_FIXED_FILE, "FIXED_FILE"},
                 {IOSQE_IO_LINK, "IO_LINK"},
                 {IOSQE_CQE_SKIP_SUCCESS, "CQE_SKIP_SUCCESS"},
                 {IOSQE_BUFFER_SELECT, "BUFFER_SELECT"},
                 {0, NULL}},
  cqe_flags[] = {{IORING_CQE_F_BUFFER, "F_BUFFER"}, {IORING_CQE_F_MORE, "F_MORE"}, {0, NULL}};

static bool on;
static struct timespec entered;

void trace_on(void)
{
    on = true;
}

static const char *flag_names(const struct flag *flags, unsigned bits)
{
    static char text[100];
    *text = '\0';
    for (; flags->name; flags++) {
        size_t length = strlen(text);
        if (bits & flags->bit)
            snprintf(text + length, sizeof text - length, " %s", flags->name);
    }
    return text;
}

/* "RECV/3", or "TICK" where the client is nobody. */
static const char *tag_name(unsigned long long user_data, char *text, size_t size)
{
    unsigned opcode = user_data & 0xff;
    int client = (int)(user_data >> 8);
    char name[16], number[16] = "";
    snprintf(name, sizeof name, "OP%u", opcode);
    if (client >= 0)
        snprintf(number, sizeof number, "/%d", client);
    bool known = opcode < sizeof operations / sizeof *operations && operations[opcode];
    snprintf(text, size, "%s%s", known ? operations[opcode] : name, number);
    return text;
}

void trace_ring(const struct io_uring_params *params)
{
    if (on)
        say(STDERR_FILENO, "ring: %u SQ entries, %u CQ entries,%s", params->sq_entries,
            params->cq_entries, flag_names(setup_flags, params->flags));
}

void trace_sqe(const struct io_uring_sqe *sqe)
{
    char tag[40], what[40];
    bool accept = sqe->opcode == IORING_OP_ACCEPT;
    bool multishot = (accept && sqe->ioprio & IORING_ACCEPT_MULTISHOT) ||
                     (sqe->opcode == IORING_OP_RECV && sqe->ioprio & IORING_RECV_MULTISHOT);
    if (!on)
        return;
    if (sqe->opcode == IORING_OP_ASYNC_CANCEL)
        tag_name(sqe->addr, what, sizeof what);
    else if (sqe->opcode == IORING_OP_TIMEOUT)
        snprintf(what, sizeof what, "in %lld ms",
                 ((struct __kernel_timespec *)(uintptr_t)sqe->addr)->tv_sec * 1000 +
                     ((struct __kernel_timespec *)(uintptr_t)sqe->addr)->tv_nsec / 1000000);
    else if (sqe->opcode == IORING_OP_CLOSE && sqe->file_index)
        snprintf(what, sizeof what, "slot %u", sqe->file_index - 1);
    else
        snprintf(what, sizeof what, "%s %d", sqe->flags & IOSQE_FIXED_FILE ? "slot" : "fd",
                 sqe->fd);
    say(STDERR_FILENO, "sqe %-14s %s%s%s%s", tag_name(sqe->user_data, tag, sizeof tag), what,
        flag_names(sqe_flags, sqe->flags), multishot ? " MULTISHOT" : "",
        accept && sqe->file_index ? ", into a free slot" : "");
}

void trace_enter(unsigned to_submit, unsigned wait)
{
    static unsigned enters;
    if (!on)
        return;
    say(STDERR_FILENO, "---- enter %u: %u to submit, wait for %u", ++enters, to_submit, wait);
    clock_gettime(CLOCK_MONOTONIC, &entered);
}

void trace_return(int ret)
{
    struct timespec now;
    char refused[100];
    if (!on)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double ms =
        (double)(now.tv_sec - entered.tv_sec) * 1e3 + (double)(now.tv_nsec - entered.tv_nsec) / 1e6;
    snprintf(refused, sizeof refused, "refused: %d (%s)", ret, strerror(-ret));
    if (ret >= 0)
        snprintf(refused, sizeof refused, "submitted %d", ret);
    say(STDERR_FILENO, "     %s, back after %.3f ms", refused, ms);
}

void trace_cqe(const struct io_uring_cqe *cqe)
{
    char tag[40], why[80] = "";
    if (!on)
        return;
    if (cqe->res < 0)
        snprintf(why, sizeof why, " (%s)", strerror(-cqe->res));
    say(STDERR_FILENO, "cqe %-14s res %d%s%s", tag_name(cqe->user_data, tag, sizeof tag), cqe->res,
        why, flag_names(cqe_flags, cqe->flags));
}

void trace_client(int client, const char *state)
{
    if (on)
        say(STDERR_FILENO, "client/%-11d %s", client, state);
}
