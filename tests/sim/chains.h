/*
 * chains.h -- the chains that are killed everywhere: by the death of the engine at every commit (test_crash,
 * test_children) and by a disk that loses its power or fails at every operation (tests/power).
 */
#pragma once
#include "sim/sim.h"

typedef struct sim_chain {
    const char *name, *yaml, *child; /* no child: NULL */
    ctn_status expected;             /* its end, whoever dies */
    void (*check)(sim *s);           /* what it must have done by then */
} sim_chain;

extern const sim_chain sim_straight; /* writes and their checks, one after the other */
extern const sim_chain sim_undone;   /* its last step fails */
extern const sim_chain sim_beside;   /* steps beside each other, calls beside each other, a foreach */
extern const sim_chain sim_calling;  /* a sub-chain, which can be undone */
enum { SIM_CHAIN_COUNT = 4 };
extern const sim_chain *const sim_chains[SIM_CHAIN_COUNT]; /* all of them */

/* The engine dies before its first commit, then its second, and so on, and after each, until a run needs no more of
 * them. Returns how many deaths that was. */
int sim_kill_everywhere(const sim_chain *chain, uint64_t seed);
