/*
 * mcp_server.c -- what a server answers to a line; see mcp_server.h.
 *
 * A request is told apart by what it carries: with io.modelcontextprotocol/protocolVersion in its _meta it is
 * modern and is answered as such, whatever came before; without, it is legacy, and allowed once initialize was
 * seen (a modern client that forgot its _meta is told so).
 *
 * What must hold: every request gets exactly one answer that repeats its id, and nothing else gets any; a tool
 * is called only from a well-formed tools/call of an era that was agreed on.
 */
#include "wire/mcp_server.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

struct ctn_mcp_server {
    ctn_mcp_server_options options;
    ctn_arena *arena;   /* the tool definitions */
    ctn_arena *scratch; /* the line at hand */
    const ctn_json **definitions;
    const ctn_json **legacy_definitions; /* outputSchema only where it describes an object */
    bool *has_legacy_output;             /* structuredContent was objects only */
    ctn_str *names;                      /* for "did you mean" */
    bool is_initialized;
};

typedef struct request {
    ctn_mcp_server *server;
    const ctn_rpc_message *message;
    bool is_modern;
    ctn_buf *out;
} request;

#define LIST_TTL_MS 3600000

/* ---- the table, once ---- */

static const ctn_json *annotations_of(ctn_arena *arena, const ctn_mcp_server_tool *tool)
{
    ctn_json_builder annotations = ctn_json_object(arena);
    ctn_json_put_bool(&annotations, "readOnlyHint", tool->is_read_only);
    ctn_json_put_bool(&annotations, "destructiveHint", !tool->is_read_only && !tool->is_additive);
    ctn_json_put_bool(&annotations, "idempotentHint", tool->is_idempotent);
    ctn_json_put_bool(&annotations, "openWorldHint", !tool->is_closed_world);
    return ctn_json_finish(&annotations);
}

static int parse_schema(ctn_arena *arena, const char *tool, const char *which, const char *text,
                        const ctn_json **ret_schema, ctn_err *err)
{
    int rc = ctn_json_parse(arena, ctn_str_from(text), NULL, ret_schema, err);
    return rc ? ctn_wrap(err, rc, "%s schema of tool %s", which, tool) : CTN_OK;
}

static const ctn_json *define(ctn_arena *arena, const ctn_mcp_server_tool *tool, const ctn_json *input,
                              const ctn_json *output)
{
    ctn_json_builder definition = ctn_json_object(arena);
    ctn_json_put_str(&definition, "name", ctn_str_from(tool->name));
    if (tool->title)
        ctn_json_put_str(&definition, "title", ctn_str_from(tool->title));
    if (tool->description)
        ctn_json_put_str(&definition, "description", ctn_str_from(tool->description));
    ctn_json_put(&definition, CTN_STR("inputSchema"), input);
    if (output)
        ctn_json_put(&definition, CTN_STR("outputSchema"), output);
    ctn_json_put(&definition, CTN_STR("annotations"), annotations_of(arena, tool));
    return ctn_json_finish(&definition);
}

static int define_tool(ctn_mcp_server *server, size_t i, ctn_err *err)
{
    const ctn_mcp_server_tool *tool = &server->options.tools[i];
    const ctn_json *input = NULL, *output = NULL;
    int rc = parse_schema(
        server->arena, tool->name, "input",
        tool->input_schema ? tool->input_schema : "{\"type\":\"object\",\"additionalProperties\":false}", &input, err);
    if (!rc && !ctn_str_is(ctn_json_str_or(input, "type", (ctn_str){0}), "object"))
        rc = ctn_fail(err, CTN_E_INVALID, "input schema of tool %s: \"type\" must be \"object\"", tool->name);
    if (!rc && tool->output_schema)
        rc = parse_schema(server->arena, tool->name, "output", tool->output_schema, &output, err);
    if (rc)
        return rc;
    server->has_legacy_output[i] = ctn_str_is(ctn_json_str_or(output, "type", (ctn_str){0}), "object");
    server->definitions[i] = define(server->arena, tool, input, output);
    server->legacy_definitions[i] = define(server->arena, tool, input, server->has_legacy_output[i] ? output : NULL);
    server->names[i] = ctn_str_from(tool->name);
    return CTN_OK;
}

int ctn_mcp_server_new(const ctn_mcp_server_options *options, ctn_mcp_server **ret_server, ctn_err *err)
{
    assert(options->name && options->version && options->call);
    ctn_mcp_server *server = ctn_malloc(sizeof *server);
    *server = (ctn_mcp_server){.options = *options, .arena = ctn_arena_new(16384), .scratch = ctn_arena_new(16384)};
    server->definitions = CTN_NEW_ARRAY(server->arena, const ctn_json *, options->tool_count);
    server->legacy_definitions = CTN_NEW_ARRAY(server->arena, const ctn_json *, options->tool_count);
    server->has_legacy_output = CTN_NEW_ARRAY(server->arena, bool, options->tool_count);
    server->names = CTN_NEW_ARRAY(server->arena, ctn_str, options->tool_count);
    for (size_t i = 0; i < options->tool_count; i++) {
        int rc = define_tool(server, i, err);
        if (rc) {
            ctn_mcp_server_free(server);
            return rc;
        }
    }
    *ret_server = server;
    return CTN_OK;
}

