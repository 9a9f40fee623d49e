/*
 * chains.c -- definitions by content, chains by id and version.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

/* ---- definitions ---- */

int ctn_memory_by_digest(const void *row, const void *digest)
{
    return memcmp(((const ctn_definition *) row)->digest.bytes, digest, CTN_DIGEST_BYTES);
}

static ctn_definition copy_definition(ctn_arena *arena, const ctn_definition *d)
{
    return (ctn_definition){
        .digest = d->digest,
        .kind = ctn_arena_str(arena, d->kind),
        .name = ctn_arena_str(arena, d->name),
        .body = ctn_arena_str(arena, d->body),
    };
}

int ctn_memory_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        ctn_definition *kept = ctn_memory_table_put(&db->definitions, definitions[i].digest.bytes, &is_new);
        if (is_new)
            *kept = copy_definition(db->arena, &definitions[i]);
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                              ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const ctn_definition *found = ctn_memory_table_find(&db->definitions, digest->bytes);
    if (found)
        *ret = copy_definition(arena, found);
    memory_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

/* ---- chains ---- */

int ctn_memory_by_version(const void *row, const void *other)
{
    const ctn_chain_row *a = row, *b = other;
    int order = ctn_str_compare(a->chain_id, b->chain_id);
    return order ? order : (a->version > b->version) - (a->version < b->version);
}

/* The newest of a chain is the last before the next chain; with `digest`, the newest that has this content. */
static const ctn_chain_row *find_newest(const memory_db *db, ctn_str chain_id, const ctn_digest *digest)
{
    const ctn_chain_row *rows = db->chains.rows;
    ctn_chain_row behind = {.chain_id = chain_id, .version = INT64_MAX};
    for (size_t i = ctn_memory_table_place(&db->chains, &behind); i-- > 0 && ctn_str_equal(rows[i].chain_id, chain_id);)
        if (!digest || memcmp(rows[i].digest.bytes, digest->bytes, sizeof digest->bytes) == 0)
            return &rows[i];
    return NULL;
}

static const ctn_chain_row *find_version(const memory_db *db, ctn_str chain_id, int64_t version)
{
    return ctn_memory_table_find(&db->chains, &(ctn_chain_row){.chain_id = chain_id, .version = version});
}

int ctn_memory_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    memory_db *db = memory_lock(st);
    int rc = CTN_OK;
    ctn_chain_row kept = *row;
    if (!ctn_memory_table_find(&db->definitions, row->digest.bytes)) {
        rc = ctn_store_fail_definition(row, err);
        goto done;
    }
    const ctn_chain_row *same =
        row->version ? find_version(db, row->chain_id, row->version) : find_newest(db, row->chain_id, &row->digest);
    if (same) {
        if (memcmp(same->digest.bytes, row->digest.bytes, sizeof row->digest.bytes) != 0)
            rc = ctn_store_fail_version(row, err);
        else
            *ret_version = same->version;
        goto done;
    }
    if (row->version == 0) {
        const ctn_chain_row *newest = find_newest(db, row->chain_id, NULL);
        kept.version = newest ? newest->version + 1 : 1;
    }
    kept.chain_id = ctn_arena_str(db->arena, row->chain_id);
    kept.created_by = ctn_arena_str(db->arena, row->created_by);
    bool is_new;
    *(ctn_chain_row *) ctn_memory_table_put(&db->chains, &kept, &is_new) = kept;
    *ret_version = kept.version;
done:
    memory_unlock(db);
    return rc;
}

int ctn_memory_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                         ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const ctn_chain_row *found = version ? find_version(db, chain_id, version) : find_newest(db, chain_id, NULL);
    if (found) {
        *ret = *found;
        ret->chain_id = ctn_arena_str(arena, found->chain_id);
        ret->created_by = ctn_arena_str(arena, found->created_by);
    }
    memory_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_memory_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_chain_row *rows = ctn_memory_table_copy(&db->chains, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count; i++) {
        bool is_newest = i + 1 == count || !ctn_str_equal(rows[i].chain_id, rows[i + 1].chain_id);
        if (is_newest && fn(ctx, &rows[i]))
            break;
    }
    free(rows);
    return CTN_OK;
}

int ctn_memory_chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_chain_row *rows = ctn_memory_table_copy(&db->chains, &count);
    memory_unlock(db);
    for (size_t i = count; i-- > 0;)
        if (ctn_str_equal(rows[i].chain_id, chain_id) && fn(ctx, &rows[i]))
            break;
    free(rows);
    return CTN_OK;
}
