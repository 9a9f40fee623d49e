/*
 * small_tables.c -- what the engine remembers beside executions: schedules, breakers, the results of calls, and what
 * tenants have used.
 *
 * A result lives in the shard of its key's name, so that whoever asks for it knows where. What tenants have used is
 * counted by each node for itself, and stands under the node's name: it goes on with its own figures when it comes
 * back.
 */
#include "store/postgres/chapters.h"

int ctn_pg_changes_raise(pg_store *st, bool of_principals, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_int(&p, of_principals);
    return ctn_pg_ask(st->db, "telling the others of a change", "WITH put AS (SELECT 1)" PG_AND_RAISE("$1"), &p, NULL,
                      err);
}

int ctn_pg_schedule_put(ctn_store *base, const ctn_schedule_row *row, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    ctn_pg_text(&p, row->chain_id);
    ctn_pg_text(&p, row->cron);
    ctn_pg_text(&p, row->timezone);
    ctn_pg_int(&p, row->seen_at_ms);
    ctn_pg_int_or_null(&p, row->next_at_ms);
    ctn_pg_int(&p, row->fired_at_ms);
    ctn_pg_int(&p, row->paused_at_ms);
    ctn_pg_text(&p, row->paused_by);
    return ctn_pg_ask(
        st->db, "storing a schedule",
        "WITH put AS (INSERT INTO schedules(chain_id, cron, timezone, seen_at_ms, next_at_ms, fired_at_ms,"
        " paused_at_ms, paused_by) VALUES($1,$2,$3,$4,$5,$6,$7,$8)"
        " ON CONFLICT (chain_id) DO UPDATE SET cron = excluded.cron, timezone = excluded.timezone,"
        " seen_at_ms = excluded.seen_at_ms, next_at_ms = excluded.next_at_ms,"
        " fired_at_ms = excluded.fired_at_ms, paused_at_ms = excluded.paused_at_ms,"
        " paused_by = excluded.paused_by)" PG_AND_RAISE("0"),
        &p, NULL, err);
}

int ctn_pg_breaker_put(ctn_store *base, const ctn_breaker_row *row, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    ctn_pg_text(&p, row->name);
    ctn_pg_text(&p, row->state);
    ctn_pg_int_or_null(&p, row->until_ms);
    ctn_pg_int(&p, row->changed_at_ms);
    return ctn_pg_ask(st->db, "storing a breaker",
                      "WITH put AS (INSERT INTO breakers(name, state, until_ms, changed_at_ms) VALUES($1,$2,$3,$4)"
                      " ON CONFLICT (name) DO UPDATE SET state = excluded.state, until_ms = excluded.until_ms,"
                      " changed_at_ms = excluded.changed_at_ms)" PG_AND_RAISE("0"),
                      &p, NULL, err);
}

