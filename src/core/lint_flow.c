/*
 * lint_flow.c -- warnings about values that may be missing when they are read.
 *
 * A variable is sure for a reader when some step that comes before certainly gave it a value, and no step that could
 * make it null again (onError: continue) may have come after that one. A step with a condition gives it certainly
 * where the reader runs only by the same decision; two steps with opposite decisions give it certainly
 * together. Decisions count as the same only while nothing writes what they read.
 */
#include "core/decision.h"
#include "core/flow.h"
#include "core/lint.h"

typedef struct flow_lint {
    const ctn_lint *lint;
    ctn_graph *graph;
    ctn_decision *decisions; /* by step */
    uint32_t **writers;      /* by variable: steps */
    uint32_t *writer_counts;
    bool *input_exists; /* by variable: an input that is there in every execution */
} flow_lint;

static flow_lint flow_new(const ctn_lint *lint)
{
    ctn_graph *graph = lint->graph;
    uint32_t variables = graph->variables.count;
    flow_lint flow = {.lint = lint, .graph = graph};
    flow.decisions = CTN_NEW_ARRAY(graph->arena, ctn_decision, graph->step_count);
    flow.writers = CTN_NEW_ARRAY(graph->arena, uint32_t *, variables);
    flow.writer_counts = CTN_NEW_ARRAY(graph->arena, uint32_t, variables);
    flow.input_exists = CTN_NEW_ARRAY(graph->arena, bool, variables);
    for (uint32_t s = 0; s < graph->step_count; s++) {
        flow.decisions[s] = ctn_decision_of(graph->steps[s].step->condition.expression);
        for (uint32_t i = 0; i < graph->steps[s].write_count; i++)
            flow.writer_counts[graph->steps[s].writes[i]]++;
    }
    for (uint32_t v = 0; v < variables; v++) {
        flow.writers[v] = CTN_NEW_ARRAY(graph->arena, uint32_t, flow.writer_counts[v]);
        flow.writer_counts[v] = 0;
    }
    for (uint32_t s = 0; s < graph->step_count; s++)
        for (uint32_t i = 0; i < graph->steps[s].write_count; i++) {
            uint32_t v = graph->steps[s].writes[i];
            flow.writers[v][flow.writer_counts[v]++] = s;
        }
    const ctn_json *schema = graph->chain->input_schema;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        uint32_t v = graph->inputs[i].variable;
        ctn_str name = graph->variables.items[v];
        const ctn_json *property = ctn_json_get(ctn_json_member_of(schema, "properties"), name);
        const ctn_json *required = ctn_json_member_of(schema, "required");
        flow.input_exists[v] = graph->inputs[i].is_required || ctn_json_member_of(property, "default");
        for (size_t k = 0; k < ctn_json_count(required); k++)
            flow.input_exists[v] |= ctn_str_equal(ctn_json_text(ctn_json_at(required, k)), name);
    }
    return flow;
}

/* ---- is a variable there? ---- */

/* Nothing writes what the decision of `a` reads between a and b. */
static bool is_unchanged(const flow_lint *flow, uint32_t a, uint32_t b)
{
    const ctn_graph_reads *reads = &flow->graph->steps[a].reads;
    for (uint32_t i = 0; i < reads->count; i++) {
        if (reads->items[i].place != CTN_READ_CONDITION)
            continue;
        uint32_t v = reads->items[i].variable;
        for (uint32_t k = 0; k < flow->writer_counts[v]; k++) {
            uint32_t w = flow->writers[v][k];
            bool is_before = ctn_graph_precedes(flow->graph, w, a) && ctn_graph_precedes(flow->graph, w, b);
            bool is_after = ctn_graph_precedes(flow->graph, a, w) && ctn_graph_precedes(flow->graph, b, w);
            if (!is_before && !is_after)
                return false;
        }
    }
    return true;
}

static bool continues_on_error(const flow_lint *flow, uint32_t step)
{
    return flow->graph->steps[step].step->on_error == 2;
}

/* Some step that may run after `writer` and before `reader` can set the variable to null. */
static bool may_become_null(const flow_lint *flow, uint32_t writer, uint32_t reader, uint32_t variable)
{
    for (uint32_t k = 0; k < flow->writer_counts[variable]; k++) {
        uint32_t w = flow->writers[variable][k];
        if (w != reader && continues_on_error(flow, w) && !ctn_graph_precedes(flow->graph, w, writer) &&
            !ctn_graph_precedes(flow->graph, reader, w))
            return true;
    }
    return false;
}

static bool certainly_runs(const flow_lint *flow, uint32_t writer, uint32_t reader)
{
    return flow->decisions[writer].is_always ||
           (ctn_decision_is_same(&flow->decisions[writer], &flow->decisions[reader]) &&
            is_unchanged(flow, writer, reader));
}

