/*
 * `simulate` through the real binary: exit codes, replays in another process, what it makes of schemas and stores.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_bad_chain_exits_1_and_its_command_shows_the_world_again(void **state)
{
    world *w = *state;
    cli_world_example(w, "simulate.md", "# chain: letter.yaml", "letter.yaml");
    assert_exit(w, catena(w, "simulate", "letter.yaml", "--seeds", "2000", NULL), 1);
    assert_out(w, "bad: step send_letter: may park until a person says whether it happened");
    assert_out(w, "[dead-end]");
    char command[300] = "";
    const char *at = strstr(w->said.out, "catena simulate letter.yaml --seed ");
    assert_non_null(at);
    (void) snprintf(command, sizeof command, "%.*s", (int) strcspn(at, "\n"), at);
    assert_exit(w, shell(w, command), 1);
    assert_out(w, "| interrupted send_letter");
    assert_out(w, "bad: step send_letter");
    static char first[OUTPUT_MAX];
    memcpy(first, w->said.out, sizeof first);
    assert_exit(w, shell(w, command), 1);
    assert_string_equal(first, w->said.out); /* another process, the same story */
}

static void a_check_mends_it_and_the_exit_is_0(void **state)
{
    world *w = *state;
    cli_world_write(w, "letter.yaml",
                    "id: letter\n"
                    "steps:\n"
                    "  - {stepName: send_letter, instructionSet: post, inputTemplate: '{address}', noUndo: gone}\n"
                    "instructionSets:\n"
                    "  post: {tool: office/post_letter, effect: write, check: {tool: office/was_posted}}\n");
    assert_exit(w, catena(w, "simulate", "letter.yaml", "--seeds", "2000", NULL), 0);
    assert_out(w, "nothing bad is reachable within the fault model");
    assert_exit(w, catena(w, "simulate", "letter.yaml", "--seeds", "2000", "--json", NULL), 0);
    assert_out(w, "\"chain\":\"letter\",\"worlds\":2000");
    assert_lacks(w->said.out, "\"bad\"");
}

static void the_mobile_lead_chain_has_nothing_bad_within_the_model(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml",
                    "include: [\"%s/travel/instruction-sets/*.yaml\", \"%s/travel/templates/\", "
                    "\"%s/travel/first-design/*.json\"]\n",
                    CATENA_SOURCE_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR);
    assert_exit(w, catena(w, "simulate", "mobile-lead-processing", "--seeds", "3000", NULL), 0);
    assert_out(w, "rolled_back");
    assert_out(w, "note: step create_client_record"); /* its undo has no retries */
    assert_exit(w, catena(w, "simulate", "client-followup-sequence", "--seeds", "3000", "--json", NULL), 1);
    assert_out(w, "\"kind\":\"dead-end\",\"severity\":\"bad\",\"step\":\"schedule_delivery\"");
    assert_out(w, "\"kind\":\"effect-left\",\"severity\":\"bad\",\"step\":\"schedule_delivery\"");
}

/* What the tool's server says decides what the tool may answer. */
static void tools_are_made_of_their_schemas(void **state)
{
    world *w = *state;
    cli_world_write(
        w, "catena.yaml",
        "servers: {travel: {command: \"%s/travel/catena-travel\", args: [serve], env: {CRM: crm.db}, trusted: true}}\n"
        "include: [\"%s/travel/instruction-sets/*.yaml\", \"%s/travel/templates/\", "
        "\"%s/travel/first-design/*.json\"]\n",
        CATENA_BUILD_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR);
    assert_exit(w, catena(w, "simulate", "mobile-lead-processing", "--seeds", "1000", "--tools", NULL), 0);
    assert_lacks(w->said.out, "guessed");
    assert_lacks(w->said.out, "nothing that was made fits");
    assert_exit(w, catena(w, "simulate", "mobile-lead-processing", "--seed", "1", "--tools", NULL), 0);
    assert_out(w, "\"validation_status\":");
}

static void results_of_the_store_are_answered_again(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: recorded\n"
                    "steps:\n"
                    "  - {stepName: a, instructionSet: echo, outputVariables: [word]}\n"
                    "  - {stepName: b, instructionSet: echo, inputTemplate: '{word}'}\n"
                    "instructionSets:\n"
                    "  echo: {native: noop, effect: none, arguments: {word: '{given}'}}\n");
    assert_exit(w, catena(w, "run", "c.yaml", "-i", "given=heliotrope", NULL), 0);
    assert_exit(w, catena(w, "simulate", "c.yaml", "--seed", "1", NULL), 0);
    assert_lacks(w->said.out, "heliotrope");
    assert_exit(w, catena(w, "simulate", "c.yaml", "--seed", "1", "--recorded", NULL), 0);
    assert_out(w, "answers {\"word\":\"heliotrope\"}");
}

static void wrong_use_is_told_and_exits_2(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: c\nsteps:\n  - {stepName: a, instructionSet: nap}\ninstructionSets: {nap: {wait: {ms: 1}}}\n");
    assert_exit(w, catena(w, "simulate", "c.yaml", "--seeds", "many", NULL), 2);
    assert_err(w, "--seeds many: a whole number from 1");
    assert_exit(w, catena(w, "simulate", "c.yaml", "--seeds", "10", "--seed", "3", NULL), 2);
    assert_exit(w, catena(w, "simulate", "nothing", NULL), 2);
    cli_world_write(w, "typed.yaml",
                    "id: typed\n"
                    "inputSchema: {type: object, required: [n], properties: {n: {type: integer, minimum: 3}}}\n"
                    "steps:\n"
                    "  - {stepName: a, instructionSet: nap, conditionalExecution: '{n} > 3'}\n"
                    "instructionSets: {nap: {wait: {ms: 1}}}\n");
    assert_exit(w, catena(w, "simulate", "typed.yaml", "-i", "n=text", "--seeds", "10", NULL), 2);
    assert_err(w, "no input could be made that the chain accepts");
    assert_exit(w, catena(w, "simulate", "typed.yaml", "-i", "n:=4", "--seeds", "10", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_bad_chain_exits_1_and_its_command_shows_the_world_again),
        CLI_TEST(a_check_mends_it_and_the_exit_is_0),
        CLI_TEST(the_mobile_lead_chain_has_nothing_bad_within_the_model),
        CLI_TEST(tools_are_made_of_their_schemas),
        CLI_TEST(results_of_the_store_are_answered_again),
        CLI_TEST(wrong_use_is_told_and_exits_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
