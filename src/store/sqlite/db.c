/*
 * db.c -- opening a store file, keeping its statements, telling its errors.
 *
 * A file is judged before it is used: what is no store, or a newer one, is opened for reading only, without the
 * checkpoint that closing would do, so that it stays as it was byte for byte. Nothing in this program opens the
 * database file itself while a connection to it is there: closing that descriptor would drop SQLite's locks.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/url.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSERT_ENTRIES                                                                                                 \
    "INSERT INTO execution_journal(position, exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash,"       \
    " sealed) VALUES"
#define ENTRY        "(?,?,?,?,?,?,?,?,?,?,?,?)" /* SQLITE_ENTRY_COLUMNS */
#define FOUR_ENTRIES ENTRY "," ENTRY "," ENTRY "," ENTRY

static const char *const write_sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_META_READ] = "SELECT epoch, is_clean,"
                      " max(position_floor, coalesce((SELECT max(position) FROM execution_journal), 0)) FROM meta",
    [SQL_EPOCH_BEGIN] = "UPDATE meta SET epoch = ?1, is_clean = 0",
    [SQL_EPOCH_END] = "UPDATE meta SET is_clean = 1",
    [SQL_SEQ_LAST] = "SELECT max(seq) FROM execution_journal WHERE exec_no = ?1",
    [SQL_EXECUTION_INSERT] =
        "INSERT INTO chain_executions(exec_no, execution_id, chain_id, chain_version, status, priority, queue_key,"
        " idempotency_key, tenant, wake_at_ms, labels, input, outputs, error, created_at_ms, started_at_ms,"
        " finished_at_ms, parent_id, queue_held) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
        " ?7 IS NOT NULL AND ?5 = 'queued' AND EXISTS (SELECT 1 FROM chain_executions o WHERE o.queue_key = ?7"
        " AND " SQLITE_UNFINISHED("o.") " AND o.exec_no < ?1)) ON CONFLICT DO NOTHING",
    [SQL_EXECUTION_UPDATE] =
        "UPDATE chain_executions SET status = ?2, wake_at_ms = ?3, started_at_ms = ?4, finished_at_ms = ?5,"
        " outputs = coalesce(?6, outputs), error = coalesce(?7, error) WHERE exec_no = ?1",
    [SQL_LINE_MOVES] = "UPDATE chain_executions SET queue_held = 0 WHERE exec_no = (SELECT min(exec_no)"
                       " FROM chain_executions WHERE queue_key = ?1 AND " SQLITE_UNFINISHED("") ") AND queue_held = 1",
    [SQL_EXECUTION_WAKES] =
        "UPDATE chain_executions SET wake_at_ms = 1 WHERE execution_id = ?1 AND " SQLITE_UNFINISHED(""),
    [SQL_EXECUTION_EXISTS] = "SELECT 1 FROM chain_executions WHERE exec_no = ?1",
    [SQL_JOURNAL_INSERT] = INSERT_ENTRIES ENTRY,
    [SQL_JOURNAL_INSERT_MANY] =
        INSERT_ENTRIES FOUR_ENTRIES "," FOUR_ENTRIES "," FOUR_ENTRIES "," FOUR_ENTRIES, /* SQLITE_ENTRIES_AT_ONCE */
    [SQL_DATA_KEY_PUT] = "INSERT OR REPLACE INTO data_keys(exec_no, master_id, wrapped) VALUES(?1,?2,?3)",
    [SQL_DATA_KEY_SWAP] = "UPDATE data_keys SET master_id = ?2, wrapped = ?3 WHERE exec_no = ?1 AND wrapped = ?4",
    [SQL_DATA_KEY_GET] = "SELECT master_id, wrapped FROM data_keys WHERE exec_no = ?1",
    [SQL_DATA_KEY_LIST] = "SELECT exec_no, master_id, wrapped FROM data_keys WHERE exec_no > ?1 AND master_id <> ?2"
                          " ORDER BY exec_no LIMIT ?3",
    [SQL_DATA_KEY_BLANK] = "UPDATE data_keys SET wrapped = zeroblob(length(wrapped)) WHERE exec_no = ?1",
    [SQL_BOXES_DELETE] =
        "UPDATE execution_journal SET sealed = (SELECT json_group_array(json_object('at', json_extract(value, '$.at')))"
        " FROM json_each(sealed)) WHERE exec_no = ?1 AND sealed IS NOT NULL AND json_valid(sealed)",
    [SQL_DATA_KEY_DELETE] = "DELETE FROM data_keys WHERE exec_no = ?1",
    [SQL_DEFINITION_PUT] =
        "INSERT INTO definitions(digest, kind, name, body) VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING",
    [SQL_CHAIN_INSERT] =
        "INSERT INTO chains(chain_id, version, digest, created_at_ms, created_by) VALUES(?1,?2,?3,?4,?5)",
    [SQL_SCHEDULE_PUT] = "INSERT OR REPLACE INTO schedules(chain_id, cron, timezone, seen_at_ms, next_at_ms)"
                         " VALUES(?1,?2,?3,?4,?5)",
    [SQL_RESULT_PUT] = "INSERT OR REPLACE INTO result_cache(key, value, put_at_ms, expires_at_ms) VALUES(?1,?2,?3,?4)",
    [SQL_RESULT_PRUNE] = "DELETE FROM result_cache WHERE key IN (SELECT key FROM result_cache WHERE expires_at_ms <= ?1"
                         " ORDER BY expires_at_ms LIMIT ?2)",
    [SQL_BREAKER_PUT] = "INSERT OR REPLACE INTO breakers(name, state, until_ms, changed_at_ms) VALUES(?1,?2,?3,?4)",
};

