/*
 * plans.h -- the plans in use: one for each set of definitions, however often it is added or read back. They stay as
 * long as the engine.
 */
#pragma once
#include "engine/engine.h"

/* A sub-chain's plan, as far as one was started. */
typedef struct child_plan {
    struct child_plan *next;
    const ctn_plan *plan;
    int64_t version;
} child_plan;

typedef struct plan_ref {
    struct plan_ref *next;
    ctn_plan *plan;
    ctn_digest key; /* over all its definitions' digests */
    child_plan *children;
    /* binding.c: is it known what its tools do to the world? */
    ctn_engine *engine;
    uint32_t preparing; /* prepares under way */
    bool is_bound;      /* none is any more: executions may advance */
    bool was_told;      /* and were told so */
} plan_ref;

void ctn_eng_plans_lend(ctn_engine *e); /* those of the options: as good as compiled here */
void ctn_eng_plans_free(ctn_engine *e);
plan_ref *ctn_eng_plan_ref(const ctn_engine *e, const ctn_plan *plan);     /* NULL: it was not added */
plan_ref *ctn_eng_plan_by_key(const ctn_engine *e, const ctn_digest *key); /* NULL: it is not in use */
/* Takes it. Frees it when one of the same definitions is in use, which is the one to use then. */
plan_ref *ctn_eng_plan_keep(ctn_engine *e, ctn_plan *plan);
/* Of a chain as it is now, by the word of the options' chain_find: fills in plan and version. *ret_again: it is there,
 * and the store could not be written just now. */
int ctn_eng_plan_find(ctn_engine *e, ctn_str chain_id, ctn_str created_by, ctn_start *ret_start, bool *ret_again,
                      ctn_err *err);
/* The plan of a sub-chain, out of its parent's definitions. */
int ctn_eng_plan_of_child(ctn_engine *e, plan_ref *parent, ctn_str chain_id, const child_plan **ret_plan, ctn_err *err);
/* True, once: plans were bound since the last time, and their executions may advance. */
bool ctn_eng_plans_were_bound(ctn_engine *e);
