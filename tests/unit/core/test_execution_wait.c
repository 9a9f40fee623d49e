/* Steps that wait for people or for time; pausing, and the chain's own time. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

#define DESK(approval)                                                                                                 \
    "id: desk\nsteps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved, by, comment, at]}\n"        \
    "instructionSets:\n  yes: {approval: {message: 'Send {offer}?'" approval "}}\n"

static void an_approval_asks_and_takes_the_first_answer(void **state)
{
    (void) state;
    kit *k = kit_new(DESK(""), &(kit_options){.input = "{\"offer\":\"Rome\"}"});
    kit_is(k, "waiting");
    kit_step_is(k, "ok", "waiting");
    assert_true(ctn_str_is(kit_step(k, "ok").message, "Send Rome?"));
    assert_true(kit_step(k, "ok").wants_approval);
    assert_false(kit_step(k, "ok").waits_for_time);
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    assert_int_equal(kit_wakes_in(k), -1);
    kit_owes(k, "");
    kit_refused(k, CTN_E_INVALID, "{\"approved\": true}", kit_answer(k, "ok", "{\"approve\":true}"));
    kit_refused(k, CTN_E_INVALID, "approved", kit_answer(k, "ok", "\"yes\""));
    kit_refused(k, CTN_E_NOT_FOUND, "ok", kit_answer(k, "okk", "{\"approved\":true}"));
    kit_pass(k, 5000);
    kit_crash(k);
    kit_is(k, "waiting");
    kit_says(k, kit_answer(k, "ok", "{\"approved\":false,\"comment\":\"too dear\"}"));
    kit_is(k, "completed");
    kit_outputs_are(k,
                    "{\"approved\":false,\"by\":\"sam\",\"comment\":\"too dear\",\"at\":\"2026-11-22T10:00:05.000Z\"}");
    kit_refused(k, CTN_E_STATE, "completed", kit_answer(k, "ok", "{\"approved\":true}"));
    kit_free(k);
}

/* {input} in what a set asks or waits for is the step's own text, as in the arguments of a tool. */
static void a_question_and_a_time_read_the_steps_input(void **state)
{
    (void) state;
    kit *k = kit_new("id: desk\nsteps:\n  - {stepName: ok, instructionSet: yes, inputTemplate: 'Send {offer}?'}\n"
                     "instructionSets:\n  yes: {approval: {message: '{input} Now?'}}\n",
                     &(kit_options){.input = "{\"offer\":\"Rome\"}"});
    assert_true(ctn_str_is(kit_step(k, "ok").message, "Send Rome? Now?"));
    kit_free(k);
    k = kit_new("id: rest\nsteps:\n  - {stepName: w, instructionSet: z, inputTemplate: '{at}'}\n"
                "instructionSets:\n  z: {wait: {until: '{input}'}}\n",
                &(kit_options){.input = "{\"at\":\"2026-11-22T12:00:00Z\"}"});
    kit_is(k, "waiting");
    assert_int_equal(kit_wakes_in(k), 2 * 3600 * 1000);
    kit_free(k);
}

static void a_second_answer_hears_that_the_first_stands(void **state)
{
    (void) state;
    kit *k = kit_new("id: desk\nsteps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved]}\n"
                     "  - {stepName: b, instructionSet: s}\n"
                     "instructionSets:\n  yes: {approval: {}}\n  s: {tool: t/read_a}\n",
                     NULL);
    kit_says(k, kit_answer(k, "ok", "{\"approved\":true}"));
    kit_refused(k, CTN_E_STATE, "first answer stands", kit_answer(k, "ok", "{\"approved\":false}"));
    kit_refused(k, CTN_E_STATE, "does not wait", kit_answer(k, "b", "{}"));
    kit_variable_is(k, "approved", "true");
    kit_body_says(k, CTN_ENTRY_WAITING, "for", "approval");
    kit_free(k);
}

static void only_those_whom_who_names_may_answer(void **state)
{
    (void) state;
    kit *k = kit_new(DESK(", who: [desk, boss]"), &(kit_options){.input = "{\"offer\":1}"});
    kit_refused(k, CTN_E_DENIED, "", kit_answer(k, "ok", "{\"approved\":true}"));
    kit_says_as(k, "boss", kit_answer(k, "ok", "{\"approved\":true}"));
    kit_is(k, "completed");
    kit_free(k);
}

static void an_approval_that_nobody_answers_in_time(void **state)
{
    (void) state;
    static const struct {
        const char *chain, *status, *outputs;
    } cases[] = {
        {DESK(", timeoutMs: 60000"), "failed", NULL},
        {DESK(", timeoutMs: 60000, onTimeout: fail"), "failed", NULL},
        {DESK(", timeoutMs: 60000, onTimeout: reject"), "completed",
         "{\"approved\":false,\"by\":\"timeout\",\"comment\":null,\"at\":\"2026-11-22T10:01:00.000Z\"}"},
        {DESK(", timeoutMs: 60000, onTimeout: approve"), "completed",
         "{\"approved\":true,\"by\":\"timeout\",\"comment\":null,\"at\":\"2026-11-22T10:01:00.000Z\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit *k = kit_new(cases[i].chain, &(kit_options){.input = "{\"offer\":1}"});
        kit_pass(k, 59999);
        kit_is(k, "waiting");
        kit_pass(k, 1);
        kit_is(k, cases[i].status);
        kit_outputs_are(k, cases[i].outputs);
        kit_error_is(k, cases[i].outputs ? NULL : "{\"code\":\"timeout\",\"step\":\"ok\"}");
        assert_int_equal(kit_step(k, "ok").attempt, 1);
        kit_free(k);
    }
}