void ctn_mcp_server_free(ctn_mcp_server *server)
{
    if (!server)
        return;
    ctn_arena_free(server->arena);
    ctn_arena_free(server->scratch);
    free(server);
}

/* ---- answers ---- */

static void answer_error(const request *r, int64_t code, ctn_str message, const ctn_json *data)
{
    ctn_rpc_write_error(r->out, r->message->id, code, message, data);
}

static void put_implementation(ctn_json_builder *object, const char *key, const ctn_mcp_server *server)
{
    ctn_json_builder info = ctn_json_object(server->scratch);
    ctn_json_put_str(&info, "name", ctn_str_from(server->options.name));
    ctn_json_put_str(&info, "version", ctn_str_from(server->options.version));
    ctn_json_put(object, ctn_str_from(key), ctn_json_finish(&info));
}

static ctn_json_builder begin_result(const request *r)
{
    ctn_json_builder result = ctn_json_object(r->server->scratch);
    if (r->is_modern)
        ctn_json_put_str(&result, "resultType", CTN_STR("complete"));
    return result;
}

/* usage NULL: not told. */
static void answer_with(const request *r, ctn_json_builder *result, const ctn_json *usage, const char *failure)
{
    if (r->is_modern || usage || failure) {
        ctn_json_builder meta = ctn_json_object(r->server->scratch);
        if (r->is_modern)
            put_implementation(&meta, CTN_MCP_META_SERVER_INFO, r->server);
        if (usage)
            ctn_json_put(&meta, CTN_STR(CTN_MCP_META_USAGE), usage);
        if (failure)
            ctn_json_put_str(&meta, CTN_MCP_META_FAILURE, ctn_str_from(failure));
        ctn_json_put(result, CTN_STR("_meta"), ctn_json_finish(&meta));
    }
    size_t before = r->out->len;
    ctn_rpc_write_result(r->out, r->message->id, ctn_json_finish(result));
    if (r->out->overflowed) {
        /* Silence would leave the caller waiting: say what happened in the room that is left. */
        r->out->overflowed = false;
        r->out->len = before;
        answer_error(r, CTN_RPC_INTERNAL_ERROR, CTN_STR("the result is larger than a message may be"), NULL);
    }
}

static void answer(const request *r, ctn_json_builder *result)
{
    answer_with(r, result, NULL, NULL);
}

static void put_capabilities(ctn_json_builder *result, ctn_arena *scratch)
{
    ctn_json_builder tools = ctn_json_object(scratch);
    ctn_json_builder capabilities = ctn_json_object(scratch);
    ctn_json_put(&capabilities, CTN_STR("tools"), ctn_json_finish(&tools));
    ctn_json_put(result, CTN_STR("capabilities"), ctn_json_finish(&capabilities));
}

static void put_caching(const request *r, ctn_json_builder *result)
{
    if (!r->is_modern)
        return;
    ctn_json_put_int(result, "ttlMs", LIST_TTL_MS);
    ctn_json_put_str(result, "cacheScope", CTN_STR("public"));
}

static const ctn_json *supported_versions(const request *r)
{
    ctn_json_builder versions = ctn_json_array(r->server->scratch);
    ctn_json_push(&versions, ctn_json_string(r->server->scratch, CTN_STR(CTN_MCP_VERSION_MODERN)));
    return ctn_json_finish(&versions);
}

static void put_instructions(const request *r, ctn_json_builder *result)
{
    if (r->server->options.instructions)
        ctn_json_put_str(result, "instructions", ctn_str_from(r->server->options.instructions));
}

/* ---- methods ---- */

static void discover(const request *r)
{
    ctn_json_builder result = begin_result(r);
    ctn_json_put(&result, CTN_STR("supportedVersions"), supported_versions(r));
    put_capabilities(&result, r->server->scratch);
    put_instructions(r, &result);
    put_caching(r, &result);
    answer(r, &result);
}

static void initialize(const request *r)
{
    const ctn_json *wanted = ctn_json_member_of(r->message->params, "protocolVersion");
    if (!ctn_json_is(wanted, CTN_JSON_STRING)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("initialize needs a \"protocolVersion\""), NULL);
        return;
    }
    r->server->is_initialized = true;
    ctn_json_builder result = begin_result(r);
    ctn_json_put_str(&result, "protocolVersion",
                     ctn_mcp_is_legacy(ctn_json_text(wanted)) ? ctn_json_text(wanted)
                                                              : CTN_STR(CTN_MCP_VERSION_LEGACY));
    put_capabilities(&result, r->server->scratch);
    put_implementation(&result, "serverInfo", r->server);
    put_instructions(r, &result);
    answer(r, &result);
}

