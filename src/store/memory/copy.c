/*
 * copy.c -- a store in memory that is copied to, or read for it (store/copy.h). It has no transaction to take back:
 * what a copy that failed has put stays, until the store is closed.
 */
#include "store/memory/fleet.h"
#include "store/memory/ops.h"
#include <stdlib.h>

static int list_definitions(ctn_store *st, ctn_definition_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_definition *rows = ctn_memory_table_copy(&db->definitions, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

static int list_results(ctn_store *st, ctn_result_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_result_row *rows = ctn_memory_table_copy(&db->results, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

static int begin(ctn_store *st, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    bool is_used = db->executions.count || db->definitions.count || db->principals.count || db->grants.count ||
                   db->api_keys.count || db->schedules.count || db->webhooks.count || db->tool_pins.count ||
                   db->data_keys.count;
    for (size_t i = 0; i < db->audit_count; i++)
        is_used |= !ctn_str_is(db->audit[i].action, "store.init") && !ctn_str_is(db->audit[i].action, "store.migrate");
    if (!is_used)
        db->audit_count = 0;
    memory_unlock(db);
    return is_used ? ctn_fail(err, CTN_E_EXISTS, "the store memory:%s is not empty; a store is copied into a new one",
                              db->name)
                   : CTN_OK;
}

static void put_execution(memory_db *db, const ctn_copied_execution *copied)
{
    if (copied->row) {
        memory_execution *e = ctn_calloc(1, sizeof *e);
        e->row = ctn_memory_row_copy(db->arena, copied->row);
        ctn_memory_execution_add(db, e);
        ctn_memory_live_update(db, e);
    }
    memory_execution *e = ctn_memory_find_no(db, copied->exec_no);
    for (size_t i = 0; i < copied->count; i++)
        ctn_memory_record_add(db, e, &copied->records[i], copied->positions[i]);
    if (copied->key)
        ctn_memory_key_put(db, copied->exec_no, copied->key);
}

static int put(ctn_store *st, const ctn_copied *some, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < some->execution_count; i++)
        put_execution(db, &some->executions[i]);
    for (size_t i = 0; i < some->audit_count; i++)
        ctn_memory_audit_keep(db, &some->audits[i]);
    for (size_t i = 0; i < some->result_count; i++)
        ctn_memory_result_put(db, &some->results[i]);
    ctn_memory_usage_put(db, some->usage, some->usage_count);
    bool is_fleet = db->fleet != NULL;
    memory_unlock(db);
    for (size_t i = 0; is_fleet && i < some->execution_count; i++) {
        const ctn_execution_row *row = some->executions[i].row;
        ctn_execution_id whose;
        if (row && row->idempotency_key.len)
            (void) ctn_memory_key_claim(st, row->chain_id, row->idempotency_key, row->id, &whose, err);
    }
    return ctn_memory_quarantine_put(st, some->quarantined, some->quarantined_count, err);
}

static int end(ctn_store *st, bool keeps, int64_t position_last, int64_t audit_count, ctn_err *err)
{
    (void) keeps, (void) audit_count, (void) err;
    memory_db *db = memory_lock(st);
    if (position_last > db->position_last)
        db->position_last = position_last;
    db->is_clean = false;
    for (uint32_t i = 0; db->fleet && i < db->fleet->shard_count; i++)
        db->fleet->shards[i].was_crash = true;
    memory_unlock(db);
    return CTN_OK;
}

const ctn_copy_ops ctn_memory_copy_ops = {
    .definition_list = list_definitions,
    .result_list = list_results,
    .begin = begin,
    .put = put,
    .end = end,
};