static void the_steps_own_time_bounds_an_approval_and_a_wait(void **state)
{
    (void) state;
    kit *k = kit_new("id: desk\nsteps:\n  - {stepName: ok, instructionSet: yes, timeoutMs: 1000, retryConfig: "
                     "{maxRetries: 1, backoffMs: 50, jitter: 0}}\n"
                     "instructionSets:\n  yes: {approval: {timeoutMs: 60000, onTimeout: approve}}\n",
                     NULL);
    assert_int_equal(kit_to_wake(k), 1000);
    kit_step_is(k, "ok", "retrying");
    assert_int_equal(kit_step(k, "ok").attempt, 1);
    assert_int_equal(kit_to_wake(k), 50);
    kit_step_is(k, "ok", "waiting");
    assert_int_equal(kit_step(k, "ok").attempt, 2);
    kit_pass(k, 1000);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"ok\"}");
    kit_free(k);

    k = kit_new("id: rest\nsteps:\n  - {stepName: w, instructionSet: z, timeoutMs: 1000}\ninstructionSets:\n  z: "
                "{wait: {ms: 1001}}\n",
                NULL);
    kit_pass(k, 1000);
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"w\"}");
    kit_free(k);
    k = kit_new("id: rest\nsteps:\n  - {stepName: w, instructionSet: z, timeoutMs: 1000}\ninstructionSets:\n  z: "
                "{wait: {ms: 1000}}\n",
                NULL);
    kit_pass(k, 1000);
    kit_is(k, "completed");
    kit_free(k);
}

static const char resting[] = "id: rest\nsteps:\n"
                              "  - {stepName: w, instructionSet: z, outputVariables: [got]}\n"
                              "  - {stepName: b, instructionSet: s}\n"
                              "instructionSets:\n  z: {wait: {ms: 86400000}}\n  s: {tool: t/read_b}\n";

static void a_wait_ends_by_itself_whoever_lives_then(void **state)
{
    (void) state;
    kit *k = kit_new(resting, NULL);
    kit_is(k, "waiting");
    assert_true(kit_step(k, "w").waits_for_time);
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    assert_int_equal(kit_wakes_in(k), 86400000);
    kit_pass(k, 1000);
    kit_crash(k);
    assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 0); /* nothing was under way */
    assert_int_equal(kit_wakes_in(k), 86399000);
    kit_pass(k, 86399000);
    kit_owes(k, "b");
    kit_variable_is(k, "got", "{}");
    kit_free(k);
}

static void an_answer_ends_a_wait_early_with_its_value(void **state)
{
    (void) state;
    kit *k = kit_new(resting, NULL);
    kit_says(k, kit_answer(k, "w", "{\"got\":[1]}"));
    kit_variable_is(k, "got", "[1]");
    kit_owes(k, "b");
    kit_free(k);
}

#define UNTIL(time)                                                                                                    \
    "id: rest\nsteps:\n  - {stepName: w, instructionSet: z}\ninstructionSets:\n  z: {wait: {until: '" time "'}}\n"

static void a_wait_until_a_time(void **state)
{
    (void) state;
    kit *k = kit_new(UNTIL("2026-11-22T12:00:00+01:00"), NULL);
    assert_int_equal(kit_to_wake(k), 3600000);
    kit_is(k, "completed");
    kit_free(k);
    k = kit_new(UNTIL("{at}"), &(kit_options){.input = "{\"at\":1795341600250}"});
    assert_int_equal(kit_to_wake(k), 250);
    kit_is(k, "completed");
    kit_free(k);
    k = kit_new(UNTIL("{at}"), &(kit_options){.input = "{\"at\":\"1999-01-01\"}"});
    kit_is(k, "completed");
    kit_free(k);
    k = kit_new(UNTIL("{at}"), &(kit_options){.input = "{\"at\":\"soon\"}"});
    kit_error_is(k, "{\"code\":\"invalid_input\",\"step\":\"w\"}");
    kit_free(k);
    k = kit_new("id: rest\nsteps:\n  - {stepName: w, instructionSet: z}\ninstructionSets:\n  z: {wait: {ms: 0}}\n",
                NULL);
    kit_is(k, "completed");
    kit_free(k);
}

/* ---- pause ---- */

static const char two[] = KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [v], "
                                    "retryConfig: {maxRetries: 1, backoffMs: 100, jitter: 0}}\n"
                                    "- {stepName: b, instructionSet: r, inputTemplate: '{v}'}\n"
                                    "timeoutMs: 10000\n";

