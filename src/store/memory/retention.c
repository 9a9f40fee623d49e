/*
 * retention.c -- ended trees go, all at once: there is nobody whom it could hold up for long, and no order to remember.
 * No space is given back before the store's end.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"

static bool tree_stays(const memory_db *db, const memory_execution *e)
{
    if (!ctn_status_is_final(e->row.status) || e->row.wake_at_ms > 0)
        return true;
    for (size_t i = 0; i < db->executions.count; i++)
        if (ctn_id_equal(memory_execution_at(db, i)->row.parent, e->row.id) &&
            tree_stays(db, memory_execution_at(db, i)))
            return true;
    return false;
}

/* Counts a tree, and takes it off the list of executions unless it is only counted. */
static void take_tree(memory_db *db, memory_execution *e, bool is_dry, ctn_pruned *sum)
{
    sum->executions++;
    sum->entries += e->count;
    for (size_t i = db->executions.count; i-- > 0;)
        if (i < db->executions.count && ctn_id_equal(memory_execution_at(db, i)->row.parent, e->row.id))
            take_tree(db, memory_execution_at(db, i), is_dry, sum);
    if (is_dry)
        return;
    ctn_memory_key_remove(db, e->row.exec_no);
    ctn_memory_key_forget(db, &e->row);
    ctn_memory_execution_bury(db, e);
}

int ctn_memory_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *walk = (ctn_prune_walk){.completed.is_done = true, .others.is_done = true, .is_done = true};
    for (size_t i = db->executions.count; i-- > 0;) {
        if (i >= db->executions.count)
            continue;
        memory_execution *e = memory_execution_at(db, i);
        int64_t ended_ms = e->row.finished_at_ms;
        if (!ctn_status_is_final(e->row.status) || !ctn_id_is_none(e->row.parent))
            continue;
        int64_t *next_ms =
            e->row.status == CTN_STATUS_COMPLETED ? &walk->completed.next_at_ms : &walk->others.next_at_ms;
        if (ended_ms >= what->before_ms[e->row.status]) {
            if (!*next_ms || ended_ms < *next_ms)
                *next_ms = ended_ms;
        } else if (tree_stays(db, e)) {
            walk->left++;
        } else {
            sum->trees++;
            take_tree(db, e, what->is_dry, sum);
        }
    }
    if (!what->is_dry) {
        sum->results += ctn_memory_results_prune(db, what->results_before_ms);
        ctn_memory_index_again(db);
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err)
{
    (void) st, (void) err;
    *ret_size = (ctn_store_size){0};
    return CTN_OK;
}

int ctn_memory_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err)
{
    (void) st, (void) pages, (void) err;
    *ret_more = false;
    return CTN_OK;
}
