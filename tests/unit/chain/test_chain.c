/* Reading chains and instruction sets: every key of the language is taken, its defaults hold, names are found again. */
#include "base/names.h"
#include "chain/definition.h"
#include "chain/rules.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"
#include "value/cron.h"

/* Everything that sections 1 and 2 of the language show, in one chain. */
static const char *const WHOLE =
    "id: mobile-lead-processing\n"
    "name: Mobile Lead Processing\n"
    "description: Convert a mobile lead to a structured client proposal\n"
    "version: 3\n"
    "inputSchema: {type: object, required: [raw_lead], properties: {raw_lead: {type: string}, hotels: {type: array}}}\n"
    "outputs: [client_id, proposal]\n"
    "rollbackEnabled: true\n"
    "timeoutMs: 600000\n"
    "priority: 0\n"
    "maxConcurrent: 50\n"
    "budget: {calls: 200, wallMs: 600000, bytes: 1048576, tokens: 50000, money: 5.5, onReached: wait}\n"
    "concurrencyKey: \"{raw_lead}\"\n"
    "sensitive: [proposal]\n"
    "schedule: {cron: \"0 9 * * MON-FRI\", timezone: Europe/London}\n"
    "onFailure: notify-desk\n"
    "mcp: {as: tool, name: process_lead, content: proposal, waitMs: 5000, attachMs: 60000, onDisconnect: continue, "
    "task: required}\n"
    "instructionSets: {look: {tool: s/look, effect: read}}\n"
    "steps:\n"
    "  - stepName: _first1\n"
    "    instructionSet: look\n"
    "    inputTemplate: 'look at {hotel.name | upper | default(\"x\")} of {raw_lead}, {{literally}}'\n"
    "    outputVariables: {client_id: id, proposal: 'deep[0][\"odd name\"].text'}\n"
    "    conditionalExecution: \"{raw_lead} == '' ? skip : continue\"\n"
    "    parallelExecution: true\n"
    "    dependsOn: []\n"
    "    retryConfig: {maxRetries: 3, backoffMs: 100, multiplier: 1.5, maxBackoffMs: 1000, jitter: 0, retryOn: "
    "[timeout]}\n"
    "    timeoutMs: 5000\n"
    "    idleTimeoutMs: 1000\n"
    "    fallback: [{instructionSet: look, inputTemplate: '{raw_lead}'}, {value: {id: 0, deep: []}}]\n"
    "    onError: continue\n"
    "    onInterrupted: retry\n"
    "    rollbackAction: look\n"
    "    rollbackTemplate: '{client_id}'\n"
    "    noUndo: none is needed\n"
    "    cache: {ttlMs: 1000, key: '{raw_lead}', allowWrites: false}\n"
    "    foreach: {items: '{hotels}', as: hotel, maxConcurrency: 8}\n"
    "    outputSchema: {type: object}\n"
    "    release: [client_info]\n"
    "    lint: {allow: {missing-undo: it is tested}}\n"
    "  - stepName: second\n"
    "    instructionSet: look\n"
    "    conditionalExecution: true\n"
    "    foreach: {items: {range: [0, '{raw_lead | length}']}}\n";

