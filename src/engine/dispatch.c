/*
 * dispatch.c -- calls to the world: begun when core owes them and all of the execution's entries are on disk, let go
 * when core owes them no more. What is in flight is compared with what is owed; there is no other list of work.
 */
#include "engine/dispatch.h"
#include "base/plant.h"
#include "engine/abandon.h"
#include "engine/batch.h"
#include "engine/binding.h"
#include "engine/cache.h"
#include "engine/child.h"
#include "engine/commit.h"
#include "engine/far.h"
#include "engine/follow_up.h"
#include "engine/gate.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"

#define PUT_OFF_MS 100

/* ---- what drivers tell ---- */

/* CALL, and later HEARD, with what became of it. */
static void tell_call(const ctn_engine *e, const flight *f, enum ctn_engine_event_kind kind, ctn_failure failure)
{
    const loaded *l = f->l;
    if (e->options.on_event)
        e->options.on_event(e->options.on_event_ctx,
                            &(ctn_engine_event){.kind = kind,
                                                .execution = l->x,
                                                .status = l->status_written,
                                                .step = l->plan->plan->steps[f->step].name,
                                                .attempt = f->attempt,
                                                .item = f->item,
                                                .is_undo = f->role == CTN_ROLE_UNDO,
                                                .work = f->driver ? f->driver->kind : "unknown",
                                                .failure = failure,
                                                .begun_at_ms = f->begun_at_ms});
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    ctn_engine *e = ctx;
    flight *f = ctn_flight_by_token(&e->flights, token);
    if (!f || f->is_done)
        return; /* let go in the meantime */
    f->is_done = true;
    tell_call(e, f, CTN_EVENT_HEARD, result->failure);
    ctn_eng_pass_heard(e, &f->pass, result->failure);
    filed *in = ctn_inbox_new(&e->inbox, FILED_CALL_ENDED);
    in->id = f->l->id;
    in->epoch = f->l->epoch;
    in->token = token;
    in->driver = f->driver;
    in->target = f->target;
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
    if (result->asks && f->is_check) {
        in->in.failure = CTN_FAILURE_PROTOCOL_ERROR;
        in->in.message = CTN_STR("a check cannot ask");
    } else if (result->asks) {
        in->in.asks = ctn_json_copy(in->arena, result->asks);
        in->in.continuation = result->continuation ? ctn_json_copy(in->arena, result->continuation) : NULL;
    } else if (result->failure == CTN_FAILURE_NONE)
        in->in.value = result->value ? ctn_json_copy(in->arena, result->value) : &ctn_json_null;
    if (f->is_check)
        in->in.peer_is_dead = !f->may_be_late;
    else if (result->was_sent && !result->peer_is_dead &&
             (result->failure == CTN_FAILURE_TIMEOUT || result->failure == CTN_FAILURE_TRANSPORT))
        ctn_flight_note_lost(&e->flights, f, e->now_ms);
    ctn_eng_file(e, in);
}

static void on_accepted(void *ctx, uint64_t token, const ctn_json *continuation)
{
    ctn_engine *e = ctx;
    flight *f = ctn_flight_by_token(&e->flights, token);
    if (!f || f->is_done || f->is_check) /* a check is asked again, if need be */
        return;
    f->is_accepted = true;
    filed *in = ctn_inbox_new(&e->inbox, FILED_CALL_ACCEPTED);
    in->id = f->l->id;
    in->epoch = f->l->epoch;
    in->in = (ctn_input){.kind = CTN_IN_CALL_ACCEPTED,
                         .step = f->step,
                         .item = f->item,
                         .call = f->call,
                         .role = f->role,
                         .attempt = f->attempt,
                         .continuation = ctn_json_copy(in->arena, continuation)};
    ctn_eng_file(e, in);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    ctn_engine *e = ctx;
    flight *f = ctn_flight_by_token(&e->flights, token);
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
    e->sink = (ctn_call_sink){.done = on_done, .accepted = on_accepted, .progress = on_progress, .ctx = e};
}

