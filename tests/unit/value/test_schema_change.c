/* Schemas that change: what still fits, what does not, what means another thing, and that nothing is guessed. */
#include <time.h>
#include "support/cmocka.h"
#include "value/schema_change.h"

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", text, err.message);
    return value;
}

/* said: a part of what is told; NULL: nothing is. */
static void check(ctn_schema_side side, const char *from, const char *to, ctn_change_class class_, const char *said)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_changes changes = {.arena = arena};
    ctn_schema_changes(&changes, parse(arena, from), parse(arena, to), side);
    bool is_said = !said;
    for (size_t i = 0; i < changes.count; i++)
        is_said = is_said || ctn_str_find(changes.items[i].sentence, ctn_str_from(said)) != SIZE_MAX;
    if (ctn_changes_worst(&changes) != class_ || !is_said)
        fail_msg("%s\n-> %s\nis %s (%.*s)\nnot %s (%s)", from, to, ctn_change_class_name(ctn_changes_worst(&changes)),
                 CTN_STR_ARG(changes.count ? changes.items[0].sentence : (ctn_str){0}), ctn_change_class_name(class_),
                 said ? said : "nothing");
    ctn_arena_free(arena);
}

static void takes(const char *from, const char *to, ctn_change_class class_, const char *said)
{
    check(CTN_SCHEMA_TAKES, from, to, class_, said);
}

static void gives(const char *from, const char *to, ctn_change_class class_, const char *said)
{
    check(CTN_SCHEMA_GIVES, from, to, class_, said);
}

#define NONE       CTN_CHANGE_NONE
#define COMPATIBLE CTN_CHANGE_COMPATIBLE
#define NARROWING  CTN_CHANGE_NARROWING
#define MEANING    CTN_CHANGE_MEANING
#define A_TEXT     "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}"

static void arguments_that_fitted_may_not_fit(void **state)
{
    (void) state;
    takes(A_TEXT, "{\"properties\":{\"a\":{\"type\":\"string\"}},\"type\":\"object\"}", NONE, NULL);
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{}}}", COMPATIBLE,
          "a new argument 'b'");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{}},\"required\":[\"b\"]}",
          NARROWING, "a new required argument 'b'");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}", NARROWING,
          "argument 'a' is now required");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}", NARROWING,
          "the type of argument 'a' was \"string\" and is \"integer\"");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}", COMPATIBLE, "null");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{}}", NARROWING, "argument 'a' is gone");
    takes(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"additionalProperties\":false}",
          NARROWING, "not named");
    takes("{\"enum\":[1,2]}", "{\"enum\":[1]}", NARROWING, "can no longer be 2");
    takes("{\"enum\":[1]}", "{\"enum\":[2,1]}", COMPATIBLE, "can now also be 2");
    takes("{\"maximum\":5}", "{\"maximum\":4}", NARROWING, "maximum of the arguments was 5 and is 4");
    takes("{\"maximum\":5}", "{\"maximum\":6}", COMPATIBLE, "maximum");
    takes("{\"minLength\":1}", "{}", COMPATIBLE, "minLength");
    takes("{}", "{\"required\":[\"z\"]}", NARROWING, "argument 'z' is now required");
    takes("{\"items\":{\"type\":\"number\"}}", "{\"items\":{\"type\":\"integer\"}}", NARROWING, "'[]'");
}

static void results_may_be_what_they_never_were(void **state)
{
    (void) state;
    gives(A_TEXT, "{\"type\":\"object\",\"properties\":{}}", NARROWING, "member 'a' is gone");
    gives(A_TEXT, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{}},\"required\":[\"b\"]}",
          COMPATIBLE, "a new member 'b'");
    gives("{\"type\":\"integer\"}", "{\"type\":[\"integer\",\"null\"]}", NARROWING, "the type of the result");
    gives("{\"type\":\"number\"}", "{\"type\":\"integer\"}", COMPATIBLE, NULL);
    gives("{\"enum\":[1]}", "{\"enum\":[1,2]}", NARROWING, "can now also be 2");
    gives("{\"properties\":{\"a\":{}},\"required\":[\"a\"]}", "{\"properties\":{\"a\":{}}}", NARROWING,
          "'a' is no longer required");
}

static void another_description_or_default_means_another_thing(void **state)
{
    (void) state;
    takes("{\"properties\":{\"a\":{\"description\":\"in euros\"}}}",
          "{\"properties\":{\"a\":{\"description\":\"in cents\"}}}", MEANING, "the description of argument 'a'");
    takes("{\"properties\":{\"dry\":{\"default\":true}}}", "{\"properties\":{\"dry\":{\"default\":false}}}", MEANING,
          "the default of argument 'dry'");
    takes("{\"title\":\"A\"}", "{\"title\":\"B\"}", COMPATIBLE, "title");
    takes("{\"anyOf\":[{\"type\":\"string\",\"description\":\"a\"}]}",
          "{\"anyOf\":[{\"type\":\"string\",\"description\":\"b\"}]}", MEANING, "with another description");
}

