/*
 * principals.c -- principals, grants and API keys. Each change raises the number of principals' changes with it, so
 * that every node reads them anew.
 */
#include "store/postgres/chapters.h"

static int put_row(pg_store *st, const ctn_principal_row *row, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_text(&p, row->name);
    ctn_pg_text(&p, row->tenant);
    ctn_pg_bool(&p, row->is_service);
    ctn_pg_int(&p, row->created_at_ms);
    ctn_pg_text(&p, row->created_by);
    return ctn_pg_ask(st->db, "storing a principal",
                      "INSERT INTO principals(name, tenant, is_service, created_at_ms, created_by)"
                      " VALUES($1,$2,$3,$4,$5) ON CONFLICT (name) DO UPDATE SET tenant = excluded.tenant,"
                      " is_service = excluded.is_service, created_at_ms = excluded.created_at_ms,"
                      " created_by = excluded.created_by",
                      &p, NULL, err);
}

static void put_grant_key(pg_params *p, const ctn_grant_row *grant)
{
    ctn_pg_text(p, grant->principal);
    ctn_pg_text(p, grant->what);
    ctn_pg_text(p, grant->chain);
    ctn_pg_text(p, grant->label);
    ctn_pg_text(p, grant->set);
}

static int put_grant(pg_store *st, const ctn_grant_row *grant, ctn_err *err)
{
    pg_params p = {0};
    put_grant_key(&p, grant);
    ctn_pg_int(&p, grant->granted_at_ms);
    ctn_pg_text(&p, grant->granted_by);
    return ctn_pg_ask(st->db, "storing a grant",
                      "INSERT INTO grants(principal, what, chain, label, set_name, granted_at_ms, granted_by)"
                      " VALUES($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (principal, what, chain, label, set_name)"
                      " DO UPDATE SET granted_at_ms = excluded.granted_at_ms, granted_by = excluded.granted_by",
                      &p, NULL, err);
}

static int put_key(pg_store *st, const ctn_api_key_row *key, ctn_err *err)
{
    PGresult *r = NULL;
    pg_params p = {0};
    ctn_pg_text(&p, key->id);
    ctn_pg_text(&p, key->principal);
    pg_put_digest(&p, &key->hash);
    ctn_pg_int(&p, key->created_at_ms);
    ctn_pg_text(&p, key->created_by);
    ctn_pg_int_or_null(&p, key->expires_at_ms);
    ctn_pg_int_or_null(&p, key->used_at_ms);
    ctn_pg_int_or_null(&p, key->revoked_at_ms);
    int rc = ctn_pg_ask(st->db, "storing an API key",
                        "INSERT INTO api_keys(id, principal, hash, created_at_ms, created_by, expires_at_ms,"
                        " used_at_ms, revoked_at_ms) VALUES($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT DO NOTHING",
                        &p, &r, err);
    if (rc == CTN_OK && ctn_pg_changed(r) == 0)
        rc = ctn_fail(err, CTN_E_EXISTS, "there is a key with the id %.*s already", CTN_STR_ARG(key->id));
    PQclear(r);
    return rc;
}

int ctn_pg_principal_put(ctn_store *base, const ctn_principal_put *put, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    if (put->row)
        rc = put_row(st, put->row, err);
    for (size_t i = 0; rc == CTN_OK && i < put->grant_count; i++)
        rc = put_grant(st, &put->grants[i], err);
    if (rc == CTN_OK && put->key)
        rc = put_key(st, put->key, err);
    if (rc == CTN_OK)
        rc = ctn_pg_changes_raise(st, true, err);
    return pg_end(st, rc, err);
}

/* A statement that answers with a row when there was something to change. */
static int change(pg_store *st, const char *doing, const char *sql, const pg_params *p, bool *ret_is_there,
                  ctn_err *err)
{
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, doing, sql, p, &r, err);
    if (rc == CTN_OK)
        *ret_is_there = PQntuples(r) > 0;
    PQclear(r);
    return rc;
}

int ctn_pg_principal_remove(ctn_store *base, ctn_str name, int64_t now_ms, ctn_err *err)
{
    bool is_there = false;
    pg_params p = {0};
    ctn_pg_text(&p, name);
    ctn_pg_int(&p, now_ms);
    int rc = change((pg_store *) base, "removing a principal",
                    "WITH gone AS (DELETE FROM principals WHERE name = $1 RETURNING name),"
                    " grants_gone AS (DELETE FROM grants WHERE principal IN (SELECT name FROM gone)),"
                    " keys_gone AS (UPDATE api_keys SET revoked_at_ms = $2"
                    "  WHERE principal IN (SELECT name FROM gone) AND revoked_at_ms IS NULL)" PG_AND_RAISE_IF_GONE("1"),
                    &p, &is_there, err);
    if (rc == CTN_OK && !is_there)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no principal %.*s", CTN_STR_ARG(name));
    return rc;
}