int ctn_sqlite_fail(sqlite3 *db, const char *path, int sqlite_rc, const char *doing, ctn_err *err)
{
    int system_errno = db ? sqlite3_system_errno(db) : 0;
    const char *words = db ? sqlite3_errmsg(db) : sqlite3_errstr(sqlite_rc);
    switch (sqlite_rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ctn_fail(err, CTN_E_BUSY, "the store %s is locked by another process (%s)", path, doing);
    case SQLITE_NOTADB: return ctn_fail(err, CTN_E_CORRUPT, "%s is not a catena store: %s", path, words);
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT: /* our statements expect none: an index and its table disagree */
        return ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged (%s): %s", path, doing, words);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ctn_fail(err, CTN_E_DENIED, "the store %s cannot be written (%s): the file or its folder is read-only",
                        path, doing);
    case SQLITE_CANTOPEN:
        return ctn_fail(err, system_errno == EACCES || system_errno == EROFS ? CTN_E_DENIED : CTN_E_IO,
                        "the store %s cannot be opened (%s): %s", path, doing,
                        system_errno ? strerror(system_errno) : words);
    case SQLITE_NOMEM: return ctn_fail(err, CTN_E_NOMEM, "the store %s (%s): there is not enough memory", path, doing);
    case SQLITE_FULL: return ctn_fail(err, CTN_E_IO, "the store %s cannot grow (%s): the disk is full", path, doing);
    default:
        if (sqlite_rc == SQLITE_IOERR_WRITE && !system_errno)
            return ctn_fail(err, CTN_E_IO,
                            "the store %s (%s): a write failed; a limit on the size of files is reached, or the disk "
                            "does not work",
                            path, doing);
        return ctn_fail(err, CTN_E_IO, "the store %s (%s): %s%s%s", path, doing, words, system_errno ? ", " : "",
                        system_errno ? strerror(system_errno) : "");
    }
}

int ctn_sqlite_fail_short(const sqlite_store *st, ctn_err *err)
{
    return ctn_sqlite_fail(st->db, st->path, SQLITE_NOMEM, "reading", err);
}

/* ---- statements ---- */

const char *ctn_sqlite_sql(sqlite_sql which)
{
    const char *sql = write_sql[which] ? write_sql[which] : ctn_sqlite_read_sql[which];
    return sql ? sql : ctn_sqlite_retention_sql[which];
}

static void give_back(void *ctx)
{
    sqlite_held *held = ctx;
    if (held->is_kept)
        sqlite3_reset(held->stmt);
    else
        sqlite3_finalize(held->stmt);
    held->stmt = NULL;
}

