/*
 * timeline.c -- see timeline.h. A fold of its own over the journal, beside that of core: it keeps what core forgets
 * (earlier attempts, items that are over) and needs none of the rules.
 *
 * A work is what attempts are made at: a step, an item of it, or its undo. At most one row of a work is open; an entry
 * about a later attempt closes it.
 */
#include "journal/timeline.h"
#include "base/memory.h"
#include "journal/entry_told.h"
#include "value/decimal.h"
#include <stdlib.h>

#define MESSAGE_BYTES_MAX 400

typedef struct each {
    int64_t *ends_ms; /* when the 1st, 2nd, ... item ended */
    size_t count, capacity;
    int64_t begun_at_ms;
} each;

typedef struct step_state {
    uint32_t waits_for;
    int64_t ready_at_ms;
    bool has_rows, has_ended;
    bool is_reused; /* it ended in an earlier execution: it takes no time here, and has no rows */
    each each;
} step_state;

typedef struct work {
    uint32_t step;
    int64_t item;
    ctn_attempt_role role;
    size_t row;  /* index + 1 of the open row; 0: none */
    size_t last; /* index + 1 of the last row; 0: none */
    int64_t next_from_ms;
    uint32_t attempt, fallback;
} work;

struct ctn_timeline {
    ctn_arena *arena;
    const ctn_plan *plan;
    step_state *steps;
    ctn_timeline_row *rows;
    size_t row_count, row_capacity;
    ctn_timeline_mark *marks;
    size_t mark_count, mark_capacity;
    work *works;
    size_t work_count, work_capacity;
    size_t *slots; /* index + 1 of a work; 0: free. A power of two, at most half full */
    size_t slot_count;
    int64_t begun_at_ms, stopped_at_ms, ended_at_ms;
    uint32_t *due; /* reused steps whose turn has come, within add */
    uint32_t due_count;
    uint64_t seq; /* of the record that is being added; 0: none */
};

const char *ctn_attempt_status_name(ctn_attempt_status status)
{
    static const char *const NAMES[CTN_ATTEMPT_STATUS_COUNT] = {
        [CTN_ATTEMPT_READY] = "ready",     [CTN_ATTEMPT_RUNNING] = "running",
        [CTN_ATTEMPT_WAITING] = "waiting", [CTN_ATTEMPT_INTERRUPTED] = "interrupted",
        [CTN_ATTEMPT_UNKNOWN] = "unknown", [CTN_ATTEMPT_COMPLETED] = "completed",
        [CTN_ATTEMPT_CACHED] = "cached",   [CTN_ATTEMPT_SKIPPED] = "skipped",
        [CTN_ATTEMPT_FAILED] = "failed",   [CTN_ATTEMPT_CANCELLED] = "cancelled"};
    return NAMES[status];
}

/* `items` with room for one more. These tables live on the heap: an arena would keep each smaller one. */
static void *grown(void *items, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity + *capacity / 2 : 64;
    return ctn_realloc(items, *capacity * bytes);
}

static ctn_str kept(const ctn_timeline *t, ctn_str text)
{
    if (text.len > MESSAGE_BYTES_MAX) {
        text.len = MESSAGE_BYTES_MAX;
        while (text.len && ((unsigned char) text.ptr[text.len] & 0xc0) == 0x80) /* no half character */
            text.len--;
    }
    return ctn_arena_str(t->arena, text);
}

static ctn_str kept_member(const ctn_timeline *t, const ctn_entry *e, const char *key)
{
    return kept(t, ctn_json_str_or(e->body, key, CTN_STR("")));
}

/* ---- works ---- */

