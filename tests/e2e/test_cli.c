/*
 * What a newcomer gets wrong, and what the command says to it: each mistake is answered with exit 2 and a sentence that
 * names the place and the nearest right thing, and nothing has changed.
 */
#include "cli_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELLO[] = "id: hello\n"
                            "outputs: [greeting]\n"
                            "instructionSets:\n"
                            "  greet: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n"
                            "steps:\n"
                            "  - {stepName: greet, instructionSet: greet, outputVariables: [greeting]}\n";

/* Exit 2, this sentence, nothing on stdout, no store. */
static void assert_refused(world *w, int exit_code, const char *sentence)
{
    assert_exit(w, exit_code, 2);
    assert_err(w, sentence);
    assert_string_equal(w->said.out, "");
    assert_false(cli_world_has(w, "catena.db"));
}

/* ---- commands and options ---- */

static void without_a_command_it_lists_them(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, NULL), 2);
    assert_out(w, "Run a chain to its end");
    assert_exit(w, catena(w, "help", NULL), 0);
    assert_out(w, "chains import");
    assert_exit(w, catena(w, "--help", NULL), 0);
    assert_out(w, "chains import");
}

static void closed_standard_descriptors_are_no_files_of_ours(void **state)
{
    world *w = *state;
    cli_world_write(w, "one.yaml",
                    "id: one\n"
                    "steps: [{stepName: a, instructionSet: s}]\n"
                    "instructionSets: {s: {native: noop, effect: none}}\n");
    assert_exit(w, shell(w, "catena run one.yaml <&-"), 0);
    assert_out(w, "completed");
    assert_exit(w, shell(w, "catena run one.yaml >&-"), 0);
    assert_exit(w, shell(w, "catena run one.yaml <&- >&- 2>&-"), 0);
    assert_exit(w, shell(w, "catena list"), 0); /* nothing was printed into the store */
    assert_out(w, "completed");
}

static void every_command_explains_itself(void **state)
{
    world *w = *state;
    static const char *const VERBS[][2] = {{"run"},
                                           {"start"},
                                           {"serve"},
                                           {"check"},
                                           {"graph"},
                                           {"list"},
                                           {"show"},
                                           {"history"},
                                           {"why"},
                                           {"timeline"},
                                           {"watch"},
                                           {"resume"},
                                           {"answer"},
                                           {"set"},
                                           {"cancel"},
                                           {"pause"},
                                           {"chains", "import"},
                                           {"chains", "list"},
                                           {"chains", "show"},
                                           {"tools", "list"},
                                           {"tools", "call"},
                                           {"store", "init"},
                                           {"store", "migrate"},
                                           {"version"},
                                           {"help"}};
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        char title[64];
        snprintf(title, sizeof title, "catena %s%s%s", VERBS[i][0], VERBS[i][1] ? " " : "",
                 VERBS[i][1] ? VERBS[i][1] : "");
        assert_exit(w, catena(w, "help", VERBS[i][0], VERBS[i][1], NULL), 0);
        assert_out(w, title);
        assert_out(w, "--help");
    }
    assert_exit(w, catena(w, "run", "--help", NULL), 0);
    assert_out(w, "--idempotency-key");
    assert_exit(w, catena(w, "help", "chains", NULL), 0);
    assert_out(w, "catena chains show CHAIN");
}

static void an_unknown_command_names_the_nearest(void **state)
{
    world *w = *state;
    assert_refused(w, catena(w, "rnu", "x", NULL), "did you mean \"run\"?");
    assert_refused(w, catena(w, "hello.yaml", NULL), "catena run hello.yaml");
    assert_refused(w, catena(w, "chains", NULL), "import, list and show");
    assert_refused(w, catena(w, "chains", "lst", NULL), "did you mean \"list\"?");
    assert_refused(w, catena(w, "help", "shwo", NULL), "did you mean \"show\"?");
    assert_refused(w, catena(w, "--json", "list", NULL), "the command comes first");
}

