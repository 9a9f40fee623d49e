/* Which conditions can come out together: "no" must be a proof, and "yes" no excuse. */
#include "check/logic.h"
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"

static ctn_arena *arena;

static int begin(void **state)
{
    (void) state;
    arena = ctn_arena_new(1 << 16);
    return 0;
}

static int end(void **state)
{
    (void) state;
    ctn_arena_free(arena);
    return 0;
}

/* Nothing changes between the steps, except `w`, which each step sees anew. */
static uint32_t version(void *ctx, uint32_t step, ctn_str root)
{
    (void) ctx;
    return ctn_str_is(root, "w") ? step : 0;
}

/* {mode} is one of two words, {nights} a whole number that may be missing. */
static const ctn_json *schema(void *ctx, uint32_t step, const ctn_path *path, bool *ret_may_be_null)
{
    (void) ctx;
    (void) step;
    const char *text = ctn_str_is(path->root, "mode") ? "{\"type\": \"string\", \"enum\": [\"air\", \"sea\"]}"
                       : ctn_str_is(path->root, "stars")
                           ? "{\"type\": \"number\", \"minimum\": 1, \"exclusiveMaximum\": 5.5}"
                       : ctn_str_is(path->root, "nights") ? "{\"type\": \"integer\"}"
                                                          : NULL;
    *ret_may_be_null = ctn_str_is(path->root, "nights");
    return text ? json_of(arena, ctn_str_from(text)) : NULL;
}

static ctn_logic *logic_new(void)
{
    return ctn_logic_new(arena, &(ctn_logic_world){.version = version, .schema = schema});
}

static const ctn_expression *compiled(const char *text)
{
    ctn_expression *e = NULL;
    ctn_err err = {0};
    if (ctn_expression_compile(arena, ctn_str_from(text), &e, &err))
        fail_msg("%s: %s", text, err.message);
    return e;
}

static bool can(const char *text, unsigned outcomes)
{
    ctn_logic *logic = logic_new();
    ctn_logic_demand(logic, compiled(text), 0, outcomes);
    return ctn_logic_is_possible(logic);
}

/* The second is asked at a later step. */
static bool can_both(const char *first, unsigned first_outcomes, const char *second, unsigned second_outcomes)
{
    ctn_logic *logic = logic_new();
    ctn_logic_demand(logic, compiled(first), 1, first_outcomes);
    ctn_logic_demand(logic, compiled(second), 2, second_outcomes);
    return ctn_logic_is_possible(logic);
}

static void a_condition_that_nothing_makes_true_is_seen(void **state)
{
    (void) state;
    static const char *const never[] = {
        "1 == 2",
        "{x} && false",
        "{x} == 'a' && {x} == 'b'",
        "{x} == 'a' && {x} != 'a'",
        "{n} > 5 && {n} < 3",
        "{n} > 5 && {n} <= 5",
        "exists({x}) && {x} == null",
        "{x} && !{x}",
        "not ({x} or true)",
        "1 == 1 ? skip : continue",
        "{x} in ['a', 'b'] && {x} == 'c'",
        "'a' in []",
        "length({x}) < 0",
        "length({x}) > 3 && length({x}) == 2",
        "exists({x.y}) && {x} == null",
        "1 / 0 > 1",
        "{x} == {y} && {x} != {y}",
        "{x} matches 'a' && !({x} matches 'a')",
        "upper('a') == 'a'",
        "{mode} == 'rail'",
        "{mode} == null",
        "{mode} != 'air' && {mode} != 'sea'",
        "{nights} == 'two'",
        "{nights} == true",
        "{x} == 1 && {x} == '1'",
        "{x} == 1 && {x} == 1.5",
        "{x} < 'b' && {x} > 1",
        "!{x} && {x} == 'a'",
        "({x} == 'a' ? {y} : false) && {x} == 'b'",
        "length({x}) > 1 && length({x}) < 2",
        "{x} && length({x}) == 0",
        "!{x} && length({x}) > 0",
        "{x} == [] && length({x}) > 0",
        "{nights} > 2 && {nights} < 3",
        "{x} != {x}",
        "{x.a} < {x.a}",
        "length({x}) == -1",
        "length({x}) == 1.5",
        "length({x}) <= -1",
        "lower({x}) == 'Yes'",
        "upper({x}) in ['a', 'b']",
        "trim({x}) == ' a'",
        "{stars} >= 5.5",
        "{stars} < 1",
        "{stars} == 0",
        "{stars} >= 6 || {stars} == '5'",
    };
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (can(never[i], CTN_OUTCOME_RUN))
            fail_msg("%s can never run", never[i]);
}

