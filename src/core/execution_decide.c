/*
 * execution_decide.c -- inputs from outside: may this happen, and as which entry?
 *
 * A refusal changes nothing and says why. Results of calls that are no longer waited for are stale: slow is not
 * dead, and a late answer of attempt 1 must not end attempt 2.
 */
#include "core/execution_judge.h"

#include "base/plant.h"

/* A check that does not answer is asked again so often, so much later, before a person is. */
#define CHECK_TRIES_MAX    3
#define CHECK_AGAIN_MS     1000
#define CHECK_AGAIN_MAX_MS 5000

static int refuse_ended(const judge *j, ctn_err *err)
{
    return ctn_fail(err, CTN_E_STATE, "the execution has ended: it is %s", ctn_status_name(ctn_execution_status(j->x)));
}

/* ---- ends of calls ---- */

/* The work that an end is about; NULL: that attempt is over. */
static const work *work_of(const judge *j, const ctn_input *in)
{
    const task *t = j->x->has_ended ? NULL : ctn_x_task(j->x, in->step, in->item);
    return t && t->work[in->role].attempt == in->attempt ? &t->work[in->role] : NULL;
}

static failure_report report_of(const ctn_input *in)
{
    return (failure_report){
        .failure = in->failure,
        .message = in->message,
        .was_sent = in->was_sent,
        .peer_is_dead = in->peer_is_dead,
        .retry_after_ms = in->retry_after_ms,
        .was_done = (in->failure == CTN_FAILURE_INVALID_OUTPUT || in->failure == CTN_FAILURE_LIMIT) &&
                    in->was_sent, /* it answered, though not well */
        .used = &in->used,
        .sent_at_ms = in->begun_at_ms,
    };
}

static int decide_call_ended(const judge *j, const ctn_input *in, ctn_entry *ret_entry)
{
    const work *w = work_of(j, in);
    if (!w || w->phase != WORK_RUNNING || in->call >= ctn_x_call_count(w) || w->calls[in->call].phase != CALL_RUNNING)
        return CTN_E_STALE;
    if (in->asks) {
        *ret_entry = ctn_x_ask(j, w, in->call, in);
        return CTN_OK;
    }
    failure_report report = report_of(in);
    *ret_entry =
        in->failure ? ctn_x_fail(j, w, in->call, &report) : ctn_x_succeed(j, w, in->call, in->value, &in->used, false);
    return CTN_OK;
}

static int decide_call_accepted(const judge *j, const ctn_input *in, ctn_entry *ret_entry)
{
    const work *w = work_of(j, in);
    if (!w || w->phase != WORK_RUNNING || in->call >= ctn_x_call_count(w) || w->calls[in->call].phase != CALL_RUNNING)
        return CTN_E_STALE;
    *ret_entry = ctn_x_accept(j, w, in->call, in);
    return CTN_OK;
}

/* Of a child that was undone the value says how it ended. */
static int decide_child_ended(const judge *j, const ctn_input *in, ctn_entry *ret_entry)
{
    const work *w = work_of(j, in);
    if (!w || w->phase != WORK_CHILD)
        return CTN_E_STALE;
    failure_report report = report_of(in);
    report.used = NULL;
    if (report.failure && w->due_ms && j->now_ms >= w->due_ms) { /* it was told to stop, for it took too long */
        report.failure = CTN_FAILURE_TIMEOUT;
        report.message = CTN_STR("the step's timeoutMs is over");
    }
    *ret_entry = report.failure ? ctn_x_fail(j, w, 0, &report) : ctn_x_succeed(j, w, 0, in->value, NULL, false);
    return CTN_OK;
}

/* While the chain is undone, a check that says yes tells what there is to undo. */
static void put_variables(const judge *j, const work *w, const ctn_input *in, ctn_json_builder *b)
{
    const ctn_json *variables = NULL, *result = ctn_json_member_of(in->value, "result");
    if (j->x->is_undoing && w->role == CTN_ROLE_DO && !w->set->is_several &&
        ctn_x_take(j, w, in->call, result, &variables, NULL) == CTN_FAILURE_NONE)
        ctn_json_put(b, CTN_STR("variables"), variables);
}

