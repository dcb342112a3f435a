#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 1000 }; /* below PIPE_BUF: a pipe takes a line whole or not at all */

/* A terminal that says it has room may have room for less than a line, and then write(2) waits. We
 * open it once more, not to wait: what the shell has open stays as it is. */
static void open_terminal_again(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = isatty(fd) ? open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY) : -1;
    if (own >= 0) {
        dup2(own, fd);
        close(own);
    }
}

void prepare_output(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    int fd;
    do { /* open() always takes the lowest number that is free */
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            die("open /dev/null", errno, "it stands in for a missing stdin, stdout or stderr");
    } while (fd <= STDERR_FILENO);
    close(fd);
    open_terminal_again(STDOUT_FILENO);
    open_terminal_again(STDERR_FILENO);
}

void say(int fd, const char *format, ...)
{
    char line[LINE_SIZE + 1];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, LINE_SIZE, format, args);
    va_end(args);
    if (length < 0)
        return;
    if (length >= LINE_SIZE)
        length = LINE_SIZE - 1;
    line[length++] = '\n';

    struct pollfd room = {.fd = fd, .events = POLLOUT};
    if (poll(&room, 1, 0) == 1 && write(fd, line, (size_t)length) < 0)
        return; /* closed or full: there is nobody to tell */
}

void die(const char *what, int err, const char *hint)
{
    say(STDERR_FILENO, "%s: %s: %s (%s)", program_invocation_short_name, what, strerror(err), hint);
    exit(1);
}
