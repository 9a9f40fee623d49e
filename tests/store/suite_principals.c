/*
 * suite_principals.c -- who is known, what they are granted, and their keys (store/principals.h).
 */
#include "suite.h"
#include "store/principals.h"
#include <inttypes.h>

static int tell_principal(void *ctx, const ctn_principal_row *row)
{
    return suite_note(ctx, "%.*s@%.*s %s %" PRId64 " %.*s;", CTN_STR_ARG(row->name), CTN_STR_ARG(row->tenant),
                      row->is_service ? "service" : "user", row->created_at_ms, CTN_STR_ARG(row->created_by));
}

static int tell_grant(void *ctx, const ctn_grant_row *row)
{
    return suite_note(ctx, "%.*s %.*s '%.*s' '%.*s' '%.*s' %" PRId64 " %.*s;", CTN_STR_ARG(row->principal),
                      CTN_STR_ARG(row->what), CTN_STR_ARG(row->chain), CTN_STR_ARG(row->label), CTN_STR_ARG(row->set),
                      row->granted_at_ms, CTN_STR_ARG(row->granted_by));
}

static int tell_key(void *ctx, const ctn_api_key_row *row)
{
    return suite_note(ctx, "%.*s %.*s %02x %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 ";", CTN_STR_ARG(row->id),
                      CTN_STR_ARG(row->principal), row->hash.bytes[0], row->created_at_ms, row->expires_at_ms,
                      row->used_at_ms, row->revoked_at_ms);
}

static const char *told(ctn_store *st, suite_seen *seen)
{
    *seen = (suite_seen){0};
    assert_ok(ctn_store_principal_list(st, tell_principal, seen, &err_));
    assert_ok(ctn_store_grant_list(st, tell_grant, seen, &err_));
    assert_ok(ctn_store_api_key_list(st, tell_key, seen, &err_));
    return seen->text;
}

static int64_t changes_of(ctn_store *st)
{
    int64_t changes = -1;
    assert_ok(ctn_store_principal_changes(st, &changes, &err_));
    return changes;
}

static const ctn_principal_row ADA = {{"ada", 3}, {"acme", 4}, false, 100, {"mia", 3}};
static const ctn_grant_row GRANTS[] = {
    {{"ada", 3}, {"operator", 8}, {"lead-*", 6}, {0}, {0}, 100, {"mia", 3}},
    {{"ada", 3}, {"sets.use", 8}, {0}, {0}, {"ledger", 6}, 100, {"mia", 3}},
};
static const ctn_api_key_row KEY = {{"k1", 2}, {"ada", 3}, {{7}}, 100, 900, 0, 0, {"mia", 3}};

static void a_principal_comes_with_its_grants_and_its_key_or_not_at_all(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    const ctn_principal_put put = {&ADA, GRANTS, 2, &KEY};
    int64_t before = changes_of(f->second);
    assert_ok(ctn_store_principal_put(f->st, &put, &err_));
    const char *whole = "ada@acme user 100 mia; ada operator 'lead-*' '' '' 100 mia; ada sets.use '' '' 'ledger' 100 "
                        "mia; k1 ada 07 100 900 0 0;";
    assert_string_equal(told(f->second, &seen), whole);
    assert_int_not_equal(changes_of(f->second), before);
    before = changes_of(f->second);
    ctn_principal_row bob = ADA;
    bob.name = S("bob");
    const ctn_principal_put again = {&bob, NULL, 0, &KEY}; /* the key's id is taken: nor is there bob */
    assert_int_equal(ctn_store_principal_put(f->st, &again, NULL), CTN_E_EXISTS);
    assert_string_equal(told(f->second, &seen), whole);
    assert_int_equal(changes_of(f->second), before);
    const ctn_principal_put nameless = {.row = &(ctn_principal_row){.name = S("")}};
    assert_int_equal(ctn_store_principal_put(f->st, &nameless, NULL), CTN_E_INVALID);
}

static void what_is_taken_away_is_gone_and_a_key_that_was_revoked_stays_in_sight(void **state)
{
    suite_fixture *f = *state;
    suite_seen seen;
    const ctn_principal_put put = {&ADA, GRANTS, 2, &KEY};
    assert_ok(ctn_store_principal_put(f->st, &put, &err_));
    ctn_api_key_row second = KEY;
    second.id = S("k2");
    assert_ok(ctn_store_principal_put(f->st, &(ctn_principal_put){.key = &second}, &err_));

    int64_t before = changes_of(f->second);
    assert_ok(ctn_store_api_key_used(f->st, S("k1"), 150, &err_));
    assert_int_equal(changes_of(f->second), before); /* nothing that anybody must know at once */
    assert_ok(ctn_store_api_key_used(f->st, S("nobody's"), 150, &err_));
    assert_ok(ctn_store_api_key_revoke(f->st, S("k1"), 200, &err_));
    assert_ok(ctn_store_api_key_revoke(f->st, S("k1"), 300, &err_)); /* the first time counts */
    assert_int_not_equal(changes_of(f->second), before);
    assert_int_equal(ctn_store_api_key_revoke(f->st, S("k9"), 200, NULL), CTN_E_NOT_FOUND);
    before = changes_of(f->second);
    assert_ok(ctn_store_grant_remove(f->st, &GRANTS[0], &err_));
    assert_int_equal(ctn_store_grant_remove(f->st, &GRANTS[0], NULL), CTN_E_NOT_FOUND);
    assert_int_not_equal(changes_of(f->second), before);
    assert_string_equal(told(f->second, &seen), "ada@acme user 100 mia; ada sets.use '' '' 'ledger' 100 mia; "
                                                "k1 ada 07 100 900 150 200; k2 ada 07 100 900 0 0;");
    before = changes_of(f->second);
    assert_ok(ctn_store_principal_remove(f->st, S("ada"), 400, &err_));
    assert_int_equal(ctn_store_principal_remove(f->st, S("ada"), 400, NULL), CTN_E_NOT_FOUND);
    assert_int_not_equal(changes_of(f->second), before);
    assert_string_equal(told(f->second, &seen), "k1 ada 07 100 900 150 200; k2 ada 07 100 900 0 400;");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_principal_comes_with_its_grants_and_its_key_or_not_at_all),
    cmocka_unit_test(what_is_taken_away_is_gone_and_a_key_that_was_revoked_stays_in_sight),
};

const suite_part suite_principals = {TESTS, sizeof TESTS / sizeof TESTS[0]};
