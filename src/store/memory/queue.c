/*
 * queue.c -- what the engine looks for: what is due, what is queued and not held, who has the turn, what is still owed.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

static int compare_numbers(const void *a, const void *b)
{
    const ctn_execution_row *x = a, *y = b;
    return (x->exec_no > y->exec_no) - (x->exec_no < y->exec_no);
}

static int compare_wakes(const void *a, const void *b)
{
    const ctn_execution_row *x = a, *y = b;
    if (x->wake_at_ms != y->wake_at_ms)
        return x->wake_at_ms < y->wake_at_ms ? -1 : 1;
    return compare_numbers(a, b);
}

/* In order, and without the mutex, which it gives back. */
static void tell_some(memory_db *db, ctn_execution_row *rows, size_t count, size_t limit,
                      int (*compare)(const void *, const void *), ctn_execution_fn *fn, void *ctx)
{
    memory_unlock(db);
    if (count)
        qsort(rows, count, sizeof *rows, compare);
    for (size_t i = 0; i < count && (!limit || i < limit) && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
}

/* ---- wake times ---- */

int ctn_memory_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        const ctn_execution_row *row = &db->live[i]->row;
        if (row->wake_at_ms <= 0 || row->wake_at_ms > until_ms || !ctn_memory_is_held(st, row->exec_no))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    tell_some(db, rows, count, limit, compare_wakes, fn, ctx);
    return CTN_OK;
}

int ctn_memory_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    int64_t best = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        const ctn_execution_row *row = &db->live[i]->row;
        int64_t wake = row->wake_at_ms;
        if (wake > 0 && wake > after_ms && (best == 0 || wake < best) && ctn_memory_is_held(st, row->exec_no))
            best = wake;
    }
    *ret_wake_at_ms = best;
    memory_unlock(db);
    return CTN_OK;
}

/* ---- the queue ---- */

static int compare_lanes(const void *a, const void *b)
{
    const ctn_queue_lane *x = a, *y = b;
    int order = ctn_str_compare(x->tenant, y->tenant);
    if (!order)
        order = ctn_str_compare(x->chain_id, y->chain_id);
    return order ? order : (x->priority > y->priority) - (x->priority < y->priority);
}

static ctn_queue_lane lane_of_one(const ctn_execution_row *row)
{
    return (ctn_queue_lane){.tenant = row->tenant,
                            .chain_id = row->chain_id,
                            .priority = row->priority,
                            .depth = !row->is_held,
                            .held = row->is_held,
                            .oldest_at_ms = row->is_held ? 0 : ctn_id_at_ms(row->id)};
}

static void join(ctn_queue_lane *lane, const ctn_queue_lane *one)
{
    lane->depth += one->depth;
    lane->held += one->held;
    if (one->oldest_at_ms && (!lane->oldest_at_ms || one->oldest_at_ms < lane->oldest_at_ms))
        lane->oldest_at_ms = one->oldest_at_ms;
}

int ctn_memory_queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_queue_lane *lanes = ctn_calloc(db->live_count + 1, sizeof *lanes);
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < db->live_count; i++)
        if (db->live[i]->row.status == CTN_STATUS_QUEUED && ctn_memory_is_held(st, db->live[i]->row.exec_no))
            lanes[count++] = lane_of_one(&db->live[i]->row);
    memory_unlock(db);
    qsort(lanes, count, sizeof *lanes, compare_lanes);
    for (size_t i = 0; i < count; i++)
        if (kept && compare_lanes(&lanes[kept - 1], &lanes[i]) == 0)
            join(&lanes[kept - 1], &lanes[i]);
        else
            lanes[kept++] = lanes[i];
    for (size_t i = 0; i < kept && fn(ctx, &lanes[i]) == 0; i++) {
    }
    free(lanes);
    return CTN_OK;
}

static bool is_admissible(const ctn_execution_row *row)
{
    return row->status == CTN_STATUS_QUEUED && !row->is_held;
}

int ctn_memory_queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                          size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < db->live_count; i++) {
        const ctn_execution_row *row = &db->live[i]->row;
        if (!is_admissible(row) || row->exec_no <= after_exec_no || row->priority != priority ||
            !ctn_str_equal(row->chain_id, chain_id) || !ctn_str_equal(row->tenant, tenant) ||
            !ctn_memory_is_held(st, row->exec_no))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    tell_some(db, rows, count, limit, compare_numbers, fn, ctx);
    return CTN_OK;
}

int ctn_memory_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                           ctn_execution_row *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_execution *first = ctn_memory_first_in_line(db, queue_key, before_exec_no);
    if (first)
        *ret = ctn_memory_row_copy(arena, &first->row);
    memory_unlock(db);
    return first ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_memory_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                               ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    int64_t first_no = after_exec_no + 1;
    ctn_execution_row *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = ctn_memory_table_place(&db->executions, &first_no); i < db->executions.count; i++) {
        const ctn_execution_row *row = &memory_execution_at(db, i)->row;
        if (!ctn_status_is_final(row->status) || row->wake_at_ms <= 0 || !ctn_memory_is_held(st, row->exec_no))
            continue;
        GROW(rows, count, capacity);
        rows[count++] = *row;
    }
    tell_some(db, rows, count, limit, compare_numbers, fn, ctx);
    return CTN_OK;
}
