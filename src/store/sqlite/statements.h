/*
 * statements.h -- SQL, run: taking a statement, binding it, stepping it, reading its columns. Private to sqlite/.
 *
 * A handle keeps each statement of sql.c that it has prepared, so the commit path prepares nothing. One that is in use
 * (a callback called the store again) is left alone, and a second one is prepared beside it. What is asked seldom, or
 * is put together for one question, is prepared each time.
 *
 * Errors  A sentence names the file and what was being done (`doing`: "reading a journal").
 */
#pragma once
#include "store/backend.h"
#include <sqlite3.h>

typedef struct sqlite_store sqlite_store;

typedef enum sqlite_sql {
    /* statements.c */
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    /* commit.c */
    SQL_DATA_VERSION,
    SQL_META_READ,
    SQL_EPOCH_BEGIN,
    SQL_EPOCH_END,
    SQL_SEQ_LAST,
    SQL_EXECUTION_INSERT,
    SQL_EXECUTION_UPDATE,
    SQL_EXECUTION_EXISTS,
    SQL_EXECUTION_WAKES,
    SQL_LINE_MOVES,
    SQL_JOURNAL_INSERT,
    SQL_JOURNAL_INSERT_MANY,
    /* chains.c */
    SQL_DEFINITION_PUT,
    SQL_DEFINITION_GET,
    SQL_CHAIN_VERSION_BY_CONTENT,
    SQL_CHAIN_GET,
    SQL_CHAIN_NEWEST,
    SQL_CHAIN_INSERT,
    SQL_CHAIN_LIST,
    SQL_CHAIN_VERSIONS,
    /* read.c */
    SQL_EXEC_NO_LAST,
    SQL_EXECUTION_BY_NO,
    SQL_EXECUTION_BY_KEY,
    SQL_EXECUTION_BY_RANGE,
    SQL_EXECUTION_ENDS,
    SQL_JOURNAL_READ,
    SQL_JOURNAL_AFTER,
    SQL_POSITION_LAST,
    /* queue.c */
    SQL_EXECUTION_DUE,
    SQL_EXECUTION_ID,
    SQL_NEXT_WAKE,
    SQL_QUEUE_LANES,
    SQL_QUEUE_NEXT,
    SQL_QUEUE_FIRST,
    SQL_EXECUTION_OWING,
    /* small_tables.c */
    SQL_USAGE_PUT,
    SQL_USAGE_LIST,
    SQL_USAGE_PRUNE,
    SQL_SCHEDULE_PUT,
    SQL_SCHEDULE_LIST,
    SQL_BREAKER_PUT,
    SQL_BREAKER_LIST,
    SQL_RESULT_PUT,
    SQL_RESULT_PRUNE,
    SQL_RESULT_GET,
    /* audit.c */
    SQL_AUDIT_LAST,
    SQL_AUDIT_INSERT,
    SQL_AUDIT_COUNT,
    /* keys.c */
    SQL_DATA_KEY_PUT,
    SQL_DATA_KEY_SWAP,
    SQL_DATA_KEY_GET,
    SQL_DATA_KEY_LIST,
    SQL_DATA_KEY_BLANK,
    SQL_DATA_KEY_DELETE,
    SQL_BOXES_DELETE,
    /* retention.c */
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
    SQL_COUNT
} sqlite_sql;

/* The shape of SQL_JOURNAL_INSERT_MANY. */
enum { SQLITE_ENTRIES_AT_ONCE = 16, SQLITE_ENTRY_COLUMNS = 12 };

/* The columns that ctn_sqlite_read_row reads. */
#define SQLITE_ROW_COLUMNS                                                                                             \
    "SELECT e.exec_no, e.execution_id, e.chain_id, e.chain_version, e.status, e.priority, e.queue_key,"                \
    " e.idempotency_key, e.tenant, e.wake_at_ms, e.labels, e.input, e.outputs, e.error, e.created_at_ms,"              \
    " e.started_at_ms, e.finished_at_ms, e.queue_held, e.parent_id"
enum { SQLITE_ROW_WIDTH = 19 };

