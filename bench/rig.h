/*
 * rig.h -- an engine on a store of its own with chains of five no-op steps in flight: the load of W1, W2 and W6.
 *
 * The chain is the peers' chain: each step takes the object of the step before it (about 200 bytes as JSON: chain,
 * step, total, pad) and returns the next one. Steps are declared idempotent, so their starts are in no journal, and
 * each result is on disk before the next step begins. Every chain's output is looked at: step 5, total 15.
 *
 * The load is closed: so many chains are in flight, the next starts when one ends. Latencies are of the monotonic
 * clock, from the request to start until the end is told.
 *
 * Where the steps run: in this process (a native function), or in an MCP tool server behind pipes (`server`).
 * Where commits run: on the writer's thread, as in catena; or on the calling thread (is_in_thread: no loop, no thread,
 * a clock that stands still, ids from a seed: the same instructions every time).
 */
#pragma once
#include "kit.h"
#include "syncs.h"

typedef struct bench_rig bench_rig;

typedef enum bench_chain {
    BENCH_FIVE_STEPS,
    BENCH_FIVE_IN_CATENA, /* of `native: noop`, so that the real binary can go on with them */
    BENCH_PARKED,         /* one step, then an approval that nobody gives; parked counts as ended */
} bench_chain;

typedef struct bench_rig_options {
    const char *file;        /* of the store: made when absent; or a URL with "://": a fleet's, joined as a node */
    uint32_t nodes;          /* of a fleet: starts when its shards are shared by so many; 0: 1 */
    const char *server;      /* program of the tool server; NULL: native steps. Not with is_in_thread */
    const char *synchronous; /* "normal": commits may be lost with the power; NULL: full */
    size_t in_flight;
    bench_chain chain; /* FIVE_STEPS if nothing else is said */
    bool is_in_thread;
    const bench_syncs *syncs; /* installed; NULL: syncs are not counted */
} bench_rig_options;

bench_rig *bench_rig_new(const bench_rig_options *options);
/* The store stays. */
void bench_rig_free(bench_rig *rig);

/* Runs so many chains to their end. */
void bench_rig_run(bench_rig *rig, size_t chain_count);
/* Starts so many chains, lets so many commits happen and no more: what a crash leaves. is_in_thread only; then the rig
 * is good for nothing but bench_rig_free, which does not say good-bye to the store. */
void bench_rig_cut(bench_rig *rig, size_t chain_count, uint64_t commits);

typedef struct bench_rig_figures {
    double span_s;
    uint64_t chains, steps, commits, syncs;
    double cpu_s, cpu_loop_s, cpu_children_s; /* cpu_s: all threads, loop included; children besides */
    double others_cpu_s, steal_s;             /* what else this machine did, and what it was not given */
    bench_samples latency_ms;                 /* of whole chains; bench_samples_free */
} bench_rig_figures;
/* Keeps the load up for warm_s, measures for span_s, and lets what is in flight end. */
bench_rig_figures bench_rig_measure(bench_rig *rig, double warm_s, double span_s);
