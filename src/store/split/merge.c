/*
 * merge.c -- see merge.h.
 */
#include "store/split/merge.h"
#include "base/memory.h"
#include "store/split/parts.h"
#include <stdlib.h>

enum { PAGE = 256 };

/* ---- rows of executions ---- */

typedef struct gathered {
    ctn_arena *arena;
    ctn_execution_row *rows;
    size_t count, capacity;
} gathered;

static gathered gathered_new(void)
{
    return (gathered){.arena = ctn_arena_new(16384)};
}

static void gathered_done(gathered *g)
{
    ctn_arena_free(g->arena);
}

static int gather(void *ctx, const ctn_execution_row *row)
{
    gathered *g = ctx;
    g->rows = ctn_arena_room(g->arena, g->rows, g->count, &g->capacity, sizeof *g->rows);
    g->rows[g->count++] = ctn_row_copy(g->arena, row);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const ctn_execution_row *x = a, *y = b;
    return (x->exec_no > y->exec_no) - (x->exec_no < y->exec_no);
}

static int by_number_down(const void *a, const void *b)
{
    return by_number(b, a);
}

static size_t at_most(size_t count, size_t limit) /* 0: no limit */
{
    return limit && limit < count ? limit : count;
}

/* false: fn has stopped it. */
static bool tell(const gathered *g, size_t count, ctn_execution_fn *fn, void *ctx)
{
    for (size_t i = 0; i < count; i++)
        if (fn(ctx, &g->rows[i]))
            return false;
    return true;
}

static bool sort_and_tell(gathered *g, size_t limit, int (*order)(const void *, const void *), ctn_execution_fn *fn,
                          void *ctx)
{
    if (g->count)
        qsort(g->rows, g->count, sizeof *g->rows, order);
    return tell(g, at_most(g->count, limit), fn, ctx);
}

/* A page of the newest of all. *ret_goes_on: there may be more, before filter->before_exec_no then. */
static int list_page(ctn_store *base, ctn_execution_filter *filter, size_t limit, ctn_execution_fn *fn, void *ctx,
                     size_t *ret_told, bool *ret_goes_on, ctn_err *err)
{
    split_store *s = (split_store *) base;
    gathered g = gathered_new();
    int rc = CTN_OK;
    for (size_t i = 0; i < s->count && (rc == CTN_OK || rc == CTN_E_CORRUPT); i++) {
        filter->limit = limit;
        int listed = s->parts[i].st->ops->execution_list(s->parts[i].st, filter, gather, &g, err);
        rc = listed ? listed : rc;
    }
    if (rc == CTN_OK || rc == CTN_E_CORRUPT) {
        *ret_told = at_most(g.count, limit);
        *ret_goes_on = sort_and_tell(&g, limit, by_number_down, fn, ctx) && *ret_told == limit;
        if (*ret_told)
            filter->before_exec_no = g.rows[*ret_told - 1].exec_no;
    }
    gathered_done(&g);
    return rc;
}

int ctn_split_execution_list(ctn_store *base, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    ctn_execution_filter page = *filter;
    size_t left = filter->limit ? filter->limit : SIZE_MAX, told = 0;
    bool goes_on = true;
    int rc = CTN_OK, worst = CTN_OK;
    while (goes_on && left > 0 && (rc == CTN_OK || rc == CTN_E_CORRUPT)) {
        goes_on = false;
        rc = list_page(base, &page, left < PAGE ? left : PAGE, fn, ctx, &told, &goes_on, err);
        worst = rc ? rc : worst;
        left -= told;
    }
    return worst;
}

int ctn_split_execution_due(ctn_store *base, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                            ctn_err *err)
{
    split_store *s = (split_store *) base;
    gathered g = gathered_new();
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++) {
        size_t share = limit / s->count + (i < limit % s->count);
        if (share || !limit)
            rc = s->parts[i].st->ops->execution_due(s->parts[i].st, until_ms, share, gather, &g, err);
    }
    if (rc == CTN_OK)
        (void) tell(&g, g.count, fn, ctx);
    gathered_done(&g);
    return rc;
}

