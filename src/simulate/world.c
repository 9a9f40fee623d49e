/*
 * world.c -- the clock, what is due, the writer and the lives of the engine. The essay is in world.h.
 *
 * What must hold: a dead engine is heard by nobody. It may die in the middle of a turn (a hook says so while a call
 * begins); the turn then runs to its end, but its calls, batches and words are dropped, and before anything else
 * moves it is replaced.
 */
#include "simulate/world.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define KINDS_MAX      16
#define BEGAN_AT_MS    1790000000000
#define KIND_OF_COMMIT (-1)

typedef struct world_driver {
    struct ctn_world *world;
    ctn_driver driver;
} world_driver;

struct ctn_world {
    ctn_world_options o;
    uint64_t chance;
    int64_t now_ms, skew_ms, began_at_ms, wake_at_ms;
    ctn_store *store;  /* the engine's */
    ctn_store *writes; /* the writer's, where it has its own */
    ctn_engine *engine;
    uint64_t epoch, life, order;
    bool is_dead, needs_turn;
    int commits, deaths;
    ctn_world_event *events; /* in no order */
    size_t event_count, event_capacity;
    world_driver by_kind[KINDS_MAX];
    const ctn_driver *drivers[KINDS_MAX];
    size_t driver_count;
    ctn_arena *life_arena;
};

uint64_t ctn_world_roll(ctn_world *w, uint64_t below)
{
    ctn_rng rng = ctn_rng_seeded(&w->chance);
    return ctn_rng_next(&rng) % below;
}

bool ctn_world_percent(ctn_world *w, int share)
{
    return share > 0 && (int) ctn_world_roll(w, 100) < share;
}

int64_t ctn_world_now_ms(const ctn_world *w)
{
    return w->now_ms + w->skew_ms;
}

int64_t ctn_world_at_ms(const ctn_world *w)
{
    return w->now_ms;
}

int64_t ctn_world_elapsed_ms(const ctn_world *w)
{
    return w->now_ms - w->began_at_ms;
}

void ctn_world_jump(ctn_world *w, int64_t by_ms)
{
    w->skew_ms += by_ms;
    w->needs_turn = true;
}

/* ---- what is due ---- */

void ctn_world_later(ctn_world *w, int64_t delay_ms, int kind, uint64_t token, void *data)
{
    w->events = ctn_array_room(w->events, w->event_count, &w->event_capacity, sizeof *w->events);
    w->events[w->event_count++] = (ctn_world_event){
        .at_ms = w->now_ms + delay_ms, .order = w->order++, .kind = kind, .token = token, .data = data};
}

void ctn_world_drop(ctn_world *w, int kind, uint64_t token)
{
    for (size_t i = 0; i < w->event_count;)
        if (w->events[i].kind == kind && w->events[i].token == token)
            w->events[i] = w->events[--w->event_count];
        else
            i++;
}

static ctn_world_event *next_event(const ctn_world *w)
{
    ctn_world_event *first = NULL;
    for (size_t i = 0; i < w->event_count; i++) {
        ctn_world_event *e = &w->events[i];
        if (!first || e->at_ms < first->at_ms || (e->at_ms == first->at_ms && e->order < first->order))
            first = e;
    }
    return first;
}

bool ctn_world_is_writing(const ctn_world *w)
{
    for (size_t i = 0; i < w->event_count; i++)
        if (w->events[i].kind == KIND_OF_COMMIT)
            return true;
    return false;
}

/* ---- drivers ---- */

static void on_begin(void *ctx, const ctn_call_request *request)
{
    const world_driver *d = ctx;
    if (!d->world->is_dead)
        d->world->o.hooks.begin(d->world->o.hooks.ctx, d->driver.kind, request);
}

static void on_cancel(void *ctx, uint64_t token)
{
    const world_driver *d = ctx;
    if (!d->world->is_dead)
        d->world->o.hooks.let_go(d->world->o.hooks.ctx, token);
}

static ctn_effect on_effect(void *ctx, ctn_str target, const char **ret_from)
{
    const world_driver *d = ctx;
    return d->world->o.hooks.effect(d->world->o.hooks.ctx, d->driver.kind, target, ret_from);
}

static bool on_may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    const world_driver *d = ctx;
    return d->world->o.hooks.may_still_arrive(d->world->o.hooks.ctx, token, target);
}

static void on_abandon(void *ctx, ctn_str target, const ctn_json *continuation)
{
    const world_driver *d = ctx;
    const ctn_world_hooks *hooks = &d->world->o.hooks;
    if (!d->world->is_dead && hooks->abandon)
        hooks->abandon(hooks->ctx, d->driver.kind, target, continuation);
}

void ctn_world_accept(ctn_world *w, uint64_t token, const ctn_json *continuation)
{
    const ctn_call_sink *sink = ctn_engine_sink(w->engine);
    if (!w->is_dead)
        sink->accepted(sink->ctx, token, continuation);
}

