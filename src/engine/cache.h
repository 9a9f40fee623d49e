/*
 * cache.h -- results of calls, used again, and calls that are waited for because an equal one is under way. It answers
 * core's question (its rules' `cached`); the rest is told to it.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

void ctn_eng_cache_init(ctn_engine *e);
void ctn_eng_cache_done(ctn_engine *e);

void ctn_eng_cache_see(ctn_engine *e, loaded *l, const ctn_entry *entry); /* it was applied: a call began or ended */
/* The entry, recorded just now, says that a call succeeded: its result is put with it. */
void ctn_eng_cache_put(ctn_engine *e, loaded *l, const ctn_entry *entry, const ctn_json *value);
/* Keys of calls that are not in flight; or all that it holds. */
void ctn_eng_cache_let_go(ctn_engine *e, loaded *l, bool all);
/* One that waited for what was let go, to be asked again; NULL: none here. */
loaded *ctn_eng_cache_take_woken(ctn_engine *e);
bool ctn_eng_cache_has_woken(const ctn_engine *e);
