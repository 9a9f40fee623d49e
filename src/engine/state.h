/*
 * state.h -- the engine itself: what it was given, this turn, the executions in memory, and its parts. A part that is
 * only named here is known inside its own file alone; whoever needs it includes its header and asks.
 *
 * Nobody outside this folder includes this.
 */
#pragma once
#include "engine/due.h"
#include "engine/engine.h"
#include "engine/flights.h"
#include "engine/inbox.h"
#include "engine/lanes.h"
#include "engine/live.h"
#include "engine/trouble.h"

struct ctn_engine {
    ctn_engine_options options;
    ctn_rules rules; /* the options', and what the engine answers itself */
    ctn_call_sink sink;
    uint64_t chance; /* state of the seeded generator */
    int64_t exec_no_last;
    bool is_stopping;

    int64_t now_ms;     /* of this turn */
    ctn_arena *scratch; /* of whoever saves and restores it */

    ctn_inbox inbox;
    ctn_live live;
    ctn_flights flights;
    ctn_due due;
    ctn_lanes lanes;
    bool was_let_go;    /* a place or a line: those who wait to start may be looked at again */
    int64_t owing_seen; /* follow_up.c: ended ones up to this number were looked at; -1: all were */
    struct {
        ctn_trouble reading, writing; /* writing: from the first commit that fails to the first that works */
        bool is_failing;              /* nothing is taken in, handed over or looked at until it is tried again */
        int64_t retry_at_ms;
        char why[600];
    } store;

    struct plan_ref *plans;
    struct batches *batches;
    struct cache *cache;
    struct gate *gate;
    struct admission *admission;
    struct quarantine *quarantine;
    struct scheduler *scheduler;
};

/* engine.c: what any part may ask of the whole. */
void ctn_eng_wake(ctn_engine *e);           /* a turn is needed */
void ctn_eng_file(ctn_engine *e, filed *f); /* taken in the next time that inputs are */
/* As ctn_engine_start and _input. What is filed lives until it is answered, and so does what its arena holds. */
filed *ctn_eng_file_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx);
filed *ctn_eng_file_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx);
void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err); /* answers it, and frees it */
static inline uint64_t ctn_eng_chance(ctn_engine *e)
{
    ctn_rng rng = ctn_rng_seeded(&e->chance);
    return ctn_rng_next(&rng);
}
