/*
 * spawn.c -- catena's side of the spawner: the round trip that starts a child, and the news of its exit.
 *
 * What must always hold:
 *   1. Starting blocks for one round trip to a process that does nothing else, and never for longer than
 *      ROUND_TRIP_MAX_MS. While we wait to send or to be answered we take in what the spawner has to say, so
 *      two full socket buffers cannot make us wait for each other.
 *   2. `exited` is told from the loop only, as a task, once, and never for a child that was freed.
 *   3. All our descriptors are close-on-exec and above 2: a catena that was started with its stdin closed must not
 *      take a child's pipe for it.
 */
#include "loop/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/internal.h"
#include "loop/spawner.h"

static const int ROUND_TRIP_MAX_MS = 5000;
static const int STOP_MAX_MS = 10000;
/* Far above what execve takes (about 6 MiB); it only keeps a mistake from filling the memory. */
static const size_t REQUEST_BYTES_MAX = 64 << 20;

/* Our part of the loop; the loop may be freed before the spawner is stopped, and the other way round. */
typedef struct watch {
    ctn_handle handle;
    ctn_spawner *spawner; /* NULL: one of the two is gone */
    ctn_poller *poller;
    ctn_task tell;
} watch;

struct ctn_spawner {
    pid_t pid;
    int fd; /* -1: the spawner process is gone */
    uint64_t child_id_last;
    ctn_child *children;
    watch *watch;
    void (*gone)(void *ctx); /* NULL: nobody asks, or it was told */
    void *gone_ctx;
};

struct ctn_child {
    ctn_spawner *spawner; /* NULL: stopped */
    uint64_t id;
    pid_t pid;
    bool has_exited, is_told;
    int exit_status;
    void (*exited)(void *ctx, int exit_status);
    void *ctx;
    ctn_child *prev, *next;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    int rc = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(rc == 0);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int timeout_until(int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - monotonic_ms();
    return left_ms > 0 ? (int) left_ms : 0;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- what the spawner says ---- */

static void note_exit(ctn_child *child, int exit_status)
{
    if (child->has_exited)
        return;
    child->has_exited = true;
    child->exit_status = exit_status;
    if (child->spawner->watch)
        ctn_task_file(child->spawner->watch->handle.loop, &child->spawner->watch->tell);
}

static void note_spawner_gone(ctn_spawner *spawner)
{
    if (spawner->watch) {
        ctn_task_file(spawner->watch->handle.loop, &spawner->watch->tell);
        ctn_poller_free(spawner->watch->poller);
        spawner->watch->poller = NULL;
    }
    close_if_open(spawner->fd);
    spawner->fd = -1;
    for (ctn_child *child = spawner->children; child; child = child->next)
        note_exit(child, -SIGKILL); /* PR_SET_PDEATHSIG: see spawner.c */
}

/* Takes in what has arrived: all of it, or up to the answer to `child_id` (0: none is awaited). What comes behind the
 * answer stays where it is: it may be the exit of that very child, which nobody has yet. */
static bool take_messages(ctn_spawner *spawner, uint64_t child_id, ctn_spawner_message *ret_answer)
{
    while (spawner->fd >= 0) {
        ctn_spawner_message message;
        ssize_t n = recv(spawner->fd, &message, sizeof message, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n != (ssize_t) sizeof message) {
            note_spawner_gone(spawner);
            break;
        }
        if (message.kind == CTN_SPAWNER_SPAWNED && message.child_id == child_id) {
            *ret_answer = message;
            return true;
        }
        if (message.kind == CTN_SPAWNER_EXITED) {
            ctn_child *child = spawner->children;
            while (child && child->id != message.child_id)
                child = child->next;
            if (child)
                note_exit(child, message.number);
        }
    }
    return false;
}

static void spawner_ready(void *ctx, int events)
{
    watch *w = ctx;
    (void) events;
    ctn_spawner_message ignored;
    (void) take_messages(w->spawner, 0, &ignored);
    if (w->poller)
        ctn_poller_set(w->poller, CTN_POLL_READ); /* it has stopped if the message was a hang-up */
}

static ctn_child *first_untold(const ctn_spawner *spawner)
{
    ctn_child *child = spawner->children;
    while (child && (!child->has_exited || child->is_told))
        child = child->next;
    return child;
}

/* A callback may free any child, or stop the spawner: look afresh after each. */
static void tell_exits(void *ctx)
{
    watch *w = ctx;
    ctn_child *child;
    if (w->spawner && w->spawner->fd < 0 && w->spawner->gone) {
        void (*gone)(void *) = w->spawner->gone;
        w->spawner->gone = NULL;
        gone(w->spawner->gone_ctx);
    }
    while (w->spawner && (child = first_untold(w->spawner))) {
        child->is_told = true;
        if (child->exited)
            child->exited(child->ctx, child->exit_status);
    }
}

static void watch_close(ctn_handle *handle)
{
    watch *w = (watch *) handle;
    if (w->spawner)
        w->spawner->watch = NULL;
    w->spawner = NULL;
    ctn_poller_free(w->poller);
    w->poller = NULL;
    ctn_task_cancel(&w->tell);
    ctn_handle_retire(handle);
}

static void watch_destroy(ctn_handle *handle)
{
    free(handle);
}

/* ---- what we say ---- */

static int send_message(ctn_spawner *spawner, const ctn_spawner_message *message, const int *fds, size_t fd_count,
                        int64_t deadline_ms)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(CTN_SPAWNER_FDS * sizeof(int))];
    } control = {0};
    ctn_spawner_message copy = *message;
    struct iovec part = {&copy, sizeof copy};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        packet.msg_control = &control;
        packet.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    while (spawner->fd >= 0) {
        if (sendmsg(spawner->fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return CTN_OK;
        if (errno == EAGAIN) {
            struct pollfd ready = {.fd = spawner->fd, .events = POLLIN | POLLOUT};
            if (poll(&ready, 1, timeout_until(deadline_ms)) == 0)
                return CTN_E_TIMEOUT;
            ctn_spawner_message ignored;
            (void) take_messages(spawner, 0, &ignored);
        } else if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM) {
            return CTN_E_BUSY;
        } else if (errno != EINTR) {
            note_spawner_gone(spawner);
        }
    }
    return CTN_E_CLOSED;
}

