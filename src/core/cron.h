/*
 * cron.h -- is a text a cron expression of five fields: minute, hour, day of month, month, day of week?
 *
 * Each field is *, a number or a name (JAN, MON), a range a-b, any of them with /step, and lists of those.
 * Day of week is 0..7, both ends Sunday. One that never fires (30 February) is refused. Pure; when it fires is not
 * known here.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

/* CTN_OK, or CTN_E_INVALID with the sentence that names the field. */
int ctn_cron_check(ctn_str text, ctn_err *err);