static void hold(sqlite_held *held, sqlite3_stmt *stmt, bool is_kept)
{
    if (!ctn_guard_serial() || held->stmt)
        return;
    held->stmt = stmt;
    held->is_kept = is_kept;
    ctn_cleanup_push(&held->cleanup, give_back, held);
}

int ctn_sqlite_take(sqlite_store *st, sqlite_sql which, sqlite3_stmt **ret_stmt, ctn_err *err)
{
    sqlite3_stmt *kept = st->stmts[which];
    if (kept && !sqlite3_stmt_busy(kept)) {
        *ret_stmt = kept;
        hold(&st->held[which], kept, true);
        return CTN_OK;
    }
    const char *sql = ctn_sqlite_sql(which);
    assert(sql);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(st->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc)
        return ctn_sqlite_fail(st->db, st->path, rc, "preparing a statement", err);
    if (!kept)
        st->stmts[which] = stmt;
    *ret_stmt = stmt;
    hold(&st->held[which], stmt, !kept);
    return CTN_OK;
}

void ctn_sqlite_release(sqlite_store *st, sqlite_sql which, sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    if (stmt == st->held[which].stmt) {
        st->held[which].stmt = NULL;
        ctn_cleanup_pop(&st->held[which].cleanup);
    }
    if (stmt == st->stmts[which])
        sqlite3_reset(stmt);
    else
        sqlite3_finalize(stmt);
}

int ctn_sqlite_run(sqlite_store *st, sqlite_sql which, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    int step = sqlite3_step(stmt);
    if (step != SQLITE_DONE)
        rc = ctn_sqlite_fail(st->db, st->path, step,
                             which == SQL_BEGIN    ? "beginning a transaction"
                             : which == SQL_COMMIT ? "committing"
                                                   : "writing",
                             err);
    ctn_sqlite_release(st, which, stmt);
    return rc;
}

int ctn_sqlite_begin(sqlite_store *st, ctn_err *err)
{
    return ctn_sqlite_run(st, SQL_BEGIN, err);
}

int ctn_sqlite_commit_txn(sqlite_store *st, ctn_err *err)
{
    int rc = ctn_sqlite_run(st, SQL_COMMIT, err);
    if (rc)
        ctn_sqlite_rollback(st);
    return rc;
}

void ctn_sqlite_rollback(sqlite_store *st)
{
    if (!sqlite3_get_autocommit(st->db))
        (void) ctn_sqlite_run(st, SQL_ROLLBACK, NULL); /* the first error is the one to tell */
}

/* What is open stays open when its name goes: SQLite would go on writing into a file that nobody will find again. */
int ctn_sqlite_check_place(sqlite_store *st, ctn_err *err)
{
    int is_moved = 0;
    if (sqlite3_file_control(st->db, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) == SQLITE_OK && is_moved)
        return ctn_fail(err, CTN_E_IO,
                        "the store %s was moved, replaced or deleted while it is in use; put it back where it was",
                        st->path);
    return CTN_OK;
}

/* After every commit, so access(2) is asked and not stat(2): whoever has seen a file's times makes the kernel note the
 * next write's time exactly, and then each sync of the log writes its inode, too (measured: a lone commit takes 330 us
 * instead of 200). */
static bool log_is_there(sqlite3_vfs *vfs, const char *log)
{
    int is_there = 1;
    if (vfs->xAccess(vfs, log, SQLITE_ACCESS_READWRITE, &is_there) || is_there)
        return true;
    return vfs->xAccess(vfs, log, SQLITE_ACCESS_EXISTS, &is_there) || is_there; /* it may only be forbidden */
}

