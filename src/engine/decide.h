/*
 * decide.h -- what follows: by itself, as far as it goes now, or from what was filed.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"

/* Everything that follows by itself, each entry on the state that the one before it left. */
void ctn_eng_advance(ctn_engine *e, loaded *l);
/* Takes it: it is decided and kept with its batch, or answered. */
void ctn_eng_take_filed(ctn_engine *e, filed *f);
