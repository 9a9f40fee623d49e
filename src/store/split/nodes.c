/*
 * nodes.c -- a node is a row in each database, under a number of its own in each; its name says which belong together.
 * Callers see the number that it has in the first.
 */
#include "store/split/nodes.h"
#include "base/memory.h"
#include <stdlib.h>

/* ---- whose number is whose ---- */

int ctn_split_keep_node(void *ctx, const ctn_node_row *row)
{
    split_nodes *n = ctx;
    n->rows = ctn_arena_room(n->arena, n->rows, n->count, &n->capacity, sizeof *n->rows);
    ctn_node_row *kept = &n->rows[n->count++];
    *kept = *row;
    ctn_str *texts[] = {&kept->name, &kept->version, &kept->address, &kept->labels};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ctn_arena_str(n->arena, *texts[i]);
    return 0;
}

ctn_node_row *ctn_split_living(const split_nodes *nodes, ctn_str name)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->rows[i].is_live && ctn_str_equal(nodes->rows[i].name, name))
            return &nodes->rows[i];
    return NULL;
}

int64_t ctn_split_number_in_first(const split_nodes *first, const split_nodes *there, int64_t incarnation)
{
    for (size_t i = 0; i < there->count; i++)
        if (there->rows[i].incarnation == incarnation) {
            const ctn_node_row *row = ctn_split_living(first, there->rows[i].name);
            return row ? row->incarnation : -incarnation; /* somebody whom the first does not know */
        }
    return -incarnation;
}

static ctn_str name_of(const split_nodes *nodes, int64_t incarnation)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->rows[i].incarnation == incarnation)
            return nodes->rows[i].name;
    return (ctn_str){0};
}

/* The numbers of the node that has this one in the first, into ret (one a part). 0: it does not live there. */
static int numbers_of(ctn_store *base, int64_t incarnation, int64_t *ret, ctn_err *err)
{
    split_store *s = (split_store *) base;
    ctn_arena *arena = ctn_arena_new(4096);
    split_nodes first = {.arena = arena};
    int rc = CTN_OK;
    bool is_ours = incarnation && incarnation == s->parts[0].incarnation;
    for (size_t i = 0; i < s->count; i++)
        ret[i] = is_ours ? s->parts[i].incarnation : 0;
    if (is_ours || !incarnation)
        goto done;
    rc = s->parts[0].st->ops->fleet->node_list(s->parts[0].st, ctn_split_keep_node, &first, err);
    ctn_str name = name_of(&first, incarnation);
    ret[0] = incarnation;
    for (size_t i = 1; rc == CTN_OK && i < s->count; i++) {
        split_nodes there = {.arena = arena};
        rc = s->parts[i].st->ops->fleet->node_list(s->parts[i].st, ctn_split_keep_node, &there, err);
        const ctn_node_row *row = rc ? NULL : ctn_split_living(&there, name);
        ret[i] = row ? row->incarnation : 0;
    }
done:
    ctn_arena_free(arena);
    return rc;
}

/* ---- a life ---- */

static void leave_all(split_store *s, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i])
            (void) s->parts[i].st->ops->fleet->node_leave(s->parts[i].st, numbers[i], NULL);
}

int ctn_split_node_join(ctn_store *base, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation,
                        ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t numbers[SPLIT_PARTS_MAX] = {0};
    for (size_t i = 0; i < s->count; i++) {
        int rc = s->parts[i].st->ops->fleet->node_join(s->parts[i].st, node, term_ms, &numbers[i], err);
        if (rc) {
            leave_all(s, numbers, i);
            return rc;
        }
    }
    for (size_t i = 0; i < s->count; i++)
        s->parts[i].incarnation = numbers[i];
    *ret_incarnation = numbers[0];
    return CTN_OK;
}

