/* `check` beyond the files: against the tools that servers have, and mending files. */
#include "cli_kit.h"
#include "chain/source.h"
#include "support/shared_data.h"
#include "value/schema.h"
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG                                                                                                         \
    "servers:\n"                                                                                                       \
    "  travel: {command: %s/travel/catena-travel, args: [serve], trusted: true}\n"                                     \
    "  gone: {command: /bin/false}\n"                                                                                  \
    "  far: {url: 'https://tools.example.com/mcp'}\n"

static void a_tool_that_the_server_lacks_is_an_error_with_the_nearest_one(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", CONFIG, CATENA_BUILD_DIR);
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n"
                    "  a: {tool: travel/search_flight, effect: read}\n"
                    "  b: {tool: travle/search_flights, effect: read}\n"
                    "  c: {tool: gone/x, effect: read}\n"
                    "  d: {tool: far/x, effect: read}\n");
    assert_exit(w, catena(w, "check", "sets.yaml", NULL), 0);
    assert_exit(w, catena(w, "check", "sets.yaml", "--tools", NULL), 2);
    assert_out(w, "sets.yaml:2:13: error: server 'travel' has no tool 'search_flight'; did you mean 'search_flights'?");
    assert_out(w, "sets.yaml:3:13: error: there is no server 'travle' in the configuration; did you mean 'travel'?");
    assert_out(w, "sets.yaml:4:13: error: server 'gone' could not be asked for its tools: ");
    assert_out(w, "sets.yaml:5:13: error: server 'far' could not be asked for its tools: ");
    assert_lacks(w->said.out, "[schema-mismatch]");
}

static void arguments_are_held_against_the_tools_own_schema(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", CONFIG, CATENA_BUILD_DIR);
    cli_world_write(w, "c.yaml",
                    "id: c\n"
                    "steps:\n"
                    "  - {stepName: read_it, instructionSet: ask, outputVariables: {lead: message}}\n"
                    "  - {stepName: price_it, instructionSet: price, inputTemplate: '{lead}'}\n");
    /* The file with the sets comes after the chain that names them. */
    cli_world_write(
        w, "sets.yaml",
        "instructionSets:\n"
        "  ask: {tool: travel/write_question, arguments: {question: '{open}'}}\n"
        "  price: {tool: travel/price_tiers, arguments: {requirements: 'none', flights: [], hotels: []}}\n");
    assert_exit(w, catena(w, "check", "c.yaml", "sets.yaml", "--tools", NULL), 2);
    assert_out(w, "sets.yaml:2:49: error: travel/write_question needs the argument 'questions', which is not set; is "
                  "'question' meant? [missing-argument]");
    assert_out(w, "c.yaml:3:41: error: instruction set 'ask' has a fault: sets.yaml:2:49:");
    assert_out(w, "sets.yaml:3:63: error: argument 'requirements' of travel/price_tiers: expected object, got 'none' "
                  "[schema-mismatch]");
    /* Only what the server's annotations say makes these reads. */
    assert_lacks(w->said.out, "assumed-effect");
    assert_exit(w, catena(w, "check", "c.yaml", "sets.yaml", NULL), 0);
    assert_out(w, "assumed-effect");
}

static void the_first_chains_fit_their_tools(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", CONFIG, CATENA_BUILD_DIR);
    cli_world_write(
        w, "all.yaml",
        "servers:\n"
        "  travel: {command: %s/travel/catena-travel, args: [serve], trusted: true}\n"
        "  backup: {command: %s/travel/catena-travel, args: [serve], trusted: true}\n"
        "include: [%s/travel/first-design/*.json, %s/travel/instruction-sets/*.yaml, %s/travel/templates/]\n",
        CATENA_BUILD_DIR, CATENA_BUILD_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR);
    assert_exit(w, catena(w, "check", "--config", "all.yaml", "--tools", NULL), 0);
    assert_lacks(w->said.out, "error:");
    assert_out(w, "[self-condition]");
    assert_lacks(w->said.out, "assumed-effect");
}

