/*
 * arguments.h -- reading a tool's arguments: each reader gives a value, or a sentence that names the argument.
 *
 * A sentence names the argument and not what stands in it (kit/shown.h). An argument that is null counts as absent.
 * CTN_E_INVALID: it is of another kind, or missing where it is wanted; CTN_E_LIMIT: a text of more than 64 KiB.
 */
#pragma once

#include "kit/calendar.h"
#include "kit/words.h"
#include "tools.h"

int travel_want_object(const travel_call *call, const char *key, const ctn_json **ret_value, ctn_err *err);
int travel_maybe_object(const travel_call *call, const char *key, const ctn_json **ret_value, ctn_err *err);
int travel_want_text(const travel_call *call, const char *key, ctn_str *ret_text, ctn_err *err);
/* Text, or a number as it is written; absent is empty. */
int travel_maybe_text(const travel_call *call, const char *key, ctn_str *ret_text, ctn_err *err);
/* The UTC day of a moment in RFC 3339 or milliseconds since 1970; an empty text counts as absent. */
int travel_maybe_day(const travel_call *call, const char *key, bool *ret_is_there, travel_day *ret_day, ctn_err *err);
/* The day of `started_at` if it is there, else of the clock. */
int travel_today(const travel_call *call, travel_day *ret_day, ctn_err *err);

/* A moment as above, in milliseconds, of the years 1970 to 9999; absent: `otherwise_ms`. A date alone is its midnight,
 * UTC. */
int travel_maybe_moment(const travel_call *call, const char *key, int64_t otherwise_ms, int64_t *ret_at_ms,
                        ctn_err *err);
/* Text of at most bytes_max; absent is empty. */
int travel_maybe_long_text(const travel_call *call, const char *key, size_t bytes_max, ctn_str *ret_text, ctn_err *err);
/* A whole number from min to max; absent: `otherwise`. */
int travel_maybe_int(const travel_call *call, const char *key, int64_t min, int64_t max, int64_t otherwise,
                     int64_t *ret_value, ctn_err *err);

/* `language` if it is one of ours, else the agency's own, else English: a lead in a fifth language is answered in the
 * agency's. */
int travel_maybe_language(const travel_call *call, travel_language *ret_language, ctn_err *err);

int64_t travel_now_ms(const travel_call *call);