/* ---- performing ---- */

static bool is_the_same(const flight *f, const ctn_owed_call *c)
{
    return c->step == f->step && c->item == f->item && c->call == f->call && c->role == f->role &&
           c->attempt == f->attempt && c->is_check == f->is_check;
}

static bool is_owed(const flight *f, const ctn_owed *owed)
{
    for (size_t i = 0; i < owed->count; i++)
        if (is_the_same(f, &owed->calls[i]))
            return true;
    return false;
}

static bool is_in_flight(const ctn_engine *e, const loaded *l, const ctn_owed_call *c)
{
    for (uint32_t i = 0; i < l->flight_count; i++)
        if (is_the_same(ctn_flight_of(&e->flights, l, i), c))
            return true;
    return false;
}

static void fail_unsent(ctn_engine *e, uint64_t token, ctn_failure failure, ctn_str message)
{
    on_done(e, token, &(ctn_call_result){.failure = failure, .message = message});
}

/* The grant may be gone since it was started. What its peer has already, and what undoes or checks what was done while
 * there was one, goes on. */
static bool is_denied(ctn_engine *e, const loaded *l, const ctn_owed_call *owed, uint64_t token)
{
    if (!owed->set->is_restricted || owed->role != CTN_ROLE_DO || owed->is_check || owed->is_accepted)
        return false;
    ctn_err err = {0};
    ctn_str principal = ctn_execution_origin(l->x)->principal;
    if (!e->options.may_use || !principal.len ||
        e->options.may_use(e->options.may_use_ctx, principal, owed->set->name, &err) == CTN_OK)
        return false;
    fail_unsent(e, token, CTN_FAILURE_DENIED, ctn_str_from(err.message));
    return true;
}

/* What is not in the journal, and goes from here to the driver alone. NULL: there is none, and the call has failed. */
static const ctn_json *args_of(ctn_engine *e, const loaded *l, const ctn_owed_call *owed, uint64_t token)
{
    if (!e->options.fill_secrets || !ctn_plan_names_secrets(&l->plan->plan->steps[owed->step], owed->set))
        return owed->args;
    ctn_err err = {0};
    const ctn_json *args = owed->args;
    ctn_failure failure = e->options.fill_secrets(e->options.fill_secrets_ctx, owed->plan_call->kind, e->scratch,
                                                  owed->args, &args, &err);
    if (failure == CTN_FAILURE_NONE)
        return args;
    fail_unsent(e, token, failure, ctn_str_from(err.message));
    return NULL;
}

static ctn_str trace_of(const ctn_engine *e, const loaded *l, const ctn_owed_call *owed, ctn_trace_text *room)
{
    ctn_str callers = ctn_execution_origin(l->x)->traceparent;
    if (!e->options.tracing.is_on)
        return callers;
    ctn_traced_attempt attempt = {.id = l->id,
                                  .step = l->plan->plan->steps[owed->step].name,
                                  .item = owed->item,
                                  .attempt = owed->attempt,
                                  .is_undo = owed->role == CTN_ROLE_UNDO};
    return ctn_trace_for_call(&e->options.tracing, &attempt, callers, room);
}

/* Of a call that must not be made twice. What its peer has already is only asked after. */
static bool is_unsafe(const ctn_owed_call *owed)
{
    return owed->effect == CTN_EFFECT_WRITE && !owed->is_check && !owed->is_accepted;
}

/* Of a call that changes something, once or twice: the holder of the shard may have undone it when it comes late. */
static bool leaves_a_mark(const ctn_owed_call *owed)
{
    return owed->effect >= CTN_EFFECT_IDEMPOTENT && !owed->is_check && !owed->is_accepted;
}

/* The lease may end before it has arrived: it stays owed, and is tried again. Whoever takes the shard meanwhile finds
 * its start on disk, and asks the check. */
