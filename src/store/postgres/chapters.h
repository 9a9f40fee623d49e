/*
 * chapters.h -- what the files of the chapters put into the table of backend.h, and what they offer to commit.c.
 * Private to postgres/.
 *
 * What every node keeps in memory (schedules, breakers, webhooks, pinned tools, principals) is written together with
 * `changes`, whose number the beat of each node reads, and which wakes those that listen.
 */
#pragma once
#include "store/postgres/pg.h"

/* ---- what they share ---- */

/* Ends a statement that begins with "WITH put AS (...)" or "WITH gone AS (... RETURNING ...)": what it wrote is raised
 * and told in the same transaction. principals: "1" when it is about principals, else "0". WHERE narrows it: without a
 * row nothing is raised, and the answer has no row. */
#define PG_AND_RAISE_WHERE(principals, where)                                                                          \
    ", raised AS (UPDATE changes SET number = number + 1, principals = principals + " principals " " where             \
    " RETURNING number) SELECT pg_notify('catena_changes', number::text) FROM raised"
#define PG_AND_RAISE(principals)    PG_AND_RAISE_WHERE(principals, "")
#define PG_AND_RAISE_IF_GONE(about) PG_AND_RAISE_WHERE(about, "WHERE EXISTS (SELECT 1 FROM gone)")

/* The same as a statement of its own, the last one of a transaction (small_tables.c). */
int ctn_pg_changes_raise(pg_store *st, bool of_principals, ctn_err *err);

/* Which node's this handle is, for keys of rows; its incarnation is the parameter of this place. A handle of no node
 * is "local". */
#define PG_NODE_NAME(at) "coalesce((SELECT nullif(name, '') FROM nodes WHERE incarnation = " at "), 'local')"

/* 0, and what no number can hold: no limit (LIMIT NULL). */
static inline void pg_put_limit(pg_params *p, size_t limit)
{
    ctn_pg_int_or_null(p, limit < INT64_MAX ? (int64_t) limit : 0);
}

static inline void pg_put_digest(pg_params *p, const ctn_digest *digest)
{
    ctn_pg_bytes(p, digest->bytes, sizeof digest->bytes);
}

static inline bool pg_get_digest(const PGresult *r, int row, int column, ctn_digest *ret)
{
    ctn_str bytes = ctn_pg_get_str(r, row, column);
    if (bytes.len != sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, bytes.ptr, sizeof ret->bytes);
    return true;
}

static inline bool pg_get_id(const PGresult *r, int row, int column, ctn_execution_id *ret)
{
    ctn_str bytes = ctn_pg_get_str(r, row, column);
    if (bytes.len != sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, bytes.ptr, sizeof ret->bytes);
    return true;
}

/* Commits if rc is CTN_OK; else, or when that fails, rolls back. The first error is the one that is told. */
static inline int pg_end(pg_store *st, int rc, ctn_err *err)
{
    if (rc == CTN_OK)
        return ctn_pg_commit(st->db, err);
    ctn_pg_rollback(st->db);
    return rc;
}

/* ---- of an append, in its transaction (commit.c) ---- */

/* Takes the lock on the chain of this handle's node until the transaction ends: comes last. */
int ctn_pg_audit_append(pg_store *st, const ctn_audit_entry *entries, size_t count, ctn_err *err);
int ctn_pg_data_key_append(pg_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
int ctn_pg_usage_put(pg_store *st, const ctn_usage_row *rows, size_t count, ctn_err *err);
int ctn_pg_result_put(pg_store *st, const ctn_result_row *row, ctn_err *err);

/* ---- chains.c ---- */
int ctn_pg_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err);
int ctn_pg_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret, ctn_err *err);
int ctn_pg_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err);
int ctn_pg_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                     ctn_err *err);
int ctn_pg_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err);

/* ---- small_tables.c ---- */
int ctn_pg_usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err);
int ctn_pg_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err);
int ctn_pg_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err);

/* ---- audit.c ---- */
int ctn_pg_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err);
int ctn_pg_audit_list(ctn_store *st, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err);

/* ---- keys.c ---- */
int ctn_pg_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err);
int ctn_pg_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
int ctn_pg_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit, ctn_data_key_fn *fn,
                         void *ctx, ctn_err *err);
int ctn_pg_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err);
int ctn_pg_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err);

/* ---- quarantine.c ---- */
int ctn_pg_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err);
int ctn_pg_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err);
int ctn_pg_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err);
int ctn_pg_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err);

/* ---- principals.c ---- */
int ctn_pg_principal_put(ctn_store *st, const ctn_principal_put *put, ctn_err *err);
int ctn_pg_principal_remove(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err);
int ctn_pg_grant_remove(ctn_store *st, const ctn_grant_row *grant, ctn_err *err);
int ctn_pg_api_key_revoke(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err);
int ctn_pg_api_key_used(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err);
int ctn_pg_principal_list(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_grant_list(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_api_key_list(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_principal_changes(ctn_store *st, int64_t *ret_changes, ctn_err *err);

/* ---- tool_pins.c ---- */
int ctn_pg_tool_pin_put(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err);
int ctn_pg_tool_pin_list(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err);

/* ---- webhooks.c ---- */
int ctn_pg_webhook_put(ctn_store *st, const ctn_webhook_row *row, ctn_err *err);
int ctn_pg_webhook_remove(ctn_store *st, ctn_str name, ctn_err *err);
int ctn_pg_webhook_advance(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err);
int ctn_pg_webhook_list(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_dead_letter_put(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err);
int ctn_pg_dead_letter_remove(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err);
int ctn_pg_dead_letter_list(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                            void *ctx, ctn_err *err);

/* ---- raw.c ---- */
int ctn_pg_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_execution_read_raw(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err);

/* ---- retention.c ---- */
int ctn_pg_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err);
int ctn_pg_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err);
int ctn_pg_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err);

/* ---- verify.c ---- */
int ctn_pg_snapshot(ctn_store *st, bool begins, ctn_err *err);
int ctn_pg_verify(ctn_store *st, ctn_verifying *v, ctn_err *err);

/* ---- backup.c ---- */
int ctn_pg_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err);

/* ---- copy.c ---- */
extern const ctn_copy_ops ctn_pg_copy_ops;
