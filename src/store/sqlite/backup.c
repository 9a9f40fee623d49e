/*
 * backup.c -- pages copied out of one read transaction.
 *
 * sqlite3_backup begins anew whenever another connection has written, and beside a busy owner it would never end. But
 * it sees what its source connection sees, and one that stays in a read transaction sees no writes. VACUUM INTO would
 * do too and leave out free pages; it takes several times as long (every row is decoded, every index made anew), and
 * the log of the store grows for as long as the snapshot is held.
 *
 * The copy is written without a journal and without syncs, for nobody believes in FILE.part: a stale one is removed.
 * Then the file is synced, renamed, and its folder synced. Only files of the copy are opened and closed here, never one
 * of the source (file.c says why).
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/url.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES_A_STEP = 64 };

typedef struct copying {
    const char *source_path;
    sqlite3 *source;
    const ctn_backup_options *options;
    char *part; /* FILE.part */
    bool has_part;
    sqlite3 *db;
    ctn_err *err;
} copying;

static int fail_file(const copying *c, const char *doing)
{
    int code = errno == EACCES || errno == EROFS || errno == EPERM ? CTN_E_DENIED
               : errno == ENOENT || errno == ENOTDIR               ? CTN_E_NOT_FOUND
                                                                   : CTN_E_IO;
    return ctn_fail(c->err, code, "the backup %s (%s): %s", c->options->path, doing, strerror(errno));
}

static int fail_copy(const copying *c, int sqlite_rc, const char *doing)
{
    (void) ctn_sqlite_fail(c->db, c->options->path, sqlite_rc, doing, c->err);
    return ctn_wrap(c->err, CTN_E_IO, "backup");
}

static bool is_beside(const char *path, const char *suffix)
{
    char *name = NULL;
    struct stat info;
    if (asprintf(&name, "%s%s", path, suffix) < 0)
        abort();
    bool is_there = stat(name, &info) == 0;
    free(name);
    return is_there;
}

/* Where the copy is to go can take it. */
static int check_place(const copying *c)
{
    struct stat there, source;
    const char *path = c->options->path;
    if (stat(path, &there))
        return errno == ENOENT ? CTN_OK : fail_file(c, "looking for it");
    if (S_ISDIR(there.st_mode))
        return ctn_fail(c->err, CTN_E_INVALID, "%s is a folder; a backup is a file", path);
    if (stat(c->source_path, &source) == 0 && source.st_dev == there.st_dev && source.st_ino == there.st_ino)
        return ctn_fail(c->err, CTN_E_INVALID, "%s is the store itself; a backup goes elsewhere", path);
    if (!S_ISREG(there.st_mode))
        return ctn_fail(c->err, CTN_E_INVALID, "%s is no regular file; a backup is one", path);
    if (!c->options->replaces)
        return ctn_fail(c->err, CTN_E_EXISTS, "%s is there already; --force replaces it", path);
    if (is_beside(path, "-wal") || is_beside(path, "-journal"))
        return ctn_fail(c->err, CTN_E_BUSY,
                        "%s is a store in use, or was left by a crash: its log stands beside it; it is not replaced",
                        path);
    return CTN_OK;
}

static int make_part(copying *c)
{
    if (unlink(c->part) && errno != ENOENT)
        return fail_file(c, "removing what another backup left");
    int fd = open(c->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_file(c, "making it");
    close(fd);
    c->has_part = true;
    char *literal = ctn_sqlite_literal_path(c->part);
    int rc =
        sqlite3_open_v2(literal, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(literal);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE",
                          NULL, NULL, NULL);
    return rc ? fail_copy(c, rc, "opening") : CTN_OK;
}

static int copy_pages(const copying *c, ctn_backup_report *report)
{
    sqlite3_backup *b = sqlite3_backup_init(c->db, "main", c->source, "main");
    if (!b)
        return fail_copy(c, sqlite3_errcode(c->db), "beginning");
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, PAGES_A_STEP);
        report->pages_total = sqlite3_backup_pagecount(b);
        report->pages = report->pages_total - sqlite3_backup_remaining(b);
        if (c->options->on_progress)
            c->options->on_progress(c->options->ctx, report);
    }
    int finished = sqlite3_backup_finish(b);
    if (rc != SQLITE_DONE || finished != SQLITE_OK)
        return fail_copy(c, rc != SQLITE_DONE ? rc : finished, "copying");
    return CTN_OK;
}

