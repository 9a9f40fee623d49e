/*
 * holds.h -- tools that are not to be called for now, because they are not what chains rely on any more (engine.h:
 * ctn_engine_hold). Who would call one is paused, with the reason; who has not begun yet is not begun at all.
 */
#pragma once
#include "engine/engine.h"
#include "engine/inbox.h"
#include "engine/live.h"

typedef struct tool_hold tool_hold;

/* May this call not begin? Then the execution is to be paused (below). Asked only while there is a hold. */
bool ctn_eng_holds_back(ctn_engine *e, loaded *l, const ctn_plan_call *call);
/* After its advance: pauses it if it was held back. */
void ctn_eng_pause_held(ctn_engine *e, loaded *l);
/* CTN_E_STATE: a start that somebody asked for, of a chain that uses a held tool. */
int ctn_eng_refuse_held(const ctn_engine *e, const filed *f, ctn_err *err);
void ctn_eng_holds_free(ctn_engine *e);
