/*
 * An MCP endpoint that answers in the wrong era, or not at all, or twice; whose state can be forged; that forgets who
 * listens. Every message that it sends is judged by the official schema of its revision.
 */
#include <stdio.h>
#include "support/cmocka.h"
#include "unit/server/talk.h"
#include "wire/mcp.h"

#define CALL(id, name, rest)                                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" name "\"," rest "}}"

/* ---- eras ---- */

static void a_request_is_answered_in_the_era_of_its_shape(void **state)
{
    talk *t = *state;
    ask_modern(t, "server/discover", "");
    assert_true(ctn_str_is(at(t, "/result/supportedVersions/0"), "2026-07-28"));
    assert_true(is_there(t, "/result/capabilities/extensions/io.modelcontextprotocol~1tasks"));
    assert_true(ctn_str_is(at(t, "/result/_meta/io.modelcontextprotocol~1serverInfo/name"), "kit"));
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS); /* no initialize, no _meta */
    t->revision = "2025-11-25";
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2099-01-01\"}}");
    assert_true(ctn_str_is(at(t, "/result/protocolVersion"), "2025-11-25"));
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\"}");
    assert_true(ctn_str_is(at(t, "/result/tools/0/name"), "echo"));
    assert_false(is_there(t, "/result/resultType") || is_there(t, "/result/ttlMs") || is_there(t, "/result/_meta"));
    t->revision = "2026-07-28";
    ask_modern(t, "tools/list", ""); /* both on one pipe */
    assert_true(ctn_str_is(at(t, "/result/resultType"), "complete"));
    assert_true(ctn_str_is(at(t, "/result/cacheScope"), "public"));
    ask_modern(t, "initialize", "\"protocolVersion\":\"2025-11-25\"");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_METHOD_NOT_FOUND);
    ask_modern(t, "ping", "");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_METHOD_NOT_FOUND);
}

static void what_is_wrong_with_a_modern_request_has_its_code_and_status(void **state)
{
    talk *t = *state;
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{}}", NULL);
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32602 && number_at(t, "/id") == 1);
    post(t,
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"server/discover\",\"params\":{\"_meta\":{"
         "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}",
         NULL);
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32602);
    const char *old = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"server/discover\",\"params\":{\"_meta\":{"
                      "\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\","
                      "\"io.modelcontextprotocol/clientCapabilities\":{}}}}";
    post(t, old, NULL); /* the header says another one */
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32020);
    post(t, old, &(ctn_mcp_headers){.protocol_version = CTN_STR("1900-01-01"), .method = CTN_STR("server/discover")});
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32022);
    assert_true(ctn_str_is(at(t, "/error/data/requested"), "1900-01-01"));
    assert_true(ctn_str_is(at(t, "/error/data/supported/0"), "2026-07-28"));
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"nothing/such\",\"params\":{" BARE_META "}}", NULL);
    assert_true(t->http_status == 404 && number_at(t, "/error/code") == -32601 && number_at(t, "/id") == 4);
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tasks/get\",\"params\":{\"taskId\":\"x\"," BARE_META "}}",
         &(ctn_mcp_headers){
             .protocol_version = CTN_STR("2026-07-28"), .method = CTN_STR("tasks/get"), .name = CTN_STR("x")});
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32021);
    assert_true(is_there(t, "/error/data/requiredCapabilities/extensions/io.modelcontextprotocol~1tasks"));
    post(t, "{not json", NULL);
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32700 && !is_there(t, "/id"));
    post(t, "[]", NULL);
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32600);
}

