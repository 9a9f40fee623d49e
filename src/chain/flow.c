/*
 * flow.c -- can every read be given a value, and is it decided which one?
 *
 * A race is reported once for a step and a variable, at the later of the two steps: ten steps that write the same name
 * are nine findings and not forty-five.
 */
#include "chain/flow.h"
#include <assert.h>

ctn_str ctn_flow_read_origin(ctn_graph *graph, const ctn_graph_read *read)
{
    if (read->place == CTN_READ_DOCUMENT)
        return ctn_arena_printf(graph->arena, " by document template '%.*s'", CTN_STR_ARG(ctn_json_text(read->node)));
    if (read->place != CTN_READ_SET)
        return CTN_STR("");
    ctn_position at = ctn_source_position(read->set->source, read->set_node);
    return ctn_arena_printf(graph->arena, " by instruction set '%.*s' (%.*s:%u:%u)", CTN_STR_ARG(read->set->name),
                            CTN_STR_ARG(ctn_source_file_name(read->set->source)), at.line, at.column);
}

/* ---- undefined-variable ---- */

static bool is_given(ctn_graph *graph, uint32_t reader, uint32_t variable)
{
    if (graph->is_input[variable])
        return true;
    for (uint32_t i = 0; i < graph->writers[variable].count; i++)
        if (ctn_graph_precedes(graph, graph->writers[variable].items[i], reader))
            return true;
    return false;
}

/* What to do about it: who produces it too late, or the nearest name that exists; *ret_only: the one that is meant. */
static ctn_str advice_for(ctn_graph *graph, uint32_t reader, uint32_t variable, ctn_str *ret_only)
{
    *ret_only = (ctn_str){0};
    if (graph->writers[variable].count) {
        uint32_t writer = graph->writers[variable].items[0];
        ctn_str name = graph->steps[writer].step->name;
        if (writer == reader)
            return ctn_arena_printf(
                graph->arena, "only this step itself produces it; let an earlier step produce it, or declare it in "
                              "'inputSchema'");
        return ctn_arena_printf(graph->arena,
                                "step '%.*s' produces it, but does not come before; move that step up, or name it in "
                                "'dependsOn'",
                                CTN_STR_ARG(name));
    }
    ctn_str *known = CTN_NEW_ARRAY(graph->arena, ctn_str, graph->variables.count);
    size_t count = 0;
    for (uint32_t v = 0; v < graph->variables.count; v++)
        if (graph->is_input[v] || graph->writers[v].count)
            known[count++] = graph->variables.items[v];
    ctn_str near = ctn_str_nearest(graph->variables.items[variable], known, count);
    *ret_only = ctn_str_nearest_only(graph->variables.items[variable], known, count);
    if (near.len)
        return ctn_arena_printf(graph->arena, "did you mean '%.*s'?", CTN_STR_ARG(near));
    return ctn_arena_printf(graph->arena, "declare '%.*s' in 'inputSchema', or let an earlier step produce it",
                            CTN_STR_ARG(graph->variables.items[variable]));
}

static void tell_undefined(ctn_graph *graph, ctn_findings *findings, const ctn_graph_read *read, uint32_t reader)
{
    ctn_str origin = ctn_flow_read_origin(graph, read);
    ctn_str only;
    ctn_str advice = advice_for(graph, reader, read->variable, &only);
    ctn_source_error(graph->chain->source, read->node, findings, "undefined-variable",
                     "'%.*s' is read here%.*s, but no step before and no input gives '%.*s'; %.*s",
                     CTN_STR_ARG(read->path), CTN_STR_ARG(origin), CTN_STR_ARG(graph->variables.items[read->variable]),
                     CTN_STR_ARG(advice));
    if (read->place == CTN_READ_TEMPLATE || read->place == CTN_READ_CONDITION) /* the text stands here */
        ctn_findings_mend(findings, graph->variables.items[read->variable], only);
}

/* The same name in the same text is told once. */
static bool is_repeated(const ctn_graph_reads *reads, uint32_t i)
{
    for (uint32_t k = i; k-- > 0;)
        if (reads->items[k].variable == reads->items[i].variable && reads->items[k].node == reads->items[i].node)
            return true;
    return false;
}

