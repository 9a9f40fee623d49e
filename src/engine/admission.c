/*
 * admission.c -- who may start: the queue, lines of one key, and chains that allow only so many at once.
 *
 * An execution starts at once when nothing holds it back, and its first entry is `started`; that costs nothing more
 * than looking at a few counters. Else its first entry is `queued`, it goes to disk and out of memory, and comes back
 * through its lane (lanes.h) when there is room, or when its line has moved on. Four things hold one back:
 *
 *   - There is no room: active_max executions are in memory.
 *   - Others that may start have waited for longer: nobody passes the queue by.
 *   - Its chain is full: maxConcurrent of them run or compensate (place.h).
 *   - Its line: an older execution with the same concurrencyKey has not ended. Who is first is what the store says
 *     (store.h, promise 6), and for those that are not on disk yet, what is in memory.
 *
 * What must always hold: of those with one key at most one has started and not ended, on disk too. That is why a line
 * moves on at the commit that ends the first, while a place in a chain is free as soon as the end is decided and no
 * call is under way (the start that takes it is in the same batch or behind it).
 *
 * An engine that was told what to advance (own_only) has no lanes: those it was asked for stay in memory while they
 * are queued, and are looked at when something was let go.
 */
#include "engine/admission.h"
#include "base/memory.h"
#include "base/plant.h"
#include "engine/batch.h"
#include "engine/decide.h"
#include "engine/lines.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/quarantine.h"
#include "engine/state.h"

#include <stdlib.h>

#define LOOK_AGAIN_MS 1000

struct admission {
    ctn_lines lines;
    bool is_known;       /* the lanes that the store had at the start are known */
    size_t wanted_count; /* of those who waited at the last look, with own_only */
    int64_t retry_at_ms; /* the store could not be read */
};

/* ---- who waits for whom ---- */

void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key)
{
    ctn_lines_leave(&e->admission->lines, l);
    ctn_lines_join(&e->admission->lines, l, queue_key);
}

/* Is nobody with this key before it, in memory or on disk? */
static bool is_first_in_line(ctn_engine *e, ctn_str key, int64_t exec_no)
{
    if (ctn_lines_has_older(&e->admission->lines, key, exec_no) && !CTN_PLANT(LINE_IGNORED))
        return false;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_execution_row row;
    int rc = ctn_store_queue_first(e->options.store, e->scratch, key, exec_no, &row, NULL);
    ctn_arena_restore(e->scratch, mark);
    return rc == CTN_E_NOT_FOUND || CTN_PLANT(LINE_IGNORED); /* who cannot be asked says no; the queue asks again */
}

static bool is_held_back(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no)
{
    return !ctn_eng_has_place(e, plan) || (queue_key.len && !is_first_in_line(e, queue_key, exec_no));
}

bool ctn_eng_may_start(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no)
{
    return (e->options.own_only || ctn_eng_all_begun_are_here(e)) && !e->is_stopping && !ctn_lanes_next(&e->lanes) &&
           !is_held_back(e, plan, queue_key, exec_no);
}

/* ---- in and out ---- */

void ctn_eng_admission_forget(ctn_engine *e, loaded *l)
{
    ctn_eng_place_forget(e, l);
    ctn_lines_leave(&e->admission->lines, l);
    e->was_let_go = true;
    bool is_queued = !l->is_new && ctn_execution_status(l->x) == CTN_STATUS_QUEUED;
    if (is_queued && !l->queue.is_in_lane && !e->options.own_only)
        ctn_lane_expect(&e->lanes, ctn_lanes_lane(&e->lanes, l->plan->plan->chain_id, l->plan->plan->priority));
}

/* The line moves on: the lane of the next one hears of it. */
static void move_line(ctn_engine *e, const loaded *l)
{
    ctn_execution_row row;
    e->was_let_go = true;
    if (e->options.own_only)
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int rc = ctn_store_queue_first(e->options.store, e->scratch, l->queue.key, 0, &row, NULL);
    if (rc == CTN_OK && row.status == CTN_STATUS_QUEUED)
        ctn_lane_add(&e->lanes, ctn_lanes_lane(&e->lanes, row.chain_id, row.priority),
                     (ctn_lane_item){.exec_no = row.exec_no, .id = row.id});
    else if (rc && rc != CTN_E_NOT_FOUND)
        e->admission->is_known = false; /* the store cannot say now: all lanes are asked for again */
    ctn_arena_restore(e->scratch, mark);
}

void ctn_eng_admission_committed(ctn_engine *e, loaded *l)
{
    if (l->status_written == CTN_STATUS_QUEUED && !e->options.own_only && !l->queue.is_in_lane) {
        const ctn_plan *plan = l->plan->plan;
        ctn_lane *lane = ctn_lanes_lane(&e->lanes, plan->chain_id, plan->priority);
        l->queue.is_in_lane = true;
        if (l->queue.key.len) /* held or not: the store knows */
            ctn_lane_expect(&e->lanes, lane);
        else
            ctn_lane_add(&e->lanes, lane, (ctn_lane_item){.exec_no = l->exec_no, .id = l->id});
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
        e->admission->wanted_count++;
        e->was_let_go = true;
    }
}

void ctn_eng_start_queued(ctn_engine *e, loaded *l, ctn_str actor)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_input start = {.kind = CTN_IN_START, .now_ms = e->now_ms, .actor = actor};
    ctn_entry entry;
    if (ctn_execution_decide(l->x, &e->rules, &start, e->scratch, &entry, NULL) == CTN_OK)
        ctn_eng_record(e, l, &entry);
    ctn_arena_restore(e->scratch, mark);
}

/* ---- taking from the lanes ---- */

