/*
 * execution_apply.c -- the kinds of entries: what each needs of the state, and what it changes.
 *
 * Every choice is in the entry; what is judged here is only whether the state allows it, before anything is changed.
 *
 * A replay differs from the live run in one thing only: starts of repeatable calls were never stored, so the end of an
 * attempt may meet a step that is still ready, backing off or waiting. The attempt's number counts, not the phase.
 */
#include "core/execution_fold.h"

#include "base/plant.h"

static ctn_str text_of(const ctn_entry *e, const char *key)
{
    return ctn_json_str_or(e->body, key, CTN_STR(""));
}

/* The call that the entry names; NULL: none. */
static call_state *call_of(work *w, const ctn_entry *e)
{
    const ctn_json *name = ctn_x_get(e, "call");
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->set->is_several ? ctn_str_equal(w->set->calls[i].name, ctn_json_text(name)) : i == 0)
            return &w->calls[i];
    return NULL;
}

static call_state *first_open_call(work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->calls[i].phase != CALL_DONE)
            return &w->calls[i];
    return NULL;
}

static bool may_begin(const work *w)
{
    return w->phase == WORK_READY || w->phase == WORK_BACKOFF;
}

/* ... with a call: of an attempt under way too, and of an undo whose turn has come. */
static bool call_may_begin(const work *w)
{
    return may_begin(w) || w->phase == WORK_RUNNING || (w->role == CTN_ROLE_UNDO && w->phase == WORK_NONE);
}

/* The whole of a foreach. */
static bool is_each(const work *w)
{
    return w->task->plan->foreach && w->task->item < 0;
}

/* ---- a work begins ---- */

static void note_start(work *w, int64_t at_ms)
{
    if (!w->first_at_ms)
        w->first_at_ms = at_ms;
}

/* Of a start that was not recorded the best that is known is when the step was ready. */
static void note_unseen_start(work *w)
{
    note_start(w, w->ready_at_ms);
}

static int apply_skipped(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    if (w->task->item >= 0)
        return ctn_x_refuse(err, e, "an item is not skipped");
    if (w->phase != WORK_READY)
        return ctn_x_refuse(err, e, "the step had begun");
    w->phase = WORK_SKIPPED;
    w->ended_at_ms = e->at_ms;
    ctn_x_deactivate(x, w);
    ctn_x_step_ended(x, w->task->step, e->at_ms);
    return CTN_OK;
}

static int apply_foreach_started(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    if (!is_each(w) || w->phase != WORK_READY)
        return ctn_x_refuse(err, e, "it is no foreach that could begin");
    int rc = ctn_x_each_start(x, w, e, err);
    if (rc)
        return rc;
    note_start(w, e->at_ms);
    w->attempt = 1;
    w->phase = WORK_EACH;
    x->turns += ctn_json_int_or(e->body, "count", 0) - 1;
    ctn_x_fill_each(x, w->task->step, e->at_ms);
    return CTN_OK;
}

static int apply_started(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    bool is_undo = w->role == CTN_ROLE_UNDO, is_child = is_undo && !w->set; /* the undoing of a sub-chain */
    call_state *c = call_of(w, e);
    if (is_child && w->phase != WORK_NONE)
        return ctn_x_refuse(err, e, "the child was undone before");
    if (!is_child && !c)
        return ctn_x_refuse(err, e, "it names no call");
    if (!is_child && !call_may_begin(w))
        return ctn_x_refuse(err, e, "the work could not begin");
    task *t = w->task;
    ctn_x_begin_attempt(w, e->attempt);
    ctn_x_activate(x, w);
    if (!is_undo)
        note_start(w, e->at_ms);
    if (!is_undo && e->seq && !t->start_order)
        t->start_order = ++x->starts;
    if (is_child) {
        w->phase = WORK_CHILD;
        return CTN_OK;
    }
    w->phase = WORK_RUNNING;
    c->phase = CALL_RUNNING;
    if (!is_undo)
        ctn_x_budget_begin(x, c, ctn_x_get(e, "reserved") ? ctn_json_copy(t->arena, ctn_x_get(e, "reserved")) : NULL);
    c->start_is_stored = e->seq != 0 || c->continuation;
    c->started_at_ms = e->at_ms;
    c->effect = CTN_EFFECT_WRITE;
    (void) ctn_effect_from_name(text_of(e, "effect"), &c->effect);
    c->cache_key = ctn_arena_str(t->arena, text_of(e, "cacheKey"));
    if (!c->args)
        c->args = ctn_json_copy(t->arena, ctn_x_get(e, "args"));
    return CTN_OK;
}

