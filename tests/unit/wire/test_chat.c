/* Chat with models, both forms: what is written, what is read, in whatever pieces and of whatever form it comes. */
#include <stdio.h>

#include "support/cmocka.h"
#include "wire/chat.h"

typedef struct reading {
    ctn_arena *arena;
    ctn_chat_answer answer;
} reading;

static int setup(void **state)
{
    static reading r;
    r.arena = ctn_arena_new(4096);
    ctn_chat_answer_init(&r.answer, 64);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    reading *r = *state;
    ctn_chat_answer_done(&r->answer);
    ctn_arena_free(r->arena);
    return 0;
}

static const ctn_json *parsed(reading *r, const char *text)
{
    const ctn_json *value = NULL;
    assert_int_equal(ctn_json_parse(r->arena, ctn_str_from(text), NULL, &value, NULL), CTN_OK);
    return value;
}

static bool event(reading *r, ctn_chat_api api, const char *data)
{
    return ctn_chat_read_event(api, &r->answer, r->arena, ctn_str_from(data));
}

static void assert_text(const reading *r, const char *expected)
{
    if (!ctn_str_is(ctn_buf_str(&r->answer.text), expected))
        fail_msg("\"%.*s\"", CTN_STR_ARG(ctn_buf_str(&r->answer.text)));
}

/* ---- written ---- */

static void a_question_is_written_in_either_form(void **state)
{
    reading *r = *state;
    ctn_chat_ask ask = {.model = CTN_STR("m"),
                        .instructions = CTN_STR("Do \"it\"."),
                        .input = CTN_STR("{}"),
                        .refused = CTN_STR("no"),
                        .objection = CTN_STR("why"),
                        .tokens_max = 7,
                        .has_new_limit = true,
                        .temperature = parsed(r, "0.10")};
    ctn_str text = ctn_chat_write(CTN_CHAT_OPENAI, r->arena, &ask);
    assert_true(ctn_str_is(
        text,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Do \\\"it\\\".\"},{\"role\":\"user\","
        "\"content\":\"{}\"},{\"role\":\"assistant\",\"content\":\"no\"},{\"role\":\"user\",\"content\":\"why\"}],"
        "\"max_completion_tokens\":7,\"temperature\":0.10,\"stream\":true,\"stream_options\":{\"include_usage\":"
        "true}}"));
    text = ctn_chat_write(CTN_CHAT_ANTHROPIC, r->arena, &ask);
    assert_true(ctn_str_is(
        text,
        "{\"model\":\"m\",\"max_tokens\":7,\"system\":\"Do \\\"it\\\".\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"{}\"},{\"role\":\"assistant\",\"content\":\"no\"},{\"role\":\"user\",\"content\":\"why\"}],\"temperature\":"
        "0.10,\"stream\":true}"));
}

static bool is_strict(reading *r, const char *schema)
{
    ctn_chat_ask ask = {.model = CTN_STR("m"), .schema = parsed(r, schema), .tokens_max = 1};
    const ctn_json *body = parsed(r, ctn_arena_str(r->arena, ctn_chat_write(CTN_CHAT_OPENAI, r->arena, &ask)).ptr);
    assert_true(ctn_json_equal(ctn_json_pointer(body, CTN_STR("/response_format/json_schema/schema")), ask.schema));
    return ctn_json_is(ctn_json_pointer(body, CTN_STR("/response_format/json_schema/strict")), CTN_JSON_TRUE);
}

/* A server refuses a strict schema that leaves something open, so only those that do not are called so. */
static void only_a_closed_schema_is_called_strict(void **state)
{
#define CLOSED(more)                                                                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"a\"],\"properties\":{\"a\":" more "}}"
    reading *r = *state;
    assert_true(is_strict(r, CLOSED("{\"type\":\"string\",\"description\":\"x\"}")));
    assert_true(is_strict(r, CLOSED("{\"type\":\"array\",\"items\":" CLOSED("{\"enum\":[1]}") "}")));
    assert_true(is_strict(r, CLOSED("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}")));
    assert_false(is_strict(r, CLOSED("{\"type\":\"string\",\"pattern\":\"a\"}")));
    assert_false(is_strict(r, CLOSED("{\"type\":\"array\",\"items\":{\"type\":\"object\"}}")));
    assert_false(is_strict(r, CLOSED("{\"anyOf\":[{\"type\":\"object\"}]}")));
    assert_false(is_strict(r, "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}"));
    assert_false(is_strict(r, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{}}}"));
}

