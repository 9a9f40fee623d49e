/*
 * memory.c -- a store in memory, for tests, simulations and chains that need not survive.
 *
 * It keeps every promise of store.h except outliving the process. A store is shared by all handles that are open
 * under its name and is gone with the last of them: whoever plays a crash keeps one handle open over it. The list of
 * names is the one piece of state in this program that hangs off no handle; the sharing is the point of it.
 */
#include "store/memory/memory.h"
#include "store/memory/db.h"
#include "store/memory/fleet.h"
#include "store/memory/ops.h"
#include <stdlib.h>

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static memory_db *registry_first;

static memory_db *db_new(ctn_str name, uint32_t shards)
{
    memory_db *db = ctn_calloc(1, sizeof *db);
    *db = (memory_db){
        .name = ctn_cstring(name),
        .arena = ctn_arena_new(4096),
        .is_clean = true,
        .definitions = {.row_bytes = sizeof(ctn_definition), .compare = ctn_memory_by_digest},
        .chains = {.row_bytes = sizeof(ctn_chain_row), .compare = ctn_memory_by_version},
        .executions = {.row_bytes = sizeof(memory_execution *), .compare = ctn_memory_by_exec_no},
        .places = {.row_bytes = sizeof(memory_place), .compare = ctn_memory_by_number},
        .usage = {.row_bytes = sizeof(ctn_usage_row), .compare = ctn_memory_by_usage},
        .schedules = {.row_bytes = sizeof(ctn_schedule_row), .compare = ctn_memory_by_text},
        .breakers = {.row_bytes = sizeof(ctn_breaker_row), .compare = ctn_memory_by_text},
        .results = {.row_bytes = sizeof(ctn_result_row), .compare = ctn_memory_by_text},
        .data_keys = {.row_bytes = sizeof(memory_data_key), .compare = ctn_memory_by_number},
        .quarantine = {.row_bytes = sizeof(ctn_quarantine_row), .compare = ctn_memory_by_number},
        .tool_pins = {.row_bytes = sizeof(ctn_tool_pin), .compare = ctn_memory_by_text},
        .principals = {.row_bytes = sizeof(ctn_principal_row), .compare = ctn_memory_by_text},
        .grants = {.row_bytes = sizeof(ctn_grant_row), .compare = ctn_memory_by_grant},
        .api_keys = {.row_bytes = sizeof(ctn_api_key_row), .compare = ctn_memory_by_text},
        .webhooks = {.row_bytes = sizeof(ctn_webhook_row), .compare = ctn_memory_by_text},
    };
    if (shards)
        db->fleet = ctn_memory_fleet_new(shards);
    pthread_mutex_init(&db->mutex, NULL);
    return db;
}

static void db_free(memory_db *db)
{
    for (size_t i = 0; i < db->executions.count; i++)
        ctn_memory_execution_free(memory_execution_at(db, i));
    for (size_t i = 0; i < db->buried_count; i++)
        ctn_memory_execution_free(db->buried[i]);
    ctn_memory_results_free(db);
    ctn_memory_keys_free(db);
    memory_table *tables[] = {&db->definitions, &db->chains,    &db->executions, &db->schedules, &db->breakers,
                              &db->results,     &db->data_keys, &db->quarantine, &db->tool_pins, &db->principals,
                              &db->grants,      &db->api_keys,  &db->webhooks,   &db->usage,     &db->places};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        free(tables[i]->rows);
    ctn_memory_fleet_free(db->fleet);
    free(db->live);
    free(db->dead_letters);
    free(db->by_id.slots);
    free(db->by_key.slots);
    free(db->buried);
    free(db->audit);
    ctn_arena_free(db->arena);
    pthread_mutex_destroy(&db->mutex);
    free(db->name);
    free(db);
}

static memory_db *registry_find(ctn_str name)
{
    memory_db *db = registry_first;
    while (db && !ctn_str_is(name, db->name))
        db = db->next;
    return db;
}

