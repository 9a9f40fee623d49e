/*
 * shards.c -- see shards.h.
 *
 * Numbers come in blocks, which the store gives out ascending over all nodes. A block is thrown away when it is a
 * second old, so numbers follow the order of starts to about that; and when a shard is gained, for whoever had it
 * before may have had a later block, and lines stand by numbers.
 */
#include "engine/shards.h"
#include "base/memory.h"
#include "base/plant.h"
#include "engine/state.h"

#include <stdlib.h>

#define BLOCK_MS    1000
#define BLOCK_LEAST 64
#define BLOCK_MOST  65536

struct shards {
    uint32_t count;
    ctn_shard_set held, draining; /* as the engine was told */
    uint32_t turn;                /* where the next that may live anywhere goes */
    struct {
        int64_t next;
        uint32_t left, size;
        int64_t at_ms;
    } block;
    uint64_t refused[CTN_SHARDS_MAX]; /* epochs under which the store has refused something; 0: none */
    struct {
        struct sent_call {
            ctn_execution_id id;
            uint32_t shard;
        } *calls;
        size_t count, size;
    } sent; /* writes that a driver was given since the last turn began */
};

void ctn_eng_shards_init(ctn_engine *e)
{
    if (!e->options.leases)
        return;
    e->shards = ctn_calloc(1, sizeof *e->shards);
    e->shards->count = ctn_store_shard_count(e->options.store);
}

void ctn_eng_shards_done(ctn_engine *e)
{
    if (e->shards)
        ctn_free(e->shards->sent.calls);
    free(e->shards);
}

uint32_t ctn_eng_shard_count(const ctn_engine *e)
{
    return e->shards ? e->shards->count : 1;
}

/* ---- whose is it? ---- */

uint32_t ctn_eng_shard_in(const ctn_engine *e, ctn_execution_id id)
{
    return e->shards ? ctn_shard_of_id(id, e->shards->count) : 0;
}

static uint64_t epoch_of_shard(const ctn_engine *e, uint32_t shard)
{
    uint64_t epoch = e->options.leases->epoch(e->options.leases->ctx, shard);
    return epoch == e->shards->refused[shard] ? 0 : epoch;
}

uint64_t ctn_eng_epoch_of(const ctn_engine *e, uint32_t shard)
{
    return e->shards ? epoch_of_shard(e, shard) : e->options.epoch;
}

bool ctn_eng_is_ours_in_fleet(const ctn_engine *e, const loaded *l)
{
    return !l->is_dropped && l->epoch && (l->epoch == epoch_of_shard(e, l->shard) || CTN_PLANT(LOST_SHARD_GOES_ON));
}

bool ctn_eng_may_begin_in(const ctn_engine *e, uint32_t shard)
{
    return !e->shards || (epoch_of_shard(e, shard) && !ctn_shard_set_has(&e->shards->draining, shard));
}

bool ctn_eng_is_listed(const ctn_engine *e, int64_t exec_no)
{
    return !e->shards || ctn_eng_may_begin_in(e, (uint32_t) (exec_no % e->shards->count));
}

bool ctn_eng_is_draining_in_fleet(const ctn_engine *e, const loaded *l)
{
    return ctn_shard_set_has(&e->shards->draining, l->shard);
}

int ctn_eng_refuse_elsewhere(const ctn_engine *e, uint32_t shard, ctn_err *err)
{
    return ctn_eng_may_begin_in(e, shard)
               ? CTN_OK
               : ctn_fail(err, CTN_E_STALE, "shard %u is not this node's, or is being given away", shard);
}

int ctn_eng_shard_of(const ctn_engine *e, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err)
{
    const loaded *l = e->shards ? ctn_live_find(&e->live, id) : NULL;
    int rc = CTN_OK;
    *ret_shard = l ? l->shard : 0;
    if (e->shards && !l)
        rc = ctn_store_shard_of_execution(e->options.store, id, ret_shard, err);
    return rc ? rc : ctn_eng_refuse_elsewhere(e, *ret_shard, err);
}

bool ctn_eng_may_send(const ctn_engine *e, const loaded *l)
{
    const ctn_leases *leases = e->options.leases;
    if (!e->shards || CTN_PLANT(LEASE_NOT_LOOKED_AT))
        return true;
    return ctn_eng_is_ours(e, l) && leases->left_ms(leases->ctx, l->shard) > leases->send_ms;
}

void ctn_eng_was_sent(ctn_engine *e, const loaded *l)
{
    struct shards *s = e->shards;
    if (s->sent.count == s->sent.size) {
        s->sent.size = s->sent.size ? 2 * s->sent.size : 16;
        s->sent.calls = ctn_realloc(s->sent.calls, s->sent.size * sizeof *s->sent.calls);
    }
    s->sent.calls[s->sent.count++] = (struct sent_call){l->id, l->shard};
}

