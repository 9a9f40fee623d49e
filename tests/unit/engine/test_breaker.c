/*
 * test_breaker.c -- when a breaker opens, whom it lets through, and what it does not hear.
 */
#include "engine/breaker.h"
#include "support/cmocka.h"

#include <stdio.h>

static const ctn_breaker_rules usual = {.window = 20, .minimum = 5, .failure_ratio = 0.5, .open_ms = 30000};

/* A call that begins and ends at once. */
static bool call(ctn_breaker *b, ctn_verdict_of_call verdict, int64_t now_ms)
{
    uint64_t opened;
    int64_t until_ms;
    assert_true(ctn_breaker_may_begin(b, &usual, now_ms, &until_ms));
    bool is_probe = ctn_breaker_begun(b, &opened);
    return ctn_breaker_ended(b, &usual, is_probe, opened, verdict, now_ms);
}

static void it_opens_at_the_ratio_and_not_before_the_minimum(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    for (int i = 0; i < 4; i++)
        assert_false(call(&b, CTN_CALL_FAILED, 1000));
    assert_true(call(&b, CTN_CALL_FAILED, 1000));
    int64_t until_ms = 0;
    assert_false(ctn_breaker_may_begin(&b, &usual, 1000, &until_ms));
    assert_int_equal(until_ms, 31000);
    assert_false(ctn_breaker_may_begin(&b, &usual, 30999, &until_ms));
    assert_true(ctn_breaker_may_begin(&b, &usual, 31000, &until_ms));
    ctn_breaker_done(&b);
}

static void fewer_failures_than_the_ratio_leave_it_closed(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    for (int i = 0; i < 200; i++)
        assert_false(call(&b, i % 5 >= 3 ? CTN_CALL_FAILED : CTN_CALL_WENT_WELL, 1000));
    ctn_breaker_done(&b);
}

static void old_calls_leave_the_window(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    for (int i = 0; i < 100; i++)
        assert_false(call(&b, CTN_CALL_WENT_WELL, 1000));
    for (int i = 0; i < 9; i++)
        assert_false(call(&b, CTN_CALL_FAILED, 1000)); /* 9 of the last 20 */
    assert_true(call(&b, CTN_CALL_FAILED, 1000));
    ctn_breaker_done(&b);
}

static void cancels_and_refusals_do_not_count(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    for (int i = 0; i < 4; i++)
        assert_false(call(&b, CTN_CALL_FAILED, 1000));
    for (int i = 0; i < 50; i++)
        assert_false(call(&b, CTN_CALL_SAYS_NOTHING, 1000));
    assert_int_equal(b.count, 4);
    assert_true(call(&b, CTN_CALL_FAILED, 1000));
    ctn_breaker_done(&b);
}

static void one_probe_at_a_time(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    int64_t until_ms;
    uint64_t opened;
    ctn_breaker_restore(&b, 5000); /* of another life */
    assert_false(ctn_breaker_may_begin(&b, &usual, 4999, &until_ms));
    assert_int_equal(until_ms, 5000);
    assert_true(ctn_breaker_may_begin(&b, &usual, 5000, &until_ms));
    assert_true(ctn_breaker_begun(&b, &opened));
    assert_false(ctn_breaker_may_begin(&b, &usual, 999999, &until_ms));
    assert_true(ctn_breaker_ended(&b, &usual, true, opened, CTN_CALL_SAYS_NOTHING, 6000)); /* it was cancelled */
    assert_true(ctn_breaker_may_begin(&b, &usual, 6000, &until_ms));
    assert_true(ctn_breaker_begun(&b, &opened));
    assert_true(ctn_breaker_ended(&b, &usual, true, opened, CTN_CALL_FAILED, 7000));
    assert_false(ctn_breaker_may_begin(&b, &usual, 36999, &until_ms));
    assert_true(ctn_breaker_may_begin(&b, &usual, 37000, &until_ms));
    assert_true(ctn_breaker_begun(&b, &opened));
    assert_true(ctn_breaker_ended(&b, &usual, true, opened, CTN_CALL_WENT_WELL, 38000));
    for (int i = 0; i < 4; i++) /* closed, and it starts from nothing */
        assert_false(call(&b, CTN_CALL_FAILED, 38000));
    assert_true(call(&b, CTN_CALL_FAILED, 38000));
    ctn_breaker_done(&b);
}

static void calls_from_before_it_opened_are_not_heard(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    uint64_t slow, opened;
    int64_t until_ms;
    assert_false(ctn_breaker_begun(&b, &slow));
    for (int i = 0; i < 5; i++)
        (void) call(&b, CTN_CALL_FAILED, 1000);
    assert_true(b.is_open);
    assert_false(ctn_breaker_ended(&b, &usual, false, slow, CTN_CALL_WENT_WELL, 2000));
    assert_false(ctn_breaker_may_begin(&b, &usual, 2000, &until_ms));
    assert_true(ctn_breaker_begun(&b, &opened)); /* at 31000 */
    assert_true(ctn_breaker_ended(&b, &usual, true, opened, CTN_CALL_WENT_WELL, 31000));
    assert_false(ctn_breaker_ended(&b, &usual, false, slow, CTN_CALL_FAILED, 31001));
    assert_int_equal(b.count, 0);
    ctn_breaker_done(&b);
}

static void a_window_of_another_size_keeps_the_latest(void **state)
{
    (void) state;
    ctn_breaker b = {0};
    ctn_breaker_rules small = usual;
    small.window = 4;
    small.minimum = 4;
    for (int i = 0; i < 10; i++)
        assert_false(call(&b, CTN_CALL_WENT_WELL, 1000));
    for (int i = 0; i < 3; i++)
        assert_false(call(&b, CTN_CALL_FAILED, 1000));
    assert_true(ctn_breaker_ended(&b, &small, false, 0, CTN_CALL_FAILED, 1000));
    ctn_breaker_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_at_the_ratio_and_not_before_the_minimum),
        cmocka_unit_test(fewer_failures_than_the_ratio_leave_it_closed),
        cmocka_unit_test(old_calls_leave_the_window),
        cmocka_unit_test(cancels_and_refusals_do_not_count),
        cmocka_unit_test(one_probe_at_a_time),
        cmocka_unit_test(calls_from_before_it_opened_are_not_heard),
        cmocka_unit_test(a_window_of_another_size_keeps_the_latest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
