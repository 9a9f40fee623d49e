/*
 * suite_webhooks.c -- the journal of the whole store reads on behind a position, and who is told of it is kept.
 */
#include "suite.h"
#include <inttypes.h>
#include <stdlib.h>
#include "store/webhooks.h"

/* Positions ascend; by how much is the backend's. */
typedef struct tail {
    suite_seen seen;
    int64_t first, last;
} tail;

static int tell_entry(void *ctx, const ctn_tail_entry *e)
{
    tail *t = ctx;
    assert_true(e->position > t->last);
    t->first = t->first ? t->first : e->position;
    t->last = e->position;
    return suite_note(&t->seen, "%" PRId64 "/%" PRIu64 " %.*s %.*s %.*s %d;", e->exec_no, e->record->seq,
                      CTN_STR_ARG(e->chain_id), CTN_STR_ARG(e->tenant), CTN_STR_ARG(e->labels), e->id.bytes[15]);
}

static int tell_two(void *ctx, const ctn_tail_entry *e)
{
    tail *t = ctx;
    return tell_entry(t, e) || strlen(t->seen.text) > 40;
}

static void the_journal_of_all_reads_on_behind_a_position(void **state)
{
    suite_fixture *f = *state;
    int64_t last = -1;
    assert_ok(ctn_store_position_last(f->second, &last, &err_));
    assert_int_equal(last, 0);
    ctn_execution_row one = suite_row(1), two = suite_row(2);
    one.id.bytes[15] = 1;
    two.id.bytes[15] = 2;
    two.tenant = S("acme");
    two.labels = S("{\"a\":1}");
    suite_create(f, &one, 1);
    suite_create(f, &two, 2);
    ctn_append more = suite_next_append(f, 1, 1, 1);
    assert_int_equal(suite_append(f->st, &more), CTN_OUTCOME_ACCEPTED);
    tail all = {.last = 0}, some = {.last = 0};
    assert_ok(ctn_store_journal_after(f->second, 0, 100, tell_entry, &all, &err_));
    assert_string_equal(all.seen.text,
                        "1/1 trip   1; 2/1 trip acme {\"a\":1} 2; 2/2 trip acme {\"a\":1} 2; 1/2 trip   1;");
    assert_ok(ctn_store_journal_after(f->second, all.first, 1, tell_entry, &some, &err_));
    assert_string_equal(some.seen.text, "2/1 trip acme {\"a\":1} 2;");
    some = (tail){.last = 0};
    assert_ok(ctn_store_journal_after(f->second, all.last, 100, tell_entry, &some, &err_));
    assert_ok(ctn_store_journal_after(f->second, 0, 0, tell_entry, &some, &err_));
    assert_string_equal(some.seen.text, "");
    assert_ok(ctn_store_journal_after(f->second, 0, 100, tell_two, &some, &err_)); /* who has enough says so */
    assert_string_equal(some.seen.text, "1/1 trip   1; 2/1 trip acme {\"a\":1} 2; 2/2 trip acme {\"a\":1} 2;");
    assert_ok(ctn_store_position_last(f->second, &last, &err_));
    assert_int_equal(last, all.last);
}

static int count_entry(void *ctx, const ctn_tail_entry *e)
{
    tail *t = ctx;
    assert_true(e->position > t->last);
    t->last = e->position;
    t->seen.count++;
    return 0;
}

static void more_entries_than_a_page_are_all_told(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1300);
    tail by_one = {.last = 0}, at_once = {.last = 0};
    for (size_t told = 0; told <= by_one.seen.count; told++)
        assert_ok(ctn_store_journal_after(f->st, by_one.last, 1, count_entry, &by_one, &err_));
    assert_int_equal(by_one.seen.count, 1300);
    assert_ok(ctn_store_journal_after(f->st, 0, 5000, count_entry, &at_once, &err_));
    assert_int_equal(at_once.seen.count, 1300);
    assert_int_equal(suite_journal_check(f->st, 1), 1300);
}

/* ---- webhooks ---- */

static int tell_webhook(void *ctx, const ctn_webhook_row *row)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s %.*s %.*s %.*s %" PRId64 " %" PRId64 " %.*s %.*s;", CTN_STR_ARG(row->name),
                      CTN_STR_ARG(row->definition), CTN_STR_ARG(row->secret), CTN_STR_ARG(row->tenant), row->position,
                      row->created_at_ms, CTN_STR_ARG(row->created_by), CTN_STR_ARG(row->stopped));
}

