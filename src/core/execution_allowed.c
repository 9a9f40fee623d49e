/*
 * execution_allowed.c -- what an entry needs of the state, so that a journal that lies is noticed and crashes nothing.
 *
 * Live running asserts it of what decide and next let through; a replay refuses with a sentence.
 */
#include "core/execution_state.h"

static const ctn_json *get(const ctn_entry *e, const char *key)
{
    return ctn_json_member_of(e->body, key);
}

call_state *ctn_x_call_of(work *w, const ctn_entry *e)
{
    const ctn_json *name = get(e, "call");
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->set->is_several ? ctn_str_equal(w->set->calls[i].name, ctn_json_text(name)) : i == 0)
            return &w->calls[i];
    return NULL;
}

call_state *ctn_x_first_open_call(work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++)
        if (w->calls[i].phase != CALL_DONE)
            return &w->calls[i];
    return NULL;
}

static int refuse(ctn_err *err, const ctn_entry *e, const char *why)
{
    return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (%s%s%.*s): %s", (unsigned long long) e->seq,
                    ctn_entry_kind_name(e->kind), e->step.len ? " of " : "", CTN_STR_ARG(e->step), why);
}

/* What the entry says of the work, or of the call it names, can only be said in some phases of it. */
static const char *why_not(const ctn_execution *x, const ctn_entry *e, const task *t, ctn_role role)
{
    work *w = ctn_x_work(t, role);
    const ctn_plan_step *p = ctn_x_plan_step(x, t);
    const call_state *c = ctn_x_call_of(w, e);
    bool may_begin = w->phase == WORK_READY || w->phase == WORK_BACKOFF;
    bool is_each = p->foreach && t->item < 0;
    switch (e->kind) {
    case CTN_ENTRY_STEP_SKIPPED:
        return t->item >= 0 ? "an item is not skipped" : w->phase == WORK_READY ? NULL : "the step had begun";
    case CTN_ENTRY_FOREACH_STARTED:
        return is_each && w->phase == WORK_READY ? NULL : "it is no foreach that could begin";
    case CTN_ENTRY_COMPENSATION_STARTED:
    case CTN_ENTRY_ATTEMPT_STARTED:
        if (role == CTN_ROLE_UNDO && !w->set)
            return w->phase == WORK_NONE ? NULL : "the child was undone before";
        if (!c)
            return "it names no call";
        return may_begin || w->phase == WORK_RUNNING || (role == CTN_ROLE_UNDO && w->phase == WORK_NONE)
                   ? NULL
                   : "the work could not begin";
    case CTN_ENTRY_COMPENSATION_SUCCEEDED:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
        if (is_each && role == CTN_ROLE_DO)
            return w->phase == WORK_EACH ? NULL : "its items are not under way";
        if (!w->calls) {
            bool is_value = !w->set && w->phase == WORK_READY;
            return is_value || w->phase == WORK_WAITING || w->phase == WORK_ANSWERED || w->phase == WORK_CHILD
                       ? NULL
                       : "the step did not wait";
        }
        return c ? NULL : "it names no call";
    case CTN_ENTRY_CACHE_HIT: return c ? NULL : "it names no call";
    case CTN_ENTRY_COMPENSATION_FAILED:
    case CTN_ENTRY_ATTEMPT_FAILED:
        return c || !(ctn_json_bool_or(e->body, "unknown", false) || get(e, "call")) ? NULL : "it names no call";
    case CTN_ENTRY_FALLBACK_TAKEN: {
        int64_t n = ctn_json_int_or(e->body, "fallback", 0);
        return w->phase == WORK_FALLBACK && n > w->fallback && n <= p->fallback_count ? NULL
                                                                                      : "there is no such fallback";
    }
    case CTN_ENTRY_CHILD_STARTED:
        return w->set && w->set->kind == CTN_SET_CHAIN && may_begin ? NULL : "no sub-chain could begin";
    case CTN_ENTRY_BREAKER_WAIT:
        return may_begin || w->phase == WORK_RUNNING || (role == CTN_ROLE_UNDO && w->phase == WORK_NONE)
                   ? NULL
                   : "the work could not begin";
    case CTN_ENTRY_WAITING:
        return w->set && !w->calls && !is_each && may_begin ? NULL : "the step could not begin to wait";
    case CTN_ENTRY_ANSWERED: return w->phase == WORK_WAITING ? NULL : "the step did not wait";
    case CTN_ENTRY_CHECKED: return c && c->phase == CALL_UNKNOWN ? NULL : "nobody asked what became of the call";
    case CTN_ENTRY_INTERRUPTED:
        if (w->phase == WORK_RUNNING)
            return c ? NULL : "it names no call";
        return may_begin && w->calls ? NULL : "nothing was under way";
    case CTN_ENTRY_DECISION: {
        bool asks = w->phase == WORK_ASKED && ctn_x_first_open_call(w);
        return asks || (w->phase == WORK_RUNNING && c && c->phase == CALL_ASKED) ? NULL : "nobody was asked";
    }
    default: return NULL;
    }
}