static bool is_sure(const flow_lint *flow, uint32_t reader, uint32_t variable)
{
    uint32_t count = flow->writer_counts[variable];
    const uint32_t *writers = flow->writers[variable];
    for (uint32_t k = 0; k < count; k++) {
        uint32_t w = writers[k];
        if (!ctn_graph_precedes(flow->graph, w, reader) || may_become_null(flow, w, reader, variable))
            continue;
        if (certainly_runs(flow, w, reader))
            return true;
        for (uint32_t m = k + 1; m < count; m++)
            if (ctn_graph_precedes(flow->graph, writers[m], reader) &&
                ctn_decision_is_opposite(&flow->decisions[w], &flow->decisions[writers[m]]) &&
                is_unchanged(flow, w, writers[m]) && !may_become_null(flow, writers[m], reader, variable))
                return true;
    }
    return flow->input_exists[variable] && count == 0;
}

/* A step before the reader that can give the variable, for the sentence. */
static ctn_str giver_of(const flow_lint *flow, uint32_t reader, uint32_t variable)
{
    for (uint32_t k = 0; k < flow->writer_counts[variable]; k++)
        if (ctn_graph_precedes(flow->graph, flow->writers[variable][k], reader))
            return flow->graph->steps[flow->writers[variable][k]].step->name;
    return CTN_STR("");
}

/* A variable is told once for a step, at the first place that needs it. */
static bool is_told(const ctn_graph_reads *reads, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (reads->items[k].variable == reads->items[i].variable && !reads->items[k].is_optional)
            return true;
    return false;
}

/* ---- the three rules ---- */

static void lint_self_condition(const flow_lint *flow, uint32_t s)
{
    const ctn_graph_step *step = &flow->graph->steps[s];
    for (uint32_t i = 0; i < step->reads.count; i++) {
        const ctn_graph_read *read = &step->reads.items[i];
        uint32_t v = read->variable;
        if (read->place != CTN_READ_CONDITION || !ctn_graph_writes(flow->graph, s, v) || flow->graph->is_input[v] ||
            giver_of(flow, s, v).len)
            continue;
        ctn_lint_warn(
            flow->lint, step->step, read->node, "self-condition",
            "the condition reads '%.*s', which only this step itself produces: it is null when the condition is "
            "asked; read what an earlier step produces",
            CTN_STR_ARG(read->path));
        return;
    }
}

static void lint_maybe_undefined(const flow_lint *flow, uint32_t s)
{
    const ctn_graph_step *step = &flow->graph->steps[s];
    const ctn_expression *condition = step->step->condition.expression;
    for (uint32_t i = 0; i < step->reads.count; i++) {
        const ctn_graph_read *read = &step->reads.items[i];
        ctn_str name = flow->graph->variables.items[read->variable];
        if (read->is_optional || is_told(&step->reads, i) || is_sure(flow, s, read->variable) ||
            (flow->graph->is_input[read->variable] && flow->input_exists[read->variable]) ||
            (condition && ctn_expression_guards(condition, name)))
            continue;
        ctn_str giver = giver_of(flow, s, read->variable);
        if (!giver.len)
            continue; /* an input, or an error */
        ctn_str origin = ctn_flow_read_origin(flow->graph, read);
        ctn_lint_warn(
            flow->lint, step->step, read->node, "maybe-undefined",
            "'%.*s' is read here%.*s, but may be missing: step '%.*s', which gives it, can be skipped or fail and "
            "be passed over; write {%.*s?}, add a default, or ask exists({%.*s}) in the condition",
            CTN_STR_ARG(read->path), CTN_STR_ARG(origin), CTN_STR_ARG(giver), CTN_STR_ARG(read->path),
            CTN_STR_ARG(name));
    }
}

static void lint_undo_reads(const flow_lint *flow, uint32_t s)
{
    const ctn_graph_step *step = &flow->graph->steps[s];
    for (uint32_t i = 0; i < step->undo_reads.count; i++) {
        const ctn_graph_read *read = &step->undo_reads.items[i];
        uint32_t v = read->variable;
        if (read->is_optional || is_told(&step->undo_reads, i) || ctn_graph_writes(flow->graph, s, v) ||
            is_sure(flow, s, v) || (flow->graph->is_input[v] && flow->input_exists[v]))
            continue;
        ctn_str origin = ctn_flow_read_origin(flow->graph, read);
        ctn_lint_warn(
            flow->lint, step->step, read->node, "unrenderable-undo",
            "the undo reads '%.*s'%.*s, which may not exist when it is needed; read this step's own outputs or "
            "what surely came before, or write {%.*s?}",
            CTN_STR_ARG(read->path), CTN_STR_ARG(origin), CTN_STR_ARG(read->path));
    }
}

void ctn_lint_flow(const ctn_lint *lint)
{
    flow_lint flow = flow_new(lint);
    for (uint32_t s = 0; s < lint->graph->step_count; s++) {
        lint_self_condition(&flow, s);
        lint_maybe_undefined(&flow, s);
        lint_undo_reads(&flow, s);
    }
}
