/*
 * spawner.c -- the small process that is the parent of all children, and what a dead process leaves.
 *
 * It is forked first thing in main, so it is small for ever: its fork costs a fraction of a millisecond, while
 * a fork of a grown catena stalls for as long as its page tables take to copy. It has one thread, no loop and
 * no libuv, and decides nothing: it starts, signals and reaps what it is told to, and at the end it cleans up.
 *
 * What must always hold:
 *   1. A process id is signalled only while it cannot mean another process: a child that has exited stays a zombie
 *      (waitid with WNOWAIT) until catena releases it, so its number, which is its group's too, stays taken.
 *      Apart from groups only our own direct children are signalled, which nobody but us can reap.
 *   2. It belongs to no terminal and ignores the signals by which people stop catena: it ends when, and only
 *      when, its socket closes.
 *   3. It does not end before waitpid has said ECHILD. As every descendant that loses its parent becomes our child
 *      (PR_SET_CHILD_SUBREAPER), no child means no descendant.
 *
 * What a dead process leaves, the fast path being the one that needs nobody's help:
 *
 *   a child        Its pipes close by themselves, which is how the drivers hear of it first (end of file); then
 *                  EXITED. What it had started in its group lives on until the child is released; what it had
 *                  started in a session of its own lives on until catena ends: both have become our children.
 *   a grandchild   nothing: its parent reaps it, or we do.
 *   catena         by return, exit, abort, SIGKILL or the OOM killer alike: the kernel closes its end of the
 *                  socket, recvmsg here returns 0, and we end everything: SIGTERM to every group, 200 ms, SIGKILL to
 *                  every group, then SIGKILL to each direct child, and again to those that the deaths make our
 *                  children, one level of the tree at a time, until none is left. Catena itself runs no handler
 *                  and leaves no file behind that the next one must interpret: a stale socket file is replaced at
 *                  the next bind, the store's lock is the kernel's.
 *   the spawner    (only SIGKILL or the OOM killer can) Its direct children die with it (PR_SET_PDEATHSIG: sound
 *                  here, for this process has one thread); catena sees the socket close, tells every child as killed
 *                  and refuses to start others. Grandchildren are then on their own, as without a spawner. A
 *                  catena that dies in the same instant leaves the same.
 *   the machine    nothing.
 */
#include "loop/spawner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/confine.h"

enum { SOCKET_FD = 3 };
static const int GRACE_MS = 200;
static const char PATH_WITHOUT_PATH[] = "/usr/local/bin:/usr/bin:/bin";

typedef struct child {
    uint64_t id;
    pid_t pid; /* and its group */
    bool is_exited, is_released;
    struct child *next;
} child;

typedef struct spawner {
    child *children;
    int signal_fd; /* readable after SIGCHLD */
    pid_t *pids;   /* what list_direct_children found */
    size_t pid_count, pid_capacity;
} spawner;

static void tell(const ctn_spawner_message *message)
{
    ssize_t n;
    do
        n = send(SOCKET_FD, message, sizeof *message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR); /* any other error: catena is gone, and recvmsg will say so */
}

/* ---- direct children: those that we started, and orphans that became ours ---- */

static void add_pid(spawner *s, pid_t pid)
{
    s->pids = ctn_array_room(s->pids, s->pid_count, &s->pid_capacity, sizeof *s->pids);
    s->pids[s->pid_count++] = pid;
}

/* The parent of a process by its /proc/PID/stat, or -1. The name in it may hold anything, ") S 1 " included. */
static pid_t parent_of(const char *pid_text)
{
    char path[64], stat_text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid_text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, stat_text, sizeof stat_text - 1);
    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return -1;
    stat_text[len] = 0;
    const char *name_end = strrchr(stat_text, ')');
    long parent = -1;
    if (!name_end || sscanf(name_end, ") %*c %ld", &parent) != 1)
        return -1;
    return (pid_t) parent;
}

static void list_direct_children_slowly(spawner *s)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    while (proc && (entry = readdir(proc)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == getpid())
            add_pid(s, (pid_t) strtol(entry->d_name, NULL, 10));
    if (proc)
        closedir(proc);
}

static void list_direct_children(spawner *s)
{
    s->pid_count = 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long) getpid());
    FILE *file = fopen(path, "re");
    if (!file) {
        list_direct_children_slowly(s); /* a kernel without CONFIG_PROC_CHILDREN */
        return;
    }
    long pid;
    while (fscanf(file, "%ld", &pid) == 1)
        add_pid(s, (pid_t) pid);
    fclose(file);
}

