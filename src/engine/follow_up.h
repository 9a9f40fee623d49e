/*
 * follow_up.h -- what an execution owes after its end: the chain that onFailure names.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

bool ctn_eng_owes_follow_up(const loaded *l); /* by its state in memory; false once it is done */
/* An ended one, all of it on disk: true when nothing is left to be done for it, and it may be unloaded. */
bool ctn_eng_follow_up(ctn_engine *e, loaded *l);
bool ctn_eng_is_follow_up_key(ctn_str idempotency_key);

/* Once a turn: those that another life left, a page at a time. */
void ctn_eng_collect_owing(ctn_engine *e);
void ctn_eng_owing_look_again(ctn_engine *e); /* there may be more */
