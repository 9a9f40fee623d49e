/*
 * chains.h -- the chains that the power is cut on: one straight, with writes and their checks; one that is undone; one
 * with steps beside each other and a foreach; one with a sub-chain.
 */
#pragma once
#include "sim/sim.h"

typedef struct power_chain {
    const char *name, *yaml, *child;
    ctn_status expected; /* the end of a run in which only the disk misbehaves */
    void (*check)(sim *s);
} power_chain;

extern const power_chain power_chains[];
extern const size_t power_chain_count;
