/*
 * commit.c -- appends, one after the other under the mutex; and whose turn it is to make them.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include "base/plant.h"

/* ---- epochs ---- */

int ctn_memory_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    int rc = CTN_OK;
    memory_db *db = memory_lock(st);
    if (db->fleet) {
        rc = ctn_memory_fleet_begin(db, ret_epoch, ret_was_crash, err);
    } else {
        *ret_was_crash = !db->is_clean;
        *ret_epoch = ++db->epoch;
        db->is_clean = false;
    }
    memory_unlock(db);
    return rc;
}

int ctn_memory_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    int rc = CTN_OK;
    memory_db *db = memory_lock(st);
    if (db->fleet)
        rc = ctn_memory_fleet_end(db, epoch, err);
    else if (epoch == db->epoch)
        db->is_clean = true;
    else
        rc = ctn_store_fail_epoch(epoch, db->epoch, err);
    memory_unlock(db);
    return rc;
}

/* ---- commit ---- */

static memory_execution *create_execution(memory_db *db, const ctn_append *a)
{
    memory_execution *e = ctn_calloc(1, sizeof *e);
    ctn_execution_row given = ctn_row_with_change(a->row, a->change);
    ctn_execution_row row = ctn_memory_row_copy(db->arena, &given);
    row.is_held = row.queue_key.len && row.status == CTN_STATUS_QUEUED &&
                  ctn_memory_first_in_line(db, row.queue_key, row.exec_no);
    e->row = row;
    ctn_memory_execution_add(db, e);
    return e;
}

static void change_execution(memory_db *db, memory_execution *e, const ctn_execution_change *change)
{
    ctn_execution_row row = ctn_row_with_change(&e->row, change);
    if (change->outputs.len)
        row.outputs = ctn_arena_str(db->arena, change->outputs);
    if (change->error.len)
        row.error = ctn_arena_str(db->arena, change->error);
    e->row = row;
}

static bool is_ours(const memory_store *st, const ctn_append *a)
{
    return st->db->fleet ? ctn_memory_fleet_admits(st, a->exec_no, a->epoch) : a->epoch >= st->db->epoch;
}

static ctn_outcome append_one(const memory_store *st, const ctn_append *a)
{
    memory_db *db = st->db;
    if (!is_ours(st, a) && !CTN_PLANT(FENCE_MISSING) && !CTN_PLANT(SHARD_FENCE_MISSING))
        return CTN_OUTCOME_STALE_EPOCH;
    memory_execution *e = ctn_memory_find_no(db, a->exec_no);
    if ((e ? e->count : 0) != a->seq_expected && !(CTN_PLANT(STALE_SEQ_ACCEPTED) && e))
        return CTN_OUTCOME_STALE_SEQ;
    if (a->row) {
        if (ctn_memory_find_id(db, a->row->id))
            return CTN_OUTCOME_EXISTS;
        if (a->row->idempotency_key.len && ctn_memory_find_key(db, a->row->chain_id, a->row->idempotency_key))
            return CTN_OUTCOME_EXISTS;
        e = create_execution(db, a);
    } else if (a->change)
        change_execution(db, e, a->change);
    ctn_memory_live_update(db, e);
    if (a->change && a->change->queue_key.len && ctn_status_is_final(e->row.status))
        ctn_memory_line_move(db, a->change->queue_key, e->row.exec_no);
    if (a->change)
        ctn_memory_wake(db, a->change->wakes, a->exec_no);
    for (size_t i = 0; i < a->count; i++)
        ctn_memory_record_add(db, e, &a->records[i], db->position_last + 1);
    if (a->data_key)
        ctn_memory_key_put(db, a->exec_no, a->data_key);
    for (size_t i = 0; i < a->result_count; i++)
        ctn_memory_result_put(db, &a->results[i]);
    for (size_t i = 0; i < a->audit_count; i++) {
        ctn_audit_entry entry = ctn_audit_whole(&a->audits[i]);
        ctn_memory_audit_append(db, &entry);
    }
    if (a->request && db->fleet && !CTN_PLANT(REQUEST_LEFT_OPEN))
        ctn_memory_request_done(db, a->request, CTN_OK, (ctn_str){NULL, 0});
    return CTN_OUTCOME_ACCEPTED;
}

int ctn_memory_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        ret_outcomes[i] = append_one((memory_store *) st, &appends[i]);
        if (ret_outcomes[i] != CTN_OUTCOME_STALE_EPOCH)
            ctn_memory_usage_put(db, appends[i].usage, appends[i].usage_count);
    }
    memory_unlock(db);
    return CTN_OK;
}
