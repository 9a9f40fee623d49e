/*
 * execution_decide.c -- inputs from outside: may this happen, and as which entry?
 *
 * A refusal changes nothing and says why. Results of calls that are no longer waited for are stale: slow is not
 * dead, and a late answer of attempt 1 must not end attempt 2.
 */
#include "core/execution_state.h"

#include <assert.h>

static ctn_str actor_of(const ctn_input *in)
{
    return in->actor.len ? in->actor : CTN_STR("engine");
}

static int refuse_ended(const ctn_execution *x, ctn_err *err)
{
    return ctn_fail(err, CTN_E_STATE, "the execution has ended: it is %s", ctn_status_name(ctn_execution_status(x)));
}

ctn_entry ctn_execution_first_entry(const ctn_plan *plan, ctn_arena *scratch, bool is_queued, int64_t chain_version,
                                    const ctn_json *input, const ctn_json *labels, ctn_str actor, int64_t now_ms)
{
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "chain", plan->chain_id);
    ctn_json_put_int(&b, "version", chain_version);
    ctn_json_builder digests = ctn_json_array(scratch);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        ctn_digest_text text = ctn_digest_to_text(plan->definitions[i].digest);
        ctn_json_push(&digests, ctn_json_string(scratch, ctn_str_from(text.text)));
    }
    ctn_json_put(&b, CTN_STR("digests"), ctn_json_finish(&digests));
    ctn_json_put(&b, CTN_STR("input"), input);
    if (labels)
        ctn_json_put(&b, CTN_STR("labels"), labels);
    return (ctn_entry){
        .kind = is_queued ? CTN_ENTRY_QUEUED : CTN_ENTRY_STARTED,
        .at_ms = now_ms,
        .actor = actor.len ? actor : CTN_STR("engine"),
        .body = ctn_json_finish(&b),
    };
}

/* ---- ends of calls ---- */

static int decide_call_ended(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                             ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(x, in->step, in->role);
    if (x->has_ended || w->phase != WORK_RUNNING || w->attempt != in->attempt ||
        w->calls[in->call].phase != CALL_RUNNING)
        return CTN_E_STALE;
    if (in->failure == CTN_FAILURE_NONE) {
        *ret_entry = ctn_x_succeed(x, rules, in->step, in->role, in->call, in->value, in->now_ms, in->entropy, scratch);
        return CTN_OK;
    }
    failure_report report = {
        .failure = in->failure,
        .message = in->message,
        .was_sent = in->was_sent,
        .peer_is_dead = in->peer_is_dead,
        .retry_after_ms = in->retry_after_ms,
    };
    *ret_entry = ctn_x_fail(x, in->step, in->role, in->call, &report, in->now_ms, in->entropy, scratch);
    return CTN_OK;
}

/* While the chain is undone, a check that says yes tells what there is to undo. */
static void put_variables(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                          ctn_json_builder *b)
{
    const ctn_json *variables = NULL;
    if (x->undo_queue && in->role == CTN_ROLE_DO && !ctn_x_work(x, in->step, in->role)->set->is_several &&
        ctn_x_take(x, rules, in->step, in->call, ctn_json_member_of(in->value, "result"), scratch, &variables, NULL) ==
            CTN_FAILURE_NONE)
        ctn_json_put(b, CTN_STR("variables"), variables);
}

static int decide_check_ended(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                              ctn_entry *ret_entry)
{
    const work *w = ctn_x_work(x, in->step, in->role);
    const call_state *c = &w->calls[in->call];
    if (x->has_ended || w->attempt != in->attempt || !ctn_x_wants_check(w, c))
        return CTN_E_STALE;
    ctn_json_builder b = ctn_json_object(scratch);
    if (w->set->is_several)
        ctn_json_put_str(&b, "call", w->set->calls[in->call].name);
    if (in->role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    const ctn_json *happened = in->failure ? NULL : ctn_json_member_of(in->value, "happened");
    if (!ctn_json_is_bool(happened)) { /* it cannot tell, or not now */
        ctn_json_put(&b, CTN_STR("happened"), NULL);
        ctn_json_put_str(&b, "message",
                         in->failure ? in->message : CTN_STR("the check did not say whether it happened"));
        if (c->checks_failed + 1 >= CTN_CHECK_TRIES_MAX)
            ctn_json_put_bool(&b, "over", true);
        else
            ctn_json_put_int(&b, "againMs", in->now_ms + CTN_CHECK_AGAIN_MS * (c->checks_failed + 1));
    } else if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        ctn_json_put_bool(&b, "happened", true);
        ctn_json_put(&b, CTN_STR("result"), ctn_json_member_of(in->value, "result"));
        put_variables(x, rules, in, scratch, &b);
    } else {
        ctn_json_put_bool(&b, "happened", false);
        bool counts = in->peer_is_dead || in->now_ms >= c->settle_at_ms || ctn_json_bool_or(in->value, "final", false);
        if (!counts) { /* the first request may still arrive */
            int64_t again = in->now_ms + CTN_CHECK_AGAIN_MAX_MS;
            ctn_json_put_int(&b, "againMs", again < c->settle_at_ms ? again : c->settle_at_ms);
        }
    }
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_CHECKED, in->now_ms, in->step, in->attempt, ctn_json_finish(&b));
    return CTN_OK;
}

