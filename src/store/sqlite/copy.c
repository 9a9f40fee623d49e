/*
 * copy.c -- a store file that is copied to, or read for it (store/copy.h).
 *
 * The whole copy is one transaction: while it lasts, ctn_sqlite_begin and _end do nothing, so what the other files
 * write is in it. A process that dies meanwhile leaves an empty store. What does not fit into the cache goes into the
 * log, which grows to the size of the copy until the store is closed.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include <inttypes.h>

static const char COPYING[] = "copying into the store";

/* ---- of the source: what nobody else lists ---- */

static int list_definitions(ctn_store *base, ctn_definition_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, "SELECT digest, kind, name, body FROM definitions ORDER BY digest", &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, "reading definitions", &rc, err)) {
        ctn_definition d = {
            .kind = sqlite_column_str(stmt, 1), .name = sqlite_column_str(stmt, 2), .body = sqlite_column_str(stmt, 3)};
        (void) sqlite_column_digest(stmt, 0, &d.digest);
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &d))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int list_results(ctn_store *base, ctn_result_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, "SELECT key, value, put_at_ms, expires_at_ms FROM result_cache", &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, "reading results", &rc, err)) {
        ctn_result_row row = {.key = sqlite_column_str(stmt, 0),
                              .value = sqlite_column_str(stmt, 1),
                              .put_at_ms = sqlite3_column_int64(stmt, 2),
                              .expires_at_ms = sqlite3_column_int64(stmt, 3)};
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &row))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* ---- of the target ---- */

static int run(sqlite_store *st, const char *sql, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, sql, &stmt, err);
    return rc ? rc : ctn_sqlite_run_once(st, stmt, COPYING, err);
}

static int check_empty(const sqlite_store *st, ctn_err *err)
{
    static const char IS_USED[] = "SELECT EXISTS (SELECT 1 FROM chain_executions) OR EXISTS (SELECT 1 FROM definitions)"
                                  " OR EXISTS (SELECT 1 FROM principals) OR EXISTS (SELECT 1 FROM grants)"
                                  " OR EXISTS (SELECT 1 FROM api_keys) OR EXISTS (SELECT 1 FROM schedules)"
                                  " OR EXISTS (SELECT 1 FROM webhooks) OR EXISTS (SELECT 1 FROM tool_pins)"
                                  " OR EXISTS (SELECT 1 FROM data_keys) OR EXISTS (SELECT 1 FROM audit_log"
                                  "  WHERE action NOT IN ('store.init', 'store.migrate'))";
    int64_t is_used = 0;
    int rc = ctn_sqlite_number(st, IS_USED, &is_used, COPYING, err);
    return rc || !is_used
               ? rc
               : ctn_fail(err, CTN_E_EXISTS, "the store %s is not empty; a store is copied into a new one", st->path);
}

static int end(ctn_store *base, bool keeps, int64_t position_last, int64_t audit_count, ctn_err *err);

static int begin(ctn_store *base, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    st->is_copied_to = true;
    rc = check_empty(st, err);
    if (rc == CTN_OK)
        rc = run(st, "DELETE FROM audit_log", err);
    if (rc == CTN_OK)
        rc = run(st, "UPDATE meta SET audit_count = 0", err);
    if (rc)
        (void) end(base, false, 0, 0, NULL);
    return rc;
}

static int end(ctn_store *base, bool keeps, int64_t position_last, int64_t audit_count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = keeps ? ctn_sqlite_prepare(
                         st, "UPDATE meta SET is_clean = 0, position_floor = ?1, audit_count = max(audit_count, ?2)",
                         &stmt, err)
                   : CTN_E_STATE;
    if (rc == CTN_OK) {
        sqlite3_bind_int64(stmt, 1, position_last);
        sqlite3_bind_int64(stmt, 2, audit_count);
        rc = ctn_sqlite_run_once(st, stmt, COPYING, err);
    }
    st->is_copied_to = false;
    rc = ctn_sqlite_end(st, rc, err);
    return keeps ? rc : CTN_OK;
}

/* ---- executions ---- */

static void bind_row(sqlite3_stmt *stmt, const ctn_copied_execution *copied)
{
    const ctn_execution_row *row = copied->row;
    sqlite3_bind_int64(stmt, 1, copied->exec_no);
    sqlite_bind_id(stmt, 2, &row->id);
    sqlite_bind_str_or_empty(stmt, 3, row->chain_id);
    sqlite3_bind_int64(stmt, 4, row->chain_version);
    sqlite3_bind_text(stmt, 5, ctn_status_name(row->status), -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 6, row->priority);
    sqlite_bind_str(stmt, 7, row->queue_key);
    sqlite_bind_str(stmt, 8, row->idempotency_key);
    sqlite_bind_str(stmt, 9, row->tenant);
    sqlite_bind_positive(stmt, 10, row->wake_at_ms);
    sqlite_bind_str(stmt, 11, row->labels);
    sqlite_bind_str(stmt, 12, row->input);
    if (ctn_store_outputs_are_in(copied->records, copied->count,
                                 row->outputs)) /* they are stored there only (schema.c) */
        sqlite3_bind_text(stmt, 13, "", 0, SQLITE_STATIC);
    else
        sqlite_bind_str(stmt, 13, row->outputs);
    sqlite_bind_str(stmt, 14, row->error);
    sqlite3_bind_int64(stmt, 15, row->created_at_ms);
    sqlite_bind_positive(stmt, 16, row->started_at_ms);
    sqlite_bind_positive(stmt, 17, row->finished_at_ms);
    if (!ctn_id_is_none(row->parent))
        sqlite_bind_id(stmt, 18, &row->parent);
    sqlite3_bind_int(stmt, 19, row->is_held);
}

