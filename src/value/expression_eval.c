/*
 * expression_eval.c -- from tree and scope to value.
 *
 * Every node visited, and every item that a function or `in` looks at, spends one operation of 10,000; every
 * text that is made spends its bytes. There are no loops in the language, so that is all that a hostile value
 * can make long. Decimals live only inside one operation and are cleared on its one way out.
 */
#include "value/calendar.h"
#include "value/decimal.h"
#include "value/expression_node.h"

#include <assert.h>
#include <stdio.h>

/* A match costs much more than other operations do: a hundred of them, or a few on very long texts. */
#define MATCH_OPERATIONS         100
#define MATCH_BYTES_AN_OPERATION 256

/* ---- bounds and sentences ---- */

ctn_failure expression_spend(evaluation *ev, size_t count)
{
    if (count > CTN_EXPRESSION_OPERATIONS_MAX - ev->operations)
        return ctn_failure_tell(ev->err, CTN_FAILURE_EXPRESSION_LIMIT, "the expression needs more than %d operations",
                                CTN_EXPRESSION_OPERATIONS_MAX);
    ev->operations += count;
    return CTN_FAILURE_NONE;
}

ctn_failure expression_spend_bytes(evaluation *ev, size_t bytes)
{
    if (bytes > CTN_EXPRESSION_BYTES_MAX - ev->bytes)
        return ctn_failure_tell(ev->err, CTN_FAILURE_EXPRESSION_LIMIT,
                                "the expression makes more than %u bytes of text", CTN_EXPRESSION_BYTES_MAX);
    ev->bytes += bytes;
    return CTN_FAILURE_NONE;
}

ctn_failure expression_fail(evaluation *ev, const expression_node *node, ctn_failure failure, const char *format, ...)
{
    char sentence[400];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    (void) ctn_failure_tell(ev->err, failure, "at column %u: %s", node->offset + 1, sentence);
    if (ev->err) {
        ev->err->line = 1;
        ev->err->column = node->offset + 1;
    }
    return failure;
}

const ctn_json *expression_now(evaluation *ev)
{
    return ctn_json_string(ev->arena, ctn_time_to_str(ev->arena, (ctn_time){.at_ms = ev->scope->now_ms}));
}

/* ---- truth and order ---- */

bool ctn_json_is_true(const ctn_json *v)
{
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL:
    case CTN_JSON_FALSE: return false;
    case CTN_JSON_TRUE: return true;
    case CTN_JSON_NUMBER:
        for (uint32_t i = 0; i < v->count && v->text[i] != 'e' && v->text[i] != 'E'; i++)
            if (v->text[i] >= '1' && v->text[i] <= '9')
                return true;
        return false;
    case CTN_JSON_STRING:
    case CTN_JSON_ARRAY:
    case CTN_JSON_OBJECT: return v->count != 0;
    }
    return false;
}

bool expression_compare(const ctn_json *a, const ctn_json *b, int *ret_order)
{
    if (ctn_json_is(a, CTN_JSON_NUMBER) && ctn_json_is(b, CTN_JSON_NUMBER)) {
        *ret_order = ctn_json_number_compare(a, b);
        return true;
    }
    if (!ctn_json_is(a, CTN_JSON_STRING) || !ctn_json_is(b, CTN_JSON_STRING))
        return false;
    int order = ctn_str_compare(ctn_json_text(a), ctn_json_text(b));
    *ret_order = (order > 0) - (order < 0);
    return true;
}

bool expression_order_is(operator_kind op, int order)
{
    switch (op) {
    case OP_LESS: return order < 0;
    case OP_LESS_EQUAL: return order <= 0;
    case OP_GREATER: return order > 0;
    default: return order >= 0;
    }
}

static bool compare(operator_kind op, const ctn_json *a, const ctn_json *b)
{
    a = a ? a : &ctn_json_null;
    b = b ? b : &ctn_json_null;
    if (op == OP_EQUAL || op == OP_UNEQUAL)
        return ctn_json_equal(a, b) == (op == OP_EQUAL);
    int order;
    return expression_compare(a, b, &order) && expression_order_is(op, order);
}

