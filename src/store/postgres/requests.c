/*
 * requests.c -- what the holder of a shard shall decide.
 *
 * A request is on disk before its holder is woken: who dies in between leaves it to the holder's next beat. An answer
 * that needs no commit holds the shard's own row against who takes it away, so it is the holder's, or refused; one that
 * stands in a commit is held by that commit's lock (PG_REQUESTS_DONE).
 */
#include "store/postgres/arrays.h"
#include "store/postgres/fleet.h"
#include "store/postgres/schema_fleet.h"

#define DAY_MS "86400000"

/* ---- putting ---- */

/* With each put a few go that were done a day ago, of the same shards: more than come. */
static const char PUT[] =
    "WITH gone AS (DELETE FROM requests r USING (SELECT shard, no FROM requests WHERE shard = ANY($1)"
    "   AND done_at_ms < " PG_NOW_MS " - " DAY_MS " LIMIT 4 + 2 * cardinality($1) FOR UPDATE SKIP LOCKED) old"
    "  WHERE r.shard = old.shard AND r.no = old.no)"
    " INSERT INTO requests(shard, execution_id, kind, body, filed_at_ms, from_node)"
    " SELECT shard, execution_id, kind, body, filed_at_ms, from_node FROM"
    " unnest($1::int4[], $2::bytea[], $3::text[], $4::text[], $5::int8[], $6::int8[]) WITH ORDINALITY"
    " AS r(shard, execution_id, kind, body, filed_at_ms, from_node, n) ORDER BY n RETURNING no";

enum { COLUMNS = 6 };

static const Oid elements[COLUMNS] = {PG_INT4, PG_BYTEA, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8};
static const Oid arrays[COLUMNS] = {PG_INT4_ARRAY, PG_BYTEA_ARRAY, PG_TEXT_ARRAY,
                                    PG_TEXT_ARRAY, PG_INT8_ARRAY,  PG_INT8_ARRAY};

static void add_row(pg_array *columns, const ctn_request_row *row)
{
    ctn_pg_array_int(&columns[0], row->shard);
    ctn_pg_array_bytes(&columns[1], row->id.bytes, sizeof row->id.bytes);
    ctn_pg_array_str(&columns[2], row->kind);
    ctn_pg_array_str(&columns[3], row->body);
    ctn_pg_array_int(&columns[4], row->filed_at_ms);
    ctn_pg_array_int(&columns[5], row->from);
}

static void wake_holders(pg *db, ctn_str shards)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_array(&p, PG_INT4_ARRAY, shards);
    if (ctn_pg_ask(db, "looking for holders", "SELECT DISTINCT holder FROM shards WHERE shard = ANY($1) AND holder > 0",
                   &p, &result, NULL) == CTN_OK)
        for (int i = 0; i < PQntuples(result); i++)
            ctn_pg_wake_nodes(db, &(int64_t){ctn_pg_get_int(result, i, 0)}, 1);
    PQclear(result);
}

int ctn_pg_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    pg_array columns[COLUMNS] = {0};
    pg_params p = {0};
    PGresult *result = NULL;
    for (size_t c = 0; c < COLUMNS; c++)
        ctn_pg_array_begin(&columns[c], elements[c]);
    for (size_t i = 0; i < count; i++)
        add_row(columns, &rows[i]);
    for (size_t c = 0; c < COLUMNS; c++)
        ctn_pg_array(&p, arrays[c], ctn_pg_array_encode(&columns[c]));
    int rc = ctn_pg_ask(db, "filing requests", PUT, &p, &result, err);
    if (rc)
        goto done;
    for (size_t i = 0; i < count; i++)
        ret_nos[i] = ctn_pg_get_int(result, (int) i, 0);
    ctn_str shards = {p.values[0], (size_t) p.lengths[0]};
    wake_holders(db, shards);
done:
    PQclear(result);
    for (size_t c = 0; c < COLUMNS; c++)
        ctn_pg_array_done(&columns[c]);
    return rc;
}

/* ---- reading ---- */

#define REQUEST_COLUMNS                                                                                                \
    "no, shard, execution_id, kind, body, filed_at_ms, from_node, done_at_ms IS NOT NULL, rc, sentence"

