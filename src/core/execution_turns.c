/*
 * execution_turns.c -- whose turn it is: works become ready and active, end, and make room for what comes after them.
 */
#include "core/execution_fold.h"

#include <assert.h>

/* ---- the active list: works that may still do something ---- */

void ctn_x_activate(ctn_execution *x, work *w)
{
    if (w->active_slot)
        return;
    x->active = ctn_arena_room(x->arena, x->active, x->active_count, &x->active_capacity, sizeof *x->active);
    x->active[x->active_count] = w;
    w->active_slot = ++x->active_count;
}

void ctn_x_deactivate(ctn_execution *x, work *w)
{
    if (!w->active_slot)
        return;
    uint32_t at = w->active_slot - 1;
    w->active_slot = 0;
    work *last = x->active[--x->active_count];
    if (at < x->active_count) {
        x->active[at] = last;
        last->active_slot = at + 1;
    }
}

/* ---- steps ---- */

void ctn_x_make_ready(ctn_execution *x, task *t, int64_t at_ms)
{
    work *w = &t->work[CTN_ROLE_DO];
    w->phase = WORK_READY;
    w->ready_at_ms = at_ms;
    w->ready_seq = x->seq;
    ctn_x_activate(x, w);
}

/* Its predecessors have ended. */
static void step_is_due(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    if (x->steps[step].reused) {
        x->reuse.due[x->reuse.due_count++] = step;
        return;
    }
    x->steps[step].whole.turn = ++x->turns;
    ctn_x_make_ready(x, &x->steps[step].whole, at_ms);
}

void ctn_x_first_steps_are_due(ctn_execution *x, int64_t at_ms)
{
    for (uint32_t i = 0; i < x->plan->step_count; i++)
        if (x->steps[i].waits_for == 0)
            step_is_due(x, i, at_ms);
}

void ctn_x_step_ended(ctn_execution *x, uint32_t step, int64_t at_ms)
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
void ctn_x_reuse_due(ctn_execution *x, int64_t at_ms)
{
    while (x->reuse.due_count) {
        uint32_t step = x->reuse.due[--x->reuse.due_count];
        ctn_x_reuse(x, step, at_ms);
        ctn_x_step_ended(x, step, at_ms);
    }
}

void ctn_x_fill_each(ctn_execution *x, uint32_t step, int64_t at_ms)
{
    if (x->is_stopping)
        return;
    for (task *t; (t = ctn_x_each_make_task(x, step));)
        ctn_x_make_ready(x, t, at_ms);
}

void ctn_x_item_ended(ctn_execution *x, task *t, const ctn_json *variables, int64_t at_ms)
{
    uint32_t step = t->step;
    bool may_be_undone = ctn_x_has_undo(x, t);
    bool is_doubtful = may_be_undone && ctn_x_fate_is_unknown(t);
    const task_list *completed = &x->undo.completed;
    bool is_kept = is_doubtful || (may_be_undone && t->work[CTN_ROLE_DO].phase == WORK_DONE && completed->count &&
                                   completed->items[completed->count - 1] == t);
    ctn_x_each_take(x, t, variables);
    if (is_doubtful)
        ctn_x_list_add(x, &x->undo.doubtful, t);
    ctn_x_each_close(x, t, is_kept);
    ctn_x_fill_each(x, step, at_ms);
}

/* What may have to be undone: not what came out of a cache, and no fallback's value. */
static bool leaves_something(const ctn_execution *x, const work *w)
{
    if (!ctn_x_has_undo(x, w->task))
        return false;
    bool all_cached = ctn_x_call_count(w) > 0;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        all_cached = all_cached && w->calls[i].is_cached;
    return !all_cached && (w->set || w->task->was_in_doubt);
}

void ctn_x_task_completed(ctn_execution *x, work *w, const ctn_json *variables, int64_t at_ms)
{
    task *t = w->task;
    ctn_x_release_results(x, w);
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        w->calls[i].result = NULL; /* the variables are what is kept */
    bool is_kept = leaves_something(x, w);
    if (t->item < 0 || is_kept)
        t->variables = ctn_json_copy(t->arena, variables);
    if (is_kept)
        ctn_x_list_add(x, &x->undo.completed, t);
    if (t->item < 0) {
        ctn_x_set_variables(x, t->variables, t->step);
        ctn_x_step_ended(x, t->step, at_ms);
    } else {
        ctn_x_item_ended(x, t, variables, at_ms);
    }
}

void ctn_x_each_completed(ctn_execution *x, work *w, int64_t at_ms)
{
    uint32_t step = w->task->step;
    w->phase = WORK_DONE;
    w->ended_at_ms = at_ms;
    ctn_x_deactivate(x, w);
    ctn_x_each_release(x, step);
    ctn_x_set_variables(x, ctn_x_each_variables(x, step, x->arena), step);
    ctn_x_step_ended(x, step, at_ms);
}

void ctn_x_drop_items(ctn_execution *x, uint32_t step)
{
    for (uint32_t i = x->active_count; i-- > 0;) {
        work *w = x->active[i];
        if (w->task->step != step || w->task->item < 0)
            continue;
        w->phase = WORK_DROPPED;
        ctn_x_deactivate(x, w);
        ctn_x_each_close(x, w->task, false);
    }
    ctn_x_each_release(x, step);
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
        c->continuation = c->answers = c->asked = c->asked_shown = NULL;
        c->is_accepted = false;
        c->rounds = 0;
        c->spent_ms = 0;
    }
}
