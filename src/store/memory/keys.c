/*
 * keys.c -- wrapped data keys. Each has memory of its own, which is given back when it is shredded.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include "core/sealed.h"
#include <stdlib.h>

static memory_data_key *find_data_key(const memory_db *db, int64_t exec_no)
{
    return ctn_memory_table_find(&db->data_keys, &exec_no);
}

static void free_texts(const memory_data_key *k)
{
    free((void *) k->key.master_id.ptr);
}

void ctn_memory_keys_free(memory_db *db)
{
    for (size_t i = 0; i < db->data_keys.count; i++)
        free_texts((const memory_data_key *) db->data_keys.rows + i);
}

void ctn_memory_key_remove(memory_db *db, int64_t exec_no)
{
    const memory_data_key *k = find_data_key(db, exec_no);
    if (!k)
        return;
    free_texts(k);
    ctn_memory_table_remove(&db->data_keys, &exec_no);
}

void ctn_memory_key_put(memory_db *db, int64_t exec_no, const ctn_data_key *key)
{
    bool is_new;
    char *bytes = ctn_malloc(key->master_id.len + key->wrapped.len);
    memcpy(bytes, key->master_id.ptr, key->master_id.len);
    memcpy(bytes + key->master_id.len, key->wrapped.ptr, key->wrapped.len);
    memory_data_key *kept = ctn_memory_table_put(&db->data_keys, &exec_no, &is_new);
    if (!is_new)
        free_texts(kept);
    *kept = (memory_data_key){
        exec_no, {.master_id = {bytes, key->master_id.len}, .wrapped = {bytes + key->master_id.len, key->wrapped.len}}};
}

static ctn_data_key copy_data_key(ctn_arena *arena, const ctn_data_key *key)
{
    return (ctn_data_key){ctn_arena_str(arena, key->master_id), ctn_arena_str(arena, key->wrapped)};
}

int ctn_memory_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_data_key *k = find_data_key(db, exec_no);
    if (k)
        *ret = copy_data_key(arena, &k->key);
    memory_unlock(db);
    return k ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_memory_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    bool is_there = find_data_key(db, exec_no) != NULL;
    if (!is_there)
        ctn_memory_key_put(db, exec_no, key);
    memory_unlock(db);
    return is_there ? CTN_E_EXISTS : CTN_OK;
}

int ctn_memory_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                             ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    ctn_arena *arena = ctn_arena_new(1024);
    memory_db *db = memory_lock(st);
    const memory_data_key *keys = db->data_keys.rows;
    size_t count = 0;
    int64_t first_no = after_exec_no + 1;
    memory_data_key *found = ctn_calloc(db->data_keys.count + 1, sizeof *found);
    for (size_t i = ctn_memory_table_place(&db->data_keys, &first_no);
         i < db->data_keys.count && (!limit || count < limit); i++)
        if (!ctn_str_equal(keys[i].key.master_id, but_master_id))
            found[count++] = (memory_data_key){keys[i].exec_no, copy_data_key(arena, &keys[i].key)};
    memory_unlock(db);
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = fn(ctx, found[i].exec_no, &found[i].key);
    free(found);
    ctn_arena_free(arena);
    return rc;
}

int ctn_memory_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        const memory_data_key *k = find_data_key(db, swaps[i].exec_no);
        if (k && ctn_str_equal(k->key.wrapped, swaps[i].wrapped_before))
            ctn_memory_key_put(db, swaps[i].exec_no, &swaps[i].key);
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        memory_execution *e = ctn_memory_find_no(db, exec_nos[i]);
        ctn_memory_key_remove(db, exec_nos[i]);
        for (size_t k = 0; e && k < e->count; k++)
            e->records[k].sealed = ctn_sealed_without_boxes(db->arena, e->records[k].sealed);
    }
    memory_unlock(db);
    return CTN_OK;
}
