/*
 * url.c -- see url.h.
 *
 * A URL may hold a password, and libpq repeats what it could not read: so its sentences are not told, except for the
 * name of a parameter that it does not know.
 */
#include "store/postgres/url.h"
#include "base/buf.h"
#include "base/memory.h"
#include "store/backend.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#define FORM "postgres://USER@HOST:PORT/DATABASE"

static bool is_name(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len > 0 && s.len < 64;
}

/* *ret_is_ours false: it is libpq's. */
static int read_parameter(ctn_str name, ctn_str value, pg_url *url, bool *ret_is_ours, ctn_err *err)
{
    int64_t shards = 0;
    *ret_is_ours = true;
    if (ctn_str_is(name, "schema")) {
        if (!is_name(value) || ctn_str_starts_with(value, CTN_STR("pg_")))
            return ctn_fail(err, CTN_E_INVALID,
                            "the store's option `schema` is a name of small letters, digits and _, and not \"%.*s\"",
                            CTN_STR_ARG(value));
        memcpy(url->schema, value.ptr, value.len);
        url->schema[value.len] = '\0';
    } else if (ctn_str_is(name, "shards")) {
        if (!ctn_str_to_int64(value, &shards) || shards < 1 || shards > CTN_SHARDS_MAX)
            return ctn_fail(err, CTN_E_INVALID,
                            "the store's option `shards` is a number from 1 to %d, and not \"%.*s\"", CTN_SHARDS_MAX,
                            CTN_STR_ARG(value));
        url->shards = (uint32_t) shards;
    } else if (ctn_str_is(name, "pooler")) {
        url->is_pooled = ctn_str_is(value, "transaction");
        if (!url->is_pooled && !ctn_str_is(value, "session"))
            return ctn_fail(err, CTN_E_INVALID,
                            "the store's option `pooler` is transaction or session, and not \"%.*s\"",
                            CTN_STR_ARG(value));
    } else {
        *ret_is_ours = false;
    }
    return CTN_OK;
}

/* What is left of the URL without our own parameters, into conninfo. */
static int take_ours(ctn_str text, pg_url *url, ctn_buf *conninfo, ctn_err *err)
{
    size_t question = ctn_str_find(text, CTN_STR("?"));
    ctn_str rest = question == SIZE_MAX ? (ctn_str){NULL, 0} : ctn_str_from_offset(text, question + 1);
    char before = '?';
    ctn_buf_append(conninfo, question == SIZE_MAX ? text : (ctn_str){text.ptr, question});
    while (rest.ptr && rest.len) {
        bool is_ours = false;
        ctn_str parameter = ctn_str_cut(&rest, '&'), value = parameter;
        ctn_str name = ctn_str_cut(&value, '=');
        int rc = read_parameter(name, value, url, &is_ours, err);
        if (rc)
            return rc;
        if (!is_ours) {
            ctn_buf_append_char(conninfo, before);
            ctn_buf_append(conninfo, parameter);
            before = '&';
        }
    }
    ctn_buf_append_char(conninfo, '\0');
    return CTN_OK;
}

static int fail_unread(const char *said, ctn_err *err)
{
    static const char UNKNOWN[] = "invalid URI query parameter: \"";
    const char *name = said ? strstr(said, UNKNOWN) : NULL;
    if (!name)
        return ctn_fail(err, CTN_E_INVALID, "this is no URL of PostgreSQL; one looks like " FORM);
    ctn_str rest = ctn_str_from(name + sizeof UNKNOWN - 1);
    ctn_str word = ctn_str_cut(&rest, '"');
    static const char *const known[] = {"schema",  "shards",          "pooler",   "sslmode",
                                        "service", "connect_timeout", "passfile", "sslrootcert"};
    ctn_str names[sizeof known / sizeof known[0]];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        names[i] = ctn_str_from(known[i]);
    ctn_str near = ctn_str_nearest(word, names, sizeof known / sizeof known[0]);
    if (near.len)
        return ctn_fail(err, CTN_E_INVALID, "a store on PostgreSQL has no option \"%.*s\"; did you mean \"%.*s\"?",
                        CTN_STR_ARG(word), CTN_STR_ARG(near));
    return ctn_fail(err, CTN_E_INVALID,
                    "a store on PostgreSQL has no option \"%.*s\"; behind a ? stand schema=, shards=, pooler= and what "
                    "libpq takes",
                    CTN_STR_ARG(word));
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && *options->val ? options->val : NULL;
    return NULL;
}

