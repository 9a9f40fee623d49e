#include "sim/faulty_store.h"

#include "sim/chance.h"
#include "store/backend.h"

#include <stdlib.h>

struct faulty_store {
    ctn_store base;    /* first: the handle is the store */
    ctn_store_ops ops; /* with those of a fleet, if the inner one has them */
    ctn_store *inner;
    uint64_t *chance;
    const int *fails;
    int failures;
};

static ctn_store *inner_of(ctn_store *st)
{
    return ((faulty_store *) st)->inner;
}

static bool fails_now(ctn_store *st, ctn_err *err)
{
    faulty_store *f = (faulty_store *) st;
    if (!chance_percent(f->chance, *f->fails))
        return false;
    f->failures++;
    if (err)
        ctn_fail(err, CTN_E_IO, "the simulated disk cannot be read");
    return true;
}

static void no_close(ctn_store *st)
{
    (void) st;
}

static int epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    return ctn_store_epoch_begin(inner_of(st), ret_epoch, ret_was_crash, err);
}

static int epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    return ctn_store_epoch_end(inner_of(st), epoch, err);
}

static int definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    return ctn_store_definition_put(inner_of(st), definitions, count, err);
}

static int definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_definition_get(inner_of(st), arena, digest, ret, err);
}

static int chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    return ctn_store_chain_put(inner_of(st), row, ret_version, err);
}

static int chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                     ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_chain_get(inner_of(st), arena, chain_id, version, ret, err);
}

static int chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_chain_versions(inner_of(st), chain_id, fn, ctx, err);
}

static int chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_chain_list(inner_of(st), fn, ctx, err);
}

static int commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    return ctn_store_commit(inner_of(st), appends, count, ret_outcomes, err);
}

static int exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_exec_no_last(inner_of(st), ret_exec_no, err);
}

static int execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                          size_t *ret_matches, ctn_err *err)
{
    if (fails_now(st, err))
        return CTN_E_IO;
    ctn_store *inner = inner_of(st);
    return inner->ops->execution_find(inner, arena, lookup, ret, ret_matches, err);
}

static int execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                          ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_execution_list(inner_of(st), filter, fn, ctx, err);
}

static int execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_execution_due(inner_of(st), until_ms, limit, fn, ctx, err);
}

static int next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_next_wake(inner_of(st), after_ms, ret_wake_at_ms, err);
}

static int queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : inner_of(st)->ops->queue_lanes(inner_of(st), fn, ctx, err);
}

static int queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                      size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    ctn_store *inner = inner_of(st);
    return fails_now(st, err)
               ? CTN_E_IO
               : inner->ops->queue_next(inner, tenant, chain_id, priority, after_exec_no, limit, fn, ctx, err);
}

static int queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                       ctn_execution_row *ret, ctn_err *err)
{
    ctn_store *inner = inner_of(st);
    return fails_now(st, err) ? CTN_E_IO : inner->ops->queue_first(inner, arena, queue_key, before_exec_no, ret, err);
}

static int execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                           ctn_err *err)
{
    ctn_store *inner = inner_of(st);
    return fails_now(st, err) ? CTN_E_IO : inner->ops->execution_owing(inner, after_exec_no, limit, fn, ctx, err);
}

static int usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_usage_list(inner_of(st), day, fn, ctx, err);
}

static int schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err)
{
    return inner_of(st)->ops->schedule_put(inner_of(st), row, err);
}

static int schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : inner_of(st)->ops->schedule_list(inner_of(st), fn, ctx, err);
}

static int breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err)
{
    return inner_of(st)->ops->breaker_put(inner_of(st), row, err);
}

static int breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : inner_of(st)->ops->breaker_list(inner_of(st), fn, ctx, err);
}

static int result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : inner_of(st)->ops->result_get(inner_of(st), arena, key, ret, err);
}

static int journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_journal_read(inner_of(st), exec_no, from_seq, fn, ctx, err);
}

static int quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_quarantine_put(inner_of(st), rows, count, err);
}

static int quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_quarantine_get(inner_of(st), arena, exec_no, ret, err);
}

static int quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_quarantine_remove(inner_of(st), exec_no, err);
}

