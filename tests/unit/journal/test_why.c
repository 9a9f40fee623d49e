/* Where values came from and why steps did what they did, told from the journals of executions that ran in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "journal/why.h"
#include "unit/kit/execution_kit.h"

/* ---- asking ---- */

typedef struct question {
    ctn_arena *arena;
    ctn_why_source source;
    ctn_why_options options;
    ctn_err err;
} question;

static question *ask(kit *k)
{
    ctn_arena *arena = ctn_arena_new(65536);
    question *q = CTN_NEW(arena, question);
    q->arena = arena;
    size_t count = 0;
    const ctn_record *records = kit_records(k, &count);
    ctn_entry *entries = CTN_NEW_ARRAY(arena, ctn_entry, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ctn_record_to_entry(&records[i], arena, &entries[i], NULL), CTN_OK);
    q->source = (ctn_why_source){.execution = kit_execution(k), .entries = entries, .count = count};
    return q;
}

static void done(question *q)
{
    ctn_arena_free(q->arena);
}

static const ctn_why_node *variable(question *q, const char *path)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_variable(q->arena, &q->source, &q->options, ctn_str_from(path), &node, &q->err))
        fail_msg("%s: %s", path, q->err.message);
    return node;
}

static const ctn_why_node *step(question *q, const char *name)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_step(q->arena, &q->source, &q->options, ctn_str_from(name), &node, &q->err))
        fail_msg("%s: %s", name, q->err.message);
    return node;
}

/* The tree as one line: kind:role<name(see){children}. */
static void write_shape(ctn_buf *out, const ctn_why_node *node)
{
    ctn_buf_printf(out, "%s", ctn_why_kind_name(node->kind));
    if (node->role.len && !ctn_str_equal(node->role, node->name))
        ctn_buf_printf(out, " %.*s", CTN_STR_ARG(node->role));
    ctn_buf_printf(out, ":%.*s%s%.*s%s", CTN_STR_ARG(node->name), node->path.len ? "@" : "", CTN_STR_ARG(node->path),
                   node->see ? "^" : "");
    for (const ctn_why_node *child = node->first; child; child = child->next) {
        ctn_buf_printf(out, child == node->first ? "{" : ", ");
        write_shape(out, child);
    }
    if (node->first)
        ctn_buf_printf(out, "}");
}

static void assert_shape(const ctn_why_node *node, const char *expected)
{
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    write_shape(&out, node);
    ctn_buf_append_char(&out, 0);
    assert_string_equal(out.data, expected);
    ctn_buf_done(&out);
}

static void assert_value(question *q, const ctn_why_node *node, const char *json)
{
    ctn_str text = node->value ? ctn_json_to_str(q->arena, node->value) : CTN_STR("nothing");
    char *copy = ctn_arena_alloc(q->arena, text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    assert_string_equal(copy, json);
}

static void assert_says(question *q, const ctn_why_node *node, const char *expected)
{
    assert_string_equal(ctn_arena_str(q->arena, node->text).ptr, expected);
}

/* The n-th event of that name, from 0. */
static const ctn_why_node *event(const ctn_why_node *step, const char *name, int n)
{
    for (const ctn_why_node *child = step->first; child; child = child->next)
        if (child->kind == CTN_WHY_EVENT && ctn_str_is(child->name, name) && n-- == 0)
            return child;
    fail_msg("no event %s", name);
    return NULL;
}

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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "total");
    assert_value(q, node, "4120");
    assert_shape(node, "variable:total{answer:t/book@a.sum{"
                       "variable:wishes{answer:t/read_lead@wishes{variable:lead{input:lead}, "
                       "engine at:execution.startedAt}}, "
                       "template note:inputTemplate{variable:client.name{answer:t/read_lead@client.name^}}}}");
    assert_value(q, node->first->first, "[\"spa\",\"sun\"]");
    assert_value(q, node->first->first->next, "\"for Ann\"");
    done(q);
    kit_free(k);
}

