/*
 * What an execution may hold, and how many steps it may take: each bound is a failure `limit` that a chain can catch,
 * or a refusal of what a person gives. The kit replays after every record, so none of it rests on what a replay cannot
 * see.
 */
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"
#include "unit/kit/json_kit.h"

#define TEN   "\"12345678\"" /* ten bytes as JSON */
#define FORTY "\"12345678901234567890123456789012345678\""

#define TWO(more)                                                                                                      \
    "id: c\ninstructionSets:\n  get: {tool: t/read_it}\n  other: {tool: t/read_other}\n"                               \
    "steps:\n- {stepName: a, instructionSet: get, outputVariables: [x]" more "}\n"                                     \
    "- {stepName: b, instructionSet: other, outputVariables: [y]" more "}\n"                                           \
    "- {stepName: c, instructionSet: get, outputVariables: [z]" more "}\n"

static void variables_too_large_together_fail_the_step_that_brings_the_last(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(""), &(kit_options){.input = "{\"z\": " TEN "}", .context_bytes_max = 89});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_ok(k, "b", "{\"y\": " FORTY "}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"b\"}");
    assert_holds(kit_error_message(k), "contextBytes");
    assert_holds(kit_error_message(k), "90 bytes");
    kit_free(k);
}

static void a_variable_that_is_replaced_makes_room(void **state)
{
    (void) state;
    const char *yaml = KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [x]}\n"
                                 "- {stepName: b, instructionSet: r, outputVariables: [x]}\n"
                                 "- {stepName: c, instructionSet: r, outputVariables: [x]}\n";
    kit *k = kit_new(yaml, &(kit_options){.context_bytes_max = 40});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_ok(k, "b", "{\"x\": " FORTY "}");
    kit_crash(k);
    kit_ok(k, "c", "{\"x\": " FORTY "}");
    kit_is(k, "completed");
    kit_free(k);
}

static void a_chain_goes_on_without_what_is_too_large(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", onError: continue"), &(kit_options){.context_bytes_max = 60});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_ok(k, "b", "{\"y\": " FORTY "}");
    kit_variable_is(k, "y", "null");
    kit_ok(k, "c", "{\"z\": " TEN "}");
    kit_is(k, "completed");
    kit_variable_is(k, "z", TEN);
    kit_free(k);
}

static void a_fallback_stands_in_for_what_is_too_large(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", fallback: [{value: {x: 1, y: 2, z: 3}}]"), &(kit_options){.context_bytes_max = 60});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_ok(k, "b", "{\"y\": " FORTY "}");
    kit_variable_is(k, "y", "2");
    kit_ok(k, "c", "{\"z\": " FORTY "}");
    kit_is(k, "completed");
    kit_variable_is(k, "z", "3");
    kit_free(k);
}

static void what_was_done_before_it_broke_the_limit_is_undone(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\nrollbackEnabled: true\n"
                     "instructionSets: {book: {tool: t/book}, unbook: {tool: t/idem_unbook}}\nsteps:\n"
                     "- {stepName: a, instructionSet: book, outputVariables: [x], rollbackAction: unbook}\n",
                     &(kit_options){.context_bytes_max = 20});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_owes(k, "undo:a");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void values_of_a_foreach_count_while_they_are_collected(void **state)
{
    (void) state;
    const char *yaml = KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [x], onError: continue,\n"
                                 "   foreach: {items: '{n}', maxConcurrency: 1}}\n"
                                 "- {stepName: b, instructionSet: r, outputVariables: [y], inputTemplate: '{x}'}\n";
    kit *k = kit_new(yaml, &(kit_options){.input = "{\"n\": [1, 2, 3, 4]}", .context_bytes_max = 70});
    kit_ok(k, "a[0]", "{\"x\": " FORTY "}");
    kit_ok(k, "a[1]", "{\"x\": " FORTY "}"); /* too much: this item fails, the others have their turn */
    kit_ok(k, "a[2]", "{\"x\": 3}");
    kit_ok(k, "a[3]", "{\"x\": 4}");
    kit_variable_is(k, "x", "[" FORTY ", null, 3, 4]");
    kit_ok(k, "b", "{\"y\": 12345}");
    kit_is(k, "completed");
    kit_free(k);
}

static void results_that_wait_for_their_siblings_count(void **state)
{
    (void) state;
    const char *yaml =
        "id: c\ninstructionSets:\n"
        "  both: {calls: {one: {tool: t/read_it}, two: {tool: t/read_other}, three: {tool: t/read_it}}}\n"
        "steps:\n- {stepName: s, instructionSet: both, outputVariables: [one]}\n";
    kit *k = kit_new(yaml, &(kit_options){.context_bytes_max = 70});
    kit_ok(k, "s.one", FORTY);
    kit_ok(k, "s.two", FORTY);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"s\"}");
    kit_free(k);

    k = kit_new(yaml, &(kit_options){.context_bytes_max = 85}); /* what the step itself held is no more, when it ends */
    kit_ok(k, "s.one", FORTY);
    kit_ok(k, "s.two", FORTY);
    kit_crash(k);
    kit_ok(k, "s.three", "1");
    kit_is(k, "completed");
    kit_variable_is(k, "one", FORTY);
    kit_free(k);
}

