/*
 * timeline_fold.c -- which rows of a timeline people are shown (timeline.h).
 */
#include "journal/timeline.h"

#define FIRST   3
#define SLOWEST 3
#define FAILED  4

typedef struct folding {
    ctn_timeline_line *lines;
    size_t count;
    int64_t now_ms;
    ctn_arena *arena;
} folding;

static int64_t end_of(const folding *f, const ctn_timeline_row *r)
{
    return r->ended_at_ms ? r->ended_at_ms : f->now_ms;
}

static bool has_failed(const ctn_timeline_row *r)
{
    bool is_failure =
        r->status == CTN_ATTEMPT_FAILED || r->status == CTN_ATTEMPT_UNKNOWN || r->status == CTN_ATTEMPT_INTERRUPTED;
    return is_failure && !r->next_at_ms;
}

static int64_t duration_of(const folding *f, const ctn_timeline_row *r)
{
    return end_of(f, r) - r->started_at_ms;
}

/* Keeps the slowest in order, the slowest first; ties go to the earlier. */
static size_t keep_slowest(const folding *f, const ctn_timeline_row *rows, size_t i, size_t *slowest, size_t count)
{
    size_t at = count;
    while (at > 0 && duration_of(f, &rows[slowest[at - 1]]) < duration_of(f, &rows[i])) {
        if (at < SLOWEST)
            slowest[at] = slowest[at - 1];
        at--;
    }
    if (at < SLOWEST)
        slowest[at] = i;
    return count < SLOWEST ? count + 1 : count;
}

static void choose(const folding *f, const ctn_timeline_row *rows, size_t count, bool *chosen)
{
    size_t first = 0, failed = 0, slow = 0, slowest[SLOWEST];
    for (size_t i = 0; i < count; i++) {
        bool is_next_item = i == 0 || rows[i].item != rows[i - 1].item;
        if (is_next_item && first < FIRST) {
            chosen[i] = true;
            first++;
        }
        if (has_failed(&rows[i]) && failed < FAILED) {
            chosen[i] = true;
            failed++;
        }
        slow = keep_slowest(f, rows, i, slowest, slow);
    }
    for (size_t i = 0; i < slow; i++)
        chosen[slowest[i]] = true;
}

static void leave_out(const folding *f, ctn_timeline_line *rest, const ctn_timeline_row *r)
{
    rest->left_out++;
    rest->completed += r->status == CTN_ATTEMPT_COMPLETED || r->status == CTN_ATTEMPT_CACHED;
    rest->failed += has_failed(r);
    rest->retried += r->next_at_ms != 0;
    rest->from_ms = rest->left_out == 1 || r->started_at_ms < rest->from_ms ? r->started_at_ms : rest->from_ms;
    rest->to_ms = end_of(f, r) > rest->to_ms ? end_of(f, r) : rest->to_ms;
}

static void fold_items(folding *f, const ctn_timeline_row *rows, size_t count)
{
    ctn_timeline_line rest = {0};
    bool *chosen = count > CTN_TIMELINE_ITEMS ? CTN_NEW_ARRAY(f->arena, bool, count) : NULL;
    if (chosen)
        choose(f, rows, count, chosen);
    for (size_t i = 0; i < count; i++)
        if (!chosen || chosen[i])
            f->lines[f->count++] = (ctn_timeline_line){.row = &rows[i]};
        else
            leave_out(f, &rest, &rows[i]);
    if (rest.left_out)
        f->lines[f->count++] = rest;
}

/* The rows from `from` that are about items of one step; else the one row. */
static size_t group_end(const ctn_timeline_row *rows, size_t from, size_t count)
{
    size_t to = from + 1;
    while (rows[from].item >= 0 && to < count && rows[to].item >= 0 && rows[to].step == rows[from].step &&
           rows[to].role == rows[from].role)
        to++;
    return to;
}

const ctn_timeline_line *ctn_timeline_fold(const ctn_timeline *timeline, ctn_arena *arena, int64_t now_ms,
                                           size_t *ret_count)
{
    size_t count;
    const ctn_timeline_row *rows = ctn_timeline_rows(timeline, &count);
    folding f = {.now_ms = now_ms, .arena = arena};
    size_t room = 0;
    for (size_t i = 0, to; i < count; i = to) {
        to = group_end(rows, i, count);
        room += to - i > CTN_TIMELINE_ITEMS ? FIRST + SLOWEST + FAILED + 1 : to - i;
    }
    f.lines = CTN_NEW_ARRAY(arena, ctn_timeline_line, room);
    for (size_t i = 0, to; i < count; i = to) {
        to = group_end(rows, i, count);
        fold_items(&f, rows + i, to - i);
    }
    *ret_count = f.count;
    return f.lines;
}
