/*
 * suite_commit.c -- an append is all or nothing, refused alone, and a journal reads back in order (promises 1, 3 and 4
 * of store.h).
 */
#include "suite.h"

static void a_new_execution_reads_back_whole(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(7);
    row.status = CTN_STATUS_WAITING;
    row.priority = -5;
    row.queue_key = S("agency");
    row.idempotency_key = S("lead-1");
    row.tenant = S("north");
    row.wake_at_ms = 1800000000000;
    row.labels = S("{\"a\":\"b\"}");
    row.started_at_ms = 5;
    row.finished_at_ms = 6;
    row.error = S("{\"code\":\"timeout\"}");
    suite_create(f, &row, 2);
    ctn_execution_row read = suite_read_row(f, f->st, 7);
    assert_int_equal(read.exec_no, 7);
    assert_true(ctn_id_equal(read.id, row.id));
    assert_str(read.chain_id, "trip");
    assert_int_equal(read.chain_version, 3);
    assert_int_equal(read.status, CTN_STATUS_WAITING);
    assert_int_equal(read.priority, -5);
    assert_str(read.queue_key, "agency");
    assert_str(read.idempotency_key, "lead-1");
    assert_str(read.tenant, "north");
    assert_int_equal(read.wake_at_ms, 1800000000000);
    assert_str(read.labels, "{\"a\":\"b\"}");
    assert_str(read.input, "{\"raw\":\"A trip\"}");
    assert_str(read.outputs, "");
    assert_str(read.error, "{\"code\":\"timeout\"}");
    assert_int_equal(read.created_at_ms, 1700000000007);
    assert_int_equal(read.started_at_ms, 5);
    assert_int_equal(read.finished_at_ms, 6);
    ctn_record *records = suite_records(f->arena, 7, 0, NULL, 2);
    assert_memory_equal(read.hash_last.bytes, records[1].hash.bytes, CTN_DIGEST_BYTES);
    assert_int_equal(suite_journal_check(f->st, 7), 2);
}

static void row_and_journal_change_together(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_append append = suite_next_append(f, 1, 1, 2);
    ctn_execution_change change = {.status = CTN_STATUS_FAILED,
                                   .started_at_ms = 10,
                                   .finished_at_ms = 20,
                                   .error = S("{\"code\":\"tool_error\"}")};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = suite_read_row(f, f->second, 1);
    assert_int_equal(read.status, CTN_STATUS_FAILED);
    assert_int_equal(read.wake_at_ms, 0);
    assert_int_equal(read.started_at_ms, 10);
    assert_int_equal(read.finished_at_ms, 20);
    assert_str(read.error, "{\"code\":\"tool_error\"}");
    assert_memory_equal(read.hash_last.bytes, append.records[1].hash.bytes, CTN_DIGEST_BYTES);
    assert_int_equal(suite_journal_check(f->second, 1), 3);

    /* refused: neither the one nor the other */
    ctn_execution_change other = {.status = CTN_STATUS_RUNNING, .wake_at_ms = 99};
    append.change = &other;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_read_row(f, f->st, 1).status, CTN_STATUS_FAILED);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

static void a_row_and_a_change_in_the_first_append_merge(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_execution_change change = {.status = CTN_STATUS_RUNNING, .wake_at_ms = 5, .started_at_ms = 10};
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .row = &row,
                         .change = &change,
                         .count = 2,
                         .records = suite_records(f->arena, 1, 0, NULL, 2)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = suite_read_row(f, f->st, 1);
    assert_int_equal(read.status, CTN_STATUS_RUNNING);
    assert_int_equal(read.wake_at_ms, 5);
    assert_int_equal(read.started_at_ms, 10);
    assert_str(read.input, "{\"raw\":\"A trip\"}");
}

static void complete_with(suite_fixture *f, int64_t exec_no, const char *outputs, const char *body, bool at_once)
{
    ctn_execution_row row = suite_row(exec_no);
    ctn_execution_change change = {
        .status = CTN_STATUS_COMPLETED, .started_at_ms = 1, .finished_at_ms = 2, .outputs = S(outputs)};
    ctn_append append;
    if (at_once) {
        append = (ctn_append){.exec_no = exec_no,
                              .epoch = f->epoch,
                              .row = &row,
                              .count = 2,
                              .records = suite_records(f->arena, exec_no, 0, NULL, 2)};
    } else {
        suite_create(f, &row, 1);
        append = suite_next_append(f, exec_no, 1, 1);
    }
    ctn_record *records = CTN_NEW_ARRAY(f->arena, ctn_record, append.count);
    memcpy(records, append.records, append.count * sizeof *records);
    ctn_record *last = &records[append.count - 1];
    ctn_digest previous = at_once ? records[0].hash : suite_hash_of(f, exec_no);
    last->kind = CTN_ENTRY_COMPLETED;
    last->step = S("");
    last->body = S(body);
    last->hash = ctn_record_hash(last, &previous);
    append.records = records;
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_str(suite_read_row(f, f->second, exec_no).outputs, outputs);
    assert_int_equal(suite_journal_check(f->second, exec_no), 2);
}

