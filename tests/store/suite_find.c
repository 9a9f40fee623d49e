/*
 * suite_find.c -- executions are found by what they are known by, and listed.
 */
#include "suite.h"

static void executions_are_found_by_id_number_and_key(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        if (no == 2)
            row.idempotency_key = S("k");
        suite_create(f, &row, 1);
    }
    ctn_execution_row read;
    assert_ok(ctn_store_execution_get(f->second, f->arena, suite_id(3), &read, &err_));
    assert_int_equal(read.exec_no, 3);
    assert_ok(ctn_store_execution_by_key(f->second, f->arena, S("trip"), S("k"), &read, &err_));
    assert_int_equal(read.exec_no, 2);
    ctn_err err = {0};
    assert_int_equal(ctn_store_execution_by_key(f->st, f->arena, S("other"), S("k"), &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"k\""));
    assert_int_equal(ctn_store_execution_by_key(f->st, f->arena, S("trip"), S(""), &read, &err), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_execution_get(f->st, f->arena, suite_id(4), &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, ctn_id_to_text(suite_id(4)).text));
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 4, &read, &err), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, -1, &read, &err), CTN_E_NOT_FOUND);
}

static void check_prefix(suite_fixture *f, const char *prefix, int rc_expected, int64_t exec_no)
{
    ctn_execution_row read = {0};
    ctn_err err = {0};
    int rc = ctn_store_execution_by_prefix(f->second, f->arena, S(prefix), &read, &err);
    if (rc != rc_expected)
        fail_msg("prefix %s: %d instead of %d: %s", prefix, rc, rc_expected, err.message);
    assert_int_equal(read.exec_no, exec_no);
    if (rc)
        assert_non_null(strstr(err.message, prefix));
}

static void executions_are_found_by_the_start_of_their_id(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[3] = {suite_row(1), suite_row(2), suite_row(3)};
    rows[0].id = (ctn_execution_id){{0x01, 0x9a, 0xbc, 0xde, 0x12, 0x34, 0x71, 0x11, 0x81, 0x11}};
    rows[1].id = (ctn_execution_id){{0x01, 0x9a, 0xbc, 0xdf, 0x12, 0x34, 0x71, 0x11, 0x81, 0x11}};
    rows[2].id = (ctn_execution_id){
        {0x01, 0x9b, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    for (size_t i = 0; i < 3; i++)
        suite_create(f, &rows[i], 1);
    check_prefix(f, "019", CTN_E_INVALID, 0);
    check_prefix(f, "019a", CTN_E_INVALID, 0);
    check_prefix(f, "019b", CTN_OK, 3);
    check_prefix(f, "019abcd", CTN_E_INVALID, 0);
    check_prefix(f, "019abcde", CTN_OK, 1);
    check_prefix(f, "019ABCDF-", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7111-8111-000000000000", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7111-8111-0000000000000", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019abcdf-1234-7111-8111-000000000001", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019abcdf1", CTN_E_NOT_FOUND, 0); /* the hyphen is part of the text */
    check_prefix(f, "wxyz", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019c", CTN_E_NOT_FOUND, 0);
}

static void check_list(suite_fixture *f, ctn_execution_filter filter, const char *expected)
{
    suite_seen seen = {0};
    ctn_err err = {0};
    if (ctn_store_execution_list(f->second, &filter, suite_note_row, &seen, &err))
        fail_msg("%s", err.message);
    assert_string_equal(seen.text, expected);
}

static void lists_page_and_filter(void **state)
{
    suite_fixture *f = *state;
    static const ctn_status statuses[] = {CTN_STATUS_QUEUED,    CTN_STATUS_COMPLETED, CTN_STATUS_RUNNING,
                                          CTN_STATUS_FAILED,    CTN_STATUS_WAITING,   CTN_STATUS_COMPLETED,
                                          CTN_STATUS_CANCELLED, CTN_STATUS_RUNNING};
    for (int64_t no = 1; no <= 8; no++) {
        ctn_execution_row row = suite_row(no);
        row.status = statuses[no - 1];
        row.chain_id = no % 2 ? S("odd") : S("even");
        suite_create(f, &row, 1);
    }
    check_list(f, (ctn_execution_filter){0}, "8 7 6 5 4 3 2 1");
    check_list(f, (ctn_execution_filter){.limit = 3}, "8 7 6");
    check_list(f, (ctn_execution_filter){.limit = 3, .before_exec_no = 6}, "5 4 3");
    check_list(f, (ctn_execution_filter){.before_exec_no = 1}, "");
    check_list(f, (ctn_execution_filter){.chain_id = S("odd")}, "7 5 3 1");
    check_list(f, (ctn_execution_filter){.chain_id = S("od")}, "");
    check_list(f, (ctn_execution_filter){.unfinished_only = true}, "8 5 3 1");
    check_list(f, (ctn_execution_filter){.unfinished_only = true, .limit = 1, .before_exec_no = 5}, "3");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_COMPLETED}, "6 2");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_RUNNING}, "8 3");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_FAILED}, "4");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_CANCELLED, .chain_id = S("odd")}, "7");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_FAILED, .unfinished_only = true}, "");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_QUEUED}, "1");
}