static int apply_child_started(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    if (!w->set || w->set->kind != CTN_SET_CHAIN || !may_begin(w))
        return ctn_x_refuse(err, e, "no sub-chain could begin");
    task *t = w->task;
    ctn_x_begin_attempt(w, e->attempt);
    note_start(w, e->at_ms);
    if (!t->start_order)
        t->start_order = ++x->starts;
    x->children += w->role == CTN_ROLE_DO;
    w->phase = WORK_CHILD;
    w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
    (void) ctn_id_parse(text_of(e, "child"), &t->child, NULL);
    t->child_input = ctn_json_copy(t->arena, ctn_x_get(e, "args"));
    return CTN_OK;
}

static int apply_breaker_wait(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    if (!call_may_begin(w))
        return ctn_x_refuse(err, e, "the work could not begin");
    w->phase = WORK_BACKOFF;
    w->breaker_is_noted = true;
    w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
    ctn_x_activate(x, w);
    return CTN_OK;
}

/* A call that goes on by what its peer said. Of one whose start was not recorded the entry says what it is. */
static int call_goes_on(ctn_execution *x, work *w, call_state *c, const ctn_entry *e, ctn_err *err)
{
    if (!c || !(call_may_begin(w) || w->phase == WORK_RUNNING))
        return ctn_x_refuse(err, e, "no such call was under way");
    if (e->attempt == w->attempt && c->phase != CALL_RUNNING && c->phase != CALL_IDLE && !x->is_hidden)
        return ctn_x_refuse(err, e, "the call was not under way");
    ctn_arena *arena = w->task->arena;
    ctn_x_begin_attempt(w, e->attempt);
    ctn_x_activate(x, w);
    w->phase = WORK_RUNNING;
    w->deaths = 0;
    if (w->role == CTN_ROLE_DO)
        note_unseen_start(w);
    if (!c->args)
        c->args = ctn_json_copy(arena, ctn_x_get(e, "args"));
    c->effect = CTN_EFFECT_WRITE;
    (void) ctn_effect_from_name(text_of(e, "effect"), &c->effect);
    c->start_is_stored = true; /* this entry is as good */
    c->continuation = ctn_json_copy(arena, ctn_x_get(e, "continuation"));
    c->answers = NULL;
    return CTN_OK;
}

static int apply_accepted(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = call_of(w, e);
    bool is_unseen = !c || c->phase != CALL_RUNNING || e->attempt != w->attempt;
    int rc = call_goes_on(x, w, c, e, err);
    if (rc)
        return rc;
    if (is_unseen && w->role == CTN_ROLE_DO)
        ctn_x_budget_begin(x, c, NULL);
    c->phase = CALL_RUNNING;
    c->is_accepted = true;
    return CTN_OK;
}

static int apply_asked(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = call_of(w, e);
    call_phase before = c ? c->phase : CALL_IDLE;
    const ctn_json *asks = ctn_x_get(e, "asks");
    bool is_at_once = ctn_x_says(e, "atOnce");
    if (!is_at_once && !ctn_json_count(asks) && !e->is_hidden)
        return ctn_x_refuse(err, e, "it asks nothing");
    int rc = call_goes_on(x, w, c, e, err);
    if (rc)
        return rc;
    if (w->role == CTN_ROLE_DO) {
        c->phase = before;
        ctn_x_budget_settle(x, c, ctn_x_get(e, "used"));
    }
    c->rounds++;
    c->spent_ms = ctn_json_int_or(e->body, "spentMs", c->spent_ms);
    c->phase = is_at_once ? CALL_IDLE : CALL_WAITING;
    ctn_json_builder b = ctn_json_object(w->task->arena);
    ctn_json_put_str(&b, "for", CTN_STR("input"));
    if (ctn_x_get(e, "call"))
        ctn_json_put(&b, CTN_STR("call"), ctn_x_get(e, "call"));
    ctn_json_put(&b, CTN_STR("asks"), asks);
    c->asked = c->asked_shown = ctn_json_copy(w->task->arena, ctn_json_finish(&b));
    if (ctn_sensitive_step(x->sensitivity, w->task->step))
        c->asked_shown = ctn_json_with(w->task->arena, c->asked, CTN_STR("/asks"), &ctn_sealed_json);
    return CTN_OK;
}