static void put_off(ctn_engine *e, loaded *l)
{
    l->gate.is_put_off = true;
    ctn_live_wake_at(&e->live, l, e->now_ms + PUT_OFF_MS);
}

/* Not of what was stopped before it was sent: that is only told so. */
static bool goes_out(const loaded *l, const ctn_owed_call *c)
{
    return !ctn_execution_is_stopping(l->x) || c->role != CTN_ROLE_DO || c->is_check || c->is_accepted;
}

static void begin(ctn_engine *e, loaded *l, const ctn_owed_call *owed)
{
    bool must_look = ctn_eng_is_fleet(e) && leaves_a_mark(owed);
    if (must_look && !ctn_eng_may_send(e, l)) {
        put_off(e, l);
        return;
    }
    const ctn_driver *driver = ctn_eng_driver_of(e, owed->plan_call->kind);
    flight *f = ctn_flight_open(&e->flights, l, owed, driver, e->now_ms);
    uint64_t token = f->token;
    if (owed->is_check) /* in a fleet another node may have lost it: when it was settled stands in the journal */
        f->may_be_late = ctn_eng_is_fleet(e) || ctn_flight_lost_may_arrive(&e->flights, f);
    else
        f->pass = ctn_eng_pass_for(e, l, owed->set, owed->plan_call);
    if (!goes_out(l, owed) && !CTN_PLANT(SENT_AFTER_THE_STOP)) {
        /* Its start was decided, and the stop before it could be sent: nobody sends it any more. */
        fail_unsent(e, token, CTN_FAILURE_CANCELLED, CTN_STR("stopped before it was sent"));
        return;
    }
    if (is_denied(e, l, owed, token))
        return;
    if (!owed->is_check)
        tell_call(e, f, CTN_EVENT_CALL, CTN_FAILURE_NONE);
    if (!driver) {
        fail_unsent(e, token, CTN_FAILURE_UNAVAILABLE,
                    ctn_arena_printf(e->scratch, "nothing here can make a call of kind %s",
                                     ctn_work_kind_name(owed->plan_call->kind)));
        return;
    }
    const ctn_json *args = args_of(e, l, owed, token);
    if (!args)
        return;
    ctn_id_text id = ctn_id_to_text(l->id);
    ctn_trace_text trace;
    ctn_call_request request = {
        .token = token,
        .target = owed->plan_call->target,
        .args = args,
        .detail = owed->plan_call->detail,
        .idempotency_key = owed->key,
        .deadline_ms = owed->timeout_ms ? e->now_ms + owed->timeout_ms : 0,
        .timeout_ms = owed->timeout_ms,
        .idle_timeout_ms = owed->idle_timeout_ms,
        .execution_id = ctn_str_from(id.text),
        .step = l->plan->plan->steps[owed->step].name,
        .attempt = owed->attempt,
        .traceparent = trace_of(e, l, owed, &trace),
        .continuation = owed->continuation,
        .answers = owed->answers,
        .is_sensitive = ctn_sensitive_step(ctn_execution_sensitivity(l->x), owed->step),
    };
    if (must_look && !ctn_eng_may_send(e, l)) {
        ctn_eng_pass_keep(l, &f->pass);
        ctn_eng_flight_end(e, f);
        put_off(e, l);
        return;
    }
    driver->begin(driver->ctx, &request);
    if (must_look && is_unsafe(owed))
        ctn_eng_was_sent(e, l);
}

static void let_go(ctn_engine *e, loaded *l, const ctn_owed *owed)
{
    for (uint32_t i = l->flight_count; i-- > 0;) {
        flight *f = ctn_flight_of(&e->flights, l, i);
        if (f->is_done || is_owed(f, owed))
            continue;
        uint64_t token = f->token;
        const ctn_driver *driver = f->driver;
        if (driver && !f->is_check && !CTN_PLANT(LET_GO_IS_FORGOTTEN)) /* it may be on its way all the same */
            ctn_flight_note_lost(&e->flights, f, e->now_ms);
        ctn_eng_flight_end(e, f);
        if (driver)
            driver->cancel(driver->ctx, token);
    }
}

