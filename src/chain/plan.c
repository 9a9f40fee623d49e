/*
 * plan.c -- a chain made ready to run.
 *
 * There is one way to make a plan: from definitions. Compiling a chain of the library checks it, collects the
 * definitions it uses and makes the plan of those, so that a plan after recovery cannot differ from the one the
 * execution started with: it came about in the same way from the same bytes.
 */
#include "chain/plan.h"
#include "base/memory.h"
#include "chain/definition.h"
#include "chain/flow.h"
#include "chain/graph.h"
#include "chain/plan_unsupported.h"
#include <assert.h>

#define TIMEOUT_DEFAULT_MS 60000

typedef struct plan_build {
    ctn_arena *arena;
    ctn_graph *graph;
    ctn_plan *plan;
    ctn_names set_names;
    ctn_plan_set **sets; /* by number in set_names */
    uint32_t schema_capacity;
    int rc; /* the first failure, and its sentence */
    ctn_err *err;
} plan_build;

/* ---- instruction sets ---- */

static void build_call(const ctn_work *work, ctn_plan_call *ret_call)
{
    bool is_named = ctn_json_is(work->detail, CTN_JSON_STRING);
    *ret_call = (ctn_plan_call){
        .name = work->name,
        .kind = work->kind,
        .target = is_named ? ctn_json_text(work->detail) : ctn_str_from(ctn_work_kind_name(work->kind)),
        .effect = ctn_work_effect(work),
        .arguments = work->arguments.tree,
        .timeout_ms = work->timeout_ms,
    };
}

static ctn_set_kind set_kind(ctn_work_kind kind)
{
    switch (kind) {
    case CTN_WORK_WAIT: return CTN_SET_WAIT;
    case CTN_WORK_APPROVAL: return CTN_SET_APPROVAL;
    case CTN_WORK_AGENT: return CTN_SET_AGENT;
    case CTN_WORK_CHAIN: return CTN_SET_CHAIN;
    default: return CTN_SET_CALLS;
    }
}

/* Schemas hold patterns that are freed with the plan. */
static ctn_schema *build_schema(plan_build *build, const ctn_json *source, const char *what)
{
    ctn_schema *schema = NULL;
    const ctn_json *bad = NULL;
    if (!source || build->rc)
        return NULL;
    build->rc = ctn_schema_compile(build->arena, source, &schema, &bad, build->err);
    if (build->rc) {
        ctn_wrap(build->err, build->rc, "%s", what);
        return NULL;
    }
    ctn_plan *plan = build->plan;
    if (plan->schema_count == build->schema_capacity) {
        build->schema_capacity = build->schema_capacity ? 2 * build->schema_capacity : 8;
        ctn_schema **schemas = CTN_NEW_ARRAY(build->arena, ctn_schema *, build->schema_capacity);
        if (plan->schema_count)
            memcpy(schemas, plan->schemas, plan->schema_count * sizeof *schemas);
        plan->schemas = schemas;
    }
    plan->schemas[plan->schema_count++] = schema;
    return schema;
}