static bool has_exited(pid_t pid, siginfo_t *ret_info)
{
    *ret_info = (siginfo_t){0};
    return waitid(P_PID, (id_t) pid, ret_info, WEXITED | WNOHANG | WNOWAIT) == 0 && ret_info->si_pid == pid;
}

static void remove_child(spawner *s, child *c)
{
    child **link = &s->children;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    (void) waitpid(c->pid, NULL, 0);
    free(c);
}

/* After SIGCHLD, which may stand for many deaths. */
static void note_deaths(spawner *s)
{
    child *next;
    siginfo_t info;
    for (child *c = s->children; c; c = next) {
        next = c->next;
        if (c->is_exited || !has_exited(c->pid, &info))
            continue;
        c->is_exited = true;
        if (c->is_released)
            remove_child(s, c);
        else
            tell(&(ctn_spawner_message){.kind = CTN_SPAWNER_EXITED,
                                        .child_id = c->id,
                                        .number = info.si_code == CLD_EXITED ? info.si_status : -info.si_status});
    }
    list_direct_children(s);
    for (size_t i = 0; i < s->pid_count; i++) {
        const child *c = s->children;
        while (c && c->pid != s->pids[i])
            c = c->next;
        if (!c)
            (void) waitpid(s->pids[i], NULL, WNOHANG);
    }
}

static void wait_for_deaths(const spawner *s, int timeout_ms)
{
    struct signalfd_siginfo info;
    if (poll(&(struct pollfd){.fd = s->signal_fd, .events = POLLIN}, 1, timeout_ms) > 0)
        (void) !read(s->signal_fd, &info, sizeof info);
}

/* ---- starting ---- */

typedef struct start {
    const char *folder;
    char **arguments, **environment, **readable, **writable;
    bool has_limits;
    ctn_spawn_limits limits;
    int fds[CTN_SPAWNER_FDS]; /* the request, stdin, stdout, stderr */
    void *text;
    size_t text_bytes;
} start;

typedef ctn_confine_failure start_failure;

/* Takes the next string of the request; NULL when it is not one. */
static char *next_string(char **at, const char *end)
{
    char *string = *at;
    char *nul = string < end ? memchr(string, 0, (size_t) (end - string)) : NULL;
    if (!nul)
        return NULL;
    *at = nul + 1;
    return string;
}

static bool next_strings(char **at, const char *end, size_t count, char ***ret_strings)
{
    if (count > (size_t) (end - *at))
        return false;
    char **strings = ctn_realloc_array(NULL, count + 1, sizeof *strings);
    *ret_strings = strings;
    for (size_t i = 0; i < count; i++)
        if (!(strings[i] = next_string(at, end)))
            return false;
    strings[count] = NULL;
    return true;
}

static int start_read(start *st)
{
    struct stat file;
    if (fstat(st->fds[0], &file) != 0)
        return errno;
    if ((size_t) file.st_size < sizeof(ctn_spawn_request))
        return EBADMSG;
    st->text = mmap(NULL, (size_t) file.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, st->fds[0], 0);
    if (st->text == MAP_FAILED) {
        st->text = NULL;
        return errno;
    }
    st->text_bytes = (size_t) file.st_size;
    ctn_spawn_request request;
    memcpy(&request, st->text, sizeof request);
    char *at = (char *) st->text + sizeof request;
    const char *end = (char *) st->text + st->text_bytes;
    if (!(st->folder = next_string(&at, end)) || request.argument_count == 0 ||
        !next_strings(&at, end, request.argument_count, &st->arguments) ||
        !next_strings(&at, end, request.variable_count, &st->environment) ||
        !next_strings(&at, end, request.readable_count, &st->readable) ||
        !next_strings(&at, end, request.writable_count, &st->writable))
        return EBADMSG;
    st->has_limits = request.has_limits;
    st->limits = request.limits;
    st->limits.readable = (const char *const *) st->readable;
    st->limits.writable = (const char *const *) st->writable;
    return 0;
}

static void start_done(start *st)
{
    for (int i = 0; i < CTN_SPAWNER_FDS; i++)
        if (st->fds[i] >= 0)
            close(st->fds[i]);
    free(st->arguments);
    free(st->environment);
    free(st->readable);
    free(st->writable);
    if (st->text)
        munmap(st->text, st->text_bytes);
}

/* ---- in the new process, between fork and exec ---- */

static start_failure exec_path(const start *st, const char *path)
{
    execve(path, st->arguments, st->environment);
    int error = errno;
    bool is_there = error == ENOENT && access(path, F_OK) == 0;
    return (start_failure){.stage = is_there ? CTN_SPAWN_INTERPRETER : CTN_SPAWN_PROGRAM, .error = error};
}

