/*
 * schema_flow.h -- do types fit along the data flow? The rules missing-argument, schema-mismatch, unknown-tool.
 *
 * Every value that a step sends is given a type (type.h): what a tool's outputSchema, a chain's inputSchema, an agent's
 * schema, a step's outputSchema or a literal says of it, followed through paths, filters, `foreach` and sub-chains. It
 * is held against what the receiver wants: a tool's inputSchema, a sub-chain's inputs, a filter, `items`. What is not
 * known fits everything, so a finding is always certain; only what rests on observed results is a warning.
 *
 * A set is looked at twice. By itself, with nothing known of the chain: what is wrong then is the set's own fault, told
 * at the set and once at each step that uses it. And in each step, with the step's types: what is wrong only then is
 * told at the step, at the template in the chain's file or, when the text stands in the set, where the step names the
 * set.
 *
 * Ownership  Lives in the arena; borrows library and options. Graphs that are checked must live as long.
 */
#pragma once
#include "chain/graph.h"
#include "check/options.h"

typedef struct ctn_schema_flow ctn_schema_flow;

ctn_schema_flow *ctn_schema_flow_new(ctn_arena *arena, const ctn_library *library, const ctn_check_options *options);
/* Of the set by itself. CTN_E_INVALID when there was an error. */
int ctn_schema_flow_set(ctn_schema_flow *flow, const ctn_instruction_set *set, ctn_findings *findings);
/* Of a chain whose graph is in order. CTN_E_INVALID when there was an error. */
int ctn_schema_flow_chain(ctn_schema_flow *flow, ctn_graph *graph, ctn_findings *findings);
/* What an execution of the chain gives in the end: an object of its outputs. NULL: nothing is known. */
const struct ctn_type *ctn_schema_flow_outputs(ctn_schema_flow *flow, const ctn_chain *chain);
