/*
 * logic.c -- conditions as formulas over terms, terms over small domains, and a bounded search.
 *
 * A domain holds what the demands can tell apart: null, true, false, [], {}, every literal that the term is compared
 * with, one value in each gap between such numbers and between such texts, and one thing that is none of these. So a
 * formula means the same for all values that a class stands for, and trying the classes is trying everything.
 */
#include "core/logic.h"
#include "core/expression_node.h"
#include "core/text.h"
#include <stdlib.h>

enum { NO = CTN_OUTCOME_SKIP, YES = CTN_OUTCOME_RUN, FAULT = CTN_OUTCOME_FAIL };

#define DEMANDS_MAX  256
#define NULLS_MAX    128
#define TERMS_MAX    24
#define LITERALS_MAX 64
/* Work, in nodes of formulas that are looked at: of one question, and of all together; after that each question may
 * cost little. A chain that needs so much was made to. */
#define WORK_MAX        1000000
#define WORK_IN_ALL_MAX 100000000
#define WORK_LATE_MAX   50000
#define WORK_TO_MAKE    10 /* a formula's node costs so much more to make than to look at */

/* ---- what there is ---- */

/* One class of values: `value`, or (GAP) what lies strictly between two neighbours, or (OTHER) none of the literals. */
typedef enum class_kind { CLASS_VALUE, CLASS_GAP, CLASS_OTHER } class_kind;
typedef struct value_class {
    class_kind kind;
    ctn_json_kind json_kind;
    const ctn_json *value;
    const ctn_json *above; /* GAP: the neighbour above; NULL: none */
} value_class;

typedef struct term {
    const expression_node *node;
    uint32_t step;
    const ctn_json *literals[LITERALS_MAX];
    size_t literal_count;
    value_class *domain;
    uint32_t domain_count;
    uint32_t chosen; /* 0: not yet; else the number in the domain + 1 */
} term;

typedef enum formula_kind {
    FORMULA_CONSTANT,
    FORMULA_TRUTH,   /* of the term */
    FORMULA_COMPARE, /* term op literal */
    FORMULA_IN,      /* the term is an item of the literal */
    FORMULA_NOT,
    FORMULA_AND,
    FORMULA_OR,
    FORMULA_CHOICE, /* condition, then, else */
} formula_kind;

typedef struct formula formula;
struct formula {
    formula_kind kind;
    unsigned mask; /* CONSTANT */
    term *term;
    operator_kind op;
    const ctn_json *literal;
    bool *holds;       /* of a term: for each class of its domain */
    unsigned over_all; /* what it can be while the term is not chosen */
    formula *next_of_terms;
    formula **parts;
    uint32_t count;
};

typedef struct demand {
    const ctn_expression *condition;
    uint32_t step;
    unsigned outcomes;
    const formula *formula;
} demand;

typedef struct null_root {
    ctn_str root;
    uint32_t version;
} null_root;

struct ctn_logic {
    ctn_arena *arena;
    ctn_logic_world world;
    demand demands[DEMANDS_MAX];
    null_root nulls[NULLS_MAX];
    uint32_t demand_count, null_count;
    bool is_over; /* more was demanded than there is room for */
    /* of one question: */
    term *terms[TERMS_MAX];
    uint32_t term_count;
    formula *of_terms; /* all formulas that look at a term */
    uint64_t work, work_in_all;
    bool is_too_much;
};

ctn_logic *ctn_logic_new(ctn_arena *arena, const ctn_logic_world *world)
{
    ctn_logic *logic = CTN_NEW(arena, ctn_logic);
    logic->arena = arena;
    logic->world = *world;
    return logic;
}

/* ---- demands ---- */

void ctn_logic_clear(ctn_logic *logic)
{
    logic->demand_count = logic->null_count = 0;
    logic->is_over = false;
}

ctn_logic_mark ctn_logic_save(const ctn_logic *logic)
{
    return (ctn_logic_mark){logic->demand_count, logic->null_count};
}

