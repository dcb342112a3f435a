/* The command line, the same on all four days. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>

struct options {
    struct sockaddr_in address; /* -a ADDRESS, -p PORT */
    bool trace;                 /* -t */
    int slots;                  /* -s N: clients at once, 1 to 100,000 */
    int idle_timeout;           /* -i SECONDS: 1 to 86,400 */
};

/* takes lists the options that this day has, by their letters. Wrong usage ends the program with
 * status 2 and one line on stderr, --help with 0. getopt_long(3). */
struct options parse_options(int argc, char **argv, const char *takes);

#endif
