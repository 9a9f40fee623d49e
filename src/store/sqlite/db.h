/*
 * db.h -- what the SQLite backend's files share: the handle, its statements, its errors. Private to them.
 *
 * A handle has one connection and keeps each statement it prepared, so the commit path prepares nothing. A cached
 * statement that is in use (a callback called the store again) is left alone and a second one is prepared beside it.
 */
#pragma once
#include "store/audit.h"
#include "store/backend.h"
#include <sqlite3.h>

typedef enum sqlite_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_DATA_VERSION,
    SQL_META_READ,
    SQL_EPOCH_BEGIN,
    SQL_EPOCH_END,
    SQL_SEQ_LAST,
    SQL_EXECUTION_INSERT,
    SQL_EXECUTION_UPDATE,
    SQL_EXECUTION_EXISTS,
    SQL_LINE_MOVES,
    SQL_EXECUTION_WAKES,
    SQL_JOURNAL_INSERT,
    SQL_JOURNAL_INSERT_MANY,
    SQL_DEFINITION_PUT,
    SQL_DEFINITION_GET,
    SQL_CHAIN_VERSION_BY_CONTENT,
    SQL_CHAIN_GET,
    SQL_CHAIN_NEWEST,
    SQL_CHAIN_INSERT,
    SQL_CHAIN_LIST,
    SQL_EXEC_NO_LAST,
    SQL_EXECUTION_BY_NO,
    SQL_EXECUTION_BY_KEY,
    SQL_EXECUTION_BY_RANGE,
    SQL_EXECUTION_DUE,
    SQL_EXECUTION_ID,
    SQL_EXECUTION_ENDS,
    SQL_NEXT_WAKE,
    SQL_JOURNAL_READ,
    SQL_QUEUE_LANE,
    SQL_QUEUE_NEXT,
    SQL_QUEUE_FIRST,
    SQL_EXECUTION_OWING,
    SQL_SCHEDULE_PUT,
    SQL_SCHEDULE_LIST,
    SQL_BREAKER_PUT,
    SQL_BREAKER_LIST,
    SQL_RESULT_PUT,
    SQL_RESULT_PRUNE,
    SQL_RESULT_GET,
    SQL_DATA_KEY_PUT,
    SQL_DATA_KEY_SWAP,
    SQL_DATA_KEY_GET,
    SQL_DATA_KEY_LIST,
    SQL_DATA_KEY_BLANK,
    SQL_DATA_KEY_DELETE,
    SQL_ENDED_COMPLETED,
    SQL_ENDED_OTHERS,
    SQL_TREE_CHILDREN,
    SQL_PRUNE_ROW,
    SQL_PRUNE_JOURNAL,
    SQL_PRUNE_JOURNAL_SOME,
    SQL_PRUNING_PUT,
    SQL_PRUNING_FIRST,
    SQL_PRUNING_DELETE,
    SQL_RESULTS_EXPIRED,
    SQL_PAGES,
    SQL_BOXES_DELETE,
    SQL_COUNT
} sqlite_sql;

/* The shape of SQL_JOURNAL_INSERT_MANY. */
enum { SQLITE_ENTRIES_AT_ONCE = 16, SQLITE_ENTRY_COLUMNS = 12 };

typedef struct sqlite_checkpointer sqlite_checkpointer;
typedef struct sqlite_seq_cache sqlite_seq_cache;

/* A statement that is taken within guarded work (base/memory.h): given back when that is abandoned. */
typedef struct sqlite_held {
    ctn_cleanup cleanup;
    sqlite3_stmt *stmt; /* NULL: none */
    bool is_kept;
} sqlite_held;

typedef struct sqlite_store {
    ctn_store base;
    sqlite3 *db;
    char *path; /* as SQLite is given it: never taken for a URI */
    sqlite3_stmt *stmts[SQL_COUNT];
    sqlite_held held[SQL_COUNT];
    sqlite_seq_cache *seqs;            /* NULL until the first commit */
    sqlite_checkpointer *checkpointer; /* NULL unless writable */
} sqlite_store;

/* ---- sqlite/db.c ---- */

