/*
 * execution_fold.c -- folding an entry into the state, live or in a replay: what holds for entries of every kind.
 *
 * A journal that lies is noticed and crashes nothing: live running asserts what decide and next let through, a replay
 * refuses with a sentence.
 */
#include "core/execution_fold.h"

#include "base/plant.h"
#include <assert.h>

int ctn_x_refuse(ctn_err *err, const ctn_entry *e, const char *why)
{
    return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (%s%s%.*s): %s", (unsigned long long) e->seq,
                    ctn_entry_kind_name(e->kind), e->step.len ? " of " : "", CTN_STR_ARG(e->step), why);
}

/* What is walked by its members has members. */
static const char *not_an_object(const ctn_entry *e)
{
    static const char *const NAMES[] = {"input", "variables", "outputs"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (ctn_x_get(e, NAMES[i]) && !ctn_json_is(ctn_x_get(e, NAMES[i]), CTN_JSON_OBJECT) &&
            !ctn_json_is(ctn_x_get(e, NAMES[i]), CTN_JSON_NULL))
            return NAMES[i];
    return NULL;
}

/* What holds for entries of every kind about the execution as a whole. */
static int check_execution(const ctn_execution *x, const ctn_entry *e, ctn_err *err)
{
    bool is_reopened = e->kind == CTN_ENTRY_CANCEL_REQUESTED && ctn_x_says(e, "reopens");
    if (x->has_ended && !(is_reopened && x->end.status == CTN_STATUS_COMPLETED))
        return ctn_x_refuse(err, e, "the execution has ended");
    bool is_first = e->kind == CTN_ENTRY_QUEUED || e->kind == CTN_ENTRY_STARTED;
    if (is_first && (x->is_started || (x->context.input && e->kind == CTN_ENTRY_QUEUED)))
        return ctn_x_refuse(err, e, "the execution was started before");
    if (is_first ? !x->context.input && !ctn_x_get(e, "input") : !x->context.input)
        return ctn_x_refuse(err, e, "the execution has no beginning");
    const char *wrong = not_an_object(e);
    if (wrong && !(strcmp(wrong, "input") == 0 && !is_first)) /* of a wait the input is whatever it is asked about */
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (%s): its %s is no object", (unsigned long long) e->seq,
                        ctn_entry_kind_name(e->kind), wrong);
    if (is_first && ctn_execution_check_reuse(x->plan, e->body, err))
        return ctn_wrap(err, CTN_E_CORRUPT, "entry %llu", (unsigned long long) e->seq);
    ctn_entry_about about = ctn_entry_kind_about(e->kind);
    if (about != CTN_ABOUT_EITHER && (about != CTN_ABOUT_EXECUTION) != (e->step.len > 0))
        return ctn_x_refuse(err, e, e->step.len ? "it is about no step" : "it names no step");
    return CTN_OK;
}

/* The work that the entry is about, if entries of any kind may be: what its own kind needs is asked where it is
 * applied. NULL: it is about the execution. */
static int find_work(const ctn_execution *x, const ctn_entry *e, work **ret_work, ctn_err *err)
{
    *ret_work = NULL;
    if (e->step.len == 0)
        return CTN_OK;
    uint32_t step = ctn_plan_step_index(x->plan, e->step);
    if (step == CTN_PLAN_NONE)
        return ctn_x_refuse(err, e, "the chain has no such step");
    task *t = ctn_x_task(x, step, e->item);
    if (!t)
        return ctn_x_refuse(err, e, "the step has no such item under way");
    bool is_undo = ctn_entry_kind_about(e->kind) == CTN_ABOUT_UNDO || ctn_x_says(e, "undo");
    work *w = &t->work[is_undo ? CTN_ROLE_UNDO : CTN_ROLE_DO];
    bool has_ended = w->phase == WORK_DONE || w->phase == WORK_FAILED || w->phase == WORK_SKIPPED;
    bool is_turn = x->is_undoing && x->undo.cursor < x->undo.queue.count && x->undo.queue.items[x->undo.cursor] == t;
    if (is_undo && !ctn_x_has_undo(x, t))
        return ctn_x_refuse(err, e, "the step has no rollbackAction");
    if (is_undo && !is_turn)
        return ctn_x_refuse(err, e, "it was not the step's turn to be undone");
    if (has_ended && e->kind != CTN_ENTRY_CHECKED)
        return ctn_x_refuse(err, e, "that work has ended");
    if (!is_undo && w->phase == WORK_NONE)
        return ctn_x_refuse(err, e, "the step was not ready");
    if (e->attempt && e->attempt < w->attempt)
        return ctn_x_refuse(err, e, "an older attempt than the last one");
    *ret_work = w;
    return CTN_OK;
}

