/* A write of which nobody knows whether it happened: the check, the person, the policy; and engines that die. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

/* A write with a check; `more` belongs to the step. */
#define CHECKED(more)                                                                                                  \
    "id: check\nsteps:\n  - {stepName: pay, instructionSet: s, outputVariables: [ref]" more "}\n"                      \
    "instructionSets:\n  s: {tool: t/write_pay, settleMs: 12000, check: {tool: t/read_paid, arguments: {key: "         \
    "'{step.key}'}}}\n"
#define UNCHECKED(more)                                                                                                \
    "id: ask\nsteps:\n  - {stepName: pay, instructionSet: s, outputVariables: [ref]" more "}\n"                        \
    "instructionSets:\n  s: {tool: t/write_pay}\n"

static void a_write_that_timed_out_is_asked_about_and_never_repeated_before(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(", retryConfig: {maxRetries: 5, backoffMs: 10}"), NULL);
    kit_journal_is(k, "started attempt_started:pay");
    ctn_owed_call call = kit_owed(k, "pay");
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_owes(k, "check:pay");
    kit_is(k, "running");
    assert_holds(kit_args(k, "check:pay"), "/pay/do");
    assert_string_equal(kit_key(k, "check:pay"), "pay/do");
    assert_int_equal(kit_owed(k, "check:pay").effect, CTN_EFFECT_READ);
    kit_late(k, call, "{\"ref\":\"late\"}");
    kit_ok(k, "check:pay", "{\"happened\":true,\"result\":{\"ref\":\"A1\"}}");
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"ref\":\"A1\"}");
    kit_journal_is(k, "started attempt_started:pay attempt_failed:pay checked:pay attempt_succeeded:pay completed");
    kit_free(k);
}

static void a_no_counts_only_when_the_request_can_no_longer_arrive(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(", retryConfig: {maxRetries: 1, backoffMs: 10, jitter: 0}"), NULL);
    kit_pass(k, 1000);
    kit_lost(k, "pay", CTN_FAILURE_TRANSPORT); /* settles 12 s after it was sent: at 12,000 */
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_owes(k, "");
    kit_is(k, "running");
    assert_int_equal(kit_to_wake(k), 5000);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    assert_int_equal(kit_to_wake(k), 5000);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    assert_int_equal(kit_to_wake(k), 1000); /* 12,000 */
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_step_is(k, "pay", "retrying");
    kit_to_wake(k);
    kit_owes(k, "pay");
    assert_int_equal(kit_owed(k, "pay").attempt, 2);
    assert_string_equal(kit_key(k, "pay"), "pay/do");
    kit_ok(k, "pay", "{\"ref\":2}");
    kit_is(k, "completed");
    kit_free(k);
}

static void a_no_counts_at_once_when_it_is_final_or_the_server_is_dead(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:pay", "{\"happened\":false,\"final\":true}");
    kit_is(k, "failed"); /* a failed attempt like any other, and no retry is allowed */
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"pay\"}");
    kit_free(k);

    k = kit_new(CHECKED(""), NULL);
    kit_ends(k, "pay", (ctn_input){.failure = CTN_FAILURE_TRANSPORT, .was_sent = true, .peer_is_dead = true});
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_error_is(k, "{\"code\":\"transport\",\"step\":\"pay\"}");
    kit_free(k);

    k = kit_new(CHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TRANSPORT);
    kit_ends(k, "check:pay", (ctn_input){.value = kit_json(k, "{\"happened\":false}"), .peer_is_dead = true});
    kit_error_is(k, "{\"code\":\"transport\",\"step\":\"pay\"}");
    kit_free(k);
}

/* The tool has ended, and what it asked a third one for may still be done. */
static void a_no_that_is_not_final_waits_although_the_server_is_dead(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(""), NULL);
    kit_pass(k, 1000);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT); /* settles at 12,000 */
    kit_ends(k, "check:pay",
             (ctn_input){.value = kit_json(k, "{\"happened\":false,\"final\":false}"), .peer_is_dead = true});
    kit_is(k, "running");
    assert_int_equal(kit_to_wake(k), 5000);
    kit_ends(k, "check:pay",
             (ctn_input){.value = kit_json(k, "{\"happened\":true,\"result\":{\"ref\":1}}"), .peer_is_dead = true});
    kit_is(k, "completed");
    kit_free(k);
}

