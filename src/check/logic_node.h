/*
 * logic_node.h -- how questions are kept between logic.c, logic_formula.c and logic_domain.c. Internal to logic.
 *
 * A domain holds what the demands can tell apart: null, true, false, [], {}, every literal that the term is compared
 * with, one value in each gap between such numbers and between such texts, and one thing that is none of these. So a
 * formula means the same for all values that a class stands for, and trying the classes is trying everything.
 *
 * Ownership  Terms and formulas are of one question and live in the arena until it is answered.
 */
#pragma once
#include "check/logic.h"
#include "value/expression_node.h"

enum { NO = CTN_OUTCOME_SKIP, YES = CTN_OUTCOME_RUN, FAULT = CTN_OUTCOME_FAIL };

#define DEMANDS_MAX  256
#define NULLS_MAX    128
#define TERMS_MAX    24
#define LITERALS_MAX 64

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
    bool is_whole;   /* its numbers have no fraction */
    struct term *of; /* it is length(of); NULL: it is not, or nobody asks for that */
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

/* ---- logic.c ---- */

/* Work that was done; too much of it makes the question too large. */
void logic_spend(ctn_logic *logic, uint64_t work);
unsigned logic_outcomes_of(const expression_node *node);

/* ---- logic_formula.c ---- */

const formula *logic_formula_of(ctn_logic *logic, const expression_node *node, uint32_t step);
uint32_t logic_version_of(const ctn_logic *logic, uint32_t step, ctn_str root);
bool logic_same_tree(const ctn_logic *logic, const expression_node *a, uint32_t step_a, const expression_node *b,
                     uint32_t step_b);
/* The term is compared with it: its domain will tell it apart. */
void logic_add_literal(ctn_logic *logic, term *t, const ctn_json *literal);
bool logic_is_call_of(const term *t, const char *name);

/* ---- logic_domain.c ---- */

void logic_build_domain(ctn_logic *logic, term *t);
bool logic_class_is_true(const value_class *class);
bool logic_class_compares(const value_class *class, operator_kind op, const ctn_json *literal);
bool logic_is_among(const value_class *class, const ctn_json *values);
/* A number, true or false: length of it is invalid_input. */
bool logic_has_no_length(const value_class *class);
