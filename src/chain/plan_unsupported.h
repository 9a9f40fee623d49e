/*
 * plan_unsupported.h -- what the language allows and this version does not run yet. Internal to core.
 */
#pragma once
#include "chain/graph.h"

/* The sentence that names the first such feature and where it is used; empty when everything can run. */
ctn_str ctn_plan_find_unsupported(const ctn_graph *graph);
