/*
 * admission.c -- who may start: the queue, lines of one key, and chains that allow only so many at once.
 *
 * An execution starts at once when nothing holds it back, and its first entry is `started`; that costs nothing more
 * than looking at a few counters. Else its first entry is `queued`, it goes to disk and out of memory, and comes back
 * through its lane (lanes.h) when there is room, or when its line has moved on. Four things hold one back:
 *
 *   - There is no room: active_max executions are in memory.
 *   - Others that may start have waited for longer: nobody passes the queue by.
 *   - Its chain is full: maxConcurrent of them run or compensate. One that parks gives its place away, and asks for one
 *     again when it goes on: before its next call begins (gate.c), the oldest first, and before anything new starts.
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
#include "base/memory.h"
#include "engine/engine_state.h"

#include "base/plant.h"

#include <assert.h>
#include <stdlib.h>

#define LOOK_AGAIN_MS 1000

/* ---- lines: loaded executions by key ---- */

static size_t key_slot(const admission *a, ctn_str key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char) key.ptr[i]) * 0x100000001b3u;
    return (size_t) (h ^ h >> 32) & (a->keys_size - 1);
}

static void keys_grow(admission *a)
{
    if (a->keys_count < a->keys_size)
        return;
    size_t old_size = a->keys_size;
    loaded **old = a->keys;
    a->keys_size = old_size ? 2 * old_size : 64;
    a->keys = ctn_calloc(a->keys_size, sizeof(loaded *));
    assert(a->keys);
    for (size_t i = 0; i < old_size; i++)
        for (loaded *l = old[i], *next; l; l = next) {
            next = l->key_next;
            size_t slot = key_slot(a, l->queue_key);
            l->key_next = a->keys[slot];
            a->keys[slot] = l;
        }
    free(old);
}

static void leave_line(admission *a, loaded *l)
{
    if (!l->queue_key.len)
        return;
    loaded **at = &a->keys[key_slot(a, l->queue_key)];
    while (*at != l)
        at = &(*at)->key_next;
    *at = l->key_next;
    l->queue_key = (ctn_str){0};
    a->keys_count--;
}

void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key)
{
    admission *a = &e->admission;
    leave_line(a, l);
    if (!queue_key.len)
        return;
    keys_grow(a);
    l->queue_key = ctn_arena_str(l->arena, queue_key);
    size_t slot = key_slot(a, queue_key);
    l->key_next = a->keys[slot];
    a->keys[slot] = l;
    a->keys_count++;
}

/* Is nobody with this key before it, in memory or on disk? */
static bool is_first_in_line(ctn_engine *e, ctn_str key, int64_t exec_no)
{
    admission *a = &e->admission;
    for (loaded *l = a->keys_size ? a->keys[key_slot(a, key)] : NULL; l; l = l->key_next)
        if (l->exec_no < exec_no && ctn_str_equal(l->queue_key, key) && !l->is_over && !CTN_PLANT(LINE_IGNORED))
            return false;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_execution_row row;
    int rc = ctn_store_queue_first(e->options.store, e->scratch, key, exec_no, &row, NULL);
    ctn_arena_restore(e->scratch, mark);
    return rc == CTN_E_NOT_FOUND || CTN_PLANT(LINE_IGNORED); /* who cannot be asked says no; the queue asks again */
}

/* ---- places in a chain ---- */

static void stop_waiting(loaded *l)
{
    if (l->waits_in)
        l->waits_in->waiting--;
    l->waits_in = NULL;
}

/* The oldest of those that wait for a place of this chain. */
static loaded *oldest_waiter(const ctn_engine *e, const ctn_lane_chain *chain)
{
    loaded *oldest = NULL;
    for (loaded *l = chain->waiting ? e->list : NULL; l; l = l->next)
        if (l->waits_in == chain && (!oldest || l->exec_no < oldest->exec_no))
            oldest = l;
    return oldest;
}

void ctn_eng_place_offer(ctn_engine *e, const ctn_lane_chain *chain)
{
    loaded *next = chain && chain->running < chain->limit ? oldest_waiter(e, chain) : NULL;
    if (next)
        ctn_eng_wake_at(e, next, e->now_ms);
}

