/*
 * execution_state.h -- the state behind execution.h, for the files that make it up:
 *   execution.c         making one, reading it
 *   execution_apply.c   folding entries in
 *   execution_allowed.c ... which are refused when the state does not allow them
 *   execution_stop.c    ... when the chain goes on no more: letting go, and the order of undoing
 *   execution_decide.c  inputs from outside
 *   execution_next.c    what follows by itself
 *   execution_start.c   how a call or a wait begins
 *   execution_foreach.c the items of a foreach, and what becomes of them
 *   execution_budget.c  what may be used up
 *   execution_limits.c  how much an execution may hold, and how many steps it may take
 *   execution_reuse.c   what an earlier execution has done already
 *   execution_value.c   rendering from the context, taking results into it
 * Nobody else includes this.
 */
#pragma once
#include "core/execution.h"
#include "value/decimal.h"

/* A step that the engine died under so many times in a row parks, so that it cannot kill the engine forever. */
#define CTN_DEATHS_MAX 5
/* Chains that call chains, unless limits say otherwise. */
#define CTN_DEPTH_MAX 16
/* A check that does not answer is asked again so often, so much later, before a person is. */
#define CTN_CHECK_TRIES_MAX    3
#define CTN_CHECK_AGAIN_MS     1000
#define CTN_CHECK_AGAIN_MAX_MS 5000

typedef enum call_phase {
    CALL_IDLE,
    CALL_RUNNING,
    CALL_DONE,
    CALL_FAILED,
    CALL_UNKNOWN,       /* may have happened: its check is asked, or policy decides */
    CALL_SETTLED_TRUE,  /* the check or a person said: it happened */
    CALL_SETTLED_FALSE, /* ... it did not */
    CALL_ASKED,         /* a person must say */
    CALL_LET_GO,        /* given up while stopping; harmless */
} call_phase;

typedef struct call_state {
    call_phase phase;
    ctn_effect effect;
    bool start_is_stored;
    bool died;              /* UNKNOWN because the engine died, not because the call timed out */
    bool may_have_happened; /* some attempt of it ended without a known fate */
    bool check_is_over;     /* the check could not tell */
    bool fail_is_final;     /* SETTLED_FALSE by a person: no retry */
    bool retry_is_due;      /* SETTLED_FALSE by a person or policy: once more in any case */
    int64_t started_at_ms;
    size_t result_bytes;  /* counted in held_bytes for it */
    bool is_cached;       /* DONE by an earlier call with equal arguments */
    ctn_str cache_key;    /* where its result goes; empty: nowhere */
    const ctn_json *args; /* rendered once; NULL: not yet */
    const ctn_json *result;
    int64_t settle_at_ms; /* from then on a "no" of the check counts */
    int64_t check_due_ms;
    uint32_t checks_failed;
    ctn_failure failure;
    ctn_str message;
    int64_t retry_after_ms;
} call_state;

typedef enum work_phase {
    WORK_NONE,
    WORK_READY,
    WORK_RUNNING,
    WORK_BACKOFF,
    WORK_FALLBACK, /* failed for good with this set; the next fallback is to be taken */
    WORK_EACH,     /* a foreach: its items are under way */
    WORK_CHILD,    /* a sub-chain does it */
    WORK_WAITING,
    WORK_ANSWERED,
    WORK_ASKED, /* the engine died under it too often; a person must say */
    WORK_DONE,
    WORK_SKIPPED,
    WORK_FAILED,
    WORK_DROPPED, /* stopped before it began or while it waited */
} work_phase;

/* A set being carried out for a task: the step's own or a fallback (do), or its rollbackAction (undo). */
typedef struct work {
    work_phase phase;
    const ctn_plan_set *set; /* NULL: none, or a fallback that is a value */
    uint32_t fallback;       /* n of the fallback that was taken, from 1; 0: the step's own set */
    bool breaker_is_noted;   /* of this attempt the journal says that it waits for a breaker */
    call_state *calls;
    uint32_t attempt; /* the current or last one */
    uint32_t retries_used;
    uint32_t deaths;
    bool death_retry_used;
    int64_t ready_at_ms; /* of the entry that made it ready: `now` of its templates */
    uint64_t ready_seq;  /* that entry came after this one */
    int64_t first_at_ms, ended_at_ms;
    int64_t due_ms;
    bool expires;          /* at due_ms the wait has failed: the step's timeoutMs */
    const ctn_json *asked; /* what a wait is for: the body of its entry */
    const ctn_json *asked_shown;
    const ctn_json *answer;
    ctn_str answered_by;
    ctn_failure failure;
    ctn_str message;
    uint32_t active_slot; /* place in the active list + 1; 0: not in it */
} work;

