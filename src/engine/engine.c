/*
 * engine.c -- the turn, and what is asked of the engine from outside. The essay is in engine.h.
 */
#include "engine/engine_state.h"
#include "base/memory.h"

#include "base/plant.h"
#include <assert.h>
#include <stdlib.h>

#define BATCH_WORTH 1024 /* executions with entries in it */

/* ---- filed things ---- */

void ctn_eng_list_append(filed_list *list, filed *f)
{
    f->next = NULL;
    if (list->last)
        list->last->next = f;
    else
        list->first = f;
    list->last = f;
}

filed *ctn_eng_list_take(filed_list *list)
{
    filed *f = list->first;
    if (!f)
        return NULL;
    list->first = f->next;
    if (!list->first)
        list->last = NULL;
    f->next = NULL;
    return f;
}

filed *ctn_eng_filed_new(ctn_engine *e, filed_kind kind)
{
    ctn_arena *arena = e->arena_pool_count ? e->arena_pool[--e->arena_pool_count] : ctn_arena_new(1024);
    filed *f = CTN_NEW(arena, filed);
    f->arena = arena;
    f->kind = kind;
    return f;
}

void ctn_eng_filed_free(ctn_engine *e, filed *f)
{
    ctn_arena *arena = f->arena;
    if (e->arena_pool_count == ARENA_POOL_MAX) {
        ctn_arena_free(arena);
        return;
    }
    ctn_arena_reset(arena);
    e->arena_pool[e->arena_pool_count++] = arena;
}

void ctn_eng_wake(ctn_engine *e)
{
    if (e->options.wake)
        e->options.wake(e->options.wake_ctx);
}

void ctn_eng_file(ctn_engine *e, filed *f)
{
    ctn_eng_list_append(&e->inputs, f);
    ctn_eng_wake(e);
}

void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err)
{
    if (f->ack)
        f->ack(f->ack_ctx, rc, f->id, err);
    ctn_eng_filed_free(e, f);
}

/* What is on disk: memory may be a batch ahead of it. */
void ctn_eng_tell_status(ctn_engine *e, loaded *l)
{
    ctn_status status = CTN_PLANT(STATUS_TOLD_EARLY) ? ctn_execution_status(l->x) : l->status_written;
    if (!e->options.on_event || (l->was_status_told && l->status_told == status))
        return;
    l->was_status_told = true;
    l->status_told = status;
    e->options.on_event(e->options.on_event_ctx,
                        &(ctn_engine_event){.kind = CTN_EVENT_STATUS, .execution = l->x, .status = status});
}

/* ---- deciding ---- */

/* Everything that follows by itself, each entry on the state that the one before it left. */
void ctn_eng_advance(ctn_engine *e, loaded *l)
{
    if (l->is_lost || e->is_stopping || !l->plan->is_bound)
        return;
    gate_waits before;
    ctn_eng_gate_begin(e, l, &before);
    for (;;) {
        ctn_arena_mark mark = ctn_arena_save(e->scratch);
        ctn_entry entry;
        bool more = ctn_execution_next(l->x, &e->rules, e->now_ms, ctn_eng_chance(e), e->scratch, &entry);
        if (more) {
            ctn_eng_record(e, l, &entry);
            ctn_eng_gate_recorded(e, l, &entry);
        }
        ctn_arena_restore(e->scratch, mark);
        if (!more)
            break;
    }
    ctn_eng_gate_end(e, l, &before);
    ctn_eng_to_perform(e, l);
}

/* Decides one input for a loaded execution; keeps it with the batch, or answers it at once. */
static void decide(ctn_engine *e, loaded *l, filed *f)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_entry entry;
    ctn_err err = {0};
    f->in.now_ms = e->now_ms;
    f->in.entropy = ctn_eng_chance(e);
    int rc = ctn_execution_decide(l->x, &e->rules, &f->in, e->scratch, &entry, &err);
    if (rc == CTN_OK) {
        ctn_eng_record(e, l, &entry);
        ctn_eng_cache_put(e, l, &entry, f->in.value);
        ctn_eng_keep(e, f);
    }
    ctn_arena_restore(e->scratch, mark);
    if (rc)
        ctn_eng_ack(e, f, rc, &err);
    ctn_eng_advance(e, l);
    ctn_eng_to_perform(e, l);
}

