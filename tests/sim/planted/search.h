/*
 * search.h -- how many worlds it takes until a planted fault is found.
 *
 * Each fault is tried in a process of its own, for some of them end in an assert: that is found as well, by the engine
 * itself. The files that name plants are compiled for these programs (tests/CMakeLists.txt); the libraries have none.
 */
#pragma once
#include "sim/oracle.h"

typedef void plant_world(uint64_t seed, sim_failure *ret_failure);

typedef struct plant_find {
    uint64_t seed; /* 0: not found */
    char how[200];
} plant_find;

plant_find plant_search(plant_world *world, int plant, uint64_t seeds); /* a ctn_plant */
/* Each from first on, below end, is found; prints how. Fails the test else. */
void plants_are_found(plant_world *world, const char *const *names, int first, int end, uint64_t seeds);
void nothing_is_found_where_nothing_is(plant_world *world, uint64_t seeds);
