/*
 * The command with a real tool server: servers that misbehave, answers, settling, pausing, cancelling from elsewhere,
 * Ctrl-C, owners that come and go. The tool server writes every executed call into a ledger, so what really
 * happened is counted there.
 */
#include "cli_kit.h"
#include "loop/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* One server, "peer", with these arguments, and these chains. */
static void make_world(world *w, const char *modes, const char *chain)
{
    cli_world_write(
        w, "catena.yaml",
        "servers:\n  peer: {command: '%s', args: [%s%s--ledger, ledger], trusted: true}\ninclude: [chain.yaml]\n",
        peer_program(), modes, modes[0] ? ", " : "");
    cli_world_write(w, "chain.yaml", "%s", chain);
}

static const char ONE_CALL[] =
    "id: one\ninstructionSets: {write: {tool: peer/write_line, arguments: {line: x}}}\n"
    "steps: [{stepName: write, instructionSet: write, outputVariables: [line], noUndo: sent}]\n";

/* ---- servers that are not what they should be ---- */

static void a_server_that_is_not_configured_is_named(void **state)
{
    world *w = *state;
    cli_world_write(w, "chain.yaml", "%s", ONE_CALL);
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "step write needs the server \"peer\", and there is no catena.yaml");
    cli_world_write(w, "catena.yaml", "servers: {pear: {command: x}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "did you mean \"pear\"?");
    cli_world_write(w, "catena.yaml", "servers: {peer: {url: 'ftp://x.example'}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "catena.yaml:1:23: error: ");
    cli_world_write(w, "catena.yaml", "servers: {peer: {command: no-such-server}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "catena.yaml:1:11: the server \"peer\" cannot be started: there is no program no-such-server");
    assert_false(cli_world_has(w, "catena.db"));
}

static void a_server_that_dies_at_once_tells_its_last_words(void **state)
{
    world *w = *state;
    cli_world_write(w, "chain.yaml", "%s", ONE_CALL);
    cli_world_write(w, "catena.yaml",
                    "servers: {peer: {command: sh, args: [-c, 'echo my licence has run out >&2; exit 3']}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "my licence has run out");
    assert_ptr_equal(strchr(w->said.err, '\n'), w->said.err + strlen(w->said.err) - 1); /* once */
    assert_false(cli_world_has(w, "catena.db"));
}

static void a_server_that_speaks_nonsense_is_told(void **state)
{
    world *w = *state;
    cli_world_write(w, "chain.yaml", "%s", ONE_CALL);
    cli_world_write(w, "catena.yaml",
                    "servers: {peer: {command: sh, startTimeoutMs: 1500, args: [-c, 'while read l; do echo "
                    "hello there; done']}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", NULL), 2);
    assert_err(w, "peer");
    assert_false(cli_world_has(w, "catena.db"));
}

static void a_tool_that_is_not_there_names_the_nearest(void **state)
{
    world *w = *state;
    make_world(w, "",
               "id: one\ninstructionSets: {write: {tool: peer/writ_line}}\n"
               "steps: [{stepName: write, instructionSet: write, inputTemplate: x}]\n");
    assert_exit(w, catena(w, "run", "one", NULL), 2);
    assert_err(w, "did you mean 'write_line'?");
    assert_false(cli_world_has(w, "catena.db"));
    assert_int_equal(cli_world_count(w, "ledger", "line"), 0);
}

static void tools_are_listed_and_called(void **state)
{
    world *w = *state;
    make_world(w, "", ONE_CALL);
    assert_exit(w, catena(w, "tools", "list", NULL), 0);
    assert_out(w, "peer/read_line");
    assert_exit(w, catena(w, "tools", "list", "peer", "--json", NULL), 0);
    assert_out(w, "\"tool\":\"write_line\"");
    assert_exit(w, catena(w, "tools", "call", "peer/echo", "{\"a\": [1, 2.50]}", "--json", NULL), 0);
    assert_string_equal(w->said.out, "{\"a\":[1,2.50]}\n");
    assert_exit(w, catena(w, "tools", "call", "peer/fail", "{\"message\": \"no luck\"}", NULL), 1);
    assert_err(w, "tool_error: no luck");
    assert_exit(w, catena(w, "tools", "call", "peer/sleep_ms", "{\"ms\": \"long\"}", NULL), 2);
    assert_exit(w, catena(w, "tools", "call", "peer", NULL), 2);
    assert_err(w, "SERVER/TOOL");
    assert_exit(w, catena(w, "tools", "call", "pear/echo", NULL), 2);
    assert_err(w, "did you mean \"peer\"?");
    assert_exit(w, catena(w, "tools", "call", "peer/ehco", NULL), 2);
    assert_err(w, "echo");
    assert_exit(w, catena(w, "tools", "call", "peer/echo", "{a", NULL), 2);
    assert_err(w, "is no JSON");
    assert_exit(w, catena(w, "tools", "list", "nobody", NULL), 2);
}