void ctn_world_reply(ctn_world *w, uint64_t token, const ctn_call_result *result)
{
    const ctn_call_sink *sink = ctn_engine_sink(w->engine);
    if (!w->is_dead)
        sink->done(sink->ctx, token, result);
}

/* ---- the writer ---- */

static void on_submit(void *ctx, ctn_batch *batch)
{
    ctn_world *w = ctx;
    ctn_world_later(w, (int64_t) ctn_world_roll(w, 4), KIND_OF_COMMIT, 0, batch);
}

/* As the writer's thread does it (engine/writer.c): nothing is known of a handle whose commit failed. */
static int commit_in_store(ctn_world *w, ctn_batch *batch)
{
    if (!w->o.store_open)
        return ctn_store_commit(w->store, batch->appends, batch->count, batch->outcomes, &batch->err);
    int rc = w->writes ? CTN_OK : w->o.store_open(w->o.hooks.ctx, &w->writes, &batch->err);
    if (rc == CTN_OK)
        rc = ctn_store_commit(w->writes, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (rc) {
        ctn_store_close(w->writes);
        w->writes = NULL;
    }
    return rc;
}

static void commit(ctn_world *w, ctn_batch *batch)
{
    const ctn_world_hooks *hooks = &w->o.hooks;
    ctn_commit_fate fate = hooks->commit(hooks->ctx, w->commits++, batch);
    if (fate.dies_before) {
        ctn_world_die(w);
        return;
    }
    batch->rc = fate.fails && !fate.is_written ? CTN_E_IO : commit_in_store(w, batch);
    if (batch->rc && !(fate.fails && !fate.is_written) && hooks->commit_failed)
        hooks->commit_failed(hooks->ctx, &batch->err);
    for (size_t i = 0; batch->rc == CTN_OK && i < batch->count; i++)
        if (batch->outcomes[i] == CTN_OUTCOME_ACCEPTED)
            hooks->on_disk(hooks->ctx, &batch->appends[i]);
    if (fate.fails)
        batch->rc = ctn_fail(&batch->err, CTN_E_IO, "the simulated disk does not answer");
    if (fate.dies_after)
        ctn_world_die(w);
    if (!w->is_dead) /* the store may have taken it along */
        ctn_engine_batch_done(w->engine, batch);
}

/* ---- lives ---- */

static int64_t on_clock(void *ctx)
{
    return ctn_world_now_ms(ctx);
}

static void on_wake(void *ctx)
{
    ((ctn_world *) ctx)->needs_turn = true;
}

static void on_told(void *ctx, const ctn_engine_event *event)
{
    ctn_world *w = ctx;
    if (!w->is_dead)
        w->o.hooks.on_event(w->o.hooks.ctx, event);
}

void ctn_world_die(ctn_world *w)
{
    if (w->is_dead)
        return;
    w->deaths++;
    w->is_dead = true;
}

bool ctn_world_is_dead(const ctn_world *w)
{
    return w->is_dead;
}

/* What happens before there is an engine. */
static int begin_epoch(ctn_world *w, bool *ret_was_crash, ctn_err *err)
{
    int rc = w->o.store_open ? w->o.store_open(w->o.hooks.ctx, &w->store, err) : CTN_OK;
    bool was_crash = false;
    if (rc == CTN_OK)
        rc = ctn_store_epoch_begin(w->store, &w->epoch, &was_crash, err);
    *ret_was_crash = w->o.store_open ? was_crash : w->life > 1;
    return rc;
}

/* A store in memory begins a life without fail. */
static void begin_life(ctn_world *w)
{
    ctn_err err = {0};
    bool was_crash = false;
    w->is_dead = false;
    w->life++;
    int rc = begin_epoch(w, &was_crash, &err);
    assert(rc == CTN_OK || w->o.store_open);
    if (rc) {
        ctn_world_die(w);
        return;
    }
    ctn_engine_options o = {
        .store = w->store,
        .epoch = w->epoch,
        .was_crash = was_crash,
        .clock = {.now_ms = on_clock, .ctx = w},
        .seed = w->o.seed ^ w->life,
        .id_rng = ctn_rng_seeded(&w->chance),
        .writer = {.ctx = w, .submit = on_submit},
        .drivers = w->drivers,
        .driver_count = w->driver_count,
        .plans = w->o.plans,
        .plan_count = w->o.plan_count,
        .seal = w->o.seal,
        .seals_nothing = !w->o.seal,
        .rules = w->o.rules,
        .active_max = w->o.active_max,
        .starting_max = w->o.starting_max,
        .tenants = w->o.tenants,
        .tenant_count = w->o.tenant_count,
        .chain_find = w->o.chain_find,
        .schedules = w->o.schedules,
        .schedule_count = w->o.schedule_count,
        .chain_find_ctx = w->o.hooks.ctx,
        .on_event = on_told,
        .on_event_ctx = w,
        .wake = on_wake,
        .wake_ctx = w,
    };
    rc = ctn_engine_new(&o, &w->engine, &err);
    assert(rc == CTN_OK || w->o.store_open);
    if (rc) {
        ctn_world_die(w);
        return;
    }
    w->o.hooks.born(w->o.hooks.ctx, w->engine);
    w->needs_turn = true;
}

static void let_stores_go(ctn_world *w)
{
    if (!w->o.store_open)
        return;
    ctn_store_close(w->writes);
    ctn_store_close(w->store);
    w->writes = w->store = NULL;
}

static void end_life(ctn_world *w)
{
    ctn_engine_free(w->engine);
    w->engine = NULL;
    let_stores_go(w);
    if (w->o.hooks.died)
        w->o.hooks.died(w->o.hooks.ctx, w->events, w->event_count);
    w->event_count = 0;
    ctn_arena_reset(w->life_arena);
    w->now_ms += 10 + (int64_t) ctn_world_roll(w, 1000);
}

static void revive(ctn_world *w)
{
    if (w->life)
        end_life(w);
    begin_life(w);
}

/* ---- moving ---- */

static void happen(ctn_world *w, const ctn_world_event *due)
{
    ctn_world_event e = *due;
    w->events[due - w->events] = w->events[--w->event_count];
    if (e.at_ms > w->now_ms)
        w->now_ms = e.at_ms;
    w->needs_turn = true;
    if (e.kind == KIND_OF_COMMIT)
        commit(w, e.data);
    else
        w->o.hooks.happen(w->o.hooks.ctx, &e);
}

bool ctn_world_move(ctn_world *w)
{
    if (w->is_dead || !w->engine) {
        revive(w);
        return true;
    }
    if (w->needs_turn) {
        w->needs_turn = false;
        w->wake_at_ms = ctn_engine_turn(w->engine);
        return true;
    }
    const ctn_world_event *e = next_event(w);
    if (!e || (w->wake_at_ms && w->wake_at_ms - w->skew_ms < e->at_ms))
        return false;
    happen(w, e);
    return true;
}

int64_t ctn_world_wake_at_ms(const ctn_world *w)
{
    return w->wake_at_ms;
}

bool ctn_world_sleep(ctn_world *w)
{
    if (!w->wake_at_ms)
        return false;
    int64_t wake_ms = w->wake_at_ms - w->skew_ms;
    w->now_ms = wake_ms > w->now_ms ? wake_ms : w->now_ms + 1;
    w->needs_turn = true;
    return true;
}

void ctn_world_turn_soon(ctn_world *w)
{
    w->needs_turn = true;
}

/* ---- lifecycle ---- */

int ctn_world_new(const ctn_world_options *options, ctn_world **ret_world, ctn_err *err)
{
    static const char *const tool_only[] = {"tool"};
    ctn_world *w = ctn_realloc_array(NULL, 1, sizeof *w);
    *w = (ctn_world){.o = *options, .chance = options->seed * 2654435761u + 1};
    w->now_ms = w->began_at_ms = options->began_at_ms ? options->began_at_ms : BEGAN_AT_MS;
    if (!w->o.kinds) {
        w->o.kinds = tool_only;
        w->o.kind_count = 1;
    }
    assert(w->o.kind_count <= KINDS_MAX);
    for (size_t i = 0; i < w->o.kind_count; i++) {
        w->by_kind[i] = (world_driver){.world = w,
                                       .driver = {.kind = w->o.kinds[i],
                                                  .ctx = &w->by_kind[i],
                                                  .begin = on_begin,
                                                  .cancel = on_cancel,
                                                  .effect = on_effect,
                                                  .abandon = on_abandon,
                                                  .may_still_arrive = on_may_still_arrive}};
        w->drivers[w->driver_count++] = &w->by_kind[i].driver;
    }
    w->life_arena = ctn_arena_new(8192);
    char url[64];
    snprintf(url, sizeof url, "memory:world-%p", (void *) w); /* a name that nobody else has */
    int rc = w->o.store_open ? CTN_OK : ctn_store_open(url, CTN_STORE_CREATE, &w->store, err);
    if (rc) {
        ctn_world_free(w);
        return rc;
    }
    *ret_world = w;
    return CTN_OK;
}

void ctn_world_free(ctn_world *w)
{
    if (!w)
        return;
    w->is_dead = true; /* nobody hears what the engine lets go */
    ctn_engine_free(w->engine);
    ctn_store_close(w->writes);
    ctn_store_close(w->store);
    ctn_arena_free(w->life_arena);
    free(w->events);
    free(w);
}

ctn_engine *ctn_world_engine(ctn_world *w)
{
    return w->engine;
}

ctn_store *ctn_world_store(ctn_world *w)
{
    return w->store;
}

ctn_arena *ctn_world_life_arena(ctn_world *w)
{
    return w->life_arena;
}

uint64_t ctn_world_life(const ctn_world *w)
{
    return w->life;
}

int ctn_world_deaths(const ctn_world *w)
{
    return w->deaths;
}

int ctn_world_commits(const ctn_world *w)
{
    return w->commits;
}
