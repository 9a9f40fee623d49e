/*
 * execution_apply.c -- folding an entry into the state. It judges nothing: every choice is in the entry.
 *
 * One function serves live running and recovery. A replay differs in one thing only: starts of repeatable calls
 * were never stored, so the end of an attempt may meet a step that is still ready, backing off or waiting. The
 * attempt's number counts, not the phase.
 */
#include "core/execution_state.h"

#include <assert.h>

static const ctn_json *get(const ctn_entry *e, const char *key)
{
    return ctn_json_member_of(e->body, key);
}

/* ---- the active list: works that may still do something ---- */

static void activate(ctn_execution *x, uint32_t step, ctn_role role)
{
    work *w = ctn_x_work(x, step, role);
    if (w->active_slot)
        return;
    x->active[x->active_count] = (active_work){.step = step, .role = role};
    w->active_slot = ++x->active_count;
}

static void deactivate(ctn_execution *x, uint32_t step, ctn_role role)
{
    work *w = ctn_x_work(x, step, role);
    if (!w->active_slot)
        return;
    uint32_t at = w->active_slot - 1;
    w->active_slot = 0;
    active_work last = x->active[--x->active_count];
    if (at < x->active_count) {
        x->active[at] = last;
        ctn_x_work(x, last.step, last.role)->active_slot = at + 1;
    }
}

/* ---- steps ---- */

static void make_ready(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    work *w = ctn_x_work(x, step, CTN_ROLE_DO);
    w->phase = WORK_READY;
    w->ready_at_ms = at_ms;
    w->ready_seq = x->seq;
    activate(x, step, CTN_ROLE_DO);
}

static void step_ended(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    x->ended_count++;
    const ctn_plan_step *p = &x->plan->steps[step];
    for (uint32_t i = 0; i < p->successor_count; i++) {
        uint32_t next = p->successors[i];
        assert(x->steps[next].waits_for > 0);
        if (--x->steps[next].waits_for == 0 && !x->is_stopping)
            make_ready(x, next, at_ms);
    }
}

/* Of a start that was not recorded the best that is known is when the step was ready. */
static void note_start(ctn_execution *x, uint32_t step, int64_t at_ms, bool is_seen)
{
    work *w = ctn_x_work(x, step, CTN_ROLE_DO);
    if (!w->first_at_ms)
        w->first_at_ms = is_seen ? at_ms : w->ready_at_ms;
}

static void set_variables(ctn_execution *x, const ctn_json *variables)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        uint32_t slot = ctn_plan_slot(x->plan, ctn_json_text(&variables->members[i].key));
        if (slot != CTN_PLAN_NONE)
            x->variables[slot] = &variables->members[i].value;
    }
}

static void begin_attempt(work *w, uint32_t attempt)
{
    if (w->attempt == attempt)
        return;
    w->attempt = attempt;
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++) {
        call_state *c = &w->calls[i];
        if (c->phase == CALL_DONE)
            continue;
        c->phase = CALL_IDLE;
        c->died = c->fail_is_final = c->retry_is_due = c->check_is_over = c->start_is_stored = false;
        c->checks_failed = 0;
    }
}

/* ---- stopping ---- */

/* What has begun, or may have begun, still ends with an entry of its own; what was waiting for something is dropped. */
static void stop_work(ctn_execution *x, uint32_t step, ctn_role role, int64_t at_ms)
{
    work *w = ctn_x_work(x, step, role);
    if (ctn_x_may_have_begun(x, step, role, at_ms)) {
        begin_attempt(w, w->attempt + 1);
        w->phase = WORK_RUNNING;
    }
    bool goes_on = false;
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < w->set->call_count; i++) {
        call_state *c = &w->calls[i];
        if (c->phase == CALL_IDLE || (c->phase == CALL_RUNNING && c->effect <= CTN_EFFECT_READ))
            c->phase = CALL_LET_GO;
        if (c->phase == CALL_RUNNING || c->phase == CALL_LET_GO || c->phase == CALL_SETTLED_TRUE ||
            c->phase == CALL_SETTLED_FALSE)
            goes_on = true;
        if (c->phase == CALL_UNKNOWN || c->phase == CALL_ASKED)
            c->may_have_happened = true;
    }
    if (goes_on)
        return;
    w->phase = WORK_DROPPED;
    deactivate(x, step, role);
    if (w->attempt == 0)
        return;
    w->ended_at_ms = at_ms;
    if (w->failure == CTN_FAILURE_NONE) {
        w->failure = CTN_FAILURE_CANCELLED;
        w->message = CTN_STR("stopped with the chain");
    }
}

