/*
 * execution_fold.h -- what apply is made of: functions that change the state by what an entry says.
 *
 * They judge nothing, look at no rules, and keep only copies, in the arena of the task or of the execution.
 */
#pragma once
#include "core/execution_state.h"

/* What the entry's body says. */
static inline const ctn_json *ctn_x_get(const ctn_entry *e, const char *key)
{
    return ctn_json_member_of(e->body, key);
}
static inline bool ctn_x_says(const ctn_entry *e, const char *key)
{
    return ctn_json_bool_or(e->body, key, false);
}

/* ---- execution_fold.c, execution_apply.c ---- */

/* CTN_E_CORRUPT: the state does not allow the entry. */
int ctn_x_refuse(ctn_err *err, const ctn_entry *e, const char *why);
/* What its kind needs, and what it changes. w NULL: it is about the execution. */
int ctn_x_apply_kind(ctn_execution *x, work *w, const ctn_entry *e, ctn_err *err);

/* ---- execution_turns.c ---- */

void ctn_x_activate(ctn_execution *x, work *w);
void ctn_x_deactivate(ctn_execution *x, work *w);
void ctn_x_make_ready(ctn_execution *x, task *t, int64_t at_ms);
/* The chain begins: those that wait for no other. */
void ctn_x_first_steps_are_due(ctn_execution *x, int64_t at_ms);
/* What comes after it may be due. */
void ctn_x_step_ended(ctn_execution *x, uint32_t step, int64_t at_ms);
/* Reused steps whose turn has come end. */
void ctn_x_reuse_due(ctn_execution *x, int64_t at_ms);
/* As many items as may be under way at once become ready, in their order. */
void ctn_x_fill_each(ctn_execution *x, uint32_t step, int64_t at_ms);
/* The item has ended, well (with variables) or not: what has to be known of it later is kept. */
void ctn_x_item_ended(ctn_execution *x, task *t, const ctn_json *variables, int64_t at_ms);
/* The task is done: its variables are set, or kept for when all items are done. */
void ctn_x_task_completed(ctn_execution *x, work *w, const ctn_json *variables, int64_t at_ms);
/* All items of a foreach have ended: their values become lists. */
void ctn_x_each_completed(ctn_execution *x, work *w, int64_t at_ms);
/* A foreach fails as a whole while items of it are ready: none of them is begun. */
void ctn_x_drop_items(ctn_execution *x, uint32_t step);
void ctn_x_begin_attempt(work *w, uint32_t attempt);

/* ---- execution_stop.c ---- */

void ctn_x_begin_stopping(ctn_execution *x, int64_t at_ms, ctn_failure cause, ctn_str message, ctn_str step,
                          int64_t item);
void ctn_x_stop_work(ctn_execution *x, work *w, int64_t at_ms);
/* An entry was folded in: when nothing is in flight any more, undoing begins, or goes on. */
void ctn_x_stop_goes_on(ctn_execution *x, int64_t at_ms);

/* ---- execution_context.c ---- */

/* The members' names are variables. step NONE: they are inputs. */
void ctn_x_set_variables(ctn_execution *x, const ctn_json *variables, uint32_t step);
void ctn_x_set_by_hand(ctn_execution *x, const ctn_json *variables);
/* The step failed, and the chain goes on. */
void ctn_x_set_null(ctn_execution *x, uint32_t step);
/* A call of several has a result; the results of a work are kept no more. */
void ctn_x_hold_result(ctn_execution *x, call_state *c);
void ctn_x_release_results(ctn_execution *x, work *w);

/* ---- execution_first.c, execution_reuse.c ---- */

void ctn_x_apply_first(ctn_execution *x, const ctn_entry *e);
/* Of a first entry that was accepted: what it takes over. */
void ctn_x_reuse_begin(ctn_execution *x, const ctn_json *body);
/* The step ends as it did in the earlier execution. */
void ctn_x_reuse(ctn_execution *x, uint32_t step, int64_t at_ms);

/* ---- execution_foreach.c ---- */

int ctn_x_each_start(ctn_execution *x, const work *w, const ctn_entry *e, ctn_err *err);
task *ctn_x_each_make_task(ctn_execution *x, uint32_t step); /* of the next item; NULL: no room, or none left */
void ctn_x_each_take(ctn_execution *x, const task *t, const ctn_json *variables); /* NULL: it failed */
void ctn_x_each_release(ctn_execution *x, uint32_t step);                         /* its values are collected no more */
/* The item has ended; it is forgotten, or kept because it may have to be undone. */
void ctn_x_each_close(ctn_execution *x, task *t, bool is_kept);

/* ---- execution_budget.c ---- */

/* A call began, with so much reserved for it (kept; NULL: nothing); ended (its phase still as before: one that a check
 * settled was counted when it was lost); was lost with the engine: what was reserved for it counts as used. */
void ctn_x_budget_begin(ctn_execution *x, call_state *c, const ctn_json *reserved);
void ctn_x_budget_settle(ctn_execution *x, call_state *c, const ctn_json *used);
void ctn_x_budget_lose(ctn_execution *x, call_state *c);
