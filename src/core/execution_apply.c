/*
 * execution_apply.c -- folding an entry into the state. It judges nothing: every choice is in the entry.
 *
 * One function serves live running and recovery. A replay differs in one thing only: starts of repeatable calls
 * were never stored, so the end of an attempt may meet a step that is still ready, backing off or waiting. The
 * attempt's number counts, not the phase.
 */
#include "core/execution_state.h"

#include "base/plant.h"
#include <assert.h>

static const ctn_json *get(const ctn_entry *e, const char *key)
{
    return ctn_json_member_of(e->body, key);
}

/* ---- the active list: works that may still do something ---- */

static void activate(ctn_execution *x, task *t, ctn_role role)
{
    work *w = ctn_x_work(t, role);
    if (w->active_slot)
        return;
    if (x->active_count == x->active_capacity) {
        uint32_t grown = x->active_capacity ? 2 * x->active_capacity : 8;
        active_work *items = CTN_NEW_ARRAY(x->arena, active_work, grown);
        if (x->active_count)
            memcpy(items, x->active, x->active_count * sizeof *items);
        x->active = items;
        x->active_capacity = grown;
    }
    x->active[x->active_count] = (active_work){.task = t, .role = role};
    w->active_slot = ++x->active_count;
}

void ctn_x_deactivate(ctn_execution *x, task *t, ctn_role role)
{
    work *w = ctn_x_work(t, role);
    if (!w->active_slot)
        return;
    uint32_t at = w->active_slot - 1;
    w->active_slot = 0;
    active_work last = x->active[--x->active_count];
    if (at < x->active_count) {
        x->active[at] = last;
        ctn_x_work(last.task, last.role)->active_slot = at + 1;
    }
}

/* ---- steps ---- */

static void make_ready(ctn_execution *x, task *t, int64_t at_ms)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    w->phase = WORK_READY;
    w->ready_at_ms = at_ms;
    w->ready_seq = x->seq;
    activate(x, t, CTN_ROLE_DO);
}

/* Its predecessors have ended. */
static void step_is_due(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    if (x->steps[step].reused) {
        x->to_reuse[x->to_reuse_count++] = step;
        return;
    }
    x->steps[step].whole.turn = ++x->turns;
    make_ready(x, &x->steps[step].whole, at_ms);
}

static void step_ended(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    x->ended_count++;
    const ctn_plan_step *p = &x->plan->steps[step];
    for (uint32_t i = 0; i < p->successor_count; i++) {
        uint32_t next = p->successors[i];
        assert(x->steps[next].waits_for > 0);
        if (--x->steps[next].waits_for == 0 && !x->is_stopping)
            step_is_due(x, next, at_ms);
    }
}

/* They end one after the other, and not within each other: a chain may have ten thousand of them in a row. */
static void reuse_due(ctn_execution *x, int64_t at_ms)
{
    while (x->to_reuse_count) {
        uint32_t step = x->to_reuse[--x->to_reuse_count];
        ctn_x_reuse(x, step, at_ms);
        step_ended(x, step, at_ms);
    }
}

/* As many items as may be under way at once, in their order. */
static void fill_each(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    if (x->is_stopping)
        return;
    for (task *t; (t = ctn_x_each_make_task(x, step));)
        make_ready(x, t, at_ms);
}

/* The item has ended, well (with variables) or not: what has to be known of it later is kept. */
void ctn_x_item_ended(ctn_execution *x, task *t, const ctn_json *variables, int64_t at_ms)
{
    uint32_t step = t->step;
    bool may_be_undone = ctn_x_has_undo(x, t);
    bool is_doubtful = may_be_undone && ctn_x_fate_is_unknown(t);
    bool is_kept = is_doubtful;
    ctn_x_each_take(x, t, variables);
    if (t->work[CTN_ROLE_DO].phase == WORK_DONE && x->completed.count && may_be_undone)
        is_kept = is_kept || x->completed.items[x->completed.count - 1] == t;
    if (is_doubtful)
        ctn_x_list_add(x, &x->doubtful, t);
    ctn_x_each_close(x, t, is_kept);
    fill_each(x, step, at_ms);
}