static void a_document_counts_with_what_is_taken(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [x, paper], templateId: paper}\n",
                     &(kit_options){.document = "12345678901234567890 {{x}}", .context_bytes_max = 30});
    kit_ok(k, "a", "{\"x\": " TEN "}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"a\"}");
    kit_free(k);
}

/* ---- what people give ---- */

static void an_answer_that_is_too_large_is_refused_and_may_be_given_again(void **state)
{
    (void) state;
    kit *k = kit_new("id: desk\nsteps:\n  - {stepName: ok, instructionSet: ask, outputVariables: [approved]}\n"
                     "instructionSets:\n  ask: {approval: {message: 'Send?'}}\n",
                     &(kit_options){.input = "{\"seed\": 1}", .value_bytes_max = 60, .context_bytes_max = 90});
    kit_refused(k, CTN_E_LIMIT, "valueBytes", kit_answer(k, "ok", "{\"approved\": true, \"comment\": " FORTY "}"));
    kit_says(k, kit_answer(k, "ok", "{\"approved\": true, \"comment\": \"fine\"}"));
    kit_is(k, "completed");
    kit_free(k);
}

static void a_variable_is_set_within_the_limits(void **state)
{
    (void) state;
    kit *k =
        kit_new(TWO(""), &(kit_options){.input = "{\"z\": " FORTY "}", .value_bytes_max = 50, .context_bytes_max = 70});
    kit_pause(k);
    kit_ok(k, "a", "{\"x\": " TEN "}");
    kit_refused(k, CTN_E_LIMIT, "x has 54 bytes, at most 50",
                kit_set(k, "x", "\"1234567890123456789012345678901234567890123456789012\""));
    kit_refused(k, CTN_E_LIMIT, "80 bytes together, at most 70", kit_set(k, "x", FORTY));
    kit_says(k, kit_set(k, "z", FORTY)); /* in the place of forty others */
    kit_free(k);
}

static void the_result_that_a_person_knows_of_is_held_to_the_limit(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\ninstructionSets: {book: {tool: t/book}}\nsteps:\n"
                     "- {stepName: a, instructionSet: book, outputVariables: [x]}\n",
                     &(kit_options){.value_bytes_max = 30});
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_is(k, "interrupted");
    kit_refused(k, CTN_E_LIMIT, "the result has 46 bytes, at most 30",
                kit_settle_succeed(k, NULL, "{\"x\": " FORTY "}"));
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, NULL, "{\"x\": " TEN "}"));
    kit_is(k, "completed");
    kit_free(k);
}

static void inputs_are_held_to_the_limits_at_the_start(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_err err = {0};
    const ctn_json *input = json_of(arena, CTN_STR("{\"a\": " FORTY ", \"b\": " FORTY "}"));
    assert_int_equal(ctn_execution_check_input(&(ctn_rules){0}, input, &err), CTN_OK);
    assert_int_equal(ctn_execution_check_input(&(ctn_rules){.value_bytes_max = 39}, input, &err), CTN_E_LIMIT);
    assert_holds(err.message, "the input: a has 40 bytes, at most 39");
    assert_int_equal(ctn_execution_check_input(&(ctn_rules){.context_bytes_max = 79}, input, &err), CTN_E_LIMIT);
    assert_holds(err.message, "80 bytes together, at most 79");
    assert_int_equal(ctn_execution_check_input(&(ctn_rules){.context_bytes_max = 80}, input, &err), CTN_OK);
    ctn_arena_free(arena);
}

/* ---- steps ---- */

static void a_step_too_many_fails_before_anything_of_it_is_done(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", fallback: [{value: {x: 1, y: 1, z: 1}}]"), &(kit_options){.steps_max = 2});
    kit_ok(k, "a", "{\"x\": 1}");
    kit_crash(k);
    kit_ok(k, "b", "{\"y\": 1}");
    kit_owes(k, "");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"c\"}");
    assert_holds(kit_error_message(k), "limits: steps");
    kit_free(k);
}

static void retries_are_no_steps(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", retryConfig: {maxRetries: 5, backoffMs: 1}"), &(kit_options){.steps_max = 3});
    for (int i = 0; i < 5; i++) {
        kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
        kit_to_wake(k);
    }
    kit_ok(k, "a", "{\"x\": 1}");
    kit_ok(k, "b", "{\"y\": 1}");
    kit_ok(k, "c", "{\"z\": 1}");
    kit_is(k, "completed");
    kit_free(k);
}

#define EACH(more)                                                                                                     \
    KIT_CHAIN                                                                                                          \
    "- {stepName: a, instructionSet: r, outputVariables: [x], foreach: {items: '{n}', maxConcurrency: 2}" more "}\n"   \
    "- {stepName: b, instructionSet: r, outputVariables: [y], inputTemplate: '{x?}'}\n"

