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
 * after its children. In a fleet this is so of those that live with their parents; for the others far.c says how.
 */
#include "engine/child.h"
#include "engine/batch.h"
#include "engine/elsewhere.h"
#include "engine/far.h"
#include "engine/fold.h"
#include "engine/plans.h"
#include "engine/quarantine.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"
#include "store/raw.h"

#define LOOK_AGAIN_MS 1000

/* What was asked of the child is on disk, or can be asked no more: the parent's row may go to sleep. */
static void settle(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child)
{
    loaded *l = ctn_live_find(&e->live, parent);
    ctn_watch *w = l ? ctn_watches_find(&l->child.watches, child) : NULL;
    if (!w)
        return;
    if (w->settled != w->asked && l->child.watches.open)
        l->child.watches.open--;
    w->settled = w->asked;
    if (l->child.watches.open) { /* the last one settled looks at all of them */
        ctn_live_to_perform(&e->live, l);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_owed owed;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    if (!l->is_lost && l->wake_written && !l->build && ctn_watches_are_settled(&l->child.watches, &owed))
        ctn_eng_touch(l);
    ctn_arena_restore(e->scratch, mark);
    ctn_live_to_perform(&e->live, l);
}

static void ask_later(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child, const ctn_err *err)
{
    loaded *l = ctn_live_find(&e->live, parent);
    ctn_watch *w = l ? ctn_watches_find(&l->child.watches, child) : NULL;
    ctn_log_line(e->options.log, CTN_LOG_WARN, "a sub-chain is asked again later", "executionId",
                 ctn_id_to_text(child).text, "why", err ? err->message : "", NULL);
    if (!w)
        return; /* its parent's row wakes, and whoever loads it looks */
    w->asked = 0;
    ctn_live_wake_at(&e->live, l, e->now_ms + LOOK_AGAIN_MS);
}

/* What was asked of a child elsewhere is answered. */
static void is_back(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child, ctn_role role)
{
    loaded *l = ctn_live_find(&e->live, parent);
    ctn_watch *w = l ? ctn_watches_find(&l->child.watches, child) : NULL;
    if (w && w->role == role)
        w->is_away = false;
}

/* Their shard is given away: whoever has it then looks after the parent's children, and we do if it comes back; or it
 * is back already, and what was refused is of before. */
static void ask_anew(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child)
{
    loaded *l = ctn_live_find(&e->live, parent);
    ctn_watch *w = l ? ctn_watches_find(&l->child.watches, child) : NULL;
    if (!w)
        return;
    w->asked = 0;
    if (!ctn_eng_is_draining(e, l))
        ctn_live_wake_at(&e->live, l, e->now_ms + LOOK_AGAIN_MS);
}

/* ---- its end, to the parent ---- */

typedef struct child_end {
    ctn_parent parent;
    ctn_role role;
    ctn_failure failure; /* NONE: well */
    ctn_str message;
    const ctn_json *value;
} child_end;

static void fill_input(filed *f, const child_end *end)
{
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
}

static void file_end(ctn_engine *e, const child_end *end)
{
    filed *f = ctn_inbox_new(&e->inbox, FILED_CHILD_ENDED);
    f->id = end->parent.id;
    fill_input(f, end);
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
    if (!parent || l->child.is_far || !ctn_status_is_final(status) || l->build ||
        l->child.told_parent == (int) status + 1)
        return;
    l->child.told_parent = (int) status + 1;
    loaded *above = ctn_live_find(&e->live, parent->id);
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
    const ctn_watches *watches = &l->child.watches;
    for (const ctn_watch *w = NULL; (w = ctn_watches_next(watches, w));) {
        const loaded *child = ctn_live_find(&e->live, w->child);
        if (child && ctn_status_is_final(ctn_execution_status(child->x)))
            return true;
    }
    return false;
}

/* ---- starting one ---- */

/* What was asked of a child, for who hears the answer; it lives as long as what was filed. */
typedef struct asked {
    ctn_engine *engine;
    ctn_execution_id child;
    child_end end;
    bool is_far;
} asked;

static asked *asked_of(ctn_engine *e, filed *f, ctn_execution_id child, const child_end *end)
{
    asked *s = CTN_NEW(f->arena, asked);
    *s = (asked){.engine = e, .child = child, .end = *end};
    s->end.parent.step = ctn_arena_str(f->arena, end->parent.step);
    return s;
}

/* A start that was refused is the failure of the step: its input does not fit, mostly. */
static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    asked *s = ctx;
    (void) id;
    if (s->is_far) {
        is_back(s->engine, s->end.parent.id, s->child, s->end.role);
        if (ctn_eng_is_for_later(s->engine, rc)) {
            ask_later(s->engine, s->end.parent.id, s->child, err);
            return;
        }
    }
    if (rc == CTN_E_STALE && ctn_eng_is_fleet(s->engine)) {
        ask_anew(s->engine, s->end.parent.id, s->child);
        return;
    }
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

/* is_stopped: it is to be there and to have ended, so that no start which is on its way runs (far.c). */
static void start(ctn_engine *e, loaded *l, const ctn_owed_child *c, const child_end *end, bool is_stopped)
{
    const child_plan *plan = NULL;
    ctn_err err = {0};
    int rc = ctn_eng_plan_of_child(e, l->plan, c->chain, &plan, &err);
    if (ctn_is_store_trouble(rc)) {
        ask_later(e, l->id, c->child, &err);
        return;
    }
    if (rc) {
        fail_end(e, end, &err);
        return;
    }
    const ctn_parent *above = ctn_execution_parent(l->x);
    ctn_start start = {.plan = plan->plan,
                       .version = plan->version,
                       .input = c->input,
                       .actor = CTN_STR("engine"),
                       .by = ctn_eng_requester_of(l->x),
                       .id = c->child,
                       .is_stopped = is_stopped};
    start.sensitive = ctn_sensitive_members(ctn_execution_sensitivity(l->x), c->step, c->input, e->scratch);
    ctn_parent parent = end->parent;
    parent.depth = above ? above->depth + 1 : 1;
    start.parent = &parent;
    filed *f = ctn_eng_make_start(e, &start, on_started, NULL);
    asked *s = f->ack_ctx = asked_of(e, f, c->child, end);
    ctn_watch *w = ctn_watches_find(&l->child.watches, c->child);
    s->is_far = w->is_away = w->is_far;
    if (!s->is_far)
        f->shard = l->shard; /* also of one that was copied here, and does not live where its id says */
    ctn_eng_send_start(e, f);
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
    const loaded *l = ctn_live_find(&e->live, id);
    ctn_execution_row row;
    *ret = (child_now){0};
    if (l && ctn_eng_is_ours(e, l)) { /* its end is told when it is on disk */
        *ret = (child_now){.is_there = true, .status = ctn_execution_status(l->x)};
        if (ctn_status_is_final(ret->status) && (ctn_loaded_is_ahead(l) || l->status_written != ret->status))
            ret->status = CTN_STATUS_RUNNING;
        ret->outputs = ctn_execution_outputs_clear(l->x);
        ret->error = ctn_execution_error_clear(l->x);
        return CTN_OK;
    }
    int rc = ctn_store_execution_get(e->options.store, e->scratch, id, &row, err);
    if (rc == CTN_E_NOT_FOUND)
        return CTN_OK;
    if (rc == CTN_E_CORRUPT) { /* damaged: its parent waits until it is released or given up, which its row says */
        uint32_t shard;
        if (ctn_eng_shard_of(e, id, &shard, NULL) == CTN_OK) /* else its holder finds it so */
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
    asked *s = ctx;
    (void) id;
    if (s->is_far)
        is_back(s->engine, s->end.parent.id, s->child, s->end.role);
    else if (rc == CTN_E_STALE && ctn_eng_is_fleet(s->engine)) {
        ask_anew(s->engine, s->end.parent.id, s->child);
        return;
    }
    if (ctn_is_store_trouble(rc) || (s->is_far && ctn_eng_is_for_later(s->engine, rc)))
        ask_later(s->engine, s->end.parent.id, s->child, err);
    else if (s->end.role == CTN_ROLE_UNDO && (rc == CTN_E_UNSUPPORTED || rc == CTN_E_NOT_FOUND))
        file_end(s->engine, &s->end);
    else
        settle(s->engine, s->end.parent.id, s->child);
}

static void ask(ctn_engine *e, loaded *l, ctn_execution_id child, ctn_input_kind kind, const child_end *end)
{
    ctn_input in = {.kind = kind, .actor = CTN_STR("engine"), .message = CTN_STR(CTN_WITH_PARENT)};
    ctn_watch *w = ctn_watches_find(&l->child.watches, child);
    if (w->is_far) { /* the step's name is the plan's, which stays */
        asked s = {.engine = e, .child = child, .end = *end, .is_far = true};
        w->is_away = true;
        ctn_eng_own_input(e, child, &in, on_asked, &s, sizeof s);
        return;
    }
    filed *f = ctn_eng_file_input(e, child, &in, on_asked, NULL);
    f->ack_ctx = asked_of(e, f, child, end);
}

/* It is at it, here or in the store, which gives it back by itself; who advances only his own must take it. */
static void go_on(ctn_engine *e, loaded *l, const ctn_owed_child *c, const child_end *end)
{
    bool must_take = e->options.own_only && !ctn_live_find(&e->live, c->child);
    if (must_take && ctn_watches_find(&l->child.watches, c->child)->is_far) {
        ask(e, l, c->child, CTN_IN_RESUME, end);
        return;
    }
    if (must_take)
        ctn_engine_adopt(e, c->child, NULL, NULL);
    settle(e, l->id, c->child);
}

static child_end end_of(const loaded *l, const ctn_owed_child *c)
{
    return (child_end){
        .parent = {.id = l->id, .step = l->plan->plan->steps[c->step].name, .item = c->item, .attempt = c->attempt},
        .role = c->role,
    };
}

static bool is_its_end(const ctn_owed_child *c, const child_now *now)
{
    return now->is_there && ctn_status_is_final(now->status) &&
           !(c->wanted == CTN_CHILD_UNDO && now->status == CTN_STATUS_COMPLETED);
}

/* False: nothing could be found out; it is seen to later. */
static bool see_to(ctn_engine *e, loaded *l, const ctn_owed_child *c)
{
    child_end end = end_of(l, c);
    ctn_err err = {0};
    child_now now;
    bool is_far = ctn_watches_find(&l->child.watches, c->child)->is_far;
    if (look(e, c->child, &now, &err)) { /* the store cannot say now */
        ctn_trouble_begins(&e->store.reading, e->now_ms, err.message);
        return false;
    }
    if (is_its_end(c, &now)) {
        fill_end(&end, e->scratch, c->child, now.status, now.outputs, now.error);
        file_end(e, &end);
        return true;
    }
    switch (c->wanted) {
    case CTN_CHILD_RUN:
        if (!now.is_there)
            start(e, l, c, &end, false);
        else if (now.status == CTN_STATUS_PAUSED)
            ask(e, l, c->child, CTN_IN_RESUME, &end);
        else
            go_on(e, l, c, &end);
        break;
    case CTN_CHILD_PAUSE:
        if (now.is_there)
            ask(e, l, c->child, CTN_IN_PAUSE, &end);
        else
            settle(e, l->id, c->child);
        break;
    case CTN_CHILD_CANCEL:
        if (now.is_there) {
            ask(e, l, c->child, CTN_IN_CANCEL, &end);
        } else if (is_far) {
            start(e, l, c, &end, true);
        } else {
            end.failure = CTN_FAILURE_CANCELLED;
            end.message = CTN_STR("stopped before it was started");
            file_end(e, &end);
        }
        break;
    case CTN_CHILD_UNDO:
        if (now.status == CTN_STATUS_COMPLETED || !now.is_there)
            ask(e, l, c->child, CTN_IN_UNDO, &end);
        else
            go_on(e, l, c, &end);
        break;
    }
    return true;
}

void ctn_eng_perform_children(ctn_engine *e, loaded *l, const ctn_owed *owed)
{
    ctn_watches *watches = &l->child.watches;
    if (!owed->child_count && !watches->size)
        return;
    bool *is_to_ask = CTN_NEW_ARRAY(e->scratch, bool, owed->child_count);
    ctn_watches_begin(watches, owed->child_count);
    for (size_t i = 0; i < owed->child_count; i++) {
        const ctn_owed_child *c = &owed->children[i];
        ctn_watch *w = ctn_watches_see(watches, c->child, c->role);
        int wanted = (int) c->wanted + 1;
        /* What has to begin, or to be undone, waits for who has the labels. */
        bool is_barred = l->lacks_labels && (c->wanted == CTN_CHILD_RUN || c->wanted == CTN_CHILD_UNDO);
        is_to_ask[i] = w->asked != wanted && !w->is_away && !e->is_stopping && !ctn_eng_is_draining(e, l) && !is_barred;
        if (is_to_ask[i]) {
            w->asked = wanted;
            w->is_far = ctn_eng_is_fleet(e) && ctn_eng_child_is_far(e, l, c->child);
            l->child.has_far |= w->is_far;
        }
        watches->open += w->settled != w->asked;
    }
    for (size_t i = 0; i < owed->child_count; i++)
        if (is_to_ask[i] && !see_to(e, l, &owed->children[i])) {
            ctn_watches_find(watches, owed->children[i].child)->asked = 0;
            ctn_live_wake_at(&e->live, l, e->now_ms + LOOK_AGAIN_MS);
        }
}

int ctn_eng_look_at_child(ctn_engine *e, loaded *l, filed *f, bool *ret_is_news, ctn_err *err)
{
    ctn_owed owed;
    child_now now;
    ctn_execution_owed(l->x, &e->rules, e->now_ms, e->scratch, &owed);
    for (size_t i = 0; i < owed.child_count; i++) {
        const ctn_owed_child *c = &owed.children[i];
        if (!ctn_id_equal(c->child, f->child))
            continue;
        int rc = look(e, c->child, &now, err);
        if (rc == CTN_OK && is_its_end(c, &now)) {
            child_end end = end_of(l, c);
            fill_end(&end, e->scratch, c->child, now.status, now.outputs, now.error);
            fill_input(f, &end);
            f->in.step = c->step;
            *ret_is_news = true;
        }
        return rc;
    }
    return CTN_OK;
}

void ctn_eng_child_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child, uint32_t shard)
{
    const loaded given_up = {.id = child, .shard = shard};
    if (ctn_eng_is_fleet(e) && ctn_eng_child_is_far(e, &given_up, parent)) {
        ctn_eng_far_was_given_up(e, parent, child);
        return;
    }
    loaded *l = ctn_live_find(&e->live, parent);
    ctn_watch *w = l ? ctn_watches_find(&l->child.watches, child) : NULL;
    if (!l)
        return;
    l->wake_written = 1; /* so the commit made it */
    if (w)
        w->asked = 0;
    ctn_live_to_perform(&e->live, l);
}
