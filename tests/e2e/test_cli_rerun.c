/*
 * rerun and fork, with a real tool server whose ledger counts what really happened: a write that stands is never done a
 * second time unless it is named.
 */
#include "cli_kit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETS                                                                                                           \
    "instructionSets:\n"                                                                                               \
    "  read: {tool: peer/read_line, arguments: {line: '{input}'}}\n"                                                   \
    "  write: {tool: peer/write_line, arguments: {line: '{input}'}}\n"                                                 \
    "  undo: {tool: peer/idempotent_line, arguments: {line: '{input}'}}\n"                                             \
    "  half: {transform: 'if .n == 0 then error(\"no luck\") else {h: (12 / .n)} end', arguments: {n: '{n}'}}\n"       \
    "  sleep: {tool: peer/sleep_ms, arguments: {ms: '{ms}'}}\n"

/* book writes, half fails when n is 0, after reads both, other reads neither. */
static const char CHAIN[] =
    "id: c\n" SETS "steps:\n"
    "- {stepName: look, instructionSet: read, inputTemplate: '{guest}', outputVariables: {a: line}}\n"
    "- {stepName: book, instructionSet: write, inputTemplate: 'book {a}', outputVariables: {b: line}, noUndo: kept}\n"
    "- {stepName: other, instructionSet: read, inputTemplate: other, outputVariables: {o: line}}\n"
    "- {stepName: half, instructionSet: half, outputVariables: [h]}\n"
    "- {stepName: after, instructionSet: read, inputTemplate: '{b} {h}', outputVariables: {z: line}}\n"
    "outputs: [z]\n";

static void make_world(world *w, const char *chain)
{
    cli_world_write(w, "catena.yaml",
                    "servers:\n  peer: {command: '%s', args: [--ledger, ledger], trusted: true, effects: {write_line: "
                    "write}}\ninclude: [chain.yaml]\n",
                    peer_program());
    cli_world_write(w, "chain.yaml", "%s", chain);
}

static void failed_run(world *w, char id[64])
{
    make_world(w, CHAIN);
    assert_exit(w, catena(w, "run", "c", "-i", "guest=Dana", "-i", "n:=0", "--json", NULL), 1);
    json_text(w->said.out, "executionId", id);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
}

static void after_a_failure_the_write_is_not_repeated(void **state)
{
    world *w = *state;
    char id[64], again[64], command[COMMAND_MAX];
    failed_run(w, id);
    assert_exit(w, catena(w, "resume", id, NULL), 2);
    offered(w, "reuses its results", 0, command);
    assert_contains(command, "rerun ");
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=4", "--json", NULL), 0);
    assert_err(w, "reused: 3 of 5 steps");
    assert_out(w, "\"status\":\"completed\",\"outputs\":{\"z\":\"book Dana 3\"}");
    json_text(w->said.out, "executionId", again);
    assert_string_not_equal(id, again);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
    assert_exit(w, catena(w, "show", again, NULL), 0);
    assert_out(w, "rerun of ");
    assert_out(w, ", from step half");
    assert_out(w, "reused");
    assert_exit(w, catena(w, "show", again, "--json", NULL), 0);
    assert_out(w, "\"reused\":true");
    assert_out(w, "\"reason\":\"rerun\"");
    assert_exit(w, catena(w, "history", again, NULL), 0);
    assert_out(w, "from half, 3 steps reused");
    assert_exit(w, catena(w, "timeline", again, NULL), 0);
    assert_out(w, "3 steps reused from an earlier execution");
    assert_exit(w, catena(w, "why", again, "z", NULL), 0);
    assert_out(w, "result of step book, reused from execution ");
    assert_out(w, "guest = \"Dana\"");
    assert_exit(w, catena(w, "why", again, "book", NULL), 0);
    assert_out(w, "book was not done again: it completed in execution ");
}

static void a_write_is_repeated_only_by_the_command_that_names_it(void **state)
{
    world *w = *state;
    char id[64], command[COMMAND_MAX];
    failed_run(w, id);
    assert_exit(w, catena(w, "fork", id, "-i", "guest=O'Neill", "-i", "n:=3", NULL), 2);
    assert_err(w, "book would be done again, and what was written then has not been undone");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_null(strstr(strstr(w->said.out, "executionId") + 1, "executionId")); /* nothing was started */
    assert_exit(w, catena(w, "fork", id, "-i", "guest=O'Neill", "-i", "n:=3", NULL), 2);
    offered(w, "would be done again", 0, command);
    assert_contains(command, "--write book");
    assert_exit(w, shell(w, command), 0);
    assert_out(w, "book O'Neill 4");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, catena(w, "rerun", id, "--from", "look", "-i", "n:=3", NULL), 2);
    assert_exit(w, catena(w, "rerun", id, "--from", "look", "-i", "n:=3", "--write", "book", "-o", "z", NULL), 0);
    assert_string_equal(w->said.out, "book Dana 4\n");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 3);
}

