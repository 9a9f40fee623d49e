/*
 * admit.h -- those whose turn it is start: out of the store's queue when there is room, or of those that somebody here
 * waits for.
 */
#pragma once
#include "engine/engine.h"

void ctn_eng_admit(ctn_engine *e);            /* once a turn */
int64_t ctn_eng_admit_turn_ms(ctn_engine *e); /* when it wants to be looked at; 0: when something changes */