static void headers_that_say_something_else_are_refused(void **state)
{
    talk *t = *state;
    const char *call = CALL(1, "echo", "\"arguments\":{\"text\":\"H\\u00e4\"}," BARE_META);
    const ctn_str version = CTN_STR("2026-07-28"), method = CTN_STR("tools/call");
    const struct {
        ctn_str method, name, param;
        bool is_fine;
    } ROWS[] = {
        {method, CTN_STR("echo"), CTN_STR("=?base64?SMOk?="), true},
        {method, CTN_STR("=?base64?ZWNobw==?="), CTN_STR(" =?base64?SMOk?= "), true},
        {method, CTN_STR("echo"), CTN_STR("=?base64?SMOk"), false}, /* one mark: a text like any other */
        {method, CTN_STR("echo"), CTN_STR("=?base64?S!Ok?="), false},
        {method, CTN_STR("echo"), {0}, false},
        {method, CTN_STR("list"), CTN_STR("=?base64?SMOk?="), false},
        {method, {0}, CTN_STR("=?base64?SMOk?="), false},
        {CTN_STR("TOOLS/CALL"), CTN_STR("echo"), CTN_STR("=?base64?SMOk?="), false},
        {{0}, CTN_STR("echo"), CTN_STR("=?base64?SMOk?="), false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_mcp_header params[] = {{CTN_STR("mcp-param-TEXT"), ROWS[i].param}};
        ctn_mcp_headers headers = {.protocol_version = version,
                                   .method = ROWS[i].method,
                                   .name = ROWS[i].name,
                                   .params = params,
                                   .param_count = ROWS[i].param.ptr ? 1 : 0};
        post(t, call, &headers);
        if (ROWS[i].is_fine ? t->http_status != 200 : t->http_status != 400 || number_at(t, "/error/code") != -32020)
            fail_msg("row %zu: %d %s", i, t->http_status, ctn_json_to_str(t->arena, last(t)).ptr);
    }
    ctn_mcp_header params[] = {{CTN_STR("Mcp-Param-Text"), CTN_STR("x")}};
    post(t, CALL(1, "echo", BARE_META),
         &(ctn_mcp_headers){version, method, CTN_STR("echo"), params, 1}); /* the argument is not there */
    assert_int_equal(number_at(t, "/error/code"), -32020);
}

static void a_legacy_client_over_http_needs_no_session(void **state)
{
    talk *t = *state;
    ctn_mcp_headers none = {0}, now = {.protocol_version = CTN_STR("2025-11-25")},
                    never = {.protocol_version = CTN_STR("1900-01-01")};
    t->revision = "2025-11-25";
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}",
         &none);
    assert_false(is_there(t, "/result/capabilities/tools/listChanged")); /* there is no stream to tell it on */
    post(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", &now);
    assert_int_equal(t->http_status, 202);
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}", &now);
    assert_true(is_there(t, "/result/tools/0/outputSchema"));
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"logging/setLevel\",\"params\":{\"level\":\"info\"}}", &now);
    assert_true(t->http_status == 200 && is_there(t, "/result"));
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"resources/read\",\"params\":{\"uri\":\"test://none\"}}", &now);
    assert_int_equal(number_at(t, "/error/code"), -32002);
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\"}", &never);
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32022);
}

/* ---- revisions ---- */

