/*
 * test_sqlite.c -- the SQLite store keeps the promises of store.h, and its files behave: private, judged before they
 * are used, brought up to date, whole after a SIGKILL.
 */
#include "suite.h"
#include "base/buf.h"
#include "store/data_keys.h"
#include "store/sqlite/db.h"
#include "store/sqlite/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *path_of(const suite_fixture *f)
{
    return ctn_store_url_file(f->url).ptr;
}

static void close_all(suite_fixture *f)
{
    ctn_store_close(f->st);
    ctn_store_close(f->second);
    f->st = f->second = NULL;
}

/* What an analyst, or somebody clumsy, does with the sqlite3 shell. Gives the first column of the first row. */
static const char *shell(const char *path, const char *sql, char ret_text[512])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    const char *tail = sql;
    ret_text[0] = '\0';
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    while (tail && *tail) {
        if (sqlite3_prepare_v2(db, tail, -1, &stmt, &tail) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        int step = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
        if (step == SQLITE_ROW)
            snprintf(ret_text, 512, "%s",
                     sqlite3_column_text(stmt, 0) ? (const char *) sqlite3_column_text(stmt, 0) : "(null)");
        while (step == SQLITE_ROW)
            step = sqlite3_step(stmt);
        if (step != SQLITE_DONE)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    return ret_text;
}

static void check_open_fails(const char *url, ctn_store_mode mode, int code, const char *words)
{
    ctn_store *st = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(url, mode, &st, &err);
    if (rc != code)
        fail_msg("%s: %d instead of %d: %s", url, rc, code, err.message);
    assert_null(st);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static ctn_digest file_digest(const char *path)
{
    char piece[65536];
    ctn_hasher hasher;
    ctn_hasher_init(&hasher);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        ctn_hasher_add(&hasher, (ctn_str){piece, n});
    fclose(file);
    return ctn_hasher_finish(&hasher);
}

static bool exists(const char *path, const char *suffix)
{
    char name[400];
    struct stat info;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &info) == 0;
}

/* ---- URLs ---- */

static void urls_that_name_no_store_say_what_does(void **state)
{
    (void) state;
    check_open_fails("", CTN_STORE_CREATE, CTN_E_INVALID, "sqlite:FILE");
    check_open_fails("sqlite:", CTN_STORE_CREATE, CTN_E_INVALID, "names no file");
    check_open_fails("memory:", CTN_STORE_CREATE, CTN_E_INVALID, "names no store");
    check_open_fails("sqlit:a.db", CTN_STORE_CREATE, CTN_E_INVALID, "did you mean \"sqlite:\"");
    check_open_fails("https://example.com", CTN_STORE_CREATE, CTN_E_INVALID, "\"https\"");
    check_open_fails("postgres://host/db", CTN_STORE_CREATE, CTN_E_UNSUPPORTED, "PostgreSQL");
    check_open_fails("postgresql://host/db", CTN_STORE_READ, CTN_E_UNSUPPORTED, "PostgreSQL");
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:a.db"), "a.db"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:/a/b:c.db"), "/a/b:c.db"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:sqlite?synchronous=normal"), "sqlite"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:/a?b/c.db?checkpoint=64&synchronous=full"), "/a?b/c.db"));
    assert_true(ctn_str_is(ctn_store_url_file("/a/b?c"), "/a/b?c")); /* a bare path is a path */
    check_open_fails("sqlite:a.db?synchronus=normal", CTN_STORE_CREATE, CTN_E_INVALID, "did you mean \"synchronous\"?");
    check_open_fails("sqlite:a.db?synchronous=off", CTN_STORE_CREATE, CTN_E_INVALID, "full or normal");
    check_open_fails("sqlite:a.db?checkpoint=7", CTN_STORE_CREATE, CTN_E_INVALID, "from 8 to");
    check_open_fails("sqlite:a.db?", CTN_STORE_CREATE, CTN_E_INVALID, "behind a ? stand");
    check_open_fails("sqlite:?synchronous=full", CTN_STORE_CREATE, CTN_E_INVALID, "names no file");
    assert_true(ctn_str_is(ctn_store_url_file("a.db"), "a.db"));
    assert_true(ctn_str_is(ctn_store_url_file("./a:b"), "./a:b"));
    assert_int_equal(ctn_store_url_file("memory:x").len, 0);
    assert_int_equal(ctn_store_url_file("postgres://x").len, 0);
}

/* ---- files ---- */

static void a_new_file_is_private_and_set_up(void **state)
{
    suite_fixture *f = *state;
    char text[512], name[256];
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        struct stat info;
        snprintf(name, sizeof name, "%s%s", path_of(f), suffixes[i]);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    assert_string_equal(shell(path_of(f), "PRAGMA page_size", text), "8192");
    assert_string_equal(shell(path_of(f), "PRAGMA auto_vacuum", text), "2");
    assert_string_equal(shell(path_of(f), "PRAGMA journal_mode", text), "wal");
    assert_string_equal(shell(path_of(f), "PRAGMA application_id", text), "1130460270");
    close_all(f);
    assert_false(exists(path_of(f), "-wal")); /* a clean end leaves one file */
}

