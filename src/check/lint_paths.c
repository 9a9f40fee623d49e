/*
 * lint_paths.c -- tables for questions about paths.
 *
 * Writers of one variable are in order among each other (else they race, which is an error and ends the check before
 * this), so "the last one before a step" is one, and its number says which value the step sees.
 */
#include "check/lint_paths.h"

#define WRITERS_ASKED_MAX 64

bool ctn_lint_continues(const ctn_lint_paths *paths, uint32_t step)
{
    return paths->graph->steps[step].step->on_error == CTN_ON_ERROR_CONTINUE;
}

/* ---- versions ---- */

uint32_t ctn_lint_writers_before(const ctn_lint_paths *paths, uint32_t step, uint32_t variable, uint32_t count)
{
    const uint32_t *writers = paths->writers[variable].items;
    while (count > 0 && !ctn_graph_precedes(paths->graph, writers[count - 1], step))
        count--;
    return count;
}

/* How many of the steps, which stand in order, can come before this one: the order's later part is stepped over. */
static uint32_t steps_up_to(const ctn_lint_paths *paths, uint32_t step, const ctn_graph_steps *steps)
{
    uint32_t low = 0, high = steps->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (paths->position[steps->items[middle]] < paths->position[step])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t ctn_lint_version(const ctn_lint_paths *paths, uint32_t step, uint32_t variable)
{
    uint32_t count =
        ctn_lint_writers_before(paths, step, variable, steps_up_to(paths, step, &paths->writers[variable]));
    return count ? paths->writers[variable].items[count - 1] + 1 : 0;
}

static uint32_t version_for_logic(void *ctx, uint32_t step, ctn_str root)
{
    const ctn_lint_paths *paths = ctx;
    if (ctn_is_reserved_root(root))
        return ctn_str_is(root, "execution") || ctn_str_is(root, "secret") ? 0 : CTN_LOGIC_OWN_VERSION;
    uint32_t variable = ctn_names_find(&paths->graph->variables, root);
    return variable == CTN_NAMES_NONE ? 0 : ctn_lint_version(paths, step, variable);
}

static const ctn_json *member_schema(const ctn_json *schema, ctn_str name)
{
    return ctn_json_get(ctn_json_member_of(schema, "properties"), name);
}

static bool requires(const ctn_json *schema, ctn_str name)
{
    return ctn_json_has_text(ctn_json_member_of(schema, "required"), name);
}

static const ctn_chain_output *output_of(const ctn_chain_step *step, ctn_str name)
{
    for (uint32_t i = 0; i < step->output_count; i++)
        if (ctn_str_equal(step->outputs[i].name, name))
            return &step->outputs[i];
    return NULL;
}

/* What is known of a variable that the step surely gave: its set's answer is checked against a schema, or has a fixed
 * form. What a fallback, an item of a foreach or a document gives is another matter. */
static const ctn_json *produced_schema(const ctn_lint_paths *paths, uint32_t writer, ctn_str name)
{
    static const ctn_json_member TYPE_BOOLEAN = {.key = {.kind = CTN_JSON_STRING, .count = 4, .text = "type"},
                                                 .value = {.kind = CTN_JSON_STRING, .count = 7, .text = "boolean"}};
    static const ctn_json BOOLEAN = {.kind = CTN_JSON_OBJECT, .count = 1, .members = &TYPE_BOOLEAN};
    const ctn_graph_step *graph_step = &paths->graph->steps[writer];
    const ctn_chain_step *step = graph_step->step;
    const ctn_chain_output *output = output_of(step, name);
    if (!output || output->path || step->condition.node || step->fallback_count || step->foreach.node ||
        step->template_id)
        return NULL;
    const ctn_work *work = &graph_step->set->work;
    if (work->kind == CTN_WORK_APPROVAL)
        return ctn_str_is(name, "approved") ? &BOOLEAN : NULL;
    const ctn_json *schema = work->kind == CTN_WORK_PROMPT  ? ctn_json_member_of(work->detail, "schema")
                             : work->kind == CTN_WORK_AGENT ? ctn_json_member_of(work->detail, "outputSchema")
                                                            : step->output_schema;
    /* A single variable takes the whole result when that has no member of its name. */
    return step->output_count > 1 || requires(schema, name) ? member_schema(schema, name) : NULL;
}

/* Inputs were checked against the inputSchema at the start, some answers against theirs. */
static const ctn_json *schema_for_logic(void *ctx, uint32_t step, const ctn_path *path, bool *ret_may_be_null)
{
    const ctn_lint_paths *paths = ctx;
    uint32_t variable = ctn_names_find(&paths->graph->variables, path->root);
    if (variable == CTN_NAMES_NONE)
        return NULL;
    uint32_t version = ctn_lint_version(paths, step, variable);
    const ctn_json *schema = version ? produced_schema(paths, version - 1, path->root)
                             : variable < paths->graph->declared_count
                                 ? member_schema(paths->graph->chain->input_schema, path->root)
                                 : NULL;
    *ret_may_be_null = version != 0 || path->count > 0 || !paths->input_exists[variable];
    for (size_t i = 0; i < path->count && schema; i++)
        schema = path->parts[i].name.ptr ? member_schema(schema, path->parts[i].name) : NULL;
    return schema;
}

/* ---- tables ---- */

static void find_writers(ctn_lint_paths *paths)
{
    const ctn_graph *graph = paths->graph;
    paths->writers = CTN_NEW_ARRAY(graph->arena, ctn_graph_steps, graph->variables.count);
    for (uint32_t v = 0; v < graph->variables.count; v++)
        paths->writers[v].items = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->writers[v].count);
    for (uint32_t at = 0; at < graph->step_count; at++) {
        const ctn_graph_step *step = &graph->steps[graph->order[at]];
        for (uint32_t i = 0; i < step->write_count; i++) {
            ctn_graph_steps *writers = &paths->writers[step->writes[i]];
            writers->items[writers->count++] = graph->order[at];
        }
    }
}