static int apply_waiting(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    if (!w->set || w->calls || is_each(w) || !may_begin(w))
        return ctn_x_refuse(err, e, "the step could not begin to wait");
    ctn_arena *arena = w->task->arena;
    ctn_x_begin_attempt(w, e->attempt);
    note_start(w, e->at_ms);
    w->phase = WORK_WAITING;
    w->due_ms = ctn_json_int_or(e->body, "untilMs", 0);
    w->expires = ctn_x_says(e, "expires");
    w->asked = w->asked_shown = ctn_json_copy(arena, e->body);
    if (x->sensitivity) {
        ctn_places places = ctn_sensitive_places(x->sensitivity, e, arena);
        w->asked_shown = ctn_places_hide(arena, w->asked, &places);
    }
    w->message = ctn_json_str_or(w->asked, "message", CTN_STR(""));
    return CTN_OK;
}

static int apply_answered(work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = w->phase == WORK_RUNNING ? call_of(w, e) : NULL;
    if (c && c->phase == CALL_WAITING) {
        c->phase = CALL_IDLE;
        c->answers = ctn_json_copy(w->task->arena, ctn_x_get(e, "answer"));
        w->deaths = 0;
        return CTN_OK;
    }
    if (w->phase != WORK_WAITING)
        return ctn_x_refuse(err, e, "the step did not wait");
    w->phase = WORK_ANSWERED;
    w->answer = ctn_json_copy(w->task->arena, ctn_x_get(e, "answer"));
    w->answered_by = ctn_arena_str(w->task->arena, e->actor);
    w->due_ms = e->at_ms;
    return CTN_OK;
}

/* ---- a work goes well ---- */

static void call_succeeded(ctn_execution *x, work *w, call_state *c, const ctn_entry *e)
{
    c->phase = CALL_DONE;
    c->is_cached = e->kind == CTN_ENTRY_CACHE_HIT;
    c->may_have_happened = false;
    c->args = NULL;
    c->result = NULL; /* of a single call its variables are kept */
    if (w->set->is_several)
        c->result = ctn_x_get(e, "result") ? ctn_json_copy(w->task->arena, ctn_x_get(e, "result")) : &ctn_json_null;
    ctn_x_hold_result(x, c);
    ctn_effect effect;
    if (!c->start_is_stored && ctn_effect_from_name(text_of(e, "effect"), &effect))
        c->effect = effect;
}

static int apply_succeeded(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    bool is_do = w->role == CTN_ROLE_DO;
    call_state *c = call_of(w, e);
    if (w->calls || e->kind == CTN_ENTRY_CACHE_HIT) {
        if (!c)
            return ctn_x_refuse(err, e, "it names no call");
    } else if (is_do && is_each(w)) {
        if (w->phase != WORK_EACH)
            return ctn_x_refuse(err, e, "its items are not under way");
        ctn_x_each_completed(x, w, e->at_ms);
        return CTN_OK;
    } else if (w->phase != WORK_WAITING && w->phase != WORK_ANSWERED && w->phase != WORK_CHILD &&
               (w->set || w->phase != WORK_READY)) { /* without a set it is a fallback's value */
        return ctn_x_refuse(err, e, "the step did not wait");
    }
    ctn_x_begin_attempt(w, e->attempt);
    if (c && is_do && e->kind != CTN_ENTRY_CACHE_HIT && (ctn_x_get(e, "used") || c->reserved))
        ctn_x_budget_settle(x, c, ctn_x_get(e, "used"));
    w->phase = WORK_RUNNING;
    w->deaths = 0;
    if (is_do)
        note_unseen_start(w);
    if (c)
        call_succeeded(x, w, c, e);
    bool is_complete =
        is_do ? ctn_x_get(e, "variables") != NULL : !c || ctn_x_call_is_last(w, (uint32_t) (c - w->calls));
    if (!is_complete)
        return CTN_OK;
    w->phase = WORK_DONE;
    w->ended_at_ms = e->at_ms;
    w->failure = CTN_FAILURE_NONE;
    ctn_x_deactivate(x, w);
    if (is_do)
        ctn_x_task_completed(x, w, ctn_x_get(e, "variables"), e->at_ms);
    return CTN_OK;
}

/* ---- a work goes badly ---- */

