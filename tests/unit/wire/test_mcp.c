/* The messages of MCP as a client writes and reads them, in both eras. */
#include <stdio.h>

#include "support/cmocka.h"
#include "wire/mcp.h"

static const ctn_mcp_speaker MODERN = {
    .version = {CTN_MCP_VERSION_MODERN, sizeof CTN_MCP_VERSION_MODERN - 1},
    .name = {"catena", 6},
    .client_version = {"0.1", 3},
};
static const ctn_mcp_speaker LEGACY = {
    .version = {CTN_MCP_VERSION_LEGACY, sizeof CTN_MCP_VERSION_LEGACY - 1},
    .name = {"catena", 6},
    .client_version = {"0.1", 3},
};
#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                           \
    "\"io.modelcontextprotocol/"                                                                                       \
    "clientCapabilities\":{\"elicitation\":{\"form\":{},\"url\":{}},\"extensions\":{\"io.modelcontextprotocol/"        \
    "tasks\":{}}},"                                                                                                    \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"catena\",\"version\":\"0.1\"}"

static int setup(void **state)
{
    *state = ctn_arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    ctn_arena_free(*state);
    return 0;
}

static const ctn_json *json(void **state, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(*state, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", err.message, text);
    return value;
}

static void assert_line(ctn_buf *out, const char *expected)
{
    if (out->len == 0 || out->data[out->len - 1] != '\n' || !ctn_str_is((ctn_str){out->data, out->len - 1}, expected))
        fail_msg("got  %.*s\nwant %s", (int) out->len, out->data, expected);
    ctn_buf_clear(out);
}

static void assert_value(void **state, const ctn_json *actual, const char *expected)
{
    if (!ctn_json_equal(actual, json(state, expected)))
        fail_msg("got  %s\nwant %s", ctn_json_to_str(*state, actual).ptr, expected);
}

static void modern_requests_introduce_themselves(void **state)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_mcp_write_discover(&out, *state, &MODERN, 1);
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}}");
    ctn_mcp_write_list(&out, *state, &MODERN, 2, &CTN_STR(""));
    assert_line(&out,
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{" META "},\"cursor\":\"\"}}");
    ctn_mcp_call call = {.tool = CTN_STR("t"),
                         .arguments = json(state, "{\"a\":1.50}"),
                         .progress_token = 3,
                         .idempotency_key = CTN_STR("k")};
    ctn_mcp_write_call(&out, *state, &MODERN, 3, &call);
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{" META
                      ",\"progressToken\":3,\"dev.catena/idempotency-key\":\"k\"},\"name\":\"t\",\"arguments\":"
                      "{\"a\":1.50}}}");
    ctn_buf_done(&out);
}

static void legacy_requests_do_not(void **state)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_mcp_write_initialize(&out, *state, &LEGACY, 1);
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                      "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"catena\",\"version\":\"0.1\"}}}");
    ctn_mcp_write_initialized(&out);
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    ctn_mcp_write_list(&out, *state, &LEGACY, 2, NULL);
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{}}");
    ctn_mcp_write_call(&out, *state, &LEGACY, 3, &(ctn_mcp_call){.tool = CTN_STR("t")});
    assert_line(
        &out, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{}}}");
    ctn_mcp_write_call(
        &out, *state, &LEGACY, 4,
        &(ctn_mcp_call){.tool = CTN_STR("t"), .idempotency_key = CTN_STR("k"), .traceparent = CTN_STR("00-0a-0b-01")});
    assert_line(
        &out,
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
        "\"dev.catena/idempotency-key\":\"k\",\"traceparent\":\"00-0a-0b-01\"},\"name\":\"t\",\"arguments\":{}}}");
    ctn_mcp_write_cancelled(&out, *state, 4, CTN_STR("timeout"));
    assert_line(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":4,"
                      "\"reason\":\"timeout\"}}");
    ctn_buf_done(&out);
}

/* Offering a modern version in initialize is useless: it belongs to no handshake. */
static void initialize_never_offers_a_modern_version(void **state)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_mcp_write_initialize(&out, *state, &MODERN, 1);
    assert_true(ctn_str_find(ctn_buf_str(&out), CTN_STR("2025-11-25")) != SIZE_MAX);
    assert_true(ctn_str_find(ctn_buf_str(&out), CTN_STR("2026-07-28")) == SIZE_MAX);
    ctn_buf_done(&out);
}