static int wait_for_answer(ctn_spawner *spawner, uint64_t child_id, int64_t deadline_ms,
                           ctn_spawner_message *ret_answer)
{
    while (!take_messages(spawner, child_id, ret_answer)) {
        if (spawner->fd < 0)
            return CTN_E_CLOSED;
        struct pollfd ready = {.fd = spawner->fd, .events = POLLIN};
        if (poll(&ready, 1, timeout_until(deadline_ms)) == 0)
            return CTN_E_TIMEOUT;
    }
    return CTN_OK;
}

/* ---- the spawner ---- */

/* Moves a descriptor above 2. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return moved;
}

int ctn_spawner_start(ctn_spawner **ret_spawner, ctn_err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return ctn_fail(err, CTN_E_IO, "cannot make the spawner's socket: %s", strerror(errno));
    pair[0] = above_standard(pair[0]);
    pair[1] = above_standard(pair[1]);
    pid_t pid = pair[0] < 0 || pair[1] < 0 ? -1 : fork();
    if (pid == 0) {
        close(pair[0]);
        ctn_spawner_main(pair[1]);
    }
    int error = errno;
    close_if_open(pair[1]);
    if (pid < 0) {
        close_if_open(pair[0]);
        return ctn_fail(err, CTN_E_IO, "cannot start the spawner process: %s", strerror(error));
    }
    ctn_spawner *spawner = ctn_malloc(sizeof *spawner);
    *spawner = (ctn_spawner){.pid = pid, .fd = pair[0]};
    *ret_spawner = spawner;
    return CTN_OK;
}

void ctn_spawner_attach(ctn_spawner *spawner, ctn_loop *loop)
{
    assert(!spawner->watch);
    watch *w = ctn_malloc(sizeof *w);
    *w = (watch){.spawner = spawner, .tell = {.run = tell_exits, .ctx = w}};
    int error = spawner->fd < 0 ? EBADF : ctn_poller_new(loop, spawner->fd, spawner_ready, w, &w->poller);
    ctn_handle_init(&w->handle, loop, watch_close, watch_destroy);
    spawner->watch = w;
    if (error)
        note_spawner_gone(spawner);
    else
        ctn_poller_set(w->poller, CTN_POLL_READ);
}

void ctn_spawner_when_gone(ctn_spawner *spawner, void (*gone)(void *ctx), void *ctx)
{
    spawner->gone = gone;
    spawner->gone_ctx = ctx;
    if (gone && spawner->fd < 0 && spawner->watch)
        ctn_task_file(spawner->watch->handle.loop, &spawner->watch->tell);
}

int ctn_spawner_hold(ctn_spawner *spawner, int fd, ctn_err *err)
{
    if (fd < 0)
        return CTN_OK;
    ctn_spawner_message message = {.kind = CTN_SPAWNER_HOLD};
    int rc = send_message(spawner, &message, &fd, 1, monotonic_ms() + ROUND_TRIP_MAX_MS);
    return rc ? ctn_fail(err, rc, "the process that starts tool servers does not answer") : CTN_OK;
}

void ctn_spawner_stop(ctn_spawner *spawner)
{
    if (!spawner)
        return;
    if (spawner->watch)
        watch_close(&spawner->watch->handle);
    for (ctn_child *child = spawner->children, *next; child; child = next) {
        next = child->next;
        child->spawner = NULL;
        child->prev = child->next = NULL;
    }
    spawner->children = NULL;
    if (spawner->fd >= 0)
        (void) shutdown(spawner->fd, SHUT_WR);
    int64_t deadline_ms = monotonic_ms() + STOP_MAX_MS;
    ctn_spawner_message ignored;
    while (spawner->fd >= 0) { /* closed by its exit */
        (void) take_messages(spawner, 0, &ignored);
        struct pollfd ready = {.fd = spawner->fd, .events = POLLIN};
        if (spawner->fd >= 0 && poll(&ready, 1, timeout_until(deadline_ms)) == 0)
            break;
    }
    /* Past the deadline a process cannot be killed (it waits for a dead disk): the spawner stays with it. */
    pid_t rc;
    do
        rc = waitpid(spawner->pid, NULL, spawner->fd >= 0 ? WNOHANG : 0);
    while (rc < 0 && errno == EINTR);
    close_if_open(spawner->fd);
    free(spawner);
}

