/*
 * execution.c -- making an execution and reading its state. The essay is in the header.
 */
#include "core/execution_state.h"

#include <assert.h>

#define CHECK_TIMEOUT_MS 30000
#define UNDO_TIMEOUT_MS  60000 /* unless the set or its call says otherwise */

void ctn_x_work_init(task *t, work *w, const ctn_plan_set *set)
{
    w->set = set;
    w->calls = set && set->call_count ? CTN_NEW_ARRAY(t->arena, call_state, set->call_count) : NULL;
}

void ctn_x_task_init(ctn_execution *x, task *t, uint32_t step, int64_t item, ctn_arena *arena)
{
    const ctn_plan_step *p = &x->plan->steps[step];
    *t = (task){.step = step, .item = item, .arena = arena};
    bool is_each = p->foreach && item < 0; /* its items do the work */
    ctn_x_work_init(t, &t->work[CTN_ROLE_DO], p->set);
    ctn_x_work_init(t, &t->work[CTN_ROLE_UNDO], is_each ? NULL : p->undo);
    if (is_each)
        t->work[CTN_ROLE_DO].calls = NULL;
}

ctn_execution *ctn_execution_new(ctn_arena *arena, const ctn_plan *plan, ctn_execution_id id)
{
    ctn_execution *x = CTN_NEW(arena, ctn_execution);
    x->arena = arena;
    x->plan = plan;
    x->id = id;
    x->id_text = ctn_id_to_text(id);
    x->cause_item = -1;
    x->variables = CTN_NEW_ARRAY(arena, const ctn_json *, plan->variable_count);
    x->setters = CTN_NEW_ARRAY(arena, uint32_t, plan->variable_count);
    x->variable_bytes = CTN_NEW_ARRAY(arena, size_t, plan->variable_count);
    x->by_hand = CTN_NEW_ARRAY(arena, const ctn_json *, plan->variable_count);
    x->steps = CTN_NEW_ARRAY(arena, step_state, plan->step_count);
    x->active_capacity = plan->step_count;
    x->active = CTN_NEW_ARRAY(arena, active_work, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        x->steps[i].waits_for = plan->steps[i].predecessor_count;
        ctn_x_task_init(x, &x->steps[i].whole, i, -1, arena);
    }
    return x;
}

task *ctn_x_task(const ctn_execution *x, uint32_t step, int64_t item)
{
    if (item < 0)
        return (task *) &x->steps[step].whole;
    task *open = ctn_x_each_find(x, step, item);
    if (open)
        return open;
    for (uint32_t i = x->undo_cursor; i < x->undo.count && i <= x->undo_cursor; i++) /* only its turn counts */
        if (x->undo.items[i]->step == step && x->undo.items[i]->item == item)
            return x->undo.items[i];
    return NULL;
}

void ctn_x_list_add(ctn_execution *x, task_list *list, task *t)
{
    if (list->count == list->capacity) {
        uint32_t grown = list->capacity ? 2 * list->capacity : 16;
        task **items = CTN_NEW_ARRAY(x->arena, task *, grown);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(task *));
        list->items = items;
        list->capacity = grown;
    }
    list->items[list->count++] = t;
}

uint32_t ctn_x_call_count(const work *w)
{
    return w->calls ? w->set->call_count : 0;
}

bool ctn_x_any_call(const work *w, call_phase phase)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->calls[i].phase == phase)
            return true;
    return false;
}

bool ctn_x_has_ended(const task *t)
{
    work_phase phase = t->work[CTN_ROLE_DO].phase;
    return phase == WORK_DONE || phase == WORK_SKIPPED || phase == WORK_FAILED;
}

bool ctn_x_call_is_last(const work *w, uint32_t call)
{
    for (uint32_t i = 0; i < w->set->call_count; i++)
        if (i != call && w->calls[i].phase != CALL_DONE)
            return false;
    return true;
}

