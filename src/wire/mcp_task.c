/*
 * mcp_task.c -- see mcp_task.h.
 */
#include "wire/mcp_task.h"

/* ---- what is asked for ---- */

static int read_request(ctn_arena *arena, ctn_str key, const ctn_json *request, const ctn_json **ret_asked,
                        ctn_err *err)
{
    ctn_str none = {0}, method = ctn_json_str_or(request, "method", none);
    const ctn_json *params = ctn_json_member_of(request, "params");
    ctn_str mode = ctn_json_str_or(params, "mode", CTN_STR("form")), message = ctn_json_str_or(params, "message", none);
    const ctn_json *schema = ctn_json_member_of(params, "requestedSchema"), *url = ctn_json_member_of(params, "url");
    if (key.len > 256)
        key.len = 256;
    if (ctn_str_is(method, "sampling/createMessage") || ctn_str_is(method, "roots/list"))
        return ctn_fail(err, CTN_E_UNSUPPORTED, "it asks for %s, which catena did not offer",
                        ctn_str_is(method, "roots/list") ? "roots (roots/list)"
                                                         : "a language model (sampling/createMessage)");
    if (!ctn_str_is(method, "elicitation/create"))
        return ctn_fail(err, CTN_E_INVALID, "what it asks for as \"%.*s\" is no request that is known",
                        CTN_STR_ARG(key));
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "message", message);
    if (ctn_str_is(mode, "form") && ctn_json_is(schema, CTN_JSON_OBJECT))
        ctn_json_put(&b, CTN_STR("schema"), schema);
    else if (ctn_str_is(mode, "url") && ctn_json_is(url, CTN_JSON_STRING))
        ctn_json_put(&b, CTN_STR("url"), url);
    else
        return ctn_fail(err, CTN_E_INVALID, "what it asks for as \"%.*s\" has neither a form nor an address",
                        CTN_STR_ARG(key));
    *ret_asked = ctn_json_finish(&b);
    return CTN_OK;
}

int ctn_mcp_read_asks(ctn_arena *arena, const ctn_json *requests, const ctn_json **ret_asks, ctn_err *err)
{
    ctn_json_builder b = ctn_json_object(arena);
    if (requests && !ctn_json_is(requests, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "\"inputRequests\" must be an object, not %s",
                        ctn_json_kind_name(requests));
    if (ctn_json_count(requests) > CTN_MCP_ASKS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "it asks for %zu things at once, at most %d are read",
                        ctn_json_count(requests), CTN_MCP_ASKS_MAX);
    for (size_t i = 0; i < ctn_json_count(requests); i++) {
        ctn_str key = ctn_json_text(&requests->members[i].key);
        const ctn_json *asked = NULL;
        int rc = read_request(arena, key, &requests->members[i].value, &asked, err);
        if (rc)
            return rc;
        ctn_json_put(&b, key, asked);
    }
    *ret_asks = ctn_json_finish(&b);
    return CTN_OK;
}

/* ---- tasks ---- */

int ctn_mcp_read_task(const ctn_json *result, ctn_mcp_task_told *ret_task, ctn_err *err)
{
    static const char *const STATUSES[] = {"working", "input_required", "completed", "failed", "cancelled"};
    const ctn_json *wrapped = ctn_json_member_of(result, "task");
    const ctn_json *t = ctn_json_is(wrapped, CTN_JSON_OBJECT) ? wrapped : result;
    ctn_str none = {0}, status = ctn_json_str_or(t, "status", none);
    ctn_mcp_task_told task = {
        .id = ctn_json_str_or(t, "taskId", none),
        .status_message = ctn_json_str_or(t, "statusMessage", none),
        .updated_at = ctn_json_str_or(t, "lastUpdatedAt", none),
        .poll_ms = ctn_json_int_or(t, "pollIntervalMs", ctn_json_int_or(t, "pollInterval", 0)),
        .input_requests = ctn_json_member_of(t, "inputRequests"),
        .result = ctn_json_member_of(t, "result"),
        .error = ctn_json_member_of(t, "error"),
    };
    if (!task.id.len || task.id.len > CTN_MCP_TASK_ID_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "a task without a taskId of 1 to %d bytes", CTN_MCP_TASK_ID_BYTES_MAX);
    size_t i = 0;
    while (i < sizeof STATUSES / sizeof *STATUSES && !ctn_str_is(status, STATUSES[i]))
        i++;
    if (i == sizeof STATUSES / sizeof *STATUSES)
        return ctn_fail(err, CTN_E_INVALID, "a task whose status is none that is known");
    task.status = (ctn_mcp_task_status) i;
    if (task.poll_ms < 0)
        task.poll_ms = 0;
    *ret_task = task;
    return CTN_OK;
}