static void take_call_ended(ctn_engine *e, filed *f)
{
    loaded *l = ctn_eng_find(e, f->id);
    if (!l) { /* unloaded: nobody waits for it */
        ctn_eng_filed_free(e, f);
        return;
    }
    for (uint32_t i = 0; i < l->flight_count; i++) {
        const flight *fl = &e->flights[l->flights[i]];
        if (fl->step == f->in.step && fl->item == f->in.item && fl->call == f->in.call && fl->role == f->in.role &&
            fl->attempt == f->in.attempt && fl->is_check == (f->in.kind == CTN_IN_CHECK_ENDED)) {
            ctn_eng_flight_close(e, fl->token);
            break;
        }
    }
    decide(e, l, f);
}

static void take_input(ctn_engine *e, filed *f)
{
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_execution_check_names(NULL, (ctn_str){0}, f->in.actor, &err);
    if (rc == CTN_OK && f->in.message.len > CTN_REASON_BYTES_MAX)
        rc = ctn_fail(&err, CTN_E_LIMIT, "the reason has %zu bytes, at most %d are kept", f->in.message.len,
                      CTN_REASON_BYTES_MAX);
    if (rc == CTN_OK)
        rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc) {
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    if (ctn_execution_is_hidden(l->x)) {
        rc = ctn_fail(&err, CTN_E_STATE,
                      "the execution has ended, and its sensitive values cannot be read here: they were shredded, or "
                      "there is no key");
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    ctn_eng_advance(e, l);
    decide(e, l, f);
}

static void take_child_ended(ctn_engine *e, filed *f)
{
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc == CTN_E_IO || rc == CTN_E_BUSY) { /* nobody else would tell it: it is told when the store can be read */
        ctn_eng_store_fails(e, &e->read_trouble, &err);
        ctn_eng_list_append(&e->inputs, f);
        return;
    }
    f->in.step = rc ? CTN_PLAN_NONE : ctn_plan_step_index(l->plan->plan, f->in.name);
    if (f->in.step == CTN_PLAN_NONE) { /* its row is woken: it looks after its children when it can be loaded */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "the parent of a sub-chain cannot be loaded", "why", err.message,
                     NULL);
        ctn_eng_filed_free(e, f);
        return;
    }
    ctn_eng_advance(e, l);
    decide(e, l, f);
}

static void take_adopt(ctn_engine *e, filed *f)
{
    loaded *l = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_load(e, f->id, &l, &err);
    if (rc == CTN_OK) {
        if (ctn_execution_status(l->x) == CTN_STATUS_QUEUED) {
            if (ctn_eng_may_start(e, l->plan->plan, l->queue_key, l->exec_no))
                ctn_eng_start_queued(e, l, f->in.actor);
            else
                ctn_eng_wait_here(e, l);
        }
        ctn_eng_advance(e, l);
        ctn_eng_to_perform(e, l);
    }
    if (rc == CTN_OK && l->build)
        ctn_eng_keep(e, f);
    else
        ctn_eng_ack(e, f, rc, &err);
}

static int64_t known_execution(ctn_engine *e, filed *f)
{
    ctn_execution_row row;
    if (!f->start.idempotency_key.len ||
        ctn_store_execution_by_key(e->options.store, e->scratch, f->start.plan->chain_id, f->start.idempotency_key,
                                   &row, NULL) != CTN_OK)
        return 0;
    f->id = row.id;
    return row.exec_no;
}

