/*
 * filter.c -- the filters of placeholders, each a pure function from a value and a literal to a value, and one table
 * of all that is known of them.
 */
#include "value/filter.h"
#include "base/percent.h"
#include "value/calendar.h"
#include "value/decimal.h"
#include "value/letter_case.h"
#include "value/literal.h"
#include "value/template.h"

#include <assert.h>

static ctn_failure refuse(const ctn_filter *filter, const ctn_json *value, const char *wanted, ctn_err *err)
{
    return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "filter '%s' takes %s, not %s", filter->kind->name, wanted,
                            ctn_json_kind_name(value));
}

static ctn_failure give(const ctn_json *value, const ctn_json **ret_value)
{
    *ret_value = value;
    return CTN_FAILURE_NONE;
}

static ctn_failure give_str(ctn_arena *arena, ctn_str s, const ctn_json **ret_value)
{
    return give(ctn_json_string(arena, s), ret_value);
}

/* Null passes before any of these is called, default excepted. */

static ctn_failure apply_default(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                                 const ctn_json **ret_value, ctn_err *err)
{
    (void) arena;
    (void) err;
    return give(ctn_json_is(value, CTN_JSON_NULL) ? filter->argument : value, ret_value);
}

static ctn_failure apply_json(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    (void) filter;
    (void) err;
    return give_str(arena, ctn_json_to_str(arena, value), ret_value);
}

static ctn_failure apply_upper(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                               const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return refuse(filter, value, "a string", err);
    return give_str(arena, ctn_case_upper(arena, ctn_json_text(value)), ret_value);
}

static ctn_failure apply_lower(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                               const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return refuse(filter, value, "a string", err);
    return give_str(arena, ctn_case_lower(arena, ctn_json_text(value)), ret_value);
}

static ctn_failure apply_trim(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return refuse(filter, value, "a string", err);
    return give_str(arena, ctn_str_trim(ctn_json_text(value)), ret_value);
}

static ctn_failure apply_length(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                                const ctn_json **ret_value, ctn_err *err)
{
    if (ctn_json_is(value, CTN_JSON_STRING))
        return give(ctn_json_int(arena, (int64_t) ctn_str_code_points(ctn_json_text(value))), ret_value);
    if (!ctn_json_is(value, CTN_JSON_ARRAY) && !ctn_json_is(value, CTN_JSON_OBJECT))
        return refuse(filter, value, "a string, a list or an object", err);
    return give(ctn_json_int(arena, (int64_t) ctn_json_count(value)), ret_value);
}

static ctn_failure apply_first(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                               const ctn_json **ret_value, ctn_err *err)
{
    if (ctn_json_is(value, CTN_JSON_ARRAY))
        return give(ctn_json_at(value, 0), ret_value);
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return refuse(filter, value, "a list or a string", err);
    ctn_str s = ctn_json_text(value);
    size_t bytes = 0;
    if (s.len)
        (void) ctn_utf8_decode(s, &bytes);
    return give(s.len ? ctn_json_string(arena, (ctn_str){s.ptr, bytes}) : NULL, ret_value);
}

static ctn_failure apply_last(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    size_t count = ctn_json_count(value);
    if (ctn_json_is(value, CTN_JSON_ARRAY))
        return give(count ? ctn_json_at(value, count - 1) : NULL, ret_value);
    if (!ctn_json_is(value, CTN_JSON_STRING))
        return refuse(filter, value, "a list or a string", err);
    ctn_str s = ctn_json_text(value);
    size_t at = s.len;
    while (at > 0) {
        at--;
        if (((unsigned char) s.ptr[at] & 0xc0) != 0x80)
            break;
    }
    return give(s.len ? ctn_json_string(arena, ctn_str_from_offset(s, at)) : NULL, ret_value);
}

