/* A step that fails: which failures are tried again, when, how often; and what a failure for good does. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

#define ONE_STEP(tool, more)                                                                                           \
    "id: one\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [v]" more "}\n"                            \
    "instructionSets:\n  s: {tool: " tool "}\n"

static void a_step_without_retry_config_fails_at_once(void **state)
{
    (void) state;
    kit *k = kit_new(ONE_STEP("t/read_a", ""), NULL);
    kit_is(k, "running");
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    kit_step_is(k, "a", "failed");
    kit_error_is(k, "{\"code\":\"unavailable\",\"step\":\"a\"}");
    assert_string_equal(kit_error_message(k), "no luck");
    kit_outputs_are(k, NULL);
    kit_journal_is(k, "started attempt_failed:a failed");
    kit_free(k);
}

static void back_off_doubles_up_to_its_cap_and_ends_with_the_retries(void **state)
{
    (void) state;
    kit *k = kit_new(
        ONE_STEP("t/read_a", ", retryConfig: {maxRetries: 4, backoffMs: 100, maxBackoffMs: 500, jitter: 0}"), NULL);
    static const int64_t delays[] = {100, 200, 400, 500};
    for (int i = 0; i < 4; i++) {
        kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
        kit_is(k, "running"); /* in back-off */
        kit_step_is(k, "a", "retrying");
        assert_int_equal(kit_step(k, "a").attempt, i + 1);
        assert_int_equal(kit_step(k, "a").due_ms - KIT_START_MS, kit_now(k) + delays[i]);
        kit_owes(k, "");
        kit_pass(k, delays[i] - 1);
        kit_owes(k, "");
        kit_pass(k, 1);
        kit_owes(k, "a");
        assert_int_equal(kit_owed(k, "a").attempt, i + 2);
    }
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    assert_int_equal(kit_count(k, CTN_ENTRY_ATTEMPT_FAILED, "a"), 5);
    kit_free(k);
}

static void another_multiplier_and_jitter_move_the_delay_by_its_share(void **state)
{
    (void) state;
    kit *k = kit_new(
        ONE_STEP("t/read_a", ", retryConfig: {maxRetries: 9, backoffMs: 1000, multiplier: 3, jitter: 0.2}"), NULL);
    kit_chance(k, 0);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    assert_int_equal(kit_to_wake(k), 800);
    kit_chance(k, 1);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    int64_t longest = kit_to_wake(k);
    assert_true(longest >= 3599 && longest <= 3600);
    kit_chance(k, 0.5);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    assert_int_equal(kit_to_wake(k), 9000);
    kit_free(k);
}

static void a_retry_never_comes_before_the_peers_own_wish(void **state)
{
    (void) state;
    kit *k = kit_new(
        ONE_STEP("t/read_a", ", retryConfig: {maxRetries: 3, backoffMs: 100, maxBackoffMs: 1000, jitter: 0}"), NULL);
    kit_ends(k, "a", (ctn_input){.failure = CTN_FAILURE_RATE_LIMITED, .retry_after_ms = 90000});
    assert_int_equal(kit_to_wake(k), 90000); /* over the cap, too */
    kit_ends(k, "a", (ctn_input){.failure = CTN_FAILURE_RATE_LIMITED, .retry_after_ms = 50});
    assert_int_equal(kit_to_wake(k), 200);
    kit_ok(k, "a", "{\"v\":1}");
    kit_is(k, "completed");
    kit_free(k);
}

typedef struct transient_case {
    ctn_failure failure;
    bool was_sent;
    bool read, idem, write; /* is it tried again? */
} transient_case;

