/*
 * test_schedule.c -- when a schedule fires: over clocks that go forward and back, and over long absences.
 */
#include "base/civil.h"
#include "engine/schedule.h"
#include "support/cmocka.h"

#include <stdio.h>

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return (ctn_civil_to_days(year, month, day) * 86400 + hour * 3600 + minute * 60) * 1000;
}

static ctn_schedule_times times_of(const char *cron, const char *zone)
{
    ctn_schedule_times t;
    ctn_err err = {0};
    if (ctn_schedule_times_open(ctn_str_from(cron), ctn_str_from(zone), &t, &err))
        fail_msg("%s", err.message);
    return t;
}

static void check_next(const char *cron, const char *zone, int64_t after, int64_t expected)
{
    ctn_schedule_times t = times_of(cron, zone);
    int64_t next = ctn_schedule_next_ms(&t, after);
    if (next != expected)
        fail_msg("%s in %s: %lld instead of %lld (%lld min)", cron, zone, (long long) next, (long long) expected,
                 (long long) (next - expected) / 60000);
    ctn_schedule_times_close(&t);
}

static void fields_mean_what_cron_says(void **state)
{
    (void) state;
    int64_t sunday = at(2026, 11, 22, 12, 0);
    check_next("* * * * *", "", sunday, sunday + 60000);
    check_next("* * * * *", "", sunday + 1, sunday + 60000);
    check_next("*/15 * * * *", "", sunday, at(2026, 11, 22, 12, 15));
    check_next("0 9 * * MON-FRI", "", sunday, at(2026, 11, 23, 9, 0));
    check_next("0 9 * * 7", "", sunday, at(2026, 11, 29, 9, 0));
    check_next("0 9 * * 0", "", sunday - 86400000, at(2026, 11, 22, 9, 0));
    check_next("30 23 31 * *", "", sunday, at(2026, 12, 31, 23, 30));
    check_next("0 0 29 2 *", "", sunday, at(2028, 2, 29, 0, 0));
    check_next("0 0 1,15 * FRI", "", sunday, at(2026, 11, 27, 0, 0));                /* either day is enough */
    check_next("0 0 */2 * FRI", "", at(2026, 11, 27, 0, 0), at(2026, 12, 11, 0, 0)); /* both: an odd day and a Friday */
    check_next("5,10 8-9 1 JAN *", "", sunday, at(2027, 1, 1, 8, 5));
    check_next("5,10 8-9 1 JAN *", "", at(2027, 1, 1, 8, 10), at(2027, 1, 1, 9, 5));
    check_next("0 0 29 2 *", "", at(2096, 3, 1, 0, 0), at(2104, 2, 29, 0, 0)); /* 2100 is none */
}

static void zones_move_the_time(void **state)
{
    (void) state;
    check_next("0 9 * * *", "Europe/London", at(2027, 1, 10, 10, 0), at(2027, 1, 11, 9, 0));
    check_next("0 9 * * *", "Europe/London", at(2027, 7, 10, 10, 0), at(2027, 7, 11, 8, 0));
    check_next("0 9 * * *", "Asia/Kolkata", at(2027, 7, 10, 10, 0), at(2027, 7, 11, 3, 30));
}

/* 28 March 2027: 01:00 to 02:00 is skipped in London. */
static void a_skipped_time_fires_when_the_clocks_went(void **state)
{
    (void) state;
    int64_t went = at(2027, 3, 28, 1, 0);
    check_next("30 1 * * *", "Europe/London", at(2027, 3, 27, 12, 0), went);
    check_next("30 1 * * *", "Europe/London", went, at(2027, 3, 29, 0, 30));
    check_next("*/20 * * * *", "Europe/London", at(2027, 3, 28, 0, 40), went); /* 01:00, :20, :40 and 02:00 in one */
    check_next("*/20 * * * *", "Europe/London", went, at(2027, 3, 28, 1, 20));
}

/* 31 October 2027: 01:00 to 02:00 comes twice in London. */
static void a_time_that_comes_twice_fires_once(void **state)
{
    (void) state;
    int64_t first = at(2027, 10, 31, 0, 30);
    check_next("30 1 * * *", "Europe/London", at(2027, 10, 30, 12, 0), first);
    check_next("30 1 * * *", "Europe/London", first, at(2027, 11, 1, 1, 30));
    check_next("30 1 * * *", "Europe/London", first + 3600000, at(2027, 11, 1, 1, 30)); /* from the second 01:30 */
    check_next("30 1 * * *", "Europe/London", first + 1800000, at(2027, 11, 1, 1, 30));
}

static void the_last_of_many_missed_times_is_found(void **state)
{
    (void) state;
    ctn_schedule_times t = times_of("*/5 * * * *", "Europe/London");
    int64_t now = at(2027, 5, 5, 12, 3);
    assert_int_equal(ctn_schedule_last_ms(&t, at(2017, 1, 1, 0, 0), now), at(2027, 5, 5, 12, 0));
    assert_int_equal(ctn_schedule_last_ms(&t, at(2027, 5, 5, 11, 56), now), at(2027, 5, 5, 12, 0));
    assert_int_equal(ctn_schedule_last_ms(&t, at(2027, 5, 5, 12, 0), now), 0);
    ctn_schedule_times_close(&t);
    t = times_of("0 0 29 2 *", "");
    assert_int_equal(ctn_schedule_last_ms(&t, at(2001, 1, 1, 0, 0), now), at(2024, 2, 29, 0, 0));
    assert_int_equal(ctn_schedule_last_ms(&t, at(2025, 1, 1, 0, 0), now), 0);
    ctn_schedule_times_close(&t);
}

static void what_is_no_schedule_is_said(void **state)
{
    (void) state;
    ctn_schedule_times t;
    ctn_err err = {0};
    assert_int_equal(ctn_schedule_times_open(CTN_STR("0 9 * *"), CTN_STR(""), &t, &err), CTN_E_INVALID);
    assert_int_equal(ctn_schedule_times_open(CTN_STR("0 9 * * *"), CTN_STR("Europe/Lundon"), &t, &err),
                     CTN_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_mean_what_cron_says),
        cmocka_unit_test(zones_move_the_time),
        cmocka_unit_test(a_skipped_time_fires_when_the_clocks_went),
        cmocka_unit_test(a_time_that_comes_twice_fires_once),
        cmocka_unit_test(the_last_of_many_missed_times_is_found),
        cmocka_unit_test(what_is_no_schedule_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
