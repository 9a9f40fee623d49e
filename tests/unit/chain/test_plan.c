/* Plans: who waits for whom, what is an input, and that a plan made of its stored definitions is the same plan. */
#include "chain/definition.h"
#include "chain/requires.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

#define NOOP "instructionSets: {noop: {native: noop, effect: none}}\n"

/* "b<-a c<-a,b": every step with its predecessors. */
static ctn_str order_of(const ctn_plan *plan)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 16);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_buf_printf(&text, "%s%.*s<-", i ? " " : "", CTN_STR_ARG(plan->steps[i].name));
        for (uint32_t k = 0; k < plan->steps[i].predecessor_count; k++)
            ctn_buf_printf(&text, "%s%.*s", k ? "," : "",
                           CTN_STR_ARG(plan->steps[plan->steps[i].predecessors[k]].name));
    }
    ctn_str kept = ctn_arena_str(plan->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

/* "trip budget?": inputs, optional ones with a question mark. */
static ctn_str inputs_of(const ctn_plan *plan)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 16);
    for (uint32_t i = 0; i < plan->input_count; i++)
        ctn_buf_printf(&text, "%s%.*s%s", i ? " " : "", CTN_STR_ARG(plan->variables[plan->inputs[i].slot]),
                       plan->inputs[i].is_required ? "" : "?");
    ctn_str kept = ctn_arena_str(plan->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

static void assert_text(ctn_str got, const char *wanted)
{
    if (!ctn_str_is(got, wanted))
        fail_msg("got    %.*s\nwanted %s", CTN_STR_ARG(got), wanted);
}

static void check_order(const char *steps, const char *wanted)
{
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml", NOOP);
    chain_kit_add(&kit, "chain.yaml", ctn_arena_printf(kit.arena, "id: c\nsteps:\n%s", steps).ptr);
    assert_text(order_of(chain_kit_compile(&kit)), wanted);
    chain_kit_done(&kit);
}

static void steps_run_in_the_order_of_the_file(void **state)
{
    (void) state;
    check_order("- {stepName: a, instructionSet: noop}\n"
                "- {stepName: b, instructionSet: noop}\n"
                "- {stepName: c, instructionSet: noop}\n",
                "a<- b<-a c<-b");
}

static void parallel_steps_wait_for_the_barrier_and_for_what_they_read(void **state)
{
    (void) state;
    check_order("- {stepName: a, instructionSet: noop}\n"
                "- {stepName: b, instructionSet: noop, parallelExecution: true, outputVariables: [x]}\n"
                "- {stepName: c, instructionSet: noop, parallelExecution: true}\n"
                "- {stepName: d, instructionSet: noop, parallelExecution: true, inputTemplate: 'see {x}'}\n"
                "- {stepName: e, instructionSet: noop}\n"
                "- {stepName: f, instructionSet: noop, parallelExecution: true}\n",
                "a<- b<-a c<-a d<-a,b e<-a,b,c,d f<-e");
}

static void depends_on_replaces_the_order_and_is_no_barrier(void **state)
{
    (void) state;
    check_order("- {stepName: a, instructionSet: noop}\n"
                "- {stepName: b, instructionSet: noop, dependsOn: []}\n"
                "- {stepName: c, instructionSet: noop, dependsOn: [a, a]}\n"
                "- {stepName: d, instructionSet: noop, parallelExecution: true}\n"
                "- {stepName: e, instructionSet: noop}\n",
                "a<- b<- c<-a d<-a e<-a,b,c,d");
}

static void a_step_may_depend_on_a_later_one(void **state)
{
    (void) state;
    check_order("- {stepName: a, instructionSet: noop, dependsOn: [b]}\n"
                "- {stepName: b, instructionSet: noop, dependsOn: []}\n",
                "a<-b b<-");
}

static void ten_thousand_steps_in_a_row_have_as_many_edges(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    ctn_buf text;
    ctn_buf_init(&text, 16 << 20);
    ctn_buf_append_literal(&text, "id: long\n" NOOP "steps:\n");
    for (int i = 0; i < 10000; i++)
        ctn_buf_printf(&text, "- {stepName: s%d, instructionSet: noop, outputVariables: [v%d]}\n", i, i);
    ctn_buf_append_char(&text, '\0');
    chain_kit_add(&kit, "long.yaml", text.data);
    ctn_plan *plan = chain_kit_compile(&kit);
    size_t edges = 0;
    for (uint32_t i = 0; i < plan->step_count; i++)
        edges += plan->steps[i].predecessor_count;
    assert_int_equal(edges, 9999);
    ctn_buf_done(&text);
    chain_kit_done(&kit);
}

static void a_plan_names_what_it_needs_from_outside(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml",
                  "instructionSets:\n"
                  "  book: {tool: travel/book, arguments: {trip: '{trip}', note: '{note?}', key: '{step.key}'}}\n"
                  "  cancel: {tool: travel/cancel, arguments: {id: '{input.booking}', desk: '{desk}'}}\n");
    chain_kit_add(&kit, "chain.yaml",
                  "id: c\n"
                  "steps:\n"
                  "- stepName: book\n"
                  "  instructionSet: book\n"
                  "  inputTemplate: 'Book {hotel.name} for {who | default: 1}'\n"
                  "  conditionalExecution: \"{vip} ? continue : skip\"\n"
                  "  outputVariables: [booking]\n"
                  "  rollbackAction: cancel\n"
                  "- {stepName: tell, instructionSet: book, inputTemplate: '{booking}'}\n");
    assert_text(inputs_of(chain_kit_compile(&kit)), "vip? hotel who? trip note? desk?");
    chain_kit_done(&kit);
}

