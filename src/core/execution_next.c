/*
 * execution_next.c -- what follows by itself: judged from the state, the time and the rules alone.
 *
 * Order within one execution: the deadline first, then the works that are active, then the end of the whole. Each
 * call returns one entry; the caller applies it and asks again, so every entry is judged on the state that the
 * one before it left.
 */
#include "value/calendar.h"
#include "core/execution_state.h"

#include "base/plant.h"
#include <assert.h>

/* ---- small things ---- */

ctn_entry_kind ctn_x_kind_started(ctn_role role)
{
    return role == CTN_ROLE_DO ? CTN_ENTRY_ATTEMPT_STARTED : CTN_ENTRY_COMPENSATION_STARTED;
}

ctn_entry_kind ctn_x_kind_succeeded(ctn_role role)
{
    return role == CTN_ROLE_DO ? CTN_ENTRY_ATTEMPT_SUCCEEDED : CTN_ENTRY_COMPENSATION_SUCCEEDED;
}

ctn_entry_kind ctn_x_kind_failed(ctn_role role)
{
    return role == CTN_ROLE_DO ? CTN_ENTRY_ATTEMPT_FAILED : CTN_ENTRY_COMPENSATION_FAILED;
}

ctn_entry ctn_x_entry(const ctn_execution *x, ctn_entry_kind kind, int64_t now_ms, const task *t, uint32_t attempt,
                      const ctn_json *body)
{
    return (ctn_entry){
        .kind = kind,
        .at_ms = now_ms,
        .step = t ? ctn_x_plan_step(x, t)->name : (ctn_str){0},
        .item = t ? t->item : -1,
        .attempt = attempt,
        .actor = CTN_STR("engine"),
        .body = body,
    };
}

ctn_json_builder ctn_x_body_of_call(const work *w, uint32_t call, ctn_arena *scratch)
{
    ctn_json_builder b = ctn_json_object(scratch);
    if (w->set && w->set->is_several)
        ctn_json_put_str(&b, "call", w->set->calls[call].name);
    return b;
}

bool ctn_entry_is_stored(const ctn_entry *e)
{
    if (e->kind != CTN_ENTRY_ATTEMPT_STARTED)
        return true;
    return (ctn_str_is(ctn_json_str_or(e->body, "effect", CTN_STR("write")), "write") &&
            !CTN_PLANT(WRITE_START_NOT_STORED)) ||
           ctn_json_bool_or(e->body, "kept", false);
}

/* ---- how an attempt ends ---- */

static int64_t retry_delay_ms(const ctn_retry *r, uint32_t retries_used, uint64_t entropy)
{
    double delay = (double) r->backoff_ms;
    for (uint32_t i = 0; i < retries_used && delay < (double) r->max_backoff_ms; i++)
        delay *= r->multiplier;
    if (delay > (double) r->max_backoff_ms)
        delay = (double) r->max_backoff_ms;
    double chance = (double) (entropy >> 11) / (double) (1ull << 53); /* 0 .. 1 */
    delay *= 1.0 + r->jitter * (2.0 * chance - 1.0);
    return delay < 0 ? 0 : (int64_t) delay;
}

/* Puts what is to come into the body of a failed attempt: final, or due again. is_certain: it is known that nothing
 * happened, so even a lost write may go again. */
static void judge(const ctn_execution *x, const task *t, ctn_role role, const failure_report *r, ctn_effect effect,
                  bool is_certain, int64_t now_ms, uint64_t entropy, ctn_json_builder *b)
{
    const work *w = ctn_x_work(t, role);
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const ctn_retry *retry = &p->retry;
    bool is_lost = r->failure == CTN_FAILURE_TIMEOUT || r->failure == CTN_FAILURE_TRANSPORT;
    is_certain = is_certain || CTN_PLANT(UNKNOWN_IS_RETRIED);
    bool is_transient = r->failure == CTN_FAILURE_RATE_LIMITED || r->failure == CTN_FAILURE_UNAVAILABLE ||
                        (is_lost && (!r->was_sent || is_certain || effect < CTN_EFFECT_WRITE)) || r->died;
    bool is_named = (retry->retry_on >> r->failure) & 1u;
    bool is_stopping = x->is_stopping && role == CTN_ROLE_DO;
    bool may_go_on = !r->is_final && !is_stopping;
    if (may_go_on && r->again) {
        ctn_json_put_int(b, "dueMs", now_ms);
        ctn_json_put_bool(b, "free", true);
    } else if (may_go_on && (is_transient || is_named) &&
               (int64_t) w->retries_used < retry->max_retries + CTN_PLANT(ONE_RETRY_TOO_MANY)) {
        int64_t delay = retry_delay_ms(retry, w->retries_used, entropy);
        ctn_json_put_int(b, "dueMs", now_ms + (delay > r->retry_after_ms ? delay : r->retry_after_ms));
    } else if (may_go_on && r->died && !w->death_retry_used) {
        ctn_json_put_int(b, "dueMs", now_ms);
        ctn_json_put_bool(b, "free", true);
        ctn_json_put_bool(b, "died", true);
    } else if (role == CTN_ROLE_DO && !is_stopping && !r->no_fallback && w->fallback < p->fallback_count &&
               !CTN_PLANT(FALLBACK_LEFT_OUT)) {
        ctn_json_put_int(b, "fallback", w->fallback + 1);
    } else {
        ctn_json_put_bool(b, "final", true);
    }
}

