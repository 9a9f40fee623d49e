/*
 * execution.c -- making an execution and reading its state. The essay is in the header.
 */
#include "core/execution_state.h"

#include <assert.h>

ctn_execution *ctn_execution_new(ctn_arena *arena, const ctn_plan *plan, ctn_execution_id id)
{
    ctn_execution *x = CTN_NEW(arena, ctn_execution);
    x->arena = arena;
    x->plan = plan;
    x->id = id;
    x->id_text = ctn_id_to_text(id);
    x->stop.item = -1;
    x->context.slots = CTN_NEW_ARRAY(arena, slot_state, plan->variable_count);
    x->steps = CTN_NEW_ARRAY(arena, step_state, plan->step_count);
    x->active_capacity = plan->step_count;
    x->active = CTN_NEW_ARRAY(arena, work *, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        x->steps[i].waits_for = plan->steps[i].predecessor_count;
        ctn_x_task_init(x, &x->steps[i].whole, i, -1, arena);
    }
    return x;
}

/* ---- reading ---- */

static bool work_is_running(const work *w)
{
    return w->phase == WORK_READY || w->phase == WORK_BACKOFF || w->phase == WORK_ANSWERED ||
           w->phase == WORK_FALLBACK || (w->phase == WORK_RUNNING && !ctn_x_is_for_people(w));
}

/* It goes on by itself, or somebody works for it. */
static bool is_work_busy(const work *w, bool is_paused)
{
    switch (w->phase) {
    case WORK_READY:
    case WORK_BACKOFF: /* of an undo too: who compensates keeps its place in the chain meanwhile */
    case WORK_FALLBACK: return !is_paused;
    case WORK_ANSWERED: return true;
    case WORK_RUNNING:
        return ctn_x_any_call(w, CALL_RUNNING) || ctn_x_any_call(w, CALL_UNKNOWN) ||
               ctn_x_any_call(w, CALL_SETTLED_TRUE) || ctn_x_any_call(w, CALL_SETTLED_FALSE) ||
               ctn_x_any_call(w, CALL_LET_GO) || !(is_paused || ctn_x_is_for_people(w));
    default: return false;
    }
}

/* Its next call waits for the budget. */
static bool is_held_back(const work *w)
{
    return w->phase == WORK_READY || w->phase == WORK_BACKOFF ||
           (w->phase == WORK_RUNNING && !ctn_x_is_for_people(w) && !is_work_busy(w, true));
}

ctn_status ctn_execution_status(const ctn_execution *x)
{
    if (x->has_ended)
        return x->end.status;
    if (x->is_queued)
        return CTN_STATUS_QUEUED;
    if (x->is_undoing && x->plan->is_rollback_enabled)
        return CTN_STATUS_COMPENSATING;
    if (x->is_paused)
        return CTN_STATUS_PAUSED;
    bool is_held = x->budget.is_awaited && !x->is_stopping; /* what is ready does not begin */
    bool is_asked = false, is_waiting = false;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = x->active[i];
        if (is_held && is_held_back(w))
            is_waiting = true;
        else if (work_is_running(w))
            return CTN_STATUS_RUNNING;
        else if (w->phase == WORK_WAITING || w->phase == WORK_CHILD ||
                 (w->phase == WORK_RUNNING && !ctn_x_any_call(w, CALL_ASKED)))
            is_waiting = true;
        else if (w->phase != WORK_EACH) /* that is as its items are */
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
    return x->end.at_ms;
}

const ctn_json *ctn_execution_variable(const ctn_execution *x, ctn_str name)
{
    uint32_t slot = ctn_plan_slot(x->plan, name);
    const ctn_json *value = slot == CTN_PLAN_NONE ? NULL : x->context.slots[slot].value;
    return value && !x->reveals && ctn_sensitive_name(x->sensitivity, name) ? &ctn_sealed_json : value;
}

void ctn_execution_reveal(ctn_execution *x)
{
    x->reveals = true;
}

const ctn_sensitivity *ctn_execution_sensitivity(const ctn_execution *x)
{
    return x->sensitivity;
}

const ctn_json *ctn_execution_sensitive_also(const ctn_execution *x)
{
    return x->sensitive_also;
}

bool ctn_execution_is_hidden(const ctn_execution *x)
{
    return x->is_hidden;
}

const ctn_json *ctn_execution_outputs_clear(const ctn_execution *x)
{
    return x->end.outputs;
}

const ctn_json *ctn_execution_error_clear(const ctn_execution *x)
{
    return x->end.error;
}

const ctn_json *ctn_execution_outputs(const ctn_execution *x)
{
    return x->reveals ? x->end.outputs : x->end.outputs_shown;
}

const ctn_json *ctn_execution_error(const ctn_execution *x)
{
    return x->reveals ? x->end.error : x->end.error_shown;
}

