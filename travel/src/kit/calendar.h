/*
 * calendar.h -- days as numbers: the proleptic Gregorian calendar in UTC, nothing about clocks.
 *
 * A day is the count of days since 1970-01-01. Years are kept to 1900..2200, so sums cannot overflow;
 * whatever lies outside is no date (travel_day_from gives false).
 */
#pragma once

#include "base/arena.h"

typedef int32_t travel_day;

#define TRAVEL_NO_DAY INT32_MIN
#define TRAVEL_DAY_MS INT64_C(86400000)

typedef struct travel_civil {
    int year, month, day;
} travel_civil;

/* False for days that no calendar has (31 April) and years outside 1900..2200. */
bool travel_day_from(int year, int month, int day, travel_day *ret_day);
travel_civil travel_day_civil(travel_day day);
int travel_day_weekday(travel_day day); /* 0 = Monday */
int travel_month_days(int year, int month);
/* "2026-03-08T11:47:00.000Z" */
ctn_str travel_moment_text(ctn_arena *arena, int64_t at_ms);
/* "2026-10-24": ret_text takes 11 bytes. */
void travel_day_format(travel_day day, char ret_text[11]);
/* "Saturday 24 October 2026": for people; ret_text takes 40 bytes. */
void travel_day_format_long(travel_day day, char ret_text[40]);
/* YYYY-MM-DD at the start of the text, whatever follows (a time). False when it is no date. */
bool travel_day_parse(ctn_str text, travel_day *ret_day);