static void discovery_chooses_a_version_that_we_speak(void **state)
{
    const ctn_json *supported = NULL;
    assert_int_equal(
        ctn_mcp_parse_discovery(
            json(state, "{\"resultType\":\"complete\",\"supportedVersions\":[\"2027-01-01\",\"2026-07-28\"],"
                        "\"capabilities\":{\"tools\":{}},\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
                        "{\"name\":\"s\",\"version\":\"2\"}}}"),
            &supported, NULL),
        CTN_OK);
    assert_true(ctn_str_is(ctn_mcp_choose_version(supported), "2026-07-28"));
    assert_int_equal(
        ctn_mcp_parse_discovery(json(state, "{\"supportedVersions\":[\"2027-01-01\",7]}"), &supported, NULL), CTN_OK);
    assert_int_equal(ctn_mcp_choose_version(supported).len, 0);
    assert_int_equal(ctn_mcp_parse_discovery(json(state, "{}"), &supported, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_mcp_parse_discovery(json(state, "[]"), &supported, NULL), CTN_E_INVALID);
    assert_int_equal(
        ctn_mcp_parse_discovery(json(state, "{\"resultType\":\"new\",\"supportedVersions\":[]}"), &supported, NULL),
        CTN_E_INVALID);
}

static void initialize_results_tell_the_version_that_is_spoken(void **state)
{
    ctn_str version = {0};
    assert_int_equal(ctn_mcp_parse_initialized(json(state, "{\"protocolVersion\":\"2024-11-05\",\"capabilities\":{},"
                                                           "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}"),
                                               &version, NULL),
                     CTN_OK);
    assert_true(ctn_mcp_is_legacy(version));
    assert_int_equal(ctn_mcp_parse_initialized(json(state, "{\"protocolVersion\":1}"), &version, NULL), CTN_E_INVALID);
    assert_false(ctn_mcp_is_legacy(CTN_STR("2026-07-28")));
    assert_false(ctn_mcp_is_modern(CTN_STR("2025-11-25")));
}

/* One tool that is badly described must not take its neighbours with it. */
static void a_badly_described_tool_is_left_out_alone(void **state)
{
    ctn_mcp_tools_page page;
    assert_int_equal(
        ctn_mcp_parse_tools(*state,
                            json(state,
                                 "{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\"},\"annotations\":"
                                 "{\"readOnlyHint\":true,\"title\":\"A\"}},{\"name\":\"b\"},5,{\"inputSchema\":{}},"
                                 "{\"name\":\"c\",\"inputSchema\":{},\"outputSchema\":{\"type\":\"object\"}}],"
                                 "\"nextCursor\":\"\",\"ttlMs\":-4}"),
                            &page, NULL),
        CTN_OK);
    assert_int_equal(page.count, 2);
    assert_true(ctn_str_is(page.tools[0].title, "A"));
    assert_true(page.tools[0].hints.is_read_only && page.tools[0].hints.says_read_only);
    assert_true(page.tools[0].hints.is_open_world);
    assert_false(page.tools[0].hints.is_idempotent || page.tools[0].hints.says_idempotent);
    assert_null(page.tools[0].output_schema);
    assert_non_null(page.tools[1].output_schema);
    assert_true(page.has_next); /* an empty cursor is a cursor */
    assert_int_equal(page.next_cursor.len, 0);
    assert_int_equal(page.ttl_ms, 0);
    assert_int_equal(ctn_mcp_parse_tools(*state, json(state, "{\"tools\":{}}"), &page, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_mcp_parse_tools(*state, json(state, "{\"tools\":[]}"), &page, NULL), CTN_OK);
    assert_false(page.has_next);
}

static ctn_mcp_call_result parse_call(void **state, const char *text)
{
    ctn_mcp_call_result result = {0};
    ctn_err err = {0};
    if (ctn_mcp_parse_call(*state, json(state, text), &result, &err))
        fail_msg("%s", err.message);
    return result;
}

static void assert_used(void **state, const char *usage, int64_t tokens, const char *money)
{
    char text[400];
    snprintf(text, sizeof text, "{\"content\":[],\"_meta\":{\"dev.catena/usage\":%s}}", usage);
    ctn_mcp_call_result r = parse_call(state, text);
    assert_int_equal(r.used_tokens, tokens);
    assert_true(ctn_str_is(r.used_money, money));
}

static void what_a_call_used_up_is_the_peers_word_within_bounds(void **state)
{
    assert_used(state, "{\"tokens\":12,\"money\":0.30}", 12, "0.30");
    assert_used(state, "{\"tokens\":-5,\"money\":-1}", 0, "");
    assert_used(state, "{\"tokens\":1.5,\"money\":\"3\"}", 0, "");
    assert_used(state, "{\"tokens\":\"7\",\"money\":1e400}", 0, "");
    assert_used(state, "{\"tokens\":9000000000000000000,\"money\":123456789012345678901234567890123}", 0, "");
    assert_used(state, "[1,2]", 0, "");
    assert_used(state, "7", 0, "");
}

/* Of every kind, known or not, and whatever the text beside it looks like. */
static void blocks_of_every_kind_are_kept_as_they_came(void **state)
{
    static const char *const blocks[] = {
        "{\"type\":\"image\",\"data\":\"aGk=\",\"mimeType\":\"image/png\",\"annotations\":{\"priority\":0.50}}",
        "{\"type\":\"audio\",\"data\":\"aGk=\",\"mimeType\":\"audio/wav\"}",
        "{\"type\":\"resource_link\",\"uri\":\"file:///a\",\"name\":\"a\",\"size\":9007199254740993}",
        "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://b\",\"blob\":\"aGk=\"},\"_meta\":{\"k\":1}}",
        "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://t\",\"text\":\"t\"}}",
        "{\"type\":\"hologram\",\"x\":[1]}",
        "{\"x\":\"no type\"}",
    };
    char result[1000], expected[1000];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        snprintf(result, sizeof result, "{\"content\":[%s,{\"type\":\"text\",\"text\":\"42\"}]}", blocks[i]);
        snprintf(expected, sizeof expected, "{\"text\":\"42\",\"content\":[%s,{\"type\":\"text\",\"text\":\"42\"}]}",
                 blocks[i]);
        assert_value(state, parse_call(state, result).value, expected);
    }
}

static void the_value_is_structured_content_else_json_else_text(void **state)
{
    assert_value(
        state,
        parse_call(state, "{\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"structuredContent\":{\"a\":1}}").value,
        "{\"a\":1}");
    assert_value(state,
                 parse_call(state, "{\"content\":[],\"structuredContent\":null,\"resultType\":\"complete\"}").value,
                 "null");
    assert_value(state,
                 parse_call(state, "{\"content\":[{\"type\":\"text\",\"text\":\" {\\\"a\\\": [19.990]} \"}]}").value,
                 "{\"a\":[19.99]}");
    assert_value(state, parse_call(state, "{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}]}").value,
                 "{\"text\":\"hello\"}");
    assert_value(
        state,
        parse_call(state, "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}")
            .value,
        "{\"text\":\"a\\nb\"}");
    assert_value(state, parse_call(state, "{\"content\":[]}").value, "{\"text\":\"\"}");
}

static void a_tool_that_says_no_is_an_error_with_its_text(void **state)
{
    ctn_mcp_call_result result =
        parse_call(state, "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"no rooms\"}]}");
    assert_true(result.is_error);
    assert_null(result.value);
    assert_true(ctn_str_is(result.error_text, "no rooms"));
    result = parse_call(state, "{\"isError\":true,\"content\":[],\"structuredContent\":{\"why\":1}}");
    assert_true(ctn_str_is(result.error_text, "{\"why\":1}"));
}

static void an_unknown_result_type_is_never_a_success(void **state)
{
    ctn_mcp_call_result result;
    const char *const bad[] = {
        "{\"resultType\":\"task\",\"content\":[]}",
        "{\"resultType\":7,\"content\":[]}",
        "{\"resultType\":null,\"content\":[]}",
        "{\"content\":{}}",
        "{}",
        "null",
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ctn_mcp_parse_call(*state, json(state, bad[i]), &result, NULL) == CTN_OK)
            fail_msg("taken for a result: %s", bad[i]);
}

static void an_answer_that_is_not_the_last_is_known(void **state)
{
    ctn_mcp_call_result r = parse_call(state, "{\"resultType\":\"input_required\",\"requestState\":\"s\"}");
    assert_int_equal(r.kind, CTN_MCP_INPUT_REQUIRED);
    assert_true(ctn_str_is(ctn_json_text(r.request_state), "s") && !r.input_requests);
    r = parse_call(state, "{\"resultType\":\"task\",\"taskId\":\"t\",\"status\":\"working\",\"pollIntervalMs\":7}");
    assert_int_equal(r.kind, CTN_MCP_TASK);
    assert_true(ctn_str_is(r.task.id, "t") && r.task.poll_ms == 7);
    r = parse_call(state, "{\"task\":{\"taskId\":\"t\",\"status\":\"working\",\"pollInterval\":9}}");
    assert_int_equal(r.kind, CTN_MCP_TASK);
    assert_int_equal(r.task.poll_ms, 9);
    const char *const bad[] = {
        "{\"resultType\":\"input_required\"}",
        "{\"resultType\":\"input_required\",\"requestState\":7}",
        "{\"resultType\":\"task\",\"status\":\"working\"}",
        "{\"resultType\":\"task\",\"taskId\":\"\",\"status\":\"working\"}",
        "{\"resultType\":\"task\",\"taskId\":\"t\",\"status\":\"lazy\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ctn_mcp_parse_call(*state, json(state, bad[i]), &r, NULL) == CTN_OK)
            fail_msg("taken for an answer: %s", bad[i]);
}

static void what_is_asked_for_is_a_form_or_an_address(void **state)
{
    static const struct {
        const char *requests;
        int rc;
    } cases[] = {
        {"{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\",\"requestedSchema\":{\"type\":"
         "\"object\"}}}}",
         CTN_OK},
        {"{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"m\",\"url\":\"u\"}}}",
         CTN_OK},
        {"{}", CTN_OK},
        {"{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"m\"}}}", CTN_E_INVALID},
        {"{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\"}}}", CTN_E_INVALID},
        {"{\"a\":{\"method\":\"roots/list\"}}", CTN_E_UNSUPPORTED},
        {"{\"a\":{\"method\":\"sampling/createMessage\",\"params\":{}}}", CTN_E_UNSUPPORTED},
        {"{\"a\":{\"method\":\"x\"}}", CTN_E_INVALID},
        {"{\"a\":7}", CTN_E_INVALID},
        {"[]", CTN_E_INVALID},
    };
    const ctn_json *asks = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ctn_mcp_read_asks(*state, json(state, cases[i].requests), &asks, NULL) != cases[i].rc)
            fail_msg("%s", cases[i].requests);
    assert_int_equal(ctn_mcp_read_asks(*state, NULL, &asks, NULL), CTN_OK);
    ctn_json_builder many = ctn_json_object(*state);
    for (int i = 0; i <= CTN_MCP_ASKS_MAX; i++)
        ctn_json_put(&many, ctn_arena_printf(*state, "k%d", i), &ctn_json_null);
    assert_int_equal(ctn_mcp_read_asks(*state, ctn_json_finish(&many), &asks, NULL), CTN_E_LIMIT);
}

static void progress_with_nonsense_in_it_is_dropped(void **state)
{
    ctn_mcp_progress p;
    assert_true(ctn_mcp_parse_progress(
        json(state, "{\"progressToken\":4,\"progress\":1.5,\"total\":3,\"message\":\"half\"}"), &p));
    assert_int_equal(p.token, 4);
    assert_true(p.progress > 1.4 && p.progress < 1.6 && p.total > 2.9);
    assert_true(ctn_str_is(p.message, "half"));
    assert_true(ctn_mcp_parse_progress(json(state, "{\"progressToken\":4,\"progress\":1}"), &p));
    assert_true(p.total < 0);
    assert_false(ctn_mcp_parse_progress(json(state, "{\"progressToken\":\"4\",\"progress\":1}"), &p));
    assert_false(ctn_mcp_parse_progress(json(state, "{\"progressToken\":4,\"progress\":\"1\"}"), &p));
    assert_false(ctn_mcp_parse_progress(NULL, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modern_requests_introduce_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy_requests_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(initialize_never_offers_a_modern_version, setup, teardown),
        cmocka_unit_test_setup_teardown(discovery_chooses_a_version_that_we_speak, setup, teardown),
        cmocka_unit_test_setup_teardown(initialize_results_tell_the_version_that_is_spoken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_badly_described_tool_is_left_out_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_value_is_structured_content_else_json_else_text, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_of_every_kind_are_kept_as_they_came, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_call_used_up_is_the_peers_word_within_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tool_that_says_no_is_an_error_with_its_text, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_result_type_is_never_a_success, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_is_not_the_last_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_for_is_a_form_or_an_address, setup, teardown),
        cmocka_unit_test_setup_teardown(progress_with_nonsense_in_it_is_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
