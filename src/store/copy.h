/*
 * copy.h -- a whole store, with its history, put into another that is empty: for growing out of one machine, and back.
 *
 * What must always hold: the other store holds all of it, or nothing (one transaction). Nobody owns either meanwhile:
 * of a file its lock is taken, of a fleet's store no node may live. The source is only read. Journals with their
 * hashes, what is sealed and its keys, the audit log, ids and idempotency keys are the same bytes in both, and so are
 * positions: a stream of events or a webhook goes on behind the one that it has.
 *
 * What is another's to say is made anew:
 *   numbers   1, 2, 3, ... in the order they had, which is the order of every line; in a store for a fleet the same
 *             times its shards, plus the shard
 *   shards    A child lives where its parent does. A root lives where its id says, if it has ended or stands in no
 *             line; else where the next start of its line or its chain will be (fleet.h). A line is of one shard. Who
 * does not live where its id says is found nevertheless (ctn_store_shard_of_execution), by looking everywhere. owners
 * none; the copy says that its last one died, so what was under way is treated as after a crash Requests that wait in a
 * fleet's store are refused: let its nodes answer them. Nodes, leases and what was asked and answered stay behind. Of a
 * damaged execution there is copied what reads, with its damage.
 *
 *   needs     none: what chains require (fleet.h) is claimed anew, and its shards may be others then
 *
 * After it both stores hold what is unfinished: only one of them may go on.
 *
 * Errors   as store.h. CTN_E_EXISTS: the target is not empty. CTN_E_BUSY: somebody owns one of them. CTN_E_STATE:
 *          requests wait. CTN_E_UNSUPPORTED: this kind of store cannot be copied (to).
 */
#pragma once
#include "store/store.h"

typedef struct ctn_copy_report {
    int64_t executions, entries, definitions, chain_versions, audit_entries;
    int64_t moved;   /* live in another shard than their id says */
    int64_t damaged; /* were damaged: copied as far as they read */
    int64_t lost;    /* executions and entries of which nothing could be copied */
} ctn_copy_report;

typedef struct ctn_copy_options {
    int64_t now_ms;
    void (*on_begin)(void *ctx); /* both may be copied, and nothing was read yet; or NULL */
    void (*on_progress)(void *ctx, const ctn_copy_report *so_far); /* now and then; NULL: nobody waits */
    void *ctx;
} ctn_copy_options;

/* The target is made when it is not there. */
int ctn_store_copy(const char *from_url, const char *to_url, const ctn_copy_options *options,
                   ctn_copy_report *ret_report, ctn_err *err);