static void a_bare_path_is_a_file(void **state)
{
    suite_fixture *f = *state;
    char bare[256];
    ctn_store *st = NULL;
    snprintf(bare, sizeof bare, "%s/bare:name.db", f->folder);
    assert_int_equal(ctn_store_open(bare, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    assert_true(exists(bare, ""));
}

static void what_is_missing_is_named(void **state)
{
    suite_fixture *f = *state;
    char url[256];
    snprintf(url, sizeof url, "sqlite:%s/none.db", f->folder);
    check_open_fails(url, CTN_STORE_READ, CTN_E_NOT_FOUND, url + 7);
    check_open_fails(url, CTN_STORE_WRITE, CTN_E_NOT_FOUND, "there is no store");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_migrate(url, &version, NULL), CTN_E_NOT_FOUND);
    assert_false(exists(url + 7, ""));
    snprintf(url, sizeof url, "sqlite:%s/no/such/none.db", f->folder);
    check_open_fails(url, CTN_STORE_CREATE, CTN_E_NOT_FOUND, "the folder");
    snprintf(url, sizeof url, "sqlite:%s", f->folder);
    check_open_fails(url, CTN_STORE_CREATE, CTN_E_INVALID, "is a folder");
    snprintf(url, sizeof url, "sqlite:%s/test.db/deeper.db", f->folder);
    check_open_fails(url, CTN_STORE_CREATE, CTN_E_NOT_FOUND, "deeper.db");
    check_open_fails("sqlite:/dev/null", CTN_STORE_CREATE, CTN_E_INVALID, "no regular file");
}

static void other_programs_files_are_refused_untouched(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300], text[512];
    snprintf(path, sizeof path, "%s/foreign.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    shell(path, "CREATE TABLE contacts(name TEXT); INSERT INTO contacts VALUES('x')", text);
    static const ctn_store_mode modes[] = {CTN_STORE_READ, CTN_STORE_WRITE, CTN_STORE_CREATE};
    ctn_digest before = file_digest(path);
    for (size_t i = 0; i < 3; i++)
        check_open_fails(url, modes[i], CTN_E_CORRUPT, "another program's SQLite database");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_E_CORRUPT);
    assert_int_equal(ctn_store_migrate(url, &version, NULL), CTN_E_CORRUPT);
    shell(path, "PRAGMA application_id = 7; PRAGMA user_version = 1", text);
    before = file_digest(path);
    check_open_fails(url, CTN_STORE_CREATE, CTN_E_CORRUPT, "0x00000007");
    static char garbage[20000];
    memset(garbage, 'g', sizeof garbage);
    static const size_t sizes[] = {1, 5, 99, 100, 511, 512, 4096, sizeof garbage};
    ctn_digest after = file_digest(path);
    assert_memory_equal(before.bytes, after.bytes, CTN_DIGEST_BYTES);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_file(path, garbage, sizes[i]);
        before = file_digest(path);
        for (size_t m = 0; m < 3; m++)
            check_open_fails(url, modes[m], CTN_E_CORRUPT, "not a catena store");
        after = file_digest(path);
        assert_memory_equal(before.bytes, after.bytes, CTN_DIGEST_BYTES);
        assert_false(exists(path, "-wal"));
    }
}

static void an_empty_file_becomes_a_store_only_on_request(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300];
    snprintf(path, sizeof path, "%s/empty.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    write_file(path, "", 0);
    check_open_fails(url, CTN_STORE_WRITE, CTN_E_STATE, "store init");
    check_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "store init");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 0);
    ctn_store *st = NULL;
    assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    char text[512];
    assert_string_equal(shell(path, "PRAGMA page_size", text), "8192");
    assert_string_equal(shell(path, "PRAGMA auto_vacuum", text), "2");
}

/* Dies in the middle of a first transaction that has not reached the log-based journal yet, as a creation does. */
static void die_while_creating(const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(db,
                     "PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (x);"
                     "INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
                     " SELECT randomblob(1000) FROM n",
                     NULL, NULL, NULL) == SQLITE_OK)
        raise(SIGKILL);
    _exit(1);
}

/* A kill while the file was made leaves a journal that only a writer can roll back; nobody is locked out by it. */
static void a_creation_that_was_killed_is_begun_anew(void **state)
{
    suite_fixture *f = *state;
    for (int reader_first = 0; reader_first < 2; reader_first++) {
        char path[256], url[300], text[512];
        snprintf(path, sizeof path, "%s/killed-%d.db", f->folder, reader_first);
        snprintf(url, sizeof url, "sqlite:%s", path);
        pid_t pid = fork();
        if (pid == 0)
            die_while_creating(path);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        if (reader_first)
            check_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "is empty");
        ctn_store *st = NULL;
        ctn_err err = {0};
        if (ctn_store_open(url, CTN_STORE_CREATE, &st, &err))
            fail_msg("%s", err.message);
        ctn_store_close(st);
        assert_string_equal(shell(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'", text), "0");
    }
}

static void a_newer_file_is_refused_untouched(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 3);
    close_all(f);
    shell(path_of(f), "PRAGMA user_version = 999", text);
    ctn_digest before = file_digest(path_of(f));
    static const ctn_store_mode modes[] = {CTN_STORE_READ, CTN_STORE_WRITE, CTN_STORE_CREATE};
    for (size_t i = 0; i < 3; i++)
        check_open_fails(f->url, modes[i], CTN_E_NEWER, "schema 999");
    ctn_store_version version;
    ctn_err err = {0};
    assert_int_equal(ctn_store_migrate(f->url, &version, &err), CTN_E_NEWER);
    assert_non_null(strstr(err.message, path_of(f)));
    assert_int_equal(ctn_store_version_read(f->url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 999);
    ctn_digest after = file_digest(path_of(f));
    assert_memory_equal(before.bytes, after.bytes, CTN_DIGEST_BYTES);
}

static int count_row(void *ctx, const ctn_execution_row *row)
{
    (void) row;
    ++*(size_t *) ctx;
    return 0;
}

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    (void) record;
    (void) position;
    ++*(size_t *) ctx;
    return 0;
}

