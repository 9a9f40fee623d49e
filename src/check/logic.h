/*
 * logic.h -- can conditions come out in given ways on one and the same path through a chain?
 *
 * What the lint asks: "this reader runs, that producer is skipped, and the variable is null: can that be?" Each demand
 * is a condition and the outcomes that are wanted of it. The question is answered by search over what the conditions
 * look at: terms (a path, or a call or sum that is not looked into) take one value out of the few that the conditions
 * can tell apart, and each condition is evaluated with them.
 *
 * What must hold: "no" is a proof, as far as the language goes. "Yes" may be too generous: terms that depend on each
 * other (length({x}) and {x}) are taken as free, and who asks too much (terms, time) hears yes. So a warning that is
 * given for a "no" is certain, and one that is given for a "yes" says "may".
 *
 * Same values   Two terms are the same when their text means the same and every variable in them has the same
 *               version; what asks the clock or the step it stands in is the same only within that step.
 * Constants     What reads nothing, or only what is known to be null, is computed by the evaluator itself.
 */
#pragma once
#include "chain/keys.h"

enum { CTN_OUTCOME_SKIP = 1, CTN_OUTCOME_RUN = 2, CTN_OUTCOME_FAIL = 4, CTN_OUTCOME_ANY = 7 };

/* A version that no other step's condition sees. */
#define CTN_LOGIC_OWN_VERSION UINT32_MAX

typedef struct ctn_logic_world {
    /* Which value of `root` the condition of `step` sees: equal numbers are equal values. */
    uint32_t (*version)(void *ctx, uint32_t step, ctn_str root);
    /* The schema of what `path` leads to, when it is a checked input that nothing changed yet; NULL: nothing is known.
     * *ret_may_be_null: it may be missing. */
    const ctn_json *(*schema)(void *ctx, uint32_t step, const ctn_path *path, bool *ret_may_be_null);
    void *ctx;
} ctn_logic_world;

typedef struct ctn_logic ctn_logic;
ctn_logic *ctn_logic_new(ctn_arena *arena, const ctn_logic_world *world);

/* Demands gather until they are cleared, or taken back to a mark. */
typedef struct ctn_logic_mark {
    uint32_t demands, nulls;
} ctn_logic_mark;
void ctn_logic_clear(ctn_logic *logic);
ctn_logic_mark ctn_logic_save(const ctn_logic *logic);
void ctn_logic_restore(ctn_logic *logic, ctn_logic_mark mark);
/* The condition of `step` (NULL: none, which always runs) has one of the outcomes. */
void ctn_logic_demand(ctn_logic *logic, const ctn_expression *condition, uint32_t step, unsigned outcomes);
/* This version of the variable is missing or null. */
void ctn_logic_demand_null(ctn_logic *logic, ctn_str root, uint32_t version);

/* All of them together. */
bool ctn_logic_is_possible(ctn_logic *logic);

/* The outcomes that a condition could have if nothing were known of values: NULL only runs. */
unsigned ctn_logic_outcomes(const ctn_expression *condition);
