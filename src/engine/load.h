/*
 * load.h -- executions in and out of memory. In a fleet those of our shards (shards.h), and none that is being given
 * away.
 *
 * Errors  CTN_E_NOT_FOUND  there is none
 *         CTN_E_CORRUPT    it does not read back, and is in quarantine by now
 *         CTN_E_STALE      it is another node's, or on its way there
 *         CTN_E_STATE      it was in quarantine, or is sealed and cannot be opened now
 *         others           of the store: nothing is known of the execution
 */
#pragma once
#include "engine/live.h"
#include "engine/plans.h"

/* One that was not here: takes the arena, in which x lives. */
loaded *ctn_eng_loaded_new(ctn_engine *e, ctn_execution_id id, int64_t exec_no, plan_ref *plan, ctn_arena *arena,
                           ctn_execution *x);
/* Out of the store, if it is not here; recovered. */
int ctn_eng_load(ctn_engine *e, ctn_execution_id id, loaded **ret_loaded, ctn_err *err);
/* One that a list of the store's named, by number also when not even its id reads. */
int ctn_eng_load_listed(ctn_engine *e, int64_t exec_no, ctn_execution_id id, loaded **ret_loaded, ctn_err *err);
/* What another life left under way is recorded as cut off, until that is on disk. */
void ctn_eng_recovered(ctn_engine *e, loaded *l);
/* After a failed commit: what is on disk counts. Calls in flight stay in flight; this process has not died. */
int ctn_eng_reload(ctn_engine *e, loaded *l, ctn_err *err);
/* All of it is on disk, or lost. Calls in flight are cancelled. */
void ctn_eng_unload(ctn_engine *e, loaded *l);
