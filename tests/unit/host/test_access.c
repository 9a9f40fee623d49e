/*
 * Who may do what: judged by a caller, an action and an object; and who is recognised by what he brings.
 */
#include <stdio.h>
#include <stdlib.h>
#include "host/access.h"
#include "host/api_key.h"
#include "store/audit.h"
#include "store/principals.h"
#include "support/cmocka.h"

typedef struct world {
    ctn_arena *arena;
    ctn_store *store;
    ctn_config config;
    ctn_config_token tokens[2];
    ctn_access *access;
    int64_t now_ms;
    ctn_err err;
} world;

static int64_t clock_of(void *ctx)
{
    return ((world *) ctx)->now_ms;
}

static int set_up(void **state)
{
    static ctn_str AUTHOR[] = {{"author", 6}};
    static ctn_str OPERATOR[] = {{"operator", 8}};
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->arena = ctn_arena_new(4096);
    w->now_ms = 1000000;
    w->tokens[0] = (ctn_config_token){
        .where = {.name = CTN_STR("ann"), .env = CTN_STR("TEST_TOKEN_ANN")}, .roles = AUTHOR, .role_count = 1};
    w->tokens[1] = (ctn_config_token){.where = {.name = CTN_STR("tom"), .env = CTN_STR("TEST_TOKEN_TOM")},
                                      .roles = OPERATOR,
                                      .role_count = 1,
                                      .tenant = CTN_STR("acme")};
    w->config.http.tokens = w->tokens;
    setenv("TEST_TOKEN_ANN", "ann-secret", 1);
    setenv("TEST_TOKEN_TOM", "tom-secret", 1);
    assert_int_equal(ctn_store_open("memory:access", CTN_STORE_CREATE, &w->store, &w->err), CTN_OK);
    ctn_access_options options = {.store = w->store, .config = &w->config, .clock = {clock_of, w}};
    assert_int_equal(ctn_access_new(&options, &w->access, &w->err), CTN_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    ctn_access_free(w->access);
    ctn_store_close(w->store);
    ctn_arena_free(w->arena);
    free(w);
    return 0;
}

/* ---- judging ---- */

static ctn_caller granted(world *w, const char *tenant, size_t count, const char *const (*grants)[3])
{
    ctn_grant *items = CTN_NEW_ARRAY(w->arena, ctn_grant, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ctn_grant_parse(ctn_str_from(grants[i][0]), ctn_str_from(grants[i][1]),
                                         ctn_str_from(grants[i][2]), &items[i], &w->err),
                         CTN_OK);
    ctn_grants *all = CTN_NEW(w->arena, ctn_grants);
    *all = (ctn_grants){items, count};
    return (ctn_caller){.name = CTN_STR("ada"), .tenant = ctn_str_from(tenant), .via = CTN_STR("api"), .grants = all};
}
#define GRANTED(w, tenant, ...)                                                                                        \
    granted(w, tenant, sizeof((const char *const[][3]){__VA_ARGS__}) / sizeof(const char *[3]),                        \
            (const char *const[][3]){__VA_ARGS__})

static ctn_access_object of_chain(const char *chain)
{
    return (ctn_access_object){.chain_id = ctn_str_from(chain)};
}

static void nobody_may_anything_who_was_granted_nothing(void **state)
{
    (void) state;
    const ctn_caller nobody = {.name = CTN_STR("nobody"), .via = CTN_STR("api")};
    const ctn_grants none = {0};
    const ctn_caller empty = {.name = CTN_STR("empty"), .via = CTN_STR("api"), .grants = &none};
    for (ctn_action a = 0; a < CTN_ACTION_COUNT; a++) {
        assert_false(ctn_access_may(&nobody, a, NULL));
        assert_false(ctn_access_may(&empty, a, NULL));
    }
}

static void an_admin_reveals_nothing_and_uses_no_restricted_set_unless_granted(void **state)
{
    world *w = *state;
    ctn_caller admin = GRANTED(w, "", {"admin"});
    for (ctn_action a = 0; a < CTN_ACTION_COUNT; a++)
        assert_int_equal(ctn_access_may(&admin, a, NULL), a != CTN_ACTION_REVEAL && a != CTN_ACTION_SETS_USE);
}

static void a_grant_for_some_chains_is_none_for_others_nor_for_the_whole(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "", {"operator", "lead-*"});
    ctn_access_object lead = of_chain("lead-eu"), other = of_chain("mislead-eu"), bare = of_chain("lead-");
    assert_true(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_START, &lead));
    assert_true(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_START, &bare));
    assert_false(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_START, &other));
    assert_true(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_START, NULL)); /* something at all */
    assert_false(ctn_access_may(&ada, CTN_ACTION_TOOLS_OPERATE, NULL));   /* not about chains */
    assert_false(ctn_access_may(&ada, CTN_ACTION_NODES_READ, NULL));
}

