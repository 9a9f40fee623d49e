/*
 * Tool servers that nobody here wrote, each in its own era, called by the real binary: official servers of the older
 * revisions over stdio, Streamable HTTP and the first transport, and the official SDK in the newest one.
 */
#include <stdio.h>
#include <string.h>

#include "peers_kit.h"

/* A row of `servers`: a package's program, and what stands behind its arguments in the row. */
#define PACKAGE(name, arguments, more)                                                                                 \
    "  " name ": {command: " PEERS_NODE ", args: [" PEERS_PACKAGES "/server-" name "/dist/index.js" arguments "]" more \
    "}\n"
/* The server that has everything, in the background. */
#define EVERYTHING(transport)                                                                                          \
    "env PORT=0 \"$NODE\" -r ./loopback.cjs \"$PACKAGES\"/server-everything/dist/index.js " transport

static void configure(world *w, const char *servers, ...) __attribute__((format(printf, 2, 3)));
static void configure(world *w, const char *servers, ...)
{
    char rows[2048];
    va_list args;
    va_start(args, servers);
    (void) vsnprintf(rows, sizeof rows, servers, args);
    va_end(args);
    cli_world_write(w, "chain.yaml", "%s", "instructionSets: {nothing: {wait: {ms: 0}}}\n");
    cli_world_write(w, "catena.yaml", "store: sqlite:peers.db\ninclude: [chain.yaml]\nservers:\n%s", rows);
}

/* Three servers in one chain: what one gives in structured form another writes to a file, and a third remembers. */
static void servers_of_older_revisions_work_together_over_stdio(void **state)
{
    world *w = *state;
    peers_need(w);
    configure(w, PACKAGE("everything", ", stdio", "") PACKAGE("filesystem", ", files", "")
                     PACKAGE("memory", "", ", env: {MEMORY_FILE_PATH: %s/memory.json}"), w->folder);
    cli_world_write(w, "files/a.txt", "%s", "");
    cli_world_write(
        w, "chain.yaml",
        "id: weather\n"
        "steps:\n"
        "  - {stepName: look, instructionSet: look, outputVariables: [conditions, temperature]}\n"
        "  - {stepName: write, instructionSet: write, inputTemplate: '{conditions}, {temperature}'}\n"
        "  - {stepName: know, instructionSet: know, inputTemplate: '{conditions}', outputVariables: [entities]}\n"
        "  - {stepName: read, instructionSet: read, outputVariables: {said: content}}\n"
        "outputs: [said, entities]\n"
        "instructionSets:\n"
        "  look: {tool: everything/get-structured-content, effect: read, arguments: {location: Chicago}}\n"
        "  write: {tool: filesystem/write_file, effect: idempotent, arguments: {path: %s/files/a.txt, content: "
        "'{input}'}}\n"
        "  read: {tool: filesystem/read_text_file, effect: read, arguments: {path: %s/files/a.txt}}\n"
        "  know:\n"
        "    tool: memory/create_entities\n"
        "    effect: idempotent\n"
        "    arguments: {entities: [{name: Chicago, entityType: city, observations: ['{input}']}]}\n",
        w->folder, w->folder);
    assert_exit(w, catena(w, "run", "weather", NULL), 0);
    assert_out(w, "\"said\": \"");
    assert_out(w, "\"entityType\": \"city\"");
    assert_true(cli_world_count(w, "memory.json", "Chicago") > 0);
    assert_exit(w, catena(w, "tools", "call", "everything/get-tiny-image", "{}", NULL), 0);
    assert_out(w, "\"mimeType\": \"image/png\"");
    assert_exit(w, catena(w, "tools", "call", "filesystem/read_text_file", "{\"path\":\"/etc/hostname\"}", NULL), 1);
    assert_err(w, "denied");
}

/* ---- over HTTP, with sessions ---- */

/* Its progress is what keeps it going: each pause is shorter than the idle time, all of them are longer. */
static void run_a_long_call(world *w)
{
    cli_world_write(
        w, "chain.yaml",
        "id: long\n"
        "steps:\n"
        "  - {stepName: work, instructionSet: work, idleTimeoutMs: 900, outputVariables: {said: text}}\n"
        "instructionSets:\n"
        "  work: {tool: everything/trigger-long-running-operation, effect: read, arguments: {duration: 1.5, "
        "steps: 5}}\n");
    assert_exit(w, catena(w, "run", "long", NULL), 0);
    assert_out(w, "Long running operation completed");
}

