/*
 * test_retention.c -- what ended long ago goes, whole and for good, and its space comes back.
 */
#include "suite.h"
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

#define BEGAN_MS INT64_C(1700000000000)

static const char *path_of(const suite_fixture *f)
{
    return ctn_store_url_file(f->url).ptr;
}

/* What a person asks with the sqlite3 shell: one number. */
static int64_t ask(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

/* An execution as it looks on disk; ended at BEGAN_MS + number if its status is final. */
static ctn_execution_row made_row(int64_t exec_no, ctn_status status, int64_t parent_no)
{
    ctn_execution_row row = suite_row(exec_no);
    row.status = status;
    row.parent = parent_no ? suite_id((uint32_t) parent_no) : (ctn_execution_id){{0}};
    row.created_at_ms = row.started_at_ms = BEGAN_MS;
    row.finished_at_ms = ctn_status_is_final(status) ? BEGAN_MS + exec_no : 0;
    row.wake_at_ms = ctn_status_is_final(status) ? 0 : 1;
    return row;
}

static void make(suite_fixture *f, int64_t exec_no, ctn_status status, int64_t parent_no, size_t entries)
{
    ctn_execution_row row = made_row(exec_no, status, parent_no);
    suite_create(f, &row, entries);
}

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
            rows[i] = made_row(no, status, 0);
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

static ctn_prune older_than(int64_t number)
{
    ctn_prune what = {0};
    for (int i = CTN_STATUS_COMPLETED; i < CTN_STATUS_COUNT; i++)
        what.before_ms[i] = BEGAN_MS + number;
    return what;
}

static ctn_pruned prune_all(ctn_store *st, const ctn_prune *what, ctn_prune_walk *ret_walk)
{
    ctn_prune_walk walk = {0};
    ctn_pruned sum = {0};
    ctn_err err = {0};
    for (int calls = 0; !walk.is_done; calls++) {
        if (ctn_store_prune(st, what, &walk, &sum, &err))
            fail_msg("%s", err.message);
        assert_true(calls < 100000);
    }
    if (ret_walk)
        *ret_walk = walk;
    return sum;
}

static bool is_there(suite_fixture *f, int64_t exec_no)
{
    ctn_execution_row row;
    return ctn_store_execution_by_no(f->second, f->arena, exec_no, &row, NULL) == CTN_OK;
}

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    (void) record, (void) position;
    ++*(size_t *) ctx;
    return 0;
}

static size_t journal_length(suite_fixture *f, int64_t exec_no)
{
    size_t count = 0;
    assert_int_equal(ctn_store_journal_read(f->second, exec_no, 1, count_record, &count, NULL), CTN_OK);
    return count;
}

/* ---- what goes and what stays, in both backends ---- */

static void what_ended_long_ago_goes_and_nothing_else(void **state)
{
    suite_fixture *f = *state;
    make(f, 1, CTN_STATUS_COMPLETED, 0, 3);
    make(f, 2, CTN_STATUS_WAITING, 0, 3);
    make(f, 3, CTN_STATUS_FAILED, 0, 3);
    make(f, 4, CTN_STATUS_ROLLED_BACK, 0, 3);
    make(f, 5, CTN_STATUS_INTERRUPTED, 0, 3);
    make(f, 6, CTN_STATUS_CANCELLED, 0, 3);
    make(f, 7, CTN_STATUS_ROLLBACK_FAILED, 0, 3);
    make(f, 50, CTN_STATUS_COMPLETED, 0, 3);
    make(f, 60, CTN_STATUS_FAILED, 0, 3);
    ctn_prune what = older_than(50);
    ctn_prune_walk walk;
    what.is_dry = true;
    ctn_pruned sum = prune_all(f->second, &what, &walk);
    assert_int_equal(sum.executions, 5);
    assert_int_equal(sum.entries, 15);
    assert_true(is_there(f, 1)); /* it only counted */
    what.is_dry = false;
    sum = prune_all(f->st, &what, &walk);
    assert_int_equal(sum.trees, 5);
    assert_int_equal(sum.executions, 5);
    assert_int_equal(sum.entries, 15);
    assert_int_equal(walk.completed.next_at_ms, BEGAN_MS + 50);
    assert_int_equal(walk.others.next_at_ms, BEGAN_MS + 60);
    static const int64_t stay[] = {2, 5, 50, 60}, go[] = {1, 3, 4, 6, 7};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        assert_true(is_there(f, stay[i]));
        assert_int_equal(suite_journal_check(f->second, stay[i]), 3);
    }
    for (size_t i = 0; i < sizeof go / sizeof *go; i++) {
        assert_false(is_there(f, go[i]));
        assert_int_equal(journal_length(f, go[i]), 0);
    }
}