static int fold(ctn_execution *x, const ctn_entry *e, ctn_err *err)
{
    x->is_hidden = x->is_hidden || e->is_hidden;
    work *w = NULL;
    int rc = check_execution(x, e, err);
    if (rc == CTN_OK)
        rc = find_work(x, e, &w, err);
    if (rc == CTN_OK)
        rc = ctn_x_apply_kind(x, w, e, err);
    if (rc)
        return rc;
    ctn_x_reuse_due(x, e->at_ms);
    ctn_x_stop_goes_on(x, e->at_ms);
    return CTN_OK;
}

void ctn_execution_apply(ctn_execution *x, ctn_entry *e)
{
    if (ctn_entry_is_stored(e))
        e->seq = x->seq + 1;
    ctn_err err = {0};
    int rc = fold(x, e, &err);
    assert(rc == CTN_OK);
    (void) rc;
    if (e->seq)
        x->seq = e->seq;
}

void ctn_execution_note_stored(ctn_execution *x, size_t bytes)
{
    x->journal_bytes += (int64_t) bytes;
}

#ifdef CATENA_PLANTED
/* What a replay could get wrong, after the entry was folded in. */
static void replay_wrongly(ctn_execution *x, const ctn_entry *e)
{
    uint32_t step = e->step.len ? ctn_plan_step_index(x->plan, e->step) : CTN_PLAN_NONE;
    task *t = step == CTN_PLAN_NONE ? NULL : &x->steps[step].whole;
    work *w = t ? &t->work[CTN_ROLE_DO] : NULL;
    if (CTN_PLANT(BACKOFF_RECOMPUTED) && w && w->phase == WORK_BACKOFF && w->due_ms > e->at_ms)
        w->due_ms = e->at_ms + (w->due_ms - e->at_ms) / 2;
    if (CTN_PLANT(COMPLETED_RUNS_AGAIN) && e->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED && w->phase == WORK_DONE &&
        w->calls) {
        for (uint32_t i = 0; i < w->set->call_count; i++)
            w->calls[i].phase = CALL_IDLE;
        ctn_x_make_ready(x, t, e->at_ms);
    }
    if (CTN_PLANT(TIMEOUT_RESTARTED) && e->kind == CTN_ENTRY_RESUMED)
        x->started_at_ms = e->at_ms;
    if (CTN_PLANT(CANCEL_LOST_AT_RELOAD) && e->kind == CTN_ENTRY_CANCEL_REQUESTED && !x->is_undoing)
        x->is_stopping = false;
}
#else
#define replay_wrongly(x, e) (void) 0
#endif

int ctn_execution_replay(ctn_execution *x, ctn_entry *e, ctn_err *err)
{
    if (e->seq != x->seq + 1)
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu follows entry %llu", (unsigned long long) e->seq,
                        (unsigned long long) x->seq);
    int rc = fold(x, e, err);
    if (rc)
        return rc;
    x->seq = e->seq;
    x->journal_bytes += (int64_t) e->bytes;
    replay_wrongly(x, e);
    return rc;
}