/* A name inside a section may be the section's own: it is no input, but a start that gives it is heard. */
static void names_of_a_documents_sections_are_no_inputs(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "letter.mustache",
                  "Dear {{who}}{{#items}} {{price}}{{^sold}} {{note}}{{/sold}}{{/items}} {{.}}");
    chain_kit_add(&kit, "chain.yaml",
                  "id: c\n" NOOP "steps:\n"
                  "- {stepName: a, instructionSet: noop, outputVariables: [items, text], templateId: letter}\n");
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_text(inputs_of(plan), "who?");
    assert_int_not_equal(ctn_plan_slot(plan, CTN_STR("note")), CTN_PLAN_NONE);
    assert_int_equal(ctn_plan_slot(plan, CTN_STR(".")), CTN_PLAN_NONE);
    chain_kit_done(&kit);
}

static void results_by_default_are_what_the_steps_produce(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "chain.yaml",
                  "id: c\n" NOOP "steps:\n"
                  "- {stepName: a, instructionSet: noop, inputTemplate: '{given}', outputVariables: [x, y]}\n"
                  "- {stepName: b, instructionSet: noop, outputVariables: {z: deep.path, x: other}}\n");
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_int_equal(plan->result_count, 3);
    assert_text(plan->results[0].name, "x");
    assert_text(plan->results[1].name, "y");
    assert_text(plan->results[2].name, "z");
    assert_text(plan->steps[1].outputs[0].path->text, "deep.path");
    assert_int_equal(ctn_plan_slot(plan, CTN_STR("x")), plan->results[0].slot);
    assert_int_equal(ctn_plan_slot(plan, CTN_STR("nobody")), CTN_PLAN_NONE);
    assert_int_equal(ctn_plan_step_index(plan, CTN_STR("b")), 1);
    assert_false(plan->is_rollback_enabled);
    chain_kit_done(&kit);
}

