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

/* ---- history ---- */

static void the_journal_is_told_in_words(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "tea.yaml", "%s", TEA);
    assert_exit(w, catena(w, "run", "tea.yaml", "-i", "guest=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "answer", id, "offer", "{\"approved\": false}", NULL), 0);
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "for an approval: Tea for Ann?");
    assert_out(w, "{\"approved\":false}");
    assert_out(w, "approved=false");
    assert_out(w, "its condition said so");
    assert_out(w, "served=false");
    assert_exit(w, catena(w, "history", id, "--json", NULL), 0);
    assert_out(w, "\"body\":{\"reason\":\"condition\"}},{\"seq\":");
    assert_int_equal(w->said.out[strlen(w->said.out) - 2], ']');
}

/* ---- timeline ---- */

/* The longest line of what stdout got, in characters. */
static size_t widest(const char *text)
{
    size_t most = 0, width = 0;
    for (; *text; text++) {
        width = *text == '\n' ? 0 : width + (((unsigned char) *text & 0xc0) != 0x80);
        most = width > most ? width : most;
    }
    return most;
}

typedef struct command {
    char text[200];
} command;

static command line_of(const char *words, const char *id)
{
    command c;
    snprintf(c.text, sizeof c.text, "%s %s", words, id);
    return c;
}

static void attempts_are_drawn_as_wide_as_there_is_room(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "tea.yaml", "%s", TEA);
    assert_exit(w, catena(w, "run", "tea.yaml", "-i", "guest=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "timeline", id, NULL), 0);
    assert_out(w, "waiting");
    assert_out(w, "1 step to come");
    assert_exit(w, catena(w, "answer", id, "offer", "{\"approved\": true}", NULL), 0);
    assert_exit(w, catena(w, "timeline", id, NULL), 0);
    assert_out(w, "completed, started");
    assert_out(w, "offer");
    assert_out(w, "steep");
    assert_lacks(w->said.out, "\033"); /* no colour in a pipe */
    assert_lacks(w->said.out, "to come");
    assert_string_equal(w->said.err, "");
    assert_exit(w, shell(w, line_of("COLUMNS=64 catena timeline", id).text), 0);
    assert_in_range(widest(w->said.out), 40, 64);
    assert_exit(w, shell(w, line_of("COLUMNS=120 catena timeline", id).text), 0);
    assert_in_range(widest(w->said.out), 100, 120);
}

static void items_are_folded_and_fallbacks_told(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "each.yaml",
                    "id: each\n"
                    "outputs: {}\n"
                    "steps:\n"
                    "  - {stepName: many, instructionSet: ok, foreach: {items: {range: [0, 100]}, maxConcurrency: 8}}\n"
                    "  - {stepName: odd, instructionSet: bad, fallback: [{value: {x: 7}}], outputVariables: [x]}\n"
                    "instructionSets:\n"
                    "  ok: {native: noop, effect: none, arguments: {}}\n"
                    "  bad: {native: noop, effect: none, arguments: {n: '{missing}'}}\n");
    assert_exit(w, catena(w, "run", "each.yaml", "-i", "missing:=null", NULL), 0);
    newest_id(w, id);
    assert_exit(w, catena(w, "timeline", id, NULL), 0);
    assert_out(w, "many[0]");
    size_t lines = 0;
    for (const char *c = w->said.out; *c; c++)
        lines += *c == '\n';
    assert_in_range(lines, 8, 20);
    assert_out(w, "completed, 0 failed");
    assert_out(w, "odd #2");
    assert_out(w, "fallback 1");
    assert_exit(w, catena(w, "timeline", id, "--json", NULL), 0);
    assert_out(w, "{\"step\":\"many\",\"item\":50,\"attempt\":1");
    assert_out(w, "\"isForeach\":true");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "100 items\n");
    assert_out(w, "all 100 items have ended");
    assert_out(w, "fallback 1 is next");
    assert_out(w, "1: its value is the result");
}

static void a_timeline_speaks_to_programs_and_to_plain_terminals(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "tea.yaml", "%s", TEA);
    assert_exit(w, catena(w, "run", "tea.yaml", "-i", "guest=Ann", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "timeline", id, "--json", NULL), 0);
    assert_out(w, "[{\"step\":\"offer\",\"item\":null,\"attempt\":1,\"role\":\"do\",\"startedAtMs\":1");
    assert_out(w, "\"endedAtMs\":null,\"status\":\"waiting\",\"code\":null,\"message\":\"Tea for Ann?\"");
    assert_exit(w, shell(w, line_of("LC_ALL=C catena timeline", id).text), 0);
    for (const char *c = w->said.out; *c; c++)
        assert_true((unsigned char) *c < 0x80);
    assert_out(w, "~ ");
    cli_world_env(w, "TERM=xterm");
    assert_exit(w, catena_on_terminal(w, "timeline", id, NULL), 0);
    assert_out(w, "\033[33m"); /* what waits is yellow */
    cli_world_env(w, "NO_COLOR=1");
    assert_exit(w, catena_on_terminal(w, "timeline", id, NULL), 0);
    assert_lacks(w->said.out, "\033");
}

static void mistakes_of_timeline_are_told(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "timeline", "0123abcd", NULL), 2);
    assert_err(w, "there is no store catena.db");
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    assert_exit(w, catena(w, "timeline", "0123abcd", NULL), 2);
    assert_err(w, "0123abcd");
    assert_err(w, "catena list");
    assert_exit(w, catena(w, "timeline", NULL), 2);
    assert_err(w, "catena timeline ID");
    assert_exit(w, catena(w, "timeline", "0123abcd", "--format", "dot", NULL), 2);
    assert_err(w, "takes no --format");
    assert_string_equal(w->said.out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_chain_is_drawn_in_each_format),
        CLI_TEST(a_stored_chain_and_an_execution_are_drawn),
        CLI_TEST(mistakes_of_graph_are_told),
        CLI_TEST(the_journal_is_told_in_words),
        CLI_TEST(attempts_are_drawn_as_wide_as_there_is_room),
        CLI_TEST(items_are_folded_and_fallbacks_told),
        CLI_TEST(a_timeline_speaks_to_programs_and_to_plain_terminals),
        CLI_TEST(mistakes_of_timeline_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
