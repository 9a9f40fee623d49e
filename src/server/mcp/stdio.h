/*
 * stdio.h -- an endpoint over a pair of descriptors: one message a line, in and out, and nothing else on the way out.
 *
 * The end of the input is the end: what is under way has a second to be answered, then it is let go, and `ended` is
 * told once. A client that does not read while 64 MiB wait for it is treated as gone.
 *
 * Ownership  Takes the descriptors over. fd_out -1: fd_in is a socket, for both. The endpoint is borrowed.
 * Threads    The loop's.
 */
#pragma once
#include "server/mcp/endpoint.h"

typedef struct ctn_mcp_stdio ctn_mcp_stdio;

/* `ended` may close it. */
ctn_mcp_stdio *ctn_mcp_stdio_open(ctn_loop *loop, ctn_mcp_endpoint *endpoint, int fd_in, int fd_out,
                                  size_t line_bytes_max, void (*ended)(void *ctx), void *ctx);
void ctn_mcp_stdio_close(ctn_mcp_stdio *stdio); /* NULL is fine; before the endpoint */
