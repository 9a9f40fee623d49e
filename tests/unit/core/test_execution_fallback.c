/* Fallbacks, results that must fit a schema, agents, budgets, and what holds a call back: places, breakers, caches. */
#include <string.h>
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"
#include "unit/kit/json_kit.h"

/* A chain whose steps follow. */
#define CHAIN                                                                                                          \
    "id: c\ninstructionSets:\n"                                                                                        \
    "  main: {tool: t/read_main, arguments: {q: '{input}'}}\n"                                                         \
    "  other: {tool: t/read_other, arguments: {q: '{input}'}}\n"                                                       \
    "  book: {tool: t/book, check: {tool: t/read_check}}\n"                                                            \
    "  undo: {tool: t/idem_undo}\n"                                                                                    \
    "  fail: {tool: t/read_fail}\n"                                                                                    \
    "  person: {approval: {message: 'Which?'}}\n"                                                                      \
    "  write: {agent: {instructions: Write., outputSchema: {type: object, required: [text], properties: {text: "       \
    "{type: string}}}}, arguments: {topic: '{q}'}}\n"                                                                  \
    "steps:\n"

#define FALLBACKS                                                                                                      \
    CHAIN                                                                                                              \
    "- {stepName: a, instructionSet: main, inputTemplate: '{q}', outputVariables: [v],\n"                              \
    "   retryConfig: {maxRetries: 1, backoffMs: 10, jitter: 0},\n"                                                     \
    "   fallback: [{instructionSet: other, inputTemplate: 'or {q}'}, {value: {v: 'none of {q}'}}]}\n"

static void fallbacks_are_tried_in_order_once_retries_are_spent(void **state)
{
    (void) state;
    kit *k = kit_new(FALLBACKS, &(kit_options){.input = "{\"q\": \"x\"}"});
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_pass(k, 10);
    kit_sends(k, "a", "{\"q\":\"x\"}");
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_owes(k, "a");
    kit_sends(k, "a", "{\"q\":\"or x\"}");
    assert_string_equal(kit_key(k, "a"), "a/fallback1");
    assert_int_equal(kit_step(k, "a").fallback, 1);
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE); /* it has retries of its own */
    kit_pass(k, 10);
    kit_crash(k);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"v\": \"none of x\"}");
    kit_journal_is(k, "started attempt_failed:a attempt_failed:a fallback_taken:a attempt_failed:a resumed "
                      "attempt_failed:a fallback_taken:a attempt_succeeded:a completed");
    kit_free(k);
}

static void a_permanent_failure_needs_no_retry_to_fall_back(void **state)
{
    (void) state;
    kit *k = kit_new(FALLBACKS, &(kit_options){.input = "{\"q\": \"x\"}"});
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "a", "{\"v\": 2}");
    kit_outputs_are(k, "{\"v\": 2}");
    assert_int_equal(ctn_json_int_or(kit_body(k, CTN_ENTRY_FALLBACK_TAKEN, 0), "fallback", 0), 1);
    kit_free(k);
}

static void a_verdict_fail_takes_no_fallback(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: main, inputTemplate: hi, conditionalExecution: fail,\n"
                           "   fallback: [{value: {}}]}\n",
                     NULL);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"condition_failed\", \"step\": \"a\"}");
    kit_free(k);
}

#define BOOKING(fallback)                                                                                              \
    CHAIN                                                                                                              \
    "- {stepName: a, instructionSet: book, outputVariables: [v], rollbackAction: undo, fallback: [" fallback "]}\n"    \
    "- {stepName: b, instructionSet: fail}\n"

static void the_value_of_a_fallback_is_not_undone(void **state)
{
    (void) state;
    kit *k = kit_new(BOOKING("{value: {v: 0}}"), NULL);
    kit_fails(k, "a", CTN_FAILURE_TOOL_ERROR);
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rolled_back");
    assert_int_equal(kit_count(k, CTN_ENTRY_COMPENSATION_STARTED, NULL), 0);
    kit_free(k);
}