/* ---- children ---- */

/* A pipe whose ends are above 2; `ret_ends` is untouched on failure. */
static bool make_pipe(int ret_ends[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    ends[0] = above_standard(ends[0]);
    ends[1] = above_standard(ends[1]);
    if (ends[0] < 0 || ends[1] < 0) {
        close_if_open(ends[0]);
        close_if_open(ends[1]);
        return false;
    }
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return true;
}

static uint32_t append_strings(ctn_buf *buf, const char *const *strings)
{
    uint32_t count = 0;
    for (; strings && strings[count] && count < UINT32_MAX; count++)
        ctn_buf_append(buf, (ctn_str){strings[count], strlen(strings[count]) + 1});
    return count;
}

static int write_request(const ctn_spawn_options *options, int *ret_fd, ctn_err *err)
{
    const char *program = options->argv[0];
    ctn_spawn_request request = {0};
    ctn_buf buf;
    ctn_buf_init(&buf, REQUEST_BYTES_MAX);
    int rc = CTN_OK;
    int fd = -1;
    ctn_buf_append(&buf, (ctn_str){(const char *) &request, sizeof request});
    ctn_buf_append(&buf, (ctn_str){options->cwd ? options->cwd : "", options->cwd ? strlen(options->cwd) + 1 : 1});
    request.argument_count = append_strings(&buf, options->argv);
    request.variable_count = append_strings(&buf, options->env);
    if (options->limits) {
        request.has_limits = true;
        request.limits = *options->limits;
        request.readable_count = append_strings(&buf, options->limits->readable);
        request.writable_count = append_strings(&buf, options->limits->writable);
    }
    if (buf.overflowed) {
        rc = ctn_fail(err, CTN_E_LIMIT, "cannot start \"%s\": its arguments and environment exceed %zu bytes", program,
                      REQUEST_BYTES_MAX);
        goto done;
    }
    memcpy(buf.data, &request, sizeof request);
    fd = above_standard(memfd_create("catena-spawn", MFD_CLOEXEC));
    for (size_t sent = 0; fd >= 0 && sent < buf.len;) {
        ssize_t n = write(fd, buf.data + sent, buf.len - sent);
        if (n > 0) {
            sent += (size_t) n;
        } else if (errno != EINTR) {
            close(fd);
            fd = -1;
        }
    }
    if (fd < 0)
        rc = ctn_fail(err, CTN_E_BUSY, "cannot start \"%s\": %s", program, strerror(errno));
    else
        *ret_fd = fd;
done:
    ctn_buf_done(&buf);
    return rc;
}

static const char *path_variable(const ctn_spawn_options *options)
{
    const char *path = NULL;
    for (size_t i = 0; options->env && options->env[i]; i++)
        if (strncmp(options->env[i], "PATH=", 5) == 0)
            path = options->env[i] + 5;
    return path;
}

static int program_not_found(const ctn_spawn_options *options, ctn_err *err)
{
    const char *program = options->argv[0];
    const char *folder = options->cwd ? options->cwd : ".";
    const char *path = path_variable(options);
    if (strchr(program, '/'))
        return program[0] == '/'
                   ? ctn_fail(err, CTN_E_NOT_FOUND, "there is no program \"%s\"", program)
                   : ctn_fail(err, CTN_E_NOT_FOUND, "there is no program \"%s\" in the folder \"%s\"", program, folder);
    char here[PATH_MAX];
    int len = snprintf(here, sizeof here, "%s/%s", folder, program);
    bool is_here = len > 0 && (size_t) len < sizeof here && access(here, X_OK) == 0;
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no program \"%s\" in the folders of PATH (%s%.200s%s)%s%s", program,
                    path ? "" : "none was given, so ", path ? path : "/usr/local/bin:/usr/bin:/bin",
                    path && strlen(path) > 200 ? "..." : "", is_here ? "; one is in its folder: write ./" : "",
                    is_here ? program : "");
}