/* end: of the row, behind the port. */
static void call_everything(world *w, const char *command, const char *end)
{
    char line[200];
    int port;
    peers_need(w);
    running r = peers_listen(w, command, "server.log", &port);
    (void) snprintf(line, sizeof line, "  everything: {url: 'http://127.0.0.1:%d/%s}\n", port, end);
    configure(w, "%s", line);
    assert_exit(w, catena(w, "tools", "call", "everything/get-sum", "{\"a\":2,\"b\":3}", NULL), 0);
    assert_out(w, "The sum of 2 and 3 is 5.");
    assert_exit(w, catena(w, "tools", "call", "everything/get-structured-content", "{\"location\":\"Chicago\"}", NULL),
                0);
    assert_out(w, "\"conditions\":");
    assert_exit(w, catena(w, "tools", "call", "everything/get-sum", "{\"a\":2}", NULL), 2);
    run_a_long_call(w);
    peers_stop(&r);
}

static void a_server_with_sessions_is_called_over_http(void **state)
{
    call_everything(*state, EVERYTHING("streamableHttp"), "mcp'");
}

static void a_server_of_the_first_transport_is_called(void **state)
{
    call_everything(*state, EVERYTHING("sse"), "sse', transport: sse");
}

/* ---- the newest revision ---- */

#define MODERN_CHAIN                                                                                                   \
    "id: who\n"                                                                                                        \
    "steps:\n"                                                                                                         \
    "  - {stepName: greet, instructionSet: greet, outputVariables: {said: text}}\n"                                    \
    "  - {stepName: ask, instructionSet: ask, outputVariables: {answer: text}}\n"                                      \
    "  - {stepName: count, instructionSet: count, idleTimeoutMs: 500, outputVariables: {counted: text}}\n"             \
    "  - {stepName: route, instructionSet: route, outputVariables: {routed: text}}\n"                                  \
    "instructionSets:\n"                                                                                               \
    "  greet: {tool: peer/echo, effect: read, arguments: {message: hello}}\n"                                          \
    "  ask: {tool: peer/ask, effect: read}\n"                                                                          \
    "  count: {tool: peer/count, effect: read, arguments: {to: 8}}\n"                                                  \
    "  route: {tool: peer/region, effect: read, arguments: {region: 'eu west, Köln'}}\n"
#define ANSWER "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}}"

/* A question of a tool waits in the store, however long: here until another process answers it. */
static void ask_and_answer(world *w, const char *server)
{
    char id[64];
    configure(w, "%s", server);
    cli_world_write(w, "chain.yaml", "%s", MODERN_CHAIN);
    assert_exit(w, catena(w, "run", "who", NULL), 3);
    assert_err(w, "Name?");
    newest_id(w, id);
    assert_exit(w, catena(w, "answer", id, "ask", ANSWER, NULL), 0);
    assert_out(w, "\"said\": \"hello modern\"");
    assert_out(w, "\"answer\": \"it is Ann\"");
    assert_out(w, "\"counted\": \"counted to 8\"");
    assert_out(w, "\"routed\": \"to eu west, Köln\"");
}

static void the_official_sdk_is_called_over_stdio(void **state)
{
    world *w = *state;
    peers_need(w);
    ask_and_answer(w, "  peer: {command: " PEERS_NODE ", args: [server.mjs, stdio]}\n");
}

static void the_official_sdk_is_called_over_http(void **state)
{
    world *w = *state;
    char line[200];
    int port;
    peers_need(w);
    running r = peers_listen(w, "\"$NODE\" -r ./loopback.cjs server.mjs 0", "server.log", &port);
    (void) snprintf(line, sizeof line, "  peer: {url: 'http://127.0.0.1:%d/mcp'}\n", port);
    ask_and_answer(w, line);
    peers_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(servers_of_older_revisions_work_together_over_stdio),
        CLI_TEST(a_server_with_sessions_is_called_over_http),
        CLI_TEST(a_server_of_the_first_transport_is_called),
        CLI_TEST(the_official_sdk_is_called_over_stdio),
        CLI_TEST(the_official_sdk_is_called_over_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
