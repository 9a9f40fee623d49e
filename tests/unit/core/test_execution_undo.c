/* Compensation: in which order, with what input, what its own failures do, and what is told at the end. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

static const char trip[] =
    KIT_CHAIN "- {stepName: flight, instructionSet: w, inputTemplate: f, outputVariables: [fref], rollbackAction: u}\n"
              "- {stepName: hotel, instructionSet: w, inputTemplate: h, outputVariables: {href: ref}, rollbackAction: "
              "u, rollbackTemplate: 'drop {href} of {fref}'}\n"
              "- {stepName: mail, instructionSet: w, inputTemplate: m, noUndo: sent is sent}\n"
              "- {stepName: look, instructionSet: r}\n"
              "- {stepName: pay, instructionSet: w, inputTemplate: p, rollbackAction: u}\n";

static kit *until_pay(void)
{
    kit *k = kit_new(trip, NULL);
    kit_ok(k, "flight", "{\"fref\":\"F1\",\"price\":10}");
    kit_ok(k, "hotel", "{\"ref\":\"H1\"}");
    kit_ok(k, "mail", "{}");
    kit_ok(k, "look", "{}");
    return k;
}

static void completed_steps_are_undone_in_reverse_order_with_their_outputs(void **state)
{
    (void) state;
    kit *k = until_pay();
    kit_fails(k, "pay", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "compensating");
    kit_owes(k, "undo:hotel"); /* one at a time */
    kit_sends(k, "undo:hotel", "{\"input\":\"drop H1 of F1\"}");
    assert_string_equal(kit_key(k, "undo:hotel"), "hotel/undo");
    assert_true(kit_step(k, "hotel").is_undoing);
    kit_step_is(k, "hotel", "completed");
    kit_ok(k, "undo:hotel", "{}");
    kit_step_is(k, "hotel", "compensated");
    kit_owes(k, "undo:flight");
    kit_sends(k, "undo:flight", "{\"input\":{\"fref\":\"F1\"}}");
    kit_crash(k);
    kit_owes(k, "undo:flight"); /* idempotent: simply again */
    kit_ok(k, "undo:flight", "\"whatever\"");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"pay\",\"notUndone\":[\"mail\"]}");
    kit_step_is(k, "pay", "failed");
    kit_outputs_are(k, NULL);
    kit_free(k);
}

