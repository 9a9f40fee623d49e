/*
 * lint_missing.c -- warnings about values that may be missing when they are read.
 *
 * A variable may be missing for a reader when there is a path on which the reader runs and nobody gave the variable a
 * value. The writers before the reader are in order; going back from the last one, each either may leave null
 * behind (it failed and was passed over, or a fallback gave null), or must be skipped for an earlier one to
 * count. "Is there such a path?" is asked of the logic with all conditions that must have come out so, and with
 * the variable null wherever they look at it: so guards, equal and opposite decisions, and defaults that are filled in
 * when a value is missing are one question.
 */
#include "chain/flow.h"
#include "check/lint_paths.h"

#define WRITERS_ASKED_MAX 64

/* ---- what a step's ways of ending leave in a variable ---- */

static const ctn_chain_output *output_of(const ctn_chain_step *step, ctn_str name)
{
    for (uint32_t i = 0; i < step->output_count; i++)
        if (ctn_str_equal(step->outputs[i].name, name))
            return &step->outputs[i];
    return NULL;
}

static bool is_word_of(ctn_str word, const char *const *words)
{
    for (; *words; words++)
        if (ctn_str_is(word, *words))
            return true;
    return false;
}

static bool chain_gives(const ctn_library *library, ctn_str id, ctn_str name)
{
    const ctn_chain *chain = ctn_library_chain(library, id);
    if (!chain || chain->fault_count)
        return true;
    for (uint32_t i = 0; chain->outputs && i < chain->result_count; i++)
        if (ctn_str_equal(chain->results[i].name, name))
            return true;
    for (uint32_t s = 0; !chain->outputs && s < chain->step_count; s++)
        if (chain->steps[s].template_id || output_of(&chain->steps[s], name))
            return true;
    return false;
}

/* False only when the set's result surely has no such member. */
static bool set_gives(const ctn_library *library, const ctn_instruction_set *set, ctn_str name)
{
    static const char *const APPROVAL[] = {"approved", "by", "comment", "at", NULL};
    const ctn_work *work = &set->work;
    const ctn_json *properties = NULL;
    switch (work->kind) {
    case CTN_WORK_CALLS:
        for (uint32_t i = 0; i < set->call_count; i++)
            if (ctn_str_equal(set->calls[i].name, name))
                return true;
        return ctn_json_get(set->result.node, name) != NULL;
    case CTN_WORK_WAIT: return false;
    case CTN_WORK_APPROVAL: return is_word_of(name, APPROVAL);
    case CTN_WORK_CHAIN: return chain_gives(library, ctn_json_text(work->detail), name);
    case CTN_WORK_PROMPT:
        properties = ctn_json_member_of(ctn_json_member_of(work->detail, "schema"), "properties");
        return !properties || ctn_json_get(properties, name);
    case CTN_WORK_AGENT:
        properties = ctn_json_member_of(ctn_json_member_of(work->detail, "outputSchema"), "properties");
        return !properties || ctn_json_get(properties, name);
    default: return true;
    }
}

/* One of the step's fallbacks leaves the variable without a value. What a document fills is not asked. */
static bool fallback_lacks(const ctn_lint_paths *paths, uint32_t s, uint32_t variable)
{
    const ctn_instruction_set **sets = paths->graph->steps[s].fallbacks;
    const ctn_chain_step *step = paths->graph->steps[s].step;
    const ctn_chain_output *output = output_of(step, paths->graph->variables.items[variable]);
    if (!output || step->template_id)
        return false;
    ctn_str name = output->path ? output->path->root : output->name;
    for (uint32_t i = 0; i < step->fallback_count; i++) {
        const ctn_json *value = ctn_json_get(step->fallbacks[i].value.node, name);
        if (value && ctn_json_is(value, CTN_JSON_NULL))
            return true;
        bool takes_whole = step->output_count == 1 && !output->path;
        if (sets[i] && !takes_whole && !set_gives(paths->graph->library, sets[i], name))
            return true;
    }
    return false;
}

/* The outcomes of its condition after which the step may be passed over as failed, its variables null. The items of a
 * foreach do that one by one, and its variables are lists. A fallback that is a value does not fail; a verdict `fail`
 * asks no fallback. */
static unsigned null_outcomes(const ctn_lint_paths *paths, uint32_t writer)
{
    const ctn_chain_step *step = paths->graph->steps[writer].step;
    if (!ctn_lint_continues(paths, writer))
        return 0;
    bool work_succeeds = step->foreach.node != NULL;
    for (uint32_t i = 0; i < step->fallback_count; i++)
        work_succeeds |= step->fallbacks[i].instruction_set == NULL;
    unsigned verdicts = ctn_logic_outcomes(step->condition.expression) & CTN_OUTCOME_FAIL;
    return work_succeeds ? verdicts : CTN_OUTCOME_RUN | CTN_OUTCOME_FAIL;
}

