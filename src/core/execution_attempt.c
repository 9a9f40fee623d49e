/*
 * execution_attempt.c -- how a call ends, and with it the attempt: well, or with another try, a fallback, the step's
 * failure, or nobody knowing what became of it.
 *
 * With several calls the verdict waits until all of the attempt's calls have ended.
 */
#include "core/execution_judge.h"

#include "base/plant.h"

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
static void put_verdict(const judge *j, const work *w, const failure_report *r, ctn_effect effect, bool is_certain,
                        ctn_json_builder *b)
{
    const ctn_plan_step *p = w->task->plan;
    const ctn_retry *retry = &p->retry;
    bool is_lost = r->failure == CTN_FAILURE_TIMEOUT || r->failure == CTN_FAILURE_TRANSPORT;
    is_certain = is_certain || CTN_PLANT(UNKNOWN_IS_RETRIED);
    bool is_transient = r->failure == CTN_FAILURE_RATE_LIMITED || r->failure == CTN_FAILURE_UNAVAILABLE ||
                        (is_lost && (!r->was_sent || is_certain || effect < CTN_EFFECT_WRITE)) || r->died;
    bool is_named = (retry->retry_on >> r->failure) & 1u;
    bool is_stopping = j->x->is_stopping && w->role == CTN_ROLE_DO;
    bool may_go_on = !r->is_final && !is_stopping;
    if (may_go_on && r->again) {
        ctn_json_put_int(b, "dueMs", j->now_ms);
        ctn_json_put_bool(b, "free", true);
    } else if (may_go_on && (is_transient || is_named) && (w->role != CTN_ROLE_DO || !ctn_x_is_journal_full(j)) &&
               (int64_t) w->retries_used < retry->max_retries + CTN_PLANT(ONE_RETRY_TOO_MANY)) {
        int64_t delay = retry_delay_ms(retry, w->retries_used, j->entropy);
        ctn_json_put_int(b, "dueMs", j->now_ms + (delay > r->retry_after_ms ? delay : r->retry_after_ms));
    } else if (may_go_on && r->died && !w->death_retry_used) {
        ctn_json_put_int(b, "dueMs", j->now_ms);
        ctn_json_put_bool(b, "free", true);
        ctn_json_put_bool(b, "died", true);
    } else if (w->role == CTN_ROLE_DO && !is_stopping && !r->no_fallback && w->fallback < p->fallback_count &&
               !CTN_PLANT(FALLBACK_LEFT_OUT)) {
        ctn_json_put_int(b, "fallback", w->fallback + 1);
    } else {
        ctn_json_put_bool(b, "final", true);
    }
}

static ctn_entry_kind kind_failed(const work *w)
{
    return w->role == CTN_ROLE_DO ? CTN_ENTRY_ATTEMPT_FAILED : CTN_ENTRY_COMPENSATION_FAILED;
}

/* It left us, and was not answered. One that its peer has accepted left us long ago, whatever became of the last
 * question after it. */
static bool is_cut_off(const call_state *c, const failure_report *r)
{
    bool is_lost =
        r->failure == CTN_FAILURE_TIMEOUT || r->failure == CTN_FAILURE_TRANSPORT || r->failure == CTN_FAILURE_CANCELLED;
    return c->is_accepted ? is_lost || r->failure == CTN_FAILURE_UNAVAILABLE : is_lost && r->was_sent;
}

ctn_entry ctn_x_fail(const judge *j, const work *w, uint32_t call, const failure_report *report)
{
    const call_state *c = w->calls ? &w->calls[call] : NULL;
    ctn_effect effect = c ? c->effect : CTN_EFFECT_NONE;
    bool is_in_doubt = c && c->phase == CALL_RUNNING && !report->was_done && is_cut_off(c, report);
    bool is_under_way = w->phase == WORK_RUNNING || w->phase == WORK_WAITING || w->phase == WORK_ANSWERED ||
                        w->phase == WORK_CHILD || w->phase == WORK_EACH;
    uint32_t attempt = is_under_way ? w->attempt : w->attempt + 1;
    int64_t sent_at_ms = report->sent_at_ms ? report->sent_at_ms : c ? c->started_at_ms : j->now_ms;

    ctn_json_builder b = report->is_whole ? ctn_json_object(j->scratch) : ctn_x_body_of_call(j, w, call);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(report->failure)));
    ctn_json_put_str(&b, "message", report->message);
    if (report->used)
        ctn_x_budget_put(j, report->used, 0, &b);
    if ((is_in_doubt || report->was_done) && effect >= CTN_EFFECT_IDEMPOTENT)
        ctn_json_put_bool(&b, "mayHaveHappened", true);
    if (is_in_doubt && effect >= CTN_EFFECT_IDEMPOTENT)
        ctn_json_put_int(&b, "settleAtMs", report->peer_is_dead ? j->now_ms : sent_at_ms + w->set->settle_ms);
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
        put_verdict(j, w, report, effect, is_certain, &b);
    }
    return ctn_x_entry(j, kind_failed(w), w, attempt, &b);
}

