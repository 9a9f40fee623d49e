/*
 * store.c -- what is asked of a handle, before a backend sees it.
 *
 * Everything here is the same for all backends: the shape of an append, the mode of a handle, the guard around what is
 * read into a caller's arena, and the sentences for what is not there. Must hold: no ill-formed append reaches a
 * backend (records consecutive from seq_expected + 1, a row exactly when the execution is new), so a backend has to
 * look at the two things only that it alone can know: which epoch and which sequence number are on disk.
 */
#include "store/store.h"
#include "base/memory.h"
#include "store/backend.h"
#include <inttypes.h>

void ctn_store_close(ctn_store *st)
{
    if (st)
        st->ops->close(st);
}

bool ctn_store_was_migrated(const ctn_store *st, ctn_store_version *ret_version)
{
    if (st->raised.found)
        *ret_version = st->raised;
    return st->raised.found > 0;
}

/* ---- sentences that are the same everywhere ---- */

int ctn_store_fail_definition(const ctn_chain_row *row, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NOT_FOUND, "chain %.*s: its definition %s is not in the store",
                    CTN_STR_ARG(row->chain_id), ctn_digest_to_text(row->digest).text);
}

int ctn_store_fail_version(const ctn_chain_row *row, ctn_err *err)
{
    return ctn_fail(err, CTN_E_EXISTS,
                    "chain %.*s: version %" PRId64 " is stored already with other content; give the new content a "
                    "version of its own",
                    CTN_STR_ARG(row->chain_id), row->version);
}

int ctn_store_fail_epoch(uint64_t epoch, uint64_t epoch_current, ctn_err *err)
{
    return ctn_fail(err, CTN_E_STALE, "epoch %" PRIu64 " is over: the store is in epoch %" PRIu64, epoch,
                    epoch_current);
}

int ctn_store_check_writable(const ctn_store *st, ctn_err *err)
{
    return st->mode != CTN_STORE_READ ? CTN_OK : ctn_fail(err, CTN_E_DENIED, "the store was opened for reading only");
}

/* ---- ownership ---- */

int ctn_store_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->epoch_begin(st, ret_epoch, ret_was_crash, err);
}

int ctn_store_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->epoch_end(st, epoch, err);
}

/* ---- one moment ---- */

int ctn_store_snapshot_begin(ctn_store *st, ctn_err *err)
{
    return st->ops->snapshot ? st->ops->snapshot(st, true, err) : CTN_OK;
}

void ctn_store_snapshot_end(ctn_store *st)
{
    if (st->ops->snapshot)
        (void) st->ops->snapshot(st, false, NULL);
}

/* ---- definitions ---- */

int ctn_store_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc || count == 0)
        return rc;
    return st->ops->definition_put(st, definitions, count, err);
}

/* How large a thing is that is read into the caller's arena is not ours to say: it is taken under a guard. */
typedef struct getting {
    ctn_store *st;
    ctn_arena *arena;
    ctn_str key;
    const ctn_digest *digest;
    int64_t version;
    void *ret;
    ctn_err *err;
} getting;

static int get_definition(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->definition_get(g->st, g->arena, g->digest, g->ret, g->err);
}

static int get_chain(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->chain_get(g->st, g->arena, g->key, g->version, g->ret, g->err);
}

static int get_result(void *ctx)
{
    const getting *g = ctx;
    return g->st->ops->result_get(g->st, g->arena, g->key, g->ret, g->err);
}

int ctn_store_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                             ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .digest = digest, .ret = ret, .err = err};
    int rc = ctn_guarded(get_definition, &g, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "there is no definition %s in the store", ctn_digest_to_text(*digest).text);
    return rc;
}

int ctn_store_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    if (rc)
        return rc;
    if (row->chain_id.len == 0 || row->version < 0)
        return ctn_fail(err, CTN_E_INVALID, "a stored chain needs an id and a version of at least 1 (0: by content)");
    return st->ops->chain_put(st, row, ret_version, err);
}

int ctn_store_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                        ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .key = chain_id, .version = version, .ret = ret, .err = err};
    int rc = ctn_guarded(get_chain, &g, err);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    if (version == 0)
        return ctn_fail(err, rc, "there is no chain \"%.*s\" in the store", CTN_STR_ARG(chain_id));
    return ctn_fail(err, rc, "there is no version %" PRId64 " of the chain \"%.*s\" in the store", version,
                    CTN_STR_ARG(chain_id));
}

int ctn_store_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->chain_list(st, fn, ctx, err);
}