static void what_a_call_was_sent_is_told_recorded_or_rendered_again(void **state)
{
    (void) state;
    kit *k = trip();
    question *q = ask(k);
    const ctn_why_node *written = variable(q, "total")->first, *read = variable(q, "client")->first;
    assert_string_equal(ctn_json_to_str(q->arena, written->args).ptr,
                        "{\"wishes\":[\"spa\",\"sun\"],\"note\":\"for Ann\",\"fixed\":7}");
    assert_string_equal(ctn_json_to_str(q->arena, read->args).ptr,
                        "{\"lead\":\"Hi\",\"at\":\"2026-11-22T10:00:00.000Z\"}");
    done(q);
    kit_free(k);
}

static void a_way_into_a_value_is_followed(void **state)
{
    (void) state;
    kit *k = trip();
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "wishes[1]");
    assert_value(q, node, "\"sun\"");
    assert_true(ctn_str_is(node->first->path, "wishes[1]"));
    node = variable(q, "client.age");
    assert_null(node->value);
    assert_says(q, node, "client has nothing there");
    done(q);
    kit_free(k);
}

static void a_document_comes_from_the_names_in_it(void **state)
{
    (void) state;
    kit *k = trip();
    question *q = ask(k);
    assert_shape(variable(q, "text"),
                 "variable:text{document:paper{variable:client.name{answer:t/read_lead@client.name{"
                 "variable:lead{input:lead}, engine at:execution.startedAt}}, "
                 "variable:total{answer:t/book@a.sum{variable:wishes{answer:t/read_lead@wishes^}, "
                 "template note:inputTemplate{variable:client.name^}}}, variable:sent{answer:t/read_send@sent}}}");
    assert_shape(variable(q, "sent"), "variable:sent{answer:t/read_send@sent}");
    done(q);
    kit_free(k);
}

static void every_told_entry_is_in_the_journal(void **state)
{
    (void) state;
    kit *k = trip();
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "text");
    assert_int_equal(node->seq, 5);
    assert_int_equal(node->first->first->seq, 2);
    assert_true(ctn_str_is(node->first->first->first->step, "extract"));
    done(q);
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
    question *q = ask(k);
    assert_shape(variable(q, "hotels.sum"), "variable:hotels.sum{answer:t/read_h@sum{"
                                            "answer near:t/read_f@to{variable:q{input:q}}}}");
    const ctn_why_node *node = variable(q, "costs.from.total");
    assert_shape(node, "variable:costs.from.total{template:result of both{answer:t/read_f@cheapest.total{"
                       "variable:q{input:q}}}}");
    assert_value(q, node->first->first, "99");
    assert_shape(variable(q, "costs.all"), "variable:costs.all{template:result of both{"
                                           "answer:t/read_h@sum{answer near:t/read_f@to{variable:q{input:q}}}, "
                                           "answer:t/read_f@sum^}}");
    done(q);
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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "double");
    assert_value(q, node, "42");
    assert_says(q, node, "output double of the chain: {n} + {n}");
    assert_shape(node, "output:double{variable:n{answer:t/read_a}, variable:n^}");
    done(q);
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
    kit_says(k, (ctn_input){.kind = CTN_IN_ANSWER,
                            .name = CTN_STR("ok"),
                            .value = kit_json(k, "{\"approved\":true,\"comment\":\"go\"}")});
    kit_ok(k, "b", "{\"sum\":1}");
    question *q = ask(k);
    assert_shape(variable(q, "sum"), "variable:sum{answer:t/read_a{variable:tone{default:tone}, "
                                     "variable ok:approved{answer:sam@approved{"
                                     "variable message:offer{input:offer}}}}}");
    const ctn_why_node *node = variable(q, "comment");
    assert_says(q, node->first, "answer of sam, who was asked");
    assert_true(ctn_str_is(node->first->actor, "sam"));
    done(q);
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
    kit_says(
        k, (ctn_input){.kind = CTN_IN_SET, .name = CTN_STR("n"), .value = kit_json(k, "2"), .actor = CTN_STR("dana")});
    kit_says(k, (ctn_input){.kind = CTN_IN_ANSWER, .name = CTN_STR("w"), .value = kit_json(k, "{\"approved\":true}")});
    assert_string_equal(kit_args(k, "b"), "{\"n\":2}");
    kit_ok(k, "b", "{\"m\":3}");
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_shape(node, "variable:n{decision:dana, earlier:n}");
    assert_value(q, node, "2");
    assert_value(q, node->last, "1");
    assert_says(q, node->last, "it replaced what came from step a");
    assert_shape(variable(q, "m"), "variable:m{answer:t/read_b{variable:n{decision:dana}}}");
    q->options.at_seq = node->last->seq;
    assert_value(q, variable(q, "n"), "1");
    done(q);
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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_says(q, node, "never set");
    assert_null(node->value);
    assert_says(q, node->first,
                "a was skipped: its condition `{total} > 5000` was false; total was 4120 (from the input)");
    done(q);
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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_value(q, node, "null");
    assert_says(q, node->first, "step a failed (tool_error), and `onError: continue` makes its variables null");
    done(q);
    kit_free(k);
}