const ctn_parent *ctn_execution_parent(const ctn_execution *x)
{
    return x->parent.depth ? &x->parent : NULL;
}

const ctn_origin *ctn_execution_origin(const ctn_execution *x)
{
    return &x->origin;
}

bool ctn_execution_was_reopened(const ctn_execution *x)
{
    return x->was_reopened;
}

const ctn_json *ctn_execution_from(const ctn_execution *x)
{
    return x->reuse.from;
}

ctn_str ctn_execution_pause_reason(const ctn_execution *x)
{
    return x->is_paused ? x->pause.reason : (ctn_str){0};
}

const ctn_json *ctn_execution_budget_wait(const ctn_execution *x)
{
    return x->budget.is_awaited ? x->budget.asked : NULL;
}

bool ctn_execution_was_cancelled(const ctn_execution *x)
{
    return x->stop.cause == CTN_FAILURE_CANCELLED;
}

bool ctn_execution_is_stopping(const ctn_execution *x)
{
    return x->is_stopping;
}

bool ctn_execution_is_busy(const ctn_execution *x)
{
    if (x->has_ended)
        return false;
    for (uint32_t i = 0; i < x->active_count; i++)
        if (is_work_busy(x->active[i], x->is_paused || x->budget.is_awaited))
            return true;
    return x->is_undoing && x->active_count == 0 && !x->is_paused;
}

size_t ctn_execution_bytes(const ctn_execution *x)
{
    return ctn_arena_used_bytes(x->arena);
}

static ctn_step_status task_status(const task *t)
{
    const work *w = &t->work[CTN_ROLE_DO], *undo = &t->work[CTN_ROLE_UNDO];
    if (undo->phase == WORK_DONE)
        return CTN_STEP_COMPENSATED;
    if (undo->phase == WORK_RUNNING && ctn_x_any_call(undo, CALL_ASKED))
        return CTN_STEP_INTERRUPTED;
    if (undo->phase == WORK_RUNNING && ctn_x_any_call(undo, CALL_WAITING))
        return CTN_STEP_WAITING;
    switch (w->phase) {
    case WORK_NONE:
    case WORK_READY: return CTN_STEP_PENDING;
    case WORK_DROPPED: return w->attempt ? CTN_STEP_FAILED : CTN_STEP_PENDING;
    case WORK_EACH: return CTN_STEP_RUNNING;
    case WORK_RUNNING:
        return ctn_x_any_call(w, CALL_ASKED)     ? CTN_STEP_INTERRUPTED
               : ctn_x_any_call(w, CALL_WAITING) ? CTN_STEP_WAITING
                                                 : CTN_STEP_RUNNING;
    case WORK_FALLBACK:
    case WORK_BACKOFF: return CTN_STEP_RETRYING;
    case WORK_CHILD:
    case WORK_WAITING:
    case WORK_ANSWERED: return CTN_STEP_WAITING;
    case WORK_ASKED: return CTN_STEP_INTERRUPTED;
    case WORK_DONE: return CTN_STEP_COMPLETED;
    case WORK_SKIPPED: return CTN_STEP_SKIPPED;
    case WORK_FAILED: return CTN_STEP_FAILED;
    }
    return CTN_STEP_PENDING;
}

/* The first call of it that waits for answers. */
static void view_asking(const ctn_execution *x, const work *w, ctn_step_view *v)
{
    for (uint32_t i = 0; w->phase == WORK_RUNNING && !v->wants_input && i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->phase != CALL_WAITING)
            continue;
        v->wants_input = true;
        v->call = w->set->is_several ? w->set->calls[i].name : (ctn_str){0};
        v->asked = x->reveals ? c->asked : c->asked_shown;
        const ctn_json *asks = ctn_json_member_of(c->asked, "asks");
        v->message = (ctn_str){0};
        if (ctn_json_is(asks, CTN_JSON_OBJECT) && ctn_json_count(asks))
            v->message = ctn_json_str_or(&asks->members[0].value, "message", CTN_STR(""));
        v->failure = CTN_FAILURE_NONE;
    }
}

