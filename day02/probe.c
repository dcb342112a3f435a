/*
 * What the rings of this kernel can do: the setup flags that it takes, the features that it has,
 * the operations that it knows. A version number only hints at that, since kernels are patched and
 * containers forbid calls; so this program makes rings, and asks.
 *
 * Try:  make day02 && ./day02/probe
 *
 * It does no server's work. Whether the four days run on your machine:  make doctor
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <liburing.h>

#include "../common/ring.h"
#include "../common/say.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The tables are by number, not by IORING_...: the liburing.h that this is built with may be older
 * than the kernel that it asks. */

/* Bits of io_uring_params.flags: io_uring_setup(2). */
static const char *const setup_flags[] = {
    "IOPOLL",        "SQPOLL",        "SQ_AFF",       "CQSIZE",       "CLAMP",    "ATTACH_WQ",
    "R_DISABLED",    "SUBMIT_ALL",    "COOP_TASKRUN", "TASKRUN_FLAG", "SQE128",   "CQE32",
    "SINGLE_ISSUER", "DEFER_TASKRUN", NULL,           NULL, /* these two want memory of ours */
    "NO_SQARRAY",    "HYBRID_IOPOLL", "CQE_MIXED",    "SQE_MIXED",    "SQ_REWIND"};

/* Some of them are refused unless this one is set as well. */
static const unsigned companions[COUNT(setup_flags)] = {
    [2] = 1U << 1, [9] = 1U << 8, [13] = 1U << 12, [17] = 1U << 0, [20] = 1U << 16};

/* Bits of io_uring_params.features, which the kernel writes: io_uring_setup(2). */
static const char *const features[] = {
    "SINGLE_MMAP", "NODROP",      "SUBMIT_STABLE",   "RW_CUR_POS",   "CUR_PERSONALITY",
    "FAST_POLL",   "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG",      "NATIVE_WORKERS",
    "RSRC_TAGS",   "CQE_SKIP",    "LINKED_FILE",     "REG_REG_RING", "RECVSEND_BUNDLE",
    "MIN_TIMEOUT", "RW_ATTR",     "NO_IOWAIT"};

/* What an SQE can ask for, by its opcode: io_uring_enter(2). */
/* clang-format off */
static const char *const operations[] = {
    "NOP",             "READV",           "WRITEV",          "FSYNC",           "READ_FIXED",
    "WRITE_FIXED",     "POLL_ADD",        "POLL_REMOVE",     "SYNC_FILE_RANGE", "SENDMSG",
    "RECVMSG",         "TIMEOUT",         "TIMEOUT_REMOVE",  "ACCEPT",          "ASYNC_CANCEL",
    "LINK_TIMEOUT",    "CONNECT",         "FALLOCATE",       "OPENAT",          "CLOSE",
    "FILES_UPDATE",    "STATX",           "READ",            "WRITE",           "FADVISE",
    "MADVISE",         "SEND",            "RECV",            "OPENAT2",         "EPOLL_CTL",
    "SPLICE",          "PROVIDE_BUFFERS", "REMOVE_BUFFERS",  "TEE",             "SHUTDOWN",
    "RENAMEAT",        "UNLINKAT",        "MKDIRAT",         "SYMLINKAT",       "LINKAT",
    "MSG_RING",        "FSETXATTR",       "SETXATTR",        "FGETXATTR",       "GETXATTR",
    "SOCKET",          "URING_CMD",       "SEND_ZC",         "SENDMSG_ZC",      "READ_MULTISHOT",
    "WAITID",          "FUTEX_WAIT",      "FUTEX_WAKE",      "FUTEX_WAITV",     "FIXED_FD_INSTALL",
    "FTRUNCATE",       "BIND",            "LISTEN",          "RECV_ZC",         "EPOLL_WAIT",
    "READV_FIXED",     "WRITEV_FIXED",    "PIPE",            "NOP128",          "URING_CMD128",
};
/* clang-format on */

/* The nth of a list, from 0 on, in four columns. name: NULL if we know none. */
static void show(unsigned n, bool yes, const char *name)
{
    static int gap; /* what the one before left of its column */
    char number[24];
    snprintf(number, sizeof number, "number %u", n);
    if (n % 4 == 0) {
        printf("\n");
        gap = 2;
    }
    gap += 19 - printf("%*s%c %s", gap, "", yes ? '+' : '-', name ? name : number);
}

/* The kernel refuses a flag that it does not know with -EINVAL. Asked by the system call itself:
 * liburing would have to know the flag too, to use such a ring. */
static void show_setup_flags(const struct io_uring *ring)
{
    printf("setup flags (+ taken, - refused)");
    for (unsigned i = 0, n = 0; i < COUNT(setup_flags); i++) {
        struct io_uring_params params = {.flags = 1U << i | companions[i],
                                         .cq_entries = 16,                          /* CQSIZE */
                                         .sq_thread_cpu = (unsigned)sched_getcpu(), /* SQ_AFF */
                                         .wq_fd = (unsigned)ring->ring_fd};         /* ATTACH_WQ */
        if (!setup_flags[i])
            continue;
        int fd = (int)syscall(__NR_io_uring_setup, 8, &params);
        show(n++, fd >= 0, setup_flags[i]);
        if (fd >= 0)
            close(fd);
    }
}

static void show_features(unsigned bits)
{
    printf("\n\nfeatures (+ yes, - no)");
    for (unsigned i = 0; i < 32 && (i < COUNT(features) || bits >> i); i++)
        show(i, bits >> i & 1, i < COUNT(features) ? features[i] : NULL);
}

/* A kernel that is newer than this program knows operations that have no name here. */
static const char *operation_name(unsigned opcode)
{
    return opcode < COUNT(operations) ? operations[opcode] : NULL;
}

/* io_uring_get_probe(3), io_uring_opcode_supported(3) */
static void show_operations(struct io_uring *ring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (!probe)
        die("io_uring_get_probe_ring", ENOSYS, "this kernel's rings do not tell: try Linux 6.1");

    printf("\n\noperations (+ known, - not)");
    for (unsigned op = 0; op < COUNT(operations) || op <= probe->last_op; op++)
        show(op, io_uring_opcode_supported(probe, (int)op), operation_name(op));
    printf("\n");
    io_uring_free_probe(probe);
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_params params = {0};
    int ret = io_uring_queue_init_params(8, &ring, &params);
    if (ret < 0)
        die("io_uring_queue_init_params", -ret, refusal_hint(ret));

    show_setup_flags(&ring);
    show_features(params.features);
    show_operations(&ring);
    io_uring_queue_exit(&ring);
    return 0;
}
