/*
 * core.h -- what commit.c, read.c and queue.c put into the table of backend.h, and share. Private to
 * postgres/.
 */
#pragma once
#include "store/postgres/arrays.h"
#include "store/postgres/pg.h"

/* ---- batch.c: appends as statements ---- */

typedef struct pg_batch pg_batch;
pg_batch *ctn_pg_batch_new(void);
void ctn_pg_batch_free(pg_batch *batch); /* NULL is fine */
/* Takes these in (taken NULL: all; else those whose place is true), in place of what was in it. False: as they stand
 * they do not follow each other, and some are inadmissible. generation: of the connection that it will be written over;
 * 0: behind a pooler, or all is to be asked. */
bool ctn_pg_batch_fill(pg_batch *batch, const pg_store *st, const ctn_append *appends, size_t count, const bool *taken,
                       uint64_t generation);
/* The statements that write them: the checks and then a statement a table. What it adds lives in the batch.
 * CTN_E_LIMIT: it is too large for one transaction. */
int ctn_pg_batch_write(pg_batch *batch, const pg_store *st, pg_pipe *pipe, ctn_err *err);
/* It is committed, over that connection. */
void ctn_pg_batch_is_written(pg_batch *batch);

/* ---- rows.c: one more row of a statement's arrays; they give the array behind their columns ---- */

void ctn_pg_put_id(pg_array *a, const ctn_execution_id *id);
void ctn_pg_put_status(pg_array *status, pg_array *phase, ctn_status s);
void ctn_pg_put_outputs(pg_array *a, ctn_str outputs, bool are_in_journal);
/* shard, exec_no, id, chain_id, chain_version, status, phase, priority, queue_key, key, tenant, parent, wake, labels,
 * input, outputs, error, created, started, finished */
#define PG_ROW_TYPES "sibtitsstttbittttiii"
pg_array *ctn_pg_put_row(pg_array *a, uint32_t shard, int64_t exec_no, const ctn_execution_row *r,
                         bool outputs_are_in_journal);
/* shard, exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash, sealed */
#define PG_ENTRY_TYPES "siiittiittbt"
pg_array *ctn_pg_put_entry(pg_array *a, uint32_t shard, int64_t exec_no, const ctn_record *r);

/* ---- judge.c: which are inadmissible ---- */

/* Inside a transaction that holds the node's lock: an outcome for each. */
int ctn_pg_judge(pg_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err);

/* ---- commit.c ---- */
int ctn_pg_commit_appends(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes,
                          ctn_err *err);

/* ---- read.c ---- */

/* The columns that ctn_pg_read_row reads, of chain_executions e. */
#define PG_ROW_COLUMNS                                                                                                 \
    "e.exec_no, e.execution_id, e.chain_id, e.chain_version, e.status, e.priority, e.queue_key, e.idempotency_key,"    \
    " e.tenant, e.wake_at_ms, e.labels, e.input, e.outputs, e.error, e.created_at_ms, e.started_at_ms,"                \
    " e.finished_at_ms, e.queue_held, e.parent_id"
enum { PG_ROW_WIDTH = 19 };
/* And the two that ctn_pg_read_ends reads behind them: the last hash, and the entry with the outputs that batch.c left
 * there. */
#define PG_EXECUTIONS                                                                                                  \
    "SELECT " PG_ROW_COLUMNS ", (SELECT j.hash FROM execution_journal j WHERE j.shard = e.shard"                       \
    " AND j.exec_no = e.exec_no ORDER BY j.seq DESC LIMIT 1), CASE WHEN e.outputs = '' THEN (SELECT j.body"            \
    " FROM execution_journal j WHERE j.shard = e.shard AND j.exec_no = e.exec_no AND j.kind = 'completed'"             \
    " ORDER BY j.seq DESC LIMIT 1) END FROM chain_executions e "
/* Borrows from the result; what is wrong with it, or NULL. */
const char *ctn_pg_read_ends(const PGresult *r, int at, ctn_execution_row *row);
const char *ctn_pg_read_row(const PGresult *r, int at, ctn_execution_row *ret);
void ctn_pg_keep_row(ctn_arena *arena, ctn_execution_row *row);
int ctn_pg_fail_damaged(const pg_store *st, int64_t exec_no, const char *what, ctn_err *err);

int ctn_pg_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err);
int ctn_pg_execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                          size_t *ret_matches, ctn_err *err);
int ctn_pg_shard_of_execution(ctn_store *st, ctn_execution_id id, uint32_t *ret_shard, ctn_err *err);
int ctn_pg_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_journal_after(ctn_store *st, int64_t position, size_t limit, ctn_tail_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_position_last(ctn_store *st, int64_t *ret_position, ctn_err *err);

/* ---- list.c ---- */
int ctn_pg_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                          ctn_err *err);

/* ---- queue.c ---- */
int ctn_pg_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err);
int ctn_pg_queue_lanes(ctn_store *st, ctn_queue_lane_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_queue_next(ctn_store *st, ctn_str tenant, ctn_str chain_id, int priority, int64_t after_exec_no,
                      size_t limit, ctn_execution_fn *fn, void *ctx, ctn_err *err);
int ctn_pg_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                       ctn_execution_row *ret, ctn_err *err);
int ctn_pg_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                           ctn_err *err);
