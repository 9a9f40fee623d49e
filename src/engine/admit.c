/*
 * admit.c -- see admit.h. Two ways: the lanes, as many as there is room for; or, in an engine that was told what to
 * advance (own_only), those it was asked for, which stay in memory while they are queued and are looked at when
 * something was let go.
 */
#include "engine/admit.h"
#include "base/plant.h"
#include "engine/advance.h"
#include "engine/commit.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/quarantine.h"
#include "engine/shards.h"
#include "engine/start.h"
#include "engine/state.h"

#define LOOK_AGAIN_MS 1000

/* ---- taking from the lanes ---- */

static int expect_lane(void *ctx, const ctn_queue_lane *found)
{
    ctn_engine *e = ctx;
    ctn_lane_tenant *tenant = ctn_eng_tenant(e, found->tenant);
    ctn_lane *lane = ctn_lanes_lane(&e->queue.lanes, tenant, found->chain_id, found->priority);
    lane->depth = found->depth + found->held;
    tenant->queued += lane->depth;
    if (found->depth)
        ctn_lane_expect(&e->queue.lanes, lane, found->oldest_at_ms);
    return 0;
}

static int forget_depth(void *ctx, ctn_lane *lane)
{
    (void) ctx;
    lane->tenant->queued -= lane->depth;
    lane->depth = 0;
    return 0;
}

/* All lanes, as the store has them. */
static int read_lanes(ctn_engine *e, ctn_err *err)
{
    ctn_lanes_each(&e->queue.lanes, forget_depth, NULL);
    return ctn_store_queue_lanes(e->options.store, expect_lane, e, err);
}

typedef struct refilling {
    ctn_engine *e;
    ctn_lane_item items[CTN_LANE_HOLDS];
    size_t count, seen;
} refilling;

/* What was admitted a moment ago is queued on disk until its batch is committed. What is in memory for another reason
 * tells its lane when it goes. */
static int refill_one(void *ctx, const ctn_execution_row *row)
{
    refilling *r = ctx;
    loaded *l = ctn_live_find(&r->e->live, row->id);
    r->seen++;
    if (l)
        l->queue.is_in_lane = false;
    else if (!ctn_eng_is_quarantined(r->e, row->exec_no) && ctn_eng_is_listed(r->e, row->exec_no))
        r->items[r->count++] = (ctn_lane_item){.exec_no = row->exec_no, .id = row->id};
    return r->count == CTN_LANE_HOLDS;
}

static int refill(ctn_engine *e, ctn_lane *lane, ctn_err *err)
{
    refilling r = {.e = e};
    size_t limit = CTN_LANE_HOLDS + e->live.count + ctn_eng_quarantine_count(e);
    int rc = ctn_store_queue_next(e->options.store, ctn_str_from(lane->tenant->name),
                                  ctn_str_from(lane->chain->chain_id), lane->priority, 0, limit, refill_one, &r, err);
    if (rc == CTN_OK)
        ctn_lane_refill(&e->queue.lanes, lane, r.items, r.count,
                        r.count == CTN_LANE_HOLDS || (r.count && r.seen == limit));
    return rc;
}

static void look_later(ctn_engine *e)
{
    e->queue.retry_at_ms = e->now_ms + LOOK_AGAIN_MS;
}

static void store_is_unreadable(ctn_engine *e, const ctn_err *err)
{
    ctn_trouble_begins(&e->store.reading, e->now_ms, err->message);
    look_later(e);
}

