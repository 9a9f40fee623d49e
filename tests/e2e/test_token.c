/*
 * API keys and grants by the command line, and what the audit log tells of them.
 */
#include "cli_kit.h"
#include <string.h>

static void a_key_is_shown_once_and_kept_nowhere(void **state)
{
    world *w = *state;
    char key[100], secret[60];
    assert_exit(w,
                catena(w, "token", "create", "ada", "--role", "operator", "--chain", "lead-*", "--grant",
                       "sets.use:ledger", "--tenant", "acme", "--expires", "90d", NULL),
                0);
    assert_int_equal(strlen(w->said.out), 61);
    memcpy(key, w->said.out, 60);
    key[60] = '\0';
    memcpy(secret, key + 17, sizeof secret - 17);
    secret[43] = '\0';
    assert_exit(w, catena(w, "token", "list", NULL), 0);
    assert_out(w, "ID            STATE    CREATED");
    assert_out(w, "good");
    assert_lacks(w->said.out, secret);
    assert_exit(w, catena(w, "principal", "list", NULL), 0);
    assert_string_equal(w->said.out, "PRINCIPAL  TENANT  KIND     MAY\n"
                                     "ada        acme    person   operator for lead-*, sets.use:ledger\n");
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "keys.create       ada");
    assert_lacks(w->said.out, secret);
    assert_exit(w, shell(w, "cat catena.db catena.db-wal 2>/dev/null | strings -n 20"), 0);
    assert_lacks(w->said.out, secret);
}

static void what_is_said_wrongly_changes_nothing(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "token", "list", NULL), 2);
    assert_err(w, "there is no store catena.db; --store sqlite:FILE names another");
    assert_exit(w, catena(w, "token", "create", "bob", NULL), 2);
    assert_err(w, "say what bob may do");
    assert_exit(w, catena(w, "principal", "grant", "bob", NULL), 2);
    assert_err(w, "say to whom, and what: a role (--role) or a grant (--grant)");
    assert_exit(w, catena(w, "token", "create", "bob", "--role", "vewer", NULL), 2);
    assert_err(w, "\"vewer\" is no role: there are viewer, operator, author and admin");
    assert_exit(w, catena(w, "token", "create", "bob", "--grant", "revael", NULL), 2);
    assert_err(w, "did you mean reveal?");
    assert_exit(w, catena(w, "token", "create", "bob", "--grant", "audit.read", "--chain", "a", NULL), 2);
    assert_err(w, "--chain and --label narrow");
    assert_exit(w, catena(w, "token", "create", "b@b", "--role", "viewer", NULL), 2);
    assert_exit(w, catena(w, "token", "create", "anonymous", "--role", "viewer", NULL), 2);
    assert_exit(w, catena(w, "token", "create", "bob", "--role", "viewer", "--expires", "soon", NULL), 2);
    assert_exit(w, catena(w, "principal", "list", "--json", NULL), 0);
    assert_string_equal(w->said.out, "[]\n");
}

