/*
 * str.h -- a borrowed piece of text: pointer and length, no terminator, no owner.
 *
 * A ctn_str never frees what it points at; whoever made the bytes says how long they live (an arena,
 * a literal, a buffer). The empty string is {NULL or anything, 0}. Bytes are UTF-8 wherever they are
 * text, and may hold NUL.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ctn_str {
    const char *ptr;
    size_t len;
} ctn_str;

/* CTN_STR("literal") is a constant expression; it takes nothing but a literal. */
#define CTN_STR(literal) ((ctn_str){(literal), sizeof(literal "") - 1})
/* printf("%.*s", CTN_STR_ARG(s)) */
#define CTN_STR_ARG(s) (int) (s).len, (s).len ? (s).ptr : ""

static inline ctn_str ctn_str_from(const char *text)
{
    return (ctn_str){text, text ? strlen(text) : 0};
}
static inline bool ctn_str_equal(ctn_str a, ctn_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline uint64_t ctn_str_hash(ctn_str s) /* FNV-1a: for tables of names that nobody chooses against us */
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char) s.ptr[i]) * 0x100000001b3u;
    return hash;
}
static inline bool ctn_str_is(ctn_str a, const char *text)
{
    return ctn_str_equal(a, ctn_str_from(text));
}
static inline bool ctn_str_starts_with(ctn_str s, ctn_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}
static inline bool ctn_str_ends_with(ctn_str s, ctn_str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}
/* The part from `at` on; empty when `at` is past the end. */
static inline ctn_str ctn_str_from_offset(ctn_str s, size_t at)
{
    return at >= s.len ? (ctn_str){s.ptr ? s.ptr + s.len : NULL, 0} : (ctn_str){s.ptr + at, s.len - at};
}

/* ASCII letters are the same in either case: names of headers, schemes, hosts. */
bool ctn_str_equal_any_case(ctn_str a, ctn_str b);
/* memcmp order, shorter first on a tie: <0, 0, >0. */
int ctn_str_compare(ctn_str a, ctn_str b);
/* Offset of the first `needle` in `s`, or SIZE_MAX. An empty needle is found at 0. */
size_t ctn_str_find(ctn_str s, ctn_str needle);
/* Without the ASCII white space (space, tab, CR, LF) at both ends. */
ctn_str ctn_str_trim(ctn_str s);
/* Cuts at the first `separator`: returns the part before it and leaves the rest in *s; without one it
 * returns everything and leaves *s empty with ptr NULL, so `while (s.ptr)` walks a list. */
ctn_str ctn_str_cut(ctn_str *s, char separator);
/* Decimal digits with an optional '-', nothing else, in range; false leaves *ret_value alone. */
bool ctn_str_to_int64(ctn_str s, int64_t *ret_value);
/* 0..15 of a hexadecimal digit of either case; -1: it is none. */
int ctn_hex_value(char c);
/* Number of Unicode code points; bytes that are not UTF-8 count one each. */
size_t ctn_str_code_points(ctn_str s);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool ctn_str_is_utf8(ctn_str s);
/* Bytes (1 to 4) of the well-formed UTF-8 character at offset `at` < s.len; 0 when there is none. */
size_t ctn_str_utf8_at(ctn_str s, size_t at);
/* The code point at the start of s (not empty) and its bytes; a byte that is not UTF-8 gives U+FFFD and 1. */
uint32_t ctn_utf8_decode(ctn_str s, size_t *ret_bytes);
/* Bytes written to out (room for 4). code must be a Unicode scalar value. */
size_t ctn_utf8_encode(uint32_t code, char *out);

/* Bytes of the control character at offset `at` < s.len, 0 when there is none: what moves a terminal's cursor, ends a
 * line or turns what stands beside it around. C0 and C1 controls, DEL, U+2028 and U+2029, the marks and overrides of
 * writing direction, U+FEFF. `is_line`: a tab and a newline count too. */
size_t ctn_str_control_at(ctn_str s, size_t at, bool is_line);
/* Offset of the first of these, in a text of one line; SIZE_MAX: none. */
size_t ctn_str_find_control(ctn_str s);

/* The member of names[0..count) that is nearest to `word`, for "did you mean": edit distance with swaps,
 * case ignored, at most a third of the word's length (and at least 1) away. Empty when none is near. */
ctn_str ctn_str_nearest(ctn_str word, const ctn_str *names, size_t count);
/* The nearest one when nobody can doubt that it is meant: one edit in three to five letters, two in more, and no
 * other name is as near; else empty. */
ctn_str ctn_str_nearest_only(ctn_str word, const ctn_str *names, size_t count);
