/*
 * queue.c -- see queue.h.
 *
 * An execution starts at once when nothing holds it back, and its first entry is `started`; that costs nothing more
 * than looking at a few counters. Else its first entry is `queued`, it goes to disk and out of memory, and comes back
 * through its lane (lanes.h) when there is room, or when its line has moved on. Five things hold one back:
 *
 *   - There is no room: active_max executions run (place.h).
 *   - Others that may start have waited for longer: nobody passes the queue by.
 *   - Its tenant: as many of his run as may (`running`), or he has used up a quota.
 *   - Its chain is full: maxConcurrent of them run or compensate (place.h).
 *   - Its line: an older execution with the same concurrencyKey has not ended. Who is first is what the store says
 *     (store.h, promise 6), and for those that are not on disk yet, what is in memory.
 *
 * What must always hold: of those with one key at most one has started and not ended, on disk too. That is why a line
 * moves on at the commit that ends the first, while a place in a chain is free as soon as the end is decided and no
 * call is under way (the start that takes it is in the same batch or behind it).
 */
#include "engine/queue.h"
#include "base/plant.h"
#include "engine/place.h"
#include "engine/plans.h"
#include "engine/quota.h"
#include "engine/shards.h"
#include "engine/state.h"

void ctn_queue_done(ctn_queue *queue)
{
    ctn_lanes_done(&queue->lanes);
    ctn_lines_done(&queue->lines);
}

ctn_lane_tenant *ctn_eng_tenant(ctn_engine *e, ctn_str name)
{
    if (!name.len && e->queue.nobody)
        return e->queue.nobody;
    size_t count = e->queue.lanes.by_name.count;
    ctn_lane_tenant *tenant = ctn_lanes_tenant(&e->queue.lanes, name);
    if (e->queue.lanes.by_name.count > count)
        ctn_eng_quota_for(e, tenant);
    if (!name.len)
        e->queue.nobody = tenant;
    return tenant;
}

void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key)
{
    ctn_lines_leave(&e->queue.lines, l);
    ctn_lines_join(&e->queue.lines, l, queue_key);
}

bool ctn_eng_line_is_shared(ctn_engine *e, const ctn_parent *parent, ctn_str queue_key)
{
    ctn_execution_id id = parent->id;
    bool is_shared = false;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    for (uint32_t i = 0; !is_shared && i < parent->depth && !ctn_id_is_none(id); i++) {
        const loaded *l = ctn_live_find(&e->live, id);
        ctn_execution_row row = {0};
        if (!l && ctn_store_execution_get(e->options.store, e->scratch, id, &row, NULL))
            break;
        is_shared = ctn_str_equal(l ? l->queue.key : row.queue_key, queue_key);
        const ctn_parent *above = l ? ctn_execution_parent(l->x) : NULL;
        id = l ? (above ? above->id : (ctn_execution_id){{0}}) : row.parent;
    }
    ctn_arena_restore(e->scratch, mark);
    return is_shared;
}

/* Is nobody with this key before it, in memory or on disk? */
static bool is_first_in_line(ctn_engine *e, ctn_str key, int64_t exec_no)
{
    if (ctn_lines_has_older(&e->queue.lines, key, exec_no, ctn_eng_shard_count(e)) && !CTN_PLANT(LINE_IGNORED))
        return false;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_execution_row row;
    int rc = ctn_store_queue_first(e->options.store, e->scratch, key, exec_no, &row, NULL);
    ctn_arena_restore(e->scratch, mark);
    return rc == CTN_E_NOT_FOUND || CTN_PLANT(LINE_IGNORED); /* who cannot be asked says no; the queue asks again */
}

ctn_candidate ctn_eng_candidate(const loaded *l)
{
    return (ctn_candidate){
        .plan = l->plan->plan, .tenant = l->queue.tenant, .queue_key = l->queue.key, .exec_no = l->exec_no};
}

bool ctn_eng_is_held_back(ctn_engine *e, const ctn_candidate *c)
{
    return c->tenant->is_shut || ctn_lane_tenant_is_full(c->tenant) || !ctn_eng_has_place(e, c->plan) ||
           (c->queue_key.len && !is_first_in_line(e, c->queue_key, c->exec_no));
}

