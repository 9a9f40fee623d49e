/*
 * engine.c -- the turn, and what is asked of the engine from outside. The essay is in engine.h.
 */
#include "engine/engine.h"
#include "base/memory.h"
#include "engine/admit.h"
#include "engine/advance.h"
#include "engine/batch.h"
#include "engine/binding.h"
#include "engine/cache.h"
#include "engine/commit.h"
#include "engine/decide.h"
#include "engine/dispatch.h"
#include "engine/elsewhere.h"
#include "engine/far.h"
#include "engine/follow_up.h"
#include "engine/gate.h"
#include "engine/holds.h"
#include "engine/labels.h"
#include "engine/load.h"
#include "engine/plans.h"
#include "engine/quarantine.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <stdlib.h>

/* ---- the turn ---- */

/* The tenants' starts, and all the rest: in turns, so that neither keeps the other out of a batch. */
static filed *next_input(ctn_engine *e, bool is_starts_turn)
{
    filed *f = is_starts_turn ? ctn_inbox_take_start(&e->inbox) : NULL;
    if (!f)
        f = ctn_filed_take(&e->inbox.list);
    return f ? f : ctn_inbox_take_start(&e->inbox);
}

static void take_inputs(ctn_engine *e)
{
    bool is_starts_turn = false;
    for (filed *f; (f = ctn_filed_take(&e->inbox.refused)); e->figures.refused++)
        ctn_eng_ack(e, f, f->refusal->code, f->refusal);
    for (filed *f; !e->store.is_failing && !ctn_eng_batch_is_full(e) && (f = next_input(e, is_starts_turn));) {
        is_starts_turn = !is_starts_turn;
        ctn_eng_take_filed(e, f);
        ctn_eng_hand_over_what_is_worth_it(e);
    }
}

static void advance_due(ctn_engine *e)
{
    for (loaded *l; (l = ctn_live_take_due(&e->live, e->now_ms));) {
        ctn_eng_advance(e, l);
        ctn_live_to_perform(&e->live, l);
    }
}

/* Plans that were waiting for their servers: their executions may go on. */
static void advance_bound(ctn_engine *e)
{
    for (loaded *l = ctn_eng_plans_were_bound(e) ? e->live.first : NULL; l; l = l->next)
        ctn_eng_advance(e, l);
}

/* Those that waited for an equal call. */
static void advance_woken(ctn_engine *e)
{
    for (loaded *l; !e->store.is_failing && (l = ctn_eng_cache_take_woken(e));)
        ctn_eng_advance(e, l);
}

