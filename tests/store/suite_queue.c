/*
 * suite_queue.c -- who is due, who stands in line (promise 6), what is queued, and what is still owed.
 */
#include "suite.h"

static void check_due(suite_fixture *f, int64_t until_ms, size_t limit, const char *expected)
{
    suite_seen seen = {0};
    ctn_err err = {0};
    if (ctn_store_execution_due(f->second, until_ms, limit, suite_note_row, &seen, &err))
        fail_msg("%s", err.message);
    assert_string_equal(seen.text, expected);
}

static void make_wakers(suite_fixture *f)
{
    static const int64_t wakes[] = {500, 0, 1, 300, 500, 200};
    for (int64_t no = 1; no <= 6; no++) {
        ctn_execution_row row = suite_row(no);
        row.wake_at_ms = wakes[no - 1];
        row.status = no == 6 ? CTN_STATUS_COMPLETED : no == 4 ? CTN_STATUS_PAUSED : CTN_STATUS_WAITING;
        suite_create(f, &row, 1);
    }
}

static void due_gives_the_unfinished_in_order_of_wake_time(void **state)
{
    suite_fixture *f = *state;
    make_wakers(f);
    check_due(f, 0, 0, "");
    check_due(f, 1, 0, "3");
    check_due(f, 499, 0, "3 4");
    check_due(f, 500, 0, "3 4 1 5");
    check_due(f, 500, 3, "3 4 1");
    ctn_append append = suite_next_append(f, 3, 1, 1);
    ctn_execution_change change = {.status = CTN_STATUS_WAITING, .wake_at_ms = 400};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_due(f, 500, 0, "4 3 1 5");
    append = suite_next_append(f, 4, 1, 1);
    change = (ctn_execution_change){.status = CTN_STATUS_FAILED, .wake_at_ms = 300};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_due(f, 500, 0, "3 1 5");
}

static void next_wake_is_the_earliest_after(void **state)
{
    suite_fixture *f = *state;
    int64_t wake = -1;
    assert_ok(ctn_store_next_wake(f->st, 0, &wake, &err_));
    assert_int_equal(wake, 0);
    make_wakers(f);
    static const int64_t cases[][2] = {{-5, 1}, {0, 1}, {1, 300}, {299, 300}, {300, 500}, {500, 0}, {INT64_MAX, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(ctn_store_next_wake(f->second, cases[i][0], &wake, &err_));
        assert_int_equal(wake, cases[i][1]);
    }
}

static void queue_up_for(suite_fixture *f, const char *tenant, int64_t exec_no, const char *chain, int priority,
                         const char *key)
{
    ctn_execution_row row = suite_row(exec_no);
    row.tenant = S(tenant);
    row.chain_id = S(chain);
    row.priority = priority;
    row.queue_key = S(key);
    row.wake_at_ms = 0;
    suite_create(f, &row, 1);
}

static void queue_up(suite_fixture *f, int64_t exec_no, const char *chain, int priority, const char *key)
{
    queue_up_for(f, "", exec_no, chain, priority, key);
}

static void turn_into(suite_fixture *f, int64_t exec_no, uint64_t seq, ctn_status status, int64_t wake_at_ms)
{
    ctn_execution_row row;
    assert_ok(ctn_store_execution_by_no(f->st, f->arena, exec_no, &row, &err_));
    ctn_execution_change change = {.status = status,
                                   .wake_at_ms = wake_at_ms,
                                   .started_at_ms = 5,
                                   .finished_at_ms = ctn_status_is_final(status) ? 9 : 0,
                                   .queue_key = ctn_status_is_final(status) ? row.queue_key : S("")};
    ctn_append append = {.exec_no = exec_no, .epoch = f->epoch, .seq_expected = seq, .change = &change};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

static bool is_held(suite_fixture *f, int64_t exec_no)
{
    ctn_execution_row row;
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, exec_no, &row, &err_));
    return row.is_held;
}

static int64_t first_of(suite_fixture *f, const char *key, int64_t before_exec_no)
{
    ctn_execution_row row;
    int rc = ctn_store_queue_first(f->second, f->arena, S(key), before_exec_no, &row, NULL);
    assert_true(rc == CTN_OK || rc == CTN_E_NOT_FOUND);
    return rc ? 0 : row.exec_no;
}

static int tell_lane(void *ctx, const ctn_queue_lane *lane)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s%s%.*s/%d", CTN_STR_ARG(lane->tenant), lane->tenant.len ? ":" : "",
                      CTN_STR_ARG(lane->chain_id), lane->priority);
}

