/* Going on from an execution that has ended: what is reused, what is done again, what is refused. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

#define SETS                                                                                                           \
    "instructionSets:\n"                                                                                               \
    "  read: {tool: t/read_it, arguments: {x: '{input}'}}\n"                                                           \
    "  spare: {tool: t/read_spare, arguments: {x: '{b?}'}}\n"                                                          \
    "  write: {tool: t/write_it, arguments: {x: '{input}'}}\n"                                                         \
    "  undo: {tool: t/idem_undo, arguments: {x: '{input}'}}\n"

/* A chain whose steps follow. */
#define CHAIN "id: c\n" SETS "steps:\n"

/* a -> book -> pay -> last, each reading the one before; other reads nobody. */
#define LINE                                                                                                           \
    CHAIN                                                                                                              \
    "- {stepName: look, instructionSet: read, inputTemplate: '{given}', outputVariables: {a: v}}\n"                    \
    "- {stepName: book, instructionSet: write, inputTemplate: '{a}', outputVariables: {b: v}, noUndo: sent}\n"         \
    "- {stepName: other, instructionSet: read, inputTemplate: '{elsewhere}', outputVariables: {o: v}}\n"               \
    "- {stepName: pay, instructionSet: read, inputTemplate: '{b}', outputVariables: {p: v}}\n"                         \
    "- {stepName: last, instructionSet: read, inputTemplate: '{p}{o}', outputVariables: {z: v}}\n"                     \
    "outputs: [z]\n"

static const char GIVEN[] = "{\"given\": \"g\", \"elsewhere\": \"e\"}";

/* Steps end one after the other: "look:A list:[1,2]" each with that text, number or list as v. */
static void gives(kit *k, const char *results)
{
    ctn_str rest = ctn_str_from(results);
    while (rest.len) {
        ctn_str value = ctn_str_cut(&rest, ' '), step = ctn_str_cut(&value, ':');
        const char *quote = strchr("[0123456789", value.ptr[0]) ? "" : "\"";
        char call[40], json[80];
        snprintf(call, sizeof call, "%.*s", CTN_STR_ARG(step));
        snprintf(json, sizeof json, "{\"v\": %s%.*s%s}", quote, CTN_STR_ARG(value), quote);
        kit_ok(k, call, json);
    }
}

static kit *line_until_pay(void)
{
    kit *k = kit_new(LINE, &(kit_options){.input = GIVEN});
    gives(k, "look:A book:B other:O");
    return k;
}

static kit *line_done(void)
{
    kit *k = line_until_pay();
    gives(k, "pay:P last:Z");
    kit_is(k, "completed");
    return k;
}

static void after_a_failure_nothing_that_succeeded_is_done_again(void **state)
{
    (void) state;
    kit *old = line_until_pay();
    kit_fails(old, "pay", CTN_FAILURE_TOOL_ERROR);
    kit_is(old, "failed");
    kit *k = kit_rerun(old, (kit_again){.from = "pay"});
    kit_owes(k, "pay");
    kit_sends(k, "pay", "{\"x\":\"B\"}");
    kit_step_is(k, "book", "completed");
    assert_true(kit_step(k, "book").is_reused);
    assert_int_equal(kit_step(k, "book").attempt, 0);
    assert_false(kit_step(k, "pay").is_reused);
    kit_crash(k);
    gives(k, "pay:P");
    kit_sends(k, "last", "{\"x\":\"PO\"}");
    gives(k, "last:Z");
    kit_outputs_are(k, "{\"z\": \"Z\"}");
    assert_int_equal(kit_count(k, CTN_ENTRY_ATTEMPT_STARTED, NULL), 0);
    const ctn_json *body = kit_body(k, CTN_ENTRY_STARTED, 0);
    assert_true(ctn_str_is(ctn_json_str_or(ctn_json_member_of(body, "from"), "step", CTN_STR("")), "pay"));
    assert_int_equal(ctn_json_count(ctn_json_member_of(body, "reused")), 3);
    kit_free(old);
}

