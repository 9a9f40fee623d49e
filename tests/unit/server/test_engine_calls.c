/*
 * Chains as tools and the engine's own tools, as an MCP client sees them: what is started is started once, what waits
 * asks, what fails says what to do next.
 */
#include <stdlib.h>

#include "support/cmocka.h"
#include "base/hash.h"
#include "fleet/request.h"
#include "unit/server/engine_kit.h"

static const char *const CHAINS[] = {
    "id: greet\n"
    "name: Greeter\n"
    "description: Greets by name.\n"
    "inputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n"
    "outputs: {said: \"'Hello, ' + {name} + '!'\"}\n"
    "instructionSets: {nothing: {native: noop}}\n"
    "steps: [{stepName: look, instructionSet: nothing}]\n",

    "id: talk\n"
    "description: Two steps that whoever drives the execution does.\n"
    "instructionSets:\n"
    "  find-topic: {agent: {instructions: Which topic?, outputSchema: {type: object, required: [topic], properties: "
    "{topic: {type: string}}}}}\n"
    "  write-about: {agent: {instructions: Write about it., outputSchema: {type: object, required: [lines], "
    "properties: "
    "{lines: {type: array, items: {type: string}}}}}, arguments: {topic: \"{topic}\"}}\n"
    "outputs: [topic, lines]\n"
    "steps:\n"
    "  - {stepName: find, instructionSet: find-topic, outputVariables: [topic]}\n"
    "  - {stepName: write, instructionSet: write-about, outputVariables: [lines]}\n",

    "id: sign\n"
    "instructionSets: {sign-it: {approval: {message: \"Sign {paper}?\"}}}\n"
    "outputs: [approved]\n"
    "steps: [{stepName: signature, instructionSet: sign-it, outputVariables: [approved]}]\n",

    "id: nap\n"
    "mcp: {waitMs: 60}\n"
    "instructionSets: {sleep: {wait: {ms: 60000}}}\n"
    "steps: [{stepName: sleep, instructionSet: sleep}]\n",

    "id: fails\n"
    "instructionSets: {until-when: {wait: {until: \"{when}\"}}}\n"
    "steps: [{stepName: sleep, instructionSet: until-when}]\n",

    "id: once\n"
    "mcp: {attachMs: 60000}\n"
    "instructionSets: {doze: {wait: {ms: 300}}}\n"
    "steps: [{stepName: sleep, instructionSet: doze}]\n",

    "id: secretly\n"
    "sensitive: [pin]\n"
    "mcp: {attachMs: 60000}\n"
    "instructionSets: {doze: {wait: {ms: 10}}}\n"
    "inputSchema: {type: object, properties: {pin: {type: string}}}\n"
    "outputs: [pin]\n"
    "steps: [{stepName: sleep, instructionSet: doze}]\n",

    "id: held\n"
    "mcp: {onDisconnect: cancel}\n"
    "instructionSets: {sleep: {wait: {ms: 60000}}}\n"
    "steps: [{stepName: sleep, instructionSet: sleep}]\n",

    "id: itself\n"
    "instructionSets: {once-more: {chain: itself}}\n"
    "outputs: []\n"
    "steps:\n"
    "  - {stepName: one, instructionSet: once-more, dependsOn: []}\n"
    "  - {stepName: two, instructionSet: once-more, dependsOn: []}\n"
    "  - {stepName: three, instructionSet: once-more, dependsOn: []}\n",
    NULL};

static int setup(void **state)
{
    return engine_kit_setup(state, CHAINS);
}

static void assert_says(const engine_kit *k, const ctn_json *answer, const char *words)
{
    const char *text = engine_kit_at(k, answer, "/result/content/0/text");
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, text);
}

/* ---- chains ---- */

static void a_chain_is_called_and_gives_its_outputs(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'Ada'}");
    assert_at(a, "/result/structuredContent", "{\"said\":\"Hello, Ada!\"}");
    assert_at(a, "/result/isError", "false");
    assert_int_equal(engine_kit_count(k, "greet"), 1);
}

