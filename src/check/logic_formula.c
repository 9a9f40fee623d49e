/*
 * logic_formula.c -- conditions as formulas over terms.
 *
 * `and`, `or`, `not` and choices are looked into; a comparison with something that can be computed is a question
 * about one term; the rest is a term that is true or not.
 */
#include "check/logic_node.h"

#define WORK_TO_MAKE 10 /* a formula's node costs so much more to make than to look at */

/* ---- which terms are the same ---- */

uint32_t logic_version_of(const ctn_logic *logic, uint32_t step, ctn_str root)
{
    return logic->world.version(logic->world.ctx, step, root);
}

static bool is_clock(const expression_node *node)
{
    if (node->kind == NODE_PATH)
        return ctn_str_is(node->path.root, "now");
    ctn_str name = node->kind == NODE_CALL ? ctn_str_from(node->function->name) : (ctn_str){0};
    return ctn_str_is(name, "now") || (ctn_str_is(name, "date") && node->count == 0);
}

static bool same_path(const ctn_logic *logic, const ctn_path *a, uint32_t step_a, const ctn_path *b, uint32_t step_b)
{
    if (!ctn_str_equal(a->root, b->root) || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if ((a->parts[i].name.ptr == NULL) != (b->parts[i].name.ptr == NULL) ||
            a->parts[i].index != b->parts[i].index || !ctn_str_equal(a->parts[i].name, b->parts[i].name))
            return false;
    if (step_a == step_b)
        return true;
    uint32_t version = logic_version_of(logic, step_a, a->root);
    return version != CTN_LOGIC_OWN_VERSION && version == logic_version_of(logic, step_b, b->root);
}

bool logic_same_tree(const ctn_logic *logic, const expression_node *a, uint32_t step_a, const expression_node *b,
                     uint32_t step_b)
{
    if (a->kind != b->kind || a->count != b->count || (is_clock(a) && step_a != step_b))
        return false;
    for (uint32_t i = 0; a->ops && i + 1 < a->count; i++)
        if (a->ops[i] != b->ops[i])
            return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!logic_same_tree(logic, a->children[i], step_a, b->children[i], step_b))
            return false;
    switch (a->kind) {
    case NODE_LITERAL: return ctn_json_equal(a->literal, b->literal);
    case NODE_VERDICT: return a->verdict == b->verdict;
    case NODE_PATH: return same_path(logic, &a->path, step_a, &b->path, step_b);
    case NODE_CALL: return a->function == b->function;
    default: return true;
    }
}

static term *term_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    for (uint32_t i = 0; i < logic->term_count; i++)
        if (logic_same_tree(logic, logic->terms[i]->node, logic->terms[i]->step, node, step))
            return logic->terms[i];
    if (logic->term_count == TERMS_MAX) {
        logic->is_too_much = true;
        return logic->terms[0];
    }
    term *made = CTN_NEW(logic->arena, term);
    made->node = node;
    made->step = step;
    logic->terms[logic->term_count++] = made;
    return made;
}

void logic_add_literal(ctn_logic *logic, term *t, const ctn_json *literal)
{
    for (size_t i = 0; i < t->literal_count; i++)
        if (ctn_json_equal(t->literals[i], literal))
            return;
    if (t->literal_count == LITERALS_MAX)
        logic->is_too_much = true;
    else
        t->literals[t->literal_count++] = literal;
}

bool logic_is_call_of(const term *t, const char *name)
{
    return t->node->kind == NODE_CALL && ctn_str_is(ctn_str_from(t->node->function->name), name);
}

/* ---- what can be computed ---- */

static bool is_known_null(const ctn_logic *logic, const ctn_path *path, uint32_t step)
{
    uint32_t version = logic->null_count ? logic_version_of(logic, step, path->root) : CTN_LOGIC_OWN_VERSION;
    for (uint32_t i = 0; i < logic->null_count && version != CTN_LOGIC_OWN_VERSION; i++)
        if (logic->nulls[i].version == version && ctn_str_equal(logic->nulls[i].root, path->root))
            return true;
    return false;
}

static bool is_computable(const ctn_logic *logic, const expression_node *node, uint32_t step)
{
    if (is_clock(node) || node->kind == NODE_VERDICT ||
        (node->kind == NODE_PATH && !is_known_null(logic, &node->path, step)))
        return false;
    for (uint32_t i = 0; i < node->count; i++)
        if (!is_computable(logic, node->children[i], step))
            return false;
    return true;
}

static const ctn_json *nothing(void *ctx, ctn_str name)
{
    (void) ctx;
    (void) name;
    return NULL;
}

typedef enum computed { COMPUTED, COMPUTED_FAULT, NOT_COMPUTED } computed;

/* A fault when the evaluator says so: '1 / 0', or null + 1. */
static computed compute(const ctn_logic *logic, const expression_node *node, uint32_t step, const ctn_json **ret_value)
{
    if (!is_computable(logic, node, step))
        return NOT_COMPUTED;
    ctn_scope scope = {.lookup = nothing};
    ctn_expression whole = {.root = (expression_node *) node};
    ctn_verdict verdict;
    return ctn_expression_eval(&whole, &scope, logic->arena, ret_value, &verdict, NULL) ? COMPUTED_FAULT : COMPUTED;
}

/* ---- formulas ---- */