static void begin_stopping(ctn_execution *x, int64_t at_ms, ctn_failure cause, ctn_str message, ctn_str step)
{
    if (x->is_stopping)
        return;
    x->is_stopping = true;
    x->stop_at_ms = at_ms;
    x->cause = cause;
    x->cause_message = ctn_arena_str(x->arena, message);
    x->cause_step = ctn_arena_str(x->arena, step);
    x->was_cancelled = cause == CTN_FAILURE_CANCELLED;
    for (uint32_t i = x->active_count; i-- > 0;)
        stop_work(x, x->active[i].step, x->active[i].role, at_ms);
}

/* Nobody knows whether all, some or nothing of the step happened. */
static bool fate_is_unknown(const step_state *st)
{
    const work *w = &st->work[CTN_ROLE_DO];
    if (w->phase == WORK_DONE || w->phase == WORK_SKIPPED || !w->calls)
        return false;
    for (uint32_t i = 0; i < w->set->call_count; i++) {
        const call_state *c = &w->calls[i];
        if (c->may_have_happened || (c->phase == CALL_DONE && c->effect >= CTN_EFFECT_IDEMPOTENT))
            return true;
    }
    return false;
}

/* First steps of unknown outcome, latest start first; then completed ones in reverse order of completion. */
static void build_undo_queue(ctn_execution *x, int64_t at_ms)
{
    x->undo_queue = CTN_NEW_ARRAY(x->arena, uint32_t, x->plan->step_count ? x->plan->step_count : 1);
    if (!x->plan->is_rollback_enabled)
        return;
    for (uint32_t i = 0; i < x->plan->step_count; i++) {
        step_state *st = &x->steps[i];
        work *w = &st->work[CTN_ROLE_DO];
        if (!x->plan->steps[i].undo || !fate_is_unknown(st))
            continue;
        st->undo_outcome_unknown = true;
        for (uint32_t c = 0; c < w->set->call_count; c++) {
            if (!w->calls[c].may_have_happened)
                continue;
            w->calls[c].phase = CALL_UNKNOWN;
            w->calls[c].check_due_ms = at_ms;
        }
        uint32_t at = x->undo_count++;
        for (; at > 0 && x->steps[x->undo_queue[at - 1]].start_order < st->start_order; at--)
            x->undo_queue[at] = x->undo_queue[at - 1];
        x->undo_queue[at] = i;
    }
    for (uint32_t i = x->completed_count; i-- > 0;)
        if (x->plan->steps[x->completed[i]].undo)
            x->undo_queue[x->undo_count++] = x->completed[i];
}

/* Passes by what is undone, or turned out never to have happened. */
static void advance_undo(ctn_execution *x)
{
    for (; x->undo_cursor < x->undo_count; x->undo_cursor++) {
        step_state *st = &x->steps[x->undo_queue[x->undo_cursor]];
        work *w = &st->work[CTN_ROLE_DO];
        const work *undo = &st->work[CTN_ROLE_UNDO];
        if (undo->phase == WORK_DONE || undo->phase == WORK_FAILED)
            continue;
        if (undo->phase != WORK_NONE || !st->undo_outcome_unknown)
            return;
        bool is_certain = true, has_happened = false;
        for (uint32_t i = 0; i < w->set->call_count; i++) {
            const call_state *c = &w->calls[i];
            if (ctn_x_wants_check(w, c))
                return;
            is_certain = is_certain && c->phase != CALL_UNKNOWN;
            has_happened = has_happened || c->phase == CALL_SETTLED_TRUE ||
                           (c->phase == CALL_DONE && c->effect >= CTN_EFFECT_IDEMPOTENT);
        }
        if (is_certain && !has_happened)
            continue;
        if (is_certain && st->variables) /* it did happen, and its result was taken: that is what there is to undo */
            st->undo_outcome_unknown = false;
        return;
    }
}

/* ---- entries about a step's work ---- */

static call_state *call_of(work *w, const ctn_entry *e)
{
    const ctn_json *name = get(e, "call");
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++)
        if (w->set->is_several ? ctn_str_equal(w->set->calls[i].name, ctn_json_text(name)) : i == 0)
            return &w->calls[i];
    return NULL;
}

