/*
 * view.c -- see view.h. Both ways of showing are fed by the same calls, so they cannot tell different stories.
 *
 * A live frame is drawn at most ten times a second, from what is known then: events only change what will be
 * drawn. It goes out in one write, over the frame before it. When the list is longer than the terminal, the part
 * where work goes on is shown.
 */
#include "cli/view.h"
#include "base/memory.h"
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MS         100
#define PROGRESS_LINE_MS 1000
#define NAME_COLUMNS_MAX 40
#define WORD_COLUMNS     11

typedef struct row {
    ctn_str name;
    ctn_step_view v;
    char message[1600];
    double progress, total; /* total 0: no progress was told */
    char progress_note[200];
    int64_t progress_shown_ms;
} row;

struct ctn_view {
    const ctn_cli *cli;
    ctn_loop *loop;
    ctn_arena *arena;   /* names */
    ctn_arena *scratch; /* one frame or line */
    bool is_live, is_quiet, has_begun;
    ctn_str chain_id;
    ctn_execution_id id;
    ctn_status status;
    row *rows;
    size_t row_count, name_columns;
    int64_t begun_at_ms;
    char note[1600];
    ctn_timer *timer;
    size_t drawn_rows, frames;
};

/* ---- what a step looks like ---- */

typedef struct look {
    const char *symbol, *plain_symbol;
    const char *word;
    ctn_colour colour;
} look;

static const look LOOKS[CTN_STEP_STATUS_COUNT] = {
    [CTN_STEP_PENDING] = {"·", ".", "pending", CTN_COLOUR_DIM},
    [CTN_STEP_RUNNING] = {NULL, NULL, "running", CTN_COLOUR_BLUE}, /* its symbols turn */
    [CTN_STEP_RETRYING] = {"↻", "~", "retrying", CTN_COLOUR_YELLOW},
    [CTN_STEP_WAITING] = {"⏸", "=", "waiting", CTN_COLOUR_YELLOW},
    [CTN_STEP_INTERRUPTED] = {"?", "?", "interrupted", CTN_COLOUR_YELLOW},
    [CTN_STEP_COMPLETED] = {"✓", "+", "completed", CTN_COLOUR_GREEN},
    [CTN_STEP_SKIPPED] = {"–", "-", "skipped", CTN_COLOUR_DIM},
    [CTN_STEP_FAILED] = {"✗", "x", "failed", CTN_COLOUR_RED},
    [CTN_STEP_COMPENSATED] = {"↩", "<", "undone", CTN_COLOUR_YELLOW},
};

ctn_colour ctn_step_colour(ctn_step_status status)
{
    return LOOKS[status].colour;
}

ctn_colour ctn_status_colour(ctn_status status)
{
    switch (status) {
    case CTN_STATUS_COMPLETED: return CTN_COLOUR_GREEN;
    case CTN_STATUS_FAILED:
    case CTN_STATUS_ROLLBACK_FAILED: return CTN_COLOUR_RED;
    case CTN_STATUS_RUNNING: return CTN_COLOUR_BLUE;
    case CTN_STATUS_CANCELLED:
    case CTN_STATUS_QUEUED: return CTN_COLOUR_DIM;
    default: return CTN_COLOUR_YELLOW;
    }
}

