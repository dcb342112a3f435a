/*
 * Runs a command for a limited time, and leaves no process behind.
 *
 *   guard SECONDS COMMAND [ARGUMENT...]
 *
 * When the command has ended, or its time is up, everything that it started is killed, whatever it
 * did to get away: orphans become children of the guard, not of init. prctl(2),
 * PR_SET_CHILD_SUBREAPER. SIGUSR1 (the command finds the guard's id in $GUARD) kills the orphans
 * that there are by then. Exits with the status of the command (128 + N when signal N ended it),
 * 124 when its time was up, 125 when the guard itself failed.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigset_t signals; /* all blocked: they are waited for */

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(125);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next signal, or 0 after so many seconds. */
static int await_signal(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    int sig = sigtimedwait(&signals, NULL, &t);
    return sig > 0 ? sig : 0;
}

/* Collects what has ended. Returns 0 when there is no child any more. */
static int reap(pid_t command, int *status)
{
    for (;;) {
        int s;
        pid_t pid = waitpid(-1, &s, WNOHANG);
        if (pid <= 0)
            return pid == 0;
        if (pid == command)
            *status = WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s);
    }
}

static pid_t parent_of(const char *pid)
{
    char path[64], stat[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t n = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[n] = '\0';
    const char *after_name = strrchr(stat, ')'); /* the name may contain anything */
    if (!after_name || sscanf(after_name, ") %*c %d", &parent) != 1)
        return 0;
    return parent;
}

/* Kills our children but this one. Their children are ours then: returns how many it killed, so
 * that one knows whether to look again. */
static int kill_children(pid_t spared)
{
    int killed = 0;
    DIR *proc = opendir("/proc");
    if (!proc)
        fail("/proc");
    for (struct dirent *entry; (entry = readdir(proc));) {
        int pid = atoi(entry->d_name);
        if (pid > 0 && pid != spared && parent_of(entry->d_name) == getpid())
            killed += kill(pid, SIGKILL) == 0;
    }
    closedir(proc);
    return killed;
}

int main(int argc, char **argv)
{
    static const int handled[] = {SIGCHLD, SIGUSR1, SIGINT, SIGTERM, SIGHUP};
    double deadline = now() + (argc > 2 ? atof(argv[1]) : 0);
    int status = -1, sig = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: guard SECONDS COMMAND [ARGUMENT...]\n");
        return 125;
    }
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaddset(&signals, handled[i]);
    sigset_t before;
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        fail("prctl");

    char id[16];
    snprintf(id, sizeof id, "%d", (int)getpid());
    setenv("GUARD", id, 1);
    pid_t command = fork();
    if (command < 0)
        fail("fork");
    if (command == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(argv[2], argv + 2);
        fail(argv[2]);
    }
    bool orphans = false;
    while (status < 0) {
        double left = deadline - now();
        sig = left > 0 ? await_signal(orphans && left > 0.02 ? 0.02 : left) : 0;
        reap(command, &status);
        if (sig == SIGUSR1 || orphans)
            orphans = kill_children(command) > 0;
        if (status >= 0)
            break;
        if (sig != 0 && sig != SIGCHLD && sig != SIGUSR1)
            status = 128 + sig;
        else if (now() >= deadline)
            status = 124;
    }
    double give_up = now() + 5; /* a process of another user cannot be killed */
    for (int ended = status; reap(command, &ended) && now() < give_up;) {
        kill_children(0);
        await_signal(0.02);
    }
    return status;
}
