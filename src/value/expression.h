/*
 * expression.h -- the expressions of conditions and outputs (chain language, section 5): compiled once, evaluated
 * against a scope, pure, total, bounded (64 levels deep, 10,000 operations).
 *
 * What docs/chain-language.md leaves open is decided here:
 *
 *   Order        < <= > >= hold between two numbers or two strings (by code point), else they are false.
 *                Comparisons do not chain (a < b < c is refused).
 *   in           item of a list, part of a string, key of an object; anything else is false. Also `not in`.
 *   matches      PCRE2, UTF-8, anywhere in the text (anchor with ^ and $); false when the left is no string.
 *   ! and not    ! binds as tightly as in C, not as loosely as in Python: not {a} == 'x' negates the comparison.
 *   && || ! not  give true or false; what is not needed is not evaluated.
 *   + - * / %    numbers; + also two strings. null or anything else is invalid_input, which says the kinds.
 *   Text         escapes \\ \' \" \n \r \t \uXXXX; any other backslash stays, so '^\d+$' needs no doubling.
 *   Verdicts     only as the result: alone, in parentheses, or as a branch of ? :.
 *   Null         is what a missing path gives. Functions of one value give null for null (length: 0, number of
 *                members; string: ''; contains, startsWith, endsWith, has, any: false; all: true).
 *
 *   length(x)                  code points, items, members
 *   exists(x)                  x is not null
 *   lower(s) upper(s) trim(s)  see letter_case.h for the letters that have a case
 *   contains(whole, part)      part in whole;  startsWith(s, t)  endsWith(s, t)
 *   number(x)                  a string that is a number in JSON's grammar, true 1, false 0; else null
 *   string(x)                  text raw, null '', the rest compact JSON
 *   round(x, places = 0)       half to even
 *   min max (list) (list, 'member') (a, b, ...)   of numbers or of strings, nulls left out; null if none is there
 *   sum     (list) (list, 'member') (a, b, ...)   of numbers, nulls left out; 0 if none is there
 *   now()                      as RFC 3339 with milliseconds, UTC; also without parentheses
 *   date(x, format)            formats as in calendar.h, default YYYY-MM-DD; date() is today
 *   addDays(x, days)           a date gives a date, a time a time (UTC)
 *   daysBetween(from, to)      from date to date in UTC; negative when `to` is earlier
 *   keys(object)               list of names
 *   has(whole, x)              key of an object, item of a list
 *   any all (list) (list, 'member') (list, 'member', value)   some / every item is true; member is true; equals value
 *
 * Ownership  A compiled expression lives in the arena it was compiled into and is immutable: one may be shared by all
 *            executions. Results live in the arena given to eval, or point into the scope or the expression.
 *
 * Errors     compile: CTN_E_INVALID, err->column is the byte offset in the text + 1.
 *            eval: a ctn_failure (expression_limit, division_by_zero, invalid_input) and a sentence.
 */
#pragma once
#include "value/scope.h"

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
/* *ret_value is NULL when *ret_verdict is not NONE. */
ctn_failure ctn_expression_eval(const ctn_expression *e, const ctn_scope *scope, ctn_arena *arena,
                                const ctn_json **ret_value, ctn_verdict *ret_verdict, ctn_err *err);
/* As a step's condition: a verdict, or by truth CONTINUE / SKIP. */
ctn_failure ctn_expression_condition(const ctn_expression *e, const ctn_scope *scope, ctn_arena *scratch,
                                     ctn_verdict *ret_verdict, ctn_err *err);
/* null, false, 0, "", [] and {} are false. */
bool ctn_json_is_true(const ctn_json *v);
