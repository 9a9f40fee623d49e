/*
 * test_zone.c -- local clocks: the hour that is skipped, the one that comes twice, rules of all forms, damaged files.
 */
#include "base/civil.h"
#include "base/zone.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return ctn_civil_to_days(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

/* A version 2 file without transitions and with this rule. */
static int parse_rule(const char *rule, ctn_zone **ret_zone)
{
    uint8_t bytes[400];
    size_t len = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(bytes + len, "TZif2", 5);
        memset(bytes + len + 5, 0, 39 + 6 + 4);
        bytes[len + 39] = 1; /* one type */
        bytes[len + 43] = 4; /* "LMT" */
        len += 44 + 6 + 4;
    }
    len += (size_t) snprintf((char *) bytes + len, sizeof bytes - len, "\n%s\n", rule);
    return ctn_zone_parse(bytes, len, ret_zone, NULL);
}

static void utc_needs_no_database(void **state)
{
    (void) state;
    ctn_zone *z = NULL;
    assert_int_equal(ctn_zone_open(CTN_STR("UTC"), &z, NULL), CTN_OK);
    assert_int_equal(ctn_zone_to_local_s(z, 1234567), 1234567);
    assert_int_equal(ctn_zone_from_local_s(z, 1234567), 1234567);
    ctn_zone_close(z);
}

static void a_name_that_is_none_is_refused(void **state)
{
    (void) state;
    static const char *const names[] = {"Europe/Londn", "../../etc/passwd", "/etc/passwd", "Europe",
                                        "a b",          "posixrules.",      "tzdata.zi"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ctn_zone *z = NULL;
        ctn_err err = {0};
        if (ctn_zone_open(ctn_str_from(names[i]), &z, &err) == CTN_OK)
            fail_msg("%s is taken for a zone", names[i]);
        assert_holds(err.message, names[i]);
    }
}

static void the_hour_that_is_skipped_and_the_one_that_comes_twice(void **state)
{
    (void) state;
    ctn_zone *z = NULL;
    assert_int_equal(parse_rule("GMT0BST,M3.5.0/1,M10.5.0", &z), CTN_OK);
    int64_t spring = at(2027, 3, 28, 1, 0), autumn = at(2027, 10, 31, 1, 0); /* in UTC */
    assert_int_equal(ctn_zone_to_local_s(z, spring - 1), at(2027, 3, 28, 0, 59) + 59);
    assert_int_equal(ctn_zone_to_local_s(z, spring), at(2027, 3, 28, 2, 0));
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 3, 28, 1, 30)), spring);
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 3, 28, 2, 0)), spring);
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 3, 28, 0, 59)), spring - 60);
    assert_int_equal(ctn_zone_to_local_s(z, autumn), at(2027, 10, 31, 1, 0));
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 10, 31, 1, 30)), autumn - 1800); /* the first time */
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 10, 31, 2, 0)), autumn + 3600);
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 7, 1, 9, 0)), at(2027, 7, 1, 8, 0));
    assert_int_equal(ctn_zone_from_local_s(z, at(2027, 12, 1, 9, 0)), at(2027, 12, 1, 9, 0));
    ctn_zone_close(z);
}

static void rules_of_all_forms(void **state)
{
    (void) state;
    static const struct {
        const char *rule;
        int64_t at, offset;
    } cases[] = {
        {"<+0530>-5:30", 0, 19800},
        {"EST5EDT,M3.2.0,M11.1.0", 0, -18000},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 0, 46800},          /* January is summer there */
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 0, 39600}, /* half an hour of summer time */
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 0, 0},               /* winter time is the special one */
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", 0, 7200},
        {"XXX3YYY,J60,J300", 0, -10800},
        {"XXX3YYY,59/-2,299/24:00:00", 0, -10800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_zone *z = NULL;
        if (parse_rule(cases[i].rule, &z))
            fail_msg("%s is refused", cases[i].rule);
        int64_t when = at(2027, 1, 15, 12, 0);
        if (ctn_zone_to_local_s(z, when) - when != cases[i].offset)
            fail_msg("%s gives %lld", cases[i].rule, (long long) (ctn_zone_to_local_s(z, when) - when));
        ctn_zone_close(z);
    }
    static const char *const bad[] = {
        "X5",    "EST",  "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x",
        "EST99", "<EST5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctn_zone *z = NULL;
        if (parse_rule(bad[i], &z) == CTN_OK)
            fail_msg("%s is taken for a rule", bad[i]);
    }
}

/* The C library reads the same database: every zone, over 150 years, in both directions. */
static void zones_agree_with_the_c_library(void **state)
{
    (void) state;
    static const char *const names[] = {"Europe/London",       "America/New_York",  "Asia/Kolkata",
                                        "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns",
                                        "Pacific/Apia",        "Asia/Tehran",       "Europe/Dublin",
                                        "America/Sao_Paulo",   "Antarctica/Troll",  "Asia/Gaza"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ctn_zone *z = NULL;
        ctn_err err = {0};
        if (ctn_zone_open(ctn_str_from(names[i]), &z, &err))
            fail_msg("%s", err.message);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = at(1905, 1, 1, 0, 0); t < at(2080, 1, 1, 0, 0); t += 7 * 86400 + 3607) {
            time_t when = (time_t) t;
            struct tm local;
            localtime_r(&when, &local);
            if (ctn_zone_to_local_s(z, t) - t != local.tm_gmtoff)
                fail_msg("%s at %lld: %lld instead of %ld", names[i], (long long) t,
                         (long long) (ctn_zone_to_local_s(z, t) - t), local.tm_gmtoff);
            int64_t back = ctn_zone_from_local_s(z, ctn_zone_to_local_s(z, t));
            if (back > t || ctn_zone_to_local_s(z, back) != ctn_zone_to_local_s(z, t))
                fail_msg("%s: %lld comes back as %lld", names[i], (long long) t, (long long) back);
        }
        ctn_zone_close(z);
    }
    unsetenv("TZ");
    tzset();
}

/* Any damage is an error or a zone, never a crash. */
static void damaged_files_are_refused(void **state)
{
    (void) state;
    FILE *f = fopen("/usr/share/zoneinfo/Europe/London", "rb");
    assert_non_null(f);
    static uint8_t good[65536], bad[65536];
    size_t count = fread(good, 1, sizeof good, f);
    fclose(f);
    uint64_t chance = 7;
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
        memcpy(bad, good, count);
        size_t cut = count;
        for (int k = 0; k < 1 + i % 4; k++) {
            chance = chance * 6364136223846793005u + 1442695040888963407u;
            bad[(chance >> 33) % (i % 2 ? 60 : count)] = (uint8_t) (chance >> 20);
        }
        if (i % 3 == 0)
            cut = (size_t) (chance >> 33) % count;
        ctn_zone *z = NULL;
        if (ctn_zone_parse(bad, cut, &z, NULL))
            refused++;
        else
            (void) ctn_zone_from_local_s(z, at(2027, 3, 28, 1, 30) + (int64_t) (chance >> 40));
        ctn_zone_close(z);
    }
    assert_true(refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_needs_no_database),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(the_hour_that_is_skipped_and_the_one_that_comes_twice),
        cmocka_unit_test(rules_of_all_forms),
        cmocka_unit_test(zones_agree_with_the_c_library),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
