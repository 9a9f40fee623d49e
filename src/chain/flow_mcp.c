/*
 * flow_mcp.c -- what `mcp` names: inputs in the `uri`, an output in `content`.
 */
#include "chain/flow.h"
#include "value/uri_template.h"

static bool is_input(const ctn_graph *graph, ctn_str name)
{
    uint32_t v = ctn_names_find(&graph->variables, name);
    return v != CTN_NAMES_NONE && graph->is_input[v];
}

static bool is_output(const ctn_graph *graph, ctn_str name)
{
    const ctn_chain *chain = graph->chain;
    for (uint32_t i = 0; i < chain->result_count; i++)
        if (ctn_str_equal(chain->results[i].name, name))
            return true;
    uint32_t v = ctn_names_find(&graph->variables, name);
    return !chain->outputs && v != CTN_NAMES_NONE && graph->writers[v].count;
}

static ctn_str suggest(ctn_graph *graph, ctn_str name, bool (*is_it)(const ctn_graph *graph, ctn_str name))
{
    size_t results = graph->chain->result_count, count = 0;
    ctn_str *names = CTN_NEW_ARRAY(graph->arena, ctn_str, graph->variables.count + results);
    for (uint32_t i = 0; i < graph->variables.count; i++)
        if (is_it(graph, graph->variables.items[i]))
            names[count++] = graph->variables.items[i];
    for (size_t i = 0; i < results && is_it == is_output; i++)
        names[count++] = graph->chain->results[i].name;
    return ctn_suggest(graph->arena, name, names, count);
}

/* A step cannot do without it, or the schema requires it; and the schema has no default. */
static bool must_be_given(const ctn_graph *graph, const ctn_graph_input *input)
{
    const ctn_json *schema = graph->chain->input_schema;
    ctn_str name = graph->variables.items[input->variable];
    const ctn_json *property = ctn_json_get(ctn_json_member_of(schema, "properties"), name);
    const ctn_json *required = ctn_json_member_of(schema, "required");
    bool is_required = input->is_required;
    for (size_t i = 0; i < ctn_json_count(required); i++)
        is_required |= ctn_str_equal(ctn_json_text(ctn_json_at(required, i)), name);
    return is_required && !ctn_json_member_of(property, "default");
}

static void check_uri(ctn_graph *graph, const ctn_chain_mcp *mcp, ctn_findings *findings)
{
    const ctn_source *source = graph->chain->source;
    ctn_uri_template *t = NULL;
    if (ctn_uri_template_compile(graph->arena, mcp->uri, &t, NULL))
        return; /* told when it was read */
    for (size_t i = 0; i < t->name_count; i++) {
        if (is_input(graph, t->names[i]))
            continue;
        ctn_str advice = suggest(graph, t->names[i], is_input);
        ctn_source_error(source, mcp->uri_node, findings, "undefined-variable",
                         "'{%.*s}' in 'uri' is no input of this chain; %.*s", CTN_STR_ARG(t->names[i]),
                         CTN_STR_ARG(advice));
    }
    for (uint32_t i = 0; i < graph->input_count; i++) {
        ctn_str name = graph->variables.items[graph->inputs[i].variable];
        bool is_there = !must_be_given(graph, &graph->inputs[i]);
        for (size_t k = 0; k < t->name_count; k++)
            is_there |= ctn_str_equal(t->names[k], name);
        if (!is_there)
            ctn_source_error(source, mcp->uri_node, findings, "missing-argument",
                             "the input '%.*s' is required, and who reads this 'uri' has no way to give it; write "
                             "{%.*s} into it",
                             CTN_STR_ARG(name), CTN_STR_ARG(name));
    }
}

void ctn_flow_check_mcp(ctn_graph *graph, ctn_findings *findings)
{
    const ctn_chain_mcp *mcp = &graph->chain->mcp;
    if (mcp->uri_node)
        check_uri(graph, mcp, findings);
    if (!mcp->content_node || is_output(graph, mcp->content))
        return;
    ctn_str advice = suggest(graph, mcp->content, is_output);
    ctn_source_error(graph->chain->source, mcp->content_node, findings, "undefined-variable",
                     "'content' names '%.*s', which is no output of this chain; %.*s", CTN_STR_ARG(mcp->content),
                     CTN_STR_ARG(advice));
}
