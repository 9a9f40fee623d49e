/*
 * tool_pins.c -- pinned tools, by target.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

int ctn_memory_tool_pin_put(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        ctn_tool_pin *kept = ctn_memory_table_put(&db->tool_pins, &pins[i].target, &is_new);
        *kept = pins[i];
        kept->target = ctn_arena_str(db->arena, pins[i].target);
        kept->definition = ctn_arena_str(db->arena, pins[i].definition);
        kept->pinned_by = ctn_arena_str(db->arena, pins[i].pinned_by);
        kept->seen = ctn_arena_str(db->arena, pins[i].seen);
    }
    ctn_memory_changed(db);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_tool_pin_list(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_tool_pin *pins = ctn_memory_table_copy(&db->tool_pins, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &pins[i]) == 0; i++) {
    }
    free(pins);
    return CTN_OK;
}
