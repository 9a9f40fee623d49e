/*
 * limits.c -- what there is once over all nodes: numbers, idempotency keys, places and tokens.
 *
 * Each is one row that one statement reads and changes: whoever comes second waits for the row, and sees it as the
 * first one left it.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/fleet.h"
#include "store/postgres/schema_fleet.h"

/* ---- numbers ---- */

int ctn_pg_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err)
{
    const pg_store *handle = (pg_store *) st;
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, count);
    int rc = ctn_pg_ask(handle->db, "reserving numbers", "UPDATE numbers SET next = next + $1 RETURNING next - $1", &p,
                        &result, err);
    if (rc == CTN_OK && PQntuples(result) != 1)
        rc = ctn_fail(err, CTN_E_CORRUPT, "the store has lost the row of its numbers");
    if (rc == CTN_OK)
        *ret_first = ctn_pg_get_int(result, 0, 0) * handle->shard_count;
    PQclear(result);
    return rc;
}

/* ---- idempotency keys ---- */

int ctn_pg_key_get(ctn_store *base, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    PGresult *r = NULL;
    ctn_pg_int(&p, ctn_shard_of_key(chain_id, key, st->shard_count));
    ctn_pg_text(&p, chain_id);
    ctn_pg_text(&p, key);
    int rc = ctn_pg_ask(st->db, "reading an idempotency key",
                        "SELECT execution_id FROM execution_keys WHERE shard = $1 AND chain_id = $2 AND key = $3", &p,
                        &r, err);
    *ret_id = (ctn_execution_id){{0}};
    if (rc == CTN_OK && PQntuples(r) == 1)
        (void) pg_get_id(r, 0, 0, ret_id);
    PQclear(r);
    return rc;
}

/* A key that is taken costs no write. Two at once: one inserts, the other inserts nothing and does not see it yet
 * either; then it looks again. */
static const char CLAIM[] =
    "WITH found AS (SELECT execution_id FROM execution_keys WHERE shard = $1 AND chain_id = $2 AND key = $3),"
    " claimed AS (INSERT INTO execution_keys SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM found)"
    "  ON CONFLICT DO NOTHING RETURNING execution_id)"
    " SELECT execution_id FROM found UNION ALL SELECT execution_id FROM claimed";

int ctn_pg_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                     ctn_err *err)
{
    const pg_store *handle = (pg_store *) st;
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_int(&p, ctn_shard_of_key(chain_id, key, handle->shard_count));
    ctn_pg_text(&p, chain_id);
    ctn_pg_text(&p, key);
    ctn_pg_bytes(&p, id.bytes, sizeof id.bytes);
    int rc = CTN_OK;
    for (int n = 0; n < 3 && !result; n++) {
        rc = ctn_pg_ask(handle->db, "claiming a key", CLAIM, &p, &result, err);
        if (rc)
            return rc;
        if (PQntuples(result) == 0) {
            PQclear(result);
            result = NULL;
        }
    }
    if (!result)
        return ctn_fail(err, CTN_E_BUSY, "the key \"%.*s\" is being claimed and removed all the time; try again",
                        CTN_STR_ARG(key));
    ctn_str found = ctn_pg_get_str(result, 0, 0);
    if (found.len == sizeof ret_id->bytes)
        memcpy(ret_id->bytes, found.ptr, found.len);
    else
        rc = ctn_fail(err, CTN_E_CORRUPT, "the key \"%.*s\" leads to no id", CTN_STR_ARG(key));
    PQclear(result);
    return rc;
}

/* ---- places ---- */

#define MINE   "coalesce((p.claims->>$2::text)::bigint, 0)"
#define OTHERS "(SELECT coalesce(sum(c.value::bigint), 0) FROM jsonb_each_text(p.claims - $2::text) c)"

/* No row: the node is not alive. Its own row is shared, so that who buries it finds this claim. */
static const char PLACES[] =
    "WITH me AS (SELECT incarnation FROM nodes WHERE incarnation = $2 AND is_live FOR KEY SHARE)"
    " INSERT INTO places AS p SELECT $1, jsonb_build_object($2::text, least($4, $3)) FROM me"
    " ON CONFLICT (name) DO UPDATE SET claims = p.claims || jsonb_build_object($2::text,"
    "  greatest(least(" MINE ", $4), least($4, $3 - " OTHERS ")))"
    " RETURNING " MINE;

int ctn_pg_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                        int64_t *ret_granted, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_text(&p, name);
    ctn_pg_int(&p, incarnation);
    ctn_pg_int(&p, max);
    ctn_pg_int(&p, wanted);
    int rc = ctn_pg_ask(((pg_store *) st)->db, "claiming places", PLACES, &p, &result, err);
    if (rc == CTN_OK && PQntuples(result) == 0)
        rc = CTN_E_STALE;
    if (rc == CTN_OK)
        *ret_granted = ctn_pg_get_int(result, 0, 0);
    PQclear(result);
    return rc;
}

/* ---- tokens ---- */