static void which_failures_are_transient_depends_on_the_effect(void **state)
{
    (void) state;
    static const transient_case cases[] = {
        {CTN_FAILURE_RATE_LIMITED, true, true, true, true},
        {CTN_FAILURE_UNAVAILABLE, true, true, true, true},
        {CTN_FAILURE_TRANSPORT, false, true, true, true},
        {CTN_FAILURE_TRANSPORT, true, true, true, false},
        {CTN_FAILURE_TIMEOUT, true, true, true, false},
        {CTN_FAILURE_TOOL_ERROR, true, false, false, false},
        {CTN_FAILURE_PROTOCOL_ERROR, true, false, false, false},
        {CTN_FAILURE_INVALID_INPUT, false, false, false, false},
        {CTN_FAILURE_DENIED, false, false, false, false},
        {CTN_FAILURE_INVALID_OUTPUT, true, false, false, false},
        {CTN_FAILURE_LIMIT, true, false, false, false},
    };
    static const char *const chains[] = {
        ONE_STEP("t/read_a", ", retryConfig: {maxRetries: 1, backoffMs: 10}"),
        ONE_STEP("t/idem_a", ", retryConfig: {maxRetries: 1, backoffMs: 10}"),
        ONE_STEP("t/write_a", ", retryConfig: {maxRetries: 1, backoffMs: 10}"),
        ONE_STEP("t/none_a", ", retryConfig: {maxRetries: 1, backoffMs: 10}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int c = 0; c < 4; c++) {
            const transient_case *t = &cases[i];
            bool again = c == 1 ? t->idem : c == 2 ? t->write : t->read;
            bool is_unknown =
                c == 2 && t->was_sent && (t->failure == CTN_FAILURE_TRANSPORT || t->failure == CTN_FAILURE_TIMEOUT);
            kit *k = kit_new(chains[c], NULL);
            kit_ends(k, "a", (ctn_input){.failure = t->failure, .was_sent = t->was_sent});
            kit_step_is(k, "a", is_unknown ? "interrupted" : again ? "retrying" : "failed");
            kit_free(k);
        }
}

static void a_code_that_retry_on_names_is_tried_again(void **state)
{
    (void) state;
    kit *k = kit_new(
        ONE_STEP("t/write_a", ", retryConfig: {maxRetries: 2, backoffMs: 10, retryOn: [tool_error, missing_output]}"),
        NULL);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_step_is(k, "a", "retrying");
    kit_to_wake(k);
    kit_ok(k, "a",
           "{\"w\":1, \"x\": 2}"); /* one variable: an object without it is the whole result, so it is no failure */
    kit_is(k, "completed");
    kit_free(k);

    k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [v, w], retryConfig: {maxRetries: 1, "
                          "backoffMs: 10, retryOn: [missing_output]}}\n",
                NULL);
    kit_ok(k, "a", "{\"w\":1}");
    kit_step_is(k, "a", "retrying");
    assert_int_equal(kit_step(k, "a").failure, CTN_FAILURE_MISSING_OUTPUT);
    kit_to_wake(k);
    kit_ok(k, "a", "{\"w\":1}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\"}");
    kit_free(k);
}

static void a_retry_sends_the_same_arguments_and_the_same_key(void **state)
{
    (void) state;
    kit *k =
        kit_new("id: one\nsteps:\n  - {stepName: a, instructionSet: s, retryConfig: {maxRetries: 3, backoffMs: 1000}}\n"
                "instructionSets:\n"
                "  s: {tool: t/read_a, arguments: {x: '{x}', at: '{now}', n: '{step.attempt}', k: '{step.key}', s: "
                "'{step.name}'}}\n",
                &(kit_options){.input = "{\"x\":[1,2]}"});
    assert_string_equal(kit_key(k, "a"), "a/do");
    const char *first = kit_args(k, "a");
    assert_holds(first, "{\"x\":[1,2],\"at\":\"2026-11-22T10:00:00.000Z\",\"n\":1,");
    for (int i = 0; i < 3; i++) {
        kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
        if (i == 1)
            kit_crash(k);
        kit_to_wake(k);
        kit_sends(k, "a", first);
    }
    kit_free(k);
}

static void the_answer_of_an_attempt_that_is_over_is_dropped(void **state)
{
    (void) state;
    kit *k = kit_new(ONE_STEP("t/read_a", ", retryConfig: {maxRetries: 3, backoffMs: 1000}"), NULL);
    ctn_owed_call first = kit_owed(k, "a");
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_late(k, first, "{\"v\":1}");
    kit_to_wake(k);
    kit_late(k, first, "{\"v\":1}");
    kit_ok(k, "a", "{\"v\":2}");
    kit_variable_is(k, "v", "2");
    kit_late(k, first, "{\"v\":1}");
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"v\":2}");
    kit_free(k);
}

static const char continued[] =
    "id: go-on\nsteps:\n"
    "  - {stepName: a, instructionSet: s, outputVariables: [v], onError: continue}\n"
    "  - {stepName: b, instructionSet: r, outputVariables: [w], conditionalExecution: '{v} == null'}\n"
    "instructionSets:\n  s: {tool: t/read_a}\n  r: {tool: t/read_b}\n";