static void a_secret_is_named_and_never_shown(void **state)
{
    (void) state;
    kit *k = kit_new("id: safe\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {who: '{card}', k: '{secret.K?}'}}}\n",
                     &(kit_options){.input = "{\"card\":\"4111\"}"});
    kit_ok(k, "a", "{\"n\":1}");
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_shape(node, "variable:n{answer:t/read_a{variable who:card{input:card}, secret k:secret.K}}");
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"redacted\":true")), SIZE_MAX);
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"k\":\"[not shown]\"")), SIZE_MAX);
    done(q);
    kit_free(k);
}

static void an_unknown_name_hears_the_nearest(void **state)
{
    (void) state;
    kit *k = trip();
    question *q = ask(k);
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
    done(q);
    kit_free(k);
}

/* ---- steps ---- */

static void a_condition_is_told_with_the_values_it_read_then(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\nsteps:\n  - {stepName: p, instructionSet: s, outputVariables: [total]}\n"
                     "  - {stepName: check, instructionSet: t, conditionalExecution: '{total} > 5000 || {vip}'}\n"
                     "instructionSets:\n  s: {tool: t/read_a, arguments: {}}\n  t: {tool: t/read_b, arguments: {}}\n",
                     NULL);
    kit_ok(k, "p", "{\"total\":6000}");
    kit_ok(k, "check", "{}");
    question *q = ask(k);
    const ctn_why_node *node = step(q, "check");
    assert_says(q, node,
                "check completed; it ran because its condition `{total} > 5000 || {vip}` was true; "
                "total was 6000 (from step p), vip was not set");
    assert_true(ctn_str_is(node->status, "completed"));
    assert_says(q, node->first, "ready when p had ended");
    assert_int_equal(node->first->next->kind, CTN_WHY_CONDITION);
    assert_value(q, node->first->next->first, "6000");
    done(q);
    kit_free(k);
}

#define RETRIES                                                                                                        \
    "id: r\nsteps:\n  - {stepName: a, instructionSet: s, retryConfig: {maxRetries: 1, backoffMs: 1000, jitter: 0}}\n"  \
    "  - {stepName: b, instructionSet: s}\ninstructionSets: {s: {tool: t/read_a, arguments: {}}}\n"

static void retries_are_told_with_their_waits_and_their_end(void **state)
{
    (void) state;
    kit *k = kit_new(RETRIES, NULL);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    question *q = ask(k);
    assert_non_null(strstr(step(q, "a")->text.ptr, "a is retrying: unavailable"));
    assert_says(q, step(q, "b"), "b has not run: it waits for a (retrying)");
    done(q);
    kit_to_wake(k);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    q = ask(k);
    const ctn_why_node *node = step(q, "a");
    assert_non_null(strstr(event(node, "attempt_failed", 0)->text.ptr, "tried again after 1000 ms (retry 1 of 1)"));
    assert_non_null(strstr(event(node, "attempt_failed", 1)->text.ptr, "no retry: all 1 are spent"));
    assert_non_null(strstr(node->text.ptr, "; so the chain stopped"));
    assert_says(q, step(q, "b"), "b never ran: the chain stopped first, because step a failed (unavailable)");
    done(q);
    kit_free(k);
}

static void what_cannot_be_retried_says_so(void **state)
{
    (void) state;
    kit *k = kit_new(RETRIES, NULL);
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    question *q = ask(k);
    assert_non_null(strstr(step(q, "a")->text.ptr, "(no retry: denied is permanent, and retryOn does not name it)"));
    done(q);
    kit_free(k);
}