static void task_failed(ctn_execution *x, work *w, const ctn_entry *e)
{
    task *t = w->task;
    bool goes_on = t->plan->continue_on_error && !x->is_stopping;
    if (!goes_on)
        ctn_x_begin_stopping(x, e->at_ms, w->failure, w->message, t->plan->name, t->item);
    if (t->item >= 0) {
        ctn_x_item_ended(x, t, NULL, e->at_ms);
        return;
    }
    if (!goes_on)
        return;
    x->steps[t->step].continued = true;
    ctn_x_set_null(x, t->step);
    ctn_x_step_ended(x, t->step, e->at_ms);
}

static void call_failed(const work *w, call_state *c, const ctn_entry *e)
{
    c->phase = CALL_FAILED;
    c->failure = w->failure;
    c->message = w->message;
    c->retry_after_ms = ctn_json_int_or(e->body, "retryAfterMs", 0);
    c->retry_is_due = ctn_x_says(e, "free");
    c->died = ctn_x_says(e, "died");
    c->fail_is_final = ctn_x_says(e, "noRetry");
    c->may_have_happened = c->may_have_happened || ctn_x_says(e, "mayHaveHappened");
    c->settle_at_ms = ctn_json_int_or(e->body, "settleAtMs", c->settle_at_ms);
}

/* What comes of the failure: to find out whether it happened, another try, another set, the other calls of the attempt
 * -- or it was the last. */
static void follow_failure(ctn_execution *x, work *w, call_state *c, const ctn_entry *e)
{
    bool is_do = w->role == CTN_ROLE_DO;
    task *t = w->task;
    if (ctn_x_says(e, "unknown")) {
        c->phase = CALL_UNKNOWN;
        c->may_have_happened = true;
        c->check_due_ms = e->at_ms;
        ctn_x_activate(x, w);
        if (x->is_stopping && is_do)
            ctn_x_stop_work(x, w, e->at_ms);
    } else if (ctn_x_get(e, "dueMs")) {
        w->phase = WORK_BACKOFF;
        w->due_ms = ctn_json_int_or(e->body, "dueMs", 0);
        w->death_retry_used = w->death_retry_used || ctn_x_says(e, "died");
        w->retries_used += !ctn_x_says(e, "free");
        ctn_x_activate(x, w);
    } else if (ctn_x_get(e, "fallback")) {
        w->phase = WORK_FALLBACK;
        ctn_x_activate(x, w);
    } else if (!ctn_x_says(e, "final")) {
        ctn_x_activate(x, w);
    } else {
        w->phase = WORK_FAILED;
        w->ended_at_ms = e->at_ms;
        ctn_x_deactivate(x, w);
        ctn_x_release_results(x, w);
        if (is_do)
            task_failed(x, w, e);
        else
            t->undo_failed = true;
        if (!is_do && t->item >= 0)
            x->steps[t->step].each->undo_failed = true;
    }
}

static int apply_failed(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    bool is_do = w->role == CTN_ROLE_DO;
    call_state *c = call_of(w, e);
    if (!c && (ctn_x_says(e, "unknown") || ctn_x_get(e, "call")))
        return ctn_x_refuse(err, e, "it names no call");
    if (w->set && w->set->is_several && !ctn_x_get(e, "call"))
        c = NULL; /* the verdict on the attempt as a whole */
    if (w->phase == WORK_EACH)
        ctn_x_drop_items(x, w->task->step);
    ctn_x_begin_attempt(w, e->attempt);
    if (!ctn_x_says(e, "free"))
        w->deaths = 0;
    w->phase = WORK_RUNNING;
    w->failure = ctn_failure_from_name(text_of(e, "code"));
    w->message = ctn_arena_str(w->task->arena, text_of(e, "message"));
    if (is_do)
        note_unseen_start(w);
    if (c && is_do && (ctn_x_get(e, "used") || c->reserved))
        ctn_x_budget_settle(x, c, ctn_x_get(e, "used"));
    if (c)
        call_failed(w, c, e);
    follow_failure(x, w, c, e);
    return CTN_OK;
}

