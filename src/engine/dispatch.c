/*
 * dispatch.c -- calls to the world: begun when core owes them and all of the execution's entries are on disk, let go
 * when core owes them no more. What is in flight is compared with what is owed; there is no other list of work.
 */
#include "engine/engine_state.h"
#include "base/memory.h"

#include "base/plant.h"
#include <assert.h>
#include <stdlib.h>

/* ---- the table of flights ---- */

static flight *flight_by_token(ctn_engine *e, uint64_t token)
{
    uint32_t index = (uint32_t) (token & 0xffffffffu);
    return index < e->flight_count && e->flights[index].token == token ? &e->flights[index] : NULL;
}

static uint32_t flight_open(ctn_engine *e, loaded *l, const ctn_owed_call *owed, const ctn_driver *driver)
{
    uint32_t index;
    if (e->flight_free) {
        index = e->flight_free - 1;
        e->flight_free = e->flights[index].step;
    } else {
        if (e->flight_count == e->flight_capacity) {
            e->flight_capacity = e->flight_capacity ? 2 * e->flight_capacity : 256;
            e->flights = ctn_realloc(e->flights, e->flight_capacity * sizeof *e->flights);
            assert(e->flights);
        }
        index = e->flight_count++;
    }
    e->flights[index] = (flight){
        .token = (++e->token_last << 32) | index,
        .l = l,
        .driver = driver,
        .step = owed->step,
        .item = owed->item,
        .call = owed->call,
        .attempt = owed->attempt,
        .role = owed->role,
        .set = owed->set,
        .target = owed->plan_call->target,
        .is_check = owed->is_check,
        .begun_at_ms = e->now_ms,
    };
    if (l->flight_count == l->flight_capacity) {
        l->flight_capacity = l->flight_capacity ? 2 * l->flight_capacity : 4;
        l->flights = ctn_realloc(l->flights, l->flight_capacity * sizeof *l->flights);
        assert(l->flights);
    }
    l->flights[l->flight_count++] = index;
    e->flights_open++;
    return index;
}

static void flight_close_index(ctn_engine *e, uint32_t index)
{
    flight *f = &e->flights[index];
    loaded *l = f->l;
    for (uint32_t i = 0; i < l->flight_count; i++)
        if (l->flights[i] == index) {
            l->flights[i] = l->flights[--l->flight_count];
            break;
        }
    ctn_eng_place_give_back(e, &f->place);
    f->token = 0;
    f->step = e->flight_free;
    e->flight_free = index + 1;
    e->flights_open--;
}

void ctn_eng_flight_close(ctn_engine *e, uint64_t token)
{
    flight *f = flight_by_token(e, token);
    if (f)
        flight_close_index(e, (uint32_t) (f - e->flights));
}

void ctn_eng_drop_flights(ctn_engine *e, loaded *l, bool cancel)
{
    while (l->flight_count) {
        flight *f = &e->flights[l->flights[l->flight_count - 1]];
        uint64_t token = f->token;
        const ctn_driver *driver = f->driver;
        bool is_done = f->is_done;
        flight_close_index(e, (uint32_t) (f - e->flights));
        if (cancel && !is_done)
            driver->cancel(driver->ctx, token);
    }
}

/* ---- what drivers tell ---- */

static void note_lost(ctn_engine *e, const flight *f)
{
    for (uint32_t i = 0; i < e->lost_count; i++)
        if (e->lost[i].until_ms <= e->now_ms)
            e->lost[i--] = e->lost[--e->lost_count];
    if (e->lost_count == e->lost_capacity) {
        e->lost_capacity = e->lost_capacity ? 2 * e->lost_capacity : 16;
        e->lost = ctn_realloc(e->lost, e->lost_capacity * sizeof *e->lost);
        assert(e->lost);
    }
    e->lost[e->lost_count++] = (lost_call){.id = f->l->id,
                                           .token = f->token,
                                           .driver = f->driver,
                                           .step = f->step,
                                           .item = f->item,
                                           .target = f->target,
                                           .call = f->call,
                                           .role = f->role,
                                           .until_ms = f->begun_at_ms + f->set->settle_ms};
}