static void bad_words_are_answered_with_the_right_ones(void **state)
{
    world *w = *state;
    char id[64];
    failed_run(w, id);
    assert_exit(w, catena(w, "rerun", id, NULL), 2);
    assert_err(w, "rerun needs the step to do again: catena rerun ");
    assert_exit(w, catena(w, "rerun", id, "--from", "hlaf", NULL), 2);
    assert_err(w, "did you mean 'half'?");
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "--write", "bok", NULL), 2);
    assert_err(w, "--write bok");
    assert_exit(w, catena(w, "rerun", "ffff", "--from", "half", NULL), 2);
    assert_exit(w, catena(w, "fork", id, "--from", "half", NULL), 2);
    assert_err(w, "takes no --from");
    cli_world_write(w, "other.yaml",
                    "id: d\n" SETS "steps: [{stepName: look, instructionSet: read, inputTemplate: x}]\n");
    assert_exit(w, catena(w, "fork", id, "--chain", "other.yaml", NULL), 2);
    assert_err(w, "that is the chain d, and ");
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=4", "--json", "-q", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "fork", id, NULL), 2);
    assert_err(w, "nothing is different");
}

static void a_changed_input_reaches_its_readers_and_nobody_else(void **state)
{
    world *w = *state;
    char id[64];
    failed_run(w, id);
    assert_exit(w, catena(w, "fork", id, "-i", "n:=4", "-q", "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
    size_t reads = cli_world_count(w, "ledger", "read_line");
    assert_exit(w, catena(w, "fork", id, "-i", "n:=6", "-q", "-o", "z", NULL), 0);
    assert_string_equal(w->said.out, "book Dana 2\n");
    assert_int_equal(cli_world_count(w, "ledger", "read_line"), reads + 1); /* after, not look or other */
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
}

static void a_newer_definition_is_taken_and_a_running_one_keeps_its_own(void **state)
{
    world *w = *state;
    static const char BEFORE[] =
        "id: c\n" SETS "  yes: {approval: {message: go on?}}\nsteps:\n"
        "- {stepName: book, instructionSet: write, inputTemplate: x, outputVariables: {b: line}, noUndo: kept}\n"
        "- {stepName: ask, instructionSet: 'yes', outputVariables: [approved]}\n"
        "- {stepName: after, instructionSet: read, inputTemplate: 'old {b}', outputVariables: {z: line}}\n"
        "outputs: [z]\n";
    static const char AFTER[] =
        "id: c\n" SETS "  yes: {approval: {message: go on?}}\nsteps:\n"
        "- {stepName: book, instructionSet: write, inputTemplate: x, outputVariables: {b: line}, noUndo: kept}\n"
        "- {stepName: ask, instructionSet: 'yes', outputVariables: [approved]}\n"
        "- {stepName: more, instructionSet: read, inputTemplate: more, outputVariables: {m: line}}\n"
        "- {stepName: after, instructionSet: read, inputTemplate: 'new {b} {m}', outputVariables: {z: line}}\n"
        "outputs: [z]\n";
    char id[64];
    make_world(w, BEFORE);
    assert_exit(w, catena(w, "run", "c", "--json", "-q", NULL), 3);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "rerun", id, "--from", "book", NULL), 2);
    assert_err(w, "is waiting; only one that has ended can be gone on from");
    cli_world_write(w, "chain.yaml", "%s", AFTER);
    assert_exit(w, catena(w, "answer", id, "ask", "{\"approved\": true}", "-q", "-o", "z", NULL), 0);
    assert_string_equal(w->said.out, "old x\n"); /* it ends as it was started */
    assert_exit(w, catena(w, "rerun", id, "--from", "after", "-q", "-o", "z", NULL), 0);
    assert_string_equal(w->said.out, "old x\n"); /* the definition is the old one's */
    assert_exit(w, catena(w, "fork", id, "--chain", "c", "-o", "z", NULL), 0);
    assert_err(w, "reused: 2 of 4 steps");
    assert_string_equal(w->said.out, "new x more\n");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
}

