/*
 * expression_functions.c -- the functions of expressions, each pure, and one table of all that is known of them;
 * expression.h says what they mean.
 */
#include "value/calendar.h"
#include "value/decimal.h"
#include "value/expression_node.h"
#include "value/letter_case.h"
#include "value/literal.h"
#include "value/template.h"

#define PLACES_MAX 100

static ctn_failure give(const ctn_json *value, const ctn_json **ret_value)
{
    *ret_value = value ? value : &ctn_json_null;
    return CTN_FAILURE_NONE;
}

static ctn_failure give_bool(bool b, const ctn_json **ret_value)
{
    return give(ctn_json_bool(b), ret_value);
}

static ctn_failure give_str(evaluation *ev, ctn_str s, const ctn_json **ret_value)
{
    ctn_failure failure = expression_spend_bytes(ev, s.len);
    return failure ? failure : give(ctn_json_string(ev->arena, s), ret_value);
}

static bool is_null(const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_NULL);
}

static ctn_failure refuse(evaluation *ev, const expression_node *node, const char *wanted, const ctn_json *v)
{
    return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "%s wants %s, not %s", node->function->usage, wanted,
                           ctn_json_kind_name(v));
}

/* ---- values and text ---- */

static ctn_failure call_length(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                               const ctn_json **ret_value)
{
    (void) count;
    int64_t length = (int64_t) ctn_json_count(args[0]);
    if (ctn_json_is(args[0], CTN_JSON_STRING))
        length = (int64_t) ctn_str_code_points(ctn_json_text(args[0]));
    else if (args[0]->kind < CTN_JSON_ARRAY && !is_null(args[0]))
        return refuse(ev, node, "a string, a list or an object", args[0]);
    return give(ctn_json_int(ev->arena, length), ret_value);
}

static ctn_failure call_exists(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                               const ctn_json **ret_value)
{
    (void) ev;
    (void) node;
    (void) count;
    return give_bool(!is_null(args[0]), ret_value);
}

/* The string of a function of one string; false: the answer is in *ret_failure already. */
static bool wants_string(evaluation *ev, const expression_node *node, const ctn_json *arg, const ctn_json **ret_value,
                         ctn_failure *ret_failure)
{
    *ret_failure = CTN_FAILURE_NONE;
    if (ctn_json_is(arg, CTN_JSON_STRING))
        return true;
    *ret_failure = is_null(arg) ? give(NULL, ret_value) : refuse(ev, node, "a string", arg);
    return false;
}

static ctn_failure call_lower(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                              const ctn_json **ret_value)
{
    (void) count;
    ctn_failure failure;
    if (!wants_string(ev, node, args[0], ret_value, &failure))
        return failure;
    return give_str(ev, ctn_case_lower(ev->arena, ctn_json_text(args[0])), ret_value);
}

static ctn_failure call_upper(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                              const ctn_json **ret_value)
{
    (void) count;
    ctn_failure failure;
    if (!wants_string(ev, node, args[0], ret_value, &failure))
        return failure;
    return give_str(ev, ctn_case_upper(ev->arena, ctn_json_text(args[0])), ret_value);
}

static ctn_failure call_trim(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                             const ctn_json **ret_value)
{
    (void) count;
    ctn_failure failure;
    if (!wants_string(ev, node, args[0], ret_value, &failure))
        return failure;
    return give_str(ev, ctn_str_trim(ctn_json_text(args[0])), ret_value);
}

static ctn_failure call_contains(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                 const ctn_json **ret_value)
{
    (void) node;
    (void) count;
    bool contains = false;
    ctn_failure failure = expression_contains(ev, args[0], args[1], &contains);
    return failure ? failure : give_bool(contains, ret_value);
}

static bool are_strings(const ctn_json **args)
{
    return ctn_json_is(args[0], CTN_JSON_STRING) && ctn_json_is(args[1], CTN_JSON_STRING);
}

