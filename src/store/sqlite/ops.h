/*
 * ops.h -- what sqlite.c puts into the tables of backend.h, by the file that it stands in. Private to sqlite/.
 */
#pragma once
#include "store/backend.h"

/* ---- commit.c ---- */
int ctn_sqlite_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err);
int ctn_sqlite_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err);
int ctn_sqlite_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err);

/* ---- chains.c ---- */
int ctn_sqlite_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err);
int ctn_sqlite_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                              ctn_err *err);
int ctn_sqlite_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err);
int ctn_sqlite_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                         ctn_err *err);
int ctn_sqlite_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_chain_versions(ctn_store *st, ctn_str chain_id, ctn_chain_fn *fn, void *ctx, ctn_err *err);

/* ---- read.c ---- */
int ctn_sqlite_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err);
int ctn_sqlite_execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err);
int ctn_sqlite_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err);
int ctn_sqlite_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                            ctn_err *err);
int ctn_sqlite_journal_after(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_position_last(ctn_store *st, int64_t *ret_position, ctn_err *err);

/* ---- raw.c ---- */
int ctn_sqlite_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_execution_read_raw(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                                  size_t *ret_matches, ctn_err *err);

/* ---- queue.c ---- */
int ctn_sqlite_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err);
int ctn_sqlite_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err);
int ctn_sqlite_queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                          size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                           ctn_execution_row *ret, ctn_err *err);
int ctn_sqlite_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                               ctn_err *err);

/* ---- small_tables.c ---- */
int ctn_sqlite_usage_list(ctn_store *st, int64_t day, ctn_usage_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err);
int ctn_sqlite_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err);
int ctn_sqlite_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err);

/* ---- audit.c ---- */
int ctn_sqlite_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err);
int ctn_sqlite_audit_list(ctn_store *st, int64_t after_n, ctn_audit_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err);

/* ---- keys.c ---- */
int ctn_sqlite_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err);
int ctn_sqlite_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
int ctn_sqlite_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                             ctn_data_key_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err);
int ctn_sqlite_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err);

/* ---- quarantine.c ---- */
int ctn_sqlite_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err);
int ctn_sqlite_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err);
int ctn_sqlite_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err);
int ctn_sqlite_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err);

/* ---- principals.c ---- */
int ctn_sqlite_principal_put(ctn_store *st, const ctn_principal_put *put, ctn_err *err);
int ctn_sqlite_principal_remove(ctn_store *st, ctn_str name, int64_t now_ms, ctn_err *err);
int ctn_sqlite_grant_remove(ctn_store *st, const ctn_grant_row *grant, ctn_err *err);
int ctn_sqlite_api_key_revoke(ctn_store *st, ctn_str id, int64_t now_ms, ctn_err *err);
int ctn_sqlite_api_key_used(ctn_store *st, ctn_str id, int64_t used_at_ms, ctn_err *err);
int ctn_sqlite_principal_list(ctn_store *st, ctn_principal_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_grant_list(ctn_store *st, ctn_grant_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_api_key_list(ctn_store *st, ctn_api_key_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_principal_changes(ctn_store *st, int64_t *ret_changes, ctn_err *err);

/* ---- tool_pins.c ---- */
int ctn_sqlite_tool_pin_put(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err);
int ctn_sqlite_tool_pin_list(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err);

/* ---- retention.c ---- */
int ctn_sqlite_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err);
int ctn_sqlite_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err);
int ctn_sqlite_shrink(ctn_store *st, size_t count, bool *ret_more, ctn_err *err);
void ctn_sqlite_rest(ctn_store *st);

/* ---- verify.c ---- */
int ctn_sqlite_snapshot(ctn_store *st, bool begins, ctn_err *err);
int ctn_sqlite_verify(ctn_store *st, ctn_verifying *v, ctn_err *err);

/* ---- backup.c ---- */
int ctn_sqlite_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err);

/* ---- webhooks.c ---- */
int ctn_sqlite_webhook_put(ctn_store *st, const ctn_webhook_row *row, ctn_err *err);
int ctn_sqlite_webhook_remove(ctn_store *st, ctn_str name, ctn_err *err);
int ctn_sqlite_webhook_advance(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err);
int ctn_sqlite_webhook_list(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_dead_letter_put(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err);
int ctn_sqlite_dead_letter_remove(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err);
int ctn_sqlite_dead_letter_list(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                                void *ctx, ctn_err *err);

/* ---- copy.c ---- */
extern const ctn_copy_ops ctn_sqlite_copy_ops;
