/*
 * expression_node.h -- the tree of a compiled expression, between its parser, its evaluator and its functions, and
 * those who reason about expressions (check/logic).
 *
 * Chains of operators of one precedence are one node with many children (a + b - c), so that the depth of the
 * tree is the depth of the nesting that people wrote, which is what the bound of 64 levels is about.
 */
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include "value/expression.h"
#include "value/kinds.h"
#include "value/path.h"
#include "value/use.h"
#include <pcre2.h>

#define CTN_EXPRESSION_LEVELS_MAX     64
#define CTN_EXPRESSION_OPERATIONS_MAX 10000
#define CTN_EXPRESSION_BYTES_MAX      (4u << 20) /* of text made while evaluating */

typedef enum node_kind {
    NODE_LITERAL,
    NODE_VERDICT,
    NODE_PATH,
    NODE_LIST,
    NODE_NOT,
    NODE_NEGATE,
    NODE_AND,
    NODE_OR,
    NODE_ARITHMETIC, /* children joined by ops[i], from the left */
    NODE_COMPARE,    /* ops[0], two children */
    NODE_IN,
    NODE_MATCHES,
    NODE_CONDITIONAL, /* condition, then, else */
    NODE_CALL,
} node_kind;

typedef enum operator_kind {
    OP_EQUAL,
    OP_UNEQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
} operator_kind;

typedef struct expression_function expression_function;
typedef struct expression_node expression_node;
struct expression_node {
    node_kind kind;
    uint32_t offset; /* of the operator, name or literal in the text */
    uint32_t count;
    expression_node **children;
    uint8_t *ops; /* operator_kind; count - 1 of them, at the same places as in the text */
    const ctn_json *literal;
    ctn_verdict verdict;
    ctn_path path;
    uint32_t path_offset; /* behind the brace, if there is one */
    const expression_function *function;
    const pcre2_code *pattern; /* of NODE_MATCHES when the pattern is a literal */
};

struct ctn_expression {
    expression_node *root;
};

/* ---- evaluation ---- */

typedef struct evaluation {
    const ctn_scope *scope;
    ctn_arena *arena;
    ctn_err *err;
    size_t operations; /* done so far */
    size_t bytes;      /* of text made so far */
} evaluation;

/* `count` more operations; EXPRESSION_LIMIT when that is too many. */
ctn_failure expression_spend(evaluation *ev, size_t count);
ctn_failure expression_spend_bytes(evaluation *ev, size_t bytes);
/* The sentence, with the node's place in the text in front. */
ctn_failure expression_fail(evaluation *ev, const expression_node *node, ctn_failure failure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
ctn_failure expression_arithmetic(evaluation *ev, const expression_node *node, operator_kind op, const ctn_json *a,
                                  const ctn_json *b, const ctn_json **ret_value);
/* a in b: item of a list, part of a string, key of an object. */
ctn_failure expression_contains(evaluation *ev, const ctn_json *whole, const ctn_json *part, bool *ret_contains);
/* -1, 0, 1 for two numbers or two strings; false when the two have no order. */
bool expression_compare(const ctn_json *a, const ctn_json *b, int *ret_order);
/* <, <=, > or >= of two things in this order. */
bool expression_order_is(operator_kind op, int order);
const ctn_json *expression_now(evaluation *ev);

/* ---- functions ---- */

typedef ctn_failure expression_call_fn(evaluation *ev, const expression_node *node, const ctn_json **args, size_t count,
                                       const ctn_json **ret_value);
/* What a function's result says of its first argument, beyond what it takes (use.c). */
typedef enum function_asks {
    ASKS_NOTHING,
    ASKS_SAME,   /* compared with a literal: the argument may well be that literal (lower, round) */
    ASKS_LENGTH, /* compared with a literal: the argument may well be so long */
    ASKS_PART,   /* the second argument, a literal, is a part that the first may have */
} function_asks;

/* All that anybody knows of a function: the parser, the evaluator, simulate (uses) and check (gives). */
struct expression_function {
    const char *name;
    const char *usage; /* "round(number, places)" */
    uint32_t args_min, args_max;
    unsigned gives;      /* CTN_TYPE_*: the kinds that its value may have */
    ctn_use first, rest; /* what it takes its first argument for, and the others */
    function_asks asks;
    expression_call_fn *call;
};
#define EXPRESSION_ARGS_MAX 16
const expression_function *expression_function_find(ctn_str name);
/* The sentence for a name that none has, at its offset in the text; CTN_E_INVALID. */
int expression_function_fail_unknown(ctn_str name, size_t offset, ctn_err *err);

/* ---- patterns: PCRE2 with its memory in an arena and its work bounded ---- */

/* CTN_E_INVALID with PCRE2's sentence and the offset in the pattern in it. */
int expression_pattern_compile(ctn_arena *arena, ctn_str pattern, const pcre2_code **ret_code, ctn_err *err);
/* EXPRESSION_LIMIT when the match needs more than its bounded work. */
ctn_failure expression_pattern_match(ctn_arena *arena, const pcre2_code *code, ctn_str subject, bool *ret_matches);
