/*
 * state.h -- the engine itself: what it was given, this turn, the executions in memory, and its parts. A part that is
 * only named here is known inside its own file alone; whoever needs it includes its header and asks.
 *
 * Nobody outside this folder includes this: ctn_engine_ is for everybody (engine.h), ctn_eng_ for the files in here.
 */
#pragma once
#include "engine/due.h"
#include "engine/engine.h"
#include "engine/flights.h"
#include "engine/inbox.h"
#include "engine/live.h"
#include "engine/queue.h"
#include "engine/quota.h"
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
    ctn_queue queue;
    ctn_quotas quotas;
    ctn_engine_figures figures; /* since it was made; the rest is told by figures.c */
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
    struct tool_hold *holds; /* NULL: none */
    struct quarantine *quarantine;
    struct scheduler *scheduler;
    struct away *away;        /* starts that another node was asked for (elsewhere.c) */
    struct known_need *needs; /* labels.c */
    struct shards *shards;    /* NULL: the store is ours alone */
};

static inline uint64_t ctn_eng_chance(ctn_engine *e)
{
    ctn_rng rng = ctn_rng_seeded(&e->chance);
    return ctn_rng_next(&rng);
}
