/*
 * timeline_sheet.c -- see timeline_sheet.h. One row an attempt:
 *
 *   STEP             |0         |5.0 s     |10.0 s
 *   find_hotels      ━━━━━━···                     ✗ 2.1 s timeout
 *   find_hotels #2            ━━━━━                ✓ 1.4 s
 *
 * What must hold: a row has one line, whatever its text; every attempt has at least one cell; a thin bar says that its
 * start was not recorded. Of a foreach with many items some are shown, and the rest are counted.
 */
#include "cli/timeline_sheet.h"
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX     34
#define BAR_MIN      12
#define NOTE_MAX     60
#define TICK_COLUMNS 10

typedef struct sheet {
    const ctn_cli *cli;
    const ctn_plan *plan;
    const ctn_timeline_line *lines;
    size_t count;
    int64_t from_ms, to_ms, now_ms;
    bool has_thin; /* some start was not recorded */
    size_t name_columns, note_columns, bar_columns;
} sheet;

static int64_t end_of(const sheet *s, const ctn_timeline_row *r)
{
    return r->ended_at_ms ? r->ended_at_ms : s->now_ms;
}

static int64_t duration_of(const sheet *s, const ctn_timeline_row *r)
{
    return end_of(s, r) - r->started_at_ms;
}

/* ---- words ---- */

typedef struct look {
    const char *symbol, *plain_symbol;
    ctn_colour colour;
} look;

static look look_of(const ctn_timeline_row *r)
{
    static const look LOOKS[CTN_ATTEMPT_STATUS_COUNT] = {[CTN_ATTEMPT_READY] = {"▹", ">", CTN_COLOUR_BLUE},
                                                         [CTN_ATTEMPT_RUNNING] = {"▸", ">", CTN_COLOUR_BLUE},
                                                         [CTN_ATTEMPT_WAITING] = {"⏸", "=", CTN_COLOUR_YELLOW},
                                                         [CTN_ATTEMPT_INTERRUPTED] = {"?", "?", CTN_COLOUR_YELLOW},
                                                         [CTN_ATTEMPT_UNKNOWN] = {"?", "?", CTN_COLOUR_YELLOW},
                                                         [CTN_ATTEMPT_COMPLETED] = {"✓", "+", CTN_COLOUR_GREEN},
                                                         [CTN_ATTEMPT_CACHED] = {"✓", "+", CTN_COLOUR_GREEN},
                                                         [CTN_ATTEMPT_SKIPPED] = {"–", "-", CTN_COLOUR_DIM},
                                                         [CTN_ATTEMPT_FAILED] = {"✗", "x", CTN_COLOUR_RED},
                                                         [CTN_ATTEMPT_CANCELLED] = {"■", "#", CTN_COLOUR_DIM}};
    look l = LOOKS[r->status];
    if (r->role == CTN_ATTEMPT_UNDO && r->status != CTN_ATTEMPT_FAILED)
        l.colour = CTN_COLOUR_YELLOW;
    return l;
}

static ctn_str name_of(const sheet *s, const ctn_timeline_line *l)
{
    ctn_arena *arena = s->cli->arena;
    bool has_utf8 = s->cli->out.has_utf8;
    if (!l->row)
        return ctn_arena_printf(arena, "  %s %zu more", has_utf8 ? "…" : "...", l->left_out);
    const ctn_timeline_row *r = l->row;
    const char *undo = r->role == CTN_ATTEMPT_UNDO ? has_utf8 ? "↩ " : "undo " : "";
    ctn_str name = s->plan->steps[r->step].name;
    ctn_str attempt = r->attempt > 1 ? ctn_arena_printf(arena, " #%u", r->attempt) : (ctn_str){0};
    ctn_str item = r->item >= 0 ? ctn_arena_printf(arena, "[%lld]", (long long) r->item) : (ctn_str){0};
    size_t more = attempt.len + item.len + ctn_text_columns(ctn_str_from(undo)) + (item.len ? 2 : 0); /* is not cut */
    if (name.len + more > s->name_columns)
        name = ctn_text_clean(arena, name, s->name_columns > more + 4 ? s->name_columns - more : 4);
    return ctn_arena_printf(arena, "%s%s%.*s%.*s%.*s", item.len ? "  " : "", undo, CTN_STR_ARG(name), CTN_STR_ARG(item),
                            CTN_STR_ARG(attempt));
}

