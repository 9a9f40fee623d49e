/*
 * engine_backend.h -- what the engine of a host offers to MCP callers: tools that run it, each chain as a tool, tasks.
 *
 * Made for a host that owns its store (ctn_host_own), and freed before ctn_host_close. It remembers nothing
 * that must outlive the process: what a caller is handed (an execution's id, a task's id, the state of a question)
 * names an execution, and everything else is read from the store. What is held in memory is who waits for which
 * execution.
 *
 * Ownership  The host is borrowed, and so is the endpoint.
 * Threads    The loop's. simulate_chain alone works on a thread of its own.
 */
#pragma once
#include "host/host.h"
#include "server/mcp/endpoint.h"

typedef struct ctn_engine_backend ctn_engine_backend;

ctn_engine_backend *ctn_engine_backend_new(ctn_host *host);
/* Calls under way are let go without a word; what they started goes on. NULL is fine. */
/* Nobody waits for an execution any longer than now. */
void ctn_engine_backend_drain(ctn_engine_backend *backend);
void ctn_engine_backend_free(ctn_engine_backend *backend);
/* For ctn_mcp_endpoint_new; valid as long as the backend is. */
const ctn_mcp_backend *ctn_engine_backend_offers(ctn_engine_backend *backend);
/* Who is told when tools or tasks change; NULL: nobody any more. */
void ctn_engine_backend_tell(ctn_engine_backend *backend, ctn_mcp_endpoint *endpoint);