static ctn_failure call_starts_with(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                    const ctn_json **ret_value)
{
    (void) ev;
    (void) node;
    (void) count;
    return give_bool(are_strings(args) && ctn_str_starts_with(ctn_json_text(args[0]), ctn_json_text(args[1])),
                     ret_value);
}

static ctn_failure call_ends_with(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                  const ctn_json **ret_value)
{
    (void) ev;
    (void) node;
    (void) count;
    return give_bool(are_strings(args) && ctn_str_ends_with(ctn_json_text(args[0]), ctn_json_text(args[1])), ret_value);
}

static ctn_failure call_string(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                               const ctn_json **ret_value)
{
    (void) node;
    (void) count;
    if (ctn_json_is(args[0], CTN_JSON_STRING))
        return give(args[0], ret_value);
    return give_str(ev, is_null(args[0]) ? (ctn_str){0} : ctn_value_to_text(ev->arena, args[0]), ret_value);
}

/* ---- numbers ---- */

static ctn_failure call_number(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                               const ctn_json **ret_value)
{
    (void) node;
    (void) count;
    switch (ctn_json_kind_of(args[0])) {
    case CTN_JSON_NUMBER: return give(args[0], ret_value);
    case CTN_JSON_TRUE: return give(ctn_json_int(ev->arena, 1), ret_value);
    case CTN_JSON_FALSE: return give(ctn_json_int(ev->arena, 0), ret_value);
    case CTN_JSON_STRING: {
        ctn_str text = ctn_str_trim(ctn_json_text(args[0]));
        return give(ctn_json_is_number_text(text) ? ctn_json_number(ev->arena, text) : NULL, ret_value);
    }
    default: return give(NULL, ret_value);
    }
}

static ctn_failure call_round(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                              const ctn_json **ret_value)
{
    int64_t places = 0;
    if (count == 2 && (!ctn_json_is(args[1], CTN_JSON_NUMBER) || !ctn_json_to_int64(args[1], &places) ||
                       places > PLACES_MAX || places < -PLACES_MAX))
        return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "%s wants a whole number of places from -%d to %d",
                               node->function->usage, PLACES_MAX, PLACES_MAX);
    if (is_null(args[0]))
        return give(NULL, ret_value);
    if (!ctn_json_is(args[0], CTN_JSON_NUMBER))
        return refuse(ev, node, "a number", args[0]);
    ctn_decimal d;
    ctn_decimal_init(&d);
    bool is_number = ctn_decimal_parse(&d, ctn_json_text(args[0]));
    if (is_number) {
        ctn_decimal_round(&d, (int) places);
        *ret_value = ctn_json_number(ev->arena, ctn_decimal_to_str(ev->arena, &d));
    }
    ctn_decimal_done(&d);
    if (!is_number)
        return expression_fail(ev, node, CTN_FAILURE_EXPRESSION_LIMIT,
                               "a number is out of range: exponents go from -6144 to 6144");
    return CTN_FAILURE_NONE;
}

/* (list), (list, 'member') or (a, b, ...): the values that min, max and sum look at, one by one. */
typedef struct operands {
    const ctn_json *list; /* NULL: the arguments themselves */
    const ctn_json **args;
    ctn_str member; /* ptr NULL: the item itself */
    size_t count;
} operands;

static ctn_failure read_operands(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                 operands *ret_operands)
{
    operands o = {.args = args, .count = count};
    if (ctn_json_is(args[0], CTN_JSON_ARRAY)) {
        o.list = args[0];
        o.count = ctn_json_count(args[0]);
        if (count > 2 || (count == 2 && !ctn_json_is(args[1], CTN_JSON_STRING)))
            return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT,
                                   "%s: after a list comes the name of a member or nothing", node->function->usage);
        if (count == 2) {
            o.member = ctn_json_text(args[1]);
            o.member.ptr = o.member.ptr ? o.member.ptr : "";
        }
    }
    *ret_operands = o;
    return expression_spend(ev, o.count);
}

