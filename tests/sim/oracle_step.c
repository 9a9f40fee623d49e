/*
 * oracle_step.c -- records about a step: one function a kind. What must hold is said where it is asked.
 */
#include "sim/oracle_state.h"

#include <stdio.h>

static bool flag(const ctn_json *body, const char *name)
{
    return ctn_json_bool_or(body, name, false);
}

static deed *deed_of_record(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    const spec_work *w = oracle_set_now(o, t, role);
    if (w->kind != SPEC_CALL && w->kind != SPEC_CALLS)
        return NULL;
    int call = w->kind == SPEC_CALL ? 0 : oracle_call_named(w, ctn_json_str_or(body, "call", CTN_STR("")));
    return call < 0 ? NULL : oracle_deed_of(o, t, role, t->work[role].fallback, call);
}

static void check_attempt(oracle *o, const judged_task *t, const judged_work *w, const ctn_record *r)
{
    if (r->attempt != w->attempt && r->attempt != w->attempt + 1)
        FAIL("%s: attempt %u after attempt %u", oracle_name_of(o, t), r->attempt, w->attempt);
}

static void on_started(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body,
                       ctn_arena *arena)
{
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (!d) {
        FAIL("%s: a start that names no call", oracle_name_of(o, t));
        return;
    }
    if (role == CTN_ROLE_DO) {
        if (w->attempt == 0 && t->item < 0 && oracle_judge_condition(o, t->step) != SPEC_RUN)
            FAIL("%s: a start, and its condition does not say so", d->key);
        w->attempt = w->attempt ? w->attempt : r->attempt;
        oracle_check_may_begin(o, t, true, "a start");
        if (!t->start_order)
            t->start_order = ++o->start_count;
    } else {
        if (!o->is_stopping || !o->spec->is_rollback_enabled)
            FAIL("%s begins and nothing is to be undone", d->key);
        if (o->is_paused)
            FAIL("%s begins while it is paused", d->key);
        if (w->attempt == 0)
            oracle_check_undo_order(o, t);
    }
    if (!ctn_str_is(ctn_json_str_or(body, "key", CTN_STR("")), d->key))
        FAIL("%s: a start under the key %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "key", CTN_STR(""))));
    if (!ctn_str_is(ctn_json_str_or(body, "effect", CTN_STR("")), ctn_effect_name(d->effect)))
        FAIL("%s: a start with the effect %.*s", d->key, CTN_STR_ARG(ctn_json_str_or(body, "effect", CTN_STR(""))));
    check_attempt(o, t, w, r);
    if (w->is_backing_off && r->at_ms < w->due_ms)
        FAIL("%s: a start %lld ms before the back-off is over", d->key, (long long) (w->due_ms - r->at_ms));
    if (d->is_in_doubt && !d->may_go_again)
        FAIL("%s: a start, and nobody knows what became of the last one", d->key);
    if (d->effect == CTN_EFFECT_WRITE && d->started_attempt >= r->attempt)
        FAIL("%s: attempt %u of a write starts twice", d->key, r->attempt);
    oracle_check_args(o, d, ctn_json_member_of(body, "args"), arena);
    w->attempt = r->attempt;
    w->is_backing_off = false;
    d->started_attempt = r->attempt;
    d->said_yes = false;
}

/* What an equal call of another execution may have been answered. */
static bool may_be_cached(const oracle *o, const judged_task *t, int64_t value)
{
    return oracle_spec_of(o, t)->is_cached && value >= 0 && value <= 9 && ((o->given->of_step[t->step] >> value) & 1u);
}

/* What the set answered, as the step takes it. */
static int64_t answered(oracle *o, judged_task *t, int call)
{
    const spec_work *w = oracle_set_now(o, t, CTN_ROLE_DO);
    return w->kind == SPEC_VALUE ? w->value
                                 : spec_value_of(ctn_str_from(
                                       oracle_deed_of(o, t, CTN_ROLE_DO, t->work[CTN_ROLE_DO].fallback, call)->key));
}

/* The task completed: what it put into the context. */
static void take_variables(oracle *o, judged_task *t, const ctn_json *variables)
{
    const spec_step *s = oracle_spec_of(o, t);
    char name[8];
    if (!s->gives_variable)
        return;
    snprintf(name, sizeof name, "v%d", t->step);
    const ctn_json *value = ctn_json_member_of(variables, name);
    int64_t number = -1;
    if (s->work.kind == SPEC_APPROVAL) {
        if (!ctn_json_is_bool(value))
            FAIL("%s: %s is no answer", s->name, name);
        t->variable = (judged_variable){VARIABLE_BOOL, ctn_json_is(value, CTN_JSON_TRUE)};
        return;
    }
    if (s->work.kind == SPEC_AGENT) {
        if (!ctn_json_to_int64(value, &number) || number != t->answered)
            FAIL("%s: %s is not what was answered", s->name, name);
        t->variable = (judged_variable){VARIABLE_NUMBER, number};
        return;
    }
    for (int i = 0; i < (s->work.call_count < 2 ? 1 : 2); i++) {
        int64_t should = answered(o, t, i);
        name[0] = i ? 'w' : 'v';
        number = -1;
        bool is_there = ctn_json_to_int64(ctn_json_member_of(variables, name), &number);
        if (!is_there || (number != should && !may_be_cached(o, t, number)))
            FAIL("%s: %s is %lld and the call answered %lld", s->name, name, (long long) number, (long long) should);
        if (i == 0)
            t->variable = (judged_variable){VARIABLE_NUMBER, number};
    }
    name[0] = 'd';
    char document[32];
    snprintf(document, sizeof document, "Step %d gave %lld", t->step, (long long) t->variable.number);
    if (s->has_document && !ctn_str_starts_with(ctn_json_str_or(variables, name, CTN_STR("")), ctn_str_from(document)))
        FAIL("%s: the document is not what its template says", s->name);
}

static void on_wait_over(oracle *o, judged_task *t, const ctn_record *r)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    if (!w->is_waiting)
        FAIL("%s: a wait is over that did not begin", oracle_name_of(o, t));
    if (!w->is_answered && (w->due_ms == 0 || r->at_ms < w->due_ms))
        FAIL("%s: a wait is over %lld ms too early", oracle_name_of(o, t), (long long) (w->due_ms - r->at_ms));
    w->is_waiting = false;
}