/* The sentence of SQLite for what just failed on `db`, with the path, and our code for it. */
int ctn_sqlite_fail(sqlite3 *db, const char *path, int sqlite_rc, const char *doing, ctn_err *err);
/* A row was read short (sqlite_row_is_short). */
int ctn_sqlite_fail_short(const sqlite_store *st, ctn_err *err);
/* The statement, ready to bind. Give it back with ctn_sqlite_release, whatever happened. */
int ctn_sqlite_take(sqlite_store *st, sqlite_sql which, sqlite3_stmt **ret_stmt, ctn_err *err);
void ctn_sqlite_release(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt); /* NULL is fine */
/* Runs a statement that gives no row. */
int ctn_sqlite_run(sqlite_store *st, sqlite_sql which, ctn_err *err);
int ctn_sqlite_begin(sqlite_store *st, ctn_err *err);      /* CTN_E_BUSY: nothing happened */
int ctn_sqlite_commit_txn(sqlite_store *st, ctn_err *err); /* rolls back when it fails */
void ctn_sqlite_rollback(sqlite_store *st);                /* no transaction: no effect */
/* Before a transaction: is the file still where the next process will look for it? */
int ctn_sqlite_check_place(sqlite_store *st, ctn_err *err);
/* After a commit: and its log? (Before, it may rightly not be there.) */
int ctn_sqlite_check_log(sqlite_store *st, ctn_err *err);
/* A file that is there, opened and judged: foreign, corrupt and newer files are refused unchanged. */
int ctn_sqlite_open_file(const char *path, bool is_writer, bool create, sqlite3 **ret_db,
                         ctn_store_version *ret_version, ctn_err *err);
int ctn_sqlite_fail_newer(const char *path, ctn_store_version version, ctn_err *err);
/* "./file" for a relative path, so that neither "file:" nor ":memory:" means anything; caller frees. */
char *ctn_sqlite_literal_path(const char *path);