static void check_step_reads(ctn_graph *graph, ctn_findings *findings, uint32_t s)
{
    const ctn_graph_step *step = &graph->steps[s];
    for (uint32_t i = 0; i < step->reads.count; i++) {
        const ctn_graph_read *read = &step->reads.items[i];
        if (read->is_inner || is_repeated(&step->reads, i) || is_given(graph, s, read->variable))
            continue;
        if (read->place == CTN_READ_CONDITION && ctn_graph_writes(graph, s, read->variable))
            continue; /* a warning: self-condition */
        tell_undefined(graph, findings, read, s);
    }
    for (uint32_t i = 0; i < step->undo_reads.count; i++) {
        const ctn_graph_read *read = &step->undo_reads.items[i];
        if (!graph->is_input[read->variable] && !graph->writers[read->variable].count &&
            !is_repeated(&step->undo_reads, i))
            tell_undefined(graph, findings, read, s);
    }
}

static void check_chain_reads(ctn_graph *graph, ctn_findings *findings)
{
    for (uint32_t i = 0; i < graph->chain_reads.count; i++) {
        const ctn_graph_read *read = &graph->chain_reads.items[i];
        bool is_key = read->place == CTN_READ_TEMPLATE;
        if (graph->is_input[read->variable] || (!is_key && graph->writers[read->variable].count) ||
            is_repeated(&graph->chain_reads, i))
            continue;
        if (!is_key || !graph->writers[read->variable].count) {
            tell_undefined(graph, findings, read, CTN_GRAPH_NONE);
            continue;
        }
        ctn_source_error(graph->chain->source, read->node, findings, "undefined-variable",
                         "'concurrencyKey' is made before any step has run and reads inputs only; '%.*s' is what step "
                         "'%.*s' produces",
                         CTN_STR_ARG(read->path),
                         CTN_STR_ARG(graph->steps[graph->writers[read->variable].items[0]].step->name));
    }
}

static const char *stray_advice(ctn_str root)
{
    if (ctn_str_is(root, "item"))
        return "it is there inside a foreach, in what is done for each item (not in 'items' or the condition)";
    if (ctn_str_is(root, "input"))
        return "it is what an instruction set sees of the step's 'inputTemplate'; read the variables themselves here";
    if (ctn_str_is(root, "result"))
        return "it is there in a step's document and in its undo; name the value in 'outputVariables', and read that";
    if (ctn_str_is(root, "secret"))
        return "a secret is there only in what a tool, an http call, a prompt, a command or a function is sent";
    if (ctn_str_is(root, "execution"))
        return "an execution has id, chain and startedAt";
    return "a step has name, attempt and key";
}

static void check_strays(ctn_graph *graph, ctn_findings *findings)
{
    for (const ctn_graph_stray *stray = graph->strays; stray; stray = stray->next) {
        ctn_str origin = ctn_flow_read_origin(graph, &stray->read);
        ctn_source_error(graph->chain->source, stray->read.node, findings, "undefined-variable",
                         "{%.*s} is read here%.*s, where it has no value; %s", CTN_STR_ARG(stray->read.path),
                         CTN_STR_ARG(origin), stray_advice(stray->root));
    }
}

/* The name of a foreach's item, read where there is no item yet, and known to nobody else. */
static void check_item_name(ctn_graph *graph, ctn_findings *findings, uint32_t s)
{
    const ctn_graph_step *step = &graph->steps[s];
    uint32_t v = step->step->foreach.as ? ctn_names_find(&graph->variables, ctn_json_text(step->step->foreach.as))
                                        : CTN_NAMES_NONE;
    if (v == CTN_NAMES_NONE || v < graph->declared_count || graph->writers[v].count)
        return;
    for (uint32_t i = 0; i < graph->step_count; i++)
        for (uint32_t k = 0; i != s && k < graph->steps[i].reads.count; k++)
            if (graph->steps[i].reads.items[k].variable == v)
                return; /* an input of the same name */
    for (uint32_t k = 0; k < step->reads.count; k++) {
        const ctn_graph_read *read = &step->reads.items[k];
        if (read->variable != v || (read->place != CTN_READ_CONDITION && read->node != step->step->foreach.items.node))
            continue;
        ctn_source_error(graph->chain->source, read->node, findings, "undefined-variable",
                         "{%.*s} is read here, where it has no value; %s", CTN_STR_ARG(read->path),
                         stray_advice(CTN_STR("item")));
        return;
    }
}

/* What a set sees as {input} comes from the step. */
static void check_input_template(ctn_graph *graph, ctn_findings *findings, const ctn_graph_step *step)
{
    if (!step->needs_input || step->step->input.node)
        return;
    ctn_source_error(graph->chain->source, step->step->instruction_set, findings, "undefined-variable",
                     "instruction set '%.*s' reads {input}, and this step gives none; add an 'inputTemplate'",
                     CTN_STR_ARG(step->set->name));
}

