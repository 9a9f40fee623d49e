/*
 * Every message that wire/ emits, judged by the JSON schemas of the protocol's own revisions: what a client
 * sends, what a server answers, in both eras.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/shared_data.h"
#include "value/schema.h"
#include "wire/mcp_elicit.h"
#include "wire/mcp_server.h"

typedef struct fixture {
    ctn_arena *arena;
    ctn_buf out;
    const ctn_json *document; /* of the revision at hand */
    ctn_mcp_speaker speaker;
    ctn_mcp_server *server;
} fixture;

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, 2, CTN_STR("half"));
    if (call->tool == 1)
        ret_reply->error = CTN_STR("said no");
    else
        ret_reply->value = call->arguments;
}

static const ctn_mcp_server_tool TOOLS[] = {
    {.name = "echo",
     .title = "Echo",
     .description = "gives back what it got",
     .input_schema = "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\"}",
     .output_schema = "{\"type\":\"object\"}",
     .is_read_only = true},
    {.name = "refuse"},
    {.name = "list", .input_schema = "{\"type\":\"object\"}", .output_schema = "{\"type\":\"array\"}"},
};

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = ctn_arena_new(65536);
    ctn_buf_init(&f->out, 8 << 20);
    ctn_mcp_server_options options = {.name = "peer",
                                      .version = "1",
                                      .instructions = "call echo",
                                      .tools = TOOLS,
                                      .tool_count = 3,
                                      .tools_per_page = 2,
                                      .call = on_call};
    assert_int_equal(ctn_mcp_server_new(&options, &f->server, NULL), CTN_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ctn_mcp_server_free(f->server);
    ctn_buf_done(&f->out);
    ctn_arena_free(f->arena);
    free(f);
    return 0;
}

static void use_revision(fixture *f, const char *revision)
{
    char path[4096], name[128];
    ctn_err err = {0};
    (void) snprintf(name, sizeof name, "../reference/mcp-schema/%s.json", revision);
    if (!ctn_shared_data(name, path, sizeof path))
        skip();
    assert_true(ctn_read_file(path, &f->out));
    if (ctn_json_parse(f->arena, ctn_buf_str(&f->out), NULL, &f->document, &err))
        fail_msg("%s: %s", path, err.message);
    ctn_buf_clear(&f->out);
    f->speaker = (ctn_mcp_speaker){ctn_str_from(revision), CTN_STR("catena"), CTN_STR("0.1")};
}

/* The revision's document, with `definition` as the one to satisfy. */
static void judge(fixture *f, const char *definition, const ctn_json *value)
{
    ctn_err err = {0};
    ctn_json_builder b = ctn_json_object(f->arena);
    ctn_json_put(&b, CTN_STR("$defs"), ctn_json_member_of(f->document, "$defs"));
    ctn_json_put_str(&b, "$ref", ctn_arena_printf(f->arena, "#/$defs/%s", definition));
    ctn_schema *schema = NULL;
    if (ctn_schema_compile(f->arena, ctn_json_finish(&b), &schema, NULL, &err))
        fail_msg("%s: %s", definition, err.message);
    int rc = ctn_schema_validate(schema, value, f->arena, &err);
    ctn_schema_done(schema);
    if (rc)
        fail_msg("%s: %s\n%s", definition, err.message, ctn_json_to_str(f->arena, value).ptr);
}

static const ctn_json *take_line(fixture *f, ctn_str line)
{
    const ctn_json *message = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, line, NULL, &message, &err))
        fail_msg("%s: %.*s", err.message, CTN_STR_ARG(line));
    return message;
}

/* The one line in `out` is a whole message of that kind; it is given back, still unread by the server. */
static ctn_str judge_out(fixture *f, const char *definition)
{
    ctn_str text = ctn_arena_str(f->arena, ctn_buf_str(&f->out));
    ctn_buf_clear(&f->out);
    ctn_str line = ctn_str_cut(&text, '\n');
    assert_int_equal(text.len, 0);
    judge(f, definition, take_line(f, line));
    return line;
}

/* What the server answers to the line: notifications and then one response, whose result is of that kind. */
static void judge_answer(fixture *f, ctn_str line, const char *response, const char *result)
{
    ctn_mcp_server_line(f->server, line, &f->out);
    ctn_str text = ctn_arena_str(f->arena, ctn_buf_str(&f->out));
    ctn_buf_clear(&f->out);
    assert_true(text.len > 0);
    while (text.len > 0) {
        const ctn_json *message = take_line(f, ctn_str_cut(&text, '\n'));
        if (ctn_json_member_of(message, "method")) {
            judge(f, "ProgressNotification", message);
            continue;
        }
        assert_int_equal(text.len, 0);
        judge(f, response, message);
        if (result)
            judge(f, result, ctn_json_member_of(message, "result"));
    }
}

