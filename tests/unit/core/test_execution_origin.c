/*
 * On whose behalf an execution runs is in its first entry, so that whoever folds the journal knows it too.
 */
#include "core/execution.h"
#include "support/cmocka.h"
#include "unit/kit/execution_kit_state.h"
#include "unit/kit/json_kit.h"

#define ONE                                                                                                            \
    "id: c\npriority: 3\ninstructionSets:\n  get: {tool: t/read_it}\nsteps:\n- {stepName: a, instructionSet: get}\n"

static const ctn_origin *origin_after(kit *k, const char *labels, const ctn_origin *given, ctn_execution **ret_x)
{
    const ctn_json *parsed = labels ? json_of(k->arena, ctn_str_from(labels)) : NULL;
    ctn_execution *x = ctn_execution_new(k->arena, k->plan, k->id);
    ctn_entry first = ctn_execution_first_entry(k->plan, k->arena, false, 1, json_of(k->arena, CTN_STR("{}")), parsed,
                                                NULL, CTN_STR("api/ada"), k->now_ms);
    ctn_execution_add_origin(&first, k->arena, given);
    ctn_execution_apply(x, &first);
    *ret_x = x;
    return ctn_execution_origin(x);
}

static void who_started_it_is_folded_in(void **state)
{
    (void) state;
    kit *k = kit_new(ONE, NULL);
    ctn_execution *x;
    ctn_origin given = {.principal = CTN_STR("ada"),
                        .traceparent = CTN_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                        .has_priority = true,
                        .priority = 9};
    const ctn_origin *found = origin_after(k, "{\"tenant\": \"acme\", \"team\": \"blue\"}", &given, &x);
    assert_true(ctn_str_is(found->principal, "ada"));
    assert_true(ctn_str_is(found->tenant, "acme"));
    assert_true(ctn_str_equal(found->traceparent, given.traceparent));
    assert_int_equal(found->priority, 9);
    kit_free(k);
}

static void nobody_in_particular_leaves_no_trace_in_the_entry(void **state)
{
    (void) state;
    kit *k = kit_new(ONE, NULL);
    ctn_execution *x;
    const ctn_origin *found = origin_after(k, NULL, &(ctn_origin){0}, &x);
    assert_int_equal(found->principal.len, 0);
    assert_int_equal(found->tenant.len, 0);
    assert_int_equal(found->priority, 3);
    assert_false(found->has_priority);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_started_it_is_folded_in),
        cmocka_unit_test(nobody_in_particular_leaves_no_trace_in_the_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