#define LEVEL "least($3::float8, b.level + greatest(0, " PG_NOW_MS " - b.filled_at_ms) * $2 / 1000)"

static const char TOKENS[] =
    "INSERT INTO tokens AS b VALUES ($1, $3::float8 - least($3, $4), " PG_NOW_MS ", least($3, $4))"
    " ON CONFLICT (name) DO UPDATE SET (level, filled_at_ms, taken) ="
    " (SELECT l.level - least($4, floor(l.level)), greatest(b.filled_at_ms, l.now), least($4, floor(l.level))"
    "  FROM (SELECT " LEVEL " AS level, " PG_NOW_MS " AS now) l)"
    " RETURNING taken, level";

int ctn_pg_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                       int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_text(&p, name);
    ctn_pg_double(&p, per_second);
    ctn_pg_int(&p, burst);
    ctn_pg_int(&p, wanted);
    int rc = ctn_pg_ask(((pg_store *) st)->db, "taking tokens", TOKENS, &p, &result, err);
    if (rc)
        return rc;
    double level = ctn_pg_get_double(result, 0, 1);
    *ret_taken = ctn_pg_get_int(result, 0, 0);
    *ret_next_ms = level >= 1 ? 0 : (int64_t) ((1 - level) / per_second * 1000) + 1;
    PQclear(result);
    return CTN_OK;
}

/* ---- shards that are set aside ---- */

void ctn_pg_needs_read(ctn_arena *arena, ctn_str list, const ctn_str **ret_requires, size_t *ret_count)
{
    const ctn_json *texts = NULL;
    if (list.len)
        (void) ctn_json_parse(arena, list, NULL, &texts, NULL);
    *ret_count = ctn_json_count(texts) < CTN_NEEDS_MAX ? ctn_json_count(texts) : CTN_NEEDS_MAX;
    ctn_str *all = CTN_NEW_ARRAY(arena, ctn_str, *ret_count);
    for (size_t i = 0; i < *ret_count; i++)
        all[i] = ctn_arena_str(arena, ctn_json_text(ctn_json_at(texts, i)));
    *ret_requires = all;
}

int ctn_pg_need_list(ctn_store *st, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(((pg_store *) st)->db, "listing what is required",
                        "SELECT json_agg(requires ORDER BY no)::text FROM needs", NULL, &result, err);
    if (rc == CTN_OK)
        ctn_pg_needs_read(arena, ctn_pg_get_str(result, 0, 0), ret_requires, ret_count);
    PQclear(result);
    return rc;
}

/* Those that know no requirement would run anything anywhere. */
static int refuse_beside_old_nodes(pg *db, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(db, "looking for older nodes",
                        "SELECT string_agg(name, ', ' ORDER BY name) FROM nodes WHERE is_live AND incarnation > 0"
                        " AND NOT knows_needs AND expires_at_ms > " PG_NOW_MS,
                        NULL, &result, err);
    ctn_str names = rc ? (ctn_str){0} : ctn_pg_get_str(result, 0, 0);
    if (names.len)
        rc = ctn_fail(
            err, CTN_E_BUSY,
            "nodes of an older version live, which do not know `requires` of a chain (%.*s): upgrade them first",
            CTN_STR_ARG(names));
    PQclear(result);
    return rc;
}

static int ask_number(pg *db, const char *sql, const pg_params *p, bool *ret_is_there, uint32_t *ret_number,
                      ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(db, "claiming what is required", sql, p, &result, err);
    *ret_is_there = rc == CTN_OK && PQntuples(result) == 1;
    if (*ret_is_there)
        *ret_number = (uint32_t) ctn_pg_get_int(result, 0, 0);
    PQclear(result);
    return rc;
}

/* Numbers follow each other, so the next one is how many there are. Two at once: one inserts nothing, and looks again.
 */
int ctn_pg_need_claim(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err)
{
    pg *db = ((pg_store *) st)->db;
    pg_params p = {0}, text = {0};
    bool is_there = false;
    ctn_pg_text(&text, requires);
    ctn_pg_text(&p, requires);
    ctn_pg_int(&p, max);
    for (uint32_t n = 0; n <= max; n++) {
        uint32_t count = 0;
        int rc = ask_number(db, "SELECT no FROM needs WHERE requires = $1", &text, &is_there, ret_number, err);
        if (rc == CTN_OK && !is_there)
            rc = refuse_beside_old_nodes(db, err);
        if (rc == CTN_OK && !is_there)
            rc = ask_number(db,
                            "INSERT INTO needs SELECT count(*), $1 FROM needs HAVING count(*) < $2"
                            " ON CONFLICT DO NOTHING RETURNING no",
                            &p, &is_there, ret_number, err);
        if (rc || is_there)
            return rc;
        rc = ask_number(db, "SELECT count(*) FROM needs", NULL, &is_there, &count, err);
        if (rc)
            return rc;
        if (count >= max)
            break;
    }
    return CTN_E_LIMIT;
}
