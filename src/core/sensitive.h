/*
 * sensitive.h -- which values of an execution are sensitive, and where they stand in its entries.
 *
 * Sensitive are the variables that the chain declares (`sensitive`), those that whoever started it adds (the sub-chain
 * of a sensitive argument), and what is rendered from them: what a transform makes of them, the value of a fallback, a
 * document, the items of a foreach, an output by an expression, what a sub-chain gives that is sensitive there. What
 * another tool answers is followed no further than the variables that are declared. It is asked of the plan and does
 * not regard in which order steps run, so it says rather too much than too little. (The rule sensitive-flow asks
 * something else, along the order of the steps: what leaves, and from where it came.)
 *
 * A step is touched when one of its texts reads something sensitive or one of its outputs is: what it says (messages,
 * progress, answers, questions) may repeat it.
 *
 * Ownership  In the arena given; it borrows the plan.
 */
#pragma once
#include "chain/plan.h"
#include "core/entry.h"
#include "core/sealed.h"

typedef struct ctn_sensitivity ctn_sensitivity;

/* also: list of names of inputs, NULL: none. NULL: nothing of such an execution is sensitive. */
const ctn_sensitivity *ctn_sensitivity_of(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena);

/* The same; the plan's own where that was found out (plan->sensitivity) and has all that is added: a sub-chain is
 * started with values that it declares itself, mostly, and nothing is analysed for each of its executions. */
const ctn_sensitivity *ctn_sensitivity_with(const ctn_plan *plan, const ctn_json *also, ctn_arena *arena);

/* Of a variable, or an input that no text reads. s may be NULL, here and below: then nothing is. */
bool ctn_sensitive_name(const ctn_sensitivity *s, ctn_str name);
bool ctn_sensitive_step(const ctn_sensitivity *s, uint32_t step);
bool ctn_sensitive_queue_key(const ctn_sensitivity *s);
/* The names of those members of a sub-chain's input that are; NULL: none. */
const ctn_json *ctn_sensitive_members(const ctn_sensitivity *s, uint32_t step, const ctn_json *args, ctn_arena *arena);
/* The message of this error {code, message, step?} may repeat one. */
bool ctn_sensitive_error(const ctn_sensitivity *s, const ctn_json *error);
/* An error and outputs as they may be shown. */
const ctn_json *ctn_sensitive_hide_error(const ctn_sensitivity *s, const ctn_json *error, ctn_arena *arena);
const ctn_json *ctn_sensitive_hide_outputs(const ctn_sensitivity *s, const ctn_json *outputs, ctn_arena *arena);
const ctn_json *ctn_sensitive_hide_input(const ctn_sensitivity *s, const ctn_json *input, ctn_arena *arena);

/* Where in the entry's body something sensitive stands. */
ctn_places ctn_sensitive_places(const ctn_sensitivity *s, const ctn_entry *entry, ctn_arena *arena);
