/*
 * execution.c -- making an execution and reading its state. The essay is in the header.
 */
#include "core/execution_state.h"

#include <assert.h>

#define CHECK_TIMEOUT_MS 30000
#define UNDO_TIMEOUT_MS  60000 /* unless the set or its call says otherwise */

static void work_init(ctn_execution *x, work *w, const ctn_plan_set *set)
{
    w->set = set;
    if (set && set->call_count)
        w->calls = CTN_NEW_ARRAY(x->arena, call_state, set->call_count);
}

ctn_execution *ctn_execution_new(ctn_arena *arena, const ctn_plan *plan, ctn_execution_id id)
{
    ctn_execution *x = CTN_NEW(arena, ctn_execution);
    x->arena = arena;
    x->plan = plan;
    x->id = id;
    x->variables = CTN_NEW_ARRAY(arena, const ctn_json *, plan->variable_count);
    x->steps = CTN_NEW_ARRAY(arena, step_state, plan->step_count);
    x->active = CTN_NEW_ARRAY(arena, active_work, plan->step_count);
    x->completed = CTN_NEW_ARRAY(arena, uint32_t, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        x->steps[i].waits_for = plan->steps[i].predecessor_count;
        work_init(x, &x->steps[i].work[CTN_ROLE_DO], plan->steps[i].set);
        work_init(x, &x->steps[i].work[CTN_ROLE_UNDO], plan->steps[i].undo);
    }
    return x;
}

bool ctn_x_any_call(const work *w, call_phase phase)
{
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++)
        if (w->calls[i].phase == phase)
            return true;
    return false;
}

bool ctn_x_call_is_last(const work *w, uint32_t call)
{
    for (uint32_t i = 0; i < w->set->call_count; i++)
        if (i != call && w->calls[i].phase != CALL_DONE)
            return false;
    return true;
}

bool ctn_x_may_have_begun(const ctn_execution *x, uint32_t step, ctn_role role, int64_t now_ms)
{
    const work *w = ctn_x_work(x, step, role);
    if (role == CTN_ROLE_UNDO || !w->calls || (x->is_paused && !x->paused_seq))
        return false; /* every undo and every wait is a record */
    if (w->phase == WORK_READY)
        return !x->is_paused || w->ready_seq < x->paused_seq;
    return w->phase == WORK_BACKOFF && w->due_ms <= (x->is_paused ? x->paused_at_ms : now_ms);
}

bool ctn_x_wants_check(const work *w, const call_state *c)
{
    return c->phase == CALL_UNKNOWN && w->set->check && !c->check_is_over;
}

/* ---- what is owed ---- */

/* The step's own word, the call's, what holds for its kind. The step's word is about its work, not about its undo. */
static int64_t timeout_of(const ctn_plan_step *p, ctn_role role, const ctn_plan_call *call)
{
    if (role == CTN_ROLE_UNDO)
        return call->timeout_ms ? call->timeout_ms : UNDO_TIMEOUT_MS;
    return p->timeout_said_ms ? p->timeout_said_ms : call->timeout_ms ? call->timeout_ms : p->timeout_ms;
}

static void owe_call(const ctn_execution *x, uint32_t step, ctn_role role, uint32_t call, bool is_check,
                     const ctn_rules *rules, ctn_arena *scratch, ctn_owed *owed, size_t *capacity)
{
    const work *w = ctn_x_work(x, step, role);
    const call_state *c = &w->calls[call];
    const ctn_json *args = c->args;
    if (is_check) {
        ctn_err err = {0};
        if (ctn_x_render_args(x, rules, step, role, call, true, scratch, &args, &err))
            args = NULL; /* the driver is not asked: next() takes it as a check that cannot tell */
    }
    if (!args)
        return;
    if (owed->count == *capacity) {
        size_t grown = *capacity ? 2 * *capacity : 4;
        ctn_owed_call *calls = CTN_NEW_ARRAY(scratch, ctn_owed_call, grown);
        if (owed->count)
            memcpy(calls, owed->calls, owed->count * sizeof *calls);
        owed->calls = calls;
        *capacity = grown;
    }
    const ctn_plan_call *pc = is_check ? w->set->check : &w->set->calls[call];
    owed->calls[owed->count++] = (ctn_owed_call){
        .step = step,
        .call = call,
        .role = role,
        .is_check = is_check,
        .attempt = w->attempt,
        .plan_call = pc,
        .args = args,
        .key = ctn_x_key(x, step, role, call, scratch),
        .timeout_ms = is_check ? CHECK_TIMEOUT_MS : timeout_of(&x->plan->steps[step], role, pc),
        .idle_timeout_ms = is_check || role == CTN_ROLE_UNDO ? 0 : x->plan->steps[step].idle_timeout_ms,
        .effect = is_check ? CTN_EFFECT_READ : c->effect,
    };
}

