/* Where values came from, told from the journals of executions that ran in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "why_kit.h"

/* ---- values ---- */

#define TRIP                                                                                                           \
    "id: trip\nsteps:\n"                                                                                               \
    "  - {stepName: extract, instructionSet: extract, outputVariables: [client, wishes]}\n"                            \
    "  - {stepName: price, instructionSet: price, inputTemplate: 'for {client.name}', outputVariables: {total: "       \
    "a.sum}}\n"                                                                                                        \
    "  - {stepName: paper, instructionSet: send, outputVariables: [sent, text], templateId: paper}\n"                  \
    "instructionSets:\n"                                                                                               \
    "  extract: {tool: t/read_lead, arguments: {lead: '{lead}', at: '{execution.startedAt}', lang: '{lang?}'}}\n"      \
    "  price: {tool: t/book, arguments: {wishes: '{wishes}', note: '{input}', fixed: 7}}\n"                            \
    "  send: {tool: t/read_send}\n"

static kit *trip(void)
{
    kit *k = kit_new(TRIP, &(kit_options){.input = "{\"lead\":\"Hi\"}",
                                          .document = "Dear {{client.name}}, {{total}} {{#sent}}ok{{/sent}}"});
    kit_ok(k, "extract", "{\"client\":{\"name\":\"Ann\"},\"wishes\":[\"spa\",\"sun\"]}");
    kit_ok(k, "price", "{\"a\":{\"sum\":4120}}");
    kit_ok(k, "paper", "{\"sent\":true}");
    kit_is(k, "completed");
    return k;
}

static void a_value_is_walked_back_to_the_input(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "total");
    why_value_is(q, node, "4120");
    why_is(node, "variable:total{answer:t/book@a.sum{"
                 "variable:wishes{answer:t/read_lead@wishes{variable:lead{input:lead}, "
                 "engine at:execution.startedAt}}, "
                 "template note:inputTemplate{variable:client.name{answer:t/read_lead@client.name^}}}}");
    why_value_is(q, node->first->first, "[\"spa\",\"sun\"]");
    why_value_is(q, node->first->first->next, "\"for Ann\"");
    kit_free(k);
}

static void what_a_call_was_sent_is_told_recorded_or_rendered_again(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    const ctn_why_node *written = why_variable(q, "total")->first, *read = why_variable(q, "client")->first;
    assert_string_equal(ctn_json_to_str(q->arena, written->args).ptr,
                        "{\"wishes\":[\"spa\",\"sun\"],\"note\":\"for Ann\",\"fixed\":7}");
    assert_string_equal(ctn_json_to_str(q->arena, read->args).ptr,
                        "{\"lead\":\"Hi\",\"at\":\"2026-11-22T10:00:00.000Z\"}");
    kit_free(k);
}

static void a_way_into_a_value_is_followed(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "wishes[1]");
    why_value_is(q, node, "\"sun\"");
    assert_true(ctn_str_is(node->first->path, "wishes[1]"));
    node = why_variable(q, "client.age");
    assert_null(node->value);
    why_says(q, node, "client has nothing there");
    kit_free(k);
}

static void a_document_comes_from_the_names_in_it(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    why_is(why_variable(q, "text"),
           "variable:text{document:paper{variable:client.name{answer:t/read_lead@client.name{"
           "variable:lead{input:lead}, engine at:execution.startedAt}}, "
           "variable:total{answer:t/book@a.sum{variable:wishes{answer:t/read_lead@wishes^}, "
           "template note:inputTemplate{variable:client.name^}}}, variable:sent{answer:t/read_send@sent}}}");
    why_is(why_variable(q, "sent"), "variable:sent{answer:t/read_send@sent}");
    kit_free(k);
}

static void every_told_entry_is_in_the_journal(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "text");
    assert_int_equal(node->seq, 5);
    assert_int_equal(node->first->first->seq, 2);
    assert_true(ctn_str_is(node->first->first->first->step, "extract"));
    kit_free(k);
}