static void memory_close(ctn_store *st)
{
    memory_db *db = ((memory_store *) st)->db;
    if (db->fleet)
        ctn_memory_listener_remove((memory_store *) st);
    pthread_mutex_lock(&registry_mutex);
    bool is_last = --db->handle_count == 0;
    if (is_last) {
        memory_db **link = &registry_first;
        while (*link != db)
            link = &(*link)->next;
        *link = db->next;
    }
    pthread_mutex_unlock(&registry_mutex);
    if (is_last)
        db_free(db);
    free(st);
}

static const ctn_store_ops memory_ops = {
    .copy = &ctn_memory_copy_ops,
    .close = memory_close,
    .epoch_begin = ctn_memory_epoch_begin,
    .epoch_end = ctn_memory_epoch_end,
    .definition_put = ctn_memory_definition_put,
    .definition_get = ctn_memory_definition_get,
    .chain_put = ctn_memory_chain_put,
    .chain_get = ctn_memory_chain_get,
    .chain_list = ctn_memory_chain_list,
    .chain_versions = ctn_memory_chain_versions,
    .commit = ctn_memory_commit,
    .prune = ctn_memory_prune,
    .size_read = ctn_memory_size_read,
    .shrink = ctn_memory_shrink,
    .exec_no_last = ctn_memory_exec_no_last,
    .execution_find = ctn_memory_execution_find,
    .execution_list = ctn_memory_execution_list,
    .execution_due = ctn_memory_execution_due,
    .next_wake = ctn_memory_next_wake,
    .queue_lanes = ctn_memory_queue_lanes,
    .queue_next = ctn_memory_queue_next,
    .queue_first = ctn_memory_queue_first,
    .execution_owing = ctn_memory_execution_owing,
    .usage_list = ctn_memory_usage_list,
    .schedule_put = ctn_memory_schedule_put,
    .schedule_list = ctn_memory_schedule_list,
    .breaker_put = ctn_memory_breaker_put,
    .breaker_list = ctn_memory_breaker_list,
    .result_get = ctn_memory_result_get,
    .journal_read = ctn_memory_journal_read,
    .journal_after = ctn_memory_journal_after,
    .position_last = ctn_memory_position_last,
    .webhook_put = ctn_memory_webhook_put,
    .webhook_remove = ctn_memory_webhook_remove,
    .webhook_advance = ctn_memory_webhook_advance,
    .webhook_list = ctn_memory_webhook_list,
    .dead_letter_put = ctn_memory_dead_letter_put,
    .dead_letter_remove = ctn_memory_dead_letter_remove,
    .dead_letter_list = ctn_memory_dead_letter_list,
    .audit = ctn_memory_audit,
    .audit_list = ctn_memory_audit_list,
    .audit_count = ctn_memory_audit_count,
    .verify = ctn_memory_verify,
    .data_key_get = ctn_memory_data_key_get,
    .data_key_put = ctn_memory_data_key_put,
    .data_key_list = ctn_memory_data_key_list,
    .data_key_swap = ctn_memory_data_key_swap,
    .data_key_shred = ctn_memory_data_key_shred,
    .quarantine_put = ctn_memory_quarantine_put,
    .quarantine_get = ctn_memory_quarantine_get,
    .quarantine_remove = ctn_memory_quarantine_remove,
    .quarantine_list = ctn_memory_quarantine_list,
    .principal_put = ctn_memory_principal_put,
    .principal_remove = ctn_memory_principal_remove,
    .grant_remove = ctn_memory_grant_remove,
    .api_key_revoke = ctn_memory_api_key_revoke,
    .api_key_used = ctn_memory_api_key_used,
    .principal_list = ctn_memory_principal_list,
    .grant_list = ctn_memory_grant_list,
    .api_key_list = ctn_memory_api_key_list,
    .principal_changes = ctn_memory_principal_changes,
    .tool_pin_put = ctn_memory_tool_pin_put,
    .tool_pin_list = ctn_memory_tool_pin_list,
    .give_up = ctn_memory_give_up,
    .journal_read_raw = ctn_memory_journal_read_raw,
    .execution_read_raw = ctn_memory_execution_find,
};

/* ---- the backend ---- */

