/*
 * guess_state.h -- what the files of a guess share:
 *   guess_shapes.c  the shapes of a chain's values, by what the chain does with them
 *   guess.c         values of such shapes
 * Nobody else includes this.
 */
#pragma once
#include "simulate/guess.h"
#include "simulate/shape.h"

#define RECORDED_MAX 64

typedef struct answers {
    ctn_shape *shape;
    const ctn_json *values[RECORDED_MAX];
    size_t count;
    bool is_guessed;
} answers;

/* Of a set that works for a step. */
typedef struct work_guess {
    const ctn_plan_set *set; /* NULL: no undo, a fallback that is a value */
    answers *calls;
    answers reply; /* of whoever is waited for */
} work_guess;

enum { WORK_DO, WORK_UNDO, WORK_FALLBACK }; /* the first fallback, and so on */

typedef struct step_guess {
    work_guess *works;
    uint32_t work_count;
    ctn_shape *item; /* of a foreach */
    const ctn_json *output_schema;
} step_guess;

struct ctn_guess {
    ctn_guess_options o;
    ctn_arena *arena;
    const ctn_plan *plan;
    ctn_shape **variables; /* by slot */
    step_guess *steps;
    const ctn_json *inputs[CTN_GUESS_VARIANTS];
    size_t input_count;
    ctn_str unmade;
    ctn_guess **children; /* of the one that was asked for */
    size_t child_count;
};

/* Everything but the values. */
ctn_guess *guess_shapes(ctn_arena *arena, const ctn_guess_options *options, const ctn_plan *plan);
/* What is read of a sub-chain's outputs is said of its steps, what it reads of its inputs of our variables. */
void guess_link_children(const ctn_guess *root, ctn_guess *g);
/* The guess of that chain, the root or one of its children; NULL: there is none. */
ctn_guess *guess_child(const ctn_guess *root, ctn_str chain_id);
/* The tool's own; NULL: not known. */
const ctn_json *guess_schema_of(const ctn_guess *g, const ctn_plan_call *call);
