/*
 * power.h -- the worlds of tests/sim on a store on a disk that loses its power and fails.
 *
 * One point is one world: a chain is run to its end, and somewhere on the way the disk does what its plan says.
 * Whatever that is, the world's own checks hold (sim.h), and SQLite finds nothing wrong with the file, each time
 * somebody looks.
 */
#pragma once
#include "power/disk.h"
#include "sim/sim.h"

typedef struct power power;

typedef struct power_point {
    const char *name; /* for the sentence when it fails */
    const char *chain, *child;
    const char *url_options; /* behind the file's name; NULL: none */
    uint64_t seed;
    int executions; /* 0: 1 */
    int fault_percent, die_chance_percent;
    disk_plan plan;      /* of the first life of the store */
    disk_plan again;     /* after the first cut or death */
    bool from_nothing;   /* the store does not exist yet */
    bool tolerates_loss; /* of what was acknowledged: then power_result.lost tells */
} power_point;

typedef struct power_result {
    ctn_status status;
    int deaths;
    int64_t changes, operations, failures; /* of the disk, in the first life of the store */
    int64_t changes_again;
    bool was_cut, was_cut_again, has_lost;
} power_result;

power *power_new(void);
void power_free(power *p);
/* Fails the test when a promise is broken. `check` may look at the world at its end; NULL: nobody does. */
power_result power_run(power *p, const power_point *point, void (*check)(sim *s));