static void a_condition_that_something_makes_true_is_let_be(void **state)
{
    (void) state;
    static const char *const may[] = {
        "{x}",
        "!{x}",
        "{x} == 'a'",
        "{x} != 'a' && {x} != 'b'",
        "{n} > 5 && {n} < 6",
        "{n} >= 5 && {n} <= 5",
        "{x} == null",
        "{x.y} == null && exists({x})",
        "{x} == {y}",
        "{x} != {y}",
        "{x} matches '^a' && {x} matches 'b$'",
        "length({x}) == 0",
        "length({x}) >= 1 && length({x}) < 2",
        "{mode} == 'air'",
        "{nights} == null",
        "{nights} > 2",
        "now() > '2026'",
        "{x} ? skip : continue",
        "{x} + 1 > 2",
        "{x} in {y}",
        "'a' in {x}",
        "{x} < 'b' && {x} > 'a'",
        "any({x}, 'ok') && !all({x}, 'ok')",
        "round({n}) == 3",
        "{x} == [] || {x} == {y}",
        "{item.a} > {item.b}",
        "{x} == 0 && !{x}",
        "{x} == '' && !{x}",
        "string({x}) == '' && {x} == null",
        "length({x}) == 1",
        "length({x}) > -1",
        "lower({x}) == 'yes'",
        "upper({x}) in ['a', 'B']",
        "trim({x}) == 'a b'",
        "{stars} >= 5",
        "{stars} < 2",
        "{stars} == 2.5",
        "{stars} != 9",
    };
    for (size_t i = 0; i < sizeof may / sizeof may[0]; i++)
        if (!can(may[i], CTN_OUTCOME_RUN))
            fail_msg("%s can run", may[i]);
}

static void decisions_are_compared_over_unchanged_values(void **state)
{
    (void) state;
    assert_false(can_both("{x} == 'a'", CTN_OUTCOME_SKIP, "x == 'a'", CTN_OUTCOME_RUN));
    assert_false(can_both("{x} == 'a'", CTN_OUTCOME_SKIP, "{x} != 'a'", CTN_OUTCOME_SKIP));
    assert_false(can_both("{x} == 'a' ? skip : continue", CTN_OUTCOME_RUN, "{x} == 'a'", CTN_OUTCOME_RUN));
    assert_false(can_both("{x} && {y}", CTN_OUTCOME_RUN, "{y}", CTN_OUTCOME_SKIP));
    assert_true(can_both("{x} || {y}", CTN_OUTCOME_RUN, "{y}", CTN_OUTCOME_SKIP));
    assert_true(can_both("{k} < 1", CTN_OUTCOME_SKIP, "{k} >= 1", CTN_OUTCOME_SKIP)); /* a text is neither */
    assert_false(can_both("length({k}) < 1", CTN_OUTCOME_SKIP, "length({k}) >= 1", CTN_OUTCOME_SKIP));
    assert_false(can_both("{x}", CTN_OUTCOME_SKIP, "length({x}) > 0", CTN_OUTCOME_RUN));
    assert_false(can_both("{nights} > 0", CTN_OUTCOME_SKIP, "{nights} >= 1", CTN_OUTCOME_RUN));
    assert_true(can_both("{w}", CTN_OUTCOME_SKIP, "{w}", CTN_OUTCOME_RUN)); /* somebody wrote it in between */
    assert_true(can_both("now() < '2027'", CTN_OUTCOME_SKIP, "now() < '2027'", CTN_OUTCOME_RUN));
    assert_false(can_both("{x} ? continue : fail", CTN_OUTCOME_RUN, "{x}", CTN_OUTCOME_SKIP));
    assert_false(can_both("{x[\"a\"]}", CTN_OUTCOME_RUN, "{x.a}", CTN_OUTCOME_SKIP));
}

