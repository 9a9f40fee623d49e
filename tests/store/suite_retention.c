/*
 * suite_retention.c -- what ended long ago goes, as whole trees and for good; nothing else does (store/retention.h).
 */
#include "suite.h"
#include "store/data_keys.h"

/* An execution as it looks on disk; ended at SUITE_BEGAN_MS + number if its status is final. */
ctn_execution_row suite_made_row(int64_t exec_no, ctn_status status, int64_t parent_no)
{
    ctn_execution_row row = suite_row(exec_no);
    row.status = status;
    row.parent = parent_no ? suite_id((uint32_t) parent_no) : (ctn_execution_id){{0}};
    row.created_at_ms = row.started_at_ms = SUITE_BEGAN_MS;
    row.finished_at_ms = ctn_status_is_final(status) ? SUITE_BEGAN_MS + exec_no : 0;
    row.wake_at_ms = ctn_status_is_final(status) ? 0 : 1;
    return row;
}

void suite_make(suite_fixture *f, int64_t exec_no, ctn_status status, int64_t parent_no, size_t entries)
{
    ctn_execution_row row = suite_made_row(exec_no, status, parent_no);
    suite_create(f, &row, entries);
}

ctn_prune suite_older_than(int64_t number)
{
    ctn_prune what = {0};
    for (int i = CTN_STATUS_COMPLETED; i < CTN_STATUS_COUNT; i++)
        what.before_ms[i] = SUITE_BEGAN_MS + number;
    return what;
}

ctn_pruned suite_prune_all(ctn_store *st, const ctn_prune *what, ctn_prune_walk *ret_walk)
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

bool suite_is_there(suite_fixture *f, int64_t exec_no)
{
    ctn_execution_row row;
    return ctn_store_execution_by_no(f->second, f->arena, exec_no, &row, NULL) == CTN_OK;
}

static void what_ended_long_ago_goes_and_nothing_else(void **state)
{
    suite_fixture *f = *state;
    suite_make(f, 1, CTN_STATUS_COMPLETED, 0, 3);
    suite_make(f, 2, CTN_STATUS_WAITING, 0, 3);
    suite_make(f, 3, CTN_STATUS_FAILED, 0, 3);
    suite_make(f, 4, CTN_STATUS_ROLLED_BACK, 0, 3);
    suite_make(f, 5, CTN_STATUS_INTERRUPTED, 0, 3);
    suite_make(f, 6, CTN_STATUS_CANCELLED, 0, 3);
    suite_make(f, 7, CTN_STATUS_ROLLBACK_FAILED, 0, 3);
    suite_make(f, 50, CTN_STATUS_COMPLETED, 0, 3);
    suite_make(f, 60, CTN_STATUS_FAILED, 0, 3);
    ctn_prune what = suite_older_than(50);
    ctn_prune_walk walk;
    what.is_dry = true;
    ctn_pruned sum = suite_prune_all(f->second, &what, &walk);
    assert_int_equal(sum.executions, 5);
    assert_int_equal(sum.entries, 15);
    assert_true(suite_is_there(f, 1)); /* it only counted */
    what.is_dry = false;
    sum = suite_prune_all(f->st, &what, &walk);
    assert_int_equal(sum.trees, 5);
    assert_int_equal(sum.executions, 5);
    assert_int_equal(sum.entries, 15);
    assert_int_equal(walk.completed.next_at_ms, SUITE_BEGAN_MS + 50);
    assert_int_equal(walk.others.next_at_ms, SUITE_BEGAN_MS + 60);
    static const int64_t stay[] = {2, 5, 50, 60}, go[] = {1, 3, 4, 6, 7};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        assert_true(suite_is_there(f, stay[i]));
        assert_int_equal(suite_journal_check(f->second, stay[i]), 3);
    }
    for (size_t i = 0; i < sizeof go / sizeof *go; i++) {
        assert_false(suite_is_there(f, go[i]));
        assert_int_equal(suite_journal_check(f->second, go[i]), 0);
    }
}