static bool is_gate(const ctn_lint_paths *paths, uint32_t step)
{
    return !ctn_lint_continues(paths, step) &&
           (ctn_logic_outcomes(paths->graph->steps[step].step->condition.expression) & CTN_OUTCOME_FAIL);
}

static void find_gates(ctn_lint_paths *paths)
{
    ctn_graph *graph = paths->graph;
    paths->gates = CTN_NEW_ARRAY(graph->arena, ctn_graph_steps, graph->variables.count);
    for (int round = 0; round < 2; round++) {
        for (uint32_t at = 0; at < graph->step_count; at++) {
            uint32_t s = graph->order[at];
            const ctn_graph_reads *reads = &graph->steps[s].reads;
            for (uint32_t i = 0; i < reads->count && is_gate(paths, s); i++) {
                ctn_graph_steps *gates = &paths->gates[reads->items[i].variable];
                if (reads->items[i].place != CTN_READ_CONDITION)
                    continue;
                if (gates->items)
                    gates->items[gates->count] = s;
                gates->count++;
            }
        }
        for (uint32_t v = 0; round == 0 && v < graph->variables.count; v++)
            paths->gates[v] = (ctn_graph_steps){CTN_NEW_ARRAY(graph->arena, uint32_t, paths->gates[v].count), 0};
    }
}

static void find_inputs(ctn_lint_paths *paths)
{
    ctn_graph *graph = paths->graph;
    paths->input_exists = CTN_NEW_ARRAY(graph->arena, bool, graph->variables.count);
    const ctn_json *schema = graph->chain->input_schema;
    const ctn_json *required = ctn_json_member_of(schema, "required");
    for (uint32_t i = 0; i < graph->input_count; i++) {
        uint32_t v = graph->inputs[i].variable;
        const ctn_json *property = ctn_json_get(ctn_json_member_of(schema, "properties"), graph->variables.items[v]);
        paths->input_exists[v] = graph->inputs[i].is_required || ctn_json_member_of(property, "default");
    }
    for (size_t k = 0; k < ctn_json_count(required); k++) {
        uint32_t v = ctn_names_find(&graph->variables, ctn_json_text(ctn_json_at(required, k)));
        if (v != CTN_NAMES_NONE && graph->is_input[v])
            paths->input_exists[v] = true;
    }
}

ctn_lint_paths *ctn_lint_paths_new(const ctn_lint *lint)
{
    ctn_graph *graph = lint->graph;
    ctn_lint_paths *paths = CTN_NEW(graph->arena, ctn_lint_paths);
    paths->lint = lint;
    paths->graph = graph;
    paths->position = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->step_count);
    paths->asked = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->step_count);
    for (uint32_t at = 0; at < graph->step_count; at++)
        paths->position[graph->order[at]] = at;
    find_writers(paths);
    find_gates(paths);
    find_inputs(paths);
    ctn_logic_world world = {.version = version_for_logic, .schema = schema_for_logic, .ctx = paths};
    paths->logic = ctn_logic_new(graph->arena, &world);
    return paths;
}