ctn_failure expression_contains(evaluation *ev, const ctn_json *whole, const ctn_json *part, bool *ret_contains)
{
    *ret_contains = false;
    if (ctn_json_is(whole, CTN_JSON_STRING)) {
        *ret_contains =
            ctn_json_is(part, CTN_JSON_STRING) && ctn_str_find(ctn_json_text(whole), ctn_json_text(part)) != SIZE_MAX;
    } else if (ctn_json_is(whole, CTN_JSON_OBJECT)) {
        *ret_contains = ctn_json_is(part, CTN_JSON_STRING) && ctn_json_get(whole, ctn_json_text(part)) != NULL;
    } else if (ctn_json_is(whole, CTN_JSON_ARRAY)) {
        size_t count = ctn_json_count(whole);
        ctn_failure failure = expression_spend(ev, count);
        if (failure)
            return failure;
        for (size_t i = 0; i < count && !*ret_contains; i++)
            *ret_contains = compare(OP_EQUAL, ctn_json_at(whole, i), part);
    }
    return CTN_FAILURE_NONE;
}

/* ---- arithmetic ---- */

static const char *sign_of(operator_kind op)
{
    switch (op) {
    case OP_ADD: return "+";
    case OP_SUBTRACT: return "-";
    case OP_MULTIPLY: return "*";
    case OP_DIVIDE: return "/";
    default: return "%";
    }
}

static ctn_failure calculate(operator_kind op, ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    switch (op) {
    case OP_ADD: return ctn_decimal_add(ret, a, b);
    case OP_SUBTRACT: return ctn_decimal_subtract(ret, a, b);
    case OP_MULTIPLY: return ctn_decimal_multiply(ret, a, b);
    case OP_DIVIDE: return ctn_decimal_divide(ret, a, b);
    default: return ctn_decimal_remainder(ret, a, b);
    }
}

static ctn_failure calculate_numbers(evaluation *ev, const expression_node *node, operator_kind op, const ctn_json *a,
                                     const ctn_json *b, const ctn_json **ret_value)
{
    ctn_decimal x, y;
    ctn_decimal_init(&x);
    ctn_decimal_init(&y);
    ctn_failure failure = CTN_FAILURE_EXPRESSION_LIMIT;
    if (ctn_decimal_parse(&x, ctn_json_text(a)) && ctn_decimal_parse(&y, ctn_json_text(b)))
        failure = calculate(op, &x, &x, &y);
    if (failure == CTN_FAILURE_NONE)
        *ret_value = ctn_json_number(ev->arena, ctn_decimal_to_str(ev->arena, &x));
    ctn_decimal_done(&x);
    ctn_decimal_done(&y);
    if (failure == CTN_FAILURE_DIVISION_BY_ZERO)
        return expression_fail(ev, node, failure, "division by zero");
    if (failure)
        return expression_fail(ev, node, failure, "a number is out of range: exponents go from -6144 to 6144");
    return CTN_FAILURE_NONE;
}

ctn_failure expression_arithmetic(evaluation *ev, const expression_node *node, operator_kind op, const ctn_json *a,
                                  const ctn_json *b, const ctn_json **ret_value)
{
    if (ctn_json_is(a, CTN_JSON_NUMBER) && ctn_json_is(b, CTN_JSON_NUMBER))
        return calculate_numbers(ev, node, op, a, b, ret_value);
    if (op != OP_ADD || !ctn_json_is(a, CTN_JSON_STRING) || !ctn_json_is(b, CTN_JSON_STRING)) {
        bool has_string = ctn_json_is(a, CTN_JSON_STRING) || ctn_json_is(b, CTN_JSON_STRING);
        return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "'%s' wants two numbers%s, not %s and %s%s",
                               sign_of(op), op == OP_ADD ? " or two strings" : "", ctn_json_kind_name(a),
                               ctn_json_kind_name(b),
                               !has_string    ? ""
                               : op == OP_ADD ? "; string({x}) makes text of a value"
                                              : "; number({x}) reads a text as number");
    }
    ctn_str left = ctn_json_text(a), right = ctn_json_text(b);
    ctn_failure failure = expression_spend_bytes(ev, left.len + right.len);
    if (failure)
        return failure;
    char *joined = ctn_arena_alloc(ev->arena, left.len + right.len + 1);
    if (left.len)
        memcpy(joined, left.ptr, left.len);
    if (right.len)
        memcpy(joined + left.len, right.ptr, right.len);
    ctn_json *made = CTN_NEW(ev->arena, ctn_json);
    *made = (ctn_json){.kind = CTN_JSON_STRING, .count = (uint32_t) (left.len + right.len), .text = joined};
    *ret_value = made;
    return CTN_FAILURE_NONE;
}