static void each_status_has_an_age_of_its_own(void **state)
{
    suite_fixture *f = *state;
    suite_make(f, 1, CTN_STATUS_COMPLETED, 0, 1);
    suite_make(f, 2, CTN_STATUS_FAILED, 0, 1);
    suite_make(f, 3, CTN_STATUS_CANCELLED, 0, 1);
    suite_make(f, 4, CTN_STATUS_FAILED, 0, 1);
    ctn_prune what = {0};
    what.before_ms[CTN_STATUS_FAILED] = SUITE_BEGAN_MS + 3;
    ctn_prune_walk walk;
    assert_int_equal(suite_prune_all(f->st, &what, &walk).executions, 1);
    assert_true(suite_is_there(f, 1) && !suite_is_there(f, 2) && suite_is_there(f, 3) && suite_is_there(f, 4));
    ctn_retention kept = {.completed_ms = 10, .failed_ms = 1000000};
    ctn_prune_by_age(&kept, SUITE_BEGAN_MS + 12, &what);
    assert_int_equal(suite_prune_all(f->st, &what, &walk).executions, 1);
    assert_true(!suite_is_there(f, 1) && suite_is_there(f, 3) && suite_is_there(f, 4));
    assert_int_equal(ctn_prune_due_ms(&kept, &walk), SUITE_BEGAN_MS + 3 + 1000000 + 1);
    kept = (ctn_retention){0}; /* for ever */
    ctn_prune_by_age(&kept, SUITE_BEGAN_MS * 2, &what);
    assert_int_equal(suite_prune_all(f->st, &what, &walk).executions, 0);
    assert_int_equal(ctn_prune_due_ms(&kept, &walk), 0);
}

/* A tree goes as a whole or stays as a whole, and a sub-chain never goes alone. */
static void a_tree_stays_while_one_of_it_has_not_ended(void **state)
{
    suite_fixture *f = *state;
    suite_make(f, 1, CTN_STATUS_COMPLETED, 0, 2); /* 1 > 2 > 3, 1 > 4 */
    suite_make(f, 2, CTN_STATUS_COMPLETED, 1, 2);
    suite_make(f, 3, CTN_STATUS_RUNNING, 2, 2);
    suite_make(f, 4, CTN_STATUS_FAILED, 1, 2);
    suite_make(f, 5, CTN_STATUS_RUNNING, 0, 2); /* 5 > 6: the parent goes on */
    suite_make(f, 6, CTN_STATUS_COMPLETED, 5, 2);
    ctn_execution_row owing = suite_made_row(7, CTN_STATUS_FAILED, 0); /* its onFailure is not started yet */
    owing.wake_at_ms = 1;
    suite_create(f, &owing, 2);
    ctn_prune what = suite_older_than(1000);
    ctn_prune_walk walk;
    assert_int_equal(suite_prune_all(f->st, &what, &walk).executions, 0);
    assert_int_equal(walk.left, 2);
    for (int64_t no = 1; no <= 7; no++)
        assert_true(suite_is_there(f, no));
    ctn_record *record = suite_records(f->arena, 3, 2, &suite_records(f->arena, 3, 0, NULL, 2)[1].hash, 1);
    ctn_execution_change ended = {.status = CTN_STATUS_CANCELLED, .finished_at_ms = SUITE_BEGAN_MS + 9};
    ctn_append append = {
        .exec_no = 3, .epoch = f->epoch, .seq_expected = 2, .records = record, .count = 1, .change = &ended};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_pruned sum = suite_prune_all(f->st, &what, &walk);
    assert_int_equal(sum.trees, 1);
    assert_int_equal(sum.executions, 4);
    assert_int_equal(sum.entries, 9);
    for (int64_t no = 1; no <= 4; no++)
        assert_false(suite_is_there(f, no));
    assert_true(suite_is_there(f, 5) && suite_is_there(f, 6) && suite_is_there(f, 7));
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
    suite_make(f, 1, CTN_STATUS_COMPLETED, 0, 4);
    suite_make(f, 2, CTN_STATUS_COMPLETED, 0, 4);
    ctn_prune what = suite_older_than(1000);
    assert_int_equal(suite_prune_all(f->st, &what, NULL).executions, 2);
    int64_t last = 0, position = 0, gone = 0;
    assert_int_equal(ctn_store_exec_no_last(f->st, &last, NULL), CTN_OK);
    assert_int_equal(last, 2);
    assert_int_equal(ctn_store_position_last(f->st, &gone, NULL), CTN_OK);
    assert_true(gone >= 8);
    suite_make(f, 3, CTN_STATUS_RUNNING, 0, 1);
    (void) ctn_store_journal_read(f->second, 3, 1, first_position, &position, NULL);
    assert_true(position > gone);
    /* and by somebody who opens the store anew */
    suite_make(f, 4, CTN_STATUS_COMPLETED, 0, 2);
    assert_int_equal(ctn_store_position_last(f->st, &gone, NULL), CTN_OK);
    assert_int_equal(suite_prune_all(f->second, &what, NULL).executions, 1);
    ctn_store_close(f->st);
    f->st = NULL;
    assert_int_equal(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, NULL), CTN_OK);
    suite_make(f, 5, CTN_STATUS_RUNNING, 0, 1);
    (void) ctn_store_journal_read(f->second, 5, 1, first_position, &position, NULL);
    assert_true(position > gone);
}