/* One snapshot from the first page to the last. */
static int copy_snapshot(const copying *c, ctn_backup_report *report)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_exec(c->source, "BEGIN; SELECT count(*) FROM meta", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(c->source, "PRAGMA page_size", -1, &stmt, NULL);
    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        report->page_bytes = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    int our_rc =
        rc ? ctn_sqlite_fail(c->source, c->source_path, rc, "beginning a backup", c->err) : copy_pages(c, report);
    if (!sqlite3_get_autocommit(c->source))
        (void) sqlite3_exec(c->source, "COMMIT", NULL, NULL, NULL); /* it has only read */
    return our_rc;
}

/* One file, and its last owner has died. The connection that copied is closed first: it believes in what it began with.
 */
static int finish_part(copying *c)
{
    sqlite3_close(c->db);
    c->db = NULL;
    char *literal = ctn_sqlite_literal_path(c->part);
    int rc =
        sqlite3_open_v2(literal, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(literal);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;"
                          "UPDATE meta SET is_clean = 0",
                          NULL, NULL, NULL);
    int our_rc = rc ? fail_copy(c, rc, "finishing") : CTN_OK;
    int closed = sqlite3_close(c->db);
    c->db = NULL;
    if (our_rc == CTN_OK && closed)
        our_rc = ctn_fail(c->err, CTN_E_IO, "the backup %s cannot be closed", c->options->path);
    return our_rc;
}

static int sync_path(const copying *c, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return fail_file(c, "syncing");
    int rc = fsync(fd) ? fail_file(c, "syncing") : CTN_OK;
    close(fd);
    return rc;
}

/* A file that came under the name meanwhile is as little replaced as one that was there. */
static int put_in_place(const copying *c)
{
    const char *path = c->options->path;
    int rc = sync_path(c, c->part, O_RDWR);
    if (rc)
        return rc;
    bool is_moved =
        c->options->replaces ? rename(c->part, path) == 0 : link(c->part, path) == 0 && unlink(c->part) == 0;
    if (!is_moved && !c->options->replaces && (errno == EPERM || errno == EOPNOTSUPP)) /* no links on this disk */
        is_moved = rename(c->part, path) == 0;
    if (!is_moved)
        return errno == EEXIST ? ctn_fail(c->err, CTN_E_EXISTS, "%s is there already; --force replaces it", path)
                               : fail_file(c, "renaming it");
    char *folder = ctn_cstring(ctn_str_from(path));
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    rc = sync_path(c, slash ? folder : ".", O_RDONLY | O_DIRECTORY);
    free(folder);
    return rc;
}

static int back_up(copying *c, ctn_backup_report *report)
{
    ctn_store_version version;
    int rc = ctn_sqlite_open_file(c->source_path, SQLITE_USE_LOOK, false, &c->source, &version, c->err);
    if (rc)
        return rc;
    if (version.found > version.newest)
        return ctn_sqlite_fail_newer(c->source_path, version, c->err);
    if (version.found == 0)
        return ctn_fail(c->err, CTN_E_STATE, "the store %s is empty: there is nothing to back up", c->source_path);
    rc = check_place(c);
    if (rc)
        return rc;
    rc = make_part(c);
    if (rc == CTN_OK && c->options->on_begin)
        c->options->on_begin(c->options->ctx);
    if (rc == CTN_OK)
        rc = copy_snapshot(c, report);
    if (rc == CTN_OK)
        rc = finish_part(c);
    if (rc == CTN_OK)
        rc = put_in_place(c);
    sqlite3_close(c->db);
    if (rc && c->has_part)
        (void) unlink(c->part); /* the first error is the one to tell */
    return rc;
}

int ctn_sqlite_backup(const char *text, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err)
{
    sqlite_url url;
    ctn_backup_report report = {0};
    int rc = ctn_sqlite_url_read(text, &url, err);
    if (rc)
        return rc;
    copying c = {.source_path = url.path, .options = options, .err = err};
    if (asprintf(&c.part, "%s.part", options->path) < 0)
        abort();
    rc = back_up(&c, &report);
    sqlite3_close(c.source);
    free(c.part);
    if (rc == CTN_OK)
        *ret_report = report;
    return rc;
}