static size_t hash_of(uint32_t step, int64_t item, ctn_attempt_role role)
{
    uint64_t h = ((uint64_t) item * 2 + role) * UINT64_C(0x9e3779b97f4a7c15) + step;
    return (size_t) ((h ^ (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) >> 20);
}

static void put_in_slot(ctn_timeline *t, size_t at)
{
    const work *w = &t->works[at];
    size_t slot = hash_of(w->step, w->item, w->role) & (t->slot_count - 1);
    while (t->slots[slot])
        slot = (slot + 1) & (t->slot_count - 1);
    t->slots[slot] = at + 1;
}

static const work *find_work(const ctn_timeline *t, uint32_t step, int64_t item, ctn_attempt_role role)
{
    for (size_t slot = hash_of(step, item, role);; slot++) {
        size_t at = t->slot_count ? t->slots[slot & (t->slot_count - 1)] : 0;
        const work *w = at ? &t->works[at - 1] : NULL;
        if (!w || (w->step == step && w->item == item && w->role == role))
            return w;
    }
}

/* Items begin in their order, as many at once as the step allows, and the next one when one ends. */
static int64_t item_could_begin(const step_state *s, int64_t item, uint32_t at_once)
{
    const each *e = &s->each;
    if (item < at_once || !at_once || !e->count)
        return e->begun_at_ms ? e->begun_at_ms : s->ready_at_ms;
    size_t ended = (size_t) (item - at_once);
    return e->ends_ms[ended < e->count ? ended : e->count - 1];
}

static work *work_of(ctn_timeline *t, uint32_t step, int64_t item, ctn_attempt_role role, int64_t at_ms)
{
    work *w = (work *) find_work(t, step, item, role);
    const ctn_plan_foreach *foreach = t->plan->steps[step].foreach;
    if (w)
        return w;
    t->works = grown(t->works, t->work_count, &t->work_capacity, sizeof *t->works);
    w = &t->works[t->work_count++];
    *w = (work){.step = step, .item = item, .role = role, .next_from_ms = at_ms};
    if (role == CTN_ATTEMPT_DO && item < 0 && t->steps[step].ready_at_ms)
        w->next_from_ms = t->steps[step].ready_at_ms;
    if (role == CTN_ATTEMPT_DO && item >= 0)
        w->next_from_ms = item_could_begin(&t->steps[step], item, foreach ? foreach->max_concurrency : 0);
    if (2 * t->work_count > t->slot_count) {
        t->slot_count = t->slot_count ? 2 * t->slot_count : 256;
        free(t->slots);
        t->slots = ctn_malloc(t->slot_count * sizeof *t->slots);
        memset(t->slots, 0, t->slot_count * sizeof *t->slots);
        for (size_t i = 0; i < t->work_count; i++)
            put_in_slot(t, i);
    } else
        put_in_slot(t, t->work_count - 1);
    return w;
}

/* ---- rows ---- */

static ctn_timeline_row *add_row(ctn_timeline *t, work *w, uint32_t attempt)
{
    t->rows = grown(t->rows, t->row_count, &t->row_capacity, sizeof *t->rows);
    ctn_timeline_row *row = &t->rows[t->row_count++];
    *row = (ctn_timeline_row){.step = w->step,
                              .item = w->item,
                              .role = w->role,
                              .attempt = attempt,
                              .status = CTN_ATTEMPT_RUNNING,
                              .fallback = w->fallback,
                              .seq = t->seq,
                              .started_at_ms = w->next_from_ms};
    w->row = w->last = t->row_count;
    w->attempt = attempt;
    t->steps[w->step].has_rows = true;
    return row;
}

/* The row of this attempt (0: of the one under way); an earlier one that is open has ended by then. */
static ctn_timeline_row *open_row(ctn_timeline *t, work *w, uint32_t attempt)
{
    ctn_timeline_row *open = w->row ? &t->rows[w->row - 1] : NULL;
    if (open && (attempt == 0 || open->attempt == attempt))
        return open;
    if (open && !open->ended_at_ms)
        open->ended_at_ms = w->next_from_ms;
    return add_row(t, w, attempt ? attempt : w->attempt + 1);
}

static void begin_row(ctn_timeline *t, work *w, const ctn_entry *e)
{
    size_t before = t->row_count;
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    bool waited = row->wait_from_ms && row->wait_until_ms; /* for a breaker: it begins now */
    if (t->row_count > before || waited) {
        row->start_is_recorded = true;
        row->started_at_ms = waited ? row->started_at_ms : e->at_ms;
    }
    if (waited)
        row->wait_until_ms = e->at_ms;
    row->status = CTN_ATTEMPT_RUNNING;
}

static void end_row(work *w, ctn_timeline_row *row, ctn_attempt_status status, int64_t at_ms)
{
    row->status = status;
    row->ended_at_ms = at_ms;
    w->row = 0;
    w->next_from_ms = at_ms;
}

/* ---- steps ---- */

static void step_is_due(ctn_timeline *t, uint32_t step, int64_t at_ms)
{
    if (t->steps[step].is_reused)
        t->due[t->due_count++] = step;
    else
        t->steps[step].ready_at_ms = at_ms;
}

static void end_step(ctn_timeline *t, uint32_t step, int64_t at_ms)
{
    const ctn_plan_step *p = &t->plan->steps[step];
    if (t->steps[step].has_ended)
        return;
    t->steps[step].has_ended = true;
    for (uint32_t i = 0; i < p->successor_count; i++) {
        step_state *next = &t->steps[p->successors[i]];
        if (next->waits_for && --next->waits_for == 0)
            step_is_due(t, p->successors[i], at_ms);
    }
}

/* Reused steps end when their turn comes, at once. */
static void reuse_due(ctn_timeline *t, int64_t at_ms)
{
    while (t->due_count)
        end_step(t, t->due[--t->due_count], at_ms);
}

static void step_ended(ctn_timeline *t, uint32_t step, int64_t at_ms)
{
    end_step(t, step, at_ms);
    reuse_due(t, at_ms);
}

static void work_ended(ctn_timeline *t, const work *w, int64_t at_ms)
{
    if (w->role != CTN_ATTEMPT_DO)
        return;
    if (w->item < 0) {
        step_ended(t, w->step, at_ms);
        return;
    }
    each *e = &t->steps[w->step].each;
    e->ends_ms = grown(e->ends_ms, e->count, &e->capacity, sizeof *e->ends_ms);
    e->ends_ms[e->count++] = at_ms;
}

/* ---- entries ---- */

static void add_used(ctn_timeline *t, ctn_timeline_row *row, const ctn_entry *e)
{
    const ctn_json *used = ctn_json_member_of(e->body, "used");
    ctn_decimal sum, more;
    row->tokens += ctn_json_int_or(used, "tokens", 0);
    ctn_str money = ctn_json_text(ctn_json_member_of(used, "money"));
    if (!money.len)
        return;
    ctn_decimal_init(&sum);
    ctn_decimal_init(&more);
    if ((!row->money.len || ctn_decimal_parse(&sum, row->money)) && ctn_decimal_parse(&more, money) &&
        !ctn_decimal_add(&sum, &sum, &more))
        row->money = ctn_decimal_to_str(t->arena, &sum);
    ctn_decimal_done(&sum);
    ctn_decimal_done(&more);
}

static void add_succeeded(ctn_timeline *t, work *w, const ctn_entry *e)
{
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    bool is_whole = ctn_json_member_of(e->body, "variables") || ctn_json_member_of(e->body, "items");
    ctn_attempt_status status = e->kind == CTN_ENTRY_CACHE_HIT ? CTN_ATTEMPT_CACHED : CTN_ATTEMPT_COMPLETED;
    row->code = row->message = (ctn_str){0};
    add_used(t, row, e);
    if (w->role == CTN_ATTEMPT_UNDO) { /* perhaps there is one more call: then the row goes on */
        row->status = status;
        row->ended_at_ms = w->next_from_ms = e->at_ms;
    } else if (is_whole) {
        end_row(w, row, status, e->at_ms);
        work_ended(t, w, e->at_ms);
    }
}

static void add_failed(ctn_timeline *t, work *w, const ctn_entry *e)
{
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    row->code = kept_member(t, e, "code");
    row->message = kept_member(t, e, "message");
    add_used(t, row, e);
    int64_t due_ms = ctn_json_int_or(e->body, "dueMs", 0);
    if (ctn_json_bool_or(e->body, "unknown", false)) {
        row->status = CTN_ATTEMPT_UNKNOWN;
        row->wait_from_ms = e->at_ms;
        row->wait_until_ms = 0;
        w->next_from_ms = e->at_ms;
    } else if (due_ms) {
        end_row(w, row, CTN_ATTEMPT_FAILED, e->at_ms);
        row->next_at_ms = w->next_from_ms = due_ms > e->at_ms ? due_ms : e->at_ms;
    } else if (ctn_json_member_of(e->body, "fallback"))
        end_row(w, row, CTN_ATTEMPT_FAILED, e->at_ms);
    else if (ctn_json_bool_or(e->body, "final", false)) {
        end_row(w, row, CTN_ATTEMPT_FAILED, e->at_ms);
        work_ended(t, w, e->at_ms);
    }
}

static void add_waiting(ctn_timeline *t, work *w, const ctn_entry *e)
{
    if (!ctn_json_member_of(e->body, "effect")) /* a call that waits began before */
        begin_row(t, w, e);
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    row->status = CTN_ATTEMPT_WAITING;
    row->wait_from_ms = e->at_ms;
    row->wait_until_ms = 0;
    row->message = kept_member(t, e, "message");
}

static void add_held(ctn_timeline *t, work *w, const ctn_entry *e)
{
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    row->status = CTN_ATTEMPT_WAITING;
    row->started_at_ms = row->wait_from_ms && row->wait_until_ms ? row->started_at_ms : e->at_ms;
    row->wait_from_ms = row->started_at_ms;
    row->wait_until_ms = ctn_json_int_or(e->body, "untilMs", e->at_ms);
    row->message = kept_member(t, e, "target");
}

static void add_interrupted(ctn_timeline *t, work *w, const ctn_entry *e)
{
    ctn_timeline_row *row = open_row(t, w, e->attempt);
    row->status = CTN_ATTEMPT_INTERRUPTED;
    row->wait_from_ms = e->at_ms;
    row->wait_until_ms = 0;
    row->code = kept_member(t, e, "code");
    row->message = kept_member(t, e, "message");
    w->next_from_ms = e->at_ms;
}

static void add_skipped(ctn_timeline *t, work *w, const ctn_entry *e)
{
    w->next_from_ms = e->at_ms;
    ctn_timeline_row *row = add_row(t, w, 0);
    row->start_is_recorded = true;
    end_row(w, row, CTN_ATTEMPT_SKIPPED, e->at_ms);
    step_ended(t, w->step, e->at_ms);
}

static void add_begun(ctn_timeline *t, work *w, const ctn_entry *e, const ctn_entry_meaning *m)
{
    begin_row(t, w, e);
    ctn_timeline_row *row = &t->rows[w->row - 1];
    if (m->child.len)
        row->child = kept(t, m->child);
    if (m->is_each) {
        row->is_each = true;
        t->steps[w->step].each.begun_at_ms = e->at_ms;
    }
}

static void add_of_step(ctn_timeline *t, work *w, const ctn_entry *e, const ctn_entry_meaning *m)
{
    switch (m->sense) {
    case CTN_SENSE_SKIPPED: add_skipped(t, w, e); break;
    case CTN_SENSE_BEGUN: add_begun(t, w, e, m); break;
    case CTN_SENSE_SUCCEEDED: add_succeeded(t, w, e); break;
    case CTN_SENSE_FAILED: add_failed(t, w, e); break;
    case CTN_SENSE_FALLBACK:
        w->fallback = (uint32_t) ctn_json_int_or(e->body, "fallback", 1);
        w->next_from_ms = e->at_ms;
        break;
    case CTN_SENSE_WAITS: add_waiting(t, w, e); break;
    case CTN_SENSE_GOES_ON: open_row(t, w, e->attempt)->status = CTN_ATTEMPT_RUNNING; break;
    case CTN_SENSE_HELD: add_held(t, w, e); break;
    case CTN_SENSE_INTERRUPTED: add_interrupted(t, w, e); break;
    case CTN_SENSE_SETTLED:
        w->next_from_ms = e->at_ms;
        if (w->row)
            t->rows[w->row - 1].by = kept(t, e->actor);
        break;
    case CTN_SENSE_NONE:
    case CTN_SENSE_CREATED:
    case CTN_SENSE_STOPS:
    case CTN_SENSE_ENDED: break;
    }
}

/* ---- the execution as a whole ---- */

static void add_mark(ctn_timeline *t, const ctn_entry *e, const ctn_entry_meaning *m)
{
    t->marks = grown(t->marks, t->mark_count, &t->mark_capacity, sizeof *t->marks);
    t->marks[t->mark_count++] =
        (ctn_timeline_mark){.at_ms = e->at_ms, .what = m->mark, .by = kept(t, e->actor), .text = kept(t, m->mark_text)};
}

/* What was open then has been let go. */
static void close_all(ctn_timeline *t, int64_t at_ms)
{
    for (size_t i = 0; i < t->work_count; i++) {
        work *w = &t->works[i];
        ctn_timeline_row *row = w->row ? &t->rows[w->row - 1] : NULL;
        if (!row || row->ended_at_ms)
            continue;
        bool is_told = row->status == CTN_ATTEMPT_UNKNOWN || row->status == CTN_ATTEMPT_INTERRUPTED;
        int64_t end_ms = t->stopped_at_ms > row->started_at_ms ? t->stopped_at_ms : at_ms;
        end_row(w, row, is_told ? row->status : CTN_ATTEMPT_CANCELLED, end_ms);
    }
}

static void note_reused(ctn_timeline *t, const ctn_json *reused)
{
    for (size_t i = 0; i < ctn_json_count(reused); i++) {
        uint32_t step = ctn_plan_step_index(t->plan, ctn_json_text(&reused->members[i].key));
        if (step != CTN_PLAN_NONE)
            t->steps[step].is_reused = true;
    }
}

static void add_created(ctn_timeline *t, const ctn_entry *e)
{
    note_reused(t, ctn_json_member_of(e->body, "reused"));
    if (e->kind == CTN_ENTRY_QUEUED)
        return;
    for (uint32_t i = 0; i < t->plan->step_count; i++)
        if (!t->steps[i].waits_for)
            step_is_due(t, i, e->at_ms);
    reuse_due(t, e->at_ms);
}

static void add_of_execution(ctn_timeline *t, const ctn_entry *e, const ctn_entry_meaning *m)
{
    if (m->mark)
        add_mark(t, e, m);
    if (m->sense == CTN_SENSE_CREATED) {
        add_created(t, e);
    } else if (m->sense == CTN_SENSE_STOPS) {
        t->stopped_at_ms = e->at_ms;
        t->ended_at_ms = 0; /* a completed sub-chain that is undone goes on */
    } else if (m->sense == CTN_SENSE_ENDED) {
        t->ended_at_ms = e->at_ms;
        close_all(t, e->at_ms);
    }
}

int ctn_timeline_add(ctn_timeline *t, const ctn_record *r, ctn_arena *scratch, ctn_err *err)
{
    ctn_entry e = {.kind = r->kind,
                   .seq = r->seq,
                   .at_ms = r->at_ms,
                   .step = r->step,
                   .item = r->item,
                   .attempt = r->attempt,
                   .actor = r->actor};
    if (ctn_json_parse(scratch, r->body, NULL, &e.body, err))
        return ctn_wrap(err, CTN_E_CORRUPT, "entry %llu", (unsigned long long) e.seq);
    ctn_entry_meaning m = ctn_entry_meaning_of(&e);
    t->seq = e.seq;
    if (!t->begun_at_ms)
        t->begun_at_ms = e.at_ms;
    if (!e.step.len) {
        add_of_execution(t, &e, &m);
        return CTN_OK;
    }
    uint32_t step = ctn_plan_step_index(t->plan, e.step);
    if (step == CTN_PLAN_NONE)
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu: the chain has no step %.*s", (unsigned long long) e.seq,
                        CTN_STR_ARG(e.step));
    bool was_stopped = t->stopped_at_ms != 0;
    add_of_step(t, work_of(t, step, e.item, m.is_undo ? CTN_ATTEMPT_UNDO : CTN_ATTEMPT_DO, e.at_ms), &e, &m);
    bool stops = m.sense == CTN_SENSE_FAILED && !m.is_undo && ctn_json_bool_or(e.body, "final", false) &&
                 !t->plan->steps[step].continue_on_error;
    if (stops && !was_stopped)
        t->stopped_at_ms = e.at_ms;
    return CTN_OK;
}