static void wrong_arguments_start_nothing_and_say_what_is_taken(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'nam':'Ada'}");
    assert_at(a, "/result/isError", "true");
    assert_says(k, a, "there is \"nam\"");
    assert_says(k, a, "get_chain");
    assert_int_equal(engine_kit_count(k, "greet"), 0);
    a = engine_kit_ask(k, "tools/call", "'name':'sign','arguments':{}");
    assert_says(k, a, "needs the input 'paper', which was not given. What it takes");
}

static void a_failed_chain_names_the_step_and_the_tools_that_tell_more(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'fails','arguments':{'when':'never'}");
    assert_at(a, "/result/isError", "true");
    assert_at(a, "/result/structuredContent/error/step", "sleep");
    assert_at(a, "/result/structuredContent/status", "failed");
    assert_says(k, a, "call explain with");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    a = engine_kit_ask(k, "tools/call", "'name':'explain','arguments':{'executionId':'%s','name':'sleep'}", id);
    assert_at(a, "/result/structuredContent/kind", "step");
}

static void a_slow_chain_answers_with_its_execution_and_goes_on(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'nap','arguments':{}");
    assert_at(a, "/result/isError", "false");
    assert_at(a, "/result/structuredContent/status", "waiting");
    assert_says(k, a, "get_execution");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    a = engine_kit_ask(k, "tools/call", "'name':'cancel_execution','arguments':{'executionId':'%s'}", id);
    assert_at(a, "/result/structuredContent/status", "cancelled");
    assert_at(a, "/result/isError", "false");
}

static void annotations_are_what_the_steps_do(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/list", "%s", "");
    const ctn_json *tools = ctn_json_pointer(a, CTN_STR("/result/tools"));
    bool is_found = false;
    for (size_t i = 0; i < ctn_json_count(tools); i++) {
        const ctn_json *tool = ctn_json_at(tools, i);
        if (!ctn_str_is(ctn_json_str_or(tool, "name", (ctn_str){0}), "greet"))
            continue;
        is_found = true;
        assert_at(tool, "/title", "Greeter");
        assert_at(tool, "/annotations/readOnlyHint", "true");
        assert_at(tool, "/annotations/destructiveHint", "false");
        assert_at(tool, "/annotations/openWorldHint", "false");
        assert_at(tool, "/inputSchema/required/0", "name");
        assert_at(tool, "/outputSchema/anyOf/0/required/0", "said");
    }
    assert_true(is_found);
    assert_int_equal(ctn_json_count(tools), 11 + 9);
}

/* `itself` calls itself three times: looked at call by call that is 3^16 plans, and no list of tools is ever told. */
static void a_chain_that_calls_itself_is_looked_at_once(void **state)
{
    engine_kit *k = *state;
    const ctn_json *tools = ctn_json_pointer(engine_kit_ask(k, "tools/list", "%s", ""), CTN_STR("/result/tools"));
    bool is_found = false;
    for (size_t i = 0; i < ctn_json_count(tools); i++)
        if (ctn_str_is(ctn_json_str_or(ctn_json_at(tools, i), "name", (ctn_str){0}), "itself")) {
            is_found = true;
            assert_at(ctn_json_at(tools, i), "/annotations/readOnlyHint", "true");
        }
    assert_true(is_found);
}

/* ---- calls that are repeated ---- */

static void a_repeated_key_joins_the_execution_and_other_arguments_are_refused(void **state)
{
    engine_kit *k = *state;
    k->meta = "'dev.catena/idempotency-key':'k-1'";
    (void) engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'Ada'}");
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'Ada'}");
    assert_at(a, "/result/structuredContent/said", "Hello, Ada!");
    assert_int_equal(engine_kit_count(k, "greet"), 1);
    a = engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'Bob'}");
    assert_at(a, "/result/isError", "true");
    assert_says(k, a, "with other arguments");
    assert_int_equal(engine_kit_count(k, "greet"), 1);
}

