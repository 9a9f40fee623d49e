/*
 * lanes.c -- see lanes.h.
 *
 * Self-clocked fair queueing: the lanes' time is the time of the last turn; the next turn of a lane comes one share
 * after its last one, or after now when it was idle. A share is 512 at priority 0 and 1 at priority 9. The lane with
 * the earliest turn is next; among equals the higher priority, then the one that has waited since the earlier number.
 */
#include "engine/lanes.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t share_of(const ctn_lane *lane)
{
    int priority = lane->priority < 0 ? 0 : lane->priority > 9 ? 9 : lane->priority;
    return (uint64_t) 512 >> priority;
}

static bool has_work(const ctn_lane *lane)
{
    return lane->count || lane->has_more;
}

void ctn_lanes_done(ctn_lanes *lanes)
{
    for (ctn_lane *l = lanes->first, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    for (ctn_lane_chain *c = lanes->chains, *next; c; c = next) {
        next = c->next;
        free(c->chain_id);
        free(c);
    }
    *lanes = (ctn_lanes){0};
}

ctn_lane_chain *ctn_lanes_chain(ctn_lanes *lanes, ctn_str chain_id)
{
    for (ctn_lane_chain *c = lanes->chains; c; c = c->next)
        if (ctn_str_is(chain_id, c->chain_id))
            return c;
    ctn_lane_chain *c = ctn_malloc(sizeof *c);
    char *name = ctn_malloc(chain_id.len + 1);
    if (chain_id.len)
        memcpy(name, chain_id.ptr, chain_id.len);
    name[chain_id.len] = '\0';
    *c = (ctn_lane_chain){.chain_id = name, .next = lanes->chains};
    lanes->chains = c;
    return c;
}

ctn_lane *ctn_lanes_lane(ctn_lanes *lanes, ctn_str chain_id, int priority)
{
    for (ctn_lane *l = lanes->first; l; l = l->next)
        if (l->priority == priority && ctn_str_is(chain_id, l->chain->chain_id))
            return l;
    ctn_lane *l = ctn_malloc(sizeof *l);
    *l = (ctn_lane){.chain = ctn_lanes_chain(lanes, chain_id), .priority = priority, .next = lanes->first};
    lanes->first = l;
    return l;
}

/* It has work from now on: a lane that idled saved nothing up. */
static void begin_waiting(ctn_lanes *lanes, ctn_lane *lane)
{
    if (has_work(lane))
        return;
    lanes->waiting++;
    uint64_t earliest = lanes->time + share_of(lane);
    if (lane->turn_at < earliest)
        lane->turn_at = earliest;
}

static void end_waiting(ctn_lanes *lanes, const ctn_lane *lane, bool had_work)
{
    if (had_work && !has_work(lane))
        lanes->waiting--;
}

void ctn_lane_expect(ctn_lanes *lanes, ctn_lane *lane)
{
    begin_waiting(lanes, lane);
    lane->has_more = true;
}

void ctn_lane_add(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item item)
{
    size_t at = lane->count;
    while (at > 0 && lane->items[(lane->first + at - 1) % CTN_LANE_HOLDS].exec_no > item.exec_no)
        at--;
    bool is_there = at > 0 && lane->items[(lane->first + at - 1) % CTN_LANE_HOLDS].exec_no == item.exec_no;
    if (is_there || (lane->has_more && at == lane->count))
        return;
    begin_waiting(lanes, lane);
    if (lane->count == CTN_LANE_HOLDS) {
        lane->has_more = true;
        if (at == CTN_LANE_HOLDS)
            return;
        lane->count--; /* the last one goes back: it is in the store */
    }
    for (size_t i = lane->count; i > at; i--)
        lane->items[(lane->first + i) % CTN_LANE_HOLDS] = lane->items[(lane->first + i - 1) % CTN_LANE_HOLDS];
    lane->items[(lane->first + at) % CTN_LANE_HOLDS] = item;
    lane->count++;
}

void ctn_lane_refill(ctn_lanes *lanes, ctn_lane *lane, const ctn_lane_item *items, size_t count, bool has_more)
{
    assert(count <= CTN_LANE_HOLDS);
    bool had_work = has_work(lane);
    if (!had_work && (count || has_more))
        begin_waiting(lanes, lane);
    if (count)
        memcpy(lane->items, items, count * sizeof *items);
    lane->first = 0;
    lane->count = count;
    lane->has_more = has_more;
    end_waiting(lanes, lane, had_work);
}

bool ctn_lane_chain_is_full(const ctn_lane_chain *chain)
{
    return chain->limit > 0 && chain->running + chain->waiting >= chain->limit;
}

static bool is_before(const ctn_lane *a, const ctn_lane *b)
{
    if (a->turn_at != b->turn_at)
        return a->turn_at < b->turn_at;
    if (a->priority != b->priority)
        return a->priority > b->priority;
    int64_t a_no = a->count ? a->items[a->first].exec_no : INT64_MAX;
    int64_t b_no = b->count ? b->items[b->first].exec_no : INT64_MAX;
    return a_no < b_no;
}

ctn_lane *ctn_lanes_next(const ctn_lanes *lanes)
{
    ctn_lane *best = NULL;
    for (ctn_lane *l = lanes->waiting ? lanes->first : NULL; l; l = l->next)
        if (has_work(l) && !ctn_lane_chain_is_full(l->chain) && (!best || is_before(l, best)))
            best = l;
    return best;
}

bool ctn_lane_take(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item *ret_item)
{
    if (!lane->count)
        return false;
    *ret_item = lane->items[lane->first];
    lane->first = (lane->first + 1) % CTN_LANE_HOLDS;
    lane->count--;
    end_waiting(lanes, lane, true);
    return true;
}

void ctn_lane_had_turn(ctn_lanes *lanes, ctn_lane *lane)
{
    if (lane->turn_at > lanes->time)
        lanes->time = lane->turn_at;
    lane->turn_at += share_of(lane);
}