static void an_interrupted_write_says_who_settled_it(void **state)
{
    (void) state;
    kit *k = kit_new("id: w\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets: {s: {tool: t/book, arguments: {x: '{x}'}}}\n",
                     &(kit_options){.input = "{\"x\":1}"});
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_is(k, "interrupted");
    question *q = ask(k);
    assert_non_null(strstr(step(q, "a")->text.ptr, "a is interrupted: timeout"));
    assert_non_null(strstr(event(step(q, "a"), "attempt_failed", 0)->text.ptr, "may have happened"));
    done(q);
    kit_says(k, (ctn_input){.kind = CTN_IN_SETTLE,
                            .settle = CTN_SETTLE_SUCCEED,
                            .value = kit_json(k, "{\"n\":5}"),
                            .actor = CTN_STR("dana")});
    kit_is(k, "completed");
    q = ask(k);
    assert_says(q, step(q, "a"), "a completed; dana said that it happened");
    assert_says(q, event(step(q, "a"), "decision", 0),
                "settled by dana: it did happen, with the result that was given");
    const ctn_why_node *node = variable(q, "n");
    assert_shape(node, "variable:n{decision:dana{variable:x{input:x}}}");
    assert_says(q, node->first, "word of dana that t/book did happen, with this result");
    done(q);
    kit_free(k);
}

static void a_check_that_says_yes_is_where_the_value_came_from(void **state)
{
    (void) state;
    kit *k = kit_new("id: w\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets:\n  s: {tool: t/book, arguments: {}, check: {tool: t/read_book}}\n",
                     NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:a", "{\"happened\":true,\"result\":{\"n\":5}}");
    kit_is(k, "completed");
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_says(q, node->first, "answer of the check t/read_book: t/book did happen");
    assert_says(q, event(step(q, "a"), "checked", 0), "its check was asked: it did happen");
    done(q);
    kit_free(k);
}

/* A step that writes what it reads read the value before its own. */
static void a_step_that_overwrites_what_it_read_is_no_cause_of_itself(void **state)
{
    (void) state;
    kit *k = kit_new("id: count\ninputSchema: {type: object, properties: {n: {type: integer}}}\nsteps:\n  - {stepName: "
                     "a, instructionSet: s, outputVariables: [n]}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {n: '{n}'}}}\n",
                     &(kit_options){.input = "{\"n\":1}"});
    kit_ok(k, "a", "{\"n\":2}");
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "n");
    assert_shape(node, "variable:n{answer:t/read_a{variable:n{input:n}}, earlier:n}");
    assert_value(q, node->first->first, "1");
    done(q);
    kit_free(k);
}

