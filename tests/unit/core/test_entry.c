/* Entries: names that never change, records that read back, a chain of hashes that notices. */
#include "core/entry.h"
#include "core/status.h"
#include "support/cmocka.h"

static ctn_entry example(ctn_arena *arena)
{
    ctn_json_builder body = ctn_json_object(arena);
    ctn_json_put_str(&body, "code", CTN_STR("timeout"));
    ctn_json_put(&body, CTN_STR("price"), ctn_json_number(arena, CTN_STR("19.90")));
    return (ctn_entry){
        .kind = CTN_ENTRY_ATTEMPT_FAILED,
        .seq = 7,
        .at_ms = 1789000000000,
        .step = CTN_STR("book"),
        .item = 3,
        .attempt = 2,
        .actor = CTN_STR("engine"),
        .body = ctn_json_finish(&body),
    };
}

static void names_read_back_and_unknown_ones_do_not(void **state)
{
    (void) state;
    for (int i = 0; i < CTN_ENTRY_KIND_COUNT; i++) {
        ctn_entry_kind kind = CTN_ENTRY_KIND_COUNT;
        assert_true(ctn_entry_kind_from_name(ctn_str_from(ctn_entry_kind_name((ctn_entry_kind) i)), &kind));
        assert_int_equal(kind, i);
    }
    for (int i = 0; i < CTN_STATUS_COUNT; i++) {
        ctn_status status = CTN_STATUS_COUNT;
        assert_true(ctn_status_from_name(ctn_str_from(ctn_status_name((ctn_status) i)), &status));
        assert_int_equal(status, i);
    }
    for (int i = 0; i < CTN_STEP_STATUS_COUNT; i++)
        assert_non_null(ctn_step_status_name((ctn_step_status) i));
    ctn_entry_kind kind = CTN_ENTRY_PAUSED;
    ctn_status status = CTN_STATUS_PAUSED;
    assert_false(ctn_entry_kind_from_name(CTN_STR("Started"), &kind));
    assert_false(ctn_entry_kind_from_name(CTN_STR(""), &kind));
    assert_false(ctn_status_from_name(CTN_STR("done"), &status));
    assert_int_equal(kind, CTN_ENTRY_PAUSED);
    assert_int_equal(status, CTN_STATUS_PAUSED);
    assert_string_equal(ctn_entry_kind_name(CTN_ENTRY_COMPENSATION_FAILED), "compensation_failed");
    assert_string_equal(ctn_status_name(CTN_STATUS_ROLLED_BACK), "rolled_back");
    assert_true(ctn_status_is_final(CTN_STATUS_FAILED));
    assert_false(ctn_status_is_final(CTN_STATUS_COMPENSATING));
}

static void a_record_reads_back_as_the_entry_it_was(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_entry entry = example(arena), back = {0};
    ctn_digest none = {{0}};
    ctn_record record = ctn_entry_to_record(&entry, &none, arena);
    assert_true(ctn_str_is(record.body, "{\"code\":\"timeout\",\"price\":19.90}"));
    assert_true(record.item == 3);
    ctn_err err = {0};
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, &err), CTN_OK);
    assert_int_equal(back.kind, entry.kind);
    assert_true(back.seq == entry.seq && back.at_ms == entry.at_ms && back.attempt == entry.attempt);
    assert_true(ctn_str_equal(back.step, entry.step) && ctn_str_equal(back.actor, entry.actor));
    assert_true(ctn_json_equal(back.body, entry.body));
    entry.body = NULL;
    record = ctn_entry_to_record(&entry, &none, arena);
    assert_true(ctn_str_is(record.body, "{}"));
    ctn_arena_free(arena);
}

static void a_damaged_body_is_corrupt_and_says_which(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_entry entry = example(arena), back = {0};
    ctn_digest none = {{0}};
    ctn_record record = ctn_entry_to_record(&entry, &none, arena);
    ctn_err err = {0};
    record.body = CTN_STR("{\"code\":");
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, &err), CTN_E_CORRUPT);
    assert_int_equal(err.code, CTN_E_CORRUPT);
    assert_holds(err.message, "journal entry 7 (attempt_failed)");
    record.body = CTN_STR("[]");
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, &err), CTN_E_CORRUPT);
    record.body = CTN_STR("{}");
    record.kind = CTN_ENTRY_KIND_COUNT;
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, &err), CTN_E_CORRUPT);
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, NULL), CTN_E_CORRUPT);
    ctn_arena_free(arena);
}

/* A value as deep as values may be must not become unreadable by being wrapped in a body. */
static void the_deepest_value_survives_the_journal(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *value = &ctn_json_true;
    for (int i = 0; i < CTN_JSON_DEPTH_MAX; i++) {
        ctn_json_builder array = ctn_json_array(arena);
        ctn_json_push(&array, value);
        value = ctn_json_finish(&array);
    }
    ctn_json_builder variables = ctn_json_object(arena), body = ctn_json_object(arena);
    ctn_json_put(&variables, CTN_STR("deep"), value);
    ctn_json_put(&body, CTN_STR("variables"), ctn_json_finish(&variables));
    ctn_entry entry = {.kind = CTN_ENTRY_ATTEMPT_SUCCEEDED, .seq = 1, .body = ctn_json_finish(&body)}, back = {0};
    ctn_record record = ctn_entry_to_record(&entry, NULL, arena);
    assert_int_equal(ctn_record_to_entry(&record, arena, &back, NULL), CTN_OK);
    assert_true(ctn_json_equal(back.body, entry.body));
    ctn_arena_free(arena);
}

static bool same(ctn_digest a, ctn_digest b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static void a_change_in_any_column_changes_the_hash(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_entry entry = example(arena);
    ctn_digest none = {{0}}, other = {{1}};
    const ctn_record record = ctn_entry_to_record(&entry, &none, arena);
    assert_true(same(record.hash, ctn_record_hash(&record, &none)));
    assert_true(same(record.hash, ctn_record_hash(&record, NULL)));
    assert_false(same(record.hash, ctn_record_hash(&record, &other)));
    ctn_record changed[8];
    for (size_t i = 0; i < 8; i++)
        changed[i] = record;
    changed[0].kind = CTN_ENTRY_ATTEMPT_SUCCEEDED;
    changed[1].seq++;
    changed[2].at_ms++;
    changed[3].step = CTN_STR("hook");
    changed[4].item = 0;
    changed[5].attempt++;
    changed[6].actor = CTN_STR("eve");
    changed[7].body = CTN_STR("{\"code\":\"timeout\",\"price\":19.9}");
    for (size_t i = 0; i < 8; i++)
        assert_false(same(record.hash, ctn_record_hash(&changed[i], &none)));
    ctn_arena_free(arena);
}

static void a_column_cannot_lend_bytes_to_its_neighbour(void **state)
{
    (void) state;
    ctn_record a = {.kind = CTN_ENTRY_PAUSED, .seq = 1, .item = -1, .actor = CTN_STR("ab"), .body = CTN_STR("{}")};
    ctn_record b = a;
    b.actor = CTN_STR("a");
    b.body = CTN_STR("b{}");
    assert_false(same(ctn_record_hash(&a, NULL), ctn_record_hash(&b, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_read_back_and_unknown_ones_do_not),
        cmocka_unit_test(a_record_reads_back_as_the_entry_it_was),
        cmocka_unit_test(a_damaged_body_is_corrupt_and_says_which),
        cmocka_unit_test(the_deepest_value_survives_the_journal),
        cmocka_unit_test(a_change_in_any_column_changes_the_hash),
        cmocka_unit_test(a_column_cannot_lend_bytes_to_its_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