static void defaults_are_those_of_the_language(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "chain.yaml",
                  "id: c\n"
                  "instructionSets:\n"
                  "  work: {tool: s/t}\n"
                  "  slow: {tool: s/t, timeoutMs: 90000}\n"
                  "  pause: {wait: {ms: 5}}\n"
                  "  ask: {approval: {message: 'Send {x}?', who: [desk], timeoutMs: 7, onTimeout: approve}}\n"
                  "  two: {calls: {b: {tool: s/b}, a: {native: a, arguments: {b: '{b.id}'}}}, result: {sum: '{a.n}'}}\n"
                  "steps:\n"
                  "- {stepName: a, instructionSet: work, outputVariables: [x]}\n"
                  "- {stepName: b, instructionSet: slow, retryConfig: {maxRetries: 2, retryOn: [tool_error]}}\n"
                  "- {stepName: c, instructionSet: slow, timeoutMs: 1}\n"
                  "- {stepName: d, instructionSet: pause}\n"
                  "- {stepName: e, instructionSet: ask}\n"
                  "- {stepName: f, instructionSet: two, rollbackAction: work}\n");
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_int_equal(plan->priority, 5);
    assert_true(plan->is_rollback_enabled);
    assert_int_equal(plan->unsupported.len, 0);
    assert_int_equal(plan->steps[0].set->timeout_ms, 60000);
    assert_int_equal(plan->steps[1].set->timeout_ms, 90000);
    assert_int_equal(plan->steps[2].timeout_ms, 1);
    assert_int_equal(plan->steps[3].set->timeout_ms, 0);
    assert_int_equal(plan->steps[4].set->timeout_ms, 0);
    const ctn_retry *retry = &plan->steps[1].retry;
    assert_int_equal(retry->max_retries, 2);
    assert_int_equal(retry->max_backoff_ms, 60000);
    assert_true(retry->multiplier == 2 && retry->jitter > 0.09 && retry->jitter < 0.11);
    assert_int_equal(retry->retry_on, 1u << CTN_FAILURE_TOOL_ERROR);
    assert_int_equal(plan->steps[0].retry.max_retries, 0);
    assert_int_equal(plan->steps[0].set->settle_ms, 30000);
    assert_int_equal(plan->steps[3].set->wait_ms, 5);
    assert_int_equal(plan->steps[4].set->on_timeout, CTN_ON_TIMEOUT_APPROVE);
    const ctn_plan_set *two = plan->steps[5].set;
    assert_true(two->is_several);
    assert_int_equal(two->call_count, 2);
    assert_text(two->calls[0].name, "b"); /* in turn: the file's order, not the alphabet's */
    assert_int_equal(two->calls[1].kind, CTN_WORK_NATIVE);
    assert_ptr_equal(plan->steps[5].undo, plan->steps[0].set);
    assert_int_equal(plan->input_count, 0);
    chain_kit_done(&kit);
}

static void a_set_without_arguments_passes_the_input_on_if_there_is_one(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "chain.yaml",
                  "id: c\n" NOOP "steps:\n"
                  "- {stepName: a, instructionSet: noop, inputTemplate: hello}\n"
                  "- {stepName: b, instructionSet: noop}\n");
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_true(plan->steps[0].set->reads_input);
    assert_null(plan->steps[1].input);
    chain_kit_done(&kit);
}

