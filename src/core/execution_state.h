/*
 * execution_state.h -- the state behind execution.h: what it is made of, and what can be asked of it.
 *
 * An execution has steps; a step is a task, and so is each open item of its foreach; a task has two works, what it does
 * and what undoes it; a work has calls. Everything else in ctn_execution is about all of them together, in groups that
 * change together: the context, the undoing, the budget, ...
 *
 * Who shares it:
 *
 *   neither judges nor folds
 *     execution.c            making an execution, reading it
 *     execution_state.c      making tasks and works, and what can be asked of them
 *   execution_judge.h   for those that judge and change nothing
 *     execution_judge.c      what all of them need: how an entry is written
 *     execution_decide.c     inputs from outside
 *     execution_next.c       what follows by itself
 *     execution_owed.c       what the world is owed
 *     execution_start.c      how the work of a task begins
 *     execution_wait.c       ... when it is to wait for people or for time
 *     execution_asks.c       a call's peer asks, and people answer
 *     execution_attempt.c    how a call ends, and with it the attempt
 *     execution_value.c      rendering from the context, taking results into it
 *     execution_limits.c     how much an execution may hold, and how many steps it may take
 *   execution_fold.h    for those that fold an entry in and judge nothing
 *     execution_fold.c       any entry, live or in a replay
 *     execution_apply.c      the kinds of entries: what each needs of the state, and what it changes
 *     execution_first.c      ... of the first: what an execution begins with
 *     execution_reuse.c      what an earlier execution has done already, and what stands of this one for the next
 *     execution_turns.c      whose turn it is: ready, active, ended, and what comes next
 *     execution_stop.c       the chain goes on no more: letting go, and the order of undoing
 *     execution_context.c    the variables, and how much they hold
 *   both, for what is judged and folded by the same arithmetic
 *     execution_foreach.c    the items of a foreach
 *     execution_budget.c     what may be used up
 *
 * Calls lead one way: decide and next, start, attempt, value; fold, apply, stop, turns, context. Nobody else includes
 * any of it. ctn_x_ begins the name of what is shared among these files, and of nothing else.
 */
#pragma once
#include "core/execution.h"