static void branches_are_covered_or_not(void **state)
{
    (void) state;
    takes("{\"type\":\"string\"}", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", COMPATIBLE, NULL);
    takes("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "{\"type\":\"string\"}", NARROWING, "covered");
    gives("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "{\"type\":\"string\"}", COMPATIBLE, NULL);
    /* words beside the branches count as well */
    takes("{\"type\":\"object\",\"anyOf\":[{\"required\":[\"a\"]}],\"properties\":{\"a\":{}}}",
          "{\"type\":\"object\",\"anyOf\":[{\"required\":[\"a\"]}],\"properties\":{\"a\":{\"type\":\"null\"}}}",
          NARROWING, "argument 'a'");
    takes("{\"type\":\"object\"}", "{\"type\":\"object\",\"anyOf\":[{\"required\":[\"a\"]}]}", NARROWING,
          "cannot be compared");
}

static void what_cannot_be_compared_is_never_taken_for_compatible(void **state)
{
    (void) state;
    takes("{}", "{\"not\":{\"type\":\"string\"}}", NARROWING, "'not' of the arguments");
    takes("{\"pattern\":\"a\"}", "{\"pattern\":\"b\"}", NARROWING, "'pattern'");
    takes("{\"pattern\":\"a\"}", "{}", NARROWING, "'pattern'");
    takes("{\"$ref\":\"https://example.com/x\"}", "{\"$ref\":\"https://example.com/y\"}", NARROWING,
          "cannot be compared");
    takes("{\"properties\":{\"a\":true}}", "{\"properties\":{\"a\":false}}", NARROWING, "can no longer be there");
}

static void references_are_followed_also_round_in_a_circle(void **state)
{
    (void) state;
    takes("{\"properties\":{\"a\":{\"$ref\":\"#/$defs/t\"}},\"$defs\":{\"t\":{\"type\":\"string\"}}}",
          "{\"properties\":{\"a\":{\"type\":\"string\"}}}", NONE, NULL);
    takes("{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"properties\":{\"next\":{\"$ref\":\"#/$defs/t\"},\"v\":{}}}}}",
          "{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"properties\":{\"next\":{\"$ref\":\"#/$defs/t\"},\"v\":{\"type\":"
          "\"null\"}}}}}",
          NARROWING, "'v'");
}

#define NEST                                                                                                           \
    "{\"$ref\":\"#/$defs/t\",\"$defs\":{\"l\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"                      \
    "t\"}},\"t\":{\"anyOf\":["                                                                                         \
    "{\"$ref\":\"#/$defs/l\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/l\"}},{\"type\":\""
#define NEST_END "\"}]}}}"

/* A server chooses its schemas: neither depth nor breadth may cost more than a moment. */
static void hostile_schemas_end(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_changes changes = {.arena = arena};
    ctn_json_builder was = ctn_json_object(arena), is = ctn_json_object(arena);
    for (int i = 0; i < 400; i++)
        ctn_json_put(&is, ctn_arena_printf(arena, "p%d", i), &ctn_json_true);
    ctn_json_builder a = ctn_json_object(arena), b = ctn_json_object(arena);
    ctn_json_put(&a, CTN_STR("properties"), ctn_json_finish(&was));
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&is));
    ctn_schema_changes(&changes, ctn_json_finish(&a), ctn_json_finish(&b), CTN_SCHEMA_TAKES);
    assert_int_equal(changes.count, CTN_CHANGES_MAX);
    assert_true(ctn_str_is(changes.items[CTN_CHANGES_MAX - 1].sentence, "and more"));
    /* as many names required as there are, and choices */
    ctn_json_builder required = ctn_json_array(arena), choices = ctn_json_array(arena);
    for (int i = 0; i < 60000; i++) {
        ctn_json_push(&required, ctn_json_string(arena, ctn_arena_printf(arena, "r%d", i)));
        ctn_json_push(&choices, ctn_json_int(arena, i));
    }
    ctn_json_put(&a, CTN_STR("required"), ctn_json_finish(&required));
    ctn_json_put(&b, CTN_STR("enum"), ctn_json_finish(&choices));
    clock_t begun = clock();
    ctn_schema_changes(&changes, ctn_json_finish(&b), ctn_json_finish(&a), CTN_SCHEMA_TAKES);
    assert_true(clock() - begun < CLOCKS_PER_SEC);
    /* each branch names all branches again */
    const ctn_json *one = parse(arena, NEST "string" NEST_END);
    ctn_schema_changes(&changes, one, parse(arena, NEST "null" NEST_END), CTN_SCHEMA_TAKES);
    assert_int_equal(ctn_changes_worst(&changes), NARROWING);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_that_fitted_may_not_fit),
        cmocka_unit_test(results_may_be_what_they_never_were),
        cmocka_unit_test(another_description_or_default_means_another_thing),
        cmocka_unit_test(branches_are_covered_or_not),
        cmocka_unit_test(what_cannot_be_compared_is_never_taken_for_compatible),
        cmocka_unit_test(references_are_followed_also_round_in_a_circle),
        cmocka_unit_test(hostile_schemas_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
