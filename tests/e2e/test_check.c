/* `check` beyond the files: against the tools that servers have, and mending files. */
#include "cli_kit.h"
#include "core/schema.h"
#include "core/source.h"
#include <string.h>

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
    assert_out(w, "sets.yaml:3:13: error: there is no server 'travle' in the configuration; did you mean \"travel\"?");
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
                    "  - {stepName: read_it, instructionSet: extract, outputVariables: {lead: client_info}}\n"
                    "  - {stepName: price_it, instructionSet: price, inputTemplate: '{lead}'}\n");
    /* The file with the sets comes after the chain that names them. */
    cli_world_write(
        w, "sets.yaml",
        "instructionSets:\n"
        "  extract: {tool: travel/extract_lead, arguments: {raw_led: '{raw_lead}'}}\n"
        "  price: {tool: travel/price_tiers, arguments: {requirements: 'none', flights: [], hotels: []}}\n");
    assert_exit(w, catena(w, "check", "c.yaml", "sets.yaml", "--tools", NULL), 2);
    assert_out(w, "sets.yaml:2:51: error: travel/extract_lead needs the argument 'raw_lead', which is not set; is "
                  "'raw_led' meant? [missing-argument]");
    assert_out(w, "c.yaml:3:41: error: instruction set 'extract' has a fault: sets.yaml:2:51:");
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
    cli_world_write(w, "all.yaml",
                    "servers:\n"
                    "  travel: {command: %s/travel/catena-travel, args: [serve], trusted: true}\n"
                    "include: [%s/travel/chains/*.json, %s/travel/instruction-sets.yaml, %s/travel/templates/]\n",
                    CATENA_BUILD_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR, CATENA_SOURCE_DIR);
    assert_exit(w, catena(w, "check", "--config", "all.yaml", "--tools", NULL), 0);
    assert_lacks(w->said.out, "error:");
    assert_out(w, "[self-condition]");
    assert_lacks(w->said.out, "assumed-effect");
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

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, cli_world_setup, cli_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_tool_that_the_server_lacks_is_an_error_with_the_nearest_one),
        WORLD_TEST(arguments_are_held_against_the_tools_own_schema),
        WORLD_TEST(the_first_chains_fit_their_tools),
        WORLD_TEST(the_schema_of_the_configuration_takes_what_catena_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
