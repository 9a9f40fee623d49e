/* A server of MCP, line in and line out: both eras, tools that fail, requests that are none. */
#include <stdio.h>

#include "support/cmocka.h"
#include "wire/mcp_server.h"

#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                           \
    "\"io.modelcontextprotocol/clientCapabilities\":{},\"dev.catena/idempotency-key\":\"k1\",\"progressToken\":9}"
#define REQUEST(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"
/* From a client that says with every request who it is; `more` begins with a comma, if there is more. */
#define MODERN(method, more) REQUEST(method, META more)
#define INITIALIZE(version)                                                                                            \
    REQUEST("initialize", "\"protocolVersion\":\"" version                                                             \
                          "\",\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}")

typedef struct fixture {
    ctn_arena *arena;
    ctn_mcp_server *server;
    ctn_buf out;
    size_t calls;
    ctn_mcp_server_reply next; /* what the tool will answer */
    bool reports_progress;
} fixture;

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    fixture *f = ctx;
    f->calls++;
    assert_true(ctn_json_is(call->arguments, CTN_JSON_OBJECT));
    if (f->reports_progress)
        ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, 2, CTN_STR("half"));
    *ret_reply = f->next;
    if (!f->next.value && !f->next.text.len && !f->next.error.len) {
        ctn_json_builder value = ctn_json_object(call->arena);
        ctn_json_put(&value, CTN_STR("echo"), call->arguments);
        ctn_json_put_str(&value, "key", call->idempotency_key);
        ret_reply->value = ctn_json_finish(&value);
    }
}

static const ctn_mcp_server_tool TOOLS[] = {
    {.name = "echo",
     .title = "Echo",
     .description = "says it back",
     .input_schema = "{\"type\":\"object\"}",
     .output_schema = "{\"type\":\"object\"}",
     .is_read_only = true},
    {.name = "list_numbers", .output_schema = "{\"type\":\"array\"}"},
    {.name = "write_line", .input_schema = "{\"type\":\"object\",\"required\":[\"line\"]}", .is_idempotent = true},
};

static fixture *start(void **state, ctn_mcp_server_options options)
{
    fixture *f = *state;
    options.name = "peer";
    options.version = "1";
    options.tools = TOOLS;
    options.tool_count = 3;
    options.call = on_call;
    options.ctx = f;
    ctn_err err = {0};
    if (ctn_mcp_server_new(&options, &f->server, &err))
        fail_msg("%s", err.message);
    return f;
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){.arena = ctn_arena_new(4096)};
    ctn_buf_init(&f.out, 65536);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ctn_mcp_server_free(f->server);
    ctn_buf_done(&f->out);
    ctn_arena_free(f->arena);
    return 0;
}

/* Sends a line, expects one answer line, gives it parsed. */
static ctn_rpc_message ask(fixture *f, const char *line)
{
    ctn_buf_clear(&f->out);
    ctn_mcp_server_line(f->server, ctn_str_from(line), &f->out);
    ctn_str text = ctn_buf_str(&f->out);
    if (text.len == 0)
        fail_msg("no answer to %s", line);
    ctn_str answer = ctn_str_cut(&text, '\n');
    assert_int_equal(text.len, 0);
    ctn_rpc_message message;
    ctn_err err = {0};
    if (ctn_rpc_parse(f->arena, answer, &message, &err))
        fail_msg("%s: %.*s", err.message, CTN_STR_ARG(answer));
    return message;
}

static const ctn_json *ask_result(fixture *f, const char *line)
{
    ctn_rpc_message m = ask(f, line);
    if (m.kind != CTN_RPC_RESULT)
        fail_msg("error %lld: %.*s", (long long) m.error_code, CTN_STR_ARG(m.error_message));
    return m.result;
}

static int64_t ask_error(fixture *f, const char *line)
{
    ctn_rpc_message m = ask(f, line);
    assert_int_equal(m.kind, CTN_RPC_ERROR);
    assert_true(m.error_message.len > 0);
    return m.error_code;
}

static void a_modern_client_is_served_without_a_handshake(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    const ctn_json *result =
        ask_result(f, "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"server/discover\",\"params\":{" META "}}");
    const ctn_json *supported = NULL;
    assert_int_equal(ctn_mcp_parse_discovery(result, &supported, NULL), CTN_OK);
    assert_true(ctn_str_is(ctn_mcp_choose_version(supported), "2026-07-28"));
    const ctn_json *info = ctn_json_member_of(ctn_json_member_of(result, "_meta"), CTN_MCP_META_SERVER_INFO);
    assert_true(ctn_str_is(ctn_json_str_or(info, "name", (ctn_str){0}), "peer"));
    assert_non_null(ctn_json_pointer(result, CTN_STR("/capabilities/tools")));
    result = ask_result(f, MODERN("tools/list", ""));
    ctn_mcp_tools_page page;
    assert_int_equal(ctn_mcp_parse_tools(f->arena, result, &page, NULL), CTN_OK);
    assert_int_equal(page.count, 3);
    assert_true(page.ttl_ms > 0);
    assert_true(page.tools[0].hints.is_read_only && page.tools[2].hints.is_idempotent);
    result = ask_result(f, MODERN("tools/call", ",\"name\":\"echo\",\"arguments\":{\"a\":1.50}"));
    assert_true(ctn_str_is(ctn_json_str_or(result, "resultType", (ctn_str){0}), "complete"));
    ctn_mcp_call_result call;
    assert_int_equal(ctn_mcp_parse_call(f->arena, result, &call, NULL), CTN_OK);
    assert_non_null(ctn_json_member_of(result, "structuredContent"));
    assert_true(ctn_str_is(ctn_json_to_str(f->arena, call.value), "{\"echo\":{\"a\":1.50},\"key\":\"k1\"}"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(result, CTN_STR("/content/0/text"))),
                           "{\"echo\":{\"a\":1.50},\"key\":\"k1\"}"));
    assert_int_equal(f->calls, 1);
}