/* A foreach is complete: all of its items have ended. */
static void on_items_done(oracle *o, judged_task *t, const ctn_json *body)
{
    const judged_step *j = &o->steps[t->step];
    int64_t ended = 0, failed = 0;
    for (const judged_task *item = j->items; item; item = item->next) {
        ended += item->end == JUDGED_COMPLETED || item->end == JUDGED_CONTINUED;
        failed += item->end == JUDGED_CONTINUED;
    }
    if (!j->has_items || ended != j->item_count)
        FAIL("%s: complete with %lld of %lld items", oracle_name_of(o, t), (long long) ended,
             (long long) j->item_count);
    if (ctn_json_int_or(body, "items", -1) != ended || ctn_json_int_or(body, "failed", -1) != failed)
        FAIL("%s: the numbers of its items are wrong", oracle_name_of(o, t));
    t->end = JUDGED_COMPLETED;
    t->completed_order = ++o->completed_count;
    if (oracle_spec_of(o, t)->gives_variable)
        t->variable = (judged_variable){VARIABLE_LIST, ended};
}

static void on_succeeded(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    const spec_work *set = oracle_set_now(o, t, role);
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (t->end != NOT_ENDED && role == CTN_ROLE_DO)
        FAIL("%s: an attempt succeeds after it has ended", oracle_name_of(o, t));
    if (role == CTN_ROLE_DO && t->item < 0 && oracle_spec_of(o, t)->items != SPEC_ONE) {
        on_items_done(o, t, body);
        return;
    }
    if (d) {
        if (d->is_done)
            FAIL("%s: recorded as done twice", d->key);
        bool was_told = d->replied_attempt == r->attempt && d->reply == CTN_FAILURE_NONE && d->begins > 0;
        if (r->kind == CTN_ENTRY_CACHE_HIT) {
            o->hits++;
            t->is_hit = true;
            was_told = o->given->of_step[t->step] != 0;
            if (!oracle_spec_of(o, t)->is_cached)
                FAIL("%s: a hit, and nothing of it is cached", d->key);
        }
        if (!was_told && !d->said_yes)
            FAIL("%s: recorded as done, and nobody said so", d->key);
        if (d->effect >= CTN_EFFECT_IDEMPOTENT && d->effects == 0)
            FAIL("%s: recorded as done, and it never happened", d->key);
        d->is_done = true;
        d->is_in_doubt = d->is_asked = false;
    } else if (set->kind != SPEC_VALUE) {
        on_wait_over(o, t, r);
    }
    w->attempt = r->attempt;
    w->is_backing_off = false;
    w->is_asked = oracle_any_of_task(t, role, oracle_deed_is_asked);
    bool all_done = true;
    for (int i = 0; i < set->call_count; i++)
        all_done = all_done && oracle_deed_of(o, t, role, w->fallback, i)->is_done;
    if (role == CTN_ROLE_UNDO) {
        w->is_done = all_done;
        return;
    }
    const ctn_json *variables = ctn_json_member_of(body, "variables");
    if ((variables != NULL) != all_done)
        FAIL("%s: it is complete when its calls are", oracle_name_of(o, t));
    if (!variables)
        return;
    t->end = JUDGED_COMPLETED;
    t->completed_order = ++o->completed_count;
    take_variables(o, t, variables);
}