static void from_the_middle_only_what_reads_it_is_done_again(void **state)
{
    (void) state;
    kit *old = line_done();
    kit *k = kit_rerun(old, (kit_again){.from = "other"});
    kit_owes(k, "other"); /* it stands between, and nothing else is waited for */
    kit_step_is(k, "pay", "pending");
    gives(k, "other:O2");
    kit_step_is(k, "pay", "completed");
    kit_sends(k, "last", "{\"x\":\"PO2\"}");
    gives(k, "last:Z2");
    kit_outputs_are(k, "{\"z\": \"Z2\"}");
    kit_free(old);
}

static void a_write_is_repeated_only_when_it_is_named(void **state)
{
    (void) state;
    kit *old = line_done();
    kit_rerun_refused(old, CTN_E_DENIED, "book would be done again", (kit_again){.from = "look"});
    kit *k = kit_rerun(old, (kit_again){.from = "look", .writes = "book"});
    kit_owes(k, "look");
    gives(k, "look:A2");
    kit_sends(k, "book", "{\"x\":\"A2\"}");
    k = kit_rerun(old, (kit_again){.from = "book"}); /* that names it too */
    kit_owes(k, "book");
    kit_rerun_refused(old, CTN_E_NOT_FOUND, "did you mean 'book'?", (kit_again){.from = "bok"});
    kit_rerun_refused(old, CTN_E_NOT_FOUND, "--write boook: the chain c has no such step",
                      (kit_again){.from = "pay", .writes = "boook"});
    kit_free(old);
}

static void a_changed_input_is_felt_by_its_readers_alone(void **state)
{
    (void) state;
    kit *old = line_done();
    kit *k = kit_rerun(old, (kit_again){.input = "{\"given\": \"g\", \"elsewhere\": \"other\"}"});
    kit_owes(k, "other");
    kit_sends(k, "other", "{\"x\":\"other\"}");
    gives(k, "other:O2");
    kit_owes(k, "last");
    assert_true(kit_step(k, "pay").is_reused);
    kit_rerun_refused(old, CTN_E_DENIED, "book would be done again",
                      (kit_again){.input = "{\"given\": \"h\", \"elsewhere\": \"e\"}"});
    kit_rerun_refused(old, CTN_E_STATE, "nothing is different", (kit_again){0});
    kit_free(old);
}

static void one_that_has_not_ended_is_left_alone(void **state)
{
    (void) state;
    kit *old = line_until_pay();
    kit_rerun_refused(old, CTN_E_STATE, "is running; only one that has ended", (kit_again){.from = "pay"});
    kit_free(old);
}

/* ---- what was undone, and what was not ---- */

#define UNDONE                                                                                                         \
    CHAIN                                                                                                              \
    "- {stepName: look, instructionSet: read, inputTemplate: x, outputVariables: {a: v}}\n"                            \
    "- {stepName: book, instructionSet: write, inputTemplate: '{a}', outputVariables: {b: v},\n"                       \
    "   rollbackAction: undo, rollbackTemplate: '{b}'}\n"                                                              \
    "- {stepName: send, instructionSet: write, inputTemplate: mail, outputVariables: {s: v}, noUndo: sent}\n"          \
    "- {stepName: last, instructionSet: write, inputTemplate: '{b}', outputVariables: {z: v}, noUndo: sent}\n"

static void what_was_undone_is_done_again_and_the_rest_stands(void **state)
{
    (void) state;
    kit *old = kit_new(UNDONE, NULL);
    gives(old, "look:A book:B send:S");
    kit_fails(old, "last", CTN_FAILURE_TOOL_ERROR);
    kit_ok(old, "undo:book", "{}");
    kit_is(old, "rolled_back");
    kit_error_is(old, "{\"code\": \"tool_error\", \"step\": \"last\", \"notUndone\": [\"send\"]}");
    kit *k = kit_rerun(old, (kit_again){.from = "last"});
    assert_true(kit_step(k, "look").is_reused);
    kit_owes(k, "book");
    gives(k, "book:B2");
    assert_true(kit_step(k, "send").is_reused);
    kit_owes(k, "last");
    kit_fails(k, "last", CTN_FAILURE_TOOL_ERROR); /* this one undoes what it did itself, and nothing else */
    kit_sends(k, "undo:book", "{\"x\":\"B2\"}");
    kit_ok(k, "undo:book", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\": \"tool_error\", \"step\": \"last\"}");
    kit_free(old);
}