/* Calls that run at once cannot read each other's results. */
static const ctn_json *call_of_sibling(ctn_arena *arena, const ctn_instruction_set *set, ctn_str *ret_name)
{
    for (uint32_t call = 0; call < set->call_count; call++) {
        ctn_reads reads = {0};
        ctn_tree_reads(set->calls[call].arguments.tree, arena, &reads);
        for (size_t r = 0; r < reads.count; r++)
            for (uint32_t i = 0; i < call; i++)
                if (ctn_str_equal(reads.items[r].root, set->calls[i].name)) {
                    *ret_name = reads.items[r].root;
                    return reads.items[r].node;
                }
    }
    return NULL;
}

static void check_calls_at_once(ctn_graph *graph, ctn_findings *findings, const ctn_graph_step *step)
{
    if (step->step->is_parallel != CTN_SAID_TRUE || !step->set)
        return;
    ctn_str name;
    const ctn_json *node = call_of_sibling(graph->arena, step->set, &name);
    if (!node)
        return;
    ctn_position there = ctn_source_position(step->set->source, node);
    ctn_source_error(graph->chain->source, step->step->instruction_set, findings, "undefined-variable",
                     "with 'parallelExecution' the calls of '%.*s' run at once, but one of them reads the result of "
                     "'%.*s' (%.*s:%u:%u); take 'parallelExecution' out of this step",
                     CTN_STR_ARG(step->set->name), CTN_STR_ARG(name),
                     CTN_STR_ARG(ctn_source_file_name(step->set->source)), there.line, there.column);
}

/* ---- write-race ---- */

static bool is_ordered(ctn_graph *graph, uint32_t a, uint32_t b)
{
    return a == b || ctn_graph_precedes(graph, a, b) || ctn_graph_precedes(graph, b, a);
}

static void tell_race(ctn_graph *graph, ctn_findings *findings, uint32_t a, uint32_t b, uint32_t variable)
{
    uint32_t first = a < b ? a : b, second = a < b ? b : a;
    const ctn_chain *chain = graph->chain;
    bool both_write = ctn_graph_writes(graph, first, variable) && ctn_graph_writes(graph, second, variable);
    ctn_source_error(chain->source, graph->steps[second].step->node, findings, "write-race",
                     "steps '%.*s' and '%.*s' may run at the same time and %s '%.*s'; name one in the other's "
                     "'dependsOn', or use another variable",
                     CTN_STR_ARG(graph->steps[first].step->name), CTN_STR_ARG(graph->steps[second].step->name),
                     both_write                                 ? "both write"
                     : ctn_graph_writes(graph, first, variable) ? "the first writes what the second reads,"
                                                                : "the second writes what the first reads,",
                     CTN_STR_ARG(graph->variables.items[variable]));
}

/* Of two writers the later one tells; a reader tells of the first writer it races with. */
static void check_race_of(ctn_graph *graph, ctn_findings *findings, uint32_t step, uint32_t variable, bool writes)
{
    for (uint32_t w = 0; w < graph->writers[variable].count; w++) {
        uint32_t writer = graph->writers[variable].items[w];
        if ((writes && writer >= step) || is_ordered(graph, writer, step))
            continue;
        tell_race(graph, findings, writer, step, variable);
        return;
    }
}

static void check_races(ctn_graph *graph, ctn_findings *findings)
{
    uint32_t n = graph->step_count;
    bool is_sequence = true; /* then nothing can race, whatever the number of steps */
    for (uint32_t s = 0; s < n; s++)
        is_sequence &= graph->steps[s].is_barrier;
    if (is_sequence)
        return;
    uint32_t *seen = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->variables.count); /* step + 1 that asked last */
    for (uint32_t s = 0; s < n; s++) {
        const ctn_graph_step *step = &graph->steps[s];
        for (uint32_t i = 0; i < step->write_count + step->reads.count; i++) {
            bool writes = i < step->write_count;
            uint32_t v = writes ? step->writes[i] : step->reads.items[i - step->write_count].variable;
            if (seen[v] == s + 1)
                continue;
            seen[v] = s + 1;
            check_race_of(graph, findings, s, v, writes);
        }
    }
}

int ctn_flow_check(ctn_graph *graph, ctn_findings *findings)
{
    assert(graph->order);
    size_t errors_before = findings->error_count;
    for (uint32_t s = 0; s < graph->step_count; s++) {
        check_step_reads(graph, findings, s);
        check_input_template(graph, findings, &graph->steps[s]);
        check_calls_at_once(graph, findings, &graph->steps[s]);
        check_item_name(graph, findings, s);
    }
    check_chain_reads(graph, findings);
    ctn_flow_check_mcp(graph, findings);
    check_strays(graph, findings);
    check_races(graph, findings);
    return findings->error_count > errors_before ? CTN_E_INVALID : CTN_OK;
}