/* Of any attempt of the call. Of one that this process did not lose nothing can arrive any more: its server ended with
 * the engine before. */
static bool may_still_arrive(const ctn_engine *e, const flight *check)
{
    for (uint32_t i = 0; i < e->lost_count; i++) {
        const lost_call *c = &e->lost[i];
        if (c->step == check->step && c->item == check->item && c->call == check->call && c->role == check->role &&
            ctn_id_equal(c->id, check->l->id) && c->driver->may_still_arrive &&
            c->driver->may_still_arrive(c->driver->ctx, c->token, c->target))
            return true;
    }
    return false;
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    ctn_engine *e = ctx;
    flight *f = flight_by_token(e, token);
    if (!f || f->is_done)
        return; /* let go in the meantime */
    f->is_done = true;
    ctn_eng_place_heard(e, &f->place, result->failure);
    filed *in = ctn_eng_filed_new(e, FILED_CALL_ENDED);
    in->id = f->l->id;
    in->in = (ctn_input){
        .kind = f->is_check ? CTN_IN_CHECK_ENDED : CTN_IN_CALL_ENDED,
        .step = f->step,
        .item = f->item,
        .call = f->call,
        .role = f->role,
        .attempt = f->attempt,
        .failure = result->failure,
        .message = ctn_arena_str(in->arena, result->message),
        .was_sent = result->was_sent,
        .peer_is_dead = result->peer_is_dead,
        .retry_after_ms = result->retry_after_ms,
        .used = {.tokens = result->used_tokens, .money = ctn_arena_str(in->arena, result->used_money)},
        .begun_at_ms = f->begun_at_ms,
    };
    if (result->failure == CTN_FAILURE_NONE)
        in->in.value = result->value ? ctn_json_copy(in->arena, result->value) : &ctn_json_null;
    if (f->is_check)
        in->in.peer_is_dead = !f->may_be_late;
    else if (result->was_sent && !result->peer_is_dead &&
             (result->failure == CTN_FAILURE_TIMEOUT || result->failure == CTN_FAILURE_TRANSPORT))
        note_lost(e, f);
    ctn_eng_file(e, in);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    ctn_engine *e = ctx;
    flight *f = flight_by_token(e, token);
    if (!f || !e->options.on_event)
        return;
    if (message.len && ctn_sensitive_step(ctn_execution_sensitivity(f->l->x), f->step))
        message = CTN_STR(CTN_WITHHELD_TEXT);
    e->options.on_event(e->options.on_event_ctx, &(ctn_engine_event){.kind = CTN_EVENT_PROGRESS,
                                                                     .execution = f->l->x,
                                                                     .status = f->l->status_written,
                                                                     .step = f->l->plan->plan->steps[f->step].name,
                                                                     .attempt = f->attempt,
                                                                     .progress = progress,
                                                                     .total = total,
                                                                     .message = message});
}

void ctn_eng_sink_init(ctn_engine *e)
{
    e->sink = (ctn_call_sink){.done = on_done, .progress = on_progress, .ctx = e};
}

static const ctn_driver *driver_of(const ctn_engine *e, ctn_work_kind kind)
{
    ctn_str name = ctn_str_from(ctn_work_kind_name(kind));
    for (size_t i = 0; i < e->options.driver_count; i++)
        if (ctn_str_is(name, e->options.drivers[i]->kind))
            return e->options.drivers[i];
    return NULL;
}

ctn_effect ctn_eng_effect_of(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from)
{
    const ctn_driver *driver = driver_of(ctx, kind);
    return driver && driver->effect ? driver->effect(driver->ctx, target, ret_from) : CTN_EFFECT_UNKNOWN;
}

bool ctn_eng_schema_of(void *ctx, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest)
{
    const ctn_driver *driver = driver_of(ctx, kind);
    return driver && driver->schema && driver->schema(driver->ctx, target, ret_digest);
}

/* ---- binding: before a plan's executions advance, its servers say what their tools do ---- */

static void on_prepared(void *ctx)
{
    plan_ref *p = ctx;
    assert(p->preparing > 0);
    if (--p->preparing > 0)
        return;
    p->is_bound = true;
    ctn_eng_wake(p->engine);
}

