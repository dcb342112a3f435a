#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static const struct option names[] = {{"address", required_argument, NULL, 'a'},
                                      {"port", required_argument, NULL, 'p'},
                                      {"trace", no_argument, NULL, 't'},
                                      {"slots", required_argument, NULL, 's'},
                                      {"idle-timeout", required_argument, NULL, 'i'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static const char *const help[] = {
    "  -a, --address ADDRESS       IPv4 address to listen on (127.0.0.1)",
    "  -p, --port PORT             port to listen on; 0 takes any free one (4242)",
    "  -t, --trace                 show each submission and completion on stderr",
    "  -s, --slots N               clients at once; accepting pauses at N (1024)",
    "  -i, --idle-timeout SECONDS  what a client may take to ask, and again to close (30)",
    "  -h, --help                  show this help"};

static void print_help(const char *takes)
{
    printf("usage: %s [options]\n", program_invocation_short_name);
    for (size_t i = 0; i < sizeof help / sizeof *help; i++)
        if (help[i][3] == 'h' || strchr(takes, help[i][3]))
            puts(help[i]);
    if (fflush(stdout) != 0)
        die("--help", errno, "it could not be written");
}

static _Noreturn void usage_error(const char *what, const char *why)
{
    say(STDERR_FILENO, "%s: %s: %s (try --help)", program_invocation_short_name, what, why);
    exit(2);
}

/* Digits and nothing else, so that "", "-1", "4242x" and " 1" are refused. */
static int number(const char *name, const char *value, int min, int max)
{
    size_t digits = strspn(value, "0123456789");
    long n = digits > 0 && digits < 10 && !value[digits] ? strtol(value, NULL, 10) : -1;
    if (n < min || n > max) {
        char what[100], why[64];
        snprintf(what, sizeof what, "%s '%.50s'", name, value);
        snprintf(why, sizeof why, "not a number from %d to %d", min, max);
        usage_error(what, why);
    }
    return (int)n;
}

struct options parse_options(int argc, char **argv, const char *takes)
{
    struct options options = {.address = {.sin_family = AF_INET,
                                          .sin_port = htons(4242),
                                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                              .slots = 1024,
                              .idle_timeout = 30};
    int letter;

    opterr = 0; /* we print the errors */
    while ((letter = getopt_long(argc, argv, ":a:p:ts:i:h", names, NULL)) != -1) {
        bool wrong = letter == '?' || letter == ':'; /* then optopt is the letter, if it is known */
        char name[] = {'-', (char)(wrong ? optopt : letter), '\0'};
        if (wrong && optopt == 0)
            usage_error(argv[optind - 1], "unknown option");
        if (name[1] != 'h' && !strchr(takes, name[1]))
            usage_error(name, "unknown option");
        if (wrong)
            usage_error(name, letter == ':' ? "its value is missing" : "takes no value");
        if (letter == 'a' && inet_pton(AF_INET, optarg, &options.address.sin_addr) != 1)
            usage_error("--address", "not an IPv4 address");
        else if (letter == 'p')
            options.address.sin_port = htons((in_port_t)number("--port", optarg, 0, 65535));
        else if (letter == 't')
            options.trace = true;
        else if (letter == 's')
            options.slots = number("--slots", optarg, 1, 100000);
        else if (letter == 'i')
            options.idle_timeout = number("--idle-timeout", optarg, 1, 86400);
        else if (letter == 'h') {
            print_help(takes);
            exit(0);
        }
    }
    if (optind < argc)
        usage_error(argv[optind], "unexpected argument");
    return options;
}
