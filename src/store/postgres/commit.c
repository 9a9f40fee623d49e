/*
 * commit.c -- the write path: a batch of appends, one transaction.
 *
 *     fill --> BEGIN, checks, a statement a table, COMMIT: one round trip --------------------------> all accepted
 *      |                     |                                               the answer is lost --> CTN_E_IO: unknown
 *      |                     | a check failed: nothing is written
 *      +---------------------+--> BEGIN, the node's lock --> judge each --> write the accepted, COMMIT --> outcomes
 *                                        | the node is dead: all are STALE_EPOCH
 *
 * The first way is that of nearly every batch; the second is gone only when something in it is inadmissible, for it
 * asks four times more. What seldom comes with an append (audit entries, kept results, usage, data keys, an answered
 * request) is asked for by itself inside the transaction, before its COMMIT.
 */
#include "base/memory.h"
#include "store/postgres/arrays.h"
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include "store/postgres/fleet.h"
#include "store/postgres/schema_fleet.h"
#include <assert.h>
#include <stdlib.h>

/* ---- what comes with an append ---- */

static bool has_extras(const ctn_append *a)
{
    return a->data_key || a->result_count || a->usage_count || a->audit_count || a->request;
}

static int put_extras(pg_store *st, const ctn_append *a, ctn_outcome outcome, ctn_err *err)
{
    int rc = CTN_OK;
    bool is_accepted = outcome == CTN_OUTCOME_ACCEPTED;
    if (is_accepted && a->data_key)
        rc = ctn_pg_data_key_append(st, a->exec_no, a->data_key, err);
    for (size_t i = 0; rc == CTN_OK && is_accepted && i < a->result_count; i++)
        rc = ctn_pg_result_put(st, &a->results[i], err);
    if (rc == CTN_OK && a->usage_count && outcome != CTN_OUTCOME_STALE_EPOCH)
        rc = ctn_pg_usage_put(st, a->usage, a->usage_count, err);
    return rc;
}

/* The audit log comes last: the lock on its chain is held until the COMMIT. */
static int put_audits(pg_store *st, const ctn_append *appends, const ctn_outcome *outcomes, size_t count, ctn_err *err)
{
    size_t entry_count = 0;
    for (size_t i = 0; i < count; i++)
        if (outcomes[i] == CTN_OUTCOME_ACCEPTED)
            entry_count += appends[i].audit_count;
    if (!entry_count)
        return CTN_OK;
    ctn_audit_entry *entries = ctn_calloc(entry_count, sizeof *entries);
    entry_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; outcomes[i] == CTN_OUTCOME_ACCEPTED && k < appends[i].audit_count; k++)
            entries[entry_count++] = ctn_audit_whole(&appends[i].audits[k]);
    int rc = ctn_pg_audit_append(st, entries, entry_count, err);
    ctn_free(entries);
    return rc;
}

/* The requests that these answer are done; *ret_waiting: the nodes that wait for one. */
static int put_requests(pg_store *st, const ctn_append *appends, const ctn_outcome *outcomes, size_t count,
                        PGresult **ret_waiting, ctn_err *err)
{
    pg_array shards = {0}, numbers = {0};
    pg_params p = {0};
    ctn_pg_array_begin(&shards, PG_INT4);
    ctn_pg_array_begin(&numbers, PG_INT8);
    for (size_t i = 0; i < count; i++)
        if (appends[i].request && outcomes[i] == CTN_OUTCOME_ACCEPTED) {
            ctn_pg_array_int(&shards, pg_shard_of_no(st, appends[i].exec_no));
            ctn_pg_array_int(&numbers, appends[i].request);
        }
    ctn_pg_array(&p, PG_INT4_ARRAY, ctn_pg_array_encode(&shards));
    ctn_pg_array(&p, PG_INT8_ARRAY, ctn_pg_array_encode(&numbers));
    int rc = shards.count ? ctn_pg_ask(st->db, "answering requests", PG_REQUESTS_DONE, &p, ret_waiting, err) : CTN_OK;
    ctn_pg_array_done(&shards);
    ctn_pg_array_done(&numbers);
    return rc;
}

/* After the COMMIT: who waits for an answer finds it. */
static void wake_waiting(pg_store *st, const PGresult *waiting)
{
    for (int i = 0; waiting && i < PQntuples(waiting); i++) {
        int64_t node = ctn_pg_get_int(waiting, i, 0);
        ctn_pg_wake_nodes(st->db, &node, 1);
    }
}

