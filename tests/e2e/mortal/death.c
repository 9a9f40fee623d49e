/*
 * death.c -- catena that dies at a point of the test's choice: the product's own objects, linked with this one.
 *
 * What a process does to the world it does by system calls, and a death between two of them looks from outside like one
 * right behind the first. So the points are not named in the product's sources: this file stands between the product
 * (SQLite and libuv included) and libc, and passes a point before and after every call that writes to, reads from,
 * makes, syncs, cuts, locks or removes a file, a pipe or a socket; and one in the middle of every write, where half of
 * it goes out. The product's binary has none of this.
 *
 *     CATENA_DEATH_AT=n        at the n-th point from the start, counted over all threads
 *     CATENA_DEATH_VICTIM      who is killed with SIGKILL there: main (default), spawner, server (every tool server)
 *     CATENA_DEATH_COUNTS      whose points are counted: main (default), spawner
 *     CATENA_DEATH_LOG=file    takes a line for each point, "N CALL CLASS WHEN"; with CATENA_DEATH_AT only for that one
 *
 * Left out: reads of files (they change nothing, and are always followed by something that is a point), locks of SQLite
 * on its files (they go with the process), memory that SQLite shares between processes (test_kill.c dies there, at
 * random times), what only wakes a thread.
 */
#undef _FORTIFY_SOURCE /* its inline forms are what stands here */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum victim { VICTIM_MAIN, VICTIM_SPAWNER, VICTIM_SERVER } victim;

/* Set before main and never after, but for the counter. */
static struct {
    bool is_on;
    unsigned at; /* 0: never */
    victim victim;
    bool counts_spawner;
    const char *log;
    pid_t main_pid;
    atomic_uint passed;
} death;

/* ---- points ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static const char *class_of_path(const char *path)
{
    static const struct {
        const char *end, *name;
    } classes[] = {{".db-wal", "wal"}, {".db-shm", "shm"},   {".db-journal", "journal"},
                   {".db", "db"},      {".db-lock", "lock"}, {".sock", "socket"}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (ends_with(path, classes[i].end))
            return classes[i].name;
    return "other";
}

/* What is behind a descriptor; NULL: nothing whose calls are points. */
static const char *class_of(int fd)
{
    struct stat st;
    if (!death.is_on || syscall(SYS_fstat, fd, &st) != 0)
        return NULL;
    if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
        return "output";
    if (S_ISFIFO(st.st_mode))
        return "pipe";
    if (S_ISSOCK(st.st_mode))
        return "socket";
    return S_ISREG(st.st_mode) ? "file" : NULL;
}

static void log_point(unsigned n, const char *call, const char *class, int fd, const char *when)
{
    char link[64], path[600], line[200];
    if (!death.log)
        return;
    if (fd >= 0 && strcmp(class, "file") == 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = syscall(SYS_readlink, link, path, sizeof path - 1);
        path[len > 0 ? len : 0] = '\0';
        class = class_of_path(path);
    }
    int len = snprintf(line, sizeof line, "%u %s %s %s\n", n, call, class, when);
    int log = (int) syscall(SYS_openat, AT_FDCWD, death.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0) {
        (void) syscall(SYS_write, log, line, (size_t) len);
        (void) syscall(SYS_close, log);
    }
}

/* The children of a process, as many as fit. */
static size_t children_of(pid_t pid, pid_t *children, size_t max)
{
    char path[64], text[4096];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int) pid, (int) pid);
    int fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t len = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof text - 1);
    if (fd >= 0)
        (void) syscall(SYS_close, fd);
    text[len > 0 ? len : 0] = '\0';
    for (char *at = text, *end; count < max; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        children[count++] = (pid_t) child;
    }
    return count;
}

static void strike(void)
{
    pid_t spawners[4], servers[64];
    if (death.victim == VICTIM_MAIN) {
        (void) kill(death.main_pid, SIGKILL);
        while (getpid() == death.main_pid)
            (void) pause();
        return;
    }
    size_t count = children_of(death.main_pid, spawners, 4);
    for (size_t i = 0; i < count; i++) {
        size_t server_count = death.victim == VICTIM_SERVER ? children_of(spawners[i], servers, 64) : 0;
        for (size_t k = 0; k < server_count; k++)
            (void) kill(-servers[k], SIGKILL);
        if (death.victim == VICTIM_SPAWNER)
            (void) kill(spawners[i], SIGKILL);
    }
}