static ctn_failure apply_join(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return refuse(filter, value, "a list", err);
    ctn_str separator = filter->argument ? ctn_json_text(filter->argument) : CTN_STR(", ");
    size_t count = ctn_json_count(value), bytes = 0;
    ctn_str *texts = CTN_NEW_ARRAY(arena, ctn_str, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *item = ctn_json_at(value, i);
        texts[i] = ctn_json_is(item, CTN_JSON_NULL) ? (ctn_str){0} : ctn_value_to_text(arena, item);
        bytes += texts[i].len + (i ? separator.len : 0);
    }
    if (bytes > UINT32_MAX)
        return ctn_failure_tell(err, CTN_FAILURE_LIMIT, "filter 'join' would give %zu bytes", bytes);
    char *joined = ctn_arena_alloc(arena, bytes + 1);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        ctn_str before = i ? separator : (ctn_str){0};
        if (before.len)
            memcpy(joined + at, before.ptr, before.len);
        at += before.len;
        if (texts[i].len)
            memcpy(joined + at, texts[i].ptr, texts[i].len);
        at += texts[i].len;
    }
    return give_str(arena, (ctn_str){joined, at}, ret_value);
}

static ctn_failure apply_date(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    ctn_time time;
    if (!ctn_time_of(value, &time))
        return refuse(filter, value, "a date (2026-11-22), an RFC 3339 time or milliseconds since 1970", err);
    ctn_str format = filter->argument ? ctn_json_text(filter->argument) : CTN_STR("%F");
    return give_str(arena, ctn_time_to_format(arena, time, format), ret_value);
}

/* Decimals of a currency (ISO 4217): those that have not two. */
static int minor_digits(ctn_str currency)
{
    static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    if (currency.len != 3)
        return 2;
    if (ctn_str_find(ctn_str_from(none), currency) != SIZE_MAX)
        return 0;
    return ctn_str_find(ctn_str_from(three), currency) != SIZE_MAX ? 3 : 2;
}

static bool is_currency_code(ctn_str s)
{
    bool is_code = s.len == 3;
    for (size_t i = 0; is_code && i < s.len; i++)
        is_code = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z';
    return is_code;
}

/* -1234.5 with 2 places -> "-" and "1,234.50". The number is rounded to `places` already and plain. */
static ctn_str group_thousands(ctn_arena *arena, ctn_str plain, int places)
{
    size_t point = ctn_str_find(plain, CTN_STR("."));
    size_t whole = point == SIZE_MAX ? plain.len : point;
    ctn_str fraction = point == SIZE_MAX ? (ctn_str){0} : ctn_str_from_offset(plain, point + 1);
    char *out = ctn_arena_alloc(arena, plain.len * 2 + (size_t) places + 2);
    size_t len = 0;
    for (size_t i = 0; i < whole; i++) {
        if (i && (whole - i) % 3 == 0)
            out[len++] = ',';
        out[len++] = plain.ptr[i];
    }
    if (places)
        out[len++] = '.';
    for (size_t i = 0; i < (size_t) places; i++)
        out[len++] = i < fraction.len ? fraction.ptr[i] : '0';
    return (ctn_str){out, len};
}

static ctn_failure apply_money(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                               const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_NUMBER))
        return refuse(filter, value, "a number", err);
    ctn_str currency = ctn_json_text(filter->argument);
    bool is_code = is_currency_code(currency);
    int places = is_code ? minor_digits(currency) : 2;
    ctn_decimal d;
    ctn_decimal_init(&d);
    bool is_number = ctn_decimal_parse(&d, ctn_json_text(value));
    if (is_number)
        ctn_decimal_round(&d, places);
    ctn_str plain = is_number ? ctn_decimal_to_str(arena, &d) : (ctn_str){0};
    ctn_decimal_done(&d);
    if (!is_number || memchr(plain.ptr, 'E', plain.len))
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "filter 'money' takes an amount of at most 34 digits");
    bool is_negative = plain.ptr[0] == '-';
    ctn_str amount = group_thousands(arena, ctn_str_from_offset(plain, is_negative), places);
    return give_str(arena,
                    ctn_arena_printf(arena, "%s%.*s%s%.*s", is_negative ? "-" : "", CTN_STR_ARG(currency),
                                     is_code ? " " : "", CTN_STR_ARG(amount)),
                    ret_value);
}

