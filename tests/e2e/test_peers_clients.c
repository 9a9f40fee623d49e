/*
 * Clients that nobody here wrote against catena, as `catena mcp` and at /mcp of `catena serve`: the official SDK's in
 * its three modes, the Inspector's command line, a client of tasks, and a judge of the document of our API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers_kit.h"

/* A tool, a tool that asks, a prompt and a resource. */
static void configure(world *w)
{
    cli_world_write(w, "catena.yaml", "%s",
                    "store: sqlite:clients.db\ninclude: [\"chain-*.yaml\"]\nhttp: {listen: \"127.0.0.1:0\"}\n");
    cli_world_write(w, "chain-hello.yaml", "%s",
                    "id: hello\n"
                    "inputSchema: {type: object, required: [name], properties: {name: {type: string}}, "
                    "additionalProperties: false}\n"
                    "outputs: {greeting: \"'Hello, ' + {name}\"}\n"
                    "steps: [{stepName: look, instructionSet: nothing}]\n"
                    "instructionSets: {nothing: {transform: 'null'}}\n");
    cli_world_write(w, "chain-ask.yaml", "%s",
                    "id: ask\n"
                    "mcp: {content: said}\n"
                    "outputs: {said: \"'You are ' + {name}\"}\n"
                    "steps: [{stepName: who, instructionSet: who-is-it, outputVariables: [name]}]\n"
                    "instructionSets:\n"
                    "  who-is-it:\n"
                    "    agent:\n"
                    "      instructions: Who are you?\n"
                    "      outputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n");
    cli_world_write(w, "chain-greeting.yaml", "%s",
                    "id: greeting\n"
                    "mcp: {as: prompt, content: said}\n"
                    "outputs: {said: \"'Greet ' + {name}\"}\n"
                    "steps: [{stepName: look, instructionSet: nothing, inputTemplate: '{name}'}]\n"
                    "inputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n");
    cli_world_write(w, "chain-card.yaml", "%s",
                    "id: card\n"
                    "mcp: {as: resource, uri: 'greeting://{name}', mimeType: text/plain, content: said}\n"
                    "outputs: {said: \"'A card for ' + {name}\"}\n"
                    "steps: [{stepName: look, instructionSet: nothing}]\n"
                    "inputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n");
    cli_world_write(w, "chain-task.yaml", "%s",
                    "id: task-that-asks\n"
                    "mcp: {content: said, task: required}\n"
                    "outputs: {said: \"'You are ' + {name}\"}\n"
                    "steps: [{stepName: who, instructionSet: who-is-it, outputVariables: [name]}]\n");
    cli_world_write(w, "chain-slow.yaml", "%s",
                    "id: slow\n"
                    "mcp: {content: said, task: required}\n"
                    "outputs: {said: \"'It is done.'\"}\n"
                    "steps: [{stepName: rest, instructionSet: a-second}]\n"
                    "instructionSets: {a-second: {wait: {ms: 1000}}}\n");
}

static const char *const MODES[][2] = {{"auto", "2026-07-28"}, {"legacy", "2025-11-25"}, {"modern", "2026-07-28"}};

static void expect_all(world *w, const char *version)
{
    char line[64];
    (void) snprintf(line, sizeof line, "version: %s\n", version);
    assert_out(w, line);
    assert_out(w, "tools: true true\n");
    assert_out(w, "\"greeting\":\"Hello, Bob\"");
    assert_out(w, "asked: Who are you?\n");
    assert_out(w, "ask: You are Ann\n");
    assert_out(w, "wrong: true\n");
    assert_out(w, "prompt: Greet Cy\n");
    assert_out(w, "resources: true\n");
    assert_out(w, "templates: true\n");
    assert_out(w, "read: A card for Di\n");
    assert_out(w, "chain: hello 2\n");
    assert_out(w, "complete: hello\n");
}

