/*
 * abandon.h -- calls that were left with their peers, and are wanted no more: one that waits for answers when its
 * execution stops, or whose peer asked when it had stopped. Their drivers are told once, when that is on disk; a death
 * before that leaves them untold, for nothing depends on it.
 */
#pragma once
#include "engine/engine.h"
#include "engine/inbox.h"
#include "engine/live.h"

typedef struct left_call left_call;

/* Around the folding of an entry: those that would be left if the execution stops with it. */
left_call *ctn_eng_left_before(ctn_engine *e, const loaded *l,
                               const ctn_entry *entry); /* NULL: none, as nearly always */
void ctn_eng_left_after(loaded *l, left_call *before);
/* A call that asked, and does not wait. */
void ctn_eng_note_left(loaded *l, const filed *asked);
void ctn_eng_abandon_left(loaded *l); /* what was noted is on disk */
void ctn_eng_forget_left(loaded *l);
