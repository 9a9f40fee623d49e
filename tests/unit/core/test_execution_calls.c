/* Calls and results: several of them in turn and at once, what a result gives, documents, keys and times. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

/* ---- what a result gives ---- */

#define TAKING(outputs)                                                                                                \
    "id: take\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: " outputs "}\n"                           \
    "instructionSets:\n  s: {tool: t/read_a}\n"

static void taken(const char *chain, const char *result, const char *outputs)
{
    kit *k = kit_new(chain, NULL);
    kit_ok(k, "a", result);
    kit_outputs_are(k, outputs);
    kit_free(k);
}

static void variables_are_taken_by_name_by_path_or_whole(void **state)
{
    (void) state;
    taken(TAKING("[v]"), "{\"v\":19.90,\"w\":2}", "{\"v\":19.90}");
    taken(TAKING("[v]"), "{\"w\":2}", "{\"v\":{\"w\":2}}"); /* a single variable without a member of its name */
    taken(TAKING("[v]"), "[1,2]", "{\"v\":[1,2]}");
    taken(TAKING("[v]"), "null", "{\"v\":null}");
    taken(TAKING("[v]"), "{\"v\":null}", "{\"v\":null}");
    taken(TAKING("{x: 'a.b[1]', y: c}"), "{\"a\":{\"b\":[0,\"two\"]},\"c\":{}}", "{\"x\":\"two\",\"y\":{}}");
    taken(TAKING("[]"), "{\"v\":1}", "{}");
}

static void a_missing_output_says_what_the_result_has(void **state)
{
    (void) state;
    kit *k = kit_new(TAKING("[v, w]"), NULL);
    kit_ok(k, "a", "{\"w\":2,\"u\":3}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\"}");
    assert_holds(kit_error_message(k), "v");
    assert_holds(kit_error_message(k), "w, u");
    kit_free(k);

    k = kit_new(TAKING("{x: 'a.b'}"), NULL); /* a single one, but with a path of its own */
    kit_ok(k, "a", "{\"a\":{}}");
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\"}");
    kit_free(k);
}

static void a_value_over_the_limit_fails_the_step(void **state)
{
    (void) state;
    kit *k = kit_new(TAKING("[v]"), &(kit_options){.value_bytes_max = 16});
    kit_ok(k, "a", "{\"v\":\"0123456789012345\"}");
    kit_error_is(k, "{\"code\":\"limit\",\"step\":\"a\"}");
    kit_free(k);
    k = kit_new(TAKING("[v]"), &(kit_options){.value_bytes_max = 16});
    kit_ok(k, "a", "{\"v\":\"01234567890123\"}");
    kit_is(k, "completed");
    kit_free(k);
}

/* The write did happen: that its result is of no use makes it nothing that could be forgotten. */
static void a_write_whose_result_cannot_be_taken_is_undone_or_listed(void **state)
{
    (void) state;
    kit *k = kit_new(
        KIT_CHAIN
        "- {stepName: a, instructionSet: w, outputVariables: [v, w], rollbackAction: u, rollbackTemplate: '{v}'}\n",
        NULL);
    kit_ok(k, "a", "{\"w\":2}");
    kit_is(k, "compensating");
    assert_holds(kit_args(k, "undo:a"), "unknown");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\"}");
    kit_free(k);

    k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: w, outputVariables: [v, w]}\n", NULL);
    kit_ok(k, "a", "{\"w\":2}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\",\"notUndone\":[\"a\"]}");
    kit_free(k);
}

/* ---- documents ---- */