static void outputs_read_back_wherever_they_are_kept(void **state)
{
    suite_fixture *f = *state;
    complete_with(f, 1, "{\"price\":19.990}", "{\"outputs\":{\"price\":19.990}}", false);
    complete_with(f, 2, "{\"price\":1}", "{\"outputs\":{\"price\":1}}", true);
    complete_with(f, 3, "{}", "{\"outputs\":{}}", false);
    /* the body says it in other words: the row keeps its own */
    complete_with(f, 4, "{\"a\":1}", "{\"outputs\":{\"a\":1},\"more\":true}", false);
    complete_with(f, 5, "{\"a\":1}", "{\"outputs\": {\"a\":1}}", false);
    complete_with(f, 6, "", "{\"outputs\":{\"b\":2}}", false);
}

static void empty_strings_leave_what_is_there(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_execution_change change = {
        .status = CTN_STATUS_COMPENSATING, .outputs = S("{\"o\":1}"), .error = S("{\"e\":1}")};
    ctn_append append = suite_next_append(f, 1, 1, 1);
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_change later = {.status = CTN_STATUS_ROLLED_BACK, .finished_at_ms = 9};
    append = suite_next_append(f, 1, 2, 1);
    append.change = &later;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    append = suite_next_append(f, 1, 3, 1); /* no change at all */
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = suite_read_row(f, f->st, 1);
    assert_int_equal(read.status, CTN_STATUS_ROLLED_BACK);
    assert_str(read.outputs, "{\"o\":1}");
    assert_str(read.error, "{\"e\":1}");
    assert_memory_equal(read.hash_last.bytes, append.records[0].hash.bytes, CTN_DIGEST_BYTES);
}

typedef struct seen_records {
    const ctn_record *expected;
    size_t count;
} seen_records;

static int compare_record(void *ctx, const ctn_record *r, int64_t position)
{
    seen_records *seen = ctx;
    const ctn_record *e = &seen->expected[seen->count++];
    assert_true(position > 0);
    assert_int_equal(r->kind, e->kind);
    assert_int_equal(r->seq, e->seq);
    assert_int_equal(r->at_ms, e->at_ms);
    assert_true(ctn_str_equal(r->step, e->step));
    assert_int_equal(r->item, e->item);
    assert_int_equal(r->attempt, e->attempt);
    assert_true(ctn_str_equal(r->actor, e->actor));
    assert_true(ctn_str_equal(r->body, e->body));
    assert_memory_equal(r->hash.bytes, e->hash.bytes, CTN_DIGEST_BYTES);
    return 0;
}

static void a_journal_reads_back_in_order_and_whole(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 1);
    }
    for (uint64_t seq = 1; seq < 50; seq++) { /* interleaved, three to a commit */
        ctn_append appends[3];
        ctn_outcome outcomes[3];
        for (int64_t no = 1; no <= 3; no++)
            appends[no - 1] = suite_next_append(f, no, seq, 1);
        assert_int_equal(ctn_store_commit(f->st, appends, 3, outcomes, NULL), CTN_OK);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
    }
    for (int64_t no = 1; no <= 3; no++)
        assert_int_equal(suite_journal_check(f->second, no), 50);
    assert_int_equal(suite_journal_check(f->st, 4), 0);
}

static void every_kind_and_odd_bodies_survive(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    char *large = ctn_arena_alloc(f->arena, 300001);
    memset(large, 'x', 300000);
    large[0] = '"';
    large[299999] = '"';
    large[300000] = '\0';
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, CTN_ENTRY_KIND_COUNT);
    for (int i = 0; i < CTN_ENTRY_KIND_COUNT; i++) {
        records[i].kind = (ctn_entry_kind) i;
        records[i].item = i == 3 ? 0 : i == 4 ? INT64_MAX : -1;
        records[i].attempt = i == 5 ? UINT32_MAX : (uint32_t) i;
        records[i].at_ms = i == 6 ? 0 : 1700000000000;
        records[i].actor = i == 7 ? S("") : S("J\xc3\xb6rg \xf0\x9f\x98\x80");
        records[i].step = i == 8 ? S("") : S("step's \"name\"; --");
        records[i].body = i == 9 ? S(large) : i == 10 ? S("") : S("{\"a\":\"\xe2\x82\xac \\u0000 ' %s ?1\"}");
    }
    ctn_append append = {
        .exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = CTN_ENTRY_KIND_COUNT};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    seen_records seen = {.expected = records};
    assert_ok(ctn_store_journal_read(f->second, 1, 0, compare_record, &seen, &err_));
    assert_int_equal(seen.count, CTN_ENTRY_KIND_COUNT);
}

