/*
 * balance.c -- see balance.h.
 */
#include "fleet/balance.h"
#include <assert.h>

/* Until the shares are as they should be, others are about to give or take: a beat would be long to wait for that. */
#define UNSETTLED_LOOK_MS 250

static bool is_live(const ctn_node_row *node, int64_t now_ms)
{
    return node->is_live && node->expires_at_ms > now_ms;
}

/* Who may hold shards: those that live and stay. One whose lease has run out, and is not buried, keeps what it has
 * until it is; should it come back in time, nothing has moved. */
static uint32_t takers(const ctn_balance_view *v)
{
    uint32_t count = 0;
    for (size_t i = 0; i < v->beat->node_count; i++) {
        const ctn_node_row *node = &v->beat->nodes[i];
        count += is_live(node, v->beat->now_ms) && !node->is_leaving;
    }
    return count;
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

ctn_balance ctn_balance_decide(const ctn_balance_view *v)
{
    assert(v->draining <= v->held && v->shard_count > 0);
    int64_t ripe_ms = ripe_in_ms(v);
    ctn_balance b = {.recovers = ours_on_disk(v) > v->held, .buries = ripe_ms == 0, .look_in_ms = v->beat_ms};
    uint32_t nodes = v->is_leaving ? 0 : takers(v), kept = v->held - v->draining;
    if (nodes)
        b.fair_share = (v->shard_count + nodes - 1) / nodes;
    if (v->held < b.fair_share)
        b.take = least(b.fair_share - v->held, v->beat->free_count);
    if (kept > b.fair_share)
        b.give = kept - b.fair_share;
    /* What is left when all the others have a fair share: who has less waits for others to give. */
    uint32_t others = nodes ? (nodes - 1) * b.fair_share : 0;
    bool wants = nodes && others < v->shard_count && v->held + b.take < v->shard_count - others;
    bool is_unsettled = b.give || v->draining || v->beat->free_count > b.take || wants;
    if (is_unsettled && b.look_in_ms > UNSETTLED_LOOK_MS)
        b.look_in_ms = UNSETTLED_LOOK_MS;
    if (b.look_in_ms > ripe_ms)
        b.look_in_ms = ripe_ms;
    return b;
}
