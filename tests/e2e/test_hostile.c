/*
 * What people and tools send may hold anything; what we show moves no cursor, rings no bell, turns no line around and
 * ends none. Values are kept as they are (and come out of JSON as they went in); names with control characters are
 * refused.
 */
#include "cli_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Clears the screen, rings, sets a title, begins a sequence by a C1 byte, turns the writing around. */
#define HOSTILE                                                                                                        \
    "h\x1b[2J\x07\x1b]0;owned\x07\xc2\x9b"                                                                             \
    "31m\xe2\x80\xae\x7f\r\xe2\x80\xa8t"
/* The same in YAML and JSON. */
#define ESCAPED "h\\u001b[2J\\u0007\\u001b]0;owned\\u0007\\u009b31m\\u202e\\u007f\\r\\u2028t"

static void harmless(const char *text, const char *where)
{
    ctn_str s = ctn_str_from(text);
    if (!ctn_str_is_utf8(s))
        fail_msg("%s: not UTF-8: %s", where, text);
    for (size_t at = 0; at < s.len; at++)
        if (ctn_str_control_at(s, at, false))
            fail_msg("%s: byte 0x%02x at %zu of: %s", where, (unsigned char) s.ptr[at], at, text);
}

static void said_is_harmless(world *w, const char *where)
{
    harmless(w->said.out, where);
    harmless(w->said.err, where);
}

static void configure(world *w)
{
    const char *peer = peer_program();
    cli_world_write(
        w, "catena.yaml",
        "store: sqlite:h.db\nservers:\n"
        "  s: {command: %s, args: [hostile], effects: {echo: read, fail: read, read_line: read, sleep_ms: read}}\n",
        peer);
}

static void every_view_of(world *w)
{
    char id[64];
    newest_id(w, id);
    static const char *const VERBS[][5] = {{"list", NULL},
                                           {"list", "--json", NULL},
                                           {"show", "ID", NULL},
                                           {"show", "ID", "--json", NULL},
                                           {"history", "ID", NULL},
                                           {"history", "ID", "--json", NULL},
                                           {"timeline", "ID", NULL},
                                           {"why", "ID", NULL},
                                           {"why", "ID", "--json", NULL},
                                           {"graph", "ID", "--format", "svg", NULL},
                                           {"graph", "ID", "--format", "mermaid", NULL},
                                           {"graph", "ID", "--format", "dot", NULL}};
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        const char *a[5] = {0};
        for (size_t k = 0; k < 5 && VERBS[i][k]; k++)
            a[k] = strcmp(VERBS[i][k], "ID") == 0 ? id : VERBS[i][k];
        (void) catena(w, a[0], a[1], a[2], a[3], a[4], NULL);
        said_is_harmless(w, a[0]);
    }
}

static void values_are_kept_and_shown_without_their_teeth(void **state)
{
    world *w = *state;
    configure(w);
    cli_world_write(w, "c.yaml",
                    "id: c\ninputSchema: {type: object, properties: {a: {type: string}}}\nname: \"Chain " ESCAPED
                    "\"\ndescription: \"" ESCAPED "\"\nsteps:\n"
                    "  - {stepName: tell, instructionSet: tell, outputVariables: {x: a, y: b},\n"
                    "     inputTemplate: '{a}', conditionalExecution: \"{a} != '" ESCAPED "x'\"}\n"
                    "instructionSets: {tell: {tool: s/echo, arguments: {a: '{input}', b: \"" ESCAPED
                    "\"}}}\noutputs: [x, y]\n");
    cli_world_write(w, "in.json", "{\"a\": \"" ESCAPED "\"}");
    assert_exit(w, catena(w, "run", "c.yaml", "-i", "a=" HOSTILE, NULL), 0);
    said_is_harmless(w, "run -i");
    assert_exit(w, catena(w, "run", "c.yaml", "--input", "in.json", "--json", NULL), 0);
    said_is_harmless(w, "run --input --json");
    /* what comes out is what went in */
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *result = NULL;
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(w->said.out), NULL, &result, NULL), 0);
    const ctn_json *outputs = ctn_json_member_of(result, "outputs");
    assert_true(ctn_str_is(ctn_json_str_or(outputs, "x", (ctn_str){0}), HOSTILE));
    assert_true(ctn_str_is(ctn_json_str_or(outputs, "y", (ctn_str){0}), HOSTILE));
    ctn_arena_free(arena);
    every_view_of(w);
    (void) catena(w, "check", "c.yaml", NULL);
    said_is_harmless(w, "check");
    static const char *const FORMATS[] = {"svg", "mermaid", "dot"};
    for (size_t i = 0; i < 3; i++) {
        assert_exit(w, catena(w, "graph", "c.yaml", "--format", FORMATS[i], NULL), 0);
        said_is_harmless(w, FORMATS[i]);
    }
    assert_exit(w, catena(w, "tools", "call", "s/echo", "{\"a\": \"" ESCAPED "\"}", NULL), 0);
    said_is_harmless(w, "tools call");
    assert_exit(w, catena(w, "tools", "list", NULL), 0);
    said_is_harmless(w, "tools list");
}

