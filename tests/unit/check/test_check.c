/* What check says about chains that load: which warnings, where, and when it rightly keeps silent. */
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"

static const char *const SETS = "instructionSets:\n"
                                "  look: {tool: s/look, effect: read}\n"
                                "  make: {tool: s/make, effect: write}\n"
                                "  unmake: {tool: s/unmake, effect: idempotent}\n"
                                "  day: {wait: {ms: 86400000}}\n"
                                "  yes: {approval: {timeoutMs: 3600000}}\n";

/* The findings of a chain (its text follows "id: c\n"), checked with SETS. */
static void check_chain(const char *text, const char *wanted)
{
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", SETS);
    chain_kit_add(&kit, "c.yaml", ctn_arena_printf(kit.arena, "id: c\n%s", text).ptr);
    chain_kit_check(&kit, NULL);
    ctn_findings_sort(&kit.findings);
    ctn_buf got;
    ctn_buf_init(&got, 1 << 16);
    for (size_t i = 0; i < kit.findings.count; i++)
        ctn_buf_printf(&got, "%s%u:%u %s", i ? " " : "", kit.findings.items[i].line, kit.findings.items[i].column,
                       kit.findings.items[i].rule);
    if (!ctn_str_is(ctn_buf_str(&got), wanted))
        fail_msg("%s\ngives %.*s\nnot   %s\n%.*s", text, CTN_STR_ARG(ctn_buf_str(&got)), wanted,
                 CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    ctn_buf_done(&got);
    chain_kit_done(&kit);
}

/* ---- the first design's chains ---- */

static ctn_effect travel_effect(void *ctx, const char *kind, ctn_str target)
{
    (void) ctx;
    (void) kind;
    return ctn_str_is(target, "travel/schedule_delivery") || ctn_str_is(target, "travel/create_client_record")
               ? CTN_EFFECT_WRITE
               : CTN_EFFECT_READ;
}

static bool add_travel(chain_kit *kit, const char *chain)
{
    chain_kit_init(kit);
    static const char *const files[] = {"travel/instruction-sets/lead.yaml", "travel/instruction-sets/crm.yaml",
                                        "travel/instruction-sets/search.yaml", "travel/instruction-sets/proposal.yaml",
                                        "travel/instruction-sets/followup.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!chain_kit_add_file(kit, files[i]))
            return false;
    return chain_kit_add_file(kit, "travel/templates/client-proposal-template.mustache") &&
           chain_kit_add_file(kit, "travel/templates/followup-message-template.mustache") &&
           chain_kit_add_file(kit, chain);
}

static void the_first_chain_has_its_two_warnings_and_no_error(void **state)
{
    (void) state;
    chain_kit kit;
    static const char *const path = "travel/first-design/mobile-lead-processing.json";
    assert_true(add_travel(&kit, path));
    chain_kit_check(&kit, &(ctn_check_options){.effect = travel_effect});
    assert_int_equal(kit.findings.error_count, 0);
    chain_kit_expect(&kit, 29, 31, "self-condition", "validation_status");
    chain_kit_expect(&kit, 44, 24, "maybe-undefined", "'complete_requirements' is read here, but may be missing");
    assert_false(chain_kit_has_rule(&kit, "missing-undo"));
    assert_int_equal(ctn_plan_slot(chain_kit_compile(&kit), CTN_STR(".")), CTN_PLAN_NONE);
    chain_kit_done(&kit);
}

static void the_second_chain_sends_something_without_an_undo(void **state)
{
    (void) state;
    chain_kit kit;
    static const char *const path = "travel/first-design/client-followup-sequence.json";
    assert_true(add_travel(&kit, path));
    chain_kit_check(&kit, &(ctn_check_options){.effect = travel_effect});
    assert_int_equal(kit.findings.error_count, 0);
    ctn_str findings = chain_kit_findings(&kit, path);
    chain_kit_expect(&kit, 37, 5, "missing-undo", "step 'schedule_delivery'");
    if (ctn_str_find(findings, CTN_STR("maybe-undefined")) != SIZE_MAX)
        fail_msg("%.*s", CTN_STR_ARG(findings));
    chain_kit_compile(&kit);
    chain_kit_done(&kit);
}

/* ---- maybe-undefined ---- */

#define A_READS_X "- {stepName: r, instructionSet: look, inputTemplate: '{x}'}\n"

static void a_skipped_producer_may_leave_its_reader_without_a_value(void **state)
{
    (void) state;
    check_chain(
        "steps:\n- {stepName: p, instructionSet: look, conditionalExecution: '{go}', outputVariables: [x]}\n" A_READS_X,
        "4:54 maybe-undefined");
    check_chain("steps:\n- {stepName: p, instructionSet: look, onError: continue, outputVariables: [x]}\n" A_READS_X,
                "4:54 maybe-undefined");
    check_chain("steps:\n- {stepName: p, instructionSet: look, outputVariables: [x]}\n" A_READS_X, "");
    /* A gate fails the chain or runs: whoever comes after it finds the value. */
    check_chain("steps:\n- {stepName: p, instructionSet: look, conditionalExecution: '{go} ? continue : fail', "
                "outputVariables: [x]}\n" A_READS_X,
                "");
    /* What made it null again counts, and what set it after that. */
    check_chain("steps:\n- {stepName: p, instructionSet: look, outputVariables: [x]}\n"
                "- {stepName: q, instructionSet: look, onError: continue, outputVariables: [x]}\n" A_READS_X,
                "5:54 maybe-undefined");
    check_chain("steps:\n- {stepName: q, instructionSet: look, onError: continue, outputVariables: [x]}\n"
                "- {stepName: p, instructionSet: look, outputVariables: [x]}\n" A_READS_X,
                "");
}

static void readers_that_can_do_without_are_no_finding(void **state)
{
    (void) state;
#define MAYBE "steps:\n- {stepName: p, instructionSet: look, conditionalExecution: '{go}', outputVariables: [x]}\n"
    check_chain(MAYBE "- {stepName: r, instructionSet: look, inputTemplate: '{x?}'}\n", "");
    check_chain(MAYBE "- {stepName: r, instructionSet: look, inputTemplate: '{x | default(1)}'}\n", "");
    check_chain(MAYBE "- {stepName: r, instructionSet: look, conditionalExecution: '{x} == 1'}\n", "");
    check_chain(
        MAYBE "- {stepName: r, instructionSet: look, conditionalExecution: 'exists({x})', inputTemplate: '{x}'}\n", "");
    check_chain(MAYBE
                "- {stepName: r, instructionSet: look, conditionalExecution: '{x} != null && {go}', inputTemplate: "
                "'{x}'}\n",
                "");
    check_chain(MAYBE "- {stepName: r, instructionSet: look, conditionalExecution: '{x} == null ? skip : continue', "
                      "inputTemplate: '{x}'}\n",
                "");
}

static void equal_conditions_over_unchanged_variables_are_one_decision(void **state)
{
    (void) state;
    check_chain(MAYBE "- {stepName: r, instructionSet: look, conditionalExecution: 'go', inputTemplate: '{x}'}\n", "");
    check_chain(MAYBE
                "- {stepName: r, instructionSet: look, conditionalExecution: '{go} ? continue : skip', inputTemplate: "
                "'{x}'}\n",
                "");
    check_chain(MAYBE "- {stepName: r, instructionSet: look, conditionalExecution: '!{go}', inputTemplate: '{x}'}\n",
                "4:85 maybe-undefined");
    /* The same words, but somebody wrote `go` in between. */
    check_chain("inputSchema: {properties: {go: {}}}\n" MAYBE
                "- {stepName: w, instructionSet: look, outputVariables: [go]}\n"
                "- {stepName: r, instructionSet: look, conditionalExecution: '{go}', inputTemplate: '{x}'}\n",
                "6:84 maybe-undefined");
}

static void opposite_producers_together_are_sure(void **state)
{
    (void) state;
    static const char *const chain =
        "steps:\n- {stepName: p, instructionSet: look, conditionalExecution: \"{k} == 'a'\", outputVariables: [x]}\n"
        "- {stepName: q, instructionSet: look, conditionalExecution: \"%s\", outputVariables: [x]}\n" A_READS_X;
    static const char *const opposites[] = {"{k} != 'a'", "!({k} == 'a')", "not {k} == 'a'",
                                            "{k} == 'a' ? skip : continue"};
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < sizeof opposites / sizeof opposites[0]; i++) {
        ctn_buf text;
        ctn_buf_init(&text, 4096);
        ctn_str template = ctn_str_from(chain), mark = CTN_STR("%s");
        size_t at = ctn_str_find(template, mark);
        ctn_buf_append(&text, (ctn_str){template.ptr, at});
        ctn_buf_append(&text, ctn_str_from(opposites[i]));
        ctn_buf_append(&text, ctn_str_from_offset(template, at + mark.len));
        check_chain(ctn_arena_str(arena, ctn_buf_str(&text)).ptr, "");
        ctn_buf_done(&text);
    }
    ctn_arena_free(arena);
    check_chain(
        "steps:\n- {stepName: p, instructionSet: look, conditionalExecution: '{k} < 1', outputVariables: [x]}\n"
        "- {stepName: q, instructionSet: look, conditionalExecution: '{k} >= 1', outputVariables: [x]}\n" A_READS_X,
        "5:54 maybe-undefined"); /* a text is neither */
}

static void a_condition_on_ones_own_output_is_told(void **state)
{
    (void) state;
    check_chain(
        "steps:\n- {stepName: p, instructionSet: look, conditionalExecution: '{x} == 1', outputVariables: [x]}\n",
        "3:61 self-condition");
    check_chain("steps:\n- {stepName: o, instructionSet: look, outputVariables: [x]}\n"
                "- {stepName: p, instructionSet: look, conditionalExecution: '{x} == 1', outputVariables: [x]}\n",
                "");
}

/* ---- effects and undo ---- */

static void a_write_wants_an_undo_or_a_reason(void **state)
{
    (void) state;
    check_chain("steps:\n- {stepName: a, instructionSet: make}\n", "3:3 missing-undo");
    check_chain("steps:\n- {stepName: a, instructionSet: make, rollbackAction: unmake}\n", "");
    check_chain("steps:\n- {stepName: a, instructionSet: make, noUndo: it is a mail}\n", "");
    check_chain("steps:\n- {stepName: a, instructionSet: look}\n", "");
    check_chain("rollbackEnabled: false\nsteps:\n- {stepName: a, instructionSet: make}\n", "");
    check_chain("rollbackEnabled: false\nsteps:\n- {stepName: a, instructionSet: make, rollbackAction: unmake}\n",
                "4:55 idle-undo");
    check_chain("steps:\n- {stepName: a, instructionSet: look, fallback: [{instructionSet: make}]}\n",
                "3:3 missing-undo");
}

static void an_assumed_write_is_told_at_the_set_and_at_its_user(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml",
                  "instructionSets:\n  go: {tool: s/go}\n  come: {calls: {a: {tool: s/go}, b: {native: n}}}\n"
                  "  # catena: allow assumed-effect: the desk knows\n  quiet: {tool: s/go}\n"
                  "  web: {http: {url: 'http://x'}}\n");
    chain_kit_add(&kit, "c.yaml",
                  "id: c\nsteps:\n- {stepName: a, instructionSet: go, noUndo: x}\n"
                  "- {stepName: b, instructionSet: quiet, noUndo: x}\n- {stepName: d, instructionSet: web}\n");
    chain_kit_check(&kit, NULL);
    chain_kit_expect(&kit, 2, 3, "assumed-effect", "nobody said what 'go' does");
    chain_kit_expect(&kit, 3, 3, "assumed-effect", "nobody said what 'come' does");
    chain_kit_expect(&kit, 3, 33, "assumed-effect", "in sets.yaml:2");
    assert_int_equal(kit.findings.count, 3);
    ctn_findings_init(&kit.findings, kit.arena);
    chain_kit_check(&kit, &(ctn_check_options){.effect = travel_effect}); /* an operator who says read */
    assert_int_equal(kit.findings.count, 0);
    chain_kit_done(&kit);
}