ctn_entry ctn_x_fail(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, const failure_report *report,
                     int64_t now_ms, uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, role);
    const call_state *c = w->calls ? &w->calls[call] : NULL;
    ctn_effect effect = c ? c->effect : CTN_EFFECT_NONE;
    bool is_in_doubt = c && c->phase == CALL_RUNNING && report->was_sent && !report->was_done &&
                       (report->failure == CTN_FAILURE_TIMEOUT || report->failure == CTN_FAILURE_TRANSPORT ||
                        report->failure == CTN_FAILURE_CANCELLED);
    bool is_under_way = w->phase == WORK_RUNNING || w->phase == WORK_WAITING || w->phase == WORK_ANSWERED ||
                        w->phase == WORK_CHILD || w->phase == WORK_EACH;
    uint32_t attempt = is_under_way ? w->attempt : w->attempt + 1;
    int64_t sent_at_ms = report->sent_at_ms ? report->sent_at_ms : c ? c->started_at_ms : now_ms;

    ctn_json_builder b = report->is_whole ? ctn_json_object(scratch) : ctn_x_body_of_call(w, call, scratch);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(report->failure)));
    ctn_json_put_str(&b, "message", report->message);
    if (report->used)
        ctn_x_budget_put(x, report->used, 0, scratch, &b);
    if ((is_in_doubt || report->was_done) && effect >= CTN_EFFECT_IDEMPOTENT)
        ctn_json_put_bool(&b, "mayHaveHappened", true);
    if (is_in_doubt && effect >= CTN_EFFECT_IDEMPOTENT)
        ctn_json_put_int(&b, "settleAtMs", report->peer_is_dead ? now_ms : sent_at_ms + w->set->settle_ms);
    if (is_in_doubt && effect == CTN_EFFECT_WRITE && !CTN_PLANT(UNKNOWN_IS_RETRIED)) {
        ctn_json_put_bool(&b, "unknown", true);
    } else if (w->set && w->set->is_several &&
               !report->is_whole) { /* the verdict waits for the attempt's other calls */
        if (report->again)
            ctn_json_put_bool(&b, "free", true);
        if (report->died)
            ctn_json_put_bool(&b, "died", true);
        if (report->is_final)
            ctn_json_put_bool(&b, "noRetry", true);
        if (report->retry_after_ms)
            ctn_json_put_int(&b, "retryAfterMs", report->retry_after_ms);
    } else {
        bool is_certain = c && (c->phase == CALL_SETTLED_FALSE || c->phase == CALL_UNKNOWN);
        judge(x, t, role, report, effect, is_certain, now_ms, entropy, &b);
    }
    return ctn_x_entry(x, ctn_x_kind_failed(role), now_ms, t, attempt, ctn_json_finish(&b));
}

/* All calls of an attempt have ended and some failed: what becomes of the step. A call that must not go again holds
 * back the others; the longest wish to be left alone counts. */