bool ctn_eng_may_start(ctn_engine *e, const ctn_candidate *c)
{
    return (e->options.own_only || ctn_due_all_begun_are_here(&e->due)) && !e->is_stopping &&
           !ctn_lanes_next(&e->queue.lanes, e->now_ms) && !ctn_eng_is_held_back(e, c);
}

static ctn_lane *lane_of(ctn_engine *e, const loaded *l)
{
    return ctn_lanes_lane(&e->queue.lanes, l->queue.tenant, l->plan->plan->chain_id,
                          ctn_execution_origin(l->x)->priority);
}

void ctn_eng_queue_forget(ctn_engine *e, loaded *l)
{
    ctn_eng_place_forget(e, l);
    ctn_lines_leave(&e->queue.lines, l);
    e->queue.was_let_go = true;
    bool is_queued = !l->is_new && ctn_execution_status(l->x) == CTN_STATUS_QUEUED;
    if (is_queued && !l->queue.is_in_lane && !e->options.own_only)
        ctn_lane_expect(&e->queue.lanes, lane_of(e, l), ctn_id_at_ms(l->id));
}

/* The line moves on: the lane of the next one hears of it. */
static void move_line(ctn_engine *e, const loaded *l)
{
    ctn_execution_row row;
    e->queue.was_let_go = true;
    if (e->options.own_only)
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int64_t end = ctn_exec_no_end(l->exec_no, ctn_eng_shard_count(e));
    int rc = ctn_store_queue_first(e->options.store, e->scratch, l->queue.key, end, &row, NULL);
    if (rc == CTN_OK && row.status == CTN_STATUS_QUEUED)
        ctn_lane_add(&e->queue.lanes,
                     ctn_lanes_lane(&e->queue.lanes, ctn_eng_tenant(e, row.tenant), row.chain_id, row.priority),
                     (ctn_lane_item){.exec_no = row.exec_no, .id = row.id});
    else if (rc && rc != CTN_E_NOT_FOUND)
        e->queue.is_known = false; /* the store cannot say now: all lanes are asked for again */
    ctn_arena_restore(e->scratch, mark);
}

/* What is queued on disk is counted; who reads it anew counts anew (admit.c). */
static void count(ctn_engine *e, loaded *l)
{
    bool is_queued = l->status_written == CTN_STATUS_QUEUED;
    if (l->queue.is_counted == is_queued || e->options.own_only)
        return;
    l->queue.is_counted = is_queued;
    lane_of(e, l)->depth += is_queued ? 1 : -1;
    l->queue.tenant->queued += is_queued ? 1 : -1;
}

void ctn_eng_queue_loaded(ctn_engine *e, loaded *l, const ctn_execution_row *row)
{
    l->queue.tenant = ctn_eng_tenant(e, row->tenant);
    l->queue.is_counted = row->status == CTN_STATUS_QUEUED;
    ctn_eng_seat_settle(e, l);
}

void ctn_eng_queue_committed(ctn_engine *e, loaded *l)
{
    count(e, l);
    if (l->status_written == CTN_STATUS_QUEUED && !e->options.own_only && !l->queue.is_in_lane) {
        ctn_lane *lane = lane_of(e, l);
        l->queue.is_in_lane = true;
        if (l->queue.key.len) /* held or not: the store knows */
            ctn_lane_expect(&e->queue.lanes, lane, ctn_id_at_ms(l->id));
        else
            ctn_lane_add(&e->queue.lanes, lane, (ctn_lane_item){.exec_no = l->exec_no, .id = l->id});
    }
    if (!ctn_status_is_final(l->status_written))
        l->queue.is_over = false; /* a sub-chain that had ended is undone: its line stands again */
    if (ctn_status_is_final(l->status_written) && !l->queue.is_over && !l->build) {
        l->queue.is_over = true;
        if (l->queue.key.len)
            move_line(e, l);
    }
}

void ctn_eng_wait_here(ctn_engine *e, loaded *l)
{
    l->queue.is_wanted = true;
    if (e->options.own_only) {
        e->queue.wanted_count++;
        e->queue.was_let_go = true;
    }
}
