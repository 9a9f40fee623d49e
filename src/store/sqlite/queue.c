/*
 * queue.c -- lanes of the queue, and the small tables beside executions: schedules, breakers, cached results.
 */
#include "store/sqlite/db.h"
#include <limits.h>

/* The index is walked from lane to lane: each look starts behind the lane that was told last. */
int ctn_sqlite_queue_lanes(ctn_store *base, ctn_lane_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str chain_id = {0};
    int priority = INT_MIN, rc = CTN_OK;
    for (bool more = true; rc == CTN_OK && more;) {
        sqlite3_stmt *stmt = NULL;
        rc = ctn_sqlite_take(st, SQL_QUEUE_LANE, &stmt, err);
        if (rc)
            break;
        sqlite_bind_str_or_empty(stmt, 1, chain_id);
        sqlite3_bind_int(stmt, 2, priority);
        int step = sqlite3_step(stmt);
        more = step == SQLITE_ROW;
        if (more) {
            ctn_str next = sqlite_column_str(stmt, 0);
            if (!ctn_str_equal(next, chain_id))
                chain_id = ctn_arena_str(arena, next);
            priority = sqlite3_column_int(stmt, 1);
            more = !sqlite_row_is_short(stmt);
            rc = more ? CTN_OK : ctn_sqlite_fail_short(st, err);
        } else if (step != SQLITE_DONE) {
            rc = ctn_sqlite_fail(st->db, st->path, step, "reading the queue", err);
        }
        ctn_sqlite_release(st, SQL_QUEUE_LANE, stmt);
        more = more && fn(ctx, chain_id, priority) == 0;
    }
    ctn_arena_free(arena);
    return rc;
}

static int put(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt, const char *doing, ctn_err *err)
{
    int step = sqlite3_step(stmt);
    int rc = step == SQLITE_DONE ? CTN_OK : ctn_sqlite_fail(st->db, st->path, step, doing, err);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

int ctn_sqlite_schedule_put(ctn_store *base, const ctn_schedule_row *row, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_SCHEDULE_PUT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->chain_id);
    sqlite_bind_str_or_empty(stmt, 2, row->cron);
    sqlite_bind_str_or_empty(stmt, 3, row->timezone);
    sqlite3_bind_int64(stmt, 4, row->seen_at_ms);
    sqlite_bind_positive(stmt, 5, row->next_at_ms);
    return put(st, SQL_SCHEDULE_PUT, stmt, "storing a schedule", err);
}

int ctn_sqlite_breaker_put(ctn_store *base, const ctn_breaker_row *row, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_BREAKER_PUT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->name);
    sqlite_bind_str_or_empty(stmt, 2, row->state);
    sqlite_bind_positive(stmt, 3, row->until_ms);
    sqlite3_bind_int64(stmt, 4, row->changed_at_ms);
    return put(st, SQL_BREAKER_PUT, stmt, "storing a breaker", err);
}

int ctn_sqlite_schedule_list(ctn_store *base, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_SCHEDULE_LIST, &stmt, err);
    if (rc)
        return rc;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        ctn_schedule_row row = {
            .chain_id = sqlite_column_str(stmt, 0),
            .cron = sqlite_column_str(stmt, 1),
            .timezone = sqlite_column_str(stmt, 2),
            .seen_at_ms = sqlite3_column_int64(stmt, 3),
            .next_at_ms = sqlite3_column_int64(stmt, 4),
        };
        if (sqlite_row_is_short(stmt))
            rc = ctn_sqlite_fail_short(st, err);
        if (rc || fn(ctx, &row))
            break;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading schedules", err);
    ctn_sqlite_release(st, SQL_SCHEDULE_LIST, stmt);
    return rc;
}

int ctn_sqlite_breaker_list(ctn_store *base, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_BREAKER_LIST, &stmt, err);
    if (rc)
        return rc;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        ctn_breaker_row row = {
            .name = sqlite_column_str(stmt, 0),
            .state = sqlite_column_str(stmt, 1),
            .until_ms = sqlite3_column_int64(stmt, 2),
            .changed_at_ms = sqlite3_column_int64(stmt, 3),
        };
        if (sqlite_row_is_short(stmt))
            rc = ctn_sqlite_fail_short(st, err);
        if (rc || fn(ctx, &row))
            break;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading breakers", err);
    ctn_sqlite_release(st, SQL_BREAKER_LIST, stmt);
    return rc;
}

int ctn_sqlite_result_put(sqlite_store *st, const ctn_result_row *row, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_RESULT_PUT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->key);
    sqlite_bind_str_or_empty(stmt, 2, row->value);
    sqlite3_bind_int64(stmt, 3, row->put_at_ms);
    sqlite3_bind_int64(stmt, 4, row->expires_at_ms);
    rc = put(st, SQL_RESULT_PUT, stmt, "keeping a result", err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_RESULT_PRUNE, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, row->put_at_ms);
    sqlite3_bind_int(stmt, 2, CTN_RESULTS_PRUNED);
    return put(st, SQL_RESULT_PRUNE, stmt, "removing expired results", err);
}

int ctn_sqlite_result_get(ctn_store *base, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_RESULT_GET, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, key);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW)
        *ret = (ctn_result_row){
            .key = ctn_arena_str(arena, key),
            .value = ctn_arena_str(arena, sqlite_column_str(stmt, 0)),
            .put_at_ms = sqlite3_column_int64(stmt, 1),
            .expires_at_ms = sqlite3_column_int64(stmt, 2),
        };
    if (step == SQLITE_ROW && sqlite_row_is_short(stmt))
        rc = ctn_sqlite_fail_short(st, err);
    else if (step != SQLITE_ROW)
        rc = step == SQLITE_DONE ? CTN_E_NOT_FOUND : ctn_sqlite_fail(st->db, st->path, step, "reading a result", err);
    ctn_sqlite_release(st, SQL_RESULT_GET, stmt);
    return rc;
}