/* ---- read ---- */

static void a_stream_of_chat_completions_is_put_together(void **state)
{
    reading *r = *state;
    assert_true(event(r, CTN_CHAT_OPENAI, "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}"));
    assert_true(event(r, CTN_CHAT_OPENAI, "{\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}"));
    assert_true(event(r, CTN_CHAT_OPENAI, "{\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}"));
    assert_true(event(r, CTN_CHAT_OPENAI, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"));
    assert_false(r->answer.is_over);
    assert_true(
        event(r, CTN_CHAT_OPENAI,
              "{\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":2,\"prompt_tokens_details\":"
              "{\"cached_tokens\":5}}}"));
    assert_false(event(r, CTN_CHAT_OPENAI, " [DONE]"));
    assert_true(r->answer.is_over && r->answer.end == CTN_CHAT_DONE);
    assert_text(r, "Hello");
    assert_int_equal(r->answer.input_tokens, 12);
    assert_int_equal(r->answer.cached_tokens, 5);
    assert_int_equal(r->answer.output_tokens, 2);
    assert_int_equal(r->answer.pieces, 2);
}

static void a_stream_of_messages_is_put_together(void **state)
{
    reading *r = *state;
    ctn_chat_api api = CTN_CHAT_ANTHROPIC;
    assert_true(event(r, api,
                      "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1,"
                      "\"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":5}}}"));
    assert_true(event(r, api, "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"thinking\"}}"));
    assert_true(event(
        r, api, "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}"));
    assert_true(
        event(r, api, "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"));
    assert_true(event(
        r, api, "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Let me see.\"}}"));
    assert_true(event(
        r, api, "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"name\":\"answer\"}}"));
    assert_true(event(r, api,
                      "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{"
                      "\\\"a\\\"\"}}"));
    assert_true(event(r, api, "{\"type\":\"ping\"}"));
    assert_true(
        event(r, api,
              "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\":1}\"}}"));
    assert_true(
        event(r, api,
              "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}"));
    assert_false(event(r, api, "{\"type\":\"message_stop\"}"));
    assert_text(r, "{\"a\":1}"); /* and not what was said before */
    assert_int_equal(r->answer.input_tokens, 35);
    assert_int_equal(r->answer.cached_tokens, 20);
    assert_int_equal(r->answer.output_tokens, 9);
}

/* Some who forward messages tell the input only at the end. */
static void usage_that_comes_late_counts(void **state)
{
    reading *r = *state;
    (void) event(r, CTN_CHAT_ANTHROPIC, "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":0}}}");
    assert_int_equal(r->answer.input_tokens, CTN_CHAT_UNTOLD);
    (void) event(r, CTN_CHAT_ANTHROPIC,
                 "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"input_tokens\":9,\"output_tokens\":4}}");
    assert_int_equal(r->answer.input_tokens, 9);
}

static void what_is_of_another_form_is_passed_by(void **state)
{
    reading *r = *state;
    static const char *const EVENTS[] = {
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "{broken",
        "{\"choices\":{}}",
        "{\"choices\":[7]}",
        "{\"choices\":[]}",
        "{\"choices\":[{\"delta\":[]}]}",
        "{\"choices\":[{\"delta\":{\"content\":{\"a\":1}}}]}",
        "{\"choices\":[{\"delta\":{\"content\":7},\"finish_reason\":7}]}",
        "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e300,\"prompt_tokens_details\":[]}}",
        "{\"type\":7}",
        "{\"type\":\"message_start\",\"message\":[]}",
        "{\"type\":\"content_block_delta\",\"delta\":7}",
        "{\"type\":\"content_block_start\"}",
        "{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":\"9\"}}",
        "{\"error\":null}",
        "{\"error\":\"text\"}"};
    for (size_t i = 0; i < sizeof EVENTS / sizeof *EVENTS; i++)
        for (int api = CTN_CHAT_OPENAI; api <= CTN_CHAT_ANTHROPIC; api++) {
            assert_true(event(r, (ctn_chat_api) api, EVENTS[i]));
            ctn_chat_read_whole((ctn_chat_api) api, &r->answer, r->arena, ctn_str_from(EVENTS[i]));
        }
    assert_text(r, "");
    assert_int_equal(r->answer.input_tokens, CTN_CHAT_UNTOLD);
    assert_int_equal(r->answer.output_tokens, CTN_CHAT_UNTOLD);
    assert_false(r->answer.is_over || r->answer.has_trouble);
}

