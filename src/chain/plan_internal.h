/*
 * plan_internal.h -- what plan.c asks of plan_build.c, and that of plan_unsupported.c. Nobody else includes this.
 */
#pragma once
#include "chain/plan.h"

/* In the graph's arena; without definitions. CTN_E_INVALID, _LIMIT: a schema does not compile. */
int ctn_plan_build(ctn_graph *graph, ctn_plan **ret_plan, ctn_err *err);
/* The sentence that names the first thing that the language allows and this version does not run, and where it is used;
 * empty when everything can run. */
ctn_str ctn_plan_find_unsupported(const ctn_graph *graph);