bool ctn_x_may_have_begun(const ctn_execution *x, const task *t, ctn_role role, int64_t now_ms)
{
    const work *w = ctn_x_work(t, role);
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

bool ctn_x_fate_is_unknown(const task *t)
{
    const work *w = &t->work[CTN_ROLE_DO];
    if (w->phase == WORK_DONE || w->phase == WORK_SKIPPED)
        return false;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->may_have_happened || (c->phase == CALL_DONE && !c->is_cached && c->effect >= CTN_EFFECT_IDEMPOTENT))
            return true;
    }
    return t->was_in_doubt;
}

bool ctn_x_had_write(const work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->effect == CTN_EFFECT_WRITE && ((c->phase == CALL_DONE && !c->is_cached) || c->may_have_happened))
            return true;
    }
    return false;
}

bool ctn_x_is_undone_by_child(const ctn_execution *x, const task *t)
{
    static const ctn_execution_id none;
    return !ctn_x_plan_step(x, t)->undo && !ctn_id_equal(t->child, none);
}

bool ctn_x_has_undo(const ctn_execution *x, const task *t)
{
    return x->plan->is_rollback_enabled && (ctn_x_plan_step(x, t)->undo || ctn_x_is_undone_by_child(x, t));
}

/* ---- what is owed ---- */

/* The step's own word, the call's, what holds for its kind. The step's word is about its work, not about its undo. */
static int64_t timeout_of(const ctn_plan_step *p, ctn_role role, const work *w, const ctn_plan_call *call)
{
    if (role == CTN_ROLE_UNDO)
        return call->timeout_ms ? call->timeout_ms : UNDO_TIMEOUT_MS;
    return p->timeout_ms ? p->timeout_ms : call->timeout_ms ? call->timeout_ms : w->set->timeout_ms;
}

typedef struct owing {
    const ctn_execution *x;
    const ctn_rules *rules;
    int64_t now_ms;
    ctn_arena *scratch;
    ctn_owed *owed;
    size_t call_capacity, child_capacity;
} owing;

static void *grow(ctn_arena *arena, void *items, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 4;
    void *grown = ctn_arena_calloc(arena, *capacity, bytes);
    if (count)
        memcpy(grown, items, count * bytes);
    return grown;
}

static void owe_call(owing *o, const task *t, ctn_role role, uint32_t call, bool is_check)
{
    const work *w = ctn_x_work(t, role);
    const call_state *c = &w->calls[call];
    const ctn_json *args = c->args;
    if (is_check) {
        ctn_err err = {0};
        if (ctn_x_render_args(o->x, o->rules, t, role, call, true, o->scratch, &args, &err))
            args = NULL; /* the driver is not asked: next() takes it as a check that cannot tell */
    }
    if (!args)
        return;
    ctn_owed *owed = o->owed;
    owed->calls = grow(o->scratch, owed->calls, owed->count, &o->call_capacity, sizeof *owed->calls);
    const ctn_plan_step *p = ctn_x_plan_step(o->x, t);
    const ctn_plan_call *pc = is_check ? w->set->check : &w->set->calls[call];
    owed->calls[owed->count++] = (ctn_owed_call){
        .step = t->step,
        .item = t->item,
        .call = call,
        .role = role,
        .is_check = is_check,
        .attempt = w->attempt,
        .plan_call = pc,
        .set = w->set,
        .args = args,
        .key = ctn_x_key(o->x, t, role, call, o->scratch),
        .timeout_ms = is_check ? CHECK_TIMEOUT_MS : timeout_of(p, role, w, pc),
        .idle_timeout_ms = is_check || role == CTN_ROLE_UNDO ? 0 : p->idle_timeout_ms,
        .effect = is_check ? CTN_EFFECT_READ : c->effect,
    };
}

static void wake_by(ctn_owed *owed, int64_t at_ms)
{
    if (at_ms > 0 && (owed->wake_at_ms == 0 || at_ms < owed->wake_at_ms))
        owed->wake_at_ms = at_ms;
}

static void owe_calls_of(owing *o, const task *t, ctn_role role)
{
    const work *w = ctn_x_work(t, role);
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->phase == CALL_RUNNING)
            owe_call(o, t, role, i, false);
        else if (ctn_x_wants_check(w, c) && c->check_due_ms <= o->now_ms)
            owe_call(o, t, role, i, true);
        else if (ctn_x_wants_check(w, c))
            wake_by(o->owed, c->check_due_ms);
    }
}

