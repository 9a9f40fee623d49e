/*
 * plan.c -- a chain made ready to run.
 *
 * There is one way to make a plan: from definitions. Compiling a chain of the library checks it, collects the
 * definitions it uses and makes the plan of those, so that a plan after recovery cannot differ from the one the
 * execution started with: it came about in the same way from the same bytes.
 */
#include "core/plan.h"
#include "core/definition.h"
#include "core/flow.h"
#include "core/graph.h"
#include "core/plan_unsupported.h"
#include <assert.h>

#define TIMEOUT_DEFAULT_MS 60000

typedef struct plan_build {
    ctn_arena *arena;
    ctn_graph *graph;
    ctn_plan *plan;
    ctn_names set_names;
    ctn_plan_set **sets; /* by number in set_names */
} plan_build;

/* ---- instruction sets ---- */

static ctn_call_kind call_kind_of(ctn_work_kind kind)
{
    switch (kind) {
    case CTN_WORK_NATIVE: return CTN_CALL_NATIVE;
    case CTN_WORK_TRANSFORM: return CTN_CALL_TRANSFORM;
    default: return CTN_CALL_TOOL;
    }
}

static void build_call(const ctn_work *work, ctn_plan_call *ret_call)
{
    *ret_call = (ctn_plan_call){
        .name = work->name,
        .kind = call_kind_of(work->kind),
        .target = ctn_json_text(work->detail),
        .arguments = work->arguments.tree,
        .timeout_ms = work->timeout_ms,
    };
}

static ctn_plan_set *build_set(ctn_arena *arena, const ctn_instruction_set *set)
{
    ctn_plan_set *built = CTN_NEW(arena, ctn_plan_set);
    const ctn_work *work = &set->work;
    *built = (ctn_plan_set){
        .name = set->name,
        .kind = work->kind == CTN_WORK_WAIT       ? CTN_SET_WAIT
                : work->kind == CTN_WORK_APPROVAL ? CTN_SET_APPROVAL
                                                  : CTN_SET_CALLS,
        .is_several = work->kind == CTN_WORK_CALLS,
        .result = set->result.tree,
        .effect = set->effect,
        .settle_ms = set->settle_ms,
        .wait_ms = work->wait_ms,
        .until = work->until.template,
        .message = work->message.template,
        .who = work->who,
        .answer_timeout_ms = work->answer_timeout_ms,
        .limits = set->limits,
        .on_timeout = work->on_timeout ? (ctn_on_timeout) (work->on_timeout - 1) : CTN_ON_TIMEOUT_FAIL,
    };
    if (built->kind == CTN_SET_CALLS) {
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
        build->sets[number] = build_set(build->arena, set);
    return build->sets[number];
}

/* ---- steps ---- */

static int64_t timeout_of(const ctn_chain_step *step, const ctn_instruction_set *set)
{
    if (step->timeout_ms)
        return step->timeout_ms;
    if (set->work.timeout_ms)
        return set->work.timeout_ms;
    switch (set->work.kind) {
    case CTN_WORK_WAIT:
    case CTN_WORK_APPROVAL:
    case CTN_WORK_AGENT:
    case CTN_WORK_CHAIN: return 0;
    default: return TIMEOUT_DEFAULT_MS;
    }
}

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
        .reads_input = from->reads_input && s->input.template,
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
        .timeout_ms = timeout_of(s, from->set),
        .timeout_said_ms = s->timeout_ms,
        .idle_timeout_ms = s->idle_timeout_ms,
        .continue_on_error = s->on_error == 2,
        .on_interrupted = on_interrupted_of(s),
        .undo = plan_set(build, from->undo),
        .undo_input = s->rollback_template.template,
        .no_undo = ctn_json_text(s->no_undo),
    };
    build_outputs(build, from, step);
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
    plan_build build = {.arena = arena, .graph = graph, .plan = plan};
    ctn_names_init(&build.set_names, arena);
    build.sets = CTN_NEW_ARRAY(arena, ctn_plan_set *, 2 * (size_t) graph->step_count);
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
    plan->unsupported = ctn_plan_find_unsupported(graph);
    plan->input_schema_source = chain->input_schema;
    if (chain->input_schema) {
        const ctn_json *bad = NULL;
        int rc = ctn_schema_compile(arena, chain->input_schema, &plan->input_schema, &bad, err);
        if (rc) {
            plan->input_schema = NULL;
            return ctn_wrap(err, rc, "inputSchema");
        }
    }
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

