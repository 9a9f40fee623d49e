/*
 * guess.h -- what the tools of a chain might answer, and what it might be started with.
 *
 * For every call of a plan there are some answers to choose from, the plainest first. They are made, in this order
 * of trust, from results of past executions, from the tool's own outputSchema, from what the chain does with the
 * answer (guessed). Inputs the same way, from inputSchema or from what reads them.
 *
 * Ownership  Lives in its arena; the plan and the schemas are borrowed.
 */
#pragma once
#include "chain/plan.h"
#include "core/execution.h"

typedef struct ctn_guess ctn_guess;

typedef struct ctn_guess_options {
    const ctn_plan *plan;
    const ctn_plan *const *children; /* of the chains that it starts, and those that they start; may be none */
    size_t child_count;
    /* The tool's outputSchema; NULL: not known. May be NULL itself. */
    const ctn_json *(*schema_of)(void *ctx, const char *kind, ctn_str target);
    void *schema_ctx;
    /* What a call of a step once answered; i counts up until NULL comes. May be NULL. */
    const ctn_json *(*recorded)(void *ctx, ctn_str step, ctn_str call, size_t i);
    void *recorded_ctx;
    const ctn_json *input; /* members that are given; NULL: none */
} ctn_guess_options;

#define CTN_GUESS_VARIANTS 24

/* CTN_E_INVALID: no input could be made that the plan accepts; the sentence is the plan's. */
int ctn_guess_new(ctn_arena *arena, const ctn_guess_options *options, ctn_guess **ret_guess, ctn_err *err);

/* What is guessed for this plan, one of those it was made with (or an equal one). */
const ctn_guess *ctn_guess_of(const ctn_guess *guess, const ctn_plan *plan);
/* What a step does: its own set's work, its undo, or the n-th fallback (from 1; 0: none). */
typedef struct ctn_guess_work {
    uint32_t step;
    ctn_role role;
    uint32_t fallback;
} ctn_guess_work;

/* variant: any number; the same one gives the same answer. */
const ctn_json *ctn_guess_answer(const ctn_guess *guess, ctn_guess_work work, uint32_t call, uint64_t variant);
/* How it was made: true for those that nobody but the chain's own reading told us about. */
bool ctn_guess_is_guessed(const ctn_guess *guess, ctn_guess_work work, uint32_t call);
/* For a step that waits for JSON from somebody. */
const ctn_json *ctn_guess_reply(const ctn_guess *guess, ctn_guess_work work, uint64_t variant);
const ctn_json *ctn_guess_input(const ctn_guess *guess, uint64_t variant);
/* A tool whose outputSchema nothing we made fits; empty: none. */
ctn_str ctn_guess_unmade(const ctn_guess *guess);
/* Calls whose answers are guessed, and all; those of sub-chains too. */
void ctn_guess_count(const ctn_guess *guess, size_t *ret_guessed, size_t *ret_all);