/* NAME, or NAME?shards=N. */
typedef struct memory_url {
    ctn_str name;
    uint32_t shards; /* 0: not said */
} memory_url;

static int url_parse(const char *url, memory_url *ret, ctn_err *err)
{
    ctn_str rest = ctn_str_from_offset(ctn_str_from(url), sizeof "memory:" - 1);
    int64_t shards = 0;
    bool has_query = ctn_str_find(rest, CTN_STR("?")) != SIZE_MAX;
    ret->name = ctn_str_cut(&rest, '?');
    if (!ret->name.len)
        return ctn_fail(err, CTN_E_INVALID, "\"%s\" names no store: write memory:NAME", url);
    if (has_query && (!ctn_str_starts_with(rest, CTN_STR("shards=")) ||
                      !ctn_str_to_int64(ctn_str_from_offset(rest, sizeof "shards=" - 1), &shards) || shards < 1 ||
                      shards > CTN_SHARDS_MAX))
        return ctn_fail(err, CTN_E_INVALID, "\"%s\": behind memory:NAME stands nothing, or ?shards=1 to ?shards=%d",
                        url, CTN_SHARDS_MAX);
    ret->shards = (uint32_t) shards;
    return CTN_OK;
}

static int memory_check(const char *url, ctn_err *err)
{
    return url_parse(url, &(memory_url){0}, err);
}

static bool memory_is_fleet(const char *url)
{
    memory_url parts = {0};
    return url_parse(url, &parts, NULL) == CTN_OK && parts.shards;
}

static int fail_missing(ctn_str name, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no store memory:%.*s in this process", CTN_STR_ARG(name));
}

/* As it was made: a store does not become one for a fleet, and its shards are not counted anew. */
static int check_shards(const memory_db *db, const memory_url *parts, ctn_err *err)
{
    uint32_t shards = db->fleet ? db->fleet->shard_count : 0;
    if (parts->shards == 0 || parts->shards == shards)
        return CTN_OK;
    return ctn_fail(err, CTN_E_INVALID,
                    "the store memory:%.*s was made with %u shards, not with %u (0: for one process)",
                    CTN_STR_ARG(parts->name), shards, parts->shards);
}

static int memory_open(const char *url, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    memory_url parts;
    int rc = url_parse(url, &parts, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&registry_mutex);
    memory_db *db = registry_find(parts.name);
    if (!db && mode == CTN_STORE_CREATE) {
        db = db_new(parts.name, parts.shards);
        db->next = registry_first;
        registry_first = db;
    }
    rc = db ? check_shards(db, &parts, err) : fail_missing(parts.name, err);
    if (rc == CTN_OK)
        db->handle_count++;
    pthread_mutex_unlock(&registry_mutex);
    if (rc)
        return rc;
    memory_store *st = ctn_calloc(1, sizeof *st);
    *st = (memory_store){.ops = memory_ops, .db = db, .wake_fd = -1};
    st->ops.fleet = db->fleet ? &ctn_memory_fleet_ops : NULL;
    st->base = (ctn_store){.ops = &st->ops, .mode = mode};
    *ret_store = &st->base;
    return CTN_OK;
}

void ctn_memory_clock(ctn_store *st, const ctn_clock *clock)
{
    memory_db *db = memory_lock(st);
    if (db->fleet)
        db->fleet->clock = *clock;
    memory_unlock(db);
}

/* It has no schema and no past: there is one version. */
static int memory_version_read(const char *url, ctn_store_version *ret_version, ctn_err *err)
{
    memory_url parts;
    int rc = url_parse(url, &parts, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&registry_mutex);
    bool exists = registry_find(parts.name) != NULL;
    pthread_mutex_unlock(&registry_mutex);
    if (!exists)
        return fail_missing(parts.name, err);
    *ret_version = (ctn_store_version){.found = 1, .newest = 1};
    return CTN_OK;
}

const ctn_backend ctn_memory_backend = {
    .scheme = "memory",
    .form = "memory:NAME",
    .check = memory_check,
    .open = memory_open,
    .version_read = memory_version_read,
    .is_fleet = memory_is_fleet,
};
