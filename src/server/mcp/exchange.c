/*
 * exchange.c -- how a request is answered: what the caller's revision wants is added, what it does not know is left
 * out. See exchange.h.
 */
#include "server/mcp/exchange.h"
#include <assert.h>
#include <math.h>
#include "server/mcp/internal.h"

const ctn_mcp_caller *ctn_mcp_exchange_caller(const ctn_mcp_exchange *x)
{
    return &x->caller;
}

const ctn_mcp_ask *ctn_mcp_exchange_ask_of(const ctn_mcp_exchange *x)
{
    return &x->ask;
}

bool ctn_mcp_exchange_is_call(const ctn_mcp_exchange *x)
{
    return ctn_str_is(x->method, "tools/call");
}

ctn_arena *ctn_mcp_exchange_arena(ctn_mcp_exchange *x)
{
    return x->arena;
}

void ctn_mcp_exchange_when_gone(ctn_mcp_exchange *x, void (*gone)(void *ctx), void *ctx)
{
    x->gone = gone;
    x->gone_ctx = ctx;
}

/* ---- before the answer ---- */

void ctn_mcp_exchange_notify(ctn_mcp_exchange *x, const char *method, const ctn_json *params)
{
    ctn_buf *out = &x->endpoint->out;
    ctn_buf_clear(out);
    ctn_rpc_write_notification(out, method, params);
    if (x->channel && !x->channel->is_answer_only && !out->overflowed)
        x->channel->send(x->channel, ctn_str_trim(ctn_buf_str(out)));
}

static const ctn_json *number(ctn_arena *arena, double value)
{
    return ctn_json_number(arena, ctn_arena_printf(arena, "%.15g", value));
}

void ctn_mcp_exchange_progress(ctn_mcp_exchange *x, double progress, double total, ctn_str message)
{
    if (!x->progress_token || !isfinite(progress) || (x->has_progress && progress <= x->progress))
        return;
    x->has_progress = true;
    x->progress = progress;
    ctn_arena *arena = x->endpoint->scratch;
    ctn_arena_mark mark = ctn_arena_save(arena);
    ctn_json_builder params = ctn_json_object(arena);
    ctn_json_put(&params, CTN_STR("progressToken"), x->progress_token);
    ctn_json_put(&params, CTN_STR("progress"), number(arena, progress));
    if (total >= 0 && isfinite(total))
        ctn_json_put(&params, CTN_STR("total"), number(arena, total));
    if (message.len && ctn_mcp_since(x->caller.version, "2025-03-26"))
        ctn_json_put_str(&params, "message", message);
    ctn_mcp_exchange_notify(x, "notifications/progress", ctn_json_finish(&params));
    ctn_arena_restore(arena, mark);
}

/* ---- the answer ---- */

/* What is in endpoint->out is the answer, and the exchange is over. */
static void answer(ctn_mcp_exchange *x, int http_status)
{
    ctn_mcp_channel *channel = x->channel;
    ctn_mcp_endpoint *e = x->endpoint;
    if (e->out.overflowed) { /* silence would leave the caller waiting */
        ctn_buf_clear(&e->out);
        ctn_rpc_write_error(&e->out, x->id, CTN_RPC_INTERNAL_ERROR,
                            CTN_STR("the result is larger than a message may be"), NULL);
    }
    ctn_mcp_exchange_end(x, false);
    if (channel)
        channel->answer(channel, http_status, ctn_str_trim(ctn_buf_str(&e->out)));
}

static int status_of(int64_t code)
{
    switch (code) {
    case CTN_RPC_PARSE_ERROR:
    case CTN_RPC_INVALID_REQUEST:
    case CTN_MCP_HEADER_MISMATCH:
    case CTN_MCP_MISSING_CAPABILITY:
    case CTN_MCP_UNSUPPORTED_VERSION: return 400;
    case CTN_RPC_METHOD_NOT_FOUND: return 404;
    default: return 200;
    }
}

void ctn_mcp_exchange_refuse(ctn_mcp_exchange *x, int http_status, int64_t code, ctn_str message, const ctn_json *data)
{
    ctn_buf_clear(&x->endpoint->out);
    ctn_rpc_write_error(&x->endpoint->out, x->id, code, message, data);
    answer(x, http_status);
}

void ctn_mcp_exchange_error(ctn_mcp_exchange *x, int64_t code, ctn_str message, const ctn_json *data)
{
    enum { LEGACY_RESOURCE_NOT_FOUND = -32002 };
    if (!x->caller.is_modern && code == CTN_RPC_INVALID_PARAMS && ctn_str_is(x->method, "resources/read") &&
        ctn_json_member_of(data, "uri"))
        code = LEGACY_RESOURCE_NOT_FOUND;
    ctn_mcp_exchange_refuse(x, x->caller.is_modern ? status_of(code) : 200, code, message, data);
}

void ctn_mcp_exchange_needs(ctn_mcp_exchange *x, const ctn_json *capabilities)
{
    ctn_json_builder data = ctn_json_object(x->arena);
    ctn_json_put(&data, CTN_STR("requiredCapabilities"), capabilities);
    ctn_mcp_exchange_error(x, CTN_MCP_MISSING_CAPABILITY,
                           CTN_STR("this needs a capability that the client did not declare"), ctn_json_finish(&data));
}

