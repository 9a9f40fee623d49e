/*
 * nodes.c -- who lives: joining, beats, good-byes and burials.
 *
 * A beat is one statement that is a transaction of its own: it changes the node's row without waiting for the node's
 * commits, which hold its key only (schema_fleet.h), and without touching an index. Whoever ends a node has its row to
 * itself first, in a statement of its own; what is read and changed after that is seen as it is then, so no shard that
 * the node took at the last moment stays with it.
 *
 * When the process dies in between: before COMMIT nothing happened, and PostgreSQL gives the locks back (of one that
 * stands still after a second: idle_in_transaction_session_timeout). After COMMIT all of it did.
 */
#include "store/postgres/fleet.h"
#include "store/postgres/schema_fleet.h"
#include <stdlib.h>

#define DAY_MS "86400000"

int ctn_pg_end(pg *db, int rc, ctn_err *err)
{
    if (rc == CTN_OK)
        return ctn_pg_commit(db, err);
    ctn_pg_rollback(db);
    return rc;
}

/* ---- the row of one ---- */

/* Beats share a thread with what waits here, so it does not wait for long. */
int ctn_pg_node_lock(pg *db, int64_t incarnation, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, incarnation);
    int rc = ctn_pg_ask(db, "locking a node", "SELECT set_config('lock_timeout', '500', true)", NULL, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "locking a node", "SELECT 1 FROM nodes WHERE incarnation = $1 AND is_live FOR UPDATE", &p,
                        &result, err);
    if (rc == CTN_OK && PQntuples(result) == 0)
        rc = CTN_E_STALE;
    PQclear(result);
    return rc;
}

int ctn_pg_node_end(pg *db, int64_t incarnation, bool was_crash, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, incarnation);
    ctn_pg_bool(&p, was_crash);
    return ctn_pg_ask(db, "ending a node",
                      "WITH node AS (UPDATE nodes SET is_live = false, expires_at_ms = least(expires_at_ms, " PG_NOW_MS
                      ") WHERE incarnation = $1),"
                      " freed AS (UPDATE shards SET holder = 0, was_crash = $2 WHERE holder = $1)"
                      " UPDATE places SET claims = claims - $1::text WHERE claims ? $1::text",
                      &p, NULL, err);
}

/* ---- joining ---- */

/* One at a time, so that no two of a name live. Those who died long ago go on this occasion. */
static int join(pg *db, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_text(&p, node->name);
    ctn_pg_text(&p, node->version);
    ctn_pg_text(&p, node->address);
    ctn_pg_text(&p, node->labels);
    ctn_pg_int(&p, term_ms);
    int rc =
        ctn_pg_ask(db, "joining",
                   "WITH gone AS (DELETE FROM nodes WHERE NOT is_live AND expires_at_ms < " PG_NOW_MS " - " DAY_MS ")"
                   " INSERT INTO nodes SELECT nextval('node_incarnations'), $1, $2, $3, $4, t.now, t.now,"
                   " t.now + $5, false, true, true FROM (SELECT " PG_NOW_MS " AS now) t"
                   " WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE name = $1 AND is_live AND expires_at_ms > t.now)"
                   " RETURNING incarnation",
                   &p, &result, err);
    bool is_there = rc == CTN_OK && PQntuples(result) == 0;
    if (rc == CTN_OK && !is_there)
        *ret_incarnation = ctn_pg_get_int(result, 0, 0);
    PQclear(result);
    if (!is_there)
        return rc;
    p = (pg_params){0};
    ctn_pg_text(&p, node->name);
    rc = ctn_pg_ask(db, "joining",
                    "SELECT address, joined_at_ms FROM nodes WHERE name = $1 AND is_live ORDER BY incarnation DESC", &p,
                    &result, err);
    if (rc)
        return rc;
    ctn_node_row other = {.name = node->name};
    if (PQntuples(result)) {
        other.address = ctn_pg_get_str(result, 0, 0);
        other.joined_at_ms = ctn_pg_get_int(result, 0, 1);
    }
    rc = ctn_store_fail_node_exists(&other, err);
    PQclear(result);
    return rc;
}

