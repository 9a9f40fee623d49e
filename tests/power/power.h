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

/* What is on the disk before. */
typedef enum power_from { POWER_FROM_EMPTY, POWER_FROM_NOTHING, POWER_FROM_SCHEMA_1 } power_from;

typedef struct power_point {
    const char *name; /* said when it fails */
    const char *chain, *child;
    const char *url_options; /* behind the file's name; NULL: none */
    uint64_t seed;
    int executions; /* 0: 1 */
    int fault_percent, die_chance_percent;
    power_from from;
    disk_plan plan;       /* until the first cut */
    int cuts_again;       /* so many more, at random */
    int checkpoint_every; /* before each so many commits another connection moves the log into the file; 0: never */
    bool checkpoint_in;   /* ... and at the plan's call_at, in the middle of what is going on */
    bool tolerates_loss;  /* of what was acknowledged: then power_result.has_lost tells */
} power_point;

typedef struct power_result {
    ctn_status status;
    int deaths, cuts;
    int64_t changes, failures; /* of the disk, until the first cut */
    bool was_cut, has_lost;
} power_result;

power *power_new(void);
void power_free(power *p);
/* Fails the test when a promise is broken. When it ends as `expected`, `check` looks at the world (NULL: nobody does);
 * CTN_STATUS_COUNT: any end will do. Another end fails the test too, unless the power went again: a call that was under
 * way at several deaths is not tried for ever. */
power_result power_run(power *p, const power_point *point, ctn_status expected, void (*check)(sim *s));

/* The same without an engine: `work` uses the store until it is done or the disk lets it down (its result, not 0, is
 * ignored), then the power is on again and `judge` looks. The point's seed, from, plan and url_options count. */
typedef int power_work(const char *url, void *ctx);
power_result power_try(power *p, const power_point *point, power_work *work, power_work *judge, void *ctx);
