/*
 * statements.c -- see statements.h.
 */
#include "store/sqlite/statements.h"
#include "store/sqlite/db.h"

/* ---- statements that are kept ---- */

static void give_back(void *ctx)
{
    sqlite_held *held = ctx;
    if (held->is_kept)
        sqlite3_reset(held->stmt);
    else
        sqlite3_finalize(held->stmt);
    held->stmt = NULL;
}

static void hold(sqlite_held *held, sqlite3_stmt *stmt, bool is_kept)
{
    if (!ctn_guard_serial() || held->stmt)
        return;
    held->stmt = stmt;
    held->is_kept = is_kept;
    ctn_cleanup_push(&held->cleanup, give_back, held);
}

int ctn_sqlite_take(sqlite_store *st, sqlite_sql which, sqlite3_stmt **ret_stmt, ctn_err *err)
{
    sqlite3_stmt *kept = st->stmts[which];
    if (kept && !sqlite3_stmt_busy(kept)) {
        *ret_stmt = kept;
        hold(&st->held[which], kept, true);
        return CTN_OK;
    }
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(st->db, ctn_sqlite_sql(which), -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc)
        return ctn_sqlite_fail(st->db, st->path, rc, "preparing a statement", err);
    if (!kept)
        st->stmts[which] = stmt;
    *ret_stmt = stmt;
    hold(&st->held[which], stmt, !kept);
    return CTN_OK;
}

void ctn_sqlite_release(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    if (stmt == st->held[which].stmt) {
        st->held[which].stmt = NULL;
        ctn_cleanup_pop(&st->held[which].cleanup);
    }
    if (stmt == st->stmts[which])
        sqlite3_reset(stmt);
    else
        sqlite3_finalize(stmt);
}

int ctn_sqlite_run_bound(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt, const char *doing, ctn_err *err)
{
    int step = sqlite3_step(stmt);
    int rc = step == SQLITE_DONE ? CTN_OK : ctn_sqlite_fail(st->db, st->path, step, doing, err);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

int ctn_sqlite_run(sqlite_store *st, sqlite_sql which, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    const char *doing = which == SQL_BEGIN ? "beginning a transaction" : which == SQL_COMMIT ? "committing" : "writing";
    return ctn_sqlite_run_bound(st, which, stmt, doing, err);
}

int ctn_sqlite_read_number(sqlite_store *st, sqlite_sql which, int64_t parameter, int64_t *ret, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    if (sqlite3_bind_parameter_count(stmt) > 0)
        sqlite3_bind_int64(stmt, 1, parameter);
    if (ctn_sqlite_next(st, stmt, "reading", &rc, err))
        *ret = sqlite3_column_int64(stmt, 0);
    else if (rc == CTN_OK)
        rc = ctn_sqlite_fail(st->db, st->path, SQLITE_CORRUPT, "reading", err);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

/* ---- statements that are prepared each time ---- */

int ctn_sqlite_prepare(const sqlite_store *st, const char *sql, sqlite3_stmt **ret_stmt, ctn_err *err)
{
    int rc = sqlite3_prepare_v2(st->db, sql, -1, ret_stmt, NULL);
    return rc ? ctn_sqlite_fail(st->db, st->path, rc, "preparing a statement", err) : CTN_OK;
}

int ctn_sqlite_run_once(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, ctn_err *err)
{
    int rc = ctn_sqlite_step_done(st, stmt, doing, err);
    sqlite3_finalize(stmt);
    return rc;
}

/* ---- steps of either ---- */

bool ctn_sqlite_next(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, int *rc, ctn_err *err)
{
    int step = sqlite3_step(stmt);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        *rc = ctn_sqlite_fail(st->db, st->path, step, doing, err);
    return step == SQLITE_ROW;
}

int ctn_sqlite_number(const sqlite_store *st, const char *sql, int64_t *ret_number, const char *doing, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, sql, &stmt, err);
    if (rc)
        return rc;
    if (ctn_sqlite_next(st, stmt, doing, &rc, err))
        *ret_number = sqlite3_column_int64(stmt, 0);
    else if (rc == CTN_OK)
        rc = ctn_sqlite_fail(st->db, st->path, SQLITE_CORRUPT, doing, err);
    sqlite3_finalize(stmt);
    return rc;
}

int ctn_sqlite_step_done(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, ctn_err *err)
{
    int step = sqlite3_step(stmt);
    int rc = step == SQLITE_DONE ? CTN_OK : ctn_sqlite_fail(st->db, st->path, step, doing, err);
    sqlite3_reset(stmt);
    return rc;
}

bool ctn_sqlite_is_whole(const sqlite_store *st, int *rc, ctn_err *err)
{
    bool is_short = sqlite3_errcode(st->db) == SQLITE_NOMEM;
    if (is_short)
        *rc = ctn_sqlite_fail(st->db, st->path, SQLITE_NOMEM, "reading", err);
    return !is_short;
}

/* ---- transactions ---- */

int ctn_sqlite_begin(sqlite_store *st, ctn_err *err)
{
    return st->is_copied_to ? CTN_OK : ctn_sqlite_run(st, SQL_BEGIN, err);
}

int ctn_sqlite_end(sqlite_store *st, int rc, ctn_err *err)
{
    if (st->is_copied_to)
        return rc;
    if (rc == CTN_OK)
        rc = ctn_sqlite_run(st, SQL_COMMIT, err);
    if (rc && !sqlite3_get_autocommit(st->db))
        (void) ctn_sqlite_run(st, SQL_ROLLBACK, NULL);
    return rc;
}
