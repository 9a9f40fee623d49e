/*
 * test_log.c -- the log that goes out in large pieces (sqlite/log.c): few writes, each before its sync, read back by
 * whoever reads, and a late write that fails is a commit that fails.
 *
 * A VFS of the test's own is the default one: it counts what reaches the log, and fails it when told to.
 */
#include "suite.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct watched_file {
    sqlite3_file base;
    sqlite3_file *real;
} watched_file;

static struct watched {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    sqlite3_io_methods methods;
    int writes, syncs;
    bool fails;
} watched; /* of this program: SQLite's VFS has no other place for it */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((watched_file *) (void *) file)->real;
}
static int on_close(sqlite3_file *f)
{
    int rc = real_of(f)->pMethods->xClose(real_of(f));
    free(real_of(f));
    return rc;
}
static int on_read(sqlite3_file *f, void *data, int bytes, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), data, bytes, at);
}
static int on_write(sqlite3_file *f, const void *data, int bytes, sqlite3_int64 at)
{
    watched.writes++;
    return watched.fails ? SQLITE_IOERR_WRITE : real_of(f)->pMethods->xWrite(real_of(f), data, bytes, at);
}
static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int on_sync(sqlite3_file *f, int flags)
{
    watched.syncs++;
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}
static int on_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int on_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int on_reserved(sqlite3_file *f, int *ret)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}
static int on_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int on_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int on_characteristics(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void) vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return watched.real->xOpen(watched.real, name, file, flags, ret_flags);
    sqlite3_file *real = calloc(1, (size_t) watched.real->szOsFile);
    assert_non_null(real);
    int rc = watched.real->xOpen(watched.real, name, real, flags, ret_flags);
    if (rc) {
        free(real);
        file->pMethods = NULL;
        return rc;
    }
    ((watched_file *) (void *) file)->real = real;
    file->pMethods = &watched.methods;
    return SQLITE_OK;
}

static int watch_the_disk(void **state)
{
    (void) state;
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    watched.real = sqlite3_vfs_find(NULL);
    watched.vfs = *watched.real;
    watched.vfs.pNext = NULL;
    watched.vfs.zName = "watched";
    watched.vfs.xOpen = on_open;
    watched.methods = (sqlite3_io_methods){.iVersion = 1,
                                           .xClose = on_close,
                                           .xRead = on_read,
                                           .xWrite = on_write,
                                           .xTruncate = on_truncate,
                                           .xSync = on_sync,
                                           .xFileSize = on_size,
                                           .xLock = on_lock,
                                           .xUnlock = on_unlock,
                                           .xCheckReservedLock = on_reserved,
                                           .xFileControl = on_control,
                                           .xSectorSize = on_sector,
                                           .xDeviceCharacteristics = on_characteristics};
    return sqlite3_vfs_register(&watched.vfs, 1);
}

