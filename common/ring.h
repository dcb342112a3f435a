/* Why a ring cannot be had here, in words. */
#ifndef COMMON_RING_H
#define COMMON_RING_H

#include <liburing.h>

/* What to try when an io_uring call has returned ret (-errno). io_uring_setup(2). */
const char *refusal_hint(int ret);

/* Some operations are always done by a worker thread of the kernel. Finds out whether one can be
 * made, with an operation that does nothing, and exits 1 with the reason if not. Call it when the
 * ring is new: it must be empty, and is so afterwards. io_uring_enter(2), IOSQE_ASYNC. */
void require_worker(struct io_uring *ring);

#endif
