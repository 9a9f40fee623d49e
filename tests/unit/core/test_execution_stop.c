/* A chain that goes on no more: what is in flight, what is cancelled, who says so, and the statuses on the way. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

static const char beside[] = "id: beside\nsteps:\n"
                             "  - {stepName: bad, instructionSet: r, parallelExecution: true}\n"
                             "  - {stepName: read, instructionSet: r, parallelExecution: true}\n"
                             "  - {stepName: idem, instructionSet: i, parallelExecution: true, rollbackAction: u}\n"
                             "  - {stepName: write, instructionSet: w, parallelExecution: true, rollbackAction: u}\n"
                             "  - {stepName: rest, instructionSet: z, parallelExecution: true}\n"
                             "  - {stepName: next, instructionSet: r}\n"
                             "instructionSets:\n"
                             "  r: {tool: t/read_a}\n  i: {tool: t/idem_a}\n  w: {tool: t/write_a}\n  u: {tool: "
                             "t/idem_undo}\n  z: {wait: {ms: 60000}}\n";

static void a_failure_lets_reads_go_and_awaits_the_rest(void **state)
{
    (void) state;
    kit *k = kit_new(beside, NULL);
    kit_owes(k, "bad read idem write");
    ctn_owed_call read = kit_owed(k, "read");
    kit_fails(k, "bad", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "idem write");
    kit_is(k, "running");
    kit_step_is(k, "read", "failed");
    assert_int_equal(kit_step(k, "read").failure, CTN_FAILURE_CANCELLED);
    kit_step_is(k, "rest", "failed");
    assert_int_equal(kit_step(k, "rest").failure, CTN_FAILURE_CANCELLED);
    kit_step_is(k, "next", "pending");
    kit_late(k, read, "{}");
    assert_int_equal(kit_wakes_in(k), 5000);
    kit_pass(k, 1000);
    kit_ok(k, "idem", "{}");
    kit_owes(k, "write");
    kit_ok(k, "write", "{}");
    kit_is(k, "compensating");
    kit_owes(k, "undo:write"); /* the last to complete goes first */
    kit_ok(k, "undo:write", "{}");
    kit_ok(k, "undo:idem", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"tool_error\",\"step\":\"bad\"}");
    kit_step_is(k, "write", "compensated");
    kit_free(k);
}

static void after_five_seconds_the_outcome_is_unknown(void **state)
{
    (void) state;
    kit *k = kit_new(beside, NULL);
    ctn_owed_call write = kit_owed(k, "write");
    kit_fails(k, "bad", CTN_FAILURE_TOOL_ERROR);
    kit_pass(k, 4999);
    kit_owes(k, "idem write");
    kit_pass(k, 1);
    kit_late(k, write, "{}");
    kit_is(k, "compensating");
    assert_string_equal(kit_key(k, "undo:write"), "write/undo"); /* it started last */
    assert_holds(kit_args(k, "undo:write"), "\"outcome\":\"unknown\"");
    kit_ok(k, "undo:write", "{}");
    assert_holds(kit_args(k, "undo:idem"), "\"outcome\":\"unknown\"");
    kit_ok(k, "undo:idem", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void a_cancel_says_who_and_why_and_ends_cancelled_without_rollback(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w}\n"
                               "- {stepName: b, instructionSet: r}\n",
                     NULL);
    kit_ok(k, "a", "{}");
    kit_says(k, (ctn_input){.kind = CTN_IN_CANCEL, .message = CTN_STR("the guest has called")});
    kit_is(k, "cancelled");
    kit_error_is(k, "{\"code\":\"cancelled\",\"notUndone\":[\"a\"]}");
    assert_string_equal(kit_error_message(k), "the guest has called");
    assert_true(ctn_execution_was_cancelled(kit_execution(k)));
    kit_outputs_are(k, NULL);
    kit_refused(k, CTN_E_STATE, "cancelled", (ctn_input){.kind = CTN_IN_CANCEL});
    kit_refused(k, CTN_E_STATE, "cancelled", (ctn_input){.kind = CTN_IN_PAUSE});
    kit_refused(k, CTN_E_STATE, "cancelled", kit_settle_retry(NULL));
    kit_free(k);
}