/* One commit of `count` new executions, numbered from `first`. */
static int commit_new(suite_fixture *f, int64_t first, size_t count, ctn_err *err)
{
    ctn_append *appends = CTN_NEW_ARRAY(f->arena, ctn_append, count);
    ctn_outcome *outcomes = CTN_NEW_ARRAY(f->arena, ctn_outcome, count);
    for (size_t i = 0; i < count; i++) {
        ctn_execution_row *row = CTN_NEW(f->arena, ctn_execution_row);
        *row = suite_row(first + (int64_t) i);
        appends[i] = (ctn_append){.exec_no = row->exec_no,
                                  .epoch = f->epoch,
                                  .row = row,
                                  .records = suite_records(f->arena, row->exec_no, 0, NULL, 2),
                                  .count = 2};
    }
    int rc = ctn_store_commit(f->st, appends, count, outcomes, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
    return rc;
}

static void a_commit_is_few_writes_and_one_sync(void **state)
{
    suite_fixture *f = *state;
    assert_int_equal(commit_new(f, 1, 1, NULL), CTN_OK);
    watched.writes = watched.syncs = 0;
    assert_int_equal(commit_new(f, 2, 200, NULL), CTN_OK); /* about twenty pages of 8 KiB */
    if (watched.writes < 1 || watched.writes > 10)
        fail_msg("a commit of some twenty pages is %d writes", watched.writes);
    assert_int_equal(watched.syncs, 1);
    watched.writes = watched.syncs = 0;
    assert_int_equal(commit_new(f, 500, 1, NULL), CTN_OK);
    assert_int_equal(watched.writes, 1);
    assert_int_equal(watched.syncs, 1);
}

static void another_connection_reads_what_was_committed(void **state)
{
    suite_fixture *f = *state;
    for (int64_t i = 1; i <= 40; i++) {
        assert_int_equal(commit_new(f, i, 1, NULL), CTN_OK);
        ctn_execution_row row;
        assert_int_equal(ctn_store_execution_by_no(f->second, f->arena, i, &row, NULL), CTN_OK);
        assert_int_equal(suite_journal_check(f->second, i), 2);
    }
}

/* More than the cache of pages holds goes to the log before its commit, and is read from there by the same
 * connection. */
static void a_transaction_larger_than_the_cache_reads_itself(void **state)
{
    suite_fixture *f = *state;
    size_t bytes = 24 << 20;
    char *body = malloc(bytes);
    assert_non_null(body);
    for (size_t i = 0; i < bytes; i++)
        body[i] = (char) ('a' + i % 23);
    ctn_definition large[2];
    for (size_t i = 0; i < 2; i++) {
        body[0] = (char) ('0' + i);
        large[i] = (ctn_definition){.digest = ctn_hash((ctn_str){body, bytes}),
                                    .kind = CTN_STR("template"),
                                    .name = CTN_STR("large"),
                                    .body = {body, bytes}};
        assert_int_equal(ctn_store_definition_put(f->st, &large[i], 1, NULL), CTN_OK);
    }
    ctn_definition read;
    assert_int_equal(ctn_store_definition_get(f->second, f->arena, &large[1].digest, &read, NULL), CTN_OK);
    assert_int_equal(read.body.len, bytes);
    assert_memory_equal(read.body.ptr, body, bytes);
    assert_int_equal(ctn_store_definition_get(f->st, f->arena, &large[0].digest, &read, NULL), CTN_OK);
    body[0] = '0';
    assert_memory_equal(read.body.ptr, body, bytes);
    free(body);
}

static void a_late_write_that_fails_is_a_commit_that_fails(void **state)
{
    suite_fixture *f = *state;
    ctn_err err = {0};
    assert_int_equal(commit_new(f, 1, 3, NULL), CTN_OK);
    watched.fails = true;
    int rc = commit_new(f, 10, 1, &err);
    watched.fails = false;
    assert_int_equal(rc, CTN_E_IO);
    ctn_execution_row row;
    assert_int_equal(ctn_store_execution_by_no(f->second, f->arena, 10, &row, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(commit_new(f, 10, 1, NULL), CTN_OK); /* the disk is well again */
    assert_int_equal(suite_journal_check(f->second, 10), 2);
    assert_int_equal(suite_journal_check(f->second, 3), 2);
}

/* What is held back is there for whoever asks the file itself: its reader, its size, its end. */
static void what_is_held_back_is_seen_by_whoever_asks(void **state)
{
    suite_fixture *f = *state;
    sqlite3_vfs *vfs = sqlite3_vfs_find("catena-log");
    assert_non_null(vfs);
    char database[100], name[120];
    snprintf(database, sizeof database, "%s/a", f->folder); /* whose mode a log takes over */
    snprintf(name, sizeof name, "%s-wal", database);
    assert_int_equal(fclose(fopen(database, "w")), 0);
    sqlite3_file *file = calloc(1, (size_t) vfs->szOsFile);
    assert_non_null(file);
    int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(vfs->xOpen(vfs, name, file, flags, NULL), SQLITE_OK);
    const sqlite3_io_methods *m = file->pMethods;
    watched.writes = 0;
    assert_int_equal(m->xWrite(file, "abcd", 4, 0), SQLITE_OK);
    assert_int_equal(m->xWrite(file, "efgh", 4, 4), SQLITE_OK);
    assert_int_equal(watched.writes, 0);
    char text[9] = "";
    assert_int_equal(m->xRead(file, text, 8, 0), SQLITE_OK);
    assert_string_equal(text, "abcdefgh");
    assert_int_equal(watched.writes, 1);
    assert_int_equal(m->xWrite(file, "ij", 2, 8), SQLITE_OK);
    sqlite3_int64 size = 0;
    assert_int_equal(m->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(size, 10);
    assert_int_equal(m->xWrite(file, "xy", 2, 0), SQLITE_OK); /* not behind what is held: that goes first */
    assert_int_equal(m->xWrite(file, "klmn", 4, 10), SQLITE_OK);
    assert_int_equal(m->xTruncate(file, 12), SQLITE_OK);
    assert_int_equal(m->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(size, 12);
    assert_int_equal(m->xWrite(file, "op", 2, 12), SQLITE_OK);
    assert_int_equal(m->xClose(file), SQLITE_OK);
    free(file);
    char found[20] = "";
    FILE *again = fopen(name, "r");
    assert_non_null(again);
    size_t count = fread(found, 1, sizeof found - 1, again);
    (void) fclose(again);
    (void) remove(name);
    (void) remove(database);
    assert_int_equal(count, 14);
    assert_string_equal(found, "xycdefghijklop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(a_commit_is_few_writes_and_one_sync),
        SUITE_TEST_SQLITE(what_is_held_back_is_seen_by_whoever_asks),
        SUITE_TEST_SQLITE(another_connection_reads_what_was_committed),
        SUITE_TEST_SQLITE(a_transaction_larger_than_the_cache_reads_itself),
        SUITE_TEST_SQLITE(a_late_write_that_fails_is_a_commit_that_fails),
    };
    return cmocka_run_group_tests(tests, watch_the_disk, NULL);
}
