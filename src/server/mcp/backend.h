/*
 * backend.h -- what an MCP endpoint offers: the interface between the protocol (endpoint.c) and what is offered by it
 * (engine_backend.h; tests have small ones of their own).
 *
 * Lists are given whole, in a fixed order, in the caller's arena; paging, revisions and `ttlMs` are the endpoint's.
 * Whatever may take time is given an exchange and answers it when it can. NULL functions: not offered, and not declared
 * in server/discover.
 */
#pragma once
#include "server/mcp/exchange.h"

typedef enum ctn_mcp_changed {
    CTN_MCP_TOOLS_CHANGED,
    CTN_MCP_PROMPTS_CHANGED,
    CTN_MCP_RESOURCES_CHANGED
} ctn_mcp_changed;

typedef struct ctn_mcp_backend {
    void *ctx;
    /* Arrays of the protocol's own objects, as the newest revision has them. */
    const ctn_json *(*tools)(void *ctx, ctn_str principal, ctn_arena *arena);
    const ctn_json *(*prompts)(void *ctx, ctn_str principal, ctn_arena *arena);
    const ctn_json *(*resources)(void *ctx, ctn_str principal, ctn_arena *arena);
    const ctn_json *(*resource_templates)(void *ctx, ctn_str principal, ctn_arena *arena);
    /* One of `tools`, by its name; NULL: there is none. The function may be NULL: then the list is searched. */
    const ctn_json *(*tool)(void *ctx, ctn_str principal, ctn_str name, ctn_arena *arena);

    /* tools/call; the endpoint has checked that the tool is there. That arguments satisfy its schema is the backend's
     * to check, and to say in a result with isError. */
    void (*call)(void *ctx, ctn_mcp_exchange *x);
    void (*prompt)(void *ctx, ctn_mcp_exchange *x); /* prompts/get */
    void (*read)(void *ctx, ctn_mcp_exchange *x);   /* resources/read */
    /* completion/complete; arguments: its params. */
    void (*complete)(void *ctx, ctn_mcp_exchange *x);

    /* The tasks extension: name: the task's id. A result is the whole task (flat), or {} for the other two. */
    void (*task_get)(void *ctx, ctn_mcp_exchange *x);
    void (*task_update)(void *ctx, ctn_mcp_exchange *x); /* ask.answers */
    void (*task_cancel)(void *ctx, ctn_mcp_exchange *x);

    /* Who listens to tasks or resources wants to be told (ctn_mcp_endpoint_task_changed, _resource_changed); false:
     * there is no such thing for the caller of this exchange. */
    bool (*may_watch_task)(void *ctx, const ctn_mcp_exchange *x, ctn_str task_id);
    bool (*may_watch_resource)(void *ctx, const ctn_mcp_exchange *x, ctn_str uri);

    const char *instructions; /* for server/discover and initialize; NULL: none */
} ctn_mcp_backend;