static int quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_quarantine_list(inner_of(st), fn, ctx, err);
}

static int give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_give_up(inner_of(st), what, err);
}

static int journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : ctn_store_journal_read_raw(inner_of(st), exec_no, fn, ctx, err);
}

static int execution_read_raw(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err)
{
    ctn_store *inner = inner_of(st);
    return fails_now(st, err) ? CTN_E_IO : inner->ops->execution_read_raw(inner, arena, lookup, ret, ret_matches, err);
}

static const ctn_store_ops faulty_ops = {
    .close = no_close,
    .epoch_begin = epoch_begin,
    .epoch_end = epoch_end,
    .definition_put = definition_put,
    .definition_get = definition_get,
    .chain_put = chain_put,
    .chain_get = chain_get,
    .chain_list = chain_list,
    .chain_versions = chain_versions,
    .commit = commit,
    .exec_no_last = exec_no_last,
    .execution_find = execution_find,
    .execution_list = execution_list,
    .execution_due = execution_due,
    .next_wake = next_wake,
    .queue_lanes = queue_lanes,
    .queue_next = queue_next,
    .queue_first = queue_first,
    .execution_owing = execution_owing,
    .usage_list = usage_list,
    .schedule_put = schedule_put,
    .schedule_list = schedule_list,
    .breaker_put = breaker_put,
    .breaker_list = breaker_list,
    .result_get = result_get,
    .journal_read = journal_read,
    .quarantine_put = quarantine_put,
    .quarantine_get = quarantine_get,
    .quarantine_remove = quarantine_remove,
    .quarantine_list = quarantine_list,
    .give_up = give_up,
    .journal_read_raw = journal_read_raw,
    .execution_read_raw = execution_read_raw,
};

/* ---- of a fleet ---- */

static const ctn_fleet_ops *fleet_of(ctn_store *st)
{
    return inner_of(st)->ops->fleet;
}

static uint32_t shard_count(const ctn_store *st)
{
    return ctn_store_shard_count(((const faulty_store *) st)->inner);
}

static int exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : fleet_of(st)->exec_nos_reserve(inner_of(st), count, ret_first, err);
}

static int need_claim(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : fleet_of(st)->need_claim(inner_of(st), requires, max, ret_number, err);
}

static int key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                     ctn_err *err)
{
    return fails_now(st, err) ? CTN_E_IO : fleet_of(st)->key_claim(inner_of(st), chain_id, key, id, ret_id, err);
}

static void shards_held(ctn_store *st, const ctn_shard_set *held)
{
    fleet_of(st)->shards_held(inner_of(st), held);
}

static int places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                        int64_t *ret_granted, ctn_err *err)
{
    return fails_now(st, err)
               ? CTN_E_IO
               : fleet_of(st)->places_claim(inner_of(st), incarnation, name, max, wanted, ret_granted, err);
}

static int tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                       int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err)
{
    return fails_now(st, err)
               ? CTN_E_IO
               : fleet_of(st)->tokens_take(inner_of(st), name, per_second, burst, wanted, ret_taken, ret_next_ms, err);
}

/* What an engine asks; the node's own affairs go past it. */
static const ctn_fleet_ops faulty_fleet_ops = {
    .shard_count = shard_count,
    .exec_nos_reserve = exec_nos_reserve,
    .key_claim = key_claim,
    .need_claim = need_claim,
    .shards_held = shards_held,
    .places_claim = places_claim,
    .tokens_take = tokens_take,
};

faulty_store *faulty_store_new(ctn_store *inner, uint64_t *chance, const int *fails)
{
    faulty_store *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->ops = faulty_ops;
    f->ops.fleet = inner->ops->fleet ? &faulty_fleet_ops : NULL;
    f->base = (ctn_store){.ops = &f->ops, .mode = inner->mode};
    f->inner = inner;
    f->chance = chance;
    f->fails = fails;
    return f;
}

ctn_store *faulty_store_handle(faulty_store *f)
{
    return &f->base;
}

int faulty_store_failures(const faulty_store *f)
{
    return f->failures;
}

void faulty_store_free(faulty_store *f)
{
    free(f);
}
