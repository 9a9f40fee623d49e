/* Prompts through the real program, over a server that plays the model: runs, deaths, budgets, keys. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_kit.h"
#include "support/model_peer.h"

#define KEY "sk-planted-model-key-77aa"

#define SORT                                                                                                           \
    "id: sort\ninstructionSets:\n"                                                                                     \
    "  classify:\n    prompt: {instructions: sort.md, maxTokens: 50, schema: {type: object, required: [mood],\n"       \
    "      properties: {mood: {enum: [glad, sad]}}}}\n    arguments: {text: '{text}'}\n"                               \
    "steps:\n  - {stepName: classify, instructionSet: classify, outputVariables: [mood],\n"                            \
    "     retryConfig: {maxRetries: 2, backoffMs: 10}}\n"

static void make_world(world *w, const model_peer *peer, const char *model, const char *chain)
{
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:agency.db\ninclude: ['*.chain.yaml']\nmodels:\n"
                    "  default: {api: openai, url: '%s/v1', key: {file: key.txt}, model: tiny-1%s}\n",
                    model_peer_url(peer), model);
    cli_world_write(w, "key.txt", "%s\n", KEY);
    cli_world_write(w, "sort.md", "Say the mood of the text.\n");
    cli_world_write(w, "it.chain.yaml", "%s", chain);
}

static void a_prompt_runs_and_tells_what_it_used(void **state)
{
    world *w = *state;
    const model_turn turns[] = {{.text = "{\"mood\": \"hungry\"}", .input_tokens = 40, .output_tokens = 10},
                                {.text = "{\"mood\": \"glad\"}", .input_tokens = 60, .output_tokens = 10}};
    model_peer *peer = model_peer_start(MODEL_OPENAI, turns, 2);
    char id[64];
    make_world(w, peer, ", price: {input: 2.50, output: 10}", SORT);
    assert_exit(w, catena(w, "run", "sort", "-i", "text=It is sunny.", NULL), 0);
    assert_out(w, "\"mood\": \"glad\"");
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "120 tokens, money 0.0004500"); /* 100 * 2.50 + 20 * 10 millionths */
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    assert_out(w, "\"used\":{\"tokens\":120,\"money\":0.0004500");
    assert_exit(w, catena(w, "timeline", id, "--json", NULL), 0);
    assert_out(w, "\"tokens\":120");
    assert_exit(w, catena(w, "timeline", id, NULL), 0);
    assert_out(w, "120 tokens");
    model_peer_stop(peer);
}

/* It is killed while the model thinks, and the file with the instructions is another one when it goes on. */
static void a_death_in_mid_call_costs_one_more_call(void **state)
{
    world *w = *state;
    const model_turn turns[] = {{.way = MODEL_HANGS},
                                {.text = "{\"mood\": \"sad\"}", .input_tokens = 1, .output_tokens = 1}};
    model_peer *peer = model_peer_start(MODEL_OPENAI, turns, 2);
    char id[64];
    make_world(w, peer, "", SORT);
    running r = catena_start(w, "run", "sort", "-i", "text=It rains.", NULL);
    for (int i = 0; i < 1000 && model_peer_requests(peer) == 0; i++)
        usleep(10000);
    assert_int_equal(model_peer_requests(peer), 1);
    assert_int_equal(kill(r.pid, SIGKILL), 0);
    (void) running_wait(w, &r);
    cli_world_write(w, "sort.md", "Say something else.\n");
    newest_id(w, id);
    assert_exit(w, catena(w, "resume", id, NULL), 0);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_out(w, "sad");
    assert_int_equal(model_peer_requests(peer), 2);
    assert_contains(model_peer_body(peer, 1), "Say the mood of the text.");
    model_peer_stop(peer);
}

