/*
 * expression.h -- the expressions of conditions (chain language, section 5): compiled once, evaluated
 * against a scope, pure, total, bounded (64 levels deep, 10,000 operations).
 *
 * Ownership  A compiled expression lives in the arena it was compiled into and is immutable: one may be
 *            shared by all executions. Results live in the arena given to eval, or point into the scope.
 * Errors     compile: CTN_E_INVALID, err->column is the byte offset in the text + 1.
 *            eval: a ctn_failure (expression_limit, division_by_zero, invalid_input) and a sentence.
 */
#pragma once
#include "core/scope.h"

typedef struct ctn_expression ctn_expression;

typedef enum ctn_verdict {
    CTN_VERDICT_NONE, /* a value, not a verdict */
    CTN_VERDICT_SKIP,
    CTN_VERDICT_CONTINUE,
    CTN_VERDICT_FAIL,
} ctn_verdict;

int ctn_expression_compile(ctn_arena *arena, ctn_str text, ctn_expression **ret_expression, ctn_err *err);
/* Every path it reads; all are optional reads (missing = null). */
void ctn_expression_reads(const ctn_expression *e, ctn_arena *arena, ctn_reads *reads);
/* True when the whole expression is a literal (true, false, skip, ...), so that it never varies. */
bool ctn_expression_is_literal(const ctn_expression *e);
/* exists({x}) or {x} != null as a conjunct: the reader is guarded against a missing `root`. */
bool ctn_expression_guards(const ctn_expression *e, ctn_str root);
/* *ret_value is NULL when *ret_verdict is not NONE. */
ctn_failure ctn_expression_eval(const ctn_expression *e, const ctn_scope *scope, ctn_arena *arena,
                                const ctn_json **ret_value, ctn_verdict *ret_verdict, ctn_err *err);
/* As a step's condition: a verdict, or by truth CONTINUE / SKIP. */
ctn_failure ctn_expression_condition(const ctn_expression *e, const ctn_scope *scope, ctn_arena *scratch,
                                     ctn_verdict *ret_verdict, ctn_err *err);
/* null, false, 0, "", [] and {} are false. */
bool ctn_json_is_true(const ctn_json *v);
