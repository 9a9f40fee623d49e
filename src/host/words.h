/*
 * words.h -- lists of names in sentences.
 */
#pragma once
#include "base/arena.h"

/* "a, b and c"; shortened when long. */
ctn_str ctn_words_join(ctn_arena *arena, const ctn_str *names, size_t count);
/* "did you mean \"x\"?", or "there are a, b and c", or "there are none". */
ctn_str ctn_words_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count);
