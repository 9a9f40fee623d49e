/*
 * lint_paths.h -- what is known along the paths through a chain: who wrote a variable last, which conditions let
 * anybody get so far. Built once for a chain's lint.
 */
#pragma once
#include "check/lint.h"
#include "check/logic.h"

#define CTN_LINT_GATES_MAX 24

typedef struct ctn_lint_paths {
    const ctn_lint *lint;
    ctn_graph *graph;
    ctn_logic *logic;
    uint32_t *position;       /* by step: its place in graph->order */
    ctn_graph_steps *writers; /* by variable: the steps that write it, in order */
    ctn_graph_steps *gates;   /* by variable: steps whose condition reads it and can fail the chain, in order */
    bool *input_exists;       /* by variable: an input that is there in every execution */
    uint32_t *asked;          /* by step: number of the last question that took its gate */
    uint32_t question;
    uint32_t taken[CTN_LINT_GATES_MAX]; /* the gates that it took */
    uint32_t taken_count;
} ctn_lint_paths;

ctn_lint_paths *ctn_lint_paths_new(const ctn_lint *lint);

/* The conditions that every path to `step` has passed, as far as they have to do with `variable` (NONE: with none) and
 * with what the conditions of `step` and of the `others` read. Demanded of the logic, which keeps what it had. */
void ctn_lint_demand_gates(ctn_lint_paths *paths, uint32_t step, uint32_t variable, const uint32_t *others,
                           uint32_t other_count);
/* With what is demanded now: can each variable that the conditions of `step` and of the gates taken last look at be as
 * its producers left it? It is null unless one of them ran. "No" is a proof. */
bool ctn_lint_producers_agree(ctn_lint_paths *paths, uint32_t step);
/* The same of one variable that the condition of the step reads. */
bool ctn_lint_producer_agrees(ctn_lint_paths *paths, uint32_t step, uint32_t variable);
/* The condition of the step has one of the outcomes. */
void ctn_lint_demand(ctn_lint_paths *paths, uint32_t step, unsigned outcomes);
/* The value that the condition of `step` sees: 0 is the input's, else the last writer's number + 1. */
uint32_t ctn_lint_version(const ctn_lint_paths *paths, uint32_t step, uint32_t variable);
/* The last of the first `count` writers of the variable that comes before the step: its place + 1, or 0. */
uint32_t ctn_lint_writers_before(const ctn_lint_paths *paths, uint32_t step, uint32_t variable, uint32_t count);
/* A failure of this step is passed over. */
bool ctn_lint_continues(const ctn_lint_paths *paths, uint32_t step);

void ctn_lint_missing(ctn_lint_paths *paths);   /* lint_missing.c: self-condition, maybe-undefined, unrenderable-undo */
void ctn_lint_reach(ctn_lint_paths *paths);     /* lint_reach.c: never-runs, unreachable */
void ctn_lint_sensitive(ctn_lint_paths *paths); /* lint_sensitive.c: sensitive-flow */
