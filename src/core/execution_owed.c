/*
 * execution_owed.c -- what the world is owed: calls, checks, sub-chains, a time to come back.
 *
 * All of it is read from the state, and nothing remembers that it was asked for.
 */
#include "core/execution_judge.h"

#define CHECK_TIMEOUT_MS 30000
#define UNDO_TIMEOUT_MS  60000 /* unless the set or its call says otherwise */

/* The step's own word, the call's, what holds for its kind. The step's word is about its work, not about its undo. */
static int64_t timeout_of(const work *w, const ctn_plan_call *call)
{
    const ctn_plan_step *p = w->task->plan;
    if (w->role == CTN_ROLE_UNDO)
        return call->timeout_ms ? call->timeout_ms : UNDO_TIMEOUT_MS;
    return p->timeout_ms ? p->timeout_ms : call->timeout_ms ? call->timeout_ms : w->set->timeout_ms;
}

typedef struct owing {
    const judge *j;
    ctn_owed *owed;
    size_t call_capacity, child_capacity;
} owing;

/* What is left of it after what was used up before its peer asked. */
static int64_t timeout_left(const work *w, const call_state *c, const ctn_plan_call *call)
{
    int64_t timeout_ms = timeout_of(w, call);
    if (!timeout_ms || !c->spent_ms)
        return timeout_ms;
    return timeout_ms > c->spent_ms ? timeout_ms - c->spent_ms : 1;
}

static void owe_call(owing *o, const work *w, uint32_t call, bool is_check)
{
    const call_state *c = &w->calls[call];
    const ctn_json *args = c->args;
    if (is_check) {
        ctn_err err = {0};
        if (ctn_x_render_check(o->j, w, call, &args, &err))
            args = NULL; /* the driver is not asked: next() takes it as a check that cannot tell */
    }
    if (!args)
        return;
    ctn_owed *owed = o->owed;
    owed->calls = ctn_arena_room(o->j->scratch, owed->calls, owed->count, &o->call_capacity, sizeof *owed->calls);
    const task *t = w->task;
    const ctn_plan_call *pc = is_check ? w->set->check : &w->set->calls[call];
    owed->calls[owed->count++] = (ctn_owed_call){
        .step = t->step,
        .item = t->item,
        .call = call,
        .role = w->role,
        .is_check = is_check,
        .attempt = w->attempt,
        .plan_call = pc,
        .set = w->set,
        .args = args,
        .key = ctn_x_key(o->j->x, w, call, o->j->scratch),
        .continuation = is_check ? NULL : c->continuation,
        .is_accepted = !is_check && c->is_accepted,
        .answers = is_check ? NULL : c->answers,
        .timeout_ms = is_check ? CHECK_TIMEOUT_MS : timeout_left(w, c, pc),
        .idle_timeout_ms = is_check || w->role == CTN_ROLE_UNDO ? 0 : t->plan->idle_timeout_ms,
        .effect = is_check ? CTN_EFFECT_READ : c->effect,
    };
}

static void wake_by(ctn_owed *owed, int64_t at_ms)
{
    if (at_ms > 0 && (owed->wake_at_ms == 0 || at_ms < owed->wake_at_ms))
        owed->wake_at_ms = at_ms;
}

static void owe_calls_of(owing *o, const work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        if (c->phase == CALL_RUNNING)
            owe_call(o, w, i, false);
        else if (ctn_x_wants_check(w, c) && c->check_due_ms <= o->j->now_ms)
            owe_call(o, w, i, true);
        else if (ctn_x_wants_check(w, c))
            wake_by(o->owed, c->check_due_ms);
    }
}

static bool is_over_time(const work *w, int64_t now_ms)
{
    return w->due_ms && now_ms >= w->due_ms;
}

/* The child follows its parent: it runs, pauses, is stopped, is undone. */
static void owe_child(owing *o, const work *w)
{
    const task *t = w->task;
    ctn_owed *owed = o->owed;
    owed->children =
        ctn_arena_room(o->j->scratch, owed->children, owed->child_count, &o->child_capacity, sizeof *owed->children);
    owed->children[owed->child_count++] = (ctn_owed_child){
        .step = t->step,
        .item = t->item,
        .role = w->role,
        .attempt = w->attempt,
        .child = t->child,
        .chain = w->role == CTN_ROLE_DO ? w->set->chain : (ctn_str){0},
        .input = t->child_input,
        .wanted = w->role == CTN_ROLE_UNDO                                ? CTN_CHILD_UNDO
                  : o->j->x->is_stopping || is_over_time(w, o->j->now_ms) ? CTN_CHILD_CANCEL
                  : o->j->x->is_paused                                    ? CTN_CHILD_PAUSE
                                                                          : CTN_CHILD_RUN,
    };
}

/* A back-off that is over and would go on, if it were not for a place, a breaker, an equal call in flight, the budget:
 * whoever holds it back tells when that is over. */
static bool is_held(owing *o, const work *w)
{
    if (o->j->x->budget.is_awaited)
        return true;
    if (w->due_ms > o->j->now_ms || (!o->j->rules->gate && !o->j->rules->cached))
        return false;
    ctn_entry entry;
    return !ctn_x_start_work(o->j, w, &entry);
}

void ctn_execution_owed(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, ctn_arena *scratch,
                        ctn_owed *ret_owed)
{
    *ret_owed = (ctn_owed){0};
    if (x->has_ended || !x->is_started)
        return;
    const judge j = {.x = x, .rules = rules, .now_ms = now_ms, .actor = CTN_STR("engine"), .scratch = scratch};
    owing o = {.j = &j, .owed = ret_owed};
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = x->active[i];
        if (w->phase == WORK_RUNNING)
            owe_calls_of(&o, w);
        else if (w->phase == WORK_CHILD)
            owe_child(&o, w);
        bool is_timed = w->phase == WORK_WAITING || (w->phase == WORK_CHILD && !is_over_time(w, now_ms)) ||
                        (w->phase == WORK_BACKOFF && !is_held(&o, w));
        if (is_timed && !x->is_paused)
            wake_by(ret_owed, w->due_ms);
    }
    /* While undoing, the task whose turn it is may first be asked whether it happened at all. */
    if (x->is_undoing && x->undo.cursor < x->undo.queue.count && x->active_count == 0 && !x->is_paused)
        owe_calls_of(&o, &x->undo.queue.items[x->undo.cursor]->work[CTN_ROLE_DO]);
    if (x->is_stopping && x->active_count > 0 && !x->is_undoing && ctn_x_given_up_at_ms(&j) > now_ms)
        wake_by(ret_owed, ctn_x_given_up_at_ms(&j)); /* then only a sub-chain may be awaited, which tells its end */
    wake_by(ret_owed, ctn_x_deadline_ms(x));
}
