/*
 * source.c -- where a secret is read: a variable or a file, each time it is needed, as it may have been renewed.
 */
#include "oauth/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES_MAX = 64 * 1024 };

static int read_file(const char *path, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    ctn_buf text;
    ctn_buf_init(&text, SECRET_BYTES_MAX);
    struct stat st;
    int rc = CTN_OK, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "the file %s cannot be read: %s", path,
                      fd < 0 ? strerror(errno) : "it is no file");
    while (rc == CTN_OK) {
        char *to = ctn_buf_reserve(&text, 4096);
        ssize_t got = to ? read(fd, to, 4096) : -1;
        if (got == 0)
            break;
        if (got < 0)
            rc = ctn_fail(err, CTN_E_INVALID, "the file %s %s", path,
                          to ? strerror(errno) : "is larger than a secret is");
        else
            text.len += (size_t) got;
    }
    if (rc == CTN_OK)
        *ret_text = ctn_arena_str(arena, ctn_buf_str(&text));
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    ctn_buf_done(&text);
    if (fd >= 0)
        close(fd);
    return rc;
}

int ctn_auth_source_read(const ctn_auth_source *source, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    ctn_str text = {0};
    if (source->env) {
        const char *value = getenv(source->env);
        if (!value)
            return ctn_fail(err, CTN_E_NOT_FOUND, "the variable %s is not set", source->env);
        text = ctn_arena_str(arena, ctn_str_from(value));
    } else if (source->file) {
        int rc = read_file(source->file, arena, &text, err);
        if (rc)
            return rc;
    }
    text = ctn_str_trim(text);
    const char *kind = source->env ? "the variable" : "the file", *name = source->env ? source->env : source->file;
    if (!text.len)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%s %s is empty", kind, name ? name : "");
    *ret_text = text;
    return CTN_OK;
}