/* The handle that wrote it remembers where its journal ends; that must not let an entry in. */
static void an_append_to_one_that_is_gone_is_refused(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 2; no++) {
        suite_make(f, no, CTN_STATUS_COMPLETED, 0, 2);
        ctn_prune what = suite_older_than(1000);
        assert_int_equal(suite_prune_all(no == 1 ? f->st : f->second, &what, NULL).executions, 1);
        ctn_digest hash = suite_records(f->arena, no, 0, NULL, 2)[1].hash;
        ctn_append append = {.exec_no = no,
                             .epoch = f->epoch,
                             .seq_expected = 2,
                             .records = suite_records(f->arena, no, 2, &hash, 1),
                             .count = 1};
        assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
        assert_int_equal(suite_journal_check(f->second, no), 0);
    }
}

static void what_is_kept_beside_an_execution_goes_with_it(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key key = {CTN_STR("master"), CTN_STR("wrapped-bytes")};
    ctn_execution_row row = suite_made_row(1, CTN_STATUS_COMPLETED, 0);
    row.idempotency_key = CTN_STR("order-7");
    ctn_result_row result = {CTN_STR("k"), CTN_STR("1"), SUITE_BEGAN_MS, SUITE_BEGAN_MS + 20};
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, 1, 0, NULL, 1),
                         .count = 1,
                         .results = &result,
                         .result_count = 1,
                         .data_key = &key};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_prune what = suite_older_than(1000);
    what.results_before_ms = SUITE_BEGAN_MS + 20;
    ctn_result_row read;
    assert_int_equal(suite_prune_all(f->st, &what, NULL).results, 0);
    assert_int_equal(ctn_store_result_get(f->st, f->arena, CTN_STR("k"), &read, NULL), CTN_OK);
    what.results_before_ms = SUITE_BEGAN_MS + 21;
    assert_int_equal(suite_prune_all(f->st, &what, NULL).results, 1);
    assert_int_equal(ctn_store_result_get(f->st, f->arena, CTN_STR("k"), &read, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_data_key_get(f->st, f->arena, 1, &key, NULL), CTN_E_NOT_FOUND);
    /* its idempotency key is free again */
    row.exec_no = 2;
    row.id = suite_id(2);
    append = (ctn_append){
        .exec_no = 2, .epoch = f->epoch, .row = &row, .records = suite_records(f->arena, 2, 0, NULL, 1), .count = 1};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(what_ended_long_ago_goes_and_nothing_else),
    cmocka_unit_test(each_status_has_an_age_of_its_own),
    cmocka_unit_test(a_tree_stays_while_one_of_it_has_not_ended),
    cmocka_unit_test(numbers_of_what_is_gone_never_come_again),
    cmocka_unit_test(an_append_to_one_that_is_gone_is_refused),
    cmocka_unit_test(what_is_kept_beside_an_execution_goes_with_it),
};
const suite_part suite_retention = {TESTS, sizeof TESTS / sizeof TESTS[0]};
