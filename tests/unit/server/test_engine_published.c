/*
 * Prompts, resources and completion of the engine's backend, as an MCP client sees them. The kit judges every message
 * by the schema of its revision.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "unit/server/engine_kit.h"

#define NOTHING "instructionSets: {nothing: {native: noop, effect: none}}\n"

static const char *const CHAINS[] = {
    "id: rooms\n"
    "name: Rooms of a city\n"
    "description: The free rooms of a city.\n"
    "mcp: {as: resource, name: rooms, uri: 'hotel://rooms/{city}/{nights}', mimeType: text/plain, content: said}\n"
    "inputSchema:\n"
    "  type: object\n"
    "  required: [city, nights]\n"
    "  properties: {city: {type: string, enum: [Rome, Riga, Graz]}, nights: {type: integer, minimum: 1}}\n"
    "outputs: {said: \"{city} + ' for ' + string({nights} + 0)\"}\n"
    "steps: [{stepName: look, instructionSet: nothing}]\n" NOTHING,

    "id: house\n"
    "mcp: {as: resource, uri: 'hotel://rooms/all/1', content: house}\n"
    "outputs: {house: '[1, 2]'}\n"
    "steps: [{stepName: look, instructionSet: nothing}]\n" NOTHING,

    "id: careless\n"
    "mcp: {as: resource, uri: 'hotel://careless'}\n"
    "steps: [{stepName: pay, instructionSet: pay, noUndo: never}]\n"
    "instructionSets: {pay: {native: noop, effect: write}}\n",

    "id: plan-trip\n"
    "description: Plans a trip.\n"
    "mcp: {as: prompt, name: plan_trip, content: messages}\n"
    "inputSchema: {type: object, required: [days], properties: {days: {type: integer}, calm: {type: boolean}}}\n"
    "outputs: [messages]\n"
    "steps: [{stepName: write, instructionSet: write, outputVariables: [messages]}]\n"
    "instructionSets:\n"
    "  write:\n"
    "    native: noop\n"
    "    effect: none\n"
    "    arguments: {messages: [{role: assistant, content: 'Where to?'}, '{days} days']}\n",

    "id: asking\n"
    "mcp: {as: prompt, content: text}\n"
    "outputs: {text: \"'About ' + {topic}\"}\n"
    "steps: [{stepName: topic, instructionSet: which-topic, outputVariables: [topic]}]\n"
    "instructionSets:\n"
    "  which-topic: {agent: {instructions: Which topic?, outputSchema: {type: object, required: [topic], properties: "
    "{topic: {type: string}}}}}\n",

    "id: breaks\n"
    "mcp: {as: prompt}\n"
    "steps: [{stepName: fail, instructionSet: until-when}]\n"
    "instructionSets: {until-when: {wait: {until: \"{when}\"}}}\n",

    "id: book\n"
    "description: Books a room.\n"
    "inputSchema:\n"
    "  type: object\n"
    "  required: [room]\n"
    "  properties: {room: {type: string, description: Its number.}, floor: {type: integer, default: 1}}\n"
    "steps:\n"
    "  - {stepName: sure, instructionSet: is-it-sure}\n"
    "  - {stepName: rest, instructionSet: nothing}\n"
    "instructionSets: {is-it-sure: {approval: {message: \"Book {room}?\"}}, nothing: {native: noop, effect: none}}\n",

    "id: hidden\n"
    "mcp: {as: none}\n"
    "steps: [{stepName: look, instructionSet: nothing}]\n" NOTHING,
    NULL};

static int setup(void **state)
{
    return engine_kit_setup(state, CHAINS);
}

static void assert_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in \"%s\"", part, text);
}

/* ---- what is listed ---- */

static void what_only_reads_is_a_resource_and_what_writes_is_not(void **state)
{
    engine_kit *k = *state;
    const char *all = engine_kit_at(k, engine_kit_ask(k, "resources/list", "%s", ""), "/result/resources");
    assert_in(all, "\"uri\":\"hotel://rooms/all/1\"");
    assert_in(all, "\"uri\":\"catena://chains/book\"");
    assert_in(all, "\"uri\":\"catena://chains/hidden\"");
    assert_lacks(all, "hotel://careless");
    assert_lacks(all, "{city}");
    const char *templates =
        engine_kit_at(k, engine_kit_ask(k, "resources/templates/list", "%s", ""), "/result/resourceTemplates");
    assert_in(templates, "\"uriTemplate\":\"hotel://rooms/{city}/{nights}\"");
    assert_in(templates, "\"uriTemplate\":\"catena://executions/{id}\"");
    const ctn_json *a = engine_kit_ask(k, "resources/read", "'uri':'hotel://careless'");
    assert_at(a, "/error/code", "-32602");
    assert_int_equal(engine_kit_count(k, "careless"), 0);
}

