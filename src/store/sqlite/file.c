/*
 * file.c -- the file of a store: judged, made, connected to, and watched while it is in use.
 *
 * A file is judged before it is used: what is no store, or a newer one, is opened for reading only, without the
 * checkpoint that closing would do, so that it stays as it was byte for byte. Nothing in this program opens the
 * database file itself while a connection to it is there: closing that descriptor would drop SQLite's locks.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- errors ---- */

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

int ctn_sqlite_fail_newer(const char *path, ctn_store_version version, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NEWER,
                    "the store %s was written by a newer catena (schema %" PRIu32 ", this one knows %" PRIu32
                    "); it was not touched",
                    path, version.found, version.newest);
}

/* ---- opening ---- */

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
    char *folder = ctn_cstring(ctn_str_from(path));
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

static int connect(const char *path, sqlite_usage usage, sqlite3 **ret_db, ctn_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    sqlite3 *db = NULL;
    char *literal = NULL;
    if (asprintf(&literal, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
        return ctn_fail(err, CTN_E_NOMEM, "the store %s (opening): there is not enough memory", path);
    int flags = usage == SQLITE_USE_LOOK ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int rc = sqlite3_open_v2(literal, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             usage == SQLITE_USE_FULL ? ctn_sqlite_log_vfs() : NULL);
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
    int rc = connect(path, SQLITE_USE_LOOK, ret_db, err);
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
    int rc = connect(path, SQLITE_USE_FULL, db, err);
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

int ctn_sqlite_open_file(const char *path, sqlite_usage usage, bool create, sqlite3 **ret_db,
                         ctn_store_version *ret_version, ctn_err *err)
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
    if (rc == CTN_OK && usage != SQLITE_USE_LOOK) {
        if (ret_version->found > ret_version->newest) { /* the caller writes the sentence; the file stays as it is */
            *ret_db = db;
            return CTN_OK;
        }
        sqlite3_close(db);
        db = NULL;
        rc = connect(path, usage, &db, err);
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

/* ---- watching ---- */

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
