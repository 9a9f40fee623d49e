/*
 * execution_judge.h -- what decide and next are made of: functions that look at the state and say which entry follows.
 *
 * They change nothing of it; what they return lives in the judge's scratch arena. A failure's sentence is in `err`.
 */
#pragma once
#include "core/execution_state.h"

/* Who judges: the state as it is, the rules, the time and the chance of this call. */
typedef struct judge {
    const ctn_execution *x;
    const ctn_rules *rules;
    int64_t now_ms;
    uint64_t entropy; /* for jitter */
    ctn_str actor;    /* in whose name the entry is */
    ctn_arena *scratch;
} judge;

/* ---- execution_judge.c ---- */

/* The body is finished here. w NULL: about the execution. */
ctn_entry ctn_x_entry(const judge *j, ctn_entry_kind kind, const work *w, uint32_t attempt, ctn_json_builder *body);
/* A body that begins with which of several calls it is about. */
ctn_json_builder ctn_x_body_of_call(const judge *j, const work *w, uint32_t call);
/* ... and, of a kind that does not say it by itself, with `undo`. */
ctn_json_builder ctn_x_body_of_either(const judge *j, const work *w, uint32_t call);

/* A stopping execution awaits calls that are no reads until then. */
int64_t ctn_x_given_up_at_ms(const judge *j);

/* ---- execution_value.c ---- */

/* The arguments of a call. */
ctn_failure ctn_x_render_args(const judge *j, const work *w, uint32_t call, const ctn_json **ret_args, ctn_err *err);
/* ... of the check that asks what became of it. */
ctn_failure ctn_x_render_check(const judge *j, const work *w, uint32_t call, const ctn_json **ret_args, ctn_err *err);
/* What an agent or a sub-chain is given: the set's arguments. */
ctn_failure ctn_x_render_input(const judge *j, const work *w, const ctn_json **ret_input, ctn_err *err);
/* A text of the set that works: what the step's inputTemplate gives is its {input}. */
ctn_failure ctn_x_render_set_text(const judge *j, const work *w, const ctn_template *template,
                                  const ctn_json **ret_value, ctn_err *err);
ctn_failure ctn_x_render_tree(const judge *j, const work *w, const ctn_tree *tree, const ctn_json **ret_value,
                              ctn_err *err);
/* For apply too, which holds it to no bounds. */
ctn_failure ctn_x_render_template(const ctn_execution *x, const work *w, const ctn_template *template, size_t bytes_max,
                                  ctn_arena *arena, const ctn_json **ret_value, ctn_err *err);
ctn_failure ctn_x_condition(const judge *j, const work *w, ctn_verdict *ret_verdict, ctn_err *err);
/* The variables that a result gives, the document's text included. With several calls: `last_call` just ended with
 * `last_result`, the others' results are in the state. */
ctn_failure ctn_x_take(const judge *j, const work *w, uint32_t last_call, const ctn_json *last_result,
                       const ctn_json **ret_variables, ctn_err *err);
ctn_failure ctn_x_outputs(const judge *j, const ctn_json **ret_outputs, ctn_err *err);

/* ---- execution_attempt.c ---- */

/* The entry of a call that succeeded with `value`: with variables when it was the last, and a failure instead when
 * what the step promised cannot be taken from it. is_cached: an earlier call gave it. */
ctn_entry ctn_x_succeed(const judge *j, const work *w, uint32_t call, const ctn_json *value, const ctn_used *used,
                        bool is_cached);
typedef struct failure_report {
    ctn_failure failure;
    ctn_str message;
    bool was_sent, peer_is_dead;
    bool died;        /* the engine died under it, and it may run again: once more in any case */
    bool again;       /* a person or policy said: once more, at once, spending no retry */
    bool is_final;    /* no retry, whatever the rules say */
    bool is_whole;    /* about the step and none of its calls: none of them is made */
    bool no_fallback; /* the chain itself said fail */
    bool was_done;    /* the call did succeed; what it gave cannot be taken */
    int64_t retry_after_ms;
    const ctn_used *used; /* NULL: nothing is known */
    int64_t sent_at_ms;   /* 0: when it was decided, which is a commit earlier */
} failure_report;
ctn_entry ctn_x_fail(const judge *j, const work *w, uint32_t call, const failure_report *report);
/* ... before anything was sent, and no retry would help. */
ctn_entry ctn_x_fail_unsent(const judge *j, const work *w, uint32_t call, ctn_failure failure, const ctn_err *err);
/* All calls of an attempt have ended and some failed: what becomes of the step. */
ctn_entry ctn_x_fail_attempt(const judge *j, const work *w);