static void give_place_back(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = l->chain;
    if (!chain)
        return;
    l->chain = NULL;
    chain->running--;
    e->admission.is_changed = true;
    ctn_eng_place_offer(e, chain);
}

/* A place is free when nothing is under way any more: what a stopping chain lets go is so only when that is on disk. */
void ctn_eng_count(ctn_engine *e, loaded *l)
{
    if (l->flight_count)
        return;
    ctn_status status = l->chain ? ctn_execution_status(l->x) : CTN_STATUS_RUNNING;
    if (status != CTN_STATUS_RUNNING && status != CTN_STATUS_COMPENSATING)
        give_place_back(e, l);
}

static void take_place(ctn_engine *e, loaded *l)
{
    if (l->chain || !l->plan->plan->max_concurrent)
        return;
    l->chain = ctn_lanes_chain(&e->admission.lanes, l->plan->plan->chain_id);
    l->chain->limit = l->plan->plan->max_concurrent;
    l->chain->running++;
}

ctn_lane_chain *ctn_eng_place_forget_wait(loaded *l)
{
    ctn_lane_chain *chain = l->waits_in;
    stop_waiting(l);
    return chain;
}

bool ctn_eng_place_to_go_on(ctn_engine *e, loaded *l)
{
    if (l->chain || !l->plan->plan->max_concurrent)
        return true;
    ctn_lane_chain *chain = ctn_lanes_chain(&e->admission.lanes, l->plan->plan->chain_id);
    chain->limit = l->plan->plan->max_concurrent;
    loaded *oldest = oldest_waiter(e, chain);
    if (chain->running < chain->limit && (!oldest || oldest == l || l->exec_no < oldest->exec_no)) {
        stop_waiting(l);
        take_place(e, l);
        return true;
    }
    if (!l->waits_in) {
        l->waits_in = chain;
        chain->waiting++;
    }
    return false;
}

void ctn_eng_started(ctn_engine *e, loaded *l)
{
    take_place(e, l);
}

void ctn_eng_place_settle(ctn_engine *e, loaded *l)
{
    if (!l->plan->plan->max_concurrent || l->chain || l->waits_in)
        return;
    ctn_status status = ctn_execution_status(l->x);
    if (status == CTN_STATUS_RUNNING || status == CTN_STATUS_COMPENSATING)
        (void) ctn_eng_place_to_go_on(e, l);
}

static bool has_place(ctn_engine *e, const ctn_plan *plan)
{
    if (!plan->max_concurrent)
        return true;
    ctn_lane_chain *chain = ctn_lanes_chain(&e->admission.lanes, plan->chain_id);
    chain->limit = plan->max_concurrent;
    return CTN_PLANT(FULL_CHAIN_IGNORED) || !ctn_lane_chain_is_full(chain);
}

/* ---- in and out ---- */

static bool is_held_back(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no)
{
    return !has_place(e, plan) || (queue_key.len && !is_first_in_line(e, queue_key, exec_no));
}

bool ctn_eng_may_start(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no)
{
    bool all_are_here = e->options.own_only || !(e->more_is_due || e->due_is_unread); /* those that were begun */
    return all_are_here && !e->is_stopping && !ctn_lanes_next(&e->admission.lanes) &&
           !is_held_back(e, plan, queue_key, exec_no);
}

void ctn_eng_forget(ctn_engine *e, loaded *l)
{
    admission *a = &e->admission;
    ctn_lane_chain *chain = ctn_eng_place_forget_wait(l);
    give_place_back(e, l);
    ctn_eng_place_offer(e, chain); /* one may have been kept for it */
    leave_line(a, l);
    a->is_changed = true;
    bool is_queued = !l->is_new && ctn_execution_status(l->x) == CTN_STATUS_QUEUED;
    if (is_queued && !l->is_in_lane && !e->options.own_only)
        ctn_lane_expect(&a->lanes, ctn_lanes_lane(&a->lanes, l->plan->plan->chain_id, l->plan->plan->priority));
}

