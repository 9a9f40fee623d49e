/*
 * picture.h -- what is to be seen of a chain: its steps with what matters about each, in words, and the lines between
 * them. Every format (SVG, Mermaid, dot) draws this and nothing else, so that they cannot tell different stories.
 *
 * Lines are the order of section 3 without what others imply; what a line carries is what its upper step writes and
 * its lower step reads. Two more nodes stand at the ends: the inputs and the outputs.
 *
 * Texts come from the chain's file and are as they stand there: each format escapes them.
 *
 * Ownership  Lives in the arena and borrows the graph, which must live as long.
 */
#pragma once
#include "base/buf.h"
#include "chain/graph.h"
#include "check/check.h"
#include "core/execution.h"
#include "core/status.h"

typedef struct ctn_picture_step {
    ctn_str name, set;
    ctn_work_kind kind;
    ctn_str about; /* what the set does: "travel/search_hotels", "2 calls in turn"; empty: nothing to add */
    ctn_effect effect;
    bool is_assumed;       /* the effect: write only because nobody said otherwise */
    ctn_str condition;     /* empty: none */
    ctn_str foreach;       /* "each hotel of {hotel_options}"; empty: once */
    ctn_str *badges;       /* "retry 2x", "undo: cancel-booking" */
    ctn_str *badge_titles; /* what a badge means in a sentence */
    uint32_t badge_count;
    ctn_str writes;         /* "a, b" */
    ctn_str reads;          /* "a (input), b (of step x)" */
    ctn_str state;          /* of an execution: "completed", "failed: timeout"; empty: a plan */
    ctn_step_status status; /* with state */
} ctn_picture_step;

typedef struct ctn_picture_edge {
    uint32_t from, to; /* steps, or inputs_node, or outputs_node */
    ctn_str carries;   /* "a, b"; empty: order alone */
} ctn_picture_edge;

typedef struct ctn_picture {
    ctn_str description;       /* of the chain's file; empty: none */
    ctn_str id, name, summary; /* summary: a sentence about the whole */
    ctn_picture_step *steps;
    uint32_t step_count;
    uint32_t inputs_node, outputs_node; /* step_count, step_count + 1 */
    ctn_str *inputs, *outputs;          /* an input that may be left out ends with "?" */
    uint32_t input_count, output_count;
    ctn_picture_edge *edges; /* by their lower end, then by their upper end */
    uint32_t edge_count;
} ctn_picture;

/* The graph was built without errors. options may be NULL. */
ctn_picture *ctn_picture_of(ctn_graph *graph, const ctn_check_options *options, ctn_arena *arena);

/* How far each step of this execution of it is. */
void ctn_picture_add_states(ctn_picture *picture, const ctn_execution *x, ctn_arena *arena);

/* ---- formats: text appended to `out`, whose limit is the picture's ---- */

/* A file by itself: no script, no font, nothing loaded; light and dark by prefers-color-scheme. */
void ctn_picture_svg(const ctn_picture *picture, ctn_arena *scratch, ctn_buf *out);
/* flowchart TD. */
void ctn_picture_mermaid(const ctn_picture *picture, ctn_buf *out);
/* digraph, for Graphviz. */
void ctn_picture_dot(const ctn_picture *picture, ctn_buf *out);