/* The child follows its parent: it runs, pauses, is stopped, is undone. */
static bool is_over_time(const work *w, int64_t now_ms)
{
    return w->due_ms && now_ms >= w->due_ms;
}

static void owe_child(owing *o, const task *t, ctn_role role)
{
    const work *w = ctn_x_work(t, role);
    ctn_owed *owed = o->owed;
    owed->children = grow(o->scratch, owed->children, owed->child_count, &o->child_capacity, sizeof *owed->children);
    owed->children[owed->child_count++] = (ctn_owed_child){
        .step = t->step,
        .item = t->item,
        .role = role,
        .attempt = w->attempt,
        .child = t->child,
        .chain = role == CTN_ROLE_DO ? w->set->chain : (ctn_str){0},
        .input = t->child_input,
        .wanted = role == CTN_ROLE_UNDO                             ? CTN_CHILD_UNDO
                  : o->x->is_stopping || is_over_time(w, o->now_ms) ? CTN_CHILD_CANCEL
                  : o->x->is_paused                                 ? CTN_CHILD_PAUSE
                                                                    : CTN_CHILD_RUN,
    };
}

/* A back-off that is over and would go on, if it were not for a place, a breaker, an equal call in flight, the budget:
 * whoever holds it back tells when that is over. */
static bool is_held(owing *o, const task *t, ctn_role role)
{
    const work *w = ctn_x_work(t, role);
    if (o->x->budget.is_awaited)
        return true;
    if (w->due_ms > o->now_ms || (!o->rules->gate && !o->rules->cached))
        return false;
    ctn_entry entry;
    return role == CTN_ROLE_DO ? !ctn_x_start_work(o->x, o->rules, t, o->now_ms, 0, o->scratch, &entry)
                               : !ctn_x_start_call(o->x, o->rules, t, role, ctn_x_startable_call(o->x, t, role),
                                                   o->now_ms, 0, o->scratch, &entry);
}

void ctn_execution_owed(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, ctn_arena *scratch,
                        ctn_owed *ret_owed)
{
    *ret_owed = (ctn_owed){0};
    if (x->has_ended || !x->is_started)
        return;
    owing o = {.x = x, .rules = rules, .now_ms = now_ms, .scratch = scratch, .owed = ret_owed};
    for (uint32_t i = 0; i < x->active_count; i++) {
        const active_work *a = &x->active[i];
        const work *w = ctn_x_work(a->task, a->role);
        if (w->phase == WORK_RUNNING)
            owe_calls_of(&o, a->task, a->role);
        else if (w->phase == WORK_CHILD)
            owe_child(&o, a->task, a->role);
        bool is_timed = w->phase == WORK_WAITING || (w->phase == WORK_CHILD && !is_over_time(w, now_ms)) ||
                        (w->phase == WORK_BACKOFF && !is_held(&o, a->task, a->role));
        if (is_timed && !x->is_paused)
            wake_by(ret_owed, w->due_ms);
    }
    /* While undoing, the task whose turn it is may first be asked whether it happened at all. */
    if (x->is_undoing && x->undo_cursor < x->undo.count && x->active_count == 0 && !x->is_paused)
        owe_calls_of(&o, x->undo.items[x->undo_cursor], CTN_ROLE_DO);
    int64_t given_up_ms = x->stop_at_ms + (rules->stop_grace_ms ? rules->stop_grace_ms : 5000);
    if (x->is_stopping && x->active_count > 0 && !x->is_undoing && given_up_ms > now_ms)
        wake_by(ret_owed, given_up_ms); /* after that only a sub-chain may be awaited, which tells its end */
    if (!x->is_stopping && !x->is_paused && x->plan->timeout_ms)
        wake_by(ret_owed, x->started_at_ms + x->plan->timeout_ms + x->paused_ms);
}

/* ---- reading ---- */

static bool work_is_running(const work *w)
{
    return w->phase == WORK_READY || w->phase == WORK_BACKOFF || w->phase == WORK_ANSWERED ||
           w->phase == WORK_FALLBACK ||
           (w->phase == WORK_RUNNING && (!ctn_x_any_call(w, CALL_ASKED) || ctn_x_any_call(w, CALL_RUNNING)));
}

