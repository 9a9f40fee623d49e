/*
 * execution_next.c -- what follows by itself: judged from the state, the time and the rules alone.
 *
 * Order within one execution: the deadline first, then the works that are active, then the end of the whole. Each
 * call returns one entry; the caller applies it and asks again, so every entry is judged on the state that the
 * one before it left.
 */
#include "core/execution_judge.h"

#include <assert.h>

/* ---- one work ---- */

/* Nobody can be asked by machine what became of the call: the step's word, or the engine's, or a person's. */
static ctn_entry decide_unknown(const judge *j, const work *w, uint32_t call)
{
    const call_state *c = &w->calls[call];
    ctn_on_interrupted policy = w->task->plan->on_interrupted;
    if (policy == CTN_ON_INTERRUPTED_DEFAULT)
        policy = j->rules->retry_interrupted ? CTN_ON_INTERRUPTED_RETRY : CTN_ON_INTERRUPTED_ASK;
    if (policy == CTN_ON_INTERRUPTED_ASK) {
        ctn_json_builder b = ctn_x_body_of_either(j, w, call);
        ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(c->failure)));
        ctn_json_put_str(&b, "message", c->message);
        return ctn_x_entry(j, CTN_ENTRY_INTERRUPTED, w, w->attempt, &b);
    }
    failure_report report = {.failure = c->failure, .message = c->message, .was_sent = true};
    report.is_final = policy == CTN_ON_INTERRUPTED_FAIL;
    report.again = c->died && !report.is_final; /* plain at-least-once; deaths are bounded by themselves */
    return ctn_x_fail(j, w, call, &report);
}

/* A check whose own arguments cannot be rendered cannot tell anything. */
static bool end_unaskable_check(const judge *j, const work *w, uint32_t call, ctn_entry *ret_entry)
{
    const ctn_json *args = NULL;
    ctn_err err = {0};
    if (ctn_x_render_check(j, w, call, &args, &err) == CTN_FAILURE_NONE)
        return false; /* the check is owed; its answer comes from outside */
    ctn_json_builder b = ctn_x_body_of_either(j, w, call);
    ctn_json_put(&b, CTN_STR("happened"), NULL);
    ctn_json_put_bool(&b, "over", true);
    ctn_json_put_str(&b, "message", ctn_arena_printf(j->scratch, "check: %s", err.message));
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_CHECKED, w, w->attempt, &b);
    return true;
}

static bool next_of_running(const judge *j, const work *w, ctn_entry *ret_entry)
{
    bool is_stopping = j->x->is_stopping && w->role == CTN_ROLE_DO;
    bool any_open = false, any_failed = false;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        switch (c->phase) {
        case CALL_RUNNING:
            if (is_stopping && j->now_ms >= ctn_x_given_up_at_ms(j)) {
                failure_report report = {.failure = CTN_FAILURE_CANCELLED,
                                         .was_sent = true,
                                         .sent_at_ms = j->now_ms,
                                         .is_final = true,
                                         .message = CTN_STR("given up while the chain was stopping")};
                *ret_entry = ctn_x_fail(j, w, i, &report);
                return true;
            }
            any_open = true;
            break;
        case CALL_SETTLED_TRUE: *ret_entry = ctn_x_succeed(j, w, i, c->result, NULL, false); return true;
        case CALL_SETTLED_FALSE: {
            failure_report report = {.failure = c->failure ? c->failure : CTN_FAILURE_INTERRUPTED,
                                     .message = c->message,
                                     .died = c->died,
                                     .again = c->retry_is_due,
                                     .is_final = c->fail_is_final};
            *ret_entry = ctn_x_fail(j, w, i, &report);
            return true;
        }
        case CALL_UNKNOWN:
            if (is_stopping)
                break; /* the compensation asks */
            if (!ctn_x_wants_check(w, c)) {
                *ret_entry = decide_unknown(j, w, i);
                return true;
            }
            if (end_unaskable_check(j, w, i, ret_entry))
                return true;
            any_open = true;
            break;
        case CALL_WAITING:
        case CALL_ASKED: any_open = any_open || !is_stopping; break;
        case CALL_FAILED: any_failed = true; break;
        case CALL_IDLE:
        case CALL_DONE:
        case CALL_LET_GO: break;
        }
    }
    bool at_once = w->task->plan->parallel_calls;
    if (!is_stopping && !j->x->is_paused && (at_once || !any_failed)) {
        uint32_t call = ctn_x_startable_call(w);
        if (call < ctn_x_call_count(w)) /* one that must wait holds the attempt open */
            return ctn_x_start_call(j, w, call, ret_entry);
    }
    if (any_open || (!any_failed && !is_stopping))
        return false;
    *ret_entry = ctn_x_fail_attempt(j, w);
    return true;
}

