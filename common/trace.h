/* io_uring in words: what --trace prints, and why a ring is refused. */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <liburing.h>

/* Each says one line on stderr. They expect the user_data that every day's tag() writes: the
 * opcode in the low byte, the slot (or descriptor) above; they print it as OPCODE/SLOT. */
void trace_sqe(const struct io_uring_sqe *sqe);
void trace_cqe(const struct io_uring_cqe *cqe);

/* The name of an opcode as the man pages write it, without IORING_OP_; NULL if we know none. */
const char *opcode_name(unsigned opcode);

/* What to try when an io_uring call has returned ret (-errno). The text lives until the next
 * call. io_uring_setup(2). */
const char *refusal_hint(int ret);

#endif
