/*
 * order.c -- who waits for whom (chain language, section 3).
 *
 * A barrier waits for every earlier step. It is given only the barrier before it and the steps since
 * then: the rest is implied, because that barrier waited for them. So a sequence of n steps has n - 1 edges and not
 * n * n / 2, and cycles, ancestors and readiness come out the same.
 */
#include "chain/graph.h"
#include <assert.h>

/* Producers of a variable, latest first. */
typedef struct producer {
    uint32_t step;
    const struct producer *next;
} producer;

static void set_predecessors(ctn_graph *graph, uint32_t step, const uint32_t *items, uint32_t count)
{
    ctn_graph_step *s = &graph->steps[step];
    s->predecessors = CTN_NEW_ARRAY(graph->arena, uint32_t, count);
    s->predecessor_count = count;
    if (count)
        memcpy(s->predecessors, items, count * sizeof *items);
}

static bool add_once(uint32_t *list, uint32_t *count, uint32_t *mark, uint32_t step, uint32_t mark_value)
{
    if (mark[step] == mark_value)
        return false;
    mark[step] = mark_value;
    list[(*count)++] = step;
    return true;
}

/* Every step's own rule. `mark[x] == step + 1` says that x is in the list already. */
static void find_predecessors(ctn_graph *graph)
{
    uint32_t n = graph->step_count;
    uint32_t *list = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    uint32_t *mark = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    const producer **producers = CTN_NEW_ARRAY(graph->arena, const producer *, graph->variables.count);
    uint32_t barrier = CTN_GRAPH_NONE; /* the nearest earlier one */
    for (uint32_t i = 0; i < n; i++) {
        ctn_graph_step *step = &graph->steps[i];
        uint32_t since = barrier == CTN_GRAPH_NONE ? 0 : barrier;
        uint32_t count = 0;
        if (step->step->depends_on) {
            for (size_t k = 0; k < ctn_json_count(step->step->depends_on); k++) {
                ctn_str name = ctn_json_text(ctn_json_at(step->step->depends_on, k));
                add_once(list, &count, mark, ctn_names_find(&graph->step_names, name), i + 1);
            }
        } else if (step->step->is_parallel != CTN_SAID_TRUE) {
            step->is_barrier = true;
            for (uint32_t k = since; k < i; k++)
                add_once(list, &count, mark, k, i + 1);
        } else {
            if (barrier != CTN_GRAPH_NONE)
                add_once(list, &count, mark, barrier, i + 1);
            for (uint32_t r = 0; r < step->reads.count; r++)
                for (const producer *p = producers[step->reads.items[r].variable]; p && p->step >= since; p = p->next)
                    add_once(list, &count, mark, p->step, i + 1);
        }
        set_predecessors(graph, i, list, count);
        for (uint32_t w = 0; w < step->write_count; w++) {
            producer *p = CTN_NEW(graph->arena, producer);
            *p = (producer){i, producers[step->writes[w]]};
            producers[step->writes[w]] = p;
        }
        if (step->is_barrier)
            barrier = i;
    }
}

/* ---- order and cycles ---- */

/* Steps whose predecessors are all placed, in the file's order; false when some can never be. */
static bool sort_steps(ctn_graph *graph)
{
    uint32_t n = graph->step_count;
    uint32_t *order = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    uint32_t *waits_for = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    uint32_t *first = CTN_NEW_ARRAY(graph->arena, uint32_t, n + 1); /* successors of i: next[first[i]..first[i+1]) */
    size_t edges = 0;
    for (uint32_t i = 0; i < n; i++) {
        waits_for[i] = graph->steps[i].predecessor_count;
        edges += waits_for[i];
        for (uint32_t k = 0; k < waits_for[i]; k++)
            first[graph->steps[i].predecessors[k] + 1]++;
    }
    for (uint32_t i = 0; i < n; i++)
        first[i + 1] += first[i];
    uint32_t *next = CTN_NEW_ARRAY(graph->arena, uint32_t, edges);
    uint32_t *fill = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < graph->steps[i].predecessor_count; k++) {
            uint32_t before = graph->steps[i].predecessors[k];
            next[first[before] + fill[before]++] = i;
        }
    uint32_t placed = 0;
    for (uint32_t i = 0; i < n; i++)
        if (waits_for[i] == 0)
            order[placed++] = i;
    for (uint32_t at = 0; at < placed; at++)
        for (uint32_t k = first[order[at]]; k < first[order[at] + 1]; k++)
            if (--waits_for[next[k]] == 0)
                order[placed++] = next[k];
    if (placed == n)
        graph->order = order;
    return placed == n;
}

/* Tarjan's strongly connected components without recursion: steps that wait for each other. */
typedef struct component_search {
    ctn_graph *graph;
    uint32_t *index, *low, *stack, *path, *edge;
    bool *is_on_stack;
    uint32_t next_index, stack_depth;
    uint32_t *component; /* number, from 1 */
    uint32_t component_count;
} component_search;