static ctn_entry judge_attempt(const ctn_execution *x, const task *t, ctn_role role, int64_t now_ms, uint64_t entropy,
                               ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, role);
    failure_report report = {.failure = CTN_FAILURE_NONE};
    for (uint32_t i = 0; i < w->set->call_count; i++) {
        const call_state *c = &w->calls[i];
        if (c->phase != CALL_FAILED)
            continue;
        bool may_retry =
            !c->fail_is_final &&
            (c->retry_is_due || c->died || c->failure == CTN_FAILURE_TIMEOUT || c->failure == CTN_FAILURE_TRANSPORT ||
             c->failure == CTN_FAILURE_RATE_LIMITED || c->failure == CTN_FAILURE_UNAVAILABLE ||
             ((ctn_x_plan_step(x, t)->retry.retry_on >> c->failure) & 1u));
        if (!report.failure) {
            report.failure = c->failure;
            report.message = c->message;
        }
        report.is_final = report.is_final || !may_retry;
        report.again = report.again || c->retry_is_due;
        report.died = report.died || c->died;
        if (c->retry_after_ms > report.retry_after_ms)
            report.retry_after_ms = c->retry_after_ms;
    }
    if (!report.failure) /* let go while stopping */
        report = (failure_report){
            .failure = CTN_FAILURE_CANCELLED, .message = CTN_STR("stopped with the chain"), .is_final = true};
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(report.failure)));
    ctn_json_put_str(&b, "message", report.message);
    judge(x, t, role, &report, CTN_EFFECT_READ, true, now_ms, entropy, &b);
    return ctn_x_entry(x, ctn_x_kind_failed(role), now_ms, t, w->attempt, ctn_json_finish(&b));
}

ctn_entry ctn_x_succeed(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role, uint32_t call,
                        const ctn_json *value, const ctn_used *used, bool is_cached, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, role);
    const call_state *c = w->calls ? &w->calls[call] : NULL;
    bool is_new = w->phase == WORK_READY || w->phase == WORK_BACKOFF || w->attempt == 0;
    uint32_t attempt = is_new ? w->attempt + 1 : w->attempt;
    ctn_json_builder b = ctn_x_body_of_call(w, call, scratch);
    bool is_kept =
        role == CTN_ROLE_DO || (w->set && w->set->is_several); /* nobody reads what one undoing call answers */
    size_t bytes = is_kept || ctn_x_budget_is_set(x) ? ctn_json_bytes(value) : 0;
    if (bytes > 4 * ctn_x_value_bytes_max(rules)) {
        failure_report report = {.failure = CTN_FAILURE_LIMIT, .is_final = true, .was_done = true, .used = used};
        report.message =
            ctn_arena_printf(scratch, "the result has %zu bytes, at most %zu are allowed (4 times limits: valueBytes)",
                             bytes, 4 * ctn_x_value_bytes_max(rules));
        return ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
    }
    if (w->set && w->set->is_several) {
        ctn_err err = {0};
        if (role == CTN_ROLE_DO && ctn_x_check_context(x, rules, bytes, 0, &err)) {
            failure_report report = {.failure = CTN_FAILURE_LIMIT, .is_final = true, .was_done = true, .used = used};
            report.message = ctn_arena_str(scratch, ctn_str_from(err.message));
            return ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
        }
        ctn_json_put(&b, CTN_STR("result"), value);
        ctn_json_put_str(&b, "effect", ctn_str_from(ctn_effect_name(c->effect)));
    }
    if (c && !is_cached)
        ctn_x_budget_put(x, used, bytes, scratch, &b);
    if (c && c->cache_key.len)
        ctn_json_put_str(&b, "cacheKey", c->cache_key);
    if (role == CTN_ROLE_DO && (!c || ctn_x_call_is_last(w, call))) {
        const ctn_json *variables = NULL;
        ctn_err err = {0};
        ctn_failure failure = ctn_x_take(x, rules, t, call, value, scratch, &variables, &err);
        if (failure) {
            failure_report report = {.failure = failure,
                                     .was_done = true,
                                     .used = used,
                                     .message = ctn_arena_str(scratch, ctn_str_from(err.message))};
            return ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
        }
        ctn_json_put(&b, CTN_STR("variables"), variables);
    }
    ctn_entry_kind kind = is_cached ? CTN_ENTRY_CACHE_HIT : ctn_x_kind_succeeded(role);
    return ctn_x_entry(x, kind, now_ms, t, attempt, ctn_json_finish(&b));
}

/* ---- one work ---- */

