/*
 * flow.h -- errors of what flows between steps: undefined-variable, write-race. Asked of a graph in order.
 */
#pragma once
#include "chain/graph.h"

/* CTN_E_INVALID when there was one. */
int ctn_flow_check(ctn_graph *graph, ctn_findings *findings);
/* The part of it that asks what `mcp` names (flow_mcp.c). */
void ctn_flow_check_mcp(ctn_graph *graph, ctn_findings *findings);
/* Where a read stands, for sentences: "" or " (read by instruction set 'x', sets.yaml:3:4)". */
ctn_str ctn_flow_read_origin(ctn_graph *graph, const ctn_graph_read *read);