static void reused_steps_are_never_undone(void **state)
{
    (void) state;
    static const char yaml[] = CHAIN
        "- {stepName: book, instructionSet: write, inputTemplate: x, outputVariables: {b: v}, rollbackAction: undo}\n"
        "- {stepName: last, instructionSet: read, inputTemplate: '{b}{i?}', outputVariables: {z: v}}\n";
    kit *old = kit_new(yaml, NULL);
    gives(old, "book:B last:Z");
    kit *k = kit_rerun(old, (kit_again){.input = "{\"i\": 1}"});
    kit_owes(k, "last");
    kit_fails(k, "last", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "");
    kit_is(k, "rolled_back");
    kit_step_is(k, "book", "completed");
    k = kit_rerun(old, (kit_again){.from = "last"});
    kit_cancel(k);
    kit_step_is(k, "book", "completed");
    kit_owes(k, "");
    kit_free(old);
}

static void a_write_that_failed_may_go_again_but_not_one_of_unknown_fate(void **state)
{
    (void) state;
    static const char yaml[] =
        CHAIN "- {stepName: a, instructionSet: read, inputTemplate: x, outputVariables: {a: v}}\n"
              "- {stepName: send, instructionSet: write, inputTemplate: '{a}', noUndo: sent,\n"
              "   onInterrupted: fail}\n";
    kit *old = kit_new(yaml, NULL);
    gives(old, "a:1");
    kit_fails(old, "send", CTN_FAILURE_TOOL_ERROR);
    kit *k = kit_rerun(old, (kit_again){.from = "a"});
    gives(k, "a:1");
    kit_lost(k, "send", CTN_FAILURE_TIMEOUT);
    kit_is(k, "failed");
    kit_rerun_refused(k, CTN_E_DENIED, "send would be done again", (kit_again){.from = "a"});
    kit_rerun_refused(k, CTN_E_DENIED, "send would be done again", (kit_again){0});
    kit *again = kit_rerun(k, (kit_again){.from = "send"});
    kit_owes(again, "send");
    kit_free(old);
}

/* ---- values in the order of the chain ---- */

static void a_step_between_two_writers_reads_what_it_read_before(void **state)
{
    (void) state;
    static const char yaml[] =
        CHAIN "- {stepName: first, instructionSet: read, inputTemplate: '1', outputVariables: {x: v}}\n"
              "- {stepName: between, instructionSet: read, inputTemplate: '{x}', outputVariables: {y: v}}\n"
              "- {stepName: second, instructionSet: read, inputTemplate: '2', outputVariables: {x: v}}\n"
              "- {stepName: after, instructionSet: read, inputTemplate: '{x}', outputVariables: {z: v}}\n"
              "outputs: [x, y, z]\n";
    kit *old = kit_new(yaml, NULL);
    gives(old, "first:one between:y second:two after:z");
    kit *k = kit_rerun(old, (kit_again){.from = "between"});
    kit_sends(k, "between", "{\"x\":\"one\"}");
    gives(k, "between:y2");
    kit_outputs_are(k, "{\"x\": \"two\", \"y\": \"y2\", \"z\": \"z\"}");
    k = kit_rerun(old, (kit_again){.from = "first"}); /* what is written over in between is no change */
    gives(k, "first:uno");
    kit_owes(k, "between");
    kit_sends(k, "between", "{\"x\":\"uno\"}");
    gives(k, "between:y3");
    kit_outputs_are(k, "{\"x\": \"two\", \"y\": \"y3\", \"z\": \"z\"}");
    kit_free(old);
}

static void a_skip_and_a_failure_that_was_passed_over_are_reused(void **state)
{
    (void) state;
    static const char yaml[] =
        CHAIN "- {stepName: maybe, instructionSet: read, inputTemplate: x, outputVariables: {m: v},\n"
              "   conditionalExecution: '{want} ? continue : skip'}\n"
              "- {stepName: weak, instructionSet: read, inputTemplate: x, outputVariables: {w: v}, onError: continue}\n"
              "- {stepName: last, instructionSet: read, inputTemplate: '{m?}{w?}', outputVariables: {z: v}}\n"
              "outputs: [m, w, z]\n";
    kit *old = kit_new(yaml, &(kit_options){.input = "{\"want\": false}"});
    kit_fails(old, "weak", CTN_FAILURE_TOOL_ERROR);
    gives(old, "last:1");
    kit *k = kit_rerun(old, (kit_again){.from = "last"});
    kit_owes(k, "last");
    kit_step_is(k, "maybe", "skipped");
    kit_step_is(k, "weak", "failed");
    kit_variable_is(k, "w", "null");
    kit_variable_is(k, "m", NULL);
    gives(k, "last:2");
    kit_outputs_are(k, "{\"m\": null, \"w\": null, \"z\": 2}");
    k = kit_rerun(old, (kit_again){.input = "{\"want\": true}"}); /* its condition reads it */
    gives(k, "maybe:7");
    kit_owes(k, "last");
    kit_free(old);
}

