/*
 * project.c -- writes a project into a folder, or leaves the folder as it was. See project.h.
 */
#include "cli/project.h"
#include "base/buf.h"
#include "host/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED_MAX 5 /* of the files in the way */

/* What this run has made, to be taken back, latest first. */
typedef struct made {
    const char **paths; /* folders end with a slash */
    size_t count, capacity;
} made;

static void made_add(ctn_arena *arena, made *m, const char *path)
{
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 64;
        const char **paths = ctn_arena_alloc(arena, capacity * sizeof *paths);
        if (m->count)
            memcpy(paths, m->paths, m->count * sizeof *paths);
        m->paths = paths;
        m->capacity = capacity;
    }
    m->paths[m->count++] = path;
}

static void take_back(made *m)
{
    while (m->count > 0) {
        const char *path = m->paths[--m->count];
        (void) (path[strlen(path) - 1] == '/' ? rmdir(path) : unlink(path));
    }
}

static int fail_write(const char *path, ctn_err *err)
{
    return ctn_fail(err, CTN_E_IO, "%s cannot be made: %s; nothing was written", path,
                    errno == EEXIST || errno == ENOTDIR ? "a file is in the way" : strerror(errno));
}

/* The folders that lead to `path`, and the path itself when it ends with a slash. */
static int make_folders(ctn_arena *arena, ctn_str path, made *m, ctn_err *err)
{
    for (size_t i = 1; i < path.len; i++) {
        if (path.ptr[i] != '/')
            continue;
        ctn_str folder = ctn_arena_str(arena, (ctn_str){path.ptr, i + 1});
        if (mkdir(folder.ptr, 0777) == 0)
            made_add(arena, m, folder.ptr);
        else if (errno != EEXIST || !ctn_file_is_folder(arena, folder))
            return fail_write(folder.ptr, err);
    }
    return CTN_OK;
}

static int write_file(ctn_arena *arena, const char *path, ctn_str text, made *m, ctn_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_write(path, err);
    made_add(arena, m, path);
    bool is_whole = ctn_file_write_all(fd, text) == 0;
    is_whole = close(fd) == 0 && is_whole;
    return is_whole ? CTN_OK : fail_write(path, err);
}

/* Also a link that leads nowhere is in the way. */
static bool is_taken(ctn_str path)
{
    struct stat st;
    return lstat(path.ptr, &st) == 0;
}

static int look(ctn_arena *arena, ctn_str folder, ctn_project *project, ctn_err *err)
{
    ctn_str taken[NAMED_MAX];
    size_t count = 0;
    for (size_t i = 0; i < project->count; i++) {
        ctn_project_file *f = &project->files[i];
        bool is_there = is_taken(ctn_path_join(arena, folder, f->path));
        f->was_there = is_there && f->may_be_there;
        if (is_there && !f->may_be_there && ++count <= NAMED_MAX)
            taken[count - 1] = ctn_path_join(arena, folder, f->path);
    }
    if (count == 0)
        return CTN_OK;
    size_t named = count < NAMED_MAX ? count : NAMED_MAX;
    ctn_str rest = count > named ? ctn_arena_printf(arena, " and %zu more", count - named) : CTN_STR("");
    ctn_buf names;
    ctn_buf_init(&names, 65536);
    for (size_t i = 0; i < named; i++)
        ctn_buf_printf(&names, "%s%.*s", i ? ", " : "", CTN_STR_ARG(taken[i]));
    int rc = ctn_fail(err, CTN_E_EXISTS, "there %s already: %.*s%.*s; nothing was written: name another folder",
                      count == 1 ? "is a file" : "are files", CTN_STR_ARG(ctn_buf_str(&names)), CTN_STR_ARG(rest));
    ctn_buf_done(&names);
    return rc;
}

int ctn_project_write(ctn_arena *arena, ctn_str folder, ctn_project *project, ctn_err *err)
{
    made m = {0};
    int rc = look(arena, folder, project, err);
    if (rc)
        return rc;
    rc = make_folders(arena, ctn_arena_printf(arena, "%.*s/", CTN_STR_ARG(folder)), &m, err);
    for (size_t i = 0; rc == CTN_OK && i < project->count; i++) {
        ctn_project_file *f = &project->files[i];
        ctn_str path = ctn_path_join(arena, folder, f->path);
        if (f->was_there)
            continue;
        rc = make_folders(arena, path, &m, err);
        if (rc == CTN_OK)
            rc = write_file(arena, path.ptr, f->text, &m, err);
    }
    if (rc)
        take_back(&m);
    return rc;
}