/* Nobody can be asked by machine what became of the call: the step's word, or the engine's, or a person's. */
static ctn_entry decide_unknown(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                                uint32_t call, int64_t now_ms, uint64_t entropy, ctn_arena *scratch)
{
    const work *w = ctn_x_work(t, role);
    const call_state *c = &w->calls[call];
    ctn_on_interrupted policy = ctn_x_plan_step(x, t)->on_interrupted;
    if (policy == CTN_ON_INTERRUPTED_DEFAULT)
        policy = rules->retry_interrupted ? CTN_ON_INTERRUPTED_RETRY : CTN_ON_INTERRUPTED_ASK;
    if (policy == CTN_ON_INTERRUPTED_ASK) {
        ctn_json_builder b = ctn_x_body_of_call(w, call, scratch);
        if (role == CTN_ROLE_UNDO)
            ctn_json_put_bool(&b, "undo", true);
        ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(c->failure)));
        ctn_json_put_str(&b, "message", c->message);
        return ctn_x_entry(x, CTN_ENTRY_INTERRUPTED, now_ms, t, w->attempt, ctn_json_finish(&b));
    }
    failure_report report = {.failure = c->failure, .message = c->message, .was_sent = true};
    report.is_final = policy == CTN_ON_INTERRUPTED_FAIL;
    report.again = c->died && !report.is_final; /* plain at-least-once; deaths are bounded by themselves */
    return ctn_x_fail(x, t, role, call, &report, now_ms, entropy, scratch);
}

/* A check whose own arguments cannot be rendered cannot tell anything. */
static bool end_unaskable_check(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                                uint32_t call, int64_t now_ms, ctn_arena *scratch, ctn_entry *ret_entry)
{
    const ctn_json *args = NULL;
    ctn_err err = {0};
    if (ctn_x_render_args(x, rules, t, role, call, true, scratch, &args, &err) == CTN_FAILURE_NONE)
        return false; /* the check is owed; its answer comes from outside */
    const work *w = ctn_x_work(t, role);
    ctn_json_builder b = ctn_x_body_of_call(w, call, scratch);
    if (role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    ctn_json_put(&b, CTN_STR("happened"), NULL);
    ctn_json_put_bool(&b, "over", true);
    ctn_json_put_str(&b, "message", ctn_arena_printf(scratch, "check: %s", err.message));
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_CHECKED, now_ms, t, w->attempt, ctn_json_finish(&b));
    return true;
}

static bool next_of_running(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                            int64_t now_ms, uint64_t entropy, ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, role);
    bool is_stopping = x->is_stopping && role == CTN_ROLE_DO;
    int64_t grace_ms = rules->stop_grace_ms ? rules->stop_grace_ms : 5000;
    bool any_open = false, any_failed = false;
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        const call_state *c = &w->calls[i];
        switch (c->phase) {
        case CALL_RUNNING:
            if (is_stopping && now_ms >= x->stop_at_ms + grace_ms) {
                failure_report report = {.failure = CTN_FAILURE_CANCELLED,
                                         .was_sent = true,
                                         .sent_at_ms = now_ms,
                                         .is_final = true,
                                         .message = CTN_STR("given up while the chain was stopping")};
                *ret_entry = ctn_x_fail(x, t, role, i, &report, now_ms, entropy, scratch);
                return true;
            }
            any_open = true;
            break;
        case CALL_SETTLED_TRUE:
            *ret_entry = ctn_x_succeed(x, rules, t, role, i, c->result, NULL, false, now_ms, entropy, scratch);
            return true;
        case CALL_SETTLED_FALSE: {
            failure_report report = {.failure = c->failure ? c->failure : CTN_FAILURE_INTERRUPTED,
                                     .message = c->message,
                                     .died = c->died,
                                     .again = c->retry_is_due,
                                     .is_final = c->fail_is_final};
            *ret_entry = ctn_x_fail(x, t, role, i, &report, now_ms, entropy, scratch);
            return true;
        }
        case CALL_UNKNOWN:
            if (is_stopping)
                break; /* the compensation asks */
            if (!ctn_x_wants_check(w, c)) {
                *ret_entry = decide_unknown(x, rules, t, role, i, now_ms, entropy, scratch);
                return true;
            }
            if (end_unaskable_check(x, rules, t, role, i, now_ms, scratch, ret_entry))
                return true;
            any_open = true;
            break;
        case CALL_ASKED: any_open = any_open || !is_stopping; break;
        case CALL_FAILED: any_failed = true; break;
        case CALL_IDLE:
        case CALL_DONE:
        case CALL_LET_GO: break;
        }
    }
    bool at_once = ctn_x_plan_step(x, t)->parallel_calls;
    if (!is_stopping && !x->is_paused && (at_once || !any_failed)) {
        uint32_t call = ctn_x_startable_call(x, t, role);
        if (call < ctn_x_call_count(w)) /* one that must wait holds the attempt open */
            return ctn_x_start_call(x, rules, t, role, call, now_ms, entropy, scratch, ret_entry);
    }
    if (any_open || (!any_failed && !is_stopping))
        return false;
    *ret_entry = judge_attempt(x, t, role, now_ms, entropy, scratch);
    return true;
}

