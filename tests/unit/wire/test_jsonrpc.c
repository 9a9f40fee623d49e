/* Lines of JSON-RPC: the kinds of message, what is none, and what is known of a line that is cut. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "wire/jsonrpc.h"

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

static ctn_rpc_message parse(void **state, const char *line)
{
    ctn_rpc_message message;
    ctn_err err = {0};
    int rc = ctn_rpc_parse(*state, ctn_str_from(line), &message, &err);
    assert_true((rc != CTN_OK) == (message.kind == CTN_RPC_BROKEN));
    if (rc)
        assert_true(err.message[0] != '\0');
    return message;
}

static void assert_text(ctn_str actual, const char *expected)
{
    if (!ctn_str_is(actual, expected))
        fail_msg("got  %.*s\nwant %s", CTN_STR_ARG(actual), expected);
}

static void the_four_kinds_are_told_apart(void **state)
{
    ctn_rpc_message m = parse(state, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"a/b\",\"params\":{\"x\":1}}");
    assert_int_equal(m.kind, CTN_RPC_REQUEST);
    assert_text(m.method, "a/b");
    assert_int_equal(ctn_json_int_or(m.params, "x", 0), 1);
    m = parse(state, "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}");
    assert_int_equal(m.kind, CTN_RPC_NOTIFICATION);
    assert_null(m.id);
    assert_null(m.params);
    m = parse(state, "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"result\":null}");
    assert_int_equal(m.kind, CTN_RPC_RESULT);
    assert_text(ctn_json_text(m.id), "s");
    assert_true(ctn_json_is(m.result, CTN_JSON_NULL));
    m = parse(state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\",\"data\":[1]}}");
    assert_int_equal(m.kind, CTN_RPC_ERROR);
    assert_int_equal(m.error_code, -32601);
    assert_text(m.error_message, "no");
    assert_int_equal(ctn_json_count(m.error_data), 1);
}

static void an_error_may_come_without_an_id_or_with_null(void **state)
{
    ctn_rpc_message m = parse(state, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"x\"}}");
    assert_int_equal(m.kind, CTN_RPC_ERROR);
    assert_null(m.id);
    m = parse(state, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000}}");
    assert_int_equal(m.kind, CTN_RPC_ERROR);
    assert_null(m.id);
    assert_int_equal(m.error_message.len, 0);
}

static void what_is_not_json_is_a_parse_error(void **state)
{
    const char *const lines[] = {"", "x", "{", "{\"a\":1}}", "\xff", "{\"id\":1,}"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ctn_rpc_message m = parse(state, lines[i]);
        assert_int_equal(m.kind, CTN_RPC_BROKEN);
        assert_int_equal(m.error_code, CTN_RPC_PARSE_ERROR);
    }
}

static void what_is_no_message_is_an_invalid_request(void **state)
{
    const char *const lines[] = {
        "[]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}]",
        "1",
        "null",
        "{}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":[1]}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"no\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"error\":{\"code\":1}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ctn_rpc_message m = parse(state, lines[i]);
        if (m.kind != CTN_RPC_BROKEN || m.error_code != CTN_RPC_INVALID_REQUEST)
            fail_msg("taken for a message: %s", lines[i]);
    }
}

static void a_broken_request_keeps_its_id_for_the_answer(void **state)
{
    ctn_rpc_message m = parse(state, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"a\",\"params\":[]}");
    assert_int_equal(m.kind, CTN_RPC_BROKEN);
    assert_text(ctn_json_text(m.id), "q");
}

static void an_id_of_a_thousand_bytes_is_refused(void **state)
{
    char line[2048];
    char id[1001];
    memset(id, 'i', 1000);
    id[1000] = '\0';
    (void) snprintf(line, sizeof line, "{\"id\":\"%s\",\"method\":\"m\"}", id);
    assert_int_equal(parse(state, line).kind, CTN_RPC_BROKEN);
    (void) snprintf(line, sizeof line, "{\"id\":1,\"method\":\"%s\"}", id);
    assert_int_equal(parse(state, line).kind, CTN_RPC_BROKEN);
}

static void a_line_over_the_limit_is_refused_before_it_costs_memory(void **state)
{
    size_t len = CTN_RPC_LINE_BYTES_MAX + 1;
    char *line = malloc(len);
    assert_non_null(line);
    memset(line, ' ', len);
    ctn_rpc_message m;
    assert_int_not_equal(ctn_rpc_parse(*state, (ctn_str){line, len}, &m, NULL), CTN_OK);
    assert_int_equal(m.kind, CTN_RPC_BROKEN);
    free(line);
}

static void what_is_written_reads_back_and_is_one_line(void **state)
{
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    ctn_json_builder params = ctn_json_object(*state);
    ctn_json_put_str(&params, "t", CTN_STR("a\nb\"c"));
    const ctn_json *tree = ctn_json_finish(&params);
    ctn_rpc_write_request(&out, 3, "m", tree);
    assert_text(ctn_buf_str(&out),
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"m\",\"params\":{\"t\":\"a\\nb\\\"c\"}}\n");
    ctn_buf_clear(&out);
    ctn_rpc_write_notification(&out, "n", NULL);
    assert_text(ctn_buf_str(&out), "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n");
    ctn_buf_clear(&out);
    ctn_rpc_write_result(&out, ctn_json_string(*state, CTN_STR("x")), tree);
    assert_text(ctn_buf_str(&out), "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"t\":\"a\\nb\\\"c\"}}\n");
    ctn_buf_clear(&out);
    ctn_rpc_write_error(&out, NULL, -32700, CTN_STR("bad"), NULL);
    assert_text(ctn_buf_str(&out), "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"bad\"}}\n");
    ctn_buf_clear(&out);
    ctn_rpc_write_error(&out, ctn_json_int(*state, 4), 1, CTN_STR("e"), tree);
    assert_text(ctn_buf_str(&out), "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":1,\"message\":\"e\",\"data\":"
                                   "{\"t\":\"a\\nb\\\"c\"}}}\n");
    ctn_buf_done(&out);
}

/* Half a line on the wire would make the next message unreadable. */
static void a_line_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void) state;
    ctn_buf out;
    ctn_buf_init(&out, 64);
    ctn_rpc_write_notification(&out, "first", NULL);
    size_t len = out.len;
    ctn_rpc_write_notification(&out, "a-method-with-a-name-that-is-rather-long", NULL);
    assert_true(out.overflowed);
    assert_int_equal(out.len, len);
    ctn_buf_done(&out);
}

