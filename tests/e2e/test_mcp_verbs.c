/*
 * `catena mcp` and the /mcp of `catena serve`, through the real binary: nothing but messages on stdout, an end that
 * comes when it should, a question that outlives the process that asked it, an address that nobody else may use.
 */
#include "cli_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"                 \
    "clientCapabilities\":{\"elicitation\":{\"form\":{}}}}"
#define GREET                                                                                                          \
    "id: greet\ndescription: Greets.\ninputSchema: {type: object, required: [who], properties: {who: {type: "          \
    "string}}}\n"                                                                                                      \
    "outputs: {said: \"'hello ' + {who}\"}\nsteps:\n  - {stepName: look, instructionSet: "                             \
    "nothing}\ninstructionSets:\n  nothing: {transform: 'null'}\n"
#define ASK                                                                                                            \
    "id: ask\ndescription: Asks.\noutputs: {said: \"'hello ' + {name}\"}\nsteps:\n"                                    \
    "  - {stepName: who, instructionSet: ask-name, outputVariables: [name]}\ninstructionSets:\n"                       \
    "  ask-name: {agent: {instructions: 'What is your name?', outputSchema: {type: object, required: [name], "         \
    "properties: {name: {type: string}}}}}\n"

static void write_chains(world *w)
{
    cli_world_write(w, "catena.yaml", "include: [greet.yaml, ask.yaml]\n");
    cli_world_write(w, "greet.yaml", "%s", GREET);
    cli_world_write(w, "ask.yaml", "%s", ASK);
}