static void equal_calls_at_the_same_moment_are_one_execution_where_the_chain_says_so(void **state)
{
    engine_kit *k = *state;
    int64_t first = engine_kit_send(k, "tools/call", "'name':'once','arguments':{}");
    int64_t second = engine_kit_send(k, "tools/call", "'name':'once','arguments':{}");
    (void) engine_kit_wait(k, first);
    const ctn_json *a = engine_kit_wait(k, second);
    assert_at(a, "/result/isError", "false");
    (void) engine_kit_ask(k, "tools/call", "'name':'once','arguments':{}");
    assert_int_equal(engine_kit_count(k, "once"), 1);
    (void) engine_kit_ask(k, "tools/call", "'name':'once','arguments':{'other':1}");
    assert_int_equal(engine_kit_count(k, "once"), 2);
}

static int keep_labels(void *ctx, const ctn_execution_row *row)
{
    *(ctn_buf *) ctx = (ctn_buf){0};
    ctn_buf_init(ctx, 4096);
    ctn_buf_append(ctx, row->labels);
    return 1;
}

/* A PIN has ten thousand values: whoever can compute what stands in the store has it soon. */
static void no_sensitive_argument_can_be_guessed_from_the_labels(void **state)
{
    engine_kit *k = *state;
    static const char asked[] = "secretly\0{\"pin\":\"4711\"}";
    ctn_execution_filter filter = {.chain_id = CTN_STR("secretly")};
    ctn_buf labels;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'secretly','arguments':{'pin':'4711'}");
    assert_at(a, "/result/isError", "false");
    (void) ctn_store_execution_list(ctn_host_store(k->host), &filter, keep_labels, &labels, NULL);
    ctn_digest_text digest = ctn_digest_to_text(ctn_hash((ctn_str){asked, sizeof asked - 1}));
    assert_int_equal(ctn_str_find(ctn_buf_str(&labels), (ctn_str){digest.text, 16}), SIZE_MAX);
    assert_int_not_equal(ctn_str_find(ctn_buf_str(&labels), CTN_STR("\"mcp.arguments\":\"sealed:")), SIZE_MAX);
    ctn_buf_done(&labels);
    (void) engine_kit_ask(k, "tools/call", "'name':'secretly','arguments':{'pin':'4711'}");
    assert_int_equal(engine_kit_count(k, "secretly"), 1);
    (void) engine_kit_ask(k, "tools/call", "'name':'secretly','arguments':{'pin':'4712'}");
    assert_int_equal(engine_kit_count(k, "secretly"), 2);
}

/* Not by the way that gave them either; and the search is not blind: what is not sensitive is found. */
static void no_sensitive_value_leaves_by_any_answer(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a =
        engine_kit_ask(k, "tools/call", "'name':'secretly','arguments':{'pin':'Planted7f3a','x':'Plain51d0'}");
    assert_at(a, "/result/structuredContent/pin", "(sealed)");
    a = engine_kit_ask(k, "tools/call", "'name':'list_executions','arguments':{}");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executions/0/executionId");
    (void) engine_kit_ask(k, "tools/call", "'name':'get_execution','arguments':{'executionId':'%s'}", id);
    (void) engine_kit_ask(k, "tools/call", "'name':'explain','arguments':{'executionId':'%s'}", id);
    (void) engine_kit_ask(k, "tools/call", "'name':'explain','arguments':{'executionId':'%s','name':'pin'}", id);
    (void) engine_kit_ask(k, "resources/read", "'uri':'catena://executions/%s'", id);
    (void) engine_kit_ask(k, "resources/read", "'uri':'catena://executions/%s/journal'", id);
    size_t plain = 0;
    for (size_t i = 0; i < k->message_count; i++) {
        ctn_str text = ctn_json_to_str(k->arena, k->messages[i]);
        assert_int_equal(ctn_str_find(text, CTN_STR("Planted7f3a")), SIZE_MAX);
        plain += ctn_str_find(text, CTN_STR("Plain51d0")) != SIZE_MAX;
    }
    assert_in_range(plain, 1, k->message_count);
}

