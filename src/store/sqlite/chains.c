/*
 * chains.c -- definitions by content, chains by id and version.
 *
 * Both are put with every start and are mostly there already, so that is looked at first: what is there needs no
 * transaction, and the caller, who has others to serve, does not wait for the one that the writer is at.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

static int are_there(sqlite_store *st, const ctn_definition *definitions, size_t count, bool *ret_all, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DEFINITION_GET, &stmt, err);
    *ret_all = true;
    for (size_t i = 0; rc == CTN_OK && *ret_all && i < count; i++) {
        sqlite_bind_digest(stmt, 1, &definitions[i].digest);
        *ret_all = ctn_sqlite_next(st, stmt, "looking for a definition", &rc, err);
        sqlite3_reset(stmt);
    }
    ctn_sqlite_release(st, SQL_DEFINITION_GET, stmt);
    return rc;
}

int ctn_sqlite_definition_put(ctn_store *base, const ctn_definition *definitions, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    bool is_all = false;
    int rc = are_there(st, definitions, count, &is_all, err);
    if (rc == CTN_OK && !is_all)
        rc = ctn_sqlite_begin(st, err);
    if (rc || is_all)
        return rc;
    rc = ctn_sqlite_take(st, SQL_DEFINITION_PUT, &stmt, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        sqlite_bind_digest(stmt, 1, &definitions[i].digest);
        sqlite_bind_str_or_empty(stmt, 2, definitions[i].kind);
        sqlite_bind_str_or_empty(stmt, 3, definitions[i].name);
        sqlite_bind_str_or_empty(stmt, 4, definitions[i].body);
        rc = ctn_sqlite_step_done(st, stmt, "storing a definition", err);
    }
    ctn_sqlite_release(st, SQL_DEFINITION_PUT, stmt);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_definition_get(ctn_store *base, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                              ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DEFINITION_GET, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_digest(stmt, 1, digest);
    if (ctn_sqlite_next(st, stmt, "reading a definition", &rc, err)) {
        *ret = (ctn_definition){
            .digest = *digest,
            .kind = ctn_arena_str(arena, sqlite_column_str(stmt, 0)),
            .name = ctn_arena_str(arena, sqlite_column_str(stmt, 1)),
            .body = ctn_arena_str(arena, sqlite_column_str(stmt, 2)),
        };
        (void) ctn_sqlite_is_whole(st, &rc, err);
    } else if (rc == CTN_OK) {
        rc = CTN_E_NOT_FOUND;
    }
    ctn_sqlite_release(st, SQL_DEFINITION_GET, stmt);
    return rc;
}

/* Borrows from the statement. Columns: chain_id, version, digest, created_at_ms, created_by. */
static int read_chain(sqlite_store *st, sqlite3_stmt *stmt, ctn_chain_row *ret, ctn_err *err)
{
    *ret = (ctn_chain_row){
        .chain_id = sqlite_column_str(stmt, 0),
        .version = sqlite3_column_int64(stmt, 1),
        .created_at_ms = sqlite3_column_int64(stmt, 3),
        .created_by = sqlite_column_str(stmt, 4),
    };
    bool has_digest = sqlite_column_digest(stmt, 2, &ret->digest);
    int rc = CTN_OK;
    if (ctn_sqlite_is_whole(st, &rc, err) && !has_digest)
        rc = ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: chain %.*s has no proper digest", st->path,
                      CTN_STR_ARG(ret->chain_id));
    return rc;
}

static int has_definition(sqlite_store *st, const ctn_chain_row *row, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_DEFINITION_GET, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_digest(stmt, 1, &row->digest);
    if (!ctn_sqlite_next(st, stmt, "looking for a definition", &rc, err) && rc == CTN_OK)
        rc = ctn_store_fail_definition(row, err);
    ctn_sqlite_release(st, SQL_DEFINITION_GET, stmt);
    return rc;
}