static void each_tool_has_a_prompt_and_published_ones_have_their_arguments(void **state)
{
    engine_kit *k = *state;
    const char *all = engine_kit_at(k, engine_kit_ask(k, "prompts/list", "%s", ""), "/result/prompts");
    assert_in(all, "{\"name\":\"plan_trip\",\"description\":\"Plans a trip.\",\"arguments\":[{\"name\":\"days\","
                   "\"required\":true},{\"name\":\"calm\",\"required\":false}]}");
    assert_in(all, "\"name\":\"book\",\"description\":\"How to use the chain book: Books a room.\"");
    assert_lacks(all, "hidden");
    assert_lacks(all, "rooms");
}

/* ---- prompts ---- */

static void a_published_prompt_gives_the_chains_messages(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "prompts/get", "'name':'plan_trip','arguments':{'days':'3'}");
    assert_at(a, "/result/messages/0/role", "assistant");
    assert_at(a, "/result/messages/0/content/text", "Where to?");
    assert_at(a, "/result/messages/1/content/text", "3 days");
    a = engine_kit_ask(k, "prompts/get", "'name':'plan_trip','arguments':{'days':'three'}");
    assert_at(a, "/error/code", "-32602");
    assert_in(engine_kit_at(k, a, "/error/message"), "/days");
    a = engine_kit_ask(k, "prompts/get", "'name':'no_such','arguments':{}");
    assert_at(a, "/error/code", "-32602");
}

static void a_prompt_that_fails_says_why(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "prompts/get", "'name':'breaks','arguments':{'when':'never'}");
    assert_at(a, "/error/code", "-32603");
    assert_in(engine_kit_at(k, a, "/error/message"), "not a time");
    assert_at(a, "/error/data/status", "failed");
}

static void a_prompt_may_ask_before_it_is_made(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "prompts/get", "'name':'asking'");
    assert_at(a, "/result/resultType", "input_required");
    assert_at(a, "/result/inputRequests/topic/method", "elicitation/create");
    a = engine_kit_ask(k, "prompts/get",
                       "'name':'asking','requestState':'%s','inputResponses':{'topic':{'action':'accept','content':{"
                       "'topic':'tea'}}}",
                       engine_kit_at(k, a, "/result/requestState"));
    assert_at(a, "/result/messages/0/content/text", "About tea");
    assert_int_equal(engine_kit_count(k, "asking"), 1);
}

/* Nobody can be asked: the execution is named, so that it can be answered otherwise. */
static void a_prompt_that_cannot_ask_names_its_execution(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "prompts/get", "'name':'asking'");
    assert_at(a, "/error/code", "-32603");
    assert_at(a, "/error/data/status", "waiting");
    assert_in(engine_kit_at(k, a, "/error/message"), "get_execution");
}

static void the_manual_of_a_tool_tells_what_it_takes_and_starts_nothing(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "prompts/get", "'name':'book','arguments':{'room':'12'}");
    const char *text = engine_kit_at(k, a, "/result/messages/0/content/text");
    assert_in(text, "- room (string, required): Its number.");
    assert_in(text, "- floor (integer, may be left out); 1 if not said");
    assert_in(text, "step sure waits for somebody's yes or no");
    assert_in(text, "{\"room\":\"12\"}");
    assert_int_equal(engine_kit_count(k, "book"), 0);
}

/* ---- resources ---- */