/* ---- demands ---- */

void ctn_lint_demand(ctn_lint_paths *paths, uint32_t step, unsigned outcomes)
{
    ctn_logic_demand(paths->logic, paths->graph->steps[step].step->condition.expression, step, outcomes);
}

static void demand_gates_of(ctn_lint_paths *paths, uint32_t step, uint32_t asking, uint32_t *left);

static void demand_gates_on(ctn_lint_paths *paths, uint32_t step, uint32_t variable, uint32_t *left)
{
    uint32_t count = steps_up_to(paths, step, &paths->gates[variable]);
    for (uint32_t k = count; k-- > 0 && *left;) {
        uint32_t gate = paths->gates[variable].items[k];
        if (gate == step || paths->asked[gate] == paths->question || !ctn_graph_precedes(paths->graph, gate, step))
            continue;
        paths->asked[gate] = paths->question;
        (*left)--;
        paths->taken[paths->taken_count++] = gate;
        ctn_lint_demand(paths, gate, CTN_OUTCOME_RUN | CTN_OUTCOME_SKIP);
        demand_gates_of(paths, step, gate, left); /* CTN_LINT_GATES_MAX deep at most */
    }
}

/* The gates before `step` that have to do with what the condition of `asking` reads; their conditions may read more,
 * and so on. */
static void demand_gates_of(ctn_lint_paths *paths, uint32_t step, uint32_t asking, uint32_t *left)
{
    const ctn_graph_reads *reads = &paths->graph->steps[asking].reads;
    for (uint32_t i = 0; i < reads->count; i++)
        if (reads->items[i].place == CTN_READ_CONDITION)
            demand_gates_on(paths, step, reads->items[i].variable, left);
}

void ctn_lint_demand_gates(ctn_lint_paths *paths, uint32_t step, uint32_t variable, const uint32_t *others,
                           uint32_t other_count)
{
    uint32_t left = CTN_LINT_GATES_MAX;
    paths->taken_count = 0;
    paths->question++;
    if (variable != CTN_GRAPH_NONE)
        demand_gates_on(paths, step, variable, &left);
    demand_gates_of(paths, step, step, &left);
    for (uint32_t i = 0; i < other_count; i++)
        demand_gates_of(paths, step, others[i], &left);
}

/* ---- values and who gave them ---- */

bool ctn_lint_producer_agrees(ctn_lint_paths *paths, uint32_t step, uint32_t variable)
{
    const uint32_t *writers = paths->writers[variable].items;
    uint32_t count = ctn_lint_writers_before(paths, step, variable, paths->writers[variable].count);
    if (count == 0 || count > WRITERS_ASKED_MAX || paths->graph->is_input[variable])
        return true;
    bool is_possible = false;
    ctn_logic_mark mark = ctn_logic_save(paths->logic);
    for (uint32_t k = 0; k < count && !is_possible; k++) {
        if (!ctn_graph_precedes(paths->graph, writers[k], step))
            continue;
        ctn_lint_demand(paths, writers[k], CTN_OUTCOME_RUN);
        is_possible = ctn_logic_is_possible(paths->logic);
        ctn_logic_restore(paths->logic, mark);
    }
    if (!is_possible) {
        ctn_logic_demand_null(paths->logic, paths->graph->variables.items[variable],
                              ctn_lint_version(paths, step, variable));
        is_possible = ctn_logic_is_possible(paths->logic);
        ctn_logic_restore(paths->logic, mark);
    }
    return is_possible;
}

static bool producers_agree_with(ctn_lint_paths *paths, uint32_t step)
{
    const ctn_graph_reads *reads = &paths->graph->steps[step].reads;
    for (uint32_t i = 0; i < reads->count; i++)
        if (reads->items[i].place == CTN_READ_CONDITION &&
            !ctn_lint_producer_agrees(paths, step, reads->items[i].variable))
            return false;
    return true;
}

bool ctn_lint_producers_agree(ctn_lint_paths *paths, uint32_t step)
{
    bool agree = producers_agree_with(paths, step);
    for (uint32_t i = 0; i < paths->taken_count && agree; i++)
        agree = producers_agree_with(paths, paths->taken[i]);
    return agree;
}