void ctn_logic_restore(ctn_logic *logic, ctn_logic_mark mark)
{
    logic->demand_count = mark.demands;
    logic->null_count = mark.nulls;
}

void ctn_logic_demand(ctn_logic *logic, const ctn_expression *condition, uint32_t step, unsigned outcomes)
{
    if (logic->demand_count == DEMANDS_MAX)
        logic->is_over = true;
    else
        logic->demands[logic->demand_count++] = (demand){.condition = condition, .step = step, .outcomes = outcomes};
}

void ctn_logic_demand_null(ctn_logic *logic, ctn_str root, uint32_t version)
{
    if (logic->null_count == NULLS_MAX)
        logic->is_over = true;
    else
        logic->nulls[logic->null_count++] = (null_root){root, version};
}

static unsigned outcomes_of(const expression_node *node)
{
    switch (node->kind) {
    case NODE_VERDICT:
        return node->verdict == CTN_VERDICT_SKIP ? NO : node->verdict == CTN_VERDICT_CONTINUE ? YES : FAULT;
    case NODE_LITERAL: return ctn_json_is_true(node->literal) ? YES : NO;
    case NODE_CONDITIONAL: return outcomes_of(node->children[1]) | outcomes_of(node->children[2]);
    default: return NO | YES;
    }
}

unsigned ctn_logic_outcomes(const ctn_expression *condition)
{
    return condition ? outcomes_of(condition->root) : YES;
}

/* ---- which terms are the same ---- */

static uint32_t version_of(const ctn_logic *logic, uint32_t step, ctn_str root)
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
    uint32_t version = version_of(logic, step_a, a->root);
    return version != CTN_LOGIC_OWN_VERSION && version == version_of(logic, step_b, b->root);
}

static bool same_tree(const ctn_logic *logic, const expression_node *a, uint32_t step_a, const expression_node *b,
                      uint32_t step_b)
{
    if (a->kind != b->kind || a->count != b->count || (is_clock(a) && step_a != step_b))
        return false;
    for (uint32_t i = 0; a->ops && i + 1 < a->count; i++)
        if (a->ops[i] != b->ops[i])
            return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!same_tree(logic, a->children[i], step_a, b->children[i], step_b))
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
        if (same_tree(logic, logic->terms[i]->node, logic->terms[i]->step, node, step))
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

static void add_literal(ctn_logic *logic, term *t, const ctn_json *literal)
{
    for (size_t i = 0; i < t->literal_count; i++)
        if (ctn_json_equal(t->literals[i], literal))
            return;
    if (t->literal_count == LITERALS_MAX)
        logic->is_too_much = true;
    else
        t->literals[t->literal_count++] = literal;
}

/* ---- what can be computed ---- */

