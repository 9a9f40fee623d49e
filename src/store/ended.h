/*
 * ended.h -- the walk over what has ended, oldest first, for backends that read it out of an index page by page. What
 * goes and what stays is retention.h's to say; how one is read and removed is the backend's. Private to store/.
 */
#pragma once
#include "store/retention.h"

/* The root of a tree. */
typedef struct ctn_ended {
    int64_t exec_no, finished_at_ms;
    ctn_execution_id id;
    ctn_status status;
    bool owes; /* something, or its row does not read: it stays */
} ctn_ended;

#define CTN_ENDED_PAGE 64

typedef struct ctn_ended_reader {
    void *ctx;
    const ctn_prune *what;
    const uint64_t
        *gone; /* entries that go in this transaction, as the backend counts them: what->entries_max at most */
    /* Those behind the place, at most CTN_ENDED_PAGE of them into ret; fewer: there are no more. */
    int (*read)(void *ctx, bool of_completed, const struct ctn_prune_place *place, ctn_ended *ret, size_t *ret_count,
                ctn_err *err);
    /* One that is old enough for its status: it goes, with its tree, or is passed by. */
    int (*prune)(void *ctx, const ctn_ended *root, ctn_err *err);
} ctn_ended_reader;

/* On from the place, until it is done or enough goes. */
int ctn_ended_walk(const ctn_ended_reader *reader, bool of_completed, struct ctn_prune_place *place, ctn_err *err);