static void an_unknown_option_names_the_nearest(void **state)
{
    world *w = *state;
    assert_refused(w, catena(w, "run", "hello", "--outptu", "x", NULL), "did you mean --output?");
    assert_refused(w, catena(w, "run", "hello", "--retry", NULL), "catena run takes no --retry");
    assert_refused(w, catena(w, "run", "hello", "-x", NULL), "there is no option -x");
    assert_refused(w, catena(w, "run", "hello", "-i", NULL), "needs a value");
    assert_refused(w, catena(w, "list", "--json=yes", NULL), "--json takes no value");
    assert_refused(w, catena(w, "run", NULL), "something is missing: catena run CHAIN");
    assert_refused(w, catena(w, "show", "a", "b", NULL), "\"b\" is too much");
    assert_refused(w, catena(w, "list", "--limit", "many", NULL), "whole number");
    assert_refused(w, catena(w, "list", "--status", "runing", NULL), "did you mean \"running\"?");
}

static void version_is_one_line(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "version", NULL), 0);
    assert_out(w, "catena 0.");
    assert_exit(w, catena(w, "version", "--json", NULL), 0);
    assert_out(w, "\"version\":\"0.");
}

/* ---- files and configuration ---- */

static void a_missing_file_names_its_neighbour(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_refused(w, catena(w, "run", "helo.yaml", NULL), "did you mean hello.yaml?");
    assert_refused(w, catena(w, "check", "nothing.yaml", NULL), "there is no file nothing.yaml");
    assert_refused(w, catena(w, "run", "hello", "--config", "catnea.yaml", NULL), "there is no file catnea.yaml");
    assert_refused(w, catena(w, "run", "./", NULL), "is a folder");
}

static void bad_yaml_has_a_place(void **state)
{
    world *w = *state;
    cli_world_write(w, "bad.yaml", "id: bad\nsteps:\n  - {stepName: one, instructionSet: [}\n");
    assert_refused(w, catena(w, "run", "bad.yaml", NULL), "bad.yaml:3:");
    cli_world_write(w, "tab.yaml", "id: tab\nsteps:\n\t- {stepName: one}\n");
    assert_refused(w, catena(w, "run", "tab.yaml", NULL), "tab.yaml:3:1: error:");
    cli_world_write(w, "typo.yaml", "id: typo\nsteps:\n  - {stepName: one, instructionSett: x}\n");
    assert_refused(w, catena(w, "run", "typo.yaml", NULL), "typo.yaml:3:21: error: unknown key");
    assert_err(w, "instructionSet");
}

static void an_unknown_set_is_named(void **state)
{
    world *w = *state;
    cli_world_write(w, "typo.yaml",
                    "id: typo\ninstructionSets: {greet: {native: noop}}\n"
                    "steps:\n  - {stepName: one, instructionSet: gret}\n");
    assert_refused(w, catena(w, "run", "typo.yaml", NULL), "typo.yaml:4:");
    assert_err(w, "greet");
}

static void a_file_without_a_chain_is_no_chain(void **state)
{
    world *w = *state;
    cli_world_write(w, "sets.yaml", "instructionSets: {greet: {native: noop}}\n");
    assert_refused(w, catena(w, "run", "sets.yaml", NULL), "holds instruction sets and no chain");
}

static void an_unknown_chain_names_the_nearest(void **state)
{
    world *w = *state;
    assert_refused(w, catena(w, "run", "hello", NULL), "no catena.yaml here or above");
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "catena.yaml", "include: [hello.yaml]\n");
    assert_refused(w, catena(w, "run", "helo", NULL), "did you mean \"hello\"?");
    assert_refused(w, catena(w, "run", "", NULL), "is empty");
}