/* Whatever page is destroyed: an error with a sentence, or the right answer, and never a crash. */
static void a_damaged_file_fails_with_a_sentence(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 60; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 20);
    }
    close_all(f);
    struct stat info;
    assert_int_equal(stat(path_of(f), &info), 0);
    ctn_buf original;
    ctn_buf_init(&original, 64 << 20);
    FILE *file = fopen(path_of(f), "rb");
    char *room = ctn_buf_reserve(&original, (size_t) info.st_size);
    original.len = fread(room, 1, (size_t) info.st_size, file);
    fclose(file);
    size_t failures = 0;
    for (size_t page = 0; page < original.len / 8192; page++) {
        write_file(path_of(f), original.data, original.len);
        int fd = open(path_of(f), O_WRONLY);
        char junk[8000];
        memset(junk, 0x5a, sizeof junk);
        assert_int_equal(pwrite(fd, junk, sizeof junk, (off_t) (page * 8192 + 120)), sizeof junk);
        close(fd);
        ctn_store *st = NULL;
        ctn_err err = {0};
        int rc = ctn_store_open(f->url, CTN_STORE_WRITE, &st, &err);
        size_t rows = 0, records = 0;
        if (rc == CTN_OK)
            rc = ctn_store_execution_list(st, &(ctn_execution_filter){0}, count_row, &rows, &err);
        for (int64_t no = 1; rc == CTN_OK && no <= 60; no++)
            rc = ctn_store_journal_read(st, no, 1, count_record, &records, &err);
        ctn_store_close(st);
        if (rc) {
            failures++;
            assert_int_equal(rc, CTN_E_CORRUPT);
            assert_non_null(strstr(err.message, path_of(f)));
        } else {
            assert_int_equal(rows, 60);
        }
    }
    assert_true(failures > 3);
    assert_int_equal(truncate(path_of(f), 8192 * 2), 0);
    check_open_fails(f->url, CTN_STORE_WRITE, CTN_E_CORRUPT, path_of(f));
    ctn_buf_done(&original);
}

static void one_damaged_execution_fails_alone(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    for (int64_t no = 1; no <= 4; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 5);
    }
    shell(path_of(f), "DELETE FROM execution_journal WHERE exec_no = 1 AND seq = 3", text);
    shell(path_of(f), "UPDATE execution_journal SET kind = 'dreamt' WHERE exec_no = 2 AND seq = 2", text);
    shell(path_of(f), "UPDATE execution_journal SET hash = x'00' WHERE exec_no = 3 AND seq = 2", text);
    size_t count = 0;
    for (int64_t no = 1; no <= 3; no++) {
        char words[32];
        ctn_err err = {0};
        snprintf(words, sizeof words, "execution %" PRId64, no);
        assert_int_equal(ctn_store_journal_read(f->st, no, 1, count_record, &count, &err), CTN_E_CORRUPT);
        assert_non_null(strstr(err.message, words));
    }
    assert_int_equal(suite_journal_check(f->st, 4), 5);
    count = 0;
    assert_int_equal(ctn_store_execution_due(f->st, 5, 0, count_row, &count, NULL), CTN_OK);
    assert_int_equal(count, 4);
}

/* Root may do everything, so somebody else has to try. */
static void without_permission_the_sentence_names_the_file(void **state)
{
    suite_fixture *f = *state;
    close_all(f);
    if (geteuid() != 0) {
        print_message("skipped: becoming another user needs root\n");
        skip();
    }
    static const struct {
        mode_t folder, file;
        ctn_store_mode mode;
        int rc;
    } cases[] = {
        {0755, 0644, CTN_STORE_WRITE, CTN_E_DENIED},  {0755, 0600, CTN_STORE_READ, CTN_E_DENIED},
        {0755, 0600, CTN_STORE_CREATE, CTN_E_DENIED}, {0700, 0644, CTN_STORE_READ, CTN_E_DENIED},
        {0755, 0666, CTN_STORE_WRITE, CTN_E_DENIED}, /* no place for the log */
        {0777, 0666, CTN_STORE_WRITE, CTN_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(chmod(f->folder, cases[i].folder), 0);
        assert_int_equal(chmod(path_of(f), cases[i].file), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            ctn_store *st = NULL;
            ctn_err err = {0};
            if (setgid(65534) || setuid(65534))
                _exit(99);
            int rc = ctn_store_open(f->url, cases[i].mode, &st, &err);
            ctn_store_close(st);
            _exit(rc && !strstr(err.message, path_of(f)) ? 98 : rc);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].rc)
            fail_msg("case %zu: ended with %d instead of %d", i, WEXITSTATUS(status), cases[i].rc);
    }
}

static void a_writer_in_the_way_is_contention(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path_of(f), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 2);
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = 1, .records = records + 1, .count = 1};
    ctn_outcome outcome;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, path_of(f)));
    assert_int_equal(suite_journal_check(f->st, 1), 1); /* readers are not in anybody's way */
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

/* ---- schema ---- */

