/* Pictures of chains and of what became of executions: what they show, and what is said to mistakes. */
#include "cli_kit.h"

#include <stdio.h>
#include <string.h>

static const char TEA[] = "id: tea\n"
                          "name: Tea & <biscuits>\n"
                          "outputs: {served: \"{approved}\"}\n"
                          "steps:\n"
                          "  - {stepName: offer, instructionSet: ask, outputVariables: [approved]}\n"
                          "  - {stepName: steep, instructionSet: steeping, conditionalExecution: \"{approved}\"}\n"
                          "instructionSets:\n"
                          "  ask: {approval: {message: \"Tea for {guest}?\"}}\n"
                          "  steeping: {wait: {ms: 20}}\n";

/* ---- graph ---- */

static void a_chain_is_drawn_in_each_format(void **state)
{
    world *w = *state;
    cli_world_write(w, "tea.yaml", "%s", TEA);
    assert_exit(w, catena(w, "graph", "tea.yaml", NULL), 0);
    assert_int_equal(strncmp(w->said.out, "<svg ", 5), 0);
    assert_out(w, "<title>Tea &amp; &lt;biscuits&gt;</title>");
    assert_out(w, ">steep</text>");
    assert_out(w, "</svg>\n");
    assert_string_equal(w->said.err, "");
    assert_exit(w, catena(w, "graph", "tea.yaml", "--format", "mermaid", NULL), 0);
    assert_out(w, "flowchart TD\n");
    assert_out(w, "s1 -->|\"approved\"| s2\n");
    assert_exit(w, catena(w, "graph", "tea.yaml", "--format", "dot", NULL), 0);
    assert_out(w, "\"offer\" -> \"steep\" [label=\"approved\"];\n");
    assert_false(cli_world_has(w, "catena.db"));
}

static void a_stored_chain_and_an_execution_are_drawn(void **state)
{
    world *w = *state;
    char id[64], *sets = strstr(TEA, "instructionSets:");
    cli_world_write(w, "tea.yaml", "%.*s", (int) (sets - TEA), TEA);
    cli_world_write(w, "sets.yaml", "%s", sets);
    cli_world_write(w, "catena.yaml", "include: [sets.yaml]\n");
    assert_exit(w, catena(w, "run", "tea.yaml", "-i", "guest=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "chains", "import", "tea.yaml", NULL), 0);
    assert_exit(w, catena(w, "graph", "tea", "--format", "dot", NULL), 0);
    assert_lacks(w->said.out, "waiting");
    assert_exit(w, catena(w, "graph", id, "--format", "dot", NULL), 0);
    assert_out(w, "waiting");
    assert_out(w, "pending");
    assert_exit(w, catena(w, "graph", id, NULL), 0);
    assert_out(w, "st-waiting");
    assert_out(w, id);
    assert_exit(w, catena(w, "answer", id, "offer", "{\"approved\": true}", NULL), 0);
    id[10] = '\0'; /* the beginning is enough */
    assert_exit(w, catena(w, "graph", id, "--format", "mermaid", NULL), 0);
    assert_out(w, ":::completed");
}

static void mistakes_of_graph_are_told(void **state)
{
    world *w = *state;
    cli_world_write(w, "tea.yaml", "%s", TEA);
    assert_exit(w, catena(w, "graph", "tea.yaml", "--format", "mermiad", NULL), 2);
    assert_err(w, "did you mean 'mermaid'?");
    assert_exit(w, catena(w, "graph", "tea.yaml", "--format", "png", NULL), 2);
    assert_err(w, "svg");
    assert_exit(w, catena(w, "graph", NULL), 2);
    assert_err(w, "catena graph CHAIN");
    assert_exit(w, catena(w, "graph", "tee", NULL), 2);
    assert_err(w, "there is no chain \"tee\"");
    assert_exit(w, catena(w, "graph", "0123abcd-0000", NULL), 2);
    assert_err(w, "there is no chain \"0123abcd-0000\"");
    cli_world_write(w, "bad.yaml",
                    "id: bad\n"
                    "steps:\n"
                    "  - {stepName: a, instructionSet: s, dependsOn: [b]}\n"
                    "  - {stepName: b, instructionSet: s, dependsOn: [a]}\n"
                    "instructionSets: {s: {native: noop, effect: none}}\n");
    assert_exit(w, catena(w, "graph", "bad.yaml", NULL), 2);
    assert_err(w, "bad.yaml:3:");
    assert_err(w, "[cycle]");
    assert_string_equal(w->said.out, "");
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, cli_world_setup, cli_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_chain_is_drawn_in_each_format),
        WORLD_TEST(a_stored_chain_and_an_execution_are_drawn),
        WORLD_TEST(mistakes_of_graph_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
