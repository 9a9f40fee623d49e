/*
 * place.c -- see place.h.
 */
#include "engine/place.h"
#include "base/plant.h"
#include "engine/plans.h"
#include "engine/state.h"

static void stop_waiting(loaded *l)
{
    if (l->place.waits_in)
        l->place.waits_in->waiting--;
    l->place.waits_in = NULL;
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
    chain->running--;
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
    l->place.in = ctn_lanes_chain(&e->queue.lanes, l->plan->plan->chain_id);
    l->place.in->limit = l->plan->plan->max_concurrent;
    l->place.in->running++;
}

ctn_lane_chain *ctn_eng_place_forget_wait(loaded *l)
{
    ctn_lane_chain *chain = l->place.waits_in;
    stop_waiting(l);
    return chain;
}

void ctn_eng_place_forget(ctn_engine *e, loaded *l)
{
    ctn_lane_chain *chain = ctn_eng_place_forget_wait(l);
    give_back(e, l);
    ctn_eng_place_offer(e, chain); /* one may have been kept for it */
}

bool ctn_eng_place_to_go_on(ctn_engine *e, loaded *l)
{
    if (l->place.in || !l->plan->plan->max_concurrent)
        return true;
    ctn_lane_chain *chain = ctn_lanes_chain(&e->queue.lanes, l->plan->plan->chain_id);
    chain->limit = l->plan->plan->max_concurrent;
    loaded *oldest = oldest_waiter(e, chain);
    if (chain->running < chain->limit && (!oldest || oldest == l || l->exec_no < oldest->exec_no)) {
        stop_waiting(l);
        ctn_eng_place_take(e, l);
        return true;
    }
    if (!l->place.waits_in) {
        l->place.waits_in = chain;
        chain->waiting++;
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
    ctn_lane_chain *chain = ctn_lanes_chain(&e->queue.lanes, plan->chain_id);
    chain->limit = plan->max_concurrent;
    return CTN_PLANT(FULL_CHAIN_IGNORED) || !ctn_lane_chain_is_full(chain);
}
