/*
 * admission.h -- who may start: the queue, lines of one key, and chains that allow only so many at once.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

void ctn_eng_admission_init(ctn_engine *e);
void ctn_eng_admission_done(ctn_engine *e);

/* May an execution that is new, or queued in memory, start now? */
bool ctn_eng_may_start(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no);
void ctn_eng_start_queued(ctn_engine *e, loaded *l, ctn_str actor); /* records that it is admitted */
void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key);  /* it stands in that line; empty: in none */
void ctn_eng_wait_here(ctn_engine *e, loaded *l);                   /* somebody waits for this one, which is queued */
void ctn_eng_admission_committed(ctn_engine *e, loaded *l);         /* what it is by now is on disk */
void ctn_eng_admission_forget(ctn_engine *e, loaded *l);            /* it is unloaded */
void ctn_eng_admission_look_again(ctn_engine *e);                   /* the store's queue may be another one */

/* Once a turn: starts those whose turn it is. */
void ctn_eng_admit_queued(ctn_engine *e);
int64_t ctn_eng_queue_turn_ms(const ctn_engine *e); /* when it wants to be looked at; 0: when something changes */
