/*
 * test_retention.c -- of a store file: what goes leaves no trace whoever dies meanwhile, its space comes back, and
 * nothing is scanned for it. What every backend keeps of it is in suite_retention.c.
 */
#include "suite.h"
#include "sqlite_file.h"
#include "base/memory.h"
#include "store/data_keys.h"
#include "store/retention.h"
#include "store/sqlite/db.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Many at once, with bodies of a usual size. */
static void make_many(suite_fixture *f, int64_t first_no, size_t count, size_t entries, ctn_status status)
{
    enum { BATCH = 500 };
    static const char SPACE[] = "                                                                                "
                                "                                                                                ";
    for (size_t done = 0; done < count; done += BATCH) {
        size_t some = count - done < BATCH ? count - done : BATCH;
        ctn_arena_mark mark = ctn_arena_save(f->arena);
        ctn_append *appends = CTN_NEW_ARRAY(f->arena, ctn_append, some);
        ctn_execution_row *rows = CTN_NEW_ARRAY(f->arena, ctn_execution_row, some);
        ctn_outcome *outcomes = CTN_NEW_ARRAY(f->arena, ctn_outcome, some);
        for (size_t i = 0; i < some; i++) {
            int64_t no = first_no + (int64_t) (done + i);
            rows[i] = suite_made_row(no, status, 0);
            ctn_record *records = suite_records(f->arena, no, 0, NULL, entries);
            for (size_t k = 0; k < entries; k++)
                records[k].body = ctn_arena_printf(f->arena, "{\"variables\":{\"n\":%zu,\"pad\":\"%s\"}}", k, SPACE);
            appends[i] =
                (ctn_append){.exec_no = no, .epoch = f->epoch, .row = &rows[i], .records = records, .count = entries};
        }
        ctn_err err = {0};
        if (ctn_store_commit(f->st, appends, some, outcomes, &err))
            fail_msg("%s", err.message);
        for (size_t i = 0; i < some; i++)
            assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
        ctn_arena_restore(f->arena, mark);
    }
}

static void spans_are_read(void **state)
{
    (void) state;
    int64_t ms = 0;
    assert_true(ctn_retention_span(CTN_STR("30d"), &ms) && ms == INT64_C(2592000000));
    assert_true(ctn_retention_span(CTN_STR("12h"), &ms) && ms == 43200000);
    assert_true(ctn_retention_span(CTN_STR("5m"), &ms) && ms == 300000);
    assert_true(ctn_retention_span(CTN_STR("1s"), &ms) && ms == 1000);
    assert_true(ctn_retention_span(CTN_STR("forever"), &ms) && ms == 0);
    static const char *const WRONG[] = {"", "d", "0d", "-3d", "3", "3w", "1.5h", "36501d", "99999999999999999999d"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_false(ctn_retention_span(ctn_str_from(WRONG[i]), &ms));
}

/* ---- files ---- */

static const char ORPHANS[] =
    "SELECT (SELECT count(*) FROM execution_journal WHERE exec_no NOT IN (SELECT exec_no FROM chain_executions)"
    "  AND exec_no NOT IN (SELECT exec_no FROM pruning))"
    " + (SELECT count(*) FROM chain_executions e WHERE NOT EXISTS (SELECT 1 FROM execution_journal j"
    "  WHERE j.exec_no = e.exec_no))"
    " + (SELECT count(*) FROM chain_executions e WHERE parent_id IS NOT NULL AND parent_id NOT IN"
    "  (SELECT execution_id FROM chain_executions))"
    " + (SELECT count(*) FROM pruning WHERE exec_no IN (SELECT exec_no FROM chain_executions))";

/* One of a million entries must not hold the writer for seconds; whoever dies in between, nothing of it shows. */
static void a_large_tree_goes_in_pieces_and_shows_nothing(void **state)
{
    suite_fixture *f = *state;
    make_many(f, 1, 1, 1000, CTN_STATUS_COMPLETED);
    suite_make(f, 2, CTN_STATUS_COMPLETED, 1, 100);
    suite_make(f, 3, CTN_STATUS_RUNNING, 0, 5);
    ctn_prune what = suite_older_than(100);
    what.entries_max = 64;
    ctn_prune_walk walk = {0};
    ctn_pruned sum = {0};
    assert_int_equal(ctn_store_prune(f->st, &what, &walk, &sum, NULL), CTN_OK);
    assert_false(walk.is_done);
    assert_false(suite_is_there(f, 1) || suite_is_there(f, 2));
    assert_int_equal(file_ask(file_path(f), ORPHANS), 0);
    int64_t before = file_ask(file_path(f), "SELECT count(*) FROM execution_journal");
    assert_true(before > 900);
    /* somebody else, later, who starts a walk of his own */
    walk = (ctn_prune_walk){0};
    for (int calls = 0; !walk.is_done; calls++) {
        assert_int_equal(ctn_store_prune(f->second, &what, &walk, &sum, NULL), CTN_OK);
        int64_t now = file_ask(file_path(f), "SELECT count(*) FROM execution_journal");
        assert_true(before - now <= 64);
        before = now;
        assert_true(calls < 100);
    }
    assert_int_equal(before, 5);
    assert_int_equal(file_ask(file_path(f), "SELECT count(*) FROM pruning"), 0);
    assert_int_equal(file_ask(file_path(f), ORPHANS), 0);
}

static off_t file_bytes(const suite_fixture *f, const char *suffix)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", file_path(f), suffix);
    return stat(path, &info) ? 0 : info.st_size;
}

