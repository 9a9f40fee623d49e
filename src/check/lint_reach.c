/*
 * lint_reach.c -- steps that no path reaches, and conditions that no path makes true.
 *
 * One finding for one cause, at the first step that cannot start: what comes after a step that never lets anybody pass
 * is not told again. A condition that is a literal was switched so on purpose, and one that says nothing but skip and
 * fail is a gate: its step never does any work, and is not meant to.
 */
#include "check/lint_paths.h"

typedef struct reach {
    ctn_lint_paths *paths;
    bool *is_blocked; /* by step: a step before, or this one, was told to let nobody pass */
    bool *is_told;    /* by step: that it never runs */
} reach;

static const ctn_expression *condition_of(const reach *r, uint32_t step)
{
    return r->paths->graph->steps[step].step->condition.expression;
}

static bool is_plain(const ctn_expression *condition)
{
    return !condition || ctn_expression_is_literal(condition);
}

/* Can the step come to one of the outcomes, on a path that reaches it? */
static bool can_come_to(const reach *r, uint32_t step, unsigned outcomes)
{
    ctn_logic_clear(r->paths->logic);
    ctn_lint_demand(r->paths, step, outcomes);
    ctn_lint_demand_gates(r->paths, step, CTN_GRAPH_NONE, NULL, 0);
    return ctn_logic_is_possible(r->paths->logic);
}

/* The same for its condition alone, whatever came before. */
static bool can_alone(const reach *r, uint32_t step, unsigned outcomes)
{
    ctn_logic_clear(r->paths->logic);
    ctn_lint_demand(r->paths, step, outcomes);
    return ctn_logic_is_possible(r->paths->logic);
}

/* A producer that was skipped leaves null: x is there only when one of its producers ran. True when no such case lets
 * the step run. Producers that are switched off by a literal, or were told themselves, are not held against their
 * readers. */
static bool is_starved(const reach *r, uint32_t step, uint32_t variable)
{
    ctn_lint_paths *paths = r->paths;
    const uint32_t *writers = paths->writers[variable].items;
    uint32_t count = ctn_lint_writers_before(paths, step, variable, paths->writers[variable].count);
    if (count == 0 || paths->graph->is_input[variable] || ctn_graph_writes(paths->graph, step, variable))
        return false;
    for (uint32_t k = 0; k < count; k++)
        if ((is_plain(condition_of(r, writers[k])) || r->is_told[writers[k]]) &&
            ctn_graph_precedes(paths->graph, writers[k], step))
            return false;
    ctn_logic_clear(paths->logic);
    ctn_lint_demand(paths, step, CTN_OUTCOME_RUN);
    ctn_lint_demand_gates(paths, step, CTN_GRAPH_NONE, NULL, 0);
    return !ctn_lint_producer_agrees(paths, step, variable);
}

/* The variable whose producers all run only when this step does not; NONE: there is no such. */
static uint32_t starving_variable(const reach *r, uint32_t step)
{
    const ctn_graph_reads *reads = &r->paths->graph->steps[step].reads;
    for (uint32_t i = 0; i < reads->count; i++)
        if (reads->items[i].place == CTN_READ_CONDITION && is_starved(r, step, reads->items[i].variable))
            return reads->items[i].variable;
    return CTN_GRAPH_NONE;
}

/* The gate before the step that makes the outcomes impossible; NONE when no one of them does it alone. */
static uint32_t gate_against(const reach *r, uint32_t step, unsigned outcomes)
{
    ctn_lint_paths *paths = r->paths;
    const ctn_graph_reads *reads = &paths->graph->steps[step].reads;
    for (uint32_t i = 0; i < reads->count; i++) {
        uint32_t v = reads->items[i].variable;
        for (uint32_t k = 0; reads->items[i].place == CTN_READ_CONDITION && k < paths->gates[v].count; k++) {
            uint32_t gate = paths->gates[v].items[k];
            if (!ctn_graph_precedes(paths->graph, gate, step))
                continue;
            ctn_logic_clear(paths->logic);
            ctn_lint_demand(paths, step, outcomes);
            ctn_lint_demand(paths, gate, CTN_OUTCOME_RUN | CTN_OUTCOME_SKIP);
            if (!ctn_logic_is_possible(paths->logic))
                return gate;
        }
    }
    return CTN_GRAPH_NONE;
}

static ctn_str cause_of(const reach *r, uint32_t step, uint32_t variable)
{
    ctn_graph *graph = r->paths->graph;
    if (variable != CTN_GRAPH_NONE)
        return ctn_arena_printf(graph->arena, "'%.*s' is there only when this condition is not true",
                                CTN_STR_ARG(graph->variables.items[variable]));
    if (!can_alone(r, step, CTN_OUTCOME_RUN))
        return CTN_STR("no value can make it true");
    uint32_t gate = gate_against(r, step, CTN_OUTCOME_RUN);
    if (gate == CTN_GRAPH_NONE)
        return CTN_STR("the conditions of the steps before let only values pass that it refuses");
    return ctn_arena_printf(graph->arena, "step '%.*s' before lets only values pass that it refuses",
                            CTN_STR_ARG(graph->steps[gate].step->name));
}

static void tell_never_runs(const reach *r, uint32_t step, uint32_t variable)
{
    const ctn_chain_step *s = r->paths->graph->steps[step].step;
    ctn_str cause = cause_of(r, step, variable);
    ctn_lint_warn(r->paths->lint, s, s->condition.node, "never-runs",
                  "step '%.*s' never runs: %.*s; mend the condition, or take the step out", CTN_STR_ARG(s->name),
                  CTN_STR_ARG(cause));
}