static void what_was_given_is_taken_back(void **state)
{
    world *w = *state;
    char id[64];
    assert_exit(w, catena(w, "token", "create", "ada", "--role", "viewer", "--json", NULL), 0);
    json_text(w->said.out, "id", id);
    assert_exit(w, catena(w, "principal", "grant", "ada", "--grant", "reveal", "--chain", "a-*", NULL), 0);
    assert_exit(w, catena(w, "principal", "ungrant", "ada", "--grant", "reveal", NULL), 2); /* that is another one */
    assert_exit(w, catena(w, "principal", "ungrant", "ada", "--grant", "reveal", "--chain", "a-*", NULL), 0);
    assert_exit(w, catena(w, "token", "revoke", id, NULL), 0);
    assert_exit(w, catena(w, "token", "revoke", "000000000000", NULL), 2);
    assert_exit(w, catena(w, "token", "list", NULL), 0);
    assert_out(w, "revoked");
    assert_exit(w, catena(w, "principal", "remove", "ada", NULL), 0);
    assert_exit(w, catena(w, "principal", "list", NULL), 0);
    assert_string_equal(w->said.out, "");
    assert_err(w, "token create NAME --role operator");
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

static void a_grant_to_a_name_that_is_no_principal_is_listed_with_its_name(void **state)
{
    world *w = *state;
    char name[64];
    assert_exit(w, catena(w, "token", "create", "pay", "--service", "--grant", "sets.use:ledger", NULL), 0);
    assert_exit(w, catena(w, "principal", "grant", "sub-7", "--role", "viewer", "--label", "team=desk", NULL), 0);
    assert_exit(w, catena(w, "principal", "list", NULL), 0);
    assert_string_equal(w->said.out, "PRINCIPAL  TENANT  KIND     MAY\n"
                                     "pay        -       service  sets.use:ledger\n"
                                     "sub-7      -       outside  viewer with team=desk\n");
    assert_exit(w, catena(w, "principal", "list", "--json", NULL), 0);
    json_text(w->said.out, "principal", name);
    assert_string_equal(name, "pay");
    assert_out(w, "\"grants\":[{\"grant\":\"sets.use:ledger\"");
    assert_out(w, "\"grants\":[{\"grant\":\"viewer\",\"chain\":\"\",\"label\":\"team=desk\"");
}

static void a_token_that_cannot_be_read_is_told_and_opens_no_door(void **state)
{
    world *w = *state;
    char log[8192];
    cli_world_write(w, "catena.yaml",
                    "http: {listen: '127.0.0.1:0', tokens: {ada: {env: NOT_SET_HERE, roles: [viewer]}}}\n");
    running serve = shell_start(w, "exec catena serve 2> serve.log");
    cli_world_await(w, "serve.log", "serving ");
    cli_world_read(w, "serve.log", log, sizeof log);
    assert_contains(log, "a token of catena.yaml cannot be had; its holder cannot come in token=ada "
                         "why=\"the variable NOT_SET_HERE is not set\"");
    assert_exit(w, shell(w, "curl -s $(sed -n 's/.*API at \\([^,]*\\),.*/\\1/p' serve.log)/chains"), 0);
    assert_out(w, "\"status\":401");
    running_stop(w, &serve);
}

static void a_key_that_stands_in_the_configuration_is_refused_and_not_repeated(void **state)
{
    static const char *const BAD[] = {
        "models: {default: {api: anthropic, key: Planted1}}",
        "sealing: {key: Planted1}",
        "hooks: {a: {chain: tea, secret: Planted1, principal: p}}",
        "http: {tokens: {ada: Planted1}}",
        "secrets: {A: Planted1}",
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        cli_world_write(w, "catena.yaml", "%s\n", BAD[i]);
        assert_exit(w, catena(w, "list", NULL), 2);
        assert_err(w, "says where it is found: {env: NAME} or {file: PATH}; it never stands in this file itself");
        assert_lacks(w->said.err, "Planted1");
    }
}

static void a_start_is_audited_with_who_and_from_where(void **state)
{
    world *w = *state;
    cli_world_write(w, "wait.yaml",
                    "id: wait\nsteps:\n  - {stepName: ask, instructionSet: ask}\n"
                    "instructionSets:\n  ask: {approval: {message: ok}}\n");
    char id[64];
    assert_exit(w, catena(w, "run", "wait.yaml", "--json", NULL), 3);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "cancel", id, "--reason", "no", NULL), 0);
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "executions.start");
    assert_out(w, "executions.cancel");
    assert_out(w, "\"from\":\"local\",\"chain\":\"wait\",\"seq\":1}");
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_key_is_shown_once_and_kept_nowhere),
        CLI_TEST(what_is_said_wrongly_changes_nothing),
        CLI_TEST(what_was_given_is_taken_back),
        CLI_TEST(a_grant_to_a_name_that_is_no_principal_is_listed_with_its_name),
        CLI_TEST(a_token_that_cannot_be_read_is_told_and_opens_no_door),
        CLI_TEST(a_key_that_stands_in_the_configuration_is_refused_and_not_repeated),
        CLI_TEST(a_start_is_audited_with_who_and_from_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
