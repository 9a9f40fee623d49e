/*
 * execution.h -- one run of a chain, as four pure functions over its journal.
 *
 *     decide(state, input)  judges what came from outside (an answer, a result, a cancel) and returns the entry
 *                           to record, or a refusal; it changes nothing.
 *     next(state, now)      the same for what follows by itself (a step became ready, a back-off is over, all
 *                           have ended): call it until it has nothing more to say.
 *     apply(state, entry)   folds one entry in; it judges nothing. Live running and recovery both go through it,
 *                           so they cannot drift apart.
 *     owed(state)           what the world is owed now: calls to make, a time to come back.
 *
 * No clock, no randomness, no I/O: the time and the chance are in the input, and a chosen time or delay is in the
 * entry. What is owed is read from the state and never remembered, so a process that died after a commit and
 * before the call asks again and carries on.
 *
 * What must always hold:
 *   - A call of effect write is owed only after its attempt_started was recorded; no other entry of the step
 *     comes between. Starts of repeatable calls are applied but not recorded (is_stored): a replay finds the step
 *     ready and decides the same start again, with the same attempt number, arguments and key. Idempotent calls of a
 *     step that has an undo are the exception: a chain that is stopped while one is under way must undo it, even if
 *     the engine dies before it ended, so their start is a record.
 *   - Everything is rendered once, from the context at the time of the entry that made the step ready.
 *   - A step that is completed never runs again; only its undo may.
 *
 *   step (work):                              call, within an attempt:
 *
 *   NONE --predecessors ended--> READY        IDLE --attempt_started--> RUNNING --+-- attempt_succeeded --> DONE
 *   READY --step_skipped--> SKIPPED                                               +-- attempt_failed -----> FAILED
 *   READY --attempt_started--> RUNNING                                            +-- fate unknown -------> UNKNOWN
 *   READY --waiting--> WAITING                UNKNOWN --checked--> SETTLED_TRUE | SETTLED_FALSE | (asked again)
 *   RUNNING --last call succeeded--> DONE     UNKNOWN --interrupted--> ASKED --decision--> as the person says
 *   RUNNING --attempt_failed, due--> BACKOFF --attempt_started--> RUNNING
 *   RUNNING --attempt_failed, final--> FAILED     RUNNING --waiting--> WAITING --answered--> IDLE: it goes on
 *                                             RUNNING --accepted--> RUNNING, and no death of the engine cuts it off
 *
 *   execution:
 *
 *   QUEUED -> FORWARD -> completed
 *                |  a step failed for good, cancel, time-out
 *                v
 *             STOPPING -> (compensations, one at a time) -> rolled_back | rollback_failed | failed | cancelled
 *
 * Ownership  The state lives in the arena it was made in, with everything it keeps (values are copied in).
 *            Entries returned by decide and next live in the scratch arena of the call, and so does what is owed.
 * Units      *_ms is milliseconds since the Unix epoch, of the caller's clock; a timeout is a span of them.
 * Errors     What is refused has changed nothing: decide says why and as what, replay CTN_E_CORRUPT of an entry that
 *            the state does not allow.
 * Threads    None of its own, and no state but what is passed in.
 */
#pragma once
#include "chain/plan.h"
#include "core/entry.h"
#include "core/sensitive.h"
#include "core/status.h"

typedef struct ctn_execution ctn_execution;

typedef enum ctn_gate {
    CTN_GATE_OPEN,
    CTN_GATE_LATER,   /* no place is free: the caller asks next again when one may be */
    CTN_GATE_BREAKER, /* the tool's circuit breaker is open, until *ret_until_ms at least */
} ctn_gate;
typedef enum ctn_cached {
    CTN_CACHED_NOT, /* make the call */
    CTN_CACHED_HIT,
    CTN_CACHED_SOON, /* an equal call is in flight: the caller asks next again when it has ended */
} ctn_cached;

/* What a call used up, as its peer tells, or may use up. */
typedef struct ctn_used {
    int64_t tokens; /* 0: not told */
    ctn_str money;  /* a JSON number; empty: not told */
} ctn_used;

/* What the rules depend on besides the state; the same for all executions of an engine. */
#define CTN_CHAIN_DEPTH_MAX 128 /* however many are configured: whoever walks up or down a family goes so far */