int ctn_sqlite_check_log(sqlite_store *st, ctn_err *err)
{
    const char *file = sqlite3_db_filename(st->db, "main"), *log = file ? sqlite3_filename_wal(file) : NULL;
    sqlite3_vfs *vfs = NULL;
    if (!log || !log[0] || sqlite3_file_control(st->db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) || !vfs ||
        log_is_there(vfs, log))
        return CTN_OK;
    /* The log is open and whole: what is in it goes into the file before it is lost with us. So what was committed just
     * now is safe, too. */
    int rc = sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    return ctn_fail(err, CTN_E_STATE,
                    "the log %s-wal of the store was deleted while it is in use; what it held was %s. Stop catena and "
                    "start it again",
                    st->path, rc ? "not saved" : "saved into the store");
}

/* ---- files ---- */

char *ctn_sqlite_literal_path(const char *path)
{
    char *literal = NULL;
    if (asprintf(&literal, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
        ctn_memory_gone(strlen(path));
    return literal;
}

static int fail_no_file(const char *path, ctn_err *err)
{
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return ctn_fail(err, CTN_E_DENIED, "the store %s: %s", path, strerror(errno));
    if (errno != ENOENT && errno != ENOTDIR)
        return ctn_fail(err, CTN_E_IO, "the store %s: %s", path, strerror(errno));
    char *folder = ctn_store_cstring(ctn_str_from(path));
    char *slash = strrchr(folder, '/');
    struct stat info;
    if (slash && slash != folder)
        *slash = '\0';
    int rc;
    if (slash && slash != folder && (stat(folder, &info) || !S_ISDIR(info.st_mode)))
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "the folder %s of the store %s does not exist", folder, path);
    else
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no store %s", path);
    free(folder);
    return rc;
}

/* The file is there, or is now, readable by its owner only: it holds people's data. */
static int ensure_file(const char *path, bool create, ctn_err *err)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return ctn_fail(err, CTN_E_INVALID, "%s is a folder; a store is a file", path);
        if (!S_ISREG(info.st_mode))
            return ctn_fail(err, CTN_E_INVALID, "%s is no regular file; a store is one", path);
        if (info.st_size > 0 && info.st_size < 512) /* SQLite would take a very short text for an empty database */
            return ctn_fail(err, CTN_E_CORRUPT, "%s is not a catena store: file is not a database", path);
        return CTN_OK;
    }
    if (errno != ENOENT || !create)
        return fail_no_file(path, err);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? CTN_OK : fail_no_file(path, err);
    close(fd);
    return CTN_OK;
}

