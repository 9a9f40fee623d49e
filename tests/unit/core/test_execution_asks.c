/* Calls whose peer asks, or goes on by itself: the wait, the answer, what a death of the engine changes. */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"
#include <stdio.h>

#define NAME                                                                                                           \
    "{\"who\":{\"message\":\"Your name?\",\"schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"         \
    "\"string\",\"minLength\":1}},\"required\":[\"name\"]}}}"
#define ADA "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}"

/* The whole of it, for each effect class: a start that is on record, and one that is not. */
static void a_call_that_asks_waits_for_its_answer_and_goes_on(void **state)
{
    (void) state;
    static const char *const sets[] = {"r", "i", "w"};
    for (size_t i = 0; i < 3; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, KIT_CHAIN "  - {stepName: a, instructionSet: %s, inputTemplate: hi}\n", sets[i]);
        kit *k = kit_new(yaml, NULL);
        const char *key = kit_key(k, "a"), *args = kit_args(k, "a");
        kit_goes_on(k, "a", NULL, NULL);
        kit_asks(k, "a", NAME, "{\"state\":\"s1\"}");
        kit_is(k, "waiting");
        kit_step_is(k, "a", "waiting");
        kit_owes(k, "");
        assert_int_equal(kit_wakes_in(k), -1);
        assert_false(ctn_execution_is_busy(kit_execution(k)));
        ctn_step_view v = kit_step(k, "a");
        assert_true(v.wants_input && !v.wants_agent && !v.wants_approval && !v.waits_for_time);
        assert_true(ctn_str_is(v.message, "Your name?"));
        assert_non_null(ctn_json_member_of(ctn_json_member_of(v.asked, "asks"), "who"));
        assert_null(ctn_json_member_of(v.asked, "continuation"));
        kit_pass(k, 7200000);
        kit_crash(k);
        kit_is(k, "waiting");
        kit_refused(k, CTN_E_INVALID, "name", kit_answer(k, "a", "{\"nam\":\"Ada\"}"));
        kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
        kit_owes(k, "a");
        assert_string_equal(kit_key(k, "a"), key);
        kit_sends(k, "a", args);
        kit_goes_on(k, "a", "{\"state\":\"s1\"}", ADA);
        kit_refused(k, CTN_E_STATE, "first answer stands", kit_answer(k, "a", "{\"name\":\"Bob\"}"));
        kit_asks(k, "a", NAME, "{\"state\":\"s2\"}"); /* another round */
        kit_says(k, kit_answer(k, "a", "{\"action\":\"decline\"}"));
        kit_goes_on(k, "a", "{\"state\":\"s2\"}", "{\"who\":{\"action\":\"decline\"}}");
        kit_ok(k, "a", "1");
        kit_is(k, "completed");
        assert_int_equal(kit_step(k, "a").attempt, 1);
        kit_free(k);
    }
}

