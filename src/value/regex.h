/*
 * regex.h -- regular expressions as JSON Schema has them (ECMA-262 with the u flag, not anchored), on PCRE2.
 *
 * \d and \w are ASCII, \s is ECMA's white space, $ is the very end, . stops at line ends, \uXXXX and
 * \u{X} are code points, \p{...} takes ECMA's long names of general categories and Script=.
 *
 * Ownership  A compiled expression is malloc'd and immutable: one may be shared; free takes NULL.
 * Limits     Pattern bytes, compiled size, and the work of a match are bounded: no pattern and no text
 *            can hold the caller up for long.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

typedef struct ctn_regex ctn_regex;
#define CTN_REGEX_PATTERN_BYTES_MAX 4096

/* CTN_E_INVALID with a sentence; err->column is the byte offset in the pattern + 1. CTN_E_LIMIT: too long. */
int ctn_regex_compile(ctn_str pattern, ctn_regex **ret_regex, ctn_err *err);
void ctn_regex_free(ctn_regex *regex);
/* Whether some part of `subject` matches. CTN_E_LIMIT when finding out takes more than the bounded work. */
int ctn_regex_search(const ctn_regex *regex, ctn_str subject, bool *ret_matches, ctn_err *err);
/* The same with a small part of that work: for callers that search often and count the long searches. */
int ctn_regex_search_quick(const ctn_regex *regex, ctn_str subject, bool *ret_matches);
