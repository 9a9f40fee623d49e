/*
 * limits.c -- what there is once over all nodes: numbers, idempotency keys, places and tokens.
 */
#include "store/memory/fleet.h"

/* ---- numbers ---- */

int ctn_memory_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_fleet *fleet = db->fleet;
    int64_t behind = db->exec_no_last / fleet->shard_count + 1;
    if (fleet->number_next < behind) /* somebody numbered without asking */
        fleet->number_next = behind;
    *ret_first = fleet->number_next * fleet->shard_count;
    fleet->number_next += count;
    memory_unlock(db);
    return CTN_OK;
}

/* ---- idempotency keys ---- */

int ctn_memory_by_key(const void *row, const void *key)
{
    const memory_claimed_key *x = row, *y = key;
    int order = ctn_str_compare(x->chain_id, y->chain_id);
    return order ? order : ctn_str_compare(x->key, y->key);
}

int ctn_memory_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                         ctn_err *err)
{
    (void) err;
    bool is_new;
    memory_db *db = memory_lock(st);
    memory_claimed_key wanted = {.chain_id = chain_id, .key = key, .id = id};
    memory_claimed_key *kept = ctn_memory_table_put(&db->fleet->keys, &wanted, &is_new);
    if (is_new)
        *kept = (memory_claimed_key){ctn_arena_str(db->arena, chain_id), ctn_arena_str(db->arena, key), id};
    *ret_id = kept->id;
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_key_get(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_claimed_key wanted = {.chain_id = chain_id, .key = key};
    const memory_claimed_key *kept = ctn_memory_table_find(&db->fleet->keys, &wanted);
    *ret_id = kept ? kept->id : (ctn_execution_id){{0}};
    memory_unlock(db);
    return CTN_OK;
}

void ctn_memory_key_forget(memory_db *db, const ctn_execution_row *row)
{
    memory_claimed_key key = {.chain_id = row->chain_id, .key = row->idempotency_key};
    if (db->fleet && key.key.len)
        ctn_memory_table_remove(&db->fleet->keys, &key);
}

/* ---- places ---- */

int ctn_memory_by_claim(const void *row, const void *claim)
{
    const memory_claim *x = row, *y = claim;
    int order = ctn_str_compare(x->name, y->name);
    return order ? order : (x->incarnation > y->incarnation) - (x->incarnation < y->incarnation);
}

int ctn_memory_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                            int64_t *ret_granted, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_fleet *fleet = db->fleet;
    bool is_live = ctn_memory_node_live(db, incarnation) != NULL, is_new;
    if (is_live) {
        memory_claim key = {.name = name, .incarnation = incarnation};
        memory_claim *mine = ctn_memory_table_put(&fleet->claims, &key, &is_new);
        if (is_new)
            *mine = (memory_claim){.name = ctn_arena_str(db->arena, name), .incarnation = incarnation};
        int64_t left = max;
        const memory_claim *claims = fleet->claims.rows;
        for (size_t i = 0; i < fleet->claims.count; i++)
            if (&claims[i] != mine && ctn_str_equal(claims[i].name, name))
                left -= claims[i].count;
        int64_t could = wanted < left ? wanted : left;
        int64_t stays = wanted < mine->count ? wanted : mine->count;
        *ret_granted = mine->count = could > stays ? could : stays;
    }
    memory_unlock(db);
    return is_live ? CTN_OK : CTN_E_STALE;
}

/* ---- tokens ---- */

int ctn_memory_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                           int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err)
{
    (void) err;
    bool is_new;
    memory_db *db = memory_lock(st);
    int64_t now_ms = memory_now_ms(db);
    memory_bucket *bucket = ctn_memory_table_put(&db->fleet->buckets, &name, &is_new);
    if (is_new)
        *bucket = (memory_bucket){ctn_arena_str(db->arena, name), (double) burst, now_ms};
    if (now_ms > bucket->filled_at_ms) {
        bucket->level += (double) (now_ms - bucket->filled_at_ms) * per_second / 1000;
        bucket->filled_at_ms = now_ms;
    }
    if (bucket->level > (double) burst)
        bucket->level = (double) burst;
    int64_t there = (int64_t) bucket->level;
    *ret_taken = wanted < there ? wanted : there;
    bucket->level -= (double) *ret_taken;
    *ret_next_ms = bucket->level >= 1 ? 0 : (int64_t) ((1 - bucket->level) / per_second * 1000) + 1;
    memory_unlock(db);
    return CTN_OK;
}

/* ---- shards that are set aside ---- */

int ctn_memory_need_claim(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_fleet *fleet = db->fleet;
    uint32_t i = 0;
    while (i < fleet->need_count && !ctn_str_equal(fleet->needs[i], requires))
        i++;
    bool is_known = i < fleet->need_count, has_room = i < max;
    if (!is_known && has_room)
        fleet->needs[fleet->need_count++] = ctn_arena_str(db->arena, requires);
    *ret_number = i;
    memory_unlock(db);
    return is_known || has_room ? CTN_OK : CTN_E_LIMIT;
}

int ctn_memory_need_list(ctn_store *st, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_str *all = CTN_NEW_ARRAY(arena, ctn_str, db->fleet->need_count);
    for (uint32_t i = 0; i < db->fleet->need_count; i++)
        all[i] = db->fleet->needs[i]; /* their texts never move */
    *ret_requires = all;
    *ret_count = db->fleet->need_count;
    memory_unlock(db);
    return CTN_OK;
}