int ctn_pg_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    int64_t incarnation = 0;
    int rc = ctn_pg_begin(db, err);
    if (rc)
        return rc;
    rc = ctn_pg_node_lock(db, 0, err);
    if (rc == CTN_OK)
        rc = join(db, node, term_ms, &incarnation, err);
    rc = ctn_pg_end(db, rc, err);
    if (rc)
        return rc;
    *ret_incarnation = incarnation;
    return ctn_pg_handle_of(st, incarnation, err);
}

int ctn_pg_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    (void) err;
    pg_store *handle = (pg_store *) st;
    handle->incarnation = incarnation;
    handle->is_part = incarnation != 0;
    handle->held = (ctn_shard_set){0};
    return CTN_OK;
}

void ctn_pg_shards_held(ctn_store *st, const ctn_shard_set *held)
{
    ((pg_store *) st)->held = *held;
}

/* ---- beats ---- */

/* Columns of a node, from which read_node reads. */
#define NODE_COLUMNS                                                                                                   \
    "n.name, n.incarnation, n.version, n.address, n.labels, n.joined_at_ms, n.beat_at_ms, n.expires_at_ms,"            \
    " n.is_leaving, n.is_live, coalesce(h.count, 0)"
#define HELD "SELECT holder, count(*) AS count FROM shards GROUP BY holder"
enum { NODE_COLUMN_COUNT = 11 };

/* Its texts are the result's. */
static ctn_node_row read_node(const PGresult *result, int row)
{
    return (ctn_node_row){
        .name = ctn_pg_get_str(result, row, 0),
        .incarnation = ctn_pg_get_int(result, row, 1),
        .version = ctn_pg_get_str(result, row, 2),
        .address = ctn_pg_get_str(result, row, 3),
        .labels = ctn_pg_get_str(result, row, 4),
        .joined_at_ms = ctn_pg_get_int(result, row, 5),
        .beat_at_ms = ctn_pg_get_int(result, row, 6),
        .expires_at_ms = ctn_pg_get_int(result, row, 7),
        .is_leaving = ctn_pg_get_bool(result, row, 8),
        .is_live = ctn_pg_get_bool(result, row, 9),
        .shard_count = (uint32_t) ctn_pg_get_int(result, row, 10),
    };
}

/* A row for each that lives, ours among them; none: we do not. What the statement itself has changed of ours stands in
 * the last columns. */
static const char BEAT[] =
    "WITH t AS MATERIALIZED (SELECT " PG_NOW_MS " AS now), me AS ("
    "  UPDATE nodes SET beat_at_ms = t.now, expires_at_ms = t.now + $2, is_leaving = $3 FROM t"
    "  WHERE incarnation = $1 AND is_live RETURNING beat_at_ms, expires_at_ms),"
    " h AS MATERIALIZED (" HELD ")"
    " SELECT " NODE_COLUMNS ", me.beat_at_ms, me.expires_at_ms,"
    " coalesce((SELECT count FROM h WHERE holder = 0), 0),"
    " (SELECT count(*) FROM requests r JOIN shards s ON s.shard = r.shard"
    "  WHERE s.holder = $1 AND r.done_at_ms IS NULL),"
    " (SELECT number FROM changes),"
    " coalesce((SELECT string_agg(shard::text, ' ') FROM shards WHERE holder = 0), ''),"
    " (SELECT json_agg(requires ORDER BY no)::text FROM needs)"
    " FROM me, nodes n LEFT JOIN h ON h.holder = n.incarnation WHERE n.is_live AND n.incarnation > 0"
    " ORDER BY n.incarnation";

static void read_free(ctn_str numbers, ctn_beat *ret)
{
    int64_t shard;
    while (numbers.len)
        if (ctn_str_to_int64(ctn_str_cut(&numbers, ' '), &shard) && shard >= 0 && shard < CTN_SHARDS_MAX)
            ctn_shard_set_add(&ret->free, (uint32_t) shard);
}

