/*
 * nodes.c -- who lives: joining, beats, good-byes, and which node a handle is of.
 */
#include "store/memory/fleet.h"
#include <stdlib.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static memory_node *find(const memory_db *db, int64_t incarnation)
{
    return ctn_memory_table_find(&db->fleet->nodes, &incarnation);
}

ctn_node_row *ctn_memory_node_live(const memory_db *db, int64_t incarnation)
{
    memory_node *node = find(db, incarnation);
    return node && node->row.is_live ? &node->row : NULL;
}

/* With what is counted. */
static ctn_node_row row_of(const memory_db *db, const memory_node *node)
{
    ctn_node_row row = node->row;
    for (uint32_t i = 0; i < db->fleet->shard_count; i++)
        row.shard_count += db->fleet->shards[i].holder == node->incarnation;
    return row;
}

int ctn_memory_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                         ctn_err *err)
{
    memory_db *db = memory_lock(st);
    memory_fleet *fleet = db->fleet;
    int rc = CTN_OK;
    int64_t now_ms = memory_now_ms(db);
    for (size_t i = 0; i < fleet->nodes.count && rc == CTN_OK; i++) {
        const ctn_node_row *other = &memory_node_at(fleet, i)->row;
        if (other->is_live && other->expires_at_ms > now_ms && ctn_str_equal(other->name, node->name))
            rc = ctn_store_fail_node_exists(other, err);
    }
    if (rc == CTN_OK) {
        bool is_new;
        int64_t incarnation = ++fleet->incarnation_last;
        memory_node *kept = ctn_memory_table_put(&fleet->nodes, &incarnation, &is_new);
        *kept = (memory_node){.incarnation = incarnation,
                              .row = {.name = ctn_arena_str(db->arena, node->name),
                                      .incarnation = incarnation,
                                      .version = ctn_arena_str(db->arena, node->version),
                                      .address = ctn_arena_str(db->arena, node->address),
                                      .labels = ctn_arena_str(db->arena, node->labels),
                                      .joined_at_ms = now_ms,
                                      .beat_at_ms = now_ms,
                                      .expires_at_ms = now_ms + term_ms,
                                      .is_live = true}};
        ((memory_store *) st)->incarnation = incarnation;
        ((memory_store *) st)->held = (ctn_shard_set){0};
        *ret_incarnation = incarnation;
    }
    memory_unlock(db);
    return rc;
}

int ctn_memory_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    (void) err;
    ((memory_store *) st)->incarnation = incarnation;
    ((memory_store *) st)->held = (ctn_shard_set){0};
    return CTN_OK;
}

void ctn_memory_shards_held(ctn_store *st, const ctn_shard_set *held)
{
    ((memory_store *) st)->held = *held;
}

int ctn_memory_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                         ctn_beat *ret, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    memory_fleet *fleet = db->fleet;
    ctn_node_row *mine = ctn_memory_node_live(db, incarnation);
    int64_t now_ms = memory_now_ms(db);
    if (mine) {
        mine->beat_at_ms = now_ms;
        mine->expires_at_ms = now_ms + term_ms;
        mine->is_leaving = is_leaving;
        ctn_node_row *rows = CTN_NEW_ARRAY(arena, ctn_node_row, fleet->nodes.count);
        *ret = (ctn_beat){.now_ms = now_ms,
                          .nodes = rows,
                          .requests = ctn_memory_requests_count(db, incarnation),
                          .changes = db->changes};
        for (size_t i = 0; i < fleet->nodes.count; i++)
            if (memory_node_at(fleet, i)->row.is_live)
                rows[ret->node_count++] = row_of(db, memory_node_at(fleet, i)); /* their texts never move */
        for (uint32_t i = 0; i < fleet->shard_count; i++)
            if (fleet->shards[i].holder == 0) {
                ctn_shard_set_add(&ret->free, i);
                ret->free_count++;
            }
        ret->needs = ctn_needs_of(fleet->needs, fleet->need_count, fleet->shard_count, arena);
        ret->need_count = fleet->need_count;
    }
    memory_unlock(db);
    return mine ? CTN_OK : CTN_E_STALE;
}

int ctn_memory_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    ctn_node_row *mine = ctn_memory_node_live(db, incarnation);
    if (mine) {
        mine->expires_at_ms = memory_now_ms(db);
        ctn_memory_node_end(db, mine, false);
    }
    memory_unlock(db);
    return mine ? CTN_OK : CTN_E_STALE;
}

static int compare_names(const void *a, const void *b)
{
    const ctn_node_row *x = a, *y = b;
    int order = ctn_str_compare(x->name, y->name);
    return order ? order : (x->incarnation > y->incarnation) - (x->incarnation < y->incarnation);
}

int ctn_memory_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    int64_t dead_since_ms = memory_now_ms(db) - DAY_MS;
    size_t count = 0;
    ctn_node_row *rows = ctn_calloc(db->fleet->nodes.count + 1, sizeof *rows);
    for (size_t i = 0; i < db->fleet->nodes.count; i++) {
        const memory_node *node = memory_node_at(db->fleet, i);
        if (node->row.is_live || node->row.expires_at_ms > dead_since_ms)
            rows[count++] = row_of(db, node);
    }
    memory_unlock(db);
    qsort(rows, count, sizeof *rows, compare_names);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}