static void lists_are_narrowed_by_what_people_look_for(void **state)
{
    suite_fixture *f = *state;
    static const ctn_status statuses[] = {CTN_STATUS_QUEUED,    CTN_STATUS_COMPLETED, CTN_STATUS_RUNNING,
                                          CTN_STATUS_FAILED,    CTN_STATUS_WAITING,   CTN_STATUS_COMPLETED,
                                          CTN_STATUS_CANCELLED, CTN_STATUS_RUNNING};
    for (int64_t no = 1; no <= 8; no++) {
        ctn_execution_row row = suite_row(no);
        row.status = statuses[no - 1];
        row.created_at_ms = 1000 * no;
        row.finished_at_ms = ctn_status_is_final(row.status) ? 1000 * no + 500 : 0;
        row.tenant = no % 3 == 0 ? S("acme") : no % 3 == 1 ? S("globex") : S("");
        row.labels = no % 2 ? S("{\"team\":\"a\",\"city\":\"Rome\"}") : S("{\"team\":\"b\"}");
        row.parent = no == 4 ? suite_id(3) : (ctn_execution_id){{0}};
        suite_create(f, &row, 1);
    }
    uint32_t failed = 1u << CTN_STATUS_FAILED, running = 1u << CTN_STATUS_RUNNING, queued = 1u << CTN_STATUS_QUEUED;
    const ctn_json *team_a = NULL, *of_rome = NULL;
    assert_ok(ctn_json_parse(f->arena, S("{\"team\":\"a\"}"), NULL, &team_a, &err_));
    assert_ok(ctn_json_parse(f->arena, S("{\"team\":\"b\",\"city\":\"Rome\"}"), NULL, &of_rome, &err_));
    check_list(f, (ctn_execution_filter){.statuses = running | queued}, "8 3 1");
    check_list(f, (ctn_execution_filter){.statuses = running | queued, .after_exec_no = 1}, "8 3");
    check_list(f, (ctn_execution_filter){.statuses = running | failed}, "8 4 3");
    check_list(f, (ctn_execution_filter){.statuses = failed | 1u << CTN_STATUS_CANCELLED}, "7 4");
    check_list(f, (ctn_execution_filter){.statuses = failed, .unfinished_only = true}, "");
    check_list(f, (ctn_execution_filter){.statuses = running | failed, .by_status = true, .status = CTN_STATUS_FAILED},
               "4");
    check_list(f, (ctn_execution_filter){.tenant = S("acme")}, "6 3");
    check_list(f, (ctn_execution_filter){.tenant = S("acme"), .statuses = running}, "3");
    check_list(f, (ctn_execution_filter){.tenant = S("nobody")}, "");
    check_list(f, (ctn_execution_filter){.labels = team_a}, "7 5 3 1");
    check_list(f, (ctn_execution_filter){.labels = team_a, .limit = 2}, "7 5");
    check_list(f, (ctn_execution_filter){.labels = team_a, .limit = 2, .before_exec_no = 5}, "3 1");
    check_list(f, (ctn_execution_filter){.labels = of_rome}, "");
    check_list(f, (ctn_execution_filter){.roots_only = true, .statuses = failed | running}, "8 3");
    check_list(f, (ctn_execution_filter){.created_from_ms = 3000, .created_until_ms = 6000}, "5 4 3");
    check_list(f, (ctn_execution_filter){.created_from_ms = 3000, .limit = 1, .before_exec_no = 6}, "5");
    check_list(f, (ctn_execution_filter){.finished_from_ms = 4500, .finished_until_ms = 7500}, "6 4");
    check_list(f, (ctn_execution_filter){.finished_until_ms = 100000}, "7 6 4 2");
    check_list(f, (ctn_execution_filter){.after_exec_no = 5}, "8 7 6");
    check_list(f, (ctn_execution_filter){.after_exec_no = 5, .before_exec_no = 8, .limit = 1}, "7");
    check_list(f, (ctn_execution_filter){.after_exec_no = 5, .before_exec_no = 6}, "");
}

static void a_list_stops_when_told(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 5; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 1);
    }
    suite_seen seen = {.stop_after = 2};
    assert_ok(ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, suite_note_row, &seen, &err_));
    assert_string_equal(seen.text, "5 4");
    seen = (suite_seen){.stop_after = 2};
    assert_ok(ctn_store_execution_due(f->st, 5, 0, suite_note_row, &seen, &err_));
    assert_string_equal(seen.text, "1 2");
}

static void the_highest_number_is_remembered(void **state)
{
    suite_fixture *f = *state;
    int64_t last = -1;
    assert_ok(ctn_store_exec_no_last(f->st, &last, &err_));
    assert_int_equal(last, 0);
    ctn_execution_row rows[2] = {suite_row(40), suite_row(12)};
    suite_create(f, &rows[0], 1);
    suite_create(f, &rows[1], 1);
    assert_ok(ctn_store_exec_no_last(f->second, &last, &err_));
    assert_int_equal(last, 40);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(executions_are_found_by_id_number_and_key),
    cmocka_unit_test(executions_are_found_by_the_start_of_their_id),
    cmocka_unit_test(lists_page_and_filter),
    cmocka_unit_test(lists_are_narrowed_by_what_people_look_for),
    cmocka_unit_test(a_list_stops_when_told),
    cmocka_unit_test(the_highest_number_is_remembered),
};
const suite_part suite_find = {TESTS, sizeof TESTS / sizeof TESTS[0]};