static ctn_entry take_fallback(const ctn_execution *x, const task *t, int64_t now_ms, ctn_arena *scratch)
{
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    const ctn_plan_set *set = p->fallbacks[w->fallback].set;
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_int(&b, "fallback", w->fallback + 1);
    if (set)
        ctn_json_put_str(&b, "instructionSet", set->name);
    ctn_json_put_str(&b, "after", ctn_str_from(ctn_failure_name(w->failure)));
    return ctn_x_entry(x, CTN_ENTRY_FALLBACK_TAKEN, now_ms, t, w->attempt, ctn_json_finish(&b));
}

/* The step's timeoutMs holds for a sub-chain too: it is told to stop, and its end is awaited. */
static bool next_of_work(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role, int64_t now_ms,
                         uint64_t entropy, ctn_arena *scratch, ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(t, role);
    bool is_held = x->is_paused || (t->item >= 0 && ctn_x_each_is_full(x, rules, t->step));
    switch (w->phase) {
    case WORK_READY:
        if (is_held)
            return false;
        return w->attempt || w->fallback ? ctn_x_start_work(x, rules, t, now_ms, entropy, scratch, ret_entry)
                                         : ctn_x_begin_step(x, rules, t, now_ms, entropy, scratch, ret_entry);
    case WORK_BACKOFF:
        if (x->is_paused || now_ms < w->due_ms)
            return false;
        return role == CTN_ROLE_DO ? ctn_x_start_work(x, rules, t, now_ms, entropy, scratch, ret_entry)
                                   : ctn_x_start_call(x, rules, t, role, ctn_x_startable_call(x, t, role), now_ms,
                                                      entropy, scratch, ret_entry);
    case WORK_FALLBACK:
        if (x->is_paused)
            return false;
        *ret_entry = take_fallback(x, t, now_ms, scratch);
        return true;
    case WORK_EACH: return ctn_x_next_of_each(x, rules, t, now_ms, entropy, scratch, ret_entry);
    case WORK_RUNNING: return next_of_running(x, rules, t, role, now_ms, entropy, scratch, ret_entry);
    case WORK_WAITING:
        if (x->is_paused || w->due_ms == 0 || now_ms < w->due_ms)
            return false;
        *ret_entry = ctn_x_end_wait(x, rules, t, now_ms, entropy, scratch);
        return true;
    case WORK_ANSWERED: *ret_entry = ctn_x_end_wait(x, rules, t, now_ms, entropy, scratch); return true;
    case WORK_CHILD: /* its end comes from outside */
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

static const ctn_json *final_error(const ctn_execution *x, bool *ret_left_undone, ctn_arena *scratch)
{
    ctn_json_builder left = ctn_json_array(scratch), not_undone = ctn_json_array(scratch);
    for (uint32_t i = 0; i < x->plan->step_count; i++) {
        const step_state *st = &x->steps[i];
        const ctn_json *name = ctn_json_string(scratch, x->plan->steps[i].name);
        if (st->whole.undo_failed || (st->each && st->each->undo_failed))
            ctn_json_push(&left, name);
        else if (left_a_write(x, st))
            ctn_json_push(&not_undone, name);
    }
    const ctn_json *left_undone = ctn_json_finish(&left), *writes = ctn_json_finish(&not_undone);
    *ret_left_undone = ctn_json_count(left_undone) > 0;
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(x->cause)));
    ctn_json_put_str(&b, "message", x->cause_message);
    if (x->cause_step.len)
        ctn_json_put_str(&b, "step", x->cause_step);
    if (x->cause_item >= 0)
        ctn_json_put_int(&b, "item", x->cause_item);
    if (*ret_left_undone)
        ctn_json_put(&b, CTN_STR("leftUndone"), left_undone);
    if (ctn_json_count(writes))
        ctn_json_put(&b, CTN_STR("notUndone"), writes);
    return ctn_json_finish(&b);
}

static ctn_entry end_stopped(const ctn_execution *x, int64_t now_ms, ctn_arena *scratch)
{
    bool left_undone = false;
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put(&b, CTN_STR("error"), final_error(x, &left_undone, scratch));
    ctn_entry_kind kind = CTN_ENTRY_FAILED;
    if (x->plan->is_rollback_enabled && x->is_started)
        kind = left_undone ? CTN_ENTRY_ROLLBACK_FAILED : CTN_ENTRY_ROLLED_BACK;
    else if (x->was_cancelled)
        kind = CTN_ENTRY_CANCELLED;
    return ctn_x_entry(x, kind, now_ms, NULL, 0, ctn_json_finish(&b));
}