static void the_order_is_that_of_completion_not_of_the_file(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, parallelExecution: true, rollbackAction: u}\n"
                               "- {stepName: b, instructionSet: w, parallelExecution: true, rollbackAction: u}\n"
                               "- {stepName: c, instructionSet: w, parallelExecution: true, rollbackAction: u}\n"
                               "- {stepName: d, instructionSet: r}\n",
                     NULL);
    kit_ok(k, "c", "{}");
    kit_ok(k, "a", "{}");
    kit_ok(k, "b", "{}");
    kit_fails(k, "d", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "undo:b", "{}");
    kit_ok(k, "undo:a", "{}");
    kit_ok(k, "undo:c", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void steps_of_unknown_outcome_go_first_and_the_latest_start_before_the_others(void **state)
{
    (void) state;
    kit *k = kit_new(
        KIT_CHAIN
        "- {stepName: done, instructionSet: w, rollbackAction: u}\n"
        "- {stepName: a, instructionSet: w, parallelExecution: true, rollbackAction: u}\n"
        "- {stepName: b, instructionSet: w, parallelExecution: true, rollbackAction: u, conditionalExecution: 'true'}\n"
        "- {stepName: c, instructionSet: r, parallelExecution: true}\n",
        NULL);
    kit_ok(k, "done", "{}");
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_lost(k, "b", CTN_FAILURE_TIMEOUT);
    kit_fails(k, "c", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "compensating");
    kit_owes(k, "undo:b");
    assert_holds(kit_args(k, "undo:b"), "{\"outcome\":\"unknown\"");
    kit_body_says(k, CTN_ENTRY_COMPENSATION_STARTED, "outcome", "unknown");
    kit_ok(k, "undo:b", "{}");
    kit_ok(k, "undo:a", "{}");
    kit_ok(k, "undo:done", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"c\"}");
    kit_free(k);
}

static const char doubtful[] =
    "id: doubt\nsteps:\n"
    "  - {stepName: a, instructionSet: w, parallelExecution: true, outputVariables: {ref: id}, rollbackAction: u, "
    "rollbackTemplate: 'drop {ref}'}\n"
    "  - {stepName: c, instructionSet: r, parallelExecution: true}\n"
    "instructionSets:\n  w: {tool: t/write_w, settleMs: 60000, check: {tool: t/read_c, arguments: {k: '{step.key}'}}}\n"
    "  r: {tool: t/read_r}\n  u: {tool: t/idem_u}\n";

static kit *in_doubt(void)
{
    kit *k = kit_new(doubtful, NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_fails(k, "c", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "compensating");
    kit_owes(k, "check:a");
    return k;
}

static void what_the_check_says_happened_is_undone_with_its_outputs(void **state)
{
    (void) state;
    kit *k = in_doubt();
    kit_crash(k);
    kit_owes(k, "check:a");
    kit_ok(k, "check:a", "{\"happened\":true,\"result\":{\"id\":\"A7\"}}");
    kit_sends(k, "undo:a", "{\"input\":\"drop A7\"}");
    assert_null(ctn_json_member_of(kit_body(k, CTN_ENTRY_COMPENSATION_STARTED, 0), "outcome"));
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_step_is(k, "a", "compensated");
    kit_free(k);
}

static void what_the_check_says_never_happened_is_not_undone(void **state)
{
    (void) state;
    kit *k = in_doubt();
    kit_ok(k, "check:a", "{\"happened\":false}"); /* may still arrive: asked again until it settles */
    kit_is(k, "compensating");
    assert_int_equal(kit_to_wake(k), 5000);
    kit_ok(k, "check:a", "{\"happened\":false,\"final\":true}");
    kit_is(k, "rolled_back");
    assert_int_equal(kit_count(k, CTN_ENTRY_COMPENSATION_STARTED, NULL), 0);
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"c\"}");
    kit_free(k);
}

static void a_check_that_cannot_tell_parks_nobody_while_undoing(void **state)
{
    (void) state;
    kit *k = in_doubt();
    for (int i = 0; i < 3; i++) {
        kit_ok(k, "check:a", "{\"happened\":null}");
        if (i < 2)
            kit_to_wake(k);
    }
    kit_is(k, "compensating");
    assert_int_equal(kit_count(k, CTN_ENTRY_INTERRUPTED, NULL), 0);
    /* the template reads what was never told, so the undo hears that instead */
    assert_holds(kit_args(k, "undo:a"), "{\"input\":{\"outcome\":\"unknown\",\"key\":\"");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void an_unknown_result_that_a_check_cannot_fit_is_still_told_unknown(void **state)
{
    (void) state;
    kit *k = in_doubt();
    kit_ok(k, "check:a", "{\"happened\":true,\"result\":{\"number\":1}}");
    assert_holds(kit_args(k, "undo:a"), "unknown");
    kit_free(k);
}

static void a_parked_step_is_undone_when_the_chain_is_cancelled(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u}\n", NULL);
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_cancel(k);
    assert_holds(kit_args(k, "undo:a"), "unknown");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"cancelled\"}");
    kit_free(k);
}

static void what_a_person_said_never_happened_is_not_undone(void **state)
{
    (void) state;
    for (int happened = 0; happened < 2; happened++) {
        kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u}\n", NULL);
        kit_crash(k);
        ctn_input in = kit_settle_fail(NULL);
        in.not_happened = !happened;
        kit_says(k, in);
        kit_is(k, happened ? "compensating" : "rolled_back");
        kit_free(k);
    }
}

static void a_failed_undo_does_not_stop_the_others(void **state)
{
    (void) state;
    kit *k = until_pay();
    kit_cancel(k);
    kit_ok(k, "pay", "{}"); /* it was awaited, and so it is the last to complete */
    kit_ok(k, "undo:pay", "{}");
    kit_fails(k, "undo:hotel", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "undo:flight");
    kit_ok(k, "undo:flight", "{}");
    kit_is(k, "rollback_failed");
    kit_error_is(k, "{\"code\":\"cancelled\",\"leftUndone\":[\"hotel\"],\"notUndone\":[\"mail\"]}");
    kit_step_is(k, "hotel", "completed");
    kit_step_is(k, "flight", "compensated");
    kit_free(k);
}

static void an_undo_has_retries_of_its_own(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u, retryConfig: {maxRetries: 2, "
                               "backoffMs: 100, jitter: 0}}\n"
                               "- {stepName: b, instructionSet: r}\n",
                     NULL);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_to_wake(k);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_to_wake(k);
    kit_ok(k, "a", "{}"); /* both are used up */
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_lost(k, "undo:a", CTN_FAILURE_TIMEOUT); /* idempotent: an ordinary transient failure */
    kit_is(k, "compensating");
    kit_owes(k, "");
    assert_int_equal(kit_to_wake(k), 100);
    kit_fails(k, "undo:a", CTN_FAILURE_UNAVAILABLE);
    kit_crash(k);
    assert_int_equal(kit_to_wake(k), 200);
    kit_fails(k, "undo:a", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "rollback_failed");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"b\",\"leftUndone\":[\"a\"]}");
    kit_free(k);
}

