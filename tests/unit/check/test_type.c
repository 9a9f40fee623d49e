/*
 * Types are drawn too large, never too small: whatever the official JSON Schema suite calls valid must fit the type of
 * its schema. And they must be good for something: of what it calls invalid a share is refused.
 */
#include <glob.h>
#include <stdio.h>

#include "check/type.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/json_kit.h"
#include "value/schema.h"

typedef struct tally {
    size_t valid, invalid, refused;
} tally;

/* The type written as a schema takes what the type takes. */
static bool is_taken_when_written(ctn_arena *arena, const ctn_type *t, const ctn_json *data)
{
    ctn_schema *schema = NULL;
    assert_int_equal(ctn_schema_compile(arena, ctn_type_to_schema(arena, t), &schema, NULL, NULL), CTN_OK);
    bool is_taken = ctn_schema_validate(schema, data, arena, NULL) == CTN_OK;
    ctn_schema_done(schema);
    return is_taken;
}

static void one_group(ctn_arena *arena, const char *file, const ctn_json *group, tally *sum)
{
    const ctn_type *wanted = ctn_type_of_schema(arena, ctn_json_member_of(group, "schema"));
    const ctn_json *tests = ctn_json_member_of(group, "tests");
    for (size_t i = 0; i < ctn_json_count(tests); i++) {
        const ctn_json *test = ctn_json_at(tests, i), *data = ctn_json_member_of(test, "data");
        const ctn_type *value = ctn_type_of_value(arena, data);
        bool fits = ctn_type_can_fit(arena, value, wanted, NULL);
        if (!ctn_json_bool_or(test, "valid", false)) {
            sum->invalid++;
            sum->refused += !fits;
            continue;
        }
        sum->valid++;
        bool survives = !ctn_type_is_never(ctn_type_meet(arena, wanted, value)) &&
                        !ctn_type_is_never(ctn_type_meet(arena, value, wanted));
        const ctn_type *wider = ctn_type_union(arena, wanted, ctn_type_of_kinds(arena, CTN_TYPE_BOOLEAN));
        const ctn_type *other = ctn_type_union(arena, ctn_type_of_kinds(arena, CTN_TYPE_STRING), wanted);
        survives &= ctn_type_can_fit(arena, value, wider, NULL) && ctn_type_can_fit(arena, value, other, NULL) &&
                    ctn_type_can_fit(arena, ctn_type_observed(arena, data), wanted, NULL);
        survives &= is_taken_when_written(arena, wanted, data) && is_taken_when_written(arena, value, data);
        if (!fits || !survives)
            fail_msg("%s: \"%.*s\" / \"%.*s\" is valid, and the type refuses it", file,
                     CTN_STR_ARG(ctn_json_str_or(group, "description", CTN_STR("?"))),
                     CTN_STR_ARG(ctn_json_str_or(test, "description", CTN_STR("?"))));
    }
}

static void what_the_suite_calls_valid_fits(void **state)
{
    (void) state;
    char folder[1024], pattern[1100];
    if (!ctn_shared_data("json-schema-suite/draft2020-12", folder, sizeof folder))
        skip();
    snprintf(pattern, sizeof pattern, "%s/*.json", folder);
    glob_t files = {0};
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    tally sum = {0};
    ctn_buf text;
    ctn_buf_init(&text, 16u << 20);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        ctn_arena *arena = ctn_arena_new(65536);
        assert_true(ctn_read_file(files.gl_pathv[f], &text));
        const ctn_json *groups = json_of(arena, ctn_buf_str(&text));
        for (size_t i = 0; i < ctn_json_count(groups); i++)
            one_group(arena, files.gl_pathv[f], ctn_json_at(groups, i), &sum);
        ctn_arena_free(arena);
    }
    globfree(&files);
    ctn_buf_done(&text);
    printf("%zu valid ones fit; of %zu invalid ones %zu are refused\n", sum.valid, sum.invalid, sum.refused);
    assert_true(sum.valid > 500);
    assert_true(sum.refused * 4 > sum.invalid);
}

static const ctn_type *of(ctn_arena *arena, const char *schema)
{
    return ctn_type_of_schema(arena, json_of(arena, ctn_str_from(schema)));
}