static void an_older_store_is_migrated_on_request(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    ctn_store_version version;
    assert_int_equal(ctn_sqlite_migrate(path, 1, true, &version, NULL), CTN_OK);
    shell(path, "INSERT INTO definitions VALUES(zeroblob(32), 'chain', 'old', 'body')", text);
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 1);
    assert_true(version.newest > 1);
    check_open_fails(url, CTN_STORE_WRITE, CTN_E_STATE, "store migrate");
    check_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "store migrate");
    assert_int_equal(ctn_store_migrate(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 1);
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, version.newest);
    assert_int_equal(ctn_store_migrate(url, &version, NULL), CTN_OK); /* nothing to do */
    assert_int_equal(version.found, version.newest);
    assert_string_equal(shell(path, "SELECT count(*) FROM executions_view", text), "0");
    ctn_store *st = NULL;
    ctn_definition definition;
    assert_int_equal(ctn_store_open(url, CTN_STORE_WRITE, &st, NULL), CTN_OK);
    assert_int_equal(ctn_store_definition_get(st, f->arena, &(ctn_digest){0}, &definition, NULL), CTN_OK);
    assert_true(ctn_str_is(definition.name, "old"));
    ctn_store_close(st);
}

static void creating_brings_an_older_store_up_to_date(void **state)
{
    suite_fixture *f = *state;
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    ctn_store_version version;
    assert_int_equal(ctn_sqlite_migrate(path, 1, true, &version, NULL), CTN_OK);
    ctn_store *st = NULL;
    assert_int_equal(ctn_store_open(path, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    /* the same schema, whichever way it came about */
    char other[512];
    shell(path, "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)", text);
    shell(path_of(f), "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)", other);
    assert_string_equal(text, other);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    suite_fixture *f = *state;
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/old.db", f->folder);
    ctn_store_version version;
    ctn_err err = {0};
    assert_int_equal(ctn_sqlite_migrate(path, 1, true, &version, NULL), CTN_OK);
    shell(path, "CREATE VIEW execution_metrics AS SELECT 'mine'", text);
    assert_int_equal(ctn_store_migrate(path, &version, &err), CTN_E_IO);
    assert_non_null(strstr(err.message, "migration to schema 2"));
    assert_string_equal(shell(path, "PRAGMA user_version", text), "1");
    assert_string_equal(shell(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'executions_view'", text), "0");
    shell(path, "DROP VIEW execution_metrics", text);
    assert_int_equal(ctn_store_migrate(path, &version, NULL), CTN_OK);
}

static void views_show_people_what_happened(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(258);
    ctn_record *records = suite_records(f->arena, 258, 0, NULL, 3);
    records[2].kind = CTN_ENTRY_COMPLETED;
    records[2].step = CTN_STR("");
    records[2].body = CTN_STR("{\"outputs\":{\"price\":19.90}}");
    ctn_execution_change change = {.status = CTN_STATUS_COMPLETED, .outputs = CTN_STR("{\"price\":19.90}")};
    ctn_append append = {
        .exec_no = 258, .epoch = f->epoch, .row = &row, .change = &change, .records = records, .count = 3};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    shell(path_of(f), "SELECT execution_id FROM executions_view", text);
    assert_string_equal(text, ctn_id_to_text(row.id).text);
    assert_string_equal(shell(path_of(f), "SELECT outputs FROM executions_view", text), "{\"price\":19.90}");
    assert_string_equal(shell(path_of(f), "SELECT outputs FROM chain_executions", text), "");
    assert_string_equal(shell(path_of(f), "SELECT created_at FROM executions_view", text), "2023-11-14T22:13:20.258Z");
    shell(path_of(f), "SELECT execution_id || seq || kind FROM journal_view ORDER BY position", text);
    assert_string_equal(text, "01900000-0000-7001-8000-0000000001021started");
    shell(path_of(f), "SELECT step || ' ' || result || ' ' || variables FROM step_results", text);
    assert_string_equal(text, "search completed {\"n\":2,\"of\":258}");
    shell(path_of(f), "SELECT entries || ' ' || steps_succeeded || ' ' || run_ms FROM execution_metrics", text);
    assert_string_equal(text, "3 1 2");
}

static void views_tell_items_and_the_cache(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(7);
    ctn_record *records = suite_records(f->arena, 7, 0, NULL, 6);
    static const struct {
        ctn_entry_kind kind;
        int64_t item;
        const char *body;
    } said[] = {{CTN_ENTRY_FOREACH_STARTED, -1, "{\"count\":2}"},
                {CTN_ENTRY_CACHE_HIT, 0, "{\"variables\":{\"n\":1}}"},
                {CTN_ENTRY_ATTEMPT_FAILED, 1, "{\"code\":\"tool_error\",\"message\":\"no\",\"fallback\":1}"},
                {CTN_ENTRY_FALLBACK_TAKEN, 1, "{\"fallback\":1}"},
                {CTN_ENTRY_ATTEMPT_SUCCEEDED, 1, "{\"variables\":{\"n\":2}}"}};
    for (size_t i = 0; i < 5; i++) {
        records[i + 1].kind = said[i].kind;
        records[i + 1].item = said[i].item;
        records[i + 1].step = CTN_STR("book");
        records[i + 1].body = ctn_str_from(said[i].body);
    }
    ctn_append append = {.exec_no = 7, .epoch = f->epoch, .row = &row, .records = records, .count = 6};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    /* its items are done, and the step itself is not yet */
    static const char steps[] = "SELECT group_concat(step || coalesce(item, '') || ' ' || result || ' ' || "
                                "is_from_cache || ' ' || variables, '; ') FROM (SELECT * FROM step_results ORDER BY "
                                "step, item)";
    static const char figures[] = "SELECT steps_succeeded || ' ' || items_succeeded || ' ' || cache_hits || ' ' || "
                                  "fallbacks || ' ' || attempts_failed FROM execution_metrics";
    shell(path_of(f), steps, text);
    assert_string_equal(text, "book0 completed 1 {\"n\":1}; book1 completed 0 {\"n\":2}");
    assert_string_equal(shell(path_of(f), figures, text), "0 2 1 1 1");
    ctn_record *whole = suite_records(f->arena, 7, 6, &records[5].hash, 1);
    whole->kind = CTN_ENTRY_ATTEMPT_SUCCEEDED;
    whole->step = CTN_STR("book");
    whole->body = CTN_STR("{\"items\":2,\"failed\":0,\"variables\":{\"n\":[1,2]}}");
    append = (ctn_append){.exec_no = 7, .epoch = f->epoch, .seq_expected = 6, .records = whole, .count = 1};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(shell(path_of(f),
                              "SELECT result || ' ' || items || ' ' || items_failed || ' ' || variables "
                              "FROM step_results WHERE item IS NULL",
                              text),
                        "completed 2 0 {\"n\":[1,2]}");
    assert_string_equal(shell(path_of(f), figures, text), "1 2 1 1 1");
}

/* Does any file of the store hold these bytes? */
static bool files_hold(const char *path, const char *bytes, size_t count)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    bool found = false;
    for (size_t i = 0; i < 3; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        FILE *file = fopen(name, "rb");
        if (!file)
            continue;
        fseek(file, 0, SEEK_END);
        size_t size = (size_t) ftell(file);
        rewind(file);
        char *all = ctn_malloc(size + 1);
        assert_int_equal(fread(all, 1, size, file), size);
        found = found || memmem(all, size, bytes, count);
        free(all);
        fclose(file);
    }
    return found;
}

static void key_bytes(char *ret, int64_t exec_no)
{
    for (int i = 0; i < 72; i++)
        ret[i] = (char) (unsigned char) ((i == 0 ? exec_no % 256 : i == 1 ? exec_no / 256 : (i * 57) % 251) + 1);
}

/* Not only out of sight: a deleted row's bytes stay in free places of its page, and in frames of the log. */
static void the_bytes_of_a_shredded_key_are_in_no_file(void **state)
{
    suite_fixture *f = *state;
    char bytes[72];
    for (int64_t n = 1; n <= 300; n++) {
        ctn_execution_row row = suite_row(n);
        key_bytes(bytes, n);
        ctn_data_key key = {CTN_STR("k1"), {bytes, sizeof bytes}};
        ctn_append append = {.exec_no = n,
                             .epoch = f->epoch,
                             .row = &row,
                             .records = suite_records(f->arena, n, 0, NULL, 1),
                             .count = 1,
                             .data_key = &key};
        assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    }
    int64_t gone[] = {1, 70, 71, 72, 150, 300};
    for (size_t i = 0; i < 6; i++) {
        key_bytes(bytes, gone[i]);
        assert_true(files_hold(path_of(f), bytes, sizeof bytes));
    }
    assert_int_equal(ctn_store_data_key_shred(f->st, gone, 6, NULL), CTN_OK);
    for (size_t i = 0; i < 6; i++) {
        key_bytes(bytes, gone[i]);
        assert_false(files_hold(path_of(f), bytes, sizeof bytes));
    }
    key_bytes(bytes, 73);
    assert_true(files_hold(path_of(f), bytes, sizeof bytes));
}

/* Numbers that were given out are not given out again, whatever retention took away. */
static void deleting_lowers_no_number(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(5);
    suite_create(f, &row, 4);
    shell(path_of(f), "DELETE FROM chain_executions; DELETE FROM execution_journal", text);
    int64_t last = 0;
    assert_int_equal(ctn_store_exec_no_last(f->st, &last, NULL), CTN_OK);
    assert_int_equal(last, 5);
    ctn_execution_row next = suite_row(6);
    suite_create(f, &next, 1);
    assert_string_equal(shell(path_of(f), "SELECT position FROM execution_journal", text), "5");
}

/* ---- the log ---- */

/* Appends one record of 200 kB to execution 1; returns the code and leaves the hash for the next. */
static int append_large(suite_fixture *f, uint64_t seq_last, ctn_digest *hash, ctn_err *err)
{
    ctn_arena_mark mark = ctn_arena_save(f->arena);
    char *text = ctn_arena_alloc(f->arena, 200000);
    memset(text, 'x', 200000);
    ctn_record *record = suite_records(f->arena, 1, seq_last, hash, 1);
    record->body = (ctn_str){text, 200000};
    record->hash = ctn_record_hash(record, hash);
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = seq_last, .records = record, .count = 1};
    ctn_outcome outcome = CTN_OUTCOME_STALE_SEQ;
    int rc = ctn_store_commit(f->st, &append, 1, &outcome, err);
    if (rc == CTN_OK) {
        assert_int_equal(outcome, CTN_OUTCOME_ACCEPTED);
        *hash = record->hash;
    }
    ctn_arena_restore(f->arena, mark);
    return rc;
}

static void nap_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static off_t log_bytes(const suite_fixture *f)
{
    char wal[256];
    struct stat info;
    snprintf(wal, sizeof wal, "%s-wal", path_of(f));
    return stat(wal, &info) ? -1 : info.st_size;
}

static void the_log_is_moved_into_the_file_while_writing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_digest hash = suite_records(f->arena, 1, 0, NULL, 1)->hash;
    off_t largest = 0;
    for (uint64_t seq = 1; seq <= 400; seq++) { /* 80 MB */
        assert_int_equal(append_large(f, seq, &hash, NULL), CTN_OK);
        largest = log_bytes(f) > largest ? log_bytes(f) : largest;
    }
    print_message("the log's largest size: %" PRId64 " KiB\n", (int64_t) largest / 1024);
    assert_true(largest < 60 << 20);
    assert_int_equal(suite_journal_check(f->second, 1), 401);
}

typedef struct slow_reader {
    suite_fixture *f;
    uint64_t seq;
    ctn_digest hash;
} slow_reader;

static int write_while_reading(void *ctx, const ctn_record *record, int64_t position)
{
    slow_reader *slow = ctx;
    (void) record;
    (void) position;
    ctn_err err = {0};
    for (int i = 0; i < 300; i++, slow->seq++) /* 60 MB behind the reader's snapshot */
        if (append_large(slow->f, slow->seq, &slow->hash, &err))
            fail_msg("%s", err.message);
    return 0;
}

/* A reader that stays long makes the log grow; it stops nobody, and when it is gone the log shrinks. */
static void a_long_reader_only_makes_the_log_grow(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    slow_reader slow = {.f = f, .seq = 1, .hash = suite_records(f->arena, 1, 0, NULL, 1)->hash};
    assert_int_equal(ctn_store_journal_read(f->second, 1, 1, write_while_reading, &slow, NULL), CTN_OK);
    off_t grown = log_bytes(f);
    assert_true(grown > 55 << 20);
    /* On a slow disk moving the log takes a while: write on until the log is used again from its start. */
    bool is_reused = false;
    for (int tries = 0; tries < 100 && !is_reused; tries++) {
        off_t before = log_bytes(f);
        for (int i = 0; i < 50; i++, slow.seq++) /* 10 MB */
            assert_int_equal(append_large(f, slow.seq, &slow.hash, NULL), CTN_OK);
        is_reused = log_bytes(f) <= before;
        nap_us(is_reused ? 0 : 100000);
    }
    assert_true(is_reused);
    assert_int_equal(suite_journal_check(f->second, 1), slow.seq);
}

/* The limit on a file's size plays the full disk. */
static void a_full_disk_refuses_the_batch_whole(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_digest hash = suite_records(f->arena, 1, 0, NULL, 1)->hash;
    assert_int_equal(append_large(f, 1, &hash, NULL), CTN_OK);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t) log_bytes(f) + 50000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ctn_err err = {0};
    int rc = append_large(f, 2, &hash, &err), again = append_large(f, 2, &hash, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, CTN_E_IO);
    assert_int_equal(again, CTN_E_IO);
    assert_non_null(strstr(err.message, path_of(f)));
    assert_int_equal(suite_journal_check(f->second, 1), 2);
    assert_int_equal(append_large(f, 2, &hash, NULL), CTN_OK); /* room again: it goes on by itself */
    assert_int_equal(suite_journal_check(f->second, 1), 3);
}

