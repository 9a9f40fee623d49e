/*
 * Tool servers over HTTP as catena.yaml names them, with the real binary: their headers with secrets, who may be
 * reached, what a chain's step is told. The server is in the test's own program.
 */
#include "cli_kit.h"
#include "support/http_peer.h"
#include "wire/mcp_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct service {
    http_peer *peer;
    ctn_mcp_server *server;
    pthread_mutex_t lock;
    char authorization[100], plan[100]; /* headers of the last request */
    const char *wants;                  /* this Authorization, or 401; NULL: any */
    int resets, executed;               /* so many calls are executed, and their answers lost */
    world *world;                       /* a refusal rewrites its token file: */
    const char *next_token;             /* with this; NULL: it does not */
} service;

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    ret_reply->value = call->arguments;
}

static void on_request(void *ctx, http_asked *asked)
{
    service *s = ctx;
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    pthread_mutex_lock(&s->lock);
    s->authorization[0] = s->plan[0] = '\0';
    (void) http_asked_header(asked, "Authorization", s->authorization, sizeof s->authorization);
    (void) http_asked_header(asked, "X-Plan", s->plan, sizeof s->plan);
    if (s->wants && strcmp(s->wants, s->authorization) != 0) {
        if (s->next_token)
            cli_world_write(s->world, "token", "%s\n", s->next_token);
        http_answer(asked, 401, "text/plain", "who are you?");
    } else if (strcmp(asked->method, "POST") != 0) {
        http_answer(asked, 405, NULL, "");
    } else if (strstr(asked->body, "\"tools/call\"") && s->executed++ < s->resets) {
        http_reset(asked);
    } else {
        ctn_mcp_server_line(s->server, (ctn_str){asked->body, asked->body_bytes}, &out);
        ctn_buf_append(&out, (ctn_str){"", 1});
        http_answer(asked, out.len > 1 ? 200 : 202, "application/json", out.data);
    }
    pthread_mutex_unlock(&s->lock);
    ctn_buf_done(&out);
}

static void service_start(service *s, world *w)
{
    static const ctn_mcp_server_tool tools[] = {{.name = "echo", .input_schema = "{\"type\":\"object\"}"}};
    ctn_mcp_server_options options = {.name = "s", .version = "1", .tools = tools, .tool_count = 1, .call = on_call};
    *s = (service){.world = w};
    pthread_mutex_init(&s->lock, NULL);
    assert_int_equal(ctn_mcp_server_new(&options, &s->server, NULL), CTN_OK);
    s->peer = http_peer_start(&(http_peer_options){.serve = on_request, .ctx = s});
    assert_non_null(s->peer);
}

static void service_stop(service *s)
{
    http_peer_stop(s->peer);
    ctn_mcp_server_free(s->server);
    pthread_mutex_destroy(&s->lock);
}