const char *ctn_sqlite_sql(sqlite_sql which);

/* A statement that is taken within guarded work (base/memory.h): given back when that is abandoned. */
typedef struct sqlite_held {
    ctn_cleanup cleanup;
    sqlite3_stmt *stmt; /* NULL: none */
    bool is_kept;
} sqlite_held;

/* ---- statements that are kept ---- */

/* Ready to bind. Give it back with ctn_sqlite_release, whatever happened. */
int ctn_sqlite_take(sqlite_store *st, sqlite_sql which, sqlite3_stmt **ret_stmt, ctn_err *err);
void ctn_sqlite_release(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt); /* NULL is fine */
/* Runs one that gives no row, has no parameter. */
int ctn_sqlite_run(sqlite_store *st, sqlite_sql which, ctn_err *err);
/* Runs one that gives no row, and was taken and bound; gives it back. */
int ctn_sqlite_run_bound(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt, const char *doing, ctn_err *err);
/* One number, NULL as 0, of a statement with at most this one parameter. */
int ctn_sqlite_read_number(sqlite_store *st, sqlite_sql which, int64_t parameter, int64_t *ret, ctn_err *err);

/* ---- statements that are prepared each time ---- */

int ctn_sqlite_prepare(const sqlite_store *st, const char *sql, sqlite3_stmt **ret_stmt, ctn_err *err);
/* Runs one that gives no row, and finalizes it. */
int ctn_sqlite_run_once(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, ctn_err *err);

/* ---- steps of either ---- */

/* Is there another row? No: there is none (*rc stays as it is), or it could not be read (*rc says so). */
bool ctn_sqlite_next(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, int *rc, ctn_err *err);
/* The one number of the one row that `sql` gives; none is a store that is damaged. */
int ctn_sqlite_number(const sqlite_store *st, const char *sql, int64_t *ret_number, const char *doing, ctn_err *err);
/* Steps one that gives no row, and resets it. */
int ctn_sqlite_step_done(const sqlite_store *st, sqlite3_stmt *stmt, const char *doing, ctn_err *err);
/* Was the row, whose columns were read now, read whole? A column is NULL, or short, for want of memory, too. */
bool ctn_sqlite_is_whole(const sqlite_store *st, int *rc, ctn_err *err);

/* ---- transactions; while a store is copied to (copy.c) both do nothing ---- */

int ctn_sqlite_begin(sqlite_store *st, ctn_err *err); /* CTN_E_BUSY: nothing happened */
/* Commits if rc is CTN_OK; else, or when that fails, rolls back. The first error is the one that is told. */
int ctn_sqlite_end(sqlite_store *st, int rc, ctn_err *err);

/* ---- parameters ---- */

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
static inline void sqlite_bind_id(sqlite3_stmt *stmt, int at, const ctn_execution_id *id)
{
    sqlite3_bind_blob(stmt, at, id->bytes, sizeof id->bytes, SQLITE_STATIC);
}
static inline void sqlite_bind_blob(sqlite3_stmt *stmt, int at, ctn_str bytes)
{
    sqlite3_bind_blob64(stmt, at, bytes.len ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}
static inline void sqlite_bind_limit(sqlite3_stmt *stmt, int at, size_t limit) /* 0: none */
{
    sqlite3_bind_int64(stmt, at, limit && limit < INT64_MAX ? (int64_t) limit : -1);
}

/* ---- columns; what they point to is borrowed until the next step ---- */

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
static inline bool sqlite_column_id(sqlite3_stmt *stmt, int at, ctn_execution_id *ret)
{
    const void *blob = sqlite3_column_blob(stmt, at);
    if (!blob || sqlite3_column_bytes(stmt, at) != (int) sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, blob, sizeof ret->bytes);
    return true;
}
static inline ctn_str sqlite_column_blob(sqlite3_stmt *stmt, int at)
{
    const char *bytes = sqlite3_column_blob(stmt, at);
    return (ctn_str){bytes, bytes ? (size_t) sqlite3_column_bytes(stmt, at) : 0};
}
