/*
 * A tool that changes under chains that rely on it, through the real binary: what goes on, what is held and says so,
 * and that accepting the change lets go on what was held.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <string.h>

/* write_line of the peer is what the file "shape" says. */
static void configure(world *w, const char *more)
{
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\ninclude: [line.yaml, asking.yaml, sets.yaml]\nservers:\n  peer: {command: %s, "
                    "args: [--shape, shape, "
                    "--ledger, ledger], effects: {write_line: idempotent}%s}\n",
                    peer_program(), more);
    cli_world_write(w, "line.yaml", "id: line\nsteps:\n  - {stepName: write, instructionSet: write}\n");
    cli_world_write(w, "asking.yaml",
                    "id: asking\nsteps:\n  - {stepName: ask, instructionSet: ask}\n"
                    "  - {stepName: write, instructionSet: write}\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n  ask: {approval: {message: 'Go on?'}}\n"
                    "  write: {tool: peer/write_line, arguments: {line: hello}}\n");
}

static void assert_lines(world *w, size_t count)
{
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), count);
}

static void a_tool_that_takes_more_is_gone_on_with(void **state)
{
    world *w = *state;
    configure(w, "");
    assert_exit(w, catena(w, "tools", "diff", NULL), 0);
    assert_err(w, "no tool is pinned");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    assert_exit(w, catena(w, "tools", "diff", NULL), 0);
    assert_err(w, "1 of 1 pinned tools is as it was pinned");
    cli_world_write(w, "shape", "wider\n");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    assert_lacks(w->said.err, "is not what it was");
    assert_exit(w, catena(w, "tools", "diff", "peer/write_line", NULL), 0);
    assert_out(w, "peer/write_line  compatible: goes on\n  compatible  there is a new argument 'more'\n");
    assert_lines(w, 2);
}

static void a_tool_that_narrows_begins_nothing_new_until_it_is_accepted(void **state)
{
    world *w = *state;
    configure(w, "");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    cli_world_write(w, "shape", "narrower\n");
    assert_exit(w, catena(w, "run", "line", NULL), 2);
    assert_err(w, "the chain line is not started: the tool peer/write_line is not what it was when it was pinned "
                  "(narrowing): minLength of argument 'line' was not said and is 1. See `catena tools diff "
                  "peer/write_line`; `catena tools accept peer/write_line` takes it as it is now");
    assert_exit(w, catena(w, "list", NULL), 0);
    assert_int_equal(count_in(w->said.out, " line "), 1); /* nothing was begun */
    assert_lines(w, 1);
    assert_exit(w, catena(w, "tools", "diff", "--json", NULL), 1);
    assert_out(w, "\"tool\":\"peer/write_line\",\"class\":\"narrowing\",\"holds\":\"new\"");
    assert_exit(w, catena(w, "tools", "accept", "peer/write_line", NULL), 0);
    assert_exit(w, catena(w, "tools", "diff", NULL), 0);
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    assert_lines(w, 2);
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "tools.accept");
    assert_exit(w, catena(w, "tools", "accept", "peer/write_line", NULL), 0);
    assert_err(w, "nothing to accept");
}

/* It is what it was again: nobody has to accept anything. */
static void a_change_that_is_taken_back_holds_nothing(void **state)
{
    world *w = *state;
    configure(w, "");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    cli_world_write(w, "shape", "another\n");
    assert_exit(w, catena(w, "run", "line", NULL), 2);
    assert_err(w, "(meaning): its description is another");
    cli_world_write(w, "shape", "as-it-was\n");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    assert_lines(w, 2);
}

static void park(world *w, char *id)
{
    assert_exit(w, catena(w, "run", "asking", "--quiet", NULL), 3);
    newest_id(w, id);
}

static void what_runs_goes_on_unless_all_is_held(void **state)
{
    world *w = *state;
    char id[64];
    configure(w, "");
    park(w, id);
    cli_world_write(w, "shape", "another\n");
    assert_exit(w, catena(w, "answer", id, "ask", "{\"approved\": true}", NULL), 0);
    assert_lines(w, 1);
    cli_world_write(w, "shape", "as-it-was\n");
    configure(w, ", onToolChange: holdAll");
    park(w, id);
    cli_world_write(w, "shape", "another\n");
    assert_exit(w, catena(w, "answer", id, "ask", "{\"approved\": true}", NULL), 3);
    assert_lines(w, 1);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_contains(w->said.out, "paused");
    assert_err(w, "it is paused: the tool peer/write_line is not what it was when it was pinned (meaning)");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"pausedBecause\":\"the tool peer/write_line is not");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "the tool peer/write_line is not what it was when it was pinned (meaning)");
    assert_exit(w, catena(w, "resume", id, NULL), 3); /* it still is not */
    assert_lines(w, 1);
    assert_exit(w, catena(w, "tools", "accept", "peer", NULL), 0);
    assert_exit(w, catena(w, "resume", id, NULL), 0);
    assert_lines(w, 2);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_lacks(w->said.out, "attempt 2");
}

