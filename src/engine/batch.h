/*
 * batch.h -- entries on their way to disk: recorded, gathered, handed to the writer, and taken in when their commit is
 * known. Whoever decides something calls ctn_eng_record; the rest is the turn's.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"
#include "engine/trouble.h"

void ctn_eng_batches_init(ctn_engine *e);
void ctn_eng_batches_done(ctn_engine *e);

/* Applies the entry and, if it is stored, gathers its record. */
void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry);
/* Goes to disk with the entry that was recorded for `l` just now. Its texts live in the batch's arena. */
void ctn_eng_record_result(ctn_engine *e, loaded *l, const ctn_result_row *row);
ctn_arena *ctn_eng_batch_arena(const ctn_engine *e);
/* Writes what its row should say by now, without an entry. */
void ctn_eng_touch(ctn_engine *e, loaded *l);
/* Its row says that it can go on at once, and it waits: a child that ended was still here when it was written. */
bool ctn_eng_wakes_for_nothing(ctn_engine *e, loaded *l);
/* Takes what was decided: answered when what is gathering is on disk, decided again if that fails. */
void ctn_eng_keep(ctn_engine *e, filed *f);

bool ctn_eng_is_worth_handing_over(const ctn_engine *e);
void ctn_eng_hand_over(ctn_engine *e); /* if there is something, and the writer idles */
void ctn_eng_take_in(ctn_engine *e);   /* the commit that came back, if one did */
bool ctn_eng_all_is_committed(const ctn_engine *e);

/* It cannot be read or written: nothing is taken in or handed over until it is tried again, a little later. */
void ctn_eng_store_fails(ctn_engine *e, ctn_trouble *trouble, const ctn_err *why);
/* Tries it again, when it is time: every execution in doubt is read back, and work goes on. */
void ctn_eng_recover_store(ctn_engine *e);