static void a_cancel_while_compensating_is_refused_with_a_sentence(void **state)
{
    (void) state;
    kit *k = kit_new(beside, NULL);
    kit_ok(k, "idem", "{}");
    kit_cancel(k);
    kit_refused(k, CTN_E_STATE, "stopping", (ctn_input){.kind = CTN_IN_CANCEL});
    kit_ok(k, "write", "{}");
    kit_is(k, "compensating");
    kit_refused(k, CTN_E_STATE, "compensating", (ctn_input){.kind = CTN_IN_CANCEL});
    kit_ok(k, "undo:write", "{}");
    kit_ok(k, "undo:idem", "{}");
    kit_is(k, "rolled_back"); /* with rollback, and the code tells the cause */
    kit_error_is(k, "{\"code\":\"cancelled\"}");
    kit_free(k);
}

static void a_queued_execution_can_be_cancelled(void **state)
{
    (void) state;
    kit *k = kit_new(beside, &(kit_options){.is_queued = true});
    kit_refused(k, CTN_E_STATE, "", (ctn_input){.kind = CTN_IN_PAUSE});
    kit_cancel(k);
    kit_is(k, "cancelled");
    kit_journal_is(k, "queued cancel_requested cancelled");
    kit_free(k);
}

static void who_cancels_what_is_paused_wants_it_to_end(void **state)
{
    (void) state;
    kit *k = kit_new(beside, NULL);
    kit_ok(k, "idem", "{}");
    kit_ok(k, "write", "{}");
    kit_pause(k);
    kit_pass(k, 1000);
    kit_cancel(k);
    kit_is(k, "compensating");
    kit_owes(k, "undo:write");
    kit_free(k);
}

static void a_cancel_ends_waits_back_offs_and_parked_steps(void **state)
{
    (void) state;
    kit *k = kit_new(
        "id: many\nsteps:\n"
        "  - {stepName: w, instructionSet: z, parallelExecution: true}\n"
        "  - {stepName: ok, instructionSet: yes, parallelExecution: true}\n"
        "  - {stepName: r, instructionSet: r, parallelExecution: true, retryConfig: {maxRetries: 9, backoffMs: 1000}}\n"
        "  - {stepName: p, instructionSet: p, parallelExecution: true}\n"
        "instructionSets:\n  z: {wait: {ms: 60000}}\n  yes: {approval: {}}\n  r: {tool: t/read_a}\n  p: {tool: "
        "t/write_p}\n",
        NULL);
    kit_fails(k, "r", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "running");
    kit_lost(k, "p", CTN_FAILURE_TIMEOUT);
    kit_is(k, "running"); /* in back-off */
    kit_cancel(k);
    kit_is(k, "cancelled");
    kit_error_is(k, "{\"code\":\"cancelled\",\"notUndone\":[\"p\"]}");
    kit_step_is(k, "w", "failed");
    kit_step_is(k, "ok", "failed");
    kit_step_is(k, "r", "failed");
    kit_step_is(k, "p", "failed");
    kit_free(k);
}

static void the_chains_time_stops_it_like_a_failure(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, rollbackAction: u}\n"
                               "- {stepName: b, instructionSet: w}\n"
                               "timeoutMs: 1000\n",
                     NULL);
    kit_ok(k, "a", "{}");
    kit_pass(k, 1000);
    kit_owes(k, "b"); /* awaited */
    kit_is(k, "running");
    kit_ok(k, "b", "{}");
    kit_is(k, "compensating");
    kit_pass(k, 100000); /* its time is no more the chain's */
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"timeout\",\"notUndone\":[\"b\"]}");
    kit_free(k);
}

