/*
 * figures.c -- how much there is to do, for those who watch: out of memory, at the cost of the lanes and tenants.
 */
#include "engine/batch.h"
#include "engine/quota.h"
#include "engine/state.h"

ctn_engine_figures ctn_engine_figures_now(const ctn_engine *e)
{
    ctn_engine_figures now = e->figures;
    now.loaded = e->live.count;
    now.running = e->queue.seats;
    now.in_flight = e->flights.open;
    now.starting = e->inbox.start_count;
    now.store_failing_since_ms = e->store.writing.since_ms;
    for (size_t k = 0; k < e->batches->count; k++) {
        const batch_memory *m = e->batches->strands[k].gathering;
        for (size_t i = 0; i < m->count; i++)
            now.entries_gathering += m->builds[i].count;
    }
    return now;
}

typedef struct telling {
    int (*of_lane)(void *ctx, const ctn_queue_figure *figure);
    int (*of_tenant)(void *ctx, const ctn_tenant_figure *figure);
    void *ctx;
} telling;

static int tell_lane(void *ctx, ctn_lane *lane)
{
    const telling *t = ctx;
    ctn_queue_figure figure = {.tenant = ctn_str_from(lane->tenant->name),
                               .chain_id = ctn_str_from(lane->chain->chain_id),
                               .priority = lane->priority,
                               .depth = lane->depth,
                               .oldest_at_ms = ctn_lane_oldest_at_ms(lane)};
    return lane->depth > 0 ? t->of_lane(t->ctx, &figure) : 0;
}

bool ctn_engine_queue(const ctn_engine *e, int (*fn)(void *ctx, const ctn_queue_figure *figure), void *ctx)
{
    telling t = {.of_lane = fn, .ctx = ctx};
    if (e->queue.is_known)
        ctn_lanes_each(&e->queue.lanes, tell_lane, &t);
    return e->queue.is_known;
}

static int tell_tenant(void *ctx, ctn_lane_tenant *tenant)
{
    const telling *t = ctx;
    ctn_tenant_figure figure = {.tenant = ctn_str_from(tenant->name),
                                .weight = tenant->weight,
                                .running = tenant->running,
                                .queued = tenant->queued,
                                .rules = tenant->rules,
                                .is_counted = tenant->quota != NULL,
                                .is_shut = tenant->is_shut};
    if (tenant->quota)
        figure.used = tenant->quota->used;
    return t->of_tenant(t->ctx, &figure);
}

void ctn_engine_tenants(const ctn_engine *e, int (*fn)(void *ctx, const ctn_tenant_figure *figure), void *ctx)
{
    telling t = {.of_tenant = fn, .ctx = ctx};
    ctn_lanes_each_tenant(&e->queue.lanes, tell_tenant, &t);
}
