/*
 * books.c -- see books.h.
 */
#include "booking/books.h"

#include "kit/database.h"

#include <assert.h>
#include <stdlib.h>

static int fail(travel_books *b, ctn_err *err)
{
    return ctn_fail(err, travel_database_code(b->db), "ledger %s: %s", b->path, sqlite3_errmsg(b->db));
}

static int execute(travel_books *b, const char *sql, ctn_err *err)
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CTN_OK : fail(b, err);
}

typedef struct tables {
    travel_books *b;
    const char *schema;
} tables;

static int make_tables(void *ctx, ctn_err *err)
{
    travel_books *b = ((const tables *) ctx)->b;
    int rc = execute(b, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err);
    if (!rc)
        rc = travel_books_begin(b, err);
    if (!rc)
        rc = execute(b, ((const tables *) ctx)->schema, err);
    if (!rc)
        rc = travel_books_commit(b, err);
    travel_books_rollback(b);
    return rc;
}

int travel_books_open(travel_books *b, const char *path, const char *schema, ctn_err *err)
{
    if (b->db)
        return CTN_OK;
    int rc = CTN_OK;
    free(b->path);
    b->path = strdup(path);
    assert(b->path);
    travel_database_make_private(path);
    if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
        rc = ctn_fail(err, CTN_E_IO, "ledger %s cannot be opened: does its folder exist, and may you write there?",
                      path);
    if (!rc) {
        sqlite3_busy_timeout(b->db, TRAVEL_DATABASE_BUSY_MS);
        rc = travel_database_prepare(make_tables, &(tables){b, schema}, TRAVEL_DATABASE_BUSY_MS, err);
    }
    if (rc)
        travel_books_close(b);
    return rc;
}

void travel_books_close(travel_books *b)
{
    sqlite3_close(b->db);
    free(b->path);
    *b = (travel_books){0};
}

int travel_books_begin(travel_books *b, ctn_err *err)
{
    return execute(b, "BEGIN IMMEDIATE", err);
}

int travel_books_commit(travel_books *b, ctn_err *err)
{
    return execute(b, "COMMIT", err);
}

void travel_books_rollback(travel_books *b)
{
    if (b->db && !sqlite3_get_autocommit(b->db))
        (void) sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
}

int travel_books_prepare(travel_books *b, const char *sql, const travel_books_values *values,
                         sqlite3_stmt **ret_statement, ctn_err *err)
{
    sqlite3_stmt *statement = NULL;
    int at = 1;
    if (sqlite3_prepare_v2(b->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(b, err);
    for (size_t i = 0; i < values->text_count; i++, at++) {
        ctn_str text = values->texts[i];
        int bound = text.ptr ? sqlite3_bind_text(statement, at, text.ptr, (int) text.len, SQLITE_TRANSIENT)
                             : sqlite3_bind_null(statement, at);
        assert(bound == SQLITE_OK);
    }
    for (size_t i = 0; i < values->integer_count; i++, at++) {
        int bound = sqlite3_bind_int64(statement, at, values->integers[i]);
        assert(bound == SQLITE_OK);
    }
    *ret_statement = statement;
    return CTN_OK;
}

int travel_books_step(travel_books *b, sqlite3_stmt *statement, ctn_err *err)
{
    int code = sqlite3_step(statement);
    return code == SQLITE_ROW ? CTN_OK : code == SQLITE_DONE ? CTN_E_NOT_FOUND : fail(b, err);
}

int travel_books_run(travel_books *b, const char *sql, const travel_books_values *values, int *ret_changed,
                     ctn_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = travel_books_prepare(b, sql, values, &statement, err);
    if (!rc)
        rc = travel_books_step(b, statement, err);
    if (rc == CTN_E_NOT_FOUND)
        rc = CTN_OK;
    if (!rc && ret_changed)
        *ret_changed = sqlite3_changes(b->db);
    sqlite3_finalize(statement);
    return rc;
}

ctn_str travel_books_text(sqlite3_stmt *row, int column, ctn_arena *arena)
{
    const char *text = (const char *) sqlite3_column_text(row, column);
    return text ? ctn_arena_str(arena, (ctn_str){text, (size_t) sqlite3_column_bytes(row, column)}) : CTN_STR("");
}
