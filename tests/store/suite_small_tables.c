/*
 * suite_small_tables.c -- schedules, breakers, pinned tools and results of calls are kept beside executions.
 */
#include "suite.h"
#include <inttypes.h>
#include <stdio.h>
#include "store/tool_pins.h"

static int tell_schedule(void *ctx, const ctn_schedule_row *row)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s %.*s %.*s %" PRId64 " %" PRId64 ";", CTN_STR_ARG(row->chain_id), CTN_STR_ARG(row->cron),
                      CTN_STR_ARG(row->timezone), row->seen_at_ms, row->next_at_ms);
}

static int tell_breaker(void *ctx, const ctn_breaker_row *row)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s %.*s %" PRId64 " %" PRId64 ";", CTN_STR_ARG(row->name), CTN_STR_ARG(row->state),
                      row->until_ms, row->changed_at_ms);
}

static void schedules_and_breakers_are_kept(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    ctn_schedule_row weekly = {S("weekly"), S("0 9 * * 1"), S("UTC"), 100, 200};
    ctn_schedule_row daily = {S("daily"), S("0 9 * * *"), S("Europe/London"), 100, 0};
    assert_ok(ctn_store_schedule_put(f->st, &weekly, &err_));
    assert_ok(ctn_store_schedule_put(f->st, &daily, &err_));
    weekly.seen_at_ms = 200;
    assert_ok(ctn_store_schedule_put(f->st, &weekly, &err_));
    assert_ok(ctn_store_schedule_list(f->second, tell_schedule, &t, &err_));
    assert_string_equal(t.text, "daily 0 9 * * * Europe/London 100 0; weekly 0 9 * * 1 UTC 200 200;");
    ctn_breaker_row open = {S("tool travel/book"), S("open"), 30100, 100};
    ctn_breaker_row closed = {S("tool crm/note"), S("closed"), 0, 100};
    assert_ok(ctn_store_breaker_put(f->st, &open, &err_));
    assert_ok(ctn_store_breaker_put(f->st, &closed, &err_));
    open.until_ms = 40100;
    assert_ok(ctn_store_breaker_put(f->st, &open, &err_));
    t.text[0] = '\0';
    assert_ok(ctn_store_breaker_list(f->second, tell_breaker, &t, &err_));
    assert_string_equal(t.text, "tool crm/note closed 0 100; tool travel/book open 40100 100;");
}

static int tell_pin(void *ctx, const ctn_tool_pin *pin)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s %02x %.*s %" PRId64 " %.*s '%.*s' %" PRId64 "%s;", CTN_STR_ARG(pin->target),
                      pin->digest.bytes[0], CTN_STR_ARG(pin->definition), pin->pinned_at_ms,
                      CTN_STR_ARG(pin->pinned_by), CTN_STR_ARG(pin->seen), pin->seen_at_ms,
                      pin->owes_resume ? " owes" : "");
}

static void pinned_tools_are_kept_and_replaced(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    ctn_tool_pin pins[] = {
        {S("travel/book"), {{7}}, S("{\"name\":\"book\"}"), 100, S("ann"), S(""), 0, false},
        {S("crm/note"), {{8}}, S("null"), 200, S("bob"), S("null"), 300, true},
    };
    assert_ok(ctn_store_tool_pin_put(f->st, pins, 2, &err_));
    assert_ok(ctn_store_tool_pin_list(f->second, tell_pin, &t, &err_));
    assert_string_equal(t.text,
                        "crm/note 08 null 200 bob 'null' 300 owes; travel/book 07 {\"name\":\"book\"} 100 ann '' 0;");
    pins[0].seen = S("{}");
    pins[0].seen_at_ms = 400;
    assert_ok(ctn_store_tool_pin_put(f->st, pins, 1, &err_));
    t.text[0] = '\0';
    assert_ok(ctn_store_tool_pin_list(f->second, tell_pin, &t, &err_));
    assert_string_equal(
        t.text, "crm/note 08 null 200 bob 'null' 300 owes; travel/book 07 {\"name\":\"book\"} 100 ann '{}' 400;");
    ctn_tool_pin nameless = {.definition = S("{}")};
    assert_int_equal(ctn_store_tool_pin_put(f->st, &nameless, 1, NULL), CTN_E_INVALID);
}

static ctn_outcome append_with(suite_fixture *f, uint64_t seq_expected, const ctn_result_row *results, size_t count)
{
    ctn_record *all = suite_records(f->arena, 1, 0, NULL, (size_t) seq_expected + 1);
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .seq_expected = seq_expected,
                         .records = &all[seq_expected],
                         .count = 1,
                         .results = results,
                         .result_count = count};
    return suite_append(f->st, &append);
}

static const char *result_of(suite_fixture *f, const char *key)
{
    ctn_result_row row = {0};
    int rc = ctn_store_result_get(f->second, f->arena, ctn_str_from(key), &row, NULL);
    if (rc == CTN_E_NOT_FOUND)
        return "none";
    assert_int_equal(rc, CTN_OK);
    assert_true(ctn_str_equal(row.key, ctn_str_from(key)));
    return ctn_arena_printf(f->arena, "%.*s %" PRId64 " %" PRId64, CTN_STR_ARG(row.value), row.put_at_ms,
                            row.expires_at_ms)
        .ptr;
}

