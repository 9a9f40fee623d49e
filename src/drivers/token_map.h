/*
 * token_map.h -- from a call's number to the call: 64-bit keys, 0 excluded, to pointers.
 *
 * Ownership  Zero-initialise; done frees the table, not what it points to.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct ctn_token_slot {
    uint64_t key; /* 0: free */
    void *value;
} ctn_token_slot;

typedef struct ctn_token_map {
    ctn_token_slot *slots;
    size_t count, capacity; /* capacity: a power of two, or 0 */
} ctn_token_map;

void ctn_token_map_done(ctn_token_map *map);
/* The key must not be there yet. */
void ctn_token_map_put(ctn_token_map *map, uint64_t key, void *value);
void *ctn_token_map_get(const ctn_token_map *map, uint64_t key); /* NULL: not there */
void *ctn_token_map_take(ctn_token_map *map, uint64_t key);      /* removes it; NULL: was not there */