static int decide_check_ended(const judge *j, const ctn_input *in, ctn_entry *ret_entry)
{
    const work *w = work_of(j, in);
    if (!w || in->call >= ctn_x_call_count(w) || !ctn_x_wants_check(w, &w->calls[in->call]))
        return CTN_E_STALE;
    const call_state *c = &w->calls[in->call];
    ctn_json_builder b = ctn_x_body_of_either(j, w, in->call);
    const ctn_json *happened = in->failure ? NULL : ctn_json_member_of(in->value, "happened");
    if (!ctn_json_is_bool(happened)) { /* it cannot tell, or not now */
        ctn_json_put(&b, CTN_STR("happened"), NULL);
        ctn_json_put_str(&b, "message",
                         in->failure ? in->message : CTN_STR("the check did not say whether it happened"));
        if (c->checks_failed + 1 >= CHECK_TRIES_MAX)
            ctn_json_put_bool(&b, "over", true);
        else
            ctn_json_put_int(&b, "againMs", j->now_ms + CHECK_AGAIN_MS * (c->checks_failed + 1));
    } else if (ctn_json_is(happened, CTN_JSON_TRUE)) {
        ctn_json_put_bool(&b, "happened", true);
        ctn_json_put(&b, CTN_STR("result"), ctn_json_member_of(in->value, "result"));
        put_variables(j, w, in, &b);
    } else {
        ctn_json_put_bool(&b, "happened", false);
        int64_t asked_at_ms = in->begun_at_ms ? in->begun_at_ms : j->now_ms;
        /* "final": false: whom we called has ended, but not everything that he had asked others for */
        const ctn_json *final = ctn_json_member_of(in->value, "final");
        bool is_over = ctn_json_is_bool(final) ? ctn_json_is(final, CTN_JSON_TRUE) : in->peer_is_dead;
        bool counts = CTN_PLANT(NO_OF_CHECK_AT_ONCE) || is_over || asked_at_ms >= c->settle_at_ms;
        if (!counts) { /* the first request may still arrive */
            int64_t again = j->now_ms + CHECK_AGAIN_MAX_MS;
            ctn_json_put_int(&b, "againMs", again < c->settle_at_ms ? again : c->settle_at_ms);
        }
    }
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_CHECKED, w, in->attempt, &b);
    return CTN_OK;
}

/* ---- people ---- */

/* "book", or "book[3]" of a foreach. */
static int find_step(const judge *j, ctn_str name, uint32_t *ret_step, int64_t *ret_item, ctn_err *err)
{
    ctn_str plain = name;
    *ret_item = -1;
    const char *bracket = name.len && name.ptr[name.len - 1] == ']' ? memchr(name.ptr, '[', name.len) : NULL;
    if (bracket) {
        plain.len = (size_t) (bracket - name.ptr);
        ctn_str digits = {bracket + 1, name.len - plain.len - 2};
        int64_t item = digits.len && digits.len < 18 ? 0 : -1;
        for (size_t i = 0; item >= 0 && i < digits.len; i++)
            item = digits.ptr[i] >= '0' && digits.ptr[i] <= '9' ? 10 * item + (digits.ptr[i] - '0') : -1;
        if (item < 0)
            return ctn_fail(err, CTN_E_INVALID, "%.*s: an item is named by its number, like %.*s[0]", CTN_STR_ARG(name),
                            CTN_STR_ARG(plain));
        *ret_item = item;
    }
    *ret_step = ctn_plan_step_index(j->x->plan, plain);
    if (*ret_step != CTN_PLAN_NONE)
        return CTN_OK;
    ctn_str names[64];
    size_t count = j->x->plan->step_count < 64 ? j->x->plan->step_count : 64;
    for (size_t i = 0; i < count; i++)
        names[i] = j->x->plan->steps[i].name;
    ctn_str near = ctn_str_nearest(plain, names, count);
    return ctn_fail(err, CTN_E_NOT_FOUND, "the chain has no step %.*s%s%.*s%s", CTN_STR_ARG(plain),
                    near.len ? "; did you mean " : "", CTN_STR_ARG(near), near.len ? "?" : "");
}