static void apply_started(ctn_execution *x, uint32_t step, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(x, step, role);
    begin_attempt(w, e->attempt);
    call_state *c = call_of(w, e);
    w->phase = WORK_RUNNING;
    activate(x, step, role);
    if (role == CTN_ROLE_DO)
        note_start(x, step, e->at_ms, true);
    if (role == CTN_ROLE_DO && e->seq && !x->steps[step].start_order)
        x->steps[step].start_order = ++x->starts;
    c->phase = CALL_RUNNING;
    c->start_is_stored = e->seq != 0;
    c->started_at_ms = e->at_ms;
    c->effect = CTN_EFFECT_WRITE;
    (void) ctn_effect_from_name(ctn_json_str_or(e->body, "effect", CTN_STR("write")), &c->effect);
    if (!c->args)
        c->args = ctn_json_copy(x->arena, get(e, "args"));
}

static void apply_succeeded(ctn_execution *x, uint32_t step, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(x, step, role);
    call_state *c = call_of(w, e);
    begin_attempt(w, e->attempt);
    w->phase = WORK_RUNNING;
    w->deaths = 0;
    if (role == CTN_ROLE_DO)
        note_start(x, step, e->at_ms, false);
    if (c) {
        c->phase = CALL_DONE;
        c->may_have_happened = false;
        c->args = NULL;
        c->result = ctn_json_copy(x->arena, get(e, "result"));
        if (c->result == NULL || !w->set->is_several)
            c->result = w->set->is_several ? &ctn_json_null : NULL;
        if (!c->start_is_stored) {
            ctn_effect effect;
            if (ctn_effect_from_name(ctn_json_str_or(e->body, "effect", CTN_STR("")), &effect))
                c->effect = effect;
        }
    }
    bool is_complete =
        role == CTN_ROLE_DO ? get(e, "variables") != NULL : !c || ctn_x_call_is_last(w, (uint32_t) (c - w->calls));
    if (!is_complete)
        return;
    w->phase = WORK_DONE;
    w->ended_at_ms = e->at_ms;
    w->failure = CTN_FAILURE_NONE;
    deactivate(x, step, role);
    if (role == CTN_ROLE_UNDO)
        return;
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++)
        w->calls[i].result = NULL; /* the variables are what is kept */
    x->steps[step].variables = ctn_json_copy(x->arena, get(e, "variables"));
    set_variables(x, x->steps[step].variables);
    x->completed[x->completed_count++] = step;
    step_ended(x, step, e->at_ms);
}

static void fail_step(ctn_execution *x, uint32_t step, const ctn_entry *e)
{
    const ctn_plan_step *p = &x->plan->steps[step];
    work *w = ctn_x_work(x, step, CTN_ROLE_DO);
    if (!p->continue_on_error || x->is_stopping) {
        begin_stopping(x, e->at_ms, w->failure, w->message, p->name);
        return;
    }
    x->steps[step].continued = true;
    for (uint32_t i = 0; i < p->output_count; i++)
        x->variables[p->outputs[i].slot] = &ctn_json_null;
    step_ended(x, step, e->at_ms);
}

static void apply_failed(ctn_execution *x, uint32_t step, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(x, step, role);
    call_state *c = call_of(w, e);
    if (w->set->is_several && !get(e, "call"))
        c = NULL; /* the verdict on the attempt as a whole */
    begin_attempt(w, e->attempt);
    if (!ctn_json_bool_or(e->body, "free", false))
        w->deaths = 0;
    w->phase = WORK_RUNNING;
    w->failure = ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR("")));
    w->message = ctn_arena_str(x->arena, ctn_json_str_or(e->body, "message", CTN_STR("")));
    if (role == CTN_ROLE_DO)
        note_start(x, step, e->at_ms, false);
    if (c) {
        c->phase = CALL_FAILED;
        c->failure = w->failure;
        c->message = w->message;
        c->retry_after_ms = ctn_json_int_or(e->body, "retryAfterMs", 0);
        c->retry_is_due = ctn_json_bool_or(e->body, "free", false);
        c->died = ctn_json_bool_or(e->body, "died", false);
        c->fail_is_final = ctn_json_bool_or(e->body, "noRetry", false);
        if (ctn_json_bool_or(e->body, "mayHaveHappened", false))
            c->may_have_happened = true;
        c->settle_at_ms = ctn_json_int_or(e->body, "settleAtMs", c->settle_at_ms);
    }
    if (ctn_json_bool_or(e->body, "unknown", false)) {
        c->phase = CALL_UNKNOWN;
        c->may_have_happened = true;
        c->check_due_ms = e->at_ms;
        activate(x, step, role);
        if (x->is_stopping && role == CTN_ROLE_DO)
            stop_work(x, step, role, e->at_ms);
        return;
    }
    if (get(e, "dueMs")) {
        w->phase = WORK_BACKOFF;
        w->due_ms = ctn_json_int_or(e->body, "dueMs", 0);
        if (ctn_json_bool_or(e->body, "died", false))
            w->death_retry_used = true;
        if (!ctn_json_bool_or(e->body, "free", false))
            w->retries_used++;
        activate(x, step, role);
        return;
    }
    if (!ctn_json_bool_or(e->body, "final", false)) {
        activate(x, step, role);
        return;
    }
    w->phase = WORK_FAILED;
    w->ended_at_ms = e->at_ms;
    deactivate(x, step, role);
    if (role == CTN_ROLE_DO)
        fail_step(x, step, e);
    else
        x->steps[step].undo_failed = true;
}