static void the_servers_of_desktop_clients_are_taken(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", "mcpConfig: mcp.json\n");
    cli_world_write(w, "mcp.json",
                    "{\"mcpServers\": {\"peer\": {\"type\": \"stdio\", \"command\": \"%s\", \"args\": [], "
                    "\"disabled\": false}}}",
                    peer_program());
    assert_exit(w, catena(w, "tools", "call", "peer/echo", "{\"a\":1}", "--json", NULL), 0);
    assert_string_equal(w->said.out, "{\"a\":1}\n");
}

/* It is waited for, asleep. */
static void a_server_that_will_not_end_costs_no_work(void **state)
{
    world *w = *state;
    struct rusage before, after;
    make_world(w, "ignore-end", ONE_CALL);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &before), 0);
    assert_exit(w, catena(w, "run", "one", "--quiet", NULL), 0);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &after), 0);
    int64_t cpu_ms =
        (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000 +
        (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1000;
    assert_in_range(cpu_ms, 0, 250); /* of more than 2 s */
}

/* ---- ends ---- */

static void a_failing_tool_is_told_with_exit_1(void **state)
{
    world *w = *state;
    make_world(w, "",
               "id: one\ninstructionSets: {fail: {tool: peer/fail, arguments: {message: no rooms left}}}\n"
               "steps: [{stepName: book, instructionSet: fail, noUndo: x}]\n");
    assert_exit(w, catena(w, "run", "one", "--json", NULL), 1);
    assert_out(
        w, "\"status\":\"failed\",\"outputs\":null,\"error\":{\"code\":\"tool_error\",\"message\":\"no rooms left\","
           "\"step\":\"book\"");
    assert_err(w, "failed after");
    assert_err(w, "at step book: tool_error: no rooms left");
}

static const char UNDOABLE[] =
    "id: trip\ninstructionSets:\n"
    "  hold: {tool: peer/write_line, arguments: {line: hold}}\n"
    "  release: {tool: peer/idempotent_line, arguments: {line: release}}\n"
    "  fail: {tool: peer/fail}\n"
    "steps:\n"
    "  - {stepName: hold, instructionSet: hold, outputVariables: [line], rollbackAction: release}\n"
    "  - {stepName: book, instructionSet: fail}\n";

static void what_was_done_is_undone(void **state)
{
    world *w = *state;
    make_world(w, "", UNDOABLE);
    assert_exit(w, catena(w, "run", "trip", "--json", NULL), 1);
    assert_out(w, "\"status\":\"rolled_back\"");
    assert_err(w, "undone");
    assert_int_equal(cli_world_count(w, "ledger", "idempotent_line"), 1);
}

/* ---- people ---- */

static const char ASKING[] =
    "id: ask\ninputSchema: {type: object, required: [who], properties: {who: {type: string}}}\n"
    "outputs: {approved: '{desk.approved}', who: '{who}'}\n"
    "instructionSets:\n"
    "  write: {tool: peer/write_line, arguments: {line: '{who}'}}\n"
    "  desk: {approval: {message: 'Send it to {who}?'}}\n"
    "steps:\n"
    "  - {stepName: first, instructionSet: write, noUndo: x}\n"
    "  - {stepName: desk, instructionSet: desk, outputVariables: [desk]}\n"
    "  - {stepName: last, instructionSet: write, noUndo: x}\n";

static void the_command_that_is_offered_goes_on(void **state)
{
    world *w = *state;
    char command[COMMAND_MAX];
    make_world(w, "", ASKING);
    assert_exit(w, catena(w, "run", "ask", "-i", "who=Ann", "--json", NULL), 3);
    assert_out(w, "\"status\":\"waiting\"");
    assert_err(w, "step desk waits for an approval: Send it to Ann?");
    offered(w, "approve  ", 0, command);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
    assert_exit(w, shell(w, command), 0);
    assert_out(w, "\"approved\": true");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, shell(w, command), 2); /* the first answer stands */
    assert_err(w, "has ended");
}