static void stop_task(judged_task *t)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    w->is_waiting = w->is_asked = w->is_backing_off = false;
    for (deed *d = t->deeds; d; d = d->next)
        d->is_asked = false;
}

void oracle_begin_stopping(oracle *o, ctn_failure cause, int64_t at_ms)
{
    if (o->is_stopping)
        return;
    o->is_stopping = true;
    o->cause = cause;
    o->stop_at_ms = at_ms;
    for (int i = 0; i < o->spec->step_count; i++) {
        stop_task(&o->steps[i].whole);
        for (judged_task *t = o->steps[i].items; t; t = t->next)
            stop_task(t);
    }
}

static bool is_lost(ctn_failure code)
{
    return code == CTN_FAILURE_TIMEOUT || code == CTN_FAILURE_TRANSPORT;
}

static bool comes_from_the_world(ctn_failure code)
{
    return code == CTN_FAILURE_TOOL_ERROR || code == CTN_FAILURE_UNAVAILABLE || code == CTN_FAILURE_RATE_LIMITED ||
           code == CTN_FAILURE_TRANSPORT || code == CTN_FAILURE_PROTOCOL_ERROR;
}

static void check_backoff(oracle *o, const judged_task *t, ctn_role role, judged_work *w, const ctn_record *r,
                          int64_t due_ms)
{
    const spec_step *s = oracle_spec_of(o, t);
    double base = (double) s->backoff_ms;
    for (int64_t i = 0; i < w->retries; i++)
        base *= s->multiplier;
    if (base > (double) s->max_backoff_ms)
        base = (double) s->max_backoff_ms;
    double delay = (double) (due_ms - r->at_ms);
    int64_t wish_ms = 0; /* the peers' own */
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == role && d->refused_attempt == r->attempt && d->fallback == w->fallback &&
            d->retry_after_ms > wish_ms)
            wish_ms = d->retry_after_ms;
    bool is_wish = wish_ms && due_ms - r->at_ms == wish_ms;
    if (!is_wish && (delay < base * (1 - s->jitter) - 2 || delay > base * (1 + s->jitter) + 2))
        FAIL("%s: a back-off of %.0f ms, retry %lld with %.0f ms", s->name, delay, (long long) w->retries + 1, base);
    if (due_ms - r->at_ms < wish_ms)
        FAIL("%s: a back-off of %.0f ms, and the peer asked for %lld", s->name, delay, (long long) wish_ms);
    if (++w->retries > s->max_retries)
        FAIL("%s: retry %lld of %lld", s->name, (long long) w->retries, (long long) s->max_retries);
    o->backoffs++;
}

/* It failed for good although the rules give it another try. */
static void check_final(oracle *o, const judged_task *t, ctn_role role, const judged_work *w, const deed *d,
                        ctn_failure code, const ctn_record *r)
{
    const spec_step *s = oracle_spec_of(o, t);
    if (role == CTN_ROLE_DO && o->is_stopping)
        return;
    if (!d || d->set->kind != SPEC_CALL || d->replied_attempt != r->attempt || d->reply != code ||
        w->retries >= s->max_retries || d->was_broken)
        return;
    bool is_transient = code == CTN_FAILURE_UNAVAILABLE || code == CTN_FAILURE_RATE_LIMITED ||
                        (is_lost(code) && (!d->reply_was_sent || d->effect < CTN_EFFECT_WRITE));
    if (is_transient || ((s->retry_on >> code) & 1u))
        FAIL("%s: failed for good with %s after %lld of %lld retries", d->key, ctn_failure_name(code),
             (long long) w->retries, (long long) s->max_retries);
}