static int tell_depth(void *ctx, const ctn_queue_lane *lane)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s:%.*s/%d=%d+%d@%d", CTN_STR_ARG(lane->tenant), CTN_STR_ARG(lane->chain_id),
                      lane->priority, (int) lane->depth, (int) lane->held, (int) lane->oldest_at_ms);
}

static void check_queue(suite_fixture *f, const char *chain, int priority, int64_t after, size_t limit,
                        const char *expected)
{
    suite_seen t = {0};
    assert_ok(ctn_store_queue_next(f->st, S(""), S(chain), priority, after, limit, suite_note_row, &t, &err_));
    assert_string_equal(t.text, expected);
}

static void those_with_one_key_stand_in_line(void **state)
{
    suite_fixture *f = *state;
    queue_up(f, 1, "trip", 5, "smith");
    queue_up(f, 2, "trip", 5, "smith");
    queue_up(f, 3, "other", 9, "smith");
    queue_up(f, 4, "trip", 5, "jones");
    queue_up(f, 5, "trip", 5, "");
    check_queue(f, "trip", 5, 0, 0, "1 4 5");
    check_queue(f, "other", 9, 0, 0, "");
    assert_int_equal(first_of(f, "smith", 0), 1);
    assert_int_equal(first_of(f, "smith", 1), 0);
    assert_int_equal(first_of(f, "smith", 3), 1);
    turn_into(f, 1, 1, CTN_STATUS_RUNNING, 1);
    assert_true(is_held(f, 2) && is_held(f, 3));
    turn_into(f, 1, 1, CTN_STATUS_WAITING, 0); /* parked: it keeps its turn */
    check_queue(f, "trip", 5, 0, 0, "4 5");
    turn_into(f, 1, 1, CTN_STATUS_COMPLETED, 0);
    check_queue(f, "trip", 5, 0, 0, "2 4 5");
    assert_true(is_held(f, 3));
    turn_into(f, 2, 1, CTN_STATUS_CANCELLED, 0); /* it never ran */
    check_queue(f, "other", 9, 0, 0, "3");
    assert_int_equal(first_of(f, "smith", 0), 3);
    turn_into(f, 3, 1, CTN_STATUS_ROLLED_BACK, 0);
    assert_int_equal(first_of(f, "smith", 0), 0);
    queue_up(f, 6, "trip", 5, "smith");
    assert_false(is_held(f, 6));
}

static void who_leaves_the_middle_of_a_line_moves_nobody(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 4; no++)
        queue_up(f, no, "trip", 5, "smith");
    turn_into(f, 1, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 2, 1, CTN_STATUS_CANCELLED, 0);
    assert_true(is_held(f, 3) && is_held(f, 4));
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 0);
    assert_false(is_held(f, 3));
    assert_true(is_held(f, 4));
}

/* The end of the first and the arrival of the next in one batch, in both orders. */
static void a_line_moves_on_within_one_batch(void **state)
{
    suite_fixture *f = *state;
    for (int k = 0; k < 2; k++) {
        int64_t no = 1 + 2 * k;
        queue_up(f, no, "trip", 5, "smith");
        ctn_execution_change change = {.status = CTN_STATUS_COMPLETED, .finished_at_ms = 9, .queue_key = S("smith")};
        ctn_execution_row row = suite_row(no + 1);
        row.queue_key = S("smith");
        ctn_append ends = {.exec_no = no, .epoch = f->epoch, .seq_expected = 1, .change = &change};
        ctn_append comes = {.exec_no = no + 1,
                            .epoch = f->epoch,
                            .row = &row,
                            .records = suite_records(f->arena, no + 1, 0, NULL, 1),
                            .count = 1};
        ctn_append appends[2] = {k ? comes : ends, k ? ends : comes};
        ctn_outcome outcomes[2];
        assert_ok(ctn_store_commit(f->st, appends, 2, outcomes, &err_));
        assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
        assert_int_equal(outcomes[1], CTN_OUTCOME_ACCEPTED);
        assert_false(is_held(f, no + 1));
        turn_into(f, no + 1, 1, CTN_STATUS_COMPLETED, 0);
    }
}

static void lanes_are_told_once_each(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    assert_ok(ctn_store_queue_lanes(f->st, tell_lane, &t, &err_));
    assert_string_equal(t.text, "");
    queue_up(f, 1, "trip", 5, "");
    queue_up(f, 2, "trip", 0, "");
    queue_up(f, 3, "trip", 5, "");
    queue_up(f, 4, "mail", 9, "smith");
    queue_up(f, 5, "note", 9, "smith"); /* held */
    assert_ok(ctn_store_queue_lanes(f->st, tell_lane, &t, &err_));
    assert_string_equal(t.text, "mail/9 note/9 trip/0 trip/5");
    turn_into(f, 2, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 4, 1, CTN_STATUS_FAILED, 0);
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_lanes(f->second, tell_lane, &t, &err_));
    assert_string_equal(t.text, "note/9 trip/5");
}