static void what_was_rolled_back_is_done_again(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "id: c\n" SETS "steps:\n"
                  "- {stepName: look, instructionSet: read, inputTemplate: x, outputVariables: {a: line}}\n"
                  "- {stepName: book, instructionSet: write, inputTemplate: '{a}', outputVariables: {b: line},\n"
                  "   rollbackAction: undo, rollbackTemplate: '{b}'}\n"
                  "- {stepName: mail, instructionSet: write, inputTemplate: mail, noUndo: sent}\n"
                  "- {stepName: half, instructionSet: half, outputVariables: [h]}\n"
                  "outputs: [b, h]\n");
    assert_exit(w, catena(w, "run", "c", "-i", "n:=0", "-q", "--json", NULL), 1);
    assert_out(w, "\"status\":\"rolled_back\"");
    json_text(w->said.out, "executionId", id);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=2", "--json", NULL), 0);
    assert_err(w, "reused: 2 of 4 steps");
    assert_out(w, "\"outputs\":{\"b\":\"x\",\"h\":6}");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 3); /* book once more; the mail is not sent again */
    assert_int_equal(cli_world_count(w, "ledger", "idempotent_line"), 1); /* and nothing else is undone */
}

static void a_foreach_is_reused_or_done_again_as_a_whole(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w, "id: c\n" SETS "steps:\n"
                  "- {stepName: each, instructionSet: item, foreach: {items: '{names}'}, outputVariables: {r: line},\n"
                  "   noUndo: kept}\n"
                  "- {stepName: half, instructionSet: half, outputVariables: [h]}\n"
                  "outputs: [r, h]\n");
    cli_world_write(w, "sets.yaml", "instructionSets:\n  item: {tool: peer/write_line, arguments: {line: '{item}'}}\n");
    cli_world_write(w, "catena.yaml",
                    "servers:\n  peer: {command: '%s', args: [--ledger, ledger], trusted: true, effects: {write_line: "
                    "write}}\ninclude: [chain.yaml, sets.yaml]\n",
                    peer_program());
    assert_exit(w, catena(w, "run", "c", "-i", "names:=[\"a\", \"b\"]", "-i", "n:=0", "-q", "--json", NULL), 1);
    json_text(w->said.out, "executionId", id);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=2", "-q", "--json", NULL), 0);
    assert_out(w, "\"outputs\":{\"r\":[\"a\",\"b\"],\"h\":6}");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, catena(w, "fork", id, "-i", "names:=[\"a\", \"c\"]", "-i", "n:=2", NULL), 2);
    assert_err(w, "each would be done again");
    assert_exit(w, catena(w, "rerun", id, "--from", "each[1]", NULL), 2);
    assert_err(w, "a foreach is done again as a whole, with all its items: --from each");
    assert_exit(w, catena(w, "rerun", id, "--from", "each", "-i", "n:=3", "-q", "--json", NULL), 0);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 4);
}

static const char SLOW_CHAIN[] =
    "id: c\n" SETS "steps:\n"
    "- {stepName: book, instructionSet: write, inputTemplate: x, outputVariables: {b: line}, noUndo: kept}\n"
    "- {stepName: half, instructionSet: half, outputVariables: [h]}\n"
    "- {stepName: sleep, instructionSet: sleep, outputVariables: {slept: ms}}\n"
    "- {stepName: after, instructionSet: write, inputTemplate: '{b} {h}', outputVariables: {z: line}, noUndo: kept}\n"
    "outputs: [z]\n";

static void a_rerun_that_is_killed_is_resumed_like_any_other(void **state)
{
    world *w = *state;
    char id[64], again[64];
    make_world(w, SLOW_CHAIN);
    assert_exit(w, catena(w, "run", "c", "-i", "n:=0", "-i", "ms:=1500", "-q", "--json", NULL), 1);
    json_text(w->said.out, "executionId", id);
    running r = catena_start(w, "rerun", id, "--from", "half", "-i", "n:=2", "-q", NULL);
    for (int tries = 0; tries < 200; tries++) {
        newest_id(w, again);
        if (strcmp(again, id) != 0)
            break;
        usleep(20000);
    }
    assert_string_not_equal(again, id);
    usleep(200000);
    (void) kill(r.pid, SIGKILL);
    (void) running_wait(w, &r);
    assert_exit(w, catena(w, "show", again, NULL), 0);
    assert_out(w, "running");
    assert_out(w, "reused");
    assert_exit(w, catena(w, "resume", again, "-q", "-o", "z", NULL), 0);
    assert_string_equal(w->said.out, "x 6\n");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
}

static void the_stores_owner_does_it_for_others(void **state)
{
    world *w = *state;
    char id[64];
    failed_run(w, id);
    running serve = catena_start(w, "serve", NULL);
    for (int tries = 0; tries < 200 && !cli_world_has(w, "catena.db.sock"); tries++)
        usleep(20000);
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=4", "--json", NULL), 0);
    assert_out(w, "\"outputs\":{\"z\":\"book Dana 3\"}");
    assert_err(w, "completed   reused");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
    (void) kill(serve.pid, SIGTERM);
    assert_exit(w, running_wait(w, &serve), 0);
}