static void a_configuration_is_checked_key_by_key(void **state)
{
    world *w = *state;
    static const struct {
        const char *text, *sentence;
    } CASES[] = {
        {"stroe: x.db\n", "catena.yaml:1:1: error: unknown key 'stroe' in the configuration; did you mean 'store'?"},
        {"store: 7\n", "catena.yaml:1:8: error: 'store' must be"},
        {"store: postgres://host/db?shard=1\n", "did you mean \"shards\"?"},
        {"servers:\n  a: {comand: x}\n",
         "catena.yaml:2:7: error: unknown key 'comand' in a server; did you mean 'command'?"},
        {"servers:\n  a: my-server\n", "catena.yaml:2:6: error: a server is an object"},
        {"servers:\n  a: {args: [x]}\n", "a server needs a command"},
        {"servers:\n  a/b: {command: x}\n", "cannot be the name of a server"},
        {"servers:\n  a: {command: x, effects: {t: maybe}}\n", "none, read, idempotent or write"},
        {"servers:\n  a: {command: x, args: ['{secret.T}']}\n", "give the server its secret in `env`"},
        {"include: [no/*.yaml]\n", "catena.yaml:1:11: error: nothing is called no/*.yaml"},
        {"include: hello.yaml\n", "'include' must be a list of names"},
        {"secrets: {A: abc}\n", "a secret says where it is found"},
        {"secrets: {A: {env: B, file: c}}\n", "one of env and file"},
        {"retention: {completed: always}\n", "is no span of time"},
        {"sealing: {}\n", "sealing needs a key"},
        {"sealing: {kye: {file: k}}\n", "did you mean 'key'?"},
        {"sealing: {key: abc}\n", "the key of sealing says where it is found: {env: NAME} or {file: PATH}"},
        {"sealing: {key: {file: k, env: K}}\n", "one of env and file"},
        {"interrupted: perhaps\n", "'interrupted' must be ask or retry"},
        {"limits: {valueBytes: -1}\n", "'valueBytes' must be"},
        {"mcpConfig: none.json\n", "there is no file none.json"},
        {"[1, 2]\n", "a configuration is an object"},
        {"store: a\nstore: b\n", "catena.yaml:2:1: error:"},
    };
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        cli_world_write(w, "catena.yaml", "%s", CASES[i].text);
        assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name=Ann", NULL), CASES[i].sentence);
    }
}

static void a_name_that_means_two_things_is_refused(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "other.yaml", "instructionSets: {greet: {native: noop, arguments: {greeting: 'Go away'}}}\n");
    cli_world_write(w, "broken.yaml", "id: broken\nsteps: 7\n");
    cli_world_write(w, "catena.yaml", "include: [other.yaml, hello.yaml]\n");
    assert_refused(w, catena(w, "run", "hello", "-i", "name=Ann", NULL), "hello.yaml:4:3: error:");
    assert_err(w, "[duplicate-key]");
    cli_world_write(w, "catena.yaml", "include: [broken.yaml, hello.yaml]\n");
    assert_refused(w, catena(w, "run", "broken", NULL), "broken.yaml:2:");
    assert_exit(w, catena(w, "run", "hello", "-i", "name=Ann", NULL), 0); /* it has nothing to do with that */
}

static void what_is_known_is_taken_without_a_warning(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(
        w, "catena.yaml",
        "retention: {completed: 30d, failed: forever}\nlimits: {contextBytes: 4096}\nsecrets: {A: {env: A}}\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=Ann", NULL), 0);
    assert_lacks(w->said.err, "warning");
}

static void the_configuration_is_found_from_below(void **state)
{
    world *w = *state;
    cli_world_write(w, "chains/hello.yaml", "%s", HELLO);
    cli_world_write(w, "catena.yaml", "store: sqlite:mine.db\ninclude: [chains/*.yaml]\n");
    cli_world_write(w, "deep/er/x", "x");
    assert_exit(w, shell(w, "cd deep/er && catena run hello -i name=Ann --output greeting"), 0);
    assert_string_equal(w->said.out, "Hello Ann\n");
    assert_true(cli_world_has(w, "mine.db"));
    assert_false(cli_world_has(w, "deep/er/mine.db"));
    cli_world_env(w, "CATENA_CONFIG=catena.yaml");
    assert_exit(w, catena(w, "list", NULL), 0);
    assert_out(w, "hello");
}

static void what_this_version_cannot_run_is_refused(void **state)
{
    world *w = *state;
    cli_world_write(w, "slow.yaml",
                    "id: slow\ninstructionSets: {go: {native: noop}, rest: {wait: {ms: 5}}}\n"
                    "steps:\n  - {stepName: one, instructionSet: go, rollbackAction: rest}\n");
    assert_refused(w, catena(w, "run", "slow.yaml", NULL), "an undo that waits");
    cli_world_write(w, "secret.yaml",
                    "id: secret\nsensitive: [name]\ninstructionSets: {greet: {native: noop}}\n"
                    "steps:\n  - {stepName: one, instructionSet: greet, inputTemplate: '{name}'}\n");
    assert_refused(w, catena(w, "run", "secret.yaml", "-i", "name=x", NULL), "sensitive");
}

