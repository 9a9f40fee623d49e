/*
 * `test` through the real binary: cases that pass, cases that do not and say why, files that say what they may not.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void the_example_of_the_documentation_passes(void **state)
{
    world *w = *state;
    cli_world_example(w, "simulate.md", "# chain: letter.yaml", "letter.yaml");
    cli_world_example(w, "simulate.md", "# letter.test.yaml", "letter.test.yaml");
    assert_exit(w, catena(w, "test", "letter.test.yaml", NULL), 0);
    assert_out(w, "ok     letter.test.yaml: a letter of unknown fate is not posted twice\n3 passed, 0 failed\n");
    assert_exit(w, catena(w, "test", "letter.test.yaml", "--quiet", NULL), 0);
    assert_string_equal(w->said.out, "");
    assert_false(cli_world_has(w, "catena.db"));
}

static void the_travel_chains_pass_their_tests(void **state)
{
    world *w = *state;
    assert_exit(w, shell(w, "catena test " CATENA_SOURCE_DIR "/travel/first-design/*.test.yaml"), 0);
    assert_out(w, "8 passed, 0 failed");
}

#define CHAIN                                                                                                          \
    "id: c\n"                                                                                                          \
    "outputs: [word, yes]\n"                                                                                           \
    "steps:\n"                                                                                                         \
    "  - {stepName: look, instructionSet: look, outputVariables: [word]}\n"                                            \
    "  - {stepName: nap, instructionSet: nap}\n"                                                                       \
    "  - {stepName: ask, instructionSet: desk, outputVariables: {yes: approved}}\n"                                    \
    "  - {stepName: send, instructionSet: send, inputTemplate: '{word}', conditionalExecution: '{yes}'}\n"             \
    "instructionSets:\n"                                                                                               \
    "  look: {tool: s/look, effect: read, arguments: {id: '{id}'}}\n"                                                  \
    "  nap: {wait: {ms: 604800000}}\n"                                                                                 \
    "  desk: {approval: {message: 'Send {word}?', timeoutMs: 3600000}}\n"                                              \
    "  send: {tool: s/send, effect: write}\n"

/* Everything that can differ is told with its line and what came instead. */
static void what_differs_is_told_with_its_place(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", CHAIN);
    cli_world_write(w, "c.test.yaml",
                    "chain: c.yaml\n"
                    "tools: {s/look: {word: tulip}, s/send: {}}\n"
                    "cases:\n"
                    "  - name: all wrong\n"
                    "    input: {id: 7}\n"
                    "    answers: {ask: true}\n"
                    "    expect:\n"
                    "      status: failed\n"
                    "      outputs: {word: rose}\n"
                    "      calls:\n"
                    "        - {tool: s/look, args: {id: 8}}\n"
                    "      steps: {send: skipped}\n"
                    "  - name: counted\n"
                    "    input: {id: 7}\n"
                    "    answers: {ask: false}\n"
                    "    expect: {status: completed, calls: {s/send: 1}}\n"
                    "  - name: nobody answers\n"
                    "    input: {id: 7}\n"
                    "    expect: {error: {code: timeout, step: ask}, status: failed}\n"
                    "  - name: no answer for the tool\n"
                    "    input: {id: 7}\n"
                    "    tools: {s/look: [{args: {id: 9}, answer: {word: oak}}]}\n"
                    "    expect: {status: completed}\n"
                    "  - name: an input too few\n"
                    "    expect: {status: completed}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", "--junit", "out.xml", NULL), 1);
    assert_out(w, "c.test.yaml:8:15: status: expected failed, got completed");
    assert_out(w, "c.test.yaml:9:23: outputs.word: expected \"rose\", got \"tulip\"");
    assert_out(w, "c.test.yaml:11:37: s/look was called with another args.id: expected 8, got 7");
    assert_out(w, "c.test.yaml:12:21: step send: expected skipped, got completed");
    assert_out(w, "c.test.yaml:16:49: s/send: expected 1 calls, got 0");
    assert_out(w, "ok     c.test.yaml: nobody answers");
    assert_out(w, "step look calls s/look with {\"id\":7}, which none of its answers fits");
    assert_out(w, "it does not start: ");
    assert_out(w, "1 passed, 4 failed");
    static char xml[64 * 1024];
    cli_world_read(w, "out.xml", xml, sizeof xml);
    assert_contains(xml, "<testsuites name=\"catena\" tests=\"5\" failures=\"4\">");
    assert_contains(xml, "<failure message=\"status: expected failed, got completed\">");
    assert_contains(xml, "expected &quot;rose&quot;, got &quot;tulip&quot;");
    assert_exit(w, catena(w, "test", "c.test.yaml", "--json", NULL), 1);
    assert_out(w, "\"passed\":1,\"failed\":4,");
    assert_out(w, "{\"line\":9,\"column\":23,\"message\":\"outputs.word: expected \\\"rose\\\", got \\\"tulip\\\"\"}");
}

