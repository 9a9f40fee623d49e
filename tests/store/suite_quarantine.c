/*
 * suite_quarantine.c -- who is kept apart, given up, or read as it stands (store/quarantine.h, store/raw.h).
 */
#include "suite.h"
#include "store/quarantine.h"
#include "store/raw.h"
#include <inttypes.h>

static int note_quarantined(void *ctx, const ctn_quarantine_row *row)
{
    suite_seen *t = ctx;
    return suite_note(t, "%" PRId64 "%s", row->exec_no, row->given_up_at_ms ? "!" : "");
}

static void the_quarantine_keeps_what_was_put_and_forgets_what_is_released(void **state)
{
    suite_fixture *f = *state;
    ctn_quarantine_row read,
        rows[3] = {
            {.exec_no = 7, .id = suite_id(7), .chain_id = S("trip"), .reason = S("a"), .found_at_ms = 70},
            {.exec_no = 2, .reason = S("b"), .found_at_ms = 20},
            {.exec_no = 5, .id = suite_id(5), .reason = S("c"), .found_at_ms = 50},
        };
    suite_seen t = {0};
    assert_ok(ctn_store_quarantine_put(f->st, rows, 3, &err_));
    assert_ok(ctn_store_quarantine_list(f->second, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2 5 7");
    assert_ok(ctn_store_quarantine_get(f->second, f->arena, 7, &read, &err_));
    assert_true(ctn_id_equal(read.id, suite_id(7)));
    assert_str(read.chain_id, "trip");
    assert_str(read.reason, "a");
    assert_int_equal(read.found_at_ms, 70);
    assert_int_equal(read.given_up_at_ms, 0);
    assert_ok(ctn_store_quarantine_get(f->second, f->arena, 2, &read, &err_));
    assert_true(ctn_id_is_none(read.id));
    assert_int_equal(read.chain_id.len, 0);
    rows[0].reason = S("found again"); /* the first reason stands */
    assert_ok(ctn_store_quarantine_put(f->second, rows, 1, &err_));
    assert_ok(ctn_store_quarantine_get(f->st, f->arena, 7, &read, &err_));
    assert_str(read.reason, "a");
    assert_ok(ctn_store_quarantine_remove(f->second, 5, &err_));
    assert_ok(ctn_store_quarantine_remove(f->second, 5, &err_));
    assert_int_equal(ctn_store_quarantine_get(f->st, f->arena, 5, &read, NULL), CTN_E_NOT_FOUND);
    t.text[0] = '\0';
    assert_ok(ctn_store_quarantine_list(f->st, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2 7");
    rows[0].exec_no = 0;
    assert_int_equal(ctn_store_quarantine_put(f->st, rows, 1, NULL), CTN_E_INVALID);
    rows[0] = (ctn_quarantine_row){.exec_no = 9};
    assert_int_equal(ctn_store_quarantine_put(f->st, rows, 1, NULL), CTN_E_INVALID);
}

static void who_is_given_up_lets_its_line_and_its_parent_go(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row parent = suite_row(18), child = suite_row(2), next = suite_row(3), read;
    ctn_quarantine_row found = {.exec_no = 2, .id = suite_id(2), .reason = S("a gap"), .found_at_ms = 5};
    suite_seen t = {0};
    parent.status = CTN_STATUS_WAITING;
    parent.wake_at_ms = 0;
    child.status = CTN_STATUS_RUNNING;
    child.parent = suite_id(18); /* in the shard of 2, where there are sixteen */
    child.queue_key = next.queue_key = S("desk");
    suite_create(f, &parent, 1);
    suite_create(f, &child, 1);
    suite_create(f, &next, 1);
    assert_ok(ctn_store_quarantine_put(f->st, &found, 1, &err_));
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 3, &read, &err_));
    assert_true(read.is_held);
    ctn_give_up what = {.exec_no = 2, .error = S("{\"code\":\"damaged\"}"), .at_ms = 99};
    assert_ok(ctn_store_give_up(f->st, &what, &err_));
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 2, &read, &err_));
    assert_int_equal(read.status, CTN_STATUS_FAILED);
    assert_int_equal(read.finished_at_ms, 99);
    assert_int_equal(read.wake_at_ms, 0);
    assert_str(read.error, "{\"code\":\"damaged\"}");
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 3, &read, &err_));
    assert_false(read.is_held);
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 18, &read, &err_));
    assert_int_equal(read.wake_at_ms, 1);
    assert_ok(ctn_store_quarantine_list(f->st, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2!");
    assert_int_equal(ctn_store_give_up(f->st, &what, NULL), CTN_E_NOT_FOUND); /* it has ended */
    what.exec_no = 77;
    assert_int_equal(ctn_store_give_up(f->st, &what, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(suite_journal_check(f->st, 2), 1); /* its journal stays as it is */
}

typedef struct raw_seen {
    size_t count;
    ctn_digest hash;
} raw_seen;

static int check_raw(void *ctx, const ctn_raw_record *raw)
{
    raw_seen *seen = ctx;
    seen->count++;
    assert_null(raw->damage);
    assert_false(raw->is_lost);
    assert_int_equal(raw->record.seq, seen->count);
    assert_str(raw->kind_name, ctn_entry_kind_name(raw->record.kind));
    assert_true(raw->position > 0);
    seen->hash = ctn_record_hash(&raw->record, &seen->hash);
    assert_memory_equal(seen->hash.bytes, raw->record.hash.bytes, CTN_DIGEST_BYTES);
    return seen->count == 3 ? 42 : 0;
}

static void what_is_whole_reads_raw_as_it_was_written(void **state)
{
    suite_fixture *f = *state;
    raw_seen seen = {0};
    ctn_execution_row row = suite_row(1), read;
    suite_create(f, &row, 2);
    assert_ok(ctn_store_journal_read_raw(f->second, 1, check_raw, &seen, &err_));
    assert_int_equal(seen.count, 2);
    assert_ok(ctn_store_journal_read_raw(f->second, 8, check_raw, &seen, &err_));
    assert_int_equal(seen.count, 2);
    row = suite_row(2);
    suite_create(f, &row, 5);
    seen = (raw_seen){0};
    assert_int_equal(ctn_store_journal_read_raw(f->second, 2, check_raw, &seen, NULL), 42);
    assert_int_equal(seen.count, 3);
    assert_ok(
        ctn_store_execution_read_raw(f->second, f->arena, S("01900000-0000-7001-8000-000000000002"), &read, &err_));
    assert_int_equal(read.exec_no, 2);
    assert_int_equal(read.damage.len, 0);
    assert_int_equal(ctn_store_execution_read_raw(f->second, f->arena, S("01900000"), &read, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_store_execution_read_raw(f->second, f->arena, S("0777"), &read, NULL), CTN_E_NOT_FOUND);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_quarantine_keeps_what_was_put_and_forgets_what_is_released),
    cmocka_unit_test(who_is_given_up_lets_its_line_and_its_parent_go),
    cmocka_unit_test(what_is_whole_reads_raw_as_it_was_written),
};
const suite_part suite_quarantine = {TESTS, sizeof TESTS / sizeof TESTS[0]};
