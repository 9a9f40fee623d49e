/*
 * clock.h -- time and chance as things that are handed in, so that a simulator can hand in its own.
 *
 * Times are milliseconds since the Unix epoch (wall clock). The engine reads its clock once a turn.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct ctn_clock {
    int64_t (*now_ms)(void *ctx);
    void *ctx;
} ctn_clock;

typedef struct ctn_rng {
    uint64_t (*next)(void *ctx); /* 64 independent bits */
    void *ctx;
} ctn_rng;

static inline int64_t ctn_clock_now_ms(const ctn_clock *clock)
{
    return clock->now_ms(clock->ctx);
}
static inline uint64_t ctn_rng_next(const ctn_rng *rng)
{
    return rng->next(rng->ctx);
}

ctn_clock ctn_clock_system(void);
ctn_rng ctn_rng_system(void); /* getrandom(2) through libsodium, for each number */
/* The same, fetched many at a time: for who needs many. Not for keys: what is fetched lies in memory until it is used.
 * The pool is the caller's, begins all zero, and belongs to one thread and one process (no fork in between). */
typedef struct ctn_rng_pool {
    uint64_t bits[32];
    size_t left;
} ctn_rng_pool;
ctn_rng ctn_rng_pooled(ctn_rng_pool *pool);
/* Deterministic, for tests and simulation: *state is the seed and the state (SplitMix64). */
ctn_rng ctn_rng_seeded(uint64_t *state);

/* RFC 3339 in UTC with milliseconds: 2026-11-22T10:00:00.000Z. ret_text takes 25 bytes. */
void ctn_time_format(int64_t at_ms, char ret_text[25]);
