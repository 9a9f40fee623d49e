/*
 * executions.c -- operations that start executions and change them.
 */
#include "server/api/execution.h"

/* ---- start ---- */

/* Kept apart from those of other callers, and of other ways in. */
static ctn_str own_key(const ctn_api_call *call)
{
    ctn_str key = ctn_api_text(call->given, "Idempotency-Key"), name = call->caller->name;
    return key.len ? ctn_arena_printf(call->arena, "api:%zu:%.*s:%.*s", name.len, CTN_STR_ARG(name), CTN_STR_ARG(key))
                   : key;
}

static void tell_started(ctn_api_call *call, ctn_execution_id id)
{
    ctn_api_await_execution(call, id);
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
                     .idempotency_key = own_key(call),
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
    if (ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row))
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
        ctn_api_tell_execution(call, row.id);
    else
        ctn_api_file(call, action, &q, (ctn_str){0}, ctn_api_await_execution);
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

const ctn_api_operation ctn_api_executions[] = {
    {"startExecution", start_execution}, {"getExecution", get_execution},       {"cancelExecution", cancel_execution},
    {"pauseExecution", pause_execution}, {"resumeExecution", resume_execution}, {0},
};
