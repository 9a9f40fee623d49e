/*
 * socket.c -- the local socket beside a store: bound, found and removed whatever the length of its path.
 *
 * sockaddr_un holds 108 bytes, a path 4096. So we bind to /proc/self/fd/N/NAME, N being the open folder, and
 * connect to /proc/self/fd/N, N being the socket file opened with O_PATH.
 *
 * What must always hold:
 *   1. Whoever finds the file can connect, and nobody but our user: the socket is bound under a name of its own,
 *      with mode 0600 from the first moment (fchmod before bind), listens, and is then renamed to its place.
 *      The rename also replaces the stale file of an owner that died, without a moment in which none is there.
 *   2. A file that is no socket is never removed.
 *   3. We remove our own file only: a socket that has taken its place since stays.
 */
#include "loop/loop.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/internal.h"

static const int ACCEPTS_PER_EVENT = 32;
static const int ACCEPT_PAUSE_MS = 100;
static const int CONNECT_TIMEOUT_S = 10;

struct ctn_listener {
    ctn_handle handle;
    void (*accepted)(void *ctx, int fd);
    void *ctx;
    ctn_poller *poller;
    ctn_timer *pause;
    int fd, folder_fd;
    char *name; /* in the folder */
    dev_t device;
    ino_t inode;
    bool is_bound;
    bool is_freed;
};

static struct sockaddr_un proc_address(int fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d%s%s", fd, name ? "/" : "",
                       name ? name : "");
    assert(len > 0 && (size_t) len < sizeof address.sun_path);
    return address;
}

