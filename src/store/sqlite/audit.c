/*
 * audit.c -- the audit log in a store file. Starts and decisions write to it with their appends, so what that takes is
 * kept prepared.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

static const char READING[] = "reading the audit log", WRITING[] = "writing the audit log";

/* The number and hash before the next one; 0 and zeros: there is none yet. */
static int read_last(sqlite_store *st, ctn_str node, int64_t *ret_n, ctn_digest *ret_hash, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_AUDIT_LAST, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, node);
    if (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        *ret_n = sqlite3_column_int64(stmt, 0);
        bool is_proper = sqlite_column_digest(stmt, 1, ret_hash);
        if (ctn_sqlite_is_whole(st, &rc, err) && !is_proper)
            rc = ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: its audit log has no proper hash", st->path);
    }
    ctn_sqlite_release(st, SQL_AUDIT_LAST, stmt);
    return rc;
}

int ctn_sqlite_audit_insert(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_AUDIT_INSERT, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, entry->node);
    sqlite3_bind_int64(stmt, 2, entry->n);
    sqlite3_bind_int64(stmt, 3, entry->at_ms);
    sqlite_bind_str_or_empty(stmt, 4, entry->actor);
    sqlite_bind_str_or_empty(stmt, 5, entry->action);
    sqlite_bind_str_or_empty(stmt, 6, entry->subject);
    sqlite_bind_str_or_empty(stmt, 7, entry->detail);
    sqlite_bind_digest(stmt, 8, &entry->hash);
    rc = ctn_sqlite_run_bound(st, SQL_AUDIT_INSERT, stmt, WRITING, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_AUDIT_COUNT, &stmt, err);
    return rc ? rc : ctn_sqlite_run_bound(st, SQL_AUDIT_COUNT, stmt, WRITING, err);
}

int ctn_sqlite_audit_append(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    ctn_digest previous = {{0}};
    ctn_audit_entry chained = *entry;
    chained.n = 0;
    int rc = read_last(st, chained.node, &chained.n, &previous, err);
    if (rc)
        return rc;
    chained.n++;
    chained.hash = ctn_audit_hash(&chained, &previous);
    return ctn_sqlite_audit_insert(st, &chained, err);
}

int ctn_sqlite_audit(ctn_store *base, const ctn_audit_entry *entry, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    return ctn_sqlite_end(st, ctn_sqlite_audit_append(st, entry, err), err);
}

int ctn_sqlite_audit_list(ctn_store *base, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(
        st, "SELECT node, n, at_ms, actor, action, subject, detail, hash FROM audit_log WHERE n > ?1 ORDER BY node, n",
        &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, after_n);
    while (ctn_sqlite_next(st, stmt, READING, &rc, err)) {
        ctn_audit_entry entry = {
            .node = sqlite_column_str(stmt, 0),
            .n = sqlite3_column_int64(stmt, 1),
            .at_ms = sqlite3_column_int64(stmt, 2),
            .actor = sqlite_column_str(stmt, 3),
            .action = sqlite_column_str(stmt, 4),
            .subject = sqlite_column_str(stmt, 5),
            .detail = sqlite_column_str(stmt, 6),
        };
        (void) sqlite_column_digest(stmt, 7, &entry.hash); /* else zeros, which fit nothing */
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &entry))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_audit_count(ctn_store *base, int64_t *ret_count, ctn_err *err)
{
    return ctn_sqlite_number((sqlite_store *) base, "SELECT audit_count FROM meta", ret_count, READING, err);
}