static void a_model_that_is_not_there_stops_nothing_half_way(void **state)
{
    world *w = *state;
    const model_turn turns[] = {{.text = "x"}};
    model_peer *peer = model_peer_start(MODEL_OPENAI, turns, 1);
    make_world(w, peer, "",
               "id: sort\nsteps: [{stepName: a, instructionSet: m}]\n"
               "instructionSets: {m: {prompt: {model: defalt, instructions: hello}}}\n");
    assert_exit(w, catena(w, "run", "sort", NULL), 2);
    assert_err(w, "asks the model \"defalt\"");
    assert_err(w, "did you mean \"default\"?");
    cli_world_write(w, "it.chain.yaml",
                    "id: sort\nbudget: {money: 1}\nsteps: [{stepName: a, instructionSet: m}]\n"
                    "instructionSets: {m: {prompt: {instructions: hello}}}\n");
    assert_exit(w, catena(w, "run", "sort", NULL), 2);
    assert_err(w, "nobody knows what the model \"default\" of step a costs");
    cli_world_write(w, "it.chain.yaml",
                    "id: sort\nsteps: [{stepName: a, instructionSet: m}]\n"
                    "instructionSets: {m: {prompt: {instructions: sotr.md}}}\n");
    assert_exit(w, catena(w, "check", "it.chain.yaml", NULL), 2);
    assert_out(w, "sotr.md");
    assert_int_equal(model_peer_requests(peer), 0);
    model_peer_stop(peer);
}

/* Ten at once, each of which may take some 0.0019 and takes 0.0012: seven fit one after the other, an eighth may not.
 */
static void money_is_not_exceeded_by_many_at_once(void **state)
{
    world *w = *state;
    const model_turn turns[] = {{.text = "hello", .input_tokens = 200, .output_tokens = 100, .pause_ms = 5}};
    model_peer *peer = model_peer_start(MODEL_OPENAI, turns, 1);
    char id[64], spent[64], command[COMMAND_MAX];
    make_world(w, peer, ", price: {input: 1, output: 10}",
               "id: sort\nbudget: {money: 0.01}\ninputSchema: {type: object, properties: {words: {type: array}}}\n"
               "steps:\n  - {stepName: a, instructionSet: m, foreach: {items: '{words}', maxConcurrency: 10}, "
               "outputVariables: {texts: text}}\n"
               "instructionSets: {m: {prompt: {instructions: hello, maxTokens: 100}, arguments: {w: '{item}'}}}\n");
    assert_exit(w, catena(w, "run", "sort", "-i", "words:=[1,2,3,4,5,6,7,8,9,10]", NULL), 3);
    assert_err(w, "the budget of money has no room for the next call");
    offered(w, "grant it once more", 0, command);
    newest_id(w, id);
    assert_exit(w, catena(w, "show", id, "--json", NULL), 0);
    const char *money = strstr(w->said.out, "\"money\":");
    assert_non_null(money);
    assert_true(sscanf(money, "\"money\":%63[0-9.]", spent) == 1);
    assert_true(strtod(spent, NULL) <= 0.01 && strtod(spent, NULL) > 0.008);
    assert_exit(w, shell(w, command), 0);
    assert_int_equal(model_peer_requests(peer), 10);
    model_peer_stop(peer);
}

