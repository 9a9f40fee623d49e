/*
 * lint.h -- the warnings of check about one chain. Internal to core.
 */
#pragma once
#include "chain/graph.h"
#include "check/check.h"

typedef struct ctn_lint {
    ctn_graph *graph;
    const ctn_check_options *options;
    ctn_findings *findings;
} ctn_lint;

/* A warning at a node of the chain's file, unless the file or the step silences the rule. step may be NULL. */
void ctn_lint_warn(const ctn_lint *lint, const ctn_chain_step *step, const ctn_json *node, const char *rule,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* lint.c: effects, undo, retries, time limits, unused outputs. Rules about paths: lint_paths.h. */
void ctn_lint_steps(const ctn_lint *lint);
/* lint_sensitive.c: sensitive-flow of a set by itself, for steps that do not release its secrets. */
void ctn_lint_set_secrets(const ctn_library *library, const ctn_instruction_set *set, const ctn_check_options *options,
                          ctn_findings *findings);
