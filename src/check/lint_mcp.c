/*
 * lint_mcp.c -- what is asked of a chain because MCP clients see it: a resource only reads, and no two chains are
 * offered under one name.
 */
#include "check/lint.h"

/* Clients read resources as they please: to look, to complete, to list. */
static void lint_effect(const ctn_lint *lint)
{
    const ctn_chain *chain = lint->graph->chain;
    const ctn_chain_step *step = NULL;
    bool is_assumed = false;
    ctn_effect effect = ctn_check_chain_effect(lint->graph->library, chain, lint->options, &is_assumed, &step);
    if (effect <= CTN_EFFECT_READ)
        return;
    if (is_assumed)
        ctn_lint_warn(lint, step, step->node, "unsafe-resource",
                      "the chain is a resource, which is read at any time, and nobody said what the work of step "
                      "'%.*s' does to the world; say 'effect: read', or publish the chain 'as: tool'",
                      CTN_STR_ARG(step->name));
    else
        ctn_source_error(
            chain->source, step->node, lint->findings, "unsafe-resource",
            "the chain is a resource, which is read at any time, and step '%.*s' does more than read (%s); "
            "publish the chain 'as: tool'",
            CTN_STR_ARG(step->name), ctn_effect_name(effect));
}

/* Resources are known by their URI, the others by their name among their kind. */
static bool is_same_offer(const ctn_chain_mcp *a, const ctn_chain_mcp *b)
{
    if (a->as != b->as || a->as == CTN_MCP_AS_NONE)
        return false;
    return a->as == CTN_MCP_AS_RESOURCE ? ctn_str_equal(a->uri, b->uri) : ctn_str_equal(a->name, b->name);
}

static void lint_name(const ctn_lint *lint)
{
    const ctn_library *library = lint->graph->library;
    const ctn_chain *chain = lint->graph->chain;
    for (size_t i = 0; i < ctn_library_chain_count(library); i++) {
        const ctn_chain *other = ctn_library_chain_at(library, i);
        if (other == chain || ctn_str_equal(other->id, chain->id))
            break; /* the later one tells */
        if (!is_same_offer(&other->mcp, &chain->mcp))
            continue;
        bool is_uri = chain->mcp.as == CTN_MCP_AS_RESOURCE;
        ctn_str name = is_uri ? chain->mcp.uri : chain->mcp.name;
        ctn_source_error(chain->source, chain->mcp.node ? chain->mcp.node : chain->id_node, lint->findings,
                         "duplicate-key",
                         "the %s '%.*s' is that of chain '%.*s' too; give one of them another 'mcp: {%s}'",
                         is_uri ? "URI" : "name", CTN_STR_ARG(name), CTN_STR_ARG(other->id), is_uri ? "uri" : "name");
        return;
    }
}

void ctn_lint_mcp(const ctn_lint *lint)
{
    if (lint->graph->chain->mcp.as == CTN_MCP_AS_RESOURCE)
        lint_effect(lint);
    if (lint->graph->chain->mcp.node)
        lint_name(lint);
}
