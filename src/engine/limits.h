/*
 * limits.h -- how hard an instruction set may be used: a token bucket and so many calls at once. Pure.
 *
 * Who cannot begin stands in a queue and is let through in order: nobody passes those who wait, and who takes a place
 * goes to the end if it wants another one. A waiter is an execution, however many of its calls wait.
 *
 * Units      *_ms by the caller's clock; one that goes back gives no tokens and takes none.
 */
#pragma once
#include "base/id.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ctn_limit_rules {
    double per_second; /* 0: as many as there are */
    int64_t burst;
    int64_t max_concurrent; /* 0: as many as there are */
    bool is_shared;         /* with other nodes: tokens and places are those that were given to this one (shares.h) */
} ctn_limit_rules;

typedef struct ctn_limit {
    ctn_limit_rules rules; /* the owner's, who may change them between two calls */
    double tokens;
    int64_t tokens_at_ms;     /* 0: never used, the bucket is full */
    int64_t running, granted; /* places: taken; and given to this node, if they are shared */
    ctn_execution_id *queue;
    size_t count, capacity;
} ctn_limit;

void ctn_limit_done(ctn_limit *limit);
/* May a call of this execution begin now? false: it stands in the queue from now on; *ret_until_ms is when to ask again
 * at the latest, 0: when a place is given back, or this node is given more. Changes nothing else: take does. */
bool ctn_limit_ask(ctn_limit *limit, ctn_execution_id id, int64_t now_ms, int64_t *ret_until_ms);
void ctn_limit_take(ctn_limit *limit, ctn_execution_id id, int64_t now_ms);
void ctn_limit_give_back(ctn_limit *limit); /* the call has ended, or never began */
void ctn_limit_leave(ctn_limit *limit, ctn_execution_id id);
/* How many at the front of the queue would be let through now. */
size_t ctn_limit_ready(ctn_limit *limit, int64_t now_ms);
