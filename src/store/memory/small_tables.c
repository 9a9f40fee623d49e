/*
 * small_tables.c -- what the engine remembers beside executions: schedules, breakers, the results of calls, and what
 * tenants have used.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

/* ---- schedules and breakers ---- */

int ctn_memory_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err)
{
    (void) err;
    bool is_new;
    memory_db *db = memory_lock(st);
    ctn_schedule_row *kept = ctn_memory_table_put(&db->schedules, &row->chain_id, &is_new);
    *kept = *row;
    kept->chain_id = ctn_arena_str(db->arena, row->chain_id);
    kept->cron = ctn_arena_str(db->arena, row->cron);
    kept->timezone = ctn_arena_str(db->arena, row->timezone);
    kept->paused_by = ctn_arena_str(db->arena, row->paused_by);
    ctn_memory_changed(db);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_schedule_row *rows = ctn_memory_table_copy(&db->schedules, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err)
{
    (void) err;
    bool is_new;
    memory_db *db = memory_lock(st);
    ctn_breaker_row *kept = ctn_memory_table_put(&db->breakers, &row->name, &is_new);
    *kept = *row;
    kept->name = ctn_arena_str(db->arena, row->name);
    kept->state = ctn_arena_str(db->arena, row->state);
    ctn_memory_changed(db);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_breaker_row *rows = ctn_memory_table_copy(&db->breakers, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

/* ---- results ---- */

/* They come and go, so each has memory of its own: its key, and the value behind it. */
static void free_texts(const ctn_result_row *row)
{
    free((void *) row->key.ptr);
}

void ctn_memory_results_free(memory_db *db)
{
    for (size_t i = 0; i < db->results.count; i++)
        free_texts((const ctn_result_row *) db->results.rows + i);
}

static void prune_some(memory_db *db, int64_t now_ms)
{
    for (int n = 0; n < CTN_RESULTS_PRUNED; n++) {
        const ctn_result_row *rows = db->results.rows, *oldest = NULL;
        for (size_t i = 0; i < db->results.count; i++)
            if (rows[i].expires_at_ms <= now_ms && (!oldest || rows[i].expires_at_ms < oldest->expires_at_ms))
                oldest = &rows[i];
        if (!oldest)
            return;
        ctn_result_row gone = *oldest;
        ctn_memory_table_remove(&db->results, &gone.key);
        free_texts(&gone);
    }
}

void ctn_memory_result_put(memory_db *db, const ctn_result_row *row)
{
    bool is_new;
    char *texts = ctn_malloc(row->key.len + row->value.len);
    memcpy(texts, row->key.ptr, row->key.len);
    if (row->value.len)
        memcpy(texts + row->key.len, row->value.ptr, row->value.len);
    ctn_result_row *kept = ctn_memory_table_put(&db->results, &row->key, &is_new);
    if (!is_new)
        free_texts(kept);
    *kept = *row;
    kept->key.ptr = texts;
    kept->value.ptr = texts + row->key.len;
    prune_some(db, row->put_at_ms);
}

uint64_t ctn_memory_results_prune(memory_db *db, int64_t before_ms)
{
    ctn_result_row *rows = db->results.rows;
    size_t kept = 0, count = db->results.count;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].expires_at_ms >= before_ms)
            rows[kept++] = rows[i];
        else
            free_texts(&rows[i]);
    }
    db->results.count = kept;
    return count - kept;
}

int ctn_memory_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const ctn_result_row *found = ctn_memory_table_find(&db->results, &key);
    if (found) {
        *ret = *found;
        ret->key = ctn_arena_str(arena, found->key);
        ret->value = ctn_arena_str(arena, found->value);
    }
    memory_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

/* ---- what tenants have used ---- */

int ctn_memory_by_usage(const void *row, const void *key)
{
    const ctn_usage_row *x = row, *y = key;
    return x->day != y->day ? (x->day < y->day ? -1 : 1) : ctn_str_compare(x->tenant, y->tenant);
}

void ctn_memory_usage_put(memory_db *db, const ctn_usage_row *rows, size_t count)
{
    bool is_new;
    for (size_t i = 0; i < count; i++) {
        ctn_usage_row *kept = ctn_memory_table_put(&db->usage, &rows[i], &is_new);
        ctn_str tenant = is_new ? ctn_arena_str(db->arena, rows[i].tenant) : kept->tenant;
        const ctn_usage had = is_new ? rows[i].used : kept->used, *now = &rows[i].used;
        *kept = rows[i];
        kept->tenant = tenant;
        kept->used = (ctn_usage){.executions = had.executions > now->executions ? had.executions : now->executions,
                                 .calls = had.calls > now->calls ? had.calls : now->calls,
                                 .bytes = had.bytes > now->bytes ? had.bytes : now->bytes,
                                 .money = had.money > now->money ? had.money : now->money};
    }
    while (count && ((ctn_usage_row *) db->usage.rows)->day < rows[0].day - CTN_USAGE_DAYS) {
        ctn_usage_row oldest = *(ctn_usage_row *) db->usage.rows;
        ctn_memory_table_remove(&db->usage, &oldest);
    }
}

int ctn_memory_usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_usage_row *rows = ctn_memory_table_copy(&db->usage, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count; i++)
        if (rows[i].day == day && fn(ctx, &rows[i]))
            break;
    free(rows);
    return CTN_OK;
}
