/*
 * screen.h -- what people look at: its size, its colours, the time of day.
 *
 * Escape codes appear only on a terminal that wants them: not in a pipe, not with NO_COLOR (colours) or TERM=dumb
 * (anything). Text that comes from outside (tools, inputs, files) is cleaned before it is shown (base/text.h).
 */
#pragma once
#include "base/text.h"

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

/* The time of day, in ms since the epoch. */
int64_t ctn_cli_now_ms(void);
/* Local time, "2026-11-22 10:00:05"; "-" for 0. */
ctn_time_text ctn_moment_text(int64_t at_ms);