int ctn_pg_schedule_list(ctn_store *base, ctn_schedule_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading schedules",
                        "SELECT chain_id, cron, timezone, seen_at_ms, next_at_ms, fired_at_ms, paused_at_ms, paused_by"
                        " FROM schedules ORDER BY chain_id",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_schedule_row row = {
            .chain_id = ctn_pg_get_str(r, i, 0),
            .cron = ctn_pg_get_str(r, i, 1),
            .timezone = ctn_pg_get_str(r, i, 2),
            .seen_at_ms = ctn_pg_get_int(r, i, 3),
            .next_at_ms = ctn_pg_get_int(r, i, 4),
            .fired_at_ms = ctn_pg_get_int(r, i, 5),
            .paused_at_ms = ctn_pg_get_int(r, i, 6),
            .paused_by = ctn_pg_get_str(r, i, 7),
        };
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_breaker_list(ctn_store *base, ctn_breaker_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading breakers",
                        "SELECT name, state, until_ms, changed_at_ms FROM breakers ORDER BY name", NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_breaker_row row = {
            .name = ctn_pg_get_str(r, i, 0),
            .state = ctn_pg_get_str(r, i, 1),
            .until_ms = ctn_pg_get_int(r, i, 2),
            .changed_at_ms = ctn_pg_get_int(r, i, 3),
        };
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

/* ---- results of calls ---- */

static int64_t shard_of_result(const pg_store *st, ctn_str key)
{
    return ctn_shard_of_name(CTN_STR("result"), key, st->shard_count);
}

int ctn_pg_result_put(pg_store *st, const ctn_result_row *row, ctn_err *err)
{
    pg_params p = {0}, expired = {0};
    ctn_pg_int(&p, shard_of_result(st, row->key));
    ctn_pg_text(&p, row->key);
    ctn_pg_text(&p, row->value);
    ctn_pg_int(&p, row->put_at_ms);
    ctn_pg_int(&p, row->expires_at_ms);
    int rc = ctn_pg_ask(st->db, "keeping a result",
                        "INSERT INTO result_cache(shard, key, value, put_at_ms, expires_at_ms) VALUES($1,$2,$3,$4,$5)"
                        " ON CONFLICT (shard, key) DO UPDATE SET value = excluded.value,"
                        " put_at_ms = excluded.put_at_ms, expires_at_ms = excluded.expires_at_ms",
                        &p, NULL, err);
    if (rc)
        return rc;
    ctn_pg_int(&expired, shard_of_result(st, row->key));
    ctn_pg_int(&expired, row->put_at_ms);
    ctn_pg_int(&expired, CTN_RESULTS_PRUNED);
    return ctn_pg_ask(st->db, "removing expired results",
                      "DELETE FROM result_cache WHERE shard = $1 AND key = ANY (ARRAY(SELECT key FROM result_cache"
                      " WHERE shard = $1 AND expires_at_ms <= $2 ORDER BY expires_at_ms LIMIT $3"
                      " FOR UPDATE SKIP LOCKED))",
                      &expired, NULL, err);
}

int ctn_pg_result_get(ctn_store *base, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, shard_of_result(st, key));
    ctn_pg_text(&p, key);
    int rc = ctn_pg_ask(st->db, "reading a result",
                        "SELECT value, put_at_ms, expires_at_ms FROM result_cache WHERE shard = $1 AND key = $2", &p,
                        &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK)
        *ret = (ctn_result_row){
            .key = ctn_arena_str(arena, key),
            .value = ctn_arena_str(arena, ctn_pg_get_str(r, 0, 0)),
            .put_at_ms = ctn_pg_get_int(r, 0, 1),
            .expires_at_ms = ctn_pg_get_int(r, 0, 2),
        };
    PQclear(r);
    return rc;
}

/* ---- what tenants have used ---- */

int ctn_pg_usage_put(pg_store *st, const ctn_usage_row *rows, size_t count, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        const ctn_usage *used = &rows[i].used;
        pg_params p = {0};
        ctn_pg_int(&p, st->incarnation);
        ctn_pg_int(&p, rows[i].day);
        ctn_pg_text(&p, rows[i].tenant);
        ctn_pg_int(&p, used->executions);
        ctn_pg_int(&p, used->calls);
        ctn_pg_int(&p, used->bytes);
        ctn_pg_int(&p, used->money);
        rc = ctn_pg_ask(
            st->db, "storing what a tenant has used",
            "INSERT INTO tenant_usage(node, day, tenant, executions, calls, bytes, money)"
            " VALUES(" PG_NODE_NAME("$1") ",$2,$3,$4,$5,$6,$7)"
                                          " ON CONFLICT (node, day, tenant) DO UPDATE SET"
                                          " executions = greatest(tenant_usage.executions, excluded.executions),"
                                          " calls = greatest(tenant_usage.calls, excluded.calls),"
                                          " bytes = greatest(tenant_usage.bytes, excluded.bytes),"
                                          " money = greatest(tenant_usage.money, excluded.money)",
            &p, NULL, err);
    }
    if (rc || !count)
        return rc;
    pg_params p = {0};
    ctn_pg_int(&p, st->incarnation);
    ctn_pg_int(&p, rows[0].day - CTN_USAGE_DAYS);
    return ctn_pg_ask(st->db, "removing what tenants have used long ago",
                      "DELETE FROM tenant_usage WHERE node = " PG_NODE_NAME("$1") " AND day < $2", &p, NULL, err);
}

int ctn_pg_usage_list(ctn_store *base, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_int(&p, st->incarnation);
    ctn_pg_int(&p, day);
    int rc = ctn_pg_ask(st->db, "reading what tenants have used",
                        "SELECT tenant, executions, calls, bytes, money FROM tenant_usage"
                        " WHERE node = " PG_NODE_NAME("$1") " AND day = $2 ORDER BY tenant",
                        &p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_usage_row row = {.tenant = ctn_pg_get_str(r, i, 0),
                             .day = day,
                             .used = {.executions = ctn_pg_get_int(r, i, 1),
                                      .calls = ctn_pg_get_int(r, i, 2),
                                      .bytes = ctn_pg_get_int(r, i, 3),
                                      .money = ctn_pg_get_int(r, i, 4)}};
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}
