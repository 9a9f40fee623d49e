/*
 * raw.h -- reading what is left of an execution, whatever its state: for show, history, export and repair.
 *
 * store.h refuses what does not read back, because nobody may decide on a guess. These readers pass on what there is,
 * each thing with a word about what is wrong with it, and go on behind a page of the file that is broken. They judge
 * each record for itself: whether the hashes fit together is for the reader to see (ctn_record_hash).
 *
 * Ownership, errors and threads as in store.h.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_raw_record {
    ctn_record record; /* kind: CTN_ENTRY_KIND_COUNT when the name says nothing; hash: zeros when there is none */
    ctn_str kind_name; /* as it stands there */
    int64_t position;
    const char *damage; /* what is wrong with it: "a gap before it", "no known kind", ...; NULL: it reads */
    bool is_lost;       /* nothing of it reads: only its place (position, and seq if that is known) is told */
} ctn_raw_record;
typedef int ctn_raw_record_fn(void *ctx, const ctn_raw_record *record); /* not 0: stop, returned */

/* In order of seq, as far as that reads. An execution without a journal has no records: CTN_OK. CTN_E_CORRUPT, after
 * everything that could be told: there may be more, which could not even be found. */
int ctn_store_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err);

/* As ctn_store_execution_by_prefix, but a row that does not read is no failure: its `damage` says what is wrong, and
 * what reads of it is filled in; exec_no and id always are. */
int ctn_store_execution_read_raw(ctn_store *st, ctn_arena *arena, ctn_str prefix, ctn_execution_row *ret, ctn_err *err);
