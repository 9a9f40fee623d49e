/*
 * quarantine.c -- executions that are kept apart, by number; and ending one by its row alone.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

int ctn_memory_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        ctn_quarantine_row *kept = ctn_memory_table_put(&db->quarantine, &rows[i].exec_no, &is_new);
        if (!is_new && !kept->given_up_at_ms)
            continue;
        *kept = rows[i];
        kept->chain_id = ctn_arena_str(db->arena, rows[i].chain_id);
        kept->reason = ctn_arena_str(db->arena, rows[i].reason);
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const ctn_quarantine_row *found = ctn_memory_table_find(&db->quarantine, &exec_no);
    if (found) {
        *ret = *found;
        ret->chain_id = ctn_arena_str(arena, found->chain_id);
        ret->reason = ctn_arena_str(arena, found->reason);
    }
    memory_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_memory_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_memory_table_remove(&db->quarantine, &exec_no);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_quarantine_row *rows = ctn_memory_table_copy(&db->quarantine, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_execution *e = ctn_memory_find_no(db, what->exec_no);
    bool is_live = e && !ctn_status_is_final(e->row.status);
    if (is_live) {
        e->row.status = CTN_STATUS_FAILED;
        e->row.wake_at_ms = 0;
        e->row.finished_at_ms = what->at_ms;
        e->row.error = ctn_arena_str(db->arena, what->error);
        ctn_memory_live_update(db, e);
        if (e->row.queue_key.len)
            ctn_memory_line_move(db, e->row.queue_key, e->row.exec_no);
        ctn_memory_wake(db, e->row.parent, what->exec_no);
        ctn_quarantine_row *kept = ctn_memory_table_find(&db->quarantine, &what->exec_no);
        if (kept)
            kept->given_up_at_ms = what->at_ms;
    }
    memory_unlock(db);
    return is_live ? CTN_OK : CTN_E_NOT_FOUND;
}
