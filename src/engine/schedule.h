/*
 * schedule.h -- when a chain's schedule fires. Pure, but for reading a time zone.
 *
 * A time of day that clocks going forward skip fires at the moment they went; one that comes twice fires the first
 * time.
 */
#pragma once
#include "base/zone.h"
#include "value/cron.h"

typedef struct ctn_schedule_times {
    ctn_cron cron;
    ctn_zone *zone;
} ctn_schedule_times;

/* CTN_E_INVALID, CTN_E_NOT_FOUND: no such cron expression, no such zone. */
int ctn_schedule_times_open(ctn_str cron, ctn_str zone, ctn_schedule_times *ret_times, ctn_err *err);
void ctn_schedule_times_close(ctn_schedule_times *times);
/* The first time after this one; 0: none in the next 40 years. */
int64_t ctn_schedule_next_ms(const ctn_schedule_times *times, int64_t after_ms);
/* The last time in (after, until]; 0: none. */
int64_t ctn_schedule_last_ms(const ctn_schedule_times *times, int64_t after_ms, int64_t until_ms);