static void the_offer_names_store_and_configuration(void **state)
{
    world *w = *state;
    char command[COMMAND_MAX];
    make_world(w, "", ASKING);
    assert_exit(w, catena(w, "run", "ask", "-i", "who=Ann", "--store", "my store.db", "--config", "catena.yaml", NULL),
                3);
    offered(w, "reject   ", 0, command);
    assert_contains(command, "--config catena.yaml --store 'my store.db'");
    assert_exit(w, shell(w, command), 0);
    assert_out(w, "\"approved\": false");
}

static void a_wrong_answer_changes_nothing(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "", ASKING);
    assert_exit(w, catena(w, "run", "ask", "-i", "who=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "answer", id, "dsek", "{\"approved\": true}", NULL), 2);
    assert_err(w, "did you mean desk?");
    assert_exit(w, catena(w, "answer", id, "desk", "yes", NULL), 2);
    assert_err(w, "is no JSON");
    assert_exit(w, catena(w, "answer", id, "desk", "\"yes\"", NULL), 2);
    assert_exit(w, catena(w, "answer", id, "first", "{\"approved\": true}", NULL), 2);
    assert_exit(w, catena(w, "resume", id, NULL), 3);
    assert_err(w, "step desk waits");
    assert_exit(w, catena(w, "resume", id, "--retry", NULL), 2);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "waiting");
    assert_err(w, "catena answer");
}

static void a_variable_is_set_while_it_waits(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "", ASKING);
    assert_exit(w, catena(w, "run", "ask", "-i", "who=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "set", id, "who=Bob", NULL), 0);
    assert_exit(w, catena(w, "set", id, "whoo=Bob", NULL), 2);
    assert_exit(w, catena(w, "answer", id, "desk", "{\"approved\": true}", "--output", "who", NULL), 0);
    assert_string_equal(w->said.out, "Bob\n");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "decision");
}

/* ---- a write of which nobody knows whether it happened ---- */

static void make_interrupted(world *w, char *id)
{
    make_world(w, "dies-in-call", ONE_CALL);
    assert_exit(w, catena(w, "run", "one", "--json", NULL), 3);
    assert_out(w, "\"status\":\"interrupted\"");
    assert_err(w, "step write is interrupted");
    json_text(w->said.out, "executionId", id);
}

static void an_interrupted_call_is_settled_as_done(void **state)
{
    world *w = *state;
    char id[64];
    make_interrupted(w, id);
    assert_exit(w, catena(w, "resume", id, NULL), 3);
    assert_exit(w, catena(w, "resume", id, "--succeed", "{line: x}", NULL), 2);
    assert_exit(w, catena(w, "resume", id, "--succeed", "{\"line\": \"seen\"}", "--output", "line", NULL), 0);
    assert_string_equal(w->said.out, "seen\n");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
}

static void an_interrupted_call_is_given_up(void **state)
{
    world *w = *state;
    char id[64], command[COMMAND_MAX];
    make_interrupted(w, id);
    offered(w, "give it up ", 0, command);
    assert_exit(w, catena(w, "resume", id, "--fail", "--step", "wirte", NULL), 2);
    assert_err(w, "did you mean");
    assert_exit(w, shell(w, command), 1);
    assert_out(w, "\"status\": \"failed\"");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
}