static void each_status_has_an_age_of_its_own(void **state)
{
    suite_fixture *f = *state;
    make(f, 1, CTN_STATUS_COMPLETED, 0, 1);
    make(f, 2, CTN_STATUS_FAILED, 0, 1);
    make(f, 3, CTN_STATUS_CANCELLED, 0, 1);
    make(f, 4, CTN_STATUS_FAILED, 0, 1);
    ctn_prune what = {0};
    what.before_ms[CTN_STATUS_FAILED] = BEGAN_MS + 3;
    ctn_prune_walk walk;
    assert_int_equal(prune_all(f->st, &what, &walk).executions, 1);
    assert_true(is_there(f, 1) && !is_there(f, 2) && is_there(f, 3) && is_there(f, 4));
    ctn_retention kept = {.completed_ms = 10, .failed_ms = 1000000};
    ctn_prune_by_age(&kept, BEGAN_MS + 12, &what);
    assert_int_equal(prune_all(f->st, &what, &walk).executions, 1);
    assert_true(!is_there(f, 1) && is_there(f, 3) && is_there(f, 4));
    assert_int_equal(ctn_prune_due_ms(&kept, &walk), BEGAN_MS + 3 + 1000000 + 1);
    kept = (ctn_retention){0}; /* for ever */
    ctn_prune_by_age(&kept, BEGAN_MS * 2, &what);
    assert_int_equal(prune_all(f->st, &what, &walk).executions, 0);
    assert_int_equal(ctn_prune_due_ms(&kept, &walk), 0);
}

/* A tree goes as a whole or stays as a whole, and a sub-chain never goes alone. */
static void a_tree_stays_while_one_of_it_has_not_ended(void **state)
{
    suite_fixture *f = *state;
    make(f, 1, CTN_STATUS_COMPLETED, 0, 2); /* 1 > 2 > 3, 1 > 4 */
    make(f, 2, CTN_STATUS_COMPLETED, 1, 2);
    make(f, 3, CTN_STATUS_RUNNING, 2, 2);
    make(f, 4, CTN_STATUS_FAILED, 1, 2);
    make(f, 5, CTN_STATUS_RUNNING, 0, 2); /* 5 > 6: the parent goes on */
    make(f, 6, CTN_STATUS_COMPLETED, 5, 2);
    ctn_execution_row owing = made_row(7, CTN_STATUS_FAILED, 0); /* its onFailure is not started yet */
    owing.wake_at_ms = 1;
    suite_create(f, &owing, 2);
    ctn_prune what = older_than(1000);
    ctn_prune_walk walk;
    assert_int_equal(prune_all(f->st, &what, &walk).executions, 0);
    assert_int_equal(walk.left, 2);
    for (int64_t no = 1; no <= 7; no++)
        assert_true(is_there(f, no));
    ctn_record *record = suite_records(f->arena, 3, 2, &suite_records(f->arena, 3, 0, NULL, 2)[1].hash, 1);
    ctn_execution_change ended = {.status = CTN_STATUS_CANCELLED, .finished_at_ms = BEGAN_MS + 9};
    ctn_append append = {
        .exec_no = 3, .epoch = f->epoch, .seq_expected = 2, .records = record, .count = 1, .change = &ended};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_pruned sum = prune_all(f->st, &what, &walk);
    assert_int_equal(sum.trees, 1);
    assert_int_equal(sum.executions, 4);
    assert_int_equal(sum.entries, 9);
    for (int64_t no = 1; no <= 4; no++)
        assert_false(is_there(f, no));
    assert_true(is_there(f, 5) && is_there(f, 6) && is_there(f, 7));
}

static int first_position(void *ctx, const ctn_record *record, int64_t position)
{
    (void) record;
    *(int64_t *) ctx = position;
    return 1;
}