static void a_lost_write_is_settled_before_a_fallback_is_taken(void **state)
{
    (void) state;
    kit *k = kit_new(BOOKING("{instructionSet: main, inputTemplate: x}"), NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_owes(k, "check:a");
    kit_ok(k, "check:a", "{\"happened\": true, \"result\": {\"v\": 1}}");
    kit_variable_is(k, "v", "1");
    kit_free(k);
    k = kit_new(BOOKING("{instructionSet: main, inputTemplate: x}"), NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:a", "{\"happened\": false, \"final\": true}");
    kit_owes(k, "a");
    assert_string_equal(kit_key(k, "a"), "a/fallback1");
    kit_ok(k, "a", "{\"v\": 2}");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "undo:a");
    kit_ok(k, "undo:a", "{}");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void items_fall_back_one_by_one(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: main, inputTemplate: '{item}', outputVariables: [v],\n"
                           "   foreach: {items: '{xs}', maxConcurrency: 2}, fallback: [{value: {v: 'not {item}'}}]}\n",
                     &(kit_options){.input = "{\"xs\": [1, 2]}"});
    kit_fails(k, "a[0]", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "a[1]", "{\"v\": 5}");
    kit_outputs_are(k, "{\"v\": [\"not 1\", 5]}");
    kit_free(k);
}

/* ---- outputSchema ---- */

static void a_result_that_does_not_fit_is_invalid_output(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: main, inputTemplate: x, outputVariables: [v],\n"
                           "   retryConfig: {maxRetries: 1, backoffMs: 0, retryOn: [invalid_output]},\n"
                           "   outputSchema: {type: object, properties: {v: {type: integer}}}}\n",
                     NULL);
    kit_ok(k, "a", "{\"v\": \"x\"}");
    kit_owes(k, "a");
    kit_ok(k, "a", "{\"v\": []}");
    kit_error_is(k, "{\"code\": \"invalid_output\", \"step\": \"a\"}");
    assert_holds(kit_error_message(k), "/v");
    kit_free(k);
}

/* ---- agents ---- */

static void an_agent_is_told_what_to_do_and_its_answer_must_fit(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: write, outputVariables: [text]}\n",
                     &(kit_options){.input = "{\"q\": \"Rome\"}"});
    kit_is(k, "waiting");
    assert_true(kit_step(k, "a").wants_agent);
    assert_true(
        ctn_json_equal(ctn_json_member_of(kit_step(k, "a").asked, "input"), kit_json(k, "{\"topic\": \"Rome\"}")));
    kit_refused(k, CTN_E_INVALID, "text", kit_answer(k, "a", "{\"txt\": 1}"));
    kit_crash(k);
    kit_says(k, kit_answer(k, "a", "{\"text\": \"Roma\"}"));
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"text\": \"Roma\"}");
    kit_free(k);
}

/* ---- budgets ---- */

#define THREE                                                                                                          \
    "- {stepName: a, instructionSet: fail}\n- {stepName: b, instructionSet: fail}\n- {stepName: c, instructionSet: "   \
    "fail}\n"

static void no_call_begins_beyond_the_budget_until_a_person_grants_it_again(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE "budget: {calls: 1}\n", NULL);
    kit_ok(k, "a", "{}");
    kit_is(k, "waiting");
    kit_owes(k, "");
    assert_non_null(ctn_execution_budget_wait(kit_execution(k)));
    kit_crash(k);
    kit_is(k, "waiting");
    kit_refused(k, CTN_E_INVALID, "", kit_settle_succeed(k, NULL, NULL));
    kit_says_as(k, "ann", kit_settle_retry(NULL));
    kit_owes(k, "b");
    kit_ok(k, "b", "{}");
    kit_is(k, "waiting");
    kit_says(k, kit_settle_fail(NULL));
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\": \"budget\"}");
    kit_free(k);
}

static void a_call_that_its_check_settled_is_counted_once(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: book, noUndo: x}\n- {stepName: b, instructionSet: fail}\n"
                           "budget: {calls: 2, onReached: fail}\n",
                     NULL);
    kit_lost(k, "a", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:a", "{\"happened\": true, \"result\": {}}");
    kit_owes(k, "b");
    kit_ok(k, "b", "{}");
    kit_is(k, "completed");
    kit_free(k);
}