/* Which program's file, which schema, and whether anything is in it. */
static int identify(sqlite3 *db, const char *path, ctn_store_version *ret_version, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int64_t application = 0, version = 0, objects = 0;
    int rc = sqlite3_prepare_v2(db,
                                "SELECT (SELECT application_id FROM pragma_application_id),"
                                " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        application = sqlite3_column_int64(stmt, 0);
        version = sqlite3_column_int64(stmt, 1);
        objects = sqlite3_column_int64(stmt, 2);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(stmt);
    if (rc)
        return ctn_sqlite_fail(db, path, rc, "reading what it is", err);
    bool is_empty = application == 0 && version == 0 && objects == 0;
    if (!is_empty && application != ctn_sqlite_application_id)
        return ctn_fail(err, CTN_E_CORRUPT,
                        "%s is not a catena store: it is another program's SQLite database (application id 0x%08" PRIx32
                        ")",
                        path, (uint32_t) application);
    if (version < 0 || (!is_empty && (version == 0 || objects == 0)))
        return ctn_fail(err, CTN_E_CORRUPT, "the store %s is damaged: it has no schema", path);
    *ret_version = (ctn_store_version){.found = (uint32_t) version, .newest = ctn_sqlite_schema_newest()};
    return CTN_OK;
}

/* SQLite counts every allocation under a lock that all connections share; nobody reads those counts. A program that has
 * used SQLite before us keeps its own settings. */
static void configure_library(void)
{
    (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* How a connection is used: one that only looks, one whose every commit is synced, one whose commits may not be. */
typedef enum usage { USE_LOOK, USE_FULL, USE_NORMAL } usage;

static int connect(const char *path, usage how, sqlite3 **ret_db, ctn_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    sqlite3 *db = NULL;
    char *literal = NULL;
    if (asprintf(&literal, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
        return ctn_fail(err, CTN_E_NOMEM, "the store %s (opening): there is not enough memory", path);
    int flags = how == USE_LOOK ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int rc = sqlite3_open_v2(literal, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             how == USE_FULL ? ctn_sqlite_log_vfs() : NULL);
    free(literal);
    if (rc) {
        rc = ctn_sqlite_fail(db, path, rc, "opening", err);
        sqlite3_close(db);
        return rc;
    }
    sqlite3_busy_timeout(db, CTN_SQLITE_BUSY_TIMEOUT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret_db = db;
    return CTN_OK;
}

static int connect_to_look(const char *path, sqlite3 **ret_db, ctn_err *err)
{
    int rc = connect(path, USE_LOOK, ret_db, err);
    if (rc == CTN_OK)
        sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rc;
}

/* A process that was killed while it made the file, or turned it to the log, left a journal behind. A connection that
 * only reads may not roll it back, so it cannot tell what the file is; one that may write does both by looking. */
static int roll_back_creation(const char *path, sqlite3 **db, ctn_store_version *ret_version, ctn_err *err)
{
    sqlite3_close(*db);
    *db = NULL;
    int rc = connect(path, USE_FULL, db, err);
    if (rc)
        return rc;
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = identify(*db, path, ret_version, err);
    if (rc)
        return rc;
    sqlite3_close(*db);
    *db = NULL;
    return connect_to_look(path, db, err);
}

static int open_file(const char *path, usage how, bool create, sqlite3 **ret_db, ctn_store_version *ret_version,
                     ctn_err *err)
{
    sqlite3 *db = NULL;
    int rc = ensure_file(path, create, err);
    if (rc)
        return rc;
    rc = connect_to_look(path, &db, err);
    if (rc)
        return rc;
    rc = identify(db, path, ret_version, err);
    if (rc && (sqlite3_errcode(db) & 0xff) == SQLITE_READONLY)
        rc = roll_back_creation(path, &db, ret_version, err);
    if (rc == CTN_OK && how != USE_LOOK) {
        if (ret_version->found > ret_version->newest) { /* the caller writes the sentence; the file stays as it is */
            *ret_db = db;
            return CTN_OK;
        }
        sqlite3_close(db);
        db = NULL;
        rc = connect(path, how, &db, err);
        if (rc == CTN_OK && sqlite3_db_readonly(db, "main") == 1)
            rc = ctn_fail(err, CTN_E_DENIED, "the store %s cannot be written: the file is read-only for this user",
                          path);
    }
    if (rc) {
        sqlite3_close(db);
        return rc;
    }
    *ret_db = db;
    return CTN_OK;
}

int ctn_sqlite_open_file(const char *path, bool is_writer, bool create, sqlite3 **ret_db,
                         ctn_store_version *ret_version, ctn_err *err)
{
    return open_file(path, is_writer ? USE_FULL : USE_LOOK, create, ret_db, ret_version, err);
}

/* ---- the backend's table ---- */

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
    .close = sqlite_store_close,
    .epoch_begin = ctn_sqlite_epoch_begin,
    .epoch_end = ctn_sqlite_epoch_end,
    .definition_put = ctn_sqlite_definition_put,
    .definition_get = ctn_sqlite_definition_get,
    .chain_put = ctn_sqlite_chain_put,
    .chain_get = ctn_sqlite_chain_get,
    .chain_list = ctn_sqlite_chain_list,
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
    .schedule_put = ctn_sqlite_schedule_put,
    .schedule_list = ctn_sqlite_schedule_list,
    .breaker_put = ctn_sqlite_breaker_put,
    .breaker_list = ctn_sqlite_breaker_list,
    .result_get = ctn_sqlite_result_get,
    .journal_read = ctn_sqlite_journal_read,
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
    .give_up = ctn_sqlite_give_up,
    .journal_read_raw = ctn_sqlite_journal_read_raw,
    .execution_read_raw = ctn_sqlite_execution_read_raw,
    .prune = ctn_sqlite_prune,
    .size_read = ctn_sqlite_size_read,
    .shrink = ctn_sqlite_shrink,
    .rest = ctn_sqlite_rest,
};

int ctn_sqlite_fail_newer(const char *path, ctn_store_version version, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NEWER,
                    "the store %s was written by a newer catena (schema %" PRIu32 ", this one knows %" PRIu32
                    "); it was not touched",
                    path, version.found, version.newest);
}

static int configure_writer(sqlite3 *db, const char *path, usage how, ctn_err *err)
{
    /* Checkpoints are ours to time; after one that emptied a grown log, most of its file is given back. */
    static const char sql[] = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -4096";
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, how == USE_NORMAL ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL,
                          NULL, NULL);
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
    m->st = ctn_store_new(1, sizeof *m->st);
    m->st->base = (ctn_store){.ops = &sqlite_ops, .mode = m->mode};
    m->st->db = m->db;
    m->st->path = ctn_store_cstring(ctn_str_from(m->url->path));
    if (m->mode != CTN_STORE_READ)
        m->st->checkpointer = ctn_sqlite_checkpointer_new(m->db, m->url->path, m->url->checkpoint_pages);
    return CTN_OK;
}

static int sqlite_open(const char *text, ctn_store_mode mode, ctn_store **ret_store, ctn_err *err)
{
    sqlite_url url;
    sqlite3 *db = NULL;
    ctn_store_version version;
    bool is_writer = mode != CTN_STORE_READ;
    const char *path = url.path;
    int rc = ctn_sqlite_url_read(text, &url, err);
    if (rc)
        return rc;
    usage how = !is_writer ? USE_LOOK : url.is_normal ? USE_NORMAL : USE_FULL;
    rc = open_file(path, how, mode == CTN_STORE_CREATE, &db, &version, err);
    if (rc)
        return rc;
    if (version.found > version.newest)
        rc = ctn_sqlite_fail_newer(path, version, err);
    else if (version.found == 0 && mode != CTN_STORE_CREATE)
        rc = ctn_fail(err, CTN_E_STATE, "the store %s is empty; `catena store init` makes it a store", path);
    else if (version.found < version.newest && mode != CTN_STORE_CREATE)
        rc = ctn_fail(err, CTN_E_STATE,
                      "the store %s has the older schema %" PRIu32 " of %" PRIu32
                      "; `catena store migrate` brings it up "
                      "to date",
                      path, version.found, version.newest);
    else if (version.found < version.newest)
        rc = ctn_sqlite_schema_raise(db, path, version.newest, err);
    if (rc == CTN_OK && is_writer)
        rc = configure_writer(db, path, how, err);
    if (rc) {
        sqlite3_close(db);
        return rc;
    }
    making m = {.db = db, .url = &url, .mode = mode};
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
        rc = ctn_sqlite_open_file(url.path, false, false, &db, ret_version, err);
    sqlite3_close(db);
    return rc;
}

int ctn_sqlite_migrate(const char *path, uint32_t target, bool create, ctn_store_version *ret_before, ctn_err *err)
{
    sqlite3 *db = NULL;
    ctn_store_version version;
    int rc = ctn_sqlite_open_file(path, true, create, &db, &version, err);
    if (rc)
        return rc;
    if (version.found > version.newest)
        rc = ctn_sqlite_fail_newer(path, version, err);
    else if (version.found < version.newest)
        rc = ctn_sqlite_schema_raise(db, path, target ? target : version.newest, err);
    sqlite3_close(db);
    if (rc == CTN_OK)
        *ret_before = version;
    return rc;
}

static int sqlite_migrate(const char *text, ctn_store_version *ret_before, ctn_err *err)
{
    sqlite_url url;
    int rc = ctn_sqlite_url_read(text, &url, err);
    return rc ? rc : ctn_sqlite_migrate(url.path, 0, false, ret_before, err);
}

const ctn_backend ctn_sqlite_backend = {
    .scheme = "sqlite",
    .form = "sqlite:FILE",
    .check = ctn_sqlite_url_check,
    .open = sqlite_open,
    .version_read = sqlite_version_read,
    .migrate = sqlite_migrate,
    .file = ctn_sqlite_url_file,
    .caution = ctn_sqlite_url_caution,
    .backup = ctn_sqlite_backup,
};