static void a_document_fills_the_first_variable_that_the_result_lacks(void **state)
{
    (void) state;
    static const char chain[] =
        KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [v, text, w], templateId: paper}\n";
    kit *k = kit_new(chain,
                     &(kit_options){.document = "Dear {{name}}: {{v}} {{w}}", .input = "{\"name\":\"{{v}} & <Eve>\"}"});
    kit_ok(k, "a", "{\"v\":1,\"w\":\"{{name}}\"}");
    kit_outputs_are(k, "{\"v\":1,\"w\":\"{{name}}\",\"text\":\"Dear {{v}} & <Eve>: 1 {{name}}\"}");
    kit_free(k);

    k = kit_new(chain, &(kit_options){.document = "Dear {{name}}", .input = "{\"name\":\"Eve\"}"});
    kit_ok(k, "a", "{\"v\":1}"); /* two are missing, one document */
    kit_error_is(k, "{\"code\":\"missing_output\",\"step\":\"a\"}");
    kit_free(k);
}

static void a_document_fills_the_variable_that_it_names(void **state)
{
    (void) state;
    kit *k = kit_new(
        KIT_CHAIN "- {stepName: a, instructionSet: r, outputVariables: [info], templateId: paper, onError: continue}\n",
        &(kit_options){.document = "---\nvariable: letter\n---\n{{info.x}}"});
    kit_ok(k, "a", "{\"x\":1}"); /* `info` is still the single variable that the result must give */
    kit_outputs_are(k, "{\"info\":{\"x\":1},\"letter\":\"1\"}");
    kit_free(k);

    k = kit_new(KIT_CHAIN
                "- {stepName: a, instructionSet: r, outputVariables: [info], templateId: paper, onError: continue}\n",
                &(kit_options){.document = "---\nvariable: letter\n---\n{{info.x}}", .input = "{\"letter\":\"old\"}"});
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_outputs_are(k, "{\"info\":null,\"letter\":null}");
    kit_free(k);
}

/* ---- several calls ---- */

static const char in_turn[] = "id: turn\nsteps:\n"
                              "  - {stepName: a, instructionSet: s, inputTemplate: 'to {x}', outputVariables: [one, "
                              "two, sum], retryConfig: {maxRetries: 2, backoffMs: 10, jitter: 0}}\n"
                              "instructionSets:\n"
                              "  s:\n"
                              "    calls:\n"
                              "      one: {tool: t/read_one, arguments: {q: '{input}'}}\n"
                              "      two: {tool: t/idem_two, arguments: {from: '{one.id}'}}\n"
                              "    result: {sum: '{one.id}+{two.id}'}\n";

static void calls_in_turn_read_the_earlier_ones(void **state)
{
    (void) state;
    kit *k = kit_new(in_turn, &(kit_options){.input = "{\"x\":\"Rome\"}"});
    kit_owes(k, "a.one");
    kit_sends(k, "a.one", "{\"q\":\"to Rome\"}");
    assert_string_equal(kit_key(k, "a.one"), "a/one/do");
    kit_ok(k, "a.one", "{\"id\":7}");
    kit_owes(k, "a.two");
    kit_sends(k, "a.two", "{\"from\":7}");
    assert_string_equal(kit_key(k, "a.two"), "a/two/do");
    kit_ok(k, "a.two", "{\"id\":8}");
    kit_outputs_are(k, "{\"one\":{\"id\":7},\"two\":{\"id\":8},\"sum\":\"7+8\"}");
    kit_journal_is(k, "started attempt_succeeded:a attempt_succeeded:a completed");
    kit_free(k);
}

