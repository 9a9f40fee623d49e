/*
 * Tools whose calls are not over with their first answer, through the real binary: what a tool asks is told with the
 * command that answers it, and a task outlives the death of the program that waits for it.
 */
#include "cli_kit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void configure(world *w)
{
    cli_world_write(
        w, "catena.yaml",
        "store: sqlite:talk.db\nservers:\n  talk: {command: %s, args: [--durable, --log, asked.log], effects: "
        "{ask: write, work: write, long: write, asks: write}}\n",
        CATENA_BUILD_DIR "/tests/peer_talk");
}

static void chain_of(world *w, const char *tool)
{
    cli_world_write(w, "chain.yaml",
                    "id: c\nsteps:\n  - {stepName: a, instructionSet: t, outputVariables: {v: '%s'}}\n"
                    "instructionSets:\n  t: {tool: talk/%s}\n",
                    strcmp(tool, "ask") == 0 ? "done" : "answer", tool);
}

/* The command behind `label`, with this in the place of JSON. */
static void offer(world *w, const char *label, const char *json, char line[COMMAND_MAX])
{
    offered(w, label, 0, line);
    char *hole = strstr(line, "JSON");
    if (hole)
        (void) snprintf(hole, COMMAND_MAX - (size_t) (hole - line), "'%s'", json);
}