/* What an answer is for: a work that waits, or a call that does. */
typedef struct waiting {
    const work *w;
    uint32_t call; /* NO_CALL: the work as a whole */
    uint32_t count;
} waiting;
#define NO_CALL UINT32_MAX

static void look_for_waiting(const work *w, ctn_str call_name, waiting *found)
{
    if (w->phase == WORK_WAITING && !call_name.len)
        *found = (waiting){w, NO_CALL, found->count + 1};
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++)
        if (w->calls[i].phase == CALL_WAITING && (!call_name.len || ctn_str_equal(w->set->calls[i].name, call_name)))
            *found = (waiting){w, i, found->count + 1};
}

/* By its name: an item, or the call of several, may be left out when only one of them waits. */
static int find_waiting(const judge *j, ctn_str name, waiting *ret_found, ctn_err *err)
{
    uint32_t step = CTN_PLAN_NONE;
    int64_t item = -1;
    ctn_str call_name = name, step_name = ctn_str_cut(&call_name, '/');
    int rc = find_step(j, step_name, &step, &item, err);
    if (rc)
        return rc;
    const task *t = ctn_x_task(j->x, step, item);
    if (!t)
        return ctn_fail(err, CTN_E_STATE, "%.*s is not under way", CTN_STR_ARG(name));
    waiting found = {.w = &t->work[CTN_ROLE_DO], .call = NO_CALL};
    for (uint32_t i = 0; i < j->x->active_count; i++) {
        const work *w = j->x->active[i];
        if (w->task->step == step && (item < 0 || w->task->item == item))
            look_for_waiting(w, call_name, &found);
    }
    *ret_found = found;
    if (found.count > 1 && item < 0 && found.w->task->item >= 0)
        return ctn_fail(err, CTN_E_INVALID, "several items of %.*s wait: name one, like %.*s[%lld]",
                        CTN_STR_ARG(step_name), CTN_STR_ARG(step_name), (long long) found.w->task->item);
    if (found.count > 1)
        return ctn_fail(err, CTN_E_INVALID, "several calls of %.*s wait: name one, like %.*s/%.*s",
                        CTN_STR_ARG(step_name), CTN_STR_ARG(step_name),
                        CTN_STR_ARG(found.w->set->calls[found.call].name));
    return CTN_OK;
}

static bool was_answered(const work *w)
{
    bool was = w->answer != NULL;
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++)
        was = was || w->calls[i].answers;
    return was;
}

/* What a step that is a wait may be given. */
static int check_wait(const judge *j, const ctn_input *in, const work *w, ctn_err *err)
{
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
                            CTN_STR_ARG(j->actor), CTN_STR_ARG(in->name));
    }
    if (w->set->answer_schema && ctn_schema_validate(w->set->answer_schema, in->value, j->scratch, err)) {
        if (ctn_sensitive_step(j->x->sensitivity, w->task->step))
            ctn_fail(err, CTN_E_INVALID, "what is wrong with a sensitive value is not told");
        return ctn_wrap(err, CTN_E_INVALID, "the answer does not fit what step %.*s asks for", CTN_STR_ARG(in->name));
    }
    return CTN_OK;
}

