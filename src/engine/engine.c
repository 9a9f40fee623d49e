/*
 * engine.c -- the turn, and what is asked of the engine from outside. The essay is in engine.h.
 */
#include "engine/engine.h"
#include "base/memory.h"
#include "engine/admission.h"
#include "engine/batch.h"
#include "engine/binding.h"
#include "engine/cache.h"
#include "engine/decide.h"
#include "engine/dispatch.h"
#include "engine/follow_up.h"
#include "engine/gate.h"
#include "engine/load.h"
#include "engine/plans.h"
#include "engine/quarantine.h"
#include "engine/scheduler.h"
#include "engine/state.h"

#include <stdlib.h>

/* ---- the turn ---- */

static void take_inputs(ctn_engine *e)
{
    while (e->inbox.list.first && !e->store.is_failing) {
        ctn_eng_take_filed(e, ctn_filed_take(&e->inbox.list));
        if (ctn_eng_is_worth_handing_over(e))
            ctn_eng_hand_over(e);
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

static int64_t earlier_ms(int64_t a_ms, int64_t b_ms) /* 0: never */
{
    return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t next_turn_ms(const ctn_engine *e)
{
    if (e->store.is_failing)
        return e->store.retry_at_ms;
    int64_t at_ms = ctn_live_due_ms(&e->live);
    if (e->is_stopping)
        return at_ms;
    at_ms = earlier_ms(at_ms, ctn_eng_queue_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_schedules_turn_ms(e));
    at_ms = earlier_ms(at_ms, ctn_eng_quarantine_turn_ms(e));
    return earlier_ms(at_ms, ctn_eng_due_turn_ms(e));
}

int64_t ctn_engine_turn(ctn_engine *e)
{
    e->now_ms = ctn_clock_now_ms(&e->options.clock);
    ctn_eng_take_in(e);
    ctn_eng_recover_store(e);
    advance_bound(e);
    if (!e->store.is_failing) {
        advance_due(e);
        ctn_eng_take_due(e);
        ctn_eng_admit_queued(e);
        ctn_eng_collect_owing(e);
        ctn_eng_schedules_turn(e);
    }
    /* Calls may end at once (native functions): their results are inputs of the same turn. */
    do {
        take_inputs(e);
        ctn_eng_cache_wake(e);
        ctn_eng_perform(e);
    } while ((e->inbox.list.first || ctn_eng_cache_has_woken(e)) && !e->store.is_failing);
    ctn_eng_hand_over(e);
    ctn_eng_quarantine_flush(e);
    if (!e->store.is_failing && ctn_eng_all_is_committed(e)) /* nothing was left to be written */
        ctn_trouble_ends(&e->store.writing, e->now_ms);
    return next_turn_ms(e);
}

/* ---- what comes from outside: it is filed, and a turn takes it ---- */

void ctn_eng_wake(ctn_engine *e)
{
    if (e->options.wake)
        e->options.wake(e->options.wake_ctx);
}

void ctn_eng_file(ctn_engine *e, filed *f)
{
    ctn_filed_append(&e->inbox.list, f);
    ctn_eng_wake(e);
}

void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err)
{
    if (f->ack)
        f->ack(f->ack_ctx, rc, f->id, err);
    ctn_inbox_free(&e->inbox, f);
}

static filed *request(ctn_engine *e, filed_kind kind, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_inbox_new(&e->inbox, kind);
    f->id = id;
    f->ack = ack;
    f->ack_ctx = ctx;
    return f;
}

filed *ctn_eng_file_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    ctn_execution_id id = ctn_id_new(ctn_clock_now_ms(&e->options.clock), &e->options.id_rng);
    filed *f = request(e, FILED_START, id, ack, ctx);
    f->start = *start;
    f->start.input = ctn_json_copy(f->arena, start->input);
    f->start.labels = start->labels ? ctn_json_copy(f->arena, start->labels) : NULL;
    f->start.going_on = start->going_on ? ctn_json_copy(f->arena, start->going_on) : NULL;
    f->start.sensitive = start->sensitive ? ctn_json_copy(f->arena, start->sensitive) : NULL;
    f->start.idempotency_key = ctn_arena_str(f->arena, start->idempotency_key);
    f->start.actor = ctn_arena_str(f->arena, start->actor);
    ctn_eng_file(e, f);
    return f;
}

void ctn_engine_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    (void) ctn_eng_file_start(e, start, ack, ctx);
}

filed *ctn_eng_file_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx)
{
    filed *f = request(e, FILED_INPUT, id, ack, ctx);
    f->in = *input;
    f->in.actor = ctn_arena_str(f->arena, input->actor);
    f->in.name = ctn_arena_str(f->arena, input->name);
    f->in.message = ctn_arena_str(f->arena, input->message);
    f->in.value = input->value ? ctn_json_copy(f->arena, input->value) : NULL;
    ctn_eng_file(e, f);
    return f;
}

void ctn_engine_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx)
{
    (void) ctn_eng_file_input(e, id, input, ack, ctx);
}

void ctn_engine_adopt(ctn_engine *e, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    ctn_eng_file(e, request(e, FILED_ADOPT, id, ack, ctx));
}

void ctn_engine_release(ctn_engine *e, ctn_execution_id id, bool gives_up, ctn_str actor, ctn_str reason,
                        ctn_ack_fn *ack, void *ctx)
{
    filed *f = request(e, FILED_RELEASE, id, ack, ctx);
    f->gives_up = gives_up;
    f->in.actor = ctn_arena_str(f->arena, actor);
    f->in.message = ctn_arena_str(f->arena, reason);
    ctn_eng_file(e, f);
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
    ctn_eng_admission_init(e);
    ctn_eng_schedules_init(e);
    ctn_eng_quarantine_init(e);
    int rc = ctn_eng_gate_init(e, m->err);
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
    ctn_inbox_done(&e->inbox);
    ctn_eng_plans_free(e);
    ctn_eng_admission_done(e);
    ctn_eng_quarantine_done(e);
    ctn_eng_cache_done(e);
    ctn_eng_gate_done(e);
    ctn_eng_schedules_done(e);
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
    ctn_eng_wake(e);
}

bool ctn_engine_is_quiet(const ctn_engine *e)
{
    return e->flights.open == 0 && !e->inbox.list.first && ctn_eng_all_is_committed(e);
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
