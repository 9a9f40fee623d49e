/*
 * schema_flow_internal.h -- what the parts of the flow of types share: schema_flow.c walks steps and chains,
 * schema_flow_set.c walks a set's work, schema_flow_value.c gives templates and trees their types.
 */
#pragma once
#include "check/lint.h"
#include "check/schema_flow.h"
#include "check/type.h"
#include "value/template_parts.h"

/* What a chain takes and gives, when another chain calls it. */
typedef struct flow_signature {
    const ctn_chain *chain;
    bool is_done;  /* false: being computed, or too deep: nothing is known */
    bool is_known; /* the chain is in order */
    const ctn_type *input, *output;
    const ctn_json *input_schema; /* what must be given; NULL: not said */
    const ctn_str *required;      /* inputs that must be given */
    uint32_t required_count;
} flow_signature;

typedef struct flow_memo { /* by address: schema -> type, chain -> signature, set -> its own faults */
    const void *key;
    const void *value;
} flow_memo;
typedef struct flow_memos {
    flow_memo *items;
    size_t count, capacity; /* open addressing */
} flow_memos;

typedef struct flow_set_faults {
    size_t count;
    ctn_finding first;
} flow_set_faults;

struct ctn_schema_flow {
    ctn_arena *arena;
    const ctn_library *library;
    const ctn_check_options *options;
    flow_memos types, signatures, sets, templates;
    int depth; /* of chains in chains */
};

const ctn_type *flow_type_of_schema(ctn_schema_flow *flow, const ctn_json *schema);
/* The text of a tree's node, compiled once; NULL: it is no template. */
const ctn_template *flow_template_of(ctn_schema_flow *flow, const ctn_json *text);
const flow_signature *flow_signature_of(ctn_schema_flow *flow, const ctn_chain *chain);

/* The types of a chain's variables, as far as its steps have been walked. */
typedef struct flow_chain {
    ctn_schema_flow *flow;
    ctn_graph *graph;
    const ctn_type ***outputs; /* by step, in the order of its writes; NULL: not walked yet */
    const ctn_type *input;     /* of all inputs together; any without an inputSchema */
    ctn_findings *findings;    /* NULL: nobody wants to hear */
    size_t error_count;
} flow_chain;

/* Where a template is rendered: what its names mean, and where a fault of it is told. */
typedef struct flow_scope {
    ctn_schema_flow *flow;
    flow_chain *chain;              /* NULL: a set by itself, nothing is known of variables */
    uint32_t step;                  /* the reader; CTN_GRAPH_NONE: after all steps */
    bool is_undo;                   /* whatever any step gave may be there */
    ctn_str as;                     /* the item's name in a foreach; empty: it has only `item` */
    const ctn_type *item;           /* its type; NULL: no foreach */
    const ctn_type *const *own;     /* an item's own outputs, where it is undone, as the step writes; NULL: elsewhere */
    const ctn_type *input, *result; /* NULL: not known; never: not there */
    const ctn_json *input_node;     /* the template that made `input`; NULL: none */
    const ctn_instruction_set *set; /* whose text is walked; NULL: the chain's own */
    const ctn_json *anchor;         /* where the chain names the set */
    const ctn_str *call_names;      /* results of earlier calls */
    const ctn_type *const *call_types;
    uint32_t call_count;
    ctn_findings *findings; /* NULL: nobody wants to hear */
    size_t error_count;
} flow_scope;

/* A fault at a node of the chain's file, or of the set's (scope->set). observed: a warning. */
void flow_report(flow_scope *scope, const ctn_json *node, const char *rule, bool is_observed, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- schema_flow_value.c ---- */

/* What a template gives; never when it is {x?} alone and x is never there. *ret_may_lack (may be NULL): {x?} alone. */
const ctn_type *flow_type_of_template(flow_scope *scope, const ctn_template *t, const ctn_json *node,
                                      bool *ret_may_lack);
/* What a tree of templates gives where `wanted` is wanted. `what` names it in sentences: "argument 'adults' of 's/t'";
 * faults are told at the deepest node that has one. */
const ctn_type *flow_type_of_tree(flow_scope *scope, const ctn_json *node, const ctn_type *wanted, ctn_str what);
/* What a tree without placeholders gives; NULL: it has some. */
const ctn_json *flow_literal_of(ctn_schema_flow *flow, const ctn_json *node);
const ctn_type *flow_type_of_expression(flow_scope *scope, const ctn_expression *expression);
/* Of a variable, wherever it may come from. */
const ctn_type *flow_type_of_variable(const flow_scope *scope, uint32_t variable);

/* ---- schema_flow_set.c ---- */

/* Checks what the set sends and gives the type of its result. */
const ctn_type *flow_type_of_set(flow_scope *scope, const ctn_instruction_set *set, bool is_parallel);