/* ---- inputs and outputs ---- */

static void a_missing_input_is_named(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_refused(w, catena(w, "run", "hello.yaml", NULL), "needs the input 'name'");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "nmae=Ann", NULL), "'nmae'");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name", NULL), "write NAME=TEXT");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name=@none.txt", NULL), "there is no file none.txt");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name:={x", NULL), "is no JSON");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name:=@none.json", NULL), "there is no file none.json");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name:=@hello.yaml", NULL), "is no JSON");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name=\xff", NULL), "not UTF-8");
    assert_refused(w, catena(w, "run", "hello.yaml", "--label", "x", NULL), "NAME=VALUE");
    assert_refused(w, catena(w, "run", "hello.yaml", "-i", "name=A", "-o", "greting", NULL),
                   "did you mean \"greeting\"?");
}

static void a_number_given_as_text_is_explained(void **state)
{
    world *w = *state;
    cli_world_write(w, "count.yaml",
                    "id: count\ninputSchema: {type: object, properties: {n: {type: integer}}, required: [n]}\n"
                    "instructionSets: {same: {native: noop, effect: none, arguments: {n: '{n}'}}}\n"
                    "steps:\n  - {stepName: same, instructionSet: same, outputVariables: {m: n}}\noutputs: [m]\n");
    assert_refused(w, catena(w, "run", "count.yaml", "-i", "n=3", NULL), "-i n:=3 gives a JSON value (number)");
    assert_exit(w, catena(w, "run", "count.yaml", "-i", "n:=3", "--json", NULL), 0);
    assert_out(w, "\"outputs\":{\"m\":3}");
}

static void inputs_come_from_everywhere(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "name.txt", "file {name} \"quoted\"");
    cli_world_write(w, "in.yaml", "name: yaml\nother: [1, 2]\n");
    cli_world_write(w, "list.yaml", "[1]\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=@name.txt", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello file {name} \"quoted\"\n");
    assert_exit(w, catena_fed(w, "stdin", "run", "hello.yaml", "-i", "name=@-", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello stdin\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=@@at", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello @at\n");
    cli_world_write(w, "name.json", "\"json\"\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name:=@name.json", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello json\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=a=b", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello a=b\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "--input", "in.yaml", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello yaml\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "--input", "in.yaml", "-i", "name=later", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello later\n");
    assert_exit(w, catena_fed(w, "{\"name\": \"json\"}", "run", "hello.yaml", "--input", "-", "-o", "greeting", NULL),
                0);
    assert_string_equal(w->said.out, "Hello json\n");
    assert_exit(w, catena(w, "run", "hello.yaml", "--input", "list.yaml", NULL), 2);
    assert_err(w, "holds no object of inputs but array");
}

static void stdout_carries_one_json_document(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=Ann", "--json", NULL), 0);
    assert_int_equal(strncmp(w->said.out, "{\"executionId\":\"", 16), 0);
    assert_ptr_equal(strchr(w->said.out, '\n'), w->said.out + strlen(w->said.out) - 1);
    assert_out(w, "\"chain\":\"hello\",\"version\":1,\"status\":\"completed\",\"outputs\":{\"greeting\":\"Hello Ann\"},"
                  "\"error\":null,\"durationMs\":");
    assert_err(w, "completed");
    assert_lacks(w->said.err, "\033");
    assert_lacks(w->said.out, "\033");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=Ann", "--quiet", NULL), 0);
    assert_string_equal(w->said.err, "");
    assert_out(w, "\"status\": \"completed\"");
}

static void control_characters_of_others_are_not_shown(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "evil.txt", "\033[2Jgone\a");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=@evil.txt", "--json", NULL), 0);
    char id[64];
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_lacks(w->said.out, "\033");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_lacks(w->said.out, "\033");
}

