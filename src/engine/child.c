/*
 * child.c -- sub-chains: executions that are the work of a step of another execution.
 *
 * The parent's journal says which execution does the work (child_started, with an id that follows from parent, step,
 * item and attempt). What is owed for it is derived (ctn_owed_child) and compared with what there is: the child is
 * started, paused, cancelled, undone when it is not yet so. While it works the parent is parked like one that waits for
 * a person, so a thousand of them cost no memory.
 *
 * What must hold, whatever dies: a child is started once, because its id is taken when it is there; it is started at
 * all, because the parent's row sleeps only when what was asked of its children is on disk; and its end reaches the
 * parent, because the commit that ends it also wakes the parent's row, and a parent that comes back into memory looks
 * after its children.
 */
#include "engine/engine_state.h"
#include "base/memory.h"
#include "store/raw.h"

#include <assert.h>
#include <stdlib.h>

#define LOOK_AGAIN_MS 1000

/* What was asked of a child. There is one for each child: what is owed for it next (another attempt, its undo) takes
 * the place of what was owed before. */
struct child_watch {
    ctn_execution_id child; /* all zero: the slot is free */
    ctn_role role;
    uint32_t attempt;
    uint32_t seen; /* the last look at what is owed that had it; an older one: it is owed no more */
    int asked;     /* the last `wanted` that was seen to, + 1 */
    int settled;   /* ... and of which the child's disk knows */
};