/* Everything of a plan that decides how it runs, as text. */
static ctn_str describe(const ctn_plan *plan)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_str order = order_of(plan), inputs = inputs_of(plan);
    ctn_buf_printf(&text, "%.*s|%.*s|%.*s|%d|%lld|%d\n", CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(order),
                   CTN_STR_ARG(inputs), plan->is_rollback_enabled, (long long) plan->timeout_ms, plan->priority);
    for (uint32_t i = 0; i < plan->variable_count; i++)
        ctn_buf_printf(&text, "%.*s ", CTN_STR_ARG(plan->variables[i]));
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *s = &plan->steps[i];
        ctn_buf_printf(&text, "\n%.*s %.*s(%u) %lld %d %d", CTN_STR_ARG(s->name), CTN_STR_ARG(s->set->name),
                       s->set->call_count, (long long) s->timeout_ms, s->condition != NULL, s->document != NULL);
        for (uint32_t k = 0; k < s->set->call_count; k++)
            ctn_buf_printf(&text, " %.*s", CTN_STR_ARG(s->set->calls[k].target));
        for (uint32_t k = 0; k < s->output_count; k++)
            ctn_buf_printf(&text, " ->%u", s->outputs[k].slot);
    }
    for (uint32_t i = 0; i < plan->definition_count; i++)
        ctn_buf_printf(&text, "\n%.*s %.*s %s", CTN_STR_ARG(plan->definitions[i].kind),
                       CTN_STR_ARG(plan->definitions[i].name), ctn_digest_to_text(plan->definitions[i].digest).text);
    ctn_str kept = ctn_arena_str(plan->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

static const char *const WHOLE_SETS =
    "instructionSets:\n"
    "  search: {calls: {zoo: {tool: s/z}, ant: {tool: s/a, arguments: {z: '{zoo.id}'}}}, result: {r: '{ant.x}'}}\n"
    "  same_a: {native: noop}\n"
    "  same_b: {native: noop}\n";
static const char *const WHOLE_CHAIN = "id: whole\n"
                                       "name: Whole\n"
                                       "timeoutMs: 1000\n"
                                       "outputs: {total: '{zoo} + 1', ant: ant}\n"
                                       "steps:\n"
                                       "- stepName: one\n"
                                       "  instructionSet: search\n"
                                       "  inputTemplate: 'look for {what} 19.90'\n"
                                       "  outputVariables: {zoo: zoo, ant: ant.name}\n"
                                       "  rollbackAction: same_b\n"
                                       "- {stepName: two, instructionSet: same_a, conditionalExecution: '{zoo} > "
                                       "1.50', templateId: doc, outputVariables: [text]}\n";

static void add_whole(chain_kit *kit)
{
    chain_kit_init(kit);
    chain_kit_add(kit, "doc.mustache", "Dear {{what}}");
    chain_kit_add(kit, "sets.yaml", WHOLE_SETS);
    chain_kit_add(kit, "whole.yaml", WHOLE_CHAIN);
}

static void a_plan_from_its_definitions_is_the_same_plan(void **state)
{
    (void) state;
    chain_kit kit;
    add_whole(&kit);
    ctn_plan *plan = chain_kit_compile(&kit);
    assert_int_equal(plan->definition_count, 5);
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_plan *again = NULL;
    ctn_err err = {0};
    if (ctn_plan_from_definitions(arena, plan->definitions, plan->definition_count, &again, &err))
        fail_msg("%s", err.message);
    ctn_str first = describe(plan);
    assert_text(describe(again), first.ptr);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        for (uint32_t k = 0; k < i; k++) /* two sets of one content stay two definitions */
            assert_memory_not_equal(&plan->definitions[i].digest, &plan->definitions[k].digest, sizeof(ctn_digest));
    ctn_plan_done(again);
    ctn_arena_free(arena);
    chain_kit_done(&kit);
}

static void a_plan_outlives_its_library(void **state)
{
    (void) state;
    chain_kit kit;
    add_whole(&kit);
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_plan *plan = NULL;
    assert_int_equal(ctn_plan_compile(arena, kit.library, kit.chain, &kit.findings, &plan), CTN_OK);
    chain_kit_done(&kit);
    assert_true(describe(plan).len > 100); /* the sanitizer watches */
    ctn_plan_done(plan);
    ctn_arena_free(arena);
}

/* ctx: what the file says; NULL: there is none. */
static int read_beside(void *ctx, ctn_arena *arena, ctn_str from, ctn_str name, ctn_str *ret_text, ctn_err *err)
{
    assert_true(ctn_str_is(from, "chain.yaml") && ctn_str_is(name, "ask.md"));
    if (!ctx)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no file ask.md");
    *ret_text = ctn_arena_str(arena, ctn_str_from(ctx));
    return CTN_OK;
}

static const char PROMPTS[] = "id: c\nsteps: [{stepName: a, instructionSet: one}, {stepName: b, instructionSet: two}]\n"
                              "instructionSets:\n"
                              "  one: {prompt: {instructions: ask.md, maxTokens: 5}}\n"
                              "  two: {calls: {x: {native: noop}, y: {prompt: {model: m, instructions: ask.md}}}}\n";

static const ctn_plan *plan_of_prompts(chain_kit *kit, const char *file)
{
    chain_kit_init(kit);
    ctn_library_set_reader(kit->library, read_beside, (void *) (uintptr_t) file);
    chain_kit_add(kit, "chain.yaml", PROMPTS);
    return file ? chain_kit_compile(kit) : NULL;
}

static void instructions_in_a_file_are_part_of_what_is_stored(void **state)
{
    (void) state;
    chain_kit kits[3];
    ctn_digest digests[3][2];
    static const char *const FILES[] = {"Ask one.\n", "Ask two.\n", "Ask one.\n"};
    for (int i = 0; i < 3; i++) {
        const ctn_plan *plan = plan_of_prompts(&kits[i], FILES[i]);
        ctn_plan *again = NULL;
        ctn_err err = {0};
        for (int k = 0; k < 2; k++)
            digests[i][k] = plan->steps[k].set->digest;
        assert_text(plan->steps[0].set->calls[0].target, "default");
        assert_text(plan->steps[1].set->calls[1].target, "m");
        assert_null(plan->steps[1].set->calls[0].detail);
        if (ctn_plan_from_definitions(kits[i].arena, plan->definitions, plan->definition_count, &again, &err))
            fail_msg("%s", err.message);
        for (int k = 0; k < 2; k++) {
            const ctn_json *detail = again->steps[k].set->calls[k].detail;
            assert_text(ctn_json_str_or(detail, "instructions", (ctn_str){0}), FILES[i]);
        }
        ctn_plan_done(again);
    }
    for (int k = 0; k < 2; k++) {
        assert_memory_not_equal(&digests[0][k], &digests[1][k], sizeof(ctn_digest));
        assert_memory_equal(&digests[0][k], &digests[2][k], sizeof(ctn_digest));
    }
    for (int i = 0; i < 3; i++)
        chain_kit_done(&kits[i]);
}

static void a_prompt_whose_file_is_not_there_is_an_error(void **state)
{
    (void) state;
    chain_kit kit;
    (void) plan_of_prompts(&kit, NULL);
    assert_int_equal(kit.findings.error_count, 2);
    assert_text(chain_kit_findings(&kit, NULL), "4:32 unknown-template: instructions: there is no file ask.md\n"
                                                "5:73 unknown-template: instructions: there is no file ask.md\n");
    chain_kit_done(&kit);
}

static void definitions_that_make_no_plan_are_refused_with_a_sentence(void **state)
{
    (void) state;
    static const char *const bodies[] = {"",
                                         "{}",
                                         "[]",
                                         "{\"id\":\"c\",\"steps\":[]}",
                                         "{\"id\":\"c\",\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"gone\"}]}",
                                         "{\"instructionSets\":{}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_plan_definition chain = {.kind = CTN_STR("chain"), .name = CTN_STR("c"), .body = ctn_str_from(bodies[i])};
        ctn_plan *plan = NULL;
        ctn_err err = {0};
        assert_int_equal(ctn_plan_from_definitions(arena, &chain, 1, &plan, &err), CTN_E_CORRUPT);
        assert_holds(err.message, "make no plan");
        assert_null(plan);
        ctn_arena_free(arena);
    }
}

/* The digest is the version: it must not depend on how the file was written down. */
static void the_same_chain_in_yaml_and_json_has_one_digest(void **state)
{
    (void) state;
    static const char *const yaml = "id: c # a chain\n" NOOP "steps:\n  - instructionSet: noop\n    stepName: a\n";
    static const char *const json = "{\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"noop\"}],\"id\":\"c\","
                                    "\"instructionSets\":{\"noop\":{\"effect\":\"none\",\"native\":\"noop\"}}}";
    ctn_digest digests[2][2];
    for (int i = 0; i < 2; i++) {
        chain_kit kit;
        chain_kit_init(&kit);
        chain_kit_add(&kit, i ? "c.json" : "c.yaml", i ? json : yaml);
        ctn_plan *plan = chain_kit_compile(&kit);
        digests[i][0] = plan->definitions[0].digest;
        digests[i][1] = plan->definitions[1].digest;
        chain_kit_done(&kit);
    }
    assert_memory_equal(digests[0], digests[1], sizeof digests[0]);
}

static void what_this_version_does_not_run_is_named(void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        {"steps: [{stepName: a, instructionSet: noop, rollbackAction: sub}]", "waits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        chain_kit kit;
        chain_kit_init(&kit);
        chain_kit_add(&kit, "sets.yaml",
                      "instructionSets:\n  noop: {native: noop}\n"
                      "  sub: {chain: c}\n"
                      "  guarded: {native: n, restricted: true}\n  rated: {native: n, rateLimit: {perSecond: 2.5}}\n"
                      "  broken: {native: n, breaker: {window: 5}}\n");
        chain_kit_add(&kit, "c.yaml", ctn_arena_printf(kit.arena, "id: c\n%s\n", cases[i][0]).ptr);
        ctn_plan *plan = chain_kit_compile(&kit);
        if (ctn_str_find(plan->unsupported, ctn_str_from(cases[i][1])) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i][0], CTN_STR_ARG(plan->unsupported));
        chain_kit_done(&kit);
    }
}