static void results_of_earlier_executions_fill_in_for_warnings(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", "servers: {peer: {command: %s}}\n", peer_program());
    static const char *const sets = "instructionSets:\n"
                                    "  one: {tool: peer/read_line, effect: read, arguments: {line: a}}\n"
                                    "  both: {effect: read, calls: {a: {tool: peer/peer_state, arguments: {}}, b: "
                                    "{tool: peer/typed, arguments: {n: 1}}}}\n"
                                    "  count: {tool: peer/typed, effect: read, arguments: {n: '{input}'}}\n";
    cli_world_write(w, "seen.yaml",
                    "id: seen\nsteps:\n  - {stepName: one, instructionSet: one, outputVariables: [line, key]}\n"
                    "  - {stepName: both, instructionSet: both, outputVariables: [a]}\n%s",
                    sets);
    cli_world_write(w, "next.yaml",
                    "id: next\nsteps:\n"
                    "  - {stepName: one, instructionSet: one, outputVariables: [line, more]}\n"
                    "  - {stepName: both, instructionSet: both, outputVariables: [a]}\n"
                    "  - {stepName: lines, instructionSet: count, inputTemplate: '{line}'}\n"
                    "  - {stepName: more, instructionSet: count, inputTemplate: '{more}'}\n"
                    "  - {stepName: pid, instructionSet: count, inputTemplate: '{a.pid}'}\n"
                    "  - {stepName: nothing, instructionSet: count, inputTemplate: '{a.nothing}'}\n%s",
                    sets);
    assert_exit(w, catena(w, "check", "next.yaml", "--tools", NULL), 0);
    assert_lacks(w->said.out, "observed"); /* nobody has seen anything */
    assert_exit(w, catena(w, "run", "seen.yaml", "--quiet", NULL), 0);
    assert_exit(w, catena(w, "check", "next.yaml", NULL), 0);
    assert_lacks(w->said.out, "observed"); /* nobody asked for it */
    assert_exit(w, catena(w, "check", "next.yaml", "--tools", NULL), 0);
    assert_out(w, "next.yaml:5:61: warning: argument 'n' of peer/typed is this input: expected whole number, got text "
                  "(observed in earlier results) [schema-mismatch]");
    assert_out(w, "next.yaml:8:63: warning: {a.nothing} leads nowhere: 'a' never has a member 'nothing'");
    assert_lacks(w->said.out, "next.yaml:6:"); /* what was not taken may be there */
    assert_lacks(w->said.out, "next.yaml:7:");
}

/* ---- fix ---- */

#define TABBED                                                                                                         \
    "# my chain\n"                                                                                                     \
    "id: c\n"                                                                                                          \
    "inputSchema: {type: object, required: [trip], properties: {trip: {type: object}}}\n"                              \
    "steps:\n"                                                                                                         \
    "\t- stepName: first          # the first\n"                                                                       \
    "\t  instructonSet: serach    # misspelt twice\n"                                                                  \
    "\t- stepName: two\n"                                                                                              \
    "\t  instructionSet: search\n"                                                                                     \
    "\t  dependsOn: [frist]\n"                                                                                         \
    "\t  inputTemplate: \"{tripp.x} and {tripp.y}\"\n"