/* Another set, or a value, does the step's work from here on. What an earlier set may have done is not forgotten. */
static int apply_fallback(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    task *t = w->task;
    int64_t n = ctn_json_int_or(e->body, "fallback", 0);
    if (w->phase != WORK_FALLBACK || n <= w->fallback || n > t->plan->fallback_count)
        return ctn_x_refuse(err, e, "there is no such fallback");
    t->was_in_doubt = ctn_x_fate_is_unknown(t);
    if (t->item >= 0 && ctn_x_had_write(w))
        x->steps[t->step].each->had_write = true;
    t->had_write = t->had_write || ctn_x_had_write(w);
    ctn_x_release_results(x, w);
    w->fallback = (uint32_t) n;
    ctn_x_work_init(w, t->plan->fallbacks[n - 1].set);
    w->phase = WORK_READY;
    w->ready_seq = x->seq;
    w->retries_used = w->deaths = 0;
    w->death_retry_used = false;
    return CTN_OK;
}

/* ---- what became of a call ---- */

static int apply_checked(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = call_of(w, e);
    if (!c || c->phase != CALL_UNKNOWN)
        return ctn_x_refuse(err, e, "nobody asked what became of the call");
    task *t = w->task;
    const ctn_json *happened = ctn_x_get(e, "happened");
    if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        c->phase = CALL_SETTLED_TRUE;
        c->may_have_happened = true;
        const ctn_json *result = ctn_x_get(e, "result"), *variables = ctn_x_get(e, "variables");
        c->result = result ? ctn_json_copy(t->arena, result) : &ctn_json_null;
        if (variables) { /* the chain is being undone: this is what there is to undo */
            t->variables = ctn_json_copy(t->arena, variables);
            if (t->item < 0)
                ctn_x_set_variables(x, t->variables, t->step);
        }
        return CTN_OK;
    }
    if (ctn_json_is(happened, CTN_JSON_NULL))
        c->checks_failed++;
    if (ctn_x_says(e, "over"))
        c->check_is_over = true;
    else if (ctn_x_get(e, "againMs"))
        c->check_due_ms = ctn_json_int_or(e->body, "againMs", 0);
    else {
        c->phase = CALL_SETTLED_FALSE;
        c->may_have_happened = false;
    }
    return CTN_OK;
}

static int apply_interrupted(work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = call_of(w, e);
    if (w->phase == WORK_RUNNING && !c)
        return ctn_x_refuse(err, e, "it names no call");
    if (w->phase != WORK_RUNNING && !(may_begin(w) && w->calls))
        return ctn_x_refuse(err, e, "nothing was under way");
    w->failure = ctn_failure_from_name(text_of(e, "code"));
    w->message = ctn_arena_str(w->task->arena, text_of(e, "message"));
    if (w->phase == WORK_RUNNING)
        c->phase = CALL_ASKED;
    else
        w->phase = WORK_ASKED;
    return CTN_OK;
}

/* A person said what became of an interrupted call. */
static int apply_settled(work *w, const ctn_entry *e, ctn_err *err)
{
    call_state *c = w->phase == WORK_ASKED ? first_open_call(w) : call_of(w, e);
    if (!c || (w->phase != WORK_ASKED && !(w->phase == WORK_RUNNING && c->phase == CALL_ASKED)))
        return ctn_x_refuse(err, e, "nobody was asked");
    ctn_str what = text_of(e, "what");
    w->deaths = 0;
    if (w->phase == WORK_ASKED && ctn_str_is(what, "retry")) {
        w->phase = w->attempt ? WORK_BACKOFF : WORK_READY;
        w->due_ms = e->at_ms;
        return CTN_OK;
    }
    if (w->phase == WORK_ASKED) {
        ctn_x_begin_attempt(w, w->attempt + 1);
        c->failure = w->failure;
        c->message = w->message;
    }
    w->phase = WORK_RUNNING;
    if (ctn_str_is(what, "succeed")) {
        c->phase = CALL_SETTLED_TRUE;
        const ctn_json *value = ctn_x_get(e, "value");
        c->result = value ? ctn_json_copy(w->task->arena, value) : &ctn_json_null;
        return CTN_OK;
    }
    c->phase = CALL_SETTLED_FALSE;
    c->retry_is_due = ctn_str_is(what, "retry");
    c->fail_is_final = !c->retry_is_due;
    c->may_have_happened = !ctn_x_says(e, "notHappened");
    return CTN_OK;
}

/* ---- entries about the execution ---- */

static void apply_budget_wait(ctn_execution *x, const ctn_entry *e)
{
    x->budget.is_awaited = true;
    x->budget.asked = ctn_json_copy(x->arena, e->body);
}

