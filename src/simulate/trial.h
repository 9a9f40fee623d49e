/*
 * trial.h -- a chain tried out in many worlds: what a campaign needs put together, and what it found as JSON. For
 * whoever lets people try chains.
 *
 * Ownership  What the options name is borrowed until _close.
 * Threads    One thread's at a time: all of a trial may be done on a thread of its own.
 */
#pragma once
#include "simulate/campaign.h"
#include "simulate/guess.h"
#include "simulate/sub_chains.h"

typedef struct ctn_trial_options {
    ctn_plan *plan; /* what is sensitive of it is filled in */
    const ctn_json *input; /* members that are given; NULL: none */
    ctn_rules rules;
    /* Of tools: effects, output schemas, results of earlier executions; each may be NULL. */
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target, const char **ret_from);
    const ctn_json *(*schema_of)(void *ctx, const char *kind, ctn_str target);
    const ctn_json *(*recorded)(void *ctx, ctn_str step, ctn_str call, size_t i);
    void *ctx; /* of all three */
} ctn_trial_options;

typedef struct ctn_trial {
    ctn_arena *arena;
    ctn_sub_chains children;
    ctn_guess *guess;
    ctn_campaign *campaign;
} ctn_trial;

/* CTN_E_INVALID: no input could be made that the chain accepts, or it does not start. What was made is for _close, also
 * after an error. */
int ctn_trial_open(ctn_arena *arena, const ctn_trial_options *options, ctn_trial *ret_trial, ctn_err *err);
void ctn_trial_close(ctn_trial *trial); /* all zero is fine */

/* {kind, severity, step, message} */
ctn_json_builder ctn_hazard_to_json(ctn_arena *arena, const ctn_hazard *hazard);
/* {chain, worlds, planned, ..., findings}; replay (may be NULL): how a world is seen again, in words. */
const ctn_json *ctn_tally_to_json(ctn_arena *arena, ctn_str chain_id, const ctn_campaign_tally *tally,
                                  ctn_str (*replay)(void *ctx, uint64_t seed), void *ctx);
/* One world: {chain, seed, scenario, status, inModel, findings, story}. *ret_is_bad: something bad happens in it. */
int ctn_trial_tell(ctn_trial *trial, ctn_str chain_id, uint64_t seed, ctn_arena *arena, const ctn_json **ret_story,
                   bool *ret_is_bad, ctn_err *err);