/* A cursor is the index of the first tool of its page, in decimal. */
static void list(const request *r)
{
    ctn_mcp_server *server = r->server;
    size_t total = server->options.tool_count;
    int64_t first = 0;
    const ctn_json *cursor = ctn_json_member_of(r->message->params, "cursor");
    if (cursor &&
        (!ctn_str_to_int64(ctn_json_is(cursor, CTN_JSON_STRING) ? ctn_json_text(cursor) : (ctn_str){0}, &first) ||
         first <= 0 || (uint64_t) first >= total)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("unknown cursor: begin again without one"), NULL);
        return;
    }
    size_t end = server->options.tools_per_page ? (size_t) first + server->options.tools_per_page : total;
    if (end > total)
        end = total;
    ctn_json_builder tools = ctn_json_array(server->scratch);
    for (size_t i = (size_t) first; i < end; i++)
        ctn_json_push(&tools, r->is_modern ? server->definitions[i] : server->legacy_definitions[i]);
    ctn_json_builder result = begin_result(r);
    ctn_json_put(&result, CTN_STR("tools"), ctn_json_finish(&tools));
    if (end < total)
        ctn_json_put_str(&result, "nextCursor", ctn_arena_printf(server->scratch, "%zu", end));
    put_caching(r, &result);
    answer(r, &result);
}

static void answer_call(const request *r, size_t tool, const ctn_mcp_server_reply *reply)
{
    ctn_arena *scratch = r->server->scratch;
    if (reply->protocol_error) {
        answer_error(r, reply->protocol_error, reply->error, NULL);
        return;
    }
    bool failed = reply->error.len > 0;
    ctn_str text = failed ? reply->error : reply->value ? ctn_json_to_str(scratch, reply->value) : reply->text;
    ctn_json_builder block = ctn_json_object(scratch);
    ctn_json_put_str(&block, "type", CTN_STR("text"));
    ctn_json_put_str(&block, "text", text);
    ctn_json_builder content = ctn_json_array(scratch);
    ctn_json_push(&content, ctn_json_finish(&block));
    ctn_json_builder result = begin_result(r);
    ctn_json_put(&result, CTN_STR("content"), ctn_json_finish(&content));
    bool may_be_structured =
        r->is_modern || (ctn_json_is(reply->value, CTN_JSON_OBJECT) &&
                         (r->server->has_legacy_output[tool] || !r->server->options.tools[tool].output_schema));
    if (reply->value && !failed && may_be_structured)
        ctn_json_put(&result, CTN_STR("structuredContent"), reply->value);
    if (failed)
        ctn_json_put_bool(&result, "isError", true);
    answer_with(r, &result, reply->usage, failed ? reply->failure : NULL);
}

static void call(const request *r)
{
    ctn_mcp_server *server = r->server;
    const ctn_json *params = r->message->params;
    const ctn_json *name = ctn_json_member_of(params, "name");
    const ctn_json *arguments = ctn_json_member_of(params, "arguments");
    if (!ctn_json_is(name, CTN_JSON_STRING)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("tools/call needs the \"name\" of a tool"), NULL);
        return;
    }
    if (arguments && !ctn_json_is(arguments, CTN_JSON_OBJECT)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("\"arguments\" must be an object"), NULL);
        return;
    }
    size_t tool = 0;
    while (tool < server->options.tool_count && !ctn_str_equal(server->names[tool], ctn_json_text(name)))
        tool++;
    if (tool == server->options.tool_count) {
        ctn_str word = ctn_json_text(name);
        if (word.len > 128)
            word.len = 128;
        ctn_str near = ctn_str_nearest(word, server->names, server->options.tool_count);
        answer_error(r, CTN_RPC_INVALID_PARAMS,
                     near.len ? ctn_arena_printf(server->scratch, "unknown tool %.*s; did you mean %.*s?",
                                                 CTN_STR_ARG(word), CTN_STR_ARG(near))
                              : ctn_arena_printf(server->scratch, "unknown tool %.*s", CTN_STR_ARG(word)),
                     NULL);
        return;
    }
    ctn_json_builder none = ctn_json_object(server->scratch);
    const ctn_json *meta = ctn_json_member_of(params, "_meta");
    const ctn_json *token = ctn_json_member_of(meta, "progressToken");
    ctn_mcp_server_call one = {
        .tool = tool,
        .arguments = arguments ? arguments : ctn_json_finish(&none),
        .idempotency_key = ctn_json_str_or(meta, CTN_MCP_META_IDEMPOTENCY_KEY, (ctn_str){0}),
        .progress_token = ctn_json_is(token, CTN_JSON_STRING) || ctn_json_is(token, CTN_JSON_NUMBER) ? token : NULL,
        .arena = server->scratch,
        .out = r->out,
    };
    ctn_mcp_server_reply reply = {0};
    server->options.call(server->options.ctx, &one, &reply);
    answer_call(r, tool, &reply);
}

