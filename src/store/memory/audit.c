/*
 * audit.c -- the audit log: entries side by side, each with the hash over the one before it.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

void ctn_memory_audit_keep(memory_db *db, const ctn_audit_entry *entry)
{
    ctn_audit_entry kept = {
        .at_ms = entry->at_ms,
        .actor = ctn_arena_str(db->arena, entry->actor),
        .action = ctn_arena_str(db->arena, entry->action),
        .subject = ctn_arena_str(db->arena, entry->subject),
        .detail = ctn_arena_str(db->arena, entry->detail),
        .node = ctn_arena_str(db->arena, entry->node),
        .n = entry->n,
        .hash = entry->hash,
    };
    GROW(db->audit, db->audit_count, db->audit_capacity);
    db->audit[db->audit_count++] = kept;
}

void ctn_memory_audit_append(memory_db *db, const ctn_audit_entry *entry)
{
    static const ctn_digest FIRST = {{0}};
    const ctn_digest *previous = db->audit_count ? &db->audit[db->audit_count - 1].hash : &FIRST;
    ctn_audit_entry chained = *entry;
    chained.n = (int64_t) db->audit_count + 1;
    chained.hash = ctn_audit_hash(&chained, previous);
    ctn_memory_audit_keep(db, &chained);
}

int ctn_memory_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_memory_audit_append(db, entry);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_audit_list(ctn_store *st, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    size_t count = db->audit_count;
    ctn_audit_entry *entries = ctn_calloc(count + 1, sizeof *entries);
    if (count)
        memcpy(entries, db->audit, count * sizeof *entries);
    memory_unlock(db);
    for (size_t i = after_n > 0 ? (size_t) after_n : 0; i < count && fn(ctx, &entries[i]) == 0; i++) {
    }
    free(entries);
    return CTN_OK;
}

int ctn_memory_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *ret_count = (int64_t) db->audit_count;
    memory_unlock(db);
    return CTN_OK;
}