static look look_of(const ctn_step_view *v, size_t frame)
{
    static const char *const SPINNER[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static const char *const PLAIN_SPINNER[] = {"-", "\\", "|", "/"};
    if (v->is_undoing)
        return (look){SPINNER[frame % 10], PLAIN_SPINNER[frame % 4], "undoing", CTN_COLOUR_YELLOW};
    look l = LOOKS[v->status];
    if (v->status == CTN_STEP_RUNNING) {
        l.symbol = SPINNER[frame % 10];
        l.plain_symbol = PLAIN_SPINNER[frame % 4];
    }
    return l;
}

static bool is_under_way(const ctn_step_view *v)
{
    return v->is_undoing || v->status == CTN_STEP_RUNNING || v->status == CTN_STEP_RETRYING ||
           v->status == CTN_STEP_WAITING || v->status == CTN_STEP_INTERRUPTED;
}

static void append_progress(ctn_buf *out, const row *r)
{
    if (r->total > 0 && r->progress >= 0)
        ctn_buf_printf(out, " %.0f %%", 100.0 * (r->progress > r->total ? r->total : r->progress) / r->total);
    if (r->progress_note[0])
        ctn_buf_printf(out, " %s", r->progress_note);
}

/* What more there is to say of a step: attempt, what it waits for, why it failed, how far it is. */
static void append_note(ctn_buf *out, const row *r, int64_t now_ms)
{
    const ctn_step_view *v = &r->v;
    bool is_retry = v->status == CTN_STEP_RETRYING;
    if (v->item_count && is_under_way(v))
        ctn_buf_printf(out, " %lld of %lld items", (long long) v->items_ended, (long long) v->item_count);
    else if (v->item_count)
        ctn_buf_printf(out, " %lld items", (long long) v->item_count);
    if (v->items_failed)
        ctn_buf_printf(out, " (%lld failed)", (long long) v->items_failed);
    if (v->is_reused)
        ctn_buf_append_literal(out, " reused");
    if (v->fallback)
        ctn_buf_printf(out, " fallback %u", v->fallback);
    if (v->is_from_cache)
        ctn_buf_append_literal(out, " out of the cache");
    if (v->waits_for_breaker)
        ctn_buf_append_literal(out, " its circuit breaker is open,");
    if (v->attempt > 1 || is_retry)
        ctn_buf_printf(out, " attempt %u", is_retry ? v->attempt + 1 : v->attempt);
    if (is_retry && v->due_ms > now_ms)
        ctn_buf_printf(out, " in %s", ctn_duration_text(v->due_ms - now_ms).text);
    if (v->status == CTN_STEP_WAITING && v->waits_for_time && v->due_ms > now_ms)
        ctn_buf_printf(out, " until %s", ctn_moment_text(v->due_ms).text);
    if (v->failure && v->status != CTN_STEP_COMPLETED)
        ctn_buf_printf(out, " %s", ctn_failure_name(v->failure));
    if (r->message[0] && v->status != CTN_STEP_COMPLETED)
        ctn_buf_printf(out, "%s %s", v->failure ? ":" : "", r->message);
    if (v->status == CTN_STEP_RUNNING || v->is_undoing)
        append_progress(out, r);
}

static void append_duration(ctn_buf *out, const ctn_step_view *v, int64_t now_ms, size_t columns)
{
    ctn_time_text t = {""};
    if (v->started_at_ms && v->ended_at_ms)
        t = ctn_duration_text(v->ended_at_ms - v->started_at_ms);
    else if (v->started_at_ms && is_under_way(v))
        t = ctn_duration_text(now_ms - v->started_at_ms);
    ctn_text_pad(out, ctn_str_from(t.text), columns);
}

/* ---- live ---- */

static void append_row(ctn_view *view, ctn_buf *out, const row *r, int64_t now_ms, size_t columns)
{
    const ctn_screen *s = &view->cli->err;
    look l = look_of(&r->v, view->frames);
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_text_pad(&text, ctn_text_clean(view->scratch, r->name, view->name_columns), view->name_columns + 2);
    append_duration(&text, &r->v, now_ms, 10);
    if (r->v.status == CTN_STEP_SKIPPED || r->v.status == CTN_STEP_WAITING || r->v.status == CTN_STEP_INTERRUPTED ||
        r->v.status == CTN_STEP_COMPENSATED || r->v.status == CTN_STEP_RETRYING || r->v.is_undoing)
        ctn_buf_printf(&text, " %s", l.word);
    append_note(&text, r, now_ms);
    ctn_str line = ctn_text_clean(view->scratch, ctn_buf_str(&text), columns > 5 ? columns - 5 : 1);
    ctn_buf_printf(out, "  %s%s%s %s%.*s%s\033[K\n", ctn_colour_code(s, l.colour),
                   s->has_utf8 ? l.symbol : l.plain_symbol, ctn_colour_code(s, CTN_COLOUR_NONE),
                   ctn_colour_code(s, l.colour == CTN_COLOUR_DIM ? CTN_COLOUR_DIM : CTN_COLOUR_NONE), CTN_STR_ARG(line),
                   ctn_colour_code(s, CTN_COLOUR_NONE));
    ctn_buf_done(&text);
}

/* Which rows fit: those around the first that is not over. */
static void choose_window(const ctn_view *view, size_t room, size_t *ret_from, size_t *ret_count)
{
    *ret_from = 0;
    *ret_count = view->row_count;
    if (view->row_count <= room)
        return;
    size_t first = 0;
    while (first + 1 < view->row_count && !is_under_way(&view->rows[first].v) &&
           view->rows[first].v.status != CTN_STEP_PENDING)
        first++;
    *ret_count = room;
    *ret_from = first > room / 3 ? first - room / 3 : 0;
    if (*ret_from + room > view->row_count)
        *ret_from = view->row_count - room;
}

static void append_footer(ctn_view *view, ctn_buf *out, int64_t now_ms, size_t columns)
{
    const ctn_screen *s = &view->cli->err;
    size_t over = 0;
    for (size_t i = 0; i < view->row_count; i++)
        over += !is_under_way(&view->rows[i].v) && view->rows[i].v.status != CTN_STEP_PENDING;
    ctn_str line = ctn_arena_printf(view->scratch, "%s, %zu of %zu steps, %s%s%s", ctn_status_name(view->status), over,
                                    view->row_count, ctn_duration_text(now_ms - view->begun_at_ms).text,
                                    view->note[0] ? "; " : "", view->note);
    line = ctn_text_clean(view->scratch, line, columns - 1);
    ctn_buf_printf(out, "%s%.*s%s\033[K\n", ctn_colour_code(s, CTN_COLOUR_DIM), CTN_STR_ARG(line),
                   ctn_colour_code(s, CTN_COLOUR_NONE));
}

static void draw(ctn_view *view, bool is_last)
{
    const ctn_screen *s = &view->cli->err;
    size_t columns, rows, from, count;
    ctn_screen_size(s, &columns, &rows);
    choose_window(view, is_last || rows < 8 ? SIZE_MAX : rows - 5, &from, &count);
    if (rows < 8 && !is_last && count > 3)
        choose_window(view, 1, &from, &count);
    int64_t now_ms = ctn_loop_now_ms(view->loop);
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 16 << 20);
    if (view->drawn_rows)
        ctn_buf_printf(&out, "\033[%zuA\r", view->drawn_rows);
    ctn_id_text id = ctn_id_to_text(view->id);
    ctn_str title = ctn_arena_printf(view->scratch, "%.*s  %s", CTN_STR_ARG(view->chain_id), id.text);
    ctn_buf_printf(&out, "%s%.*s%s\033[K\n", ctn_colour_code(s, CTN_COLOUR_BOLD),
                   CTN_STR_ARG(ctn_text_clean(view->scratch, title, columns - 1)), ctn_colour_code(s, CTN_COLOUR_NONE));
    for (size_t i = from; i < from + count; i++)
        append_row(view, &out, &view->rows[i], now_ms, columns);
    if (count < view->row_count)
        ctn_buf_printf(&out, "    %zu more before, %zu after\033[K\n", from, view->row_count - from - count);
    append_footer(view, &out, now_ms, columns);
    ctn_buf_append_literal(&out, "\033[J");
    (void) ctn_screen_write(s, ctn_buf_str(&out));
    ctn_buf_done(&out);
    ctn_arena_reset(view->scratch);
    view->drawn_rows = count + 2 + (count < view->row_count);
    view->frames++;
}

