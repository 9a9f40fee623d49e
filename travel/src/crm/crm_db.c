/*
 * crm_db.c -- see crm_db.h, and crm.h for opening and for changes. A change is begun IMMEDIATE, so that processes on
 * one file take turns by the busy timeout; a part of one is a savepoint.
 */
#include "crm/crm_db.h"

#include "base/clock.h"
#include "kit/database.h"
#include "value/calendar.h"

#include <assert.h>
#include <stdlib.h>

int crm_fail(travel_crm *crm, const char *doing, ctn_err *err)
{
    return ctn_fail(err, travel_database_code(crm->db), "CRM file %s: %s: %s", crm->path, doing,
                    sqlite3_errmsg(crm->db));
}

int crm_exec(travel_crm *crm, const char *sql, const char *doing, ctn_err *err)
{
    return sqlite3_exec(crm->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CTN_OK : crm_fail(crm, doing, err);
}

/* ---- open ---- */

static int prepare_file(void *ctx, ctn_err *err)
{
    return crm_migrate(ctx, err);
}

int travel_crm_open(const char *path, bool is_reading, travel_crm **ret_crm, ctn_err *err)
{
    if (!path || !*path)
        return ctn_fail(err, CTN_E_INVALID,
                        "no CRM file: set the environment variable CRM to its path, as in CRM=crm.db");
    travel_crm *crm = calloc(1, sizeof *crm);
    assert(crm);
    crm->path = strdup(path);
    assert(crm->path);
    int rc = CTN_OK;
    if (!is_reading)
        travel_database_make_private(path);
    int flags = is_reading ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &crm->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        rc = is_reading ? ctn_fail(err, CTN_E_NOT_FOUND, "CRM file %s: %s", path, sqlite3_errmsg(crm->db))
                        : crm_fail(crm, "cannot be opened (does its folder exist, and may you write there?)", err);
        goto done;
    }
    sqlite3_busy_timeout(crm->db, TRAVEL_DATABASE_BUSY_MS);
    rc = crm_exec(crm,
                  "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                  " PRAGMA temp_store = MEMORY", /* nothing of a client lies in a folder for temporary files */
                  "cannot be read", err);
    if (!rc)
        rc = crm_contact_functions(crm, err);
    if (!rc)
        rc = travel_database_prepare(prepare_file, crm, TRAVEL_DATABASE_BUSY_MS, err);
    if (rc == CTN_OK) {
        *ret_crm = crm;
        crm = NULL;
    }
done:
    travel_crm_close(crm);
    return rc;
}

void travel_crm_close(travel_crm *crm)
{
    if (!crm)
        return;
    for (size_t i = 0; i < crm->statement_count; i++)
        sqlite3_finalize(crm->statements[i].statement);
    sqlite3_close(crm->db);
    free(crm->path);
    free(crm);
}

/* ---- changes ---- */

int travel_crm_begin(travel_crm *crm, ctn_err *err)
{
    int rc = crm_exec(crm, crm->depth ? "SAVEPOINT part" : "BEGIN IMMEDIATE", "cannot be written", err);
    if (!rc)
        crm->depth++;
    return rc;
}

int travel_crm_end(travel_crm *crm, int rc, ctn_err *err)
{
    assert(crm->depth > 0);
    bool is_part = --crm->depth > 0;
    if (!rc)
        rc = crm_exec(crm, is_part ? "RELEASE part" : "COMMIT", "cannot be written", err);
    if (rc)
        (void) crm_exec(crm, is_part ? "ROLLBACK TO part; RELEASE part" : "ROLLBACK", "", NULL);
    return rc;
}

/* ---- statements ---- */

static int prepared(travel_crm *crm, const char *sql, sqlite3_stmt **ret_statement, ctn_err *err)
{
    for (size_t i = 0; i < crm->statement_count; i++)
        if (crm->statements[i].sql == sql) {
            *ret_statement = crm->statements[i].statement;
            assert(!sqlite3_stmt_busy(*ret_statement));
            return CTN_OK;
        }
    assert(crm->statement_count < CRM_STATEMENTS_MAX);
    if (sqlite3_prepare_v3(crm->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL) != SQLITE_OK)
        return crm_fail(crm, "cannot be read", err);
    crm->statements[crm->statement_count].sql = sql;
    crm->statements[crm->statement_count++].statement = *ret_statement;
    return CTN_OK;
}