static void an_undo_that_cannot_be_rendered_is_told(void **state)
{
    (void) state;
    check_chain("steps:\n- {stepName: a, instructionSet: make, outputVariables: [x], rollbackAction: unmake, "
                "rollbackTemplate: '{x} {given}'}\n- {stepName: b, instructionSet: look, inputTemplate: '{given}'}\n",
                "");
    check_chain("steps:\n- {stepName: a, instructionSet: make, rollbackAction: unmake, rollbackTemplate: '{later}'}\n"
                "- {stepName: b, instructionSet: look, outputVariables: [later]}\n",
                "3:81 unrenderable-undo");
    check_chain("steps:\n- {stepName: a, instructionSet: make, rollbackAction: unmake, rollbackTemplate: '{later?}'}\n"
                "- {stepName: b, instructionSet: look, outputVariables: [later]}\n",
                "");
}

static void a_retry_that_may_do_it_twice_is_told(void **state)
{
    (void) state;
    check_chain(
        "steps:\n- {stepName: a, instructionSet: make, noUndo: x, retryConfig: {maxRetries: 1, retryOn: [tool_error, "
        "timeout]}}\n",
        "3:101 unsafe-retry");
    check_chain("steps:\n- {stepName: a, instructionSet: look, retryConfig: {maxRetries: 1, retryOn: [timeout]}}\n",
                "");
}