static void arguments_choose_among_answers_and_steps_may_be_named(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: c\n"
                    "steps:\n"
                    "  - {stepName: a, instructionSet: look, inputTemplate: '{x}', outputVariables: {one: v}}\n"
                    "  - {stepName: b, instructionSet: look, inputTemplate: '{y}', outputVariables: {two: v}}\n"
                    "  - {stepName: c, instructionSet: look, inputTemplate: '{y}', outputVariables: {three: v}}\n"
                    "instructionSets: {look: {tool: s/look, effect: read}}\n");
    cli_world_write(w, "c.test.yaml",
                    "chain: c.yaml\n"
                    "cases:\n"
                    "  - name: by arguments\n"
                    "    input: {x: red, y: blue}\n"
                    "    tools:\n"
                    "      s/look:\n"
                    "        - {args: {input: blue}, answer: {v: sky}}\n"
                    "        - {args: {input: red}, answer: {v: wine}}\n"
                    "        - {args: {input: blue}, answer: {v: sea}}\n"
                    "    expect: {outputs: {one: wine, two: sky, three: sea}}\n"
                    "  - name: by step\n"
                    "    input: {x: red, y: blue}\n"
                    "    tools: {a: {v: 1}, b: {v: 2}, c: {answer: {v: {error: none}}}}\n"
                    "    expect: {outputs: {one: 1, two: 2, three: {error: none}}}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", NULL), 0);
}

static void calls_of_a_sub_chain_are_answered_and_expected_too(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", "include: [inner.yaml]\n");
    cli_world_write(w, "inner.yaml",
                    "id: inner\n"
                    "outputs: [id]\n"
                    "steps:\n"
                    "  - {stepName: buy, instructionSet: buy, inputTemplate: '{what}', outputVariables: [id],\n"
                    "     rollbackAction: unbuy}\n"
                    "  - {stepName: sum, instructionSet: sum, inputTemplate: '{id}'}\n"
                    "instructionSets:\n"
                    "  buy: {tool: t/buy, effect: write}\n"
                    "  unbuy: {tool: t/unbuy, effect: idempotent}\n"
                    "  sum: {tool: t/sum, effect: read}\n");
    cli_world_write(w, "outer.yaml",
                    "id: outer\n"
                    "steps:\n"
                    "  - {stepName: one, instructionSet: one, outputVariables: [id]}\n"
                    "instructionSets:\n"
                    "  one: {chain: inner, arguments: {what: '{what}'}}\n");
    cli_world_write(
        w, "c.test.yaml",
        "chain: outer.yaml\n"
        "tools: {t/buy: {id: F-1}, t/sum: {}, t/unbuy: {}}\n"
        "cases:\n"
        "  - name: through it\n"
        "    input: {what: seat}\n"
        "    expect: {status: completed, outputs: {id: F-1}, calls: [{tool: t/buy, step: buy, args: {input: "
        "seat}}]}\n"
        "  - name: it undoes itself\n"
        "    input: {what: seat}\n"
        "    tools: {t/sum: {error: tool_error, message: no sum}}\n"
        "    expect: {status: failed, error: {step: one}, calls: {t/unbuy: 1}}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", NULL), 0);
    assert_out(w, "2 passed, 0 failed");
}

