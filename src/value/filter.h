/*
 * filter.h -- the filters of placeholders: {path | filter: x} (chain language, section 4).
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
#include "value/kinds.h"
#include "value/use.h"

typedef struct ctn_filter_kind ctn_filter_kind;
typedef struct ctn_filter {
    const ctn_filter_kind *kind;
    const ctn_json *argument; /* NULL: none was written */
} ctn_filter;

typedef enum ctn_filter_gives {
    CTN_FILTER_GIVES_KINDS,      /* a value of the kinds that the row names */
    CTN_FILTER_GIVES_SAME_KIND,  /* of these kinds, the one that it was given */
    CTN_FILTER_GIVES_SAME_ITEMS, /* the list that it was given, in another order */
    CTN_FILTER_GIVES_ITEM,       /* an item of the list, a character of the text; null of an empty one */
} ctn_filter_gives;

/* All that anybody knows of a filter: the template, check (takes, gives) and simulate (use). */
struct ctn_filter_kind {
    const char *name;
    unsigned takes;    /* CTN_TYPE_*, null excepted */
    const char *wants; /* the same in words, for a sentence; "" when it takes everything */
    ctn_filter_gives gives;
    unsigned gives_kinds; /* CTN_TYPE_* */
    ctn_use use;          /* what it takes its value for; READ: that is told by the filter behind it */
    bool names_members;   /* its argument names members of the value, or of the list's items */
    enum ctn_filter_argument {
        CTN_ARGUMENT_NONE,
        CTN_ARGUMENT_ANY,            /* required, any literal */
        CTN_ARGUMENT_STRING_MAYBE,   /* text or nothing */
        CTN_ARGUMENT_FORMAT_MAYBE,   /* a date format or nothing */
        CTN_ARGUMENT_INTEGER_MAYBE,  /* -100 to 100 or nothing */
        CTN_ARGUMENT_STRING_OR_LIST, /* text, or a list of texts */
    } argument;
    ctn_failure (*apply)(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena, const ctn_json **ret_value,
                         ctn_err *err);
};

const ctn_filter_kind *ctn_filter_find(ctn_str name);
/* The sentence for a name that none has, at its offset in the text; CTN_E_INVALID. */
int ctn_filter_fail_unknown(ctn_str name, size_t offset, ctn_err *err);
bool ctn_filter_is_default(const ctn_filter *filter);
/* CTN_E_INVALID when the argument is missing, not wanted or of the wrong kind (a sentence, no position). */
int ctn_filter_check(const ctn_filter *filter, ctn_err *err);
/* value may be NULL (missing). A result larger than bytes_max as JSON is CTN_FAILURE_LIMIT. */
ctn_failure ctn_filter_apply(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena, size_t bytes_max,
                             const ctn_json **ret_value, ctn_err *err);
