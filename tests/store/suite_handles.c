/*
 * suite_handles.c -- several handles on one store: epochs fence (promise 2), what was committed stays, readers write
 * nothing.
 */
#include "suite.h"
#include "store/audit.h"

static void a_second_handle_sees_and_fences(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 2);
    assert_int_equal(suite_journal_check(f->second, 1), 2);
    uint64_t newer;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    assert_true(was_crash);
    ctn_append append = suite_next_append(f, 1, 2, 1);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_EPOCH);
    append.epoch = newer;
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

/* What a handle remembers of sequence numbers must not outlive another handle's commit. */
static void two_handles_that_write_in_turns_stay_right(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    for (uint64_t seq = 1; seq < 20; seq++) {
        ctn_append append = suite_next_append(f, 1, seq, 1);
        ctn_store *writer = seq % 2 ? f->second : f->st, *other = seq % 2 ? f->st : f->second;
        assert_int_equal(suite_append(writer, &append), CTN_OUTCOME_ACCEPTED);
        assert_int_equal(suite_append(other, &append), CTN_OUTCOME_STALE_SEQ);
    }
    assert_int_equal(suite_journal_check(f->st, 1), 20);
}

static void everything_is_there_after_reopening(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 3);
    ctn_digest digest;
    suite_definition(f, "{}", &digest);
    ctn_store_close(f->st);
    f->st = NULL;
    if (f->folder[0]) { /* a file needs nobody to hold it open */
        ctn_store_close(f->second);
        f->second = NULL;
    }
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err_));
    assert_int_equal(suite_journal_check(f->st, 1), 3);
    assert_str(suite_read_row(f, f->st, 1).chain_id, "trip");
    ctn_definition definition;
    assert_ok(ctn_store_definition_get(f->st, f->arena, &digest, &definition, &err_));
    ctn_append append = suite_next_append(f, 1, 3, 1);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 1), 4);
}

static void epochs_grow_and_tell_a_crash(void **state)
{
    suite_fixture *f = *state;
    uint64_t epoch, before = f->epoch;
    bool was_crash = false;
    assert_ok(ctn_store_epoch_begin(f->second, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_true(was_crash);
    assert_ok(ctn_store_epoch_end(f->second, epoch, &err_));
    before = epoch;
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_false(was_crash);
    before = epoch;
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_true(was_crash);
}

static void a_replaced_owner_cannot_say_good_bye(void **state)
{
    suite_fixture *f = *state;
    uint64_t newer, newest;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    ctn_err err = {0};
    assert_int_equal(ctn_store_epoch_end(f->st, f->epoch, &err), CTN_E_STALE);
    assert_true(err.message[0] != '\0');
    assert_ok(ctn_store_epoch_begin(f->st, &newest, &was_crash, &err_));
    assert_true(was_crash);
}

static void a_reader_cannot_write(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_store *reader = NULL;
    assert_ok(ctn_store_open(f->url, CTN_STORE_READ, &reader, &err_));
    assert_int_equal(suite_journal_check(reader, 1), 1);
    ctn_append append = suite_next_append(f, 1, 1, 1);
    ctn_outcome outcome;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(reader, &append, 1, &outcome, &err), CTN_E_DENIED);
    assert_true(err.message[0] != '\0');
    uint64_t epoch;
    bool was_crash;
    assert_int_equal(ctn_store_epoch_begin(reader, &epoch, &was_crash, NULL), CTN_E_DENIED);
    ctn_definition definition = {.kind = S("chain")};
    assert_int_equal(ctn_store_definition_put(reader, &definition, 1, NULL), CTN_E_DENIED);
    ctn_audit_entry entry = {.action = S("store.prune")};
    assert_int_equal(ctn_store_audit(reader, &entry, NULL), CTN_E_DENIED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(reader, 1), 2); /* and sees what others write */
    ctn_store_close(reader);
}

typedef struct nested {
    suite_fixture *f;
    size_t lists, records;
} nested;

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    nested *n = ctx;
    (void) record;
    (void) position;
    if (n->records++ == 0) { /* once more from inside: the same statement is in use */
        assert_int_equal(suite_journal_check(n->f->st, 2), 2);
        ctn_execution_row row;
        assert_int_equal(ctn_store_execution_by_no(n->f->st, n->f->arena, 2, &row, NULL), CTN_OK);
    }
    return 0;
}

static int list_inside(void *ctx, const ctn_execution_row *row)
{
    nested *n = ctx;
    n->lists++;
    assert_int_equal(ctn_store_journal_read(n->f->st, row->exec_no, 1, count_record, n, NULL), CTN_OK);
    if (row->exec_no == 3) {
        ctn_append append = suite_next_append(n->f, 1, 2, 1);
        assert_int_equal(suite_append(n->f->second, &append), CTN_OUTCOME_ACCEPTED);
    }
    return 0;
}

static void a_callback_may_use_the_store(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 2);
    }
    nested n = {.f = f};
    assert_ok(ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, list_inside, &n, &err_));
    assert_int_equal(n.lists, 3);
    assert_in_range(n.records, 6, 7);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_second_handle_sees_and_fences),
    cmocka_unit_test(two_handles_that_write_in_turns_stay_right),
    cmocka_unit_test(everything_is_there_after_reopening),
    cmocka_unit_test(epochs_grow_and_tell_a_crash),
    cmocka_unit_test(a_replaced_owner_cannot_say_good_bye),
    cmocka_unit_test(a_reader_cannot_write),
    cmocka_unit_test(a_callback_may_use_the_store),
};
const suite_part suite_handles = {TESTS, sizeof TESTS / sizeof TESTS[0]};