/* ---- people ---- */

static int find_step(const ctn_execution *x, ctn_str name, uint32_t *ret_step, ctn_err *err)
{
    *ret_step = ctn_plan_step_index(x->plan, name);
    if (*ret_step != CTN_PLAN_NONE)
        return CTN_OK;
    ctn_str names[64];
    size_t count = x->plan->step_count < 64 ? x->plan->step_count : 64;
    for (size_t i = 0; i < count; i++)
        names[i] = x->plan->steps[i].name;
    ctn_str near = ctn_str_nearest(name, names, count);
    return ctn_fail(err, CTN_E_NOT_FOUND, "the chain has no step %.*s%s%.*s%s", CTN_STR_ARG(name),
                    near.len ? "; did you mean " : "", CTN_STR_ARG(near), near.len ? "?" : "");
}

static int decide_answer(const ctn_execution *x, const ctn_input *in, ctn_arena *scratch, ctn_entry *ret_entry,
                         ctn_err *err)
{
    uint32_t step = CTN_PLAN_NONE;
    int rc = find_step(x, in->name, &step, err);
    if (rc)
        return rc;
    const work *w = ctn_x_work(x, step, CTN_ROLE_DO);
    if (x->has_ended)
        return refuse_ended(x, err);
    if (w->answer)
        return ctn_fail(err, CTN_E_STATE, "step %.*s was answered before; the first answer stands",
                        CTN_STR_ARG(in->name));
    if (w->phase != WORK_WAITING)
        return ctn_fail(err, CTN_E_STATE, "step %.*s does not wait for an answer: it is %s", CTN_STR_ARG(in->name),
                        ctn_step_status_name(ctn_execution_step(x, step).status));
    if (w->set->kind == CTN_SET_APPROVAL && !ctn_json_is_bool(ctn_json_member_of(in->value, "approved")))
        return ctn_fail(err, CTN_E_INVALID,
                        "step %.*s waits for a yes or no: answer {\"approved\": true} or {\"approved\": false}, with "
                        "\"comment\" if you like",
                        CTN_STR_ARG(in->name));
    if (w->set->who) {
        bool may = false;
        for (size_t i = 0; i < ctn_json_count(w->set->who); i++)
            may = may || ctn_str_equal(ctn_json_text(ctn_json_at(w->set->who, i)), in->actor);
        if (!may)
            return ctn_fail(err, CTN_E_DENIED, "%.*s may not answer step %.*s: only those it names in `who` may",
                            CTN_STR_ARG(actor_of(in)), CTN_STR_ARG(in->name));
    }
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put(&b, CTN_STR("answer"), in->value);
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_ANSWERED, in->now_ms, step, w->attempt, ctn_json_finish(&b));
    ret_entry->actor = actor_of(in);
    return CTN_OK;
}

/* name: of the call that is meant; empty: the first that asks. */
static bool asks(const work *w, ctn_str name, uint32_t *ret_call)
{
    *ret_call = 0;
    if (w->phase == WORK_ASKED) {
        while (*ret_call + 1 < w->set->call_count && w->calls[*ret_call].phase == CALL_DONE)
            ++*ret_call;
        return !name.len || ctn_str_equal(w->set->calls[*ret_call].name, name);
    }
    for (uint32_t i = 0; w->phase == WORK_RUNNING && w->calls && i < w->set->call_count; i++) {
        *ret_call = i;
        if (w->calls[i].phase == CALL_ASKED && (!name.len || ctn_str_equal(w->set->calls[i].name, name)))
            return true;
    }
    return false;
}

