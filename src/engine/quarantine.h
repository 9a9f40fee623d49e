/*
 * quarantine.h -- executions that do not read back, kept out of everybody's way; and those whose sealed values cannot
 * be opened now, which are passed by for a minute.
 *
 * A number is passed by wherever the store lists some: due, queued, owing.
 */
#pragma once
#include "engine/engine.h"

void ctn_eng_quarantine_init(ctn_engine *e);
void ctn_eng_quarantine_done(ctn_engine *e);
void ctn_eng_quarantine_read(ctn_engine *e); /* what the store knows of, those that other nodes found too */
bool ctn_eng_is_quarantined(const ctn_engine *e, int64_t exec_no);
size_t ctn_eng_quarantine_count(const ctn_engine *e);

/* An execution does not read back, and `err` says why: it is put away, and CTN_E_CORRUPT returned. Or it is the store
 * that does not read: then nobody is damaged, and the store's error is returned. */
int ctn_eng_found_damaged(ctn_engine *e, ctn_execution_id id, ctn_err *err);
int ctn_eng_found_nameless(ctn_engine *e, int64_t exec_no, ctn_err *err); /* not even its id reads */
/* It reads, and cannot be opened now (no key): passed by for a minute. CTN_E_STATE; or the store's own error. */
int ctn_eng_found_closed(ctn_engine *e, int64_t exec_no, ctn_err *err);
bool ctn_eng_is_closed(const ctn_engine *e, int64_t exec_no);
void ctn_eng_is_open(ctn_engine *e, int64_t exec_no);                                      /* after all */
int ctn_eng_refuse_quarantined(ctn_engine *e, const ctn_execution_row *row, ctn_err *err); /* CTN_E_STATE */
void ctn_eng_put_away(ctn_engine *e, int64_t exec_no, ctn_execution_id id, ctn_str chain_id, const char *why);

/* Once a turn: what was found goes into the store, and those that were closed for a minute are looked at. */
void ctn_eng_quarantine_flush(ctn_engine *e);
int64_t ctn_eng_quarantine_turn_ms(const ctn_engine *e); /* when that wants to be tried; 0: never */

/* ---- for release.c ---- */

void ctn_eng_quarantine_flush_now(ctn_engine *e); /* also what was tried in vain a moment ago */
void ctn_eng_quarantine_forget(ctn_engine *e, int64_t exec_no);
/* What the store holds may be due, queued or owed that was not before. */
void ctn_eng_look_at_all(ctn_engine *e);