static int decide_answer(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    waiting found = {0};
    int rc = find_waiting(j, in->name, &found, err);
    if (rc)
        return rc;
    const work *w = found.w;
    if (j->x->has_ended)
        return refuse_ended(j, err);
    if (!found.count && was_answered(w))
        return ctn_fail(err, CTN_E_STATE, "step %.*s was answered before; the first answer stands",
                        CTN_STR_ARG(in->name));
    if (!found.count)
        return ctn_fail(err, CTN_E_STATE, "step %.*s does not wait for an answer: it is %s", CTN_STR_ARG(in->name),
                        ctn_step_status_name(ctn_execution_step(j->x, w->task->step).status));
    bool is_call = found.call != NO_CALL;
    const ctn_json *answer = in->value;
    rc = is_call ? ctn_x_check_answers(j, w, found.call, in->value, &answer, err) : check_wait(j, in, w, err);
    if (rc == CTN_OK)
        rc = ctn_x_check_given(j, CTN_STR("the answer"), CTN_PLAN_NONE, answer, err);
    if (rc)
        return rc;
    ctn_json_builder b = is_call ? ctn_x_body_of_either(j, w, found.call) : ctn_json_object(j->scratch);
    ctn_json_put(&b, CTN_STR("answer"), answer);
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_ANSWERED, w, w->attempt, &b);
    return CTN_OK;
}

/* name: of the call that is meant; empty: the first that asks. */
static bool asks(const work *w, ctn_str name, uint32_t *ret_call)
{
    *ret_call = 0;
    if (w->phase == WORK_ASKED) {
        while (*ret_call + 1 < ctn_x_call_count(w) && w->calls[*ret_call].phase == CALL_DONE)
            ++*ret_call;
        return !name.len || ctn_str_equal(w->set->calls[*ret_call].name, name);
    }
    for (uint32_t i = 0; w->phase == WORK_RUNNING && i < ctn_x_call_count(w); i++) {
        *ret_call = i;
        if (w->calls[i].phase == CALL_ASKED && (!name.len || ctn_str_equal(w->set->calls[i].name, name)))
            return true;
    }
    return false;
}

/* The step a settlement is about: the one that was named, or the only one that asks. "step/call" names a call of it,
 * so that what a person knows of one call is not taken for another that began to ask meanwhile. */
static int find_asking(const judge *j, const ctn_input *in, const work **ret_work, uint32_t *ret_call, ctn_err *err)
{
    uint32_t named = CTN_PLAN_NONE, found = 0;
    ctn_str call_name = in->name, step_name = ctn_str_cut(&call_name, '/');
    int64_t item = -1;
    if (in->name.len) {
        int rc = find_step(j, step_name, &named, &item, err);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < j->x->active_count; i++) {
        uint32_t call;
        const work *w = j->x->active[i];
        if ((named != CTN_PLAN_NONE && w->task->step != named) || (item >= 0 && w->task->item != item) ||
            !asks(w, call_name, &call))
            continue;
        *ret_work = w;
        *ret_call = call;
        found++;
    }
    bool is_item = found && (*ret_work)->task->item >= 0 && item < 0;
    if (found == 1 || (found && named != CTN_PLAN_NONE && !is_item))
        return CTN_OK;
    if (found)
        return ctn_fail(err, CTN_E_INVALID, "several steps are interrupted: name one with --step%s",
                        is_item ? ", like NAME[0]" : "");
    if (named != CTN_PLAN_NONE)
        return ctn_fail(err, CTN_E_STATE, "%s %.*s is not interrupted: %s is %s", call_name.len ? "call" : "step",
                        CTN_STR_ARG(in->name), call_name.len ? "its step" : "it",
                        ctn_step_status_name(ctn_execution_step(j->x, named).status));
    return ctn_fail(err, CTN_E_STATE, "no step is interrupted: the execution is %s",
                    ctn_status_name(ctn_execution_status(j->x)));
}

/* A budget that is used up is granted once more, or the execution ends. */
static int decide_budget(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    if (in->settle == CTN_SETTLE_SUCCEED)
        return ctn_fail(err, CTN_E_INVALID,
                        "the execution waits for its budget: --retry grants it once more, --fail ends it");
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "what", in->settle == CTN_SETTLE_RETRY ? CTN_STR("retry") : CTN_STR("fail"));
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_DECISION, NULL, 0, &b);
    return CTN_OK;
}

