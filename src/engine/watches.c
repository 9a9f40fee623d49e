/*
 * watches.c -- see watches.h. Open addressing; the table is at most half full, and is made anew without those that are
 * watched no more when it would not be.
 */
#include "engine/watches.h"
#include "base/memory.h"

#include <stdlib.h>

/* The slot of a child, or the free one where it belongs; the table has free ones. */
static ctn_watch *slot_of(ctn_watch *slots, uint32_t size, ctn_execution_id child)
{
    uint64_t h;
    memcpy(&h, child.bytes + 8, sizeof h);
    uint32_t i = (uint32_t) (h * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
    while (!ctn_id_is_none(slots[i].child) && !ctn_id_equal(slots[i].child, child))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static bool is_watched(const ctn_watches *watches, const ctn_watch *w)
{
    return !ctn_id_is_none(w->child) && w->seen == watches->round;
}

void ctn_watches_done(ctn_watches *watches)
{
    free(watches->slots);
}

ctn_watch *ctn_watches_find(const ctn_watches *watches, ctn_execution_id child)
{
    ctn_watch *w = watches->size ? slot_of(watches->slots, watches->size, child) : NULL;
    return w && is_watched(watches, w) ? w : NULL;
}

const ctn_watch *ctn_watches_next(const ctn_watches *watches, const ctn_watch *after)
{
    for (uint32_t i = after ? (uint32_t) (after - watches->slots) + 1 : 0; i < watches->size; i++)
        if (is_watched(watches, &watches->slots[i]))
            return &watches->slots[i];
    return NULL;
}

static void resize(ctn_watches *watches, uint32_t size)
{
    ctn_watch *slots = ctn_calloc(size, sizeof *slots);
    watches->count = 0;
    for (const ctn_watch *w = NULL; (w = ctn_watches_next(watches, w)); watches->count++)
        *slot_of(slots, size, w->child) = *w;
    free(watches->slots);
    watches->slots = slots;
    watches->size = size;
}

void ctn_watches_begin(ctn_watches *watches, size_t count)
{
    uint32_t size = watches->size ? watches->size : 8;
    if (!watches->size || 2 * (watches->count + count) > size) {
        while (size < 4 * count)
            size *= 2;
        resize(watches, size);
        if (2 * (watches->count + count) > size)
            resize(watches, 2 * size);
    }
    watches->round++;
    watches->open = 0;
}

ctn_watch *ctn_watches_see(ctn_watches *watches, ctn_execution_id child, ctn_role role)
{
    ctn_watch *w = slot_of(watches->slots, watches->size, child);
    watches->count += ctn_id_is_none(w->child);
    if (ctn_id_is_none(w->child) || w->seen + 1 < watches->round || w->role != role)
        *w = (ctn_watch){.child = child, .role = role};
    w->seen = watches->round;
    return w;
}

bool ctn_watches_are_settled(const ctn_watches *watches, const ctn_owed *owed)
{
    for (size_t i = 0; i < owed->child_count; i++) {
        const ctn_watch *w = ctn_watches_find(watches, owed->children[i].child);
        if (!w || w->role != owed->children[i].role || w->settled != (int) owed->children[i].wanted + 1)
            return false;
    }
    return true;
}