static bool next_undo(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, uint64_t entropy,
                      ctn_arena *scratch, ctn_entry *ret_entry)
{
    if (x->undo_cursor == x->undo.count) {
        *ret_entry = end_stopped(x, now_ms, scratch);
        return true;
    }
    if (x->is_paused)
        return false;
    const task *t = x->undo.items[x->undo_cursor];
    const work *w = ctn_x_work(t, CTN_ROLE_DO);
    for (uint32_t i = 0; t->undo_outcome_unknown && i < ctn_x_call_count(w); i++) {
        if (!ctn_x_wants_check(w, &w->calls[i]))
            continue;
        return end_unaskable_check(x, rules, t, CTN_ROLE_DO, i, now_ms, scratch, ret_entry);
    }
    if (ctn_x_is_undone_by_child(x, t)) {
        ctn_json_builder b = ctn_json_object(scratch);
        ctn_json_put_str(&b, "child", ctn_arena_str(scratch, ctn_str_from(ctn_id_to_text(t->child).text)));
        *ret_entry = ctn_x_entry(x, CTN_ENTRY_COMPENSATION_STARTED, now_ms, t, 1, ctn_json_finish(&b));
        return true;
    }
    const ctn_plan_set *undo = ctn_x_plan_step(x, t)->undo;
    if (undo->kind != CTN_SET_CALLS) {
        failure_report report = {.failure = CTN_FAILURE_INVALID_INPUT,
                                 .is_final = true,
                                 .message = CTN_STR("the rollbackAction makes no call that could undo anything")};
        *ret_entry = ctn_x_fail(x, t, CTN_ROLE_UNDO, 0, &report, now_ms, entropy, scratch);
        return true;
    }
    return ctn_x_start_call(x, rules, t, CTN_ROLE_UNDO, 0, now_ms, entropy, scratch, ret_entry);
}

static ctn_entry end_forward(const ctn_execution *x, int64_t now_ms, ctn_arena *scratch)
{
    assert(x->ended_count == x->plan->step_count);
    const ctn_json *outputs = NULL;
    ctn_err err = {0};
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_failure failure = ctn_x_outputs(x, scratch, now_ms, &outputs, &err);
    if (failure) { /* the steps went well, what the chain promised cannot be had: as a failed step */
        ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(failure)));
        ctn_json_put_str(&b, "message", ctn_arena_str(scratch, ctn_str_from(err.message)));
        return ctn_x_entry(x, CTN_ENTRY_CANCEL_REQUESTED, now_ms, NULL, 0, ctn_json_finish(&b));
    }
    ctn_json_put(&b, CTN_STR("outputs"), outputs);
    return ctn_x_entry(x, CTN_ENTRY_COMPLETED, now_ms, NULL, 0, ctn_json_finish(&b));
}

bool ctn_execution_next(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch, ctn_entry *ret_entry)
{
    if (x->has_ended)
        return false;
    if (!x->is_started)
        return x->is_stopping ? next_undo(x, rules, now_ms, entropy, scratch, ret_entry) : false;
    if (!x->is_stopping && !x->is_paused && x->plan->timeout_ms &&
        now_ms >= x->started_at_ms + x->plan->timeout_ms + x->paused_ms) {
        ctn_json_builder b = ctn_json_object(scratch);
        ctn_json_put_str(&b, "code", CTN_STR("timeout"));
        ctn_json_put_str(
            &b, "message",
            ctn_arena_printf(scratch, "the chain's timeoutMs of %lld is over", (long long) x->plan->timeout_ms));
        *ret_entry = ctn_x_entry(x, CTN_ENTRY_CANCEL_REQUESTED, now_ms, NULL, 0, ctn_json_finish(&b));
        return true;
    }
    for (uint32_t i = 0; i < x->active_count; i++)
        if (next_of_work(x, rules, x->active[i].task, x->active[i].role, now_ms, entropy, scratch, ret_entry))
            return true;
    if (x->active_count > 0)
        return false;
    if (x->is_stopping)
        return next_undo(x, rules, now_ms, entropy, scratch, ret_entry);
    *ret_entry = end_forward(x, now_ms, scratch);
    return true;
}
