/* calendar.c -- see calendar.h. The arithmetic is base/civil.h. */
#include "kit/calendar.h"

#include <assert.h>
#include <stdio.h>
#include "base/civil.h"
#include "base/clock.h"

static const char *const MONTHS[12] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
static const char *const WEEKDAYS[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

int travel_month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return month == 2 && ctn_civil_is_leap(year) ? 29 : days[month - 1];
}

bool travel_day_from(int year, int month, int day, travel_day *ret_day)
{
    if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 || day > travel_month_days(year, month))
        return false;
    *ret_day = (travel_day) ctn_civil_to_days(year, month, day);
    return true;
}

travel_civil travel_day_civil(travel_day day)
{
    ctn_civil_date date = ctn_civil_from_days(day);
    return (travel_civil){.year = (int) date.year, .month = date.month, .day = date.day};
}

int travel_day_weekday(travel_day day)
{
    return (ctn_civil_weekday(day) + 6) % 7;
}

void travel_day_format(travel_day day, char ret_text[11])
{
    travel_civil c = travel_day_civil(day);
    char text[40];
    snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
    memcpy(ret_text, text, 10);
    ret_text[10] = '\0';
}

void travel_day_format_long(travel_day day, char ret_text[40])
{
    travel_civil c = travel_day_civil(day);
    snprintf(ret_text, 40, "%s %d %s %d", WEEKDAYS[travel_day_weekday(day)], c.day, MONTHS[c.month - 1], c.year);
}

static bool digits(ctn_str text, size_t at, size_t count, int *ret_value)
{
    int value = 0;
    if (text.len < at + count)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    *ret_value = value;
    return true;
}

bool travel_day_parse(ctn_str text, travel_day *ret_day)
{
    int year, month, day;
    if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) || text.ptr[4] != '-' ||
        text.ptr[7] != '-')
        return false;
    if (text.len > 10 && text.ptr[10] >= '0' && text.ptr[10] <= '9')
        return false;
    return travel_day_from(year, month, day, ret_day);
}

ctn_str travel_moment_text(ctn_arena *arena, int64_t at_ms)
{
    char text[25];
    ctn_time_format(at_ms, text);
    return ctn_arena_str(arena, ctn_str_from(text));
}
