/*
 * test_schedule.c -- when a schedule fires: over clocks that go forward and back, and over long absences.
 */
#include "base/civil.h"
#include "engine/schedule.h"
#include "support/cmocka.h"

#include <stdlib.h>
#include <time.h>

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

/* What is said of every hour goes on through the hour that comes again, in the order of real time. */
static void a_schedule_of_every_hour_does_not_pause_when_clocks_go_back(void **state)
{
    (void) state;
    int64_t first = at(2027, 10, 31, 0, 0); /* 01:00 in summer time; 01:00 again an hour later */
    for (int64_t t = first - 7200000; t < first + 4 * 3600000; t += 900000)
        check_next("*/15 * * * *", "Europe/London", t, t + 900000);
    check_next("30 * * * *", "Australia/Lord_Howe", at(2027, 4, 3, 14, 30), at(2027, 4, 3, 15, 0)); /* back by 30 min */
    check_next("0 0-23 * * *", "Europe/London", first, first + 3600000);
}

/* ---- against the C library, minute by minute ---- */

static bool has(uint64_t numbers, int n)
{
    return numbers >> n & 1;
}

static bool fits(const ctn_cron *c, const struct tm *t)
{
    bool day = has(c->days, t->tm_mday), weekday = has(c->weekdays, t->tm_wday);
    return has(c->minutes, t->tm_min) && has(c->hours, t->tm_hour) && has(c->months, t->tm_mon + 1) &&
           (c->either_day ? day || weekday : day && weekday);
}

/* What the clock on the wall shows, as one number that grows. */
static int64_t shown(const struct tm *t)
{
    return (ctn_civil_to_days(t->tm_year + 1900, t->tm_mon + 1, t->tm_mday) * 1440) + t->tm_hour * 60 + t->tm_min;
}

/* Does it fire at this minute? The wall clock goes from `before` (exclusive) to `now`; it showed all up to `seen`. */
static bool fires(const ctn_cron *c, bool is_of_every_hour, int64_t before, int64_t now, int64_t seen,
                  const struct tm *local)
{
    if (fits(c, local) && (now > seen || is_of_every_hour))
        return true;
    for (int64_t skipped = before + 1; now > before + 1 && skipped < now; skipped++) { /* none of it was ever shown */
        ctn_civil_date date = ctn_civil_from_days(skipped / 1440);
        struct tm t = {.tm_min = (int) (skipped % 60),
                       .tm_hour = (int) (skipped / 60 % 24),
                       .tm_mday = (int) date.day,
                       .tm_mon = (int) date.month - 1,
                       .tm_wday = ctn_civil_weekday(skipped / 1440)};
        if (skipped > seen && fits(c, &t))
            return true;
    }
    return false;
}

static void compare_year(const char *zone, int year, const char *const *crons, size_t count)
{
    ctn_schedule_times times[8];
    int64_t next[8], seen = 0, before = 0;
    int64_t begin_s = ctn_civil_to_days(year, 1, 1) * 86400, end_s = begin_s + 366 * 86400;
    assert_true(count <= 8);
    setenv("TZ", zone, 1);
    tzset();
    for (size_t i = 0; i < count; i++) {
        times[i] = times_of(crons[i], zone);
        next[i] = ctn_schedule_next_ms(&times[i], begin_s * 1000 - 1);
    }
    for (int64_t at_s = begin_s - 2 * 86400; at_s < end_s; at_s += 60) {
        time_t when = (time_t) at_s;
        struct tm local;
        localtime_r(&when, &local);
        int64_t now = shown(&local);
        for (size_t i = 0; at_s >= begin_s && i < count; i++) {
            bool expected = fires(&times[i].cron, times[i].cron.hours == 0xffffff, before, now, seen, &local);
            if (expected != (next[i] == at_s * 1000))
                fail_msg("%s in %s at %lld: it %s fire, and next is %lld", crons[i], zone, (long long) at_s,
                         expected ? "is to" : "is not to", (long long) next[i]);
            if (expected)
                next[i] = ctn_schedule_next_ms(&times[i], next[i]);
        }
        seen = now > seen ? now : seen;
        before = now;
    }
    for (size_t i = 0; i < count; i++)
        ctn_schedule_times_close(&times[i]);
    unsetenv("TZ");
    tzset();
}

/* Whole years of other people's clocks: half an hour of summer time, rules that changed, a day that was left out, two
 * hours at once, summer time that is the standard one, leap years. */
static void virtual_years_agree_with_the_c_library(void **state)
{
    (void) state;
    static const char *const crons[] = {"*/20 * * * *", "30 1 * * *",    "0,15,45 0-3 * * SUN", "5 2 29 2 *",
                                        "0 0 30 * *",   "59 23 * * */2", "0 */2 * * *",         "30 2 1-7 * MON"};
    static const struct {
        const char *zone;
        int year;
    } years[] = {{"Europe/London", 2027},
                 {"America/New_York", 2007},
                 {"Australia/Lord_Howe", 2028},
                 {"Pacific/Apia", 2011},
                 {"Antarctica/Troll", 2026},
                 {"Africa/Casablanca", 2025},
                 {"America/Sao_Paulo", 2018},
                 {"Europe/Dublin", 2028},
                 {"Asia/Kathmandu", 1986},
                 {"America/Caracas", 2007},
                 {"Asia/Pyongyang", 2015},
                 {"Europe/Istanbul", 2016},
                 {"America/Argentina/San_Luis", 2008}};
    for (size_t i = 0; i < sizeof years / sizeof *years; i++)
        compare_year(years[i].zone, years[i].year, crons, sizeof crons / sizeof *crons);
}

static int64_t last_of(const ctn_schedule_times *t, int64_t after_ms, int64_t until_ms)
{
    int64_t last_ms = 0;
    (void) ctn_schedule_missed(t, after_ms, until_ms, 1, &last_ms);
    return last_ms;
}

static void the_last_of_many_missed_times_is_found(void **state)
{
    (void) state;
    ctn_schedule_times t = times_of("*/5 * * * *", "Europe/London");
    int64_t now = at(2027, 5, 5, 12, 3);
    assert_int_equal(last_of(&t, at(2017, 1, 1, 0, 0), now), at(2027, 5, 5, 12, 0));
    assert_int_equal(last_of(&t, at(2027, 5, 5, 11, 56), now), at(2027, 5, 5, 12, 0));
    assert_int_equal(last_of(&t, at(2027, 5, 5, 12, 0), now), 0);
    int64_t all[CTN_SCHEDULE_MISSED_MAX];
    assert_int_equal(ctn_schedule_missed(&t, at(2027, 5, 5, 11, 48), now, CTN_SCHEDULE_MISSED_MAX, all), 3);
    assert_int_equal(all[0], at(2027, 5, 5, 11, 50));
    assert_int_equal(ctn_schedule_missed(&t, at(2017, 1, 1, 0, 0), now, CTN_SCHEDULE_MISSED_MAX, all), 100);
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(all[99 - i], at(2027, 5, 5, 12, 0) - i * 300000);
    ctn_schedule_times_close(&t);
    t = times_of("0 0 29 2 *", "");
    assert_int_equal(last_of(&t, at(2001, 1, 1, 0, 0), now), at(2024, 2, 29, 0, 0));
    assert_int_equal(last_of(&t, at(2025, 1, 1, 0, 0), now), 0);
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
        cmocka_unit_test(a_schedule_of_every_hour_does_not_pause_when_clocks_go_back),
        cmocka_unit_test(virtual_years_agree_with_the_c_library),
        cmocka_unit_test(the_last_of_many_missed_times_is_found),
        cmocka_unit_test(what_is_no_schedule_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
