/*
 * files.c -- see files.h.
 */
#include "host/files.h"
#include "base/buf.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEIGHBOURS_MAX 1000
#define READ_BYTES     65536

static const char *c_text(ctn_arena *arena, ctn_str s)
{
    return ctn_arena_str(arena, s).ptr;
}

bool ctn_file_is_there(ctn_arena *arena, ctn_str path)
{
    struct stat st;
    return stat(c_text(arena, path), &st) == 0;
}

bool ctn_file_is_folder(ctn_arena *arena, ctn_str path)
{
    struct stat st;
    return stat(c_text(arena, path), &st) == 0 && S_ISDIR(st.st_mode);
}

ctn_str ctn_path_folder(ctn_arena *arena, ctn_str path)
{
    for (size_t i = path.len; i-- > 0;)
        if (path.ptr[i] == '/')
            return i == 0 ? CTN_STR("/") : ctn_arena_str(arena, (ctn_str){path.ptr, i});
    return CTN_STR(".");
}

ctn_str ctn_path_join(ctn_arena *arena, ctn_str folder, ctn_str path)
{
    if ((path.len && path.ptr[0] == '/') || ctn_str_is(folder, ".") || folder.len == 0)
        return ctn_arena_str(arena, path);
    bool has_slash = folder.ptr[folder.len - 1] == '/';
    return ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(folder), has_slash ? "" : "/", CTN_STR_ARG(path));
}

ctn_str ctn_path_real(ctn_arena *arena, ctn_str path)
{
    char real[PATH_MAX];
    if (realpath(c_text(arena, path), real))
        return ctn_arena_str(arena, ctn_str_from(real));
    ctn_str folder = ctn_path_folder(arena, path);
    if (!realpath(c_text(arena, folder), real))
        return (ctn_str){0};
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    ctn_str name = ctn_str_from_offset(path, slash);
    return ctn_path_join(arena, ctn_arena_str(arena, ctn_str_from(real)), name);
}