static const char undone_by_write[] = "id: careful\nsteps:\n  - {stepName: a, instructionSet: w, rollbackAction: u}\n  "
                                      "- {stepName: b, instructionSet: w, rollbackAction: v}\n"
                                      "  - {stepName: c, instructionSet: r}\n"
                                      "instructionSets:\n  w: {tool: t/write_w}\n  r: {tool: t/read_r}\n"
                                      "  u: {tool: t/write_u, settleMs: 0, check: {tool: t/read_c, arguments: {k: "
                                      "'{step.key}'}}}\n  v: {tool: t/write_v}\n";

static void an_undo_that_is_a_write_is_checked_like_one(void **state)
{
    (void) state;
    kit *k = kit_new(undone_by_write, NULL);
    kit_ok(k, "a", "{}");
    kit_ok(k, "b", "{}");
    kit_fails(k, "c", CTN_FAILURE_TOOL_ERROR);
    kit_lost(k, "undo:b", CTN_FAILURE_TIMEOUT); /* without a check a person decides */
    kit_is(k, "compensating");
    kit_step_is(k, "b", "interrupted");
    kit_owes(k, "");
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    kit_crash(k);
    kit_step_is(k, "b", "interrupted");
    kit_says(k, kit_settle_succeed(k, NULL, "{}"));
    kit_step_is(k, "b", "compensated");
    kit_crash(k); /* while the undo of a is in flight */
    kit_owes(k, "check:undo:a");
    assert_string_equal(kit_key(k, "check:undo:a"), "a/undo");
    kit_ok(k, "check:undo:a", "{\"happened\":false}");
    kit_owes(k, "undo:a"); /* once more in any case */
    kit_lost(k, "undo:a", CTN_FAILURE_TRANSPORT);
    kit_ok(k, "check:undo:a", "{\"happened\":true}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void a_pause_holds_before_the_next_undo(void **state)
{
    (void) state;
    kit *k = until_pay();
    kit_fails(k, "pay", CTN_FAILURE_TOOL_ERROR);
    kit_pause(k);
    kit_is(k, "compensating"); /* the first of those that apply */
    kit_ok(k, "undo:hotel", "{}");
    kit_owes(k, "");
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    kit_pass(k, 100000);
    kit_crash(k);
    kit_owes(k, "");
    kit_resume(k);
    kit_owes(k, "undo:flight");
    kit_free(k);
}

static void without_rollback_nothing_is_undone_and_everything_is_listed(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u}\n"
                               "- {stepName: i, instructionSet: i}\n"
                               "- {stepName: b, instructionSet: r}\n"
                               "rollbackEnabled: false\n",
                     NULL);
    kit_ok(k, "a", "{}");
    kit_ok(k, "i", "{}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"b\",\"notUndone\":[\"a\"]}");
    kit_free(k);

    k = kit_new(KIT_CHAIN "- {stepName: b, instructionSet: r}\n"
                          "rollbackEnabled: true\n",
                NULL);
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rolled_back"); /* it was asked for, and nothing was left to do */
    kit_free(k);
}

static void a_step_that_failed_and_was_passed_by_is_undone_only_if_it_may_have_happened(void **state)
{
    (void) state;
    for (int lost = 0; lost < 3; lost++) {
        kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: i, onError: continue, rollbackAction: u}\n"
                                   "- {stepName: b, instructionSet: r}\n",
                         NULL);
        if (lost == 2) /* the tool did its work, and its driver does not let the answer pass */
            kit_ends(k, "a", (ctn_input){.failure = CTN_FAILURE_INVALID_OUTPUT, .was_sent = true});
        else if (lost)
            kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
        else
            kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
        kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
        kit_is(k, lost ? "compensating" : "rolled_back");
        kit_free(k);
    }
}

static void skipped_steps_and_reads_with_an_undo(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u, conditionalExecution: skip}\n"
                               "- {stepName: hold, instructionSet: r, outputVariables: [h], rollbackAction: u}\n"
                               "- {stepName: b, instructionSet: r}\n",
                     NULL);
    kit_ok(k, "hold", "{\"h\":1}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "undo:hold"); /* who gives an undo means it */
    kit_ok(k, "undo:hold", "{}");
    kit_is(k, "rolled_back");
    kit_step_is(k, "a", "skipped");
    kit_free(k);
}