static void prepare_call(ctn_engine *e, plan_ref *p, const ctn_plan_call *call)
{
    const ctn_driver *driver = driver_of(e, call->kind);
    if (!driver || !driver->prepare)
        return;
    p->preparing++;
    driver->prepare(driver->ctx, call->target, on_prepared, p);
}

static void prepare_set(ctn_engine *e, plan_ref *p, const ctn_plan_set *set)
{
    for (uint32_t i = 0; set && i < set->call_count; i++)
        prepare_call(e, p, &set->calls[i]);
    if (set && set->check)
        prepare_call(e, p, set->check);
}

void ctn_eng_bind(ctn_engine *e, plan_ref *p)
{
    p->preparing = 1; /* ours, so that it is bound only after all were asked */
    for (uint32_t i = 0; i < p->plan->step_count; i++) {
        const ctn_plan_step *step = &p->plan->steps[i];
        prepare_set(e, p, step->set);
        prepare_set(e, p, step->undo);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            prepare_set(e, p, step->fallbacks[k].set);
    }
    on_prepared(p);
}

/* ---- performing ---- */

void ctn_eng_to_perform(ctn_engine *e, loaded *l)
{
    if (l->is_to_perform)
        return;
    l->is_to_perform = true;
    l->perform_next = NULL;
    if (e->to_perform_last)
        e->to_perform_last->perform_next = l;
    else
        e->to_perform = l;
    e->to_perform_last = l;
}

static bool is_owed(const flight *f, const ctn_owed *owed)
{
    for (size_t i = 0; i < owed->count; i++) {
        const ctn_owed_call *c = &owed->calls[i];
        if (c->step == f->step && c->item == f->item && c->call == f->call && c->role == f->role &&
            c->attempt == f->attempt && c->is_check == f->is_check)
            return true;
    }
    return false;
}

static bool is_in_flight(const ctn_engine *e, const loaded *l, const ctn_owed_call *c)
{
    for (uint32_t i = 0; i < l->flight_count; i++) {
        const flight *f = &e->flights[l->flights[i]];
        if (c->step == f->step && c->item == f->item && c->call == f->call && c->role == f->role &&
            c->attempt == f->attempt && c->is_check == f->is_check)
            return true;
    }
    return false;
}

static void begin(ctn_engine *e, loaded *l, const ctn_owed_call *owed)
{
    const ctn_driver *driver = driver_of(e, owed->plan_call->kind);
    uint32_t index = flight_open(e, l, owed, driver);
    uint64_t token = e->flights[index].token;
    e->flights[index].may_be_late = owed->is_check && may_still_arrive(e, &e->flights[index]);
    if (!owed->is_check)
        e->flights[index].place = ctn_eng_place_for(e, l, owed->set, owed->plan_call);
    if (ctn_execution_is_stopping(l->x) && owed->role == CTN_ROLE_DO && !owed->is_check &&
        !CTN_PLANT(SENT_AFTER_THE_STOP)) {
        /* Its start was decided, and the stop before it could be sent: nobody sends it any more. */
        ctn_call_result unsent = {.failure = CTN_FAILURE_CANCELLED, .message = CTN_STR("stopped before it was sent")};
        on_done(e, token, &unsent);
        return;
    }
    if (e->options.on_event && !owed->is_check)
        e->options.on_event(e->options.on_event_ctx, &(ctn_engine_event){.kind = CTN_EVENT_CALL,
                                                                         .execution = l->x,
                                                                         .status = ctn_execution_status(l->x),
                                                                         .step = l->plan->plan->steps[owed->step].name,
                                                                         .attempt = owed->attempt});
    if (!driver) {
        ctn_call_result none = {
            .failure = CTN_FAILURE_UNAVAILABLE,
            .message = ctn_arena_printf(e->scratch, "nothing here can make a call of kind %s",
                                        ctn_work_kind_name(owed->plan_call->kind)),
        };
        on_done(e, token, &none);
        return;
    }
    ctn_id_text id = ctn_id_to_text(l->id);
    ctn_call_request request = {
        .token = token,
        .target = owed->plan_call->target,
        .args = owed->args,
        .idempotency_key = owed->key,
        .deadline_ms = owed->timeout_ms ? e->now_ms + owed->timeout_ms : 0,
        .timeout_ms = owed->timeout_ms,
        .idle_timeout_ms = owed->idle_timeout_ms,
        .execution_id = ctn_str_from(id.text),
        .step = l->plan->plan->steps[owed->step].name,
        .attempt = owed->attempt,
        .is_sensitive = ctn_sensitive_step(ctn_execution_sensitivity(l->x), owed->step),
    };
    driver->begin(driver->ctx, &request);
}

