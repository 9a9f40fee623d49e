/*
 * executions.c -- operations that start executions and change them.
 */
#include "host/told.h"
#include "server/api/execution.h"
#include "server/api/reveal.h"

/* ---- start ---- */

/* Its key has found an execution that was started with another input; of what may be sensitive nobody can tell. */
static bool is_another(ctn_api_call *call, ctn_execution_id id)
{
    ctn_execution_row row;
    const ctn_plan *plan = NULL;
    int64_t version;
    const ctn_json *input = ctn_json_member_of(call->body, "input"), *accepted = NULL;
    ctn_json_builder none = ctn_json_object(call->arena);
    if (!ctn_api_text(call->given, "Idempotency-Key").len ||
        ctn_store_execution_get(ctn_host_store(call->host), call->arena, id, &row, NULL) ||
        ctn_shelf_find(ctn_host_shelf(call->host), row.chain_id, call->caller->name, &plan, &version, NULL) ||
        plan->may_be_sensitive || row.chain_version != version)
        return false;
    input = input ? input : ctn_json_finish(&none);
    return ctn_plan_accept_input(plan, call->arena, input, &accepted, NULL) == CTN_OK &&
           !ctn_json_equal(accepted, ctn_told_parsed(call->arena, row.input));
}

static void tell_started(ctn_api_call *call, ctn_execution_id id)
{
    if (is_another(call, id))
        ctn_api_problem(call, 409, CTN_STR("header/Idempotency-Key"),
                        "the key was used before, with another input: execution %s", ctn_id_to_text(id).text);
    else if (ctn_api_wait_of(call))
        ctn_api_await_execution(call, id);
    else
        ctn_api_tell_head(call, id);
}

static void start_execution(ctn_api_call *call)
{
    ctn_err err = {0};
    ctn_str chain = ctn_api_text(call->body, "chain");
    const ctn_json *input = ctn_json_member_of(call->body, "input"),
                   *priority = ctn_json_member_of(call->body, "priority");
    ctn_json_builder none = ctn_json_object(call->arena);
    ctn_request q = {.op = CTN_REQUEST_START,
                     .input = input ? input : ctn_json_finish(&none),
                     .labels = ctn_json_member_of(call->body, "labels"),
                     .idempotency_key = ctn_api_own_key(call),
                     .is_queued = ctn_json_bool_or(call->body, "queued", false),
                     .has_priority = priority != NULL,
                     .priority = (int) ctn_json_int_or(call->body, "priority", 0),
                     .by = {.traceparent = ctn_api_text(call->given, "traceparent")}};
    ctn_access_object object = {.chain_id = chain, .tenant = call->caller->tenant, .labels = q.labels};
    if (!ctn_api_demand(call, CTN_ACTION_EXECUTIONS_START, &object))
        return;
    int rc =
        ctn_shelf_find(ctn_host_shelf(call->host), chain, call->caller->name, &q.known_plan, &q.known_version, &err);
    if (rc == CTN_E_NOT_FOUND)
        ctn_api_problem(call, 404, CTN_STR("/chain"), "%s", err.message);
    else if (rc)
        ctn_api_fail(call, &err);
    else
        ctn_api_file(call, CTN_ACTION_EXECUTIONS_START, &q, CTN_STR("/input"), tell_started);
}

/* ---- what is done to one that is there ---- */

static void get_execution(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_seal *seal = NULL;
    if (ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row) && ctn_api_reveal(call, &row, &seal))
        ctn_api_await_execution(call, row.id);
}

/* One that has ended is told as it ended. */
static void change(ctn_api_call *call, ctn_action action, ctn_request_op op)
{
    ctn_execution_row row;
    ctn_request q = {.op = op, .reason = ctn_api_text(call->body, "reason")};
    if (!ctn_api_find(call, action, &row))
        return;
    q.id = row.id;
    if (ctn_status_is_final(row.status))
        ctn_api_tell_changed(call, row.id);
    else
        ctn_api_file(call, action, &q, (ctn_str){0}, ctn_api_tell_changed);
}