#define SEARCH                                                                                                         \
    "id: search\nsteps:\n"                                                                                             \
    "  - {stepName: s, instructionSet: both, outputVariables: [flights, hotels, costs]}\n"                             \
    "instructionSets:\n  both:\n    calls:\n"                                                                          \
    "      flights: {tool: t/read_f, arguments: {q: '{q}'}}\n"                                                         \
    "      hotels: {tool: t/read_h, arguments: {near: '{flights.to}'}}\n"                                              \
    "    result: {costs: {from: '{flights.cheapest}', all: '{hotels.sum}/{flights.sum}'}}\n"

static void a_part_of_several_calls_comes_from_the_call_that_gave_it(void **state)
{
    (void) state;
    kit *k = kit_new(SEARCH, &(kit_options){.input = "{\"q\":\"Rome\"}"});
    kit_ok(k, "s.flights", "{\"to\":\"FCO\",\"cheapest\":{\"total\":99},\"sum\":5}");
    kit_ok(k, "s.hotels", "{\"sum\":6}");
    kit_is(k, "completed");
    why_question *q = why_ask(k);
    why_is(why_variable(q, "hotels.sum"), "variable:hotels.sum{answer:t/read_h@sum{"
                                          "answer near:t/read_f@to{variable:q{input:q}}}}");
    const ctn_why_node *node = why_variable(q, "costs.from.total");
    why_is(node, "variable:costs.from.total{template:result of both{answer:t/read_f@cheapest.total{"
                 "variable:q{input:q}}}}");
    why_value_is(q, node->first->first, "99");
    why_is(why_variable(q, "costs.all"), "variable:costs.all{template:result of both{"
                                         "answer:t/read_h@sum{answer near:t/read_f@to{variable:q{input:q}}}, "
                                         "answer:t/read_f@sum^}}");
    kit_free(k);
}

static void an_output_by_expression_names_what_it_was_made_of(void **state)
{
    (void) state;
    kit *k = kit_new("id: o\noutputs: {double: '{n} + {n}'}\nsteps:\n"
                     "  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {}}}\n",
                     NULL);
    kit_ok(k, "a", "{\"n\":21}");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "double");
    why_value_is(q, node, "42");
    why_says(q, node, "output double of the chain: {n} + {n}");
    why_is(node, "output:double{variable:n{answer:t/read_a}, variable:n^}");
    kit_free(k);
}

/* ---- people, defaults, nothing ---- */

#define DESK                                                                                                           \
    "id: desk\ninputSchema: {type: object, properties: {offer: {type: string}, tone: {type: string, default: "         \
    "warm}}}\n"                                                                                                        \
    "steps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved, comment]}\n"                          \
    "  - {stepName: b, instructionSet: s, outputVariables: [sum]}\n"                                                   \
    "instructionSets:\n  yes: {approval: {message: 'Send {offer}?', who: [sam]}}\n"                                    \
    "  s: {tool: t/read_a, arguments: {tone: '{tone}', ok: '{approved}'}}\n"

static void a_persons_word_stands_at_the_end_of_the_walk(void **state)
{
    (void) state;
    kit *k = kit_new(DESK, &(kit_options){.input = "{\"offer\":\"Rome\"}"});
    kit_says(k, kit_answer(k, "ok", "{\"approved\":true,\"comment\":\"go\"}"));
    kit_ok(k, "b", "{\"sum\":1}");
    why_question *q = why_ask(k);
    why_is(why_variable(q, "sum"), "variable:sum{answer:t/read_a{variable:tone{default:tone}, "
                                   "variable ok:approved{answer:sam@approved{"
                                   "variable message:offer{input:offer}}}}}");
    const ctn_why_node *node = why_variable(q, "comment");
    why_says(q, node->first, "answer of sam, who was asked");
    assert_true(ctn_str_is(node->first->actor, "sam"));
    kit_free(k);
}