static void the_official_client_uses_catena_over_stdio_in_each_mode(void **state)
{
    world *w = *state;
    char line[300];
    peers_need(w);
    configure(w);
    for (size_t i = 0; i < 3; i++) {
        (void) snprintf(line, sizeof line, "exec \"$NODE\" client.mjs %s " CATENA_BUILD_DIR "/catena mcp --quiet",
                        MODES[i][0]);
        assert_exit(w, shell(w, line), 0);
        expect_all(w, MODES[i][1]);
    }
}

static running serve(world *w, int *ret_port)
{
    char text[8192];
    running r = shell_start(w, "exec catena serve >serve.log 2>&1");
    cli_world_await(w, "serve.log", "MCP at http://127.0.0.1:");
    cli_world_read(w, "serve.log", text, sizeof text);
    *ret_port = atoi(strstr(text, "http://127.0.0.1:") + strlen("http://127.0.0.1:"));
    return r;
}

static void the_official_client_uses_catena_over_http_in_each_mode(void **state)
{
    world *w = *state;
    char line[300];
    int port;
    peers_need(w);
    configure(w);
    running r = serve(w, &port);
    for (size_t i = 0; i < 3; i++) {
        (void) snprintf(line, sizeof line, "exec \"$NODE\" client.mjs %s http://127.0.0.1:%d/mcp", MODES[i][0], port);
        assert_exit(w, shell(w, line), 0);
        expect_all(w, MODES[i][1]);
    }
    peers_stop(&r);
}

static void the_document_of_the_api_is_valid(void **state)
{
    world *w = *state;
    char line[300];
    int port;
    peers_need(w);
    configure(w);
    running r = serve(w, &port);
    (void) snprintf(line, sizeof line, "exec \"$NODE\" openapi.mjs http://127.0.0.1:%d/openapi.json", port);
    assert_exit(w, shell(w, line), 0);
    assert_out(w, "valid: OpenAPI 3.1\n");
    peers_stop(&r);
}

/* ---- the Inspector's command line ---- */

#define INSPECTOR "exec \"$NODE\" \"$PACKAGES\"/inspector/clients/launcher/build/index.js --cli "

static void inspect(world *w, const char *target, const char *words)
{
    char line[800];
    (void) snprintf(line, sizeof line, INSPECTOR "%s %s </dev/null", target, words);
    assert_exit(w, shell(w, line), 0);
}

static void the_inspector_lists_and_calls(void **state)
{
    world *w = *state;
    char target[300];
    int port;
    peers_need(w);
    configure(w);
    running r = serve(w, &port);
    (void) snprintf(target, sizeof target, "http://127.0.0.1:%d/mcp --transport http", port);
    inspect(w, target, "--protocol-era modern --method tools/list --strict");
    assert_out(w, "execute_chain");
    inspect(
        w, target,
        "--protocol-era legacy --method tools/call --tool-name hello --tool-args-json '{\"name\":\"Eve\"}' --format "
        "json -q");
    assert_out(w, "Hello, Eve");
    peers_stop(&r);
    inspect(w, CATENA_BUILD_DIR "/catena mcp --quiet",
            "--protocol-era auto --method tools/call --tool-name hello --tool-args-json '{\"name\":\"Flo\"}' --format "
            "json -q");
    assert_out(w, "Hello, Flo");
}

/* ---- tasks ---- */

static void the_official_client_of_tasks_settles_them(void **state)
{
    world *w = *state;
    char line[300];
    int port;
    peers_need(w);
    configure(w);
    running r = serve(w, &port);
    (void) snprintf(line, sizeof line, "exec \"$NODE\" tasks.mjs http://127.0.0.1:%d/mcp", port);
    assert_exit(w, shell(w, line), 0);
    assert_out(w, "slow: [{\"type\":\"text\",\"text\":\"It is done.\"}]\n");
    assert_out(w, "asks: [{\"type\":\"text\",\"text\":\"You are Ann\"}]\n");
    peers_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_official_client_uses_catena_over_stdio_in_each_mode),
        CLI_TEST(the_official_client_uses_catena_over_http_in_each_mode),
        CLI_TEST(the_document_of_the_api_is_valid),
        CLI_TEST(the_inspector_lists_and_calls),
        CLI_TEST(the_official_client_of_tasks_settles_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