static void all_that_a_step_reads_counts(void **state)
{
    (void) state;
    static const char yaml[] =
        "id: c\n" SETS "  asks: {tool: t/read_asks, arguments: {x: '{in_set}'}}\n"
        "steps:\n"
        "- {stepName: s_set, instructionSet: asks, outputVariables: {v1: v}}\n"
        "- {stepName: s_fallback, instructionSet: read, inputTemplate: x, outputVariables: {v2: v},\n"
        "   fallback: [{instructionSet: read, inputTemplate: '{in_fallback}'}, {value: {v: '{in_value}'}}]}\n"
        "- {stepName: s_key, instructionSet: read, inputTemplate: x, outputVariables: {v3: v},\n"
        "   cache: {ttlMs: 1000, key: '{in_key}'}}\n"
        "- {stepName: s_document, instructionSet: read, inputTemplate: x, outputVariables: [text],\n"
        "   templateId: paper}\n"
        "- {stepName: s_items, instructionSet: read, inputTemplate: '{item}', foreach: {items: '{in_items}'}}\n";
    static const struct {
        const char *name, *step;
    } READS[] = {{"in_set", "s_set"}, {"in_fallback", "s_fallback"}, {"in_value", "s_fallback"},
                 {"in_key", "s_key"}, {"in_document", "s_document"}, {"in_items", "s_items[0]"}};
    static const char inputs[] = "{\"in_set\": 1, \"in_fallback\": 1, \"in_value\": 1, \"in_key\": 1, "
                                 "\"in_document\": 1, \"in_items\": [1]%s%s%s}";
    char input[300];
    snprintf(input, sizeof input, inputs, "", "", "");
    kit *old = kit_new(yaml, &(kit_options){.input = input, .document = "Dear {{in_document}}"});
    gives(old, "s_set:1 s_fallback:1 s_key:1");
    kit_ok(old, "s_document", "{}");
    kit_ok(old, "s_items[0]", "{}");
    kit_is(old, "completed");
    for (size_t i = 0; i < sizeof READS / sizeof *READS; i++) {
        char changed[300], *at;
        snprintf(changed, sizeof changed, "%s", input);
        char member[40];
        snprintf(member, sizeof member, "\"%s\": ", READS[i].name);
        at = strstr(changed, member) + strlen(member);
        at += *at == '[';
        *at = '2';
        kit *k = kit_rerun(old, (kit_again){.input = changed});
        kit_owes(k, READS[i].step);
        kit_ok(k, READS[i].step, "{\"v\": 1}");
        kit_is(k, "completed");
    }
    kit_free(old);
}

/* ---- a newer definition ---- */

static void a_newer_definition_does_again_what_is_another(void **state)
{
    (void) state;
    kit *old = line_done();
    static const struct {
        const char *from, *to, *owes;
    } CHANGES[] = {
        {"inputTemplate: '{elsewhere}'", "inputTemplate: 'to {elsewhere}'", "other"},
        {"{tool: t/read_it, arguments: {x: '{input}'}}", "{tool: t/read_it, arguments: {x: '{input}', y: 1}}", NULL},
        {"outputVariables: {p: v}", "outputVariables: {p: w}", "pay"},
        {"inputTemplate: '{p}{o}'", "inputTemplate: '{p}{o}', retryConfig: {maxRetries: 3, backoffMs: 10}", ""},
        {"inputTemplate: '{p}{o}'", "inputTemplate: '{p}{o}', conditionalExecution: '{p} != null'", "last"},
        {"- {stepName: last", "- {stepName: added, instructionSet: read, inputTemplate: '{p}'}\n- {stepName: last",
         "added"},
        {"noUndo: sent", "noUndo: a mail", ""},
        {"stepName: other", "stepName: anew", "anew"},
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        char yaml[4096];
        const char *at = strstr(LINE, CHANGES[i].from);
        assert_non_null(at);
        snprintf(yaml, sizeof yaml, "%.*s%s%s", (int) (at - LINE), LINE, CHANGES[i].to, at + strlen(CHANGES[i].from));
        if (!CHANGES[i].owes) { /* all that read, and so what is written with it */
            kit_rerun_refused(old, CTN_E_DENIED, "book would be done again", (kit_again){.yaml = yaml});
            continue;
        }
        kit *k = kit_rerun(old, (kit_again){.yaml = yaml});
        kit_owes(k, CHANGES[i].owes);
    }
    kit_free(old);
}

