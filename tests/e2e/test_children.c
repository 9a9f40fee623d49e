/*
 * Chains that hand work to chains, through the real binary: who runs the parent is told what the child needs, with the
 * child's own command, whoever owns the store; and both show what the other has to do with it.
 */
#include "cli_kit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAMILY                                                                                                         \
    "id: parent\nsteps:\n"                                                                                             \
    "  - {stepName: sub, instructionSet: kid, outputVariables: [approved]}\n"                                          \
    "instructionSets:\n  kid: {chain: child, arguments: {who: ann}}\n"
#define MANY                                                                                                           \
    "id: many\nsteps:\n"                                                                                               \
    "  - {stepName: sub, instructionSet: kid, outputVariables: [approved],\n"                                          \
    "     foreach: {items: {range: [0, 3]}, as: n, maxConcurrency: 3}}\n"                                              \
    "instructionSets:\n  kid: {chain: child, arguments: {who: '{n}'}}\n"
#define CHILD                                                                                                          \
    "id: child\nsteps:\n"                                                                                              \
    "  - {stepName: nap, instructionSet: rest}\n"                                                                      \
    "  - {stepName: ask, instructionSet: desk, outputVariables: [approved]}\n"                                         \
    "instructionSets:\n  rest: {wait: {ms: 300}}\n  desk: {approval: {message: 'Fine, {who}?'}}\n"

static void family(world *w, const char *parent)
{
    cli_world_write(w, "catena.yaml", "include: [child.yaml, parent.yaml]\n");
    cli_world_write(w, "child.yaml", "%s", CHILD);
    cli_world_write(w, "parent.yaml", "%s", parent);
}

static void a_child_that_waits_is_answered_by_its_own_id(void **state)
{
    world *w = *state;
    char parent[64], line[COMMAND_MAX], text[200];
    family(w, FAMILY);
    assert_exit(w, catena(w, "run", "parent", NULL), 3); /* after the child's own wait, which ended by itself */
    json_text(w->said.out, "executionId", parent);
    assert_err(w, "step sub waits for the chain child, execution ");
    assert_err(w, "step ask waits for an approval: Fine, ann?");
    offered(w, "  approve  ", 0, line);
    assert_null(strstr(line, parent));
    assert_exit(w, catena(w, "show", parent, NULL), 0);
    assert_err(w, "step ask waits for an approval: Fine, ann?");
    assert_exit(w, catena(w, "why", parent, "sub", NULL), 0);
    assert_err(w, "step ask waits for an approval: Fine, ann?");
    assert_exit(w, catena(w, "watch", parent, NULL), 3);
    assert_err(w, "step ask waits for an approval: Fine, ann?");
    assert_exit(w, catena(w, "resume", parent, NULL), 3);
    assert_err(w, "step ask waits for an approval: Fine, ann?");
    assert_exit(w, shell(w, line), 0);
    assert_exit(w, catena(w, "show", parent, NULL), 0);
    assert_out(w, "status     completed");
    assert_out(w, "approved  true");
    assert_exit(w, catena(w, "show", parent, "--json", NULL), 0);
    char child[64];
    json_text(w->said.out, "childExecutionId", child);
    assert_non_null(strstr(line, child));
    assert_exit(w, catena(w, "history", parent, NULL), 0);
    snprintf(text, sizeof text, "child_started           sub                       chain child as execution %s", child);
    assert_out(w, text);
    assert_exit(w, catena(w, "history", child, NULL), 0);
    snprintf(text, sizeof text, "child, version 1, for execution %s", parent);
    assert_out(w, text);
    assert_exit(w, catena(w, "timeline", parent, "--json", NULL), 0);
    assert_out(w, "\"sub\"");
    assert_exit(w, catena(w, "timeline", parent, NULL), 0);
    assert_out(w, "sub");
    assert_out(w, "completed");
}