static const ctn_json *arguments(fixture *f, const char *text)
{
    return take_line(f, ctn_str_from(text));
}

static void call_tools(fixture *f, const char *response)
{
    const char *const tools[] = {"echo", "refuse", "list"};
    for (size_t i = 0; i < 3; i++) {
        ctn_mcp_call call = {.tool = ctn_str_from(tools[i]),
                             .arguments = i ? NULL : arguments(f, "{\"a\":[1,2.50,\"x\"],\"b\":null}"),
                             .progress_token = 9,
                             .idempotency_key = CTN_STR("k")};
        ctn_mcp_write_call(&f->out, f->arena, &f->speaker, 10 + (int64_t) i, &call);
        judge_answer(f, judge_out(f, "CallToolRequest"), response, "CallToolResult");
    }
}

static void ask(fixture *f, const char *method, const char *params, const char *definition)
{
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 20, method, params ? arguments(f, params) : NULL);
    (void) judge_out(f, definition);
}

/* What is no tool, asked for all the same. */
static void ask_others(fixture *f)
{
    ask(f, "resources/list", NULL, "ListResourcesRequest");
    ask(f, "resources/read", "{\"uri\":\"file:///a\"}", "ReadResourceRequest");
    ask(f, "prompts/list", NULL, "ListPromptsRequest");
    ask(f, "prompts/get", "{\"name\":\"p\",\"arguments\":{\"a\":\"b\"}}", "GetPromptRequest");
}

/* A server's question in mid-call, and what it is answered. (The revision's schema knows whole numbers only in what is
 * answered; its text, and the conformance suite, know others too, so a server's own 95.5 goes back as that.) */
static void answer_forms(fixture *f)
{
    const char *const asked[] = {
        "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
        "\"default\":\"x\"},\"b\":{\"type\":\"boolean\",\"default\":true},\"c\":{\"type\":\"number\",\"default\":3}}}"
        "}",
        "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}",
    };
    for (size_t i = 0; i < 2; i++) {
        const ctn_json *answer = ctn_mcp_elicit_defaults(f->arena, arguments(f, asked[i]));
        judge(f, "ElicitResult", answer);
        ctn_rpc_write_result(&f->out, ctn_json_int(f->arena, 7), answer);
        (void) judge_out(f, "JSONRPCResultResponse");
    }
    ctn_rpc_write_error(&f->out, ctn_json_int(f->arena, 8), CTN_RPC_METHOD_NOT_FOUND, CTN_STR("not here"), NULL);
    (void) judge_out(f, "JSONRPCErrorResponse");
}

static void modern_messages_are_what_the_revision_says(void **state)
{
    fixture *f = *state;
    use_revision(f, "2026-07-28");
    ctn_mcp_write_discover(&f->out, f->arena, &f->speaker, 1);
    judge_answer(f, judge_out(f, "DiscoverRequest"), "JSONRPCResultResponse", "DiscoverResult");
    ctn_mcp_write_list(&f->out, f->arena, &f->speaker, 2, NULL);
    judge_answer(f, judge_out(f, "ListToolsRequest"), "JSONRPCResultResponse", "ListToolsResult");
    ctn_mcp_write_list(&f->out, f->arena, &f->speaker, 3, &CTN_STR("2"));
    judge_answer(f, judge_out(f, "ListToolsRequest"), "JSONRPCResultResponse", "ListToolsResult");
    ctn_mcp_write_list(&f->out, f->arena, &f->speaker, 4, &CTN_STR("99"));
    judge_answer(f, judge_out(f, "ListToolsRequest"), "JSONRPCErrorResponse", NULL);
    call_tools(f, "JSONRPCResultResponse");
    ctn_mcp_write_call(&f->out, f->arena, &f->speaker, 5, &(ctn_mcp_call){.tool = CTN_STR("nope")});
    judge_answer(f, judge_out(f, "CallToolRequest"), "JSONRPCErrorResponse", NULL);
    judge_answer(f, CTN_STR("nonsense"), "JSONRPCErrorResponse", NULL);
    judge_answer(f,
                 CTN_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
                         "{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}}"),
                 "UnsupportedProtocolVersionError", NULL);
    ctn_mcp_write_cancelled(&f->out, f->arena, 5, CTN_STR("timeout"));
    (void) judge_out(f, "CancelledNotification");
    ask_others(f);
    ask(f, "subscriptions/listen", "{\"notifications\":{\"toolsListChanged\":true}}", "SubscriptionsListenRequest");
}