/* ---- the rest ---- */

static void times_that_do_not_fit_are_told(void **state)
{
    (void) state;
    check_chain("timeoutMs: 1000\nsteps:\n- {stepName: a, instructionSet: look, timeoutMs: 1001}\n"
                "- {stepName: b, instructionSet: look}\n- {stepName: d, instructionSet: day}\n"
                "- {stepName: e, instructionSet: yes}\n",
                "4:50 timeout-fit 6:33 timeout-fit 7:33 timeout-fit");
    check_chain("steps:\n- {stepName: a, instructionSet: look, timeoutMs: 5, idleTimeoutMs: 6}\n", "3:68 timeout-fit");
}

static void an_output_that_nobody_wants_is_told(void **state)
{
    (void) state;
    check_chain("outputs: [x]\nsteps:\n- {stepName: a, instructionSet: look, outputVariables: [x, y]}\n",
                "4:60 unused-output");
    check_chain("steps:\n- {stepName: a, instructionSet: look, outputVariables: [x, y]}\n", "");
    check_chain("outputs: {sum: '{x} + {y}'}\nsteps:\n- {stepName: a, instructionSet: look, outputVariables: [x, y]}\n",
                "");
    check_chain(
        "outputs: []\nsteps:\n- {stepName: a, instructionSet: make, rollbackAction: unmake, outputVariables: [x]}\n",
        "");
}

