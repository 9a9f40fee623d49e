/*
 * log.c -- the write-ahead log of a connection that syncs every commit, written in few large pieces.
 *
 * SQLite writes a frame of the log as two pieces, 24 bytes and a page, each a system call that touches the same pages
 * of the kernel's cache again: a commit of 18 pages is 36 calls, and they were a quarter of all CPU of a durable step.
 * Here they gather and go out together (measured: bench/README.md).
 *
 * What must hold: nobody sees the difference. With synchronous=FULL a commit syncs the log before it tells the other
 * connections, through the shared index, that there is more to read; so what is held back until the sync is read by
 * nobody else, and the connection's own reads, like whatever asks for the file's size or cuts it, write it first. If
 * the process dies with something held back, a commit is lost that nobody was told of. An error of the late write is
 * the sync's error, and the commit's. With any other setting of `synchronous` nothing may be held back: such a
 * connection is opened without this.
 *
 * SQLite's interface for this is a VFS. Ours opens everything through the one that is the default then; only files that
 * are opened as a log get methods of their own.
 */
#include "store/sqlite/db.h"
#include <pthread.h>
#include <stdlib.h>

/* The unix VFS masks a write's length with 0x1ffff: twice as much would be too much for it. */
enum { HELD_BYTES_MAX = 65536 };

typedef struct log_file {
    sqlite3_file base;
    sqlite3_file *real;
    sqlite3_int64 held_at; /* where in the file what is held belongs */
    int held_bytes;
    char held[HELD_BYTES_MAX];
} log_file;

/* What SQLite gives for a file: `real` and the buffer are behind the pointer. */
typedef struct log_handle {
    sqlite3_file base;
    log_file *log;
} log_handle;

static log_file *log_of(sqlite3_file *file)
{
    return ((log_handle *) (void *) file)->log;
}

static int let_go(log_file *f)
{
    int bytes = f->held_bytes;
    if (bytes == 0)
        return SQLITE_OK;
    f->held_bytes = 0;
    return f->real->pMethods->xWrite(f->real, f->held, bytes, f->held_at);
}

static int log_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    log_file *f = log_of(file);
    bool follows = f->held_bytes && at == f->held_at + f->held_bytes;
    if (!follows || bytes > HELD_BYTES_MAX - f->held_bytes) {
        int rc = let_go(f);
        if (rc)
            return rc;
    }
    if (bytes > HELD_BYTES_MAX)
        return f->real->pMethods->xWrite(f->real, data, bytes, at);
    if (f->held_bytes == 0)
        f->held_at = at;
    memcpy(f->held + f->held_bytes, data, (size_t) bytes);
    f->held_bytes += bytes;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *data, int bytes, sqlite3_int64 at)
{
    log_file *f = log_of(file);
    int rc = let_go(f);
    return rc ? rc : f->real->pMethods->xRead(f->real, data, bytes, at);
}

static int log_sync(sqlite3_file *file, int flags)
{
    log_file *f = log_of(file);
    int rc = let_go(f);
    return rc ? rc : f->real->pMethods->xSync(f->real, flags);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    log_file *f = log_of(file);
    int rc = let_go(f);
    return rc ? rc : f->real->pMethods->xTruncate(f->real, size);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    log_file *f = log_of(file);
    int rc = let_go(f);
    return rc ? rc : f->real->pMethods->xFileSize(f->real, ret_size);
}

static int log_close(sqlite3_file *file)
{
    log_file *f = log_of(file);
    int rc = let_go(f), rc_close = f->real->pMethods->xClose(f->real);
    free(f->real);
    free(f);
    return rc ? rc : rc_close;
}

static int log_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xLock(real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static int log_is_reserved(sqlite3_file *file, int *ret_is_reserved)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, ret_is_reserved);
}

static int log_control(sqlite3_file *file, int operation, void *argument)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xFileControl(real, operation, argument);
}

static int log_sector_bytes(sqlite3_file *file)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int log_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = log_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, /* a log has no shared memory and is not mapped */
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_is_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector_bytes,
    .xDeviceCharacteristics = log_characteristics,
};

/* ---- the VFS: the default one, but for the opening of a log ---- */

enum { OTHER_FILE_BYTES_MAX = 1024 }; /* the handle of any other file, which the default VFS fills in */

static sqlite3_vfs *below(void)
{
    return sqlite3_vfs_find(NULL);
}

static int open_log(sqlite3_vfs *real_vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    log_handle *handle = (log_handle *) (void *) file;
    log_file *log = calloc(1, sizeof *log);
    sqlite3_file *real = calloc(1, (size_t) real_vfs->szOsFile);
    int rc = log && real ? real_vfs->xOpen(real_vfs, name, real, flags, ret_flags) : SQLITE_NOMEM;
    if (rc) {
        if (real && real->pMethods) /* SQLite asks for this even when the opening failed */
            (void) real->pMethods->xClose(real);
        free(real);
        free(log);
        return rc;
    }
    log->real = real;
    handle->log = log;
    handle->base.pMethods = &log_methods;
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void) vfs;
    sqlite3_vfs *real_vfs = below();
    file->pMethods = NULL;
    if (flags & SQLITE_OPEN_WAL)
        return open_log(real_vfs, name, file, flags, ret_flags);
    if (real_vfs->szOsFile > OTHER_FILE_BYTES_MAX)
        return SQLITE_CANTOPEN;
    return real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void) vfs;
    return below()->xDelete(below(), name, sync_folder);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void) vfs;
    return below()->xAccess(below(), name, flags, ret);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    (void) vfs;
    return below()->xFullPathname(below(), name, size, ret_name);
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *ret)
{
    (void) vfs;
    return below()->xRandomness(below(), size, ret);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void) vfs;
    return below()->xSleep(below(), microseconds);
}

static int vfs_time(sqlite3_vfs *vfs, double *ret_days)
{
    (void) vfs;
    return below()->xCurrentTime(below(), ret_days);
}

static int vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    (void) vfs;
    return below()->xCurrentTimeInt64(below(), ret_ms);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *ret_words)
{
    (void) vfs;
    return below()->xGetLastError ? below()->xGetLastError(below(), size, ret_words) : 0;
}

static sqlite3_vfs log_vfs = {
    /* SQLite links it into its list, so it cannot be const */
    .iVersion = 2,
    .szOsFile = OTHER_FILE_BYTES_MAX,
    .mxPathname = 4096,
    .zName = "catena-log",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_name,
    .xRandomness = vfs_random,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xCurrentTimeInt64 = vfs_time64,
    .xGetLastError = vfs_last_error,
};

static void register_vfs(void)
{
    (void) sqlite3_vfs_register(&log_vfs, 0);
}

const char *ctn_sqlite_log_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_vfs);
    return log_vfs.zName;
}
