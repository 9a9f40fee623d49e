/*
 * audit.c -- the audit log in a store file. It is written seldom, so its statements are prepared each time.
 */
#include "store/sqlite/db.h"

static int prepare(sqlite_store *st, const char *sql, sqlite3_stmt **ret_stmt, ctn_err *err)
{
    int rc = sqlite3_prepare_v2(st->db, sql, -1, ret_stmt, NULL);
    return rc ? ctn_sqlite_fail(st->db, st->path, rc, "reading the audit log", err) : CTN_OK;
}

/* The number and hash before the next one; 0 and zeros: there is none yet. */
static int read_last(sqlite_store *st, ctn_str node, int64_t *ret_n, ctn_digest *ret_hash, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(st, "SELECT n, hash FROM audit_log WHERE node = ?1 ORDER BY n DESC LIMIT 1", &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, node);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        *ret_n = sqlite3_column_int64(stmt, 0);
        if (!sqlite_column_digest(stmt, 1, ret_hash))
            rc = ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: its audit log has no proper hash", st->path);
    } else if (step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading the audit log", err);
    sqlite3_finalize(stmt);
    return rc;
}

static int insert(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(st,
                     "INSERT INTO audit_log(node, n, at_ms, actor, action, subject, detail, hash)"
                     " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                     &stmt, err);
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
    int step = sqlite3_step(stmt);
    if (step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step, "writing the audit log", err);
    sqlite3_finalize(stmt);
    if (rc)
        return rc;
    int counted = sqlite3_exec(st->db, "UPDATE meta SET audit_count = audit_count + 1", NULL, NULL, NULL);
    return counted ? ctn_sqlite_fail(st->db, st->path, counted, "writing the audit log", err) : CTN_OK;
}

int ctn_sqlite_audit_in_txn(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err)
{
    ctn_digest previous = {{0}};
    ctn_audit_entry chained = *entry;
    int rc = read_last(st, chained.node, &chained.n, &previous, err);
    if (rc)
        return rc;
    chained.n++;
    chained.hash = ctn_audit_hash(&chained, &previous);
    return insert(st, &chained, err);
}

int ctn_sqlite_audit(ctn_store *base, const ctn_audit_entry *entry, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = ctn_sqlite_audit_in_txn(st, entry, err);
    if (rc) {
        ctn_sqlite_rollback(st);
        return rc;
    }
    return ctn_sqlite_commit_txn(st, err);
}

int ctn_sqlite_audit_list(ctn_store *base, ctn_audit_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(st, "SELECT node, n, at_ms, actor, action, subject, detail, hash FROM audit_log ORDER BY node, n",
                     &stmt, err);
    if (rc)
        return rc;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
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
        if (fn(ctx, &entry))
            break;
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step, "reading the audit log", err);
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_audit_count(ctn_store *base, int64_t *ret_count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = prepare(st, "SELECT audit_count FROM meta", &stmt, err);
    if (rc)
        return rc;
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW)
        *ret_count = sqlite3_column_int64(stmt, 0);
    else
        rc = ctn_sqlite_fail(st->db, st->path, step == SQLITE_DONE ? SQLITE_CORRUPT : step, "reading the audit log",
                             err);
    sqlite3_finalize(stmt);
    return rc;
}