/* Counts a point; true: it is the one. */
static bool reaches(const char *call, const char *class, int fd, const char *when)
{
    bool is_main = getpid() == death.main_pid;
    bool is_spawner = !is_main && death.counts_spawner && getppid() == death.main_pid;
    if (!death.is_on || (death.counts_spawner ? !is_spawner : !is_main))
        return false;
    int saved_errno = errno;
    unsigned n = atomic_fetch_add(&death.passed, 1) + 1;
    if (n == death.at || death.at == 0)
        log_point(n, call, class, fd, when);
    errno = saved_errno;
    return n == death.at;
}

static void pass(const char *call, const char *class, int fd, const char *when)
{
    int saved_errno = errno;
    if (class && reaches(call, class, fd, when))
        strike();
    errno = saved_errno;
}

/* ---- what stands between ---- */

static long watched(const char *call, int fd, long number, long a, long b, long c, long d, long e)
{
    const char *class = class_of(fd);
    pass(call, class, fd, "before");
    long result = syscall(number, fd, a, b, c, d, e);
    pass(call, class, fd, "after");
    return result;
}

static bool is_half(const char *call, const char *class, int fd, size_t len)
{
    return class && len > 1 && reaches(call, class, fd, "half");
}

ssize_t write(int fd, const void *data, size_t len)
{
    const char *class = class_of(fd);
    pass("write", class, fd, "before");
    if (is_half("write", class, fd, len)) {
        (void) syscall(SYS_write, fd, data, len / 2);
        strike();
        ssize_t rest = syscall(SYS_write, fd, (const char *) data + len / 2, len - len / 2);
        return rest < 0 ? (ssize_t) (len / 2) : rest + (ssize_t) (len / 2);
    }
    ssize_t n = syscall(SYS_write, fd, data, len);
    pass("write", class, fd, "after");
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    const char *class = class_of(fd);
    pass("pwrite", class, fd, "before");
    if (is_half("pwrite", class, fd, len)) {
        (void) syscall(SYS_pwrite64, fd, data, len / 2, at);
        strike();
    }
    ssize_t n = syscall(SYS_pwrite64, fd, data, len, at);
    pass("pwrite", class, fd, "after");
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return pwrite64(fd, data, len, at);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    const char *class = class_of(fd);
    pass("send", class, fd, "before");
    if (is_half("send", class, fd, len)) {
        (void) syscall(SYS_sendto, fd, data, len / 2, flags, to, to_len);
        strike();
        ssize_t rest = syscall(SYS_sendto, fd, (const char *) data + len / 2, len - len / 2, flags, to, to_len);
        return rest < 0 ? (ssize_t) (len / 2) : rest + (ssize_t) (len / 2);
    }
    ssize_t n = syscall(SYS_sendto, fd, data, len, flags, to, to_len);
    pass("send", class, fd, "after");
    return n;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return sendto(fd, data, len, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return watched("sendmsg", fd, SYS_sendmsg, (long) message, flags, 0, 0, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return watched("recvmsg", fd, SYS_recvmsg, (long) message, flags, 0, 0, 0);
}

/* A read that gave nothing has changed nothing: no point behind it. */
ssize_t read(int fd, void *data, size_t len)
{
    const char *class = class_of(fd);
    if (class && strcmp(class, "file") == 0)
        class = NULL;
    pass("read", class, fd, "before");
    ssize_t n = syscall(SYS_read, fd, data, len);
    if (n > 0)
        pass("read", class, fd, "after");
    return n;
}

/* What the compiler makes of a read into an array, in hardened builds. */
ssize_t __read_chk(int fd, void *data, size_t len, size_t size);
ssize_t __read_chk(int fd, void *data, size_t len, size_t size)
{
    if (len > size)
        abort();
    return read(fd, data, len);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    const char *class = class_of(fd);
    pass("recv", class, fd, "before");
    ssize_t n = syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
    if (n > 0)
        pass("recv", class, fd, "after");
    return n;
}

ssize_t __recv_chk(int fd, void *data, size_t len, size_t size, int flags);
ssize_t __recv_chk(int fd, void *data, size_t len, size_t size, int flags)
{
    if (len > size)
        abort();
    return recv(fd, data, len, flags);
}

int fdatasync(int fd)
{
    return (int) watched("fdatasync", fd, SYS_fdatasync, 0, 0, 0, 0, 0);
}

int fsync(int fd)
{
    return (int) watched("fsync", fd, SYS_fsync, 0, 0, 0, 0, 0);
}

int ftruncate64(int fd, off64_t len)
{
    return (int) watched("ftruncate", fd, SYS_ftruncate, len, 0, 0, 0, 0);
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    return (int) watched("connect", fd, SYS_connect, (long) to, len, 0, 0, 0);
}

int bind(int fd, const struct sockaddr *to, socklen_t len)
{
    return (int) watched("bind", fd, SYS_bind, (long) to, len, 0, 0, 0);
}

int listen(int fd, int backlog)
{
    return (int) watched("listen", fd, SYS_listen, backlog, 0, 0, 0, 0);
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    return (int) watched("accept", fd, SYS_accept4, (long) from, (long) len, flags, 0, 0);
}

int shutdown(int fd, int how)
{
    return (int) watched("shutdown", fd, SYS_shutdown, how, 0, 0, 0, 0);
}

/* Of a pipe or socket the other side sees it. */
int close(int fd)
{
    const char *class = class_of(fd);
    if (class && strcmp(class, "pipe") != 0 && strcmp(class, "socket") != 0)
        class = NULL;
    pass("close", class, -1, "before");
    int result = (int) syscall(SYS_close, fd);
    pass("close", class, -1, "after");
    return result;
}

static int fcntl_with(int fd, int command, long argument)
{
    if (command == F_OFD_SETLK) /* the store is ours */
        return (int) watched("lock", fd, SYS_fcntl, command, argument, 0, 0, 0);
    return (int) syscall(SYS_fcntl, fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    return fcntl_with(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    return fcntl_with(fd, command, argument);
}

static int open_with(const char *path, int flags, unsigned mode)
{
    const char *class = death.is_on && (flags & O_CREAT) ? class_of_path(path) : NULL;
    pass("open", class, -1, "before");
    int fd = (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pass("open", class, -1, "after");
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    unsigned mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, unsigned) : 0;
    va_end(list);
    return open_with(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    unsigned mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, unsigned) : 0;
    va_end(list);
    return open_with(path, flags, mode);
}

int unlink(const char *path)
{
    const char *class = death.is_on ? class_of_path(path) : NULL;
    pass("unlink", class, -1, "before");
    int result = (int) syscall(SYS_unlink, path);
    pass("unlink", class, -1, "after");
    return result;
}

int unlinkat(int folder, const char *path, int flags)
{
    const char *class = death.is_on ? class_of_path(path) : NULL;
    pass("unlink", class, -1, "before");
    int result = (int) syscall(SYS_unlinkat, folder, path, flags);
    pass("unlink", class, -1, "after");
    return result;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    const char *class = death.is_on ? class_of_path(to) : NULL;
    pass("link", class, -1, "before");
    int result = (int) syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    pass("link", class, -1, "after");
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    const char *class = death.is_on ? class_of_path(to) : NULL;
    pass("rename", class, -1, "before");
    int result = (int) syscall(SYS_renameat, from_folder, from, to_folder, to);
    pass("rename", class, -1, "after");
    return result;
}

int rename(const char *from, const char *to)
{
    const char *class = death.is_on ? class_of_path(to) : NULL;
    pass("rename", class, -1, "before");
    int result = (int) syscall(SYS_rename, from, to);
    pass("rename", class, -1, "after");
    return result;
}

/* ---- the start ---- */

/* libc writes its streams by a call of its own, which nobody can stand before: they get one of ours. */
static ssize_t write_stream(void *cookie, const char *data, size_t len)
{
    ssize_t n = write(*(const int *) cookie, data, len);
    return n < 0 ? 0 : n;
}

static FILE *stream_on(const int *fd)
{
    FILE *stream = fopencookie((void *) fd, "w", (cookie_io_functions_t){.write = write_stream});
    if (!stream)
        abort();
    return stream;
}

__attribute__((constructor)) static void begin(void)
{
    static const int out = STDOUT_FILENO, err = STDERR_FILENO;
    const char *at = getenv("CATENA_DEATH_AT"), *who = getenv("CATENA_DEATH_VICTIM");
    const char *counts = getenv("CATENA_DEATH_COUNTS");
    death.log = getenv("CATENA_DEATH_LOG");
    death.at = at ? (unsigned) strtoul(at, NULL, 10) : 0;
    death.victim = who && strcmp(who, "spawner") == 0  ? VICTIM_SPAWNER
                   : who && strcmp(who, "server") == 0 ? VICTIM_SERVER
                                                       : VICTIM_MAIN;
    death.counts_spawner = counts && strcmp(counts, "spawner") == 0;
    death.main_pid = getpid();
    death.is_on = at || death.log;
    if (!death.is_on)
        return;
    stdout = stream_on(&out);
    stderr = stream_on(&err);
    (void) setvbuf(stderr, NULL, _IONBF, 0);
}