/* ---- steps that nobody passes ---- */

/* A literal `fail`, or a condition that comes to nothing else on the paths that reach it. */
static bool lets_nobody_pass(const reach *r, uint32_t step)
{
    const ctn_expression *condition = condition_of(r, step);
    if (!(ctn_logic_outcomes(condition) & CTN_OUTCOME_FAIL) || ctn_lint_continues(r->paths, step))
        return false;
    return !can_come_to(r, step, CTN_OUTCOME_RUN | CTN_OUTCOME_SKIP);
}

static void tell_unreachable(const reach *r, uint32_t step, uint32_t blocker)
{
    const ctn_chain_step *s = r->paths->graph->steps[step].step;
    ctn_lint_warn(r->paths->lint, s, s->node, "unreachable",
                  "step '%.*s' can never start: step '%.*s' before it always fails the chain; mend its condition, or "
                  "take out what comes after it",
                  CTN_STR_ARG(s->name), CTN_STR_ARG(r->paths->graph->steps[blocker].step->name));
}

/* Everything behind the step cannot start either. The first one in the file is told, unless the step itself was. */
static void block(const reach *r, uint32_t blocker, bool is_told)
{
    r->is_blocked[blocker] = true;
    for (uint32_t s = 0; s < r->paths->graph->step_count; s++) {
        if (r->is_blocked[s] || !ctn_graph_precedes(r->paths->graph, blocker, s))
            continue;
        r->is_blocked[s] = true;
        if (!is_told)
            tell_unreachable(r, s, blocker);
        is_told = true;
    }
}

/* ---- branches that never all let pass ---- */

static bool pass_together(const reach *r, const uint32_t *gates, uint32_t count)
{
    ctn_logic_clear(r->paths->logic);
    for (uint32_t i = 0; i < count; i++)
        ctn_lint_demand(r->paths, gates[i], CTN_OUTCOME_RUN | CTN_OUTCOME_SKIP);
    return ctn_logic_is_possible(r->paths->logic);
}

static void tell_contrary(const reach *r, uint32_t step, uint32_t one, uint32_t other)
{
    const ctn_graph_step *steps = r->paths->graph->steps;
    ctn_lint_warn(r->paths->lint, steps[step].step, steps[step].step->node, "unreachable",
                  "step '%.*s' can never start: of steps '%.*s' and '%.*s' before it one always fails the chain; mend "
                  "their conditions",
                  CTN_STR_ARG(steps[step].step->name), CTN_STR_ARG(steps[one].step->name),
                  CTN_STR_ARG(steps[other].step->name));
}

/* Where branches meet: two gates on different branches may ask for contrary things, so that each lets somebody pass,
 * but nobody passes both. */
static void lint_meeting(const reach *r, uint32_t step, const uint32_t *gates, uint32_t gate_count)
{
    uint32_t before[CTN_LINT_GATES_MAX], count = 0;
    if (r->paths->graph->steps[step].predecessor_count < 2)
        return;
    for (uint32_t i = gate_count; i-- > 0 && count < CTN_LINT_GATES_MAX;)
        if (ctn_graph_precedes(r->paths->graph, gates[i], step))
            before[count++] = gates[i];
    if (count < 2 || pass_together(r, before, count))
        return;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count; k++)
            if (!pass_together(r, (uint32_t[]){before[k], before[i]}, 2)) {
                tell_contrary(r, step, before[k], before[i]);
                block(r, step, true);
                return;
            }
}

static uint32_t all_gates(const reach *r, uint32_t *ret_gates)
{
    const ctn_graph *graph = r->paths->graph;
    uint32_t count = 0;
    for (uint32_t at = 0; at < graph->step_count; at++) {
        uint32_t step = graph->order[at];
        if ((ctn_logic_outcomes(condition_of(r, step)) & CTN_OUTCOME_FAIL) && !ctn_lint_continues(r->paths, step))
            ret_gates[count++] = step;
    }
    return count;
}

/* In order, so that the gates before a step are judged before it. */
void ctn_lint_reach(ctn_lint_paths *paths)
{
    ctn_graph *graph = paths->graph;
    reach r = {.paths = paths,
               .is_blocked = CTN_NEW_ARRAY(graph->arena, bool, graph->step_count),
               .is_told = CTN_NEW_ARRAY(graph->arena, bool, graph->step_count)};
    uint32_t *gates = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->step_count);
    uint32_t gate_count = all_gates(&r, gates);
    for (uint32_t at = 0; at < graph->step_count; at++) {
        uint32_t step = graph->order[at];
        const ctn_expression *condition = condition_of(&r, step);
        if (gate_count > 1 && !r.is_blocked[step])
            lint_meeting(&r, step, gates, gate_count);
        if (r.is_blocked[step] || !condition)
            continue;
        bool is_told = false;
        if (!is_plain(condition) && (ctn_logic_outcomes(condition) & CTN_OUTCOME_RUN)) {
            uint32_t variable = CTN_GRAPH_NONE;
            is_told = !can_come_to(&r, step, CTN_OUTCOME_RUN);
            if (!is_told)
                is_told = (variable = starving_variable(&r, step)) != CTN_GRAPH_NONE;
            if (is_told)
                tell_never_runs(&r, step, variable);
            r.is_told[step] = is_told;
        }
        if (lets_nobody_pass(&r, step))
            block(&r, step, is_told);
    }
}