static void a_legacy_client_shakes_hands_first(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    const ctn_json *result = ask_result(f, INITIALIZE("2024-11-05"));
    ctn_str version = {0};
    assert_int_equal(ctn_mcp_parse_initialized(result, &version, NULL), CTN_OK);
    assert_true(ctn_str_is(version, "2024-11-05"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(result, CTN_STR("/serverInfo/name"))), "peer"));
    result = ask_result(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    assert_null(ctn_json_member_of(result, "resultType"));
    assert_null(ctn_json_pointer(result, CTN_STR("/tools/1/outputSchema"))); /* objects only, in this era */
    assert_non_null(ctn_json_pointer(result, CTN_STR("/tools/0/outputSchema")));
    result = ask_result(f, REQUEST("tools/call", "\"name\":\"echo\""));
    assert_non_null(ctn_json_member_of(result, "structuredContent"));
    assert_null(ctn_json_member_of(result, "_meta"));
    ask_result(f, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}");
    result = ask_result(f, INITIALIZE("2026-07-28"));
    assert_true(ctn_str_is(ctn_json_str_or(result, "protocolVersion", (ctn_str){0}), "2025-11-25"));
    /* Both eras on one connection. */
    ask_result(f, MODERN("tools/call", ",\"name\":\"echo\""));
}