static void in_flight_calls_of_several_stop_with_their_step(void **state)
{
    (void) state;
    kit *k = kit_new("id: several\nsteps:\n"
                     "  - {stepName: a, instructionSet: s, parallelExecution: true, rollbackAction: u}\n"
                     "  - {stepName: b, instructionSet: turn, rollbackAction: u}\n"
                     "instructionSets:\n"
                     "  s: {calls: {r: {tool: t/read_a}, w: {tool: t/write_a}}, effect: write}\n"
                     "  turn: {calls: {one: {tool: t/write_one}, two: {tool: t/write_two}}}\n"
                     "  u: {tool: t/idem_undo}\n",
                     NULL);
    kit_ok(k, "a.r", "1");
    kit_ok(k, "a.w", "1");
    kit_owes(k, "b.one");
    kit_cancel(k);
    kit_owes(k, "b.one");
    kit_ok(k, "b.one", "1"); /* the second is never made; the step is half done */
    kit_is(k, "compensating");
    assert_holds(kit_args(k, "undo:b"), "unknown");
    kit_ok(k, "undo:b", "{}");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void a_write_in_flight_when_the_stopping_engine_dies_is_still_undone(void **state)
{
    (void) state;
    kit *k = kit_new(beside, NULL);
    kit_cancel(k);
    kit_owes(k, "idem write");
    kit_crash(k);
    kit_is(k, "compensating");
    kit_owes(k, "undo:write");
    kit_ok(k, "undo:write", "{}");
    kit_owes(k, "undo:idem");
    kit_ok(k, "undo:idem", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void a_call_that_died_with_the_engine_is_undone_when_the_chain_is_cancelled_next(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: i, instructionSet: i, parallelExecution: true, rollbackAction: u}\n"
                               "- {stepName: j, instructionSet: i, parallelExecution: true, rollbackAction: u, "
                               "conditionalExecution: 'false'}\n"
                               "timeoutMs: 1000\n",
                     NULL);
    kit_crash(k);
    kit_crash(k);
    kit_pause(k);
    kit_cancel(k);
    kit_pass(k, 5000);
    kit_owes(k, "undo:i");
    kit_ok(k, "undo:i", "{}");
    kit_is(k, "rolled_back");
    assert_int_equal(kit_count(k, CTN_ENTRY_COMPENSATION_STARTED, "j"), 0);
    kit_free(k);
}

static void an_idempotent_call_that_gave_no_answer_may_have_to_be_undone(void **state)
{
    (void) state;
    kit *k =
        kit_new(KIT_CHAIN
                "- {stepName: a, instructionSet: i, rollbackAction: u, retryConfig: {maxRetries: 1, backoffMs: 10}}\n",
                NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_to_wake(k);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR); /* the second attempt surely did nothing; the first? */
    kit_owes(k, "undo:a");
    assert_holds(kit_args(k, "undo:a"), "unknown");
    kit_free(k);

    k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: i, rollbackAction: u}\n", NULL);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rolled_back"); /* nothing to undo */
    kit_free(k);
}

static void statuses_go_by_what_comes_first(void **state)
{
    (void) state;
    kit *k = kit_new(
        "id: status\nsteps:\n"
        "  - {stepName: ask, instructionSet: s, parallelExecution: true}\n"
        "  - {stepName: rest, instructionSet: z, parallelExecution: true}\n"
        "  - {stepName: run, instructionSet: r, parallelExecution: true}\n"
        "instructionSets:\n"
        "  s: {calls: {a: {tool: t/write_a}, b: {tool: t/write_b}}}\n  z: {wait: {ms: 60000}}\n  r: {tool: t/read_a}\n",
        NULL);
    kit_is(k, "running");
    kit_lost(k, "ask.a", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "run", "{}");
    kit_is(k, "running"); /* ask.b is in flight */
    kit_step_is(k, "ask", "interrupted");
    assert_true(ctn_execution_is_busy(kit_execution(k)));
    kit_ok(k, "ask.b", "{}");
    kit_is(k, "interrupted"); /* before waiting */
    kit_pause(k);
    kit_is(k, "paused");
    kit_resume(k);
    kit_says(k, kit_settle_succeed(k, NULL, "{}"));
    kit_is(k, "waiting");
    kit_pass(k, 60000);
    kit_is(k, "completed");
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_lets_reads_go_and_awaits_the_rest),
        cmocka_unit_test(after_five_seconds_the_outcome_is_unknown),
        cmocka_unit_test(a_cancel_says_who_and_why_and_ends_cancelled_without_rollback),
        cmocka_unit_test(a_cancel_while_compensating_is_refused_with_a_sentence),
        cmocka_unit_test(a_queued_execution_can_be_cancelled),
        cmocka_unit_test(who_cancels_what_is_paused_wants_it_to_end),
        cmocka_unit_test(a_cancel_ends_waits_back_offs_and_parked_steps),
        cmocka_unit_test(the_chains_time_stops_it_like_a_failure),
        cmocka_unit_test(in_flight_calls_of_several_stop_with_their_step),
        cmocka_unit_test(a_write_in_flight_when_the_stopping_engine_dies_is_still_undone),
        cmocka_unit_test(a_call_that_died_with_the_engine_is_undone_when_the_chain_is_cancelled_next),
        cmocka_unit_test(an_idempotent_call_that_gave_no_answer_may_have_to_be_undone),
        cmocka_unit_test(statuses_go_by_what_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
