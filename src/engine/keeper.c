/*
 * keeper.c -- see keeper.h. A round is: transactions of pruning until the walk is done, then pages given back until
 * only a reserve is left. It begins when something is due, and once after the start.
 */
#include "engine/keeper.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FIRST_LOOK_MS = 1000, /* after the start: those who wait to go on come first */
    LEFT_LOOK_MS = 3600000,
    FAILED_LOOK_MS = 60000,
    GAP_MAX_MS = 60000, /* between rounds, or a busy store would have one without an end */
    GAP_MIN_MS = 100,
    /* A step shorter than this may be larger, a longer one than that should be smaller; but not so small that the sync
     * is most of it, which is the same for a small one. */
    STEP_MIN_US = 1500,
    STEP_MAX_US = 5000,
    QUIET_MS = 50 /* without a commit: nobody is held up */
};

struct ctn_keeper {
    ctn_retention retention;
    ctn_clock clock;
    const ctn_log *log;
    int64_t due_ms, began_at_ms, committed_at_ms;
    enum { KEEPER_WAITS, KEEPER_PRUNES, KEEPER_SHRINKS } phase;
    ctn_prune_walk walk;
    ctn_pruned sum;
    size_t entries, pages; /* in a step */
};

ctn_keeper *ctn_keeper_new(const ctn_retention *retention, ctn_clock clock, const ctn_log *log)
{
    ctn_keeper *k = ctn_malloc(sizeof *k);
    *k = (ctn_keeper){.retention = *retention, .clock = clock, .log = log, .entries = 256, .pages = 32};
    k->due_ms = ctn_clock_now_ms(&k->clock) + FIRST_LOOK_MS;
    return k;
}

void ctn_keeper_free(ctn_keeper *keeper)
{
    free(keeper);
}

int64_t ctn_keeper_due_ms(const ctn_keeper *keeper)
{
    return keeper->due_ms;
}

static int64_t shortest_span_ms(const ctn_retention *r)
{
    if (!r->completed_ms || !r->failed_ms)
        return r->completed_ms ? r->completed_ms : r->failed_ms;
    return r->completed_ms < r->failed_ms ? r->completed_ms : r->failed_ms;
}

void ctn_keeper_committed(ctn_keeper *k)
{
    int64_t span_ms = shortest_span_ms(&k->retention);
    k->committed_at_ms = ctn_clock_now_ms(&k->clock);
    if (k->phase == KEEPER_WAITS && span_ms && (!k->due_ms || k->due_ms > k->committed_at_ms + span_ms))
        k->due_ms = k->committed_at_ms + span_ms;
}

static int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static size_t fitted(size_t amount, int64_t took_us, size_t least, size_t most)
{
    if (took_us > STEP_MAX_US && amount > least)
        return amount / 2;
    if (took_us < STEP_MIN_US && amount < most)
        return amount * 2;
    return amount;
}

static void end_round(ctn_keeper *k, int64_t now_ms)
{
    if (k->sum.executions && k->log) {
        char count[32];
        snprintf(count, sizeof count, "%" PRIu64, k->sum.executions);
        ctn_log_line(k->log, CTN_LOG_INFO, "retention removed what ended long ago", "executions", count, NULL);
    }
    int64_t gap_ms = shortest_span_ms(&k->retention) / 100;
    gap_ms = gap_ms < GAP_MIN_MS ? GAP_MIN_MS : gap_ms > GAP_MAX_MS ? GAP_MAX_MS : gap_ms;
    k->phase = KEEPER_WAITS;
    k->due_ms = ctn_prune_due_ms(&k->retention, &k->walk);
    if (k->walk.left && (!k->due_ms || k->due_ms > now_ms + LEFT_LOOK_MS))
        k->due_ms = now_ms + LEFT_LOOK_MS;
    if (k->due_ms && k->due_ms < now_ms + gap_ms)
        k->due_ms = now_ms + gap_ms;
    if (k->committed_at_ms >= k->began_at_ms)
        ctn_keeper_committed(k);
}

/* The step itself. */
static int work(ctn_keeper *k, ctn_store *store, int64_t now_ms, ctn_err *err)
{
    bool more = true;
    int rc;
    if (k->phase == KEEPER_PRUNES) {
        ctn_prune what;
        ctn_prune_by_age(&k->retention, now_ms, &what);
        what.entries_max = k->entries;
        rc = ctn_store_prune(store, &what, &k->walk, &k->sum, err);
        if (rc == CTN_OK && k->walk.is_done)
            k->phase = KEEPER_SHRINKS;
        return rc;
    }
    rc = ctn_store_shrink(store, k->pages, &more, err);
    if (rc == CTN_OK && !more)
        end_round(k, now_ms);
    return rc;
}

bool ctn_keeper_turn(ctn_keeper *k, ctn_store *store)
{
    int64_t now_ms = ctn_clock_now_ms(&k->clock);
    if (!k->due_ms || now_ms < k->due_ms)
        return false;
    if (k->phase == KEEPER_WAITS) {
        k->phase = KEEPER_PRUNES;
        k->began_at_ms = now_ms;
        k->walk = (ctn_prune_walk){0};
        k->sum = (ctn_pruned){0};
    }
    ctn_err err = {0};
    int phase = (int) k->phase;
    int64_t began_us = monotonic_us();
    int rc = work(k, store, now_ms, &err);
    int64_t took_us = monotonic_us() - began_us;
    if (rc) {
        if (rc != CTN_E_BUSY) /* the store's trouble is told by whoever commits; this is only put off */
            ctn_log_line(k->log, CTN_LOG_WARN, "retention is put off", "why", err.message, NULL);
        k->phase = KEEPER_WAITS;
        k->due_ms = now_ms + FAILED_LOOK_MS;
        return false;
    }
    if (phase == KEEPER_PRUNES)
        k->entries = fitted(k->entries, took_us, 256, 4096);
    else
        k->pages = fitted(k->pages, took_us, 32, 1024);
    if (k->phase != KEEPER_WAITS) {
        bool is_quiet = now_ms - k->committed_at_ms > QUIET_MS;
        /* From now_ms, when it began. The rest is for other connections too, which sleep and try again. */
        k->due_ms = now_ms + (is_quiet ? 2 : 5) * took_us / 1000 + 1;
    }
    return true;
}
