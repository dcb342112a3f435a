#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static const struct {
    char letter;
    const char *name, *argument, *help;
} table[] = {
    {'a', "address", "ADDRESS", "IPv4 address to listen on (127.0.0.1)"},
    {'p', "port", "PORT", "port to listen on; 0 takes any free one (4242)"},
    {'t', "trace", NULL, "show each submission and completion on stderr"},
    {'s', "slots", "N", "clients at once; accepting pauses at N (1024)"},
    {'i', "idle-timeout", "SECONDS", "what a client may take to ask, and again to close (30)"},
    {'h', "help", NULL, "show this help"},
};
enum { OPTIONS = sizeof table / sizeof *table };

static bool takes_option(const char *takes, size_t i)
{
    return table[i].letter == 'h' || strchr(takes, table[i].letter);
}

static _Noreturn void help(const char *takes)
{
    printf("usage: %s [options]\n", program_invocation_short_name);
    for (size_t i = 0; i < OPTIONS; i++) {
        if (takes_option(takes, i))
            printf("  -%c, --%-12s %-8s %s\n", table[i].letter, table[i].name,
                   table[i].argument ? table[i].argument : "", table[i].help);
    }
    exit(0);
}

static _Noreturn void usage_error(const char *name, const char *value, const char *wanted)
{
    say(STDERR_FILENO, "%s: --%s '%s': %s (try --help)", program_invocation_short_name, name, value,
        wanted);
    exit(2);
}

/* Digits and nothing else, so that "", "-1", "4242x" and " 1" are refused. */
static unsigned number(const char *name, const char *value, unsigned min, unsigned max)
{
    size_t digits = strspn(value, "0123456789");
    unsigned long n =
        digits && digits < 10 && !value[digits] ? strtoul(value, NULL, 10) : max + 1UL;
    if (n < min || n > max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "not a number from %u to %u", min, max);
        usage_error(name, value, wanted);
    }
    return (unsigned)n;
}

/* Writes what getopt_long(3) wants to know of the options this day takes. */
static void describe(const char *takes, char *letters, struct option *longs)
{
    *letters++ = ':'; /* tell a missing argument (':') from an unknown option ('?') */
    for (size_t i = 0; i < OPTIONS; i++) {
        if (!takes_option(takes, i))
            continue;
        *longs++ = (struct option){.name = table[i].name,
                                   .has_arg = table[i].argument ? required_argument : no_argument,
                                   .val = table[i].letter};
        *letters++ = table[i].letter;
        if (table[i].argument)
            *letters++ = ':';
    }
}

struct options parse_options(int argc, char **argv, const char *takes)
{
    struct options options = {
        .address = {.sin_family = AF_INET,
                    .sin_port = htons(4242),
                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .slots = 1024,
        .idle_timeout = 30,
    };
    char letters[2 * OPTIONS + 2] = "";
    struct option longs[OPTIONS + 1] = {0};

    prepare_output();
    describe(takes, letters, longs);
    opterr = 0; /* we print the errors */
    for (int letter; (letter = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        switch (letter) {
        case 'a':
            if (inet_pton(AF_INET, optarg, &options.address.sin_addr) != 1)
                usage_error("address", optarg, "not an IPv4 address");
            break;
        case 'p':
            options.address.sin_port = htons((in_port_t)number("port", optarg, 0, 65535));
            break;
        case 't':
            options.trace = true;
            break;
        case 's':
            options.slots = number("slots", optarg, 1, SLOTS_MAX);
            break;
        case 'i':
            options.idle_timeout = number("idle-timeout", optarg, 1, IDLE_TIMEOUT_MAX);
            break;
        case 'h':
            help(takes);
        default:
            say(STDERR_FILENO, "%s: %s: %s (try --help)", program_invocation_short_name,
                argv[optind - 1], letter == ':' ? "its value is missing" : "unknown option");
            exit(2);
        }
    }
    if (optind < argc) {
        say(STDERR_FILENO, "%s: %s: unexpected argument (try --help)",
            program_invocation_short_name, argv[optind]);
        exit(2);
    }
    return options;
}