/* The check's word led to a failed attempt; the value is from the next one. */
static void what_settled_an_earlier_attempt_is_no_cause(void **state)
{
    (void) state;
    kit *k = kit_new("id: w\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n, m],\n"
                     "     retryConfig: {maxRetries: 1, backoffMs: 10, retryOn: [missing_output]}}\n"
                     "instructionSets:\n  s: {tool: t/book, arguments: {}, check: {tool: t/read_book}}\n",
                     NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:a", "{\"happened\":true,\"result\":{}}");
    kit_to_wake(k);
    kit_ok(k, "a", "{\"n\":5,\"m\":6}");
    kit_is(k, "completed");
    question *q = ask(k);
    assert_says(q, variable(q, "n")->first, "answer of t/book");
    done(q);
    kit_free(k);
}

static void an_undone_step_says_what_stopped_the_chain(void **state)
{
    (void) state;
    kit *k = kit_new("id: u\nsteps:\n  - {stepName: a, instructionSet: s, rollbackAction: undo, outputVariables: [n]}\n"
                     "  - {stepName: b, instructionSet: t}\n"
                     "instructionSets:\n  s: {tool: t/book, arguments: {}}\n  undo: {tool: t/cancel, arguments: {}}\n"
                     "  t: {tool: t/read_a, arguments: {}}\n",
                     NULL);
    kit_ok(k, "a", "{\"n\":1}");
    kit_fails(k, "b", CTN_FAILURE_DENIED);
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    question *q = ask(k);
    assert_says(q, step(q, "a"), "a was undone, because the chain stopped: step b failed (denied)");
    assert_says(q, event(step(q, "a"), "compensation_started", 0),
                "undone, for the chain was stopping (step b failed (denied))");
    done(q);
    kit_free(k);
}

static void a_cancelled_chain_says_who_cancelled_it(void **state)
{
    (void) state;
    kit *k = kit_new(RETRIES, NULL);
    kit_cancel(k);
    question *q = ask(k);
    const ctn_why_node *node = step(q, "b");
    assert_non_null(strstr(node->text.ptr, "b never ran: the chain stopped first, because "));
    assert_non_null(strstr(node->text.ptr, " cancelled it"));
    done(q);
    kit_free(k);
}

/* ---- items, fallbacks, budgets ---- */

#define HOTELS                                                                                                         \
    "id: h\nsteps:\n"                                                                                                  \
    "  - {stepName: price, instructionSet: price, outputVariables: [price], onError: continue,\n"                      \
    "     retryConfig: {maxRetries: 1, backoffMs: 100, jitter: 0},\n"                                                  \
    "     foreach: {items: '{hotels}', as: hotel, maxConcurrency: 4}}\n"                                               \
    "instructionSets:\n  price: {tool: t/read_p, arguments: {name: '{hotel.name}', key: '{step.key}'}}\n"

static kit *hotels(void)
{
    kit *k = kit_new(HOTELS, &(kit_options){.input = "{\"hotels\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},"
                                                     "{\"name\":\"d\"}]}"});
    kit_ok(k, "price[2]", "{\"price\":{\"sum\":30}}");
    kit_fails(k, "price[1]", CTN_FAILURE_UNAVAILABLE);
    kit_ok(k, "price[0]", "{\"price\":{\"sum\":10}}");
    kit_fails(k, "price[3]", CTN_FAILURE_DENIED);
    kit_to_wake(k);
    kit_ok(k, "price[1]", "{\"price\":{\"sum\":20}}");
    kit_is(k, "completed");
    return k;
}

static void an_item_of_a_list_comes_from_its_own_call(void **state)
{
    (void) state;
    kit *k = hotels();
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "price[1].sum");
    assert_value(q, node, "20");
    assert_shape(node, "variable:price[1].sum{answer:t/read_p@sum{variable name:hotels[1].name{input:hotels}, "
                       "engine key:step.key}}");
    assert_int_equal(node->first->item, 1);
    assert_int_equal(node->first->attempt, 2);
    const char *key = strstr(ctn_json_to_str(q->arena, node->first->args).ptr, "/price[1]/do\"");
    assert_non_null(key);
    node = variable(q, "price[3]");
    assert_value(q, node, "null");
    assert_says(q, node->first, "item 3 of step price failed (denied), and `onError: continue` makes it null");
    done(q);
    kit_free(k);
}

static void a_list_tells_of_its_items(void **state)
{
    (void) state;
    kit *k = hotels();
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "price");
    assert_value(q, node, "[{\"sum\":10},{\"sum\":20},{\"sum\":30},null]");
    assert_says(q, node->first, "list of what step price gave for each of 4 items, 1 of which failed");
    assert_true(node->first->is_cut);
    assert_shape(node->first->first, "variable items:hotels{input:hotels}");
    assert_value(q, node->first->last, "{\"sum\":30}");
    done(q);
    kit_free(k);
}