static void a_retry_repeats_only_the_calls_without_a_success(void **state)
{
    (void) state;
    kit *k = kit_new(in_turn, &(kit_options){.input = "{\"x\":\"Rome\"}"});
    kit_ok(k, "a.one", "{\"id\":7}");
    kit_fails(k, "a.two", CTN_FAILURE_UNAVAILABLE);
    kit_step_is(k, "a", "retrying");
    assert_int_equal(kit_to_wake(k), 10);
    kit_owes(k, "a.two");
    kit_crash(k);
    kit_owes(k, "a.two");
    assert_int_equal(kit_owed(k, "a.two").attempt, 2);
    kit_fails(k, "a.two", CTN_FAILURE_UNAVAILABLE);
    assert_int_equal(kit_to_wake(k), 20);
    kit_fails(k, "a.two", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    kit_free(k);
}

static const char at_once[] =
    "id: beside\nsteps:\n"
    "  - {stepName: a, instructionSet: s, parallelExecution: true, outputVariables: {one: one.id, two: two.id}, "
    "retryConfig: {maxRetries: 2, backoffMs: 10, jitter: 0}}\n"
    "instructionSets:\n"
    "  s: {calls: {one: {tool: t/read_one}, two: {tool: t/read_two}, three: {tool: t/idem_three}}}\n";

static void calls_at_once_are_judged_when_all_have_ended(void **state)
{
    (void) state;
    kit *k = kit_new(at_once, NULL);
    kit_owes(k, "a.one a.two a.three");
    kit_ends(k, "a.two", (ctn_input){.failure = CTN_FAILURE_RATE_LIMITED, .retry_after_ms = 700});
    kit_owes(k, "a.one a.three"); /* not again while the attempt lasts */
    kit_step_is(k, "a", "running");
    kit_ok(k, "a.three", "{\"id\":3}");
    kit_ends(k, "a.one", (ctn_input){.failure = CTN_FAILURE_UNAVAILABLE, .retry_after_ms = 300});
    kit_step_is(k, "a", "retrying");
    assert_int_equal(kit_to_wake(k), 700); /* the longest wish to be left alone */
    kit_owes(k, "a.one a.two");
    kit_ok(k, "a.one", "{\"id\":1}");
    kit_ok(k, "a.two", "{\"id\":2}");
    kit_outputs_are(k, "{\"one\":1,\"two\":2}");
    kit_free(k);
}

static void one_call_that_must_not_go_again_holds_back_the_others(void **state)
{
    (void) state;
    kit *k = kit_new(at_once, NULL);
    kit_fails(k, "a.one", CTN_FAILURE_UNAVAILABLE);
    kit_fails(k, "a.two", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "running");
    kit_ok(k, "a.three", "{\"id\":3}");
    kit_is(k, "failed");
    kit_free(k);
}

/* ---- effects, times ---- */

static void the_sets_own_effect_speaks_first(void **state)
{
    (void) state;
    kit *k = kit_new("id: effects\nsteps:\n"
                     "  - {stepName: a, instructionSet: s}\n  - {stepName: b, instructionSet: r}\n"
                     "instructionSets:\n  s: {tool: t/read_a, effect: write}\n  r: {tool: t/write_b, effect: read}\n",
                     NULL);
    assert_int_equal(kit_owed(k, "a").effect, CTN_EFFECT_WRITE);
    kit_ok(k, "a", "{}");
    assert_int_equal(kit_owed(k, "b").effect, CTN_EFFECT_READ);
    kit_ok(k, "b", "{}");
    kit_journal_is(k, "started attempt_started:a attempt_succeeded:a attempt_succeeded:b completed");
    kit_body_says(k, CTN_ENTRY_ATTEMPT_STARTED, "effectFrom", "set");
    kit_free(k);
}

static void the_steps_time_wins_over_the_sets_and_that_over_the_kinds(void **state)
{
    (void) state;
    kit *k = kit_new(
        "id: times\nsteps:\n"
        "  - {stepName: a, instructionSet: plain, parallelExecution: true}\n"
        "  - {stepName: b, instructionSet: said, parallelExecution: true}\n"
        "  - {stepName: c, instructionSet: said, timeoutMs: 3000, idleTimeoutMs: 200, parallelExecution: true,\n"
        "     rollbackAction: said}\n"
        "  - {stepName: d, instructionSet: several, parallelExecution: true}\n"
        "  - {stepName: e, instructionSet: several, timeoutMs: 3000, parallelExecution: true, rollbackAction: plain}\n"
        "instructionSets:\n"
        "  plain: {tool: t/read_a}\n"
        "  said: {tool: t/idem_b, timeoutMs: 5000}\n"
        "  several: {calls: {x: {tool: t/read_x, timeoutMs: 100000}, y: {tool: t/idem_y}}}\n",
        NULL);
    assert_int_equal(kit_owed(k, "a").timeout_ms, 60000);
    assert_int_equal(kit_owed(k, "b").timeout_ms, 5000);
    assert_int_equal(kit_owed(k, "c").timeout_ms, 3000);
    assert_int_equal(kit_owed(k, "a").idle_timeout_ms, 0);
    assert_int_equal(kit_owed(k, "c").idle_timeout_ms, 200);
    assert_int_equal(kit_owed(k, "d.x").timeout_ms, 100000);
    assert_int_equal(kit_owed(k, "d.y").timeout_ms, 60000);
    assert_int_equal(kit_owed(k, "e.x").timeout_ms, 3000);
    kit_ok(k, "c", "{}");
    kit_ok(k, "e.x", "{}");
    kit_ok(k, "e.y", "{}");
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_fails(k, "d.y", CTN_FAILURE_TOOL_ERROR);
    assert_int_equal(kit_owed(k, "undo:e").timeout_ms, 60000);
    kit_ok(k, "undo:e", "{}");
    assert_int_equal(kit_owed(k, "undo:c").timeout_ms, 5000);
    assert_int_equal(kit_owed(k, "undo:c").idle_timeout_ms, 0); /* the step's word is about its work */
    kit_free(k);
}

static void values_are_inserted_once_and_never_scanned_again(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: r, inputTemplate: 'say {x}', outputVariables: [v]}\n"
                               "- {stepName: b, instructionSet: r, inputTemplate: '{v}'}\n",
                     &(kit_options){.input = "{\"x\":\"{secret.CRM} {x} {{y}}\"}"});
    kit_sends(k, "a", "{\"input\":\"say {secret.CRM} {x} {{y}}\"}");
    kit_ok(k, "a", "{\"v\":\"{x}\"}");
    kit_sends(k, "b", "{\"input\":\"{x}\"}");
    kit_free(k);
}

