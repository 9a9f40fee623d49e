/*
 * Executions as tasks, questions inside them, and what is told without being asked: progress, changed lists, tasks.
 */
#include <stdlib.h>

#include "support/cmocka.h"
#include "unit/server/engine_kit.h"

static const char *const CHAINS[] = {
    "id: job\n"
    "mcp: {task: required}\n"
    "outputs: [first, second]\n"
    "instructionSets:\n"
    "  ask-one: {agent: {instructions: One?, outputSchema: {type: object, required: [n], properties: {n: {type: "
    "integer}}}}}\n"
    "steps:\n"
    "  - {stepName: one, instructionSet: ask-one, outputVariables: {first: n}, dependsOn: []}\n"
    "  - {stepName: two, instructionSet: ask-one, outputVariables: {second: n}, dependsOn: []}\n",

    "id: inner\n"
    "instructionSets: {say-yes: {approval: {message: Inside?}}}\n"
    "outputs: [approved]\n"
    "steps: [{stepName: consent, instructionSet: say-yes, outputVariables: [approved]}]\n",

    "id: outer\n"
    "instructionSets: {go-in: {chain: inner}}\n"
    "outputs: [approved]\n"
    "steps: [{stepName: enter, instructionSet: go-in, outputVariables: [approved]}]\n",

    "id: walk\n"
    "instructionSets: {a-step: {wait: {ms: 20}}}\n"
    "steps:\n"
    "  - {stepName: left, instructionSet: a-step}\n"
    "  - {stepName: right, instructionSet: a-step}\n",
    NULL};

static int setup(void **state)
{
    return engine_kit_setup(state, CHAINS);
}

static const ctn_json *requests_of(const ctn_json *task)
{
    return ctn_json_pointer(task, CTN_STR("/result/inputRequests"));
}

/* The last notification of this method; NULL: none. */
static const ctn_json *told(const engine_kit *k, const char *method, size_t *ret_count)
{
    const ctn_json *last = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < k->message_count; i++)
        if (ctn_str_is(ctn_json_str_or(k->messages[i], "method", (ctn_str){0}), method)) {
            last = k->messages[i];
            ++*ret_count;
        }
    return last;
}

static const char *begin_job(engine_kit *k)
{
    k->has_tasks = k->has_form = true;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'job','arguments':{}");
    assert_at(a, "/result/resultType", "task");
    assert_at(a, "/result/status", "working");
    return engine_kit_at(k, a, "/result/taskId");
}

static void a_part_of_the_answers_leaves_the_rest_open(void **state)
{
    engine_kit *k = *state;
    const char *id = begin_job(k);
    const ctn_json *a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/result/status", "input_required");
    assert_int_equal(ctn_json_count(requests_of(a)), 2);
    a = engine_kit_ask(k, "tasks/update",
                       "'taskId':'%s','inputResponses':{'one':{'action':'accept','content':{'n':1}},'what':{'action':"
                       "'accept','content':{}}}",
                       id);
    assert_at(a, "/result/resultType", "complete");
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_int_equal(ctn_json_count(requests_of(a)), 1);
    assert_true(ctn_str_is(ctn_json_text(&requests_of(a)->members[0].key), "two"));
    (void) engine_kit_ask(k, "tasks/update",
                          "'taskId':'%s','inputResponses':{'one':{'action':'accept','content':{'n':9}},'two':{'action':"
                          "'accept','content':{'n':2}}}",
                          id);
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/result/status", "completed");
    assert_at(a, "/result/result/structuredContent", "{\"first\":1,\"second\":2}");
}

static void a_wrong_answer_is_asked_for_again_under_another_key(void **state)
{
    engine_kit *k = *state;
    const char *id = begin_job(k);
    (void) engine_kit_ask(k, "tasks/update",
                          "'taskId':'%s','inputResponses':{'one':{'action':'accept','content':{'n':'x'}}}", id);
    const ctn_json *a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_null(ctn_json_member_of(requests_of(a), "one"));
    assert_int_equal(ctn_json_count(requests_of(a)), 2);
    assert_non_null(strstr(engine_kit_at(k, a, "/result/inputRequests"), "The last answer was not taken"));
}

static void a_task_is_nobody_elses_and_who_cannot_be_asked_is_told_what_to_call(void **state)
{
    engine_kit *k = *state;
    const char *id = begin_job(k);
    k->has_form = false;
    const ctn_json *a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/result/status", "working");
    assert_non_null(strstr(engine_kit_at(k, a, "/result/statusMessage"), "answer_step"));
    k->channel.principal = CTN_STR("eve");
    a = engine_kit_ask(k, "tasks/get", "'taskId':'%s'", id);
    assert_at(a, "/error/code", "-32602");
    a = engine_kit_ask(k, "tasks/cancel", "'taskId':'%s'", id);
    assert_at(a, "/error/code", "-32602");
}

