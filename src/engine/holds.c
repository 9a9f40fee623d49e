/*
 * holds.c -- see holds.h.
 *
 * There are few holds, mostly none, so they are a list: what a call pays is one look whether it is empty. A pause is
 * the whole of it: it is journaled, survives everything, is shown with its reason, spends no attempt, lets calls in
 * flight end, and is ended by whoever resumes.
 *
 * An execution is new as long as none of its steps has begun: it was queued, or started by the clock, or its server had
 * not listed its tools yet when it was asked for. What does a step of another execution is as old as that one.
 */
#include "engine/holds.h"
#include "base/memory.h"
#include "engine/batch.h"
#include "engine/plans.h"
#include "engine/state.h"

#include <stdlib.h>

struct tool_hold {
    tool_hold *next;
    ctn_hold_kind kind;
    char *target, *why;
    ctn_buf quoted; /* the target as it stands in a definition */
};

static void hold_free(tool_hold *h)
{
    ctn_buf_done(&h->quoted);
    free(h->target);
    free(h->why);
    free(h);
}

void ctn_engine_hold(ctn_engine *e, ctn_str target, ctn_hold_kind kind, ctn_str why)
{
    for (tool_hold **at = &e->holds; *at; at = &(*at)->next)
        if (ctn_str_is(target, (*at)->target)) {
            tool_hold *old = *at;
            *at = old->next;
            hold_free(old);
            break;
        }
    if (kind == CTN_HOLD_NOTHING)
        return;
    tool_hold *h = ctn_malloc(sizeof *h);
    *h = (tool_hold){.next = e->holds, .kind = kind, .target = ctn_cstring(target), .why = ctn_cstring(why)};
    ctn_buf_init(&h->quoted, 6 * target.len + 16);
    ctn_json_write_string(&h->quoted, target);
    e->holds = h;
}

void ctn_eng_holds_free(ctn_engine *e)
{
    for (tool_hold *h; (h = e->holds);) {
        e->holds = h->next;
        hold_free(h);
    }
}

/* Also in its fallbacks, its undo, its sub-chains: the definitions hold them all. */
static bool names(const ctn_plan *plan, const tool_hold *h)
{
    for (uint32_t i = 0; i < plan->definition_count; i++)
        if (ctn_str_find(plan->definitions[i].body, ctn_buf_str(&h->quoted)) != SIZE_MAX)
            return true;
    return false;
}

static const tool_hold *hold_of(const ctn_engine *e, const ctn_plan *plan)
{
    for (const tool_hold *h = e->holds; h; h = h->next)
        if (names(plan, h))
            return h;
    return NULL;
}

static bool is_new(const ctn_execution *x)
{
    if (ctn_execution_parent(x))
        return false;
    for (uint32_t i = 0; i < ctn_execution_plan(x)->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        if (!v.is_reused && (v.attempt || v.started_at_ms))
            return false;
    }
    return true;
}

bool ctn_eng_holds_back(ctn_engine *e, loaded *l, const ctn_plan_call *call)
{
    l->gate.held_by = is_new(l->x) ? hold_of(e, l->plan->plan) : NULL;
    for (const tool_hold *h = e->holds; h && !l->gate.held_by && call->kind == CTN_WORK_TOOL; h = h->next)
        if (h->kind == CTN_HOLD_ALL && ctn_str_is(call->target, h->target))
            l->gate.held_by = h;
    return l->gate.held_by != NULL;
}

void ctn_eng_pause_held(ctn_engine *e, loaded *l)
{
    const tool_hold *h = l->gate.held_by;
    l->gate.held_by = NULL;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_input pause = {
        .kind = CTN_IN_PAUSE, .now_ms = e->now_ms, .actor = CTN_STR(CTN_HOLD_ACTOR), .message = ctn_str_from(h->why)};
    ctn_entry entry;
    if (ctn_execution_decide(l->x, &e->rules, &pause, e->scratch, &entry, NULL) == CTN_OK)
        ctn_eng_record(e, l, &entry);
    ctn_arena_restore(e->scratch, mark);
}

int ctn_eng_refuse_held(const ctn_engine *e, const filed *f, ctn_err *err)
{
    if (f->parent || f->start.may_be_held)
        return CTN_OK;
    const tool_hold *h = hold_of(e, f->start.plan);
    return h ? ctn_fail(err, CTN_E_STATE, "the chain %.*s is not started: %s", CTN_STR_ARG(f->start.plan->chain_id),
                        h->why)
             : CTN_OK;
}