/* ---- nodes ---- */

static ctn_failure evaluate(evaluation *ev, const expression_node *node, const ctn_json **ret_value,
                            ctn_verdict *ret_verdict);

/* The parser lets verdicts stand only at the result, so an operand always has a value. */
static ctn_failure operand(evaluation *ev, const expression_node *node, size_t i, const ctn_json **ret_value)
{
    ctn_verdict verdict = CTN_VERDICT_NONE;
    const ctn_json *value = NULL;
    ctn_failure failure = evaluate(ev, node->children[i], &value, &verdict);
    assert(failure || verdict == CTN_VERDICT_NONE);
    *ret_value = value ? value : &ctn_json_null;
    return failure;
}

static ctn_failure evaluate_list(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    ctn_json_builder list = ctn_json_array(ev->arena);
    for (size_t i = 0; i < node->count; i++) {
        const ctn_json *item = NULL;
        ctn_failure failure = operand(ev, node, i, &item);
        if (failure)
            return failure;
        ctn_json_push(&list, item);
    }
    *ret_value = ctn_json_finish(&list);
    return CTN_FAILURE_NONE;
}

/* and, or: true or false; the rest is not looked at once it is decided. */
static ctn_failure evaluate_logic(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    bool deciding = node->kind == NODE_OR;
    for (size_t i = 0; i < node->count; i++) {
        const ctn_json *value = NULL;
        ctn_failure failure = operand(ev, node, i, &value);
        if (failure)
            return failure;
        if (ctn_json_is_true(value) == deciding) {
            *ret_value = ctn_json_bool(deciding);
            return CTN_FAILURE_NONE;
        }
    }
    *ret_value = ctn_json_bool(!deciding);
    return CTN_FAILURE_NONE;
}

static ctn_failure evaluate_arithmetic(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    const ctn_json *left = NULL;
    ctn_failure failure = operand(ev, node, 0, &left);
    for (size_t i = 1; i < node->count && !failure; i++) {
        const ctn_json *right = NULL;
        failure = operand(ev, node, i, &right);
        if (!failure)
            failure = expression_spend(ev, 1);
        if (!failure)
            failure = expression_arithmetic(ev, node, (operator_kind) node->ops[i - 1], left, right, &left);
    }
    *ret_value = left;
    return failure;
}

static ctn_failure evaluate_matches(evaluation *ev, const expression_node *node, const ctn_json *left,
                                    const ctn_json *right, const ctn_json **ret_value)
{
    *ret_value = &ctn_json_false;
    const pcre2_code *code = node->pattern;
    if (!ctn_json_is(left, CTN_JSON_STRING) || !ctn_json_is(right, CTN_JSON_STRING))
        return CTN_FAILURE_NONE;
    ctn_failure failure = expression_spend(ev, MATCH_OPERATIONS + left->count / MATCH_BYTES_AN_OPERATION);
    if (failure)
        return failure;
    ctn_err err = {0};
    if (!code && expression_pattern_compile(ev->arena, ctn_json_text(right), &code, &err))
        return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "%s", err.message);
    bool matches = false;
    failure = expression_pattern_match(ev->arena, code, ctn_json_text(left), &matches);
    if (failure)
        return expression_fail(ev, node, failure, "the regular expression needs too much work on this text");
    *ret_value = ctn_json_bool(matches);
    return CTN_FAILURE_NONE;
}

static ctn_failure evaluate_relation(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    const ctn_json *left = NULL, *right = NULL;
    ctn_failure failure = operand(ev, node, 0, &left);
    if (!failure)
        failure = operand(ev, node, 1, &right);
    if (failure)
        return failure;
    if (node->kind == NODE_MATCHES)
        return evaluate_matches(ev, node, left, right, ret_value);
    bool holds = false;
    if (node->kind == NODE_IN)
        failure = expression_contains(ev, right, left, &holds);
    else
        holds = compare((operator_kind) node->ops[0], left, right);
    *ret_value = ctn_json_bool(holds);
    return failure;
}

