/* expression.c -- what the plan and the lint ask of an expression: what it reads, what it guards. */
#include "core/expression_node.h"

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

/* ---- guards ----
 *
 * implies(node, root, outcome): whenever the node's truth is `outcome`, a path that begins with root is not
 * null, and so root is not missing. */

static bool is_path_of(const expression_node *node, ctn_str root)
{
    return node->kind == NODE_PATH && ctn_str_equal(node->path.root, root);
}

static bool is_null(const expression_node *node)
{
    return node->kind == NODE_LITERAL && ctn_json_is(node->literal, CTN_JSON_NULL);
}

static bool implies(const expression_node *node, ctn_str root, bool outcome)
{
    switch (node->kind) {
    case NODE_CALL:
        return outcome && node->count == 1 && ctn_str_is(ctn_str_from(node->function->name), "exists") &&
               is_path_of(node->children[0], root);
    case NODE_COMPARE: {
        bool asks = (is_path_of(node->children[0], root) && is_null(node->children[1])) ||
                    (is_path_of(node->children[1], root) && is_null(node->children[0]));
        return asks && node->ops[0] == (outcome ? OP_UNEQUAL : OP_EQUAL);
    }
    case NODE_NOT: return implies(node->children[0], root, !outcome);
    case NODE_AND:
    case NODE_OR: {
        /* A true `and` has all its parts true, one of which must do; a false one has some false part, of
         * which we do not know which. `or` the other way round. */
        bool one_does = (node->kind == NODE_AND) == outcome;
        for (uint32_t i = 0; i < node->count; i++)
            if (implies(node->children[i], root, outcome) == one_does)
                return one_does;
        return !one_does;
    }
    default: return false;
    }
}

/* Whenever the step runs, root is there. A branch that says skip or fail does not run, so it is no matter. */
static bool guards(const expression_node *node, ctn_str root)
{
    if (node->kind == NODE_VERDICT)
        return node->verdict != CTN_VERDICT_CONTINUE;
    if (node->kind == NODE_LITERAL)
        return !ctn_json_is_true(node->literal);
    if (node->kind == NODE_CONDITIONAL)
        return (implies(node->children[0], root, true) || guards(node->children[1], root)) &&
               (implies(node->children[0], root, false) || guards(node->children[2], root));
    return implies(node, root, true);
}

bool ctn_expression_guards(const ctn_expression *e, ctn_str root)
{
    return e->root->kind != NODE_VERDICT && e->root->kind != NODE_LITERAL && guards(e->root, root);
}
