/*
 * principals.c -- principals, grants and API keys in a store file. They are touched seldom, so their statements are
 * prepared each time.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

static const char READING[] = "reading principals", WRITING[] = "writing principals";

static int raise_changes(sqlite_store *st, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, "UPDATE meta SET principal_changes = principal_changes + 1", &stmt, err);
    return rc ? rc : ctn_sqlite_run_once(st, stmt, WRITING, err);
}

static int put_row(sqlite_store *st, const ctn_principal_row *row, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR REPLACE INTO principals(name, tenant, is_service, created_at_ms, created_by)"
                                " VALUES(?1,?2,?3,?4,?5)",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->name);
    sqlite_bind_str_or_empty(stmt, 2, row->tenant);
    sqlite3_bind_int64(stmt, 3, row->is_service);
    sqlite3_bind_int64(stmt, 4, row->created_at_ms);
    sqlite_bind_str_or_empty(stmt, 5, row->created_by);
    return ctn_sqlite_run_once(st, stmt, WRITING, err);
}

static void bind_grant(sqlite3_stmt *stmt, const ctn_grant_row *grant)
{
    sqlite_bind_str_or_empty(stmt, 1, grant->principal);
    sqlite_bind_str_or_empty(stmt, 2, grant->what);
    sqlite_bind_str_or_empty(stmt, 3, grant->chain);
    sqlite_bind_str_or_empty(stmt, 4, grant->label);
    sqlite_bind_str_or_empty(stmt, 5, grant->set);
}

static int put_grant(sqlite_store *st, const ctn_grant_row *grant, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR REPLACE INTO grants(principal, what, chain, label, set_name, granted_at_ms,"
                                " granted_by) VALUES(?1,?2,?3,?4,?5,?6,?7)",
                                &stmt, err);
    if (rc)
        return rc;
    bind_grant(stmt, grant);
    sqlite3_bind_int64(stmt, 6, grant->granted_at_ms);
    sqlite_bind_str_or_empty(stmt, 7, grant->granted_by);
    return ctn_sqlite_run_once(st, stmt, WRITING, err);
}

static int put_key(sqlite_store *st, const ctn_api_key_row *key, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR IGNORE INTO api_keys(id, principal, hash, created_at_ms, created_by,"
                                " expires_at_ms, used_at_ms, revoked_at_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, key->id);
    sqlite_bind_str_or_empty(stmt, 2, key->principal);
    sqlite_bind_digest(stmt, 3, &key->hash);
    sqlite3_bind_int64(stmt, 4, key->created_at_ms);
    sqlite_bind_str_or_empty(stmt, 5, key->created_by);
    sqlite_bind_positive(stmt, 6, key->expires_at_ms);
    sqlite_bind_positive(stmt, 7, key->used_at_ms);
    sqlite_bind_positive(stmt, 8, key->revoked_at_ms);
    rc = ctn_sqlite_run_once(st, stmt, WRITING, err);
    if (rc == CTN_OK && sqlite3_changes(st->db) == 0)
        rc = ctn_fail(err, CTN_E_EXISTS, "there is a key with the id %.*s already", CTN_STR_ARG(key->id));
    return rc;
}

int ctn_sqlite_principal_put(ctn_store *base, const ctn_principal_put *put, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    if (put->row)
        rc = put_row(st, put->row, err);
    for (size_t i = 0; rc == CTN_OK && i < put->grant_count; i++)
        rc = put_grant(st, &put->grants[i], err);
    if (rc == CTN_OK && put->key)
        rc = put_key(st, put->key, err);
    if (rc == CTN_OK)
        rc = raise_changes(st, err);
    return ctn_sqlite_end(st, rc, err);
}

/* One statement about one name (?1) at one time (?2). *ret_count: rows it changed; NULL: nobody asks. */
static int run_named(sqlite_store *st, const char *sql, ctn_str name, int64_t at_ms, int *ret_count, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, sql, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, name);
    sqlite3_bind_int64(stmt, 2, at_ms);
    rc = ctn_sqlite_run_once(st, stmt, WRITING, err);
    if (rc == CTN_OK && ret_count)
        *ret_count = sqlite3_changes(st->db);
    return rc;
}