static void items_are_steps_and_too_many_of_them_are_not_begun(void **state)
{
    (void) state;
    kit *k = kit_new(EACH(""), &(kit_options){.input = "{\"n\": [1, 2, 3, 4]}", .steps_max = 3});
    kit_owes(k, "");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"a\"}");
    assert_holds(kit_error_message(k), "4 items after 0 steps are more than the 3 steps");
    kit_free(k);

    k = kit_new(EACH(""), &(kit_options){.input = "{\"n\": [1, 2, 3]}", .steps_max = 3});
    kit_ok(k, "a[0]", "{\"x\": 1}");
    kit_crash(k);
    kit_ok(k, "a[1]", "{\"x\": 1}");
    kit_ok(k, "a[2]", "{\"x\": 1}");
    kit_is(k, "failed"); /* the step behind it is the fourth */
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"b\"}");
    kit_free(k);

    k = kit_new(EACH(", onError: continue"), &(kit_options){.input = "{\"n\": [1, 2, 3, 4]}", .steps_max = 3});
    kit_variable_is(k, "x", "null"); /* caught: they were not begun, and count no more */
    kit_ok(k, "b", "{\"y\": 1}");
    kit_is(k, "completed");
    kit_free(k);
}

/* ---- the journal ---- */

static int64_t journaled(kit *k)
{
    size_t count;
    int64_t bytes = 0;
    const ctn_record *records = kit_records(k, &count);
    for (size_t i = 0; i < count; i++)
        bytes += (int64_t) records[i].body.len;
    return bytes;
}

#define UNDONE                                                                                                         \
    KIT_CHAIN                                                                                                          \
    "- {stepName: a, instructionSet: w, outputVariables: [x], rollbackAction: u}\n"                                    \
    "- {stepName: b, instructionSet: r, outputVariables: [y], fallback: [{value: {y: 1}}]}\n"                          \
    "- {stepName: c, instructionSet: r, outputVariables: [z]}\n"

/* It begins nothing new, and undoes what it did, with as many tries as that takes. */
static void an_execution_whose_journal_is_full_still_undoes(void **state)
{
    (void) state;
    kit *k = kit_new(UNDONE, &(kit_options){.journal_bytes_max = 1});
    kit_is(k, "rolled_back"); /* the first entry alone is more */
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"a\"}");
    kit_free(k);

    k = kit_new(UNDONE, &(kit_options){.journal_bytes_max = 100000});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    int64_t after_a = journaled(k);
    kit_free(k);

    k = kit_new(UNDONE, &(kit_options){.journal_bytes_max = after_a - 1});
    kit_ok(k, "a", "{\"x\": " FORTY "}");
    kit_crash(k);
    kit_owes(k, "undo:a"); /* b was not begun, nor its fallback */
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"b\"}");
    kit_free(k);
}

static void a_chain_that_catches_it_ends_as_it_says(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", onError: continue"), &(kit_options){.journal_bytes_max = 1});
    kit_owes(k, ""); /* nothing of it was begun */
    kit_variable_is(k, "y", "null");
    kit_is(k, "completed");
    kit_free(k);
}

/* A call that fails with long sentences, again and again, is no way around it. */
static void a_full_journal_ends_retries(void **state)
{
    (void) state;
    kit *k = kit_new(TWO(", retryConfig: {maxRetries: 1000, backoffMs: 1}"), &(kit_options){.journal_bytes_max = 1500});
    int tries = 0;
    while (!ctn_status_is_final(ctn_execution_status(kit_execution(k)))) {
        kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
        if (kit_wakes_in(k) >= 0)
            kit_to_wake(k);
        tries++;
    }
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"unavailable\", \"step\": \"a\"}");
    assert_in_range(tries, 2, 30);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_too_large_together_fail_the_step_that_brings_the_last),
        cmocka_unit_test(a_variable_that_is_replaced_makes_room),
        cmocka_unit_test(a_chain_goes_on_without_what_is_too_large),
        cmocka_unit_test(a_fallback_stands_in_for_what_is_too_large),
        cmocka_unit_test(what_was_done_before_it_broke_the_limit_is_undone),
        cmocka_unit_test(values_of_a_foreach_count_while_they_are_collected),
        cmocka_unit_test(results_that_wait_for_their_siblings_count),
        cmocka_unit_test(a_document_counts_with_what_is_taken),
        cmocka_unit_test(an_answer_that_is_too_large_is_refused_and_may_be_given_again),
        cmocka_unit_test(a_variable_is_set_within_the_limits),
        cmocka_unit_test(the_result_that_a_person_knows_of_is_held_to_the_limit),
        cmocka_unit_test(inputs_are_held_to_the_limits_at_the_start),
        cmocka_unit_test(a_step_too_many_fails_before_anything_of_it_is_done),
        cmocka_unit_test(retries_are_no_steps),
        cmocka_unit_test(an_execution_whose_journal_is_full_still_undoes),
        cmocka_unit_test(a_chain_that_catches_it_ends_as_it_says),
        cmocka_unit_test(a_full_journal_ends_retries),
        cmocka_unit_test(items_are_steps_and_too_many_of_them_are_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