static void take_start(ctn_engine *e, filed *f)
{
    ctn_err err = {0};
    const ctn_json *input = NULL;
    loaded *l = ctn_eng_find(e, f->id);
    if (l) { /* a second try after a failed commit that did reach the disk */
        ctn_eng_ack(e, f, CTN_OK, NULL);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    plan_ref *plan = ctn_eng_plan_ref(e, f->start.plan);
    assert(plan);
    ctn_str queue_key;
    int rc = ctn_plan_accept_input(plan->plan, e->scratch, f->start.input, &input, &err);
    if (rc == CTN_OK)
        rc = ctn_execution_check_input(&e->rules, input, &err);
    if (rc == CTN_OK)
        rc = ctn_execution_check_names(f->start.labels, f->start.idempotency_key, f->start.actor, &err);
    if (rc == CTN_OK)
        rc = ctn_plan_queue_key(plan->plan, e->scratch, input, e->now_ms, &queue_key, &err);
    if (rc && plan->plan->concurrency_key &&
        ctn_sensitive_queue_key(ctn_eng_sensitivity(e, plan->plan, f->start.sensitive)))
        rc = ctn_fail(&err, rc, "concurrencyKey of chain '%.*s' cannot be made of a sensitive value; why is not told",
                      CTN_STR_ARG(plan->plan->chain_id));
    if (rc == CTN_OK)
        rc = ctn_execution_check_reuse(plan->plan, f->start.going_on, &err);
    if (rc) {
        ctn_arena_restore(e->scratch, mark);
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    if (known_execution(e, f)) {
        ctn_arena_restore(e->scratch, mark);
        ctn_eng_ack(e, f, CTN_OK, NULL);
        return;
    }
    ctn_seal_key key = {{0}};
    ctn_data_key wrapped = {{0}, {0}};
    const ctn_sensitivity *sensitive =
        e->options.seals_nothing ? NULL : ctn_eng_sensitivity(e, plan->plan, f->start.sensitive);
    rc = sensitive ? ctn_eng_seal_start(e, plan->plan, f->id, sensitive, &queue_key, &key, &wrapped, &err) : CTN_OK;
    if (rc) {
        ctn_arena_restore(e->scratch, mark);
        ctn_eng_ack(e, f, rc, &err);
        return;
    }
    if (!f->exec_no)
        f->exec_no = ++e->exec_no_last;
    /* A child does not wait for room: its parent may have it. It shares its parents' line. */
    const ctn_parent *parent = f->start.parent;
    if (parent && queue_key.len && ctn_eng_key_is_shared(e, parent, queue_key))
        queue_key = (ctn_str){0};
    bool is_limited = !parent || queue_key.len || plan->plan->max_concurrent;
    bool is_queued = f->start.is_queued || (is_limited && (e->loaded_count >= e->options.active_max ||
                                                           !ctn_eng_may_start(e, plan->plan, queue_key, f->exec_no)));
    ctn_arena *arena = ctn_arena_new(4096);
    l = ctn_eng_loaded_new(e, f->id, f->exec_no, plan, arena, ctn_execution_new(arena, plan->plan, f->id));
    l->is_new = true;
    if (sensitive) {
        l->is_sealed = true;
        l->seal_key = key;
        ctn_seal_key_wipe(&key);
        l->data_key = (ctn_data_key){ctn_arena_str(arena, wrapped.master_id), ctn_arena_str(arena, wrapped.wrapped)};
    }
    l->is_follow_up = ctn_eng_is_follow_up_key(f->start.idempotency_key);
    l->follows = f->start.follows;
    if (is_queued && !f->start.is_queued)
        ctn_eng_wait_here(e, l);
    ctn_eng_line_up(e, l, queue_key);
    l->row = (ctn_execution_row){
        .exec_no = f->exec_no,
        .id = f->id,
        .parent = parent ? parent->id : (ctn_execution_id){{0}},
        .chain_id = plan->plan->chain_id,
        .chain_version = f->start.version,
        .priority = plan->plan->priority,
        .queue_key = l->queue_key,
        .idempotency_key = ctn_arena_str(l->arena, f->start.idempotency_key),
        .labels = f->start.labels ? ctn_json_to_str(l->arena, f->start.labels) : (ctn_str){0},
        .input = ctn_json_to_str(l->arena, ctn_sensitive_hide_input(sensitive, input, e->scratch)),
        .created_at_ms = e->now_ms,
    };
    ctn_entry first = ctn_execution_first_entry(plan->plan, e->scratch, is_queued, f->start.version, input,
                                                f->start.labels, parent, f->start.actor, e->now_ms);
    if (f->start.going_on)
        ctn_execution_add_reuse(&first, e->scratch, f->start.going_on);
    ctn_execution_add_sensitive(&first, e->scratch, f->start.sensitive);
    ctn_eng_record(e, l, &first);
    ctn_eng_keep(e, f);
    ctn_arena_restore(e->scratch, mark);
    ctn_eng_advance(e, l);
    ctn_eng_to_perform(e, l);
}

static void take_filed(ctn_engine *e, filed *f)
{
    switch (f->kind) {
    case FILED_CALL_ENDED: take_call_ended(e, f); break;
    case FILED_INPUT: take_input(e, f); break;
    case FILED_START: take_start(e, f); break;
    case FILED_ADOPT: take_adopt(e, f); break;
    case FILED_CHILD_ENDED: take_child_ended(e, f); break;
    case FILED_RELEASE: ctn_eng_take_release(e, f); break;
    }
}

/* ---- the turn ---- */

/* A quarter of what is in memory has gathered, or as much as a commit takes well: past a few thousand rows a row costs
 * more, and all that waits for the commit waits longer (write-path.md). */
static bool is_worth_handing_over(const ctn_engine *e)
{
    size_t count = e->gathering->count;
    return !e->under_way && (4 * count >= e->loaded_count || count >= BATCH_WORTH);
}

static void take_inputs(ctn_engine *e)
{
    while (e->inputs.first && !e->failing_since_ms) {
        take_filed(e, ctn_eng_list_take(&e->inputs));
        if (is_worth_handing_over(e))
            ctn_eng_hand_over(e);
    }
}

static void take_due(ctn_engine *e)
{
    for (ctn_heap_node *node; (node = ctn_heap_first(&e->due)) && node->due_ms <= e->now_ms;) {
        loaded *l = (loaded *) node;
        ctn_heap_remove(&e->due, node);
        ctn_eng_advance(e, l);
        ctn_eng_to_perform(e, l);
    }
}

/* Plans that were waiting for their servers: their executions may go on. */
static void advance_bound(ctn_engine *e)
{
    bool any = false;
    for (plan_ref *p = e->plans; p; p = p->next)
        if (p->is_bound && p->preparing == 0 && !p->was_told) {
            p->was_told = true;
            any = true;
        }
    for (loaded *l = any ? e->list : NULL; l; l = l->next)
        ctn_eng_advance(e, l);
}

static int64_t next_turn_ms(const ctn_engine *e)
{
    int64_t at = 0;
    ctn_heap_node *first = ctn_heap_first(&e->due);
    if (first)
        at = first->due_ms;
    if (e->failing_since_ms)
        return e->retry_at_ms;
    const int64_t others_ms[] = {ctn_eng_queue_turn_ms(e), ctn_eng_schedules_turn_ms(e), ctn_eng_quarantine_turn_ms(e)};
    for (size_t i = 0; i < sizeof others_ms / sizeof *others_ms && !e->is_stopping; i++)
        if (others_ms[i] && (at == 0 || others_ms[i] < at))
            at = others_ms[i];
    if (e->options.own_only || e->is_stopping || e->loaded_count >= e->options.active_max)
        return at;
    if (ctn_eng_has_room_for_more(e))
        return e->now_ms; /* places became free in this turn */
    return e->due_hint_ms && (at == 0 || e->due_hint_ms < at) ? e->due_hint_ms : at;
}

int64_t ctn_engine_turn(ctn_engine *e)
{
    e->now_ms = ctn_clock_now_ms(&e->options.clock);
    ctn_eng_take_in(e);
    ctn_eng_recover_store(e);
    advance_bound(e);
    if (!e->failing_since_ms) {
        take_due(e);
        ctn_eng_admit(e);
        ctn_eng_admit_queued(e);
        ctn_eng_collect_owing(e);
        ctn_eng_schedules_turn(e);
    }
    /* Calls may end at once (native functions): their results are inputs of the same turn. */
    do {
        take_inputs(e);
        ctn_eng_cache_wake(e);
        ctn_eng_perform(e);
    } while ((e->inputs.first || ctn_eng_cache_has_woken(e)) && !e->failing_since_ms);
    ctn_eng_hand_over(e);
    ctn_eng_quarantine_flush(e);
    if (!e->failing_since_ms && !e->under_way) /* nothing was left to be written */
        ctn_eng_trouble_ends(e, &e->write_trouble);
    return next_turn_ms(e);
}

void ctn_engine_batch_done(ctn_engine *e, ctn_batch *batch)
{
    assert(!e->finished);
    e->finished = batch->memory;
    ctn_eng_wake(e);
}

/* ---- requests ---- */

void ctn_engine_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_filed_new(e, FILED_START);
    f->id = ctn_id_new(ctn_clock_now_ms(&e->options.clock), &e->options.id_rng);
    f->start = *start;
    f->start.input = ctn_json_copy(f->arena, start->input);
    f->start.labels = start->labels ? ctn_json_copy(f->arena, start->labels) : NULL;
    f->start.going_on = start->going_on ? ctn_json_copy(f->arena, start->going_on) : NULL;
    f->start.sensitive = start->sensitive ? ctn_json_copy(f->arena, start->sensitive) : NULL;
    f->start.idempotency_key = ctn_arena_str(f->arena, start->idempotency_key);
    f->start.actor = ctn_arena_str(f->arena, start->actor);
    f->ack = ack;
    f->ack_ctx = ctx;
    ctn_eng_file(e, f);
}

void ctn_engine_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_filed_new(e, FILED_INPUT);
    f->id = id;
    f->in = *input;
    f->in.actor = ctn_arena_str(f->arena, input->actor);
    f->in.name = ctn_arena_str(f->arena, input->name);
    f->in.message = ctn_arena_str(f->arena, input->message);
    f->in.value = input->value ? ctn_json_copy(f->arena, input->value) : NULL;
    f->ack = ack;
    f->ack_ctx = ctx;
    ctn_eng_file(e, f);
}

