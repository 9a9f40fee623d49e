/*
 * text.h -- what filters and functions do to text. Internal to core. Pure; no locale.
 *
 * Case mapping is one code point to one, without tables of the C library: ASCII, Latin-1, Latin Extended-A,
 * Greek (with accents) and Cyrillic. Everything else, and sharp s, stays as it is.
 */
#pragma once
#include "base/json.h"

/* Bytes written to out (room for 4). code must be a Unicode scalar value. */
size_t ctn_utf8_encode(uint32_t code, char *out);
/* The code point at the start of s (not empty) and its bytes; a byte that is not UTF-8 gives U+FFFD and 1. */
uint32_t ctn_utf8_decode(ctn_str s, size_t *ret_bytes);

ctn_str ctn_text_upper(ctn_arena *arena, ctn_str s);
ctn_str ctn_text_lower(ctn_arena *arena, ctn_str s);
/* Percent-encoding of everything but the unreserved characters of RFC 3986. */
ctn_str ctn_text_percent_encode(ctn_arena *arena, ctn_str s);
