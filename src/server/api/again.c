/*
 * again.c -- rerun and fork: a new execution that reuses what stands of one that has ended.
 */
#include "host/again.h"
#include "server/api/execution.h"

/* What would be written a second time is told, so that it can be named. */
static void refuse(ctn_api_call *call, const ctn_again *told, const ctn_err *err)
{
    ctn_str names = {0};
    if (!told->rerun.unnamed_count || err->code != CTN_E_DENIED) {
        ctn_api_fail(call, err);
        return;
    }
    for (size_t i = 0; i < told->rerun.unnamed_count; i++)
        names = ctn_arena_printf(call->arena, "%.*s%s\"%.*s\"", CTN_STR_ARG(names), names.len ? ", " : "",
                                 CTN_STR_ARG(told->rerun.unnamed_writes[i]));
    ctn_api_problem(call, 409, CTN_STR("/writes"), "%s; name them to have them done again: \"writes\": [%.*s]",
                    err->message, CTN_STR_ARG(names));
}

static void start_again(ctn_api_call *call, const char *from, bool newest)
{
    ctn_execution_row row;
    ctn_again told;
    ctn_err err = {0};
    ctn_request q = {.op = CTN_REQUEST_START};
    ctn_plan *plan = NULL;
    const ctn_json *writes = ctn_json_member_of(call->body, "writes");
    ctn_again_options o = {.ws = ctn_host_workspace(call->host),
                           .store = ctn_host_store(call->host),
                           .seal = ctn_host_seal(call->host),
                           .row = &row,
                           .input = ctn_json_member_of(call->body, "input"),
                           .from_step = from ? ctn_api_text(call->body, from) : (ctn_str){0},
                           .write_count = ctn_json_count(writes)};
    ctn_str *names = CTN_NEW_ARRAY(call->arena, ctn_str, o.write_count);
    for (size_t i = 0; i < o.write_count; i++)
        names[i] = ctn_json_text(ctn_json_at(writes, i));
    o.writes = names;
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_RERUN, &row))
        return;
    if (newest && ctn_workspace_find_plan(o.ws, call->arena, row.chain_id, &plan, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    o.plan = plan;
    q.idempotency_key = ctn_api_own_key(call);
    if (ctn_again_start(&o, call->arena, &q, &told, &err))
        refuse(call, &told, &err);
    else
        ctn_api_file(call, CTN_ACTION_EXECUTIONS_RERUN, &q, CTN_STR("/input"), ctn_api_tell_changed);
    ctn_again_done(&told);
}

static void rerun_execution(ctn_api_call *call)
{
    start_again(call, "from", false);
}

static void fork_execution(ctn_api_call *call)
{
    start_again(call, NULL, ctn_json_bool_or(call->body, "newest", false));
}

/* clang-format off */
const ctn_api_operation ctn_api_again[] = {
    {"rerunExecution", rerun_execution},
    {"forkExecution", fork_execution},
    {0},
};