static ctn_failure apply_url(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                             const ctn_json **ret_value, ctn_err *err)
{
    (void) filter;
    (void) err;
    return give_str(arena, ctn_percent_encode(arena, ctn_value_to_text(arena, value)), ret_value);
}

static ctn_failure apply_round(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                               const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_NUMBER))
        return refuse(filter, value, "a number", err);
    int64_t places = 0;
    if (filter->argument)
        (void) ctn_json_to_int64(filter->argument, &places);
    ctn_decimal d;
    ctn_decimal_init(&d);
    bool is_number = ctn_decimal_parse(&d, ctn_json_text(value));
    if (is_number)
        ctn_decimal_round(&d, (int) places);
    ctn_str text = is_number ? ctn_decimal_to_str(arena, &d) : (ctn_str){0};
    ctn_decimal_done(&d);
    if (!is_number)
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "filter 'round' was given a number out of range");
    return give(ctn_json_number(arena, text), ret_value);
}

/* ---- sort: a stable merge ---- */

static int rank_of(const ctn_json *v)
{
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_FALSE: return 0;
    case CTN_JSON_TRUE: return 1;
    case CTN_JSON_NUMBER: return 2;
    case CTN_JSON_STRING: return 3;
    case CTN_JSON_ARRAY: return 4;
    case CTN_JSON_OBJECT: return 5;
    case CTN_JSON_NULL: break;
    }
    return 6;
}

static int compare_values(const ctn_json *a, const ctn_json *b)
{
    int order = rank_of(a) - rank_of(b);
    if (order)
        return order;
    if (ctn_json_is(a, CTN_JSON_NUMBER))
        return ctn_json_number_compare(a, b);
    if (ctn_json_is(a, CTN_JSON_STRING))
        return ctn_str_compare(ctn_json_text(a), ctn_json_text(b));
    return 0;
}

typedef struct sort_item {
    const ctn_json *by;
    const ctn_json *item;
} sort_item;

static void merge_sort(sort_item *items, sort_item *spare, size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2;
    merge_sort(items, spare, half);
    merge_sort(items + half, spare, count - half);
    memcpy(spare, items, half * sizeof *items);
    size_t left = 0, right = half;
    for (size_t at = 0; left < half; at++) {
        bool take_right = right < count && compare_values(items[right].by, spare[left].by) < 0;
        items[at] = take_right ? items[right++] : spare[left++];
    }
}

static ctn_failure apply_sort(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return refuse(filter, value, "a list", err);
    size_t count = ctn_json_count(value);
    sort_item *items = CTN_NEW_ARRAY(arena, sort_item, count);
    sort_item *spare = CTN_NEW_ARRAY(arena, sort_item, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *item = ctn_json_at(value, i);
        items[i] = (sort_item){filter->argument ? ctn_json_get(item, ctn_json_text(filter->argument)) : item, item};
    }
    merge_sort(items, spare, count);
    ctn_json_builder sorted = ctn_json_array(arena);
    for (size_t i = 0; i < count; i++)
        ctn_json_push(&sorted, items[i].item);
    return give(ctn_json_finish(&sorted), ret_value);
}

static const ctn_json *pick_members(const ctn_filter *filter, const ctn_json *object, ctn_arena *arena)
{
    ctn_json_builder picked = ctn_json_object(arena);
    size_t count = ctn_json_is(filter->argument, CTN_JSON_ARRAY) ? ctn_json_count(filter->argument) : 1;
    for (size_t i = 0; i < count; i++) {
        const ctn_json *key =
            ctn_json_is(filter->argument, CTN_JSON_ARRAY) ? ctn_json_at(filter->argument, i) : filter->argument;
        const ctn_json *member = ctn_json_get(object, ctn_json_text(key));
        if (member)
            ctn_json_put(&picked, ctn_json_text(key), member);
    }
    return ctn_json_finish(&picked);
}