typedef struct ctn_rules {
    /* What a tool does to the world, by the operator's word or trusted annotations; UNKNOWN: by kind. */
    ctn_effect (*effect_of)(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from);
    void *effect_ctx;
    /* May this call begin now? NULL: always. Asked each time that next would begin one; the answer is no promise, so a
     * place is taken when the start is applied. */
    ctn_gate (*gate)(void *ctx, const ctn_execution *x, const ctn_plan_set *set, const ctn_plan_call *call,
                     int64_t now_ms, int64_t *ret_until_ms);
    void *gate_ctx;
    /* What forbids this call although it could begin: a right that is missing, a quota that is used up. The step fails
     * with that, unsent; NONE: nothing. Not asked of what undoes. NULL: nothing is forbidden. */
    ctn_failure (*forbids)(void *ctx, const ctn_execution *x, const ctn_plan_set *set, ctn_err *err);
    void *forbids_ctx;
    /* What an earlier call with this key gave, if that is no older than ttl_ms. NULL: nothing is cached. The entry of
     * the call that follows has the key in its body (cacheKey), and so has the entry of its success. */
    ctn_cached (*cached)(void *ctx, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                         const ctn_json **ret_value);
    /* What the tool takes and gives, by content: part of the keys that no step words itself. False: nobody knows.
     * NULL: as that. */
    bool (*schema_of)(void *ctx, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest);
    /* The most that a call with these arguments may use of tokens and money; asked when there is a budget, which then
     * has room for it. With effect_ctx. False: nobody can say. NULL: as that. */
    bool (*most_of)(void *ctx, const ctn_plan_call *call, const ctn_json *args, ctn_arena *arena, ctn_used *ret_most);
    void *cached_ctx; /* of both */
    /* In a store that is cut by ids (store/fleet.h): where a sub-chain that begins now must live. It may change the
     * last ten bits of *id, which are its parent's; the entry says what was chosen. NULL: it lives with its parent. */
    void (*place_child)(void *ctx, const ctn_execution *x, uint32_t step, ctn_str chain, const ctn_json *args,
                        ctn_execution_id *id);
    void *place_ctx;
    bool retry_interrupted;    /* engine-wide `interrupted: retry` */
    size_t value_bytes_max;    /* of one variable; 0: 262,144 */
    size_t context_bytes_max;  /* of all variables of an execution together; 0: 1,048,576 */
    int64_t steps_max;         /* of an execution, each item of a foreach being one, retries none; 0: 10,000 */
    uint32_t depth_max;        /* of chains that call chains; 0: 16; at most CTN_CHAIN_DEPTH_MAX */
    int64_t journal_bytes_max; /* of all that an execution has journaled; 0: 67,108,864 */
    int64_t children_max;      /* sub-chains that an execution starts, retries included; 0: 1,000 */
    int64_t stop_grace_ms;     /* how long a stopping execution awaits calls that are no reads; 0: 5,000 */
} ctn_rules;

/* ---- inputs from outside ---- */

/* The reason of a PAUSE that comes from the parent; a RESUME with it ends no other pause. */
#define CTN_WITH_PARENT "with the chain that called it"

typedef enum ctn_role {
    CTN_ROLE_DO,   /* the step's own work */
    CTN_ROLE_UNDO, /* its compensation */
} ctn_role;

typedef enum ctn_input_kind {
    CTN_IN_CALL_ENDED,    /* or with `asks`: it goes on when that is answered */
    CTN_IN_CALL_ACCEPTED, /* its peer goes on by itself: `continuation` */
    CTN_IN_CHECK_ENDED,   /* the check call of a call whose fate is unknown */
    CTN_IN_CHILD_ENDED,   /* a sub-chain: `value` its outputs, or failure and message; of one that was undone, too */
    CTN_IN_ANSWER,
    CTN_IN_SETTLE, /* a person says what became of an interrupted call; of a budget that is used up: RETRY, FAIL */
    CTN_IN_SET,
    CTN_IN_CANCEL,
    CTN_IN_PAUSE,
    CTN_IN_RESUME,
    CTN_IN_UNDO,      /* of a completed sub-chain: its parent is rolled back */
    CTN_IN_START,     /* of a queued execution: it was admitted */
    CTN_IN_RECOVERED, /* loaded by a process that did not run it until now */
} ctn_input_kind;

typedef enum ctn_settle { CTN_SETTLE_RETRY, CTN_SETTLE_SUCCEED, CTN_SETTLE_FAIL } ctn_settle;

