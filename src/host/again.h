/*
 * again.h -- a new execution that goes on from one that has ended: `rerun` and `fork`, for the command line and the
 * API.
 *
 * What is reused is decided here, from the store: an ended execution does not change any more, so it does not matter
 * who owns the store meanwhile. The owner gets it with the start, and checks that it fits the chain.
 */
#pragma once
#include "core/rerun.h"
#include "fleet/request.h"
#include "host/workspace.h"
#include "store/seal.h"

typedef struct ctn_again_options {
    const ctn_workspace *ws;
    ctn_store *store;
    ctn_seal *seal; /* what it takes over is sealed anew in the new one; NULL: nothing can be opened */
    const ctn_execution_row *row;
    /* Compiled from the chain as it is now: the request's from here on, also when this fails. NULL: the definitions of
     * the old one. */
    ctn_plan *plan;
    const ctn_json *input; /* in place of what the old one had; NULL: nothing */
    ctn_str from_step;     /* rerun; empty: fork */
    const ctn_str *writes; /* steps that may write a second time */
    size_t write_count;
} ctn_again_options;

typedef struct ctn_again {
    ctn_execution *old;
    ctn_rerun rerun;
    uint32_t step_count;
} ctn_again;

/* Fills in what the start needs: plan, input, labels, what it goes on with. CTN_E_DENIED: writes would be repeated that
 * were not named; ret->rerun has their steps. CTN_E_STATE: it has not ended, or nothing is different. On failure the
 * request has no plan. Call _done in any case. */
int ctn_again_start(const ctn_again_options *options, ctn_arena *arena, ctn_request *q, ctn_again *ret, ctn_err *err);
void ctn_again_done(ctn_again *again);
