/*
 * test_commit.c -- commits to a store file are whole wherever the process dies, and synced unless the URL says
 * otherwise.
 */
#include "suite.h"
#include "sqlite_file.h"
#include "store/sqlite/db.h"
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
    file_close(f);
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
        usleep((useconds_t) (ctn_rng_next(&rng) % 15000));
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
    assert_string_equal(file_shell(file_path(f), "PRAGMA integrity_check", text), "ok");
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
        SUITE_TEST_SQLITE(appends_are_whole_wherever_the_process_dies),
        SUITE_TEST_SQLITE(every_commit_is_synced_unless_the_url_says_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