/* ---- inputs ---- */

static void check_input(const char *chain, const char *input, const char *wanted)
{
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "c.yaml", chain);
    ctn_plan *plan = chain_kit_compile(&kit);
    const ctn_json *given = json_of(kit.arena, ctn_str_from(input)), *taken = NULL;
    ctn_err err = {0};
    if (ctn_plan_accept_input(plan, kit.arena, given, &taken, &err) == CTN_OK) {
        assert_text(ctn_json_to_str(kit.arena, taken), wanted);
    } else {
        assert_int_equal(err.code, CTN_E_INVALID);
        if (!strstr(err.message, wanted))
            fail_msg("got    %s\nwanted %s", err.message, wanted);
    }
    ctn_plan_done(plan);
    chain_kit_done(&kit);
}

static void a_start_without_a_needed_input_is_refused_by_name(void **state)
{
    (void) state;
    static const char *const chain = "id: c\n" NOOP "steps:\n"
                                     "- {stepName: a, instructionSet: noop, inputTemplate: '{raw_lead} {note?}'}\n";
    check_input(chain, "{}", "needs the input 'raw_lead', which was not given");
    check_input(chain, "{\"rawlead\":1}", "'rawlead' was given: did you mean that?");
    check_input(chain, "{\"raw_lead\":null,\"extra\":1}", "{\"raw_lead\":null,\"extra\":1}");
    check_input(chain, "{\"raw_lead\":1,\"secret\":1}", "cannot be named 'secret'");
    check_input(chain, "[1]", "must be an object");
}

