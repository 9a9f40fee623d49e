/*
 * lint.h -- what all warnings of check share, and what stands in each lint_*.c. Rules that ask about the paths through
 * a chain are in lint_paths.h.
 */
#pragma once
#include "chain/graph.h"
#include "check/options.h"

/* The chain that is looked at. */
typedef struct ctn_lint {
    ctn_graph *graph;
    const ctn_check_options *options;
    ctn_findings *findings;
} ctn_lint;

/* The step's lint.allow or a comment on the line before it silences the rule. */
bool ctn_lint_step_allows(const ctn_chain *chain, const ctn_chain_step *step, const char *rule);
/* A warning at a node of the chain's file, unless the file or the step silences the rule. step may be NULL. */
void ctn_lint_warn(const ctn_lint *lint, const ctn_chain_step *step, const ctn_json *node, const char *rule,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* assumed-effect, idle-undo, missing-undo, unsafe-retry, timeout-fit, unused-output. */
void ctn_lint_steps(const ctn_lint *lint);
/* Of a set by itself: assumed-effect, and sensitive-flow for steps that do not release its secrets. */
void ctn_lint_set(const ctn_library *library, const ctn_instruction_set *set, const ctn_check_options *options,
                  ctn_findings *findings);
/* Of a chain that is offered to MCP clients (lint_mcp.c): unsafe-resource, and duplicate-key for a name or URI that an
 * earlier chain of the library has. */
void ctn_lint_mcp(const ctn_lint *lint);
