/*
 * toolbox.h -- what is known of the tools that a plan calls, without calling them: what their servers list (schemas,
 * annotations), and what they once answered, out of a store.
 */
#pragma once
#include "cli/workspace.h"

typedef struct ctn_toolbox ctn_toolbox;

/* asks_servers: the plan's servers are started, asked and ended. asks_store: the results of the chain's executions are
 * read. Lives in the cli's arena. CTN_EXIT_OK, or everything was said. */
int ctn_toolbox_open(ctn_cli *cli, const ctn_workspace *ws, const ctn_plan *plan, bool asks_servers, bool asks_store,
                     ctn_toolbox **ret_toolbox);
const ctn_json *ctn_toolbox_output_schema(const ctn_toolbox *tools, const char *kind, ctn_str target); /* NULL: none */
ctn_effect ctn_toolbox_effect(const ctn_toolbox *tools, const char *kind, ctn_str target);
/* The i-th result that a call of this step is known to have had; `call` is empty where the step makes one. NULL: no
 * more. */
const ctn_json *ctn_toolbox_recorded(const ctn_toolbox *tools, ctn_str step, ctn_str call, size_t i);