/* The step a settlement is about: the one that was named, or the only one that asks. "step/call" names a call of it,
 * so that what a person knows of one call is not taken for another that began to ask meanwhile. */
static int find_asking(const ctn_execution *x, const ctn_input *in, active_work *ret_work, uint32_t *ret_call,
                       ctn_err *err)
{
    uint32_t named = CTN_PLAN_NONE, found = 0;
    ctn_str call_name = in->name, step_name = ctn_str_cut(&call_name, '/');
    if (in->name.len) {
        int rc = find_step(x, step_name, &named, err);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < x->active_count; i++) {
        uint32_t call;
        active_work a = x->active[i];
        if ((named != CTN_PLAN_NONE && a.step != named) || !asks(ctn_x_work(x, a.step, a.role), call_name, &call))
            continue;
        *ret_work = a;
        *ret_call = call;
        found++;
    }
    if (found == 1 || (found && named != CTN_PLAN_NONE))
        return CTN_OK;
    if (found)
        return ctn_fail(err, CTN_E_INVALID, "several steps are interrupted: name one with --step");
    if (named != CTN_PLAN_NONE)
        return ctn_fail(err, CTN_E_STATE, "%s %.*s is not interrupted: %s is %s", call_name.len ? "call" : "step",
                        CTN_STR_ARG(in->name), call_name.len ? "its step" : "it",
                        ctn_step_status_name(ctn_execution_step(x, named).status));
    return ctn_fail(err, CTN_E_STATE, "no step is interrupted: the execution is %s",
                    ctn_status_name(ctn_execution_status(x)));
}

static int decide_settle(const ctn_execution *x, const ctn_input *in, ctn_arena *scratch, ctn_entry *ret_entry,
                         ctn_err *err)
{
    static const char *const what[] = {"retry", "succeed", "fail"};
    if (x->has_ended)
        return refuse_ended(x, err);
    active_work a = {0};
    uint32_t call = 0;
    int rc = find_asking(x, in, &a, &call, err);
    if (rc)
        return rc;
    const work *w = ctn_x_work(x, a.step, a.role);
    ctn_json_builder b = ctn_json_object(scratch);
    if (w->set->is_several)
        ctn_json_put_str(&b, "call", w->set->calls[call].name);
    if (a.role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    ctn_json_put_str(&b, "what", ctn_str_from(what[in->settle]));
    if (in->settle == CTN_SETTLE_SUCCEED)
        ctn_json_put(&b, CTN_STR("value"), in->value);
    if (in->settle == CTN_SETTLE_FAIL && in->not_happened)
        ctn_json_put_bool(&b, "notHappened", true);
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_DECISION, in->now_ms, a.step, w->attempt, ctn_json_finish(&b));
    ret_entry->actor = actor_of(in);
    return CTN_OK;
}

static int decide_set(const ctn_execution *x, const ctn_input *in, ctn_arena *scratch, ctn_entry *ret_entry,
                      ctn_err *err)
{
    ctn_status status = ctn_execution_status(x);
    if (x->has_ended)
        return refuse_ended(x, err);
    bool is_under_way = false;
    for (uint32_t i = 0; i < x->active_count; i++)
        is_under_way =
            is_under_way || ctn_x_any_call(ctn_x_work(x, x->active[i].step, x->active[i].role), CALL_RUNNING);
    if (is_under_way ||
        (status != CTN_STATUS_PAUSED && status != CTN_STATUS_WAITING && status != CTN_STATUS_INTERRUPTED))
        return ctn_fail(err, CTN_E_STATE,
                        "a variable can be set while the execution is paused, waiting or interrupted and no call is "
                        "under way; it is %s",
                        ctn_status_name(status));
    if (ctn_plan_slot(x->plan, in->name) == CTN_PLAN_NONE) {
        ctn_str near = ctn_str_nearest(in->name, x->plan->variables, x->plan->variable_count);
        return ctn_fail(err, CTN_E_NOT_FOUND, "the chain knows no variable %.*s%s%.*s%s", CTN_STR_ARG(in->name),
                        near.len ? "; did you mean " : "", CTN_STR_ARG(near), near.len ? "?" : "");
    }
    ctn_json_builder variables = ctn_json_object(scratch), b = ctn_json_object(scratch);
    ctn_json_put(&variables, in->name, in->value);
    ctn_json_put_str(&b, "what", CTN_STR("set"));
    ctn_json_put(&b, CTN_STR("variables"), ctn_json_finish(&variables));
    *ret_entry = ctn_x_entry(x, CTN_ENTRY_DECISION, in->now_ms, CTN_PLAN_NONE, 0, ctn_json_finish(&b));
    ret_entry->actor = actor_of(in);
    return CTN_OK;
}