static ctn_plan_set *build_set(plan_build *build, const ctn_instruction_set *set)
{
    ctn_arena *arena = build->arena;
    ctn_plan_set *built = CTN_NEW(arena, ctn_plan_set);
    const ctn_work *work = &set->work;
    *built = (ctn_plan_set){
        .name = set->name,
        .kind = set_kind(work->kind),
        .is_several = work->kind == CTN_WORK_CALLS,
        .result = set->result.tree,
        .effect = set->effect,
        .settle_ms = set->settle_ms,
        .digest = ctn_hash(ctn_definition_of_set(arena, set)),
        .timeout_ms = work->timeout_ms,
        .wait_ms = work->wait_ms,
        .until = work->until.template,
        .message = work->message.template,
        .who = work->who,
        .answer_timeout_ms = work->answer_timeout_ms,
        .limits = set->limits,
        .on_timeout = work->on_timeout ? (ctn_on_timeout) (work->on_timeout - 1) : CTN_ON_TIMEOUT_FAIL,
    };
    if (built->kind == CTN_SET_CALLS) {
        built->timeout_ms = work->timeout_ms ? work->timeout_ms : TIMEOUT_DEFAULT_MS;
        built->call_count = built->is_several ? set->call_count : 1;
        built->calls = CTN_NEW_ARRAY(arena, ctn_plan_call, built->call_count);
        for (uint32_t i = 0; i < built->call_count; i++)
            build_call(built->is_several ? &set->calls[i] : work, &built->calls[i]);
    }
    if (set->check) {
        ctn_plan_call *check = CTN_NEW(arena, ctn_plan_call);
        build_call(set->check, check);
        built->check = check;
    }
    if (built->kind == CTN_SET_AGENT) {
        built->instructions = ctn_json_member_of(work->detail, "instructions");
        built->answer_schema_source = ctn_json_member_of(work->detail, "outputSchema");
        built->answer_schema = build_schema(build, built->answer_schema_source, "outputSchema of an agent");
        built->arguments = work->arguments.tree;
    }
    if (built->kind == CTN_SET_CHAIN) {
        built->chain = ctn_json_text(work->detail);
        built->arguments = work->arguments.tree;
    }
    ctn_reads reads = {0};
    ctn_instruction_set_reads(set, arena, &reads);
    built->reads_input = ctn_reads_have(&reads, "input");
    return built;
}

/* One plan set for all steps that name it. */
static const ctn_plan_set *plan_set(plan_build *build, const ctn_instruction_set *set)
{
    if (!set)
        return NULL;
    uint32_t known = build->set_names.count;
    uint32_t number = ctn_names_add(&build->set_names, set->name);
    if (number == known)
        build->sets[number] = build_set(build, set);
    return build->sets[number];
}

/* ---- steps ---- */

static void build_outputs(plan_build *build, const ctn_graph_step *from, ctn_plan_step *step)
{
    const ctn_chain_step *s = from->step;
    step->outputs = CTN_NEW_ARRAY(build->arena, ctn_plan_output, from->write_count);
    for (uint32_t i = 0; i < from->write_count; i++)
        step->outputs[step->output_count++] =
            (ctn_plan_output){.slot = from->writes[i], .path = i < s->output_count ? s->outputs[i].path : NULL};
    step->document = from->mustache;
    step->document_slot = from->document_variable;
}

static void build_fallbacks(plan_build *build, const ctn_chain_step *s, ctn_plan_step *step)
{
    step->fallbacks = CTN_NEW_ARRAY(build->arena, ctn_plan_fallback, s->fallback_count);
    for (uint32_t i = 0; i < s->fallback_count; i++) {
        const ctn_chain_fallback *from = &s->fallbacks[i];
        const ctn_instruction_set *set =
            from->instruction_set ? ctn_library_set(build->graph->library, ctn_json_text(from->instruction_set)) : NULL;
        step->fallbacks[step->fallback_count++] =
            (ctn_plan_fallback){.set = plan_set(build, set), .input = from->input.template, .value = from->value.tree};
    }
}

static const ctn_plan_foreach *build_foreach(ctn_arena *arena, const ctn_chain_foreach *from)
{
    if (!from->node)
        return NULL;
    ctn_plan_foreach *each = CTN_NEW(arena, ctn_plan_foreach);
    *each = (ctn_plan_foreach){.items = from->items.template,
                               .range = from->range.tree,
                               .as = ctn_json_text(from->as),
                               .max_concurrency = (uint32_t) from->max_concurrency};
    return each;
}

static ctn_on_interrupted on_interrupted_of(const ctn_chain_step *step)
{
    switch (step->on_interrupted) {
    case 1: return CTN_ON_INTERRUPTED_ASK;
    case 2: return CTN_ON_INTERRUPTED_RETRY;
    case 3: return CTN_ON_INTERRUPTED_FAIL;
    default: return CTN_ON_INTERRUPTED_DEFAULT;
    }
}

