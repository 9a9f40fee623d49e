/*
 * logic.c -- demands, and a bounded search for values of the terms that meet them all.
 */
#include "check/logic_node.h"

/* Work, in nodes of formulas that are looked at: of one question, and of all together; after that each question may
 * cost little. A chain that needs so much was made to. */
#define WORK_MAX        1000000
#define WORK_IN_ALL_MAX 100000000
#define WORK_LATE_MAX   50000

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

unsigned logic_outcomes_of(const expression_node *node)
{
    switch (node->kind) {
    case NODE_VERDICT:
        return node->verdict == CTN_VERDICT_SKIP ? NO : node->verdict == CTN_VERDICT_CONTINUE ? YES : FAULT;
    case NODE_LITERAL: return ctn_json_is_true(node->literal) ? YES : NO;
    case NODE_CONDITIONAL: return logic_outcomes_of(node->children[1]) | logic_outcomes_of(node->children[2]);
    default: return NO | YES;
    }
}

unsigned ctn_logic_outcomes(const ctn_expression *condition)
{
    return condition ? logic_outcomes_of(condition->root) : YES;
}

/* ---- evaluation ---- */

void logic_spend(ctn_logic *logic, uint64_t work)
{
    logic->work += work;
    logic->is_too_much |= logic->work > (logic->work_in_all > WORK_IN_ALL_MAX ? WORK_LATE_MAX : WORK_MAX);
}

static bool class_satisfies(const value_class *class, const formula *f)
{
    switch (f->kind) {
    case FORMULA_TRUTH: return logic_class_is_true(class);
    case FORMULA_COMPARE: return logic_class_compares(class, f->op, f->literal);
    default: return logic_is_among(class, f->literal);
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
    logic_spend(logic, 1);
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
    if (t->of && t->of->chosen && logic_has_no_length(&t->of->domain[t->of->chosen - 1]))
        return FAULT;
    if (t->chosen)
        return f->holds[t->chosen - 1] ? YES : NO;
    return f->over_all | (t->of ? FAULT : 0u);
}

/* Which terms are lengths of other terms. */
static void find_lengths(ctn_logic *logic)
{
    for (uint32_t i = 0; i < logic->term_count; i++) {
        term *t = logic->terms[i];
        for (uint32_t k = 0; k < logic->term_count && logic_is_call_of(t, "length") && !t->of; k++)
            if (logic_same_tree(logic, logic->terms[k]->node, logic->terms[k]->step, t->node->children[0], t->step))
                t->of = logic->terms[k];
    }
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
        logic_spend(logic, t->domain_count);
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

/* length({x}) is 0 when {x} is null or empty, and more when it is a text, a list or an object with something in it. */
static bool fits_length(const value_class *of, const value_class *length)
{
    static const ctn_json zero = {.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"};
    return logic_has_no_length(of) ||
           logic_class_compares(length, logic_class_is_true(of) ? OP_GREATER : OP_EQUAL, &zero);
}

static bool are_consistent(const ctn_logic *logic, const term *a, const term *b)
{
    if (a->chosen && b->chosen && b->of == a)
        return fits_length(&a->domain[a->chosen - 1], &b->domain[b->chosen - 1]);
    if (a->node->kind != NODE_PATH || b->node->kind != NODE_PATH || !a->chosen || !b->chosen ||
        !is_below(&a->node->path, &b->node->path) ||
        (a->step != b->step && (logic_version_of(logic, a->step, a->node->path.root) == CTN_LOGIC_OWN_VERSION ||
                                logic_version_of(logic, a->step, a->node->path.root) !=
                                    logic_version_of(logic, b->step, b->node->path.root))))
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
        d->formula = d->condition ? logic_formula_of(logic, d->condition->root, d->step) : NULL;
    }
    for (uint32_t i = 0; i < logic->term_count && !logic->is_too_much; i++)
        logic_build_domain(logic, logic->terms[i]);
    if (!logic->is_too_much) {
        find_lengths(logic);
        compare_classes(logic);
    }
    bool is_possible = logic->is_too_much || search(logic, 0);
    logic->work_in_all += logic->work;
    ctn_arena_restore(logic->arena, mark);
    return is_possible;
}