static const formula *make(ctn_logic *logic, formula made)
{
    formula *f = CTN_NEW(logic->arena, formula);
    *f = made;
    if (f->term) {
        f->next_of_terms = logic->of_terms;
        logic->of_terms = f;
    }
    return f;
}

static const formula *constant(ctn_logic *logic, unsigned mask)
{
    return make(logic, (formula){.kind = FORMULA_CONSTANT, .mask = mask});
}

const formula *logic_formula_of(ctn_logic *logic, const expression_node *node, uint32_t step);

static const formula *combined(ctn_logic *logic, formula_kind kind, const expression_node *node, uint32_t step)
{
    formula made = {.kind = kind, .count = node->count};
    made.parts = CTN_NEW_ARRAY(logic->arena, formula *, node->count);
    for (uint32_t i = 0; i < node->count; i++)
        made.parts[i] = (formula *) logic_formula_of(logic, node->children[i], step);
    return make(logic, made);
}

static const formula *compared(ctn_logic *logic, const expression_node *node, uint32_t step, operator_kind op,
                               const ctn_json *literal)
{
    term *t = term_of(logic, node, step);
    logic_add_literal(logic, t, literal);
    return make(logic, (formula){.kind = FORMULA_COMPARE, .term = t, .op = op, .literal = literal});
}

static operator_kind turned(operator_kind op)
{
    switch (op) {
    case OP_LESS: return OP_GREATER;
    case OP_LESS_EQUAL: return OP_GREATER_EQUAL;
    case OP_GREATER: return OP_LESS;
    case OP_GREATER_EQUAL: return OP_LESS_EQUAL;
    default: return op;
    }
}

static const formula *truth_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    return make(logic, (formula){.kind = FORMULA_TRUTH, .term = term_of(logic, node, step)});
}

/* a == b of two terms is a term of its own, and a != b is its opposite. */
static const formula *relation_of_terms(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    if (node->kind != NODE_COMPARE || node->ops[0] != OP_UNEQUAL)
        return truth_of(logic, node, step);
    static const uint8_t equal[] = {OP_EQUAL};
    expression_node *opposite = CTN_NEW(logic->arena, expression_node);
    *opposite = *node;
    opposite->ops = (uint8_t *) equal;
    formula made = {.kind = FORMULA_NOT, .count = 1, .parts = CTN_NEW_ARRAY(logic->arena, formula *, 1)};
    made.parts[0] = (formula *) truth_of(logic, opposite, step);
    return make(logic, made);
}

/* Of <= and >= the kind of the value decides. */
static bool is_same_with_itself(uint8_t op)
{
    return op != OP_LESS_EQUAL && op != OP_GREATER_EQUAL;
}

static const formula *relation_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    const ctn_json *left = NULL, *right = NULL;
    computed is_left = compute(logic, node->children[0], step, &left);
    computed is_right = compute(logic, node->children[1], step, &right);
    if (is_left == COMPUTED_FAULT || is_right == COMPUTED_FAULT)
        return constant(logic, FAULT);
    if (node->kind == NODE_COMPARE && is_left == NOT_COMPUTED && is_same_with_itself(node->ops[0]) &&
        logic_same_tree(logic, node->children[0], step, node->children[1], step))
        return constant(logic, node->ops[0] == OP_EQUAL ? YES : NO); /* {x} != {x} */
    if (node->kind == NODE_COMPARE && is_right == COMPUTED)
        return compared(logic, node->children[0], step, (operator_kind) node->ops[0], right);
    if (node->kind == NODE_COMPARE && is_left == COMPUTED)
        return compared(logic, node->children[1], step, turned((operator_kind) node->ops[0]), left);
    if (node->kind == NODE_IN && is_right == COMPUTED && ctn_json_is(right, CTN_JSON_ARRAY)) {
        term *t = term_of(logic, node->children[0], step);
        for (size_t i = 0; i < ctn_json_count(right); i++)
            logic_add_literal(logic, t, ctn_json_at(right, i));
        return make(logic, (formula){.kind = FORMULA_IN, .term = t, .literal = right});
    }
    return relation_of_terms(logic, node, step);
}

const formula *logic_formula_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    logic_spend(logic, WORK_TO_MAKE);
    if (logic->is_too_much)
        return constant(logic, CTN_OUTCOME_ANY);
    switch (node->kind) {
    case NODE_VERDICT: return constant(logic, logic_outcomes_of(node));
    case NODE_NOT: return combined(logic, FORMULA_NOT, node, step);
    case NODE_AND: return combined(logic, FORMULA_AND, node, step);
    case NODE_OR: return combined(logic, FORMULA_OR, node, step);
    case NODE_CONDITIONAL: return combined(logic, FORMULA_CHOICE, node, step);
    default: break;
    }
    const ctn_json *value = NULL;
    computed is_computed = compute(logic, node, step, &value);
    if (is_computed == COMPUTED_FAULT)
        return constant(logic, FAULT);
    if (is_computed == COMPUTED)
        return constant(logic, ctn_json_is_true(value) ? YES : NO);
    if (node->kind == NODE_COMPARE || node->kind == NODE_IN)
        return relation_of(logic, node, step);
    if (node->kind == NODE_CALL && ctn_str_is(ctn_str_from(node->function->name), "exists"))
        return compared(logic, node->children[0], step, OP_UNEQUAL, &ctn_json_null);
    return truth_of(logic, node, step);
}