static const ctn_json *operand_at(const operands *o, size_t i)
{
    const ctn_json *item = o->list ? ctn_json_at(o->list, i) : o->args[i];
    return o->member.ptr ? ctn_json_get(item, o->member) : item;
}

static ctn_failure extreme(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                           int wanted_order, const ctn_json **ret_value)
{
    operands o;
    ctn_failure failure = read_operands(ev, node, args, count, &o);
    if (failure)
        return failure;
    const ctn_json *best = NULL;
    for (size_t i = 0; i < o.count; i++) {
        const ctn_json *value = operand_at(&o, i);
        if (is_null(value))
            continue;
        int order = 0;
        if (!expression_compare(value, best ? best : value, &order))
            return refuse(ev, node, best ? "values of one kind" : "numbers or strings", value);
        if (!best || order == wanted_order)
            best = value;
    }
    return give(best, ret_value);
}

static ctn_failure call_min(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    return extreme(ev, node, args, count, -1, ret_value);
}

static ctn_failure call_max(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    return extreme(ev, node, args, count, 1, ret_value);
}

static ctn_failure call_sum(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    operands o;
    ctn_failure failure = read_operands(ev, node, args, count, &o);
    if (failure)
        return failure;
    const ctn_json *total = ctn_json_int(ev->arena, 0);
    for (size_t i = 0; i < o.count && !failure; i++) {
        const ctn_json *value = operand_at(&o, i);
        if (is_null(value))
            continue;
        if (!ctn_json_is(value, CTN_JSON_NUMBER))
            return refuse(ev, node, "numbers", value);
        failure = expression_arithmetic(ev, node, OP_ADD, total, value, &total);
    }
    return failure ? failure : give(total, ret_value);
}

/* ---- dates ---- */

static ctn_failure wants_time(evaluation *ev, const expression_node *node, const ctn_json *v, ctn_time *ret_time)
{
    if (ctn_time_of(v, ret_time))
        return CTN_FAILURE_NONE;
    return refuse(ev, node, "a date (2026-11-22), an RFC 3339 time or milliseconds since 1970", v);
}

static ctn_failure call_now(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    (void) node;
    (void) args;
    (void) count;
    return give(expression_now(ev), ret_value);
}

static ctn_failure call_date(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                             const ctn_json **ret_value)
{
    ctn_time time = {.at_ms = ev->scope->now_ms};
    if (count && is_null(args[0]))
        return give(NULL, ret_value);
    ctn_failure failure = count ? wants_time(ev, node, args[0], &time) : CTN_FAILURE_NONE;
    if (failure)
        return failure;
    ctn_str format = CTN_STR("%F");
    if (count == 2) {
        ctn_err err = {0};
        if (!ctn_json_is(args[1], CTN_JSON_STRING))
            return refuse(ev, node, "a format in quotes", args[1]);
        format = ctn_json_text(args[1]);
        if (ctn_time_check_format(format, &err))
            return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "%s", err.message);
    }
    failure = expression_spend_bytes(ev, format.len * 10);
    return failure ? failure : give_str(ev, ctn_time_to_format(ev->arena, time, format), ret_value);
}

static ctn_failure call_add_days(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                 const ctn_json **ret_value)
{
    (void) count;
    if (is_null(args[0]) || is_null(args[1]))
        return give(NULL, ret_value);
    ctn_time time;
    ctn_failure failure = wants_time(ev, node, args[0], &time);
    if (failure)
        return failure;
    int64_t days;
    if (!ctn_json_is(args[1], CTN_JSON_NUMBER) || !ctn_json_to_int64(args[1], &days))
        return refuse(ev, node, "a whole number of days", args[1]);
    if (!ctn_time_add_days(&time, days))
        return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "%s leaves the years 1 to 9999",
                               node->function->usage);
    return give_str(ev, ctn_time_to_str(ev->arena, time), ret_value);
}

