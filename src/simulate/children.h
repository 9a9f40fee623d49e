/*
 * children.h -- the plans of the chains that a plan starts, and of those that they start.
 */
#pragma once
#include "chain/plan.h"

#define CTN_CHILDREN_MAX 64

typedef struct ctn_children {
    ctn_arena *arena;
    const ctn_plan *plans[CTN_CHILDREN_MAX];
    size_t count;
} ctn_children;

/* Each chain once, out of the plan's own definitions. CTN_E_LIMIT: more than CTN_CHILDREN_MAX. */
int ctn_children_open(ctn_children *children, const ctn_plan *plan, ctn_err *err);
void ctn_children_close(ctn_children *children); /* all zero is fine */
