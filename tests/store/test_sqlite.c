/*
 * test_sqlite.c -- the SQLite store keeps the promises of store.h; its URLs are read, and its files are private, and
 * judged before they are used.
 */
#include "suite.h"
#include "base/buf.h"
#include "base/memory.h"
#include "sqlite_file.h"
#include "store/data_keys.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ---- URLs ---- */

static void urls_that_name_no_store_say_what_does(void **state)
{
    (void) state;
    file_open_fails("", CTN_STORE_CREATE, CTN_E_INVALID, "sqlite:FILE");
    file_open_fails("sqlite:", CTN_STORE_CREATE, CTN_E_INVALID, "names no file");
    file_open_fails("memory:", CTN_STORE_CREATE, CTN_E_INVALID, "names no store");
    file_open_fails("sqlit:a.db", CTN_STORE_CREATE, CTN_E_INVALID, "did you mean \"sqlite:\"");
    file_open_fails("https://example.com", CTN_STORE_CREATE, CTN_E_INVALID, "\"https\"");
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:a.db"), "a.db"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:/a/b:c.db"), "/a/b:c.db"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:sqlite?synchronous=normal"), "sqlite"));
    assert_true(ctn_str_is(ctn_store_url_file("sqlite:/a?b/c.db?checkpoint=64&synchronous=full"), "/a?b/c.db"));
    assert_true(ctn_str_is(ctn_store_url_file("/a/b?c"), "/a/b?c")); /* a bare path is a path */
    file_open_fails("sqlite:a.db?synchronus=normal", CTN_STORE_CREATE, CTN_E_INVALID, "did you mean \"synchronous\"?");
    file_open_fails("sqlite:a.db?synchronous=off", CTN_STORE_CREATE, CTN_E_INVALID, "full or normal");
    file_open_fails("sqlite:a.db?checkpoint=7", CTN_STORE_CREATE, CTN_E_INVALID, "from 8 to");
    file_open_fails("sqlite:a.db?", CTN_STORE_CREATE, CTN_E_INVALID, "behind a ? stand");
    file_open_fails("sqlite:?synchronous=full", CTN_STORE_CREATE, CTN_E_INVALID, "names no file");
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
        snprintf(name, sizeof name, "%s%s", file_path(f), suffixes[i]);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    assert_string_equal(file_shell(file_path(f), "PRAGMA page_size", text), "8192");
    assert_string_equal(file_shell(file_path(f), "PRAGMA auto_vacuum", text), "2");
    assert_string_equal(file_shell(file_path(f), "PRAGMA journal_mode", text), "wal");
    assert_string_equal(file_shell(file_path(f), "PRAGMA application_id", text), "1130460270");
    file_close(f);
    assert_false(file_exists(file_path(f), "-wal")); /* a clean end leaves one file */
}

static void a_bare_path_is_a_file(void **state)
{
    suite_fixture *f = *state;
    char bare[256];
    ctn_store *st = NULL;
    snprintf(bare, sizeof bare, "%s/bare:name.db", f->folder);
    assert_int_equal(ctn_store_open(bare, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    assert_true(file_exists(bare, ""));
}

static void what_is_missing_is_named(void **state)
{
    suite_fixture *f = *state;
    char url[256];
    snprintf(url, sizeof url, "sqlite:%s/none.db", f->folder);
    file_open_fails(url, CTN_STORE_READ, CTN_E_NOT_FOUND, url + 7);
    file_open_fails(url, CTN_STORE_WRITE, CTN_E_NOT_FOUND, "there is no store");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_E_NOT_FOUND);
    assert_false(file_exists(url + 7, ""));
    snprintf(url, sizeof url, "sqlite:%s/no/such/none.db", f->folder);
    file_open_fails(url, CTN_STORE_CREATE, CTN_E_NOT_FOUND, "the folder");
    snprintf(url, sizeof url, "sqlite:%s", f->folder);
    file_open_fails(url, CTN_STORE_CREATE, CTN_E_INVALID, "is a folder");
    snprintf(url, sizeof url, "sqlite:%s/test.db/deeper.db", f->folder);
    file_open_fails(url, CTN_STORE_CREATE, CTN_E_NOT_FOUND, "deeper.db");
    file_open_fails("sqlite:/dev/null", CTN_STORE_CREATE, CTN_E_INVALID, "no regular file");
}

static void other_programs_files_are_refused_untouched(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300], text[512];
    snprintf(path, sizeof path, "%s/foreign.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    file_shell(path, "CREATE TABLE contacts(name TEXT); INSERT INTO contacts VALUES('x')", text);
    static const ctn_store_mode modes[] = {CTN_STORE_READ, CTN_STORE_WRITE, CTN_STORE_CREATE};
    ctn_digest before = file_digest(path);
    for (size_t i = 0; i < 3; i++)
        file_open_fails(url, modes[i], CTN_E_CORRUPT, "another program's SQLite database");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_E_CORRUPT);
    file_shell(path, "PRAGMA application_id = 7; PRAGMA user_version = 1", text);
    before = file_digest(path);
    file_open_fails(url, CTN_STORE_CREATE, CTN_E_CORRUPT, "0x00000007");
    static char garbage[20000];
    memset(garbage, 'g', sizeof garbage);
    static const size_t sizes[] = {1, 5, 99, 100, 511, 512, 4096, sizeof garbage};
    ctn_digest after = file_digest(path);
    assert_memory_equal(before.bytes, after.bytes, CTN_DIGEST_BYTES);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_file(path, garbage, sizes[i]);
        before = file_digest(path);
        for (size_t m = 0; m < 3; m++)
            file_open_fails(url, modes[m], CTN_E_CORRUPT, "not a catena store");
        after = file_digest(path);
        assert_memory_equal(before.bytes, after.bytes, CTN_DIGEST_BYTES);
        assert_false(file_exists(path, "-wal"));
    }
}

