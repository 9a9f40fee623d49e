/*
 * cron.h -- cron expressions of five fields: minute, hour, day of month, month, day of week.
 *
 * Each field is *, a number or a name (JAN, MON), a range a-b, any of them with /step, and lists of those.
 * Day of week is 0..7, both ends Sunday. One that never fires (30 February) is refused. Pure; when it fires is not
 * known here.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

/* CTN_OK, or CTN_E_INVALID with the sentence that names the field. */
int ctn_cron_check(ctn_str text, ctn_err *err);

typedef struct ctn_cron {
    uint64_t minutes, hours, days, months, weekdays; /* bits; Sunday is bit 0 */
    bool either_day;                                 /* day of month or of week, not both */
} ctn_cron;
int ctn_cron_parse(ctn_str text, ctn_cron *ret_cron, ctn_err *err);
/* The next minute of the local clock after this one that fits; false: none in the next 40 years. */
bool ctn_cron_next(const ctn_cron *cron, int64_t after_local_s, int64_t *ret_local_s);
