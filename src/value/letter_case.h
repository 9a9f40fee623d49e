/*
 * letter_case.h -- text in capitals and in small letters. Pure; no locale.
 *
 * One code point becomes one, without tables of the C library: ASCII, Latin-1, Latin Extended-A, Greek (with accents)
 * and Cyrillic. Everything else, and sharp s, stays as it is.
 */
#pragma once
#include "base/arena.h"

ctn_str ctn_case_upper(ctn_arena *arena, ctn_str s);
ctn_str ctn_case_lower(ctn_arena *arena, ctn_str s);
