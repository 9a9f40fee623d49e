/*
 * follow_up.h -- what an execution owes after its end: the chain that onFailure names.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

/* Such a start carries an idempotency key made of this and the failed execution's id. */
#define CTN_FOLLOW_UP_PREFIX "onFailure:"
static inline bool ctn_is_follow_up_key(ctn_str idempotency_key)
{
    return ctn_str_starts_with(idempotency_key, CTN_STR(CTN_FOLLOW_UP_PREFIX));
}

bool ctn_eng_owes_follow_up(const loaded *l); /* by its state in memory; false once it is done */
/* An ended one, all of it on disk: true when nothing is left to be done for it, and it may be unloaded. */
bool ctn_eng_follow_up(ctn_engine *e, loaded *l);

/* Once a turn: those that another life left, a page at a time. */
void ctn_eng_collect_owing(ctn_engine *e);
