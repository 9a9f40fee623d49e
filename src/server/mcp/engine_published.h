/*
 * engine_published.h -- what the engine's backend offers besides tools: chains as prompts and as resources, how to use
 * each chain, what is kept of chains and executions to read, and names to complete.
 *
 *     engine_published.c  a chain that prompts/get or resources/read runs
 *     engine_prompts.c    prompts: published ones, and for each chain that is a tool how to use it
 *     engine_resources.c  resources: catena://chains/ID, catena://executions/ID, published ones; who watches them
 *     engine_complete.c   completion of arguments and of ids
 *     engine_content.c    outputs as content (engine_content.h)
 */
#pragma once
#include "server/mcp/engine_internal.h"

#define CTN_URI_CHAINS     "catena://chains/"
#define CTN_URI_EXECUTIONS "catena://executions/"

/* ---- of a catalogue, when it is made: what it offers ---- */

/* Is the plan that of a prompt, or of a resource that only reads? */
bool ctn_published_may_be(const ctn_config *config, const ctn_plan *plan, ctn_arena *arena);
const ctn_json *ctn_prompts_of(const ctn_catalogue *c, ctn_arena *arena);
const ctn_json *ctn_resources_of(const ctn_catalogue *c, ctn_arena *arena);
const ctn_json *ctn_resource_templates_of(const ctn_catalogue *c, ctn_arena *arena);
/* Those who listen are told what differs. */
void ctn_published_changed(ctn_engine_backend *b, const ctn_catalogue *before, const ctn_catalogue *now);

/* ---- ctn_mcp_backend's functions ---- */

void ctn_published_prompt(void *ctx, ctn_mcp_exchange *x);
void ctn_published_read(void *ctx, ctn_mcp_exchange *x);
void ctn_published_complete(void *ctx, ctn_mcp_exchange *x);
bool ctn_published_may_watch(void *ctx, const ctn_mcp_exchange *x, ctn_str uri);
void ctn_published_event(ctn_engine_backend *b, const ctn_engine_event *event);

/* ---- between them ---- */

/* The chain that is offered as such under this name; NULL: none. */
const ctn_offered_chain *ctn_published_chain(const ctn_catalogue *c, ctn_mcp_as as, ctn_str name);
/* The published resource that this URI is of, with its names' values; NULL: none. */
const ctn_offered_chain *ctn_published_by_uri(const ctn_catalogue *c, ctn_arena *arena, ctn_str uri,
                                              const ctn_json **ret_values);
/* The schema of an input of the chain; NULL: it says nothing of it. */
const ctn_json *ctn_published_input_schema(const ctn_offered_chain *chain, ctn_str input);
/* Answers by running it. texts: inputs as they came: a text is read as what the schema wants. answer: tells the caller
 * what became of the execution. */
typedef void ctn_published_answer_fn(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row);
void ctn_published_run(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_offered_chain *chain,
                       const ctn_json *texts, ctn_published_answer_fn *answer);
/* For an answer: the output that is content, or all outputs. NULL: it has not completed, and the caller has been told.
 */
const ctn_json *ctn_published_output(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row);