/* Schemas of a value and of what is wanted; the sentence of the clash, NULL: they can meet. */
static void two_schemas_meet_or_a_sentence_says_why_not(void **state)
{
    (void) state;
    static const struct {
        const char *value, *wanted, *sentence;
    } ROWS[] = {
        {"{\"type\":\"string\"}", "{\"type\":\"integer\"}", "expected whole number, got text"},
        {"{\"type\":[\"string\",\"null\"]}", "{\"type\":[\"null\",\"integer\"]}", NULL},
        {"{\"type\":\"number\"}", "{\"type\":\"integer\"}", NULL},
        {"{\"enum\":[\"a\",\"b\"]}", "{\"enum\":[\"c\",\"b\"]}", NULL},
        {"{\"enum\":[\"a\",\"b\"]}", "{\"const\":\"c\"}", "expected 'c', got 'a' or 'b'"},
        {"{\"enum\":[\"a\",\"b\"]}", "{\"type\":\"string\",\"pattern\":\"^x\"}", NULL},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}",
         "its items: expected number, got text"},
        {"{\"type\":\"array\"}", "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}", NULL},
        {"{\"type\":\"array\",\"items\":false}", "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}", NULL},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}",
         "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}", NULL}, /* {} is both */
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}",
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"number\"}}}",
         "'a': expected number, got text"},
        {"{\"type\":\"object\",\"properties\":{\"b\":{}},\"additionalProperties\":false}",
         "{\"type\":\"object\",\"required\":[\"a\"]}", "expected an object with 'a', which this never has"},
        {"{\"type\":\"object\",\"required\":[\"b\"]}",
         "{\"type\":\"object\",\"properties\":{\"bb\":{}},\"additionalProperties\":false}",
         "there is no member 'b'; did you mean 'bb'?"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"a\"]}]}", "{\"type\":\"object\"}",
         NULL},
        {"{\"allOf\":[{\"type\":[\"string\",\"integer\"]},{\"type\":[\"integer\",\"null\"]}]}", "{\"type\":\"string\"}",
         "expected text, got whole number"},
        {"{\"$ref\":\"#/$defs/a%20b\",\"$defs\":{\"a b\":{\"type\":\"boolean\"}}}", "{\"type\":\"string\"}",
         "expected text, got boolean"},
        {"{\"$ref\":\"other.json\"}", "{\"type\":\"string\"}", NULL},
        {"{\"$ref\":\"#\"}", "{\"type\":\"string\"}", NULL},
        {"{\"not\":{\"type\":\"string\"}}", "{\"type\":\"string\"}", NULL},
        {"{\"if\":{\"type\":\"string\"},\"then\":false}", "{\"type\":\"string\"}", NULL},
        {"{\"type\":\"object\",\"patternProperties\":{\"^a\":{}},\"additionalProperties\":false}",
         "{\"type\":\"object\",\"required\":[\"b\"]}", NULL},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
         "{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":{\"type\":\"integer\"}}}",
         "'b': expected whole number, got text"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_arena *arena = ctn_arena_new(4096);
        ctn_type_clash clash = {0};
        bool fits = ctn_type_can_fit(arena, of(arena, ROWS[i].value), of(arena, ROWS[i].wanted), &clash);
        if (fits != (ROWS[i].sentence == NULL) || (!fits && !ctn_str_is(clash.sentence, ROWS[i].sentence)))
            fail_msg("%s\n%s\n%s: %.*s", ROWS[i].value, ROWS[i].wanted, fits ? "fit" : "clash",
                     CTN_STR_ARG(clash.sentence));
        ctn_arena_free(arena);
    }
}

/* A tree that refers to itself from many places must not be drawn out for ever. */
static void a_schema_that_refers_to_itself_ends(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_buf_append_literal(&text, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 40; i++)
        ctn_buf_printf(&text, "%s\"m%d\":{\"$ref\":\"#\"}", i ? "," : "", i);
    ctn_buf_append_literal(&text, "}}");
    ctn_buf_append_char(&text, 0);
    const ctn_type *t = of(arena, text.data);
    assert_true(ctn_type_can_fit(arena, t, t, NULL));
    assert_true(ctn_json_bytes(ctn_type_to_schema(arena, t)) < 100000);
    assert_true(ctn_arena_used_bytes(arena) < (64u << 20));
    ctn_buf_done(&text);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_suite_calls_valid_fits),
        cmocka_unit_test(two_schemas_meet_or_a_sentence_says_why_not),
        cmocka_unit_test(a_schema_that_refers_to_itself_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
