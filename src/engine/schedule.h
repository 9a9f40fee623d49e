/*
 * schedule.h -- when a chain's schedule fires. Pure, but for reading a time zone.
 *
 * A time of day that clocks going forward skip fires at the moment they went, once. One that comes twice, as clocks go
 * back, fires the first time; but a schedule of every hour (its hour field names all 24) goes on through the hour that
 * comes again, for it is a matter of how often and not of when.
 */
#pragma once
#include "base/zone.h"
#include "value/cron.h"
#include <stddef.h>

typedef struct ctn_schedule_times {
    ctn_cron cron;
    ctn_zone *zone;
} ctn_schedule_times;

/* CTN_E_INVALID, CTN_E_NOT_FOUND: no such cron expression, no such zone. */
int ctn_schedule_times_open(ctn_str cron, ctn_str zone, ctn_schedule_times *ret_times, ctn_err *err);
void ctn_schedule_times_close(ctn_schedule_times *times);
/* The first time after this one; 0: none in the next 40 years. */
int64_t ctn_schedule_next_ms(const ctn_schedule_times *times, int64_t after_ms);

#define CTN_SCHEDULE_MISSED_MAX 100
/* The newest times in (after, until], in order, at most `max` of them (up to CTN_SCHEDULE_MISSED_MAX): how many. */
size_t ctn_schedule_missed(const ctn_schedule_times *times, int64_t after_ms, int64_t until_ms, size_t max,
                           int64_t *ret_times_ms);
