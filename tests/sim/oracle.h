/*
 * oracle.h -- what one execution may do, judged by its chain's description, by what came to disk and by what the
 * world really did. It knows nothing of core's state: it reads every record as it comes to disk and keeps its own
 * small picture, so that core and oracle cannot be wrong in the same way by sharing a line.
 *
 * The promises it holds an execution to (the numbers are those of the design):
 *   1 recorded once    A call whose success is on disk is never made again, a step ends once, a skipped one never runs.
 *   2 before effect    A call begins only when its execution has nothing that is not on disk, when its predecessors
 *                      have ended on disk, not while paused, not before its back-off is over; a write only when the
 *                      start of just that attempt is on disk.
 *   3 never guess      A write takes effect once. A lost one is called unknown, and goes on only after a check that is
 *                      true, a person, or the policy that its chain stated; a "no" that is believed stays true.
 *   4 always ends      What is parked waits for something that can be named, and its wake time is the right one.
 *   5 all is in there  What a record says was so: somebody gave that answer, the condition says skip, the arguments are
 *                      those of the first attempt, a back-off has its length, an end says what happened, and outputs
 *                      are there only for who completed.
 * And compensation: in its order, of what was done or may have been and of nothing else, all of it.
 *
 * The first promise that is broken is told in `failure` and stands; what comes after it means nothing.
 */
#pragma once
#include "core/execution.h"
#include "engine/driver.h"
#include "sim/generate.h"

typedef struct sim_failure {
    bool is_told;
    char why[700];
} sim_failure;

/* A call by its key: what the world did, and what the disk says. */
typedef struct deed {
    struct deed *next; /* of its task */
    struct judged_task *task;
    char key[112];
    int fallback, call; /* fallback 0: the step's own set */
    ctn_role role;
    const spec_work *set;
    ctn_effect effect;
    /* the world */
    int begins, effects;
    int on_the_way;                  /* effects of calls that were sent and may still arrive */
    uint32_t replied_attempt;        /* of the last reply */
    ctn_failure reply;               /* NONE: it succeeded */
    bool reply_was_sent, was_broken; /* broken: a success that lacks what the step takes */
    int64_t retry_after_ms;
    uint32_t codes_seen; /* bits of ctn_failure: all it ever failed with */
    uint32_t begun_attempt;
    /* the disk */
    uint32_t started_attempt, unknown_attempt, failed_attempt, settled_attempt;
    uint32_t refused_attempt; /* failed with what the world's last reply said: its wish counts */
    bool is_done, has_args, start_is_stored;
    bool is_in_doubt;      /* lost, and not settled */
    bool said_yes;         /* a check or a person: it happened */
    bool is_asked;         /* a person must say */
    bool may_go_again;     /* it was lost, and the rules let it go on all the same */
    bool may_happen_twice; /* its chain said so: onInterrupted: retry */
    uint64_t args_hash;
    uint64_t args_seq; /* when they were seen */
} deed;

typedef enum judged_end { NOT_ENDED, JUDGED_COMPLETED, JUDGED_SKIPPED, JUDGED_CONTINUED, JUDGED_FAILED } judged_end;

typedef struct judged_work {
    uint32_t attempt;
    int64_t retries;
    int fallback, fallback_due; /* due: decided, and not taken yet */
    bool is_backing_off, is_waiting, is_answered, is_asked, has_failed, is_done;
    int64_t due_ms;
} judged_work;

typedef struct judged_variable {
    enum { VARIABLE_UNSET, VARIABLE_NULL, VARIABLE_NUMBER, VARIABLE_BOOL, VARIABLE_LIST } kind;
    int64_t number;
} judged_variable;

/* A step, or an item of its foreach. */
typedef struct judged_task {
    struct judged_task *next;
    int step;
    int64_t item; /* -1: the step */
    judged_work work[2];
    judged_end end;
    int completed_order; /* 1.. */
    int start_order;     /* of the first recorded start, 1.. */
    int64_t answered;    /* of an agent: what was said */
    judged_variable variable;
    bool is_hit; /* out of the cache: never undone */
    deed *deeds;
} judged_task;

typedef struct judged_step {
    judged_task whole;
    judged_task *items; /* those that were heard of */
    bool has_items;     /* its foreach has begun */
    int64_t item_count; /* of it */
} judged_step;

/* What calls of a chain's steps were answered, over all of its executions: bits of values. Shared by their oracles. */
typedef struct given_values {
    uint32_t of_step[SPEC_STEPS_MAX];
} given_values;

typedef struct oracle {
    const spec *spec;
    given_values *given;
    sim_failure *failure;
    bool retries_interrupted; /* engine-wide `interrupted: retry` */
    int64_t input_n;
    ctn_execution_id id;
    uint64_t seq;
    ctn_digest hash;
    bool is_started, is_paused, is_stopping, has_ended;
    bool cancel_is_requested; /* by a person: it was asked for */
    ctn_status end;
    ctn_failure cause;
    int64_t started_at_ms, paused_at_ms, paused_ms, stop_at_ms;
    uint64_t set_seq; /* of the last `set` */
    bool was_at_rest; /* since it was paused: what was decided before the pause has been sent */
    judged_step steps[SPEC_STEPS_MAX];
    int completed_count, start_count;
    ctn_arena *arena;                /* the world's: tasks and deeds stay where they are */
    int kinds[CTN_ENTRY_KIND_COUNT]; /* records on disk */
    int unknowns, backoffs, settlements, hits;
} oracle;

/* Everything of the step's work and undo that was heard of: fn returns true to stop. */
typedef bool deed_fn(void *ctx, deed *d);
bool oracle_each_deed(oracle *o, int step, deed_fn *fn, void *ctx);
/* A record came to disk. */
void oracle_record(oracle *o, const ctn_record *record);
/* A call is begun. `seq_in_memory` is the execution's, as the engine has it. */
deed *oracle_begin(oracle *o, const ctn_call_request *request, int64_t now_ms, uint64_t seq_in_memory);
/* A check is begun: the deed it asks about. */
deed *oracle_check(oracle *o, const ctn_call_request *request);
/* The call really did its work. */
void oracle_effect(oracle *o, deed *d);
/* Nothing is on its way to disk, and nothing is due. */
void oracle_rest(oracle *o);
/* An outcome is still being asked for. */
bool oracle_is_in_doubt(oracle *o);
/* When the store must give it back by itself, while it is parked; 0: never. */
int64_t oracle_wake_at_ms(const oracle *o);
/* What it waits for, for a person to do something about; NULL: nothing that a parked one may wait for. */
const char *oracle_waits_for(const oracle *o);
/* All is over and nothing can arrive any more: does the end say what happened? */
void oracle_end(oracle *o);
void sim_fail(sim_failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));
