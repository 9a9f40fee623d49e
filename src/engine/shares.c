/*
 * shares.c -- see shares.h.
 */
#include "engine/shares.h"
#include "engine/state.h"

#define ASK_AGAIN_MS 50   /* nothing was left: others have it */
#define FAILED_MS    1000 /* the store could not be asked */
#define SPARE_MS     1000 /* kept for the next call */
#define SLICE_MS     2000 /* then others may have a turn, */
#define YIELD_MS     120  /* for as long as it takes them to ask twice */
#define TOKENS_AHEAD 10   /* a part of a second's tokens that one question may take */

static int64_t earlier_ms(int64_t a_ms, int64_t b_ms) /* 0: never */
{
    return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t later_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static void tell_failure(ctn_engine *e, ctn_str name, const ctn_err *err)
{
    ctn_log_line(e->options.log, CTN_LOG_WARN, "the fleet's limits cannot be asked for", "limit",
                 ctn_arena_str(e->scratch, name).ptr, "why", err->message, NULL);
}

static int64_t places_needed(const ctn_limit *limit)
{
    int64_t wanted = limit->running + (int64_t) limit->count;
    return wanted < limit->rules.max_concurrent ? wanted : limit->rules.max_concurrent;
}

/* Should the other nodes have a turn now? */
static bool yields(ctn_engine *e, ctn_share *share, const ctn_limit *limit)
{
    if (e->now_ms < share->yields_until_ms)
        return true;
    if (!limit->count || !share->held)
        share->in_use_from_ms = 0;
    else if (!share->in_use_from_ms)
        share->in_use_from_ms = e->now_ms;
    if (!share->in_use_from_ms || e->now_ms < share->in_use_from_ms + SLICE_MS)
        return false;
    share->in_use_from_ms = 0;
    share->yields_until_ms = e->now_ms + YIELD_MS;
    return true;
}

static void note_spare(ctn_engine *e, ctn_share *share, bool is_spare)
{
    if (!is_spare)
        share->spare_from_ms = 0;
    else if (!share->spare_from_ms)
        share->spare_from_ms = e->now_ms;
}

static bool settle_places(ctn_engine *e, ctn_share *share, ctn_limit *limit, ctn_str name, int64_t *ret_at_ms)
{
    int64_t before = limit->granted;
    bool is_yielding = yields(e, share, limit);
    int64_t wanted = is_yielding ? limit->running : places_needed(limit);
    note_spare(e, share, wanted < share->held);
    bool is_time = wanted > share->held ? e->now_ms >= share->ask_at_ms
                                        : share->spare_from_ms && e->now_ms >= share->ask_at_ms &&
                                              (is_yielding || e->now_ms >= share->spare_from_ms + SPARE_MS);
    if (is_time) {
        ctn_err err = {0};
        int rc = ctn_store_places_claim(e->options.store, share->node, name, limit->rules.max_concurrent, wanted,
                                        &share->held, &err);
        share->ask_at_ms = e->now_ms + (rc ? FAILED_MS : wanted > share->held ? ASK_AGAIN_MS : 0);
        if (rc)
            tell_failure(e, name, &err);
        note_spare(e, share, wanted < share->held);
    }
    limit->granted = is_yielding ? 0 : share->held;
    if (wanted > share->held)
        *ret_at_ms = earlier_ms(*ret_at_ms, share->ask_at_ms);
    else if (share->spare_from_ms)
        *ret_at_ms = earlier_ms(*ret_at_ms, later_ms(share->spare_from_ms + SPARE_MS, share->ask_at_ms));
    if (is_yielding)
        *ret_at_ms = earlier_ms(*ret_at_ms, share->yields_until_ms);
    else if (share->in_use_from_ms)
        *ret_at_ms = earlier_ms(*ret_at_ms, share->in_use_from_ms + SLICE_MS);
    return limit->granted > before;
}

static bool settle_tokens(ctn_engine *e, ctn_share *share, ctn_limit *limit, ctn_str name, int64_t *ret_at_ms)
{
    int64_t missing = (int64_t) limit->count - (int64_t) limit->tokens, taken = 0, next_ms = 0;
    int64_t most = (int64_t) (limit->rules.per_second / TOKENS_AHEAD) + 1;
    if (missing <= 0)
        return false;
    if (e->now_ms >= share->take_at_ms) {
        ctn_err err = {0};
        int rc = ctn_store_tokens_take(e->options.store, name, limit->rules.per_second,
                                       limit->rules.burst > 0 ? limit->rules.burst : 1, missing < most ? missing : most,
                                       &taken, &next_ms, &err);
        limit->tokens += (double) taken;
        share->take_at_ms = e->now_ms + (rc ? FAILED_MS : later_ms(next_ms, 1));
        if (rc)
            tell_failure(e, name, &err);
    }
    if (missing > taken)
        *ret_at_ms = earlier_ms(*ret_at_ms, share->take_at_ms);
    return taken > 0;
}

bool ctn_eng_share_settle(ctn_engine *e, ctn_share *share, ctn_limit *limit, ctn_str name, int64_t *ret_at_ms)
{
    const ctn_leases *leases = e->options.leases;
    int64_t node = leases->node(leases->ctx);
    *ret_at_ms = 0;
    if (node != share->node) { /* another life: the places of the last one are not ours */
        *share = (ctn_share){.node = node};
        limit->granted = 0;
    }
    if (!node) {
        *ret_at_ms = limit->count ? e->now_ms + FAILED_MS : 0;
        return false;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    bool has_more = limit->rules.per_second > 0 && settle_tokens(e, share, limit, name, ret_at_ms);
    if (limit->rules.max_concurrent > 0)
        has_more |= settle_places(e, share, limit, name, ret_at_ms);
    ctn_arena_restore(e->scratch, mark);
    return has_more;
}