static bool is_known_null(const ctn_logic *logic, const ctn_path *path, uint32_t step)
{
    uint32_t version = logic->null_count ? version_of(logic, step, path->root) : CTN_LOGIC_OWN_VERSION;
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

static const formula *formula_of(ctn_logic *logic, const expression_node *node, uint32_t step);

static const formula *combined(ctn_logic *logic, formula_kind kind, const expression_node *node, uint32_t step)
{
    formula made = {.kind = kind, .count = node->count};
    made.parts = CTN_NEW_ARRAY(logic->arena, formula *, node->count);
    for (uint32_t i = 0; i < node->count; i++)
        made.parts[i] = (formula *) formula_of(logic, node->children[i], step);
    return make(logic, made);
}

static const formula *compared(ctn_logic *logic, const expression_node *node, uint32_t step, operator_kind op,
                               const ctn_json *literal)
{
    term *t = term_of(logic, node, step);
    add_literal(logic, t, literal);
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

static const formula *relation_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    const ctn_json *left = NULL, *right = NULL;
    computed is_left = compute(logic, node->children[0], step, &left);
    computed is_right = compute(logic, node->children[1], step, &right);
    if (is_left == COMPUTED_FAULT || is_right == COMPUTED_FAULT)
        return constant(logic, FAULT);
    if (node->kind == NODE_COMPARE && is_right == COMPUTED)
        return compared(logic, node->children[0], step, (operator_kind) node->ops[0], right);
    if (node->kind == NODE_COMPARE && is_left == COMPUTED)
        return compared(logic, node->children[1], step, turned((operator_kind) node->ops[0]), left);
    if (node->kind == NODE_IN && is_right == COMPUTED && ctn_json_is(right, CTN_JSON_ARRAY)) {
        term *t = term_of(logic, node->children[0], step);
        for (size_t i = 0; i < ctn_json_count(right); i++)
            add_literal(logic, t, ctn_json_at(right, i));
        return make(logic, (formula){.kind = FORMULA_IN, .term = t, .literal = right});
    }
    return relation_of_terms(logic, node, step);
}

static void spend(ctn_logic *logic, uint64_t work)
{
    logic->work += work;
    logic->is_too_much |= logic->work > (logic->work_in_all > WORK_IN_ALL_MAX ? WORK_LATE_MAX : WORK_MAX);
}

static const formula *formula_of(ctn_logic *logic, const expression_node *node, uint32_t step)
{
    spend(logic, WORK_TO_MAKE);
    if (logic->is_too_much)
        return constant(logic, CTN_OUTCOME_ANY);
    switch (node->kind) {
    case NODE_VERDICT: return constant(logic, outcomes_of(node));
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

/* ---- domains ---- */

static bool is_boolean_function(ctn_str name)
{
    return ctn_str_is(name, "contains") || ctn_str_is(name, "startsWith") || ctn_str_is(name, "endsWith") ||
           ctn_str_is(name, "has") || ctn_str_is(name, "any") || ctn_str_is(name, "all") || ctn_str_is(name, "exists");
}

static uint32_t bit(ctn_json_kind kind)
{
    return UINT32_C(1) << kind;
}

/* Kinds that the term's value may have. */
static uint32_t kinds_of(const expression_node *node)
{
    uint32_t boolean = bit(CTN_JSON_FALSE) | bit(CTN_JSON_TRUE);
    switch (node->kind) {
    case NODE_NOT:
    case NODE_AND:
    case NODE_OR:
    case NODE_COMPARE:
    case NODE_IN:
    case NODE_MATCHES: return boolean;
    case NODE_NEGATE: return bit(CTN_JSON_NUMBER);
    case NODE_ARITHMETIC: return bit(CTN_JSON_NUMBER) | bit(CTN_JSON_STRING);
    case NODE_CALL: {
        ctn_str name = ctn_str_from(node->function->name);
        if (is_boolean_function(name))
            return boolean;
        if (ctn_str_is(name, "length") || ctn_str_is(name, "sum"))
            return bit(CTN_JSON_NUMBER);
        if (ctn_str_is(name, "string"))
            return bit(CTN_JSON_STRING);
        if (ctn_str_is(name, "round") || ctn_str_is(name, "number") || ctn_str_is(name, "daysBetween"))
            return bit(CTN_JSON_NUMBER) | bit(CTN_JSON_NULL);
        if (ctn_str_is(name, "lower") || ctn_str_is(name, "upper") || ctn_str_is(name, "trim"))
            return bit(CTN_JSON_STRING) | bit(CTN_JSON_NULL);
        return UINT32_MAX;
    }
    default: return UINT32_MAX;
    }
}

static bool is_whole(const term *t)
{
    return t->node->kind == NODE_CALL && (ctn_str_is(ctn_str_from(t->node->function->name), "length") ||
                                          ctn_str_is(ctn_str_from(t->node->function->name), "daysBetween"));
}

static int compare_literals(const void *left, const void *right)
{
    const ctn_json *a = *(const ctn_json *const *) left, *b = *(const ctn_json *const *) right;
    int order = 0;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    (void) expression_compare(a, b, &order);
    return order;
}

static bool next_to_each_other(const ctn_json *a, const ctn_json *b)
{
    int64_t low, high;
    return ctn_json_to_int64(a, &low) && ctn_json_to_int64(b, &high) && high - low == 1;
}

static void add_class(term *t, value_class class)
{
    t->domain[t->domain_count++] = class;
}

static bool is_call_of(const term *t, const char *name)
{
    return t->node->kind == NODE_CALL && ctn_str_is(ctn_str_from(t->node->function->name), name);
}

/* Can the term's function give this? length is a whole number from 0 on; lower gives no capitals. */
static bool can_give(const ctn_logic *logic, const term *t, const ctn_json *literal)
{
    ctn_str text = ctn_json_text(literal);
    int64_t number;
    if (ctn_json_is(literal, CTN_JSON_NUMBER))
        return (!is_whole(t) || ctn_json_to_int64(literal, &number)) &&
               (!is_call_of(t, "length") || text.ptr[0] != '-');
    return !((is_call_of(t, "lower") && !ctn_str_equal(ctn_text_lower(logic->arena, text), text)) ||
             (is_call_of(t, "upper") && !ctn_str_equal(ctn_text_upper(logic->arena, text), text)) ||
             (is_call_of(t, "trim") && ctn_str_trim(text).len != text.len));
}

/* Nothing lies between two literals, the lower one NULL below the first. */
static bool is_closed_gap(const term *t, const ctn_json *below, const ctn_json *above)
{
    if (!below)
        return ctn_json_is(above, CTN_JSON_STRING) || is_call_of(t, "length"); /* "" is the first text */
    return (is_whole(t) && next_to_each_other(below, above)) ||
           (is_call_of(t, "length") && ctn_json_text(below).ptr[0] == '-' && !ctn_json_is_true(above));
}

/* Literals of one ordered kind, and what lies between them. */
static void add_ordered(const ctn_logic *logic, term *t, ctn_json_kind kind)
{
    const ctn_json *below = NULL;
    for (size_t i = 0; i < t->literal_count; i++) {
        const ctn_json *literal = t->literals[i];
        if (literal->kind != kind)
            continue;
        if (!is_closed_gap(t, below, literal))
            add_class(t, (value_class){.kind = CLASS_GAP, .json_kind = kind, .above = literal});
        if (can_give(logic, t, literal))
            add_class(t, (value_class){.kind = CLASS_VALUE, .json_kind = kind, .value = literal});
        below = literal;
    }
    add_class(t, (value_class){.kind = CLASS_GAP, .json_kind = kind});
}

/* ---- what a schema leaves of a domain ---- */

static const struct {
    const char *key;
    operator_kind op; /* of a value to the bound */
} BOUNDS[] = {{"minimum", OP_GREATER_EQUAL},
              {"maximum", OP_LESS_EQUAL},
              {"exclusiveMinimum", OP_GREATER},
              {"exclusiveMaximum", OP_LESS}};

static bool class_compares(const value_class *class, operator_kind op, const ctn_json *literal);

static bool kind_is_named(ctn_str name, ctn_json_kind kind)
{
    switch (kind) {
    case CTN_JSON_NULL: return ctn_str_is(name, "null");
    case CTN_JSON_FALSE:
    case CTN_JSON_TRUE: return ctn_str_is(name, "boolean");
    case CTN_JSON_NUMBER: return ctn_str_is(name, "number") || ctn_str_is(name, "integer");
    case CTN_JSON_STRING: return ctn_str_is(name, "string");
    case CTN_JSON_ARRAY: return ctn_str_is(name, "array");
    case CTN_JSON_OBJECT: return ctn_str_is(name, "object");
    }
    return true;
}

static bool type_allows(const ctn_json *type, const value_class *class)
{
    if (class->kind == CLASS_OTHER)
        return !type || kind_is_named(ctn_json_text(type), CTN_JSON_ARRAY) ||
               kind_is_named(ctn_json_text(type), CTN_JSON_OBJECT) || ctn_json_is(type, CTN_JSON_ARRAY);
    if (!type || (ctn_json_is(type, CTN_JSON_STRING) && kind_is_named(ctn_json_text(type), class->json_kind)))
        return true;
    for (size_t i = 0; ctn_json_is(type, CTN_JSON_ARRAY) && i < ctn_json_count(type); i++)
        if (kind_is_named(ctn_json_text(ctn_json_at(type, i)), class->json_kind))
            return true;
    return false;
}

static bool is_among(const value_class *class, const ctn_json *values)
{
    for (size_t i = 0; class->kind == CLASS_VALUE && i < ctn_json_count(values); i++)
        if (ctn_json_equal(class->value, ctn_json_at(values, i)))
            return true;
    return false;
}

/* minimum, maximum and the exclusive ones are literals of the term, so that a class lies on one side of them. */
static bool bounds_allow(const ctn_json *schema, const value_class *class)
{
    for (size_t i = 0; class->json_kind == CTN_JSON_NUMBER && i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        const ctn_json *bound = ctn_json_member_of(schema, BOUNDS[i].key);
        if (ctn_json_is(bound, CTN_JSON_NUMBER) && !class_compares(class, BOUNDS[i].op, bound))
            return false;
    }
    return true;
}

static bool schema_allows(const ctn_json *schema, const value_class *class)
{
    const ctn_json *values = ctn_json_member_of(schema, "enum"), *only = ctn_json_member_of(schema, "const");
    if (ctn_json_is(values, CTN_JSON_ARRAY) && !is_among(class, values))
        return false;
    if (only && !(class->kind == CLASS_VALUE && ctn_json_equal(class->value, only)))
        return false;
    return type_allows(ctn_json_member_of(schema, "type"), class) && bounds_allow(schema, class);
}

static void add_schema_literals(ctn_logic *logic, term *t, const ctn_json *schema)
{
    const ctn_json *values = ctn_json_member_of(schema, "enum"), *only = ctn_json_member_of(schema, "const");
    for (size_t i = 0; ctn_json_is(values, CTN_JSON_ARRAY) && i < ctn_json_count(values); i++)
        add_literal(logic, t, ctn_json_at(values, i));
    if (only)
        add_literal(logic, t, only);
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        const ctn_json *bound = ctn_json_member_of(schema, BOUNDS[i].key);
        if (ctn_json_is(bound, CTN_JSON_NUMBER))
            add_literal(logic, t, bound);
    }
}

static void apply_schema(term *t, const ctn_json *schema, bool may_be_null)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->domain_count; i++) {
        bool is_null = t->domain[i].kind == CLASS_VALUE && ctn_json_is(t->domain[i].value, CTN_JSON_NULL);
        if ((is_null && may_be_null) || schema_allows(schema, &t->domain[i]))
            t->domain[kept++] = t->domain[i];
    }
    if (kept) /* a schema that nothing fits is another rule's */
        t->domain_count = kept;
}