static start_failure exec_in_path(const start *st)
{
    const char *name = st->arguments[0];
    if (strchr(name, '/'))
        return exec_path(st, name);
    const char *folders = PATH_WITHOUT_PATH;
    for (char **variable = st->environment; *variable; variable++)
        if (strncmp(*variable, "PATH=", 5) == 0)
            folders = *variable + 5;
    /* As execvp does it: a folder where the program is missing or may not be run is passed over, and only if no
     * other has it that counts. */
    start_failure worst = {.stage = CTN_SPAWN_PROGRAM, .error = ENOENT};
    char path[4096];
    for (const char *folder = folders;; folder++) {
        size_t len = strcspn(folder, ":");
        int n = snprintf(path, sizeof path, "%.*s%s%s", (int) len, folder, len ? "/" : "", name);
        if (n > 0 && (size_t) n < sizeof path && len < sizeof path) {
            start_failure failure = exec_path(st, path);
            if (failure.stage == CTN_SPAWN_PROGRAM && (failure.error == ENOENT || failure.error == ENOTDIR))
                ;
            else if (failure.error == EACCES)
                worst = failure;
            else
                return failure;
        }
        folder += len;
        if (*folder == 0)
            return worst;
    }
}

static _Noreturn void become_child(const start *st, pid_t spawner_pid, int failure_fd)
{
    start_failure failure = {.stage = CTN_SPAWN_SETUP};
    (void) setpgid(0, 0);
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != spawner_pid)
        _exit(127);
    for (int i = 0; i < 3; i++)
        if (dup2(st->fds[i + 1], i) < 0)
            goto failed;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number <= SIGRTMAX; number++)
        (void) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    if (st->folder[0] && chdir(st->folder) != 0) {
        failure.stage = CTN_SPAWN_FOLDER;
        goto failed;
    }
    if (st->has_limits) {
        failure = ctn_confine(&(ctn_confinement){&st->limits, st->arguments[0], (const char *const *) st->environment});
        errno = failure.error;
        if (failure.stage)
            goto failed;
    }
    failure = exec_in_path(st);
    errno = failure.error;
failed:
    failure.error = errno;
    (void) !write(failure_fd, &failure, sizeof failure);
    _exit(127);
}

/* ---- what catena asks for ---- */

static void start_child(spawner *s, uint64_t id, start *st)
{
    start_failure failure = {.stage = CTN_SPAWN_SETUP};
    int failure_pipe[2] = {-1, -1};
    pid_t pid = -1;
    failure.error = start_read(st);
    if (failure.error == 0 && pipe2(failure_pipe, O_CLOEXEC) != 0)
        failure.error = errno;
    if (failure.error == 0) {
        pid_t own_pid = getpid();
        /* Not fork(): what other libraries have asked to be run after it (libuv, when its loop is older than this
         * process) would close descriptors by numbers that are the child's pipes here. */
        pid = _Fork();
        if (pid == 0)
            become_child(st, own_pid, failure_pipe[1]);
        if (pid < 0)
            failure.error = errno;
    }
    if (failure_pipe[1] >= 0)
        close(failure_pipe[1]);
    if (pid > 0) {
        (void) setpgid(pid, pid); /* whoever comes first; after exec it fails and is not needed */
        /* The other end is closed by exec: the end of the file is the good news. */
        ssize_t n;
        do
            n = read(failure_pipe[0], &failure, sizeof failure);
        while (n < 0 && errno == EINTR);
        if (n == (ssize_t) sizeof failure)
            (void) waitpid(pid, NULL, 0);
        else
            failure = (start_failure){.stage = CTN_SPAWN_STARTED};
    }
    if (failure_pipe[0] >= 0)
        close(failure_pipe[0]);
    if (failure.stage == CTN_SPAWN_STARTED) {
        child *c = ctn_malloc(sizeof *c);
        *c = (child){.id = id, .pid = pid, .next = s->children};
        s->children = c;
    }
    /* Ours of the child's ends are closed before it is told, so that catena sees the end of its pipes. */
    start_done(st);
    tell(&(ctn_spawner_message){.kind = CTN_SPAWNER_SPAWNED,
                                .stage = failure.stage,
                                .child_id = id,
                                .pid = failure.stage == CTN_SPAWN_PATH ? failure.path : pid,
                                .number = failure.error});
}