/* ---- the end ---- */

static void add_ready(ctn_timeline *t, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->plan->step_count; i++) {
        step_state *s = &t->steps[i];
        if (!s->ready_at_ms || s->has_rows || s->has_ended)
            continue;
        work *w = work_of(t, i, -1, CTN_ATTEMPT_DO, s->ready_at_ms);
        add_row(t, w, 1)->status = CTN_ATTEMPT_READY;
    }
    for (size_t i = 0, count = t->work_count; i < count; i++) { /* a back-off that is over */
        work *w = &t->works[i];
        if (!w->row && w->last && t->rows[w->last - 1].next_at_ms && t->rows[w->last - 1].next_at_ms <= now_ms)
            add_row(t, w, w->attempt + 1)->status = CTN_ATTEMPT_READY;
    }
}

/* first: when each step first began. */
static int by_group(const void *a, const void *b, void *first)
{
    const ctn_timeline_row *p = a, *q = b;
    const int64_t *began = first;
    int64_t x = p->role == CTN_ATTEMPT_UNDO ? p->started_at_ms : began[p->step],
            y = q->role == CTN_ATTEMPT_UNDO ? q->started_at_ms : began[q->step];
    if (x != y)
        return x < y ? -1 : 1;
    if (p->role != q->role)
        return p->role < q->role ? -1 : 1;
    if (p->role == CTN_ATTEMPT_UNDO)
        return p->seq < q->seq ? -1 : p->seq > q->seq;
    if (p->step != q->step)
        return p->step < q->step ? -1 : 1;
    if (p->item != q->item)
        return p->item < q->item ? -1 : 1;
    if (p->attempt != q->attempt)
        return p->attempt < q->attempt ? -1 : 1;
    return p->started_at_ms < q->started_at_ms ? -1 : p->started_at_ms > q->started_at_ms;
}