static void a_file_that_says_what_it_may_not_exits_2_and_names_the_nearest(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml", CHAIN);
    cli_world_write(w, "c.test.yaml",
                    "chain: c.yaml\n"
                    "cases:\n"
                    "  - name: x\n"
                    "    inputs: {id: 7}\n"
                    "    tools: {s/look: {error: timout}}\n"
                    "    expect: {status: complete}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", NULL), 2);
    assert_err(w, "c.test.yaml:4:5: error: ");
    assert_err(w, "did you mean 'input'?");
    assert_err(w, "c.test.yaml:5:29: error: there is no failure 'timout'; did you mean 'timeout'?");
    assert_err(w, "c.test.yaml:6:22: error: there is no status 'complete'; did you mean 'completed'?");
    cli_world_write(w, "c.test.yaml",
                    "chain: c.yaml\n"
                    "cases:\n"
                    "  - name: x\n"
                    "    tools: {s/lok: {word: oak}}\n"
                    "    expect: {steps: {sendd: skipped}, outputs: {wort: 1}}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", NULL), 2);
    assert_err(w, "c.test.yaml:4:13: error: the chain has no tool or step 's/lok'; did you mean 's/look'?");
    assert_err(w, "the chain has no step 'sendd'; did you mean 'send'?");
    assert_err(w, "the chain has no output 'wort'; did you mean 'word'?");
    assert_exit(w, catena(w, "test", "nothing.test.yaml", NULL), 2);
    assert_exit(w, catena(w, "test", NULL), 2);
}

/* People take their time, and say something else when they are asked again; who says nothing lets the deadline pass. */
static void people_answer_in_turn_and_when_they_please(void **state)
{
    world *w = *state;
    cli_world_write(w, "c.yaml",
                    "id: c\n"
                    "outputs: {first: first.text, second: second.text, at: at}\n"
                    "steps:\n"
                    "  - {stepName: ask, instructionSet: wait, outputVariables: [first]}\n"
                    "  - {stepName: note, instructionSet: note, outputVariables: [at]}\n"
                    "  - {stepName: child, instructionSet: child, outputVariables: [second]}\n"
                    "instructionSets:\n"
                    "  wait: {wait: {ms: 259200000}}\n"
                    "  note: {native: noop, effect: none, arguments: {at: '{now | date}'}}\n"
                    "  child: {chain: d}\n");
    cli_world_write(w, "d.yaml",
                    "id: d\n"
                    "outputs: {second: second}\n"
                    "steps:\n"
                    "  - {stepName: ask_child, instructionSet: wait, outputVariables: [second]}\n"
                    "instructionSets: {wait: {wait: {ms: 259200000}}}\n");
    cli_world_write(w, "catena.yaml", "include: [c.yaml, d.yaml]\n");
    cli_world_write(w, "c.test.yaml",
                    "chain: c.yaml\n"
                    "tools: {noop: [{args: {at: '2026-09-03'}, answer: {at: in time}}, {at: late}]}\n"
                    "cases:\n"
                    "  - name: after two days\n"
                    "    now: '2026-09-01T09:00:00Z'\n"
                    "    answers: {ask: {answer: {text: a}, afterMs: 172800000}, ask_child: [{text: b}]}\n"
                    "    expect: {status: completed, outputs: {first: a, second: b, at: in time}}\n"
                    "  - name: after the deadline\n"
                    "    now: '2026-09-01T09:00:00Z'\n"
                    "    answers: {ask: {answer: {text: a}, afterMs: 300000000}, ask_child: null}\n"
                    "    expect: {status: completed, outputs: {first: null, second: null, at: late}}\n");
    assert_exit(w, catena(w, "test", "c.test.yaml", NULL), 0);
    cli_world_write(w, "d.test.yaml",
                    "chain: d.yaml\ncases:\n  - {name: none, answers: {ask_child: []}, expect: {status: completed}}\n");
    assert_exit(w, catena(w, "test", "d.test.yaml", NULL), 2);
    assert_err(w, "no answer at all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_example_of_the_documentation_passes),
        CLI_TEST(the_travel_chains_pass_their_tests),
        CLI_TEST(what_differs_is_told_with_its_place),
        CLI_TEST(people_answer_in_turn_and_when_they_please),
        CLI_TEST(arguments_choose_among_answers_and_steps_may_be_named),
        CLI_TEST(calls_of_a_sub_chain_are_answered_and_expected_too),
        CLI_TEST(a_file_that_says_what_it_may_not_exits_2_and_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
