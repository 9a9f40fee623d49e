/*
 * breaker.c -- see breaker.h.
 */
#include "engine/breaker.h"
#include "base/memory.h"

#include <stdlib.h>

void ctn_breaker_done(ctn_breaker *b)
{
    free(b->has_failed);
    *b = (ctn_breaker){0};
}

void ctn_breaker_restore(ctn_breaker *b, int64_t until_ms)
{
    b->is_open = true;
    b->until_ms = until_ms;
}

bool ctn_breaker_may_begin(const ctn_breaker *b, const ctn_breaker_rules *rules, int64_t now_ms, int64_t *ret_until_ms)
{
    if (!b->is_open || (!b->has_probe && now_ms >= b->until_ms))
        return true;
    *ret_until_ms = b->has_probe ? now_ms + rules->open_ms : b->until_ms;
    return false;
}

bool ctn_breaker_begun(ctn_breaker *b, uint64_t *ret_opened)
{
    *ret_opened = b->opened;
    if (!b->is_open)
        return false;
    b->has_probe = true;
    return true;
}

static void forget(ctn_breaker *b)
{
    b->first = b->count = b->failures = 0;
}

void ctn_breaker_reset(ctn_breaker *b)
{
    b->is_open = b->has_probe = false;
    b->until_ms = 0;
    b->opened++;
    forget(b);
}

static void drop_first(ctn_breaker *b)
{
    b->failures -= b->has_failed[b->first];
    b->first = (b->first + 1) % b->capacity;
    b->count--;
}

/* A window of another size keeps the latest. */
static void resize(ctn_breaker *b, size_t window)
{
    if (b->capacity == window)
        return;
    while (b->count > window)
        drop_first(b);
    bool *kept = ctn_malloc(window * sizeof *kept);
    for (size_t i = 0; i < b->count; i++)
        kept[i] = b->has_failed[(b->first + i) % b->capacity];
    free(b->has_failed);
    b->has_failed = kept;
    b->capacity = window;
    b->first = 0;
}

static void open(ctn_breaker *b, const ctn_breaker_rules *rules, int64_t now_ms)
{
    b->is_open = true;
    b->has_probe = false;
    b->until_ms = now_ms + rules->open_ms;
    b->opened++;
    forget(b);
}

bool ctn_breaker_ended(ctn_breaker *b, const ctn_breaker_rules *rules, bool is_probe, uint64_t opened,
                       ctn_verdict_of_call verdict, int64_t now_ms)
{
    if (opened != b->opened || (b->is_open && !is_probe))
        return false;
    if (is_probe) {
        if (verdict == CTN_CALL_FAILED)
            open(b, rules, now_ms);
        else
            b->has_probe = false;
        b->is_open = verdict != CTN_CALL_WENT_WELL;
        return true;
    }
    if (verdict == CTN_CALL_SAYS_NOTHING)
        return false;
    resize(b, rules->window > 0 ? (size_t) rules->window : 1);
    if (b->count == b->capacity)
        drop_first(b);
    b->has_failed[(b->first + b->count++) % b->capacity] = verdict == CTN_CALL_FAILED;
    b->failures += verdict == CTN_CALL_FAILED;
    if (verdict != CTN_CALL_FAILED || (int64_t) b->count < rules->minimum ||
        (double) b->failures < rules->failure_ratio * (double) b->count)
        return false;
    open(b, rules, now_ms);
    return true;
}