static void apply_checked(ctn_execution *x, uint32_t step, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(x, step, role);
    call_state *c = call_of(w, e);
    const ctn_json *happened = get(e, "happened");
    if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        c->phase = CALL_SETTLED_TRUE;
        c->may_have_happened = true;
        const ctn_json *result = get(e, "result"), *variables = get(e, "variables");
        c->result = result ? ctn_json_copy(x->arena, result) : &ctn_json_null;
        if (variables) { /* the chain is being undone: this is what there is to undo */
            x->steps[step].variables = ctn_json_copy(x->arena, variables);
            set_variables(x, x->steps[step].variables);
        }
        return;
    }
    if (ctn_json_is(happened, CTN_JSON_NULL))
        c->checks_failed++;
    if (ctn_json_bool_or(e->body, "over", false))
        c->check_is_over = true;
    else if (get(e, "againMs"))
        c->check_due_ms = ctn_json_int_or(e->body, "againMs", 0);
    else {
        c->phase = CALL_SETTLED_FALSE;
        c->may_have_happened = false;
    }
}

static call_state *first_open_call(work *w)
{
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++)
        if (w->calls[i].phase != CALL_DONE)
            return &w->calls[i];
    return NULL;
}

static void apply_settled(ctn_execution *x, uint32_t step, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(x, step, role);
    ctn_str what = ctn_json_str_or(e->body, "what", CTN_STR(""));
    w->deaths = 0;
    if (w->phase == WORK_ASKED && ctn_str_is(what, "retry")) {
        w->phase = w->attempt ? WORK_BACKOFF : WORK_READY;
        w->due_ms = e->at_ms;
        return;
    }
    call_state *c = w->phase == WORK_ASKED ? first_open_call(w) : call_of(w, e);
    if (w->phase == WORK_ASKED) {
        begin_attempt(w, w->attempt + 1);
        c->failure = w->failure;
        c->message = w->message;
    }
    w->phase = WORK_RUNNING;
    if (ctn_str_is(what, "succeed")) {
        c->phase = CALL_SETTLED_TRUE;
        const ctn_json *value = get(e, "value");
        c->result = value ? ctn_json_copy(x->arena, value) : &ctn_json_null;
        return;
    }
    c->phase = CALL_SETTLED_FALSE;
    c->retry_is_due = ctn_str_is(what, "retry");
    c->fail_is_final = !c->retry_is_due;
    c->may_have_happened = !ctn_json_bool_or(e->body, "notHappened", false);
}

/* Calls that are not under way are rendered anew from the changed context, unless their arguments were recorded. */
static void apply_set(ctn_execution *x, const ctn_entry *e)
{
    set_variables(x, ctn_json_copy(x->arena, get(e, "variables")));
    for (uint32_t i = 0; i < x->active_count; i++) {
        work *w = ctn_x_work(x, x->active[i].step, x->active[i].role);
        for (uint32_t c = 0; w->calls && c < w->set->call_count; c++)
            if (w->calls[c].phase != CALL_RUNNING && !w->calls[c].start_is_stored)
                w->calls[c].args = NULL;
    }
}

/* ---- entries about the execution ---- */

