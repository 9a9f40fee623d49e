/*
 * mcp.c -- what a client writes and reads; see mcp.h.
 *
 * Writers build a small tree in the scratch arena and hand it to jsonrpc.c; readers pick a result apart.
 *
 * What must hold: (1) a modern request never leaves without its three _meta members; (2) a result is
 * only called complete when it says so or says nothing (legacy), so that an answer of a kind that is not known
 * here cannot pass for a success; (3) nothing a server sends is lost for what it should be: unknown content kinds are
 * kept, and a tool that is badly described is left out by itself, not together with its neighbours.
 */
#include "wire/mcp.h"
#include <stdlib.h>

static const char *const LEGACY_VERSIONS[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

bool ctn_mcp_is_modern(ctn_str version)
{
    return ctn_str_is(version, CTN_MCP_VERSION_MODERN);
}

bool ctn_mcp_is_legacy(ctn_str version)
{
    for (size_t i = 0; i < sizeof LEGACY_VERSIONS / sizeof *LEGACY_VERSIONS; i++)
        if (ctn_str_is(version, LEGACY_VERSIONS[i]))
            return true;
    return false;
}

const ctn_json *ctn_mcp_spoken_versions(ctn_arena *arena)
{
    ctn_json_builder versions = ctn_json_array(arena);
    ctn_json_push(&versions, ctn_json_string(arena, CTN_STR(CTN_MCP_VERSION_MODERN)));
    for (size_t i = 0; i < sizeof LEGACY_VERSIONS / sizeof *LEGACY_VERSIONS; i++)
        ctn_json_push(&versions, ctn_json_string(arena, ctn_str_from(LEGACY_VERSIONS[i])));
    return ctn_json_finish(&versions);
}

ctn_str ctn_mcp_choose_version(const ctn_json *list)
{
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str version = ctn_json_text(ctn_json_at(list, i));
        if (ctn_mcp_is_modern(version))
            return version;
    }
    return (ctn_str){0};
}

/* ---- what a client sends ---- */

static const ctn_json *implementation(ctn_arena *scratch, const ctn_mcp_speaker *self)
{
    ctn_json_builder info = ctn_json_object(scratch);
    ctn_json_put_str(&info, "name", self->name);
    ctn_json_put_str(&info, "version", self->client_version);
    return ctn_json_finish(&info);
}

/* What people and other programs answer while a call waits durably; and calls may go on by themselves. */
static const ctn_json *capabilities_of(ctn_arena *scratch)
{
    ctn_json_builder none = ctn_json_object(scratch), elicitation = ctn_json_object(scratch),
                     extensions = ctn_json_object(scratch), b = ctn_json_object(scratch);
    const ctn_json *empty = ctn_json_finish(&none);
    ctn_json_put(&elicitation, CTN_STR("form"), empty);
    ctn_json_put(&elicitation, CTN_STR("url"), empty);
    ctn_json_put(&extensions, CTN_STR(CTN_MCP_EXTENSION_TASKS), empty);
    ctn_json_put(&b, CTN_STR("elicitation"), ctn_json_finish(&elicitation));
    ctn_json_put(&b, CTN_STR("extensions"), ctn_json_finish(&extensions));
    return ctn_json_finish(&b);
}

/* call NULL: a request of another kind. NULL when there is nothing to say (legacy). */
static const ctn_json *request_meta(ctn_arena *scratch, const ctn_mcp_speaker *self, const ctn_mcp_call *call)
{
    ctn_json_builder meta = ctn_json_object(scratch);
    if (ctn_mcp_is_modern(self->version)) {
        ctn_json_put_str(&meta, CTN_MCP_META_VERSION, self->version);
        ctn_json_put(&meta, CTN_STR(CTN_MCP_META_CAPABILITIES), capabilities_of(scratch));
        ctn_json_put(&meta, CTN_STR(CTN_MCP_META_CLIENT_INFO), implementation(scratch, self));
    }
    if (call && call->progress_token)
        ctn_json_put_int(&meta, "progressToken", call->progress_token);
    if (call && call->idempotency_key.len)
        ctn_json_put_str(&meta, CTN_MCP_META_IDEMPOTENCY_KEY, call->idempotency_key);
    if (call && call->traceparent.len)
        ctn_json_put_str(&meta, CTN_MCP_META_TRACEPARENT, call->traceparent);
    return meta.count ? ctn_json_finish(&meta) : NULL;
}