static void a_text_that_is_too_large_ends_the_reading(void **state)
{
    reading *r = *state;
    bool goes_on = true;
    for (int i = 0; i < 10 && goes_on; i++)
        goes_on = event(r, CTN_CHAT_OPENAI, "{\"choices\":[{\"delta\":{\"content\":\"0123456789\"}}]}");
    assert_false(goes_on);
    assert_true(r->answer.text.overflowed);
}

/* ---- trouble ---- */

static ctn_chat_trouble trouble(reading *r, const char *body)
{
    ctn_chat_trouble t;
    ctn_chat_read_trouble(r->arena, ctn_str_from(body), &t);
    return t;
}

static void what_servers_say_instead_is_understood(void **state)
{
    reading *r = *state;
    ctn_chat_trouble t = trouble(r, "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\",\"code\":"
                                    "\"context_length_exceeded\"}}");
    assert_true(t.is_context && !t.is_credit);
    assert_string_equal(t.message, "m");
    assert_string_equal(t.type, "context_length_exceeded");
    assert_true(trouble(r, "{\"object\":\"error\",\"message\":\"This model's maximum context length is 6048 tokens.\"}")
                    .is_context); /* vLLM */
    assert_true(
        trouble(r, "{\"error\":{\"code\":400,\"type\":\"exceed_context_size_error\"}}").is_context); /* llama.cpp */
    assert_true(trouble(r, "{\"error\":{\"type\":\"insufficient_quota\"}}").is_credit);
    assert_string_equal(trouble(r, "{\"error\":\"no such model\"}").message, "no such model"); /* Ollama */
    assert_string_equal(trouble(r, "<html>").message, "");
    assert_string_equal(trouble(r, "{\"error\":{\"message\":\"a\\u001b[31m\\nb\\u202ec\"}}").message, "a [31m b c");
    char body[3000], *at = body + sprintf(body, "{\"error\":{\"message\":\"");
    for (int i = 0; i < 900; i++)
        at += sprintf(at, "\xc3\xa9");
    sprintf(at, "\"}}");
    t = trouble(r, body);
    assert_int_equal(strlen(t.message), CTN_CHAT_TROUBLE_BYTES_MAX); /* no half character */
    assert_true(ctn_str_is_utf8(ctn_str_from(t.message)));
}

static void trouble_in_a_stream_ends_it(void **state)
{
    reading *r = *state;
    assert_false(event(r, CTN_CHAT_ANTHROPIC,
                       "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}"));
    assert_true(r->answer.has_trouble && !r->answer.is_over);
    assert_string_equal(r->answer.trouble.type, "overloaded_error");
}

int main(void)
{
#define CHAT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CHAT_TEST(a_question_is_written_in_either_form),
        CHAT_TEST(only_a_closed_schema_is_called_strict),
        CHAT_TEST(a_stream_of_chat_completions_is_put_together),
        CHAT_TEST(a_stream_of_messages_is_put_together),
        CHAT_TEST(usage_that_comes_late_counts),
        CHAT_TEST(what_is_of_another_form_is_passed_by),
        CHAT_TEST(a_text_that_is_too_large_ends_the_reading),
        CHAT_TEST(what_servers_say_instead_is_understood),
        CHAT_TEST(trouble_in_a_stream_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
