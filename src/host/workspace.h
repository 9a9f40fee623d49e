/*
 * workspace.h -- where chains are run: the configuration that was read, the store that it or the caller names, and the
 * chains that can be named there.
 *
 * Ownership  Everything lives in the arena of _open, plans excepted: each has one of its own (plan->arena).
 * Findings   What is wrong in a file that people wrote is a finding, with its place. Calls that take a list add to it
 *            what they found; a failure that the findings explain leaves err's sentence empty, any other has one, to
 *            be told behind them.
 */
#pragma once
#include "chain/plan.h"
#include "host/config.h"
#include "store/store.h"

typedef struct ctn_workspace {
    ctn_arena *arena;
    ctn_config *config;
    const char *store_url;
    ctn_str store_file;            /* empty: a store without a file */
    ctn_str store_name;            /* for people: that file, or the URL without its password */
    ctn_str store_shown;           /* the URL without its password */
    bool is_fleet;                 /* the store is for several processes (store/fleet.h) */
    ctn_findings findings;         /* of the configuration */
    ctn_findings library_findings; /* of what it includes */
} ctn_workspace;

/* config_file: NULL: CATENA_CONFIG, else catena.yaml here or above (host/config.h). store_url: NULL: CATENA_STORE,
 * else the configuration's, else catena.db beside it. When the configuration has errors, ws->findings are filled in. */
int ctn_workspace_open(ctn_arena *arena, const char *config_file, const char *store_url, const ctn_overlay *overlay,
                       ctn_workspace *ret_ws, ctn_err *err);
/* The store for reading; CTN_E_NOT_FOUND: there is none. */
int ctn_workspace_read_store(const ctn_workspace *ws, ctn_store **ret_store, ctn_err *err);
/* FILE.sock of the store's real file; NULL for a store without a file. */
const char *ctn_workspace_socket(const ctn_workspace *ws);

/* The chain that `name` names: a file, an id of the library, an id of the store. It is added to the library. */
int ctn_workspace_chain(ctn_workspace *ws, ctn_str name, ctn_findings *findings, const ctn_chain **ret_chain,
                        ctn_err *err);
/* The same with its plan; a chain with errors is refused. ret_chain NULL: not asked for. */
int ctn_workspace_compile(ctn_workspace *ws, ctn_str name, ctn_findings *findings, const ctn_chain **ret_chain,
                          ctn_plan **ret_plan, ctn_err *err);
/* A plan that can be run: what this version cannot, servers that are not configured, sensitive values without a key and
 * an onFailure that could not run are refused. */
int ctn_workspace_plan(ctn_workspace *ws, ctn_str name, ctn_findings *findings, ctn_plan **ret_plan, ctn_err *err);
/* Such a plan of a chain by its id alone, of the library or the store; what is made on the way goes into `scratch`. */
int ctn_workspace_find_plan(const ctn_workspace *ws, ctn_arena *scratch, ctn_str id, ctn_plan **ret_plan, ctn_err *err);
/* What could not run is refused before anything of it has: what this version does not do, sensitive values that nothing
 * seals, servers that are not there. */
int ctn_workspace_check_plan(const ctn_workspace *ws, ctn_arena *scratch, const ctn_plan *plan, ctn_err *err);
/* Every server that the plan calls is configured and can be started, and so is every model that it asks (models.h):
 * CTN_E_NOT_FOUND, CTN_E_UNSUPPORTED, CTN_E_INVALID. */
int ctn_workspace_check_servers(const ctn_workspace *ws, ctn_arena *scratch, const ctn_plan *plan, ctn_err *err);
/* Calls fn for each tool the plan names, "server/tool"; a target may come more than once. */
void ctn_plan_each_tool(const ctn_plan *plan, void (*fn)(void *ctx, ctn_str step, ctn_str target), void *ctx);
