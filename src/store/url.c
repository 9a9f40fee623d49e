/*
 * url.c -- which backend a URL names, and what is asked of a store before there is a handle on it.
 *
 * A URL begins with the scheme of its backend; one without is the path of a file, and SQLite's. What stands behind the
 * scheme is the backend's to read.
 */
#include "store/backend.h"
#include "store/memory/memory.h"
#include "store/postgres/postgres.h"
#include "store/split/split.h"
#include "store/sqlite/sqlite.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The first one is that of a bare path. */
static const ctn_backend *const BACKENDS[] = {&ctn_sqlite_backend, &ctn_postgres_backend, &ctn_split_backend,
                                              &ctn_memory_backend};
enum { BACKEND_COUNT = sizeof BACKENDS / sizeof BACKENDS[0] };

/* The part before the first colon when it could be a scheme: a letter, then at least one letter, digit, '+', '-',
 * '.'. A path with a slash before its colon is a path. */
static ctn_str scheme_of(ctn_str url)
{
    size_t colon = ctn_str_find(url, CTN_STR(":"));
    if (colon == SIZE_MAX || colon < 2)
        return (ctn_str){NULL, 0};
    for (size_t i = 0; i < colon; i++) {
        char c = url.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_other))
            return (ctn_str){NULL, 0};
    }
    return (ctn_str){url.ptr, colon};
}

typedef struct sentence {
    char text[256];
} sentence;

/* "a store is sqlite:FILE, postgres://..., memory:NAME or the path of a file" */
static sentence what_a_store_is(void)
{
    sentence s;
    size_t len = (size_t) snprintf(s.text, sizeof s.text, "a store is ");
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        len += (size_t) snprintf(s.text + len, sizeof s.text - len, "%s%s", i ? ", " : "", BACKENDS[i]->form);
    snprintf(s.text + len, sizeof s.text - len, " or the path of a file");
    return s;
}

static int fail_scheme(ctn_str url, ctn_str scheme, ctn_err *err)
{
    ctn_str names[BACKEND_COUNT];
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        names[i] = ctn_str_from(BACKENDS[i]->scheme);
    ctn_str near = ctn_str_nearest(scheme, names, BACKEND_COUNT);
    if (near.len)
        return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" names no kind of store; did you mean \"%.*s:\"? (%s)",
                        CTN_STR_ARG(scheme), CTN_STR_ARG(near), what_a_store_is().text);
    return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" names no kind of store: %s (a file with a colon in its name: ./%.*s)",
                    CTN_STR_ARG(scheme), what_a_store_is().text, CTN_STR_ARG(url));
}

static int find_backend(const char *url, const ctn_backend **ret_backend, ctn_err *err)
{
    ctn_str text = ctn_str_from(url), scheme = scheme_of(text);
    const ctn_backend *backend = scheme.len ? NULL : BACKENDS[0];
    if (text.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the store's URL is empty: %s", what_a_store_is().text);
    for (size_t i = 0; i < BACKEND_COUNT && !backend; i++)
        if (ctn_str_is(scheme, BACKENDS[i]->scheme) || (BACKENDS[i]->alias && ctn_str_is(scheme, BACKENDS[i]->alias)))
            backend = BACKENDS[i];
    if (!backend)
        return fail_scheme(text, scheme, err);
    *ret_backend = backend;
    return CTN_OK;
}

int ctn_store_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    const ctn_backend *backend;
    int rc = find_backend(url, &backend, err);
    return rc ? rc : backend->open(url, mode, ret_store, err);
}

int ctn_store_url_check(const char *url, ctn_err *err)
{
    const ctn_backend *backend;
    int rc = find_backend(url, &backend, err);
    return rc ? rc : backend->check(url, err);
}

bool ctn_store_url_is_path(ctn_str url)
{
    return scheme_of(url).len == 0;
}

uint64_t ctn_store_file_key(const char *url)
{
    ctn_str file = ctn_store_url_file(url);
    struct stat info;
    char *path = ctn_cstring(file);
    bool is_there = file.len && stat(path, &info) == 0;
    free(path);
    return is_there ? (uint64_t) info.st_dev * 0x9E3779B97F4A7C15u ^ (uint64_t) info.st_ino : 0;
}

ctn_str ctn_store_url_file(const char *url)
{
    const ctn_backend *backend;
    return find_backend(url, &backend, NULL) == CTN_OK && backend->file ? backend->file(url) : (ctn_str){NULL, 0};
}

const char *ctn_store_url_caution(const char *url)
{
    const ctn_backend *backend;
    return find_backend(url, &backend, NULL) == CTN_OK && backend->caution ? backend->caution(url) : NULL;
}

bool ctn_store_url_is_fleet(const char *url)
{
    const ctn_backend *backend;
    return find_backend(url, &backend, NULL) == CTN_OK && backend->is_fleet && backend->is_fleet(url);
}

void ctn_store_url_shown(const char *url, char *ret_text, size_t size)
{
    const ctn_backend *backend;
    if (find_backend(url, &backend, NULL) == CTN_OK && backend->shown)
        backend->shown(url, ret_text, size);
    else
        (void) snprintf(ret_text, size, "%s", url);
}

int ctn_store_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    const ctn_backend *backend;
    int rc = find_backend(url, &backend, err);
    return rc ? rc : backend->version_read(url, ret_version, err);
}

int ctn_store_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err)
{
    const ctn_backend *backend;
    int rc = find_backend(url, &backend, err);
    if (rc)
        return rc;
    if (!options->path || !*options->path)
        return ctn_fail(err, CTN_E_INVALID, "a backup needs the name of a file");
    if (!backend->backup)
        return ctn_fail(err, CTN_E_UNSUPPORTED, "a %s store has no file to back up", backend->scheme);
    return backend->backup(url, options, ret_report, err);
}

/* Up to the last @ before the parameters: who has written / or @ into a password as they are is not betrayed by it. */
ctn_str ctn_store_url_without_password(ctn_arena *arena, ctn_str url)
{
    size_t at = ctn_str_find(url, CTN_STR("://"));
    if (at == SIZE_MAX)
        return url;
    ctn_str scheme = {url.ptr, at + 3}, rest = {url.ptr + at + 3, url.len - at - 3};
    ctn_str parameters = rest, place = ctn_str_cut(&parameters, '?');
    ctn_buf text;
    ctn_buf_init(&text, 2 * url.len + 16);
    ctn_buf_append(&text, scheme);
    size_t user_len = place.len;
    while (user_len > 0 && place.ptr[user_len - 1] != '@')
        user_len--;
    ctn_str user = {place.ptr, user_len}; /* with the @; empty: there is none */
    ctn_buf_append(&text, ctn_str_cut(&user, ':'));
    if (user.ptr)
        ctn_buf_append(&text, CTN_STR("@"));
    ctn_buf_append(&text, (ctn_str){place.ptr + user_len, place.len - user_len});
    for (char before = '?'; parameters.ptr;) {
        ctn_str one = ctn_str_cut(&parameters, '&'), value = one, name = ctn_str_cut(&value, '=');
        if (ctn_str_is(name, "password") || ctn_str_is(name, "sslpassword"))
            continue;
        ctn_buf_printf(&text, "%c%.*s", before, CTN_STR_ARG(one));
        before = '&';
    }
    ctn_str told = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return told;
}