static void append_hosts(ctn_buf *text, const char *hosts, const char *ports)
{
    ctn_str host = ctn_str_from(hosts), port = ctn_str_from(ports);
    for (bool is_first = true; host.ptr; is_first = false) {
        ctn_str one = ctn_str_cut(&host, ','), its_port = port.ptr ? ctn_str_cut(&port, ',') : (ctn_str){NULL, 0};
        ctn_buf_printf(text, "%s%.*s%s%.*s", is_first ? "" : ",", CTN_STR_ARG(one), its_port.len ? ":" : "",
                       CTN_STR_ARG(its_port));
    }
}

static char *make_shown(const PQconninfoOption *options, const pg_url *url)
{
    const char *user = option(options, "user"), *host = option(options, "host"), *port = option(options, "port");
    const char *database = option(options, "dbname"), *service = option(options, "service");
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_buf_printf(&text, "postgres://%s%s", user ? user : "", user ? "@" : "");
    if (host || option(options, "hostaddr"))
        append_hosts(&text, host ? host : option(options, "hostaddr"), port ? port : "");
    ctn_buf_printf(&text, "/%s", database ? database : "");
    char before = '?';
    if (service) {
        ctn_buf_printf(&text, "%cservice=%s", before, service);
        before = '&';
    }
    if (strcmp(url->schema, "catena") != 0)
        ctn_buf_printf(&text, "%cschema=%s", before, url->schema);
    char *shown = ctn_cstring(ctn_buf_str(&text));
    ctn_buf_done(&text);
    return shown;
}

int ctn_pg_url_read(const char *url, pg_url *ret_url, ctn_err *err)
{
    pg_url read = {.schema = "catena"};
    ctn_buf conninfo;
    ctn_buf_init(&conninfo, 16384);
    int rc = take_ours(ctn_str_from(url), &read, &conninfo, err);
    if (rc == CTN_OK && (conninfo.overflowed || !strstr(url, "://")))
        rc = fail_unread(NULL, err);
    char *said = NULL;
    PQconninfoOption *options = rc == CTN_OK ? PQconninfoParse(conninfo.data, &said) : NULL;
    if (rc == CTN_OK && !options)
        rc = fail_unread(said, err);
    if (rc == CTN_OK) {
        read.conninfo = ctn_cstring((ctn_str){conninfo.data, conninfo.len - 1});
        read.shown = make_shown(options, &read);
        *ret_url = read;
    }
    PQconninfoFree(options);
    PQfreemem(said);
    ctn_buf_done(&conninfo);
    return rc;
}

void ctn_pg_url_done(pg_url *url)
{
    free(url->conninfo);
    free(url->shown);
    *url = (pg_url){0};
}

int ctn_pg_url_check(const char *url, ctn_err *err)
{
    pg_url read;
    int rc = ctn_pg_url_read(url, &read, err);
    if (rc == CTN_OK)
        ctn_pg_url_done(&read);
    return rc;
}

void ctn_pg_url_shown(const char *url, char *ret_text, size_t size)
{
    pg_url read;
    if (ctn_pg_url_read(url, &read, NULL) == CTN_OK) {
        snprintf(ret_text, size, "%s", read.shown);
        ctn_pg_url_done(&read);
    } else {
        snprintf(ret_text, size, "postgres://...");
    }
}