/* Its texts are the result's. */
static ctn_request_row read_request(const PGresult *result, int row)
{
    ctn_request_row r = {
        .no = ctn_pg_get_int(result, row, 0),
        .shard = (uint32_t) ctn_pg_get_int(result, row, 1),
        .kind = ctn_pg_get_str(result, row, 3),
        .body = ctn_pg_get_str(result, row, 4),
        .filed_at_ms = ctn_pg_get_int(result, row, 5),
        .from = ctn_pg_get_int(result, row, 6),
        .is_done = ctn_pg_get_bool(result, row, 7),
        .rc = (int) ctn_pg_get_int(result, row, 8),
        .sentence = ctn_pg_get_str(result, row, 9),
    };
    ctn_str id = ctn_pg_get_str(result, row, 2);
    if (id.len == sizeof r.id.bytes)
        memcpy(r.id.bytes, id.ptr, sizeof r.id.bytes);
    return r;
}

int ctn_pg_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx, ctn_err *err)
{
    const pg_store *handle = (pg_store *) st;
    pg_params p = {0};
    pg_array held = {0};
    PGresult *result = NULL;
    ctn_pg_array_begin(&held, PG_INT4);
    for (uint32_t i = 0; i < handle->shard_count; i++)
        if (!handle->is_part || ctn_shard_set_has(&handle->held, i))
            ctn_pg_array_int(&held, i);
    ctn_pg_array(&p, PG_INT4_ARRAY, ctn_pg_array_encode(&held));
    ctn_pg_int(&p, after_no);
    ctn_pg_int(&p, limit < INT32_MAX ? (int64_t) limit : INT32_MAX);
    int rc = ctn_pg_ask(handle->db, "reading requests",
                        "SELECT " REQUEST_COLUMNS " FROM requests WHERE done_at_ms IS NULL AND shard = ANY($1)"
                        " AND no > $2 ORDER BY no LIMIT $3",
                        &p, &result, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(result); i++) {
        ctn_request_row row = read_request(result, i);
        if (fn(ctx, &row))
            break;
    }
    PQclear(result);
    ctn_pg_array_done(&held);
    return rc;
}

int ctn_pg_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, shard);
    ctn_pg_int(&p, no);
    int rc = ctn_pg_ask(((pg_store *) st)->db, "reading a request",
                        "SELECT " REQUEST_COLUMNS " FROM requests WHERE shard = $1 AND no = $2", &p, &result, err);
    if (rc == CTN_OK && PQntuples(result) == 0)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK) {
        *ret = read_request(result, 0);
        ret->kind = ctn_arena_str(arena, ret->kind);
        ret->body = ctn_arena_str(arena, ret->body);
        ret->sentence = ctn_arena_str(arena, ret->sentence);
    }
    PQclear(result);
    return rc;
}

/* ---- answering ---- */

int ctn_pg_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err)
{
    const pg_store *handle = (pg_store *) st;
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, shard);
    ctn_pg_int(&p, no);
    ctn_pg_int(&p, handle->incarnation);
    ctn_pg_int(&p, rc);
    ctn_pg_text(&p, sentence);
    int asked = ctn_pg_ask(handle->db, "answering a request",
                           "WITH ours AS (SELECT shard FROM shards WHERE shard = $1 AND holder = $3 FOR SHARE),"
                           " done AS (UPDATE requests r SET done_at_ms = " PG_NOW_MS ", rc = $4, sentence = $5"
                           "  FROM ours WHERE r.shard = ours.shard AND r.no = $2 AND r.done_at_ms IS NULL"
                           "  RETURNING from_node)"
                           " SELECT (SELECT count(*) FROM ours), (SELECT from_node FROM done)",
                           &p, &result, err);
    if (asked)
        return asked;
    bool is_ours = ctn_pg_get_int(result, 0, 0) == 1;
    int64_t from = ctn_pg_get_int(result, 0, 1);
    PQclear(result);
    ctn_pg_wake_nodes(handle->db, &from, 1);
    return is_ours ? CTN_OK : CTN_E_STALE;
}
