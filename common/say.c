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

enum { LINE_SIZE = 1000 }; /* below PIPE_BUF: a line is written whole or not at all */

void prepare_output(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (;;) { /* open() always takes the lowest number that is free */
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            die("open /dev/null", errno,
                "the server needs it in place of a missing stdin or stdout");
        if (fd > STDERR_FILENO) {
            close(fd);
            return;
        }
    }
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