static void apply_first(ctn_execution *x, const ctn_entry *e)
{
    const ctn_json *input = get(e, "input");
    if (input) {
        x->input = ctn_json_copy(x->arena, input);
        x->created_at_ms = e->at_ms;
    }
    x->is_queued = e->kind == CTN_ENTRY_QUEUED;
    if (x->is_queued)
        return;
    x->is_started = true;
    x->started_at_ms = e->at_ms;
    set_variables(x, x->input);
    for (uint32_t i = 0; i < x->plan->step_count; i++)
        if (x->steps[i].waits_for == 0)
            make_ready(x, i, e->at_ms);
}

static void recover_work(const ctn_execution *x, uint32_t step, ctn_role role, int64_t at_ms, bool was_crash)
{
    work *w = ctn_x_work(x, step, role);
    if (was_crash && (w->phase == WORK_RUNNING || ctn_x_may_have_begun(x, step, role, at_ms)))
        w->deaths++;
    if (w->phase != WORK_RUNNING)
        return;
    for (uint32_t i = 0; i < w->set->call_count; i++) {
        call_state *c = &w->calls[i];
        if (c->phase != CALL_RUNNING)
            continue;
        if (c->effect < CTN_EFFECT_WRITE) { /* an undo's start is recorded whatever its class: simply again */
            c->phase = CALL_IDLE;
            c->may_have_happened = c->may_have_happened || c->effect == CTN_EFFECT_IDEMPOTENT;
            c->settle_at_ms = at_ms;
            continue;
        }
        /* Its server was a child of the engine that died, and ended with it: a "no" counts at once. */
        c->phase = CALL_UNKNOWN;
        c->died = c->may_have_happened = true;
        c->settle_at_ms = c->check_due_ms = at_ms;
        c->failure = CTN_FAILURE_INTERRUPTED;
        c->message = CTN_STR("the engine ended while the call was under way");
    }
}

static void end_pause(ctn_execution *x, int64_t at_ms)
{
    if (x->is_paused)
        x->paused_ms += at_ms - x->paused_at_ms;
    x->is_paused = false;
}

static void apply_resumed(ctn_execution *x, const ctn_entry *e)
{
    ctn_str cause = ctn_json_str_or(e->body, "cause", CTN_STR("resume"));
    if (ctn_str_is(cause, "resume")) {
        end_pause(x, e->at_ms);
        return;
    }
    for (uint32_t i = 0; i < x->active_count; i++)
        recover_work(x, x->active[i].step, x->active[i].role, e->at_ms, ctn_str_is(cause, "crash"));
    x->paused_seq = 0;
}

static void apply_ended(ctn_execution *x, const ctn_entry *e, ctn_status status)
{
    x->has_ended = true;
    x->end_status = status;
    x->ended_at_ms = e->at_ms;
    const ctn_json *outputs = get(e, "outputs"), *error = get(e, "error");
    x->outputs = outputs ? ctn_json_copy(x->arena, outputs) : NULL;
    x->error = error ? ctn_json_copy(x->arena, error) : NULL;
}

/* ---- what an entry needs of the state, so that a journal that lies is noticed ---- */

static int refuse(ctn_err *err, const ctn_entry *e, const char *why)
{
    return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (%s%s%.*s): %s", (unsigned long long) e->seq,
                    ctn_entry_kind_name(e->kind), e->step.len ? " of " : "", CTN_STR_ARG(e->step), why);
}

static bool kind_is_of_undo(ctn_entry_kind kind)
{
    return kind == CTN_ENTRY_COMPENSATION_STARTED || kind == CTN_ENTRY_COMPENSATION_SUCCEEDED ||
           kind == CTN_ENTRY_COMPENSATION_FAILED;
}

static bool kind_is_of_step(ctn_entry_kind kind)
{
    switch (kind) {
    case CTN_ENTRY_STEP_SKIPPED:
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_WAITING:
    case CTN_ENTRY_ANSWERED:
    case CTN_ENTRY_CHECKED:
    case CTN_ENTRY_INTERRUPTED: return true;
    default: return kind_is_of_undo(kind);
    }
}