/* ---- who may ask what ---- */

static void answer_unknown_method(const request *r)
{
    ctn_str method = r->message->method;
    answer_error(r, CTN_RPC_METHOD_NOT_FOUND,
                 ctn_arena_printf(r->server->scratch, "unknown method %.*s", CTN_STR_ARG(method)), NULL);
}

/* False: answered already. */
static bool check_modern(const request *r, const ctn_json *version, const ctn_json *meta)
{
    if (!ctn_json_is(version, CTN_JSON_STRING)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("_meta: " CTN_MCP_META_VERSION " must be a string"), NULL);
        return false;
    }
    if (!ctn_mcp_is_modern(ctn_json_text(version))) {
        ctn_json_builder data = ctn_json_object(r->server->scratch);
        ctn_json_put(&data, CTN_STR("supported"), supported_versions(r));
        ctn_json_put(&data, CTN_STR("requested"), version);
        answer_error(r, CTN_MCP_UNSUPPORTED_VERSION, CTN_STR("unsupported protocol version"), ctn_json_finish(&data));
        return false;
    }
    if (!ctn_json_is(ctn_json_member_of(meta, CTN_MCP_META_CAPABILITIES), CTN_JSON_OBJECT)) {
        answer_error(r, CTN_RPC_INVALID_PARAMS, CTN_STR("_meta: " CTN_MCP_META_CAPABILITIES " is missing"), NULL);
        return false;
    }
    return true;
}

static void answer_modern(const request *r)
{
    ctn_str method = r->message->method;
    if (ctn_str_is(method, "server/discover"))
        discover(r);
    else if (ctn_str_is(method, "tools/list"))
        list(r);
    else if (ctn_str_is(method, "tools/call"))
        call(r);
    else
        answer_unknown_method(r);
}

static void answer_legacy(const request *r)
{
    ctn_str method = r->message->method;
    bool is_tools = ctn_str_is(method, "tools/list") || ctn_str_is(method, "tools/call");
    bool is_discover = ctn_str_is(method, "server/discover") && !r->server->options.without_modern;
    if (ctn_str_is(method, "initialize") && !r->server->options.without_legacy)
        initialize(r);
    else if (ctn_str_is(method, "ping") && !r->server->options.without_legacy)
        ctn_rpc_write_result(r->out, r->message->id, &(ctn_json){.kind = CTN_JSON_OBJECT});
    else if (is_discover || (is_tools && !r->server->is_initialized))
        answer_error(r, CTN_RPC_INVALID_PARAMS,
                     CTN_STR("params._meta." CTN_MCP_META_VERSION " is missing, and there was no initialize"), NULL);
    else if (is_tools && ctn_str_is(method, "tools/list"))
        list(r);
    else if (is_tools)
        call(r);
    else
        answer_unknown_method(r);
}

void ctn_mcp_server_line(ctn_mcp_server *server, ctn_str line, ctn_buf *out)
{
    ctn_arena_reset(server->scratch);
    if (ctn_str_trim(line).len == 0)
        return;
    ctn_err err;
    ctn_rpc_message message;
    request r = {.server = server, .message = &message, .out = out};
    if (ctn_rpc_parse(server->scratch, line, &message, &err)) {
        answer_error(&r, message.error_code, ctn_str_from(err.message), NULL);
        return;
    }
    if (message.kind != CTN_RPC_REQUEST)
        return;
    const ctn_json *meta = ctn_json_member_of(message.params, "_meta");
    const ctn_json *version = ctn_json_member_of(meta, CTN_MCP_META_VERSION);
    r.is_modern = version && !server->options.without_modern;
    if (!r.is_modern)
        answer_legacy(&r);
    else if (check_modern(&r, version, meta))
        answer_modern(&r);
}

void ctn_mcp_write_progress(ctn_buf *out, ctn_arena *scratch, const ctn_json *token, int64_t progress, int64_t total,
                            ctn_str message)
{
    if (!token)
        return;
    ctn_json_builder params = ctn_json_object(scratch);
    ctn_json_put(&params, CTN_STR("progressToken"), token);
    ctn_json_put_int(&params, "progress", progress);
    if (total >= 0)
        ctn_json_put_int(&params, "total", total);
    if (message.len)
        ctn_json_put_str(&params, "message", message);
    ctn_rpc_write_notification(out, "notifications/progress", ctn_json_finish(&params));
}
