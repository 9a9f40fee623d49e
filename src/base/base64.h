/*
 * base64.h -- bytes as text and back (RFC 4648): with padding, and the form for URLs and headers without. Pure.
 *
 * Reading is strict: white space, wrong or missing padding and bits that belong to no byte are refused, so that a text
 * has one meaning and bytes have one text.
 */
#pragma once
#include "base/arena.h"

ctn_str ctn_base64(ctn_arena *arena, ctn_str bytes);
ctn_str ctn_base64_url(ctn_arena *arena, ctn_str bytes); /* - and _, no padding */
/* False leaves *ret_bytes alone. */
bool ctn_base64_read(ctn_arena *arena, ctn_str text, ctn_str *ret_bytes);
bool ctn_base64_url_read(ctn_arena *arena, ctn_str text, ctn_str *ret_bytes);
