/*
 * execution_state.h -- the state behind execution.h, for the files that make it up:
 *   execution.c         making one, reading it
 *   execution_apply.c   folding entries in
 *   execution_decide.c  inputs from outside
 *   execution_next.c    what follows by itself
 *   execution_value.c   rendering from the context, taking results into it
 * Nobody else includes this.
 */
#pragma once
#include "core/execution.h"

/* A step that the engine died under so many times in a row parks, so that it cannot kill the engine forever. */
#define CTN_DEATHS_MAX 5
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
    WORK_WAITING,
    WORK_ANSWERED,
    WORK_ASKED, /* the engine died under it too often; a person must say */
    WORK_DONE,
    WORK_SKIPPED,
    WORK_FAILED,
    WORK_DROPPED, /* stopped before it began or while it waited */
} work_phase;

/* A set being carried out for a step: its own (do) or its rollbackAction (undo). */
typedef struct work {
    work_phase phase;
    const ctn_plan_set *set;
    call_state *calls;
    uint32_t attempt; /* the current or last one */
    uint32_t retries_used;
    uint32_t deaths;
    bool death_retry_used;
    int64_t ready_at_ms; /* of the entry that made it ready: `now` of its templates */
    uint64_t ready_seq;  /* that entry came after this one */
    int64_t first_at_ms, ended_at_ms;
    int64_t due_ms;
    bool expires; /* at due_ms the wait has failed: the step's timeoutMs */
    const ctn_json *answer;
    ctn_str answered_by;
    ctn_failure failure;
    ctn_str message;
    uint32_t active_slot; /* place in the active list + 1; 0: not in it */
} work;

typedef struct step_state {
    work work[2];              /* by ctn_role */
    uint32_t waits_for;        /* predecessors that have not ended */
    uint32_t start_order;      /* 1.. in the order of first recorded starts; 0: none */
    const ctn_json *variables; /* what it produced: the default input of its undo */
    bool continued;            /* failed, and the chain went on */
    bool undo_failed;
    bool undo_outcome_unknown; /* it is undone without knowing whether it happened */
} step_state;

typedef struct active_work {
    uint32_t step;
    ctn_role role;
} active_work;

struct ctn_execution {
    ctn_arena *arena;
    const ctn_plan *plan;
    ctn_execution_id id;
    uint64_t seq;

    bool is_queued, is_started, is_stopping, is_paused;
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
    step_state *steps;
    uint32_t ended_count;

    active_work *active;
    uint32_t active_count;

    uint32_t *completed; /* steps in the order of their completion */
    uint32_t completed_count;
    uint32_t *undo_queue; /* steps to undo, in order; NULL: not stopping, or not yet quiet */
    uint32_t undo_count, undo_cursor;

    ctn_failure cause;
    ctn_str cause_message;
    ctn_str cause_step;
    const ctn_json *outputs;
    const ctn_json *error;
};

/* ---- execution_value.c ---- */

/* {id}/{step}[/{call}]/do|undo: one per call, the same on every attempt. */
ctn_str ctn_x_key(const ctn_execution *x, uint32_t step, ctn_role role, uint32_t call, ctn_arena *arena);
/* The arguments of a call, rendered from the context. */
ctn_failure ctn_x_render_args(const ctn_execution *x, const ctn_rules *rules, uint32_t step, ctn_role role,
                              uint32_t call, bool is_check, ctn_arena *arena, const ctn_json **ret_args, ctn_err *err);
ctn_failure ctn_x_condition(const ctn_execution *x, uint32_t step, ctn_arena *scratch, ctn_verdict *ret_verdict,
                            ctn_err *err);
ctn_failure ctn_x_render_template(const ctn_execution *x, const ctn_rules *rules, uint32_t step, const ctn_template *t,
                                  ctn_arena *arena, const ctn_json **ret_value, ctn_err *err);
/* The variables that a result gives, the document's text included. With several calls: `last_call` just ended with
 * `last_result`, the others' results are in the state. */
ctn_failure ctn_x_take(const ctn_execution *x, const ctn_rules *rules, uint32_t step, uint32_t last_call,
                       const ctn_json *last_result, ctn_arena *arena, const ctn_json **ret_variables, ctn_err *err);
ctn_failure ctn_x_outputs(const ctn_execution *x, ctn_arena *arena, int64_t now_ms, const ctn_json **ret_outputs,
                          ctn_err *err);
size_t ctn_x_value_bytes_max(const ctn_rules *rules);

/* ---- execution_next.c, shared with decide ---- */

/* The entry kinds of a role. */
ctn_entry_kind ctn_x_kind_started(ctn_role role);
ctn_entry_kind ctn_x_kind_succeeded(ctn_role role);
ctn_entry_kind ctn_x_kind_failed(ctn_role role);
ctn_entry ctn_x_entry(const ctn_execution *x, ctn_entry_kind kind, int64_t now_ms, uint32_t step, uint32_t attempt,
                      const ctn_json *body);
/* The entry of a call that succeeded with `value`: with variables when it was the last, and a failure instead when
 * what the step promised cannot be taken from it. */
ctn_entry ctn_x_succeed(const ctn_execution *x, const ctn_rules *rules, uint32_t step, ctn_role role, uint32_t call,
                        const ctn_json *value, int64_t now_ms, uint64_t entropy, ctn_arena *scratch);
typedef struct failure_report {
    ctn_failure failure;
    ctn_str message;
    bool was_sent, peer_is_dead;
    bool died;     /* the engine died under it, and it may run again: once more in any case */
    bool again;    /* a person or policy said: once more, at once, spending no retry */
    bool is_final; /* no retry, whatever the rules say */
    bool is_whole; /* about the step and none of its calls: none of them is made */
    bool was_done; /* the call did succeed; what it gave cannot be taken */
    int64_t retry_after_ms;
} failure_report;
ctn_entry ctn_x_fail(const ctn_execution *x, uint32_t step, ctn_role role, uint32_t call, const failure_report *report,
                     int64_t now_ms, uint64_t entropy, ctn_arena *scratch);

/* ---- execution.c ---- */
static inline work *ctn_x_work(const ctn_execution *x, uint32_t step, ctn_role role)
{
    return &x->steps[step].work[role];
}
bool ctn_x_call_is_last(const work *w, uint32_t call); /* all others are done */
bool ctn_x_any_call(const work *w, call_phase phase);
/* Of work that is ready or backs off, as the journal has it: a call of it that may be repeated, and so left no record
 * of its start, can be under way, or was when the engine ended. */
bool ctn_x_may_have_begun(const ctn_execution *x, uint32_t step, ctn_role role, int64_t now_ms);
/* The check still has to be asked for a call of unknown fate. */
bool ctn_x_wants_check(const work *w, const call_state *c);