void ctn_mcp_write_discover(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id)
{
    ctn_json_builder params = ctn_json_object(scratch);
    ctn_json_put(&params, CTN_STR("_meta"), request_meta(scratch, self, NULL));
    ctn_rpc_write_request(out, id, "server/discover", ctn_json_finish(&params));
}

void ctn_mcp_write_initialize(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id)
{
    ctn_json_builder capabilities = ctn_json_object(scratch), forms = ctn_json_object(scratch);
    ctn_json_builder params = ctn_json_object(scratch);
    if (self->answers_forms)
        ctn_json_put(&capabilities, CTN_STR("elicitation"), ctn_json_finish(&forms));
    ctn_json_put_str(&params, "protocolVersion",
                     ctn_mcp_is_legacy(self->version) ? self->version : CTN_STR(CTN_MCP_VERSION_LEGACY));
    ctn_json_put(&params, CTN_STR("capabilities"), ctn_json_finish(&capabilities));
    ctn_json_put(&params, CTN_STR("clientInfo"), implementation(scratch, self));
    ctn_rpc_write_request(out, id, "initialize", ctn_json_finish(&params));
}

void ctn_mcp_write_initialized(ctn_buf *out)
{
    ctn_rpc_write_notification(out, "notifications/initialized", NULL);
}

void ctn_mcp_write_list(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                        const ctn_str *cursor)
{
    ctn_json_builder params = ctn_json_object(scratch);
    const ctn_json *meta = request_meta(scratch, self, NULL);
    if (meta)
        ctn_json_put(&params, CTN_STR("_meta"), meta);
    if (cursor)
        ctn_json_put_str(&params, "cursor", *cursor);
    ctn_rpc_write_request(out, id, "tools/list", ctn_json_finish(&params));
}

void ctn_mcp_write_call(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                        const ctn_mcp_call *call)
{
    ctn_json_builder none = ctn_json_object(scratch);
    ctn_json_builder params = ctn_json_object(scratch);
    const ctn_json *meta = request_meta(scratch, self, call);
    if (meta)
        ctn_json_put(&params, CTN_STR("_meta"), meta);
    ctn_json_put_str(&params, "name", call->tool);
    ctn_json_put(&params, CTN_STR("arguments"), call->arguments ? call->arguments : ctn_json_finish(&none));
    if (ctn_json_count(call->input_responses))
        ctn_json_put(&params, CTN_STR("inputResponses"), call->input_responses);
    if (ctn_json_is(call->request_state, CTN_JSON_STRING))
        ctn_json_put(&params, CTN_STR("requestState"), call->request_state);
    if (call->task_ttl_ms) {
        ctn_json_builder task = ctn_json_object(scratch);
        ctn_json_put_int(&task, "ttl", call->task_ttl_ms);
        ctn_json_put(&params, CTN_STR("task"), ctn_json_finish(&task));
    }
    ctn_rpc_write_request(out, id, "tools/call", ctn_json_finish(&params));
}

void ctn_mcp_write_request(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                           const char *method, const ctn_json *params)
{
    ctn_json_builder with_meta = ctn_json_object(scratch);
    const ctn_json *meta = request_meta(scratch, self, NULL);
    if (meta)
        ctn_json_put(&with_meta, CTN_STR("_meta"), meta);
    for (size_t i = 0; i < ctn_json_count(params); i++)
        ctn_json_put(&with_meta, ctn_json_text(&params->members[i].key), &params->members[i].value);
    ctn_rpc_write_request(out, id, method, with_meta.count ? ctn_json_finish(&with_meta) : NULL);
}