/* What the entry says of the work, or of the call it names, can only be said in some phases of it. */
static const char *why_not(const ctn_execution *x, const ctn_entry *e, uint32_t step, ctn_role role)
{
    work *w = ctn_x_work(x, step, role);
    const call_state *c = call_of(w, e);
    bool may_begin = w->phase == WORK_READY || w->phase == WORK_BACKOFF;
    switch (e->kind) {
    case CTN_ENTRY_STEP_SKIPPED: return w->phase == WORK_READY ? NULL : "the step had begun";
    case CTN_ENTRY_COMPENSATION_STARTED:
    case CTN_ENTRY_ATTEMPT_STARTED:
        if (!c)
            return "it names no call";
        return may_begin || w->phase == WORK_RUNNING || (role == CTN_ROLE_UNDO && w->phase == WORK_NONE)
                   ? NULL
                   : "the work could not begin";
    case CTN_ENTRY_COMPENSATION_SUCCEEDED:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
        if (!w->calls)
            return w->phase == WORK_WAITING || w->phase == WORK_ANSWERED ? NULL : "the step did not wait";
        return c ? NULL : "it names no call";
    case CTN_ENTRY_COMPENSATION_FAILED:
    case CTN_ENTRY_ATTEMPT_FAILED:
        return c || !(ctn_json_bool_or(e->body, "unknown", false) || get(e, "call")) ? NULL : "it names no call";
    case CTN_ENTRY_WAITING: return !w->calls && may_begin ? NULL : "the step could not begin to wait";
    case CTN_ENTRY_ANSWERED: return w->phase == WORK_WAITING ? NULL : "the step did not wait";
    case CTN_ENTRY_CHECKED: return c && c->phase == CALL_UNKNOWN ? NULL : "nobody asked what became of the call";
    case CTN_ENTRY_INTERRUPTED:
        if (w->phase == WORK_RUNNING)
            return c ? NULL : "it names no call";
        return may_begin && w->calls ? NULL : "nothing was under way";
    case CTN_ENTRY_DECISION: {
        bool asks = w->phase == WORK_ASKED && first_open_call(w);
        return asks || (w->phase == WORK_RUNNING && c && c->phase == CALL_ASKED) ? NULL : "nobody was asked";
    }
    default: return NULL;
    }
}

static int check_allowed(const ctn_execution *x, const ctn_entry *e, uint32_t step, ctn_role role, ctn_err *err)
{
    if (x->has_ended)
        return refuse(err, e, "the execution has ended");
    bool is_first = e->kind == CTN_ENTRY_QUEUED || e->kind == CTN_ENTRY_STARTED;
    if (is_first && (x->is_started || (x->input && e->kind == CTN_ENTRY_QUEUED)))
        return refuse(err, e, "the execution was started before");
    if (is_first ? !x->input && !get(e, "input") : !x->input)
        return refuse(err, e, "the execution has no beginning");
    if (kind_is_of_step(e->kind) != (e->step.len > 0) && e->kind != CTN_ENTRY_DECISION)
        return refuse(err, e, e->step.len ? "it is about no step" : "it names no step");
    if (e->step.len == 0)
        return CTN_OK;
    if (step == CTN_PLAN_NONE)
        return refuse(err, e, "the chain has no such step");
    const work *w = ctn_x_work(x, step, role);
    if (!w->set)
        return refuse(err, e, "the step has no rollbackAction");
    bool is_turn = x->undo_queue && x->undo_cursor < x->undo_count && x->undo_queue[x->undo_cursor] == step;
    if (role == CTN_ROLE_UNDO && !is_turn)
        return refuse(err, e, "it was not the step's turn to be undone");
    if (e->kind != CTN_ENTRY_CHECKED && (w->phase == WORK_DONE || w->phase == WORK_FAILED || w->phase == WORK_SKIPPED))
        return refuse(err, e, "that work has ended");
    if (role == CTN_ROLE_DO && w->phase == WORK_NONE)
        return refuse(err, e, "the step was not ready");
    if (e->attempt && e->attempt < w->attempt)
        return refuse(err, e, "an older attempt than the last one");
    const char *why = why_not(x, e, step, role);
    return why ? refuse(err, e, why) : CTN_OK;
}

