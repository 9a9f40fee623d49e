/*
 * lanes.c -- see lanes.h.
 *
 * Fair queueing by virtual time, on two levels. Deficit round robin gives the same shares, but a round of it is as long
 * as all weights together, and whoever comes waits for it; by time turns are spread evenly, and nobody keeps deficits.
 *
 * Tenants by the start of a turn: a turn of weight W lasts SPAN / W, who has the earliest start is next, and its next
 * one starts when this one is over. Who comes anew starts now, so it is next, before those that have just been served.
 *
 * Lanes of a tenant by the end of a turn, which lasts 512 at level 0 and 1 at level 9: a higher one that comes later
 * is before a lower one. Among equal ends the higher level is first. A lane that was passed by keeps the end it had.
 */
#include "engine/lanes.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

#define SPAN      ((int64_t) 1 << 20)
#define TIDY_FROM 256

/* ---- tables ---- */

static ctn_lane_slot *first_of(const ctn_lane_table *table, uint64_t hash)
{
    return table->size ? table->slots[hash & (table->size - 1)] : NULL;
}

static void put(ctn_lane_table *table, ctn_lane_slot *slot, uint64_t hash)
{
    if (table->count >= table->size) {
        ctn_lane_table old = *table;
        table->size = old.size ? 2 * old.size : 64;
        table->slots = ctn_calloc(table->size, sizeof *table->slots);
        table->count = 0;
        for (size_t i = 0; i < old.size; i++)
            for (ctn_lane_slot *s = old.slots[i], *next; s; s = next) {
                next = s->next;
                put(table, s, s->hash);
            }
        free(old.slots);
    }
    ctn_lane_slot **at = &table->slots[hash & (table->size - 1)];
    *slot = (ctn_lane_slot){.next = *at, .hash = hash};
    *at = slot;
    table->count++;
}