void ctn_mcp_write_cancelled(ctn_buf *out, ctn_arena *scratch, int64_t request_id, ctn_str reason)
{
    ctn_json_builder params = ctn_json_object(scratch);
    ctn_json_put_int(&params, "requestId", request_id);
    if (reason.len)
        ctn_json_put_str(&params, "reason", reason);
    ctn_rpc_write_notification(out, "notifications/cancelled", ctn_json_finish(&params));
}

/* ---- what a client reads ---- */

static int check_object(const ctn_json *result, const char *what, ctn_err *err)
{
    if (ctn_json_is(result, CTN_JSON_OBJECT))
        return CTN_OK;
    return ctn_fail(err, CTN_E_INVALID, "the result of %s must be an object, not %s", what, ctn_json_kind_name(result));
}

/* CTN_OK for "complete" or none. */
static int check_complete(const ctn_json *result, const char *what, ctn_err *err)
{
    const ctn_json *type = ctn_json_member_of(result, "resultType");
    if (!type || (ctn_json_is(type, CTN_JSON_STRING) && ctn_str_is(ctn_json_text(type), "complete")))
        return CTN_OK;
    ctn_str text = ctn_json_text(type);
    if (text.len > 64)
        text.len = 64;
    return ctn_fail(err, CTN_E_INVALID, "the result of %s has the unknown resultType \"%.*s\"", what,
                    CTN_STR_ARG(text));
}