static void bind_text(sqlite3_stmt *statement, int at, ctn_str text)
{
    sqlite3_bind_text64(statement, at, text.len ? text.ptr : "", text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void bind_moment(sqlite3_stmt *statement, int at, int64_t at_ms)
{
    char text[25];
    if (at_ms == 0)
        return;
    ctn_time_format(at_ms, text);
    bind_text(statement, at, ctn_str_from(text));
}

static void bind_all(sqlite3_stmt *statement, const char *letters, va_list values)
{
    for (int at = 1; *letters; letters++, at++) {
        if (*letters == 'i') {
            sqlite3_bind_int64(statement, at, va_arg(values, int64_t));
        } else if (*letters == 'm') {
            bind_moment(statement, at, va_arg(values, int64_t));
        } else {
            ctn_str text = va_arg(values, ctn_str);
            assert(*letters == 't' || *letters == 'n' || *letters == 'b');
            if (*letters == 'b')
                sqlite3_bind_blob64(statement, at, text.len ? text.ptr : "", text.len, SQLITE_TRANSIENT);
            else if (*letters == 't' || text.len > 0)
                bind_text(statement, at, text);
        }
    }
}

static int start(travel_crm *crm, crm_query *ret_query, const char *sql, const char *letters, va_list values,
                 ctn_err *err)
{
    *ret_query = (crm_query){.crm = crm};
    int rc = prepared(crm, sql, &ret_query->statement, err);
    if (rc)
        return rc;
    bind_all(ret_query->statement, letters, values);
    return crm_next(ret_query, err);
}

int crm_next(crm_query *query, ctn_err *err)
{
    int step = sqlite3_step(query->statement);
    if (step == SQLITE_ROW)
        return CTN_OK;
    if (step == SQLITE_DONE)
        return CTN_E_NOT_FOUND;
    return crm_fail(query->crm, sqlite3_stmt_readonly(query->statement) ? "cannot be read" : "cannot be written", err);
}

void crm_done(crm_query *query)
{
    if (!query->statement)
        return;
    sqlite3_reset(query->statement);
    sqlite3_clear_bindings(query->statement);
    query->statement = NULL;
}

int crm_first(travel_crm *crm, crm_query *ret_query, ctn_err *err, const char *sql, const char *letters, ...)
{
    va_list values;
    va_start(values, letters);
    int rc = start(crm, ret_query, sql, letters, values, err);
    va_end(values);
    return rc;
}

int crm_run(travel_crm *crm, ctn_err *err, const char *sql, const char *letters, ...)
{
    crm_query query;
    va_list values;
    va_start(values, letters);
    int rc = start(crm, &query, sql, letters, values, err);
    va_end(values);
    crm_done(&query);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

int crm_count(travel_crm *crm, int64_t *ret_count, ctn_err *err, const char *sql, const char *letters, ...)
{
    crm_query query;
    va_list values;
    va_start(values, letters);
    int rc = start(crm, &query, sql, letters, values, err);
    va_end(values);
    if (!rc)
        *ret_count = crm_int(&query, 0);
    crm_done(&query);
    return rc;
}

int64_t crm_changes(travel_crm *crm)
{
    return sqlite3_changes64(crm->db);
}

/* ---- rows ---- */

ctn_str crm_text(ctn_arena *arena, crm_query *query, int column)
{
    const char *bytes = sqlite3_column_blob(query->statement, column);
    return ctn_arena_str(arena, (ctn_str){bytes, (size_t) sqlite3_column_bytes(query->statement, column)});
}

int64_t crm_int(crm_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

int64_t crm_moment(crm_query *query, int column)
{
    ctn_time time;
    const char *text = (const char *) sqlite3_column_text(query->statement, column);
    if (!text)
        return 0;
    const ctn_json value = {.kind = CTN_JSON_STRING, .text = text, .count = (uint32_t) strlen(text)};
    return ctn_time_of(&value, &time) ? time.at_ms : 0;
}

const ctn_json *crm_json(ctn_arena *arena, crm_query *query, int column)
{
    const ctn_json *value = NULL;
    if (ctn_json_parse(arena, crm_text(arena, query, column), NULL, &value, NULL))
        return ctn_json_finish(&(ctn_json_builder){.arena = arena, .kind = CTN_JSON_OBJECT});
    return value;
}

int crm_name_row(travel_crm *crm, ctn_arena *arena, const char *sql, char prefix, ctn_str *ret_id, ctn_err *err)
{
    int64_t number = sqlite3_last_insert_rowid(crm->db);
    ctn_str id = ctn_arena_printf(arena, "%c-%06lld", prefix, (long long) number);
    int rc = crm_run(crm, err, sql, "ti", id, number);
    if (!rc)
        *ret_id = id;
    return rc;
}
