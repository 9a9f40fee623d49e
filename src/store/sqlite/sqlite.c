/*
 * sqlite.c -- the backend of store files: opening a handle, and its tables of what can be asked.
 */
#include "store/sqlite/sqlite.h"
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/url.h"
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static void sqlite_store_close(ctn_store *base)
{
    sqlite_store *st = (sqlite_store *) base;
    ctn_sqlite_checkpointer_free(st->checkpointer);
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(st->stmts[i]);
    int rc = sqlite3_close(st->db);
    assert(rc == SQLITE_OK); /* a statement of ours was left open */
    ctn_sqlite_seq_cache_free(st->seqs);
    free(st->path);
    free(st);
}

static const ctn_store_ops sqlite_ops = {
    .copy = &ctn_sqlite_copy_ops,
    .close = sqlite_store_close,
    .epoch_begin = ctn_sqlite_epoch_begin,
    .epoch_end = ctn_sqlite_epoch_end,
    .definition_put = ctn_sqlite_definition_put,
    .definition_get = ctn_sqlite_definition_get,
    .chain_put = ctn_sqlite_chain_put,
    .chain_get = ctn_sqlite_chain_get,
    .chain_list = ctn_sqlite_chain_list,
    .chain_versions = ctn_sqlite_chain_versions,
    .commit = ctn_sqlite_commit,
    .exec_no_last = ctn_sqlite_exec_no_last,
    .execution_find = ctn_sqlite_execution_find,
    .execution_list = ctn_sqlite_execution_list,
    .execution_due = ctn_sqlite_execution_due,
    .next_wake = ctn_sqlite_next_wake,
    .queue_lanes = ctn_sqlite_queue_lanes,
    .queue_next = ctn_sqlite_queue_next,
    .queue_first = ctn_sqlite_queue_first,
    .execution_owing = ctn_sqlite_execution_owing,
    .usage_list = ctn_sqlite_usage_list,
    .schedule_put = ctn_sqlite_schedule_put,
    .schedule_list = ctn_sqlite_schedule_list,
    .breaker_put = ctn_sqlite_breaker_put,
    .breaker_list = ctn_sqlite_breaker_list,
    .result_get = ctn_sqlite_result_get,
    .journal_read = ctn_sqlite_journal_read,
    .journal_after = ctn_sqlite_journal_after,
    .position_last = ctn_sqlite_position_last,
    .webhook_put = ctn_sqlite_webhook_put,
    .webhook_remove = ctn_sqlite_webhook_remove,
    .webhook_advance = ctn_sqlite_webhook_advance,
    .webhook_list = ctn_sqlite_webhook_list,
    .dead_letter_put = ctn_sqlite_dead_letter_put,
    .dead_letter_remove = ctn_sqlite_dead_letter_remove,
    .dead_letter_list = ctn_sqlite_dead_letter_list,
    .audit = ctn_sqlite_audit,
    .audit_list = ctn_sqlite_audit_list,
    .audit_count = ctn_sqlite_audit_count,
    .verify = ctn_sqlite_verify,
    .snapshot = ctn_sqlite_snapshot,
    .data_key_get = ctn_sqlite_data_key_get,
    .data_key_put = ctn_sqlite_data_key_put,
    .data_key_list = ctn_sqlite_data_key_list,
    .data_key_swap = ctn_sqlite_data_key_swap,
    .data_key_shred = ctn_sqlite_data_key_shred,
    .quarantine_put = ctn_sqlite_quarantine_put,
    .quarantine_get = ctn_sqlite_quarantine_get,
    .quarantine_remove = ctn_sqlite_quarantine_remove,
    .quarantine_list = ctn_sqlite_quarantine_list,
    .principal_put = ctn_sqlite_principal_put,
    .principal_remove = ctn_sqlite_principal_remove,
    .grant_remove = ctn_sqlite_grant_remove,
    .api_key_revoke = ctn_sqlite_api_key_revoke,
    .api_key_used = ctn_sqlite_api_key_used,
    .principal_list = ctn_sqlite_principal_list,
    .grant_list = ctn_sqlite_grant_list,
    .api_key_list = ctn_sqlite_api_key_list,
    .principal_changes = ctn_sqlite_principal_changes,
    .tool_pin_put = ctn_sqlite_tool_pin_put,
    .tool_pin_list = ctn_sqlite_tool_pin_list,
    .give_up = ctn_sqlite_give_up,
    .journal_read_raw = ctn_sqlite_journal_read_raw,
    .execution_read_raw = ctn_sqlite_execution_read_raw,
    .prune = ctn_sqlite_prune,
    .size_read = ctn_sqlite_size_read,
    .shrink = ctn_sqlite_shrink,
    .rest = ctn_sqlite_rest,
};