static int64_t earlier_ms(int64_t a_ms, int64_t b_ms) /* 0: never */
{
    return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t next_turn_ms(ctn_engine *e)
{
    if (ctn_eng_must_look_back(e))
        return e->now_ms;
    if (e->store.is_failing)
        return e->store.retry_at_ms;
    int64_t at_ms = ctn_live_due_ms(&e->live);
    if (e->is_stopping)
        return at_ms;
    at_ms = earlier_ms(at_ms, ctn_eng_admit_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_schedules_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_quotas_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_quarantine_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_gate_turn_ms(e));
    return earlier_ms(at_ms, ctn_eng_due_turn_ms(e));
}

int64_t ctn_engine_turn(ctn_engine *e)
{
    e->now_ms = ctn_clock_now_ms(&e->options.clock);
    if (ctn_eng_must_look_back(e))
        ctn_eng_look_back(e);
    ctn_eng_quotas_turn(e);
    ctn_eng_take_in(e);
    ctn_eng_recover_store(e);
    advance_bound(e);
    if (!e->store.is_failing) {
        advance_due(e);
        ctn_eng_take_due(e);
        ctn_eng_admit(e);
        ctn_eng_collect_owing(e);
        ctn_eng_schedules_turn(e);
    }
    /* Calls may end at once (native functions): their results are inputs of the same turn. */
    do {
        take_inputs(e);
        advance_woken(e);
        ctn_eng_perform(e);
    } while ((e->inbox.list.first || ctn_eng_cache_has_woken(e)) && !e->store.is_failing && !ctn_eng_batch_is_full(e));
    ctn_eng_hand_over(e);
    ctn_eng_gate_turn(e);
    ctn_eng_quarantine_flush(e);
    if (!e->store.is_failing && ctn_eng_all_is_committed(e)) /* nothing was left to be written */
        ctn_trouble_ends(&e->store.writing, e->now_ms);
    return next_turn_ms(e);
}

const ctn_execution *ctn_engine_find(ctn_engine *e, ctn_execution_id id)
{
    loaded *l = ctn_live_find(&e->live, id);
    return l ? l->x : NULL;
}

/* ---- lifecycle ---- */

typedef struct making {
    const ctn_engine_options *options;
    ctn_engine *engine;
    ctn_err *err;
} making;

static int make(void *ctx)
{
    making *m = ctx;
    const ctn_engine_options *options = m->options;
    ctn_engine *e = ctn_calloc(1, sizeof *e);
    e->options = *options;
    if (!e->options.active_max)
        e->options.active_max = 256;
    if (!e->options.starting_max)
        e->options.starting_max = 4096;
    if (!e->options.starting_bytes_max)
        e->options.starting_bytes_max = (size_t) 64 << 20;
    e->rules = options->rules;
    e->chance = options->seed;
    e->now_ms = ctn_clock_now_ms(&options->clock);
    e->scratch = ctn_arena_new(65536);
    e->due.look_at_ms = e->now_ms;
    e->store.reading = (ctn_trouble){.log = options->log,
                                     .begins = "the store cannot be read; it is tried again until it can",
                                     .goes_on = "the store still cannot be read",
                                     .ends = "the store can be read again"};
    e->store.writing = (ctn_trouble){.log = options->log,
                                     .begins = "the store cannot be written; nothing goes on until it can",
                                     .goes_on = "the store still cannot be written; nothing goes on until it can",
                                     .ends = "the store can be written again; everything goes on"};
    ctn_inbox_init(&e->inbox);
    ctn_eng_batches_init(e);
    ctn_eng_sink_init(e);
    ctn_eng_binding_init(e);
    ctn_eng_cache_init(e);
    ctn_eng_plans_lend(e);
    ctn_eng_schedules_init(e);
    ctn_eng_shards_init(e);
    if (ctn_eng_is_fleet(e)) {
        e->rules.place_child = ctn_eng_place_child;
        e->rules.place_ctx = e;
    }
    ctn_eng_quarantine_init(e);
    int rc = ctn_eng_gate_init(e, m->err);
    if (rc == CTN_OK)
        rc = ctn_eng_quotas_init(e, m->err);
    if (rc == CTN_OK)
        rc = ctn_store_exec_no_last(options->store, &e->exec_no_last, m->err);
    if (rc) {
        ctn_engine_free(e);
        return rc;
    }
    m->engine = e;
    return CTN_OK;
}

int ctn_engine_new(const ctn_engine_options *options, ctn_engine **ret_engine, ctn_err *err)
{
    making m = {.options = options, .err = err};
    int rc = ctn_guarded(make, &m, err);
    if (rc == CTN_OK)
        *ret_engine = m.engine;
    return rc;
}

void ctn_engine_free(ctn_engine *e)
{
    if (!e)
        return;
    for (loaded *l; (l = e->live.first);) {
        l->build = NULL;
        l->batches = 0;
        ctn_eng_unload(e, l);
    }
    ctn_eng_batches_done(e);
    ctn_eng_away_free(e);
    ctn_inbox_done(&e->inbox);
    ctn_eng_plans_free(e);
    ctn_queue_done(&e->queue);
    ctn_eng_quotas_done(e);
    ctn_eng_quarantine_done(e);
    ctn_eng_cache_done(e);
    ctn_eng_gate_done(e);
    ctn_eng_holds_free(e);
    ctn_eng_schedules_done(e);
    ctn_eng_needs_free(e);
    ctn_eng_shards_done(e);
    ctn_flights_done(&e->flights);
    ctn_live_done(&e->live);
    ctn_arena_free(e->scratch);
    free(e);
}

const ctn_call_sink *ctn_engine_sink(ctn_engine *e)
{
    return &e->sink;
}

void ctn_engine_stop(ctn_engine *e)
{
    e->is_stopping = true;
    ctn_eng_flights_forget_accepted(e, NULL);
    ctn_eng_wake(e);
}

bool ctn_engine_is_quiet(const ctn_engine *e)
{
    return e->flights.open == 0 && ctn_inbox_is_empty(&e->inbox) && ctn_eng_all_is_committed(e);
}

bool ctn_engine_is_idle(const ctn_engine *e)
{
    return e->live.count == 0 && ctn_engine_is_quiet(e);
}

int64_t ctn_engine_store_failing_since_ms(const ctn_engine *e, ctn_str *ret_why)
{
    *ret_why = ctn_str_from(e->store.why);
    return e->store.writing.since_ms;
}