int ctn_pg_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                     ctn_beat *ret, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, incarnation);
    ctn_pg_int(&p, term_ms);
    ctn_pg_bool(&p, is_leaving);
    int rc = ctn_pg_ask(((pg_store *) st)->db, "beating", BEAT, &p, &result, err);
    if (rc)
        return rc;
    int count = PQntuples(result), more = NODE_COLUMN_COUNT;
    ctn_node_row *rows = CTN_NEW_ARRAY(arena, ctn_node_row, (size_t) count + 1);
    for (int i = 0; i < count; i++) {
        ctn_node_row row = read_node(result, i);
        row.name = ctn_arena_str(arena, row.name);
        row.version = ctn_arena_str(arena, row.version);
        row.address = ctn_arena_str(arena, row.address);
        row.labels = ctn_arena_str(arena, row.labels);
        if (row.incarnation == incarnation) {
            row.beat_at_ms = ctn_pg_get_int(result, i, more);
            row.expires_at_ms = ctn_pg_get_int(result, i, more + 1);
            row.is_leaving = is_leaving;
        }
        rows[i] = row;
    }
    if (count) {
        *ret = (ctn_beat){.now_ms = ctn_pg_get_int(result, 0, more),
                          .nodes = rows,
                          .node_count = (size_t) count,
                          .free_count = (uint32_t) ctn_pg_get_int(result, 0, more + 2),
                          .requests = ctn_pg_get_int(result, 0, more + 3),
                          .changes = ctn_pg_get_int(result, 0, more + 4)};
        const ctn_str *needs;
        read_free(ctn_pg_get_str(result, 0, more + 5), ret);
        ctn_pg_needs_read(arena, ctn_pg_get_str(result, 0, more + 6), &needs, &ret->need_count);
        ret->needs = ctn_needs_of(needs, ret->need_count, ((pg_store *) st)->shard_count, arena);
    }
    PQclear(result);
    return count ? CTN_OK : CTN_E_STALE;
}

int ctn_pg_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(((pg_store *) st)->db, "listing nodes",
                        "SELECT " NODE_COLUMNS " FROM nodes n LEFT JOIN (" HELD ") h ON h.holder = n.incarnation"
                        " WHERE n.incarnation > 0 AND (n.is_live OR n.expires_at_ms > " PG_NOW_MS " - " DAY_MS ")"
                        " ORDER BY n.name, n.incarnation",
                        NULL, &result, err);
    if (rc)
        return rc;
    for (int i = 0; i < PQntuples(result); i++) {
        ctn_node_row row = read_node(result, i);
        if (fn(ctx, &row))
            break;
    }
    PQclear(result);
    return CTN_OK;
}

/* ---- ends ---- */

int ctn_pg_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    int rc = ctn_pg_begin(db, err);
    if (rc)
        return rc;
    rc = ctn_pg_node_lock(db, incarnation, err);
    if (rc == CTN_OK)
        rc = ctn_pg_node_end(db, incarnation, false, err);
    return ctn_pg_end(db, rc, err);
}

/* Those whose lease ended so long ago, and one of them if it is not 0. */
static int ask_ripe(pg *db, int64_t settle_ms, int64_t one, PGresult **ret_result, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, settle_ms);
    ctn_pg_int(&p, one);
    return ctn_pg_ask(db, "looking for the dead",
                      "SELECT incarnation FROM nodes WHERE is_live AND incarnation > 0 AND ($2 = 0 OR incarnation = $2)"
                      " AND expires_at_ms + $1 <= " PG_NOW_MS,
                      &p, ret_result, err);
}

/* A commit of it that is under way, or a beat that came after all, keep it: CTN_E_BUSY. */
static int bury_one(pg *db, int64_t incarnation, int64_t settle_ms, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_begin(db, err);
    if (rc)
        return rc;
    rc = ctn_pg_node_lock(db, incarnation, err);
    if (rc == CTN_OK)
        rc = ask_ripe(db, settle_ms, incarnation, &result, err);
    if (rc == CTN_OK && PQntuples(result) == 0)
        rc = CTN_E_BUSY;
    PQclear(result);
    if (rc == CTN_OK)
        rc = ctn_pg_node_end(db, incarnation, true, err);
    return ctn_pg_end(db, rc, err);
}

int ctn_pg_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    PGresult *result = NULL;
    uint32_t buried = 0;
    int rc = ask_ripe(db, settle_ms, 0, &result, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(result); i++) {
        rc = bury_one(db, ctn_pg_get_int(result, i, 0), settle_ms, err);
        buried += rc == CTN_OK;
        if (rc == CTN_E_BUSY || rc == CTN_E_STALE) /* it is alive, another was faster, or the next look finds it */
            rc = CTN_OK;
    }
    PQclear(result);
    if (rc == CTN_OK)
        *ret_buried = buried;
    return rc;
}