static void an_answer_that_does_not_fit_is_a_sentence_and_changes_nothing(void **state)
{
    (void) state;
    static const char two[] = "{\"who\":{\"message\":\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{"
                              "\"type\":\"integer\",\"default\":3}}}},\"pay\":{\"message\":\"Pay there\",\"url\":"
                              "\"https://pay.example/1\"}}";
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    kit_asks(k, "a", two, "1");
    static const struct {
        const char *answer, *part;
    } wrong[] = {
        {"{\"n\":1}", "each by its name"},
        {"\"yes\"", "each by its name"},
        {"{}", "each by its name"},
        {"{\"action\":\"accept\"}", "each by its name"},
        {"{\"who\":{\"action\":\"accept\"}}", "pay is asked for, too"},
        {"{\"who\":{\"action\":\"agree\"},\"pay\":{\"action\":\"accept\"}}", "each by its name"},
        {"{\"who\":{\"action\":\"accept\"},\"pay\":{\"action\":\"accept\"},\"x\":{\"action\":\"accept\"}}", "each by"},
        {"{\"who\":{\"action\":\"accept\",\"content\":{\"n\":\"x\"}},\"pay\":{\"action\":\"accept\"}}", "/n"},
        {"{\"who\":{\"action\":\"accept\",\"content\":{\"m\":1}},\"pay\":{\"action\":\"accept\"}}",
         "did you mean \"n\"?"},
        {"{\"who\":{\"action\":\"accept\",\"content\":3},\"pay\":{\"action\":\"accept\"}}", "is an object"},
        {"{\"who\":{\"action\":\"accept\"},\"pay\":{\"action\":\"accept\",\"content\":{\"n\":1}}}", "no content"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        kit_refused(k, CTN_E_INVALID, wrong[i].part, kit_answer(k, "a", wrong[i].answer));
    kit_refused(k, CTN_E_STATE, "does not wait", kit_answer(k, "a/no", "{}"));
    kit_says(k, kit_answer(k, "a", "{\"pay\":{\"action\":\"cancel\"},\"who\":{\"action\":\"accept\"}}"));
    kit_goes_on(k, "a", "1", "{\"who\":{\"action\":\"accept\",\"content\":{\"n\":3}},\"pay\":{\"action\":\"cancel\"}}");
    kit_ok(k, "a", "1");
    kit_free(k);
}

/* A schema that asks for an `action` itself: the content is what is meant, and by its key both can be said. */
static void an_asked_action_is_no_action(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: r}\n", NULL);
    kit_asks(k, "a",
             "{\"q\":{\"message\":\"m\",\"schema\":{\"type\":\"object\",\"properties\":{\"action\":{\"type\":"
             "\"string\"}}}}}",
             NULL);
    kit_says(k, kit_answer(k, "a", "{\"action\":\"accept\"}"));
    kit_goes_on(k, "a", "null", "{\"q\":{\"action\":\"accept\",\"content\":{\"action\":\"accept\"}}}");
    kit_ok(k, "a", "1");
    kit_free(k);
}

static void what_cannot_be_answered_fails_the_step(void **state)
{
    (void) state;
    static const char *const wrong[] = {
        "[]",
        "{\"q\":{}}",
        "{\"q\":{\"message\":1}}",
        "{\"q\":{\"message\":\"m\",\"schema\":{\"type\":12}}}",
        "{\"q\":{\"message\":\"m\",\"url\":3}}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
        kit_asks(k, "a", wrong[i], "1");
        kit_is(k, "failed");
        kit_error_is(k, "{\"code\":\"protocol_error\",\"step\":\"a\"}");
        kit_free(k);
    }
}

/* Only a bound ends a peer that always asks again; one that wants no answer is asked at once. */
static void a_peer_that_asks_for_ever_fails(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    for (int i = 0; i < 100; i++) {
        kit_owes(k, "a");
        kit_asks(k, "a", "{}", "{\"n\":1}");
    }
    kit_goes_on(k, "a", "{\"n\":1}", NULL);
    kit_crash(k); /* a request to go on may have been the last: as any write */
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_retry("a"));
    kit_goes_on(k, "a", NULL, NULL);
    for (int i = 0; i < 101; i++)
        kit_asks(k, "a", "{}", "{\"n\":1}");
    kit_is(k, "failed");
    assert_non_null(strstr(kit_error_message(k), "100 times"));
    kit_free(k);
}

/* Repeatable work that was answered goes on after a death with what it had; a write cannot know. */
static void an_answered_call_that_dies_goes_on_if_it_may_be_repeated(void **state)
{
    (void) state;
    static const char *const sets[] = {"r", "i"};
    for (size_t i = 0; i < 2; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, KIT_CHAIN "  - {stepName: a, instructionSet: %s}\n", sets[i]);
        kit *k = kit_new(yaml, NULL);
        kit_asks(k, "a", NAME, "1");
        kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
        kit_crash(k);
        kit_goes_on(k, "a", "1", ADA);
        kit_ok(k, "a", "1");
        kit_is(k, "completed");
        kit_free(k);
    }
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    kit_asks(k, "a", NAME, "1");
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_succeed(k, "a", "7"));
    kit_is(k, "completed");
    kit_free(k);
}

static void an_accepted_call_survives_any_number_of_deaths(void **state)
{
    (void) state;
    static const char *const sets[] = {"r", "i", "w"};
    for (size_t i = 0; i < 3; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, KIT_CHAIN "  - {stepName: a, instructionSet: %s, inputTemplate: hi}\n", sets[i]);
        kit *k = kit_new(yaml, NULL);
        const char *key = kit_key(k, "a"), *args = kit_args(k, "a");
        kit_accepted(k, "a", "{\"task\":\"t\"}");
        kit_is(k, "running");
        kit_owes(k, "a");
        kit_crashes(k, 7);
        kit_is(k, "running");
        kit_goes_on(k, "a", "{\"task\":\"t\"}", NULL);
        assert_string_equal(kit_key(k, "a"), key);
        kit_sends(k, "a", args);
        kit_accepted(k, "a", "{\"task\":\"t\",\"n\":2}");
        kit_restart(k);
        kit_asks(k, "a", NAME, "{\"task\":\"t\",\"n\":3}");
        kit_is(k, "waiting");
        kit_crash(k);
        kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
        kit_crash(k); /* still with its peer */
        kit_goes_on(k, "a", "{\"task\":\"t\",\"n\":3}", ADA);
        kit_accepted(k, "a", "{\"task\":\"t\",\"n\":4}");
        kit_goes_on(k, "a", "{\"task\":\"t\",\"n\":4}", NULL);
        kit_ok(k, "a", "1");
        kit_is(k, "completed");
        kit_free(k);
    }
}

