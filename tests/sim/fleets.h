/*
 * fleets.h -- many random worlds of fleets, by seed: in a test, on the command line.
 *
 * A failure is told with its seed, and the command that plays it again.
 */
#pragma once
#include "sim/fleet.h"

typedef struct fleets_sum {
    uint64_t worlds, counting, failed, first_failed;
    uint64_t counts[FLEET_COUNT];
    uint64_t worlds_with[FLEET_COUNT]; /* in how many it happened at all */
} fleets_sum;

uint64_t fleets_default(void); /* so many in a test run: the build's affair (tests/CMakeLists.txt) */
/* Stops at the fifth failure. */
void fleets_range(uint64_t first, uint64_t count, fleets_sum *ret_sum);
void fleets_print(const fleets_sum *sum);
/* Plays one world with its trace on stdout; shrink: first finds out what of it can be left out. 0: it did not fail. */
int fleets_one(uint64_t seed, bool shrinks);