static int configure_writer(sqlite3 *db, const char *path, sqlite_usage usage, ctn_err *err)
{
    /* Checkpoints are ours to time; after one that emptied a grown log, most of its file is given back. */
    static const char sql[] = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -4096";
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, usage == SQLITE_USE_NORMAL ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
                          NULL, NULL, NULL);
    if (rc)
        return ctn_sqlite_fail(db, path, rc, "setting up the connection", err);
    return CTN_OK;
}

typedef struct making {
    sqlite3 *db;
    const sqlite_url *url;
    ctn_store_mode mode;
    sqlite_store *st;
} making;

static int make(void *ctx)
{
    making *m = ctx;
    m->st = ctn_calloc(1, sizeof *m->st);
    m->st->base = (ctn_store){.ops = &sqlite_ops, .mode = m->mode};
    m->st->db = m->db;
    m->st->path = ctn_cstring(ctn_str_from(m->url->path));
    if (m->mode != CTN_STORE_READ)
        m->st->checkpointer = ctn_sqlite_checkpointer_new(m->db, m->url->path, m->url->checkpoint_pages);
    return CTN_OK;
}

static int sqlite_open(const char *text, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    sqlite_url url;
    sqlite3 *db = NULL;
    ctn_store_version version;
    int rc = ctn_sqlite_url_read(text, &url, err);
    if (rc)
        return rc;
    const char *path = url.path;
    bool is_writer = mode != CTN_STORE_READ;
    sqlite_usage usage = !is_writer ? SQLITE_USE_LOOK : url.is_normal ? SQLITE_USE_NORMAL : SQLITE_USE_FULL;
    rc = ctn_sqlite_open_file(path, usage, mode == CTN_STORE_CREATE, &db, &version, err);
    if (rc)
        return rc;
    if (version.found > version.newest)
        rc = ctn_sqlite_fail_newer(path, version, err);
    else if (version.found == 0 && mode != CTN_STORE_CREATE)
        rc = ctn_fail(err, CTN_E_STATE, "the store %s is empty; `catena store init` makes it a store", path);
    else if (version.found < version.newest && mode != CTN_STORE_CREATE)
        rc = ctn_fail(err, CTN_E_STATE,
                      "the store %s has the older schema %" PRIu32 " of %" PRIu32
                      "; `catena store migrate` brings it up to date",
                      path, version.found, version.newest);
    else if (version.found < version.newest)
        rc = ctn_sqlite_schema_raise(db, path, version.newest, err);
    if (rc == CTN_OK && is_writer)
        rc = configure_writer(db, path, usage, err);
    making m = {.db = db, .url = &url, .mode = mode};
    if (rc == CTN_OK)
        rc = ctn_guarded(make, &m, err);
    if (rc) {
        sqlite3_close(db);
        return rc;
    }
    if (version.found < version.newest)
        m.st->base.raised = version;
    *ret_store = &m.st->base;
    return CTN_OK;
}

static int sqlite_version_read(const char *text, ctn_store_version *ret_version, ctn_err *err)
{
    sqlite_url url;
    sqlite3 *db = NULL;
    int rc = ctn_sqlite_url_read(text, &url, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_open_file(url.path, SQLITE_USE_LOOK, false, &db, ret_version, err);
    sqlite3_close(db);
    return rc;
}

int ctn_sqlite_make_old(const char *path, uint32_t schema, ctn_err *err)
{
    sqlite3 *db = NULL;
    ctn_store_version version;
    int rc = ctn_sqlite_open_file(path, SQLITE_USE_FULL, true, &db, &version, err);
    if (rc == CTN_OK)
        rc = ctn_sqlite_schema_raise(db, path, schema, err);
    sqlite3_close(db);
    return rc;
}

const ctn_backend ctn_sqlite_backend = {
    .scheme = "sqlite",
    .form = "sqlite:FILE",
    .check = ctn_sqlite_url_check,
    .open = sqlite_open,
    .version_read = sqlite_version_read,
    .file = ctn_sqlite_url_file,
    .caution = ctn_sqlite_url_caution,
    .backup = ctn_sqlite_backup,
};