static void what_is_surely_meant_is_mended_in_the_file(void **state)
{
    world *w = *state;
    char text[4096], path[300];
    struct stat st;
    cli_world_write(w, "catena.yaml", "include: [sets.yaml, c.yaml]\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets: {search: {native: noop, effect: read, arguments: {a: '{input?}'}}}\n");
    cli_world_write(w, "c.yaml", "%s", TABBED);
    snprintf(path, sizeof path, "%s/c.yaml", w->folder);
    assert_int_equal(chmod(path, 0640), 0);
    assert_exit(w, catena(w, "check", "c.yaml", NULL), 2);
    cli_world_read(w, "c.yaml", text, sizeof text);
    assert_string_equal(text, TABBED); /* nobody asked for more */
    assert_exit(w, catena(w, "check", "c.yaml", "--fix", NULL), 0);
    assert_err(w, "c.yaml:5: tabs became spaces in 6 lines [syntax]");
    assert_err(w, "c.yaml:6:5: 'instructonSet' became 'instructionSet' [unknown-key]");
    assert_err(w, "c.yaml:6:21: 'serach' became 'search' [unknown-set]");
    assert_err(w, "c.yaml:9:17: 'frist' became 'first' [unknown-step]");
    assert_err(w, "c.yaml:10:20: 'tripp' became 'trip' [undefined-variable]");
    cli_world_read(w, "c.yaml", text, sizeof text);
    assert_string_equal(text, "# my chain\n"
                              "id: c\n"
                              "inputSchema: {type: object, required: [trip], properties: {trip: {type: object}}}\n"
                              "steps:\n"
                              "  - stepName: first          # the first\n"
                              "    instructionSet: search    # misspelt twice\n"
                              "  - stepName: two\n"
                              "    instructionSet: search\n"
                              "    dependsOn: [first]\n"
                              "    inputTemplate: \"{trip.x} and {trip.y}\"\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_exit(w, catena(w, "check", "--fix", NULL), 0);
    assert_err(w, "nothing was mended");
    /* No half-written file is left behind. */
    assert_exit(w, shell(w, "ls"), 0);
    assert_string_equal(w->said.out, "c.yaml\ncatena.yaml\nsets.yaml\n");
}

static void a_misspelt_tool_is_mended_by_what_the_server_has(void **state)
{
    world *w = *state;
    char text[4096];
    cli_world_write(w, "catena.yaml", CONFIG, CATENA_BUILD_DIR);
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n  a: {tool: travel/search_flihgts, effect: read, arguments: "
                    "{requirements: '{trip}'}}\n");
    assert_exit(w, catena(w, "check", "sets.yaml", "--fix", NULL), 0);
    assert_err(w, "nothing was mended");
    assert_exit(w, catena(w, "check", "sets.yaml", "--fix", "--tools", "--format", "json", NULL), 0);
    assert_string_equal(w->said.out, "[]\n");
    assert_err(w, "'travel/search_flihgts' became 'travel/search_flights' [unknown-tool]");
    cli_world_read(w, "sets.yaml", text, sizeof text);
    assert_contains(text, "{tool: travel/search_flights, effect");
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* Of every broken chain that we have: mended or left, never worse, and the second time there is nothing to do. */
static void mending_makes_no_broken_chain_worse(void **state)
{
    world *w = *state;
    glob_t files = {0};
    size_t mended = 0;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (glob(CATENA_SOURCE_DIR "/tests/lint/broken/*.yaml", 0, NULL, &files) ||
        glob(CATENA_SOURCE_DIR "/tests/lint/broken/*.json", GLOB_APPEND, NULL, &files))
        assert_int_equal(glob(CATENA_SOURCE_DIR "/tests/broken/*.[yj]*", 0, NULL, &files), 0);
#if defined(__SANITIZE_ADDRESS__)
    const size_t stride = 4; /* three runs of the program for each */
#else
    const size_t stride = 1;
#endif
    for (size_t i = 0; i < files.gl_pathc; i += stride) {
        const char *name = strrchr(files.gl_pathv[i], '/') + 1;
        static char before[65536], once[65536], twice[65536];
        assert_true(ctn_read_file(files.gl_pathv[i], &text));
        cli_world_write(w, "catena.yaml", "include: [%s/with/*]\n",
                        strstr(files.gl_pathv[i], "/lint/") ? CATENA_SOURCE_DIR "/tests/lint/broken"
                                                            : CATENA_SOURCE_DIR "/tests/broken");
        cli_world_write(w, name, "%.*s", (int) text.len, text.data ? text.data : "");
        cli_world_read(w, name, before, sizeof before);
        (void) catena(w, "check", name, "--quiet", NULL);
        size_t lines = count_lines(w->said.out);
        (void) catena(w, "check", name, "--fix", "--quiet", NULL);
        cli_world_read(w, name, once, sizeof once);
        bool is_changed = strcmp(before, once) != 0;
        if (!is_changed && count_lines(w->said.out) != lines)
            fail_msg("%s was left, and yet has other findings:\n%s", name, w->said.out);
        (void) catena(w, "check", name, "--fix", NULL);
        assert_err(w, "nothing was mended");
        cli_world_read(w, name, twice, sizeof twice);
        assert_string_equal(once, twice);
        mended += is_changed;
    }
    printf("%zu of %zu broken chains were mended\n", mended, (files.gl_pathc + stride - 1) / stride);
    assert_true(mended >= (stride == 1 ? 10 : 1));
    globfree(&files);
    ctn_buf_done(&text);
}

/* ---- what programs and people read ---- */

static void a_code_scanner_is_told_in_its_own_words(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(1 << 16);
    const ctn_json *log = NULL;
    cli_world_write(w, "my chain.yaml", "id: c\nsteps:\n  - {stepName: one, instructionSet: 'né', dependsOn: [tow]}\n");
    assert_exit(w, catena(w, "check", "my chain.yaml", "--format", "json", NULL), 2);
    assert_out(w, "\"line\":3,\"column\":56,"); /* bytes */
    assert_exit(w, catena(w, "check", "my chain.yaml", "--format", "sarif", NULL), 2);
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(w->said.out), NULL, &log, NULL), CTN_OK);
    const ctn_json *run = ctn_json_pointer(log, CTN_STR("/runs/0"));
    const ctn_json *results = ctn_json_member_of(run, "results"), *last = ctn_json_at(results, 1);
    assert_true(ctn_str_is(ctn_json_str_or(log, "version", (ctn_str){0}), "2.1.0"));
    assert_true(ctn_str_is(ctn_json_str_or(run, "columnKind", (ctn_str){0}), "unicodeCodePoints"));
    assert_int_equal(ctn_json_count(results), 2);
    const ctn_json *rules = ctn_json_pointer(run, CTN_STR("/tool/driver/rules"));
    for (size_t i = 0; i < ctn_json_count(rules); i++) {
        const ctn_json *rule = ctn_json_at(rules, i);
        assert_true(ctn_json_str_or(rule, "id", (ctn_str){0}).len > 0);
        assert_true(ctn_json_text(ctn_json_pointer(rule, CTN_STR("/shortDescription/text"))).len > 0);
        ctn_str level = ctn_json_text(ctn_json_pointer(rule, CTN_STR("/defaultConfiguration/level")));
        assert_true(ctn_str_is(level, "error") || ctn_str_is(level, "warning"));
    }
    const ctn_json *rule = ctn_json_at(rules, (size_t) ctn_json_int_or(last, "ruleIndex", -1));
    assert_true(ctn_str_is(ctn_json_str_or(rule, "id", (ctn_str){0}), "unknown-step"));
    const ctn_json *place = ctn_json_pointer(last, CTN_STR("/locations/0/physicalLocation"));
    assert_true(
        ctn_str_is(ctn_json_text(ctn_json_pointer(place, CTN_STR("/artifactLocation/uri"))), "my%20chain.yaml"));
    assert_int_equal(ctn_json_int_or(ctn_json_member_of(place, "region"), "startColumn", 0), 55); /* characters */
    ctn_arena_free(arena);
}