static void a_missing_value_is_known_wherever_it_is_asked_for(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        bool can_run;
    } rows[] = {
        {"exists({x})", false},
        {"{x} != null", false},
        {"null != x", false},
        {"exists(x.a)", false},
        {"exists({y})", true},
        {"{x} == null", true},
        {"exists({x}) && {y} > 1", false},
        {"{y} and exists(x)", false},
        {"exists({x}) || {y}", true},
        {"exists(x) || x != null", false},
        {"!exists({x})", true},
        {"!({x} == null)", false},
        {"not (x == null or y)", false},
        {"not (x == null and y)", true},
        {"{x} == 'a'", false},
        {"{x}", false},
        {"{x} > 3", false},
        {"{x.kind} in ['a', 'b']", false},
        {"exists({x}) ? continue : skip", false},
        {"{x} == null ? skip : continue", false},
        {"{x} == null ? fail : {y}", false},
        {"{x} == null ? continue : skip", true},
        {"exists({x}) ? skip : continue", true},
        {"{y} ? continue : exists({x})", true},
        {"{y} ? {x} != null : exists({x})", false},
        {"exists({x}) ? {y} : false", false},
        {"skip", false},
        {"true", true},
        {"length({x}) > 0", false},
        {"length({x}) == 0", true},
        {"{x} + 1 > 0", false},
        {"contains({x}, 'a')", false},
        {"{x} in ['a']", false},
        {"{x} in ['a', null]", true},
        {"{x} == {y}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_logic *logic = logic_new();
        ctn_logic_demand(logic, compiled(rows[i].text), 1, CTN_OUTCOME_RUN);
        ctn_logic_demand_null(logic, CTN_STR("x"), 0);
        if (ctn_logic_is_possible(logic) != rows[i].can_run)
            fail_msg("%s without x: can run should be %d", rows[i].text, rows[i].can_run);
    }
}

static void demands_are_taken_back(void **state)
{
    (void) state;
    ctn_logic *logic = logic_new();
    ctn_logic_demand(logic, compiled("{x}"), 1, CTN_OUTCOME_RUN);
    ctn_logic_mark mark = ctn_logic_save(logic);
    ctn_logic_demand_null(logic, CTN_STR("x"), 0);
    assert_false(ctn_logic_is_possible(logic));
    ctn_logic_restore(logic, mark);
    assert_true(ctn_logic_is_possible(logic));
    ctn_logic_demand(logic, compiled("!{x}"), 2, CTN_OUTCOME_RUN);
    assert_false(ctn_logic_is_possible(logic));
    ctn_logic_clear(logic);
    assert_true(ctn_logic_is_possible(logic));
}

/* 24 terms of many values each: the answer comes, and it is the generous one. */
static void a_question_that_is_too_large_is_answered_yes(void **state)
{
    (void) state;
    ctn_logic *logic = logic_new();
    for (int i = 0; i < 40; i++)
        ctn_logic_demand(
            logic,
            compiled(
                ctn_arena_printf(arena, "({a%d} == 1 || {b%d} == 2) && ({a%d} == 2 || {b%d} == 1)", i, i, i, i).ptr),
            1, CTN_OUTCOME_RUN);
    ctn_logic_demand(logic, compiled("{z} && !{z}"), 1, CTN_OUTCOME_RUN);
    assert_true(ctn_logic_is_possible(logic));
    ctn_logic_clear(logic);
    for (int i = 0; i < 300; i++)
        ctn_logic_demand(logic, compiled("{z} && !{z}"), 1, CTN_OUTCOME_RUN);
    assert_true(ctn_logic_is_possible(logic));
}

static void outcomes_by_form_are_those_of_the_branches(void **state)
{
    (void) state;
    assert_int_equal(ctn_logic_outcomes(NULL), CTN_OUTCOME_RUN);
    assert_int_equal(ctn_logic_outcomes(compiled("{x} ? skip : fail")), CTN_OUTCOME_SKIP | CTN_OUTCOME_FAIL);
    assert_int_equal(ctn_logic_outcomes(compiled("{x} ? continue : fail")), CTN_OUTCOME_RUN | CTN_OUTCOME_FAIL);
    assert_int_equal(ctn_logic_outcomes(compiled("{x}")), CTN_OUTCOME_RUN | CTN_OUTCOME_SKIP);
    assert_int_equal(ctn_logic_outcomes(compiled("false")), CTN_OUTCOME_SKIP);
    assert_int_equal(ctn_logic_outcomes(compiled("fail")), CTN_OUTCOME_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_that_nothing_makes_true_is_seen),
        cmocka_unit_test(a_condition_that_something_makes_true_is_let_be),
        cmocka_unit_test(decisions_are_compared_over_unchanged_values),
        cmocka_unit_test(a_missing_value_is_known_wherever_it_is_asked_for),
        cmocka_unit_test(demands_are_taken_back),
        cmocka_unit_test(a_question_that_is_too_large_is_answered_yes),
        cmocka_unit_test(outcomes_by_form_are_those_of_the_branches),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