static ctn_step_view view_task(const ctn_execution *x, const task *t)
{
    const work *w = &t->work[CTN_ROLE_DO], *undo = &t->work[CTN_ROLE_UNDO];
    ctn_step_view v = {
        .status = task_status(t),
        .item = t->item,
        .attempt = w->attempt,
        .started_at_ms = w->first_at_ms,
        .ended_at_ms = w->ended_at_ms,
        .failure = w->failure,
        .message = w->message,
        .is_undoing = undo->phase == WORK_RUNNING || undo->phase == WORK_BACKOFF || undo->phase == WORK_CHILD,
        .child = t->child,
    };
    if (undo->phase == WORK_FAILED || v.is_undoing) {
        v.failure = undo->failure;
        v.message = undo->message;
    }
    if (w->phase == WORK_BACKOFF || w->phase == WORK_WAITING)
        v.due_ms = w->due_ms;
    v.wants_approval = w->phase == WORK_WAITING && w->set->kind == CTN_SET_APPROVAL;
    v.wants_agent = w->phase == WORK_WAITING && w->set->kind == CTN_SET_AGENT;
    v.waits_for_child = w->phase == WORK_CHILD || undo->phase == WORK_CHILD;
    v.waits_for_time = w->phase == WORK_WAITING && w->due_ms > 0;
    v.waits_for_breaker = w->phase == WORK_BACKOFF && w->breaker_is_noted;
    for (uint32_t i = 0; v.status == CTN_STEP_RUNNING && i < ctn_x_call_count(w); i++)
        v.is_with_peer = v.is_with_peer || (w->calls[i].phase == CALL_RUNNING && w->calls[i].is_accepted);
    v.is_from_cache = w->phase == WORK_DONE && ctn_x_call_count(w) > 0;
    for (uint32_t i = 0; v.is_from_cache && i < ctn_x_call_count(w); i++)
        v.is_from_cache = w->calls[i].is_cached;
    v.fallback = w->fallback;
    v.asked = x->reveals ? w->asked : w->asked_shown;
    if (v.status == CTN_STEP_WAITING)
        view_asking(x, undo->phase == WORK_RUNNING ? undo : w, &v);
    if (!x->reveals && v.message.len && ctn_sensitive_step(x->sensitivity, t->step))
        v.message = CTN_STR(CTN_WITHHELD_TEXT);
    return v;
}

/* What a person should look at first. */
static int urgency(ctn_step_status status)
{
    switch (status) {
    case CTN_STEP_INTERRUPTED: return 4;
    case CTN_STEP_WAITING: return 3;
    case CTN_STEP_RETRYING: return 2;
    case CTN_STEP_RUNNING: return 1;
    default: return 0;
    }
}

/* A foreach under way shows the item that is worst off; one that is undone, how far that is. */
ctn_step_view ctn_execution_step(const ctn_execution *x, uint32_t step)
{
    assert(step < x->plan->step_count);
    const step_state *st = &x->steps[step];
    ctn_step_view v = view_task(x, &st->whole);
    v.is_reused = st->reused && ctn_x_has_ended(&st->whole);
    if (!st->each)
        return v;
    v.item_count = st->each->count;
    v.items_ended = st->each->ended_count;
    v.items_failed = st->each->failed_count;
    uint32_t undone = 0, undoable = 0;
    for (uint32_t i = 0; i < x->undo.queue.count; i++)
        if (x->undo.queue.items[i]->step == step) {
            undoable++;
            undone += x->undo.queue.items[i]->work[CTN_ROLE_UNDO].phase == WORK_DONE;
        }
    if (undoable && undone == undoable)
        v.status = CTN_STEP_COMPENSATED;
    int worst = -1;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const task *t = x->active[i]->task;
        if (t->step != step || t->item < 0)
            continue;
        ctn_step_view item = view_task(x, t);
        if (urgency(item.status) <= worst)
            continue;
        worst = urgency(item.status);
        int64_t started_at_ms = v.started_at_ms, count = v.item_count, ended = v.items_ended, failed = v.items_failed;
        v = item;
        v.started_at_ms = started_at_ms;
        v.item_count = count;
        v.items_ended = ended;
        v.items_failed = failed;
        if (v.status == CTN_STEP_PENDING)
            v.status = CTN_STEP_RUNNING;
    }
    return v;
}

size_t ctn_execution_asking(const ctn_execution *x, ctn_arena *arena, ctn_asking_call **ret_calls)
{
    size_t count = 0, capacity = 0;
    ctn_asking_call *calls = NULL;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = x->active[i];
        for (uint32_t c = 0; w->phase == WORK_RUNNING && c < ctn_x_call_count(w); c++) {
            if (!ctn_x_is_left_with_peer(&w->calls[c]))
                continue;
            calls = ctn_arena_room(arena, calls, count, &capacity, sizeof *calls);
            calls[count++] =
                (ctn_asking_call){.plan_call = &w->set->calls[c], .continuation = w->calls[c].continuation};
        }
    }
    *ret_calls = calls;
    return count;
}

size_t ctn_execution_open_tasks(const ctn_execution *x, ctn_open_task *ret_tasks, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < x->active_count && count < max; i++)
        if (x->active[i]->phase != WORK_EACH)
            ret_tasks[count++] =
                (ctn_open_task){.step = x->active[i]->task->step, .view = view_task(x, x->active[i]->task)};
    return count;
}
