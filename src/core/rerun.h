/*
 * rerun.h -- which recorded results of an ended execution a new one may reuse, and which steps it does again.
 *
 * A step is done again when
 *   - it is the one that is named (rerun --from), or there is nothing of it to reuse: it never came to its end, or was
 *     undone;
 *   - it is another by now (fork with a newer definition): its inputs, condition, items, outputs, document, or the
 *     instruction set, fallback or sub-chain that does its work. What only says how often, how long or in which order
 *     (retryConfig, timeoutMs, dependsOn, ...) changes no recorded result;
 *   - it reads a variable whose value may be another: a changed input, or one that some step set which is done again,
 *     is new or is gone, and that no reused step has set since.
 * Every other step is reused, also when it comes later in the order.
 *
 * What must hold: no call of effect write that was made, or may have been, and was not undone, is made a second time
 * unless its step was named. Pure: nothing is read but the state, the plans and the input.
 *
 * Ownership  The result lives in the arena, and points into the old state.
 */
#pragma once
#include "core/execution.h"

typedef struct ctn_rerun_options {
    const ctn_execution *old; /* ended */
    const ctn_plan *plan;     /* of the new one: made of the same definitions, or of newer ones */
    const ctn_json *input;    /* of the new one, as the plan accepted it */
    ctn_str from_step;        /* rerun: done again, and named by that; empty: a fork */
    const ctn_str *writes;    /* steps that may write a second time */
    size_t write_count;
    /* Did the execution of a sub-chain write, and was that not undone? NULL: all did. */
    bool (*child_has_written)(void *ctx, ctn_execution_id child);
    void *child_ctx;
} ctn_rerun_options;

typedef struct ctn_rerun {
    const ctn_json *going_on; /* {from, reused}, for the first entry */
    uint32_t reused_count;
    const ctn_str *unnamed_writes; /* CTN_E_DENIED: what would write a second time */
    size_t unnamed_count;
} ctn_rerun;

/* CTN_E_STATE: the old one has not ended, or nothing is different. CTN_E_NOT_FOUND: there is no such step.
 * CTN_E_DENIED: writes would be repeated that were not named; *ret has their steps. The sentence says all. */
int ctn_rerun_plan(ctn_arena *arena, const ctn_rerun_options *options, ctn_rerun *ret, ctn_err *err);