static void an_interrupted_call_is_done_again(void **state)
{
    world *w = *state;
    char id[64];
    make_interrupted(w, id);
    make_world(w, "", ONE_CALL); /* the server has been mended */
    assert_exit(w, catena(w, "resume", id, "--retry", "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
}

/* Where several may be meant, the command that is offered says which. */
static void an_interrupted_item_is_offered_by_its_name(void **state)
{
    world *w = *state;
    static const char ITEMS[] =
        "id: two\ninstructionSets:\n"
        "  write: {tool: peer/write_line, effect: write, arguments: {line: '{i}'}}\n"
        "steps:\n  - {stepName: write, instructionSet: write, foreach: {items: '{n}', as: i, maxConcurrency: 1}}\n";
    char id[64], command[COMMAND_MAX];
    make_world(w, "dies-in-call", ITEMS);
    assert_exit(w, catena(w, "run", "two", "-i", "n:=[\"a\",\"b\"]", "--json", NULL), 3);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    offered(w, "do it again ", 0, command);
    assert_contains(command, "--step 'write[0]' --retry");
    make_world(w, "", ITEMS); /* the server has been mended */
    assert_exit(w, shell(w, command), 0);
}

/* ---- owners ---- */

static const char SLOW[] =
    "id: slow\ninstructionSets:\n"
    "  hold: {tool: peer/idempotent_line, arguments: {line: hold}}\n"
    "  release: {tool: peer/idempotent_line, arguments: {line: release}}\n"
    "  nap: {tool: peer/sleep_ms, arguments: {ms: '{ms}'}}\n"
    "  done: {native: noop, effect: none, arguments: {done: true}}\n"
    "steps:\n"
    "  - {stepName: hold, instructionSet: hold, outputVariables: [line], rollbackAction: release}\n"
    "  - {stepName: nap, instructionSet: nap}\n"
    "  - {stepName: done, instructionSet: done, outputVariables: [done]}\n"
    "outputs: [done]\n";

/* A run of it has begun its work, and sleeps now. */
static running run_slow(world *w, const char *ms)
{
    make_world(w, "", SLOW);
    running run = catena_start(w, "run", "slow", "-i", ms, "--json", NULL);
    cli_world_await(w, "ledger", "/hold/do");
    return run;
}

static void a_call_without_progress_is_ended_and_one_with_it_is_not(void **state)
{
    world *w = *state;
    make_world(w, "",
               "id: idle\nsteps:\n"
               "  - {stepName: nap, instructionSet: nap, idleTimeoutMs: 1000, onError: continue}\n"
               "  - {stepName: again, instructionSet: nap, idleTimeoutMs: 1000, outputVariables: [ms]}\n"
               "instructionSets:\n"
               "  nap: {tool: peer/sleep_ms, effect: read, arguments: {ms: 2500, tick: '{tick}'}}\n");
    assert_exit(w, catena(w, "run", "idle", "-i", "tick:=100", "--json", NULL), 0);
    assert_out(w, "\"ms\":2500");
    assert_exit(w, catena(w, "run", "idle", "-i", "tick:=0", "--json", NULL), 1);
    assert_out(w, "no sign of progress from peer/sleep_ms within 1000 ms");
    assert_out(w, "\"code\":\"timeout\"");
}

static void cancel_reaches_the_owner(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=20000");
    newest_id(w, id);
    assert_exit(w, catena(w, "cancel", id, "--reason", "the client called", NULL), 0);
    assert_out(w, "\"status\": \"rolled_back\"");
    assert_exit(w, running_wait(w, &run), 1);
    assert_out(w, "\"status\":\"rolled_back\"");
    assert_err(w, "the client called");
    assert_int_equal(cli_world_count(w, "ledger", "/hold/undo"), 1);
}

static void cancel_without_an_owner_undoes_too(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=20000");
    kill(run.pid, SIGKILL);
    assert_exit(w, running_wait(w, &run), -SIGKILL);
    newest_id(w, id);
    assert_exit(w, catena(w, "cancel", id, NULL), 0);
    assert_int_equal(cli_world_count(w, "ledger", "/hold/undo"), 1);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "rolled_back");
}

static void ctrl_c_leaves_it_to_be_resumed(void **state)
{
    world *w = *state;
    char command[COMMAND_MAX];
    make_world(w, "", SLOW);
    running run = catena_start(w, "run", "slow", "-i", "ms:=700", NULL);
    cli_world_await(w, "ledger", "/hold/do");
    usleep(100000);
    kill(run.pid, SIGINT);
    assert_exit(w, running_wait(w, &run), 130);
    assert_err(w, "nothing is lost");
    assert_string_equal(w->said.out, "");
    offered(w, "Go on:", 0, command);
    assert_exit(w, shell(w, command), 0);
    assert_out(w, "\"done\": true");
    assert_int_equal(cli_world_count(w, "ledger", "/hold/do"), 1);
}

static void the_second_ctrl_c_ends_at_once(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=30000");
    usleep(100000);
    kill(run.pid, SIGINT);
    usleep(200000);
    kill(run.pid, SIGINT);
    int status = 0;
    for (int i = 0; i < 100 && waitpid(run.pid, &status, WNOHANG) == 0; i++)
        usleep(10000);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 130);
    close(run.out_fd);
    close(run.err_fd);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "running");
}

