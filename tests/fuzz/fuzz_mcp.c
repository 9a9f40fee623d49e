/*
 * The first byte picks who reads the rest: one of the client's result readers, or a server that is given the
 * bytes as lines. Whatever comes in, a server's answers are well-formed messages, one a line.
 */
#include <stdlib.h>
#include "wire/mcp_http.h"
#include "wire/mcp_server.h"

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, -1, call->idempotency_key);
    ret_reply->value = call->arguments;
}

static void serve(ctn_arena *arena, ctn_str text)
{
    static const ctn_mcp_server_tool tools[] = {{.name = "a"}, {.name = "b", .output_schema = "true"}};
    ctn_mcp_server *server = NULL;
    ctn_mcp_server_options options = {
        .name = "f", .version = "1", .tools = tools, .tool_count = 2, .tools_per_page = 1, .call = on_call};
    if (ctn_mcp_server_new(&options, &server, NULL))
        abort();
    ctn_buf out;
    ctn_buf_init(&out, 1 << 22);
    while (text.ptr)
        ctn_mcp_server_line(server, ctn_str_cut(&text, '\n'), &out);
    for (ctn_str answers = ctn_buf_str(&out); answers.len;) {
        ctn_rpc_message message;
        if (ctn_rpc_parse(arena, ctn_str_cut(&answers, '\n'), &message, NULL))
            abort();
    }
    ctn_buf_done(&out);
    ctn_mcp_server_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_err err;
    ctn_str text = {(const char *) data + 1, size - 1};
    const ctn_json *value = NULL;
    if (data[0] % 2 == 0) {
        serve(arena, text);
    } else if (ctn_json_parse(arena, text, NULL, &value, &err) == CTN_OK) {
        const ctn_json *supported;
        ctn_str version;
        ctn_mcp_tools_page page;
        ctn_mcp_call_result call;
        ctn_mcp_progress progress;
        (void) ctn_mcp_parse_discovery(value, &supported, &err);
        (void) ctn_mcp_parse_initialized(value, &version, &err);
        (void) ctn_mcp_parse_tools(arena, value, &page, &err);
        (void) ctn_mcp_parse_progress(value, &progress);
        ctn_mcp_params params;
        size_t headers;
        if (ctn_mcp_params_read(arena, value, &params, &err) == CTN_OK)
            (void) ctn_mcp_params_headers(arena, &params, value, &headers);
        const ctn_json *asks;
        if (ctn_mcp_read_asks(arena, value, &asks, &err) == CTN_OK && ctn_json_count(asks) > CTN_MCP_ASKS_MAX)
            abort();
        ctn_mcp_task_told told;
        if (ctn_mcp_read_task(value, &told, &err) == CTN_OK && (!told.id.len || told.poll_ms < 0))
            abort();
        if (ctn_mcp_parse_call(arena, value, &call, &err) == CTN_OK && call.kind == CTN_MCP_COMPLETE &&
            !call.is_error && !call.value)
            abort();
    }
    ctn_arena_free(arena);
    return 0;
}
