/*
 * use.c -- the uses in an expression. (Those in templates: template.c, template_tree.c.)
 *
 * Each node hands its children what it expects of them. A path that stands under lower() or round() is told what
 * lower's or round's own value is compared with: lower({x}) == 'yes' looks for an x that is 'yes'.
 */
#include "value/use.h"
#include "value/expression_node.h"

typedef struct walk {
    ctn_use_fn *fn;
    void *ctx;
} walk;

typedef struct expected {
    ctn_use use;
    const ctn_json *literal;
} expected;

static const ctn_json *literal_of(const expression_node *node)
{
    return node->kind == NODE_LITERAL ? node->literal : NULL;
}

static void visit(const walk *w, const expression_node *node, expected as);

static void visit_children(const walk *w, const expression_node *node, uint32_t from, expected as)
{
    for (uint32_t i = from; i < node->count; i++)
        visit(w, node->children[i], as);
}

static void visit_compare(const walk *w, const expression_node *node)
{
    bool is_order = node->ops[0] != OP_EQUAL && node->ops[0] != OP_UNEQUAL;
    for (uint32_t i = 0; i < 2; i++) {
        const ctn_json *other = literal_of(node->children[1 - i]);
        visit(w, node->children[i],
              other ? (expected){is_order ? CTN_USE_ORDER : CTN_USE_EQUAL, other}
                    : (expected){is_order ? CTN_USE_NUMBER : CTN_USE_READ, NULL});
    }
}

static void visit_in(const walk *w, const expression_node *node)
{
    const expression_node *part = node->children[0], *whole = node->children[1];
    if (whole->kind == NODE_LIST)
        for (uint32_t i = 0; i < whole->count; i++)
            visit(w, part, (expected){CTN_USE_EQUAL, literal_of(whole->children[i])});
    else if (literal_of(part)) {
        visit(w, whole, (expected){CTN_USE_LIST, NULL});
        visit(w, whole, (expected){CTN_USE_HOLDS, literal_of(part)});
    } else
        visit_children(w, node, 0, (expected){CTN_USE_READ, NULL});
}

static void visit_call(const walk *w, const expression_node *node, expected as)
{
    const expression_function *f = node->function;
    const ctn_json *second = node->count > 1 ? literal_of(node->children[1]) : NULL;
    bool is_compared = as.use == CTN_USE_EQUAL || as.use == CTN_USE_ORDER;
    if (node->count == 0)
        return;
    if (f->asks == ASKS_SAME && is_compared) {
        visit_children(w, node, 0, as);
        return;
    }
    if (f->asks == ASKS_LENGTH && is_compared) {
        visit_children(w, node, 0, (expected){CTN_USE_LENGTH, as.literal});
        return;
    }
    if (f->asks == ASKS_PART && second) {
        if (f->first == CTN_USE_OBJECT)
            visit(w, node->children[0], (expected){CTN_USE_OBJECT, NULL});
        visit(w, node->children[0], (expected){CTN_USE_HOLDS, second});
        return;
    }
    bool is_of_list = f->first == CTN_USE_LIST, is_of_numbers = is_of_list && f->rest == CTN_USE_NUMBER;
    if (is_of_list && ctn_json_is(second, CTN_JSON_STRING)) {
        visit(w, node->children[0], (expected){is_of_numbers ? CTN_USE_ITEM_NUMBER : CTN_USE_ITEM_TRUTH, second});
        return;
    }
    if (is_of_numbers && node->count == 1) {
        visit(w, node->children[0], (expected){CTN_USE_ITEM_NUMBER, NULL});
        return;
    }
    bool are_numbers = is_of_numbers && !second; /* min({a}, {b}): no list among them */
    visit(w, node->children[0], (expected){are_numbers ? CTN_USE_NUMBER : f->first, NULL});
    visit_children(w, node, 1, (expected){f->rest, NULL});
}

static void visit(const walk *w, const expression_node *node, expected as)
{
    switch (node->kind) {
    case NODE_PATH: w->fn(w->ctx, &node->path, as.use, as.literal); break;
    case NODE_NOT:
    case NODE_AND:
    case NODE_OR: visit_children(w, node, 0, (expected){CTN_USE_TRUTH, NULL}); break;
    case NODE_NEGATE: visit_children(w, node, 0, (expected){CTN_USE_NUMBER, NULL}); break;
    case NODE_ARITHMETIC: {
        bool joins = false; /* + with a text among its parts */
        for (uint32_t i = 0; i < node->count; i++)
            joins = joins || ctn_json_is(literal_of(node->children[i]), CTN_JSON_STRING);
        visit_children(w, node, 0, (expected){joins ? CTN_USE_TEXT : CTN_USE_NUMBER, NULL});
        break;
    }
    case NODE_COMPARE: visit_compare(w, node); break;
    case NODE_IN: visit_in(w, node); break;
    case NODE_MATCHES: visit(w, node->children[0], (expected){CTN_USE_TEXT, NULL}); break;
    case NODE_CONDITIONAL:
        visit(w, node->children[0], (expected){CTN_USE_TRUTH, NULL});
        visit_children(w, node, 1, as);
        break;
    case NODE_CALL: visit_call(w, node, as); break;
    case NODE_LIST: visit_children(w, node, 0, (expected){CTN_USE_READ, NULL}); break;
    case NODE_LITERAL:
    case NODE_VERDICT: break;
    }
}

void ctn_expression_uses(const ctn_expression *e, ctn_use_fn *fn, void *ctx)
{
    walk w = {fn, ctx};
    visit(&w, e->root, (expected){CTN_USE_TRUTH, NULL});
}