/* What is written wrongly of a model, and what is said of it. */
static void a_model_that_is_written_wrongly_is_refused_with_its_place(void **state)
{
    world *w = *state;
    static const char *const WRONG[][2] = {
        {"{api: opnai}", "'api' must be openai or anthropic"},
        {"{url: 'https://h/v1'}", "'api'"},
        {"{api: openai, url: 'ftp://h'}", "3:"},
        {"{api: openai, key: sk-123}", "the key of a model says where it is found: {env: NAME} or {file: PATH}"},
        {"{api: openai, key: {env: A, file: b}}", "one of env and file"},
        {"{api: openai, price: {input: -1, output: 2}}", "a price is a number that is not negative"},
        {"{api: openai, price: {input: 1}}", "output"},
        {"{api: openai, headers: {x-key: '{secret.A}'}}", "a secret of a model is its `key`"},
        {"{api: openai, headers: {'a b': c}}", "cannot be the name of a header"},
        {"{api: openai, maxTokens: 0}", "maxTokens"},
        {"small", "a model is an object"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        cli_world_write(w, "catena.yaml", "store: sqlite:a.db\nmodels:\n  default: %s\n", WRONG[i][0]);
        assert_exit(w, catena(w, "list", NULL), 2);
        assert_err(w, "catena.yaml:3:");
        assert_err(w, WRONG[i][1]);
    }
}

/* No model is asked: answers are made up by the schema, or written in the case. */
static void a_prompt_is_simulated_and_tested_without_a_model(void **state)
{
    world *w = *state;
    cli_world_write(
        w, "sort.yaml",
        "id: sort\ninstructionSets:\n"
        "  classify: {prompt: {instructions: Sort it., schema: {type: object, required: [mood], properties: {mood: "
        "{enum: "
        "[glad, sad]}}}}, arguments: {text: '{text}'}}\n"
        "  reply: {prompt: {instructions: Answer.}, arguments: {mood: '{mood}'}}\n"
        "steps:\n  - {stepName: classify, instructionSet: classify, outputVariables: [mood]}\n"
        "  - {stepName: reply, instructionSet: reply, outputVariables: {reply: text}, retryConfig: {maxRetries: 2, "
        "backoffMs: 10},\n     conditionalExecution: \"{mood} == 'sad' ? continue : skip\"}\n");
    cli_world_write(
        w, "sort.test.yaml",
        "chain: sort.yaml\ncases:\n"
        "  - name: a sad one is answered\n    input: {text: It rains}\n"
        "    tools: {classify: {mood: sad}, reply: [{error: rate_limited}, {text: Take an umbrella}]}\n"
        "    expect: {status: completed, outputs: {mood: sad, reply: Take an umbrella}, calls: {default: 3}}\n"
        "  - name: a glad one is not\n    input: {text: It is sunny}\n    tools: {default: {mood: glad}}\n"
        "    expect: {status: completed, steps: {reply: skipped}}\n");
    assert_exit(w, catena(w, "simulate", "sort.yaml", "--seeds", "500", NULL), 0);
    assert_out(w, "nothing bad is reachable");
    assert_lacks(w->said.out, "guess");
    assert_exit(w, catena(w, "test", "sort.test.yaml", NULL), 0);
    assert_out(w, "2 passed, 0 failed");
}

static void assert_no_key_in(const char *folder)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (struct dirent *d; (d = readdir(open));) {
        char path[600], *text = NULL;
        size_t count = 0;
        snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        FILE *file = strcmp(d->d_name, "key.txt") == 0 ? NULL : fopen(path, "rbe");
        if (file && getdelim(&text, &count, -1, file) > 0 && memmem(text, count, KEY, strlen(KEY)))
            fail_msg("the key is in %s", d->d_name);
        if (file)
            (void) fclose(file);
        free(text);
    }
    (void) closedir(open);
}

/* A model that gives back the key that it was asked with, in each way that it can. */
static void the_key_is_in_nothing_that_was_written(void **state)
{
    world *w = *state;
    const model_turn turns[] = {{.text = "your key is " KEY, .input_tokens = 1, .output_tokens = 1},
                                {.status = 401, .text = "Incorrect API key provided: " KEY},
                                {.status = 400, .text = "bad " KEY},
                                {.text = "", .refusal = "no, " KEY}};
    model_peer *peer = model_peer_start(MODEL_OPENAI, turns, 4);
    char id[64];
    make_world(w, peer, "",
               "id: sort\nsteps: [{stepName: a, instructionSet: m, outputVariables: [text], "
               "retryConfig: {maxRetries: 0}}]\ninstructionSets: {m: {prompt: {instructions: hello}}}\n");
    for (int i = 0; i < 4; i++) {
        assert_exit(w, catena(w, "run", "sort", NULL), i == 0 ? 0 : 1);
        assert_lacks(w->said.out, KEY);
        assert_lacks(w->said.err, KEY);
        newest_id(w, id);
        assert_exit(w, catena(w, "history", id, "--json", NULL), 0);
        assert_lacks(w->said.out, KEY);
        assert_no_key_in(w->folder);
    }
    assert_contains(model_peer_head(peer, 0), "Bearer " KEY);
    model_peer_stop(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_prompt_runs_and_tells_what_it_used),
        CLI_TEST(a_death_in_mid_call_costs_one_more_call),
        CLI_TEST(a_model_that_is_not_there_stops_nothing_half_way),
        CLI_TEST(money_is_not_exceeded_by_many_at_once),
        CLI_TEST(a_model_that_is_written_wrongly_is_refused_with_its_place),
        CLI_TEST(a_prompt_is_simulated_and_tested_without_a_model),
        CLI_TEST(the_key_is_in_nothing_that_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
