/*
 * plan_build.c -- the plan of a graph: every name an index, every text compiled, everything in the graph's arena.
 */
#include "chain/definition.h"
#include "chain/plan_internal.h"
#include "value/secret.h"

#define TIMEOUT_DEFAULT_MS 60000

typedef struct plan_build {
    ctn_arena *arena;
    ctn_graph *graph;
    ctn_plan *plan;
    ctn_names set_names;
    ctn_plan_set **sets; /* by number in set_names */
    size_t restricted_capacity;
    size_t schema_capacity;
    ctn_json_builder secrets; /* arena NULL: none is named */
    int rc;                   /* the first failure, and its sentence */
    ctn_err *err;
} plan_build;

/* ---- instruction sets ---- */

/* What the driver is to be given beside the arguments. */
static const ctn_json *detail_of(plan_build *build, const ctn_work *work)
{
    bool is_object = ctn_json_is(work->detail, CTN_JSON_OBJECT);
    return is_object && !ctn_work_kind_sends_detail(work->kind) ? ctn_work_whole_detail(work, build->arena) : NULL;
}

static void build_call(plan_build *build, const ctn_work *work, ctn_plan_call *ret_call)
{
    *ret_call = (ctn_plan_call){
        .name = work->name,
        .kind = work->kind,
        .target = ctn_work_target(work),
        .effect = ctn_work_effect(work),
        .arguments = work->arguments.tree,
        .detail = detail_of(build, work),
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
    plan->schemas =
        ctn_arena_room(build->arena, plan->schemas, plan->schema_count, &build->schema_capacity, sizeof *plan->schemas);
    plan->schemas[plan->schema_count++] = schema;
    return schema;
}

/* True: there are some among the reads. */
static bool add_secrets(plan_build *build, const ctn_reads *reads)
{
    bool is_any = false;
    for (size_t i = 0; i < reads->count; i++) {
        if (!ctn_str_is(reads->items[i].root, "secret"))
            continue;
        ctn_str name = ctn_read_member(build->arena, &reads->items[i]);
        if (!is_any && build->secrets.arena == NULL)
            build->secrets = ctn_json_object(build->arena);
        ctn_json_put(&build->secrets, name, ctn_secret_place(build->arena, name));
        is_any = true;
    }
    return is_any;
}

static bool template_reads_secrets(plan_build *build, const ctn_template *template)
{
    ctn_reads reads = {0};
    ctn_template_reads(template, build->arena, &reads);
    return add_secrets(build, &reads);
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
        .is_restricted = set->is_restricted == CTN_SAID_TRUE,
        .on_timeout = work->on_timeout ? (ctn_on_timeout) (work->on_timeout - 1) : CTN_ON_TIMEOUT_FAIL,
    };
    if (built->kind == CTN_SET_CALLS) {
        built->timeout_ms = work->timeout_ms ? work->timeout_ms : TIMEOUT_DEFAULT_MS;
        built->call_count = built->is_several ? set->call_count : 1;
        built->calls = CTN_NEW_ARRAY(arena, ctn_plan_call, built->call_count);
        for (uint32_t i = 0; i < built->call_count; i++)
            build_call(build, built->is_several ? &set->calls[i] : work, &built->calls[i]);
    }
    if (set->check) {
        ctn_plan_call *check = CTN_NEW(arena, ctn_plan_call);
        build_call(build, set->check, check);
        built->check = check;
    }
    if (built->kind == CTN_SET_AGENT) {
        built->instructions = ctn_json_member_of(work->detail, "instructions");
        built->answer_schema_source = ctn_json_member_of(work->detail, "outputSchema");
        built->answer_schema = build_schema(build, built->answer_schema_source, "outputSchema of an agent");
        built->arguments = work->arguments.tree;
    }
    if (built->kind == CTN_SET_WAIT) {
        built->answer_schema_source = work->answer_schema;
        built->answer_schema = build_schema(build, built->answer_schema_source, "answerSchema of a wait");
    }
    if (built->kind == CTN_SET_CHAIN) {
        built->chain = ctn_json_text(work->detail);
        built->arguments = work->arguments.tree;
    }
    ctn_reads reads = {0};
    ctn_instruction_set_reads(set, arena, &reads);
    built->reads_input = ctn_reads_have(&reads, "input");
    if (built->is_restricted) {
        ctn_plan *plan = build->plan;
        plan->restricted = ctn_arena_room(arena, plan->restricted, plan->restricted_count, &build->restricted_capacity,
                                          sizeof *plan->restricted);
        plan->restricted[plan->restricted_count++] = set->name;
    }
    built->reads_secrets = add_secrets(build, &reads);
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

static void build_fallbacks(plan_build *build, const ctn_graph_step *from, ctn_plan_step *step)
{
    const ctn_chain_step *s = from->step;
    step->fallbacks = CTN_NEW_ARRAY(build->arena, ctn_plan_fallback, s->fallback_count);
    for (uint32_t i = 0; i < s->fallback_count; i++)
        step->fallbacks[step->fallback_count++] = (ctn_plan_fallback){.set = plan_set(build, from->fallbacks[i]),
                                                                      .input = s->fallbacks[i].input.template,
                                                                      .value = s->fallbacks[i].value.tree};
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
        .continue_on_error = s->on_error == CTN_ON_ERROR_CONTINUE,
        .on_interrupted = on_interrupted_of(s),
        .undo = plan_set(build, from->undo),
        .undo_input = s->rollback_template.template,
        .no_undo = ctn_json_text(s->no_undo),
    };
    build_outputs(build, from, step);
    build_fallbacks(build, from, step);
    step->input_reads_secrets = template_reads_secrets(build, step->input);
    step->input_reads_secrets |= template_reads_secrets(build, step->undo_input);
    for (uint32_t i = 0; i < step->fallback_count; i++)
        step->input_reads_secrets |= template_reads_secrets(build, step->fallbacks[i].input);
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

bool ctn_plan_names_secrets(const ctn_plan_step *step, const ctn_plan_set *set)
{
    return set->reads_secrets || step->input_reads_secrets;
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

int ctn_plan_build(ctn_graph *graph, ctn_plan **ret_plan, ctn_err *err)
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
    plan->run_as = ctn_json_text(chain->run_as);
    plan->requires = ctn_json_count(chain->requires) ? chain->requires : NULL;
    plan->cron = ctn_json_str_or(chain->schedule, "cron", CTN_STR(""));
    plan->timezone = ctn_json_str_or(chain->schedule, "timezone", CTN_STR(""));
    plan->secrets = build.secrets.arena ? ctn_json_finish(&build.secrets) : NULL;
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
    plan->mcp = chain->mcp;
    plan->mcp.node = plan->mcp.uri_node = plan->mcp.content_node = NULL;
    *ret_plan = plan;
    return CTN_OK;
}
