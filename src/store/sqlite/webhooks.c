/*
 * webhooks.c -- webhooks and dead letters in a store file. Their statements are prepared each time: they are touched
 * about once a second.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

int ctn_sqlite_webhook_put(ctn_store *base, const ctn_webhook_row *row, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR REPLACE INTO webhooks(name, definition, secret, tenant, position,"
                                " created_at_ms, created_by, stopped) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, row->name);
    sqlite_bind_str_or_empty(stmt, 2, row->definition);
    sqlite_bind_str_or_empty(stmt, 3, row->secret);
    sqlite_bind_str(stmt, 4, row->tenant);
    sqlite3_bind_int64(stmt, 5, row->position);
    sqlite3_bind_int64(stmt, 6, row->created_at_ms);
    sqlite_bind_str_or_empty(stmt, 7, row->created_by);
    sqlite_bind_str(stmt, 8, row->stopped);
    return ctn_sqlite_run_once(st, stmt, "storing a webhook", err);
}

static int delete_by(sqlite_store *st, const char *sql, ctn_str name, int64_t position, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, sql, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, name);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, position);
    return ctn_sqlite_run_once(st, stmt, "removing a webhook's", err);
}

int ctn_sqlite_webhook_remove(ctn_store *base, ctn_str name, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    bool is_there = false;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    rc = delete_by(st, "DELETE FROM dead_letters WHERE webhook = ?1", name, 0, err);
    if (rc == CTN_OK)
        rc = delete_by(st, "DELETE FROM webhooks WHERE name = ?1", name, 0, err);
    is_there = sqlite3_changes(st->db) > 0;
    rc = ctn_sqlite_end(st, rc, err);
    return rc ? rc : is_there ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_sqlite_webhook_advance(ctn_store *base, const ctn_webhook_reach *reached, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        sqlite3_stmt *stmt = NULL;
        rc = ctn_sqlite_prepare(st, "UPDATE webhooks SET position = max(position, ?2) WHERE name = ?1", &stmt, err);
        if (rc)
            break;
        sqlite_bind_str_or_empty(stmt, 1, reached[i].name);
        sqlite3_bind_int64(stmt, 2, reached[i].position);
        rc = ctn_sqlite_run_once(st, stmt, "noting how far a webhook was told", err);
    }
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_webhook_list(ctn_store *base, ctn_webhook_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "SELECT name, definition, secret, tenant, position, created_at_ms, created_by, stopped"
                                " FROM webhooks ORDER BY name",
                                &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, "reading webhooks", &rc, err)) {
        ctn_webhook_row row = {.name = sqlite_column_str(stmt, 0),
                               .definition = sqlite_column_str(stmt, 1),
                               .secret = sqlite_column_str(stmt, 2),
                               .tenant = sqlite_column_str(stmt, 3),
                               .position = sqlite3_column_int64(stmt, 4),
                               .created_at_ms = sqlite3_column_int64(stmt, 5),
                               .created_by = sqlite_column_str(stmt, 6),
                               .stopped = sqlite_column_str(stmt, 7)};
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* ---- dead letters ---- */

int ctn_sqlite_dead_letter_put(ctn_store *base, const ctn_dead_letter *letter, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR REPLACE INTO dead_letters(webhook, position, execution_id, kind, attempts,"
                                " why, died_at_ms) VALUES(?1,?2,?3,?4,?5,?6,?7)",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, letter->webhook);
    sqlite3_bind_int64(stmt, 2, letter->position);
    sqlite_bind_id(stmt, 3, &letter->execution);
    sqlite_bind_str_or_empty(stmt, 4, letter->kind);
    sqlite3_bind_int64(stmt, 5, letter->attempts);
    sqlite_bind_str_or_empty(stmt, 6, letter->why);
    sqlite3_bind_int64(stmt, 7, letter->died_at_ms);
    return ctn_sqlite_run_once(st, stmt, "storing a dead letter", err);
}

int ctn_sqlite_dead_letter_remove(ctn_store *base, ctn_str webhook, int64_t position, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = delete_by(st, "DELETE FROM dead_letters WHERE webhook = ?1 AND position = ?2", webhook, position, err);
    return rc ? rc : sqlite3_changes(st->db) > 0 ? CTN_OK : CTN_E_NOT_FOUND;
}

int ctn_sqlite_dead_letter_list(ctn_store *base, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                                void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "SELECT webhook, position, execution_id, kind, attempts, why, died_at_ms"
                                " FROM dead_letters WHERE webhook = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, webhook);
    sqlite3_bind_int64(stmt, 2, after);
    sqlite3_bind_int64(stmt, 3, limit < INT64_MAX ? (int64_t) limit : -1);
    while (ctn_sqlite_next(st, stmt, "reading dead letters", &rc, err)) {
        ctn_dead_letter letter = {.webhook = sqlite_column_str(stmt, 0),
                                  .position = sqlite3_column_int64(stmt, 1),
                                  .kind = sqlite_column_str(stmt, 3),
                                  .attempts = sqlite3_column_int64(stmt, 4),
                                  .why = sqlite_column_str(stmt, 5),
                                  .died_at_ms = sqlite3_column_int64(stmt, 6)};
        (void) sqlite_column_id(stmt, 2, &letter.execution);
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &letter))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}