static ctn_entry take_fallback(const judge *j, const work *w)
{
    const ctn_plan_step *p = w->task->plan;
    const ctn_plan_set *set = p->fallbacks[w->fallback].set;
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_int(&b, "fallback", w->fallback + 1);
    if (set)
        ctn_json_put_str(&b, "instructionSet", set->name);
    ctn_json_put_str(&b, "after", ctn_str_from(ctn_failure_name(w->failure)));
    return ctn_x_entry(j, CTN_ENTRY_FALLBACK_TAKEN, w, w->attempt, &b);
}

static bool next_of_work(const judge *j, const work *w, ctn_entry *ret_entry)
{
    bool is_held = j->x->is_paused || (w->task->item >= 0 && ctn_x_each_is_full(j, w));
    switch (w->phase) {
    case WORK_READY:
        if (is_held)
            return false;
        return w->attempt || w->fallback ? ctn_x_start_work(j, w, ret_entry) : ctn_x_start_step(j, w, ret_entry);
    case WORK_BACKOFF:
        if (j->x->is_paused || j->now_ms < w->due_ms)
            return false;
        return ctn_x_start_work(j, w, ret_entry);
    case WORK_FALLBACK:
        if (j->x->is_paused)
            return false;
        *ret_entry = take_fallback(j, w);
        return true;
    case WORK_EACH: return ctn_x_next_of_each(j, w, ret_entry);
    case WORK_RUNNING: return next_of_running(j, w, ret_entry);
    case WORK_WAITING:
        if (j->x->is_paused || w->due_ms == 0 || j->now_ms < w->due_ms)
            return false;
        *ret_entry = ctn_x_end_wait(j, w);
        return true;
    case WORK_ANSWERED: *ret_entry = ctn_x_end_wait(j, w); return true;
    case WORK_CHILD: /* its end comes from outside; when its time is over it is told to stop, and its end is awaited */
    case WORK_NONE:
    case WORK_ASKED:
    case WORK_DONE:
    case WORK_SKIPPED:
    case WORK_FAILED:
    case WORK_DROPPED: return false;
    }
    return false;
}

/* ---- the end ---- */

static bool left_a_write(const ctn_execution *x, const step_state *st)
{
    const task *t = &st->whole;
    if (st->each)
        return st->each->had_write;
    return (t->had_write || ctn_x_had_write(&t->work[CTN_ROLE_DO])) && !ctn_x_has_undo(x, t);
}

static const ctn_json *final_error(const judge *j, bool *ret_left_undone)
{
    ctn_json_builder left = ctn_json_array(j->scratch), not_undone = ctn_json_array(j->scratch);
    for (uint32_t i = 0; i < j->x->plan->step_count; i++) {
        const step_state *st = &j->x->steps[i];
        const ctn_json *name = ctn_json_string(j->scratch, j->x->plan->steps[i].name);
        if (st->whole.undo_failed || (st->each && st->each->undo_failed))
            ctn_json_push(&left, name);
        else if (left_a_write(j->x, st))
            ctn_json_push(&not_undone, name);
    }
    const ctn_json *left_undone = ctn_json_finish(&left), *writes = ctn_json_finish(&not_undone);
    *ret_left_undone = ctn_json_count(left_undone) > 0;
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(j->x->stop.cause)));
    ctn_json_put_str(&b, "message", j->x->stop.message);
    if (j->x->stop.step.len)
        ctn_json_put_str(&b, "step", j->x->stop.step);
    if (j->x->stop.item >= 0)
        ctn_json_put_int(&b, "item", j->x->stop.item);
    if (*ret_left_undone)
        ctn_json_put(&b, CTN_STR("leftUndone"), left_undone);
    if (ctn_json_count(writes))
        ctn_json_put(&b, CTN_STR("notUndone"), writes);
    return ctn_json_finish(&b);
}

