/*
 * logic_domain.c -- the classes of values that a term can have: by what it is compared with, by its function, by its
 * schema.
 */
#include "check/logic_node.h"
#include "value/letter_case.h"
#include <stdlib.h>

/* ---- domains ---- */

/* The kinds that the term's value may have. */
static unsigned kinds_of(const expression_node *node)
{
    switch (node->kind) {
    case NODE_NOT:
    case NODE_AND:
    case NODE_OR:
    case NODE_COMPARE:
    case NODE_IN:
    case NODE_MATCHES: return CTN_TYPE_BOOLEAN;
    case NODE_NEGATE: return CTN_TYPE_NUMBER;
    case NODE_ARITHMETIC: return CTN_TYPE_NUMBER | CTN_TYPE_STRING;
    case NODE_CALL: return node->function->gives;
    default: return CTN_TYPE_ALL;
    }
}

/* The kinds that a literal of this one is of; a number may be whole or not. */
static unsigned kinds_of_literal(ctn_json_kind kind)
{
    switch (kind) {
    case CTN_JSON_NULL: return CTN_TYPE_NULL;
    case CTN_JSON_FALSE:
    case CTN_JSON_TRUE: return CTN_TYPE_BOOLEAN;
    case CTN_JSON_NUMBER: return CTN_TYPE_NUMBER;
    case CTN_JSON_STRING: return CTN_TYPE_STRING;
    case CTN_JSON_ARRAY: return CTN_TYPE_LIST;
    case CTN_JSON_OBJECT: return CTN_TYPE_OBJECT;
    }
    return CTN_TYPE_ALL;
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

/* Can the term's function give this? length is a whole number from 0 on; lower gives no capitals. */
static bool can_give(const ctn_logic *logic, const term *t, const ctn_json *literal)
{
    ctn_str text = ctn_json_text(literal);
    int64_t number;
    if (ctn_json_is(literal, CTN_JSON_NUMBER))
        return (!t->is_whole || ctn_json_to_int64(literal, &number)) &&
               (!logic_is_call_of(t, "length") || text.ptr[0] != '-');
    return !((logic_is_call_of(t, "lower") && !ctn_str_equal(ctn_case_lower(logic->arena, text), text)) ||
             (logic_is_call_of(t, "upper") && !ctn_str_equal(ctn_case_upper(logic->arena, text), text)) ||
             (logic_is_call_of(t, "trim") && ctn_str_trim(text).len != text.len));
}

/* Nothing lies between two literals, the lower one NULL below the first. */
static bool is_closed_gap(const term *t, const ctn_json *below, const ctn_json *above)
{
    if (!below)
        return ctn_json_is(above, CTN_JSON_STRING) || logic_is_call_of(t, "length"); /* "" is the first text */
    return (t->is_whole && next_to_each_other(below, above)) ||
           (logic_is_call_of(t, "length") && ctn_json_text(below).ptr[0] == '-' && !ctn_json_is_true(above));
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

/* ---- classes ---- */

bool logic_class_is_true(const value_class *class)
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

bool logic_class_compares(const value_class *class, operator_kind op, const ctn_json *literal)
{
    if (op == OP_EQUAL || op == OP_UNEQUAL)
        return (class->kind == CLASS_VALUE && ctn_json_equal(class->value, literal)) == (op == OP_EQUAL);
    int order;
    return class_order(class, literal, &order) && expression_order_is(op, order);
}

bool logic_has_no_length(const value_class *class)
{
    return class->kind != CLASS_OTHER && (class->json_kind == CTN_JSON_NUMBER || class->json_kind == CTN_JSON_TRUE ||
                                          class->json_kind == CTN_JSON_FALSE);
}

/* ---- what a schema leaves of a domain ---- */

static const struct {
    const char *key;
    operator_kind op; /* of a value to the bound */
} BOUNDS[] = {{"minimum", OP_GREATER_EQUAL},
              {"maximum", OP_LESS_EQUAL},
              {"exclusiveMinimum", OP_GREATER},
              {"exclusiveMaximum", OP_LESS}};

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

bool logic_is_among(const value_class *class, const ctn_json *values)
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
        if (ctn_json_is(bound, CTN_JSON_NUMBER) && !logic_class_compares(class, BOUNDS[i].op, bound))
            return false;
    }
    return true;
}

static bool schema_allows(const ctn_json *schema, const value_class *class)
{
    const ctn_json *values = ctn_json_member_of(schema, "enum"), *only = ctn_json_member_of(schema, "const");
    if (ctn_json_is(values, CTN_JSON_ARRAY) && !logic_is_among(class, values))
        return false;
    if (only && !(class->kind == CLASS_VALUE && ctn_json_equal(class->value, only)))
        return false;
    return type_allows(ctn_json_member_of(schema, "type"), class) && bounds_allow(schema, class);
}

static void add_schema_literals(ctn_logic *logic, term *t, const ctn_json *schema)
{
    const ctn_json *values = ctn_json_member_of(schema, "enum"), *only = ctn_json_member_of(schema, "const");
    for (size_t i = 0; ctn_json_is(values, CTN_JSON_ARRAY) && i < ctn_json_count(values); i++)
        logic_add_literal(logic, t, ctn_json_at(values, i));
    if (only)
        logic_add_literal(logic, t, only);
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        const ctn_json *bound = ctn_json_member_of(schema, BOUNDS[i].key);
        if (ctn_json_is(bound, CTN_JSON_NUMBER))
            logic_add_literal(logic, t, bound);
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

void logic_build_domain(ctn_logic *logic, term *t)
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
        logic_add_literal(logic, t, always[i]);
    add_schema_literals(logic, t, schema);
    qsort(t->literals, t->literal_count, sizeof t->literals[0], compare_literals);
    t->domain = CTN_NEW_ARRAY(logic->arena, value_class, 2 * t->literal_count + 4);
    unsigned kinds = kinds_of(t->node);
    t->is_whole = (kinds & CTN_TYPE_NUMBER) == CTN_TYPE_INTEGER ||
                  ctn_str_is(ctn_json_text(ctn_json_member_of(schema, "type")), "integer");
    for (size_t i = 0; i < t->literal_count; i++) {
        ctn_json_kind kind = ctn_json_kind_of(t->literals[i]);
        if (kind != CTN_JSON_NUMBER && kind != CTN_JSON_STRING && (kinds & kinds_of_literal(kind)))
            add_class(t, (value_class){.kind = CLASS_VALUE, .json_kind = kind, .value = t->literals[i]});
    }
    if (kinds & CTN_TYPE_STRING)
        add_ordered(logic, t, CTN_JSON_STRING);
    if (kinds & CTN_TYPE_NUMBER)
        add_ordered(logic, t, CTN_JSON_NUMBER);
    if (kinds == CTN_TYPE_ALL)
        add_class(t, (value_class){.kind = CLASS_OTHER, .json_kind = CTN_JSON_OBJECT});
    if (schema)
        apply_schema(t, schema, may_be_null);
}
