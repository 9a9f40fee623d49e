/*
 * watches.h -- what was asked of the children of an execution in memory: a table by child. There is one watch for each
 * child: what is owed for it next (its undo) takes the place of what was owed before.
 *
 * A look at what is owed begins a round; who was in no round since is watched no more.
 */
#pragma once
#include "core/execution.h"

/* Its id follows from parent, step, item and attempt. */
typedef struct ctn_watch {
    ctn_execution_id child; /* all zero: the slot is free */
    ctn_role role;
    uint32_t seen; /* the last round that had it */
    int asked;     /* the last `wanted` that was seen to, + 1 */
    int settled;   /* ... and of which the child's disk knows */
    bool is_far;   /* it lives in another shard (far.h): */
    bool is_away;  /* ... and what was asked of it is not answered yet */
} ctn_watch;

typedef struct ctn_watches {
    ctn_watch *slots;
    uint32_t count, size; /* taken slots; a power of two, or 0 */
    uint32_t round;
    uint32_t open; /* of which the disk does not know yet what was asked of them: counted anew with each round */
} ctn_watches;

void ctn_watches_done(ctn_watches *watches);
ctn_watch *ctn_watches_find(const ctn_watches *watches, ctn_execution_id child); /* NULL: it is not watched */
/* All that are watched: NULL to begin; NULL: that was the last. */
const ctn_watch *ctn_watches_next(const ctn_watches *watches, const ctn_watch *after);

/* A round, which will see at most so many. */
void ctn_watches_begin(ctn_watches *watches, size_t count);
/* Once for each in the round. One that is new, or was watched for its other role, was asked nothing yet. */
ctn_watch *ctn_watches_see(ctn_watches *watches, ctn_execution_id child, ctn_role role);
/* What is owed for all of them is on disk. */
bool ctn_watches_are_settled(const ctn_watches *watches, const ctn_owed *owed);