static void another_text_of_a_document_is_another_step(void **state)
{
    (void) state;
    static const char yaml[] =
        CHAIN "- {stepName: paper, instructionSet: read, inputTemplate: x, outputVariables: [text],\n"
              "   templateId: paper}\n"
              "- {stepName: last, instructionSet: read, inputTemplate: y}\n";
    kit *old = kit_new(yaml, &(kit_options){.document = "Dear {{a}}", .input = "{\"a\": 1}"});
    kit_ok(old, "paper", "{}");
    kit_ok(old, "last", "{}");
    kit *k = kit_rerun(old, (kit_again){.document = "Hello {{a}}"});
    kit_ok(k, "paper", "{}");
    kit_variable_is(k, "text", "\"Hello 1\"");
    kit_is(k, "completed");
    kit_free(old);
}

static void a_step_that_is_gone_is_missed_by_its_readers(void **state)
{
    (void) state;
    static const char before[] =
        CHAIN "- {stepName: a, instructionSet: read, inputTemplate: x, outputVariables: {a: v}}\n"
              "- {stepName: b, instructionSet: read, inputTemplate: y, outputVariables: {a: v}}\n"
              "- {stepName: c, instructionSet: read, inputTemplate: '{a}'}\n"
              "- {stepName: d, instructionSet: read, inputTemplate: z}\n";
    static const char after[] =
        CHAIN "- {stepName: a, instructionSet: read, inputTemplate: x, outputVariables: {a: v}}\n"
              "- {stepName: c, instructionSet: read, inputTemplate: '{a}'}\n"
              "- {stepName: d, instructionSet: read, inputTemplate: z}\n";
    kit *old = kit_new(before, NULL);
    gives(old, "a:1 b:2");
    kit_ok(old, "c", "{}");
    kit_ok(old, "d", "{}");
    kit *k = kit_rerun(old, (kit_again){.yaml = after});
    kit_sends(k, "c", "{\"x\":1}");
    kit_ok(k, "c", "{}");
    kit_is(k, "completed");
    kit_free(old);
}

/* ---- foreach ---- */

#define EACH                                                                                                           \
    "id: c\n" SETS "  item: {tool: t/write_item, arguments: {x: '{item}'}}\nsteps:\n"                                  \
    "- {stepName: list, instructionSet: read, inputTemplate: x, outputVariables: {l: v}}\n"                            \
    "- {stepName: each, instructionSet: item, foreach: {items: '{l}'}, outputVariables: [r], %s}\n"                    \
    "- {stepName: last, instructionSet: read, inputTemplate: '{r | json}', outputVariables: {z: v}}\n"

static void the_lists_of_a_foreach_are_reused(void **state)
{
    (void) state;
    char yaml[2048];
    snprintf(yaml, sizeof yaml, EACH, "noUndo: sent");
    kit *old = kit_new(yaml, NULL);
    gives(old, "list:[1,2]");
    kit_ok(old, "each[0]", "{\"r\": 10}");
    kit_ok(old, "each[1]", "{\"r\": 20}");
    kit_fails(old, "last", CTN_FAILURE_TOOL_ERROR);
    kit *k = kit_rerun(old, (kit_again){.from = "last"});
    kit_sends(k, "last", "{\"x\":\"[10,20]\"}");
    gives(k, "last:1");
    kit_is(k, "completed");
    kit_rerun_refused(k, CTN_E_DENIED, "each would be done again", (kit_again){.from = "list"});
    kit_rerun_refused(old, CTN_E_DENIED, "each would be done again", (kit_again){.from = "list"});
    kit_rerun_refused(old, CTN_E_NOT_FOUND, "as a whole", (kit_again){.from = "each[1]"});
    k = kit_rerun(old, (kit_again){.from = "each"});
    kit_owes(k, "each[0]");
    kit_free(old);
}