/* One that failed is tried anew, and knows nothing of what its peer had said. */
static void another_attempt_begins_from_nothing(void **state)
{
    (void) state;
    kit *k =
        kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: r, retryConfig: {maxRetries: 1, backoffMs: 100}}\n", NULL);
    kit_accepted(k, "a", "{\"task\":\"t\"}");
    kit_asks(k, "a", NAME, "{\"task\":\"t\"}");
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
    kit_to_wake(k);
    kit_goes_on(k, "a", NULL, NULL);
    kit_ok(k, "a", "1");
    kit_free(k);
}

/* What was used of the step's time before it asked is gone; the wait itself costs nothing. */
static void a_wait_does_not_spend_the_steps_time(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w, timeoutMs: 1000}\n", NULL);
    kit_pass(k, 300);
    kit_ends(k, "a", (ctn_input){.asks = kit_json(k, NAME), .begun_at_ms = KIT_START_MS, .was_sent = true});
    kit_pass(k, 86400000);
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    assert_int_equal(kit_owed(k, "a").timeout_ms, 700);
    kit_ok(k, "a", "1");
    kit_free(k);
}

static size_t left(kit *k)
{
    ctn_asking_call *calls;
    return ctn_execution_asking(kit_execution(k), kit_arena(k), &calls);
}

/* What only asked has not happened; what its peer had accepted may have. */
static void a_chain_that_stops_lets_go_of_what_waits(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    kit_asks(k, "a", NAME, "1");
    assert_int_equal(left(k), 1);
    kit_cancel(k);
    assert_int_equal(left(k), 0);
    kit_is(k, "cancelled");
    kit_error_is(k, "{\"code\":\"cancelled\"}");
    kit_free(k);

    k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    kit_accepted(k, "a", "1");
    kit_asks(k, "a", NAME, "1");
    kit_cancel(k);
    kit_is(k, "cancelled");
    kit_error_is(k, "{\"code\":\"cancelled\",\"notUndone\":[\"a\"]}");
    kit_free(k);

    k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL); /* its peer asks when it stops already */
    kit_cancel(k);
    kit_asks(k, "a", NAME, "1");
    kit_is(k, "cancelled");
    kit_error_is(k, "{\"code\":\"cancelled\"}");
    kit_free(k);

    k = kit_new("id: c\ntimeoutMs: 5000\ninstructionSets:\n  w: {tool: t/write_w}\nsteps:\n"
                "  - {stepName: a, instructionSet: w}\n",
                NULL);
    kit_asks(k, "a", NAME, "1");
    kit_to_wake(k);
    kit_is(k, "failed");
    kit_error_is(k, "{\"code\":\"timeout\"}");
    kit_free(k);
}

static void an_undo_may_ask_too(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\nrollbackEnabled: true\ninstructionSets:\n  w: {tool: t/write_w}\n  u: {tool: t/idem_u}\n"
                     "steps:\n  - {stepName: a, instructionSet: w, rollbackAction: u}\n"
                     "  - {stepName: b, instructionSet: w, dependsOn: [a]}\n",
                     NULL);
    kit_ok(k, "a", "1");
    kit_fails(k, "b", CTN_FAILURE_TOOL_ERROR);
    kit_owes(k, "undo:a");
    kit_asks(k, "undo:a", NAME, "1");
    kit_is(k, "compensating");
    kit_step_is(k, "a", "waiting");
    assert_true(kit_step(k, "a").wants_input && kit_step(k, "a").is_undoing);
    assert_false(ctn_execution_is_busy(kit_execution(k)));
    kit_crash(k);
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_goes_on(k, "undo:a", "1", ADA);
    kit_accepted(k, "undo:a", "2");
    kit_crash(k);
    kit_goes_on(k, "undo:a", "2", NULL);
    kit_ok(k, "undo:a", "1");
    kit_is(k, "rolled_back");
    kit_free(k);
}