static void build_domain(ctn_logic *logic, term *t)
{
    static const ctn_json zero = {.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"},
                          empty = {.kind = CTN_JSON_STRING, .text = ""};
    static const ctn_json no_items = {.kind = CTN_JSON_ARRAY}, no_members = {.kind = CTN_JSON_OBJECT};
    const ctn_json *always[] = {&ctn_json_null, &ctn_json_false, &ctn_json_true, &zero, &empty, &no_items, &no_members};
    const ctn_json *schema = NULL;
    bool may_be_null = true;
    if (t->node->kind == NODE_PATH && logic->world.schema)
        schema = logic->world.schema(logic->world.ctx, t->step, &t->node->path, &may_be_null);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        add_literal(logic, t, always[i]);
    add_schema_literals(logic, t, schema);
    qsort(t->literals, t->literal_count, sizeof t->literals[0], compare_literals);
    t->domain = CTN_NEW_ARRAY(logic->arena, value_class, 2 * t->literal_count + 4);
    uint32_t kinds = kinds_of(t->node);
    for (size_t i = 0; i < t->literal_count; i++) {
        ctn_json_kind kind = ctn_json_kind_of(t->literals[i]);
        if (kind != CTN_JSON_NUMBER && kind != CTN_JSON_STRING && (kinds & bit(kind)))
            add_class(t, (value_class){.kind = CLASS_VALUE, .json_kind = kind, .value = t->literals[i]});
    }
    if (kinds & bit(CTN_JSON_STRING))
        add_ordered(logic, t, CTN_JSON_STRING);
    if (kinds & bit(CTN_JSON_NUMBER))
        add_ordered(logic, t, CTN_JSON_NUMBER);
    if (kinds == UINT32_MAX)
        add_class(t, (value_class){.kind = CLASS_OTHER, .json_kind = CTN_JSON_OBJECT});
    if (schema)
        apply_schema(t, schema, may_be_null);
}

/* ---- evaluation ---- */

static bool class_is_true(const value_class *class)
{
    return class->kind != CLASS_VALUE || ctn_json_is_true(class->value);
}

/* The order of the class's values to a literal; false: they have none. */
static bool class_order(const value_class *class, const ctn_json *literal, int *ret_order)
{
    if (class->kind == CLASS_VALUE)
        return expression_compare(class->value, literal, ret_order);
    if (class->kind == CLASS_OTHER || class->json_kind != ctn_json_kind_of(literal))
        return false;
    int to_above = -1;
    if (class->above)
        (void) expression_compare(literal, class->above, &to_above);
    *ret_order = class->above && to_above >= 0 ? -1 : 1;
    return true;
}

static bool class_compares(const value_class *class, operator_kind op, const ctn_json *literal)
{
    if (op == OP_EQUAL || op == OP_UNEQUAL)
        return (class->kind == CLASS_VALUE && ctn_json_equal(class->value, literal)) == (op == OP_EQUAL);
    int order;
    if (!class_order(class, literal, &order))
        return false;
    switch (op) {
    case OP_LESS: return order < 0;
    case OP_LESS_EQUAL: return order <= 0;
    case OP_GREATER: return order > 0;
    default: return order >= 0;
    }
}

static bool class_satisfies(const value_class *class, const formula *f)
{
    switch (f->kind) {
    case FORMULA_TRUTH: return class_is_true(class);
    case FORMULA_COMPARE: return class_compares(class, f->op, f->literal);
    default: return is_among(class, f->literal);
    }
}

static unsigned evaluate(ctn_logic *logic, const formula *f);

/* Parts after the first one that decides are not looked at. */
static unsigned evaluate_logic(ctn_logic *logic, const formula *f)
{
    unsigned deciding = f->kind == FORMULA_AND ? NO : YES, other = deciding ^ (NO | YES);
    unsigned mask = other;
    for (uint32_t i = 0; i < f->count && (mask & other); i++)
        mask = (mask & ~other) | evaluate(logic, f->parts[i]);
    return mask;
}

static unsigned evaluate(ctn_logic *logic, const formula *f)
{
    unsigned mask = 0;
    spend(logic, 1);
    switch (f->kind) {
    case FORMULA_CONSTANT: return f->mask;
    case FORMULA_NOT:
        mask = evaluate(logic, f->parts[0]);
        return (mask & FAULT) | (mask & NO ? YES : 0u) | (mask & YES ? NO : 0u);
    case FORMULA_AND:
    case FORMULA_OR: return evaluate_logic(logic, f);
    case FORMULA_CHOICE:
        mask = evaluate(logic, f->parts[0]);
        return (mask & FAULT) | (mask & YES ? evaluate(logic, f->parts[1]) : 0u) |
               (mask & NO ? evaluate(logic, f->parts[2]) : 0u);
    default: break;
    }
    const term *t = f->term;
    if (t->chosen)
        return f->holds[t->chosen - 1] ? YES : NO;
    return f->over_all;
}

/* Each class is compared with each literal once, and not in every step of the search. */
static void compare_classes(ctn_logic *logic)
{
    for (formula *f = logic->of_terms; f; f = f->next_of_terms) {
        const term *t = f->term;
        f->holds = CTN_NEW_ARRAY(logic->arena, bool, t->domain_count);
        for (uint32_t i = 0; i < t->domain_count; i++) {
            f->holds[i] = class_satisfies(&t->domain[i], f);
            f->over_all |= f->holds[i] ? YES : NO;
        }
        spend(logic, t->domain_count);
    }
}

/* ---- search ---- */

/* When {x} is null, a text or a number, {x.y} is null. */
static bool is_below(const ctn_path *whole, const ctn_path *part)
{
    if (!ctn_str_equal(whole->root, part->root) || whole->count >= part->count)
        return false;
    for (size_t i = 0; i < whole->count; i++)
        if (!whole->parts[i].name.ptr || !ctn_str_equal(whole->parts[i].name, part->parts[i].name))
            return false;
    return true;
}

static bool has_members(const value_class *class)
{
    return class->kind == CLASS_OTHER || (class->kind == CLASS_VALUE && ctn_json_count(class->value));
}

static bool is_null_class(const value_class *class)
{
    return class->kind == CLASS_VALUE && ctn_json_is(class->value, CTN_JSON_NULL);
}

static bool are_consistent(const ctn_logic *logic, const term *a, const term *b)
{
    if (a->node->kind != NODE_PATH || b->node->kind != NODE_PATH || !a->chosen || !b->chosen ||
        !is_below(&a->node->path, &b->node->path) ||
        (a->step != b->step &&
         (version_of(logic, a->step, a->node->path.root) == CTN_LOGIC_OWN_VERSION ||
          version_of(logic, a->step, a->node->path.root) != version_of(logic, b->step, b->node->path.root))))
        return true;
    return has_members(&a->domain[a->chosen - 1]) || is_null_class(&b->domain[b->chosen - 1]);
}

static bool search(ctn_logic *logic, uint32_t at)
{
    if (logic->is_too_much)
        return true;
    bool is_settled = true;
    for (uint32_t i = 0; i < logic->demand_count; i++) {
        const demand *d = &logic->demands[i];
        unsigned mask = d->formula ? evaluate(logic, d->formula) : YES;
        if (!(mask & d->outcomes))
            return false;
        is_settled = is_settled && !(mask & ~d->outcomes);
    }
    if (is_settled || at == logic->term_count)
        return true;
    term *t = logic->terms[at];
    bool is_possible = false;
    for (t->chosen = 1; t->chosen <= t->domain_count && !is_possible; t->chosen++) {
        bool is_consistent = true;
        for (uint32_t i = 0; i < at && is_consistent; i++)
            is_consistent = are_consistent(logic, logic->terms[i], t) && are_consistent(logic, t, logic->terms[i]);
        is_possible = is_consistent && search(logic, at + 1);
    }
    t->chosen = 0;
    return is_possible;
}

bool ctn_logic_is_possible(ctn_logic *logic)
{
    if (logic->is_over)
        return true;
    ctn_arena_mark mark = ctn_arena_save(logic->arena);
    logic->term_count = 0;
    logic->of_terms = NULL;
    logic->work = 0;
    logic->is_too_much = false;
    for (uint32_t i = 0; i < logic->demand_count; i++) {
        demand *d = &logic->demands[i];
        d->formula = d->condition ? formula_of(logic, d->condition->root, d->step) : NULL;
    }
    for (uint32_t i = 0; i < logic->term_count && !logic->is_too_much; i++)
        build_domain(logic, logic->terms[i]);
    if (!logic->is_too_much)
        compare_classes(logic);
    bool is_possible = logic->is_too_much || search(logic, 0);
    logic->work_in_all += logic->work;
    ctn_arena_restore(logic->arena, mark);
    return is_possible;
}