static void results_are_kept_with_their_append(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_result_row first[] = {{S("k1"), S("{\"a\":1}"), 100, 200}, {S("k2"), S("[]"), 100, 900}};
    assert_int_equal(append_with(f, 1, first, 2), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k1"), "{\"a\":1} 100 200");
    assert_string_equal(result_of(f, "k2"), "[] 100 900");
    assert_string_equal(result_of(f, "k3"), "none");
    /* an append that is refused keeps nothing */
    ctn_result_row late = {S("k2"), S("0"), 150, 950};
    assert_int_equal(append_with(f, 1, &late, 1), CTN_OUTCOME_STALE_SEQ);
    assert_string_equal(result_of(f, "k2"), "[] 100 900");
    /* a later one replaces it */
    ctn_result_row again = {S("k2"), S("\"\""), 160, 960};
    assert_int_equal(append_with(f, 2, &again, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k2"), "\"\" 160 960");
    assert_string_equal(result_of(f, "k1"), "{\"a\":1} 100 200");
    ctn_result_row nameless = {S(""), S("0"), 150, 950};
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = 3, .results = &nameless, .result_count = 1};
    ctn_outcome outcome;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
}

static void expired_results_go_a_few_at_a_time(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_result_row many[10];
    for (int i = 0; i < 10; i++)
        many[i] = (ctn_result_row){ctn_arena_printf(f->arena, "k%d", i), S("1"), 100, 200 + i};
    assert_int_equal(append_with(f, 1, many, 10), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k0"), "1 100 200");
    ctn_result_row one = {S("fresh"), S("2"), 204, 900};
    assert_int_equal(append_with(f, 2, &one, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k0"), "none"); /* the oldest first, and not all at once */
    assert_string_equal(result_of(f, "k3"), "none");
    assert_string_equal(result_of(f, "k4"), "1 100 204");
    one.put_at_ms = 205;
    assert_int_equal(append_with(f, 3, &one, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k5"), "none");
    assert_string_equal(result_of(f, "k6"), "1 100 206"); /* it is fresh */
    assert_string_equal(result_of(f, "fresh"), "2 205 900");
}

static int tell_usage(void *ctx, const ctn_usage_row *row)
{
    return suite_note(ctx, "%.*s=%d/%d/%d/%d", CTN_STR_ARG(row->tenant), (int) row->used.executions,
                      (int) row->used.calls, (int) row->used.bytes, (int) row->used.money);
}

static void check_usage(suite_fixture *f, int64_t day, const char *expected)
{
    suite_seen t = {0};
    assert_ok(ctn_store_usage_list(f->second, day, tell_usage, &t, &err_));
    assert_string_equal(t.text, expected);
}

/* It goes with the commit it stands in, also when that append is refused; and what is long ago goes. */
static void what_tenants_have_used_is_written_with_a_commit(void **state)
{
    suite_fixture *f = *state;
    ctn_usage_row rows[] = {
        {S("acme"), 20000, {1, 2, 3, 4}}, {S("bolt"), 20000, {5, 6, 7, 8}}, {S("acme"), 19999, {9, 9, 9, 9}}};
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_append append = suite_next_append(f, 1, 1, 1);
    append.usage = rows;
    append.usage_count = 3;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_usage(f, 20000, "acme=1/2/3/4 bolt=5/6/7/8");
    check_usage(f, 19999, "acme=9/9/9/9");
    append.usage = &(ctn_usage_row){S("acme"), 20000, {2, 3, 4, 5}};
    append.usage_count = 1;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    check_usage(f, 20000, "acme=2/3/4/5 bolt=5/6/7/8");
    append.usage =
        &(ctn_usage_row){S("acme"), 20000, {1, 4, 3, 6}}; /* counted before, committed after: by another hand */
    suite_append(f->st, &append);
    check_usage(f, 20000, "acme=2/4/4/6 bolt=5/6/7/8");
    append.epoch = f->epoch - 1; /* somebody who owns the store no more */
    append.usage = &(ctn_usage_row){S("acme"), 20000, {9, 9, 9, 9}};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_EPOCH);
    check_usage(f, 20000, "acme=2/4/4/6 bolt=5/6/7/8");
    append = suite_next_append(f, 1, 2, 1);
    append.usage = &(ctn_usage_row){S("acme"), 20000 + CTN_USAGE_DAYS, {1, 1, 1, 1}};
    append.usage_count = 1;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_usage(f, 19999, "");
    check_usage(f, 20000, "acme=2/4/4/6 bolt=5/6/7/8");
    check_usage(f, 20000 + CTN_USAGE_DAYS, "acme=1/1/1/1");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(schedules_and_breakers_are_kept),
    cmocka_unit_test(pinned_tools_are_kept_and_replaced),
    cmocka_unit_test(results_are_kept_with_their_append),
    cmocka_unit_test(expired_results_go_a_few_at_a_time),
    cmocka_unit_test(what_tenants_have_used_is_written_with_a_commit),
};
const suite_part suite_small_tables = {TESTS, sizeof TESTS / sizeof TESTS[0]};
