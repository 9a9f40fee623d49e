/*
 * http_headers.h -- the headers of one request to a server, gathered: ours, those of the configuration, those that a
 * message brings.
 *
 * Ownership  The list and what it borrows live until the request is sent; `own` are copies that are kept and read
 * afresh when they were refused.
 */
#pragma once
#include "drivers/mcp/transport.h"

#define CTN_MCP_HTTP_HEADERS_MAX 192 /* of one request */

typedef struct ctn_mcp_header_list {
    ctn_http_header items[CTN_MCP_HTTP_HEADERS_MAX];
    size_t count;
} ctn_mcp_header_list;

/* What the configuration says, as it was last read. */
typedef struct ctn_mcp_own_headers {
    ctn_arena *arena;
    const ctn_mcp_header *items;
    size_t count;
    uint64_t changes; /* how often a reading found others */
} ctn_mcp_own_headers;

/* What to look at first when a server answers with this status; empty: nothing. */
const char *ctn_mcp_status_advice(int status);
void ctn_mcp_header_add(ctn_mcp_header_list *list, const char *name, ctn_str value);
void ctn_mcp_header_add_own(ctn_mcp_header_list *list, const ctn_mcp_own_headers *own);

/* Reads them. On failure the old ones stay. */
int ctn_mcp_own_headers_read(ctn_mcp_own_headers *own, const ctn_mcp_header_source *source, ctn_err *err);
void ctn_mcp_own_headers_done(ctn_mcp_own_headers *own);