/* The work of a step: as a whole, or on one item of its foreach. */
typedef struct task {
    uint32_t step;
    int64_t item;              /* -1: the whole step */
    work work[2];              /* by ctn_role */
    uint32_t start_order;      /* 1.. in the order of first recorded starts; 0: none */
    int64_t turn;              /* of a whole step: 1.. in the order in which their turns came */
    const ctn_json *value;     /* the item */
    const ctn_json *variables; /* what it produced: the default input of its undo */
    ctn_execution_id child;    /* of the sub-chain that did or does the work; all zero: none */
    const ctn_json *child_input;
    bool was_in_doubt; /* an earlier set of it may have done its work, and a fallback was taken */
    bool had_write;    /* ... and that was a write */
    bool undo_failed;
    bool undo_outcome_unknown; /* it is undone without knowing whether it happened */
    ctn_arena *arena;          /* of what it keeps: an item's own, else the execution's */
    struct task *next;         /* of an item: in its bucket, or among the free ones */
} task;

/* A foreach under way. Only items that were begun and have not ended are tasks, those that may have to be undone
 * excepted; so a million items take the memory of a few. */
typedef struct each {
    const ctn_json *list; /* NULL: a range */
    int64_t from, count;
    int64_t cursor; /* the first item that is no task yet */
    int64_t ended_count, failed_count;
    uint32_t open_count;         /* tasks that have not ended */
    task **buckets;              /* of the open ones */
    uint32_t bucket_count;       /* a power of two */
    ctn_json **values;           /* by output, then by item; NULL: the step has no outputs */
    size_t *output_bytes;        /* of the values so far, by output */
    size_t value_bytes;          /* the largest of these */
    size_t held_bytes;           /* their sum */
    bool had_write, undo_failed; /* of items that are no tasks any more */
    task *free;
} each;

typedef struct step_state {
    task whole;
    uint32_t waits_for;     /* predecessors that have not ended */
    bool continued;         /* failed, and the chain went on */
    each *each;             /* NULL: no foreach, or not begun */
    const ctn_json *reused; /* how it ended in an earlier execution, which stands; NULL: it is done here */
} step_state;

typedef struct active_work {
    task *task;
    ctn_role role;
} active_work;

/* What was used of the plan's budget. */
typedef struct budget_state {
    int64_t calls, bytes, tokens;
    int64_t bytes_most, tokens_most; /* of one call */
    char money[64], money_most[64];  /* decimals; empty: 0 */
    uint32_t in_flight;
    uint32_t grants;       /* how often a person granted the whole once more */
    bool is_awaited;       /* parked until somebody does, or ends it */
    const ctn_json *asked; /* the body of the entry that says so */
} budget_state;

typedef struct task_list {
    task **items;
    uint32_t count, capacity;
} task_list;

struct ctn_execution {
    ctn_arena *arena;
    const ctn_plan *plan;
    ctn_execution_id id;
    ctn_id_text id_text; /* of the same; it begins every key */
    ctn_parent parent; /* depth 0: none */
    bool was_reopened;
    uint64_t seq;

    bool is_queued, is_started, is_stopping, is_paused;
    bool is_paused_with_parent;
    bool has_ended;
    ctn_status end_status;
    bool was_cancelled;

    int64_t created_at_ms, started_at_ms, ended_at_ms;
    int64_t paused_at_ms, paused_ms; /* total of pauses that are over */
    uint64_t paused_seq;             /* the pause came after this entry; 0: an engine ended since then */
    int64_t stop_at_ms;              /* when stopping began */
    uint32_t starts;                 /* counter behind start_order */

