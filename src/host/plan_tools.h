/*
 * plan_tools.h -- what is known of the tools that a plan calls, without calling them: what their servers list (schemas,
 * annotations), and what they once answered, out of a store.
 */
#pragma once
#include "host/host.h"

typedef struct ctn_plan_tools ctn_plan_tools;

/* Nothing is known yet. Lives in the arena, and borrows the plan. */
ctn_plan_tools *ctn_plan_tools_new(ctn_arena *arena, const ctn_plan *plan);
/* The plan's servers are started and asked; as ctn_prepare. */
int ctn_plan_tools_ask_servers(ctn_plan_tools *tools, ctn_host *host, ctn_err *err);
/* The results of the chain's executions are read; *ret_count: so many. */
int ctn_plan_tools_ask_store(ctn_plan_tools *tools, ctn_store *store, size_t *ret_count, ctn_err *err);
const ctn_json *ctn_plan_tools_output_schema(const ctn_plan_tools *tools, const char *kind,
                                             ctn_str target); /* NULL: none */
ctn_effect ctn_plan_tools_effect(const ctn_plan_tools *tools, const char *kind, ctn_str target);
/* The i-th result that a call of this step is known to have had; `call` is empty where the step makes one. NULL: no
 * more. */
const ctn_json *ctn_plan_tools_recorded(const ctn_plan_tools *tools, ctn_str step, ctn_str call, size_t i);
