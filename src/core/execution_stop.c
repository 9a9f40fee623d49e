/*
 * execution_stop.c -- the chain goes on no more: what is under way is let go or awaited, then what was done is undone.
 *
 * Part of apply: it judges nothing, and its order is that of the journal. Steps of unknown outcome are undone first,
 * latest start first, each asked through its check; then what was completed, in reverse order.
 */
#include "core/execution_fold.h"

#include "base/plant.h"

/* What has begun, or may have begun, still ends with an entry of its own; what was waiting for something is dropped. */
void ctn_x_stop_work(ctn_execution *x, work *w, int64_t at_ms)
{
    if (w->phase == WORK_CHILD)
        return; /* it is told to stop, and its end is awaited */
    if (ctn_x_may_have_begun(x, w, at_ms)) {
        ctn_x_begin_attempt(w, w->attempt + 1);
        w->phase = WORK_RUNNING;
    }
    bool goes_on = false;
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++) {
        call_state *c = &w->calls[i];
        if (ctn_x_is_left_with_peer(c)) { /* what only asked has not happened; what was accepted may have */
            c->phase = c->is_accepted && c->effect >= CTN_EFFECT_IDEMPOTENT ? CALL_UNKNOWN : CALL_LET_GO;
            c->failure = CTN_FAILURE_CANCELLED;
            c->message = CTN_STR("stopped with the chain, while its peer waited for an answer");
            c->settle_at_ms = at_ms;
        }
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
    ctn_x_deactivate(x, w);
    if (w->attempt) {
        w->ended_at_ms = at_ms;
        if (w->failure == CTN_FAILURE_NONE) {
            w->failure = CTN_FAILURE_CANCELLED;
            w->message = CTN_STR("stopped with the chain");
        }
    }
    if (w->task->item >= 0)
        ctn_x_item_ended(x, w->task, NULL, at_ms);
}

void ctn_x_begin_stopping(ctn_execution *x, int64_t at_ms, ctn_failure cause, ctn_str message, ctn_str step,
                          int64_t item)
{
    if (x->is_stopping)
        return;
    x->is_stopping = true;
    x->stop = (stop_state){.at_ms = at_ms,
                           .cause = cause,
                           .message = ctn_arena_str(x->arena, message),
                           .step = ctn_arena_str(x->arena, step),
                           .item = item};
    for (uint32_t i = x->active_count; i-- > 0;)
        ctn_x_stop_work(x, x->active[i], at_ms);
}

static void ask_again(task *t, int64_t at_ms)
{
    work *w = &t->work[CTN_ROLE_DO];
    t->undo_outcome_unknown = true;
    for (uint32_t c = 0; c < ctn_x_call_count(w); c++) {
        if (!w->calls[c].may_have_happened)
            continue;
        w->calls[c].phase = CALL_UNKNOWN;
        w->calls[c].check_due_ms = at_ms;
    }
}

/* Latest start first, among those that were put in before. */
static void queue_doubtful(ctn_execution *x, task *t, int64_t at_ms)
{
    ask_again(t, at_ms);
    ctn_x_list_add(x, &x->undo.queue, t);
    for (uint32_t at = x->undo.queue.count - 1; at > 0 && x->undo.queue.items[at - 1]->start_order < t->start_order;
         at--) {
        x->undo.queue.items[at] = x->undo.queue.items[at - 1];
        x->undo.queue.items[at - 1] = t;
    }
}

/* First tasks of unknown outcome, latest start first; then completed ones in reverse order of completion. */
static void build_undo(ctn_execution *x, int64_t at_ms)
{
    x->is_undoing = true;
    if (!x->plan->is_rollback_enabled)
        return;
    for (uint32_t i = 0; i < x->plan->step_count; i++) {
        task *t = &x->steps[i].whole;
        if (ctn_x_has_undo(x, t) && ctn_x_fate_is_unknown(t) && !CTN_PLANT(UNDO_SKIPPED_WHEN_UNKNOWN))
            queue_doubtful(x, t, at_ms);
    }
    for (uint32_t i = 0; i < x->undo.doubtful.count; i++)
        queue_doubtful(x, x->undo.doubtful.items[i], at_ms);
    for (uint32_t i = x->undo.completed.count; i-- > 0;)
        ctn_x_list_add(x, &x->undo.queue,
                       x->undo.completed.items[CTN_PLANT(COMPENSATION_FORWARD) ? x->undo.completed.count - 1 - i : i]);
}

/* Passes by what is undone, or turned out never to have happened. */
static void advance_undo(ctn_execution *x)
{
    for (; x->undo.cursor < x->undo.queue.count; x->undo.cursor++) {
        task *t = x->undo.queue.items[x->undo.cursor];
        work *w = &t->work[CTN_ROLE_DO];
        const work *undo = &t->work[CTN_ROLE_UNDO];
        if (undo->phase == WORK_DONE || undo->phase == WORK_FAILED)
            continue;
        if (undo->phase != WORK_NONE || !t->undo_outcome_unknown)
            return;
        bool is_certain = !t->was_in_doubt, has_happened = false;
        for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
            const call_state *c = &w->calls[i];
            if (ctn_x_wants_check(w, c))
                return;
            is_certain = is_certain && c->phase != CALL_UNKNOWN;
            has_happened = has_happened || c->phase == CALL_SETTLED_TRUE ||
                           (c->phase == CALL_DONE && c->effect >= CTN_EFFECT_IDEMPOTENT);
        }
        if (is_certain && !has_happened)
            continue;
        if (is_certain && t->variables) /* it did happen, and its result was taken: that is what there is to undo */
            t->undo_outcome_unknown = false;
        return;
    }
}

void ctn_x_stop_goes_on(ctn_execution *x, int64_t at_ms)
{
    if (!x->is_stopping || x->active_count > 0 || x->has_ended)
        return;
    if (!x->is_undoing)
        build_undo(x, at_ms);
    advance_undo(x);
}
