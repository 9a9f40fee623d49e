/*
 * lock.c -- one process at a time owns a store that is a file.
 *
 * The lock is an open-file-description lock (fcntl F_OFD_SETLK) on FILE-lock, a side file: SQLite's own locks on FILE
 * belong to the process and vanish when any descriptor of FILE is closed, so ours must not live there. The kernel
 * frees it when the last copy of the descriptor is gone, by death too; the descriptors are close-on-exec, so no child
 * keeps one. The side file is never removed (removing it would let two processes lock two files of one name); it holds
 * the owner's pid for the sentence, and that text decides nothing. The path is resolved first, so that a store reached
 * through a link has one lock.
 *
 * Two bytes of it are locked, through an opening each. The first is the ownership. Its descriptor may be shared with a
 * process that ends what the owner has started (ctn_store_lock_fd): a tool server that finishes its work while its
 * owner is dead already still changes the world, and who asks in that moment whether a call had happened is told no. So
 * nobody owns the store before the last of them is gone. The second byte says that the owner itself lives; where only
 * the first is locked, the rest of a dead owner is being ended, and that is waited for.
 */
#include "store/store.h"
#include "store/backend.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNERSHIP_BYTE, LIFE_BYTE };
/* Ending what a dead owner had started takes a fraction of a second (loop/spawner.c). */
static const int ENDING_WAIT_MAX_US = 10000000;
static const int ENDING_LOOK_US = 2000;

struct ctn_store_lock {
    int fd; /* -1: a store without a file needs no lock */
    int life_fd;
};

/* FILE-lock of the real file; caller frees. NULL with a sentence when the folder is not there. */
static char *lock_path(ctn_str file, ctn_err *err)
{
    char *path = ctn_cstring(file);
    char *real = realpath(path, NULL);
    if (!real) { /* no file yet: resolve its folder */
        char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        size_t folder_len = slash == path ? 1 : slash ? (size_t) (slash - path) : 0;
        char *folder = ctn_cstring(slash ? (ctn_str){path, folder_len} : CTN_STR("."));
        char *folder_real = realpath(folder, NULL);
        if (!folder_real) {
            ctn_fail(err, errno == EACCES ? CTN_E_DENIED : CTN_E_NOT_FOUND, "the folder %s of the store %s: %s", folder,
                     path, strerror(errno));
        } else if (asprintf(&real, "%s/%s", folder_real, name) < 0)
            real = NULL;
        free(folder_real);
        free(folder);
    }
    char *lock = NULL;
    if (real && asprintf(&lock, "%s-lock", real) < 0)
        lock = NULL;
    free(real);
    free(path);
    return lock;
}

static int fail_busy(int fd, ctn_str file, ctn_err *err)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    ctn_str pid = ctn_str_trim((ctn_str){text, n > 0 ? (size_t) n : 0});
    if (pid.len == 0)
        return ctn_fail(err, CTN_E_BUSY, "the store %.*s is in use by another process", CTN_STR_ARG(file));
    return ctn_fail(err, CTN_E_BUSY, "the store %.*s is in use by process %.*s", CTN_STR_ARG(file), CTN_STR_ARG(pid));
}

static int lock_byte(int fd, int command, int byte)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int rc;
    do
        rc = fcntl(fd, command, &range);
    while (rc < 0 && errno == EINTR);
    return rc;
}

static bool is_owner_alive(int life_fd)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LIFE_BYTE, .l_len = 1};
    return fcntl(life_fd, F_OFD_GETLK, &range) < 0 || range.l_type != F_UNLCK;
}

/* 0, or -1 with errno. */
static int take_ownership(int fd, int life_fd)
{
    for (int waited_us = 0; lock_byte(fd, F_OFD_SETLK, OWNERSHIP_BYTE) < 0; waited_us += ENDING_LOOK_US) {
        int error = errno;
        bool is_taken = error == EAGAIN || error == EACCES;
        if (!is_taken || is_owner_alive(life_fd) || waited_us > ENDING_WAIT_MAX_US) {
            errno = error;
            return -1;
        }
        (void) usleep((useconds_t) ENDING_LOOK_US);
    }
    return lock_byte(life_fd, F_OFD_SETLKW, LIFE_BYTE); /* a dying owner's descriptors are closed one after the other */
}

int ctn_store_lock_take(const char *url, ctn_store_lock **ret_lock, ctn_err *err)
{
    ctn_str file = ctn_store_url_file(url);
    int rc = ctn_store_url_check(url, err);
    int fd = -1, life_fd = -1;
    char *path = NULL;
    ctn_err path_err = {0};
    if (rc)
        goto done;
    if (file.len == 0)
        goto taken;
    path = lock_path(file, &path_err);
    if (!path) {
        rc = path_err.code ? path_err.code : CTN_E_IO;
        if (err)
            *err = path_err;
        goto done;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd >= 0)
        life_fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (life_fd < 0) {
        rc = ctn_fail(err,
                      errno == ENOENT                     ? CTN_E_NOT_FOUND
                      : errno == EACCES || errno == EROFS ? CTN_E_DENIED
                                                          : CTN_E_IO,
                      "the lock file %s: %s", path, strerror(errno));
        goto done;
    }
    if (take_ownership(fd, life_fd) < 0) {
        rc = errno == EAGAIN || errno == EACCES ? fail_busy(fd, file, err)
                                                : ctn_fail(err, CTN_E_IO, "locking %s: %s", path, strerror(errno));
        goto done;
    }
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long) getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t) len, 0) != len) {
        rc = ctn_fail(err, CTN_E_IO, "writing the owner into %s: %s", path, strerror(errno));
        goto done;
    }
taken:;
    ctn_store_lock *lock = ctn_malloc(sizeof *lock);
    *lock = (ctn_store_lock){.fd = fd, .life_fd = life_fd};
    fd = life_fd = -1;
    *ret_lock = lock;
done:
    if (life_fd >= 0)
        close(life_fd);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

int ctn_store_lock_fd(const ctn_store_lock *lock)
{
    return lock->fd;
}

void ctn_store_lock_release(ctn_store_lock *lock)
{
    if (!lock)
        return;
    if (lock->fd >= 0) {
        (void) !ftruncate(lock->fd, 0); /* a courtesy: nobody trusts the text */
        close(lock->life_fd);
        close(lock->fd);
    }
    free(lock);
}
