/* What MCP over HTTP repeats in headers: values that travel unharmed, and the marks that a schema may have. */
#include "support/cmocka.h"
#include "wire/mcp_http.h"

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

static void assert_written(void **state, ctn_str text, const char *expected)
{
    ctn_str value = ctn_mcp_header_write(*state, text), back;
    if (!ctn_str_is(value, expected))
        fail_msg("got %.*s, want %s", CTN_STR_ARG(value), expected);
    assert_true(ctn_mcp_header_read(*state, value, &back) && ctn_str_equal(back, text));
}

static void a_value_that_would_change_on_its_way_travels_as_base64(void **state)
{
    assert_written(state, CTN_STR("us-west1"), "us-west1");
    assert_written(state, CTN_STR("two words, and a\ttab"), "two words, and a\ttab");
    assert_written(state, CTN_STR(""), "");
    assert_written(state, CTN_STR(" lead"), "=?base64?IGxlYWQ=?=");
    assert_written(state, CTN_STR("trail "), "=?base64?dHJhaWwg?=");
    assert_written(state, CTN_STR("\tx"), "=?base64?CXg=?=");
    assert_written(state, CTN_STR("a\r\nEvil: 1"), "=?base64?YQ0KRXZpbDogMQ==?=");
    assert_written(state, CTN_STR("Z\xc3\xbcrich"), "=?base64?WsO8cmljaA==?=");
    assert_written(state, CTN_STR("\x7f"), "=?base64?fw==?=");
    assert_written(state, CTN_STR("a\0b"), "=?base64?YQBi?=");
}

/* Else a text could pretend to be another one. */
static void a_value_that_looks_encoded_is_encoded(void **state)
{
    assert_written(state, CTN_STR("=?base64?YQ==?="), "=?base64?PT9iYXNlNjQ/WVE9PT89?=");
    assert_written(state, CTN_STR("=?base64?YQ=="), "=?base64?YQ==");
    assert_written(state, CTN_STR("YQ==?="), "YQ==?=");
    assert_written(state, CTN_STR("=?BASE64?YQ==?="), "=?BASE64?YQ==?=");
}

static void broken_base64_is_no_value(void **state)
{
    ctn_str text;
    assert_false(ctn_mcp_header_read(*state, CTN_STR("=?base64?SGVsbG8?="), &text));
    assert_false(ctn_mcp_header_read(*state, CTN_STR("=?base64?SGVs!!!bG8=?="), &text));
    assert_true(ctn_mcp_header_read(*state, CTN_STR("  plain\t"), &text) && ctn_str_is(text, "plain"));
    assert_true(ctn_mcp_header_read(*state, CTN_STR("=?base64?\?="), &text) && text.len == 0);
}

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"

static int read_schema(void **state, const char *schema, ctn_mcp_params *ret_params)
{
    ctn_err err = {0};
    return ctn_mcp_params_read(*state, json(state, schema), ret_params, &err);
}

static void marked_arguments_become_headers(void **state)
{
    ctn_mcp_params params;
    const char *schema = OBJECT("\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"},"
                                "\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},"
                                "\"dry\":{\"type\":\"boolean\",\"x-mcp-header\":\"Dry\"},"
                                "\"note\":{\"type\":\"string\",\"x-mcp-header\":\"Note\"},"
                                "\"query\":{\"type\":\"string\"},"
                                "\"in\":" OBJECT("\"deep\":{\"type\":\"string\",\"x-mcp-header\":\"Deep\"}"));
    assert_int_equal(read_schema(state, schema, &params), CTN_OK);
    assert_int_equal(params.count, 5);
    size_t count;
    const ctn_mcp_header *h = ctn_mcp_params_headers(
        *state, &params,
        json(state,
             "{\"region\":\"us\",\"n\":1e3,\"dry\":false,\"note\":null,\"query\":\"q\",\"in\":{\"deep\":\" x\"}}"),
        &count);
    const char *const expected[][2] = {{"Mcp-Param-Region", "us"},
                                       {"Mcp-Param-N", "1000"},
                                       {"Mcp-Param-Dry", "false"},
                                       {"Mcp-Param-Deep", "=?base64?IHg=?="}};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(ctn_str_is(h[i].name, expected[i][0]) && ctn_str_is(h[i].value, expected[i][1]));
    (void) ctn_mcp_params_headers(*state, &params, json(state, "{\"in\":7}"), &count);
    assert_int_equal(count, 0);
}