static void a_check_that_cannot_tell_leaves_it_to_a_person(void **state)
{
    (void) state;
    static const char *const vague[] = {"{\"happened\":null}", "{}", "\"perhaps\""};
    kit *k = kit_new(CHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        kit_ok(k, "check:pay", vague[i]);
        if (i < 2)
            kit_to_wake(k);
    }
    kit_is(k, "interrupted");
    kit_step_is(k, "pay", "interrupted");
    kit_owes(k, "");
    assert_int_equal(kit_wakes_in(k), -1);
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    kit_free(k);

    k = kit_new(CHECKED(""), NULL); /* nor one that fails */
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        kit_fails(k, "check:pay", CTN_FAILURE_UNAVAILABLE);
        if (i < 2)
            kit_to_wake(k);
    }
    kit_is(k, "interrupted");
    kit_free(k);
}

static void a_person_says_retry_succeed_or_fail(void **state)
{
    (void) state;
    kit *k = kit_new(UNCHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_is(k, "interrupted");
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_retry(NULL));
    kit_owes(k, "pay"); /* at once, though no retry is configured */
    assert_int_equal(kit_owed(k, "pay").attempt, 2);
    kit_ok(k, "pay", "{\"ref\":1}");
    kit_is(k, "completed");
    kit_free(k);

    k = kit_new(UNCHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_says(k, kit_settle_succeed(k, NULL, "{\"ref\":\"by hand\"}"));
    kit_outputs_are(k, "{\"ref\":\"by hand\"}");
    kit_body_says(k, CTN_ENTRY_DECISION, "what", "succeed");
    kit_free(k);

    k = kit_new(UNCHECKED(", retryConfig: {maxRetries: 9}"), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_says(k, kit_settle_fail(NULL));
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"pay\",\"notUndone\":[\"pay\"]}"); /* it may have happened */
    kit_free(k);

    k = kit_new(UNCHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    ctn_input in = kit_settle_fail(NULL);
    in.not_happened = true;
    kit_says(k, in);
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"pay\"}");
    kit_free(k);
}

/* Two calls of one step ask; what is known of the second must not be taken for the first. */
static void what_a_person_says_can_be_about_one_call_of_several(void **state)
{
    (void) state;
    kit *k = kit_new("id: two\nsteps:\n  - {stepName: s, instructionSet: both, parallelExecution: true, "
                     "outputVariables: {a: one.ref, b: two.ref}}\n"
                     "instructionSets:\n  both: {calls: {one: {tool: t/write_one}, two: {tool: t/write_two}}}\n",
                     NULL);
    kit_lost(k, "s.one", CTN_FAILURE_TIMEOUT);
    kit_lost(k, "s.two", CTN_FAILURE_TIMEOUT);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, "s/two", "{\"ref\":2}"));
    kit_refused(k, CTN_E_STATE, "call s/two is not interrupted", kit_settle_succeed(k, "s/two", "{\"ref\":2}"));
    kit_refused(k, CTN_E_STATE, "", kit_settle_succeed(k, "s/none", "{\"ref\":2}"));
    kit_says(k, kit_settle_succeed(k, "s", "{\"ref\":1}")); /* the one that is left */
    kit_outputs_are(k, "{\"a\":1,\"b\":2}");
    kit_free(k);
}

static void what_a_person_says_must_be_about_an_interrupted_step(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, parallelExecution: true}\n"
                               "- {stepName: b, instructionSet: w, parallelExecution: true}\n"
                               "- {stepName: c, instructionSet: w}\n",
                     NULL);
    kit_refused(k, CTN_E_STATE, "running", kit_settle_retry(NULL));
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_is(k, "running"); /* b is in flight */
    kit_step_is(k, "a", "interrupted");
    kit_lost(k, "b", CTN_FAILURE_TIMEOUT);
    kit_is(k, "interrupted");
    kit_refused(k, CTN_E_INVALID, "--step", kit_settle_retry(NULL));
    kit_refused(k, CTN_E_STATE, "pending", kit_settle_retry("c"));
    kit_refused(k, CTN_E_NOT_FOUND, "", kit_settle_retry("bb"));
    kit_says(k, kit_settle_retry("b"));
    kit_owes(k, "b");
    kit_is(k, "running");
    kit_says(k, kit_settle_succeed(k, NULL, "{}")); /* the only one that is left */
    kit_step_is(k, "a", "completed");
    kit_ok(k, "b", "{}");
    kit_owes(k, "c");
    kit_free(k);
}

