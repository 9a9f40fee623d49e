/*
 * backup.h -- a copy of a store as it is at one moment, made while its owner works on.
 *
 * What must always hold: the copy is of one snapshot, taken when the call begins, so everything that was acknowledged
 * before is in it. Under its name there is either nothing (or what was there before), or the whole copy, on disk: it is
 * written under another name (FILE.part), synced, and renamed. The owner is never waited for and never waits.
 *
 * The copy is one file, a store like any other: restoring is putting it where the store is wanted. It says of itself
 * that its last owner has died, because what was done after the snapshot is not known to it: calls that were under way
 * then are treated as after a crash (checked, repeated if that is safe, or asked about).
 *
 * Costs    While the snapshot is held the store's log cannot be emptied, so it grows by what is written meanwhile.
 * Errors   as store.h, and CTN_E_EXISTS: there is such a file; CTN_E_UNSUPPORTED: a store that has no file
 * Threads  as store.h.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_backup_report {
    int64_t pages, pages_total, page_bytes;
} ctn_backup_report;

typedef struct ctn_backup_options {
    const char *path;
    bool replaces; /* what is there under that name; a store with a log beside it is in use, and never replaced */
    void (*on_begin)(void *ctx); /* the place is good, nothing is copied yet; or NULL */
    void (*on_progress)(void *ctx, const ctn_backup_report *so_far); /* NULL: nobody waits */
    void *ctx;
} ctn_backup_options;

/* On a connection of its own. A store of an older schema is copied as it is. */
int ctn_store_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err);