static void a_budget_may_end_the_chain(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE "budget: {tokens: 100, onReached: fail}\n", NULL);
    kit_ends(k, "a", (ctn_input){.value = kit_json(k, "{}"), .was_sent = true, .used = {.tokens = 60}});
    kit_is(k, "failed"); /* another call may need 60 more */
    kit_error_is(k, "{\"code\": \"budget\"}");
    kit_free(k);
    k = kit_new(CHAIN THREE "budget: {money: 0.30, onReached: fail}\n", NULL);
    kit_ends(k, "a", (ctn_input){.value = kit_json(k, "{}"), .was_sent = true, .used = {.money = CTN_STR("0.1")}});
    kit_ends(k, "b", (ctn_input){.value = kit_json(k, "{}"), .was_sent = true, .used = {.money = CTN_STR("0.1")}});
    kit_ends(k, "c", (ctn_input){.value = kit_json(k, "{}"), .was_sent = true, .used = {.money = CTN_STR("0.1")}});
    kit_is(k, "completed"); /* exactly, as binary fractions would not have it */
    kit_free(k);
    k = kit_new(CHAIN THREE "budget: {bytes: 10, onReached: fail}\n", NULL);
    kit_ok(k, "a", "\"12345678\"");
    kit_is(k, "failed");
    kit_free(k);
    k = kit_new(CHAIN THREE "budget: {wallMs: 1000, onReached: fail}\n", NULL);
    kit_pass(k, 1000);
    kit_ok(k, "a", "{}");
    kit_is(k, "failed");
    kit_free(k);
}

/* ---- what holds a call back ---- */

typedef struct world {
    ctn_gate gate;
    int64_t until_ms;
    ctn_cached cached;
    const ctn_json *value;
    char key[80];
    unsigned char schema; /* 0: not known */
} world;

static ctn_gate gate_of(void *ctx, const ctn_execution *x, const ctn_plan_set *set, const ctn_plan_call *call,
                        int64_t now_ms, int64_t *ret_until_ms)
{
    (void) x, (void) set, (void) call, (void) now_ms;
    world *w = ctx;
    *ret_until_ms = w->until_ms;
    return w->gate;
}

static ctn_cached cached_by(void *ctx, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                            const ctn_json **ret_value)
{
    (void) x, (void) now_ms;
    world *w = ctx;
    assert_true(ttl_ms > 0);
    assert_int_equal(key.len, 64);
    memcpy(w->key, key.ptr, key.len);
    *ret_value = w->value;
    return w->cached;
}

static void a_call_that_must_wait_begins_when_there_is_a_place(void **state)
{
    (void) state;
    world w = {.gate = CTN_GATE_LATER};
    kit *k = kit_new(CHAIN THREE, &(kit_options){.gate = gate_of, .world = &w});
    kit_owes(k, "");
    kit_is(k, "running");
    w.gate = CTN_GATE_OPEN;
    kit_world_changed(k);
    kit_owes(k, "a");
    kit_free(k);
}

static void an_open_breaker_is_waited_for_without_spending_a_retry(void **state)
{
    (void) state;
    world w = {.gate = CTN_GATE_BREAKER, .until_ms = KIT_START_MS + 500};
    kit *k = kit_new(CHAIN THREE, &(kit_options){.gate = gate_of, .world = &w});
    kit_owes(k, "");
    kit_step_is(k, "a", "retrying");
    assert_int_equal(kit_wakes_in(k), 500);
    w.until_ms = KIT_START_MS + 900;
    kit_pass(k, 500); /* another call is the probe */
    assert_int_equal(kit_count(k, CTN_ENTRY_BREAKER_WAIT, "a"), 1);
    w.gate = CTN_GATE_OPEN;
    kit_world_changed(k);
    kit_owes(k, "a");
    assert_int_equal(kit_owed(k, "a").attempt, 1);
    kit_free(k);
}

static void an_open_breaker_sends_to_the_fallback_at_once(void **state)
{
    (void) state;
    world w = {.gate = CTN_GATE_BREAKER, .until_ms = KIT_START_MS + 500};
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: fail, outputVariables: [v], fallback: [{value: {v: 1}}]}\n",
                     &(kit_options){.gate = gate_of, .world = &w});
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"v\": 1}");
    kit_free(k);
}

static void a_hit_is_in_the_journal_and_makes_no_call(void **state)
{
    (void) state;
    world w = {.cached = CTN_CACHED_HIT};
    ctn_arena *arena = ctn_arena_new(256);
    w.value = json_of(arena, CTN_STR("{\"v\": 7}"));
    static const char chain[] =
        CHAIN "- {stepName: a, instructionSet: main, inputTemplate: '{q}', outputVariables: [v], "
              "cache: {ttlMs: 1000}}\n";
    kit *k = kit_new(chain, &(kit_options){.cached = cached_by, .world = &w, .input = "{\"q\": 1}"});
    kit_is(k, "completed");
    kit_outputs_are(k, "{\"v\": 7}");
    kit_journal_is(k, "started cache_hit:a completed");
    kit_free(k);
    char before[80];
    memcpy(before, w.key, sizeof before);
    w.cached = CTN_CACHED_SOON;
    k = kit_new(chain, &(kit_options){.cached = cached_by, .world = &w, .input = "{\"q\": 2}"});
    kit_owes(k, ""); /* an equal call is in flight */
    assert_memory_not_equal(before, w.key, 64);
    w.cached = CTN_CACHED_NOT;
    kit_world_changed(k);
    kit_ok(k, "a", "{\"v\": 8}");
    assert_true(ctn_str_equal(ctn_json_str_or(kit_body(k, CTN_ENTRY_ATTEMPT_SUCCEEDED, 0), "cacheKey", CTN_STR("")),
                              (ctn_str){w.key, 64}));
    kit_free(k);
    ctn_arena_free(arena);
}

