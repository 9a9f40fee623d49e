/*
 * batch.h -- what gathers on its way to disk. Whoever decides something records it; commit.h hands it over.
 *
 * There are two batches: one gathers while the other is with the writer. What was decided into a batch (results of
 * calls, requests) is kept with it until its commit is known.
 *
 * Of a fleet's store there are two such pairs, called strands, and every shard belongs to one of them: while the
 * database syncs one strand's commit it works on the other's. The commits of a strand follow each other; those of two
 * strands may reach the disk in any order, and one may fail while the other does not. That is safe because what is
 * decided together lives in one shard (placement.h): a line and who stands in it, a parent and its children, a chain
 * that allows so many. What looks at others in memory only (seats, tenants, cached results) holds in any order.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"

void ctn_eng_batches_init(ctn_engine *e);
void ctn_eng_batches_done(ctn_engine *e);

/* Applies the entry and, if it is stored, gathers its record. */
void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry);
/* Goes to disk with the entry that was recorded for `l` just now. Its texts live in the batch's arena. */
void ctn_eng_record_result(loaded *l, const ctn_result_row *row);
/* Goes to disk with what was decided for `l` just now, if `by` is to be told of in the audit log. */
void ctn_eng_record_audit(ctn_engine *e, loaded *l, const ctn_requester *by);
ctn_arena *ctn_eng_batch_arena(const loaded *l);
/* The request on disk that asked for what was decided for `l` just now: done with the same commit. */
void ctn_eng_record_request(loaded *l, const ctn_requester *by);
/* What was recorded for it and not handed over is forgotten; what was decided into it is given back. */
filed_list ctn_eng_batch_forget(loaded *l);
/* Decided before: it is answered with the commit that has `l`, which is new, or under way. */
void ctn_eng_keep_with(const loaded *l, filed *f);
/* Writes what its row should say by now, without an entry. */
void ctn_eng_touch(loaded *l);
/* Takes what was decided for `l` just now: answered when what is gathering is on disk, decided again if that fails. */
void ctn_eng_keep(const loaded *l, filed *f);
/* Which of them takes what lives in its shard. Once, before anything is recorded. */
void ctn_eng_strand_join(const ctn_engine *e, loaded *l);

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

typedef struct strand {
    batch_memory both[2];
    batch_memory *gathering, *under_way; /* under_way NULL: the writer has nothing of it */
    batch_memory *finished;              /* filed by batch_done */
} strand;

struct batches {
    strand strands[CTN_STRANDS_MAX];
    size_t count;
};

void ctn_eng_batch_reset(batch_memory *m); /* nothing is in it any more */
