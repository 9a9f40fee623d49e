/*
 * timeline.h -- an execution's attempts, each with its span of time, as the journal tells them.
 *
 * The records of a journal are added in order, and what comes out is one row for each attempt at a step, an item of a
 * foreach, or an undo: when it began and ended, how, and what it waited for.
 *
 * What the journal does not say is not made up. The starts of calls that may be repeated are not recorded: such a row
 * begins when the attempt could begin (its predecessors had ended, its back-off was over, a place among the items was
 * free), and start_is_recorded is false. A row without an end is under way.
 *
 * Ownership  Texts live in the arena, the tables until free; the plan is borrowed, records are copied.
 * Units      *_at_ms is milliseconds since the Unix epoch; 0: not, or not yet.
 */
#pragma once
#include "chain/plan.h"
#include "core/entry.h"

typedef enum ctn_attempt_role { CTN_ATTEMPT_DO, CTN_ATTEMPT_UNDO } ctn_attempt_role;

typedef enum ctn_attempt_status {
    CTN_ATTEMPT_READY,   /* nothing is recorded of it: it is about to begin, or under way */
    CTN_ATTEMPT_RUNNING, /* begun */
    CTN_ATTEMPT_WAITING,
    CTN_ATTEMPT_INTERRUPTED, /* somebody must say what became of it */
    CTN_ATTEMPT_UNKNOWN,     /* nobody knows what became of it (yet) */
    CTN_ATTEMPT_COMPLETED,
    CTN_ATTEMPT_CACHED, /* completed, with an earlier call's result */
    CTN_ATTEMPT_SKIPPED,
    CTN_ATTEMPT_FAILED,
    CTN_ATTEMPT_CANCELLED, /* the chain was stopped meanwhile */
    CTN_ATTEMPT_STATUS_COUNT
} ctn_attempt_status;
const char *ctn_attempt_status_name(ctn_attempt_status status); /* "completed" */

typedef struct ctn_timeline_row {
    uint32_t step;
    uint32_t attempt; /* 0: skipped */
    int64_t item;     /* of a foreach, from 0; -1: none, or the foreach as a whole */
    ctn_attempt_role role;
    ctn_attempt_status status;
    bool start_is_recorded;
    bool is_each;      /* a foreach as a whole */
    uint32_t fallback; /* 0: the step's own work; else which one does it */
    int64_t started_at_ms, ended_at_ms;
    int64_t wait_from_ms, wait_until_ms; /* it waited; until 0: to its end */
    uint64_t seq;                        /* of the first entry about it; 0: none yet */
    int64_t next_at_ms;                  /* after a failure: when the next attempt is due */
    ctn_str code, message;               /* of a failure; waiting: the question */
    ctn_str by;                          /* who answered or decided; empty: nobody */
    ctn_str child;                       /* the execution of a sub-chain; empty: none */
    int64_t tokens;                      /* that its calls used up, as they told; 0: none were told */
    ctn_str money;                       /* likewise, a decimal; empty: none */
} ctn_timeline_row;

/* What happened to the execution as a whole. */
typedef struct ctn_timeline_mark {
    int64_t at_ms;
    const char *what; /* "paused", "it was told to stop" */
    ctn_str by, text;
} ctn_timeline_mark;

typedef struct ctn_timeline ctn_timeline;

ctn_timeline *ctn_timeline_new(ctn_arena *arena, const ctn_plan *plan);
void ctn_timeline_free(ctn_timeline *timeline); /* before its arena and plan go; NULL is fine */
/* scratch may be reset afterwards. CTN_E_CORRUPT when its body does not parse or it names no step of the plan. */
int ctn_timeline_add(ctn_timeline *timeline, const ctn_record *record, ctn_arena *scratch, ctn_err *err);
/* After the last record: adds what is ready and of which nothing is recorded, and sorts: steps by their first start,
 * within a step by item and attempt; undos, which happen one at a time, as they happened. */
void ctn_timeline_finish(ctn_timeline *timeline, int64_t now_ms);

const ctn_timeline_row *ctn_timeline_rows(const ctn_timeline *timeline, size_t *ret_count);
const ctn_timeline_mark *ctn_timeline_marks(const ctn_timeline *timeline, size_t *ret_count);
/* A row that is shown, or how many items are not (row NULL). */
typedef struct ctn_timeline_line {
    const ctn_timeline_row *row;
    size_t left_out, completed, failed, retried;
    int64_t from_ms, to_ms; /* of what is left out */
} ctn_timeline_line;

/* For people: all rows, but of a foreach with more than CTN_TIMELINE_ITEMS rows of items only some (the first, the
 * slowest, the first that failed for good) and then one line that counts the rest. What has no end counts to now_ms. */
#define CTN_TIMELINE_ITEMS 12
const ctn_timeline_line *ctn_timeline_fold(const ctn_timeline *timeline, ctn_arena *arena, int64_t now_ms,
                                           size_t *ret_count);
int64_t ctn_timeline_begun_at_ms(const ctn_timeline *timeline); /* queued or started; 0: no record */
int64_t ctn_timeline_ended_at_ms(const ctn_timeline *timeline); /* 0: not yet */
/* Steps of which no row tells: their turn has not come, or never did. */
uint32_t ctn_timeline_unseen_count(const ctn_timeline *timeline);
/* Steps that an earlier execution did: they are among neither. */
uint32_t ctn_timeline_reused_count(const ctn_timeline *timeline);