static void each_revision_is_told_what_it_knows(void **state)
{
    talk *t = *state;
    const struct {
        const char *revision;
        bool annotations, structured, icons;
    } ROWS[] = {{"2025-11-25", true, true, true},
                {"2025-06-18", true, true, false},
                {"2025-03-26", true, false, false},
                {"2024-11-05", false, false, false}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        t->revision = i ? NULL : ROWS[i].revision;
        shake_hands(t, ROWS[i].revision, "{}");
        say(t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
        assert_int_equal(is_there(t, "/result/tools/0/annotations"), ROWS[i].annotations);
        assert_int_equal(is_there(t, "/result/tools/0/title"), ROWS[i].structured);
        assert_int_equal(is_there(t, "/result/tools/0/_meta"), ROWS[i].structured);
        assert_int_equal(is_there(t, "/result/tools/0/outputSchema"), ROWS[i].structured);
        assert_int_equal(is_there(t, "/result/tools/0/icons"), ROWS[i].icons);
        assert_false(is_there(t, "/result/tools/1/outputSchema")); /* an array: no old revision has that */
        say(t, CALL(2, "echo", "\"arguments\":{}"));
        assert_int_equal(is_there(t, "/result/structuredContent"), ROWS[i].structured);
        say(t, CALL(3, "list", "\"arguments\":{}"));
        assert_false(is_there(t, "/result/structuredContent"));
        say(t, CALL(4, "blocks", "\"arguments\":{}"));
        assert_true(ctn_str_is(at(t, "/result/content/2/type"), ROWS[i].annotations ? "audio" : "text"));
        assert_true(ctn_str_is(at(t, "/result/content/3/type"), ROWS[i].structured ? "resource_link" : "text"));
        assert_true(ctn_str_is(at(t, "/result/content/4/type"), "resource"));
        say(t, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"prompts/list\"}");
        assert_int_equal(is_there(t, "/result/prompts/0/arguments/0/title"), ROWS[i].structured);
        say(t, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"prompts/get\",\"params\":{\"name\":\"greet\"}}");
        assert_true(
            ctn_str_is(at(t, "/result/messages/0/content/type"), ROWS[i].structured ? "resource_link" : "text"));
        forget(t);
    }
}

static void arrays_of_messages_are_for_2025_03_26_alone(void **state)
{
    talk *t = *state;
    const char *two =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
        "initialized\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]";
    t->revision = NULL;
    post(t, two, &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-06-18")});
    assert_true(t->http_status == 400 && number_at(t, "/error/code") == -32600);
    post(t, two, &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-03-26")});
    assert_int_equal(t->http_status, 200);
    assert_true(ctn_json_count(last(t)) == 2 && number_at(t, "/1/id") == 2);
    post(t, "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}]", &(ctn_mcp_headers){0});
    assert_int_equal(t->http_status, 202);
    /* One of them waits, and its client goes away. */
    post(t, "[" CALL(1, "slow", "\"arguments\":{}") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]",
         &(ctn_mcp_headers){0});
    assert_int_equal(t->http_status, 0);
    ctn_mcp_endpoint_channel_gone(t->endpoint, &t->post);
    kit_finish(&t->kit); /* told to nobody */
    assert_true(ctn_mcp_endpoint_is_idle(t->endpoint));
}

/* ---- calls ---- */

static void a_list_is_given_in_pages_to_its_end(void **state)
{
    talk *t = *state;
    t->kit.tool_count = 15;
    size_t total = 0;
    char params[64] = "";
    for (int pages = 1; pages <= 3; pages++) {
        ask_modern(t, "tools/list", params);
        total += ctn_json_count(ctn_json_pointer(last(t), CTN_STR("/result/tools")));
        (void) snprintf(params, sizeof params, "\"cursor\":\"%.*s\"", CTN_STR_ARG(at(t, "/result/nextCursor")));
    }
    assert_int_equal(total, 24);
    assert_false(is_there(t, "/result/nextCursor"));
    const char *bad[] = {"\"cursor\":\"999\"", "\"cursor\":\"x\"", "\"cursor\":\"\"", "\"cursor\":7",
                         "\"cursor\":\"-1\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask_modern(t, "tools/list", bad[i]);
        assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    }
}

static void an_unknown_tool_is_named_with_the_nearest_one(void **state)
{
    talk *t = *state;
    ask_modern(t, "tools/call", "\"name\":\"ecko\"");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    assert_true(ctn_str_is(at(t, "/error/message"), "unknown tool ecko; did you mean echo?"));
    ask_modern(t, "tools/call", "\"name\":\"echo\",\"arguments\":[]");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    ask_modern(t, "tools/call", "\"arguments\":{}");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    assert_int_equal(t->kit.calls, 0);
}

static void progress_grows_and_ends_with_the_answer(void **state)
{
    talk *t = *state;
    say(t, CALL(1, "slow",
                "\"_meta\":{\"progressToken\":\"p\",\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientCapabilities\":{}}"));
    assert_int_equal(t->said_count, 1); /* the second one did not grow */
    assert_true(ctn_str_is(at(t, "/params/progressToken"), "p") && number_at(t, "/params/total") == 2);
    kit_finish(&t->kit);
    assert_true(t->said_count == 2 && number_at(t, "/id") == 1);
    ask_modern(t, "tools/call", "\"name\":\"slow\""); /* no token: no progress */
    assert_int_equal(t->said_count, 2);
    kit_finish(&t->kit);
    assert_int_equal(t->said_count, 3);
}

static void a_cancelled_request_is_answered_no_more(void **state)
{
    talk *t = *state;
    ask_modern(t, "tools/call", "\"name\":\"slow\"");
    ask_modern(t, "tools/list", ""); /* the same id, still under way */
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_REQUEST);
    say(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"1\"}}");
    assert_int_equal(t->kit.gone_count, 0); /* another id: a text */
    say(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}");
    assert_int_equal(t->kit.gone_count, 1);
    say(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}");
    assert_true(ctn_mcp_endpoint_is_idle(t->endpoint));
}

static void a_closed_stream_cancels_a_modern_request_and_no_legacy_one(void **state)
{
    talk *t = *state;
    post(t, CALL(1, "slow", BARE_META), NULL);
    ctn_mcp_endpoint_channel_gone(t->endpoint, &t->post);
    assert_int_equal(t->kit.gone_count, 1);
    post(t, CALL(1, "slow", "\"arguments\":{}"), &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-06-18")});
    ctn_mcp_endpoint_channel_gone(t->endpoint, &t->post);
    assert_int_equal(t->kit.gone_count, 1);
    kit_finish(&t->kit);
    assert_int_equal(t->said_count, 0);
}

static void one_caller_has_so_many_requests_and_no_more(void **state)
{
    talk *t = *state;
    for (int i = 0; i < 5; i++)
        say(t, ctn_arena_printf(t->arena,
                                "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":"
                                "\"slow\"," BARE_META "}}",
                                i)
                   .ptr);
    assert_true(t->said_count == 1 && number_at(t, "/id") == 4 && is_there(t, "/error"));
    post(t, CALL(9, "refuse", BARE_META), NULL); /* another caller */
    assert_true(t->http_status == 200);
    say(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":0}}");
    forget(t);
    say(t, CALL(5, "refuse", BARE_META));
    assert_true(is_there(t, "/result/isError"));
}

/* ---- asking back ---- */

static void a_modern_caller_asks_again_with_the_answers_and_the_state(void **state)
{
    talk *t = *state;
    ask_modern(t, "tools/call", "\"name\":\"ask\",\"arguments\":{\"a\":1,\"b\":2}");
    assert_true(ctn_str_is(at(t, "/result/resultType"), "input_required"));
    ctn_str sealed = at(t, "/result/requestState");
    assert_true(sealed.len > 32);
    const char *answers = "\"inputResponses\":{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}";
    ask_modern(t, "tools/call",
               ctn_arena_printf(t->arena,
                                "\"name\":\"ask\",\"arguments\":{\"b\":2,\"a\":1},%s,"
                                "\"requestState\":\"%.*s\"",
                                answers, CTN_STR_ARG(sealed))
                   .ptr);
    assert_true(ctn_str_is(at(t, "/result/content/0/text"), "hello Ada"));
    /* Altered, for another tool, for other arguments, of another caller. */
    char *altered = (char *) ctn_arena_str(t->arena, sealed).ptr;
    altered[sealed.len / 2] = altered[sealed.len / 2] == 'A' ? 'B' : 'A';
    const char *const forged[] = {
        ctn_arena_printf(t->arena, "\"name\":\"ask\",\"arguments\":{\"a\":1,\"b\":2},%s,\"requestState\":\"%s\"",
                         answers, altered)
            .ptr,
        ctn_arena_printf(t->arena, "\"name\":\"echo\",\"arguments\":{\"a\":1,\"b\":2},%s,\"requestState\":\"%.*s\"",
                         answers, CTN_STR_ARG(sealed))
            .ptr,
        ctn_arena_printf(t->arena, "\"name\":\"ask\",\"arguments\":{\"a\":1},%s,\"requestState\":\"%.*s\"", answers,
                         CTN_STR_ARG(sealed))
            .ptr,
        "\"name\":\"ask\",\"requestState\":\"\"",
        "\"name\":\"ask\",\"requestState\":7",
    };
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        ask_modern(t, "tools/call", forged[i]);
        assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    }
    post(t,
         ctn_arena_printf(t->arena,
                          CALL(1, "ask", "\"arguments\":{\"a\":1,\"b\":2},%s,\"requestState\":\"%.*s\"," MODERN_META),
                          answers, CTN_STR_ARG(sealed))
             .ptr,
         NULL);
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
}

static void answers_that_are_none_are_refused(void **state)
{
    talk *t = *state;
    const char *bad[] = {"[]", "{\"who\":1}",

                         "{\"who\":{\"action\":\"perhaps\"}}", "{\"who\":{\"action\":5}}",
                         "{\"who\":{\"action\":\"accept\",\"content\":\"Ada\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask_modern(t, "tools/call", ctn_arena_printf(t->arena, "\"name\":\"ask\",\"inputResponses\":%s", bad[i]).ptr);
        assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    }
    assert_int_equal(t->kit.calls, 0);
}