static void a_sub_chain_that_wrote_is_not_done_again_unnamed(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "catena.yaml",
                    "servers:\n  peer: {command: '%s', args: [--ledger, ledger], trusted: true, effects: {write_line: "
                    "write}}\ninclude: [chain.yaml, child.yaml, reader.yaml]\n",
                    peer_program());
    cli_world_write(w, "chain.yaml", "%s",
                    "id: c\n" SETS "  child: {chain: child, arguments: {x: '{guest}'}}\n"
                    "  reader: {chain: reader, arguments: {x: '{guest}'}}\nsteps:\n"
                    "- {stepName: reads, instructionSet: reader, outputVariables: {r: q}}\n"
                    "- {stepName: part, instructionSet: child, inputTemplate: '{r}', outputVariables: {p: y}}\n"
                    "- {stepName: half, instructionSet: half, outputVariables: [h]}\n"
                    "outputs: [p, h]\n");
    cli_world_write(w, "child.yaml", "%s",
                    "id: child\ninstructionSets:\n  keep: {tool: peer/write_line, arguments: {line: '{x}'}}\n"
                    "steps: [{stepName: keep, instructionSet: keep, outputVariables: {y: line}, noUndo: kept}]\n");
    cli_world_write(w, "reader.yaml", "%s",
                    "id: reader\ninstructionSets:\n  see: {tool: peer/read_line, arguments: {line: '{x}'}}\n"
                    "steps: [{stepName: see, instructionSet: see, outputVariables: {q: line}}]\n");
    assert_exit(w, catena(w, "run", "c", "-i", "guest=g", "-i", "n:=0", "-q", "--json", NULL), 1);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "rerun", id, "--from", "half", "-i", "n:=2", "-q", "--json", NULL), 0);
    assert_out(w, "\"outputs\":{\"p\":\"g\",\"h\":6}");
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 1);
    assert_exit(w, catena(w, "fork", id, "-i", "guest=h", "-i", "n:=2", NULL), 2);
    assert_err(w, "part would be done again");
    assert_exit(w, catena(w, "fork", id, "-i", "guest=h", "-i", "n:=2", "--write", "part", "-q", NULL), 0);
    assert_int_equal(cli_world_count(w, "ledger", "write_line"), 2);
    assert_exit(w, catena(w, "fork", id, "--chain", "c", "-i", "n:=2", NULL), 0); /* nothing of theirs is another */
    assert_err(w, "reused: 2 of 3 steps");
    cli_world_write(w, "child.yaml", "%s",
                    "id: child\ninstructionSets:\n  keep: {tool: peer/write_line, arguments: {line: 'to {x}'}}\n"
                    "steps: [{stepName: keep, instructionSet: keep, outputVariables: {y: line}, noUndo: kept}]\n");
    assert_exit(w, catena(w, "fork", id, "--chain", "c", "-i", "n:=2", NULL), 2);
    assert_err(w, "part would be done again");
}

/* The chain and the commands of docs/operations.md. */
static void the_example_of_the_manual_does_what_it_says(void **state)
{
    world *w = *state;
    char block[4096] = "", line[1024], id[64];
    FILE *f = fopen(CATENA_SOURCE_DIR "/docs/operations.md", "r");
    bool is_in = false;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "```", 3) == 0)
            is_in = false;
        is_in = is_in || strcmp(line, "# chain: quote.yaml\n") == 0;
        if (is_in)
            snprintf(block + strlen(block), sizeof block - strlen(block), "%s", line);
    }
    (void) fclose(f);
    cli_world_write(w, "quote.yaml", "%s", block);
    cli_world_write(w, "catena.yaml", "include: [quote.yaml]\n");
    assert_exit(w, catena(w, "run", "quote", "-i", "nights:=3", "-i", "rate:=80", "-i", "people:=0", "--json", NULL),
                1);
    assert_err(w, "at step price_service: tool_error: a quote is for somebody");
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "fork", id, "-i", "people:=2", NULL), 0);
    assert_err(w, "reused: 1 of 3 steps");
    assert_out(w, "\"total\": 246");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(after_a_failure_the_write_is_not_repeated),
        CLI_TEST(a_write_is_repeated_only_by_the_command_that_names_it),
        CLI_TEST(bad_words_are_answered_with_the_right_ones),
        CLI_TEST(a_changed_input_reaches_its_readers_and_nobody_else),
        CLI_TEST(a_newer_definition_is_taken_and_a_running_one_keeps_its_own),
        CLI_TEST(what_was_rolled_back_is_done_again),
        CLI_TEST(a_foreach_is_reused_or_done_again_as_a_whole),
        CLI_TEST(a_rerun_that_is_killed_is_resumed_like_any_other),
        CLI_TEST(the_stores_owner_does_it_for_others),
        CLI_TEST(a_sub_chain_that_wrote_is_not_done_again_unnamed),
        CLI_TEST(the_example_of_the_manual_does_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