static int tell_letter(void *ctx, const ctn_dead_letter *letter)
{
    suite_seen *t = ctx;
    return suite_note(t, "%.*s %" PRId64 " %02x %.*s %" PRId64 " %.*s %" PRId64 ";", CTN_STR_ARG(letter->webhook),
                      letter->position, letter->execution.bytes[0], CTN_STR_ARG(letter->kind), letter->attempts,
                      CTN_STR_ARG(letter->why), letter->died_at_ms);
}

static void webhooks_are_kept_and_how_far_they_were_told(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    ctn_webhook_row crm = {S("crm"), S("{\"url\":1}"), S("box"), S("acme"), 5, 100, S("ann"), {0}};
    ctn_webhook_row audit = {S("audit"), S("{}"), S(""), {0}, 0, 100, S("bob"), S("gone")};
    assert_ok(ctn_store_webhook_put(f->st, &crm, &err_));
    assert_ok(ctn_store_webhook_put(f->st, &audit, &err_));
    audit.stopped = (ctn_str){0};
    assert_ok(ctn_store_webhook_put(f->st, &audit, &err_));
    ctn_webhook_reach reached[] = {{S("crm"), 9}, {S("nobody"), 3}, {S("audit"), 7}};
    assert_ok(ctn_store_webhook_advance(f->st, reached, 3, &err_));
    ctn_webhook_reach late = {S("crm"), 8}; /* of who does not know that another went on */
    assert_ok(ctn_store_webhook_advance(f->st, &late, 1, &err_));
    assert_ok(ctn_store_webhook_list(f->second, tell_webhook, &t, &err_));
    assert_string_equal(t.text, "audit {}   7 100 bob ; crm {\"url\":1} box acme 9 100 ann ;");
    assert_int_equal(ctn_store_webhook_put(f->st, &(ctn_webhook_row){.name = S("x")}, NULL), CTN_E_INVALID);
}

static void dead_letters_go_with_their_webhook(void **state)
{
    suite_fixture *f = *state;
    suite_seen t = {0};
    ctn_webhook_row crm = {S("crm"), S("{}"), S(""), {0}, 0, 100, S("ann"), {0}};
    ctn_dead_letter letters[] = {{S("crm"), 7, {{7}}, S("completed"), 12, S("HTTP 500"), 200},
                                 {S("crm"), 3, {{3}}, S("failed"), 12, S("HTTP 500"), 100},
                                 {S("other"), 3, {{3}}, S("failed"), 12, S("HTTP 500"), 100}};
    assert_ok(ctn_store_webhook_put(f->st, &crm, &err_));
    for (size_t i = 0; i < 3; i++)
        assert_ok(ctn_store_dead_letter_put(f->st, &letters[i], &err_));
    letters[0].attempts = 13;
    assert_ok(ctn_store_dead_letter_put(f->st, &letters[0], &err_));
    assert_ok(ctn_store_dead_letter_list(f->second, S("crm"), 0, 10, tell_letter, &t, &err_));
    assert_string_equal(t.text, "crm 3 03 failed 12 HTTP 500 100; crm 7 07 completed 13 HTTP 500 200;");
    t.text[0] = '\0';
    assert_ok(ctn_store_dead_letter_list(f->second, S("crm"), 0, 1, tell_letter, &t, &err_));
    assert_ok(ctn_store_dead_letter_list(f->second, S("crm"), 7, 10, tell_letter, &t, &err_));
    assert_string_equal(t.text, "crm 3 03 failed 12 HTTP 500 100;");
    assert_ok(ctn_store_dead_letter_remove(f->st, S("crm"), 3, &err_));
    assert_int_equal(ctn_store_dead_letter_remove(f->st, S("crm"), 3, NULL), CTN_E_NOT_FOUND);
    assert_ok(ctn_store_webhook_remove(f->st, S("crm"), &err_));
    assert_int_equal(ctn_store_webhook_remove(f->st, S("crm"), NULL), CTN_E_NOT_FOUND);
    t.text[0] = '\0';
    assert_ok(ctn_store_dead_letter_list(f->second, S("crm"), 0, 10, tell_letter, &t, &err_));
    assert_ok(ctn_store_webhook_list(f->second, tell_webhook, &t, &err_));
    assert_string_equal(t.text, "");
    assert_ok(ctn_store_dead_letter_list(f->second, S("other"), 0, 10, tell_letter, &t, &err_));
    assert_string_equal(t.text, "other 3 03 failed 12 HTTP 500 100;");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_journal_of_all_reads_on_behind_a_position),
    cmocka_unit_test(more_entries_than_a_page_are_all_told),
    cmocka_unit_test(webhooks_are_kept_and_how_far_they_were_told),
    cmocka_unit_test(dead_letters_go_with_their_webhook),
};
const suite_part suite_webhooks = {tests, sizeof tests / sizeof *tests};