static void a_caller_who_goes_cancels_only_where_the_chain_says_so(void **state)
{
    engine_kit *k = *state;
    int64_t nap = engine_kit_send(k, "tools/call", "'name':'execute_chain','arguments':{'chain':'nap'}");
    int64_t held = engine_kit_send(k, "tools/call", "'name':'held','arguments':{}");
    engine_kit_run(k, 50);
    engine_kit_notify(k, "notifications/cancelled", "'requestId':%lld", (long long) nap);
    engine_kit_notify(k, "notifications/cancelled", "'requestId':%lld", (long long) held);
    engine_kit_run(k, 50);
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'list_executions','arguments':{}");
    assert_at(a, "/result/structuredContent/executions/0/chain", "held");
    assert_at(a, "/result/structuredContent/executions/0/status", "cancelled");
    assert_at(a, "/result/structuredContent/executions/1/status", "waiting");
}

/* ---- questions ---- */

static void an_assistant_without_forms_drives_agent_steps_by_answer_step(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'talk','arguments':{}");
    assert_at(a, "/result/structuredContent/status", "waiting");
    assert_at(a, "/result/structuredContent/waitingFor/0/kind", "agent");
    assert_at(a, "/result/structuredContent/waitingFor/0/instructions", "Which topic?");
    assert_at(a, "/result/structuredContent/waitingFor/0/answerWith/tool", "answer_step");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'answer_step','arguments':{'executionId':'%s','step':'find','answer':{'topic':7}}", id);
    assert_at(a, "/result/isError", "true");
    assert_says(k, a, "expected string");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'answer_step','arguments':{'executionId':'%s','step':'find','answer':{'topic':'tea'}}",
                       id);
    assert_at(a, "/result/structuredContent/waitingFor/0/step", "write");
    assert_at(a, "/result/structuredContent/waitingFor/0/input/topic", "tea");
    a = engine_kit_ask(
        k, "tools/call",
        "'name':'answer_step','arguments':{'executionId':'%s','step':'write','answer':{'lines':['a','b']}}", id);
    assert_at(a, "/result/structuredContent/status", "completed");
    assert_at(a, "/result/structuredContent/outputs/lines/1", "b");
}