static void a_template_is_read_with_its_values(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "resources/read", "'uri':'hotel://rooms/R%%6Fme/2'");
    assert_at(a, "/result/contents/0/text", "Rome for 2");
    assert_at(a, "/result/contents/0/uri", "hotel://rooms/R%6Fme/2");
    assert_at(a, "/result/contents/0/mimeType", "text/plain");
    a = engine_kit_ask(k, "resources/read", "'uri':'hotel://rooms/all/1'"); /* a plain one wins */
    assert_at(a, "/result/contents/0/text", "[1,2]");
    a = engine_kit_ask(k, "resources/read", "'uri':'hotel://rooms/Oslo/2'");
    assert_at(a, "/error/code", "-32602");
    assert_in(engine_kit_at(k, a, "/error/message"), "Rome");
}

static void a_chain_is_read_with_all_that_it_uses(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "resources/read", "'uri':'catena://chains/book'");
    const char *text = engine_kit_at(k, a, "/result/contents/0/text");
    assert_in(text, "\"chain\":{\"description\":\"Books a room.\"");
    assert_in(text, "{\"kind\":\"instruction_set\",\"name\":\"is-it-sure\"");
    assert_at(a, "/result/contents/1/uri", "catena://chains/book/graph");
    assert_in(engine_kit_at(k, a, "/result/contents/1/text"), "flowchart");
    a = engine_kit_ask(k, "resources/read", "'uri':'catena://chains/book/graph'");
    assert_in(engine_kit_at(k, a, "/result/contents/0/text"), "sure");
}

static void an_execution_is_read_with_its_journal(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'book','arguments':{'room':'12'}");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    a = engine_kit_ask(k, "resources/read", "'uri':'catena://executions/%s'", id);
    const char *text = engine_kit_at(k, a, "/result/contents/0/text");
    assert_in(text, "\"status\":\"waiting\"");
    assert_in(text, "\"input\":{\"room\":\"12\"");
    assert_in(text, "\"steps\":[{\"name\":\"sure\"");
    assert_in(engine_kit_at(k, a, "/result/contents/1/text"), "waiting  sure");
    a = engine_kit_ask(k, "resources/read", "'uri':'catena://executions/%s/journal'", id);
    assert_in(engine_kit_at(k, a, "/result/contents/0/text"), "started by ");
    assert_lacks(engine_kit_at(k, a, "/result/contents/0/text"), "mcp.task");
}

static void uris_that_lead_nowhere_are_told_with_their_uri(void **state)
{
    engine_kit *k = *state;
    static const char *const none[] = {"catena://chains/",
                                       "catena://chains/no-such",
                                       "catena://chains/../book",
                                       "catena://executions/",
                                       "catena://executions/01",
                                       "catena://executions/00000000-0000-7000-8000-000000000000",
                                       "catena://other",
                                       "hotel://rooms",
                                       "hotel://rooms/Rome/2/3",
                                       "file:///etc/passwd",
                                       "",
                                       "hotel://rooms/%%ff/1",
                                       "catena://chains//graph"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        const ctn_json *a = engine_kit_ask(k, "resources/read", "'uri':'%s'", none[i]);
        assert_at(a, "/error/code", "-32602");
        assert_string_equal(engine_kit_at(k, a, "/error/data/uri"), none[i]);
    }
}

/* ---- completion ---- */

static void expect_values(engine_kit *k, const char *ref, const char *name, const char *value, const char *values)
{
    const ctn_json *a =
        engine_kit_ask(k, "completion/complete", "'ref':%s,'argument':{'name':'%s','value':'%s'}", ref, name, value);
    assert_at(a, "/result/completion/values", values);
}

static void names_are_completed_by_how_they_begin_then_by_what_they_hold(void **state)
{
    engine_kit *k = *state;
    const char *rooms = "{'type':'ref/resource','uri':'hotel://rooms/{city}/{nights}'}";
    expect_values(k, rooms, "city", "r", "[\"Rome\",\"Riga\",\"Graz\"]");
    expect_values(k, rooms, "city", "RI", "[\"Riga\"]");
    expect_values(k, rooms, "nights", "", "[]");
    expect_values(k, "{'type':'ref/resource','uri':'catena://chains/{id}'}", "id", "b", "[\"book\",\"breaks\"]");
    expect_values(k, "{'type':'ref/prompt','name':'plan_trip'}", "calm", "t", "[\"true\"]");
    expect_values(k, "{'type':'ref/prompt','name':'book'}", "floor", "", "[\"1\"]");
    const ctn_json *a = engine_kit_ask(k, "completion/complete",
                                       "'ref':{'type':'ref/prompt','name':'none'},'argument':{'name':'a','value':''}");
    assert_at(a, "/error/code", "-32602");
    a = engine_kit_ask(k, "completion/complete", "'ref':{'type':'ref/prompt','name':'book'},'argument':{'name':1}");
    assert_at(a, "/error/code", "-32602");
}

