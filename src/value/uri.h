/*
 * uri.h -- RFC 3986 as far as the language needs it: references to schemas inside a document, and what %XX stands for.
 * Pure.
 */
#pragma once
#include "base/arena.h"

/* `reference` seen from `base` (section 5.2.2), dot segments removed. Neither is checked for characters. */
ctn_str ctn_uri_resolve(ctn_arena *arena, ctn_str base, ctn_str reference);
/* The part before '#'; *ret_fragment is what follows, ptr NULL when there is no '#'. */
ctn_str ctn_uri_split(ctn_str uri, ctn_str *ret_fragment);
/* %41 becomes A; a '%' without two hex digits stays. */
ctn_str ctn_uri_decode(ctn_arena *arena, ctn_str text);
