/*
 * names.c -- open addressing over an array of names. Slots hold numbers, not pointers, so growing is a matter
 * of laying out the numbers again; nothing is ever removed.
 */
#include "base/names.h"
#include <assert.h>

/* FNV-1a. A file's author could make names collide; he would slow down only his own check. */
static uint32_t hash_of(ctn_str name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t) name.ptr[i]) * 16777619u;
    return hash ^ (hash >> 15);
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *slot_of(const ctn_names *names, ctn_str name)
{
    uint32_t mask = names->slot_count - 1;
    for (uint32_t i = hash_of(name) & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &names->slots[i];
        if (*slot == 0 || ctn_str_equal(names->items[*slot - 1], name))
            return slot;
    }
}

static void grow(ctn_names *names)
{
    uint32_t capacity = names->capacity ? names->capacity * 2 : 8;
    assert(capacity <= UINT32_MAX / 4);
    ctn_str *items = CTN_NEW_ARRAY(names->arena, ctn_str, capacity);
    if (names->count)
        memcpy(items, names->items, names->count * sizeof *items);
    names->items = items;
    names->capacity = capacity;
    names->slot_count = capacity * 2;
    names->slots = CTN_NEW_ARRAY(names->arena, uint32_t, names->slot_count);
    for (uint32_t i = 0; i < names->count; i++)
        *slot_of(names, items[i]) = i + 1;
}

void ctn_names_init(ctn_names *names, ctn_arena *arena)
{
    *names = (ctn_names){.arena = arena};
}

uint32_t ctn_names_find(const ctn_names *names, ctn_str name)
{
    if (names->count == 0)
        return CTN_NAMES_NONE;
    uint32_t slot = *slot_of(names, name);
    return slot ? slot - 1 : CTN_NAMES_NONE;
}

uint32_t ctn_names_add(ctn_names *names, ctn_str name)
{
    uint32_t found = ctn_names_find(names, name);
    if (found != CTN_NAMES_NONE)
        return found;
    if (names->count == names->capacity)
        grow(names);
    names->items[names->count] = name;
    *slot_of(names, name) = names->count + 1;
    return names->count++;
}
