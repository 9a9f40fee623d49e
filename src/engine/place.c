/*
 * place.c -- see place.h.
 */
#include "engine/place.h"
#include "base/plant.h"
#include "engine/plans.h"
#include "engine/state.h"

/* ---- seats ---- */

bool ctn_eng_has_seat(const ctn_engine *e)
{
    return e->queue.seats < e->options.active_max;
}

static void take_seat(ctn_engine *e, loaded *l, bool takes)
{
    if (l->place.has_seat == takes)
        return;
    l->place.has_seat = takes;
    ctn_lane_tenant_runs(&e->queue.lanes, l->queue.tenant, takes ? 1 : -1);
    if (takes) {
        e->queue.seats++;
    } else {
        e->queue.seats--;
        e->queue.was_let_go = true;
    }
}

void ctn_eng_seat_settle(ctn_engine *e, loaded *l)
{
    take_seat(e, l, ctn_execution_status(l->x) != CTN_STATUS_QUEUED);
}

/* ---- places in a chain ---- */

static ctn_lanes *lanes_of(ctn_engine *e)
{
    return &e->queue.lanes;
}

static void stop_waiting(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = l->place.waits_in;
    l->place.waits_in = NULL;
    if (chain)
        ctn_lane_chain_waits(lanes_of(e), chain, -1);
}

/* The oldest of those that wait for a place of this chain. */
static loaded *oldest_waiter(const ctn_engine *e, const ctn_lane_chain *chain)
{
    loaded *oldest = NULL;
    for (loaded *l = chain->waiting ? e->live.first : NULL; l; l = l->next)
        if (l->place.waits_in == chain && (!oldest || l->exec_no < oldest->exec_no))
            oldest = l;
    return oldest;
}

void ctn_eng_place_offer(ctn_engine *e, const ctn_lane_chain *chain)
{
    loaded *next = chain && chain->running < chain->limit ? oldest_waiter(e, chain) : NULL;
    if (next)
        ctn_live_wake_at(&e->live, next, e->now_ms);
}

static void give_back(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = l->place.in;
    if (!chain)
        return;
    l->place.in = NULL;
    ctn_lane_chain_runs(lanes_of(e), chain, -1);
    e->queue.was_let_go = true;
    ctn_eng_place_offer(e, chain);
}

void ctn_eng_place_leave_if_done(ctn_engine *e, loaded *l)
{
    if (l->flight_count)
        return;
    ctn_status status = l->place.in ? ctn_execution_status(l->x) : CTN_STATUS_RUNNING;
    if (status != CTN_STATUS_RUNNING && status != CTN_STATUS_COMPENSATING)
        give_back(e, l);
}

void ctn_eng_place_take(ctn_engine *e, loaded *l)
{
    if (l->place.in || !l->plan->plan->max_concurrent)
        return;
    l->place.in = ctn_lanes_chain(lanes_of(e), l->plan->plan->chain_id);
    ctn_lane_chain_rule(lanes_of(e), l->place.in, l->plan->plan->max_concurrent);
    ctn_lane_chain_runs(lanes_of(e), l->place.in, 1);
}

ctn_lane_chain *ctn_eng_place_forget_wait(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = l->place.waits_in;
    stop_waiting(e, l);
    return chain;
}

void ctn_eng_place_forget(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = ctn_eng_place_forget_wait(e, l);
    give_back(e, l);
    take_seat(e, l, false);
    ctn_eng_place_offer(e, chain); /* one may have been kept for it */
}

bool ctn_eng_place_to_go_on(ctn_engine *e, loaded *l)
{
    if (l->place.in || !l->plan->plan->max_concurrent)
        return true;
    ctn_lane_chain *chain = ctn_lanes_chain(lanes_of(e), l->plan->plan->chain_id);
    ctn_lane_chain_rule(lanes_of(e), chain, l->plan->plan->max_concurrent);
    loaded *oldest = oldest_waiter(e, chain);
    if (chain->running < chain->limit && (!oldest || oldest == l || l->exec_no < oldest->exec_no)) {
        stop_waiting(e, l);
        ctn_eng_place_take(e, l);
        return true;
    }
    if (!l->place.waits_in) {
        l->place.waits_in = chain;
        ctn_lane_chain_waits(lanes_of(e), chain, 1);
    }
    return false;
}

void ctn_eng_place_settle(ctn_engine *e, loaded *l)
{
    if (!l->plan->plan->max_concurrent || l->place.in || l->place.waits_in)
        return;
    ctn_status status = ctn_execution_status(l->x);
    if (status == CTN_STATUS_RUNNING || status == CTN_STATUS_COMPENSATING)
        (void) ctn_eng_place_to_go_on(e, l);
}

bool ctn_eng_has_place(ctn_engine *e, const ctn_plan *plan)
{
    if (!plan->max_concurrent)
        return true;
    ctn_lane_chain *chain = ctn_lanes_chain(lanes_of(e), plan->chain_id);
    ctn_lane_chain_rule(lanes_of(e), chain, plan->max_concurrent);
    return CTN_PLANT(FULL_CHAIN_IGNORED) || !ctn_lane_chain_is_full(chain);
}
