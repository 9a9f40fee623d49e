/*
 * suite_chains.c -- definitions are kept by content and never change (promise 5); chains get their versions by it.
 */
#include "suite.h"
#include <inttypes.h>

static void definitions_are_kept_by_content(void **state)
{
    suite_fixture *f = *state;
    ctn_definition two[2] = {
        {.digest = ctn_hash(S("a")), .kind = S("template"), .name = S("proposal"), .body = S("a")},
        {.digest = ctn_hash(S("b")), .kind = S("instruction_set"), .name = S("travel"), .body = S("b")},
    };
    assert_ok(ctn_store_definition_put(f->st, two, 2, &err_));
    two[0].name = S("renamed");
    assert_ok(ctn_store_definition_put(f->st, two, 2, &err_)); /* there already: no effect */
    assert_ok(ctn_store_definition_put(f->st, NULL, 0, &err_));
    ctn_definition read;
    assert_ok(ctn_store_definition_get(f->second, f->arena, &two[0].digest, &read, &err_));
    assert_str(read.kind, "template");
    assert_str(read.name, "proposal");
    assert_str(read.body, "a");
    assert_memory_equal(read.digest.bytes, two[0].digest.bytes, CTN_DIGEST_BYTES);
    ctn_digest unknown = ctn_hash(S("c"));
    ctn_err err = {0};
    assert_int_equal(ctn_store_definition_get(f->st, f->arena, &unknown, &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, ctn_digest_to_text(unknown).text));
}

static int64_t put_chain(suite_fixture *f, const char *id, int64_t version, ctn_digest digest)
{
    ctn_chain_row row = {
        .chain_id = S(id), .version = version, .digest = digest, .created_at_ms = 5, .created_by = S("ann")};
    int64_t got = 0;
    ctn_err err = {0};
    if (ctn_store_chain_put(f->st, &row, &got, &err))
        fail_msg("%s", err.message);
    return got;
}

static void chains_get_their_version_by_content(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "trip", 0, b), 2);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "other", 0, b), 1);
    ctn_chain_row row;
    assert_ok(ctn_store_chain_get(f->second, f->arena, S("trip"), 0, &row, &err_));
    assert_int_equal(row.version, 2);
    assert_memory_equal(row.digest.bytes, b.bytes, CTN_DIGEST_BYTES);
    assert_str(row.created_by, "ann");
    assert_int_equal(row.created_at_ms, 5);
    assert_ok(ctn_store_chain_get(f->second, f->arena, S("trip"), 1, &row, &err_));
    assert_memory_equal(row.digest.bytes, a.bytes, CTN_DIGEST_BYTES);
}

static void a_stated_version_is_kept_or_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    assert_int_equal(put_chain(f, "trip", 7, a), 7);
    assert_int_equal(put_chain(f, "trip", 7, a), 7);
    assert_int_equal(put_chain(f, "trip", 0, b), 8);
    ctn_chain_row row = {.chain_id = S("trip"), .version = 7, .digest = b};
    int64_t version = 0;
    ctn_err err = {0};
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, &err), CTN_E_EXISTS);
    assert_non_null(strstr(err.message, "version 7"));
    row.version = -1;
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, NULL), CTN_E_INVALID);
    row.version = 0;
    row.chain_id = S("");
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, NULL), CTN_E_INVALID);
    assert_int_equal(put_chain(f, "trip", 3, b), 3); /* an older number may be filled in */
    assert_ok(ctn_store_chain_get(f->st, f->arena, S("trip"), 0, &row, &err_));
    assert_int_equal(row.version, 8);
}

static void a_chain_without_its_definition_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_chain_row row = {.chain_id = S("trip"), .digest = ctn_hash(S("never put"))};
    int64_t version = 0;
    ctn_err err = {0};
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "trip"));
    assert_int_equal(ctn_store_chain_get(f->st, f->arena, S("trip"), 0, &row, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"trip\""));
    assert_int_equal(ctn_store_chain_get(f->st, f->arena, S("trip"), 4, &row, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "version 4"));
}

static int note_chain(void *ctx, const ctn_chain_row *row)
{
    suite_seen *seen = ctx;
    return suite_note(seen, "%.*s@%" PRId64, CTN_STR_ARG(row->chain_id), row->version);
}

static void chains_are_listed_by_id_with_their_newest_version(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    put_chain(f, "trip", 0, a);
    put_chain(f, "trip", 0, b);
    put_chain(f, "zeta", 0, a);
    put_chain(f, "alpha", 5, a);
    suite_seen seen = {0};
    assert_ok(ctn_store_chain_list(f->second, note_chain, &seen, &err_));
    assert_string_equal(seen.text, "alpha@5 trip@2 zeta@1");
    suite_seen one = {.stop_after = 1};
    assert_ok(ctn_store_chain_list(f->second, note_chain, &one, &err_));
    assert_string_equal(one.text, "alpha@5");
    suite_seen versions = {0}, none = {0};
    assert_ok(ctn_store_chain_versions(f->second, S("trip"), note_chain, &versions, &err_));
    assert_string_equal(versions.text, "trip@2 trip@1");
    assert_ok(ctn_store_chain_versions(f->second, S("tri"), note_chain, &none, &err_));
    assert_string_equal(none.text, "");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(definitions_are_kept_by_content),
    cmocka_unit_test(chains_get_their_version_by_content),
    cmocka_unit_test(a_stated_version_is_kept_or_refused),
    cmocka_unit_test(a_chain_without_its_definition_is_refused),
    cmocka_unit_test(chains_are_listed_by_id_with_their_newest_version),
};
const suite_part suite_chains = {TESTS, sizeof TESTS / sizeof TESTS[0]};
