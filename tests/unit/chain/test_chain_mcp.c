/* The key `mcp`: what is offered when nothing is said, and each contradiction told where it stands. */
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"

#define STEPS                                                                                                          \
    "steps:\n  - {stepName: look, instructionSet: look, inputTemplate: '{city}', outputVariables: [rooms]}\n"          \
    "instructionSets: {look: {native: noop, effect: read, arguments: {city: '{input}'}}}\n"

static void expect(const char *mcp, uint32_t column, const char *rule, const char *fragment)
{
    char text[1024];
    chain_kit kit;
    snprintf(text, sizeof text, "id: rooms\nmcp: %s\n%s", mcp, STEPS);
    chain_kit_init(&kit);
    chain_kit_add(&kit, "rooms.yaml", text);
    chain_kit_check(&kit, NULL);
    chain_kit_expect(&kit, 2, column, rule, fragment);
    chain_kit_done(&kit);
}

static ctn_chain_mcp read(chain_kit *kit, const char *mcp)
{
    char text[1024];
    snprintf(text, sizeof text, "id: rooms\n%s\n%s", mcp, STEPS);
    chain_kit_init(kit);
    chain_kit_add(kit, "rooms.yaml", text);
    chain_kit_check(kit, NULL);
    if (kit->findings.count)
        fail_msg("%.*s", CTN_STR_ARG(chain_kit_findings(kit, NULL)));
    return kit->chain->mcp;
}

static void a_chain_that_says_nothing_is_a_tool_named_as_itself(void **state)
{
    (void) state;
    chain_kit kit;
    ctn_chain_mcp mcp = read(&kit, "name: Rooms");
    assert_int_equal(mcp.as, CTN_MCP_AS_TOOL);
    assert_true(ctn_str_is(mcp.name, "rooms") && !mcp.uri.len && !mcp.content.len);
    assert_int_equal(mcp.wait_ms, 30000);
    assert_int_equal(mcp.task, CTN_MCP_TASK_OPTIONAL);
    assert_false(mcp.cancels_on_disconnect || mcp.attach_ms);
    chain_kit_done(&kit);
}

static void a_resource_and_a_prompt_are_taken(void **state)
{
    (void) state;
    chain_kit kit;
    ctn_chain_mcp mcp =
        read(&kit, "mcp: {as: resource, name: 'Rooms of a city', uri: 'hotel://rooms/{city}', mimeType: "
                   "application/json, content: rooms, onDisconnect: cancel, waitMs: 0}");
    assert_int_equal(mcp.as, CTN_MCP_AS_RESOURCE);
    assert_true(ctn_str_is(mcp.uri, "hotel://rooms/{city}") && ctn_str_is(mcp.mime_type, "application/json"));
    assert_true(mcp.cancels_on_disconnect && mcp.wait_ms == 0);
    chain_kit_done(&kit);
    mcp = read(&kit, "mcp: {as: prompt, name: ask.rooms, content: rooms}");
    assert_int_equal(mcp.as, CTN_MCP_AS_PROMPT);
    chain_kit_done(&kit);
    assert_int_equal(read(&kit, "mcp: {as: none}").as, CTN_MCP_AS_NONE);
    chain_kit_done(&kit);
}

static void what_contradicts_itself_is_told_where_it_stands(void **state)
{
    (void) state;
    expect("{as: tol}", 11, "type", "'as' must be tool, prompt, resource or none");
    expect("{az: tool}", 7, "unknown-key", "did you mean 'as'?");
    expect("{uri: 'a:b'}", 12, "type", "'uri' has no meaning with 'as: tool'");
    expect("{as: prompt, attachMs: 5}", 29, "type", "'attachMs' has no meaning with 'as: prompt'");
    expect("{as: none, name: x}", 23, "type", "'name' has no meaning with 'as: none'");
    expect("{as: resource}", 6, "type", "needs a 'uri'");
    expect("{name: a b}", 13, "type", "is no name for a tool");
    expect("{name: list_chains}", 13, "type", "a tool of the server itself");
    expect("{attachMs: 5, onDisconnect: cancel}", 6, "type", "several callers");
}

static void names_in_it_lead_somewhere(void **state)
{
    (void) state;
    expect("{content: room}", 16, "undefined-variable", "did you mean 'rooms'?");
    expect("{as: resource, uri: 'hotel://{town}/{city}'}", 26, "undefined-variable", "'{town}' in 'uri' is no input");
    expect("{as: resource, uri: 'hotel://rooms'}", 26, "missing-argument", "the input 'city' is required");
    expect("{as: resource, uri: 'rooms/{city}'}", 26, "type", "a URI begins with its scheme");
    expect("{as: resource, uri: 'catena://{city}'}", 26, "type", "the server's own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_that_says_nothing_is_a_tool_named_as_itself),
        cmocka_unit_test(a_resource_and_a_prompt_are_taken),
        cmocka_unit_test(what_contradicts_itself_is_told_where_it_stands),
        cmocka_unit_test(names_in_it_lead_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