static void a_journal_is_read_from_the_middle_and_stops(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 10);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 10);
    suite_walk walk = {.is_right = true, .seq = 6, .hash = records[5].hash};
    assert_ok(ctn_store_journal_read(f->st, 1, 7, suite_walk_record, &walk, &err_));
    assert_true(walk.is_right);
    assert_int_equal(walk.count, 4);
    walk = (suite_walk){.is_right = true, .count_max = 3};
    assert_int_equal(ctn_store_journal_read(f->st, 1, 0, suite_walk_record, &walk, NULL),
                     77); /* what the callback said */
    assert_int_equal(walk.count, 3);
    walk = (suite_walk){.is_right = true};
    assert_ok(ctn_store_journal_read(f->st, 1, 11, suite_walk_record, &walk, &err_));
    assert_ok(ctn_store_journal_read(f->st, 1, UINT64_MAX, suite_walk_record, &walk, &err_));
    assert_int_equal(walk.count, 0);
}

static void a_stale_epoch_is_refused_alone(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[3] = {suite_row(1), suite_row(2), suite_row(3)};
    uint64_t newer;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    ctn_append appends[3];
    ctn_outcome outcomes[3];
    for (int64_t i = 0; i < 3; i++)
        appends[i] = (ctn_append){.exec_no = i + 1,
                                  .epoch = i == 1 ? f->epoch : newer,
                                  .row = &rows[i],
                                  .count = 2,
                                  .records = suite_records(f->arena, i + 1, 0, NULL, 2)};
    assert_ok(ctn_store_commit(f->st, appends, 3, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(outcomes[2], CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read;
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 2, &read, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
    assert_int_equal(suite_journal_check(f->st, 3), 2);
    ctn_append late = suite_next_append(f, 1, 2, 1); /* the right sequence number does not help */
    assert_int_equal(suite_append(f->st, &late), CTN_OUTCOME_STALE_EPOCH);
    late.epoch = newer;
    assert_int_equal(suite_append(f->st, &late), CTN_OUTCOME_ACCEPTED);
}

static void a_stale_sequence_number_is_refused_alone(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 4; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 3);
    }
    ctn_append appends[] = {suite_next_append(f, 1, 3, 1), suite_next_append(f, 2, 2, 1), suite_next_append(f, 3, 4, 1),
                            suite_next_append(f, 4, 3, 1)};
    ctn_outcome outcomes[4];
    assert_ok(ctn_store_commit(f->second, appends, 4, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_SEQ); /* behind */
    assert_int_equal(outcomes[2], CTN_OUTCOME_STALE_SEQ); /* ahead: would leave a gap */
    assert_int_equal(outcomes[3], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->st, 1), 4);
    assert_int_equal(suite_journal_check(f->st, 2), 3);
    assert_int_equal(suite_journal_check(f->st, 3), 3);
    assert_int_equal(suite_journal_check(f->st, 4), 4);
}

static void a_repeated_append_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_append first = {
        .exec_no = 1, .epoch = f->epoch, .row = &row, .count = 1, .records = suite_records(f->arena, 1, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &first), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->second, &first), CTN_OUTCOME_STALE_SEQ);
    ctn_append append = suite_next_append(f, 1, 1, 2);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

static void an_append_to_nothing_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_change change = {.status = CTN_STATUS_RUNNING};
    ctn_append append = {.exec_no = 12,
                         .epoch = f->epoch,
                         .seq_expected = 4,
                         .change = &change,
                         .count = 1,
                         .records = suite_records(f->arena, 12, 4, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 12), 0);
}

