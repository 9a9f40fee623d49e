/*
 * screen.h -- text for people: colours, widths, times.
 *
 * Escape codes appear only on a terminal that wants them: not in a pipe, not with NO_COLOR (colours) or TERM=dumb
 * (anything). Text that comes from outside (tools, inputs, files) is cleaned before it is shown: a control
 * character in it must not move somebody's cursor.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

typedef struct ctn_screen {
    int fd;
    bool is_terminal; /* can redraw in place */
    bool has_colour;
    bool has_utf8;
} ctn_screen;

typedef enum ctn_colour {
    CTN_COLOUR_NONE,
    CTN_COLOUR_BOLD,
    CTN_COLOUR_DIM,
    CTN_COLOUR_RED,
    CTN_COLOUR_GREEN,
    CTN_COLOUR_YELLOW,
    CTN_COLOUR_BLUE,
} ctn_colour;

ctn_screen ctn_screen_of(int fd);
/* The escape code, or "". CTN_COLOUR_NONE ends a colour. */
const char *ctn_colour_code(const ctn_screen *screen, ctn_colour colour);
/* Columns and rows as they now are; without a terminal what COLUMNS says, else 80, and 24. */
void ctn_screen_size(const ctn_screen *screen, size_t *ret_columns, size_t *ret_rows);
/* All of it, or as much as goes; failures of stderr have nobody to be told to. */
bool ctn_screen_write(const ctn_screen *screen, ctn_str text);

/* How many columns the text takes; what is not printable counts as it is cleaned: one. */
size_t ctn_text_columns(ctn_str text);
/* One line without control characters, at most columns_max wide (0: any), cut with "...". */
ctn_str ctn_text_clean(ctn_arena *arena, ctn_str text, size_t columns_max);
/* The text with its lines and tabs, a '?' in place of every other control character and of what is no UTF-8. */
ctn_str ctn_text_harmless(ctn_arena *arena, ctn_str text);
/* The text, padded with blanks to so many columns. */
void ctn_text_pad(ctn_buf *out, ctn_str text, size_t columns);

/* "85 ms", "2.3 s", "1 min 05 s", "2 h 03 min", "4 d 06 h". */
typedef struct ctn_time_text {
    char text[32];
} ctn_time_text;
ctn_time_text ctn_duration_text(int64_t ms);
/* Local time, "2026-11-22 10:00:05"; "-" for 0. */
ctn_time_text ctn_moment_text(int64_t at_ms);
