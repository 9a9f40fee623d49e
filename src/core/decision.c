/*
 * decision.c -- conditions compared as trees. It may fail to see that two are the same; it never takes different ones
 * for the same. A condition that asks the time or the step it stands in is never the same as another.
 */
#include "core/decision.h"
#include "core/expression_node.h"

enum { LEAF_SKIP = 1, LEAF_RUN = 2, LEAF_OTHER = 4 };

/* What the condition can come to. Depth is bounded by the parser. `fail` counts as running: whoever reads after a
 * step that failed its chain does not read. */
static int leaves(const expression_node *node)
{
    switch (node->kind) {
    case NODE_VERDICT: return node->verdict == CTN_VERDICT_SKIP ? LEAF_SKIP : LEAF_RUN;
    case NODE_LITERAL: return ctn_json_is_true(node->literal) ? LEAF_RUN : LEAF_SKIP;
    case NODE_CONDITIONAL: return leaves(node->children[1]) | leaves(node->children[2]);
    default: return LEAF_OTHER;
    }
}

ctn_decision ctn_decision_of(const ctn_expression *condition)
{
    ctn_decision decision = {.is_always = true};
    if (!condition || leaves(condition->root) == LEAF_RUN)
        return decision;
    decision.is_always = false;
    decision.node = condition->root;
    if (decision.node->kind == NODE_CONDITIONAL) {
        int then = leaves(decision.node->children[1]), otherwise = leaves(decision.node->children[2]);
        if ((then == LEAF_RUN && otherwise == LEAF_SKIP) || (then == LEAF_SKIP && otherwise == LEAF_RUN)) {
            decision.is_negated = then == LEAF_SKIP;
            decision.node = decision.node->children[0];
        }
    }
    while (decision.node->kind == NODE_NOT) {
        decision.is_negated = !decision.is_negated;
        decision.node = decision.node->children[0];
    }
    return decision;
}

static bool is_equality(const expression_node *node)
{
    return node->kind == NODE_COMPARE && (node->ops[0] == OP_EQUAL || node->ops[0] == OP_UNEQUAL);
}

static bool same_path(const ctn_path *a, const ctn_path *b)
{
    return ctn_str_equal(a->text, b->text) && !ctn_str_is(a->root, "now") && !ctn_str_is(a->root, "step") &&
           !ctn_str_is(a->root, "item");
}

/* At the top, == and != of the same things count as the same: *ret_turned tells. Below, they do not. */
static bool same_tree(const expression_node *a, const expression_node *b, bool *ret_turned)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    bool may_turn = ret_turned && is_equality(a) && is_equality(b);
    if (may_turn)
        *ret_turned = a->ops[0] != b->ops[0];
    for (uint32_t i = 0; !may_turn && a->ops && i + 1 < a->count; i++)
        if (a->ops[i] != b->ops[i])
            return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!same_tree(a->children[i], b->children[i], NULL))
            return false;
    switch (a->kind) {
    case NODE_LITERAL: return ctn_json_equal(a->literal, b->literal);
    case NODE_VERDICT: return a->verdict == b->verdict;
    case NODE_PATH: return same_path(&a->path, &b->path);
    case NODE_CALL: return a->function == b->function && !ctn_str_is(ctn_str_from(a->function->name), "now");
    default: return true;
    }
}

static bool compare(const ctn_decision *a, const ctn_decision *b, bool wants_opposite)
{
    if (a->is_always || b->is_always)
        return false;
    bool is_turned = false;
    if (!same_tree(a->node, b->node, &is_turned))
        return false;
    bool is_opposite = (a->is_negated != b->is_negated) != is_turned;
    return is_opposite == wants_opposite;
}

bool ctn_decision_is_same(const ctn_decision *a, const ctn_decision *b)
{
    return compare(a, b, false);
}

bool ctn_decision_is_opposite(const ctn_decision *a, const ctn_decision *b)
{
    return compare(a, b, true);
}