/* The journal has the place; what data says is never one, whichever way it comes in. */
static void a_secret_has_a_place_that_no_value_can_name(void **state)
{
    (void) state;
#define MARK "\xEF\xB7\x90"
#define BAD  "\xEF\xBF\xBD{secret.B}"
    kit *k = kit_new("id: c\nsteps:\n"
                     "- {stepName: a, instructionSet: w, inputTemplate: 'say {x} {secret.I}', outputVariables: [v]}\n"
                     "- {stepName: b, instructionSet: w, inputTemplate: '{v}', outputVariables: [u], rollbackAction: w}\n"
                     "- {stepName: d, instructionSet: r, inputTemplate: '{x}'}\n"
                     "- {stepName: e, instructionSet: r, inputTemplate: '{secret.I}{x}'}\n"
                     "instructionSets:\n"
                     "  r: {tool: t/read_a}\n"
                     "  w: {tool: t/idem_a, arguments: {i: '{input}', k: 'Bearer {secret.A}', x: '{x}', l: ['{x}']}}\n",
                     &(kit_options){.input = "{\"x\":\"" MARK "{secret.B}\"}"});
    kit_sends(k, "a",
              "{\"i\":\"say " BAD " " MARK "{secret.I}\",\"k\":\"Bearer " MARK "{secret.A}\",\"x\":\"" BAD
              "\",\"l\":[\"" BAD "\"]}");
    kit_ok(k, "a", "{\"v\":{\"" MARK "{secret.B}\":1}}");
    kit_sends(k, "b",
              "{\"i\":{\"" BAD "\":1},\"k\":\"Bearer " MARK "{secret.A}\",\"x\":\"" BAD "\",\"l\":[\"" BAD "\"]}");
    kit_ok(k, "b", "{\"u\":\"" MARK "{secret.B}\"}");
    kit_sends(k, "d", "{\"input\":\"" MARK "{secret.B}\"}"); /* of this set nothing is filled in: it stays data */
    kit_ok(k, "d", "{}");
    kit_sends(k, "e", "{\"input\":\"" MARK "{secret.I}" BAD "\"}");
    kit_fails(k, "e", CTN_FAILURE_TOOL_ERROR);
    kit_sends(k, "undo:b",
              "{\"i\":{\"u\":\"" BAD "\"},\"k\":\"Bearer " MARK "{secret.A}\",\"x\":\"" BAD "\",\"l\":[\"" BAD "\"]}");
    kit_free(k);
#undef MARK
#undef BAD
}

