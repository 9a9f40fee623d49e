/* A foreach: its items one by one, in their order, as many at once as allowed; each with its own attempts and undo. */
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

/* A chain whose steps follow. */
#define CHAIN                                                                                                          \
    "id: c\ninstructionSets:\n"                                                                                        \
    "  price: {tool: t/read_price, arguments: {hotel: '{hotel}'}}\n"                                                   \
    "  book: {tool: t/book, arguments: {hotel: '{item.name}'}}\n"                                                      \
    "  unbook: {tool: t/idem_unbook, arguments: {ref: '{input.ref?}', hotel: '{item.name}'}}\n"                        \
    "  fail: {tool: t/read_fail}\n"                                                                                    \
    "  ask: {approval: {message: 'Take {item}?'}}\n"                                                                   \
    "steps:\n"

#define PRICES                                                                                                         \
    CHAIN                                                                                                              \
    "- {stepName: price, instructionSet: price, outputVariables: [price], %s\n"                                        \
    "   foreach: {items: '{hotels}', as: hotel, maxConcurrency: %d}}\n"

static kit *prices(const char *more, int concurrency, const char *input)
{
    static char yaml[2048];
    snprintf(yaml, sizeof yaml, PRICES, more, concurrency);
    return kit_new(yaml, &(kit_options){.input = input});
}

static void items_run_in_order_and_give_lists_in_order(void **state)
{
    (void) state;
    kit *k = prices("", 2, "{\"hotels\": [\"a\", \"b\", \"c\"]}");
    kit_owes(k, "price[0] price[1]");
    kit_sends(k, "price[1]", "{\"hotel\":\"b\"}");
    assert_string_equal(kit_key(k, "price[1]"), "price[1]/do");
    kit_ok(k, "price[1]", "{\"price\": 20}");
    kit_owes(k, "price[0] price[2]");
    kit_ok(k, "price[2]", "{\"price\": 30}");
    kit_variable_is(k, "price", NULL);
    kit_ok(k, "price[0]", "{\"price\": 10}");
    kit_is(k, "completed");
    kit_variable_is(k, "price", "[10, 20, 30]");
    kit_journal_is(k, "started foreach_started:price attempt_succeeded:price attempt_succeeded:price "
                      "attempt_succeeded:price attempt_succeeded:price completed");
    kit_free(k);
}

static void no_items_give_empty_lists(void **state)
{
    (void) state;
    kit *k = prices("", 2, "{\"hotels\": []}");
    kit_is(k, "completed");
    kit_variable_is(k, "price", "[]");
    kit_free(k);
}

static void what_is_no_list_fails_the_step(void **state)
{
    (void) state;
    kit *k = prices("", 2, "{\"hotels\": \"a\"}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"invalid_input\", \"step\": \"price\"}");
    assert_string_equal(kit_error_message(k), "foreach: the items must be a list, not string");
    kit_free(k);
    k = prices("onError: continue,", 2, "{\"hotels\": {}}");
    kit_is(k, "completed");
    kit_variable_is(k, "price", "null");
    kit_free(k);
}

static void a_range_is_never_a_list(void **state)
{
    (void) state;
    static const char yaml[] =
        "id: c\n"
        "instructionSets:\n  count: {tool: t/read_n, arguments: {n: '{item}'}}\n"
        "steps:\n"
        "- {stepName: n, instructionSet: count, foreach: {items: {range: [3, '{to}']}, maxConcurrency: 1}}\n"
        "- {stepName: none, instructionSet: count, foreach: {items: {range: [5, 2]}}}\n";
    kit *k = kit_new(yaml, &(kit_options){.input = "{\"to\": 5}"});
    kit_sends(k, "n[0]", "{\"n\":3}");
    kit_ok(k, "n[0]", "{}");
    kit_sends(k, "n[1]", "{\"n\":4}");
    kit_ok(k, "n[1]", "{}");
    kit_is(k, "completed");
    kit_free(k);
    k = kit_new(yaml, &(kit_options){.input = "{\"to\": \"many\"}"});
    kit_error_is(k, "{\"code\": \"invalid_input\", \"step\": \"n\"}");
    kit_free(k);
    k = kit_new(yaml, &(kit_options){.input = "{\"to\": 4.5}"});
    kit_error_is(k, "{\"code\": \"invalid_input\", \"step\": \"n\"}");
    kit_free(k);
}

