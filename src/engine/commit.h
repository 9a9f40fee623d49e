/*
 * commit.h -- what gathered goes to the writer, and its commit comes back: only now it is told, answered, and what it
 * makes owed may begin. And the store that cannot be read or written: then nothing goes on until it can.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"
#include "engine/trouble.h"

/* Where tenants share the engine the batches are short, because whoever asks for something waits for the one before his
 * and for his own: no more is taken in, and from half of it on nothing that is queued is admitted, until the next. */
bool ctn_eng_batch_is_full(const ctn_engine *e);
bool ctn_eng_batch_is_half_full(const ctn_engine *e);
void ctn_eng_hand_over(ctn_engine *e);                  /* what there is, where the writer idles */
void ctn_eng_hand_over_what_is_worth_it(ctn_engine *e); /* the same, if it is enough for a commit of its own */
void ctn_eng_take_in(ctn_engine *e);                    /* the commit that came back, if one did */
bool ctn_eng_nothing_is_under_way(const ctn_engine *e); /* no batch is with the writer, or back and not taken in */
bool ctn_eng_all_is_committed(const ctn_engine *e);
/* Its row says that it can go on at once, and it waits: a child that ended was still here when it was written. */
bool ctn_eng_wakes_for_nothing(ctn_engine *e, loaded *l);

/* It cannot be read or written: nothing is taken in or handed over until it is tried again, a little later. */
void ctn_eng_store_fails(ctn_engine *e, ctn_trouble *trouble, const ctn_err *why);
/* Tries it again, when it is time: every execution in doubt is read back, and work goes on. */
void ctn_eng_recover_store(ctn_engine *e);