/* What becomes of a call whose outcome is, or was, not known. */
static void judge_doubt(oracle *o, const judged_task *t, ctn_role role, deed *d, ctn_failure code, const ctn_record *r,
                        bool unknown)
{
    if (d->effect == CTN_EFFECT_WRITE && is_lost(code) && d->replied_attempt == r->attempt && d->reply == code &&
        d->reply_was_sent && d->started_attempt == r->attempt && d->unknown_attempt != r->attempt && !unknown)
        FAIL("%s: a write was lost, and that is not called unknown", d->key);
    if (unknown) {
        d->is_in_doubt = true;
        d->may_go_again = false;
        d->unknown_attempt = r->attempt;
        o->unknowns++;
    } else if (d->is_in_doubt) {
        bool may = oracle_policy_of(o, t) != SPEC_ASK || (o->is_stopping && role == CTN_ROLE_DO);
        if (!may && !d->may_go_again)
            FAIL("%s: goes on, and nobody knows what became of it", d->key);
        d->is_in_doubt = false;
        d->may_go_again = true;
        d->may_happen_twice = d->may_happen_twice || oracle_policy_of(o, t) == SPEC_RETRY;
    }
    if (!unknown) {
        d->failed_attempt = r->attempt;
        d->is_asked = false;
    }
    if (d->replied_attempt == r->attempt && d->reply == code)
        d->refused_attempt = r->attempt;
}

static void on_failed_for_good(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, ctn_failure code)
{
    const spec_step *s = oracle_spec_of(o, t);
    judged_work *w = &t->work[role];
    if (role == CTN_ROLE_UNDO) {
        w->has_failed = true;
        return;
    }
    if (!o->is_stopping && w->fallback < s->fallback_count && code != CTN_FAILURE_CONDITION_FAILED)
        FAIL("%s: failed for good after %d of %d fallbacks", s->name, w->fallback, s->fallback_count);
    if (s->continues && !o->is_stopping) {
        t->end = JUDGED_CONTINUED;
        if (s->gives_variable)
            t->variable = (judged_variable){VARIABLE_NULL, 0};
        return;
    }
    t->end = JUDGED_FAILED;
    oracle_begin_stopping(o, code, r->at_ms);
}

static void on_failed(oracle *o, judged_task *t, ctn_role role, const ctn_record *r, const ctn_json *body)
{
    judged_work *w = &t->work[role];
    deed *d = deed_of_record(o, t, role, body);
    ctn_failure code = ctn_failure_from_name(ctn_json_str_or(body, "code", CTN_STR("")));
    if (role == CTN_ROLE_DO && t->end != NOT_ENDED)
        FAIL("%s: an attempt fails after it has ended", oracle_name_of(o, t));
    if (d && d->is_done)
        FAIL("%s: fails after it was recorded as done", d->key);
    if (d && comes_from_the_world(code) && !((d->codes_seen >> code) & 1u))
        FAIL("%s: failed with %s, and nobody said so", d->key, ctn_failure_name(code));
    if (d)
        judge_doubt(o, t, role, d, code, r, flag(body, "unknown"));
    if (r->attempt)
        w->attempt = r->attempt;
    w->is_backing_off = w->is_waiting = false;
    w->is_asked = oracle_any_of_task(t, role, oracle_deed_is_asked);
    if (ctn_json_member_of(body, "dueMs")) {
        int64_t due_ms = ctn_json_int_or(body, "dueMs", 0);
        if (role == CTN_ROLE_DO && o->is_stopping)
            FAIL("%s: is to be tried again and the chain stops", oracle_name_of(o, t));
        if (!flag(body, "free"))
            check_backoff(o, t, role, w, r, due_ms);
        w->is_backing_off = true;
        w->due_ms = due_ms;
    }
    if (ctn_json_member_of(body, "fallback")) {
        check_final(o, t, role, w, d, code, r);
        w->fallback_due = (int) ctn_json_int_or(body, "fallback", 0);
        if (role == CTN_ROLE_UNDO || o->is_stopping || w->fallback_due != w->fallback + 1 ||
            w->fallback_due > oracle_spec_of(o, t)->fallback_count)
            FAIL("%s: fallback %d after fallback %d", oracle_name_of(o, t), w->fallback_due, w->fallback);
    }
    if (!flag(body, "final"))
        return;
    check_final(o, t, role, w, d, code, r);
    on_failed_for_good(o, t, role, r, code);
}