static void who_did_not_declare_elicitation_is_told_so(void **state)
{
    talk *t = *state;
    say(t, CALL(1, "ask", BARE_META));
    assert_int_equal(number_at(t, "/error/code"), -32021);
    assert_true(is_there(t, "/error/data/requiredCapabilities/elicitation/form"));
}

static void a_legacy_caller_is_asked_on_his_pipe(void **state)
{
    talk *t = *state;
    t->revision = "2025-11-25";
    shake_hands(t, "2025-11-25", "{\"elicitation\":{}}");
    say(t, CALL(1, "ask", "\"arguments\":{}"));
    assert_true(ctn_str_is(at(t, "/method"), "elicitation/create"));
    ctn_str id = at(t, "/id");
    assert_true(id.len >= 32);
    say(t,
        "{\"jsonrpc\":\"2.0\",\"id\":\"guessed\",\"result\":{\"action\":\"accept\",\"content\":{\"name\":\"Eve\"}}}");
    const char *answer = ctn_arena_printf(t->arena,
                                          "{\"jsonrpc\":\"2.0\",\"id\":\"%.*s\",\"result\":{\"action\":\"accept\","
                                          "\"content\":{\"name\":\"Ada\"}}}",
                                          CTN_STR_ARG(id))
                             .ptr;
    post(t, answer, &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-11-25")}); /* of another principal */
    assert_int_equal(t->said_count, 1);
    say(t, answer);
    t->asked = NULL;
    run_for(t, 10);
    assert_true(ctn_str_is(at(t, "/result/content/0/text"), "hello Ada"));
    say(t, answer); /* once more: to nobody */
    assert_int_equal(t->said_count, 2);
}

static void a_legacy_caller_who_does_not_answer_is_not_waited_for_forever(void **state)
{
    talk *t = *state;
    t->revision = "2025-11-25";
    shake_hands(t, "2025-11-25", "{\"elicitation\":{}}");
    say(t, CALL(1, "ask", "\"arguments\":{}"));
    run_for(t, 100);
    assert_true(ctn_str_is(at(t, "/result/content/0/text"), "hello nobody"));
    forget(t);
    shake_hands(t, "2025-11-25", "{}"); /* cannot be asked */
    say(t, CALL(1, "ask", "\"arguments\":{}"));
    run_for(t, 10);
    assert_true(t->said_count == 1 && ctn_str_is(at(t, "/result/content/0/text"), "hello nobody"));
    /* Says that he cannot: over HTTP nobody knows before. */
    post(t, CALL(1, "ask", "\"arguments\":{}"), &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-11-25")});
    ctn_str id = at(t, "/id");
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");
    ctn_mcp_channel other = t->post;
    t->is_answered = false;
    ctn_mcp_endpoint_take(t->endpoint, &other,
                          ctn_arena_printf(t->arena,
                                           "{\"jsonrpc\":\"2.0\",\"id\":\"%.*s\",\"error\":{"
                                           "\"code\":-32601,\"message\":\"no\"}}",
                                           CTN_STR_ARG(id)),
                          &(ctn_mcp_headers){.protocol_version = CTN_STR("2025-11-25")});
    assert_int_equal(t->http_status, 202);
    t->is_answered = false;
    t->asked = NULL;
    run_for(t, 10);
    assert_true(ctn_str_is(at(t, "/result/content/0/text"), "hello nobody"));
}

/* ---- tasks, listening ---- */

static void tasks_are_for_those_who_declared_them(void **state)
{
    talk *t = *state;
    ask_modern(t, "tools/call", "\"name\":\"grow\"");
    assert_true(ctn_str_is(at(t, "/result/resultType"), "task") && ctn_str_is(at(t, "/result/taskId"), "task-1"));
    ask_modern(t, "tasks/get", "\"taskId\":\"task-1\"");
    assert_true(ctn_str_is(at(t, "/result/status"), "working"));
    ask_modern(t, "tasks/get", "\"taskId\":\"another\"");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_INVALID_PARAMS);
    ask_modern(t, "tasks/update", "\"taskId\":\"task-1\",\"inputResponses\":{}");
    assert_true(is_there(t, "/result"));
    ask_modern(t, "tasks/cancel", "\"taskId\":\"task-1\"");
    assert_true(is_there(t, "/result"));
    say(t, CALL(1, "grow", BARE_META));
    assert_true(ctn_str_is(at(t, "/result/resultType"), "complete"));
    ask_modern(t, "tasks/list", "");
    assert_int_equal(number_at(t, "/error/code"), CTN_RPC_METHOD_NOT_FOUND);
}

static void a_listener_is_told_what_he_asked_for_and_nothing_else(void **state)
{
    talk *t = *state;
    ask_modern(t, "subscriptions/listen",
               "\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":[\"test://a\",\"test://none\"],"
               "\"taskIds\":[\"task-1\",\"task-2\"]}");
    assert_true(ctn_str_is(at(t, "/method"), "notifications/subscriptions/acknowledged"));
    assert_int_equal(number_at(t, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), 1);
    assert_int_equal(ctn_json_count(ctn_json_pointer(last(t), CTN_STR("/params/notifications/resourceSubscriptions"))),
                     1);
    assert_int_equal(ctn_json_count(ctn_json_pointer(last(t), CTN_STR("/params/notifications/taskIds"))), 1);
    assert_true(ctn_mcp_endpoint_is_idle(t->endpoint));
    ctn_mcp_endpoint_changed(t->endpoint, CTN_MCP_PROMPTS_CHANGED);
    ctn_mcp_endpoint_resource_changed(t->endpoint, CTN_STR("test://none"));
    assert_int_equal(t->said_count, 1);
    ctn_mcp_endpoint_changed(t->endpoint, CTN_MCP_TOOLS_CHANGED);
    assert_true(ctn_str_is(at(t, "/method"), "notifications/tools/list_changed"));
    assert_int_equal(number_at(t, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), 1);
    ctn_mcp_endpoint_resource_changed(t->endpoint, CTN_STR("test://a"));
    assert_true(ctn_str_is(at(t, "/params/uri"), "test://a"));
    const ctn_json *task = NULL;
    assert_int_equal(
        ctn_json_parse(t->arena,
                       CTN_STR("{\"taskId\":\"task-1\",\"status\":\"working\",\"createdAt\":"
                               "\"2026-11-22T10:00:00Z\",\"lastUpdatedAt\":\"2026-11-22T10:00:00Z\",\"ttlMs\":null}"),
                       NULL, &task, NULL),
        CTN_OK);
    ctn_mcp_endpoint_task_changed(t->endpoint, CTN_STR("task-2"), task);
    assert_int_equal(t->said_count, 3);
    ctn_mcp_endpoint_task_changed(t->endpoint, CTN_STR("task-1"), task);
    assert_int_equal(t->said_count, 4);
    ctn_mcp_endpoint_stop(t->endpoint);
    assert_true(t->said_count == 6 &&
                ctn_str_is(ctn_json_str_or(t->said[4], "method", (ctn_str){0}), "notifications/cancelled"));
    assert_true(number_at(t, "/id") == 1 && is_there(t, "/result/_meta/io.modelcontextprotocol~1subscriptionId"));
    ask_modern(t, "tools/list", "");
    assert_true(is_there(t, "/error"));
}

static void a_legacy_client_is_told_over_its_pipe(void **state)
{
    talk *t = *state;
    t->revision = "2025-11-25";
    ctn_mcp_endpoint_changed(t->endpoint, CTN_MCP_TOOLS_CHANGED);
    assert_int_equal(t->said_count, 0); /* nobody has shaken hands */
    shake_hands(t, "2025-11-25", "{}");
    ctn_mcp_endpoint_changed(t->endpoint, CTN_MCP_TOOLS_CHANGED);
    assert_true(ctn_str_is(at(t, "/method"), "notifications/tools/list_changed"));
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"test://a\"}}");
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"test://a\"}}");
    forget(t);
    ctn_mcp_endpoint_resource_changed(t->endpoint, CTN_STR("test://a"));
    assert_int_equal(t->said_count, 1);
    say(t, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/unsubscribe\",\"params\":{\"uri\":\"test://a\"}}");
    forget(t);
    ctn_mcp_endpoint_resource_changed(t->endpoint, CTN_STR("test://a"));
    assert_int_equal(t->said_count, 0);
}

