/*
 * test_limits.c -- token buckets and places: order, bursts, clocks that go back.
 */
#include "engine/limits.h"
#include "support/cmocka.h"

#include <stdio.h>

static ctn_execution_id id(uint8_t n)
{
    return (ctn_execution_id){{n}};
}

static bool begins(ctn_limit *l, uint8_t n, int64_t now_ms)
{
    int64_t until_ms;
    bool may = ctn_limit_ask(l, id(n), now_ms, &until_ms);
    if (may)
        ctn_limit_take(l, id(n), now_ms);
    return may;
}

static void a_burst_and_then_the_rate(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.per_second = 10, .burst = 3}};
    for (int i = 0; i < 3; i++)
        assert_true(begins(&l, 1, 1000));
    int64_t until_ms = 0;
    assert_false(ctn_limit_ask(&l, id(1), 1000, &until_ms));
    assert_in_range(until_ms, 1100, 1102);
    assert_false(begins(&l, 1, 1099));
    assert_true(begins(&l, 1, 1101));
    int begun = 0;
    for (int64_t now_ms = 1101; now_ms <= 11101; now_ms++)
        begun += begins(&l, 1, now_ms);
    assert_in_range(begun, 99, 101);
    ctn_limit_done(&l);
}

static void idle_time_saves_up_one_burst_only(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.per_second = 100, .burst = 2}};
    assert_true(begins(&l, 1, 1000));
    int begun = 0;
    for (int i = 0; i < 10; i++)
        begun += begins(&l, 1, 9000000);
    assert_int_equal(begun, 2);
    ctn_limit_done(&l);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.per_second = 1, .burst = 1}};
    assert_true(begins(&l, 1, 100000));
    assert_false(begins(&l, 1, 50000));
    assert_false(begins(&l, 1, 50900));
    assert_true(begins(&l, 1, 51001));
    ctn_limit_done(&l);
}

static void places_are_given_in_order(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.max_concurrent = 2}};
    assert_true(begins(&l, 1, 1) && begins(&l, 2, 1));
    assert_false(begins(&l, 3, 1));
    assert_false(begins(&l, 4, 1));
    assert_false(begins(&l, 3, 1)); /* asking again is no second place in the queue */
    assert_int_equal(l.count, 2);
    assert_int_equal(ctn_limit_ready(&l, 1), 0);
    ctn_limit_give_back(&l);
    assert_int_equal(ctn_limit_ready(&l, 1), 1);
    assert_false(begins(&l, 4, 1)); /* 3 came before */
    assert_false(begins(&l, 5, 1)); /* nobody passes those who wait */
    assert_true(begins(&l, 3, 1));
    ctn_limit_give_back(&l);
    ctn_limit_leave(&l, id(4)); /* it was cancelled */
    assert_true(begins(&l, 5, 1));
    assert_int_equal(l.running, 2);
    ctn_limit_done(&l);
}

static void who_wants_many_takes_turns_with_the_others(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.max_concurrent = 1}};
    int turns[3] = {0};
    assert_true(begins(&l, 1, 1));
    assert_false(begins(&l, 1, 1));
    assert_false(begins(&l, 2, 1));
    for (int i = 0; i < 10; i++) {
        ctn_limit_give_back(&l);
        assert_int_equal(ctn_limit_ready(&l, 1), 1);
        uint8_t n = l.queue[0].bytes[0];
        assert_true(begins(&l, n, 1));
        assert_false(begins(&l, n, 1));
        turns[n]++;
    }
    assert_int_equal(turns[1], 5);
    assert_int_equal(turns[2], 5);
    ctn_limit_done(&l);
}

static void both_limits_hold_at_once(void **state)
{
    (void) state;
    ctn_limit l = {.rules = {.per_second = 1000, .burst = 1, .max_concurrent = 1}};
    int64_t until_ms = 99;
    assert_true(begins(&l, 1, 1000));
    assert_false(ctn_limit_ask(&l, id(2), 1002, &until_ms));
    assert_int_equal(until_ms, 0); /* there is a token, but no place */
    ctn_limit_give_back(&l);
    assert_true(begins(&l, 2, 1002));
    ctn_limit_give_back(&l);
    assert_false(ctn_limit_ask(&l, id(3), 1002, &until_ms));
    assert_in_range(until_ms, 1003, 1005);
    l.rules = (ctn_limit_rules){.max_concurrent = 5}; /* live */
    assert_true(begins(&l, 3, 1002));
    ctn_limit_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_then_the_rate),
        cmocka_unit_test(idle_time_saves_up_one_burst_only),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
        cmocka_unit_test(places_are_given_in_order),
        cmocka_unit_test(who_wants_many_takes_turns_with_the_others),
        cmocka_unit_test(both_limits_hold_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