static void on_fallback(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    int fallback = (int) ctn_json_int_or(body, "fallback", 0);
    if (!w->fallback_due || fallback != w->fallback_due)
        FAIL("%s: fallback %d is taken, and %d is due", oracle_name_of(o, t), fallback, w->fallback_due);
    if (o->is_stopping || o->is_paused)
        FAIL("%s: a fallback is taken while it is %s", oracle_name_of(o, t), o->is_stopping ? "stopping" : "paused");
    for (const deed *d = t->deeds; d; d = d->next)
        if (d->role == CTN_ROLE_DO && d->is_in_doubt)
            FAIL("%s: a fallback is taken, and nobody knows what became of it", d->key);
    w->fallback = fallback;
    w->fallback_due = 0;
    w->retries = 0;
    w->is_backing_off = w->is_asked = false;
}

static void on_foreach(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_step *j = &o->steps[t->step];
    int64_t count = spec_item_count(oracle_spec_of(o, t), o->input_n);
    oracle_check_may_begin(o, t, true, "a foreach");
    if (oracle_judge_condition(o, t->step) != SPEC_RUN)
        FAIL("%s: a foreach begins and its condition does not say so", oracle_name_of(o, t));
    if (oracle_spec_of(o, t)->items == SPEC_ONE || j->has_items)
        FAIL("%s: a foreach begins that is none, or a second time", oracle_name_of(o, t));
    if (ctn_json_int_or(body, "count", -1) != count)
        FAIL("%s: %lld items, and there are %lld", oracle_name_of(o, t), (long long) ctn_json_int_or(body, "count", -1),
             (long long) count);
    j->has_items = true;
    j->item_count = count;
}

static void on_waiting(oracle *o, judged_task *t, const ctn_record *r, const ctn_json *body)
{
    const spec_work *w = &oracle_spec_of(o, t)->work;
    judged_work *j = &t->work[CTN_ROLE_DO];
    oracle_check_may_begin(o, t, true, "a wait");
    if (oracle_judge_condition(o, t->step) != SPEC_RUN)
        FAIL("%s: waits, and its condition does not say so", oracle_name_of(o, t));
    int64_t span = w->kind == SPEC_WAIT ? w->wait_ms : w->answer_timeout_ms;
    int64_t due_ms = ctn_json_int_or(body, "untilMs", 0);
    if (due_ms != (w->kind == SPEC_WAIT || span ? r->at_ms + span : 0))
        FAIL("%s: waits until %lld, from %lld on", oracle_name_of(o, t), (long long) due_ms, (long long) r->at_ms);
    j->is_waiting = true;
    j->due_ms = due_ms;
    j->attempt = r->attempt;
}

static void on_answered(oracle *o, judged_task *t, const ctn_json *body)
{
    judged_work *w = &t->work[CTN_ROLE_DO];
    if (!w->is_waiting || w->is_answered)
        FAIL("%s is answered, and did not wait", oracle_name_of(o, t));
    w->is_answered = true;
    if (oracle_spec_of(o, t)->work.kind == SPEC_AGENT &&
        !ctn_json_to_int64(ctn_json_member_of(ctn_json_member_of(body, "answer"), "value"), &t->answered))
        FAIL("%s: an answer that does not fit is taken", oracle_name_of(o, t));
}