/* ---- terminals ---- */

static void a_terminal_gets_a_picture_and_its_cursor_back(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_env(w, "TERM=xterm");
    assert_exit(w, catena_on_terminal(w, "run", "hello.yaml", "-i", "name=Ann", NULL), 0);
    assert_out(w, "\033[?25l");
    assert_out(w, "\033[?25h");
    assert_out(w, "\033[32m✓");
    assert_out(w, "\"status\": \"completed\"");
}

static void no_color_means_no_colour(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_env(w, "TERM=xterm");
    cli_world_env(w, "NO_COLOR=1");
    assert_exit(w, catena_on_terminal(w, "run", "hello.yaml", "-i", "name=Ann", NULL), 0);
    for (char code[] = "\033[30m"; code[3] <= '7'; code[3]++)
        assert_lacks(w->said.out, code);
    assert_lacks(w->said.out, "\033[1m");
}

static void a_dumb_terminal_gets_plain_lines(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_env(w, "TERM=dumb");
    assert_exit(w, catena_on_terminal(w, "run", "hello.yaml", "-i", "name=Ann", NULL), 0);
    assert_lacks(w->said.out, "\033");
}

/* ---- stores ---- */

static void a_store_that_is_not_there_is_not_made_by_looking(void **state)
{
    world *w = *state;
    static const char *const VERBS[] = {"show", "history", "watch", "resume", "cancel", "pause"};
    assert_refused(w, catena(w, "list", NULL), "there is no store catena.db");
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
        assert_refused(w, catena(w, VERBS[i], "0123", NULL), "there is no store catena.db");
    assert_refused(w, catena(w, "answer", "0123", "step", "{}", NULL), "there is no store catena.db");
}

static void a_store_is_named_and_found(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", "--store", "sqlite:one.db", NULL), 0);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", "--store", "two.db", NULL), 0);
    assert_true(cli_world_has(w, "one.db") && cli_world_has(w, "two.db") && !cli_world_has(w, "catena.db"));
    cli_world_env(w, "CATENA_STORE=one.db");
    assert_exit(w, catena(w, "list", NULL), 0);
    assert_out(w, "hello");
    assert_exit(w, catena(w, "list", "--store", "postgres://x/db?shards=0", NULL), 2);
    assert_err(w, "from 1 to 1024");
    assert_exit(w, catena(w, "list", "--store", "mysql:x", NULL), 2);
    assert_err(w, "names no kind of store");
    assert_exit(w, catena(w, "list", "--store", "sqlite:one.db?synchronos=full", NULL), 2);
    assert_err(w, "did you mean \"synchronous\"?");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", "--store", "no/where.db", NULL), 2);
    assert_err(w, "no/where.db");
}

/* Whoever chose less than every commit synced is told, each time that the store is told of. */
static void a_store_that_may_lose_the_last_moments_says_so(void **state)
{
    world *w = *state;
    static const char url[] = "sqlite:fast.db?synchronous=normal", words[] = "may lose the last moments on power loss";
    assert_exit(w, catena(w, "store", "init", "--store", url, NULL), 0);
    assert_err(w, words);
    assert_true(cli_world_has(w, "fast.db"));
    assert_exit(w, catena(w, "store", "init", "--store", url, "--json", NULL), 0);
    assert_out(w, words);
    assert_exit(w, catena(w, "store", "verify", "--store", url, NULL), 0);
    assert_err(w, words);
    assert_exit(w, catena(w, "store", "verify", "--store", url, "--json", NULL), 0);
    assert_out(w, words);
    cli_world_write(w, "catena.yaml", "store: %s\n", url);
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", NULL), 0);
    assert_exit(w, catena(w, "list", NULL), 0);
    assert_out(w, "hello");
    assert_exit(w, catena(w, "store", "init", "--store", "sqlite:sure.db", NULL), 0);
    assert_null(strstr(w->said.err, words));
    cli_world_write(w, "catena.yaml", "store: sqlite:fast.db?synchronous=of\n");
    assert_exit(w, catena(w, "list", NULL), 2);
    assert_err(w, "catena.yaml:1:8");
}