/* A stream of events resumes behind a position: were one given out again, it would miss what stands there. */
static void numbers_of_what_is_gone_never_come_again(void **state)
{
    suite_fixture *f = *state;
    make(f, 1, CTN_STATUS_COMPLETED, 0, 4);
    make(f, 2, CTN_STATUS_COMPLETED, 0, 4);
    ctn_prune what = older_than(1000);
    assert_int_equal(prune_all(f->st, &what, NULL).executions, 2);
    int64_t last = 0, position = 0;
    assert_int_equal(ctn_store_exec_no_last(f->st, &last, NULL), CTN_OK);
    assert_int_equal(last, 2);
    make(f, 3, CTN_STATUS_RUNNING, 0, 1);
    (void) ctn_store_journal_read(f->second, 3, 1, first_position, &position, NULL);
    assert_int_equal(position, 9);
    /* and by somebody who opens the store anew */
    make(f, 4, CTN_STATUS_COMPLETED, 0, 2);
    assert_int_equal(prune_all(f->second, &what, NULL).executions, 1);
    ctn_store_close(f->st);
    f->st = NULL;
    assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, NULL), CTN_OK);
    make(f, 5, CTN_STATUS_RUNNING, 0, 1);
    (void) ctn_store_journal_read(f->second, 5, 1, first_position, &position, NULL);
    assert_int_equal(position, 12);
}

/* The handle that wrote it remembers where its journal ends; that must not let an entry in. */
static void an_append_to_one_that_is_gone_is_refused(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 2; no++) {
        make(f, no, CTN_STATUS_COMPLETED, 0, 2);
        ctn_prune what = older_than(1000);
        assert_int_equal(prune_all(no == 1 ? f->st : f->second, &what, NULL).executions, 1);
        ctn_digest hash = suite_records(f->arena, no, 0, NULL, 2)[1].hash;
        ctn_append append = {.exec_no = no,
                             .epoch = f->epoch,
                             .seq_expected = 2,
                             .records = suite_records(f->arena, no, 2, &hash, 1),
                             .count = 1};
        assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
        assert_int_equal(journal_length(f, no), 0);
    }
}

static void what_is_kept_beside_an_execution_goes_with_it(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key key = {CTN_STR("master"), CTN_STR("wrapped-bytes")};
    ctn_execution_row row = made_row(1, CTN_STATUS_COMPLETED, 0);
    row.idempotency_key = CTN_STR("order-7");
    ctn_result_row result = {CTN_STR("k"), CTN_STR("1"), BEGAN_MS, BEGAN_MS + 20};
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, 1, 0, NULL, 1),
                         .count = 1,
                         .results = &result,
                         .result_count = 1,
                         .data_key = &key};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_prune what = older_than(1000);
    what.results_before_ms = BEGAN_MS + 20;
    ctn_result_row read;
    assert_int_equal(prune_all(f->st, &what, NULL).results, 0);
    assert_int_equal(ctn_store_result_get(f->st, f->arena, CTN_STR("k"), &read, NULL), CTN_OK);
    what.results_before_ms = BEGAN_MS + 21;
    assert_int_equal(prune_all(f->st, &what, NULL).results, 1);
    assert_int_equal(ctn_store_result_get(f->st, f->arena, CTN_STR("k"), &read, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_data_key_get(f->st, f->arena, 1, &key, NULL), CTN_E_NOT_FOUND);
    /* its idempotency key is free again */
    row.exec_no = 2;
    row.id = suite_id(2);
    append = (ctn_append){
        .exec_no = 2, .epoch = f->epoch, .row = &row, .records = suite_records(f->arena, 2, 0, NULL, 1), .count = 1};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
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
    make(f, 2, CTN_STATUS_COMPLETED, 1, 100);
    make(f, 3, CTN_STATUS_RUNNING, 0, 5);
    ctn_prune what = older_than(100);
    what.entries_max = 64;
    ctn_prune_walk walk = {0};
    ctn_pruned sum = {0};
    assert_int_equal(ctn_store_prune(f->st, &what, &walk, &sum, NULL), CTN_OK);
    assert_false(walk.is_done);
    assert_false(is_there(f, 1) || is_there(f, 2));
    assert_int_equal(ask(path_of(f), ORPHANS), 0);
    int64_t before = ask(path_of(f), "SELECT count(*) FROM execution_journal");
    assert_true(before > 900);
    /* somebody else, later, who starts a walk of his own */
    walk = (ctn_prune_walk){0};
    for (int calls = 0; !walk.is_done; calls++) {
        assert_int_equal(ctn_store_prune(f->second, &what, &walk, &sum, NULL), CTN_OK);
        int64_t now = ask(path_of(f), "SELECT count(*) FROM execution_journal");
        assert_true(before - now <= 64);
        before = now;
        assert_true(calls < 100);
    }
    assert_int_equal(before, 5);
    assert_int_equal(ask(path_of(f), "SELECT count(*) FROM pruning"), 0);
    assert_int_equal(ask(path_of(f), ORPHANS), 0);
}

