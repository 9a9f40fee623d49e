/*
 * queue.h -- who may start: lines of one key, chains that allow only so many at once, and nobody before those that have
 * waited for longer. Whoever may not is queued, goes to disk and out of memory, and comes back by its lane (admit.h).
 */
#pragma once
#include "engine/engine.h"
#include "engine/lanes.h"
#include "engine/lines.h"
#include "engine/live.h"

typedef struct ctn_queue {
    ctn_lanes lanes;
    ctn_lines lines;
    ctn_lane_tenant *nobody; /* who has no name; made when it is asked for */
    size_t seats;            /* that are taken (place.h) */
    bool is_known;           /* the lanes that the store had at the start are known */
    bool was_let_go;         /* a place or a line: those who wait here may be looked at again */
    size_t wanted_count;     /* of those who waited here at the last look, with own_only */
    int64_t retry_at_ms;     /* the store could not be read */
    ctn_lane_tenant *last;   /* who asked for a start, and */
    int64_t shared_until_ms; /* ... others asked lately: their batches are short (commit.h) */
} ctn_queue;

void ctn_queue_done(ctn_queue *queue);

ctn_lane_tenant *ctn_eng_tenant(ctn_engine *e, ctn_str name);
/* Who may start: one that is new, or queued in memory. */
typedef struct ctn_candidate {
    const ctn_plan *plan;
    ctn_lane_tenant *tenant;
    ctn_str queue_key;
    int64_t exec_no;
} ctn_candidate;
ctn_candidate ctn_eng_candidate(const loaded *l);
/* Now, although others wait? */
bool ctn_eng_may_start(ctn_engine *e, const ctn_candidate *c);
/* By its tenant, its chain or its line, whoever else waits. */
bool ctn_eng_is_held_back(ctn_engine *e, const ctn_candidate *c);
void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key); /* it stands in that line; empty: in none */
/* Does an execution above a child hold a line with this key? Then the child shares it. */
bool ctn_eng_line_is_shared(ctn_engine *e, const ctn_parent *parent, ctn_str queue_key);
void ctn_eng_wait_here(ctn_engine *e, loaded *l); /* somebody waits for this one, which is queued */
void ctn_eng_queue_loaded(ctn_engine *e, loaded *l, const ctn_execution_row *row); /* out of the store */
void ctn_eng_queue_committed(ctn_engine *e, loaded *l);                            /* what it is by now is on disk */
void ctn_eng_queue_forget(ctn_engine *e, loaded *l);                               /* it is unloaded */