static void on_interrupted_retry_and_fail_decide_without_a_person(void **state)
{
    (void) state;
    kit *k = kit_new(UNCHECKED(", onInterrupted: retry, retryConfig: {maxRetries: 1, backoffMs: 10}"), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_step_is(k, "pay", "retrying");
    kit_to_wake(k);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_is(k, "failed"); /* nothing spins */
    kit_error_is(k, "{\"code\":\"timeout\",\"step\":\"pay\",\"notUndone\":[\"pay\"]}");
    kit_free(k);

    k = kit_new(UNCHECKED(", onInterrupted: fail, retryConfig: {maxRetries: 9}"), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_is(k, "failed");
    kit_free(k);

    k = kit_new(UNCHECKED(", onInterrupted: fail"), &(kit_options){.retry_interrupted = true});
    kit_crash(k);
    kit_is(k, "failed"); /* the step's word before the engine's */
    kit_error_is(k, "{\"code\":\"interrupted\",\"step\":\"pay\",\"notUndone\":[\"pay\"]}");
    kit_free(k);

    k = kit_new(UNCHECKED(", onInterrupted: ask"), &(kit_options){.retry_interrupted = true});
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_free(k);

    k = kit_new(UNCHECKED(""), &(kit_options){.retry_interrupted = true});
    kit_crash(k);
    kit_owes(k, "pay"); /* plain at least once */
    assert_string_equal(kit_key(k, "pay"), "pay/do");
    kit_free(k);
}

/* ---- the engine dies ---- */

static void reads_and_idempotent_calls_are_repeated_without_spending_a_retry(void **state)
{
    (void) state;
    static const char *const tools[] = {
        KIT_CHAIN "- {stepName: a, instructionSet: r}\n",
        KIT_CHAIN "- {stepName: a, instructionSet: i}\n",
        KIT_CHAIN "- {stepName: a, instructionSet: i, rollbackAction: i}\n",
    };
    for (int i = 0; i < 3; i++) {
        kit *k = kit_new(tools[i], NULL);
        for (int n = 0; n < 4; n++) {
            kit_crash(k);
            kit_is(k, "running");
            kit_owes(k, "a");
            assert_string_equal(kit_key(k, "a"), "a/do");
        }
        kit_ok(k, "a", "{}");
        kit_is(k, "completed");
        assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 4);
        kit_free(k);
    }
}

static void five_deaths_in_a_row_park_the_step(void **state)
{
    (void) state;
    kit *k =
        kit_new(KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [v], conditionalExecution: '{x} == 1'}\n"
                          "- {stepName: b, instructionSet: r}\n",
                &(kit_options){.input = "{\"x\":1}"});
    for (int n = 0; n < 4; n++) {
        kit_crash(k);
        kit_owes(k, "a");
    }
    kit_restart(k); /* a clean end is no death */
    kit_owes(k, "a");
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_step_is(k, "a", "interrupted");
    kit_owes(k, "");
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_retry(NULL));
    kit_owes(k, "a");
    kit_crashes(k, 4);
    kit_owes(k, "a"); /* counted from the start again */
    kit_crash(k);
    kit_says(k, kit_settle_succeed(k, NULL, "{\"v\":5}"));
    kit_variable_is(k, "v", "5");
    kit_owes(k, "b");
    kit_crashes(k, 5);
    kit_says(k, kit_settle_fail(NULL));
    kit_error_is(k, "{\"code\":\"interrupted\",\"step\":\"b\"}");
    kit_free(k);
}

static void deaths_are_counted_on_retries_too_but_not_in_back_off(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN
                     "- {stepName: a, instructionSet: r, retryConfig: {maxRetries: 9, backoffMs: 1000, jitter: 0}}\n",
                     NULL);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_crashes(k, 9); /* nothing is under way */
    assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 0);
    kit_to_wake(k);
    for (int i = 0; i < 5; i++) {
        kit_owes(k, "a");
        kit_crash(k);
    }
    kit_is(k, "interrupted");
    kit_free(k);
}