ctn_entry ctn_x_fail_unsent(const judge *j, const work *w, uint32_t call, ctn_failure failure, const ctn_err *err)
{
    failure_report report = {
        .failure = failure, .is_final = true, .message = ctn_arena_str(j->scratch, ctn_str_from(err->message))};
    return ctn_x_fail(j, w, call, &report);
}

/* A call that must not go again holds back the others; the longest wish to be left alone counts. */
ctn_entry ctn_x_fail_attempt(const judge *j, const work *w)
{
    failure_report report = {.failure = CTN_FAILURE_NONE};
    for (uint32_t i = 0; i < w->set->call_count; i++) {
        const call_state *c = &w->calls[i];
        if (c->phase != CALL_FAILED)
            continue;
        bool may_retry =
            !c->fail_is_final &&
            (c->retry_is_due || c->died || c->failure == CTN_FAILURE_TIMEOUT || c->failure == CTN_FAILURE_TRANSPORT ||
             c->failure == CTN_FAILURE_RATE_LIMITED || c->failure == CTN_FAILURE_UNAVAILABLE ||
             ((w->task->plan->retry.retry_on >> c->failure) & 1u));
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
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(report.failure)));
    ctn_json_put_str(&b, "message", report.message);
    put_verdict(j, w, &report, CTN_EFFECT_READ, true, &b);
    return ctn_x_entry(j, kind_failed(w), w, w->attempt, &b);
}

/* It succeeded, and what it gave cannot be taken. */
static ctn_entry fail_untaken(const judge *j, const work *w, uint32_t call, ctn_failure failure, bool is_final,
                              const ctn_used *used, const ctn_err *err)
{
    failure_report report = {.failure = failure,
                             .is_final = is_final,
                             .was_done = true,
                             .used = used,
                             .message = ctn_arena_str(j->scratch, ctn_str_from(err->message))};
    return ctn_x_fail(j, w, call, &report);
}

ctn_entry ctn_x_succeed(const judge *j, const work *w, uint32_t call, const ctn_json *value, const ctn_used *used,
                        bool is_cached)
{
    const call_state *c = w->calls ? &w->calls[call] : NULL;
    bool is_new = w->phase == WORK_READY || w->phase == WORK_BACKOFF || w->attempt == 0;
    uint32_t attempt = is_new ? w->attempt + 1 : w->attempt;
    ctn_json_builder b = ctn_x_body_of_call(j, w, call);
    ctn_err err = {0};
    bool is_kept =
        w->role == CTN_ROLE_DO || (w->set && w->set->is_several); /* nobody reads what one undoing call answers */
    size_t bytes = is_kept || ctn_x_budget_is_set(j->x) ? ctn_json_bytes(value) : 0;
    if (bytes > 4 * ctn_x_value_bytes_max(j->rules)) {
        ctn_fail(&err, CTN_E_LIMIT, "the result has %zu bytes, at most %zu are allowed (4 times limits: valueBytes)",
                 bytes, 4 * ctn_x_value_bytes_max(j->rules));
        return fail_untaken(j, w, call, CTN_FAILURE_LIMIT, true, used, &err);
    }
    if (w->set && w->set->is_several) {
        if (w->role == CTN_ROLE_DO && ctn_x_check_context(j, bytes, 0, &err))
            return fail_untaken(j, w, call, CTN_FAILURE_LIMIT, true, used, &err);
        ctn_json_put(&b, CTN_STR("result"), value);
        ctn_json_put_str(&b, "effect", ctn_str_from(ctn_effect_name(c->effect)));
    }
    if (c && !is_cached)
        ctn_x_budget_put(j, used, bytes, &b);
    if (c && c->cache_key.len)
        ctn_json_put_str(&b, "cacheKey", c->cache_key);
    if (w->role == CTN_ROLE_DO && (!c || ctn_x_call_is_last(w, call))) {
        const ctn_json *variables = NULL;
        ctn_failure failure = ctn_x_take(j, w, call, value, &variables, &err);
        if (failure)
            return fail_untaken(j, w, call, failure, false, used, &err);
        ctn_json_put(&b, CTN_STR("variables"), variables);
    }
    ctn_entry_kind kind = is_cached                  ? CTN_ENTRY_CACHE_HIT
                          : w->role == CTN_ROLE_UNDO ? CTN_ENTRY_COMPENSATION_SUCCEEDED
                                                     : CTN_ENTRY_ATTEMPT_SUCCEEDED;
    return ctn_x_entry(j, kind, w, attempt, &b);
}
