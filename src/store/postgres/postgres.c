/*
 * postgres.c -- the backend of stores on PostgreSQL: opening a handle, and its tables of what can be asked.
 */
#include "store/postgres/postgres.h"
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include "store/postgres/fleet.h"
#include "store/postgres/schema.h"
#include "store/postgres/url.h"
#include <inttypes.h>
#include <stdlib.h>

static void postgres_close(ctn_store *base)
{
    pg_store *st = (pg_store *) base;
    ctn_pg_close(st->db);
    ctn_pg_batch_free(st->batch);
    free(st->url);
    free(st);
}

static const ctn_store_ops postgres_ops = {
    .close = postgres_close,
    .fleet = &ctn_pg_fleet_ops,
    .copy = &ctn_pg_copy_ops,
    .epoch_begin = ctn_pg_epoch_begin,
    .epoch_end = ctn_pg_epoch_end,
    .commit = ctn_pg_commit_appends,
    .exec_no_last = ctn_pg_exec_no_last,
    .execution_find = ctn_pg_execution_find,
    .execution_list = ctn_pg_execution_list,
    .execution_due = ctn_pg_execution_due,
    .next_wake = ctn_pg_next_wake,
    .queue_lanes = ctn_pg_queue_lanes,
    .queue_next = ctn_pg_queue_next,
    .queue_first = ctn_pg_queue_first,
    .execution_owing = ctn_pg_execution_owing,
    .journal_read = ctn_pg_journal_read,
    .journal_after = ctn_pg_journal_after,
    .position_last = ctn_pg_position_last,
    .definition_put = ctn_pg_definition_put,
    .definition_get = ctn_pg_definition_get,
    .chain_put = ctn_pg_chain_put,
    .chain_get = ctn_pg_chain_get,
    .chain_list = ctn_pg_chain_list,
    .chain_versions = ctn_pg_chain_versions,
    .usage_list = ctn_pg_usage_list,
    .schedule_put = ctn_pg_schedule_put,
    .breaker_put = ctn_pg_breaker_put,
    .schedule_list = ctn_pg_schedule_list,
    .breaker_list = ctn_pg_breaker_list,
    .result_get = ctn_pg_result_get,
    .audit = ctn_pg_audit,
    .audit_list = ctn_pg_audit_list,
    .audit_count = ctn_pg_audit_count,
    .data_key_get = ctn_pg_data_key_get,
    .data_key_put = ctn_pg_data_key_put,
    .data_key_list = ctn_pg_data_key_list,
    .data_key_swap = ctn_pg_data_key_swap,
    .data_key_shred = ctn_pg_data_key_shred,
    .quarantine_put = ctn_pg_quarantine_put,
    .quarantine_get = ctn_pg_quarantine_get,
    .quarantine_remove = ctn_pg_quarantine_remove,
    .quarantine_list = ctn_pg_quarantine_list,
    .give_up = ctn_pg_give_up,
    .principal_put = ctn_pg_principal_put,
    .principal_remove = ctn_pg_principal_remove,
    .grant_remove = ctn_pg_grant_remove,
    .api_key_revoke = ctn_pg_api_key_revoke,
    .api_key_used = ctn_pg_api_key_used,
    .principal_list = ctn_pg_principal_list,
    .grant_list = ctn_pg_grant_list,
    .api_key_list = ctn_pg_api_key_list,
    .principal_changes = ctn_pg_principal_changes,
    .tool_pin_put = ctn_pg_tool_pin_put,
    .tool_pin_list = ctn_pg_tool_pin_list,
    .webhook_put = ctn_pg_webhook_put,
    .webhook_remove = ctn_pg_webhook_remove,
    .webhook_advance = ctn_pg_webhook_advance,
    .webhook_list = ctn_pg_webhook_list,
    .dead_letter_put = ctn_pg_dead_letter_put,
    .dead_letter_remove = ctn_pg_dead_letter_remove,
    .dead_letter_list = ctn_pg_dead_letter_list,
    .journal_read_raw = ctn_pg_journal_read_raw,
    .execution_read_raw = ctn_pg_execution_read_raw,
    .prune = ctn_pg_prune,
    .size_read = ctn_pg_size_read,
    .shrink = ctn_pg_shrink,
    .snapshot = ctn_pg_snapshot,
    .verify = ctn_pg_verify,
};

/* What stands there, made or migrated if the mode allows it. */
static int prepare_schema(pg *db, ctn_store_mode mode, ctn_store_version *ret_version, ctn_err *err)
{
    int rc = ctn_pg_schema_find(db, ret_version, err);
    if (rc == CTN_E_NOT_FOUND && mode == CTN_STORE_CREATE) {
        *ret_version = (ctn_store_version){.newest = ctn_pg_schema_newest()};
        rc = CTN_OK;
    }
    if (rc || ret_version->found >= ret_version->newest)
        return rc;
    if (mode == CTN_STORE_CREATE)
        return ctn_pg_schema_raise(db, ret_version->newest, err);
    if (ret_version->found == 0)
        return ctn_fail(err, CTN_E_STATE, "the schema \"%s\" of %s is empty; `catena store init` makes it a store",
                        ctn_pg_schema(db), ctn_pg_where(db));
    return ctn_fail(err, CTN_E_STATE,
                    "the store in %s has the older schema %" PRIu32 " of %" PRIu32
                    "; `catena store migrate` brings it up to date",
                    ctn_pg_where(db), ret_version->found, ret_version->newest);
}

static int postgres_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    pg *db = NULL;
    ctn_store_version version = {0};
    uint32_t shard_count = 0;
    int rc = ctn_pg_open(url, mode == CTN_STORE_READ, &db, err);
    if (rc)
        return rc;
    rc = prepare_schema(db, mode, &version, err);
    if (rc == CTN_OK)
        rc = ctn_pg_shard_count_read(db, &shard_count, err);
    if (rc) {
        ctn_pg_close(db);
        return rc;
    }
    pg_store *st = ctn_calloc(1, sizeof *st);
    st->base = (ctn_store){.ops = &postgres_ops, .mode = mode};
    if (version.found < version.newest)
        st->base.raised = version;
    st->db = db;
    st->shard_count = shard_count;
    st->url = ctn_cstring(ctn_str_from(url));
    *ret_store = &st->base;
    return CTN_OK;
}

static int postgres_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    pg *db = NULL;
    int rc = ctn_pg_open(url, true, &db, err);
    if (rc == CTN_OK)
        rc = ctn_pg_schema_find(db, ret_version, err);
    ctn_pg_close(db);
    return rc == CTN_E_NEWER ? CTN_OK : rc; /* to be told, not to be used */
}

static bool is_fleet(const char *url)
{
    (void) url;
    return true;
}

const ctn_backend ctn_postgres_backend = {
    .scheme = "postgres",
    .alias = "postgresql",
    .form = "postgres://USER@HOST/DATABASE",
    .check = ctn_pg_url_check,
    .open = postgres_open,
    .version_read = postgres_version_read,
    .is_fleet = is_fleet,
    .shown = ctn_pg_url_shown,
    .backup = ctn_pg_backup,
};