static void a_paused_step_counts_the_death_it_died_and_no_more(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: r}\n"
                               "- {stepName: b, instructionSet: r}\n",
                     NULL);
    kit_pause(k); /* a is in flight */
    kit_crashes(k, 9);
    assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 1);
    kit_resume(k);
    kit_owes(k, "a");
    kit_pause(k);
    kit_ok(k, "a", "{}");
    kit_crash(k); /* b was never begun */
    assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 2);
    kit_resume(k);
    kit_owes(k, "b");
    kit_free(k);
}

static void success_in_between_forgets_the_deaths(void **state)
{
    (void) state;
    kit *k = kit_new(
        "id: killer\nsteps:\n  - {stepName: a, instructionSet: s, retryConfig: {maxRetries: 9, backoffMs: 10}}\n"
        "instructionSets:\n  s: {calls: {x: {tool: t/read_x}, y: {tool: t/read_y}}}\n",
        NULL);
    kit_crashes(k, 4);
    kit_ok(k, "a.x", "1");
    kit_crashes(k, 4);
    kit_fails(k, "a.y", CTN_FAILURE_UNAVAILABLE);
    kit_crash(k); /* in back-off: not under way */
    kit_to_wake(k);
    kit_crashes(k, 4);
    kit_owes(k, "a.y");
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, NULL, "2"));
    kit_is(k, "completed");
    kit_free(k);
}

static void five_deaths_park_a_write_that_may_be_repeated(void **state)
{
    (void) state;
    kit *k = kit_new(UNCHECKED(""), &(kit_options){.retry_interrupted = true});
    for (int n = 0; n < 4; n++) {
        kit_crash(k);
        kit_owes(k, "pay");
    }
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_retry(NULL));
    kit_owes(k, "pay");
    assert_string_equal(kit_key(k, "pay"), "pay/do");
    kit_crashes(k, 5);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_fail(NULL));
    kit_error_is(k, "{\"code\":\"interrupted\",\"step\":\"pay\",\"notUndone\":[\"pay\"]}");
    kit_free(k);
}

static void after_a_death_a_write_is_checked_and_goes_once_more_in_any_case(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(""), NULL); /* no retry is configured */
    kit_crash(k);
    kit_owes(k, "check:pay");
    kit_ok(k, "check:pay", "{\"happened\":false}"); /* it ran in a child of the engine that died: it counts at once */
    kit_owes(k, "pay");
    assert_int_equal(kit_owed(k, "pay").attempt, 2);
    kit_crash(k);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_is(k, "failed"); /* once */
    kit_error_is(k, "{\"code\":\"interrupted\",\"step\":\"pay\"}");
    kit_free(k);

    k = kit_new(CHECKED(""), NULL);
    kit_restart(k); /* it was cut off by a clean stop just the same */
    kit_ok(k, "check:pay", "{\"happened\":true,\"result\":{\"ref\":7}}");
    kit_outputs_are(k, "{\"ref\":7}");
    kit_free(k);
}

static void a_retry_that_is_configured_is_spent_before_the_free_one(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(", retryConfig: {maxRetries: 1, backoffMs: 10, jitter: 0}"), NULL);
    kit_crash(k);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    assert_int_equal(kit_to_wake(k), 10);
    kit_crash(k);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_owes(k, "pay"); /* the free one */
    kit_crash(k);
    kit_ok(k, "check:pay", "{\"happened\":false}");
    kit_is(k, "failed");
    kit_free(k);
}

static void a_death_while_the_check_was_asked_asks_again(void **state)
{
    (void) state;
    kit *k = kit_new(CHECKED(""), NULL);
    kit_lost(k, "pay", CTN_FAILURE_TIMEOUT);
    kit_crash(k);
    kit_owes(k, "check:pay");
    kit_ok(k, "check:pay", "{\"happened\":true,\"result\":{\"ref\":1}}");
    kit_is(k, "completed");
    kit_free(k);
}

