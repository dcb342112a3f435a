#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* By number, not by IORING_OP_...: an old liburing.h lacks the newest. */
static const char *const opcodes[] = {
    "NOP",
    "READV",
    "WRITEV",
    "FSYNC",
    "READ_FIXED",
    "WRITE_FIXED",
    "POLL_ADD",
    "POLL_REMOVE",
    "SYNC_FILE_RANGE",
    "SENDMSG",
    "RECVMSG",
    "TIMEOUT",
    "TIMEOUT_REMOVE",
    "ACCEPT",
    "ASYNC_CANCEL",
    "LINK_TIMEOUT",
    "CONNECT",
    "FALLOCATE",
    "OPENAT",
    "CLOSE",
    "FILES_UPDATE",
    "STATX",
    "READ",
    "WRITE",
    "FADVISE",
    "MADVISE",
    "SEND",
    "RECV",
    "OPENAT2",
    "EPOLL_CTL",
    "SPLICE",
    "PROVIDE_BUFFERS",
    "REMOVE_BUFFERS",
    "TEE",
    "SHUTDOWN",
    "RENAMEAT",
    "UNLINKAT",
    "MKDIRAT",
    "SYMLINKAT",
    "LINKAT",
    "MSG_RING",
    "FSETXATTR",
    "SETXATTR",
    "FGETXATTR",
    "GETXATTR",
    "SOCKET",
    "URING_CMD",
    "SEND_ZC",
    "SENDMSG_ZC",
    "READ_MULTISHOT",
    "WAITID",
    "FUTEX_WAIT",
    "FUTEX_WAKE",
    "FUTEX_WAITV",
    "FIXED_FD_INSTALL",
    "FTRUNCATE",
    "BIND",
    "LISTEN",
    "RECV_ZC",
    "EPOLL_WAIT",
    "READV_FIXED",
    "WRITEV_FIXED",
    "PIPE",
    "NOP128",
    "URING_CMD128",
};

struct flag {
    unsigned bit;
    const char *name;
};

static const struct flag sqe_flags[] = {
    {IOSQE_FIXED_FILE, "FIXED_FILE"},
    {IOSQE_IO_LINK, "IO_LINK"},
    {IOSQE_CQE_SKIP_SUCCESS, "CQE_SKIP_SUCCESS"},
    {0, NULL},
};

static const struct flag cqe_flags[] = {
    {IORING_CQE_F_MORE, "F_MORE"},
    {IORING_CQE_F_SOCK_NONEMPTY, "F_SOCK_NONEMPTY"},
    {0, NULL},
};

const char *opcode_name(unsigned opcode)
{
    return opcode < sizeof opcodes / sizeof *opcodes ? opcodes[opcode] : NULL;
}

static const char *flag_names(const struct flag *flags, unsigned bits, char *text, size_t size)
{
    *text = '\0';
    for (; flags->name; flags++) {
        if (bits & flags->bit) {
            size_t length = strlen(text);
            snprintf(text + length, size - length, " %s", flags->name);
        }
    }
    return text;
}

/* "RECV/3": the user_data of an operation, as tag() wrote it. */
static const char *tag_name(unsigned long long user_data, char *text, size_t size)
{
    const char *name = opcode_name(user_data & 0xff);
    snprintf(text, size, "%s/%llu", name ? name : "?", user_data >> 8);
    return text;
}

void trace_sqe(const struct io_uring_sqe *sqe)
{
    char tag[40], target[48] = "", flags[80];
    if (sqe->opcode == IORING_OP_ASYNC_CANCEL)
        tag_name(sqe->addr, target, sizeof target);
    else if (sqe->opcode == IORING_OP_CLOSE && sqe->file_index)
        snprintf(target, sizeof target, "slot %u", sqe->file_index - 1);
    else if (sqe->opcode != IORING_OP_TIMEOUT)
        snprintf(target, sizeof target, "%s %d", sqe->flags & IOSQE_FIXED_FILE ? "slot" : "fd",
                 sqe->fd);
    say(STDERR_FILENO, "sqe %-14s %s%s%s%s", tag_name(sqe->user_data, tag, sizeof tag), target,
        flag_names(sqe_flags, sqe->flags, flags, sizeof flags),
        sqe->opcode == IORING_OP_ACCEPT && sqe->ioprio & IORING_ACCEPT_MULTISHOT ? " MULTISHOT"
                                                                                 : "",
        sqe->opcode == IORING_OP_ACCEPT && sqe->file_index ? " into a free slot" : "");
}

void trace_cqe(const struct io_uring_cqe *cqe)
{
    char tag[40], why[80] = "", flags[80];
    if (cqe->res < 0)
        snprintf(why, sizeof why, " (%s)", strerror(-cqe->res));
    say(STDERR_FILENO, "cqe %-14s res %d%s%s", tag_name(cqe->user_data, tag, sizeof tag), cqe->res,
        why, flag_names(cqe_flags, cqe->flags, flags, sizeof flags));
}

/* The value of kernel.io_uring_disabled, or -1 where the kernel has no such setting. */
static int io_uring_disabled(void)
{
    int value = -1;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file && fscanf(file, "%d", &value) != 1)
        value = -1;
    if (file)
        fclose(file);
    return value;
}

const char *refusal_hint(int ret)
{
    static char text[240];
    int disabled = io_uring_disabled();
    switch (-ret) {
    case EPERM:
        if (disabled > 0)
            snprintf(
                text, sizeof text,
                "kernel.io_uring_disabled is %d: try sysctl kernel.io_uring_disabled=0 as root; "
                "in a container also another seccomp profile",
                disabled);
        else
            snprintf(text, sizeof text,
                     "kernel.io_uring_disabled %s, so a seccomp profile forbids it, as container "
                     "runtimes do: try docker run --security-opt seccomp=unconfined",
                     disabled == 0 ? "is 0" : "does not exist here");
        return text;
    case EACCES:
        return "a security policy such as SELinux forbids it";
    case ENOSYS:
        return "this kernel has no io_uring, or a container hides it: try Linux 6.1 or newer";
    case ENOMEM:
        return "no memory, or over the memlock limit: see ulimit -l";
    case EMFILE:
    case ENFILE:
        return "too few descriptors: raise ulimit -n, or lower --slots where there is one";
    case EINVAL:
        return "this kernel does not know it: try Linux 6.1 or newer";
    default:
        return "try make doctor";
    }
}
