/*
 * graph.h -- what a chain means: its names resolved, what each step reads and writes, and the order.
 *
 * Between the file (chain.h) and what runs (plan.h): check looks at the graph, the plan is made of it. Variables are
 * numbered: first the properties of the inputSchema, then in the order in which the file mentions them.
 *
 * What must hold: `predecessors` of a step are those of section 3 without the ones that others imply (a
 * barrier implies all that came before it), so their number stays near the number of steps, and "b waits for a"
 * is exactly "a is an ancestor of b".
 *
 * Ownership  Lives in the arena; borrows library and chain.
 */
#pragma once
#include "base/names.h"
#include "chain/library.h"

#define CTN_GRAPH_NONE UINT32_MAX

typedef enum ctn_read_place {
    CTN_READ_TEMPLATE, /* inputTemplate, cache key, items, fallbacks: rendered when the step is ready */
    CTN_READ_CONDITION,
    CTN_READ_SET,      /* in the instruction set that the step uses */
    CTN_READ_DOCUMENT, /* in its document; missing is empty */
} ctn_read_place;

typedef struct ctn_graph_read {
    uint32_t variable;
    ctn_read_place place;
    bool is_optional;
    bool is_inner; /* in a document's section, where the name may be the section's own */
    ctn_str path;
    const ctn_json *node;           /* in the chain's file: the value that the read is about */
    const ctn_instruction_set *set; /* of CTN_READ_SET: whose text ... */
    const ctn_json *set_node;       /* ... reads it */
} ctn_graph_read;

typedef struct ctn_graph_reads {
    ctn_graph_read *items;
    uint32_t count;
    size_t capacity;
} ctn_graph_reads;

/* A reserved name that has no value where it is read: {item} outside of a foreach. */
typedef struct ctn_graph_stray {
    ctn_graph_read read;
    ctn_str root;
    struct ctn_graph_stray *next;
} ctn_graph_stray;

typedef struct ctn_graph_step {
    const ctn_chain_step *step;
    const ctn_instruction_set *set, *undo; /* NULL: none, or unknown */
    const ctn_instruction_set **fallbacks; /* one a fallback; NULL: it gives a value, or is unknown */
    const ctn_document *document;
    ctn_partial *partials; /* of the document */
    const ctn_mustache *mustache;
    uint32_t document_variable; /* what the front matter says; NONE: the first output that the result lacks */
    bool reads_input;           /* the set reads {input} */
    bool needs_input;           /* and cannot do without */
    uint32_t *writes;           /* output variables, then the document's if it is no output variable */
    uint32_t write_count;
    ctn_graph_reads reads, undo_reads;
    uint32_t *predecessors;
    uint32_t predecessor_count;
    bool is_barrier;
} ctn_graph_step;

typedef struct ctn_graph_input {
    uint32_t variable;
    bool is_required;
} ctn_graph_input;

typedef struct ctn_graph_steps {
    uint32_t *items, count;
} ctn_graph_steps;

typedef struct ctn_graph {
    ctn_arena *arena;
    const ctn_library *library;
    const ctn_chain *chain;
    ctn_names variables, step_names;
    ctn_graph_step *steps;
    uint32_t step_count;
    ctn_graph_reads chain_reads; /* concurrencyKey and outputs; place TEMPLATE and CONDITION */
    ctn_graph_stray *strays;     /* latest first; NULL: none */
    uint32_t declared_count;     /* variables 0..declared_count-1 are the inputSchema's properties */
    ctn_graph_steps *writers;    /* by variable: the steps that write it, as they stand in the file */
    bool *is_input;              /* by variable */
    ctn_graph_input *inputs;
    uint32_t input_count;
    uint32_t *order;     /* steps, predecessors first; NULL when there is a cycle */
    uint64_t *ancestors; /* bit rows, see ctn_graph_precedes; NULL until asked for */
} ctn_graph;

/* CTN_E_INVALID when a name leads nowhere or there is a cycle (unknown-set, unknown-step, unknown-template, cycle); the
 * graph is there as far as it goes, and flow may be asked only after CTN_OK. The chain must have no faults. */
int ctn_graph_build(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                    ctn_graph **ret_graph);
/* Is `first` an ancestor of `second`? The first question computes all answers: steps * steps / 8 bytes. */
bool ctn_graph_precedes(ctn_graph *graph, uint32_t first, uint32_t second);
bool ctn_graph_writes(const ctn_graph *graph, uint32_t step, uint32_t variable);

/* order.c: fills predecessors and order. */
int ctn_graph_order(ctn_graph *graph, ctn_findings *findings);