static void a_tool_that_asks_is_answered_by_the_command_that_is_told(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    configure(w);
    chain_of(w, "ask");
    assert_exit(w, catena(w, "run", "chain.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_err(w, "step a waits for what its tool asks: Name?\n  asked    who: Name?\n  wanted   {\"type\":\"object\"");
    offer(w, "  answer   ", "{\"nam\":\"Ada\"}", line);
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"asked\":{\"for\":\"input\",\"asks\":{\"who\":{\"message\":\"Name?\"");
    assert_lacks(w->said.out, "continuation");
    assert_exit(w, shell(w, line), 2);
    assert_err(w, "name");
    assert_exit(w, catena(w, "show", id, NULL), 0);
    offer(w, "  answer   ", "{\"name\":\"Ada\"}", line);
    assert_exit(w, shell(w, line), 3); /* it asks once more, for an address to be opened */
    assert_err(w, "open     https://pay.example/1");
    offered(w, "  answer   ", 0, line);
    assert_exit(w, shell(w, line), 0);
    assert_int_equal(cli_world_count(w, "asked.log", "tools/call ask"), 3);
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "its peer asks: who (Name?)");
    assert_exit(w, catena(w, "why", id, "v", NULL), 0);
    assert_exit(w, catena(w, "timeline", id, NULL), 0);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

/* What is told is pasted into a shell, and the names in it are the server's. */
static void no_name_of_a_server_leaves_its_quotes_in_a_command_to_paste(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    configure(w);
    chain_of(w, "quotes");
    assert_exit(w, catena(w, "run", "chain.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_err(w, "a'; touch pwned; '");
    offered(w, "  answer   ", 0, line);
    (void) shell(w, line); /* it has holes to be filled, so it is refused */
    assert_exit(w, shell(w, "test ! -e pwned"), 0);
}

/* Killed between what the journal says of the handle and the end: the next process asks for the same task. */
static void a_task_outlives_the_program_that_waits_for_it(void **state)
{
    world *w = *state;
    char id[64];
    configure(w);
    chain_of(w, "long");
    for (int i = 0; i < 2; i++) {
        running run =
            i ? catena_start(w, "resume", id, "--quiet", NULL) : catena_start(w, "run", "chain.yaml", "--quiet", NULL);
        while (cli_world_count(w, "asked.log", "tasks/get long-0") < (size_t) (i + 1))
            usleep(5000); /* then the handle is on disk: it was waited for */
        if (!i)
            newest_id(w, id);
        (void) kill(run.pid, SIGKILL);
        (void) running_wait(w, &run);
    }
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "accepted");
    /* A clean stop leaves the task alone, and takes no five seconds over it. */
    running run = catena_start(w, "resume", id, "--quiet", NULL);
    while (cli_world_count(w, "asked.log", "tasks/get long-0") < 3)
        usleep(5000);
    int64_t before_ms = now_ms();
    (void) kill(run.pid, SIGINT);
    assert_int_equal(running_wait(w, &run), 130);
    assert_true(now_ms() - before_ms < 5000);
    assert_int_equal(cli_world_count(w, "asked.log", "tasks/cancel"), 0);
    assert_exit(w, catena(w, "resume", id, "--quiet", NULL), 0);
    assert_out(w, "\"v\": 42");
    assert_int_equal(cli_world_count(w, "asked.log", "tools/call"), 1);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

/* A secret that a tool was given comes back in what its call goes on with. That cannot be hidden, so it is not kept. */
static void a_secret_in_what_a_call_goes_on_with_is_not_journaled(void **state)
{
    world *w = *state;
    static const char SECRET[] = "PlantedSecret6c1fQ";
    configure(w);
    cli_world_write(w, "secret.txt", "%s", SECRET);
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:talk.db\nsecrets: {TOKEN: {file: secret.txt}}\nservers:\n"
                    "  talk: {command: %s, args: [--durable], env: {TALK_SECRET: '{secret.TOKEN}'},\n"
                    "    effects: {ask: write, work: write, asks: write}}\n",
                    CATENA_BUILD_DIR "/tests/peer_talk");
    char id[64];
    static const struct {
        const char *tool;
        int exit;
        const char *says;
    } OF[] = {
        {"ask", 1, "protocol_error: talk/ask: what it wants back with the answer holds a secret"},
        {"asks", 1, "protocol_error: talk/asks: what it wants back with the answer holds a secret"},
        {"work", 0, NULL}, /* a task that nobody needs to find again goes well */
    };
    for (size_t i = 0; i < sizeof OF / sizeof *OF; i++) {
        chain_of(w, OF[i].tool);
        assert_exit(w, catena(w, "run", "chain.yaml", "--quiet", NULL), OF[i].exit);
        if (OF[i].says)
            assert_err(w, OF[i].says);
        assert_lacks(w->said.err, SECRET);
        newest_id(w, id);
        assert_exit(w, catena(w, "history", id, NULL), 0);
        assert_lacks(w->said.out, "accepted");
        assert_exit(w, shell(w, "grep -l PlantedSecret6c1fQ talk.db*"), 1); /* in no file of the store */
    }
}

/* Whoever cancels what waits for an answer tells the server that has its task. */
static void a_task_that_waits_for_an_answer_is_cancelled_with_its_chain(void **state)
{
    world *w = *state;
    char id[64];
    configure(w);
    chain_of(w, "asks");
    assert_exit(w, catena(w, "run", "chain.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    running serve = running_serve(w, "talk.db");
    assert_exit(w, catena(w, "cancel", id, NULL), 0);
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"status\":\"cancelled\"");
    assert_exit(w, catena(w, "answer", id, "a", "{\"name\":\"Ada\"}", NULL), 2);
    running_stop(w, &serve);
}

/* Both sides are ours: its chain is a task here, its approval a form here, and both lose their processes in between. */
static void a_chain_of_another_catena_asks_here(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    assert_exit(w, shell(w, "mkdir -p theirs"), 0);
    cli_world_write(w, "theirs/catena.yaml", "store: sqlite:theirs.db\ninclude: [chain.yaml]\n");
    cli_world_write(
        w, "theirs/chain.yaml",
        "id: decide\ninputSchema: {type: object, properties: {what: {type: string}}}\nmcp: {task: required}\n"
        "steps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved]}\n"
        "instructionSets:\n  yes: {approval: {message: 'Do {what}?'}}\n");
    cli_world_write(
        w, "catena.yaml",
        "store: sqlite:ours.db\nservers:\n  other: {command: %s, args: [mcp, --config, theirs/catena.yaml]}\n",
        CATENA_BUILD_DIR "/catena");
    cli_world_write(w, "chain.yaml",
                    "id: c\nsteps:\n  - {stepName: a, instructionSet: t, outputVariables: [approved]}\n"
                    "instructionSets:\n  t: {tool: other/decide, arguments: {what: the work}}\n");
    assert_exit(w, catena(w, "run", "chain.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_err(w, "step a waits for what its tool asks: Do the work?");
    offer(w, "  answer   ", "{\"approved\": true}", line);
    assert_exit(w, shell(w, line), 0);
    assert_out(w, "\"approved\": true");
    assert_exit(w, catena(w, "list", "--config", "theirs/catena.yaml", NULL), 0);
    assert_int_equal(count_in(w->said.out, "completed"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_tool_that_asks_is_answered_by_the_command_that_is_told),
        CLI_TEST(no_name_of_a_server_leaves_its_quotes_in_a_command_to_paste),
        CLI_TEST(a_task_outlives_the_program_that_waits_for_it),
        CLI_TEST(a_chain_of_another_catena_asks_here),
        CLI_TEST(a_secret_in_what_a_call_goes_on_with_is_not_journaled),
        CLI_TEST(a_task_that_waits_for_an_answer_is_cancelled_with_its_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
