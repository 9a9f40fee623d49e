/*
 * limits.c -- see limits.h. The n-th in the queue may begin when n places are free and n tokens are there: so those
 * before it have theirs.
 */
#include "engine/limits.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ctn_limit_done(ctn_limit *limit)
{
    free(limit->queue);
    *limit = (ctn_limit){0};
}

static void refill(ctn_limit *limit, int64_t now_ms)
{
    if (limit->rules.is_shared)
        return;
    double burst = (double) (limit->rules.burst > 0 ? limit->rules.burst : 1);
    if (!limit->tokens_at_ms)
        limit->tokens = burst;
    else if (now_ms > limit->tokens_at_ms)
        limit->tokens += (double) (now_ms - limit->tokens_at_ms) * limit->rules.per_second / 1000.0;
    if (limit->tokens > burst)
        limit->tokens = burst;
    limit->tokens_at_ms = now_ms > 0 ? now_ms : 1;
}

/* How many calls may begin now, waiters or not. */
static size_t free_places(ctn_limit *limit, int64_t now_ms)
{
    size_t places = SIZE_MAX;
    int64_t most = limit->rules.is_shared ? limit->granted : limit->rules.max_concurrent;
    if (limit->rules.max_concurrent > 0)
        places = limit->running < most ? (size_t) (most - limit->running) : 0;
    if (limit->rules.per_second > 0) {
        refill(limit, now_ms);
        size_t tokens = (size_t) (limit->tokens + 1e-9);
        places = tokens < places ? tokens : places;
    }
    return places;
}

static size_t position_of(const ctn_limit *limit, ctn_execution_id id)
{
    size_t at = 0;
    while (at < limit->count && !ctn_id_equal(limit->queue[at], id))
        at++;
    return at;
}

bool ctn_limit_ask(ctn_limit *limit, ctn_execution_id id, int64_t now_ms, int64_t *ret_until_ms)
{
    size_t position = position_of(limit, id);
    if (position < free_places(limit, now_ms))
        return true;
    if (position == limit->count) {
        limit->queue = ctn_array_room(limit->queue, limit->count, &limit->capacity, sizeof *limit->queue);
        limit->queue[limit->count++] = id;
    }
    *ret_until_ms = 0;
    double missing = (double) position + 1.0 - limit->tokens;
    if (limit->rules.per_second > 0 && missing > 0 && !limit->rules.is_shared)
        *ret_until_ms = now_ms + (int64_t) (missing * 1000.0 / limit->rules.per_second) + 1;
    return false;
}

void ctn_limit_leave(ctn_limit *limit, ctn_execution_id id)
{
    size_t at = position_of(limit, id);
    if (at == limit->count)
        return;
    limit->count--;
    memmove(&limit->queue[at], &limit->queue[at + 1], (limit->count - at) * sizeof *limit->queue);
}

void ctn_limit_take(ctn_limit *limit, ctn_execution_id id, int64_t now_ms)
{
    if (limit->rules.per_second > 0) {
        refill(limit, now_ms);
        limit->tokens -= 1.0;
    }
    limit->running++;
    ctn_limit_leave(limit, id);
}

void ctn_limit_give_back(ctn_limit *limit)
{
    assert(limit->running > 0);
    limit->running--;
}

size_t ctn_limit_ready(ctn_limit *limit, int64_t now_ms)
{
    size_t places = limit->count ? free_places(limit, now_ms) : 0;
    return places < limit->count ? places : limit->count;
}