typedef enum call_phase {
    CALL_IDLE,
    CALL_RUNNING,
    CALL_WAITING, /* its peer asks: somebody must answer, then it is IDLE, and goes on */
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
    /* Of this attempt: what the call goes on with, once its peer asked or accepted it; NULL: it begins. */
    const ctn_json *continuation;
    const ctn_json *answers;  /* to go with it; NULL: nothing was asked */
    bool is_accepted;         /* the peer goes on by itself: no death of the engine cuts the call off */
    uint32_t rounds;          /* how often it asked */
    int64_t spent_ms;         /* of its timeoutMs, before it asked */
    const ctn_json *reserved; /* RUNNING: of the budget, what it may take; NULL: nobody could say */
    const ctn_json *asked;    /* WAITING: what is told of it (ctn_step_view) */
    const ctn_json *asked_shown;
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
    struct task *task;
    ctn_role role;
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
    const ctn_plan_step *plan; /* of that step */
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

typedef struct task_list {
    task **items;
    uint32_t count;
    size_t capacity;
} task_list;

/* The variables, and what else is held for them. */
typedef struct slot_state {
    const ctn_json *value;   /* NULL: never set */
    const ctn_json *by_hand; /* what a person set, while that stands; NULL: nobody did */
    size_t bytes;            /* of the value, as JSON */
    uint32_t setter;         /* step + 1 that set it last; 0: none, or the start */
} slot_state;
typedef struct context {
    const ctn_json *input; /* the whole input, extra names included */
    slot_state *slots;     /* by slot of the plan */
    size_t bytes;          /* of all variables */
    size_t held_bytes;     /* results of calls whose siblings go on, and values of a foreach under way */
} context;

/* What was used of the plan's budget. */
typedef struct budget_state {
    int64_t calls, bytes, tokens;
    int64_t bytes_most, tokens_most; /* of one call */
    char money[64], money_most[64];  /* decimals; empty: 0 */
    uint32_t in_flight;
    /* Of those in flight for which something is reserved: how many, and what. */
    uint32_t reserved_count;
    int64_t tokens_reserved;
    char money_reserved[64];
    uint32_t grants;       /* how often a person granted the whole once more */
    bool is_awaited;       /* parked until somebody does, or ends it */
    const ctn_json *asked; /* the body of the entry that says so */
} budget_state;

/* A pause, by a person or with the parent, and those before it. */
typedef struct pause_state {
    bool is_with_parent;
    ctn_str reason;
    int64_t at_ms;
    uint64_t seq;     /* it came after this entry; 0: an engine ended since then */
    int64_t total_ms; /* of those that are over */
} pause_state;

/* Why the chain goes on no more. */
typedef struct stop_state {
    int64_t at_ms;
    ctn_failure cause; /* CANCELLED: somebody asked for it */
    ctn_str message, step;
    int64_t item; /* -1: none */
} stop_state;

typedef struct undo_state {
    task_list completed; /* what may have to be undone, in the order of completion */
    task_list doubtful;  /* items that ended without a known fate */
    task_list queue;     /* in the order in which they are undone; empty until all is quiet */
    uint32_t cursor;
} undo_state;

typedef struct end_state {
    ctn_status status;
    int64_t at_ms;
    const ctn_json *outputs, *error;
    const ctn_json *outputs_shown, *error_shown; /* without what is sensitive */
} end_state;

/* An earlier execution from which this one goes on. */
typedef struct reuse_state {
    const ctn_json *from; /* NULL: none */
    uint32_t *due;        /* reused steps whose turn has come, within apply */
    uint32_t due_count;
} reuse_state;

struct ctn_execution {
    ctn_arena *arena;
    const ctn_plan *plan;
    ctn_execution_id id;
    ctn_id_text id_text; /* of the same; it begins every key */
    ctn_parent parent;   /* depth 0: none */
    ctn_origin origin;
    uint64_t seq; /* of the last stored entry */

    bool is_queued, is_started, is_paused;
    bool is_stopping;
    bool is_undoing; /* stopping, and nothing is in flight */
    bool has_ended;
    bool was_reopened;
    int64_t started_at_ms;

    step_state *steps;
    work **active; /* those that may still do something */
    uint32_t active_count;
    size_t active_capacity;
    uint32_t starts;       /* counter behind start_order */
    int64_t turns;         /* how many steps' turns have come; items count, and not the foreach itself */
    uint32_t ended_count;  /* steps */
    int64_t journal_bytes; /* bodies of what was stored */
    int64_t children;      /* sub-chains that were begun for steps' work */

    context context;
    budget_state budget;
    pause_state pause;
    stop_state stop;
    undo_state undo;
    end_state end;
    reuse_state reuse;

    const ctn_sensitivity *sensitivity; /* NULL: nothing of it is sensitive */
    const ctn_json *sensitive_also;
    bool reveals, is_hidden;
};

/* ---- making it: execution_state.c ---- */

void ctn_x_task_init(const ctn_execution *x, task *t, uint32_t step, int64_t item, ctn_arena *arena);
/* Another set for the work, or NULL for a value. */
void ctn_x_work_init(work *w, const ctn_plan_set *set);
void ctn_x_list_add(ctn_execution *x, task_list *list, task *t);

/* ---- what can be asked of it: execution_state.c ---- */

/* The task an entry or input is about; NULL: there is none now. */
task *ctn_x_task(const ctn_execution *x, uint32_t step, int64_t item);
bool ctn_x_has_ended(const task *t);
/* Nobody knows whether all, some or nothing of the task happened. */
bool ctn_x_fate_is_unknown(const task *t);
/* A sub-chain that has no rollbackAction of its own is undone by undoing the child. */
bool ctn_x_is_undone_by_child(const task *t);
bool ctn_x_has_undo(const ctn_execution *x, const task *t);

uint32_t ctn_x_call_count(const work *w);
bool ctn_x_any_call(const work *w, call_phase phase);
/* The first call that may begin now; call_count when none. In turn: only the first that is not done. */
uint32_t ctn_x_startable_call(const work *w);
/* Of work that is running: people must say something before anything of it goes on. */
bool ctn_x_is_for_people(const work *w);
/* It is not in flight, and its peer has something of it, with which it would go on. */
bool ctn_x_is_left_with_peer(const call_state *c);
bool ctn_x_call_is_last(const work *w, uint32_t call); /* all others are done */
bool ctn_x_had_write(const work *w);
/* Of work that is ready or backs off, as the journal has it: a call of it that may be repeated, and so left no record
 * of its start, can be under way, or was when the engine ended. */
bool ctn_x_may_have_begun(const ctn_execution *x, const work *w, int64_t now_ms);
/* The check still has to be asked for a call of unknown fate. */
bool ctn_x_wants_check(const work *w, const call_state *c);
/* {id}/{step}[item]/{call}/do | fallback n | undo: one per call, the same on every attempt. */
ctn_str ctn_x_key(const ctn_execution *x, const work *w, uint32_t call, ctn_arena *arena);
/* What the results of its calls count for. */
size_t ctn_x_held_by(const work *w);

/* When the plan's timeoutMs is over; 0: it has none, or time does not count now. */
int64_t ctn_x_deadline_ms(const ctn_execution *x);

/* ---- execution_foreach.c ---- */

task *ctn_x_each_find(const ctn_execution *x, uint32_t step, int64_t item); /* NULL: it is no open task */
const ctn_json *ctn_x_each_variables(const ctn_execution *x, uint32_t step, ctn_arena *arena); /* the lists */
