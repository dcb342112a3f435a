/*
 * What --trace prints.
 *
 * One line one event, on stderr. "sqe X" was armed by arm_x(), "cqe X" goes to on_x(), and /N is
 * the client, so that grep '/0 ' follows client 0:
 *
 *   ring: 8 SQ entries, 16 CQ entries, SUBMIT_ALL SINGLE_ISSUER DEFER_TASKRUN
 *   sqe RECV/0         slot 0 FIXED_FILE
 *   ---- enter 3: 1 to submit, wait for 1
 *        submitted 1, back after 0.412 ms
 *   cqe RECV/0         res 6
 *   client/0           ANSWERING
 *
 * Below the rule the kernel has the word, and a new turn begins. Named are the operations and flags
 * that the days use; another operation is printed as OP45.
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <liburing.h>

/* Nothing is printed before trace_on(). These read the user_data that tag() writes: the opcode in
 * the low byte, the client above it, -1 for nobody. */
void trace_on(void);
void trace_ring(const struct io_uring_params *params);
void trace_sqe(const struct io_uring_sqe *sqe);
void trace_enter(unsigned to_submit, unsigned wait);
void trace_return(int ret);
void trace_cqe(const struct io_uring_cqe *cqe);
void trace_client(int client, const char *state);

#endif