static inline void sqlite_bind_str(sqlite3_stmt *stmt, int at, ctn_str s) /* empty: NULL */
{
    if (s.len)
        sqlite3_bind_text64(stmt, at, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(stmt, at);
}
static inline void sqlite_bind_str_or_empty(sqlite3_stmt *stmt, int at, ctn_str s)
{
    sqlite3_bind_text64(stmt, at, s.len ? s.ptr : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}
static inline void sqlite_bind_positive(sqlite3_stmt *stmt, int at, int64_t value) /* 0 and less: NULL */
{
    if (value > 0)
        sqlite3_bind_int64(stmt, at, value);
    else
        sqlite3_bind_null(stmt, at);
}
static inline void sqlite_bind_digest(sqlite3_stmt *stmt, int at, const ctn_digest *digest)
{
    sqlite3_bind_blob(stmt, at, digest->bytes, CTN_DIGEST_BYTES, SQLITE_STATIC);
}
/* A column is NULL, or short, for want of memory alone: to be asked after the columns of a row were read. */
static inline bool sqlite_row_is_short(sqlite3_stmt *stmt)
{
    return sqlite3_errcode(sqlite3_db_handle(stmt)) == SQLITE_NOMEM;
}
/* Borrowed until the next step. */
static inline ctn_str sqlite_column_str(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *) sqlite3_column_text(stmt, at);
    return (ctn_str){text, text ? (size_t) sqlite3_column_bytes(stmt, at) : 0};
}
static inline bool sqlite_column_digest(sqlite3_stmt *stmt, int at, ctn_digest *ret)
{
    const void *blob = sqlite3_column_blob(stmt, at);
    if (!blob || sqlite3_column_bytes(stmt, at) != CTN_DIGEST_BYTES)
        return false;
    memcpy(ret->bytes, blob, CTN_DIGEST_BYTES);
    return true;
}

/* ---- sqlite/log.c ---- */
/* The VFS for a connection that syncs every commit (synchronous=FULL) and no other. */
const char *ctn_sqlite_log_vfs(void);
/* What a statement is; for tests. */
const char *ctn_sqlite_sql(sqlite_sql which);
/* Only readers and a migrating process can be in the way, and never for long. */
enum { CTN_SQLITE_BUSY_TIMEOUT_MS = 2000 };

/* ---- sqlite/schema.c ---- */
extern const int32_t ctn_sqlite_application_id;
uint32_t ctn_sqlite_schema_newest(void);
/* Brings an open file to `target` in one transaction; reads the version again inside it. */
int ctn_sqlite_schema_raise(sqlite3 *db, const char *path, uint32_t target, ctn_err *err);

/* ---- sqlite/commit.c ---- */
int ctn_sqlite_epoch_begin(ctn_store *st, uint64_t *ret_epoch, bool *ret_was_crash, ctn_err *err);
int ctn_sqlite_epoch_end(ctn_store *st, uint64_t epoch, ctn_err *err);
int ctn_sqlite_commit(ctn_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err);
void ctn_sqlite_seq_cache_free(sqlite_seq_cache *cache);
void ctn_sqlite_seq_forget(sqlite_store *st, int64_t exec_no); /* it is deleted */

/* ---- sqlite/chains.c ---- */
int ctn_sqlite_definition_put(ctn_store *st, const ctn_definition *definitions, size_t count, ctn_err *err);
int ctn_sqlite_definition_get(ctn_store *st, ctn_arena *arena, const ctn_digest *digest, ctn_definition *ret,
                              ctn_err *err);
int ctn_sqlite_chain_put(ctn_store *st, const ctn_chain_row *row, int64_t *ret_version, ctn_err *err);
int ctn_sqlite_chain_get(ctn_store *st, ctn_arena *arena, ctn_str chain_id, int64_t version, ctn_chain_row *ret,
                         ctn_err *err);
int ctn_sqlite_chain_list(ctn_store *st, ctn_chain_fn *fn, void *ctx, ctn_err *err);

/* ---- sqlite/read.c ---- */
int ctn_sqlite_exec_no_last(ctn_store *st, int64_t *ret_exec_no, ctn_err *err);
int ctn_sqlite_execution_find(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                              size_t *ret_matches, ctn_err *err);
int ctn_sqlite_execution_list(ctn_store *st, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                              ctn_err *err);
int ctn_sqlite_execution_due(ctn_store *st, int64_t until_ms, size_t limit, ctn_execution_fn *fn, void *ctx,
                             ctn_err *err);
int ctn_sqlite_next_wake(ctn_store *st, int64_t after_ms, int64_t *ret_wake_at_ms, ctn_err *err);
int ctn_sqlite_journal_read(ctn_store *st, int64_t exec_no, uint64_t from_seq, ctn_record_fn *fn, void *ctx,
                            ctn_err *err);
int ctn_sqlite_queue_next(ctn_store *st, ctn_str chain_id, int priority, int64_t after_exec_no, size_t limit,
                          ctn_execution_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_queue_first(ctn_store *st, ctn_arena *arena, ctn_str queue_key, int64_t before_exec_no,
                           ctn_execution_row *ret, ctn_err *err);
int ctn_sqlite_execution_owing(ctn_store *st, int64_t after_exec_no, size_t limit, ctn_execution_fn *fn, void *ctx,
                               ctn_err *err);
/* A row of SELECT e.exec_no, e.execution_id, ... (ROW_COLUMNS), as far as it reads, without its journal; what is wrong
 * with it, or NULL. Borrows from the statement; keep copies what is borrowed into the arena. */
const char *ctn_sqlite_read_row(sqlite3_stmt *stmt, ctn_execution_row *ret);
void ctn_sqlite_keep_row(ctn_arena *arena, ctn_execution_row *row);
extern const char *const ctn_sqlite_read_sql[SQL_COUNT]; /* the statements of this file, by number */

/* ---- sqlite/queue.c ---- */
int ctn_sqlite_queue_lanes(ctn_store *st, ctn_lane_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_schedule_put(ctn_store *st, const ctn_schedule_row *row, ctn_err *err);
int ctn_sqlite_schedule_list(ctn_store *st, ctn_schedule_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_breaker_put(ctn_store *st, const ctn_breaker_row *row, ctn_err *err);
int ctn_sqlite_breaker_list(ctn_store *st, ctn_breaker_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_result_put(sqlite_store *st, const ctn_result_row *row, ctn_err *err); /* in a transaction */
int ctn_sqlite_result_get(ctn_store *st, ctn_arena *arena, ctn_str key, ctn_result_row *ret, ctn_err *err);

/* ---- sqlite/audit.c ---- */
int ctn_sqlite_audit(ctn_store *st, const ctn_audit_entry *entry, ctn_err *err);
int ctn_sqlite_audit_list(ctn_store *st, ctn_audit_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_audit_count(ctn_store *st, int64_t *ret_count, ctn_err *err);
/* For those who write more than the entry: in the transaction that is open. entry->node is set. */
int ctn_sqlite_audit_in_txn(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err);
/* ---- sqlite/keys.c ---- */
int ctn_sqlite_data_key_append(sqlite_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err); /* in a txn */
int ctn_sqlite_data_key_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_data_key *ret, ctn_err *err);
int ctn_sqlite_data_key_put(ctn_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
int ctn_sqlite_data_key_list(ctn_store *st, ctn_str but_master_id, int64_t after_exec_no, size_t limit,
                             ctn_data_key_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_data_key_swap(ctn_store *st, const ctn_data_key_swap *swaps, size_t count, ctn_err *err);
int ctn_sqlite_data_key_shred(ctn_store *st, const int64_t *exec_nos, size_t count, ctn_err *err);
/* ---- sqlite/retention.c ---- */
int ctn_sqlite_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err);
int ctn_sqlite_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err);
int ctn_sqlite_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err);
void ctn_sqlite_rest(ctn_store *st);
extern const char *const ctn_sqlite_retention_sql[SQL_COUNT];

/* ---- sqlite/quarantine.c ---- */
int ctn_sqlite_quarantine_put(ctn_store *st, const ctn_quarantine_row *rows, size_t count, ctn_err *err);
int ctn_sqlite_quarantine_get(ctn_store *st, ctn_arena *arena, int64_t exec_no, ctn_quarantine_row *ret, ctn_err *err);
int ctn_sqlite_quarantine_remove(ctn_store *st, int64_t exec_no, ctn_err *err);
int ctn_sqlite_quarantine_list(ctn_store *st, ctn_quarantine_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_give_up(ctn_store *st, const ctn_give_up *what, ctn_err *err);

/* ---- sqlite/backup.c ---- */
int ctn_sqlite_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err);

/* ---- sqlite/raw.c ---- */
int ctn_sqlite_journal_read_raw(ctn_store *st, int64_t exec_no, ctn_raw_record_fn *fn, void *ctx, ctn_err *err);
int ctn_sqlite_execution_read_raw(ctn_store *st, ctn_arena *arena, const ctn_lookup *lookup, ctn_execution_row *ret,
                                  size_t *ret_matches, ctn_err *err);

/* ---- sqlite/verify.c ---- */
int ctn_sqlite_verify(ctn_store *st, ctn_verifying *v, ctn_err *err);
int ctn_sqlite_snapshot(ctn_store *st, bool begins, ctn_err *err);

/* ---- sqlite/checkpoint.c ---- */
/* pages: of the log, when it is copied; 0: the default */
sqlite_checkpointer *ctn_sqlite_checkpointer_new(sqlite3 *db, const char *path, int pages);
/* After each commit on the writer: starts, or completes, a checkpoint when the log has grown. */
void ctn_sqlite_checkpointer_turn(sqlite_checkpointer *ck);
void ctn_sqlite_checkpointer_free(sqlite_checkpointer *ck); /* before the writer's connection closes */

/*
 * Conditions of the partial indexes; a query must repeat them word for word to be served by one. An OR and not an IN:
 * every insert and update evaluates them, and for a list SQLite builds a table in memory each time (measured: three
 * quarters of the commit's CPU).
 */
#define SQLITE_UNFINISHED(table)                                                                                       \
    "(" table "status = 'running' OR " table "status = 'queued' OR " table "status = 'waiting' OR " table              \
    "status = 'paused' OR " table "status = 'interrupted' OR " table "status = 'compensating')"
/* The final ones that somebody looks for. */
#define SQLITE_TROUBLE(table)                                                                                          \
    "(" table "status = 'failed' OR " table "status = 'rolled_back' OR " table "status = 'rollback_failed' OR " table  \
    "status = 'cancelled')"
/* In the queue, and nobody with the same key before it. */
#define SQLITE_QUEUED(table) "(" table "status = 'queued' AND " table "queue_held = 0)"
/* Ended, and something is still to be done for it. */
#define SQLITE_OWING(table) "(" table "finished_at_ms IS NOT NULL AND " table "wake_at_ms IS NOT NULL)"
