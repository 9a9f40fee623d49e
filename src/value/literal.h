/*
 * literal.h -- the names and literals of the chain language (section 5): 'text', "text", numbers, true, false, null
 * and lists of literals. Expressions, filter arguments and the ["odd name"] of a path read them here, so that a quote
 * means the same everywhere.
 *
 * Escapes in text: \\ \' \" \n \r \t \uXXXX (pairs of surrogates included). Any other backslash stays as it
 * is, so that '^\d+$' is the regular expression that one meant. The other kind of quote needs no escape.
 */
#pragma once
#include "base/json.h"

static inline bool ctn_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool ctn_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ctn_is_name_char(char c)
{
    return ctn_is_name_start(c) || ctn_is_digit(c);
}
static inline bool ctn_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
/* First offset from `at` on that is no blank (or the end). */
static inline size_t ctn_skip_blanks(ctn_str text, size_t at)
{
    while (at < text.len && ctn_is_blank(text.ptr[at]))
        at++;
    return at;
}
/* End of the name that starts at `at`; `at` itself if none does. */
static inline size_t ctn_skip_name(ctn_str text, size_t at)
{
    if (at >= text.len || !ctn_is_name_start(text.ptr[at]))
        return at;
    while (at < text.len && ctn_is_name_char(text.ptr[at]))
        at++;
    return at;
}

/* The sentence for a name that is none of these, at its offset in the text: the nearest one, or all of them.
 * `what`: "function". Returns CTN_E_INVALID. */
int ctn_literal_fail_unknown(const char *what, ctn_str name, size_t offset, const ctn_str *names, size_t count,
                             ctn_err *err);

/* Each reads from *at on, leaves *at behind what it read (untouched on failure), and on failure gives
 * CTN_E_INVALID with err->column the offset in `text` + 1. */
int ctn_literal_text(ctn_arena *arena, ctn_str text, size_t *at, ctn_str *ret_text, ctn_err *err);
int ctn_literal_number(ctn_arena *arena, ctn_str text, size_t *at, const ctn_json **ret_value, ctn_err *err);
/* Any literal; lists at most 16 deep. */
int ctn_literal_parse(ctn_arena *arena, ctn_str text, size_t *at, const ctn_json **ret_value, ctn_err *err);