static void legacy_messages_are_what_the_revision_says(void **state)
{
    fixture *f = *state;
    use_revision(f, "2025-11-25");
    ctn_mcp_write_initialize(&f->out, f->arena, &f->speaker, 1);
    judge_answer(f, judge_out(f, "InitializeRequest"), "JSONRPCResultResponse", "InitializeResult");
    f->speaker.answers_forms = true;
    ctn_mcp_write_initialize(&f->out, f->arena, &f->speaker, 1);
    (void) judge_out(f, "InitializeRequest");
    ctn_mcp_write_initialized(&f->out);
    (void) judge_out(f, "InitializedNotification");
    ask_others(f);
    answer_forms(f);
    ctn_mcp_write_list(&f->out, f->arena, &f->speaker, 2, NULL);
    judge_answer(f, judge_out(f, "ListToolsRequest"), "JSONRPCResultResponse", "ListToolsResult");
    ctn_mcp_write_list(&f->out, f->arena, &f->speaker, 3, &CTN_STR("2"));
    judge_answer(f, judge_out(f, "ListToolsRequest"), "JSONRPCResultResponse", "ListToolsResult");
    call_tools(f, "JSONRPCResultResponse");
    judge_answer(f, CTN_STR("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}"), "JSONRPCResultResponse",
                 "EmptyResult");
    ctn_mcp_write_call(&f->out, f->arena, &f->speaker, 5, &(ctn_mcp_call){.tool = CTN_STR("nope")});
    judge_answer(f, judge_out(f, "CallToolRequest"), "JSONRPCErrorResponse", NULL);
    ctn_mcp_write_cancelled(&f->out, f->arena, 5, CTN_STR("timeout"));
    (void) judge_out(f, "CancelledNotification");
}

/* Calls that go on, and what is asked of tasks, of the extension and of 2025-11-25. */
static void calls_that_go_on_are_what_the_revision_says(void **state)
{
    fixture *f = *state;
    use_revision(f, "2026-07-28");
    ctn_mcp_call call = {.tool = CTN_STR("ask"),
                         .request_state = ctn_json_string(f->arena, CTN_STR("st")),
                         .input_responses =
                             arguments(f, "{\"a\":{\"action\":\"accept\",\"content\":{\"n\":1,\"s\":[\"x\"],\"b\":"
                                          "true}},\"b\":{\"action\":\"decline\"}}")};
    ctn_mcp_write_call(&f->out, f->arena, &f->speaker, 1, &call);
    (void) judge_out(f, "CallToolRequest");
    use_revision(f, "ext-tasks");
    f->speaker.version = CTN_STR(CTN_MCP_VERSION_MODERN);
    const ctn_json *of_task = arguments(f, "{\"taskId\":\"t\"}");
    const ctn_json *update = arguments(f, "{\"taskId\":\"t\",\"inputResponses\":{\"a\":{\"action\":\"cancel\"}}}");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 2, "tasks/get", of_task);
    (void) judge_out(f, "GetTaskRequest");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 3, "tasks/update", update);
    (void) judge_out(f, "UpdateTaskRequest");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 4, "tasks/cancel", of_task);
    (void) judge_out(f, "CancelTaskRequest");
    use_revision(f, "2025-11-25");
    ctn_mcp_write_call(&f->out, f->arena, &f->speaker, 1, &(ctn_mcp_call){.tool = CTN_STR("t"), .task_ttl_ms = 5});
    (void) judge_out(f, "CallToolRequest");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 2, "tasks/get", of_task);
    (void) judge_out(f, "GetTaskRequest");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 3, "tasks/result", of_task);
    (void) judge_out(f, "GetTaskPayloadRequest");
    ctn_mcp_write_request(&f->out, f->arena, &f->speaker, 4, "tasks/cancel", of_task);
    (void) judge_out(f, "CancelTaskRequest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modern_messages_are_what_the_revision_says, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_that_go_on_are_what_the_revision_says, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy_messages_are_what_the_revision_says, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