static ctn_failure call_days_between(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                     const ctn_json **ret_value)
{
    (void) count;
    if (is_null(args[0]) || is_null(args[1]))
        return give(NULL, ret_value);
    ctn_time from, to;
    ctn_failure failure = wants_time(ev, node, args[0], &from);
    if (!failure)
        failure = wants_time(ev, node, args[1], &to);
    return failure ? failure : give(ctn_json_int(ev->arena, ctn_time_days_between(from, to)), ret_value);
}

/* ---- lists and objects ---- */

static ctn_failure call_keys(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                             const ctn_json **ret_value)
{
    (void) count;
    if (is_null(args[0]))
        return give(NULL, ret_value);
    if (!ctn_json_is(args[0], CTN_JSON_OBJECT))
        return refuse(ev, node, "an object", args[0]);
    size_t members = ctn_json_count(args[0]);
    ctn_failure failure = expression_spend(ev, members);
    if (failure)
        return failure;
    ctn_json_builder names = ctn_json_array(ev->arena);
    for (size_t i = 0; i < members; i++)
        ctn_json_push(&names, &args[0]->members[i].key);
    return give(ctn_json_finish(&names), ret_value);
}

static ctn_failure call_has(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    if (ctn_json_is(args[0], CTN_JSON_STRING))
        return refuse(ev, node, "an object or a list", args[0]);
    return call_contains(ev, node, args, count, ret_value);
}

/* wanted: the truth of an item that decides. any is true at the first true item, all false at the first false one. */
static ctn_failure search_items(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                bool wanted, const ctn_json **ret_value)
{
    if (is_null(args[0]))
        return give_bool(!wanted, ret_value);
    if (!ctn_json_is(args[0], CTN_JSON_ARRAY))
        return refuse(ev, node, "a list", args[0]);
    if (count > 1 && !ctn_json_is(args[1], CTN_JSON_STRING))
        return refuse(ev, node, "the name of a member in quotes", args[1]);
    size_t items = ctn_json_count(args[0]);
    ctn_failure failure = expression_spend(ev, items);
    if (failure)
        return failure;
    for (size_t i = 0; i < items; i++) {
        const ctn_json *value = ctn_json_at(args[0], i);
        if (count > 1)
            value = ctn_json_get(value, ctn_json_text(args[1]));
        bool holds = count > 2 ? ctn_json_equal(value ? value : &ctn_json_null, args[2]) : ctn_json_is_true(value);
        if (holds == wanted)
            return give_bool(wanted, ret_value);
    }
    return give_bool(!wanted, ret_value);
}

static ctn_failure call_any(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    return search_items(ev, node, args, count, true, ret_value);
}

static ctn_failure call_all(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                            const ctn_json **ret_value)
{
    return search_items(ev, node, args, count, false, ret_value);
}

#define MANY EXPRESSION_ARGS_MAX