static void a_schema_gives_defaults_and_judges(void **state)
{
    (void) state;
    static const char *const chain = "id: c\n" NOOP "inputSchema: {type: object, required: [who], properties: {who: "
                                     "{type: string}, n: {type: integer, default: 2}}}\n"
                                     "steps:\n- {stepName: a, instructionSet: noop, inputTemplate: '{who} {n}'}\n";
    check_input(chain, "{\"who\":\"me\"}", "{\"who\":\"me\",\"n\":2}");
    check_input(chain, "{\"who\":\"me\",\"n\":3}", "{\"who\":\"me\",\"n\":3}");
    check_input(chain, "{\"n\":3}", "needs the input 'who'");
    check_input(chain, "{\"who\":5}", "does not fit its inputSchema");
}

/* ---- requires ---- */

#define SUB_STEPS "steps: [{stepName: a, instructionSet: noop}]\n"
#define CALLS_SUB                                                                                                      \
    "instructionSets: {sub: {chain: below}, noop: {native: noop, effect: none}}\n"                                     \
    "steps: [{stepName: a, instructionSet: sub}, {stepName: b, instructionSet: noop}]\n"

static void what_sub_chains_require_is_required_of_the_parent_also_after_the_store(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "below.yaml", "id: below\nrequires: {zone: north, cores: 8}\n" SUB_STEPS);
    chain_kit_add(&kit, "c.yaml", "id: c\nrequires: {gpu: true, cores: 8.0}\n" CALLS_SUB);
    ctn_plan *plan = chain_kit_compile(&kit), *again = NULL, *child = NULL;
    assert_text(plan->requires_text, "{\"cores\":8,\"gpu\":true,\"zone\":\"north\"}");
    ctn_err err = {0};
    assert_int_equal(ctn_plan_from_definitions(kit.arena, plan->definitions, plan->definition_count, &again, &err),
                     CTN_OK);
    assert_text(again->requires_text, "{\"cores\":8,\"gpu\":true,\"zone\":\"north\"}");
    assert_int_equal(ctn_plan_of_child(kit.arena, plan, CTN_STR("below"), &child, &err), CTN_OK);
    assert_text(child->requires_text, "{\"cores\":8,\"zone\":\"north\"}");
    ctn_plan_done(plan);
    ctn_plan_done(again);
    ctn_plan_done(child);
    chain_kit_done(&kit);
}

