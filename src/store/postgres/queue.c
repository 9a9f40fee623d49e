/*
 * queue.c -- what the engine looks for: what is due, what is queued and not held, who has the turn, what is still owed.
 *
 * A node looks in the shards that it holds, a handle of no node in all: they are the first parameter, and each is
 * asked for its first few along its own index, so that what is read does not grow with what waits.
 */
#include "store/postgres/arrays.h"
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include "store/postgres/schema.h"

/* Of each shard the first few; `what` has the condition and the order. */
#define IN_EACH_SHARD(what)                                                                                            \
    " FROM unnest($1::int4[]) s(shard) CROSS JOIN LATERAL (SELECT * FROM chain_executions e WHERE e.shard = s.shard"   \
    " AND " what ") f "

typedef struct asked {
    pg_array shards;
    pg_params p;
} asked;

static void begin(const pg_store *st, asked *a)
{
    *a = (asked){0};
    ctn_pg_array_begin(&a->shards, PG_INT4);
    for (uint32_t shard = 0; shard < st->shard_count; shard++)
        if (!st->is_part || ctn_shard_set_has(&st->held, shard))
            ctn_pg_array_int(&a->shards, shard);
    ctn_pg_array(&a->p, PG_INT4_ARRAY, ctn_pg_array_encode(&a->shards));
}

static int ask(pg_store *st, asked *a, const char *doing, const char *sql, PGresult **ret, ctn_err *err)
{
    int rc = ctn_pg_ask(st->db, doing, sql, &a->p, ret, err);
    ctn_pg_array_done(&a->shards);
    return rc;
}