static off_t file_bytes(const suite_fixture *f, const char *suffix)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", path_of(f), suffix);
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
    ctn_prune what = older_than(1000000);
    ctn_pruned sum = prune_all(f->st, &what, NULL);
    shrink_all(f->st);
    ctn_store_rest(f->st);
    off_t after = file_bytes(f, "") + file_bytes(f, "-wal");
    print_message("%s: %" PRIu64 " executions gone, %ld to %ld KiB (-%.1f %%)\n", what_stays, sum.executions,
                  (long) before / 1024, (long) after / 1024, 100.0 - 100.0 * (double) after / (double) before);
    assert_int_equal(sum.executions, 4500);
    assert_int_equal(ask(path_of(f), "SELECT count(*) FROM chain_executions"), 500);
    assert_int_equal(ask(path_of(f), ORPHANS), 0);
    assert_true(after * 5 <= before);
    assert_int_equal(ask(path_of(f), "SELECT count(*) = 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
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
            rows[i] = made_row(first + i, i % 10 == 3 ? CTN_STATUS_WAITING : CTN_STATUS_COMPLETED, 0);
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
    for (int round = 0; round < 30; round++) {
        int64_t first = next;
        make_many(f, next, 60, 12, CTN_STATUS_COMPLETED);
        next += 60;
        for (int64_t i = 0; i < 60; i += 3)
            make(f, next++, CTN_STATUS_COMPLETED, first + i, 4); /* each third has a sub-chain */
        make_many(f, next++, 1, 500, CTN_STATUS_FAILED);         /* larger than a transaction */
        ctn_store_close(f->st);
        ctn_store_close(f->second);
        f->st = f->second = NULL;
        int64_t before = ask(path_of(f), "SELECT count(*) FROM chain_executions");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            ctn_store *st = NULL;
            ctn_prune what = older_than(1000000);
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
        nanosleep(&(struct timespec){.tv_nsec = 300000 + round * 1200000}, NULL);
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, NULL), CTN_OK);
        assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->second, NULL), CTN_OK);
        assert_int_equal(ask(path_of(f), ORPHANS), 0);
        int64_t after = ask(path_of(f), "SELECT count(*) FROM chain_executions");
        unfinished += after > 0 && after < before;
    }
    ctn_prune what = older_than(1000000);
    (void) prune_all(f->st, &what, NULL);
    assert_int_equal(ask(path_of(f), "SELECT count(*) FROM execution_journal"), 0);
    print_message("30 kills, %d in the middle of a round\n", unfinished);
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
    assert_int_equal(sqlite3_open_v2(path_of(f), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
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

#define BOTH(X)                                                                                                        \
    X(what_ended_long_ago_goes_and_nothing_else)                                                                       \
    X(each_status_has_an_age_of_its_own)                                                                               \
    X(a_tree_stays_while_one_of_it_has_not_ended)                                                                      \
    X(numbers_of_what_is_gone_never_come_again)                                                                        \
    X(an_append_to_one_that_is_gone_is_refused)                                                                        \
    X(what_is_kept_beside_an_execution_goes_with_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(SUITE_ENTRY_MEMORY) BOTH(SUITE_ENTRY_SQLITE) cmocka_unit_test(spans_are_read),
        SUITE_ENTRY_SQLITE(a_large_tree_goes_in_pieces_and_shows_nothing) SUITE_ENTRY_SQLITE(
            the_file_shrinks_when_the_oldest_go) SUITE_ENTRY_SQLITE(the_file_shrinks_when_every_tenth_stays)
            SUITE_ENTRY_SQLITE(the_file_shrinks_when_those_that_stay_are_strewn_over_it)
                SUITE_ENTRY_SQLITE(a_kill_while_pruning_leaves_whole_trees) SUITE_ENTRY_SQLITE(no_statement_scans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