static void warnings_are_silenced_by_comment_and_by_lint(void **state)
{
    (void) state;
    check_chain("steps:\n# catena: allow missing-undo: the tool undoes itself\n- {stepName: a, instructionSet: make}\n",
                "");
    check_chain("steps:\n- {stepName: a, instructionSet: make, lint: {allow: {missing-undo: because}}}\n", "");
    check_chain("steps:\n- {stepName: a, instructionSet: make, lint: {allow: {idle-undo: because}}}\n",
                "3:3 missing-undo");
}

static void a_faulty_set_is_told_at_the_set_and_once_at_each_step(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", "instructionSets:\n  bad: {tool: s/t, efect: read, timeoutMs: soon}\n");
    chain_kit_add(&kit, "c.yaml",
                  "id: c\nsteps:\n- {stepName: a, instructionSet: bad}\n- {stepName: b, instructionSet: bad}\n");
    chain_kit_check(&kit, NULL);
    assert_int_equal(kit.findings.count, 4);
    chain_kit_expect(&kit, 2, 20, "unknown-key", "did you mean 'effect'?");
    chain_kit_expect(&kit, 2, 44, "type", "'timeoutMs' must be a whole number");
    chain_kit_expect(&kit, 3, 33, "unknown-key", "instruction set 'bad' has a fault: sets.yaml:2:20");
    chain_kit_expect(&kit, 4, 33, "unknown-key", "has a fault");
    chain_kit_done(&kit);
}