/* Rows of number and id. */
static int tell_numbers(pg_store *st, asked *a, const char *sql, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    PGresult *r = NULL;
    int rc = ask(st, a, "reading executions", sql, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_execution_row row = {.exec_no = ctn_pg_get_int(r, i, 0)};
        (void) pg_get_id(r, i, 1, &row.id);
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

/* ---- wake times ---- */

int ctn_pg_execution_due(ctn_store *base, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    begin(st, &a);
    ctn_pg_int(&a.p, until_ms);
    pg_put_limit(&a.p, limit);
    return tell_numbers(
        st, &a,
        "SELECT f.exec_no, f.execution_id" IN_EACH_SHARD(PG_IS_UNFINISHED(
            "e.") " AND e.wake_at_ms <= $2 AND e.wake_at_ms > 0"
                  " ORDER BY e.wake_at_ms, e.exec_no LIMIT $3") "ORDER BY f.wake_at_ms, f.exec_no LIMIT $3",
        fn, ctx, err);
}

int ctn_pg_next_wake(ctn_store *base, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    PGresult *r = NULL;
    begin(st, &a);
    ctn_pg_int(&a.p, after_ms > 0 ? after_ms : 0);
    int rc = ask(st, &a, "reading wake times",
                 "SELECT min(f.wake_at_ms)" IN_EACH_SHARD(
                     PG_IS_UNFINISHED("e.") " AND e.wake_at_ms > $2 ORDER BY e.wake_at_ms LIMIT 1"),
                 &r, err);
    if (rc == CTN_OK)
        *ret_wake_at_ms = ctn_pg_get_int(r, 0, 0);
    PQclear(r);
    return rc;
}

/* ---- the queue ---- */

int ctn_pg_queue_lanes(ctn_store *base, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    PGresult *r = NULL;
    begin(st, &a);
    ctn_pg_int(&a.p, st->shard_count);
    int rc =
        ask(st, &a, "reading the queue",
            "SELECT l.*, (SELECT o.execution_id FROM chain_executions o WHERE o.shard = l.first_no % $2"
            " AND o.exec_no = l.first_no) FROM (SELECT tenant, chain_id, priority,"
            " count(*) FILTER (WHERE NOT queue_held), count(*) FILTER (WHERE queue_held),"
            " min(exec_no) FILTER (WHERE NOT queue_held) AS first_no FROM chain_executions"
            " WHERE shard = ANY($1::int4[]) AND " PG_IS_QUEUED("") " GROUP BY tenant, chain_id, priority) l"
                                                                   " ORDER BY tenant NULLS FIRST, chain_id, priority",
            &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_execution_id first = {{0}};
        (void) pg_get_id(r, i, 6, &first); /* NULL: all are held */
        ctn_queue_lane lane = {.tenant = ctn_pg_get_str(r, i, 0),
                               .chain_id = ctn_pg_get_str(r, i, 1),
                               .priority = (int) ctn_pg_get_int(r, i, 2),
                               .depth = ctn_pg_get_int(r, i, 3),
                               .held = ctn_pg_get_int(r, i, 4),
                               .oldest_at_ms = ctn_id_at_ms(first)}; /* ids tell when they were made */
        if (fn(ctx, &lane))
            break;
    }
    PQclear(r);
    return rc;
}

#define NEXT_OF(tenant)                                                                                                \
    "SELECT f.exec_no, f.execution_id" IN_EACH_SHARD(                                                                  \
        PG_IS_QUEUED("e.") " AND " tenant " AND e.chain_id = $2 AND e.priority = $3 AND NOT e.queue_held"              \
                           " AND e.exec_no > $4 ORDER BY e.exec_no LIMIT $5") "ORDER BY f.exec_no LIMIT $5"

int ctn_pg_queue_next(ctn_store *base, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                      size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    begin(st, &a);
    ctn_pg_text(&a.p, chain_id);
    ctn_pg_int(&a.p, priority);
    ctn_pg_int(&a.p, after_exec_no);
    pg_put_limit(&a.p, limit);
    if (tenant.len)
        ctn_pg_text(&a.p, tenant);
    return tell_numbers(st, &a, tenant.len ? NEXT_OF("e.tenant = $6") : NEXT_OF("e.tenant IS NULL"), fn, ctx, err);
}

/* A line is within a shard: that of whoever asks who is before him. */
static const char FIRST_IN_LINE[] =
    "SELECT " PG_ROW_COLUMNS " FROM chain_executions e WHERE e.shard = ANY($1::int4[]) AND e.queue_key = $2"
    " AND " PG_IS_UNFINISHED("e.") " AND e.exec_no < $3 ORDER BY e.exec_no LIMIT 1";

int ctn_pg_queue_first(ctn_store *base, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                       ctn_execution_row *ret, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    PGresult *r = NULL;
    ctn_execution_row row;
    begin(st, &a);
    if (before_exec_no < INT64_MAX) {
        a.p.count = 0;
        ctn_pg_array_begin(&a.shards, PG_INT4);
        ctn_pg_array_int(&a.shards, pg_shard_of_no(st, before_exec_no));
        ctn_pg_array(&a.p, PG_INT4_ARRAY, ctn_pg_array_encode(&a.shards));
    }
    ctn_pg_text(&a.p, queue_key);
    ctn_pg_int(&a.p, before_exec_no);
    int rc = ask(st, &a, "reading who is first in line", FIRST_IN_LINE, &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    const char *damage = rc == CTN_OK ? ctn_pg_read_row(r, 0, &row) : NULL;
    if (damage)
        rc = ctn_pg_fail_damaged(st, row.exec_no, damage, err);
    if (rc == CTN_OK) {
        ctn_pg_keep_row(arena, &row);
        *ret = row;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_execution_owing(ctn_store *base, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                           ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    asked a;
    begin(st, &a);
    ctn_pg_int(&a.p, after_exec_no);
    pg_put_limit(&a.p, limit);
    return tell_numbers(st, &a,
                        "SELECT f.exec_no, f.execution_id" IN_EACH_SHARD(
                            PG_IS_OWING("e.") " AND e.exec_no > $2 ORDER BY e.exec_no LIMIT $3") "ORDER BY f.exec_no"
                                                                                                 " LIMIT $3",
                        fn, ctx, err);
}
