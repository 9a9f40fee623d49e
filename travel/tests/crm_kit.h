/* crm_kit.h -- what the tests of the CRM share: a folder with a CRM, its tools by name, JSON in single quotes, a look
 * into the file. */
#pragma once

#include "support.h"

#include <sqlite3.h>

typedef struct desk {
    char folder[64], crm[96];
    ctn_arena *arena;
    travel_tools tools;
} desk;

static inline void desk_open(desk *d)
{
    snprintf(d->folder, sizeof d->folder, "/tmp/catena-travel-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->crm, sizeof d->crm, "%s/crm.db", d->folder);
    d->arena = ctn_arena_new(1 << 16);
    d->tools = tools_for_test(d->crm);
}

/* As if another process came. */
static inline void desk_reopen(desk *d)
{
    travel_tools_done(&d->tools);
    d->tools = tools_for_test(d->crm);
}

static inline void desk_close(desk *d)
{
    static const char *const ENDS[] = {"", "-wal", "-shm"};
    char path[128];
    travel_tools_done(&d->tools);
    ctn_arena_free(d->arena);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", d->crm, ENDS[i]);
        (void) unlink(path);
    }
    assert_int_equal(rmdir(d->folder), 0);
}

/* {'a': 'it`s'}: an apostrophe is a double quote, a grave accent an apostrophe. */
static inline const ctn_json *quoted(ctn_arena *arena, const char *text)
{
    ctn_str copy = ctn_arena_str(arena, ctn_str_from(text));
    char *bytes = (char *) (uintptr_t) copy.ptr;
    for (size_t i = 0; i < copy.len; i++)
        bytes[i] = (char) (bytes[i] == '\'' ? '"' : bytes[i] == '`' ? '\'' : bytes[i]);
    return json_from(arena, copy);
}

static inline const ctn_json *call(desk *d, const char *tool, const char *arguments)
{
    return result_of(&d->tools, tool, d->arena, quoted(d->arena, arguments));
}

/* The tool must fail with this code and a sentence that has this part. */
static inline void refused(desk *d, const char *tool, const char *arguments, int code, const char *part)
{
    const ctn_json *result;
    ctn_err err = {0};
    assert_int_equal(run_tool(&d->tools, tool, d->arena, quoted(d->arena, arguments), &result, &err), code);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static inline ctn_str text_of(const ctn_json *v, const char *pointer)
{
    return ctn_json_text(ctn_json_pointer(v, ctn_str_from(pointer)));
}

static inline void assert_text(const ctn_json *v, const char *pointer, const char *expected)
{
    ctn_str text = text_of(v, pointer);
    if (!ctn_str_is(text, expected))
        fail_msg("%s is \"%.*s\", not \"%s\"", pointer, CTN_STR_ARG(text), expected);
}

/* The only integer that the query gives, by a connection of its own. */
static inline int64_t number_in(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) != SQLITE_OK || sqlite3_step(query) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t number = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return number;
}