static void stdout_has_messages_and_nothing_else(void **state)
{
    world *w = *state;
    write_chains(w);
    assert_exit(w,
                catena_fed(w,
                           "\nnot json\n"
                           "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"server/discover\",\"params\":{" META "}}\n"
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"greet\","
                           "\"arguments\":{\"who\":\"Ada\"}," META "}}\n",
                           "mcp", NULL),
                0);
    assert_out(w, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700");
    assert_out(w, "\"supportedVersions\":[\"2026-07-28\"");
    assert_out(w, "hello Ada"); /* asked before the end, and answered after it */
    for (char *line = w->said.out; *line; line = strchr(line, '\n') + 1)
        assert_true(*line == '{' && strchr(line, '\n'));
    assert_exit(w, catena(w, "list", NULL), 0);
    assert_out(w, "greet");
}

static void a_second_owner_is_told_what_to_do(void **state)
{
    world *w = *state;
    write_chains(w);
    running serving = running_serve(w, "catena.db");
    assert_exit(w, catena_fed(w, "", "mcp", NULL), 2);
    assert_err(w, "in use by process");
    assert_err(w, "this process does not serve MCP");
    assert_err(w, "http: {listen: 127.0.0.1:8642}");
    assert_int_equal(strlen(w->said.out), 0);
    running_stop(w, &serving);
}

/* The owner answers what comes over its socket, a question and its state included, and a guest that is cut off lets go.
 */
static void a_second_client_is_the_guest_of_the_first(void **state)
{
    world *w = *state;
    write_chains(w);
    cli_world_write(w, "catena.yaml", "include: [greet.yaml, ask.yaml]\nhttp: {listen: '127.0.0.1:0'}\n");
    running serving = running_serve(w, "catena.db");
    for (int i = 0; i < 3; i++) {
        assert_exit(w,
                    catena_fed(w,
                               "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"greet\","
                               "\"arguments\":{\"who\":\"Ada\"}," META "}}\n",
                               "mcp", NULL),
                    0);
        assert_out(w, "hello Ada");
    }
    running guest = catena_start(w, "mcp", NULL); /* its input stays open */
    running_stop(w, &serving);
    (void) running_wait(w, &guest);
    assert_exit(w, catena_fed(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", "mcp", NULL), 0);
    assert_out(w, "\"result\":{}"); /* the next one is the owner */
}

/* Nobody else would: the client shows a list of tools without them. */
static void chains_that_are_no_tools_are_told_on_stderr(void **state)
{
    world *w = *state;
    cli_world_write(w, "greet.yaml", "%s", GREET);
    assert_exit(w, catena(w, "chains", "import", "greet.yaml", NULL), 0);
    assert_err(w, "greet is stored as version 1");
    assert_err(w, "greet cannot run by its id yet: ");
    assert_err(w, "name the file that has them in catena.yaml");
    assert_exit(w, catena_fed(w, "", "mcp", NULL), 0);
    assert_err(w, "there is no catena.yaml here or above");
    cli_world_write(w, "catena.yaml", "include: [greet.yaml, broken.yaml]\n");
    cli_world_write(w, "broken.yaml", "id: [x\n");
    assert_exit(w, catena_fed(w, "", "mcp", NULL), 0);
    assert_err(w, "broken.yaml:2:1: error: ");
    cli_world_write(w, "broken.yaml",
                    "id: far\nsteps: [{stepName: a, instructionSet: b}]\ninstructionSets: {b: {tool: x/y}}\n");
    assert_exit(
        w,
        catena_fed(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}\n", "mcp", NULL),
        0);
    assert_err(w, "the chain far cannot run, and is offered to nobody: ");
    assert_lacks(w->said.out, "\"far\"");
    cli_world_write(w, "catena.yaml", "include: [greet.yaml]\n");
    assert_exit(w, catena(w, "chains", "import", "greet.yaml", NULL), 0);
    assert_lacks(w->said.err, "cannot run");
}

static void only_this_machine_is_served_without_tokens(void **state)
{
    world *w = *state;
    write_chains(w);
    assert_exit(w, catena(w, "serve", "--listen", "0.0.0.0:0", NULL), 2);
    assert_err(w, "without tokens only this machine may call");
    assert_exit(w, catena(w, "serve", "--listen", "localhost", NULL), 2);
    assert_err(w, "'localhost' is no address to listen on");
    cli_world_write(w, "catena.yaml",
                    "http: {listen: 8642, tokens: {ada: secret, stdio: {env: X}}, origins: [example.com]}\n");
    assert_exit(w, catena(w, "serve", NULL), 2);
    assert_err(w, "catena.yaml:1:");
    assert_err(w, "a token says where it is found: {env: NAME} or {file: PATH}");
    assert_err(w, "'stdio' is who comes without a token");
    assert_err(w, "'example.com' is no URL of the web");
    assert_lacks(w->said.err, "secret\n");
}

/* A call that asks; the process dies; another one is given the answers with the state that the first had sealed. */
static void a_question_outlives_the_process_that_asked_it(void **state)
{
    world *w = *state;
    char sealed[16384], line[32768];
    write_chains(w);
    assert_exit(w,
                catena_fed(w,
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"ask\","
                           "\"arguments\":{}," META "}}\n",
                           "mcp", NULL),
                0);
    assert_out(w, "\"resultType\":\"input_required\"");
    assert_out(w, "\"inputRequests\":{\"who\":");
    const char *from = strstr(w->said.out, "\"requestState\":\"");
    assert_non_null(from);
    assert_int_equal(sscanf(from + 16, "%16383[^\"]", sealed), 1);
    const char *format =
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"ask\",\"arguments\":{},"
        "\"inputResponses\":{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}},"
        "\"requestState\":\"%s\"," META "}}\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void) snprintf(line, sizeof line, format, sealed);
#pragma GCC diagnostic pop
    assert_exit(w, catena_fed(w, line, "mcp", NULL), 0);
    assert_out(w, "hello Ada");
    assert_exit(w, shell(w, "chmod 644 catena.db-mcp-key"), 0);
    assert_exit(w, catena_fed(w, "", "mcp", NULL), 2);
    assert_err(w, "can be read by others");
    assert_exit(w, shell(w, "rm catena.db-mcp-key"), 0); /* a new one is made, and what the old one sealed is refused */
    assert_exit(w, catena_fed(w, line, "mcp", NULL), 0);
    assert_out(w, "requestState was altered");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(stdout_has_messages_and_nothing_else),        CLI_TEST(a_second_owner_is_told_what_to_do),
        CLI_TEST(a_second_client_is_the_guest_of_the_first),   CLI_TEST(only_this_machine_is_served_without_tokens),
        CLI_TEST(chains_that_are_no_tools_are_told_on_stderr), CLI_TEST(a_question_outlives_the_process_that_asked_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