static void release_child(spawner *s, child *c)
{
    c->is_released = true;
    (void) kill(-c->pid, SIGKILL);
    if (c->is_exited)
        remove_child(s, c);
}

static void obey(spawner *s, const ctn_spawner_message *message, start *st)
{
    if (message->kind == CTN_SPAWNER_SPAWN) {
        start_child(s, message->child_id, st);
        return;
    }
    child *c = s->children;
    while (c && c->id != message->child_id)
        c = c->next;
    if (!c)
        return;
    if (message->kind == CTN_SPAWNER_KILL)
        (void) kill(-c->pid, message->number);
    else if (message->kind == CTN_SPAWNER_RELEASE)
        release_child(s, c);
}

/* One message; false when catena is gone. */
static bool receive(spawner *s)
{
    ctn_spawner_message message;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(CTN_SPAWNER_FDS * sizeof(int))];
    } control;
    struct iovec part = {&message, sizeof message};
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(SOCKET_FD, &packet, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0)
        return false;
    start st = {.fds = {-1, -1, -1, -1}};
    int fd_count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&packet); c; c = CMSG_NXTHDR(&packet, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            fd_count = (int) ((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(st.fds, CMSG_DATA(c), (size_t) fd_count * sizeof(int));
        }
    if (n != (ssize_t) sizeof message)
        return true;
    if (message.kind == CTN_SPAWNER_SPAWN && fd_count != CTN_SPAWNER_FDS) {
        /* The kernel hands over what fits into our limit on descriptors. */
        start_done(&st);
        tell(&(ctn_spawner_message){
            .kind = CTN_SPAWNER_SPAWNED, .stage = CTN_SPAWN_SETUP, .child_id = message.child_id, .number = EMFILE});
        return true;
    }
    if (message.kind != CTN_SPAWNER_HOLD) /* what it brought is simply left open */
        obey(s, &message, &st);
    return true;
}

/* ---- the end ---- */

static bool is_any_alive(spawner *s)
{
    siginfo_t info;
    list_direct_children(s);
    for (size_t i = 0; i < s->pid_count; i++)
        if (!has_exited(s->pids[i], &info))
            return true;
    return false;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void end_everything(spawner *s)
{
    for (const child *c = s->children; c; c = c->next) {
        (void) kill(-c->pid, SIGTERM);
        (void) kill(-c->pid, SIGCONT); /* a stopped one could not hear it */
    }
    list_direct_children(s);
    for (size_t i = 0; i < s->pid_count; i++)
        (void) kill(s->pids[i], SIGTERM);
    int64_t grace_until_ms = monotonic_ms() + GRACE_MS;
    while (is_any_alive(s) && monotonic_ms() < grace_until_ms)
        wait_for_deaths(s, 10);

    for (const child *c = s->children; c; c = c->next)
        (void) kill(-c->pid, SIGKILL);
    for (;;) {
        list_direct_children(s);
        for (size_t i = 0; i < s->pid_count; i++)
            (void) kill(s->pids[i], SIGKILL);
        pid_t pid;
        do
            pid = waitpid(-1, NULL, WNOHANG);
        while (pid > 0);
        if (pid < 0 && errno == ECHILD)
            _exit(0);
        wait_for_deaths(s, 10);
    }
}

/* ---- the process ---- */

/* Leaves exactly: 0 to 2 on /dev/null (nothing here may hold catena's output open), the socket on 3. */
static void keep_only(int socket_fd)
{
    int fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
    if (fd < 0 || dup3(fd, SOCKET_FD, O_CLOEXEC) < 0)
        _exit(1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3 && null >= 0; i++)
        if (null != i)
            (void) dup2(null, i);
    (void) close_range(SOCKET_FD + 1, ~0U, 0);
}

void ctn_spawner_main(int socket_fd)
{
    keep_only(socket_fd);
    (void) setsid();
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void) prctl(PR_SET_NAME, "catena-spawner");

    static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,
                                  SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void) sigaction(ignored[i], &ignore, NULL);
    (void) sigaction(SIGCHLD, &standard, NULL); /* ignored, as we may have inherited it, would reap by itself */
    sigset_t sigchld;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    (void) sigprocmask(SIG_SETMASK, &sigchld, NULL);

    spawner s = {.signal_fd = signalfd(-1, &sigchld, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (s.signal_fd < 0)
        _exit(1);
    struct pollfd fds[2] = {{.fd = SOCKET_FD, .events = POLLIN}, {.fd = s.signal_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            wait_for_deaths(&s, 0);
            note_deaths(&s);
        }
        if (fds[0].revents && !receive(&s))
            end_everything(&s);
    }
}