static void a_variable_that_somebody_set_says_who_and_what_it_replaced(void **state)
{
    (void) state;
    kit *k = kit_new("id: set\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "  - {stepName: w, instructionSet: ask, outputVariables: [approved]}\n"
                     "  - {stepName: b, instructionSet: t, outputVariables: [m]}\n"
                     "instructionSets:\n  s: {tool: t/read_a, arguments: {}}\n  ask: {approval: {}}\n"
                     "  t: {tool: t/read_b, arguments: {n: '{n}'}}\n",
                     NULL);
    kit_ok(k, "a", "{\"n\":1}");
    kit_says_as(k, "dana", kit_set(k, "n", "2"));
    kit_says(k, kit_answer(k, "w", "{\"approved\":true}"));
    kit_sends(k, "b", "{\"n\":2}");
    kit_ok(k, "b", "{\"m\":3}");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_is(node, "variable:n{decision:dana, earlier:n}");
    why_value_is(q, node, "2");
    why_value_is(q, node->last, "1");
    why_says(q, node->last, "it replaced what came from step a");
    why_is(why_variable(q, "m"), "variable:m{answer:t/read_b{variable:n{decision:dana}}}");
    q->options.at_seq = node->last->seq;
    why_value_is(q, why_variable(q, "n"), "1");
    kit_free(k);
}

static void a_variable_that_nobody_set_says_why_not(void **state)
{
    (void) state;
    kit *k = kit_new("id: never\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], "
                     "conditionalExecution: '{total} > 5000'}\n"
                     "instructionSets: {s: {tool: t/read_a}}\n",
                     &(kit_options){.input = "{\"total\":4120}"});
    kit_is(k, "completed");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_says(q, node, "never set");
    assert_null(node->value);
    why_says(q, node->first,
             "a was skipped: its condition `{total} > 5000` was false; total was 4120 (from the input)");
    kit_free(k);
}

static void a_failure_that_the_chain_survived_left_null(void **state)
{
    (void) state;
    kit *k = kit_new("id: on\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], onError: continue}\n"
                     "instructionSets: {s: {tool: t/read_a}}\n",
                     NULL);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "completed");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_value_is(q, node, "null");
    why_says(q, node->first, "step a failed (tool_error), and `onError: continue` makes its variables null");
    kit_free(k);
}

static void a_secret_is_named_and_never_shown(void **state)
{
    (void) state;
    kit *k = kit_new("id: safe\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {who: '{card}', k: '{secret.K?}'}}}\n",
                     &(kit_options){.input = "{\"card\":\"4111\"}"});
    kit_ok(k, "a", "{\"n\":1}");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_is(node, "variable:n{answer:t/read_a{variable who:card{input:card}, secret k:secret.K}}");
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"redacted\":true")), SIZE_MAX);
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"k\":\"[not shown]\"")), SIZE_MAX);
    kit_free(k);
}

static void an_unknown_name_hears_the_nearest(void **state)
{
    (void) state;
    kit *k = trip();
    why_question *q = why_ask(k);
    const ctn_why_node *node = NULL;
    assert_int_equal(ctn_why_variable(q->arena, &q->source, &q->options, CTN_STR("totl"), &node, &q->err),
                     CTN_E_NOT_FOUND);
    assert_string_equal(q->err.message, "the chain has no variable totl; did you mean total?");
    assert_int_equal(ctn_why_variable(q->arena, &q->source, &q->options, CTN_STR("a b"), &node, &q->err),
                     CTN_E_INVALID);
    assert_int_equal(ctn_why_step(q->arena, &q->source, &q->options, CTN_STR("prize"), &node, &q->err),
                     CTN_E_NOT_FOUND);
    assert_string_equal(q->err.message, "the chain has no step prize; did you mean price?");
    assert_true(ctn_why_knows_variable(&q->source, CTN_STR("client.name")));
    assert_false(ctn_why_knows_variable(&q->source, CTN_STR("price")));
    kit_free(k);
}

/* ---- bounds ---- */