static void close_component(component_search *search, uint32_t root)
{
    search->component_count++;
    uint32_t step;
    do {
        step = search->stack[--search->stack_depth];
        search->is_on_stack[step] = false;
        search->component[step] = search->component_count;
    } while (step != root);
}

static void open_step(component_search *search, uint32_t step)
{
    search->index[step] = search->low[step] = ++search->next_index;
    search->stack[search->stack_depth++] = step;
    search->is_on_stack[step] = true;
    search->edge[step] = 0;
}

static void search_from(component_search *search, uint32_t start)
{
    uint32_t depth = 0;
    search->path[depth++] = start;
    open_step(search, start);
    while (depth) {
        uint32_t step = search->path[depth - 1];
        const ctn_graph_step *s = &search->graph->steps[step];
        if (search->edge[step] < s->predecessor_count) {
            uint32_t before = s->predecessors[search->edge[step]++];
            if (!search->index[before]) {
                search->path[depth++] = before;
                open_step(search, before);
            } else if (search->is_on_stack[before] && search->index[before] < search->low[step]) {
                search->low[step] = search->index[before];
            }
            continue;
        }
        depth--;
        if (depth && search->low[step] < search->low[search->path[depth - 1]])
            search->low[search->path[depth - 1]] = search->low[step];
        if (search->low[step] == search->index[step])
            close_component(search, step);
    }
}

static bool waits_for_itself(const ctn_graph *graph, uint32_t step)
{
    for (uint32_t i = 0; i < graph->steps[step].predecessor_count; i++)
        if (graph->steps[step].predecessors[i] == step)
            return true;
    return false;
}

static void tell_cycle(ctn_graph *graph, ctn_findings *findings, uint32_t first, const component_search *search)
{
    ctn_buf names;
    ctn_buf_init(&names, 2048);
    uint32_t size = 0;
    for (uint32_t i = first; i < graph->step_count; i++)
        if (search->component[i] == search->component[first])
            ctn_buf_printf(&names, "%s'%.*s'", size++ ? ", " : "", CTN_STR_ARG(graph->steps[i].step->name));
    const ctn_chain *chain = graph->chain;
    const ctn_json *node = graph->steps[first].step->node;
    if (size == 1)
        ctn_source_error(chain->source, node, findings, "cycle",
                         "step %.*s waits for itself; take its name out of its own 'dependsOn'",
                         CTN_STR_ARG(ctn_buf_str(&names)));
    else
        ctn_source_error(
            chain->source, node, findings, "cycle",
            "steps %.*s wait for each other, so none of them can ever start; take one of these names out of "
            "a 'dependsOn' (a step without 'dependsOn' waits for all before it)",
            CTN_STR_ARG(ctn_buf_str(&names)));
    ctn_buf_done(&names);
}

static void tell_cycles(ctn_graph *graph, ctn_findings *findings)
{
    uint32_t n = graph->step_count;
    component_search search = {.graph = graph};
    search.index = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.low = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.stack = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.path = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.edge = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.component = CTN_NEW_ARRAY(graph->arena, uint32_t, n);
    search.is_on_stack = CTN_NEW_ARRAY(graph->arena, bool, n);
    for (uint32_t i = 0; i < n; i++)
        if (!search.index[i])
            search_from(&search, i);
    uint32_t *sizes = CTN_NEW_ARRAY(graph->arena, uint32_t, search.component_count + 1);
    for (uint32_t i = 0; i < n; i++)
        sizes[search.component[i]]++;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = sizes[search.component[i]];
        if (size == 0 || (size == 1 && !waits_for_itself(graph, i)))
            continue;
        tell_cycle(graph, findings, i, &search);
        sizes[search.component[i]] = 0; /* told at its first step only */
    }
}

int ctn_graph_order(ctn_graph *graph, ctn_findings *findings)
{
    find_predecessors(graph);
    if (sort_steps(graph))
        return CTN_OK;
    tell_cycles(graph, findings);
    return CTN_E_INVALID;
}

/* ---- ancestors ---- */

static size_t row_words(const ctn_graph *graph)
{
    return (graph->step_count + 63u) / 64u;
}

static void find_ancestors(ctn_graph *graph)
{
    size_t words = row_words(graph);
    graph->ancestors = CTN_NEW_ARRAY(graph->arena, uint64_t, words * graph->step_count);
    for (uint32_t at = 0; at < graph->step_count; at++) {
        uint32_t step = graph->order[at];
        uint64_t *row = graph->ancestors + words * step;
        for (uint32_t i = 0; i < graph->steps[step].predecessor_count; i++) {
            uint32_t before = graph->steps[step].predecessors[i];
            const uint64_t *row_before = graph->ancestors + words * before;
            for (size_t w = 0; w < words; w++)
                row[w] |= row_before[w];
            row[before / 64] |= UINT64_C(1) << (before % 64);
        }
    }
}

bool ctn_graph_precedes(ctn_graph *graph, uint32_t first, uint32_t second)
{
    assert(graph->order);
    if (!graph->ancestors)
        find_ancestors(graph);
    const uint64_t *row = graph->ancestors + row_words(graph) * second;
    return (row[first / 64] >> (first % 64)) & 1;
}