static void sort_rows(ctn_timeline *t)
{
    int64_t *first = CTN_NEW_ARRAY(t->arena, int64_t, t->plan->step_count);
    for (size_t i = 0; i < t->row_count; i++) {
        const ctn_timeline_row *row = &t->rows[i];
        if (row->role == CTN_ATTEMPT_DO && (!first[row->step] || row->started_at_ms < first[row->step]))
            first[row->step] = row->started_at_ms;
    }
    if (t->row_count)
        qsort_r(t->rows, t->row_count, sizeof *t->rows, by_group, first);
}

void ctn_timeline_finish(ctn_timeline *t, int64_t now_ms)
{
    t->seq = 0;
    if (!t->ended_at_ms && !t->stopped_at_ms)
        add_ready(t, now_ms);
    sort_rows(t);
}

ctn_timeline *ctn_timeline_new(ctn_arena *arena, const ctn_plan *plan)
{
    ctn_timeline *t = CTN_NEW(arena, ctn_timeline);
    *t = (ctn_timeline){.arena = arena, .plan = plan};
    t->steps = CTN_NEW_ARRAY(arena, step_state, plan->step_count);
    t->due = CTN_NEW_ARRAY(arena, uint32_t, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++)
        t->steps[i].waits_for = plan->steps[i].predecessor_count;
    return t;
}

void ctn_timeline_free(ctn_timeline *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->plan->step_count; i++)
        free(t->steps[i].each.ends_ms);
    free(t->rows);
    free(t->marks);
    free(t->works);
    free(t->slots);
}

const ctn_timeline_row *ctn_timeline_rows(const ctn_timeline *t, size_t *ret_count)
{
    *ret_count = t->row_count;
    return t->rows;
}

const ctn_timeline_mark *ctn_timeline_marks(const ctn_timeline *t, size_t *ret_count)
{
    *ret_count = t->mark_count;
    return t->marks;
}

int64_t ctn_timeline_begun_at_ms(const ctn_timeline *t)
{
    return t->begun_at_ms;
}

int64_t ctn_timeline_ended_at_ms(const ctn_timeline *t)
{
    return t->ended_at_ms;
}

uint32_t ctn_timeline_unseen_count(const ctn_timeline *t)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->plan->step_count; i++)
        count += !t->steps[i].has_rows && !t->steps[i].is_reused;
    return count;
}

uint32_t ctn_timeline_reused_count(const ctn_timeline *t)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->plan->step_count; i++)
        count += t->steps[i].is_reused;
    return count;
}
