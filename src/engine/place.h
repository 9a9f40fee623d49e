/*
 * place.h -- how many run at once: seats of the engine and of a tenant, and places in a chain.
 *
 * A seat has who has begun and is in memory to go on: active_max of all, `running` of a tenant's. What is only being
 * written as queued, and goes, has none, so that a crowd of starts keeps nobody from being admitted. Who is loaded to
 * go on (its time has come, a person answered) has one in any case: seats bound what starts.
 *
 * Of a chain maxConcurrent executions run or compensate at once.
 *
 * One takes its place when it starts, and gives it away when it parks or ends. To go on it asks for one again: before
 * its next call begins (gate.c), the oldest first, and before anything new starts. A place is free as soon as nothing
 * of its execution is under way: what a stopping chain lets go is so only when that is on disk.
 *
 * A chain without maxConcurrent has a place for everybody, and counts nobody.
 */
#pragma once
#include "engine/engine.h"
#include "engine/lanes.h"
#include "engine/live.h"

bool ctn_eng_has_seat(const ctn_engine *e);         /* one is free, whoever's */
void ctn_eng_seat_settle(ctn_engine *e, loaded *l); /* it was loaded, it started, or is queued after all */

bool ctn_eng_has_place(ctn_engine *e, const ctn_plan *plan); /* for one that starts */
void ctn_eng_place_take(ctn_engine *e, loaded *l);           /* it started */
/* May it go on, after it was parked? false: it stands among those that wait for a place of their chain. */
bool ctn_eng_place_to_go_on(ctn_engine *e, loaded *l);
/* One that runs, and began no call (it is in a back-off, or asks what became of one), has a place or waits for it. */
void ctn_eng_place_settle(ctn_engine *e, loaded *l);
void ctn_eng_place_leave_if_done(ctn_engine *e, loaded *l);           /* after its status may have changed */
void ctn_eng_place_forget(ctn_engine *e, loaded *l);                  /* it is unloaded */
ctn_lane_chain *ctn_eng_place_forget_wait(ctn_engine *e, loaded *l);  /* where it stood; NULL: nowhere */
void ctn_eng_place_offer(ctn_engine *e, const ctn_lane_chain *chain); /* a free one, to the oldest; NULL is fine */