static void calls_of_a_set_and_items_are_answered_by_their_names(void **state)
{
    (void) state;
    kit *k =
        kit_new("id: c\ninstructionSets:\n  two:\n    calls:\n      x: {tool: t/write_x}\n      y: {tool: t/read_y}\n"
                "steps:\n  - {stepName: a, instructionSet: two, parallelExecution: true}\n",
                NULL);
    kit_owes(k, "a.x a.y");
    kit_asks(k, "a.x", NAME, "1");
    kit_is(k, "running");
    kit_asks(k, "a.y", NAME, "2");
    kit_is(k, "waiting");
    kit_refused(k, CTN_E_INVALID, "several calls", kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_says(k, kit_answer(k, "a/y", "{\"name\":\"Ada\"}"));
    kit_goes_on(k, "a.y", "2", ADA);
    kit_crash(k);
    kit_ok(k, "a.y", "2");
    kit_is(k, "waiting");
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_ok(k, "a.x", "1");
    kit_is(k, "completed");
    kit_free(k);

    k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w, foreach: {items: '{list}', maxConcurrency: 2}}\n",
                &(kit_options){.input = "{\"list\":[1,2,3]}"});
    kit_owes(k, "a[0] a[1]");
    kit_asks(k, "a[0]", NAME, "0");
    kit_asks(k, "a[1]", NAME, "1");
    kit_is(k, "waiting");
    kit_refused(k, CTN_E_INVALID, "several items", kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_crash(k);
    kit_says(k, kit_answer(k, "a[1]", "{\"name\":\"Ada\"}"));
    kit_ok(k, "a[1]", "1");
    kit_owes(k, "a[2]");
    kit_ok(k, "a[2]", "1");
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_ok(k, "a[0]", "1");
    kit_is(k, "completed");
    kit_free(k);
}

/* Nothing of a paused execution begins: it is answered, and goes on when the pause is over. */
static void a_paused_one_takes_the_answer_and_waits_for_its_end(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: w}\n", NULL);
    kit_asks(k, "a", NAME, "1");
    kit_pause(k);
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_owes(k, "");
    kit_resume(k);
    kit_goes_on(k, "a", "1", ADA);
    kit_ok(k, "a", "1");
    kit_free(k);
}

/* Each request to go on is a call like any other, the wait is none. */
static void the_budget_counts_requests(void **state)
{
    (void) state;
    kit *k = kit_new("id: c\nbudget: {calls: 2}\ninstructionSets:\n  r: {tool: t/read_r}\nsteps:\n"
                     "  - {stepName: a, instructionSet: r}\n  - {stepName: b, instructionSet: r, dependsOn: [a]}\n",
                     NULL);
    kit_asks(k, "a", NAME, "1");
    kit_crash(k);
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_ok(k, "a", "1");
    kit_is(k, "waiting");
    kit_says(k, kit_settle_retry(NULL));
    kit_ok(k, "b", "1");
    kit_is(k, "completed");
    kit_free(k);
}

/* What an answer gave is no result for others. */
static ctn_cached never(void *world, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                        const ctn_json **ret_value)
{
    (void) world, (void) x, (void) key, (void) ttl_ms, (void) now_ms, (void) ret_value;
    return CTN_CACHED_NOT;
}
static void an_answered_call_is_not_cached(void **state)
{
    (void) state;
    kit *k = kit_new(KIT_CHAIN "  - {stepName: a, instructionSet: r, cache: {ttlMs: 1000}}\n",
                     &(kit_options){.cached = never});
    kit_asks(k, "a", NAME, "1");
    kit_says(k, kit_answer(k, "a", "{\"name\":\"Ada\"}"));
    kit_ok(k, "a", "1");
    assert_null(ctn_json_member_of(kit_body(k, CTN_ENTRY_ATTEMPT_SUCCEEDED, 0), "cacheKey"));
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_asks_waits_for_its_answer_and_goes_on),
        cmocka_unit_test(an_answer_that_does_not_fit_is_a_sentence_and_changes_nothing),
        cmocka_unit_test(an_asked_action_is_no_action),
        cmocka_unit_test(what_cannot_be_answered_fails_the_step),
        cmocka_unit_test(a_peer_that_asks_for_ever_fails),
        cmocka_unit_test(an_answered_call_that_dies_goes_on_if_it_may_be_repeated),
        cmocka_unit_test(an_accepted_call_survives_any_number_of_deaths),
        cmocka_unit_test(another_attempt_begins_from_nothing),
        cmocka_unit_test(a_wait_does_not_spend_the_steps_time),
        cmocka_unit_test(a_chain_that_stops_lets_go_of_what_waits),
        cmocka_unit_test(an_undo_may_ask_too),
        cmocka_unit_test(calls_of_a_set_and_items_are_answered_by_their_names),
        cmocka_unit_test(a_paused_one_takes_the_answer_and_waits_for_its_end),
        cmocka_unit_test(the_budget_counts_requests),
        cmocka_unit_test(an_answered_call_is_not_cached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