/* Splits path into its folder, opened, and the name in it. */
static int open_folder(const char *path, int *ret_folder_fd, char **ret_name, ctn_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (*name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return ctn_fail(err, CTN_E_INVALID, "\"%s\" is a folder; a socket needs a file name", path);
    if (strlen(name) > NAME_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "the file name of the socket \"%s\" is longer than %d bytes", path, NAME_MAX);
    size_t folder_len = slash ? (size_t) (slash - path) : 0;
    char *folder = slash == path ? strdup("/") : slash ? strndup(path, folder_len) : strdup(".");
    assert(folder);
    int rc = CTN_OK;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        rc = ctn_fail(err, errno == ENOENT ? CTN_E_NOT_FOUND : CTN_E_IO,
                      "cannot open the folder \"%s\" for a socket: %s", folder, strerror(errno));
    free(folder);
    if (rc)
        return rc;
    *ret_folder_fd = fd;
    *ret_name = strdup(name);
    assert(*ret_name);
    return CTN_OK;
}

static int bind_and_listen(ctn_listener *listener, const char *path, ctn_err *err)
{
    struct stat st;
    if (fstatat(listener->folder_fd, listener->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(st.st_mode))
        return ctn_fail(err, CTN_E_EXISTS, "\"%s\" is there and is no socket; move it away, or name another", path);

    char own_name[64]; /* ours alone: this process, this listener */
    snprintf(own_name, sizeof own_name, ".catena-%ld-%zx", (long) getpid(), (size_t) listener & 0xffffffff);
    (void) unlinkat(listener->folder_fd, own_name, 0);

    struct sockaddr_un address = proc_address(listener->folder_fd, own_name);
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || fchmod(listener->fd, 0600) != 0 ||
        bind(listener->fd, (struct sockaddr *) &address, sizeof address) != 0)
        return ctn_fail(err, errno == EACCES || errno == EROFS ? CTN_E_DENIED : CTN_E_IO,
                        "cannot make the socket \"%s\": %s", path, strerror(errno));
    if (fstatat(listener->folder_fd, own_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || listen(listener->fd, SOMAXCONN) != 0 ||
        renameat(listener->folder_fd, own_name, listener->folder_fd, listener->name) != 0) {
        int error = errno;
        (void) unlinkat(listener->folder_fd, own_name, 0);
        return ctn_fail(err, CTN_E_IO, "cannot listen on the socket \"%s\": %s", path, strerror(error));
    }
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    listener->is_bound = true;
    return CTN_OK;
}

static void connection_ready(void *ctx, int events)
{
    ctn_listener *listener = ctx;
    (void) events;
    for (int i = 0; i < ACCEPTS_PER_EVENT && !listener->is_freed; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->accepted(listener->ctx, fd);
            continue;
        }
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
            return;
        /* No descriptors or no memory: the connection stays where it is and would wake us at once, for ever. */
        ctn_poller_set(listener->poller, 0);
        ctn_timer_set(listener->pause, ctn_loop_now_ms(listener->handle.loop) + ACCEPT_PAUSE_MS);
        return;
    }
}

static void pause_over(void *ctx)
{
    ctn_listener *listener = ctx;
    ctn_poller_set(listener->poller, CTN_POLL_READ);
}

static void listener_close(ctn_handle *handle)
{
    ctn_listener_close((ctn_listener *) handle);
}

static void listener_destroy(ctn_handle *handle)
{
    ctn_listener *listener = (ctn_listener *) handle;
    free(listener->name);
    free(listener);
}

int ctn_listener_open(ctn_loop *loop, const char *path, void (*accepted)(void *ctx, int fd), void *ctx,
                      ctn_listener **ret_listener, ctn_err *err)
{
    ctn_listener *listener = ctn_calloc(1, sizeof *listener);
    assert(listener);
    listener->fd = listener->folder_fd = -1;
    listener->accepted = accepted;
    listener->ctx = ctx;
    listener->pause = ctn_timer_new(loop, pause_over, listener);
    int rc = open_folder(path, &listener->folder_fd, &listener->name, err);
    if (rc == CTN_OK)
        rc = bind_and_listen(listener, path, err);
    if (rc == CTN_OK) {
        int error = ctn_poller_new(loop, listener->fd, connection_ready, listener, &listener->poller);
        if (error)
            rc = ctn_fail(err, CTN_E_IO, "cannot watch the socket \"%s\": %s", path, strerror(error));
    }
    ctn_handle_init(&listener->handle, loop, listener_close, listener_destroy);
    if (rc) {
        ctn_listener_close(listener);
        return rc;
    }
    ctn_poller_set(listener->poller, CTN_POLL_READ);
    *ret_listener = listener;
    return CTN_OK;
}

void ctn_listener_close(ctn_listener *listener)
{
    if (!listener)
        return;
    struct stat st;
    if (listener->is_bound && fstatat(listener->folder_fd, listener->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_dev == listener->device && st.st_ino == listener->inode)
        (void) unlinkat(listener->folder_fd, listener->name, 0);
    listener->is_freed = true;
    ctn_poller_free(listener->poller);
    ctn_timer_free(listener->pause);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->folder_fd >= 0)
        close(listener->folder_fd);
    ctn_handle_retire(&listener->handle);
}

int ctn_socket_connect(const char *path, int *ret_fd, ctn_err *err)
{
    int rc = CTN_OK;
    int fd = -1;
    /* O_PATH opens a socket where open(2) for reading would say ENXIO. */
    int file_fd = open(path, O_PATH | O_CLOEXEC);
    if (file_fd < 0) {
        bool is_absent = errno == ENOENT || errno == ENOTDIR;
        rc = is_absent ? ctn_fail(err, CTN_E_CLOSED, "nobody listens on \"%s\": there is no such file", path)
                       : ctn_fail(err, errno == EACCES ? CTN_E_DENIED : CTN_E_IO, "cannot open the socket \"%s\": %s",
                                  path, strerror(errno));
        goto done;
    }
    struct sockaddr_un address = proc_address(file_fd, NULL);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        rc = ctn_fail(err, CTN_E_IO, "cannot make a socket: %s", strerror(errno));
        goto done;
    }
    /* connect(2) waits while the listener's queue is full, that is, while its process hangs. */
    struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S};
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *) &address, sizeof address) != 0) {
        int error = errno;
        struct stat st;
        if (error == ECONNREFUSED && fstat(file_fd, &st) == 0 && !S_ISSOCK(st.st_mode))
            rc = ctn_fail(err, CTN_E_INVALID, "\"%s\" is no socket", path);
        else if (error == ECONNREFUSED)
            rc = ctn_fail(err, CTN_E_CLOSED, "nobody listens on \"%s\" any more", path);
        else if (error == EAGAIN)
            rc = ctn_fail(err, CTN_E_TIMEOUT, "whoever listens on \"%s\" has not answered for %d s", path,
                          CONNECT_TIMEOUT_S);
        else
            rc = ctn_fail(err, error == EACCES ? CTN_E_DENIED : CTN_E_IO, "cannot connect to \"%s\": %s", path,
                          strerror(error));
        goto done;
    }
    timeout = (struct timeval){0};
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    *ret_fd = fd;
    fd = -1;
done:
    if (file_fd >= 0)
        close(file_fd);
    if (fd >= 0)
        close(fd);
    return rc;
}