static const char *path_named(const ctn_spawn_limits *limits, int number)
{
    for (const char *const *path = limits->readable; path && *path; path++)
        if (number-- == 0)
            return *path;
    return limits->writable[number];
}

static int describe_confinement(const ctn_spawn_options *options, const ctn_spawner_message *answer, ctn_err *err)
{
    const char *program = options->argv[0];
    switch (answer->stage) {
    case CTN_SPAWN_PATH:
        return ctn_fail(err, CTN_E_INVALID, "cannot start \"%s\": \"%s\", which it is to reach: %s", program,
                        path_named(options->limits, answer->pid), strerror(answer->number));
    case CTN_SPAWN_FILES:
        return ctn_fail(err, CTN_E_UNSUPPORTED,
                        "cannot start \"%s\": this kernel cannot keep it from other files (landlock: %s)", program,
                        strerror(answer->number));
    case CTN_SPAWN_NETWORK:
        return ctn_fail(err, CTN_E_UNSUPPORTED,
                        "cannot start \"%s\": this kernel cannot keep it from the network (seccomp: %s)", program,
                        strerror(answer->number));
    default:
        return ctn_fail(err, CTN_E_INVALID, "cannot start \"%s\": its limits cannot be set: %s", program,
                        strerror(answer->number));
    }
}

static int describe_failure(const ctn_spawn_options *options, const ctn_spawner_message *answer, ctn_err *err)
{
    uint32_t stage = answer->stage;
    int error = answer->number;
    if (stage >= CTN_SPAWN_LIMITS)
        return describe_confinement(options, answer, err);
    const char *program = options->argv[0];
    const char *folder = options->cwd ? options->cwd : ".";
    if (stage == CTN_SPAWN_FOLDER && error == ENOENT)
        return ctn_fail(err, CTN_E_INVALID, "cannot start \"%s\": there is no folder \"%s\"", program, folder);
    if (stage == CTN_SPAWN_FOLDER)
        return ctn_fail(err, CTN_E_INVALID, "cannot start \"%s\" in the folder \"%s\": %s", program, folder,
                        strerror(error));
    if (stage == CTN_SPAWN_INTERPRETER)
        return ctn_fail(err, CTN_E_INVALID,
                        "cannot start \"%s\" in \"%s\": it is there, but the interpreter that it names is not", program,
                        folder);
    switch (error) {
    case ENOENT:
    case ENOTDIR: return program_not_found(options, err);
    case EACCES:
    case EPERM:
        return ctn_fail(err, CTN_E_INVALID,
                        "cannot start \"%s\" in \"%s\": it may not be executed (chmod +x, or is it a folder?)", program,
                        folder);
    case ENOEXEC:
        return ctn_fail(err, CTN_E_INVALID,
                        "cannot start \"%s\" in \"%s\": not a program of this machine (a script needs a #! line)",
                        program, folder);
    case E2BIG:
        return ctn_fail(err, CTN_E_LIMIT,
                        "cannot start \"%s\": its arguments and environment are larger than the "
                        "system takes (one may have 128 KiB)",
                        program);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETXTBSY: return ctn_fail(err, CTN_E_BUSY, "cannot start \"%s\" at the moment: %s", program, strerror(error));
    default: return ctn_fail(err, CTN_E_INVALID, "cannot start \"%s\" in \"%s\": %s", program, folder, strerror(error));
    }
}