static ctn_failure evaluate_call(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    const ctn_json *args[EXPRESSION_ARGS_MAX];
    assert(node->count <= EXPRESSION_ARGS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        ctn_failure failure = operand(ev, node, i, &args[i]);
        if (failure)
            return failure;
    }
    return node->function->call(ev, node, args, node->count, ret_value);
}

static ctn_failure evaluate_path(evaluation *ev, const expression_node *node, const ctn_json **ret_value)
{
    const ctn_json *value = ctn_path_resolve(&node->path, ev->scope);
    if (!value && node->path.count == 0 && ctn_str_is(node->path.root, "now"))
        value = expression_now(ev);
    *ret_value = value ? value : &ctn_json_null;
    return CTN_FAILURE_NONE;
}

static ctn_failure evaluate(evaluation *ev, const expression_node *node, const ctn_json **ret_value,
                            ctn_verdict *ret_verdict)
{
    ctn_failure failure = expression_spend(ev, 1);
    if (failure)
        return failure;
    const ctn_json *value = NULL;
    switch (node->kind) {
    case NODE_LITERAL: *ret_value = node->literal; return CTN_FAILURE_NONE;
    case NODE_VERDICT: *ret_verdict = node->verdict; return CTN_FAILURE_NONE;
    case NODE_PATH: return evaluate_path(ev, node, ret_value);
    case NODE_LIST: return evaluate_list(ev, node, ret_value);
    case NODE_NOT:
        failure = operand(ev, node, 0, &value);
        *ret_value = ctn_json_bool(!ctn_json_is_true(value));
        return failure;
    case NODE_NEGATE:
        failure = operand(ev, node, 0, &value);
        if (failure)
            return failure;
        if (!ctn_json_is(value, CTN_JSON_NUMBER))
            return expression_fail(ev, node, CTN_FAILURE_INVALID_INPUT, "'-' wants a number, not %s",
                                   ctn_json_kind_name(value));
        return calculate_numbers(ev, node, OP_SUBTRACT, &(ctn_json){.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"},
                                 value, ret_value);
    case NODE_AND:
    case NODE_OR: return evaluate_logic(ev, node, ret_value);
    case NODE_ARITHMETIC: return evaluate_arithmetic(ev, node, ret_value);
    case NODE_COMPARE:
    case NODE_IN:
    case NODE_MATCHES: return evaluate_relation(ev, node, ret_value);
    case NODE_CONDITIONAL:
        failure = operand(ev, node, 0, &value);
        if (failure)
            return failure;
        return evaluate(ev, node->children[ctn_json_is_true(value) ? 1 : 2], ret_value, ret_verdict);
    case NODE_CALL: return evaluate_call(ev, node, ret_value);
    }
    assert(!"every kind of node has a case");
    return CTN_FAILURE_INVALID_INPUT;
}

/* ---- public ---- */

ctn_failure ctn_expression_eval(const ctn_expression *e, const ctn_scope *scope, ctn_arena *arena,
                                const ctn_json **ret_value, ctn_verdict *ret_verdict, ctn_err *err)
{
    evaluation ev = {.scope = scope, .arena = arena, .err = err};
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    ctn_failure failure = evaluate(&ev, e->root, &value, &verdict);
    if (failure)
        return failure;
    *ret_verdict = verdict;
    *ret_value = verdict ? NULL : value ? value : &ctn_json_null;
    return CTN_FAILURE_NONE;
}

ctn_failure ctn_expression_condition(const ctn_expression *e, const ctn_scope *scope, ctn_arena *scratch,
                                     ctn_verdict *ret_verdict, ctn_err *err)
{
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    ctn_failure failure = ctn_expression_eval(e, scope, scratch, &value, &verdict, err);
    if (failure)
        return failure;
    if (!verdict)
        verdict = ctn_json_is_true(value) ? CTN_VERDICT_CONTINUE : CTN_VERDICT_SKIP;
    *ret_verdict = verdict;
    return CTN_FAILURE_NONE;
}
