/*
 * many.h -- many random worlds, by seed: in a test, on the command line, without end.
 *
 * A failure is told with its seed, the commit (CATENA_COMMIT, as the build or the environment knows it) and the command
 * that plays it again. A program that dies in a world tells the seed as well.
 */
#pragma once
#include "sim/chaos.h"

typedef struct many_options {
    uint64_t first, count; /* count 0: until interrupted */
    int jobs;              /* processes; 1: this one */
} many_options;

typedef struct many_sum {
    uint64_t worlds, counting, failed, first_failed;
    uint64_t counts[CHAOS_COUNT];
    uint64_t worlds_with[CHAOS_COUNT]; /* in how many it happened at all */
} many_sum;

/* 0: every world kept its promises. Prints failures to stderr and a table to stdout. */
int many_run(const many_options *options);
/* The same in this process, without the table. Stops at the fifth failure. */
void many_range(uint64_t first, uint64_t count, many_sum *ret_sum);
void many_print(const many_sum *sum);
/* Plays one world with its trace on stdout; shrink: first finds out what of it can be left out. 0: it did not fail. */
int many_one(uint64_t seed, bool shrinks);