/* Of a start that was not recorded the best that is known is when the step was ready. */
static void note_start(task *t, int64_t at_ms, bool is_seen)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    if (!w->first_at_ms)
        w->first_at_ms = is_seen ? at_ms : w->ready_at_ms;
}

void ctn_x_set_variables(ctn_execution *x, const ctn_json *variables, uint32_t step)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        uint32_t slot = ctn_plan_slot(x->plan, ctn_json_text(&variables->members[i].key));
        if (slot == CTN_PLAN_NONE)
            continue;
        ctn_x_put_variable(x, slot, &variables->members[i].value);
        x->setters[slot] = step == CTN_PLAN_NONE ? 0 : step + 1;
        x->by_hand[slot] = NULL;
    }
}

void ctn_x_set_null(ctn_execution *x, uint32_t step)
{
    const ctn_plan_step *p = &x->plan->steps[step];
    for (uint32_t i = 0; i < p->output_count; i++) {
        uint32_t slot = p->outputs[i].slot;
        ctn_x_put_variable(x, slot, &ctn_json_null);
        x->setters[slot] = step + 1;
        x->by_hand[slot] = NULL;
    }
}

static void set_by_hand(ctn_execution *x, const ctn_json *variables)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        uint32_t slot = ctn_plan_slot(x->plan, ctn_json_text(&variables->members[i].key));
        if (slot == CTN_PLAN_NONE)
            continue;
        ctn_x_put_variable(x, slot, &variables->members[i].value);
        x->by_hand[slot] = x->variables[slot];
    }
}

void ctn_x_begin_attempt(work *w, uint32_t attempt)
{
    if (w->attempt == attempt)
        return;
    w->attempt = attempt;
    w->breaker_is_noted = false;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        call_state *c = &w->calls[i];
        if (c->phase == CALL_DONE)
            continue;
        c->phase = CALL_IDLE;
        c->died = c->fail_is_final = c->retry_is_due = c->check_is_over = c->start_is_stored = false;
        c->checks_failed = 0;
    }
}

/* ---- entries about a task's work ---- */

static void apply_started(ctn_execution *x, task *t, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(t, role);
    ctn_x_begin_attempt(w, e->attempt);
    call_state *c = ctn_x_call_of(w, e);
    activate(x, t, role);
    if (role == CTN_ROLE_DO)
        note_start(t, e->at_ms, true);
    if (role == CTN_ROLE_DO && e->seq && !t->start_order)
        t->start_order = ++x->starts;
    if (!c) { /* the undoing of a sub-chain */
        w->phase = WORK_CHILD;
        return;
    }
    w->phase = WORK_RUNNING;
    c->phase = CALL_RUNNING;
    if (role == CTN_ROLE_DO)
        ctn_x_budget_begin(x);
    c->start_is_stored = e->seq != 0;
    c->started_at_ms = e->at_ms;
    c->effect = CTN_EFFECT_WRITE;
    (void) ctn_effect_from_name(ctn_json_str_or(e->body, "effect", CTN_STR("write")), &c->effect);
    c->cache_key = ctn_arena_str(t->arena, ctn_json_str_or(e->body, "cacheKey", CTN_STR("")));
    if (!c->args)
        c->args = ctn_json_copy(t->arena, get(e, "args"));
}

/* What may have to be undone: not what came out of a cache, and no fallback's value. */
static bool leaves_something(const ctn_execution *x, const task *t)
{
    const work *w = &t->work[CTN_ROLE_DO];
    if (!ctn_x_has_undo(x, t))
        return false;
    bool all_cached = ctn_x_call_count(w) > 0;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        all_cached = all_cached && w->calls[i].is_cached;
    return !all_cached && (w->set || t->was_in_doubt);
}

static void task_completed(ctn_execution *x, task *t, const ctn_entry *e)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    ctn_x_release_results(x, w);
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        w->calls[i].result = NULL; /* the variables are what is kept */
    bool is_kept = leaves_something(x, t);
    const ctn_json *variables = get(e, "variables");
    if (t->item < 0 || is_kept)
        t->variables = ctn_json_copy(t->arena, variables);
    if (is_kept)
        ctn_x_list_add(x, &x->completed, t);
    if (t->item < 0) {
        ctn_x_set_variables(x, t->variables, t->step);
        step_ended(x, t->step, e->at_ms);
    } else {
        ctn_x_item_ended(x, t, variables, e->at_ms);
    }
}