static void a_step_with_items_tells_of_all_or_of_one(void **state)
{
    (void) state;
    kit *k = hotels();
    question *q = ask(k);
    const ctn_why_node *node = step(q, "price");
    assert_says(q, node, "price completed, for 4 items, 1 of which failed; after 1 retry");
    assert_says(q, event(node, "foreach_started", 0), "runs over 4 items");
    assert_int_equal(event(node, "attempt_failed", 1)->item, 3);
    node = step(q, "price[1]");
    assert_says(q, node, "price[1]: attempt 2 succeeded and gave price");
    assert_non_null(
        strstr(ctn_json_to_str(q->arena, event(node, "t/read_p", 0)->args).ptr, "{\"name\":\"b\",\"key\":"));
    assert_says(q, event(node, "attempt_failed", 0),
                "attempt 1 failed: unavailable: no luck; tried again after 100 ms (retry 1 of 1)");
    assert_says(q, event(node, "attempt_succeeded", 0), "attempt 2 succeeded and gave price");
    for (const ctn_why_node *child = node->first; child; child = child->next)
        assert_true(child->item == 1 || child->item == -1);
    assert_says(
        q, step(q, "price[3]"),
        "price[3]: attempt 1 failed: denied: no luck; no retry: denied is permanent, and retryOn does not name it");
    assert_says(q, step(q, "price[9]"), "price[9]: the journal knows nothing of it");
    done(q);
    kit_free(k);
}

static void a_range_gives_numbers_to_its_items(void **state)
{
    (void) state;
    kit *k =
        kit_new("id: r\nsteps:\n  - {stepName: n, instructionSet: s, outputVariables: [v], foreach: {items: {range: "
                "[3, '{to}']}}}\ninstructionSets: {s: {tool: t/read_n, arguments: {n: '{item}'}}}\n",
                &(kit_options){.input = "{\"to\":5}"});
    kit_ok(k, "n[0]", "{\"v\":1}");
    kit_ok(k, "n[1]", "{\"v\":2}");
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "v[1]");
    assert_shape(node, "variable:v[1]{answer:t/read_n{template n:item{variable:to{input:to}}}}");
    assert_value(q, node->first->first, "4");
    assert_string_equal(ctn_json_to_str(q->arena, node->first->args).ptr, "{\"n\":4}");
    done(q);
    kit_free(k);
}

static void a_fallback_is_told_with_what_led_to_it(void **state)
{
    (void) state;
    kit *k = kit_new("id: f\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], inputTemplate: '{x}',\n"
                     "     fallback: [{instructionSet: t, inputTemplate: 'plan {y}'}, {value: {n: '{y}'}}]}\n"
                     "instructionSets:\n  s: {tool: t/read_s}\n  t: {tool: t/read_t}\n",
                     &(kit_options){.input = "{\"x\":1,\"y\":2}"});
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    assert_string_equal(kit_args(k, "a"), "{\"input\":\"plan 2\"}");
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    kit_is(k, "completed");
    question *q = ask(k);
    assert_shape(variable(q, "n"), "variable:n{default:{variable value:y{input:y}}}");
    assert_says(q, step(q, "a"), "a completed, by fallback 2");
    assert_says(q, event(step(q, "a"), "attempt_failed", 0),
                "attempt 1 failed: denied: no luck; no retry: denied is permanent, so fallback 1 is taken");
    done(q);
    kit_free(k);
    k = kit_new("id: f\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], inputTemplate: '{x}',\n"
                "     fallback: [{instructionSet: t, inputTemplate: 'plan {y}'}]}\n"
                "instructionSets:\n  s: {tool: t/read_s}\n  t: {tool: t/read_t}\n",
                &(kit_options){.input = "{\"x\":1,\"y\":2}"});
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    kit_ok(k, "a", "{\"n\":5}");
    q = ask(k);
    assert_shape(variable(q, "n"), "variable:n{answer:t/read_t{template input:inputTemplate{variable:y{input:y}}}}");
    done(q);
    kit_free(k);
}

static void a_step_that_waits_for_a_budget_says_so(void **state)
{
    (void) state;
    kit *k = kit_new("id: b\nbudget: {calls: 1}\nsteps:\n  - {stepName: a, instructionSet: s}\n"
                     "  - {stepName: b, instructionSet: s}\n  - {stepName: c, instructionSet: s}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {}}}\n",
                     NULL);
    kit_ok(k, "a", "{}");
    question *q = ask(k);
    assert_says(q, step(q, "b"),
                "b has not run: it is ready, and the execution waits for a decision about its budget (calls)");
    done(q);
    kit_says(k, (ctn_input){.kind = CTN_IN_SETTLE, .settle = CTN_SETTLE_RETRY, .actor = CTN_STR("ann")});
    kit_ok(k, "b", "{}");
    kit_says(k, (ctn_input){.kind = CTN_IN_SETTLE, .settle = CTN_SETTLE_FAIL, .actor = CTN_STR("bo")});
    q = ask(k);
    assert_says(q, event(step(q, "b"), "waiting", 0),
                "the execution's budget was reached (calls): nothing starts until somebody decides");
    assert_says(q, event(step(q, "b"), "decision", 0), "ann granted the budget once more");
    assert_says(q, step(q, "c"), "c was stopped with the chain: bo let it end at its budget");
    done(q);
    kit_free(k);
}