int ctn_store_chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->chain_versions(st, chain_id, fn, ctx, err);
}

/* ---- executions ---- */

static int check_append(const ctn_append *a, ctn_err *err)
{
    if (a->exec_no <= 0)
        return ctn_fail(err, CTN_E_INVALID, "an append names execution number %" PRId64 "; they start at 1",
                        a->exec_no);
    if ((a->row != NULL) != (a->seq_expected == 0))
        return ctn_fail(err, CTN_E_INVALID,
                        "append to execution %" PRId64 " after entry %" PRIu64 ": a row belongs to the first append of "
                        "an execution and to no other",
                        a->exec_no, a->seq_expected);
    if (a->row && a->row->exec_no != a->exec_no)
        return ctn_fail(err, CTN_E_INVALID, "append to execution %" PRId64 " with the row of execution %" PRId64,
                        a->exec_no, a->row->exec_no);
    if (a->row && a->count == 0)
        return ctn_fail(err, CTN_E_INVALID, "execution %" PRId64 " would begin without a journal", a->exec_no);
    if (a->data_key && (!a->row || !a->data_key->wrapped.len || !a->data_key->master_id.len))
        return ctn_fail(err, CTN_E_INVALID, "append to execution %" PRId64 ": a data key belongs to its first append",
                        a->exec_no);
    for (size_t i = 0; i < a->result_count; i++)
        if (!a->results[i].key.len || a->results[i].expires_at_ms <= 0)
            return ctn_fail(err, CTN_E_INVALID, "a result to be kept needs a key and a time at which it expires");
    for (size_t i = 0; i < a->count; i++)
        if (a->records[i].seq != a->seq_expected + i + 1)
            return ctn_fail(err, CTN_E_INVALID,
                            "append to execution %" PRId64 ": entry %" PRIu64 " where %" PRIu64 " must follow",
                            a->exec_no, a->records[i].seq, a->seq_expected + i + 1);
    return CTN_OK;
}

int ctn_store_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = check_append(&appends[i], err);
    if (rc || count == 0)
        return rc;
    return st->ops->commit(st, appends, count, ret_outcomes, err);
}

int ctn_store_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err)
{
    return st->ops->exec_no_last(st, ret_exec_no, err);
}

int ctn_store_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err)
{
    return st->ops->execution_list(st, filter, fn, ctx, err);
}

int ctn_store_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                            ctn_err *err)
{
    return st->ops->execution_due(st, until_ms, limit, fn, ctx, err);
}

int ctn_store_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    return st->ops->next_wake(st, after_ms, ret_wake_at_ms, err);
}

/* ---- the queue ---- */

int ctn_store_queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->queue_lanes(st, fn, ctx, err);
}

int ctn_store_queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                         size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->queue_next(st, tenant, chain_id, priority, after_exec_no, limit, fn, ctx, err);
}

int ctn_store_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                          ctn_execution_row *ret, ctn_err *err)
{
    if (!queue_key.len)
        return CTN_E_NOT_FOUND;
    return st->ops->queue_first(st, arena, queue_key, before_exec_no > 0 ? before_exec_no : INT64_MAX, ret, err);
}

int ctn_store_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err)
{
    return st->ops->execution_owing(st, after_exec_no, limit, fn, ctx, err);
}

/* ---- what tenants have used ---- */

int ctn_store_usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->usage_list(st, day, fn, ctx, err);
}

/* ---- schedules and breakers ---- */

int ctn_store_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->schedule_put(st, row, err);
}

int ctn_store_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->schedule_list(st, fn, ctx, err);
}

int ctn_store_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->breaker_put(st, row, err);
}

int ctn_store_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->breaker_list(st, fn, ctx, err);
}

/* ---- results ---- */

int ctn_store_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    getting g = {.st = st, .arena = arena, .key = key, .ret = ret, .err = err};
    return ctn_guarded(get_result, &g, err);
}

/* ---- journal ---- */

int ctn_store_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                           ctn_err *err)
{
    return st->ops->journal_read(st, exec_no, from_seq, fn, ctx, err);
}

int ctn_store_journal_after(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err)
{
    return limit ? st->ops->journal_after(st, position, limit, fn, ctx, err) : CTN_OK;
}

int ctn_store_position_last(ctn_store *st, int64_t *ret_position, ctn_err *err)
{
    return st->ops->position_last(st, ret_position, err);
}

int ctn_store_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->journal_read_raw(st, exec_no, fn, ctx, err);
}