static void build_step(plan_build *build, uint32_t index)
{
    const ctn_graph_step *from = &build->graph->steps[index];
    const ctn_chain_step *s = from->step;
    ctn_plan_step *step = &build->plan->steps[index];
    *step = (ctn_plan_step){
        .name = s->name,
        .set = plan_set(build, from->set),
        .input = s->input.template,
        .condition = s->condition.expression,
        .parallel_calls = s->is_parallel == CTN_SAID_TRUE,
        .predecessors = from->predecessors,
        .predecessor_count = from->predecessor_count,
        .retry = {.max_retries = s->retry.max_retries,
                  .backoff_ms = s->retry.backoff_ms,
                  .multiplier = s->retry.multiplier,
                  .max_backoff_ms = s->retry.max_backoff_ms,
                  .jitter = s->retry.jitter,
                  .retry_on = s->retry.retry_on_codes},
        .timeout_ms = s->timeout_ms,
        .idle_timeout_ms = s->idle_timeout_ms,
        .cache = {.ttl_ms = s->cache.node ? s->cache.ttl_ms : 0,
                  .key = s->cache.key.template,
                  .allows_writes = s->cache.allow_writes == CTN_SAID_TRUE},
        .output_schema = build_schema(build, s->output_schema, "outputSchema of a step"),
        .continue_on_error = s->on_error == 2,
        .on_interrupted = on_interrupted_of(s),
        .undo = plan_set(build, from->undo),
        .undo_input = s->rollback_template.template,
        .no_undo = ctn_json_text(s->no_undo),
    };
    build_outputs(build, from, step);
    build_fallbacks(build, s, step);
    step->foreach = build_foreach(build->arena, &s->foreach);
}

static void build_successors(plan_build *build)
{
    ctn_plan *plan = build->plan;
    for (uint32_t i = 0; i < plan->step_count; i++)
        for (uint32_t k = 0; k < plan->steps[i].predecessor_count; k++)
            plan->steps[plan->steps[i].predecessors[k]].successor_count++;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        plan->steps[i].successors = CTN_NEW_ARRAY(build->arena, uint32_t, plan->steps[i].successor_count);
        plan->steps[i].successor_count = 0;
    }
    for (uint32_t i = 0; i < plan->step_count; i++)
        for (uint32_t k = 0; k < plan->steps[i].predecessor_count; k++) {
            ctn_plan_step *before = &plan->steps[plan->steps[i].predecessors[k]];
            before->successors[before->successor_count++] = i;
        }
}

/* ---- results ---- */

static void build_results(plan_build *build)
{
    const ctn_chain *chain = build->graph->chain;
    ctn_plan *plan = build->plan;
    if (chain->outputs) {
        plan->results = CTN_NEW_ARRAY(build->arena, ctn_plan_result, chain->result_count);
        for (uint32_t i = 0; i < chain->result_count; i++) {
            const ctn_chain_result *result = &chain->results[i];
            bool is_variable = !result->expression.expression;
            plan->results[plan->result_count++] = (ctn_plan_result){
                .name = result->name,
                .expression = result->expression.expression,
                .slot = is_variable ? ctn_names_find(&build->graph->variables, result->name) : CTN_PLAN_NONE,
            };
        }
        return;
    }
    plan->results = CTN_NEW_ARRAY(build->arena, ctn_plan_result, plan->variable_count);
    bool *is_listed = CTN_NEW_ARRAY(build->arena, bool, plan->variable_count);
    for (uint32_t s = 0; s < plan->step_count; s++)
        for (uint32_t i = 0; i < plan->steps[s].output_count; i++) {
            uint32_t slot = plan->steps[s].outputs[i].slot;
            if (is_listed[slot])
                continue;
            is_listed[slot] = true;
            plan->results[plan->result_count++] = (ctn_plan_result){.name = plan->variables[slot], .slot = slot};
        }
}