static void a_file_that_is_no_store_is_left_alone(void **state)
{
    world *w = *state;
    char text[64];
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "letter.db", "Dear reader, this is no database at all.");
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", "--store", "letter.db", NULL), 2);
    assert_exit(w, catena(w, "list", "--store", "letter.db", NULL), 2);
    assert_exit(w, catena(w, "store", "init", "--store", "letter.db", NULL), 2);
    cli_world_read(w, "letter.db", text, sizeof text);
    assert_string_equal(text, "Dear reader, this is no database at all.");
}

static void a_newer_store_is_refused(void **state)
{
    world *w = *state;
    char path[600];
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    assert_err(w, "is a store already");
    assert_exit(w, catena(w, "store", "migrate", NULL), 0);
    assert_err(w, "up to date");
    snprintf(path, sizeof path, "%s/catena.db", w->folder);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\0\0\x03\xe7", 4, 60), 4); /* user_version 999 */
    close(fd);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", NULL), 2);
    assert_err(w, "newer");
    assert_exit(w, catena(w, "list", NULL), 2);
    assert_err(w, "newer");
}

static void an_unknown_id_is_said_so(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=A", NULL), 0);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=B", NULL), 0);
    assert_exit(w, catena(w, "show", "01", NULL), 2);
    assert_err(w, "at least 4");
    assert_exit(w, catena(w, "show", "ffffffff", NULL), 2);
    assert_err(w, "catena list");
    char id[64], start[8];
    newest_id(w, id);
    snprintf(start, sizeof start, "%.6s", id);
    assert_exit(w, catena(w, "show", start, NULL), 2);
    assert_err(w, "several executions");
    assert_exit(w, catena(w, "resume", id, NULL), 2);
    assert_err(w, "rerun");
    assert_exit(w, catena(w, "cancel", id, NULL), 2);
    assert_err(w, "has ended (completed)");
    assert_exit(w, catena(w, "resume", id, "--retry", "--fail", NULL), 2);
    assert_err(w, "only one of");
    assert_exit(w, catena(w, "resume", id, "--not-happened", NULL), 2);
    assert_err(w, "belongs to --fail");
    assert_exit(w, catena(w, "set", id, "x", NULL), 2);
    assert_err(w, "NAME=TEXT");
}

static void looking_shows_what_happened(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "run", "hello.yaml", "-i", "name=Ann", "-l", "desk=7", NULL), 0);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "hello, version 1");
    assert_out(w, "greet  completed");
    assert_out(w, "greeting  Hello Ann");
    assert_out(w, "desk  7");
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"steps\":[{\"step\":\"greet\",\"status\":\"completed\",\"attempt\":1");
    assert_exit(w, catena(w, "show", id, "--output", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello Ann\n");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "started");
    assert_out(w, "completed");
    assert_exit(w, catena(w, "history", id, "--json", NULL), 0);
    assert_out(w, "{\"seq\":1,");
    assert_exit(w, catena(w, "watch", id, NULL), 0);
    assert_out(w, "\"status\": \"completed\"");
    assert_exit(w, catena(w, "list", "--chain", "other", NULL), 0);
    assert_err(w, "no executions");
    assert_exit(w, catena(w, "list", "--status", "completed", "--json", NULL), 0);
    assert_int_equal(w->said.out[0], '[');
}

/* ---- chains and check ---- */

static void a_stored_chain_runs_by_its_id(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, catena(w, "chains", "import", "hello.yaml", NULL), 0);
    assert_err(w, "hello is stored as version 1");
    assert_exit(w, catena(w, "chains", "list", NULL), 0);
    assert_out(w, "the store");
    cli_world_write(w, "catena.yaml", "include: [sets.yaml]\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets: {greet: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}}\n");
    assert_exit(w, catena(w, "run", "hello", "-i", "name=store", "-o", "greeting", NULL), 0);
    assert_string_equal(w->said.out, "Hello store\n");
    assert_exit(w, catena(w, "chains", "show", "hello", NULL), 0);
    assert_out(w, "greet");
    assert_exit(w, catena(w, "chains", "show", "hello", "--json", NULL), 0);
    assert_out(w, "\"stepName\":\"greet\"");
    assert_exit(w, catena(w, "chains", "import", "hello.yaml", "none.yaml", NULL), 2);
    assert_err(w, "none.yaml");
}

