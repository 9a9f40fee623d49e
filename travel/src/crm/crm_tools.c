/*
 * crm_tools.c -- what the CRM's tools share, see crm_tools.h.
 */
#include "crm/crm_tools.h"

int travel_crm_of(const travel_call *call, bool is_reading, travel_crm **ret_crm, ctn_err *err)
{
    int rc = travel_call_crm(call, is_reading, err);
    if (!rc)
        *ret_crm = call->tools->crm;
    return rc;
}

int travel_crm_tool_once(const travel_call *call, const char *tool,
                         int (*work)(void *, ctn_arena *, const ctn_json **, ctn_err *), void *ctx,
                         const ctn_json **ret_result, bool *ret_is_repeated, ctn_err *err)
{
    travel_once once = {.tool = tool,
                        .arguments = call->arguments,
                        .now_ms = travel_now_ms(call),
                        .work = work,
                        .ctx = ctx,
                        .call_key = call->idempotency_key};
    bool is_repeated;
    int rc = travel_maybe_text(call, "key", &once.key, err);
    if (once.key.len == 0)
        once.key = call->idempotency_key;
    if (!rc)
        rc = travel_call_crm(call, false, err);
    return rc ? rc
              : travel_crm_once(call->tools->crm, call->arena, &once, ret_result,
                                ret_is_repeated ? ret_is_repeated : &is_repeated, err);
}

ctn_str travel_crm_moment(ctn_arena *arena, int64_t at_ms)
{
    return at_ms ? travel_moment_text(arena, at_ms) : CTN_STR("");
}