static int put_row(sqlite_store *st, sqlite3_stmt *stmt, const ctn_copied_execution *copied, ctn_err *err)
{
    sqlite3_clear_bindings(stmt);
    bind_row(stmt, copied);
    int rc = ctn_sqlite_step_done(st, stmt, COPYING, err);
    if (rc == CTN_OK && copied->key)
        rc = ctn_sqlite_data_key_append(st, copied->exec_no, copied->key, err);
    return rc;
}

static int put_record(sqlite_store *st, sqlite3_stmt *stmt, int64_t exec_no, const ctn_record *r, int64_t position,
                      ctn_err *err)
{
    sqlite3_bind_int64(stmt, 1, position);
    sqlite3_bind_int64(stmt, 2, exec_no);
    sqlite3_bind_int64(stmt, 3, (int64_t) r->seq);
    sqlite3_bind_int64(stmt, 4, r->at_ms);
    sqlite3_bind_text(stmt, 5, ctn_entry_kind_name(r->kind), -1, SQLITE_STATIC);
    sqlite_bind_str(stmt, 6, r->step);
    if (r->item >= 0)
        sqlite3_bind_int64(stmt, 7, r->item);
    else
        sqlite3_bind_null(stmt, 7);
    sqlite_bind_positive(stmt, 8, r->attempt);
    sqlite_bind_str(stmt, 9, r->actor);
    sqlite_bind_str_or_empty(stmt, 10, r->body);
    sqlite_bind_digest(stmt, 11, &r->hash);
    sqlite_bind_str(stmt, 12, r->sealed);
    return ctn_sqlite_step_done(st, stmt, COPYING, err);
}

static int put_executions(sqlite_store *st, const ctn_copied *some, ctn_err *err)
{
    sqlite3_stmt *row = NULL, *entry = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT INTO chain_executions(exec_no, execution_id, chain_id, chain_version, status,"
                                " priority, queue_key, idempotency_key, tenant, wake_at_ms, labels, input, outputs,"
                                " error, created_at_ms, started_at_ms, finished_at_ms, parent_id, queue_held)"
                                " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
                                &row, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_take(st, SQL_JOURNAL_INSERT, &entry, err);
    for (size_t i = 0; rc == CTN_OK && i < some->execution_count; i++) {
        const ctn_copied_execution *copied = &some->executions[i];
        if (copied->row)
            rc = put_row(st, row, copied, err);
        for (size_t k = 0; rc == CTN_OK && k < copied->count; k++)
            rc = put_record(st, entry, copied->exec_no, &copied->records[k], copied->positions[k], err);
        if (rc)
            rc = ctn_wrap(err, rc, "execution %" PRId64, copied->exec_no);
    }
    sqlite3_finalize(row);
    ctn_sqlite_release(st, SQL_JOURNAL_INSERT, entry);
    return rc;
}

static int mark_given_up(sqlite_store *st, const ctn_quarantine_row *row, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st, "UPDATE quarantine SET given_up_at_ms = ?2 WHERE exec_no = ?1", &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, row->exec_no);
    sqlite_bind_positive(stmt, 2, row->given_up_at_ms);
    return ctn_sqlite_run_once(st, stmt, COPYING, err);
}

static int put(ctn_store *base, const ctn_copied *some, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = some->execution_count ? put_executions(st, some, err) : CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < some->audit_count; i++)
        rc = ctn_sqlite_audit_insert(st, &some->audits[i], err);
    for (size_t i = 0; rc == CTN_OK && i < some->result_count; i++)
        rc = ctn_sqlite_result_put(st, &some->results[i], err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_usage_put(st, some->usage, some->usage_count, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_quarantine_put(base, some->quarantined, some->quarantined_count, err);
    for (size_t i = 0; rc == CTN_OK && i < some->quarantined_count; i++)
        rc = mark_given_up(st, &some->quarantined[i], err);
    return rc;
}

const ctn_copy_ops ctn_sqlite_copy_ops = {
    .definition_list = list_definitions,
    .result_list = list_results,
    .begin = begin,
    .put = put,
    .end = end,
};
