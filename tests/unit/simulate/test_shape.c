/* Values that are made up: they fit what the chain does with them, and what a schema says. */
#include "value/schema.h"
#include "simulate/pattern.h"
#include "simulate/shape.h"
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"

#include <stdio.h>

typedef struct fixture {
    ctn_arena *arena;
    uint64_t chance;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){.arena = ctn_arena_new(65536), .chance = 4711};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    ctn_arena_free(((fixture *) *state)->arena);
    return 0;
}

static void take_use(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal)
{
    ctn_shape *x = ctx;
    ctn_shape_use(ctn_shape_at(ctn_shape_member(x, path->root), path->parts, path->count), use, literal);
}

/* How many of 200 made contexts make the condition true; the shapes come from the condition alone. */
static int times_true(fixture *f, const char *text);

typedef struct object_scope {
    const ctn_json *object;
} object_scope;

static const ctn_json *lookup(void *ctx, ctn_str name)
{
    return ctn_json_get(((object_scope *) ctx)->object, name);
}

static int times_true(fixture *f, const char *text)
{
    ctn_expression *e = NULL;
    assert_int_equal(ctn_expression_compile(f->arena, ctn_str_from(text), &e, NULL), CTN_OK);
    ctn_shape *shape = ctn_shape_new(f->arena);
    ctn_expression_uses(e, take_use, shape);
    int count = 0;
    for (int i = 0; i < 200; i++) {
        ctn_rng chance = ctn_rng_seeded(&f->chance);
        object_scope o = {ctn_shape_make(shape, NULL, CTN_STR("x"), &chance, f->arena)};
        ctn_scope scope = {.lookup = lookup, .ctx = &o, .now_ms = 1790000000000};
        ctn_verdict verdict;
        ctn_err err = {0};
        if (ctn_expression_condition(e, &scope, f->arena, &verdict, &err))
            fail_msg("%s: %s with %.*s", text, err.message, CTN_STR_ARG(ctn_json_to_str(f->arena, o.object)));
        count += verdict == CTN_VERDICT_CONTINUE;
    }
    return count;
}

/* A branch that no made value ever takes would hide everything behind it. */
static void both_branches_of_a_condition_are_reached(void **state)
{
    static const char *const conditions[] = {
        "{status} == 'incomplete' ? skip : continue",
        "{status} in ['a', 'b', 'c']",
        "{total} > 5000",
        "{trip.nights} >= 3 && {trip.adults} < 3",
        "length({offers}) > 2",
        "{approved}",
        "!{client.vip}",
        "lower({tier}) == 'gold'",
        "'beach' in {wishes}",
        "contains({text}, 'urgent')",
        "startsWith({code}, 'X')",
        "has({options}, 'spa')",
        "any({offers}, 'ok')",
        "{a} == null",
        "{price} * 2 + 1 > 10 ? continue : fail",
        "daysBetween(now, {leaves}) < 60",
    };
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        int count = times_true(*state, conditions[i]);
        if (count == 0 || count == 200)
            fail_msg("%s: true %d times of 200", conditions[i], count);
    }
}

static void values_fit_their_schema(void **state)
{
    fixture *f = *state;
    static const char *const schemas[] = {
        "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":3,"
        "\"maximum\":"
        "4},\"b\":{\"type\":\"string\",\"minLength\":9,\"maxLength\":12}},\"additionalProperties\":false}",
        "{\"type\":\"array\",\"minItems\":2,\"maxItems\":3,\"items\":{\"enum\":[1,\"x\",null]}}",
        "{\"type\":\"string\",\"pattern\":\"^-?[0-9]+\\\\.[0-9]{2}$\"}",
        "{\"type\":\"string\",\"pattern\":\"^(AB|C)[A-F0-9]{4,}(-\\\\d+)?$\"}",
        "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"const\":"
        "1}}}]}",
        "{\"$defs\":{\"n\":{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"number\"},"
        "\"next\":{"
        "\"$ref\":\"#/$defs/n\"}}}},\"$ref\":\"#/$defs/n\"}",
        "{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":2}",
        "{\"type\":[\"integer\",\"null\"]}",
        "{\"type\":\"integer\",\"multipleOf\":5,\"minimum\":1,\"maximum\":20}",
        "{\"allOf\":[{\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"boolean\"}}},{\"required\":[\"b\"],"
        "\"properties\":{"
        "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}]}",
    };
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        ctn_schema *schema = NULL;
        const ctn_json *source = json_of(f->arena, ctn_str_from(schemas[i]));
        assert_int_equal(ctn_schema_compile(f->arena, source, &schema, NULL, NULL), CTN_OK);
        for (int k = 0; k < 200; k++) {
            ctn_rng chance = ctn_rng_seeded(&f->chance);
            const ctn_json *v = ctn_shape_make(NULL, source, CTN_STR("x"), &chance, f->arena);
            ctn_err err = {0};
            if (ctn_schema_validate(schema, v, f->arena, &err))
                fail_msg("%s: %.*s: %s", schemas[i], CTN_STR_ARG(ctn_json_to_str(f->arena, v)), err.message);
        }
        ctn_schema_done(schema);
    }
}

static void a_pattern_beyond_us_is_given_up_and_never_read_past_its_end(void **state)
{
    fixture *f = *state;
    static const char *const beyond[] = {"(?=a)b", "(a)\\1", "[[:alpha:]]",          "[a", "(a", "a{999999}",
                                         "a)",     "\\",     "((((((((((((((((((((a"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        ctn_rng chance = ctn_rng_seeded(&f->chance);
        ctn_str text;
        if (ctn_pattern_make(ctn_str_from(beyond[i]), &chance, f->arena, &text))
            fail_msg("%s gave %.*s", beyond[i], CTN_STR_ARG(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_branches_of_a_condition_are_reached, setup, teardown),
        cmocka_unit_test_setup_teardown(values_fit_their_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pattern_beyond_us_is_given_up_and_never_read_past_its_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