ctn_status ctn_execution_status(const ctn_execution *x)
{
    if (x->has_ended)
        return x->end_status;
    if (x->is_queued)
        return CTN_STATUS_QUEUED;
    if (x->is_undoing && x->plan->is_rollback_enabled)
        return CTN_STATUS_COMPENSATING;
    if (x->is_paused)
        return CTN_STATUS_PAUSED;
    bool is_held = x->budget.is_awaited && !x->is_stopping; /* what is ready does not begin */
    bool is_asked = false, is_waiting = false;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = ctn_x_work(x->active[i].task, x->active[i].role);
        if (is_held && (w->phase == WORK_READY || w->phase == WORK_BACKOFF))
            is_waiting = true;
        else if (work_is_running(w))
            return CTN_STATUS_RUNNING;
        else if (w->phase == WORK_WAITING || w->phase == WORK_CHILD)
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
    return x->ended_at_ms;
}

const ctn_json *ctn_execution_variable(const ctn_execution *x, ctn_str name)
{
    uint32_t slot = ctn_plan_slot(x->plan, name);
    const ctn_json *value = slot == CTN_PLAN_NONE ? NULL : x->variables[slot];
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
    return x->outputs;
}

const ctn_json *ctn_execution_error_clear(const ctn_execution *x)
{
    return x->error;
}

const ctn_json *ctn_execution_outputs(const ctn_execution *x)
{
    return x->reveals ? x->outputs : x->outputs_shown;
}

const ctn_json *ctn_execution_error(const ctn_execution *x)
{
    return x->reveals ? x->error : x->error_shown;
}

const ctn_parent *ctn_execution_parent(const ctn_execution *x)
{
    return x->parent.depth ? &x->parent : NULL;
}

bool ctn_execution_was_reopened(const ctn_execution *x)
{
    return x->was_reopened;
}

const ctn_json *ctn_execution_from(const ctn_execution *x)
{
    return x->from;
}

const ctn_json *ctn_execution_budget_wait(const ctn_execution *x)
{
    return x->budget.is_awaited ? x->budget.asked : NULL;
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
    case WORK_READY:
    case WORK_BACKOFF: /* of an undo too: who compensates keeps its place in the chain meanwhile */
    case WORK_FALLBACK: return !is_paused;
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
        if (is_work_busy(ctn_x_work(x->active[i].task, x->active[i].role), x->is_paused || x->budget.is_awaited))
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
    switch (w->phase) {
    case WORK_NONE:
    case WORK_READY: return CTN_STEP_PENDING;
    case WORK_DROPPED: return w->attempt ? CTN_STEP_FAILED : CTN_STEP_PENDING;
    case WORK_EACH: return CTN_STEP_RUNNING;
    case WORK_RUNNING: return ctn_x_any_call(w, CALL_ASKED) ? CTN_STEP_INTERRUPTED : CTN_STEP_RUNNING;
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
    v.is_from_cache = w->phase == WORK_DONE && ctn_x_call_count(w) > 0;
    for (uint32_t i = 0; v.is_from_cache && i < ctn_x_call_count(w); i++)
        v.is_from_cache = w->calls[i].is_cached;
    v.fallback = w->fallback;
    v.asked = x->reveals ? w->asked : w->asked_shown;
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
    for (uint32_t i = 0; i < x->undo.count; i++)
        if (x->undo.items[i]->step == step) {
            undoable++;
            undone += x->undo.items[i]->work[CTN_ROLE_UNDO].phase == WORK_DONE;
        }
    if (undoable && undone == undoable)
        v.status = CTN_STEP_COMPENSATED;
    int worst = -1;
    for (uint32_t i = 0; i < x->active_count; i++) {
        const task *t = x->active[i].task;
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

size_t ctn_execution_open_tasks(const ctn_execution *x, ctn_open_task *ret_tasks, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < x->active_count && count < max; i++)
        if (ctn_x_work(x->active[i].task, x->active[i].role)->phase != WORK_EACH)
            ret_tasks[count++] =
                (ctn_open_task){.step = x->active[i].task->step, .view = view_task(x, x->active[i].task)};
    return count;
}