static void what_tools_say_of_failures_is_shown_without_its_teeth(void **state)
{
    world *w = *state;
    configure(w);
    cli_world_write(w, "fails.yaml",
                    "id: fails\nsteps:\n  - {stepName: f, instructionSet: f}\n"
                    "instructionSets: {f: {tool: s/fail, arguments: {message: \"" ESCAPED "\"}}}\n");
    assert_exit(w, catena(w, "run", "fails.yaml", NULL), 1);
    said_is_harmless(w, "a tool's error");
    every_view_of(w);
    /* last words on stderr, not even UTF-8, of a server that dies */
    cli_world_write(w, "dies.yaml",
                    "id: dies\nsteps:\n  - {stepName: d, instructionSet: d, retryConfig: {maxRetries: 0}}\n"
                    "instructionSets: {d: {tool: s/read_line, arguments: {line: x}}}\n");
    assert_exit(w, catena(w, "run", "dies.yaml", NULL), 1);
    assert_out(w, "last words");
    said_is_harmless(w, "a server's last words");
    every_view_of(w);
    assert_exit(w, catena(w, "show", "nobody" HOSTILE, NULL), 2);
    said_is_harmless(w, "show");
}

/* Our own codes move the cursor there; theirs do not. */
static void a_terminal_obeys_no_tool(void **state)
{
    world *w = *state;
    static const char *const NEVER[] = {"\x1b[2J",      "\x07", "\x1b]0;",     "\xc2\x9b",
                                        "\xe2\x80\xae", "\x7f", "\xe2\x80\xa8"};
    configure(w);
    cli_world_write(w, "fails.yaml",
                    "id: fails\nname: \"" ESCAPED "\"\nsteps:\n  - {stepName: f, instructionSet: f}\n"
                    "instructionSets: {f: {tool: s/fail, arguments: {message: \"" ESCAPED "\"}}}\n");
    cli_world_write(w, "tell.yaml",
                    "id: tell\nsteps:\n  - {stepName: f, instructionSet: f, outputVariables: [a]}\noutputs: [a]\n"
                    "instructionSets: {f: {tool: s/echo, arguments: {a: \"" ESCAPED "\"}}}\n");
    static const char *const CHAINS[] = {"fails.yaml", "tell.yaml"};
    for (size_t c = 0; c < 2; c++) {
        (void) catena_on_terminal(w, "run", CHAINS[c], NULL);
        assert_true(strlen(w->said.out) > 20);
        for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
            assert_lacks(w->said.out, NEVER[i]);
    }
    (void) catena_on_terminal(w, "tools", "call", "s/echo", "{\"a\": \"" ESCAPED "\"}", NULL);
    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
        assert_lacks(w->said.out, NEVER[i]);
}