static void executions_are_completed_and_never_more_than_a_hundred(void **state)
{
    engine_kit *k = *state;
    char first[64];
    for (int i = 0; i < 103; i++) {
        const ctn_json *a = engine_kit_ask(k, "resources/read", "'uri':'hotel://rooms/all/1'");
        assert_at(a, "/result/contents/0/text", "[1,2]");
    }
    const ctn_json *a = engine_kit_ask(
        k, "completion/complete",
        "'ref':{'type':'ref/resource','uri':'catena://executions/{id}'},'argument':{'name':'id','value':''}");
    assert_int_equal(
        ctn_json_count(ctn_json_member_of(ctn_json_member_of(ctn_json_member_of(a, "result"), "completion"), "values")),
        100);
    assert_at(a, "/result/completion/hasMore", "true");
    (void) snprintf(first, sizeof first, "%s", engine_kit_at(k, a, "/result/completion/values/0"));
    expect_values(k, "{'type':'ref/resource','uri':'catena://executions/{id}'}", "id", first,
                  ctn_arena_printf(k->arena, "[\"%s\"]", first).ptr);
}

/* ---- who watches ---- */

static size_t updates_of(const engine_kit *k, const char *uri)
{
    size_t count = 0;
    for (size_t i = 0; i < k->message_count; i++) {
        const ctn_json *m = k->messages[i];
        count += ctn_str_is(ctn_json_str_or(m, "method", (ctn_str){0}), "notifications/resources/updated") &&
                 ctn_str_is(ctn_json_str_or(ctn_json_member_of(m, "params"), "uri", (ctn_str){0}), uri);
    }
    return count;
}

static void who_watches_an_execution_is_told_when_it_moves(void **state)
{
    engine_kit *k = *state;
    char uri[128], id[64];
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'book','arguments':{'room':'12'}");
    (void) snprintf(id, sizeof id, "%s", engine_kit_at(k, a, "/result/structuredContent/executionId"));
    (void) snprintf(uri, sizeof uri, "catena://executions/%s", id);
    engine_kit_send(k, "subscriptions/listen",
                    "'notifications':{'resourceSubscriptions':['%s','catena://executions/none','file:///x']}", uri);
    engine_kit_run(k, 30);
    assert_at(k->messages[k->message_count - 1], "/params/notifications/resourceSubscriptions/1", "");
    assert_int_equal(updates_of(k, uri), 0);
    engine_kit_ask(k, "tools/call",
                   "'name':'answer_step','arguments':{'executionId':'%s','step':'sure','answer':{'approved':true}}",
                   id);
    engine_kit_run(k, 50);
    assert_true(updates_of(k, uri) > 0);
}

int main(void)
{
#define ENGINE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, engine_kit_teardown)
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(what_only_reads_is_a_resource_and_what_writes_is_not),
        ENGINE_TEST(each_tool_has_a_prompt_and_published_ones_have_their_arguments),
        ENGINE_TEST(a_published_prompt_gives_the_chains_messages),
        ENGINE_TEST(a_prompt_that_fails_says_why),
        ENGINE_TEST(a_prompt_may_ask_before_it_is_made),
        ENGINE_TEST(a_prompt_that_cannot_ask_names_its_execution),
        ENGINE_TEST(the_manual_of_a_tool_tells_what_it_takes_and_starts_nothing),
        ENGINE_TEST(a_template_is_read_with_its_values),
        ENGINE_TEST(a_chain_is_read_with_all_that_it_uses),
        ENGINE_TEST(an_execution_is_read_with_its_journal),
        ENGINE_TEST(uris_that_lead_nowhere_are_told_with_their_uri),
        ENGINE_TEST(names_are_completed_by_how_they_begin_then_by_what_they_hold),
        ENGINE_TEST(executions_are_completed_and_never_more_than_a_hundred),
        ENGINE_TEST(who_watches_an_execution_is_told_when_it_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
