/*
 * workspace.h -- where a command works: the configuration, the store, and the chain that was named.
 */
#pragma once
#include "chain/plan.h"
#include "cli/cli.h"
#include "cli/config.h"
#include "store/store.h"

typedef struct ctn_workspace {
    ctn_config *config;
    const char *store_url;
    ctn_str store_file;            /* empty: a store without a file */
    ctn_findings findings;         /* of the configuration */
    ctn_findings library_findings; /* of what it includes */
} ctn_workspace;

/* CTN_EXIT_OK, or everything was said and the exit code is returned. */
int ctn_workspace_open(ctn_cli *cli, ctn_workspace *ret);

/* The chain that CHAIN names: a file, an id of the library, an id of the store. It is added to the library. */
int ctn_workspace_chain(ctn_cli *cli, ctn_workspace *ws, ctn_str chain, const ctn_chain **ret_chain);
/* The same with its plan, in an arena of its own (plan->arena); a chain with errors is refused, and they are told. */
int ctn_workspace_compile(ctn_cli *cli, ctn_workspace *ws, ctn_str chain, const ctn_chain **ret_chain,
                          ctn_plan **ret_plan);
/* Its plan, in an arena of its own; what this version cannot run, and servers that are not configured, are refused. */
int ctn_workspace_plan(ctn_cli *cli, ctn_workspace *ws, ctn_str chain, ctn_plan **ret_plan);
/* The plan of a chain by its id alone, of the library or the store, without a word to anybody; in an arena of its own.
 */
int ctn_workspace_find_plan(const ctn_workspace *ws, ctn_arena *arena, ctn_str id, ctn_plan **ret_plan, ctn_err *err);
/* Every server that the plan calls is configured and can be started: CTN_E_NOT_FOUND or CTN_E_UNSUPPORTED. */
int ctn_workspace_check_servers(const ctn_workspace *ws, ctn_arena *arena, const ctn_plan *plan, ctn_err *err);
/* Calls fn for each tool the plan names, "server/tool"; a target may come more than once. */
void ctn_plan_each_tool(const ctn_plan *plan, void (*fn)(void *ctx, ctn_str step, ctn_str target), void *ctx);

/* The store for reading; a sentence and an exit code when there is none. */
int ctn_workspace_read_store(ctn_cli *cli, const ctn_workspace *ws, ctn_store **ret_store);
/* The execution that ID names. */
int ctn_workspace_find(ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_str id, ctn_execution_row *ret_row);
/* Who gives orders here: the user's name. */
ctn_str ctn_actor_name(ctn_arena *arena);
