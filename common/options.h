/* The command line, the same on all four days. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>

struct options {
    struct sockaddr_in address; /* -a ADDRESS, -p PORT */
    bool trace;                 /* -t */
    unsigned slots;             /* -s N: clients at once, 1 to SLOTS_MAX */
    unsigned idle_timeout;      /* -i SECONDS: 1 to IDLE_TIMEOUT_MAX */
};

enum { SLOTS_MAX = 100000, IDLE_TIMEOUT_MAX = 86400 };

/* Call first: it also prepares the output (say.h). takes lists the options this day has, by
 * their letters; -h, --help is always there. Wrong usage ends the program with status 2 and one
 * line on stderr; --help ends it with 0. getopt_long(3). */
struct options parse_options(int argc, char **argv, const char *takes);

#endif
