/*
 * quarantine.c -- the quarantine in a store file. It is touched seldom, so its statements are prepared each
 * time.
 *
 * Giving an execution up believes nothing of it but its row: the line it stands in and the parent that waits for it,
 * as far as they read. What must hold: the end, the line that moves on and the parent that wakes are one transaction.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/schema.h"

static const char READING[] = "reading the quarantine";

static int put_one(sqlite_store *st, const ctn_quarantine_row *row, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(
        st,
        "INSERT INTO quarantine(exec_no, execution_id, chain_id, reason, found_at_ms) VALUES(?1,?2,?3,?4,?5)"
        " ON CONFLICT(exec_no) DO UPDATE SET reason = excluded.reason, found_at_ms = excluded.found_at_ms,"
        " given_up_at_ms = NULL WHERE given_up_at_ms IS NOT NULL",
        &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, row->exec_no);
    if (ctn_id_is_none(row->id))
        sqlite3_bind_null(stmt, 2);
    else
        sqlite3_bind_text(stmt, 2, ctn_id_to_text(row->id).text, -1, SQLITE_TRANSIENT);
    sqlite_bind_str(stmt, 3, row->chain_id);
    sqlite_bind_str_or_empty(stmt, 4, row->reason);
    sqlite3_bind_int64(stmt, 5, row->found_at_ms);
    return ctn_sqlite_run_once(st, stmt, "putting an execution into quarantine", err);
}

int ctn_sqlite_quarantine_put(ctn_store *base, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = put_one(st, &rows[i], err);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_quarantine_remove(ctn_store *base, int64_t exec_no, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, "DELETE FROM quarantine WHERE exec_no = ?1", &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    return ctn_sqlite_run_once(st, stmt, "releasing an execution", err);
}

/* Borrows from the statement. */
static ctn_quarantine_row read_one(sqlite3_stmt *stmt)
{
    ctn_quarantine_row row = {
        .exec_no = sqlite3_column_int64(stmt, 0),
        .chain_id = sqlite_column_str(stmt, 2),
        .reason = sqlite_column_str(stmt, 3),
        .found_at_ms = sqlite3_column_int64(stmt, 4),
        .given_up_at_ms = sqlite3_column_int64(stmt, 5),
    };
    ctn_str id = sqlite_column_str(stmt, 1);
    if (id.len && ctn_id_parse(id, &row.id, NULL))
        row.id = (ctn_execution_id){0};
    return row;
}

#define COLUMNS "SELECT exec_no, execution_id, chain_id, reason, found_at_ms, given_up_at_ms FROM quarantine "

int ctn_sqlite_quarantine_get(ctn_store *base, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, COLUMNS "WHERE exec_no = ?1", &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    if (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_quarantine_row row = read_one(stmt);
        if (ctn_sqlite_is_whole(st, &rc, err)) {
            row.chain_id = ctn_arena_str(arena, row.chain_id);
            row.reason = ctn_arena_str(arena, row.reason);
            *ret = row;
        }
    } else if (rc == CTN_OK) {
        rc = CTN_E_NOT_FOUND;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_quarantine_list(ctn_store *base, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, COLUMNS "ORDER BY exec_no", &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_quarantine_row row = read_one(stmt);
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* ---- giving one up ---- */

static int end_row(sqlite_store *st, const ctn_give_up *what, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(
        st,
        "UPDATE chain_executions SET status = 'failed', wake_at_ms = NULL, finished_at_ms = ?2, error = ?3"
        " WHERE exec_no = ?1 AND NOT (status = 'completed' OR " SQLITE_TROUBLE("") ")",
        &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, what->exec_no);
    sqlite3_bind_int64(stmt, 2, what->at_ms);
    sqlite_bind_str(stmt, 3, what->error);
    rc = ctn_sqlite_run_once(st, stmt, "giving an execution up", err);
    return rc == CTN_OK && sqlite3_changes(st->db) == 0 ? CTN_E_NOT_FOUND : rc;
}

static int run_for(sqlite_store *st, const char *sql, int64_t exec_no, int64_t at_ms, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, sql, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, at_ms);
    return ctn_sqlite_run_once(st, stmt, "giving an execution up", err);
}

int ctn_sqlite_give_up(ctn_store *base, const ctn_give_up *what, ctn_err *err)
{
    static const char *const THEN[] = {
        "UPDATE chain_executions SET queue_held = 0 WHERE exec_no = (SELECT min(o.exec_no) FROM chain_executions o"
        " WHERE o.queue_key = (SELECT queue_key FROM chain_executions WHERE exec_no = ?1)"
        " AND " SQLITE_UNFINISHED("o.") ") AND queue_held = 1",
        "UPDATE chain_executions SET wake_at_ms = 1 WHERE execution_id = (SELECT parent_id FROM chain_executions"
        " WHERE exec_no = ?1) AND " SQLITE_UNFINISHED(""),
        "UPDATE quarantine SET given_up_at_ms = ?2 WHERE exec_no = ?1",
    };
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = end_row(st, what, err);
    for (size_t i = 0; rc == CTN_OK && i < sizeof THEN / sizeof *THEN; i++)
        rc = run_for(st, THEN[i], what->exec_no, what->at_ms, err);
    return ctn_sqlite_end(st, rc, err);
}