static int decide_settle(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    static const char *const what[] = {"retry", "succeed", "fail"};
    if (j->x->has_ended)
        return refuse_ended(j, err);
    if (j->x->budget.is_awaited && !in->name.len)
        return decide_budget(j, in, ret_entry, err);
    const work *w = NULL;
    uint32_t call = 0;
    int rc = find_asking(j, in, &w, &call, err);
    if (rc == CTN_OK && in->settle == CTN_SETTLE_SUCCEED)
        rc = ctn_x_check_given(j, CTN_STR("the result"), CTN_PLAN_NONE, in->value, err);
    if (rc)
        return rc;
    ctn_json_builder b = ctn_x_body_of_either(j, w, call);
    ctn_json_put_str(&b, "what", ctn_str_from(what[in->settle]));
    if (in->settle == CTN_SETTLE_SUCCEED)
        ctn_json_put(&b, CTN_STR("value"), in->value);
    if (in->settle == CTN_SETTLE_FAIL && in->not_happened)
        ctn_json_put_bool(&b, "notHappened", true);
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_DECISION, w, w->attempt, &b);
    return CTN_OK;
}

static int decide_set(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    ctn_status status = ctn_execution_status(j->x);
    if (j->x->has_ended)
        return refuse_ended(j, err);
    bool is_under_way = false;
    for (uint32_t i = 0; i < j->x->active_count; i++)
        is_under_way = is_under_way || ctn_x_any_call(j->x->active[i], CALL_RUNNING);
    if (is_under_way ||
        (status != CTN_STATUS_PAUSED && status != CTN_STATUS_WAITING && status != CTN_STATUS_INTERRUPTED))
        return ctn_fail(err, CTN_E_STATE,
                        "a variable can be set while the execution is paused, waiting or interrupted and no call is "
                        "under way; it is %s",
                        ctn_status_name(status));
    if (ctn_plan_slot(j->x->plan, in->name) == CTN_PLAN_NONE) {
        ctn_str near = ctn_str_nearest(in->name, j->x->plan->variables, j->x->plan->variable_count);
        return ctn_fail(err, CTN_E_NOT_FOUND, "the chain knows no variable %.*s%s%.*s%s", CTN_STR_ARG(in->name),
                        near.len ? "; did you mean " : "", CTN_STR_ARG(near), near.len ? "?" : "");
    }
    int rc = ctn_x_check_given(j, in->name, ctn_plan_slot(j->x->plan, in->name), in->value, err);
    if (rc)
        return rc;
    ctn_json_builder variables = ctn_json_object(j->scratch), b = ctn_json_object(j->scratch);
    ctn_json_put(&variables, in->name, in->value);
    ctn_json_put_str(&b, "what", CTN_STR("set"));
    ctn_json_put(&b, CTN_STR("variables"), ctn_json_finish(&variables));
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_DECISION, NULL, 0, &b);
    return CTN_OK;
}

static int decide_cancel(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    if (j->x->has_ended)
        return refuse_ended(j, err);
    if (j->x->is_stopping)
        return ctn_fail(err, CTN_E_STATE, "the execution is stopping already: it is %s",
                        ctn_status_name(ctn_execution_status(j->x)));
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "code", CTN_STR("cancelled"));
    ctn_json_put_str(&b, "message", in->message.len ? in->message : CTN_STR("cancelled on request"));
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_CANCEL_REQUESTED, NULL, 0, &b);
    return CTN_OK;
}

/* Of a completed sub-chain whose parent is rolled back. */
static int decide_undo(const judge *j, ctn_entry *ret_entry, ctn_err *err)
{
    if (!j->x->has_ended || j->x->end.status != CTN_STATUS_COMPLETED || j->x->parent.depth == 0)
        return ctn_fail(err, CTN_E_STATE, "only a completed sub-chain is undone with its parent; this one is %s",
                        ctn_status_name(ctn_execution_status(j->x)));
    if (!j->x->plan->is_rollback_enabled)
        return ctn_fail(err, CTN_E_UNSUPPORTED, "the chain %.*s has nothing to undo",
                        CTN_STR_ARG(j->x->plan->chain_id));
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_str(&b, "code", CTN_STR("cancelled"));
    ctn_json_put_str(&b, "message", CTN_STR("undone with the chain that called it"));
    ctn_json_put_bool(&b, "reopens", true);
    *ret_entry = ctn_x_entry(j, CTN_ENTRY_CANCEL_REQUESTED, NULL, 0, &b);
    return CTN_OK;
}

