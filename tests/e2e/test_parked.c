/*
 * Executions that wait for somebody, through the real binary: what is asked for stands on stderr and in `show`, with
 * the command that goes on, and that command does go on.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <string.h>

static void run_parked(world *w, const char *chain, char *id)
{
    assert_exit(w, catena(w, "run", chain, "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0); /* which says the same on stderr */
}

#define AGENT                                                                                                          \
    "id: intro\nsteps:\n"                                                                                              \
    "  - {stepName: write, instructionSet: intro, outputVariables: [text], inputTemplate: 'about tea'}\n"              \
    "instructionSets:\n"                                                                                               \
    "  intro: {agent: {instructions: 'Write an intro', outputSchema: {type: object, required: [text]}}}\n"

static void an_agent_is_told_its_task(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    cli_world_write(w, "agent.yaml", "%s", AGENT);
    run_parked(w, "agent.yaml", id);
    assert_err(
        w, "step write waits for an agent's answer\n  task     Write an intro\n  input    {\"input\":\"about tea\"}\n"
           "  wanted   {\"type\":\"object\",\"required\":[\"text\"]}\n");
    offered(w, "  answer   ", 0, line);
    char *hole = strstr(line, "JSON");
    assert_non_null(hole);
    (void) snprintf(hole, sizeof line - (size_t) (hole - line), "%s", "'{\"text\": \"hi\"}'");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"asked\":{\"for\":\"agent\",\"instructions\":\"Write an intro\"");
    assert_exit(w, shell(w, line), 0);
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_lacks(w->said.out, "\"asked\"");
    assert_exit(w, catena(w, "why", id, "text", NULL), 0);
    assert_out(w, ", who was asked");
}

#define WRITER                                                                                                         \
    "instructionSets:\n"                                                                                               \
    "  intro: {agent: {instructions: texts/intro.md, outputSchema: {type: object, required: [text]}}}\n"
static void instructions_in_a_file_stay_as_they_were_at_the_start(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "catena.yaml", "include: [sets/*.yaml, chains/*.yaml]\n");
    assert_exit(w, shell(w, "mkdir -p sets/texts chains"), 0);
    cli_world_write(w, "sets/writer.yaml", "%s", WRITER);
    cli_world_write(w, "sets/texts/intro.md", "Two sentences.\nBe kind: %s.\n", "\xc3\xa9");
    cli_world_write(w, "chains/intro.yaml",
                    "id: intro\nsteps:\n  - {stepName: write, instructionSet: intro, "
                    "outputVariables: [text], inputTemplate: 'about tea'}\n");
    run_parked(w, "intro", id);
    assert_err(w, "\n  task     Two sentences. Be kind: \xc3\xa9.");
    cli_world_write(w, "sets/texts/intro.md", "One sentence.\n");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"asked\":{\"for\":\"agent\",\"instructions\":\"Two sentences.\\nBe kind: \xc3\xa9.\\n\",\"input\":"
                  "{\"input\":\"about tea\"},\"schema\":{\"type\":\"object\",\"required\":[\"text\"]}}");
    run_parked(w, "intro", id);
    assert_err(w, "\n  task     One sentence.\n");
    /* names that lead nowhere, and files that say nothing */
    assert_exit(w, shell(w, "mv sets/texts/intro.md sets/texts/intor.md"), 0);
    assert_exit(w, catena(w, "check", NULL), 0);
    assert_out(w, "sets/writer.yaml:2:33: warning: instructions: there is no file sets/texts/intro.md; did you mean "
                  "sets/texts/intor.md?");
    cli_world_write(w, "sets/texts/intro.md", "%s", "");
    assert_exit(w, catena(w, "run", "intro", NULL), 2);
    assert_err(w, "the file 'texts/intro.md' is empty");
    assert_exit(w, shell(w, "head -c 65537 /dev/zero | tr '\\000' a > sets/texts/intro.md"), 0);
    assert_exit(w, catena(w, "run", "intro", NULL), 2);
    assert_err(w, "the file 'texts/intro.md' has 65537 bytes, at most 65536 are allowed");
    assert_exit(w, shell(w, "printf '\\377' > sets/texts/intro.md"), 0);
    assert_exit(w, catena(w, "run", "intro", NULL), 2);
    assert_err(w, "no UTF-8");
}

#define DESK                                                                                                           \
    "id: desk\nsteps:\n"                                                                                               \
    "  - {stepName: ok, instructionSet: yes, outputVariables: [approved], foreach: {items: {range: [0, 2]}}}\n"        \
    "instructionSets:\n  yes: {approval: {message: 'Send {item}?'}}\n"

static void an_item_that_waits_is_named_so_that_the_shell_takes_it(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    cli_world_write(w, "desk.yaml", "%s", DESK);
    run_parked(w, "desk.yaml", id);
    assert_err(w, "step ok[0] waits for an approval: Send 0?");
    offered(w, "  approve  ", 0, line);
    assert_non_null(strstr(line, " 'ok[0]' "));
    assert_exit(w, shell(w, line), 3);
    assert_err(w, "step ok[1] waits for an approval: Send 1?");
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "1 of 2 items, item 1, Send 1?");
    assert_err(w, "step ok[1] waits for an approval: Send 1?");
    offered(w, "  reject   ", 0, line);
    assert_exit(w, shell(w, line), 0);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "2 items");
    assert_out(w, "[true,false]");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"items\":2,\"itemsEnded\":2,\"itemsFailed\":0");
    assert_exit(w, catena(w, "why", id, "approved[1]", NULL), 0);
    assert_out(w, "approved[1] = false");
    assert_out(w, "step ok, item 1");
}

#define BUDGET                                                                                                         \
    "id: short\nbudget: {calls: 1}\nsteps:\n"                                                                          \
    "  - {stepName: a, instructionSet: t, outputVariables: [v]}\n"                                                     \
    "  - {stepName: b, instructionSet: t, outputVariables: [u]}\n"                                                     \
    "instructionSets:\n  t: {transform: '{v: 1, u: 2}', arguments: {}}\n"

static void a_budget_that_is_used_up_says_who_can_grant_it_and_how(void **state)
{
    world *w = *state;
    char id[64], line[COMMAND_MAX];
    cli_world_write(w, "short.yaml", "%s", BUDGET);
    run_parked(w, "short.yaml", id);
    assert_err(w, "the budget of calls is used up: 1 of 1\n  grant it once more  catena resume ");
    offered(w, "  grant it once more  ", 0, line);
    assert_exit(w, shell(w, line), 0);
    assert_exit(w, catena(w, "why", id, "b", NULL), 0);
    assert_out(w, " granted the budget once more");
    run_parked(w, "short.yaml", id);
    offered(w, "  end it  ", 0, line);
    assert_exit(w, shell(w, line), 1);
    assert_err(w, "budget");
    assert_exit(w, catena(w, "why", id, "u", NULL), 0);
    assert_out(w, "let it end at its budget");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(an_agent_is_told_its_task),
        CLI_TEST(instructions_in_a_file_stay_as_they_were_at_the_start),
        CLI_TEST(an_item_that_waits_is_named_so_that_the_shell_takes_it),
        CLI_TEST(a_budget_that_is_used_up_says_who_can_grant_it_and_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
