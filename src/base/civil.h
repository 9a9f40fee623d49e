/*
 * civil.h -- days of the Gregorian calendar as numbers, 0 is 1970-01-01. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct ctn_civil_date {
    int64_t year;
    int month, day; /* from 1 */
} ctn_civil_date;

static inline int64_t ctn_civil_to_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}
static inline ctn_civil_date ctn_civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (int) ((5 * day_of_year + 2) / 153);
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (ctn_civil_date){.year = year_of_era + era * 400 + (month <= 2),
                            .month = month,
                            .day = (int) (day_of_year - (153 * shifted + 2) / 5) + 1};
}
/* 0: Sunday. */
static inline int ctn_civil_weekday(int64_t days)
{
    return (int) (((days + 4) % 7 + 7) % 7);
}
static inline bool ctn_civil_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}
/* Rounds down, also below zero. */
static inline int64_t ctn_civil_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