static ctn_entry end_stopped(const judge *j)
{
    bool left_undone = false;
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put(&b, CTN_STR("error"), final_error(j, &left_undone));
    ctn_entry_kind kind = CTN_ENTRY_FAILED;
    if (j->x->plan->is_rollback_enabled && j->x->is_started)
        kind = left_undone ? CTN_ENTRY_ROLLBACK_FAILED : CTN_ENTRY_ROLLED_BACK;
    else if (j->x->stop.cause == CTN_FAILURE_CANCELLED)
        kind = CTN_ENTRY_CANCELLED;
    return ctn_x_entry(j, kind, NULL, 0, &b);
}

static bool next_undo(const judge *j, ctn_entry *ret_entry)
{
    const undo_state *u = &j->x->undo;
    if (u->cursor == u->queue.count) {
        *ret_entry = end_stopped(j);
        return true;
    }
    if (j->x->is_paused)
        return false;
    const task *t = u->queue.items[u->cursor];
    const work *done = &t->work[CTN_ROLE_DO], *undo = &t->work[CTN_ROLE_UNDO];
    for (uint32_t i = 0; t->undo_outcome_unknown && i < ctn_x_call_count(done); i++)
        if (ctn_x_wants_check(done, &done->calls[i]))
            return end_unaskable_check(j, done, i, ret_entry);
    if (ctn_x_is_undone_by_child(t)) {
        ctn_json_builder b = ctn_json_object(j->scratch);
        ctn_json_put_str(&b, "child", ctn_arena_str(j->scratch, ctn_str_from(ctn_id_to_text(t->child).text)));
        *ret_entry = ctn_x_entry(j, CTN_ENTRY_COMPENSATION_STARTED, undo, 1, &b);
        return true;
    }
    assert(t->plan->undo->kind == CTN_SET_CALLS); /* of any other kind it is in plan->unsupported, and not run */
    return ctn_x_start_call(j, undo, 0, ret_entry);
}

static ctn_entry end_forward(const judge *j)
{
    assert(j->x->ended_count == j->x->plan->step_count);
    const ctn_json *outputs = NULL;
    ctn_err err = {0};
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_failure failure = ctn_x_outputs(j, &outputs, &err);
    if (failure) { /* the steps went well, what the chain promised cannot be had: as a failed step */
        ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(failure)));
        ctn_json_put_str(&b, "message", ctn_arena_str(j->scratch, ctn_str_from(err.message)));
        return ctn_x_entry(j, CTN_ENTRY_CANCEL_REQUESTED, NULL, 0, &b);
    }
    ctn_json_put(&b, CTN_STR("outputs"), outputs);
    return ctn_x_entry(j, CTN_ENTRY_COMPLETED, NULL, 0, &b);
}

bool ctn_execution_next(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch, ctn_entry *ret_entry)
{
    const judge now = {
        .x = x, .rules = rules, .now_ms = now_ms, .entropy = entropy, .actor = CTN_STR("engine"), .scratch = scratch};
    const judge *j = &now;
    if (x->has_ended)
        return false;
    if (!x->is_started)
        return x->is_stopping ? next_undo(j, ret_entry) : false;
    if (ctn_x_deadline_ms(x) && now_ms >= ctn_x_deadline_ms(x)) {
        ctn_json_builder b = ctn_json_object(scratch);
        ctn_json_put_str(&b, "code", CTN_STR("timeout"));
        ctn_json_put_str(
            &b, "message",
            ctn_arena_printf(scratch, "the chain's timeoutMs of %lld is over", (long long) x->plan->timeout_ms));
        *ret_entry = ctn_x_entry(j, CTN_ENTRY_CANCEL_REQUESTED, NULL, 0, &b);
        return true;
    }
    for (uint32_t i = 0; i < x->active_count; i++)
        if (next_of_work(j, x->active[i], ret_entry))
            return true;
    if (x->active_count > 0)
        return false;
    if (x->is_stopping)
        return next_undo(j, ret_entry);
    *ret_entry = end_forward(j);
    return true;
}
