/*
 * mcp.h -- the MCP server of a host, put together: what is offered (engine_backend.h), the protocol (endpoint.h), and
 * the ways in (stdio.h, post.h). Another `catena mcp` for the same store is a guest: its lines come over the control
 * socket.
 *
 * requestState is sealed under a key beside the store (FILE-mcp-key, for its owner alone), which is made when it is
 * first needed, so that a question that was asked before a restart can be answered after it.
 *
 * Ownership  The host is borrowed: it owns its store, and is closed after the service. What answers of the engine are
 * still awaited then goes with the host. Threads    The loop's.
 */
#pragma once
#include "host/host.h"
#include "server/front.h"

typedef struct ctn_mcp_service ctn_mcp_service;

/* CTN_E_IO, CTN_E_DENIED: the key cannot be had. */
int ctn_mcp_service_open(ctn_host *host, ctn_mcp_service **ret_service, ctn_err *err);
/* It is about to be closed: who waits for an execution is told how it stands. */
void ctn_mcp_service_drain(ctn_mcp_service *service);
/* Nothing that was begun is cancelled; who waits for it is let go. NULL is fine. */
void ctn_mcp_service_close(ctn_mcp_service *service);

/* /mcp of a front, which is closed right behind the service. */
void ctn_mcp_service_serve(ctn_mcp_service *service, ctn_front *front);
/* Takes the descriptors over. */
void ctn_mcp_service_pipe(ctn_mcp_service *service, int fd_in, int fd_out);
bool ctn_mcp_service_pipe_has_ended(const ctn_mcp_service *service);