/* In the open transaction, and its end. */
static int finish(pg_store *st, const ctn_append *appends, const ctn_outcome *outcomes, size_t count, ctn_err *err)
{
    PGresult *waiting = NULL;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = put_extras(st, &appends[i], outcomes[i], err);
    if (rc == CTN_OK)
        rc = put_requests(st, appends, outcomes, count, &waiting, err);
    if (rc == CTN_OK)
        rc = put_audits(st, appends, outcomes, count, err);
    rc = pg_end(st, rc, err);
    if (rc == CTN_OK)
        wake_waiting(st, waiting);
    PQclear(waiting);
    return rc;
}

/* ---- the two ways ---- */

/* *ret_is_refused: something in it is inadmissible, and nothing is written. */
static int write_all(pg_store *st, const ctn_append *appends, size_t count, ctn_outcome *outcomes, bool *ret_is_refused,
                     ctn_err *err)
{
    pg_pipe pipe = {0};
    bool is_plain = true;
    int rc = ctn_pg_connected(st->db, &pipe.generation, err);
    if (rc)
        return rc;
    *ret_is_refused = !ctn_pg_batch_fill(st->batch, st, appends, count, NULL, pipe.generation);
    if (*ret_is_refused)
        return CTN_OK;
    for (size_t i = 0; i < count; i++) {
        is_plain = is_plain && !has_extras(&appends[i]);
        outcomes[i] = CTN_OUTCOME_ACCEPTED;
    }
    rc = ctn_pg_batch_write(st->batch, st, &pipe, err);
    if (rc == CTN_OK)
        rc = ctn_pg_pipe_run(st->db, &pipe, is_plain, ret_is_refused, err);
    if (*ret_is_refused)
        return CTN_OK;
    if (rc == CTN_OK && !is_plain)
        rc = finish(st, appends, outcomes, count, err);
    if (rc == CTN_OK)
        ctn_pg_batch_is_written(st->batch);
    return rc;
}

static int lock_node(pg_store *st, bool *ret_is_live, ctn_err *err)
{
    pg_params p = {0};
    PGresult *r = NULL;
    ctn_pg_int(&p, st->incarnation);
    int rc = ctn_pg_ask(st->db, "checking the node's lease", PG_NODE_LOCK, &p, &r, err);
    *ret_is_live = rc == CTN_OK && PQntuples(r) == 1;
    PQclear(r);
    return rc;
}

/* Those that are accepted, in the open transaction. */
static int write_accepted(pg_store *st, const ctn_append *appends, size_t count, const ctn_outcome *outcomes,
                          ctn_err *err)
{
    pg_pipe pipe = {0};
    bool *taken = ctn_calloc(count, sizeof *taken);
    for (size_t i = 0; i < count; i++)
        taken[i] = outcomes[i] == CTN_OUTCOME_ACCEPTED;
    bool is_filled = ctn_pg_batch_fill(st->batch, st, appends, count, taken, 0);
    assert(is_filled); /* they were judged one after the other */
    int rc = ctn_pg_batch_write(st->batch, st, &pipe, err);
    for (size_t i = 0; rc == CTN_OK && i < pipe.count; i++)
        rc = ctn_pg_ask(st->db, pipe.statements[i].doing, pipe.statements[i].sql, pipe.statements[i].params, NULL, err);
    free(taken);
    if (rc == CTN_E_IO && ctn_pg_in_transaction(st->db))
        rc = CTN_E_BUSY; /* somebody has taken a number, id or key since: judged again, it is refused */
    return rc;
}

static int write_judged(pg_store *st, const ctn_append *appends, size_t count, ctn_outcome *outcomes, ctn_err *err)
{
    bool is_live = false;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    rc = lock_node(st, &is_live, err);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = CTN_OUTCOME_STALE_EPOCH;
    if (rc == CTN_OK && is_live)
        rc = ctn_pg_judge(st, appends, count, outcomes, err);
    if (rc == CTN_OK && is_live)
        rc = write_accepted(st, appends, count, outcomes, err);
    if (rc == CTN_OK)
        return finish(st, appends, outcomes, count, err);
    ctn_pg_rollback(st->db);
    return rc;
}

int ctn_pg_commit_appends(ctn_store *base, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes,
                          ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    bool is_refused = false;
    if (!st->batch)
        st->batch = ctn_pg_batch_new();
    int rc = write_all(st, appends, count, ret_outcomes, &is_refused, err);
    if (is_refused) {
        if (err)
            *err = (ctn_err){0};
        rc = write_judged(st, appends, count, ret_outcomes, err);
    }
    return rc;
}