void ctn_engine_adopt(ctn_engine *e, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_filed_new(e, FILED_ADOPT);
    f->id = id;
    f->ack = ack;
    f->ack_ctx = ctx;
    ctn_eng_file(e, f);
}

const ctn_execution *ctn_engine_find(ctn_engine *e, ctn_execution_id id)
{
    loaded *l = ctn_eng_find(e, id);
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
    e->rules.effect_of = ctn_eng_effect_of;
    e->rules.effect_ctx = e;
    e->chance = options->seed;
    e->now_ms = ctn_clock_now_ms(&options->clock);
    e->scratch = ctn_arena_new(65536);
    e->arena_pool = ctn_calloc(ARENA_POOL_MAX, sizeof *e->arena_pool);
    e->due_hint_ms = e->now_ms;
    ctn_eng_batches_init(e);
    ctn_eng_sink_init(e);
    ctn_eng_cache_init(e);
    ctn_eng_plans_lend(e);
    e->read_trouble = (store_trouble){.begins = "the store cannot be read; it is tried again until it can",
                                      .goes_on = "the store still cannot be read",
                                      .ends = "the store can be read again"};
    e->write_trouble = (store_trouble){.begins = "the store cannot be written; nothing goes on until it can",
                                       .goes_on = "the store still cannot be written; nothing goes on until it can",
                                       .ends = "the store can be written again; everything goes on"};
    ctn_eng_quarantine_init(e);
    int rc = ctn_store_exec_no_last(options->store, &e->exec_no_last, m->err);
    if (rc == CTN_OK)
        rc = ctn_eng_gate_init(e, m->err);
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
    while (e->list) {
        e->list->build = NULL;
        e->list->batches = 0;
        ctn_eng_unload(e, e->list);
    }
    for (filed *f; (f = ctn_eng_list_take(&e->inputs));)
        ctn_eng_filed_free(e, f);
    ctn_eng_batches_done(e);
    ctn_eng_plans_free(e);
    for (size_t i = 0; i < e->arena_pool_count; i++)
        ctn_arena_free(e->arena_pool[i]);
    free(e->arena_pool);
    ctn_heap_done(&e->due);
    ctn_eng_admission_done(e);
    ctn_eng_quarantine_done(e);
    ctn_eng_cache_done(e);
    ctn_eng_gate_done(e);
    ctn_eng_schedules_done(e);
    ctn_arena_free(e->scratch);
    free(e->flights);
    free(e->lost);
    free(e->map);
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
    return e->flights_open == 0 && !e->under_way && !e->finished && !e->inputs.first && !ctn_eng_has_gathered(e);
}

bool ctn_engine_is_idle(const ctn_engine *e)
{
    return e->loaded_count == 0 && ctn_engine_is_quiet(e);
}

int64_t ctn_engine_store_failing_since_ms(const ctn_engine *e, ctn_str *ret_why)
{
    *ret_why = ctn_str_from(e->failing_why);
    return e->write_trouble.since_ms;
}