    const ctn_json *input;      /* the whole input, extra names included */
    const ctn_json **variables; /* by slot; NULL: never set */
    uint32_t *setters;          /* by slot: step + 1 that set it last; 0: none, or the start */
    size_t *variable_bytes;     /* by slot: as JSON */
    size_t context_bytes;       /* the sum of these */
    size_t held_bytes;          /* results of calls whose siblings go on, and values of a foreach under way */
    int64_t turns;              /* how many steps' turns have come; items count, and not the foreach itself */
    const ctn_json **by_hand;   /* by slot: what a person set, while that stands; NULL: nobody did */
    step_state *steps;
    uint32_t ended_count;
    const ctn_json *from; /* the execution that this one goes on from; NULL: none */
    uint32_t *to_reuse;   /* steps whose turn has come, within apply */
    uint32_t to_reuse_count;

    active_work *active;
    uint32_t active_count, active_capacity;

    task_list completed; /* what may have to be undone, in the order of completion */
    task_list doubtful;  /* items that ended without a known fate */
    task_list undo;      /* in the order in which they are undone; empty until all is quiet */
    bool is_undoing;     /* stopping, and nothing is in flight */
    uint32_t undo_cursor;

    budget_state budget;
    ctn_failure cause;
    ctn_str cause_message;
    ctn_str cause_step;
    int64_t cause_item; /* -1: none */
    const ctn_json *outputs;
    const ctn_json *error;

    const ctn_sensitivity *sensitivity; /* NULL: nothing of it is sensitive */
    const ctn_json *sensitive_also;
    bool reveals, is_hidden;
    const ctn_json *outputs_shown, *error_shown;
};

/* ---- execution_value.c ---- */

/* {id}/{step}[item]/{call}/do | fallback n | undo: one per call, the same on every attempt. */
ctn_str ctn_x_key(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, ctn_arena *arena);
/* The arguments of a call, rendered from the context. */
ctn_failure ctn_x_render_args(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role,
                              uint32_t call, bool is_check, ctn_arena *arena, const ctn_json **ret_args, ctn_err *err);
/* What an agent or a sub-chain is given: the set's arguments. */
ctn_failure ctn_x_render_input(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_arena *arena,
                               const ctn_json **ret_input, ctn_err *err);
ctn_failure ctn_x_condition(const ctn_execution *x, const task *t, ctn_arena *scratch, ctn_verdict *ret_verdict,
                            ctn_err *err);
/* A text of the set that works: what the step's inputTemplate gives is its {input}. */
ctn_failure ctn_x_render_set_text(const ctn_execution *x, const ctn_rules *rules, const task *t,
                                  const ctn_template *template, ctn_arena *arena, const ctn_json **ret_value,
                                  ctn_err *err);
ctn_failure ctn_x_render_template(const ctn_execution *x, size_t bytes_max, const task *t, const ctn_template *template,
                                  ctn_arena *arena, const ctn_json **ret_value, ctn_err *err);
ctn_failure ctn_x_render_tree(const ctn_execution *x, size_t bytes_max, const task *t, const ctn_tree *tree,
                              ctn_arena *arena, const ctn_json **ret_value, ctn_err *err);
/* The variables that a result gives, the document's text included. With several calls: `last_call` just ended with
 * `last_result`, the others' results are in the state. */
ctn_failure ctn_x_take(const ctn_execution *x, const ctn_rules *rules, const task *t, uint32_t last_call,
                       const ctn_json *last_result, ctn_arena *arena, const ctn_json **ret_variables, ctn_err *err);
ctn_failure ctn_x_outputs(const ctn_execution *x, ctn_arena *arena, int64_t now_ms, const ctn_json **ret_outputs,
                          ctn_err *err);

/* ---- execution_next.c, shared with decide ---- */

/* The entry kinds of a role. */
ctn_entry_kind ctn_x_kind_started(ctn_role role);
ctn_entry_kind ctn_x_kind_succeeded(ctn_role role);
ctn_entry_kind ctn_x_kind_failed(ctn_role role);
/* t NULL: about the execution. */
ctn_entry ctn_x_entry(const ctn_execution *x, ctn_entry_kind kind, int64_t now_ms, const task *t, uint32_t attempt,
                      const ctn_json *body);
ctn_json_builder ctn_x_body_of_call(const work *w, uint32_t call, ctn_arena *scratch);
/* The entry of a call that succeeded with `value`: with variables when it was the last, and a failure instead when
 * what the step promised cannot be taken from it. is_cached: an earlier call gave it. */
