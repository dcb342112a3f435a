#include "ring.h"

#include <errno.h>

#include "say.h"

const char *refusal_hint(int ret)
{
    switch (-ret) {
    case EPERM:
        return "forbidden by kernel.io_uring_disabled, or by a container's seccomp profile (try "
               "docker run --security-opt seccomp=unconfined): make doctor says which";
    case EACCES:
        return "a security policy such as SELinux forbids it";
    case ENOSYS:
        return "this kernel has no io_uring, or a container hides it, as podman does: try "
               "Linux 6.1 or newer, or podman run --security-opt seccomp=unconfined";
    case ENOMEM:
        return "no memory, or over the memlock limit: see ulimit -l";
    case EMFILE:
        return "too few descriptors: raise ulimit -n, or lower --slots where there is one";
    case ENFILE:
        return "the whole system has too few: raise sysctl fs.file-max";
    case EINVAL:
        return "this kernel does not know it: try Linux 6.1 or newer";
    case EBADR:
        return "the kernel had no memory for a completion and dropped it: free some, start again";
    default:
        return "make doctor says more";
    }
}

void require_worker(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    if (!sqe)
        die("io_uring_get_sqe", EINVAL,
            "a new ring has no room: liburing.h and the library do not match, try make doctor");
    io_uring_prep_nop(sqe);
    sqe->flags |= IOSQE_ASYNC;
    io_uring_sqe_set_data64(sqe, 0);

    while (io_uring_peek_cqe(ring, &cqe) < 0) {
        int ret = io_uring_submit_and_wait(ring, 1);
        if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
            die("io_uring_submit_and_wait", -ret, refusal_hint(ret));
    }
    if (cqe->res < 0)
        die("a worker thread of the ring", -cqe->res,
            "no thread may be made: raise ulimit -u, or pids.max of the container");
    io_uring_cqe_seen(ring, cqe);
}
