/*
 * Says more than any terminal or pipe holds, by common/say.h:  says 1|2
 * Lines of every length, so that the last one has room for a part of it. Exits 0 when all are said.
 *
 * Or tells whether a terminal takes nothing more, with exit status 0:  says full TERMINAL
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../common/say.h"

static bool is_full(const char *terminal)
{
    int fd = open(terminal, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 && write(fd, "", 1) < 0 && errno == EAGAIN;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "full") == 0)
        return is_full(argv[2]) ? 0 : 1;
    prepare_output();
    for (int i = 0; i < 5000; i++)
        say(argc > 1 ? atoi(argv[1]) : 1, "%*d", i % 80, i);
    return 0;
}
