/*
 * clock.c -- the system's time and chance, and a seeded chance for tests.
 */
#include "base/clock.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

static int64_t system_now_ms(void *ctx)
{
    (void) ctx;
    struct timespec now;
    int rc = clock_gettime(CLOCK_REALTIME, &now);
    assert(rc == 0);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ctn_clock ctn_clock_system(void)
{
    return (ctn_clock){.now_ms = system_now_ms};
}

static uint64_t system_next(void *ctx)
{
    (void) ctx;
    uint64_t bits;
    randombytes_buf(&bits, sizeof bits);
    return bits;
}

ctn_rng ctn_rng_system(void)
{
    int rc = sodium_init(); /* any number of times, from any thread */
    assert(rc >= 0);
    return (ctn_rng){.next = system_next};
}

static uint64_t pooled_next(void *ctx)
{
    ctn_rng_pool *pool = ctx;
    if (pool->left == 0) {
        randombytes_buf(pool->bits, sizeof pool->bits);
        pool->left = sizeof pool->bits / sizeof pool->bits[0];
    }
    return pool->bits[--pool->left];
}

ctn_rng ctn_rng_pooled(ctn_rng_pool *pool)
{
    int rc = sodium_init();
    assert(rc >= 0);
    return (ctn_rng){.next = pooled_next, .ctx = pool};
}

static uint64_t seeded_next(void *ctx)
{
    uint64_t *state = ctx;
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

ctn_rng ctn_rng_seeded(uint64_t *state)
{
    return (ctn_rng){.next = seeded_next, .ctx = state};
}

/* What four digits of a year can say: 0000-01-01 to 9999-12-31. Beyond, the nearest is said. */
#define TIME_MS_MIN (-62167219200000)
#define TIME_MS_MAX 253402300799999

void ctn_time_format(int64_t at_ms, char ret_text[25])
{
    if (at_ms < TIME_MS_MIN)
        at_ms = TIME_MS_MIN;
    if (at_ms > TIME_MS_MAX)
        at_ms = TIME_MS_MAX;
    int64_t ms = at_ms % 1000 < 0 ? at_ms % 1000 + 1000 : at_ms % 1000;
    time_t seconds = (at_ms - ms) / 1000;
    struct tm tm;
    struct tm *filled = gmtime_r(&seconds, &tm);
    assert(filled);
    /* The remainders tell the compiler what gmtime_r promises, so that it can see that 25 bytes are enough. */
    (void) snprintf(ret_text, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned) (tm.tm_year + 1900) % 10000u,
                    (unsigned) (tm.tm_mon + 1) % 100u, (unsigned) tm.tm_mday % 100u, (unsigned) tm.tm_hour % 100u,
                    (unsigned) tm.tm_min % 100u, (unsigned) tm.tm_sec % 100u, (unsigned) ms % 1000u);
}