static ctn_entry about_execution(const ctn_execution *x, const ctn_input *in, ctn_entry_kind kind, ctn_json_builder *b)
{
    ctn_entry e = ctn_x_entry(x, kind, in->now_ms, CTN_PLAN_NONE, 0, ctn_json_finish(b));
    e.actor = actor_of(in);
    return e;
}

static int decide_cancel(const ctn_execution *x, const ctn_input *in, ctn_arena *scratch, ctn_entry *ret_entry,
                         ctn_err *err)
{
    if (x->has_ended)
        return refuse_ended(x, err);
    if (x->is_stopping)
        return ctn_fail(err, CTN_E_STATE, "the execution is stopping already: it is %s",
                        ctn_status_name(ctn_execution_status(x)));
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "code", CTN_STR("cancelled"));
    ctn_json_put_str(&b, "message", in->message.len ? in->message : CTN_STR("cancelled on request"));
    *ret_entry = about_execution(x, in, CTN_ENTRY_CANCEL_REQUESTED, &b);
    return CTN_OK;
}

static int decide_pause(const ctn_execution *x, const ctn_input *in, ctn_arena *scratch, ctn_entry *ret_entry,
                        ctn_err *err)
{
    bool pause = in->kind == CTN_IN_PAUSE;
    if (x->has_ended)
        return refuse_ended(x, err);
    if (x->is_paused == pause || !x->is_started)
        return ctn_fail(err, CTN_E_STATE, "the execution is %s, not %s", ctn_status_name(ctn_execution_status(x)),
                        pause ? "running" : "paused");
    ctn_json_builder b = ctn_json_object(scratch);
    if (in->message.len)
        ctn_json_put_str(&b, "reason", in->message);
    if (!pause)
        ctn_json_put_str(&b, "cause", CTN_STR("resume"));
    *ret_entry = about_execution(x, in, pause ? CTN_ENTRY_PAUSED : CTN_ENTRY_RESUMED, &b);
    return CTN_OK;
}

/* Only what was under way has anything to hear: a purely waiting execution is loaded without a trace. */
static bool was_under_way(const ctn_execution *x, int64_t now_ms)
{
    for (uint32_t i = 0; i < x->active_count; i++) {
        const work *w = ctn_x_work(x, x->active[i].step, x->active[i].role);
        if (ctn_x_may_have_begun(x, x->active[i].step, x->active[i].role, now_ms) ||
            (w->phase == WORK_RUNNING && !ctn_x_any_call(w, CALL_ASKED)) || ctn_x_any_call(w, CALL_RUNNING))
            return true;
    }
    return false;
}

int ctn_execution_decide(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                         ctn_entry *ret_entry, ctn_err *err)
{
    ctn_json_builder b = ctn_json_object(scratch);
    switch (in->kind) {
    case CTN_IN_CALL_ENDED: return decide_call_ended(x, rules, in, scratch, ret_entry);
    case CTN_IN_CHECK_ENDED: return decide_check_ended(x, rules, in, scratch, ret_entry);
    case CTN_IN_ANSWER: return decide_answer(x, in, scratch, ret_entry, err);
    case CTN_IN_SETTLE: return decide_settle(x, in, scratch, ret_entry, err);
    case CTN_IN_SET: return decide_set(x, in, scratch, ret_entry, err);
    case CTN_IN_CANCEL: return decide_cancel(x, in, scratch, ret_entry, err);
    case CTN_IN_PAUSE:
    case CTN_IN_RESUME: return decide_pause(x, in, scratch, ret_entry, err);
    case CTN_IN_START:
        if (!x->is_queued || x->is_stopping)
            return CTN_E_STALE;
        *ret_entry = about_execution(x, in, CTN_ENTRY_STARTED, &b);
        return CTN_OK;
    case CTN_IN_RECOVERED:
        if (x->has_ended || !x->is_started || !was_under_way(x, in->now_ms))
            return CTN_E_STALE;
        ctn_json_put_str(&b, "cause", in->was_crash ? CTN_STR("crash") : CTN_STR("restart"));
        *ret_entry = about_execution(x, in, CTN_ENTRY_RESUMED, &b);
        return CTN_OK;
    }
    return CTN_E_STALE;
}