void ctn_mcp_exchange_needs_tasks(ctn_mcp_exchange *x)
{
    ctn_json_builder none = ctn_json_object(x->arena), extensions = ctn_json_object(x->arena),
                     needed = ctn_json_object(x->arena);
    ctn_json_put(&extensions, CTN_STR(CTN_MCP_TASKS_EXTENSION), ctn_json_finish(&none));
    ctn_json_put(&needed, CTN_STR("extensions"), ctn_json_finish(&extensions));
    ctn_mcp_exchange_needs(x, ctn_json_finish(&needed));
}

static const ctn_json *server_info(ctn_mcp_exchange *x)
{
    ctn_json_builder info = ctn_json_object(x->arena);
    ctn_json_put_str(&info, "name", ctn_str_from(x->endpoint->of.name));
    ctn_json_put_str(&info, "version", ctn_str_from(x->endpoint->of.version));
    return ctn_json_finish(&info);
}

/* type: of a modern result. */
static void answer_result(ctn_mcp_exchange *x, const char *type, const ctn_json *members)
{
    ctn_json_builder result = ctn_json_object(x->arena);
    if (x->caller.is_modern)
        ctn_json_put_str(&result, "resultType", ctn_str_from(type));
    ctn_json_put_all(&result, members);
    if (x->caller.is_modern) {
        ctn_json_builder meta = ctn_json_object(x->arena);
        ctn_json_put_all(&meta, ctn_json_member_of(members, "_meta"));
        ctn_json_put(&meta, CTN_STR(CTN_MCP_META_SERVER_INFO), server_info(x));
        ctn_json_put(&result, CTN_STR("_meta"), ctn_json_finish(&meta));
    }
    ctn_buf_clear(&x->endpoint->out);
    ctn_rpc_write_result(&x->endpoint->out, x->id, ctn_json_finish(&result));
    answer(x, 200);
}

void ctn_mcp_exchange_result(ctn_mcp_exchange *x, const ctn_json *result)
{
    if (ctn_str_is(x->method, "tools/call"))
        result = ctn_mcp_shape_call(x->arena, x->caller.version, result);
    else if (ctn_str_is(x->method, "prompts/get"))
        result = ctn_mcp_shape_prompt(x->arena, x->caller.version, result);
    else if (ctn_str_is(x->method, "resources/read") && x->caller.is_modern && !ctn_json_member_of(result, "ttlMs")) {
        ctn_json_builder kept = ctn_json_object(x->arena);
        ctn_json_put_all(&kept, result);
        ctn_mcp_put_caching(x, &kept, 0);
        result = ctn_json_finish(&kept);
    }
    answer_result(x, "complete", result);
}

void ctn_mcp_exchange_task(ctn_mcp_exchange *x, const ctn_json *task)
{
    assert(x->caller.can_tasks);
    answer_result(x, "task", task);
}

/* ---- asking back ---- */

/* What the requests need, of what the caller declared: NULL: he has it. */
static const ctn_json *lacking(const ctn_mcp_exchange *x, const ctn_json *requests)
{
    for (size_t i = 0; i < ctn_json_count(requests); i++) {
        const ctn_json *request = &requests->members[i].value;
        ctn_str method = ctn_json_str_or(request, "method", (ctn_str){0});
        ctn_json_builder needed = ctn_json_object(x->arena), none = ctn_json_object(x->arena);
        ctn_str kind = ctn_str_is(method, "roots/list") ? CTN_STR("roots") : CTN_STR("sampling");
        if (ctn_str_is(method, "elicitation/create")) {
            bool is_url =
                ctn_str_is(ctn_json_str_or(ctn_json_member_of(request, "params"), "mode", CTN_STR("form")), "url");
            if (is_url ? x->caller.can_url : x->caller.can_form)
                continue;
            ctn_json_builder mode = ctn_json_object(x->arena);
            ctn_json_put(&mode, is_url ? CTN_STR("url") : CTN_STR("form"), ctn_json_finish(&none));
            ctn_json_put(&needed, CTN_STR("elicitation"), ctn_json_finish(&mode));
        } else if (ctn_json_is(ctn_json_get(x->caller.capabilities, kind), CTN_JSON_OBJECT))
            continue;
        else
            ctn_json_put(&needed, kind, ctn_json_finish(&none));
        return ctn_json_finish(&needed);
    }
    return NULL;
}

void ctn_mcp_exchange_ask(ctn_mcp_exchange *x, const ctn_json *requests, const ctn_json *state,
                          void (*answered)(void *ctx, const ctn_json *answers), void *ctx)
{
    const ctn_json *needed = x->caller.is_modern ? lacking(x, requests) : NULL;
    if (!x->caller.is_modern) {
        ctn_mcp_asking_begin(x, requests, answered, ctx);
        return;
    }
    if (needed) {
        ctn_mcp_exchange_needs(x, needed);
        return;
    }
    ctn_json_builder result = ctn_json_object(x->arena);
    if (ctn_json_count(requests))
        ctn_json_put(&result, CTN_STR("inputRequests"), requests);
    if (state)
        ctn_json_put_str(&result, "requestState", ctn_mcp_state_seal(x, state));
    answer_result(x, "input_required", ctn_json_finish(&result));
}