/* Calls that are not under way are rendered anew from the changed context, unless their arguments were recorded. */
static void apply_set(ctn_execution *x, const ctn_entry *e)
{
    ctn_x_set_by_hand(x, ctn_json_copy(x->arena, ctn_x_get(e, "variables")));
    for (uint32_t i = 0; i < x->active_count; i++) {
        work *w = x->active[i];
        for (uint32_t c = 0; c < ctn_x_call_count(w); c++)
            if (w->calls[c].phase != CALL_RUNNING && !w->calls[c].start_is_stored)
                w->calls[c].args = NULL;
    }
}

/* A person granted the budget once more, or set a variable. */
static int apply_decision(ctn_execution *x, const ctn_entry *e, ctn_err *err)
{
    if (ctn_x_get(e, "variables")) {
        apply_set(x, e);
        return CTN_OK;
    }
    if (!x->budget.is_awaited)
        return ctn_x_refuse(err, e, "nobody was asked");
    x->budget.is_awaited = false;
    if (ctn_str_is(text_of(e, "what"), "retry"))
        x->budget.grants++;
    else
        ctn_x_begin_stopping(x, e->at_ms, CTN_FAILURE_BUDGET,
                             ctn_json_str_or(x->budget.asked, "message", CTN_STR("the budget is used up")),
                             (ctn_str){0}, -1);
    return CTN_OK;
}

static void end_pause(ctn_execution *x, int64_t at_ms)
{
    if (x->is_paused)
        x->pause.total_ms += CTN_PLANT(PAUSE_COUNTS_AS_TIME) ? 0 : at_ms - x->pause.at_ms;
    x->is_paused = false;
}

static void apply_paused(ctn_execution *x, const ctn_entry *e)
{
    x->is_paused = true;
    x->pause.reason = ctn_arena_str(x->arena, text_of(e, "reason"));
    x->pause.is_with_parent = ctn_str_is(x->pause.reason, CTN_WITH_PARENT);
    x->pause.at_ms = e->at_ms;
    x->pause.seq = x->seq;
}

/* The only calls of it that are under way are their peers': the engine cannot have died of them. */
static bool is_with_its_peers(const work *w)
{
    bool any = false;
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++) {
        if (w->calls[i].phase == CALL_RUNNING && !w->calls[i].is_accepted)
            return false;
        any = any || w->calls[i].phase == CALL_RUNNING;
    }
    return any;
}

static void recover_work(ctn_execution *x, work *w, int64_t at_ms, bool was_crash, bool was_elsewhere)
{
    if (was_crash && !is_with_its_peers(w) && (w->phase == WORK_RUNNING || ctn_x_may_have_begun(x, w, at_ms)))
        w->deaths++;
    if (w->phase != WORK_RUNNING)
        return;
    bool may_arrive = was_elsewhere && w->set && !CTN_PLANT(PEERS_END_WITH_THE_NODE);
    int64_t settled_at_ms = at_ms + (may_arrive ? w->set->settle_ms : 0);
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        call_state *c = &w->calls[i];
        if (c->phase != CALL_RUNNING || c->is_accepted)
            continue;
        if (w->role == CTN_ROLE_DO)
            ctn_x_budget_lose(x, c);
        if (c->effect < CTN_EFFECT_WRITE) { /* an undo's start is recorded whatever its class: simply again */
            c->phase = CALL_IDLE;
            c->may_have_happened = c->may_have_happened || c->effect == CTN_EFFECT_IDEMPOTENT;
            c->settle_at_ms = settled_at_ms;
            continue;
        }
        /* On one machine its server was a child of the engine that died, and ended before anybody else owned the store
         * (store/lock.c): a "no" counts at once. Elsewhere it may be at it still. */
        c->phase = CALL_UNKNOWN;
        c->died = c->may_have_happened = true;
        c->check_due_ms = at_ms;
        c->settle_at_ms = settled_at_ms;
        c->failure = CTN_FAILURE_INTERRUPTED;
        c->message = CTN_STR("the engine ended while the call was under way");
    }
}

/* A pause is over, or another process goes on with what the last one left. */
static void apply_resumed(ctn_execution *x, const ctn_entry *e)
{
    ctn_str cause = ctn_json_str_or(e->body, "cause", CTN_STR("resume"));
    if (ctn_str_is(cause, "resume")) {
        end_pause(x, e->at_ms);
        return;
    }
    for (uint32_t i = 0; i < x->active_count; i++)
        recover_work(x, x->active[i], e->at_ms, ctn_str_is(cause, "crash"),
                     ctn_json_bool_or(e->body, "elsewhere", false));
    x->pause.seq = 0;
}

