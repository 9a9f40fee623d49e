/*
 * lines.c -- see lines.h. A hash table of chains, through the executions themselves.
 */
#include "engine/lines.h"
#include "base/memory.h"

#include <stdlib.h>

static loaded **slot_of(const ctn_lines *lines, ctn_str key)
{
    return &lines->slots[ctn_str_hash(key) & (lines->size - 1)];
}

static void put(ctn_lines *lines, loaded *l)
{
    loaded **slot = slot_of(lines, l->queue.key);
    l->queue.key_next = *slot;
    *slot = l;
}

static void grow(ctn_lines *lines)
{
    if (lines->count < lines->size)
        return;
    ctn_lines old = *lines;
    lines->size = old.size ? 2 * old.size : 64;
    lines->slots = ctn_calloc(lines->size, sizeof *lines->slots);
    for (size_t i = 0; i < old.size; i++)
        for (loaded *l = old.slots[i], *next; l; l = next) {
            next = l->queue.key_next;
            put(lines, l);
        }
    free(old.slots);
}

void ctn_lines_done(ctn_lines *lines)
{
    free(lines->slots);
}

void ctn_lines_join(ctn_lines *lines, loaded *l, ctn_str key)
{
    if (!key.len)
        return;
    grow(lines);
    l->queue.key = ctn_arena_str(l->arena, key);
    put(lines, l);
    lines->count++;
}

void ctn_lines_leave(ctn_lines *lines, loaded *l)
{
    if (!l->queue.key.len)
        return;
    loaded **at = slot_of(lines, l->queue.key);
    while (*at != l)
        at = &(*at)->queue.key_next;
    *at = l->queue.key_next;
    l->queue.key = (ctn_str){0};
    lines->count--;
}

bool ctn_lines_has_older(const ctn_lines *lines, ctn_str key, int64_t exec_no, uint32_t shard_count)
{
    for (const loaded *l = lines->size ? *slot_of(lines, key) : NULL; l; l = l->queue.key_next)
        if (l->exec_no < exec_no && l->exec_no % shard_count == exec_no % shard_count &&
            ctn_str_equal(l->queue.key, key) && !l->queue.is_over)
            return true;
    return false;
}