/* What stands behind the bar, without its symbol: "1.4 s", "2.1 s timeout", "skipped". */
static ctn_str note_of(const sheet *s, const ctn_timeline_line *l)
{
    ctn_arena *arena = s->cli->arena;
    if (!l->row)
        return ctn_arena_printf(arena, "%zu completed, %zu failed%s%s", l->completed, l->failed,
                                l->retried ? ", some retried" : "",
                                l->left_out > l->completed + l->failed + l->retried ? ", some go on" : "");
    const ctn_timeline_row *r = l->row;
    if (r->status == CTN_ATTEMPT_SKIPPED)
        return CTN_STR("skipped");
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_buf_printf(&text, "%s", ctn_duration_text(duration_of(s, r)).text);
    if (r->status == CTN_ATTEMPT_FAILED || r->status == CTN_ATTEMPT_UNKNOWN)
        ctn_buf_printf(&text, " %.*s", CTN_STR_ARG(r->code));
    if (r->status != CTN_ATTEMPT_FAILED && r->status != CTN_ATTEMPT_COMPLETED)
        ctn_buf_printf(&text, " %s", ctn_attempt_status_name(r->status));
    if (r->fallback)
        ctn_buf_printf(&text, " fallback %u", r->fallback);
    if (r->tokens)
        ctn_buf_printf(&text, " %lld tokens", (long long) r->tokens);
    if (r->by.len)
        ctn_buf_printf(&text, " by %.*s", CTN_STR_ARG(r->by));
    if (r->next_at_ms > s->now_ms)
        ctn_buf_printf(&text, " %s %s", s->cli->out.has_utf8 ? "↻" : "~",
                       ctn_duration_text(r->next_at_ms - s->now_ms).text);
    ctn_str note = ctn_text_clean(arena, ctn_buf_str(&text), NOTE_MAX);
    ctn_buf_done(&text);
    return note;
}

/* ---- bars ---- */

static size_t column_of(const sheet *s, int64_t at_ms)
{
    int64_t span_ms = s->to_ms - s->from_ms;
    if (at_ms <= s->from_ms || span_ms <= 0)
        return 0;
    size_t column = (size_t) ((double) (at_ms - s->from_ms) / (double) span_ms * (double) s->bar_columns);
    return column < s->bar_columns ? column : s->bar_columns - 1;
}

typedef enum cell { CELL_EMPTY, CELL_WORK, CELL_THIN, CELL_WAIT, CELL_BACKOFF, CELL_POINT, CELL_COUNT } cell;

/* From the column of the one to that of the other, which belongs to what comes next unless it is the only one. */
static void fill(const sheet *s, unsigned char *cells, int64_t from_ms, int64_t to_ms, cell c)
{
    size_t from = column_of(s, from_ms), to = column_of(s, to_ms);
    bool is_at_end = to_ms >= s->to_ms;
    for (size_t i = from; i < to + is_at_end || i == from; i++)
        cells[i] = (unsigned char) c;
}

static void draw_cells(const sheet *s, const ctn_timeline_line *l, unsigned char *cells)
{
    const ctn_timeline_row *r = l->row;
    memset(cells, CELL_EMPTY, s->bar_columns);
    if (!r) {
        fill(s, cells, l->from_ms, l->to_ms, CELL_THIN);
        return;
    }
    if (r->status == CTN_ATTEMPT_SKIPPED) {
        fill(s, cells, r->started_at_ms, r->started_at_ms, CELL_POINT);
        return;
    }
    if (r->next_at_ms)
        fill(s, cells, r->ended_at_ms, r->next_at_ms < s->to_ms ? r->next_at_ms : s->to_ms, CELL_BACKOFF);
    fill(s, cells, r->started_at_ms, end_of(s, r), r->start_is_recorded ? CELL_WORK : CELL_THIN);
    if (r->wait_from_ms)
        fill(s, cells, r->wait_from_ms,
             r->wait_until_ms && r->wait_until_ms < end_of(s, r) ? r->wait_until_ms : end_of(s, r), CELL_WAIT);
}