/* ---- outputs of the chain ---- */

static void outputs_are_a_list_a_map_or_all_that_steps_produced(void **state)
{
    (void) state;
#define OUT(outputs)                                                                                                   \
    "id: out\n" outputs "steps:\n  - {stepName: a, instructionSet: s, outputVariables: [v, w]}\n"                      \
    "  - {stepName: b, instructionSet: s, outputVariables: [u], conditionalExecution: 'false', inputTemplate: "        \
    "'{x}'}\n"                                                                                                         \
    "instructionSets:\n  s: {tool: t/read_a}\n"
    static const struct {
        const char *chain, *outputs;
    } cases[] = {
        {OUT(""), "{\"v\":2,\"w\":3,\"u\":null}"},
        {OUT("outputs: [w, u]\n"), "{\"w\":3,\"u\":null}"},
        {OUT("outputs: [x]\n"), "{\"x\":1}"},
        {OUT("outputs: {sum: '{v} + {w}', none: '{u}', list: '[{v}, {x}]'}\n"),
         "{\"sum\":5,\"none\":null,\"list\":[2,1]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit *k = kit_new(cases[i].chain, &(kit_options){.input = "{\"x\":1}"});
        kit_ok(k, "a", "{\"v\":2,\"w\":3}");
        kit_outputs_are(k, cases[i].outputs);
        kit_free(k);
    }
}

static void an_output_that_cannot_be_computed_fails_the_chain_and_undoes_it(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "- {stepName: a, instructionSet: i, outputVariables: [v], rollbackAction: i}\n"
                               "outputs: {share: '1 / {v}'}\n",
                     NULL);
    kit_ok(k, "a", "{\"v\":0}");
    kit_is(k, "compensating");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\":\"division_by_zero\"}");
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_taken_by_name_by_path_or_whole),
        cmocka_unit_test(a_missing_output_says_what_the_result_has),
        cmocka_unit_test(a_value_over_the_limit_fails_the_step),
        cmocka_unit_test(a_write_whose_result_cannot_be_taken_is_undone_or_listed),
        cmocka_unit_test(a_document_fills_the_first_variable_that_the_result_lacks),
        cmocka_unit_test(a_document_fills_the_variable_that_it_names),
        cmocka_unit_test(calls_in_turn_read_the_earlier_ones),
        cmocka_unit_test(a_retry_repeats_only_the_calls_without_a_success),
        cmocka_unit_test(calls_at_once_are_judged_when_all_have_ended),
        cmocka_unit_test(one_call_that_must_not_go_again_holds_back_the_others),
        cmocka_unit_test(the_sets_own_effect_speaks_first),
        cmocka_unit_test(the_steps_time_wins_over_the_sets_and_that_over_the_kinds),
        cmocka_unit_test(values_are_inserted_once_and_never_scanned_again),
        cmocka_unit_test(a_secret_has_a_place_that_no_value_can_name),
        cmocka_unit_test(outputs_are_a_list_a_map_or_all_that_steps_produced),
        cmocka_unit_test(an_output_that_cannot_be_computed_fails_the_chain_and_undoes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