typedef struct ctn_input {
    ctn_input_kind kind;
    int64_t now_ms;
    uint64_t entropy; /* for jitter */
    ctn_str actor;    /* who; empty: "engine" */

    /* CALL_ENDED, CHECK_ENDED */
    uint32_t step, call;
    int64_t item; /* -1: the step as a whole */
    ctn_role role;
    uint32_t attempt;
    ctn_failure failure;
    const ctn_json *value;               /* also ANSWER, SETTLE succeed, SET */
    ctn_str message;                     /* of a failure; reason of CANCEL, PAUSE */
    const ctn_json *asks, *continuation; /* engine/driver.h; asks NULL: it has ended */
    bool was_sent, peer_is_dead;
    int64_t retry_after_ms;
    ctn_used used;
    /* When the call or the check was sent: settleMs runs from there, and a check's no is about that time. 0: not known
     */
    int64_t begun_at_ms;

    /* ANSWER, SETTLE, SET */
    ctn_str name; /* step, step/call, step[item] or step[item]/call; SET: variable. SETTLE: empty when only one is
                   * interrupted; the call of several may be left out when only one of them is meant */
    ctn_settle settle;
    bool not_happened;  /* SETTLE fail: it is certain that nothing happened */
    bool was_crash;     /* RECOVERED: the last owner died (a clean stop is no death) */
    bool was_elsewhere; /* RECOVERED: on another machine perhaps, where what it had begun may go on: a check's no counts
                         * only after settleMs */
} ctn_input;

/* ---- how one begins ---- */

/* What a start gives, defaults filled in, is held to the rules' sizes: CTN_E_LIMIT, with a sentence. */
int ctn_execution_check_input(const ctn_rules *rules, const ctn_json *input, ctn_err *err);
/* What people call an execution by: labels, an idempotency key, who they are. CTN_E_INVALID: control characters, or a
 * label that is no text; CTN_E_LIMIT: longer or more than is kept. */
#define CTN_LABELS_MAX       64
#define CTN_LABEL_BYTES_MAX  1024
#define CTN_REASON_BYTES_MAX 4096 /* of a pause or cancel */
int ctn_execution_check_names(const ctn_json *labels, ctn_str idempotency_key, ctn_str actor, ctn_err *err);

/* The step of another execution whose work an execution is. */
typedef struct ctn_parent {
    ctn_execution_id id;
    ctn_str step;
    int64_t item;
    uint32_t attempt;
    uint32_t depth; /* of the child: 1 for the first below */
} ctn_parent;

/* On whose behalf an execution runs; empty texts: nobody's in particular. */
#define CTN_LABEL_TENANT "tenant"
typedef struct ctn_origin {
    ctn_str principal;   /* whose rights its calls have */
    ctn_str tenant;      /* the label of that name */
    ctn_str traceparent; /* W3C trace context of whoever started it */
    bool has_priority;   /* another than the chain's own: */
    int priority;        /* 0 .. 9 */
} ctn_origin;

/* The first entry of an execution: queued (to be admitted later) or started. `input` was accepted by
 * ctn_plan_accept_input. labels and parent may be NULL. */
ctn_entry ctn_execution_first_entry(const ctn_plan *plan, ctn_arena *scratch, bool is_queued, int64_t chain_version,
                                    const ctn_json *input, const ctn_json *labels, const ctn_parent *parent,
                                    ctn_str actor, int64_t now_ms);

/* An execution may go on from an earlier one that has ended: what `going_on` names is not done again but stands as it
 * was recorded there (entry.h: from, reused). rerun.h makes it. check: CTN_E_INVALID when the plan has no such steps,
 * or they set no such variables; add: into an accepted first entry. */
int ctn_execution_check_reuse(const ctn_plan *plan, const ctn_json *going_on, ctn_err *err);
void ctn_execution_add_reuse(ctn_entry *first, ctn_arena *scratch, const ctn_json *going_on);

/* Inputs that are sensitive although the chain does not declare them so, into an accepted first entry. NULL: none. */
void ctn_execution_add_sensitive(ctn_entry *first, ctn_arena *scratch, const ctn_json *names);

/* Into an accepted first entry; its labels have the tenant already. */
void ctn_execution_add_origin(ctn_entry *first, ctn_arena *scratch, const ctn_origin *origin);

ctn_execution *ctn_execution_new(ctn_arena *arena, const ctn_plan *plan, ctn_execution_id id);

/* ---- the functions ---- */

/* CTN_OK: *ret_entry is to be applied and, if it is stored, recorded. CTN_E_STALE: the input speaks of an attempt
 * that is over; drop it. CTN_E_STATE, CTN_E_INVALID, CTN_E_NOT_FOUND: refused, the sentence says why; nothing
 * changes. */
int ctn_execution_decide(const ctn_execution *x, const ctn_rules *rules, const ctn_input *in, ctn_arena *scratch,
                         ctn_entry *ret_entry, ctn_err *err);