/* ---- the plan of a graph: everything lives in the graph's arena ---- */

static bool has_undo(const ctn_chain *chain)
{
    for (uint32_t i = 0; i < chain->step_count; i++)
        if (chain->steps[i].rollback_action)
            return true;
    return false;
}

static int build_plan(ctn_graph *graph, ctn_plan **ret_plan, ctn_err *err)
{
    ctn_arena *arena = graph->arena;
    const ctn_chain *chain = graph->chain;
    ctn_plan *plan = CTN_NEW(arena, ctn_plan);
    plan_build build = {.arena = arena, .graph = graph, .plan = plan, .err = err};
    size_t sets_max = 2 * (size_t) graph->step_count;
    for (uint32_t i = 0; i < graph->step_count; i++)
        sets_max += graph->steps[i].step->fallback_count;
    ctn_names_init(&build.set_names, arena);
    build.sets = CTN_NEW_ARRAY(arena, ctn_plan_set *, sets_max);
    plan->arena = arena;
    plan->chain_id = chain->id;
    plan->chain_name = ctn_json_text(chain->name);
    plan->version_stated = chain->version;
    plan->variable_names = &graph->variables;
    plan->step_names = &graph->step_names;
    plan->variables = graph->variables.items;
    plan->variable_count = graph->variables.count;
    plan->step_count = graph->step_count;
    plan->steps = CTN_NEW_ARRAY(arena, ctn_plan_step, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++)
        build_step(&build, i);
    build_successors(&build);
    build_results(&build);
    plan->inputs = CTN_NEW_ARRAY(arena, ctn_plan_input, graph->input_count);
    plan->input_count = graph->input_count;
    for (uint32_t i = 0; i < graph->input_count; i++)
        plan->inputs[i] =
            (ctn_plan_input){.slot = graph->inputs[i].variable, .is_required = graph->inputs[i].is_required};
    plan->is_rollback_enabled =
        chain->is_rollback_enabled == CTN_UNSAID ? has_undo(chain) : chain->is_rollback_enabled == CTN_SAID_TRUE;
    plan->timeout_ms = chain->timeout_ms;
    plan->priority = (int) chain->priority;
    plan->max_concurrent = chain->max_concurrent;
    plan->concurrency_key = chain->concurrency_key.template;
    plan->on_failure = ctn_json_text(chain->on_failure);
    plan->cron = ctn_json_str_or(chain->schedule, "cron", CTN_STR(""));
    plan->timezone = ctn_json_str_or(chain->schedule, "timezone", CTN_STR(""));
    plan->sensitive = ctn_json_count(chain->sensitive) ? chain->sensitive : NULL;
    plan->may_be_sensitive = plan->sensitive != NULL;
    plan->unsupported = ctn_plan_find_unsupported(graph);
    plan->input_schema_source = chain->input_schema;
    plan->input_schema = build_schema(&build, chain->input_schema, "inputSchema");
    if (build.rc) {
        ctn_plan_done(plan);
        return build.rc;
    }
    plan->budget = (ctn_budget){.calls = chain->budget.calls,
                                .wall_ms = chain->budget.wall_ms,
                                .bytes = chain->budget.bytes,
                                .tokens = chain->budget.tokens,
                                .money = ctn_json_text(chain->budget.money),
                                .parks = chain->budget.on_reached != 2};
    *ret_plan = plan;
    return CTN_OK;
}

/* ---- definitions ---- */

typedef struct definition_list {
    ctn_arena *arena;
    ctn_plan_definition *items;
    uint32_t count, capacity;
    ctn_names seen; /* "kind name" */
} definition_list;