static void a_pause_lets_calls_end_and_begins_nothing(void **state)
{
    (void) state;
    kit *k = kit_new(two, NULL);
    kit_pause(k);
    kit_is(k, "paused");
    kit_owes(k, "a"); /* under way */
    kit_ok(k, "a", "{\"v\":1}");
    kit_is(k, "paused");
    kit_owes(k, "");
    assert_false(ctn_execution_is_busy(kit_execution(k))); /* costs no memory */
    assert_int_equal(kit_wakes_in(k), -1);
    kit_refused(k, CTN_E_STATE, "paused", (ctn_input){.kind = CTN_IN_PAUSE});
    kit_pass(k, 3600000);
    kit_crash(k);
    kit_is(k, "paused");
    kit_owes(k, "");
    kit_resume(k);
    kit_owes(k, "b");
    kit_refused(k, CTN_E_STATE, "not paused", (ctn_input){.kind = CTN_IN_RESUME});
    kit_ok(k, "b", "{}");
    kit_is(k, "completed");
    kit_free(k);
}

static void a_pause_holds_a_back_off_and_a_wait(void **state)
{
    (void) state;
    kit *k = kit_new(two, NULL);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_pause(k);
    kit_pass(k, 1000);
    kit_step_is(k, "a", "retrying");
    kit_owes(k, "");
    kit_resume(k);
    kit_owes(k, "a");
    kit_free(k);

    k = kit_new(resting, NULL);
    kit_pause(k);
    assert_int_equal(kit_wakes_in(k), -1);
    kit_pass(k, 100000000);
    kit_step_is(k, "w", "waiting");
    kit_resume(k);
    kit_owes(k, "b");
    kit_free(k);
}

static void an_answer_counts_while_paused_but_nothing_begins(void **state)
{
    (void) state;
    kit *k = kit_new(resting, NULL);
    kit_pause(k);
    kit_says(k, kit_answer(k, "w", "{\"got\":1}"));
    kit_step_is(k, "w", "completed");
    kit_is(k, "paused");
    kit_owes(k, "");
    kit_resume(k);
    kit_owes(k, "b");
    kit_free(k);
}

/* ---- the chain's time ---- */

static void the_chains_time_stands_still_only_while_paused(void **state)
{
    (void) state;
    kit *k = kit_new("id: slow\ntimeoutMs: 10000\nsteps:\n  - {stepName: w, instructionSet: z}\n"
                     "instructionSets:\n  z: {wait: {ms: 600000}}\n",
                     NULL);
    assert_int_equal(kit_wakes_in(k), 10000); /* it runs on through waits */
    kit_pass(k, 4000);
    kit_pause(k);
    kit_pass(k, 5000);
    kit_restart(k);
    kit_pass(k, 45000);
    kit_is(k, "paused");
    kit_resume(k);
    assert_int_equal(kit_wakes_in(k), 6000);
    kit_pass(k, 1000);
    kit_pause(k);
    kit_pass(k, 100);
    kit_resume(k);
    assert_int_equal(kit_wakes_in(k), 5000);
    kit_pass(k, 5000);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"timeout\"}");
    kit_step_is(k, "w", "failed");
    kit_free(k);
}

static void the_chains_time_does_not_count_while_queued(void **state)
{
    (void) state;
    kit *k = kit_new(two, &(kit_options){.is_queued = true});
    kit_is(k, "queued");
    kit_owes(k, "");
    assert_int_equal(kit_wakes_in(k), -1);
    kit_pass(k, 3600000);
    kit_says(k, (ctn_input){.kind = CTN_IN_START});
    kit_is(k, "running");
    kit_owes(k, "a");
    assert_int_equal(kit_wakes_in(k), 10000);
    kit_journal_is(k, "queued started");
    kit_refused(k, CTN_E_STALE, "", (ctn_input){.kind = CTN_IN_START});
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_approval_asks_and_takes_the_first_answer),
        cmocka_unit_test(a_question_and_a_time_read_the_steps_input),
        cmocka_unit_test(a_second_answer_hears_that_the_first_stands),
        cmocka_unit_test(only_those_whom_who_names_may_answer),
        cmocka_unit_test(an_approval_that_nobody_answers_in_time),
        cmocka_unit_test(the_steps_own_time_bounds_an_approval_and_a_wait),
        cmocka_unit_test(a_wait_ends_by_itself_whoever_lives_then),
        cmocka_unit_test(an_answer_ends_a_wait_early_with_its_value),
        cmocka_unit_test(a_wait_until_a_time),
        cmocka_unit_test(a_pause_lets_calls_end_and_begins_nothing),
        cmocka_unit_test(a_pause_holds_a_back_off_and_a_wait),
        cmocka_unit_test(an_answer_counts_while_paused_but_nothing_begins),
        cmocka_unit_test(the_chains_time_stands_still_only_while_paused),
        cmocka_unit_test(the_chains_time_does_not_count_while_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