static void append_bar(const sheet *s, ctn_buf *out, const unsigned char *cells, ctn_colour colour)
{
    static const char *const FINE[CELL_COUNT] = {" ", "━", "─", "┄", "·", "╵"};
    static const char *const PLAIN[CELL_COUNT] = {" ", "=", "-", "~", ".", "'"};
    const ctn_screen *screen = &s->cli->out;
    ctn_buf_append(out, ctn_str_from(ctn_colour_code(screen, colour)));
    for (size_t i = 0; i < s->bar_columns; i++)
        ctn_buf_append(out, ctn_str_from((screen->has_utf8 ? FINE : PLAIN)[cells[i]]));
    ctn_buf_append(out, ctn_str_from(ctn_colour_code(screen, CTN_COLOUR_NONE)));
}

/* A step between ticks that people like: 1, 2 or 5 of a unit they know. */
static int64_t tick_ms_of(const sheet *s)
{
    static const int64_t STEPS_MS[] = {1,        2,        5,        10,        20,       50,      100,     200,
                                       500,      1000,     2000,     5000,      10000,    15000,   30000,   60000,
                                       120000,   300000,   600000,   900000,    1800000,  3600000, 7200000, 10800000,
                                       21600000, 43200000, 86400000, 172800000, 604800000};
    int64_t least_ms = (s->to_ms - s->from_ms) * TICK_COLUMNS / (int64_t) s->bar_columns;
    for (size_t i = 0; i < sizeof STEPS_MS / sizeof *STEPS_MS; i++)
        if (STEPS_MS[i] >= least_ms)
            return STEPS_MS[i];
    return (least_ms / 604800000 + 1) * 604800000;
}

/* "0", "500 ms", "2 s", "2.5 s" */
static ctn_time_text tick_label(int64_t at_ms)
{
    ctn_time_text t = at_ms ? ctn_duration_text(at_ms) : (ctn_time_text){"0"};
    char *tenth = strstr(t.text, ".0 ");
    if (tenth)
        memmove(tenth, tenth + 2, strlen(tenth + 2) + 1);
    return t;
}

static void print_scale(const sheet *s)
{
    const ctn_screen *screen = &s->cli->out;
    char *cells = ctn_arena_calloc(s->cli->arena, s->bar_columns + 1, 1);
    memset(cells, ' ', s->bar_columns);
    int64_t tick_ms = tick_ms_of(s);
    for (int64_t at_ms = 0; at_ms <= s->to_ms - s->from_ms; at_ms += tick_ms) {
        ctn_time_text label = tick_label(at_ms);
        ctn_str text = ctn_str_from(label.text);
        size_t column = column_of(s, s->from_ms + at_ms);
        if (column + text.len + 1 > s->bar_columns)
            break;
        cells[column] = '|';
        memcpy(cells + column + 1, text.ptr, text.len);
    }
    printf("%s%-*s  %s%s\n", ctn_colour_code(screen, CTN_COLOUR_DIM), (int) s->name_columns, "STEP", cells,
           ctn_colour_code(screen, CTN_COLOUR_NONE));
}

static void print_line(const sheet *s, const ctn_timeline_line *l, unsigned char *cells)
{
    const ctn_screen *screen = &s->cli->out;
    look k = l->row ? look_of(l->row) : (look){" ", " ", CTN_COLOUR_DIM};
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    ctn_text_pad(&out, name_of(s, l), s->name_columns + 2);
    draw_cells(s, l, cells);
    append_bar(s, &out, cells, k.colour);
    ctn_str note = ctn_text_clean(s->cli->arena, note_of(s, l), s->note_columns);
    ctn_buf_printf(&out, "  %s%s%s %.*s\n", ctn_colour_code(screen, k.colour),
                   screen->has_utf8 ? k.symbol : k.plain_symbol, ctn_colour_code(screen, CTN_COLOUR_NONE),
                   CTN_STR_ARG(note));
    (void) fwrite(out.data, 1, out.len, stdout);
    ctn_buf_done(&out);
}

/* ---- the sheet ---- */

