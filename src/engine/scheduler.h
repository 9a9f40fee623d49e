/*
 * scheduler.h -- chains that are started by the clock: the schedules of the options, each fired once for its time.
 *
 * Threads  A schedule's row is written on the engine's thread, once a fire: a commit of a few milliseconds at most once
 *          a minute and chain.
 */
#pragma once
#include "engine/engine.h"

void ctn_eng_schedules_init(ctn_engine *e);
void ctn_eng_schedules_done(ctn_engine *e);
void ctn_eng_schedules_look_again(ctn_engine *e);       /* another node may have fired, paused or resumed some */
void ctn_eng_schedules_turn(ctn_engine *e);             /* starts what is due */
int64_t ctn_eng_schedules_turn_ms(const ctn_engine *e); /* when the next is; 0: never */
