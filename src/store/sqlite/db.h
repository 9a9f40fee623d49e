/*
 * db.h -- what the SQLite backend's files share: the handle, the file behind it, its errors. Private to sqlite/.
 *
 * A handle has one connection. Statements are in statements.h, what the backend offers in ops.h.
 */
#pragma once
#include "store/backend.h"
#include "store/sqlite/statements.h"
#include <sqlite3.h>

typedef struct sqlite_checkpointer sqlite_checkpointer;
typedef struct sqlite_seq_cache sqlite_seq_cache;

struct sqlite_store {
    ctn_store base;
    sqlite3 *db;
    char *path;                     /* as SQLite is given it: never taken for a URI */
    sqlite3_stmt *stmts[SQL_COUNT]; /* statements.h */
    sqlite_held held[SQL_COUNT];
    sqlite_seq_cache *seqs;            /* NULL until the first commit */
    sqlite_checkpointer *checkpointer; /* NULL unless writable */
    bool is_copied_to;                 /* copy.c: everything is in its transaction */
};

/* ---- file.c ---- */

/* A file that is there, opened and judged: foreign, corrupt and newer files are refused unchanged. */
typedef enum sqlite_usage {
    SQLITE_USE_LOOK,   /* reads only */
    SQLITE_USE_FULL,   /* every commit is synced */
    SQLITE_USE_NORMAL, /* commits may not be */
} sqlite_usage;
int ctn_sqlite_open_file(const char *path, sqlite_usage usage, bool create, sqlite3 **ret_db,
                         ctn_store_version *ret_version, ctn_err *err);
/* "./file" for a relative path, so that neither "file:" nor ":memory:" means anything; caller frees. */
char *ctn_sqlite_literal_path(const char *path);
/* Before a transaction: is the file still where the next process will look for it? */
int ctn_sqlite_check_place(sqlite_store *st, ctn_err *err);
/* After a commit: and its log? (Before, it may rightly not be there.) */
int ctn_sqlite_check_log(sqlite_store *st, ctn_err *err);
/* The sentence of SQLite for what just failed on `db`, with the path, and our code for it. */
int ctn_sqlite_fail(sqlite3 *db, const char *path, int sqlite_rc, const char *doing, ctn_err *err);
int ctn_sqlite_fail_newer(const char *path, ctn_store_version version, ctn_err *err);

/* Only readers and a migrating process can be in the way, and never for long. */
enum { CTN_SQLITE_BUSY_TIMEOUT_MS = 2000 };

/* ---- log.c ---- */
/* The VFS for a connection that syncs every commit (synchronous=FULL) and no other. */
const char *ctn_sqlite_log_vfs(void);

/* ---- checkpoint.c ---- */
/* pages: of the log, when it is copied; 0: the default */
sqlite_checkpointer *ctn_sqlite_checkpointer_new(sqlite3 *db, const char *path, int pages);
/* After each commit on the writer: starts, or completes, a checkpoint when the log has grown. */
void ctn_sqlite_checkpointer_turn(sqlite_checkpointer *ck);
void ctn_sqlite_checkpointer_free(sqlite_checkpointer *ck); /* before the writer's connection closes */

/* ---- read.c ---- */
/* A row of SQLITE_ROW_COLUMNS, as far as it reads, without its journal; what is wrong with it, or NULL. Borrows from
 * the statement; keep copies what is borrowed into the arena. */
const char *ctn_sqlite_read_row(sqlite3_stmt *stmt, ctn_execution_row *ret);
void ctn_sqlite_keep_row(ctn_arena *arena, ctn_execution_row *row);
int ctn_sqlite_fail_damaged(const sqlite_store *st, int64_t exec_no, const char *what, ctn_err *err);

/* ---- commit.c ---- */
void ctn_sqlite_seq_cache_free(sqlite_seq_cache *cache);
void ctn_sqlite_seq_forget(sqlite_store *st, int64_t exec_no); /* it is deleted */

/* ---- of an append, in its transaction ---- */
int ctn_sqlite_audit_append(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err);
int ctn_sqlite_audit_insert(sqlite_store *st, const ctn_audit_entry *entry, ctn_err *err); /* as it stands */
int ctn_sqlite_data_key_append(sqlite_store *st, int64_t exec_no, const ctn_data_key *key, ctn_err *err);
int ctn_sqlite_usage_put(sqlite_store *st, const ctn_usage_row *rows, size_t count, ctn_err *err);
int ctn_sqlite_result_put(sqlite_store *st, const ctn_result_row *row, ctn_err *err);