/* All items of a foreach have ended: their values become lists. */
static void each_completed(ctn_execution *x, task *t, const ctn_entry *e)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    w->phase = WORK_DONE;
    w->ended_at_ms = e->at_ms;
    ctn_x_deactivate(x, t, CTN_ROLE_DO);
    ctn_x_each_release(x, t->step);
    ctn_x_set_variables(x, ctn_x_each_variables(x, t->step, x->arena), t->step);
    step_ended(x, t->step, e->at_ms);
}

static void apply_succeeded(ctn_execution *x, task *t, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(t, role);
    if (w->phase == WORK_EACH) {
        each_completed(x, t, e);
        return;
    }
    call_state *c = ctn_x_call_of(w, e);
    ctn_x_begin_attempt(w, e->attempt);
    if (c && role == CTN_ROLE_DO && e->kind != CTN_ENTRY_CACHE_HIT && get(e, "used"))
        ctn_x_budget_settle(x, c, get(e, "used"));
    w->phase = WORK_RUNNING;
    w->deaths = 0;
    if (role == CTN_ROLE_DO)
        note_start(t, e->at_ms, false);
    if (c) {
        c->phase = CALL_DONE;
        c->is_cached = e->kind == CTN_ENTRY_CACHE_HIT;
        c->may_have_happened = false;
        c->args = NULL;
        c->result = ctn_json_copy(t->arena, get(e, "result"));
        if (c->result == NULL || !w->set->is_several)
            c->result = w->set->is_several ? &ctn_json_null : NULL;
        ctn_x_hold_result(x, c);
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
    ctn_x_deactivate(x, t, role);
    if (role == CTN_ROLE_DO)
        task_completed(x, t, e);
}

static void fail_task(ctn_execution *x, task *t, const ctn_entry *e)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    bool goes_on = p->continue_on_error && !x->is_stopping;
    if (!goes_on)
        ctn_x_begin_stopping(x, e->at_ms, w->failure, w->message, p->name, t->item);
    if (t->item >= 0) {
        ctn_x_item_ended(x, t, NULL, e->at_ms);
        return;
    }
    if (!goes_on)
        return;
    x->steps[t->step].continued = true;
    ctn_x_set_null(x, t->step);
    step_ended(x, t->step, e->at_ms);
}

/* A foreach fails as a whole while items of it are ready: none of them is begun. */
static void drop_items(ctn_execution *x, uint32_t step)
{
    for (uint32_t i = x->active_count; i-- > 0;) {
        task *t = x->active[i].task;
        if (t->step != step || t->item < 0)
            continue;
        t->work[CTN_ROLE_DO].phase = WORK_DROPPED;
        ctn_x_deactivate(x, t, CTN_ROLE_DO);
        ctn_x_each_close(x, t, false);
    }
    ctn_x_each_release(x, step);
}

static void apply_failed(ctn_execution *x, task *t, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(t, role);
    call_state *c = ctn_x_call_of(w, e);
    if (w->set && w->set->is_several && !get(e, "call"))
        c = NULL; /* the verdict on the attempt as a whole */
    if (w->phase == WORK_EACH)
        drop_items(x, t->step);
    ctn_x_begin_attempt(w, e->attempt);
    if (!ctn_json_bool_or(e->body, "free", false))
        w->deaths = 0;
    w->phase = WORK_RUNNING;
    w->failure = ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR("")));
    w->message = ctn_arena_str(t->arena, ctn_json_str_or(e->body, "message", CTN_STR("")));
    if (role == CTN_ROLE_DO)
        note_start(t, e->at_ms, false);
    if (c && role == CTN_ROLE_DO && get(e, "used"))
        ctn_x_budget_settle(x, c, get(e, "used"));
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
        activate(x, t, role);
        if (x->is_stopping && role == CTN_ROLE_DO)
            ctn_x_stop_work(x, t, role, e->at_ms);
        return;
    }
    if (get(e, "dueMs")) {
        w->phase = WORK_BACKOFF;
        w->due_ms = ctn_json_int_or(e->body, "dueMs", 0);
        if (ctn_json_bool_or(e->body, "died", false))
            w->death_retry_used = true;
        if (!ctn_json_bool_or(e->body, "free", false))
            w->retries_used++;
        activate(x, t, role);
        return;
    }
    if (get(e, "fallback")) {
        w->phase = WORK_FALLBACK;
        activate(x, t, role);
        return;
    }
    if (!ctn_json_bool_or(e->body, "final", false)) {
        activate(x, t, role);
        return;
    }
    w->phase = WORK_FAILED;
    w->ended_at_ms = e->at_ms;
    ctn_x_deactivate(x, t, role);
    ctn_x_release_results(x, w);
    if (role == CTN_ROLE_DO)
        fail_task(x, t, e);
    else if (t->item < 0)
        t->undo_failed = true;
    else
        t->undo_failed = x->steps[t->step].each->undo_failed = true;
}