static void a_foreach_that_stopped_half_way_is_done_again_as_a_whole(void **state)
{
    (void) state;
    char yaml[2048];
    snprintf(yaml, sizeof yaml, EACH, "noUndo: sent");
    kit *old = kit_new(yaml, NULL);
    gives(old, "list:[1,2]");
    kit_ok(old, "each[0]", "{\"r\": 10}");
    kit_fails(old, "each[1]", CTN_FAILURE_TOOL_ERROR);
    kit_rerun_refused(old, CTN_E_DENIED, "each would be done again", (kit_again){.from = "last"});
    kit *k = kit_rerun(old, (kit_again){.from = "last", .writes = "each"});
    kit_owes(k, "each[0]");
    kit_free(old);
    snprintf(yaml, sizeof yaml, EACH, "rollbackAction: undo, rollbackTemplate: x");
    old = kit_new(yaml, NULL);
    gives(old, "list:[1,2]");
    kit_ok(old, "each[0]", "{\"r\": 10}");
    kit_fails(old, "each[1]", CTN_FAILURE_TOOL_ERROR);
    kit_ok(old, "undo:each[0]", "{}");
    kit_is(old, "rolled_back");
    k = kit_rerun(old, (kit_again){.from = "last"}); /* all of it was undone */
    kit_owes(k, "each[0]");
    kit_ok(k, "each[0]", "{\"r\": 10}");
    kit_ok(k, "each[1]", "{\"r\": 20}");
    kit_fails(k, "last", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "undo:each[1]", "{}");
    kit_ok(k, "undo:each[0]", "{}");
    kit *third = kit_rerun(k, (kit_again){.from = "last"}); /* it had come to its end, and was undone */
    kit_owes(third, "each[0]");
    kit_free(old);
}

/* ---- again and again ---- */

static void a_rerun_of_a_rerun_knows_who_did_the_work(void **state)
{
    (void) state;
    kit *old = line_until_pay();
    kit_fails(old, "pay", CTN_FAILURE_TOOL_ERROR);
    char first[40];
    snprintf(first, sizeof first, "%s", ctn_id_to_text(ctn_execution_id_of(kit_execution(old))).text);
    kit *second = kit_rerun(old, (kit_again){.from = "look", .writes = "book"});
    gives(second, "look:A2");
    kit_fails(second, "book", CTN_FAILURE_TOOL_ERROR); /* other was not reached, and is not lost */
    kit_step_is(second, "other", "pending");
    kit *third = kit_rerun(second, (kit_again){.from = "book"});
    assert_true(kit_step(third, "look").is_reused);
    gives(third, "book:B2");
    kit_owes(third, "pay");
    assert_true(kit_step(third, "other").is_reused);
    const ctn_json *reused = ctn_json_member_of(kit_body(third, CTN_ENTRY_STARTED, 0), "reused");
    assert_true(ctn_str_is(ctn_json_str_or(ctn_json_member_of(reused, "other"), "execution", CTN_STR("")), first));
    assert_null(ctn_json_member_of(ctn_json_member_of(reused, "look"), "execution"));
    kit_fails(third, "pay", CTN_FAILURE_TOOL_ERROR);
    kit *fourth = kit_rerun(third, (kit_again){.from = "pay", .is_queued = true});
    kit_is(fourth, "queued");
    kit_says(fourth, (ctn_input){.kind = CTN_IN_START});
    kit_owes(fourth, "pay");
    kit_fails(fourth, "pay", CTN_FAILURE_TOOL_ERROR);
    kit_rerun_refused(fourth, CTN_E_DENIED, "book would be done again", (kit_again){.from = "look"});
    kit_free(old);
}

