/*
 * Waiting steps are answered in the same words by whatever way: `catena answer`, the HTTP API, MCP's answer_step. Each
 * wrong answer is refused by all three with the same sentence of the engine, and changes nothing; a right one that one
 * of them gives is the end of it for the others.
 */
#include "mcp_pipe.h"
#include "web_kit.h"

#include <stdio.h>
#include <string.h>

typedef struct three {
    world *w;
    web web;
    mcp_pipe mcp;
    ctn_arena *arena;
    char id[64];
} three;

static void open_three(three *ret, world *w)
{
    *ret = (three){.w = w, .arena = ctn_arena_new(1 << 16)};
    cli_world_write(ret->w, "catena.yaml", "store: sqlite:s.db\ninclude: [c.yaml]\n");
    cli_world_write(ret->w, "c.yaml",
                    "id: c\noutputs: [approved, facts]\nsteps:\n"
                    "  - {stepName: consent, instructionSet: consent, outputVariables: [approved]}\n"
                    "  - {stepName: research, instructionSet: research, outputVariables: [facts]}\n"
                    "  - {stepName: word, instructionSet: word}\n"
                    "instructionSets:\n  consent: {approval: {message: Shall we?}}\n"
                    "  research: {agent: {instructions: Look it up., outputSchema: {type: object, required: [facts], "
                    "properties: {facts: {type: array}}}}}\n"
                    "  word: {wait: {ms: 600000, answerSchema: {type: object, required: [text]}}}\n");
    web_open(&ret->web, ret->w, "");
    mcp_pipe_open(&ret->mcp, ret->w, NULL, true);
    assert_exit(ret->w, catena(ret->w, "start", "c", "--json", NULL), 0);
    json_text(ret->w->said.out, "executionId", ret->id);
    char target[128];
    (void) snprintf(target, sizeof target, "/v1/executions/%s?wait=20s", ret->id);
    web_answer a = web_ask(&ret->web, ret->arena, "GET", target, "", (ctn_str){0}); /* until somebody is needed */
    assert_int_equal(a.status, 200);
}

static void close_three(three *t)
{
    mcp_pipe_close(&t->mcp);
    web_close(&t->web);
    ctn_arena_free(t->arena);
}

static ctn_str text_of_mcp(three *t, const char *step, const char *answer)
{
    char single[400];
    (void) snprintf(single, sizeof single, "%s", answer);
    for (char *c = single; *c; c++)
        *c = *c == '"' ? '\'' : *c;
    const ctn_json *result = mcp_pipe_ask(
        &t->mcp, "tools/call", "'name':'answer_step','arguments':{'executionId':'%s','step':'%s','answer':%s}", t->id,
        step, single);
    assert_non_null(result);
    assert_string_equal(mcp_pipe_at(&t->mcp, result, "/result/isError"), "true");
    return ctn_str_from(mcp_pipe_at(&t->mcp, result, "/result/content/0/text"));
}

static web_answer ask_api(three *t, const char *step, const char *answer)
{
    char target[128];
    (void) snprintf(target, sizeof target, "/v1/executions/%s/answer", t->id);
    ctn_str body = ctn_arena_printf(t->arena, "{\"step\":\"%s\",\"answer\":%s}", step, answer);
    return web_ask(&t->web, t->arena, "POST", target, "Content-Type: application/json\r\n", body);
}

static void assert_in(ctn_str text, const char *part, const char *who)
{
    if (ctn_str_find(text, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("%s says: %.*s\nand not: %s", who, CTN_STR_ARG(text), part);
}

static void refused_by_all(three *t, const char *step, const char *answer, const char *sentence)
{
    assert_exit(t->w, catena(t->w, "answer", t->id, step, answer, NULL), 2);
    assert_in(ctn_str_from(t->w->said.err), sentence, "catena answer");
    web_answer a = ask_api(t, step, answer);
    assert_in_range(a.status, 400, 499);
    assert_in(ctn_json_str_or(a.json, "detail", CTN_STR("")), sentence, "the API");
    assert_in(text_of_mcp(t, step, answer), sentence, "answer_step");
}

static void wrong_answers_are_refused_in_the_same_words(void **state)
{
    three all, *t = &all;
    open_three(t, *state);
    refused_by_all(t, "consent", "{\"approved\": \"yes\"}", "step consent waits for a yes or no");
    refused_by_all(t, "consent", "{}", "answer {\"approved\": true} or {\"approved\": false}");
    refused_by_all(t, "consent", "[true]", "step consent waits for a yes or no");
    assert_exit(t->w, catena(t->w, "answer", t->id, "consent", "{\"approved\": true}", "--quiet", NULL), 3);
    refused_by_all(t, "research", "{\"facts\": \"none\"}", "facts");
    refused_by_all(t, "research", "{\"fact\": []}", "facts");
    web_answer a = ask_api(t, "research", "{\"facts\": [1]}");
    assert_in_range(a.status, 200, 202);
    /* A slip of the pen is no silence: who waits goes on waiting. */
    assert_exit(t->w, catena(t->w, "answer", t->id, "word", "{\"txt\": \"yes\"}", NULL), 2);
    assert_in(ctn_str_from(t->w->said.err), "does not fit what step word asks for", "catena answer");
    a = ask_api(t, "word", "{\"txt\": \"yes\"}");
    assert_in_range(a.status, 400, 422);
    a = ask_api(t, "word", "{\"text\": \"yes\"}");
    assert_in_range(a.status, 200, 202);
    char target[128];
    (void) snprintf(target, sizeof target, "/v1/executions/%s?wait=20s", t->id);
    a = web_ask(&t->web, t->arena, "GET", target, "", (ctn_str){0});
    assert_in(a.body, "\"facts\":[1]", "the API");
    /* The first answer stands: nobody waits any more, whoever asks. */
    assert_exit(t->w, catena(t->w, "answer", t->id, "research", "{\"facts\": [2]}", NULL), 2);
    a = ask_api(t, "research", "{\"facts\": [2]}");
    assert_int_equal(a.status, 409);
    (void) text_of_mcp(t, "research", "{\"facts\": [2]}");
    close_three(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(wrong_answers_are_refused_in_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