static void shrink_all(ctn_store *st)
{
    ctn_err err = {0};
    for (bool more = true; more;)
        if (ctn_store_shrink(st, 64, &more, &err))
            fail_msg("%s", err.message);
}

/* Nine of ten go; the bytes of the database and of its log before and after. */
static void check_shrinks(suite_fixture *f, const char *what_stays)
{
    ctn_store_rest(f->st);
    off_t before = file_bytes(f, "") + file_bytes(f, "-wal");
    ctn_prune what = suite_older_than(1000000);
    ctn_pruned sum = suite_prune_all(f->st, &what, NULL);
    shrink_all(f->st);
    ctn_store_rest(f->st);
    off_t after = file_bytes(f, "") + file_bytes(f, "-wal");
    print_message("%s: %" PRIu64 " executions gone, %ld to %ld KiB (-%.1f %%)\n", what_stays, sum.executions,
                  (long) before / 1024, (long) after / 1024, 100.0 - 100.0 * (double) after / (double) before);
    assert_int_equal(sum.executions, 4500);
    assert_int_equal(file_ask(file_path(f), "SELECT count(*) FROM chain_executions"), 500);
    assert_int_equal(file_ask(file_path(f), ORPHANS), 0);
    assert_true(after * 5 <= before);
    assert_int_equal(
        file_ask(file_path(f), "SELECT count(*) = 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

static void the_file_shrinks_when_the_oldest_go(void **state)
{
    suite_fixture *f = *state;
    make_many(f, 1, 4500, 7, CTN_STATUS_COMPLETED);
    make_many(f, 4501, 500, 7, CTN_STATUS_WAITING);
    check_shrinks(f, "the newest stay");
}

static void the_file_shrinks_when_every_tenth_stays(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 5000; no += 10) {
        make_many(f, no, 9, 7, CTN_STATUS_COMPLETED);
        make_many(f, no + 9, 1, 7, CTN_STATUS_WAITING);
    }
    check_shrinks(f, "every tenth stays");
}

/* As 500 executions in flight write: an entry of each in turn, so every page of the journal keeps something. */
static void the_file_shrinks_when_those_that_stay_are_strewn_over_it(void **state)
{
    suite_fixture *f = *state;
    enum { FLIGHT = 500 };
    for (int64_t first = 1; first <= 5000; first += FLIGHT) {
        ctn_arena_mark mark = ctn_arena_save(f->arena);
        ctn_record *records[FLIGHT];
        ctn_execution_row rows[FLIGHT];
        for (int64_t i = 0; i < FLIGHT; i++) {
            rows[i] = suite_made_row(first + i, i % 10 == 3 ? CTN_STATUS_WAITING : CTN_STATUS_COMPLETED, 0);
            records[i] = suite_records(f->arena, first + i, 0, NULL, 7);
            for (size_t k = 0; k < 7; k++)
                records[i][k].body = ctn_arena_printf(f->arena, "{\"variables\":{\"n\":\"%0200zu\"}}", k);
        }
        for (uint64_t seq = 0; seq < 7; seq++) {
            ctn_append appends[FLIGHT];
            ctn_outcome outcomes[FLIGHT];
            for (size_t i = 0; i < FLIGHT; i++)
                appends[i] = (ctn_append){.exec_no = first + (int64_t) i,
                                          .epoch = f->epoch,
                                          .seq_expected = seq,
                                          .row = seq ? NULL : &rows[i],
                                          .records = &records[i][seq],
                                          .count = 1};
            assert_int_equal(ctn_store_commit(f->st, appends, FLIGHT, outcomes, NULL), CTN_OK);
            for (size_t i = 0; i < FLIGHT; i++)
                assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
        }
        ctn_arena_restore(f->arena, mark);
    }
    check_shrinks(f, "strewn");
}

/* Prunes until it is killed, at any moment: whole trees are there, or nothing of them. */
static void a_kill_while_pruning_leaves_whole_trees(void **state)
{
    suite_fixture *f = *state;
    int64_t next = 1;
    int unfinished = 0;
    int round = 0;
    for (; round < 30 || (unfinished < 3 && round < 120); round++) { /* a busy machine hits the middle less often */
        int64_t first = next;
        make_many(f, next, 60, 12, CTN_STATUS_COMPLETED);
        next += 60;
        for (int64_t i = 0; i < 60; i += 3)
            suite_make(f, next++, CTN_STATUS_COMPLETED, first + i, 4); /* each third has a sub-chain */
        make_many(f, next++, 1, 500, CTN_STATUS_FAILED);               /* larger than a transaction */
        ctn_store_close(f->st);
        ctn_store_close(f->second);
        f->st = f->second = NULL;
        int64_t before = file_ask(file_path(f), "SELECT count(*) FROM chain_executions");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            ctn_store *st = NULL;
            ctn_prune what = suite_older_than(1000000);
            ctn_prune_walk walk = {0};
            ctn_pruned sum = {0};
            bool more = true;
            what.entries_max = 16;
            int rc = ctn_store_open(f->url, CTN_STORE_WRITE, &st, NULL);
            while (!rc && !walk.is_done)
                rc = ctn_store_prune(st, &what, &walk, &sum, NULL);
            while (!rc && more)
                rc = ctn_store_shrink(st, 4, &more, NULL);
            _exit(rc);
        }
        nanosleep(&(struct timespec){.tv_nsec = 300000 + round % 30 * 1200000}, NULL);
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, NULL), CTN_OK);
        assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->second, NULL), CTN_OK);
        assert_int_equal(file_ask(file_path(f), ORPHANS), 0);
        int64_t after = file_ask(file_path(f), "SELECT count(*) FROM chain_executions");
        unfinished += after > 0 && after < before;
    }
    ctn_prune what = suite_older_than(1000000);
    (void) suite_prune_all(f->st, &what, NULL);
    assert_int_equal(file_ask(file_path(f), "SELECT count(*) FROM execution_journal"), 0);
    print_message("%d kills, %d in the middle of a round\n", round, unfinished);
    assert_true(unfinished >= 3);
}