int ctn_split_handle_of(ctn_store *base, int64_t incarnation, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t numbers[SPLIT_PARTS_MAX];
    int rc = numbers_of(base, incarnation, numbers, err);
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        if (incarnation && !numbers[i])
            return CTN_E_STALE; /* one of them took it for dead */
        rc = s->parts[i].st->ops->fleet->handle_of(s->parts[i].st, numbers[i], err);
        s->parts[i].incarnation = rc ? 0 : numbers[i];
    }
    return rc;
}

void ctn_split_shards_held(ctn_store *base, const ctn_shard_set *held)
{
    split_store *s = (split_store *) base;
    for (size_t i = 0; i < s->count; i++)
        s->parts[i].st->ops->fleet->shards_held(s->parts[i].st, held);
}

int ctn_split_node_leave(ctn_store *base, int64_t incarnation, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t numbers[SPLIT_PARTS_MAX];
    int rc = numbers_of(base, incarnation, numbers, err);
    for (size_t i = s->count; rc == CTN_OK && i-- > 0;) /* the first last: by it the others are found again */
        if (numbers[i])
            rc = s->parts[i].st->ops->fleet->node_leave(s->parts[i].st, numbers[i], err);
    return rc;
}

int ctn_split_nodes_bury(ctn_store *base, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int rc = CTN_OK;
    *ret_buried = 0;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        uint32_t buried = 0;
        rc = s->parts[i].st->ops->fleet->nodes_bury(s->parts[i].st, settle_ms, &buried, err);
        if (buried > *ret_buried)
            *ret_buried = buried;
    }
    return rc;
}

/* What the others know of it is added to what the first one says. */
static void add_shards(split_nodes *all, const ctn_node_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ctn_node_row *row = rows[i].is_live ? ctn_split_living(all, rows[i].name) : NULL;
        if (row)
            row->shard_count += rows[i].shard_count;
    }
}

int ctn_split_node_list(ctn_store *base, ctn_node_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    split_nodes all = {.arena = ctn_arena_new(4096)};
    int rc = s->parts[0].st->ops->fleet->node_list(s->parts[0].st, ctn_split_keep_node, &all, err);
    for (size_t i = 1; rc == CTN_OK && i < s->count; i++) {
        split_nodes there = {.arena = all.arena};
        rc = s->parts[i].st->ops->fleet->node_list(s->parts[i].st, ctn_split_keep_node, &there, err);
        add_shards(&all, there.rows, there.count);
    }
    for (size_t i = 0; rc == CTN_OK && i < all.count && fn(ctx, &all.rows[i]) == 0; i++) {
    }
    ctn_arena_free(all.arena);
    return rc;
}

int ctn_split_node_beat(ctn_store *base, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                        ctn_beat *ret, ctn_err *err)
{
    split_store *s = (split_store *) base;
    int64_t numbers[SPLIT_PARTS_MAX];
    split_nodes all = {.arena = arena};
    int rc = numbers_of(base, incarnation, numbers, err);
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        const split_part *part = &s->parts[i];
        ctn_beat beat = {0};
        rc = numbers[i] ? part->st->ops->fleet->node_beat(part->st, numbers[i], term_ms, is_leaving, arena, &beat, err)
                        : CTN_E_STALE;
        if (rc)
            break;
        for (uint32_t k = 0; k < s->shard_count; k++) /* nobody takes those of the others */
            if (k < part->first || k > part->last)
                ctn_shard_set_remove(&beat.free, k);
        beat.free_count = ctn_shard_set_count(&beat.free);
        if (i == 0) {
            *ret = beat;
            for (size_t k = 0; k < beat.node_count; k++)
                (void) ctn_split_keep_node(&all, &beat.nodes[k]);
            continue;
        }
        ret->free_count += beat.free_count;
        ctn_shard_set_put(&ret->free, &beat.free);
        ret->requests += beat.requests;
        add_shards(&all, beat.nodes, beat.node_count);
    }
    if (rc == CTN_E_STALE) /* dead in one, dead in all: it will join anew */
        leave_all(s, numbers, s->count);
    if (rc == CTN_OK) {
        ret->nodes = all.rows;
        ret->node_count = all.count;
    }
    return rc;
}
