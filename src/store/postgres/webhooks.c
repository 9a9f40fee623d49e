/*
 * webhooks.c -- webhooks and dead letters. How far a webhook was told is no change that others need to hear of. It only
 * grows: a node that was cut off while another took over does not set it back.
 */
#include "store/postgres/chapters.h"

int ctn_pg_webhook_put(ctn_store *base, const ctn_webhook_row *row, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    ctn_pg_text(&p, row->name);
    ctn_pg_text(&p, row->definition);
    ctn_pg_text(&p, row->secret);
    ctn_pg_text_or_null(&p, row->tenant);
    ctn_pg_int(&p, row->position);
    ctn_pg_int(&p, row->created_at_ms);
    ctn_pg_text(&p, row->created_by);
    ctn_pg_text_or_null(&p, row->stopped);
    return ctn_pg_ask(st->db, "storing a webhook",
                      "WITH put AS (INSERT INTO webhooks(name, definition, secret, tenant, position, created_at_ms,"
                      " created_by, stopped) VALUES($1,$2,$3,$4,$5,$6,$7,$8)"
                      " ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, secret = excluded.secret,"
                      " tenant = excluded.tenant, position = excluded.position, created_at_ms = excluded.created_at_ms,"
                      " created_by = excluded.created_by, stopped = excluded.stopped)" PG_AND_RAISE("0"),
                      &p, NULL, err);
}

int ctn_pg_webhook_remove(ctn_store *base, ctn_str name, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, name);
    int rc = ctn_pg_ask(st->db, "removing a webhook",
                        "WITH gone AS (DELETE FROM webhooks WHERE name = $1 RETURNING 1),"
                        " letters AS (DELETE FROM dead_letters WHERE webhook = $1)" PG_AND_RAISE_IF_GONE("0"),
                        &p, &r, err);
    if (rc == CTN_OK && PQntuples(r) == 0)
        rc = CTN_E_NOT_FOUND;
    PQclear(r);
    return rc;
}

int ctn_pg_webhook_advance(ctn_store *base, const ctn_webhook_reach *reached, size_t count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        pg_params p = {0};
        ctn_pg_text(&p, reached[i].name);
        ctn_pg_int(&p, reached[i].position);
        rc = ctn_pg_ask(st->db, "noting how far a webhook was told",
                        "UPDATE webhooks SET position = $2 WHERE name = $1 AND position < $2", &p, NULL, err);
    }
    return pg_end(st, rc, err);
}

int ctn_pg_webhook_list(ctn_store *base, ctn_webhook_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading webhooks",
                        "SELECT name, definition, secret, tenant, position, created_at_ms, created_by, stopped"
                        " FROM webhooks ORDER BY name",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_webhook_row row = {.name = ctn_pg_get_str(r, i, 0),
                               .definition = ctn_pg_get_str(r, i, 1),
                               .secret = ctn_pg_get_str(r, i, 2),
                               .tenant = ctn_pg_get_str(r, i, 3),
                               .position = ctn_pg_get_int(r, i, 4),
                               .created_at_ms = ctn_pg_get_int(r, i, 5),
                               .created_by = ctn_pg_get_str(r, i, 6),
                               .stopped = ctn_pg_get_str(r, i, 7)};
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

/* ---- dead letters ---- */

int ctn_pg_dead_letter_put(ctn_store *base, const ctn_dead_letter *letter, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    pg_params p = {0};
    ctn_pg_text(&p, letter->webhook);
    ctn_pg_int(&p, letter->position);
    ctn_pg_bytes(&p, letter->execution.bytes, sizeof letter->execution.bytes);
    ctn_pg_text(&p, letter->kind);
    ctn_pg_int(&p, letter->attempts);
    ctn_pg_text(&p, letter->why);
    ctn_pg_int(&p, letter->died_at_ms);
    return ctn_pg_ask(st->db, "storing a dead letter",
                      "INSERT INTO dead_letters(webhook, position, execution_id, kind, attempts, why, died_at_ms)"
                      " VALUES($1,$2,$3,$4,$5,$6,$7)"
                      " ON CONFLICT (webhook, position) DO UPDATE SET execution_id = excluded.execution_id,"
                      " kind = excluded.kind, attempts = excluded.attempts, why = excluded.why,"
                      " died_at_ms = excluded.died_at_ms",
                      &p, NULL, err);
}

int ctn_pg_dead_letter_remove(ctn_store *base, ctn_str webhook, int64_t position, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, webhook);
    ctn_pg_int(&p, position);
    int rc = ctn_pg_ask(st->db, "removing a dead letter",
                        "DELETE FROM dead_letters WHERE webhook = $1 AND position = $2", &p, &r, err);
    if (rc == CTN_OK && ctn_pg_changed(r) == 0)
        rc = CTN_E_NOT_FOUND;
    PQclear(r);
    return rc;
}

int ctn_pg_dead_letter_list(ctn_store *base, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                            void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, webhook);
    ctn_pg_int(&p, after);
    ctn_pg_int(&p, limit < INT64_MAX ? (int64_t) limit : INT64_MAX);
    int rc = ctn_pg_ask(st->db, "reading dead letters",
                        "SELECT webhook, position, execution_id, kind, attempts, why, died_at_ms"
                        " FROM dead_letters WHERE webhook = $1 AND position > $2 ORDER BY position LIMIT $3",
                        &p, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_dead_letter letter = {.webhook = ctn_pg_get_str(r, i, 0),
                                  .position = ctn_pg_get_int(r, i, 1),
                                  .kind = ctn_pg_get_str(r, i, 3),
                                  .attempts = ctn_pg_get_int(r, i, 4),
                                  .why = ctn_pg_get_str(r, i, 5),
                                  .died_at_ms = ctn_pg_get_int(r, i, 6)};
        (void) pg_get_id(r, i, 2, &letter.execution);
        if (fn(ctx, &letter))
            break;
    }
    PQclear(r);
    return rc;
}