/* false: nothing follows by itself at this time. */
bool ctn_execution_next(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, uint64_t entropy,
                        ctn_arena *scratch, ctn_entry *ret_entry);
/* Asserts that the state allows the entry: decide let it through, or the journal lies. Assigns entry->seq when
 * it is stored and seq is 0 (live); checks it otherwise (replay). */
void ctn_execution_apply(ctn_execution *x, ctn_entry *entry);
/* So many bytes is the body of the entry that was applied last, as it goes to disk; replay knows it from the entry. */
void ctn_execution_note_stored(ctn_execution *x, size_t bytes);
/* The same for entries that come from disk: CTN_E_CORRUPT with a sentence instead of an assert. */
int ctn_execution_replay(ctn_execution *x, ctn_entry *entry, ctn_err *err);

typedef struct ctn_owed_call {
    uint32_t step, call;
    int64_t item; /* -1: the step as a whole */
    ctn_role role;
    bool is_check;
    uint32_t attempt;
    const ctn_plan_call *plan_call;
    const ctn_plan_set *set;
    const ctn_json *args;
    ctn_str key; /* idempotency key */
    /* It was begun before, and goes on (engine/driver.h). NULL: it begins. */
    const ctn_json *continuation, *answers;
    bool is_accepted; /* its peer has it already */
    int64_t timeout_ms, idle_timeout_ms;
    ctn_effect effect;
} ctn_owed_call;

/* A sub-chain's execution, and how it should be by now: there is one with this id, it runs, pauses, stops or is undone.
 * Its end is an input CHILD_ENDED. */
typedef struct ctn_owed_child {
    uint32_t step;
    int64_t item;
    ctn_role role;
    uint32_t attempt;
    ctn_execution_id child;
    ctn_str chain;         /* role DO: what it runs; ctn_plan_of_child makes its plan */
    const ctn_json *input; /* role DO: raw */
    enum { CTN_CHILD_RUN, CTN_CHILD_PAUSE, CTN_CHILD_CANCEL, CTN_CHILD_UNDO } wanted;
} ctn_owed_child;
typedef struct ctn_owed {
    ctn_owed_call *calls;
    size_t count;
    ctn_owed_child *children;
    size_t child_count;
    int64_t wake_at_ms; /* when next may have something to say; 0: never by itself */
} ctn_owed;
void ctn_execution_owed(const ctn_execution *x, const ctn_rules *rules, int64_t now_ms, ctn_arena *scratch,
                        ctn_owed *ret_owed);

/* ---- reading the state ----
 *
 * Sensitive values read "(sealed)" and messages that may repeat one are withheld, unless the execution reveals them;
 * what says so has a twin that gives the value itself, for those who go on working with it. */

void ctn_execution_reveal(ctn_execution *x);
/* What of it is sensitive; NULL: nothing. */
const ctn_sensitivity *ctn_execution_sensitivity(const ctn_execution *x);
/* Names of inputs that were added to what the chain declares; NULL: none. */
const ctn_json *ctn_execution_sensitive_also(const ctn_execution *x);
/* It was folded without its sensitive values: it can be looked at and not advanced. */
bool ctn_execution_is_hidden(const ctn_execution *x);

ctn_status ctn_execution_status(const ctn_execution *x);
uint64_t ctn_execution_seq(const ctn_execution *x); /* of the last stored entry */
const ctn_plan *ctn_execution_plan(const ctn_execution *x);
ctn_execution_id ctn_execution_id_of(const ctn_execution *x);
int64_t ctn_execution_started_at_ms(const ctn_execution *x);
int64_t ctn_execution_ended_at_ms(const ctn_execution *x);
const ctn_json *ctn_execution_variable(const ctn_execution *x, ctn_str name); /* NULL: never set */
/* NULL unless completed. */
const ctn_json *ctn_execution_outputs(const ctn_execution *x);
const ctn_json *ctn_execution_outputs_clear(const ctn_execution *x);
const ctn_json *ctn_execution_error_clear(const ctn_execution *x);
/* {code, message, step?, leftUndone?, notUndone?}; NULL: no error so far. */
const ctn_json *ctn_execution_error(const ctn_execution *x);
/* The body of the entry with which it began to wait for a budget; NULL: it does not. */
const ctn_json *ctn_execution_budget_wait(const ctn_execution *x);
/* What whoever paused it said; empty: nothing, or it is not paused. */
ctn_str ctn_execution_pause_reason(const ctn_execution *x);
/* What its calls used so far, as their peers told, and what is reserved for those under way. Texts are borrowed until
 * the next entry. */
