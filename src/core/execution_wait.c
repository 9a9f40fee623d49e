/*
 * execution_wait.c -- steps that wait for people or for time: what they ask, and what the answer, or none, gives.
 */
#include "core/execution_judge.h"

#include "base/plant.h"
#include "value/calendar.h"

static ctn_failure ask_for_approval(const judge *j, const work *w, ctn_json_builder *b, ctn_err *err)
{
    const ctn_plan_set *set = w->set;
    const ctn_json *value = NULL;
    ctn_json_put_str(b, "for", CTN_STR("approval"));
    if (set->who)
        ctn_json_put(b, CTN_STR("who"), set->who);
    if (!set->message)
        return CTN_FAILURE_NONE;
    ctn_failure failure = ctn_x_render_set_text(j, w, set->message, &value, err);
    if (!failure)
        ctn_json_put_str(b, "message", ctn_value_to_text(j->scratch, value));
    return failure;
}

static ctn_failure ask_agent(const judge *j, const work *w, ctn_json_builder *b, ctn_err *err)
{
    const ctn_plan_set *set = w->set;
    const ctn_json *input = NULL;
    ctn_failure failure = ctn_x_render_input(j, w, &input, err);
    ctn_json_put_str(b, "for", CTN_STR("agent"));
    if (set->instructions)
        ctn_json_put(b, CTN_STR("instructions"), set->instructions);
    ctn_json_put(b, CTN_STR("input"), input);
    if (set->answer_schema_source)
        ctn_json_put(b, CTN_STR("schema"), set->answer_schema_source);
    return failure;
}

static ctn_failure wait_until(const judge *j, const work *w, int64_t *ret_until_ms, ctn_err *err)
{
    const ctn_plan_set *set = w->set;
    int64_t until_ms = j->now_ms + (set->wait_ms > 0 ? set->wait_ms : 0);
    until_ms -= CTN_PLANT(WAIT_ENDS_EARLY) && set->wait_ms > 100 ? 100 : 0;
    if (set->until) {
        const ctn_json *value = NULL;
        ctn_failure failure = ctn_x_render_set_text(j, w, set->until, &value, err);
        ctn_time until;
        if (failure)
            return failure;
        if (!ctn_time_of(value, &until)) {
            ctn_fail(err, CTN_E_INVALID, "wait until: not a time (RFC 3339 text or milliseconds since 1970)");
            return CTN_FAILURE_INVALID_INPUT;
        }
        until_ms = until.at_ms;
    }
    *ret_until_ms = until_ms > 0 ? until_ms : 1;
    return CTN_FAILURE_NONE;
}

ctn_entry ctn_x_begin_wait(const judge *j, const work *w)
{
    const ctn_plan_set *set = w->set;
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_err err = {0};
    ctn_failure failure = CTN_FAILURE_NONE;
    int64_t until_ms = 0;
    if (set->kind == CTN_SET_APPROVAL) {
        failure = ask_for_approval(j, w, &b, &err);
        until_ms = set->answer_timeout_ms ? j->now_ms + set->answer_timeout_ms : 0;
    } else if (set->kind == CTN_SET_AGENT) {
        failure = ask_agent(j, w, &b, &err);
    } else {
        ctn_json_put_str(&b, "for", CTN_STR("answer"));
        if (set->answer_schema_source)
            ctn_json_put(&b, CTN_STR("schema"), set->answer_schema_source);
        failure = wait_until(j, w, &until_ms, &err);
    }
    const ctn_plan_step *p = w->task->plan;
    int64_t timeout_ms = p->timeout_ms ? p->timeout_ms : set->timeout_ms; /* 0 unless somebody said so */
    bool expires = timeout_ms && (!until_ms || j->now_ms + timeout_ms < until_ms);
    if (until_ms || expires)
        ctn_json_put_int(&b, "untilMs", expires ? j->now_ms + timeout_ms : until_ms);
    if (expires)
        ctn_json_put_bool(&b, "expires", true);
    if (failure)
        return ctn_x_fail_unsent(j, w, 0, failure, &err);
    return ctn_x_entry(j, CTN_ENTRY_WAITING, w, w->attempt + 1, &b);
}

static const ctn_json *approval_value(const judge *j, const ctn_json *answer, ctn_str by, int64_t at_ms)
{
    char at[25];
    ctn_time_format(at_ms, at);
    ctn_json_builder b = ctn_json_object(j->scratch);
    ctn_json_put_bool(&b, "approved", ctn_json_bool_or(answer, "approved", false));
    ctn_json_put_str(&b, "by", by);
    ctn_json_put(&b, CTN_STR("comment"), ctn_json_member_of(answer, "comment"));
    ctn_json_put_str(&b, "at", ctn_str_from(at));
    return ctn_json_finish(&b);
}

ctn_entry ctn_x_end_wait(const judge *j, const work *w)
{
    const ctn_json *value;
    bool is_answered = w->phase == WORK_ANSWERED;
    if (w->expires && !is_answered) {
        failure_report report = {
            .failure = CTN_FAILURE_TIMEOUT, .was_sent = true, .message = CTN_STR("the step's timeoutMs is over")};
        return ctn_x_fail(j, w, 0, &report);
    }
    if (w->set->kind == CTN_SET_AGENT) {
        value = w->answer;
    } else if (w->set->kind == CTN_SET_WAIT) {
        ctn_json_builder empty = ctn_json_object(j->scratch);
        value = is_answered ? w->answer : ctn_json_finish(&empty);
    } else if (is_answered) {
        value = approval_value(j, w->answer, w->answered_by, w->due_ms);
    } else if (w->set->on_timeout == CTN_ON_TIMEOUT_FAIL) {
        failure_report report = {
            .failure = CTN_FAILURE_TIMEOUT, .is_final = true, .message = CTN_STR("nobody answered in time")};
        return ctn_x_fail(j, w, 0, &report);
    } else {
        ctn_json_builder b = ctn_json_object(j->scratch);
        ctn_json_put_bool(&b, "approved", w->set->on_timeout == CTN_ON_TIMEOUT_APPROVE);
        value = approval_value(j, ctn_json_finish(&b), CTN_STR("timeout"), j->now_ms);
    }
    return ctn_x_succeed(j, w, 0, value, NULL, false);
}
