/*
 * fleet.h -- what PostgreSQL's side of store/fleet.h consists of, by the file that it stands in. Private to postgres/.
 *
 * Who changes what a node holds takes locks in this order: row 0 of nodes (only who takes shards, joins or works
 * alone), one node's row, shards. A commit takes its own node's row alone.
 */
#pragma once
#include "store/postgres/pg.h"

extern const ctn_fleet_ops ctn_pg_fleet_ops; /* fleet.c */

/* ---- nodes.c ---- */
/* The row of a node that lives, to itself, until the transaction ends: no commit of it is under way. CTN_E_STALE: it
 * does not live; CTN_E_BUSY: its commits did not let go in time. */
int ctn_pg_node_lock(pg *db, int64_t incarnation, ctn_err *err);
/* It lives no more; its shards and places are free. In a transaction that has its row. */
int ctn_pg_node_end(pg *db, int64_t incarnation, bool was_crash, ctn_err *err);
/* Commits if rc is CTN_OK, else rolls back; returns what came of it. */
int ctn_pg_end(pg *db, int rc, ctn_err *err);
int ctn_pg_node_join(ctn_store *st, const ctn_node_row *node, int64_t term_ms, int64_t *ret_incarnation, ctn_err *err);
int ctn_pg_handle_of(ctn_store *st, int64_t incarnation, ctn_err *err);
void ctn_pg_shards_held(ctn_store *st, const ctn_shard_set *held);
int ctn_pg_node_beat(ctn_store *st, int64_t incarnation, int64_t term_ms, bool is_leaving, ctn_arena *arena,
                     ctn_beat *ret, ctn_err *err);
int ctn_pg_node_leave(ctn_store *st, int64_t incarnation, ctn_err *err);
int ctn_pg_node_list(ctn_store *st, ctn_node_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err);

/* ---- shards.c ---- */
int ctn_pg_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                       ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err);
int ctn_pg_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err);
int ctn_pg_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err);
int ctn_pg_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err);
int ctn_pg_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err);
int ctn_pg_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err);

/* ---- requests.c ---- */
int ctn_pg_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err);
int ctn_pg_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err);
int ctn_pg_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret, ctn_err *err);

/* ---- wake.c ---- */
/* Outside a transaction, after what they shall find is committed. Each once, whoever stands there several times; 0 is
 * nobody. It may fail: the beat is the fallback. */
void ctn_pg_wake_nodes(pg *db, const int64_t *incarnations, size_t count);
int ctn_pg_wake_fd(ctn_store *st, int64_t incarnation);
bool ctn_pg_woken(ctn_store *st);

/* ---- limits.c ---- */
int ctn_pg_exec_nos_reserve(ctn_store *st, uint32_t count, int64_t *ret_first, ctn_err *err);
int ctn_pg_key_get(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id *ret_id, ctn_err *err);
int ctn_pg_key_claim(ctn_store *st, ctn_str chain_id, ctn_str key, ctn_execution_id id, ctn_execution_id *ret_id,
                     ctn_err *err);
/* From a JSON array of texts; empty: there are none. */
void ctn_pg_needs_read(ctn_arena *arena, ctn_str list, const ctn_str **ret_requires, size_t *ret_count);
int ctn_pg_need_claim(ctn_store *st, ctn_str requires, uint32_t max, uint32_t *ret_number, ctn_err *err);
int ctn_pg_need_list(ctn_store *st, ctn_arena *arena, const ctn_str **ret_requires, size_t *ret_count, ctn_err *err);
int ctn_pg_places_claim(ctn_store *st, int64_t incarnation, ctn_str name, int64_t max, int64_t wanted,
                        int64_t *ret_granted, ctn_err *err);
int ctn_pg_tokens_take(ctn_store *st, ctn_str name, double per_second, int64_t burst, int64_t wanted,
                       int64_t *ret_taken, int64_t *ret_next_ms, ctn_err *err);