int ctn_split_execution_owing(ctn_store *base, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err)
{
    split_store *s = (split_store *) base;
    gathered g = gathered_new();
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->execution_owing(s->parts[i].st, after_exec_no, limit, gather, &g, err);
    if (rc == CTN_OK)
        (void) sort_and_tell(&g, limit, by_number, fn, ctx);
    gathered_done(&g);
    return rc;
}

int ctn_split_queue_next(ctn_store *base, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                         size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    gathered g = gathered_new();
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->queue_next(s->parts[i].st, tenant, chain_id, priority, after_exec_no, limit, gather,
                                             &g, err);
    if (rc == CTN_OK)
        (void) sort_and_tell(&g, limit, by_number, fn, ctx);
    gathered_done(&g);
    return rc;
}

/* ---- sums by name ---- */

typedef struct summing {
    ctn_arena *arena;
    ctn_queue_lane *lanes;
    ctn_usage_row *usage;
    size_t count, capacity;
} summing;

static int lane_order(const void *a, const void *b)
{
    const ctn_queue_lane *x = a, *y = b;
    int order = ctn_str_compare(x->tenant, y->tenant);
    order = order ? order : ctn_str_compare(x->chain_id, y->chain_id);
    return order ? order : (x->priority > y->priority) - (x->priority < y->priority);
}

static int add_lane(void *ctx, const ctn_queue_lane *lane)
{
    summing *sum = ctx;
    for (size_t i = 0; i < sum->count; i++) {
        ctn_queue_lane *kept = &sum->lanes[i];
        if (lane_order(kept, lane))
            continue;
        kept->depth += lane->depth;
        kept->held += lane->held;
        if (lane->oldest_at_ms && (!kept->oldest_at_ms || lane->oldest_at_ms < kept->oldest_at_ms))
            kept->oldest_at_ms = lane->oldest_at_ms;
        return 0;
    }
    sum->lanes = ctn_arena_room(sum->arena, sum->lanes, sum->count, &sum->capacity, sizeof *sum->lanes);
    ctn_queue_lane *kept = &sum->lanes[sum->count++];
    *kept = *lane;
    kept->tenant = ctn_arena_str(sum->arena, lane->tenant);
    kept->chain_id = ctn_arena_str(sum->arena, lane->chain_id);
    return 0;
}

int ctn_split_queue_lanes(ctn_store *base, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    summing sum = {.arena = ctn_arena_new(4096)};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->queue_lanes(s->parts[i].st, add_lane, &sum, err);
    if (sum.count)
        qsort(sum.lanes, sum.count, sizeof *sum.lanes, lane_order);
    for (size_t i = 0; rc == CTN_OK && i < sum.count && fn(ctx, &sum.lanes[i]) == 0; i++) {
    }
    ctn_arena_free(sum.arena);
    return rc;
}

static int usage_order(const void *a, const void *b)
{
    return ctn_str_compare(((const ctn_usage_row *) a)->tenant, ((const ctn_usage_row *) b)->tenant);
}

static int add_usage(void *ctx, const ctn_usage_row *row)
{
    summing *sum = ctx;
    for (size_t i = 0; i < sum->count; i++)
        if (usage_order(&sum->usage[i], row) == 0) {
            ctn_usage *used = &sum->usage[i].used;
            used->executions += row->used.executions;
            used->calls += row->used.calls;
            used->bytes += row->used.bytes;
            used->money += row->used.money;
            return 0;
        }
    sum->usage = ctn_arena_room(sum->arena, sum->usage, sum->count, &sum->capacity, sizeof *sum->usage);
    ctn_usage_row *kept = &sum->usage[sum->count++];
    *kept = *row;
    kept->tenant = ctn_arena_str(sum->arena, row->tenant);
    return 0;
}