static void on_frame(void *ctx)
{
    ctn_view *view = ctx;
    if (view->has_begun)
        draw(view, false);
    ctn_timer_set(view->timer, ctn_loop_now_ms(view->loop) + FRAME_MS);
}

/* ---- plain ---- */

static void tell_row(ctn_view *view, row *r)
{
    int64_t now_ms = ctn_loop_now_ms(view->loop);
    const ctn_screen *s = &view->cli->err;
    look l = look_of(&r->v, 0);
    ctn_buf out, text;
    ctn_buf_init(&out, 8192);
    ctn_buf_init(&text, 4096);
    ctn_buf_append_literal(&out, "  ");
    ctn_text_pad(&out, ctn_text_clean(view->scratch, r->name, view->name_columns), view->name_columns + 2);
    if (r->v.ended_at_ms && !is_under_way(&r->v) && r->v.status != CTN_STEP_SKIPPED) {
        ctn_buf_append_char(&text, ' ');
        append_duration(&text, &r->v, now_ms, 0);
    }
    append_note(&text, r, now_ms);
    ctn_str note = ctn_text_clean(view->scratch, ctn_buf_str(&text), 0);
    ctn_buf_append(&out, ctn_str_from(ctn_colour_code(s, l.colour)));
    ctn_text_pad(&out, ctn_str_from(l.word), note.len ? WORD_COLUMNS : 0);
    ctn_buf_append(&out, ctn_str_from(ctn_colour_code(s, CTN_COLOUR_NONE)));
    ctn_buf_printf(&out, "%s%.*s\n", note.len ? " " : "", CTN_STR_ARG(note));
    (void) ctn_screen_write(s, ctn_buf_str(&out));
    ctn_buf_done(&text);
    ctn_buf_done(&out);
    ctn_arena_reset(view->scratch);
}

static void changed(ctn_view *view, row *r)
{
    if (!view->is_live && view->has_begun && !view->is_quiet)
        tell_row(view, r);
}

/* ---- what happens ---- */

static row *row_of(ctn_view *view, ctn_str name)
{
    for (size_t i = 0; i < view->row_count; i++)
        if (ctn_str_equal(view->rows[i].name, name))
            return &view->rows[i];
    return NULL;
}

static void keep(char *target, size_t size, ctn_str text, ctn_arena *scratch)
{
    ctn_arena_mark mark = ctn_arena_save(scratch);
    ctn_str clean = ctn_text_clean(scratch, text, size / 4 - 1); /* four bytes a column at most ... */
    size_t len = clean.len < size ? clean.len : size - 1;        /* ... but for marks that take no column */
    memcpy(target, len ? clean.ptr : "", len);
    target[len] = '\0';
    ctn_arena_restore(scratch, mark);
}

