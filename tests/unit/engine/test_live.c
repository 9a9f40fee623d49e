/*
 * test_live.c -- executions in memory: the order in which they are looked at, and that none is left behind in it.
 */
#include "engine/live.h"
#include "support/cmocka.h"

static void who_goes_is_in_no_queue_any_more(void **state)
{
    (void) state;
    loaded a = {.id = {{1}}}, b = {.id = {{2}}}, c = {.id = {{3}}};
    ctn_live live = {0};
    ctn_live_add(&live, &a);
    ctn_live_add(&live, &b);
    ctn_live_add(&live, &c);
    ctn_live_to_perform(&live, &a);
    ctn_live_to_perform(&live, &b);
    ctn_live_to_perform(&live, &b);
    ctn_live_wake_at(&live, &b, 5);
    ctn_live_remove(&live, &b); /* the last of those to be looked at */
    ctn_live_to_perform(&live, &c);
    assert_null(ctn_live_find(&live, b.id));
    assert_int_equal(ctn_live_due_ms(&live), 0);
    assert_ptr_equal(ctn_live_take_to_perform(&live), &a);
    assert_ptr_equal(ctn_live_take_to_perform(&live), &c);
    assert_null(ctn_live_take_to_perform(&live));
    ctn_live_remove(&live, &a);
    ctn_live_remove(&live, &c);
    assert_null(live.first);
    ctn_live_done(&live);
}

/* Core says later, and somebody else asked for earlier, or the other way round: it is the earlier one. */
static void the_earlier_of_two_times_counts(void **state)
{
    (void) state;
    loaded l = {.id = {{1}}};
    ctn_live live = {0};
    ctn_live_add(&live, &l);
    ctn_live_set_due(&live, &l, 100);
    ctn_live_wake_at(&live, &l, 50);
    ctn_live_wake_at(&live, &l, 70);
    assert_int_equal(ctn_live_due_ms(&live), 50);
    ctn_live_set_due(&live, &l, 40);
    assert_int_equal(ctn_live_due_ms(&live), 40);
    ctn_live_set_due(&live, &l, 0); /* never by itself: what was asked for stands */
    assert_null(ctn_live_take_due(&live, 49));
    assert_ptr_equal(ctn_live_take_due(&live, 50), &l);
    assert_null(ctn_live_take_due(&live, 1000));
    ctn_live_remove(&live, &l);
    ctn_live_done(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_goes_is_in_no_queue_any_more),
        cmocka_unit_test(the_earlier_of_two_times_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