/* ---- one owner ---- */

static void wait_for_byte(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
}

static void a_second_owner_is_told_who_the_first_is(void **state)
{
    suite_fixture *f = *state;
    int ready[2];
    char link_url[300], link_path[256], pid_text[32], name[256];
    snprintf(link_path, sizeof link_path, "%s/link.db", f->folder);
    snprintf(link_url, sizeof link_url, "sqlite:%s", link_path);
    assert_int_equal(symlink(path_of(f), link_path), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ctn_store_lock *lock = NULL;
        if (ctn_store_lock_take(f->url, &lock, NULL) || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    wait_for_byte(ready[0]);
    snprintf(pid_text, sizeof pid_text, "process %ld", (long) child);
    ctn_store_lock *lock = NULL;
    const char *const urls[] = {f->url, link_url};
    for (size_t i = 0; i < 2; i++) {
        ctn_err err = {0};
        assert_int_equal(ctn_store_lock_take(urls[i], &lock, &err), CTN_E_BUSY);
        assert_non_null(strstr(err.message, pid_text));
        assert_non_null(strstr(err.message, ctn_store_url_file(urls[i]).ptr));
        assert_null(lock);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(ctn_store_lock_take(f->url, &lock, NULL), CTN_OK); /* death frees it */
    ctn_store_lock *again = NULL;
    ctn_err err = {0};
    assert_int_equal(ctn_store_lock_take(f->url, &again, &err), CTN_E_BUSY); /* once in a process, too */
    snprintf(pid_text, sizeof pid_text, "process %ld", (long) getpid());
    assert_non_null(strstr(err.message, pid_text));
    snprintf(name, sizeof name, "%s-lock", path_of(f));
    struct stat info;
    assert_int_equal(stat(name, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    ctn_store_lock_release(lock);
    assert_int_equal(ctn_store_lock_take(f->url, &again, NULL), CTN_OK);
    ctn_store_lock_release(again);
    ctn_store_lock_release(NULL);
    close(ready[0]);
    close(ready[1]);
}

/* Who was started by a dead owner may still change the world: nobody owns the store before it has ended. */
static void what_a_dead_owner_has_started_is_waited_for(void **state)
{
    suite_fixture *f = *state;
    int ready[2], gone[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(gone), 0);
    pid_t owner = fork();
    assert_true(owner >= 0);
    if (owner == 0) {
        ctn_store_lock *lock = NULL;
        if (ctn_store_lock_take(f->url, &lock, NULL))
            _exit(1);
        int kept = fcntl(ctn_store_lock_fd(lock), F_DUPFD, 100);
        if (kept < 0 || fork() != 0) {
            for (;;)
                pause();
        }
        (void) dup2(gone[1], 99);
        (void) dup2(ready[1], 98);
        (void) close_range(3, 97, 0);
        (void) close_range((unsigned) kept + 1, ~0U, 0);
        (void) !write(98, "r", 1);
        (void) usleep(300000);
        _exit(0); /* the pipe `gone` ends here */
    }
    close(gone[1]);
    wait_for_byte(ready[0]);
    kill(owner, SIGKILL);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    ctn_store_lock *lock = NULL;
    assert_int_equal(ctn_store_lock_take(f->url, &lock, NULL), CTN_OK);
    struct pollfd end = {.fd = gone[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 0), 1); /* it had ended before we got it */
    assert_int_equal(read(gone[0], &byte, 1), 0);
    ctn_store_lock_release(lock);
    close(gone[0]);
    close(ready[0]);
    close(ready[1]);
}

static void a_lock_needs_a_folder(void **state)
{
    suite_fixture *f = *state;
    char url[300];
    ctn_store_lock *lock = NULL;
    ctn_err err = {0};
    snprintf(url, sizeof url, "sqlite:%s/none/x.db", f->folder);
    assert_int_equal(ctn_store_lock_take(url, &lock, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "/none"));
    snprintf(url, sizeof url, "sqlite:%s/not-yet.db", f->folder);
    assert_int_equal(ctn_store_lock_take(url, &lock, NULL), CTN_OK); /* before the store is made */
    ctn_store_lock_release(lock);
    assert_int_equal(ctn_store_lock_take("postgres://x", &lock, NULL), CTN_E_UNSUPPORTED);
}

/* ---- death ---- */

enum { KILL_EXECUTIONS = 64, KILL_RECORDS = 3, KILLS = 60 };

/* Appends KILL_RECORDS to every execution in each commit and says so after it, until it dies. */
static void write_until_killed(const char *url, int progress)
{
    ctn_store *st = NULL;
    uint64_t epoch;
    bool was_crash;
    if (ctn_store_open(url, CTN_STORE_WRITE, &st, NULL) || ctn_store_epoch_begin(st, &epoch, &was_crash, NULL))
        _exit(1);
    ctn_arena *arena = ctn_arena_new(1 << 16), *scratch = ctn_arena_new(1 << 16);
    ctn_execution_row row;
    ctn_digest hashes[KILL_EXECUTIONS];
    uint64_t seq = 0;
    for (int64_t no = 1; no <= KILL_EXECUTIONS; no++) {
        if (ctn_store_execution_by_no(st, arena, no, &row, NULL))
            memset(&hashes[no - 1], 0, sizeof hashes[0]);
        else {
            hashes[no - 1] = row.hash_last;
            seq = (uint64_t) row.wake_at_ms;
        }
    }
    for (;; seq += KILL_RECORDS) {
        ctn_append appends[KILL_EXECUTIONS];
        ctn_execution_row rows[KILL_EXECUTIONS];
        ctn_outcome outcomes[KILL_EXECUTIONS];
        ctn_arena_reset(scratch);
        ctn_execution_change change = {.status = CTN_STATUS_RUNNING, .wake_at_ms = (int64_t) (seq + KILL_RECORDS)};
        for (int64_t i = 0; i < KILL_EXECUTIONS; i++) {
            rows[i] = suite_row(i + 1);
            appends[i] = (ctn_append){.exec_no = i + 1,
                                      .epoch = epoch,
                                      .seq_expected = seq,
                                      .row = seq ? NULL : &rows[i],
                                      .change = &change,
                                      .records = suite_records(scratch, i + 1, seq, &hashes[i], KILL_RECORDS),
                                      .count = KILL_RECORDS};
            hashes[i] = appends[i].records[KILL_RECORDS - 1].hash;
        }
        if (ctn_store_commit(st, appends, KILL_EXECUTIONS, outcomes, NULL))
            _exit(2);
        for (size_t i = 0; i < KILL_EXECUTIONS; i++)
            if (outcomes[i] != CTN_OUTCOME_ACCEPTED)
                _exit(3);
        uint64_t told = seq + KILL_RECORDS;
        if (write(progress, &told, sizeof told) != sizeof told)
            _exit(4);
    }
}

/* SIGKILL at random moments: every append is there whole or not at all, row and journal agree, and nothing that was
 * told as committed is missing. */
static void appends_are_whole_wherever_the_process_dies(void **state)
{
    suite_fixture *f = *state;
    close_all(f);
    uint64_t seed = 77, told = 0;
    ctn_rng rng = ctn_rng_seeded(&seed);
    size_t untold = 0, crashes = 0;
    for (int round = 0; round < KILLS; round++) {
        int progress[2];
        assert_int_equal(pipe(progress), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(progress[0]);
            write_until_killed(f->url, progress[1]);
        }
        close(progress[1]);
        uint64_t value;
        assert_int_equal(read(progress[0], &value, sizeof value), sizeof value); /* it is under way */
        told = value;
        nap_us((long) (ctn_rng_next(&rng) % 15000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(progress[0], &value, sizeof value) == (ssize_t) sizeof value)
            told = value;
        close(progress[0]);

        ctn_store *st = NULL;
        uint64_t epoch;
        bool was_crash = false;
        ctn_err err = {0};
        if (ctn_store_open(f->url, CTN_STORE_WRITE, &st, &err))
            fail_msg("%s", err.message);
        size_t first = suite_journal_check(st, 1);
        assert_true(first >= told);
        assert_true(first <= told + KILL_RECORDS);
        untold += first > told;
        for (int64_t no = 1; no <= KILL_EXECUTIONS; no++) {
            ctn_execution_row row;
            assert_int_equal(suite_journal_check(st, no), first);
            assert_int_equal(ctn_store_execution_by_no(st, f->arena, no, &row, NULL), CTN_OK);
            assert_int_equal(row.wake_at_ms, first);
        }
        if (round % 10 == 9) {
            assert_int_equal(ctn_store_epoch_begin(st, &epoch, &was_crash, NULL), CTN_OK);
            crashes += was_crash;
        }
        ctn_store_close(st);
    }
    char text[512];
    assert_string_equal(shell(path_of(f), "PRAGMA integrity_check", text), "ok");
    assert_int_equal(crashes, KILLS / 10);
    print_message("%d kills, %zu after a commit that was not told yet, %" PRIu64 " entries each\n", KILLS, untold,
                  told);
}

/* 2 is FULL: every commit is synced. 1 is NORMAL, which nobody has without having asked for it and being told. */
static void every_commit_is_synced_unless_the_url_says_otherwise(void **state)
{
    suite_fixture *f = *state;
    static const struct {
        const char *options;
        int synchronous;
    } cases[] = {{"", 2}, {"?synchronous=full", 2}, {"?synchronous=normal", 1}, {"?checkpoint=64", 2}, {"", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char url[600];
        ctn_store *st = NULL;
        sqlite3_stmt *stmt = NULL;
        snprintf(url, sizeof url, "%s%s", f->url, cases[i].options);
        assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &st, NULL), CTN_OK);
        assert_int_equal(sqlite3_prepare_v2(((sqlite_store *) st)->db, "PRAGMA synchronous", -1, &stmt, NULL), 0);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(stmt, 0), cases[i].synchronous);
        sqlite3_finalize(stmt);
        ctn_store_close(st);
        const char *caution = ctn_store_url_caution(url);
        assert_int_equal(caution != NULL, cases[i].synchronous == 1);
        if (caution)
            assert_non_null(strstr(caution, "may lose the last moments on power loss"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_ENTRY_SQLITE(every_commit_is_synced_unless_the_url_says_otherwise) SUITE_LIST(SUITE_ENTRY_SQLITE)
            cmocka_unit_test(urls_that_name_no_store_say_what_does),
        SUITE_ENTRY_SQLITE(a_new_file_is_private_and_set_up) SUITE_ENTRY_SQLITE(a_bare_path_is_a_file)
            SUITE_ENTRY_SQLITE(what_is_missing_is_named) SUITE_ENTRY_SQLITE(other_programs_files_are_refused_untouched)
                SUITE_ENTRY_SQLITE(an_empty_file_becomes_a_store_only_on_request) SUITE_ENTRY_SQLITE(
                    a_creation_that_was_killed_is_begun_anew) SUITE_ENTRY_SQLITE(a_newer_file_is_refused_untouched)
                    SUITE_ENTRY_SQLITE(a_damaged_file_fails_with_a_sentence) SUITE_ENTRY_SQLITE(
                        one_damaged_execution_fails_alone)
                        SUITE_ENTRY_SQLITE(without_permission_the_sentence_names_the_file) SUITE_ENTRY_SQLITE(
                            a_writer_in_the_way_is_contention) SUITE_ENTRY_SQLITE(an_older_store_is_migrated_on_request)
                            SUITE_ENTRY_SQLITE(creating_brings_an_older_store_up_to_date)
                                SUITE_ENTRY_SQLITE(a_migration_that_fails_changes_nothing) SUITE_ENTRY_SQLITE(
                                    views_show_people_what_happened) SUITE_ENTRY_SQLITE(views_tell_items_and_the_cache)
                                    SUITE_ENTRY_SQLITE(the_bytes_of_a_shredded_key_are_in_no_file)
                                        SUITE_ENTRY_SQLITE(deleting_lowers_no_number) SUITE_ENTRY_SQLITE(
                                            the_log_is_moved_into_the_file_while_writing)
                                            SUITE_ENTRY_SQLITE(a_long_reader_only_makes_the_log_grow)
                                                SUITE_ENTRY_SQLITE(a_full_disk_refuses_the_batch_whole)
                                                    SUITE_ENTRY_SQLITE(a_second_owner_is_told_who_the_first_is)
                                                        SUITE_ENTRY_SQLITE(what_a_dead_owner_has_started_is_waited_for)
                                                            SUITE_ENTRY_SQLITE(a_lock_needs_a_folder)
                                                                SUITE_ENTRY_SQLITE(
                                                                    appends_are_whole_wherever_the_process_dies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