static void what_a_person_set_is_not_forgotten(void **state)
{
    (void) state;
    static const char yaml[] =
        CHAIN "- {stepName: a, instructionSet: read, inputTemplate: '{i}', outputVariables: {a: v}}\n"
              "- {stepName: wait, instructionSet: read, inputTemplate: x}\n"
              "- {stepName: last, instructionSet: read, inputTemplate: '{a} {i}'}\n";
    kit *old = kit_new(yaml, &(kit_options){.input = "{\"i\": 1}"});
    gives(old, "a:10");
    kit_pause(old);
    kit_ok(old, "wait", "{}");
    kit_says(old, kit_set(old, "a", "20"));
    kit_says(old, kit_set(old, "i", "2"));
    kit_resume(old);
    kit_sends(old, "last", "{\"x\":\"20 2\"}");
    kit_fails(old, "last", CTN_FAILURE_TOOL_ERROR);
    kit *k = kit_rerun(old, (kit_again){.from = "last"});
    kit_owes(k, "last");
    kit_sends(k, "last", "{\"x\":\"20 2\"}");
    kit_fails(k, "last", CTN_FAILURE_TOOL_ERROR);
    kit *third = kit_rerun(k, (kit_again){.from = "a"}); /* done again, it gives a value of its own */
    gives(third, "a:30");
    kit_sends(third, "last", "{\"x\":\"30 2\"}");
    kit_free(old);
}

/* ---- a first entry that lies ---- */

#define SOME_ID "01890000-0000-7000-8000-000000000000"

static void a_first_entry_that_does_not_fit_the_chain_is_refused(void **state)
{
    (void) state;
    kit *k = line_done();
    const ctn_plan *plan = ctn_execution_plan(kit_execution(k));
    static const char *const BAD[] = {
        "{\"from\": {\"execution\": \"x\"}, \"reused\": {}}",
        "{\"reused\": {}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}, \"reused\": {\"nobody\": {\"status\": \"skipped\"}}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}, \"reused\": {\"pay\": {\"status\": \"running\"}}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}, \"reused\": {\"pay\": {\"status\": \"failed\"}}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}, \"reused\": {\"pay\": {\"status\": \"completed\"}}}",
        "{\"from\": {\"execution\": \"" SOME_ID
        "\"}, \"reused\": {\"pay\": {\"status\": \"completed\", \"variables\": {\"a\": "
        "1}}}}",
        "{\"from\": {\"execution\": \"" SOME_ID "\"}, \"reused\": {\"pay\": 7}}",
    };
    ctn_err err;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(ctn_execution_check_reuse(plan, kit_json(k, BAD[i]), &err), CTN_E_INVALID);
    }
    static const char good[] = "{\"from\": {\"execution\": \"" SOME_ID
                               "\"}, \"reused\": {\"pay\": {\"status\": \"completed\", \"variables\": {\"p\": 1}}}}";
    assert_int_equal(ctn_execution_check_reuse(plan, kit_json(k, good), &err), CTN_OK);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_failure_nothing_that_succeeded_is_done_again),
        cmocka_unit_test(from_the_middle_only_what_reads_it_is_done_again),
        cmocka_unit_test(a_write_is_repeated_only_when_it_is_named),
        cmocka_unit_test(a_changed_input_is_felt_by_its_readers_alone),
        cmocka_unit_test(one_that_has_not_ended_is_left_alone),
        cmocka_unit_test(what_was_undone_is_done_again_and_the_rest_stands),
        cmocka_unit_test(reused_steps_are_never_undone),
        cmocka_unit_test(a_write_that_failed_may_go_again_but_not_one_of_unknown_fate),
        cmocka_unit_test(a_step_between_two_writers_reads_what_it_read_before),
        cmocka_unit_test(a_skip_and_a_failure_that_was_passed_over_are_reused),
        cmocka_unit_test(all_that_a_step_reads_counts),
        cmocka_unit_test(a_newer_definition_does_again_what_is_another),
        cmocka_unit_test(another_text_of_a_document_is_another_step),
        cmocka_unit_test(a_step_that_is_gone_is_missed_by_its_readers),
        cmocka_unit_test(the_lists_of_a_foreach_are_reused),
        cmocka_unit_test(a_foreach_that_stopped_half_way_is_done_again_as_a_whole),
        cmocka_unit_test(a_rerun_of_a_rerun_knows_who_did_the_work),
        cmocka_unit_test(what_a_person_set_is_not_forgotten),
        cmocka_unit_test(a_first_entry_that_does_not_fit_the_chain_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