int ctn_pg_grant_remove(ctn_store *base, const ctn_grant_row *grant, ctn_err *err)
{
    bool is_there = false;
    pg_params p = {0};
    put_grant_key(&p, grant);
    int rc = change((pg_store *) base, "removing a grant",
                    "WITH gone AS (DELETE FROM grants WHERE principal = $1 AND what = $2 AND chain = $3 AND label = $4"
                    " AND set_name = $5 RETURNING 1)" PG_AND_RAISE_IF_GONE("1"),
                    &p, &is_there, err);
    if (rc == CTN_OK && !is_there)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "%.*s has no such grant", CTN_STR_ARG(grant->principal));
    return rc;
}

int ctn_pg_api_key_revoke(ctn_store *base, ctn_str id, int64_t now_ms, ctn_err *err)
{
    bool is_there = false;
    pg_params p = {0};
    ctn_pg_text(&p, id);
    ctn_pg_int(&p, now_ms);
    int rc = change((pg_store *) base, "revoking an API key",
                    "WITH gone AS (UPDATE api_keys SET revoked_at_ms = coalesce(revoked_at_ms, $2) WHERE id = $1"
                    " RETURNING 1)" PG_AND_RAISE_IF_GONE("1"),
                    &p, &is_there, err);
    if (rc == CTN_OK && !is_there)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no key with the id %.*s", CTN_STR_ARG(id));
    return rc;
}

int ctn_pg_api_key_used(ctn_store *base, ctn_str id, int64_t used_at_ms, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_text(&p, id);
    ctn_pg_int(&p, used_at_ms);
    return ctn_pg_ask(((pg_store *) base)->db, "noting when an API key was used",
                      "UPDATE api_keys SET used_at_ms = $2 WHERE id = $1", &p, NULL, err);
}

/* ---- reading ---- */

int ctn_pg_principal_list(ctn_store *base, ctn_principal_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading principals",
                        "SELECT name, tenant, is_service, created_at_ms, created_by FROM principals ORDER BY name",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_principal_row row = {.name = ctn_pg_get_str(r, i, 0),
                                 .tenant = ctn_pg_get_str(r, i, 1),
                                 .is_service = ctn_pg_get_bool(r, i, 2),
                                 .created_at_ms = ctn_pg_get_int(r, i, 3),
                                 .created_by = ctn_pg_get_str(r, i, 4)};
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_grant_list(ctn_store *base, ctn_grant_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading grants",
                        "SELECT principal, what, chain, label, set_name, granted_at_ms, granted_by FROM grants"
                        " ORDER BY principal, what, chain, label, set_name",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_grant_row row = {.principal = ctn_pg_get_str(r, i, 0),
                             .what = ctn_pg_get_str(r, i, 1),
                             .chain = ctn_pg_get_str(r, i, 2),
                             .label = ctn_pg_get_str(r, i, 3),
                             .set = ctn_pg_get_str(r, i, 4),
                             .granted_at_ms = ctn_pg_get_int(r, i, 5),
                             .granted_by = ctn_pg_get_str(r, i, 6)};
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_api_key_list(ctn_store *base, ctn_api_key_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading API keys",
                        "SELECT id, principal, hash, created_at_ms, created_by, expires_at_ms, used_at_ms,"
                        " revoked_at_ms FROM api_keys ORDER BY id",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_api_key_row row = {.id = ctn_pg_get_str(r, i, 0),
                               .principal = ctn_pg_get_str(r, i, 1),
                               .created_at_ms = ctn_pg_get_int(r, i, 3),
                               .created_by = ctn_pg_get_str(r, i, 4),
                               .expires_at_ms = ctn_pg_get_int(r, i, 5),
                               .used_at_ms = ctn_pg_get_int(r, i, 6),
                               .revoked_at_ms = ctn_pg_get_int(r, i, 7)};
        if (!pg_get_digest(r, i, 2, &row.hash) && !row.revoked_at_ms)
            row.revoked_at_ms = 1; /* no secret fits a hash that does not read */
        if (fn(ctx, &row))
            break;
    }
    PQclear(r);
    return rc;
}

int ctn_pg_principal_changes(ctn_store *base, int64_t *ret_changes, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "looking for new principals", "SELECT principals FROM changes", NULL, &r, err);
    if (rc == CTN_OK)
        *ret_changes = ctn_pg_get_int(r, 0, 0);
    PQclear(r);
    return rc;
}