static void table_done(ctn_lane_table *table)
{
    for (size_t i = 0; i < table->size; i++)
        for (ctn_lane_slot *s = table->slots[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    free(table->slots);
}

ctn_lane_tenant *ctn_lanes_tenant(ctn_lanes *lanes, ctn_str name)
{
    uint64_t hash = ctn_str_hash(name);
    for (ctn_lane_slot *s = first_of(&lanes->by_name, hash); s; s = s->next)
        if (s->hash == hash && ctn_str_is(name, ((ctn_lane_tenant *) s)->name))
            return (ctn_lane_tenant *) s;
    ctn_lane_tenant *t = ctn_malloc(sizeof *t);
    *t = (ctn_lane_tenant){.name = ctn_cstring(name), .weight = 1};
    put(&lanes->by_name, &t->slot, hash);
    return t;
}

ctn_lane_chain *ctn_lanes_chain(ctn_lanes *lanes, ctn_str chain_id)
{
    uint64_t hash = ctn_str_hash(chain_id);
    for (ctn_lane_slot *s = first_of(&lanes->by_chain, hash); s; s = s->next)
        if (s->hash == hash && ctn_str_is(chain_id, ((ctn_lane_chain *) s)->chain_id))
            return (ctn_lane_chain *) s;
    ctn_lane_chain *c = ctn_malloc(sizeof *c);
    *c = (ctn_lane_chain){.chain_id = ctn_cstring(chain_id)};
    put(&lanes->by_chain, &c->slot, hash);
    return c;
}

ctn_lane *ctn_lanes_lane(ctn_lanes *lanes, ctn_lane_tenant *tenant, ctn_str chain_id, int priority)
{
    ctn_lane_chain *chain = ctn_lanes_chain(lanes, chain_id);
    uint64_t hash = (tenant->slot.hash * 31 + chain->slot.hash) * 31 + (uint64_t) priority;
    for (ctn_lane_slot *s = first_of(&lanes->lanes, hash); s; s = s->next) {
        ctn_lane *l = (ctn_lane *) s;
        if (l->tenant == tenant && l->chain == chain && l->priority == priority)
            return l;
    }
    ctn_lane *l = ctn_malloc(sizeof *l);
    *l = (ctn_lane){.tenant = tenant, .chain = chain, .priority = priority};
    put(&lanes->lanes, &l->slot, hash);
    return l;
}

void ctn_lanes_each_tenant(const ctn_lanes *lanes, int (*fn)(void *ctx, ctn_lane_tenant *tenant), void *ctx)
{
    for (size_t i = 0; i < lanes->by_name.size; i++)
        for (ctn_lane_slot *s = lanes->by_name.slots[i]; s; s = s->next)
            if (fn(ctx, (ctn_lane_tenant *) s))
                return;
}

void ctn_lanes_each(const ctn_lanes *lanes, int (*fn)(void *ctx, ctn_lane *lane), void *ctx)
{
    for (size_t i = 0; i < lanes->lanes.size; i++)
        for (ctn_lane_slot *s = lanes->lanes.slots[i]; s; s = s->next)
            if (fn(ctx, (ctn_lane *) s))
                return;
}

static int done_tenant(void *ctx, ctn_lane_tenant *tenant)
{
    (void) ctx;
    free(tenant->name);
    ctn_heap_done(&tenant->lanes);
    return 0;
}

void ctn_lanes_done(ctn_lanes *lanes)
{
    ctn_lanes_each_tenant(lanes, done_tenant, NULL);
    for (size_t i = 0; i < lanes->by_chain.size; i++)
        for (ctn_lane_slot *s = lanes->by_chain.slots[i]; s; s = s->next)
            free(((ctn_lane_chain *) s)->chain_id);
    ctn_heap_done(&lanes->turns);
    ctn_heap_done(&lanes->ages);
    table_done(&lanes->by_name);
    table_done(&lanes->by_chain);
    table_done(&lanes->lanes);
    *lanes = (ctn_lanes){0};
}

static bool has_work(const ctn_lane *lane)
{
    return lane->count || lane->has_more;
}

/* Who comes again has what a new one has: an idle lane saved nothing up, and owes nothing. */
void ctn_lanes_tidy(ctn_lanes *lanes)
{
    if (lanes->lanes.count < TIDY_FROM || lanes->lanes.count < lanes->tidy_at)
        return;
    for (size_t i = 0; i < lanes->lanes.size; i++)
        for (ctn_lane_slot **at = &lanes->lanes.slots[i]; *at;) {
            ctn_lane *l = (ctn_lane *) *at;
            if (has_work(l) || l->is_passed_by || l->depth) {
                at = &l->slot.next;
                continue;
            }
            *at = l->slot.next;
            lanes->lanes.count--;
            ctn_heap_remove(&lanes->ages, &l->age);
            free(l);
        }
    lanes->tidy_at = 2 * lanes->lanes.count;
}

/* ---- who may be next ---- */

bool ctn_lane_tenant_is_full(const ctn_lane_tenant *tenant)
{
    return tenant->limit > 0 && tenant->running >= tenant->limit;
}

bool ctn_lane_chain_is_full(const ctn_lane_chain *chain)
{
    return chain->limit > 0 && chain->running + chain->waiting >= chain->limit;
}

/* It stands among those whose turn it may be, or not. */
static void settle_tenant(ctn_lanes *lanes, ctn_lane_tenant *t)
{
    if (!t->lanes.count || t->is_shut || ctn_lane_tenant_is_full(t))
        ctn_heap_remove(&lanes->turns, &t->turn);
    else if (!t->turn.slot)
        ctn_heap_set(&lanes->turns, &t->turn, t->turn.due_ms > lanes->time ? t->turn.due_ms : lanes->time);
}

int64_t ctn_lane_oldest_at_ms(const ctn_lane *lane)
{
    if (lane->count)
        return ctn_id_at_ms(lane->items[lane->first].id);
    return lane->has_more ? lane->oldest_at_ms : 0;
}

static int64_t turn_ends(const ctn_lane *lane)
{
    return lane->turn_from + (512 >> lane->level);
}

/* By its priority and its first one's age; and when that is to be looked at again. */
static void find_level(ctn_lanes *lanes, ctn_lane *lane)
{
    int64_t oldest_ms = ctn_lane_oldest_at_ms(lane);
    int priority = lane->priority < 0 ? 0 : lane->priority > 9 ? 9 : lane->priority;
    lane->level = priority;
    if (priority >= CTN_LANE_MIDDLE || !oldest_ms) {
        ctn_heap_remove(&lanes->ages, &lane->age);
        return;
    }
    while (lane->level < CTN_LANE_MIDDLE && oldest_ms + (lane->level - priority + 1) * CTN_LANE_AGE_MS <= lanes->now_ms)
        lane->level++;
    if (lane->level < CTN_LANE_MIDDLE)
        ctn_heap_set(&lanes->ages, &lane->age, oldest_ms + (lane->level - priority + 1) * CTN_LANE_AGE_MS);
    else
        ctn_heap_remove(&lanes->ages, &lane->age);
}

/* What is in it has changed, or its turn was had: it stands where it belongs. */
static void settle(ctn_lanes *lanes, ctn_lane *lane)
{
    find_level(lanes, lane);
    if (has_work(lane) && !lane->is_passed_by)
        ctn_heap_set(&lane->tenant->lanes, &lane->turn, 16 * turn_ends(lane) + 9 - lane->level);
    else
        ctn_heap_remove(&lane->tenant->lanes, &lane->turn);
    settle_tenant(lanes, lane->tenant);
}

static void pass_by(ctn_lanes *lanes, ctn_lane *lane)
{
    lane->is_passed_by = true;
    lane->next_passed_by = lane->chain->passed_by;
    lane->chain->passed_by = lane;
    settle(lanes, lane);
}

static void look_at_chain(ctn_lanes *lanes, ctn_lane_chain *chain)
{
    while (chain->passed_by && !ctn_lane_chain_is_full(chain)) {
        ctn_lane *lane = chain->passed_by;
        chain->passed_by = lane->next_passed_by;
        lane->is_passed_by = false;
        settle(lanes, lane);
    }
}

void ctn_lane_tenant_rule(ctn_lanes *lanes, ctn_lane_tenant *tenant, int64_t weight, int64_t limit)
{
    assert(weight >= 1 && weight <= CTN_WEIGHT_MAX);
    tenant->weight = weight;
    tenant->limit = limit;
    settle_tenant(lanes, tenant);
}

void ctn_lane_tenant_runs(ctn_lanes *lanes, ctn_lane_tenant *tenant, int more)
{
    tenant->running += more;
    assert(tenant->running >= 0);
    if (tenant->limit)
        settle_tenant(lanes, tenant);
}

void ctn_lane_tenant_shut(ctn_lanes *lanes, ctn_lane_tenant *tenant, bool is_shut)
{
    tenant->is_shut = is_shut;
    settle_tenant(lanes, tenant);
}

void ctn_lane_chain_rule(ctn_lanes *lanes, ctn_lane_chain *chain, int64_t limit)
{
    chain->limit = limit;
    look_at_chain(lanes, chain);
}

void ctn_lane_chain_runs(ctn_lanes *lanes, ctn_lane_chain *chain, int more)
{
    chain->running += more;
    look_at_chain(lanes, chain);
}

void ctn_lane_chain_waits(ctn_lanes *lanes, ctn_lane_chain *chain, int more)
{
    chain->waiting += more;
    look_at_chain(lanes, chain);
}

/* ---- what is queued ---- */

/* It has work from now on: a lane that idled saved nothing up. */
static void begin_waiting(ctn_lanes *lanes, ctn_lane *lane)
{
    if (has_work(lane))
        return;
    lanes->waiting++;
    if (lane->turn_from < lane->tenant->time)
        lane->turn_from = lane->tenant->time;
}

void ctn_lane_expect(ctn_lanes *lanes, ctn_lane *lane, int64_t oldest_at_ms)
{
    begin_waiting(lanes, lane);
    if (!lane->has_more || (oldest_at_ms && (!lane->oldest_at_ms || oldest_at_ms < lane->oldest_at_ms)))
        lane->oldest_at_ms = oldest_at_ms;
    lane->has_more = true;
    settle(lanes, lane);
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
        lane->oldest_at_ms = 0; /* it is looked at when they are asked for */
        if (at == CTN_LANE_HOLDS)
            return;
        lane->count--; /* the last one goes back: it is in the store */
    }
    for (size_t i = lane->count; i > at; i--)
        lane->items[(lane->first + i) % CTN_LANE_HOLDS] = lane->items[(lane->first + i - 1) % CTN_LANE_HOLDS];
    lane->items[(lane->first + at) % CTN_LANE_HOLDS] = item;
    lane->count++;
    settle(lanes, lane);
}

void ctn_lane_refill(ctn_lanes *lanes, ctn_lane *lane, const ctn_lane_item *items, size_t count, bool has_more)
{
    assert(count <= CTN_LANE_HOLDS);
    bool had_work = has_work(lane);
    if (count || has_more)
        begin_waiting(lanes, lane);
    else
        lanes->waiting -= had_work;
    if (count)
        memcpy(lane->items, items, count * sizeof *items);
    lane->first = 0;
    lane->count = count;
    lane->has_more = has_more;
    lane->oldest_at_ms = 0;
    settle(lanes, lane);
}

/* ---- turns ---- */

ctn_lane *ctn_lanes_next(ctn_lanes *lanes, int64_t now_ms)
{
    lanes->now_ms = now_ms;
    for (ctn_heap_node *n; (n = ctn_heap_first(&lanes->ages)) && n->due_ms <= now_ms;)
        settle(lanes, (ctn_lane *) (void *) ((char *) n - offsetof(ctn_lane, age)));
    for (ctn_heap_node *n; (n = ctn_heap_first(&lanes->turns));) {
        ctn_lane_tenant *t = (ctn_lane_tenant *) (void *) ((char *) n - offsetof(ctn_lane_tenant, turn));
        ctn_lane *lane = (ctn_lane *) (void *) ((char *) ctn_heap_first(&t->lanes) - offsetof(ctn_lane, turn));
        if (!ctn_lane_chain_is_full(lane->chain))
            return lane;
        pass_by(lanes, lane);
    }
    return NULL;
}

/* Its level stays that of the one that is taken, until the turn is had or what is in it changes. */
bool ctn_lane_take(ctn_lanes *lanes, ctn_lane *lane, ctn_lane_item *ret_item)
{
    if (!lane->count)
        return false;
    *ret_item = lane->items[lane->first];
    lane->first = (lane->first + 1) % CTN_LANE_HOLDS;
    lane->count--;
    if (!has_work(lane)) {
        lanes->waiting--;
        ctn_heap_remove(&lane->tenant->lanes, &lane->turn);
        settle_tenant(lanes, lane->tenant);
    }
    return true;
}

void ctn_lane_had_turn(ctn_lanes *lanes, ctn_lane *lane)
{
    ctn_lane_tenant *t = lane->tenant;
    lane->turn_from = turn_ends(lane);
    if (lane->turn_from > t->time)
        t->time = lane->turn_from;
    if (t->turn.due_ms > lanes->time)
        lanes->time = t->turn.due_ms;
    int64_t next = t->turn.due_ms + SPAN / t->weight;
    if (t->turn.slot)
        ctn_heap_set(&lanes->turns, &t->turn, next);
    else
        t->turn.due_ms = next;
    settle(lanes, lane);
}