static int fold(ctn_execution *x, ctn_entry *e, ctn_err *err)
{
    uint32_t step = e->step.len ? ctn_plan_step_index(x->plan, e->step) : CTN_PLAN_NONE;
    ctn_role role = kind_is_of_undo(e->kind) || ctn_json_bool_or(e->body, "undo", false) ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    int rc = check_allowed(x, e, step, role, err);
    if (rc)
        return rc;

    switch (e->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED: apply_first(x, e); break;
    case CTN_ENTRY_STEP_SKIPPED:
        x->steps[step].work[CTN_ROLE_DO].phase = WORK_SKIPPED;
        x->steps[step].work[CTN_ROLE_DO].ended_at_ms = e->at_ms;
        deactivate(x, step, CTN_ROLE_DO);
        step_ended(x, step, e->at_ms);
        break;
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: apply_started(x, step, role, e); break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: apply_succeeded(x, step, role, e); break;
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: apply_failed(x, step, role, e); break;
    case CTN_ENTRY_WAITING: {
        work *w = ctn_x_work(x, step, CTN_ROLE_DO);
        begin_attempt(w, e->attempt);
        note_start(x, step, e->at_ms, true);
        w->phase = WORK_WAITING;
        w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
        w->expires = ctn_json_bool_or(e->body, "expires", false);
        w->message = ctn_arena_str(x->arena, ctn_json_str_or(e->body, "message", CTN_STR("")));
        break;
    }
    case CTN_ENTRY_ANSWERED: {
        work *w = ctn_x_work(x, step, CTN_ROLE_DO);
        w->phase = WORK_ANSWERED;
        w->answer = ctn_json_copy(x->arena, get(e, "answer"));
        w->answered_by = ctn_arena_str(x->arena, e->actor);
        w->due_ms = e->at_ms;
        break;
    }
    case CTN_ENTRY_CHECKED: apply_checked(x, step, role, e); break;
    case CTN_ENTRY_INTERRUPTED: {
        work *w = ctn_x_work(x, step, role);
        w->failure = ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR("")));
        w->message = ctn_arena_str(x->arena, ctn_json_str_or(e->body, "message", CTN_STR("")));
        if (w->phase == WORK_RUNNING)
            call_of(w, e)->phase = CALL_ASKED;
        else
            w->phase = WORK_ASKED;
        break;
    }
    case CTN_ENTRY_DECISION:
        if (e->step.len)
            apply_settled(x, step, role, e);
        else
            apply_set(x, e);
        break;
    case CTN_ENTRY_CANCEL_REQUESTED:
        begin_stopping(x, e->at_ms, ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR(""))),
                       ctn_json_str_or(e->body, "message", CTN_STR("")), (ctn_str){0});
        end_pause(x, e->at_ms); /* who cancels wants it to end: a pause from before holds nothing back */
        break;
    case CTN_ENTRY_PAUSED:
        x->is_paused = true;
        x->paused_at_ms = e->at_ms;
        x->paused_seq = x->seq;
        break;
    case CTN_ENTRY_RESUMED: apply_resumed(x, e); break;
    case CTN_ENTRY_COMPLETED: apply_ended(x, e, CTN_STATUS_COMPLETED); break;
    case CTN_ENTRY_FAILED: apply_ended(x, e, CTN_STATUS_FAILED); break;
    case CTN_ENTRY_ROLLED_BACK: apply_ended(x, e, CTN_STATUS_ROLLED_BACK); break;
    case CTN_ENTRY_ROLLBACK_FAILED: apply_ended(x, e, CTN_STATUS_ROLLBACK_FAILED); break;
    case CTN_ENTRY_CANCELLED: apply_ended(x, e, CTN_STATUS_CANCELLED); break;
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_FALLBACK_TAKEN:
    case CTN_ENTRY_CHILD_STARTED:
    case CTN_ENTRY_BREAKER_WAIT:
    case CTN_ENTRY_KIND_COUNT: return refuse(err, e, "this version knows no such entry");
    }
    if (x->is_stopping && x->active_count == 0 && !x->has_ended) {
        if (!x->undo_queue)
            build_undo_queue(x, e->at_ms);
        advance_undo(x);
    }
    return CTN_OK;
}

void ctn_execution_apply(ctn_execution *x, ctn_entry *e)
{
    if (ctn_entry_is_stored(e))
        e->seq = x->seq + 1;
    ctn_err err = {0};
    int rc = fold(x, e, &err);
    assert(rc == CTN_OK);
    (void) rc;
    if (e->seq)
        x->seq = e->seq;
}

int ctn_execution_replay(ctn_execution *x, ctn_entry *e, ctn_err *err)
{
    if (e->seq != x->seq + 1)
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu follows entry %llu", (unsigned long long) e->seq,
                        (unsigned long long) x->seq);
    int rc = fold(x, e, err);
    if (rc == CTN_OK)
        x->seq = e->seq;
    return rc;
}