static void a_star_is_any_text_wherever_it_stands(void **state)
{
    world *w = *state;
    const struct {
        const char *pattern, *chain;
        bool fits;
    } CASES[] = {{"*", "x", true},           {"a*c", "abc", true},      {"a*c", "ac", true},
                 {"a*c", "acb", false},      {"*-eu", "lead-eu", true}, {"*-eu", "lead-eu2", false},
                 {"a*b*c", "aXbYbZc", true}, {"a**", "a", true},        {"A", "a", false},
                 {"*a*", "bbb", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ctn_caller ada = GRANTED(w, "", {"executions.start", CASES[i].pattern});
        ctn_access_object chain = of_chain(CASES[i].chain);
        assert_int_equal(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_START, &chain), CASES[i].fits);
    }
}

static void a_grant_for_a_label_needs_the_label_to_be_there(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "", {"viewer", "", "team=red"});
    ctn_json_builder red = ctn_json_object(w->arena), number = ctn_json_object(w->arena);
    ctn_json_put_str(&red, "team", CTN_STR("red"));
    ctn_json_put_int(&number, "team", 7);
    ctn_access_object object = of_chain("a");
    assert_false(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_READ, &object));
    object.labels = ctn_json_finish(&number);
    assert_false(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_READ, &object));
    object.labels = ctn_json_finish(&red);
    assert_true(ctn_access_may(&ada, CTN_ACTION_EXECUTIONS_READ, &object));
}

static void a_grant_for_a_set_is_for_that_set(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "", {"sets.use:ledger"});
    ctn_access_object ledger = {.set = CTN_STR("ledger"), .is_shared = true};
    ctn_access_object payroll = {.set = CTN_STR("payroll"), .is_shared = true};
    assert_true(ctn_access_may(&ada, CTN_ACTION_SETS_USE, &ledger));
    assert_int_equal(ctn_access_demand(NULL, &ada, CTN_ACTION_SETS_USE, &payroll, &w->err), CTN_E_DENIED);
    assert_string_equal(w->err.message, "ada lacks the grant \"sets.use:payroll\" (have a chain use a restricted "
                                        "instruction set); no role has it");
}

static void what_is_of_another_tenant_is_not_there(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "acme", {"admin"}, {"reveal"});
    ctn_access_object own = {.chain_id = CTN_STR("a"), .tenant = CTN_STR("acme")};
    ctn_access_object foreign = {.chain_id = CTN_STR("a"), .tenant = CTN_STR("evil")};
    ctn_access_object nobodys = {.chain_id = CTN_STR("a")};
    ctn_access_object chain = {.chain_id = CTN_STR("a"), .is_shared = true};
    assert_true(ctn_access_sees(&ada, &own));
    assert_true(ctn_access_may(&ada, CTN_ACTION_REVEAL, &own));
    assert_true(ctn_access_may(&ada, CTN_ACTION_CHAINS_READ, &chain));
    for (ctn_action a = 0; a < CTN_ACTION_COUNT; a++) {
        assert_int_equal(ctn_access_demand(NULL, &ada, a, &foreign, &w->err), CTN_E_NOT_FOUND);
        assert_int_equal(ctn_access_demand(NULL, &ada, a, &nobodys, &w->err), CTN_E_NOT_FOUND);
    }
    assert_int_equal(ctn_access_demand(NULL, &ada, CTN_ACTION_CHAINS_IMPORT, NULL, &w->err), CTN_E_DENIED);
    assert_string_equal(w->err.message, "ada is of the tenant acme, and \"chains.import\" (import chains) concerns all "
                                        "tenants: it needs a principal of none");
}