typedef struct ctn_budget_view {
    int64_t calls, wall_ms, bytes, reserved_tokens;
    ctn_used used;          /* money empty: none */
    ctn_str reserved_money; /* empty: none */
    uint32_t grants;        /* how often a person granted the whole once more */
} ctn_budget_view;
ctn_budget_view ctn_execution_budget(const ctn_execution *x, int64_t now_ms);
bool ctn_execution_was_cancelled(const ctn_execution *x);
/* No new work begins: it failed, was cancelled or is out of time, and may be undone. */
bool ctn_execution_is_stopping(const ctn_execution *x);
/* True while a call that was begun may still end: nothing may unload the execution. */
bool ctn_execution_is_busy(const ctn_execution *x);

/* What it takes in memory, the plan not counted. */
size_t ctn_execution_bytes(const ctn_execution *x);

typedef struct ctn_step_view {
    ctn_step_status status;
    int64_t item; /* of a foreach under way: the one that is worst off, to which the rest belongs; else -1 */
    int64_t item_count, items_ended, items_failed; /* of a foreach */
    ctn_execution_id child;                        /* of a sub-chain; all zero: none */
    uint32_t fallback;                             /* n of the one that was taken; 0: none */
    const ctn_json *asked;                         /* waiting: the body of its entry; NULL */
    ctn_str call;                                  /* wants_input: which call of several asks; empty: the only one */
    uint32_t attempt;
    int64_t started_at_ms, ended_at_ms; /* 0: not yet */
    int64_t due_ms;                     /* retrying: the next attempt; waiting: its end; 0: none */
    ctn_failure failure;                /* of the last failed attempt, until one succeeds */
    ctn_str message;                    /* its sentence; waiting: the question */
    bool is_undoing;
    bool wants_approval; /* waiting for {"approved": ...} */
    bool wants_agent;    /* waiting for whoever does the work */
    bool wants_input;    /* waiting for answers to what the peer of its call asks: asked.asks (driver.h) */
    bool waits_for_child;
    bool is_with_peer;      /* running: the peer of its call goes on by itself */
    bool is_reused;         /* it ended in an earlier execution, and that stands */
    bool waits_for_breaker; /* retrying: the tool's circuit breaker is open */
    bool is_from_cache;     /* completed without a call */
    bool waits_for_time;    /* waiting, and ends by itself at due_ms */
} ctn_step_view;
ctn_step_view ctn_execution_step(const ctn_execution *x, uint32_t step);
/* What stands of a step once its execution has ended, for one that goes on from there. */
typedef struct ctn_step_record {
    ctn_step_status status;     /* completed, skipped, or failed (and the chain went on); pending: nothing to reuse */
    const ctn_json *variables;  /* completed: what it set, with what a person set in its place since */
    bool has_written;           /* a call of effect write was made, or may have been, and was not undone */
    ctn_execution_id child;     /* the sub-chain's execution that was not undone; all zero: none */
    ctn_execution_id execution; /* in which it was done: this one, or one that it goes on from */
} ctn_step_record;
ctn_step_record ctn_execution_step_record(const ctn_execution *x, uint32_t step, ctn_arena *arena);
/* What it was given, with what a person set in its place since. */
const ctn_json *ctn_execution_input(const ctn_execution *x, ctn_arena *arena);
/* {execution, reason: "rerun" | "fork", step?}; NULL: it began by itself. */
const ctn_json *ctn_execution_from(const ctn_execution *x);
/* All that is open, items of a foreach one by one. Returns how many were written. */
typedef struct ctn_open_task {
    uint32_t step;
    ctn_step_view view;
} ctn_open_task;
size_t ctn_execution_open_tasks(const ctn_execution *x, ctn_open_task *ret_tasks, size_t max);
/* The calls that are not in flight and would go on, most when they are answered: whoever ends them lets go of what they
 * would have gone on with. Returns how many. */
typedef struct ctn_asking_call {
    const ctn_plan_call *plan_call;
    const ctn_json *continuation;
} ctn_asking_call;
size_t ctn_execution_asking(const ctn_execution *x, ctn_arena *arena, ctn_asking_call **ret_calls);
/* The step whose work this one is; NULL: it was started by itself. */
const ctn_parent *ctn_execution_parent(const ctn_execution *x);
/* Sub-chains have their parent's. Never NULL. */
const ctn_origin *ctn_execution_origin(const ctn_execution *x);
/* A completed sub-chain that is being undone with its parent, or was. */
bool ctn_execution_was_reopened(const ctn_execution *x);