/* What is walked by its members has members. */
static const char *not_an_object(const ctn_entry *e)
{
    static const char *const NAMES[] = {"input", "variables", "outputs"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (get(e, NAMES[i]) && !ctn_json_is(get(e, NAMES[i]), CTN_JSON_OBJECT) &&
            !ctn_json_is(get(e, NAMES[i]), CTN_JSON_NULL))
            return NAMES[i];
    return NULL;
}

int ctn_x_allows(const ctn_execution *x, const ctn_entry *e, uint32_t step, const task *t, ctn_role role, ctn_err *err)
{
    bool is_reopened = e->kind == CTN_ENTRY_CANCEL_REQUESTED && ctn_json_bool_or(e->body, "reopens", false);
    if (x->has_ended && !(is_reopened && x->end_status == CTN_STATUS_COMPLETED))
        return refuse(err, e, "the execution has ended");
    bool is_first = e->kind == CTN_ENTRY_QUEUED || e->kind == CTN_ENTRY_STARTED;
    if (is_first && (x->is_started || (x->input && e->kind == CTN_ENTRY_QUEUED)))
        return refuse(err, e, "the execution was started before");
    if (is_first ? !x->input && !get(e, "input") : !x->input)
        return refuse(err, e, "the execution has no beginning");
    const char *wrong = not_an_object(e);
    if (wrong && !(strcmp(wrong, "input") == 0 && !is_first)) /* of a wait the input is whatever it is asked about */
        return ctn_fail(err, CTN_E_CORRUPT, "entry %llu (%s): its %s is no object", (unsigned long long) e->seq,
                        ctn_entry_kind_name(e->kind), wrong);
    if (is_first && ctn_execution_check_reuse(x->plan, e->body, err))
        return ctn_wrap(err, CTN_E_CORRUPT, "entry %llu", (unsigned long long) e->seq);
    ctn_entry_about about = ctn_entry_kind_about(e->kind);
    if (about != CTN_ABOUT_EITHER && (about != CTN_ABOUT_EXECUTION) != (e->step.len > 0))
        return refuse(err, e, e->step.len ? "it is about no step" : "it names no step");
    if (e->kind == CTN_ENTRY_DECISION && e->step.len == 0 && !get(e, "variables") && !x->budget.is_awaited)
        return refuse(err, e, "nobody was asked");
    if (e->step.len == 0)
        return CTN_OK;
    if (step == CTN_PLAN_NONE)
        return refuse(err, e, "the chain has no such step");
    if (!t)
        return refuse(err, e, "the step has no such item under way");
    const work *w = ctn_x_work(t, role);
    if (role == CTN_ROLE_UNDO && !ctn_x_has_undo(x, t))
        return refuse(err, e, "the step has no rollbackAction");
    bool is_turn = x->is_undoing && x->undo_cursor < x->undo.count && x->undo.items[x->undo_cursor] == t;
    if (role == CTN_ROLE_UNDO && !is_turn)
        return refuse(err, e, "it was not the step's turn to be undone");
    if (e->kind != CTN_ENTRY_CHECKED && (w->phase == WORK_DONE || w->phase == WORK_FAILED || w->phase == WORK_SKIPPED))
        return refuse(err, e, "that work has ended");
    if (role == CTN_ROLE_DO && w->phase == WORK_NONE)
        return refuse(err, e, "the step was not ready");
    if (e->attempt && e->attempt < w->attempt)
        return refuse(err, e, "an older attempt than the last one");
    const char *why = why_not(x, e, t, role);
    return why ? refuse(err, e, why) : CTN_OK;
}
