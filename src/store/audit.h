/*
 * audit.h -- what people did to a store: made, migrated, imported into, backed up, revealed, pruned, rekeyed.
 *
 * What somebody does to an execution (a start, an answer, a cancel, a decision) is in its journal; here stands that he
 * did, and from where. Such an entry comes with the append that it tells of (ctn_append.audits): both are on disk, or
 * neither, with the one sync that the append needs.
 *
 * What must always hold: entries are appended and never changed. Each is numbered from 1 within its chain (one a
 * node), and its hash covers the one before it and its own columns, so that nothing can be altered or taken out of
 * the middle without notice; how many there ever were is kept apart from them, so that the last ones cannot be taken
 * away either. Values of an execution and secrets never stand here: names, ids, counts.
 *
 * Ownership, errors and threads as in store.h.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_audit_entry {
    int64_t at_ms;
    ctn_str actor;   /* who: the user's or caller's name */
    ctn_str action;  /* "store.init", "chains.import": what was done, a noun and a verb */
    ctn_str subject; /* to what: a file, a chain's id, an execution's id; may be empty */
    ctn_str detail;  /* a JSON object; empty: {} */
    /* the store's own; ignored when appended */
    ctn_str node;
    int64_t n; /* 1, 2, 3, ... of its node */
    ctn_digest hash;
} ctn_audit_entry;

/* One transaction of its own; on disk when it returns. */
int ctn_store_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err);

typedef int ctn_audit_fn(void *ctx, const ctn_audit_entry *entry); /* not 0: stop; the call itself returns CTN_OK */
/* By node and number, as they stand: whether the hashes fit is the reader's to judge (ctn_audit_hash). */
int ctn_store_audit_list(ctn_store *st, ctn_audit_fn *fn, void *ctx, ctn_err *err);
/* The same from behind number n of each node on. */
int ctn_store_audit_after(ctn_store *st, int64_t n, ctn_audit_fn *fn, void *ctx, ctn_err *err);
/* How many were ever appended. */
int ctn_store_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err);

/* previous: all zero before the first of a node. */
ctn_digest ctn_audit_hash(const ctn_audit_entry *entry, const ctn_digest *previous);