static void a_form_is_asked_again_when_the_answer_does_not_fit_and_surplus_keys_are_ignored(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'talk','arguments':{}");
    assert_at(a, "/result/resultType", "input_required");
    const ctn_json *requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    assert_int_equal(ctn_json_count(requests), 1);
    assert_at(&requests->members[0].value, "/params/requestedSchema/properties/topic/type", "string");
    ctn_str first = ctn_json_text(&requests->members[0].key);
    a = engine_kit_ask(
        k, "tools/call",
        "'name':'talk','arguments':{},'inputResponses':{'%.*s':{'action':'accept','content':{'topic':7}},"
        "'x':{'action':'accept','content':{}}},'requestState':'%s'",
        CTN_STR_ARG(first), engine_kit_at(k, a, "/result/requestState"));
    assert_at(a, "/result/resultType", "input_required");
    requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    ctn_str again = ctn_json_text(&requests->members[0].key);
    assert_false(ctn_str_equal(first, again));
    assert_non_null(strstr(engine_kit_at(k, &requests->members[0].value, "/params/message"), "expected string"));
    a = engine_kit_ask(
        k, "tools/call",
        "'name':'talk','arguments':{},'inputResponses':{'%.*s':{'action':'accept','content':{'topic':'tea',"
        "'more':1}}},'requestState':'%s'",
        CTN_STR_ARG(again), engine_kit_at(k, a, "/result/requestState"));
    requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    assert_int_equal(ctn_json_count(requests), 1); /* write: no flat object, so its answer is one text of JSON */
    assert_at(&requests->members[0].value, "/params/requestedSchema/required/0", "answer");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'talk','arguments':{},'inputResponses':{'%.*s':{'action':'accept','content':{'answer':"
                       "'{\\'lines\\':[]}'}}},'requestState':'%s'",
                       CTN_STR_ARG(ctn_json_text(&requests->members[0].key)),
                       engine_kit_at(k, a, "/result/requestState"));
    assert_at(a, "/result/structuredContent", "{\"topic\":\"tea\",\"lines\":[]}");
    assert_int_equal(engine_kit_count(k, "talk"), 1);
}

static void answers_that_come_first_do_an_agent_s_step_and_approve_nothing(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call",
                                       "'name':'talk','arguments':{},'inputResponses':{'find':{'action':'accept',"
                                       "'content':{'topic':'tea'}},'other':{'action':'accept','content':{}}}");
    assert_non_null(ctn_json_pointer(a, CTN_STR("/result/inputRequests/write")));
    a = engine_kit_ask(k, "tools/call",
                       "'name':'sign','arguments':{'paper':'x'},'inputResponses':{'signature':{'action':'accept',"
                       "'content':{'approved':true}}}");
    assert_non_null(ctn_json_pointer(a, CTN_STR("/result/inputRequests/signature")));
}

static void a_question_survives_a_restart_and_its_state_leads_back(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'sign','arguments':{'paper':'the deed'}");
    const ctn_json *requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    ctn_str key = ctn_json_text(&requests->members[0].key);
    assert_non_null(strstr(engine_kit_at(k, &requests->members[0].value, "/params/message"), "Sign the deed?"));
    engine_kit_restart(k);
    a = engine_kit_ask(k, "tools/call",
                       "'name':'sign','arguments':{'paper':'the deed'},'inputResponses':{'%.*s':{'action':'accept',"
                       "'content':{'approved':true}}},'requestState':'%s'",
                       CTN_STR_ARG(key), engine_kit_at(k, a, "/result/requestState"));
    assert_at(a, "/result/structuredContent/approved", "true");
    assert_int_equal(engine_kit_count(k, "sign"), 1);
}

/* A key that nobody asked for is passed by, whatever stands there; one that a person was asked is not. */
static void an_answer_without_an_action_is_refused_and_answers_nothing(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'sign','arguments':{'paper':'x'}");
    const ctn_json *requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    ctn_str key = ctn_json_text(&requests->members[0].key);
    const char *sealed = engine_kit_at(k, a, "/result/requestState");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'sign','arguments':{'paper':'x'},'inputResponses':{'%.*s':{'roots':[]}},"
                       "'requestState':'%s'",
                       CTN_STR_ARG(key), sealed);
    assert_at(a, "/error/code", "-32602");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'sign','arguments':{'paper':'x'},'inputResponses':{'other':{'roots':[]},'%.*s':{"
                       "'action':'accept','content':{'approved':true}}},'requestState':'%s'",
                       CTN_STR_ARG(key), sealed);
    assert_at(a, "/result/structuredContent/approved", "true");
}

static void a_cancelled_form_leaves_the_step_waiting_and_says_so(void **state)
{
    engine_kit *k = *state;
    k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'sign','arguments':{'paper':'x'}");
    const ctn_json *requests = ctn_json_pointer(a, CTN_STR("/result/inputRequests"));
    a = engine_kit_ask(k, "tools/call",
                       "'name':'sign','arguments':{'paper':'x'},'inputResponses':{'%.*s':{'action':'cancel'}},"
                       "'requestState':'%s'",
                       CTN_STR_ARG(ctn_json_text(&requests->members[0].key)),
                       engine_kit_at(k, a, "/result/requestState"));
    assert_at(a, "/result/resultType", "complete");
    assert_at(a, "/result/structuredContent/status", "waiting");
    assert_says(k, a, "answer_step");
}

static const ctn_json *approve(const ctn_json *params)
{
    static const ctn_json_member content[] = {{{CTN_JSON_STRING, 8, {"approved"}}, {CTN_JSON_TRUE, 0, {NULL}}}};
    static const ctn_json_member result[] = {
        {{CTN_JSON_STRING, 6, {"action"}}, {CTN_JSON_STRING, 6, {"accept"}}},
        {{CTN_JSON_STRING, 7, {"content"}}, {CTN_JSON_OBJECT, 1, {.members = content}}}};
    static const ctn_json value = {CTN_JSON_OBJECT, 2, {.members = result}};
    (void) params;
    return &value;
}

static void an_older_client_is_asked_by_a_request_and_the_call_goes_on(void **state)
{
    engine_kit *k = *state;
    k->is_modern = false;
    k->on_question = approve;
    (void) engine_kit_ask(k, "initialize",
                          "'protocolVersion':'2025-11-25','capabilities':{'elicitation':{}},'clientInfo':{'name':'t',"
                          "'version':'1'}");
    engine_kit_notify(k, "notifications/initialized", "%s", "");
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'sign','arguments':{'paper':'x'}");
    assert_at(a, "/result/structuredContent/approved", "true");
}

/* ---- the engine's own tools ---- */

static void arguments_that_no_tool_has_are_named_with_the_nearest(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'get_execution','arguments':{'executionID':'x'}");
    assert_says(k, a, "did you mean \"executionId\"?");
    a = engine_kit_ask(k, "tools/call", "'name':'execute_chain','arguments':{'chain':'great'}");
    assert_says(k, a, "did you mean \"greet\"?");
    a = engine_kit_ask(k, "tools/call", "'name':'check_chain','arguments':{'text':'x'}");
    assert_says(k, a, "has no argument \"text\"; there are chain and definition. Nothing was done.");
    a = engine_kit_ask(k, "tools/call", "'name':'execute_chain','arguments':{'chain':'greet','waitMs':-1}");
    assert_says(k, a, "Nothing was done. It takes chain (required), input, waitMs,"); /* and not its whole schema */
    a = engine_kit_ask(k, "tools/call", "'name':'list_executions','arguments':{'chain':'great'}");
    assert_says(k, a, "did you mean");
    a = engine_kit_ask(k, "tools/call", "'name':'get_execution','arguments':{'executionId':'0123456'}");
    assert_says(k, a, "list_executions");
}

static void chains_are_listed_looked_at_checked_and_tried(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'list_chains','arguments':{}");
    assert_at(a, "/result/structuredContent/chains/0/chain", "fails");
    a = engine_kit_ask(k, "tools/call", "'name':'get_chain','arguments':{'chain':'talk','definition':true}");
    assert_at(a, "/result/structuredContent/steps/1/after/0", "find");
    assert_at(a, "/result/structuredContent/definition/id", "talk");
    a = engine_kit_ask(k, "tools/call", "'name':'check_chain','arguments':{'chain':'talk'}");
    assert_at(a, "/result/structuredContent/canRun", "true");
    a = engine_kit_ask(k, "tools/call",
                       "'name':'check_chain','arguments':{'definition':'id: x\\nsteps: [{stepName: a, instructionSet: "
                       "find-topc}]'}");
    assert_at(a, "/result/structuredContent/canRun", "false");
    assert_non_null(strstr(engine_kit_at(k, a, "/result/structuredContent/findings"), "find-topic"));
    /* who gives a text names no file of this machine: not even whether it is there is told */
    a = engine_kit_ask(
        k, "tools/call",
        "'name':'check_chain','arguments':{'definition':'id: x\\nsteps: [{stepName: a, instructionSet: p}]"
        "\\ninstructionSets: {p: {prompt: {instructions: /usr/share/common-licenses/x.txt}}}'}");
    assert_at(a, "/result/structuredContent/canRun", "false");
    assert_non_null(strstr(engine_kit_at(k, a, "/result/structuredContent/findings"), "comes as a text"));
    a = engine_kit_ask(k, "tools/call", "'name':'simulate_chain','arguments':{'chain':'sign','seeds':20}");
    assert_at(a, "/result/structuredContent/worlds", "20");
    a = engine_kit_ask(k, "tools/call", "'name':'simulate_chain','arguments':{'chain':'sign','seed':1}");
    assert_at(a, "/result/structuredContent/seed", "1");
}

static void ignore_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) ctx, (void) id, (void) err;
    assert_int_equal(rc, CTN_OK);
}