static void a_rule_is_explained(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "check", "--explain", "missing-undo", NULL), 0);
    assert_out(w, "missing-undo (warning): ");
    assert_out(w, "Mend it: ");
    assert_out(w, "# catena: allow missing-undo: ");
    assert_exit(w, catena(w, "help", "cycle", NULL), 0);
    assert_out(w, "cycle (error): ");
    assert_exit(w, catena(w, "check", "--explain", "mising-undo", NULL), 2);
    assert_err(w, "did you mean 'missing-undo'?");
}

/* ---- schemas for editors ---- */

static int validate(ctn_arena *arena, const ctn_schema *schema, const char *text, ctn_err *err)
{
    ctn_source *source = NULL;
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    assert_int_equal(ctn_source_parse(arena, CTN_STR("catena.yaml"), ctn_str_from(text), &findings, &source), CTN_OK);
    return ctn_schema_validate(schema, ctn_source_root(source), arena, err);
}

static void the_schema_of_the_configuration_takes_what_catena_takes(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(1 << 16);
    const ctn_json *text = NULL;
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    assert_exit(w, catena(w, "schema", "config", NULL), 0);
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(w->said.out), NULL, &text, &err), CTN_OK);
    assert_int_equal(ctn_schema_compile(arena, text, &schema, NULL, &err), CTN_OK);
    static const char *const good =
        "store: sqlite:agency.db\n"
        "servers:\n"
        "  travel: {command: catena-travel, args: [serve, 1], env: {CRM: crm.db}, trusted: true,\n"
        "           effects: {delete_client_record: idempotent}, startTimeoutMs: 10000}\n"
        "include: [chains/*.yaml, instruction-sets.yaml, templates/]\n"
        "mcpConfig: mcp.json\n"
        "interrupted: ask\n"
        "secrets: {PARTNER: {env: PARTNER_TOKEN}}\n"
        "limits: {valueBytes: 262144}\n"
        "retention: {completed: 30d, failed: 90d}\n";
    if (validate(arena, schema, good, &err))
        fail_msg("%s", err.message);
    assert_int_equal(validate(arena, schema, "sotre: a.db\n", &err), CTN_E_INVALID);
    assert_int_equal(validate(arena, schema, "servers: {a: {comand: b}}\n", &err), CTN_E_INVALID);
    assert_int_equal(validate(arena, schema, "limits: {valueBytes: 1}\n", &err), CTN_E_INVALID);
    ctn_schema_done(schema);
    ctn_arena_free(arena);
    assert_exit(w, catena(w, "schema", "chain", NULL), 0);
    assert_out(w, "\"stepName\"");
    assert_exit(w, catena(w, "schema", "sets", NULL), 0);
    assert_lacks(w->said.out, "\"stepName\"");
    assert_exit(w, catena(w, "schema", "chian", NULL), 2);
    assert_err(w, "did you mean 'chain'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_tool_that_the_server_lacks_is_an_error_with_the_nearest_one),
        CLI_TEST(arguments_are_held_against_the_tools_own_schema),
        CLI_TEST(the_first_chains_fit_their_tools),
        CLI_TEST(results_of_earlier_executions_fill_in_for_warnings),
        CLI_TEST(what_is_surely_meant_is_mended_in_the_file),
        CLI_TEST(a_misspelt_tool_is_mended_by_what_the_server_has),
        CLI_TEST(mending_makes_no_broken_chain_worse),
        CLI_TEST(a_code_scanner_is_told_in_its_own_words),
        CLI_TEST(a_rule_is_explained),
        CLI_TEST(the_schema_of_the_configuration_takes_what_catena_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
