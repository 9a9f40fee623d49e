/* expression.c -- what the plan and the lint ask of an expression: what it reads, whether it varies. */
#include "value/expression_node.h"

/* Depth is bounded by the parser. */
static void collect_reads(const expression_node *node, ctn_arena *arena, ctn_reads *reads)
{
    if (node->kind == NODE_PATH)
        ctn_reads_add(
            arena, reads,
            (ctn_read){
                .root = node->path.root, .path = node->path.text, .offset = node->path_offset, .is_optional = true});
    for (uint32_t i = 0; i < node->count; i++)
        collect_reads(node->children[i], arena, reads);
}

void ctn_expression_reads(const ctn_expression *e, ctn_arena *arena, ctn_reads *reads)
{
    if (e)
        collect_reads(e->root, arena, reads);
}

static bool is_literal(const expression_node *node)
{
    if (node->kind != NODE_LIST)
        return node->kind == NODE_LITERAL || node->kind == NODE_VERDICT;
    for (uint32_t i = 0; i < node->count; i++)
        if (!is_literal(node->children[i]))
            return false;
    return true;
}

bool ctn_expression_is_literal(const ctn_expression *e)
{
    return is_literal(e->root);
}