static void list_add_set(definition_list *list, const ctn_instruction_set *set)
{
    if (set && list_takes(list, "instruction_set", set->name))
        list_add(list, "instruction_set", set->name, ctn_definition_of_set(list->arena, set));
}

static void list_add_document(void *ctx, const ctn_document *document)
{
    definition_list *list = ctx;
    if (document && list_takes(list, "template", document->name))
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

/* The chain, then what its steps use, in their order. Partials follow the document that names them. */
static definition_list collect_definitions(ctn_arena *arena, const ctn_graph *graph)
{
    definition_list list = {.arena = arena};
    ctn_names_init(&list.seen, arena);
    list_add(&list, "chain", graph->chain->id, ctn_definition_of_chain(arena, graph->chain));
    for (uint32_t i = 0; i < graph->step_count; i++) {
        const ctn_graph_step *step = &graph->steps[i];
        list_add_set(&list, step->set);
        list_add_set(&list, step->undo);
        for (uint32_t k = 0; k < step->step->fallback_count; k++)
            list_add_set(&list,
                         ctn_library_set(graph->library, ctn_json_text(step->step->fallbacks[k].instruction_set)));
        if (!step->document)
            continue;
        list_add_document(&list, step->document);
        ctn_mustache *mustache = NULL;
        (void) ctn_library_compile_document(graph->library, graph->arena, step->document, list_add_document, &list,
                                            &mustache, NULL);
    }
    for (uint32_t i = 0; i < list.count; i++) {
        if (!ctn_str_is(list.items[i].kind, "template") || !names_partials_at_render(list.items[i].body))
            continue;
        for (size_t k = 0; k < ctn_library_document_count(graph->library); k++)
            list_add_document(&list, ctn_library_document_at(graph->library, k));
        break;
    }
    return list;
}

/* ---- public ---- */

int ctn_plan_compile(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                     ctn_plan **ret_plan)
{
    if (chain->fault_count)
        return CTN_E_INVALID;
    ctn_arena *scratch = ctn_arena_new(65536);
    ctn_graph *graph = NULL;
    ctn_err err = {0};
    int rc = ctn_graph_build(scratch, library, chain, findings, &graph);
    if (rc == CTN_OK)
        rc = ctn_flow_check(graph, findings);
    if (rc)
        goto done;
    definition_list list = collect_definitions(arena, graph);
    rc = ctn_plan_from_definitions(arena, list.items, list.count, ret_plan, &err);
    if (rc) { /* what was checked a moment ago compiles again, a limit of size excepted */
        ctn_position at = ctn_chain_position(chain, chain->node);
        ctn_findings_add(findings, ctn_source_file_name(chain->source), at.line, at.column, CTN_SEVERITY_ERROR,
                         "syntax", "%s", err.message);
    }
done:
    ctn_arena_free(scratch);
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

int ctn_plan_from_definitions(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count,
                              ctn_plan **ret_plan, ctn_err *err)
{
    ctn_graph *graph = NULL;
    int rc = ctn_plan_graph(arena, definitions, count, &graph, err);
    if (rc)
        return rc;
    ctn_plan *plan = NULL;
    rc = build_plan(graph, &plan, err);
    if (rc)
        return ctn_wrap(err, CTN_E_CORRUPT, "the definitions make no plan");
    assert(plan);
    plan->definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, count);
    plan->definition_count = count;
    for (uint32_t i = 0; i < count; i++)
        plan->definitions[i] = (ctn_plan_definition){.kind = ctn_arena_str(arena, definitions[i].kind),
                                                     .name = ctn_arena_str(arena, definitions[i].name),
                                                     .body = ctn_arena_str(arena, definitions[i].body),
                                                     .digest = definitions[i].digest};
    *ret_plan = plan;
    return CTN_OK;
}

void ctn_plan_done(ctn_plan *plan)
{
    if (!plan)
        return;
    ctn_schema_done(plan->input_schema);
    plan->input_schema = NULL;
}

uint32_t ctn_plan_slot(const ctn_plan *plan, ctn_str variable)
{
    return ctn_names_find(plan->variable_names, variable);
}

uint32_t ctn_plan_step_index(const ctn_plan *plan, ctn_str step_name)
{
    return ctn_names_find(plan->step_names, step_name);
}