/* Another set, or a value, does the step's work from here on. What an earlier set may have done is not forgotten. */
static void apply_fallback(ctn_execution *x, task *t, const ctn_entry *e)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    t->was_in_doubt = ctn_x_fate_is_unknown(t);
    if (t->item >= 0 && ctn_x_had_write(w))
        x->steps[t->step].each->had_write = true;
    t->had_write = t->had_write || ctn_x_had_write(w);
    ctn_x_release_results(x, w);
    w->fallback = (uint32_t) ctn_json_int_or(e->body, "fallback", 0);
    ctn_x_work_init(t, w, p->fallbacks[w->fallback - 1].set);
    w->phase = WORK_READY;
    w->ready_seq = x->seq;
    w->retries_used = w->deaths = 0;
    w->death_retry_used = false;
}

static void apply_child_started(ctn_execution *x, task *t, const ctn_entry *e)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    ctn_x_begin_attempt(w, e->attempt);
    note_start(t, e->at_ms, true);
    if (!t->start_order)
        t->start_order = ++x->starts;
    w->phase = WORK_CHILD;
    w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
    (void) ctn_id_parse(ctn_json_str_or(e->body, "child", CTN_STR("")), &t->child, NULL);
    t->child_input = ctn_json_copy(t->arena, get(e, "args"));
}

static void apply_waiting(ctn_execution *x, task *t, const ctn_entry *e)
{
    work *w = ctn_x_work(t, CTN_ROLE_DO);
    ctn_x_begin_attempt(w, e->attempt);
    note_start(t, e->at_ms, true);
    w->phase = WORK_WAITING;
    w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
    w->expires = ctn_json_bool_or(e->body, "expires", false);
    w->asked = w->asked_shown = ctn_json_copy(t->arena, e->body);
    if (x->sensitivity) {
        ctn_places places = ctn_sensitive_places(x->sensitivity, e, t->arena);
        w->asked_shown = ctn_places_hide(t->arena, w->asked, &places);
    }
    w->message = ctn_json_str_or(w->asked, "message", CTN_STR(""));
}