/* False when it is there already. */
static bool list_takes(definition_list *list, const char *kind, ctn_str name)
{
    uint32_t known = list->seen.count;
    ctn_str key = ctn_arena_printf(list->arena, "%s %.*s", kind, CTN_STR_ARG(name));
    return ctn_names_add(&list->seen, key) == known;
}

static void list_add(definition_list *list, const char *kind, ctn_str name, ctn_str body)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 8;
        ctn_plan_definition *items = CTN_NEW_ARRAY(list->arena, ctn_plan_definition, capacity);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (ctn_plan_definition){
        .kind = ctn_str_from(kind), .name = ctn_arena_str(list->arena, name), .body = body, .digest = ctn_hash(body)};
}

static void list_add_document(definition_list *list, const ctn_document *document)
{
    if (list_takes(list, "template", document->name))
        list_add(list, "template", document->name, ctn_definition_of_document(list->arena, document));
}

/* {{>*name}} names its partial only when it is rendered: any document may be meant. */
static bool names_partials_at_render(ctn_str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] != '>' && text.ptr[i] != '<')
            continue;
        ctn_str rest = ctn_str_trim(ctn_str_from_offset(text, i + 1));
        if (rest.len && rest.ptr[0] == '*')
            return true;
    }
    return false;
}

static int collect(definition_list *list, const ctn_graph *graph, ctn_findings *findings);

/* A sub-chain, with everything that it uses in turn. */
static int list_add_chain(definition_list *list, const ctn_graph *graph, ctn_str id, ctn_findings *findings)
{
    const ctn_chain *chain = ctn_library_chain(graph->library, id);
    if (!chain) { /* a check lets it pass, for it may be kept elsewhere; to run it has to be here */
        ctn_str advice = ctn_library_suggest_chain(graph->library, graph->arena, id);
        ctn_source_error(graph->chain->source, graph->chain->node, findings, "unknown-chain",
                         "a step hands its work to the chain '%.*s', which is not there; %.*s", CTN_STR_ARG(id),
                         CTN_STR_ARG(advice));
        return CTN_E_INVALID;
    }
    if (!list_takes(list, "chain", id))
        return CTN_OK;
    ctn_graph *child = NULL;
    int rc = ctn_graph_build(graph->arena, graph->library, chain, findings, &child);
    if (rc == CTN_OK)
        rc = ctn_flow_check(child, findings);
    if (rc)
        return rc;
    list_add(list, "chain", id, ctn_definition_of_chain(list->arena, chain));
    return collect(list, child, findings);
}

static int list_add_set(definition_list *list, const ctn_graph *graph, const ctn_instruction_set *set,
                        ctn_findings *findings)
{
    if (!set || !list_takes(list, "instruction_set", set->name))
        return CTN_OK;
    list_add(list, "instruction_set", set->name, ctn_definition_of_set(list->arena, set));
    return set->work.kind == CTN_WORK_CHAIN ? list_add_chain(list, graph, ctn_json_text(set->work.detail), findings)
                                            : CTN_OK;
}

/* What the steps use, in their order. Partials follow the document that names them. */
static int collect(definition_list *list, const ctn_graph *graph, ctn_findings *findings)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < graph->step_count; i++) {
        const ctn_graph_step *step = &graph->steps[i];
        rc = list_add_set(list, graph, step->set, findings);
        if (rc == CTN_OK)
            rc = list_add_set(list, graph, step->undo, findings);
        for (uint32_t k = 0; rc == CTN_OK && k < step->step->fallback_count; k++)
            rc = list_add_set(list, graph, step->fallbacks[k], findings);
        if (step->document)
            list_add_document(list, step->document);
        for (const ctn_partial *partial = step->partials; partial; partial = partial->next)
            list_add_document(list, partial->document);
    }
    return rc;
}

