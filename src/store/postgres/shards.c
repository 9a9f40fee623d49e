/*
 * shards.c -- who holds which shard: taken, given back, and all of them taken by a process alone.
 *
 * What is free belongs to row 0 of nodes. So whoever takes has that row to itself (and takers take turns), and the
 * taker's own row shared, so that it is not buried meanwhile; whoever gives back has its own row to itself. A take
 * whose COMMIT got no answer is found with shard_holders, or with shard_take, which tells what is ours already.
 */
#include "store/postgres/arrays.h"
#include "store/postgres/fleet.h"
#include "store/postgres/schema_fleet.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- taking ---- */

static int lock_for_taking(pg *db, int64_t incarnation, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, incarnation);
    int rc = ctn_pg_node_lock(db, 0, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "taking shards", PG_NODE_LOCK, &p, &result, err);
    if (rc == CTN_OK && PQntuples(result) == 0)
        rc = CTN_E_STALE;
    PQclear(result);
    return rc;
}

static ctn_shard_lease read_lease(const PGresult *result, int row)
{
    return (ctn_shard_lease){.shard = (uint32_t) ctn_pg_get_int(result, row, 0),
                             .epoch = (uint64_t) ctn_pg_get_int(result, row, 1),
                             .was_crash = ctn_pg_get_bool(result, row, 2)};
}

static void put_shards(pg_array *array, const ctn_shard_set *which, uint32_t shard_count)
{
    ctn_pg_array_begin(array, PG_INT4);
    for (uint32_t i = 0; i < shard_count; i++)
        if (!which || ctn_shard_set_has(which, i))
            ctn_pg_array_int(array, i);
}

int ctn_pg_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                       ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    pg_params p = {0};
    pg_array shards = {0};
    PGresult *result = NULL;
    put_shards(&shards, among, ((pg_store *) st)->shard_count);
    ctn_pg_int(&p, incarnation);
    ctn_pg_int(&p, count);
    ctn_pg_array(&p, PG_INT4_ARRAY, ctn_pg_array_encode(&shards));
    int rc = ctn_pg_begin(db, err);
    if (rc)
        goto done;
    rc = lock_for_taking(db, incarnation, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "taking shards",
                        "UPDATE shards SET holder = $1, epoch = epoch + 1 WHERE shard IN"
                        " (SELECT shard FROM shards WHERE holder = 0 AND shard = ANY($3) ORDER BY shard LIMIT $2)"
                        " RETURNING shard, epoch, was_crash",
                        &p, &result, err);
    rc = ctn_pg_end(db, rc, err);
    if (rc == CTN_OK) {
        *ret_count = (uint32_t) PQntuples(result);
        for (int i = 0; i < PQntuples(result); i++)
            ret_leases[i] = read_lease(result, i);
    }
done:
    PQclear(result);
    ctn_pg_array_done(&shards);
    return rc;
}

int ctn_pg_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, incarnation);
    ctn_pg_int(&p, shard);
    int rc = ctn_pg_begin(db, err);
    if (rc)
        return rc;
    rc = lock_for_taking(db, incarnation, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "taking a shard",
                        "WITH taken AS (UPDATE shards SET holder = $1, epoch = epoch + 1 WHERE shard = $2"
                        " AND holder = 0 RETURNING shard, epoch, was_crash, holder)"
                        " SELECT * FROM taken UNION ALL SELECT shard, epoch, was_crash, holder FROM shards"
                        " WHERE shard = $2 AND holder <> 0", /* as it was before this statement */
                        &p, &result, err);
    if (rc == CTN_OK && PQntuples(result) != 1)
        rc = ctn_fail(err, CTN_E_CORRUPT, "the store has lost the row of shard %" PRIu32, shard);
    if (rc == CTN_OK && ctn_pg_get_int(result, 0, 3) != incarnation)
        rc = ctn_store_fail_shard_held(shard, ctn_pg_get_int(result, 0, 3), err);
    rc = ctn_pg_end(db, rc, err);
    if (rc == CTN_OK)
        *ret = read_lease(result, 0);
    PQclear(result);
    return rc;
}

/* ---- giving back ---- */