static void take_step(ctn_view *view, row *r, const ctn_step_view *v)
{
    bool is_other = r->v.status != v->status || r->v.attempt != v->attempt || r->v.is_undoing != v->is_undoing;
    bool is_first_attempt_number =
        r->v.status == CTN_STEP_RUNNING && v->status == CTN_STEP_RUNNING && r->v.attempt == 0;
    r->v = *v;
    r->v.message = (ctn_str){0};
    keep(r->message, sizeof r->message, v->message, view->scratch);
    if (is_other) {
        r->progress_note[0] = '\0';
        r->total = 0;
    }
    if (is_other && !is_first_attempt_number)
        changed(view, r);
}

void ctn_view_take_step(ctn_view *view, const ctn_snapshot_step *step)
{
    row *r = view ? row_of(view, step->name) : NULL;
    if (r)
        take_step(view, r, &step->view);
}

static void begin(ctn_view *view, const ctn_snapshot *s)
{
    view->id = s->id;
    view->chain_id = ctn_arena_str(view->arena, s->chain_id);
    view->row_count = s->step_count;
    view->rows = CTN_NEW_ARRAY(view->arena, row, s->step_count);
    view->begun_at_ms = ctn_loop_now_ms(view->loop);
    for (size_t i = 0; i < s->step_count; i++) {
        view->rows[i].name = ctn_arena_str(view->arena, s->steps[i].name);
        size_t columns = ctn_text_columns(view->rows[i].name);
        if (columns > view->name_columns)
            view->name_columns = columns;
        if (s->steps[i].view.started_at_ms && s->steps[i].view.started_at_ms < view->begun_at_ms)
            view->begun_at_ms = s->steps[i].view.started_at_ms;
    }
    if (view->name_columns > NAME_COLUMNS_MAX)
        view->name_columns = NAME_COLUMNS_MAX;
    view->has_begun = true;
    if (!view->is_live)
        ctn_cli_say(view->cli, "%.*s %s", CTN_STR_ARG(view->chain_id), ctn_id_to_text(view->id).text);
}

void ctn_view_take(ctn_view *view, const ctn_snapshot *snapshot)
{
    if (!view)
        return;
    if (!view->has_begun)
        begin(view, snapshot);
    view->status = snapshot->status;
    for (size_t i = 0; i < snapshot->step_count && i < view->row_count; i++)
        take_step(view, &view->rows[i], &snapshot->steps[i].view);
}

void ctn_view_progress(ctn_view *view, ctn_str step, double progress, double total, ctn_str message)
{
    row *r = view ? row_of(view, step) : NULL;
    if (!r)
        return;
    r->progress = progress;
    r->total = total;
    keep(r->progress_note, sizeof r->progress_note, message, view->scratch);
    int64_t now_ms = ctn_loop_now_ms(view->loop);
    if (!view->is_live && !view->is_quiet && now_ms - r->progress_shown_ms >= PROGRESS_LINE_MS) {
        r->progress_shown_ms = now_ms;
        tell_row(view, r);
    }
}

void ctn_view_note(ctn_view *view, ctn_str note)
{
    if (!view)
        return;
    bool is_new = note.len && !view->note[0];
    keep(view->note, sizeof view->note, note, view->scratch);
    if (is_new && !view->is_live)
        ctn_cli_say(view->cli, "%s", view->note);
}

/* ---- life ---- */

bool ctn_view_is_live(const ctn_cli *cli)
{
    return cli->err.is_terminal && !ctn_opt_is_given(cli, CTN_OPT_QUIET);
}

ctn_view *ctn_view_new(const ctn_cli *cli, ctn_loop *loop)
{
    ctn_view *view = ctn_malloc(sizeof *view);
    *view = (ctn_view){.cli = cli,
                       .loop = loop,
                       .arena = ctn_arena_new(4096),
                       .scratch = ctn_arena_new(16384),
                       .is_quiet = ctn_opt_is_given(cli, CTN_OPT_QUIET),
                       .is_live = ctn_view_is_live(cli)};
    if (view->is_live) {
        view->timer = ctn_timer_new(loop, on_frame, view);
        ctn_timer_set(view->timer, ctn_loop_now_ms(loop));
        (void) ctn_screen_write(&cli->err, CTN_STR("\033[?25l")); /* no cursor in the picture */
    }
    return view;
}

void ctn_view_end(ctn_view *view)
{
    if (!view)
        return;
    if (view->is_live) {
        if (view->has_begun)
            draw(view, true);
        (void) ctn_screen_write(&view->cli->err, CTN_STR("\033[?25h"));
    }
    ctn_timer_free(view->timer);
    ctn_arena_free(view->scratch);
    ctn_arena_free(view->arena);
    free(view);
}