/* The chain first. */
static int collect_definitions(ctn_arena *arena, const ctn_graph *graph, ctn_findings *findings,
                               definition_list *ret_list)
{
    *ret_list = (definition_list){.arena = arena};
    definition_list *list = ret_list;
    ctn_names_init(&list->seen, arena);
    (void) list_takes(list, "chain", graph->chain->id);
    list_add(list, "chain", graph->chain->id, ctn_definition_of_chain(arena, graph->chain));
    int rc = collect(list, graph, findings);
    for (uint32_t i = 0; i < list->count; i++) {
        if (!ctn_str_is(list->items[i].kind, "template") || !names_partials_at_render(list->items[i].body))
            continue;
        for (size_t k = 0; k < ctn_library_document_count(graph->library); k++)
            list_add_document(list, ctn_library_document_at(graph->library, k));
        break;
    }
    return rc;
}

/* ---- public ---- */

typedef struct compiling {
    ctn_arena *arena;
    const ctn_library *library;
    const ctn_chain *chain;
    ctn_findings *findings;
    const ctn_plan *parent; /* of a sub-chain's plan */
    ctn_str chain_id;       /* ... its name */
    const ctn_plan_definition *definitions;
    uint32_t definition_count;
    ctn_plan *plan; /* the result */
    ctn_err *err;
} compiling;

static int compile(void *ctx)
{
    compiling *c = ctx;
    ctn_arena *scratch = ctn_arena_new(65536);
    ctn_graph *graph = NULL;
    ctn_err err = {0};
    int rc = ctn_graph_build(scratch, c->library, c->chain, c->findings, &graph);
    if (rc == CTN_OK)
        rc = ctn_flow_check(graph, c->findings);
    definition_list list;
    if (rc == CTN_OK)
        rc = collect_definitions(c->arena, graph, c->findings, &list);
    if (rc)
        goto done;
    rc = ctn_plan_from_definitions(c->arena, list.items, list.count, &c->plan, &err);
    if (rc) { /* what was checked a moment ago compiles again, a limit of size excepted */
        ctn_source_error(c->chain->source, c->chain->node, c->findings, "syntax", "%s", err.message);
    }
done:
    ctn_arena_free(scratch);
    return rc;
}

int ctn_plan_compile(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                     ctn_plan **ret_plan)
{
    if (chain->fault_count)
        return CTN_E_INVALID;
    compiling c = {.arena = arena, .library = library, .chain = chain, .findings = findings};
    int rc = ctn_findings_guarded(findings, ctn_source_file_name(chain->source), compile, &c);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

static int add_definition(ctn_library *library, const ctn_plan_definition *definition, ctn_findings *findings,
                          const ctn_chain **ret_chain)
{
    ctn_str file = ctn_arena_printf(findings->arena, "%.*s %.*s.json", CTN_STR_ARG(definition->kind),
                                    CTN_STR_ARG(definition->name));
    if (!ctn_str_is(definition->kind, "template"))
        return ctn_library_add_text(library, file, definition->body, findings, ret_chain);
    const ctn_json *body = NULL;
    int rc = ctn_json_parse(findings->arena, definition->body, NULL, &body, NULL);
    if (rc)
        return rc;
    return ctn_library_add_template(library, ctn_json_str_or(body, "name", definition->name), file,
                                    ctn_json_str_or(body, "text", CTN_STR("")), findings);
}

int ctn_plan_graph(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count, ctn_graph **ret_graph,
                   ctn_err *err)
{
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    int rc = count ? CTN_OK : CTN_E_INVALID;
    for (uint32_t i = 0; rc == CTN_OK && i < count; i++)
        rc = add_definition(library, &definitions[i], &findings, i == 0 ? &chain : NULL);
    if (rc == CTN_OK)
        rc = chain ? ctn_graph_build(arena, library, chain, &findings, ret_graph) : CTN_E_INVALID;
    if (rc && findings.count)
        return ctn_fail(err, CTN_E_CORRUPT, "the definitions make no plan: %.*s:%u:%u: %.*s",
                        CTN_STR_ARG(findings.items[0].file), findings.items[0].line, findings.items[0].column,
                        CTN_STR_ARG(findings.items[0].message));
    if (rc)
        return ctn_fail(err, CTN_E_CORRUPT, "the definitions make no plan: the first one is no chain");
    return CTN_OK;
}

/* A sub-chain that does; what is found by its text may be something else, which costs a look and no more. */
static bool declares_sensitive(const ctn_plan_definition *definition)
{
    static const char key[] = "\"sensitive\":";
    return ctn_str_is(definition->kind, "chain") &&
           memmem(definition->body.ptr, definition->body.len, key, sizeof key - 1) != NULL;
}

static int from_definitions(void *ctx)
{
    compiling *c = ctx;
    ctn_arena *arena = c->arena;
    ctn_graph *graph = NULL;
    int rc = ctn_plan_graph(arena, c->definitions, c->definition_count, &graph, c->err);
    if (rc)
        return rc;
    ctn_plan *plan = NULL;
    rc = build_plan(graph, &plan, c->err);
    if (rc)
        return ctn_wrap(c->err, CTN_E_CORRUPT, "the definitions make no plan");
    assert(plan);
    plan->definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, c->definition_count);
    plan->definition_count = c->definition_count;
    for (uint32_t i = 0; i < c->definition_count; i++)
        plan->definitions[i] = (ctn_plan_definition){.kind = ctn_arena_str(arena, c->definitions[i].kind),
                                                     .name = ctn_arena_str(arena, c->definitions[i].name),
                                                     .body = ctn_arena_str(arena, c->definitions[i].body),
                                                     .digest = c->definitions[i].digest};
    for (uint32_t i = 1; i < c->definition_count; i++)
        plan->may_be_sensitive = plan->may_be_sensitive || declares_sensitive(&plan->definitions[i]);
    c->plan = plan;
    return CTN_OK;
}

