/*
 * era.c -- by which rules a request is answered, and whether it keeps them. Told by its shape, in this order:
 *
 *     1. its _meta names a revision, or over HTTP the header names a modern one   modern
 *     2. `initialize`                                                            legacy; it says which revision
 *     3. over HTTP                                                               legacy; the header's, or 2025-03-26
 *     4. over stdio, once initialize was answered on this pipe (pings need not)   legacy
 *     5. else                                                                    refused
 *
 * So both eras may be mixed on one endpoint, and `initialize` with a modern _meta is an unknown method.
 */
#include "server/mcp/internal.h"

#define WITHOUT_HEADER "2025-03-26" /* the last revision that had no version header */

static bool refuse(ctn_mcp_exchange *x, int64_t code, const char *sentence)
{
    ctn_mcp_exchange_refuse(x, 400, code, ctn_str_from(sentence), NULL);
    return false;
}

static bool refuse_version(ctn_mcp_exchange *x, ctn_str requested)
{
    ctn_json_builder data = ctn_json_object(x->arena);
    ctn_json_put(&data, CTN_STR("supported"), ctn_mcp_spoken_versions(x->arena));
    ctn_json_put_str(&data, "requested", requested);
    ctn_mcp_exchange_refuse(x, 400, CTN_MCP_UNSUPPORTED_VERSION, CTN_STR("unsupported protocol version"),
                            ctn_json_finish(&data));
    return false;
}

/* ---- what every request may carry ---- */

static void read_meta(ctn_mcp_exchange *x, const ctn_json *meta)
{
    const ctn_json *token = ctn_json_member_of(meta, "progressToken");
    x->ask.meta = meta;
    x->ask.idempotency_key = ctn_json_str_or(meta, CTN_MCP_META_IDEMPOTENCY_KEY, (ctn_str){0});
    x->ask.traceparent = ctn_json_str_or(meta, CTN_MCP_META_TRACEPARENT, (ctn_str){0});
    if (ctn_json_is(token, CTN_JSON_STRING) || ctn_json_to_int64(token, &(int64_t){0}))
        x->progress_token = token;
    x->ask.wants_progress = x->progress_token && !x->channel->is_answer_only;
}

/* `elicitation: {}` means forms only. */
static void read_capabilities(ctn_mcp_exchange *x, const ctn_json *capabilities)
{
    const ctn_json *elicitation = ctn_json_member_of(capabilities, "elicitation");
    const ctn_json *extensions = ctn_json_member_of(capabilities, "extensions");
    bool has_url = ctn_json_is(ctn_json_member_of(elicitation, "url"), CTN_JSON_OBJECT);
    x->caller.capabilities = capabilities;
    x->caller.can_url = has_url;
    x->caller.can_form = ctn_json_is(elicitation, CTN_JSON_OBJECT) &&
                         (!has_url || ctn_json_is(ctn_json_member_of(elicitation, "form"), CTN_JSON_OBJECT));
    x->caller.can_tasks = x->caller.is_modern && x->endpoint->of.backend->task_get &&
                          ctn_json_is(ctn_json_member_of(extensions, CTN_MCP_TASKS_EXTENSION), CTN_JSON_OBJECT);
}

/* ---- modern ---- */

static bool check_modern(ctn_mcp_exchange *x, const ctn_mcp_headers *headers, const ctn_json *meta)
{
    const ctn_json *version = ctn_json_member_of(meta, CTN_MCP_META_VERSION);
    const ctn_json *capabilities = ctn_json_member_of(meta, CTN_MCP_META_CAPABILITIES);
    x->caller.is_modern = true;
    x->caller.version = CTN_STR(CTN_MCP_VERSION_MODERN);
    if (!ctn_json_is(version, CTN_JSON_STRING))
        return refuse(x, CTN_RPC_INVALID_PARAMS, "params._meta: " CTN_MCP_META_VERSION " is missing: a text");
    if (headers && !headers->protocol_version.ptr)
        return refuse(x, CTN_MCP_HEADER_MISMATCH, "the header MCP-Protocol-Version is missing");
    if (headers && !ctn_str_equal(headers->protocol_version, ctn_json_text(version)))
        return refuse(x, CTN_MCP_HEADER_MISMATCH,
                      "the header MCP-Protocol-Version is not the revision in params._meta");
    if (!ctn_mcp_is_modern(ctn_json_text(version)))
        return refuse_version(x, ctn_json_text(version));
    if (!ctn_json_is(capabilities, CTN_JSON_OBJECT))
        return refuse(x, CTN_RPC_INVALID_PARAMS, "params._meta: " CTN_MCP_META_CAPABILITIES " is missing: an object");
    const char *fault = headers ? ctn_mcp_headers_fault(x->arena, headers, x->method, x->params) : NULL;
    if (fault)
        return refuse(x, CTN_MCP_HEADER_MISMATCH, fault);
    read_capabilities(x, capabilities);
    return true;
}

/* ---- legacy ---- */

static bool check_legacy_http(ctn_mcp_exchange *x, const ctn_mcp_headers *headers)
{
    ctn_str version = headers->protocol_version.ptr ? headers->protocol_version : CTN_STR(WITHOUT_HEADER);
    if (!ctn_mcp_is_legacy(version))
        return refuse_version(x, version);
    x->caller.version = ctn_arena_str(x->arena, version);
    /* What it declared, it declared to nobody: there are no sessions. It is asked, and may say that it cannot. */
    x->caller.can_form = ctn_mcp_since(version, "2025-06-18") && !x->channel->is_answer_only;
    return true;
}

static bool check_legacy(ctn_mcp_exchange *x, const ctn_mcp_headers *headers)
{
    bool is_first = ctn_str_is(x->method, "initialize") || ctn_str_is(x->method, "ping");
    const ctn_mcp_pipe *pipe = x->channel->pipe;
    x->caller.version = CTN_STR(CTN_MCP_VERSION_LEGACY);
    if (ctn_str_is(x->method, "initialize"))
        return true;
    if (headers)
        return check_legacy_http(x, headers);
    if (pipe && pipe->version.len) {
        x->caller.version = pipe->version;
        read_capabilities(x, pipe->capabilities);
        return true;
    }
    return is_first || refuse(x, CTN_RPC_INVALID_PARAMS,
                              "params._meta." CTN_MCP_META_VERSION " is missing, and there was no initialize; "
                              "revisions spoken here: 2026-07-28, and with initialize 2025-11-25, 2025-06-18, "
                              "2025-03-26, 2024-11-05");
}

bool ctn_mcp_era_check(ctn_mcp_exchange *x, const ctn_mcp_headers *headers)
{
    const ctn_json *meta = ctn_json_member_of(x->params, "_meta");
    bool is_modern =
        ctn_json_member_of(meta, CTN_MCP_META_VERSION) || (headers && ctn_mcp_is_modern(headers->protocol_version));
    bool is_fine = is_modern ? check_modern(x, headers, meta) : check_legacy(x, headers);
    if (is_fine)
        read_meta(x, meta);
    return is_fine;
}
