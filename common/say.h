/* What the servers say to people, one line at a time. */
#ifndef COMMON_SAY_H
#define COMMON_SAY_H

/* Call it first in main. Opens /dev/null on each of descriptors 0 to 2 that is missing, so that no
 * socket and no ring can become one of them, and sees to it that output can neither block nor kill
 * the server. Exits 1 if /dev/null cannot be opened. open(2), signal(7). */
void prepare_output(void);

/* Writes one line to fd, 1 or 2, with a single write(2); the newline is added here, and a line is
 * cut at 1000 bytes. Never blocks and never fails: what nobody takes is lost. */
void say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the program, status 1, after the line "server: WHAT: WHY (HINT)" on stderr. err is an
 * errno value; liburing returns it negated, so pass -ret. */
_Noreturn void die(const char *what, int err, const char *hint);

#endif