int ctn_plan_from_definitions(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count,
                              ctn_plan **ret_plan, ctn_err *err)
{
    compiling c = {.arena = arena, .definitions = definitions, .definition_count = count, .err = err};
    int rc = ctn_guarded(from_definitions, &c, err);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

static int of_child(void *ctx)
{
    compiling *c = ctx;
    ctn_findings findings;
    ctn_arena *scratch = ctn_arena_new(16384);
    ctn_findings_init(&findings, scratch);
    ctn_library *library = ctn_library_new(scratch);
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < c->parent->definition_count; i++)
        rc = add_definition(library, &c->parent->definitions[i], &findings, NULL);
    const ctn_chain *chain = ctn_library_chain(library, c->chain_id);
    if (rc || !chain)
        rc = ctn_fail(c->err, CTN_E_CORRUPT, "the definitions hold no chain %.*s", CTN_STR_ARG(c->chain_id));
    else if (ctn_plan_compile(c->arena, library, chain, &findings, &c->plan))
        rc = ctn_fail(c->err, CTN_E_CORRUPT, "the definitions make no plan of %.*s", CTN_STR_ARG(c->chain_id));
    ctn_arena_free(scratch);
    return rc;
}

int ctn_plan_of_child(ctn_arena *arena, const ctn_plan *parent, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    compiling c = {.arena = arena, .parent = parent, .chain_id = chain_id, .err = err};
    int rc = ctn_guarded(of_child, &c, err);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

void ctn_plan_done(ctn_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->schema_count; i++)
        ctn_schema_done(plan->schemas[i]);
    plan->schema_count = 0;
}

void ctn_plan_free(ctn_plan *plan)
{
    ctn_plan_done(plan);
    if (plan)
        ctn_arena_free(plan->arena);
}

uint32_t ctn_plan_slot(const ctn_plan *plan, ctn_str variable)
{
    return ctn_names_find(plan->variable_names, variable);
}

uint32_t ctn_plan_step_index(const ctn_plan *plan, ctn_str step_name)
{
    return ctn_names_find(plan->step_names, step_name);
}