static void each_item_has_its_own_retries(void **state)
{
    (void) state;
    kit *k = prices("retryConfig: {maxRetries: 1, backoffMs: 100, jitter: 0},", 2, "{\"hotels\": [\"a\", \"b\"]}");
    kit_fails(k, "price[0]", CTN_FAILURE_UNAVAILABLE);
    kit_owes(k, "price[1]");
    kit_fails(k, "price[1]", CTN_FAILURE_UNAVAILABLE);
    kit_owes(k, "");
    kit_pass(k, 100);
    kit_owes(k, "price[0] price[1]");
    kit_ok(k, "price[0]", "{\"price\": 1}");
    kit_fails(k, "price[1]", CTN_FAILURE_UNAVAILABLE);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"unavailable\", \"step\": \"price\", \"item\": 1}");
    kit_free(k);
}

static void a_failed_item_is_null_in_the_list_when_the_chain_goes_on(void **state)
{
    (void) state;
    kit *k = prices("onError: continue,", 1, "{\"hotels\": [\"a\", \"b\"]}");
    kit_fails(k, "price[0]", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "price[1]", "{\"price\": 2}");
    kit_is(k, "completed");
    kit_variable_is(k, "price", "[null, 2]");
    kit_free(k);
}

#define TRIP                                                                                                           \
    CHAIN                                                                                                              \
    "- {stepName: book, instructionSet: book, outputVariables: [ref], rollbackAction: unbook,\n"                       \
    "   foreach: {items: '{hotels}', maxConcurrency: 2}}\n"                                                            \
    "- {stepName: fail, instructionSet: fail}\n"

static const char HOTELS[] = "{\"hotels\": [{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]}";

static void completed_items_are_undone_one_by_one_latest_first(void **state)
{
    (void) state;
    kit *k = kit_new(TRIP, &(kit_options){.input = HOTELS});
    kit_ok(k, "book[1]", "{\"ref\": 11}");
    kit_ok(k, "book[0]", "{\"ref\": 10}");
    kit_ok(k, "book[2]", "{\"ref\": 12}");
    kit_variable_is(k, "ref", "[10, 11, 12]");
    kit_fails(k, "fail", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "compensating");
    kit_owes(k, "undo:book[2]");
    kit_sends(k, "undo:book[2]", "{\"ref\":12,\"hotel\":\"c\"}");
    assert_string_equal(kit_key(k, "undo:book[2]"), "book[2]/undo");
    kit_ok(k, "undo:book[2]", "{}");
    kit_owes(k, "undo:book[0]");
    kit_crash(k);
    kit_owes(k, "undo:book[0]");
    kit_ok(k, "undo:book[0]", "{}");
    kit_fails(k, "undo:book[1]", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rollback_failed");
    kit_error_is(k, "{\"code\": \"tool_error\", \"step\": \"fail\", \"leftUndone\": [\"book\"]}");
    kit_free(k);
}

static void an_item_that_fails_stops_the_others_and_undoes_what_was_done(void **state)
{
    (void) state;
    kit *k = kit_new(TRIP, &(kit_options){.input = HOTELS});
    kit_ok(k, "book[0]", "{\"ref\": 10}");
    kit_owes(k, "book[1] book[2]");
    kit_fails(k, "book[1]", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "book[2]"); /* a write in flight is awaited */
    kit_pass(k, 5000);
    kit_is(k, "compensating");
    kit_owes(k, "undo:book[2]"); /* of unknown outcome: first */
    kit_ok(k, "undo:book[2]", "{}");
    kit_ok(k, "undo:book[0]", "{}");
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\": \"tool_error\", \"step\": \"book\", \"item\": 1}");
    kit_free(k);
}

static void a_crash_between_items_repeats_no_recorded_one(void **state)
{
    (void) state;
    kit *k = prices("", 2, "{\"hotels\": [\"a\", \"b\", \"c\", \"d\"]}");
    kit_ok(k, "price[1]", "{\"price\": 2}");
    kit_ok(k, "price[2]", "{\"price\": 3}");
    kit_crash(k);
    kit_owes(k, "price[0] price[3]");
    kit_ok(k, "price[3]", "{\"price\": 4}");
    kit_crash(k);
    kit_owes(k, "price[0]");
    kit_ok(k, "price[0]", "{\"price\": 1}");
    kit_variable_is(k, "price", "[1, 2, 3, 4]");
    kit_is(k, "completed");
    kit_free(k);
}

