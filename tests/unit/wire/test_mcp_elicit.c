/* What a legacy server hears that asks in the middle of a call: its own defaults, or no. */
#include "support/cmocka.h"
#include "wire/mcp_elicit.h"

static void assert_answer(const char *params, const char *expected)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *asked = NULL, *wanted = NULL;
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(params), NULL, &asked, NULL), CTN_OK);
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(expected), NULL, &wanted, NULL), CTN_OK);
    const ctn_json *answer = ctn_mcp_elicit_defaults(arena, asked);
    if (!ctn_json_equal(answer, wanted))
        fail_msg("got %s, want %s", ctn_json_to_str(arena, answer).ptr, expected);
    ctn_arena_free(arena);
}

static void a_form_gets_the_defaults_that_it_has(void **state)
{
    (void) state;
    assert_answer(
        "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
        "\"default\":\"Ada\"},\"n\":{\"type\":\"number\",\"default\":95.50},\"more\":{\"type\":\"string\"}},"
        "\"required\":[\"name\"]}}",
        "{\"action\":\"accept\",\"content\":{\"name\":\"Ada\",\"n\":95.50}}");
}

static void what_has_no_default_is_not_made_up(void **state)
{
    (void) state;
    assert_answer("{\"mode\":\"form\",\"requestedSchema\":{\"properties\":{\"a\":{\"default\":1},\"b\":{}},"
                  "\"required\":[\"b\"]}}",
                  "{\"action\":\"decline\"}");
}

/* "Delete all?" with no fields, or an address to sign something at: that is for people. */
static void a_mere_yes_is_not_given(void **state)
{
    (void) state;
    assert_answer("{\"message\":\"Delete all?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}",
                  "{\"action\":\"decline\"}");
    assert_answer("{\"mode\":\"url\",\"url\":\"https://"
                  "sign.example\",\"requestedSchema\":{\"properties\":{\"a\":{\"default\":1}}}}",
                  "{\"action\":\"decline\"}");
    assert_answer("null", "{\"action\":\"decline\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_gets_the_defaults_that_it_has),
        cmocka_unit_test(what_has_no_default_is_not_made_up),
        cmocka_unit_test(a_mere_yes_is_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