static void wake_by(ctn_owed *owed, int64_t at_ms)
{
    if (at_ms > 0 && (owed->wake_at_ms == 0 || at_ms < owed->wake_at_ms))
        owed->wake_at_ms = at_ms;
}

static void owe_calls_of(const ctn_execution *x, uint32_t step, ctn_role role, const ctn_rules *rules, int64_t now_ms,
                         ctn_arena *scratch, ctn_owed *owed, size_t *capacity)
{
    const work *w = ctn_x_work(x, step, role);
    for (uint32_t i = 0; w->calls && i < w->set->call_count; i++) {
        const call_state *c = &w->calls[i];
        if (c->phase == CALL_RUNNING) {
            owe_call(x, step, role, i, false, rules, scratch, owed, capacity);
        } else if (ctn_x_wants_check(w, c)) {
            if (c->check_due_ms <= now_ms)
                owe_call(x, step, role, i, true, rules, scratch, owed, capacity);
            else
                wake_by(owed, c->check_due_ms);
        }
    }
}

void ctn_execution_owed(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, ctn_arena *scratch,
                        ctn_owed *ret_owed)
{
    *ret_owed = (ctn_owed){0};
    size_t capacity = 0;
    if (x->has_ended || !x->is_started)
        return;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = ctn_x_work(x, x->active[i].step, x->active[i].role);
        if (w->phase == WORK_RUNNING)
            owe_calls_of(x, x->active[i].step, x->active[i].role, rules, now_ms, scratch, ret_owed, &capacity);
        else if ((w->phase == WORK_BACKOFF || w->phase == WORK_WAITING) && !x->is_paused)
            wake_by(ret_owed, w->due_ms);
    }
    /* While undoing, the step whose turn it is may first be asked whether it happened at all. */
    if (x->undo_queue && x->undo_cursor < x->undo_count && x->active_count == 0 && !x->is_paused)
        owe_calls_of(x, x->undo_queue[x->undo_cursor], CTN_ROLE_DO, rules, now_ms, scratch, ret_owed, &capacity);
    if (x->is_stopping && x->active_count > 0 && !x->undo_queue)
        wake_by(ret_owed, x->stop_at_ms + (rules->stop_grace_ms ? rules->stop_grace_ms : 5000));
    if (!x->is_stopping && !x->is_paused && x->plan->timeout_ms)
        wake_by(ret_owed, x->started_at_ms + x->plan->timeout_ms + x->paused_ms);
}

/* ---- reading ---- */

static bool work_is_running(const work *w)
{
    return w->phase == WORK_READY || w->phase == WORK_BACKOFF || w->phase == WORK_ANSWERED ||
           (w->phase == WORK_RUNNING && (!ctn_x_any_call(w, CALL_ASKED) || ctn_x_any_call(w, CALL_RUNNING)));
}

ctn_status ctn_execution_status(const ctn_execution *x)
{
    if (x->has_ended)
        return x->end_status;
    if (x->is_queued)
        return CTN_STATUS_QUEUED;
    if (x->undo_queue && x->plan->is_rollback_enabled)
        return CTN_STATUS_COMPENSATING;
    if (x->is_paused)
        return CTN_STATUS_PAUSED;
    bool is_asked = false, is_waiting = false;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = ctn_x_work(x, x->active[i].step, x->active[i].role);
        if (work_is_running(w))
            return CTN_STATUS_RUNNING;
        if (w->phase == WORK_WAITING)
            is_waiting = true;
        else
            is_asked = true;
    }
    return is_asked ? CTN_STATUS_INTERRUPTED : is_waiting ? CTN_STATUS_WAITING : CTN_STATUS_RUNNING;
}

uint64_t ctn_execution_seq(const ctn_execution *x)
{
    return x->seq;
}

const ctn_plan *ctn_execution_plan(const ctn_execution *x)
{
    return x->plan;
}

ctn_execution_id ctn_execution_id_of(const ctn_execution *x)
{
    return x->id;
}

