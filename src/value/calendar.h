/*
 * calendar.h -- points in time as text: own civil-date arithmetic, UTC, years 1 to 9999. Pure.
 *
 * Read are dates (2026-11-22) and RFC 3339 times (2026-11-22T10:00:00Z, fraction and offset allowed, a blank
 * for the T, seconds and zone may be left out: then UTC).
 *
 * A format is either strftime's (%Y %y %m %d %e %H %I %M %S %L %j %p %a %A %b %B %F %T %z %Z %%) or, without any '%',
 * made of YYYY YY MMMM MMM MM M DDDD DDD DD D dddd ddd HH H hh h mm m ss s SSS A (longest first); text in
 * [square brackets] and every other character stand for themselves. Names are English.
 */
#pragma once
#include "base/json.h"

typedef struct ctn_time {
    int64_t at_ms; /* since the Unix epoch */
    bool is_date;  /* written without a time of day */
} ctn_time;

/* A string as above, or a number: whole milliseconds since the epoch. */
bool ctn_time_of(const ctn_json *value, ctn_time *ret_time);
/* False when the year would leave 1 to 9999. */
bool ctn_time_add_days(ctn_time *time, int64_t days);
/* From the date of `from` to the date of `to`, both in UTC; negative when `to` is earlier. */
int64_t ctn_time_days_between(ctn_time from, ctn_time to);
/* 2026-11-22, or 2026-11-22T10:00:00.000Z. */
ctn_str ctn_time_to_str(ctn_arena *arena, ctn_time time);
/* CTN_E_INVALID: an unknown % conversion, by its offset + 1 in err->column. */
int ctn_time_check_format(ctn_str format, ctn_err *err);
ctn_str ctn_time_to_format(ctn_arena *arena, ctn_time time, ctn_str format);