/* A completed sub-chain is undone with its parent: the one way out of a final status. */
static void reopen(ctn_execution *x)
{
    x->has_ended = false;
    x->was_reopened = true;
    x->end.at_ms = 0;
    x->end.outputs = x->end.outputs_shown = NULL;
}

static void apply_cancel(ctn_execution *x, const ctn_entry *e)
{
    if (x->has_ended)
        reopen(x);
    ctn_x_begin_stopping(x, e->at_ms, ctn_failure_from_name(text_of(e, "code")), text_of(e, "message"), (ctn_str){0},
                         -1);
    end_pause(x, e->at_ms); /* who cancels wants it to end: a pause from before holds nothing back */
}

static void apply_ended(ctn_execution *x, const ctn_entry *e, ctn_status status)
{
    const ctn_json *outputs = ctn_x_get(e, "outputs"), *error = ctn_x_get(e, "error");
    x->has_ended = true;
    x->end = (end_state){.status = status,
                         .at_ms = e->at_ms,
                         .outputs = outputs ? ctn_json_copy(x->arena, outputs) : NULL,
                         .error = error ? ctn_json_copy(x->arena, error) : NULL};
    x->end.outputs_shown = x->is_hidden ? x->end.outputs /* as the record shows them: "(shredded)" perhaps */
                                        : ctn_sensitive_hide_outputs(x->sensitivity, x->end.outputs, x->arena);
    x->end.error_shown = ctn_sensitive_hide_error(x->sensitivity, x->end.error, x->arena);
}

/* ---- any of them ---- */

int ctn_x_apply_kind(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err)
{
    switch (e->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED: ctn_x_apply_first(x, e); return CTN_OK;
    case CTN_ENTRY_STEP_SKIPPED: return apply_skipped(x, w, e, err);
    case CTN_ENTRY_FOREACH_STARTED: return apply_foreach_started(x, w, e, err);
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: return apply_started(x, w, e, err);
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: return apply_succeeded(x, w, e, err);
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: return apply_failed(x, w, e, err);
    case CTN_ENTRY_FALLBACK_TAKEN: return apply_fallback(x, w, e, err);
    case CTN_ENTRY_CHILD_STARTED: return apply_child_started(x, w, e, err);
    case CTN_ENTRY_BREAKER_WAIT: return apply_breaker_wait(x, w, e, err);
    case CTN_ENTRY_WAITING:
        if (w)
            return ctn_str_is(text_of(e, "for"), "input") ? apply_asked(x, w, e, err) : apply_waiting(x, w, e, err);
        apply_budget_wait(x, e);
        return CTN_OK;
    case CTN_ENTRY_ANSWERED: return apply_answered(w, e, err);
    case CTN_ENTRY_ACCEPTED: return apply_accepted(x, w, e, err);
    case CTN_ENTRY_CHECKED: return apply_checked(x, w, e, err);
    case CTN_ENTRY_INTERRUPTED: return apply_interrupted(w, e, err);
    case CTN_ENTRY_DECISION: return w ? apply_settled(w, e, err) : apply_decision(x, e, err);
    case CTN_ENTRY_CANCEL_REQUESTED: apply_cancel(x, e); return CTN_OK;
    case CTN_ENTRY_PAUSED: apply_paused(x, e); return CTN_OK;
    case CTN_ENTRY_RESUMED: apply_resumed(x, e); return CTN_OK;
    case CTN_ENTRY_COMPLETED: apply_ended(x, e, CTN_STATUS_COMPLETED); return CTN_OK;
    case CTN_ENTRY_FAILED: apply_ended(x, e, CTN_STATUS_FAILED); return CTN_OK;
    case CTN_ENTRY_ROLLED_BACK: apply_ended(x, e, CTN_STATUS_ROLLED_BACK); return CTN_OK;
    case CTN_ENTRY_ROLLBACK_FAILED: apply_ended(x, e, CTN_STATUS_ROLLBACK_FAILED); return CTN_OK;
    case CTN_ENTRY_CANCELLED: apply_ended(x, e, CTN_STATUS_CANCELLED); return CTN_OK;
    case CTN_ENTRY_KIND_COUNT: break;
    }
    return ctn_x_refuse(err, e, "this version knows no such entry");
}
