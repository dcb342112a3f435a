/*
 * Runs a program without io_uring, as container runtimes do: each of its calls fails.
 *
 *   refuse EPERM|ENOSYS PROGRAM [ARGUMENT...]
 *
 * The filter holds for the program and its children; it changes nothing else. seccomp(2).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned error = argc < 3                         ? 0
                     : strcmp(argv[1], "EPERM") == 0  ? EPERM
                     : strcmp(argv[1], "ENOSYS") == 0 ? ENOSYS
                                                      : 0;
    if (error == 0) {
        fprintf(stderr, "usage: refuse EPERM|ENOSYS PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    /* The three calls have numbers that follow each other. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __NR_io_uring_setup, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, __NR_io_uring_register, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof code / sizeof *code, .filter = code};

    /* Without new privileges, it does not take root to install one. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
        perror("refuse: prctl");
        return 2;
    }
    execvp(argv[2], argv + 2);
    perror("refuse: exec");
    return 2;
}
