/*
 * shelf.h -- the plans of chains by their ids, as they are now: compiled and given to the engine once, not at each
 * start.
 *
 * A chain of the configuration is what it was when the process started. One of the store is looked up each time (a row,
 * out of an index), and compiled again when it is another than before; so an import, also by another process, counts
 * from the next start on.
 *
 * Ownership  What it is made of is borrowed. Plans are the engine's, and live as long.
 * Threads    The engine's.
 */
#pragma once
#include "engine/engine.h"
#include "host/workspace.h"

typedef struct ctn_shelf ctn_shelf;

ctn_shelf *ctn_shelf_new(const ctn_workspace *ws, ctn_engine *engine, ctn_store *store);
void ctn_shelf_free(ctn_shelf *shelf); /* NULL is fine */
/* For ctn_start, or as the known plan of a request. CTN_E_NOT_FOUND: there is no such chain; CTN_E_INVALID and others:
 * it cannot run, with the reason. actor: who puts it into the store, if it is not there yet. */
int ctn_shelf_find(ctn_shelf *shelf, ctn_str chain_id, ctn_str actor, const ctn_plan **ret_plan, int64_t *ret_version,
                   ctn_err *err);
