/*
 * text.h -- text for people: how wide it is, made fit for one line, and spans of time in words.
 *
 * Text that comes from outside (tools, inputs, files) is cleaned before it is shown: a control character in it must not
 * move somebody's cursor. Widths are those of the process's locale.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

/* How many columns the text takes; what is not printable counts as it is cleaned: one. */
size_t ctn_text_columns(ctn_str text);
/* One line without control characters, at most columns_max wide (0: any), cut with "...". */
ctn_str ctn_text_clean(ctn_arena *arena, ctn_str text, size_t columns_max);
/* The text with its lines and tabs, a '?' in place of every other control character and of what is no UTF-8. */
ctn_str ctn_text_harmless(ctn_arena *arena, ctn_str text);
/* The text, padded with blanks to so many columns. */
void ctn_text_pad(ctn_buf *out, ctn_str text, size_t columns);
/* "a, b and c", or as many as shown_max and "and 5 more". */
ctn_str ctn_text_list(ctn_arena *arena, const ctn_str *names, size_t count, size_t shown_max);

/* "85 ms", "2.3 s", "1 min 05 s", "2 h 03 min", "4 d 06 h". */
typedef struct ctn_time_text {
    char text[32];
} ctn_time_text;
ctn_time_text ctn_duration_text(int64_t ms);
