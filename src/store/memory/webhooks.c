/*
 * webhooks.c -- webhooks by name, and what could not be delivered to them.
 */
#include "store/memory/db.h"
#include "store/memory/ops.h"
#include <stdlib.h>

int ctn_memory_webhook_put(ctn_store *st, const ctn_webhook_row *row, ctn_err *err)
{
    (void) err;
    bool is_new;
    memory_db *db = memory_lock(st);
    ctn_webhook_row *kept = ctn_memory_table_put(&db->webhooks, &row->name, &is_new);
    *kept = *row;
    ctn_str *texts[] = {&kept->name,   &kept->definition, &kept->secret,
                        &kept->tenant, &kept->created_by, &kept->stopped};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ctn_arena_str(db->arena, *texts[i]);
    ctn_memory_changed(db);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_webhook_remove(ctn_store *st, ctn_str name, ctn_err *err)
{
    (void) err;
    size_t left = 0;
    memory_db *db = memory_lock(st);
    bool is_there = ctn_memory_table_find(&db->webhooks, &name) != NULL;
    ctn_memory_table_remove(&db->webhooks, &name);
    for (size_t i = 0; i < db->dead_letter_count; i++)
        if (!ctn_str_equal(db->dead_letters[i].webhook, name))
            db->dead_letters[left++] = db->dead_letters[i];
    db->dead_letter_count = left;
    if (is_there)
        ctn_memory_changed(db);
    memory_unlock(db);
    return is_there ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_memory_webhook_advance(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (size_t i = 0; i < count; i++) {
        ctn_webhook_row *row = ctn_memory_table_find(&db->webhooks, &reached[i].name);
        if (row)
            row->position = reached[i].position > row->position ? reached[i].position : row->position;
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_webhook_list(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    size_t count;
    memory_db *db = memory_lock(st);
    ctn_webhook_row *rows = ctn_memory_table_copy(&db->webhooks, &count);
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

/* ---- dead letters ---- */

static ctn_dead_letter *find(const memory_db *db, ctn_str webhook, int64_t position)
{
    for (size_t i = 0; i < db->dead_letter_count; i++)
        if (db->dead_letters[i].position == position && ctn_str_equal(db->dead_letters[i].webhook, webhook))
            return &db->dead_letters[i];
    return NULL;
}

int ctn_memory_dead_letter_put(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_dead_letter *kept = find(db, letter->webhook, letter->position);
    if (!kept) {
        GROW(db->dead_letters, db->dead_letter_count, db->dead_letter_capacity);
        kept = &db->dead_letters[db->dead_letter_count++];
    }
    *kept = *letter;
    kept->webhook = ctn_arena_str(db->arena, letter->webhook);
    kept->kind = ctn_arena_str(db->arena, letter->kind);
    kept->why = ctn_arena_str(db->arena, letter->why);
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_dead_letter_remove(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_dead_letter *found = find(db, webhook, position);
    if (found)
        *found = db->dead_letters[--db->dead_letter_count];
    memory_unlock(db);
    return found ? CTN_OK : CTN_E_NOT_FOUND;
}

/* The one with the lowest position behind `after`. */
static bool next_after(ctn_store *st, ctn_str webhook, int64_t after, ctn_dead_letter *ret)
{
    memory_db *db = memory_lock(st);
    const ctn_dead_letter *next = NULL;
    for (size_t i = 0; i < db->dead_letter_count; i++) {
        const ctn_dead_letter *letter = &db->dead_letters[i];
        if (letter->position > after && ctn_str_equal(letter->webhook, webhook) &&
            (!next || letter->position < next->position))
            next = letter;
    }
    if (next)
        *ret = *next;
    memory_unlock(db);
    return next != NULL;
}

int ctn_memory_dead_letter_list(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                                void *ctx, ctn_err *err)
{
    (void) err;
    ctn_dead_letter letter = {.position = after};
    while (limit-- && next_after(st, webhook, letter.position, &letter) && fn(ctx, &letter) == 0) {
    }
    return CTN_OK;
}