static int decide_pause(const judge *j, const ctn_input *in, ctn_entry *ret_entry, ctn_err *err)
{
    bool pause = in->kind == CTN_IN_PAUSE;
    if (j->x->has_ended)
        return refuse_ended(j, err);
    if (j->x->is_paused == pause || !j->x->is_started)
        return ctn_fail(err, CTN_E_STATE, "the execution is %s, not %s", ctn_status_name(ctn_execution_status(j->x)),
                        pause ? "running" : "paused");
    ctn_json_builder b = ctn_json_object(j->scratch);
    if (in->message.len)
        ctn_json_put_str(&b, "reason", in->message);
    if (!pause && ctn_str_is(in->message, CTN_WITH_PARENT) && !j->x->pause.is_with_parent)
        return ctn_fail(err, CTN_E_STATE, "it was paused by itself, not with the chain that called it");
    if (!pause)
        ctn_json_put_str(&b, "cause", CTN_STR("resume"));
    *ret_entry = ctn_x_entry(j, pause ? CTN_ENTRY_PAUSED : CTN_ENTRY_RESUMED, NULL, 0, &b);
    return CTN_OK;
}

/* Only what was under way has anything to hear: a purely waiting execution is loaded without a trace. */
static bool was_under_way(const judge *j)
{
    for (uint32_t i = 0; i < j->x->active_count; i++) {
        const work *w = j->x->active[i];
        if (ctn_x_may_have_begun(j->x, w, j->now_ms) || (w->phase == WORK_RUNNING && !ctn_x_is_for_people(w)))
            return true;
    }
    return false;
}

int ctn_execution_decide(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                         ctn_entry *ret_entry, ctn_err *err)
{
    const judge now = {.x = x,
                       .rules = rules,
                       .now_ms = in->now_ms,
                       .entropy = in->entropy,
                       .actor = in->actor.len ? in->actor : CTN_STR("engine"),
                       .scratch = scratch};
    const judge *j = &now;
    ctn_json_builder b = ctn_json_object(scratch);
    switch (in->kind) {
    case CTN_IN_CALL_ENDED: return decide_call_ended(j, in, ret_entry);
    case CTN_IN_CALL_ACCEPTED: return decide_call_accepted(j, in, ret_entry);
    case CTN_IN_CHECK_ENDED: return decide_check_ended(j, in, ret_entry);
    case CTN_IN_ANSWER: return decide_answer(j, in, ret_entry, err);
    case CTN_IN_SETTLE: return decide_settle(j, in, ret_entry, err);
    case CTN_IN_SET: return decide_set(j, in, ret_entry, err);
    case CTN_IN_CHILD_ENDED: return decide_child_ended(j, in, ret_entry);
    case CTN_IN_UNDO: return decide_undo(j, ret_entry, err);
    case CTN_IN_CANCEL: return decide_cancel(j, in, ret_entry, err);
    case CTN_IN_PAUSE:
    case CTN_IN_RESUME: return decide_pause(j, in, ret_entry, err);
    case CTN_IN_START:
        if (!x->is_queued || x->is_stopping)
            return CTN_E_STALE;
        *ret_entry = ctn_x_entry(j, CTN_ENTRY_STARTED, NULL, 0, &b);
        return CTN_OK;
    case CTN_IN_RECOVERED:
        if (x->has_ended || !x->is_started || !was_under_way(j))
            return CTN_E_STALE;
        ctn_json_put_str(&b, "cause", in->was_crash ? CTN_STR("crash") : CTN_STR("restart"));
        if (in->was_elsewhere)
            ctn_json_put_bool(&b, "elsewhere", true);
        *ret_entry = ctn_x_entry(j, CTN_ENTRY_RESUMED, NULL, 0, &b);
        return CTN_OK;
    }
    return CTN_E_STALE;
}
