/*
 * url.c -- see url.h. Options stand behind the last `?` of the last part of the path, so that a folder may have one in
 * its name; a file may not, for then nobody could say which is meant. A bare path is a path, and has none.
 */
#include "store/sqlite/url.h"

static const char CAUTION[] = "synchronous=normal: may lose the last moments on power loss";

enum { CHECKPOINT_PAGES_MIN = 8, CHECKPOINT_PAGES_MAX = 1000000 };

static int read_option(ctn_str option, sqlite_url *url, ctn_err *err)
{
    static const ctn_str names[] = {{"synchronous", 11}, {"checkpoint", 10}};
    static const char known[] = "synchronous=full|normal, checkpoint=PAGES";
    size_t equals = ctn_str_find(option, CTN_STR("="));
    ctn_str name = equals == SIZE_MAX ? option : (ctn_str){option.ptr, equals};
    ctn_str value = equals == SIZE_MAX ? CTN_STR("") : ctn_str_from_offset(option, equals + 1);
    int64_t pages = 0;
    if (ctn_str_is(name, "synchronous")) {
        url->is_normal = ctn_str_is(value, "normal");
        return url->is_normal || ctn_str_is(value, "full")
                   ? CTN_OK
                   : ctn_fail(err, CTN_E_INVALID,
                              "the store's option `synchronous` is full or normal (may lose the last moments on power "
                              "loss), and not \"%.*s\"",
                              CTN_STR_ARG(value));
    }
    if (ctn_str_is(name, "checkpoint")) {
        if (!ctn_str_to_int64(value, &pages) || pages < CHECKPOINT_PAGES_MIN || pages > CHECKPOINT_PAGES_MAX)
            return ctn_fail(err, CTN_E_INVALID,
                            "the store's option `checkpoint` is a number of pages from %d to %d, and not \"%.*s\"",
                            CHECKPOINT_PAGES_MIN, CHECKPOINT_PAGES_MAX, CTN_STR_ARG(value));
        url->checkpoint_pages = (int) pages;
        return CTN_OK;
    }
    ctn_str near = ctn_str_nearest(name, names, sizeof names / sizeof names[0]);
    if (near.len)
        return ctn_fail(err, CTN_E_INVALID, "a store has no option \"%.*s\"; did you mean \"%.*s\"? (%s)",
                        CTN_STR_ARG(name), CTN_STR_ARG(near), known);
    return ctn_fail(err, CTN_E_INVALID, "a store has no option \"%.*s\"; behind a ? stand %s", CTN_STR_ARG(name),
                    known);
}

static int read_options(ctn_str *rest, sqlite_url *url, ctn_err *err)
{
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != '/' && rest->ptr[at - 1] != '?')
        at--;
    if (at == 0 || rest->ptr[at - 1] == '/')
        return CTN_OK;
    ctn_str all = ctn_str_from_offset(*rest, at);
    rest->len = at - 1;
    int rc = CTN_OK;
    do {
        size_t end = ctn_str_find(all, CTN_STR("&"));
        rc = read_option(end == SIZE_MAX ? all : (ctn_str){all.ptr, end}, url, err);
        all = end == SIZE_MAX ? CTN_STR("") : ctn_str_from_offset(all, end + 1);
    } while (rc == CTN_OK && all.len);
    return rc;
}

int ctn_sqlite_url_read(const char *url, sqlite_url *ret_url, ctn_err *err)
{
    ctn_str text = ctn_str_from(url), scheme = CTN_STR("sqlite:"), rest = text;
    sqlite_url read = {0};
    if (ctn_str_starts_with(text, scheme)) {
        rest = ctn_str_from_offset(text, scheme.len);
        int rc = read_options(&rest, &read, err);
        if (rc)
            return rc;
    }
    if (rest.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "\"%s\" names no file: write sqlite:FILE", url);
    if (rest.len >= sizeof read.path)
        return ctn_fail(err, CTN_E_INVALID, "the store's name has %zu bytes; at most %zu", rest.len,
                        sizeof read.path - 1);
    read.path_at = (size_t) (rest.ptr - text.ptr);
    memcpy(read.path, rest.ptr, rest.len);
    *ret_url = read;
    return CTN_OK;
}

int ctn_sqlite_url_check(const char *url, ctn_err *err)
{
    sqlite_url ignored;
    return ctn_sqlite_url_read(url, &ignored, err);
}

ctn_str ctn_sqlite_url_file(const char *url)
{
    sqlite_url read;
    if (ctn_sqlite_url_read(url, &read, NULL))
        return (ctn_str){NULL, 0};
    return (ctn_str){url + read.path_at, strlen(read.path)};
}

const char *ctn_sqlite_url_caution(const char *url)
{
    sqlite_url read;
    return ctn_sqlite_url_read(url, &read, NULL) == CTN_OK && read.is_normal ? CAUTION : NULL;
}