static void what_one_may_not_know_is_not_told(void **state)
{
    talk *t = *state;
    post(t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" BARE_META "}}", NULL);
    assert_true(ctn_str_is(at(t, "/result/cacheScope"), "private")); /* of a token's holder */
    post(t, CALL(1, "refuse", BARE_META), NULL);
    assert_string_equal(t->kit.last_principal, "ada");
    ask_modern(t, "resources/read", "\"uri\":\"test://none\"");
    assert_true(number_at(t, "/error/code") == CTN_RPC_INVALID_PARAMS && is_there(t, "/error/data/uri"));
    ask_modern(t, "completion/complete",
               "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet\"},\"argument\":{\"name\":"
               "\"who\",\"value\":\"a\"}");
    assert_true(ctn_str_is(at(t, "/result/completion/values/0"), "ada"));
    ask_modern(t, "resources/list", "");
    ask_modern(t, "resources/templates/list", "");
    ask_modern(t, "resources/read", "\"uri\":\"test://a\"");
    assert_true(is_there(t, "/result/ttlMs"));
    ask_modern(t, "prompts/get", "\"name\":\"greet\"");
    assert_true(is_there(t, "/result/messages/0"));
}

int main(void)
{
#define TALK(name) cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)
    const struct CMUnitTest tests[] = {
        TALK(a_request_is_answered_in_the_era_of_its_shape),
        TALK(what_is_wrong_with_a_modern_request_has_its_code_and_status),
        TALK(headers_that_say_something_else_are_refused),
        TALK(a_legacy_client_over_http_needs_no_session),
        TALK(each_revision_is_told_what_it_knows),
        TALK(arrays_of_messages_are_for_2025_03_26_alone),
        TALK(a_list_is_given_in_pages_to_its_end),
        TALK(an_unknown_tool_is_named_with_the_nearest_one),
        TALK(progress_grows_and_ends_with_the_answer),
        TALK(a_cancelled_request_is_answered_no_more),
        TALK(a_closed_stream_cancels_a_modern_request_and_no_legacy_one),
        TALK(one_caller_has_so_many_requests_and_no_more),
        TALK(a_modern_caller_asks_again_with_the_answers_and_the_state),
        TALK(answers_that_are_none_are_refused),
        TALK(who_did_not_declare_elicitation_is_told_so),
        TALK(a_legacy_caller_is_asked_on_his_pipe),
        TALK(a_legacy_caller_who_does_not_answer_is_not_waited_for_forever),
        TALK(tasks_are_for_those_who_declared_them),
        TALK(a_listener_is_told_what_he_asked_for_and_nothing_else),
        TALK(a_legacy_client_is_told_over_its_pipe),
        TALK(what_one_may_not_know_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
