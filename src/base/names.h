/*
 * names.h -- a set of names numbered 0, 1, 2, ... in the order they were added, found in constant time.
 *
 * Ownership  Everything lives in the arena; the names' bytes are borrowed.
 */
#pragma once
#include "base/arena.h"

#define CTN_NAMES_NONE UINT32_MAX

typedef struct ctn_names {
    ctn_arena *arena;
    ctn_str *items; /* number -> name */
    uint32_t count, capacity;
    uint32_t *slots; /* number + 1; 0 = free. A power of two, at most half full. */
    uint32_t slot_count;
} ctn_names;

void ctn_names_init(ctn_names *names, ctn_arena *arena);
/* The number of the name, NONE when it is not there. */
uint32_t ctn_names_find(const ctn_names *names, ctn_str name);
/* The number it has or gets. */
uint32_t ctn_names_add(ctn_names *names, ctn_str name);
