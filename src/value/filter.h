/*
 * filter.h -- the filters of placeholders: {path | filter: x} (chain language, section 4). Internal to core.
 *
 *   default(x)       x when the value is missing or null
 *   json             the value as JSON text (a string in quotes)
 *   upper lower trim of a string
 *   length           code points of a string, items of a list, members of an object
 *   first last       item of a list, character of a string; null when it is empty
 *   join(sep)        a list's items as text, with sep (', ') between them
 *   date(format)     of a date, an RFC 3339 time or milliseconds since the epoch (calendar.h; YYYY-MM-DD)
 *   money(currency)  1234.5 -> EUR 1,234.50; a code's own number of decimals, a sign like '$' stands close: $1,234.50
 *   round(n)         half to even, n places (0)
 *   url              percent-encoded
 *   sort(key)        a list by its items, or by their member `key`; stable; numbers before strings, null last
 *   pick(keys)       of an object, or of each object in a list, only these members ('a' or ['a', 'b'])
 *
 * Null passes every filter but default as null. What a filter cannot take is invalid_input.
 */
#pragma once
#include "value/scope.h"

typedef struct ctn_filter_kind ctn_filter_kind;
typedef struct ctn_filter {
    const ctn_filter_kind *kind;
    const ctn_json *argument; /* NULL: none was written */
} ctn_filter;

const ctn_filter_kind *ctn_filter_find(ctn_str name);
/* For "did you mean"; empty when none is near. */
ctn_str ctn_filter_nearest(ctn_str name);
const char *ctn_filter_name(const ctn_filter *filter);
bool ctn_filter_is_default(const ctn_filter *filter);
/* CTN_E_INVALID when the argument is missing, not wanted or of the wrong kind (a sentence, no position). */
int ctn_filter_check(const ctn_filter *filter, ctn_err *err);
/* value may be NULL (missing). A result larger than bytes_max as JSON is CTN_FAILURE_LIMIT. */
ctn_failure ctn_filter_apply(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena, size_t bytes_max,
                             const ctn_json **ret_value, ctn_err *err);
