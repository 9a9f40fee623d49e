/*
 * sub_chains.h -- the plans of the chains that a plan starts, and of those that they start.
 */
#pragma once
#include "chain/plan.h"

#define CTN_SUB_CHAINS_MAX 64

typedef struct ctn_sub_chains {
    ctn_arena *arena;
    const ctn_plan *plans[CTN_SUB_CHAINS_MAX];
    size_t count;
} ctn_sub_chains;

/* Each chain once, out of the plan's own definitions. What is sensitive of each, and of the plan itself, is found out
 * here: once, not in each world. CTN_E_LIMIT: more than CTN_SUB_CHAINS_MAX. */
int ctn_sub_chains_open(ctn_sub_chains *children, ctn_plan *plan, ctn_err *err);
void ctn_sub_chains_close(ctn_sub_chains *children); /* all zero is fine */