bool ctn_eng_must_look_back(const ctn_engine *e)
{
    return e->shards && e->shards->sent.count;
}

void ctn_eng_look_back(ctn_engine *e)
{
    const ctn_leases *leases = e->options.leases;
    for (size_t i = 0; i < e->shards->sent.count; i++) {
        const struct sent_call *c = &e->shards->sent.calls[i];
        if (leases->left_ms(leases->ctx, c->shard) > 0)
            continue;
        e->figures.late_sends++;
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a call was begun, and this node's lease was over by then",
                     "executionId", ctn_id_to_text(c->id).text, NULL);
    }
    e->shards->sent.count = 0;
}

bool ctn_eng_was_crash(const ctn_engine *e, const loaded *l)
{
    return e->shards ? e->options.leases->was_crash(e->options.leases->ctx, l->shard) : e->options.was_crash;
}

void ctn_eng_shard_refused(ctn_engine *e, const loaded *l)
{
    if (e->shards)
        e->shards->refused[l->shard] = l->epoch;
}

/* ---- ids and numbers ---- */

#define WORDS (CTN_SHARDS_MAX / 64)

/* The first of the set behind this one, around the end. It is not empty. */
static uint32_t next_of(const ctn_shard_set *set, uint32_t after)
{
    uint32_t from = (after + 1) % CTN_SHARDS_MAX;
    uint64_t word = set->bits[from / 64] & (~UINT64_C(0) << (from % 64));
    uint32_t at = from / 64;
    while (!word) {
        at = (at + 1) % WORDS;
        word = set->bits[at];
    }
    return 64 * at + (uint32_t) __builtin_ctzll(word);
}

bool ctn_eng_some_shard(ctn_engine *e, const ctn_shard_set *among, uint32_t *ret_shard)
{
    struct shards *s = e->shards;
    for (uint32_t i = ctn_shard_set_count(&s->held); i > 0; i--) {
        s->turn = next_of(&s->held, s->turn);
        if (ctn_eng_may_begin_in(e, s->turn) && (!among || ctn_shard_set_has(among, s->turn))) {
            *ret_shard = s->turn;
            return true;
        }
    }
    return false;
}

/* Twice as many as the last block was good for. */
static int reserve(ctn_engine *e, ctn_err *err)
{
    struct shards *s = e->shards;
    uint32_t used = s->block.size - s->block.left, size = 2 * used;
    size = size < BLOCK_LEAST ? BLOCK_LEAST : size > BLOCK_MOST ? BLOCK_MOST : size;
    int rc = ctn_store_exec_nos_reserve(e->options.store, size, &s->block.next, err);
    s->block.left = s->block.size = rc ? 0 : size;
    s->block.at_ms = e->now_ms;
    return rc;
}

int ctn_eng_exec_no_next(ctn_engine *e, uint32_t shard, int64_t *ret_exec_no, ctn_err *err)
{
    struct shards *s = e->shards;
    if (!s) {
        *ret_exec_no = ++e->exec_no_last;
        return CTN_OK;
    }
    bool is_old = e->now_ms - s->block.at_ms >= BLOCK_MS || e->now_ms < s->block.at_ms;
    int rc = !s->block.left || is_old ? reserve(e, err) : CTN_OK;
    if (rc)
        return rc;
    *ret_exec_no = s->block.next + shard;
    s->block.next += s->count;
    s->block.left--;
    return CTN_OK;
}

/* ---- what the engine is told (handover.c) ---- */

static void tell_store(ctn_engine *e)
{
    ctn_shard_set looked_at = e->shards->held;
    ctn_shard_set_cut(&looked_at, &e->shards->draining);
    ctn_store_shards_held(e->options.store, &looked_at);
}

void ctn_eng_shards_are_ours(ctn_engine *e, const ctn_shard_set *which)
{
    struct shards *s = e->shards;
    ctn_shard_set_put(&s->held, which);
    ctn_shard_set_cut(&s->draining, which);
    s->block.left = 0;
    tell_store(e);
}

void ctn_eng_shards_drain(ctn_engine *e, const ctn_shard_set *which)
{
    ctn_shard_set_put(&e->shards->draining, which);
    tell_store(e);
}

void ctn_eng_shards_are_gone(ctn_engine *e, const ctn_shard_set *which)
{
    ctn_shard_set_cut(&e->shards->held, which);
    ctn_shard_set_cut(&e->shards->draining, which);
    tell_store(e);
}
