/*
 * shares.h -- this node's part of what is limited over a fleet: places of a set (`maxConcurrent`), tokens of its bucket
 * (`rateLimit`), and who may send the probe of an open circuit breaker.
 *
 * The store counts (store/fleet.h): it gives places to nodes, never more in all than there are, and tokens one by one
 * by its own clock. A node asks when somebody waits here, uses what it was given, and gives back after a second what it
 * does not need. Who has more to do than places takes turns with the other nodes: every two seconds it begins nothing
 * for a moment, and gives back each place whose call ends. What it was given and what it does with it is limits.h, as
 * on one machine. While the store does not answer a node goes on with what it has; what a dead node had is free when it
 * is buried. So at no time more calls run, or began in a second, than the set allows; a node that dies may cost tokens
 * that it had not used.
 *
 * The store is asked on the engine's thread, in turns, and never while core decides: a few times a second at most for
 * each limit that somebody waits for, not at all for others.
 */
#pragma once
#include "engine/engine.h"
#include "engine/limits.h"

typedef struct ctn_share {
    int64_t node;                  /* whose places these are: they go with it */
    int64_t held;                  /* places that the store gave this node */
    int64_t ask_at_ms, take_at_ms; /* for places, for tokens: not before */
    int64_t spare_from_ms;         /* since when there are more than are needed; 0: there are not */
    int64_t in_use_from_ms;        /* since when somebody waits here while places are held; 0: nobody does */
    int64_t yields_until_ms;
} ctn_share;

/* Asks for more, or gives back. True: calls may begin that could not before. *ret_at_ms: when to settle it again, 0:
 * when somebody waits. */
bool ctn_eng_share_settle(ctn_engine *engine, ctn_share *share, ctn_limit *limit, ctn_str name, int64_t *ret_at_ms);
