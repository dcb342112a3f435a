/*
 * How many clients does one multishot accept take while nobody empties the completion queue? The
 * spare slots of days 3 and 4 rest on the answer (NOTES.md, 22).
 *
 *   make tests/facts/bound && tests/facts/bound
 *
 * Prints a line for each of the two ways that a client can be accepted: while the accept waits, and
 * while it is being armed. "taken" are the slots in use before one completion was given back,
 * "told" the completions that named one; who is taken and not told is lost, and keeps its slot.
 * Exits 0 if the spare slots suffice (SPARE below) and nobody is lost, 1 if not, 2 if it could not
 * be tried.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

enum {
    SQ_ENTRIES = 8,
    CQ_ENTRIES = 2 * SQ_ENTRIES,
    SPARE = CQ_ENTRIES + 16 + 1, /* what days 3 and 4 keep */
    CLIENTS = 4 * CQ_ENTRIES,
    TABLE = CLIENTS + 1
};

static void require(int ret, const char *what)
{
    if (ret < 0) {
        fprintf(stderr, "bound: %s: %s\n", what, strerror(-ret));
        exit(2);
    }
}

/* By /proc/self/fdinfo, which some kernels fill with "<none>" for free slots. */
static int used_slots(int ring_fd)
{
    char path[64], line[256];
    int used = 0;
    bool in_table = false;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", ring_fd);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] >= 'A' && line[0] <= 'Z')
            in_table = strncmp(line, "UserFiles:", 10) == 0;
        else if (in_table && strstr(line, ": ") && !strstr(line, "<none>"))
            used++;
    }
    if (file)
        fclose(file);
    return used;
}

static void arm(struct io_uring *ring, int listen_fd)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    io_uring_prep_multishot_accept_direct(sqe, listen_fd, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, 1);
    require(io_uring_submit(ring), "io_uring_submit");
}

/* How many completions named a slot, until the accept has ended or is silent. */
static int told(struct io_uring *ring)
{
    int n = 0;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec patience = {.tv_nsec = 200000000};
    bool more = true;
    while (more && io_uring_wait_cqe_timeout(ring, &cqe, &patience) == 0) {
        more = cqe->flags & IORING_CQE_F_MORE;
        n += cqe->res >= 0;
        io_uring_cqe_seen(ring, cqe);
    }
    return n;
}

static bool try(bool armed_first)
{
    struct io_uring ring;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), clients[CLIENTS];

    require(io_uring_queue_init(SQ_ENTRIES, &ring,
                                IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                                    IORING_SETUP_DEFER_TASKRUN),
            "io_uring_queue_init");
    require(io_uring_register_files_sparse(&ring, TABLE), "io_uring_register_files_sparse");
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, length) < 0 ||
        listen(listen_fd, 4096) < 0 ||
        getsockname(listen_fd, (struct sockaddr *)&address, &length) < 0) {
        perror("bound: a socket that listens");
        exit(2);
    }

    if (armed_first)
        arm(&ring, listen_fd);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(clients[i], (struct sockaddr *)&address, length) < 0) {
            perror("bound: connect");
            exit(2);
        }
    }
    if (!armed_first)
        arm(&ring, listen_fd);
    require(io_uring_submit_and_wait(&ring, 1), "io_uring_submit_and_wait");
    int taken = used_slots(ring.ring_fd);
    int named = told(&ring), lost = used_slots(ring.ring_fd) - named;
    printf("accept %-15s completion queue %d: %2d taken at once, %2d told, %2d lost\n",
           armed_first ? "waiting:" : "being armed:", CQ_ENTRIES, taken, named, lost);

    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close(listen_fd);
    io_uring_queue_exit(&ring);
    return taken <= SPARE && lost == 0;
}

int main(void)
{
    bool waiting = try(true), being_armed = try(false);
    return !(waiting && being_armed);
}