static void cancel_execution(ctn_api_call *call)
{
    change(call, CTN_ACTION_EXECUTIONS_CANCEL, CTN_REQUEST_CANCEL);
}

static void pause_execution(ctn_api_call *call)
{
    change(call, CTN_ACTION_EXECUTIONS_PAUSE, CTN_REQUEST_PAUSE);
}

static void resume_execution(ctn_api_call *call)
{
    change(call, CTN_ACTION_EXECUTIONS_PAUSE, CTN_REQUEST_RESUME);
}

/* What is said of one that must go on. */
static bool find_open(ctn_api_call *call, ctn_action action, ctn_execution_row *ret_row)
{
    if (!ctn_api_find(call, action, ret_row))
        return false;
    if (!ctn_status_is_final(ret_row->status))
        return true;
    ctn_api_problem(call, 409, CTN_STR("path/id"), "the execution %s has ended (%s): nothing of it can be changed",
                    ctn_id_to_text(ret_row->id).text, ctn_status_name(ret_row->status));
    return false;
}

static void decide(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_str decision = ctn_api_text(call->body, "decision");
    ctn_request q = {.op = CTN_REQUEST_SETTLE,
                     .name = ctn_api_text(call->body, "step"),
                     .value = ctn_json_member_of(call->body, "result"),
                     .not_happened = ctn_json_bool_or(call->body, "notHappened", false),
                     .reason = ctn_api_text(call->body, "reason"),
                     .settle = ctn_str_is(decision, "retry")     ? CTN_SETTLE_RETRY
                               : ctn_str_is(decision, "succeed") ? CTN_SETTLE_SUCCEED
                                                                 : CTN_SETTLE_FAIL};
    if (q.settle == CTN_SETTLE_SUCCEED && !q.value)
        ctn_api_problem(call, 422, CTN_STR("/result"),
                        "with `succeed` the call's result is needed: the chain goes on with it");
    else if (q.settle != CTN_SETTLE_SUCCEED && q.value)
        ctn_api_problem(call, 422, CTN_STR("/result"), "a result belongs to `succeed`");
    else if (q.settle != CTN_SETTLE_FAIL && q.not_happened)
        ctn_api_problem(call, 422, CTN_STR("/notHappened"), "notHappened belongs to `fail`");
    else if (find_open(call, CTN_ACTION_EXECUTIONS_DECIDE, &row)) {
        q.id = row.id;
        ctn_api_file(call, CTN_ACTION_EXECUTIONS_DECIDE, &q, CTN_STR("/decision"), ctn_api_tell_changed);
    }
}

static void set_variable(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_request q = {.op = CTN_REQUEST_SET,
                     .name = ctn_api_text(call->body, "variable"),
                     .value = ctn_json_member_of(call->body, "value"),
                     .reason = ctn_api_text(call->body, "reason")};
    if (!find_open(call, CTN_ACTION_EXECUTIONS_DECIDE, &row))
        return;
    q.id = row.id;
    ctn_api_file(call, CTN_ACTION_EXECUTIONS_DECIDE, &q, CTN_STR("/value"), ctn_api_tell_changed);
}

static void answer_step(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_request q = {.op = CTN_REQUEST_ANSWER,
                     .name = ctn_api_text(call->body, "step"),
                     .value = ctn_json_member_of(call->body, "answer")};
    if (!find_open(call, CTN_ACTION_EXECUTIONS_ANSWER, &row))
        return;
    q.id = row.id;
    ctn_api_file(call, CTN_ACTION_EXECUTIONS_ANSWER, &q, CTN_STR("/answer"), ctn_api_tell_changed);
}

/* clang-format off */
const ctn_api_operation ctn_api_executions[] = {
    {"startExecution", start_execution},
    {"getExecution", get_execution},
    {"cancelExecution", cancel_execution},
    {"pauseExecution", pause_execution},
    {"resumeExecution", resume_execution},
    {"decideExecution", decide},
    {"setVariable", set_variable},
    {"answerStep", answer_step},
    {0},
};
