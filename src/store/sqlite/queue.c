/*
 * queue.c -- what the engine looks for: what is due, what is queued and not held, who has the turn, what is still owed.
 *
 * These walk over many executions and must not stop at one that is damaged, nor at a broken page that holds some of
 * them. So they take numbers out of an index alone (SQLite needs no page of the table for that, as long as a statement
 * names the index, repeats its condition and asks for nothing but exec_no) and look up each id by itself.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

/* All zero when it does not read: whoever loads it finds out why. CTN_E_IO and the like are the store's. */
static int read_id(sqlite_store *st, int64_t exec_no, ctn_execution_id *ret_id, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    *ret_id = (ctn_execution_id){0};
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_ID, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, exec_no);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW && !sqlite_column_id(stmt, 0, ret_id))
        (void) ctn_sqlite_is_whole(st, &rc, err);
    else if (step != SQLITE_ROW && step != SQLITE_DONE && (step & 0xff) != SQLITE_CORRUPT)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading an execution", err);
    ctn_sqlite_release(st, SQL_EXECUTION_ID, stmt);
    return rc;
}

/* The rows of a statement that is bound and gives numbers; gives it back. */
static int tell_numbers(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt, ctn_execution_fn *fn, void *ctx,
                        ctn_err *err)
{
    int rc = CTN_OK;
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading executions", &rc, err)) {
        ctn_execution_row row = {.exec_no = sqlite3_column_int64(stmt, 0)};
        rc = read_id(st, row.exec_no, &row.id, err);
        if (rc || fn(ctx, &row))
            break;
    }
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

/* ---- wake times ---- */

int ctn_sqlite_execution_due(ctn_store *base, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_DUE, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, until_ms);
    sqlite_bind_limit(stmt, 2, limit);
    return tell_numbers(st, SQL_EXECUTION_DUE, stmt, fn, ctx, err);
}

int ctn_sqlite_next_wake(ctn_store *base, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    return ctn_sqlite_read_number((sqlite_store *) base, SQL_NEXT_WAKE, after_ms > 0 ? after_ms : 0, ret_wake_at_ms,
                                  err);
}

/* ---- the queue ---- */

/* Ids tell when they were made. */
static int read_age(sqlite_store *st, int64_t exec_no, int64_t *ret_at_ms, ctn_err *err)
{
    ctn_execution_id id = {{0}};
    int rc = exec_no ? read_id(st, exec_no, &id, err) : CTN_OK;
    *ret_at_ms = ctn_id_at_ms(id);
    return rc;
}

int ctn_sqlite_queue_lanes(ctn_store *base, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_QUEUE_LANES, &stmt, err);
    if (rc)
        return rc;
    while (rc == CTN_OK && ctn_sqlite_next(st, stmt, "reading the queue", &rc, err)) {
        ctn_queue_lane lane = {.tenant = sqlite_column_str(stmt, 0),
                               .chain_id = sqlite_column_str(stmt, 1),
                               .priority = sqlite3_column_int(stmt, 2),
                               .depth = sqlite3_column_int64(stmt, 3),
                               .held = sqlite3_column_int64(stmt, 4)};
        if (!ctn_sqlite_is_whole(st, &rc, err))
            break;
        rc = read_age(st, sqlite3_column_int64(stmt, 5), &lane.oldest_at_ms, err);
        if (rc || fn(ctx, &lane))
            break;
    }
    ctn_sqlite_release(st, SQL_QUEUE_LANES, stmt);
    return rc;
}

int ctn_sqlite_queue_next(ctn_store *base, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                          size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_QUEUE_NEXT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str(stmt, 1, tenant);
    sqlite_bind_str_or_empty(stmt, 2, chain_id);
    sqlite3_bind_int(stmt, 3, priority);
    sqlite3_bind_int64(stmt, 4, after_exec_no);
    sqlite_bind_limit(stmt, 5, limit);
    return tell_numbers(st, SQL_QUEUE_NEXT, stmt, fn, ctx, err);
}

int ctn_sqlite_queue_first(ctn_store *base, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                           ctn_execution_row *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_QUEUE_FIRST, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, queue_key);
    sqlite3_bind_int64(stmt, 2, before_exec_no);
    if (ctn_sqlite_next(st, stmt, "reading who is first in line", &rc, err)) {
        ctn_execution_row row;
        const char *damage = ctn_sqlite_read_row(stmt, &row);
        if (ctn_sqlite_is_whole(st, &rc, err) && damage)
            rc = ctn_sqlite_fail_damaged(st, row.exec_no, damage, err);
        if (rc == CTN_OK) {
            ctn_sqlite_keep_row(arena, &row);
            *ret = row;
        }
    } else if (rc == CTN_OK) {
        rc = CTN_E_NOT_FOUND;
    }
    ctn_sqlite_release(st, SQL_QUEUE_FIRST, stmt);
    return rc;
}

int ctn_sqlite_execution_owing(ctn_store *base, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                               ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_EXECUTION_OWING, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, after_exec_no);
    sqlite_bind_limit(stmt, 2, limit);
    return tell_numbers(st, SQL_EXECUTION_OWING, stmt, fn, ctx, err);
}