static void on_checked(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    if (!d) {
        FAIL("%s: a check that names no call", oracle_name_of(o, t));
        return;
    }
    const ctn_json *happened = ctn_json_member_of(body, "happened");
    if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        if (d->effects == 0)
            FAIL("%s: the check is said to have said yes, and it never happened", d->key);
        d->said_yes = true;
        d->is_in_doubt = false;
    } else if (ctn_json_is(happened, CTN_JSON_FALSE) && !ctn_json_member_of(body, "againMs")) {
        if (d->effects > 0)
            FAIL("%s: the check's no is believed, and it did happen", d->key);
        if (d->on_the_way > 0)
            FAIL("%s: the check's no is believed, and the call can still arrive", d->key);
        d->is_in_doubt = false;
        d->settled_attempt = t->work[role].attempt;
    }
}

static void on_interrupted(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    bool by_deaths = ctn_str_find(ctn_json_str_or(body, "message", CTN_STR("")), CTN_STR("died")) != SIZE_MAX;
    if (!by_deaths && oracle_policy_of(o, t) != SPEC_ASK)
        FAIL("%s: asks a person, and its chain says otherwise", oracle_name_of(o, t));
    if (!by_deaths && d && !d->is_in_doubt)
        FAIL("%s: asks a person about what is known", d->key);
    if (d)
        d->is_asked = true;
    t->work[role].is_asked = true;
    t->work[role].is_backing_off = false;
}

static void on_settled(oracle *o, judged_task *t, ctn_role role, const ctn_json *body)
{
    deed *d = deed_of_record(o, t, role, body);
    judged_work *w = &t->work[role];
    if (!w->is_asked || !d)
        FAIL("%s: settled, and nobody asked", oracle_name_of(o, t));
    if (!d)
        return;
    o->settlements++;
    d->is_in_doubt = d->is_asked = false;
    d->settled_attempt = w->attempt;
    w->is_asked = oracle_any_of_task(t, role, oracle_deed_is_asked);
    if (ctn_str_is(ctn_json_str_or(body, "what", CTN_STR("")), "succeed"))
        d->said_yes = true;
}

static void on_skipped(oracle *o, judged_task *t)
{
    oracle_check_may_begin(o, t, true, "a skip");
    if (oracle_judge_condition(o, t->step) != SPEC_SKIP)
        FAIL("%s is skipped, and its condition does not say so", oracle_name_of(o, t));
    if (oracle_any_of_step(o, t->step, CTN_ROLE_DO, oracle_deed_has_begun))
        FAIL("%s is skipped, and it had begun", oracle_name_of(o, t));
    t->end = JUDGED_SKIPPED;
}

void oracle_judge_step(oracle *o, judged_task *t, const ctn_record *r, const ctn_json *body, ctn_arena *arena)
{
    ctn_role role = flag(body, "undo") ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    switch (r->kind) {
    case CTN_ENTRY_STEP_SKIPPED: on_skipped(o, t); break;
    case CTN_ENTRY_FOREACH_STARTED: on_foreach(o, t, body); break;
    case CTN_ENTRY_ATTEMPT_STARTED: on_started(o, t, CTN_ROLE_DO, r, body, arena); break;
    case CTN_ENTRY_COMPENSATION_STARTED: on_started(o, t, CTN_ROLE_UNDO, r, body, arena); break;
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED: on_succeeded(o, t, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: on_succeeded(o, t, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_ATTEMPT_FAILED: on_failed(o, t, CTN_ROLE_DO, r, body); break;
    case CTN_ENTRY_COMPENSATION_FAILED: on_failed(o, t, CTN_ROLE_UNDO, r, body); break;
    case CTN_ENTRY_FALLBACK_TAKEN: on_fallback(o, t, body); break;
    case CTN_ENTRY_BREAKER_WAIT: /* that it holds nobody back for no reason is what test_gate.c looks at */
        if (!ctn_json_str_or(body, "target", CTN_STR("")).len || ctn_json_int_or(body, "untilMs", 0) <= r->at_ms)
            FAIL("%s: a wait for a breaker that does not say which, or until when", oracle_name_of(o, t));
        break;
    case CTN_ENTRY_WAITING: on_waiting(o, t, r, body); break;
    case CTN_ENTRY_ANSWERED: on_answered(o, t, body); break;
    case CTN_ENTRY_CHECKED: on_checked(o, t, role, body); break;
    case CTN_ENTRY_INTERRUPTED: on_interrupted(o, t, role, body); break;
    case CTN_ENTRY_DECISION: on_settled(o, t, role, body); break;
    default: FAIL("an entry of kind %s about a step", ctn_entry_kind_name(r->kind)); break;
    }
}