/* ---- is a variable there? ---- */

/* Asks whether the demands gathered so far can be, and one more; that is taken back. */
static bool can_also(ctn_lint_paths *paths, uint32_t reader, uint32_t step, unsigned outcomes)
{
    ctn_logic_mark mark = ctn_logic_save(paths->logic);
    ctn_lint_demand(paths, step, outcomes);
    bool is_possible = ctn_logic_is_possible(paths->logic) && ctn_lint_producers_agree(paths, reader);
    ctn_logic_restore(paths->logic, mark);
    return is_possible;
}

static void demand_null_before(ctn_lint_paths *paths, uint32_t step, uint32_t variable)
{
    ctn_logic_demand_null(paths->logic, paths->graph->variables.items[variable],
                          ctn_lint_version(paths, step, variable));
}

/* Can the reader run while the variable is missing? *ret_giver: the step that should have given it. */
static bool may_be_missing(ctn_lint_paths *paths, uint32_t reader, uint32_t variable, uint32_t *ret_giver)
{
    const uint32_t *writers = paths->writers[variable].items;
    uint32_t count = ctn_lint_writers_before(paths, reader, variable, paths->writers[variable].count);
    *ret_giver = CTN_GRAPH_NONE;
    if (count == 0)
        return false; /* an input, or an error */
    uint32_t before[WRITERS_ASKED_MAX], before_count = 0;
    for (uint32_t k = count; k-- > 0 && before_count < WRITERS_ASKED_MAX;)
        if (ctn_graph_precedes(paths->graph, writers[k], reader))
            before[before_count++] = writers[k];
    uint32_t last = before[0];
    if (!paths->graph->steps[last].step->condition.expression && !null_outcomes(paths, last) &&
        !fallback_lacks(paths, last, variable))
        return false; /* nearly always: the last writer simply runs */
    ctn_logic_clear(paths->logic);
    ctn_lint_demand(paths, reader, CTN_OUTCOME_RUN);
    ctn_lint_demand_gates(paths, reader, variable, before, before_count);
    demand_null_before(paths, reader, variable);
    for (uint32_t i = 0; i < before_count; i++) {
        uint32_t w = before[i];
        *ret_giver = *ret_giver == CTN_GRAPH_NONE ? w : *ret_giver;
        if ((null_outcomes(paths, w) && can_also(paths, reader, w, null_outcomes(paths, w))) ||
            (fallback_lacks(paths, w, variable) && can_also(paths, reader, w, CTN_OUTCOME_RUN))) {
            *ret_giver = w;
            return true;
        }
        ctn_lint_demand(paths, w, CTN_OUTCOME_SKIP);
        demand_null_before(paths, w, variable);
        if (!ctn_logic_is_possible(paths->logic))
            return false;
    }
    return !paths->input_exists[variable] && ctn_lint_producers_agree(paths, reader);
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

static void lint_self_condition(ctn_lint_paths *paths, uint32_t s)
{
    const ctn_graph_step *step = &paths->graph->steps[s];
    for (uint32_t i = 0; i < step->reads.count; i++) {
        const ctn_graph_read *read = &step->reads.items[i];
        uint32_t v = read->variable;
        if (read->place != CTN_READ_CONDITION || !ctn_graph_writes(paths->graph, s, v) || paths->graph->is_input[v] ||
            ctn_lint_version(paths, s, v) != 0)
            continue;
        ctn_lint_warn(
            paths->lint, step->step, read->node, "self-condition",
            "the condition reads '%.*s', which only this step itself produces: it is null when the condition is "
            "asked; read what an earlier step produces",
            CTN_STR_ARG(read->path));
        return;
    }
}

/* Why the giver may not give it, for the sentence. */
static const char *reason_of(const ctn_lint_paths *paths, uint32_t giver, uint32_t variable)
{
    if (null_outcomes(paths, giver))
        return "can fail and be passed over (onError: continue)";
    return fallback_lacks(paths, giver, variable) ? "has a fallback that does not give it" : "can be skipped";
}

static void lint_maybe_undefined(ctn_lint_paths *paths, uint32_t s)
{
    const ctn_graph_step *step = &paths->graph->steps[s];
    for (uint32_t i = 0; i < step->reads.count; i++) {
        const ctn_graph_read *read = &step->reads.items[i];
        uint32_t giver;
        if (read->is_optional || is_told(&step->reads, i) || !may_be_missing(paths, s, read->variable, &giver))
            continue;
        ctn_str name = paths->graph->variables.items[read->variable];
        ctn_str origin = ctn_flow_read_origin(paths->graph, read);
        ctn_lint_warn(
            paths->lint, step->step, read->node, "maybe-undefined",
            "'%.*s' is read here%.*s, but may be missing: step '%.*s', which gives it, %s; write {%.*s?}, add a "
            "default, or ask exists({%.*s}) in the condition",
            CTN_STR_ARG(read->path), CTN_STR_ARG(origin), CTN_STR_ARG(paths->graph->steps[giver].step->name),
            reason_of(paths, giver, read->variable), CTN_STR_ARG(read->path), CTN_STR_ARG(name));
    }
}

/* When the undo is needed, steps that do not come before this one may have run: what they fail to give is null. */
static bool may_be_nulled_later(const ctn_lint_paths *paths, uint32_t s, uint32_t variable)
{
    for (uint32_t k = 0; k < paths->writers[variable].count; k++) {
        uint32_t w = paths->writers[variable].items[k];
        if (w != s && null_outcomes(paths, w) && !ctn_graph_precedes(paths->graph, w, s))
            return true;
    }
    return false;
}

static bool is_sure_at_undo(ctn_lint_paths *paths, uint32_t s, uint32_t variable)
{
    uint32_t giver;
    if (ctn_graph_writes(paths->graph, s, variable))
        return true;
    if (may_be_nulled_later(paths, s, variable) || may_be_missing(paths, s, variable, &giver))
        return false;
    return ctn_lint_version(paths, s, variable) != 0 || paths->input_exists[variable];
}

static void tell_undo(ctn_lint_paths *paths, uint32_t s, const ctn_graph_read *read)
{
    ctn_str origin = ctn_flow_read_origin(paths->graph, read);
    ctn_lint_warn(paths->lint, paths->graph->steps[s].step, read->node, "unrenderable-undo",
                  "the undo reads '%.*s'%.*s, which may not exist when it is needed; read this step's own outputs or "
                  "what surely came before, or write {%.*s?}",
                  CTN_STR_ARG(read->path), CTN_STR_ARG(origin), CTN_STR_ARG(read->path));
}

static void lint_undo_reads(ctn_lint_paths *paths, uint32_t s)
{
    const ctn_graph_step *step = &paths->graph->steps[s];
    if (paths->graph->chain->is_rollback_enabled == CTN_SAID_FALSE)
        return; /* idle-undo */
    for (uint32_t i = 0; i < step->undo_reads.count; i++) {
        const ctn_graph_read *read = &step->undo_reads.items[i];
        if (!read->is_optional && !is_told(&step->undo_reads, i) && !is_sure_at_undo(paths, s, read->variable))
            tell_undo(paths, s, read);
    }
}

/* ---- {input.name} of an undo without a template: the step's outputs ---- */

/* It reads a member of {input} that is no output. */
static bool lacks_output(const ctn_graph *graph, uint32_t step, const ctn_read *read)
{
    bool is_input = ctn_str_is(read->root, "input") || ctn_str_is(read->root, "result");
    ctn_str name = is_input && !read->is_optional ? ctn_read_member(graph->arena, read) : (ctn_str){0};
    if (!name.len)
        return false;
    uint32_t variable = ctn_names_find(&graph->variables, name);
    return variable == CTN_NAMES_NONE || !ctn_graph_writes(graph, step, variable);
}

/* The first one is told. */
static void lint_undo_input(ctn_lint_paths *paths, uint32_t s)
{
    const ctn_graph *graph = paths->graph;
    const ctn_graph_step *step = &graph->steps[s];
    if (!step->undo || step->step->rollback_template.node || graph->chain->is_rollback_enabled == CTN_SAID_FALSE)
        return;
    ctn_reads reads = {0};
    ctn_instruction_set_reads(step->undo, graph->arena, &reads);
    size_t i = 0;
    while (i < reads.count && !lacks_output(graph, s, &reads.items[i]))
        i++;
    if (i == reads.count)
        return;
    const ctn_read *missing = &reads.items[i];
    ctn_position there = ctn_source_position(step->undo->source, missing->node);
    ctn_lint_warn(
        paths->lint, step->step, step->step->rollback_action, "unrenderable-undo",
        "'%.*s' reads {%.*s} (%.*s:%u:%u), but without a 'rollbackTemplate' its input is this step's outputs, and none "
        "has that name; add it to 'outputVariables', or write {%.*s?}",
        CTN_STR_ARG(step->undo->name), CTN_STR_ARG(missing->path),
        CTN_STR_ARG(ctn_source_file_name(step->undo->source)), there.line, there.column, CTN_STR_ARG(missing->path));
}

void ctn_lint_missing(ctn_lint_paths *paths)
{
    for (uint32_t s = 0; s < paths->graph->step_count; s++) {
        lint_self_condition(paths, s);
        lint_maybe_undefined(paths, s);
        lint_undo_reads(paths, s);
        lint_undo_input(paths, s);
    }
}
