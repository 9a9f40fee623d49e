/*
 * batch.h -- what gathers on its way to disk. Whoever decides something records it; commit.h hands it over.
 *
 * There are two batches: one gathers while the other is with the writer. What was decided into a batch (results of
 * calls, requests) is kept with it until its commit is known.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"

void ctn_eng_batches_init(ctn_engine *e);
void ctn_eng_batches_done(ctn_engine *e);

/* Applies the entry and, if it is stored, gathers its record. */
void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry);
/* Goes to disk with the entry that was recorded for `l` just now. Its texts live in the batch's arena. */
void ctn_eng_record_result(ctn_engine *e, loaded *l, const ctn_result_row *row);
/* Goes to disk with what was decided for `l` just now, if `by` is to be told of in the audit log. */
void ctn_eng_record_audit(ctn_engine *e, loaded *l, const ctn_requester *by);
ctn_arena *ctn_eng_batch_arena(const ctn_engine *e);
/* The request on disk that asked for what was decided for `l` just now: done with the same commit. */
void ctn_eng_record_request(ctn_engine *e, loaded *l, const ctn_requester *by);
/* What was recorded for it and not handed over is forgotten; what was decided into it is given back. */
filed_list ctn_eng_batch_forget(ctn_engine *e, loaded *l);
/* Decided before: it is answered with the commit that has `l`, which is new, or under way. */
void ctn_eng_keep_with(ctn_engine *e, const loaded *l, filed *f);
/* Writes what its row should say by now, without an entry. */
void ctn_eng_touch(ctn_engine *e, loaded *l);
/* Takes what was decided: answered when what is gathering is on disk, decided again if that fails. */
void ctn_eng_keep(ctn_engine *e, filed *f);

/* ---- for commit.c ---- */

/* The entries of one execution in one batch. */
typedef struct append_build {
    loaded *l;
    ctn_record *records;
    size_t count, capacity;
    uint64_t seq_expected;
    bool is_new;
    ctn_result_row *results;
    size_t result_count, result_capacity;
    struct ctn_audit_entry *audits;
    size_t audit_count, audit_capacity;
    int64_t request; /* 0: none */
} append_build;

typedef struct ctn_batch_memory {
    ctn_batch batch;
    ctn_arena *arena;
    append_build *builds;
    size_t count, capacity;
    filed_list kept;    /* what was decided into it */
    filed_list waiting; /* requests of executions that have one in it already: they are for the next batch */
} batch_memory;

struct batches {
    batch_memory both[2];
    batch_memory *gathering, *under_way; /* under_way NULL: the writer idles */
    batch_memory *finished;              /* filed by batch_done */
};

void ctn_eng_batch_reset(batch_memory *m); /* nothing is in it any more */