static void who_says_go_on_is_told_and_gone_on_with(void **state)
{
    world *w = *state;
    configure(w, ", onToolChange: goOn");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    cli_world_write(w, "shape", "another\n");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    assert_err(w, "its description is another");
    assert_lines(w, 2);
    configure(w, ", onToolChange: never");
    assert_exit(w, catena(w, "check", NULL), 2);
    assert_err(w, "holdNew");
}

static void an_import_pins_and_a_server_that_is_not_there_says_nothing(void **state)
{
    world *w = *state;
    configure(w, "");
    cli_world_write(w, "own.yaml", "id: own\nsteps:\n  - {stepName: write, instructionSet: write}\n");
    assert_exit(w, catena(w, "chains", "import", "own.yaml", NULL), 0);
    assert_err(w, "1 tool is pinned as it is now");
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\nservers: {peer: {command: /bin/false}}\n");
    assert_exit(w, catena(w, "tools", "diff", NULL), 2);
    assert_err(w, "server peer");
    assert_lacks(w->said.out, "narrowing"); /* no change is known */
    configure(w, "");
    cli_world_write(w, "shape", "gone\n");
    assert_exit(w, catena(w, "tools", "diff", NULL), 1);
    assert_out(w, "narrowing   the server lists it no more");
}

/* The owner had not asked the server when it was asked for the execution: it begins, and is held before its call. */
static void a_serving_owner_holds_and_goes_on_by_itself(void **state)
{
    world *w = *state;
    char id[64], shown[200];
    configure(w, "");
    assert_exit(w, catena(w, "run", "line", NULL), 0);
    cli_world_write(w, "shape", "narrower\n");
    running owner = running_serve(w, "s.db");
    assert_exit(w, catena(w, "start", "line", NULL), 0);
    newest_id(w, id);
    for (int i = 0; i < 100; i++) {
        assert_exit(w, catena(w, "show", id, NULL), 0);
        if (strstr(w->said.out, "paused"))
            break;
        assert_exit(w, shell(w, "sleep 0.05"), 0);
    }
    assert_out(w, "paused");
    assert_exit(w, catena(w, "run", "line", NULL), 2); /* by now it is known */
    assert_err(w, "is not started");
    assert_lines(w, 1);
    assert_exit(w, catena(w, "tools", "accept", "peer/write_line", NULL), 0);
    assert_err(w, "the store's owner knows it");
    (void) snprintf(shown, sizeof shown, "%s", id);
    for (int i = 0; i < 100 && !strstr(w->said.out, "completed"); i++) {
        assert_exit(w, shell(w, "sleep 0.05"), 0);
        assert_exit(w, catena(w, "show", shown, NULL), 0);
    }
    assert_out(w, "completed");
    assert_lines(w, 2);
    running_stop(w, &owner);
}

/* Accepted while nobody served: the next one to serve goes on with what was paused. */
static void what_was_paused_goes_on_with_the_next_owner(void **state)
{
    world *w = *state;
    char id[64];
    configure(w, ", onToolChange: holdAll");
    park(w, id);
    cli_world_write(w, "shape", "narrower\n");
    assert_exit(w, catena(w, "answer", id, "ask", "{\"approved\": true}", NULL), 3);
    assert_exit(w, catena(w, "tools", "accept", "peer/write_line", NULL), 0);
    assert_err(w, "goes on with `catena serve`");
    running owner = running_serve(w, "s.db");
    w->said.out[0] = '\0';
    for (int i = 0; i < 100 && !strstr(w->said.out, "completed"); i++) {
        assert_exit(w, shell(w, "sleep 0.05"), 0);
        assert_exit(w, catena(w, "show", id, NULL), 0);
    }
    assert_out(w, "completed");
    assert_lines(w, 1);
    running_stop(w, &owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_tool_that_takes_more_is_gone_on_with),
        CLI_TEST(a_tool_that_narrows_begins_nothing_new_until_it_is_accepted),
        CLI_TEST(a_change_that_is_taken_back_holds_nothing),
        CLI_TEST(what_runs_goes_on_unless_all_is_held),
        CLI_TEST(who_says_go_on_is_told_and_gone_on_with),
        CLI_TEST(an_import_pins_and_a_server_that_is_not_there_says_nothing),
        CLI_TEST(a_serving_owner_holds_and_goes_on_by_itself),
        CLI_TEST(what_was_paused_goes_on_with_the_next_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
