/*
 * dispatch.h -- calls to the world: begun when core owes them and all of the execution's entries are on disk, let go
 * when core owes them no more.
 */
#pragma once
#include "engine/engine.h"

void ctn_eng_sink_init(ctn_engine *e); /* what drivers report to */
/* Does what is owed for all that were noted (ctn_live_to_perform). One for which nothing is owed any more, and that is
 * parked, leaves memory. */
void ctn_eng_perform(ctn_engine *e);