/* The slot of a child, or the free one where it belongs; the table has free ones. */
static struct child_watch *watch_slot(struct child_watch *table, uint32_t size, ctn_execution_id child)
{
    uint64_t h;
    memcpy(&h, child.bytes + 8, sizeof h);
    uint32_t i = (uint32_t) (h * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
    while (!ctn_id_is_none(table[i].child) && !ctn_id_equal(table[i].child, child))
        i = (i + 1) & (size - 1);
    return &table[i];
}

static bool is_watched(const loaded *l, const struct child_watch *w)
{
    return !ctn_id_is_none(w->child) && w->seen == l->watch_look;
}

static struct child_watch *watch_by_child(loaded *l, ctn_execution_id child)
{
    struct child_watch *w = l->watch_size ? watch_slot(l->watches, l->watch_size, child) : NULL;
    return w && is_watched(l, w) ? w : NULL;
}

/* What was asked of the child is on disk, or can be asked no more: the parent's row may go to sleep. */
static void settle(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child)
{
    loaded *l = ctn_eng_find(e, parent);
    struct child_watch *w = l ? watch_by_child(l, child) : NULL;
    if (!w)
        return;
    if (w->settled != w->asked && l->watch_open)
        l->watch_open--;
    w->settled = w->asked;
    if (l->watch_open) { /* the last one settled looks at all of them */
        ctn_eng_to_perform(e, l);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    if (!l->is_lost && l->wake_written && !l->build && ctn_eng_children_are_settled(l, &owed))
        ctn_eng_touch(e, l);
    ctn_arena_restore(e->scratch, mark);
    ctn_eng_to_perform(e, l);
}

bool ctn_eng_children_are_settled(loaded *l, const ctn_owed *owed)
{
    for (size_t i = 0; i < owed->child_count; i++) {
        const struct child_watch *w = watch_by_child(l, owed->children[i].child);
        if (!w || w->role != owed->children[i].role || w->settled != (int) owed->children[i].wanted + 1)
            return false;
    }
    return true;
}

/* The store could not be asked or written just now: that is nobody's failure, and is tried again. */
static bool is_of_store(int rc)
{
    return rc == CTN_E_IO || rc == CTN_E_BUSY || rc == CTN_E_DENIED;
}

static void ask_later(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child, const ctn_err *err)
{
    loaded *l = ctn_eng_find(e, parent);
    struct child_watch *w = l ? watch_by_child(l, child) : NULL;
    ctn_log_line(e->options.log, CTN_LOG_WARN, "a sub-chain is asked again later", "execution",
                 ctn_id_to_text(child).text, "why", err ? err->message : "", NULL);
    if (!w)
        return; /* its parent's row wakes, and whoever loads it looks */
    w->asked = 0;
    ctn_eng_wake_at(e, l, e->now_ms + LOOK_AGAIN_MS);
}

/* ---- its end, to the parent ---- */

typedef struct child_end {
    ctn_parent parent;
    ctn_role role;
    ctn_failure failure; /* NONE: well */
    ctn_str message;
    const ctn_json *value;
} child_end;

static void file_end(ctn_engine *e, const child_end *end)
{
    filed *f = ctn_eng_filed_new(e, FILED_CHILD_ENDED);
    f->id = end->parent.id;
    f->in = (ctn_input){
        .kind = CTN_IN_CHILD_ENDED,
        .name = ctn_arena_str(f->arena, end->parent.step),
        .item = end->parent.item,
        .role = end->role,
        .attempt = end->role == CTN_ROLE_DO ? end->parent.attempt : 1,
        .failure = end->failure,
        .message = ctn_arena_str(f->arena, end->message),
        .was_sent = true,
        .value = end->value ? ctn_json_copy(f->arena, end->value) : &ctn_json_null,
    };
    ctn_eng_file(e, f);
}

/* How a child with this final status and error ended, for a step that wanted it done or undone. */
static void fill_end(child_end *end, ctn_arena *scratch, ctn_execution_id id, ctn_status status,
                     const ctn_json *outputs, const ctn_json *error)
{
    ctn_str code = ctn_json_str_or(error, "code", CTN_STR("")), said = ctn_json_str_or(error, "message", CTN_STR(""));
    ctn_id_text text = ctn_id_to_text(id);
    end->value = outputs;
    if (end->role == CTN_ROLE_DO ? status == CTN_STATUS_COMPLETED : status != CTN_STATUS_ROLLBACK_FAILED)
        return;
    end->failure = ctn_failure_from_name(code);
    if (end->failure == CTN_FAILURE_NONE)
        end->failure = CTN_FAILURE_TOOL_ERROR;
    end->message = ctn_arena_printf(scratch, "the sub-chain %s ended %s: %.*s", text.text, ctn_status_name(status),
                                    CTN_STR_ARG(said));
}

void ctn_eng_tell_parent(ctn_engine *e, loaded *l)
{
    const ctn_parent *parent = ctn_execution_parent(l->x);
    ctn_status status = l->status_written;
    if (!parent || !ctn_status_is_final(status) || l->build || l->told_parent == (int) status + 1)
        return;
    l->told_parent = (int) status + 1;
    loaded *above = ctn_eng_find(e, parent->id);
    if (above)
        above->wake_written = 1; /* so the commit made it */
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    child_end end = {.parent = *parent, .role = ctn_execution_was_reopened(l->x) ? CTN_ROLE_UNDO : CTN_ROLE_DO};
    fill_end(&end, e->scratch, l->id, status, ctn_execution_outputs_clear(l->x), ctn_execution_error_clear(l->x));
    file_end(e, &end);
    ctn_arena_restore(e->scratch, mark);
}

bool ctn_eng_has_ended_child(const ctn_engine *e, const loaded *l)
{
    for (uint32_t i = 0; i < l->watch_size; i++) {
        const loaded *child = is_watched(l, &l->watches[i]) ? ctn_eng_find(e, l->watches[i].child) : NULL;
        if (child && ctn_status_is_final(ctn_execution_status(child->x)))
            return true;
    }
    return false;
}

/* ---- starting one ---- */

static int plan_of(ctn_engine *e, loaded *l, ctn_str chain_id, child_plan **ret_plan, ctn_err *err)
{
    for (child_plan *p = l->plan->children; p; p = p->next)
        if (ctn_str_equal(p->plan->chain_id, chain_id)) {
            *ret_plan = p;
            return CTN_OK;
        }
    ctn_plan *plan = NULL;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = ctn_plan_of_child(arena, l->plan->plan, chain_id, &plan, err);
    if (rc) {
        ctn_arena_free(arena);
        return rc;
    }
    child_plan *p = ctn_calloc(1, sizeof *p);
    assert(p);
    rc = ctn_engine_plan_add(e, plan, CTN_STR("engine"), &p->plan, &p->version, err);
    if (rc) {
        free(p);
        return rc;
    }
    p->next = l->plan->children;
    l->plan->children = p;
    *ret_plan = p;
    return CTN_OK;
}

typedef struct starting {
    ctn_engine *engine;
    ctn_execution_id child;
    child_end end;
} starting;

/* A start that was refused is the failure of the step: its input does not fit, mostly. */
static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    starting *s = ctx;
    (void) id;
    if (rc == CTN_OK || rc == CTN_E_EXISTS || rc == CTN_E_STALE) {
        settle(s->engine, s->end.parent.id, s->child);
        return;
    }
    /* Not settled: until the failure is on disk the parent's row must not sleep, for there is no child to wake it. */
    s->end.failure = rc == CTN_E_INVALID ? CTN_FAILURE_INVALID_INPUT
                     : rc == CTN_E_LIMIT ? CTN_FAILURE_LIMIT
                                         : CTN_FAILURE_TOOL_ERROR;
    s->end.message = ctn_str_from(err->message);
    file_end(s->engine, &s->end);
}

static void fail_end(ctn_engine *e, const child_end *end, const ctn_err *err)
{
    child_end failed = *end;
    failed.failure = CTN_FAILURE_INVALID_INPUT;
    failed.message = ctn_str_from(err->message);
    file_end(e, &failed);
}

static void start(ctn_engine *e, loaded *l, const ctn_owed_child *c, const child_end *end)
{
    child_plan *plan = NULL;
    ctn_err err = {0};
    int rc = plan_of(e, l, c->chain, &plan, &err);
    if (is_of_store(rc)) {
        ask_later(e, l->id, c->child, &err);
        return;
    }
    if (rc) {
        fail_end(e, end, &err);
        return;
    }
    const ctn_parent *above = ctn_execution_parent(l->x);
    ctn_start start = {.plan = plan->plan, .version = plan->version, .input = c->input, .actor = CTN_STR("engine")};
    start.sensitive = ctn_sensitive_members(ctn_execution_sensitivity(l->x), c->step, c->input, e->scratch);
    ctn_engine_start(e, &start, on_started, NULL);
    filed *f = e->inputs.last; /* lives until it is answered */
    f->id = c->child;
    f->start.parent = CTN_NEW(f->arena, ctn_parent);
    *f->start.parent = end->parent;
    f->start.parent->depth = above ? above->depth + 1 : 1;
    f->start.parent->step = ctn_arena_str(f->arena, end->parent.step);
    starting *s = CTN_NEW(f->arena, starting);
    *s = (starting){.engine = e, .child = c->child, .end = *end};
    s->end.parent.step = f->start.parent->step;
    f->ack_ctx = s;
}

bool ctn_eng_key_is_shared(ctn_engine *e, const ctn_parent *parent, ctn_str queue_key)
{
    ctn_execution_id id = parent->id;
    bool is_shared = false;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    for (uint32_t i = 0; !is_shared && i < parent->depth && !ctn_id_is_none(id); i++) {
        const loaded *l = ctn_eng_find(e, id);
        ctn_execution_row row = {0};
        if (!l && ctn_store_execution_get(e->options.store, e->scratch, id, &row, NULL))
            break;
        is_shared = ctn_str_equal(l ? l->queue_key : row.queue_key, queue_key);
        const ctn_parent *above = l ? ctn_execution_parent(l->x) : NULL;
        id = l ? (above ? above->id : (ctn_execution_id){{0}}) : row.parent;
    }
    ctn_arena_restore(e->scratch, mark);
    return is_shared;
}

/* ---- what there is, and what should be ---- */

typedef struct child_now {
    bool is_there;
    ctn_status status;
    const ctn_json *outputs, *error;
} child_now;

/* The row of one with sensitive values does not hold them: they are in its journal. */
static int look_inside(ctn_engine *e, const ctn_execution_row *row, child_now *ret, bool *ret_is_sealed, ctn_err *err)
{
    ctn_data_key key;
    ctn_execution *x = NULL;
    int rc = ctn_store_data_key_get(e->options.store, e->scratch, row->exec_no, &key, err);
    if (rc)
        return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
    ctn_arena *arena = ctn_arena_new(16384);
    rc = ctn_execution_load_open(e->options.store, e->options.seal, arena, row, &x, err);
    if (rc == CTN_OK) {
        const ctn_json *outputs = ctn_execution_outputs_clear(x), *error = ctn_execution_error_clear(x);
        ret->outputs = outputs ? ctn_json_copy(e->scratch, outputs) : NULL;
        ret->error = error ? ctn_json_copy(e->scratch, error) : NULL;
        *ret_is_sealed = true;
    }
    ctn_execution_unload(x);
    ctn_arena_free(arena);
    return rc;
}

static int look(ctn_engine *e, ctn_execution_id id, child_now *ret, ctn_err *err)
{
    const loaded *l = ctn_eng_find(e, id);
    ctn_execution_row row;
    *ret = (child_now){0};
    if (l) { /* its end is told when it is on disk */
        *ret = (child_now){.is_there = true, .status = ctn_execution_status(l->x)};
        if (ctn_status_is_final(ret->status) && (l->build || l->batches || l->status_written != ret->status))
            ret->status = CTN_STATUS_RUNNING;
        ret->outputs = ctn_execution_outputs_clear(l->x);
        ret->error = ctn_execution_error_clear(l->x);
        return CTN_OK;
    }
    int rc = ctn_store_execution_get(e->options.store, e->scratch, id, &row, err);
    if (rc == CTN_E_NOT_FOUND)
        return CTN_OK;
    if (rc == CTN_E_CORRUPT) { /* damaged: its parent waits until it is released or given up, which its row says */
        rc = ctn_eng_found_damaged(e, id, err);
        if (rc == CTN_E_CORRUPT)
            rc = ctn_store_execution_read_raw(e->options.store, e->scratch, ctn_str_from(ctn_id_to_text(id).text), &row,
                                              err);
    }
    if (rc)
        return rc;
    *ret = (child_now){.is_there = true, .status = row.status};
    if (e->options.seal && ctn_status_is_final(row.status)) {
        bool is_sealed = false;
        rc = look_inside(e, &row, ret, &is_sealed, err);
        if (rc || is_sealed)
            return rc;
    }
    if (row.outputs.len)
        rc = ctn_json_parse(e->scratch, row.outputs, NULL, &ret->outputs, err);
    if (rc == CTN_OK && row.error.len)
        rc = ctn_json_parse(e->scratch, row.error, NULL, &ret->error, err);
    return rc;
}

/* A refusal says that it has ended, is stopping, or has nothing to undo: its end is told by itself, but for the last.
 */
static void on_asked(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    starting *s = ctx;
    (void) id;
    if (is_of_store(rc))
        ask_later(s->engine, s->end.parent.id, s->child, err);
    else if (s->end.role == CTN_ROLE_UNDO && (rc == CTN_E_UNSUPPORTED || rc == CTN_E_NOT_FOUND))
        file_end(s->engine, &s->end);
    else
        settle(s->engine, s->end.parent.id, s->child);
}

static void ask(ctn_engine *e, ctn_execution_id child, ctn_input_kind kind, const child_end *end)
{
    ctn_input in = {.kind = kind, .actor = CTN_STR("engine"), .message = CTN_STR(CTN_WITH_PARENT)};
    ctn_engine_input(e, child, &in, on_asked, NULL);
    filed *f = e->inputs.last;
    starting *s = CTN_NEW(f->arena, starting);
    *s = (starting){.engine = e, .child = child, .end = *end};
    s->end.parent.step = ctn_arena_str(f->arena, end->parent.step);
    f->ack_ctx = s;
}

/* It is at it, here or in the store, which gives it back by itself; who advances only his own must take it. */
static void go_on(ctn_engine *e, loaded *l, const ctn_owed_child *c)
{
    if (e->options.own_only && !ctn_eng_find(e, c->child))
        ctn_engine_adopt(e, c->child, NULL, NULL);
    settle(e, l->id, c->child);
}

/* False: nothing could be found out; it is seen to later. */
static bool see_to(ctn_engine *e, loaded *l, const ctn_owed_child *c)
{
    child_end end = {
        .parent = {.id = l->id, .step = l->plan->plan->steps[c->step].name, .item = c->item, .attempt = c->attempt},
        .role = c->role,
    };
    ctn_err err = {0};
    child_now now;
    if (look(e, c->child, &now, &err)) { /* the store cannot say now */
        (void) ctn_eng_trouble_begins(e, &e->read_trouble, err.message);
        return false;
    }
    bool is_final = now.is_there && ctn_status_is_final(now.status);
    if (is_final && !(c->wanted == CTN_CHILD_UNDO && now.status == CTN_STATUS_COMPLETED)) {
        fill_end(&end, e->scratch, c->child, now.status, now.outputs, now.error);
        file_end(e, &end);
        return true;
    }
    switch (c->wanted) {
    case CTN_CHILD_RUN:
        if (!now.is_there)
            start(e, l, c, &end);
        else if (now.status == CTN_STATUS_PAUSED)
            ask(e, c->child, CTN_IN_RESUME, &end);
        else
            go_on(e, l, c);
        break;
    case CTN_CHILD_PAUSE:
        if (now.is_there)
            ask(e, c->child, CTN_IN_PAUSE, &end);
        else
            settle(e, l->id, c->child);
        break;
    case CTN_CHILD_CANCEL:
        if (now.is_there) {
            ask(e, c->child, CTN_IN_CANCEL, &end);
        } else {
            end.failure = CTN_FAILURE_CANCELLED;
            end.message = CTN_STR("stopped before it was started");
            file_end(e, &end);
        }
        break;
    case CTN_CHILD_UNDO:
        if (now.status == CTN_STATUS_COMPLETED || !now.is_there)
            ask(e, c->child, CTN_IN_UNDO, &end);
        else
            go_on(e, l, c);
        break;
    }
    return true;
}

/* Another table, of those alone that are owed. */
static void resize_watches(loaded *l, uint32_t size)
{
    struct child_watch *table = ctn_realloc_array(NULL, size, sizeof *table);
    memset(table, 0, size * sizeof *table);
    l->watch_count = 0;
    for (uint32_t i = 0; i < l->watch_size; i++)
        if (is_watched(l, &l->watches[i])) {
            *watch_slot(table, size, l->watches[i].child) = l->watches[i];
            l->watch_count++;
        }
    free(l->watches);
    l->watches = table;
    l->watch_size = size;
}

/* Room for all that are owed, at most half full, and not full of those that are owed no more. */
static void make_room(loaded *l, size_t owed_count)
{
    uint32_t size = l->watch_size ? l->watch_size : 8;
    if (l->watch_size && 2 * (l->watch_count + owed_count) <= size)
        return;
    while (size < 4 * owed_count)
        size *= 2;
    resize_watches(l, size);
    if (2 * (l->watch_count + owed_count) > size)
        resize_watches(l, 2 * size);
}

static struct child_watch *watch_of(loaded *l, const ctn_owed_child *c, uint32_t look)
{
    struct child_watch *w = watch_slot(l->watches, l->watch_size, c->child);
    l->watch_count += ctn_id_is_none(w->child);
    if (!is_watched(l, w) || w->role != c->role || w->attempt != c->attempt)
        *w = (struct child_watch){.child = c->child, .role = c->role, .attempt = c->attempt};
    w->seen = look;
    return w;
}

void ctn_eng_perform_children(ctn_engine *e, loaded *l, const ctn_owed *owed)
{
    if (!owed->child_count && !l->watch_size)
        return;
    make_room(l, owed->child_count);
    uint32_t look = l->watch_look + 1;
    bool *is_to_ask = CTN_NEW_ARRAY(e->scratch, bool, owed->child_count);
    l->watch_open = 0;
    for (size_t i = 0; i < owed->child_count; i++) {
        struct child_watch *w = watch_of(l, &owed->children[i], look);
        int wanted = (int) owed->children[i].wanted + 1;
        is_to_ask[i] = w->asked != wanted && !e->is_stopping;
        if (is_to_ask[i])
            w->asked = wanted;
        l->watch_open += w->settled != w->asked;
    }
    l->watch_look = look;
    for (size_t i = 0; i < owed->child_count; i++)
        if (is_to_ask[i] && !see_to(e, l, &owed->children[i])) {
            watch_by_child(l, owed->children[i].child)->asked = 0;
            ctn_eng_wake_at(e, l, e->now_ms + LOOK_AGAIN_MS);
        }
}

void ctn_eng_child_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child)
{
    loaded *l = ctn_eng_find(e, parent);
    struct child_watch *w = l ? watch_by_child(l, child) : NULL;
    if (!l)
        return;
    l->wake_written = 1; /* so the commit made it */
    if (w)
        w->asked = 0;
    ctn_eng_to_perform(e, l);
}