/* ---- execution_asks.c ---- */

/* The entry of a call whose peer asks (in->asks), or has accepted it: it waits, or goes on; or fails, for what is asked
 * cannot be answered. */
ctn_entry ctn_x_ask(const judge *j, const work *w, uint32_t call, const ctn_input *in);
ctn_entry ctn_x_accept(const judge *j, const work *w, uint32_t call, const ctn_input *in);
/* What people give to a call that waits, as {KEY: {action, content?}}. */
int ctn_x_check_answers(const judge *j, const work *w, uint32_t call, const ctn_json *given,
                        const ctn_json **ret_answers, ctn_err *err);

/* ---- execution_start.c, execution_wait.c ---- */

/* False: it has to wait for a place, a breaker, an equal call in flight. */
bool ctn_x_start_call(const judge *j, const work *w, uint32_t call, ctn_entry *ret_entry);
/* The same for whatever the work is: a call, a wait, a sub-chain, a fallback's value. */
bool ctn_x_start_work(const judge *j, const work *w, ctn_entry *ret_entry);
/* ... when its turn has come: by its condition. */
bool ctn_x_start_step(const judge *j, const work *w, ctn_entry *ret_entry);
ctn_entry ctn_x_begin_wait(const judge *j, const work *w);
/* Its time has come, or it was answered. */
ctn_entry ctn_x_end_wait(const judge *j, const work *w);

/* ---- execution_foreach.c ---- */

/* The entry that begins a foreach, or its failure: the items are no list, ... */
ctn_entry ctn_x_begin_each(const judge *j, const work *w);
/* All items have ended, or their values are too large together. False: neither. */
bool ctn_x_next_of_each(const judge *j, const work *w, ctn_entry *ret_entry);
/* No further item is begun: the values are too large together. */
bool ctn_x_each_is_full(const judge *j, const work *w);

/* ---- execution_budget.c ---- */

bool ctn_x_budget_is_set(const ctn_execution *x);
/* One more call may need more of something than is left: the entry with which the execution parks, or ends. most: what
 * it may take of tokens and money; NULL: nobody can say. There is a budget. */
bool ctn_x_budget_is_short(const judge *j, const ctn_used *most, ctn_entry *ret_entry);
/* There is no room for the call now, and may be once those under way have given back what they did not use: it waits.
 */
bool ctn_x_budget_may_be_given_back(const judge *j, const ctn_used *most);
/* ... so much of it is reserved, into the body of the entry of its start. */
void ctn_x_budget_reserve(const judge *j, const ctn_used *most, ctn_json_builder *body);
/* `used` of a call that ended, into the body of its entry, when there is a budget or it tells of tokens or money. used
 * may be NULL. */
void ctn_x_budget_put(const judge *j, const ctn_used *used, size_t bytes, ctn_json_builder *body);

/* ---- execution_limits.c ---- */

size_t ctn_x_value_bytes_max(const ctn_rules *rules);
/* Is there room for `added` bytes of variables in the place of `removed`? */
ctn_failure ctn_x_check_context(const judge *j, size_t added, size_t removed, ctn_err *err);
/* A variable that a person gives: CTN_E_LIMIT when it is too large, by itself or beside the others. slot NONE: it
 * stands in no variable yet. */
int ctn_x_check_given(const judge *j, ctn_str what, uint32_t slot, const ctn_json *value, ctn_err *err);
/* The step whose turn has come is one too many; of a foreach: its `count` items are. */
bool ctn_x_is_past_steps(const judge *j, const work *w, int64_t count, failure_report *ret_report);
/* The execution has journaled more than it may: no step or item begins, and nothing is tried again, but what undoes. */
bool ctn_x_is_journal_full(const judge *j);
bool ctn_x_is_past_journal(const judge *j, const work *w, failure_report *ret_report);
/* May it start one more sub-chain? */
ctn_failure ctn_x_check_children(const judge *j, const work *w, ctn_err *err);