ctn_entry ctn_x_succeed(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role, uint32_t call,
                        const ctn_json *value, const ctn_used *used, bool is_cached, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch);
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
ctn_entry ctn_x_fail(const ctn_execution *x, const task *t, ctn_role role, uint32_t call, const failure_report *report,
                     int64_t now_ms, uint64_t entropy, ctn_arena *scratch);

/* ---- execution_start.c ---- */

/* The first call that may begin now; call_count when none. In turn: only the first that is not done. */
uint32_t ctn_x_startable_call(const ctn_execution *x, const task *t, ctn_role role);
/* False: it has to wait for a place, a breaker, an equal call in flight. */
bool ctn_x_start_call(const ctn_execution *x, const ctn_rules *rules, const task *t, ctn_role role, uint32_t call,
                      int64_t now_ms, uint64_t entropy, ctn_arena *scratch, ctn_entry *ret_entry);
/* The same for whatever the work is: a call, a wait, a sub-chain, a fallback's value. */
bool ctn_x_start_work(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms, uint64_t entropy,
                      ctn_arena *scratch, ctn_entry *ret_entry);
bool ctn_x_begin_step(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms, uint64_t entropy,
                      ctn_arena *scratch, ctn_entry *ret_entry);
/* A wait whose time has come, or that was answered. */
ctn_entry ctn_x_end_wait(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                         uint64_t entropy, ctn_arena *scratch);

/* ---- execution_budget.c ---- */

bool ctn_x_budget_is_set(const ctn_execution *x);
/* One more call may need more of something than is left: the entry with which the execution parks, or ends. */
bool ctn_x_budget_is_short(const ctn_execution *x, int64_t now_ms, ctn_arena *scratch, ctn_entry *ret_entry);
/* `used` of a call that ended, into the body of its entry, when there is a budget. used may be NULL. */
void ctn_x_budget_put(const ctn_execution *x, const ctn_used *used, size_t bytes, ctn_arena *scratch,
                      ctn_json_builder *b);
/* For apply: a call began; ended (its phase still as before: one that a check settled was counted when it was lost);
 * was lost with the engine. */
void ctn_x_budget_begin(ctn_execution *x);
void ctn_x_budget_settle(ctn_execution *x, const call_state *c, const ctn_json *used);
void ctn_x_budget_forget(ctn_execution *x);

/* ---- execution_limits.c ---- */

size_t ctn_x_value_bytes_max(const ctn_rules *rules);
/* Is there room for `added` bytes of variables in the place of `removed`? */
ctn_failure ctn_x_check_context(const ctn_execution *x, const ctn_rules *rules, size_t added, size_t removed,
                                ctn_err *err);
/* A variable that a person gives: CTN_E_LIMIT when it is too large, by itself or beside the others. slot NONE: it
 * stands in no variable yet. */
int ctn_x_check_given(const ctn_execution *x, const ctn_rules *rules, ctn_str what, uint32_t slot,
                      const ctn_json *value, ctn_err *err);
/* The step whose turn has come is one too many; of a foreach: its `count` items are. */
bool ctn_x_is_past_steps(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t count,
                         failure_report *ret_report, ctn_arena *scratch);
/* For apply: the variable's value is another from now on. */
void ctn_x_put_variable(ctn_execution *x, uint32_t slot, const ctn_json *value);
/* What the results of a work's calls count for. */
size_t ctn_x_held_by(const work *w);
/* ... a call of several has a result; the results of a work are kept no more. */
void ctn_x_hold_result(ctn_execution *x, call_state *c);
void ctn_x_release_results(ctn_execution *x, work *w);

/* ---- execution_foreach.c ---- */

/* The entry that begins a foreach, or its failure: the items are no list, ... */
ctn_entry ctn_x_begin_each(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms,
                           uint64_t entropy, ctn_arena *scratch);
/* All items have ended, or their values are too large together. False: neither. */
bool ctn_x_next_of_each(const ctn_execution *x, const ctn_rules *rules, const task *t, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch, ctn_entry *ret_entry);
/* No further item is begun: the values are too large together. */
bool ctn_x_each_is_full(const ctn_execution *x, const ctn_rules *rules, uint32_t step);
/* For apply. */
int ctn_x_each_start(ctn_execution *x, uint32_t step, const ctn_entry *e, ctn_err *err);
task *ctn_x_each_make_task(ctn_execution *x, uint32_t step); /* of the next item; NULL: no room, or none left */
task *ctn_x_each_find(const ctn_execution *x, uint32_t step, int64_t item);       /* NULL: it is no open task */
void ctn_x_each_take(ctn_execution *x, const task *t, const ctn_json *variables); /* NULL: it failed */
void ctn_x_each_release(ctn_execution *x, uint32_t step);                         /* its values are collected no more */
/* The item has ended; it is forgotten, or kept because it may have to be undone. */
void ctn_x_each_close(ctn_execution *x, task *t, bool is_kept);
const ctn_json *ctn_x_each_variables(const ctn_execution *x, uint32_t step, ctn_arena *arena); /* the lists */