static void items_that_wait_are_answered_by_their_number(void **state)
{
    (void) state;
    kit *k =
        kit_new(CHAIN "- {stepName: ask, instructionSet: ask, outputVariables: [approved], foreach: {items: '{xs}', "
                      "maxConcurrency: 3}}\n",
                &(kit_options){.input = "{\"xs\": [7, 8]}"});
    kit_is(k, "waiting");
    static const char yes[] = "{\"approved\": true}";
    kit_refused(k, CTN_E_INVALID, "several items of ask wait", kit_answer(k, "ask", yes));
    kit_refused(k, CTN_E_STATE, "", kit_answer(k, "ask[9]", yes));
    kit_refused(k, CTN_E_INVALID, "", kit_answer(k, "ask[x]", yes));
    kit_says(k, kit_answer(k, "ask[1]", yes));
    kit_says(k, kit_answer(k, "ask", yes)); /* only one is left */
    kit_is(k, "completed");
    kit_variable_is(k, "approved", "[true, true]");
    kit_free(k);
}

static void lists_that_are_too_large_fail_the_step_and_not_the_memory(void **state)
{
    (void) state;
    static char yaml[2048];
    snprintf(yaml, sizeof yaml, PRICES, "", 1);
    kit *k = kit_new(yaml, &(kit_options){.input = "{\"hotels\": [1, 2, 3]}", .value_bytes_max = 40});
    kit_ok(k, "price[0]", "{\"price\": \"123456789012345678901234567890\"}");
    kit_ok(k, "price[1]", "{\"price\": \"123456789012345678901234567890\"}");
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"price\"}");
    kit_free(k);
    k = kit_new(yaml,
                &(kit_options){.input = "{\"hotels\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", .value_bytes_max = 33});
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"limit\", \"step\": \"price\"}");
    kit_free(k);
}

static void a_million_items_take_the_memory_of_a_few(void **state)
{
    (void) state;
    enum { ITEMS = 1000000 };
    ctn_arena *scratch = ctn_arena_new(65536);
    kit *k = kit_new("id: c\n"
                     "instructionSets:\n  count: {tool: t/read_n, arguments: {n: '{item}'}}\n"
                     "steps:\n- {stepName: n, instructionSet: count, foreach: {items: {range: [0, 1000000]}}}\n",
                     &(kit_options){.steps_max = ITEMS});
    ctn_execution *x = (ctn_execution *) kit_execution(k);
    const ctn_rules rules = {.steps_max = ITEMS};
    size_t before = 0;
    for (int i = 0; i < ITEMS; i++) {
        ctn_arena_reset(scratch);
        ctn_json_builder b = ctn_json_object(scratch);
        ctn_entry e = {.kind = CTN_ENTRY_ATTEMPT_SUCCEEDED, .at_ms = kit_now(k), .step = CTN_STR("n"), .item = i};
        e.attempt = 1;
        e.actor = CTN_STR("engine");
        ctn_json_put(&b, CTN_STR("variables"),
                     ctn_json_finish(&(ctn_json_builder){.arena = scratch, .kind = CTN_JSON_OBJECT}));
        e.body = ctn_json_finish(&b);
        ctn_execution_apply(x, &e);
        if (i == 100)
            before = ctn_execution_bytes(x);
    }
    assert_true(ctn_execution_bytes(x) < before + 4096);
    ctn_entry e;
    assert_true(ctn_execution_next(x, &rules, 1, 0, scratch, &e));
    assert_int_equal(e.kind, CTN_ENTRY_ATTEMPT_SUCCEEDED);
    assert_int_equal(e.item, -1);
    ctn_arena_free(scratch);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_run_in_order_and_give_lists_in_order),
        cmocka_unit_test(no_items_give_empty_lists),
        cmocka_unit_test(what_is_no_list_fails_the_step),
        cmocka_unit_test(a_range_is_never_a_list),
        cmocka_unit_test(each_item_has_its_own_retries),
        cmocka_unit_test(a_failed_item_is_null_in_the_list_when_the_chain_goes_on),
        cmocka_unit_test(completed_items_are_undone_one_by_one_latest_first),
        cmocka_unit_test(an_item_that_fails_stops_the_others_and_undoes_what_was_done),
        cmocka_unit_test(a_crash_between_items_repeats_no_recorded_one),
        cmocka_unit_test(items_that_wait_are_answered_by_their_number),
        cmocka_unit_test(lists_that_are_too_large_fail_the_step_and_not_the_memory),
        cmocka_unit_test(a_million_items_take_the_memory_of_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