/* ---- lines that are too long to be read ---- */

static void a_line_that_is_cut_is_known_by_its_edges(void **state)
{
    (void) state;
    static const struct {
        const char *head, *tail;
        ctn_rpc_peeked at_head, at_tail;
    } cases[] = {
#define A CTN_RPC_PEEK_ANSWER
#define O CTN_RPC_PEEK_OTHER
#define U CTN_RPC_PEEK_UNKNOWN
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"id\":8,\"x\":[", "xxx\"}]}}", A, U},
        {" { \"id\" : 7 , \"error\" : {\"code\": 1", "]}}", A, U},
        {"{\"id\":7,\"result\":\"xxxxx", "xxx\"}", A, U},
        {"{\"result\":{\"a\":\"\\\"id\\\":9}", "\"}]},\"jsonrpc\":\"2.0\",\"id\":7}", U, A},
        {"{\"result\":[", "\"id\":9}], \"id\" : 7 , \"jsonrpc\": \"2.0\" }\r", U, A},
        {"{\"result\":[", "x\",\"id\":7}", U, A},
        /* nothing that stands inside a result, or in a text, is taken for the id */
        {"{\"result\":{\"id\":9,\"x\":\"", "\"y\",\"id\":9}}", U, U},
        {"{\"result\":\"", "\\\",\\\"id\\\":9}\"}", U, U},
        /* calls of theirs, wherever the method stands */
        {"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"id\":7,", "x\"}}", O, U},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\",\"params\":{", "}}", O, U},
        {"{\"id\":7,\"params\":{\"x\":\"", "\"},\"method\":\"a\"}", O, O},
        {"{\"meta\":{\"x\":\"", "},\"id\":7,\"method\":\"a\"}", U, O},
        {"[{\"id\":7,\"result\":", "]", O, U},
        {"hello", "hello", O, U},
        {"", "", U, U},
        {"{", "}", U, U},
        {"{\"id\":-7,\"result\":1", ",\"id\":7.5}", U, U},
        {"{\"id\":\"x\",\"result\":1", ",\"id\":99999999999999999999}", U, U},
        {"{\"id\":7,", "\"id\":", U, U},
        {"{\"id", "7}", U, U},
#undef A
#undef O
#undef U
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t id = 0;
        if (ctn_rpc_peek_head(ctn_str_from(cases[i].head), &id) != cases[i].at_head)
            fail_msg("%s", cases[i].head);
        assert_int_equal(id, cases[i].at_head == CTN_RPC_PEEK_ANSWER ? 7 : 0);
        id = 0;
        if (ctn_rpc_peek_tail(ctn_str_from(cases[i].tail), &id) != cases[i].at_tail)
            fail_msg("%s", cases[i].tail);
        assert_int_equal(id, cases[i].at_tail == CTN_RPC_PEEK_ANSWER ? 7 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_four_kinds_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_may_come_without_an_id_or_with_null, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_json_is_a_parse_error, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_message_is_an_invalid_request, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_request_keeps_its_id_for_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_of_a_thousand_bytes_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_over_the_limit_is_refused_before_it_costs_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_reads_back_and_is_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_leaves_nothing_behind, setup, teardown),
        cmocka_unit_test(a_line_that_is_cut_is_known_by_its_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
