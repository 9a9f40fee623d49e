/*
 * chain.h -- a chain as it stands in its file: every key read and checked, every template and expression
 * compiled, every node with its place. What it means (order, reads, inputs) is graph.h's; what runs is plan.h's.
 *
 * Ownership  Lives in the arena it was read into and borrows the source's tree, so the source must live as
 *            long.
 * Faults     Become findings (with line and column) and are counted; a chain with faults is there all the same, for
 *            those who look up its name.
 */
#pragma once
#include "chain/keys.h"

typedef struct ctn_chain_output {
    ctn_str name;
    const ctn_json *node; /* the name: a list's item or a map's key */
    const ctn_path *path; /* in the result; NULL: the member of that name */
} ctn_chain_output;

typedef struct ctn_chain_fallback {
    const ctn_json *node;
    const ctn_json *instruction_set; /* NULL: a value */
    ctn_chain_template input;
    ctn_chain_tree value;
} ctn_chain_fallback;

typedef struct ctn_chain_retry {
    const ctn_json *node; /* NULL: none */
    int64_t max_retries, backoff_ms, max_backoff_ms;
    double multiplier, jitter;
    const ctn_json *retry_on; /* NULL: none */
    uint32_t retry_on_codes;  /* bits (1 << ctn_failure) */
} ctn_chain_retry;

typedef struct ctn_chain_cache {
    const ctn_json *node; /* NULL: none */
    int64_t ttl_ms;
    ctn_chain_template key;
    ctn_said allow_writes;
} ctn_chain_cache;

typedef struct ctn_chain_foreach {
    const ctn_json *node;     /* NULL: none */
    ctn_chain_template items; /* or */
    ctn_chain_tree range;     /* [from, to] */
    const ctn_json *as;
    int64_t max_concurrency;
} ctn_chain_foreach;

typedef enum ctn_on_error { CTN_ON_ERROR_FAIL = 1, CTN_ON_ERROR_CONTINUE } ctn_on_error;

typedef struct ctn_chain_step {
    const ctn_json *node;
    ctn_str name; /* empty when the file does not say it rightly */
    const ctn_json *step_name, *instruction_set;
    ctn_chain_template input;
    const ctn_json *output_variables;
    ctn_chain_output *outputs;
    uint32_t output_count;
    ctn_chain_expression condition;
    ctn_said is_parallel;
    const ctn_json *depends_on; /* NULL: the order of the file */
    ctn_chain_retry retry;
    int64_t timeout_ms, idle_timeout_ms; /* 0: not said */
    const ctn_json *fallbacks_node;
    ctn_chain_fallback *fallbacks;
    uint32_t fallback_count;
    int on_error;       /* ctn_on_error; 0: not said */
    int on_interrupted; /* 0: not said, 1: ask, 2: retry, 3: fail */
    const ctn_json *rollback_action;
    ctn_chain_template rollback_template;
    const ctn_json *no_undo, *template_id;
    ctn_chain_cache cache;
    ctn_chain_foreach foreach;
    const ctn_json *output_schema, *release;
    const ctn_json *lint, *lint_allow; /* {RULE: reason}; NULL: nothing */
} ctn_chain_step;

typedef struct ctn_chain_result {
    ctn_str name;
    const ctn_json *node;            /* the name */
    ctn_chain_expression expression; /* node NULL: the variable of that name */
} ctn_chain_result;

typedef struct ctn_chain_budget {
    int64_t calls, wall_ms, bytes, tokens; /* 0: not said */
    const ctn_json *money;                 /* NULL: not said */
    int on_reached;                        /* 0: not said, 1: wait, 2: fail */
} ctn_chain_budget;

typedef enum ctn_mcp_as { CTN_MCP_AS_TOOL, CTN_MCP_AS_PROMPT, CTN_MCP_AS_RESOURCE, CTN_MCP_AS_NONE } ctn_mcp_as;
typedef enum ctn_mcp_task { CTN_MCP_TASK_OPTIONAL, CTN_MCP_TASK_REQUIRED, CTN_MCP_TASK_NEVER } ctn_mcp_task;

/* How the chain is offered to MCP clients (chain_mcp.c). */
typedef struct ctn_chain_mcp {
    ctn_mcp_as as;
    ctn_str name;               /* of the tool, prompt or resource; the chain's id when it is not said */
    ctn_str uri;                /* resource: a URI, or a template of inputs (value/uri_template.h) */
    ctn_str mime_type;          /* resource; empty: not said */
    ctn_str content;            /* the output that holds content blocks, messages or contents; empty: none */
    int64_t wait_ms;            /* so long a caller is kept waiting for the end */
    int64_t attach_ms;          /* tool: an equal call joins an execution that is no older; 0: none does */
    bool cancels_on_disconnect; /* the execution is cancelled when its caller goes away */
    ctn_mcp_task task;          /* tool */
    const ctn_json *node, *uri_node, *content_node; /* NULL: not said */
} ctn_chain_mcp;

typedef struct ctn_chain {
    const ctn_source *source;
    const ctn_json *node;
    ctn_str id; /* empty when the file does not say it rightly */
    const ctn_json *id_node, *name, *description;
    int64_t version; /* 0: by content */
    const ctn_json *input_schema;
    const ctn_json *outputs; /* NULL: all that was produced */
    ctn_chain_result *results;
    uint32_t result_count;
    ctn_said is_rollback_enabled;
    int64_t timeout_ms, priority, max_concurrent;
    const ctn_json *budget_node, *sensitive, *schedule, *on_failure, *run_as, *requires;
    ctn_chain_budget budget;
    ctn_chain_template concurrency_key;
    const ctn_json *steps_node, *instruction_sets;
    ctn_chain_step *steps;
    uint32_t step_count;
    const ctn_json *mcp_node;
    ctn_chain_mcp mcp; /* with its defaults when the file does not say it */
    size_t fault_count;
} ctn_chain;

#define CTN_CHAIN_STEPS_MAX 10000

/* Every table of keys that a chain and a step are read by. */
extern const ctn_key_table ctn_chain_tables[], ctn_step_tables[];
extern const size_t ctn_chain_table_count, ctn_step_table_count;
/* Of `mcp`, which is in the chain's tables too. */
#define CTN_CHAIN_MCP_KEY_COUNT 9
extern const ctn_key ctn_chain_mcp_keys[CTN_CHAIN_MCP_KEY_COUNT];

/* True when the file's top level is meant to be a chain: it is no object, or has more than instructionSets. */
bool ctn_chain_is_in(const ctn_json *root);
const ctn_chain *ctn_chain_read(ctn_arena *arena, const ctn_source *source, ctn_findings *findings);
/* One step; `steps` of a chain are read with this. */
void ctn_chain_step_read(ctn_reader *reader, const ctn_json *node, ctn_chain_step *ret_step);
/* Of a chain whose other keys have been read. node NULL: the defaults. */
void ctn_chain_mcp_read(ctn_reader *reader, const ctn_json *node, ctn_str chain_id, ctn_chain_mcp *ret_mcp);
/* Is it the name of a tool that the server has itself? */
bool ctn_chain_mcp_is_own_tool(ctn_str name);
