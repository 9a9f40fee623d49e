/*
 * suite_keys.c -- what is sealed stands beside the body; data keys come, change and go (store/data_keys.h).
 */
#include "suite.h"
#include "store/data_keys.h"
#include <inttypes.h>
#include <stdio.h>

static int note_sealed(void *ctx, const ctn_record *record, int64_t position)
{
    (void) position;
    char *text = ctx;
    snprintf(text + strlen(text), 200 - strlen(text), "%.*s;", CTN_STR_ARG(record->sealed));
    return 0;
}

static void what_is_sealed_stands_beside_the_body(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 3);
    records[1].sealed = S("[{\"at\":\"/variables/n\",\"box\":\"AAAA\"}]"); /* the hash does not cover it */
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = 3};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->second, 1), 3);
    char text[200] = "";
    assert_int_equal(ctn_store_journal_read(f->second, 1, 1, note_sealed, text, NULL), CTN_OK);
    assert_string_equal(text, ";[{\"at\":\"/variables/n\",\"box\":\"AAAA\"}];;");
}

static int note_key(void *ctx, int64_t exec_no, const ctn_data_key *key)
{
    char *text = ctx;
    snprintf(text + strlen(text), 200 - strlen(text), "%" PRId64 " %.*s %.*s;", exec_no, CTN_STR_ARG(key->master_id),
             CTN_STR_ARG(key->wrapped));
    return 0;
}

static const char *keys_of(suite_fixture *f, const char *but, int64_t after, size_t limit)
{
    char *text = ctn_arena_alloc(f->arena, 200);
    text[0] = '\0';
    assert_int_equal(ctn_store_data_key_list(f->second, ctn_str_from(but), after, limit, note_key, text, NULL), CTN_OK);
    return text;
}

static void create_with_key(suite_fixture *f, int64_t exec_no, const char *master_id, const char *wrapped)
{
    ctn_execution_row row = suite_row(exec_no);
    ctn_data_key key = {S(master_id), S(wrapped)};
    ctn_append append = {.exec_no = exec_no,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, exec_no, 0, NULL, 1),
                         .count = 1,
                         .data_key = &key};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ); /* a refused append leaves no key */
}

static void a_data_key_comes_with_its_execution_and_goes_when_shredded(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key key;
    create_with_key(f, 1, "k1", "one");
    create_with_key(f, 2, "k1", "two");
    assert_int_equal(ctn_store_data_key_get(f->second, f->arena, 1, &key, NULL), CTN_OK);
    assert_str(key.wrapped, "one");
    assert_str(key.master_id, "k1");
    ctn_append late = suite_next_append(f, 1, 1, 1);
    late.data_key = &key;
    assert_int_equal(ctn_store_commit(f->st, &late, 1, &(ctn_outcome){0}, NULL), CTN_E_INVALID);
    int64_t gone[] = {1, 99};
    assert_ok(ctn_store_data_key_shred(f->st, gone, 2, &err_));
    assert_int_equal(ctn_store_data_key_get(f->second, f->arena, 1, &key, NULL), CTN_E_NOT_FOUND);
    assert_string_equal(keys_of(f, "", -1, 0), "2 k1 two;");
    assert_int_equal(suite_journal_check(f->st, 1), 1); /* the journal stands */
}

static void data_keys_are_wrapped_anew_unless_somebody_was_faster(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key own = {S("k1"), S("zero")}, key;
    assert_ok(ctn_store_data_key_put(f->st, 0, &own, &err_));
    assert_int_equal(ctn_store_data_key_put(f->second, 0, &own, NULL), CTN_E_EXISTS);
    create_with_key(f, 1, "k1", "one");
    create_with_key(f, 2, "k1", "two");
    create_with_key(f, 3, "k2", "three");
    assert_string_equal(keys_of(f, "k2", -1, 2), "0 k1 zero;1 k1 one;");
    assert_string_equal(keys_of(f, "k2", 1, 2), "2 k1 two;");
    ctn_data_key_swap swaps[] = {{1, S("one"), {S("k2"), S("ONE")}}, {2, S("gone"), {S("k2"), S("TWO")}}};
    assert_ok(ctn_store_data_key_swap(f->second, swaps, 2, &err_));
    assert_int_equal(ctn_store_data_key_get(f->st, f->arena, 1, &key, NULL), CTN_OK);
    assert_str(key.wrapped, "ONE");
    assert_string_equal(keys_of(f, "k2", -1, 0), "0 k1 zero;2 k1 two;");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(what_is_sealed_stands_beside_the_body),
    cmocka_unit_test(a_data_key_comes_with_its_execution_and_goes_when_shredded),
    cmocka_unit_test(data_keys_are_wrapped_anew_unless_somebody_was_faster),
};
const suite_part suite_keys = {TESTS, sizeof TESTS / sizeof TESTS[0]};