static void every_key_of_a_chain_is_taken(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "whole.yaml", WHOLE);
    if (kit.findings.count)
        fail_msg("%.*s", CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    const ctn_chain *chain = kit.chain;
    assert_int_equal(chain->version, 3);
    assert_int_equal(chain->priority, 0);
    assert_int_equal(chain->step_count, 2);
    const ctn_chain_step *step = &chain->steps[0];
    assert_true(ctn_str_is(step->name, "_first1"));
    assert_int_equal(step->output_count, 2);
    assert_true(ctn_str_is(step->outputs[1].path->text, "deep[0][\"odd name\"].text"));
    assert_int_equal(step->fallback_count, 2);
    assert_true(step->retry.multiplier == 1.5 && step->retry.jitter == 0);
    assert_int_equal(step->on_error, 2);
    assert_int_equal(step->foreach.max_concurrency, 8);
    assert_int_equal(ctn_source_position(chain->source, step->node).line, 19);
    assert_non_null(chain->steps[1].foreach.range.tree);
    chain_kit_check(&kit, NULL);
    if (kit.findings.count)
        fail_msg("%.*s", CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_int_equal(plan->unsupported.len, 0);
    assert_true(ctn_str_is(ctn_json_text(ctn_json_at(plan->sensitive, 0)), "proposal"));
    assert_true(ctn_str_is(plan->mcp.name, "process_lead") && ctn_str_is(plan->mcp.content, "proposal"));
    assert_int_equal(plan->mcp.wait_ms, 5000);
    assert_int_equal(plan->mcp.attach_ms, 60000);
    assert_int_equal(plan->mcp.task, CTN_MCP_TASK_REQUIRED);
    ctn_plan_done(plan);
    chain_kit_done(&kit);
}

/* The examples of section 7 as they stand there, and the common keys. */
static const char *const SETS =
    "instructionSets:\n"
    "  requirement-validation:\n"
    "    tool: travel/validate_requirements\n"
    "    arguments: {requirements: \"{trip_requirements}\"}\n"
    "  amadeus-search:\n"
    "    calls:\n"
    "      flight_options: {tool: travel/search_flights, arguments: {a: 1}}\n"
    "      hotel_options:  {tool: travel/search_hotels,  arguments: {b: 2}, timeoutMs: 9}\n"
    "    result: {estimated_costs: \"{flight_options.cheapest.total}\"}\n"
    "  lead-extraction:\n"
    "    prompt: {model: \"m\", instructions: file.md, schema: {type: object}, maxTokens: 100, temperature: 0.2}\n"
    "    restricted: true\n"
    "  totals:      {transform: \"{total: ([.items[].price] | add)}\", arguments: {items: \"{flight_options}\"}}\n"
    "  cool-off:    {wait: {ms: 86400000}}\n"
    "  later:       {wait: {until: \"{send_time}\"}}\n"
    "  price-check: {chain: price-check, arguments: {trip: \"{trip_requirements}\"}}\n"
    "  desk-yes:    {approval: {message: \"Send {proposal_document}?\", who: [desk], timeoutMs: 3600000, onTimeout: "
    "fail}}\n"
    "  write-intro: {agent: {instructions: intro.md, outputSchema: {type: object, required: [text]}}}\n"
    "  crm-note:    {http: {method: POST, url: \"https://crm.example.com/notes\", headers: {Authorization: \"Bearer "
    "{secret.CRM}\"}, body: {text: \"{input}\"}}}\n"
    "  resize:      {command: {argv: [convert, \"{file}\", \"-resize\", \"50%\", \"{out}\"], timeoutMs: 10000}}\n"
    "  score:       {native: score_lead}\n"
    "  careful:\n"
    "    tool: bank/pay\n"
    "    effect: write\n"
    "    check: {tool: bank/find, arguments: {key: \"{step.key}\"}}\n"
    "    settleMs: 0\n"
    "    rateLimit: {perSecond: 0.5, burst: 2}\n"
    "    maxConcurrent: 3\n"
    "    breaker: {window: 10, minimum: 2, failureRatio: 0.25, openMs: 1000}\n"
    "    timeoutMs: 100\n"
    "  many:\n"
    "    calls:\n"
    "      n: {native: score_lead}\n"
    "      p: {prompt: {instructions: file.md}}\n"
    "      t: {transform: \".a\", arguments: {a: 1}}\n"
    "      h: {http: {url: \"https://example.com/\"}}\n"
    "  careful-web:\n"
    "    http: {method: POST, url: \"https://example.com/pay\"}\n"
    "    check: {http: {url: \"https://example.com/find\"}, timeoutMs: 500}\n";

static void every_kind_of_set_is_taken(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", SETS);
    if (kit.findings.count)
        fail_msg("%.*s", CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    assert_null(kit.chain);
    assert_int_equal(ctn_library_set_names(kit.library)->count, 15);
    static const ctn_work_kind kinds[] = {CTN_WORK_NATIVE, CTN_WORK_PROMPT, CTN_WORK_TRANSFORM, CTN_WORK_HTTP};
    const ctn_instruction_set *many = ctn_library_set(kit.library, CTN_STR("many"));
    assert_int_equal(many->call_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(many->calls[i].kind, kinds[i]);
    const ctn_set_limits *limits = &ctn_library_set(kit.library, CTN_STR("careful"))->limits;
    assert_true(limits->rate_per_second == 0.5 && limits->rate_burst == 2 && limits->max_concurrent == 3);
    assert_true(limits->breaker_window == 10 && limits->breaker_minimum == 2);
    assert_true(limits->breaker_failure_ratio == 0.25 && limits->breaker_open_ms == 1000);
    const ctn_work *web = ctn_library_set(kit.library, CTN_STR("careful-web"))->check;
    assert_int_equal(web->kind, CTN_WORK_HTTP);
    assert_int_equal(web->timeout_ms, 500);
    const ctn_instruction_set *set = ctn_library_set(kit.library, CTN_STR("careful"));
    assert_int_equal(set->effect, CTN_EFFECT_WRITE);
    assert_int_equal(set->settle_ms, 0);
    assert_int_equal(set->check->kind, CTN_WORK_TOOL);
    assert_null(ctn_library_set(kit.library, CTN_STR("carefull")));
    assert_true(ctn_str_is(ctn_library_set_names(kit.library)->items[0], "requirement-validation"));
    static const struct {
        const char *name;
        ctn_effect effect;
        bool is_assumed;
    } effects[] = {
        {"totals", CTN_EFFECT_NONE, false},      {"lead-extraction", CTN_EFFECT_READ, false},
        {"crm-note", CTN_EFFECT_WRITE, false},   {"resize", CTN_EFFECT_WRITE, true},
        {"score", CTN_EFFECT_WRITE, true},       {"cool-off", CTN_EFFECT_NONE, false},
        {"careful", CTN_EFFECT_WRITE, false},    {"amadeus-search", CTN_EFFECT_WRITE, true},
        {"write-intro", CTN_EFFECT_NONE, false},
    };
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        bool is_assumed = false;
        set = ctn_library_set(kit.library, ctn_str_from(effects[i].name));
        assert_int_equal(ctn_check_effect(set, NULL, &is_assumed), effects[i].effect);
        assert_int_equal(is_assumed, effects[i].is_assumed);
    }
    chain_kit_done(&kit);
}

static void http_is_as_careful_as_its_method(void **state)
{
    (void) state;
    static const struct {
        const char *http;
        ctn_effect effect;
    } cases[] = {
        {"{url: 'https://x/u'}", CTN_EFFECT_READ},
        {"{url: 'https://x/u', body: {a: 1}}", CTN_EFFECT_WRITE},
        {"{url: 'https://x/u', method: HEAD}", CTN_EFFECT_READ},
        {"{url: 'https://x/u', method: PUT, body: x}", CTN_EFFECT_IDEMPOTENT},
        {"{url: 'https://x/u', method: DELETE}", CTN_EFFECT_IDEMPOTENT},
        {"{url: 'https://x/u', method: PATCH}", CTN_EFFECT_WRITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        chain_kit kit;
        chain_kit_init(&kit);
        chain_kit_add(&kit, "s.yaml",
                      ctn_arena_printf(kit.arena, "instructionSets: {a: {http: %s}}", cases[i].http).ptr);
        assert_int_equal(kit.findings.count, 0);
        assert_int_equal(ctn_check_effect(ctn_library_set(kit.library, CTN_STR("a")), NULL, NULL), cases[i].effect);
        chain_kit_done(&kit);
    }
}

static void one_name_with_two_contents_is_told_at_the_second(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    static const char *const first =
        "id: c\ninstructionSets: {s: {native: a}}\nsteps: [{stepName: a, instructionSet: s}]\n";
    chain_kit_add(&kit, "a.yaml", first);
    chain_kit_add(&kit, "copy.yaml", first);
    chain_kit_add(&kit, "t.mustache", "one");
    chain_kit_add(&kit, "copy/t.mustache", "one");
    assert_int_equal(kit.findings.count, 0);
    chain_kit_add(&kit, "b.yaml", "instructionSets:\n  s: {native: b}\n");
    chain_kit_add(&kit, "c.yaml", "name: other\nid: c\nsteps: [{stepName: b, instructionSet: s}]\n");
    chain_kit_add(&kit, "other/t.mustache", "two");
    assert_int_equal(kit.findings.count, 3);
    chain_kit_expect(&kit, 2, 3, "duplicate-key",
                     "instruction set 's' is there already, with other content, in a.yaml:2:19");
    chain_kit_expect(&kit, 2, 5, "duplicate-key", "chain 'c' is there already");
    chain_kit_expect(&kit, 1, 1, "duplicate-key", "template 't' is there already");
    chain_kit_done(&kit);
}

static void a_template_is_named_after_its_file(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "some/folder/client-letter.mustache", "Dear {{name}}");
    assert_non_null(ctn_library_document(kit.library, CTN_STR("client-letter")));
    chain_kit_add(&kit, "bad.mustache", "one\n{{#open}}");
    assert_int_equal(kit.findings.error_count, 1);
    assert_string_equal(kit.findings.items[0].rule, "bad-template");
    assert_int_equal(kit.findings.items[0].line, 2);
    chain_kit_done(&kit);
}

static void cron_takes_what_cron_takes(void **state)
{
    (void) state;
    static const char *const good[] = {"* * * * *", "0 9 * * MON-FRI", "*/5 0-6/2 1,15 JAN,jun 0", " 59 23 31 12 7 ",
                                       "0\t0 1 1 sun"};
    static const char *const bad[] = {
        "",           "* * * *",   "* * * * * *", "60 * * * *",   "* 24 * * *", "* * 0 * *",
        "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *",  "-1 * * * *", "a * * * *",
        "1, * * * *", "@daily",    "*/x * * * *", "1-2-3 * * * *"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (ctn_cron_check(ctn_str_from(good[i]), NULL))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ctn_cron_check(ctn_str_from(bad[i]), NULL) == CTN_OK)
            fail_msg("taken: %s", bad[i]);
}

static void names_are_numbered_once(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_names names;
    ctn_names_init(&names, arena);
    assert_int_equal(ctn_names_find(&names, CTN_STR("a")), CTN_NAMES_NONE);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++)
            assert_int_equal(ctn_names_add(&names, ctn_arena_printf(arena, "name%u", i)), i);
    assert_int_equal(names.count, 5000);
    assert_int_equal(ctn_names_find(&names, CTN_STR("name4999")), 4999);
    assert_int_equal(ctn_names_find(&names, CTN_STR("name5000")), CTN_NAMES_NONE);
    assert_int_equal(ctn_names_add(&names, CTN_STR("")), 5000);
    ctn_arena_free(arena);
}

static void effects_and_rules_have_their_names(void **state)
{
    (void) state;
    for (ctn_effect e = CTN_EFFECT_NONE; e <= CTN_EFFECT_WRITE; e++) {
        ctn_effect again;
        assert_true(ctn_effect_from_name(ctn_str_from(ctn_effect_name(e)), &again));
        assert_int_equal(again, e);
    }
    assert_string_equal(ctn_effect_name(CTN_EFFECT_UNKNOWN), "unknown");
    ctn_effect none = CTN_EFFECT_UNKNOWN;
    assert_false(ctn_effect_from_name(CTN_STR("unknown"), &none));
    assert_string_equal(ctn_work_kind_name(CTN_WORK_TOOL), "tool");
    assert_string_equal(ctn_work_kind_name(CTN_WORK_NATIVE), "native");
    assert_string_equal(ctn_work_kind_name(CTN_WORK_TRANSFORM), "transform");
    assert_non_null(ctn_rule_find(CTN_STR("missing-undo")));
    assert_null(ctn_rule_find(CTN_STR("missing")));
}

static void the_order_of_calls_survives_the_store(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "s.yaml",
                  "instructionSets:\n  s:\n    effect: read\n    calls:\n      zoo: {tool: s/z, arguments: {y: 1.50, "
                  "b: 2}}\n      arguments: {native: a}\n");
    assert_int_equal(kit.findings.count, 0);
    ctn_str body = ctn_definition_of_set(kit.arena, ctn_library_set(kit.library, CTN_STR("s")));
    assert_true(ctn_str_is(body, "{\"instructionSets\":{\"s\":{\"calls\":{\"zoo\":{\"arguments\":{\"y\":1.50,\"b\":2},"
                                 "\"tool\":\"s/z\"},\"arguments\":{\"native\":\"a\"}},\"effect\":\"read\"}}}"));
    chain_kit_done(&kit);
}

/* The first design's files, from where they were handed to us. */
static void the_first_designs_chains_load_unchanged(void **state)
{
    (void) state;
    static const char *const names[] = {"chains/mobile-lead-processing.json", "chains/client-followup-sequence.json"};
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        if (!ctn_shared_data(names[i], path, sizeof path))
            skip();
        chain_kit kit;
        chain_kit_init(&kit);
        assert_true(chain_kit_add_file(&kit, path));
        assert_int_equal(kit.findings.count, 0);
        assert_int_equal(kit.chain->step_count, i == 0 ? 5 : 4);
        chain_kit_done(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_chain_is_taken),
        cmocka_unit_test(every_kind_of_set_is_taken),
        cmocka_unit_test(http_is_as_careful_as_its_method),
        cmocka_unit_test(one_name_with_two_contents_is_told_at_the_second),
        cmocka_unit_test(a_template_is_named_after_its_file),
        cmocka_unit_test(cron_takes_what_cron_takes),
        cmocka_unit_test(names_are_numbered_once),
        cmocka_unit_test(effects_and_rules_have_their_names),
        cmocka_unit_test(the_order_of_calls_survives_the_store),
        cmocka_unit_test(the_first_designs_chains_load_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