int64_t ctn_execution_started_at_ms(const ctn_execution *x)
{
    return x->started_at_ms;
}

int64_t ctn_execution_ended_at_ms(const ctn_execution *x)
{
    return x->ended_at_ms;
}

const ctn_json *ctn_execution_variable(const ctn_execution *x, ctn_str name)
{
    uint32_t slot = ctn_plan_slot(x->plan, name);
    return slot == CTN_PLAN_NONE ? NULL : x->variables[slot];
}

const ctn_json *ctn_execution_outputs(const ctn_execution *x)
{
    return x->outputs;
}

const ctn_json *ctn_execution_error(const ctn_execution *x)
{
    return x->error;
}

bool ctn_execution_was_cancelled(const ctn_execution *x)
{
    return x->was_cancelled;
}

bool ctn_execution_is_stopping(const ctn_execution *x)
{
    return x->is_stopping;
}

/* It goes on by itself, or somebody works for it. */
static bool is_work_busy(const work *w, bool is_paused)
{
    switch (w->phase) {
    case WORK_READY: return !is_paused;
    case WORK_ANSWERED: return true;
    case WORK_RUNNING:
        return ctn_x_any_call(w, CALL_RUNNING) || ctn_x_any_call(w, CALL_UNKNOWN) ||
               ctn_x_any_call(w, CALL_SETTLED_TRUE) || ctn_x_any_call(w, CALL_SETTLED_FALSE) ||
               ctn_x_any_call(w, CALL_LET_GO) || !(is_paused || ctn_x_any_call(w, CALL_ASKED));
    default: return false;
    }
}

bool ctn_execution_is_busy(const ctn_execution *x)
{
    if (x->has_ended)
        return false;
    for (uint32_t i = 0; i < x->active_count; i++)
        if (is_work_busy(ctn_x_work(x, x->active[i].step, x->active[i].role), x->is_paused))
            return true;
    return x->undo_queue && x->active_count == 0 && !x->is_paused;
}

static ctn_step_status step_status(const step_state *st)
{
    const work *w = &st->work[CTN_ROLE_DO], *undo = &st->work[CTN_ROLE_UNDO];
    if (undo->phase == WORK_DONE)
        return CTN_STEP_COMPENSATED;
    if (undo->phase == WORK_RUNNING && ctn_x_any_call(undo, CALL_ASKED))
        return CTN_STEP_INTERRUPTED;
    switch (w->phase) {
    case WORK_NONE:
    case WORK_READY: return CTN_STEP_PENDING;
    case WORK_DROPPED: return w->attempt ? CTN_STEP_FAILED : CTN_STEP_PENDING;
    case WORK_RUNNING: return ctn_x_any_call(w, CALL_ASKED) ? CTN_STEP_INTERRUPTED : CTN_STEP_RUNNING;
    case WORK_BACKOFF: return CTN_STEP_RETRYING;
    case WORK_WAITING:
    case WORK_ANSWERED: return CTN_STEP_WAITING;
    case WORK_ASKED: return CTN_STEP_INTERRUPTED;
    case WORK_DONE: return CTN_STEP_COMPLETED;
    case WORK_SKIPPED: return CTN_STEP_SKIPPED;
    case WORK_FAILED: return CTN_STEP_FAILED;
    }
    return CTN_STEP_PENDING;
}

ctn_step_view ctn_execution_step(const ctn_execution *x, uint32_t step)
{
    assert(step < x->plan->step_count);
    const step_state *st = &x->steps[step];
    const work *w = &st->work[CTN_ROLE_DO], *undo = &st->work[CTN_ROLE_UNDO];
    ctn_step_view v = {
        .status = step_status(st),
        .attempt = w->attempt,
        .started_at_ms = w->first_at_ms,
        .ended_at_ms = w->ended_at_ms,
        .failure = w->failure,
        .message = w->message,
        .is_undoing = undo->phase == WORK_RUNNING || undo->phase == WORK_BACKOFF,
    };
    if (undo->phase == WORK_FAILED || v.is_undoing) {
        v.failure = undo->failure;
        v.message = undo->message;
    }
    if (w->phase == WORK_BACKOFF || w->phase == WORK_WAITING)
        v.due_ms = w->due_ms;
    v.wants_approval = w->phase == WORK_WAITING && w->set->kind == CTN_SET_APPROVAL;
    v.waits_for_time = w->phase == WORK_WAITING && w->due_ms > 0;
    return v;
}
