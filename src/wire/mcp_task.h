/*
 * mcp_task.h -- calls that are not over with their first answer: what a server asks for in the middle of one
 * (input_required), and tasks, which go on by themselves under a handle; as a client reads both. Pure.
 *
 * Tasks are those of the extension io.modelcontextprotocol/tasks, whose fields lie flat in the result, and those of
 * 2025-11-25, in an object `task` with other names, of which only what tools demand (execution.taskSupport) is spoken.
 *
 * Ownership  What is read borrows the message's tree and lives in the arena.
 */
#pragma once
#include "base/json.h"

#define CTN_MCP_EXTENSION_TASKS "io.modelcontextprotocol/tasks"

#define CTN_MCP_ASKS_MAX          64 /* things asked for in one round */
#define CTN_MCP_TASK_ID_BYTES_MAX 1024

/* inputRequests as {KEY: {message, schema?, url?}} (engine/driver.h); of NULL: {}. CTN_E_UNSUPPORTED: it asks for what
 * we did not offer (a language model, roots); CTN_E_INVALID: it is none; CTN_E_LIMIT: more than may be asked at once.
 */
int ctn_mcp_read_asks(ctn_arena *arena, const ctn_json *requests, const ctn_json **ret_asks, ctn_err *err);

typedef enum ctn_mcp_task_status {
    CTN_MCP_TASK_WORKING,
    CTN_MCP_TASK_INPUT_REQUIRED,
    CTN_MCP_TASK_COMPLETED,
    CTN_MCP_TASK_FAILED,
    CTN_MCP_TASK_CANCELLED,
} ctn_mcp_task_status;

typedef struct ctn_mcp_task_told {
    ctn_str id;
    ctn_mcp_task_status status;
    ctn_str status_message;         /* for people */
    ctn_str updated_at;             /* as the server writes it; whether it changed is all that is asked */
    int64_t poll_ms;                /* its wish between two questions; 0: not told */
    const ctn_json *input_requests; /* INPUT_REQUIRED */
    const ctn_json *result;         /* COMPLETED, of the extension: as of tools/call */
    const ctn_json *error;          /* FAILED, of the extension: as in an answer */
} ctn_mcp_task_told;

/* A result that hands a call over to a task, or tells how one is. */
int ctn_mcp_read_task(const ctn_json *result, ctn_mcp_task_told *ret_task, ctn_err *err);
