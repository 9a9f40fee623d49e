/*
 * fleet.h -- one random world of a fleet: several engines on one store that knows shards and leases, each with clocks
 * of its own and a link to the store that breaks, and an oracle for each execution (oracle.h) and one for the history
 * of the whole (fleet/history.h).
 *
 * What happens in it, each by a share that the world's seed draws:
 *   nodes    are killed and come again, leave and come again, are stopped (SIGSTOP) and go on with old ideas
 *   clocks   each node's wall clock is a little off, its CLOCK_BOOTTIME has a pace of its own
 *   links    are cut: calls of the store fail, or are done and the answer is lost; a batch or a beat of the dead
 * arrives calls    are slow, are lost before and after they took effect, arrive late (within settleMs); a node is
 * stopped between its look at the lease and the send of a write: the one documented case, counted people   start with a
 * key at any node, at several, again; answer, settle, cancel, pause, resume at any node
 *
 * In some worlds a chain requires a label, which node 0 has in each of its lives and others in some of theirs: no call
 * of such a chain is made by a node without.
 *
 * Then it is calm: all nodes live, no faults. Within a bounded time every shard is held and known to its holder, and
 * all that can end does.
 *
 * What a node takes, gives back and buries is decided by the product (src/fleet/balance.h); who sends that to the store
 * and believes the answers is here, as src/fleet/member.c does it with a thread.
 *
 * The same seed and options give the same world.
 */
#pragma once
#include "fleet/history.h"
#include "sim/oracle.h"

#include <stdio.h>

typedef enum fleet_count {
    FLEET_EXECUTIONS,
    FLEET_ENTRIES,
    FLEET_WRITES,
    FLEET_KILLS,
    FLEET_LEAVES,
    FLEET_STOPS,
    FLEET_SEND_STOPS, /* between the look at the lease and the send */
    FLEET_CUTS,
    FLEET_LOST_ANSWERS, /* the store did it, and nobody was told */
    FLEET_LATE_BATCHES, /* of a node that is dead */
    FLEET_REFUSED,      /* appends: of who held the shard once */
    FLEET_TAKES,
    FLEET_TAKEOVERS,
    FLEET_BURIALS,
    FLEET_STALE_BEATS, /* a node that hears that it was taken for dead */
    FLEET_HELD_BACK,   /* a look at the lease that said no */
    FLEET_REQUESTS,    /* filed for another node */
    FLEET_FAR_ASKS,    /* filed by an engine: of a sub-chain elsewhere, or of its parent */
    FLEET_SECOND_ASKS, /* starts of a key that was asked for before */
    FLEET_LABELLED,    /* calls of a chain that requires a label */
    FLEET_LATE_WRITES, /* the documented case */
    FLEET_REPEATED_WRITES,
    FLEET_COUNT
} fleet_count;
const char *fleet_count_name(fleet_count count);

/* Kinds of faults that can be left out, to find the smallest world that still fails. */
typedef enum fleet_fault {
    FLEET_NO_KILLS = 1 << 0,
    FLEET_NO_LEAVES = 1 << 1,
    FLEET_NO_STOPS = 1 << 2,
    FLEET_NO_SEND_STOPS = 1 << 3,
    FLEET_NO_CUTS = 1 << 4,
    FLEET_NO_LOST_ANSWERS = 1 << 5,
    FLEET_NO_CALL_FAULTS = 1 << 6,
    FLEET_NO_CLOCK_FAULTS = 1 << 7,
    FLEET_NO_MEDDLING = 1 << 8,
} fleet_fault;
#define FLEET_FAULT_COUNT 9

typedef struct fleet_options {
    uint64_t seed;
    unsigned without;              /* bits of fleet_fault */
    int nodes_max, executions_max; /* 0: as the seed draws */
    FILE *trace;                   /* NULL: silent */
} fleet_options;

typedef struct fleet_report {
    sim_failure failure;
    uint64_t counts[FLEET_COUNT];
    bool has_counted; /* enough happened in it that it says something */
} fleet_report;

void fleet_run(const fleet_options *options, fleet_report *ret_report);