static ctn_failure apply_pick(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena,
                              const ctn_json **ret_value, ctn_err *err)
{
    if (ctn_json_is(value, CTN_JSON_OBJECT))
        return give(pick_members(filter, value, arena), ret_value);
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return refuse(filter, value, "an object or a list of objects", err);
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(value); i++) {
        const ctn_json *item = ctn_json_at(value, i);
        if (!ctn_json_is(item, CTN_JSON_OBJECT))
            return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "filter 'pick' takes objects, and item %zu is %s",
                                    i, ctn_json_kind_name(item));
        ctn_json_push(&list, pick_members(filter, item, arena));
    }
    return give(ctn_json_finish(&list), ret_value);
}

#define TEXT       CTN_TYPE_STRING
#define LIST       CTN_TYPE_LIST
#define OBJECT     CTN_TYPE_OBJECT
#define NUMBER     CTN_TYPE_NUMBER
#define GIVES(how) CTN_FILTER_GIVES_##how

/* A row that leaves a member out does not compile. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wmissing-field-initializers"
/* clang-format off */
static const ctn_filter_kind kinds[] = {
    /* name, kinds it takes, in words, gives and of what kinds, use, names members, argument, does */
    {"default", CTN_TYPE_ALL, "", GIVES(SAME_KIND), CTN_TYPE_ALL, CTN_USE_READ, false, CTN_ARGUMENT_ANY, apply_default},
    {"json", CTN_TYPE_ALL, "", GIVES(KINDS), TEXT, CTN_USE_READ, false, CTN_ARGUMENT_NONE, apply_json},
    {"upper", TEXT, "text", GIVES(KINDS), TEXT, CTN_USE_TEXT, false, CTN_ARGUMENT_NONE, apply_upper},
    {"lower", TEXT, "text", GIVES(KINDS), TEXT, CTN_USE_TEXT, false, CTN_ARGUMENT_NONE, apply_lower},
    {"trim", TEXT, "text", GIVES(KINDS), TEXT, CTN_USE_TEXT, false, CTN_ARGUMENT_NONE, apply_trim},
    {"length", TEXT | LIST | OBJECT, "text, a list or an object", GIVES(KINDS), CTN_TYPE_INTEGER, CTN_USE_READ, false, CTN_ARGUMENT_NONE, apply_length},
    {"first", TEXT | LIST, "a list or text", GIVES(ITEM), CTN_TYPE_ALL, CTN_USE_LIST, false, CTN_ARGUMENT_NONE, apply_first},
    {"last", TEXT | LIST, "a list or text", GIVES(ITEM), CTN_TYPE_ALL, CTN_USE_LIST, false, CTN_ARGUMENT_NONE, apply_last},
    {"join", LIST, "a list", GIVES(KINDS), TEXT, CTN_USE_LIST, false, CTN_ARGUMENT_STRING_MAYBE, apply_join},
    {"date", TEXT | NUMBER, "a date, as text or number", GIVES(KINDS), TEXT, CTN_USE_TIME, false, CTN_ARGUMENT_FORMAT_MAYBE, apply_date},
    {"money", NUMBER, "a number", GIVES(KINDS), TEXT, CTN_USE_NUMBER, false, CTN_ARGUMENT_STRING_MAYBE, apply_money},
    {"url", CTN_TYPE_ALL, "", GIVES(KINDS), TEXT, CTN_USE_TEXT, false, CTN_ARGUMENT_NONE, apply_url},
    {"round", NUMBER, "a number", GIVES(KINDS), NUMBER, CTN_USE_NUMBER, false, CTN_ARGUMENT_INTEGER_MAYBE, apply_round},
    {"sort", LIST, "a list", GIVES(SAME_ITEMS), LIST, CTN_USE_LIST, true, CTN_ARGUMENT_STRING_MAYBE, apply_sort},
    {"pick", LIST | OBJECT, "an object or a list of objects", GIVES(SAME_KIND), LIST | OBJECT, CTN_USE_READ, true, CTN_ARGUMENT_STRING_OR_LIST, apply_pick},
};
/* clang-format on */
#pragma GCC diagnostic pop
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const ctn_filter_kind *ctn_filter_find(ctn_str name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (ctn_str_is(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

int ctn_filter_fail_unknown(ctn_str name, size_t offset, ctn_err *err)
{
    ctn_str names[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++)
        names[i] = ctn_str_from(kinds[i].name);
    return ctn_literal_fail_unknown("filter", name, offset, names, KIND_COUNT, err);
}

bool ctn_filter_is_default(const ctn_filter *filter)
{
    return filter->kind->apply == apply_default;
}

static bool is_list_of_strings(const ctn_json *v)
{
    if (!ctn_json_is(v, CTN_JSON_ARRAY))
        return false;
    for (size_t i = 0; i < ctn_json_count(v); i++)
        if (!ctn_json_is(ctn_json_at(v, i), CTN_JSON_STRING))
            return false;
    return true;
}

int ctn_filter_check(const ctn_filter *filter, ctn_err *err)
{
    const ctn_json *argument = filter->argument;
    const char *name = filter->kind->name;
    int64_t places;
    switch (filter->kind->argument) {
    case CTN_ARGUMENT_NONE:
        if (argument)
            return ctn_fail(err, CTN_E_INVALID, "filter '%s' takes no argument", name);
        break;
    case CTN_ARGUMENT_ANY:
        if (!argument)
            return ctn_fail(err, CTN_E_INVALID, "filter '%s' needs an argument: %s: 'text'", name, name);
        break;
    case CTN_ARGUMENT_STRING_MAYBE:
    case CTN_ARGUMENT_FORMAT_MAYBE:
        if (argument && !ctn_json_is(argument, CTN_JSON_STRING))
            return ctn_fail(err, CTN_E_INVALID, "filter '%s' takes text in quotes, not %s", name,
                            ctn_json_kind_name(argument));
        if (argument && filter->kind->argument == CTN_ARGUMENT_FORMAT_MAYBE)
            return ctn_time_check_format(ctn_json_text(argument), err);
        break;
    case CTN_ARGUMENT_INTEGER_MAYBE:
        if (argument && (!ctn_json_to_int64(argument, &places) || places < -100 || places > 100))
            return ctn_fail(err, CTN_E_INVALID, "filter '%s' takes a whole number from -100 to 100", name);
        break;
    case CTN_ARGUMENT_STRING_OR_LIST:
        if (!ctn_json_is(argument, CTN_JSON_STRING) && !is_list_of_strings(argument))
            return ctn_fail(err, CTN_E_INVALID, "filter '%s' needs a name or a list of names: %s: ['a', 'b']", name,
                            name);
        break;
    }
    return CTN_OK;
}

ctn_failure ctn_filter_apply(const ctn_filter *filter, const ctn_json *value, ctn_arena *arena, size_t bytes_max,
                             const ctn_json **ret_value, ctn_err *err)
{
    if (ctn_json_is(value, CTN_JSON_NULL) && !ctn_filter_is_default(filter))
        return give(value, ret_value);
    const ctn_json *result = NULL;
    ctn_failure failure = filter->kind->apply(filter, value, arena, &result, err);
    if (failure)
        return failure;
    if (ctn_json_bytes(result) > bytes_max)
        return ctn_failure_tell(err, CTN_FAILURE_LIMIT, "filter '%s' gives more than the %zu bytes allowed",
                                filter->kind->name, bytes_max);
    return give(result, ret_value);
}
