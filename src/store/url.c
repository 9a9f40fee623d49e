/*
 * url.c -- see url.h. Options stand behind the last `?` of the last part of the path, so that a folder may have one in
 * its name; a file may not, for then nobody could say which is meant.
 */
#include "store/url.h"

static const char forms[] = "a store is sqlite:FILE, memory:NAME or the path of a file";
static const char caution[] = "synchronous=normal: may lose the last moments on power loss";

enum { CHECKPOINT_PAGES_MIN = 8, CHECKPOINT_PAGES_MAX = 1000000 };

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

static int read_kind(ctn_str url, ctn_url_kind *ret_kind, ctn_str *ret_rest, ctn_err *err)
{
    ctn_str scheme = scheme_of(url);
    *ret_kind = CTN_URL_SQLITE;
    *ret_rest = scheme.len ? ctn_str_from_offset(url, scheme.len + 1) : url;
    if (ctn_str_is(scheme, "memory")) {
        *ret_kind = CTN_URL_MEMORY;
    } else if (ctn_str_is(scheme, "postgres") || ctn_str_is(scheme, "postgresql")) {
        return ctn_fail(err, CTN_E_UNSUPPORTED, "this version of catena has no PostgreSQL store yet; use sqlite:FILE");
    } else if (scheme.len && !ctn_str_is(scheme, "sqlite")) {
        static const ctn_str names[] = {{"sqlite", 6}, {"memory", 6}, {"postgres", 8}};
        ctn_str near = ctn_str_nearest(scheme, names, sizeof names / sizeof names[0]);
        if (near.len)
            return ctn_fail(err, CTN_E_INVALID, "no store is called \"%.*s\"; did you mean \"%.*s:\"? (%s)",
                            CTN_STR_ARG(scheme), CTN_STR_ARG(near), forms);
        return ctn_fail(err, CTN_E_INVALID, "no store is called \"%.*s\": %s (a file with a colon in its name: ./%.*s)",
                        CTN_STR_ARG(scheme), forms, CTN_STR_ARG(url));
    }
    return CTN_OK;
}

static int read_option(ctn_str option, ctn_sqlite_options *options, ctn_err *err)
{
    static const ctn_str names[] = {{"synchronous", 11}, {"checkpoint", 10}};
    static const char known[] = "synchronous=full|normal, checkpoint=PAGES";
    size_t equals = ctn_str_find(option, CTN_STR("="));
    ctn_str name = equals == SIZE_MAX ? option : (ctn_str){option.ptr, equals};
    ctn_str value = equals == SIZE_MAX ? CTN_STR("") : ctn_str_from_offset(option, equals + 1);
    int64_t pages = 0;
    if (ctn_str_is(name, "synchronous")) {
        options->is_normal = ctn_str_is(value, "normal");
        return options->is_normal || ctn_str_is(value, "full")
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
        options->checkpoint_pages = (int) pages;
        return CTN_OK;
    }
    ctn_str near = ctn_str_nearest(name, names, sizeof names / sizeof names[0]);
    if (near.len)
        return ctn_fail(err, CTN_E_INVALID, "a store has no option \"%.*s\"; did you mean \"%.*s\"? (%s)",
                        CTN_STR_ARG(name), CTN_STR_ARG(near), known);
    return ctn_fail(err, CTN_E_INVALID, "a store has no option \"%.*s\"; behind a ? stand %s", CTN_STR_ARG(name),
                    known);
}

static int read_options(ctn_str *rest, ctn_sqlite_options *options, ctn_err *err)
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
        rc = read_option(end == SIZE_MAX ? all : (ctn_str){all.ptr, end}, options, err);
        all = end == SIZE_MAX ? CTN_STR("") : ctn_str_from_offset(all, end + 1);
    } while (rc == CTN_OK && all.len);
    return rc;
}

int ctn_url_parse(const char *url, ctn_url *ret_url, ctn_err *err)
{
    ctn_str text = ctn_str_from(url), rest = {0};
    ctn_url_kind kind;
    ctn_sqlite_options options = {0};
    if (text.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the store's URL is empty: %s", forms);
    int rc = read_kind(text, &kind, &rest, err);
    if (rc == CTN_OK && kind == CTN_URL_SQLITE && rest.ptr != text.ptr) /* a bare path is a path */
        rc = read_options(&rest, &options, err);
    if (rc)
        return rc;
    if (rest.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "\"%s\" names no %s: %s", url, kind == CTN_URL_MEMORY ? "store" : "file",
                        forms);
    if (rest.len >= sizeof ret_url->name)
        return ctn_fail(err, CTN_E_INVALID, "the store's name has %zu bytes; at most %zu", rest.len,
                        sizeof ret_url->name - 1);
    ret_url->kind = kind;
    ret_url->sqlite = options;
    ret_url->name_at = (size_t) (rest.ptr - text.ptr);
    memcpy(ret_url->name, rest.ptr, rest.len);
    ret_url->name[rest.len] = '\0';
    return CTN_OK;
}

int ctn_store_url_check(const char *url, ctn_err *err)
{
    ctn_url ignored;
    return ctn_url_parse(url, &ignored, err);
}

ctn_str ctn_store_url_file(const char *url)
{
    ctn_url parsed;
    if (ctn_url_parse(url, &parsed, NULL) || parsed.kind != CTN_URL_SQLITE)
        return (ctn_str){NULL, 0};
    return (ctn_str){url + parsed.name_at, strlen(parsed.name)};
}

const char *ctn_store_url_caution(const char *url)
{
    ctn_url parsed;
    return ctn_url_parse(url, &parsed, NULL) == CTN_OK && parsed.sqlite.is_normal ? caution : NULL;
}
