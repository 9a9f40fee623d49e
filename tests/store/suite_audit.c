/*
 * suite_audit.c -- what people did is on record, and cannot be altered unnoticed (store/audit.h).
 */
#include "suite.h"
#include "store/audit.h"
#include <inttypes.h>

typedef struct audited {
    ctn_digest previous;
    int64_t count;
    suite_seen told;
} audited;

static int check_audit(void *ctx, const ctn_audit_entry *entry)
{
    audited *a = ctx;
    ctn_digest hash = ctn_audit_hash(entry, &a->previous);
    assert_memory_equal(hash.bytes, entry->hash.bytes, sizeof hash.bytes);
    assert_int_equal(entry->n, ++a->count);
    a->previous = hash;
    (void) suite_note(&a->told, "%" PRId64 " %.*s %.*s %.*s %.*s;", entry->at_ms, CTN_STR_ARG(entry->actor),
                      CTN_STR_ARG(entry->action), CTN_STR_ARG(entry->subject), CTN_STR_ARG(entry->detail));
    return 0;
}

static void audit(ctn_store *st, int64_t at_ms, const char *action, const char *subject, const char *detail)
{
    ctn_audit_entry entry = {
        .at_ms = at_ms, .actor = S("mia"), .action = S(action), .subject = S(subject), .detail = S(detail)};
    assert_ok(ctn_store_audit(st, &entry, &err_));
}

static void the_audit_log_is_a_chain_of_hashes(void **state)
{
    suite_fixture *f = *state;
    audited a = {0};
    int64_t count = 7;
    assert_ok(ctn_store_audit_count(f->st, &count, &err_));
    assert_int_equal(count, 0);
    assert_ok(ctn_store_audit_list(f->st, check_audit, &a, &err_));
    assert_int_equal(a.count, 0);
    audit(f->st, 100, "store.init", "", "");
    audit(f->st, 90, "chains.import", "trip", "{\"version\":1}"); /* a clock may go back; the order stays */
    assert_ok(ctn_store_audit_list(f->second, check_audit, &a, &err_));
    assert_string_equal(a.told.text, "100 mia store.init  {}; 90 mia chains.import trip {\"version\":1};");
    assert_ok(ctn_store_audit_count(f->second, &count, &err_));
    assert_int_equal(count, 2);
    ctn_audit_entry nothing = {.actor = S("mia")};
    assert_int_equal(ctn_store_audit(f->st, &nothing, NULL), CTN_E_INVALID);
}

static void two_writers_of_the_audit_log_make_one_chain(void **state)
{
    suite_fixture *f = *state;
    audited a = {0};
    for (int i = 0; i < 10; i++)
        audit(i % 2 ? f->st : f->second, i, "chains.import", "", "");
    assert_ok(ctn_store_audit_list(f->st, check_audit, &a, &err_));
    assert_int_equal(a.count, 10);
}

static int count_all(void *ctx, const ctn_audit_entry *entry)
{
    (void) entry;
    ++*(int64_t *) ctx;
    return 0;
}

static void what_rides_on_an_append_is_there_with_it_and_not_without(void **state)
{
    suite_fixture *f = *state;
    audited a = {0};
    ctn_execution_row row = suite_row(1);
    ctn_audit_entry start = {
        .at_ms = 5, .actor = S("ada"), .action = S("executions.start"), .subject = S("x1"), .detail = S("{\"seq\":1}")};
    ctn_audit_entry two[] = {{.at_ms = 6, .actor = S("ada"), .action = S("executions.pause"), .subject = S("x1")},
                             {.at_ms = 7, .actor = S("bob"), .action = S("executions.cancel"), .subject = S("x1")}};
    ctn_append first = {
        .exec_no = 1, .epoch = f->epoch, .row = &row, .records = suite_records(f->arena, 1, 0, NULL, 1), .count = 1};
    first.audits = &start;
    first.audit_count = 1;
    assert_int_equal(suite_append(f->st, &first), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &first), CTN_OUTCOME_STALE_SEQ); /* refused: so is what rides on it */
    audit(f->second, 5, "chains.import", "trip", "{}");
    ctn_append next = suite_next_append(f, 1, 1, 1);
    next.audits = two;
    next.audit_count = 2;
    next.epoch = f->epoch - 1;
    assert_int_equal(suite_append(f->st, &next), CTN_OUTCOME_STALE_EPOCH);
    next.epoch = f->epoch;
    assert_int_equal(suite_append(f->st, &next), CTN_OUTCOME_ACCEPTED);
    assert_ok(ctn_store_audit_list(f->second, check_audit, &a, &err_));
    assert_string_equal(a.told.text, "5 ada executions.start x1 {\"seq\":1}; 5 mia chains.import trip {}; "
                                     "6 ada executions.pause x1 {}; 7 bob executions.cancel x1 {};");
    int64_t count = 0, rest = 0;
    assert_ok(ctn_store_audit_count(f->st, &count, &err_));
    assert_int_equal(count, 4);
    assert_ok(ctn_store_audit_after(f->second, 1, count_all, &rest, &err_));
    assert_int_equal(rest, 3);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(what_rides_on_an_append_is_there_with_it_and_not_without),
    cmocka_unit_test(the_audit_log_is_a_chain_of_hashes),
    cmocka_unit_test(two_writers_of_the_audit_log_make_one_chain),
};
const suite_part suite_audit = {TESTS, sizeof TESTS / sizeof TESTS[0]};