static void of_several_calls_only_the_one_in_flight_is_in_doubt(void **state)
{
    (void) state;
    kit *k = kit_new("id: trip\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [f, h]}\n"
                     "instructionSets:\n  s: {calls: {f: {tool: t/write_f}, h: {tool: t/write_h}}}\n",
                     NULL);
    kit_ok(k, "a.f", "1");
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, NULL, "2"));
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"f\":1,\"h\":2}");
    kit_free(k);

    k = kit_new(
        "id: trip\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [f, h], parallelExecution: true}\n"
        "instructionSets:\n  s: {calls: {f: {tool: t/write_f}, h: {tool: t/write_h}, r: {tool: t/read_r}}, check: "
        "{tool: t/read_c, arguments: {k: '{step.key}'}}}\n",
        NULL);
    kit_owes(k, "a.f a.h a.r"); /* the set has the class of its most careful call */
    kit_ok(k, "a.r", "3");
    kit_crash(k);
    kit_owes(k, "check:a.f check:a.h");
    kit_ok(k, "check:a.h", "{\"happened\":true,\"result\":2}");
    kit_ok(k, "check:a.f", "{\"happened\":false}");
    kit_owes(k, "a.f");
    kit_ok(k, "a.f", "1");
    kit_outputs_are(k, "{\"f\":1,\"h\":2}");
    kit_free(k);
}

/* ---- set ---- */

static void set_changes_a_variable_while_nothing_is_under_way(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, inputTemplate: '{x}', outputVariables: [v]}\n"
                               "- {stepName: b, instructionSet: r, inputTemplate: '{v} {x}'}\n",
                     &(kit_options){.input = "{\"x\":1}"});
    kit_refused(k, CTN_E_STATE, "running", kit_set(k, "x", "2"));
    kit_pause(k);
    kit_refused(k, CTN_E_STATE, "", kit_set(k, "x", "2")); /* a call is under way */
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_says(k, kit_set(k, "x", "2"));
    kit_refused(k, CTN_E_NOT_FOUND, "x", kit_set(k, "xx", "2"));
    kit_variable_is(k, "x", "2");
    kit_body_says(k, CTN_ENTRY_DECISION, "what", "set");
    kit_resume(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, NULL, "{\"v\":\"w\"}"));
    kit_sends(k, "b", "{\"input\":\"w 2\"}");
    kit_ok(k, "b", "{}");
    kit_refused(k, CTN_E_STATE, "completed", kit_set(k, "x", "3"));
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_timed_out_is_asked_about_and_never_repeated_before),
        cmocka_unit_test(a_no_counts_only_when_the_request_can_no_longer_arrive),
        cmocka_unit_test(a_no_counts_at_once_when_it_is_final_or_the_server_is_dead),
        cmocka_unit_test(a_no_that_is_not_final_waits_although_the_server_is_dead),
        cmocka_unit_test(a_check_that_cannot_tell_leaves_it_to_a_person),
        cmocka_unit_test(a_person_says_retry_succeed_or_fail),
        cmocka_unit_test(what_a_person_says_can_be_about_one_call_of_several),
        cmocka_unit_test(what_a_person_says_must_be_about_an_interrupted_step),
        cmocka_unit_test(on_interrupted_retry_and_fail_decide_without_a_person),
        cmocka_unit_test(reads_and_idempotent_calls_are_repeated_without_spending_a_retry),
        cmocka_unit_test(five_deaths_in_a_row_park_the_step),
        cmocka_unit_test(deaths_are_counted_on_retries_too_but_not_in_back_off),
        cmocka_unit_test(a_paused_step_counts_the_death_it_died_and_no_more),
        cmocka_unit_test(success_in_between_forgets_the_deaths),
        cmocka_unit_test(five_deaths_park_a_write_that_may_be_repeated),
        cmocka_unit_test(after_a_death_a_write_is_checked_and_goes_once_more_in_any_case),
        cmocka_unit_test(a_retry_that_is_configured_is_spent_before_the_free_one),
        cmocka_unit_test(a_death_while_the_check_was_asked_asks_again),
        cmocka_unit_test(of_several_calls_only_the_one_in_flight_is_in_doubt),
        cmocka_unit_test(set_changes_a_variable_while_nothing_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