/* The line moves on: the lane of the next one hears of it. */
static void move_line(ctn_engine *e, const loaded *l)
{
    ctn_execution_row row;
    e->admission.is_changed = true;
    if (e->options.own_only)
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int rc = ctn_store_queue_first(e->options.store, e->scratch, l->queue_key, 0, &row, NULL);
    if (rc == CTN_OK && row.status == CTN_STATUS_QUEUED)
        ctn_lane_add(&e->admission.lanes, ctn_lanes_lane(&e->admission.lanes, row.chain_id, row.priority),
                     (ctn_lane_item){.exec_no = row.exec_no, .id = row.id});
    else if (rc && rc != CTN_E_NOT_FOUND)
        e->admission.is_known = false; /* the store cannot say now: all lanes are asked for again */
    ctn_arena_restore(e->scratch, mark);
}

void ctn_eng_committed(ctn_engine *e, loaded *l)
{
    if (l->status_written == CTN_STATUS_QUEUED && !e->options.own_only && !l->is_in_lane) {
        const ctn_plan *plan = l->plan->plan;
        ctn_lane *lane = ctn_lanes_lane(&e->admission.lanes, plan->chain_id, plan->priority);
        l->is_in_lane = true;
        if (l->queue_key.len) /* held or not: the store knows */
            ctn_lane_expect(&e->admission.lanes, lane);
        else
            ctn_lane_add(&e->admission.lanes, lane, (ctn_lane_item){.exec_no = l->exec_no, .id = l->id});
    }
    if (!ctn_status_is_final(l->status_written))
        l->is_over = false; /* a sub-chain that had ended is undone: its line stands again */
    if (ctn_status_is_final(l->status_written) && !l->is_over && !l->build) {
        l->is_over = true;
        if (l->queue_key.len)
            move_line(e, l);
    }
}