int ctn_sqlite_principal_remove(ctn_store *base, ctn_str name, int64_t now_ms, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int count = 0;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = run_named(st, "DELETE FROM principals WHERE name = ?1 AND ?2 = ?2", name, now_ms, &count, err);
    if (rc == CTN_OK && count == 0)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no principal %.*s", CTN_STR_ARG(name));
    if (rc == CTN_OK)
        rc = run_named(st, "DELETE FROM grants WHERE principal = ?1 AND ?2 = ?2", name, now_ms, NULL, err);
    if (rc == CTN_OK)
        rc = run_named(st, "UPDATE api_keys SET revoked_at_ms = ?2 WHERE principal = ?1 AND revoked_at_ms IS NULL",
                       name, now_ms, NULL, err);
    if (rc == CTN_OK)
        rc = raise_changes(st, err);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_grant_remove(ctn_store *base, const ctn_grant_row *grant, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = ctn_sqlite_prepare(st,
                            "DELETE FROM grants WHERE principal = ?1 AND what = ?2 AND chain = ?3 AND label = ?4"
                            " AND set_name = ?5",
                            &stmt, err);
    if (rc == CTN_OK) {
        bind_grant(stmt, grant);
        rc = ctn_sqlite_run_once(st, stmt, WRITING, err);
    }
    if (rc == CTN_OK && sqlite3_changes(st->db) == 0)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "%.*s has no such grant", CTN_STR_ARG(grant->principal));
    if (rc == CTN_OK)
        rc = raise_changes(st, err);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_api_key_revoke(ctn_store *base, ctn_str id, int64_t now_ms, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int count = 0;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = run_named(st, "UPDATE api_keys SET revoked_at_ms = coalesce(revoked_at_ms, ?2) WHERE id = ?1", id, now_ms,
                   &count, err);
    if (rc == CTN_OK && count == 0)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no key with the id %.*s", CTN_STR_ARG(id));
    if (rc == CTN_OK)
        rc = raise_changes(st, err);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_api_key_used(ctn_store *base, ctn_str id, int64_t used_at_ms, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    return ctn_sqlite_end(
        st, run_named(st, "UPDATE api_keys SET used_at_ms = ?2 WHERE id = ?1", id, used_at_ms, NULL, err), err);
}

/* ---- reading ---- */

int ctn_sqlite_principal_list(ctn_store *base, ctn_principal_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(
        st, "SELECT name, tenant, is_service, created_at_ms, created_by FROM principals ORDER BY name", &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_principal_row row = {.name = sqlite_column_str(stmt, 0),
                                 .tenant = sqlite_column_str(stmt, 1),
                                 .is_service = sqlite3_column_int64(stmt, 2) != 0,
                                 .created_at_ms = sqlite3_column_int64(stmt, 3),
                                 .created_by = sqlite_column_str(stmt, 4)};
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_grant_list(ctn_store *base, ctn_grant_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "SELECT principal, what, chain, label, set_name, granted_at_ms, granted_by FROM grants"
                                " ORDER BY principal, what, chain, label, set_name",
                                &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_grant_row row = {.principal = sqlite_column_str(stmt, 0),
                             .what = sqlite_column_str(stmt, 1),
                             .chain = sqlite_column_str(stmt, 2),
                             .label = sqlite_column_str(stmt, 3),
                             .set = sqlite_column_str(stmt, 4),
                             .granted_at_ms = sqlite3_column_int64(stmt, 5),
                             .granted_by = sqlite_column_str(stmt, 6)};
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_api_key_list(ctn_store *base, ctn_api_key_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "SELECT id, principal, hash, created_at_ms, created_by, expires_at_ms, used_at_ms,"
                                " revoked_at_ms FROM api_keys ORDER BY id",
                                &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_api_key_row row = {.id = sqlite_column_str(stmt, 0),
                               .principal = sqlite_column_str(stmt, 1),
                               .created_at_ms = sqlite3_column_int64(stmt, 3),
                               .created_by = sqlite_column_str(stmt, 4),
                               .expires_at_ms = sqlite3_column_int64(stmt, 5),
                               .used_at_ms = sqlite3_column_int64(stmt, 6),
                               .revoked_at_ms = sqlite3_column_int64(stmt, 7)};
        if (!sqlite_column_digest(stmt, 2, &row.hash))
            row.revoked_at_ms =
                row.revoked_at_ms ? row.revoked_at_ms : 1; /* no secret fits a hash that does not read */
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_principal_changes(ctn_store *base, int64_t *ret_changes, ctn_err *err)
{
    return ctn_sqlite_number((sqlite_store *) base, "SELECT principal_changes FROM meta", ret_changes, READING, err);
}
