/*
 * live.c -- see live.h.
 */
#include "engine/live.h"
#include "base/memory.h"

#include <stdlib.h>

static size_t map_slot(const ctn_live *live, ctn_execution_id id)
{
    uint64_t h;
    memcpy(&h, id.bytes + 8, sizeof h); /* the random end of a UUIDv7 */
    return (size_t) (h * 0x9E3779B97F4A7C15u >> 20) & (live->map_size - 1);
}

static void map_put(ctn_live *live, loaded *l)
{
    size_t slot = map_slot(live, l->id);
    l->map_next = live->map[slot];
    live->map[slot] = l;
}

static void map_grow(ctn_live *live)
{
    if (live->count < live->map_size)
        return;
    free(live->map);
    live->map_size = live->map_size ? 2 * live->map_size : 512;
    live->map = ctn_calloc(live->map_size, sizeof *live->map);
    for (loaded *l = live->first; l; l = l->next)
        map_put(live, l);
}

void ctn_live_done(ctn_live *live)
{
    ctn_heap_done(&live->due);
    free(live->map);
}

loaded *ctn_live_find(const ctn_live *live, ctn_execution_id id)
{
    for (loaded *l = live->map_size ? live->map[map_slot(live, id)] : NULL; l; l = l->map_next)
        if (ctn_id_equal(l->id, id))
            return l;
    return NULL;
}

void ctn_live_add(ctn_live *live, loaded *l)
{
    map_grow(live);
    map_put(live, l);
    l->next = live->first;
    if (live->first)
        live->first->prev = l;
    live->first = l;
    live->count++;
}

static void forget_to_perform(ctn_live *live, loaded *l)
{
    loaded **at = &live->to_perform, *before = NULL;
    if (!l->is_to_perform)
        return;
    for (; *at != l; at = &(*at)->perform_next)
        before = *at;
    *at = l->perform_next;
    if (live->to_perform_last == l)
        live->to_perform_last = before;
}

void ctn_live_remove(ctn_live *live, loaded *l)
{
    ctn_heap_remove(&live->due, &l->due);
    forget_to_perform(live, l);
    loaded **at = &live->map[map_slot(live, l->id)];
    while (*at != l)
        at = &(*at)->map_next;
    *at = l->map_next;
    if (l->prev)
        l->prev->next = l->next;
    else
        live->first = l->next;
    if (l->next)
        l->next->prev = l->prev;
    live->count--;
}

void ctn_live_wake_at(ctn_live *live, loaded *l, int64_t at_ms)
{
    if (!l->advance_at_ms || at_ms < l->advance_at_ms)
        l->advance_at_ms = at_ms;
    ctn_heap_set(&live->due, &l->due, l->due.slot && l->due.due_ms < at_ms ? l->due.due_ms : at_ms);
}

void ctn_live_set_due(ctn_live *live, loaded *l, int64_t wake_at_ms)
{
    int64_t due_ms = wake_at_ms && (!l->advance_at_ms || wake_at_ms < l->advance_at_ms) ? wake_at_ms : l->advance_at_ms;
    if (due_ms)
        ctn_heap_set(&live->due, &l->due, due_ms);
    else
        ctn_heap_remove(&live->due, &l->due);
}

int64_t ctn_live_due_ms(const ctn_live *live)
{
    const ctn_heap_node *node = ctn_heap_first(&live->due);
    return node ? node->due_ms : 0;
}

loaded *ctn_live_take_due(ctn_live *live, int64_t now_ms)
{
    ctn_heap_node *node = ctn_heap_first(&live->due);
    if (!node || node->due_ms > now_ms)
        return NULL;
    ctn_heap_remove(&live->due, node);
    return (loaded *) node;
}

void ctn_live_to_perform(ctn_live *live, loaded *l)
{
    if (l->is_to_perform)
        return;
    l->is_to_perform = true;
    l->perform_next = NULL;
    if (live->to_perform_last)
        live->to_perform_last->perform_next = l;
    else
        live->to_perform = l;
    live->to_perform_last = l;
}

loaded *ctn_live_take_to_perform(ctn_live *live)
{
    loaded *l = live->to_perform;
    if (!l)
        return NULL;
    live->to_perform = l->perform_next;
    if (!live->to_perform)
        live->to_perform_last = NULL;
    l->is_to_perform = false;
    return l;
}