int ctn_split_usage_list(ctn_store *base, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    summing sum = {.arena = ctn_arena_new(4096)};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->usage_list(s->parts[i].st, day, add_usage, &sum, err);
    if (sum.count)
        qsort(sum.usage, sum.count, sizeof *sum.usage, usage_order);
    for (size_t i = 0; rc == CTN_OK && i < sum.count && fn(ctx, &sum.usage[i]) == 0; i++) {
    }
    ctn_arena_free(sum.arena);
    return rc;
}

/* ---- by number ---- */

typedef struct numbered {
    ctn_arena *arena;
    struct numbered_row {
        int64_t exec_no; /* first: rows are sorted by it */
        ctn_data_key key;
        ctn_quarantine_row ill;
    } * rows;
    size_t count, capacity;
} numbered;

static struct numbered_row *add_numbered(numbered *n, int64_t exec_no)
{
    n->rows = ctn_arena_room(n->arena, n->rows, n->count, &n->capacity, sizeof *n->rows);
    n->rows[n->count] = (struct numbered_row){.exec_no = exec_no};
    return &n->rows[n->count++];
}

static int numbered_order(const void *a, const void *b)
{
    int64_t x = ((const struct numbered_row *) a)->exec_no, y = ((const struct numbered_row *) b)->exec_no;
    return (x > y) - (x < y);
}

static int add_ill(void *ctx, const ctn_quarantine_row *row)
{
    numbered *n = ctx;
    struct numbered_row *kept = add_numbered(n, row->exec_no);
    kept->ill = *row;
    kept->ill.chain_id = ctn_arena_str(n->arena, row->chain_id);
    kept->ill.reason = ctn_arena_str(n->arena, row->reason);
    return 0;
}

int ctn_split_quarantine_list(ctn_store *base, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    numbered n = {.arena = ctn_arena_new(4096)};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->quarantine_list(s->parts[i].st, add_ill, &n, err);
    if (n.count)
        qsort(n.rows, n.count, sizeof *n.rows, numbered_order);
    for (size_t i = 0; rc == CTN_OK && i < n.count && fn(ctx, &n.rows[i].ill) == 0; i++) {
    }
    ctn_arena_free(n.arena);
    return rc;
}

static int add_key(void *ctx, int64_t exec_no, const ctn_data_key *key)
{
    numbered *n = ctx;
    struct numbered_row *kept = add_numbered(n, exec_no);
    kept->key = (ctn_data_key){ctn_arena_str(n->arena, key->master_id), ctn_arena_str(n->arena, key->wrapped)};
    return 0;
}

int ctn_split_data_key_list(ctn_store *base, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                            ctn_data_key_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    numbered n = {.arena = ctn_arena_new(4096)};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < s->count; i++)
        rc = s->parts[i].st->ops->data_key_list(s->parts[i].st, but_master_id, after_exec_no, limit, add_key, &n, err);
    if (n.count)
        qsort(n.rows, n.count, sizeof *n.rows, numbered_order);
    for (size_t i = 0; rc == CTN_OK && i < at_most(n.count, limit); i++)
        rc = fn(ctx, n.rows[i].exec_no, &n.rows[i].key);
    ctn_arena_free(n.arena);
    return rc;
}

/* ---- the audit log ---- */

typedef struct telling {
    ctn_audit_fn *fn;
    void *ctx;
    bool is_stopped;
} telling;

static int tell_audit(void *ctx, const ctn_audit_entry *entry)
{
    telling *t = ctx;
    t->is_stopped = t->fn(t->ctx, entry) != 0;
    return t->is_stopped;
}

int ctn_split_audit_list(ctn_store *base, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    split_store *s = (split_store *) base;
    telling t = {.fn = fn, .ctx = ctx};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && !t.is_stopped && i < s->count; i++)
        rc = s->parts[i].st->ops->audit_list(s->parts[i].st, after_n, tell_audit, &t, err);
    return rc;
}