static void check_speaks_to_people_programs_and_scanners(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    cli_world_write(w, "bad.yaml", "id: bad\nsteps:\n  - {stepName: one, instructionSet: none}\n");
    assert_exit(w, catena(w, "check", "hello.yaml", NULL), 0);
    assert_exit(w, catena(w, "check", "bad.yaml", NULL), 2);
    assert_out(w, "bad.yaml:3:37: error:");
    assert_out(w, "[unknown-set]");
    assert_exit(w, catena(w, "check", "hello.yaml", "bad.yaml", "--format", "json", NULL), 2);
    assert_int_equal(w->said.out[0], '[');
    assert_out(
        w,
        "{\"file\":\"bad.yaml\",\"line\":3,\"column\":37,\"severity\":\"error\",\"rule\":\"unknown-set\",\"message\":");
    assert_exit(w, catena(w, "check", "bad.yaml", "--format", "sarif", NULL), 2);
    assert_out(w, "\"version\":\"2.1.0\"");
    assert_out(w, "\"startLine\":3,\"startColumn\":37");
    assert_exit(w, catena(w, "check", "bad.yaml", "--format", "xml", NULL), 2);
    assert_err(w, "text, json, sarif");
    assert_exit(w, catena(w, "check", NULL), 2);
    assert_err(w, "nothing to check");
    cli_world_write(w, "catena.yaml", "include: [hello.yaml]\n");
    assert_exit(w, catena(w, "check", NULL), 0);
}

static void a_closed_pipe_is_no_failure(void **state)
{
    world *w = *state;
    cli_world_write(w, "hello.yaml", "%s", HELLO);
    assert_exit(w, shell(w, "catena help run | head -1 >/dev/null; echo ok"), 0);
    assert_exit(w, shell(w, "catena run hello.yaml -i name=A > /dev/full"), 2);
    assert_err(w, "cannot be written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(without_a_command_it_lists_them),
        CLI_TEST(closed_standard_descriptors_are_no_files_of_ours),
        CLI_TEST(every_command_explains_itself),
        CLI_TEST(an_unknown_command_names_the_nearest),
        CLI_TEST(an_unknown_option_names_the_nearest),
        CLI_TEST(version_is_one_line),
        CLI_TEST(a_missing_file_names_its_neighbour),
        CLI_TEST(bad_yaml_has_a_place),
        CLI_TEST(an_unknown_set_is_named),
        CLI_TEST(a_file_without_a_chain_is_no_chain),
        CLI_TEST(an_unknown_chain_names_the_nearest),
        CLI_TEST(a_configuration_is_checked_key_by_key),
        CLI_TEST(a_name_that_means_two_things_is_refused),
        CLI_TEST(what_is_known_is_taken_without_a_warning),
        CLI_TEST(the_configuration_is_found_from_below),
        CLI_TEST(what_this_version_cannot_run_is_refused),
        CLI_TEST(a_missing_input_is_named),
        CLI_TEST(a_number_given_as_text_is_explained),
        CLI_TEST(inputs_come_from_everywhere),
        CLI_TEST(stdout_carries_one_json_document),
        CLI_TEST(control_characters_of_others_are_not_shown),
        CLI_TEST(a_terminal_gets_a_picture_and_its_cursor_back),
        CLI_TEST(no_color_means_no_colour),
        CLI_TEST(a_dumb_terminal_gets_plain_lines),
        CLI_TEST(a_store_that_is_not_there_is_not_made_by_looking),
        CLI_TEST(a_store_is_named_and_found),
        CLI_TEST(a_store_that_may_lose_the_last_moments_says_so),
        CLI_TEST(a_file_that_is_no_store_is_left_alone),
        CLI_TEST(a_newer_store_is_refused),
        CLI_TEST(an_unknown_id_is_said_so),
        CLI_TEST(looking_shows_what_happened),
        CLI_TEST(a_stored_chain_runs_by_its_id),
        CLI_TEST(check_speaks_to_people_programs_and_scanners),
        CLI_TEST(a_closed_pipe_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