/* Of each tenant its own, and what is nobody's; with what is held beside what is not, and how old the first is. */
static void lanes_are_of_tenants_and_tell_their_depth(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    queue_up_for(f, "acme", 1, "trip", 5, "smith");
    queue_up_for(f, "acme", 2, "trip", 5, "smith"); /* held */
    queue_up_for(f, "acme", 3, "trip", 5, "");
    queue_up_for(f, "bolt", 4, "trip", 5, "");
    queue_up_for(f, "bolt", 5, "note", 0, "smith"); /* held */
    queue_up_for(f, "", 6, "trip", 5, "");
    assert_ok(ctn_store_queue_lanes(f->second, tell_depth, &t, &err_));
    int at[7];
    for (int64_t no = 1; no <= 6; no++)
        at[no] = (int) ctn_id_at_ms(suite_row(no).id);
    assert_string_equal(
        t.text, ctn_arena_printf(f->arena, ":trip/5=1+0@%d acme:trip/5=2+1@%d bolt:note/0=0+1@0 bolt:trip/5=1+0@%d",
                                 at[6], at[1], at[4])
                    .ptr);
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_next(f->st, S("acme"), S("trip"), 5, 0, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "1 3");
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_next(f->st, S("bolt"), S("trip"), 5, 0, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "4");
    check_queue(f, "trip", 5, 0, 0, "6");
    turn_into(f, 1, 1, CTN_STATUS_COMPLETED, 0);
    turn_into(f, 4, 1, CTN_STATUS_RUNNING, 1);
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_next(f->st, S("acme"), S("trip"), 5, 0, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "2 3");
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_lanes(f->st, tell_depth, &t, &err_));
    assert_string_equal(
        t.text, ctn_arena_printf(f->arena, ":trip/5=1+0@%d acme:trip/5=2+0@%d bolt:note/0=0+1@0", at[6], at[2]).ptr);
}

static void a_lane_pages_in_order_of_arrival(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 9; no++)
        queue_up(f, no, no % 3 ? "trip" : "mail", no == 5 ? 9 : 5, "");
    check_queue(f, "trip", 5, 0, 3, "1 2 4");
    check_queue(f, "trip", 5, 4, 3, "7 8");
    check_queue(f, "trip", 5, 8, 3, "");
    check_queue(f, "trip", 9, 0, 3, "5");
    check_queue(f, "mail", 5, 0, 0, "3 6 9");
    suite_seen t = {0};
    assert_ok(ctn_store_execution_due(f->st, INT64_MAX, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, ""); /* queued ones are not among what the engine must load */
}

static void what_ended_ones_owe_is_found_until_it_is_paid(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    for (int64_t no = 1; no <= 4; no++)
        queue_up(f, no, "trip", 5, "");
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 1);
    turn_into(f, 2, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 3, 1, CTN_STATUS_FAILED, 0);
    turn_into(f, 4, 1, CTN_STATUS_ROLLED_BACK, 1);
    assert_ok(ctn_store_execution_owing(f->second, 0, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "1 4");
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 0);
    t.text[0] = '\0';
    assert_ok(ctn_store_execution_owing(f->st, 0, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "4");
    t.text[0] = '\0';
    assert_ok(ctn_store_execution_owing(f->st, 4, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "");
    assert_ok(ctn_store_execution_due(f->st, INT64_MAX, 0, suite_note_row, &t, &err_));
    assert_string_equal(t.text, "2");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(due_gives_the_unfinished_in_order_of_wake_time),
    cmocka_unit_test(next_wake_is_the_earliest_after),
    cmocka_unit_test(those_with_one_key_stand_in_line),
    cmocka_unit_test(who_leaves_the_middle_of_a_line_moves_nobody),
    cmocka_unit_test(a_line_moves_on_within_one_batch),
    cmocka_unit_test(lanes_are_told_once_each),
    cmocka_unit_test(lanes_are_of_tenants_and_tell_their_depth),
    cmocka_unit_test(a_lane_pages_in_order_of_arrival),
    cmocka_unit_test(what_ended_ones_owe_is_found_until_it_is_paid),
};
const suite_part suite_queue = {TESTS, sizeof TESTS / sizeof TESTS[0]};