/* ---- execution_reuse.c, for apply ---- */

/* Of a first entry that was accepted: what it takes over. */
void ctn_x_reuse_begin(ctn_execution *x, const ctn_json *body);
/* The step ends as it did in the earlier execution. */
void ctn_x_reuse(ctn_execution *x, uint32_t step, int64_t at_ms);
/* As apply does it: the members' names are variables. step NONE: they are inputs. */
void ctn_x_set_variables(ctn_execution *x, const ctn_json *variables, uint32_t step);
/* The step failed, and the chain goes on. */
void ctn_x_set_null(ctn_execution *x, uint32_t step);

/* ---- execution_apply.c, for stopping ---- */
void ctn_x_deactivate(ctn_execution *x, task *t, ctn_role role);
void ctn_x_begin_attempt(work *w, uint32_t attempt);
/* The item has ended, well (with variables) or not: what has to be known of it later is kept. */
void ctn_x_item_ended(ctn_execution *x, task *t, const ctn_json *variables, int64_t at_ms);

/* ---- execution_stop.c ---- */
void ctn_x_begin_stopping(ctn_execution *x, int64_t at_ms, ctn_failure cause, ctn_str message, ctn_str step,
                          int64_t item);
void ctn_x_stop_work(ctn_execution *x, task *t, ctn_role role, int64_t at_ms);
void ctn_x_build_undo(ctn_execution *x, int64_t at_ms); /* nothing is in flight any more */
void ctn_x_advance_undo(ctn_execution *x);

/* ---- execution_allowed.c ---- */
int ctn_x_allows(const ctn_execution *x, const ctn_entry *e, uint32_t step, const task *t, ctn_role role, ctn_err *err);
call_state *ctn_x_call_of(work *w, const ctn_entry *e); /* the call that the entry names; NULL: none */
call_state *ctn_x_first_open_call(work *w);

/* ---- execution.c ---- */
static inline work *ctn_x_work(const task *t, ctn_role role)
{
    return (work *) &t->work[role]; /* of a task that the execution owns; const is the caller's promise */
}
static inline const ctn_plan_step *ctn_x_plan_step(const ctn_execution *x, const task *t)
{
    return &x->plan->steps[t->step];
}
void ctn_x_task_init(ctn_execution *x, task *t, uint32_t step, int64_t item, ctn_arena *arena);
/* The task an entry or input is about; NULL: there is none now. */
task *ctn_x_task(const ctn_execution *x, uint32_t step, int64_t item);
void ctn_x_list_add(ctn_execution *x, task_list *list, task *t);
/* Another set for the work, or NULL for a value. */
void ctn_x_work_init(task *t, work *w, const ctn_plan_set *set);
uint32_t ctn_x_call_count(const work *w);
bool ctn_x_call_is_last(const work *w, uint32_t call); /* all others are done */
bool ctn_x_has_ended(const task *t);
bool ctn_x_any_call(const work *w, call_phase phase);
/* Of work that is ready or backs off, as the journal has it: a call of it that may be repeated, and so left no record
 * of its start, can be under way, or was when the engine ended. */
bool ctn_x_may_have_begun(const ctn_execution *x, const task *t, ctn_role role, int64_t now_ms);
/* The check still has to be asked for a call of unknown fate. */
bool ctn_x_wants_check(const work *w, const call_state *c);
/* Nobody knows whether all, some or nothing of the task happened. */
bool ctn_x_fate_is_unknown(const task *t);
bool ctn_x_had_write(const work *w);
/* A sub-chain that has no rollbackAction of its own is undone by undoing the child. */
bool ctn_x_is_undone_by_child(const ctn_execution *x, const task *t);
bool ctn_x_has_undo(const ctn_execution *x, const task *t);