/* Names and notes get what they need, up to a third each; the bars get the rest. */
static void measure(sheet *s)
{
    size_t width, rows, name = 4, note = 4;
    ctn_screen_size(&s->cli->out, &width, &rows);
    s->name_columns = NAME_MAX;
    for (size_t i = 0; i < s->count; i++) {
        ctn_arena_mark mark = ctn_arena_save(s->cli->arena);
        size_t n = ctn_text_columns(name_of(s, &s->lines[i])), m = ctn_text_columns(note_of(s, &s->lines[i]));
        name = n > name ? n : name;
        note = m > note ? m : note;
        ctn_arena_restore(s->cli->arena, mark);
    }
    s->name_columns = name < width / 3 ? name : width / 3;
    s->note_columns = note < width / 3 ? note : width / 3;
    size_t rest = s->name_columns + s->note_columns + 6; /* blanks and the symbol */
    s->bar_columns = width > rest + BAR_MIN ? width - rest : BAR_MIN;
}

static void print_head(const sheet *s, const ctn_timeline *t, const ctn_execution_row *row)
{
    const ctn_screen *screen = &s->cli->out;
    int64_t begun_ms = ctn_timeline_begun_at_ms(t), end_ms = ctn_timeline_ended_at_ms(t);
    printf("%s%.*s%s %s\n", ctn_colour_code(screen, CTN_COLOUR_BOLD), CTN_STR_ARG(row->chain_id),
           ctn_colour_code(screen, CTN_COLOUR_NONE), ctn_id_to_text(row->id).text);
    printf("%s%s, %s %s", ctn_colour_code(screen, CTN_COLOUR_DIM), ctn_status_name(row->status),
           row->started_at_ms ? "started" : "queued",
           ctn_moment_text(row->started_at_ms ? row->started_at_ms : begun_ms).text);
    if (row->started_at_ms - begun_ms >= 1000)
        printf(" (queued %s before)", ctn_duration_text(row->started_at_ms - begun_ms).text);
    printf(", %s %s%s\n", end_ms ? "took" : "now at", ctn_duration_text(s->to_ms - s->from_ms).text,
           ctn_colour_code(screen, CTN_COLOUR_NONE));
}

static void print_marks(const sheet *s, const ctn_timeline *t)
{
    size_t count;
    const ctn_timeline_mark *marks = ctn_timeline_marks(t, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_person = !ctn_str_is(marks[i].by, "engine");
        ctn_str by = ctn_text_clean(s->cli->arena, marks[i].by, 40),
                text = ctn_text_clean(s->cli->arena, marks[i].text, 160);
        printf("at %s: %s%s%.*s%s%.*s\n", ctn_duration_text(marks[i].at_ms - s->from_ms).text, marks[i].what,
               is_person ? " by " : "", is_person ? (int) by.len : 0, by.ptr, text.len ? ": " : "", CTN_STR_ARG(text));
    }
}

void ctn_timeline_sheet_print(const ctn_cli *cli, const ctn_timeline *t, const ctn_plan *plan,
                              const ctn_execution_row *row, int64_t now_ms)
{
    int64_t end_ms = ctn_timeline_ended_at_ms(t);
    sheet s = {.cli = cli, .plan = plan, .now_ms = end_ms ? end_ms : now_ms, .to_ms = end_ms ? end_ms : now_ms};
    s.from_ms = row->started_at_ms ? row->started_at_ms : ctn_timeline_begun_at_ms(t);
    s.lines = ctn_timeline_fold(t, cli->arena, s.now_ms, &s.count);
    for (size_t i = 0; i < s.count; i++) {
        const ctn_timeline_row *r = s.lines[i].row;
        s.has_thin = s.has_thin || (r && !r->start_is_recorded);
    }
    measure(&s);
    print_head(&s, t, row);
    if (s.count) {
        unsigned char *cells = ctn_arena_calloc(cli->arena, s.bar_columns, 1);
        print_scale(&s);
        for (size_t i = 0; i < s.count; i++) {
            ctn_arena_mark mark = ctn_arena_save(cli->arena);
            print_line(&s, &s.lines[i], cells);
            ctn_arena_restore(cli->arena, mark);
        }
    }
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    print_marks(&s, t);
    uint32_t unseen = ctn_timeline_unseen_count(t);
    if (unseen)
        printf("%s%u step%s %s%s\n", dim, unseen, unseen == 1 ? "" : "s", end_ms ? "never began" : "to come", plain);
    uint32_t reused = ctn_timeline_reused_count(t);
    if (reused)
        printf("%s%u step%s reused from an earlier execution%s\n", dim, reused, reused == 1 ? "" : "s", plain);
    if (s.has_thin)
        printf("%sthin: its start is not recorded; from when it could begin%s\n", dim, plain);
}