static void tools_of_a_server_over_http_are_listed_called_and_run(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    cli_world_write(w, "catena.yaml",
                    "servers: {far: {url: '%s/mcp', headers: {X-Plan: 7, Authorization: 'Bearer {secret.TOKEN}'}}}\n"
                    "secrets: {TOKEN: {file: token}}\n",
                    http_peer_url(s.peer));
    cli_world_write(w, "token", "mysterious-1\n");
    assert_exit(w, catena(w, "tools", "list", NULL), 0);
    assert_out(w, "far/echo");
    assert_exit(w, catena(w, "tools", "call", "far/echo", "{\"a\": [1, 2.50]}", "--json", NULL), 0);
    assert_string_equal(w->said.out, "{\"a\":[1,2.50]}\n");
    assert_string_equal(s.authorization, "Bearer mysterious-1");
    assert_string_equal(s.plan, "7");
    /* What a server says of our secret is not repeated. */
    assert_exit(w, catena(w, "tools", "call", "far/echo", "{\"a\": \"mysterious-1\"}", "--json", NULL), 0);
    assert_string_equal(w->said.out, "{\"a\":\"(secret TOKEN)\"}\n");
    cli_world_write(w, "chain.yaml",
                    "id: c\ninstructionSets: {say: {tool: far/echo, arguments: {x: 1}}}\n"
                    "steps: [{stepName: one, instructionSet: say, inputTemplate: x}]\n");
    assert_exit(w, catena(w, "run", "chain.yaml", "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    service_stop(&s);
}

/* What only reads is asked again; of a write nobody knows whether it happened, so a person is asked. */
static void a_lost_answer_asks_the_effect_class(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    static const char *const effects[] = {"read", "write"};
    for (int i = 0; i < 2; i++) {
        s.resets = 1;
        s.executed = 0;
        cli_world_write(w, "catena.yaml", "servers: {far: {url: '%s/mcp', effects: {echo: %s}}}\n",
                        http_peer_url(s.peer), effects[i]);
        cli_world_write(
            w, "chain.yaml",
            "id: c%d\ninstructionSets: {say: {tool: far/echo, arguments: {x: 1}}}\n"
            "steps: [{stepName: one, instructionSet: say, inputTemplate: x, retryConfig: {maxRetries: 2}}]\n",
            i);
        assert_exit(w, catena(w, "run", "chain.yaml", "--json", NULL), i == 0 ? 0 : 3);
        assert_out(w, i == 0 ? "\"status\":\"completed\"" : "\"status\":\"interrupted\"");
        assert_int_equal(s.executed, i == 0 ? 2 : 1);
    }
    service_stop(&s);
}

static void a_secret_that_has_changed_is_read_when_the_old_one_is_refused(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    cli_world_write(w, "catena.yaml",
                    "servers: {far: {url: '%s/mcp', headers: {Authorization: 'Bearer {secret.TOKEN}'}}}\n"
                    "secrets: {TOKEN: {file: token}}\n",
                    http_peer_url(s.peer));
    cli_world_write(w, "token", "mysterious-1\n");
    s.wants = "Bearer mysterious-2";
    s.next_token = "mysterious-2";
    assert_exit(w, catena(w, "tools", "call", "far/echo", "{\"a\": 1}", "--json", NULL), 0);
    s.wants = "Bearer mysterious-3";
    s.next_token = NULL;
    (void) catena(w, "tools", "call", "far/echo", "{}", NULL);
    assert_err(w, "HTTP 401");
    assert_lacks(w->said.err, "mysterious");
    service_stop(&s);
}

static void the_file_of_desktop_clients_may_name_addresses(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    cli_world_write(w, "catena.yaml", "mcpConfig: mcp.json\n");
    cli_world_write(w, "mcp.json",
                    "{\"mcpServers\": {\"far\": {\"type\": \"http\", \"url\": \"%s/mcp\", \"headers\": "
                    "{\"X-Plan\": \"gold\"}}}}",
                    http_peer_url(s.peer));
    assert_exit(w, catena(w, "tools", "call", "far/echo", "{\"a\":1}", "--json", NULL), 0);
    assert_string_equal(s.plan, "gold");
    service_stop(&s);
}

static void what_cannot_be_sent_is_told_where_it_stands(void **state)
{
    world *w = *state;
    static const struct {
        const char *server, *part;
    } faults[] = {
        {"url: 'http://h/mcp', command: x", "either a command or a url"},
        {"url: 'tcp://h/mcp'", "URL"},
        {"url: 'http://h/mcp', headers: {Host: other}", "is catena's own to send"},
        {"url: 'http://h/mcp', headers: {mcp-param-x: y}", "is catena's own to send"},
        {"url: 'http://h/mcp', headers: {'A B': c}", "cannot be the name of a header"},
        {"url: 'http://h/mcp', headers: {A: \"b\\nc\"}", "control character"},
        {"url: 'http://h/mcp', transport: carrier-pigeon", "transport"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        cli_world_write(w, "catena.yaml", "servers: {far: {%s}}\n", faults[i].server);
        assert_exit(w, catena(w, "tools", "list", NULL), 2);
        assert_err(w, faults[i].part);
    }
}

static void a_private_address_is_spoken_to_only_if_it_is_allowed(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", "servers: {far: {url: 'https://192.168.255.254/mcp', startTimeoutMs: 1000}}\n");
    (void) catena(w, "tools", "call", "far/echo", "{}", NULL);
    assert_err(w, "private");
    cli_world_write(w, "catena.yaml", "servers: {far: {url: 'http://far.example/mcp', startTimeoutMs: 1000}}\n");
    (void) catena(w, "tools", "call", "far/echo", "{}", NULL);
    assert_err(w, "http");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(tools_of_a_server_over_http_are_listed_called_and_run),
        CLI_TEST(a_lost_answer_asks_the_effect_class),
        CLI_TEST(a_secret_that_has_changed_is_read_when_the_old_one_is_refused),
        CLI_TEST(the_file_of_desktop_clients_may_name_addresses),
        CLI_TEST(what_cannot_be_sent_is_told_where_it_stands),
        CLI_TEST(a_private_address_is_spoken_to_only_if_it_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