static void a_paused_execution_says_why_and_how_to_go_on(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a =
        engine_kit_ask(k, "tools/call", "'name':'execute_chain','arguments':{'chain':'nap','waitMs':0}");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    ctn_request q = {.op = CTN_REQUEST_PAUSE, .reason = CTN_STR("the tool has changed"), .actor = CTN_STR("ada")};
    assert_int_equal(ctn_id_parse(ctn_str_from(id), &q.id, NULL), CTN_OK);
    ctn_request_file(ctn_host_engine(k->host), ctn_host_store(k->host), &q, ignore_ack, NULL);
    engine_kit_run(k, 20);
    a = engine_kit_ask(k, "tools/call", "'name':'get_execution','arguments':{'executionId':'%s'}", id);
    assert_at(a, "/result/structuredContent/status", "paused");
    assert_says(k, a, "It is paused: the tool has changed. Call resume_execution with");
}

/* ---- tasks ---- */

static void a_long_call_becomes_a_task_that_resolves_after_a_restart(void **state)
{
    engine_kit *k = *state;
    k->has_tasks = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call",
                                       "'name':'execute_chain','arguments':{'chain':'greet','input':{"
                                       "'name':'Ada'}}");
    assert_at(a, "/result/resultType", "complete"); /* the engine's own tools are none */
    a = engine_kit_ask(k, "tools/call", "'name':'once','arguments':{}");
    assert_at(a, "/result/resultType", "complete"); /* it ends in time */
    a = engine_kit_ask(k, "tools/call", "'name':'nap','arguments':{}");
    assert_at(a, "/result/resultType", "task");
    const char *id = engine_kit_at(k, a, "/result/taskId");
    assert_true(strlen(id) >= 32);
    engine_kit_restart(k);
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/result/status", "working");
    assert_at(a, "/result/ttlMs", "null");
    a = engine_kit_ask(k, "tasks/cancel", "'taskId':'%s'", id);
    assert_at(a, "/result/resultType", "complete");
    engine_kit_run(k, 50);
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/result/status", "cancelled");
    a = engine_kit_ask(k, "tasks/cancel", "'taskId':'%s'", id);
    assert_at(a, "/result/resultType", "complete");
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%.36s.00000000000000000000000000000000'", id);
    assert_at(a, "/error/code", "-32602");
    assert_int_equal(engine_kit_count(k, "nap"), 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, engine_kit_teardown)
    const struct CMUnitTest tests[] = {
        T(a_chain_is_called_and_gives_its_outputs),
        T(wrong_arguments_start_nothing_and_say_what_is_taken),
        T(a_failed_chain_names_the_step_and_the_tools_that_tell_more),
        T(a_slow_chain_answers_with_its_execution_and_goes_on),
        T(annotations_are_what_the_steps_do),
        T(a_chain_that_calls_itself_is_looked_at_once),
        T(a_repeated_key_joins_the_execution_and_other_arguments_are_refused),
        T(equal_calls_at_the_same_moment_are_one_execution_where_the_chain_says_so),
        T(no_sensitive_argument_can_be_guessed_from_the_labels),
        T(no_sensitive_value_leaves_by_any_answer),
        T(a_caller_who_goes_cancels_only_where_the_chain_says_so),
        T(an_assistant_without_forms_drives_agent_steps_by_answer_step),
        T(a_form_is_asked_again_when_the_answer_does_not_fit_and_surplus_keys_are_ignored),
        T(answers_that_come_first_do_an_agent_s_step_and_approve_nothing),
        T(a_question_survives_a_restart_and_its_state_leads_back),
        T(an_answer_without_an_action_is_refused_and_answers_nothing),
        T(a_cancelled_form_leaves_the_step_waiting_and_says_so),
        T(an_older_client_is_asked_by_a_request_and_the_call_goes_on),
        T(arguments_that_no_tool_has_are_named_with_the_nearest),
        T(chains_are_listed_looked_at_checked_and_tried),
        T(a_paused_execution_says_why_and_how_to_go_on),
        T(a_long_call_becomes_a_task_that_resolves_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