/* ---- nothing is scanned ---- */

/* Those that read a whole table, and may: it is small, or a person asked. */
static bool may_scan(sqlite_sql which, const char *plan)
{
    static const char *const SMALL[] = {"SCAN meta", "SCAN schedules", "SCAN breakers", "SCAN pruning"};
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++)
        if (strncmp(plan, SMALL[i], strlen(SMALL[i])) == 0)
            return true;
    return which == SQL_CHAIN_LIST || strstr(plan, "VIRTUAL TABLE") || strstr(plan, "CONSTANT ROW") ||
           strstr(plan, "LIST SUBQUERY");
}

/* Ten million rows must not slow a statement, so none may walk a table: the guard of start-up, turns and commits. */
static void no_statement_scans(void **state)
{
    suite_fixture *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(file_path(f), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    int statements = 0;
    for (int which = 0; which < SQL_COUNT; which++) {
        char sql[6000];
        sqlite3_stmt *stmt = NULL;
        const char *text = ctn_sqlite_sql((sqlite_sql) which);
        assert_non_null(text);
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", text);
        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
            fail_msg("%s: %s", text, sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *plan = (const char *) sqlite3_column_text(stmt, 3);
            bool is_search_of_index =
                strstr(plan, "INDEX chain_executions_queue") || strstr(plan, "chain_executions_owing");
            if ((strncmp(plan, "SCAN", 4) == 0 && !is_search_of_index && !may_scan((sqlite_sql) which, plan)) ||
                strstr(plan, "AUTOMATIC") || strstr(plan, "TEMP B-TREE"))
                fail_msg("%s\n  %s", text, plan);
        }
        sqlite3_finalize(stmt);
        statements++;
    }
    sqlite3_close(db);
    print_message("%d statements\n", statements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_read),
        SUITE_TEST_SQLITE(a_large_tree_goes_in_pieces_and_shows_nothing),
        SUITE_TEST_SQLITE(the_file_shrinks_when_the_oldest_go),
        SUITE_TEST_SQLITE(the_file_shrinks_when_every_tenth_stays),
        SUITE_TEST_SQLITE(the_file_shrinks_when_those_that_stay_are_strewn_over_it),
        SUITE_TEST_SQLITE(a_kill_while_pruning_leaves_whole_trees),
        SUITE_TEST_SQLITE(no_statement_scans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
