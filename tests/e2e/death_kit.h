/*
 * death_kit.h -- a chain that dies at a point, goes on, and is judged by what its tools really did.
 *
 * A trial: a world of its own; `catena_mortal` (mortal/death.c) runs the chain and is killed at point n; the journal
 * that it left is read; the product goes on (a second death on the way if asked for); a person settles what has parked
 * by looking into the ledger; the journal is read again. Then every call is judged by its key. In flight at a death was
 * what had begun by the journal, or stands in the ledger, and had no end in the journal. It must have ended as
 *
 *     repeated   it may be repeated (read, idempotent) and was done again
 *     verified   a write: its check was asked first, and it was done once in all
 *     parked     a write: the execution parked, the person settled it, and it was done once in all
 *
 * and as nothing else: what fits none of them fails the test, as do a write that was done twice, a write in the ledger
 * whose intention was not in the journal, a recorded step that ran again, an entry that was lost or changed, a store
 * that does not check, an end that was told and not recorded, and a process that is left behind.
 */
#pragma once
#include "left.h"

typedef struct death_tally {
    unsigned trials, deaths, before_accepted, after_end, quiet; /* quiet: no call was in flight */
    unsigned repeated, verified_happened, verified_not, parked; /* calls */
    unsigned second_deaths, acknowledged;
} death_tally;

/* A chain of the test, with what its tools are by their names. */
typedef struct death_chain {
    const char *name;   /* also the chain's id */
    const char *text;   /* YAML */
    const char *status; /* how it ends when nobody dies */
} death_chain;
extern const death_chain death_chains[];
extern const size_t death_chain_count;
extern const death_chain death_travel_chain;
const death_chain *death_chain_named(const char *name);

typedef struct death_plan {
    const death_chain *chain;
    unsigned at;           /* the point; 0: none */
    bool dies_twice;       /* for who tries many points: chooses second_at */
    unsigned second_at;    /* the point of the process that goes on; 0: it does not die */
    const char *victim;    /* NULL: main; "spawner", "server" */
    const char *counts;    /* NULL: main; "spawner" */
    bool is_new_store;     /* the store is made by the process that dies */
    bool waits;            /* until all processes of the dead one have ended; else the next one starts at once */
    bool never_waits;      /* not for every other point either */
    bool serves;           /* `serve` dies, with executions of all chains handed to it */
    bool is_travel;        /* the chain is the travel pack's, its ledger the client records */
    const char *plant;     /* a fault that all its processes have (base/plant.h); NULL: none */
    const char *peer_args; /* more arguments of the tool server, each with ", " behind; NULL: none */
} death_plan;

/* False, with what, where and why, when something is not as it must be. */
bool death_try(const death_plan *plan, death_tally *tally, char why[400]);
/* Runs it without a death: how many points there are, and with `ret_lines` (may be NULL; to be freed) a line for each.
 */
unsigned death_points(const death_plan *plan, char **ret_lines);

void death_add(death_tally *sum, const death_tally *more);
void death_print(const char *name, const death_tally *tally);