static void check_of_one_file_is_silent_about_the_others(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", SETS);
    chain_kit_add(&kit, "a.yaml", "id: a\nsteps: [{stepName: a, instructionSet: make}]\n");
    const ctn_source *source = kit.chain->source;
    chain_kit_add(&kit, "b.yaml", "id: b\nsteps: [{stepName: a, instructionSet: gone}]\n");
    assert_int_equal(ctn_check(kit.library, source, NULL, &kit.findings), CTN_OK);
    assert_int_equal(kit.findings.count, 1);
    /* A copy of a known chain is checked where it stands. */
    ctn_findings_init(&kit.findings, kit.arena);
    chain_kit_add(&kit, "copy.yaml", "id: a\nsteps: [{stepName: a, instructionSet: make}]\n");
    assert_int_equal(kit.findings.count, 0);
    assert_int_equal(ctn_check(kit.library, kit.chain->source, NULL, &kit.findings), CTN_OK);
    assert_int_equal(kit.findings.count, 1);
    assert_true(ctn_str_is(kit.findings.items[0].file, "copy.yaml"));
    chain_kit_done(&kit);
}

/* ---- transforms ---- */

static int compile_if_short(void *ctx, ctn_str program, ctn_err *err)
{
    (*(int *) ctx)++;
    if (ctn_str_is(program, "."))
        return CTN_OK;
    return ctn_fail(err, ctn_str_is(program, "?") ? CTN_E_CLOSED : CTN_E_INVALID, "not what I like");
}

static void a_bad_program_is_an_error_at_the_set_and_at_each_step(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml",
                  "instructionSets:\n"
                  "  good: {transform: .}\n"
                  "  bad: {transform: \"{\"}\n"
                  "  late: {calls: {a: {transform: .}, b: {transform: \"[\"}}}\n"
                  "  unasked: {transform: \"?\"}\n");
    chain_kit_add(&kit, "c.yaml",
                  "id: c\nsteps:\n"
                  "  - {stepName: a, instructionSet: good}\n"
                  "  - {stepName: b, instructionSet: bad}\n"
                  "  - {stepName: c, instructionSet: good, rollbackAction: bad}\n"
                  "  - {stepName: d, instructionSet: unasked}\n");
    int asked = 0;
    chain_kit_check(&kit, &(ctn_check_options){.compile = compile_if_short, .compile_ctx = &asked});
    chain_kit_expect(&kit, 3, 20, "bad-expression", "'transform' is no good jq: not what I like");
    chain_kit_expect(&kit, 4, 52, "bad-expression", "'transform' is no good jq: not what I like");
    chain_kit_expect(&kit, 4, 35, "bad-expression", "'bad' has a fault: sets.yaml:3:20: 'transform' is no good jq");
    chain_kit_expect(&kit, 5, 57, "bad-expression", "'bad' has a fault: sets.yaml:3:20: 'transform' is no good jq");
    assert_int_equal(kit.findings.error_count, 4);
    assert_int_equal(asked, 5); /* each program once */
    chain_kit_done(&kit);
}

static void an_impure_program_needs_nobody_to_be_refused(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", "instructionSets:\n  when: {transform: \"{at: now}\"}\n");
    chain_kit_expect(&kit, 2, 21, "bad-expression", "'transform', at character 6: a transform may not use 'now'");
    chain_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_chain_has_its_two_warnings_and_no_error),
        cmocka_unit_test(the_second_chain_sends_something_without_an_undo),
        cmocka_unit_test(a_skipped_producer_may_leave_its_reader_without_a_value),
        cmocka_unit_test(readers_that_can_do_without_are_no_finding),
        cmocka_unit_test(equal_conditions_over_unchanged_variables_are_one_decision),
        cmocka_unit_test(opposite_producers_together_are_sure),
        cmocka_unit_test(a_condition_on_ones_own_output_is_told),
        cmocka_unit_test(a_write_wants_an_undo_or_a_reason),
        cmocka_unit_test(an_assumed_write_is_told_at_the_set_and_at_its_user),
        cmocka_unit_test(an_undo_that_cannot_be_rendered_is_told),
        cmocka_unit_test(a_retry_that_may_do_it_twice_is_told),
        cmocka_unit_test(times_that_do_not_fit_are_told),
        cmocka_unit_test(an_output_that_nobody_wants_is_told),
        cmocka_unit_test(warnings_are_silenced_by_comment_and_by_lint),
        cmocka_unit_test(a_faulty_set_is_told_at_the_set_and_once_at_each_step),
        cmocka_unit_test(check_of_one_file_is_silent_about_the_others),
        cmocka_unit_test(a_bad_program_is_an_error_at_the_set_and_at_each_step),
        cmocka_unit_test(an_impure_program_needs_nobody_to_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