static void apply_checked(ctn_execution *x, task *t, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(t, role);
    call_state *c = ctn_x_call_of(w, e);
    const ctn_json *happened = get(e, "happened");
    if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        c->phase = CALL_SETTLED_TRUE;
        c->may_have_happened = true;
        const ctn_json *result = get(e, "result"), *variables = get(e, "variables");
        c->result = result ? ctn_json_copy(t->arena, result) : &ctn_json_null;
        if (variables) { /* the chain is being undone: this is what there is to undo */
            t->variables = ctn_json_copy(t->arena, variables);
            if (t->item < 0)
                ctn_x_set_variables(x, t->variables, t->step);
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

static void apply_settled(task *t, ctn_role role, const ctn_entry *e)
{
    work *w = ctn_x_work(t, role);
    ctn_str what = ctn_json_str_or(e->body, "what", CTN_STR(""));
    w->deaths = 0;
    if (w->phase == WORK_ASKED && ctn_str_is(what, "retry")) {
        w->phase = w->attempt ? WORK_BACKOFF : WORK_READY;
        w->due_ms = e->at_ms;
        return;
    }
    call_state *c = w->phase == WORK_ASKED ? ctn_x_first_open_call(w) : ctn_x_call_of(w, e);
    if (w->phase == WORK_ASKED) {
        ctn_x_begin_attempt(w, w->attempt + 1);
        c->failure = w->failure;
        c->message = w->message;
    }
    w->phase = WORK_RUNNING;
    if (ctn_str_is(what, "succeed")) {
        c->phase = CALL_SETTLED_TRUE;
        const ctn_json *value = get(e, "value");
        c->result = value ? ctn_json_copy(t->arena, value) : &ctn_json_null;
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
    set_by_hand(x, ctn_json_copy(x->arena, get(e, "variables")));
    for (uint32_t i = 0; i < x->active_count; i++) {
        work *w = ctn_x_work(x->active[i].task, x->active[i].role);
        for (uint32_t c = 0; c < ctn_x_call_count(w); c++)
            if (w->calls[c].phase != CALL_RUNNING && !w->calls[c].start_is_stored)
                w->calls[c].args = NULL;
    }
}

/* ---- entries about the execution ---- */

static void apply_budget_decision(ctn_execution *x, const ctn_entry *e)
{
    x->budget.is_awaited = false;
    if (ctn_str_is(ctn_json_str_or(e->body, "what", CTN_STR("")), "retry"))
        x->budget.grants++;
    else
        ctn_x_begin_stopping(x, e->at_ms, CTN_FAILURE_BUDGET,
                             ctn_json_str_or(x->budget.asked, "message", CTN_STR("the budget is used up")),
                             (ctn_str){0}, -1);
}

static void find_sensitive(ctn_execution *x, const ctn_json *also)
{
    x->sensitive_also = also ? ctn_json_copy(x->arena, also) : NULL;
    x->sensitivity = x->plan->sensitivity;
    if (also || (x->plan->may_be_sensitive && !x->sensitivity))
        x->sensitivity = ctn_sensitivity_of(x->plan, also, x->arena);
}

static void apply_first(ctn_execution *x, const ctn_entry *e)
{
    const ctn_json *input = get(e, "input");
    if (input) {
        x->input = ctn_json_copy(x->arena, input);
        x->created_at_ms = e->at_ms;
        find_sensitive(x, get(e, "sensitive"));
        ctn_x_reuse_begin(x, e->body);
    }
    const ctn_json *parent = get(e, "parent");
    if (parent) {
        (void) ctn_id_parse(ctn_json_str_or(parent, "id", CTN_STR("")), &x->parent.id, NULL);
        x->parent.step = ctn_arena_str(x->arena, ctn_json_str_or(parent, "step", CTN_STR("")));
        x->parent.item = ctn_json_int_or(parent, "item", -1);
        x->parent.attempt = (uint32_t) ctn_json_int_or(parent, "attempt", 1);
        x->parent.depth = (uint32_t) ctn_json_int_or(parent, "depth", 1);
    }
    x->is_queued = e->kind == CTN_ENTRY_QUEUED;
    if (x->is_queued)
        return;
    x->is_started = true;
    x->started_at_ms = e->at_ms;
    ctn_x_set_variables(x, x->input, CTN_PLAN_NONE);
    for (uint32_t i = 0; i < x->plan->step_count; i++)
        if (x->steps[i].waits_for == 0)
            step_is_due(x, i, e->at_ms);
}

static void recover_work(ctn_execution *x, task *t, ctn_role role, int64_t at_ms, bool was_crash)
{
    work *w = ctn_x_work(t, role);
    if (was_crash && (w->phase == WORK_RUNNING || ctn_x_may_have_begun(x, t, role, at_ms)))
        w->deaths++;
    if (w->phase != WORK_RUNNING)
        return;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        call_state *c = &w->calls[i];
        if (c->phase != CALL_RUNNING)
            continue;
        if (role == CTN_ROLE_DO)
            ctn_x_budget_forget(x);
        if (c->effect < CTN_EFFECT_WRITE) { /* an undo's start is recorded whatever its class: simply again */
            c->phase = CALL_IDLE;
            c->may_have_happened = c->may_have_happened || c->effect == CTN_EFFECT_IDEMPOTENT;
            c->settle_at_ms = at_ms;
            continue;
        }
        /* Its server was a child of the engine that died, and ended before anybody else owned the store (store/lock.c):
         * a "no" counts at once. */
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
        x->paused_ms += CTN_PLANT(PAUSE_COUNTS_AS_TIME) ? 0 : at_ms - x->paused_at_ms;
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
        recover_work(x, x->active[i].task, x->active[i].role, e->at_ms, ctn_str_is(cause, "crash"));
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
    x->outputs_shown = x->is_hidden ? x->outputs /* as the record shows them: "(shredded)" perhaps */
                                    : ctn_sensitive_hide_outputs(x->sensitivity, x->outputs, x->arena);
    x->error_shown = ctn_sensitive_hide_error(x->sensitivity, x->error, x->arena);
}

/* ---- any entry ---- */

/* A completed sub-chain is undone with its parent: the one way out of a final status. */
static void reopen(ctn_execution *x)
{
    x->has_ended = false;
    x->was_reopened = true;
    x->ended_at_ms = 0;
    x->outputs = x->outputs_shown = NULL;
}

static int fold(ctn_execution *x, ctn_entry *e, ctn_err *err)
{
    x->is_hidden = x->is_hidden || e->is_hidden;
    uint32_t step = e->step.len ? ctn_plan_step_index(x->plan, e->step) : CTN_PLAN_NONE;
    bool is_of_undo = ctn_entry_kind_about(e->kind) == CTN_ABOUT_UNDO || ctn_json_bool_or(e->body, "undo", false);
    ctn_role role = is_of_undo ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    task *t = step == CTN_PLAN_NONE ? NULL : ctn_x_task(x, step, e->item);
    int rc = ctn_x_allows(x, e, step, t, role, err);
    if (rc)
        return rc;

    switch (e->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED: apply_first(x, e); break;
    case CTN_ENTRY_STEP_SKIPPED:
        t->work[CTN_ROLE_DO].phase = WORK_SKIPPED;
        t->work[CTN_ROLE_DO].ended_at_ms = e->at_ms;
        ctn_x_deactivate(x, t, CTN_ROLE_DO);
        step_ended(x, step, e->at_ms);
        break;
    case CTN_ENTRY_FOREACH_STARTED:
        rc = ctn_x_each_start(x, step, e, err);
        if (rc)
            return rc;
        note_start(t, e->at_ms, true);
        t->work[CTN_ROLE_DO].attempt = 1;
        t->work[CTN_ROLE_DO].phase = WORK_EACH;
        x->turns += ctn_json_int_or(e->body, "count", 0) - 1;
        fill_each(x, step, e->at_ms);
        break;
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: apply_started(x, t, role, e); break;
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: apply_succeeded(x, t, role, e); break;
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: apply_failed(x, t, role, e); break;
    case CTN_ENTRY_FALLBACK_TAKEN: apply_fallback(x, t, e); break;
    case CTN_ENTRY_CHILD_STARTED: apply_child_started(x, t, e); break;
    case CTN_ENTRY_BREAKER_WAIT: {
        work *w = ctn_x_work(t, role);
        w->phase = WORK_BACKOFF;
        w->breaker_is_noted = true;
        w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
        activate(x, t, role);
        break;
    }
    case CTN_ENTRY_WAITING:
        if (t) {
            apply_waiting(x, t, e);
        } else {
            x->budget.is_awaited = true;
            x->budget.asked = ctn_json_copy(x->arena, e->body);
        }
        break;
    case CTN_ENTRY_ANSWERED: {
        work *w = ctn_x_work(t, CTN_ROLE_DO);
        w->phase = WORK_ANSWERED;
        w->answer = ctn_json_copy(t->arena, get(e, "answer"));
        w->answered_by = ctn_arena_str(t->arena, e->actor);
        w->due_ms = e->at_ms;
        break;
    }
    case CTN_ENTRY_CHECKED: apply_checked(x, t, role, e); break;
    case CTN_ENTRY_INTERRUPTED: {
        work *w = ctn_x_work(t, role);
        w->failure = ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR("")));
        w->message = ctn_arena_str(t->arena, ctn_json_str_or(e->body, "message", CTN_STR("")));
        if (w->phase == WORK_RUNNING)
            ctn_x_call_of(w, e)->phase = CALL_ASKED;
        else
            w->phase = WORK_ASKED;
        break;
    }
    case CTN_ENTRY_DECISION:
        if (t)
            apply_settled(t, role, e);
        else if (get(e, "variables"))
            apply_set(x, e);
        else
            apply_budget_decision(x, e);
        break;
    case CTN_ENTRY_CANCEL_REQUESTED:
        if (x->has_ended)
            reopen(x);
        ctn_x_begin_stopping(x, e->at_ms, ctn_failure_from_name(ctn_json_str_or(e->body, "code", CTN_STR(""))),
                             ctn_json_str_or(e->body, "message", CTN_STR("")), (ctn_str){0}, -1);
        end_pause(x, e->at_ms); /* who cancels wants it to end: a pause from before holds nothing back */
        break;
    case CTN_ENTRY_PAUSED:
        x->is_paused = true;
        x->is_paused_with_parent = ctn_str_is(ctn_json_str_or(e->body, "reason", CTN_STR("")), CTN_WITH_PARENT);
        x->paused_at_ms = e->at_ms;
        x->paused_seq = x->seq;
        break;
    case CTN_ENTRY_RESUMED: apply_resumed(x, e); break;
    case CTN_ENTRY_COMPLETED: apply_ended(x, e, CTN_STATUS_COMPLETED); break;
    case CTN_ENTRY_FAILED: apply_ended(x, e, CTN_STATUS_FAILED); break;
    case CTN_ENTRY_ROLLED_BACK: apply_ended(x, e, CTN_STATUS_ROLLED_BACK); break;
    case CTN_ENTRY_ROLLBACK_FAILED: apply_ended(x, e, CTN_STATUS_ROLLBACK_FAILED); break;
    case CTN_ENTRY_CANCELLED: apply_ended(x, e, CTN_STATUS_CANCELLED); break;
    case CTN_ENTRY_KIND_COUNT:
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu: this version knows no such entry",
                        (unsigned long long) e->seq);
    }
    reuse_due(x, e->at_ms);
    if (x->is_stopping && x->active_count == 0 && !x->has_ended) {
        if (!x->is_undoing)
            ctn_x_build_undo(x, e->at_ms);
        ctn_x_advance_undo(x);
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

#ifdef CATENA_PLANTED
/* What a replay could get wrong, after the entry was folded in. */
static void replay_wrongly(ctn_execution *x, const ctn_entry *e)
{
    uint32_t step = e->step.len ? ctn_plan_step_index(x->plan, e->step) : CTN_PLAN_NONE;
    task *t = step == CTN_PLAN_NONE ? NULL : &x->steps[step].whole;
    work *w = t ? ctn_x_work(t, CTN_ROLE_DO) : NULL;
    if (CTN_PLANT(BACKOFF_RECOMPUTED) && w && w->phase == WORK_BACKOFF && w->due_ms > e->at_ms)
        w->due_ms = e->at_ms + (w->due_ms - e->at_ms) / 2;
    if (CTN_PLANT(COMPLETED_RUNS_AGAIN) && e->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED && w->phase == WORK_DONE &&
        w->calls) {
        for (uint32_t i = 0; i < w->set->call_count; i++)
            w->calls[i].phase = CALL_IDLE;
        make_ready(x, t, e->at_ms);
    }
    if (CTN_PLANT(TIMEOUT_RESTARTED) && e->kind == CTN_ENTRY_RESUMED)
        x->started_at_ms = e->at_ms;
    if (CTN_PLANT(CANCEL_LOST_AT_RELOAD) && e->kind == CTN_ENTRY_CANCEL_REQUESTED && !x->is_undoing)
        x->is_stopping = false;
}
#else
#define replay_wrongly(x, e) (void) 0
#endif

int ctn_execution_replay(ctn_execution *x, ctn_entry *e, ctn_err *err)
{
    if (e->seq != x->seq + 1)
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu follows entry %llu", (unsigned long long) e->seq,
                        (unsigned long long) x->seq);
    int rc = fold(x, e, err);
    if (rc == CTN_OK)
        x->seq = e->seq;
    if (rc == CTN_OK)
        replay_wrongly(x, e);
    return rc;
}