static void admit_one(ctn_engine *e, ctn_lane *lane, ctn_lane_item item)
{
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_load_listed(e, item.exec_no, item.id, &l, &err);
    bool is_gone = rc == CTN_E_CORRUPT || rc == CTN_E_STATE || rc == CTN_E_NOT_FOUND || rc == CTN_E_STALE;
    if (rc && !is_gone && !CTN_PLANT(UNREADABLE_IS_FORGOTTEN)) {
        store_is_unreadable(e, &err); /* it is not damaged: it waits on in its place */
        ctn_lane_add(&e->queue.lanes, lane, item);
        return;
    }
    if (rc) /* one damaged execution never stops the rest: it is in quarantine by now. Or it is another node's */
        return;
    l->queue.is_in_lane = false;
    if (ctn_execution_status(l->x) != CTN_STATUS_QUEUED || l->is_lost) {
        /* Somebody was faster (cancelled, or resumed by a person): it goes again, if nothing else keeps it. Or it comes
         * back when it is reloaded. */
        ctn_live_to_perform(&e->live, l);
        return;
    }
    ctn_candidate candidate = ctn_eng_candidate(l);
    if (ctn_eng_is_held_back(e, &candidate)) {
        /* Its own definition allows fewer than the one that was known (the lane is passed by from now on), or its
         * line cannot be read, or one that had ended is being undone: it waits on in its place. */
        if (ctn_eng_has_place(e, l->plan->plan))
            look_later(e);
        l->queue.is_in_lane = true;
        ctn_lane_add(&e->queue.lanes, lane, item);
        ctn_live_to_perform(&e->live, l);
        return;
    }
    ctn_eng_start_queued(e, l, (ctn_str){0});
    ctn_lane_had_turn(&e->queue.lanes, lane);
    ctn_eng_advance(e, l);
    ctn_live_to_perform(&e->live, l);
}

static void admit_from_lanes(ctn_engine *e)
{
    ctn_queue *q = &e->queue;
    ctn_err err = {0};
    if (e->now_ms < q->retry_at_ms)
        return;
    if (!q->is_known && !ctn_eng_nothing_is_under_way(e))
        return; /* what is on its way to disk would be counted twice */
    if (!q->is_known && read_lanes(e, &err)) {
        store_is_unreadable(e, &err);
        return;
    }
    q->is_known = true;
    ctn_lanes_tidy(&q->lanes);
    ctn_trouble_ends(&e->store.reading, e->now_ms);
    for (ctn_lane *lane;
         ctn_eng_has_seat(e) && !ctn_eng_batch_is_half_full(e) && (lane = ctn_lanes_next(&q->lanes, e->now_ms));) {
        ctn_lane_item item;
        if (e->now_ms < q->retry_at_ms)
            return;
        if (ctn_lane_take(&e->queue.lanes, lane, &item)) {
            admit_one(e, lane, item);
        } else if (refill(e, lane, &err)) {
            store_is_unreadable(e, &err);
            return;
        }
    }
}

/* ---- without lanes ---- */

static bool waits(const loaded *l)
{
    return l->queue.is_wanted && !l->is_lost && ctn_execution_status(l->x) == CTN_STATUS_QUEUED;
}

/* They are few: each is asked for by somebody who waits. */
static void admit_wanted(ctn_engine *e)
{
    ctn_queue *q = &e->queue;
    for (;;) {
        loaded *first = NULL;
        q->wanted_count = 0;
        for (loaded *l = e->live.first; l; l = l->next)
            q->wanted_count += waits(l);
        for (loaded *l = e->live.first; l && ctn_eng_has_seat(e); l = l->next) {
            ctn_candidate candidate = ctn_eng_candidate(l);
            if (waits(l) && ctn_eng_is_ours(e, l) && (!first || l->exec_no < first->exec_no) &&
                !ctn_eng_is_held_back(e, &candidate))
                first = l;
        }
        if (!first)
            return;
        ctn_eng_start_queued(e, first, (ctn_str){0});
        ctn_eng_advance(e, first);
        ctn_live_to_perform(&e->live, first);
    }
}

void ctn_eng_admit(ctn_engine *e)
{
    if (e->is_stopping || e->store.is_failing)
        return;
    bool was_changed = e->queue.was_let_go;
    e->queue.was_let_go = false;
    if (!e->options.own_only && ctn_due_all_begun_are_here(&e->due)) /* what was begun goes on first */
        admit_from_lanes(e);
    else if (e->options.own_only && was_changed && e->queue.wanted_count)
        admit_wanted(e);
}

int64_t ctn_eng_admit_turn_ms(ctn_engine *e)
{
    const ctn_queue *q = &e->queue;
    if (e->options.own_only)
        return e->queue.was_let_go && q->wanted_count ? e->now_ms : 0;
    if (!ctn_eng_has_seat(e) || ctn_eng_batch_is_half_full(e) || !ctn_due_all_begun_are_here(&e->due) ||
        (q->is_known ? !ctn_lanes_next(&e->queue.lanes, e->now_ms) : !ctn_eng_nothing_is_under_way(e)))
        return 0;
    return q->retry_at_ms > e->now_ms ? q->retry_at_ms : e->now_ms;
}