static void marks_that_break_the_rules_make_the_tool_uncallable(void **state)
{
    static const char *const broken[] = {
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":7}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"My Region\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A:B\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"R\xc3\xa9gion\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"R\\t1\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"R\\u0000\"}"),
        OBJECT("\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}"),
        OBJECT("\"a\":{\"type\":\"object\",\"x-mcp-header\":\"A\"}"),
        OBJECT("\"a\":{\"type\":\"array\",\"x-mcp-header\":\"A\"}"),
        OBJECT("\"a\":{\"type\":\"null\",\"x-mcp-header\":\"A\"}"),
        OBJECT("\"a\":{\"x-mcp-header\":\"A\"}"),
        OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"MyField\"},"
               "\"b\":{\"type\":\"string\",\"x-mcp-header\":\"myfield\"}"),
        OBJECT("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}"),
        "{\"type\":\"string\",\"x-mcp-header\":\"A\"}",
        "{\"type\":\"object\",\"anyOf\":[" OBJECT("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}") "]}",
        "{\"type\":\"object\",\"$defs\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}",
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}",
    };
    ctn_mcp_params params;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (read_schema(state, broken[i], &params) != CTN_E_INVALID)
            fail_msg("taken: %s", broken[i]);
}

/* A property may be called so, and data is no schema. */
static void what_only_looks_like_a_mark_is_none(void **state)
{
    ctn_mcp_params params;
    assert_int_equal(read_schema(state, OBJECT("\"x-mcp-header\":{\"type\":\"string\"}"), &params), CTN_OK);
    assert_int_equal(params.count, 0);
    assert_int_equal(read_schema(state,
                                 OBJECT("\"a\":{\"type\":\"object\",\"default\":{\"x-mcp-header\":\"A B\"},"
                                        "\"enum\":[{\"x-mcp-header\":\"\"}]}"),
                                 &params),
                     CTN_OK);
    assert_int_equal(params.count, 0);
    assert_int_equal(read_schema(state, "{\"properties\":true}", &params), CTN_OK);
}

static void marks_without_end_are_a_limit(void **state)
{
    ctn_buf schema;
    ctn_mcp_params params;
    ctn_buf_init(&schema, 1 << 20);
    ctn_buf_append_literal(&schema, "{\"properties\":{");
    for (int i = 0; i <= CTN_MCP_PARAMS_MAX; i++)
        ctn_buf_printf(&schema, "%s\"p%d\":{\"type\":\"string\",\"x-mcp-header\":\"H%d\"}", i ? "," : "", i, i);
    ctn_buf_append(&schema, (ctn_str){"}}", 3});
    assert_int_equal(read_schema(state, schema.data, &params), CTN_E_LIMIT);
    ctn_buf_done(&schema);
}

static void names_that_are_ours_are_known_without_case(void **state)
{
    (void) state;
    static const char *const ours[] = {"host", "MCP-PROTOCOL-VERSION", "mcp-param-x", "Mcp-Param-", "content-length"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(ctn_mcp_header_is_ours(ctn_str_from(ours[i])));
    assert_false(ctn_mcp_header_is_ours(CTN_STR("Authorization")));
    assert_false(ctn_mcp_header_is_ours(CTN_STR("X-Mcp-Param-")));
    assert_true(ctn_mcp_header_is_name(CTN_STR("X-Api_Key")));
    assert_false(ctn_mcp_header_is_name(CTN_STR("X Key")) || ctn_mcp_header_is_name(CTN_STR("")) ||
                 ctn_mcp_header_is_name(CTN_STR("A:")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_that_would_change_on_its_way_travels_as_base64),
        TEST(a_value_that_looks_encoded_is_encoded),
        TEST(broken_base64_is_no_value),
        TEST(marked_arguments_become_headers),
        TEST(marks_that_break_the_rules_make_the_tool_uncallable),
        TEST(what_only_looks_like_a_mark_is_none),
        TEST(marks_without_end_are_a_limit),
        TEST(names_that_are_ours_are_known_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