static void an_empty_file_becomes_a_store_only_on_request(void **state)
{
    suite_fixture *f = *state;
    char path[256], url[300];
    snprintf(path, sizeof path, "%s/empty.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    write_file(path, "", 0);
    file_open_fails(url, CTN_STORE_WRITE, CTN_E_STATE, "store init");
    file_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "store init");
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 0);
    ctn_store *st = NULL;
    assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    char text[512];
    assert_string_equal(file_shell(path, "PRAGMA page_size", text), "8192");
    assert_string_equal(file_shell(path, "PRAGMA auto_vacuum", text), "2");
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
            file_open_fails(url, CTN_STORE_READ, CTN_E_STATE, "is empty");
        ctn_store *st = NULL;
        ctn_err err = {0};
        if (ctn_store_open(url, CTN_STORE_CREATE, &st, &err))
            fail_msg("%s", err.message);
        ctn_store_close(st);
        assert_string_equal(file_shell(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'", text), "0");
    }
}

static void a_newer_file_is_refused_untouched(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 3);
    file_close(f);
    file_shell(file_path(f), "PRAGMA user_version = 999", text);
    ctn_digest before = file_digest(file_path(f));
    static const ctn_store_mode modes[] = {CTN_STORE_READ, CTN_STORE_WRITE, CTN_STORE_CREATE};
    for (size_t i = 0; i < 3; i++)
        file_open_fails(f->url, modes[i], CTN_E_NEWER, "schema 999");
    file_open_fails(f->url, CTN_STORE_CREATE, CTN_E_NEWER, file_path(f));
    ctn_store_version version;
    assert_int_equal(ctn_store_version_read(f->url, &version, NULL), CTN_OK);
    assert_int_equal(version.found, 999);
    ctn_digest after = file_digest(file_path(f));
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
    file_close(f);
    struct stat info;
    assert_int_equal(stat(file_path(f), &info), 0);
    ctn_buf original;
    ctn_buf_init(&original, 64 << 20);
    FILE *file = fopen(file_path(f), "rb");
    char *room = ctn_buf_reserve(&original, (size_t) info.st_size);
    original.len = fread(room, 1, (size_t) info.st_size, file);
    fclose(file);
    size_t failures = 0;
    for (size_t page = 0; page < original.len / 8192; page++) {
        write_file(file_path(f), original.data, original.len);
        int fd = open(file_path(f), O_WRONLY);
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
            assert_non_null(strstr(err.message, file_path(f)));
        } else {
            assert_int_equal(rows, 60);
        }
    }
    assert_true(failures > 3);
    assert_int_equal(truncate(file_path(f), 8192 * 2), 0);
    file_open_fails(f->url, CTN_STORE_WRITE, CTN_E_CORRUPT, file_path(f));
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
    file_shell(file_path(f), "DELETE FROM execution_journal WHERE exec_no = 1 AND seq = 3", text);
    file_shell(file_path(f), "UPDATE execution_journal SET kind = 'dreamt' WHERE exec_no = 2 AND seq = 2", text);
    file_shell(file_path(f), "UPDATE execution_journal SET hash = x'00' WHERE exec_no = 3 AND seq = 2", text);
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
    file_close(f);
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
        assert_int_equal(chmod(file_path(f), cases[i].file), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            ctn_store *st = NULL;
            ctn_err err = {0};
            if (setgid(65534) || setuid(65534))
                _exit(99);
            int rc = ctn_store_open(f->url, cases[i].mode, &st, &err);
            ctn_store_close(st);
            _exit(rc && !strstr(err.message, file_path(f)) ? 98 : rc);
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
    assert_int_equal(sqlite3_open(file_path(f), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 2);
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = 1, .records = records + 1, .count = 1};
    ctn_outcome outcome;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, file_path(f)));
    assert_int_equal(suite_journal_check(f->st, 1), 1); /* readers are not in anybody's way */
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

/* ---- what is gone ---- */

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
        assert_true(files_hold(file_path(f), bytes, sizeof bytes));
    }
    assert_int_equal(ctn_store_data_key_shred(f->st, gone, 6, NULL), CTN_OK);
    for (size_t i = 0; i < 6; i++) {
        key_bytes(bytes, gone[i]);
        assert_false(files_hold(file_path(f), bytes, sizeof bytes));
    }
    key_bytes(bytes, 73);
    assert_true(files_hold(file_path(f), bytes, sizeof bytes));
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(urls_that_name_no_store_say_what_does),
        cmocka_unit_test(a_new_file_is_private_and_set_up),
        cmocka_unit_test(a_bare_path_is_a_file),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(other_programs_files_are_refused_untouched),
        cmocka_unit_test(an_empty_file_becomes_a_store_only_on_request),
        cmocka_unit_test(a_creation_that_was_killed_is_begun_anew),
        cmocka_unit_test(a_newer_file_is_refused_untouched),
        cmocka_unit_test(a_damaged_file_fails_with_a_sentence),
        cmocka_unit_test(one_damaged_execution_fails_alone),
        cmocka_unit_test(without_permission_the_sentence_names_the_file),
        cmocka_unit_test(a_writer_in_the_way_is_contention),
        cmocka_unit_test(the_bytes_of_a_shredded_key_are_in_no_file),
    };
    return suite_run(SUITE_SQLITE, own, sizeof own / sizeof own[0]);
}
