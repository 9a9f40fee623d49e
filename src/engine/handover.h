/*
 * handover.h -- executions that leave memory because their shard is another's: what engine.h says of shards gained,
 * drained and lost, and what becomes of one whose append the store has refused.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"

/* As if this process had died for it: what was decided and not handed over is forgotten, its calls are let go. It is
 * out of memory at once, or when its commit is back (ctn_eng_dropped_is_back). */
void ctn_eng_drop(ctn_engine *e, loaded *l);
void ctn_eng_dropped_is_back(ctn_engine *e, loaded *l);
/* Those of shards that the store has refused, or the lease names no more. */
void ctn_eng_drop_foreign(ctn_engine *e);