static void records_with_a_gap_write_nothing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[2] = {suite_row(1), suite_row(2)};
    ctn_append appends[2];
    ctn_outcome outcomes[2];
    for (int64_t i = 0; i < 2; i++)
        appends[i] = (ctn_append){.exec_no = i + 1,
                                  .epoch = f->epoch,
                                  .row = &rows[i],
                                  .count = 3,
                                  .records = suite_records(f->arena, i + 1, 0, NULL, 3)};
    ((ctn_record *) appends[1].records)[2].seq = 4;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(f->st, appends, 2, outcomes, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "entry 4 where 3 must follow"));
    assert_int_equal(suite_journal_check(f->st, 1), 0);
    ctn_execution_row read;
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 1, &read, NULL), CTN_E_NOT_FOUND);
}

static void an_append_without_its_row_writes_nothing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_outcome outcome;
    ctn_append append = {
        .exec_no = 1, .epoch = f->epoch, .count = 1, .records = suite_records(f->arena, 1, 0, NULL, 1)};
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.row = &row;
    append.exec_no = 2;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.exec_no = 0;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.exec_no = 1;
    append.count = 0;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_store_commit(f->st, NULL, 0, NULL, NULL), CTN_OK);
    assert_int_equal(suite_journal_check(f->st, 1), 0);
}

static void two_appends_of_one_execution_in_one_batch(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 6);
    ctn_append appends[] = {
        {.exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = 2},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 2, .records = records + 2, .count = 3},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 3, .records = records + 3, .count = 1},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 5, .records = records + 5, .count = 1},
    };
    ctn_outcome outcomes[4];
    assert_ok(ctn_store_commit(f->st, appends, 4, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[2], CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(outcomes[3], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->second, 1), 6);
}

static void a_refused_first_append_refuses_the_next(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row taken = suite_row(1), again = suite_row(2);
    taken.idempotency_key = again.idempotency_key = S("same");
    suite_create(f, &taken, 1);
    ctn_record *records = suite_records(f->arena, 2, 0, NULL, 3);
    ctn_append appends[] = {
        {.exec_no = 2, .epoch = f->epoch, .row = &again, .records = records, .count = 2},
        {.exec_no = 2, .epoch = f->epoch, .seq_expected = 2, .records = records + 2, .count = 1},
    };
    ctn_outcome outcomes[2];
    assert_ok(ctn_store_commit(f->st, appends, 2, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_EXISTS);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
}

static void an_idempotency_key_is_taken_once(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row first = suite_row(1), second = suite_row(2), other_chain = suite_row(3), none = suite_row(4);
    first.idempotency_key = second.idempotency_key = other_chain.idempotency_key = S("lead-9");
    other_chain.chain_id = S("followup");
    suite_create(f, &first, 1);
    ctn_append append = {
        .exec_no = 2, .epoch = f->epoch, .row = &second, .count = 1, .records = suite_records(f->arena, 2, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_EXISTS);
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_EXISTS);
    suite_create(f, &other_chain, 1);
    suite_create(f, &none, 1);
    ctn_execution_row none_again = suite_row(5);
    suite_create(f, &none_again, 1);
    second.idempotency_key = S("lead-10");
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

static void an_id_is_taken_once(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row first = suite_row(1), second = suite_row(2);
    second.id = first.id;
    suite_create(f, &first, 1);
    ctn_append append = {
        .exec_no = 2, .epoch = f->epoch, .row = &second, .count = 1, .records = suite_records(f->arena, 2, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_EXISTS);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_new_execution_reads_back_whole),
    cmocka_unit_test(row_and_journal_change_together),
    cmocka_unit_test(a_row_and_a_change_in_the_first_append_merge),
    cmocka_unit_test(outputs_read_back_wherever_they_are_kept),
    cmocka_unit_test(empty_strings_leave_what_is_there),
    cmocka_unit_test(a_journal_reads_back_in_order_and_whole),
    cmocka_unit_test(every_kind_and_odd_bodies_survive),
    cmocka_unit_test(a_journal_is_read_from_the_middle_and_stops),
    cmocka_unit_test(a_stale_epoch_is_refused_alone),
    cmocka_unit_test(a_stale_sequence_number_is_refused_alone),
    cmocka_unit_test(a_repeated_append_is_refused),
    cmocka_unit_test(an_append_to_nothing_is_refused),
    cmocka_unit_test(records_with_a_gap_write_nothing),
    cmocka_unit_test(an_append_without_its_row_writes_nothing),
    cmocka_unit_test(two_appends_of_one_execution_in_one_batch),
    cmocka_unit_test(a_refused_first_append_refuses_the_next),
    cmocka_unit_test(an_idempotency_key_is_taken_once),
    cmocka_unit_test(an_id_is_taken_once),
};
const suite_part suite_commit = {TESTS, sizeof TESTS / sizeof TESTS[0]};