static void a_sub_chain_that_requires_the_contrary_is_refused(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "below.yaml", "id: below\nrequires: {gpu: false}\n" SUB_STEPS);
    chain_kit_add(&kit, "c.yaml", "id: c\nrequires: {gpu: true}\n" CALLS_SUB);
    ctn_plan *plan = NULL;
    assert_int_equal(ctn_plan_compile(kit.arena, kit.library, kit.chain, &kit.findings, &plan), CTN_E_INVALID);
    assert_non_null(strstr(chain_kit_findings(&kit, NULL).ptr, "no node can have the label 'gpu'"));
    chain_kit_done(&kit);
}

static void labels_meet_what_they_have_all_of(void **state)
{
    (void) state;
    static const struct {
        const char *labels, *requires;
        bool meets;
    } ROWS[] = {
        {"{}", "{}", true},
        {"", "", true},
        {"{\"gpu\":true}", "{}", true},
        {"{\"gpu\":true}", "{\"gpu\":true}", true},
        {"{\"gpu\":true}", "{\"gpu\":false}", false},
        {"{\"gpu\":true}", "{\"gpu\":\"true\"}", false},
        {"{\"zone\":\"north\",\"gpu\":true}", "{\"gpu\":true,\"zone\":\"north\"}", true},
        {"{\"zone\":\"north\"}", "{\"gpu\":true,\"zone\":\"north\"}", false},
        {"{\"cores\":8}", "{\"cores\":8.0}", true},
        {"{}", "{\"gpu\":true}", false},
        {"", "{\"gpu\":true}", false},
        {"no JSON", "{\"gpu\":true}", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(ctn_labels_text_meets(ctn_str_from(ROWS[i].labels), ctn_str_from(ROWS[i].requires)),
                         ROWS[i].meets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_sub_chains_require_is_required_of_the_parent_also_after_the_store),
        cmocka_unit_test(a_sub_chain_that_requires_the_contrary_is_refused),
        cmocka_unit_test(labels_meet_what_they_have_all_of),
        cmocka_unit_test(steps_run_in_the_order_of_the_file),
        cmocka_unit_test(parallel_steps_wait_for_the_barrier_and_for_what_they_read),
        cmocka_unit_test(depends_on_replaces_the_order_and_is_no_barrier),
        cmocka_unit_test(a_step_may_depend_on_a_later_one),
        cmocka_unit_test(ten_thousand_steps_in_a_row_have_as_many_edges),
        cmocka_unit_test(a_plan_names_what_it_needs_from_outside),
        cmocka_unit_test(names_of_a_documents_sections_are_no_inputs),
        cmocka_unit_test(results_by_default_are_what_the_steps_produce),
        cmocka_unit_test(defaults_are_those_of_the_language),
        cmocka_unit_test(a_set_without_arguments_passes_the_input_on_if_there_is_one),
        cmocka_unit_test(a_plan_from_its_definitions_is_the_same_plan),
        cmocka_unit_test(a_plan_outlives_its_library),
        cmocka_unit_test(instructions_in_a_file_are_part_of_what_is_stored),
        cmocka_unit_test(a_prompt_whose_file_is_not_there_is_an_error),
        cmocka_unit_test(definitions_that_make_no_plan_are_refused_with_a_sentence),
        cmocka_unit_test(the_same_chain_in_yaml_and_json_has_one_digest),
        cmocka_unit_test(what_this_version_does_not_run_is_named),
        cmocka_unit_test(a_start_without_a_needed_input_is_refused_by_name),
        cmocka_unit_test(a_schema_gives_defaults_and_judges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
