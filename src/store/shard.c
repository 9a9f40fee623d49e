/*
 * shard.c -- where something lives: said by its number, its id or its name, in every process and every version alike.
 */
#include "store/backend.h"
#include <assert.h>

bool ctn_store_is_fleet(const ctn_store *st)
{
    return st->ops->fleet != NULL;
}

uint32_t ctn_store_shard_count(const ctn_store *st)
{
    return st->ops->fleet ? st->ops->fleet->shard_count(st) : 1;
}

uint32_t ctn_shard_of_id(ctn_execution_id id, uint32_t shard_count)
{
    assert(shard_count > 0);
    return ((uint32_t) (id.bytes[14] & 3) << 8 | id.bytes[15]) % shard_count;
}

int ctn_store_shard_of_execution(ctn_store *st, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err)
{
    const ctn_fleet_ops *fleet = st->ops->fleet;
    if (fleet && fleet->shard_of_execution)
        return fleet->shard_of_execution(st, id, ret_shard, err);
    *ret_shard = ctn_shard_of_id(id, ctn_store_shard_count(st));
    return CTN_OK;
}

void ctn_shard_into_id(ctn_execution_id *id, uint32_t shard)
{
    assert(shard < CTN_SHARDS_MAX);
    id->bytes[14] = (uint8_t) ((id->bytes[14] & ~3u) | shard >> 8);
    id->bytes[15] = (uint8_t) shard;
}

static uint32_t shard_of_words(const ctn_str *words, size_t count, uint32_t shard_count)
{
    ctn_hasher hasher;
    ctn_hasher_init(&hasher);
    for (size_t i = 0; i < count; i++) {
        if (i)
            ctn_hasher_add(&hasher, (ctn_str){"", 1});
        ctn_hasher_add(&hasher, words[i]);
    }
    ctn_digest digest = ctn_hasher_finish(&hasher);
    return ((uint32_t) digest.bytes[0] << 8 | digest.bytes[1]) % shard_count;
}

uint32_t ctn_shard_of_name(ctn_str kind, ctn_str name, uint32_t shard_count)
{
    const ctn_str words[] = {kind, name};
    return shard_of_words(words, 2, shard_count);
}

uint32_t ctn_shard_of_key(ctn_str chain_id, ctn_str key, uint32_t shard_count)
{
    const ctn_str words[] = {CTN_STR("key"), chain_id, key};
    return shard_of_words(words, 3, shard_count);
}

/* ---- set aside ---- */

#define NEED_STRIDES 64 /* each requirement gets one of so many shards; they take every other one */

uint32_t ctn_needs_max(uint32_t shard_count)
{
    uint32_t half = (shard_count + 1) / 2;
    return half < CTN_NEEDS_MAX ? half : CTN_NEEDS_MAX;
}

ctn_shard_set ctn_shards_of_need(uint32_t number, uint32_t shard_count)
{
    assert(number < ctn_needs_max(shard_count));
    ctn_shard_set set = {{0}};
    uint32_t count = shard_count < NEED_STRIDES ? 1 : shard_count / NEED_STRIDES;
    for (uint32_t i = 0; i < count; i++)
        ctn_shard_set_add(&set, (2 * number + 1) % shard_count + i * (shard_count / count));
    return set;
}

const ctn_need *ctn_needs_of(const ctn_str *requires, size_t count, uint32_t shard_count, ctn_arena *arena)
{
    ctn_need *needs = CTN_NEW_ARRAY(arena, ctn_need, count);
    for (uint32_t i = 0; i < count; i++)
        needs[i] = (ctn_need){.requires = requires[i], .shards = ctn_shards_of_need(i, shard_count)};
    return needs;
}
