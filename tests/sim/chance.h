/*
 * chance.h -- seeded chance for worlds: one state a purpose, so that turning one kind of fault off leaves the others
 * where they were.
 */
#pragma once
#include "base/clock.h"

#include <stdbool.h>

static inline uint64_t chance_below(uint64_t *state, uint64_t below)
{
    ctn_rng rng = ctn_rng_seeded(state);
    return ctn_rng_next(&rng) % below;
}
static inline bool chance_percent(uint64_t *state, int share)
{
    return share > 0 && (int) chance_below(state, 100) < share;
}
/* from..to, both included */
static inline int64_t chance_between(uint64_t *state, int64_t from, int64_t to)
{
    return from + (int64_t) chance_below(state, (uint64_t) (to - from + 1));
}
#define CHANCE_OF(state, array) ((array)[chance_below((state), sizeof(array) / sizeof(array)[0])])