static void on_error_continue_makes_the_variables_null_and_goes_on(void **state)
{
    (void) state;
    kit *k = kit_new(continued, &(kit_options){.input = "{\"v\":\"before\"}"});
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_step_is(k, "a", "failed");
    kit_variable_is(k, "v", "null");
    kit_is(k, "running");
    kit_ok(k, "b", "{\"w\":3}");
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"v\":null,\"w\":3}");
    kit_error_is(k, NULL);
    kit_journal_is(k, "started attempt_failed:a attempt_succeeded:b completed");
    kit_free(k);
}

static void conditions_skip_fail_and_go_wrong(void **state)
{
    (void) state;
    static const char chain[] =
        "id: when\nsteps:\n"
        "  - {stepName: a, instructionSet: s, outputVariables: [v], conditionalExecution: \"{n} / {m} > 1 ? skip : {n} "
        "== 0 ? fail : continue\", retryConfig: {maxRetries: 5, retryOn: [condition_failed, division_by_zero]}}\n"
        "  - {stepName: b, instructionSet: r, outputVariables: [w]}\n"
        "instructionSets:\n  s: {tool: t/read_a}\n  r: {tool: t/read_b, arguments: {got: '{v | default(null)}'}}\n";
    kit *k = kit_new(chain, &(kit_options){.input = "{\"n\":3,\"m\":1}"});
    kit_step_is(k, "a", "skipped");
    kit_owes(k, "b");
    kit_variable_is(k, "v", NULL);
    kit_ok(k, "b", "{\"w\":1}");
    kit_outputs_are(k, "{\"v\":null,\"w\":1}");
    kit_free(k);

    k = kit_new(chain, &(kit_options){.input = "{\"n\":0,\"m\":1}"});
    kit_is(k, "failed"); /* a verdict is not tried again, whatever retryOn says */
    kit_error_is(k, "{\"code\":\"condition_failed\",\"step\":\"a\"}");
    kit_journal_is(k, "started attempt_failed:a failed");
    kit_free(k);

    k = kit_new(chain, &(kit_options){.input = "{\"n\":1,\"m\":0}"});
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"division_by_zero\",\"step\":\"a\"}");
    kit_free(k);

    k = kit_new(chain, &(kit_options){.input = "{\"n\":1,\"m\":1}"});
    kit_owes(k, "a");
    kit_free(k);
}

static void a_condition_that_says_fail_makes_no_call_of_several_at_once(void **state)
{
    (void) state;
    kit *k = kit_new("id: gate\nsteps:\n"
                     "  - {stepName: a, instructionSet: s, conditionalExecution: fail, parallelExecution: true}\n"
                     "instructionSets:\n  s: {calls: {x: {tool: t/write_x}, y: {tool: t/write_y}}}\n",
                     NULL);
    kit_is(k, "failed");
    kit_journal_is(k, "started attempt_failed:a failed");
    kit_error_is(k, "{\"code\":\"condition_failed\",\"step\":\"a\"}");
    kit_free(k);
}

static void an_undefined_variable_fails_the_step_for_good_before_any_call(void **state)
{
    (void) state;
    kit *k = kit_new(
        KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [value], conditionalExecution: 'false'}\n"
                  "- {stepName: b, instructionSet: w, inputTemplate: 'about {value}', retryConfig: {maxRetries: 9}}\n",
        NULL);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"undefined_variable\",\"step\":\"b\"}");
    assert_holds(kit_error_message(k), "value");
    kit_journal_is(k, "started step_skipped:a attempt_failed:b failed");
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_without_retry_config_fails_at_once),
        cmocka_unit_test(back_off_doubles_up_to_its_cap_and_ends_with_the_retries),
        cmocka_unit_test(another_multiplier_and_jitter_move_the_delay_by_its_share),
        cmocka_unit_test(a_retry_never_comes_before_the_peers_own_wish),
        cmocka_unit_test(which_failures_are_transient_depends_on_the_effect),
        cmocka_unit_test(a_code_that_retry_on_names_is_tried_again),
        cmocka_unit_test(a_retry_sends_the_same_arguments_and_the_same_key),
        cmocka_unit_test(the_answer_of_an_attempt_that_is_over_is_dropped),
        cmocka_unit_test(on_error_continue_makes_the_variables_null_and_goes_on),
        cmocka_unit_test(conditions_skip_fail_and_go_wrong),
        cmocka_unit_test(a_condition_that_says_fail_makes_no_call_of_several_at_once),
        cmocka_unit_test(an_undefined_variable_fails_the_step_for_good_before_any_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