static void a_modern_client_without_tasks_is_told_that_it_needs_them(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'job','arguments':{}");
    assert_at(a, "/error/code", "-32021");
    assert_int_equal(engine_kit_count(k, "job"), 0);
}

static void who_listens_to_a_task_is_told_its_end(void **state)
{
    engine_kit *k = *state;
    size_t count;
    const char *id = begin_job(k);
    (void) engine_kit_send(k, "subscriptions/listen", "'notifications':{'taskIds':['%s']}", id);
    (void) engine_kit_ask(k, "tasks/cancel", "'taskId':'%s'", id);
    engine_kit_run(k, 100);
    const ctn_json *last = told(k, "notifications/tasks", &count);
    assert_non_null(last);
    assert_at(last, "/params/status", "cancelled");
    assert_at(last, "/params/taskId", id);
}

static void a_question_of_a_sub_chain_reaches_the_caller_and_its_answer_the_sub_chain(void **state)
{
    engine_kit *k = *state;
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'outer','arguments':{}");
    assert_at(a, "/result/structuredContent/waitingFor/0/step", "consent");
    const char *id = engine_kit_at(k, a, "/result/structuredContent/executionId");
    const char *inner = engine_kit_at(k, a, "/result/structuredContent/waitingFor/0/answerWith/arguments/executionId");
    assert_string_not_equal(inner, id);
    a = engine_kit_ask(
        k, "tools/call",
        "'name':'answer_step','arguments':{'executionId':'%s','step':'consent','answer':{'approved':true}}", inner);
    assert_at(a, "/result/structuredContent/executionId", id); /* it is told of the whole */
    assert_at(a, "/result/structuredContent/status", "completed");
    assert_at(a, "/result/structuredContent/outputs/approved", "true");
}

static void progress_counts_the_steps_that_have_ended(void **state)
{
    engine_kit *k = *state;
    size_t count;
    k->meta = "'progressToken':'p'";
    (void) engine_kit_ask(k, "tools/call", "'name':'walk','arguments':{}");
    const ctn_json *last = told(k, "notifications/progress", &count);
    assert_true(count >= 2);
    assert_at(last, "/params/total", "2");
    assert_at(last, "/params/progress", "2");
}

static void chains_that_another_process_stores_become_tools_and_listeners_are_told(void **state)
{
    engine_kit *k = *state;
    size_t count;
    static const char BODY[] = "{\"id\":\"stored\",\"steps\":[{\"stepName\":\"left\",\"instructionSet\":\"a-step\"}]}";
    ctn_definition d = {ctn_hash(ctn_str_from(BODY)), CTN_STR("chain"), CTN_STR("stored"), ctn_str_from(BODY)};
    ctn_chain_row row = {
        .chain_id = CTN_STR("stored"), .digest = d.digest, .created_at_ms = 1, .created_by = CTN_STR("x")};
    ctn_store *store = NULL;
    int64_t version = 0;
    (void) engine_kit_ask(k, "tools/list", "%s", "");
    (void) engine_kit_send(k, "subscriptions/listen", "'notifications':{'toolsListChanged':true}");
    assert_int_equal(ctn_store_open(k->ws.store_url, CTN_STORE_WRITE, &store, NULL), CTN_OK);
    assert_int_equal(ctn_store_definition_put(store, &d, 1, NULL), CTN_OK);
    assert_int_equal(ctn_store_chain_put(store, &row, &version, NULL), CTN_OK);
    ctn_store_close(store);
    engine_kit_run(k, 2300);
    (void) told(k, "notifications/tools/list_changed", &count);
    assert_int_equal(count, 1);
    const ctn_json *a = engine_kit_ask(k, "tools/call", "'name':'stored','arguments':{}");
    assert_at(a, "/result/isError", "false");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, engine_kit_teardown)
    const struct CMUnitTest tests[] = {
        T(a_part_of_the_answers_leaves_the_rest_open),
        T(a_wrong_answer_is_asked_for_again_under_another_key),
        T(a_task_is_nobody_elses_and_who_cannot_be_asked_is_told_what_to_call),
        T(a_modern_client_without_tasks_is_told_that_it_needs_them),
        T(who_listens_to_a_task_is_told_its_end),
        T(a_question_of_a_sub_chain_reaches_the_caller_and_its_answer_the_sub_chain),
        T(progress_counts_the_steps_that_have_ended),
        T(chains_that_another_process_stores_become_tools_and_listeners_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