int ctn_pg_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err)
{
    pg_store *handle = (pg_store *) st;
    pg_params p = {0};
    pg_array shards = {0};
    put_shards(&shards, which, handle->shard_count);
    ctn_pg_int(&p, incarnation);
    ctn_pg_array(&p, PG_INT4_ARRAY, ctn_pg_array_encode(&shards));
    int rc = ctn_pg_begin(handle->db, err);
    if (rc)
        goto done;
    rc = ctn_pg_node_lock(handle->db, incarnation, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(handle->db, "giving shards back",
                        "UPDATE shards SET holder = 0, was_crash = false WHERE holder = $1 AND shard = ANY($2)", &p,
                        NULL, err);
    rc = ctn_pg_end(handle->db, rc, err);
done:
    ctn_pg_array_done(&shards);
    return rc;
}

int ctn_pg_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err)
{
    pg_store *handle = (pg_store *) st;
    PGresult *result = NULL;
    int rc =
        ctn_pg_ask(handle->db, "reading who holds the shards", "SELECT shard, holder FROM shards", NULL, &result, err);
    if (rc)
        return rc;
    memset(ret_incarnations, 0, handle->shard_count * sizeof *ret_incarnations);
    for (int i = 0; i < PQntuples(result); i++) {
        int64_t shard = ctn_pg_get_int(result, i, 0);
        if (shard >= 0 && shard < (int64_t) handle->shard_count)
            ret_incarnations[shard] = ctn_pg_get_int(result, i, 1);
    }
    PQclear(result);
    return CTN_OK;
}

/* ---- a process alone ---- */

static int refuse_while_nodes_live(pg *db, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(db, "looking for nodes",
                        "SELECT string_agg(name, ', ' ORDER BY name) FROM nodes WHERE is_live AND incarnation > 0",
                        NULL, &result, err);
    if (rc)
        return rc;
    char names[200];
    ctn_str living = ctn_pg_get_str(result, 0, 0);
    snprintf(names, sizeof names, "%.*s", CTN_STR_ARG(living));
    PQclear(result);
    return living.len ? ctn_store_fail_living(names, err) : CTN_OK;
}

/* Of executions that nobody reserved the numbers of; a process alone is whoever does that. */
static const char PASS_NUMBERS[] =
    "UPDATE numbers SET next = greatest(next, (SELECT coalesce(max(exec_no), 0) FROM chain_executions) / $1 + 1)";

static int take_all(pg_store *handle, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    int rc = refuse_while_nodes_live(handle->db, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(handle->db, "beginning an epoch", "SELECT max(epoch) + 1, bool_or(was_crash) FROM shards", NULL,
                        &result, err);
    if (rc)
        return rc;
    *ret_epoch = (uint64_t) ctn_pg_get_int(result, 0, 0);
    *ret_was_crash = ctn_pg_get_bool(result, 0, 1);
    PQclear(result);
    ctn_pg_int(&p, (int64_t) *ret_epoch);
    rc = ctn_pg_ask(handle->db, "beginning an epoch", "UPDATE shards SET holder = 0, epoch = $1, was_crash = true", &p,
                    NULL, err);
    p = (pg_params){0};
    ctn_pg_int(&p, handle->shard_count);
    return rc ? rc : ctn_pg_ask(handle->db, "beginning an epoch", PASS_NUMBERS, &p, NULL, err);
}

int ctn_pg_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err)
{
    pg_store *handle = (pg_store *) st;
    uint32_t buried;
    uint64_t epoch = 0;
    bool was_crash = false;
    int rc = ctn_pg_nodes_bury(st, CTN_SETTLE_MS, &buried, err);
    if (rc == CTN_OK)
        rc = ctn_pg_begin(handle->db, err);
    if (rc)
        return rc;
    rc = ctn_pg_node_lock(handle->db, 0, err);
    if (rc == CTN_OK)
        rc = take_all(handle, &epoch, &was_crash, err);
    rc = ctn_pg_end(handle->db, rc, err);
    if (rc == CTN_OK) {
        *ret_epoch = epoch;
        *ret_was_crash = was_crash;
    }
    return rc;
}

int ctn_pg_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err)
{
    pg_store *handle = (pg_store *) st;
    pg_params p = {0}, count = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, (int64_t) epoch);
    ctn_pg_int(&count, handle->shard_count);
    int rc = ctn_pg_ask(handle->db, "passing numbers on", PASS_NUMBERS, &count, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(handle->db, "ending an epoch",
                        "WITH ended AS (UPDATE shards SET was_crash = false WHERE holder = 0 AND epoch = $1"
                        " RETURNING 1) SELECT (SELECT count(*) FROM ended), (SELECT max(epoch) FROM shards)",
                        &p, &result, err);
    if (rc == CTN_OK && ctn_pg_get_int(result, 0, 0) == 0)
        rc = ctn_store_fail_epoch(epoch, (uint64_t) ctn_pg_get_int(result, 0, 1), err);
    PQclear(result);
    return rc;
}