static void an_undo_of_several_calls_repeats_only_what_did_not_succeed(void **state)
{
    (void) state;
    kit *k = kit_new("id: several\nsteps:\n  - {stepName: a, instructionSet: w, outputVariables: [v], rollbackAction: "
                     "u, retryConfig: {maxRetries: 1, backoffMs: 10}}\n"
                     "  - {stepName: b, instructionSet: r}\n"
                     "instructionSets:\n  w: {tool: t/write_w}\n  r: {tool: t/read_r}\n"
                     "  u: {calls: {one: {tool: t/idem_one, arguments: {v: '{input.v}'}}, two: {tool: t/idem_two, "
                     "arguments: {one: '{one.id}'}}}}\n",
                     NULL);
    kit_ok(k, "a", "{\"v\":3}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_sends(k, "undo:a.one", "{\"v\":3}");
    kit_ok(k, "undo:a.one", "{\"id\":4}");
    kit_sends(k, "undo:a.two", "{\"one\":4}");
    kit_fails(k, "undo:a.two", CTN_FAILURE_UNAVAILABLE);
    kit_to_wake(k);
    kit_owes(k, "undo:a.two");
    kit_ok(k, "undo:a.two", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void an_undo_that_cannot_be_rendered_is_left_undone(void **state)
{
    (void) state;
    kit *k = kit_new(
        KIT_CHAIN
        "- {stepName: a, instructionSet: w, outputVariables: [v], rollbackAction: u, rollbackTemplate: '{other}'}\n"
        "- {stepName: b, instructionSet: r, outputVariables: [other]}\n",
        NULL);
    kit_ok(k, "a", "{\"v\":3}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rollback_failed");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"b\",\"leftUndone\":[\"a\"]}");
    kit_free(k);
}

/* Whoever loads it when its time has come finds nothing that was under way. */
static void an_undo_in_back_off_is_no_death_to_those_who_load_it(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u, retryConfig: {maxRetries: 9, "
                               "backoffMs: 100, jitter: 0}}\n"
                               "- {stepName: b, instructionSet: r}\n",
                     NULL);
    kit_ok(k, "a", "{}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    for (int i = 0; i < 8; i++) {
        kit_fails(k, "undo:a", CTN_FAILURE_UNAVAILABLE);
        kit_sleep_through(k, kit_wakes_in(k));
        kit_crash(k);
    }
    kit_owes(k, "undo:a");
    assert_int_equal(kit_count(k, CTN_ENTRY_RESUMED, NULL), 0);
    kit_free(k);
}

static void a_death_storm_while_undoing_parks_the_undo(void **state)
{
    (void) state;
    kit *k = until_pay();
    kit_fails(k, "pay", CTN_FAILURE_TOOL_ERROR);
    for (int i = 0; i < 5; i++) {
        kit_owes(k, "undo:hotel");
        kit_crash(k);
    }
    kit_step_is(k, "hotel", "interrupted");
    kit_says(k, kit_settle_retry(NULL));
    kit_owes(k, "undo:hotel");
    kit_ok(k, "undo:hotel", "{}");
    kit_owes(k, "undo:flight");
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completed_steps_are_undone_in_reverse_order_with_their_outputs),
        cmocka_unit_test(the_order_is_that_of_completion_not_of_the_file),
        cmocka_unit_test(steps_of_unknown_outcome_go_first_and_the_latest_start_before_the_others),
        cmocka_unit_test(what_the_check_says_happened_is_undone_with_its_outputs),
        cmocka_unit_test(what_the_check_says_never_happened_is_not_undone),
        cmocka_unit_test(a_check_that_cannot_tell_parks_nobody_while_undoing),
        cmocka_unit_test(an_unknown_result_that_a_check_cannot_fit_is_still_told_unknown),
        cmocka_unit_test(a_parked_step_is_undone_when_the_chain_is_cancelled),
        cmocka_unit_test(what_a_person_said_never_happened_is_not_undone),
        cmocka_unit_test(a_failed_undo_does_not_stop_the_others),
        cmocka_unit_test(an_undo_has_retries_of_its_own),
        cmocka_unit_test(an_undo_that_is_a_write_is_checked_like_one),
        cmocka_unit_test(a_pause_holds_before_the_next_undo),
        cmocka_unit_test(without_rollback_nothing_is_undone_and_everything_is_listed),
        cmocka_unit_test(a_step_that_failed_and_was_passed_by_is_undone_only_if_it_may_have_happened),
        cmocka_unit_test(skipped_steps_and_reads_with_an_undo),
        cmocka_unit_test(an_undo_of_several_calls_repeats_only_what_did_not_succeed),
        cmocka_unit_test(an_undo_that_cannot_be_rendered_is_left_undone),
        cmocka_unit_test(an_undo_in_back_off_is_no_death_to_those_who_load_it),
        cmocka_unit_test(a_death_storm_while_undoing_parks_the_undo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