static bool schema_of(void *ctx, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest)
{
    (void) kind, (void) target;
    world *w = ctx;
    memset(ret_digest, 0, sizeof *ret_digest);
    ret_digest->bytes[0] = w->schema;
    return w->schema != 0;
}

/* The key that a step with this `cache` asks for. */
static void key_of(const char *cache, const char *q, unsigned char schema, char key[80])
{
    world w = {.cached = CTN_CACHED_NOT, .schema = schema};
    char chain[1000], input[40];
    snprintf(chain, sizeof chain, CHAIN "- {stepName: a, instructionSet: main, inputTemplate: '{q}', cache: {%s}}\n",
             cache);
    snprintf(input, sizeof input, "{\"q\": %s}", q);
    kit_free(kit_new(chain, &(kit_options){.cached = cached_by, .schema_of = schema_of, .world = &w, .input = input}));
    assert_int_equal(strlen(w.key), 64);
    memcpy(key, w.key, sizeof w.key);
}

static void a_key_is_of_the_arguments_and_the_tools_schemas_or_of_the_steps_own_words(void **state)
{
    (void) state;
    char first[80], same[80], other[80], newer[80];
    key_of("ttlMs: 9", "1", 0, first);
    key_of("ttlMs: 12", "1", 0, same);
    key_of("ttlMs: 9", "2", 0, other);
    key_of("ttlMs: 9", "1", 7, newer);
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
    assert_string_not_equal(first, newer);
    key_of("ttlMs: 9, key: '{q}'", "1", 0, same);
    assert_string_not_equal(first, same);
    key_of("ttlMs: 9, key: always", "1", 0, first);
    key_of("ttlMs: 9, key: always", "2", 7, same);
    assert_string_equal(first, same);
}

static void what_came_out_of_a_cache_is_not_undone(void **state)
{
    (void) state;
    world w = {.cached = CTN_CACHED_HIT, .value = &ctn_json_true};
    kit *k = kit_new(
        CHAIN "- {stepName: a, instructionSet: book, rollbackAction: undo, cache: {ttlMs: 9, allowWrites: true}}\n"
              "- {stepName: b, instructionSet: fail}\n",
        &(kit_options){.cached = cached_by, .world = &w});
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_is(k, "rolled_back");
    kit_error_is(k, "{\"code\": \"tool_error\", \"step\": \"b\"}");
    assert_int_equal(kit_count(k, CTN_ENTRY_COMPENSATION_STARTED, NULL), 0);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fallbacks_are_tried_in_order_once_retries_are_spent),
        cmocka_unit_test(a_permanent_failure_needs_no_retry_to_fall_back),
        cmocka_unit_test(a_verdict_fail_takes_no_fallback),
        cmocka_unit_test(the_value_of_a_fallback_is_not_undone),
        cmocka_unit_test(a_lost_write_is_settled_before_a_fallback_is_taken),
        cmocka_unit_test(items_fall_back_one_by_one),
        cmocka_unit_test(a_result_that_does_not_fit_is_invalid_output),
        cmocka_unit_test(an_agent_is_told_what_to_do_and_its_answer_must_fit),
        cmocka_unit_test(no_call_begins_beyond_the_budget_until_a_person_grants_it_again),
        cmocka_unit_test(a_call_that_its_check_settled_is_counted_once),
        cmocka_unit_test(a_budget_may_end_the_chain),
        cmocka_unit_test(a_call_that_must_wait_begins_when_there_is_a_place),
        cmocka_unit_test(an_open_breaker_is_waited_for_without_spending_a_retry),
        cmocka_unit_test(an_open_breaker_sends_to_the_fallback_at_once),
        cmocka_unit_test(a_hit_is_in_the_journal_and_makes_no_call),
        cmocka_unit_test(a_key_is_of_the_arguments_and_the_tools_schemas_or_of_the_steps_own_words),
        cmocka_unit_test(what_came_out_of_a_cache_is_not_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
