/*
 * retention.h -- what ended long enough ago goes, in small steps, and its space is given back.
 *
 * What goes is a whole tree: an execution that is nobody's step, with all its sub-chains, when all of them have ended
 * and owe nothing (a chain that onFailure names and that is not started yet). Its age is that of the first one's end.
 * Whoever dies meanwhile, a tree is there as a whole or not at all; of one too large for a transaction the executions
 * go at once and the entries of their journals, which nothing shows any more, piece by piece (table `pruning`).
 *
 * Numbers stay given out: neither an execution's number nor a position of the journal ever comes again, so a stream
 * of events that resumes behind a position misses nothing and sees nothing twice; what was deleted is not in it.
 *
 * Each call is one transaction of about entries_max journal entries, or one step of giving pages back. The caller
 * pauses between them; commits of executions pass in between. Anybody may call, beside an owner too: what has ended is
 * not written to any more, and an append to one that is gone is refused (CTN_OUTCOME_STALE_SEQ).
 *
 * Threads, errors  as of the handle (store.h). CTN_E_BUSY: nothing was done, try again.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_prune {
    int64_t before_ms[CTN_STATUS_COUNT]; /* of each final status: those go that ended before; 0: they stay */
    int64_t results_before_ms;           /* cached results that expired before go; 0: they stay */
    size_t entries_max;                  /* in one transaction; 0: 512 */
    bool is_dry;                         /* only counts; a handle for reading is enough */
} ctn_prune;

/* Where one walk over the ended, oldest first, is. All zero: at its begin. */
typedef struct ctn_prune_walk {
    struct ctn_prune_place {
        int64_t finished_at_ms, exec_no; /* the last one looked at */
        int64_t next_at_ms;              /* done: the end of the oldest that has to get older; 0: there is none */
        bool is_done;
    } completed, others;
    uint64_t left; /* old enough, but not all of its tree has ended, or it owes something: passed by */
    bool is_done;
    uint32_t part; /* the store's own: of several databases, the one that it is in */
} ctn_prune_walk;

typedef struct ctn_pruned {
    uint64_t trees, executions, entries, results;
} ctn_pruned;

/* One transaction; adds to *sum. Call it until walk->is_done. */
int ctn_store_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err);

typedef struct ctn_store_size {
    uint64_t file_bytes, free_bytes; /* of the database file as its pages count, and of these the unused */
} ctn_store_size;
int ctn_store_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err);
/* Gives up to `pages` unused pages back to the system, in one transaction. *ret_more: there are more than a thirtieth
 * of what is used, which stays for the next ones. The file itself is cut by the checkpoint that the last step makes,
 * or, when a reader is in its way, by one that follows. A memory store has nothing to give. */
int ctn_store_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err);

/* Nothing will be asked of this handle for a while: memory that only makes it faster is given back. */
void ctn_store_rest(ctn_store *st);

/* How long what has ended is kept. */
typedef struct ctn_retention {
    int64_t completed_ms, failed_ms; /* failed: and rolled_back, rollback_failed, cancelled. 0: for ever */
} ctn_retention;
#define CTN_RETENTION_DEFAULT ((ctn_retention){30 * INT64_C(86400000), 90 * INT64_C(86400000)})
/* What that means at a point in time. */
void ctn_prune_by_age(const ctn_retention *retention, int64_t now_ms, ctn_prune *ret_what);
/* When the next one of what such a walk left is old enough; 0: there is none. */
int64_t ctn_prune_due_ms(const ctn_retention *retention, const ctn_prune_walk *walk);
/* "30d", "12h", "90m", "45s", "forever" (0). */
bool ctn_retention_span(ctn_str text, int64_t *ret_span_ms);