void ctn_eng_wait_here(ctn_engine *e, loaded *l)
{
    l->is_wanted = true;
    if (e->options.own_only) {
        e->admission.wanted_count++;
        e->admission.is_changed = true;
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
    ctn_lane_expect(&e->admission.lanes, ctn_lanes_lane(&e->admission.lanes, chain_id, priority));
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
    loaded *l = ctn_eng_find(r->e, row->id);
    r->seen++;
    if (l)
        l->is_in_lane = false;
    else if (!ctn_eng_is_quarantined(r->e, row->exec_no))
        r->items[r->count++] = (ctn_lane_item){.exec_no = row->exec_no, .id = row->id};
    return r->count == CTN_LANE_HOLDS;
}

static int refill(ctn_engine *e, ctn_lane *lane, ctn_err *err)
{
    refilling r = {.e = e};
    size_t limit = CTN_LANE_HOLDS + e->loaded_count + e->quarantine.count;
    int rc = ctn_store_queue_next(e->options.store, ctn_str_from(lane->chain->chain_id), lane->priority, 0, limit,
                                  refill_one, &r, err);
    if (rc == CTN_OK)
        ctn_lane_refill(&e->admission.lanes, lane, r.items, r.count, r.count == CTN_LANE_HOLDS || r.seen == limit);
    return rc;
}

static void look_later(ctn_engine *e)
{
    e->admission.retry_at_ms = e->now_ms + LOOK_AGAIN_MS;
}

static void store_is_unreadable(ctn_engine *e, const ctn_err *err)
{
    (void) ctn_eng_trouble_begins(e, &e->read_trouble, err->message);
    look_later(e);
}

static void admit_one(ctn_engine *e, ctn_lane *lane, ctn_lane_item item)
{
    admission *a = &e->admission;
    loaded *l = NULL;
    ctn_err err = {0};
    int rc =
        ctn_id_is_none(item.id) ? ctn_eng_found_nameless(e, item.exec_no, &err) : ctn_eng_load(e, item.id, &l, &err);
    bool is_damaged = rc == CTN_E_CORRUPT || rc == CTN_E_STATE || rc == CTN_E_NOT_FOUND;
    if (rc && !is_damaged && !CTN_PLANT(UNREADABLE_IS_FORGOTTEN)) {
        store_is_unreadable(e, &err); /* it is not damaged: it waits on in its place */
        ctn_lane_add(&a->lanes, lane, item);
        return;
    }
    if (rc) /* one damaged execution never stops the rest: it is in quarantine by now */
        return;
    l->is_in_lane = false;
    if (ctn_execution_status(l->x) != CTN_STATUS_QUEUED || l->is_lost) {
        /* Somebody was faster (cancelled, or resumed by a person): it goes again, if nothing else keeps it. Or it comes
         * back when it is reloaded. */
        ctn_eng_to_perform(e, l);
        return;
    }
    if (is_held_back(e, l->plan->plan, l->queue_key, l->exec_no)) {
        /* Its own definition allows fewer than the one that was known (the lane is passed by from now on), or its
         * line cannot be read, or one that had ended is being undone: it waits on in its place. */
        if (has_place(e, l->plan->plan))
            look_later(e);
        l->is_in_lane = true;
        ctn_lane_add(&a->lanes, lane, item);
        ctn_eng_to_perform(e, l);
        return;
    }
    ctn_eng_start_queued(e, l, (ctn_str){0});
    ctn_lane_had_turn(&a->lanes, lane);
    ctn_eng_advance(e, l);
    ctn_eng_to_perform(e, l);
}

static void admit_from_lanes(ctn_engine *e)
{
    admission *a = &e->admission;
    ctn_err err = {0};
    if (e->now_ms < a->retry_at_ms)
        return;
    if (!a->is_known && ctn_store_queue_lanes(e->options.store, expect_lane, e, &err)) {
        store_is_unreadable(e, &err);
        return;
    }
    a->is_known = true;
    ctn_eng_trouble_ends(e, &e->read_trouble);
    for (ctn_lane *lane; e->loaded_count < e->options.active_max && (lane = ctn_lanes_next(&a->lanes));) {
        ctn_lane_item item;
        if (e->now_ms < a->retry_at_ms)
            return;
        if (ctn_lane_take(&a->lanes, lane, &item)) {
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
    return l->is_wanted && !l->is_lost && ctn_execution_status(l->x) == CTN_STATUS_QUEUED;
}

/* They are few: each is asked for by somebody who waits. */
static void admit_wanted(ctn_engine *e)
{
    admission *a = &e->admission;
    for (;;) {
        loaded *first = NULL;
        a->wanted_count = 0;
        for (loaded *l = e->list; l; l = l->next)
            a->wanted_count += waits(l);
        for (loaded *l = e->list; l && e->loaded_count - a->wanted_count < e->options.active_max; l = l->next)
            if (waits(l) && (!first || l->exec_no < first->exec_no) &&
                !is_held_back(e, l->plan->plan, l->queue_key, l->exec_no))
                first = l;
        if (!first)
            return;
        ctn_eng_start_queued(e, first, (ctn_str){0});
        ctn_eng_advance(e, first);
        ctn_eng_to_perform(e, first);
    }
}

void ctn_eng_admit_queued(ctn_engine *e)
{
    if (e->is_stopping || e->failing_since_ms)
        return;
    bool was_changed = e->admission.is_changed;
    e->admission.is_changed = false;
    if (!e->options.own_only && !e->more_is_due && !e->due_is_unread) /* what was begun goes on first */
        admit_from_lanes(e);
    else if (e->options.own_only && was_changed && e->admission.wanted_count)
        admit_wanted(e);
}

int64_t ctn_eng_queue_turn_ms(const ctn_engine *e)
{
    const admission *a = &e->admission;
    if (e->options.own_only)
        return a->is_changed && a->wanted_count ? e->now_ms : 0;
    if (e->loaded_count >= e->options.active_max || e->more_is_due || e->due_is_unread ||
        (a->is_known && !ctn_lanes_next(&a->lanes)))
        return 0;
    return a->retry_at_ms > e->now_ms ? a->retry_at_ms : e->now_ms;
}

void ctn_eng_admission_done(ctn_engine *e)
{
    ctn_lanes_done(&e->admission.lanes);
    free(e->admission.keys);
}