static void no_tool_runs_without_an_agreed_era(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    const char *call = REQUEST("tools/call", "\"name\":\"echo\"");
    assert_int_equal(ask_error(f, call), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(ask_error(f,
                               "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
                               "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}"),
                     CTN_RPC_INVALID_PARAMS);
    ctn_rpc_message m =
        ask(f, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"_meta\":"
               "{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\","
               "\"io.modelcontextprotocol/clientCapabilities\":{}}}}");
    assert_int_equal(m.error_code, CTN_MCP_UNSUPPORTED_VERSION);
    assert_true(ctn_str_is(ctn_mcp_choose_version(ctn_json_member_of(m.error_data, "supported")), "2026-07-28"));
    assert_int_equal(f->calls, 0);
}

static void bad_requests_are_refused_by_their_codes(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    assert_int_equal(ask_error(f, "nonsense"), CTN_RPC_PARSE_ERROR);
    assert_int_equal(ask_error(f, "[]"), CTN_RPC_INVALID_REQUEST);
    assert_int_equal(ask_error(f, MODERN("resources/list", "")), CTN_RPC_METHOD_NOT_FOUND);
    assert_int_equal(ask_error(f, MODERN("ping", "")), CTN_RPC_METHOD_NOT_FOUND);
    assert_int_equal(ask_error(f, MODERN("tools/call", ",\"name\":\"nope\"")), CTN_RPC_INVALID_PARAMS);
    ctn_rpc_message m = ask(f, MODERN("tools/call", ",\"name\":\"write_lime\""));
    assert_true(ctn_str_find(m.error_message, CTN_STR("did you mean write_line?")) != SIZE_MAX);
    assert_int_equal(ask_error(f, MODERN("tools/call", "")), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(ask_error(f, MODERN("tools/call", ",\"name\":\"echo\",\"arguments\":[1]")),
                     CTN_RPC_INVALID_PARAMS);
    assert_int_equal(ask_error(f, "{\"id\":1,\"method\":\"initialize\",\"params\":{}}"), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(f->calls, 0);
}

static void notifications_and_answers_get_no_answer(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    const char *const lines[] = {
        "{\"method\":\"notifications/initialized\"}",
        "{\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
        "{\"id\":1,\"result\":{}}",
        "{\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}",
        "",
        "   ",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ctn_mcp_server_line(f->server, ctn_str_from(lines[i]), &f->out);
        assert_int_equal(f->out.len, 0);
    }
}

static void pages_join_to_the_whole_list(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){.tools_per_page = 2});
    ctn_mcp_tools_page page;
    const ctn_json *result = ask_result(f, MODERN("tools/list", ""));
    assert_int_equal(ctn_mcp_parse_tools(f->arena, result, &page, NULL), CTN_OK);
    assert_int_equal(page.count, 2);
    assert_true(page.has_next);
    char line[512];
    (void) snprintf(line, sizeof line, MODERN("tools/list", ",\"cursor\":\"%.*s\""), CTN_STR_ARG(page.next_cursor));
    result = ask_result(f, line);
    assert_int_equal(ctn_mcp_parse_tools(f->arena, result, &page, NULL), CTN_OK);
    assert_int_equal(page.count, 1);
    assert_false(page.has_next);
    assert_int_equal(ask_error(f, MODERN("tools/list", ",\"cursor\":\"99\"")), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(ask_error(f, MODERN("tools/list", ",\"cursor\":\"\"")), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(ask_error(f, MODERN("tools/list", ",\"cursor\":5")), CTN_RPC_INVALID_PARAMS);
}

static void failures_of_tools_and_of_the_protocol_are_kept_apart(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    const char *line = MODERN("tools/call", ",\"name\":\"write_line\"");
    f->next = (ctn_mcp_server_reply){.error = CTN_STR("disk full")};
    const ctn_json *result = ask_result(f, line);
    ctn_mcp_call_result call;
    assert_int_equal(ctn_mcp_parse_call(f->arena, result, &call, NULL), CTN_OK);
    assert_true(call.is_error);
    assert_true(ctn_str_is(call.error_text, "disk full"));
    f->next = (ctn_mcp_server_reply){.error = CTN_STR("no"), .protocol_error = -32603};
    assert_int_equal(ask_error(f, line), -32603);
    f->next = (ctn_mcp_server_reply){.text = CTN_STR("plain words")};
    result = ask_result(f, line);
    assert_int_equal(ctn_mcp_parse_call(f->arena, result, &call, NULL), CTN_OK);
    assert_true(ctn_str_is(ctn_json_to_str(f->arena, call.value), "{\"text\":\"plain words\"}"));
}

static void progress_comes_before_the_answer(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    f->reports_progress = true;
    ctn_mcp_server_line(f->server, CTN_STR(MODERN("tools/call", ",\"name\":\"echo\"")), &f->out);
    ctn_str text = ctn_buf_str(&f->out);
    ctn_rpc_message m;
    assert_int_equal(ctn_rpc_parse(f->arena, ctn_str_cut(&text, '\n'), &m, NULL), CTN_OK);
    assert_true(ctn_str_is(m.method, "notifications/progress"));
    ctn_mcp_progress progress;
    assert_true(ctn_mcp_parse_progress(m.params, &progress));
    assert_int_equal(progress.token, 9);
    assert_int_equal(ctn_rpc_parse(f->arena, ctn_str_cut(&text, '\n'), &m, NULL), CTN_OK);
    assert_int_equal(m.kind, CTN_RPC_RESULT);
}

/* Silence would leave the caller waiting until its time is up. */
static void a_result_that_does_not_fit_is_an_error_not_silence(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){0});
    static char big[100000];
    memset(big, 'x', sizeof big);
    f->next = (ctn_mcp_server_reply){.text = {big, sizeof big}};
    assert_int_equal(ask_error(f, MODERN("tools/call", ",\"name\":\"echo\"")), CTN_RPC_INTERNAL_ERROR);
}

static void servers_of_one_era_refuse_the_other(void **state)
{
    fixture *f = start(state, (ctn_mcp_server_options){.without_modern = true});
    assert_int_equal(ask_error(f, MODERN("server/discover", "")), CTN_RPC_METHOD_NOT_FOUND);
    ask_result(f, INITIALIZE("2025-06-18"));
    ctn_mcp_server_free(f->server);
    f = start(state, (ctn_mcp_server_options){.without_legacy = true});
    assert_int_equal(ask_error(f, INITIALIZE("2025-06-18")), CTN_RPC_METHOD_NOT_FOUND);
}

static void a_schema_that_is_not_json_is_found_at_the_start(void **state)
{
    fixture *f = *state;
    const ctn_mcp_server_tool tool = {.name = "odd", .input_schema = "{\"type\":"};
    ctn_mcp_server *server = NULL;
    ctn_err err = {0};
    ctn_mcp_server_options options = {
        .name = "p", .version = "1", .tools = &tool, .tool_count = 1, .call = on_call, .ctx = f};
    assert_int_equal(ctn_mcp_server_new(&options, &server, &err), CTN_E_INVALID);
    assert_holds(err.message, "odd");
    assert_null(server);
    const ctn_mcp_server_tool scalar = {.name = "odd", .input_schema = "{\"type\":\"string\"}"};
    options.tools = &scalar;
    assert_int_equal(ctn_mcp_server_new(&options, &server, &err), CTN_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_modern_client_is_served_without_a_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_legacy_client_shakes_hands_first, setup, teardown),
        cmocka_unit_test_setup_teardown(no_tool_runs_without_an_agreed_era, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_requests_are_refused_by_their_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(notifications_and_answers_get_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_join_to_the_whole_list, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_of_tools_and_of_the_protocol_are_kept_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(progress_comes_before_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_result_that_does_not_fit_is_an_error_not_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(servers_of_one_era_refuse_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_schema_that_is_not_json_is_found_at_the_start, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
