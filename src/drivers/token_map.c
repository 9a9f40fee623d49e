/*
 * token_map.c -- a hash table in one array.
 *
 * Open addressing with linear probing, at most three quarters full. What must hold: from a key's home slot to its
 * own there is no free slot; so taking one out moves later keys of the same run back over the gap.
 */
#include "drivers/token_map.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

/* Keys are counters: Fibonacci hashing spreads them over the table. */
static size_t home_of(const ctn_token_map *map, uint64_t key)
{
    return (size_t) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->capacity - 1);
}

static size_t slot_of(const ctn_token_map *map, uint64_t key)
{
    size_t i = home_of(map, key);
    while (map->slots[i].key != 0 && map->slots[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    return i;
}

static void grow(ctn_token_map *map)
{
    ctn_token_map larger = {.count = map->count, .capacity = map->capacity ? map->capacity * 2 : 64};
    larger.slots = ctn_realloc_array(NULL, larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < larger.capacity; i++)
        larger.slots[i] = (ctn_token_slot){0};
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key)
            larger.slots[slot_of(&larger, map->slots[i].key)] = map->slots[i];
    free(map->slots);
    *map = larger;
}

void ctn_token_map_done(ctn_token_map *map)
{
    free(map->slots);
    *map = (ctn_token_map){0};
}

void ctn_token_map_put(ctn_token_map *map, uint64_t key, void *value)
{
    assert(key != 0 && value);
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    size_t i = slot_of(map, key);
    assert(map->slots[i].key == 0);
    map->slots[i] = (ctn_token_slot){.key = key, .value = value};
    map->count++;
}

void *ctn_token_map_get(const ctn_token_map *map, uint64_t key)
{
    if (map->count == 0 || key == 0)
        return NULL;
    return map->slots[slot_of(map, key)].value;
}

void *ctn_token_map_take(ctn_token_map *map, uint64_t key)
{
    if (map->count == 0 || key == 0)
        return NULL;
    size_t gap = slot_of(map, key);
    void *value = map->slots[gap].value;
    if (!value)
        return NULL;
    map->count--;
    for (size_t i = gap;;) {
        i = (i + 1) & (map->capacity - 1);
        if (map->slots[i].key == 0)
            break;
        /* May the key at i stand in the gap? Yes, unless its home lies between the two. */
        size_t home = home_of(map, map->slots[i].key);
        size_t from_home = (i - home) & (map->capacity - 1), from_gap = (i - gap) & (map->capacity - 1);
        if (from_home >= from_gap) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = (ctn_token_slot){0};
    return value;
}