static void a_killed_run_is_resumed(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=500");
    kill(run.pid, SIGKILL);
    assert_exit(w, running_wait(w, &run), -SIGKILL);
    newest_id(w, id);
    assert_exit(w, catena(w, "resume", id, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_true(cli_world_count(w, "ledger", "/hold/do") <= 2); /* idempotent: at least once */
}

static void a_run_is_handed_to_the_owner(void **state)
{
    world *w = *state;
    running owner = run_slow(w, "ms:=3000");
    assert_exit(w, catena(w, "run", "slow", "-i", "ms:=10", "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_err(w, "nap");
    assert_int_equal(waitpid(owner.pid, NULL, WNOHANG), 0); /* it still runs */
    assert_exit(w, running_wait(w, &owner), 0);
    assert_int_equal(cli_world_count(w, "ledger", "/hold/do"), 2);
}

static void a_follower_takes_over_when_the_owner_dies(void **state)
{
    world *w = *state;
    running owner = run_slow(w, "ms:=30000");
    running follower = catena_start(w, "run", "slow", "-i", "ms:=2000", "--json", NULL);
    while (cli_world_count(w, "ledger", "/hold/do") < 2)
        usleep(10000);
    usleep(300000);
    kill(owner.pid, SIGKILL);
    assert_exit(w, running_wait(w, &owner), -SIGKILL);
    assert_exit(w, running_wait(w, &follower), 0);
    assert_out(w, "\"status\":\"completed\"");
}

static void pause_holds_and_resume_goes_on(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=1000");
    newest_id(w, id);
    assert_exit(w, catena(w, "pause", id, NULL), 0);
    assert_err(w, "catena resume");
    assert_exit(w, running_wait(w, &run), 3);
    assert_out(w, "\"status\":\"paused\"");
    assert_err(w, "go on    catena resume");
    assert_exit(w, catena(w, "resume", id, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
}

static void watch_follows_the_owner(void **state)
{
    world *w = *state;
    char id[64];
    running run = run_slow(w, "ms:=1000");
    newest_id(w, id);
    assert_exit(w, catena(w, "watch", id, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_err(w, "nap   completed");
    assert_exit(w, running_wait(w, &run), 0);
}

static void what_is_started_is_served(void **state)
{
    world *w = *state;
    char first[64], second[64];
    make_world(w, "", SLOW);
    assert_exit(w, catena(w, "start", "slow", "-i", "ms:=10", NULL), 0);
    snprintf(first, sizeof first, "%.36s", w->said.out);
    assert_exit(w, catena(w, "list", "--status", "queued", NULL), 0);
    assert_out(w, first);
    assert_int_equal(cli_world_count(w, "ledger", "/hold/do"), 0);
    running serve = catena_start(w, "serve", "--store", "sqlite:catena.db?synchronous=normal", NULL);
    assert_exit(w, catena(w, "watch", first, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_exit(w, catena(w, "start", "slow", "-i", "ms:=10", "--json", NULL), 0);
    json_text(w->said.out, "executionId", second);
    assert_exit(w, catena(w, "watch", second, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_exit(w, catena(w, "serve", NULL), 2);
    assert_err(w, "in use by process");
    kill(serve.pid, SIGTERM);
    assert_exit(w, running_wait(w, &serve), 0);
    assert_err(w, "no API, no MCP over HTTP: --listen 127.0.0.1:8642");
    assert_err(w, "serving catena.db (synchronous=normal: may lose the last moments on power loss)");
    assert_err(w, "everything can be resumed");
    assert_false(cli_world_has(w, "catena.db.sock"));
}

/* One line to the owner's socket, and its answer. */
static void ask_owner(world *w, const char *line, char *answer, size_t size)
{
    char path[600];
    int fd = -1;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/catena.db.sock", w->folder);
    assert_int_equal(ctn_socket_connect(path, &fd, NULL), CTN_OK);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t) strlen(line));
    for (ssize_t n = 1; n > 0 && len + 1 < size && !memchr(answer, '\n', len); len += n > 0 ? (size_t) n : 0)
        n = read(fd, answer + len, size - 1 - len);
    answer[len] = '\0';
    close(fd);
}

static void nonsense_on_the_socket_harms_nobody(void **state)
{
    world *w = *state;
    static char answer[4096];
    running run = run_slow(w, "ms:=1500");
    ask_owner(w, "hello there\n", answer, sizeof answer);
    assert_contains(answer, "-32700");
    ask_owner(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cancle\"}\n", answer, sizeof answer);
    assert_contains(answer, "there is no method");
    ask_owner(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cancel\",\"params\":{\"id\":\"x\"}}\n", answer,
              sizeof answer);
    assert_contains(answer, "error");
    ask_owner(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"start\",\"params\":{\"definitions\":[{}]}}\n", answer,
              sizeof answer);
    assert_contains(answer, "error");
    ask_owner(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", answer, sizeof answer);
    assert_contains(answer, "\"pid\"");
    assert_exit(w, running_wait(w, &run), 0);
}

static void what_is_queued_can_be_resumed_by_hand(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "", SLOW);
    assert_exit(w, catena(w, "start", "slow", "-i", "ms:=10", NULL), 0);
    snprintf(id, sizeof id, "%.36s", w->said.out);
    assert_exit(w, catena(w, "resume", id, "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
}

static void an_idempotency_key_starts_once(void **state)
{
    world *w = *state;
    char first[64], second[64];
    make_world(w, "", SLOW);
    assert_exit(w, catena(w, "run", "slow", "-i", "ms:=10", "-k", "order-7", "--json", NULL), 0);
    json_text(w->said.out, "executionId", first);
    assert_exit(w, catena(w, "run", "slow", "-i", "ms:=10", "-k", "order-7", "--json", NULL), 0);
    json_text(w->said.out, "executionId", second);
    assert_string_equal(first, second);
    assert_int_equal(cli_world_count(w, "ledger", "/hold/do"), 1);
}

static void a_wait_that_ends_by_itself_is_waited_for(void **state)
{
    world *w = *state;
    cli_world_write(w, "wait.yaml",
                    "id: wait\ninstructionSets: {nap: {wait: {ms: 300}}}\n"
                    "steps: [{stepName: nap, instructionSet: nap}]\n");
    assert_exit(w, catena(w, "run", "wait.yaml", "--json", NULL), 0);
    assert_out(w, "\"status\":\"completed\"");
    assert_err(w, "nap  waiting");
}

static void a_retry_is_shown_with_its_attempt(void **state)
{
    world *w = *state;
    make_world(w, "",
               "id: one\ninstructionSets: {fail: {tool: peer/fail}}\n"
               "steps: [{stepName: book, instructionSet: fail, noUndo: x, retryConfig: {maxRetries: 2, backoffMs: 50, "
               "retryOn: [tool_error]}}]\n");
    assert_exit(w, catena(w, "run", "one", NULL), 1);
    assert_err(w, "retrying");
    assert_err(w, "attempt 3");
    assert_int_equal(cli_world_count(w, "ledger", "fail "), 3);
}

/* Three calls that each use 120 tokens or 0.45: the third would overspend, so it does not begin. */
static void spend(world *w, const char *budget, const char *said_of_it)
{
    char chain[1000], command[COMMAND_MAX];
    snprintf(chain, sizeof chain,
             "id: spend\nbudget: {%s}\nsteps:\n"
             "  - {stepName: a, instructionSet: echo}\n  - {stepName: b, instructionSet: echo}\n"
             "  - {stepName: c, instructionSet: echo}\ninstructionSets:\n"
             "  echo: {tool: peer/echo, arguments: {usage: {tokens: 120, money: 0.45}}}\n",
             budget);
    make_world(w, "", chain);
    assert_exit(w, catena(w, "run", "spend", NULL), 3);
    assert_err(w, said_of_it);
    assert_err(w, "b  completed");
    offered(w, "grant it once more", 0, command);
    assert_exit(w, shell(w, command), 0);
}

static void tokens_and_money_that_a_tool_tells_of_count(void **state)
{
    spend(*state, "tokens: 300", "the budget of tokens is used up: 240 of 300");
    spend(*state, "money: 1.3", "the budget of money is used up: 0.90 of 1.3");
}

static void a_result_is_used_again_and_shown_so(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "",
               "id: twice\nsteps:\n"
               "  - {stepName: a, instructionSet: read, outputVariables: [line], cache: {ttlMs: 600000}}\n"
               "  - {stepName: b, instructionSet: read, outputVariables: {again: line}, cache: {ttlMs: 600000}}\n"
               "instructionSets:\n  read: {tool: peer/read_line, arguments: {line: x}}\n");
    assert_exit(w, catena(w, "run", "twice", NULL), 0);
    assert_err(w, "out of the cache");
    assert_out(w, "\"again\": \"x\"");
    assert_int_equal(cli_world_count(w, "ledger", "read_line"), 1);
    assert_exit(w, catena(w, "run", "twice", NULL), 0); /* another process */
    assert_int_equal(cli_world_count(w, "ledger", "read_line"), 1);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "out of the cache");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"fromCache\":true");
    /* a write is not, unless the step says that it may be */
    make_world(w, "",
               "id: twice\nsteps:\n"
               "  - {stepName: a, instructionSet: act, noUndo: sent, cache: {ttlMs: 600000}}\n"
               "  - {stepName: b, instructionSet: act, noUndo: sent, cache: {ttlMs: 600000}}\n"
               "  - {stepName: c, instructionSet: act, noUndo: sent, cache: {ttlMs: 600000, allowWrites: true}}\n"
               "  - {stepName: d, instructionSet: act, noUndo: sent, cache: {ttlMs: 600000, allowWrites: true}}\n"
               "  - {stepName: e, instructionSet: act, noUndo: sent,\n"
               "     cache: {ttlMs: 600000, allowWrites: true, key: 'another'}}\n"
               "instructionSets:\n  act: {tool: peer/write_line, arguments: {line: y}}\n");
    assert_exit(w, catena(w, "run", "twice", NULL), 0);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_server_that_is_not_configured_is_named),
        CLI_TEST(a_server_that_dies_at_once_tells_its_last_words),
        CLI_TEST(a_server_that_will_not_end_costs_no_work),
        CLI_TEST(a_server_that_speaks_nonsense_is_told),
        CLI_TEST(a_tool_that_is_not_there_names_the_nearest),
        CLI_TEST(tools_are_listed_and_called),
        CLI_TEST(the_servers_of_desktop_clients_are_taken),
        CLI_TEST(a_failing_tool_is_told_with_exit_1),
        CLI_TEST(what_was_done_is_undone),
        CLI_TEST(the_command_that_is_offered_goes_on),
        CLI_TEST(the_offer_names_store_and_configuration),
        CLI_TEST(a_wrong_answer_changes_nothing),
        CLI_TEST(a_variable_is_set_while_it_waits),
        CLI_TEST(an_interrupted_call_is_settled_as_done),
        CLI_TEST(an_interrupted_call_is_given_up),
        CLI_TEST(an_interrupted_call_is_done_again),
        CLI_TEST(an_interrupted_item_is_offered_by_its_name),
        CLI_TEST(a_call_without_progress_is_ended_and_one_with_it_is_not),
        CLI_TEST(cancel_reaches_the_owner),
        CLI_TEST(cancel_without_an_owner_undoes_too),
        CLI_TEST(ctrl_c_leaves_it_to_be_resumed),
        CLI_TEST(the_second_ctrl_c_ends_at_once),
        CLI_TEST(a_killed_run_is_resumed),
        CLI_TEST(a_run_is_handed_to_the_owner),
        CLI_TEST(a_follower_takes_over_when_the_owner_dies),
        CLI_TEST(pause_holds_and_resume_goes_on),
        CLI_TEST(watch_follows_the_owner),
        CLI_TEST(what_is_started_is_served),
        CLI_TEST(nonsense_on_the_socket_harms_nobody),
        CLI_TEST(what_is_queued_can_be_resumed_by_hand),
        CLI_TEST(an_idempotency_key_starts_once),
        CLI_TEST(a_wait_that_ends_by_itself_is_waited_for),
        CLI_TEST(a_retry_is_shown_with_its_attempt),
        CLI_TEST(tokens_and_money_that_a_tool_tells_of_count),
        CLI_TEST(a_result_is_used_again_and_shown_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