/* A chain of n steps, each reading all before it: without `see` the tree would have 2^n nodes. */
static void a_shared_ancestor_is_told_once(void **state)
{
    (void) state;
    char yaml[8000];
    int n = snprintf(yaml, sizeof yaml, "id: deep\nsteps:\n");
    for (int i = 0; i < 20; i++)
        n += snprintf(yaml + n, sizeof yaml - (size_t) n,
                      "  - {stepName: s%d, instructionSet: i%d, outputVariables: [v%d]}\n", i, i, i);
    n += snprintf(yaml + n, sizeof yaml - (size_t) n, "instructionSets:\n");
    for (int i = 0; i < 20; i++) {
        n += snprintf(yaml + n, sizeof yaml - (size_t) n, "  i%d: {tool: t/read_%d, arguments: {x: 1", i, i);
        for (int j = 0; j < i; j++)
            n += snprintf(yaml + n, sizeof yaml - (size_t) n, ", a%d: '{v%d}'", j, j);
        n += snprintf(yaml + n, sizeof yaml - (size_t) n, "}}\n");
    }
    kit *k = kit_new(yaml, NULL);
    for (int i = 0; i < 20; i++) {
        char call[8], value[32];
        snprintf(call, sizeof call, "s%d", i);
        snprintf(value, sizeof value, "{\"v%d\":%d}", i, i);
        kit_ok(k, call, value);
    }
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "v19");
    const ctn_why_node *last = node->first->last;
    assert_int_equal(last->see, 0);
    for (const ctn_why_node *child = last->first->first; child; child = child->next)
        assert_int_not_equal(child->see, 0);
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    assert_true(json.len < 100000);
    assert_int_equal(ctn_str_find(json, CTN_STR("\"cut\"")), SIZE_MAX);
    kit_free(k);
}

/* The walk is bounded: JSON that our own reader takes, and a tree that says where it was cut. */
static void a_walk_that_is_too_deep_says_so(void **state)
{
    (void) state;
    char *yaml = calloc(1, 32768);
    int n = snprintf(yaml, 32768, "id: deep\nsteps:\n");
    for (int i = 0; i < 100; i++)
        n += snprintf(yaml + n, 32768 - (size_t) n,
                      "  - {stepName: s%d, instructionSet: i%d, outputVariables: [v%d]}\n", i, i, i);
    n += snprintf(yaml + n, 32768 - (size_t) n, "instructionSets:\n");
    n += snprintf(yaml + n, 32768 - (size_t) n, "  i0: {tool: t/read_a, arguments: {x: 1}}\n");
    for (int i = 1; i < 100; i++)
        n += snprintf(yaml + n, 32768 - (size_t) n, "  i%d: {tool: t/read_a, arguments: {x: '{v%d}'}}\n", i, i - 1);
    kit *k = kit_new(yaml, NULL);
    for (int i = 0; i < 100; i++) {
        char call[16], value[32];
        snprintf(call, sizeof call, "s%d", i);
        snprintf(value, sizeof value, "{\"v%d\":%d}", i, i);
        kit_ok(k, call, value);
    }
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "v99");
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    (void) json_of(q->arena, json);
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"cut\":true")), SIZE_MAX);
    while (node->first)
        node = node->first;
    assert_true(node->is_cut && node->depth == CTN_WHY_DEPTH_MAX);
    kit_free(k);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_walked_back_to_the_input),
        cmocka_unit_test(what_a_call_was_sent_is_told_recorded_or_rendered_again),
        cmocka_unit_test(a_way_into_a_value_is_followed),
        cmocka_unit_test(a_document_comes_from_the_names_in_it),
        cmocka_unit_test(every_told_entry_is_in_the_journal),
        cmocka_unit_test(a_part_of_several_calls_comes_from_the_call_that_gave_it),
        cmocka_unit_test(an_output_by_expression_names_what_it_was_made_of),
        cmocka_unit_test(a_persons_word_stands_at_the_end_of_the_walk),
        cmocka_unit_test(a_variable_that_somebody_set_says_who_and_what_it_replaced),
        cmocka_unit_test(a_variable_that_nobody_set_says_why_not),
        cmocka_unit_test(a_failure_that_the_chain_survived_left_null),
        cmocka_unit_test(a_secret_is_named_and_never_shown),
        cmocka_unit_test(an_unknown_name_hears_the_nearest),
        cmocka_unit_test(a_shared_ancestor_is_told_once),
        cmocka_unit_test(a_walk_that_is_too_deep_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
