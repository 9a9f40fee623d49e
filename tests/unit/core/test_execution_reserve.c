/* What is reserved of a budget for a call that can say its most: never exceeded, not by several at once, not by deaths.
 */
#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

#define CHAIN                                                                                                          \
    "id: c\ninstructionSets:\n  r: {tool: t/read_r, arguments: {n: 1}}\n  free: {tool: t/read_free}\n"                 \
    "steps:\n"
#define THREE                                                                                                          \
    "- {stepName: a, instructionSet: r}\n- {stepName: b, instructionSet: r, dependsOn: [a]}\n"                         \
    "- {stepName: c, instructionSet: r, dependsOn: [b]}\n"
#define AT_ONCE                                                                                                        \
    "- {stepName: a, instructionSet: r, dependsOn: []}\n- {stepName: b, instructionSet: r, dependsOn: []}\n"           \
    "- {stepName: c, instructionSet: r, dependsOn: []}\n"

/* Each call of r may take 50 tokens and 0.40; nobody can say it of another. */
static bool most_of(void *ctx, const ctn_plan_call *call, const ctn_json *args, ctn_arena *arena, ctn_used *ret_most)
{
    (void) ctx, (void) arena;
    if (!ctn_str_is(call->target, "t/read_r"))
        return false;
    assert_int_equal(ctn_json_int_or(args, "n", 0), 1);
    *ret_most = (ctn_used){.tokens = 50, .money = CTN_STR("0.40")};
    return true;
}

static const kit_options OPTIONS = {.most_of = most_of};

static void uses(kit *k, const char *call, int64_t tokens, const char *money)
{
    kit_ends(k, call,
             (ctn_input){.value = kit_json(k, "{}"),
                         .was_sent = true,
                         .used = {.tokens = tokens, .money = ctn_str_from(money)}});
}

static void what_may_not_fit_does_not_begin(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE "budget: {tokens: 49, onReached: fail}\n", &OPTIONS);
    kit_is(k, "failed"); /* the first one alone might take 50 */
    kit_owes(k, "");
    kit_error_is(k, "{\"code\": \"budget\"}");
    kit_free(k);
    k = kit_new(CHAIN THREE "budget: {tokens: 50, onReached: fail}\n", &OPTIONS);
    kit_owes(k, "a");
    kit_free(k);
}

static void what_is_given_back_is_there_for_the_next(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE "budget: {money: 1.00, onReached: fail}\n", &OPTIONS);
    uses(k, "a", 0, "0.10");
    uses(k, "b", 0, "0.40");
    uses(k, "c", 0, "0.40"); /* 0.50 and at most 0.40 more */
    kit_is(k, "completed");
    assert_true(ctn_str_is(ctn_execution_budget(kit_execution(k), KIT_START_MS).used.money, "0.90"));
    kit_free(k);
}

static void calls_at_once_share_one_budget(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN AT_ONCE "budget: {money: 1.00, tokens: 1000}\n", &OPTIONS);
    kit_owes(k, "a b"); /* 0.80 are reserved, and 1.20 would be */
    kit_is(k, "running");
    uses(k, "a", 10, "0.20");
    kit_owes(k, "b c"); /* 0.20 are used, 0.80 reserved */
    uses(k, "b", 10, "0.40");
    uses(k, "c", 10, "0.40");
    kit_is(k, "completed");
    kit_free(k);
}

static void what_is_not_given_back_is_asked_for(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN AT_ONCE "budget: {money: 1.00, tokens: 1000}\n", &OPTIONS);
    uses(k, "a", 10, "0.40");
    kit_owes(k, "b");
    uses(k, "b", 10, "0.35");
    kit_owes(k, "");
    kit_is(k, "waiting");
    kit_says_as(k, "ann", kit_settle_retry(NULL));
    kit_owes(k, "c");
    uses(k, "c", 10, "0.40");
    kit_is(k, "completed");
    kit_free(k);
}

static void what_died_with_the_engine_counts_as_used(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE "budget: {money: 1.00}\n", &OPTIONS);
    kit_owes(k, "a");
    kit_crash(k);
    kit_owes(k, "a"); /* once more: 0.40 are gone, 0.40 reserved */
    assert_true(ctn_str_is(ctn_execution_budget(kit_execution(k), KIT_START_MS).used.money, "0.40"));
    kit_crash(k);
    kit_owes(k, ""); /* 0.80 may be gone */
    kit_is(k, "waiting");
    kit_free(k);
}

static void a_refusal_gives_everything_back(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: r, retryConfig: {maxRetries: 9, backoffMs: 10}}\n"
                           "budget: {money: 0.50}\n",
                     &OPTIONS);
    for (int i = 0; i < 5; i++) {
        kit_fails(k, "a", CTN_FAILURE_UNAVAILABLE);
        kit_to_wake(k);
    }
    kit_owes(k, "a");
    uses(k, "a", 0, "0.5");
    kit_is(k, "completed");
    kit_free(k);
}

static void a_failure_counts_what_it_used(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN "- {stepName: a, instructionSet: r, retryConfig: {maxRetries: 9, backoffMs: 10}}\n"
                           "budget: {tokens: 120}\n",
                     &OPTIONS);
    kit_ends(
        k, "a",
        (ctn_input){.failure = CTN_FAILURE_TIMEOUT, .message = CTN_STR("x"), .was_sent = true, .used = {.tokens = 50}});
    kit_to_wake(k);
    kit_owes(k, "a");
    kit_ends(
        k, "a",
        (ctn_input){.failure = CTN_FAILURE_TIMEOUT, .message = CTN_STR("x"), .was_sent = true, .used = {.tokens = 50}});
    kit_to_wake(k);
    kit_owes(k, "");
    kit_is(k, "waiting");
    kit_free(k);
}

static void who_cannot_say_is_measured_by_the_greediest(void **state)
{
    (void) state;
    kit *k =
        kit_new(CHAIN "- {stepName: a, instructionSet: free}\n- {stepName: b, instructionSet: free, dependsOn: [a]}\n"
                      "budget: {tokens: 100, onReached: fail}\n",
                &OPTIONS);
    uses(k, "a", 60, "");
    kit_is(k, "failed");
    kit_free(k);
}

static void what_was_used_is_recorded_without_a_budget(void **state)
{
    (void) state;
    kit *k = kit_new(CHAIN THREE, &OPTIONS);
    uses(k, "a", 7, "0.1");
    uses(k, "b", 8, "0.2");
    uses(k, "c", 9, "0.3");
    assert_int_equal(ctn_execution_budget(kit_execution(k), KIT_START_MS).used.tokens, 24);
    assert_true(ctn_str_is(ctn_execution_budget(kit_execution(k), KIT_START_MS).used.money, "0.6"));
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_not_fit_does_not_begin),
        cmocka_unit_test(what_is_given_back_is_there_for_the_next),
        cmocka_unit_test(calls_at_once_share_one_budget),
        cmocka_unit_test(what_is_not_given_back_is_asked_for),
        cmocka_unit_test(what_died_with_the_engine_counts_as_used),
        cmocka_unit_test(a_refusal_gives_everything_back),
        cmocka_unit_test(a_failure_counts_what_it_used),
        cmocka_unit_test(who_cannot_say_is_measured_by_the_greediest),
        cmocka_unit_test(what_was_used_is_recorded_without_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