static int expect_lane(void *ctx, ctn_str chain_id, int priority)
{
    ctn_engine *e = ctx;
    ctn_lane_expect(&e->lanes, ctn_lanes_lane(&e->lanes, chain_id, priority));
    return 0;
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
    else if (!ctn_eng_is_quarantined(r->e, row->exec_no))
        r->items[r->count++] = (ctn_lane_item){.exec_no = row->exec_no, .id = row->id};
    return r->count == CTN_LANE_HOLDS;
}

static int refill(ctn_engine *e, ctn_lane *lane, ctn_err *err)
{
    refilling r = {.e = e};
    size_t limit = CTN_LANE_HOLDS + e->live.count + ctn_eng_quarantine_count(e);
    int rc = ctn_store_queue_next(e->options.store, ctn_str_from(lane->chain->chain_id), lane->priority, 0, limit,
                                  refill_one, &r, err);
    if (rc == CTN_OK)
        ctn_lane_refill(&e->lanes, lane, r.items, r.count, r.count == CTN_LANE_HOLDS || r.seen == limit);
    return rc;
}

static void look_later(ctn_engine *e)
{
    e->admission->retry_at_ms = e->now_ms + LOOK_AGAIN_MS;
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
    bool is_damaged = rc == CTN_E_CORRUPT || rc == CTN_E_STATE || rc == CTN_E_NOT_FOUND;
    if (rc && !is_damaged && !CTN_PLANT(UNREADABLE_IS_FORGOTTEN)) {
        store_is_unreadable(e, &err); /* it is not damaged: it waits on in its place */
        ctn_lane_add(&e->lanes, lane, item);
        return;
    }
    if (rc) /* one damaged execution never stops the rest: it is in quarantine by now */
        return;
    l->queue.is_in_lane = false;
    if (ctn_execution_status(l->x) != CTN_STATUS_QUEUED || l->is_lost) {
        /* Somebody was faster (cancelled, or resumed by a person): it goes again, if nothing else keeps it. Or it comes
         * back when it is reloaded. */
        ctn_live_to_perform(&e->live, l);
        return;
    }
    if (is_held_back(e, l->plan->plan, l->queue.key, l->exec_no)) {
        /* Its own definition allows fewer than the one that was known (the lane is passed by from now on), or its
         * line cannot be read, or one that had ended is being undone: it waits on in its place. */
        if (ctn_eng_has_place(e, l->plan->plan))
            look_later(e);
        l->queue.is_in_lane = true;
        ctn_lane_add(&e->lanes, lane, item);
        ctn_live_to_perform(&e->live, l);
        return;
    }
    ctn_eng_start_queued(e, l, (ctn_str){0});
    ctn_lane_had_turn(&e->lanes, lane);
    ctn_eng_advance(e, l);
    ctn_live_to_perform(&e->live, l);
}

static void admit_from_lanes(ctn_engine *e)
{
    struct admission *a = e->admission;
    ctn_err err = {0};
    if (e->now_ms < a->retry_at_ms)
        return;
    if (!a->is_known && ctn_store_queue_lanes(e->options.store, expect_lane, e, &err)) {
        store_is_unreadable(e, &err);
        return;
    }
    a->is_known = true;
    ctn_trouble_ends(&e->store.reading, e->now_ms);
    for (ctn_lane *lane; e->live.count < e->options.active_max && (lane = ctn_lanes_next(&e->lanes));) {
        ctn_lane_item item;
        if (e->now_ms < a->retry_at_ms)
            return;
        if (ctn_lane_take(&e->lanes, lane, &item)) {
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
    struct admission *a = e->admission;
    for (;;) {
        loaded *first = NULL;
        a->wanted_count = 0;
        for (loaded *l = e->live.first; l; l = l->next)
            a->wanted_count += waits(l);
        for (loaded *l = e->live.first; l && e->live.count - a->wanted_count < e->options.active_max; l = l->next)
            if (waits(l) && (!first || l->exec_no < first->exec_no) &&
                !is_held_back(e, l->plan->plan, l->queue.key, l->exec_no))
                first = l;
        if (!first)
            return;
        ctn_eng_start_queued(e, first, (ctn_str){0});
        ctn_eng_advance(e, first);
        ctn_live_to_perform(&e->live, first);
    }
}

void ctn_eng_admit_queued(ctn_engine *e)
{
    if (e->is_stopping || e->store.is_failing)
        return;
    bool was_changed = e->was_let_go;
    e->was_let_go = false;
    if (!e->options.own_only && ctn_eng_all_begun_are_here(e)) /* what was begun goes on first */
        admit_from_lanes(e);
    else if (e->options.own_only && was_changed && e->admission->wanted_count)
        admit_wanted(e);
}

int64_t ctn_eng_queue_turn_ms(const ctn_engine *e)
{
    const struct admission *a = e->admission;
    if (e->options.own_only)
        return e->was_let_go && a->wanted_count ? e->now_ms : 0;
    if (e->live.count >= e->options.active_max || !ctn_eng_all_begun_are_here(e) ||
        (a->is_known && !ctn_lanes_next(&e->lanes)))
        return 0;
    return a->retry_at_ms > e->now_ms ? a->retry_at_ms : e->now_ms;
}

void ctn_eng_admission_look_again(ctn_engine *e)
{
    e->admission->is_known = false;
    e->was_let_go = true;
}

void ctn_eng_admission_init(ctn_engine *e)
{
    e->admission = ctn_calloc(1, sizeof *e->admission);
}

void ctn_eng_admission_done(ctn_engine *e)
{
    ctn_lanes_done(&e->lanes);
    ctn_lines_done(&e->admission->lines);
    free(e->admission);
}