static void people_answer_with_anything_and_names_hold_no_controls(void **state)
{
    world *w = *state;
    char id[64];
    configure(w);
    cli_world_write(w, "ask.yaml",
                    "id: ask\nsteps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved, comment]}\n"
                    "instructionSets: {yes: {approval: {message: \"Send {a}?\"}}}\noutputs: [comment]\n");
    assert_exit(w, catena(w, "run", "ask.yaml", "-i", "a=" HOSTILE, NULL), 3);
    said_is_harmless(w, "a question");
    newest_id(w, id);
    assert_exit(w, catena(w, "answer", id, "ok", "{\"approved\": true, \"comment\": \"" ESCAPED "\"}", NULL), 0);
    said_is_harmless(w, "an answer");
    every_view_of(w);

    assert_exit(w, catena(w, "run", "ask.yaml", "-i", "a=1", "--label", "who=" HOSTILE, NULL), 2);
    assert_err(w, "control character");
    said_is_harmless(w, "a label");
    assert_exit(w, catena(w, "run", "ask.yaml", "-i", "a=1", "--label", HOSTILE "=x", NULL), 2);
    said_is_harmless(w, "a label's name");
    assert_exit(w, catena(w, "run", "ask.yaml", "-i", "a=1", "--idempotency-key", HOSTILE, NULL), 2);
    assert_err(w, "control character");
    said_is_harmless(w, "a key");
    assert_exit(w, catena(w, "run", "ask.yaml", "-i", "a=\xff\xfe", NULL), 2);
    assert_err(w, "UTF-8");
    said_is_harmless(w, "no UTF-8");
    assert_exit(w, catena(w, "run", "ask.yaml", "-i", HOSTILE "=1", "-i", "b" HOSTILE, NULL), 2);
    said_is_harmless(w, "an input's name");
    cli_world_write(w, "named.yaml",
                    "id: named\nsteps:\n  - {stepName: \"" ESCAPED "\", instructionSet: n}\n"
                    "instructionSets: {n: {wait: {ms: 1}}}\n");
    assert_exit(w, catena(w, "run", "named.yaml", NULL), 2);
    assert_err(w, "control character");
    said_is_harmless(w, "a step's name");
}

static void files_of_any_name_and_content_are_told_of_harmlessly(void **state)
{
    world *w = *state;
    configure(w);
    assert_exit(w, catena(w, "run", "no" HOSTILE ".yaml", NULL), 2);
    said_is_harmless(w, "a file that is not there");
    cli_world_write(w, "bad" HOSTILE ".yaml", "id: [\n" HOSTILE);
    assert_exit(w, catena(w, "run", "bad" HOSTILE ".yaml", NULL), 2);
    said_is_harmless(w, "a file of that name");
    assert_exit(w, catena(w, "check", "bad" HOSTILE ".yaml", NULL), 2);
    said_is_harmless(w, "check");
    assert_exit(w, catena(w, "run", "x.yaml", "--store", "sqlite:/no" HOSTILE "/x.db", NULL), 2);
    said_is_harmless(w, "a store");
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:h.db\nservers: {\"s" ESCAPED "\": {command: nothing, argz: []}}\n");
    assert_exit(w, catena(w, "tools", "list", NULL), 2);
    said_is_harmless(w, "a server's name");
    cli_world_write(w, "catena.yaml", "\"" ESCAPED "\": 1\n");
    assert_exit(w, catena(w, "list", NULL), 2);
    said_is_harmless(w, "a key of the configuration");
    assert_exit(w, catena(w, HOSTILE, NULL), 2);
    said_is_harmless(w, "a verb");
    assert_exit(w, catena(w, "list", "--" HOSTILE, NULL), 2);
    said_is_harmless(w, "an option");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(values_are_kept_and_shown_without_their_teeth),
        CLI_TEST(what_tools_say_of_failures_is_shown_without_its_teeth),
        CLI_TEST(a_terminal_obeys_no_tool),
        CLI_TEST(people_answer_with_anything_and_names_hold_no_controls),
        CLI_TEST(files_of_any_name_and_content_are_told_of_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
