/*
 * oracle_state.h -- what the files of the oracle share:
 *   oracle.c        the world's calls, records about the execution, what is parked, the end
 *   oracle_step.c   records about a step: one function a kind
 *   oracle_says.c   what was heard of a step so far, and what the chain's description says may come next
 * Nobody else includes this.
 */
#pragma once
#include "sim/oracle.h"

#define FAIL(...) sim_fail(o->failure, __VA_ARGS__)

/* ---- the description ---- */

const spec_step *oracle_spec_of(const oracle *o, const judged_task *t);
const char *oracle_name_of(const oracle *o, const judged_task *t);
int oracle_step_named(const oracle *o, ctn_str name);
int oracle_call_named(const spec_work *w, ctn_str name);
const spec_work *oracle_set_now(const oracle *o, const judged_task *t, ctn_role role);
spec_policy oracle_policy_of(const oracle *o, const judged_task *t);
spec_verdict oracle_judge_condition(const oracle *o, int step);

/* ---- what was heard of; made when it is asked for ---- */

judged_task *oracle_task_of(oracle *o, int step, int64_t item);
deed *oracle_deed_of(oracle *o, judged_task *t, ctn_role role, int fallback, int call);
deed *oracle_deed_by_key(oracle *o, ctn_str step_name, ctn_str key);

typedef bool deed_test(const deed *d);
bool oracle_any_of_task(const judged_task *t, ctn_role role, deed_test *is);
bool oracle_any_of_step(const oracle *o, int step, ctn_role role, deed_test *is);
bool oracle_deed_has_begun(const deed *d);
bool oracle_deed_is_asked(const deed *d);
bool oracle_deed_happened(const deed *d);
bool oracle_deed_is_writing(const deed *d);

/* ---- what must hold ---- */

/* Something of the task's own work happens at this point of the journal. */
void oracle_check_may_begin(oracle *o, const judged_task *t, bool is_record, const char *what);
/* Completed ones in reverse order of completion; before them those of unknown outcome, the latest start first. */
void oracle_check_undo_order(oracle *o, const judged_task *me);
void oracle_check_args(oracle *o, deed *d, const ctn_json *args, ctn_arena *arena);

/* ---- records about a step ---- */

void oracle_judge_step(oracle *o, judged_task *t, const ctn_record *r, const ctn_json *body, ctn_arena *arena);
void oracle_begin_stopping(oracle *o, ctn_failure cause, int64_t at_ms);
