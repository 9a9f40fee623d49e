/*
 * small_tables.c -- what the engine remembers beside executions: schedules, breakers, the results of calls, and what
 * tenants have used.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

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
    sqlite3_bind_int64(stmt, 6, row->fired_at_ms);
    sqlite3_bind_int64(stmt, 7, row->paused_at_ms);
    sqlite_bind_str_or_empty(stmt, 8, row->paused_by);
    return ctn_sqlite_run_bound(st, SQL_SCHEDULE_PUT, stmt, "storing a schedule", err);
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
    return ctn_sqlite_run_bound(st, SQL_BREAKER_PUT, stmt, "storing a breaker", err);
}

int ctn_sqlite_schedule_list(ctn_store *base, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_SCHEDULE_LIST, &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, "reading schedules", &rc, err)) {
        ctn_schedule_row row = {
            .chain_id = sqlite_column_str(stmt, 0),
            .cron = sqlite_column_str(stmt, 1),
            .timezone = sqlite_column_str(stmt, 2),
            .seen_at_ms = sqlite3_column_int64(stmt, 3),
            .next_at_ms = sqlite3_column_int64(stmt, 4),
            .fired_at_ms = sqlite3_column_int64(stmt, 5),
            .paused_at_ms = sqlite3_column_int64(stmt, 6),
            .paused_by = sqlite_column_str(stmt, 7),
        };
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
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
    while (ctn_sqlite_next(st, stmt, "reading breakers", &rc, err)) {
        ctn_breaker_row row = {
            .name = sqlite_column_str(stmt, 0),
            .state = sqlite_column_str(stmt, 1),
            .until_ms = sqlite3_column_int64(stmt, 2),
            .changed_at_ms = sqlite3_column_int64(stmt, 3),
        };
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
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
    rc = ctn_sqlite_run_bound(st, SQL_RESULT_PUT, stmt, "keeping a result", err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_RESULT_PRUNE, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, row->put_at_ms);
    sqlite3_bind_int(stmt, 2, CTN_RESULTS_PRUNED);
    return ctn_sqlite_run_bound(st, SQL_RESULT_PRUNE, stmt, "removing expired results", err);
}

int ctn_sqlite_result_get(ctn_store *base, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_RESULT_GET, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, key);
    if (ctn_sqlite_next(st, stmt, "reading a result", &rc, err)) {
        *ret = (ctn_result_row){
            .key = ctn_arena_str(arena, key),
            .value = ctn_arena_str(arena, sqlite_column_str(stmt, 0)),
            .put_at_ms = sqlite3_column_int64(stmt, 1),
            .expires_at_ms = sqlite3_column_int64(stmt, 2),
        };
        (void) ctn_sqlite_is_whole(st, &rc, err);
    } else if (rc == CTN_OK) {
        rc = CTN_E_NOT_FOUND;
    }
    ctn_sqlite_release(st, SQL_RESULT_GET, stmt);
    return rc;
}

/* ---- what tenants have used ---- */

int ctn_sqlite_usage_put(sqlite_store *st, const ctn_usage_row *rows, size_t count, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        const ctn_usage *used = &rows[i].used;
        rc = ctn_sqlite_take(st, SQL_USAGE_PUT, &stmt, err);
        if (rc)
            return rc;
        sqlite3_bind_int64(stmt, 1, rows[i].day);
        sqlite_bind_str_or_empty(stmt, 2, rows[i].tenant);
        sqlite3_bind_int64(stmt, 3, used->executions);
        sqlite3_bind_int64(stmt, 4, used->calls);
        sqlite3_bind_int64(stmt, 5, used->bytes);
        sqlite3_bind_int64(stmt, 6, used->money);
        rc = ctn_sqlite_run_bound(st, SQL_USAGE_PUT, stmt, "storing what a tenant has used", err);
    }
    if (rc == CTN_OK && count)
        rc = ctn_sqlite_take(st, SQL_USAGE_PRUNE, &stmt, err);
    if (rc || !count)
        return rc;
    sqlite3_bind_int64(stmt, 1, rows[0].day - CTN_USAGE_DAYS);
    return ctn_sqlite_run_bound(st, SQL_USAGE_PRUNE, stmt, "removing what tenants have used long ago", err);
}

int ctn_sqlite_usage_list(ctn_store *base, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_USAGE_LIST, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, day);
    while (ctn_sqlite_next(st, stmt, "reading what tenants have used", &rc, err)) {
        ctn_usage_row row = {.tenant = sqlite_column_str(stmt, 0),
                             .day = day,
                             .used = {.executions = sqlite3_column_int64(stmt, 1),
                                      .calls = sqlite3_column_int64(stmt, 2),
                                      .bytes = sqlite3_column_int64(stmt, 3),
                                      .money = sqlite3_column_int64(stmt, 4)}};
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    ctn_sqlite_release(st, SQL_USAGE_LIST, stmt);
    return rc;
}