/* A row that leaves a member out does not compile. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wmissing-field-initializers"
/* clang-format off */
static const expression_function functions[] = {
    /* name, usage, arguments, kinds it gives, uses of the first argument and of the others, asks, does */
    {"length", "length(value)", 1, 1, CTN_TYPE_INTEGER, CTN_USE_READ, CTN_USE_READ, ASKS_LENGTH, call_length},
    {"exists", "exists(value)", 1, 1, CTN_TYPE_BOOLEAN, CTN_USE_READ, CTN_USE_READ, ASKS_NOTHING, call_exists},
    {"lower", "lower(text)", 1, 1, CTN_TYPE_STRING | CTN_TYPE_NULL, CTN_USE_READ, CTN_USE_READ, ASKS_SAME, call_lower},
    {"upper", "upper(text)", 1, 1, CTN_TYPE_STRING | CTN_TYPE_NULL, CTN_USE_TEXT, CTN_USE_READ, ASKS_NOTHING, call_upper},
    {"trim", "trim(text)", 1, 1, CTN_TYPE_STRING | CTN_TYPE_NULL, CTN_USE_READ, CTN_USE_READ, ASKS_SAME, call_trim},
    {"contains", "contains(whole, part)", 2, 2, CTN_TYPE_BOOLEAN, CTN_USE_TEXT, CTN_USE_TEXT, ASKS_PART, call_contains},
    {"startsWith", "startsWith(text, start)", 2, 2, CTN_TYPE_BOOLEAN, CTN_USE_TEXT, CTN_USE_TEXT, ASKS_PART, call_starts_with},
    {"endsWith", "endsWith(text, end)", 2, 2, CTN_TYPE_BOOLEAN, CTN_USE_TEXT, CTN_USE_TEXT, ASKS_PART, call_ends_with},
    {"number", "number(value)", 1, 1, CTN_TYPE_NUMBER | CTN_TYPE_NULL, CTN_USE_READ, CTN_USE_READ, ASKS_SAME, call_number},
    {"string", "string(value)", 1, 1, CTN_TYPE_STRING, CTN_USE_READ, CTN_USE_READ, ASKS_SAME, call_string},
    {"round", "round(number, places)", 1, 2, CTN_TYPE_NUMBER | CTN_TYPE_NULL, CTN_USE_NUMBER, CTN_USE_NUMBER, ASKS_SAME, call_round},
    {"min", "min(list) or min(a, b)", 1, MANY, CTN_TYPE_ALL, CTN_USE_LIST, CTN_USE_NUMBER, ASKS_NOTHING, call_min},
    {"max", "max(list) or max(a, b)", 1, MANY, CTN_TYPE_ALL, CTN_USE_LIST, CTN_USE_NUMBER, ASKS_NOTHING, call_max},
    {"sum", "sum(list) or sum(list, 'member')", 1, MANY, CTN_TYPE_NUMBER, CTN_USE_LIST, CTN_USE_NUMBER, ASKS_NOTHING, call_sum},
    {"now", "now()", 0, 0, CTN_TYPE_ALL, CTN_USE_READ, CTN_USE_READ, ASKS_NOTHING, call_now},
    {"date", "date(time, format)", 0, 2, CTN_TYPE_ALL, CTN_USE_TIME, CTN_USE_TEXT, ASKS_NOTHING, call_date},
    {"addDays", "addDays(date, days)", 2, 2, CTN_TYPE_ALL, CTN_USE_TIME, CTN_USE_NUMBER, ASKS_NOTHING, call_add_days},
    {"daysBetween", "daysBetween(from, to)", 2, 2, CTN_TYPE_INTEGER | CTN_TYPE_NULL, CTN_USE_TIME, CTN_USE_TIME, ASKS_NOTHING, call_days_between},
    {"keys", "keys(object)", 1, 1, CTN_TYPE_ALL, CTN_USE_OBJECT, CTN_USE_READ, ASKS_NOTHING, call_keys},
    {"has", "has(object, key)", 2, 2, CTN_TYPE_BOOLEAN, CTN_USE_OBJECT, CTN_USE_READ, ASKS_PART, call_has},
    {"any", "any(list, 'member', value)", 1, 3, CTN_TYPE_BOOLEAN, CTN_USE_LIST, CTN_USE_READ, ASKS_NOTHING, call_any},
    {"all", "all(list, 'member', value)", 1, 3, CTN_TYPE_BOOLEAN, CTN_USE_LIST, CTN_USE_READ, ASKS_NOTHING, call_all},
};
/* clang-format on */
#pragma GCC diagnostic pop
#define FUNCTION_COUNT (sizeof functions / sizeof functions[0])

const expression_function *expression_function_find(ctn_str name)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        if (ctn_str_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}

int expression_function_fail_unknown(ctn_str name, size_t offset, ctn_err *err)
{
    ctn_str names[FUNCTION_COUNT];
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        names[i] = ctn_str_from(functions[i].name);
    return ctn_literal_fail_unknown("function", name, offset, names, FUNCTION_COUNT, err);
}
