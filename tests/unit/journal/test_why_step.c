/* Why steps and their items did what they did, told from the journals of executions that ran in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "why_kit.h"

static void a_condition_is_told_with_the_values_it_read_then(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\nsteps:\n  - {stepName: p, instructionSet: s, outputVariables: [total]}\n"
                     "  - {stepName: check, instructionSet: t, conditionalExecution: '{total} > 5000 || {vip}'}\n"
                     "instructionSets:\n  s: {tool: t/read_a, arguments: {}}\n  t: {tool: t/read_b, arguments: {}}\n",
                     NULL);
    kit_ok(k, "p", "{\"total\":6000}");
    kit_ok(k, "check", "{}");
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_step(q, "check");
    why_says(q, node,
             "check completed; it ran because its condition `{total} > 5000 || {vip}` was true; "
             "total was 6000 (from step p), vip was not set");
    assert_true(ctn_str_is(node->status, "completed"));
    why_says(q, node->first, "ready when p had ended");
    assert_int_equal(node->first->next->kind, CTN_WHY_CONDITION);
    why_value_is(q, node->first->next->first, "6000");
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
    why_question *q = why_ask(k);
    assert_holds(why_step(q, "a")->text.ptr, "a is retrying: unavailable");
    why_says(q, why_step(q, "b"), "b has not run: it waits for a (retrying)");
    kit_to_wake(k);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    q = why_ask(k);
    const ctn_why_node *node = why_step(q, "a");
    assert_holds(why_event(node, "attempt_failed", 0)->text.ptr, "tried again after 1000 ms (retry 1 of 1)");
    assert_holds(why_event(node, "attempt_failed", 1)->text.ptr, "no retry: all 1 are spent");
    assert_holds(node->text.ptr, "; so the chain stopped");
    why_says(q, why_step(q, "b"), "b never ran: the chain stopped first, because step a failed (unavailable)");
    kit_free(k);
}

static void what_cannot_be_retried_says_so(void **state)
{
    (void) state;
    kit *k = kit_new(RETRIES, NULL);
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    why_question *q = why_ask(k);
    assert_holds(why_step(q, "a")->text.ptr, "(no retry: denied is permanent, and retryOn does not name it)");
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
    why_question *q = why_ask(k);
    assert_holds(why_step(q, "a")->text.ptr, "a is interrupted: timeout");
    assert_holds(why_event(why_step(q, "a"), "attempt_failed", 0)->text.ptr, "may have happened");
    kit_says_as(k, "dana", kit_settle_succeed(k, NULL, "{\"n\":5}"));
    kit_is(k, "completed");
    q = why_ask(k);
    why_says(q, why_step(q, "a"), "a completed; dana said that it happened");
    why_says(q, why_event(why_step(q, "a"), "decision", 0),
             "settled by dana: it did happen, with the result that was given");
    const ctn_why_node *node = why_variable(q, "n");
    why_is(node, "variable:n{decision:dana{variable:x{input:x}}}");
    why_says(q, node->first, "word of dana that t/book did happen, with this result");
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
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_says(q, node->first, "answer of the check t/read_book: t/book did happen");
    why_says(q, why_event(why_step(q, "a"), "checked", 0), "its check was asked: it did happen");
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
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "n");
    why_is(node, "variable:n{answer:t/read_a{variable:n{input:n}}, earlier:n}");
    why_value_is(q, node->first->first, "1");
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
    why_question *q = why_ask(k);
    why_says(q, why_variable(q, "n")->first, "answer of t/book");
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
    why_question *q = why_ask(k);
    why_says(q, why_step(q, "a"), "a was undone, because the chain stopped: step b failed (denied)");
    why_says(q, why_event(why_step(q, "a"), "compensation_started", 0),
             "undone, for the chain was stopping (step b failed (denied))");
    kit_free(k);
}

static void a_cancelled_chain_says_who_cancelled_it(void **state)
{
    (void) state;
    kit *k = kit_new(RETRIES, NULL);
    kit_cancel(k);
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_step(q, "b");
    assert_holds(node->text.ptr, "b never ran: the chain stopped first, because ");
    assert_holds(node->text.ptr, " cancelled it");
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
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "price[1].sum");
    why_value_is(q, node, "20");
    why_is(node, "variable:price[1].sum{answer:t/read_p@sum{variable name:hotels[1].name{input:hotels}, "
                 "engine key:step.key}}");
    assert_int_equal(node->first->item, 1);
    assert_int_equal(node->first->attempt, 2);
    const char *key = strstr(ctn_json_to_str(q->arena, node->first->args).ptr, "/price[1]/do\"");
    assert_non_null(key);
    node = why_variable(q, "price[3]");
    why_value_is(q, node, "null");
    why_says(q, node->first, "item 3 of step price failed (denied), and `onError: continue` makes it null");
    kit_free(k);
}

static void a_list_tells_of_its_items(void **state)
{
    (void) state;
    kit *k = hotels();
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "price");
    why_value_is(q, node, "[{\"sum\":10},{\"sum\":20},{\"sum\":30},null]");
    why_says(q, node->first, "list of what step price gave for each of 4 items, 1 of which failed");
    assert_true(node->first->is_cut);
    why_is(node->first->first, "variable items:hotels{input:hotels}");
    why_value_is(q, node->first->last, "{\"sum\":30}");
    kit_free(k);
}

static void a_step_with_items_tells_of_all_or_of_one(void **state)
{
    (void) state;
    kit *k = hotels();
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_step(q, "price");
    why_says(q, node, "price completed, for 4 items, 1 of which failed; after 1 retry");
    why_says(q, why_event(node, "foreach_started", 0), "runs over 4 items");
    assert_int_equal(why_event(node, "attempt_failed", 1)->item, 3);
    node = why_step(q, "price[1]");
    why_says(q, node, "price[1]: attempt 2 succeeded and gave price");
    assert_holds(ctn_json_to_str(q->arena, why_event(node, "t/read_p", 0)->args).ptr, "{\"name\":\"b\",\"key\":");
    why_says(q, why_event(node, "attempt_failed", 0),
             "attempt 1 failed: unavailable: no luck; tried again after 100 ms (retry 1 of 1)");
    why_says(q, why_event(node, "attempt_succeeded", 0), "attempt 2 succeeded and gave price");
    for (const ctn_why_node *child = node->first; child; child = child->next)
        assert_true(child->item == 1 || child->item == -1);
    why_says(
        q, why_step(q, "price[3]"),
        "price[3]: attempt 1 failed: denied: no luck; no retry: denied is permanent, and retryOn does not name it");
    why_says(q, why_step(q, "price[9]"), "price[9]: the journal knows nothing of it");
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
    why_question *q = why_ask(k);
    const ctn_why_node *node = why_variable(q, "v[1]");
    why_is(node, "variable:v[1]{answer:t/read_n{template n:item{variable:to{input:to}}}}");
    why_value_is(q, node->first->first, "4");
    assert_string_equal(ctn_json_to_str(q->arena, node->first->args).ptr, "{\"n\":4}");
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
    kit_sends(k, "a", "{\"input\":\"plan 2\"}");
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    kit_is(k, "completed");
    why_question *q = why_ask(k);
    why_is(why_variable(q, "n"), "variable:n{default:{variable value:y{input:y}}}");
    why_says(q, why_step(q, "a"), "a completed, by fallback 2");
    why_says(q, why_event(why_step(q, "a"), "attempt_failed", 0),
             "attempt 1 failed: denied: no luck; no retry: denied is permanent, so fallback 1 is taken");
    kit_free(k);
    k = kit_new("id: f\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], inputTemplate: '{x}',\n"
                "     fallback: [{instructionSet: t, inputTemplate: 'plan {y}'}]}\n"
                "instructionSets:\n  s: {tool: t/read_s}\n  t: {tool: t/read_t}\n",
                &(kit_options){.input = "{\"x\":1,\"y\":2}"});
    kit_fails(k, "a", CTN_FAILURE_DENIED);
    kit_ok(k, "a", "{\"n\":5}");
    q = why_ask(k);
    why_is(why_variable(q, "n"), "variable:n{answer:t/read_t{template input:inputTemplate{variable:y{input:y}}}}");
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
    why_question *q = why_ask(k);
    why_says(q, why_step(q, "b"),
             "b has not run: it is ready, and the execution waits for a decision about its budget (calls)");
    kit_says_as(k, "ann", kit_settle_retry(NULL));
    kit_ok(k, "b", "{}");
    kit_says_as(k, "bo", kit_settle_fail(NULL));
    q = why_ask(k);
    why_says(q, why_event(why_step(q, "b"), "waiting", 0),
             "the execution's budget was reached (calls): nothing starts until somebody decides");
    why_says(q, why_event(why_step(q, "b"), "decision", 0), "ann granted the budget once more");
    why_says(q, why_step(q, "c"), "c was stopped with the chain: bo let it end at its budget");
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
    why_question *q = why_ask(k);
    why_says(q, why_step(q, "a"), "a waits: the circuit breaker of t/read_a is open");
    gate = CTN_GATE_OPEN;
    kit_to_wake(k);
    kit_ok(k, "a", "{}");
    q = why_ask(k);
    why_says(q, why_step(q, "a"), "a completed");
    why_says(q, why_event(why_step(q, "a"), "breaker_wait", 0),
             "waits, for the circuit breaker of t/read_a is open; no retry is spent");
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