int ctn_mcp_parse_discovery(const ctn_json *result, const ctn_json **ret_supported, ctn_err *err)
{
    int rc = check_object(result, "server/discover", err);
    if (!rc)
        rc = check_complete(result, "server/discover", err);
    if (rc)
        return rc;
    const ctn_json *supported = ctn_json_member_of(result, "supportedVersions");
    if (!ctn_json_is(supported, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "the result of server/discover has no list \"supportedVersions\"");
    *ret_supported = supported;
    return CTN_OK;
}

int ctn_mcp_parse_initialized(const ctn_json *result, ctn_str *ret_version, ctn_err *err)
{
    int rc = check_object(result, "initialize", err);
    if (rc)
        return rc;
    const ctn_json *version = ctn_json_member_of(result, "protocolVersion");
    if (!ctn_json_is(version, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "the result of initialize has no \"protocolVersion\"");
    *ret_version = ctn_json_text(version);
    return CTN_OK;
}

static ctn_mcp_hints read_hints(const ctn_json *annotations)
{
    return (ctn_mcp_hints){
        .is_read_only = ctn_json_bool_or(annotations, "readOnlyHint", false),
        .is_idempotent = ctn_json_bool_or(annotations, "idempotentHint", false),
        .is_open_world = ctn_json_bool_or(annotations, "openWorldHint", true),
        .says_read_only = ctn_json_is_bool(ctn_json_member_of(annotations, "readOnlyHint")),
        .says_idempotent = ctn_json_is_bool(ctn_json_member_of(annotations, "idempotentHint")),
    };
}

/* A schema is an object; 2020-12 also knows true and false, which an outputSchema may be. */
static bool read_tool(const ctn_json *item, ctn_mcp_tool *ret_tool)
{
    const ctn_json *name = ctn_json_member_of(item, "name");
    const ctn_json *input = ctn_json_member_of(item, "inputSchema");
    const ctn_json *output = ctn_json_member_of(item, "outputSchema");
    if (!ctn_json_is(name, CTN_JSON_STRING) || name->count == 0 || !ctn_json_is(input, CTN_JSON_OBJECT))
        return false;
    const ctn_json *annotations = ctn_json_member_of(item, "annotations");
    *ret_tool = (ctn_mcp_tool){
        .name = ctn_json_text(name),
        .title = ctn_json_str_or(item, "title", ctn_json_str_or(annotations, "title", (ctn_str){0})),
        .description = ctn_json_str_or(item, "description", (ctn_str){0}),
        .input_schema = input,
        .output_schema = ctn_json_is(output, CTN_JSON_OBJECT) || ctn_json_is_bool(output) ? output : NULL,
        .annotations = ctn_json_is(annotations, CTN_JSON_OBJECT) ? annotations : NULL,
        .hints = read_hints(annotations),
        .is_task_only =
            ctn_str_is(ctn_json_str_or(ctn_json_member_of(item, "execution"), "taskSupport", (ctn_str){0}), "required"),
    };
    return true;
}

int ctn_mcp_parse_tools(ctn_arena *arena, const ctn_json *result, ctn_mcp_tools_page *ret_page, ctn_err *err)
{
    int rc = check_object(result, "tools/list", err);
    if (!rc)
        rc = check_complete(result, "tools/list", err);
    if (rc)
        return rc;
    const ctn_json *tools = ctn_json_member_of(result, "tools");
    if (!ctn_json_is(tools, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "the result of tools/list has no list \"tools\"");
    ctn_mcp_tools_page page = {0};
    page.tools = CTN_NEW_ARRAY(arena, ctn_mcp_tool, ctn_json_count(tools));
    for (size_t i = 0; i < ctn_json_count(tools); i++)
        page.count += read_tool(ctn_json_at(tools, i), &page.tools[page.count]);
    const ctn_json *next = ctn_json_member_of(result, "nextCursor");
    page.has_next = ctn_json_is(next, CTN_JSON_STRING);
    page.next_cursor = page.has_next ? ctn_json_text(next) : (ctn_str){0};
    page.ttl_ms = ctn_json_int_or(result, "ttlMs", 0);
    if (page.ttl_ms < 0)
        page.ttl_ms = 0;
    *ret_page = page;
    return CTN_OK;
}

/* The text blocks, joined by newlines; *ret_others: blocks of another kind. */
static ctn_str text_of(ctn_arena *arena, const ctn_json *content, size_t *ret_others)
{
    size_t bytes = 0, others = 0, at = 0;
    for (size_t i = 0; i < ctn_json_count(content); i++) {
        const ctn_json *block = ctn_json_at(content, i);
        if (ctn_str_is(ctn_json_str_or(block, "type", (ctn_str){0}), "text"))
            bytes += ctn_json_str_or(block, "text", (ctn_str){0}).len + 1;
        else
            others++;
    }
    *ret_others = others;
    if (bytes == 0)
        return (ctn_str){0};
    char *text = ctn_arena_alloc(arena, bytes);
    for (size_t i = 0; i < ctn_json_count(content); i++) {
        const ctn_json *block = ctn_json_at(content, i);
        if (!ctn_str_is(ctn_json_str_or(block, "type", (ctn_str){0}), "text"))
            continue;
        ctn_str part = ctn_json_str_or(block, "text", (ctn_str){0});
        if (part.len)
            memcpy(text + at, part.ptr, part.len);
        at += part.len;
        text[at++] = '\n';
    }
    return (ctn_str){text, at - 1};
}

static const ctn_json *value_of(ctn_arena *arena, ctn_str text, const ctn_json *content, size_t others)
{
    const ctn_json *value = NULL;
    if (text.len && !others && ctn_json_parse(arena, text, NULL, &value, NULL) == CTN_OK)
        return value;
    ctn_json_builder object = ctn_json_object(arena);
    ctn_json_put_str(&object, "text", text);
    if (others)
        ctn_json_put(&object, CTN_STR("content"), content);
    return ctn_json_finish(&object);
}

#define USED_TOKENS_MAX      ((int64_t) 1000000000000000)
#define USED_MONEY_BYTES_MAX 32

/* What the tool says it used up. It is the peer's word: what is no amount counts as not told. */
static void read_usage(const ctn_json *usage, ctn_mcp_call_result *call)
{
    int64_t tokens;
    if (ctn_json_to_int64(ctn_json_member_of(usage, "tokens"), &tokens) && tokens > 0 && tokens <= USED_TOKENS_MAX)
        call->used_tokens = tokens;
    const ctn_json *money = ctn_json_member_of(usage, "money");
    ctn_str text = ctn_json_text(money);
    bool is_amount = ctn_json_is(money, CTN_JSON_NUMBER) && text.len <= USED_MONEY_BYTES_MAX;
    for (size_t i = 0; is_amount && i < text.len; i++)
        is_amount = text.ptr[i] == '.' || (text.ptr[i] >= '0' && text.ptr[i] <= '9');
    if (is_amount)
        call->used_money = text;
}

static int read_input_required(const ctn_json *result, ctn_mcp_call_result *ret_result, ctn_err *err)
{
    const ctn_json *state = ctn_json_member_of(result, "requestState");
    ctn_mcp_call_result call = {.kind = CTN_MCP_INPUT_REQUIRED,
                                .input_requests = ctn_json_member_of(result, "inputRequests"),
                                .request_state = state};
    if (state && !ctn_json_is(state, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "\"requestState\" must be a text, not %s", ctn_json_kind_name(state));
    if (!state && !call.input_requests)
        return ctn_fail(err, CTN_E_INVALID, "input_required with neither \"inputRequests\" nor \"requestState\"");
    *ret_result = call;
    return CTN_OK;
}

int ctn_mcp_parse_call(ctn_arena *arena, const ctn_json *result, ctn_mcp_call_result *ret_result, ctn_err *err)
{
    int rc = check_object(result, "tools/call", err);
    if (rc)
        return rc;
    ctn_str type = ctn_json_str_or(result, "resultType", (ctn_str){0});
    if (ctn_str_is(type, "input_required"))
        return read_input_required(result, ret_result, err);
    bool is_task = ctn_str_is(type, "task"),
         is_old_task = !type.len && ctn_json_member_of(result, "task") && !ctn_json_member_of(result, "content");
    if (is_task || is_old_task) {
        ctn_mcp_call_result call = {.kind = CTN_MCP_TASK};
        rc = ctn_mcp_read_task(result, &call.task, err);
        if (rc == CTN_OK)
            *ret_result = call;
        return rc;
    }
    rc = check_complete(result, "tools/call", err);
    if (rc)
        return rc;
    const ctn_json *content = ctn_json_member_of(result, "content");
    const ctn_json *structured = ctn_json_member_of(result, "structuredContent");
    if (content && !ctn_json_is(content, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "\"content\" in the result of tools/call must be a list, not %s",
                        ctn_json_kind_name(content));
    if (!content && !structured)
        return ctn_fail(err, CTN_E_INVALID,
                        "the result of tools/call has neither \"content\" nor \"structuredContent\"");
    ctn_mcp_call_result call = {.kind = CTN_MCP_COMPLETE};
    call.is_error = ctn_json_bool_or(result, "isError", false);
    read_usage(ctn_json_member_of(ctn_json_member_of(result, "_meta"), CTN_MCP_META_USAGE), &call);
    size_t others = 0;
    bool is_in_text = call.is_error || !structured; /* else the text only repeats the value */
    ctn_str text = is_in_text ? text_of(arena, content, &others) : (ctn_str){0};
    if (call.is_error) {
        call.error_text = text.len || !structured ? text : ctn_json_to_str(arena, structured);
        call.failure = ctn_json_str_or(ctn_json_member_of(result, "_meta"), CTN_MCP_META_FAILURE, (ctn_str){0});
    } else {
        call.value = structured ? structured : value_of(arena, text, content, others);
    }
    *ret_result = call;
    return CTN_OK;
}

/* Progress is for people's eyes only, so a double will do here. */
static bool read_double(const ctn_json *number, double *ret_value)
{
    char text[64];
    ctn_str s = ctn_json_text(number);
    if (!ctn_json_is(number, CTN_JSON_NUMBER) || s.len >= sizeof text)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    *ret_value = strtod(text, NULL);
    return true;
}

bool ctn_mcp_parse_progress(const ctn_json *params, ctn_mcp_progress *ret_progress)
{
    ctn_mcp_progress progress = {.total = -1};
    if (!ctn_json_to_int64(ctn_json_member_of(params, "progressToken"), &progress.token))
        return false;
    if (!read_double(ctn_json_member_of(params, "progress"), &progress.progress))
        return false;
    const ctn_json *total = ctn_json_member_of(params, "total");
    if (total && (!read_double(total, &progress.total) || progress.total < 0))
        progress.total = -1;
    progress.message = ctn_json_str_or(params, "message", (ctn_str){0});
    *ret_progress = progress;
    return true;
}
