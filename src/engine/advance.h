/*
 * advance.h -- what follows by itself.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

/* As far as it goes now, each entry on the state that the one before it left. Nothing, while what its plan's tools do
 * is not known, or memory and disk may differ, or the engine stops. */
void ctn_eng_advance(ctn_engine *e, loaded *l);
