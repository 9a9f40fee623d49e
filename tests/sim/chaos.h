/*
 * chaos.h -- one random world: random chains, many executions of them, faults at every interface of the engine, and an
 * oracle for each execution that judges every record and every call (oracle.h).
 *
 * What happens to the engine in it, each by a share that the world's seed draws:
 *   tools    lost before and after they were sent, slow, too slow, refused, of no use, dead, late; checks that fail or
 *            cannot tell
 *   writer   commits that fail, that succeed and say they failed; batches of a dead owner and repeated ones, late
 *   store    reads that fail
 *   life     death at any commit, call, acknowledgement and event, and at any time; clean stops
 *   clock    jumps forward
 *   people   who answer, settle truthfully, cancel, pause, resume, set; late, twice, what makes no sense, or never
 *
 * First the faults (safety: nothing bad happens); then they stop (liveness: all that can end does, within a bounded
 * time, and what is parked waits for something that can be named).
 *
 * The same seed and options give the same world.
 */
#pragma once
#include "sim/oracle.h"

#include <stdio.h>

typedef enum chaos_count {
    CHAOS_EXECUTIONS,
    CHAOS_STEPS, /* of their chains */
    CHAOS_RECORDS,
    CHAOS_CALLS,
    CHAOS_EFFECTS,
    CHAOS_CALLS_FAILED,
    CHAOS_DEATHS,
    CHAOS_STOPS,
    CHAOS_COMMITS,
    CHAOS_COMMITS_FAILED,
    CHAOS_COMMITS_LOST, /* on disk, and the answer said no */
    CHAOS_READS_FAILED,
    CHAOS_STALE_APPENDS, /* of a dead owner, or a second time: all must be refused */
    CHAOS_JUMPS,
    CHAOS_QUEUED,
    CHAOS_BACKOFFS,
    CHAOS_FALLBACKS,
    CHAOS_ITEMS, /* of a foreach, begun */
    CHAOS_CACHE_HITS,
    CHAOS_UNKNOWNS,
    CHAOS_CHECKS,
    CHAOS_INTERRUPTIONS,
    CHAOS_SETTLEMENTS,
    CHAOS_SETS,
    CHAOS_WAITS,
    CHAOS_ANSWERS,
    CHAOS_SKIPS,
    CHAOS_PAUSES,
    CHAOS_CANCELS,
    CHAOS_TIMEOUTS, /* of chains */
    CHAOS_UNDONE,
    CHAOS_UNDO_FAILED,
    CHAOS_COMPLETED,
    CHAOS_FAILED,
    CHAOS_ROLLED_BACK,
    CHAOS_ROLLBACK_FAILED,
    CHAOS_CANCELLED,
    CHAOS_PARKED, /* at the end, for nobody came */
    CHAOS_COUNT
} chaos_count;
const char *chaos_count_name(chaos_count count);

/* Kinds of faults that can be left out, to find the smallest world that still fails. */
typedef enum chaos_fault {
    CHAOS_NO_DEATHS = 1 << 0,
    CHAOS_NO_STOPS = 1 << 1,
    CHAOS_NO_COMMIT_FAULTS = 1 << 2,
    CHAOS_NO_READ_FAULTS = 1 << 3,
    CHAOS_NO_CALL_FAULTS = 1 << 4,
    CHAOS_NO_MEDDLING = 1 << 5,
    CHAOS_NO_JUMPS = 1 << 6,
    CHAOS_NO_STALE = 1 << 7,
} chaos_fault;
#define CHAOS_FAULT_COUNT 8

typedef struct chaos_options {
    uint64_t seed;
    unsigned without;   /* bits of chaos_fault */
    int executions_max; /* 0: as the seed draws */
    FILE *trace;        /* NULL: silent */
} chaos_options;

typedef struct chaos_report {
    sim_failure failure;
    uint64_t counts[CHAOS_COUNT];
    bool has_counted; /* enough happened in it that it says something */
} chaos_report;

void chaos_run(const chaos_options *options, chaos_report *ret_report);