/* The version the row is stored under already, or 0; then *ret_next is the number after the highest. */
static int find_version(sqlite_store *st, const ctn_chain_row *row, int64_t *ret_version, int64_t *ret_next,
                        ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    sqlite_sql which = row->version ? SQL_CHAIN_GET : SQL_CHAIN_VERSION_BY_CONTENT;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    *ret_version = 0;
    *ret_next = 1;
    sqlite_bind_str_or_empty(stmt, 1, row->chain_id);
    if (row->version) {
        sqlite3_bind_int64(stmt, 2, row->version);
        ctn_chain_row stored;
        if (ctn_sqlite_next(st, stmt, "looking for a chain", &rc, err)) {
            rc = read_chain(st, stmt, &stored, err);
            if (rc == CTN_OK && memcmp(stored.digest.bytes, row->digest.bytes, CTN_DIGEST_BYTES) != 0)
                rc = ctn_store_fail_version(row, err);
            else
                *ret_version = stored.version;
        }
    } else {
        sqlite_bind_digest(stmt, 2, &row->digest);
        if (ctn_sqlite_next(st, stmt, "looking for a chain", &rc, err)) {
            *ret_version = sqlite3_column_int64(stmt, 0);
            *ret_next = sqlite3_column_int64(stmt, 1) + 1;
        }
    }
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

static int insert_chain(sqlite_store *st, const ctn_chain_row *row, int64_t version, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_CHAIN_INSERT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->chain_id);
    sqlite3_bind_int64(stmt, 2, version);
    sqlite_bind_digest(stmt, 3, &row->digest);
    sqlite3_bind_int64(stmt, 4, row->created_at_ms);
    sqlite_bind_str(stmt, 5, row->created_by);
    return ctn_sqlite_run_bound(st, SQL_CHAIN_INSERT, stmt, "storing a chain", err);
}

int ctn_sqlite_chain_put(ctn_store *base, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int64_t version = 0, next = 1;
    if (find_version(st, row, &version, &next, NULL) == CTN_OK && version) {
        *ret_version = version;
        return CTN_OK;
    }
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = has_definition(st, row, err);
    if (rc == CTN_OK)
        rc = find_version(st, row, &version, &next, err);
    if (rc == CTN_OK && version == 0) {
        version = row->version ? row->version : next;
        rc = insert_chain(st, row, version, err);
    }
    rc = ctn_sqlite_end(st, rc, err);
    if (rc == CTN_OK)
        *ret_version = version;
    return rc;
}

int ctn_sqlite_chain_get(ctn_store *base, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                         ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    sqlite_sql which = version ? SQL_CHAIN_GET : SQL_CHAIN_NEWEST;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, chain_id);
    if (version)
        sqlite3_bind_int64(stmt, 2, version);
    ctn_chain_row row;
    if (ctn_sqlite_next(st, stmt, "reading a chain", &rc, err))
        rc = read_chain(st, stmt, &row, err);
    else if (rc == CTN_OK)
        rc = CTN_E_NOT_FOUND;
    if (rc == CTN_OK) {
        row.chain_id = ctn_arena_str(arena, row.chain_id);
        row.created_by = ctn_arena_str(arena, row.created_by);
        *ret = row;
    }
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

static int tell_chains(sqlite_store *st, sqlite_sql which, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    if (chain_id.len)
        sqlite_bind_str(stmt, 1, chain_id);
    bool goes_on = true;
    while (rc == CTN_OK && goes_on && ctn_sqlite_next(st, stmt, "listing chains", &rc, err)) {
        ctn_chain_row row;
        rc = read_chain(st, stmt, &row, err);
        if (rc == CTN_OK)
            goes_on = fn(ctx, &row) == 0;
    }
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

int ctn_sqlite_chain_list(ctn_store *base, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return tell_chains((sqlite_store *) base, SQL_CHAIN_LIST, (ctn_str){0}, fn, ctx, err);
}

int ctn_sqlite_chain_versions(ctn_store *base, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err)
{
    return tell_chains((sqlite_store *) base, SQL_CHAIN_VERSIONS, chain_id, fn, ctx, err);
}