static int round_trip(ctn_spawner *spawner, const ctn_spawn_options *options, const int fds[CTN_SPAWNER_FDS],
                      ctn_spawner_message *ret_answer, ctn_err *err)
{
    ctn_spawner_message message = {.kind = CTN_SPAWNER_SPAWN, .child_id = ++spawner->child_id_last};
    int64_t deadline_ms = monotonic_ms() + ROUND_TRIP_MAX_MS;
    int rc = send_message(spawner, &message, fds, CTN_SPAWNER_FDS, deadline_ms);
    if (rc == CTN_OK) {
        rc = wait_for_answer(spawner, message.child_id, deadline_ms, ret_answer);
        if (rc == CTN_E_TIMEOUT) {
            /* Should it start after all, it ends at once: the spawner takes messages in order. */
            message.kind = CTN_SPAWNER_RELEASE;
            (void) send_message(spawner, &message, NULL, 0, deadline_ms);
        }
    }
    if (rc == CTN_E_CLOSED)
        return ctn_fail(err, rc, "cannot start \"%s\": the spawner process was killed; restart catena",
                        options->argv[0]);
    if (rc == CTN_E_TIMEOUT)
        return ctn_fail(err, rc, "cannot start \"%s\": the system took longer than %d s (a folder on a dead disk?)",
                        options->argv[0], ROUND_TRIP_MAX_MS / 1000);
    if (rc)
        return ctn_fail(err, rc, "cannot start \"%s\": too many descriptors on their way", options->argv[0]);
    if (ret_answer->stage != CTN_SPAWN_STARTED)
        return describe_failure(options, ret_answer, err);
    return CTN_OK;
}

int ctn_child_spawn(ctn_spawner *spawner, const ctn_spawn_options *options, ctn_child **ret_child, int *ret_stdin,
                    int *ret_stdout, int *ret_stderr, ctn_err *err)
{
    assert(spawner->watch && options->argv && options->argv[0]);
    if (options->argv[0][0] == 0)
        return ctn_fail(err, CTN_E_INVALID, "the command is empty; it must name a program");
    int in[2] = {-1, -1}, out[2] = {-1, -1}, error_out[2] = {-1, -1};
    int request_fd = -1;
    ctn_spawner_message answer;
    int rc = write_request(options, &request_fd, err);
    if (rc)
        goto done;
    if (!make_pipe(in) || !make_pipe(out) || !make_pipe(error_out)) {
        rc = ctn_fail(err, CTN_E_BUSY, "cannot start \"%s\": %s", options->argv[0], strerror(errno));
        goto done;
    }
    rc = round_trip(spawner, options, (int[CTN_SPAWNER_FDS]){request_fd, in[0], out[1], error_out[1]}, &answer, err);
    if (rc)
        goto done;
    ctn_child *child = ctn_malloc(sizeof *child);
    *child = (ctn_child){.spawner = spawner,
                         .id = answer.child_id,
                         .pid = answer.pid,
                         .exited = options->exited,
                         .ctx = options->ctx,
                         .next = spawner->children};
    if (child->next)
        child->next->prev = child;
    spawner->children = child;
    *ret_child = child;
    *ret_stdin = in[1];
    *ret_stdout = out[0];
    *ret_stderr = error_out[0];
    in[1] = out[0] = error_out[0] = -1;
done:
    close_if_open(request_fd);
    for (int i = 0; i < 2; i++) {
        close_if_open(in[i]);
        close_if_open(out[i]);
        close_if_open(error_out[i]);
    }
    return rc;
}

int ctn_child_pid(const ctn_child *child)
{
    return child->pid;
}

static void send_or_give_up(const ctn_child *child, uint32_t kind, int number)
{
    if (child->spawner)
        (void) send_message(child->spawner,
                            &(ctn_spawner_message){.kind = kind, .child_id = child->id, .number = number}, NULL, 0,
                            monotonic_ms() + ROUND_TRIP_MAX_MS);
}

void ctn_child_kill(ctn_child *child, int signal_number)
{
    send_or_give_up(child, CTN_SPAWNER_KILL, signal_number);
}

void ctn_child_free(ctn_child *child)
{
    if (!child)
        return;
    send_or_give_up(child, CTN_SPAWNER_RELEASE, 0);
    if (child->next)
        child->next->prev = child->prev;
    if (child->prev)
        child->prev->next = child->next;
    else if (child->spawner)
        child->spawner->children = child->next;
    free(child);
}