/* Who stops begins nothing new. A write whose start was on its way to disk is not new: left unsent, it would look like
 * one that was cut off, and park. What its peer has already is not left unsent. */
static void begin_owed(ctn_engine *e, loaded *l, const ctn_owed *owed)
{
    for (size_t i = 0; i < owed->count; i++) {
        const ctn_owed_call *c = &owed->calls[i];
        bool may_begin = !(e->is_stopping || ctn_eng_is_draining(e, l)) || is_unsafe(c);
        if (may_begin && !(l->lacks_labels && goes_out(l, c)) && !is_in_flight(e, l, c))
            begin(e, l, c);
    }
}

/* Out of memory, if nothing is under way, nothing is on its way to disk, and the store gives it back when it is time.
 */
static void park(ctn_engine *e, loaded *l, const ctn_owed *owed)
{
    ctn_status status = ctn_execution_status(l->x);
    bool is_final = ctn_status_is_final(status);
    bool is_parked =
        is_final || status == CTN_STATUS_QUEUED || (status != CTN_STATUS_RUNNING && !ctn_execution_is_busy(l->x));
    /* An engine that was told what to advance has no look at the store's wake times: it keeps what wakes by itself. */
    bool must_stay = e->options.own_only && (owed->wake_at_ms || (status == CTN_STATUS_QUEUED && l->queue.is_wanted));
    if (is_final && l->flight_count == 0 &&
        (!ctn_eng_follow_up(e, l) || (l->child.is_far && !ctn_eng_tell_far_parent(e, l))) && !ctn_eng_is_draining(e, l))
        return;
    if (l->flight_count == 0 && !ctn_loaded_is_ahead(l) && ctn_eng_is_draining(e, l)) {
        ctn_eng_unload(e, l); /* as it is: who comes next goes on with it */
        return;
    }
    if (ctn_loaded_is_ahead(l))
        return; /* what was just settled about its children is on its way to disk */
    if (l->flight_count || !is_parked || must_stay || !ctn_watches_are_settled(&l->child.watches, owed))
        return;
    if (!is_final && ctn_eng_wakes_for_nothing(e, l)) {
        ctn_eng_touch(l); /* else the store would give it back at once, again and again */
        return;
    }
    if (CTN_PLANT(PARKED_STAYS_IN_MEMORY))
        return;
    if (l->wake_written && !is_final)
        ctn_due_at(&e->due, l->wake_written);
    ctn_eng_unload(e, l);
}

static void perform_one(ctn_engine *e, loaded *l)
{
    ctn_eng_abandon_left(l);
    l->gate.is_put_off = false;
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    let_go(e, l, &owed);
    begin_owed(e, l, &owed);
    ctn_eng_perform_children(e, l, &owed);
    ctn_eng_cache_let_go(e, l, false);
    ctn_eng_place_leave_if_done(e, l);
    if (!l->gate.is_put_off)
        ctn_eng_passes_drop(e, l); /* what was started by now has begun, or never will */
    ctn_live_set_due(&e->live, l, ctn_eng_is_draining(e, l) ? 0 : owed.wake_at_ms); /* what is due is another's then */
    park(e, l, &owed);
}

void ctn_eng_perform(ctn_engine *e)
{
    for (loaded *l; (l = ctn_live_take_to_perform(&e->live));) {
        bool is_ahead = ctn_loaded_is_ahead(l) && !CTN_PLANT(EFFECT_BEFORE_COMMIT);
        if (is_ahead || l->is_lost || !l->plan->is_bound || !ctn_eng_is_ours(e, l))
            continue; /* it comes back when that is over, or goes */
        ctn_arena_mark mark = ctn_arena_save(e->scratch);
        perform_one(e, l);
        ctn_arena_restore(e->scratch, mark);
    }
}
