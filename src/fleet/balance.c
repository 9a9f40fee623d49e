/*
 * balance.c -- see balance.h.
 */
#include "fleet/balance.h"
#include "chain/requires.h"
#include <assert.h>

/* Until the shares are as they should be, others are about to give or take: a beat would be long to wait for that. */
#define UNSETTLED_LOOK_MS 250

static bool is_live(const ctn_node_row *node, int64_t now_ms)
{
    return node->is_live && node->expires_at_ms > now_ms;
}

/* Who may hold shards: those that live and stay. One whose lease has run out, and is not buried, keeps what it has
 * until it is; should it come back in time, nothing has moved. */
static bool is_taker(const ctn_balance_view *v, const ctn_node_row *node)
{
    return is_live(node, v->beat->now_ms) && !node->is_leaving;
}

/* A part of the shards, and how many may have it. */
typedef struct part {
    ctn_shard_set shards;
    uint32_t takers;
    bool is_for_us;
} part;

static void count_takers(const ctn_balance_view *v, ctn_str requires, part *p)
{
    p->takers = 0;
    p->is_for_us = false;
    for (size_t i = 0; i < v->beat->node_count; i++) {
        const ctn_node_row *node = &v->beat->nodes[i];
        if (!is_taker(v, node) || (requires.len && !ctn_labels_text_meets(node->labels, requires)))
            continue;
        p->takers++;
        p->is_for_us |= node->incarnation == v->incarnation && !v->is_leaving;
    }
}

/* Those of a requirement; number need_count: all others. */
static part part_of(const ctn_balance_view *v, size_t number)
{
    part p = {0};
    if (number < v->beat->need_count) {
        p.shards = v->beat->needs[number].shards;
        count_takers(v, v->beat->needs[number].requires, &p);
    } else {
        for (uint32_t i = 0; i < v->shard_count; i++)
            ctn_shard_set_add(&p.shards, i);
        for (size_t i = 0; i < v->beat->need_count; i++)
            ctn_shard_set_cut(&p.shards, &v->beat->needs[i].shards);
    }
    if (!p.takers) /* nobody meets it */
        count_takers(v, (ctn_str){0}, &p);
    return p;
}

/* As the store counts them. */
static uint32_t ours_on_disk(const ctn_balance_view *v)
{
    for (size_t i = 0; i < v->beat->node_count; i++)
        if (v->beat->nodes[i].incarnation == v->incarnation)
            return v->beat->nodes[i].shard_count;
    return 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* When the first lease of another node would be ripe, from now; 0: one is. */
static int64_t ripe_in_ms(const ctn_balance_view *v)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < v->beat->node_count; i++) {
        const ctn_node_row *node = &v->beat->nodes[i];
        int64_t in_ms = node->expires_at_ms + v->settle_ms - v->beat->now_ms;
        if (node->is_live && node->incarnation != v->incarnation && in_ms < first_ms)
            first_ms = in_ms;
    }
    return first_ms < 0 ? 0 : first_ms;
}

/* True: it is as it should be. */
static bool share_out(const ctn_balance_view *v, const part *p, ctn_balance *b, uint32_t *ret_share)
{
    uint32_t count = ctn_shard_set_count(&p->shards), held = ctn_shard_set_count_in(&v->held, &p->shards);
    uint32_t kept = held - ctn_shard_set_count_in(&v->draining, &p->shards);
    uint32_t free_count = ctn_shard_set_count_in(&v->beat->free, &p->shards);
    uint32_t share = p->is_for_us ? (count + p->takers - 1) / p->takers : 0, take = 0;
    if (held < share)
        take = least(share - held, free_count);
    if (take && b->take)
        b->look_in_ms = 0;
    else if (take) {
        b->take = take;
        b->from = p->shards;
    }
    if (kept > share && !b->give) {
        b->give = kept - share;
        b->of = p->shards;
    }
    *ret_share = share;
    /* What is left when all the others have a fair share: who has less waits for others to give. */
    uint32_t others = p->is_for_us ? (p->takers - 1) * share : 0;
    bool wants = p->is_for_us && others < count && held + take < count - others;
    return kept <= share && kept == held && free_count <= take && !wants;
}

ctn_balance ctn_balance_decide(const ctn_balance_view *v)
{
    assert(v->shard_count > 0);
    int64_t ripe_ms = ripe_in_ms(v);
    ctn_balance b = {
        .recovers = ours_on_disk(v) > ctn_shard_set_count(&v->held), .buries = ripe_ms == 0, .look_in_ms = v->beat_ms};
    bool is_settled = true;
    for (size_t i = v->beat->need_count + 1; i-- > 0;) { /* first what is not set aside: it is the most */
        part p = part_of(v, i);
        uint32_t share;
        is_settled &= share_out(v, &p, &b, &share);
        if (i == v->beat->need_count)
            b.fair_share = share;
    }
    if (!is_settled && b.look_in_ms > UNSETTLED_LOOK_MS)
        b.look_in_ms = UNSETTLED_LOOK_MS;
    if (b.look_in_ms > ripe_ms)
        b.look_in_ms = ripe_ms;
    return b;
}