static void perform_one(ctn_engine *e, loaded *l)
{
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    for (uint32_t i = l->flight_count; i-- > 0;) {
        flight *f = &e->flights[l->flights[i]];
        if (f->is_done || is_owed(f, &owed))
            continue;
        uint64_t token = f->token;
        const ctn_driver *driver = f->driver;
        if (driver && !f->is_check && !CTN_PLANT(LET_GO_IS_FORGOTTEN))
            note_lost(e, f); /* nobody waits for it any more; it may be on its way all the same */
        flight_close_index(e, (uint32_t) (f - e->flights));
        if (driver)
            driver->cancel(driver->ctx, token);
    }
    /* Who stops begins nothing new. A write whose start was on its way to disk is not new: left unsent, it would look
     * like one that was cut off, and park. */
    for (size_t i = 0; i < owed.count; i++) {
        const ctn_owed_call *c = &owed.calls[i];
        bool may_begin = !e->is_stopping || (c->effect == CTN_EFFECT_WRITE && !c->is_check);
        if (may_begin && !is_in_flight(e, l, c))
            begin(e, l, c);
    }
    ctn_eng_perform_children(e, l, &owed);
    ctn_eng_cache_let_go(e, l, false);
    ctn_eng_count(e, l);
    ctn_eng_places_drop(e, l); /* what was started by now has begun, or never will */
    int64_t due_ms =
        owed.wake_at_ms && (!l->gate_due_ms || owed.wake_at_ms < l->gate_due_ms) ? owed.wake_at_ms : l->gate_due_ms;
    if (due_ms)
        ctn_heap_set(&e->due, &l->due, due_ms);
    else
        ctn_heap_remove(&e->due, &l->due);
    ctn_status status = ctn_execution_status(l->x);
    bool is_parked = ctn_status_is_final(status) || status == CTN_STATUS_QUEUED ||
                     (status != CTN_STATUS_RUNNING && !ctn_execution_is_busy(l->x));
    /* An engine that was told what to advance has no look at the store's wake times: it keeps what wakes by itself. */
    bool must_stay = e->options.own_only && (owed.wake_at_ms || (status == CTN_STATUS_QUEUED && l->is_wanted));
    if (ctn_status_is_final(status) && l->flight_count == 0 && !ctn_eng_follow_up(e, l))
        return;
    if (l->build || l->batches)
        return; /* what was just settled about its children is on its way to disk */
    bool may_go = l->flight_count == 0 && is_parked && !must_stay && ctn_eng_children_are_settled(l, &owed);
    if (may_go && !ctn_status_is_final(status) && ctn_eng_wakes_for_nothing(e, l)) {
        ctn_eng_touch(e, l); /* else the store would give it back at once, again and again */
        return;
    }
    if (may_go && !CTN_PLANT(PARKED_STAYS_IN_MEMORY)) {
        if (l->wake_written && !ctn_status_is_final(status) &&
            (e->due_hint_ms == 0 || l->wake_written < e->due_hint_ms))
            e->due_hint_ms = l->wake_written;
        ctn_eng_unload(e, l);
    }
}

void ctn_eng_perform(ctn_engine *e)
{
    while (e->to_perform) {
        loaded *l = e->to_perform;
        e->to_perform = l->perform_next;
        if (!e->to_perform)
            e->to_perform_last = NULL;
        l->is_to_perform = false;
        bool is_ahead = (l->batches || l->build) && !CTN_PLANT(EFFECT_BEFORE_COMMIT);
        if (is_ahead || l->is_lost || !l->plan->is_bound)
            continue; /* it comes back when that is over */
        ctn_arena_mark mark = ctn_arena_save(e->scratch);
        perform_one(e, l);
        ctn_arena_restore(e->scratch, mark);
    }
}