static void the_owners_parent_does_not_hold_its_follower_for_ever(void **state)
{
    world *w = *state;
    char line[COMMAND_MAX];
    family(w, FAMILY);
    running serve = catena_start(w, "serve", NULL);
    for (int i = 0; i < 1000 && !cli_world_has(w, "catena.db.sock"); i++) /* it is the owner, and listens */
        usleep(10000);
    assert_exit(w, catena(w, "run", "parent", NULL), 3);
    assert_err(w, "step sub waits for the chain child, execution ");
    offered(w, "  reject   ", 0, line);
    assert_exit(w, shell(w, line), 0);
    char id[64];
    assert_exit(w, catena(w, "list", "--chain", "parent", "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "watch", id, NULL), 0);
    assert_out(w, "\"approved\": false");
    kill(serve.pid, SIGTERM);
    running_wait(w, &serve);
}

static void each_of_many_children_is_named_with_its_item(void **state)
{
    world *w = *state;
    char lines[3][400];
    family(w, MANY);
    assert_exit(w, catena(w, "run", "many", NULL), 3);
    assert_err(w, "0 of 3 items");
    for (int i = 0; i < 3; i++) {
        char text[80];
        snprintf(text, sizeof text, "step sub[%d] waits for the chain child, execution ", i);
        assert_err(w, text);
        offered(w, "  approve  ", i, lines[i]);
    }
    for (int i = 0; i < 3; i++)
        assert_exit(w, shell(w, lines[i]), 0);
    char id[64];
    assert_exit(w, catena(w, "list", "--chain", "many", "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "show", id, "--output", "approved", NULL), 0);
    assert_out(w, "true,");
}

static void a_cancel_reaches_the_child(void **state)
{
    world *w = *state;
    char parent[64];
    family(w, FAMILY);
    assert_exit(w, catena(w, "run", "parent", "--quiet", NULL), 3);
    json_text(w->said.out, "executionId", parent);
    (void) catena(w, "cancel", parent, NULL);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_lacks(w->said.out, "\"waiting\"");
    const char *second = strstr(w->said.out, "\"cancelled\"");
    assert_non_null(second);
    assert_non_null(strstr(second + 1, "\"status\":\"cancelled\""));
}

/* A wait of days ends by itself, so `run` stays; who could answer it is told how, with the child's own command. */
static void a_long_wait_of_a_child_says_how_it_is_ended_sooner(void **state)
{
    world *w = *state;
    char line[COMMAND_MAX];
    cli_world_write(w, "catena.yaml", "include: [child.yaml, parent.yaml]\n");
    cli_world_write(w, "child.yaml",
                    "id: child\noutputs: {text: word.text}\nsteps:\n"
                    "  - {stepName: client_answer, instructionSet: days, outputVariables: [word]}\n"
                    "instructionSets: {days: {wait: {ms: 259200000}}}\n");
    cli_world_write(w, "parent.yaml",
                    "id: parent\nsteps:\n  - {stepName: sub, instructionSet: kid, outputVariables: [text]}\n"
                    "instructionSets: {kid: {chain: child}}\n");
    running run = shell_start(w, "catena run parent -o text 2>told >said");
    cli_world_await(w, "told", "client_answer waits until ");
    cli_world_read(w, "told", w->said.err, OUTPUT_MAX);
    offered(w, "to end it sooner: ", 0, line);
    char *json = strstr(line, " JSON");
    assert_non_null(json);
    snprintf(json, COMMAND_MAX - (size_t) (json - line), " '{\"text\": \"from Leeds\"}'");
    assert_exit(w, shell(w, line), 0);
    assert_int_equal(running_wait(w, &run), 0);
    char text[64];
    cli_world_read(w, "said", text, sizeof text);
    assert_string_equal(text, "from Leeds\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_child_that_waits_is_answered_by_its_own_id),
        CLI_TEST(a_long_wait_of_a_child_says_how_it_is_ended_sooner),
        CLI_TEST(the_owners_parent_does_not_hold_its_follower_for_ever),
        CLI_TEST(each_of_many_children_is_named_with_its_item),
        CLI_TEST(a_cancel_reaches_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