ctn_str ctn_path_of_program_folder(ctn_arena *arena)
{
    char real[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", real, sizeof real);
    return n > 0 ? ctn_path_folder(arena, (ctn_str){real, (size_t) n}) : (ctn_str){0};
}

static bool is_program(ctn_arena *arena, ctn_str path)
{
    return access(c_text(arena, path), X_OK) == 0 && !ctn_file_is_folder(arena, path);
}

ctn_str ctn_path_in_path(ctn_arena *arena, ctn_str command)
{
    ctn_str rest = ctn_str_from(getenv("PATH"));
    while (rest.ptr) {
        ctn_str in = ctn_str_cut(&rest, ':');
        ctn_str path = in.len ? ctn_path_join(arena, in, command) : (ctn_str){0};
        if (in.len && is_program(arena, path))
            return path;
    }
    return (ctn_str){0};
}

ctn_str ctn_path_of_command(ctn_arena *arena, ctn_str folder, ctn_str command)
{
    if (memchr(command.ptr, '/', command.len)) {
        ctn_str real = ctn_path_real(arena, ctn_path_join(arena, folder, command));
        return real.len && is_program(arena, real) ? real : (ctn_str){0};
    }
    ctn_str in_path = ctn_path_in_path(arena, command);
    if (in_path.len)
        return ctn_path_real(arena, in_path);
    ctn_str beside = ctn_path_join(arena, ctn_path_of_program_folder(arena), command);
    return is_program(arena, beside) ? beside : (ctn_str){0};
}

static void close_folder(void *dir)
{
    closedir(dir);
}

/* The name in the folder that is nearest to the one that is not there. */
static ctn_str nearest_file(ctn_arena *arena, ctn_str path)
{
    ctn_str folder = ctn_path_folder(arena, path), names[NEIGHBOURS_MAX];
    ctn_str name = ctn_str_is(folder, ".") ? path : ctn_str_from_offset(path, folder.len + (folder.len > 1));
    if (ctn_str_starts_with(name, CTN_STR("./")))
        name = ctn_str_from_offset(name, 2);
    size_t count = 0;
    DIR *dir = opendir(c_text(arena, folder));
    ctn_cleanup cleanup;
    if (dir)
        ctn_cleanup_push(&cleanup, close_folder, dir);
    for (struct dirent *e; dir && count < NEIGHBOURS_MAX && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            names[count++] = ctn_arena_str(arena, ctn_str_from(e->d_name));
    if (dir) {
        ctn_cleanup_pop(&cleanup);
        closedir(dir);
    }
    ctn_str near = ctn_str_nearest(name, names, count);
    return near.len ? ctn_path_join(arena, folder, near) : near;
}

static int fail_open(ctn_arena *arena, ctn_str path, int error, ctn_err *err)
{
    if (error == EACCES || error == EPERM)
        return ctn_fail(err, CTN_E_DENIED, "%.*s cannot be read: permission denied", CTN_STR_ARG(path));
    if (error != ENOENT && error != ENOTDIR)
        return ctn_fail(err, CTN_E_IO, "%.*s cannot be read: %s", CTN_STR_ARG(path), strerror(error));
    ctn_str near = nearest_file(arena, path);
    if (near.len)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no file %.*s; did you mean %.*s?", CTN_STR_ARG(path),
                        CTN_STR_ARG(near));
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no file %.*s", CTN_STR_ARG(path));
}

typedef struct reading {
    ctn_arena *arena;
    ctn_str path, text;
    ctn_err *err;
} reading;

static void close_file(void *fd)
{
    close(*(const int *) fd);
}

static int read_whole(void *ctx)
{
    reading *r = ctx;
    ctn_arena *arena = r->arena;
    ctn_str path = r->path;
    ctn_err *err = r->err;
    ctn_cleanup cleanup;
    bool is_stdin = ctn_str_is(path, "-");
    ctn_str shown = is_stdin ? CTN_STR("standard input") : path;
    int rc = CTN_OK;
    ctn_buf text;
    ctn_buf_init(&text, CTN_FILE_BYTES_MAX);
    int fd = is_stdin ? dup(0) : open(c_text(arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        rc = fail_open(arena, shown, errno, err);
        goto done;
    }
    ctn_cleanup_push(&cleanup, close_file, &fd);
    struct stat st;
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!is_file)
        text.limit_bytes = CTN_PIPE_BYTES_MAX;
    for (;;) {
        bool is_too_large = is_file && st.st_size > (off_t) CTN_FILE_BYTES_MAX;
        char *room = is_too_large ? NULL : ctn_buf_reserve(&text, READ_BYTES);
        if (!room) {
            rc = ctn_fail(err, CTN_E_LIMIT, "%.*s is larger than the %zu MiB that are read%s", CTN_STR_ARG(shown),
                          text.limit_bytes >> 20, is_file ? "" : " of what is no regular file");
            goto done;
        }
        ssize_t n = read(fd, room, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = errno == EISDIR
                     ? ctn_fail(err, CTN_E_INVALID, "%.*s is a folder, not a file", CTN_STR_ARG(shown))
                     : ctn_fail(err, CTN_E_IO, "%.*s cannot be read: %s", CTN_STR_ARG(shown), strerror(errno));
            goto done;
        }
        if (n == 0)
            break;
        text.len += (size_t) n;
    }
    r->text = ctn_arena_str(arena, ctn_buf_str(&text));
done:
    if (fd >= 0) {
        ctn_cleanup_pop(&cleanup);
        close(fd);
    }
    ctn_buf_done(&text);
    return rc;
}

int ctn_file_read(ctn_arena *arena, ctn_str path, ctn_str *ret_text, ctn_err *err)
{
    reading r = {.arena = arena, .path = path, .err = err};
    int rc = ctn_guarded(read_whole, &r, err);
    if (rc == CTN_OK)
        *ret_text = r.text;
    return rc;
}

int ctn_file_read_over(ctn_arena *arena, const ctn_overlay *overlay, ctn_str path, ctn_str *ret_text, ctn_err *err)
{
    ctn_str real = overlay ? ctn_path_real(arena, path) : (ctn_str){0};
    for (size_t i = 0; real.len && i < overlay->count; i++)
        if (ctn_str_equal(overlay->paths[i], real)) {
            *ret_text = overlay->texts[i];
            return CTN_OK;
        }
    return ctn_file_read(arena, path, ret_text, err);
}

int ctn_file_write_all(int fd, ctn_str text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            text = ctn_str_from_offset(text, (size_t) n);
    }
    return fsync(fd);
}

const char *ctn_file_write_beside(ctn_arena *arena, ctn_str path, unsigned mode, ctn_str text)
{
    char *name = (char *) ctn_arena_printf(arena, "%.*s.XXXXXX", CTN_STR_ARG(path)).ptr;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    bool is_whole = fchmod(fd, mode) == 0 && ctn_file_write_all(fd, text) == 0;
    is_whole = close(fd) == 0 && is_whole;
    if (is_whole)
        return name;
    int failure = errno;
    (void) unlink(name);
    errno = failure;
    return NULL;
}

int ctn_file_sync_folder(ctn_arena *arena, ctn_str path)
{
    int fd = open(c_text(arena, ctn_path_folder(arena, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return rc;
}

int ctn_file_replace(ctn_arena *arena, ctn_str path, ctn_str old_text, ctn_str new_text, ctn_err *err)
{
    ctn_str now = {0}, real = ctn_path_real(arena, path);
    struct stat st;
    int rc = ctn_file_read(arena, path, &now, err);
    if (rc)
        return rc;
    if (!ctn_str_equal(now, old_text))
        return ctn_fail(err, CTN_E_BUSY, "%.*s has changed meanwhile and was left alone; try again", CTN_STR_ARG(path));
    const char *name =
        stat(c_text(arena, real), &st) == 0 ? ctn_file_write_beside(arena, real, st.st_mode & 07777, new_text) : NULL;
    if (name && rename(name, c_text(arena, real)) == 0)
        return CTN_OK;
    rc = ctn_fail(err, CTN_E_IO, "%.*s cannot be written: %s", CTN_STR_ARG(path), strerror(errno));
    if (name)
        (void) unlink(name);
    return rc;
}