static void a_denial_names_the_missing_grant_and_who_has_it(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "", {"viewer"});
    ctn_access_object lead = of_chain("lead-eu");
    assert_int_equal(ctn_access_demand(NULL, &ada, CTN_ACTION_EXECUTIONS_START, &lead, &w->err), CTN_E_DENIED);
    assert_string_equal(w->err.message, "ada lacks the grant \"executions.start\" (start a chain) for the chain "
                                        "lead-eu; roles that have it: operator, admin");
    assert_int_equal(ctn_access_demand(NULL, &ada, CTN_ACTION_REVEAL, NULL, &w->err), CTN_E_DENIED);
    assert_string_equal(w->err.message, "ada lacks the grant \"reveal\" (see sensitive values); no role has it");
}

static void a_grant_that_says_nothing_is_refused_with_the_nearest_word(void **state)
{
    world *w = *state;
    ctn_grant grant;
    const struct {
        const char *what, *chain, *label, *sentence;
    } CASES[] = {
        {"opperator", "", "", "\"opperator\" is no role and no action; did you mean operator?"},
        {"reveal:x", "", "", "\"reveal:x\": a name behind a colon is the set of sets.use:NAME"},
        {"sets.use:", "", "", "\"sets.use:\": a name behind a colon is the set of sets.use:NAME"},
        {"audit.read", "lead-*", "", "audit.read is not about chains: it cannot be narrowed to some of them"},
        {"viewer", "", "team", "\"team\": a label is narrowed to as NAME=VALUE"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(ctn_grant_parse(ctn_str_from(CASES[i].what), ctn_str_from(CASES[i].chain),
                                         ctn_str_from(CASES[i].label), &grant, &w->err),
                         CTN_E_INVALID);
        assert_string_equal(w->err.message, CASES[i].sentence);
    }
}

/* ---- the audit log ---- */

static int count_denials(void *ctx, const ctn_audit_entry *entry)
{
    *(size_t *) ctx += ctn_str_is(entry->action, "access.deny");
    return 0;
}

static size_t denials(world *w)
{
    size_t count = 0;
    assert_int_equal(ctn_store_audit_list(w->store, count_denials, &count, &w->err), CTN_OK);
    return count;
}

static void who_is_denied_over_and_over_fills_no_log(void **state)
{
    world *w = *state;
    ctn_caller ada = GRANTED(w, "", {"viewer"});
    for (int i = 0; i < 100; i++)
        (void) ctn_access_demand(w->access, &ada, CTN_ACTION_REVEAL, NULL, NULL);
    assert_int_equal(denials(w), 1);
    (void) ctn_access_demand(w->access, &ada, CTN_ACTION_EXECUTIONS_START, NULL, NULL);
    assert_int_equal(denials(w), 2);
    w->now_ms += 61000;
    (void) ctn_access_demand(w->access, &ada, CTN_ACTION_REVEAL, NULL, NULL);
    assert_int_equal(denials(w), 3);
    for (int i = 0; i < 500; i++) { /* under ever new names */
        ada.name = ctn_arena_printf(w->arena, "ada%d", i);
        (void) ctn_access_demand(w->access, &ada, CTN_ACTION_REVEAL, NULL, NULL);
    }
    assert_in_range(denials(w), 4, 80);
}

/* ---- who is it ---- */

static ctn_recognition knock(world *w, const char *authorization, bool is_loopback, const ctn_caller **ret)
{
    ctn_knock k = {.authorization = ctn_str_from(authorization),
                   .from = CTN_STR("10.0.0.1"),
                   .via = "api",
                   .is_loopback = is_loopback};
    return ctn_access_recognise(w->access, w->arena, &k, ret, &w->err);
}

static void somebody_without_a_token_is_anonymous_on_loopback_until_there_are_tokens(void **state)
{
    world *w = *state;
    const ctn_caller *caller = NULL;
    assert_int_equal(knock(w, "", true, &caller), CTN_RECOGNISED);
    assert_true(ctn_str_is(caller->name, "anonymous"));
    assert_true(ctn_access_may(caller, CTN_ACTION_EXECUTIONS_START, NULL));
    assert_true(ctn_access_may(caller, CTN_ACTION_CHAINS_IMPORT, NULL));
    assert_false(ctn_access_may(caller, CTN_ACTION_PRINCIPALS_MANAGE, NULL));
    assert_int_equal(knock(w, "", false, &caller), CTN_UNRECOGNISED);
    w->config.http.token_count = 2;
    assert_int_equal(knock(w, "", true, &caller), CTN_UNRECOGNISED);
    assert_true(ctn_access_is_guarded(w->access));
}

static void the_holder_of_a_token_is_who_the_configuration_says(void **state)
{
    world *w = *state;
    const ctn_caller *caller = NULL;
    w->config.http.token_count = 2;
    assert_int_equal(knock(w, "bEARER   tom-secret ", false, &caller), CTN_RECOGNISED);
    assert_true(ctn_str_is(caller->name, "tom") && ctn_str_is(caller->tenant, "acme"));
    assert_true(ctn_access_may(caller, CTN_ACTION_EXECUTIONS_START, NULL));
    assert_int_equal(knock(w, "Bearer ann-secret", false, &caller), CTN_RECOGNISED);
    assert_true(ctn_access_may(caller, CTN_ACTION_CHAINS_IMPORT, NULL));
    assert_false(ctn_access_may(caller, CTN_ACTION_EXECUTIONS_START, NULL));
    const char *bad[] = {"",
                         "Bearer",
                         "Bearer ",
                         "Bearer ann-secre",
                         "Bearer ann-secret2",
                         "Basic ann-secret",
                         "ann-secret",
                         "Bearer tom-secret ann-secret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(knock(w, bad[i], true, &caller), CTN_UNRECOGNISED);
    setenv("TEST_TOKEN_ANN", "another", 1); /* it is taken away under a running server */
    w->now_ms += 2000;
    assert_int_equal(knock(w, "Bearer ann-secret", false, &caller), CTN_UNRECOGNISED);
}

static ctn_api_key make_key(world *w, const char *name, const char *tenant, const char *what, int64_t expires_at_ms)
{
    ctn_rng rng = ctn_rng_system();
    ctn_api_key key = ctn_api_key_new(&rng);
    ctn_principal_row row = {.name = ctn_str_from(name), .tenant = ctn_str_from(tenant)};
    ctn_grant_row grant = {.principal = row.name, .what = ctn_str_from(what)};
    ctn_api_key_row kept = {.id = ctn_str_from(key.id),
                            .principal = row.name,
                            .hash = ctn_api_key_hash(ctn_str_from(key.text)),
                            .expires_at_ms = expires_at_ms};
    ctn_principal_put put = {&row, &grant, 1, &kept};
    assert_int_equal(ctn_store_principal_put(w->store, &put, &w->err), CTN_OK);
    return key;
}

static void a_key_is_good_within_a_second_of_its_making_until_it_expires_or_is_revoked(void **state)
{
    world *w = *state;
    const ctn_caller *caller = NULL;
    char text[100];
    assert_int_equal(knock(w, "", true, &caller), CTN_RECOGNISED);
    ctn_api_key key = make_key(w, "ada", "acme", "operator", w->now_ms + 5000);
    ctn_api_key other = make_key(w, "bob", "", "viewer", 0);
    (void) snprintf(text, sizeof text, "Bearer %s", key.text);
    w->now_ms += 1000;
    assert_int_equal(knock(w, "", true, &caller), CTN_UNRECOGNISED); /* nobody is anonymous any more */
    assert_int_equal(knock(w, text, false, &caller), CTN_RECOGNISED);
    assert_true(ctn_str_is(caller->name, "ada") && ctn_str_is(caller->tenant, "acme"));
    assert_true(ctn_access_may(caller, CTN_ACTION_EXECUTIONS_CANCEL, NULL));
    assert_false(ctn_access_may(caller, CTN_ACTION_CHAINS_IMPORT, NULL));
    text[sizeof "Bearer ctn_" + 20] ^= 1;
    assert_int_equal(knock(w, text, false, &caller), CTN_UNRECOGNISED);
    assert_string_equal(w->err.message, "the API key is none of ours");
    (void) snprintf(text, sizeof text, "Bearer ctn_%s_%s", other.id, key.text + 17); /* another's id */
    assert_int_equal(knock(w, text, false, &caller), CTN_UNRECOGNISED);
    (void) snprintf(text, sizeof text, "Bearer %s", key.text);
    w->now_ms += 4000;
    assert_int_equal(knock(w, text, false, &caller), CTN_UNRECOGNISED);
    assert_string_equal(w->err.message, "the API key has expired");
    (void) snprintf(text, sizeof text, "Bearer %s", other.text);
    assert_int_equal(knock(w, text, false, &caller), CTN_RECOGNISED);
    assert_int_equal(ctn_store_api_key_revoke(w->store, ctn_str_from(other.id), w->now_ms, &w->err), CTN_OK);
    w->now_ms += 1000;
    assert_int_equal(knock(w, text, false, &caller), CTN_UNRECOGNISED);
    assert_string_equal(w->err.message, "the API key was revoked");
    assert_int_equal(knock(w, "", true, &caller), CTN_UNRECOGNISED); /* and all keys gone opens no door */
}

static void what_a_chain_may_use_is_judged_by_the_name_it_runs_for_as_it_is_now(void **state)
{
    world *w = *state;
    (void) make_key(w, "ada", "", "operator", 0);
    w->now_ms += 1000;
    assert_int_equal(ctn_access_may_use(w->access, CTN_STR("ada"), CTN_STR("ledger"), &w->err), CTN_E_DENIED);
    ctn_grant_row grant = {.principal = CTN_STR("ada"), .what = CTN_STR("sets.use"), .set = CTN_STR("ledger")};
    assert_int_equal(ctn_store_principal_put(w->store, &(ctn_principal_put){.grants = &grant, .grant_count = 1}, NULL),
                     CTN_OK);
    w->now_ms += 1000;
    assert_int_equal(ctn_access_may_use(w->access, CTN_STR("ada"), CTN_STR("ledger"), &w->err), CTN_OK);
    assert_int_equal(ctn_access_may_use(w->access, CTN_STR("ada"), CTN_STR("payroll"), &w->err), CTN_E_DENIED);
    assert_int_equal(ctn_access_may_use(w->access, CTN_STR("eve"), CTN_STR("ledger"), &w->err), CTN_E_DENIED);
    assert_int_equal(ctn_store_grant_remove(w->store, &grant, NULL), CTN_OK);
    w->now_ms += 1000;
    assert_int_equal(ctn_access_may_use(w->access, CTN_STR("ada"), CTN_STR("ledger"), &w->err), CTN_E_DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_may_anything_who_was_granted_nothing),
        TEST(an_admin_reveals_nothing_and_uses_no_restricted_set_unless_granted),
        TEST(a_grant_for_some_chains_is_none_for_others_nor_for_the_whole),
        TEST(a_star_is_any_text_wherever_it_stands),
        TEST(a_grant_for_a_label_needs_the_label_to_be_there),
        TEST(a_grant_for_a_set_is_for_that_set),
        TEST(what_is_of_another_tenant_is_not_there),
        TEST(a_denial_names_the_missing_grant_and_who_has_it),
        TEST(a_grant_that_says_nothing_is_refused_with_the_nearest_word),
        TEST(who_is_denied_over_and_over_fills_no_log),
        TEST(somebody_without_a_token_is_anonymous_on_loopback_until_there_are_tokens),
        TEST(the_holder_of_a_token_is_who_the_configuration_says),
        TEST(a_key_is_good_within_a_second_of_its_making_until_it_expires_or_is_revoked),
        TEST(what_a_chain_may_use_is_judged_by_the_name_it_runs_for_as_it_is_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