static ctn_gate closed(void *ctx, const ctn_execution *x, const ctn_plan_set *set, const ctn_plan_call *call,
                       int64_t now_ms, int64_t *ret_until_ms)
{
    (void) x, (void) set, (void) call, (void) now_ms;
    *ret_until_ms = KIT_START_MS + 500;
    return *(const ctn_gate *) ctx;
}

static void a_step_that_a_breaker_holds_back_says_so(void **state)
{
    (void) state;
    ctn_gate gate = CTN_GATE_BREAKER;
    kit *k = kit_new("id: b\nsteps:\n  - {stepName: a, instructionSet: s}\n"
                     "instructionSets: {s: {tool: t/read_a, arguments: {}}}\n",
                     &(kit_options){.gate = closed, .world = &gate});
    question *q = ask(k);
    assert_says(q, step(q, "a"), "a waits: the circuit breaker of t/read_a is open");
    done(q);
    gate = CTN_GATE_OPEN;
    kit_to_wake(k);
    kit_ok(k, "a", "{}");
    q = ask(k);
    assert_says(q, step(q, "a"), "a completed");
    assert_says(q, event(step(q, "a"), "breaker_wait", 0),
                "waits, for the circuit breaker of t/read_a is open; no retry is spent");
    done(q);
    kit_free(k);
}

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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "v19");
    const ctn_why_node *last = node->first->last;
    assert_int_equal(last->see, 0);
    for (const ctn_why_node *child = last->first->first; child; child = child->next)
        assert_int_not_equal(child->see, 0);
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    assert_true(json.len < 100000);
    assert_int_equal(ctn_str_find(json, CTN_STR("\"cut\"")), SIZE_MAX);
    done(q);
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
    question *q = ask(k);
    const ctn_why_node *node = variable(q, "v99");
    ctn_str json = ctn_json_to_str(q->arena, ctn_why_to_json(q->arena, node));
    const ctn_json *back = NULL;
    assert_int_equal(ctn_json_parse(q->arena, json, NULL, &back, NULL), CTN_OK);
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"cut\":true")), SIZE_MAX);
    while (node->first)
        node = node->first;
    assert_true(node->is_cut && node->depth == CTN_WHY_DEPTH_MAX);
    done(q);
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
        cmocka_unit_test(a_condition_is_told_with_the_values_it_read_then),
        cmocka_unit_test(retries_are_told_with_their_waits_and_their_end),
        cmocka_unit_test(what_cannot_be_retried_says_so),
        cmocka_unit_test(an_interrupted_write_says_who_settled_it),
        cmocka_unit_test(a_check_that_says_yes_is_where_the_value_came_from),
        cmocka_unit_test(a_step_that_overwrites_what_it_read_is_no_cause_of_itself),
        cmocka_unit_test(what_settled_an_earlier_attempt_is_no_cause),
        cmocka_unit_test(an_undone_step_says_what_stopped_the_chain),
        cmocka_unit_test(a_cancelled_chain_says_who_cancelled_it),
        cmocka_unit_test(an_item_of_a_list_comes_from_its_own_call),
        cmocka_unit_test(a_list_tells_of_its_items),
        cmocka_unit_test(a_step_with_items_tells_of_all_or_of_one),
        cmocka_unit_test(a_range_gives_numbers_to_its_items),
        cmocka_unit_test(a_fallback_is_told_with_what_led_to_it),
        cmocka_unit_test(a_step_that_waits_for_a_budget_says_so),
        cmocka_unit_test(a_step_that_a_breaker_holds_back_says_so),
        cmocka_unit_test(a_shared_ancestor_is_told_once),
        cmocka_unit_test(a_walk_that_is_too_deep_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
